"""
Unsolicited result codes, and those that wait until they can be told.

No Twisted and no clock; who may be told when is known to L{atrunproto.at.port}.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from .results import Framing, Reason, ResultCode

#: what an instance tells unasked: a line, a code of V.250, an error, or what makes the lines at the time
Notice = str | ResultCode | Reason | Callable[[], Iterable[str]]

#: notices held back while a command runs or the instance is online; the oldest are dropped beyond
NOTICES_HELD = 64


def framed(notice: Notice, framing: Framing) -> bytes:
    """
    A notice as it goes out.
    """
    if isinstance(notice, str):
        return framing.unsolicited(notice)
    if isinstance(notice, ResultCode):
        return framing.result(notice)
    if isinstance(notice, Reason):
        return framing.failure(notice, 1)
    return b"".join([framing.unsolicited(line) for line in notice()])


class HeldNotices:
    """
    The latest notices that wait.

    @ivar dropped: how many were too many.
    """

    __slots__ = ("_held", "dropped")

    def __init__(self) -> None:
        self._held: deque[Notice] = deque(maxlen=NOTICES_HELD)
        self.dropped = 0

    def add(self, notice: Notice) -> None:
        """
        Hold a notice. One that makes its lines when it is told is held once.
        """
        if callable(notice) and notice in self._held:
            return
        if len(self._held) == NOTICES_HELD:
            self.dropped += 1
        self._held.append(notice)

    def __iter__(self) -> Iterator[Notice]:
        return iter(self._held)
