"""The configuration of TCPATRUN, and the commands that switch it."""

from __future__ import annotations

import pytest

from atrunproto.testing.emulated import MemoryModule
from tests.tcpatrun.service import HOST_PORT, PORT, Service

FACTORY = '#TCPATRUNCFG: 1,2,1024,1024,"",1,5,0,0,2'
SAMPLE = '1,2,1024,12345,"212.141.125.127",1,5,1,5,2'


def test_factoryValues() -> None:
    """A new module shows the defaults of all ten parameters (TEL-EXT-04)."""
    assert MemoryModule().port().execute("AT#TCPATRUNCFG?") == [FACTORY, "OK"]


def test_sampleSet() -> None:
    """The sample set of the application note is accepted and read back (TEL-CFG-17, TEL-CFG-13..16)."""
    at = MemoryModule().port()
    assert at.execute(f"AT#TCPATRUNCFG={SAMPLE}") == ["OK"]
    assert at.execute("AT#TCPATRUNCFG?") == [f"#TCPATRUNCFG: {SAMPLE}", "OK"]


@pytest.mark.parametrize(
    "values",
    [
        '0,2,1024,12345,"h"',
        '7,2,1024,12345,"h"',
        '1,0,1024,12345,"h"',
        '1,4,1024,12345,"h"',
        '1,2,0,12345,"h"',
        '1,2,65536,12345,"h"',
        '1,2,1024,0,"h"',
        '1,2,1024,12345,"h",2',
        '1,2,1024,12345,"h",1,0',
        '1,2,1024,12345,"h",1,6',
        '1,2,1024,12345,"h",1,5,2',
        '1,2,1024,12345,"h",1,5,0,6',
        '1,2,1024,12345,"h",1,5,0,0,0',
        '1,2,1024,12345,"h",1,5,0,0,3601',
        '1,2,1024,12345,"h",1,5,0,0,2,1',
        '1,2,1024,12345,"h",1.5,1',
        "1,2,1024,12345",
        ',2,1024,12345,"h"',
        "1,3,1024",
        "",
    ],
)
def test_badValues(values: str) -> None:
    """A value out of range, one too many, or one of the first five missing changes nothing (TEL-EXT-04)."""
    at = MemoryModule().port()
    assert at.execute(f"AT#TCPATRUNCFG={values}") == ["ERROR"]
    assert at.execute("AT#TCPATRUNCFG?") == [FACTORY, "OK"]


def test_omittedParameters() -> None:
    """The last five parameters keep their values where they are left out (TEL-EXT-04)."""
    at = MemoryModule().port()
    at.execute(f"AT#TCPATRUNCFG={SAMPLE}")
    assert at.execute('AT#TCPATRUNCFG=3,3,7,8,"host.example.com",0') == ["OK"]
    assert at.execute("AT#TCPATRUNCFG?")[0] == '#TCPATRUNCFG: 3,3,7,8,"host.example.com",0,5,1,5,2'


def test_testForms() -> None:
    """The test forms show the ranges of every command of the service."""
    at = MemoryModule().port()
    assert at.execute("AT#TCPATRUNCFG=?") == [
        "#TCPATRUNCFG: (1-6),(1-3),(1-65535),(1-65535),,(0,1),(1-5),(0,1),(0-5),(1-3600)",
        "OK",
    ]
    for name in ("#TCPATRUNL", "#TCPATRUND", "#TCPATCMDSEQ"):
        assert at.execute(f"AT{name}=?") == [f"{name}: (0,1)", "OK"]
    for name in ("#TCPATRUNFRWL", "#TCPATRUNAUTH"):
        assert at.execute(f"AT{name}=?") == [f"{name}: (0-2)", "OK"]
    assert at.execute("AT#ATRUNDELAY=?") == ["#ATRUNDELAY: (0,1),(0-30)", "OK"]
    assert at.execute("AT#TCPATRUNCLOSE=?") == ["OK"]


@pytest.mark.parametrize("mode", ["#TCPATRUNL", "#TCPATRUND"])
def test_notWhileEnabled(mode: str) -> None:
    """The configuration can't be changed while a mode is enabled, and can be afterwards (TEL-EXT-04)."""
    service = Service()
    service.do(f"AT{mode}=1")
    assert service.ask(f"AT#TCPATRUNCFG={SAMPLE}") == ["ERROR"]
    assert f",{HOST_PORT}," in service.ask("AT#TCPATRUNCFG?")[0]
    service.do(f"AT{mode}=0", f"AT#TCPATRUNCFG={SAMPLE}")


def test_enableWithoutContext() -> None:
    """Enabled without a context the service neither listens nor connects, until the context is there (TEL-CFG-03)."""
    service = Service(comesBack=False)
    service.do("AT#SGACT=1,0")
    service.serve()
    assert service.ask("AT#TCPATRUNL?;#SS=1") == ["#TCPATRUNL: 1,0", "#SS: 1,0", "OK"]
    assert service.call().isClosed
    service.do("AT#SGACT=1,1")
    assert service.ask("AT#TCPATRUNL?;#SS=1") == ["#TCPATRUNL: 1,1", f"#SS: 1,4,127.0.0.1,{PORT}", "OK"]


def test_enableClientWithoutContext() -> None:
    """Client mode without a context calls nobody (TEL-CFG-03)."""
    service = Service(comesBack=False)
    host = service.emulated.host(HOST_PORT)
    service.do("AT#SGACT=1,0")
    service.dial()
    assert service.after(300) == []
    assert host.callers == []
    assert service.ask("AT#TCPATRUND?") == ["#TCPATRUND: 1,0", "OK"]


def test_contextOfCGACT() -> None:
    """A context activated by +CGACT alone doesn't carry the service (TEL-ACT-06)."""
    service = Service(comesBack=False)
    service.do("AT#SGACT=1,0", "AT+CGACT=1,1")
    service.serve()
    assert service.ask("AT+CGACT?;#SS=1") == ["+CGACT: 1,1", "#SS: 1,0", "OK"]


def test_socketAndContextOfTheService() -> None:
    """The service runs on the configured connection id, and so on the context that this one is tied to (TEL-CFG-07)."""
    service = Service(config=f'4,2,{PORT},{HOST_PORT},"127.0.0.1"')
    service.do('AT+CGDCONT=2,"IP","other"', "AT#SGACT=2,1", "AT#TCPATRUNL=1")
    assert service.ask("AT#SS")[:4] == ["#SS: 1,0", "#SS: 2,0", "#SS: 3,0", f"#SS: 4,4,127.0.0.2,{PORT}"]
    assert service.emulated.call(PORT).isClosed
    assert not service.emulated.call(PORT, "127.0.0.2").isClosed


def test_modesExcludeEachOther() -> None:
    """One mode at a time: the other one is an error until the first is off (TEL-CFG-02)."""
    service = Service().serve()
    assert service.ask("AT#TCPATRUND=1") == ["ERROR"]
    service.do("AT#TCPATRUNL=1", "AT#TCPATRUND=0")
    assert service.ask("AT#TCPATRUNL?;#TCPATRUND?") == ["#TCPATRUNL: 1,1", "#TCPATRUND: 0,0", "OK"]
    service.do("AT#TCPATRUNL=0", "AT#TCPATRUND=1")


def test_clientNeedsHost() -> None:
    """Client mode without a host is an error."""
    service = Service(config=f'1,2,{PORT},{HOST_PORT},""')
    assert service.ask("AT#TCPATRUND=1") == ["ERROR"]


def test_socketInUse() -> None:
    """The service can't be enabled on a connection id that something else uses."""
    service = Service()
    socket = service.emulated.module.serviceSocket(1)
    from twisted.internet.defer import Deferred

    Deferred.fromCoroutine(socket.listen(PORT, [], lambda peer: None, lambda: None))
    assert service.ask("AT#TCPATRUNL=1") == ["ERROR"]
    assert service.ask("AT#TCPATRUNL?") == ["#TCPATRUNL: 0,0", "OK"]
    socket.close()
    service.do("AT#TCPATRUNL=1")


def test_instanceInUse() -> None:
    """The service can't be enabled on an instance that another service has (TEL-EXT-05, TEL-EXT-06)."""
    service = Service()
    service.emulated.module.reserve(2, "SMSATRUN")
    assert service.ask("AT#TCPATRUNL=1") == ["ERROR"]
    assert service.ask("AT#TCPATRUND=1") == ["ERROR"]
    service.emulated.module.release(2)
    service.do("AT#TCPATRUND=1")


def test_switchedOffAndOnAgain() -> None:
    """One line switches the service off, configures it anew and switches it on: it is at the new place only."""
    service = Service().serve()
    values = f'2,2,2048,{HOST_PORT},"127.0.0.1"'
    service.do(f"AT#TCPATRUNL=0;#TCPATRUNCFG={values};#TCPATRUNL=1")
    assert service.ask("AT#SS")[:2] == ["#SS: 1,0", "#SS: 2,4,127.0.0.1,2048"]
    assert service.call().isClosed
    assert not service.emulated.call(2048).isClosed


def test_switchedOffDuringSession() -> None:
    """Switching off over the service itself: the answer arrives, then the connection ends and the instance is free."""
    service = Service().serve()
    local = service.emulated.port(2)
    wire = service.login()
    assert wire.execute("AT#TCPATRUNL=0") == ["OK"]
    wire.say(b"AT#GPIO=2,1,1\r")
    assert wire.isClosed
    assert local.execute("AT") == ["OK"]
    assert service.ask("AT#GPIO=2,2;#SS=1") == ["#GPIO: 0,0", "#SS: 1,0", "OK"]
    service.do("AT#TCPATRUNL=1")


def test_memoryFull() -> None:
    """An enabling that can't be kept is an error, and the instance stays with its user."""
    service = Service()
    local = service.emulated.port(2)

    class Full:
        def get(self, name: str) -> object:
            return None

        def put(self, name: str, value: object) -> None:
            from atrunproto.at.results import CME, refuse

            raise refuse(CME[23])

    memory, service.emulated.module.memory = service.emulated.module.memory, Full()  # type: ignore[assignment]
    assert service.ask("AT+CMEE=2") == ["OK"]
    assert service.ask("AT#TCPATRUNL=1") == ["+CME ERROR: memory failure"]
    service.emulated.module.memory = memory
    assert local.execute("AT") == ["OK"]
    service.do("AT#TCPATRUNL=1")


def test_keptOverPowerOff() -> None:
    """All settings of the service but delay and sequence survive power-off (TEL-FWR-02, TEL-AUT-01, TEL-EXT-09)."""
    service = Service(config=SAMPLE)
    service.do("AT#TCPATCMDSEQ=1", "AT#ATRUNDELAY=0,5")
    before = service.ask("AT#TCPATRUNCFG?;#TCPATRUNFRWL?;#TCPATRUNAUTH?;#SCFG?")
    service.restart()
    assert service.ask("AT#TCPATRUNCFG?;#TCPATRUNFRWL?;#TCPATRUNAUTH?;#SCFG?") == before
    assert service.ask("AT#TCPATCMDSEQ?;#ATRUNDELAY?") == [
        "#TCPATCMDSEQ: 0",
        "#ATRUNDELAY: 0,0",
        "#ATRUNDELAY: 1,0",
        "OK",
    ]
