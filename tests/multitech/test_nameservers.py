"""Names of hosts, asked for by a live Multi-Tech modem: dnsmasq, and servers that are dead."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from atrunproto.emulator import names
from atrunproto.multitech.coding import ETX
from atrunproto.testing.emulated import LiveModule
from tests.ftp.servers import pyftpdlib
from tests.multitech.live import WAITING, LiveModem
from tests.programs import freePort, running
from tests.support import requireProgram
from tests.transparent.links import CLOSED

pytestmark = requireProgram("dnsmasq")

PRIMARY, SECONDARY = "127.0.2.53", "127.0.2.54"
NAME, ADDRESS = "server.domain.com", "127.0.0.1"
#: how often a server has been asked
Asked = Callable[[], int]


@contextmanager
def dnsmasq(folder: Path, address: str, port: int, knows: str | None = None) -> Iterator[Asked]:
    """Run dnsmasq, which knows the address of the one host of domain.com, or none."""
    log = folder / f"{address}.log"
    own = ["-C", "/dev/null", "--pid-file=", "--user=root", "--log-queries", f"--log-facility={log}"]
    where = ["-p", str(port), f"--listen-address={address}", "--bind-interfaces", "--no-resolv", "--no-hosts"]
    hosts = ["--address=/domain.com/", *([] if knows is None else [f"--address=/{NAME}/{knows}"])]
    with running(port, "dnsmasq", "-k", *own, *where, *hosts, address=address):
        yield lambda: log.read_text().count(f"query[A] {NAME} ")


@contextmanager
def silent(folder: Path, address: str, port: int) -> Iterator[Asked]:
    """Take questions and never answer."""
    heard: list[bytes] = []

    def asked() -> int:
        with suppress(BlockingIOError):
            while True:
                heard.append(bound.recv(1000))
        return len(heard)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((address, port))
        bound.setblocking(False)
        yield asked


def absent(folder: Path, address: str, port: int) -> AbstractContextManager[Asked | None]:
    """Have nobody there."""
    return nullcontext()


HELPLESS: dict[str, Callable[[Path, str, int], AbstractContextManager[Asked | None]]] = {
    "absent": absent,
    "silent": silent,
    "ignorant": dnsmasq,
}
"""Servers that give no address."""


def connected(module: LiveModule, port: int, *lines: str) -> LiveModem:
    """A modem whose name servers are those of this port, since the operator gives none."""
    module.call(setattr, module.network, "namePort", port)
    module.call(setattr, module.network, "givesNameServers", False)
    targets = [f'#{parameter}"{NAME}"' for parameter in ("TCPSERV=1,", "FTPSERV=", "PINGREMOTE=")]
    servers = (f'#DNSSERV1="{PRIMARY}"', f'#DNSSERV2="{SECONDARY}"')
    return LiveModem(module, *servers, *targets, *lines)


@pytest.mark.parametrize("primary", HELPLESS)
def test_secondary(
    liveModule: Callable[..., LiveModule], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, primary: str
) -> None:
    """
    Where the primary server isn't there, is silent or knows no such host, the secondary one is asked, by each service.

    MTS-DNS-02, MTS-DNS-08.
    """
    monkeypatch.setattr(names, "PATIENCE", (0.2, 0.4))
    port = freePort()
    with (
        HELPLESS[primary](tmp_path, PRIMARY, port) as firstAsked,
        dnsmasq(tmp_path, SECONDARY, port, ADDRESS) as secondAsked,
        socket.create_server((ADDRESS, 0)) as peer,
        pyftpdlib(tmp_path) as files,
    ):
        (files.folder / "file.txt").write_bytes(b"contents")
        texts = {"UN": files.user, "PW": files.password, "GETPATH": "files", "GETFILENAME": "file.txt"}
        modem = connected(
            liveModule("MTCBA-G"),
            port,
            *(f'#FTP{name}="{value}"' for name, value in texts.items()),
            *(f"#FTPPORT={files.port}", f"#TCPPORT=1,{peer.getsockname()[1]}", "#PINGNUM=1"),
        )
        assert modem.command("AT#OTCP=1") == WAITING
        modem.socket.sendall(ETX)
        modem.answer(lambda heard: heard == ETX + CLOSED)
        modem.socket.sendall(b"AT#FTPGET\r")
        assert modem.answer(lambda heard: heard.endswith(b"OK\r\n")) == "Ok_Info_DataBegin\ncontents\x03\nOK"
        assert modem.command("AT#PING").startswith(f'"{NAME}" is alive')
        assert secondAsked() == 3
        assert firstAsked is None or firstAsked() >= 3
        modem.socket.close()


@pytest.mark.parametrize("secondary", HELPLESS)
@pytest.mark.parametrize("primary", HELPLESS)
def test_neither(
    liveModule: Callable[..., LiveModule],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    primary: str,
    secondary: str,
) -> None:
    """Where neither server helps the service is refused, and the next command is heard (MTS-DNS-03, MTS-ERR-32)."""
    monkeypatch.setattr(names, "PATIENCE", (0.05, 0.1))
    port = freePort()
    with HELPLESS[primary](tmp_path, PRIMARY, port), HELPLESS[secondary](tmp_path, SECONDARY, port):
        lines = ("#TCPPORT=1,7", '#FTPUN="user"', '#FTPPW="secret"', '#FTPGETFILENAME="file.txt"')
        modem = connected(liveModule("MTCBA-G"), port, *lines)
        for command in ("OTCP=1", "FTPGET", "PING"):
            assert modem.command(f"AT#{command}") == "#CME ERROR: 38027"
        modem.socket.close()
