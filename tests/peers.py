"""A program with a live module on its AT port, for the tests of the peer's drivers."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

from atrunproto.at.peer import ATClient
from atrunproto.ipeasy.peercontexts import Context, bringUp
from atrunproto.multitech.peer import MultitechClient
from atrunproto.testing.emulated import LiveModule

Result = TypeVar("Result")


class Program:
    """A program on an AT port over TCP; it runs in the thread of the module."""

    product = "HE910-EUR"

    def __init__(self, isActive: bool = True) -> None:
        """
        @param isActive: whether it connects its module to the network.
        """
        self.module = LiveModule(self.product)
        self.reactor: Any = self.module.network.reactor
        self.client = ATClient(self.reactor)

        async def start() -> None:
            await connectProtocol(TCP4ClientEndpoint(self.reactor, *self.module.address()), self.client)
            await self.prepare()
            if isActive:
                await self.connect()

        self.run(start())

    async def prepare(self) -> None:
        """Set what the driver wants."""
        await self.client.execute("AT+CMEE=1;S12=20")

    async def connect(self) -> None:
        """Connect to the network."""
        await bringUp(self.client, Context("internet"))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something, and wait until it is done."""
        return self.module.call(lambda: Deferred.fromCoroutine(work))  # type: ignore[no-any-return]

    def ask(self, line: str) -> tuple[str, ...]:
        """The lines of an answer."""
        return self.module.call(self.client.execute, line).lines  # type: ignore[no-any-return]

    def close(self) -> None:
        """Hang up."""
        self.module.call(self.client.close)
        self.module.close()


class MultitechProgram(Program):
    """The same, on a Multi-Tech modem."""

    product = "MTCBA-G"
    modem: MultitechClient

    async def prepare(self) -> None:
        """Open the stack."""
        self.modem = MultitechClient(self.client, pause=0.0)
        await self.modem.open()
        await self.modem.configure({"APNSERV": "internet"})

    async def connect(self) -> None:
        """Connect by GPRS."""
        await self.modem.connect()
