"""#FTPGET and #FTPPUT of Multi-Tech modems, against servers of other people."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest

from atrunproto.multitech.coding import ETX, Coded
from atrunproto.testing.emulated import LiveModule
from tests.ftp.live import contents, digest, stored
from tests.ftp.servers import Server
from tests.multitech.live import WAITING, LiveModem

ACTIVE, PASSIVE = 0, 1
LARGE = 10_000_000
EVERY = bytes(range(256)) * 3
MODES = pytest.mark.parametrize("mode", [ACTIVE, PASSIVE], ids=["active", "passive"])
FILES = pytest.mark.parametrize("data", [EVERY, contents(LARGE), b""], ids=["every octet", "large", "empty"])


class Modem(LiveModem):
    """A modem that is connected; its parameters lead to a server."""

    def __init__(self, module: LiveModule, server: Server) -> None:
        texts = {"SERV": "127.0.0.1", "UN": server.user, "PW": server.password, "GETPATH": "files", "PUTPATH": "files"}
        lines = [f'#FTP{name}="{value}"' for name, value in texts.items()]
        super().__init__(module, f"#FTPPORT={server.port}", *lines)

    def fetch(self, name: str) -> tuple[bytes, str]:
        """A file of the server, and the final result."""
        assert self.command(f'AT#FTPGETFILENAME="{name}"') == "OK"
        self.socket.sendall(b"AT#FTPGET\r")
        begin, coding = b"\r\nOk_Info_DataBegin\r\n", Coded()
        heard = b""
        while len(heard) < len(begin):
            heard += self.socket.recv(len(begin) - len(heard))
        assert heard == begin
        parts: list[bytes] = []
        rest: bytes | None = None
        while rest is None:
            data = self.socket.recv(1 << 20)
            assert data
            part, rest = coding.feed(data)
            parts.append(part)
        while not rest.endswith(b"\r\n") or len(rest) < 5:
            rest += self.socket.recv(100)
        return b"".join(parts), rest.decode().strip()

    def store(self, name: str, data: bytes) -> str:
        """Store a file, and give the final result; what comes is read meanwhile."""
        assert self.command(f'AT#FTPPUTFILENAME="{name}"') == "OK"
        assert self.command("AT#FTPPUT") == WAITING
        sending = threading.Thread(target=self.socket.sendall, args=(Coded().encode(data) + ETX,))
        sending.start()
        answer = self.answer(lambda heard: heard.endswith(b"\r\n") and len(heard) > 3)
        sending.join()
        assert answer[0] == "\x03"
        return answer[1:].strip()


@pytest.fixture
def modem(server: Server) -> Iterator[Modem]:
    """A modem that is connected."""
    with LiveModule("MTCBA-G") as module:
        made = Modem(module, server)
        yield made
        made.socket.close()


def sevenBits(data: bytes) -> bytes:
    """What is left of octets that go to a server as text."""
    return data.translate(bytes(octet & 0x7F for octet in range(256)))


@FILES
@MODES
def test_binary(modem: Modem, server: Server, mode: int, data: bytes) -> None:
    """A file arrives as it was sent, whatever is in it, and comes back so (MTS-FTP-03, MTS-FTP-10, MTS-FTP-15)."""
    assert modem.command(f"AT#FTPMODE={mode}") == "OK"
    assert modem.store("file.bin", data) == "OK"
    assert digest(stored(server, "file.bin", len(data))) == digest(data)
    back, result = modem.fetch("file.bin")
    assert (digest(back), result) == (digest(data), "OK")


@FILES
@MODES
def test_text(modem: Modem, server: Server, mode: int, data: bytes) -> None:
    """
    As text the server gets 7 bits of each octet, the host all that the server sends; the line ends are the server's.

    MTS-FTP-04, MTS-FTP-05, MTS-GAP-63.
    """
    assert modem.command(f"AT#FTPMODE={mode}") == modem.command("AT#FTPTYPE=A") == "OK"
    assert modem.store("there.txt", data) == "OK"
    assert digest((server.folder / "there.txt").read_bytes()) == digest(sevenBits(data).replace(b"\r\n", b"\n"))
    (server.folder / "back.txt").write_bytes(data)
    back, result = modem.fetch("back.txt")
    assert (digest(back), result) == (digest(re.sub(rb"(?<!\r)\n", b"\r\n", data)), "OK")


@MODES
def test_lineEnds(modem: Modem, server: Server, mode: int) -> None:
    """A line ends with LF on the server and with CR LF at the port (MTS-FTP-04, MTS-FTP-05)."""
    assert modem.command(f"AT#FTPMODE={mode}") == modem.command("AT#FTPTYPE=A") == "OK"
    assert modem.store("text.txt", b"caf\xe9\r\ntwo\r\n") == "OK"
    assert stored(server, "text.txt", 9) == b"cafi\ntwo\n"
    assert modem.fetch("text.txt") == (b"cafi\r\ntwo\r\n", "OK")


def test_manySmall(modem: Modem, server: Server) -> None:
    """Files that end as soon as they have begun arrive each time, and one session after the other is no trouble."""
    for number in range(20):
        assert modem.command(f"AT#FTPMODE={number % 2}") == "OK"
        assert modem.store(f"{number}.txt", b"abcd") == "OK"
        assert (server.folder / f"{number}.txt").read_bytes() == b"abcd"


def test_errors(modem: Modem, server: Server) -> None:
    """What the server refuses is told by its number (MTS-FTP-18, MTS-ERR-27, MTS-ERR-29, MTS-ERR-38)."""
    assert modem.command('AT#FTPGETFILENAME="absent.txt"') == "OK"
    assert modem.command("AT#FTPGET") == "#CME ERROR: 38024"
    assert modem.command('AT#FTPPUTFILENAME="no/such/place.txt"') == "OK"
    assert modem.command("AT#FTPPUT") == "#CME ERROR: 38017"
    assert modem.command('AT#FTPGETPATH="nowhere"') == "OK"
    assert modem.command("AT#FTPGET") == "#CME ERROR: 38022"
    assert modem.command('AT#FTPUN="nobody"') == modem.command('AT#FTPPW="wrong"') == "OK"
    assert modem.command("AT#FTPGET") in ("#CME ERROR: 38081", "#CME ERROR: 38080")
    assert modem.command("AT#FTPPORT=1") == "OK"
    assert modem.command("AT#FTPGET") == "#CME ERROR: 38016"
