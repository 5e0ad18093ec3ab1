"""Each pair of state and input, brought about by commands, callers and peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from atrunproto.emulator.names import Names
from atrunproto.ipeasy.lifecycle import SHOWN, TRANSITIONS, Input, State
from atrunproto.ipeasy.module import SocketTable
from atrunproto.testing.emulated import MemoryReactor
from tests.ipeasy.lines import HOST, OWN, PORT, Lines

S, IN = State, Input

connectTCP = MemoryReactor.connectTCP


class Held:
    """An attempt to call the host that waits until it may go on."""

    def __init__(self, begin: Callable[[str], Any]) -> None:
        self._begin = begin
        self._connector: Any = None

    def goOn(self, host: str = HOST) -> None:
        """Connect to this address."""
        self._connector = self._begin(host)

    def disconnect(self) -> None:
        """Give it up."""
        if self._connector is not None:
            self._connector.disconnect()


class Walk(Lines):
    """Brings socket 1 into a state, from port 1, and lets something happen to it; port 2 stays in command mode."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, product: str = "GE865-QUAD") -> None:
        super().__init__(product)
        self.address: Deferred[str] = Deferred()
        monkeypatch.setattr(Names, "resolve", lambda names, name, cid: self.address)
        self.held: list[Held] = []

        def hold(reactor: MemoryReactor, host: str, port: int, *rest: Any, **options: Any) -> Any:
            if port != PORT:
                return connectTCP(reactor, host, port, *rest, **options)
            self.held.append(Held(lambda host: connectTCP(reactor, host, port, *rest, **options)))
            return self.held[-1]

        monkeypatch.setattr(MemoryReactor, "connectTCP", hold)

    @property
    def where(self) -> State:
        """The state of socket 1."""
        return self.emulated.module.part(SocketTable).socket(1).conversation.state

    def connect(self, mode: int = 1) -> None:
        """Begin to dial in a mode, on port 1."""
        self.at[0].say(f'AT#SD=1,0,{PORT},"{HOST}",0,0,{mode}\r'.encode())

    def resolved(self) -> None:
        """Let the host's address be known."""
        address, self.address = self.address, Deferred()
        address.callback(HOST)

    def arrive(self) -> None:
        """Let the attempt go on until it is connected."""
        if self.where is S.RESOLVING:
            self.resolved()
        self.held.pop().goOn()
        self.after(0.1)

    def peer(self, data: bytes = b"data", closes: bool = False) -> None:
        """Let the peer say something or close."""
        end = self.wires[-1]
        if closes:
            end.close()
        else:
            end.say(data)
        self.after(0)

    def call(self) -> None:
        """Let a caller come."""
        self.wires.append(self.emulated.call(OWN))

    def begin(self, state: State) -> None:
        """Come to this state."""
        self.wires = self.host.callers
        if state in (S.LISTENING, S.INCOMING):
            self.listen()
            if state is S.INCOMING:
                self.call()
        elif state is not S.CLOSED:
            self.connect(0 if state is S.ONLINE else 1)
            if state is S.CONNECTING:
                self.resolved()
            elif state is not S.RESOLVING:
                self.arrive()
            if state in (S.PENDING, S.DRAINING):
                self.peer()
            if state is S.DRAINING:
                self.peer(closes=True)
        assert self.where is state

    def failed(self) -> None:
        """Let the attempt fail: there is no such name, or nobody listens."""
        if self.where is S.RESOLVING:
            self.address.errback(DNSLookupError())
        else:
            self.held.pop().goOn("127.0.0.250")
        self.after(0.1)

    def connected(self, mode: int) -> None:
        """Begin an attempt of this mode anew, and let it succeed."""
        self.at[0].close()
        self.at[0] = self.emulated.port(1)
        self.address = Deferred()
        self.connect(mode)
        self.resolved()
        assert self.where is S.CONNECTING
        self.arrive()

    def drained(self) -> None:
        """Let what waits be read; online it has been read before CONNECT was over."""
        if self.where is S.ONLINE:
            self.escape()
            self.peer()
            self.ask("AT#SO=1")
        else:
            self.ask("AT#SRECV=1,1500")

    def shut(self) -> None:
        """#SH, from the other port during an attempt; online no port can give it."""
        if self.where in (S.RESOLVING, S.CONNECTING):
            self.ask("AT#SH=1", 2)
        elif self.where is S.ONLINE:
            self.emulated.module.part(SocketTable).socket(1).conversation.shut()
            self.after(0)
        else:
            self.ask("AT#SH=1")

    def accepted(self) -> None:
        """Take a caller, or be taken by one where the socket answers by itself."""
        if self.where is S.INCOMING:
            self.ask("AT#SA=1")
        else:
            self.ask("AT#SCFGEXT=1,0,0,0,1")
            self.call()


HAPPEN: dict[Input, Callable[[Walk], object]] = {
    IN.DIAL: lambda walk: walk.connect(),
    IN.RESOLVED: Walk.resolved,
    IN.CONNECTED_ONLINE: lambda walk: walk.connected(0),
    IN.CONNECTED_COMMAND: lambda walk: walk.connected(1),
    IN.FAILED: Walk.failed,
    IN.LISTEN: lambda walk: walk.listen(),
    IN.STOP: lambda walk: walk.ask("AT#SL=1,0,1"),
    IN.CALL: Walk.call,
    IN.ACCEPT_ONLINE: Walk.accepted,
    IN.ACCEPT_COMMAND: lambda walk: walk.ask("AT#SA=1,1"),
    IN.SUSPEND: lambda walk: walk.escape(),
    IN.RESUME: lambda walk: walk.ask("AT#SO=1"),
    IN.DATA: lambda walk: walk.peer(),
    IN.DRAINED: Walk.drained,
    IN.SHUT: Walk.shut,
    IN.CLOSED: lambda walk: walk.peer(closes=True),
    IN.LOST: lambda walk: walk.ask("AT#SGACT=1,0", 2),
}


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE910-EUR"])
@pytest.mark.parametrize(("state", "happened"), sorted(TRANSITIONS, key=str), ids=lambda part: part.name)
def test_pair(state: State, happened: Input, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens to a socket leads where the table says, and #SS shows it (TEL-SS-01, TEL-SD-09, TEL-SH-01)."""
    walk = Walk(monkeypatch, product)
    walk.begin(state)
    HAPPEN[happened](walk)
    expected = TRANSITIONS[state, happened]
    if (state, happened) == (S.DRAINING, IN.LOST):
        # the peer has gone before, so that what it said can be read though the context is gone too
        expected = S.DRAINING
    assert walk.where is expected
    # an attempt is shown on xE910-3G alone
    isHidden = SHOWN[expected] > 5 and product == "GE865-QUAD"
    assert walk.state() == (0 if isHidden else SHOWN[expected])


REFUSED = {
    "#SD": (f'AT#SD=1,0,{PORT},"{HOST}"', set(State) - {S.CLOSED, S.DRAINING}),
    "#SL": (f"AT#SL=1,1,{OWN + 1}", set(State) - {S.CLOSED, S.DRAINING}),
    "#SA": ("AT#SA=1", set(State) - {S.INCOMING}),
    "#SO": ("AT#SO=1", set(State) - {S.CLOSED, S.DRAINING}),
    "#SRECV": ("AT#SRECV=1,1", set(State) - {S.PENDING, S.DRAINING}),
    "#SSEND": ("AT#SSEND=1", set(State) - {S.ONLINE, S.SUSPENDED, S.PENDING}),
    "#SCFG": ("AT#SCFG=1,2,300,0,600,1", set(State) - {S.CLOSED, S.DRAINING}),
}


@pytest.mark.parametrize("command", REFUSED)
def test_refused(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't fit a state is refused and changes nothing (TEL-SD-09, TEL-SCF-06, TEL-CMD-18, TEL-EXT-19)."""
    line, states = REFUSED[command]
    for state in sorted(states, key=str):
        walk = Walk(monkeypatch)
        walk.begin(state)
        # from the other port; to a suspended connection that is another reason to be refused
        assert walk.ask(line, 2) == ["ERROR"], state
        assert walk.where is state


def test_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """#ST of xE910-3G tells TCP from UDP, and who dials from who listens, from the attempt on (reference 6.6)."""
    walk = Walk(monkeypatch, "HE910-EUR")
    assert walk.ask("AT#ST") == [*(f"#ST: {connId},0,0" for connId in range(1, 7)), "OK"]
    walk.listen(2)
    assert walk.ask(f"AT#SLUDP=3,1,{OWN}") == ["OK"]
    walk.connect()
    assert walk.ask("AT#ST", 2) == [
        "#ST: 1,1,1",
        "#ST: 2,1,2",
        "#ST: 3,2,2",
        *(f"#ST: {n},0,0" for n in (4, 5, 6)),
        "OK",
    ]
    walk.arrive()
    walk.emulated.call(OWN)
    assert walk.ask("AT#SA=2,1;#ST=2;#ST=1") == ["#ST: 2,1,2", "#ST: 1,1,1", "OK"]
    walk.ask("AT#SH=1;#SH=2")
    walk.at[0].say(f'AT#SD=1,1,{PORT},"{HOST}",0,0,1\r'.encode())
    assert walk.ask("AT#ST=1", 2) == ["#ST: 1,2,1", "OK"]
    walk.resolved()
    assert walk.ask("AT#ST=1;#ST=2", 2) == ["#ST: 1,2,1", "#ST: 2,0,0", "OK"]
    assert walk.ask("AT#ST=?", 2) == ["#ST: (1-6)", "OK"]


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUD"])
def test_noType(product: str) -> None:
    """Other families don't have #ST (reference 6.6)."""
    assert Lines(product).ask("AT#ST") == ["ERROR"]


@pytest.mark.parametrize(("product", "answer"), [("HE863-EUD", []), ("GE865-QUAD", ["#SS: (1-6)"])])
def test_testForm(product: str, answer: list[str]) -> None:
    """The test form of #SS answers OK alone on HE863 (reference 6.6)."""
    lines = Lines(product)
    assert lines.ask("AT#SS=?") == [*answer, "OK"]
    assert len(lines.ask("AT#SS")) == 7
