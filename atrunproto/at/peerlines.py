"""
What a module says, as the peer reads it: lines out of octets, results out of lines, and whose a line is.

No Twisted and no clock here; the client that uses it is L{atrunproto.at.peer}.
Sources: reference 1.2 (framing), 2 (results); MTS-RES-03 to MTS-RES-08; design, Rulings (answer or notice).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .basic import commands as basic
from .commands import Command
from .errors import Misuse, PeerViolation
from .grammar import EXTENDED, Form, ParsedCommand, parse
from .results import (
    CME,
    CONNECT,
    CONNECTION_MESSAGES,
    FINAL_CODES,
    NO_CARRIER,
    NO_MAIL_MESSAGES,
    OK,
    RING,
    ErrorFamily,
    Reason,
    cmsReason,
    multitechReason,
)

#: octets of one line; the longest of the documents is an #SRECV of 1500 octets in hexadecimal
MAX_LINE = 4096
#: octets of one answer, with L{LINE_COST} added for each line; a directory of scripts or a full SMS store has far less
MAX_ANSWER = 1024 * 1024
#: what a line is counted for beside its octets
LINE_COST = 64
#: seconds for a command without a row; the longest of the table for ordinary commands (reference 1.3)
LONGEST = 30.0

#: what asks for data; no line end follows it
TEXT_PROMPT, FILE_PROMPT = b"> ", b">>>"

#: notices without a prefix character
FREE_NOTICES = frozenset([RING.text, NO_CARRIER.text, "SRING", "+CRING"])

#: a command of which nothing is known
UNKNOWN_COMMAND = Command("", longest=LONGEST)


def _unlisted() -> dict[str, Command]:
    """
    What is known of commands whose rows a peer may not have; a row, where there is one, takes the place of it.

    The rows of +CREG to #TEMPMON belong to the emulator, which no peer imports; the others come with their protocols.
    """
    found: dict[str, Command] = {}

    def known(names: str, **facts: Any) -> None:
        for name in names.split():
            found[name] = Command(name, longest=LONGEST, **facts)

    known("+CREG +CGREG +CEREG #QSS", tellsStatus=True, source="reference 5, 11")
    known("#SGACT", noCarrier=True, source="reference 5: an activation that is aborted")
    known("#GPRS", answersAs="+IP", source="reference 5")
    known("#TEMPMON", answersAs="#TEMPMEAS", source="reference 11")
    known("D A +CGDATA #SD #SO #SA #SKTD #SKTOP", noCarrier=True, source="reference 6.1")
    known("#FTPGET #FTPPUT #FTPAPP #FTPLIST", noCarrier=True, source="reference 8")
    known("#SMTPCL", noCarrier=True, source="reference 9")
    known("#SSENDEXT #SENDEXT #SSENDUDPEXT #FTPAPPEXT", counted=True, source="reference 6.2, 8")
    known("#VVERSION #VSTATE #VPHY #VPPP #VGPRS #VDNS #VFTP #VPOP3 #VSMTP", answersAs="#", source="MTS-DISP, MTS-MISC")
    known("#VMAIL1 #VMAIL2 #VMAIL3 #VTCP #VUDP #VPING #VALL", answersAs="#", source="MTS-DISP, MTS-GAP-02")
    known("#PUTMAIL", noCarrier=True, source="MTS-SMTP")
    known("#GETMAIL", noCarrier=True, endings=NO_MAIL_MESSAGES, source="MTS-POP-07, MTS-RES-11")
    known("#CONNECTIONSTART", endings=CONNECTION_MESSAGES, source="MTS-RES-11")
    return found


UNLISTED = _unlisted()


# -- octets to lines

_LINE = re.compile(rb"[\r\n]*+([^\r\n]++)([\r\n])").match
#: result codes under ATV0, and what they are under ATV1
_CODES = {b"%d" % code.number: code.text.encode("ascii") for code in (*FINAL_CODES, CONNECT, RING)}
_TEXTS = frozenset(code.text.encode("ascii") for code in FINAL_CODES)


class LineReader:
    """
    Cuts what a module sends into lines, one at a time, empty ones left out.

    CR and LF each end a line, so the framings of both dialects and an echo come out alike.
    A result code of ATV0 comes out as its text. A digit with a lone CR behind it is one; while the LF of an information
    line may still follow, L{doubtful} is true, unless the last result came as a number too.

    @ivar numeric: the last result came as a number.
    @ivar doubtful: what is held is a result code if nothing follows; then call L{settle}.
    """

    __slots__ = ("_at", "_held", "doubtful", "numeric")

    def __init__(self) -> None:
        self._held = b""
        self._at = 0
        self.numeric = False
        self.doubtful = False

    def feed(self, data: bytes) -> None:
        """
        Take octets; L{next} gives the lines.
        """
        self._held = self._held[self._at :] + data
        self._at = 0

    def next(self, longest: int = MAX_LINE, echo: bytes = b"") -> bytes | None:
        """
        The next line without its end, or C{None} if none is complete.

        @param longest: octets that a line may have.
        @param echo: what is expected as echo; it is no result code.
        @raise PeerViolation: a line is longer. What has come of it is dropped.
        """
        self.doubtful = False
        found = _LINE(self._held, self._at)
        if found is None:
            held = self._held[self._at :].lstrip(b"\r\n")
            self._at = 0
            if len(held) <= longest:
                self._held = held
                return None
            self._held = b""
            raise PeerViolation("a line is too long", held)
        line, end = found.group(1), found.end()
        if len(line) > longest:
            self._at = end
            raise PeerViolation("a line is too long", line)
        if len(line) == 1 and line in _CODES and line != echo and found.group(2) == b"\r":
            after = self._held[end : end + 1]
            if after == b"" and not self.numeric:
                self.doubtful = True
                return None
            if after != b"\n":
                self.numeric = True
                line = _CODES[line]
        elif self.numeric and line in _TEXTS:
            self.numeric = False
        self._at = end
        return line

    def settle(self) -> None:
        """
        Nothing has followed: what was L{doubtful} is a result code, and L{next} gives it.
        """
        self.numeric = True

    def prompt(self) -> bytes | None:
        """
        The request for data that ends what has come, taken away; C{None} if there is none.
        """
        held = self._held[self._at :].lstrip(b"\r\n")
        if held != TEXT_PROMPT and held != FILE_PROMPT:
            return None
        self.clear()
        return held

    def rest(self, numeric: bool = False) -> bytes | None:
        """
        What follows the line that announces data, taken away: data; C{None}: the LF of that line is still to come.

        @param numeric: that line is a number, whatever the results were so far.
        """
        rest = self._held[self._at :]
        self.clear()
        if numeric or self.numeric:
            return rest
        return (rest[1:] if rest[:1] == b"\n" else rest) if rest else None

    def block(self, size: int) -> bytes | None:
        """
        Octets that follow an information line as they are; C{None}: they haven't all come.

        @raise PeerViolation: something else follows.
        """
        start = self._at + 1
        if len(self._held) < start + size:
            return None
        if self._held[self._at : start] != b"\n":
            raise PeerViolation("octets should follow", self._held[self._at :])
        self._at = start + size
        return self._held[start : self._at]

    def clear(self) -> None:
        """
        Forget what is held.
        """
        self._held = b""
        self._at = 0
        self.doubtful = False


# -- lines to results


@dataclass(frozen=True, slots=True)
class Response:
    """
    The answer to a command line that has succeeded.
    """

    #: information text, without blank lines
    lines: tuple[str, ...]
    #: the final result, as under ATV1
    result: str
    #: octets that stood between the lines, where some were to be expected
    data: bytes = b""


_REASONS: dict[bytes, Reason | None] = {
    code.text.encode("ascii"): None if code is OK else Reason(ErrorFamily.PLAIN, code.number, code.text)
    for code in FINAL_CODES
}
#: the beginning of an error with a number; a blank before the colon is let pass (MTS-GAP-09)
_FAILURE = re.compile(
    b"(" + b"|".join(re.escape(family.value.encode("ascii")) for family in ErrorFamily if family.value) + b") ?:"
).match
_CME_TEXTS: dict[str, Reason] = {}
for _reason in CME.values():
    _CME_TEXTS.setdefault(_reason.text.lower(), _reason)
#: the number of an error that no table has
UNKNOWN = -1


def textOf(line: bytes) -> bytes:
    """
    A line as under ATV1, where it may be a result code of ATV0 that stood behind something else.
    """
    return _CODES.get(line, line)


def isFinal(line: bytes) -> bool:
    """
    Whether a line ends a command.
    """
    return line in _REASONS or _FAILURE(line) is not None


def reasonOf(line: bytes) -> Reason | None:
    """
    Why a command has failed, from its final result; C{None}: it hasn't.

    Texts that stand for two numbers give the lower one.
    """
    if line in _REASONS:
        return _REASONS[line]
    found = _FAILURE(line)
    if found is None:
        return None
    prefix, text = found.group(1).decode("ascii"), line[found.end() :].decode("latin-1").strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else UNKNOWN
    if prefix == ErrorFamily.MULTITECH.value and number != UNKNOWN:
        return multitechReason(number)
    family = ErrorFamily(prefix)
    if family is ErrorFamily.CMS and number != UNKNOWN:
        return cmsReason(number)
    known = CME.get(number) if family is ErrorFamily.CME else None
    if known is None and family is ErrorFamily.CME:
        known = _CME_TEXTS.get(text.lower())
    return known or Reason(family, number, text)


def isConnect(line: bytes) -> bool:
    """
    Whether a line announces online mode, with or without a rate.
    """
    return line[:7] == b"CONNECT" and line[7:8] in (b"", b" ")


def noticeName(text: str) -> str:
    """
    The name under which a notice is subscribed: what stands before its colon, or all of it.
    """
    return text.partition(":")[0].rstrip()


#: notices of which the second line, hexadecimal digits, holds the message: +CMT, +CDS and +CBM in PDU mode
_HEAD = re.compile(r"\+(CMT: ?[^,]*, ?\d+|CDS: ?\d+|CBM: ?\d+)", re.ASCII).fullmatch
_DIGITS = re.compile(r"(?:[0-9A-Fa-f]{2})+").fullmatch


def isHead(notice: str) -> bool:
    """
    Whether a notice goes on in a second line (27.005 3.4.1; reference 12).
    """
    return _HEAD(notice) is not None


def isSecond(line: str) -> bool:
    """
    Whether a line can be the second one of such a notice.
    """
    return _DIGITS(line) is not None


_NAMED = re.compile(r"[+#$@*!^][A-Z][A-Z0-9_]*+:").match


# -- what is sent, and which lines answer it

#: in place of the least number of values: no shape is looked at
ANY = 0


class SentLine:
    """
    A command line: its octets, how long it may take, and which lines belong to its answer.

    @ivar wire: the octets, terminator included.
    @ivar echo: the line as a module that echoes repeats it.
    @ivar shown: the line as errors and logs show it, without passwords.
    @ivar secret: it may hold a password.
    @ivar seconds: how long it may take.
    @ivar noCarrier: C{NO CARRIER} is an answer to it.
    @ivar endings: information messages that end it, in small letters.
    @ivar counted: its text prompt takes octets by number.
    """

    __slots__ = (
        "_answers",
        "_prefixes",
        "counted",
        "echo",
        "endings",
        "noCarrier",
        "seconds",
        "secret",
        "shown",
        "wire",
    )

    def __init__(self, body: str, commands: Collection[ParsedCommand], rows: Mapping[str, Command]) -> None:
        self.echo = b"AT" + body.encode("latin-1")
        self.wire = self.echo + b"\r"
        known = [_known(command.name, rows) for command in commands]
        self.secret = _isSecret(body, rows)
        self.shown = "AT" + (";".join(map(_masked, commands)) or "..." if self.secret else body)
        self.seconds = sum(row.longest for row in known) or LONGEST
        self.noCarrier = any(row.noCarrier for row in known)
        self.counted = any(row.counted for row in known)
        self.endings: frozenset[str] = frozenset().union(*(row.endings for row in known))
        answersAs = [row.answersAs for row in known if row.answersAs is not None]
        self._prefixes = tuple(name for name in answersAs if name in EXTENDED)
        self._answers: dict[str, tuple[Form, int, bool]] = {}
        for command, row in zip(commands, known, strict=True):
            self._answers[command.name] = (command.form, _least(row), row.tellsStatus)
            if row.answersAs is not None and row.answersAs not in EXTENDED:
                self._answers[row.answersAs] = (command.form, ANY, False)

    def owns(self, text: str, subscribed: Collection[str]) -> bool:
        """
        Whether a line is part of the answer; else it is a notice.

        @param subscribed: the names of notices that somebody wants to hear.
        """
        name = text.partition(":")[0]
        expected = self._answers.get(name)
        if expected is None:
            if _NAMED(text):
                return text.startswith(self._prefixes)
            return name not in FREE_NOTICES and name not in subscribed
        form, least, tellsStatus = expected
        if least == ANY or (not tellsStatus and name not in subscribed):
            return True
        values = text[len(name) + 1 :].split(",")
        if form is Form.TEST:
            return "(" in values[0]
        if form is not Form.READ or len(values) < least:
            return False
        return not tellsStatus or not values[1].startswith('"')


def _known(name: str, rows: Mapping[str, Command]) -> Command:
    return rows.get(name) or UNLISTED.get(name, UNKNOWN_COMMAND)


def _least(row: Command) -> int:
    """
    How many values the read form shows at least.
    """
    if row.tellsStatus:
        return 2
    return len(row.allParameters) if row.isSetting and row.name[0] in EXTENDED else ANY


#: a command that may carry a password, for what has no row
_SECRET = re.compile(r"PIN|PW|PASS|PSW|AUTH|CLCK|USER|SGACT$|FTPOPEN$", re.IGNORECASE).search
_NAMES = re.compile(r"[+#$@*!^][A-Za-z0-9_]+").findall


def _isSecret(body: str, rows: Mapping[str, Command]) -> bool:
    for name in _NAMES(body):
        row = rows.get(name.upper())
        if _SECRET(name) is not None if row is None else row.secret:
            return True
    return False


def _masked(command: ParsedCommand) -> str:
    return f"{command.name}=..." if command.form is Form.SET else str(command)


#: lines kept by a L{LineBook}: what hosts repeat
KEPT_LINES = 512
#: characters of a line worth keeping
KEPT_LENGTH = 96
#: what no command line may hold: it would end, edit or abandon it
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search


class LineBook:
    """
    The command lines that can be said with these rows. Many clients share one.
    """

    def __init__(self, rows: Mapping[str, Command]) -> None:
        """
        @param rows: what is known of commands, by name. Others can be sent as well.
        """
        self.rows = rows
        self._kept: dict[str, SentLine] = {}

    def line(self, text: str) -> SentLine:
        """
        A command line, given with or without C{AT}.

        @raise Misuse: it can't be sent as one line.
        """
        kept = self._kept.get(text)
        if kept is not None:
            return kept
        body = text[2:] if text[:2] in ("AT", "at") else text
        if _CONTROL(body) is not None:
            raise Misuse("a command line holds a control character")
        try:
            commands = parse(body.encode("latin-1"))
        except UnicodeEncodeError:
            raise Misuse("a command line holds characters beyond Latin-1") from None
        except PeerViolation:
            # the module may understand it all the same, and its answer tells
            commands = []
        line = SentLine(body, commands, self.rows)
        if len(text) <= KEPT_LENGTH and not line.secret:
            if len(self._kept) >= KEPT_LINES:
                self._kept.clear()
            self._kept[text] = line
        return line


#: what every module understands
BASIC = LineBook(basic.rows)
#: row mappings whose books are kept; a program has one for each product
MAX_BOOKS = 16
_books: list[LineBook] = []


def bookOf(rows: Mapping[str, Command] | None) -> LineBook:
    """
    The line book of these rows, the same for all who have the same mapping; C{None}: of the basic ones.
    """
    if rows is None:
        return BASIC
    for book in _books:
        if book.rows is rows:
            return book
    book = LineBook(rows)
    _books.append(book)
    del _books[:-MAX_BOOKS]
    return book
