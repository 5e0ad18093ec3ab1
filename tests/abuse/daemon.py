"""A daemon in a process of its own, measured from outside, for tests that talk to it by plain sockets."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from tests.programs import PATIENCE, TWISTD, environment

#: octets of one read
CHUNK = 65536
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20


class Daemon:
    """
    A daemon in the current folder.

    @ivar output: all that it has printed.
    """

    def __init__(self, *arguments: str, files: int | None = None) -> None:
        """
        @param files: how many files and sockets it may open.
        """

        def limit() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        self.output = b""
        self._isOver = False
        self._printed = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-c", TWISTD, "-n", "--pidfile=", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            preexec_fn=limit,
        )
        # a daemon whose output nobody reads would wait for its reader
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def whenPrinted(self, text: bytes) -> None:
        """Wait until it has printed something."""
        with self._printed:
            if not self._printed.wait_for(lambda: text in self.output or self._isOver, PATIENCE):
                raise AssertionError(f"{text!r} was not printed, but:\n{self.output.decode()}")
        assert text in self.output, f"it ended and had printed:\n{self.output.decode()}"

    def ended(self) -> int:
        """Wait for its end, and give its exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            while data := os.read(stdout.fileno(), CHUNK):
                with self._printed:
                    self.output += data
                    self._printed.notify_all()
        with self._printed:
            self._isOver = True
            self._printed.notify_all()

    def memory(self) -> int:
        """The memory that it has resident, in octets."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * PAGE

    def files(self) -> int:
        """The files and sockets that it has open."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def __enter__(self) -> Daemon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self.ended()
            except subprocess.TimeoutExpired:
                self._process.kill()
                self.ended()
        if kind is None:
            assert b"Traceback" not in self.output, self.output.decode()


class Line:
    """A connection to an AT port."""

    def __init__(self, port: int, host: str = "127.0.0.1", source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), PATIENCE, (source, 0))

    def until(self, end: bytes) -> bytes:
        """Read up to something."""
        heard = b""
        while end not in heard:
            data = self.socket.recv(CHUNK)
            assert data, f"the connection ended after {heard!r}"
            heard += data
        return heard

    def ask(self, command: bytes) -> bytes:
        """Give the answer of a command that must be answered by OK."""
        self.socket.sendall(command + b"\r")
        return self.until(b"\r\nOK\r\n")

    def isClosed(self) -> bool:
        """Read until the end of the connection."""
        try:
            while self.socket.recv(CHUNK):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
