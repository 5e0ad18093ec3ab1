"""
One of the six connections of a module: its settings, its listening port, its attempts and its link.

What a connection is to those who use it stands in L{atrunproto.ipeasy.link}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.error import CannotListenError, ConnectError, TimeoutError
from twisted.internet.interfaces import IAddress, IProtocol, IReactorTime
from twisted.python.failure import Failure

from atrunproto.admission import Rule
from atrunproto.at.bearer import LOCAL, Bearer
from atrunproto.at.calling import sourceTowards
from atrunproto.at.module import ATInstance
from atrunproto.at.notices import Notice
from atrunproto.at.online import Online

from .buffer import Place
from .coding import Coding
from .conversation import Conversation
from .datagram import DatagramLink, DatagramPort
from .dialling import Attempt, Dialled
from .link import Link
from .listening import Listener
from .segments import connectTCP

if TYPE_CHECKING:
    from .module import SocketTable


class Status(IntEnum):
    """
    What #SS shows of a socket (TEL-SS-03 to TEL-SS-08, reference 6.6).
    """

    CLOSED = 0
    ACTIVE = 1
    SUSPENDED = 2
    PENDING = 3
    LISTENING = 4
    INCOMING = 5
    RESOLVING = 6
    CONNECTING = 7


def _place(listener: Listener | DatagramPort, address: str) -> str:
    """
    Where a port is; those of UDP have numbers of their own.
    """
    return f"{address} udp" if isinstance(listener, DatagramPort) else address


class Extension(NamedTuple):
    """
    #SCFGEXT and #SCFGEXT2 of a socket.
    """

    srMode: int
    recvDataMode: int
    keepalive: int
    listenAutoRsp: int
    sendDataMode: int
    bufferStart: int
    noCarrierMode: int


class Socket:
    """
    One of the six connections.

    @ivar sent: octets sent since it was opened.
    @ivar received: octets received since it was opened.
    @ivar shown: the number of #SS while AT commands have the socket; C{None}: a service has it, or nobody.
    """

    __slots__ = (
        "_attempt",
        "_conversation",
        "_listener",
        "_local",
        "_lost",
        "_port",
        "_table",
        "connId",
        "link",
        "received",
        "sent",
        "shown",
    )

    def __init__(self, table: SocketTable, connId: int) -> None:
        self.connId = connId
        self.sent = 0
        self.received = 0
        self._table = table
        self._listener: Listener | DatagramPort | None = None
        self._lost: Callable[[], None] | None = None
        self._port = 0
        self._local = ""
        self.link: Link | None = None
        self._attempt: Attempt | None = None
        self._conversation: Conversation | None = None
        self.shown: int | None = None

    @property
    def conversation(self) -> Conversation:
        """
        What AT commands do with this socket.
        """
        if self._conversation is None:
            self._conversation = Conversation(self)
        return self._conversation

    @property
    def isLent(self) -> bool:
        """
        Whether a service has it.
        """
        return not self.isFree and (self._conversation is None or not self._conversation.isAtWork)

    @property
    def extension(self) -> Extension:
        """
        The extended settings.
        """
        settings = self._table.surroundings.settings
        return Extension._make((*settings.get("#SCFGEXT", self.connId), *settings.get("#SCFGEXT2", self.connId)[::4]))

    @property
    def viewed(self) -> int:
        """
        Octets of one SRING in data view.
        """
        return self._table.surroundings.limit("viewed")

    @property
    def answers(self) -> bool:
        """
        Whether it takes its caller by itself (TEL-CON-47).
        """
        return bool(self.extension.listenAutoRsp and self._table.surroundings.limit("answering"))

    def newCoding(self) -> Coding | None:
        """
        What #BASE64 asks for on a new connection; C{None}: nothing.
        """
        settings = self._table.surroundings.settings
        chosen = settings.get("#BASE64", self.connId) if settings.has("#BASE64") else ()
        return Coding(*chosen) if any(chosen) else None

    def answer(self, number: int, make: Callable[[ATInstance], Online]) -> bool:
        """
        Let an AT instance go online unasked, and whether it did.
        """
        return self._table.mayGoOnline and self._table.surroundings.answer(number, make)

    def tell(self, number: int, notice: Notice) -> bool:
        """
        Tell a notice on an AT instance, and whether somebody is attached there.
        """
        return self._table.surroundings.tell(number, notice)

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
        Whether nothing goes on here; a port that is kept online without its peer is something.
        """
        return self._listener is None and self.link is None and self._attempt is None and self.shown is None

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
        if self.shown is not None:
            status = Status(self.shown)
            isAttempt = status in (Status.RESOLVING, Status.CONNECTING)
            return Status.CLOSED if isAttempt and not self._table.surroundings.limit("attempts") else status
        if self.link is not None:
            return Status.ACTIVE
        return Status.LISTENING if self._listener is not None else Status.CLOSED

    def describe(self) -> str:
        """
        The socket's line of #SS (TEL-SS-01, TEL-SS-02); of an attempt the state alone (A).
        """
        status = self.status
        line = f"#SS: {self.connId},{int(status)}"
        if self.link is not None and status in (Status.ACTIVE, Status.SUSPENDED, Status.PENDING):
            host: Any = self.link.getHost()
            peer: Any = self.link.shownPeer
            local = self._port if self._listener is not None else host.port
            return f"{line},{self._local},{local},{peer.host},{peer.port}"
        if self._listener is not None and status is not Status.CLOSED:
            return f"{line},{self._local},{self._port}"
        return line

    @property
    def kind(self) -> tuple[int, int]:
        """
        What #ST shows: 1 TCP or 2 UDP, and 1 for one that dials or 2 for one that listens or was called; else zeros.
        """
        if self._listener is not None:
            return 2 if self.listensForDatagrams else 1, 2
        if self.link is not None:
            return 2 if isinstance(self.link, DatagramLink) else 1, 1
        if self._attempt is not None:
            return 2 if self._attempt.isUDP else 1, 1
        return 0, 0

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
        listener = Listener(self.clock, rules, lambda peer: None if self.link is not None else accept(peer))
        reactor = self._table.surroundings.reactor
        await self._occupy(listener, port, lambda own: listener.listen(reactor, own, port, self._table.segment))
        self._lost = lost

    async def listenDatagrams(
        self, port: int, rules: Sequence[Rule], accept: Callable[[], Conversation | None]
    ) -> None:
        """
        Wait for the first datagram of a peer on the address of the context.

        @param accept: gives what the peer is to talk with; C{None} from it refuses the peer.
        @raise CannotListenError: the port is taken, or the context isn't active.
        """

        def called(peer: Place) -> DatagramLink | None:
            above = accept() if self.link is None else None
            return None if above is None else DatagramLink(self, above)

        listener = DatagramPort(self.clock, rules, called, bool(self._table.surroundings.limit("callers")))
        reactor = self._table.surroundings.reactor
        await self._occupy(listener, port, lambda own: listener.open(reactor, own, port))

    async def _occupy(self, listener: Listener | DatagramPort, port: int, begin: Callable[[str], None]) -> None:
        """
        Put a listener on a port as soon as that is free.

        @param begin: lets it listen on an address.
        """
        surroundings, address = self._table.surroundings, self.address
        if address is None:
            raise CannotListenError(address, port, OSError("the context is not active"))
        await surroundings.claimPort(_place(listener, address), port)
        if self.address != address:
            raise CannotListenError(address, port, OSError("the context has ended"))
        begin(address)
        self._listener, self._lost, self._port, self._local = listener, None, port, address

    @property
    def listensForDatagrams(self) -> bool:
        """
        Whether its listening port is one of UDP.
        """
        return isinstance(self._listener, DatagramPort)

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
            self._table.surroundings.releasePort(_place(listener, self._local), self._port, listener.stop())

    # -- dialling

    async def dial(self, host: str, port: int, above: IProtocol, bearer: Bearer = LOCAL) -> Link:
        """
        Connect to a peer within the connection timeout.

        The local end is bound to the context's address when the peer is on loopback or that address isn't.

        @raise ConnectError: it can't be reached, or the context isn't active.
        """

        def begin(found: str, address: str, failed: Callable[[Failure], None]) -> Any:
            return connectTCP(
                self._table.surroundings.reactor,
                found,
                port,
                Dialled(Link(self, above, bearer), failed),
                (address, 0) if address else None,
                self._table.segment,
            )

        return await self._reach(Attempt(isUDP=False), host, begin)

    async def dialDatagrams(self, host: str, port: int, above: Conversation, own: int = 0) -> Link:
        """
        Talk with a peer by datagrams, from the same address as C{dial}.

        @param own: the own port; 0: any.
        @raise CannotListenError: the own port is taken.
        @raise ConnectError: the context isn't active.
        """

        def begin(found: str, address: str, failed: Callable[[Failure], None]) -> None:
            datagrams = DatagramPort(self.clock)
            datagrams.open(self._table.surroundings.reactor, address, own)
            datagrams.connect(DatagramLink(self, above), (found, port))

        return await self._reach(Attempt(isUDP=True), host, begin)

    async def _reach(
        self, attempt: Attempt, host: str, begin: Callable[[str, str, Callable[[Failure], None]], Any]
    ) -> Link:
        """
        Resolve a host's name and begin to connect, within the connection timeout.

        @param begin: is given the host's address, the own one (empty: the system's choice), and what hears of a
            failure; gives the connector, if there is one.
        """
        surroundings, address = self._table.surroundings, self.address
        if address is None:
            raise ConnectError(string="the context is not active")

        def connect(found: str) -> Any:
            self._local = address
            if self._conversation is not None:
                self._conversation.resolved()
            return begin(found, sourceTowards(found, address), attempt.fail)

        self._attempt = attempt
        timeout = self.clock.callLater(self.config[3] / 10, attempt.giveUp, TimeoutError())
        try:
            return await attempt.run(surroundings.resolve(host, self.cid), connect)
        finally:
            if timeout.active():
                timeout.cancel()
            if self._attempt is attempt:
                self._attempt = None

    def _giveUp(self, reason: Exception) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.giveUp(reason)

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

    def linkReady(self, link: Link) -> None:
        """
        What runs on the connection has it now.
        """
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.succeed(link)

    def linkDown(self, link: Link) -> None:
        """
        A connection is gone.
        """
        if self.link is link:
            self.link = None

    @property
    def listeningPort(self) -> int:
        """
        The port that it listens on; 0: it doesn't.
        """
        return self._port if self._listener is not None else 0

    @property
    def unacknowledged(self) -> int:
        """
        Octets that the peer has not acknowledged yet.
        """
        return self.link.unacknowledged if self.link is not None else 0

    def idleOver(self) -> None:
        """
        The inactivity timeout ends the connection.
        """
        if self._conversation is not None:
            self._conversation.idleOver()

    def hangUp(self) -> None:
        """
        Give up an attempt, and leave a listening port.
        """
        self._giveUp(ConnectError(string="closed"))
        self.stopListening()

    def close(self) -> None:
        """
        End everything on this socket.
        """
        if self.link is not None:
            self.link.loseConnection()
        self.hangUp()

    def contextLost(self) -> None:
        """
        The context has ended: the peer sees a close, the port is off the air.
        """
        self._giveUp(ConnectError(string="the context has ended"))
        if self.link is not None:
            self.link.dropConnection()
        listener, self._listener = self._listener, None
        if isinstance(listener, Listener):
            self._table.surroundings.abandon(listener, self._local, self._port)
        elif listener is not None:
            self._table.surroundings.releasePort(_place(listener, self._local), self._port, listener.stop())
        lost, self._lost = self._lost, None
        if lost is not None:
            lost()
        if self._conversation is not None and self._conversation.isAtWork:
            self._conversation.contextLost()
