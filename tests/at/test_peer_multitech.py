"""What the controlling side makes of Multi-Tech's dialect, against octets written by hand."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError

from atrunproto.at.errors import CommandFailed, CommandTimeout, LineSwallowed, LinkLost, Misuse
from atrunproto.at.peercommand import RESYNC_QUIET, RESYNC_WAIT
from atrunproto.at.peerlines import LONGEST
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


@pytest.mark.parametrize("answer", [b"\r\nOk_Info_NoMail\r\n", b"\r\nOK_Info_NoMail\r\n", b"\r3072\r"])
def test_noMail(answer: bytes) -> None:
    """That there is no mail ends its command, in words or as a number (MTS-RES-09, MTS-RES-11, MTS-GAP-39)."""
    line = Line()
    asked = line.client.execute("AT#GETMAIL")
    line.comes(answer)
    assert result(asked).lines == ()
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


# -- data between an announcement and a result

SESSION = b"plain\nOK\r\n"
"""Data that hold what looks like results."""


class UpToETX:
    """Data that end at ETX, and what was told of them."""

    def __init__(self, line: Line, patience: float = 10.0) -> None:
        self.begun = 0
        self.got = b""
        self._line = line
        self._patience = patience
        self._skipLF = False

    def isAnnouncedBy(self, line: str) -> bool:
        """In words or as a number."""
        return line in ("Ok_Info_WaitingForData", "1028")

    def announced(self, transport: object, skipLF: bool) -> None:
        """Remember it."""
        assert transport is self._line.transport
        self.begun += 1
        self._skipLF = skipLF

    def received(self, data: bytes) -> bytes | None:
        """Keep it."""
        if self._skipLF and data:
            self._skipLF, data = False, data.removeprefix(b"\n")
        part, end, behind = data.partition(b"\x03")
        self.got += part
        if not end:
            return None
        self._line.client.resultWithin(self._patience)
        return behind


OPENED = [
    b"\r\nOk_Info_WaitingForData\r\n" + SESSION + b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n",
    b"AT#OTCP=1\r\r\nOk_Info_WaitingForData\r\n" + SESSION + b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n",
    b"\r1028\r" + SESSION + b"\x03\r3074\r\r0\r",
]


@pytest.mark.parametrize("answer", OPENED)
def test_data(answer: bytes) -> None:
    """
    Between the announcement and the end all octets are data, wherever the stream is cut; the result follows.

    MTS-RES-09, MTS-RES-11, MTS-TCP-18.
    """
    for cut in range(len(answer)):
        line = Line()
        phase = UpToETX(line)
        answered = line.client.transfer("AT#OTCP=1", phase)
        assert line.sent() == b"AT#OTCP=1\r"
        line.comes(*pieces(answer, [cut]))
        line.clock.advance(NUMERIC_SETTLE)
        assert (phase.begun, phase.got) == (1, SESSION)
        assert result(answered).result == "OK"
        line.client.execute("AT#VSTATE")
        assert line.sent() == b"AT#VSTATE\r"
        assert not line.client.isOnline


def test_firstOctetIsLF() -> None:
    """Behind an announcement by number the first octet is data, whatever it is (MTS-RES-04)."""
    line = Line()
    phase = UpToETX(line)
    line.client.transfer("AT#OTCP=1", phase)
    line.comes(b"\r1028\r", b"\n1")
    assert phase.got == b"\n1"


def test_noData() -> None:
    """A command that fails before its data are announced has none."""
    line = Line()
    phase = UpToETX(line)
    answered = line.client.transfer("AT#OTCP=1", phase)
    line.comes(b"\r#CME ERROR: 38016\r\n")
    assert error(answered, CommandFailed).reason == multitechReason(38016)
    assert phase.begun == 0


def test_dataWait() -> None:
    """The data take as long as they like, other lines wait for their end, and the result has its time."""
    line = Line()
    answered = line.client.transfer("AT#OTCP=1", UpToETX(line))
    later = line.client.execute("AT#VSTATE")
    line.comes(b"\r\nOk_Info_WaitingForData\r\n")
    line.sent()
    line.clock.advance(100_000)
    assert pending(answered)
    assert line.sent() == b""
    line.comes(b"\x03")
    line.clock.advance(9.9)
    assert pending(answered)
    line.clock.advance(0.1)
    assert error(answered, CommandTimeout).seconds == 10.0
    assert pending(later)


def test_dataLost() -> None:
    """A line that is lost in the midst of data fails the command that they belong to."""
    line = Line()
    answered = line.client.transfer("AT#OTCP=1", UpToETX(line))
    line.comes(b"\r\nOk_Info_WaitingForData\r\nhello")
    line.lose()
    assert error(answered, LinkLost).sent


def test_dataOfAnother() -> None:
    """A modem that carries data which nobody has asked for is made to end them (MTS-TCP-17)."""
    line = Line()
    answered = line.client.execute("AT#OTCP=1")
    line.comes(b"\r\nOk_Info_WaitingForData\r\n")
    line.clock.advance(LONGEST)
    error(answered, CommandTimeout)
    later = line.client.execute("AT#VDNS")
    line.sent()
    line.comes(b"what the peer says\r\n")
    line.clock.advance(RESYNC_WAIT)
    assert line.sent() == b"\x03\x1bAT\r"
    line.comes(b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"\x1bAT\r"
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"AT#VDNS\r"
    assert pending(later)


def test_awaited() -> None:
    """Data may begin by themselves, long after their command was answered; the port is free until then (MTS-TCP-07)."""
    line = Line()
    phase = UpToETX(line)
    answered = line.client.expect("AT#LTCPSTART=1", phase)
    error(line.client.expect("AT#LUDPSTART", UpToETX(line)), Misuse)
    state = line.client.execute("AT#VSTATE")
    line.comes(b'#STATE: "CONNECTED"\r\n\r\nOK\r\n')
    assert result(state).lines == ('#STATE: "CONNECTED"',)
    line.comes(b"\r\nOk_Info_WaitingForData\r\n", SESSION, b"\x03\r#CME ERROR: 35841\r\n")
    assert phase.got == SESSION
    assert error(answered, CommandFailed).command == "AT#LTCPSTART=1"
    assert pending(line.client.expect("AT#LTCPSTART=1", UpToETX(line)))


def test_swallowed() -> None:
    """A command that crosses the beginning of data was not run, and its sender hears that (MTS-TCP-07)."""
    line = Line()
    phase = UpToETX(line)
    answered = line.client.expect("AT#LTCPSTART=1", phase)
    crossed, later = line.client.execute("AT#VSTATE"), line.client.execute("AT#VDNS")
    line.sent()
    line.comes(b"\r\nOk_Info_WaitingForData\r\nhello")
    assert error(crossed, LineSwallowed).command == "AT#VSTATE"
    assert phase.got == b"hello"
    assert line.sent() == b""
    line.comes(b"\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n")
    assert result(answered).lines == ("Ok_Info_SocketClosed",)
    assert pending(later)
    assert line.sent() == b"AT#VDNS\r"


def test_awaitedNoMore() -> None:
    """Who awaits data may give up, and is told when there will be none."""
    line = Line()
    phase = UpToETX(line)
    answered = line.client.expect("AT#LTCPSTART=1", phase)
    answered.addErrback(lambda failure: failure.trap(CancelledError) and None)
    answered.cancel()
    line.comes(b"\r\nOk_Info_WaitingForData\r\n")
    assert phase.begun == 0
    answered = line.client.expect("AT#LTCPSTART=1", phase)
    line.lose()
    error(answered, LinkLost)
    assert not error(line.client.expect("AT#LTCPSTART=1", phase), LinkLost).sent


def test_awaitedBesideALateOne() -> None:
    """A command whose data don't come in time takes nothing from who awaits others (MTS-TCP-07)."""
    line = Line()
    phase = UpToETX(line)
    answered = line.client.expect("AT#LTCPSTART=1", phase)
    late = line.client.transfer("AT#FTPGET", UpToETX(line), 5.0)
    line.clock.advance(5.0)
    error(late, CommandTimeout)
    line.comes(b"\r\nOk_Info_WaitingForData\r\nhello\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n")
    assert phase.got == b"hello"
    assert result(answered).result == "OK"


def test_badLineWithData() -> None:
    """A line that can't be sent fails as any other does, by the Deferred."""
    line = Line()
    for call in (line.client.transfer, line.client.expect):
        error(call("AT#OTCP=1\r", UpToETX(line)), Misuse)
    assert line.sent() == b""


@pytest.mark.parametrize("echo", [False, True])
def test_entry(echo: bool) -> None:
    """Lines that the module takes without a prompt follow the command, and their echo is no answer (MTS-MAIL-07)."""
    line = Line()
    entered = line.client.execute("AT#REC1ADD", data=b"one@x\r\ntwo@x", isPrompted=False)
    assert line.sent() == b"AT#REC1ADD\rone@x\r\ntwo@x\x1a"
    line.comes(*([b"AT#REC1ADD\r", b"one@x\r\n", b"two@x\x1a"] if echo else []), b"\r\nOK\r\n")
    assert result(entered).lines == ()
