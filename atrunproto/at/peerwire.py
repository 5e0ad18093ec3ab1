"""
The wire of an AT client: one command line at a time, whose answer is read before the next one goes; the others wait.

What a client is to its users stands in L{atrunproto.at.peer}.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .commands import Command
from .errors import ATError, CommandFailed, CommandTimeout, LineSwallowed, LinkLost, Misuse, PeerViolation
from .peercommand import RESYNC_QUIET, RESYNC_WAIT, PeerCommand, Resync
from .peerlines import LineReader, Response, bookOf, isConnect, isFinal, isHead, isSecond, noticeName, reasonOf
from .peeronline import PeerTransport
from .peerphase import DataPhase
from .results import NO_CARRIER

#: command lines that wait for the wire; whoever has more to say wants a queue of his own
MAX_QUEUED = 1000
#: seconds after which a digit with a lone CR is a result code (ATV0) and not the beginning of CR LF (A)
NUMERIC_SETTLE = 0.05

_NO_CARRIER = NO_CARRIER.text.encode("ascii")


def valueOf(reason: Failure) -> BaseException:
    """
    Why a connection was lost, for those who are told by a Deferred.
    """
    assert reason.value is not None
    return reason.value


@implementer(IProtocol)
class PeerWire:
    """
    The line to a module, below what its users see of it.

    (detached) makeConnection: -> command mode; what was queued is sent.
    (command mode) a command: sent if the wire is free, else queued.
    (command mode) CONNECT: -> online, which is the client's affair.
    (command mode, doubtful after a timeout or garbage) next line: resynchronise first -> command mode, or abort.
    (online) the end of the spell: -> command mode.
    (command mode) a command's data are announced, or those that are awaited: -> data.
    (data) their end: -> command mode, where the result of the command is still to come.
    (any) connectionLost: everything waiting fails with L{LinkLost} -> lost.

    @ivar clock: where time comes from.
    @ivar transport: what it sits on.
    """

    _log = Logger()

    __slots__ = (
        "_awaited",
        "_book",
        "_closing",
        "_doubtful",
        "_head",
        "_lost",
        "_pause",
        "_queue",
        "_reader",
        "_reading",
        "_resync",
        "_running",
        "_settle",
        "_spell",
        "_timer",
        "_whenLost",
        "clock",
        "transport",
    )

    def __init__(self, clock: IReactorTime, rows: Mapping[str, Command] | None, pause: float) -> None:
        """
        @param rows: the commands that are known.
        @param pause: seconds between a final result and the next command line.
        """
        self.clock: Any = clock
        self.transport: Any = None
        self._book = bookOf(rows)
        self._pause = pause
        self._reader = LineReader()
        self._running: PeerCommand | None = None
        self._queue: deque[PeerCommand] | None = None
        self._timer: IDelayedCall | None = None
        self._settle: IDelayedCall | None = None
        self._resync: Resync | None = None
        self._spell: PeerTransport | DataPhase | None = None
        #: a command that was answered, or given up, and whose data are announced when it suits the module
        self._awaited: PeerCommand | None = None
        self._whenLost: list[Deferred[BaseException]] | None = None
        self._lost: Failure | None = None
        self._doubtful = False
        #: a notice whose second line is still to come
        self._head = ""
        self._closing = False
        self._reading = False

    # -- what the client knows and does

    def _wanted(self) -> Collection[str]:
        """
        The names of notices that somebody wants to hear.
        """
        raise NotImplementedError

    def _notice(self, text: str) -> None:
        """
        A notice has come.
        """
        raise NotImplementedError

    def _connected(self, command: PeerCommand) -> None:
        """
        A command has led online: what follows is data.
        """
        raise NotImplementedError

    def _stray(self) -> None:
        """
        The module went online and nobody wants it.
        """
        raise NotImplementedError

    # -- the transport

    def abort(self) -> None:
        """
        Close the connection at once.
        """
        self._closing = True
        if self.transport is not None and self._lost is None:
            getattr(self.transport, "abortConnection", self.transport.loseConnection)()

    def makeConnection(self, transport: Any) -> None:
        """
        Take a transport; what was queued is sent.
        """
        self.transport = transport
        # small writes must not wait for the answer to the one before
        noDelay = getattr(transport, "setTcpNoDelay", None)
        if noDelay is not None:
            noDelay(True)
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The line is there.
        """
        self.resume()

    def dataReceived(self, data: bytes) -> None:
        """
        Octets from the module.
        """
        if self._spell is not None:
            behind = self._spell.received(data)
            if behind is None:
                return
            self._spell = None
            data = behind
        reader = self._reader
        reader.feed(data)
        self._read(reader)

    def connectionLost(self, reason: Failure) -> None:
        """
        The connection is gone: everything fails, each with an error that tells whether it was sent.
        """
        self._lost = reason
        running, self._running = self._running, None
        awaited, self._awaited = self._awaited, None
        queue, self._queue = self._queue, None
        waiting, self._whenLost = self._whenLost, None
        self._resync = None
        self._stopTimer()
        self._unsettle()
        self._reader.clear()
        self._head = ""
        if isinstance(self._spell, PeerTransport):
            self._spell.linkLost(reason)
        for command in (running, awaited):
            if command is not None:
                command.fail(LinkLost(command.line.shown, True))
        for command in queue or ():
            command.fail(LinkLost(command.line.shown, False))
        for lost in waiting or ():
            # somebody may have cancelled it since, because a command has failed
            if not lost.called:
                lost.callback(valueOf(reason))

    # -- the wire

    def _enter(self, command: PeerCommand) -> Deferred[Any]:
        """
        Send a command, or queue it; its Deferred tells what it has come to.
        """
        if self._closing or self._lost is not None:
            return fail(LinkLost(command.line.shown, False))
        queue = self._queue
        if queue is not None and len(queue) >= MAX_QUEUED:
            return fail(Misuse(f"{MAX_QUEUED} command lines wait already"))
        waiting: Deferred[Any] = Deferred(self._cancelled)
        command.waiting = waiting
        if (
            queue is None
            and self._running is None
            and self._spell is None
            and self._timer is None
            and self.transport is not None
            and not self._doubtful
            and not self._reading
        ):
            self._send(command)
        else:
            if queue is None:
                self._queue = queue = deque()
            queue.append(command)
            self.resume()
        return waiting

    def interrupt(self, running: str, line: str) -> bool:
        """
        Send a line beside the one that is on the wire: what comes next as a final result ends both.

        @param running: the line that is to be interrupted; while another one is on the wire, nothing is sent.
        @return: whether it was sent.
        @raise Misuse: the line can't be sent.
        """
        command, sent = self._running, self._book.line(line)
        if command is None or command.line.echo != self._book.line(running).echo:
            return False
        command.besides(sent)
        self.transport.write(sent.wire)
        return True

    def doubt(self) -> None:
        """
        Find the beginning of an answer before the next line: what was sent may lie in the command line of the module.
        """
        self._doubtful = True

    def resume(self) -> None:
        """
        Send the next line if the wire is free. Called by the client's own parts.
        """
        queue = self._queue
        if (
            queue is None
            or self._running is not None
            or self._spell is not None
            or self._timer is not None
            or self.transport is None
            or self._closing
            or self._reading
        ):
            return
        if self._doubtful:
            self._resync = Resync()
            self._probe()
            return
        command = queue.popleft()
        if not queue:
            self._queue = None
        self._send(command)

    def _send(self, command: PeerCommand) -> None:
        self._running = command
        self._timer = self.clock.callLater(command.seconds, self._expired)
        self.transport.write(command.line.wire)
        if not command.isPrompted:
            self.transport.write(command.reply(b""))

    def _cancelled(self, deferred: Deferred[Any]) -> None:
        running = self._running
        if running is not None and running.waiting is deferred:
            running.waiting = None
            return
        if self._awaited is not None and self._awaited.waiting is deferred:
            self._awaited = None
            return
        queue = self._queue
        for command in queue or ():
            if command.waiting is deferred:
                assert queue is not None
                queue.remove(command)
                if not queue:
                    self._queue = None
                return

    def _expired(self) -> None:
        self._timer = None
        self._doubtful = True
        command = self._running
        assert command is not None
        self._reader.clear()
        self._head = ""
        # data without an end
        self._spell = None
        if command.phase is not None and self._awaited is None:
            # they may begin late, and then have to be ended
            self._awaited = command
        self._fail(command, CommandTimeout(command.line.shown, command.seconds))

    def _fail(self, command: PeerCommand, error: ATError) -> None:
        self._release()
        command.fail(command.error or error)

    def _release(self) -> None:
        """
        A command is over: free the wire. What it has come to is told afterwards.
        """
        self._running = None
        self._stopTimer()
        if self._settle is not None:
            self._unsettle()
        if self._pause > 0 and self._spell is None:
            self._timer = self.clock.callLater(self._pause, self._paused)
        elif self._queue is not None:
            self.resume()

    def _paused(self) -> None:
        self._timer = None
        self.resume()

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # -- what the module says

    def _read(self, reader: LineReader) -> None:
        """
        Take what has come. Nothing is sent meanwhile: what came with a result can't answer the line that follows it.
        """
        self._reading = True
        try:
            while self._readLine(reader):
                pass
        finally:
            self._reading = False
        command = self._running
        if command is not None and command.mayPrompt:
            prompt = reader.prompt()
            if prompt is not None:
                self.transport.write(command.reply(prompt))
        if reader.doubtful and self._settle is None:
            self._settle = self.clock.callLater(NUMERIC_SETTLE, self._settled)
        elif self._settle is not None and not reader.doubtful:
            self._unsettle()
        if self._queue is not None:
            self.resume()

    def _readLine(self, reader: LineReader) -> bool:
        """
        Take one line; tell whether there may be another.
        """
        command = self._running
        try:
            if command is not None and command.missing:
                octets = reader.block(command.missing)
                if octets is None:
                    return False
                command.octets += octets
                command.missing = 0
            line = reader.next() if command is None else reader.next(command.longest, command.echo)
        except PeerViolation as violation:
            self._broken(violation)
            return True
        if line is None:
            return False
        if self._head and self._completed(line.decode("latin-1")):
            return True
        if command is not None:
            self._answer(command, line)
        elif self._resync is not None:
            self._probed(self._resync, line)
        else:
            self._unasked(line)
        return True

    def _tell(self, text: str) -> None:
        """
        A notice; one of two lines is told when it is whole.
        """
        if isHead(text):
            self._head = text
        else:
            self._notice(text)

    def _completed(self, line: str) -> bool:
        """
        A line comes while a notice lacks its second one; tell whether it is that.
        """
        head, self._head = self._head, ""
        isWhole = isSecond(line)
        self._notice(f"{head}\n{line}" if isWhole else head)
        return isWhole

    def _settled(self) -> None:
        self._settle = None
        self._reader.settle()
        self._read(self._reader)

    def _unsettle(self) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            settle.cancel()

    def _answer(self, command: PeerCommand, line: bytes) -> None:
        """
        A line that comes while a command runs.
        """
        left = command.withoutEcho(line)
        if left is None:
            return
        line = left
        if command.endedBy(line):
            reason = reasonOf(line)
            if reason is not None:
                self._fail(command, CommandFailed(command.line.shown, reason))
            elif command.error is not None:
                self._fail(command, command.error)
            elif command.protocol is not None:
                self._fail(command, PeerViolation(f"{command.line.shown} was answered by OK, not by CONNECT"))
            else:
                self._release()
                command.succeed(Response(tuple(command.lines), line.decode("ascii"), command.octets))
            return
        if isConnect(line):
            self._connected(command)
            return
        if command.announcedBy(line):
            self._announced(command, line)
            return
        text = line.decode("latin-1")
        if self._awaited is not None and self._awaited.announcedBy(line):
            # the line that was sent last has become data, or is lost
            self._fail(command, LineSwallowed(command.line.shown))
            self._begun(self._awaited, line)
            return
        if not command.line.owns(text, self._wanted()):
            self._tell(text)
            return
        try:
            command.add(text)
        except PeerViolation as violation:
            self._broken(violation)

    def _unasked(self, line: bytes) -> None:
        """
        A line that comes while no command runs.
        """
        if isConnect(line):
            self._stray()
        elif self._awaited is not None and self._awaited.announcedBy(line):
            self._begun(self._awaited, line)
        elif isFinal(line) and line != _NO_CARRIER and noticeName(line.decode("latin-1")) not in self._wanted():
            # the answer to something that was given up: who knows what follows
            self._doubtful = True
        else:
            self._tell(line.decode("latin-1"))

    # -- data

    def _begun(self, command: PeerCommand, line: bytes) -> None:
        """
        What was awaited is there: the command has the wire again.
        """
        self._awaited = None
        self._running = command
        self._announced(command, line)

    def _announced(self, command: PeerCommand, line: bytes) -> None:
        """
        The data of a command follow; its result comes behind them.
        """
        phase, command.phase = command.phase, None
        assert phase is not None
        self._stopTimer()
        rest = self._reader.rest(line.isdigit())
        self._spell = phase
        phase.announced(self.transport, rest is None)
        self.dataReceived(rest or b"")

    def resultWithin(self, seconds: float) -> None:
        """
        The data of a command are at their end, so that its result must come. Called by its L{DataPhase}.

        @param seconds: that it may take.
        """
        assert self._running is not None
        self._running.seconds = seconds
        self._stopTimer()
        self._timer = self.clock.callLater(seconds, self._expired)

    def dataEnded(self, behind: bytes) -> None:
        """
        The data of a command are at their end, as their L{DataPhase} has found out by itself.

        @param behind: what has come behind them.
        """
        self._spell = None
        self.dataReceived(behind)

    def _broken(self, violation: PeerViolation) -> None:
        """
        What comes can't be read: fail what runs, and find the beginning of an answer again before the next line.
        """
        self._log.warn("the module broke the protocol: {what}", what=violation.what)
        self._doubtful = True
        if self._running is not None:
            self._fail(self._running, violation)
        elif self._resync is not None:
            self._resync.spoil()

    # -- finding the beginning of an answer

    def _probe(self) -> None:
        """
        Ask for a lone OK.
        """
        resync = self._resync
        assert resync is not None
        self._reader.clear()
        self._timer = self.clock.callLater(RESYNC_WAIT, self._judged)
        self.transport.write(resync.begin())

    def _probed(self, resync: Resync, line: bytes) -> None:
        """
        A line that comes while the beginning of an answer is looked for.
        """
        if isConnect(line):
            self._stray()
        elif self._awaited is not None and self._awaited.announcedBy(line):
            self._resync = None
            self._begun(self._awaited, line)
        elif isFinal(line):
            if resync.result(line) and self._timer is not None:
                self._timer.reset(RESYNC_QUIET)
        elif resync.isNotice(line, self._wanted()):
            self._tell(line.decode("latin-1"))

    def _judged(self) -> None:
        self._timer = None
        resync = self._resync
        assert resync is not None
        if resync.found:
            self._resync = None
            self._doubtful = False
            self.resume()
        elif self._queue is None:
            # nobody waits any more; the line stays doubtful
            self._resync = None
        elif not resync.hopeless:
            self._probe()
        else:
            self._log.warn("the module gives no sensible answer any more; the connection is closed")
            self._resync = None
            self.abort()
