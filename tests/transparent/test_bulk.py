"""Much data through the TCP sockets of a Multi-Tech modem that is alive."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

import pytest

from atrunproto.multitech.coding import codingOf
from atrunproto.testing.emulated import PATIENCE, LiveModule
from tests.bulk import MUCH, Reader
from tests.multitech.live import WAITING, LiveModem
from tests.multitech.modems import OK
from tests.transparent.links import CLOSED

HOST = "127.0.0.1"
#: octets that are sent at a time, where nobody reads them
CHUNK = 65536
#: seconds after which somebody who can't send is held back
STILL = 1.0
#: octets that both connections of a session may hold, in the system and in the modem
HELD = MUCH // 2


class Call:
    """
    A socket of a live modem that is online with a host.

    @ivar modem: at the port.
    @ivar host: the far end.
    @ivar coding: of the port.
    """

    def __init__(self, module: LiveModule, number: int, dleMode: int) -> None:
        with socket.create_server((HOST, 0)) as server:
            values = {"SERV": f'"{HOST}"', "PORT": server.getsockname()[1]}
            lines = [f"#TCP{name}={number},{value}" for name, value in values.items()]
            self.modem = LiveModem(module, f"#DLEMODE={number},{dleMode}", *lines)
            assert self.modem.command(f"AT#OTCP={number}") == WAITING
            self.host, _ = server.accept()
        self.coding = codingOf(dleMode)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *exception: object) -> None:
        self.modem.socket.close()
        self.host.close()


def sending(sock: socket.socket, data: bytes) -> threading.Thread:
    """Send in a thread of its own."""
    sender = threading.Thread(target=sock.sendall, args=(data,), daemon=True)
    sender.start()
    return sender


def heldBack(sock: socket.socket, data: bytes) -> int:
    """Send until no more is taken; tell how many octets were."""
    sent = 0
    sock.settimeout(STILL)
    with suppress(TimeoutError):
        while sent < len(data):
            sent += sock.send(data[sent : sent + CHUNK])
    sock.settimeout(PATIENCE)
    return sent


@pytest.mark.parametrize(("number", "dleMode", "closer"), [(1, 1, "host"), (2, 1, "peer"), (1, 0, "peer")])
def test_bothWays(liveModule: Callable[..., LiveModule], number: int, dleMode: int, closer: str) -> None:
    """
    64 MB each way at once arrive whole, and so does what was said just before the end.

    MTS-TCP-13, MTS-TCP-14, MTS-TCP-15, MTS-TCP-16, MTS-TCP-17, MTS-TCP-18, MTS-TCP-19.
    """
    up, down = (random.Random(seed).randbytes(MUCH) for seed in (1, 2))
    with Call(liveModule("MTCBA-G"), number, dleMode) as call:
        coding, dte, peer = call.coding, call.modem.socket, call.host
        above, below = Reader(peer), Reader(dte)
        toPeer, toHost = sending(dte, coding.encode(up)), sending(peer, down)
        if closer == "host":
            # what comes behind its ETX is not for it
            below.reach(len(coding.encode(down)))
            toPeer.join(PATIENCE)
            dte.sendall(coding.end)
        else:
            above.reach(MUCH)
            toHost.join(PATIENCE)
            peer.shutdown(socket.SHUT_WR)
        below.until(coding.end + CLOSED)
        above.join(PATIENCE)
        assert sha256(above.got).digest() == sha256(up).digest()
        dte.sendall(b"AT\r")
        below.until(OK)
        dte.shutdown(socket.SHUT_RDWR)
        below.join(PATIENCE)
        told = coding.end + CLOSED + OK
        assert below.got.endswith(told)
        heard, _ = coding.feed(bytes(below.got.removesuffix(told)))
        assert sha256(heard).digest() == sha256(down).digest()


@pytest.mark.parametrize("reader", ["peer", "host"])
def test_flowControl(liveModule: Callable[..., LiveModule], reader: str) -> None:
    """While one end reads nothing the other one is held back, so that no octet is lost nor gathered (MTS-SER-11)."""
    data = random.Random(3).randbytes(MUCH)
    with Call(liveModule("MTCBA-G"), 1, 1) as call:
        source, said, sink, heard = call.modem.socket, call.coding.encode(data), call.host, data
        if reader == "host":
            source, said, sink, heard = sink, heard, source, said
        sent = heldBack(source, said)
        assert sent < HELD
        sender, got = sending(source, said[sent:]), Reader(sink, len(heard))
        sender.join(PATIENCE)
        got.join(PATIENCE)
        assert sha256(got.got).digest() == sha256(heard).digest()
