"""What a module sends is cut into lines and compared as the dialogue format says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.testing import matching
from atrunproto.testing.dialogue import Expect
from atrunproto.testing.matching import LineStream, Outcome, Overflow, Verdict


def line(text: str) -> Expect:
    """An expected line."""
    return Expect(1, "at1", text)


def pattern(text: str) -> Expect:
    """An expected line that a regular expression describes."""
    return Expect(1, "at1", text, re.compile(text))


def stream(octets: bytes, *sent: bytes) -> LineStream:
    """A port on which something was sent and something arrived."""
    made = LineStream()
    for each in sent:
        made.sent(each)
    made.received(octets)
    return made


def matched(text: str) -> Outcome:
    """The expected line has come."""
    return Outcome(Verdict.MATCHED, text)


def unexpected(text: str) -> Outcome:
    """Another line stands in the way."""
    return Outcome(Verdict.UNEXPECTED, text)


WAITING = Outcome(Verdict.WAITING)


def test_linesInOrder() -> None:
    """Line ends, blanks at the end and blank lines don't count."""
    port = stream(b"\r\n\r\n+CSQ: 1,2 \t\r\n \r\n\r\nOK\r\n")
    assert port.take(line("+CSQ: 1,2"), settled=False) == matched("+CSQ: 1,2")
    assert port.take(line("OK"), settled=False) == matched("OK")
    assert port.take(line("OK"), settled=True) == WAITING


def test_unexpectedLine() -> None:
    """A line before the expected one stands in the way."""
    port = stream(b"\r\nRING\r\n\r\nOK\r\n")
    assert port.take(line("OK"), settled=True) == unexpected("RING")


def test_blanksInFrontCount() -> None:
    """Blanks at the beginning of a line are part of it."""
    assert stream(b" OK\r\n").take(line("OK"), settled=True) == unexpected(" OK")


def test_patternMatchesInFull() -> None:
    """A regular expression has to match the whole line."""
    assert stream(b"CONNECT 9600\r\n").take(pattern(r"CONNECT \d+"), settled=True) == matched("CONNECT 9600")
    assert stream(b"CONNECT 9600 a\r\n").take(pattern(r"CONNECT \d+"), settled=True) == unexpected("CONNECT 9600 a")


@pytest.mark.parametrize(
    ("octets", "expect"),
    [
        (b"\r\n> ", line(">")),
        (b"\r\nUsername: ", line("Username:")),
        (b"\r\nUsername: ", pattern("Username: ")),
        (b"\r\n>>>", pattern(">+")),
        (b"hello", line("hello")),
    ],
)
def test_promptsHaveNoLineEnd(octets: bytes, expect: Expect) -> None:
    """A prompt or data counts as a line once nothing more is coming, not before."""
    port = stream(octets)
    assert port.take(expect, settled=False) == WAITING
    assert port.take(expect, settled=True).verdict is Verdict.MATCHED


def test_unfinishedLineGrows() -> None:
    """What begins like the expected line and goes on differently isn't it."""
    port = stream(b"OK")
    assert port.take(line("OK"), settled=False) == WAITING
    port.received(b"AY\r\n")
    assert port.take(line("OK"), settled=True) == unexpected("OKAY")


def test_unfinishedOtherLineIsWaitedFor() -> None:
    """A line that isn't finished yet is nothing unexpected yet."""
    port = stream(b"+CS")
    assert port.take(line("+CSQ: 1"), settled=True) == WAITING
    port.received(b"Q: 1\r\n")
    assert port.take(line("+CSQ: 1"), settled=True) == matched("+CSQ: 1")


def test_promptThenAnswer() -> None:
    """The line end that follows a prompt later on is no line of its own."""
    port = stream(b"\r\n> ")
    assert port.take(line(">"), settled=True) == matched(">")
    port.received(b"\r\n+CMGS: 1\r\n\r\nOK\r\n")
    assert port.take(line("+CMGS: 1"), settled=True) == matched("+CMGS: 1")


def test_anyLines() -> None:
    """Three dots let lines pass until the expected one; afterwards the order is strict again."""
    port = stream(b"one\r\ntwo\r\nOK\r\nthree\r\nOK\r\n")
    port.allowAny()
    assert port.take(line("OK"), settled=True) == matched("OK")
    assert port.take(line("OK"), settled=True) == unexpected("three")


def test_echoIsRemoved() -> None:
    """The echo of what was sent is no line."""
    port = stream(b"AT+CSQ\r\r\n+CSQ: 1,2\r\n\r\nOK\r\nAT\r\r\nOK\r\n", b"AT+CSQ\r", b"AT\r")
    for text in ("+CSQ: 1,2", "OK", "OK"):
        assert port.take(line(text), settled=True) == matched(text)


def test_echoOfSeveralLines() -> None:
    """What was sent in one piece comes back line by line."""
    port = stream(b"testuser\rtestpassw\r\r\nOK\r\n", b"testuser\rtestpassw\r")
    assert port.take(line("OK"), settled=True) == matched("OK")


def test_echoIsNotTakenForAnAnswer() -> None:
    """An expression that matches everything doesn't match the echo of a command."""
    port = stream(b"AT+COPS?\r\r\n+COPS: 0\r\n", b"AT+COPS?\r")
    assert port.take(pattern(".*"), settled=True) == matched("+COPS: 0")


def test_returnedDataIsNoEcho() -> None:
    """Data that a peer sends back is the line that the dialogue expects."""
    port = stream(b"hello\r\nhello\r\n", b"hello\r\n")
    assert port.take(line("hello"), settled=True) == matched("hello")
    assert port.take(pattern("he.*"), settled=True) == matched("hello")


def test_expectedEcho() -> None:
    """A dialogue about the echo itself sees it."""
    port = stream(b"AT\r\r\nOK\r\n", b"AT\r")
    assert port.take(line("AT"), settled=True) == matched("AT")
    assert port.take(line("OK"), settled=True) == matched("OK")


def test_echoOnlyOnce() -> None:
    """A command comes back once; a second time it is an unexpected line."""
    port = stream(b"AT\r\nAT\r\n", b"AT\r")
    assert port.take(line("OK"), settled=True) == unexpected("AT")


def test_numericResults() -> None:
    """A numeric result ends with a bare CR, also behind the echo and behind lines."""
    port = stream(b"AT+CSQ\r+CSQ: 1,2\r\n0\r", b"AT+CSQ\r")
    assert port.take(line("+CSQ: 1,2"), settled=True) == matched("+CSQ: 1,2")
    assert port.take(line("0"), settled=True) == matched("0")
    port.received(b"4\r0\r")
    port.allowAny()
    assert port.take(line("0"), settled=True) == matched("0")


def test_controlCharacters() -> None:
    """A CR inside data can be expected by an expression, as can ETX and DLE."""
    assert stream(b"a\rb\x10\x03c\r\n").take(pattern(r"a\rb\x10\x03c"), settled=True).verdict is Verdict.MATCHED


@pytest.mark.parametrize("expected", [line("DATA"), pattern("D.TA")])
def test_dataBeforeTheirEnd(expected: Expect) -> None:
    """Data without a line end are a line of their own, though an ETX follows at once; a coded one is of the data."""
    port = stream(b"DATA\x03\r\nOK\r\n")
    assert port.take(expected, settled=True) == matched("DATA")
    assert port.take(pattern(r"\x03"), settled=True) == matched("\x03")
    assert port.take(line("OK"), settled=True) == matched("OK")
    assert stream(b"DATA\x03\r\n").take(line("DAT"), settled=True) == unexpected("DATA\x03")
    assert stream(b"DATA\x10\x03\r\n").take(expected, settled=True).verdict is Verdict.UNEXPECTED
    assert stream(b"DATA\x10\x10\x03\r\n").take(line("DATA\x10\x10"), settled=True).verdict is Verdict.MATCHED


def test_skippedDataBeforeTheirEnd() -> None:
    """Where any lines may come, data may come in front of the ETX that is expected; the two together are found, too."""
    for expected in (pattern(r"\x03"), pattern(r"DATA\x03")):
        port = stream(b"more\r\nDATA\x03\r#CME ERROR: 37966\r\n")
        port.allowAny()
        assert port.take(expected, settled=True).verdict is Verdict.MATCHED
        assert port.take(line("#CME ERROR: 37966"), settled=True).verdict is Verdict.MATCHED


@pytest.mark.parametrize("isEchoing", [False, True])
def test_echoOfControlCharacters(isEchoing: bool) -> None:
    """A control character that was sent alone comes back only where the echo is on, unless the dialogue expects it."""
    port = LineStream()
    port.isEchoing = isEchoing
    for expected, found in ((line("OK"), isEchoing), (pattern(r"\x03"), True)):
        port.clear()
        port.sent(b"\x03")
        port.received(b"\x03\r\nOK\r\n")
        assert port.pending() == (["OK"] if isEchoing else ["\x03", "OK"])
        assert (port.take(expected, settled=True).verdict is Verdict.MATCHED) == found


def test_echoBeforeAControlCharacter() -> None:
    """What follows an echo without a line end is no part of it."""
    port = stream(b"AT#FTPPUT\r\x03", b"AT#FTPPUT\r")
    assert port.take(pattern(r"\x03"), settled=True) == matched("\x03")


def test_pending() -> None:
    """What nobody has taken is known, without echo and blank lines."""
    port = stream(b"AT\r\r\nRING\r\n\r\n> ", b"AT\r")
    assert port.pending() == ["RING", ">"]
    port.clear()
    assert port.pending() == []


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood on a port is an error, not memory."""
    monkeypatch.setattr(matching, "MAX_PENDING", 10)
    port = stream(b"0123456789")
    with pytest.raises(Overflow):
        port.received(b"0")


@given(st.lists(st.text("abc >:+", min_size=1, max_size=6).map(str.rstrip).filter(bool), max_size=8), st.data())
def test_anySplit(lines: list[str], data: st.DataObject) -> None:
    """However the octets are cut, the lines come out in order."""
    octets = b"".join(f"\r\n{each} \r\n".encode() for each in lines)
    port, at = LineStream(), 0
    for text in lines:
        outcome = port.take(line(text), settled=False)
        while outcome.verdict is Verdict.WAITING:
            size = data.draw(st.integers(1, 9))
            assert at < len(octets)
            port.received(octets[at : at + size])
            at += size
            outcome = port.take(line(text), settled=False)
        assert outcome == matched(text)


@given(st.binary(max_size=80), st.lists(st.binary(max_size=10), max_size=3), st.booleans(), st.booleans())
def test_hostileOctets(octets: bytes, sent: list[bytes], skipping: bool, settled: bool) -> None:
    """Anything at all may arrive; a line that isn't there is never found."""
    port = stream(octets, *sent)
    if skipping:
        port.allowAny()
    assert port.take(line("no such line, surely"), settled).verdict is not Verdict.MATCHED
