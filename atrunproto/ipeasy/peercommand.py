"""
Several connections at once through one AT port, which stays in command mode: SRING, C{#SRECV} and C{#SSENDEXT}.

They are the same endpoints as those of L{atrunproto.ipeasy.peer}, made of a L{CommandSockets} in place of a client.
Each connection has a turn after the other, of one read and one write, so that none waits long for the others; and none
is given more than its far end takes, since a module that waits for one of them is deaf to all.
Source: IP Easy User Guide 4 (S); reference 6.3 to 6.6; TEL-CMD.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost, NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
)
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.errors import ATError, CommandFailed
from atrunproto.at.peer import ATClient
from atrunproto.at.peeronline import OnlineAddress
from atrunproto.at.peertransport import SocketTransport

from .peer import DIAL_WAIT, SocketClientEndpoint, SocketServerEndpoint, connectError
from .peercontexts import Context, SocketSettings, prepare
from .peerlistening import addressesOf
from .peerreading import receive

#: octets of one #SSENDEXT; the least that a document gives (reference 6.5)
SEND_SIZE = 1020
#: octets that may be on their way from the module to the far end (A)
WINDOW = 16 * 1024
#: seconds after which a far end that takes nothing is looked at again
POLL = 0.5
#: seconds after which open sockets are looked at, though no SRING has come
LOOK = 60.0
#: seconds that a module may take to send (reference 6.5)
SEND_WAIT = 180.0

_CLOSED, _PENDING = 0, 3


class CommandSocket(SocketTransport):
    """
    One connection in command mode.

    @ivar isClosedFar: the module has no connection any more; what it has received may still be read.
    @ivar isPending: there may be something to read.
    """

    def __init__(self, sockets: CommandSockets, connId: int, host: IAddress, peer: IAddress) -> None:
        super().__init__(sockets.client.clock, host, peer)
        self.connId = connId
        self.isClosedFar = False
        # an SRING may have come before anybody knew of the socket
        self.isPending = True
        self._sockets = sockets
        self._client = sockets.client
        self._credit = WINDOW
        self._pollCall: IDelayedCall | None = None
        self._mustShut = False
        self._isShut = False

    # -- its turns

    @property
    def isReady(self) -> bool:
        """
        Whether it can use a turn.
        """
        return not self._isShut and (self._mustShut or self._mayRead or self._maySend)

    @property
    def _mayRead(self) -> bool:
        return self.isPending and not self._paused

    @property
    def _maySend(self) -> bool:
        return self.waiting > 0 and self._pollCall is None and not self.isClosedFar

    async def turn(self) -> None:
        """
        Read once, and write once.
        """
        if self._mayRead and not self._mustShut:
            await self._read()
        if self._maySend and not self._mustShut:
            await self._send()
        if self._mustShut and not self._isShut:
            self._isShut = True
            await self._client.execute(f"AT#SH={self.connId}")
            self.finish(Failure(ConnectionDone()))

    async def _read(self) -> None:
        data = await receive(self._client, self.connId)
        if data is not None:
            self.deliver(data)
            return
        # what comes from now on raises a new SRING
        self.isPending = False
        if self.isClosedFar:
            self.finish(Failure(ConnectionDone()))

    async def _send(self) -> None:
        if self._credit <= 0:
            answer = await self._client.execute(f"AT#SI={self.connId}")
            self._credit = WINDOW - int(answer.lines[0].rpartition(",")[2])
            if self._credit <= 0:
                self._pollCall = self._clock.callLater(POLL, self._polled)
                return
        data = self.take(SEND_SIZE)
        if not data:
            # aborted meanwhile
            return
        self._credit -= len(data)
        try:
            await self._client.execute(
                f"AT#SSENDEXT={self.connId},{len(data)}", timeout=SEND_WAIT, data=data, counted=True
            )
        except CommandFailed:
            # what has come in may still be read
            self.isClosedFar = self.isPending = True

    def _polled(self) -> None:
        self._pollCall = None
        self._sockets.wake()

    def finish(self, reason: Failure) -> None:
        """
        The module has no such connection any more.
        """
        self._isShut = True
        if self._pollCall is not None:
            self._pollCall.cancel()
            self._pollCall = None
        self._sockets.forget(self)
        self.lost(reason)

    # -- what the transport asks for

    def sendMore(self) -> None:
        self._sockets.wake()

    def setReading(self, isReading: bool) -> None:
        if isReading:
            self._sockets.wake()

    def closeSocket(self) -> None:
        self._mustShut = True
        self._sockets.wake()

    def abortSocket(self) -> None:
        self._mustShut = True
        self._sockets.wake()
        self.lost(Failure(ConnectionAborted()))


class CommandSockets:
    """
    The connections of one AT port in command mode. Its client may be used for other commands as well.
    """

    _log = Logger()

    def __init__(self, client: ATClient) -> None:
        self.client = client
        self._open: dict[int, CommandSocket] = {}
        self._isRunning = False
        self._mustLook = False
        self._lookCall: IDelayedCall | None = None
        client.onNotice("SRING", self._rang)
        client.onNotice("NO CARRIER", lambda line: self.look())
        client.whenLost().addCallback(self._lost)

    def add(self, socket: CommandSocket) -> None:
        """
        A connection is there.
        """
        self._open[socket.connId] = socket
        self.wake()

    def forget(self, socket: CommandSocket) -> None:
        """
        A connection is no more.
        """
        if self._open.get(socket.connId) is socket:
            del self._open[socket.connId]
        if not self._open and self._lookCall is not None:
            self._lookCall.cancel()
            self._lookCall = None

    def isFree(self, connId: int) -> bool:
        """
        Whether no connection has this socket.
        """
        return connId not in self._open

    async def prepare(self, connId: int) -> None:
        """
        Set a socket to plain SRINGs and plain data.
        """
        await self.client.execute(f"AT#SCFGEXT={connId},0,0,0")

    # -- the work

    def look(self) -> None:
        """
        Ask the module what has become of the sockets.
        """
        self._mustLook = True
        self.wake()

    def _rang(self, line: str) -> None:
        number = line.partition(":")[2].partition(",")[0].strip()
        socket = self._open.get(int(number)) if number.isdecimal() else None
        if socket is not None:
            socket.isPending = True
        if self._open:
            # where one notice comes, an earlier one may have been lost
            self.look()

    def wake(self) -> None:
        """
        Work, if there is any, in a turn of its own.
        """
        if not self._isRunning and (self._open or self._mustLook):
            self._isRunning = True
            self.client.clock.callLater(0, self._start)

    def _start(self) -> None:
        work = Deferred.fromCoroutine(self._work())
        work.addErrback(lambda failure: self._log.failure("the work on the sockets failed", failure))

    async def _work(self) -> None:
        try:
            while self._mustLook or any(socket.isReady for socket in self._open.values()):
                if self._mustLook:
                    self._mustLook = False
                    await self._see()
                for socket in list(self._open.values()):
                    if socket.isReady:
                        await self._turn(socket)
        finally:
            self._isRunning = False
        if self._open and self._lookCall is None:
            self._lookCall = self.client.clock.callLater(LOOK, self._lookAgain)

    def _lookAgain(self) -> None:
        self._lookCall = None
        self.look()

    async def _turn(self, socket: CommandSocket) -> None:
        try:
            await socket.turn()
        except (ATError, ValueError, IndexError) as error:
            # nobody knows which octets have got through
            self._log.warn("socket {connId} is given up: {error}", connId=socket.connId, error=error)
            socket.finish(Failure(ConnectionLost(str(error))))
            self.client.execute(f"AT#SH={socket.connId}").addErrback(lambda _: None)
            self._mustLook = bool(self._open)

    async def _see(self) -> None:
        try:
            answer = await self.client.execute("AT#SS")
            seen = [addressesOf(line)[:2] for line in answer.lines]
        except (ATError, ValueError, IndexError) as error:
            self._log.warn("the state of the sockets is not known: {error}", error=error)
            return
        for connId, state in seen:
            socket = self._open.get(connId)
            if socket is not None and state == _CLOSED:
                socket.isClosedFar = socket.isPending = True
            elif socket is not None and state == _PENDING:
                socket.isPending = True

    def _lost(self, reason: BaseException) -> None:
        for socket in list(self._open.values()):
            socket.finish(Failure(reason))


def _begin(
    sockets: CommandSockets, connId: int, factory: IProtocolFactory, host: IAddress, peer: IAddress
) -> tuple[CommandSocket, IProtocol | None]:
    """
    Give a connection that is there to a new protocol; without one it is closed.
    """
    socket = CommandSocket(sockets, connId, host, peer)
    protocol = factory.buildProtocol(peer)
    sockets.add(socket)
    if protocol is None:
        socket.abortConnection()
    else:
        socket.begin(protocol, factory.doStop)
    return socket, protocol


class CommandClientEndpoint(SocketClientEndpoint):
    """
    Connects by C{#SD} in command mode.
    """

    _connMode = 1

    def __init__(
        self,
        sockets: CommandSockets,
        connId: int,
        host: str,
        port: int,
        context: Context | None = None,
        settings: SocketSettings | None = None,
    ) -> None:
        """
        The parameters are those of L{SocketClientEndpoint}.
        """
        super().__init__(sockets.client, connId, host, port, context, settings)
        self._sockets = sockets

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        client = self._client
        if not self._sockets.isFree(self._connId):
            raise ConnectError(None, f"socket {self._connId} is in use")
        factory.doStart()
        dialled = False
        try:
            await prepare(client, self._connId, self._context, self._settings)
            await self._sockets.prepare(self._connId)
            dialled = True
            await client.execute(self._line, timeout=DIAL_WAIT)
            _, protocol = _begin(self._sockets, self._connId, factory, OnlineAddress(""), self._address)
            if protocol is None:
                raise NoProtocol()
        except BaseException as error:
            factory.doStop()
            if dialled and not isinstance(error, CommandFailed | NoProtocol):
                # it may be there in spite of all
                client.execute(f"AT#SH={self._connId}").addErrback(lambda _: None)
            if isinstance(error, ATError):
                raise connectError(error) from error
            raise
        return protocol


class CommandServerEndpoint(SocketServerEndpoint):
    """
    Listens by C{#SL}, and takes callers in command mode, one at a time.
    """

    def __init__(
        self,
        sockets: CommandSockets,
        connId: int,
        port: int,
        context: Context | None = None,
        admitted: Iterable[tuple[str, str]] = (),
        settings: SocketSettings | None = None,
    ) -> None:
        """
        The parameters are those of L{SocketServerEndpoint}.
        """
        super().__init__(sockets.client, connId, port, context, admitted, settings)
        self._sockets = sockets

    async def _accept(self, factory: IProtocolFactory, host: IAddress, peer: IAddress) -> None:
        await self._sockets.prepare(self._connId)
        await self._client.execute(f"AT#SA={self._connId},1")
        factory.doStart()
        socket, protocol = _begin(self._sockets, self._connId, factory, host, peer)
        if protocol is None:
            factory.doStop()
        await socket.over
