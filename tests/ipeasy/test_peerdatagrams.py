"""Datagrams through a module by the peer's typed calls."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.ipeasy.buffer import Place
from atrunproto.ipeasy.peerdatagrams import LONGEST, receiveDatagram, sendDatagram
from atrunproto.testing.emulated import DatagramWire
from tests.ipeasy.modems import FAR, PORT, Modem

OWN = 7001
OTHER = "127.0.0.78"
EVERY = bytes(range(256))


class Datagrams(Modem):
    """A module with a UDP socket, and two hosts."""

    def __init__(self, product: str = "HE910-EUR") -> None:
        super().__init__(product=product)
        self.wires = {host: DatagramWire(self.clock) for host in (FAR, OTHER)}
        for host, wire in self.wires.items():
            self.clock.listenUDP(PORT, wire, host)
        self.ask(f'AT#SD=1,1,{PORT},"{FAR}",0,{OWN},1')

    def send(self, data: bytes, host: str) -> None:
        """Send a datagram to a host."""
        self.result(Deferred.fromCoroutine(sendDatagram(self.client, 1, data, (host, PORT))))


def received(modem: Modem, connId: int = 1) -> tuple[bytes, Place] | None:
    """What waits first at a socket."""
    datagram: tuple[bytes, Place] | None = modem.result(Deferred.fromCoroutine(receiveDatagram(modem.client, connId)))
    return datagram


def test_severalPlaces() -> None:
    """A program sends any octets to several hosts, and is told who has sent each answer (reference 6.5)."""
    modem = Datagrams()
    for host in (OTHER, FAR):
        modem.send(host.encode() + EVERY, host)
    for host, wire in modem.wires.items():
        assert wire.heard == [(host.encode() + EVERY, ("127.0.0.1", OWN))]
        wire.say(EVERY + host.encode(), "127.0.0.1", OWN)
    for host in modem.wires:
        assert received(modem) == (EVERY + host.encode(), (host, PORT))
    assert received(modem) is None


def test_long() -> None:
    """A datagram that is longer than one reading comes whole, and the next one by itself."""
    modem = Datagrams()
    wire = modem.wires[FAR]
    for data in (EVERY * 16, b"short"):
        wire.say(data, "127.0.0.1", OWN)
    for data in (EVERY * 16, b"short"):
        assert received(modem) == (data, (FAR, PORT))


@pytest.mark.parametrize("data", [b"", bytes(LONGEST + 1)])
def test_badLength(data: bytes) -> None:
    """A datagram that no module sends isn't asked of one."""
    modem = Datagrams()
    with pytest.raises(Misuse):
        modem.send(data, FAR)
    modem.send(bytes(LONGEST), FAR)
    assert modem.wires[FAR].heard == [(bytes(LONGEST), ("127.0.0.1", OWN))]


def test_notThere() -> None:
    """A product that can't send so is an error."""
    with pytest.raises(CommandFailed):
        Datagrams("GE865-QUAD").send(b"x", OTHER)


def test_stream() -> None:
    """A connection has no datagrams, and is told from a socket without any."""
    modem = Modem()
    wire = modem.emulated.host(PORT)
    modem.ask(f'AT#SD=2,0,{PORT},"127.0.0.1",0,0,1')
    assert received(modem, 2) is None
    wire.callers[-1].say(b"hello")
    with pytest.raises(PeerViolation):
        received(modem, 2)
