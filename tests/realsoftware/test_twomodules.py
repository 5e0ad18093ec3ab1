"""Two modules that are connected to each other, each a program of its own with its own address."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from threading import Thread

import pytest

from tests.abuse.daemon import CHUNK, Daemon, Line
from tests.programs import freePort

#: octets of a packet, by the factory
PACKET = 300
#: more than a megabyte, in whole packets
MUCH = 3496 * PACKET
#: seconds of silence, a little more than S12
GUARD = 1.2


class Module:
    """
    A module and its AT port.

    @ivar address: what its context must get.
    """

    def __init__(self, stack: ExitStack, number: int) -> None:
        # a block for each process that tests
        pid = os.getpid()
        self.address = f"127.{192 + pid % 60}.{pid // 60 % 256}.{number}"
        port = freePort()
        daemon = stack.enter_context(
            Daemon(
                "atrun-module", "--time-scale", "0", "--address", self.address, "--product", "HE910-EUR",
                "--at", f"1=tcp:{port}:interface=127.0.0.1",
            )
        )  # fmt: skip
        daemon.whenPrinted(b"modules switched on")
        self.line = stack.enter_context(Line(port))
        self.line.ask(b"ATE0")

    def say(self, line: str, answer: str) -> None:
        """Type a line that must be answered by just that."""
        self.line.socket.sendall(line.encode() + b"\r")
        self.hear(answer)

    def hear(self, *told: str) -> None:
        """Wait for these lines, which must come next."""
        expected = "".join(f"\r\n{line}\r\n" for line in told).encode()
        assert self.take(len(expected)) == expected

    def take(self, count: int) -> bytes:
        """Read so many octets."""
        data = b""
        while len(data) < count and (more := self.line.socket.recv(min(CHUNK, count - len(data)))):
            data += more
        return data


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Module]]:
    """Two modules with the context of the guide's example."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        both = [Module(stack, number) for number in (1, 2)]
        for module in both:
            module.say('AT+CGDCONT=1,"IP","ibox.tim.it","0.0.0.0"', "OK")
            module.line.socket.sendall(b"AT#SGACT=1,1\r")
            module.hear(f"#SGACT: {module.address}", "OK")
        yield both


def exchange(sender: Module, receiver: Module, seed: int) -> None:
    """Send much from one to the other."""
    data = random.Random(seed).randbytes(MUCH)
    sending = Thread(target=sender.line.socket.sendall, args=(data,), daemon=True)
    sending.start()
    assert sha256(receiver.take(MUCH)).digest() == sha256(data).digest()
    sending.join()


def test_guide(modules: list[Module]) -> None:
    """The guide's two modules find each other by the address that one was given; a megabyte passes whole in both
    directions, and either may be the one that listens (TEL-TWO-01, TEL-TWO-02, TEL-TWO-03, TEL-TWO-04, TEL-IFW-05)."""
    for server, client in permutations(modules):
        server.say('AT#FRWL=1,"198.158.1.1","0.0.0.0"', "OK")
        # as the guide's table has it, port and closure type exchanged
        server.say("AT#SL=1,1,0,1024", "ERROR")
        server.say("AT#SL=1,1,1024,0", "OK")
        server.line.socket.sendall(b"AT#SS=1\r")
        server.hear(f"#SS: 1,4,{server.address},1024", "OK")
        client.say(f'AT#SD=2,0,1024,"{server.address}"', "CONNECT")
        server.hear("SRING: 1")
        server.say("AT#SA=1", "CONNECT")
        exchange(client, server, 1)
        exchange(server, client, 2)
        time.sleep(GUARD)
        client.line.socket.sendall(b"+++")
        client.hear("OK")
        client.say("AT#SH=2", "OK")
        # what the sequence itself has sent (#SKIPESC=0)
        assert server.take(3) == b"+++"
        server.hear("NO CARRIER")
        server.line.socket.sendall(b"AT#SS=1\r")
        server.hear("#SS: 1,0", "OK")
