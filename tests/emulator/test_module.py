"""The module as a whole: the command line, its instances and ports, power, start-up lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from atrunproto.emulator.startup import LONGEST, REGISTRATION
from atrunproto.testing.emulated import MemoryModule

DEFINE = 'AT+CGDCONT=1,"IP","internet"'


# -- the command line


def test_everyInstanceAnswers() -> None:
    """A line ended by CR is answered on the port it came from, on all instances alike (TEL-GEN-01, TEL-GEN-07)."""
    emulated = MemoryModule()
    ports = [emulated.port(number) for number in (1, 2, 3)]
    for port in ports:
        assert port.say(b"AT\r") == b"AT\r\r\nOK\r\n"
        assert [other.heard() for other in ports] == [b"", b"", b""]


def test_otherTerminator() -> None:
    """With another character in S3 that one ends the line, on this instance alone (TEL-GEN-01)."""
    emulated = MemoryModule()
    port = emulated.port()
    port.say(b"ATE0S3=33\r")
    assert port.say(b"AT+CSQ\r!") == b"!\n+CSQ: 20,0!\n!\nOK!\n"
    assert emulated.port(2).say(b"AT\r") == b"AT\r\r\nOK\r\n"


def test_chain() -> None:
    """A chain gives all answers, then one result; the first failure ends it (TEL-GEN-02)."""
    port = MemoryModule().port()
    port.execute(DEFINE)
    answer = port.execute("AT#SGACT=1,1;#SS")
    assert answer == ["#SGACT: 127.0.0.1", *(f"#SS: {number},0" for number in range(1, 7)), "OK"]
    assert port.execute("AT+CSQ;#SGACT=1,1;+CGMM") == ["+CSQ: 20,0", "ERROR"]


@pytest.mark.parametrize(
    ("spaced", "tight"),
    [
        ("AT# SGACT=1,1", "AT#SGACT=1,1"),
        ("AT+CGQMIN= 1,2,0,0,5,4", "AT+CGQMIN=1,2,0,0,5,4"),
        ("AT#SCFG = 2, 3, 512, 30, 300,100", "AT#SCFG=2,3,512,30,300,100"),
        ("AT #TCPATRUNL =1", "AT#TCPATRUNL=1"),
        ("AT + CSQ ; + CGMM", "AT+CSQ;+CGMM"),
        ('AT+CGDCONT = 2 , "IP" , "a b"', 'AT+CGDCONT=2,"IP","a b"'),
    ],
)
def test_blanks(spaced: str, tight: str) -> None:
    """Blanks outside quotes carry no meaning: the spaced and the tight form do the same (TEL-GEN-03)."""
    answers = []
    for line in (spaced, tight):
        port = MemoryModule().port()
        port.execute(DEFINE)
        answers.append([port.execute(line), port.execute("AT+CGDCONT?;+CGQMIN?;#SCFG?;#TCPATRUNL?")])
    assert answers[0] == answers[1]
    assert answers[0][0][-1] == "OK"


def test_case() -> None:
    """Names are accepted in lower case, answers are in upper case (TEL-GEN-04)."""
    port = MemoryModule().port()
    assert port.execute("at#ss=1") == ["#SS: 1,0", "OK"]
    assert port.execute("AT+cgMm;+csq") == ["HE910", "+CSQ: 20,0", "OK"]


def test_bytes() -> None:
    """Information and result stand between CR LF each (TEL-GEN-05)."""
    port = MemoryModule("GE865-QUAD").port()
    port.execute("ATE0")
    assert port.say(b"AT+COPS?\r") == b'\r\n+COPS: 0,0,"I WIND"\r\n\r\nOK\r\n'
    assert port.say(b"AT#NONE\r") == b"\r\nERROR\r\n"


@pytest.mark.parametrize(
    "line", ["AT#NONE", "AT#SS=7", "AT#SCFG=1", "AT#TCPATRNL=1", "AT#TCPATRUNAATH=2", "AT#SS=1,2", "AT+CSQ="]
)
def test_errors(line: str) -> None:
    """A bad command is a plain ERROR, whatever +CMEE says (TEL-GEN-06, TEL-CON-01, TEL-CON-02)."""
    port = MemoryModule().port()
    for level in (0, 1, 2):
        port.execute(f"AT+CMEE={level}")
        assert port.execute(line) == ["ERROR"]


def test_errorNumbers() -> None:
    """Where the tables name a cause it is told as +CMEE says (TEL-GEN-06)."""
    emulated = MemoryModule()
    port = emulated.port()
    emulated.module.sim.remove()
    answers = [port.execute(f"AT+CMEE={level};+CPIN?")[-1] for level in (0, 1, 2)]
    assert answers == ["ERROR", "+CME ERROR: 10", "+CME ERROR: SIM not inserted"]


@pytest.mark.parametrize("octets", ["“internet”".encode(), "«internet»".encode("latin-1"), b"\x93internet\x94"])
def test_curlyQuotes(octets: bytes) -> None:
    """Typographic quotes don't stand for straight ones: the line is refused (TEL-GEN-08)."""
    port = MemoryModule().port()
    assert port.say(b'AT+CGDCONT=1,"IP",' + octets + b"\r").endswith(b"\r\nERROR\r\n")
    assert port.execute("AT+CGDCONT?") == ["OK"]


def test_echo() -> None:
    """Local echo is a setting that changes nothing else (TEL-GEN-10)."""
    port = MemoryModule().port()
    withEcho = [port.execute(line) for line in ("AT", "AT+CSQ;+CGMM", "AT#NONE", "AT+COPS=?")]
    assert port.execute("ATE0") == ["OK"]
    assert [port.execute(line) for line in ("AT", "AT+CSQ;+CGMM", "AT#NONE", "AT+COPS=?")] == withEcho
    assert port.say(b"AT\r") == b"\r\nOK\r\n"
    assert port.execute("ATE1") == ["OK"]
    assert port.say(b"AT\r") == b"AT\r\r\nOK\r\n"


@given(st.binary(max_size=500))
def test_garbage(data: bytes) -> None:
    """Whatever comes on an AT port, the module answers the next line."""
    port = MemoryModule("GE865-QUAD", timeScale=0.0).port()
    port.say(data.replace(b"AT", b"A").replace(b"at", b"a").replace(b"a/", b"").replace(b"A/", b""))
    port.say(b"\r")
    assert port.execute("AT") == ["OK"]


# -- ports


def test_newestConnectionHasThePort() -> None:
    """A new connection to a port takes the place of the older one, which is closed."""
    emulated = MemoryModule()
    older = emulated.port()
    newer = emulated.port()
    assert older.isClosed
    assert newer.execute("AT") == ["OK"]


def test_settingsOutliveTheConnection() -> None:
    """Settings belong to the instance: who plugs in next finds them."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute("ATE0+CMEE=2")
    port.close()
    assert emulated.port().execute("AT+CMEE?") == ["+CMEE: 2", "OK"]


def test_unplugged() -> None:
    """A command that runs when its port is unplugged is given up; the next user starts afresh."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute(DEFINE)
    port.say(b"AT#SGACT=1,1\rAT+C")
    port.close()
    other = emulated.port()
    assert other.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]


# -- power


def test_offIsMute() -> None:
    """A module that is off, or boots, hears nothing on its ports, which stay open."""
    emulated = MemoryModule(isOn=False)
    port = emulated.port()
    assert port.say(b"AT\r") == b""
    emulated.module.powerOn()
    assert port.say(b"AT\r") == b""
    emulated.advance(10)
    assert port.heard() == b""
    assert port.execute("AT") == ["OK"]
    emulated.module.powerOff()
    assert port.say(b"AT\r") == b""


@pytest.mark.parametrize("line", ["AT#REBOOT", "AT+CFUN=1,1", "AT#ENHRST=1,0", "AT#ENHRST=1,1"])
def test_restarts(line: str) -> None:
    """A restart is answered first, then forgets what isn't stored."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute("AT+CMEE=2")
    assert port.execute(line) == ["OK"]
    emulated.advance(90)
    assert port.execute("AT+CMEE?") == ["+CMEE: 0", "OK"]


def test_shutDown() -> None:
    """After #SHDN only the power key brings the module back."""
    emulated = MemoryModule()
    port = emulated.port()
    assert port.execute("AT#SHDN") == ["OK"]
    emulated.advance(100_000)
    assert port.say(b"AT\r") == b""
    emulated.switchOn()
    assert port.execute("AT") == ["OK"]


def test_pendingEndOfPower() -> None:
    """A power cut between #REBOOT or #SHDN and its moment leaves nothing that strikes after the next power-on."""
    for line in ("AT#SHDN", "AT#REBOOT"):
        emulated = MemoryModule(timeScale=0.1)
        emulated.module.timeScale = 100.0
        port = emulated.port()
        port.execute(line)
        emulated.module.powerOff()
        emulated.module.timeScale = 0.0
        emulated.switchOn()
        port.execute("AT+CMEE=2")
        emulated.advance(1000)
        assert port.execute("AT+CMEE?") == ["+CMEE: 2", "OK"]


def test_scheduledRestart() -> None:
    """#ENHRST=2 restarts again and again, over power cuts too, until it is ended; without a pause it is refused."""
    emulated = MemoryModule()
    port = emulated.port()
    assert port.execute("AT#ENHRST=2,10;#ENHRST?") == ["#ENHRST: 2,10,10", "OK"]
    for _ in range(3):
        port.execute("AT+CMEE=2")
        emulated.advance(590)
        assert port.execute("AT+CMEE?") == ["+CMEE: 2", "OK"]
        emulated.advance(15)
        assert port.execute("AT+CMEE?") == ["+CMEE: 0", "OK"]
    emulated.module.powerOff()
    emulated.switchOn()
    assert port.execute("AT#ENHRST?")[0].startswith("#ENHRST: 2,10,")
    assert port.execute("AT#ENHRST=0;#ENHRST?") == ["#ENHRST: 0", "OK"]
    assert port.execute("AT#ENHRST=2,0") == ["ERROR"]


def test_commandsEndWithThePower() -> None:
    """A command that runs when the power goes is not answered, nor does it go on after the next start."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute(DEFINE)
    port.say(b"AT#SGACT=1,1\r")
    emulated.module.reboot()
    emulated.advance(100)
    assert port.heard() == b""
    assert port.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]


def test_offLeavesNothing() -> None:
    """A module that is off has nothing pending, and a thousand power cycles leave nothing behind."""
    emulated = MemoryModule(timeScale=0.0)
    for _ in range(1000):
        emulated.module.powerOff()
        emulated.module.powerOn()
    emulated.module.powerOff()
    assert emulated.clock.getDelayedCalls() == []


# -- start-up lines


@implementer(ILogObserver)
class Log:
    """The messages that are logged."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Keep the message."""
        self.messages.append(formatEvent(event))


def test_startupLines() -> None:
    """Start-up lines run at each power-on, after the registration, before a port is heard."""
    lines = [DEFINE, "AT#SGACT=1,1", "AT#GPIO=3,1,1"]
    emulated = MemoryModule(startup=lines, isOn=False)
    port = emulated.port()
    for _ in range(2):
        emulated.module.powerOn()
        emulated.advance(5.2)
        assert port.say(b"AT\r") == b""
        emulated.advance(10)
        assert port.heard() == b""
        assert port.execute("AT#SGACT?;#GPIO=3,2") == ["#SGACT: 1,1", "#GPIO: 1,1", "OK"]
        emulated.module.powerOff()


def test_startupFails() -> None:
    """A start-up line that fails is logged without what it held, and the next one runs."""
    log = Log()
    globalLogPublisher.addObserver(log)
    try:
        port = MemoryModule(startup=['AT#SGACT=1,1,"user","hunter2"', "AT+CMEE=2"]).port()
    finally:
        globalLogPublisher.removeObserver(log)
    assert port.execute("AT+CMEE?") == ["+CMEE: 2", "OK"]
    assert any("start-up line" in message and "ERROR" in message for message in log.messages)
    assert not any("hunter2" in message for message in log.messages)


def test_startupWithoutNetwork() -> None:
    """Without a network the lines run after a while all the same."""
    emulated = MemoryModule(startup=["AT+CMEE=2"], isOn=False)
    emulated.network.setService(False)
    port = emulated.port()
    emulated.module.powerOn()
    emulated.advance(3 + REGISTRATION - 1)
    assert port.say(b"AT\r") == b""
    emulated.advance(2)
    assert port.execute("AT+CMEE?") == ["+CMEE: 2", "OK"]


def test_startupWithoutEnd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that has no end doesn't keep the module from its users for ever."""
    monkeypatch.setattr("atrunproto.emulator.module.DURATIONS", {"boot": 1.0, "+COPS=?": 1e9})
    log = Log()
    globalLogPublisher.addObserver(log)
    try:
        emulated = MemoryModule(startup=["AT+COPS=?", "AT+CMEE=2"], isOn=False)
        port = emulated.port()
        emulated.module.powerOn()
        emulated.advance(1 + LONGEST + 1)
    finally:
        globalLogPublisher.removeObserver(log)
    assert port.execute("AT") == ["OK"]
    assert any("no end" in message for message in log.messages)


def test_pluggedInDuringStartup() -> None:
    """Who plugs in while the lines run doesn't disturb them, and is heard afterwards."""
    emulated = MemoryModule(startup=[DEFINE, "AT#SGACT=1,1", "AT+CMEE=2"], isOn=False)
    emulated.module.powerOn()
    emulated.advance(5.5)
    port = emulated.port()
    assert port.say(b"AT\r") == b""
    emulated.advance(20)
    assert port.execute("AT+CMEE?;#SGACT?") == ["+CMEE: 2", "#SGACT: 1,1", "OK"]


def test_startupWithServiceOnItsInstance() -> None:
    """Lines that follow the enabling of a service on instance 1 run on another one; so do all at the next start."""
    lines = [
        DEFINE,
        "AT#SGACTCFG=1,3",
        "AT#SGACT=1,1",
        'AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"',
        'AT#TCPATRUNAUTH=1,"user","secret"',
        'AT#TCPATRUNCFG=1,1,1024,1024,""',
        "AT#TCPATRUNL=1",
        "AT#GPIO=3,1,1",
    ]
    emulated = MemoryModule(startup=lines)
    for _ in range(2):
        emulated.advance(10)
        wire = emulated.call(1024)
        wire.say(b"user\rsecret\r")
        assert wire.execute("AT#GPIO=3,2") == ["#GPIO: 1,1", "OK"]
        emulated.module.powerOff()
        emulated.switchOn()


def test_powerCutDuringStartup() -> None:
    """A power cut amid the lines ends them; the next start runs them all."""
    emulated = MemoryModule(startup=[DEFINE, "AT#SGACT=1,1", "AT+CMEE=2"], isOn=False)
    emulated.module.powerOn()
    emulated.advance(5.5)
    emulated.module.powerOff()
    assert emulated.clock.getDelayedCalls() == []
    emulated.switchOn()
    assert emulated.port().execute("AT+CMEE?;#SGACT?") == ["+CMEE: 2", "#SGACT: 1,1", "OK"]
