"""TCPATRUN on real sockets of this machine: what the system shows, and what strangers see of it."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import TestCase

from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import AddressPool, Network
from atrunproto.emulator.products import product
from tests.support import ownBlock

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
#: addresses of callers: one that the rule covers, and one that none does
ADMITTED, STRANGER = f"{ownBlock()}.129", f"{ownBlock()}.130"


def freePort() -> int:
    """A port that is free at every address of this machine."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


class Line:
    """The local AT port of a module, whose answers come at once."""

    def __init__(self, module: EmulatedModule) -> None:
        self._transport = StringTransport()
        self._port = module.portFactory(1).buildProtocol(None)
        self._port.makeConnection(self._transport)
        self("ATE0")

    def __call__(self, line: str) -> list[str]:
        """Run a line; give what came since the last one."""
        self._port.dataReceived(line.encode() + b"\r")
        text = self._transport.value().decode()
        self._transport.clear()
        return [each for each in text.split("\r\n") if each]


class Caller:
    """A plain socket, such as any program has."""

    def __init__(self, place: tuple[str, int], source: str = ADMITTED) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((source, 0))
        self.refused = self.socket.connect_ex(place) not in (0, errno.EINPROGRESS)

    def isConnected(self) -> bool:
        """Whether the other end has taken the connection."""
        return bool(select.select([], [self.socket], [], 0)[1]) and self.error() == 0

    def error(self) -> int:
        """What the attempt has come to so far; 0 as long as nothing has."""
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def send(self, data: bytes) -> None:
        """Send at once."""
        self.socket.send(data)

    def read(self) -> bytes | None:
        """What has come; C{None}: the connection has been closed."""
        try:
            return self.socket.recv(65536) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None


class LoopbackTests(TestCase):
    """A module on the real reactor."""

    timeout = 20

    def setUp(self) -> None:
        """Make a network whose addresses nothing else uses."""
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.network = Network(reactor, AddressPool(f"{ownBlock()}.0/25"))
        self.callers: list[Caller] = []
        self.addCleanup(self.network.close)
        self.addCleanup(self.closeCallers)

    async def closeCallers(self) -> None:
        """Close what the test has opened, and let the reactor notice."""
        for caller in self.callers:
            caller.socket.close()
        await self.wait(0.05)

    def wait(self, seconds: float) -> Deferred[None]:
        """Let real time pass."""
        return deferLater(self.reactor, seconds)

    async def until(self, condition: Any) -> None:
        """Wait until something holds, which the time limit of the test bounds."""
        while not condition():
            await self.wait(0.005)

    def call(self, place: tuple[str, int], source: str = ADMITTED) -> Caller:
        """Connect from an address."""
        self.callers.append(Caller(place, source))
        return self.callers[-1]

    async def answer(self, caller: Caller, line: bytes, final: bytes = b"OK\r\n") -> bytes:
        """Send a line; give all up to its final result."""
        caller.send(line + b"\r")
        heard = b""
        while not heard.endswith(final):
            heard += caller.read() or b""
            await self.wait(0.005)
        return heard

    @asynccontextmanager
    async def service(self, name: str = "HE910-EUR", port: int = 0) -> AsyncIterator[tuple[Line, tuple[str, int]]]:
        """A module that serves one address; its local port, and where it listens."""
        port = port or freePort()
        module = EmulatedModule(product(name), self.network, self.reactor, timeScale=0.0)
        module.powerOn()
        at = Line(module)
        for line in (
            'AT+CGDCONT=1,"IP","x"',
            "AT#SCFG=1,1,300,0,600,1",
            f'AT#TCPATRUNFRWL=1,"{ADMITTED}","255.255.255.255"',
            'AT#TCPATRUNAUTH=1,"user","secret"',
            f'AT#TCPATRUNCFG=1,2,{port},{port},"127.0.0.1"',
        ):
            self.assertEqual(at(line), ["OK"], line)
        address = at("AT#SGACT=1,1")[0].removeprefix("#SGACT: ")
        try:
            yield at, (address, port)
        finally:
            module.powerOff()

    async def login(self, place: tuple[str, int]) -> Caller:
        """Connect from the admitted address and log in."""
        caller = self.call(place)
        await self.until(caller.isConnected)
        caller.send(b"user\rsecret\r")
        return caller

    async def test_session(self) -> None:
        """A caller on a real socket logs in and is answered, where #SGACT says that it is (TEL-SRV-02, TEL-SRV-04)."""
        async with self.service() as (at, place):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            caller = await self.login(place)
            self.assertEqual(await self.answer(caller, b"AT+CGMM"), b"\r\nHE910\r\n\r\nOK\r\n")

    async def test_boundAddress(self) -> None:
        """The system shows the port at the context's address, and nowhere else (TEL-SRV-02)."""
        if not Path("/proc/net/tcp").exists():
            pytest.skip("there is no /proc/net/tcp")
        async with self.service() as (at, (address, port)):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            hexadecimal = socket.inet_aton(address)[::-1].hex().upper()
            table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            listening = [fields[1] for fields in table if fields[3] == "0A" and fields[1].endswith(f":{port:04X}")]
            self.assertEqual(listening, [f"{hexadecimal}:{port:04X}"])

    @pytest.mark.skipif(not IS_ROOT, reason="only root may attach a filter to a socket")
    async def test_silentFirewall(self) -> None:
        """A caller whom no rule covers gets no answer from the system at all (TEL-FWR-01, TEL-FWR-03)."""
        async with self.service() as (at, place):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            stranger = self.call(place, STRANGER)
            admitted = await self.login(place)
            await self.answer(admitted, b"AT", b"OK\r\n")
            await self.wait(0.2)
            self.assertEqual((stranger.isConnected(), stranger.error(), stranger.read()), (False, 0, b""))
            # while one is served, a second one that is covered is refused, and a stranger stays unanswered
            second, other = self.call(place), self.call(place, STRANGER)
            await self.until(lambda: second.read() is None)
            self.assertEqual((other.isConnected(), other.error()), (False, 0))

    @pytest.mark.skipif(not IS_ROOT, reason="only root may attach a filter to a socket")
    async def test_rulesChangeAtOnce(self) -> None:
        """A rule that is added or removed holds for the next caller (TEL-FWR-02)."""
        async with self.service() as (at, place):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            at(f'AT#TCPATRUNFRWL=1,"{STRANGER}","255.255.255.255"')
            caller = self.call(place, STRANGER)
            await self.until(caller.isConnected)
            caller.socket.close()
            at("AT#TCPATRUNFRWL=2")
            caller = self.call(place)
            await self.wait(0.2)
            self.assertEqual((caller.isConnected(), caller.error()), (False, 0))

    async def test_firewallWithoutPrivilege(self) -> None:
        """Where no filter can be attached a stranger's connection is taken and never answered (TEL-FWR-01)."""
        with patch("atrunproto.ipeasy.listening.attachFilter", return_value=False):
            async with self.service() as (at, place):
                at("AT#TCPATRUNL=1")
                await self.wait(0)
                stranger = self.call(place, STRANGER)
                await self.until(stranger.isConnected)
                stranger.send(b"user\rsecret\rAT\r")
                caller = await self.login(place)
                await self.answer(caller, b"AT")
                self.assertEqual(stranger.read(), b"")
            await self.until(lambda: stranger.read() is None)

    async def test_secondCaller(self) -> None:
        """While one caller is served others are refused; the first doesn't notice (TEL-GAP-14)."""
        async with self.service() as (at, place):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            first = await self.login(place)
            await self.answer(first, b"AT")
            others = [self.call(place) for _ in range(20)]
            for other in others:
                await self.until(lambda other=other: other.read() is None)
            self.assertEqual(await self.answer(first, b"AT"), b"\r\nOK\r\n")
            first.socket.close()
            await self.until(
                lambda: at("AT#TCPATRUNL?;#SS=1")[1].startswith("#SS: 1,4,") or at("AT#SS=1")[0][6:9] == "1,4"
            )
            await self.answer(await self.login(place), b"AT")

    async def test_twoModulesOnOnePort(self) -> None:
        """Two modules listen on the same port, each at its own address."""
        async with self.service() as (one, (first, port)), self.service("GE865-QUAD", port) as (two, (second, _)):
            for at in (one, two):
                self.assertEqual(at("AT#TCPATRUNL=1"), ["OK"])
            await self.wait(0)
            self.assertNotEqual(first, second)
            for address, model in ((first, b"HE910"), (second, b"GE865")):
                caller = await self.login((address, port))
                self.assertIn(model, await self.answer(caller, b"AT+CGMM"))

    async def test_takenPort(self) -> None:
        """A port that another program has is the module's trouble, and the module's alone."""
        with socket.socket() as other:
            other.bind(("0.0.0.0", 0))
            other.listen()
            async with self.service(port=other.getsockname()[1]) as (at, _):
                self.assertEqual(at("AT#TCPATRUNL=1"), ["OK"])
                await self.wait(0.05)
                self.assertEqual(at("AT#TCPATRUNL?;#SS=1"), ["#TCPATRUNL: 1,0", "#SS: 1,0", "OK"])
                self.assertEqual(at("AT"), ["OK"])

    async def test_clientFromItsAddress(self) -> None:
        """In client mode the host sees the context's address as the caller (TEL-CLI-01)."""
        with socket.socket() as host:
            host.bind(("127.0.0.1", 0))
            host.listen()
            host.setblocking(False)
            async with self.service(port=host.getsockname()[1]) as (at, (address, _)):
                self.assertEqual(at("AT#TCPATRUND=1"), ["OK"])
                await self.until(lambda: select.select([host], [], [], 0)[0])
                connection, peer = host.accept()
                with connection:
                    self.assertEqual(peer[0], address)
                    connection.sendall(b"AT+CGMM\r")
                    await self.until(lambda: select.select([connection], [], [], 0)[0])
                    self.assertEqual(connection.recv(100), b"\r\nHE910\r\n\r\nOK\r\n")
                await self.wait(0.02)

    async def test_callerWhoDoesNotRead(self) -> None:
        """A caller who sends commands and reads no answers makes the module wait, not grow; others don't notice."""
        async with self.service() as (at, place), self.service() as (other, elsewhere):
            for line in (at, other):
                line("AT#TCPATRUNL=1")
            await self.wait(0)
            caller = await self.login(place)
            # some two hundred kilobytes of answer for every two octets
            lines = b"AT" + b"&V" * 190 + b"\r" + b"A/" * 30_000
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                try:
                    caller.send(lines)
                except BlockingIOError:
                    await self.wait(0.02)
            link = next(iter(self.network.modules)).serviceSocket(1).link  # type: ignore[attr-defined]
            transport = link.transport
            held = len(transport.dataBuffer) + sum(len(piece) for piece in transport._tempDataBuffer)
            self.assertLess(held, 1_000_000)
            self.assertEqual(at("AT")[-1], "OK")
            await self.answer(await self.login(elsewhere), b"AT")

    async def test_abortedConnections(self) -> None:
        """Callers that reset their connection at any moment leave the service as it was."""
        async with self.service() as (at, place):
            at("AT#TCPATRUNL=1")
            await self.wait(0)
            for said in (b"", b"user\r", b"user\rsecret\r", b"user\rsecret\rAT+COPS=?\r", b"user\rsecret\rAT\r"):
                caller = self.call(place)
                await self.until(caller.isConnected)
                if said:
                    caller.send(said)
                await self.wait(0.02)
                caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                caller.socket.close()
                await self.until(lambda: at("AT#SS=1")[-2].startswith("#SS: 1,4,"))
            await self.answer(await self.login(place), b"AT")
