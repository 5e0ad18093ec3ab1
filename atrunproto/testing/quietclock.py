"""
Module time for replays: it stands still while anything moves, and goes on to what is due next when all is quiet.

The emulated module gets a L{ModuleClock}; its sockets and ptys are real, on the real reactor.
Source: design, rulings, Replay.
"""

from __future__ import annotations

import fcntl
import struct
import termios
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.task import Clock, deferLater

SETTLING: Final = 0.006
"""
Seconds of real time without anything moving, after which all is quiet.

What a socket on loopback was given is there when the writing returns. What a pty was given is carried by a worker of
the kernel, which takes tens of microseconds, and some milliseconds where the machine is busy.
"""

TURNS: Final = 4
"""Turns of the reactor without anything moving that it takes as well, since the process itself may be held up."""


PATIENCE: Final = 3.0
"""
Seconds of real time after which it counts as quiet all the same: somebody doesn't read what was written to him.
"""


HELD_UP: Final = 0.1
"""Seconds of a turn beyond which the process was held up, which tries nobody's patience."""

LATE: Final = 0.005
"""Seconds by which a turn comes too late where the machine is busy; such a turn doesn't show that all is quiet."""

BUSY: Final = 0.25
"""
Seconds of real time without anything moving that are enough on the busiest machine, whatever the turns show; and that a
connection on loopback takes at most, so one that has been tried for longer isn't waited for.
"""


def _octetsIn(descriptor: int, request: int) -> int:
    """Octets in a queue of the kernel, or none where there is no such queue."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(descriptor, request, bytes(4)))[0])
    except OSError:
        return 0


class ModuleClock(Clock):
    """
    A clock that, like a reactor, leaves to the next turn what becomes due while it does what is due.
    """

    def advance(self, amount: float) -> None:
        """Let time pass, and do what is due then."""
        self.rightNow += amount
        for call in sorted(self.calls, key=lambda call: call.getTime()):
            if call.active() and call.getTime() <= self.rightNow:
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)


class QuietClock:
    """
    Joins module time to the real reactor.

    @ivar clock: module time, for the emulated module.
    """

    def __init__(self, reactor: Any) -> None:
        self.clock = ModuleClock()
        self._reactor = reactor
        self._stirred = 0
        #: sockets that try to connect, and since when they were seen to
        self._connecting: dict[Any, float] = {}
        self._crossings: list[Callable[[], bool]] = []

    def watch(self, crosses: Callable[[], bool]) -> None:
        """
        Wait for what is under way where the descriptors don't show it.

        @param crosses: whether something is.
        """
        self._crossings.append(crosses)

    def stir(self) -> None:
        """Something moved: octets came or went, a connection was made or lost."""
        self._stirred += 1

    def seconds(self) -> float:
        """Module time."""
        return self.clock.seconds()

    async def settle(self, enough: Callable[[], bool] = lambda: False, settling: float | None = None) -> None:
        """
        Wait in real time until all is quiet. What is due at this very moment of module time happens.

        @param enough: asked after each turn; true ends the wait before.
        @param settling: seconds without anything moving; C{None}: as long as it takes for time to go on.
        """
        settling = SETTLING if settling is None else settling
        began = since = self._reactor.seconds()
        still, stirred = 0, self._stirred
        while still < TURNS or self._reactor.seconds() - since < settling:
            before = self._reactor.seconds()
            await deferLater(self._reactor, settling / TURNS)
            if enough():
                return
            now = self._reactor.seconds()
            late = now - before - settling / TURNS > LATE or any(crosses() for crosses in self._crossings)
            still = 0 if late and now - since < BUSY else still + 1
            # while the process is held up nobody can read
            began += max(0.0, now - before - HELD_UP)
            if now - began >= PATIENCE:
                continue
            if stirred != self._stirred or self._moving(now):
                still, since, stirred = 0, now, self._stirred
            elif self._due(self.clock.seconds()):
                still, since = 0, now
                self.clock.advance(0)

    def _due(self, until: float) -> list[float]:
        """When something is due that happens until then."""
        return [call.getTime() for call in self.clock.getDelayedCalls() if call.getTime() <= until]

    def jump(self, end: float) -> bool:
        """
        Let what is due next happen, now that all is quiet.

        @param end: the module time beyond which not to go; where nothing is due until then, it is that time.
        @return: whether something was due.
        """
        due = self._due(end)
        self.clock.advance(max(0.0, min(due, default=end) - self.clock.seconds()))
        return bool(due)

    async def advance(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """
        Let module time pass, timer by timer, with all sockets quiet before each.

        @param enough: asked whenever something moved; true ends the wait before.
        @return: whether C{enough} was true.
        """
        end = self.clock.seconds() + seconds
        while True:
            await self.settle(enough)
            if enough():
                return True
            if not self.jump(end):
                return False

    def _moving(self, now: float) -> bool:
        """
        Whether octets are on their way into or out of a descriptor of this process, or a connection was just begun.

        A socket that has tried to connect for long doesn't move, nor does one of which nobody reads just now.
        """
        reactor = self._reactor
        connecting = [writer for writer in reactor.getWriters() if not getattr(writer, "connected", True)]
        self._connecting = {writer: self._connecting.get(writer, now) for writer in connecting}
        if any(now - since < BUSY for since in self._connecting.values()):
            return True
        for descriptor in {selectable.fileno() for selectable in [*reactor.getReaders(), *reactor.getWriters()]}:
            if descriptor >= 0 and (_octetsIn(descriptor, termios.FIONREAD) or _octetsIn(descriptor, termios.TIOCOUTQ)):
                return True
        return False
