"""Doubles for the tests of the host: a client without a wire, a worker without a thread, a host on a Clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from atrunproto.at.errors import CommandFailed, LinkLost
from atrunproto.at.peerlines import Response
from atrunproto.at.results import PLAIN_ERROR
from atrunproto.fleet.executions import Job, Order, Via
from atrunproto.fleet.host import Host
from atrunproto.fleet.mobile import Mobile
from atrunproto.fleet.store import ExecutionRecord, SQLiteStore
from atrunproto.smsatrun.digest import Password
from atrunproto.testing.emulated import MemoryModule
from atrunproto.testing.link import MemoryLink

P = ParamSpec("P")
T = TypeVar("T")

IMEI = "356938035643809"
OTHER = "356938035643817"
NUMBER = "+393351234567"
OTHER_NUMBER = "+393357654321"
IDENTIFY = "AT+CGSN;+CGMM;+CGMR"


class FakeClient:
    """
    The other end of a link; a test says what it answers.

    @ivar lines: the command lines that were sent, in order.
    """

    transport: Any = None

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.timeouts: list[float | None] = []
        self.pending: list[tuple[str, Deferred[Response]]] = []
        self.closed = self.aborted = False
        self._lost: list[Deferred[Any]] = []
        self._isLost = False
        #: whether the connection stays open though it was closed, as with a peer that is gone
        self.halfOpen = False

    def execute(self, line: str, timeout: float | None = None) -> Deferred[Response]:
        answer: Deferred[Response] = Deferred()
        if self._isLost:
            answer.errback(LinkLost(line, False))
            return answer
        self.lines.append(line)
        self.timeouts.append(timeout)
        self.pending.append((line, answer))
        return answer

    def answer(self, *lines: str) -> None:
        """Answer the oldest command with lines and OK."""
        self.pending.pop(0)[1].callback(Response(lines, "OK"))

    def refuse(self) -> None:
        """Answer the oldest command with ERROR."""
        line, answer = self.pending.pop(0)
        answer.errback(CommandFailed(line, PLAIN_ERROR))

    def fail(self, error: Exception) -> None:
        """Fail the oldest command."""
        self.pending.pop(0)[1].errback(error)

    def whenLost(self) -> Deferred[Any]:
        lost: Deferred[Any] = Deferred()
        if self._isLost:
            lost.callback(None)
        else:
            self._lost.append(lost)
        return lost

    def close(self) -> None:
        self.closed = True
        if not self.halfOpen:
            self.lose()

    def abort(self) -> None:
        self.aborted = True
        self.lose()

    def lose(self, sent: bool = True) -> None:
        """End the connection."""
        if self._isLost:
            return
        self._isLost = True
        pending, self.pending = self.pending, []
        for line, answer in pending:
            if not answer.called:
                answer.errback(LinkLost(line, sent))
        lost, self._lost = self._lost, []
        for deferred in lost:
            deferred.callback(Failure(LinkLost("", False)))


class Request(NamedTuple):
    """A command line that went out by short message."""

    number: str
    line: str
    password: Password | None
    timeout: float
    answer: Deferred[Any]


class FakeRunner:
    """
    The modem for short messages; a test says what comes back.

    @ivar sent: all that went out, in order.
    @ivar pending: what has no answer.
    """

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.pending: list[Request] = []

    def run(
        self, number: str, line: str, password: Password | None = None, hat: bool = False, timeout: float = 1.0
    ) -> Deferred[Any]:
        request = Request(number, line, password, timeout, Deferred())
        self.sent.append(request)
        self.pending.append(request)
        return request.answer

    def answer(self, *lines: str) -> None:
        """Answer the oldest request with lines and OK."""
        self.pending.pop(0).answer.callback(Response(lines, "OK"))

    def fail(self, error: Exception) -> None:
        """Fail the oldest request."""
        self.pending.pop(0).answer.errback(error)

    def lines(self) -> list[tuple[str, str]]:
        """Number and line of all that was sent."""
        return [(request.number, request.line) for request in self.sent]


@implementer(IStreamClientEndpoint)
class Port:
    """An endpoint that leads to an emulated module's AT port, the first one unless told otherwise."""

    def __init__(self, emulated: MemoryModule, number: int = 1) -> None:
        self.emulated = emulated
        self.number = number
        self.links: list[MemoryLink] = []
        #: whether there is nobody to connect to, or nobody who answers, or nobody ever connects
        self.isAway = self.isSilent = self.isSlow = False
        self.tries = self.lost = 0
        #: what the way does to what the module says
        self.through: Callable[[bytes], bytes] = bytes
        #: what somebody has typed before
        self.before = b""

    def oneLost(self, reason: BaseException) -> None:
        self.lost += 1

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        self.tries += 1
        if self.isSlow:
            return Deferred()
        if self.isAway:
            return fail(ConnectionRefusedError())
        protocol: Any = factory.buildProtocol(None)  # type: ignore[arg-type]
        port = self.emulated.module.portFactory(self.number).buildProtocol(None)
        link = MemoryLink(self.emulated.clock, port, protocol)
        link.module.silent = self.isSilent
        link.module.through = self.through
        self.links.append(link)
        link.peer.write(self.before)
        link.pump()
        protocol.whenLost().addCallback(self.oneLost)
        return succeed(protocol)


class InlineWorker:
    """Runs a store's calls at once, in the test's own thread."""

    def start(self) -> None: ...

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return maybeDeferred(call, *args, **kwargs)

    def stop(self) -> None: ...


class Fleet:
    """
    A host on a Clock, with a store in a file.
    """

    def __init__(
        self,
        path: str,
        clock: Clock | None = None,
        maxStrangers: int = 100,
        gateway: str = "",
        mobiles: Sequence[Mobile] = (),
    ) -> None:
        if clock is None:
            clock = Clock()
            clock.advance(1_000_000)
        self.clock = clock
        self.store = SQLiteStore(path, InlineWorker())
        self.host = Host(self.clock, self.store, maxStrangers, gateway, mobiles)
        self.host.startService()
        self.settle()

    def settle(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(20):
            self.clock.advance(0)

    def runner(self) -> FakeRunner:
        """Have the gateway come up."""
        runner = FakeRunner()
        self.host.gateway.opened(runner)
        self.settle()
        return runner

    def number(self, number: str, imei: str = IMEI, password: Password | None = None) -> Mobile:
        """Make a module's number known."""
        added = Deferred.fromCoroutine(self.host.numbers.add(number, imei, password))
        self.settle()
        mobile = added.result
        assert isinstance(mobile, Mobile)
        return mobile

    def call(self, port: int = 40000) -> FakeClient:
        """Have somebody call in who has said nothing yet."""
        client = FakeClient()
        self.host.reception.dialledIn(client, IPv4Address("TCP", "10.0.0.5", port))
        return client

    def connect(self, imei: str = IMEI, port: int = 40000) -> FakeClient:
        """Have a module call in and tell who it is; what it was sent for that is forgotten."""
        client = self.call(port)
        client.answer(imei, "HE910", "12.00.004")
        del client.lines[:], client.timeouts[:]
        self.settle()
        return client


class FleetTestCase(SynchronousTestCase):
    """
    Gives jobs to a host, and reads what has become of them.

    @ivar via: the way of a job that doesn't say.
    @ivar deadline: how long it may wait.
    """

    fleet: Fleet
    via = Via.TCP
    deadline = 60.0

    def submit(
        self,
        *commands: str,
        imeis: tuple[str, ...] = (IMEI,),
        via: Via | None = None,
        timeout: float | None = None,
        safeToRepeat: bool = False,
        deadline: float | None = None,
    ) -> Job:
        now = self.fleet.clock.seconds()
        order = Order(commands, now, now + (deadline or self.deadline), timeout, safeToRepeat, via or self.via)
        job = self.successResultOf(Deferred.fromCoroutine(self.fleet.host.dispatcher.submit(order, imeis)))
        self.fleet.settle()
        return job

    def stored(self, job: Job, imei: str = IMEI) -> ExecutionRecord:
        """Read an execution from the disk, as another process would."""
        found = self.successResultOf(self.fleet.store.readJob(job.id))
        assert found is not None
        return next(record for record in found[1] if record.imei == imei)
