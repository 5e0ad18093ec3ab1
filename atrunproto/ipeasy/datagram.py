"""
UDP for the sockets of a module: a port with its peer, and the link that sends each packet as a datagram.

Whom a socket talks with beside its peer: whomever #SSENDUDP names, and callers of a port that hears them all.
Source: IP Easy User Guide 3.2.1.4 and 3.2.2.3 (S), reference 6.3 (#SD, #SLUDP), 6.5 (#SSENDUDP); TEL-SD-01, TEL-LIS-10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import DatagramProtocol, connectionDone

from atrunproto.admission import Rule, admits

from .buffer import Place
from .link import Link

if TYPE_CHECKING:
    from .conversation import Conversation
    from .sockets import Socket

#: octets of the longest datagram that there is
LONGEST = 65535
#: places beside the peer to which something was sent and whose answers are heard, the last ones (A)
SPOKEN_TO = 16


class DatagramLink(Link):
    """
    A link whose packets stay apart: each is one datagram, and what comes has an origin.
    """

    __slots__ = ("_hearer", "_last")

    def __init__(self, socket: Socket, above: Conversation) -> None:
        super().__init__(socket, above)
        self._hearer = above
        self._last: Place | None = None

    def datagramReceived(self, data: bytes, origin: Place) -> None:
        """
        The peer has sent something, or somebody else whom the port hears.
        """
        if (origin == self.transport.peer or self._hearer.hearsOthers) and self.passes(data):
            self._last = origin
            if data := self._decoded(data):
                self._hearer.dataReceived(data, origin)

    def _decoded(self, data: bytes) -> bytes:
        return data if self._coding is None else self._coding.decodeDatagram(data)

    @property
    def shownPeer(self) -> IAddress:
        """
        Who was heard last (A; P of later families, #SSENDUDP).
        """
        return self.getPeer() if self._last is None else IPv4Address("UDP", *self._last)

    def sendFull(self, packets: bytes) -> None:
        for packet in self._packets.cut(packets):
            self.writeNow(self.encoded(packet))

    def send(self, data: bytes) -> None:
        """
        Send a datagram at once, after what has gathered.
        """
        self.writeNow(self.encoded(self._packets.flush()))
        self.writeNow(self.encoded(data))

    def sendTo(self, data: bytes, place: Place) -> None:
        """
        Send a datagram to any place; what has gathered leaves first, to the peer.
        """
        self.writeNow(self.encoded(self._packets.flush()))
        data = self.encoded(data)
        if self.connected and data:
            self.sending(data)
            self.transport.writeTo(data, place)


class Channel:
    """
    The transport of a link: one peer of a port, and whom else the link has spoken to.

    While the link is paused datagrams are dropped, as UDP may; so nothing gathers here.
    """

    def __init__(self, port: DatagramPort, link: DatagramLink, peer: Place) -> None:
        self.peer = peer
        self._port = port
        self._link = link
        # a dict keeps the order
        self._spokenTo: dict[Place, None] = {}
        self._isPaused = False
        self._isOver = False

    def hears(self, origin: Place) -> bool:
        """
        Whether this is the peer, or a place that was spoken to.
        """
        return origin == self.peer or origin in self._spokenTo

    def datagramReceived(self, data: bytes, origin: Place) -> None:
        """
        Somebody has said something; an empty datagram is nothing to a socket (A).
        """
        if data and not self._isPaused and not self._isOver:
            self._link.datagramReceived(data, origin)

    def write(self, data: bytes) -> None:
        """
        Send one datagram; one that can't leave is lost.
        """
        if not self._isOver:
            self._port.send(data, self.peer)

    def writeTo(self, data: bytes, place: Place) -> None:
        """
        Send one datagram to any place, whose answers are then heard.
        """
        if self._isOver:
            return
        self._spokenTo.pop(place, None)
        self._spokenTo[place] = None
        if len(self._spokenTo) > SPOKEN_TO:
            del self._spokenTo[next(iter(self._spokenTo))]
        self._port.send(data, place)

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
    A UDP port with one peer at a time: one that is dialled, or the first that calls while the port listens.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        rules: Sequence[Rule] = (),
        accept: Callable[[Place], DatagramLink | None] | None = None,
        hearsAll: bool = False,
    ) -> None:
        """
        @param accept: makes the link of an admitted caller; C{None} from it refuses the caller. C{None} in its place:
            nobody calls, and the port ends with its link.
        @param hearsAll: while there is a link, whoever else the rules admit is heard too.
        """
        self.clock = clock
        self._rules = rules
        self._accept = accept
        self._hearsAll = hearsAll
        self._channel: Channel | None = None
        self._port: Any = None

    def open(self, reactor: Any, address: str, port: int) -> None:
        """
        @param port: 0 for any.
        @raise CannotListenError: the port is taken.
        """
        self._port = reactor.listenUDP(port, self, interface=address, maxPacketSize=LONGEST)

    def connect(self, link: DatagramLink, peer: Place) -> None:
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
        Hand it to the link if that hears its sender; else it is a call, or for nobody.
        """
        origin: Place = addr[0], addr[1]
        isAdmitted = self._accept is not None and admits(self._rules, origin[0])
        if self._channel is None and self._accept is not None and isAdmitted:
            link = self._accept(origin)
            if link is not None:
                self.connect(link, origin)
        channel = self._channel
        if channel is not None and (channel.hears(origin) or (isAdmitted and self._hearsAll)):
            channel.datagramReceived(datagram, origin)

    def send(self, data: bytes, place: Place) -> None:
        """
        Send a datagram; as with UDP, nobody hears of one that can't leave.
        """
        if self._port is not None:
            try:
                self.transport.write(data, place)  # type: ignore[union-attr]
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
