"""
What arrived on one port of a dialogue, cut into lines and held against what is expected.

No Twisted, no I/O. Source: the dialogue format, Matching.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

from atrunproto.testing.dialogue import Expect

MAX_PENDING: Final = 1 << 20
"""Octets that may wait for the dialogue to turn to their port; a dialogue expects some thousand at most."""

MAX_ECHOES: Final = 64
"""Lines sent whose echo may still come; the longest run of lines without an answer in a dialogue is ten."""

_BLANKS: Final = " \t\r\n"
_DLE, _ETX = "\x10", "\x03"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")


class Overflow(Exception):
    """More arrived on a port than any dialogue could expect."""


class Verdict(Enum):
    """What became of an expectation so far."""

    MATCHED = "matched"
    UNEXPECTED = "unexpected"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The answer to one question whether an expected line has come.

    @ivar line: the line that matched, or the one that stands in the way.
    """

    verdict: Verdict
    line: str = ""


WAITING: Final = Outcome(Verdict.WAITING)


def asText(octets: bytes) -> str:
    """Octets as the text that a dialogue would have for them; what isn't UTF-8 stays recognisable."""
    return octets.decode("utf-8", "surrogateescape")


def accepts(expect: Expect, line: str) -> bool:
    """Whether a line, without its end, is the expected one."""
    bare = line.rstrip(_BLANKS)
    if expect.pattern is None:
        return bare == expect.text
    return bool(expect.pattern.fullmatch(bare) or expect.pattern.fullmatch(line))


def _beforeEnd(line: str) -> str:
    """The data in front of the ETX that ends them, if a line is such; an ETX behind a DLE is one of the data."""
    data = line.removesuffix(_ETX)
    isCoded = (len(data) - len(data.rstrip(_DLE))) % 2
    return "" if data == line or isCoded else data


def _isNoCommand(expect: Expect, line: str) -> bool:
    """Whether a line that matches can't be the echo of a command which only matches by chance, such as C{.*} does."""
    return expect.pattern is None or line[:2].upper() != "AT"


class LineStream:
    """
    The stream of one port, from which a dialogue takes line after line.

    A line ends with LF; the CR and the blanks before it don't count, and blank lines aren't lines. What has no end
    yet (a prompt, data) counts as a line once nothing more is on its way: L{take} is told so. Where numeric results
    end with a bare CR, the part before it is a line if the whole isn't the expected one; so are data without a line
    end in front of the ETX that ends them.

    The echo of what was sent is left out, unless it is the line that the dialogue expects.

    @ivar isEchoing: the echo is on, so that control characters that were sent alone come back as well.
    """

    def __init__(self) -> None:
        self.isEchoing = False
        self._octets = bytearray()
        self._echoes: deque[str] = deque(maxlen=MAX_ECHOES)
        self._skipping = False

    def received(self, octets: bytes) -> None:
        """
        Take what the module sent.

        @raise Overflow: when too much is waiting.
        """
        if len(self._octets) + len(octets) > MAX_PENDING:
            raise Overflow(f"more than {MAX_PENDING} octets are waiting")
        self._octets += octets

    def sent(self, octets: bytes) -> None:
        """Take note of what was sent: it may come back as echo."""
        lines = (self._echoOf(line) for line in re.split("[\r\n]+", asText(octets)))
        self._echoes.extend(line for line in lines if line)

    def _echoOf(self, line: str) -> str:
        """What shows that a line is an echo: its text, or the control characters where it is nothing else."""
        return _CONTROLS.sub("", line).rstrip() or (line if self.isEchoing else "")

    def allowAny(self) -> None:
        """Let any lines come before the next expected one: C{...}."""
        self._skipping = True

    @property
    def anyAllowed(self) -> bool:
        """Whether any lines may come before the next expected one."""
        return self._skipping

    def pending(self, unfinished: bool = True) -> list[str]:
        """
        The lines that nobody has taken yet, without echo.

        @param unfinished: also the last one, if it has no line end yet.
        """
        lines = [line.rstrip(_BLANKS) for line in re.split("[\r\n]+", asText(bytes(self._octets)))]
        if not unfinished:
            lines.pop()
        return [line for line in lines if line and self._echoOf(line) not in self._echoes]

    def clear(self) -> None:
        """Forget everything: a new dialogue or a new connection begins."""
        self._octets.clear()
        self._echoes.clear()
        self._skipping = False

    def take(self, expect: Expect, settled: bool) -> Outcome:
        """
        Take the next line if it is the expected one.

        @param settled: nothing more is on its way, so that what has no line end yet is all there is for now.
        """
        while True:
            # a result may begin with a bare CR, where it also ends with one
            del self._octets[: len(self._octets) - len(self._octets.lstrip(b"\r\n"))]
            if not self._octets:
                break
            end = self._octets.find(b"\n")
            if end < 0 and not settled:
                break
            size = end + 1 if end >= 0 else len(self._octets)
            line = asText(bytes(self._octets[:size])).rstrip("\r\n")
            outcome, used = self._judge(expect, line, size, finished=end >= 0)
            del self._octets[:used]
            if outcome is not None:
                return outcome
            if not used:
                break
        return WAITING

    def _judge(self, expect: Expect, line: str, size: int, finished: bool) -> tuple[Outcome | None, int]:
        """Tell what a line means, and how many octets are done with; no outcome where the next line decides."""
        bare = line.rstrip(_BLANKS)
        if not bare:
            return None, size if finished else 0
        wanted = accepts(expect, line)
        first, inner, _ = line.partition("\r")
        if not inner and not (wanted and _isNoCommand(expect, bare)) and self._isEcho(bare):
            return None, size
        if wanted:
            self._skipping = False
            return Outcome(Verdict.MATCHED, bare), size
        if inner:
            # A bare CR ends a line where results are numbers and where the echo is on.
            size = len(first.encode("utf-8", "surrogateescape")) + 1
            return self._judge(expect, first, size, finished or self._skipping)
        data = _beforeEnd(line)
        if data and (self._skipping or accepts(expect, data)):
            return self._judge(expect, data, len(data.encode("utf-8", "surrogateescape")), finished=True)
        if not finished:
            return None, 0
        if self._skipping:
            return None, size
        return Outcome(Verdict.UNEXPECTED, bare), size

    def _isEcho(self, line: str) -> bool:
        """Whether a line is the echo of something sent, which is then done with, as is all that was sent before it."""
        line = self._echoOf(line)
        if line not in self._echoes:
            return False
        while self._echoes.popleft() != line:
            pass
        return True
