"""
Online mode of an AT instance: the instance as the transport of a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IConsumer, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from .results import CONNECT, OK, ResultCode

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


@implementer(ITransport, IConsumer, IPushProducer)
class ChannelTransport:
    """
    One online spell of an AT instance, as the transport of its channel; dead afterwards.

    (online) write: to the DTE.
    (online) loseConnection, abortConnection: NO CARRIER, C{connectionLost} in a later turn -> dead.
    (dead) write, loseConnection: nothing.
    """

    disconnecting = False

    def __init__(self, at: ATInstance) -> None:
        self._at: ATInstance | None = at
        self._producer: Any = None
        self._host = ATAddress(at.number)
        self._peer = ATAddress(at.number, at.getPeer())

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
            self._at.channelClosed(self)

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
            self._at.pauseReading(self)

    def resumeProducing(self) -> None:
        if self._at is not None:
            self._at.resumeReading(self)

    def stopProducing(self) -> None:
        self.loseConnection()

    def die(self) -> None:
        """
        The spell is over: nothing reaches the instance any more.
        """
        producer = self._producer
        self.unregisterProducer()
        self._at = None
        if producer is not None:
            producer.stopProducing()


#: the channel closed by itself
CHANNEL_DONE = Failure(ConnectionDone())
