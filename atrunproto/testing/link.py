"""
A link in memory between two protocols, such as an emulated module and the program that controls it.

Octets move in I{turns}, so nothing of what one side does happens inside a call of the other. A turn comes by itself
from the clock, at the next C{clock.advance(0)}; L{MemoryLink.pump} runs turns until all is quiet::

    clock = Clock()
    link = MemoryLink(clock, instance, client)
    answer = client.execute("AT+CSQ")
    link.pump()

The link can be made worse: each end has L{MemoryTransport.delay}, L{MemoryTransport.limit}, L{MemoryTransport.silent},
L{MemoryTransport.through} and L{MemoryTransport.cut} for what it sends, and L{MemoryLink.breakOff} breaks it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IConsumer, IDelayedCall, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.bearer import LOCAL, Bearer
from atrunproto.at.errors import Misuse

#: octets under way from one end above which its producer is paused
HIGH_WATER = 64 * 1024
#: octets under way from one end; more means that a test has lost its way
MAX_UNDER_WAY = 16 * 1024 * 1024
#: turns in which a link must come to rest
MAX_TURNS = 100_000


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """
    One end of a link in memory.
    """

    end: str


#: the ends of a link that pretends to be nothing else
MODULE, PEER = MemoryAddress("module"), MemoryAddress("peer")


@implementer(ITransport, IConsumer, IPushProducer)
class MemoryTransport:
    """
    One end of a link; its settings are about what it sends.

    @ivar delay: seconds that octets take to the other end.
    @ivar limit: octets that arrive in one turn at most; C{None}: all that were written.
    @ivar silent: nothing arrives at the other end, until this is false again.
    @ivar through: what the way does to each piece that arrives: C{lambda data: data.replace(b"K", b"")} loses octets.
    @ivar disconnecting: the end is about to be closed.
    @ivar bearer: what an AT instance asks of its transport.
    """

    def __init__(self, link: MemoryLink, address: IAddress, bearer: Bearer) -> None:
        self.delay = 0.0
        self.limit: int | None = None
        self.silent = False
        self.through: Callable[[bytes], bytes] = bytes
        self.disconnecting = False
        self.bearer = bearer
        self.other = self
        self.protocol: IProtocol | None = None
        self._link = link
        self._address = address
        self._cuts: deque[int] = deque()
        self._underWay: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._reading = True
        self._aborting = False
        self._producer: Any = None
        self._streaming = False
        self._producerPaused = False

    # -- what the way does

    def cut(self, *sizes: int) -> None:
        """
        Let the next pieces that this end sends arrive in so many octets each.
        """
        self._cuts.extend(sizes)

    def due(self) -> float | None:
        """
        When something of what this end sent can arrive; C{None}: nothing is under way, or it is held up.
        """
        if self._aborting:
            return 0.0
        if self._size:
            return self._underWay[0][0] if not self.silent and self.other._reading else None
        return 0.0 if self.disconnecting or self._pulls() else None

    def _pulls(self) -> bool:
        return self._producer is not None and not self._streaming

    def carry(self, now: float) -> bool:
        """
        Take one turn: give the other end what is due. Called by the link.

        @return: whether anything moved.
        """
        due = self.due()
        if due is None or due > now:
            return False
        if self._aborting:
            self._link.breakOff(ConnectionAborted())
            return True
        if not self._size:
            return self._rest()
        most = self._cuts.popleft() if self._cuts else self.limit
        data = self.through(self._take(now, most))
        if self._producer is not None and self._producerPaused and self._size < HIGH_WATER:
            self._producerPaused = False
            self._producer.resumeProducing()
        if data and self.other.protocol is not None:
            self.other.protocol.dataReceived(data)
        return True

    def _take(self, now: float, most: int | None) -> bytes:
        pieces: list[bytes] = []
        room = self._size if most is None else most
        while room and self._underWay and self._underWay[0][0] <= now:
            due, data = self._underWay.popleft()
            pieces.append(data[:room])
            if len(data) > room:
                self._underWay.appendleft((due, data[room:]))
            room -= len(pieces[-1])
        taken = b"".join(pieces)
        self._size -= len(taken)
        return taken

    def _rest(self) -> bool:
        """
        All has arrived: ask a pull producer for more, or close.
        """
        if self._pulls():
            self._producer.resumeProducing()
        else:
            self._link.breakOff(ConnectionDone())
        return True

    def lost(self, reason: Failure) -> None:
        """
        The link is gone. Called by the link.
        """
        protocol, self.protocol = self.protocol, None
        producer, self._producer = self._producer, None
        self._underWay.clear()
        self._size = 0
        if producer is not None:
            producer.stopProducing()
        if protocol is not None:
            protocol.connectionLost(reason)

    # -- ITransport

    def write(self, data: bytes) -> None:
        if self.protocol is None or not data:
            return
        self._size += len(data)
        if self._size > MAX_UNDER_WAY:
            raise Misuse(f"{self._size} octets are under way from {self._address}, and nobody takes them")
        self._underWay.append((self._link.clock.seconds() + self.delay, bytes(data)))
        if self._producer is not None and self._streaming and not self._producerPaused and self._size >= HIGH_WATER:
            self._producerPaused = True
            self._producer.pauseProducing()
        self._link.arm()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        Close the link when all that was written has arrived, and a pull producer has finished.
        """
        self.disconnecting = True
        self._link.arm()

    def abortConnection(self) -> None:
        """
        Close the link in the next turn; what is under way is lost.
        """
        self.disconnecting = self._aborting = True
        self._link.arm()

    def getPeer(self) -> IAddress:
        return self.other._address

    def getHost(self) -> IAddress:
        return self._address

    # -- IConsumer and IPushProducer

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        if self.protocol is None:
            producer.stopProducing()
            return
        self._producer, self._streaming, self._producerPaused = producer, streaming, False
        self._link.arm()

    def unregisterProducer(self) -> None:
        self._producer = None
        self._link.arm()

    def pauseProducing(self) -> None:
        """
        Read nothing more for now.
        """
        self._reading = False

    def resumeProducing(self) -> None:
        """
        Read on.
        """
        self._reading = True
        self._link.arm()

    def stopProducing(self) -> None:
        self.loseConnection()


class MemoryLink:
    """
    Joins two protocols, a module and its peer.

    @ivar module: the module's end.
    @ivar peer: the peer's end.
    @ivar clock: gives the turns; a L{Clock<twisted.internet.task.Clock>} in tests, a reactor works as well.
    """

    def __init__(
        self,
        clock: Any,
        module: IProtocol,
        peer: IProtocol,
        bearer: Bearer = LOCAL,
        addresses: tuple[IAddress, IAddress] = (MODULE, PEER),
    ) -> None:
        """
        @param bearer: what the link is to an AT instance: a local port, or a service.
        @param addresses: those of the module's end and of the peer's.
        """
        self.clock = clock
        self._call: IDelayedCall | None = None
        self._over = False
        self.module = MemoryTransport(self, addresses[0], bearer)
        self.peer = MemoryTransport(self, addresses[1], LOCAL)
        self.module.other, self.peer.other = self.peer, self.module
        self.module.protocol, self.peer.protocol = module, peer
        module.makeConnection(self.module)
        peer.makeConnection(self.peer)

    def turn(self) -> bool:
        """
        Carry what is due from each end to the other, once.

        @return: whether anything moved.
        """
        now = self.clock.seconds()
        moved = [end.carry(now) for end in (self.peer, self.module) if not self._over]
        return any(moved)

    def pump(self) -> None:
        """
        Run turns until nothing moves any more; time stands still.

        @raise Misuse: the two ends never come to rest.
        """
        for _ in range(MAX_TURNS):
            if not self.turn():
                return
        raise Misuse(f"the link has not come to rest in {MAX_TURNS} turns")

    def breakOff(self, reason: Exception | None = None) -> None:
        """
        Break the link now: both ends lose it, with what is under way.

        @param reason: what both are told; a broken connection if nothing is given.
        """
        if self._over:
            return
        self._over = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        failure = Failure(reason or ConnectionLost())
        self.module.lost(failure)
        self.peer.lost(failure)

    def arm(self) -> None:
        """
        Have the next turn come from the clock. Called by the ends.
        """
        if self._over:
            return
        due = [at for at in (self.module.due(), self.peer.due()) if at is not None]
        if not due:
            return
        delay = max(0.0, min(due) - self.clock.seconds())
        if self._call is None:
            self._call = self.clock.callLater(delay, self._tick)
        else:
            self._call.reset(delay)

    def _tick(self) -> None:
        self._call = None
        self.turn()
        self.arm()
