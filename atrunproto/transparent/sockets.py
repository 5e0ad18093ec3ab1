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
from atrunproto.at.results import Reason, refuse
from atrunproto.multitech.coding import codingOf
from atrunproto.multitech.errors import BAD_CONFIGURATION, GPRS_LOST, OPEN_FAILED, Message, message
from atrunproto.multitech.parameters import Parameters
from atrunproto.multitech.stack import Claim, Link, Stack

from .module import Session

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance
    from atrunproto.multitech.surroundings import MultitechSurroundings

#: the name of the service
TCP = "TCP"
#: what TCPSERV of a listener holds to admit every peer (MTS-TCP-04)
ANYBODY = "255.255.255.255"
#: seconds that a peer has to take the connection (A)
CONNECTING = 60.0
#: seconds until a port that was busy when a peer came is asked again (A)
AGAIN = 0.1


class TCPSockets:
    """
    What runs now: nothing, an attempt to connect, a listener, or a session.

    (idle) open: claim the stack -> connecting.
    (connecting) the connection is there: -> session.
    (connecting) it can't be had, or the link is lost: refused -> idle.
    (idle) listen: claim the stack -> listening.
    (listening) an admitted peer: the port is left -> session.
    (listening) stop, the stack is closed, the link is lost: the port is left; the host is told of the loss -> idle.
    (session) the connection is gone, or the link is lost: the DTE is told by the session -> idle.
    """

    def __init__(self, module: MultitechSurroundings) -> None:
        self._module = module
        self._stack = module.part(Stack)
        self._parameters = Parameters(module.settings)
        self._claim: Claim | None = None
        self._forget: Callable[[], None] = lambda: None
        self._attempt: Deferred[Any] | None = None
        self._listening: tuple[int, ATInstance, Any] | None = None
        self._session: Session | None = None
        self._lost: Reason | None = None
        self._stack.whenClosed(self.powerOff)

    # -- commands

    async def open(self, socket: int) -> Online:
        """
        Connect to TCPSERV and TCPPORT of a socket.

        @raise CommandFailed: there is no link (35867), another service runs (37122), a parameter is missing (36929),
            the name is not known (38027), there is no connection (38016), or the link was lost (35841).
        """
        link = self._begin()
        try:
            server, port = self._needed(socket)
            if server == ANYBODY:
                raise refuse(BAD_CONFIGURATION)
            host = await link.resolve(server)
            session = self._newSession(socket, link)
            await self._connect(link, host, port, session)
        except BaseException:
            self._end()
            raise
        self._session = session
        return self._online(session)

    def listen(self, at: ATInstance, socket: int) -> None:
        """
        Wait on TCPPORT of a socket for the peer that TCPSERV admits.

        @raise CommandFailed: as of L{open}; the port is taken (38016).
        """
        link = self._begin()
        try:
            peer, port = self._needed(socket)
            if quad(peer) is None:
                raise refuse(BAD_CONFIGURATION)
            factory = _Callers(None if peer == ANYBODY else peer, lambda: self._called(at, socket, link))
            try:
                opened = self._module.reactor.listenTCP(port, factory, interface=link.address)
            except CannotListenError:
                raise refuse(OPEN_FAILED) from None
        except BaseException:
            self._end()
            raise
        self._listening = socket, at, opened

    async def stop(self, socket: int) -> None:
        """
        Stop listening. Where the socket doesn't listen there is nothing to do (A).
        """
        if self._listening is not None and self._listening[0] == socket:
            stopped = self._leavePort()
            self._end()
            await stopped

    def powerOff(self) -> None:
        """
        All ends.
        """
        self._linkLost(None)

    # -- how they begin and end

    def _needed(self, socket: int) -> tuple[str, int]:
        return self._parameters.needed(("TCPSERV", socket)), self._parameters.needed(("TCPPORT", socket))

    def _begin(self) -> Link:
        link = self._stack.needLink()
        self._claim = self._stack.claim(TCP)
        self._lost = None
        self._forget = link.watch(self._linkLost)
        return link

    def _end(self) -> None:
        """
        Let another service begin.
        """
        self._session = None
        self._forget()
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()

    def _linkLost(self, reason: Reason | None) -> None:
        self._lost = reason
        if self._attempt is not None:
            self._attempt.cancel()
        elif self._session is not None:
            self._session.end(reason)
        elif self._listening is not None:
            _, at, _ = self._listening
            self._leavePort()
            self._end()
            if reason is not None:
                at.notify(reason)

    def _newSession(self, socket: int, link: Link) -> Session:
        module, parameters = self._module, self._parameters
        return Session(
            module.clock,
            codingOf(parameters["DLEMODE", socket]),
            parameters["TCPTXDELAY", socket] / 1000,
            message(module, Message.SOCKET_CLOSED),
            self._end,
            link.touch,
        )

    def _online(self, session: Session) -> Online:
        module = self._module
        return Online(
            session.channel,
            message(module, Message.WAITING_FOR_DATA),
            lost=message(module, Message.SOCKET_CLOSED),
            escapes=False,
        )

    async def _connect(self, link: Link, host: str, port: int, session: Session) -> None:
        address = link.address
        if address is None:
            raise refuse(GPRS_LOST)
        # from the module's own address when the server is on loopback or that address isn't
        isNear = host.startswith("127.") or not address.startswith("127.")
        endpoint = TCP4ClientEndpoint(self._module.reactor, host, port, CONNECTING, (address, 0) if isNear else None)
        self._attempt = endpoint.connect(_Called(session))
        try:
            await self._attempt
        except Exception:
            raise refuse(self._lost or OPEN_FAILED) from None
        finally:
            self._attempt = None

    # -- a peer that calls

    def _leavePort(self) -> Deferred[None]:
        assert self._listening is not None
        *_, port = self._listening
        self._listening = None
        left: Deferred[None] = port.stopListening()
        return left

    def _called(self, at: ATInstance, socket: int, link: Link) -> Session | None:
        """
        An admitted peer: the port listens no more (MTS-TCP-11).
        """
        if self._listening is None:
            return None
        self._leavePort()
        session = self._session = self._newSession(socket, link)
        # the connection is there when this turn is over
        self._module.clock.callLater(0, self._answer, at, session)
        return session

    def _answer(self, at: ATInstance, session: Session) -> None:
        """
        Go online; a port that runs a command is asked again.
        """
        if self._session is session and not at.answer(lambda _: self._online(session)):
            self._module.clock.callLater(AGAIN, self._answer, at, session)


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
