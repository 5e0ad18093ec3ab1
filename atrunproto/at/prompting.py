"""
One prompt of an AT instance: octets go to its reader, and what that has read to the command that waits.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .editing import Prompt
from .errors import Abandoned, CommandFailed


class Prompting:
    """
    A prompt that is shown and not yet answered.

    (waiting) take: octets to the reader.
    (waiting) nothing comes for the reader's idle time: the instance hears of it, and ends it.
    (waiting) end: -> over; then the instance tells what it has come to.

    @ivar done: fires with the data; fails with L{Abandoned} on ESC, or with L{CommandFailed}.
    """

    __slots__ = ("_idle", "_reader", "done")

    def __init__(self, reader: Prompt, clock: IReactorTime, idle: Callable[[], None]) -> None:
        """
        @param reader: what is shown already.
        @param idle: called when the idle time of the reader is over.
        """
        self._reader = reader
        self._idle: IDelayedCall | None = None if reader.idle is None else clock.callLater(reader.idle, idle)
        self.done: Deferred[bytes] = Deferred()

    def take(self, data: bytes) -> tuple[bytes, bytes | Abandoned | None, bytes]:
        """
        Take octets up to the end of the data.

        @return: what to show, what it has come to (C{None}: not yet complete), and the octets that follow.
        """
        result: bytes | Abandoned | None
        try:
            show, result, rest = self._reader.take(data)
        except Abandoned as given:
            return given.echo, given, given.rest
        if result is None and self._idle is not None and self._reader.idle is not None:
            self._idle.reset(self._reader.idle)
        return show, result, rest

    def end(self) -> None:
        """
        Wait no longer.
        """
        if self._idle is not None and self._idle.active():
            self._idle.cancel()

    def tell(self, result: bytes | Abandoned | CommandFailed) -> None:
        """
        Give what it has come to.
        """
        if isinstance(result, bytes):
            self.done.callback(result)
        else:
            self.done.errback(result)
