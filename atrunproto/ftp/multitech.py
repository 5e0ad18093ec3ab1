"""
FTP of Multi-Tech modems: a command fetches or stores one file, and has a session of its own for it.

#FTPGET and #FTPPUT connect, log in, move the file over the port, and take leave of the server. What passes over the
port is coded, and its end is a bare ETX.
Source: reference guide S000333C, chapter 4 and appendix B; MTS-FTP, MTS-SER-09, MTS-GAP-27, -30, -37, -54, -62, -63.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from atrunproto.at.commands import CommandTable
from atrunproto.at.errors import CommandFailed
from atrunproto.at.online import Online
from atrunproto.at.results import OK, Reason, ResultCode, refuse
from atrunproto.multitech import errors
from atrunproto.multitech.coding import ETX, Coded
from atrunproto.multitech.commands import STRICT
from atrunproto.multitech.errors import Message, message
from atrunproto.multitech.parameters import Parameters
from atrunproto.multitech.stack import Stack

from .reasons import Reasons
from .session import Session
from .transfer import DataConnection, Download

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("ftp Multi-Tech")

#: seconds that a server has for each reply and connection (A)
PATIENCE = 30.0
#: seconds that either command may take until the file begins
_SLOW = 300.0

REASONS = Reasons(
    busy=errors.ANOTHER_RUNS,
    noPort=errors.NO_RESOURCE,
    unreachable=errors.OPEN_FAILED,
    user=errors.USER_REJECTED,
    password=errors.PASSWORD_REJECTED,
    directory=errors.DIRECTORY_FAILED,
    retrieval=errors.RETRIEVAL_FAILED,
    storage=errors.SEND_FAILED,
    refused=errors.OPEN_FAILED,
    silent=errors.NO_RESPONSE,
    gone=errors.CLOSED_BY_PEER,
)

#: where a file is looked for, or put, without a change of directory (MTS-GAP-62)
_HERE = ("", ".")
#: clears the top bit of each octet
_SEVEN_BITS = bytes(octet & 0x7F for octet in range(256))


class Run:
    """
    One run of either command, from its beginning to its final result.

    (begun) L{begin} succeeds: the file goes over the port -> moving.
    (begun) L{begin} fails, or is given up -> over.
    (moving) L{leave}: the server is told that it was all -> over.
    (begun, moving) the connection below is lost: the session breaks off, and that is why -> as any failure there.

    It keeps the session. While it lasts no other service runs, and no parameter changes.
    """

    reasons = REASONS
    patience = PATIENCE
    ignoresPrivate = False

    def __init__(self, at: ATInstance) -> None:
        """
        @raise CommandFailed: there is no connection (35867), or a service runs (37122).
        """
        stack = at.part(Stack)
        self.surroundings: Any = at.module
        self.parameters = Parameters(at.module.settings)
        self.link = stack.needLink()
        self._claim = stack.claim("FTP")
        self._forget = self.link.watch(self._linkLost)
        self._session: Session | None = None
        self._beginning: Deferred[Any] | None = None
        self._why: Reason | None = None

    @property
    def isASCII(self) -> bool:
        """
        Whether the file is text (#FTPTYPE).
        """
        return bool(self.parameters["FTPTYPE"] == "A")

    async def begin(self, kind: type[_Channel]) -> DataConnection:
        """
        Do all that comes before the file.

        @param kind: which way it goes.
        @raise CommandFailed: it can't be done; all is over then.
        """
        beginning: Deferred[DataConnection] = Deferred.fromCoroutine(self._begin(kind))
        self._beginning = beginning
        try:
            data: DataConnection = await beginning
        except BaseException as error:
            self.end()
            if self._why is None:
                raise
            raise refuse(self._why) from error
        else:
            return data
        finally:
            self._beginning = None

    async def _begin(self, kind: type[_Channel]) -> DataConnection:
        """
        Log in, go to the directory, and open the data connection.
        """
        parameters, link = self.parameters, self.link
        server, port = parameters.needed("FTPSERV"), parameters.needed("FTPPORT")
        name, path = parameters.needed(f"FTP{kind.direction}FILENAME"), parameters[f"FTP{kind.direction}PATH"]
        host = await link.resolve(server)
        session = self._session = Session(self, str(link.address), bool(parameters["FTPMODE"]))
        await session.open(host, port, parameters["FTPUN"], parameters["FTPPW"], int(self.isASCII))
        link.touch()
        if path not in _HERE:
            await session.ask(f"CWD {path}")
        return await kind.opened(session, name)

    async def leave(self, why: Reason | None) -> ResultCode | Reason:
        """
        Take leave of the server, and give the final result.

        @param why: what was wrong with the file.
        """
        if why is None and self._session is not None:
            try:
                await self._session.quit()
            except CommandFailed as error:
                # a server that hangs up has taken leave as well
                why = None if error.reason is REASONS.gone else errors.CLOSE_FAILED
        self.end()
        return self._why or why or OK

    def end(self) -> None:
        """
        Everything of it ends at once. Once is enough, more does no harm.
        """
        session, self._session = self._session, None
        self._forget()
        self._claim.release()
        if session is not None:
            session.abort()

    def lost(self, session: Session) -> None:
        """
        The server has closed the control connection. What it has sent of a file still comes; an upload is broken off.
        """
        if not isinstance(session.transfer, Download):
            session.abort()

    def _linkLost(self, why: Reason | None) -> None:
        self._why = why or errors.CONTEXT_CANCELLED
        if self._beginning is not None:
            self._beginning.cancel()
        elif self._session is not None:
            self._session.abort()


class _Channel(Protocol):
    """
    What an instance is online with while a file moves.

    @cvar direction: how the names of its parameters begin.
    @cvar announcement: what tells the host that the port carries the file.
    """

    direction: str
    announcement: Message

    @staticmethod
    async def opened(session: Session, name: str) -> DataConnection:
        """
        The data connection for a file.
        """
        raise NotImplementedError

    def __init__(self, run: Run, data: Any) -> None:
        self._run = run
        self._data: Any = data
        self._coding = Coded()

    def connectionMade(self) -> None:
        self._data.ended.addCallback(self._over)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._run.end()

    def _over(self, why: Reason | None) -> None:
        """
        The file is over.
        """
        spell: Any = self.transport
        Deferred.fromCoroutine(self._run.leave(why)).addCallback(spell.endWith)

    # as the data connection sees the line

    def pauseProducing(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()  # type: ignore[union-attr]

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.transport.registerProducer(producer, streaming)  # type: ignore[union-attr]

    def unregisterProducer(self) -> None:
        self.transport.unregisterProducer()  # type: ignore[union-attr]

    def loseConnection(self) -> None:
        """
        The data connection has nothing more to say; when online mode ends is told by L{_over}.
        """


class Fetched(_Channel):
    """
    A file from the server on the line. What the host sends meanwhile is for nobody (MTS-FTP-11).
    """

    direction = "GET"
    announcement = Message.DATA_BEGIN

    @staticmethod
    async def opened(session: Session, name: str) -> DataConnection:
        """
        Have the server send.
        """
        return await session.retrieve(f"RETR {name}")

    def connectionMade(self) -> None:
        self._data.show(self)
        super().connectionMade()

    def write(self, data: bytes) -> None:
        """
        Show a part of the file.
        """
        self._run.link.touch()
        self.transport.write(self._coding.encode(data))  # type: ignore[union-attr]

    def _over(self, why: Reason | None) -> None:
        """
        The file is over, which the host hears first (MTS-FTP-12).
        """
        self.transport.write(ETX)  # type: ignore[union-attr]
        super()._over(why)


class Stored(_Channel):
    """
    A file from the line for the server; ETX ends it and is echoed (MTS-GAP-54). As text it has seven bits (MTS-FTP-05).
    """

    direction = "PUT"
    announcement = Message.WAITING_FOR_DATA

    @staticmethod
    async def opened(session: Session, name: str) -> DataConnection:
        """
        Have the server take.
        """
        return await session.store(f"STOR {name}")

    def __init__(self, run: Run, data: Any) -> None:
        super().__init__(run, data)
        self._isASCII = run.isASCII
        self._isWhole = False

    def connectionMade(self) -> None:
        self._data.take(self)
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:
        if self._isWhole:
            return
        self._run.link.touch()
        part, rest = self._coding.feed(data)
        self._data.write(part.translate(_SEVEN_BITS) if self._isASCII else part)
        if rest is not None:
            self._isWhole = True
            self.transport.write(ETX)  # type: ignore[union-attr]
            self._data.finish()

    def _over(self, why: Reason | None) -> None:
        """
        The file is over; one that the server has ended isn't whole. Whether an ETX tells of it is the product's
        (MTS-GAP-27).
        """
        if not self._isWhole:
            why = why or REASONS.gone
            if self._run.surroundings.limit("mark before upload errors"):
                self.transport.write(ETX)  # type: ignore[union-attr]
        super()._over(why)


async def _move(at: ATInstance, kind: type[_Channel]) -> Online:
    """
    Move the file that the parameters name.
    """
    run = Run(at)
    data = await run.begin(kind)
    return Online(kind(run, data), message(at.module, kind.announcement), escapes=False)


@commands.action("#FTPGET", longest=_SLOW, noCarrier=True, source="MTS-FTP-08 to MTS-FTP-12", **STRICT)
async def get(at: ATInstance) -> Online:
    """
    Fetch the file #FTPGETFILENAME of the directory #FTPGETPATH; an ETX ends it, the final result tells how it went.
    """
    return await _move(at, Fetched)


@commands.action("#FTPPUT", longest=_SLOW, noCarrier=True, source="MTS-FTP-13 to MTS-FTP-17", **STRICT)
async def put(at: ATInstance) -> Online:
    """
    Store what is typed up to an ETX as the file #FTPPUTFILENAME in the directory #FTPPUTPATH.
    """
    return await _move(at, Stored)
