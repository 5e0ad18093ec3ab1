"""The contract of transports, against the connections that a peer has through a module."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from atrunproto.ipeasy.peer import IPEasyClientEndpoint, IPEasyServerEndpoint
from atrunproto.ipeasy.peercommand import CommandClientEndpoint, CommandServerEndpoint, CommandSockets
from atrunproto.testing.contract import TransportContract
from tests.ipeasy.modems import FAR, PORT, Caller, Modem, factoryOf


class ModemCase(TransportContract, TestCase):
    """What goes through an emulated module, in memory."""

    quiet = 100

    def setUp(self) -> None:
        """Make the module."""
        self.modem = Modem()

    async def turn(self) -> None:
        """A tenth of a second."""
        self.modem.clock.advance(0.1)

    def sever(self) -> None:
        """Pull the cable between the peer and its module."""
        self.modem.link.breakOff()

    async def done(self, waiting: Deferred[Any]) -> Any:
        """Let time pass until something is there."""
        await self.until(lambda: waiting.called)
        return await waiting


class OnlineClientTest(ModemCase):
    """A connection by #SD, online."""

    def endpoint(self) -> Any:
        """What connects."""
        return IPEasyClientEndpoint(self.modem.client, 1, FAR, PORT)

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Dial."""
        self.modem.serve(far)
        assert await self.done(self.endpoint().connect(factoryOf(near))) is near
        await self.until(lambda: far.transport)


class OnlineServerTest(ModemCase):
    """A connection by #SL and #SA, online."""

    def endpoint(self) -> Any:
        """What listens."""
        return IPEasyServerEndpoint(self.modem.client, 1, PORT, admitted=[("127.0.0.1", "255.0.0.0")])

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Be dialled."""
        port = await self.done(self.endpoint().listen(factoryOf(near)))
        address = port.getHost()
        assert address.port == PORT
        self.modem.clock.connectTCP(address.host, address.port, Caller(far))
        await self.until(lambda: near.transport and far.transport)


class CommandClientTest(OnlineClientTest):
    """A connection by #SD in command mode."""

    def endpoint(self) -> Any:
        """What connects."""
        return CommandClientEndpoint(CommandSockets(self.modem.client), 1, FAR, PORT)


class CommandServerTest(OnlineServerTest):
    """A connection by #SL and #SA in command mode."""

    def endpoint(self) -> Any:
        """What listens."""
        sockets = CommandSockets(self.modem.client)
        return CommandServerEndpoint(sockets, 1, PORT, admitted=[("127.0.0.1", "255.0.0.0")])


del ModemCase
