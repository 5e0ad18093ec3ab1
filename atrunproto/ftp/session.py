"""
A session with an FTP server, whatever the commands are that use it.

Source: RFC 959; what a vendor's commands make of it stands with them.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IProtocol

from atrunproto.at.calling import One, call
from atrunproto.at.results import Reason, refuse
from atrunproto.at.surroundings import Stack

from .reasons import Reasons
from .transfer import DataConnection, Download, Upload


class Keeper(Protocol):
    """
    Who has a session.
    """

    @property
    def surroundings(self) -> Stack:
        """
        The module.
        """

    @property
    def reasons(self) -> Reasons:
        """
        What its commands answer where something goes wrong.
        """

    @property
    def patience(self) -> float:
        """
        Seconds that a server has for each reply and connection.
        """

    @property
    def ignoresPrivate(self) -> bool:
        """
        Whether a private address that a passive server names is passed over.
        """

    def lost(self, session: Session) -> None:
        """
        The server has closed the control connection, or it was ended from here.
        """


class Session:
    """
    One session with a server.

    @ivar type: 0 binary, 1 ASCII.
    @ivar rest: where the next download begins.
    @ivar transfer: the data connection that is there, or was there last.
    """

    def __init__(self, keeper: Keeper, address: str, isPassive: bool) -> None:
        """
        @param address: of the module.
        @param isPassive: the data connections go to the server, instead of coming from it.
        """
        self.type = 0
        self.rest = 0
        self.transfer: DataConnection | None = None
        self._keeper = keeper
        self._address = address
        self._isPassive = isPassive
        self._control: Any = None

    @property
    def isBusy(self) -> bool:
        """
        Whether a data connection is there.
        """
        return self.transfer is not None and not self.transfer.isOver

    @property
    def told(self) -> str:
        """
        The server's last reply.
        """
        return "" if self._control is None else self._control.told

    async def open(self, host: str, port: int, user: str, password: str, type: int = 0) -> None:
        """
        Connect and log in.

        @param host: an address.

        @raise CommandFailed: it can't be.
        """
        from .control import Control

        keeper = self._keeper
        control = Control(keeper.surroundings.clock, keeper.patience, keeper.reasons, lambda: keeper.lost(self))
        try:
            await self._connect(host, port, control)
        except Exception as error:
            raise refuse(keeper.reasons.unreachable) from error
        self._control = control
        reply = await self._ask(f"USER {user}")
        if not reply.startswith("230"):
            await self._ask(f"PASS {password}")
        await self.setType(type)

    async def _connect(self, host: str, port: int, made: IProtocol) -> None:
        await call(self._keeper.surroundings, host, port, self._address, made, self._keeper.patience)

    async def _ask(self, text: str) -> str:
        control = self._control
        control.patience = self._keeper.patience
        reply: str = await control.ask(text)
        return reply

    async def ask(self, text: str) -> str:
        """
        Give the server an order that needs no data connection, and wait for its reply.

        @raise CommandFailed: the server refuses, or says nothing in time.
        """
        if self.isBusy:
            raise refuse(self._keeper.reasons.busy)
        return await self._ask(text)

    async def setType(self, type: int) -> None:
        """
        Change how files are carried.
        """
        await self.ask("TYPE A" if type else "TYPE I")
        self.type = type

    async def quit(self) -> None:
        """
        Take leave of the server; what it says to that doesn't matter.
        """
        if self.transfer is not None and self.isBusy:
            self.transfer.abort()
        try:
            await self._ask("QUIT")
        finally:
            self.abort()

    async def retrieve(self, text: str) -> Download:
        """
        Open a data connection for a file or a listing.

        @raise CommandFailed: it can't be.
        """
        rest, self.rest = (self.rest, 0) if text.startswith("RETR") else (0, self.rest)
        data = Download()
        await self._transfer(text, data, rest)
        return data

    async def store(self, text: str) -> Upload:
        """
        Open a data connection for a file to be sent.

        @raise CommandFailed: it can't be.
        """
        data = Upload(self._keeper.surroundings.clock)
        await self._transfer(text, data, 0)
        return data

    async def _transfer(self, text: str, data: DataConnection, rest: int) -> None:
        if self.isBusy:
            raise refuse(self._keeper.reasons.busy)
        self.transfer = data
        try:
            if self._isPassive:
                host, port = await self._control.passive()
                await self._connectData(host, port, data)
                await self._begin(text, data, rest)
            else:
                await self._listen(text, data, rest)
        except BaseException:
            data.abort()
            raise

    async def _connectData(self, host: str, port: int, data: DataConnection) -> None:
        server = self._control.transport.getPeer().host
        if host != server and not (self._keeper.ignoresPrivate and _isPrivate(host)):
            # a server could make the module call anybody (A)
            raise refuse(self._keeper.reasons.refused)
        try:
            await self._connect(server, port, data)
        except Exception as error:
            raise refuse(self._keeper.reasons.unreachable) from error

    async def _listen(self, text: str, data: DataConnection, rest: int) -> None:
        """
        Let the server connect, and nobody else.
        """
        transport = self._control.transport
        host = transport.getHost().host
        try:
            factory = One(data, transport.getPeer().host)
            port = self._keeper.surroundings.reactor.listenTCP(0, factory, interface=host)
        except CannotListenError as error:
            raise refuse(self._keeper.reasons.noPort) from error
        try:
            number = port.getHost().port
            await self._ask(f"PORT {','.join([*host.split('.'), str(number >> 8), str(number & 255)])}")
            await self._begin(text, data, rest)
        finally:
            port.stopListening()

    async def _begin(self, text: str, data: DataConnection, rest: int) -> None:
        """
        Give the order, and wait until the server has begun and the data connection is there.

        An upload that ended before the server had begun would be lost, so both are waited for.
        """
        clock, patience, reasons = self._keeper.surroundings.clock, self._keeper.patience, self._keeper.reasons
        if rest:
            await self._ask(f"REST {rest}")
        begun, done = self._control.begin(text)
        try:
            await begun.addTimeout(patience, clock)
            await data.opened.addTimeout(patience, clock)
        except TimeoutError as error:
            raise refuse(reasons.silent) from error

        def closed(result: object) -> Deferred[Reason | None]:
            told: Deferred[Reason | None] = done.addTimeout(patience, clock, lambda *_: reasons.silent)
            return told.addCallback(lambda why: reasons.gone if why is None and data.wasCut else why)

        data.closed.addCallback(closed).addCallback(data.settle)

    def abort(self) -> None:
        """
        End everything at once.
        """
        if self.transfer is not None and not self.transfer.isOver:
            self.transfer.abort()
        if self._control is not None:
            self._control.transport.abortConnection()


def _isPrivate(host: str) -> bool:
    """
    Whether an address is one of those that mean nothing outside a network of one's own (RFC 1918).
    """
    first, second, *_ = map(int, host.split("."))
    return first == 10 or (first, second) == (192, 168) or (first == 172 and 16 <= second < 32)
