"""Sockets opened by AT command on real connections, with peers that misbehave."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from atrunproto.ipeasy.buffer import WINDOW
from atrunproto.testing.emulated import PATIENCE, LiveModule
from tests.ipeasy.lines import Port

#: octets that Twisted reads at once
PIECE = 65536


class Peer:
    """A listening host, which small buffers make stop soon."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.server.settimeout(PATIENCE)

    def take(self, port: Port, mode: int, connId: int = 1) -> socket.socket:
        """Let the module call, online or in command mode; give this end of the connection."""
        line = f'AT#SD={connId},0,{self.server.getsockname()[1]},"127.0.0.1",0,0,{mode}'
        port.ask(line, b"OK\r\n" if mode else b"CONNECT\r\n")
        host, _ = self.server.accept()
        host.settimeout(PATIENCE)
        return host


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A host that the module calls."""
    made = Peer()
    yield made
    made.server.close()


def fill(sock: socket.socket, data: bytes) -> int:
    """Send until nothing more is taken for a while; give how much was."""
    sock.settimeout(0.4)
    sent = 0
    try:
        while sent < len(data):
            sent += sock.send(data[sent : sent + PIECE])
    except TimeoutError:
        pass
    sock.settimeout(PATIENCE)
    return sent


@pytest.mark.parametrize("mode", [0, 1])
def test_reset(liveModule: Callable[..., LiveModule], peer: Peer, mode: int) -> None:
    """A connection that its peer breaks off has ended for that cause, online and suspended (TEL-SH-01)."""
    port = Port(liveModule())
    port.ask("AT#SCFGEXT2=1,0,0,0,0,2")
    host = peer.take(port, mode)
    host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    host.close()
    assert port.until(b"1,2\r\n") == b"\r\nNO CARRIER:1,2\r\n"
    assert b"#SS: 1,0\r\n" in port.ask("AT#SS=1")
    port.close()


def test_heldBack(liveModule: Callable[..., LiveModule], peer: Peer) -> None:
    """Nobody reads a suspended socket: its real peer is stopped, and later all arrives (TEL-CMD-12, TEL-MSK-07)."""
    port = Port(liveModule())
    host = peer.take(port, 1)
    data = bytes(range(256)) * 4 * 32768
    sent = fill(host, data)
    assert sent < len(data)
    told = port.ask("AT#SI=1")
    pending = int(told.split(b"#SI: ")[1].split(b",")[3])
    assert WINDOW <= pending < WINDOW + PIECE
    port.wire.sendall(b"AT#SO=1\r")
    heard = bytearray()
    while len(heard) < sent + len(b"\r\nCONNECT\r\n"):
        heard += port.wire.recv(PIECE)
    assert heard == b"\r\nCONNECT\r\n" + data[:sent]
    host.close()
    port.until(b"NO CARRIER\r\n")
    port.close()


def test_shutWhileFull(liveModule: Callable[..., LiveModule], peer: Peer) -> None:
    """The id of a full connection is free at once, and the old peer still gets its data (TEL-SH-02)."""
    module = liveModule()
    port = Port(module)
    old = peer.take(port, 0)
    data = bytes(range(256)) * 4 * 32768
    assert fill(port.wire, data) < len(data)
    port.close()
    port = Port(module, isFirst=False)
    assert port.ask("AT#SH=1") == b"\r\nOK\r\n"
    new = peer.take(port, 1)
    new.sendall(b"fresh")
    port.until(b"SRING: 1\r\n")
    got = bytearray()
    while more := old.recv(PIECE):
        got += more
    assert got
    assert data.startswith(got)
    assert b"\r\nfresh\r\n" in port.ask("AT#SRECV=1,100")
    for each in (old, new):
        each.close()
    port.until(b"NO CARRIER\r\n")
    port.close()
