"""
What stands round an AT instance in these tests: a module, a memory, a bearer, a channel, and a bench of commands.

The bench is the shortest way to talk: C{Bench().say(b"AT+CSQ\\r")} gives what comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeVar, cast

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.basic import commands as basic
from atrunproto.at.bearer import Bearer, BearerKind, Jam
from atrunproto.at.commands import CommandSet, CommandTable, refusedOver
from atrunproto.at.editing import RawPrompt, TextPrompt
from atrunproto.at.errors import Abandoned
from atrunproto.at.module import ATInstance
from atrunproto.at.online import ChannelTransport, Online
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, NO_CARRIER, TELIT, cmsReason, refuse
from atrunproto.at.settings import Settings, Stored

Part = TypeVar("Part")


class FakeMemory:
    """Non-volatile memory in a dictionary; it can be made to fail."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.broken = False

    def get(self, name: str) -> Any:
        """The value kept under this name."""
        return self.kept.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a value, or fail as a full memory does."""
        if self.broken:
            raise refuse(CME[23])
        if value is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = value


class FakeModule:
    """The surroundings of an instance: time stands still unless it is advanced."""

    def __init__(self, memory: FakeMemory | None = None) -> None:
        self.clock: Any = Clock()
        self.memory = memory or FakeMemory()
        self.settings = Settings({}, self.memory)
        self.durations: dict[str, float] = {}
        #: the instance that has a data call, if any
        self.calling: int | None = None

    def part(self, kind: type[Part]) -> Part:
        """Nothing has been built in here."""
        raise KeyError(kind)

    def duration(self, name: str) -> float:
        """As long as the test says; else no time."""
        return self.durations.get(name, 0.0)

    def dataCall(self, apartFrom: int) -> bool:
        """Whether another instance has the data call."""
        return self.calling not in (None, apartFrom)

    def isTied(self, cid: int) -> bool:
        """There are no sockets here."""
        return False

    def limit(self, name: str) -> int:
        """A product without limits of its own."""
        return 100

    def identify(self, what: str) -> str:
        """A product that consists of its questions."""
        return what


class FakeBearer(Bearer):
    """A bearer whose rules are attributes, and that counts what it is told."""

    def __init__(self, kind: BearerKind = BearerKind.TCPATRUN_SERVER) -> None:
        self.kind = kind
        self.seconds = 0.0
        self.most: float | None = None
        self.queueing = False
        self.escapeInOneChunk = False
        self.echoes = True
        self.isInteractive = True
        self.told: list[str] = []

    def delay(self) -> float:
        """The pause before each line."""
        return self.seconds

    def limit(self) -> float | None:
        """How long a line may run."""
        return self.most

    def expired(self) -> None:
        """Count it."""
        self.told.append("expired")

    def queues(self) -> bool:
        """Whether early lines are kept."""
        return self.queueing

    def jammed(self, jam: Jam) -> None:
        """Note how."""
        self.told.append(f"jammed {jam.value}")

    def finished(self) -> None:
        """Count it."""
        self.told.append("finished")


class FakeTransport(StringTransport):
    """Memory as a transport that has a bearer and a DCD line."""

    def __init__(self, bearer: Bearer | None = None) -> None:
        super().__init__()
        if bearer is not None:
            self.bearer = bearer
        self.carriers: list[bool] = []

    def setCarrier(self, on: bool) -> None:
        """Drive DCD."""
        self.carriers.append(on)


@implementer(IProtocol)
class FakeChannel:
    """A channel that remembers what it hears."""

    def __init__(self) -> None:
        self.transport: ChannelTransport | None = None
        self.received = b""
        self.lost: list[Failure] = []
        self.greeting = b""

    def makeConnection(self, transport: Any) -> None:
        """Say the greeting, if there is one."""
        self.transport = transport
        if self.greeting:
            transport.write(self.greeting)

    def connectionMade(self) -> None:
        """Nothing more to do."""

    def dataReceived(self, data: bytes) -> None:
        """Remember it."""
        self.received += data

    def connectionLost(self, reason: Failure) -> None:
        """Remember the reason."""
        self.lost.append(reason)


class Calls:
    """What the commands of the bench go online with, and what they have heard."""

    def __init__(self) -> None:
        self.online: list[Online] = []
        self.hungUp = 0
        self.data: list[bytes] = []

    def resumable(self, channel: FakeChannel, **facts: Any) -> Online:
        """An online spell that ATO can go on with and ATH can end."""

        def hangUp() -> None:
            self.hungUp += 1

        def resume() -> Online:
            return self.resumable(channel, **facts)

        return Online(channel, resume=resume, hangUp=hangUp, **facts)


def benchTable(calls: Calls) -> CommandTable:
    """The commands of the bench, one for each thing that an instance can do."""
    table = CommandTable("bench")

    @table.action("+CSQ")
    def quality(at: ATInstance) -> str:
        return "+CSQ: 20,0"

    @table.action("+LIST")
    def several(at: ATInstance) -> list[str]:
        return ["+LIST: 1", "+LIST: 2", "+LIST: 3"]

    @table.action("#LOST")
    def lost(at: ATInstance) -> object:
        return NO_CARRIER

    @table.action("#DENY", Int("n", 0, 999, default=3))
    def deny(at: ATInstance, n: int) -> None:
        raise refuse(cmsReason(n) if 300 <= n <= 500 else CME[n])

    @table.action("#BREAK")
    def broken(at: ATInstance) -> None:
        raise RuntimeError("a bug")

    @table.action("#SLOW", Int("n", 0, 99, default=1))
    async def slow(at: ATInstance, n: int) -> str:
        await at.takes("#SLOW")
        return f"#SLOW: {n}"

    @table.action("#ABORT")
    async def abort(at: ATInstance) -> str:
        async def step() -> str:
            await at.takes("#SLOW")
            return "done"

        outcome = await at.abortable(step(), isAbortable=True)
        calls.data.append((outcome or "aborted").encode())
        await at.takes("#LAST")
        return f"#ABORT: {outcome or 'aborted'}"

    @table.action("#SLOWDENY")
    async def slowDeny(at: ATInstance) -> None:
        await at.takes("#SLOW")
        raise refuse(CME[30])

    @table.action("#SLOWBREAK")
    async def slowBroken(at: ATInstance) -> None:
        await at.takes("#SLOW")
        raise RuntimeError("a bug")

    @table.action("#STUBBORN")
    async def stubborn(at: ATInstance) -> None:
        try:
            await at.takes("#SLOW")
        finally:
            raise RuntimeError("a bug")

    @table.action("#DEAF")
    async def deaf(at: ATInstance) -> str:
        try:
            await at.takes("#SLOW")
        except CancelledError:
            await at.takes("#LAST")
        return "#DEAF: late"

    @table.action("#LEAVEANDWAIT")
    async def leaveAndWait(at: ATInstance) -> str:
        at.detach()
        await at.takes("#SLOW")
        return "#LEAVEANDWAIT: late"

    @table.action("#TEXTANDLEAVE")
    async def textAndLeave(at: ATInstance) -> None:
        calls.data.append(await at.prompt(TextPrompt(10)))
        at.detach()

    @table.action("#TEXT", Int("limit", 0, 9999, default=10))
    async def text(at: ATInstance, limit: int) -> str:
        try:
            data = await at.prompt(TextPrompt(limit))
        except Abandoned:
            calls.data.append(b"abandoned")
            raise
        calls.data.append(data)
        await at.takes("#TEXT")
        return f"#TEXT: {len(data)}"

    @table.action("#SAY", Int("limit", 0, 9999, default=160), Int("code", 0, 999, default=0))
    async def say(at: ATInstance, limit: int, code: int) -> None:
        reader = TextPrompt(limit, again=True)
        try:
            data = await at.prompt(reader)
        except Abandoned:
            calls.data.append(b"dropped")
            return
        calls.data.append(data)
        if code or reader.surplus:
            raise refuse(cmsReason(code or 305))

    @table.action("#RAW", Int("count", 1, 9999, default=4))
    async def raw(at: ATInstance, count: int) -> str:
        data = await at.prompt(RawPrompt(count, ">>>", idle=30.0))
        calls.data.append(data)
        return f"#RAW: {len(data)}"

    @table.action("#CALL")
    def call(at: ATInstance) -> Online:
        return calls.online.pop(0)

    @table.action("#SLOWCALL")
    async def slowCall(at: ATInstance) -> Online:
        await at.takes("#SLOW")
        return calls.online.pop(0)

    @table.action("#LEAVE")
    def leave(at: ATInstance) -> None:
        at.detach()

    @table.action("#NOTHERE", limits=(refusedOver(BearerKind.TCPATRUN_SERVER),))
    def notHere(at: ATInstance) -> None:
        """Refused over the service."""

    @table.action("#ARGS", Text("first"), Int("second", 0, 9, default=7), Text("third", default="none"))
    def args(at: ATInstance, first: str, second: int, third: str) -> str:
        return f"#ARGS: {first}|{second}|{third}"

    table.setting("#PAIR", Int("a", 0, 5, default=1), Int("b", 10, 20, default=10), stored=Stored.NVM, shared=True)
    table.setting("#NAME", Text("name", 8, default=""), stored=Stored.EXTENDED)
    table.setting(
        "#CONN",
        Int("size", 0, 1500, default=300, absent=0),
        key=Int("connId", 1, 3),
        stored=Stored.NVM,
        shared=True,
        factories={2: (200,)},
    )
    table.setting("+DEF", Text("apn", default=""), key=Int("cid", 1, 5), definable=True, stored=Stored.NVM, shared=True)
    table.setting("#PASS", Text("word", default="", secret=True))
    return table


class Bench:
    """
    An instance on a transport in memory, with the commands of V.250 and of the bench.

    @ivar at: the instance.
    @ivar transport: what it sits on.
    @ivar calls: what its commands use.
    """

    def __init__(
        self,
        bearer: Bearer | None = None,
        longest: int = 400,
        memory: FakeMemory | None = None,
        dialect: Any = TELIT,
        tables: Iterable[CommandTable] | None = None,
        without: Iterable[str] = (),
        number: int = 1,
    ) -> None:
        self.calls = Calls()
        self.commands = CommandSet(dialect, [basic, benchTable(self.calls)] if tables is None else tables, without)
        self.module = FakeModule(memory)
        self.module.settings = Settings(self.commands.rows, self.module.memory)
        self.module.settings.load()
        self.at = ATInstance(number, self.commands, self.module, longest)
        self.transport: Any = FakeTransport(bearer)
        self.at.makeConnection(self.transport)

    @property
    def clock(self) -> Clock:
        """The time of the module."""
        return cast(Clock, self.module.clock)

    def heard(self) -> bytes:
        """What has come from the instance since the last look."""
        said: bytes = self.transport.value()
        self.transport.clear()
        return said

    def say(self, data: bytes) -> bytes:
        """Send something and give what comes back at once."""
        self.at.dataReceived(data)
        return self.heard()

    def after(self, seconds: float) -> bytes:
        """Let time pass and give what has come back by then."""
        self.clock.advance(seconds)
        return self.heard()

    def goOnline(self, resumable: bool = True, **facts: Any) -> FakeChannel:
        """Go online on a new channel, and give it."""
        channel = FakeChannel()
        self.calls.online.append(self.calls.resumable(channel, **facts) if resumable else Online(channel, **facts))
        assert self.say(b"AT#CALL\r").endswith(b"\r\nCONNECT\r\n")
        return channel


def quiet(*args: Any, **facts: Any) -> Bench:
    """A bench with echo off."""
    bench = Bench(*args, **facts)
    bench.say(b"ATE0\r")
    return bench


def pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """A stream cut into chunks at these places, as a transport may."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[low:high] for low, high in pairwise(edges)]
