"""Both sides of an AT line, joined in memory: a real instance and the client that controls it."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from atrunproto.at.errors import CommandFailed, CommandTimeout, LinkLost, Misuse, PeerViolation
from atrunproto.at.online import Escaped
from atrunproto.at.peer import ATClient
from atrunproto.at.peercheck import CHECK_HELD
from atrunproto.at.peercommand import RESYNC_QUIET, RESYNC_WAIT
from atrunproto.at.peeronline import CHECK_ANSWER, ESCAPE_ANSWER, ESCAPE_TRIES, SILENCE, FalseAlarm, OnlineAddress
from atrunproto.at.peersending import ESCAPE_GUARD
from atrunproto.at.peerwire import NUMERIC_SETTLE
from atrunproto.at.results import CME, CMS, MULTITECH, cmsReason
from atrunproto.testing.link import HIGH_WATER, MemoryLink
from tests.at.fakes import Bench, FakeChannel
from tests.at.test_peer import error, pending, result


class Pair:
    """An instance with the commands of the bench, and a client, on a link."""

    def __init__(self, bench: Bench | None = None, **options: Any) -> None:
        self.bench = bench or Bench()
        self.bench.at.detach()
        self.clock = self.bench.clock
        self.client = ATClient(self.clock, self.bench.commands.rows, self.bench.commands.dialect, **options)
        self.link = MemoryLink(self.clock, self.bench.at, self.client)

    def ask(self, line: str, **options: Any) -> tuple[str, ...]:
        """The lines of an answer that comes at once."""
        answered = self.client.execute(line, **options)
        self.link.pump()
        if not answered.called:
            self.clock.advance(NUMERIC_SETTLE)
        return result(answered).lines

    def wait(self, seconds: float) -> None:
        """Let time pass in small steps."""
        self.link.pump()
        for _ in range(ceil(seconds * 8)):
            self.clock.advance(0.125)
            self.link.pump()

    def online(self, **facts: Any) -> tuple[FakeChannel, Recorder]:
        """Go online: the module's channel and the peer's protocol."""
        channel, protocol = FakeChannel(), Recorder()
        self.bench.calls.online.append(self.bench.calls.resumable(channel, **facts))
        connected = self.client.connect("AT#CALL", protocol)
        self.link.pump()
        assert result(connected) is protocol
        return channel, protocol


class Recorder(Protocol):
    """A protocol that remembers what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost: list[type[Any]] = []

    @property
    def way(self) -> Any:
        """Its transport."""
        return self.transport

    def connectionMade(self) -> None:
        """Nothing is lost before this has returned."""
        assert not self.lost

    def dataReceived(self, data: bytes) -> None:
        """Remember it."""
        self.heard += data

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Remember the reason."""
        self.lost.append(type(reason.value))


SETTINGS = ["ATE1", "ATE0", "ATE1V0", "ATE0V0"]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("limit", [None, 1, 2, 3, 5, 7])
def test_settings(setting: str, limit: int | None) -> None:
    """The client needs no telling whether the module echoes or answers in numbers (TEL-GEN-05)."""
    pair = Pair()
    pair.link.module.limit = limit
    assert pair.ask(setting) == ()
    for _ in range(2):
        assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)
        assert pair.ask("AT+LIST") == ("+LIST: 1", "+LIST: 2", "+LIST: 3")
    assert pair.ask("AT+CSQ;+LIST;+CMEE?") == ("+CSQ: 20,0", "+LIST: 1", "+LIST: 2", "+LIST: 3", "+CMEE: 0")
    assert pair.ask("ATS3?") == ("013",)
    with pytest.raises(CommandFailed):
        pair.ask("AT+NONE")
    assert pair.ask("ATV1E1") == ()
    assert pair.ask("AT") == ()


@pytest.mark.parametrize("cmee", [1, 2])
def test_errors(cmee: int) -> None:
    """Errors arrive as the same reasons, whether in numbers or in words."""
    pair = Pair()
    pair.ask(f"AT+CMEE={cmee}")
    for line, reason in [("AT#DENY=10", CME[10]), ("AT#DENY=305", CMS[305]), ("AT#DENY=550", CME[550])]:
        with pytest.raises(CommandFailed) as raised:
            pair.ask(line)
        assert raised.value.reason is reason


@pytest.mark.parametrize("verbose", ["V1", "V0"])
def test_multitech(verbose: str) -> None:
    """The second dialect is understood as well, in words and in numbers (MTS-RES-03 to MTS-RES-07)."""
    pair = Pair(Bench(dialect=MULTITECH))
    pair.ask(f"AT{verbose}")
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)
    assert result(ready(pair, pair.client.read("#PAIR"))) == (1, 10)
    with pytest.raises(CommandFailed) as raised:
        pair.ask("AT#PAIR=9")
    assert raised.value.reason == MULTITECH.badValue
    assert error(pair.client.call("#PAIR", 9), CommandFailed).reason is MULTITECH.badValue


def ready(pair: Pair, deferred: Any) -> Any:
    """Give a Deferred when the link is at rest."""
    pair.link.pump()
    pair.clock.advance(NUMERIC_SETTLE)
    return deferred


def test_typedCalls() -> None:
    """What a typed call sets, the typed read gives back; the test form tells the ranges."""
    pair = Pair()
    client = pair.client
    for call in [
        client.call("#PAIR", 2, b=12),
        client.call("#NAME", "a,b c"),
        client.call("#CONN", 2, 1500),
        client.call("+DEF", 3, "web.net"),
        client.call("S12", 30),
        client.call("E", 0),
    ]:
        result(ready(pair, call))
    assert result(ready(pair, client.read("#PAIR"))) == (2, 12)
    assert result(ready(pair, client.read("#NAME"))) == ("a,b c",)
    assert result(ready(pair, client.read("#CONN"))) == {1: (300,), 2: (1500,), 3: (300,)}
    assert result(ready(pair, client.read("+DEF"))) == {3: ("web.net",)}
    assert result(ready(pair, client.read("S12"))) == (30,)
    assert result(ready(pair, client.test("#PAIR"))) == "(0-5),(10-20)"
    assert result(ready(pair, client.call("#ARGS", "x", third="y"))).lines == ("#ARGS: x|7|y",)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("limit", [None, 1, 4])
def test_prompts(setting: str, limit: int | None) -> None:
    """Data reach the module at its prompts, octet by octet as they were given, echoed or not."""
    pair = Pair()
    pair.link.module.limit = limit
    pair.ask(setting)
    assert pair.ask("AT#TEXT=100", data=b"one\r\ntwo") == ("#TEXT: 8",)
    assert pair.ask("AT#RAW=6", data=b"\x1a\x1b\x00\r\nx") == ("#RAW: 6",)
    assert pair.bench.calls.data == [b"one\r\ntwo", b"\x1a\x1b\x00\r\nx"]
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("limit", [None, 1, 2, 3, 7])
@pytest.mark.parametrize(
    "data",
    [b"one", b"one\rtwo", b"one\r\rtwo\r", b"\r", b"1\r0\rtwo", b"0011000B916407281553F80000AA0AE8329BFD4697D9EC37"],
)
def test_texts(setting: str, limit: int | None, data: bytes) -> None:
    """A text of any lines, or a PDU, reaches the module, and no prompt or echo of a line is taken for an answer."""
    pair = Pair()
    pair.link.module.limit = limit
    pair.ask(setting)
    assert pair.ask("AT#SAY", data=data) == ()
    assert pair.bench.calls.data == [data]
    assert pair.ask("AT#TEXT=160", data=data) == (f"#TEXT: {len(data)}",)
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


@pytest.mark.parametrize("cmee", [0, 1, 2])
@pytest.mark.parametrize("setting", SETTINGS)
def test_refusedTexts(setting: str, cmee: int) -> None:
    """A message that is refused, at once or after its data, fails by its number, whatever +CMEE says."""
    pair = Pair()
    pair.ask(f"{setting}+CMEE={cmee}")
    for line, reason in [("AT#DENY=310", CMS[310]), ("AT#SAY=3", CMS[305]), ("AT#SAY=160,38", cmsReason(38))]:
        answered = pair.client.execute(line, data=b"hello")
        pair.link.pump()
        assert error(answered, CommandFailed).reason == reason
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


def test_promptWithoutData() -> None:
    """A command that asks for data and gets none is given up, and the line is good for the next."""
    pair = Pair()
    answered = pair.client.execute("AT#TEXT")
    pair.link.pump()
    error(answered, Misuse)
    assert pair.bench.calls.data == [b"abandoned"]
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


def test_noticesDuringCommands() -> None:
    """Notices come before, within and after a command, and are taken for no part of its answer (TEL-GEN-09)."""
    pair = Pair()
    heard: list[str] = []
    pair.client.onNotice("+CREG", heard.append)
    pair.client.onNotice("SRING", heard.append)
    pair.bench.module.durations["#SLOW"] = 2.0
    pair.link.peer.cut(5)
    answered = pair.client.execute("AT#SLOW=4")
    pair.link.turn()
    pair.bench.at.notify("+CREG: 1")
    pair.link.pump()
    pair.bench.at.notify("SRING: 1")
    pair.wait(2.0)
    assert (result(answered).lines, heard) == (("#SLOW: 4",), ["+CREG: 1", "SRING: 1"])
    pair.bench.at.notify("+CREG: 2")
    pair.link.pump()
    assert heard[2:] == ["+CREG: 2"]


def test_late() -> None:
    """A module that answers too late is waited for before the next command, which then gets its own answer."""
    pair = Pair()
    pair.bench.module.durations["#SLOW"] = 6.0
    late = pair.client.execute("AT#SLOW", timeout=5.0)
    following = pair.client.execute("AT+CSQ")
    pair.wait(5.0)
    error(late, CommandTimeout)
    assert pending(following)
    pair.wait(2 * RESYNC_WAIT)
    assert result(following).lines == ("+CSQ: 20,0",)


def test_cancelled() -> None:
    """A command that is cancelled on the wire runs to its end in the module before the next is sent."""
    pair = Pair()
    pair.bench.module.durations["#SLOW"] = 2.0
    cancelled, following = pair.client.execute("AT#SLOW"), pair.client.execute("AT+CSQ")
    pair.link.pump()
    cancelled.cancel()
    cancelled.addErrback(lambda _: None)
    pair.wait(1.0)
    assert pending(following)
    pair.wait(1.0)
    assert result(following).lines == ("+CSQ: 20,0",)


def test_lostOctets() -> None:
    """A lost octet costs one command at most; the line finds its way again."""
    pair = Pair()
    pair.link.module.through = lambda data: data.replace(b"OK", b"K")
    first, second = pair.client.execute("AT+CSQ", timeout=1.0), pair.client.execute("AT+LIST")
    pair.link.pump()
    pair.link.module.through = bytes
    pair.wait(1.0 + RESYNC_QUIET + 0.1)
    error(first, CommandTimeout)
    assert len(result(second).lines) == 3


def test_hungPrompt() -> None:
    """A module that still waits for data is brought back by the search for its senses."""
    pair = Pair()
    pair.link.module.through = lambda data: data.replace(b"> ", b"")
    lost = pair.client.execute("AT#TEXT", timeout=1.0, data=b"hello")
    following = pair.client.execute("AT+CSQ")
    pair.link.pump()
    pair.link.module.through = bytes
    pair.wait(1.0)
    error(lost, CommandTimeout)
    pair.wait(2 * RESYNC_WAIT)
    assert result(following).lines == ("+CSQ: 20,0",)


def test_halfOpen() -> None:
    """A module that has gone silent costs its command, then its link."""
    pair = Pair()
    pair.link.module.silent = True
    first, second = pair.client.execute("AT+CSQ", timeout=1.0), pair.client.execute("AT+CSQ")
    gone = pair.client.whenLost()
    pair.wait(20.0)
    error(first, CommandTimeout)
    assert error(second, LinkLost).sent is False
    result(gone)


def test_brokenLink() -> None:
    """When the link breaks, each command knows whether it was sent."""
    pair = Pair()
    first, second = pair.client.execute("AT+CSQ"), pair.client.execute("AT+CSQ")
    pair.link.breakOff()
    assert (error(first, LinkLost).sent, error(second, LinkLost).sent) == (True, False)
    assert isinstance(result(pair.client.whenLost()), ConnectionLost)


# -- online


def test_transport() -> None:
    """Online, the client is a transport with back-pressure that tells what was dialled."""
    pair = Pair()
    _, protocol = pair.online()
    for each in (ITransport, IConsumer, IPushProducer):
        verifyObject(each, protocol.way)
    assert protocol.way.getPeer() == OnlineAddress("AT#CALL", pair.link.peer.getPeer())
    assert protocol.way.getHost() == OnlineAddress("", pair.link.peer.getHost())
    assert pair.client.isOnline


@pytest.mark.parametrize("limit", [None, 1, 9, 10, 11])
def test_data(limit: int | None) -> None:
    """Data go both ways as they are, also those that come right behind CONNECT."""
    pair = Pair()
    pair.link.module.limit = limit
    channel, protocol = FakeChannel(), Recorder()
    channel.greeting = b"\n220 hello\r\n"
    pair.bench.calls.online.append(pair.bench.calls.resumable(channel))
    pair.client.connect("AT#CALL", protocol)
    pair.link.pump()
    assert protocol.heard == channel.greeting
    protocol.way.write(b"AT+CSQ\r\x1a")
    protocol.way.writeSequence([b"+++", b"a"])
    pair.link.pump()
    assert channel.received == b"AT+CSQ\r\x1a+++a"


def test_dataInNumbers() -> None:
    """Under ATV0 data begin right behind the digit of CONNECT."""
    pair = Pair()
    pair.ask("ATV0")
    channel, protocol = FakeChannel(), Recorder()
    channel.greeting = b"hello"
    pair.bench.calls.online.append(pair.bench.calls.resumable(channel))
    pair.client.connect("AT#CALL", protocol)
    pair.link.pump()
    assert protocol.heard == b"hello"
    left = pair.client.escape()
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert (result(left), protocol.lost) == (None, [Escaped])


def test_escape() -> None:
    """The escape sequence leads back to command mode, and the call can be resumed."""
    pair = Pair()
    channel, protocol = pair.online(transmitEscape=False)
    protocol.way.write(b"data")
    waiting = pair.client.execute("AT+CSQ")
    left = pair.client.escape()
    again = pair.client.escape()
    protocol.way.write(b"lost")
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert (result(left), result(again), protocol.lost) == (None, None, [Escaped])
    assert result(waiting).lines == ("+CSQ: 20,0",)
    protocol.way.write(b"late")
    protocol.way.loseConnection()
    pair.link.pump()
    assert channel.received == b"data"
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)
    resumed = Recorder()
    connected = pair.client.connect("ATO", resumed)
    pair.link.pump()
    assert result(connected) is resumed
    resumed.way.write(b"more")
    pair.link.pump()
    assert channel.received == b"datamore"
    assert error(Pair().client.escape(), Misuse)


def test_dataWhileLeaving() -> None:
    """What the channel sends until the answer to the escape sequence reaches the protocol, and the answer doesn't."""
    pair = Pair()
    channel, protocol = pair.online()
    protocol.way.pauseProducing()
    pair.client.escape()
    pair.wait(ESCAPE_GUARD + 0.5)
    assert channel.transport is not None
    channel.transport.write(b"data")
    pair.wait(ESCAPE_GUARD + SILENCE)
    assert (protocol.heard, protocol.lost) == (b"data", [Escaped])


def test_closeByProtocol() -> None:
    """A protocol that closes its transport hangs up, and is told once, in a later turn."""
    pair = Pair()
    _, protocol = pair.online()
    protocol.way.loseConnection()
    protocol.way.loseConnection()
    protocol.way.abortConnection()
    assert protocol.lost == []
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert protocol.lost == [ConnectionDone]
    assert pair.bench.calls.hungUp == 1
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


class Hasty(Recorder):
    """A protocol that closes its transport as soon as it has one."""

    def connectionMade(self) -> None:
        """Say something and close."""
        self.way.write(b"bye")
        self.way.loseConnection()
        assert self.lost == []


def test_closeAtOnce() -> None:
    """A protocol may close its transport before its beginning has returned; what it wrote still goes out."""
    pair = Pair()
    channel, protocol = FakeChannel(), Hasty()
    pair.bench.calls.online.append(pair.bench.calls.resumable(channel, transmitEscape=False))
    connected = pair.client.connect("AT#CALL", protocol)
    pair.link.pump()
    assert result(connected) is protocol
    assert protocol.lost == []
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert (channel.received, protocol.lost, pair.bench.calls.hungUp) == (b"bye", [ConnectionDone], 1)


@pytest.mark.parametrize("limit", [None, 1])
def test_closeByRemote(limit: int | None) -> None:
    """NO CARRIER behind the data ends the spell; the line is in command mode."""
    pair = Pair()
    pair.link.module.limit = limit
    channel, protocol = pair.online()
    assert channel.transport is not None
    channel.transport.write(b"bye\r\n")
    channel.transport.loseConnection()
    pair.wait(SILENCE + 0.1)
    # octet by octet, the CR LF in front of the code can't be told from data
    assert (protocol.heard, protocol.lost) == (b"bye\r\n" + (b"" if limit is None else b"\r\n"), [ConnectionDone])
    assert not pair.client.isOnline
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


def test_noCarrierInData() -> None:
    """Data that look like the end of the call are data if more follow."""
    pair = Pair()
    channel, protocol = pair.online()
    assert channel.transport is not None
    channel.transport.write(b"a\r\nNO CARRIER\r\n")
    pair.link.pump()
    assert protocol.heard == b"a"
    channel.transport.write(b"b")
    pair.clock.advance(0)
    assert (protocol.heard, pair.clock.getDelayedCalls()) == (b"a\r\nNO CARRIER\r\nb", [])
    channel.transport.write(b"c\r\nNO CAR")
    pair.wait(SILENCE)
    assert (protocol.heard, protocol.lost) == (b"a\r\nNO CARRIER\r\nbc\r\nNO CAR", [])


def test_refusedCall() -> None:
    """A call that isn't answered by CONNECT fails, with the module's reason where it gives one."""
    pair = Pair()
    protocol = Recorder()
    for line, kind in [("AT#LOST", CommandFailed), ("AT#DENY", CommandFailed), ("AT+CSQ", PeerViolation)]:
        connected = pair.client.connect(line, protocol)
        pair.link.pump()
        error(connected, kind)
    assert (protocol.transport, protocol.lost) == (None, [])


def test_unwantedConnect() -> None:
    """A command that goes online without a protocol is hung up again, and fails with what to do instead."""
    pair = Pair()
    pair.bench.calls.online.append(pair.bench.calls.resumable(FakeChannel()))
    answered, following = pair.client.execute("AT#CALL"), pair.client.execute("AT+CSQ")
    pair.link.pump()
    assert "connect()" in str(error(answered, Misuse))
    pair.wait(2 * ESCAPE_GUARD + SILENCE + RESYNC_WAIT)
    assert result(following).lines == ("+CSQ: 20,0",)
    assert pair.bench.calls.hungUp == 1


def test_lateConnect() -> None:
    """A call that is connected after its timeout is hung up again."""
    pair = Pair()
    pair.bench.module.durations["#SLOW"] = 3.0
    pair.bench.calls.online.append(pair.bench.calls.resumable(FakeChannel()))
    connected = pair.client.connect("AT#SLOWCALL", Recorder(), timeout=2.0)
    following = pair.client.execute("AT+CSQ")
    pair.wait(2.0)
    error(connected, CommandTimeout)
    pair.wait(1.0 + 2 * ESCAPE_GUARD + SILENCE + 2 * RESYNC_WAIT)
    assert result(following).lines == ("+CSQ: 20,0",)
    assert pair.bench.calls.hungUp == 1


def test_linkLostOnline() -> None:
    """When the link breaks online, the protocol is told once, and what leaves online mode fails."""
    pair = Pair()
    _, protocol = pair.online()
    left = pair.client.escape()
    pair.link.breakOff()
    assert protocol.lost == [ConnectionLost]
    error(left, LinkLost)
    protocol.way.loseConnection()
    assert pair.clock.getDelayedCalls() == []


def test_unansweredEscape() -> None:
    """A module that doesn't answer the escape sequence loses the spell, and is looked for before the next command."""
    pair = Pair()
    _, protocol = pair.online()
    pair.link.module.silent = True
    left = pair.client.escape()
    pair.wait(ESCAPE_GUARD + ESCAPE_TRIES * (ESCAPE_GUARD + ESCAPE_ANSWER) + SILENCE)
    error(left, CommandTimeout)
    assert protocol.lost == [CommandTimeout]
    pair.link.module.silent = False
    following = pair.client.execute("AT+CSQ")
    pair.wait(3 * RESYNC_WAIT)
    assert result(following).lines == ("+CSQ: 20,0",)


def test_escapeComesBack() -> None:
    """A module that has left online mode itself, and echoes, is soon taken for what it is: it says nothing more."""
    pair = Pair()
    pair.ask("ATE1")
    channel, protocol = pair.online()
    assert channel.transport is not None
    channel.transport.loseConnection()
    pair.clock.advance(0)
    protocol.way.write(b"more of it")
    pair.wait(SILENCE)
    assert protocol.heard == b"\r\nNO CARRIER\r\nmore of it"
    protocol.way.abortConnection()
    following = pair.client.execute("AT+CSQ")
    pair.wait(2 * ESCAPE_GUARD + CHECK_ANSWER + 2 * RESYNC_WAIT)
    assert protocol.lost == [CommandTimeout]
    assert result(following).lines == ("+CSQ: 20,0",)


def test_escapeIsRepeated() -> None:
    """Where the other side sends the escape sequence back, the module's answer behind it still counts."""
    pair = Pair()
    channel, protocol = pair.online(transmitEscape=True)
    left = pair.client.escape()
    pair.wait(ESCAPE_GUARD)
    assert channel.transport is not None
    channel.transport.write(b"+++")
    pair.wait(ESCAPE_GUARD + SILENCE)
    assert result(left) is None
    assert protocol.lost == [Escaped]


def test_noticesBehindTheEnd() -> None:
    """Notices that come behind the end of a call aren't taken for the answer to what its protocol asks then."""
    pair = Pair()
    told, asked = list[str](), list[Any]()

    class Redialling(Recorder):
        """Calls again at once."""

        def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
            asked.append(pair.client.connect("AT#CALL", Recorder()))

    pair.client.onNotice("NO CARRIER", told.append)
    channel, protocol = FakeChannel(), Redialling()
    pair.bench.calls.online.append(pair.bench.calls.resumable(channel))
    pair.client.connect("AT#CALL", protocol)
    pair.link.pump()
    pair.bench.calls.online.append(pair.bench.calls.resumable(FakeChannel()))
    pair.client.dataReceived(b"\r\nNO CARRIER\r\n\r\nNO CARRIER\r\n")
    pair.clock.advance(SILENCE)
    assert told == ["NO CARRIER"]
    assert pending(asked[0])


def test_escapeBehindData() -> None:
    """A module that takes the data so late that it hears no silence in front of the escape gets another one."""
    pair = Pair()
    channel, protocol = pair.online(transmitEscape=False)
    pair.link.module.pauseProducing()
    protocol.way.write(b"data")
    protocol.way.loseConnection()
    pair.wait(2 * ESCAPE_GUARD)
    pair.link.module.resumeProducing()
    pair.wait(2 * ESCAPE_GUARD + ESCAPE_ANSWER + SILENCE)
    assert channel.received == b"data+++"
    assert protocol.lost == [ConnectionDone]
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


class Source:
    """A producer of either kind."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.told: list[str] = []
        self.left = 3

    def pauseProducing(self) -> None:
        """Pause."""
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """Write the next piece, and be done at the third."""
        self.told.append("resume")
        self.left -= 1
        self.transport.write(b"x")
        if not self.left:
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """Stop."""
        self.told.append("stop")


def test_pushProducer() -> None:
    """A protocol that writes faster than the link takes it is paused, and stopped when the spell ends."""
    pair = Pair()
    _, protocol = pair.online()
    source = Source(protocol.way)
    protocol.way.registerProducer(source, True)
    protocol.way.write(b"x" * HIGH_WATER)
    assert source.told == ["pause"]
    pair.link.pump()
    assert source.told == ["pause", "resume"]
    protocol.way.loseConnection()
    assert source.told[-1] == "stop"
    late = Source(protocol.way)
    protocol.way.registerProducer(late, True)
    assert late.told == ["stop"]


def test_pullProducer() -> None:
    """A pull producer is asked until it has no more; only then a closed transport hangs up."""
    pair = Pair()
    channel, protocol = pair.online(transmitEscape=False)
    protocol.way.registerProducer(Source(protocol.way), False)
    protocol.way.loseConnection()
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert (channel.received, protocol.lost) == (b"xxx", [ConnectionDone])


def test_producerOfLostLink() -> None:
    """A producer is stopped once when the link breaks."""
    pair = Pair()
    _, protocol = pair.online()
    source = Source(protocol.way)
    protocol.way.registerProducer(source, True)
    pair.link.breakOff()
    assert source.told == ["stop"]


def test_slowProtocol() -> None:
    """A protocol that pauses makes the module's channel wait; after the spell the line reads on."""
    pair = Pair()
    channel, protocol = pair.online()
    assert channel.transport is not None
    source = Source(channel.transport)
    channel.transport.registerProducer(source, True)
    protocol.way.pauseProducing()
    channel.transport.write(b"x" * HIGH_WATER)
    pair.link.pump()
    assert (source.told, protocol.heard) == (["pause"], b"")
    protocol.way.resumeProducing()
    pair.link.pump()
    assert len(protocol.heard) > HIGH_WATER - 1
    protocol.way.pauseProducing()
    protocol.way.stopProducing()
    pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


class Failing(Recorder):
    """A protocol with a bug."""

    def dataReceived(self, data: bytes) -> None:
        """Fail."""
        raise RuntimeError("a bug of the user")


class LineTransport(StringTransport):
    """A port with modem lines, as the peer sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[Any] = []

    def onLineChange(self, callback: Any) -> Any:
        """Remember who wants to hear."""
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)

    def setDTR(self, on: bool) -> None:
        """No wire."""

    def setRTS(self, on: bool) -> None:
        """No wire."""


class OnlineTests(SynchronousTestCase):
    """What needs trial's eye on the log."""

    def test_failingProtocol(self) -> None:
        """A protocol that fails is logged, and its call hung up."""
        pair = Pair()
        channel, protocol = FakeChannel(), Failing()
        pair.bench.calls.online.append(pair.bench.calls.resumable(channel))
        pair.client.connect("AT#CALL", protocol)
        pair.link.pump()
        assert channel.transport is not None
        channel.transport.write(b"data")
        pair.wait(2 * ESCAPE_GUARD + SILENCE)
        assert protocol.lost == [ConnectionDone]
        assert pair.bench.calls.hungUp == 1
        logged = self.flushLoggedErrors(RuntimeError)
        assert len(logged) == 1

    def test_carrier(self) -> None:
        """On a port with modem lines the fall of DCD ends the spell at once; other lines don't."""
        bench = Bench()
        client, transport, protocol = ATClient(bench.clock), LineTransport(), Recorder()
        client.makeConnection(transport)
        client.connect("ATD1", protocol)
        client.dataReceived(b"\r\nCONNECT\r\n")
        (callback,) = transport.callbacks
        callback("DSR", False)
        callback("DCD", True)
        assert protocol.lost == []
        callback("DCD", False)
        assert (protocol.lost, transport.callbacks) == ([ConnectionDone], [])
        assert bench.clock.getDelayedCalls() == []


class Floods:
    """A checked call whose data look like its end, and go on while the end is checked."""

    def __init__(self) -> None:
        self.pair = Pair()
        self.channel, self.protocol = FakeChannel(), Recorder()
        self.pair.bench.calls.online.append(self.pair.bench.calls.resumable(self.channel, transmitEscape=False))
        self.pair.client.connect("AT#CALL", self.protocol, checked=True)
        self.pair.link.pump()
        self.source = Source(self.protocol.way)
        self.protocol.way.registerProducer(self.source, True)
        self.said = b""

    def say(self, data: bytes) -> None:
        """Let the channel say something."""
        assert self.channel.transport is not None
        self.said += data
        self.channel.transport.write(data)

    def ask(self) -> None:
        """Let the end come, and time pass until the client has just asked whether it is one."""
        self.say(b"a\r\nNO CARRIER\r\n")
        self.pair.link.pump()
        for seconds in (SILENCE, ESCAPE_GUARD):
            self.pair.clock.advance(seconds)
            self.pair.link.pump()
        assert (self.protocol.heard, self.source.told) == (b"a", ["pause"])

    def flood(self, size: int) -> None:
        """Let so many octets come in chunks, before the escape sequence can be answered."""
        for _ in range(size // 1024):
            self.say(b"x" * 1024)
            self.pair.link.pump()


def test_floodDuringTheCheck() -> None:
    """Data that go on while the end is checked are kept up to a bound, then given on, and none of them is lost."""
    floods = Floods()
    floods.ask()
    floods.flood(CHECK_HELD)
    assert floods.protocol.heard == b"a"
    floods.flood(2048)
    assert floods.protocol.heard == floods.said
    floods.flood(CHECK_HELD)
    assert floods.source.told == ["pause"]
    floods.pair.wait(2 * ESCAPE_GUARD + SILENCE)
    assert (floods.protocol.heard, floods.protocol.lost) == (floods.said, [FalseAlarm])
    assert floods.pair.ask("AT+CSQ") == ("+CSQ: 20,0",)


def test_floodOfAPausedProtocol() -> None:
    """A protocol that takes nothing while the end is checked holds the module back, for as long as it likes."""
    floods = Floods()
    floods.ask()
    floods.protocol.way.pauseProducing()
    assert floods.channel.transport is not None
    upstream = Source(floods.channel.transport)
    floods.channel.transport.registerProducer(upstream, True)
    floods.flood(CHECK_HELD)
    assert upstream.told == []
    floods.flood(HIGH_WATER + 1024)
    assert upstream.told == ["pause"]
    floods.pair.wait(60.0)
    assert (floods.protocol.heard, floods.protocol.lost) == (b"a", [])
    floods.protocol.way.resumeProducing()
    floods.pair.wait(ESCAPE_GUARD + SILENCE)
    assert floods.protocol.heard.startswith(floods.said)
    assert floods.protocol.lost == [FalseAlarm]


def test_floodWithoutAnAnswer() -> None:
    """A module that sends on and never answers the escape sequence is given up in the end, as one that is unclear."""
    floods = Floods()
    floods.pair.link.peer.through = lambda data: data.replace(b"+++", b"")
    floods.ask()
    floods.flood(CHECK_HELD + 1024)
    floods.pair.wait(ESCAPE_GUARD + ESCAPE_ANSWER)
    assert (floods.protocol.heard, floods.protocol.lost) == (floods.said, [CommandTimeout])


def test_closeDuringTheFlood() -> None:
    """The escape sequence that was sent for the check serves a protocol that closes its transport meanwhile."""
    floods = Floods()
    floods.ask()
    floods.flood(CHECK_HELD + 1024)
    floods.protocol.way.loseConnection()
    floods.pair.wait(ESCAPE_GUARD + SILENCE + 1.0)
    assert (floods.protocol.heard, floods.protocol.lost) == (floods.said, [ConnectionDone])
    assert floods.pair.bench.calls.hungUp == 1


def test_noEndWhileNothingIsRead() -> None:
    """While the protocol reads nothing, what looks like the end isn't taken for it: more may be under way."""
    pair = Pair()
    channel, protocol = pair.online()
    assert channel.transport is not None
    channel.transport.write(b"a\r\nNO CARRIER\r\n")
    pair.link.pump()
    protocol.way.pauseProducing()
    channel.transport.write(b"b")
    pair.wait(60.0)
    assert protocol.lost == []
    protocol.way.resumeProducing()
    pair.wait(SILENCE + 0.1)
    assert (protocol.heard, protocol.lost) == (b"a\r\nNO CARRIER\r\nb", [])
