"""Module time that waits until all is quiet."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from atrunproto.testing.quietclock import BUSY, LATE, PATIENCE, SETTLING, TURNS, QuietClock


class Attempt:
    """A socket that tries to connect."""

    connected = 0

    def fileno(self) -> int:
        """None that could be asked."""
        return -1


class Still(Clock):
    """A reactor whose sockets don't move."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: list[Any] = []

    def getReaders(self) -> list[Any]:
        """None."""
        return []

    def getWriters(self) -> list[Any]:
        """Those that try to connect."""
        return self.writers


def settling() -> tuple[Still, QuietClock, list[None]]:
    """A clock that waits for quiet, and what says that it has come."""
    reactor, done = Still(), list[None]()
    quiet = QuietClock(reactor)
    Deferred.fromCoroutine(quiet.settle()).addCallback(done.append)
    return reactor, quiet, done


def test_heldUp() -> None:
    """A process that was held up takes what came meanwhile before it lets time go on."""
    reactor, quiet, done = settling()
    reactor.advance(2 * PATIENCE)
    quiet.stir()
    reactor.pump([SETTLING / TURNS] * TURNS)
    assert done == []


def test_late() -> None:
    """Turns that come late on a busy machine don't show that all is quiet, but for long enough they do."""
    reactor, _, done = settling()
    late = SETTLING / TURNS + 2 * LATE
    reactor.pump([late] * TURNS)
    assert done == []
    reactor.pump([late] * round(BUSY / late + TURNS))
    assert done == [None]


def test_connecting() -> None:
    """A connection that was begun is waited for, but not for ever: nobody may answer."""
    reactor, _, done = settling()
    reactor.writers = [Attempt()]
    turns = round(BUSY / SETTLING * TURNS)
    reactor.pump([SETTLING / TURNS] * (turns - TURNS))
    assert done == []
    reactor.pump([SETTLING / TURNS] * 3 * TURNS)
    assert done == [None]
