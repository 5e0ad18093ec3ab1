"""
Finding the escape sequence in what a DTE sends while online.

Three escape characters (S2) with a guard time (S12 or #E2ESC) of silence before the first and after the last, and no
longer gap than that between them.
Source: AT Commands Reference Guide Rev. 10, S12 (P); TEL-EXT-22, TEL-SD-07.
In one packet over a run-AT service: TEL-TRN-04.
"""

from __future__ import annotations

#: an escape character above 127: there is no escape (V.250 6.2.9)
NO_ESCAPE = 255


class EscapeDetector:
    """
    A pure detector: the time is an argument, and L{deadline} says when to call L{expire}.
    """

    __slots__ = ("_count", "_held", "_last", "escape", "guard", "inOneChunk", "transmit")

    def __init__(
        self, now: float, escape: int = 43, guard: float = 1.0, transmit: bool = True, inOneChunk: bool = False
    ) -> None:
        """
        @param now: when the online spell began, in seconds: the silence counts from C{CONNECT} on.
        @param escape: the escape character (S2); above 127 there is no escape (V.250 6.2.9).
        @param guard: seconds.
        @param transmit: the sequence itself also goes to the channel (#SKIPESC=0).
        @param inOneChunk: three characters count only when they come at once.
        """
        self.escape = escape
        self.guard = guard
        self.transmit = transmit
        self.inOneChunk = inOneChunk
        self._last = now
        self._count = 0
        self._held = b""

    def received(self, data: bytes, now: float) -> bytes:
        """
        Take what the DTE sent; give what goes on to the channel now.
        """
        if not data:
            return b""
        quiet = now >= self._last + self.guard
        self._last = now
        held, self._held = self._held, b""
        if self._count and not quiet and self._continues(data):
            self._count += len(data)
        elif quiet and self._begins(data):
            self._count = len(data)
            return held + self._hold(data, b"")
        else:
            self._count = 0
            return held + data
        return self._hold(data, held)

    def _hold(self, data: bytes, held: bytes) -> bytes:
        if self.transmit:
            return data
        self._held = held + data
        return b""

    def _begins(self, data: bytes) -> bool:
        if self.escape > 127 or data.count(self.escape) != len(data):
            return False
        return len(data) == 3 if self.inOneChunk else len(data) <= 3

    def _continues(self, data: bytes) -> bool:
        if self.inOneChunk or self._count + len(data) > 3:
            return False
        return data.count(self.escape) == len(data)

    def deadline(self) -> float | None:
        """
        When to call L{expire}, in seconds; C{None}: there is nothing to wait for.
        """
        return self._last + self.guard if self._count else None

    def expire(self, now: float) -> tuple[bool, bytes]:
        """
        The guard time is over.

        @return: whether the escape sequence is complete, and what goes on to the channel because it isn't.
        """
        if not self._count or now < self._last + self.guard:
            return False, b""
        complete, held = self._count == 3, self._held
        self._count, self._held = 0, b""
        return complete, b"" if complete else held
