"""AT commands over short messages, from one emulated module to another, as gammu and a terminal send them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.tpdu import Deliver, Submit, decode
from atrunproto.sms.userdata import UserData
from atrunproto.smsatrun.digest import Direction, Envelope, Password
from tests.abuse.daemon import Daemon
from tests.realsoftware.gammu import onPty, session
from tests.realsoftware.outside import waitUntil
from tests.realsoftware.terminal import PATIENCE
from tests.support import requireProgram

MOBILE, MODULE = "+393460000001", "+393460000002"
PASSWORD = "1234567890123456"
#: one octet, class 1
CODING = DataCoding(0x15)

CONFIGURATION = f"""\
time-scale = 0

[[module]]
product = "HE910-EUR"
number = "{MOBILE}"
at = {{ 1 = "pty:mobile", 2 = "pty:mobile2" }}

[[module]]
product = "GE865-QUAD"
imei = "357000000000099"
number = "{MODULE}"
at = {{ 1 = "pty:module" }}
startup = [
    "AT#SMSATRUNCFG=3,1,5",
    'AT#SMSATWL=0,1,0,"+39*"',
    'AT#SMSATWL=0,2,1,"{PASSWORD}"',
    "AT#SMSATRUN=1",
]
"""


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """A mobile and a module that runs commands, in one process."""
    Path("modules.toml").write_text(CONFIGURATION)
    with Daemon("atrun-module", "--config", "modules.toml") as daemon:
        daemon.whenPrinted(b"modules switched on")
        with serial.Serial("module", timeout=0.2) as line:
            waitUntil(lambda: _isHeard(line), PATIENCE)
        yield


def _isHeard(line: serial.Serial) -> bool:
    """Whether the module has run its start-up lines: before, its port is mute."""
    line.write(b"AT\r")
    return bool(line.read_until(b"OK\r\n"))


class Terminal:
    """A user of an AT port."""

    def __init__(self, device: str) -> None:
        self._line = serial.Serial(device, timeout=PATIENCE)
        self.ask("ATE0")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._line.close()

    def ask(self, command: str) -> str:
        """Give the answer to a command, which must end with OK."""
        self._line.write(command.encode() + b"\r")
        return self._answer()

    def type(self, command: str, data: str) -> str:
        """Give the answer to a command that asks for data, and to the data."""
        self._line.write(command.encode() + b"\r")
        assert self._line.read_until(b"> ").endswith(b"\r\n> ")
        self._line.write(data.encode() + b"\x1a")
        return self._answer()

    def _answer(self) -> str:
        answer: bytes = self._line.read_until(b"\r\nOK\r\n")
        assert answer.endswith(b"\r\nOK\r\n"), answer
        return answer.decode()

    def stored(self) -> int:
        """How many messages are stored."""
        return int(self.ask("AT+CPMS?").split(",")[1])


@requireProgram("gammu")
def test_simple() -> None:
    """gammu sends command lines as texts from one module to another, and reads the answers there, one of them in
    several parts: just what a terminal on the other module gets (TEL-SMS-01, TEL-SMS-11, TEL-SMS-15)."""
    lines = ("AT+CGMR;+CGSN", "AT+COPS?;+CSCS=?;+CPMS?;+CNMI=?;+CMGL=?;+CGMI;+CGMM;+CIMI;#CCID;+GCAP")
    with Terminal("module") as terminal:
        answers = [terminal.ask(line) for line in lines]
    pty = onPty("./mobile")
    session(pty, *(("sendsms", "TEXT", MODULE, "-text", line) for line in lines))
    with Terminal("mobile2") as terminal:
        waitUntil(lambda: terminal.stored() == 3, PATIENCE)
    (listing,) = session(pty, ("geteachsms",))
    assert listing.count(f'Remote number        : "{MODULE}"') == 2
    for answer in answers:
        assert f"\n\n{answer}\n" in listing


def test_digest() -> None:
    """A signed request that a terminal sends as a PDU is answered by a message with the same password's signature; one
    with a wrong password isn't answered at all (TEL-DIG-01, TEL-DIG-02, TEL-DIG-07, TEL-DIG-13)."""
    with Terminal("mobile") as terminal:
        terminal.ask("AT+CMGF=0")
        for number, password in ((1, "0" * 16), (2, PASSWORD)):
            request = Envelope.seal(Direction.REQUEST, number, b"AT+CGSN", Password(password)).encode()
            unit = Submit(Address.parse(MODULE), UserData(CODING, request)).encode()
            terminal.type(f"AT+CMGS={len(unit)}", PDU(unit).encode())
        waitUntil(lambda: terminal.stored() == 1, PATIENCE)
        digits = terminal.ask("AT+CMGR=1").split("\r\n")[2]
    answer = decode(PDU.decode(digits).unit)
    assert isinstance(answer, Deliver)
    envelope = Envelope.decode(answer.userData.payload)
    assert (str(answer.origin), envelope.direction, envelope.session) == (MODULE, Direction.RESPONSE, 2)
    assert envelope.signer([Password(PASSWORD)]) is not None
    assert envelope.text == b"\r\n357000000000099\r\n\r\nOK\r\n"
