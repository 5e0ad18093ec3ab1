"""
The sockets of a Multi-Tech modem as ordinary Twisted endpoints.

Whatever Protocol is brought runs unchanged. The AT port carries the connection while it lasts, so there is one at a
time, and what is called of the modem meanwhile waits. The modem must be connected to the network.
Source: reference guide S000333C, chapters 5 and 6, appendix B; MTS-TCP, MTS-UDP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.address import HostnameAddress, IPv4Address
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import CannotListenError, ConnectError, NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from zope.interface import implementer

from atrunproto.at.errors import ATError, LineSwallowed
from atrunproto.multitech.parameters import ANYBODY
from atrunproto.multitech.peerdata import NOWHERE, DataSession

from .peersockets import Socket, connectError

if TYPE_CHECKING:
    from atrunproto.multitech.peer import MultitechClient

#: seconds that a modem may take to resolve a name and to connect (A)
CONNECT_WAIT = 150.0


@implementer(IStreamClientEndpoint)
class _ClientEndpoint:
    """
    Connects a socket of the modem.
    """

    def __init__(self, modem: MultitechClient, socket: Socket, host: str, port: int) -> None:
        self._modem = modem
        self._socket = socket
        self._peer = _addressOf(host, port)
        self._wanted = socket.parameters(host, port)

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect.

        @raise ConnectError: (by the Deferred) the modem can't; C{DNSLookupError} where it doesn't know the name.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        protocol = (await self.open(factory)).protocol
        assert protocol is not None
        return protocol

    async def open(self, factory: IProtocolFactory) -> DataSession:
        """
        Connect, and give the connection itself.

        @raise ConnectError: as of L{connect}.
        """
        session = self._socket.session(self._modem, lambda: factory.buildProtocol(self._peer), NOWHERE, self._peer)
        try:
            async with self._modem.preparing:
                await self._modem.ensure(self._wanted)
                factory.doStart()
                session.over.addCallback(lambda _: factory.doStop())
                answer = await session.open(self._socket.line("O"), CONNECT_WAIT)
        except ATError as error:
            raise connectError(error) from error
        if answer is not None:
            raise ConnectError(None, f"{self._socket.line('O')} was answered without a connection")
        return session


@implementer(IStreamServerEndpoint)
class _ServerEndpoint:
    """
    Waits at a socket of the modem.
    """

    def __init__(self, modem: MultitechClient, socket: Socket, port: int, admitted: str) -> None:
        self._modem = modem
        self._socket = socket
        self._port = port
        self._peer = NOWHERE if admitted == ANYBODY else _addressOf(admitted, 0)
        self._wanted = socket.parameters(admitted, port)

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Listen. One peer is served at a time; then the modem listens again.

        @raise CannotListenError: (by the Deferred) the modem can't.
        """
        return Deferred.fromCoroutine(self._listen(protocolFactory))

    async def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        try:
            async with self._modem.preparing:
                await self._modem.ensure(self._wanted)
                host = IPv4Address(self._socket.kind, (await self._modem.addresses()).own, self._port)

                def session() -> DataSession:
                    return self._socket.session(
                        self._modem, lambda: factory.buildProtocol(self._peer), host, self._peer
                    )

                listening = _Listening(self._modem, self._socket, host, session, factory)
                await listening.start()
        except ATError as error:
            raise CannotListenError("", self._port, error) from error
        return listening


@implementer(IListeningPort)
class _Listening:
    """
    A socket of the modem that waits for its peer.

    (waiting) the peer comes: -> serving.
    (serving) the connection has ended: the modem listens again -> waiting.
    (waiting) C{stopListening}: the modem waits no longer -> stopped; a peer that comes first is served still.
    (serving) C{stopListening}: -> stopped, once the connection has ended.
    (waiting) the modem loses its connection to the network, or refuses, or its line fails: logged -> stopped.
    """

    _log = Logger()

    def __init__(
        self,
        modem: MultitechClient,
        socket: Socket,
        host: IAddress,
        session: Callable[[], DataSession],
        factory: IProtocolFactory,
    ) -> None:
        self._modem = modem
        self._socket = socket
        self._host = host
        self._newSession = session
        self._factory = factory
        self._isListening = False
        self._begins: Deferred[Any] = succeed(None)

    async def start(self) -> None:
        """
        Listen.

        @raise CommandFailed: the modem refuses.
        """
        session = await self._wait()
        self._isListening = True
        self._factory.doStart()
        Deferred.fromCoroutine(self._serve(session)).addErrback(
            lambda failure: self._log.failure("{line} failed", failure, line=self._line)
        )

    @property
    def _line(self) -> str:
        return self._socket.line("L", "START")

    async def _wait(self) -> DataSession:
        """
        Have the modem wait for a peer.
        """
        session = self._newSession()
        # the peer may come as soon as the modem has answered, or that is the only answer (MTS-GAP-25)
        begins = self._begins = session.expect(self._line)
        try:
            await self._modem.execute(self._line)
        except LineSwallowed:
            pass
        except BaseException:
            begins.addErrback(lambda _: None)
            begins.cancel()
            raise
        return session

    async def _serve(self, session: DataSession) -> None:
        """
        Serve one peer after the other.
        """
        forget = self._modem.onEnd(lambda error: self._begins.cancel())
        try:
            while True:
                await self._begins
                await session.over
                if not self._isListening:
                    break
                async with self._modem.preparing:
                    session = await self._wait()
        except (ATError, CancelledError, NoProtocol) as error:
            if self._isListening:
                self._log.warn("{line} is over: {error}", line=self._line, error=error)
        finally:
            forget()
            self._isListening = False
            self._factory.doStop()

    # -- IListeningPort

    def startListening(self) -> None:
        """
        It listens already when it is given out.
        """

    def stopListening(self) -> Deferred[None]:
        """
        Listen no more; a connection that was taken lives on.
        """
        isWaiting = self._isListening and not self._begins.called
        self._isListening = False
        return Deferred.fromCoroutine(self._stop()) if isWaiting else succeed(None)

    async def _stop(self) -> None:
        try:
            await self._modem.execute(self._socket.line("L", "STOP"))
        except LineSwallowed:
            # a peer was faster
            return
        self._begins.cancel()

    def getHost(self) -> IAddress:
        return self._host


def _addressOf(host: str, port: int) -> HostnameAddress:
    return HostnameAddress(host.encode("ascii", "replace"), port)


class DLEClientEndpoint(_ClientEndpoint):
    """
    Connects a TCP socket of the modem (C{#OTCP}).
    """

    def __init__(self, modem: MultitechClient, socket: int, host: str, port: int, delay: int | None = None) -> None:
        """
        @param socket: 1 or 2; always 1 for a stack before 3.02, which has no C{delay} either.
        @param host: a name or an address.
        @param delay: milliseconds that the modem waits for more before it sends a frame that isn't full: a multiple of
            20 up to 32760, 0 for none; C{None}: as it is set. This and the others are kept by the modem.
        """
        super().__init__(modem, Socket.tcp(modem, socket, delay), host, port)


class DLEServerEndpoint(_ServerEndpoint):
    """
    Waits at a TCP socket of the modem (C{#LTCPSTART}).
    """

    def __init__(
        self, modem: MultitechClient, socket: int, port: int, admitted: str = ANYBODY, delay: int | None = None
    ) -> None:
        """
        @param admitted: the address of the only peer that may connect; no name.
        @see: L{DLEClientEndpoint} for the others.
        """
        super().__init__(modem, Socket.tcp(modem, socket, delay), port, admitted)


#: milliseconds that a modem gathers octets for a datagram, by the factory
GATHERED = 100


class UDPClientEndpoint(_ClientEndpoint):
    """
    Speaks with one host by UDP (C{#OUDP}). Each C{write} is a datagram.

    Datagrams of the host come as octets, without their bounds. That one was lost is told by nobody.
    """

    def __init__(self, modem: MultitechClient, host: str, port: int, delay: int = GATHERED) -> None:
        """
        @param delay: milliseconds that the modem waits for the rest of a datagram, a multiple of 20 from 20 to 32760.
        """
        super().__init__(modem, Socket("UDP", delay), host, port)


class UDPServerEndpoint(_ServerEndpoint):
    """
    Waits for a datagram (C{#LUDPSTART}), and speaks with its sender until the protocol closes; as L{UDPClientEndpoint}.
    """

    def __init__(self, modem: MultitechClient, port: int, admitted: str = ANYBODY, delay: int = GATHERED) -> None:
        """
        @param admitted: the only host that is heard, a name or an address.
        """
        super().__init__(modem, Socket("UDP", delay), port, admitted)
