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

from .escape import EscapeDetector
from .results import CONNECT, NO_CARRIER, OK, ResultCode

if TYPE_CHECKING:
    from .module import ATInstance


class Escaped(ConnectionDone):
    """
    The DTE has left online mode by the escape sequence; what lies behind the channel may live on.
    """


class LineDropped(ConnectionLost):
    """
    The DTE has dropped DTR, or its cable is gone.
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
    #: makes the answer to ATO; C{None}: the channel can't be resumed
    resume: Callable[[], Online] | None = None
    #: called by ATH while the channel is left by an escape
    hangUp: Callable[[], None] | None = None
    #: seconds of silence round the escape sequence in place of S12 (#E2ESC); C{None}: S12
    guard: float | None = None
    #: the escape sequence goes to the channel too (#SKIPESC=0)
    transmitEscape: bool = True


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


@implementer(ITransport, IConsumer, IPushProducer)
class ChannelTransport:
    """
    One online spell of an AT instance, as the transport of its channel; dead afterwards.

    (online) received: to the channel, but for the escape sequence.
    (online) escape sequence: the channel hears of it by L{Escaped} -> dead.
    (online) write: to the DTE.
    (online) loseConnection, abortConnection: NO CARRIER, C{connectionLost} in a later turn -> dead.
    (dead) write, loseConnection: nothing.

    @ivar online: what the handler has asked for.
    @ivar number: of the instance.
    """

    _log = Logger()

    disconnecting = False

    def __init__(self, at: ATInstance, online: Online) -> None:
        self.online = online
        self._at: ATInstance | None = at
        self._instance = at
        self.number = at.number
        self._producer: Any = None
        self._host = ATAddress(at.number)
        self._peer = ATAddress(at.number, at.getPeer())
        self._clock = at.module.clock
        self._timer: IDelayedCall | None = None
        rows, settings = at.commands.rows, at.settings
        ticks = settings.value("S12") if "S12" in rows else 50
        self._detector = EscapeDetector(
            self._clock.seconds(),
            settings.value("S2") if "S2" in rows else 43,
            ticks * GUARD_TICK if online.guard is None else online.guard,
            online.transmitEscape,
            at.bearer.escapeInOneChunk,
        )

    # -- what the instance tells it

    def begin(self) -> None:
        """
        Connect the channel.
        """
        with self._log.failuresHandled("a channel failed to start on instance {instance}", instance=self.number) as op:
            self.online.channel.makeConnection(self)
        if op.failed:
            self.loseConnection()

    def received(self, data: bytes) -> None:
        """
        Octets from the DTE.
        """
        now, deadline = self._clock.seconds(), self._detector.deadline()
        if deadline is not None and now >= deadline:
            # the guard time is over, though its timer has not come round yet
            self._arm(None)
            self._wake()
            if self._at is None:
                self._instance.dataReceived(data)
                return
        onward = self._detector.received(data, now)
        self._arm(self._detector.deadline())
        if onward:
            self._deliver(onward)

    def end(self, reason: Failure) -> None:
        """
        The spell is over: nothing reaches the instance any more.
        """
        producer = self._producer
        with self._log.failuresHandled("a channel failed to end on instance {instance}", instance=self.number):
            self._arm(None)
            self.unregisterProducer()
            self._at = None
            if producer is not None:
                producer.stopProducing()
            self.online.channel.connectionLost(reason)

    def _deliver(self, data: bytes) -> None:
        if self.disconnecting:
            return
        with self._log.failuresHandled("a channel failed on instance {instance}", instance=self.number) as op:
            self.online.channel.dataReceived(data)
        if op.failed:
            self.loseConnection()

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
        if self._at is not None and not self.disconnecting:
            self._at.writeOnline(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        End online mode from the channel's side.
        """
        if self._at is not None and not self.disconnecting:
            self.disconnecting = True
            self._clock.callLater(0, self._at.leaveOnline, self, CHANNEL_DONE, NO_CARRIER)

    def abortConnection(self) -> None:
        """
        End online mode; what was written is not waited for in either case.
        """
        self.loseConnection()

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
            self._producer = producer
            self._at.registerChannelProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        if self._at is not None and self._producer is not None:
            self._producer = None
            self._at.unregisterChannelProducer()

    def pauseProducing(self) -> None:
        """
        Stop reading from the DTE.
        """
        if self._at is not None:
            self._at.setChannelFull(True)

    def resumeProducing(self) -> None:
        if self._at is not None:
            self._at.setChannelFull(False)

    def stopProducing(self) -> None:
        self.loseConnection()


#: the channel closed by itself
CHANNEL_DONE = Failure(ConnectionDone())
