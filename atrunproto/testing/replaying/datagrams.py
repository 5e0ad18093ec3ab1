"""
Peers that speak UDP: all datagrams between two addresses are for them one connection.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol

from atrunproto.testing.replaying.ports import Peer, Wire, closed, nextOf

Address: TypeAlias = tuple[str, int]


class DatagramWire(Wire):
    """The datagrams between a peer and an address of the module; it is its own transport."""

    isDatagram = True

    def __init__(self, place: DatagramPlace, peer: Peer, other: Address) -> None:
        super().__init__(peer)
        self.transport = self  # type: ignore[assignment]
        self._place = place
        self._other = other

    def datagramReceived(self, datagram: bytes, other: Address) -> None:
        """Take a datagram; answers go to where the last one came from."""
        self._other = other
        self.dataReceived(datagram)

    def write(self, octets: bytes) -> None:
        """Send one datagram."""
        self._place.send(octets, self._other)

    def loseConnection(self) -> None:
        """End it; what comes from the module afterwards is something new."""
        self._place.forget(self)

    abortConnection = loseConnection

    def pauseProducing(self) -> None:
        """Read no more: what still comes is lost, since the port has let go."""


class DatagramPlace(DatagramProtocol):
    """
    An address and port number of peers for datagrams.

    Where several peers are at one address, each address of the module talks to the next of them.
    """

    noisy = False

    def __init__(self, reactor: Any, host: str, number: int) -> None:
        self.peers: list[Peer] = []
        self._taken: list[Peer] = []
        self._wires: dict[Address, DatagramWire] = {}
        self._caller: DatagramWire | None = None
        self._port: IListeningPort = reactor.listenUDP(number, self, interface=host)

    @property
    def speakers(self) -> list[Address]:
        """The addresses of the module that speak with peers here, the newest first."""
        return list(self._wires)[::-1]

    def call(self, peer: Peer, module: Address) -> None:
        """Let a peer speak first, and to nobody else; nothing is sent yet."""
        self._caller = DatagramWire(self, peer, module)
        peer.attach(self._caller)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Give a datagram to the peer to whom its sender talks; it is lost where nobody is free."""
        wire = self._caller or self._wires.get(addr) or self._newcomer(addr)
        if wire is not None:
            wire.datagramReceived(datagram, addr)

    def _newcomer(self, address: Address) -> DatagramWire | None:
        peer = nextOf(self.peers, self._taken)
        if peer is None:
            return None
        wire = self._wires[address] = DatagramWire(self, peer, address)
        peer.attach(wire)
        return wire

    def send(self, octets: bytes, other: Address) -> None:
        """Send a datagram."""
        if self.transport is not None:
            self.transport.write(octets, other)

    def forget(self, wire: DatagramWire) -> None:
        """A peer has ended what it had with the module."""
        self._wires = {address: each for address, each in self._wires.items() if each is not wire}
        if wire is self._caller:
            self.stop()

    def stop(self) -> Deferred[None]:
        """Receive no more."""
        return closed(self._port)


class DatagramEcho(DatagramProtocol):
    """Returns every datagram."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Send it back."""
        assert self.transport is not None
        self.transport.write(datagram, addr)
