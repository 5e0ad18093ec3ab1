"""The host among thousands who connect and never say a word."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from atrunproto.fleet.links import MAX_STRANGERS
from atrunproto.fleet.tap import BURST
from tests.abuse.daemon import MIB, Daemon
from tests.programs import PATIENCE, freePort

IMEI = "357000000000001"
#: connections that never say a word, and by how much the host's memory may grow through those it keeps
SILENT, GROWTH = 10_000, 120 * MIB
#: files that a host may be allowed to open on a machine that is sparing with them
FEW = 1024


class Host:
    """
    A host with a module that has called in.

    @ivar daemon: its process.
    """

    def __init__(self, port: int, http: int) -> None:
        self.port, self._http = port, http

    def request(self, path: str, body: object = None) -> Any:
        """Ask the API."""
        token = Path("fleet.db.token").read_text().strip()
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://127.0.0.1:{self._http}{path}", data, {"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def checkServed(self) -> None:
        """Check that the host answers, and runs a command on the module."""
        assert self.request("/api/health")["status"] == "ok"
        job = self.request("/api/jobs", {"commands": ["AT+CSQ"], "modules": [IMEI]})["id"]
        done = self.request(f"/api/jobs/{job}?wait=30")
        assert done["counts"]["done"] == 1, done


@contextmanager
def hostWithModule(*arguments: str, files: int | None = None) -> Iterator[tuple[Host, Daemon]]:
    """Start a host, and a module that calls it."""
    port, http = freePort(), freePort()
    module = [
        "--time-scale", "0",
        "--startup", 'AT+CGDCONT=1,"IP","internet";#SCFG=1,1,300,0,600,1;#SGACT=1,1',
        "--startup", f'AT#TCPATRUNCFG=1,2,{freePort()},{port},"127.0.0.1"',
        "--startup", "AT#TCPATRUND=1",
    ]  # fmt: skip
    places = "--listen", f"tcp:{port}:interface=127.0.0.1", "--http", f"tcp:{http}:interface=127.0.0.1"
    with Daemon("atrun-host", *places, *arguments, files=files) as daemon:
        daemon.whenPrinted(b"the store knows")
        with Daemon("atrun-module", *module):
            daemon.whenPrinted(f"module {IMEI} (HE910)".encode())
            yield Host(port, http), daemon


@contextmanager
def silentCallers(port: int, count: int) -> Iterator[None]:
    """Have so many connections that never say a word, in a process of their own."""
    command = [sys.executable, str(Path(__file__).with_name("silent.py")), str(port), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as callers:
        try:
            assert callers.stdout is not None
            assert callers.stdout.readline() == f"{count} open\n"
            yield
        finally:
            callers.kill()


def test_tenThousandSilent() -> None:
    """Of ten thousand silent callers a bounded number is kept, and the module among them is served."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with hostWithModule() as (host, daemon):
        idle, files = daemon.memory(), daemon.files()
        kept = min(MAX_STRANGERS, (hard - BURST) // 2)
        with silentCallers(host.port, SILENT):
            host.checkServed()
            daemon.whenPrinted(f"{kept} callers have not told who they are".encode())
            assert kept <= daemon.files() - files <= kept + 10
            assert daemon.memory() - idle < GROWTH
            host.checkServed()
        host.checkServed()


def test_fewFiles() -> None:
    """A host that may open few files keeps some of them for its own work and for modules, whoever calls."""
    with hostWithModule(files=FEW) as (host, daemon), silentCallers(host.port, 3 * FEW):
        host.checkServed()
        daemon.whenPrinted(f"{(FEW - BURST) // 2} callers have not told who they are".encode())
        assert daemon.files() < FEW
        host.checkServed()
