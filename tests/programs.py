"""Programs of the product, run as they are: real processes that a test starts, reads and ends."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

ROOT = Path(__file__).parents[1]
#: seconds until a program that does not do its work fails a test
PATIENCE = 30
TWISTD = "from twisted.scripts.twistd import run; run()"


def freePort() -> int:
    """Find a port that nobody uses just now, below those that clients are given, who would take it meanwhile."""
    while True:
        # seeded by nobody, so that processes of the tests choose differently
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@contextmanager
def running(port: int, *arguments: str, address: str = "127.0.0.1") -> Iterator[None]:
    """Run a server of other people for as long as the block takes, which begins when it listens on a TCP port."""
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((address, port)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def environment() -> dict[str, str]:
    """Give the variables under which programs of the checkout run."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "ATRUN_TOKEN": ""}


class Program(ProcessProtocol):
    """A program under way, and what it has printed."""

    process: IProcessTransport

    def __init__(self) -> None:
        self.output = ""
        self.ended: Deferred[int | None] = Deferred()
        self._expected: list[tuple[str, Deferred[None]]] = []

    def outReceived(self, data: bytes) -> None:
        """Take what it prints; errors come here too."""
        self.output += data.decode("utf-8", "replace")
        for text, printed in [pair for pair in self._expected if pair[0] in self.output]:
            self._expected.remove((text, printed))
            printed.callback(None)

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Tell how it ended."""
        for _, printed in self._expected:
            printed.errback(AssertionError(f"it ended and had printed:\n{self.output}"))
        end = reason.value
        assert isinstance(end, ProcessTerminated | ProcessDone)
        self.ended.callback(end.exitCode if end.signal is None else -end.signal)

    def whenPrinted(self, text: str) -> Deferred[None]:
        """Fire when a text has been printed."""
        printed: Deferred[None] = Deferred()
        if text in self.output:
            printed.callback(None)
        else:
            self._expected.append((text, printed))
            printed.addTimeout(PATIENCE, reactor, lambda *_: self._late(text))
        return printed

    def signal(self, name: str) -> Deferred[int | None]:
        """Send a signal if it still runs; fires with the exit status, or with the signal's number below zero."""
        try:
            self.process.signalProcess(name)
        except ProcessExitedAlready:
            pass
        return self.ended

    def _late(self, text: str) -> None:
        raise AssertionError(f"{text!r} was not printed, but:\n{self.output}")


def twistd(folder: Path, *arguments: str) -> Program:
    """Start a daemon in a folder."""
    return start(folder, "-c", TWISTD, "-n", "--pidfile=", *arguments)


def start(folder: Path, *arguments: str, **variables: str) -> Program:
    """Start Python in a folder, with these variables besides those of the tests."""
    program = Program()
    program.process = IReactorProcess(reactor).spawnProcess(
        program, sys.executable, [sys.executable, *arguments], {**environment(), **variables}, str(folder)
    )
    return program
