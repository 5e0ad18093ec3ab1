"""
The dialect of Multi-Tech's IP commands, spoken by the same instance over tables of its own.

The commands themselves come later; these few stand for them.
"""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.at.basic import commands as basic
from atrunproto.at.bearer import BearerKind
from atrunproto.at.commands import CommandTable, refusedOver
from atrunproto.at.module import ATInstance
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, MULTITECH, NO_CARRIER, RING, ResultCode, multitechReason, refuse
from atrunproto.at.settings import Stored
from tests.at.fakes import Bench, FakeBearer, pieces

#: the standard codes of the command guide
STANDARD = [
    (0, "OK"),
    (2, "RING"),
    (3, "NO CARRIER"),
    (4, "ERROR"),
    (7, "BUSY"),
    (8, "NO ANSWER"),
    (10, "CONNECT 300"),
    (11, "CONNECT 1200"),
    (12, "CONNECT 1200/75"),
    (13, "CONNECT 2400"),
    (14, "CONNECT 4800"),
    (15, "CONNECT 9600"),
    (16, "CONNECT 14400"),
]
WAITING = ResultCode(1028, "Ok_Info_WaitingForData")


def multitech() -> CommandTable:
    """A few commands of Multi-Tech's kind."""
    table = CommandTable("multitech")
    table.setting("#PINGNUM", Int("pingNum", 1, 255, default=4), stored=Stored.NVM, shared=True)
    table.setting("#APNSERV", Text("apn", 40, default=""), stored=Stored.NVM, shared=True)

    @table.action("#DISPLAYIP")
    def displayIP(at: ATInstance) -> str:
        return "10.0.0.1"

    @table.action("#STATUS")
    def status(at: ATInstance) -> list[str]:
        return ["one", "two"]

    @table.action("#FAIL", Int("number", 0, 99999))
    def fail(at: ATInstance, number: int) -> None:
        raise refuse(multitechReason(number))

    @table.action("#EQUIPMENT")
    def equipment(at: ATInstance) -> None:
        raise refuse(CME[10])

    @table.action("#CODE", Int("number", 0, 99))
    def code(at: ATInstance, number: int) -> ResultCode:
        return ResultCode(number, dict(STANDARD)[number])

    @table.action("#PUT")
    def put(at: ATInstance) -> ResultCode:
        return WAITING

    @table.action("#HERE", limits=(refusedOver(BearerKind.TCPATRUN_SERVER),))
    def here(at: ATInstance) -> None:
        """Refused over the service."""

    return table


def bench(*lines: bytes, **facts: Any) -> Bench:
    """A bench of this dialect without echo, after these lines."""
    made = Bench(dialect=MULTITECH, tables=[basic, multitech()], **facts)
    for line in (b"ATE0\r", *lines):
        made.say(line)
    return made


@pytest.mark.parametrize(("number", "text"), STANDARD)
def test_standardCodes(number: int, text: str) -> None:
    """MTS-RES-01, MTS-RES-03, MTS-RES-04: each standard code is its text under ATV1 and its number under ATV0."""
    line = b"AT#CODE=%d\r" % number
    assert bench().say(line) == b"\r\n" + text.encode() + b"\r\n"
    assert bench(b"ATV0\r").say(line) == b"\r%d\r" % number


def test_write() -> None:
    """MTS-RES-07, MTS-SER-05: a write is acknowledged by CR LF OK CR LF, under ATV0 by CR 0 CR."""
    module = bench()
    assert module.say(b"AT#PINGNUM=5\r") == b"\r\nOK\r\n"
    assert module.say(b"ATV0\r") == b"\r0\r"
    assert module.say(b"AT#PINGNUM=6\r") == b"\r0\r"
    assert module.say(b"ATV1\r") == b"\r\nOK\r\n"


@pytest.mark.parametrize("mode", [b"ATV0\r", b"ATV1\r"])
def test_read(mode: bytes) -> None:
    """MTS-RES-06: a parameter that is read looks the same whatever ATV says, its OK too."""
    module = bench(mode)
    assert module.say(b"AT#PINGNUM?\r") == b"#PINGNUM: 4\r\n\r\nOK\r\n"
    assert module.say(b'AT#APNSERV="a.b"\r') in (b"\r\nOK\r\n", b"\r0\r")
    assert module.say(b"AT#APNSERV?\r") == b'#APNSERV: "a.b"\r\n\r\nOK\r\n'


@pytest.mark.parametrize("mode", [b"ATV0\r", b"ATV1\r"])
@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b"AT#FOO=1\r", 34817),
        (b"AT#FOO\r", 34817),
        (b"AT#PINGNUM\r", 34819),
        (b"AT#FAIL\r", 34819),
        (b"AT#FAIL=\r", 34819),
        (b"AT#PINGNUM=1,2\r", 34819),
        (b'AT#APNSERV="x\r', 34819),
        (b"AT#PINGNUM=0\r", 34882),
        (b"AT#PINGNUM=256\r", 34882),
        (b"AT#PINGNUM=x\r", 34882),
        (b"AT#APNSERV=" + b"x" * 500 + b"\r", 34881),
        (b"AT#FAIL=35867\r", 35867),
    ],
)
def test_errors(mode: bytes, line: bytes, number: int) -> None:
    """MTS-RES-05, MTS-ERR-01, MTS-ERR-04: an error has its number, the same in both modes."""
    module = bench(mode, longest=400)
    assert module.say(line) == b"\r#CME ERROR: %d\r\n" % number
    assert module.say(b"AT+CMEE=2\r") != b""
    assert module.say(line) == b"\r#CME ERROR: %d\r\n" % number


def test_errorsWithoutANumber() -> None:
    """An error that Multi-Tech has no number for is a plain ERROR, framed as a code."""
    assert bench().say(b"AT#EQUIPMENT\r") == b"\r\nERROR\r\n"
    assert bench(b"ATV0\r").say(b"AT#EQUIPMENT\r") == b"\r4\r"
    assert bench().say(b"AT#DISPLAYIP?\r") == b"\r\nERROR\r\n"


def test_refusedOverABearer() -> None:
    """What is refused over a bearer is refused in the words of the dialect."""
    assert bench(bearer=FakeBearer()).say(b"AT#HERE\r") == b"\r#CME ERROR: 34819\r\n"


def test_textWithoutANumber() -> None:
    """MTS-RES-10: an address line and other text have no numeric form and stay text under ATV0."""
    assert bench().say(b"AT#DISPLAYIP\r") == b"\r\n10.0.0.1\r\n\r\nOK\r\n"
    assert bench(b"ATV0\r").say(b"AT#DISPLAYIP\r") == b"\r\n10.0.0.1\r\n\r0\r"
    assert bench().say(b"AT#STATUS\r") == b"\r\none\r\n\r\ntwo\r\n\r\nOK\r\n"


def test_indications() -> None:
    """MTS-RES-03, MTS-RES-04: an indication is framed like a response, its code as a number under ATV0."""
    module = bench()
    module.at.notify(RING)
    module.at.notify("MY IP: 10.0.0.1")
    assert module.heard() == b"\r\nRING\r\n\r\nMY IP: 10.0.0.1\r\n"
    module.say(b"ATV0\r")
    module.at.notify(NO_CARRIER)
    module.at.notify("MY IP: 10.0.0.1")
    assert module.heard() == b"\r3\r\r\nMY IP: 10.0.0.1\r\n"


def test_informationCode() -> None:
    """An information message is its number under ATV0."""
    assert bench(b"ATV0\r").say(b"AT#PUT\r") == b"\r1028\r"
    assert bench().say(b"AT#PUT\r") == b"\r\nOk_Info_WaitingForData\r\n"


@pytest.mark.parametrize(
    "line", [b"AT#PINGNUM=5\r", b"AT#PINGNUM?\r", b"AT#DISPLAYIP\r", b"AT#FOO\r", b"AT#EQUIPMENT\r", b"AT#PUT\r"]
)
@pytest.mark.parametrize("mode", [b"ATV0\r", b"ATV1\r"])
def test_quiet(mode: bytes, line: bytes) -> None:
    """MTS-RES-08, MTS-SER-04: after ATQ1 nothing at all comes back, after ATQ0 everything does again."""
    module = bench(mode, b"ATQ1\r")
    assert module.say(line) == b""
    module.at.notify("MY IP: 10.0.0.1")
    module.at.notify(RING)
    assert module.heard() == b""
    assert module.say(b"ATQ0\r") != b""
    assert module.say(line) != b""


def test_echo() -> None:
    """MTS-SER-03: ATE1 lets the command come back in front of its answer, ATE0 doesn't."""
    module = bench(b"ATE1\r")
    assert module.say(b"AT#DISPLAYIP\r") == b"AT#DISPLAYIP\r\r\n10.0.0.1\r\n\r\nOK\r\n"
    module.say(b"ATE0\r")
    assert module.say(b"AT#DISPLAYIP\r") == b"\r\n10.0.0.1\r\n\r\nOK\r\n"


def test_port() -> None:
    """MTS-SER-01, MTS-SER-02: the rate is set by +IPR, the flow control by +IFC, and both read back."""
    module = bench()
    for line in (b"AT+IPR=9600\r", b"AT+IFC=2,2\r", b"AT+IFC=0,0\r"):
        assert module.say(line) == b"\r\nOK\r\n"
    assert module.say(b"AT+IPR?\r") == b"\r\n+IPR: 9600\r\n\r\nOK\r\n"
    assert module.say(b"AT+IFC?\r") == b"\r\n+IFC: 0,0\r\n\r\nOK\r\n"
    assert module.say(b"AT+IPR=9601\r") == b"\r\nERROR\r\n"


def test_mixedLine() -> None:
    """In a line of several commands each answer has its own frame, and the last one decides how OK looks."""
    module = bench(b"ATV0\r")
    assert module.say(b"AT#PINGNUM?;#DISPLAYIP\r") == b"#PINGNUM: 4\r\n\r\n10.0.0.1\r\n\r0\r"
    assert module.say(b"AT#DISPLAYIP;#PINGNUM?\r") == b"\r\n10.0.0.1\r\n#PINGNUM: 4\r\n\r\nOK\r\n"


@pytest.mark.parametrize("cut", range(1, 30))
def test_anySplit(cut: int) -> None:
    """However the octets come, the answers are the same."""
    stream = b"AT#PINGNUM?\rAT#FOO\rATV0\rAT#PINGNUM=9\r"
    whole, module = bench(), bench()
    assert b"".join(map(module.say, pieces(stream, [cut]))) == whole.say(stream)
