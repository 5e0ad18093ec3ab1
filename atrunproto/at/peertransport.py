"""
What all connections of a peer through a module have in common: a transport with a buffer of its own.

How octets get to the module and back is the affair of each kind of connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConsumer, IDelayedCall, IProtocol, IPushProducer, ITransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

#: octets that wait for the module above which a producer is paused
HIGH_WATER = 64 * 1024


@implementer(ITransport, IConsumer, IPushProducer)
class SocketTransport:
    """
    The transport of one connection through a module.

    (up) write: kept until the module takes it.
    (up) loseConnection: wait for a pull producer and until all is taken; then C{closeSocket} -> closing.
    (up, closing) abortConnection: what waits is dropped, C{abortSocket} -> closing.
    (up, closing) C{lost}: the protocol hears of it in a turn of its own -> dead.
    (dead) everything: nothing.

    @ivar disconnecting: it is about to be closed.
    @ivar over: fires when everybody has heard of its end.
    """

    _log = Logger()

    def __init__(self, clock: Any, host: IAddress, peer: IAddress) -> None:
        self._clock = clock
        self._host = host
        self._peer = peer
        self._protocol: IProtocol | None = None
        self._out = bytearray()
        self._held = b""
        self._paused = False
        self._producer: Any = None
        self._streaming = False
        self._producerPaused = False
        self._isHeld = False
        self._turnCall: IDelayedCall | None = None
        self._reason: Failure | None = None
        self._isOver = False
        self._aborted = False
        self._closing = False
        self._whenOver: Callable[[], object] | None = None
        self.over: Deferred[None] = Deferred()
        self.disconnecting = False

    # -- what a kind of connection does

    def sendMore(self) -> None:
        """
        There is something to be taken.
        """
        raise NotImplementedError

    def setReading(self, isReading: bool) -> None:
        """
        The protocol wants to hear, or to hear nothing for now.
        """
        raise NotImplementedError

    def closeSocket(self) -> None:
        """
        All is taken: close the connection; L{lost} tells when that is done.
        """
        raise NotImplementedError

    def abortSocket(self) -> None:
        """
        Close the connection whatever becomes of the data.
        """
        raise NotImplementedError

    # -- what it is told by it

    def hold(self, isHeld: bool) -> None:
        """
        Nothing is taken for a while, so a push producer is paused; or things go on.
        """
        self._isHeld = isHeld
        if not isHeld:
            self._later()
        elif self._producer is not None and self._streaming:
            self._pauseProducer()

    def begin(self, protocol: IProtocol, whenOver: Callable[[], object]) -> None:
        """
        Give the protocol its transport.

        @param whenOver: called when the protocol has heard of the end.
        """
        self._protocol = protocol
        self._whenOver = whenOver
        self._tell(protocol.makeConnection, self)

    def take(self, size: int) -> bytes:
        """
        Take octets on their way to the module.
        """
        data = bytes(self._out[:size])
        del self._out[:size]
        self._later()
        return data

    @property
    def waiting(self) -> int:
        """
        Octets that wait to be taken.
        """
        return len(self._out)

    def deliver(self, data: bytes) -> None:
        """
        Octets from the other end.
        """
        if self._isOver or not data:
            return
        if self._paused or self._held:
            self._held += data
        elif self._protocol is not None:
            self._tell(self._protocol.dataReceived, data)

    def lost(self, reason: Failure) -> None:
        """
        The connection has ended.
        """
        if self._reason is None:
            self._reason = reason
            self._clock.callLater(0, self._end)

    def _end(self) -> None:
        self._isOver = self.disconnecting = True
        self._out.clear()
        if self._turnCall is not None:
            self._turnCall.cancel()
            self._turnCall = None
        self._stopProducer()
        held, self._held = self._held, b""
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            if held:
                self._tell(protocol.dataReceived, held)
            self._tell(protocol.connectionLost, self._reason)
        if self._whenOver is not None:
            self._whenOver()
        self.over.callback(None)

    def _later(self) -> None:
        if self._turnCall is None and not self._isOver:
            self._turnCall = self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        """
        Go on with what must not happen in a call of the protocol.
        """
        self._turnCall = None
        held = self._held
        if held and not self._paused and self._protocol is not None:
            self._held = b""
            self._tell(self._protocol.dataReceived, held)
        producer = self._producer
        if self._pulls:
            if not self._out:
                self._tell(producer.resumeProducing)
        elif producer is not None and self._producerPaused and not self._isHeld and len(self._out) < HIGH_WATER:
            self._producerPaused = False
            self._tell(producer.resumeProducing)
        if self.disconnecting and not self._out and not self._pulls and not self._closing and not self._isOver:
            self._closing = True
            self.closeSocket()

    def _tell(self, what: Callable[..., Any], *arguments: Any) -> None:
        """
        Call the user's code; its failure is logged and ends the connection.
        """
        with self._log.failuresHandled("the protocol on {peer} failed", peer=self._peer) as operation:
            what(*arguments)
        if operation.failed:
            self.abortConnection()

    # -- the transport of the protocol

    def write(self, data: bytes) -> None:
        if self._isOver or self._aborted or not data or (self.disconnecting and not self._pulls):
            return
        self._out += data
        if self._producer is not None and self._streaming and self.waiting >= HIGH_WATER:
            self._pauseProducer()
        self.sendMore()

    def _pauseProducer(self) -> None:
        if not self._producerPaused:
            self._producerPaused = True
            self._producer.pauseProducing()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        Close when all is taken, and a pull producer has finished.
        """
        if not self._isOver:
            self.disconnecting = True
            self._later()

    def abortConnection(self) -> None:
        """
        Close at once; what the module has not taken is dropped.
        """
        if self._isOver or self._aborted:
            return
        self._aborted = self._closing = self.disconnecting = True
        self._out.clear()
        self._stopProducer()
        self.abortSocket()

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return self._host

    @property
    def _pulls(self) -> bool:
        return self._producer is not None and not self._streaming

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer hear how much the module takes.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        if self._isOver or self._aborted:
            producer.stopProducing()
            return
        self._producer, self._streaming, self._producerPaused = producer, streaming, False
        if not streaming:
            self._later()
        elif self._isHeld:
            self._pauseProducer()

    def unregisterProducer(self) -> None:
        self._producer = None
        if self.disconnecting:
            self._later()

    def _stopProducer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._tell(producer.stopProducing)

    def pauseProducing(self) -> None:
        """
        Hear nothing more for now; the module then holds the other end back.
        """
        if not self._isOver and not self._paused:
            self._paused = True
            self.setReading(False)

    def resumeProducing(self) -> None:
        """
        Hear on.
        """
        if not self._isOver and self._paused:
            self._paused = False
            self._later()
            self.setReading(True)

    def stopProducing(self) -> None:
        self.loseConnection()
