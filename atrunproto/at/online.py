"""
Online mode of an AT instance: the instance as the transport of a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IProtocol,
    IPushProducer,
    ITransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .escape import NO_ESCAPE, EscapeDetector
from .results import CONNECT, NO_CARRIER, OK, Reason, ResultCode

if TYPE_CHECKING:
    from .module import ATInstance


class Escaped(ConnectionDone):
    """
    The DTE has left online mode by the escape sequence; what lies behind the channel may live on.
    """


class LineDropped(ConnectionLost):
    """
    The DTE has dropped DTR where that ends the connection.
    """


class Unplugged(LineDropped):
    """
    The instance has lost its transport; what lies behind the channel may live on.
    """


@dataclass(frozen=True, slots=True)
class Online:
    """
    What a handler returns to go online.
    """

    #: the channel; it gets C{makeConnection}, C{dataReceived} and C{connectionLost} as from any socket
    channel: IProtocol
    #: what announces online mode
    announcement: ResultCode = CONNECT
    #: what ends it when the escape sequence comes
    escaped: ResultCode = OK
    #: what ends it when the channel closes, or DTR drops
    lost: ResultCode = NO_CARRIER
    #: what lies behind the channel lives on when DTR drops under &D1
    survives: bool = False
    #: makes the answer to ATO; C{None}: the channel can't be resumed
    resume: Callable[[], Online] | None = None
    #: called by ATH while the channel is left by an escape
    hangUp: Callable[[], None] | None = None
    #: seconds of silence round the escape sequence in place of S12 (#E2ESC); C{None}: S12
    guard: float | None = None
    #: the escape sequence goes to the channel too (#SKIPESC=0)
    transmitEscape: bool = True
    #: whether there is an escape sequence at all
    escapes: bool = True


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class ATAddress:
    """
    The address of an AT instance as seen by a channel.
    """

    instance: int
    via: Any = None


#: seconds of a tick of S12
GUARD_TICK = 0.02


@implementer(IPushProducer)
class ChannelSource:
    """
    A channel's producer, as the transport of the instance has it: stopped once, whoever is the first to do it.
    """

    def __init__(self, spell: ChannelTransport, producer: Any) -> None:
        self._spell = spell
        self._producer = producer

    def pauseProducing(self) -> None:
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        self._producer.resumeProducing()

    def stopProducing(self) -> None:
        self._spell.stopProducer()


@implementer(ITransport, IConsumer, IPushProducer)
class ChannelTransport:
    """
    One online spell of an AT instance, as the transport of its channel; dead afterwards.

    (online) received: to the channel, but for the escape sequence.
    (online) escape sequence: the channel hears of it by L{Escaped} -> dead.
    (online) write: to the DTE.
    (online) loseConnection: wait for a pull producer -> closing.
    (online, closing) abortConnection, the producer is gone: NO CARRIER, C{connectionLost} in a later turn -> dead.
    (dead) write, loseConnection: nothing.

    What had come already when the channel paused its transport is held for it.

    @ivar online: what the handler has asked for.
    @ivar number: of the instance.
    @ivar disconnecting: it is about to be closed.
    """

    _log = Logger()

    def __init__(self, at: ATInstance, online: Online) -> None:
        self.online = online
        self._at: ATInstance | None = at
        self._instance = at
        self.number = at.number
        self._producer: Any = None
        self._streaming = False
        self._ending = False
        self._results: tuple[ResultCode | Reason, ...] = ()
        self._paused = False
        self._held = b""
        self.disconnecting = False
        self._host = ATAddress(at.number)
        self._peer = ATAddress(at.number, at.getPeer())
        self._clock = at.module.clock
        self._timer: IDelayedCall | None = None
        rows, settings = at.commands.rows, at.settings
        ticks = settings.value("S12") if "S12" in rows else 50
        self._detector = EscapeDetector(
            self._clock.seconds(),
            (settings.value("S2") if "S2" in rows else 43) if online.escapes else NO_ESCAPE,
            ticks * GUARD_TICK if online.guard is None else online.guard,
            online.transmitEscape,
            at.bearer.escapeInOneChunk,
        )

    # -- what the instance tells it

    def begin(self) -> None:
        """
        Connect the channel.
        """
        self._tell(self.online.channel.makeConnection, self)

    def received(self, data: bytes) -> None:
        """
        Octets from the DTE.
        """
        now, detector = self._clock.seconds(), self._detector
        deadline = detector.deadline()
        if deadline is not None and now >= deadline:
            # the guard time is over, though its timer has not come round yet
            self._arm(None)
            self._wake()
            if self._at is None:
                self._instance.dataReceived(data)
                return
        onward, due = detector.received(data, now), detector.deadline()
        if due != deadline:
            self._arm(due)
        if onward:
            self._deliver(onward)

    def end(self, reason: Failure) -> None:
        """
        The spell is over: nothing reaches the instance any more.
        """
        self._at = None
        self._arm(None)
        if self._producer is not None:
            self._instance.unregisterChannelProducer()
            self.stopProducer()
        self._paused = False
        self._deliverHeld()
        self._tell(self.online.channel.connectionLost, reason)

    def stopProducer(self) -> None:
        """
        Tell the channel's producer that nobody takes any more.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            self._tell(producer.stopProducing)

    def _deliver(self, data: bytes) -> None:
        if self.disconnecting:
            return
        if self._paused or self._held:
            self._held += data
        else:
            self._tell(self.online.channel.dataReceived, data)

    def _deliverHeld(self) -> None:
        held = self._held
        if held and not self._paused:
            self._held = b""
            self._deliver(held)

    def _tell(self, what: Callable[..., Any], *arguments: Any) -> None:
        """
        Call the channel's code; its failure is logged and ends the spell.
        """
        # not Logger.failuresHandled, which costs more than all else that is done with a chunk
        try:
            what(*arguments)
        except Exception:
            self._log.failure("a channel failed on instance {instance}", instance=self.number)
            self.abortConnection()

    def _arm(self, deadline: float | None) -> None:
        """
        Wake at this time, in seconds on the clock; C{None}: not at all.
        """
        if deadline is None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            return
        delay = max(0.0, deadline - self._clock.seconds())
        if self._timer is None:
            self._timer = self._clock.callLater(delay, self._wake)
        else:
            self._timer.reset(delay)

    def _wake(self) -> None:
        self._timer = None
        complete, onward = self._detector.expire(self._clock.seconds())
        if complete:
            self._instance.leaveOnline(self, Failure(Escaped()), self.online.escaped)
        elif onward:
            self._deliver(onward)
        if self._at is not None:
            self._arm(self._detector.deadline())

    # -- what the channel does with it

    def write(self, data: bytes) -> None:
        if self._at is not None and not self._ending:
            self._at.writeOnline(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        End online mode from the channel's side, once a pull producer has finished.
        """
        self.disconnecting = True
        if self._producer is None or self._streaming:
            self.abortConnection()

    def endWith(self, *results: ResultCode | Reason) -> None:
        """
        End online mode as L{loseConnection} does, with these results in place of the usual one; the last is final.
        """
        if not self._ending:
            self._results = results
        self.loseConnection()

    def abortConnection(self) -> None:
        """
        End online mode; no producer is waited for. What was written can't be called back.
        """
        self.disconnecting = True
        if self._at is not None and not self._ending:
            self._ending = True
            results = self._results or (self.online.lost,)
            self._clock.callLater(0, self._at.leaveOnline, self, CHANNEL_DONE, *results)

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return self._host

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer hear how much the DTE takes; it is stopped when the spell ends.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        if self._at is None:
            producer.stopProducing()
        else:
            self._producer, self._streaming = producer, streaming
            self._at.registerChannelProducer(ChannelSource(self, producer), streaming)

    def unregisterProducer(self) -> None:
        if self._at is not None and self._producer is not None:
            self._producer = None
            self._at.unregisterChannelProducer()
            if self.disconnecting:
                self.abortConnection()

    def pauseProducing(self) -> None:
        """
        Stop reading from the DTE.
        """
        if self._at is not None:
            self._paused = True
            self._at.setChannelFull(True)

    def resumeProducing(self) -> None:
        """
        Read on; what is held comes in a later turn.
        """
        if self._at is not None:
            self._paused = False
            if self._held:
                self._clock.callLater(0, self._deliverHeld)
            self._at.setChannelFull(False)

    def stopProducing(self) -> None:
        self.loseConnection()


#: the channel closed by itself
CHANNEL_DONE = Failure(ConnectionDone())
