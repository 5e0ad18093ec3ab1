"""FTP by AT commands, against servers of other people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from atrunproto.ftp.module import FTP
from atrunproto.testing.emulated import LiveModule
from tests.ftp.live import Port, contents, digest, stored
from tests.ftp.servers import Server
from tests.programs import PATIENCE

ACTIVE, PASSIVE = 0, 1
BINARY, ASCII = 0, 1
LARGE = 10_000_000


@pytest.fixture
def at() -> Iterator[Port]:
    """The first port of a module whose first context is active."""
    with LiveModule("HE910-EUR") as module:
        port = Port(module)
        assert port.command('AT+CMEE=2;+CGDCONT=1,"IP","x"') == "OK"
        assert port.command("AT#SGACT=1,1").endswith("OK")
        yield port
        port.socket.close()


def enter(at: Port, server: Server, mode: int = PASSIVE) -> None:
    """Open a session, in the directory that can be written to."""
    opened = at.command(f'AT#FTPOPEN="127.0.0.1:{server.port}","{server.user}","{server.password}",{mode}')
    assert opened == "OK"
    assert at.command('AT#FTPCWD="files"') == "OK"


@pytest.mark.parametrize("mode", [ACTIVE, PASSIVE])
def test_there(at: Port, server: Server, mode: int) -> None:
    """10 MB typed at #FTPPUT are the file, the escape sequence isn't (TEL-FTP-03, TEL-FTP-07, TEL-FTP-09)."""
    data = contents(LARGE)
    enter(at, server, mode)
    at.upload('AT#FTPPUT="large.bin"', data)
    assert digest(stored(server, "large.bin", LARGE)) == digest(data)
    assert at.command('AT#FTPFSIZE="large.bin"') == f"#FTPFSIZE: {LARGE}\nOK"


@pytest.mark.parametrize("mode", [ACTIVE, PASSIVE])
def test_back(at: Port, server: Server, mode: int) -> None:
    """#FTPGET shows 10 MB as they are on the server, and ends by itself with NO CARRIER (TEL-FTP-11)."""
    data = contents(LARGE)
    (server.folder / "large.bin").write_bytes(data)
    enter(at, server, mode)
    assert digest(at.download('AT#FTPGET="large.bin"')) == digest(data)


@pytest.mark.parametrize("mode", [ACTIVE, PASSIVE])
def test_text(at: Port, server: Server, mode: int) -> None:
    """In ASCII a line ends with LF on the server and with CR LF on the port (TEL-FTP-05)."""
    enter(at, server, mode)
    assert at.command("AT#FTPTYPE=1;#FTPTYPE?;#FTPTYPE").split("\n") == ["#FTPTYPE: 1", "#FTPTYPE: 1", "OK"]
    at.upload('AT#FTPPUT="text.txt"', b"one\r\ntwo\r\n")
    assert stored(server, "text.txt", 8) == b"one\ntwo\n"
    assert at.download('AT#FTPGET="text.txt"') == b"one\r\ntwo\r\n"
    assert at.command("AT#FTPTYPE=0") == "OK"
    assert at.download('AT#FTPGET="text.txt"') == b"one\ntwo\n"


@pytest.mark.parametrize("mode", [ACTIVE, PASSIVE])
def test_manySmall(at: Port, server: Server, mode: int) -> None:
    """A file that ends as soon as it has begun arrives each time, whichever side opens the connection."""
    enter(at, server, mode)
    for number in range(30):
        name = f"{number}.txt"
        assert at.command(f'AT#FTPPUT="{name}",1') == "OK"
        at.socket.sendall(b"AT#FTPAPPEXT=4,1\r")
        assert at.answer(lambda heard: heard.endswith(b"> ")) == "> "
        at.socket.sendall(b"abcd")
        assert at.answer() == "#FTPAPPEXT: 4\nOK"
        assert (server.folder / name).read_bytes() == b"abcd"


@pytest.mark.parametrize("mode", [ACTIVE, PASSIVE])
def test_resume(at: Port, server: Server, mode: int) -> None:
    """#FTPREST lets the next download begin further on, and only that one."""
    data = contents(100_000)
    (server.folder / "part.bin").write_bytes(data)
    enter(at, server, mode)
    assert at.command("AT#FTPREST=60000;#FTPREST?") == "#FTPREST: 60000\nOK"
    assert at.download('AT#FTPGET="part.bin"') == data[60000:]
    assert at.command("AT#FTPREST?") == "#FTPREST: 0\nOK"
    assert at.download('AT#FTPGET="part.bin"') == data


def test_append(at: Port, server: Server) -> None:
    """#FTPAPP writes on where a file ends."""
    enter(at, server)
    at.upload('AT#FTPPUT="log.txt"', b"first\n")
    stored(server, "log.txt", 6)
    at.upload('AT#FTPAPP="log.txt"', b"second\n")
    assert stored(server, "log.txt", 13) == b"first\nsecond\n"


def test_parts(at: Port, server: Server) -> None:
    """#FTPGETPKT and #FTPRECV read a file in command mode, bit by bit, though it is longer than the module holds."""
    data = contents(100_000)
    (server.folder / "packets.bin").write_bytes(data)
    enter(at, server)
    assert at.command('AT#FTPGETPKT="packets.bin",1') == "OK"
    assert at.command("AT#FTPLIST") == "+CME ERROR: wrong state"
    end, heard = time.monotonic() + PATIENCE, ""
    while len(heard) < 2 * len(data):
        assert time.monotonic() < end
        count, *rest = at.command("AT#FTPRECV=3000").split("\n")
        assert rest[-1] == "OK"
        heard += "".join(rest[:-1])
        assert count == f"#FTPRECV: {len(''.join(rest[:-1])) // 2}"
    assert bytes.fromhex(heard) == data
    assert at.command("AT#FTPGETPKT?") == "#FTPGETPKT: packets.bin,1,1\nOK"
    assert at.command("AT#FTPRECV=1") == "+CME ERROR: wrong state"


def test_directories(at: Port, server: Server) -> None:
    """The server's directories can be looked at, and files deleted (TEL-FTP-13)."""
    (server.folder / "here.txt").write_bytes(b"x")
    enter(at, server)
    assert b"here.txt" in at.download("AT#FTPLIST")
    assert at.command("AT#FTPPWD").startswith('#FTPPWD: 257 "/files"')
    at.upload('AT#FTPPUT="gone.txt"', b"x")
    stored(server, "gone.txt", 1)
    assert at.command('AT#FTPDELE="gone.txt"') == "OK"
    assert not (server.folder / "gone.txt").exists()
    assert at.command('AT#FTPDELE="gone.txt"') == "+CME ERROR: bad or no response from server"
    assert at.command("AT#FTPMSG").startswith("#FTPMSG: 550 ")
    assert at.command('AT#FTPGET="gone.txt"') == "NO CARRIER"
    assert at.command("AT#FTPCLOSE") == "OK"
    assert at.command("AT#FTPMSG").startswith("#FTPMSG: 221 ")


def test_slowReader(server: Server, tmp_path: Path) -> None:
    """A server waits for a port that isn't read; what the module holds meanwhile doesn't grow with the file."""
    data = contents(LARGE)
    (server.folder / "large.bin").write_bytes(data)
    with LiveModule("HE910-EUR") as module:
        at = Port(module)
        assert at.command('AT+CGDCONT=1,"IP","x";#SGACT=1,1').endswith("OK")
        enter(at, server)
        at.socket.sendall(b'AT#FTPGET="large.bin"\r')
        time.sleep(0.5)
        session = module.module.part(FTP).session(module.module.instance(1))
        transfer = session.transfer
        assert transfer is not None
        assert module.call(lambda: transfer.isOver) is False
        heard = b""
        while not heard.endswith(b"\r\nNO CARRIER\r\n"):
            heard += at.socket.recv(1 << 20)
        assert digest(heard[len(b"\r\nCONNECT\r\n") : -len(b"\r\nNO CARRIER\r\n")]) == digest(data)
        at.socket.close()
