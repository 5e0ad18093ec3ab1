"""Client mode: calling the host, trying again, and coming back by itself."""

from __future__ import annotations

import pytest

from tests.tcpatrun.service import HOST_PORT, PORT, Service


def config(retries: int = 0, minutes: int = 2, host: str = "127.0.0.1", notices: int = 1) -> str:
    """The parameters of #TCPATRUNCFG for client mode."""
    return f'1,2,{PORT},{HOST_PORT},"{host}",{notices},5,0,{retries},{minutes}'


def attempts(service: Service) -> list[float]:
    """The times at which the module tries to reach its host, from now on."""
    clock, times = service.emulated.clock, []
    connect = clock.connectTCP

    def note(host: str, port: int, *arguments: object, **facts: object) -> object:
        times.append(clock.seconds())
        return connect(host, port, *arguments, **facts)  # type: ignore[arg-type]

    clock.connectTCP = note  # type: ignore[assignment, method-assign]
    return times


def test_connects() -> None:
    """On OK the module calls its host, and takes commands without a login (TEL-CLI-01, TEL-CLI-03, TEL-CFG-10..11)."""
    service = Service()
    host = service.emulated.host(HOST_PORT)
    assert service.ask("AT#TCPATRUND=1") == ["OK"]
    assert service.heard() == ["#TCPATRUN: 127.0.0.1"]
    (wire,) = host.callers
    assert wire.heard() == b""
    assert wire.execute("AT+CGMM") == ["HE910", "OK"]
    assert service.ask("AT#TCPATRUND?;#SS=1") == [
        "#TCPATRUND: 1,1",
        f"#SS: 1,1,127.0.0.1,40001,127.0.0.1,{HOST_PORT}",
        "OK",
    ]


def test_byName() -> None:
    """The host may be given by its name (TEL-CFG-11)."""
    service = Service(config=config(host="host.example.com"))
    service.emulated.network.hosts["host.example.com"] = "127.0.0.1"
    host = service.emulated.host(HOST_PORT)
    service.dial()
    assert len(host.callers) == 1


def test_unknownName() -> None:
    """A name that nobody knows is a failed attempt like any other."""
    service = Service(config=config(host="nowhere.example.com", retries=1))
    host = service.emulated.host(HOST_PORT)
    service.dial()
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,2", "OK"]
    service.emulated.clock.names["nowhere.example.com"] = "127.0.0.1"
    service.after(120)
    assert len(host.callers) == 1


def test_nameServerSilent() -> None:
    """A name server that never answers costs an attempt, and the next one is made all the same."""
    from twisted.internet.defer import Deferred

    service = Service(config=config(host="slow.example.com", retries=1, minutes=1))
    waiting: Deferred[str] = Deferred()
    service.emulated.clock.resolve = lambda name, timeout=(): waiting  # type: ignore[method-assign]
    service.dial()
    service.after(61)
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,2", "OK"]
    waiting.callback("127.0.0.1")
    service.emulated.network.hosts["slow.example.com"] = "127.0.0.1"
    host = service.emulated.host(HOST_PORT)
    assert service.after(60) == ["#TCPATRUN: 127.0.0.1"]
    assert len(host.callers) == 1


@pytest.mark.parametrize(("retries", "minutes"), [(0, 2), (1, 1), (3, 2), (5, 10)])
def test_retries(retries: int, minutes: int) -> None:
    """A failed attempt is followed by as many as configured, at their pace, then none (TEL-CLI-05, TEL-CFG-15..16)."""
    service = Service(config=config(retries, minutes))
    times = attempts(service)
    service.dial()
    for left in range(retries):
        assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,2", "OK"], left
        service.after(minutes * 60)
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,0", "OK"]
    service.after(100_000)
    assert [time - times[0] for time in times] == [number * minutes * 60 for number in range(retries + 1)]


def test_afterGivingUp() -> None:
    """Having given up, the module calls again when told so, or when the context comes back."""
    service = Service(config=config(), comesBack=False)
    times = attempts(service)
    service.dial()
    service.after(1000)
    assert len(times) == 1
    service.dial()
    assert len(times) == 2
    service.do("AT#SGACT=1,0", "AT#SGACT=1,1")
    service.after(1)
    assert len(times) == 3
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,0", "OK"]


def test_hostThatIsBack() -> None:
    """A host that is there again is reached by the next attempt, and the count begins anew (TEL-CLI-02, TEL-CLI-05)."""
    service = Service(config=config(2, 1))
    times = attempts(service)
    service.dial()
    service.after(60)
    host = service.emulated.host(HOST_PORT)
    assert service.after(60) == ["#TCPATRUN: 127.0.0.1"]
    service.emulated.clock.listening.clear()
    host.callers[0].close()
    assert service.after(200) == ["#TCPATRUN: <DISCONNECT>"]
    assert len(times) == 6


def test_noAnswer() -> None:
    """A host that doesn't answer at all counts as failed when the connection timeout is over (TEL-SCF-13)."""
    service = Service(config=config(1, 1, host="127.0.0.99"))
    service.do("AT#SCFG=1,1,300,0,300,1")
    service.emulated.clock.unreachable.add("127.0.0.99")
    service.dial()
    service.after(29.9)
    assert service.ask("AT#TCPATRUND?;#SS=1") == ["#TCPATRUND: 1,1", "#SS: 1,0", "OK"]
    service.after(0.2)
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,2", "OK"]


def test_hostThatCloses() -> None:
    """A host that closes each connection at once is called again and again, at a walking pace."""
    service = Service(config=config(5, 1, notices=0), timeScale=0.0)
    host = service.emulated.host(HOST_PORT, stays=False)
    service.dial()
    service.after(60)
    assert 10 < len(host.callers) <= 61


def test_closedLocally() -> None:
    """#TCPATRUNCLOSE ends the connection, and the module calls again by itself (TEL-CLI-06, TEL-ALR-11)."""
    service = Service()
    host = service.emulated.host(HOST_PORT)
    service.dial()
    service.do("AT#TCPATRUNCLOSE")
    service.after(10)
    assert [wire.isClosed for wire in host.callers] == [True, False]
    assert host.callers[1].execute("AT") == ["OK"]


def test_closedOverTheService() -> None:
    """#TCPATRUNCLOSE over the connection itself is answered before it ends."""
    service = Service()
    host = service.emulated.host(HOST_PORT)
    service.dial()
    assert host.callers[0].execute("AT#TCPATRUNCLOSE") == ["OK"]
    service.after(10)
    assert [wire.isClosed for wire in host.callers] == [True, False]


@pytest.mark.parametrize("how", ["restart", "context", "service", "sim"])
def test_comesBack(how: str) -> None:
    """Restart, network loss and SIM removal are followed by a new connection (TEL-CLI-04, TEL-CFG-05)."""
    service = Service()
    host = service.emulated.host(HOST_PORT)
    module, network = service.emulated.module, service.emulated.network
    service.dial()
    if how == "restart":
        service.restart()
    elif how == "context":
        module.contexts.lose(1)
    elif how == "service":
        network.setService(False)
        service.after(1000)
        network.setService(True)
    else:
        module.sim.remove()
        service.after(1000)
        assert len(host.callers) == 1
        module.sim.insert()
    service.after(30)
    assert [wire.isClosed for wire in host.callers] == [True, False]
    assert host.callers[1].execute("AT") == ["OK"]


def test_failsAfterRestart() -> None:
    """An automatic connection that fails is tried again at the configured pace (TEL-CLI-05)."""
    service = Service(config=config(2, 3))
    host = service.emulated.host(HOST_PORT)
    service.dial()
    service.emulated.clock.listening.clear()
    times = attempts(service)
    service.restart()
    service.after(1000)
    assert [time - times[0] for time in times] == [0, 180, 360]
    assert host.callers[0].isClosed


def test_switchedOffWhileTrying() -> None:
    """Switched off between two attempts, or during one, the module stays quiet."""
    service = Service(config=config(5, 1))
    times = attempts(service)
    service.dial()
    service.do("AT#TCPATRUND=0")
    service.after(1000)
    assert len(times) == 1
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 0,0", "OK"]
    service.emulated.clock.unreachable.add("127.0.0.1")
    service.do("AT#TCPATRUND=1", "AT#TCPATRUND=0")
    service.after(1000)
    assert len(times) == 2
    service.do("AT#TCPATRUNL=1")


def test_powerCutWhileTrying() -> None:
    """Without power nothing is tried, whatever was under way."""
    service = Service(config=config(5, 1, host="127.0.0.99"))
    service.emulated.clock.unreachable.add("127.0.0.99")
    service.dial()
    service.emulated.module.powerOff()
    assert service.emulated.clock.getDelayedCalls() == []
    times = attempts(service)
    service.after(1000)
    assert times == []


def test_contextLostWhileTrying() -> None:
    """An attempt under way ends with the context, and the next begins with the next context."""
    service = Service(config=config(0, 1))
    service.emulated.clock.unreachable.add("127.0.0.1")
    service.dial()
    service.emulated.module.contexts.lose(1)
    service.emulated.clock.unreachable.clear()
    host = service.emulated.host(HOST_PORT)
    service.after(10)
    assert len(host.callers) == 1


def test_sessionEnds() -> None:
    """Disabled during a session the connection ends, and no other follows."""
    service = Service()
    host = service.emulated.host(HOST_PORT)
    local = service.emulated.port(2)
    service.dial()
    service.do("AT#TCPATRUND=0")
    service.after(1000)
    assert [wire.isClosed for wire in host.callers] == [True]
    assert local.execute("AT") == ["OK"]
