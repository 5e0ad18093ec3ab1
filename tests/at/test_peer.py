"""The controlling side of an AT line, against octets written by hand; with a real instance see C{test_pair}."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from atrunproto.at.basic import commands as basic
from atrunproto.at.commands import CommandTable
from atrunproto.at.errors import CommandFailed, CommandTimeout, LinkLost, Misuse, PeerViolation
from atrunproto.at.parameters import Int, Text
from atrunproto.at.peer import ATClient
from atrunproto.at.peercommand import RESYNC_QUIET, RESYNC_TRIES, RESYNC_WAIT
from atrunproto.at.peerlines import MAX_ANSWER, MAX_LINE, Response
from atrunproto.at.peeronline import SILENCE
from atrunproto.at.peersending import ESCAPE_GUARD
from atrunproto.at.peerwire import MAX_QUEUED, NUMERIC_SETTLE
from atrunproto.at.results import CME, CMS, MULTITECH, Dialect, multitechReason
from tests.at.fakes import pieces

T = TypeVar("T")

table = CommandTable("peer")
table.action("+CSQ", longest=3.0)(lambda at: "+CSQ: 20,0")
table.setting("+CREG", Int("mode", 0, 2, default=0), tellsStatus=True)
table.setting("#SCFG", Int("size", 0, 1500, default=300), key=Int("connId", 1, 6))
table.setting("#AUTH", Text("password", default="", secret=True))
ROWS = {**basic.rows, **table.rows}


class Line:
    """A client on a transport in memory."""

    def __init__(self, connected: bool = True, **options: Any) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.client = ATClient(self.clock, ROWS, **options)
        if connected:
            self.client.makeConnection(self.transport)

    def sent(self) -> bytes:
        """What the client has sent since the last look."""
        sent: bytes = self.transport.value()
        self.transport.clear()
        return sent

    def comes(self, *chunks: bytes) -> None:
        """What the module says."""
        for chunk in chunks:
            self.client.dataReceived(chunk)

    def lose(self) -> None:
        """The connection ends."""
        self.client.connectionLost(Failure(ConnectionDone()))


def result(deferred: Deferred[T]) -> T:
    """What a Deferred has come to; an error is raised."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    assert results, "nothing has come yet"
    if isinstance(results[0], Failure):
        assert results[0].value is not None
        raise results[0].value
    given: T = results[0]
    return given


def error(deferred: Deferred[Any], kind: type[Any]) -> Any:
    """The error that a Deferred has come to."""
    with pytest.raises(kind) as raised:
        result(deferred)
    return raised.value


def pending(deferred: Deferred[Any]) -> bool:
    """Whether nothing has come yet."""
    return not deferred.called


ANSWERS = [
    b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n",
    b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n",
    b"+CSQ: 20,0\r\n0\r",
    b"AT+CSQ\r+CSQ: 20,0\r\n0\r",
    # Multi-Tech: echo, parameter, numeric result
    b"AT+CSQ\r+CSQ: 20,0\r\n\r0\r",
    # notices in front, in the midst of the echo, between the lines, glued
    b"\r\nRING\r\nAT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n",
    b"AT+\r\n+CREG: 1\r\nCSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n",
    b"AT+CSQ\r\r\n+CREG: 1\r\n\r\nSRING: 1\r\n\r\n+CSQ: 20,0\r\n\r\n+CREG: 2\r\n\r\nOK\r\n",
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_answer(answer: bytes) -> None:
    """An answer is understood with echo and without, in words and in numbers, however it is cut (TEL-GEN-05)."""
    cuts: list[Iterable[int]] = [[], range(len(answer)), *([at] for at in range(len(answer)))]
    for cut in cuts:
        line = Line()
        answered = line.client.execute("AT+CSQ")
        assert line.sent() == b"AT+CSQ\r"
        line.comes(*pieces(answer, cut))
        line.clock.advance(NUMERIC_SETTLE)
        assert result(answered) == Response(("+CSQ: 20,0",), "OK")
        assert line.clock.getDelayedCalls() == []


OCTETS = b"a\r\nOK\r\n> \r\n\0\xff"


def test_octetsInAnswer() -> None:
    """Octets that stand in an answer come out as they are, whatever they look like, however they are cut."""
    answer = b"\r\n#SRECV: 1,%d\r\n%b\r\n\r\nOK\r\n" % (len(OCTETS), OCTETS)
    for at in range(len(answer)):
        line = Line()
        answered = line.client.execute("AT#SRECV=1,1500", block=lambda text: int(text.rpartition(",")[2]))
        line.sent()
        line.comes(*pieces(answer, [at]))
        assert result(answered) == Response((f"#SRECV: 1,{len(OCTETS)}",), "OK", OCTETS)


def test_octetsMissing() -> None:
    """Where octets should follow and something else does, the command fails."""
    line = Line()
    answered = line.client.execute("AT#SRECV=1,1500", block=lambda text: 2)
    line.comes(b"\r\n#SRECV: 1,2\rabc\r\nOK\r\n")
    with pytest.raises(PeerViolation):
        result(answered)


def test_promptLeftBehind() -> None:
    """The echo behind a prompt that somebody has left behind is no answer."""
    line = Line()
    answered = line.client.execute("AT+CSQ")
    line.comes(b"> AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n")
    assert result(answered).lines == ("+CSQ: 20,0",)


def test_answerInPieces() -> None:
    """The next command gets its own answer, whatever came before in the same chunk."""
    line = Line()
    first, second = line.client.execute("+CSQ"), line.client.execute("AT+CGMM")
    assert line.sent() == b"AT+CSQ\r"
    line.comes(b"\r\n+CSQ: 1,1\r\n\r\nOK\r\n")
    assert line.sent() == b"AT+CGMM\r"
    line.comes(b"AT+CGMM\r\r\nHE910\r\n\r\nOK\r\n")
    assert (result(first).lines, result(second).lines) == (("+CSQ: 1,1",), ("HE910",))


@pytest.mark.parametrize(
    ("final", "reason"),
    [
        (b"\r\nERROR\r\n", "ERROR"),
        (b"4\r", "ERROR"),
        (b"\r\n+CME ERROR: 10\r\n", CME[10]),
        (b"\r\n+CME ERROR: SIM not inserted\r\n", CME[10]),
        (b"\r\n+CMS ERROR: 305\r\n", CMS[305]),
        (b"\r#CME ERROR: 34819\r\n", multitechReason(34819)),
        (b"\r\nBUSY\r\n", "BUSY"),
    ],
)
def test_failure(final: bytes, reason: Any) -> None:
    """An error fails the command with its reason from the table."""
    line = Line()
    answered = line.client.execute("AT+CSQ")
    line.comes(final)
    line.clock.advance(NUMERIC_SETTLE)
    failed = error(answered, CommandFailed)
    assert failed.command == "AT+CSQ"
    assert reason in (failed.reason, failed.reason.text)


def test_digitAsInformation() -> None:
    """A digit that is information isn't taken for a result, even if its line end comes in two pieces."""
    for numeric in (b"", b"\r\n4\r"):
        line = Line()
        answered = line.client.execute("AT+CGMM")
        line.comes(b"\r\n0\r")
        line.clock.advance(NUMERIC_SETTLE / 2)
        line.comes(b"\n" + numeric, b"" if numeric else b"\r\nOK\r\n")
        line.clock.advance(NUMERIC_SETTLE)
        if numeric:
            error(answered, CommandFailed)
        else:
            assert result(answered).lines == ("0",)
        assert line.clock.getDelayedCalls() == []


def test_lossWhileInDoubt() -> None:
    """A link that is lost while a digit may be a result leaves no timer, nor does a timeout just then."""
    for end in (Line.lose, lambda line: line.clock.advance(0.5)):
        line = Line()
        answered = line.client.execute("AT+CGMM", timeout=0.01 if end is not Line.lose else None)
        line.comes(b"\r\n0\r")
        end(line)
        error(answered, LinkLost if end is Line.lose else CommandTimeout)
        assert line.clock.getDelayedCalls() == []


def test_noDelay() -> None:
    """On TCP each command goes out at once, whatever is still unacknowledged."""

    class TCPTransport(StringTransport):
        """What TCP has beside other transports."""

        noDelay = False

        def setTcpNoDelay(self, enabled: bool) -> None:
            """Remember it."""
            self.noDelay = enabled

    transport = TCPTransport()
    ATClient(Clock()).makeConnection(transport)
    assert transport.noDelay


def test_noCarrier() -> None:
    """NO CARRIER answers what dials; in the midst of another command it is a notice."""
    line = Line()
    heard: list[str] = []
    line.client.onNotice("NO CARRIER", heard.append)
    answered = line.client.execute("AT+CSQ")
    line.comes(b"\r\nNO CARRIER\r\n\r\n+CSQ: 1,1\r\n\r\nOK\r\n")
    assert (result(answered).lines, heard) == (("+CSQ: 1,1",), ["NO CARRIER"])
    dialled = line.client.execute("ATD123;")
    line.comes(b"\r\nNO CARRIER\r\n")
    assert error(dialled, CommandFailed).reason.text == "NO CARRIER"
    assert heard == ["NO CARRIER"]


def test_timeout() -> None:
    """A command may take as long as its row says, or its caller; then it fails, and timers are gone."""
    line = Line()
    known, told = line.client.execute("AT+CSQ"), line.client.execute("AT+CSQ", timeout=1.0)
    line.clock.advance(2.9)
    assert pending(known)
    line.clock.advance(0.2)
    failed = error(known, CommandTimeout)
    assert (failed.command, failed.seconds) == ("AT+CSQ", 3.0)
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    line.clock.advance(1.0)
    assert error(told, CommandTimeout).seconds == 1.0
    assert line.clock.getDelayedCalls() == []


def test_lateAnswer() -> None:
    """After a timeout the late answer isn't taken for that of the next command."""
    line = Line()
    late = line.client.execute("AT+CSQ")
    line.clock.advance(3.0)
    error(late, CommandTimeout)
    line.sent()
    following = line.client.execute("AT+CGMM")
    assert line.sent() == b"\x1bAT\r"
    line.comes(b"\r\n+CSQ: 9,9\r\n\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    # that OK was not alone, so it is asked once more
    assert line.sent() == b"\x1bAT\r"
    line.comes(b"AT\r\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"AT+CGMM\r"
    line.comes(b"\r\nHE910\r\n\r\nOK\r\n")
    assert result(following).lines == ("HE910",)


def test_twoLateResults() -> None:
    """Two OKs in a row are one too many: which of them was the last is asked again."""
    line = Line()
    error(expired(line), CommandTimeout)
    line.client.execute("AT+CGMM").addErrback(lambda _: None)
    line.sent()
    line.comes(b"\r\nOK\r\n\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"\x1bAT\r"


def expired(line: Line) -> Deferred[Response]:
    """A command that has got no answer."""
    answered = line.client.execute("AT+CSQ")
    line.clock.advance(3.0)
    line.sent()
    return answered


def test_noSense() -> None:
    """A module that gives no sensible answer any more loses its link, after so many tries."""
    line = Line()
    error(expired(line), CommandTimeout)
    following = line.client.execute("AT+CGMM")
    for number in range(RESYNC_TRIES):
        assert line.sent() == (b"\x03" if number else b"") + b"\x1bAT\r"
        assert not line.transport.disconnecting
        line.comes(b"garbage\r\n")
        line.clock.advance(RESYNC_WAIT)
    assert line.transport.disconnecting
    line.lose()
    assert error(following, LinkLost).sent is False


def test_noticeDuringResync() -> None:
    """A notice that somebody waits for is no garbage."""
    line = Line()
    heard: list[str] = []
    line.client.onNotice("+CREG", heard.append)
    error(expired(line), CommandTimeout)
    line.client.execute("AT+CGMM").addErrback(lambda _: None)
    line.sent()
    line.comes(b"\r\n+CREG: 1\r\n\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert (line.sent(), heard) == (b"AT+CGMM\r", ["+CREG: 1"])


def test_garbageDuringResync() -> None:
    """An OK that comes with garbage proves nothing, be it a line without end or a call that is connected late."""
    for garbage in (b"x" * (MAX_LINE + 1) + b"\r\n", b"\r\nnoise\r\n", b"\r\nERROR\r\n"):
        line = Line()
        error(expired(line), CommandTimeout)
        line.client.execute("AT+CGMM").addErrback(lambda _: None)
        line.sent()
        line.comes(garbage, b"\r\nOK\r\n")
        line.clock.advance(RESYNC_WAIT)
        assert line.sent() == b"\x1bAT\r"


def test_connectDuringResync() -> None:
    """A call that is connected while the module is asked for its senses is left by the escape sequence."""
    line = Line()
    error(expired(line), CommandTimeout)
    line.client.execute("AT+CGMM").addErrback(lambda _: None)
    line.sent()
    line.comes(b"\r\nCONNECT\r\n")
    line.clock.advance(ESCAPE_GUARD)
    assert line.sent() == b"+++"
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(SILENCE)
    assert line.sent() == b"\x1bAT\r"


def test_connectUnasked() -> None:
    """A module that goes online by itself is brought back by the escape sequence, and hung up."""
    line = Line()
    line.comes(b"\r\nCONNECT\r\n", b"data")
    line.clock.advance(ESCAPE_GUARD)
    assert line.sent() == b"+++"
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(SILENCE)
    assert line.sent() == b"\x1bAT\r"
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"ATH\r"
    assert not line.client.isOnline
    line.lose()


def test_stopWaitingForResync() -> None:
    """When nobody waits for the line any more, it isn't asked for its senses, until the next command."""
    line = Line()
    error(expired(line), CommandTimeout)
    following = line.client.execute("AT+CGMM")
    line.sent()
    following.cancel()
    error(following, CancelledError)
    line.clock.advance(RESYNC_WAIT)
    assert (line.sent(), line.clock.getDelayedCalls()) == (b"", [])
    line.client.execute("AT+CGMM").addErrback(lambda _: None)
    assert line.sent() == b"\x1bAT\r"


def test_unaskedResult() -> None:
    """A result that nobody has asked for makes the client look where it is."""
    line = Line()
    line.comes(b"\r\nOK\r\n")
    line.client.execute("AT+CGMM").addErrback(lambda _: None)
    assert line.sent() == b"\x1bAT\r"


@pytest.mark.parametrize(
    "garbage", [b"x" * (MAX_LINE + 20), b"\r\n+CSQ: 1\r\n" * (MAX_ANSWER // 64)], ids=["line", "lines"]
)
def test_endless(garbage: bytes) -> None:
    """An answer without end fails its command, and the next one is sent when the module makes sense again."""
    line = Line()
    answered, following = line.client.execute("AT+CSQ"), line.client.execute("AT+CGMM")
    line.sent()
    line.comes(garbage)
    error(answered, PeerViolation)
    assert line.sent() == b"\x1bAT\r"
    line.comes(b"\r\nOK\r\n")
    line.clock.advance(RESYNC_QUIET)
    assert line.sent() == b"AT+CGMM\r"
    line.comes(b"\r\nHE910\r\n\r\nOK\r\n")
    assert result(following).lines == ("HE910",)


def test_cancelQueued() -> None:
    """A command that waits and is cancelled is never sent."""
    line = Line()
    first, second, third = (line.client.execute(name) for name in ("+CSQ", "+CGMM", "+CGMR"))
    second.cancel()
    error(second, CancelledError)
    line.comes(b"\r\nOK\r\n")
    result(first)
    assert line.sent() == b"AT+CSQ\rAT+CGMR\r"
    third.cancel()
    error(third, CancelledError)


def test_cancelOnWire() -> None:
    """A command on the wire that is cancelled keeps the wire until its answer has come."""
    line = Line()
    first, second = line.client.execute("+CSQ"), line.client.execute("+CGMM")
    first.cancel()
    error(first, CancelledError)
    assert line.sent() == b"AT+CSQ\r"
    line.comes(b"\r\n+CSQ: 1,1\r\n\r\nOK\r\n")
    assert line.sent() == b"AT+CGMM\r"
    line.comes(b"\r\nHE910\r\n\r\nOK\r\n")
    assert result(second).lines == ("HE910",)


def test_cancelThenTimeout() -> None:
    """The wire of a cancelled command is free after its timeout at last."""
    line = Line()
    first = line.client.execute("+CSQ")
    first.cancel()
    error(first, CancelledError)
    line.client.execute("+CGMM").addErrback(lambda _: None)
    line.sent()
    line.clock.advance(3.0)
    assert line.sent() == b"\x1bAT\r"


def test_linkLost() -> None:
    """When the link is lost, each command knows whether it had been sent, and what comes later is refused."""
    line = Line()
    first, second = line.client.execute("+CSQ"), line.client.execute('#AUTH="secret"')
    gone, goneToo = line.client.whenLost(), line.client.whenLost()
    line.lose()
    assert error(first, LinkLost).sent is True
    lost = error(second, LinkLost)
    assert (lost.sent, lost.command) == (False, "AT#AUTH=...")
    for each in (gone, goneToo, line.client.whenLost()):
        assert isinstance(result(each), ConnectionDone)
    assert error(line.client.execute("+CSQ"), LinkLost).sent is False
    assert line.clock.getDelayedCalls() == []


def test_close() -> None:
    """After closing nothing more is sent; what waited fails when the connection is gone."""
    line = Line()
    first, second = line.client.execute("+CSQ"), line.client.execute("+CGMM")
    line.client.close()
    assert line.transport.disconnecting
    line.comes(b"\r\nOK\r\n")
    result(first)
    assert line.sent() == b"AT+CSQ\r"
    assert error(line.client.execute("+CSQ"), LinkLost).sent is False
    line.lose()
    assert error(second, LinkLost).sent is False
    line.client.close()
    line.client.abort()


def test_beforeConnection() -> None:
    """What is asked for before there is a connection is sent with it, in its order."""
    line = Line(connected=False)
    for name in ("+CSQ", "+CGMM"):
        line.client.execute(name).addErrback(lambda _: None)
    line.client.makeConnection(line.transport)
    assert line.sent() == b"AT+CSQ\r"
    line.comes(b"\r\nOK\r\n")
    assert line.sent() == b"AT+CGMM\r"
    verifyObject(IProtocol, line.client)


def test_fullQueue() -> None:
    """More commands than may wait are refused at once, and the others don't notice."""
    line = Line()
    waiting = [line.client.execute("+CSQ") for _ in range(MAX_QUEUED + 1)]
    error(line.client.execute("+CSQ"), Misuse)
    line.lose()
    assert [error(each, LinkLost).sent for each in waiting] == [True] + [False] * MAX_QUEUED


def test_pause() -> None:
    """On a serial line the client can leave the module its pause between a result and the next command."""
    line = Line(pause=0.02)
    first, second = line.client.execute("+CSQ"), line.client.execute("+CGMM")
    line.comes(b"\r\nOK\r\n")
    result(first)
    assert line.sent() == b"AT+CSQ\r"
    line.clock.advance(0.02)
    assert line.sent() == b"AT+CGMM\r"
    line.comes(b"\r\nOK\r\n")
    result(second)
    third = line.client.execute("+CSQ")
    assert line.sent() == b""
    line.clock.advance(0.02)
    assert line.sent() == b"AT+CSQ\r"
    line.lose()
    error(third, LinkLost)


def test_unsendable() -> None:
    """A line that can't be sent fails at once, and nothing goes out."""
    line = Line()
    error(line.client.execute("AT\rATD1"), Misuse)
    error(line.client.connect("AT\r", Line().client), Misuse)
    error(line.client.connect("ATD1", Line().client, hangUp="\r"), Misuse)
    assert line.sent() == b""


# -- prompts

PROMPTS = [
    (b"\r\n> ", "AT+CMGS=5", b"hello\x1a"),
    (b"\r\n>>>", 'AT#WSCRIPT="a",5', b"hello"),
    (b"\r\n> ", "AT#SSENDEXT=1,5", b"hello"),
]


@pytest.mark.parametrize(("prompt", "command", "data"), PROMPTS)
@pytest.mark.parametrize("echo", [True, False])
def test_prompt(prompt: bytes, command: str, data: bytes, echo: bool) -> None:
    """Data go out at the prompt and not before, with ^Z where it isn't counted; their echo is no answer."""
    for cut in range(len(prompt)):
        line = Line()
        answered = line.client.execute(command, data=b"hello")
        line.sent()
        line.comes(command.encode() + b"\r" if echo else b"")
        for piece in pieces(prompt, [cut]):
            assert line.sent() == b""
            line.comes(piece)
        assert line.sent() == data
        line.comes(b"hello" if echo else b"", b"\r\n+DONE: 1\r\n", b"\r\nOK\r\n")
        assert result(answered) == Response((), "OK")


@pytest.mark.parametrize(
    "echo",
    [b"", b"one\r\ntwo", b"one\r\n> two\x1a", b"one\r\ntwo\x1a"],
    ids=["none", "plain", "asked again", "with the end"],
)
def test_echoOfText(echo: bytes) -> None:
    """Text of several lines comes back in several ways, and none of them is an answer."""
    for cut in range(len(echo) + 1):
        line = Line()
        answered = line.client.execute("AT+CMGS=1", data=b"one\rtwo")
        line.comes(b"AT+CMGS=1\r" if echo else b"", b"\r\n> ")
        line.sent()
        line.comes(*pieces(echo + b"\r\n+CMGS: 5\r\n\r\nOK\r\n", [cut]))
        assert line.sent() == b""
        assert result(answered).lines == ("+CMGS: 5",)


def test_echoOfTextInNumbers() -> None:
    """Under ATV0 the answer follows the echo of the data without a line end."""
    line = Line()
    answered = line.client.execute("AT+CMGS=1", data=b"one")
    line.comes(b"AT+CMGS=1\r", b"\r\n> ", b"one+CMGS: 5\r\n0\r")
    line.clock.advance(NUMERIC_SETTLE)
    assert result(answered).lines == ("+CMGS: 5",)


def test_dataWithoutEcho() -> None:
    """A module that echoes the command but not the data is understood too."""
    line = Line()
    answered = line.client.execute("AT+CMGS=1", data=b"one")
    line.comes(b"AT+CMGS=1\r\r\n> ", b"\r\n+CMGS: 5\r\n\r\nOK\r\n")
    assert result(answered).lines == ("+CMGS: 5",)


def test_longEcho() -> None:
    """The echo of long data is no garbage."""
    data = b"x" * (2 * MAX_LINE)
    line = Line()
    answered = line.client.execute(f"AT#SSENDEXT=1,{len(data)}", data=data)
    line.comes(line.sent(), b"\r\n> ")
    line.comes(*pieces(data, range(0, len(data), 1000)), b"\r\nOK\r\n")
    assert result(answered) == Response((), "OK")


def test_unexpectedPrompt() -> None:
    """A command that asks for data and gets none is left by ESC, and says so."""
    line = Line()
    answered = line.client.execute("AT+CMGS=1")
    line.sent()
    line.comes(b"\r\n> ")
    assert line.sent() == b"\x1b"
    assert pending(answered)
    line.comes(b"\r\nOK\r\n")
    assert "asks for data" in str(error(answered, Misuse))


@pytest.mark.parametrize("data", [b"a\x1ab", b"a\x1b"])
def test_badText(data: bytes) -> None:
    """Data that would end or give up the text in their midst aren't sent."""
    line = Line()
    answered = line.client.execute("AT+CMGS=1", data=data)
    line.sent()
    line.comes(b"\r\n> ")
    assert line.sent() == b"\x1b"
    line.comes(b"\r\nERROR\r\n")
    error(answered, Misuse)


def test_promptOfCancelled() -> None:
    """A cancelled command gives no data away at its prompt."""
    line = Line()
    answered = line.client.execute("AT+CMGS=1", data=b"hello")
    answered.cancel()
    error(answered, CancelledError)
    line.sent()
    line.comes(b"\r\n> ")
    assert line.sent() == b"\x1b"


def test_promptLikeText() -> None:
    """An information line that is cut behind what looks like a prompt is none."""
    line = Line()
    answered = line.client.execute("AT+CMGR=1")
    line.sent()
    line.comes(b'\r\n+CMGR: "REC READ"\r\n> ', b"quoted\r\n\r\nOK\r\n")
    assert line.sent() == b""
    assert result(answered).lines == ('+CMGR: "REC READ"', "> quoted")


# -- typed calls


def test_call() -> None:
    """A typed call sends the line, and refuses wrong values before a byte is sent."""
    line = Line()
    answered = line.client.call("#SCFG", 1, size=500)
    assert line.sent() == b"AT#SCFG=1,500\r"
    line.comes(b"\r\nOK\r\n")
    result(answered)
    error(line.client.call("#SCFG", 7), CommandFailed)
    error(line.client.call("#NONE"), Misuse)
    error(line.client.call(table.rows["#SCFG"], 1, colour=2), Misuse)
    assert line.sent() == b""


def test_dialectOfCall() -> None:
    """The local refusal is that of the module's dialect."""
    for dialect in (Dialect("plain", MULTITECH.framingClass), MULTITECH):
        refused = error(Line(dialect=dialect).client.call("#SCFG", 7), CommandFailed)
        assert refused.reason is dialect.badValue


def test_read() -> None:
    """A setting reads back as values, a keyed one by key; a notice of the same name is kept apart."""
    line = Line()
    heard: list[str] = []
    line.client.onNotice("+CREG:", heard.append)
    keyed, plain, wrong = line.client.read("#SCFG"), line.client.read("+CREG"), line.client.read("+CREG")
    line.comes(b"\r\n#SCFG: 1,300\r\n#SCFG: 2,0\r\n\r\nOK\r\n")
    line.comes(b"\r\n+CREG: 5\r\n\r\n+CREG: 1,2\r\n\r\nOK\r\n")
    line.comes(b"\r\n+CREG: x,2\r\n\r\nOK\r\n")
    assert (result(keyed), result(plain), heard) == ({1: (300,), 2: (0,)}, (1, "2"), ["+CREG: 5"])
    error(wrong, PeerViolation)
    error(line.client.read("+CSQ"), Misuse)
    error(line.client.read("#NONE"), Misuse)


def test_testForm() -> None:
    """The test form gives what stands behind the name."""
    line = Line()
    ranges, nothing = line.client.test("+CREG"), line.client.test("+CSQ")
    line.comes(b"\r\n+CREG: (0-2)\r\n\r\nOK\r\n", b"\r\nOK\r\n")
    assert (result(ranges), result(nothing)) == ("(0-2)", "")
    error(line.client.test("#NONE"), Misuse)


# -- notices


def test_cancelNotice() -> None:
    """A subscription ends when its own end is called, once or twice; that of others goes on."""
    line = Line()
    heard: list[str] = []
    first = line.client.onNotice("RING", heard.append)
    second = line.client.onNotice("RING", heard.append)
    line.comes(b"\r\nRING\r\n")
    assert heard == ["RING", "RING"]
    first()
    first()
    line.comes(b"\r\nRING\r\n")
    assert heard == ["RING"] * 3
    second()
    line.comes(b"\r\nRING\r\n")
    assert heard == ["RING"] * 3


def test_allNotices() -> None:
    """A subscription without a name hears every notice; one with a name its own only."""
    line = Line()
    every: list[str] = []
    some: list[str] = []
    line.client.onNotice("", every.append)
    line.client.onNotice("SRING", some.append)
    line.comes(b"\r\nSRING: 1,10\r\n\r\nRING\r\n")
    line.client.execute("+CSQ").addErrback(lambda _: None)
    line.comes(b"\r\nSRING: 2\r\n")
    assert (every, some) == (["SRING: 1,10", "RING", "SRING: 2"], ["SRING: 1,10", "SRING: 2"])


def test_cancelWithinNotice() -> None:
    """A listener may end its own subscription, or another's, while it hears."""
    line = Line()
    heard: list[str] = []
    ends: list[Any] = []

    def once(text: str) -> None:
        heard.append(text)
        for end in ends:
            end()

    ends.append(line.client.onNotice("RING", once))
    ends.append(line.client.onNotice("RING", heard.append))
    line.comes(b"\r\nRING\r\n\r\nRING\r\n")
    assert heard == ["RING"]


class ListenerTests(SynchronousTestCase):
    """What a failing listener does."""

    def test_failingListener(self) -> None:
        """A listener that fails is logged; the next one hears, and the command gets its answer."""
        line = Line()
        heard: list[str] = []

        def fails(text: str) -> None:
            raise RuntimeError("a bug of the user")

        line.client.onNotice("RING", fails)
        line.client.onNotice("RING", heard.append)
        answered = line.client.execute("+CSQ")
        line.comes(b"\r\nRING\r\n\r\nOK\r\n")
        result(answered)
        assert heard == ["RING"]
        logged = self.flushLoggedErrors(RuntimeError)
        assert len(logged) == 1


def test_resultTooMany() -> None:
    """What comes together with a result is no answer to the next command, which isn't sent yet."""
    line = Line()
    first, second = line.client.execute("+CSQ"), line.client.execute("+CGMM")
    third: list[Deferred[Response]] = []
    first.addCallback(lambda _: third.append(line.client.execute("+CGMR")))
    line.sent()
    line.comes(b"\r\nOK\r\n\r\nERROR\r\n\r\nnoise\r\n")
    assert (line.sent(), pending(second), pending(third[0])) == (b"\x1bAT\r", True, True)


def test_commandFromAnswer() -> None:
    """Whoever has got an answer may send the next command from there, or close the line."""
    line = Line()
    sent: list[Deferred[Response]] = []
    line.client.execute("+CSQ").addCallback(lambda _: sent.append(line.client.execute("+CGMM")))
    line.comes(b"\r\nOK\r\n")
    assert line.sent() == b"AT+CSQ\rAT+CGMM\r"
    sent[0].addCallback(lambda _: line.lose())
    line.comes(b"\r\nOK\r\n\r\nRING\r\n")
    assert line.clock.getDelayedCalls() == []


def test_small() -> None:
    """An idle client is small: it has no timer and no container of its own."""
    line = Line()
    result_ = line.client.execute("+CSQ")
    line.comes(b"\r\nOK\r\n")
    result(result_)
    assert line.clock.getDelayedCalls() == []
    assert not hasattr(line.client, "__dict__")
    held = [getattr(line.client, name) for name in ATClient.__slots__ if name not in ("clock", "transport", "_book")]
    assert sum(sys.getsizeof(each) for each in held if isinstance(each, (list, dict, set, tuple))) == 0


WORDS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [
            b"\r\nOK\r\n",
            b"\r\nERROR\r\n",
            b"0\r",
            b"\r\n> ",
            b"\r\n>>>",
            b"AT+CSQ\r",
            b"\r\nCONNECT\r\n",
            b"\r\nNO CARRIER\r\n",
            b"\r\n+CREG: 1\r\n",
            b"\r\n+CME ERROR: 3\r\n",
        ]
    ),
)
STEPS = st.one_of(
    WORDS,
    st.sampled_from(["execute", "data", "connect", "read", "cancel", "escape"]),
    st.floats(0, 40, allow_nan=False),
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_hostileModule(steps: list[bytes | str | float]) -> None:
    """Whatever a module says at whatever time, each command ends in an answer or an error of ours."""
    line = Line()
    client = line.client
    asks: dict[str, Callable[[], Deferred[Any]]] = {
        "execute": lambda: client.execute("AT+CSQ"),
        "data": lambda: client.execute("AT+CMGS=1", data=b"x"),
        "connect": lambda: client.connect("ATD1", ATClient(line.clock)),
        "read": lambda: client.read("+CREG"),
        "escape": client.escape,
    }
    asked: list[Deferred[Any]] = []
    ended: list[Any] = []
    client.onNotice("", lambda text: None)
    for step in steps:
        if isinstance(step, bytes):
            line.comes(step)
        elif isinstance(step, float):
            line.clock.advance(step)
        elif step == "cancel":
            for each in asked:
                each.cancel()
        else:
            asked.append(asks[step]())
    line.lose()
    for each in asked:
        each.addBoth(ended.append)
    assert len(ended) == len(asked)
    ours = (CommandFailed, CommandTimeout, LinkLost, PeerViolation, Misuse, CancelledError)
    assert all(each.check(*ours) for each in ended if isinstance(each, Failure))
    assert line.clock.getDelayedCalls() == []


@pytest.mark.parametrize("head", ["+CMT: ,23", '+CMT: "Ann",23', "+CDS: 23", "+CBM: 88"])
@pytest.mark.parametrize("size", [1, 1000])
def test_noticeOfTwoLines(head: str, size: int) -> None:
    """A message that a modem shows in the middle of another command's answer doesn't get into that answer."""
    line = Line()
    told: list[str] = []
    line.client.onNotice(head.partition(":")[0], told.append)
    waiting = line.client.execute("AT+CSQ")
    comes = f"\r\n{head}\r\n07919333\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n".encode()
    line.comes(*pieces(comes, range(0, len(comes), size)))
    assert result(waiting).lines == ("+CSQ: 20,0",)
    assert told == [f"{head}\n07919333"]


def test_noticeWithoutItsSecondLine() -> None:
    """A notice that looks like the first of two lines, and is alone, takes nothing from an answer."""
    line = Line()
    told: list[str] = []
    line.client.onNotice("+CDS", told.append)
    waiting = line.client.execute("AT+CSQ")
    line.comes(b"\r\n+CDS: 23\r\n+CSQ: 20,0\r\n\r\nOK\r\n")
    assert result(waiting).lines == ("+CSQ: 20,0",)
    assert told == ["+CDS: 23"]


def test_nobodyWaitsAnyMore() -> None:
    """Who stops waiting for the loss because his command has failed by it doesn't keep others from hearing of it."""
    line = Line()
    reasons: list[BaseException] = []
    first = line.client.whenLost().addErrback(lambda failure: failure.trap(CancelledError))
    line.client.whenLost().addCallback(reasons.append)
    line.client.execute("AT+CSQ").addErrback(lambda failure: first.cancel())
    line.lose()
    assert [type(reason) for reason in reasons] == [ConnectionDone]
