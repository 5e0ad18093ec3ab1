"""The options of sockets: #TCPMAXDAT and the settings of the reference that go with it."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.ipeasy.lines import Lines
from tests.programs import freePort


class Host:
    """A program that works a live module on its TCP port."""

    def __init__(self, module: LiveModule) -> None:
        self._line = socket.create_connection(module.address(), 10)

    def ask(self, line: str) -> str:
        """Run a command line, and give everything up to its result."""
        self.say(line.encode() + b"\r")
        return self.until(b"OK\r\n", b"ERROR\r\n", b"CONNECT\r\n").decode()

    def say(self, data: bytes) -> None:
        """Send octets."""
        self._line.sendall(data)

    def until(self, *ends: bytes) -> bytes:
        """What is heard up to one of these."""
        heard = b""
        while not heard.endswith(ends):
            got = self._line.recv(4096)
            assert got, heard
            heard += got
        return heard

    def close(self) -> None:
        """Unplug."""
        self._line.close()


def segment(connection: socket.socket) -> int:
    """The largest segment that the other end of a connection lets this one send."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


def test_maximumSegment() -> None:
    """#TCPMAXDAT is told to peers, called and calling, of connections opened afterwards (TEL-OPT-01, TEL-OPT-03)."""
    with (
        LiveModule("HE863-EUD") as module,
        closing(Host(module)) as host,
        socket.create_server(("127.0.0.1", 0)) as far,
    ):
        far.settimeout(10)
        own, port = freePort(), far.getsockname()[1]
        host.ask('AT+CGDCONT=1,"IP","x"')
        host.ask("AT#SCFG=2,1,300,90,600,50;#SCFG=3,1,300,90,600,50;#SGACT=1,1")
        host.ask(f'AT#SD=1,0,{port},"127.0.0.1",0,0,1')
        free, _ = far.accept()
        host.ask("AT#TCPMAXDAT=1000")
        host.ask(f'AT#SD=2,0,{port},"127.0.0.1",0,0,1')
        limited, _ = far.accept()
        host.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"')
        assert "OK" in host.ask(f"AT#SL=3,1,{own}")
        address = module.call(lambda: module.module.address(1))
        caller = socket.create_connection((address, own), 10)
        with free, limited, caller:
            assert segment(free) > 1420
            assert segment(limited) <= 1000
            assert segment(caller) <= 1000


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUD", "HE910-EUR"])
def test_maximumSegmentRange(product: str) -> None:
    """0 or 496 to 1420, as the example of 1000 has it and the misprinted range doesn't (TEL-OPT-02)."""
    lines = Lines(product)
    for size in (496, 1000, 1420, 0):
        assert lines.ask(f"AT#TCPMAXDAT={size}") == ["OK"]
        assert lines.ask("AT#TCPMAXDAT?") == [f"#TCPMAXDAT: {size}", "OK"]
    for size in (1, 495, 1421, 1496):
        assert lines.ask(f"AT#TCPMAXDAT={size}") == ["ERROR"]


@pytest.mark.parametrize(
    ("name", "value", "wrong", "shown"),
    [
        ("#PADFWD", "13", "256", "13,0"),
        ("#PADCMD", "1", "2", "1"),
        ("#TCPREASS", "1", "2", "1"),
        ("#ICMP", "2", "3", "2"),
        ("#E2SLRI", "1150", "49", "1150"),
    ],
)
def test_kept(name: str, value: str, wrong: str, shown: str) -> None:
    """What is set reads back, and a value out of range changes nothing (reference 6.1)."""
    lines = Lines()
    assert lines.ask(f"AT{name}={value}") == ["OK"]
    assert lines.ask(f"AT{name}={wrong}") == ["ERROR"]
    assert lines.ask(f"AT{name}?") == [f"{name}: {shown}", "OK"]
