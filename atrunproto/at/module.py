"""
The module's side of an AT line: one AT instance.

It is an L{IProtocol} that outlives the transports it is attached to, one after the other.
What the octets mean at each moment is told by a bound method, C{_take}:

    - C{_takeCommand}: command mode, collecting a line;
    - C{_takeBusy}: a command runs; what comes is lost, or queued where the bearer says so;
    - C{_takePrompt}: a command waits for data;
    - L{ChannelTransport.received}: online, everything goes to the channel but the escape sequence.

A handler gets the instance (C{at}) and the converted arguments.
It may return C{None}, a line, several lines, a final L{ResultCode} of its own, or an L{Online}; or a coroutine that
gives one of these.
It raises what L{refuse<atrunproto.at.results.refuse>} makes to answer an error.
It may C{await at.prompt(...)} and C{await at.takes(name)}. It never writes to a transport.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from types import CoroutineType
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .bearer import LOCAL, Bearer
from .commands import Broken, Command, CommandSet, Invocation
from .editing import REPEAT, TOO_LONG, LineEditor, Prompt
from .errors import Abandoned, CommandFailed
from .grammar import bodyOf
from .online import ChannelTransport, Escaped, LineDropped, Online, Unplugged
from .results import NO_CARRIER, OK, PLAIN_ERROR, Framing, ResultCode, asLines
from .settings import Settings
from .surroundings import Part, Surroundings

Result = TypeVar("Result")

#: what an instance tells unasked: a line, a code, or what makes the lines at the time
Notice = str | ResultCode | Callable[[], Iterable[str]]

#: notices held back while a command runs or the instance is online; the oldest are dropped beyond
NOTICES_HELD = 64
#: octets of early lines kept under #TCPATCMDSEQ=1; beyond, the transport is paused (TEL-GAP-15)
QUEUED = 16384


@implementer(IProtocol)
class ATInstance:
    """
    One AT instance of a module.

    @ivar number: 1 to 3.
    @ivar bearer: the rules of the transport it sits on now.
    """

    _log = Logger()

    __slots__ = (
        "_abort",
        "_body",
        "_channelFull",
        "_cmee",
        "_deaf",
        "_dropped",
        "_echo",
        "_editor",
        "_framing",
        "_limitCall",
        "_notices",
        "_out",
        "_outputFull",
        "_pending",
        "_prompt",
        "_promptCall",
        "_promptDone",
        "_queued",
        "_running",
        "_spell",
        "_suspended",
        "_take",
        "bearer",
        "commands",
        "dialect",
        "module",
        "number",
        "selectedRegister",
        "settings",
        "transport",
    )

    def __init__(self, number: int, commands: CommandSet, module: Surroundings, longest: int = 400) -> None:
        """
        @param longest: octets of a command line.
        """
        self.number = number
        self.commands = commands
        self.dialect = commands.dialect
        self.module = module
        self.settings = Settings(commands.rows, module.memory)
        self.transport: Any = None
        self.bearer: Bearer = LOCAL
        self.selectedRegister = 0
        self._editor = LineEditor(longest)
        self._body = b""
        self._out = b""
        self._take: Callable[[bytes], None] = self._takeCommand
        self._pending: tuple[Sequence[Invocation | Broken], int] = ((), 0)
        self._running: Deferred[Any] | None = None
        self._queued = b""
        self._abort: Deferred[Any] | None = None
        self._outputFull = False
        self._channelFull = False
        self._deaf = False
        self._notices: deque[Notice] | None = None
        self._dropped = 0
        self._limitCall: IDelayedCall | None = None
        self._prompt: Prompt | None = None
        self._promptDone: Deferred[bytes] | None = None
        self._promptCall: IDelayedCall | None = None
        self._spell: ChannelTransport | None = None
        self._suspended: Online | None = None
        self.settingsChanged()

    # -- settings

    def settingsOf(self, row: Command) -> Settings:
        """
        Where the values of a setting are: with the module, or with this instance.
        """
        return self.module.settings if row.shared else self.settings

    def part(self, kind: type[Part]) -> Part:
        """
        The module's one object of this class.
        """
        return self.module.part(kind)

    def value(self, name: str) -> Any:
        """
        The value of a setting, wherever it belongs.
        """
        return self.settingsOf(self.commands.rows[name]).value(name)

    def settingsChanged(self) -> None:
        """
        Take over the settings that rule how the line is read and answered.
        """
        settings, rows = self.settings, self.commands.rows
        self._echo = bool(settings.value("E")) if "E" in rows else True
        self._cmee = int(settings.value("+CMEE")) if "+CMEE" in rows else 0
        s3 = settings.value("S3") if "S3" in rows else 13
        s4 = settings.value("S4") if "S4" in rows else 10
        self._editor.s3 = s3
        self._editor.s5 = settings.value("S5") if "S5" in rows else 8
        verbose = bool(settings.value("V")) if "V" in rows else True
        quiet = bool(settings.value("Q")) if "Q" in rows else False
        self._framing: Framing = self.dialect.framing(verbose, quiet, s3, s4)

    # -- the transport

    def makeConnection(self, transport: Any) -> None:
        """
        Attach the instance to a transport.
        """
        self.transport = transport
        self._deaf = False
        self.bearer = getattr(transport, "bearer", LOCAL)
        transport.registerProducer(self, True)

    def connectionMade(self) -> None:
        """
        Nothing: an instance says nothing by itself.
        """

    def dataReceived(self, data: bytes) -> None:
        """
        Octets from the DTE.
        """
        self._take(data)

    def connectionLost(self, reason: Failure) -> None:
        """
        The transport is gone; the instance lives on.
        """
        self.transport = None
        self._stop()
        self.bearer = LOCAL

    def detach(self) -> None:
        """
        Leave the transport: what runs is cancelled, what was typed is forgotten, an online channel is lost.
        """
        self._stop()
        transport, self.transport = self.transport, None
        self.bearer = LOCAL
        if transport is not None:
            transport.unregisterProducer()

    def _stop(self) -> None:
        """
        Return to command mode with nothing under way.
        """
        if self._spell is not None:
            self.leaveOnline(self._spell, Failure(Unplugged()), None)
        self._cancelLimit()
        self._editor.clear()
        self._queued = self._out = b""
        self._outputFull = False
        self._notices = None
        running, self._running = self._running, None
        done, self._promptDone = self._promptDone, None
        self._endPrompt()
        self._take = self._takeCommand
        self._pending = ((), 0)
        for deferred in (done, running):
            if deferred is not None:
                deferred.cancel()
        self._regulate()

    def stop(self) -> None:
        """
        The power goes: forget everything that isn't a setting.
        """
        self._stop()
        self._body = b""
        suspended = self.takeSuspended()
        if suspended is not None and suspended.hangUp is not None:
            suspended.hangUp()

    def getPeer(self) -> IAddress | None:
        """
        Who is on the other end of the transport.
        """
        peer: IAddress | None = None if self.transport is None else self.transport.getPeer()
        return peer

    def pauseProducing(self) -> None:
        """
        The transport can't take more output: stop reading, so that no more of it comes about.
        """
        self._outputFull = True
        self._regulate()

    def resumeProducing(self) -> None:
        """
        The transport has room again.
        """
        self._outputFull = False
        if self._notices and self._take == self._takeCommand:
            self._tellNotices()
        self._early()
        self._regulate()

    def stopProducing(self) -> None:
        """
        The transport takes no more output; its end follows.
        """

    def _regulate(self) -> None:
        """
        Read from the DTE as long as there is room for all that may come of it.
        """
        deaf = self._outputFull or self._channelFull or len(self._queued) >= QUEUED
        if deaf == self._deaf or self.transport is None:
            return
        self._deaf = deaf
        if deaf:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    # -- command mode

    def _takeCommand(self, data: bytes) -> None:
        if self._queued:
            self._queued += data
            return
        transport = self.transport
        while data:
            echo, line, data = self._editor.take(data)
            if not self._echo:
                echo = b""
            if line is None:
                if echo:
                    transport.write(echo)
                return
            self._line(echo, line)
            if data and (self._take != self._takeCommand or self.transport is not transport):
                # a command has left the transport: what follows it there is for nobody
                if self.transport is transport:
                    self._take(data)
                return
            if data and self._outputFull:
                # a few octets can ask for a great deal: the next line waits until the DTE has read this answer
                self._queued = data
                return

    def _line(self, echo: bytes, line: bytes) -> None:
        if line[:2] == b"AT" or line[:2] == b"at":
            body: bytes | None = line[2:]
        elif line is TOO_LONG:
            self._finish(echo + self._framing.failure(self.dialect.lineTooLong, self._cmee))
            return
        elif line is REPEAT:
            body = self._body
        else:
            body = bodyOf(line)
        if body is None:
            # not a command line: no answer (V.250 5.2.1)
            if echo:
                self.transport.write(echo)
            return
        if body == b"#/":
            body = self._body
        self._body = body
        self._out = echo
        self._take = self._takeBusy
        bearer = self.bearer
        if bearer is not LOCAL:
            delay = bearer.delay()
            if delay > 0:
                self._pending = (self.commands.prepare(body), -1)
                self._await(deferLater(self.module.clock, delay))
                return
        self._run(self.commands.prepare(body), 0)

    def _run(self, prepared: Sequence[Invocation | Broken], start: int) -> None:
        """
        Run the commands of a line from C{start} on, until one of them has to wait or fails.
        """
        for index in range(start, len(prepared)):
            invocation = prepared[index]
            if invocation.__class__ is Broken:
                self._fail(invocation.reason)
                return
            row = invocation.row  # type: ignore[union-attr]
            for limit in row.limits:
                reason = limit(self)
                if reason is not None:
                    self._fail(reason)
                    return
            try:
                answer = invocation.handler(self, *invocation.arguments)  # type: ignore[union-attr]
            except CommandFailed as error:
                self._fail(error.reason)
                return
            except Exception:
                self._log.failure("{command} failed on instance {instance}", command=row.name, instance=self.number)
                self._fail(PLAIN_ERROR)
                return
            if row.jams is not None and row.jams(self.bearer.kind, invocation.arguments):  # type: ignore[union-attr]
                self.bearer.jammed()
            if answer.__class__ is CoroutineType:
                deferred = Deferred.fromCoroutine(answer)
                if not deferred.called or deferred.paused or isinstance(deferred.result, Failure):
                    self._pending = (prepared, index)
                    self._await(deferred)
                    return
                answer = deferred.result
            if answer is not None and not self._answer(answer, invocation):  # type: ignore[arg-type]
                return
        last = prepared[-1] if prepared else None
        self._finish(self._out + self._framing.result(OK, last is not None and last.isRead))  # type: ignore[union-attr]

    def _answer(self, answer: Any, invocation: Invocation) -> bool:
        """
        Take what a handler has returned; tell whether the line goes on.
        """
        if isinstance(answer, Online):
            self._goOnline(answer)
            return False
        if isinstance(answer, ResultCode):
            self._finish(self._out + self._framing.result(answer))
            return False
        lines = asLines(answer)
        if lines:
            framing = self._framing
            self._out += framing.parameter(lines) if invocation.isRead else framing.information(lines)
        return True

    def _fail(self, reason: Any) -> None:
        self._finish(self._out + self._framing.failure(reason, self._cmee))

    def _finish(self, output: bytes) -> None:
        """
        The final result of a line.
        """
        self._out = b""
        self._abort = None
        self._take = self._takeCommand
        if output and self.transport is not None:
            self.transport.write(output)
        if self._limitCall is not None:
            self._cancelLimit()
        if self.bearer is not LOCAL:
            self.bearer.finished()
        if self._notices and not self._outputFull:
            self._tellNotices()

    # -- commands that take their time

    def takes(self, name: str) -> Deferred[None]:
        """
        Wait as long as this command typically takes: C{await at.takes("#SGACT")}.
        """
        seconds = self.module.duration(name)
        done: Deferred[None] = Deferred()
        if seconds > 0:
            return deferLater(self.module.clock, seconds)
        done.callback(None)
        return done

    def abortable(self, step: Coroutine[Any, Any, Result], isAbortable: bool) -> Deferred[Result | None]:
        """
        Run a step of a command that any character from the DTE aborts; it gives C{None} then.
        """
        running: Deferred[Any] = Deferred.fromCoroutine(step)
        if isAbortable:
            self._abort = running
            running.addBoth(self._stepped, running)
        return running

    def _stepped(self, result: Any, running: Deferred[Any]) -> Any:
        """
        An abortable step is over, by itself or since a character came.
        """
        if self._abort is running:
            self._abort = None
        elif isinstance(result, Failure):
            result.trap(CancelledError)
            return None
        return result

    def _await(self, deferred: Deferred[Any]) -> None:
        """
        A command runs on; go on with the line when it is done.
        """
        if self._take == self._takeCommand:
            # the handler has lost its own line before it first waited
            deferred.addErrback(self._logFailure)
            deferred.cancel()
            return
        self._running = deferred
        if self._limitCall is None and self.bearer is not LOCAL:
            seconds = self.bearer.limit()
            if seconds is not None:
                self._limitCall = self.module.clock.callLater(seconds, self._expire)
        deferred.addCallbacks(self._completed, self._failed, callbackArgs=(deferred,), errbackArgs=(deferred,))
        if self._running is deferred:
            self._flush()

    def _flush(self) -> None:
        if self._out and self.transport is not None:
            self.transport.write(self._out)
            self._out = b""

    def _completed(self, answer: Any, deferred: Deferred[Any]) -> None:
        if self._running is not deferred:
            return
        self._running = None
        prepared, index = self._pending
        # the pause before a line gives None, so an answer belongs to the command at this index
        if answer is not None and not self._answer(answer, prepared[index]):  # type: ignore[arg-type]
            self._early()
            return
        self._run(prepared, index + 1)
        self._early()

    def _failed(self, failure: Failure, deferred: Deferred[Any]) -> None:
        if self._running is not deferred:
            self._logFailure(failure)
            return
        self._running = None
        if isinstance(failure.value, CommandFailed):
            reason = failure.value.reason
        else:
            reason = PLAIN_ERROR
            self._logFailure(failure)
        self._fail(reason)
        self._early()

    def _logFailure(self, failure: Failure) -> None:
        """
        Log the failure of a command, unless it was cancelled, given up or refused.
        """
        if not failure.check(CancelledError, Abandoned, CommandFailed):
            self._log.failure("a command failed on instance {instance}", failure, instance=self.number)

    def _expire(self) -> None:
        self._limitCall = None
        self.bearer.expired()

    def _cancelLimit(self) -> None:
        call, self._limitCall = self._limitCall, None
        if call is not None:
            call.cancel()

    def _takeBusy(self, data: bytes) -> None:
        """
        Lines that come too early: lost, or queued over a bearer that says so (TEL-SEQ-03, TEL-SEQ-04).
        """
        if self._abort is not None:
            # an LF alone still belongs to the CR of the line
            if data != b"\n":
                abort, self._abort = self._abort, None
                abort.cancel()
        elif self.bearer.queues():
            self._queued += data
            self._regulate()

    def _early(self) -> None:
        """
        Take what was queued while a command ran or the output was full: lines, or data for what a command has begun.
        """
        if self._queued and self._take != self._takeBusy:
            queued, self._queued = self._queued, b""
            self._take(queued)
            self._regulate()

    # -- prompts

    def prompt(self, reader: Prompt) -> Deferred[bytes]:
        """
        Ask for data: C{data = await at.prompt(TextPrompt(1024))}.

        The Deferred fails with L{Abandoned} on ESC, and with L{CommandFailed} when the prompt's idle time is over.
        """
        self._prompt = reader
        self._out += self._framing.prompt(reader.text)
        self._flush()
        self._take = self._takePrompt
        self._promptDone = Deferred()
        if reader.idle is not None:
            self._promptCall = self.module.clock.callLater(reader.idle, self._promptIdle)
        done = self._promptDone
        self._early()
        return done

    def _takePrompt(self, data: bytes) -> None:
        prompt, done, transport = self._prompt, self._promptDone, self.transport
        assert prompt is not None
        assert done is not None
        result: bytes | Abandoned | None
        try:
            echo, result, rest = prompt.take(data)
        except Abandoned as given:
            echo, result, rest = given.echo, given, given.rest
        if echo and self._echo:
            transport.write(echo)
        if result is None:
            if self._promptCall is not None and prompt.idle is not None:
                self._promptCall.reset(prompt.idle)
            return
        self._endPrompt()
        if isinstance(result, Abandoned):
            done.errback(result)
        else:
            done.callback(result)
        if rest and self.transport is transport:
            self._take(rest)

    def _endPrompt(self) -> None:
        self._take = self._takeBusy
        self._prompt = self._promptDone = None
        call, self._promptCall = self._promptCall, None
        if call is not None and call.active():
            call.cancel()

    def _promptIdle(self) -> None:
        done = self._promptDone
        assert done is not None
        self._endPrompt()
        done.errback(CommandFailed("", PLAIN_ERROR))

    # -- notices

    def notify(self, notice: Notice) -> bool:
        """
        Tell an unsolicited result code: at once in command mode, else when that is back.

        It waits too where the DTE doesn't read what it gets. Where nobody is attached it is dropped.

        @param notice: a line; or a code of V.250, which has a number under ATV0 (C{RING}, C{NO CARRIER}); or what makes
            the lines when they can be told.
        @return: whether somebody is attached.
        """
        if self.transport is None:
            return False
        if self._take == self._takeCommand and not self._outputFull:
            self._tell(notice)
            return True
        if self._notices is None:
            self._notices = deque(maxlen=NOTICES_HELD)
        if callable(notice) and notice in self._notices:
            # it makes its lines when they are told, so once is enough
            return True
        if len(self._notices) == NOTICES_HELD:
            self._dropped += 1
        self._notices.append(notice)
        return True

    def _tell(self, notice: Notice) -> None:
        framing = self._framing
        if isinstance(notice, str):
            framed = framing.unsolicited(notice)
        elif isinstance(notice, ResultCode):
            framed = framing.result(notice)
        else:
            framed = b"".join([framing.unsolicited(line) for line in notice()])
        if framed:
            self.transport.write(framed)

    def _tellNotices(self) -> None:
        notices, self._notices = self._notices, None
        if self._dropped:
            self._log.warn(
                "{count} notices were dropped on instance {instance}", count=self._dropped, instance=self.number
            )
            self._dropped = 0
        for notice in notices or ():
            self._tell(notice)

    # -- online mode

    @property
    def isOnline(self) -> bool:
        """
        Whether a channel has the line.
        """
        return self._spell is not None

    def answer(self, make: Callable[[ATInstance], Online]) -> bool:
        """
        Go online unasked, where the DTE is in command mode on a local port; a line that it has begun is forgotten.

        @return: whether the instance is online now.
        """
        if self.transport is None or self.bearer is not LOCAL or self._take != self._takeCommand or self._outputFull:
            return False
        self._editor.clear()
        self._goOnline(make(self))
        return True

    def _goOnline(self, online: Online) -> None:
        self._out += self._framing.result(online.announcement)
        self._flush()
        self._cancelLimit()
        self._suspended = None
        spell = self._spell = ChannelTransport(self, online)
        self._take = spell.received
        if self.bearer is not LOCAL:
            self.bearer.finished()
        self._setCarrier(True)
        spell.begin()

    def leaveOnline(self, spell: ChannelTransport, reason: Failure, code: ResultCode | None) -> None:
        """
        End an online spell, if it is the one under way: told to its channel by C{reason}, to the DTE by C{code}.
        """
        if spell is not self._spell:
            return
        transport = self.transport
        if isinstance(reason.value, Escaped) and spell.online.resume is not None:
            self._suspended = spell.online
        self._spell = None
        self._channelFull = False
        self._take = self._takeBusy
        spell.end(reason)
        self._setCarrier(False)
        if code is not None and self.transport is transport:
            self._finish(self._framing.result(code))
            self._regulate()

    def lineRaised(self) -> None:
        """
        DTR has come on: what was told in the meantime and is still held was told to nobody.
        """
        self._notices = None
        self._dropped = 0

    def lineDropped(self) -> None:
        """
        DTR has gone off. What that means is told by &D: 0 nothing, 1 command mode, 2 and 5 the connection is ended.
        """
        mode = self.settings.value("&D") if "&D" in self.commands.rows else 0
        spell = self._spell
        if spell is None or mode not in (1, 2, 5):
            return
        if mode == 1 and (spell.online.survives or spell.online.resume is not None):
            self.leaveOnline(spell, Failure(Escaped()), OK)
        else:
            self.leaveOnline(spell, Failure(LineDropped()), NO_CARRIER)

    def takeSuspended(self) -> Online | None:
        """
        The channel left by an escape, for ATO and ATH to go on with; it is no longer the instance's.
        """
        suspended, self._suspended = self._suspended, None
        return suspended

    def writeOnline(self, data: bytes) -> None:
        """
        Output of the channel.
        """
        if self.transport is not None:
            self.transport.write(data)

    def registerChannelProducer(self, producer: Any, streaming: bool) -> None:
        """
        The channel's producer takes the place of the instance's own.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()
            self.resumeProducing()
            self.transport.registerProducer(producer, streaming)

    def unregisterChannelProducer(self) -> None:
        """
        Give the place back.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()
            self.transport.registerProducer(self, True)

    def setChannelFull(self, isFull: bool) -> None:
        """
        The channel can't take more from the DTE, or has room again.
        """
        self._channelFull = isFull
        self._regulate()

    def _setCarrier(self, on: bool) -> None:
        """
        Show the carrier on DCD where the transport has modem lines; &C0 keeps it on.
        """
        setCarrier = getattr(self.transport, "setCarrier", None)
        if setCarrier is not None:
            follows = self.settings.value("&C") if "&C" in self.commands.rows else 1
            setCarrier(on or follows == 0)
