"""Result codes and their framing, byte for byte, in Telit's dialect; Multi-Tech's has a module of its own."""

from __future__ import annotations

import pytest

from atrunproto.at.results import (
    CME,
    CMS,
    CONNECT,
    ERROR,
    NO_CARRIER,
    OK,
    PLAIN_ERROR,
    TELIT,
    ErrorFamily,
    Framing,
    asLines,
    multitechReason,
    refuse,
)

VERBOSE = TELIT.framing()
NUMERIC = TELIT.framing(verbose=False)
QUIET = TELIT.framing(quiet=True)


def test_resultVerbose() -> None:
    """TEL-GEN-05: under ATV1 a result code is wrapped in CR LF before and after."""
    assert VERBOSE.result(OK) == b"\r\nOK\r\n"
    assert VERBOSE.result(CONNECT) == b"\r\nCONNECT\r\n"


def test_resultNumeric() -> None:
    """Under ATV0 a result code is its number and CR."""
    assert [NUMERIC.result(code) for code in (OK, CONNECT, NO_CARRIER, ERROR)] == [b"0\r", b"1\r", b"3\r", b"4\r"]


def test_informationVerbose() -> None:
    """TEL-GEN-05: a block of information has one CR LF in front and one behind each line."""
    assert VERBOSE.information(["+CREG: 0,1"]) == b"\r\n+CREG: 0,1\r\n"
    assert VERBOSE.information(["#SGACT: 1,0", "#SGACT: 2,0"]) == b"\r\n#SGACT: 1,0\r\n#SGACT: 2,0\r\n"


def test_informationNumeric() -> None:
    """Under ATV0 information has no CR LF in front."""
    assert NUMERIC.information(["+CREG: 0,1", "x"]) == b"+CREG: 0,1\r\nx\r\n"


def test_operatorAnswer() -> None:
    """TEL-GEN-05: the 34 octets of an operator answer with its OK, as the digest answer of the print has them."""
    answer = VERBOSE.information(['+COPS: 0,0,"vodafone IT"']) + VERBOSE.result(OK)
    assert answer == b'\r\n+COPS: 0,0,"vodafone IT"\r\n\r\nOK\r\n'
    assert len(answer) == 34


@pytest.mark.parametrize(
    ("cmee", "framed"),
    [
        (0, b"\r\nERROR\r\n"),
        (1, b"\r\n+CME ERROR: 10\r\n"),
        (2, b"\r\n+CME ERROR: SIM not inserted\r\n"),
    ],
)
def test_equipmentError(cmee: int, framed: bytes) -> None:
    """TEL-GEN-06: +CMEE decides whether an error is bare, a number or a text."""
    assert VERBOSE.failure(CME[10], cmee) == framed


@pytest.mark.parametrize("cmee", [0, 1, 2])
def test_errorsThatIgnoreCMEE(cmee: int) -> None:
    """A syntax error is bare, and an SMS error a number, whatever +CMEE is."""
    assert VERBOSE.failure(PLAIN_ERROR, cmee) == b"\r\nERROR\r\n"
    assert VERBOSE.failure(CMS[321], cmee) == b"\r\n+CMS ERROR: 321\r\n"


def test_errorNumeric() -> None:
    """Under ATV0 a bare error is 4 and an error with a number keeps its form without the CR LF in front."""
    assert NUMERIC.failure(CME[10], 0) == b"4\r"
    assert NUMERIC.failure(CME[10], 1) == b"+CME ERROR: 10\r\n"


def test_quiet() -> None:
    """Under ATQ1 result codes, errors and notices vanish; information stays."""
    assert QUIET.result(OK) == QUIET.failure(CME[10], 2) == QUIET.failure(PLAIN_ERROR, 0) == b""
    assert QUIET.unsolicited("SRING: 1") == b""
    assert QUIET.information(["x"]) == b"\r\nx\r\n"


def test_otherCharacters() -> None:
    """The characters of S3 and S4 stand in place of CR and LF everywhere."""
    framing = TELIT.framing(s3=33, s4=45)
    assert framing.result(OK) == b"!-OK!-"
    assert framing.information(["a", "b"]) == b"!-a!-b!-"
    assert framing.prompt("> ") == b"!-> "
    assert TELIT.framing(verbose=False, s3=33).result(OK) == b"0!"


@pytest.mark.parametrize("framing", [VERBOSE, NUMERIC, QUIET])
def test_prompts(framing: Framing) -> None:
    """The prompts for data have CR LF in front and nothing behind, in every mode."""
    assert framing.prompt(">>>") == b"\r\n>>>"
    assert framing.prompt("> ") == b"\r\n> "


def test_unsolicited() -> None:
    """A notice is framed like a line of information."""
    assert VERBOSE.unsolicited("SRING: 1") == b"\r\nSRING: 1\r\n"
    assert NUMERIC.unsolicited("SRING: 1") == b"SRING: 1\r\n"


def test_framingIsShared() -> None:
    """Equal settings share one framing, so that ten thousand idle modules hold only a few."""
    assert TELIT.framing(verbose=True, s3=13) is VERBOSE


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4, "operation not supported"),
        (100, "unknown"),
        (553, "context already activated"),
        (558, "can not resolve DN"),
        (559, "timeout in opening socket"),
        (612, "resource used by other instance"),
    ],
)
def test_texts(number: int, text: str) -> None:
    """Each error number has the text that real modules print."""
    assert CME[number].text == text


def test_numbersAgree() -> None:
    """Each reason is found under its own number and knows its family."""
    assert all(reason.number == number and reason.family is ErrorFamily.CME for number, reason in CME.items())
    assert all(reason.number == number and reason.family is ErrorFamily.CMS for number, reason in CMS.items())


def test_printed() -> None:
    """A person at a terminal reads what went wrong, and with which command if that is known."""
    assert str(refuse(CME[10])) == "the command was answered by +CME ERROR: SIM not inserted"
    assert str(refuse()) == "the command was answered by ERROR"
    assert str(multitechReason(34817)) == "#CME ERROR: 34817"


def test_asLines() -> None:
    """A handler may answer with nothing, one line or several."""
    assert (asLines(None), asLines("a"), asLines(["a", "b"])) == ((), ("a",), ["a", "b"])


def test_otherAlphabets() -> None:
    """A name that Latin-1 can't hold is printed with question marks; no answer fails because of it."""
    assert VERBOSE.information(['"\u010cD M\xfcnchen \u4e2d"']) == b'\r\n"?D M\xfcnchen ?"\r\n'
    assert VERBOSE.unsolicited("\u20ac") == b"\r\n?\r\n"
