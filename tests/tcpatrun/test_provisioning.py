"""Making a module reachable, from the host's side."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.at.results import PLAIN_ERROR
from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import Network
from atrunproto.emulator.products import product
from atrunproto.secret import Secret
from atrunproto.tcpatrun.module import State, TCPATRUNService
from atrunproto.tcpatrun.peer import provision
from atrunproto.tcpatrun.peerlogin import Login
from atrunproto.tcpatrun.provisioning import QUALITY_HINT, Provisioning

SERVER = Provisioning(
    apn="internet", logins=[Login("user", Secret("pass"), True)], admitted=[("127.0.0.1", "255.255.255.255")]
)
CLIENT = Provisioning(apn="internet", host=("127.0.0.1", 12345))


@pytest.mark.parametrize(("provisioning", "last"), [(SERVER, "AT#TCPATRUNL=1"), (CLIENT, "AT#TCPATRUND=1")])
def test_order(provisioning: Provisioning, last: str) -> None:
    """Context, socket, service, firewall and login come first, the service last (TEL-CFG-18, TEL-ALR-04)."""
    lines = list(provisioning.lines())
    names = [line[2:].split("=")[0] for line in lines]
    assert names.index("+CGDCONT") < names.index("#SCFG") < names.index("#TCPATRUNCFG") < names.index("#SGACT")
    assert lines[-1] == last
    assert lines[2].endswith(",1")


@pytest.mark.parametrize(("provisioning", "state"), [(SERVER, State.LISTENING), (CLIENT, State.DIALLING)])
def test_accepted(provisioning: Provisioning, state: State) -> None:
    """An emulated module takes each line and becomes reachable (TEL-CFG-18)."""
    reactor = MemoryReactorClock()
    module = EmulatedModule(product("GE865-QUAD"), Network(reactor), reactor, timeScale=0)
    module.powerOn()
    port, transport = module.portFactory(1).buildProtocol(None), StringTransport()
    port.makeConnection(transport)
    for line in ["ATE0", *provisioning.lines()]:
        transport.clear()
        port.dataReceived(line.encode() + b"\r")
        reactor.advance(0)
        assert transport.value().endswith(b"\r\nOK\r\n"), line
    assert module.part(TCPATRUNService).state is state


def test_suggestedQuality() -> None:
    """By default the suggested minimum profile is asked for, which demands nothing (TEL-QOS-08)."""
    assert "AT+CGQMIN=1,0,0,0,0,0" in list(CLIENT.lines())


def test_cautions() -> None:
    """What the documents advise against is said (TEL-ALR-05, TEL-ALR-06)."""
    assert CLIENT.cautions() == []
    risky = Provisioning(apn="internet", host=("127.0.0.1", 1), sending=0, packetSize=100, idle=0)
    assert len(risky.cautions()) == 3


def test_nobodyGetsIn() -> None:
    """Server mode without a login or an admitted host is refused before a line is sent."""
    with pytest.raises(Misuse, match="nobody can get in"):
        list(Provisioning(apn="internet").lines())


class FakeClient:
    """
    A client whose module refuses the activation.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def execute(self, line: str) -> Deferred[None]:
        self.lines.append(line)
        return fail(CommandFailed(line, PLAIN_ERROR)) if line.startswith("AT#SGACT=") else succeed(None)


@pytest.mark.parametrize(("minimum", "hinted"), [((0, 0, 0, 0, 0), False), ((1, 1, 1, 9, 18), True)])
def test_qualityHint(minimum: tuple[int, ...], hinted: bool) -> None:
    """When a module with a minimum profile can't get its context, the host says to ask for less (TEL-QOS-09)."""
    client: Any = FakeClient()
    provisioning = Provisioning(apn="internet", host=("127.0.0.1", 1), minimum=minimum)
    failures: list[Failure] = []
    Deferred.fromCoroutine(provision(client, provisioning)).addErrback(failures.append)
    (failure,) = failures
    assert isinstance(failure.value, CommandFailed)
    assert (QUALITY_HINT in getattr(failure.value, "__notes__", ())) is hinted
    assert client.lines[-1] == "AT#SGACT=1,1"
