"""
FTP on the module's side: one session a module, of the AT instance that has opened it.

Source: reference 8; IP Easy User Guide 3.2.2.6 and 3.3; TEL-FTP, TEL-MUX-04.
"""

from __future__ import annotations

from atrunproto.at.module import ATInstance
from atrunproto.at.results import CME, refuse
from atrunproto.at.surroundings import Stack

from .reasons import Reasons
from .session import Keeper, Session
from .transfer import DataConnection

#: the contexts that a session may use: the first, else the circuit-switched one
CONTEXTS = (1, 0)

REASONS = Reasons(
    busy=CME[601],
    noPort=CME[604],
    unreachable=CME[605],
    user=CME[606],
    password=CME[606],
    directory=CME[606],
    retrieval=CME[606],
    storage=CME[606],
    refused=CME[606],
    silent=CME[606],
    gone=CME[606],
)


class OwnSession(Session):
    """
    A session that stays open from command to command.

    @ivar owner: the number of the AT instance that has it.
    @ivar cid: the context that it uses.
    @ivar view: name and <viewMode> of the file that #FTPGETPKT has begun.
    """

    def __init__(self, keeper: Keeper, owner: int, cid: int, address: str, isPassive: bool) -> None:
        super().__init__(keeper, address, isPassive)
        self.owner = owner
        self.cid = cid
        self.view: tuple[str, int] | None = None

    async def _transfer(self, text: str, data: DataConnection, rest: int) -> None:
        if not self.isBusy:
            self.view = None
        await super()._transfer(text, data, rest)


class FTP:
    """
    FTP of one module.

    @ivar surroundings: the module.
    """

    reasons = REASONS

    __slots__ = ("_session", "_told", "surroundings")

    def __init__(self, surroundings: Stack) -> None:
        self.surroundings = surroundings
        self._session: OwnSession | None = None
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

    def session(self, at: ATInstance) -> OwnSession:
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
        session = self._session = OwnSession(self, at.number, cid, str(self.surroundings.address(cid)), isPassive)
        try:
            await session.open(await self._resolve(host), port, user, password)
        except BaseException:
            session.abort()
            self.lost(session)
            raise
        if self._session is not session:
            # the context, or the server, has gone meanwhile
            session.abort()
            raise refuse(CME[609])

    async def _resolve(self, host: str) -> str:
        surroundings = self.surroundings
        try:
            return await surroundings.resolve(host).addTimeout(self.patience, surroundings.clock)
        except Exception as error:
            raise refuse(CME[603]) from error

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
