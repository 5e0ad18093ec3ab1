"""
How an AT instance runs a command line: one command after the other, each with the time that it takes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from types import CoroutineType
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from .bearer import LOCAL
from .commands import Broken, Command, CommandSet, Invocation
from .editing import REPEAT, TOO_LONG
from .errors import Abandoned, CommandFailed, Misuse
from .grammar import bodyOf
from .online import Online
from .port import ATPort
from .results import OK, PLAIN_ERROR, Later, ResultCode, asLines
from .settings import Settings
from .surroundings import Part, Surroundings

Result = TypeVar("Result")


class CommandRunner(ATPort):
    """
    An instance as far as it runs command lines; its only kind is L{ATInstance<atrunproto.at.module.ATInstance>}.

    (command mode) a line: its commands are run -> command mode, or busy where one of them has to wait.
    (busy) the command is done: the rest of the line -> command mode, or busy.
    (busy) the command fails: its error -> command mode.
    (busy, command mode) a command goes online: -> online, which is the instance's affair.

    @ivar commands: what it can run.
    @ivar settings: those that are its own.
    @ivar selectedRegister: the S register that C{AT?} and C{AT=} mean.
    @ivar answered: when a line was last answered by its final result, in seconds on the clock.
    """

    __slots__ = (
        "_body",
        "_cmee",
        "_limitCall",
        "_pending",
        "_running",
        "answered",
        "commands",
        "dialect",
        "selectedRegister",
        "settings",
    )

    def __init__(self, number: int, commands: CommandSet, module: Surroundings, longest: int = 400) -> None:
        """
        @param longest: octets of a command line.
        """
        super().__init__(number, module, longest)
        self.commands = commands
        self.dialect = commands.dialect
        self.settings = Settings(commands.rows, module.memory)
        self.selectedRegister = 0
        self.answered = float("-inf")
        self._body = b""
        self._pending: tuple[Sequence[Invocation | Broken], int] = ((), 0)
        self._running: Deferred[Any] | None = None
        self._limitCall: IDelayedCall | None = None
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
        self._echo = self.bearer.echoes and (bool(settings.value("E")) if "E" in rows else True)
        self._cmee = int(settings.value("+CMEE")) if "+CMEE" in rows else 0
        s3 = settings.value("S3") if "S3" in rows else 13
        s4 = settings.value("S4") if "S4" in rows else 10
        self._editor.s3 = s3
        self._editor.s5 = settings.value("S5") if "S5" in rows else 8
        verbose = bool(settings.value("V")) if "V" in rows else True
        quiet = bool(settings.value("Q")) if "Q" in rows else False
        self._framing = self.dialect.framing(verbose, quiet, s3, s4)

    # -- the line

    def runLine(self, line: bytes) -> None:
        """
        Run a command line that has come in one piece: no echo, no editing, no terminator.

        @raise Misuse: it is no command line, or the instance isn't in command mode.
        """
        if self._take != self._takeCommand or bodyOf(line) is None:
            raise Misuse("an instance in command mode runs one command line at a time")
        self._line(b"", line if len(line) <= self._editor.longest else TOO_LONG)

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
            for limit in invocation.limits:
                reason = limit(self)  # type: ignore[arg-type]
                if reason is not None:
                    self._fail(reason)
                    return
            if invocation.__class__ is Broken:
                self._fail(invocation.reason)
                return
            row = invocation.row  # type: ignore[union-attr]
            if row.jams is not None:
                jam = row.jams(self.bearer.kind, invocation.arguments)  # type: ignore[union-attr]
                if jam is not None:
                    self.bearer.jammed(jam)
            try:
                answer = invocation.handler(self, *invocation.arguments)  # type: ignore[union-attr]
            except CommandFailed as error:
                self._fail(error.reason)
                return
            except Exception:
                self._log.failure("{command} failed on instance {instance}", command=row.name, instance=self.number)
                self._fail(PLAIN_ERROR)
                return
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
        if isinstance(answer, Later):
            self._leave(self._out)
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
        self.answered = self.module.clock.seconds()
        self._leave(output)

    def _leave(self, output: bytes) -> None:
        """
        A line is done: the next one may come.
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

    # -- going online

    def _goOnline(self, online: Online) -> None:
        """
        A handler has asked for online mode.
        """
        raise NotImplementedError

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

    def say(self, line: str) -> None:
        """
        Write a line of the answer now, while the command runs on.
        """
        self._out += self._framing.information([line])
        self._flush()

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

    def _stop(self) -> None:
        """
        Return to command mode; what runs is cancelled.
        """
        self._cancelLimit()
        running, self._running = self._running, None
        prompting = self._endPrompt()
        super()._stop()
        self._take = self._takeCommand
        self._pending = ((), 0)
        for deferred in (None if prompting is None else prompting.done, running):
            if deferred is not None:
                deferred.cancel()
        self._regulate()
