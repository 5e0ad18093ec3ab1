"""Floods, silence and deaf peers at the run-AT service of a module; its local port does not notice."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from tests.abuse.daemon import MIB, Daemon, Line
from tests.programs import PATIENCE, freePort

#: by how much the module's memory may grow
GROWTH = 4 * MIB
#: seconds without a chance to write after which a peer counts as held back
HELD_BACK = 0.5
#: octets that a peer which doesn't read may get rid of: buffers of the kernel, mostly
MOST_UNREAD = 24 * MIB


class Service:
    """
    A module with its service on, in a process of its own.

    @ivar port: where the service is.
    @ivar daemon: the process.
    @ivar local: its AT instance 1.
    """

    def __init__(self, inactivity: int = 0) -> None:
        """
        @param inactivity: seconds without data after which the module ends a connection; 0: it never does.
        """
        local, self.port = freePort(), freePort()
        lines = [
            'AT+CGDCONT=1,"IP","internet"',
            f"AT#SCFG=1,1,300,{inactivity},600,1",
            "AT#SGACT=1,1",
            'AT#TCPATRUNFRWL=1,"127.0.0.1","255.0.0.0"',
            'AT#TCPATRUNAUTH=1,"user","secret"',
            f'AT#TCPATRUNCFG=1,2,{self.port},12345,"",0',
            "AT#TCPATRUNL=1",
        ]
        options = [part for line in lines for part in ("--startup", line)]
        place = f"1=tcp:{local}:interface=127.0.0.1"
        self.daemon = Daemon("atrun-module", "--time-scale", "0", "--at", place, *options)
        self.daemon.whenPrinted(b"modules switched on")
        self.local = Line(local)
        # until its start-up lines have run the module hears nothing
        while not select.select([self.local.socket], [], [], 0.05)[0]:
            self.local.socket.sendall(b"AT\r")
        self.local.socket.sendall(b"AT+CGMM\r")
        self.local.until(b"HE910\r\n\r\nOK\r\n")
        self.idle = self.daemon.memory()

    def call(self) -> Line:
        """Connect."""
        return Line(self.port)

    def login(self) -> Line:
        """Connect and log in."""
        line = self.call()
        line.socket.sendall(b"user\rsecret\r")
        line.ask(b"AT")
        return line

    def state(self) -> bytes:
        """What the local port says of the service's socket: 1 connected, 4 listening."""
        return self.local.ask(b"AT#SS=1").split(b"#SS: 1,")[1][:1]

    def isAsGoodAsNew(self) -> None:
        """Check that a peer is served, and that nothing has grown."""
        with self.login() as line:
            assert line.ask(b"AT+CGMM") == b"\r\nHE910\r\n\r\nOK\r\n"
        assert self.daemon.memory() - self.idle < GROWTH


@pytest.fixture
def service() -> Iterator[Service]:
    """A module with its service on."""
    service = Service()
    with service.daemon:
        yield service
        service.local.close()


def stuff(peer: Line) -> None:
    """Send commands and read no answer, until nothing more is taken."""
    peer.socket.setblocking(False)
    sent, line = 0, b"AT+CGMI;+CGMM;+CGMR;+CGSN\r" * 1000
    while select.select([], [peer.socket], [], HELD_BACK)[1]:
        sent += peer.socket.send(line)
        assert sent < MOST_UNREAD
    peer.socket.settimeout(PATIENCE)


def test_loginFlood(service: Service) -> None:
    """Hundreds of refused logins in a row: each is closed at once, and the right one is let in."""
    for number in range(300):
        with service.call() as line:
            line.socket.sendall(b"user\rguess%d\r" % number)
            assert line.isClosed()
            service.local.ask(b"AT")
    service.isAsGoodAsNew()


def test_silentLogin(service: Service) -> None:
    """A caller that never logs in holds the service; others are closed at once, and the local port can end it."""
    with service.call() as silent:
        for _ in range(100):
            with service.call() as other:
                assert other.isClosed()
        assert service.state() == b"1"
        service.local.ask(b"AT#TCPATRUNCLOSE")
        assert silent.isClosed()
    service.isAsGoodAsNew()


def test_garbageInsteadOfLogin(service: Service) -> None:
    """Megabytes of garbage in place of a name end the connection before they are read."""
    with service.call() as line, pytest.raises((BrokenPipeError, ConnectionResetError)):
        line.socket.sendall(b"x" * 64 * MIB)
    service.isAsGoodAsNew()


def test_deafPeer(service: Service) -> None:
    """A peer that sends commands and reads nothing is held back; the module and its local port go on."""
    with service.login() as peer:
        stuff(peer)
        for _ in range(50):
            service.local.ask(b"AT+CSQ")
        assert service.daemon.memory() - service.idle < GROWTH
        assert service.state() == b"1"


def test_vanishedPeers() -> None:
    """A peer that is there no more keeps the service until the inactivity timeout or #TCPATRUNCLOSE frees it."""
    timed, asked = Service(1), Service(0)
    with timed.daemon, asked.daemon, timed.local, asked.local, timed.login() as one, asked.login() as other:
        # as seen from the module: they read nothing, say nothing, and never close
        stuff(one)
        stuff(other)
        assert asked.state() == b"1"
        asked.local.ask(b"AT#TCPATRUNCLOSE")
        for service in (timed, asked):
            while service.state() != b"4":
                select.select([], [], [], 0.05)
            service.isAsGoodAsNew()


def test_closedForReading(service: Service) -> None:
    """A peer that closes its sending side, or breaks off in the middle of answers, leaves a service as good as new."""
    with service.login() as peer:
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.isClosed()
    with service.login() as peer:
        peer.socket.sendall(b"AT+CGMM\r" * 1000)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    while service.state() != b"4":
        select.select([], [], [], 0.05)
    service.isAsGoodAsNew()
