"""The AT instance in command mode: lines, answers, prompts, commands that take their time, bearers, notices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from atrunproto.at.bearer import BearerKind
from atrunproto.at.errors import Misuse
from atrunproto.at.notices import NOTICES_HELD
from atrunproto.at.port import QUEUED
from atrunproto.at.results import NO_CARRIER, RING
from tests.at.fakes import Bench, FakeBearer, FakeTransport, pieces, quiet

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
CSQ = b"\r\n+CSQ: 20,0\r\n"


def slowBench(bearer: FakeBearer | None = None, **durations: float) -> Bench:
    """A bench without echo, whose slow commands take two seconds."""
    bench = quiet(bearer)
    bench.module.durations = {"#SLOW": 2.0, **{f"#{name}": seconds for name, seconds in durations.items()}}
    if bearer is not None:
        bearer.told.clear()
    return bench


class TestLine:
    """A line and its answer, byte for byte."""

    @pytest.mark.parametrize(
        ("sent", "heard"),
        [
            (b"AT\r", b"AT\r" + OK),
            (b"at+csq\r", b"at+csq\r" + CSQ + OK),
            (b"AT+LIST\r", b"AT+LIST\r\r\n+LIST: 1\r\n+LIST: 2\r\n+LIST: 3\r\n" + OK),
            (b"AT#DENY\r", b"AT#DENY\r" + ERROR),
            (b"AT+CMEE=1;#DENY=10\r", b"AT+CMEE=1;#DENY=10\r\r\n+CME ERROR: 10\r\n"),
            (b"AT+CMEE=2;#DENY=10\r", b"AT+CMEE=2;#DENY=10\r\r\n+CME ERROR: SIM not inserted\r\n"),
            (b"AT#DENY=321\r", b"AT#DENY=321\r\r\n+CMS ERROR: 321\r\n"),
            (b"AT#LOST\r", b"AT#LOST\r\r\nNO CARRIER\r\n"),
            (b"\r", b"\r"),
            (b"hello\r", b"hello\r"),
            (b"\x1b\rAT\r", b"\rAT\r" + OK),
            (b"AT\r\nAT\r\n", b"AT\r" + OK + b"AT\r" + OK),
            (b"AT+CSW\bQ\r", b"AT+CSW\b \bQ\r" + CSQ + OK),
            (b"noise AT+CSQ\r", b"noise AT+CSQ\r" + CSQ + OK),
        ],
    )
    def test_answers(self, sent: bytes, heard: bytes) -> None:
        """TEL-GEN-01, TEL-GEN-05, TEL-GEN-06: echo, information and result come as real modules send them."""
        assert Bench().say(sent) == heard

    @pytest.mark.parametrize(
        ("sent", "heard"),
        [
            (b"ATV0\r", b"0\r"),
            (b"ATV0+CSQ\r", b"+CSQ: 20,0\r\n0\r"),
            (b"ATV0+LIST\r", b"+LIST: 1\r\n+LIST: 2\r\n+LIST: 3\r\n0\r"),
            (b"ATV0#LOST\r", b"3\r"),
            (b"ATV0#DENY\r", b"4\r"),
            (b"ATQ1\r", b""),
            (b"ATQ2+CSQ\r", CSQ),
            (b"ATQ1#DENY\r", b""),
            (b"ATQ1+NOPE\r", b""),
            (b"ATQ1#TEXT\r", b"\r\n> "),
            (b"ATV0#TEXT\r", b"\r\n> "),
        ],
    )
    def test_modes(self, sent: bytes, heard: bytes) -> None:
        """TEL-GEN-05: V and Q act on the very line that sets them, and silence results only."""
        assert quiet().say(sent) == heard

    def test_endOfLine(self) -> None:
        """TEL-GEN-01: the line that changes S3 is ended by the old character and answered with the new one."""
        bench = Bench()
        assert bench.say(b"ATS3=33\r") == b"ATS3=33\r!\nOK!\n"
        assert bench.say(b"AT+CSQ!") == b"AT+CSQ!!\n+CSQ: 20,0!\n!\nOK!\n"
        assert bench.say(b"ATS3=13!AT\r") == b"ATS3=13!" + OK + b"AT\r" + OK

    def test_responseFormatting(self) -> None:
        """S4 stands in place of LF from the answer of its own line on."""
        assert quiet().say(b"ATS4=45\r") == b"\r-OK\r-"

    def test_editingCharacter(self) -> None:
        """S5 is the character that rubs out, and BS is then none."""
        bench = Bench()
        bench.say(b"ATS5=127\r")
        assert bench.say(b"AT+CSW\x7fQ\r") == b"AT+CSW\b \bQ\r" + CSQ + OK
        assert bench.say(b"AT\b\r").endswith(ERROR)

    def test_echo(self) -> None:
        """TEL-GEN-10: the echo is a setting; the line that switches it off is still echoed."""
        bench = Bench()
        assert bench.say(b"ATE0\r") == b"ATE0\r" + OK
        assert bench.say(b"AT+CSQ\r") == CSQ + OK
        assert bench.say(b"ATE1\r") == OK
        assert bench.say(b"AT") == b"AT"

    def test_concatenation(self) -> None:
        """TEL-GEN-02: a chain prints each command's information in turn and one final result."""
        assert quiet().say(b"AT+CSQ;+LIST;E0;+CSQ\r") == (CSQ + b"\r\n+LIST: 1\r\n+LIST: 2\r\n+LIST: 3\r\n" + CSQ + OK)

    @pytest.mark.parametrize("failing", [b"#DENY", b"+NOPE", b"#PAIR=99", b"#", b"#SLOWDENY", b"+CSQ=1"])
    def test_firstFailureEndsTheLine(self, failing: bytes) -> None:
        """TEL-GEN-02, TEL-GEN-06: what stands before the first failing command is answered, the rest isn't run."""
        bench = quiet()
        assert bench.say(b"AT+CSQ;" + failing + b";#PAIR=5\r") == CSQ + ERROR
        assert bench.at.value("#PAIR") == 1

    def test_resultOfItsOwn(self) -> None:
        """A command that ends by a result of its own ends the line."""
        bench = quiet()
        assert bench.say(b"AT+CSQ;#LOST;#PAIR=5\r") == CSQ + b"\r\nNO CARRIER\r\n"
        assert bench.at.value("#PAIR") == 1

    def test_blanksAndCase(self) -> None:
        """TEL-GEN-03, TEL-GEN-04: the spaced and lower-case forms of a command give the answer of the tight one."""
        bench = quiet()
        tight = bench.say(b"AT#PAIR=3,12;#PAIR?\r")
        assert bench.say(b"at # pair = 3 , 12 ; #pair ?\r") == tight == b"\r\n#PAIR: 3,12\r\n" + OK

    @pytest.mark.parametrize("quotes", [(b"\x93", b"\x94"), ("\u201c".encode(), "\u201d".encode())])
    def test_typographicQuotes(self, quotes: tuple[bytes, bytes]) -> None:
        """TEL-GEN-08: straight quotes are taken, typographic ones refused."""
        bench = quiet()
        assert bench.say(b'AT#ARGS="a"\r') == b"\r\n#ARGS: a|7|none\r\n" + OK
        assert bench.say(b"AT#ARGS=" + quotes[0] + b"a" + quotes[1] + b"\r") == ERROR

    @pytest.mark.parametrize("longest", [80, 400])
    def test_overlong(self, longest: int) -> None:
        """A line longer than the product takes is ERROR, and nothing of it is run."""
        bench = quiet(longest=longest)
        body = b"AT#PAIR=5;" + b";" * longest
        assert bench.say(body[:longest] + b"\r") == OK
        bench.say(b"AT#PAIR=1\r")
        assert bench.say(body[: longest + 1] + b"\rAT\r") == ERROR + OK
        assert bench.at.value("#PAIR") == 1

    def test_manyCommands(self) -> None:
        """A line may be as full of commands, also of those that can wait, as its length allows."""
        bench = quiet(longest=10_000)
        answer = bench.say(b"AT" + b";".join([b"#SLOW"] * 1500) + b"\r")
        assert answer == b"\r\n#SLOW: 1\r\n" * 1500 + OK


class BugTests(SynchronousTestCase):
    """A handler that fails by a bug of ours."""

    def flushed(self) -> int:
        """How many bugs were logged."""
        return len(self.flushLoggedErrors(RuntimeError))

    def test_atOnce(self) -> None:
        """TEL-GEN-06: a bug is logged and answered as ERROR; the rest of the line isn't run, the next line is."""
        bench = quiet()
        assert bench.say(b"AT+CMEE=2;+CSQ;#BREAK;#PAIR=5\r") == CSQ + ERROR
        assert bench.at.value("#PAIR") == 1
        assert self.flushed() == 1
        assert bench.say(b"AT\r") == OK

    def test_later(self) -> None:
        """A bug at the end of a wait is logged and answered in the same way."""
        bench = slowBench()
        bench.say(b"AT#SLOWBREAK\r")
        assert bench.after(2.0) == ERROR
        assert self.flushed() == 1

    def test_cancelled(self) -> None:
        """A bug that shows while a command is cancelled is logged too, and disturbs nobody."""
        bench = slowBench()
        bench.say(b"AT#STUBBORN\r")
        bench.at.detach()
        assert self.flushed() == 1


class TestRepeat:
    """A/ and AT#/."""

    def test_beforeAnyLine(self) -> None:
        """Before any line was run A/ and AT#/ answer OK."""
        assert Bench().say(b"A/") == b"A/" + OK
        assert Bench().say(b"AT#/\r") == b"AT#/\r" + OK

    def test_repeats(self) -> None:
        """A/ repeats the last line at once, AT#/ at its terminator, as often as wanted."""
        bench = quiet()
        bench.say(b"AT+CSQ;#PAIR=2\r")
        for again in (b"A/", b"a/", b"A/\r", b"AT#/\r", b"at#/\r"):
            bench.module.settings.set("#PAIR", (1, 10))
            assert bench.say(again) == CSQ + OK
            assert bench.at.value("#PAIR") == 2

    def test_repeatsAFailure(self) -> None:
        """What failed fails again, and noise in between is no line."""
        bench = quiet()
        bench.say(b"AT#DENY\r")
        assert bench.say(b"hello\rA/") == ERROR

    def test_glued(self) -> None:
        """What follows A/ in the same chunk is a line of its own."""
        bench = quiet()
        bench.say(b"AT+CSQ\r")
        assert bench.say(b"A/A/AT\r") == (CSQ + OK) * 2 + OK


class TestOneAtATime:
    """Commands that take their time."""

    def test_waits(self) -> None:
        """A command that takes its time is answered when it is done; what comes before it in the line at once."""
        bench = slowBench()
        assert bench.say(b"AT+CSQ;#SLOW=3;+CSQ\r") == CSQ
        assert bench.after(1.9) == b""
        assert bench.after(0.1) == b"\r\n#SLOW: 3\r\n" + CSQ + OK

    def test_slowFailure(self) -> None:
        """A failure at the end of the wait ends the line like an early one."""
        bench = slowBench()
        bench.say(b"AT+CMEE=1;#SLOWDENY;+CSQ\r")
        assert bench.after(2.0) == b"\r\n+CME ERROR: 30\r\n"

    @pytest.mark.parametrize("glued", [True, False])
    def test_earlyLineIsLost(self, glued: bool) -> None:
        """TEL-SEQ-03: on a local port a line that comes while a command runs leaves no trace."""
        bench = slowBench()
        bench.say(b"ATE1\r")
        chunks = [b"AT#SLOW\rAT+CSQ\r"] if glued else [b"AT#SLOW\r", b"AT+CSQ\r"]
        assert b"".join(map(bench.say, chunks)) == b"AT#SLOW\r"
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n" + OK
        assert bench.say(b"AT\r") == b"AT\r" + OK

    @pytest.mark.parametrize("glued", [True, False])
    def test_earlyLineIsQueued(self, glued: bool) -> None:
        """TEL-SEQ-04: over a bearer that queues, lines sent at once are answered in their order, each complete."""
        bench = slowBench(FakeBearer())
        bench.at.bearer.queueing = True  # type: ignore[attr-defined]
        chunks = (
            [b"AT#SLOW\rAT+CSQ\rAT#SLOW=2\rAT\r"] if glued else [b"AT#SLOW\r", b"AT+CSQ\r", b"AT#SLOW=2\r", b"AT\r"]
        )
        for chunk in chunks:
            assert bench.say(chunk) == b""
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n" + OK + CSQ + OK
        assert bench.after(2.0) == b"\r\n#SLOW: 2\r\n" + OK + OK

    def test_queueIsBounded(self) -> None:
        """TEL-SEQ-04: a queue that is full pauses the transport, and resumes it once there is room."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = slowBench(bearer)
        bench.say(b"AT#SLOW\r")
        bench.say(b"AT#SLOW=2\r" + b"AT\r" * QUEUED)
        assert bench.transport.producerState == "paused"
        bench.after(2.0)
        assert bench.transport.producerState == "paused"
        assert bench.after(2.0) == b"\r\n#SLOW: 2\r\n" + OK + OK * QUEUED
        assert bench.transport.producerState == "producing"

    def test_abort(self) -> None:
        """A step that may be aborted is ended by any character, which is dropped; later ones are as ever."""
        bench = slowBench()
        bench.say(b"AT#ABORT\r")
        assert bench.say(b"x") == b"\r\n#ABORT: aborted\r\n" + OK
        assert bench.say(b"AT\r") == OK

    def test_tooLateToAbort(self) -> None:
        """When the step is over its command can't be aborted any more, and a line that comes is queued whole."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = slowBench(bearer, LAST=1.0)
        bench.say(b"AT#ABORT\r")
        bench.after(2.0)
        assert bench.say(b"AT+CSQ\r") == b""
        assert bench.after(1.0) == b"\r\n#ABORT: done\r\n" + OK + CSQ + OK

    def test_powerOffIsNoAbort(self) -> None:
        """A step that ends by power-off doesn't go on as if the user had aborted it."""
        bench = slowBench()
        bench.say(b"AT#ABORT\r")
        bench.at.stop()
        assert bench.calls.data == []


class TestPrompt:
    """Commands that ask for data."""

    @pytest.mark.parametrize("cut", range(1, 17))
    def test_text(self, cut: int) -> None:
        """The prompt comes, what is typed is echoed, ^Z ends it, and the answer follows."""
        bench = Bench()
        stream = b"AT#TEXT\rhel\blo\x1a"
        heard = b"".join(map(bench.say, pieces(stream, [cut])))
        assert heard == b"AT#TEXT\r\r\n> hel\blo\r\n#TEXT: 4\r\n" + OK
        assert bench.calls.data == [b"helo"]

    def test_withoutEcho(self) -> None:
        """TEL-GEN-10: with E0 nothing that is typed at a prompt comes back."""
        bench = quiet()
        assert bench.say(b"AT#TEXT\r") == b"\r\n> "
        assert bench.say(b"hello\x1a") == b"\r\n#TEXT: 5\r\n" + OK

    @pytest.mark.parametrize("ending", [b"", b"\r", b"\n"])
    def test_lineBehind(self, ending: bytes) -> None:
        """A command glued behind ^Z, or ^Z CR, is the next line."""
        assert quiet().say(b"AT#TEXT\rab\x1a" + ending + b"AT+CSQ\r") == b"\r\n> \r\n#TEXT: 2\r\n" + OK + CSQ + OK

    def test_givenUp(self) -> None:
        """ESC gives up: the command fails, what is glued behind it is the next line."""
        bench = Bench()
        assert bench.say(b"AT#TEXT\rab\x1bAT\r") == b"AT#TEXT\r\r\n> ab" + ERROR + b"AT\r" + OK
        assert bench.calls.data == [b"abandoned"]

    def test_surplus(self) -> None:
        """What is typed beyond the limit is dropped, the rest is kept."""
        bench = quiet()
        bench.say(b"AT#TEXT=3\rabcdef\x1a")
        assert bench.calls.data == [b"abc"]

    @pytest.mark.parametrize("cuts", [[], [7, 11, 12], list(range(30))])
    def test_severalLines(self, cuts: list[int]) -> None:
        """Each line of a text gets a prompt of its own, framed by S3 and S4 like the first."""
        bench = Bench()
        heard = b"".join(map(bench.say, pieces(b"AT#SAY\rone\rt\bwo\x1a", cuts)))
        assert heard == b"AT#SAY\r\r\n> one\r\r\n> t\bwo" + OK
        assert bench.calls.data == [b"one\rwo"]
        bench.say(b"ATE0S4=45\r")
        assert bench.say(b"AT#SAY\rone\r\x1a") == b"\r-> \r-> \r-OK\r-"

    def test_sentOrDropped(self) -> None:
        """A command can answer OK to a text that was dropped by ESC, and tell it from an empty one that was sent."""
        bench = quiet()
        assert bench.say(b"AT#SAY\rone\rtwo\x1b") == b"\r\n> \r\n> " + OK
        assert bench.say(b"AT#SAY\r\x1a") == b"\r\n> " + OK
        assert bench.calls.data == [b"dropped", b""]

    @pytest.mark.parametrize("cmee", [b"0", b"1", b"2"])
    def test_refusedText(self, cmee: bytes) -> None:
        """A text that is too long, or that the network refuses, is a message error, a number whatever +CMEE says."""
        bench = quiet()
        bench.say(b"AT+CMEE=" + cmee + b"\r")
        assert bench.say(b"AT#SAY=3\rabcd\x1a") == b"\r\n> \r\n+CMS ERROR: 305\r\n"
        assert bench.say(b"AT#SAY=3,38\rabc\x1a") == b"\r\n> \r\n+CMS ERROR: 38\r\n"

    @pytest.mark.parametrize("cuts", [[], [10], [12], [9, 11, 13, 14]])
    def test_byteCount(self, cuts: list[int]) -> None:
        """An upload of a given size has its own prompt, takes any octet and ends by itself."""
        bench = Bench()
        heard = b"".join(map(bench.say, pieces(b"AT#RAW=4\r\x1a\x1b\b\rAT\r", cuts)))
        assert heard == b"AT#RAW=4\r\r\n>>>\x1a\x1b\b\r\r\n#RAW: 4\r\n" + OK + b"AT\r" + OK
        assert bench.calls.data == [b"\x1a\x1b\b\r"]

    def test_idle(self) -> None:
        """An upload that stops fails after its idle time, which each chunk begins anew."""
        bench = quiet()
        bench.say(b"AT#RAW=4\r")
        bench.after(29.0)
        bench.say(b"a")
        assert bench.after(29.9) == b""
        assert bench.after(0.1) == ERROR
        assert bench.say(b"AT\r") == OK
        assert bench.clock.getDelayedCalls() == []

    def test_noTimerLeft(self) -> None:
        """An upload that is complete leaves no timer behind."""
        bench = quiet()
        bench.say(b"AT#RAW=2\rab")
        assert bench.clock.getDelayedCalls() == []

    def test_severalPrompts(self) -> None:
        """Each command of a chain may ask for data of its own, glued or not."""
        bench = quiet()
        assert bench.say(b"AT#TEXT;#RAW=2;#TEXT\rone\x1a12two\x1aAT\r").endswith(b"#TEXT: 3\r\n" + OK + OK)
        assert bench.calls.data == [b"one", b"12", b"two"]

    def test_dataFromTheQueue(self) -> None:
        """TEL-SEQ-04: data sent ahead over a bearer that queues reach the prompt, and the line behind them is run."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = slowBench(bearer, TEXT=1.0)
        assert bench.say(b"AT#SLOW;#TEXT\rhello\x1aAT+CSQ\r") == b""
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n\r\n> "
        assert bench.after(1.0) == b"\r\n#TEXT: 5\r\n" + OK + CSQ + OK


class TestBearer:
    """What a run-AT service changes."""

    def test_delay(self) -> None:
        """Each line waits for the delay before it is run."""
        bearer = FakeBearer()
        bench = quiet(bearer)
        bearer.seconds = 5.0
        for _ in range(2):
            assert bench.say(b"AT#PAIR=2;+CSQ\r") == b""
            assert bench.after(4.9) == b""
            assert bench.at.value("#PAIR") == 1
            assert bench.after(0.1) == CSQ + OK
            bench.say(b"AT#PAIR=1\r")
            bench.after(5.0)

    def test_expired(self) -> None:
        """A line that runs longer than the service allows is reported once, and only then."""
        bearer = FakeBearer()
        bearer.most = 1.5
        bench = slowBench(bearer)
        bench.say(b"AT#SLOW\r")
        bench.after(1.4)
        assert bearer.told == []
        bench.after(0.1)
        assert bearer.told == ["expired"]

    def test_notExpired(self) -> None:
        """A line that ends in time leaves no timer; the time counts for the line, not for each of its commands."""
        bearer = FakeBearer()
        bearer.most = 3.0
        bench = slowBench(bearer)
        bench.say(b"AT#SLOW\r")
        bench.after(2.0)
        assert bench.clock.getDelayedCalls() == []
        bench.say(b"AT#SLOW;#SLOW\r")
        bench.after(2.0)
        bench.after(1.0)
        assert bearer.told == ["finished", "expired"]

    @pytest.mark.parametrize("line", [b"AT", b"AT#DENY", b"AT#LOST", b"ATX(", b"ATQ1", b"AT" + b"x" * 500, b"A/"])
    def test_finished(self, line: bytes) -> None:
        """The service hears of each final result, whatever it is, and also when Q keeps it from being shown."""
        bearer = FakeBearer(BearerKind.SMS_SIMPLE)
        bench = slowBench(bearer)
        bench.say(line + b"\r")
        assert bearer.told.count("finished") == 1
        bench.say(b"AT\r")
        assert bearer.told.count("finished") == 2

    def test_oneAnswer(self) -> None:
        """A line that comes in one piece, as by SMS, is answered without echo, and its end is told even under Q1."""
        bearer = FakeBearer(BearerKind.SMS_DIGEST)
        bearer.echoes = False
        bench = Bench(bearer)
        for line, answer in [
            (b"AT+CSQ;+LIST", CSQ + b"\r\n+LIST: 1\r\n+LIST: 2\r\n+LIST: 3\r\n" + OK),
            (b"AT" + b"x" * 500, ERROR),
            (b"AT\x1b\b", ERROR),
            (b"ATQ1", b""),
        ]:
            bearer.told.clear()
            bench.at.runLine(line)
            assert (bench.heard(), bearer.told.count("finished")) == (answer, 1)
        assert bench.say(b"ATQ0\r") == OK

    def test_oneLineAtATime(self) -> None:
        """A service that gives a second line too early, or what is no line, is told so, and the first one runs on."""
        bench = slowBench(FakeBearer(BearerKind.SMS_SIMPLE))
        bench.at.runLine(b"AT#SLOW")
        with pytest.raises(Misuse):
            bench.at.runLine(b"AT")
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n" + OK
        with pytest.raises(Misuse):
            bench.at.runLine(b"hello")

    @pytest.mark.parametrize("command", [b"#TEXT", b"#SAY", b"#RAW"])
    def test_noPrompts(self, command: bytes) -> None:
        """Where a prompt can't be shown, the command that asks hangs until the time of the bearer is over."""
        bearer = FakeBearer(BearerKind.SMS_SIMPLE)
        bearer.isInteractive, bearer.most = False, 300.0
        bench = quiet(bearer)
        bearer.told.clear()
        bench.at.runLine(b"AT+CSQ;" + command + b";+CSQ")
        assert bench.heard() == CSQ
        assert bench.say(b"data\x1a\x1bAT\r") == b""
        assert (bench.after(299.9), bearer.told) == (b"", [])
        assert (bench.after(0.1), bearer.told) == (b"", ["expired"])
        bench.at.stop()
        assert bench.clock.getDelayedCalls() == []
        bearer.isInteractive = True
        assert bench.say(b"AT\r") == OK

    @pytest.mark.parametrize("kind", list(BearerKind))
    @pytest.mark.parametrize(
        ("line", "jams"), [(b"ATQ1\r", True), (b"ATQ2\r", True), (b"ATQ0\r", False), (b"ATQ\r", False)]
    )
    def test_jammed(self, kind: BearerKind, line: bytes, jams: bool) -> None:
        """ATQ1 and ATQ2 block TCPATRUN for good, SMSATRUN until its timeout, and nothing else."""
        bearer = FakeBearer(kind)
        bench = slowBench(bearer)
        bench.say(line)
        how = {
            BearerKind.LOCAL: [],
            BearerKind.TCPATRUN_SERVER: ["jammed for good"],
            BearerKind.TCPATRUN_CLIENT: ["jammed for good"],
        }.get(kind, ["jammed until the command timeout"])
        assert bearer.told == [*(how if jams else []), "finished"]

    def test_refused(self) -> None:
        """A command that is refused over a bearer is ERROR there, and the line ends; elsewhere it runs."""
        assert quiet(FakeBearer(BearerKind.TCPATRUN_SERVER)).say(b"AT+CMEE=1;#NOTHERE;+CSQ\r") == ERROR
        assert quiet(FakeBearer(BearerKind.TCPATRUN_CLIENT)).say(b"AT#NOTHERE\r") == OK
        assert quiet().say(b"AT#NOTHERE\r") == OK


class TestNotices:
    """Unsolicited result codes."""

    def test_atOnce(self) -> None:
        """In command mode a notice is told at once, framed like a line of information."""
        bench = Bench()
        bench.at.notify("SRING: 1")
        assert bench.heard() == b"\r\nSRING: 1\r\n"

    def test_codes(self) -> None:
        """A notice that is a code of V.250 is its number under ATV0."""
        bench = quiet()
        bench.at.notify(RING)
        assert bench.heard() == b"\r\nRING\r\n"
        bench.say(b"ATV0\r")
        bench.at.notify(RING)
        bench.at.notify(NO_CARRIER)
        assert bench.heard() == b"2\r3\r"

    def test_quiet(self) -> None:
        """Under ATQ1 no notice is told."""
        bench = quiet()
        bench.say(b"ATQ1\r")
        bench.at.notify("SRING: 1")
        bench.at.notify(RING)
        assert bench.heard() == b""

    def test_duringACommand(self) -> None:
        """While a command runs notices wait for its final result, and keep their order."""
        bench = slowBench()
        bench.say(b"AT#SLOW\r")
        bench.at.notify("SRING: 1")
        bench.at.notify(NO_CARRIER)
        assert bench.heard() == b""
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n" + OK + b"\r\nSRING: 1\r\n\r\nNO CARRIER\r\n"
        assert bench.say(b"AT\r") == OK

    def test_duringAPrompt(self) -> None:
        """At a prompt notices wait, so that they don't stand in the midst of what is typed."""
        bench = quiet()
        bench.say(b"AT#TEXT\rab")
        bench.at.notify("SRING: 1")
        assert bench.say(b"\x1a") == b"\r\n#TEXT: 2\r\n" + OK + b"\r\nSRING: 1\r\n"

    def test_bounded(self) -> None:
        """Of too many notices the latest are told, and how many were dropped is logged."""
        bench = slowBench()
        bench.say(b"AT#SLOW\r")
        for number in range(NOTICES_HELD + 10):
            bench.at.notify(f"SRING: {number}")
        with capturedLogs() as logged:
            heard = bench.after(2.0)
        assert heard.count(b"SRING") == NOTICES_HELD
        assert heard.endswith(b"\r\nSRING: %d\r\n" % (NOTICES_HELD + 9))
        assert [event["count"] for event in logged] == [10]

    def test_unread(self) -> None:
        """Where the DTE reads nothing, only so many notices are kept for it, and told once it reads again."""
        bench = quiet()
        bench.at.pauseProducing()
        for number in range(NOTICES_HELD + 1):
            bench.at.notify(f"SRING: {number}")
        assert bench.say(b"AT\r") == OK
        with capturedLogs() as logged:
            bench.at.resumeProducing()
        assert bench.heard().count(b"SRING") == NOTICES_HELD
        assert [event["count"] for event in logged] == [1]

    def test_unreadInACommand(self) -> None:
        """A DTE that reads again while a command runs gets the notices behind its result."""
        bench = slowBench()
        bench.at.pauseProducing()
        bench.at.notify("SRING: 1")
        bench.say(b"AT#SLOW\r")
        bench.at.resumeProducing()
        assert bench.after(2.0) == b"\r\n#SLOW: 1\r\n" + OK + b"\r\nSRING: 1\r\n"

    def test_nobodyThere(self) -> None:
        """Where nobody is attached a notice is dropped, not kept for the next one."""
        bench = Bench()
        bench.at.detach()
        bench.at.notify("SRING: 1")
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"AT\r") == b"AT\r" + OK


class TestLife:
    """An instance outlives its transports."""

    def test_isAProtocol(self) -> None:
        """An instance is a protocol like any other."""
        assert verifyObject(IProtocol, Bench().at)

    def test_settingsOutliveTheTransport(self) -> None:
        """Settings, the last line and the profile stay when the transport goes; what was being typed doesn't."""
        bench = quiet()
        bench.say(b"ATV0\r")
        bench.say(b"AT+CSQ\rAT+CM")
        bench.at.connectionLost(connectionDone)
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"A/") == b"+CSQ: 20,0\r\n0\r"

    @pytest.mark.parametrize("leave", ["connectionLost", "detach", "stop"])
    @pytest.mark.parametrize("line", [b"AT#SLOW\r", b"AT#TEXT\rab", b"AT#RAW\rab", b"AT#ABORT\r"])
    def test_commandEndsWithTheTransport(self, leave: str, line: bytes) -> None:
        """What runs when the line or the power goes is cancelled and leaves nothing behind, not even a timer."""
        bench = slowBench(FakeBearer())
        bench.at.bearer.most = 60.0  # type: ignore[attr-defined]
        bench.say(line)
        bench.at.notify("SRING: 1")
        getattr(bench.at, leave)(*[connectionDone][: leave == "connectionLost"])
        assert bench.clock.getDelayedCalls() == []
        assert bench.heard() == b""
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"AT\r") == OK

    def test_staleCommand(self) -> None:
        """A command that outlives its line says nothing into the next one."""
        bench = slowBench()
        bench.say(b"AT#SLOW\r")
        bench.at.detach()
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        bench.say(b"AT#SLOW=9\r")
        assert bench.after(2.0) == b"\r\n#SLOW: 9\r\n" + OK

    def test_commandThatIgnoresItsEnd(self) -> None:
        """A command that goes on after its line was cancelled neither answers nor ends the next one."""
        bench = slowBench(LAST=1.0)
        bench.say(b"AT#DEAF\r")
        bench.at.detach()
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        bench.say(b"AT#SLOW=9\r")
        assert bench.after(1.0) == b""
        assert bench.after(1.0) == b"\r\n#SLOW: 9\r\n" + OK

    def test_commandThatLeavesAndWaits(self) -> None:
        """A command that leaves the transport before it first waits is over; the next line has nothing of it."""
        bench = slowBench()
        bench.say(b"AT#LEAVEANDWAIT\r")
        assert bench.clock.getDelayedCalls() == []
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"AT\r") == OK

    def test_promptThatLeaves(self) -> None:
        """What is glued behind the data of a command that leaves the transport is for nobody."""
        bench = quiet()
        bench.say(b"AT#TEXTANDLEAVE\rab\x1aAT+CSQ\r")
        assert bench.calls.data == [b"ab"]
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"A/") == b"\r\n> "

    @pytest.mark.parametrize("glued", [b"AT+CSQ\r", b"A", b"A/"])
    def test_commandThatLeaves(self, glued: bytes) -> None:
        """A command may take the instance off its transport; what is glued behind it is for nobody."""
        bench = Bench()
        bench.say(b"AT#LEAVE\r" + glued)
        bench.transport = FakeTransport()
        bench.at.makeConnection(bench.transport)
        assert bench.say(b"AT\r") == b"AT\r" + OK

    def test_detachedTransportIsFree(self) -> None:
        """A transport that an instance has left hears no more of it, and reads on even if it was paused."""
        bench = slowBench()
        bench.at.pauseProducing()
        bench.at.detach()
        assert bench.transport.producer is None
        assert bench.transport.producerState == "producing"

    def test_backPressure(self) -> None:
        """A DTE that doesn't read its answers isn't read from either, until it does."""
        bench = quiet()
        assert bench.transport.producer is bench.at
        bench.at.pauseProducing()
        assert bench.transport.producerState == "paused"
        bench.at.resumeProducing()
        assert bench.transport.producerState == "producing"

    def test_muchForLittle(self) -> None:
        """A DTE that asks for a great deal in one chunk gets it as it reads, complete and in order."""

        class Narrow(FakeTransport):
            """A transport that is full as soon as it holds anything."""

            def write(self, data: bytes) -> None:
                """Hold it, and say so."""
                super().write(data)
                bench.at.pauseProducing()

        bench = quiet()
        bench.at.detach()
        bench.transport = Narrow()
        bench.at.makeConnection(bench.transport)
        heard = [bench.say(b"AT+LIST\r" + b"A/" * 1000 + b"AT\rA"), bench.say(b"T+CSQ\r")]
        assert heard[1] == b""
        while bench.transport.producerState == "paused":
            bench.at.resumeProducing()
            heard.append(bench.heard())
        assert max(map(len, heard)) < 100
        assert b"".join(heard) == (b"\r\n+LIST: 1\r\n+LIST: 2\r\n+LIST: 3\r\n" + OK) * 1001 + OK + CSQ + OK

    def test_twoReasonsToWait(self) -> None:
        """Reading goes on only when the output has room and the queue too, in whichever order they get it."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = slowBench(bearer)
        bench.say(b"AT#SLOW\r" + b"AT\r" * QUEUED)
        bench.at.pauseProducing()
        bench.at.resumeProducing()
        assert bench.transport.producerState == "paused"
        bench.at.pauseProducing()
        bench.after(2.0)
        assert bench.transport.producerState == "paused"
        bench.at.resumeProducing()
        assert bench.transport.producerState == "producing"

    def test_powerOff(self) -> None:
        """After power-off and on, reading goes on although the queue was full before."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = slowBench(bearer)
        bench.say(b"AT#SLOW\r" + b"AT\r" * QUEUED)
        bench.at.stop()
        assert bench.transport.producerState == "producing"
        assert bench.say(b"AT\r") == OK

    def test_peerOfNobody(self) -> None:
        """An instance that nobody is attached to has no peer."""
        bench = Bench()
        assert bench.at.getPeer() == bench.transport.getPeer()
        bench.at.detach()
        assert bench.at.getPeer() is None


_WORDS = b"AT at +CSQ #PAIR= 3 , ? ; A/ E1 E0 V0 V1 S3=33 ! #TEXT\r #RAW=3\r #SLOW\r #LOST".split(b" ")
_OCTETS = [bytes([octet]) for octet in b'\r\r\r\x1a\x1b\b\n\0"\xff ']
_STREAM = st.lists(st.sampled_from(_WORDS + _OCTETS) | st.binary(max_size=6), max_size=30).map(b"".join)


@settings(max_examples=150)
@given(_STREAM, st.lists(st.integers(0, 120), max_size=20))
def test_anySplit(stream: bytes, cuts: list[int]) -> None:
    """However a stream is cut into chunks, the module answers the same; nothing in it makes the instance fail."""
    stream = stream.replace(b"\x1a\r", b"\x1a").replace(b"\x1a\n", b"\x1a")
    whole, cut = Bench(FakeBearer()), Bench(FakeBearer())
    whole.at.bearer.queueing = cut.at.bearer.queueing = True  # type: ignore[attr-defined]
    heard = b"".join(map(cut.say, pieces(stream, cuts)))
    assert heard == whole.say(stream)
    assert cut.calls.data == whole.calls.data


@settings(max_examples=100)
@given(st.lists(_STREAM, max_size=6), st.booleans())
def test_hostileStream(chunks: list[bytes], queueing: bool) -> None:
    """Garbage with slow commands, prompts and pauses among it leaves an instance that answers and holds little."""
    bearer = FakeBearer()
    bearer.queueing = queueing
    bench = slowBench(bearer)
    for chunk in chunks:
        bench.say(chunk)
        bench.after(0.7)
    bench.after(600.0)
    bench.say(b"\x1b")
    bench.at.stop()
    bench.say(b"\r!ATE0V1S3=13!ATE0V1S3=13\r\x1b")
    assert bench.say(b"AT\r").endswith(OK)
    assert bench.clock.getDelayedCalls() == []
