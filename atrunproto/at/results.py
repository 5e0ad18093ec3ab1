"""
Result codes, errors and their framing on the wire.

One table a dialect says what each code looks like; nobody else formats a result code.
Sources: AT command reference of the project, sections 1.2 and 2 (Telit); requirements MTS-RES and MTS-SER (Multi-Tech).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from .errors import CommandFailed


@dataclass(frozen=True, slots=True)
class ResultCode:
    """
    A final, intermediate or unsolicited code of V.250: C{number} under ATV0, C{text} under ATV1.
    """

    number: int
    text: str


OK = ResultCode(0, "OK")
CONNECT = ResultCode(1, "CONNECT")
RING = ResultCode(2, "RING")
NO_CARRIER = ResultCode(3, "NO CARRIER")
ERROR = ResultCode(4, "ERROR")
NO_DIALTONE = ResultCode(6, "NO DIALTONE")
BUSY = ResultCode(7, "BUSY")
NO_ANSWER = ResultCode(8, "NO ANSWER")

#: the codes that end a command, as a peer sees them under ATV1 and ATV0
FINAL_CODES = (OK, NO_CARRIER, ERROR, NO_DIALTONE, BUSY, NO_ANSWER)

#: what tells that a connection of Multi-Tech's is there, as text in small letters and as numbers (MTS-RES-02)
CONNECTION_MESSAGES = frozenset(("ok_info_ppp", "3077", "ok_info_gprsactivation", "3086"))
#: what tells that there is no mail, likewise (MTS-RES-11)
NO_MAIL_MESSAGES = frozenset(("ok_info_nomail", "3072"))


class ErrorFamily(Enum):
    """
    Which prefix and which settings an error number obeys.
    """

    #: no number at all: C{ERROR}
    PLAIN = ""
    #: mobile equipment errors, shown as +CMEE says
    CME = "+CME ERROR"
    #: message service errors; always numeric (reference 2.3)
    CMS = "+CMS ERROR"
    #: Multi-Tech's own numbers; always numeric (MTS-RES-05)
    MULTITECH = "#CME ERROR"


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Why a command failed: a number and the text that C{+CMEE=2} prints.
    """

    family: ErrorFamily
    number: int
    text: str

    def __str__(self) -> str:
        if self.family is ErrorFamily.PLAIN:
            return self.text
        return f"{self.family.value}: {self.text or self.number}"


PLAIN_ERROR = Reason(ErrorFamily.PLAIN, 4, "ERROR")


def _reasons(family: ErrorFamily, rows: str) -> dict[int, Reason]:
    table = {}
    for row in rows.strip().splitlines():
        number, text = row.split(None, 1)
        table[int(number)] = Reason(family, int(number), text.strip())
    return table


#: +CME ERROR, number to reason. Source: reference 2.2; 558 and 559 as real modules spell them (15, row 30).
CME = _reasons(
    ErrorFamily.CME,
    """
    0 phone failure
    1 No connection to phone
    2 phone-adaptor link reserved
    3 operation not allowed
    4 operation not supported
    5 PH-SIM PIN required
    10 SIM not inserted
    11 SIM PIN required
    12 SIM PUK required
    13 SIM failure
    14 SIM busy
    15 SIM wrong
    16 incorrect password
    17 SIM PIN2 required
    18 SIM PUK2 required
    20 memory full
    21 invalid index
    22 not found
    23 memory failure
    24 text string too long
    25 invalid characters in text string
    26 dial string too long
    27 invalid characters in dial string
    30 no network service
    31 network time-out
    32 network not allowed - emergency calls only
    40 network personalization PIN required
    41 network personalization PUK required
    42 network subset personalization PIN required
    43 network subset personalization PUK required
    44 service provider personalization PIN required
    45 service provider personalization PUK required
    46 corporate personalization PIN required
    47 corporate personalization PUK required
    50 Incorrect parameters
    100 unknown
    103 Illegal MS (#3)
    106 Illegal ME (#6)
    107 GPRS service not allowed (#7)
    111 PLMN not allowed (#11)
    112 Location area not allowed (#12)
    113 Roaming not allowed in this location area (#13)
    132 service option not supported (#32)
    133 requested service option not subscribed (#33)
    134 service option temporarily out of order (#34)
    148 unspecified GPRS error
    149 PDP authentication failure
    150 invalid mobile class
    550 generic undocumented error
    551 wrong state
    552 wrong mode
    553 context already activated
    554 stack already active
    555 activation failed
    556 context not opened
    557 cannot setup socket
    558 can not resolve DN
    559 timeout in opening socket
    560 cannot open socket
    561 remote disconnected or time-out
    562 connection failed
    563 tx error
    564 already listening
    566 can not resume socket
    567 wrong APN
    568 wrong PDP
    569 service not supported
    570 QOS not accepted
    571 NSAPI already used
    572 LLC or SNDCP failure
    573 network reject
    586 MCL personalization PIN required
    600 generic undocumented error
    601 wrong state
    602 can not activate
    603 can not resolve name
    604 can not allocate control socket
    605 can not connect control socket
    606 bad or no response from server
    607 not connected
    608 already connected
    609 context down
    610 no photo available
    611 can not send photo
    612 resource used by other instance
    """,
)

#: +CMS ERROR, number to reason. Source: reference 2.3.
CMS = _reasons(
    ErrorFamily.CMS,
    """
    300 ME failure
    301 SMS service of ME reserved
    302 operation not allowed
    303 operation not supported
    304 invalid PDU mode parameter
    305 invalid text mode parameter
    310 SIM not inserted
    311 SIM PIN required
    312 PH-SIM PIN required
    313 SIM failure
    314 SIM busy
    315 SIM wrong
    316 SIM PUK required
    317 SIM PIN2 required
    318 SIM PUK2 required
    320 memory failure
    321 invalid memory index
    322 memory full
    330 SMSC address unknown
    331 no network service
    332 network time-out
    500 unknown error
    """,
)


def cmsReason(number: int) -> Reason:
    """
    The reason of a C{+CMS ERROR} number; causes of the network (0 - 255, 04.11 and 23.040) have no text here.
    """
    return CMS.get(number) or Reason(ErrorFamily.CMS, number, "")


def multitechReason(number: int) -> Reason:
    """
    The reason of a C{#CME ERROR} number; these have no text of their own.
    """
    return Reason(ErrorFamily.MULTITECH, number, "")


def refuse(reason: Reason = PLAIN_ERROR) -> CommandFailed:
    """
    The exception for a handler to raise: C{raise refuse(CME[10])}.
    """
    return CommandFailed("", reason)


def _octets(text: str) -> bytes:
    """
    What is printed, in Latin-1; a character that has no place in it becomes a question mark.
    """
    return text.encode("latin-1", "replace")


def _errorLine(reason: Reason, cmee: int) -> str | None:
    """
    An error as its line, or C{None} where it is the plain code.
    """
    family = reason.family
    if family is ErrorFamily.PLAIN or (family is ErrorFamily.CME and cmee == 0):
        return None
    return f"{family.value}: {reason.text if family is ErrorFamily.CME and cmee == 2 else reason.number}"


class Framing:
    """
    How one AT instance writes its answers: a dialect with the values of V, Q, S3, S4 filled in.

    Immutable and shared between instances; made by L{Dialect.framing}.
    """

    __slots__ = ("cr", "lf", "quiet", "verbose")

    def __init__(self, verbose: bool, quiet: bool, cr: bytes, lf: bytes) -> None:
        self.verbose = verbose
        self.quiet = quiet
        self.cr = cr
        self.lf = lf

    def information(self, lines: Iterable[str]) -> bytes:
        """
        One block of information text, the answer of one command.
        """
        raise NotImplementedError

    def parameter(self, lines: Iterable[str]) -> bytes:
        """
        The answer to a read form, C{OK} not included.
        """
        return self.information(lines)

    def result(self, code: ResultCode, afterRead: bool = False) -> bytes:
        """
        A final or intermediate result code.

        @param afterRead: the code ends a read command (it matters in Multi-Tech's dialect only).
        """
        raise NotImplementedError

    def failure(self, reason: Reason, cmee: int) -> bytes:
        """
        An error as the final result.

        @param cmee: the value of +CMEE: 0 C{ERROR}, 1 number, 2 text.
        """
        raise NotImplementedError

    def unsolicited(self, text: str) -> bytes:
        """
        A notice that no command asked for.
        """
        raise NotImplementedError

    def prompt(self, text: str) -> bytes:
        """
        The request for data that follow a command.
        """
        return self.cr + self.lf + _octets(text)


class TelitFraming(Framing):
    """
    V.250 as Telit modules speak it, byte for byte (reference 1.2; TEL-GEN-05).
    """

    __slots__ = ("_crlf", "_results")

    def __init__(self, verbose: bool, quiet: bool, cr: bytes, lf: bytes) -> None:
        super().__init__(verbose, quiet, cr, lf)
        self._crlf = cr + lf
        self._results: dict[ResultCode, bytes] = {}

    def information(self, lines: Iterable[str]) -> bytes:
        crlf = self._crlf
        body = crlf.join([_octets(line) for line in lines]) + crlf
        return crlf + body if self.verbose else body

    def result(self, code: ResultCode, afterRead: bool = False) -> bytes:
        framed = self._results.get(code)
        if framed is None:
            framed = self._results[code] = self._result(code)
        return framed

    def _result(self, code: ResultCode) -> bytes:
        if self.quiet:
            return b""
        if self.verbose:
            return self._crlf + _octets(code.text) + self._crlf
        return b"%d" % code.number + self.cr

    def failure(self, reason: Reason, cmee: int) -> bytes:
        shown = _errorLine(reason, cmee)
        if shown is None:
            return self.result(ERROR)
        return b"" if self.quiet else self.information([shown])

    def unsolicited(self, text: str) -> bytes:
        """
        Quiet mode holds back notices too, since they are result codes (27.007 3.1; assumed for Telit).
        """
        return b"" if self.quiet else self.information([text])


class MultiTechFraming(Framing):
    """
    The framing of Multi-Tech's IP commands (MTS-RES-03 to MTS-RES-08).
    """

    __slots__ = ()

    def _crlf(self) -> bytes:
        return self.cr + self.lf

    def information(self, lines: Iterable[str]) -> bytes:
        """
        Text without a number keeps the same form under ATV0 (MTS-RES-10).
        """
        if self.quiet:
            return b""
        crlf = self._crlf()
        return b"".join(crlf + _octets(line) + crlf for line in lines)

    def parameter(self, lines: Iterable[str]) -> bytes:
        """
        Value lines end with CR LF and have none in front, whatever ATV says (MTS-RES-06).
        """
        if self.quiet:
            return b""
        crlf = self._crlf()
        return b"".join(_octets(line) + crlf for line in lines)

    def result(self, code: ResultCode, afterRead: bool = False) -> bytes:
        """
        ATV0 gives CR, number, CR, without a line feed; a read ends with the verbose code all the same (MTS-GAP-11).
        """
        if self.quiet:
            return b""
        if self.verbose or afterRead:
            crlf = self._crlf()
            return crlf + _octets(code.text) + crlf
        return self.cr + b"%d" % code.number + self.cr

    def failure(self, reason: Reason, cmee: int) -> bytes:
        """
        C{#CME ERROR} has a lone CR in front and the same form in both modes (MTS-RES-05).

        The commands that all modems have fail as anywhere (A).
        """
        if self.quiet:
            return b""
        if reason.family is ErrorFamily.MULTITECH:
            return self._lead() + _octets(f"{reason.family.value}: {reason.number}") + self._crlf()
        shown = _errorLine(reason, cmee)
        return self.result(ERROR) if shown is None else self.information([shown])

    def _lead(self) -> bytes:
        """
        What stands in front of an error.
        """
        return self.cr

    def unsolicited(self, text: str) -> bytes:
        return self.information([text])


class MultiTechLineFraming(MultiTechFraming):
    """
    The same with CR LF in front of errors too (MTS-GAP-10).
    """

    __slots__ = ()

    def _lead(self) -> bytes:
        return self._crlf()


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    A vendor's way to frame answers and to report what it does not understand.
    """

    name: str
    framingClass: type[Framing]
    #: the reason for a command that no table of the product has
    unknownCommand: Reason = PLAIN_ERROR
    #: the reason for a malformed line, or a wrong number of parameters
    syntaxError: Reason = PLAIN_ERROR
    #: the reason for a parameter out of its range
    badValue: Reason = PLAIN_ERROR
    #: the reason for a line longer than the product takes
    lineTooLong: Reason = PLAIN_ERROR
    #: how the names of the commands begin that these reasons are for; others are answered C{ERROR}
    own: str = ""
    #: whether a blank within a text without quotes is an error of these commands; else it is dropped
    keepsBlanks: bool = False

    def isOwn(self, name: str) -> bool:
        """
        Whether the reasons are for this command.
        """
        return name.startswith(self.own)

    def framing(self, verbose: bool = True, quiet: bool = False, s3: int = 13, s4: int = 10) -> Framing:
        """
        The framing for these settings; equal settings give the same object.
        """
        return _framing(self, verbose, quiet, s3, s4)


@lru_cache(maxsize=1024)
def _framing(dialect: Dialect, verbose: bool, quiet: bool, s3: int, s4: int) -> Framing:
    return dialect.framingClass(verbose, quiet, bytes([s3]), bytes([s4]))


TELIT = Dialect("Telit", TelitFraming)

#: Source: MTS-ERR and multitech-result-codes.csv.
MULTITECH = Dialect(
    "Multi-Tech",
    MultiTechFraming,
    unknownCommand=multitechReason(34817),
    syntaxError=multitechReason(34819),
    badValue=multitechReason(34882),
    lineTooLong=multitechReason(34881),
    own="#",
    keepsBlanks=True,
)
#: the same with errors framed as everything else
MULTITECH_LINES = replace(MULTITECH, framingClass=MultiTechLineFraming)


class Later:
    """
    A handler's answer that is none: the port is in command mode again, and a notice tells what comes of the command.

    The rest of the line is not run.
    """


def asLines(answer: str | Sequence[str] | None) -> Sequence[str]:
    """
    A handler's answer as a sequence of lines.
    """
    if answer is None:
        return ()
    return (answer,) if isinstance(answer, str) else answer
