"""
C{pty:PATH} as a server: a pseudo terminal that stays while its users come and go.

How a user is noticed: nobody here holds the user's side open, so the kernel reports a hang-up exactly when the last
user has closed it, and what he sent is read before that. From then on the terminal is out of the reactor's sight, and
inotify tells of the next open. So there is nothing to count, and nothing to poll but while reading is paused.
"""

from __future__ import annotations

import fcntl
import os
import select
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.inotify import INotifyError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProducer,
    IProtocol,
    IProtocolFactory,
    IPullProducer,
    IPushProducer,
    IStreamServerEndpoint,
)
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.lines import LineCallback
from atrunproto.endpoints._opens import Opens
from atrunproto.endpoints._tty import CannotListenOnTTY, ITTYReactor, LineListeners, TTYTransport

TAKEN_POLL = 0.02  # seconds between two looks whether the user has taken all, before the terminal closes
HANG_UP_POLL = 0.2  # seconds between two looks for a hang-up, while reading is paused and so nothing else would tell


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class PtyAddress:
    """
    A pseudo terminal: the link that users know, and the device that it points to.
    """

    path: str
    device: str


def _isHungUp(fd: int) -> bool:
    """
    Whether no user has the other side of this pty open.
    """
    look = select.poll()
    look.register(fd, 0)
    return any(event & select.POLLHUP for _, event in look.poll(0))


def _isTaken(device: str) -> bool:
    """
    Whether the user has read all that the terminal holds for him; it would be lost with the terminal.
    """
    user = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        waiting = bytearray(4)
        fcntl.ioctl(user, termios.FIONREAD, waiting)
    finally:
        os.close(user)
    return not any(waiting)


def _refresh(device: str) -> None:
    """
    Throw away what no user has read, and make the terminal raw again, whatever the last user has set.
    """
    user = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        termios.tcflush(user, termios.TCIFLUSH)
        tty.setraw(user, termios.TCSANOW)
    finally:
        os.close(user)


class PtyTransport(TTYTransport):
    """
    The module's end of a pty, with L{IModemLines<atrunproto.at.lines.IModemLines>}.

    A pty has no modem lines (ENOTTY), but a user who has it open is as good as DTR.

        - (nobody) user opens: line is up, C{DTR} on; producers resume
        - (nobody) write: dropped, as on a cable that ends nowhere; producers are paused
        - (up) last user closes: what he sent is delivered, output that he left is discarded, C{DTR} off -> nobody
        - (any) loseConnection, abortConnection: closed; the next user finds nothing

    A close and an open within one turn of the reactor are a drop too short to be noticed (a module's S25 ignores such).
    """

    _log = Logger()

    def __init__(
        self,
        reactor: ITTYReactor,
        fd: int,
        address: PtyAddress,
        protocol: IProtocol,
        closed: Callable[[], None],
    ) -> None:
        TTYTransport.__init__(self, reactor, fd, address, protocol, closed)
        self._device = address.device
        self._link = address.path
        self._listeners = LineListeners()
        self._up = False
        self._readPaused = False
        self._look = LoopingCall(self._lookForHangUp)
        self._look.clock = reactor
        self._ending: IDelayedCall | None = None

    # Life

    def open(self) -> None:
        """
        Give the protocol its transport and wait for the first user.

        @raise INotifyError: the kernel doesn't tell of opens.
        """
        self._opens = Opens(self._reactor, self._device, self._userCame)
        try:
            self._opens.listen()
            TTYTransport.open(self)
        except BaseException:
            self._opens.close()
            raise

    def release(self) -> None:
        """
        Remove the link, unless it belongs to somebody else by now, and close the pty.
        """
        self._stopLooking()
        if self._ending is not None and self._ending.active():
            self._ending.cancel()
        self._opens.close()
        removeLink(self._link, self._device)
        os.close(self._fd)

    def connectionLost(self, reason: Failure) -> None:
        """
        Called by the reactor when the users are gone, which ends the line but not the pty; or when the pty closes.
        """
        if reason.check(ConnectionDone, ConnectionLost) and not self.disconnecting:
            self._hungUp()
            return
        if reason.type is ConnectionLost:
            reason = Failure(CONNECTION_DONE)  # we were closing, and nobody is left to take the rest
        TTYTransport.connectionLost(self, reason)

    # Users

    def _userCame(self) -> None:
        """
        Somebody opened the user's side; he may have closed it again.
        """
        self._opens.ignore()
        self._up = True
        if self.disconnecting:
            return
        if self._readPaused:
            self._startLooking()
        else:
            self._reactor.addReader(self)
        held = self.producer if self.producerPaused or not self.streamingProducer else None
        # before the producer: who hears of the user can still drop what was meant for nobody, or register another one
        self._listeners.tell("DTR", True)
        if held is not None and held is self.producer and self._up and not self.disconnecting:
            self.producerPaused = False
            cast(IPullProducer, held).resumeProducing()

    def _hungUp(self) -> None:
        """
        The reactor lets go of the pty, since it saw a hang-up; which may be over.
        """
        if _isHungUp(self._fd):
            if self._up:
                self._usersLeft()
        elif self._up:
            if not self._readPaused:
                self._reactor.addReader(self)
            if self.dataBuffer or self._tempDataLen:
                self._reactor.addWriter(self)

    def _usersLeft(self) -> None:
        """
        The last user has gone: nobody shall get what was meant for him.
        """
        self._up = False
        self._stopLooking()
        self.dropOutput()
        try:
            _refresh(self._device)
        except (OSError, termios.error) as error:  # a user reserved it for himself, and went without giving it back
            self._log.warn("cannot clear {device}: {error}", device=self._device, error=error)
        self._opens.listen()
        self._holdProducer()
        self._listeners.tell("DTR", False)
        if not self._up and not self.disconnected and not _isHungUp(self._fd):
            self._userCame()  # between the hang-up and the watch

    def _lookForHangUp(self) -> None:
        """
        Notice, while reading is paused, that the users are gone; what they sent stays for later.
        """
        if _isHungUp(self._fd):
            self._usersLeft()

    def _startLooking(self) -> None:
        if not self._look.running:
            self._look.start(HANG_UP_POLL, now=False)

    def _stopLooking(self) -> None:
        if self._look.running:
            self._look.stop()

    # Reading and writing

    def doRead(self) -> object:
        """
        Deliver what has come; not before the news of the user who sent it, or the answer would be dropped.
        """
        if not self._up:
            self._opens.hear()
        return TTYTransport.doRead(self)

    def pauseProducing(self) -> None:
        """
        Deliver nothing for now.
        """
        self._readPaused = True
        FileDescriptor.pauseProducing(self)
        if self._up and not self.disconnecting:
            self._startLooking()

    def resumeProducing(self) -> None:
        """
        Deliver again; also what was left by a user who has gone.
        """
        self._readPaused = False
        self._stopLooking()
        FileDescriptor.resumeProducing(self)

    def write(self, data: bytes) -> None:
        """
        Send C{data} to the user; without one it is dropped.
        """
        if self._up:
            TTYTransport.write(self, data)

    def loseConnection(self) -> None:
        """
        Close when the user has taken what was written.
        """
        if self._up:
            self._stopLooking()
            FileDescriptor.loseConnection(self)
        else:
            self.closeSoon(Failure(CONNECTION_DONE))

    def _postLoseConnection(self) -> None:
        """
        All is written after a close: wait until the user has taken it.
        """
        if self._ending is None:
            self._lookIfTaken(False)

    def _lookIfTaken(self, before: bool) -> None:
        """
        Close when two looks have found nothing: between two pieces the kernel may show none.
        """
        try:
            taken = _isHungUp(self._fd) or _isTaken(self._device)
        except OSError:  # the user has reserved it for himself: it can't be known
            taken = before = True
        if taken and before:
            self.connectionLost(Failure(CONNECTION_DONE))
        else:
            self._ending = self._reactor.callLater(TAKEN_POLL, self._lookIfTaken, taken)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """
        Take output from C{producer}; it produces while there is a user.
        """
        if self._up or self.disconnected or self.producer is not None:
            TTYTransport.registerProducer(self, producer, streaming)
        else:
            self.producer = producer
            self.streamingProducer = streaming
            self.producerPaused = False
            self._holdProducer()

    def _holdProducer(self) -> None:
        """
        Pause a push producer; a pull producer waits anyway.
        """
        if self.producer is not None and self.streamingProducer and not self.producerPaused:
            self.producerPaused = True
            cast(IPushProducer, self.producer).pauseProducing()

    # Lines

    def onLineChange(self, callback: LineCallback) -> Callable[[], None]:
        """
        Tell C{callback} of users who come and of the last one leaving, as C{DTR}.
        """
        return self._listeners.add(callback)

    def setCarrier(self, on: bool) -> None:
        """
        Nothing: a pty can't show it.
        """

    def setRing(self, on: bool) -> None:
        """
        Nothing: a pty can't show it.
        """

    def setReady(self, on: bool) -> None:
        """
        Nothing: a pty can't show it.
        """


def placeLink(path: str, device: str) -> None:
    """
    Make C{path} a link to C{device}, in place of a link to a terminal that an earlier process left.

    @raise CannotListenOnTTY: there is something else, or no folder, or no permission.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise CannotListenOnTTY(path, f"there is no folder {folder}")
    if os.path.lexists(path):
        if not os.path.islink(path):
            raise CannotListenOnTTY(path, "it exists and is not a symbolic link")
        target = os.readlink(path)
        if os.path.dirname(target) != os.path.dirname(device):
            raise CannotListenOnTTY(path, f"it is a link to {target}, which is no pseudo terminal")
    fresh = f"{path}.{os.getpid()}"
    try:
        os.symlink(device, fresh)
        try:
            os.replace(fresh, path)
        except OSError:
            os.unlink(fresh)
            raise
    except OSError as error:
        raise CannotListenOnTTY(path, error.strerror or str(error)) from error


def removeLink(path: str, device: str) -> None:
    """
    Remove the link C{path} if it still points to C{device}.
    """
    try:
        if os.readlink(path) == device:
            os.unlink(path)
    except OSError:
        pass  # somebody removed or replaced it: not ours any more


@implementer(IListeningPort)
class PtyPort:
    """
    A pseudo terminal that is open to users.
    """

    def __init__(self, reactor: ITTYReactor, path: str, factory: IProtocolFactory) -> None:
        self._reactor = reactor
        self._path = path
        self._factory = factory
        self._address: PtyAddress | None = None
        self._transport: PtyTransport | None = None
        self._stopped: list[Deferred[None]] = []

    def startListening(self) -> None:
        """
        Make the pty, its link and its one protocol.

        @raise CannotListenOnTTY: with what is in the way.
        """
        try:
            master, user = os.openpty()
        except OSError as error:
            raise CannotListenOnTTY(self._path, error.strerror or str(error)) from error
        try:
            device = os.ttyname(user)
            tty.setraw(user, termios.TCSANOW)
            os.set_blocking(master, False)
        finally:
            os.close(user)
        self._address = address = PtyAddress(self._path, device)
        try:
            placeLink(self._path, device)
            self._factory.doStart()
            try:
                self._open(master, address)
            except BaseException:
                removeLink(self._path, device)
                self._factory.doStop()
                raise
        except BaseException:
            os.close(master)
            raise

    def _open(self, master: int, address: PtyAddress) -> None:
        protocol = self._factory.buildProtocol(address)
        if protocol is None:
            raise CannotListenOnTTY(self._path, "nobody serves it")
        transport = PtyTransport(self._reactor, master, address, protocol, self._closed)
        try:
            transport.open()
        except INotifyError as error:
            raise CannotListenOnTTY(self._path, f"cannot watch {address.device}: {error}") from error
        self._transport = transport

    def _closed(self) -> None:
        self._transport = None
        self._factory.doStop()
        waiting, self._stopped = self._stopped, []
        for stopped in waiting:
            stopped.callback(None)

    def stopListening(self) -> Deferred[None]:
        """
        Close the pty and remove its link.

        @return: fires when that is done and the protocol has heard of it.
        """
        if self._transport is None:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        self._transport.closeSoon(Failure(CONNECTION_DONE))
        return stopped

    def getHost(self) -> IAddress:
        """
        The pty's link and device.
        """
        assert self._address is not None, "not listening yet"
        return self._address


@implementer(IStreamServerEndpoint)
class PtyServerEndpoint:
    """
    Listens for the users of a pseudo terminal under a given path.
    """

    def __init__(self, reactor: ITTYReactor, path: str) -> None:
        """
        @param path: where the link to the terminal shall be; relative to the present folder.
        """
        self._reactor = reactor
        self._path = os.path.abspath(path)

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Make the terminal and connect it to one protocol, which lives as long as it.
        """
        port = PtyPort(self._reactor, self._path, protocolFactory)

        def listening() -> IListeningPort:
            port.startListening()
            return port

        return execute(listening)
