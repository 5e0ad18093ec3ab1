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
from atrunproto.at.errors import Misuse
from atrunproto.http import Call, Refusal, Reply, Route, Routes
from atrunproto.secret import Secret

from .dispatcher import QueueFull
from .executions import Answer, Job, Order, State, Via
from .host import Host
from .mobile import Mobile, makeMobile
from .numbers import NumbersFull
from .roster import Module
from .store import ExecutionRecord

#: command lines in one job
MAX_COMMANDS = 100
#: characters of a command line; no product takes more
MAX_LINE = 1024
#: seconds that an execution waits for its module if the job does not say
DEFAULT_DEADLINE = 60.0
#: the same for a job that may go by short message: a modem sends some nine hundred messages in that time (A)
SMS_DEADLINE = 3600.0
#: the longest deadline, 30 days
MAX_DEADLINE = 30 * 86400.0
#: seconds that one command may be given; the longest of the documents (#SGACT, +COPS=?) take three minutes
MAX_TIMEOUT = 3600.0
#: seconds for which C{?wait=} holds a request
MAX_WAIT = 60.0

#: how a job names all modules, and those that have a link just now
ALL, CONNECTED = "all", "connected"

#: what a job may do to the ways that it may take
_BEARERS = {
    Via.TCP: (BearerKind.TCPATRUN_SERVER, BearerKind.LOCAL),
    Via.SMS: (BearerKind.SMS_SIMPLE,),
    Via.ANY: (BearerKind.TCPATRUN_SERVER, BearerKind.LOCAL, BearerKind.SMS_SIMPLE),
}


#: a number in a path; the plus sign may be quoted
_NUMBER = r"/api/numbers/(?:\+|%2[Bb])([0-9]{1,20})"


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
    via: Via = Via.TCP


class NumberRequest(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{POST /api/numbers}.
    """

    number: str
    imei: str = ""
    password: Secret = Secret("")


class NumberView(msgspec.Struct):
    """
    A number, as the interface shows it; a password is told to nobody.
    """

    number: str
    imei: str
    digest: bool
    error: str


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
    number: str


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
    via: Via
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
                Route("GET", "/api/numbers", self.numbers),
                Route("POST", "/api/numbers", self.addNumber),
                Route("GET", _NUMBER, self.number),
                Route("DELETE", _NUMBER, self.removeNumber),
                Route("GET", "/api/sms-gateway", self.gateway),
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

    def numbers(self, call: Call) -> object:
        """
        List the numbers, in order.
        """
        call.query()
        return {"numbers": [_numberView(mobile) for mobile in sorted(self._host.numbers, key=lambda m: m.number)]}

    def number(self, call: Call) -> object:
        """
        Show one number.
        """
        call.query()
        return _numberView(self._mobile(call))

    async def addNumber(self, call: Call) -> object:
        """
        Make the number of a module known.
        """
        call.query()
        body = call.body(NumberRequest)
        try:
            wanted = makeMobile(body.number, body.imei, body.password)
            mobile = await self._host.numbers.add(wanted.number, wanted.imei, wanted.password)
        except Misuse as misuse:
            raise Refusal(400, str(misuse)) from None
        except NumbersFull as full:
            raise Refusal(409, str(full)) from None
        return Reply(_numberView(mobile), 201, {"Location": f"/api/numbers/{mobile.number}"})

    async def removeNumber(self, call: Call) -> object:
        """
        Forget a number.
        """
        call.query()
        mobile = self._mobile(call)
        await self._host.numbers.remove(mobile)
        return _numberView(mobile)

    def gateway(self, call: Call) -> object:
        """
        Show how the SMS gateway is.
        """
        call.query()
        gateway = self._host.gateway
        return {
            "configured": bool(gateway.name),
            "ready": gateway.isReady,
            "underWay": gateway.underWay,
            "waiting": gateway.waiting,
            "discarded": [stray._asdict() for stray in gateway.strays],
        }

    async def submit(self, call: Call) -> object:
        """
        Begin a job.
        """
        call.query()
        body = call.body(JobRequest)
        for number, line in enumerate(body.commands):
            _checkLine(line, f"$.commands[{number}]")
            if not body.force:
                _checkEffect(line, f"$.commands[{number}]", body.via)
        if body.via is not Via.TCP and not self._host.gateway.name:
            raise Refusal(409, "this host has no SMS gateway: start it with --sms-gateway")
        imeis = self._chosen(body.modules, body.via)
        now = self._host.clock.seconds()
        usual = self._deadline if body.via is Via.TCP else max(self._deadline, SMS_DEADLINE)
        deadline = now + (usual if body.deadline is None else body.deadline)
        order = Order(tuple(body.commands), now, deadline, body.timeout, body.safeToRepeat, body.via)
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

    def _named(self, name: str) -> Module:
        """
        Find a module by IMEI or number.
        """
        mobile = self._host.numbers.get(name)
        if mobile is None:
            return self._known(name, 400)
        if not mobile.imei:
            raise Refusal(409, f"the module at {name} has not told its IMEI: {mobile.error or 'it was not asked yet'}")
        return self._known(mobile.imei, 400)

    def _known(self, imei: str, status: int) -> Module:
        module = self._host.roster.get(imei)
        if module is None:
            raise Refusal(status, f"no module with IMEI {imei[:32]!r} is known")
        return module

    def _mobile(self, call: Call) -> Mobile:
        number = "+" + call.path[0]
        mobile = self._host.numbers.get(number)
        if mobile is None:
            raise Refusal(404, f"the number {number} is not known")
        return mobile

    def _chosen(self, names: list[str], via: Via) -> list[str]:
        """
        Resolve what a job names, each module once; by short message those that have a number.
        """
        bySMS = via is Via.SMS
        chosen: dict[str, None] = {}
        for name in names:
            if name in (ALL, CONNECTED):
                for module in self._host.roster:
                    if (name == ALL or module.link is not None) and not (bySMS and module.mobile is None):
                        chosen[module.imei] = None
            else:
                module = self._named(name)
                if bySMS and module.mobile is None:
                    raise Refusal(409, f"no telephone number is known of module {module.imei}")
                chosen[module.imei] = None
        if not chosen and bySMS:
            raise Refusal(409, "no such module has a telephone number")
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


def _checkEffect(line: str, where: str, via: Via) -> None:
    """
    Check that a line does not take the module off the host, since only somebody on the spot could bring it back.

    @raise Refusal: it does (TEL-NOT-07, TEL-NOT-11, TEL-SMS-41 to TEL-SMS-46, TEL-SMS-49, MTS-SER-13).
    """
    for caution in (caution for bearer in _BEARERS[via] for caution in cautions(line, bearer)):
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
        "" if module.mobile is None else module.mobile.number,
    )


def _numberView(mobile: Mobile) -> NumberView:
    return NumberView(mobile.number, mobile.imei, mobile.password is not None, mobile.error)


def _jobView(job: Job, records: list[ExecutionRecord], ended: bool) -> JobView:
    counts = Counter(record.state for record in records)
    return JobView(
        job.id,
        job.commands,
        job.createdAt,
        job.deadlineAt,
        job.timeout,
        job.safeToRepeat,
        job.via,
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
