"""The command `atrun terminal`, on real terminals, pipes and files."""

from __future__ import annotations

import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from atrunproto.fleet.terminal import CLOSE_SECONDS
from atrunproto.testing.emulated import LiveModule
from tests.programs import environment, freePort
from tests.realsoftware.terminal import PATIENCE, Terminal

GREETING = rb"atrun: connected; Ctrl-\] leaves\r\n"
CTRL_C, CTRL_J, CTRL_P, CTRL_Z, LEAVE = b"\x03", b"\n", b"\x10", b"\x1a", b"\x1d"
#: octets that no buffer between two programs holds
FLOOD = 4 * 1024 * 1024


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from atrunproto.fleet.cli import main; main()", "terminal", *arguments]


@contextmanager
def terminal(endpoint: str) -> Iterator[Terminal]:
    """Somebody at a terminal that is connected."""
    with Terminal(*command(endpoint)) as screen:
        screen.expect(GREETING)
        yield screen


def script(endpoint: str, typed: bytes, *options: str) -> tuple[bytes, bytes, int]:
    """What a script gets: output, errors and exit status."""
    done = subprocess.run(
        command(*options, endpoint), input=typed, capture_output=True, timeout=PATIENCE, env=environment()
    )
    return done.stdout, done.stderr, done.returncode


@contextmanager
def piped(*arguments: str, **files: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A terminal between pipes, or these files."""
    kinds: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **files}
    with subprocess.Popen(command(*arguments), env=environment(), **kinds) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(isSo: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not isSo():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Far:
    """
    The other end of a terminal's connection, that a test reads and writes.

    @ivar port: where it listens.
    @ivar endpoint: leads to it.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        #: the connection, once it is taken
        self.line = socket.socket()
        self.port = self._listening.getsockname()[1]
        self.endpoint = f"tcp:127.0.0.1:{self.port}"

    def accept(self) -> None:
        """Take the connection."""
        self.line.close()
        self.line, _ = self._listening.accept()
        self.line.settimeout(PATIENCE)

    def read(self, size: int) -> bytes:
        """As many octets; fewer at the end."""
        data = b""
        while len(data) < size and (more := self.line.recv(size - len(data))):
            data += more
        return data

    def breakOff(self) -> None:
        """Break the connection."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.close()

    def close(self) -> None:
        self.line.close()
        self._listening.close()


@pytest.fixture
def far() -> Iterator[Far]:
    """The other end, which isn't connected yet."""
    end = Far()
    yield end
    end.close()


class Device:
    """
    A serial device whose other end a test holds; it takes little, and gives it to nobody unless it is read.

    @ivar endpoint: leads to it.
    """

    def __init__(self) -> None:
        self.end, self._device = pty.openpty()
        tty.setraw(self._device)
        self.endpoint = f"serial:{os.ttyname(self._device)}"
        os.set_blocking(self.end, False)

    def heard(self) -> bytes:
        """What has come."""
        try:
            return os.read(self.end, 65536)
        except BlockingIOError:
            time.sleep(0.01)
            return b""

    def close(self) -> None:
        os.close(self.end)
        os.close(self._device)


@pytest.fixture
def device() -> Iterator[Device]:
    """A serial device."""
    made = Device()
    yield made
    made.close()


def flood(fd: int) -> int:
    """Write until nothing more is taken for a while; how much was."""
    os.set_blocking(fd, False)
    taken, quietSince = 0, time.monotonic()
    while taken < FLOOD and time.monotonic() - quietSince < 0.5:
        try:
            taken += os.write(fd, b"x" * 4096)
            quietSince = time.monotonic()
        except BlockingIOError:
            time.sleep(0.02)
    return taken


def test_keys(far: Far) -> None:
    """Keys send their octets, Ctrl-C, Ctrl-P, Ctrl-Z, Enter and Ctrl-J too, and no echo (MTS-SER-10, MTS-SER-12)."""
    keys = bytes(octet for octet in range(256) if octet != LEAVE[0])
    with terminal(far.endpoint) as screen:
        far.accept()
        screen.press(keys)
        assert far.read(255) == keys
        for key in (CTRL_C, CTRL_P, CTRL_Z, b"\r", CTRL_J):
            screen.press(key)
            assert far.read(1) == key
        far.line.sendall(b"END")
        assert screen.expect(b"END") == b"END"


def test_screen(far: Far) -> None:
    """The screen gets what comes, octet by octet (MTS-SER-12)."""
    octets = bytes(range(256)) + b"\n\r\r\n"
    with terminal(far.endpoint) as screen:
        far.accept()
        far.line.sendall(octets)
        assert screen.expect(b"\n\r\r\n") == octets[: octets.index(b"\n\r\r\n") + 4]


def test_multitech(far: Far) -> None:
    """At a Multi-Tech modem Ctrl-Z ends an entry, Ctrl-P makes data of Ctrl-C, which ends a session (MTS-SER-10)."""
    with LiveModule("MTCBA-G", {1: "pty:./at1"}), terminal("pty:at1") as screen:
        screen.ask(b"AT+WOPEN=1")
        screen.ask(b'AT#APNSERV="internet"')
        screen.press(b"AT#CONNECTIONSTART\r")
        screen.expect(rb"Ok_Info_GprsActivation\r\n")
        screen.press(b"AT#REC1ADD\rone@example.com\rtwo@example.com\r" + CTRL_Z)
        screen.expect(rb"OK\r\n")
        assert b'#REC1: "one@example.com,two@example.com"' in screen.ask(b"AT#REC1?")
        screen.ask(b'AT#TCPSERV=1,"127.0.0.1"')
        screen.ask(b"AT#TCPPORT=1,%d" % far.port)
        screen.press(b"AT#OTCP=1\r")
        screen.expect(rb"Ok_Info_WaitingForData\r\n")
        far.accept()
        screen.press(b"typed\r" + CTRL_P + CTRL_C + CTRL_P + CTRL_P)
        assert far.read(8) == b"typed\r" + CTRL_C + CTRL_P
        screen.press(CTRL_C)
        assert far.read(1) == b""
        screen.expect(rb"Ok_Info_SocketClosed\r\n\r\nOK\r\n")
        screen.ask(b"AT")


def test_left(far: Far) -> None:
    """Ctrl-] leaves; what was typed in front of it is sent, and the terminal is as it was."""
    with terminal(far.endpoint) as screen:
        far.accept()
        assert screen.settings() != screen.before
        screen.press(b"last words" + LEAVE + b"for the shell")
        assert far.read(100) == b"last words"
        assert screen.ended() == 0
        assert screen.settings() == screen.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signalled(far: Far, number: signal.Signals) -> None:
    """A terminal that is ended from outside leaves all as it was, and tells by its status what ended it."""
    with terminal(far.endpoint) as screen:
        far.accept()
        screen.signal(number)
        assert far.read(1) == b""
        assert screen.ended() == 128 + number
        assert screen.settings() == screen.before


def test_closed(far: Far) -> None:
    """When the other end closes, what it has sent is shown, and the terminal is as it was."""
    with terminal(far.endpoint) as screen:
        far.accept()
        far.line.sendall(b"x" * 100_000 + b"bye")
        far.line.close()
        screen.expect(rb"x{100000}bye\r?\natrun: the other end has closed\r\n")
        assert screen.ended() == 0
        assert screen.settings() == screen.before


def test_lost(far: Far) -> None:
    """A connection that breaks is told by one line, and the terminal is as it was."""
    with terminal(far.endpoint) as screen:
        far.accept()
        far.breakOff()
        screen.expect(rb"atrun: the connection was lost: [^\r\n]+\r\n")
        assert screen.ended() == 2
        assert screen.settings() == screen.before


def test_hungUp(far: Far) -> None:
    """A terminal whose window is closed does not stay behind."""
    with terminal(far.endpoint) as screen:
        far.accept()
        assert screen.hangUp() == 0
        assert far.read(1) == b""


def test_stuck(device: Device) -> None:
    """A port that takes nothing can be left all the same, and is given up when that is asked for again."""
    with terminal(device.endpoint) as screen:
        for _ in range(8):
            screen.press(b"x" * 4000)
        screen.press(LEAVE)
        assert eventually(lambda: screen.settings() == screen.before)
        begun = time.monotonic()
        screen.signal(signal.SIGTERM)
        assert screen.ended() == 128 + signal.SIGTERM
        assert time.monotonic() - begun < CLOSE_SECONDS / 2


@pytest.mark.parametrize("where", ["pty:at1", "serial:at1:baudrate=9600"])
def test_script(where: str) -> None:
    """A script pipes command lines in and gets the answers, without a greeting and soon."""
    with LiveModule(ports={1: "pty:./at1"}):
        begun = time.monotonic()
        assert script(where, b"ATE0\rAT+CGMM\r") == (b"ATE0\r\r\nOK\r\n\r\nHE910\r\n\r\nOK\r\n", b"", 0)
        assert time.monotonic() - begun > 1


def test_throughModule(far: Far) -> None:
    """A connection through a module is closed there too, when it is left."""
    with LiveModule("GE865-QUAD", {1: "pty:./at1", 2: "pty:./at2"}):
        with terminal(
            f"modem:{os.path.abspath('at1')}:host=127.0.0.1:port={far.port}:apn=internet:sending=0.1"
        ) as screen:
            far.accept()
            screen.press(b"typed" + CTRL_C)
            assert far.read(6) == b"typed" + CTRL_C
            far.line.sendall(b"heard")
            screen.expect(b"heard")
            screen.press(LEAVE)
            assert screen.ended() == 0
        assert far.read(1) == b""
        assert b"#SS: 1,0\r\n" in script("pty:at2", b"AT#SS\r")[0]


def test_file(far: Far) -> None:
    """A file goes out as it is, Ctrl-] too, and answers that keep coming are waited for."""
    octets = bytes(range(256)) * 1000
    with open("input", "wb") as file:
        file.write(octets)
    with (
        open("input", "rb") as typed,
        open("output", "wb") as shown,
        piped(far.endpoint, "--silence", "0.6", stdin=typed, stdout=shown) as process,
    ):
        far.accept()
        assert far.read(len(octets)) == octets
        for _ in range(4):
            time.sleep(0.3)
            far.line.sendall(b"more")
        assert far.read(1) == b""
        assert process.wait(PATIENCE) == 0
    with open("output", "rb") as file:
        assert file.read() == b"more" * 4


def test_heldBack(device: Device) -> None:
    """A port that takes nothing holds the input back, and all of it arrives when the port takes it again."""
    with piped(device.endpoint) as process:
        assert process.stdin is not None
        taken = flood(process.stdin.fileno())
        assert taken < FLOOD
        process.stdin.close()
        arrived = 0
        while arrived < taken and process.poll() is None:
            arrived += len(device.heard())
        assert (arrived, process.wait(PATIENCE)) == (taken, 0)


def test_holdsBack(device: Device) -> None:
    """Output that nobody takes holds the port back, and all of it arrives when it is taken."""
    with piped(device.endpoint) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.write(process.stdin.fileno(), b"?")
        assert eventually(lambda: device.heard() == b"?")
        taken = flood(device.end)
        assert taken < FLOOD
        process.stdin.close()
        assert process.stdout.read() == b"x" * taken
        assert process.wait(PATIENCE) == 0


def test_brokenPipe(far: Far) -> None:
    """Output that is closed ends the terminal."""
    with piped(far.endpoint) as process:
        assert process.stdout is not None
        far.accept()
        process.stdout.close()
        far.line.sendall(b"nobody reads this")
        assert far.read(1) == b""
        assert process.wait(PATIENCE) == 0


def test_blocking(far: Far) -> None:
    """Whoever uses the same terminal or pipe afterwards finds that it blocks, as it did before."""
    reading, writing = os.pipe()
    with piped(far.endpoint, stdin=reading) as process:
        far.accept()
        assert eventually(lambda: not os.get_blocking(reading))
        far.line.close()
        assert process.wait(PATIENCE) == 0
    assert os.get_blocking(reading)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("pty:nowhere", b"atrun: no connection: "),
        ("tcp:127.0.0.1:{free}", b"atrun: no connection: Connection was refused"),
        ("serail:at1", b"atrun: 'serail:at1' cannot be used: Unknown endpoint type"),
        ("tcp:127.0.0.1:70000", b"atrun: 'tcp:127.0.0.1:70000' cannot be used: there is no port 70000"),
        ("serial:at1:baudrate=fast", b"cannot be used: serial: baudrate is a number"),
    ],
)
def test_badEndpoint(endpoint: str, message: bytes) -> None:
    """A port that cannot be opened is an error in one line."""
    out, err, status = script(endpoint.format(free=freePort()), b"")
    assert (out, err.count(b"\n"), status) == (b"", 1, 2)
    assert message in err


@pytest.mark.parametrize("seconds", ["long", "-1", "nan", "3601"])
def test_badSilence(seconds: str) -> None:
    """A silence that is none is refused."""
    out, err, status = script("pty:nowhere", b"", "--silence", seconds)
    assert (out, status) == (b"", 2)
    assert b"is no number of seconds from 0 to 3600" in err


def test_interrupted() -> None:
    """Ctrl-C while the port is being opened gives up, as with any program."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), Terminal(*command(f"tcp:127.0.0.1:{port}")) as screen:
            time.sleep(1)
            screen.signal(signal.SIGINT)
            assert screen.ended() == 128 + signal.SIGINT
            assert screen.screen == b"\r\n"
