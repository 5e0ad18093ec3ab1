"""A call of a driver of Multi-Tech modems, on a modem whose every word a test decides."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from atrunproto.multitech.parameters import ROWS
from tests.multitech.hosts import Scripted

OK = "\r\nOK\r\n"
TOLD = {f"AT#{row.name}?": f'#{row.name}: "{row.default}"\r\n{OK}' for row in ROWS}
"""What a modem with its factory values answers to reads."""
STEPS = 100
"""Turns in which a call must come to its command."""


def failed(number: int) -> str:
    """An error of Multi-Tech's own."""
    return f"\r#CME ERROR: {number}\r\n"


class Talk:
    """A driver, and what the modem says to it; a second passes with each thing that it says."""

    def __init__(self, **answers: str) -> None:
        """
        @param answers: what is said to commands, by their names without C{#}, in place of OK.
        """
        self.scripted = Scripted({**TOLD, **{f"AT#{name}": answer for name, answer in answers.items()}})
        self.modem = self.scripted.modem
        self._found: list[Any] = []

    def begin(self, call: Coroutine[Any, Any, Any], line: str) -> Deferred[Any]:
        """Call, up to a command line and its answer."""
        self._found = []
        self.scripted.asked.clear()
        waiting = Deferred.fromCoroutine(call)
        waiting.addBoth(self._found.append)
        for _ in range(STEPS):
            if line in self.scripted.lines:
                return waiting
            self.scripted.run()
            self.scripted.clock.advance(0)
        raise AssertionError(f"{line} isn't given, but {self.scripted.lines}")

    def comes(self, *pieces: str) -> None:
        """The modem says something."""
        for piece in pieces:
            self.scripted.comes(piece)
            self.scripted.clock.advance(1)

    def said(self) -> bytes:
        """What the driver has said since the last look."""
        said: bytes = self.scripted.transport.value()
        self.scripted.transport.clear()
        return said

    @property
    def isOver(self) -> bool:
        """Whether the call is."""
        return bool(self._found)

    def outcome(self) -> Any:
        """What the call has come to; an error is raised."""
        (found,) = self._found
        if isinstance(found, Failure):
            found.raiseException()
        return found
