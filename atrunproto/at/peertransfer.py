"""
Files that an AT client sends or takes while it is online: FTP, the attachments of e-mail.

An upload is ended by the escape sequence, a download by the module; either way its last word is C{NO CARRIER}.
Source: reference 8 and 9 (S IP Easy User Guide 3.3.3 and 3.3.4); TEL-FTP-08, TEL-FTP-09, TEL-FTP-11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IConsumer, IProtocol, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import FileSender
from twisted.python.failure import Failure
from zope.interface import implementer

from .errors import ATError, CommandFailed

if TYPE_CHECKING:
    from .peer import ATClient

#: what a file is taken from: octets, an open file, or a function that is given the consumer, registers its producer
#: with it and returns a Deferred that fires when all is written
Source = bytes | IO[bytes] | Callable[[IConsumer], Deferred[Any]]
#: what a file is given to
Sink = IO[bytes] | IConsumer
#: is told how many octets have passed so far
Progress = Callable[[int], object]


class ServerError(ATError):
    """
    What a module was to do at a server has failed.

    @ivar what: what was tried, or what is wrong.
    @ivar reply: the server's last reply as the module tells it; empty where there is none.
    """

    def __init__(self, what: str, reply: str = "") -> None:
        super().__init__(what, reply)
        self.what = what
        self.reply = reply

    def __str__(self) -> str:
        return f"{self.what} (the server: {self.reply})" if self.reply else self.what


class TransferBroken(ATError):
    """
    A transfer has ended before its time.

    @ivar octets: those that had passed.
    """

    def __init__(self, what: str, octets: int) -> None:
        super().__init__(what, octets)
        self.what = what
        self.octets = octets

    def __str__(self) -> str:
        return f"{self.what} after {self.octets} octets"


class TooLong(TransferBroken):
    """
    A file is longer than whoever asked for it was ready to take.
    """


def writeTo(source: Source, consumer: IConsumer) -> Deferred[Any]:
    """
    Write all of a source to a consumer, as fast as that takes it.
    """
    if callable(source):
        return maybeDeferred(source, consumer)
    file = BytesIO(source) if isinstance(source, bytes) else source
    sending: Deferred[Any] = FileSender().beginFileTransfer(file, consumer)
    return sending


@implementer(IProtocol)
class Transfer:
    """
    One transfer: the protocol of an online spell, or of the data of a command.

    (new) makeConnection: -> running.
    (running) C{stop}: the spell is left -> stopping.
    (running, stopping) connectionLost: -> over.

    @ivar octets: those that have passed.
    """

    def __init__(self, progress: Progress | None) -> None:
        self.octets = 0
        self._progress = progress
        self._spell: Any = None
        self._wrong: Failure | None = None
        self._over: Deferred[None] = Deferred(lambda _: self.stop(Failure(CancelledError())))

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The data connection is there.
        """
        raise NotImplementedError

    def dataReceived(self, data: bytes) -> None:
        """
        Octets from the module.
        """
        raise NotImplementedError

    def ended(self, reason: Failure) -> None:
        """
        The spell has ended, by nobody's fault.

        @raise ATError: it shouldn't have.
        """
        raise NotImplementedError

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._spell = None
        try:
            if self._wrong is not None:
                self._wrong.raiseException()
            self.ended(reason)
        except BaseException:
            if not self._over.called:
                self._over.errback(Failure())
            return
        if not self._over.called:
            self._over.callback(None)

    def passed(self, count: int) -> None:
        """
        So many octets more have passed.
        """
        self.octets += count
        if self._progress is not None:
            self._progress(self.octets)

    def stop(self, reason: Failure) -> None:
        """
        Leave the spell.

        @param reason: what went wrong.
        """
        if self._wrong is None:
            self._wrong = reason
        if self._spell is not None:
            self._spell.abortConnection()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """
        Call code of the user's; its failure ends the transfer, and is what it has come to.
        """
        try:
            yield
        except Exception:
            self.stop(Failure())

    async def run(self, client: ATClient, line: str, timeout: float, data: bytes | None = None) -> int:
        """
        Give a command line that leads online, and wait until the transfer is over.

        @param timeout: seconds until the data connection is there.
        @param data: what to send at a prompt in front of it.
        @return: the octets that have passed.
        @raise CommandFailed: there is no data connection; C{NO CARRIER} too.
        @raise TransferBroken: it has ended before its time.
        """
        await client.connect(line, self, timeout, hangUp="AT", data=data)
        try:
            return await self.whole()
        except TransferBroken:
            # the module may have part of the file in its command line
            await client.execute("AT").addErrback(lambda failure: failure.trap(CommandFailed) and None)
            raise

    async def whole(self) -> int:
        """
        Wait until the transfer is over, whatever has given it its transport.

        @return: the octets that have passed.
        @raise TransferBroken: it has ended before its time.
        """
        await self._over
        return self.octets


@implementer(IConsumer, IPushProducer)
class Sending(Transfer):
    """
    A file on its way to the module: the consumer of its source, and the producer that the spell holds back.
    """

    def __init__(self, source: Source, progress: Progress | None = None) -> None:
        """
        @param progress: is told how many octets the line has taken so far.
        """
        super().__init__(progress)
        self._source = source
        self._producer: Any = None
        self._isStopped = False
        self._isComplete = False

    def connectionMade(self) -> None:
        writeTo(self._source, self).addCallbacks(self._finish, self._failed)

    def _finish(self, _: object) -> None:
        if self._spell is not None:
            self._isComplete = True
            self._spell.loseConnection()

    def _failed(self, reason: Failure) -> None:
        # a source that was stopped fails too; why it was stopped is told by the spell
        if not self._isStopped:
            self.stop(reason)

    def dataReceived(self, data: bytes) -> None:
        """
        A module says nothing while it takes a file, so this is its echo, or the answer to what it takes for a command.
        """
        if not self._isComplete:
            self.stop(Failure(self._broken()))

    def _broken(self) -> TransferBroken:
        return TransferBroken("the module took no more of the file", self.octets)

    def ended(self, reason: Failure) -> None:
        if reason.check(ATError):
            reason.raiseException()
        if not self._isComplete:
            raise self._broken()

    # -- the consumer of the source

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._producer = producer
        if self._spell is None:
            self.stopProducing()
        else:
            self._spell.registerProducer(self, streaming)

    def unregisterProducer(self) -> None:
        self._producer = None
        if self._spell is not None:
            self._spell.unregisterProducer()

    def write(self, data: bytes) -> None:
        if self._spell is None or self._wrong is not None:
            return
        self._spell.write(data)
        with self.guarded():
            self.passed(len(data))

    # -- the producer of the spell

    def resumeProducing(self) -> None:
        with self.guarded():
            self._producer.resumeProducing()

    def pauseProducing(self) -> None:
        self._producer.pauseProducing()

    def stopProducing(self) -> None:
        producer, self._producer = self._producer, None
        self._isStopped = True
        if producer is not None:
            producer.stopProducing()


@implementer(IPushProducer)
class Taking(Transfer):
    """
    A file on its way from the module to a sink, which holds it back where it is a consumer: its producer.
    """

    def __init__(self, sink: Sink, progress: Progress | None = None, limit: int | None = None) -> None:
        """
        @param progress: is told how many octets have come so far.
        @param limit: octets above which the file is too long.
        """
        super().__init__(progress)
        self._sink: Any = sink
        self._limit = limit
        self._isRegistered = False

    def connectionMade(self) -> None:
        if IConsumer.providedBy(self._sink):
            with self.guarded():
                self._sink.registerProducer(self, True)
                self._isRegistered = True

    def dataReceived(self, data: bytes) -> None:
        if self._wrong is None:
            with self.guarded():
                self.take(data)

    def take(self, data: bytes) -> None:
        """
        Give octets on.

        @raise TooLong: there are too many.
        """
        if self._limit is not None and self.octets + len(data) > self._limit:
            raise TooLong("the file is too long", self.octets)
        self._sink.write(data)
        self.passed(len(data))

    def ended(self, reason: Failure) -> None:
        if reason.check(ATError):
            reason.raiseException()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._isRegistered:
            with self.guarded():
                self._sink.unregisterProducer()
        super().connectionLost(reason)

    # -- the producer of the sink

    def pauseProducing(self) -> None:
        if self._spell is not None:
            self._spell.pauseProducing()

    def resumeProducing(self) -> None:
        if self._spell is not None:
            self._spell.resumeProducing()

    def stopProducing(self) -> None:
        self.stop(Failure(TransferBroken("the consumer wanted no more", self.octets)))
