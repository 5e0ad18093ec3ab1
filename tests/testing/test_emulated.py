"""The emulated modules that embedders use in their tests, and the how-to that shows them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.emulator.nvm import NVM
from atrunproto.testing.emulated import LiveModule, MemoryModule, MemoryReactor

HOWTO = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "test-your-driver.md"


def test_howto(tmp_path: Path) -> None:
    """The listings of the how-to are test files that pass as they stand."""
    listings = re.findall(r"```python\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)
    for number, listing in enumerate(listings):
        (tmp_path / f"test_listing{number}.py").write_text(listing, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "atrunproto.testing.fixtures", "-p", "no:randomly", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "5 passed" in run.stdout


def test_oneLine() -> None:
    """One line gives a module that has started and found its network."""
    assert MemoryModule("GE865-QUAD").port().execute("AT+CREG?") == ["+CREG: 0,1", "OK"]


def ask(place: tuple[str, int], line: str) -> bytes:
    """Run a line over a real TCP connection."""
    with socket.create_connection(place, timeout=5) as connection:
        connection.sendall(line.encode() + b"\r")
        heard = b""
        while not heard.endswith((b"OK\r\n", b"ERROR\r\n")):
            heard += connection.recv(1000)
        return heard


def test_liveOnTCP(tmp_path: Path) -> None:
    """A live module answers a plain socket, keeps its memory, and is gone when it is closed."""
    with LiveModule("HE910-EUR", nvm=NVM(tmp_path / "nvm")) as emulated:
        place = emulated.address()
        assert ask(place, "ATE0") == b"ATE0\r\r\nOK\r\n"
        assert ask(place, 'AT+CGDCONT=1,"IP","x"') == b"\r\nOK\r\n"
        assert emulated.call(lambda: emulated.module.contexts.defined) == [1]
        connection = socket.create_connection(place, timeout=5)
    with connection:
        assert connection.recv(1000) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(place, timeout=5)
    with LiveModule("HE910-EUR", {2: "tcp:0:interface=127.0.0.1"}, nvm=NVM(tmp_path / "nvm")) as emulated:
        assert b'+CGDCONT: 1,"IP","x"' in ask(emulated.address(2), "AT+CGDCONT?")


def test_twoLiveModules() -> None:
    """Live modules can share a network, and have addresses of their own in it."""
    with LiveModule(addresses="127.79.0.0/24") as one, LiveModule("GE865-QUAD", beside=one) as two:
        for emulated, address in ((one, b"127.79.0.1"), (two, b"127.79.0.2")):
            assert address in ask(emulated.address(), 'AT+CGDCONT=1,"IP","x";#SGACT=1,1')


def test_liveCannotListen() -> None:
    """A port that is taken is told at once, and leaves nothing behind."""
    with LiveModule() as one:
        port = one.address()[1]
        with pytest.raises(Exception, match="in use"):
            LiveModule(ports={1: "tcp:0:interface=127.0.0.1", 2: f"tcp:{port}:interface=127.0.0.1"})
    with pytest.raises(Misuse, match="no product 'XX'"):
        LiveModule("XX")


def test_addressOfPty(tmp_path: Path) -> None:
    """Asked for the TCP address of an instance on a pty, a live module says that there is none."""
    with LiveModule(ports={1: f"pty:{tmp_path}/at1"}) as emulated, pytest.raises(Misuse, match="not on a TCP port"):
        emulated.address()


def test_executeWithoutResult() -> None:
    """A line that gets no final result is told as such, with what has come."""
    port = MemoryModule().port()
    with pytest.raises(Misuse, match="no final result within 5 s, only b'hello"):
        port.execute("hello", within=5)


def test_noticesStayApart() -> None:
    """What comes before or after an answer is not taken for a part of it."""
    emulated = MemoryModule()
    port = emulated.port()
    port.execute("AT+CREG=1")
    emulated.network.setService(False)
    assert port.execute("AT+CGMM") == ["HE910", "OK"]
    assert port.after(0) == ["+CREG: 2"]


def test_timePassesInOrder() -> None:
    """Time passes from one event to the next: what is scheduled by an event happens at its own time."""
    clock, seen = MemoryReactor(), []

    def first() -> None:
        seen.append(clock.seconds())
        clock.callLater(1, lambda: seen.append(clock.seconds()))

    clock.callLater(2, first)
    clock.advance(10)
    assert seen == [2, 3]
    assert clock.seconds() == 10
