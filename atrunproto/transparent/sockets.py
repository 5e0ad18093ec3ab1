"""
The TCP sockets of a Multi-Tech modem: one session at a time, begun by the module or by a peer.

Source: Multi-Tech guide, ch. 5, App. B (setting a TCP port to a listening mode, opening a TCP socket); MTS-TCP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory, Protocol

from atrunproto.admission import quad
from atrunproto.at.online import Online
from atrunproto.at.results import refuse
from atrunproto.multitech.coding import codingOf
from atrunproto.multitech.errors import BAD_CONFIGURATION, OPEN_FAILED
from atrunproto.multitech.parameters import ANYBODY

from .service import Service

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance
    from atrunproto.multitech.stack import Link
    from atrunproto.multitech.surroundings import MultitechSurroundings

    from .module import Session

#: seconds that a peer has to take the connection (A)
CONNECTING = 60.0


class TCPSockets(Service):
    """
    What runs now: nothing, an attempt to connect, a listener, or a session.

    (idle) open: claim the stack -> connecting.
    (connecting) the connection is there: -> session.
    (connecting) it can't be had, or the link is lost: refused -> idle.
    (idle) listen: claim the stack -> listening.
    (listening) listen, on the other socket where the product lets both wait -> listening.
    (listening) an admitted peer: the ports are left -> session.
    (listening) stop, ETX, the stack is closed, the link is lost: the port is left; the host hears of the loss -> idle.
    (listening) stop, while the other socket waits too: the port is left -> listening.
    (session) the connection is gone, or the link is lost: the DTE is told by the session -> idle.
    """

    name = "TCP"

    def __init__(self, module: MultitechSurroundings) -> None:
        super().__init__(module)
        self._attempt: Deferred[Any] | None = None

    # -- commands

    async def open(self, socket: int | None) -> Online:
        """
        Connect to TCPSERV and TCPPORT of a socket.

        @param socket: its number, where there are several.
        @raise CommandFailed: there is no link (35867), another service runs (37122), a parameter is missing (36929),
            the name is not known (38027), there is no connection (38016), or the link was lost (35841).
        """
        link = self.begin()
        try:
            server, port = self._needed(socket)
            if server == ANYBODY:
                raise refuse(BAD_CONFIGURATION)
            host = await link.resolve(server)
            session = self._newSession(socket, link)
            await self._connect(link, host, port, session)
        except BaseException:
            self.end()
            raise
        return self.online(session)

    def listen(self, at: ATInstance, socket: int | None) -> None:
        """
        Wait on TCPPORT of a socket for the peer that TCPSERV admits.

        @raise CommandFailed: as of L{open}; the port is taken (38016).
        """
        isBeside = self._mayJoin(socket)
        link = self._stack.needLink() if isBeside else self.begin()
        try:
            peer, port = self._needed(socket)
            if quad(peer) is None:
                raise refuse(BAD_CONFIGURATION)
            factory = _Callers(None if peer == ANYBODY else peer, lambda: self._called(at, socket, link))
            try:
                opened = self.module.reactor.listenTCP(port, factory, interface=link.address)
            except CannotListenError:
                raise refuse(OPEN_FAILED) from None
        except BaseException:
            if not isBeside:
                self.end()
            raise
        stop = b"#LTCPSTOP" if socket is None else b"#LTCPSTOP=%d" % socket
        self.wait(at, opened.stopListening, stop, socket)

    # -- how they begin and end

    @property
    def _listening(self) -> list[int | None]:
        """
        The sockets that listen.
        """
        return [listening.socket for listening in self.listeners]

    def _mayJoin(self, socket: int | None) -> bool:
        """
        Whether a socket may listen beside the other one (MTS-GAP-31).
        """
        others = self._listening
        return bool(others) and socket not in others and bool(self.module.limit("both sockets listen"))

    def _needed(self, socket: int | None) -> tuple[str, int]:
        return self.parameters.needed(("TCPSERV", socket)), self.parameters.needed(("TCPPORT", socket))

    def cancel(self) -> bool:
        if self._attempt is not None:
            self._attempt.cancel()
            return True
        return False

    def _newSession(self, socket: int | None, link: Link) -> Session:
        parameters = self.parameters
        return self.newSession(link, codingOf(parameters["DLEMODE", socket]), parameters["TCPTXDELAY", socket])

    async def _connect(self, link: Link, host: str, port: int, session: Session) -> None:
        near = self.near(link, host)
        endpoint = TCP4ClientEndpoint(self.module.reactor, host, port, CONNECTING, (near, 0) if near else None)
        self._attempt = endpoint.connect(_Called(session))
        try:
            await self._attempt
        except Exception:
            raise refuse(self.lost or OPEN_FAILED) from None
        finally:
            self._attempt = None

    def _called(self, at: ATInstance, socket: int | None, link: Link) -> Session | None:
        """
        An admitted peer: its port listens no more (MTS-TCP-11), nor does that of the other socket (A).
        """
        if socket not in self._listening:
            return None
        self.leavePorts()
        session = self._newSession(socket, link)
        self.called(at, session)
        return session


class _Called(Factory):
    """
    Makes the one connection a session.
    """

    noisy = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._session


class _Callers(Factory):
    """
    Makes the first admitted connection a session; the others are reset (MTS-GAP-69).
    """

    noisy = False

    def __init__(self, peer: str | None, accept: Callable[[], Session | None]) -> None:
        """
        @param peer: the address that may call; C{None}: any.
        @param accept: makes the session, if there may be one.
        """
        self._peer = peer
        self._accept = accept

    def buildProtocol(self, addr: Any) -> Any:
        session: IProtocol | None = self._accept() if self._peer in (None, addr.host) else None
        return _Reset() if session is None else session


class _Reset(Protocol):
    """
    A connection that isn't wanted.
    """

    def connectionMade(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]
