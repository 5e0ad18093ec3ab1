"""Commands that disturb the exchange over SMS: the eleven notes of the guide."""

from __future__ import annotations

import pytest

from atrunproto.at.module import ATInstance
from atrunproto.at.online import ChannelTransport, Online

from .service import MOBILE, Service

OK = "\r\nOK\r\n"


class Call:
    """A data call that nothing is said on."""

    def makeConnection(self, transport: ChannelTransport) -> None:
        """It is there."""

    def dataReceived(self, data: bytes) -> None:
        """Nothing."""

    def connectionLost(self, reason: object) -> None:
        """It is gone."""


def goOnline(at: ATInstance) -> None:
    """Let an instance have a data call."""
    at._goOnline(Online(Call()))  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["AT#REBOOT", "AT#SHDN"])
@pytest.mark.parametrize("timeScale", [0.0, 1.0])
def test_powerDown(command: str, timeScale: float) -> None:
    """The module goes down before its answer can leave (TEL-SMS-41)."""
    service = Service(timeScale=timeScale)
    assert service.run(command) == ""
    assert service.isOn() is (command == "AT#REBOOT")
    if command == "AT#REBOOT":
        assert service.isServing()


@pytest.mark.parametrize("command", ["+CFUN=4", '+CGCLASS="CG"', "+COPS=2"])
def test_noAnswer(command: str) -> None:
    """The module leaves the network, or the messages, before its answer can leave (TEL-SMS-42)."""
    service = Service()
    assert service.run("AT" + command) == ""
    if "CG" not in command:
        assert not service.emulated.module.radio.isRegistered


@pytest.mark.parametrize(("command", "waits"), [("ATQ1", False), ("ATQ2", False), ("AT#SIMDET=0", True)])
@pytest.mark.parametrize("minutes", [1, 2])
def test_jamsUntilTimeout(command: str, waits: bool, minutes: int) -> None:
    """
    Nothing is answered any more, until the timeout has restarted the module (TEL-SMS-43, TEL-SMS-28).

    A request that the module has taken by then is lost; one that it had no card to take is brought again.
    """
    service = Service(config=f"3,1,{minutes}")
    service.send(command)
    service.send("AT#GPIO=2,1,1")
    assert service.arrived(60 * minutes - 3) == []
    assert service.at.execute("AT#GPIO=2,2")[-2] == "#GPIO: 0,0"
    assert service.arrived(1) == []
    assert not service.isOn()
    assert len(service.arrived(30)) == waits
    assert service.isServing()


@pytest.mark.parametrize("command", ['+CMGS="+393401112233"', '+CMGW="+393401112233"', '#SEMAIL="a@b.c","x"'])
def test_prompts(command: str) -> None:
    """A command that asks for data hangs until the timeout has restarted the module (TEL-SMS-49, TEL-SMS-39)."""
    service = Service("GE864-QUAD")
    service.do('AT+CGDCONT=1,"IP","internet"', 'AT#ESMTP="127.0.0.1"', 'AT#EADDR="a@b.c"')
    service.run("AT+CMGF=1")
    service.send("AT" + command)
    assert service.arrived(115) == []
    assert service.isOn()
    service.emulated.advance(5)
    assert not service.isOn()
    assert service.arrived(30) == []
    assert service.isServing()


@pytest.mark.parametrize("minutes", [1, 60])
def test_timeout(minutes: int) -> None:
    """The minutes of #SMSATRUNCFG are what a command may take (TEL-SMS-28, TEL-SMS-39)."""
    service = Service(config=f"3,1,{minutes}")
    service.send("AT+CMGW=10")
    service.emulated.advance(60 * minutes - 2)
    assert service.isOn()
    service.emulated.advance(2)
    assert not service.isOn()


@pytest.mark.parametrize("command", ["+CMUX=0", "#BND=3", "+CFUN=2", "+CFUN=4"])
def test_jamsForGood(command: str) -> None:
    """Later requests stay without answer, and no restart comes to help (TEL-SMS-44)."""
    service = Service()
    assert service.run("AT" + command) == ""
    service.send("AT")
    assert service.arrived(3 * 3600) == []
    assert service.isOn()


def test_jamEnds() -> None:
    """Whoever is at the module gets a jammed service going again: it is switched off and on (TEL-SMS-44)."""
    service = Service()
    assert service.run("AT+CMUX=0") == ""
    service.do("AT#SMSATRUN=0", "AT#SMSATRUN=1")
    assert service.isServing()


@pytest.mark.parametrize(
    ("command", "undo"),
    [
        ('+CGCLASS="CG"', '+CGCLASS="B"'),
        ("+CGSMS=0", "+CGSMS=1"),
        ("+CFUN=4", "+CFUN=1"),
        ("+COPS=2", "+COPS=0"),
    ],
)
def test_undone(command: str, undo: str) -> None:
    """What stops the messages is undone by the other service, and what waits is answered (TEL-SMS-45, TEL-SMS-46)."""
    service = Service()
    wire = service.overTCP()
    assert service.run("AT" + command) == ""
    service.send("AT+CSQ")
    assert service.arrived(600) == []
    # off the network the session over TCP is gone too, and the local port stands in for it
    other = service.at if wire.isClosed else wire
    assert other.execute("AT" + undo)[-1] == "OK"
    assert [part.text() for part in service.arrived(600)] == ["\r\n+CSQ: 20,0\r\n\r\nOK\r\n"]


def test_fixedDialling() -> None:
    """With fixed dialling on, a number that isn't in its phonebook is not answered (TEL-SMS-47)."""
    service = Service()
    wire = service.overTCP()
    service.do('AT+CPBW=1,"+393460000009",145,"somebody"')
    assert service.run('AT+CLCK="FD",1,"1234"') == ""
    assert service.run("AT#GPIO=2,1,1") == ""
    assert service.at.execute("AT#GPIO=2,2")[-2] == "#GPIO: 1,1"
    assert wire.execute('AT+CLCK="FD",2') == ["+CLCK: 1", "OK"]
    assert wire.execute('AT+CLCK="FD",0,"1234"') == ["OK"]
    assert service.isServing()


def test_fixedNumber() -> None:
    """A number of the phonebook of fixed dialling is answered (TEL-SMS-47)."""
    service = Service()
    service.do(f'AT+CPBW=1,"{MOBILE}",145,"us"')
    assert service.run('AT+CLCK="FD",1,"1234"') == OK
    assert service.isServing()


def test_resetDuringADataCall() -> None:
    """ATZ by SMS is an error while a data call is up (TEL-SMS-51)."""
    service = Service()
    port = service.emulated.port(2)
    assert service.run("ATZ") == OK
    goOnline(service.emulated.module.instance(2))
    assert service.run("ATZ") == "\r\nERROR\r\n"
    port.close()
    assert service.run("ATZ") == OK


def test_online() -> None:
    """A line that goes online by SMS is answered when the connection has ended, in one."""
    service = Service(config="3,1,10")
    service.do('AT+CGDCONT=1,"IP","internet"', "AT#SGACT=1,1", "AT#SCFG=1,1,300,0,600,0")
    host = service.emulated.host(2000)
    service.send('AT#SD=1,0,2000,"127.0.0.1"')
    assert service.arrived(120) == []
    assert host.callers
    host.callers[-1].close()
    assert [part.text() for part in service.arrived()] == ["\r\nCONNECT\r\n\r\nNO CARRIER\r\n"]
    assert service.isServing()
