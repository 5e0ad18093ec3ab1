"""What a dozen AT clients were seen to expect of a modem, on a pseudo terminal and over TCP, asked by pyserial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import serial

from atrunproto.testing.emulated import LiveModule
from tests.realsoftware.terminal import PATIENCE


class Modem:
    """
    A module, with pyserial on AT instance 1.

    @ivar module: the module.
    @ivar line: what pyserial has opened.
    """

    def __init__(self, place: str) -> None:
        self.module = LiveModule(ports={1: "pty:./at1" if place == "pty" else "tcp:0:interface=127.0.0.1"})
        self.device = "./at1" if place == "pty" else "socket://{}:{}".format(*self.module.address())
        self.line = self.open()

    def open(self) -> Any:
        """Open the line."""
        return serial.serial_for_url(self.device, timeout=PATIENCE)

    def say(self, data: bytes, answer: bytes) -> None:
        """Send something that must be answered by just that."""
        self.line.write(data)
        assert self.line.read(len(answer)) == answer

    def ask(self, command: bytes) -> bytes:
        """Give the answer to a command that must be answered by OK, without echo and OK."""
        self.line.write(command + b"\r")
        answer: bytes = self.line.read_until(b"\r\nOK\r\n")
        echo = command + b"\r"
        assert answer.startswith(echo)
        assert answer.endswith(b"\r\nOK\r\n")
        return answer[len(echo) : -6].strip()

    def close(self) -> None:
        """End both."""
        self.line.close()
        self.module.close()


@pytest.fixture(params=["pty", "tcp"])
def modem(request: pytest.FixtureRequest) -> Iterator[Modem]:
    """A module with a client on it."""
    modem = Modem(request.param)
    yield modem
    modem.close()


def test_echoPerCharacter(modem: Modem) -> None:
    """Each character is echoed as it comes, not with the line: clients match on the echo before they go on."""
    for character in b"AT+CGMM\r":
        modem.say(bytes([character]), bytes([character]))
    assert modem.line.read_until(b"OK\r\n") == b"\r\nHE910\r\n\r\nOK\r\n"


def test_escapeBeforeCommand(modem: Modem) -> None:
    """ESC CR in front of a command is dropped, on a fresh line and behind half a command."""
    modem.say(b"\x1b\rAT\r", b"\rAT\r\r\nOK\r\n")
    modem.say(b"AT+CFUN=4\x1bAT\r", b"AT+CFUN=4AT\r\r\nOK\r\n")
    assert modem.ask(b"AT+CFUN?") == b"+CFUN: 1"


def test_controlZ(modem: Modem) -> None:
    """A ^Z left over from a prompt does not spoil the next command."""
    modem.say(b"\x1aAT\r", b"AT\r\r\nOK\r\n")
    modem.say(b"\x1a\rAT\r", b"\rAT\r\r\nOK\r\n")


@pytest.mark.parametrize("command", [b"AT", b"at", b"ATZ", b"atz", b"AT&F", b"at&f", b"AT+CMEE=1;+CREG=2", b"ATE1V1Q0"])
def test_first(modem: Modem, command: bytes) -> None:
    """What clients begin with is answered by OK, in either case, concatenated or not."""
    assert modem.ask(command) == b""


def test_errorsByNumber(modem: Modem) -> None:
    """+CMEE=1 answers OK, and gives errors by number from then on."""
    assert modem.ask(b"AT+CMEE=1") == b""
    modem.say(b"AT+CCID\r", b"AT+CCID\r\r\n+CME ERROR: 4\r\n")


def test_facts(modem: Modem) -> None:
    """Capabilities, multiplexer ranges, the PIN's state and the alphabets are what clients look for."""
    assert b"+CGSM" in modem.ask(b"AT+GCAP")
    assert modem.ask(b"AT+CMUX=?").startswith(b"+CMUX: (0)")
    assert modem.ask(b"AT+CPIN?") == b"+CPIN: READY"
    assert b'"UCS2"' in modem.ask(b"AT+CSCS=?")
    assert modem.ask(b'AT+CSCS="UCS2";+CSCS?') == b'+CSCS: "UCS2"'


def test_ICCID(modem: Modem) -> None:
    """The number of the SIM card is the same by every way of asking, and the card's own."""
    iccid = modem.module.module.sim.iccid.encode()
    assert iccid.isdigit()
    assert modem.ask(b"AT#CCID") == modem.ask(b"at#ccid") == b"#CCID: " + iccid
    assert modem.ask(b"AT+CGMM;#CCID").endswith(b"#CCID: " + iccid)


def test_IMEI(modem: Modem) -> None:
    """So is the IMEI: with and without prefix, alone and concatenated."""
    assert modem.ask(b"AT+CGSN") == b"357000000000001"
    assert modem.ask(b"AT#CGSN") == b"#CGSN: 357000000000001"
    assert modem.ask(b"AT+CGMM;+CGSN").endswith(b"357000000000001")


def test_atOnce(modem: Modem) -> None:
    """A client that sends its next command the moment it has OK loses none: fifty commands, fifty answers."""
    for number in range(50):
        command = b"ATS0=%d;S0?" % (number % 10)
        assert modem.ask(command) == b"%03d" % (number % 10)


def test_comeAndGo(modem: Modem) -> None:
    """The port stays when a client closes it, and the next one finds it as it was left."""
    assert modem.ask(b"AT+CMEE=2") == b""
    for _ in range(3):
        modem.line.close()
        modem.line = modem.open()
        assert modem.ask(b"AT+CMEE?") == b"+CMEE: 2"


def test_noticesAlone(modem: Modem) -> None:
    """Clients that wait for notices rather than poll get them unasked."""
    modem.ask(b"AT+CREG=1")
    modem.module.call(modem.module.network.setService, False)
    assert modem.line.read_until(b"+CREG: 2\r\n") == b"\r\n+CREG: 2\r\n"
    modem.module.call(modem.module.network.setService, True)
    assert modem.line.read_until(b"+CREG: 1\r\n").endswith(b"\r\n+CREG: 1\r\n")


def test_noDelay() -> None:
    """An AT port over TCP sends at once (TCP_NODELAY); else each round trip would wait for an acknowledgement."""
    with LiveModule() as module, serial.serial_for_url("socket://{}:{}".format(*module.address())) as line:
        line.write(b"AT\r")
        line.read_until(b"OK\r\n")
        transport = module.module.instance(1).transport
        assert module.call(transport.getTcpNoDelay)
