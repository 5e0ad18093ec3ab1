"""
What a service centre has delivered to numbers that no mobile of its network has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from twisted.logger import Logger

from .tpdu import Deliver, StatusReport

#: messages that are kept; the oldest make room
MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    A message for a number outside, as its owner gets it.

    @ivar sequence: counts the messages, from 1.
    @ivar sender: who it comes from; of a status report, who the message was for.
    """

    sequence: int
    sender: str
    destination: str
    unit: Deliver | StatusReport


class Outside:
    """
    The last messages that left the network, and who wants to hear of each.
    """

    _log = Logger()

    def __init__(self, most: int = MOST_KEPT) -> None:
        """
        @param most: how many are kept.
        """
        self._kept: deque[Outgoing] = deque(maxlen=most)
        self._watchers: list[Callable[[Outgoing], None]] = []
        #: the sequence number of the last message; 0: there was none
        self.last = 0

    def add(self, sender: str, destination: str, unit: Deliver | StatusReport) -> None:
        """
        Keep a message, and tell of it.
        """
        self.last += 1
        message = Outgoing(self.last, sender, destination, unit)
        self._kept.append(message)
        for watcher in tuple(self._watchers):
            try:
                watcher(message)
            except Exception:
                self._log.failure("a watcher failed on message {sequence}", sequence=message.sequence)

    def after(self, sequence: int) -> list[Outgoing]:
        """
        The messages behind this one that are still kept, in their order; behind 0 all are.
        """
        return [message for message in self._kept if message.sequence > sequence]

    def watch(self, watcher: Callable[[Outgoing], None]) -> Callable[[], None]:
        """
        Call C{watcher} with each message from now on.

        @return: what ends that.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)
