"""
One connection of a module's socket: paced towards the peer, and the transport of what runs on it.

Source: reference 6.1 (#SCFG pktSz, maxTo and txTo); TEL-SCF, TEL-ALR.
"""

from __future__ import annotations

import fcntl
import socket as sockets
import sys
import termios
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet import protocol
from twisted.internet.interfaces import IAddress, IConsumer, IDelayedCall, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.bearer import LOCAL, Bearer
from atrunproto.pacing import Packets

from .coding import Coding

if TYPE_CHECKING:
    from .sockets import Socket

#: seconds that a peer has to take something of what is still on its way to it when the module closes (A)
CLOSING = 10.0


def keepAlive(transport: Any, minutes: int) -> None:
    """
    Let the system probe a connection that has been quiet for so many minutes; 0: never (TEL-CMD-13).
    """
    if minutes:
        transport.setTcpKeepAlive(True)
        idle = getattr(sockets, "TCP_KEEPIDLE", getattr(sockets, "TCP_KEEPALIVE", None))
        if idle is not None:
            transport.getHandle().setsockopt(sockets.IPPROTO_TCP, idle, minutes * 60)


@implementer(IProtocol, ITransport, IConsumer, IPushProducer)
class Link:
    """
    One connection of a socket: paced towards the peer, and the transport of what runs on it.

    (up) write: by packets to the peer.
    (up) loseConnection: wait for a pull producer; what has gathered is sent -> closing.
    (closing) L{CLOSING} seconds: abort.
    (up, closing) the connection is lost: C{connectionLost} -> dead.
    (dead) everything: nothing.

    @ivar bearer: the rules for an AT instance that sits on it.
    @ivar disconnecting: it is about to be closed.
    @ivar connected: it is up, or closing.
    """

    # not a Protocol of Twisted's, whose instances have a dictionary: a module with ten thousand like it counts these
    __slots__ = (
        "_above",
        "_askCall",
        "_closeCall",
        "_closing",
        "_coding",
        "_idle",
        "_idleCall",
        "_isDropped",
        "_packets",
        "_producer",
        "_pulls",
        "_sendCall",
        "_socket",
        "bearer",
        "connected",
        "disconnecting",
        "transport",
    )

    def __init__(self, socket: Socket, above: IProtocol, bearer: Bearer = LOCAL) -> None:
        """
        @param above: what runs on the connection; it gets this link as its transport.
        """
        self.bearer = bearer
        self._socket = socket
        self._above = above
        _, size, idle, _, sending = socket.config
        self._packets = Packets(size, sending / 10)
        self._packets.restarts = bool(socket.extension.bufferStart)
        self._idle = float(idle)
        self._idleCall: IDelayedCall | None = None
        self._sendCall: IDelayedCall | None = None
        self._closeCall: IDelayedCall | None = None
        self._askCall: IDelayedCall | None = None
        self._producer: Any = None
        self._pulls = False
        self._closing = False
        self._isDropped = False
        self._coding: Coding | None = None
        self.connected = False
        self.disconnecting = False
        self.transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """
        The connection is there.
        """
        self.connected = True
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
            keepAlive(transport, self._socket.extension.keepalive)
        self._touch()
        self._socket.linkUp(self)
        self._above.makeConnection(self)
        self._socket.linkReady(self)

    def dataReceived(self, data: bytes) -> None:
        if self.passes(data) and (data := self._decoded(data)):
            self._above.dataReceived(data)

    def _decoded(self, data: bytes) -> bytes:
        """
        What has come as it is for who runs here.
        """
        return data if self._coding is None else self._coding.decode(data)

    def passes(self, data: bytes) -> bool:
        """
        Count what has come, and tell whether it is for what runs here: on a dropped connection it is for nobody.
        """
        if self._isDropped:
            return False
        self._touch()
        self._socket.received += len(data)
        return True

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self.connected = False
        for call in (self._idleCall, self._sendCall, self._closeCall, self._askCall):
            if call is not None:
                call.cancel()
        self._idleCall = self._sendCall = self._closeCall = self._askCall = None
        self._socket.linkDown(self)
        producer, self._producer = self._producer, None
        if producer is not None and self._closing:
            # the transport, which would stop it, no longer knew of it
            producer.stopProducing()
        self._above.connectionLost(reason)

    # -- the transport of what runs on it

    def write(self, data: bytes) -> None:
        """
        Send by packets of the configured size and timeout.
        """
        if not self.connected or self._closing:
            return
        clock = self._socket.clock
        now = clock.seconds()
        full = self._packets.fill(data, now)
        if full:
            self.sendFull(full)
        elif self._pulls and self._askCall is None:
            # nothing has left, so the transport won't ask for more
            self._askCall = clock.callLater(0, self._ask)
        if self._sendCall is None and (deadline := self._packets.deadline()) is not None:
            self._sendCall = clock.callLater(max(0.0, deadline - now), self._sendRest)

    def sendFull(self, packets: bytes) -> None:
        """
        Send full packets: in one piece, since TCP joins them in any case, and pauses a push producer at each one that
        is too much.
        """
        if self._coding is not None:
            packets = b"".join(map(self._coding.encode, self._packets.cut(packets)))
        self.writeNow(packets)

    def code(self, coding: Coding | None) -> None:
        """
        Encode what goes out and decode what comes in, from the first octet on.
        """
        self._coding = coding
        self._fit()

    def _fit(self) -> None:
        size = self._socket.config[1]
        self._packets.size = size if self._coding is None else self._coding.fitting(size)

    def encoded(self, packet: bytes) -> bytes:
        """
        A packet as it leaves.
        """
        return packet if self._coding is None else self._coding.encode(packet)

    def forwardAt(self, octet: int | None) -> None:
        """
        Let an octet complete each packet (#PADFWD); C{None}: none does.
        """
        self._packets.forward = octet

    def _sendRest(self) -> None:
        self._sendCall = None
        deadline, clock = self._packets.deadline(), self._socket.clock
        if deadline is None:
            return
        if deadline > clock.seconds():
            self._sendCall = clock.callLater(deadline - clock.seconds(), self._sendRest)
        else:
            self.writeNow(self.encoded(self._packets.flush()))

    def writeNow(self, data: bytes) -> None:
        """
        Send past the packets.
        """
        if self.connected and data:
            self.sending(data)
            self.transport.write(data)

    def sending(self, data: bytes) -> None:
        """
        Count what is about to leave.
        """
        self._touch()
        self._socket.sent += len(data)
        if self._closeCall is not None:
            self._closeCall.reset(CLOSING)

    def send(self, data: bytes) -> None:
        """
        Send at once, after what has gathered.
        """
        self.writeNow(self.encoded(self._packets.flush() + data))

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        Send what has gathered, then close; a peer that takes nothing any more doesn't keep the socket.
        """
        if self.connected and not self.disconnecting:
            self._limitClose()
            if not self._pulls:
                self._close()

    def _limitClose(self) -> None:
        self.disconnecting = True
        if self._closeCall is None:
            self._closeCall = self._socket.clock.callLater(CLOSING, self._closingOver)

    def _close(self) -> None:
        """
        Close as soon as the rest is sent. A push producer that is paused would keep the transport from it.
        """
        self._stopAsking()
        self.writeNow(self.encoded(self._packets.flush()))
        self._closing = True
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _closingOver(self) -> None:
        self._closeCall = None
        self.abortConnection()

    def abortConnection(self) -> None:
        if self.connected:
            self.transport.abortConnection()

    def release(self) -> None:
        """
        Close when what has gathered is sent. The socket is free at once, and what still comes is for nobody.
        """
        self.unregisterProducer()
        self._above = protocol.Protocol()
        self._isDropped = True
        self.loseConnection()
        self._socket.linkDown(self)

    def dropConnection(self) -> None:
        """
        Close; what has gathered is lost, and what still comes is for nobody.
        """
        self._packets.flush()
        self._isDropped = True
        if self.connected and not self._closing:
            self._limitClose()
            self._close()

    @property
    def unacknowledged(self) -> int:
        """
        Octets that are still on their way to the peer, as far as the system tells.
        """
        transport: Any = self.transport
        sock = transport.getHandle() if self.connected and hasattr(transport, "getHandle") else None
        if sock is None:
            return 0
        try:
            return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        except OSError:
            return 0

    def getPeer(self) -> IAddress:
        peer: IAddress = self.transport.getPeer()
        return peer

    @property
    def shownPeer(self) -> IAddress:
        """
        The peer that #SS shows.
        """
        return self.getPeer()

    def getHost(self) -> IAddress:
        host: IAddress = self.transport.getHost()
        return host

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer hear how much the peer takes.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        if not self.connected:
            producer.stopProducing()
            return
        self._producer, self._pulls = producer, not streaming
        if not self._closing:
            self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self._producer, self._pulls = None, False
        self._stopAsking()
        if not self._closing:
            self.transport.unregisterProducer()
            if self.disconnecting and self.connected:
                self._close()

    def _ask(self) -> None:
        self._askCall = None
        self._producer.resumeProducing()

    def _stopAsking(self) -> None:
        call, self._askCall = self._askCall, None
        if call is not None:
            call.cancel()

    def pauseProducing(self) -> None:
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        if self.connected:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        self.loseConnection()

    def reconfigure(self) -> None:
        """
        The settings of the socket have changed while the connection is up.
        """
        _, _, idle, _, sending = self._socket.config
        self._fit()
        self._packets.timeout = sending / 10
        self._idle = float(idle)
        if self._idleCall is not None:
            self._idleCall.cancel()
            self._idleCall = None
        self._touch()

    def _touch(self) -> None:
        """
        Data have passed: the inactivity timeout begins anew (TEL-ALR-07, TEL-SCF-12).
        """
        if self._idleCall is not None:
            self._idleCall.reset(self._idle)
        elif self._idle:
            self._idleCall = self._socket.clock.callLater(self._idle, self._idleOver)

    def _idleOver(self) -> None:
        self._idleCall = None
        if self._socket.link is self:
            self._socket.idleOver()
        self.loseConnection()
