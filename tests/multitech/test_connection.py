"""The connection of a Multi-Tech modem by GPRS: its start, its end, what it tells, and the states between."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import CME, Reason, multitechReason
from atrunproto.emulator.network import AccessPoint, AddressPool
from atrunproto.multitech.connection import Connection
from atrunproto.multitech.errors import GPRS_LOST, INACTIVE
from atrunproto.multitech.lifecycle import STATES, TRANSITIONS, Input
from atrunproto.multitech.stack import Stack
from atrunproto.secret import Secret
from tests.multitech.modems import OK, Modem, connected, failed

UP = b"\r\n127.0.0.1\r\n\r\nOk_Info_GprsActivation\r\n"
APN = 'AT#APNSERV="apnserver.com"'


def shown(state: str) -> bytes:
    """What AT#VSTATE answers."""
    return b'#STATE: "%s"\r\n' % state.encode() + OK


def result(modem: Modem, seconds: float = 5) -> bytes:
    """What comes of AT#CONNECTIONSTART."""
    at = modem.say("AT#CONNECTIONSTART")
    modem.memory.advance(seconds)
    return at + modem.port.heard()


def test_everyPairIsDecided() -> None:
    """MTS-CALL-15: whatever happens in whatever state, the modem knows what follows."""
    assert set(TRANSITIONS) == set(product(STATES, Input))
    assert all(isinstance(target, Reason) or target in STATES for target in TRANSITIONS.values())


def test_start() -> None:
    """MTS-CALL-01, MTS-CALL-10, MTS-MISC-06, MTS-MISC-09: the address comes, then the message, and no dialling line."""
    modem = Modem(APN)
    assert modem.say("AT#CONNECTIONSTART") == b""
    assert modem.say("AT#VSTATE") == shown("CHECKING")
    modem.memory.advance(5)
    assert modem.port.heard() == UP
    assert modem.say("AT#VSTATE") == shown("CONNECTED")
    modem.memory.advance(60)
    assert modem.port.heard() == b""


def test_startAtOnce() -> None:
    """MTS-CALL-10: a modem whose commands take no time tells its success behind the echo all the same."""
    assert Modem(APN, timeScale=0.0).say("AT#CONNECTIONSTART") == UP


def test_messageByNumber() -> None:
    """MTS-RES-02: under ATV0 the success is the number 3086."""
    modem = Modem(APN)
    modem.say("ATV0")
    assert result(modem) == b"\r\n127.0.0.1\r\n\r3086\r"


@pytest.mark.parametrize(
    ("apn", "user", "password", "isTaken"),
    [
        ("apnserver.com", "login", "secret", True),
        ("apnserver.com", "login", "wrong", False),
        ("apnserver.com", "nobody", "secret", False),
        ("apnserver.com", "", "", False),
        ("other.com", "login", "secret", False),
        ("free.com", "login", "secret", True),
        ("free.com", "", "", True),
    ],
)
def test_accessPoint(apn: str, user: str, password: str, isTaken: bool) -> None:
    """MTS-CALL-11, MTS-CALL-12, MTS-ERR-12: the network looks at access point, user and password; else it's 35868."""
    modem = Modem(f'AT#APNSERV="{apn}"', f'AT#APNUN="{user}"', f'AT#APNPW="{password}"', "AT#GPRSCID=3")
    points = modem.memory.network.accessPoints
    points["apnserver.com"], points["free.com"] = AccessPoint("login", Secret("secret")), AccessPoint()
    assert result(modem) == (UP if isTaken else failed(35868))
    assert list(modem.module.contexts.active) == ([3] if isTaken else [])


def test_rejectedName() -> None:
    """MTS-ERR-12, MTS-ERR-47: of an access point that the network rejects the modem tells once, and is idle."""
    modem = Modem(APN)
    modem.memory.network.rejects.add("apnserver.com")
    for _ in range(2):
        assert result(modem) == failed(35868)
        assert modem.say("AT#VSTATE") == shown("IDLE")


def test_refused() -> None:
    """MTS-CALL-12, MTS-ERR-10: every attempt in a network that gives no context ends with 35866."""
    modem = Modem(APN)
    modem.memory.network.refusal = CME[555]
    assert [result(modem) for _ in range(3)] == [failed(35866)] * 3
    modem.memory.network.refusal = None
    assert result(modem) == UP


def test_noAddressLeft() -> None:
    """MTS-ERR-10: a network without a free address can't establish the session."""
    modem = Modem(APN)
    pool = modem.memory.network.pool = AddressPool("127.5.0.1/30")
    while pool.claim():
        pass
    assert result(modem) == failed(35866)


@pytest.mark.parametrize("number", [36872, 49153, 49155, 49156, 49157, 49158])
def test_internalErrors(number: int) -> None:
    """MTS-ERR-15, MTS-ERR-41, MTS-ERR-43, MTS-ERR-44, MTS-ERR-45, MTS-ERR-46: a test can have the modem fail inside,
    and its host hears the number."""
    modem = Modem(APN)
    modem.memory.network.refusal = multitechReason(number)
    assert result(modem) == failed(number)


def test_internalErrorOfRelease() -> None:
    """MTS-ERR-42: a test can have the modem fail inside when a connection is ended, which is over all the same."""
    modem = connected()
    modem.memory.network.releaseFails = True
    assert modem.say("AT#CONNECTIONSTOP") == b""
    modem.memory.advance(5)
    assert modem.port.heard() == failed(49154)
    assert modem.say("AT#VSTATE") == b'#STATE: "IDLE"\r\n' + OK
    assert modem.say("AT#CONNECTIONSTOP") == failed(35867)


@pytest.mark.parametrize("mode", [0, 1])
def test_notRegistered(mode: int) -> None:
    """MTS-CALL-08, MTS-ERR-09: without a network no connection begins, by GSM or by GPRS."""
    modem = Modem(APN, f"AT#GPRSMODE={mode}")
    modem.memory.network.setService(False)
    assert modem.say("AT#CONNECTIONSTART") == failed(35865)


def test_notAttached() -> None:
    """MTS-ERR-09: nor does one by GPRS while the modem is detached from the packet service."""
    modem = Modem(APN)
    modem.port.execute("AT+CGATT=0")
    assert modem.say("AT#CONNECTIONSTART") == failed(35865)


def test_dataCalls() -> None:
    """MTS-CALL-01: a connection by a data call is refused as something that isn't there, since none is emulated."""
    modem = Modem('AT#DIALN1="1234"', "AT#GPRSMODE=0")
    assert modem.say("AT#CONNECTIONSTART") == failed(36872)


@pytest.mark.parametrize("lines", [(), ("AT#GPRSMODE=0",), ('AT#DIALN1="1234"', "AT#DIALSELECT=2", "AT#GPRSMODE=0")])
def test_nobodyToCall(lines: tuple[str, ...]) -> None:
    """MTS-ERR-16, MTS-GAP-37: without an access point, or the telephone number chosen, the configuration is bad."""
    assert Modem(*lines).say("AT#CONNECTIONSTART") == failed(36929)


def test_already() -> None:
    """MTS-CALL-09, MTS-ERR-06: a second start is refused while the first one goes on, or is done, or is ended."""
    modem = Modem(APN)
    other = modem.memory.port(2)
    modem.say("AT#CONNECTIONSTART")
    assert modem.say("AT#CONNECTIONSTART") == failed(35840)
    modem.memory.advance(5)
    assert modem.port.heard() == UP
    assert modem.say("AT#CONNECTIONSTART") == failed(35840)
    other.say(b"ATE0\r")
    assert modem.say("AT#CONNECTIONSTOP") == b""
    assert other.say(b"AT#VSTATE\r") == shown("DISCONNECTING")
    assert other.say(b"AT#CONNECTIONSTART\r") == failed(35840)
    assert other.say(b"AT#CONNECTIONSTOP\r") == failed(35867)


def test_stop() -> None:
    """MTS-CALL-13, MTS-MISC-03, MTS-MISC-08: OK comes when the line is released; the address is free for others."""
    modem = connected()
    modem.memory.network.pool = pool = AddressPool("127.6.0.1/24")
    modem.port.execute("AT#CONNECTIONSTOP")
    assert result(modem) == UP.replace(b"127.0.0.1", b"127.6.0.1")
    assert modem.say("AT#CONNECTIONSTOP") == b""
    assert pool.claim("127.6.0.1") is None
    modem.memory.advance(1)
    assert modem.port.heard() == OK
    assert modem.say("AT#VSTATE") == shown("IDLE")
    assert pool.claim("127.6.0.1") == "127.6.0.1"


def test_stopDuringStart() -> None:
    """MTS-CALL-14: a stop ends an attempt; its OK is all that comes, and the network gives no address."""
    modem = Modem(APN)
    modem.memory.network.accessPoints["apnserver.com"] = AccessPoint(seconds=30)
    assert modem.say("AT#CONNECTIONSTART") == b""
    modem.memory.advance(10)
    assert modem.say("AT#CONNECTIONSTOP") == OK
    assert modem.say("AT#VSTATE") == shown("IDLE")
    modem.memory.advance(60)
    assert modem.port.heard() == b""
    assert modem.module.contexts.active == {}


def test_stopByAnother() -> None:
    """MTS-CALL-14: who waits for a start that is ended at another port hears that nothing comes of it."""
    modem = Modem(APN)
    other = modem.memory.port(2)
    modem.say("AT#CONNECTIONSTART")
    assert other.say(b"AT#CONNECTIONSTOP\r").endswith(OK)
    assert modem.port.heard() == failed(35866)


def test_stopWithout() -> None:
    """MTS-ERR-11: where nothing is connected there is nothing to stop."""
    assert Modem().say("AT#CONNECTIONSTOP") == failed(35867)


def test_displayIP() -> None:
    """MTS-DISP-18, MTS-DISP-19: both addresses are shown, as soon as there are any."""
    modem = Modem(APN)
    modem.memory.network.gateway = "127.0.0.254"
    assert modem.say("AT#DISPLAYIP") == failed(35867)
    modem.say("AT#CONNECTIONSTART")
    assert modem.say("AT#DISPLAYIP") == failed(35867)
    modem.memory.advance(5)
    modem.port.heard()
    assert modem.say("AT#DISPLAYIP") == b"MY IP: 127.0.0.1\r\nGateway IP: 127.0.0.254\r\n" + OK
    modem.port.execute("AT#CONNECTIONSTOP")
    assert modem.say("AT#DISPLAYIP") == failed(35867)


def test_inactivity() -> None:
    """MTS-DIAL-10, MTS-CALL-28, MTS-ERR-08: after so many minutes without an octet the modem ends it and says so."""
    modem = Modem(APN, "AT#PHYTIMEOUT=2")
    modem.say("AT#CONNECTIONSTART")
    modem.memory.advance(2)
    assert modem.port.heard() == UP
    modem.memory.advance(90)
    modem.module.part(Stack).needLink().touch()
    modem.memory.advance(119)
    assert modem.port.heard() == b""
    modem.memory.advance(1)
    assert modem.port.heard() == failed(35862)
    assert modem.say("AT#VSTATE") == shown("IDLE")
    assert modem.module.contexts.active == {}


def test_inactivityChanged() -> None:
    """MTS-DIAL-10, MTS-PAR-11: a new time of inactivity is in force for the connection that is up."""
    modem = connected()
    modem.memory.advance(600)
    assert modem.say("AT#PHYTIMEOUT=1") == OK
    modem.memory.advance(59)
    assert modem.port.heard() == b""
    assert modem.say("AT#PHYTIMEOUT=20") == OK
    modem.memory.advance(20 * 60 - 1)
    assert modem.port.heard() == b""
    modem.memory.advance(1)
    assert modem.port.heard() == failed(35862)


def test_lost() -> None:
    """MTS-ERR-07: the loss of a connection by which nothing runs is told by itself, and a new one can be made."""
    modem = connected()
    modem.module.contexts.lose(1)
    assert modem.port.heard() == failed(35841)
    assert modem.say("AT#VSTATE") == shown("IDLE")
    assert result(modem) == UP
    modem.memory.network.setService(False)
    assert modem.port.heard() == failed(35841)
    assert modem.say("AT#VSTATE") == shown("NO SERVICE")


def test_lostDuringStart() -> None:
    """MTS-ERR-10: an attempt during which the network goes away ends with 35866."""
    modem = Modem(APN)
    modem.say("AT#CONNECTIONSTART")
    modem.memory.network.setService(False)
    modem.memory.advance(5)
    assert modem.port.heard() == failed(35866)


def test_lostDuringStop() -> None:
    """MTS-CALL-13: a connection that is lost while it is ended is ended at once."""
    modem = connected()
    assert modem.say("AT#CONNECTIONSTOP") == b""
    modem.module.contexts.lose(1)
    assert modem.port.heard() == OK


def test_anotherContext() -> None:
    """MTS-ERR-07: the end of a context that isn't the connection's changes nothing."""
    modem = connected("AT#GPRSCID=2")
    modem.port.execute("AT+CGACT=1,1")
    modem.port.execute("AT+CGACT=0,1")
    assert modem.say("AT#VSTATE") == shown("CONNECTED")


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (lambda modem: modem.module.contexts.lose(1), GPRS_LOST),
        (lambda modem: modem.memory.advance(16 * 60), INACTIVE),
        (lambda modem: modem.port.execute("AT#CONNECTIONSTOP"), None),
        (lambda modem: modem.say("AT+WOPEN=0"), None),
        (lambda modem: modem.module.powerOff(), None),
    ],
)
def test_watched(happens: Any, told: Reason | None) -> None:
    """MTS-ERR-07, MTS-ERR-08: a service hears once why its connection ends, when it is gone, and tells it itself."""
    modem = connected()
    link = modem.module.part(Stack).needLink()
    heard: list[tuple[Reason | None, str | None]] = []
    forgotten: list[Reason | None] = []
    link.watch(lambda reason: heard.append((reason, link.address)))
    forget = link.watch(forgotten.append)
    forget()
    forget()
    happens(modem)
    assert heard == [(told, None)]
    assert forgotten == []
    assert b"#CME ERROR" not in modem.port.heard()


def test_stackClosed() -> None:
    """MTS-OPEN-02: with the stack the connection ends, and an attempt to make one."""
    modem = connected()
    modem.say("AT+WOPEN=0;+WOPEN=1")
    assert modem.say("AT#VSTATE") == shown("IDLE")
    modem.say("AT#CONNECTIONSTART")
    modem.say("AT+WOPEN=0;+WOPEN=1")
    modem.memory.advance(5)
    assert modem.port.heard() == b""
    assert modem.say("AT#VSTATE") == shown("IDLE")


def test_powerCycle() -> None:
    """MTS-MISC-03: after a power cut nothing is left of a connection, an attempt, or a release."""
    modem = connected()
    modem.restart()
    assert modem.say("AT#VSTATE") == shown("IDLE")
    modem.say("AT#CONNECTIONSTART")
    modem.restart()
    modem.memory.advance(5)
    assert modem.port.heard() == b""
    assert result(modem) == UP
    modem.say("AT#CONNECTIONSTOP")
    modem.restart()
    assert result(modem) == UP


def test_restOfLine() -> None:
    """MTS-CALL-01: what stands behind the start in its line is not run."""
    modem = Modem(APN)
    assert modem.say("AT#CONNECTIONSTART;#PINGNUM=9") == b""
    modem.memory.advance(5)
    assert modem.port.heard() == UP
    assert modem.read("PINGNUM") == "4"


def test_resolveAfterTheEnd() -> None:
    """MTS-ERR-11: an address that is found when the connection is gone is of no use any more."""
    modem = connected()
    link = modem.module.part(Connection)
    link.drop()
    with pytest.raises(CommandFailed) as raised:
        link.resolve("127.0.0.9").send(None)
    assert raised.value.reason.number == 35867
