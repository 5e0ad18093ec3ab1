"""
C{atrun terminal}: the keys and the screen of a person, or the input and output of a script, at an AT port.

Octets go both ways as they are, since whoever alters them breaks what modems take for the end of data (MTS-SER-12).
What the terminal's driver makes of keys is off meanwhile, so that Ctrl-C is ETX, Ctrl-P DLE, Ctrl-Z 0x1A, Enter CR and
Ctrl-J LF (MTS-SER-10).
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import tty
from contextlib import suppress
from types import FrameType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol, IPushProducer, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.descriptions import readClient

#: the key that leaves, Ctrl-], as with telnet; it has no meaning in a pipe or a file
LEAVE = b"\x1d"
#: seconds without a word from the port, behind the end of a pipe or a file, after which its answers are complete
SILENCE = 1.0
#: seconds that the port gets to close in an orderly way; by way of a module that takes an escape sequence and a command
CLOSE_SECONDS = 10.0

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class TerminalFailed(Exception):
    """
    The port cannot be opened, or was lost; the text says why.
    """


class _Standard:
    """
    Standard input and output, and how they were: the shell wants them so again.

    @ivar isTerminal: whether somebody types.
    """

    def __init__(self) -> None:
        self.isTerminal = os.isatty(_INPUT)
        self._settings = termios.tcgetattr(_INPUT) if self.isTerminal else None
        self._blocking = [(fd, os.get_blocking(fd)) for fd in (_INPUT, _OUTPUT)]

    def makeRaw(self) -> None:
        """
        Have each key come as an octet, at once; what was typed before was not, and is dropped.
        """
        if self.isTerminal:
            tty.setraw(_INPUT, termios.TCSAFLUSH)

    def makeCooked(self) -> None:
        """
        Give a terminal back its settings, unless it is gone.
        """
        if self._settings is not None:
            with suppress(termios.error):
                termios.tcsetattr(_INPUT, termios.TCSANOW, self._settings)

    def tell(self, text: str) -> None:
        """
        Say something to whoever types, if the terminal isn't gone.
        """
        if self.isTerminal:
            with suppress(OSError):
                os.write(_ERRORS, text.encode("ascii"))

    def giveBack(self) -> None:
        """
        Leave all as it was.
        """
        self.makeCooked()
        for fd, isBlocking in self._blocking:
            os.set_blocking(fd, isBlocking)


class _Port(Protocol):
    """
    The line to the module.
    """

    transport: Any = None

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def connectionMade(self) -> None:
        self._terminal.opened()

    def dataReceived(self, data: bytes) -> None:
        self._terminal.heard(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._terminal.lost(reason)


@implementer(IHalfCloseableProtocol, IPushProducer)
class Terminal(Protocol):
    """
    Standard input and output on one side, an AT port on the other; each holds the other back.

    (connecting) the port is open: a terminal becomes raw, with a greeting -> talking. It can't be opened: -> ended.
    (talking) L{LEAVE} on a terminal; the end of a pipe or file, and silence behind it; output is closed: L{leave}.
    (connecting, talking) L{leave}: the terminal is as it was, the port is closed -> leaving.
    (talking, leaving) the port is closed: what came from it is written -> ended.
    (leaving) L{CLOSE_SECONDS}, or L{leave} again: -> ended.

    The end of a pipe or file is read when the port has taken all that was in front of it.

    @ivar ended: fires at the end.
    @ivar isClosed: the other end has closed the port.
    @ivar failure: why the port can't be opened, or was lost; C{None}: nothing has failed.
    """

    transport: Any = None

    def __init__(self, reactor: Any, endpoint: IStreamClientEndpoint, standard: _Standard, silence: float) -> None:
        """
        @param silence: seconds of it behind the end of a pipe or file.
        """
        self.ended: Deferred[None] = Deferred()
        self.isClosed = False
        self.failure: Failure | None = None
        self._reactor = reactor
        self._endpoint = endpoint
        self._standard = standard
        self._seconds = silence
        self._port = _Port(self)
        self._connecting: Deferred[Any] | None = None
        self._silence: IDelayedCall | None = None
        self._late: IDelayedCall | None = None
        self._isLeaving = False
        self._isMute = False

    def start(self) -> None:
        """
        Open the port.
        """
        self._connecting = connectProtocol(self._endpoint, self._port)
        self._connecting.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if not self._isLeaving:
            self.failure = failure
        self._end()

    def leave(self) -> None:
        """
        Close the port, and end; the second time, end at once.
        """
        if self._isLeaving:
            self._giveUp()
            return
        self._isLeaving = True
        if self.transport is None:
            assert self._connecting is not None
            self._connecting.cancel()
            return
        self._late = self._reactor.callLater(CLOSE_SECONDS, self._giveUp)
        self._standard.makeCooked()
        self.pauseProducing()
        self._port.transport.unregisterProducer()
        self._port.transport.loseConnection()

    def _giveUp(self) -> None:
        if self._port.transport is not None:
            self._port.transport.abortConnection()
        self._end()

    def _end(self) -> None:
        for call in (self._silence, self._late):
            if call is not None and call.active():
                call.cancel()
        if not self.ended.called:
            self.ended.callback(None)

    # -- the port

    def opened(self) -> None:
        """
        Begin to talk.
        """
        self._standard.makeRaw()
        self._standard.tell("atrun: connected; Ctrl-] leaves\r\n")
        StandardIO(self, reactor=self._reactor)

    def heard(self, data: bytes) -> None:
        """
        The module has said something.
        """
        self.transport.write(data)
        if self._silence is not None and self._silence.active():
            self._silence.reset(self._seconds)

    def lost(self, reason: Failure) -> None:
        """
        The port is closed.
        """
        self._standard.makeCooked()
        if not self._isLeaving:
            self.isClosed = reason.check(ConnectionDone) is not None
            self.failure = None if self.isClosed else reason
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        if self._isMute:
            self._end()

    # -- standard input and output

    def connectionMade(self) -> None:
        # keys are read while the port is stuck, for one of them leaves; of a file no more than the port takes
        self._port.transport.registerProducer(self, self._standard.isTerminal)
        self.transport.registerProducer(self._port.transport, True)

    def dataReceived(self, data: bytes) -> None:
        if not self._standard.isTerminal:
            self.pauseProducing()
            self._port.transport.write(data)
            return
        typed, key, _ = data.partition(LEAVE)
        self._port.transport.write(typed)
        if key:
            self.leave()

    def readConnectionLost(self) -> None:
        """
        Input has ended.
        """
        if self._standard.isTerminal:
            self.leave()
        else:
            self._silence = self._reactor.callLater(self._seconds, self.leave)

    def writeConnectionLost(self) -> None:
        """
        Nobody reads the output any more.
        """
        self._isMute = True
        self.leave()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        All is written.
        """
        self._end()

    def pauseProducing(self) -> None:
        """
        Read no more input for now.
        """
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read on.
        """
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """
        The port takes nothing more, and tells of its end itself.
        """
        self.pauseProducing()


def run(reactor: Any, description: str, silence: float = SILENCE) -> int:
    """
    Be a terminal until it is left, the other end closes, or input ends.

    @param description: the port, as a client endpoint string.
    @param silence: seconds without a word from the port, behind the end of a pipe or file.
    @return: 0, or 128 and the number of the signal that has ended it.
    @raise TerminalFailed: the port cannot be opened, or was lost, or there is no input or output.
    """
    try:
        endpoint = readClient(reactor, description)
    except Exception as error:
        # an endpoint parser may raise anything
        raise TerminalFailed(f"{description!r} cannot be used: {error}") from None
    if sys.stdin is None or sys.stdout is None:
        raise TerminalFailed("standard input and output must be open")
    standard = _Standard()
    terminal = Terminal(reactor, endpoint, standard, silence)
    status = 0

    def interrupted(number: int, frame: FrameType | None) -> None:
        nonlocal status
        status = 128 + number
        reactor.callFromThread(terminal.leave)

    for each in _SIGNALS:
        signal.signal(each, interrupted)
    terminal.ended.addCallback(lambda _: reactor.stop())
    reactor.callWhenRunning(terminal.start)
    try:
        reactor.run(installSignalHandlers=False)
    finally:
        standard.giveBack()
    standard.tell("\natrun: the other end has closed\n" if terminal.isClosed else "\n")
    if terminal.failure is not None:
        what = "no connection" if terminal.transport is None else "the connection was lost"
        raise TerminalFailed(f"{what}: {terminal.failure.value}")
    return status
