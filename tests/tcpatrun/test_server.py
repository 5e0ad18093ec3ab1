"""Server mode: listening, sessions, notices, and coming back by itself."""

from __future__ import annotations

import pytest
from twisted.internet.error import CannotListenError

from atrunproto.tcpatrun.module import PORT_TAKEN_DELAY
from atrunproto.testing.emulated import MemoryModule
from tests.tcpatrun.service import HOST_PORT, PORT, Service


def test_listens() -> None:
    """Enabled locally, the service listens on the address of its context (TEL-SRV-01, TEL-SRV-02, TEL-CFG-09)."""
    service = Service()
    assert service.ask("AT#SGACT=2,1")[-1] == "ERROR"
    assert service.ask("AT#TCPATRUNL=1") == ["OK"]
    assert service.ask("AT#SS=1;#TCPATRUNL?") == [f"#SS: 1,4,127.0.0.1,{PORT}", "#TCPATRUNL: 1,1", "OK"]
    assert not service.call().isClosed


def test_session() -> None:
    """After the login each command line is run, and its answer comes back (TEL-SRV-05, TEL-CFG-01, TEL-GEN-01)."""
    wire = Service().serve().login()
    assert wire.execute("AT+CREG?") == ["+CREG: 0,1", "OK"]


def test_plainClient() -> None:
    """Nothing but the lines passes: no negotiation of options, no echo until ATE1 asks for it (TEL-SRV-04)."""
    service = Service().serve()
    wire = service.login()
    wire.say(b"AT\r")
    service.emulated.advance(0.1)
    assert wire.heard() == b"\r\nOK\r\n"
    wire.say(b"ATE1\r")
    service.emulated.advance(0.1)
    assert wire.heard() == b"\r\nOK\r\n"
    wire.say(b"AT+CSQ\r\n")
    service.emulated.advance(0.1)
    assert wire.heard() == b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n"


def test_neighbourCells() -> None:
    """#MONI=7 and #MONI give a table of many lines over the service (TEL-SRV-06)."""
    wire = Service("GE865-QUAD").serve().login()
    assert wire.execute("AT#MONI=7") == ["OK"]
    table = wire.execute("AT#MONI")
    assert table[0].startswith("#MONI: Cell  BSIC")
    assert table[1].startswith("#MONI: S 75 55FA 1298 983 -72dbm")
    assert [line.split()[1] for line in table[2:-1]] == ["N1", "N2", "N3", "N4", "N5", "N6"]
    assert table[-1] == "OK"


def test_socketStates() -> None:
    """#SS shows the service listening, then connected with both ends, from either side (TEL-SRV-07, TEL-SS-04)."""
    service = Service().serve()
    assert service.ask("AT#SS=1") == [f"#SS: 1,4,127.0.0.1,{PORT}", "OK"]
    wire = service.login()
    connected = f"#SS: 1,1,127.0.0.1,{PORT},127.0.0.9,40001"
    assert wire.execute("AT#SS=1") == [connected, "OK"]
    assert service.ask("AT#SS=1;#TCPATRUNL?") == [connected, "#TCPATRUNL: 1,1", "OK"]
    wire.close()
    assert service.ask("AT#SS=1")[-2:] == [f"#SS: 1,4,127.0.0.1,{PORT}", "OK"]


def test_notices() -> None:
    """Connection and disconnection are announced where the service was enabled (TEL-SRV-11, TEL-CFG-12, TEL-EXT-07)."""
    service = Service()
    third = service.emulated.port(3)
    assert third.execute("AT#TCPATRUNL=1") == ["OK"]
    wire = service.call(source="127.0.0.77")
    assert third.after(0) == ["#TCPATRUN: 127.0.0.77"]
    wire.close()
    assert third.after(0) == ["#TCPATRUN: <DISCONNECT>"]
    assert service.heard() == []


def test_noticesAfterRestart() -> None:
    """After a restart the notices come to the same instance as before (TEL-SRV-11)."""
    service = Service()
    third = service.emulated.port(3)
    third.execute("AT#TCPATRUNL=1")
    service.restart()
    service.after(10)
    third.after(0)
    service.call().close()
    assert third.after(0) == ["#TCPATRUN: 127.0.0.9", "#TCPATRUN: <DISCONNECT>"]
    assert service.heard() == []


def test_noNotices() -> None:
    """With urcmod 0 connections come and go without a word (TEL-CFG-12)."""
    service = Service(config=f'1,2,{PORT},{HOST_PORT},"127.0.0.1",0').serve()
    service.login().close()
    assert service.after(1) == []


def test_oneCaller() -> None:
    """While one caller is served a second one is refused, and the first doesn't notice (TEL-GAP-14)."""
    service = Service().serve()
    wire = service.login()
    assert service.call("127.0.0.10").isClosed
    assert service.heard() == []
    assert wire.execute("AT") == ["OK"]
    wire.close()
    assert not service.call("127.0.0.10").isClosed


def test_instanceBelongsToTheService() -> None:
    """The instance of the service answers nobody else, and its user again once it is off (TEL-SRV-10, TEL-CFG-08)."""
    service = Service()
    local = service.emulated.port(2)
    assert local.execute("AT") == ["OK"]
    service.serve()
    assert local.say(b"AT\r") == b""
    wire = service.login()
    assert local.say(b"AT#GPIO=2,1,1\r") == b""
    assert wire.execute("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]
    service.do("AT#TCPATRUNL=0")
    assert local.execute("AT") == ["OK"]
    assert service.heard() == ["#TCPATRUN: <DISCONNECT>"]


def test_firstInstance() -> None:
    """On instance 1 the service takes the local port; from another instance it is stopped (TEL-ALR-12, TEL-GEN-07)."""
    service = Service(config=f'1,1,{PORT},{HOST_PORT},"127.0.0.1"')
    second = service.emulated.port(2)
    assert service.ask("AT#TCPATRUNL=1") == ["OK"]
    assert service.at.say(b"AT\r") == b""
    wire = service.call()
    wire.say(b"user\rsecret\r")
    assert wire.execute("AT+CGMM") == ["HE910", "OK"]
    assert service.at.heard() == b""
    assert second.execute("AT#TCPATRUNL=0") == ["OK"]
    service.emulated.advance(1)
    assert wire.isClosed
    assert service.ask("AT") == ["OK"]


@pytest.mark.parametrize("how", ["power", "#REBOOT", "+CFUN=1,1"])
def test_startsByItself(how: str) -> None:
    """Not disabled, the service is there again after a restart without a command (TEL-SRV-08, TEL-CFG-05)."""
    service = Service().serve()
    wire = service.login()
    if how == "power":
        service.restart()
    else:
        service.do(f"AT{how}")
    service.after(20)
    assert wire.isClosed
    assert service.login().execute("AT") == ["OK"]


def test_noContextNoRestart() -> None:
    """Without automatic activation of the context a restart leaves the service waiting for it (TEL-SRV-08)."""
    service = Service(comesBack=False).serve()
    service.restart()
    service.after(600)
    assert service.ask("AT#TCPATRUNL?;#SS=1") == ["#TCPATRUNL: 1,0", "#SS: 1,0", "OK"]
    service.do("AT#SGACT=1,1")
    assert service.login().execute("AT") == ["OK"]


def test_disabledStaysOff() -> None:
    """Once disabled, the service doesn't come back with the next start (TEL-SRV-08)."""
    service = Service().serve()
    service.do("AT#TCPATRUNL=0")
    service.restart()
    service.after(600)
    assert service.ask("AT#TCPATRUNL?") == ["#TCPATRUNL: 0,0", "OK"]
    assert service.call().isClosed


@pytest.mark.parametrize("loss", ["context", "service", "sim", "signal"])
def test_comesBackAfterLoss(loss: str) -> None:
    """What ends a context ends the session; when it is over the service is back (TEL-SRV-09, TEL-CFG-05)."""
    service = Service().serve()
    module, network = service.emulated.module, service.emulated.network
    wire = service.login()
    if loss == "context":
        module.contexts.lose(1)
    elif loss == "service":
        network.setService(False)
    elif loss == "sim":
        module.sim.remove()
    else:
        module.radio.rssi = 99
        module.radioChanged()
    service.emulated.clock.settle()
    assert wire.isClosed
    assert service.call().isClosed
    assert service.ask("AT#SS=1")[-2:] == ["#SS: 1,0", "OK"]
    network.setService(True)
    if loss == "sim":
        module.sim.insert()
    module.radio.rssi = 20
    module.radioChanged()
    service.after(30)
    assert service.login().execute("AT") == ["OK"]


def test_contextBackAtOnce() -> None:
    """A context that is back before its old connection is gone: the service listens all the same."""
    service = Service(timeScale=0.0).serve()
    wire = service.login()
    wire.link.module.silent = True
    wire.say(b"AT\r")
    service.after(0.2)
    service.emulated.module.contexts.lose(1)
    service.emulated.clock.settle()
    assert not wire.isClosed
    service.after(20)
    assert service.login().execute("AT") == ["OK"]


def test_portTaken() -> None:
    """A port that something else has is the module's trouble alone; it listens when the port is free."""
    service = Service()
    taken = service.emulated.clock.listenTCP(PORT, None, interface="127.0.0.1")
    service.serve()
    assert service.ask("AT#TCPATRUNL?;#SS=1") == ["#TCPATRUNL: 1,0", "#SS: 1,0", "OK"]
    taken.stopListening()
    service.after(PORT_TAKEN_DELAY)
    assert service.login().execute("AT") == ["OK"]


def test_portTakenThenOff() -> None:
    """Switched off while its port is taken, the service doesn't try again."""
    service = Service()
    taken = service.emulated.clock.listenTCP(PORT, None, interface="127.0.0.1")
    service.serve()
    service.do("AT#TCPATRUNL=0")
    taken.stopListening()
    service.after(2 * PORT_TAKEN_DELAY)
    assert service.call().isClosed


def test_samePortAtTwoModules() -> None:
    """Two modules listen on the same port, each at its own address."""
    first = Service().serve()
    second = MemoryModule("GE865-QUAD", beside=first.emulated)
    at = second.port()
    for line in (
        'AT+CGDCONT=1,"IP","x"',
        "AT#SGACT=1,1",
        'AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"',
        'AT#TCPATRUNAUTH=1,"user","secret"',
        "AT#TCPATRUNL=1",
    ):
        assert at.execute(line)[-1] == "OK"
    assert at.execute("AT#SS=1") == [f"#SS: 1,4,127.0.0.2,{PORT}", "OK"]
    wire = second.call(PORT, "127.0.0.2")
    wire.say(b"user\rsecret\r")
    assert wire.execute("AT+CGMM") == ["GE865", "OK"]
    assert first.login().execute("AT+CGMM") == ["HE910", "OK"]


def test_powerCutFreesThePort() -> None:
    """A module without power leaves its port, and nothing of it happens later."""
    service = Service().serve()
    service.login()
    service.emulated.module.powerOff()
    service.emulated.advance(1000)
    assert service.emulated.clock.listening == {}
    assert service.emulated.clock.getDelayedCalls() == []


def test_nothingRunsAfterTheCut() -> None:
    """Lines that still arrive on a connection of before a power cut are for nobody."""
    service = Service(timeScale=0.0).serve()
    wire = service.login()
    assert wire.transport is not None
    wire.transport.write(b"AT#TCPATCMDSEQ=1\r")
    service.emulated.module.powerOff()
    service.emulated.module.powerOn()
    service.emulated.advance(5)
    assert service.ask("AT#TCPATCMDSEQ?")[-2:] == ["#TCPATCMDSEQ: 0", "OK"]


def test_rebootOverTheService() -> None:
    """#REBOOT over the service is answered, then the connection ends and the service comes back."""
    service = Service().serve()
    wire = service.login()
    assert wire.execute("AT#REBOOT") == ["OK"]
    service.after(1)
    assert wire.isClosed
    service.after(20)
    assert service.login().execute("AT") == ["OK"]


def test_listenFailsForGood() -> None:
    """A context address that is not this machine's is the module's trouble too, not the program's end."""
    service = Service()

    def refuse(port: int, factory: object, backlog: int = 50, interface: str = "") -> object:
        raise CannotListenError(interface, port, OSError("no such address"))

    service.emulated.clock.listenTCP = refuse  # type: ignore[assignment, method-assign]
    service.serve()
    assert service.ask("AT#TCPATRUNL?") == ["#TCPATRUNL: 1,0", "OK"]
    assert service.ask("AT") == ["OK"]
