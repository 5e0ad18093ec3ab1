"""Much data through an online socket that is suspended and resumed on the way."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise

import pytest

from atrunproto.testing.emulated import PATIENCE, LiveModule
from tests.bulk import MUCH, Reader
from tests.ipeasy.lines import Lines, Port

#: how often it is suspended
CUTS = 4
#: octets on the way from one time to the next
PART = MUCH // (CUTS + 1) + 1
#: octets of a packet of a live module's socket
PACKET = 1500
#: what the module says between data, which hold no CR
_TOLD = re.compile(rb"\r\n(?:OK|CONNECT|SRING: 1)\r\n")


def octets(seed: int, count: int) -> bytes:
    """So many octets of every value but CR."""
    return random.Random(seed).randbytes(count).replace(b"\r", b"\n")


def sendSlowly(sock: socket.socket, data: bytes, dice: random.Random, go: threading.Semaphore) -> None:
    """Send in pieces with pauses, a second for each part, which waits for its turn."""
    for start in range(0, MUCH, PART):
        go.acquire()
        part = data[start : start + PART]
        while part:
            size = dice.randrange(1, PART // 16)
            sock.sendall(part[:size])
            part = part[size:]
            time.sleep(dice.random() * 0.06)


def test_real(liveModule: Callable[..., LiveModule]) -> None:
    """64 MB each way at once arrive whole though the socket is suspended on the way (TEL-MSK-01, TEL-MSK-07)."""
    dice = random.Random(7)
    port = Port(liveModule())
    port.ask("AT#SKIPESC=1;S12=20")
    up, down = octets(1, MUCH), octets(2, MUCH)
    cuts = [0, *sorted(dice.randrange(1, MUCH) for _ in range(CUTS)), MUCH]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port.ask(f'AT#SD=1,0,{server.getsockname()[1]},"127.0.0.1"', b"CONNECT\r\n")
        host, _ = server.accept()
        above, below = Reader(host, MUCH), Reader(port.wire)
        go = threading.Semaphore()
        sender = threading.Thread(target=sendSlowly, args=(host, down, random.Random(8), go), daemon=True)
        sender.start()
        for start, end in pairwise(cuts):
            port.wire.sendall(up[start:end])
            # but for what doesn't fill a packet yet
            above.reach(end - PACKET)
            if end == MUCH:
                break
            time.sleep(0.5)
            port.wire.sendall(b"+++")
            below.until(b"\r\nOK\r\n")
            # what comes now finds the socket suspended
            go.release()
            below.until(b"\r\nSRING: 1\r\n")
            time.sleep(dice.random() * 0.5)
            port.wire.sendall(b"AT#SO=1\r")
            below.until(b"\r\nCONNECT\r\n")
        sender.join(PATIENCE)
        above.reach(MUCH)
        assert sha256(above.got).digest() == sha256(up).digest()
        host.close()
        below.until(b"\r\nNO CARRIER\r\n")
        heard = _TOLD.sub(b"", bytes(below.got)).removesuffix(b"\r\nNO CARRIER\r\n")
        assert sha256(heard).digest() == sha256(down).digest()
        port.wire.shutdown(socket.SHUT_RDWR)
        below.join(PATIENCE)
        port.close()


@pytest.mark.parametrize("seed", range(2))
def test_dice(seed: int) -> None:
    """Whenever it is suspended, read or resumed, no octet is lost, doubled or out of order (TEL-MSK-07, TEL-SO-02)."""
    dice = random.Random(seed)
    lines = Lines()
    lines.ask("ATE0#SKIPESC=1")
    wire, port = lines.dial(mode=0), lines.at[0]
    assert wire.transport is not None
    assert port.transport is not None
    up, down, heard = bytearray(), bytearray(), b""
    isOnline = True
    for turn in range(250):
        more = octets(turn, dice.choice((1, 100, 3000, 20000)))
        down += more
        wire.transport.write(more)
        if isOnline:
            more = octets(-turn, dice.choice((1, 100, 3000, 20000)))
            up += more
            port.transport.write(more)
            if dice.random() < 0.3:
                lines.emulated.advance(1.1)
                heard += port.heard()
                heard += port.say(b"+++")
                lines.emulated.advance(1.1)
                heard += port.heard()
                isOnline = False
        elif dice.random() < 0.5:
            heard += port.say(b"AT#SO=1\r")
            isOnline = True
        elif dice.random() < 0.5:
            heard += port.heard()
            answer = port.say(b"AT#SRECV=1,1500\r")
            found = re.fullmatch(
                rb"\r\n#SRECV: 1,(\d+)\r\n(.*)\r\n\r\nOK\r\n((?:\r\nSRING: 1\r\n)?)", answer, re.DOTALL
            )
            assert found is not None
            assert len(found[2]) == int(found[1])
            heard += found[2]
        lines.emulated.advance(dice.random())
    if not isOnline:
        heard += port.say(b"AT#SO=1\r")
    lines.emulated.advance(10)
    heard += port.heard()
    assert wire.heard() == up
    assert _TOLD.sub(b"", heard) == down
