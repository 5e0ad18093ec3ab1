"""Commands in sequence, pauses before them, and those that have no end."""

from __future__ import annotations

import pytest

from atrunproto.at.port import QUEUED
from atrunproto.emulator import products
from atrunproto.emulator.module import Power
from atrunproto.testing.emulated import Wire
from tests.tcpatrun.service import HOST_PORT, PORT, Service

SECOND = 'AT+CGDCONT=2,"IP","other"'


Session = tuple[Service, Wire]


@pytest.fixture(params=["server", "client"])
def session(request: pytest.FixtureRequest) -> Session:
    """A module with a session in either mode, and a second context defined."""
    service = Service()
    service.do(SECOND)
    if request.param == "server":
        return service, service.serve().login()
    host = service.emulated.host(HOST_PORT)
    service.dial()
    return service, host.callers[0]


def test_chain(session: Session) -> None:
    """A chain on one line is one command: all answers, then one result (TEL-SEQ-02, TEL-GEN-02)."""
    _, wire = session
    answer = wire.execute("AT#SGACT=2,1;#SS")
    assert answer[0] == "#SGACT: 127.0.0.2"
    assert [line[:7] for line in answer[1:]] == [f"#SS: {number}," for number in range(1, 7)] + ["OK"]


def test_ignored(session: Session) -> None:
    """Without the feature what comes while a command runs leaves no trace (TEL-SEQ-03)."""
    service, wire = session
    wire.say(b"AT#SGACT=2,1\rAT#GPIO=2,1,1\rAT#SS\r")
    service.emulated.advance(10)
    assert wire.heard() == b"\r\n#SGACT: 127.0.0.2\r\n\r\nOK\r\n"
    assert wire.execute("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]


def test_queued(session: Session) -> None:
    """With the feature early commands run one after the other, each with its own answer (TEL-SEQ-04, TEL-EXT-10)."""
    service, wire = session
    service.do("AT#TCPATCMDSEQ=1")
    wire.say(b"AT#SGACT=2,1\rAT#SS=2\rAT+CGMM\rAT#NONE\r")
    service.emulated.advance(10)
    assert wire.heard() == (
        b"\r\n#SGACT: 127.0.0.2\r\n\r\nOK\r\n\r\n#SS: 2,0\r\n\r\nOK\r\n\r\nHE910\r\n\r\nOK\r\n\r\nERROR\r\n"
    )


def test_setFromAnywhere() -> None:
    """The feature is switched from any instance, the service's own too (TEL-SEQ-05)."""
    service = Service().serve()
    wire = service.login()
    third = service.emulated.port(3)
    for at in (service.at, third, wire):
        assert at.execute("AT#TCPATCMDSEQ=1") == ["OK"]
        assert wire.execute("AT#TCPATCMDSEQ?") == ["#TCPATCMDSEQ: 1", "OK"]
        assert at.execute("AT#TCPATCMDSEQ=0") == ["OK"]


def test_localPortUnaffected() -> None:
    """A local port goes on losing what comes too early (TEL-SEQ-06)."""
    service = Service()
    service.do(SECOND, "AT#TCPATCMDSEQ=1", "ATE0")
    service.at.say(b"AT#SGACT=2,1\rAT#GPIO=2,1,1\r")
    service.emulated.advance(10)
    assert service.at.heard() == b"\r\n#SGACT: 127.0.0.2\r\n\r\nOK\r\n"
    assert service.ask("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]


def test_queueIsBounded() -> None:
    """A caller who sends without end is made to wait, and nothing of what was sent is lost (TEL-GAP-15)."""
    service = Service().serve()
    service.do(SECOND, "AT#TCPATCMDSEQ=1")
    wire = service.login()
    wire.link.peer.limit = 1000
    lines = 5 * QUEUED // len(b"AT#SS=2\r")
    wire.say(b"AT#SGACT=2,1\r" + b"AT#SS=2\r" * lines)
    instance = service.emulated.module.instance(2)
    assert QUEUED <= len(instance._queued) < 2 * QUEUED
    service.emulated.advance(10)
    assert wire.heard().count(b"OK") == lines + 1


def test_delay() -> None:
    """A delay before each command over TCP stays until the next #ATRUNDELAY (TEL-DLY-02, TEL-DLY-03, TEL-DLY-04)."""
    service = Service().serve()
    wire = service.login()
    assert service.ask("AT#ATRUNDELAY=0,10") == ["OK"]
    for _ in range(3):
        wire.say(b"AT#GPIO=2,1,1\r")
        service.emulated.advance(9.9)
        assert wire.heard() == b""
        assert service.ask("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]
        service.emulated.advance(0.3)
        assert wire.heard() == b"\r\nOK\r\n"
        assert service.ask("AT#GPIO=2,2;#GPIO=2,0,0") == ["#GPIO: 1,1", "OK"]
    wire.say(b"AT#ATRUNDELAY=0,0\r")
    service.emulated.advance(10.2)
    assert wire.heard() == b"\r\nOK\r\n"
    wire.say(b"AT\r")
    service.emulated.advance(0.2)
    assert wire.heard() == b"\r\nOK\r\n"


def test_delayOfOtherPaths() -> None:
    """The delay for SMS doesn't slow TCP, and no delay slows a local port (TEL-DLY-03, TEL-EXT-12)."""
    service = Service().serve()
    wire = service.login()
    service.do("AT#ATRUNDELAY=1,30")
    wire.say(b"AT\r")
    service.emulated.advance(0.2)
    assert wire.heard() == b"\r\nOK\r\n"
    service.do("AT#ATRUNDELAY=0,30")
    assert service.ask("AT#ATRUNDELAY?") == ["#ATRUNDELAY: 0,30", "#ATRUNDELAY: 1,30", "OK"]
    assert service.at.say(b"AT\r").endswith(b"\r\nOK\r\n")


@pytest.mark.parametrize("values", ["0,31", "2,1", "0", "", ",1", "0,-1"])
def test_badDelay(values: str) -> None:
    """A delay above 30 s, or for another service, is an error (TEL-EXT-12)."""
    service = Service()
    assert service.ask(f"AT#ATRUNDELAY={values}") == ["ERROR"]
    assert service.ask("AT#ATRUNDELAY?") == ["#ATRUNDELAY: 0,0", "#ATRUNDELAY: 1,0", "OK"]


def test_surveyWithDelay() -> None:
    """The survey of operators works over the service with the delay that is suggested for it (TEL-DLY-02)."""
    service = Service("GE865-QUAD").serve()
    service.do("AT#ATRUNDELAY=0,10")
    answer = service.login().execute("AT+COPS=?")
    assert answer[0].startswith('+COPS: (2,"I WIND",,"22288")')
    assert answer[-1] == "OK"


@pytest.mark.parametrize("minutes", [1, 5])
def test_commandWithoutEnd(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that runs longer than the time limit makes the module restart (TEL-CFG-13, TEL-EXT-04, TEL-GAP-03)."""
    monkeypatch.setattr(products, "DURATIONS", {**products.DURATIONS, "+COPS=?": 100_000.0})
    monkeypatch.setattr("atrunproto.emulator.module.DURATIONS", products.DURATIONS)
    service = Service(config=f'1,2,{PORT},{HOST_PORT},"127.0.0.1",1,{minutes}').serve()
    wire = service.login()
    wire.say(b"AT+COPS=?\r")
    service.emulated.advance(minutes * 60 - 1)
    assert service.emulated.module.power is Power.ON
    service.emulated.advance(1)
    assert service.emulated.module.power.value == "booting"
    assert wire.isClosed
    assert wire.heard() == b""
    service.after(20)
    assert service.login().execute("AT") == ["OK"]


def test_manyCommandsAreNotOne() -> None:
    """The time limit is for one command: a long session of short ones goes on (TEL-CFG-13)."""
    service = Service(config=f'1,2,{PORT},{HOST_PORT},"127.0.0.1",1,1').serve()
    wire = service.login()
    for _ in range(20):
        assert wire.execute("AT+COPS=?")[-1] == "OK"
    service.emulated.advance(120)
    assert wire.execute("AT") == ["OK"]
