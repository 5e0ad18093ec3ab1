"""Garbage, endless lines and deaf clients on AT ports; others are served as if nothing were."""

from __future__ import annotations

import os
import random
import select
import threading
from collections.abc import Iterator

import pytest
import serial

from tests.abuse.daemon import CHUNK, MIB, Daemon, Line
from tests.programs import PATIENCE, freePort

#: octets of an endless line, or of garbage, and by how much memory may grow through it
FLOOD, GROWTH = 16 * MIB, 4 * MIB
#: seconds without a chance to write after which a client counts as held back
HELD_BACK = 0.5
#: octets that a client which doesn't read may get rid of: buffers of the kernel, mostly
MOST_UNREAD = 24 * MIB


class Ports:
    """
    A module with its three instances on TCP, TCP and a pty, in a process of its own.

    @ivar daemon: the process.
    """

    def __init__(self) -> None:
        self.first, self.second = freePort(), freePort()
        places = f"1=tcp:{self.first}:interface=127.0.0.1", f"2=tcp:{self.second}:interface=127.0.0.1", "3=pty:./at3"
        self.daemon = Daemon(
            "atrun-module", "--time-scale", "0", *(part for place in places for part in ("--at", place))
        )
        self.daemon.whenPrinted(b"modules switched on")
        with Line(self.first) as line:
            line.ask(b"AT+CMEE=1")
        self.idle = self.daemon.memory()

    def open(self, kind: str) -> int:
        """Open instance 1 over TCP, or instance 3 on the pty, and give its file descriptor."""
        if kind == "tcp":
            return Line(self.first).socket.detach()
        with serial.Serial("./at3") as line:
            return os.dup(line.fileno())

    def grown(self) -> int:
        """By how much its memory has grown."""
        return self.daemon.memory() - self.idle


@pytest.fixture
def ports() -> Iterator[Ports]:
    """A module."""
    ports = Ports()
    with ports.daemon:
        yield ports


def pump(fd: int, data: bytes) -> None:
    """Write all of it, and read whatever comes."""
    os.set_blocking(fd, False)
    view = memoryview(data)
    while view:
        readable, writable, _ = select.select([fd], [fd], [], PATIENCE)
        assert readable or writable
        if readable:
            os.read(fd, CHUNK)
        if writable:
            view = view[os.write(fd, view[:CHUNK]) :]


def until(fd: int, end: bytes) -> bytes:
    """Read up to something; only the last of it is kept."""
    tail = b""
    while end not in tail:
        assert select.select([fd], [], [], PATIENCE)[0], f"{end!r} did not come, but {tail[-200:]!r}"
        tail = tail[-200:] + os.read(fd, CHUNK)
    return tail


def whileServed(ports: Ports, disturbance: threading.Thread) -> int:
    """Have instance 2 answer as long as something else goes on; give the number of answers."""
    disturbance.start()
    answers = 0
    with Line(ports.second) as line:
        while disturbance.is_alive() or not answers:
            assert line.ask(b"AT+CSQ") == b"AT+CSQ\r\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
            answers += 1
    disturbance.join()
    return answers


@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_endlessLine(ports: Ports, kind: str) -> None:
    """A line of many megabytes is refused as one line, costs no memory, and nobody else notices."""
    fd = ports.open(kind)
    try:
        flood = threading.Thread(target=pump, args=(fd, b"AT+" + b"x" * FLOOD))
        assert whileServed(ports, flood) > 3
        os.write(fd, b"\r")
        until(fd, b"\r\nERROR\r\n")
        os.write(fd, b"AT+CGMM\r")
        assert until(fd, b"OK\r\n").endswith(b"AT+CGMM\r\r\nHE910\r\n\r\nOK\r\n")
        assert ports.grown() < GROWTH
    finally:
        os.close(fd)


@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_garbage(ports: Ports, kind: str) -> None:
    """Binary garbage costs no memory, nobody else notices, and ESC CR makes the port as good as before."""
    fd = ports.open(kind)
    try:
        flood = threading.Thread(target=pump, args=(fd, random.Random(1).randbytes(FLOOD // 2)))
        assert whileServed(ports, flood) > 3
        os.set_blocking(fd, True)
        os.write(fd, b"\x1b\rAT+CGMM\r")
        assert until(fd, b"HE910\r\n\r\nOK\r\n")
        assert ports.grown() < GROWTH
    finally:
        os.close(fd)


@pytest.mark.parametrize("kind", ["tcp", "pty"])
def test_deafClient(ports: Ports, kind: str) -> None:
    """A client that sends commands and reads no answer is held back; once it reads, every command has its answer."""
    fd = ports.open(kind)
    try:
        os.set_blocking(fd, False)
        line = b"AT+CGMI;+CGMM;+CGMR;+CGSN\r"
        sent, rest = 0, b""
        while select.select([], [fd], [], HELD_BACK)[1]:
            rest = rest or line * 1000
            written = os.write(fd, rest)
            sent, rest = sent + written, rest[written:]
            assert sent < MOST_UNREAD
        with Line(ports.second) as other:
            for _ in range(100):
                other.ask(b"AT+CSQ")
        assert ports.grown() < GROWTH
        # what was begun is ended, so that the last line is a whole one
        rest = rest[: len(rest) % len(line)]
        lines = (sent + len(rest)) // len(line)
        answers, tail = 0, b""
        while answers < lines:
            readable, writable, _ = select.select([fd], [fd] if rest else [], [], PATIENCE)
            assert readable or writable, f"{answers} answers of {lines}"
            if writable:
                rest = rest[os.write(fd, rest) :]
            if readable:
                tail += os.read(fd, CHUNK)
                answers += tail.count(b"\r\nOK\r\n")
                tail = tail[tail.rfind(b"\r\nOK\r\n") + 6 :] if b"\r\nOK\r\n" in tail else tail
        assert ports.grown() < GROWTH
    finally:
        os.close(fd)


def test_comeAndGo(ports: Ports) -> None:
    """A thousand connections that come and go with half a command leave nothing behind."""
    before = ports.daemon.files()
    for number in range(1000):
        with Line(ports.first) as line:
            half = b"AT+CREG?\r"[: 1 + number % 9]
            line.socket.sendall(half)
            line.until(half)
    with Line(ports.first) as line:
        assert line.ask(b"AT+CMEE?") == b"AT+CMEE?\r\r\n+CMEE: 1\r\n\r\nOK\r\n"
        assert ports.daemon.files() <= before + 2
    assert ports.grown() < GROWTH


def test_newestWins(ports: Ports) -> None:
    """A client that is gone without a word does not keep a port: the newest connection has it."""
    with Line(ports.first) as older, Line(ports.first) as newer:
        assert older.isClosed()
        assert newer.ask(b"AT+CGMM") == b"AT+CGMM\r\r\nHE910\r\n\r\nOK\r\n"
