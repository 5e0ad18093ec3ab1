"""
The dispatcher: takes jobs, hands each module its executions one after the other, and sees each of them to its end.

The order of things is what makes C{unknown} honest: claimed, stored as running, and only then sent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Sequence
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from atrunproto.at.errors import ATError, CommandFailed, LinkLost, Misuse

from .executions import Answer, Event, Execution, Job, Order, State, Via
from .gateway import Gateway
from .ledger import Ledger
from .links import Link, Reached, Response
from .roster import Module, Roster
from .store import Store

#: executions of all jobs that may wait at a time; it bounds the memory that jobs can take (about 300 bytes each)
MAX_QUEUED = 1_000_000


#: seconds that modules have to call in when a host starts, before anything that may also wait for them costs a message
CALL_IN_SECONDS = 60.0

#: what a connection takes; what goes by short message to a module that is connected, and to one that is not
_TCP, _SMS_BESIDE, _SMS_ALONE = frozenset([Via.TCP, Via.ANY]), frozenset([Via.SMS]), frozenset([Via.SMS, Via.ANY])


class QueueFull(Exception):
    """
    More executions wait than the host is willing to hold.
    """


class _OpenJob:
    """
    A job that has not ended, and who waits for its end.
    """

    __slots__ = ("deadline", "executions", "left", "waiting")

    def __init__(self, executions: list[Execution]) -> None:
        self.executions = executions
        self.left = len(executions)
        self.deadline: IDelayedCall | None = None
        self.waiting: list[Deferred[None]] = []


class Dispatcher:
    """
    Runs jobs on the modules of a roster.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: Store, ledger: Ledger, roster: Roster, gateway: Gateway) -> None:
        self._clock = clock
        self._store = store
        self._ledger = ledger
        self._roster = roster
        self._gateway = gateway
        self._jobs: dict[int, _OpenJob] = {}
        self._stopping = False
        #: runs while modules may be calling in
        self._callingIn: IDelayedCall | None = None
        #: executions that have not ended
        self.unsettled = 0

    # Jobs

    async def submit(self, order: Order, imeis: Sequence[str]) -> Job:
        """
        Store a job and begin it.

        @param imeis: modules of the roster, each once.
        @raise QueueFull: if too many executions wait already.
        """
        if self.unsettled + len(imeis) > MAX_QUEUED:
            raise QueueFull(f"{self.unsettled} executions wait already, {MAX_QUEUED} may")
        self.unsettled += len(imeis)
        try:
            job = await self._store.addJob(order, imeis)
        except BaseException:
            self.unsettled -= len(imeis)
            raise
        executions = [Execution(job, imei) for imei in imeis]
        if not self._stopping:
            self._open(job, executions)
        return job

    def isOpen(self, number: int) -> bool:
        """
        Tell whether something of a job is still to be done.
        """
        return number in self._jobs

    def whenEnded(self, number: int, seconds: float) -> Deferred[None]:
        """
        Fire when a job has ended, at the latest after some seconds; at once for a job that has ended before.
        """
        ended: Deferred[None] = Deferred()
        opened = self._jobs.get(number)
        if opened is None or self._stopping or seconds <= 0:
            ended.callback(None)
            return ended
        opened.waiting.append(ended)
        late = self._clock.callLater(seconds, ended.callback, None)

        def over(result: object) -> object:
            if late.active():
                late.cancel()
            if ended in opened.waiting:
                opened.waiting.remove(ended)
            return result

        ended.addBoth(over)
        return ended

    def resume(self, executions: Sequence[Execution]) -> None:
        """
        Take over what the store found unsettled: what was running is unknown now, what waited goes on waiting.
        """
        now = self._clock.seconds()
        if self._gateway.name:
            self._callingIn = self._clock.callLater(CALL_IN_SECONDS, self._calledIn)
        jobs: dict[int, list[Execution]] = {}
        for execution in executions:
            if execution.state is State.RUNNING:
                execution.apply(Event.LOST, now, "the host ended while it ran")
                self._write(execution)
            if execution.state is State.UNKNOWN and not self._repeatable(execution, now):
                continue
            if execution.state is State.UNKNOWN:
                execution.apply(Event.REPEATED, now, execution.error)
                self._write(execution)
            jobs.setdefault(execution.job.id, []).append(execution)
        states = Counter(execution.state for execution in executions)
        if executions:
            self._log.info(
                "from the last run: {queued} executions wait, {unknown} are unknown",
                queued=states[State.QUEUED],
                unknown=states[State.UNKNOWN],
            )
        for waiting in jobs.values():
            self.unsettled += len(waiting)
            self._open(waiting[0].job, waiting)

    def _calledIn(self) -> None:
        self._callingIn = None
        for module in self._roster:
            self.next(module)

    def _open(self, job: Job, executions: list[Execution]) -> None:
        opened = self._jobs[job.id] = _OpenJob(executions)
        opened.deadline = self._clock.callLater(
            max(job.deadlineAt - self._clock.seconds(), 0), self._expire, job, opened
        )
        for execution in executions:
            module = self._roster.expect(execution.imei)
            if module.queue is None:
                module.queue = deque()
            module.queue.append(execution)
            self.next(module)

    def _expire(self, job: Job, opened: _OpenJob) -> None:
        now = self._clock.seconds()
        for execution in opened.executions:
            module = self._roster.expect(execution.imei)
            # One that was withdrawn a moment ago is in no queue: once that is stored, _ended sees to the rest.
            if execution.state is State.QUEUED and module.queue is not None and execution in module.queue:
                module.queue.remove(execution)
                self._expired(execution, module, now)

    def _expired(self, execution: Execution, module: Module, now: float) -> None:
        waited = round(execution.job.deadlineAt - execution.job.createdAt, 3)
        reason = self._obstacle(module, execution.job.via)
        execution.apply(Event.EXPIRED, now, execution.error or f"{reason} for {waited:g} s")
        self._write(execution).addCallback(self._settled, execution)

    def _obstacle(self, module: Module, via: Via) -> str:
        """
        Why something could not be sent.
        """
        isReachable = via is not Via.SMS and module.link is not None
        if not isReachable:
            if via is Via.TCP or (via is Via.ANY and module.mobile is None):
                return "not connected"
            if module.mobile is None:
                return "without a telephone number"
            if not self._gateway.isReady:
                return "without an SMS gateway"
        return "busy with other jobs"

    def _settled(self, _: None, execution: Execution) -> None:
        self.unsettled -= 1
        execution.answers = ()
        number = execution.job.id
        opened = self._jobs[number]
        opened.left -= 1
        if opened.left:
            return
        del self._jobs[number]
        if opened.deadline is not None and opened.deadline.active():
            opened.deadline.cancel()
        waiting, opened.waiting = opened.waiting, []
        for ended in waiting:
            ended.callback(None)

    # Executions

    def next(self, module: Module) -> None:
        """
        Give each link of a module that is free its next execution. The two ways do not wait for each other: an
        execution over a connection waits for those before it that may take a connection, and one by short message for
        those that may take messages.
        """
        if not module.queue or self._stopping:
            return
        link, bySMS = module.link, _SMS_ALONE if self._callingIn is None else _SMS_BESIDE
        if link is not None and not link.closing:
            bySMS = _SMS_BESIDE
            if not link.taken:
                self._claim(module, link, _TCP)
        mobile = module.mobile
        if mobile is None or not any(execution.job.via in bySMS for execution in module.queue or ()):
            return
        link = self._gateway.linkTo(mobile, partial(self.next, module))
        if link is not None:
            self._claim(module, link, bySMS)

    def _claim(self, module: Module, link: Link, ways: Container[Via]) -> None:
        queue = module.queue
        assert queue is not None
        execution = next((each for each in queue if each.job.via in ways), None)
        if execution is None:
            return
        queue.remove(execution)
        if not queue:
            # An empty deque is 600 bytes, and thousands of modules have nothing to do.
            module.queue = None
        link.taken = True
        execution.apply(Event.CLAIMED, self._clock.seconds())
        self._write(execution).addCallback(self._begin, module, link, execution)

    def _begin(self, _: None, module: Module, link: Link, execution: Execution) -> None:
        if link.closing or self._stopping:
            self._end(module, link, execution, Event.WITHDRAWN, link.closing, ())
            return
        link.running = Deferred.fromCoroutine(self._run(module, link, execution))
        link.running.addErrback(lambda failure: self._log.failure("running an execution", failure))
        if link.running.called:
            link.running = None

    async def _run(self, module: Module, link: Link, execution: Execution) -> None:
        answers: list[Answer] = []
        event, error = Event.SUCCEEDED, ""
        for command in execution.job.commands:
            begun = self._clock.seconds()
            try:
                response: Response = await link.client.execute(command, timeout=execution.job.timeout)
            except CommandFailed as failed:
                answers.append(Answer(command, (), str(failed.reason), self._clock.seconds() - begun))
                event, error = Event.REFUSED, str(failed)
                break
            except LinkLost as lost:
                event, error = Event.LOST, str(lost)
                if not lost.sent and not answers:
                    event = Event.WITHDRAWN
                link.closing = link.closing or error
                break
            except CancelledError:
                event, error = Event.LOST, link.closing
                break
            except Misuse as misuse:
                # Not to be sent like this: it asks for data, or leads online.
                answers.append(Answer(command, (), str(misuse), self._clock.seconds() - begun))
                event, error = Event.REFUSED, str(misuse)
                break
            except ATError as unclear:
                event, error = Event.LOST, str(unclear)
                break
            except Exception:
                self._log.failure("running a command on module {imei}", imei=module.imei)
                event, error = Event.LOST, "an error of the host; see its log"
                break
            answers.append(Answer(command, response.lines, response.result, self._clock.seconds() - begun))
        link.running = None
        if link.reached is not Reached.SMS:
            module.lastSeen = self._clock.seconds()
        elif event is Event.SUCCEEDED:
            module.lastSeen = self._clock.seconds()
            self._ledger.writeModule(module.record())
        self._end(module, link, execution, event, error, tuple(answers))

    def _end(
        self, module: Module, link: Link, execution: Execution, event: Event, error: str, answers: tuple[Answer, ...]
    ) -> None:
        execution.apply(event, self._clock.seconds(), error, answers)
        self._write(execution).addCallback(self._ended, module, link, execution)

    def _ended(self, _: None, module: Module, link: Link, execution: Execution) -> None:
        link.release()
        now = self._clock.seconds()
        if execution.state is State.UNKNOWN and not self._stopping and self._repeatable(execution, now):
            execution.apply(Event.REPEATED, now, execution.error)
            self._write(execution)
        if execution.state is State.QUEUED:
            if now < execution.job.deadlineAt or self._stopping:
                self._queueFirst(module, execution)
            else:
                self._expired(execution, module, now)
        else:
            self._settled(None, execution)
        self.next(module)

    def _queueFirst(self, module: Module, execution: Execution) -> None:
        if module.queue is None:
            module.queue = deque()
        module.queue.appendleft(execution)

    def _repeatable(self, execution: Execution, now: float) -> bool:
        return execution.job.safeToRepeat and now < execution.job.deadlineAt

    def _write(self, execution: Execution) -> Deferred[None]:
        return self._ledger.write(execution)

    # End

    def stop(self) -> None:
        """
        Take nothing more from the queues; what is queued stays so, for the next start.
        """
        self._stopping = True
        if self._callingIn is not None:
            self._callingIn.cancel()
            self._callingIn = None
        for opened in self._jobs.values():
            if opened.deadline is not None and opened.deadline.active():
                opened.deadline.cancel()
            waiting, opened.waiting = opened.waiting, []
            for ended in waiting:
                ended.callback(None)
