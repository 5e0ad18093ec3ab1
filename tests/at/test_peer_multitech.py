"""What the controlling side makes of Multi-Tech's dialect, against octets written by hand."""

from __future__ import annotations

import pytest

from atrunproto.at.errors import CommandFailed
from atrunproto.at.peerwire import NUMERIC_SETTLE
from atrunproto.at.results import multitechReason
from tests.at.fakes import pieces
from tests.at.test_peer import Line, error, pending, result

STARTED = [
    b"\r\n10.0.0.7\r\n\r\nOk_Info_GprsActivation\r\n",
    b"\r\n10.0.0.7\r\n\r\nOK_Info_GPRSActivation\r\n",
    b"\r\n10.0.0.7\r\n\r3086\r",
    b"AT#CONNECTIONSTART\r\r\n10.0.0.7\r\n\r\nOk_Info_PPP\r\n",
    b"AT#CONNECTIONSTART\r\r\n10.0.0.7\r\n\r3077\r",
]


@pytest.mark.parametrize("answer", STARTED)
def test_ending(answer: bytes) -> None:
    """
    A connection is there when its message has come, in words or as a number; no OK is waited for.

    MTS-RES-02, MTS-RES-09, MTS-RES-11, MTS-GAP-07, MTS-GAP-08.
    """
    for cut in range(len(answer)):
        line = Line()
        started = line.client.execute("AT#CONNECTIONSTART")
        line.comes(*pieces(answer, [cut]))
        response = result(started)
        assert response.lines == ("10.0.0.7",)
        assert response.result.lower() in ("ok_info_gprsactivation", "ok_info_ppp", "3086", "3077")
        line.sent()
        line.client.execute("AT#VSTATE")
        assert line.sent() == b"AT#VSTATE\r"


def test_messageAside() -> None:
    """A message that ends nothing that runs is heard by those who want it, and an answer isn't cut short by it."""
    line, heard = Line(), list[str]()
    line.client.onNotice("Ok_Info_PPP", heard.append)
    answered = line.client.execute("AT#VSTATE")
    line.comes(b'\r\nOk_Info_PPP\r\n#STATE: "CONNECTED"\r\n\r\nOK\r\n')
    assert (result(answered).lines, heard) == (('#STATE: "CONNECTED"',), ["Ok_Info_PPP"])


@pytest.mark.parametrize(
    "shown", [b"#CME ERROR: 35867", b"#CME ERROR : 35867", b"#CME ERROR:35867", b"#CME ERROR: 35867 "]
)
def test_error(shown: bytes) -> None:
    """An error with one CR in front is understood, whatever blanks it has (MTS-RES-05, MTS-GAP-09, MTS-GAP-10)."""
    line = Line()
    failed = line.client.execute("AT#DISPLAYIP")
    line.comes(b"\r" + shown + b"\r\n")
    assert error(failed, CommandFailed).reason == multitechReason(35867)


def test_display() -> None:
    """A display answers under other names than its own, and a report between its lines stays a notice (MTS-DISP-08)."""
    line, heard = Line(), list[str]()
    line.client.onNotice("+CGREG", heard.append)
    shown = line.client.execute("AT#VDNS")
    line.comes(b'#DNSSERV1: "0.0.0.0"\r\n\r\n+CGREG: 1\r\n#DNSSERV2: "0.0.0.0"\r\n\r\nOK\r\n')
    assert result(shown).lines == ('#DNSSERV1: "0.0.0.0"', '#DNSSERV2: "0.0.0.0"')
    assert heard == ["+CGREG: 1"]


def test_lossAside() -> None:
    """The loss of a connection is heard of when it happens, and the next command isn't held up by it (MTS-GAP-22)."""
    line, heard = Line(), list[str]()
    line.client.onNotice("#CME ERROR", heard.append)
    line.comes(b"\r#CME ERROR: 35862\r\n")
    assert heard == ["#CME ERROR: 35862"]
    line.client.execute("AT#VSTATE")
    assert line.sent() == b"AT#VSTATE\r"


def test_lossUnwanted() -> None:
    """Where nobody listens for errors, one that comes by itself makes the beginning of an answer doubtful."""
    line = Line()
    line.comes(b"\r#CME ERROR: 35862\r\n")
    line.client.execute("AT#VSTATE")
    assert line.sent() == b"\x1bAT\r"


def test_numeric() -> None:
    """A number with a CR on each side is a result, and a value that is read is none (MTS-RES-04, MTS-GAP-11)."""
    line = Line()
    written = line.client.execute("AT#PINGNUM=4")
    line.comes(b"\r0\r")
    assert pending(written)
    line.clock.advance(NUMERIC_SETTLE)
    assert result(written).result == "OK"
    for ending in (b"\r\nOK\r\n", b"\r0\r"):
        read = line.client.execute("AT#PINGNUM?")
        line.comes(b"#PINGNUM: 4\r\n" + ending)
        line.clock.advance(NUMERIC_SETTLE)
        assert result(read).lines == ("#PINGNUM: 4",)
    failed = line.client.execute("AT#CONNECTIONSTART")
    line.comes(b"\r\n10.0.0.7\r\n\r4\r")
    line.clock.advance(NUMERIC_SETTLE)
    assert error(failed, CommandFailed).reason.text == "ERROR"


@pytest.mark.parametrize("echo", [False, True])
def test_interrupt(echo: bool) -> None:
    """A connection that is being made can be stopped; the one answer that comes ends both lines (MTS-CALL-14)."""
    line = Line()
    assert not line.client.interrupt("AT#CONNECTIONSTART", "AT#CONNECTIONSTOP")
    started = line.client.execute("AT#CONNECTIONSTART")
    line.comes(b"AT#CONNECTIONSTART\r" if echo else b"")
    line.sent()
    assert not line.client.interrupt("AT#PING", "AT#CONNECTIONSTOP")
    assert line.sent() == b""
    assert line.client.interrupt("AT#CONNECTIONSTART", "AT#CONNECTIONSTOP")
    assert line.sent() == b"AT#CONNECTIONSTOP\r"
    line.comes(b"AT#CONNECTIONSTOP\r" if echo else b"", b"\r\nOK\r\n")
    response = result(started)
    assert (response.lines, response.result) == ((), "OK")
