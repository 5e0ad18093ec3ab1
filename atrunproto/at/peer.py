"""
The controlling side of an AT line: command lines become Deferreds, notices become calls, an online call a transport.

One command line is on the wire at a time; the others wait. Nobody has to tell whether the module echoes or answers in
numbers (ATV0). The terminators S3 and S4 are CR and LF: a client that changes them can't read the answers.
An idle client holds no timer and no container; ten thousand of them are a matter of a few megabytes.

What stands where: octets to lines and whose a line is in L{atrunproto.at.peerlines}, one command's echo, prompt and
answer in L{atrunproto.at.peercommand}, the queue and the life of the line in L{atrunproto.at.peerwire}, typed calls in
L{atrunproto.at.peercalls}, online mode in L{atrunproto.at.peeronline}. The mirror image is L{atrunproto.at.module}.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.internet.protocol import Protocol

from .commands import Command
from .errors import ATError, LinkLost, Misuse
from .peercalls import callText, content, readValues
from .peercommand import PeerCommand
from .peerlines import Response, noticeName
from .peeronline import PeerTransport
from .peerphase import DataPhase
from .peersending import ESCAPE_GUARD
from .peerwire import PeerWire, valueOf
from .results import TELIT, Dialect
from .settings import Key, Values

Listener = Callable[[str], object]
#: a protocol that goes online
Online = TypeVar("Online", bound=IProtocol)
_NOBODY: dict[str, tuple[Listener, ...]] = {}


class ATClient(PeerWire):
    """
    One AT line to a module, as its controlling side sees it.

    It lives through the states of its wire; a CONNECT that nobody wants is left by the escape sequence.
    """

    __slots__ = ("_dialect", "_listeners")

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
        super().__init__(clock, rows, pause)
        self._dialect = dialect
        self._listeners: dict[str, tuple[Listener, ...]] | None = None

    # -- commands

    def execute(
        self,
        line: str,
        timeout: float | None = None,
        data: bytes | None = None,
        counted: bool | None = None,
        block: Callable[[str], int] | None = None,
        isPrompted: bool = True,
    ) -> Deferred[Response]:
        """
        Send a command line, and give its answer.

        Cancelling the Deferred of a line that waits removes it; one on the wire keeps the wire until it is answered.

        @param line: with or without C{AT}.
        @param timeout: seconds for the answer once the line is sent; C{None}: as its rows say.
        @param data: what to send at the prompt, without ^Z.
        @param counted: the prompt takes a number of octets, so no ^Z follows the data; C{None}: as known of the
            command. The prompt C{>>>} always does.
        @param block: hears each information line when it comes, and tells how many octets follow it as they are, line
            ends and result codes among them; C{Response.data} has them (C{#SRECV}).
        @param isPrompted: C{False}: the module takes the data without a prompt, so that they are sent at once.
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
        command = PeerCommand(sent, timeout, data, counted)
        command.block = block
        command.isPrompted = isPrompted
        return self._enter(command)

    def connect(
        self,
        line: str,
        protocol: Online,
        timeout: float | None = None,
        hangUp: str = "ATH",
        checked: bool = False,
        data: bytes | None = None,
    ) -> Deferred[Online]:
        """
        Send a command line that leads online; the client then is the transport of the protocol.

        The Deferred fires when the protocol has its transport. Other lines wait until the spell is over.

        @param timeout: as in L{execute}.
        @param hangUp: the command line sent when the protocol has closed its transport (C{"AT#SH=1"}).
        @param checked: a NO CARRIER that may be data is checked by an escape sequence, where there are no modem lines
            to tell; if it was data, the protocol hears
            L{FalseAlarm<atrunproto.at.peeronline.FalseAlarm>} and may resume the call. It must write by a streaming
            producer, which is paused meanwhile.
        @param data: as in L{execute}, where a prompt comes before C{CONNECT} (C{#SMTPCL}).
        @raise CommandFailed: (by the Deferred) the module answers an error, C{NO CARRIER} included.
        @raise PeerViolation: (by the Deferred) the module answers OK and stays in command mode.
        @see: L{execute} for the other errors.
        """
        try:
            sent = self._book.line(line)
            self._book.line(hangUp)
        except Misuse as error:
            return fail(error)
        command = PeerCommand(sent, timeout, data)
        command.protocol = protocol
        command.hangUp = hangUp
        command.checked = checked
        return self._enter(command)

    def transfer(self, line: str, phase: DataPhase, timeout: float | None = None) -> Deferred[Response]:
        """
        Send a command line that carries data between an announcement and its result. Other lines wait until then.

        @param timeout: seconds for the announcement, or for the result where none comes; C{None}: as in L{execute}.
        @return: its answer, as of L{execute}; where the data were never announced there are none.
        @see: L{execute} for the errors.
        """
        try:
            command = self._withPhase(line, phase, timeout)
        except Misuse as error:
            return fail(error)
        return self._enter(command)

    def expect(self, line: str, phase: DataPhase) -> Deferred[Response]:
        """
        Await the data of a command line that was answered already; they begin when it suits the module.

        A command that is on the wire at that moment fails by L{LineSwallowed}. Cancelling the Deferred ends the wait.

        @param line: what has led to it, for errors.
        @return: the answer that comes behind the data.
        @raise Misuse: (by the Deferred) other data are awaited, or there can be no such line.
        @raise LinkLost: (by the Deferred) the connection is lost, or is closed already.
        """
        if self._awaited is not None and self._awaited.waiting is not None:
            return fail(Misuse(f"the data of {self._awaited.line.shown} are awaited"))
        try:
            command = self._withPhase(line, phase, None)
        except Misuse as error:
            return fail(error)
        if self._closing or self._lost is not None:
            return fail(LinkLost(command.line.shown, False))
        waiting: Deferred[Response] = Deferred(self._cancelled)
        command.waiting = waiting
        self._awaited = command
        return waiting

    def _withPhase(self, line: str, phase: DataPhase, timeout: float | None) -> PeerCommand:
        command = PeerCommand(self._book.line(line), timeout)
        command.phase = phase
        return command

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
        if not isinstance(self._spell, PeerTransport):
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

        The callback gets the whole line; of a notice that holds a message in PDU mode both, with C{\\n} between them.
        Its failures are logged.

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

    def _wanted(self) -> Collection[str]:
        return self._listeners or _NOBODY

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
        Whether a protocol, or the data of a command, have the line.
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

        Cancel it to hear no more.
        """
        lost: Deferred[BaseException] = Deferred(self._notWaiting)
        if self._lost is not None:
            lost.callback(valueOf(self._lost))
        elif self._whenLost is None:
            self._whenLost = [lost]
        else:
            self._whenLost.append(lost)
        return lost

    def _notWaiting(self, lost: Deferred[BaseException]) -> None:
        if self._whenLost is not None:
            self._whenLost.remove(lost)

    def close(self) -> None:
        """
        Close the connection in an orderly way. What waits is never sent, and fails when the connection is gone.
        """
        self._closing = True
        if self.transport is not None and self._lost is None:
            self.transport.loseConnection()

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
        spell = self._spell = PeerTransport(
            self, self.transport, protocol, command.line.shown, command.hangUp, command.checked
        )
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
