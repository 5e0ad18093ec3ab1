"""Local AT ports over real TCP."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as globalReactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import Network
from atrunproto.emulator.products import product

reactor: Any = globalReactor


class Listener(Protocol):
    """
    Says one thing, closes its sending side, and listens to the end; or listens until something is heard.
    """

    def __init__(self, said: bytes, until: bytes = b"") -> None:
        self.said = said
        self.until = until
        self.heard = b""
        self.end: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if self.said:
            transport.write(self.said)
            transport.loseWriteConnection()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if self.until and self.heard.endswith(self.until):
            self.end.callback(self.heard)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.end.callback(self.heard)


class PortTests(TestCase):
    """
    What a TCP client of a local port can rely on.
    """

    timeout = 10

    async def test_lastWord(self) -> None:
        """A client that closes its sending side behind the command (C{printf ... | nc}) still gets the answer."""
        module = EmulatedModule(product("GE865-QUAD"), Network(reactor), reactor, timeScale=0)
        module.powerOn()
        self.addCleanup(module.powerOff)
        port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(module.portFactory(1))
        self.addCleanup(port.stopListening)
        client = Listener(b"AT+CGMM\r")
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), client)
        self.assertEqual(await client.end, b"AT+CGMM\r\r\nGE865\r\n\r\nOK\r\n")


class PtyTests(TestCase):
    """
    What a client of a local port on a pseudo terminal can rely on.
    """

    timeout = 10

    async def test_notForHim(self) -> None:
        """A client who opens the pty gets no notices that came while nobody was there."""
        module = EmulatedModule(product("GE865-QUAD"), Network(reactor), reactor, timeScale=0)
        module.powerOn()
        self.addCleanup(module.powerOff)
        path = self.mktemp()
        port: Any = await serverFromString(reactor, f"pty:{path}").listen(module.portFactory(1))
        self.addCleanup(port.stopListening)
        module.instance(1).notify("#TCPATRUN: 127.0.0.1")
        client = Listener(b"", until=b"OK\r\n")
        user: Any = await connectProtocol(clientFromString(reactor, f"pty:{path}"), client)
        user.transport.write(b"ATE0\r")
        self.assertEqual(await client.end, b"ATE0\r\r\nOK\r\n")
        client.end = Deferred()
        user.transport.loseConnection()
        await client.end
