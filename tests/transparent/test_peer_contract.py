"""The contract of transports, against the connections that a host has through a Multi-Tech modem."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from atrunproto.testing.contract import TransportContract
from atrunproto.transparent.peer import DLEClientEndpoint, DLEServerEndpoint
from tests.ipeasy.modems import FAR, PORT, Caller, factoryOf
from tests.multitech.hosts import Host

OPEN = "AT+WOPEN=1"


class DLECase(TransportContract, TestCase):
    """What goes through an emulated modem, in memory."""

    quiet = 120
    settings: tuple[str, ...] = ()

    def setUp(self) -> None:
        """Make the modem, and connect it to the network."""
        self.host = Host(OPEN, 'AT#APNSERV="internet"', "AT#TCPTXDELAY=1,0", *self.settings, "AT#CONNECTIONSTART")

    async def turn(self) -> None:
        """A tenth of a second."""
        self.host.clock.advance(0.1)

    def sever(self) -> None:
        """Pull the cable between the host and its modem."""
        self.host.link.breakOff()

    async def done(self, waiting: Deferred[Any]) -> Any:
        """Let time pass until something is there."""
        await self.until(lambda: waiting.called)
        return await waiting


class DLEClientTest(DLECase):
    """A connection by #OTCP."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Connect."""
        self.host.memory.clock.listenTCP(PORT, factoryOf(far), interface=FAR)
        endpoint = DLEClientEndpoint(self.host.modem, 1, FAR, PORT)
        assert await self.done(endpoint.connect(factoryOf(near))) is near
        await self.until(lambda: far.transport)


class DLEClientNumericTest(DLEClientTest):
    """The same, where the modem answers in numbers and doesn't echo."""

    settings = ("ATE0V0",)


class DLEServerTest(DLECase):
    """A connection by #LTCPSTART."""

    async def join(self, near: Protocol, far: Protocol) -> None:
        """Be called."""
        endpoint = DLEServerEndpoint(self.host.modem, 2, PORT)
        port = await self.done(endpoint.listen(factoryOf(near)))
        address = port.getHost()
        assert address.port == PORT
        self.host.clock.connectTCP(address.host, address.port, Caller(far))
        await self.until(lambda: near.transport and far.transport)


del DLECase
