"""A host beside a Multi-Tech modem, emulated or written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from atrunproto.at.peer import ATClient
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.peer import MultitechClient
from atrunproto.testing.emulated import MemoryModule
from atrunproto.testing.link import MemoryLink
from tests.support import resultOf


class Host:
    """A driver on an emulated modem; time passes as its calls need it."""

    def __init__(
        self,
        *startup: str,
        product: str = "MTCBA-G",
        pause: float = 0.0,
        generation: Generation = Generation.V3_02,
        **facts: Any,
    ) -> None:
        self.memory = MemoryModule(product, **facts)
        self.clock = self.memory.clock
        self._pause = pause
        self._generation = generation
        self.replug()
        for line in startup:
            self.execute(line)

    def replug(self) -> None:
        """A new program, on the same port; the cable was never out."""
        self.client = ATClient(self.clock)
        self.link = MemoryLink(self.clock, self.memory.module.portFactory(1).buildProtocol(None), self.client)
        self.modem = MultitechClient(self.client, self._pause, self._generation)

    def execute(self, line: str) -> tuple[str, ...]:
        """The lines that answer a command, while time passes."""
        lines: tuple[str, ...] = resultOf(self.client.execute(line), self.clock).lines
        return lines

    def do(self, call: Any, within: float = 300.0) -> Any:
        """What a call comes to, while time passes."""
        return resultOf(Deferred.fromCoroutine(call), self.clock, within)


class Scripted:
    """A driver on a modem that answers what a test says, and otherwise OK."""

    def __init__(self, answers: Mapping[str, str | list[str]] | None = None, pause: float = 0.0) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.client = ATClient(self.clock)
        self.client.makeConnection(self.transport)
        self.modem = MultitechClient(self.client, pause)
        self.answers: dict[str, str | list[str]] = dict(answers or {})
        #: each line that was asked, and when
        self.asked: list[tuple[float, str]] = []

    @property
    def lines(self) -> list[str]:
        """Each line that was asked."""
        return [line for _, line in self.asked]

    def run(self) -> None:
        """Answer what is asked, until nothing is."""
        while asked := self.transport.value().decode("latin-1"):
            self.transport.clear()
            for line in asked.split("\r")[:-1]:
                self.asked.append((self.clock.seconds(), line))
                answer = self.answers.get(line, "\r\nOK\r\n")
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                self.comes(answer)

    def comes(self, text: str) -> None:
        """What the modem says."""
        self.client.dataReceived(text.encode("latin-1"))

    def do(self, call: Any, within: float = 300.0) -> Any:
        """What a call comes to, while time passes."""
        found: list[Any] = []
        waiting = Deferred.fromCoroutine(call).addBoth(found.append)
        end = self.clock.seconds() + within
        self.run()
        while not found and self.clock.seconds() < end:
            self.clock.advance(0.05)
            self.run()
        assert found, "it doesn't happen"
        if waiting is not None and hasattr(found[0], "raiseException"):
            found[0].raiseException()
        return found[0]
