"""
The sockets of a module: six connections with their settings and states.

What a connection is to those who use it stands in L{atrunproto.ipeasy.link}. Other protocol packages borrow a socket
through L{SocketTable.socket}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Protocol

from twisted.internet import protocol
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError, ConnectError, TimeoutError
from twisted.internet.interfaces import IAddress, IProtocol, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.admission import Rule
from atrunproto.at.bearer import LOCAL, Bearer
from atrunproto.at.settings import Settings

from .link import Link
from .listening import Listener

#: connections of a module (TEL-MSK-03)
SOCKETS = 6


class Status(IntEnum):
    """
    What #SS shows of a socket (TEL-SS-03 to TEL-SS-08).
    """

    CLOSED = 0
    ACTIVE = 1
    SUSPENDED = 2
    PENDING = 3
    LISTENING = 4
    INCOMING = 5


class Surroundings(Protocol):
    """
    What sockets need of the module round them.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from.
        """

    @property
    def reactor(self) -> Any:
        """
        Where real sockets are made: an IReactorTCP.
        """

    @property
    def settings(self) -> Settings:
        """
        The settings of the module.
        """

    def address(self, cid: int) -> str | None:
        """
        The address of an active context, or C{None}.
        """

    def watchContexts(self, watcher: Callable[[int, str | None], None]) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """

    def resolve(self, name: str) -> Deferred[str]:
        """
        The address of a host, in dotted form.
        """

    def claimPort(self, address: str, port: int) -> Deferred[None]:
        """
        Fires when nothing of an earlier time holds this port any more.
        """

    def releasePort(self, address: str, port: int, stopped: Deferred[None]) -> None:
        """
        A port is being left; it is free when C{stopped} fires.
        """

    def abandon(self, listener: Listener, address: str, port: int) -> None:
        """
        Take over a listener whose address is off the air.
        """


class _Dialled(protocol.Factory):
    """
    The other end of one connection attempt.
    """

    noisy = False

    def __init__(self, link: Link, done: Deferred[Link]) -> None:
        self._link = link
        self._done: Deferred[Link] | None = done

    def doStart(self) -> None:
        """
        Nothing to prepare.
        """

    def doStop(self) -> None:
        """
        Nothing to clear up.
        """

    def startedConnecting(self, connector: object) -> None:
        """
        The attempt is under way.
        """

    def buildProtocol(self, addr: IAddress | None) -> Link:
        self._fire(self._link)
        return self._link

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self._fire(reason)

    def clientConnectionLost(self, connector: object, reason: Failure) -> None:
        """
        The link itself hears of it.
        """

    def _fire(self, result: Link | Failure) -> None:
        done, self._done = self._done, None
        if done is not None and not done.called:
            done.callback(result) if isinstance(result, Link) else done.errback(result)


class Socket:
    """
    One of the six connections.

    @ivar sent: octets sent since it was opened.
    @ivar received: octets received since it was opened.
    """

    _log = Logger()

    __slots__ = (
        "_attempt",
        "_listener",
        "_local",
        "_lost",
        "_port",
        "_table",
        "connId",
        "link",
        "received",
        "sent",
    )

    def __init__(self, table: SocketTable, connId: int) -> None:
        self.connId = connId
        self.sent = 0
        self.received = 0
        self._table = table
        self._listener: Listener | None = None
        self._lost: Callable[[], None] | None = None
        self._port = 0
        self._local = ""
        self.link: Link | None = None
        self._attempt: tuple[Any, Deferred[Link]] | None = None

    @property
    def clock(self) -> IReactorTime:
        """
        The module's clock.
        """
        return self._table.surroundings.clock

    @property
    def config(self) -> tuple[int, int, int, int, int]:
        """
        #SCFG: cid, pktSz, maxTo, connTo, txTo.
        """
        return self._table.surroundings.settings.get("#SCFG", self.connId)

    @property
    def cid(self) -> int:
        """
        The context that the socket is tied to.
        """
        return self.config[0]

    @property
    def address(self) -> str | None:
        """
        The address of its context, or C{None}.
        """
        return self._table.surroundings.address(self.cid)

    @property
    def isFree(self) -> bool:
        """
        Whether nothing goes on here.
        """
        return self._listener is None and self.link is None and self._attempt is None

    @property
    def isConnected(self) -> bool:
        """
        Whether there is a connection, or an attempt.
        """
        return self.link is not None or self._attempt is not None

    @property
    def status(self) -> Status:
        """
        The state as #SS shows it.
        """
        if self.link is not None:
            return Status.ACTIVE
        return Status.LISTENING if self._listener is not None else Status.CLOSED

    def describe(self) -> str:
        """
        The socket's line of #SS (TEL-SS-01, TEL-SS-02).
        """
        line = f"#SS: {self.connId},{int(self.status)}"
        if self.link is not None:
            host: Any = self.link.getHost()
            peer: Any = self.link.getPeer()
            local = self._port if self._listener is not None else host.port
            return f"{line},{self._local},{local},{peer.host},{peer.port}"
        if self._listener is not None:
            return f"{line},{self._local},{self._port}"
        return line

    # -- listening

    async def listen(
        self, port: int, rules: Sequence[Rule], accept: Callable[[IAddress], IProtocol | None], lost: Callable[[], None]
    ) -> None:
        """
        Listen on the address of the context.

        @param accept: as for L{Listener}; while a link is up it isn't asked, further callers are refused (TEL-GAP-14).
        @param lost: called when the context ends and the port with it.
        @raise CannotListenError: the port is taken, or the context isn't active.
        """
        surroundings, address = self._table.surroundings, self.address
        if address is None:
            raise CannotListenError(address, port, OSError("the context is not active"))
        await surroundings.claimPort(address, port)
        listener = Listener(self.clock, rules, lambda peer: None if self.link is not None else accept(peer))
        listener.listen(surroundings.reactor, address, port)
        self._listener, self._lost, self._port, self._local = listener, lost, port, address

    def admit(self, rules: Sequence[Rule]) -> None:
        """
        Change the firewall of the listening port.
        """
        if self._listener is not None:
            self._listener.admit(rules)

    def stopListening(self) -> None:
        """
        Leave the port; a link that is up stays.
        """
        listener, self._listener = self._listener, None
        if listener is not None:
            self._table.surroundings.releasePort(self._local, self._port, listener.stop())

    # -- dialling

    async def dial(self, host: str, port: int, above: IProtocol, bearer: Bearer = LOCAL) -> Link:
        """
        Connect to a peer within the connection timeout.

        The local end is bound to the context's address when the peer is on loopback or that address isn't.

        @raise ConnectError: it can't be reached, or the context isn't active.
        """
        surroundings, address = self._table.surroundings, self.address
        if address is None:
            raise ConnectError(string="the context is not active")
        done: Deferred[Link] = Deferred(lambda _: self._giveUp(CancelledError()))
        self._attempt = (None, done)
        timeout = self.clock.callLater(self.config[3] / 10, self._giveUp, TimeoutError())

        def connect(found: str) -> None:
            if done.called:
                return
            onLoopback = found.startswith("127.") or not address.startswith("127.")
            self._local = address
            connector = surroundings.reactor.connectTCP(
                found,
                port,
                _Dialled(Link(self, above, bearer), done),
                timeout=None,
                bindAddress=(address, 0) if onLoopback else None,
            )
            self._attempt = (connector, done)

        def failed(reason: Failure) -> None:
            if not done.called:
                done.errback(reason)

        try:
            surroundings.resolve(host).addCallback(connect).addErrback(failed)
            return await done
        finally:
            if timeout.active():
                timeout.cancel()
            if self._attempt is not None and self._attempt[1] is done:
                self._attempt = None

    def _giveUp(self, reason: Exception) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        connector, done = attempt
        # the reason first, for a connector that is stopped tells one of its own
        done.errback(reason)
        if connector is not None:
            connector.disconnect()

    # -- the link

    def carry(self, above: IProtocol, bearer: Bearer = LOCAL) -> IProtocol:
        """
        The connection of an accepted caller, with this on top.
        """
        return Link(self, above, bearer)

    def reconfigure(self) -> None:
        """
        Its settings have changed; they hold at once for a connection that is up (TEL-NOT-06).
        """
        if self.link is not None:
            self.link.reconfigure()

    def linkUp(self, link: Link) -> None:
        """
        A connection is there.
        """
        self.link = link
        self.sent = self.received = 0

    def linkDown(self, link: Link) -> None:
        """
        A connection is gone.
        """
        if self.link is link:
            self.link = None

    def close(self) -> None:
        """
        End everything on this socket.
        """
        self._giveUp(ConnectError(string="closed"))
        if self.link is not None:
            self.link.loseConnection()
        self.stopListening()

    def contextLost(self) -> None:
        """
        The context has ended: the peer sees a close, the port is off the air.
        """
        self._giveUp(ConnectError(string="the context has ended"))
        if self.link is not None:
            self.link.dropConnection()
        listener, self._listener = self._listener, None
        if listener is not None:
            self._table.surroundings.abandon(listener, self._local, self._port)
        lost, self._lost = self._lost, None
        if lost is not None:
            lost()


class SocketTable:
    """
    The six sockets of a module.
    """

    __slots__ = ("_sockets", "surroundings")

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._sockets: dict[int, Socket] = {}
        surroundings.watchContexts(self._contextChanged)

    def socket(self, connId: int) -> Socket:
        """
        One of the six, 1 to 6.
        """
        found = self._sockets.get(connId)
        if found is None:
            found = self._sockets[connId] = Socket(self, connId)
        return found

    def describe(self, connId: int) -> str:
        """
        A line of #SS.
        """
        found = self._sockets.get(connId)
        return f"#SS: {connId},0" if found is None else found.describe()

    def isConnected(self, connId: int) -> bool:
        """
        Whether this socket has a connection, or tries to get one.
        """
        found = self._sockets.get(connId)
        return found is not None and found.isConnected

    def reconfigured(self, connId: int) -> None:
        """
        The settings of a socket have changed.
        """
        found = self._sockets.get(connId)
        if found is not None:
            found.reconfigure()

    def isFree(self, connId: int) -> bool:
        """
        Whether nothing goes on at this socket.
        """
        return connId not in self._sockets or self._sockets[connId].isFree

    def _contextChanged(self, cid: int, address: str | None) -> None:
        if address is None:
            for socket in tuple(self._sockets.values()):
                if socket.cid == cid and not socket.isFree:
                    socket.contextLost()
