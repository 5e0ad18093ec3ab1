"""
A result code at the end of what comes online, where only its framing and the silence behind it tell it from data.

No Twisted and no clock: L{atrunproto.at.peeronline} measures the silence.
"""

from __future__ import annotations

from collections.abc import Sequence

from .results import ResultCode

#: octets that a code begins with on the wire; alone they hold nothing back, since lines of data end with them
_FRAME = b"\r\n"


def codeMarks(codes: Sequence[ResultCode], numeric: bool) -> dict[bytes, ResultCode]:
    """
    What the codes look like on the wire.
    """
    if numeric:
        return {b"%d\r" % code.number: code for code in codes}
    return {_FRAME + code.text.encode("ascii") + _FRAME: code for code in codes}


class TailWatch:
    """
    Passes data on, but holds back an end that may be a result code.
    """

    __slots__ = ("_before", "_held", "_marks", "_prefixes")

    def __init__(self, marks: dict[bytes, ResultCode]) -> None:
        # what went before the first octet was the line of CONNECT
        self._before = _FRAME
        self._held = b""
        self.watch(marks)

    def watch(self, marks: dict[bytes, ResultCode]) -> None:
        """
        Look for these codes from now on.
        """
        self._marks = marks
        self._prefixes = tuple(
            mark[:size] for mark in marks for size in range(len(mark), 0, -1) if mark[:size] not in (b"\r", _FRAME)
        )

    @property
    def holds(self) -> bool:
        """
        Whether something is held back, so that silence has a meaning.
        """
        return self._held != b""

    @property
    def held(self) -> bytes:
        """
        What is held back.
        """
        return self._held

    def received(self, data: bytes) -> bytes:
        """
        Take data; give what goes on.
        """
        text = self._held + data
        known = self._before + text
        size = self._overlap(known)
        cut = max(len(text) - size, 0)
        onward, self._held = text[:cut], text[cut:]
        self._before = (self._before + onward)[-len(_FRAME) :]
        return onward

    def _overlap(self, text: bytes) -> int:
        if not text.endswith(self._prefixes):
            return 0
        return max(len(prefix) for prefix in self._prefixes if text.endswith(prefix))

    def expire(self) -> tuple[ResultCode | None, bytes]:
        """
        There was silence.

        @return: the code that it proves, or the data that go on because there is none.
        """
        held, self._held = self._held, b""
        known = self._before + held
        for mark, code in self._marks.items():
            if held and known.endswith(mark) and len(held) >= len(mark) - len(_FRAME):
                return code, b""
        self._before = known[-len(_FRAME) :]
        return None, held
