"""Connections in command mode over real TCP, where the module can tell what its far end has taken."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol, serverFromString
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from atrunproto.at.peer import ATClient
from atrunproto.ipeasy.peercommand import CommandClientEndpoint, CommandSockets
from atrunproto.ipeasy.peercontexts import Context
from atrunproto.testing.contract import End
from atrunproto.testing.emulated import LiveModule
from tests.ipeasy.modems import factoryOf

#: far more than the system keeps for an end that doesn't read
FLOOD = b"x" * 16 * 1024 * 1024


class DeafTest(TestCase):
    """A far end that doesn't read, beside one that does."""

    timeout = 60

    def test_othersGoOn(self) -> Any:
        """A far end that takes nothing holds up neither the other connections nor its own close."""

        async def run() -> None:
            module = LiveModule()
            self.addCleanup(module.close)
            host, number = module.address()
            client: Any = ATClient(reactor)
            await connectProtocol(clientFromString(reactor, f"tcp:{host}:{number}"), client)
            sockets = CommandSockets(client)
            near, far = [End(), End()], [End(lambda transport: transport.pauseProducing()), End()]
            for connId, context in ((1, Context("internet")), (2, None)):
                listening = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
                    factoryOf(far[connId - 1])
                )
                self.addCleanup(listening.stopListening)
                there: Any = listening.getHost()
                endpoint = CommandClientEndpoint(sockets, connId, "127.0.0.1", there.port, context)
                await endpoint.connect(factoryOf(near[connId - 1]))
            near[0].write(FLOOD)
            for _ in range(5):
                await deferLater(reactor, 0.5)
                before = far[1].received
                near[1].write(b"hello")
                while far[1].received == before:
                    await deferLater(reactor, 0.01)
            assert near[0].transport.waiting > 0
            for end in near:
                end.transport.abortConnection()
            while (await client.execute("AT#SS")).lines[:2] != ("#SS: 1,0", "#SS: 2,0"):
                await deferLater(reactor, 0.01)
            client.close()
            await client.whenLost()
            far[0].transport.abortConnection()
            while not all(each.losses for each in far):
                await deferLater(reactor, 0.01)

        return Deferred.fromCoroutine(run())
