"""
The controlling side of an AT line: command lines become Deferreds, notices become calls, an online call a transport.

One command line is on the wire at a time; the others wait. Nobody has to tell whether the module echoes or answers in
numbers (ATV0). The terminators S3 and S4 are CR and LF: a client that changes them can't read the answers.
An idle client holds no timer and no container; ten thousand of them are a matter of a few megabytes.

What stands where: octets to lines and whose a line is in L{atrunproto.at.peerlines}, one command's echo, prompt and
answer in L{atrunproto.at.peercommand}, typed calls in L{atrunproto.at.peercalls}, online mode in
L{atrunproto.at.peeronline}. The mirror image is L{atrunproto.at.module}.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .commands import Command
from .errors import ATError, CommandFailed, CommandTimeout, LinkLost, Misuse, PeerViolation
from .peercalls import callText, content, readValues
from .peercommand import RESYNC_QUIET, RESYNC_WAIT, PeerCommand, Resync
from .peerlines import LineReader, Response, bookOf, isConnect, isFinal, noticeName, reasonOf
from .peeronline import ESCAPE_GUARD, PeerTransport
from .results import NO_CARRIER, TELIT, Dialect
from .settings import Key, Values

#: command lines that wait for the wire; whoever has more to say wants a queue of his own
MAX_QUEUED = 1000
#: seconds after which a digit with a lone CR is a result code (ATV0) and not the beginning of CR LF (A)
NUMERIC_SETTLE = 0.05

Listener = Callable[[str], object]
#: a protocol that goes online
Online = TypeVar("Online", bound=IProtocol)
_NO_CARRIER = NO_CARRIER.text.encode("ascii")
_NOBODY: dict[str, tuple[Listener, ...]] = {}


def _valueOf(reason: Failure) -> BaseException:
    assert reason.value is not None
    return reason.value


@implementer(IProtocol)
class ATClient:
    """
    One AT line to a module, as its controlling side sees it.

    (detached) makeConnection: -> command mode; what was queued is sent.
    (command mode) execute, connect: one line on the wire, the others queued.
    (command mode) CONNECT to L{connect}: -> online. A CONNECT that nobody wants is left by the escape sequence.
    (command mode, doubtful after a timeout or garbage) next line: resynchronise first -> command mode, or abort.
    (online) the end of the spell: -> command mode.
    (any) connectionLost: everything waiting fails with L{LinkLost} -> lost.

    @ivar clock: where time comes from.
    @ivar transport: what it sits on.
    """

    _log = Logger()

    __slots__ = (
        "_book",
        "_closing",
        "_dialect",
        "_doubtful",
        "_listeners",
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

    def __init__(
        self,
        clock: IReactorTime,
        rows: Mapping[str, Command] | None = None,
        dialect: Dialect = TELIT,
        pause: float = 0.0,
    ) -> None:
        """
        @param rows: the commands that are known, by name (C{CommandSet.rows} of a product, or merged tables); clients
            that are given the same mapping share what is prepared from it. C{None}: the basic ones.
        @param dialect: the errors of typed calls that are refused before they are sent.
        @param pause: seconds between a final result and the next command line. 0 suits TCP; on a serial line modules
            want 0.02 (reference 1.3).
        """
        self.clock: Any = clock
        self.transport: Any = None
        self._book = bookOf(rows)
        self._dialect = dialect
        self._pause = pause
        self._reader = LineReader()
        self._running: PeerCommand | None = None
        self._queue: deque[PeerCommand] | None = None
        self._timer: IDelayedCall | None = None
        self._settle: IDelayedCall | None = None
        self._resync: Resync | None = None
        self._spell: PeerTransport | None = None
        self._listeners: dict[str, tuple[Listener, ...]] | None = None
        self._whenLost: list[Deferred[BaseException]] | None = None
        self._lost: Failure | None = None
        self._doubtful = False
        self._closing = False
        self._reading = False

    # -- commands

    def execute(
        self, line: str, timeout: float | None = None, data: bytes | None = None, counted: bool | None = None
    ) -> Deferred[Response]:
        """
        Send a command line, and give its answer.

        Cancelling the Deferred of a line that waits removes it; one on the wire keeps the wire until it is answered.

        @param line: with or without C{AT}.
        @param timeout: seconds for the answer once the line is sent; C{None}: as its rows say.
        @param data: what to send at the prompt, without ^Z.
        @param counted: the prompt takes a number of octets, so no ^Z follows the data; C{None}: as known of the
            command. The prompt C{>>>} always does.
        @raise CommandFailed: (by the Deferred) the module answers an error.
        @raise CommandTimeout: (by the Deferred) it doesn't answer in time.
        @raise LinkLost: (by the Deferred) the connection is lost, or is closed already.
        @raise PeerViolation: (by the Deferred) the answer has no end.
        @raise Misuse: (by the Deferred) the line can't be sent, too many wait, or it asks for data and has none.
        """
        try:
            sent = self._book.line(line)
        except Misuse as error:
            return fail(error)
        return self._enter(PeerCommand(sent, timeout, data, counted))

    def connect(
        self, line: str, protocol: Online, timeout: float | None = None, hangUp: str = "ATH"
    ) -> Deferred[Online]:
        """
        Send a command line that leads online; the client then is the transport of the protocol.

        The Deferred fires when the protocol has its transport. Other lines wait until the spell is over.

        @param timeout: as in L{execute}.
        @param hangUp: the command line sent when the protocol has closed its transport (C{"AT#SH=1"}).
        @raise CommandFailed: (by the Deferred) the module answers an error, C{NO CARRIER} included.
        @raise PeerViolation: (by the Deferred) the module answers OK and stays in command mode.
        @see: L{execute} for the other errors.
        """
        try:
            sent = self._book.line(line)
            self._book.line(hangUp)
        except Misuse as error:
            return fail(error)
        command = PeerCommand(sent, timeout)
        command.protocol = protocol
        command.hangUp = hangUp
        return self._enter(command)

    def escape(self, guard: float = ESCAPE_GUARD) -> Deferred[None]:
        """
        Leave online mode by the escape sequence; the call lives on (C{ATO}, C{AT#SO} resume it).

        From now on nothing of what the protocol writes is sent. It is told of its loss by
        L{Escaped<atrunproto.at.online.Escaped>}, or as usual where the module reports the end of the call.

        @param guard: seconds of silence before and after it (S12).
        @return: fires when commands can be sent again.
        @raise Misuse: (by the Deferred) the line isn't online.
        @raise CommandTimeout: (by the Deferred) the module doesn't answer; the next command resynchronises.
        """
        if self._spell is None:
            return fail(Misuse("the line isn't online"))
        return self._spell.escape(guard)

    # -- typed calls

    def call(self, row: Command | str, *values: Any, **named: Any) -> Deferred[Response]:
        """
        Execute or set a command from its row: C{client.call("#SCFG", 1, 1, 300, connTo=600)}.

        The values are checked before a byte is sent. C{None} is an omitted argument.

        @raise CommandFailed: (by the Deferred) as the module, or with the error that it would have given.
        @raise Misuse: (by the Deferred) there is no such row or parameter.
        """
        try:
            return self.execute(callText(self._row(row), values, named, self._dialect))
        except ATError as error:
            return fail(error)

    def read(self, row: Command | str) -> Deferred[Any]:
        """
        Read a setting: its values, or the values by key where it has one.

        @raise PeerViolation: (by the Deferred) the answer doesn't fit the row.
        @raise Misuse: (by the Deferred) there is no such setting.
        """
        try:
            known = self._row(row)
        except Misuse as error:
            return fail(error)
        if not known.isSetting:
            return fail(Misuse(f"{known.name} is no setting; its read form can be executed"))

        def values(response: Response) -> Values | dict[Key, Values]:
            return readValues(known, response.lines)

        return self.execute(f"{known.name}?").addCallback(values)

    def test(self, row: Command | str) -> Deferred[str]:
        """
        Ask for the test form: what stands behind the name, or the empty string where the answer is OK alone.
        """
        try:
            known = self._row(row)
        except Misuse as error:
            return fail(error)

        def text(response: Response) -> str:
            return "\n".join(content(known, line) for line in response.lines)

        return self.execute(f"{known.name}=?").addCallback(text)

    def _row(self, row: Command | str) -> Command:
        if isinstance(row, Command):
            return row
        known = self._book.rows.get(row)
        if known is None:
            raise Misuse(f"no row for {row}")
        return known

    # -- notices

    def onNotice(self, prefix: str, callback: Listener) -> Callable[[], None]:
        """
        Hear of a notice, from now on: C{client.onNotice("SRING", ...)}.

        The callback gets the whole line. Its failures are logged.

        @param prefix: what stands before the colon, or the whole text of a notice without one; the empty string hears
            of all of them.
        @return: a function that ends the subscription; it may be called twice.
        """
        name = noticeName(prefix)
        # an object of its own, so that one callback may be subscribed twice
        entry: list[Listener] = [callback]

        def listener(line: str) -> None:
            for each in entry:
                each(line)

        listeners = self._listeners = self._listeners if self._listeners is not None else {}
        listeners[name] = (*listeners.get(name, ()), listener)

        def cancel() -> None:
            entry.clear()
            left = tuple(each for each in listeners.get(name, ()) if each is not listener)
            if left:
                listeners[name] = left
            else:
                listeners.pop(name, None)

        return cancel

    def _notice(self, text: str) -> None:
        listeners = self._listeners
        if not listeners:
            return
        for listener in (*listeners.get(noticeName(text), ()), *listeners.get("", ())):
            with self._log.failuresHandled("a listener for {notice} failed", notice=noticeName(text)):
                listener(text)

    # -- life

    @property
    def isOnline(self) -> bool:
        """
        Whether a protocol has the line.
        """
        return self._spell is not None

    @property
    def numeric(self) -> bool:
        """
        Whether the module answers in numbers (ATV0), as far as was seen.
        """
        return self._reader.numeric

    def whenLost(self) -> Deferred[BaseException]:
        """
        A Deferred of its own for each call; it fires with the reason (no failure) when the connection is lost.
        """
        lost: Deferred[BaseException] = Deferred()
        if self._lost is not None:
            lost.callback(_valueOf(self._lost))
        elif self._whenLost is None:
            self._whenLost = [lost]
        else:
            self._whenLost.append(lost)
        return lost

    def close(self) -> None:
        """
        Close the connection in an orderly way. What waits is never sent, and fails when the connection is gone.
        """
        self._closing = True
        if self.transport is not None and self._lost is None:
            self.transport.loseConnection()

    def abort(self) -> None:
        """
        Close the connection at once.
        """
        self._closing = True
        if self.transport is not None and self._lost is None:
            getattr(self.transport, "abortConnection", self.transport.loseConnection)()

    # -- the transport

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
            self._spell.received(data)
            return
        reader = self._reader
        reader.feed(data)
        self._read(reader)

    def connectionLost(self, reason: Failure) -> None:
        """
        The connection is gone: everything fails, each with an error that tells whether it was sent.
        """
        self._lost = reason
        running, self._running = self._running, None
        queue, self._queue = self._queue, None
        waiting, self._whenLost = self._whenLost, None
        self._resync = None
        self._stopTimer()
        self._unsettle()
        self._reader.clear()
        if self._spell is not None:
            self._spell.linkLost(reason)
        if running is not None:
            running.fail(LinkLost(running.line.shown, True))
        for command in queue or ():
            command.fail(LinkLost(command.line.shown, False))
        for lost in waiting or ():
            lost.callback(_valueOf(reason))

    # -- the wire

    def _enter(self, command: PeerCommand) -> Deferred[Any]:
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

    def _cancelled(self, deferred: Deferred[Any]) -> None:
        running = self._running
        if running is not None and running.waiting is deferred:
            running.waiting = None
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
            line = reader.next() if command is None else reader.next(command.longest)
        except PeerViolation as violation:
            self._broken(violation)
            return True
        if line is None:
            return False
        if command is not None:
            self._answer(command, line)
        elif self._resync is not None:
            self._probed(self._resync, line)
        else:
            self._unasked(line)
        return True

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
                command.succeed(Response(tuple(command.lines), line.decode("ascii")))
            return
        if isConnect(line):
            self._connected(command)
            return
        text = line.decode("latin-1")
        if not command.line.owns(text, self._listeners or _NOBODY):
            self._notice(text)
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
        elif isFinal(line) and line != _NO_CARRIER:
            # the answer to something that was given up: who knows what follows
            self._doubtful = True
        else:
            self._notice(line.decode("latin-1"))

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
        elif isFinal(line):
            if resync.result(line) and self._timer is not None:
                self._timer.reset(RESYNC_QUIET)
        elif resync.isNotice(line, self._listeners or _NOBODY):
            self._notice(line.decode("latin-1"))

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

    # -- online mode

    def _connected(self, command: PeerCommand) -> None:
        """
        CONNECT: what follows is data.
        """
        if command.protocol is None or command.waiting is None:
            self._stray()
            self._fail(command, Misuse(f"{command.line.shown} went online; that is what connect() is for"))
            return
        rest = self._reader.rest()
        protocol = command.protocol
        spell = self._spell = PeerTransport(self, self.transport, protocol, command.line.shown, command.hangUp)
        self._release()
        spell.start(rest is None)
        command.succeed(protocol)
        if rest and self._spell is spell:
            spell.received(rest)

    def _stray(self) -> None:
        """
        The module went online and nobody wants it: leave again, and hang up.
        """
        self._doubtful = True
        self._resync = None
        self._stopTimer()
        rest = self._reader.rest()
        self._spell = PeerTransport(self, self.transport, Protocol(), "", "ATH")
        self._spell.start(rest is None)
        self._spell.abortConnection()

    def onlineEnded(self, sure: bool, hangUp: str) -> None:
        """
        The spell is over; called by it, before anybody is told. L{resume} follows when everybody is.

        @param sure: the module is in command mode.
        @param hangUp: the command line that ends the call; empty: it has ended, or lives on.
        """
        self._spell = None
        if not sure:
            self._doubtful = True
        if hangUp and self._lost is None:
            if self._queue is None:
                self._queue = deque()
            self._queue.appendleft(PeerCommand(self._book.line(hangUp)))
