"""
What a pty and a serial device have in common: a transport on a terminal, and those who hear of its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet import fdesc
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import CannotListenError, ConnectionAborted
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.lines import LineCallback

HIGH_WATER = 64 * 1024  # bytes of output not yet taken by the kernel, above which a push producer is paused


class ITTYReactor(IReactorFDSet, IReactorTime):
    """
    What a terminal needs of a reactor.
    """


class CannotListenOnTTY(CannotListenError):
    """
    A server's terminal cannot be made or opened.

    @ivar path: where it should have been.
    @ivar reason: why not, for a person.
    """

    def __init__(self, path: str, reason: str) -> None:
        CannotListenError.__init__(self, path, None, None)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot listen on {self.path}: {self.reason}"


class LineListeners:
    """
    Those who want to hear of line changes.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._callbacks: list[LineCallback] = []

    def add(self, callback: LineCallback) -> Callable[[], None]:
        """
        Tell C{callback} from now on; the function returned ends that.
        """
        self._callbacks = [*self._callbacks, callback]

        def remove() -> None:
            self._callbacks = [known for known in self._callbacks if known is not callback]

        return remove

    def tell(self, name: str, on: bool) -> None:
        """
        Tell all; one who fails doesn't keep it from the others.
        """
        for callback in self._callbacks:
            with self._log.failuresHandled("listener to line {name}", name=name):
                callback(name, on)


class TTYTransport(FileDescriptor):
    """
    A transport on a non-blocking terminal: open, then lost once, whoever ends it.

    It is an L{ITransport<twisted.internet.interfaces.ITransport>}, a consumer with the high-water mark L{HIGH_WATER},
    and the push producer of what is read. It knows no half close, as a serial line knows none.
    """

    bufferSize = HIGH_WATER

    def __init__(
        self, reactor: ITTYReactor, fd: int, address: IAddress, protocol: IProtocol, closed: Callable[[], None]
    ) -> None:
        """
        @param fd: the terminal, non-blocking and in raw mode.
        @param address: what L{getHost} and L{getPeer} say; a terminal has but one name.
        @param closed: called once, after the protocol heard of the loss.
        """
        FileDescriptor.__init__(self, reactor)
        self._reactor = reactor
        self._fd = fd
        self._address = address
        self._protocol = protocol
        self._closed = closed
        self._closing: IDelayedCall | None = None

    def open(self) -> None:
        """
        Give the protocol its transport and begin to read.
        """
        self.connected = 1
        self._reactor.addReader(self)
        try:
            self._protocol.makeConnection(self)
        except BaseException:
            self._reactor.removeReader(self)
            self.dropOutput()
            self.connected = 0
            raise

    def release(self) -> None:
        """
        Give back the descriptor and what belongs to it; called once, when the connection is lost.
        """
        raise NotImplementedError

    def fileno(self) -> int:
        """
        The terminal's descriptor, -1 once it is closed.
        """
        return self._fd

    def getHost(self) -> IAddress:
        """
        The terminal.
        """
        return self._address

    def getPeer(self) -> IAddress:
        """
        The terminal again: who sits behind it isn't known.
        """
        return self._address

    def logPrefix(self) -> str:
        """
        The protocol's name, for the log.
        """
        return self._getLogPrefix(self._protocol)

    def doRead(self) -> object:
        """
        Deliver what has come.
        """
        return fdesc.readFromFD(self._fd, self._protocol.dataReceived)

    def writeSomeData(self, data: bytes) -> int | BaseException:
        """
        Give the kernel as much as it takes.
        """
        written: int | BaseException = fdesc.writeToFD(self._fd, data)
        return written

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """
        Write all of C{iovec}.
        """
        self.write(b"".join(iovec))

    def abortConnection(self) -> None:
        """
        Close without waiting for output; the protocol hears of it in the reactor's next turn.
        """
        self.closeSoon(Failure(ConnectionAborted()))

    def closeSoon(self, reason: Failure) -> None:
        """
        Close in the next turn, with that reason, whatever output is left.
        """
        if self._closing is not None or self.disconnected:
            return
        self.disconnecting = 1
        self._writeDisconnected = True
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._closing = self._reactor.callLater(0, self.connectionLost, reason)

    def dropOutput(self) -> None:
        """
        Forget output that the kernel has not taken.
        """
        self._reactor.removeWriter(self)
        self.dataBuffer = b""
        self.offset = 0
        self._tempDataBuffer.clear()
        self._tempDataLen = 0

    def connectionLost(self, reason: Failure) -> None:
        """
        Close, and tell the protocol; called by the reactor when the terminal is gone or all is written.
        """
        if self.disconnected:
            return
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        FileDescriptor.connectionLost(self, reason)
        self.release()
        self._fd = -1
        try:
            self._protocol.connectionLost(reason)
        finally:
            self._closed()
