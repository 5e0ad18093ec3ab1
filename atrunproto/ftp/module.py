"""
FTP on the module's side: one session a module, of the AT instance that has opened it.

Source: reference 8; IP Easy User Guide 3.2.2.6 and 3.3; TEL-FTP, TEL-MUX-04.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory

from atrunproto.at.module import ATInstance
from atrunproto.at.results import CME, refuse
from atrunproto.at.surroundings import Stack

from .transfer import DataConnection, Download, Upload

#: the contexts that a session may use: the first, else the circuit-switched one
CONTEXTS = (1, 0)


class _One(Factory):
    """
    Makes one connection what it is to be, if it comes from the right address.
    """

    noisy = False

    def __init__(self, made: IProtocol, source: str | None = None) -> None:
        """
        @param source: the address that it must come from.
        """
        self._made: Any = made
        self._source = source

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if self._source is not None and not _isSame(getattr(addr, "host", ""), self._source):
            return None
        made, self._made = self._made, None
        return made


def _isSame(host: str, other: str) -> bool:
    """
    Whether two addresses are one machine's; all of loopback is.
    """
    return host == other or (host.startswith("127.") and other.startswith("127."))


class Session:
    """
    One session with a server.

    @ivar owner: the number of the AT instance that has it.
    @ivar cid: the context that it uses.
    @ivar type: 0 binary, 1 ASCII.
    @ivar rest: where the next download begins.
    @ivar transfer: the data connection that is there, or was there last.
    @ivar view: name and <viewMode> of the file that #FTPGETPKT has begun.
    """

    def __init__(self, ftp: FTP, owner: int, cid: int, address: str, isPassive: bool) -> None:
        self.owner = owner
        self.cid = cid
        self.type = 0
        self.rest = 0
        self.transfer: DataConnection | None = None
        self.view: tuple[str, int] | None = None
        self._ftp = ftp
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

    async def open(self, host: str, port: int, user: str, password: str) -> None:
        """
        Connect and log in.

        @raise CommandFailed: it can't be.
        """
        from .control import Control

        surroundings, patience = self._ftp.surroundings, self._ftp.patience
        try:
            found = await surroundings.resolve(host).addTimeout(patience, surroundings.clock)
        except Exception as error:
            raise refuse(CME[603]) from error
        control = Control(surroundings.clock, patience, lambda: self._ftp.lost(self))
        try:
            await self._connect(found, port, control)
        except Exception as error:
            raise refuse(CME[605]) from error
        self._control = control
        reply = await self._ask(f"USER {user}")
        if not reply.startswith("230"):
            await self._ask(f"PASS {password}")
        await self.setType(0)

    async def _connect(self, host: str, port: int, made: IProtocol) -> None:
        """
        Connect; from the address of the context when the peer is on loopback or that address isn't.
        """
        surroundings, patience = self._ftp.surroundings, self._ftp.patience
        isNear = host.startswith("127.") or not self._address.startswith("127.")
        endpoint = TCP4ClientEndpoint(
            surroundings.reactor, host, port, patience, (self._address, 0) if isNear else None
        )
        await endpoint.connect(_One(made)).addTimeout(patience, surroundings.clock)

    async def _ask(self, text: str) -> str:
        control = self._control
        control.patience = self._ftp.patience
        reply: str = await control.ask(text)
        return reply

    async def ask(self, text: str) -> str:
        """
        Give the server an order that needs no data connection, and wait for its reply.

        @raise CommandFailed: the server refuses, or says nothing in time.
        """
        if self.isBusy:
            raise refuse(CME[601])
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
        data = Upload(self._ftp.surroundings.clock)
        await self._transfer(text, data, 0)
        return data

    async def _transfer(self, text: str, data: DataConnection, rest: int) -> None:
        if self.isBusy:
            raise refuse(CME[601])
        self.transfer, self.view = data, None
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
        if host != server and not (self._ftp.ignoresPrivate and _isPrivate(host)):
            # a server could make the module call anybody (A)
            raise refuse(CME[606])
        try:
            await self._connect(server, port, data)
        except Exception as error:
            raise refuse(CME[605]) from error

    async def _listen(self, text: str, data: DataConnection, rest: int) -> None:
        """
        Let the server connect, and nobody else.
        """
        transport = self._control.transport
        host = transport.getHost().host
        try:
            factory = _One(data, transport.getPeer().host)
            port = self._ftp.surroundings.reactor.listenTCP(0, factory, interface=host)
        except CannotListenError as error:
            raise refuse(CME[604]) from error
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
        clock, patience = self._ftp.surroundings.clock, self._ftp.patience
        if rest:
            await self._ask(f"REST {rest}")
        begun, done = self._control.begin(text)
        try:
            await begun.addTimeout(patience, clock)
            await data.opened.addTimeout(patience, clock)
        except TimeoutError as error:
            raise refuse(CME[606]) from error

        def closed(result: object) -> Deferred[bool]:
            told: Deferred[bool] = done.addTimeout(patience, clock, lambda *_: False)
            return told

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


class FTP:
    """
    FTP of one module.

    @ivar surroundings: the module.
    """

    __slots__ = ("_session", "_told", "surroundings")

    def __init__(self, surroundings: Stack) -> None:
        self.surroundings = surroundings
        self._session: Session | None = None
        self._told = ""
        surroundings.watchContexts(self._contextChanged)

    @property
    def patience(self) -> float:
        """
        Seconds that a server has for each reply and connection (#FTPTO).
        """
        return float(self.surroundings.settings.value("#FTPTO")) / 10

    @property
    def ignoresPrivate(self) -> bool:
        """
        Whether a private address that the server names is passed over (#FTPCFG).
        """
        try:
            return bool(self.surroundings.settings.value("#FTPCFG values"))
        except KeyError:
            return False

    @property
    def told(self) -> str:
        """
        The server's last reply, of the last session where there is none.
        """
        return self._told if self._session is None else self._session.told

    def session(self, at: ATInstance) -> Session:
        """
        The session, for the instance that has it.

        @raise CommandFailed: there is none, or it is another's (TEL-MUX-04).
        """
        session = self._session
        if session is None:
            raise refuse(CME[607])
        if session.owner != at.number:
            raise refuse(CME[612])
        return session

    async def open(self, at: ATInstance, host: str, port: int, user: str, password: str, isPassive: bool) -> None:
        """
        Open the session.

        @raise CommandFailed: there is one already, or it can't be.
        """
        if self._session is not None:
            raise refuse(CME[608 if self._session.owner == at.number else 612])
        cid = next((cid for cid in CONTEXTS if self.surroundings.address(cid) is not None), None)
        if cid is None:
            raise refuse(CME[609])
        session = self._session = Session(self, at.number, cid, str(self.surroundings.address(cid)), isPassive)
        try:
            await session.open(host, port, user, password)
        except BaseException:
            session.abort()
            self.lost(session)
            raise
        if self._session is not session:
            # the context, or the server, has gone meanwhile
            session.abort()
            raise refuse(CME[609])

    def lost(self, session: Session) -> None:
        """
        A session is over.
        """
        if self._session is session:
            self._told = session.told
            self._session = None
            session.abort()

    def powerOff(self) -> None:
        """
        The power goes.
        """
        if self._session is not None:
            self._session.abort()
        self._session = None
        self._told = ""

    def _contextChanged(self, cid: int, address: str | None) -> None:
        session = self._session
        if session is not None and session.cid == cid and address is None:
            session.abort()
            self.lost(session)
