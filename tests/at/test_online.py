"""Online mode: the instance as the transport of a channel, and the ways out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IConsumer, IPushProducer, ITransport
from twisted.internet.protocol import connectionDone
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from atrunproto.at import results
from atrunproto.at.notices import NOTICES_HELD
from atrunproto.at.online import ATAddress, ChannelTransport, Escaped, LineDropped, Unplugged
from tests.at.fakes import Bench, FakeBearer, FakeChannel, pieces, quiet

OK = b"\r\nOK\r\n"
CONNECT = b"\r\nCONNECT\r\n"
NO_CARRIER = b"\r\nNO CARRIER\r\n"


def transportOf(channel: FakeChannel) -> ChannelTransport:
    """What the channel writes to."""
    assert channel.transport is not None
    return channel.transport


def escape(bench: Bench) -> bytes:
    """Leave by the escape sequence, and give what is heard."""
    bench.after(1.0)
    bench.say(b"+++")
    return bench.after(1.0)


def reasons(channel: FakeChannel) -> list[type[BaseException]]:
    """Why the channel was lost, each time that it was told so."""
    return [reason.type for reason in channel.lost]  # type: ignore[misc]


class Producer:
    """A producer that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        """Remember it."""
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """Remember it."""
        self.told.append("resume")

    def stopProducing(self) -> None:
        """Remember it."""
        self.told.append("stop")


class TestResult:
    """Channels that say how online mode ends."""

    @pytest.mark.parametrize(
        ("result", "shown"),
        [
            (results.OK, OK),
            (results.CME[561], b"\r\n+CME ERROR: 561\r\n"),
            (results.multitechReason(38017), b"\r\n#CME ERROR: 38017\r\n"),
        ],
        ids=["code", "error", "number"],
    )
    def test_result(self, result: results.ResultCode | results.Reason, shown: bytes) -> None:
        """A service ends online mode with the result that fits it, in place of NO CARRIER."""
        bench = quiet()
        bench.say(b"AT+CMEE=1\r")
        channel = bench.goOnline()
        transportOf(channel).endWith(result)
        transportOf(channel).endWith(results.NO_CARRIER)
        assert bench.after(0) == shown
        assert bench.say(b"AT\r") == OK

    def test_results(self) -> None:
        """What a service has to say before its final result comes ahead of it."""
        bench = quiet()
        transportOf(bench.goOnline()).endWith(results.ResultCode(3074, "Ok_Info_SocketClosed"), results.OK)
        assert bench.after(0) == b"\r\nOk_Info_SocketClosed\r\n" + OK

    def test_noEscape(self) -> None:
        """Where a service has no escape sequence, it goes to the channel like any data (MTS-SER-13)."""
        bench = Bench()
        channel = bench.goOnline(resumable=False, escapes=False)
        assert escape(bench) == b""
        assert bench.at.isOnline
        assert channel.received == b"+++"


class TestData:
    """What passes while online."""

    def test_bothWays(self) -> None:
        """Online every octet goes to the channel, without echo, and what the channel writes to the DTE as it is."""
        bench = Bench()
        channel = bench.goOnline()
        assert bench.at.isOnline
        assert bench.say(b"AT+CSQ\r\x1a\x1b\b\xff") == b""
        assert channel.received == b"AT+CSQ\r\x1a\x1b\b\xff"
        transportOf(channel).write(b"\r\nOK\r\n\x00")
        transportOf(channel).writeSequence([b"a", b"b"])
        assert bench.heard() == b"\r\nOK\r\n\x00ab"

    @pytest.mark.parametrize("cut", range(1, 16))
    def test_glued(self, cut: int) -> None:
        """What is glued behind the command that goes online belongs to the channel, however the octets come."""
        bench = quiet()
        channel = FakeChannel()
        bench.calls.online.append(bench.calls.resumable(channel))
        heard = b"".join(map(bench.say, pieces(b"AT#CALL\rhello\rAT", [cut])))
        assert (heard, channel.received) == (CONNECT, b"hello\rAT")

    def test_greeting(self) -> None:
        """What the channel writes as soon as it is connected comes behind CONNECT."""
        bench = quiet()
        channel = FakeChannel()
        channel.greeting = b"220 ready"
        bench.calls.online.append(bench.calls.resumable(channel))
        assert bench.say(b"AT+CSQ;#CALL\r") == b"\r\n+CSQ: 20,0\r\n" + CONNECT + b"220 ready"

    def test_slowCall(self) -> None:
        """TEL-SEQ-04: data sent ahead over a bearer that queues reach the channel once it is there."""
        bearer = FakeBearer()
        bearer.queueing = True
        bench = quiet(bearer)
        bench.module.durations["#SLOW"] = 2.0
        channel = FakeChannel()
        bench.calls.online.append(bench.calls.resumable(channel))
        bench.say(b"AT#SLOWCALL\rhello")
        assert bench.after(2.0) == CONNECT
        bench.say(b" world")
        assert channel.received == b"hello world"

    def test_addresses(self) -> None:
        """A channel may ask who is on the other end, and is told that it is an AT instance and by way of what."""
        bench = quiet(number=2)
        transport = transportOf(bench.goOnline())
        assert verifyObject(IAddress, transport.getPeer())
        assert transport.getHost() == ATAddress(2)
        assert transport.getPeer() == ATAddress(2, bench.transport.getPeer())

    def test_interfaces(self) -> None:
        """A foreign protocol can't tell the spell from an ordinary transport."""
        transport = transportOf(quiet().goOnline())
        for interface in (ITransport, IConsumer, IPushProducer):
            assert verifyObject(interface, transport)

    def test_finished(self) -> None:
        """CONNECT is a final result to the service, and so is the result that ends online mode."""
        bearer = FakeBearer()
        bearer.most = 10.0
        bench = quiet(bearer)
        bench.module.durations["#SLOW"] = 2.0
        bearer.told.clear()
        bench.calls.online.append(bench.calls.resumable(FakeChannel()))
        bench.say(b"AT#SLOWCALL\r")
        assert bench.after(2.0) == CONNECT
        assert bearer.told == ["finished"]
        bench.after(60.0)
        escape(bench)
        assert bearer.told == ["finished", "finished"]
        bench.after(60.0)
        assert "expired" not in bearer.told

    def test_carrier(self) -> None:
        """DCD is on while a channel has the line, unless &C0 keeps it on for ever."""
        bench = quiet()
        bench.goOnline()
        escape(bench)
        assert bench.transport.carriers == [True, False]
        bench.say(b"AT&C0\r")
        bench.goOnline()
        escape(bench)
        assert bench.transport.carriers[2:] == [True, True]


class TestEscape:
    """The escape sequence, as the instance sees it."""

    def test_suspends(self) -> None:
        """TEL-EXT-22: with silence around, three plus signs give OK and command mode; the channel hears why."""
        bench = quiet()
        channel = bench.goOnline()
        bench.after(0.1)
        bench.say(b"data")
        assert escape(bench) == OK
        assert not bench.at.isOnline
        assert reasons(channel) == [Escaped]
        assert issubclass(Escaped, ConnectionDone)
        assert bench.say(b"AT\r") == OK

    def test_ownResult(self) -> None:
        """A channel that can't be suspended ends with the result of its own."""
        bench = quiet()
        bench.goOnline(resumable=False, escaped=results.NO_CARRIER)
        assert escape(bench) == NO_CARRIER

    def test_guardFromRegister(self) -> None:
        """TEL-EXT-22: the guard time is S12 in fiftieths of a second, the character the one of S2."""
        bench = quiet()
        assert bench.say(b"ATS12=100S2=42\r") == OK
        bench.goOnline()
        bench.after(2.0)
        bench.say(b"***")
        assert bench.after(1.9) == b""
        assert bench.after(0.1) == OK

    def test_guardOfTheChannel(self) -> None:
        """A guard time of the channel's own (#E2ESC) takes the place of S12."""
        bench = quiet()
        bench.goOnline(guard=5.0)
        bench.after(5.0)
        bench.say(b"+++")
        assert bench.after(4.9) == b""
        assert bench.after(0.1) == OK

    @pytest.mark.parametrize(
        ("before", "data", "behind"), [(0.9, b"+++", b""), (1.0, b"+++", b"x"), (1.0, b"x+++", b"")]
    )
    def test_withoutSilence(self, before: float, data: bytes, behind: bytes) -> None:
        """TEL-EXT-22: without silence before and behind, the plus signs are data."""
        bench = quiet()
        channel = bench.goOnline()
        bench.after(before)
        bench.say(data)
        bench.after(0.9)
        bench.say(behind)
        assert bench.after(60.0) == b""
        assert channel.received == data + behind
        assert bench.clock.getDelayedCalls() == []

    @pytest.mark.parametrize(("gap", "left"), [(0.9, True), (1.0, False)])
    def test_gap(self, gap: float, left: bool) -> None:
        """TEL-EXT-22: the gap between the characters may not be as long as the guard time."""
        bench = quiet()
        bench.goOnline()
        bench.after(1.0)
        for _ in range(2):
            bench.say(b"+")
            bench.after(gap)
        bench.say(b"+")
        assert bench.after(1.0) == (OK if left else b"")

    @pytest.mark.parametrize(("transmit", "received"), [(True, b"ab+++"), (False, b"ab")])
    def test_skipEscape(self, transmit: bool, received: bytes) -> None:
        """TEL-EXT-23: the sequence is passed on to the peer unless it shall be withheld."""
        bench = quiet()
        channel = bench.goOnline(transmitEscape=transmit)
        bench.say(b"ab")
        escape(bench)
        assert channel.received == received

    def test_withheldDataArrive(self) -> None:
        """TEL-EXT-23: plus signs that are withheld reach the peer after the guard time when they were no escape."""
        bench = quiet()
        channel = bench.goOnline(transmitEscape=False)
        bench.after(1.0)
        bench.say(b"++")
        assert channel.received == b""
        bench.after(1.0)
        assert channel.received == b"++"

    @pytest.mark.parametrize(
        ("chunks", "left"), [([b"+++"], True), ([b"+", b"+", b"+"], False), ([b"++", b"+"], False)]
    )
    def test_inOneChunk(self, chunks: list[bytes], left: bool) -> None:
        """TEL-TRN-04: over a service the three characters must come in a single packet, else they pass as data."""
        bearer = FakeBearer()
        bearer.escapeInOneChunk = True
        bench = quiet(bearer)
        channel = bench.goOnline()
        bench.after(1.0)
        for chunk in chunks:
            bench.say(chunk)
        assert bench.after(1.0) == (OK if left else b"")
        assert channel.received == b"+++"

    def test_lateTimer(self) -> None:
        """A line that comes when the guard time is over is a command, even if the timer hasn't come round yet."""
        bench = quiet()
        channel = bench.goOnline()
        bench.after(1.0)
        bench.say(b"+++")
        bench.clock.rightNow += 1.0
        assert bench.say(b"AT\r") == OK + OK
        assert channel.received == b"+++"
        assert bench.clock.getDelayedCalls() == []


class TestResume:
    """ATO, ATH and ATZ after an escape."""

    def test_resume(self) -> None:
        """ATO goes back online; the channel gets a transport of its own for the new spell, the old one is dead."""
        bench = quiet()
        channel = bench.goOnline()
        first = transportOf(channel)
        escape(bench)
        assert bench.say(b"ATO\rhello") == CONNECT
        assert channel.received.endswith(b"hello")
        assert transportOf(channel) is not first
        first.write(b"late")
        first.loseConnection()
        assert bench.after(0.0) == b""
        assert bench.at.isOnline

    @pytest.mark.parametrize("line", [b"ATH\r", b"ATH0\r", b"ATZ\r"])
    def test_hangUp(self, line: bytes) -> None:
        """ATH and ATZ end the call that was left; afterwards there is none to resume."""
        bench = quiet()
        bench.goOnline()
        escape(bench)
        assert bench.say(line).endswith(OK)
        assert bench.calls.hungUp == 1
        assert bench.say(b"ATE0O\r").endswith(NO_CARRIER)
        assert bench.say(b"ATH\r") == OK
        assert bench.calls.hungUp == 1

    def test_nothingToResume(self) -> None:
        """Without a call ATO answers NO CARRIER, and ATH is OK."""
        assert quiet().say(b"ATO\rATH\r") == NO_CARRIER + OK

    def test_powerOff(self) -> None:
        """Power-off hangs up what was left by an escape, and loses the channel that has the line."""
        bench = quiet()
        bench.goOnline()
        escape(bench)
        channel = bench.goOnline()
        escape(bench)
        assert bench.say(b"ATO\r") == CONNECT
        bench.at.stop()
        assert reasons(channel) == [Escaped, Unplugged]
        bench.goOnline()
        escape(bench)
        bench.at.stop()
        assert bench.calls.hungUp == 1
        assert bench.say(b"ATO\r") == NO_CARRIER


class TestLoss:
    """The end of a spell from either side."""

    @pytest.mark.parametrize("close", ["loseConnection", "abortConnection", "stopProducing"])
    def test_channelCloses(self, close: str) -> None:
        """A channel that closes gives NO CARRIER; it hears of its loss once, in a later turn."""
        bench = quiet()
        channel = bench.goOnline()
        transport = transportOf(channel)
        transport.write(b"bye")
        getattr(transport, close)()
        getattr(transport, close)()
        transport.write(b"too late")
        assert channel.lost == []
        bench.say(b"too late as well")
        assert channel.received == b""
        assert bench.after(0.0) == NO_CARRIER
        assert reasons(channel) == [ConnectionDone]
        assert bench.after(5.0) == b""
        assert len(channel.lost) == 1

    def test_noCarrier(self) -> None:
        """What the channel wrote last stands before NO CARRIER, and the next line is a command."""
        bench = quiet()
        channel = bench.goOnline()
        transportOf(channel).write(b"bye")
        transportOf(channel).loseConnection()
        assert bench.after(0.0) == b"bye" + NO_CARRIER
        assert bench.say(b"AT\r") == OK
        assert bench.say(b"ATO\r") == NO_CARRIER

    def test_afterTheEnd(self) -> None:
        """A spell that is over takes whatever a protocol may still do with its transport, and does nothing."""
        bench = quiet()
        transport = transportOf(bench.goOnline())
        escape(bench)
        producer = Producer()
        transport.write(b"x")
        transport.writeSequence([b"x"])
        transport.loseConnection()
        transport.abortConnection()
        transport.pauseProducing()
        transport.resumeProducing()
        transport.stopProducing()
        transport.unregisterProducer()
        transport.registerProducer(producer, True)
        assert bench.after(1.0) == b""
        assert producer.told == ["stop"]
        assert bench.transport.producerState == "producing"

    def test_closedWhileEscaping(self) -> None:
        """A channel that closes in the midst of an escape ends once, by what comes first."""
        bench = quiet()
        channel = bench.goOnline()
        bench.after(1.0)
        bench.say(b"+++")
        transportOf(channel).loseConnection()
        assert bench.after(0.0) == NO_CARRIER
        assert bench.after(5.0) == b""
        assert len(channel.lost) == 1

    @pytest.mark.parametrize("leave", ["connectionLost", "detach"])
    def test_lineGoes(self, leave: str) -> None:
        """When the transport goes, the channel is lost at once, by the fault of the line, and only once."""
        bench = quiet()
        channel = bench.goOnline()
        bench.say(b"abc")
        getattr(bench.at, leave)(*[connectionDone][: leave == "connectionLost"])
        assert reasons(channel) == [Unplugged]
        assert issubclass(Unplugged, ConnectionLost)
        transportOf(channel).write(b"x")
        assert bench.after(5.0) == b""
        assert len(channel.lost) == 1
        assert not bench.at.isOnline

    @pytest.mark.parametrize(
        ("mode", "resumable", "heard", "reason"),
        [
            (0, True, b"", None),
            (1, True, OK, Escaped),
            (1, False, NO_CARRIER, LineDropped),
            (2, True, NO_CARRIER, LineDropped),
            (3, True, b"", None),
            (5, True, NO_CARRIER, LineDropped),
        ],
    )
    def test_lineDropped(self, mode: int, resumable: bool, heard: bytes, reason: type[Exception] | None) -> None:
        """When DTR drops, &D0 ignores it, &D1 suspends the call, &D2 and &D5 end it."""
        bench = quiet()
        bench.say(b"AT&D%d\r" % mode)
        channel = bench.goOnline(resumable)
        bench.at.lineDropped()
        assert bench.heard() == heard
        assert reasons(channel) == ([reason] if reason else [])
        if mode == 1 and resumable:
            assert bench.say(b"ATO\r") == CONNECT

    def test_lineDroppedInCommandMode(self) -> None:
        """A DTR that drops in command mode says nothing."""
        bench = quiet()
        bench.say(b"AT&D2\r")
        bench.at.lineDropped()
        assert bench.heard() == b""


class ChannelBugTests(SynchronousTestCase):
    """Channels that fail by themselves."""

    def test_channelsThatFail(self) -> None:
        """A channel that fails, wherever it does, is logged and ended by NO CARRIER; the instance works on."""
        for method, does in (
            ("makeConnection", lambda bench, channel: None),
            ("dataReceived", lambda bench, channel: bench.say(b"x")),
            ("connectionLost", lambda bench, channel: channel.transport.loseConnection()),
        ):

            def fail(*args: Any) -> None:
                raise RuntimeError("a bug")

            bench, channel = quiet(), FakeChannel()
            setattr(channel, method, fail)
            bench.calls.online.append(bench.calls.resumable(channel))
            assert bench.say(b"AT#CALL\r") == CONNECT
            does(bench, channel)
            assert bench.after(0.0) == NO_CARRIER
            assert len(self.flushLoggedErrors(RuntimeError)) == 1
            assert bench.say(b"AT\r") == OK


class TestBackPressure:
    """Neither side is given more than it takes."""

    def test_channelIsFull(self) -> None:
        """A channel that can't take more stops the reading from the DTE, until it has room or the spell ends."""
        bench = quiet()
        channel = bench.goOnline()
        transportOf(channel).pauseProducing()
        assert bench.transport.producerState == "paused"
        transportOf(channel).resumeProducing()
        assert bench.transport.producerState == "producing"
        transportOf(channel).pauseProducing()
        transportOf(channel).loseConnection()
        bench.after(0.0)
        assert bench.transport.producerState == "producing"

    def test_dteIsFull(self) -> None:
        """While online a channel's producer hears what the DTE takes; before and afterwards the instance does."""
        bench = quiet()
        channel, producer = bench.goOnline(), Producer()
        transportOf(channel).registerProducer(producer, True)
        bench.transport.producer.pauseProducing()
        bench.transport.producer.resumeProducing()
        assert producer.told == ["pause", "resume"]
        transportOf(channel).unregisterProducer()
        assert bench.transport.producer is bench.at

    def test_pullProducer(self) -> None:
        """A producer that wants to be asked each time is registered as such."""
        bench = quiet()
        channel, producer = bench.goOnline(), Producer()
        transportOf(channel).registerProducer(producer, False)
        assert bench.transport.streaming is False
        bench.transport.producer.resumeProducing()
        assert producer.told == ["resume"]

    def test_oneProducer(self) -> None:
        """Only one producer can be registered at a time, as with any transport."""
        bench = quiet()
        transport = transportOf(bench.goOnline())
        transport.registerProducer(Producer(), True)
        with pytest.raises(RuntimeError):
            transport.registerProducer(Producer(), True)
        transport.unregisterProducer()
        transport.registerProducer(Producer(), True)

    @pytest.mark.parametrize("leave", ["escape", "connectionLost", "detach", "stop"])
    def test_producerIsStopped(self, leave: str) -> None:
        """A producer that is registered when the spell ends is stopped, once."""
        bench = quiet()
        producer = Producer()
        transportOf(bench.goOnline()).registerProducer(producer, True)
        if leave == "escape":
            escape(bench)
        else:
            getattr(bench.at, leave)(*[connectionDone][: leave == "connectionLost"])
        assert producer.told == ["stop"]
        if leave in ("escape", "stop"):
            assert bench.transport.producer is bench.at

    def test_twoReasonsToWait(self) -> None:
        """While the channel is full, room on the DTE's side doesn't let the reading go on, nor the reverse."""
        bench = quiet()
        channel = bench.goOnline()
        transportOf(channel).pauseProducing()
        bench.at.pauseProducing()
        bench.at.resumeProducing()
        assert bench.transport.producerState == "paused"
        bench.at.pauseProducing()
        transportOf(channel).resumeProducing()
        assert bench.transport.producerState == "paused"
        bench.at.resumeProducing()
        assert bench.transport.producerState == "producing"

    def test_pausedAnswer(self) -> None:
        """An instance that waits for its DTE when a channel's producer takes over doesn't wait for ever."""
        bench = quiet()
        bench.at.pauseProducing()
        channel = FakeChannel()
        bench.calls.online.append(bench.calls.resumable(channel))
        bench.say(b"AT#CALL\r")
        transportOf(channel).registerProducer(Producer(), True)
        assert bench.transport.producerState == "producing"


class TestNotices:
    """Unsolicited codes while online."""

    def test_heldBack(self) -> None:
        """Online no notice disturbs the data; they are told behind the result that ends online mode."""
        bench = quiet()
        bench.goOnline()
        bench.at.notify("SRING: 1")
        assert bench.heard() == b""
        assert escape(bench) == OK + b"\r\nSRING: 1\r\n"

    def test_duringTheLoss(self) -> None:
        """A notice that a channel's loss gives rise to comes behind NO CARRIER."""
        bench = quiet()
        channel = bench.goOnline()
        lost = channel.connectionLost

        def tell(reason: Any) -> None:
            lost(reason)
            bench.at.notify("#SOCKET: closed")

        channel.connectionLost = tell  # type: ignore[method-assign]
        transportOf(channel).loseConnection()
        assert bench.after(0.0) == NO_CARRIER + b"\r\n#SOCKET: closed\r\n"

    def test_bounded(self) -> None:
        """However long a spell lasts, only the latest notices are kept, and that some were dropped is logged."""
        bench = quiet()
        bench.goOnline()
        for number in range(10 * NOTICES_HELD):
            bench.at.notify(f"SRING: {number}")
        with capturedLogs() as logged:
            heard = escape(bench)
        assert heard.count(b"SRING") == NOTICES_HELD
        assert [event["count"] for event in logged] == [9 * NOTICES_HELD]


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0, 2.5), st.text("+++ax\r", max_size=5).map(str.encode)), max_size=15), st.booleans()
)
def test_nothingIsLost(arrivals: list[tuple[float, bytes]], transmit: bool) -> None:
    """Whatever is typed whenever, each octet is either data of the channel or part of a line, and no timer stays."""
    bench = quiet()
    channel = bench.goOnline(transmitEscape=transmit)
    sent = b""
    for pause, data in arrivals:
        bench.after(pause)
        if not bench.at.isOnline:
            break
        bench.say(data)
        sent += data
    bench.after(2.0)
    if bench.at.isOnline or transmit:
        assert channel.received == sent
    else:
        assert channel.received + b"+++" == sent
    assert len(channel.lost) == (not bench.at.isOnline)
    assert bench.clock.getDelayedCalls() == []
