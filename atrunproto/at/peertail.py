"""
A result code at the end of what comes online, where only its framing and the silence behind it tell it from data.

Between code and silence stand the notices that the module has held back meanwhile, of other connections for example.

No Twisted and no clock: L{atrunproto.at.peeronline} measures the silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .results import NO_CARRIER, ResultCode

#: octets that a code begins with on the wire; alone they hold nothing back, since lines of data end with them
_FRAME = b"\r\n"
#: notices that a module has held back while it was online, and gives behind the code; there are no more than these
_NOTICES = rb"((?:\r\n(?:SRING:|NO CARRIER|RING|[+#][A-Z]+:)[^\r\n]{0,60}\r\n){0,8})"
#: one of them that is still coming
_COMING = rb"((?:\r(?:\n(?:[SNR+#][^\r\n]{0,70}\r?)?)?)?)\Z"
#: whose end it is and why, where the module is set to tell it (reference 6.1: #SCFGEXT2)
_WHOSE = rb"(?::\d{1,2}(?:,\d{1,3})?)?"
#: that, still coming
_WHOSE_COMING = re.compile(rb"\r\nNO CARRIER:(?:\d{1,2}(?:,\d{0,3})?)?\r?\Z").search
#: octets that a code and the notices behind it may have
_LONGEST = 1024


def codeMarks(codes: Sequence[ResultCode], numeric: bool) -> dict[bytes, ResultCode]:
    """
    What the codes look like on the wire.
    """
    if numeric:
        return {b"%d\r" % code.number: code for code in codes}
    return {_FRAME + code.text.encode("ascii") + _FRAME: code for code in codes}


def _shape(mark: bytes) -> bytes:
    """
    What matches a code on the wire.
    """
    stem = mark.removesuffix(_FRAME)
    return re.escape(stem) + (_WHOSE if stem.endswith(NO_CARRIER.text.encode("ascii")) else b"") + mark[len(stem) :]


class TailWatch:
    """
    Passes data on, but holds back an end that may be a result code.
    """

    __slots__ = ("_before", "_ended", "_held", "_prefixes", "_stems")

    def __init__(self, marks: dict[bytes, ResultCode]) -> None:
        # what went before the first octet was the line of CONNECT
        self._before = _FRAME
        self._held = b""
        self.watch(marks)

    def watch(self, marks: dict[bytes, ResultCode]) -> None:
        """
        Look for these codes from now on.
        """
        self._stems = {mark.removesuffix(_FRAME): code for mark, code in marks.items()}
        self._prefixes = tuple(
            mark[:size] for mark in marks for size in range(len(mark), 0, -1) if mark[:size] not in (b"\r", _FRAME)
        )
        found = b"|".join(map(_shape, marks))
        self._ended: Callable[[bytes], re.Match[bytes] | None] = re.compile(
            b"(" + found + b")" + _NOTICES + _COMING
        ).search

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
        end = text[-_LONGEST:]
        if any(stem in end for stem in self._stems):
            found = self._ended(end) or _WHOSE_COMING(end)
            if found is not None:
                return len(found.group())
        if not text.endswith(self._prefixes):
            return 0
        return max(len(prefix) for prefix in self._prefixes if text.endswith(prefix))

    def expire(self) -> tuple[ResultCode | None, bytes]:
        """
        There was silence.

        @return: the code that it proves, and the notices behind it; or none, and the data that go on.
        """
        held, self._held = self._held, b""
        known = self._before + held
        found = self._ended(known) if held and self._stems else None
        if found is not None and not found.group(3) and len(held) >= len(found.group()) - len(_FRAME):
            stem = next(stem for stem in self._stems if found.group(1).startswith(stem))
            return self._stems[stem], found.group(2)
        self._before = known[-len(_FRAME) :]
        return None, held
