"""
Keeps data that a peer sends online from being taken for the escape sequence (TEL-SH-04).

A module escapes where three escape characters stand alone between two silences. The way may make a silence of any gap
between two writes, so what counts is where writes begin and end. No Twisted and no clock here.
"""

from __future__ import annotations

#: the escape sequence
ESCAPE = b"+++"
_PLUS = b"+"
_SEQUENCE = 3


class EscapeGuard:
    """
    Cuts off the end of a write that would complete the sequence; it follows with the next write, or after a silence.
    """

    __slots__ = ("_runs", "held")

    def __init__(self) -> None:
        #: how many characters there are from the beginning of a write to the end of the last one, if nothing else is
        self._runs: frozenset[int] = frozenset()
        self.held = b""

    def write(self, data: bytes) -> bytes:
        """
        Take what is to be written; give what may be written now. What is L{held} waits.
        """
        data, self.held = self.held + data, b""
        while data and _SEQUENCE in self._after(data):
            self.held, data = self.held + _PLUS, data[:-1]
        if data:
            self._runs = self._after(data)
        return data

    def _after(self, data: bytes) -> frozenset[int]:
        size = len(data)
        if size > _SEQUENCE or data.strip(_PLUS):
            return frozenset()
        return frozenset(each for each in (size, *(run + size for run in self._runs)) if each <= _SEQUENCE)

    def silent(self) -> bytes:
        """
        There was a silence longer than the module takes for a gap: give what was held, if need be but a part of it.
        """
        self._runs = frozenset()
        return self.write(b"")
