"""The link in memory: turns, faults and back-pressure."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from atrunproto.at.bearer import Bearer
from atrunproto.at.errors import Misuse
from atrunproto.testing.link import HIGH_WATER, MAX_UNDER_WAY, MemoryAddress, MemoryLink


class End(Protocol):
    """A protocol that remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.lost: list[type[Any]] = []

    def dataReceived(self, data: bytes) -> None:
        """Remember a piece."""
        self.heard.append(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Remember the reason."""
        self.lost.append(type(reason.value))


class Echo(End):
    """A protocol that gives everything back."""

    def dataReceived(self, data: bytes) -> None:
        """Give it back."""
        self.transport.write(data)  # type: ignore[union-attr]


class Source:
    """A producer of either kind, that remembers what it was told."""

    def __init__(self, transport: Any = None) -> None:
        self.told: list[str] = []
        self.transport = transport
        self.left = 3

    def pauseProducing(self) -> None:
        """Pause."""
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """Write the next piece, when it pulls."""
        self.told.append("resume")
        if self.transport is not None:
            self.left -= 1
            self.transport.write(b"x")
            if not self.left:
                self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        """Stop."""
        self.told.append("stop")


class LinkTests(SynchronousTestCase):
    """What happens between the two ends."""

    def setUp(self) -> None:
        """Join two protocols."""
        self.clock = Clock()
        self.near, self.far = End(), End()
        self.link = MemoryLink(self.clock, self.near, self.far)

    def test_interfaces(self) -> None:
        """The ends of a link are transports with back-pressure, and know each other's names."""
        for each in (ITransport, IConsumer, IPushProducer):
            verifyObject(each, self.link.module)
        assert self.link.module.getPeer() == MemoryAddress("peer")
        assert self.link.module.getHost() == MemoryAddress("module")

    def test_turns(self) -> None:
        """Nothing arrives inside the writing call; what was written in the meantime arrives together."""
        self.link.module.write(b"a")
        self.link.module.writeSequence([b"b", b"c"])
        assert self.far.heard == []
        self.link.pump()
        assert self.far.heard == [b"abc"]

    def test_clock(self) -> None:
        """Without pumping, a turn comes with the clock."""
        self.link.peer.write(b"hello")
        self.clock.advance(0)
        assert self.near.heard == [b"hello"]
        assert self.clock.getDelayedCalls() == []

    def test_delay(self) -> None:
        """Octets on a slow way arrive when their time has come, in their order."""
        self.link.module.delay = 2.0
        self.link.module.write(b"a")
        self.clock.advance(1.0)
        self.link.module.delay = 0.0
        self.link.module.write(b"b")
        self.link.pump()
        assert self.far.heard == []
        self.clock.advance(1.0)
        assert b"".join(self.far.heard) == b"ab"

    def test_limit(self) -> None:
        """A narrow way brings so many octets a turn."""
        self.link.module.limit = 2
        self.link.module.write(b"abcde")
        self.link.pump()
        assert self.far.heard == [b"ab", b"cd", b"e"]

    def test_cut(self) -> None:
        """The next pieces arrive cut as the test says, the rest in one."""
        self.link.module.cut(1, 3)
        self.link.module.write(b"abcdefg")
        self.link.pump()
        assert self.far.heard == [b"a", b"bcd", b"efg"]

    def test_silent(self) -> None:
        """A silent end delivers nothing until it speaks again."""
        self.link.module.silent = True
        self.link.module.write(b"a")
        self.link.pump()
        assert self.far.heard == []
        self.link.module.silent = False
        self.link.pump()
        assert self.far.heard == [b"a"]

    def test_through(self) -> None:
        """The way can lose octets; a piece that is lost whole doesn't arrive."""
        self.link.module.through = lambda data: data.replace(b"b", b"")
        self.link.module.write(b"abc")
        self.link.pump()
        self.link.module.write(b"b")
        self.link.pump()
        assert self.far.heard == [b"ac"]

    def test_close(self) -> None:
        """Closing lets what was written arrive first, and tells both ends once."""
        self.link.module.limit = 1
        self.link.module.write(b"ab")
        self.link.module.loseConnection()
        self.link.module.stopProducing()
        self.link.pump()
        assert self.far.heard == [b"a", b"b"]
        assert (self.near.lost, self.far.lost) == ([ConnectionDone], [ConnectionDone])
        self.link.module.write(b"late")
        self.link.breakOff()
        self.link.pump()
        assert (len(self.near.lost), self.far.heard) == (1, [b"a", b"b"])

    def test_abort(self) -> None:
        """Aborting loses what is under way, and doesn't happen inside the call."""
        self.link.module.write(b"ab")
        self.link.module.abortConnection()
        assert self.near.lost == []
        self.link.pump()
        assert (self.far.heard, self.far.lost) == ([], [ConnectionAborted])

    def test_break(self) -> None:
        """A broken link is lost at once on both ends, with its timers."""
        self.link.module.write(b"ab")
        self.link.breakOff()
        assert (self.near.lost, self.far.lost) == ([ConnectionLost], [ConnectionLost])
        assert (self.far.heard, self.clock.getDelayedCalls()) == ([], [])

    def test_reading(self) -> None:
        """An end that doesn't read makes the other's producer pause, and go on later."""
        source = Source()
        self.link.module.registerProducer(source, True)
        self.link.peer.pauseProducing()
        self.link.module.write(b"x" * HIGH_WATER)
        self.link.pump()
        assert (source.told, self.far.heard) == (["pause"], [])
        self.link.peer.resumeProducing()
        self.link.pump()
        assert (source.told, len(self.far.heard[0])) == (["pause", "resume"], HIGH_WATER)

    def test_pull(self) -> None:
        """A pull producer is asked until it has no more, and only then the link closes."""
        source = Source(self.link.module)
        self.link.module.registerProducer(source, False)
        self.link.module.loseConnection()
        self.link.pump()
        assert (self.far.heard, self.far.lost) == ([b"x", b"x", b"x"], [ConnectionDone])

    def test_producerOfBrokenLink(self) -> None:
        """A producer is stopped with its link; a second one is a mistake, one that comes late is stopped at once."""
        source, late = Source(), Source()
        self.link.module.registerProducer(source, True)
        with pytest.raises(RuntimeError):
            self.link.module.registerProducer(late, True)
        self.link.breakOff()
        self.link.module.registerProducer(late, True)
        assert (source.told, late.told) == (["stop"], ["stop"])

    def test_bounded(self) -> None:
        """A test that writes without end and without a reader is told so."""
        self.link.peer.pauseProducing()
        with pytest.raises(Misuse):
            self.link.module.write(b"x" * (MAX_UNDER_WAY + 1))

    def test_restless(self) -> None:
        """Two ends that answer each other for ever are told from a link at rest."""
        self.far.dataReceived = self.link.peer.write  # type: ignore[method-assign]
        self.near.dataReceived = self.link.module.write  # type: ignore[method-assign]
        self.link.peer.write(b"hello")
        with pytest.raises(Misuse):
            self.link.pump()

    def test_bearer(self) -> None:
        """The module's end carries the rules of the bearer that the test gives."""
        bearer = Bearer()
        link = MemoryLink(self.clock, Echo(), End(), bearer)
        assert link.module.bearer is bearer

    def test_conversation(self) -> None:
        """A whole conversation happens in one pump."""
        far = End()
        link = MemoryLink(self.clock, Echo(), far)
        link.peer.write(b"ping")
        link.pump()
        assert far.heard == [b"ping"]
