"""What the tests against servers of other people have in common: a port over TCP, and files."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import time
from collections.abc import Callable

from atrunproto.testing.emulated import LiveModule
from tests.ftp.servers import Server
from tests.programs import PATIENCE

_FINAL = re.compile(rb"(?:^|\r|\n)(OK|ERROR|NO CARRIER|CONNECT|[+#]CME ERROR: .*|Ok_Info_.*)\r\n$")


class Port:
    """An AT port of a module over TCP."""

    def __init__(self, module: LiveModule, instance: int = 1) -> None:
        self.socket = socket.create_connection(module.address(instance), PATIENCE)
        self.socket.settimeout(PATIENCE)
        assert self.command("ATE0").endswith("OK")

    def command(self, line: str) -> str:
        """Give a command; tell what comes up to its end, without empty lines."""
        self.socket.sendall(line.encode() + b"\r")
        return self.answer()

    def answer(self, end: Callable[[bytes], object] = _FINAL.search) -> str:
        """Wait for the end of an answer."""
        heard = b""
        while not end(heard):
            data = self.socket.recv(65536)
            assert data, heard
            heard += data
        return "\n".join(filter(None, re.split("[\r\n]+", heard.decode("latin-1"))))

    def download(self, line: str) -> bytes:
        """Give a command that shows a file; give the file."""
        self.socket.sendall(line.encode() + b"\r")
        parts, end = [], b""
        while not end.endswith(b"\r\nNO CARRIER\r\n"):
            data = self.socket.recv(1 << 20)
            assert data
            parts.append(data)
            end = (end + data)[-20:]
        head, tail = b"\r\nCONNECT\r\n", b"\r\nNO CARRIER\r\n"
        whole = b"".join(parts)
        assert whole.startswith(head), whole[:100]
        return whole[len(head) : -len(tail)]

    def upload(self, line: str, data: bytes) -> None:
        """Give a command that takes a file, and the file."""
        assert self.command(line) == "CONNECT"
        self.socket.sendall(data)
        time.sleep(1.1)
        self.socket.sendall(b"+++")
        assert self.answer() == "NO CARRIER"


def contents(length: int) -> bytes:
    """Octets of all values, always the same ones."""
    return random.Random(length).randbytes(length)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def stored(server: Server, name: str, length: int) -> bytes:
    """A file on the server, once it has that length."""
    path, end = server.folder / name, time.monotonic() + PATIENCE
    while not path.exists() or path.stat().st_size < length:
        assert time.monotonic() < end
        time.sleep(0.01)
    return path.read_bytes()
