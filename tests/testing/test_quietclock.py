"""Module time that waits until all is quiet."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from atrunproto.testing.quietclock import PATIENCE, SETTLING, TURNS, QuietClock


class Still(Clock):
    """A reactor without any sockets."""

    def getReaders(self) -> list[Any]:
        """None."""
        return []

    getWriters = getReaders


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
