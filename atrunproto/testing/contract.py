"""
What every transport keeps to, whatever it is made of: one suite of tests, for each transport of ours and for any other.

A transport is tried by a subclass that joins two protocols by it and lets time pass::

    class MyTransportTest(TransportContract, TestCase):

        async def join(self, near, far):
            ...

        async def turn(self):
            self.clock.advance(0.1)

The near protocol sits on the transport that is tried, the far one on whatever is at the other end. That the suite is
true is shown by running it against the TCP transports of Twisted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IAddress, IConsumer, IPushProducer, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

#: every octet, and no line end or result code of any protocol
OCTETS = bytes(range(256)) * 16
#: octets that are more than a transport takes without pausing its producer
FLOOD = 512 * 1024
#: turns after which a test gives up
PATIENCE = 10_000


class End(Protocol):
    """
    A protocol that remembers what it meets.

    @ivar received: the octets that have come.
    @ivar losses: why the connection was lost, each time that it was told.
    @ivar astray: how often it was told so in the midst of one of its own calls.
    """

    transport: Any

    def __init__(self, begin: Callable[[Any], object] | None = None) -> None:
        """
        @param begin: called with the transport in C{connectionMade}.
        """
        self.received = b""
        self.losses: list[Failure] = []
        self.astray = 0
        self._begin = begin
        self._busy = 0

    def connectionMade(self) -> None:
        """
        Begin.
        """
        if self._begin is not None:
            self.inside(self._begin, self.transport)

    def dataReceived(self, data: bytes) -> None:
        """
        Remember it.
        """
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Remember it.
        """
        self.losses.append(reason)
        self.astray += self._busy

    def hasReceived(self, data: bytes) -> bool:
        """
        Whether this, and nothing else, has come so far.
        """
        return self.received == data

    def inside(self, what: Callable[..., object], *arguments: object) -> None:
        """
        Call something, inside which the connection may not be lost.
        """
        self._busy += 1
        try:
            what(*arguments)
        finally:
            self._busy -= 1

    def write(self, data: bytes) -> None:
        """
        Write to the transport.
        """
        self.inside(self.transport.write, data)


class Lines(LineReceiver):
    """
    A protocol of Twisted that closes at the line C{quit}.
    """

    transport: Any

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        """
        Remember it.
        """
        self.lines.append(line)
        if line == b"quit":
            self.transport.loseConnection()


class Source:
    """
    What has octets to send and is registered as a producer.

    @ivar told: what the transport has told it.
    """

    def __init__(self, end: End, data: bytes, piece: int) -> None:
        """
        @param piece: octets of one write.
        """
        self.told: list[str] = []
        self.data = data
        self._end = end
        self._piece = piece

    def _produce(self) -> None:
        data, self.data = self.data[: self._piece], self.data[self._piece :]
        self._end.write(data)
        if not self.data:
            self._end.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """
        Nobody takes more.
        """
        self.told.append("stop")


class Push(Source):
    """
    Produces as long as it isn't told to pause.
    """

    def run(self) -> None:
        """
        Produce until told to pause, or to the end.
        """
        while self.data and self.told[-1:] in ([], ["resume"]):
            self._produce()

    def pauseProducing(self) -> None:
        """
        Wait.
        """
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self.told.append("resume")
        self.run()


class Pull(Source):
    """
    Produces a piece whenever it is asked.
    """

    def resumeProducing(self) -> None:
        """
        Produce a piece.
        """
        self.told.append("resume")
        self._produce()


class TransportContract:
    """
    The suite; the near end's transport is what is tried.

    @cvar nearOutlives: the far end may go without the near one; so does a terminal's user.
    @cvar farOutlives: the near end may go without the far one.
    @cvar hearsGreeting: what the far end writes as soon as it is connected arrives.
    @cvar abortDrops: an abort loses what the far end hasn't taken. False of a transport that can't call back what it
        has handed on.
    @cvar quiet: turns after which nothing is under way any more.
    """

    nearOutlives = False
    farOutlives = False
    hearsGreeting = True
    abortDrops = True
    quiet = 200

    async def join(self, near: Protocol, far: Protocol) -> None:
        """
        Connect the two, so that both have their transports.
        """
        raise NotImplementedError

    async def turn(self) -> None:
        """
        Let a little time pass, in which what is under way goes on.
        """
        raise NotImplementedError

    def sever(self) -> None:
        """
        Break what both ends sit on.
        """
        raise NotImplementedError

    # -- the steps of the tests

    async def joined(self, begin: Callable[[Any], object] | None = None) -> tuple[End, End]:
        """
        A near and a far end, connected.

        @param begin: what the near one does as soon as it is connected.
        """
        near, far = End(begin), End()
        await self.join(near, far)
        return near, far

    async def until(self, condition: Callable[[], object]) -> None:
        """
        Wait for something that has to happen.
        """
        for _ in range(PATIENCE):
            if condition():
                return
            await self.turn()
        raise AssertionError("it doesn't happen")

    async def settle(self) -> None:
        """
        Wait until all that can happen has happened.
        """
        for _ in range(self.quiet):
            await self.turn()

    async def ended(self, near: End) -> None:
        """
        Wait for the end of a connection; it comes once, at a moment when the protocol can take it, with its reason.
        """
        await self.until(lambda: near.losses)
        await self.settle()
        assert len(near.losses) == 1
        assert isinstance(near.losses[0], Failure)
        assert near.astray == 0

    # -- what it is

    async def test_interfaces(self) -> None:
        """A transport is a consumer and a push producer, and can tell both of its ends."""
        near, _ = await self.joined()
        for interface in (ITransport, IConsumer, IPushProducer):
            assert verifyObject(interface, near.transport)
        for address in (near.transport.getPeer(), near.transport.getHost()):
            assert verifyObject(IAddress, address)

    # -- data

    async def test_bothWays(self) -> None:
        """Every octet arrives as it was sent, in both directions, whatever calls it was written by."""
        near, far = await self.joined()
        near.write(OCTETS)
        near.inside(near.transport.writeSequence, [b"one", b"", b"two"])
        near.write(b"")
        near.write(b"three")
        far.write(OCTETS + b"four")
        await self.until(lambda: len(far.received) >= len(OCTETS) + 11 and len(near.received) >= len(OCTETS) + 4)
        assert far.received == OCTETS + b"onetwothree"
        assert near.received == OCTETS + b"four"

    async def test_pausedReading(self) -> None:
        """A protocol that doesn't want to hear hears nothing, can still write, and misses nothing afterwards."""
        near, far = await self.joined()
        for _ in range(2):
            near.transport.pauseProducing()
        far.write(OCTETS)
        near.write(b"still here")
        await self.until(lambda: far.received == b"still here")
        await self.settle()
        assert near.received == b""
        for _ in range(2):
            near.transport.resumeProducing()
        far.write(b"end")
        await self.until(lambda: near.received.endswith(b"end"))
        assert near.received == OCTETS + b"end"

    async def test_pausedFromTheBeginning(self) -> None:
        """A protocol may want to hear nothing from its very connectionMade on."""
        near, far = End(lambda transport: transport.pauseProducing()), End()
        if self.hearsGreeting:
            far = End(lambda transport: transport.write(OCTETS))
        await self.join(near, far)
        if not self.hearsGreeting:
            far.write(OCTETS)
        await self.settle()
        assert near.received == b""
        near.inside(near.transport.resumeProducing)
        far.write(b"end")
        await self.until(lambda: near.received.endswith(b"end"))
        assert near.received == OCTETS + b"end"

    async def test_farDoesNotRead(self) -> None:
        """What the far end doesn't read yet is kept in its order."""
        near, far = await self.joined()
        far.transport.pauseProducing()
        sent = b"".join(b"%d," % number for number in range(20_000))
        for at in range(0, len(sent), 1000):
            near.write(sent[at : at + 1000])
        await self.settle()
        assert far.received == b""
        far.transport.resumeProducing()
        await self.until(lambda: len(far.received) >= len(sent))
        assert far.received == sent

    async def test_lineProtocol(self) -> None:
        """A line protocol of Twisted that has closed hears none of the lines in the same chunk."""
        near, far = Lines(), End()
        await self.join(near, far)
        assert not near.transport.disconnecting
        far.write(b"hello\r\nquit\r\nagain\r\n")
        await self.until(lambda: near.lines[-1:] == [b"quit"])
        assert near.transport.disconnecting
        await self.settle()
        assert near.lines == [b"hello", b"quit"]

    # -- the end

    async def test_loseConnection(self) -> None:
        """A close waits until all is written, may be said twice, and ends the connection once."""
        near, far = await self.joined()
        far.transport.pauseProducing()
        near.write(OCTETS * 32)
        for _ in range(2):
            near.inside(near.transport.loseConnection)
        await self.turn()
        far.transport.resumeProducing()
        await self.ended(near)
        await self.until(lambda: len(far.received) >= len(OCTETS) * 32)
        if not self.farOutlives:
            await self.ended(far)
        assert far.received == OCTETS * 32

    async def test_abortConnection(self) -> None:
        """An abort waits for nobody, may be said twice, and ends the connection once."""
        near, far = await self.joined()
        far.transport.pauseProducing()
        near.write(OCTETS * 2048)
        for _ in range(2):
            near.inside(near.transport.abortConnection)
        await self.ended(near)
        far.transport.resumeProducing()
        await self.settle()
        assert not self.abortDrops or len(far.received) < len(OCTETS) * 2048

    async def test_abortOfClose(self) -> None:
        """A close that waits for a far end that doesn't read can still be aborted."""
        near, far = await self.joined()
        far.transport.pauseProducing()
        near.write(OCTETS * 2048)
        near.inside(near.transport.loseConnection)
        near.inside(near.transport.abortConnection)
        await self.ended(near)

    async def test_closeWhilePaused(self) -> None:
        """A protocol that has paused its transport can close it."""
        near, _ = await self.joined()
        near.transport.pauseProducing()
        near.inside(near.transport.loseConnection)
        await self.ended(near)

    async def test_stopProducing(self) -> None:
        """To stop a transport as a producer is to close it."""
        near, _ = await self.joined()
        near.inside(near.transport.stopProducing)
        await self.ended(near)

    async def test_closeInConnectionMade(self) -> None:
        """A protocol may close as soon as it is connected; it hears of the end afterwards."""
        near, _ = await self.joined(lambda transport: transport.loseConnection())
        await self.ended(near)

    async def test_abortInConnectionMade(self) -> None:
        """A protocol may abort as soon as it is connected; it hears of the end afterwards."""
        near, _ = await self.joined(lambda transport: transport.abortConnection())
        await self.ended(near)

    async def test_farCloses(self) -> None:
        """A far end that writes and closes is heard to its last octet, and then lost once."""
        near, far = await self.joined()
        far.write(OCTETS * 32)
        far.transport.loseConnection()
        await self.until(lambda: len(near.received) >= len(OCTETS) * 32)
        if not self.nearOutlives:
            await self.ended(near)
        assert near.received == OCTETS * 32

    async def test_severed(self) -> None:
        """A connection that breaks is lost once, and its producer is stopped once."""
        near, _ = await self.joined()
        source = Push(near, OCTETS, 1)
        near.transport.registerProducer(source, True)
        self.sever()
        await self.ended(near)
        assert source.told == ["stop"]

    async def test_afterTheEnd(self) -> None:
        """Whatever a protocol still says to a transport that is lost does nothing, and never fails."""
        near, far = await self.joined()
        near.inside(near.transport.abortConnection)
        await self.ended(near)
        heard = far.received
        near.write(b"late")
        near.transport.writeSequence([b"l", b"ate"])
        near.transport.pauseProducing()
        near.transport.resumeProducing()
        near.transport.unregisterProducer()
        near.transport.stopProducing()
        near.transport.loseConnection()
        near.transport.abortConnection()
        near.write(b"later")
        await self.settle()
        assert (far.received, near.received, len(near.losses)) == (heard, b"", 1)

    # -- producers

    async def test_push(self) -> None:
        """A push producer is paused when there is no room and resumed when there is, in turn; no octet is lost."""
        near, far = await self.joined()
        far.transport.pauseProducing()
        sent = OCTETS * (FLOOD // len(OCTETS))
        source = Push(near, sent, 8000)
        near.transport.registerProducer(source, True)
        source.run()
        await self.settle()
        far.transport.resumeProducing()
        await self.until(lambda: len(far.received) >= len(sent))
        await self.settle()
        assert far.received == sent
        assert "pause" in source.told
        assert source.told == (["pause", "resume"] * len(source.told))[: len(source.told)]

    async def test_oneProducer(self) -> None:
        """There is one producer at a time; when it is gone there may be another."""
        near, _ = await self.joined()
        first, second = Push(near, OCTETS, 1), Push(near, OCTETS, 1)
        near.transport.registerProducer(first, True)
        try:
            near.transport.registerProducer(second, True)
        except RuntimeError:
            pass
        else:
            raise AssertionError("two producers")
        near.transport.unregisterProducer()
        near.transport.registerProducer(second, True)
        near.transport.abortConnection()
        await self.ended(near)
        assert (first.told, second.told) == ([], ["stop"])

    async def test_pull(self) -> None:
        """A pull producer is asked again and again until it has no more, and never after that."""
        near, far = await self.joined()
        sent = b"".join(b"%d," % number for number in range(1000))
        source = Pull(near, sent, 100)
        near.transport.registerProducer(source, False)
        await self.until(lambda: len(far.received) >= len(sent))
        await self.settle()
        assert far.received == sent
        assert source.told == ["resume"] * -(-len(sent) // 100)

    async def test_pullOfOnePiece(self) -> None:
        """A pull producer may end at the first question; there may be another one then."""
        near, far = await self.joined()
        for word, sent in ((b"one", b"one"), (b"two", b"onetwo")):
            source = Pull(near, word, 100)
            near.transport.registerProducer(source, False)
            await self.until(partial(far.hasReceived, sent))
            await self.settle()
            assert source.told == ["resume"]

    async def test_pullBeforeClose(self) -> None:
        """A close waits for a pull producer that has not ended."""
        near, far = await self.joined()
        sent = b"".join(b"%d," % number for number in range(1000))
        source = Pull(near, sent, 100)
        near.transport.registerProducer(source, False)
        for _ in range(2):
            near.inside(near.transport.loseConnection)
        await self.ended(near)
        await self.until(lambda: len(far.received) >= len(sent))
        assert far.received == sent
        assert "stop" not in source.told

    async def test_abortOfPull(self) -> None:
        """An abort doesn't wait for a pull producer; it is stopped once."""
        near, _ = await self.joined()
        source = Pull(near, OCTETS * 2048, 1)
        near.transport.registerProducer(source, False)
        near.inside(near.transport.loseConnection)
        near.inside(near.transport.abortConnection)
        await self.ended(near)
        assert source.told.count("stop") == 1
        assert source.told[-1] == "stop"

    async def test_closeWithPush(self) -> None:
        """A push producer that has nothing to say doesn't keep a close from happening, and is stopped once."""
        near, _ = await self.joined()
        source = Push(near, OCTETS, 1)
        near.transport.registerProducer(source, True)
        near.inside(near.transport.loseConnection)
        await self.ended(near)
        assert source.told == ["stop"]

    async def test_lateProducer(self) -> None:
        """A producer that comes after the end is stopped at once, and only then."""
        near, _ = await self.joined()
        near.inside(near.transport.loseConnection)
        await self.ended(near)
        for streaming in (True, False):
            source = Push(near, OCTETS, 1)
            near.transport.registerProducer(source, streaming)
            near.transport.unregisterProducer()
            await self.settle()
            assert source.told == ["stop"]
