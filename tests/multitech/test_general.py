"""What a Multi-Tech modem has of the commands that all modules have, and how they are answered beside its own."""

from __future__ import annotations

import pytest

from tests.multitech.modems import OK, Modem, failed
from tests.sms.gateways import Gateway
from tests.sms.mobiles import OUTSIDE, bring, deliver, module, sent


def test_writes() -> None:
    """MTS-RES-03, MTS-RES-04, MTS-RES-07, MTS-SER-05: a write is acknowledged by text, under ATV0 by number."""
    modem = Modem("ATV1")
    assert modem.say("AT#PINGNUM=4") == b"\r\nOK\r\n"
    assert modem.say("ATV0") == b"\r0\r"
    assert modem.say("AT#PINGNUM=4") == b"\r0\r"
    assert modem.say("AT#PINGNUM=0") == failed(34882)


@pytest.mark.parametrize("mode", ["ATV0", "ATV1"])
def test_reads(mode: str) -> None:
    """MTS-RES-05, MTS-RES-06, MTS-GAP-10, MTS-GAP-11: what is read, and an error, look the same whatever ATV says."""
    modem = Modem("AT#PINGNUM=9")
    modem.say(mode)
    assert modem.say("AT#PINGNUM?") == b"#PINGNUM: 9\r\n\r\nOK\r\n"
    assert modem.say("AT#DLEMODE=2") == b"#DLEMODE: 2,1\r\n\r\nOK\r\n"
    assert modem.say("AT#VDNS") == b'#DNSSERV1: "0.0.0.0"\r\n#DNSSERV2: "0.0.0.0"\r\n\r\nOK\r\n'
    assert modem.say("AT#VSTATE") == b'#STATE: "IDLE"\r\n\r\nOK\r\n'
    assert modem.say("AT#FOO") == b"\r#CME ERROR: 34817\r\n"


def test_quiet() -> None:
    """MTS-SER-04, MTS-RES-08: after ATQ1 nothing comes back, but all is done; after ATQ0 it does again."""
    modem = Modem()
    assert modem.say("ATQ1") == b""
    for line in ("AT#PINGNUM=9", "AT#PINGNUM?", "AT#FOO", "AT#VALL"):
        assert modem.say(line) == b""
    assert modem.say("ATQ0") == OK
    assert modem.read("PINGNUM") == "9"


def test_port() -> None:
    """MTS-SER-01, MTS-SER-02: rate and flow control are set and read back."""
    modem = Modem()
    for line in ("AT+IPR=9600", "AT+IFC=0,0", "AT+IFC=2,2"):
        assert modem.say(line) == OK
    assert modem.say("AT+IPR?") == b"\r\n+IPR: 9600\r\n" + OK
    assert modem.say("AT+IFC?") == b"\r\n+IFC: 2,2\r\n" + OK


def test_otherErrors() -> None:
    """An AT command that isn't Multi-Tech's own fails as on any module: by ERROR, or by what +CMEE asks for."""
    modem = Modem()
    for line in ("AT+FOO", "AT+CFUN=99", "AT+CREG=9", "ATX9", "AT+CGATT"):
        assert modem.say(line) == b"\r\nERROR\r\n", line
    modem.say("AT+CMEE=1")
    modem.module.sim.remove()
    assert modem.say("AT+CPIN?") == b"\r\n+CME ERROR: 10\r\n"
    assert modem.say("AT+CMGL=4") == b"\r\n+CMS ERROR: 310\r\n"
    assert modem.say("AT#PINGNUM=0") == failed(34882)


@pytest.mark.parametrize("name", ["#QSS", "#SGACT", "#SCFG", "#FTPOPEN", "#REBOOT", "#MONI", "#CGMI", "#BND"])
def test_notTelits(name: str) -> None:
    """MTS-ERR-01: what begins with # and isn't in the guide doesn't exist, though other modules have it."""
    modem = Modem()
    for form in ("", "?", "=1"):
        assert modem.say(f"AT{name}{form}") == failed(34817)


GENERAL = """
    AT+CSQ AT+CPIN? AT+COPS? AT+CGDCONT? AT+CFUN? AT+CRC=1 AT+CLIP=1 AT+CREG? AT+CGREG? AT+CGATT? AT+CGMI AT+CGMR
    AT+CMGF=1 AT+CSCA? AT+CNMI=2,1 AT+CPMS? AT+CMGL=4 AT+CSCS? AT+CSMS=0
"""


@pytest.mark.parametrize("line", GENERAL.split())
def test_generalCommands(line: str) -> None:
    """The modem knows what a host asks a GSM modem for before it connects, or to exchange messages."""
    assert Modem().say(line).endswith(OK)


def test_pin() -> None:
    """MTS-REG-01, MTS-REG-02, MTS-GAP-45: a PIN may be bare; the reports are switched on, and registration follows."""
    modem = Modem()
    modem.module.sim.pin = "1234"
    modem.restart()
    assert modem.say("AT+CPIN=1234") == OK
    assert modem.say("AT+CREG=1") == OK
    modem.memory.advance(60)
    assert modem.port.heard() == b"\r\n+CREG: 1\r\n"


def test_quotedPin() -> None:
    """MTS-GAP-45: a PIN may also stand in quotes."""
    modem = Modem()
    modem.module.sim.pin = "1234"
    assert modem.say('AT+CPIN="1234"') == OK


def test_registeredAlready() -> None:
    """MTS-REG-02, MTS-GAP-45: a report that is switched on tells a registration that is there already."""
    modem = Modem()
    assert modem.say("AT+CREG=1") == OK + b"\r\n+CREG: 1\r\n"
    assert modem.say("AT+CREG=0") == OK


def test_attach() -> None:
    """MTS-REG-03, MTS-REG-04: an unattached modem says so, and on attaching that it looks for GPRS and has found it."""
    modem = Modem()
    modem.say("AT+CGATT=0")
    modem.memory.advance(5)
    modem.port.heard()
    assert modem.say("AT+CGREG=1") == OK + b"\r\n+CGREG: 0\r\n"
    modem.say("AT+CGATT=1")
    modem.memory.advance(5)
    assert modem.port.heard() == OK + b"\r\n+CGREG: 2\r\n\r\n+CGREG: 1\r\n"


def test_shortMessages() -> None:
    """A host sends and receives short messages over a Multi-Tech modem as over any other."""
    gateway = Gateway(module("MTCBA-G"))
    bring(gateway.emulated, deliver("one"), deliver("two"))
    assert gateway.texts() == ["one", "two"]
    assert gateway.stored() == 0
    assert gateway.result(gateway.sms.sendTo(OUTSIDE, "three")) == (0,)
    assert [data.text() for data in sent(gateway.emulated)] == ["three"]


def test_otherFamilies() -> None:
    """A Telit module tells its registration only when it changes."""
    modem = Modem(isOpen=False, product="GE865-QUAD")
    assert modem.say("AT+CREG=1") == OK
    assert modem.say("AT+WOPEN=1") == b"\r\nERROR\r\n"
