"""
Connections through a module as ordinary Twisted endpoints, on an AT port of their own.

Whatever Protocol is brought runs unchanged. The port is online while the connection lasts; several connections at once
over one port are those of L{atrunproto.ipeasy.peercommand}.
Source: IP Easy User Guide 3.2 (S); reference 6.3; TEL-SD, TEL-SH, TEL-LIS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import HostnameAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    CannotListenError,
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    NoProtocol,
    TimeoutError,
)
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from zope.interface import implementer

from atrunproto.at.errors import ATError, CommandFailed, Misuse
from atrunproto.at.peer import ATClient
from atrunproto.at.peeronline import OnlineAddress

from .peercontexts import Context, SocketSettings, prepare
from .peerlistening import ListeningSocket
from .peeronline import OnlineSocket

#: seconds that a module may take to open a connection: <connTo> at its longest, and the name (reference 6.1)
DIAL_WAIT = 140.0

_ERRORS = {558: DNSLookupError, 559: TimeoutError, 560: ConnectionRefusedError}


def connectError(error: ATError) -> Exception:
    """
    Why a connection could not be opened, in the terms of Twisted.
    """
    number = error.reason.number if isinstance(error, CommandFailed) else None
    kind: type[Exception] = _ERRORS.get(number, ConnectError) if number is not None else ConnectError
    return kind(str(error)) if kind is DNSLookupError else kind(None, str(error))


def checkedHost(host: str) -> str:
    """
    A host that can stand in a command line.

    @raise Misuse: it can't.
    """
    if not host or '"' in host or not host.isascii() or not host.isprintable():
        raise Misuse("a host is a name or an address")
    return host


@implementer(IStreamClientEndpoint)
class SocketClientEndpoint:
    """
    Connects by C{#SD}; what becomes of the connection is told by those built on it.
    """

    #: of C{#SD}: 0 online, 1 command mode
    _connMode = 0

    def __init__(
        self,
        client: ATClient,
        connId: int,
        host: str,
        port: int,
        context: Context | None = None,
        settings: SocketSettings | None = None,
    ) -> None:
        """
        @param context: the context to bring up first if it isn't active, to which the socket is tied; C{None}: somebody
            else sees to that.
        @param settings: how the socket is to work; C{None}: as it is set.
        """
        self._client = client
        self._connId = connId
        self._address = HostnameAddress(checkedHost(host).encode("ascii"), port)
        self._line = f'AT#SD={connId},0,{port},"{host}",0,0,{self._connMode}'
        self._context = context
        self._settings = settings

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect.

        @raise ConnectError: (by the Deferred) the module can't.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        """
        Connect, and give the protocol.
        """
        raise NotImplementedError


class IPEasyClientEndpoint(SocketClientEndpoint):
    """
    Connects by C{#SD}; the client is online as long as the connection lasts.
    """

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        protocol = (await self.open(factory)).protocol
        assert protocol is not None
        return protocol

    async def open(self, factory: IProtocolFactory) -> OnlineSocket:
        """
        Connect, and give the connection itself.

        @raise ConnectError: the module can't.
        """
        socket = OnlineSocket(self._client, self._connId, factory, OnlineAddress(""), self._address)
        try:
            await prepare(self._client, self._connId, self._context, self._settings)
            await goOnline(self._client, self._line, socket, factory)
        except ATError as error:
            raise connectError(error) from error
        return socket


async def goOnline(client: ATClient, line: str, socket: OnlineSocket, factory: IProtocolFactory) -> None:
    """
    Go online with a new connection.

    @raise NoProtocol: the factory doesn't want it.
    """
    factory.doStart()
    try:
        # the sequence that leaves online mode is no data
        await client.execute("AT#SKIPESC=1")
        await client.connect(line, socket, timeout=DIAL_WAIT, hangUp=socket.hangUp, checked=True)
        if socket.protocol is None:
            raise NoProtocol()
    except BaseException as error:
        factory.doStop()
        if not isinstance(error, CommandFailed | NoProtocol):
            # it may be there in spite of all
            given: Deferred[Any] = client.execute(socket.hangUp)
            given.addErrback(lambda _: None)
        raise


@implementer(IStreamServerEndpoint)
class SocketServerEndpoint:
    """
    Listens by C{#SL}; how a caller is taken is told by those built on it.
    """

    def __init__(
        self,
        client: ATClient,
        connId: int,
        port: int,
        context: Context | None = None,
        admitted: Iterable[tuple[str, str]] = (),
        settings: SocketSettings | None = None,
    ) -> None:
        """
        @param context: as for L{SocketClientEndpoint}.
        @param admitted: (address, mask) of callers to let in by C{#FRWL}, whose rules a module forgets at power-off.
        @param settings: as for L{SocketClientEndpoint}.
        """
        self._client = client
        self._connId = connId
        self._port = port
        self._context = context
        self._admitted = tuple(admitted)
        self._settings = settings

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Listen.

        @raise CannotListenError: (by the Deferred) the module can't.
        """
        return Deferred.fromCoroutine(self._listen(protocolFactory))

    async def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        async def accept(host: IAddress, peer: IAddress) -> None:
            await self._accept(factory, host, peer)

        try:
            await prepare(self._client, self._connId, self._context, self._settings, self._admitted)
            listening = ListeningSocket(self._client, self._connId, self._port, accept)
            await listening.start()
        except ATError as error:
            raise CannotListenError("", self._port, error) from error
        return listening

    async def _accept(self, factory: IProtocolFactory, host: IAddress, peer: IAddress) -> None:
        """
        Take a caller, and wait until he has been served.
        """
        raise NotImplementedError


class IPEasyServerEndpoint(SocketServerEndpoint):
    """
    Listens by C{#SL}; the client is online while a caller is served, and the next one waits until then.
    """

    async def _accept(self, factory: IProtocolFactory, host: IAddress, peer: IAddress) -> None:
        socket = OnlineSocket(self._client, self._connId, factory, host, peer)
        try:
            await goOnline(self._client, f"AT#SA={self._connId}", socket, factory)
        except NoProtocol:
            pass
        await socket.over
