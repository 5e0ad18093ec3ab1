"""
UDP of a Multi-Tech modem: one session at a time, begun by the module or by the first datagram of a peer.

Source: Multi-Tech guide, ch. 6; MTS-UDP, MTS-GAP-25, -36, -55, -69, -70.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError, MessageLengthError
from twisted.internet.protocol import DatagramProtocol

from atrunproto.at.online import CHANNEL_DONE, Online
from atrunproto.at.results import refuse
from atrunproto.multitech.coding import Coded
from atrunproto.multitech.errors import BAD_CONFIGURATION, OPEN_FAILED
from atrunproto.multitech.parameters import ANYBODY

from .module import FRAME, Session
from .service import Service

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance
    from atrunproto.multitech.stack import Link

#: octets of the longest datagram that there is; as many wait for a DTE that takes no more
LONGEST = 65535


class UDPSocket(Service):
    """
    What runs now: nothing, a listener, or a session.

    (idle) open: claim the stack, find the peer -> session.
    (idle) listen: claim the stack, find whom UDPSERV admits -> listening.
    (listening) the first datagram of an admitted peer -> session with it.
    (listening) stop, ETX, the stack is closed, the link is lost: the port is left; the host hears of the loss -> idle.
    (session) the DTE ends it, or the link is lost: the port is left, the DTE is told by the session -> idle.
    """

    name = "UDP"

    async def open(self) -> Online:
        """
        Speak with UDPSERV at UDPPORT.

        @raise CommandFailed: there is no link (35867), another service runs (37122), a parameter is missing (36929),
            the name is not known (38027), there is no port (38016), or the link was lost (35841).
        """
        link = self.begin()
        try:
            server, port = self._needed()
            if server == ANYBODY:
                raise refuse(BAD_CONFIGURATION)
            host = await link.resolve(server)
            session = self._newSession(link)
            datagrams = Datagrams()
            self._put(datagrams, 0, self.near(link, host))
        except BaseException:
            self.end()
            raise
        datagrams.begin(session, (host, port))
        return self.online(session)

    async def listen(self, at: ATInstance) -> None:
        """
        Wait at UDPPORT for the first datagram, of whom UDPSERV admits.

        @raise CommandFailed: as of L{open}.
        """
        link = self.begin()
        try:
            server, port = self._needed()
            peer = None if server == ANYBODY else await link.resolve(server)
            datagrams = Datagrams(peer, lambda: self._called(at, link))
            self._put(datagrams, port, self.address(link))
        except BaseException:
            self.end()
            raise
        self.wait(at, datagrams.leave, b"#LUDPSTOP")

    def _needed(self) -> tuple[str, int]:
        return self.parameters.needed("UDPSERV"), self.parameters.needed("UDPPORT")

    def _newSession(self, link: Link) -> Session:
        return self.newSession(link, Coded(), self.parameters["UDPTXDELAY"])

    def _put(self, datagrams: Datagrams, port: int, address: str) -> None:
        try:
            datagrams.port = self.module.reactor.listenUDP(port, datagrams, interface=address, maxPacketSize=LONGEST)
        except CannotListenError:
            raise refuse(OPEN_FAILED) from None

    def _called(self, at: ATInstance, link: Link) -> Session:
        """
        The first datagram: its port stays, for the session.
        """
        self.waited(self.listeners[0])
        session = self._newSession(link)
        self.called(at, session)
        return session


class Datagrams(DatagramProtocol):
    """
    A UDP port, and the transport of the one session that is on it.

    (waiting) a datagram of an admitted sender: the session begins, and only this sender is heard -> paused.
    (paused) a datagram of the peer: held, up to L{LONGEST} octets together; dropped beyond, as UDP may (A).
    (paused) resume: the session gets what is held -> heard.
    (heard) a datagram of the peer: to the session.
    (waiting, paused, heard) a datagram of anybody else: dropped.
    (any) loseConnection, abortConnection: the port is left, and the session told -> gone.

    @ivar port: what the reactor has given.
    """

    noisy = False

    def __init__(self, admitted: str | None = None, accept: Callable[[], Session] | None = None) -> None:
        """
        @param admitted: the address that may begin a session; C{None}: any.
        @param accept: makes the session; C{None}: nobody may begin one.
        """
        self.port: Any = None
        self._admitted = admitted
        self._accept = accept
        self._session: Session | None = None
        self._peer: tuple[str, int] | None = None
        self._isPaused = False
        self._held = b""

    def begin(self, session: Session, peer: tuple[str, int]) -> None:
        """
        Put a session on this port.

        @param peer: whom it speaks with, and nobody else.
        """
        self._session, self._peer = session, peer
        session.makeConnection(self)  # type: ignore[no-untyped-call]

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        origin = addr[0], addr[1]
        if self.port is None:
            return
        if self._session is None and self._accept is not None and self._admitted in (None, origin[0]):
            self.begin(self._accept(), origin)
        if origin != self._peer:
            return
        if not self._isPaused:
            self._hand(datagram)
        elif len(self._held) + len(datagram) <= LONGEST:
            self._held += datagram

    def _hand(self, data: bytes) -> None:
        if self._session is not None and data:
            self._session.dataReceived(data)

    def leave(self) -> Deferred[None]:
        """
        Leave the port.
        """
        port, self.port = self.port, None
        left: Deferred[None] | None = None if port is None else port.stopListening()
        return succeed(None) if left is None else left

    # -- as the transport of the session

    def write(self, data: bytes) -> None:
        """
        Send full frames, and a rest; each is a datagram. As with UDP, nobody hears of one that can't leave.
        """
        if self.port is None:
            return
        for start in range(0, len(data), FRAME):
            try:
                self.port.write(data[start : start + FRAME], self._peer)
            except (OSError, MessageLengthError):
                continue

    def loseConnection(self) -> None:
        """
        Leave the port, then tell the session.
        """
        session, self._session = self._session, None
        if session is not None:
            self._held = b""
            self.leave().addCallback(lambda _: session.connectionLost(CHANNEL_DONE))

    abortConnection = loseConnection

    def pauseProducing(self) -> None:
        """
        Hold what comes.
        """
        self._isPaused = True

    def resumeProducing(self) -> None:
        """
        Hand on what is held, and what comes.
        """
        self._isPaused = False
        held, self._held = self._held, b""
        self._hand(held)

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        Datagrams always leave, so nobody is held back.
        """

    def unregisterProducer(self) -> None:
        """
        See L{registerProducer}.
        """
