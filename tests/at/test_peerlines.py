"""What a module says, as the peer reads it: lines, results, and whose a line is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.basic import commands as basic
from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.at.parameters import Int, Text
from atrunproto.at.peerlines import (
    KEPT_LINES,
    LONGEST,
    MAX_LINE,
    UNKNOWN_COMMAND,
    UNLISTED,
    LineBook,
    LineReader,
    isConnect,
    isFinal,
    reasonOf,
)
from atrunproto.at.results import CME, CMS, MULTITECH, TELIT, Dialect, ErrorFamily, Reason, ResultCode, multitechReason
from atrunproto.emulator.products import PRODUCTS
from tests.at.fakes import pieces


def linesOf(chunks: list[bytes], reader: LineReader | None = None) -> list[bytes]:
    """All lines of these chunks; what is in doubt at the end is settled as by silence."""
    reader = reader or LineReader()
    lines = []

    def drain() -> None:
        while (line := reader.next()) is not None:
            lines.append(line)

    for chunk in chunks:
        reader.feed(chunk)
        drain()
    if reader.doubtful:
        reader.settle()
        drain()
    return lines


STREAMS = [
    (b"\r\nOK\r\n", [b"OK"]),
    (b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n", [b"AT+CSQ", b"+CSQ: 20,0", b"OK"]),
    (b"\r\n#SGACT: 1,0\r\n#SGACT: 2,0\r\n\r\nOK\r\n", [b"#SGACT: 1,0", b"#SGACT: 2,0", b"OK"]),
    (b"\r\nRING\r\n\r\nSRING: 1\r\n\r\n+CREG: 1\r\n", [b"RING", b"SRING: 1", b"+CREG: 1"]),
    # ATV0, Telit and Multi-Tech
    (b"AT+CSQ\r+CSQ: 20,0\r\n0\r", [b"AT+CSQ", b"+CSQ: 20,0", b"OK"]),
    (b"4\r", [b"ERROR"]),
    (b"\r0\r", [b"OK"]),
    (b"\r#CME ERROR: 34817\r\n", [b"#CME ERROR: 34817"]),
    # a digit as information is none of the codes
    (b"\r\n0\r\n\r\nOK\r\n", [b"0", b"OK"]),
    (b"0\r2\r", [b"OK", b"RING"]),
]


@pytest.mark.parametrize(("stream", "lines"), STREAMS)
def test_lines(stream: bytes, lines: list[bytes]) -> None:
    """The lines of an answer are the same however the transport cuts it (TEL-GEN-05)."""
    assert linesOf([stream]) == lines
    assert linesOf([stream[at : at + 1] for at in range(len(stream))]) == lines
    for cut in range(len(stream)):
        assert linesOf(pieces(stream, [cut])) == lines


def test_numericIsRemembered() -> None:
    """Once a module has answered in numbers, its next number isn't waited for; once in words, it is again."""
    reader = LineReader()
    reader.feed(b"0\r")
    assert reader.next() is None
    assert reader.doubtful
    reader.settle()
    assert reader.next() == b"OK"
    reader.feed(b"4\r")
    assert (reader.next(), reader.doubtful) == (b"ERROR", False)
    reader.feed(b"\r\nOK\r\n0\r")
    assert (reader.next(), reader.next(), reader.doubtful) == (b"OK", None, True)


@pytest.mark.parametrize("stream", [b"x" * (MAX_LINE + 1), b"x" * (MAX_LINE + 1) + b"\r\nOK\r\n"])
def test_longLine(stream: bytes) -> None:
    """A line without end is an error of the module; what follows its end can be read."""
    reader = LineReader()
    reader.feed(stream)
    with pytest.raises(PeerViolation) as raised:
        reader.next()
    assert len(raised.value.data) <= 64
    assert linesOf([b"\r\n+NEXT\r\n"], reader)[-1] == b"+NEXT"


@pytest.mark.parametrize("prompt", [b"\r\n> ", b"\r\n>>>"])
def test_prompt(prompt: bytes) -> None:
    """A prompt is seen when it is complete, and not before."""
    for cut in range(len(prompt)):
        reader = LineReader()
        for piece in pieces(prompt, [cut]):
            reader.feed(piece)
            assert reader.next() is None
        assert reader.prompt() == prompt[2:]
        assert reader.prompt() is None
    reader.feed(b"\r\n> text")
    assert (reader.next(), reader.prompt()) == (None, None)


def test_rest() -> None:
    """Data behind CONNECT begin behind its LF, and under ATV0 at once."""
    reader = LineReader()
    reader.feed(b"\r\nCONNECT\r\n\ndata\r\n")
    assert (reader.next(), reader.rest()) == (b"CONNECT", b"\ndata\r\n")
    reader.feed(b"\r\nCONNECT 9600\r")
    assert (reader.next(), reader.rest()) == (b"CONNECT 9600", None)
    reader.numeric = True
    reader.feed(b"1\r\rdata")
    assert (reader.next(), reader.rest()) == (b"CONNECT", b"\rdata")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_hostileOctets(chunks: list[bytes]) -> None:
    """No octets make the reader fail or keep more than a line, and none of its lines holds a line end."""
    reader = LineReader()
    for chunk in chunks:
        reader.feed(chunk)
        try:
            while (line := reader.next(longest=16)) is not None:
                assert 0 < len(line) <= 16
                assert not set(line) & {10, 13}
        except PeerViolation:
            continue
        assert len(reader._held) <= 16 + 2


def test_reasons() -> None:
    """Every error of the tables is understood, in numbers and in words (TEL-GEN-05)."""
    assert reasonOf(b"OK") is None
    assert reasonOf(b"ERROR") == Reason(ErrorFamily.PLAIN, 4, "ERROR")
    for text, number in [("NO CARRIER", 3), ("BUSY", 7), ("NO ANSWER", 8), ("NO DIALTONE", 6)]:
        assert reasonOf(text.encode()) == Reason(ErrorFamily.PLAIN, number, text)
    for number, reason in CME.items():
        assert reasonOf(b"+CME ERROR: %d" % number) is reason
        found = reasonOf(f"+CME ERROR: {reason.text}".encode())
        assert found is not None
        assert found.text == reason.text
    for number, reason in CMS.items():
        assert reasonOf(b"+CMS ERROR:%d" % number) is reason
    assert reasonOf(b"#CME ERROR: 34817") == multitechReason(34817)


@pytest.mark.parametrize(
    "line", [b"+CME ERROR: 12345678", b"+CME ERROR: out of cheese", b"#CME ERROR: x", b"+CMS ERROR:"]
)
def test_unknownReasons(line: bytes) -> None:
    """An error that no table has keeps the module's words."""
    reason = reasonOf(line)
    assert isFinal(line)
    assert reason is not None
    assert reason.number == -1
    assert reason.text == line.decode().partition(":")[2].strip()


def framed(dialect: Dialect, verbose: bool, reason: Reason, cmee: int) -> bytes:
    """A failure as a module of that dialect writes it."""
    return dialect.framing(verbose=verbose).failure(reason, cmee)


@pytest.mark.parametrize("dialect", [TELIT, MULTITECH], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("verbose", [True, False])
def test_bothSidesAgree(dialect: Dialect, verbose: bool) -> None:
    """What the framings of the module write, the peer reads: codes and errors (MTS-RES-03, MTS-RES-04, MTS-RES-05)."""
    framing = dialect.framing(verbose=verbose)
    for code in (ResultCode(0, "OK"), ResultCode(4, "ERROR"), ResultCode(3, "NO CARRIER"), ResultCode(7, "BUSY")):
        assert linesOf([framing.result(code)]) == [code.text.encode()]
    reason = multitechReason(34819) if dialect is MULTITECH else CME[10]
    (line,) = linesOf([framed(dialect, verbose, reason, 1)])
    assert reasonOf(line) == reason


@pytest.mark.parametrize(
    ("line", "online"), [(b"CONNECT", True), (b"CONNECT 9600", True), (b"CONNECTED", False), (b"NO CARRIER", False)]
)
def test_connect(line: bytes, online: bool) -> None:
    """CONNECT, with or without a rate, leads online."""
    assert isConnect(line) is online


def rows() -> dict[str, Command]:
    """A few commands of each kind."""
    table = CommandTable("lines")
    table.setting("+CREG", Int("mode", 0, 2, default=0), tellsStatus=True)
    table.setting("#PAIR", Int("a", 0, 5, default=1), Int("b", 0, 5, default=1), longest=7.0)
    table.setting("#WORD", Text("word", default="", secret=True))
    table.action("+CSQ", longest=3.0)(lambda at: "+CSQ: 1,1")
    return {**basic.rows, **table.rows}


BOOK = LineBook(rows())


@pytest.mark.parametrize(
    ("command", "line", "own"),
    [
        ("AT+CSQ", "+CSQ: 1,1", True),
        ("AT+CSQ", "+CREG: 1", False),
        ("AT+CSQ", "#SGACT: 1,1", False),
        ("AT+CSQ", "RING", False),
        ("AT+CSQ", "SRING: 1", False),
        ("AT+CSQ", "NO CARRIER", False),
        ("AT+CGMM", "HE910", True),
        ("AT+CGMM", "a: b", True),
        ("AT+CREG?", "+CREG: 0,1", True),
        ("AT+CREG?", '+CREG: 2,1,"00FF","0001"', True),
        ("AT+CREG?", "+CREG: 1", False),
        ("AT+CREG?", '+CREG: 1,"00FF","0001"', False),
        ("AT+CREG=?", "+CREG: (0-2)", True),
        ("AT+CREG=?", "+CREG: 1", False),
        ("AT+CREG=1", "+CREG: 1", False),
        ("AT+CSQ;+CREG?", "+CREG: 0,1", True),
        ("AT#QSS?", "#QSS: 1", False),
        ("AT#QSS?", "#QSS: 0,1", True),
        ("AT#PAIR?", "#PAIR: 1,2", True),
        ("AT#PAIR?", "#PAIR: 1", False),
        ("AT#PAIR=1,2", "#PAIR: 1,2", False),
        ("AT#GPRS=1", "+IP: 10.0.0.1", True),
        ("AT+UNKNOWN=1", "+UNKNOWN: 1", True),
        ("AT&V", "COMMAND ECHO: E1=YES", True),
        ("AT", "HEARD", False),
    ],
)
def test_whoseLine(command: str, line: str, own: bool) -> None:
    """A line is an answer if the command answers so and its shape fits; else it is a notice (design, Rulings)."""
    assert BOOK.line(command).owns(line, {"#PAIR": (), "HEARD": ()}) is own


@pytest.mark.parametrize("product", PRODUCTS)
def test_factsWithoutRows(product: str) -> None:
    """A host that has no rows of the emulator knows how its commands answer as well as one that has them."""
    for name, row in PRODUCTS[product].commands.rows.items():
        known = basic.rows.get(name) or UNLISTED.get(name, UNKNOWN_COMMAND)
        for fact in ("noCarrier", "counted", "answersAs", "endings", "tellsStatus"):
            assert getattr(known, fact) == getattr(row, fact), (name, fact)


@pytest.mark.parametrize(
    ("command", "noCarrier", "counted"),
    [
        ("ATO", True, False),
        ("ATD123", True, False),
        ("AT+CSQ;#SD=1,0,80,h", True, False),
        ("AT#SSENDEXT=1,5", False, True),
        ("AT#SSENDUDPEXT=1,5,127.0.0.1,7", False, True),
    ],
)
def test_howItEnds(command: str, noCarrier: bool, counted: bool) -> None:
    """What ends a command, and how it takes its data, is known of the whole line (reference 6)."""
    line = BOOK.line(command)
    assert (line.noCarrier, line.counted) == (noCarrier, counted)


def test_unheardIsAnswer() -> None:
    """A line of odd shape that nobody has subscribed to isn't lost as a notice."""
    assert BOOK.line("AT#PAIR?").owns("#PAIR: 1", {})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AT+CSQ", "AT+CSQ"),
        ("at+csq", "AT+csq"),
        ("+CSQ", "AT+CSQ"),
        ("", "AT"),
        ('AT#WORD="open sesame"', "AT#WORD=..."),
        ('AT+CSQ;#TCPATRUNAUTH="u","p",1', "AT+CSQ;#TCPATRUNAUTH=..."),
        ('AT#WORD="p', "AT..."),
    ],
)
def test_shown(text: str, shown: str) -> None:
    """A line is shown as it was given, with its prefix and without passwords."""
    line = BOOK.line(text)
    assert line.shown == shown
    assert line.wire == b"AT" + text.removeprefix("AT").removeprefix("at").encode() + b"\r"


def test_seconds() -> None:
    """A line may take what its commands may take together; what has no row counts with the default."""
    assert BOOK.line("AT+CSQ;#PAIR?").seconds == 10.0
    assert BOOK.line("AT+CSQ;+UNKNOWN").seconds == 3.0 + LONGEST
    assert BOOK.line("AT").seconds == LONGEST


@pytest.mark.parametrize("text", ["AT+CSQ\r", "AT\x1a", "AT\x1bI", "AT+CMGS=\u20ac", "A\nT"])
def test_unsendable(text: str) -> None:
    """What would end, edit or garble the line isn't sent."""
    with pytest.raises(Misuse):
        BOOK.line(text)


def test_keptLines() -> None:
    """Lines are prepared once, as many as have room; secrets never stay."""
    book = LineBook(rows())
    assert book.line("AT+CSQ") is book.line("AT+CSQ")
    assert book.line("AT#WORD=x") is not book.line("AT#WORD=x")
    for number in range(KEPT_LINES + 1):
        book.line(f"AT#N={number}")
    assert len(book._kept) <= KEPT_LINES


@given(st.text(max_size=60))
def test_hostileText(text: str) -> None:
    """Whatever is given as a command line is prepared or refused, and no answer to it makes it fail."""
    try:
        line = BOOK.line(text)
    except Misuse:
        return
    line.owns(text, {})
    assert line.wire.count(b"\r") == 1
