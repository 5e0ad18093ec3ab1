"""
The data connections of FTP, and the channels that bring one to an AT instance.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.results import Reason

#: octets of a file that wait for #FTPRECV before the server is held back (A)
WINDOW = 16384
#: seconds that a server has to take the rest of an upload once it has ended (A)
CLOSING = 30.0


class DataConnection(Protocol):
    """
    A data connection.

    @ivar opened: fires when it is there.
    @ivar closed: fires when it is gone.
    @ivar ended: fires when all is over: with C{None} if it was there and the server was content, else with the reason.
    @ivar isOver: whether it is gone.
    @ivar wasCut: whether it went otherwise than by an orderly end.
    """

    def __init__(self) -> None:
        self.opened: Deferred[None] = Deferred()
        self.closed: Deferred[None] = Deferred()
        self.ended: Deferred[Reason | None] = Deferred()
        self.isOver = False
        self.wasCut = False
        self._spell: Any = None

    def connectionMade(self) -> None:
        self.opened.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isOver = True
        self.wasCut = not reason.check(ConnectionDone)
        self.closed.callback(None)

    def settle(self, why: Reason | None) -> None:
        """
        The connection is gone and the server has told how it went, or doesn't.

        @param why: why it isn't content.
        """
        self.ended.callback(why)
        if self._spell is not None:
            self._spell.unregisterProducer()
            self._spell.loseConnection()

    def abort(self) -> None:
        """
        End it at once.
        """
        self.isOver = True
        if self.connected:
            self.transport.abortConnection()  # type: ignore[union-attr]


class Download(DataConnection):
    """
    A file or a listing on its way from the server; it is held back until somebody takes it.

    @ivar pending: octets that wait for #FTPRECV.
    """

    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray()

    def connectionMade(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        if self._spell is not None:
            self._spell.write(data)
            return
        self._buffer += data
        if len(self._buffer) >= WINDOW:
            self.transport.pauseProducing()  # type: ignore[union-attr]

    @property
    def pending(self) -> int:
        """
        Octets that wait to be read.
        """
        return len(self._buffer)

    def gather(self) -> None:
        """
        Let data come, up to L{WINDOW}.
        """
        if self.connected and not self.isOver:
            self.transport.resumeProducing()  # type: ignore[union-attr]

    def read(self, count: int) -> bytes:
        """
        Take data that wait.
        """
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        if len(self._buffer) < WINDOW:
            self.gather()
        return data

    def show(self, spell: Any) -> None:
        """
        An AT instance takes the data; if it goes, they are no longer wanted.
        """
        self._spell = spell
        self.gather()
        # paused and resumed by what the DTE takes, and closed when the spell ends
        spell.registerProducer(self.transport, True)


class Shown(Protocol):
    """
    The channel of an instance that is online with a download.
    """

    def __init__(self, download: Download) -> None:
        self._download = download

    def connectionMade(self) -> None:
        self._download.show(self.transport)


@implementer(IPushProducer)
class Upload(DataConnection):
    """
    A file on its way to the server; who writes hears how much the server takes.
    """

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self._clock = clock
        self._full = False
        self._room: Deferred[None] | None = None
        self._closeCall: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self.transport.registerProducer(self, True)  # type: ignore[union-attr]
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        call, self._closeCall = self._closeCall, None
        if call is not None:
            call.cancel()
        self._setFull(False)
        super().connectionLost(reason)

    def pauseProducing(self) -> None:
        self._setFull(True)

    def resumeProducing(self) -> None:
        self._setFull(False)

    def stopProducing(self) -> None:
        """
        The connection is at its end, and tells so itself.
        """

    def _setFull(self, isFull: bool) -> None:
        self._full = isFull
        if self._spell is not None:
            self._spell.pauseProducing() if isFull else self._spell.resumeProducing()
        room = self._room
        if room is not None and not isFull:
            self._room = None
            room.callback(None)

    def write(self, data: bytes) -> None:
        """
        Send a part of the file.
        """
        if not self.isOver:
            self.transport.write(data)  # type: ignore[union-attr]

    async def send(self, data: bytes) -> None:
        """
        Send a part of the file, and wait until there is room for the next one.
        """
        self.write(data)
        if self._full:
            self._room = Deferred()
            await self._room

    def take(self, spell: Any) -> None:
        """
        An AT instance types the file.
        """
        self._spell = spell
        if self._full:
            spell.pauseProducing()

    def finish(self) -> None:
        """
        That was the whole file; what is on its way still goes.
        """
        self._spell = None
        if self.isOver or self._closeCall is not None:
            return
        self._closeCall = self._clock.callLater(CLOSING, self._closingOver)
        # a push producer that is paused would keep the transport from closing
        self.transport.unregisterProducer()  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def _closingOver(self) -> None:
        self._closeCall = None
        self.abort()


class Typed(Protocol):
    """
    The channel of an instance that is online with an upload.
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def connectionMade(self) -> None:
        self._upload.take(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self._upload.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._upload.finish()
