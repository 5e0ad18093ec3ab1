"""The contract of transports, against Twisted's own TCP and every transport of the product."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol, serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from atrunproto.at.basic import commands as basic
from atrunproto.at.commands import CommandSet, CommandTable
from atrunproto.at.module import ATInstance
from atrunproto.at.online import Online
from atrunproto.at.peer import ATClient
from atrunproto.at.results import TELIT
from atrunproto.ipeasy.module import SocketTable
from atrunproto.testing.contract import OCTETS, Pull, TransportContract
from atrunproto.testing.link import MemoryLink
from tests.at.fakes import FakeModule


def factoryOf(protocol: Protocol) -> Factory:
    """A factory of this one protocol."""
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _: protocol  # type: ignore[method-assign, assignment]
    return factory


class RealCase(TransportContract, TestCase):
    """What runs on the reactor."""

    timeout = 60
    quiet = 20

    def setUp(self) -> None:
        """Take the reactor."""
        from twisted.internet import reactor

        self.reactor: Any = reactor

    async def turn(self) -> None:
        """A turn of the reactor, and a little time for the kernel."""
        await deferLater(self.reactor, 0.001)

    async def listen(self, description: str, protocol: Protocol) -> IListeningPort:
        """Serve something until the test ends."""
        port: IListeningPort = await serverFromString(self.reactor, description).listen(factoryOf(protocol))
        self.addCleanup(port.stopListening)
        return port

    def drop(self, *ends: Any) -> None:
        """Close what a test has left open, and wait for it."""

        async def close() -> None:
            for end in ends:
                if end.transport is not None:
                    end.transport.abortConnection()
            await self.settle()

        self.addCleanup(lambda: Deferred.fromCoroutine(close()))


class TCPClientTest(RealCase):
    """The client's transport of Twisted's TCP."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Dial."""
        port: Any = await self.listen("tcp:0:interface=127.0.0.1", far)
        endpoint = clientFromString(self.reactor, f"tcp:127.0.0.1:{port.getHost().port}")
        await connectProtocol(endpoint, near)
        await self.until(lambda: far.transport)
        self.far: Any = far
        self.drop(near, far)

    def sever(self) -> None:
        """Reset the connection."""
        self.far.transport.abortConnection()


class TCPServerTest(TCPClientTest):
    """The server's transport of Twisted's TCP."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Be dialled."""
        await super().join(far, near)
        self.far = far


class IPEasyLinkTest(TCPClientTest):
    """A socket of a module: TCP with packets, timeouts and a limit for the close."""

    class Sockets:
        """What the sockets need; names and contexts are as simple as they can be."""

        def __init__(self, reactor: Any) -> None:
            self.reactor = reactor
            self.clock: Any = Clock()
            self.settings: Any = self

        def get(self, name: str, key: int) -> tuple[int, int, int, int, int]:
            """The factory settings of a socket."""
            return (1, 300, 90, 600, 50)

        def value(self, name: str) -> int:
            """All other settings are off."""
            return 0

        def address(self, cid: int) -> str:
            """The context is active."""
            return "127.0.0.1"

        def resolve(self, name: str, cid: int) -> Deferred[str]:
            """A host that is an address."""
            found: Deferred[str] = Deferred()
            found.callback(name)
            return found

        def watchContexts(self, watcher: object) -> None:
            """They never change."""

    def setUp(self) -> None:
        """Make a module's sockets."""
        super().setUp()
        self.sockets: Any = self.Sockets(self.reactor)
        self.moving = True

    async def turn(self) -> None:
        """Time passes for the module too."""
        await super().turn()
        if self.moving:
            self.sockets.clock.advance(0.1)

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Let the module dial."""
        port: Any = await self.listen("tcp:0:interface=127.0.0.1", far)
        await SocketTable(self.sockets).socket(1).dial("127.0.0.1", port.getHost().port, near)
        await self.until(lambda: near.transport and far.transport)
        self.far = far
        self.drop(near, far)

    async def test_pullAtOnce(self) -> None:
        """A pull producer is asked on while its octets gather; it needn't wait until a short packet is sent."""
        near, far = await self.joined()
        self.moving = False
        source = Pull(near, OCTETS[:1000], 10)
        near.transport.registerProducer(source, False)
        await self.until(lambda: self.sockets.clock.advance(0) or len(source.told) == 100)
        await self.until(lambda: len(far.received) == 900)


class PtyTest(RealCase):
    """The module's end of a pty."""

    nearOutlives = True

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Serve a terminal, and open it."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "at1"
        self.port = await self.listen(f"pty:{path}", near)
        there: list[bool] = []
        transport: Any = near.transport
        if transport.disconnecting:
            return
        transport.onLineChange(lambda name, on: there.append(on))
        await connectProtocol(clientFromString(self.reactor, f"serial:{path}"), far)
        self.drop(far)
        await self.until(lambda: there)

    def sever(self) -> None:
        """Take the terminal away."""
        self.port.stopListening()


class SerialTest(PtyTest):
    """The peer's end of a serial line, which is a pty here; what its module says to nobody is lost."""

    nearOutlives = False
    farOutlives = True
    hearsGreeting = False

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Open a terminal that the other one serves."""
        await super().join(far, near)


class ClockCase(TransportContract, TestCase):
    """What runs on a clock and a link in memory."""

    def setUp(self) -> None:
        """Make the clock."""
        self.clock = Clock()

    async def turn(self) -> None:
        """A tenth of a second."""
        self.clock.advance(0.1)

    def sever(self) -> None:
        """Break the link."""
        self.link.breakOff()

    def connect(self, module: IProtocol, peer: IProtocol) -> None:
        """Join two protocols by a link."""
        self.link = MemoryLink(self.clock, module, peer)


class MemoryModuleTest(ClockCase):
    """The module's end of a link in memory."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Join them."""
        self.connect(near, far)


class MemoryPeerTest(ClockCase):
    """The peer's end of a link in memory."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Join them."""
        self.connect(far, near)


class ChannelTest(ClockCase):
    """An AT instance online, as the transport of a channel; at the other end is a client that is online too."""

    abortDrops = False

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Go online."""
        table = CommandTable("call")
        table.action("#CALL")(lambda at: Online(near, transmitEscape=False))
        commands = CommandSet(TELIT, [basic, table])
        module = FakeModule()
        module.clock = self.clock
        client = ATClient(self.clock, commands.rows)
        self.connect(ATInstance(1, commands, module), client)
        online = client.connect("AT#CALL", far)
        await self.until(lambda: online.called)
        assert await online is far


class PeerTest(ChannelTest):
    """An AT client online, as the transport of a protocol; at the other end is an instance that is online too."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Go online."""
        await super().join(far, near)


del RealCase, ClockCase
