"""
UDP for the sockets of a module: a port that talks with one peer, and the link that sends each packet as a datagram.

Source: IP Easy User Guide 3.2.1.4 and 3.2.2.3 (S), reference 6.3 (#SD, #SLUDP); TEL-SD-01, TEL-LIS-10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import DatagramProtocol, connectionDone

from atrunproto.admission import Rule, admits

from .link import Link

#: octets of the longest datagram that there is
LONGEST = 65535

Place = tuple[str, int]


class DatagramLink(Link):
    """
    A link whose packets stay apart: each is one datagram.
    """

    __slots__ = ()

    def sendFull(self, packets: bytes) -> None:
        for packet in self._packets.cut(packets):
            self.writeNow(packet)

    def send(self, data: bytes) -> None:
        """
        Send a datagram at once, after what has gathered.
        """
        self.writeNow(self._packets.flush())
        self.writeNow(data)


class Channel:
    """
    The transport of a link: one peer of a port.

    While the link is paused datagrams are dropped; so nothing gathers here.
    """

    def __init__(self, port: DatagramPort, link: Link, peer: Place) -> None:
        self.peer = peer
        self._port = port
        self._link = link
        self._isPaused = False
        self._isOver = False

    def datagramReceived(self, data: bytes) -> None:
        """
        The peer has said something; an empty datagram is nothing to a socket (A).
        """
        if data and not self._isPaused and not self._isOver:
            self._link.dataReceived(data)

    def write(self, data: bytes) -> None:
        """
        Send one datagram; one that can't leave is lost.
        """
        if not self._isOver:
            self._port.send(data, self.peer)

    def loseConnection(self) -> None:
        """
        End it, soon.
        """
        if not self._isOver:
            self._isOver = True
            self._port.clock.callLater(0, self._end)

    abortConnection = loseConnection

    def _end(self) -> None:
        self._port.left()
        self._link.connectionLost(connectionDone)

    def getPeer(self) -> IPv4Address:
        """
        Who is spoken with.
        """
        return IPv4Address("UDP", *self.peer)

    def getHost(self) -> IPv4Address:
        """
        The own end.
        """
        return self._port.getHost()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        Datagrams always leave, so nobody is held back.
        """

    def unregisterProducer(self) -> None:
        """
        See L{registerProducer}.
        """

    def pauseProducing(self) -> None:
        """
        Drop what comes.
        """
        self._isPaused = True

    def resumeProducing(self) -> None:
        """
        Hear it again.
        """
        self._isPaused = False


class DatagramPort(DatagramProtocol):
    """
    A UDP port for one peer at a time: one that is dialled, or the first that calls while the port listens.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        rules: Sequence[Rule] = (),
        accept: Callable[[Place], Link | None] | None = None,
    ) -> None:
        """
        @param accept: makes the link of an admitted caller; C{None} from it refuses the caller. C{None} in its place:
            nobody calls, and the port ends with its link.
        """
        self.clock = clock
        self._rules = rules
        self._accept = accept
        self._channel: Channel | None = None
        self._port: Any = None

    def open(self, reactor: Any, address: str, port: int) -> None:
        """
        @param port: 0 for any.
        @raise CannotListenError: the port is taken.
        """
        self._port = reactor.listenUDP(port, self, interface=address, maxPacketSize=LONGEST)

    def connect(self, link: Link, peer: Place) -> None:
        """
        Put a link on this port; it is up at once.
        """
        self._channel = Channel(self, link, peer)
        link.makeConnection(self._channel)

    def admit(self, rules: Sequence[Rule]) -> None:
        """
        Change the rules; a peer that is spoken with stays.
        """
        self._rules = rules

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Hand it to the link if it is from its peer; else it is a call, or for nobody.
        """
        peer: Place = addr[0], addr[1]
        if self._channel is None and self._accept is not None and admits(self._rules, peer[0]):
            link = self._accept(peer)
            if link is not None:
                self.connect(link, peer)
        if self._channel is not None and self._channel.peer == peer:
            self._channel.datagramReceived(datagram)

    def send(self, data: bytes, peer: Place) -> None:
        """
        Send a datagram; as with UDP, nobody hears of one that can't leave.
        """
        if self._port is not None:
            try:
                self.transport.write(data, peer)  # type: ignore[union-attr]
            except (OSError, MessageLengthError):
                return

    def getHost(self) -> IPv4Address:
        """
        The own address.
        """
        host: IPv4Address = self.transport.getHost()  # type: ignore[union-attr, assignment]
        return host

    def left(self) -> None:
        """
        The link has ended.
        """
        self._channel = None
        if self._accept is None:
            self.stop()

    def stop(self) -> Deferred[None]:
        """
        Leave the port free.
        """
        port, self._port = self._port, None
        if port is None:
            return succeed(None)
        stopped: Deferred[None] = port.stopListening() or succeed(None)
        return stopped
