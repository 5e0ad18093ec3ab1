"""An emulated module and a client on one of its ports, for the tests of the peer side."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol

from atrunproto.at.peer import ATClient
from atrunproto.testing.emulated import MemoryModule
from atrunproto.testing.link import MemoryLink
from tests.support import resultOf

#: the address of the far host, and a port of it
FAR, PORT = "127.0.0.77", 7000


def factoryOf(*protocols: Protocol) -> Factory:
    """A factory of these protocols, in turn."""
    waiting = list(protocols)
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda _: waiting.pop(0)  # type: ignore[method-assign, assignment]
    return factory


class Caller:
    """What calls the module."""

    def __init__(self, protocol: Protocol) -> None:
        self.buildProtocol = lambda _: protocol

    def doStart(self) -> None:
        """Nothing to prepare."""

    def startedConnecting(self, connector: object) -> None:
        """The attempt is under way."""

    def clientConnectionFailed(self, connector: object, reason: object) -> None:
        """Nobody listens."""


class Modem:
    """A module in memory, and a client on its first port."""

    def __init__(self, beside: Modem | None = None, isActive: bool = True, **facts: Any) -> None:
        self.emulated: MemoryModule = MemoryModule(beside=beside.emulated if beside else None, timeScale=0.0, **facts)
        self.clock = self.emulated.clock
        self.client, self.link = self.plug(1)
        if isActive:
            self.ask('AT+CGDCONT=1,"IP","internet"')
            self.ask("AT#SGACT=1,1")
        for connId in range(1, 7):
            self.ask(f"AT#SCFG={connId},1,300,0,600,1")

    def plug(self, number: int) -> tuple[ATClient, MemoryLink]:
        """Another client, on another port."""
        client = ATClient(self.clock)
        return client, MemoryLink(self.clock, self.emulated.module.portFactory(number).buildProtocol(None), client)

    def ask(self, line: str) -> tuple[str, ...]:
        """The lines of an answer."""
        return self.result(self.client.execute(line)).lines  # type: ignore[no-any-return]

    def result(self, waiting: Deferred[Any], within: float = 300.0) -> Any:
        """What a Deferred comes to, while time passes."""
        return resultOf(waiting, self.clock, within)

    def serve(self, *protocols: Protocol, port: int = PORT) -> None:
        """Put up the far host."""
        self.clock.listenTCP(port, factoryOf(*protocols), interface=FAR)
