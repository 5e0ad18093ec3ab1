"""
The ends of a dialogue: AT ports, the peers that a module connects to, and those that connect to it.

All are real sockets and ptys. What arrives is kept until the dialogue turns to the port.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, IListeningPort, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, ServerFactory
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure

from atrunproto.testing.matching import LineStream, Overflow
from atrunproto.testing.quietclock import QuietClock

HISTORY: Final = 8
"""Lines of a port that a report shows before the first difference."""

ATTEMPT: Final = 30.0
"""Seconds of real time for an attempt to connect; on loopback the answer, if there is one, comes at once."""


class Wire(Protocol):
    """
    One connection of a port, as Twisted sees it.

    @ivar isDatagram: it is no connection, only two addresses between which datagrams go.
    @ivar heard: something has come.
    """

    transport: ITCPTransport
    isDatagram = False
    heard = False

    def __init__(self, port: Port | None = None) -> None:
        self.port = port

    def connectionMade(self) -> None:
        """The port has a connection."""
        if self.port is not None:
            self.port.attach(self)

    def dataReceived(self, data: bytes) -> None:
        """Octets for the port; of a wire that nobody holds any more they are lost."""
        self.heard = True
        if self.port is not None:
            self.port.received(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The other end is gone."""
        if self.port is not None:
            port, self.port = self.port, None
            port.detach()


class Port:
    """
    One end of a dialogue.

    @ivar stream: what arrived and wasn't taken yet.
    @ivar history: the last lines of both directions, for the report.
    @ivar arrived: octets that have arrived so far.
    @ivar given: octets that were sent so far.
    @ivar fresh: a connection was made that the dialogue hasn't taken note of.
    @ivar ended: the other end closed the connection, or refused it.
    @ivar refused: an attempt to connect got a refusal.
    @ivar why: why it is not connected, where that is known.
    """

    echoes = True

    def __init__(self, name: str, quiet: QuietClock) -> None:
        self.name = name
        self.stream = LineStream()
        self.history: deque[str] = deque(maxlen=HISTORY)
        self.arrived = 0
        self.given = 0
        self.fresh = False
        self.ended = False
        self.refused = False
        self.why = "nobody has connected"
        self._quiet = quiet
        self._wire: Wire | None = None

    @property
    def connected(self) -> bool:
        """Whether something can be sent."""
        return self._wire is not None

    def attach(self, wire: Wire) -> None:
        """Begin with a new connection."""
        self._quiet.stir()
        self._wire = wire
        self.stream.clear()
        self.fresh, self.ended, self.refused, self.why = True, False, False, "the connection is still there"

    def detach(self, why: str = "the module closed the connection") -> None:
        """The connection is gone, or didn't come."""
        self._quiet.stir()
        self._wire = None
        self.ended, self.why = True, why

    def received(self, octets: bytes) -> None:
        """Keep what arrived; a flood ends the connection."""
        self._quiet.stir()
        self.arrived += len(octets)
        try:
            self.stream.received(octets)
        except Overflow as error:
            self.reset()
            self.why = str(error)

    def send(self, octets: bytes) -> None:
        """Send to the module."""
        assert self._wire is not None
        if self.echoes:
            self.stream.sent(octets)
        self._quiet.stir()
        self.given += len(octets)
        self._wire.transport.write(octets)

    def hangUp(self) -> None:
        """Close the connection in the regular way."""
        if (wire := self.release()) is not None:
            wire.transport.loseConnection()

    def reset(self) -> None:
        """End the connection without a farewell."""
        if (wire := self.release()) is not None:
            wire.transport.abortConnection()

    def release(self) -> Wire | None:
        """Let go of the connection as it is, and give it."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.port = None
            self.ended, self.why = False, "the connection was ended on this side"
        self._quiet.stir()
        return wire

    def stop(self) -> None:
        """The dialogue is over."""
        self.reset()


class ModuleEnd(ProtocolWrapper):
    """
    The module's end of a port, which counts what crosses, so that nothing is forgotten on its way.

    @ivar port: the other end.
    """

    port: Port
    _written = 0
    _taken = 0

    def write(self, data: bytes) -> None:
        """Octets for the port."""
        self._written += len(data)
        super().write(data)  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        """Octets of the port."""
        self._taken += len(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def crosses(self) -> bool:
        """Whether something that one end has written isn't at the other."""
        return self.port.connected and (self._written, self._taken) != (self.port.arrived, self.port.given)


def counted(factory: Factory, port: Port, quiet: QuietClock) -> Factory:
    """Have the module's ends of a port made by a factory, and waited for while something crosses."""

    def end(makes: Any, wrapped: Protocol) -> ModuleEnd:
        made: ModuleEnd = ModuleEnd(makes, wrapped)
        made.port = port
        quiet.watch(made.crosses)
        return made

    ends: Any = WrappingFactory(factory)
    ends.noisy, ends.protocol = False, end
    return ends  # type: ignore[no-any-return]


class Peer(Port):
    """
    A peer of the module: it connects to the module, or the module to it.

    @ivar attempting: an attempt to connect is being made and has no answer yet; with datagrams it is one until
        something comes back.
    """

    def __init__(self, name: str, quiet: QuietClock, reactor: Any) -> None:
        super().__init__(name, quiet)
        self.echoes = name == "tcp"
        self._reactor = reactor
        self._attempt: Deferred[Any] | None = None
        self._vanished: list[Wire] = []

    @property
    def attempting(self) -> bool:
        """Whether an attempt to connect has no answer yet."""
        wire = self._wire
        return self._attempt is not None or (wire is not None and wire.isDatagram and not wire.heard)

    def connect(self, host: str, number: int, source: str | None) -> None:
        """Begin to connect to the module, from an address of our own."""
        self.stop()
        self.stream.clear()
        self.ended, self.refused, self.why = False, False, f"{host}:{number} doesn't answer"
        bind = None if source is None else (source, 0)
        endpoint = TCP4ClientEndpoint(self._reactor, host, number, timeout=ATTEMPT, bindAddress=bind)
        attempt = self._attempt = endpoint.connect(Factory.forProtocol(lambda: Wire(self)))
        attempt.addBoth(self._answered)

    def _answered(self, result: object) -> None:
        self._attempt = None
        if isinstance(result, Failure) and not result.check(CancelledError):
            self.refused = True
            self.detach(result.getErrorMessage())

    def vanish(self) -> None:
        """Disappear: nothing is read any more and nothing said, not even that the connection ends."""
        if (wire := self.release()) is not None:
            wire.transport.pauseProducing()  # type: ignore[attr-defined]
            self._vanished.append(wire)

    def stop(self) -> None:
        """End the connection, the attempt, and those from which the peer has vanished."""
        super().stop()
        if self._attempt is not None:
            self._attempt.cancel()
        for wire in self._vanished:
            wire.transport.abortConnection()
        self._vanished.clear()


def closed(port: IListeningPort) -> Deferred[None]:
    """Close a listening port; fires when it is closed."""
    return port.stopListening() or succeed(None)


def nextOf(peers: list[Peer], taken: list[Peer]) -> Peer | None:
    """
    The next peer at a place, who is then taken: those whom nobody has called yet first, then those who are free again.

    @return: C{None} where nobody is free.
    """
    free = [peer for peer in peers if not peer.connected]
    found = next((peer for peer in free if peer not in taken), free[0] if free else None)
    if found is not None:
        taken.append(found)
    return found


class Listener(ServerFactory):
    """
    An address and port number on which peers wait for the module.

    Where several peers are at one address, each connection goes to the next of them.
    """

    noisy = False

    def __init__(self, reactor: Any, host: str, number: int) -> None:
        self.peers: list[Peer] = []
        self._taken: list[Peer] = []
        self._port: IListeningPort = reactor.listenTCP(number, self, interface=host)

    def buildProtocol(self, addr: IAddress | None) -> Wire | None:
        """Give a connection to the next peer; where none is free it is closed at once."""
        peer = nextOf(self.peers, self._taken)
        return None if peer is None else Wire(peer)

    def stop(self) -> Deferred[None]:
        """Listen no more; connections live on."""
        return closed(self._port)


class Echo(Protocol):
    """Returns everything it receives."""

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        assert self.transport is not None
        self.transport.write(data)
