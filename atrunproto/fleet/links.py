"""
Links: the ways to reach a module, from the accepted connection to the place in the roster.

A connection becomes a L{Link} at once and a module's link when it has told its IMEI (C{+CGSN}, C{+CGMM}, C{+CGMR}).
Until then it stands in the L{Reception}, which bounds how long and how many: ten thousand callers that never say a word
cost a bounded amount of memory and nobody else's connection.

What happens on the wire is L{atrunproto.tcpatrun.peer} and L{atrunproto.at.peer}. Modules on ports of this machine come
from L{atrunproto.fleet.ports}, and the links of those that are reached by short messages are
L{atrunproto.fleet.gateway}'s.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger
from zope.interface import implementer

from atrunproto.at.errors import ATError, CommandFailed, LinkLost
from atrunproto.secret import Secret
from atrunproto.tcpatrun.peer import TCPATRUNDialler, TCPATRUNListener
from atrunproto.tcpatrun.peerlogin import Login

from .roster import Module, Roster

#: seconds in which a caller must have told who it is; a module on a slow bearer takes a few
IDENTIFY_SECONDS = 30.0
#: callers that may stand in the reception; one more, and the one that stands there longest is sent away
MAX_STRANGERS = 8192
#: characters of a model or revision that are kept
MAX_IDENTITY = 64
#: seconds that links get to close in an orderly way when the host ends
CLOSE_SECONDS = 2.0

#: a module that is gone without a word is noticed after ten minutes; asking more often would cost it traffic (A)
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 300), (socket.TCP_KEEPINTVL, 60), (socket.TCP_KEEPCNT, 5))

_IMEI = re.compile(r'(?:[#+]CGSN:\s*)?"?([0-9]{14,16})"?')


class Response(Protocol):
    """
    What a client gives for a command that ended well; L{atrunproto.at.peerlines.Response} is one.
    """

    @property
    def lines(self) -> tuple[str, ...]: ...

    @property
    def result(self) -> str: ...


class Client(Protocol):
    """
    What a link needs of the other end; L{ATClient <atrunproto.at.peer.ATClient>} is one.
    """

    transport: Any

    def execute(self, line: str, timeout: float | None = None) -> Deferred[Any]: ...

    def whenLost(self) -> Deferred[Any]: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Reached(StrEnum):
    """
    Who opened the connection, or that there is none.
    """

    DIAL_IN = "dial-in"
    DIAL_OUT = "dial-out"
    LOCAL = "local"
    SMS = "sms"


class Identity(NamedTuple):
    """
    What a module says of itself.
    """

    imei: str
    model: str
    revision: str


class NotAModule(ATError):
    """
    A caller that answers, but not as a module does.
    """


class NoPlace(ATError):
    """
    A local module for which there is no place.
    """


class Link:
    """
    One way to a module: a connection, or the messages of one execution. It is told in logs by its address.
    """

    __slots__ = ("address", "client", "closing", "module", "reached", "running", "taken")

    def __init__(self, client: Client, address: str, reached: Reached) -> None:
        self.client = client
        self.address = address
        self.reached = reached
        self.module: Module | None = None
        #: whether an execution has taken it, from the claim to its stored end: never more than one
        self.taken = False
        #: what is under way on it
        self.running: Deferred[None] | None = None
        #: why nothing more is to be sent on it; the empty string while it is good
        self.closing = ""

    def __str__(self) -> str:
        return self.address

    def release(self) -> None:
        """
        Leave it to the next execution.
        """
        self.taken = False

    def drop(self, why: str) -> None:
        """
        End it now, without waiting for the other side, and what runs on it with it.
        """
        self.closing = self.closing or why
        if self.running is not None:
            self.running.cancel()
        self.client.abort()

    def close(self, why: str) -> None:
        """
        End it in an orderly way; what runs on it ends now.
        """
        self.closing = self.closing or why
        if self.running is not None:
            self.running.cancel()
        self.client.close()


async def identify(client: Client, clock: IReactorTime, seconds: float = IDENTIFY_SECONDS) -> Identity:
    """
    Ask a module who it is: in one line, or one by one if it does not like that.

    The answers carry no prefix; the concatenated line gives three blocks, of which each has one line.
    Source: AT Commands Reference Guide, +CGSN, +CGMM, +CGMR; TEL-CLI-07.

    @param seconds: the time for all of it.
    @raise NotAModule: if there is no IMEI in the answer.
    @raise ATError: if the module refuses, says nothing, or goes.
    """
    end = clock.seconds() + seconds
    try:
        response: Response = await client.execute("AT+CGSN;+CGMM;+CGMR", timeout=seconds)
        lines: Sequence[str] = response.lines
    except CommandFailed:
        lines = ()
    if len(lines) != 3:
        lines = []
        for command in ("AT+CGSN", "AT+CGMM", "AT+CGMR"):
            response = await client.execute(command, timeout=max(end - clock.seconds(), 0.1))
            lines.append(response.lines[0] if response.lines else "")
    imei = _IMEI.fullmatch(lines[0].strip())
    if imei is None:
        raise NotAModule(f"answered {lines[0][:MAX_IDENTITY]!r} where its IMEI was expected")
    return Identity(imei[1], _cleaned(lines[1]), _cleaned(lines[2]))


def _cleaned(line: str) -> str:
    return "".join(c for c in line.strip() if c.isprintable())[:MAX_IDENTITY]


class Reception:
    """
    Takes each new connection, finds out who it is, and brings it to the roster; keeps all that are open, to close them.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, roster: Roster, maxStrangers: int = MAX_STRANGERS) -> None:
        self._clock = clock
        self._roster = roster
        self._maxStrangers = maxStrangers
        self._links: set[Link] = set()
        #: links that have not told who they are, the oldest first
        self._strangers: dict[Link, None] = {}
        #: whether it was said that the oldest strangers are sent away
        self._isCrowded = False
        self._stopping = False

    def dialledIn(self, client: Client, peer: IAddress) -> None:
        """
        A module has called (client mode).
        """
        self._enter(client, peer, Reached.DIAL_IN)

    def dialledOut(self, client: Client, peer: IAddress) -> None:
        """
        A module was called (server mode), and has let us in.
        """
        self._enter(client, peer, Reached.DIAL_OUT)

    def attached(self, client: Client, identity: Identity) -> None:
        """
        A module on a port of this machine has told who it is. It gets a link over that port while it has no other.

        @raise NoPlace: it has one, the roster is full, or the host stops; the line is the caller's to close.
        """
        module = self._roster.get(identity.imei)
        if module is not None and module.link is not None:
            raise NoPlace(f"module {identity.imei} is connected at {module.link} already")
        link = self._hold(client, client.transport.getPeer(), Reached.LOCAL)
        if link.closing or not self._roster.attach(link, identity):
            raise NoPlace(link.closing or "the roster is full")

    def stop(self) -> Deferred[Any]:
        """
        Close every link, and fire when all are closed.
        """
        self._stopping = True
        links = list(self._links)
        closed: Deferred[Any] = DeferredList([link.client.whenLost() for link in links], consumeErrors=True)
        for link in links:
            link.close("the host stopped")
        if not closed.called:
            late = self._clock.callLater(CLOSE_SECONDS, self._abort)
            closed.addCallback(lambda _: late.cancel() if late.active() else None)
        return closed

    def _abort(self) -> None:
        for link in list(self._links):
            link.drop("the host stopped")

    def _hold(self, client: Client, peer: IAddress, reached: Reached) -> Link:
        """
        Make the link of a connection, to close it when the host ends; at once if it is ending.
        """
        link = Link(client, addressText(peer), reached)
        self._links.add(link)
        client.whenLost().addBoth(self._lost, link)
        if self._stopping:
            link.drop("the host stopped")
        else:
            _keepAlive(client.transport)
        return link

    def _enter(self, client: Client, peer: IAddress, reached: Reached) -> None:
        link = self._hold(client, peer, reached)
        if link.closing:
            return
        if len(self._strangers) >= self._maxStrangers:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            if not self._isCrowded:
                # said once, not for each of thousands
                self._isCrowded = True
                self._log.warn(
                    "{count} callers have not told who they are; for each new one the oldest is sent away now",
                    count=self._maxStrangers,
                )
            oldest.drop("too many callers that do not tell who they are")
        self._strangers[link] = None
        Deferred.fromCoroutine(self._introduce(link)).addErrback(
            lambda failure: self._log.failure("introducing {address}", failure, address=link)
        )

    async def _introduce(self, link: Link) -> None:
        try:
            identity = await identify(link.client, self._clock)
        except LinkLost:
            return
        except ATError as error:
            self._log.warn("{address} sent away: {error}", address=link, error=str(error))
            link.drop(str(error))
            return
        finally:
            self._strangers.pop(link, None)
            self._isCrowded = self._isCrowded and len(self._strangers) > self._maxStrangers // 2
        if link.closing or not self._roster.attach(link, identity):
            link.drop("the roster is full")

    def _lost(self, _: object, link: Link) -> None:
        link.closing = link.closing or "the link was lost"
        self._links.discard(link)
        self._strangers.pop(link, None)
        self._roster.detach(link)


def _keepAlive(transport: Any) -> None:
    """
    Have the kernel find out about peers that are gone, where the transport is a TCP connection.
    """
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if isinstance(handle, socket.socket) and handle.family in (socket.AF_INET, socket.AF_INET6):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            handle.setsockopt(socket.IPPROTO_TCP, option, value)


def addressText(peer: IAddress) -> str:
    """
    Write an address as people do: C{10.0.0.5:40312}.
    """
    host, port = getattr(peer, "host", None), getattr(peer, "port", None)
    if host is None or port is None:
        return str(peer)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@implementer(IProtocolFactory)
class AllowList:
    """
    A factory that only takes callers from some networks.
    """

    _log = Logger()

    def __init__(self, factory: IProtocolFactory, networks: Sequence[Network]) -> None:
        self._factory = factory
        self._networks = networks

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """
        Build a protocol, or have the connection closed at once.
        """
        if not self._allowed(getattr(addr, "host", "")):
            self._log.info("{address} refused: not on the list of --allow", address=addressText(addr))
            return None
        return self._factory.buildProtocol(addr)

    def _allowed(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def listener(clock: IReactorTime, reception: Reception, networks: Sequence[Network]) -> IProtocolFactory:
    """
    Make the factory for modules that call in.

    @param networks: who may; empty: everybody.
    """
    factory: IProtocolFactory = TCPATRUNListener(clock, reception.dialledIn)
    return AllowList(factory, networks) if networks else factory


def dialler(
    clock: IReactorTime,
    reception: Reception,
    endpoint: IStreamClientEndpoint,
    user: str,
    password: Secret,
    stepByStep: bool | None,
    name: str,
) -> Service:
    """
    Make the service that keeps a connection to a module in server mode.

    @param user: the name to log in with; empty: the connection needs no login.
    @param stepByStep: which login the module is set to; C{None}: found out.
    @param name: what the log calls the module.
    """
    login = Login(user, password, stepByStep) if user else None
    return TCPATRUNDialler(clock, endpoint, login, reception.dialledOut, name=name)
