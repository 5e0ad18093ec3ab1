"""
What an AT client sends while a protocol has the line: data, never taken for the escape sequence, and the sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .peerescape import ESCAPE, EscapeGuard

#: seconds of silence round the escape sequence: S12 is 1 s, and the network may squeeze a pause (A)
ESCAPE_GUARD = 1.2


class OnlineSender:
    """
    The way to the module during one online spell.

    What would complete an escape sequence at the end of a write follows with the next one, or after a silence.
    """

    __slots__ = ("_clock", "_escape", "_flush", "_guard", "_transport")

    def __init__(self, clock: IReactorTime, transport: Any) -> None:
        self._clock: Any = clock
        self._transport = transport
        self._guard = EscapeGuard()
        self._flush: IDelayedCall | None = None
        self._escape: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        """
        Send data.
        """
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        data = self._guard.write(data)
        self._holdBack()
        if data:
            self._transport.write(data)

    def _holdBack(self) -> None:
        if self._guard.held:
            self._flush = self._clock.callLater(ESCAPE_GUARD, self._flushed)

    def _flushed(self) -> None:
        self._flush = None
        self._transport.write(self._guard.silent())
        self._holdBack()

    def escapeAfter(self, guard: float, sent: Callable[[], None]) -> None:
        """
        Send the escape sequence when all that was written is sent, and C{guard} seconds of silence have followed it.

        @param sent: called then.
        """
        flushed = max(0.0, self._flush.getTime() - self._clock.seconds()) if self._flush is not None else 0.0
        self._escape = self._clock.callLater(guard + flushed, self._sendEscape, guard, sent)

    def _sendEscape(self, guard: float, sent: Callable[[], None]) -> None:
        self._escape = None
        if self._flush is not None:
            self.escapeAfter(guard, sent)
        else:
            self.escape()
            sent()

    def escape(self) -> None:
        """
        Send the escape sequence at once.
        """
        self._transport.write(ESCAPE)

    def stayOnline(self) -> None:
        """
        Send no escape sequence after all.
        """
        escape, self._escape = self._escape, None
        if escape is not None:
            escape.cancel()

    def stop(self) -> None:
        """
        Send nothing more.
        """
        self.stayOnline()
        flush, self._flush = self._flush, None
        if flush is not None:
            flush.cancel()
