"""telnet, picocom, socat, nc and pyserial: the terminals of those who talk to a module by hand or in a script."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator

import pytest
import serial

from atrunproto.testing.emulated import LiveModule
from tests.programs import freePort
from tests.realsoftware.terminal import PATIENCE, Terminal
from tests.support import requireProgram

PTY = {1: "pty:./at1"}
IMEI = b"357000000000001"


def answer(command: list[str], typed: bytes) -> bytes:
    """Run a program that gets this on its standard input, and give what it writes."""
    done = subprocess.run(command, input=typed, stdout=subprocess.PIPE, timeout=PATIENCE)
    assert done.returncode == 0
    return done.stdout


class TestTelnet:
    """Server mode, by hand."""

    pytestmark = requireProgram("telnet")

    @pytest.fixture
    def port(self) -> Iterator[int]:
        """Where a module listens that is set as in the manual's picture."""
        port = freePort()
        startup = [
            'AT+CGDCONT=1,"IP","internet"',
            "AT#SGACT=1,1",
            "AT#SCFG=1,1,300,0,600,1",
            'AT#TCPATRUNFRWL=1,"127.0.0.1","255.0.0.0"',
            'AT#TCPATRUNAUTH=1,"testuser","testpassw"',
            f'AT#TCPATRUNCFG=1,2,{port},12345,"127.0.0.1",1,5,1,5,1',
            "AT#TCPATRUNL=1",
        ]
        with LiveModule("GE865-QUAD", {}, startup=startup):
            yield port

    def login(self, telnet: Terminal) -> None:
        """Log in, step by step."""
        telnet.expect(rb"Username:\r\n")
        telnet.press(b"testuser\r")
        telnet.expect(rb"Password:\r\n")
        telnet.press(b"testpassw\r")
        telnet.expect(rb"Login successful\.\r\n")

    def test_asInTheManual(self, port: int) -> None:
        """The session of the manual's picture: login, registration, neighbour cells (TEL-AUT-07, TEL-SRV-06)."""
        with Terminal("telnet", "127.0.0.1", str(port)) as telnet:
            self.login(telnet)
            assert telnet.ask(b"at+creg?") == b"at+creg?\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n"
            assert telnet.ask(b"at#moni=7") == b"at#moni=7\r\n\r\nOK\r\n"
            assert re.findall(rb"#MONI: (\w+)", telnet.ask(b"at#moni")) == [
                b"Cell", b"S", b"N1", b"N2", b"N3", b"N4", b"N5", b"N6"
            ]  # fmt: skip

    def test_again(self, port: int) -> None:
        """The next telnet finds the service as the one before did."""
        for _ in range(3):
            with Terminal("telnet", "127.0.0.1", str(port)) as telnet:
                self.login(telnet)
                assert telnet.ask(b"AT+CGSN") == b"AT+CGSN\r\n\r\n" + IMEI + b"\r\n\r\nOK\r\n"

    def test_wrongPassword(self, port: int) -> None:
        """A wrong password ends the connection; telnet says so (TEL-AUT-08)."""
        with Terminal("telnet", "127.0.0.1", str(port)) as telnet:
            telnet.expect(rb"Username:\r\n")
            telnet.press(b"testuser\r")
            telnet.expect(rb"Password:\r\n")
            telnet.press(b"wrong\r")
            telnet.expect(rb"Connection closed by foreign host")
            telnet.ended()

    @pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\r\0"])
    def test_endsOfLines(self, port: int, end: bytes) -> None:
        """Enter counts once, as CR, CR LF and CR NUL, in the login and in commands."""
        # pyserial would throw away what has come by the time that it is ready
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line, line.makefile("rb") as heard:
            for typed, expected in [
                (b"", b"Username:\r\n"),
                (b"testuser" + end, b"Password:\r\n"),
                (b"testpassw" + end, b"Login successful.\r\n"),
                *[(b"AT" + end, b"\r\nOK\r\n")] * 3,
                (b"AT+GMM" + end, b"\r\nGE865\r\n\r\nOK\r\n"),
            ]:
                line.sendall(typed)
                assert heard.read(len(expected)) == expected


class TestPicocom:
    """A local port on a pseudo terminal, by hand."""

    pytestmark = requireProgram("picocom")

    def test_session(self) -> None:
        """What is typed is echoed and answered, and the module stays when picocom goes."""
        with LiveModule(ports=PTY):
            for _ in range(3):
                with Terminal("picocom", "./at1") as picocom:
                    picocom.expect(rb"Terminal ready\r\n")
                    assert picocom.ask(b"AT+CGSN") == b"AT+CGSN\r\r\n" + IMEI + b"\r\n\r\nOK\r\n"
                    assert picocom.ask(b"at+csq") == b"at+csq\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
                    picocom.press(b"\x01\x18")
                    assert picocom.ended() == 0

    def test_endsByItself(self) -> None:
        """With -t and -x picocom asks one thing, shows the answer, and ends when the line is quiet."""
        with LiveModule(ports=PTY):
            command = ["picocom", "--quiet", "-x", "200", "-t", "AT+CGMM\r", "./at1"]
            assert answer(command, b"") == b"AT+CGMM\r\r\nHE910\r\n\r\nOK\r\n"


class TestSocat:
    """Local ports, from scripts."""

    pytestmark = requireProgram("socat")

    def test_pty(self) -> None:
        """socat sends a line to the pseudo terminal and gets the answer, whether it sets the terminal raw or not."""
        with LiveModule(ports=PTY):
            for place in ("./at1,raw,echo=0", "./at1,rawer", "./at1,b115200,raw,echo=0"):
                found = answer(["socat", "-t", "0.3", "-", place], b"AT+CGSN\r")
                assert found == b"AT+CGSN\r\r\n" + IMEI + b"\r\n\r\nOK\r\n"

    def test_TCP(self) -> None:
        """socat does the same over TCP."""
        with LiveModule() as module:
            place = f"TCP:127.0.0.1:{module.address()[1]}"
            found = answer(["socat", "-t", "0.3", "-", place], b"AT+CGSN\r\n")
            assert found == b"AT+CGSN\r\r\n" + IMEI + b"\r\n\r\nOK\r\n"

    def test_bridge(self) -> None:
        """A pseudo terminal of socat's, bridged to the module's TCP port, serves as a modem device."""
        with LiveModule() as module:
            bridge = ["socat", "-d", "-d", "PTY,link=./modem,rawer", f"TCP:127.0.0.1:{module.address()[1]}"]
            with Terminal(*bridge) as socat:
                socat.expect(rb"starting data transfer loop")
                with serial.Serial("./modem", timeout=PATIENCE) as line:
                    line.write(b"AT+CGMI\r")
                    assert line.read_until(b"OK\r\n") == b"AT+CGMI\r\r\nTelit\r\n\r\nOK\r\n"


class TestNetcat:
    """Local ports, from scripts."""

    pytestmark = requireProgram("nc")

    def test_TCP(self) -> None:
        """A line piped into nc is answered although nc closes its side of the connection behind it."""
        with LiveModule() as module:
            command = ["nc", "-N", "127.0.0.1", str(module.address()[1])]
            assert answer(command, b"AT+CGSN\r") == b"AT+CGSN\r\r\n" + IMEI + b"\r\n\r\nOK\r\n"


class TestChat:
    """Scripts of "expect this, send that", as chat and expect run them."""

    @pytest.mark.parametrize("place", ["pty", "tcp"])
    def test_script(self, place: str) -> None:
        """Each step waits for its text, echo included, and sends the next line the moment that it comes."""
        with LiveModule(ports={**PTY, 2: "tcp:0:interface=127.0.0.1"}) as module:
            device = "./at1" if place == "pty" else "socket://{}:{}".format(*module.address(2))
            with serial.serial_for_url(device, timeout=PATIENCE) as line:
                for sent, expected in [
                    (b"\x1b\rATZ\r", b"ATZ\r\r\nOK\r\n"),
                    (b"AT+CMEE=1;+CREG=2\r", b"AT+CMEE=1;+CREG=2\r\r\nOK\r\n"),
                    (b"AT+CPIN?\r", b"+CPIN: READY\r\n\r\nOK\r\n"),
                    (b"AT+CREG?\r", b'+CREG: 2,1,"55FA","1298",2\r\n\r\nOK\r\n'),
                    (b"ATE0\r", b"ATE0\r\r\nOK\r\n"),
                    (b"AT+CGATT?\r", b"\r\n+CGATT: 1\r\n\r\nOK\r\n"),
                ]:
                    line.write(sent)
                    assert line.read_until(expected).endswith(expected)


def test_deviceIsAFile() -> None:
    """The pseudo terminal's name is there while the module is, for whoever looks for a device, and gone with it."""
    with LiveModule(ports=PTY):
        assert os.path.realpath("./at1").startswith("/dev/pts/")
    assert not os.path.lexists("./at1")
