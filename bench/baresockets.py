"""
The bare Twisted programs beside the sockets of a module: a relay, and a line server with connections of its own.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol

from atrunproto.fleet.tap import BACKLOG

from .bare import Line

reactor: Any = _reactor


class Far(Protocol):
    """
    A connection to the server; whose it is hears of it, and of what comes.
    """

    def __init__(self, owner: Any, number: bytes = b"") -> None:
        self.owner = owner
        self.number = number

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
        self.owner.farMade(self)

    def dataReceived(self, data: bytes) -> None:
        self.owner.farReceived(self, data)


class Relay:
    """
    A relay between its callers and one server: what online sockets are measured against.

    Towards the server it writes what a module writes: of each read the octets that fill packets, in one piece; the rest
    waits for more.
    """

    def __init__(self, target: int, size: int) -> None:
        """
        @param target: the port of the server.
        @param size: octets of a packet to the server.
        """

        class Inward(Protocol):
            far: Any
            rest = b""

            def connectionMade(self) -> None:
                self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]
                self.transport.pauseProducing()  # type: ignore[union-attr]
                connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", target), Far(self))

            def farMade(self, far: Any) -> None:
                self.far = far
                far.transport.registerProducer(self.transport, True)
                self.transport.registerProducer(far.transport, True)  # type: ignore[union-attr]
                self.transport.resumeProducing()  # type: ignore[union-attr]

            def farReceived(self, far: Far, data: bytes) -> None:
                self.transport.write(data)  # type: ignore[union-attr]

            def dataReceived(self, data: bytes) -> None:
                data = self.rest + data
                full = len(data) - len(data) % size
                self.rest = data[full:]
                if full:
                    self.far.transport.write(data[:full])

        port = reactor.listenTCP(0, Factory.forProtocol(Inward), backlog=BACKLOG, interface="127.0.0.1")
        self.facts = {"addresses": [["127.0.0.1", port.getHost().port]]}


class LineSockets:
    """
    A line server that says what a module says in command mode: what the sockets there are measured against.

    It knows C{AT#SD=number,...,port} without a host, C{AT#SSENDEXT} and C{AT#SRECV}; it announces what comes, and says
    OK to all else.
    """

    def __init__(self) -> None:
        class Port(Line):
            def __init__(self) -> None:
                self.fars: dict[bytes, Far] = {}
                self.waiting: dict[bytes, bytes] = {}
                self.to: Any = None
                self.missing = 0

            def lineReceived(self, line: bytes) -> None:
                command, _, values = line.partition(b"=")
                if command == b"AT#SSENDEXT":
                    number, count = values.split(b",")
                    self.to, self.missing = self.fars[number].transport, int(count)
                    self.transport.write(b"\r\n> ")  # type: ignore[union-attr]
                    self.setRawMode()  # type: ignore[no-untyped-call]
                elif command == b"AT#SRECV":
                    number, count = values.split(b",")
                    data = self.waiting[number]
                    self.waiting[number], data = data[int(count) :], data[: int(count)]
                    told = b"\r\n#SRECV: %b,%d\r\n%b\r\n\r\nOK\r\n" % (number, len(data), data)
                    self.transport.write(told)  # type: ignore[union-attr]
                elif command == b"AT#SD":
                    number, _, port = values.split(b",")[:3]
                    there = TCP4ClientEndpoint(reactor, "127.0.0.1", int(port))
                    connectProtocol(there, Far(self, number))
                else:
                    self.transport.write(b"\r\nOK\r\n")  # type: ignore[union-attr]

            def rawDataReceived(self, data: bytes) -> None:
                self.missing -= len(data)
                self.to.write(data)
                if not self.missing:
                    self.transport.write(b"\r\nOK\r\n")  # type: ignore[union-attr]
                    self.setLineMode()  # type: ignore[no-untyped-call]

            def farMade(self, far: Far) -> None:
                self.fars[far.number], self.waiting[far.number] = far, b""
                self.transport.write(b"\r\nOK\r\n")  # type: ignore[union-attr]

            def farReceived(self, far: Far, data: bytes) -> None:
                waiting = self.waiting[far.number]
                self.waiting[far.number] = waiting + data
                if not waiting:
                    self.transport.write(b"\r\nSRING: %b\r\n" % far.number)  # type: ignore[union-attr]

        port = reactor.listenTCP(0, Factory.forProtocol(Port), backlog=BACKLOG, interface="127.0.0.1")
        self.facts = {"addresses": [["127.0.0.1", port.getHost().port]]}
