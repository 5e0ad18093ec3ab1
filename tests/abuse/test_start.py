"""What prevents the start of a daemon is one line that names the option; what comes later is the module's trouble."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abuse.daemon import Daemon, Line
from tests.programs import freePort


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something else has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        yield port


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "atrun-module --at 1=tcp:{taken}:interface=127.0.0.1",
            "atrun-module: --at 1=tcp:{taken}:interface=127.0.0.1: ",
        ),
        (
            "atrun-module --startup AT --control tcp:{taken}:interface=127.0.0.1",
            "atrun-module: --control: Couldn't listen on 127.0.0.1:{taken}: ",
        ),
        ("atrun-module --startup AT --control unix:file/x", "atrun-module: --control: [Errno 20] Not a directory: "),
        ("atrun-module --startup AT --nvm file/x.nvm", "atrun-module: --nvm: [Errno 20] Not a directory: "),
        ("atrun-module --startup AT --nvm .", "atrun-module: --nvm: [Errno 21] Is a directory: "),
        ("atrun-module --at 1=pty:file/x", "atrun-module: --at 1=pty:file/x: cannot listen on "),
        (
            "atrun-host --http tcp:0:interface=127.0.0.1 --listen tcp:{taken}:interface=127.0.0.1",
            "atrun-host: Couldn't listen on 127.0.0.1:{taken}: ",
        ),
        (
            "atrun-host --http tcp:0:interface=127.0.0.1 --listen unix:file/x",
            "atrun-host: [Errno 20] Not a directory: ",
        ),
        (
            "atrun-host --http tcp:0:interface=127.0.0.1 --listen tcp:0:interface=127.0.0.1 --token-file file/x",
            "atrun-host: file/x: [Errno 20] Not a directory: 'file/x'",
        ),
    ],
)
def test_cannotStart(arguments: str, message: str, taken: int) -> None:
    """A port that is taken, and a path that cannot be, end the start with one line that says which."""
    Path("file").touch()
    with Daemon(*arguments.format(taken=taken).split()) as daemon:
        assert daemon.ended() == 1
        last = daemon.output.decode().strip().splitlines()[-1]
        assert message.format(taken=taken) in last


def test_memoryGone() -> None:
    """A memory that can't be written any more fails the command that writes, and the module goes on."""
    Path("folder").mkdir()
    port = freePort()
    arguments = "--at", f"1=tcp:{port}:interface=127.0.0.1", "--nvm", "folder/module.nvm", "--time-scale", "0"
    with Daemon("atrun-module", *arguments) as daemon:
        daemon.whenPrinted(b"modules switched on")
        with Line(port) as line:
            line.ask(b'AT+CGDCONT=1,"IP","one"')
            shutil.rmtree("folder")
            Path("folder").touch()
            line.socket.sendall(b'AT+CGDCONT=1,"IP","two"\r')
            line.until(b"\r\nERROR\r\n")
            line.ask(b"AT+CSQ")
            Path("folder").unlink()
            Path("folder").mkdir()
            line.ask(b'AT+CGDCONT=1,"IP","three"')
