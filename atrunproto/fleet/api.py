"""
The host's HTTP/JSON interface: which routes there are and what they take and give.

The manual is C{docs/reference/host.md}.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import msgspec

from atrunproto import __version__
from atrunproto.at.advice import cautions
from atrunproto.at.bearer import BearerKind
from atrunproto.http import Call, Refusal, Reply, Route, Routes
from atrunproto.secret import Secret

from .dispatcher import QueueFull
from .executions import Answer, Job, Order, State
from .host import Host
from .roster import Module
from .store import ExecutionRecord

#: command lines in one job
MAX_COMMANDS = 100
#: characters of a command line; no product takes more
MAX_LINE = 1024
#: seconds that an execution waits for its module if the job does not say
DEFAULT_DEADLINE = 60.0
#: the longest deadline, 30 days
MAX_DEADLINE = 30 * 86400.0
#: seconds that one command may be given; the longest of the documents (#SGACT, +COPS=?) take three minutes
MAX_TIMEOUT = 3600.0
#: seconds for which C{?wait=} holds a request
MAX_WAIT = 60.0

#: how a job names all modules, and those that have a link just now
ALL, CONNECTED = "all", "connected"


class JobRequest(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{POST /api/jobs}.
    """

    commands: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_COMMANDS)]
    modules: Annotated[list[str], msgspec.Meta(min_length=1)]
    timeout: Annotated[float, msgspec.Meta(gt=0, le=MAX_TIMEOUT)] | None = None
    deadline: Annotated[float, msgspec.Meta(gt=0, le=MAX_DEADLINE)] | None = None
    safeToRepeat: bool = False
    force: bool = False


class ModuleView(msgspec.Struct):
    """
    A module, as the interface shows it.
    """

    imei: str
    model: str
    revision: str
    connected: bool
    reached: str
    address: str
    firstSeen: float
    lastSeen: float
    queued: int


class ExecutionView(msgspec.Struct):
    """
    An execution, as the interface shows it.
    """

    imei: str
    state: State
    attempts: int
    seconds: float | None
    error: str
    answers: tuple[Answer, ...]


class JobView(msgspec.Struct):
    """
    A job, as the interface shows it.
    """

    id: int
    commands: tuple[str, ...]
    createdAt: float
    deadlineAt: float
    timeout: float | None
    safeToRepeat: bool
    ended: bool
    counts: dict[str, int]
    executions: list[ExecutionView]


class API:
    """
    The routes of a host.
    """

    def __init__(self, host: Host, token: Secret, deadline: float = DEFAULT_DEADLINE) -> None:
        """
        @param deadline: seconds that an execution waits for its module if the job does not say.
        """
        self._host = host
        self._deadline = deadline
        self.resource = Routes(
            [
                Route("GET", "/api/health", self.health, free=True),
                Route("GET", "/api/modules", self.modules),
                Route("GET", "/api/modules/([^/]+)", self.module),
                Route("POST", "/api/jobs", self.submit),
                Route("GET", "/api/jobs/([0-9]{1,18})", self.job),
            ],
            token,
        )

    def health(self, call: Call) -> object:
        """
        Tell whether the host works; whoever watches over it needs no token for that.
        """
        call.query()
        failing = self._host.ledger.failing
        return Reply({"status": "store failing" if failing else "ok", "version": __version__}, 503 if failing else 200)

    def modules(self, call: Call) -> object:
        """
        List the modules, by IMEI.
        """
        call.query()
        return {"modules": [_moduleView(module) for module in sorted(self._host.roster, key=lambda m: m.imei)]}

    def module(self, call: Call) -> object:
        """
        Show one module.
        """
        call.query()
        return _moduleView(self._known(call.path[0], 404))

    async def submit(self, call: Call) -> object:
        """
        Begin a job.
        """
        call.query()
        body = call.body(JobRequest)
        for number, line in enumerate(body.commands):
            _checkLine(line, f"$.commands[{number}]")
            if not body.force:
                _checkEffect(line, f"$.commands[{number}]")
        imeis = self._chosen(body.modules)
        now = self._host.clock.seconds()
        deadline = now + (self._deadline if body.deadline is None else body.deadline)
        order = Order(tuple(body.commands), now, deadline, body.timeout, body.safeToRepeat)
        try:
            job = await self._host.dispatcher.submit(order, imeis)
        except QueueFull as full:
            raise Refusal(503, str(full)) from None
        return Reply({"id": job.id, "executions": len(imeis)}, 201, {"Location": f"/api/jobs/{job.id}"})

    async def job(self, call: Call) -> object:
        """
        Show a job as it is stored, if wanted when it has ended.
        """
        seconds = call.query("wait").seconds("wait", 0, MAX_WAIT)
        number = int(call.path[0])
        await self._host.dispatcher.whenEnded(number, seconds)
        # Asked before the store is read: what has ended by now is stored.
        ended = not self._host.dispatcher.isOpen(number)
        found = await self._host.store.readJob(number)
        if found is None:
            raise Refusal(404, f"there is no job {number}")
        return _jobView(*found, ended)

    def _known(self, imei: str, status: int) -> Module:
        module = self._host.roster.get(imei)
        if module is None:
            raise Refusal(status, f"no module with IMEI {imei[:32]!r} is known")
        return module

    def _chosen(self, names: list[str]) -> list[str]:
        """
        Resolve what a job names, each module once.
        """
        chosen: dict[str, None] = {}
        for name in names:
            if name in (ALL, CONNECTED):
                for module in self._host.roster:
                    if name == ALL or module.link is not None:
                        chosen[module.imei] = None
            else:
                chosen[self._known(name, 400).imei] = None
        if not chosen:
            raise Refusal(409, "no module is connected" if CONNECTED in names else "no module is known yet")
        return list(chosen)


def _checkLine(line: str, where: str) -> None:
    """
    Check that a text is one command line.

    @raise Refusal: with what is wrong with it.
    """
    if line[:2].upper() != "AT":
        raise Refusal(400, f"a command line begins with AT - at `{where}`")
    if len(line) > MAX_LINE:
        raise Refusal(400, f"a command line has at most {MAX_LINE} characters - at `{where}`")
    if not (line.isascii() and line.isprintable()):
        raise Refusal(400, f"a command line is printable ASCII, without CR or LF - at `{where}`")


def _checkEffect(line: str, where: str) -> None:
    """
    Check that a line does not take the module off the host, since only somebody on the spot could bring it back.

    @raise Refusal: it does (TEL-NOT-07, TEL-NOT-11).
    """
    for caution in cautions(line, BearerKind.TCPATRUN_SERVER):
        raise Refusal(409, f"{caution}; `force` runs it all the same - at `{where}`")


def _moduleView(module: Module) -> ModuleView:
    return ModuleView(
        module.imei,
        module.model,
        module.revision,
        module.link is not None,
        module.reached,
        module.address,
        module.firstSeen,
        module.lastSeen,
        len(module.queue or ()),
    )


def _jobView(job: Job, records: list[ExecutionRecord], ended: bool) -> JobView:
    counts = Counter(record.state for record in records)
    return JobView(
        job.id,
        job.commands,
        job.createdAt,
        job.deadlineAt,
        job.timeout,
        job.safeToRepeat,
        ended,
        {state.value: counts[state] for state in State},
        [
            ExecutionView(
                record.imei,
                record.state,
                record.attempts,
                None
                if record.finishedAt is None or record.startedAt is None
                else round(record.finishedAt - record.startedAt, 6),
                record.error,
                record.answers,
            )
            for record in records
        ],
    )
