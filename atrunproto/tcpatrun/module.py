"""
The module's side of TCPATRUN: AT commands of one instance over a TCP connection, as a server or as a client.

The socket is lent by the module (it is one of its six); so is the AT instance, which the service keeps as long as it is
enabled.
Source: Running AT Commands Remotely Rev. 9, 3 (S); reference 4; TEL-CFG, TEL-SRV, TEL-AUT, TEL-FWR, TEL-CLI, TEL-ALR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import CannotListenError, ConnectError
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.admission import Rule
from atrunproto.at.bearer import BearerKind
from atrunproto.at.errors import CommandFailed
from atrunproto.at.module import ATInstance
from atrunproto.at.reservation import Reservation
from atrunproto.at.results import refuse

from .login import LoginReader
from .session import ServiceBearer, Session
from .surroundings import ServiceSocket, Surroundings

Pair = tuple[str, str]

#: the name under which the service reserves its instance
SERVICE = "TCPATRUN"
#: seconds after which listening is tried again when the port is taken (A)
PORT_TAKEN_DELAY = 30.0
#: seconds at least from the end of a connection to its host until the next, for the host may close each at once (A)
RECONNECT_DELAY = 1.0


class Mode(Enum):
    """
    What the service is enabled for.
    """

    SERVER = "server"
    CLIENT = "client"


class State(Enum):
    """
    How far the service is.
    """

    OFF = "off"
    #: enabled, but its context is not active
    NO_CONTEXT = "waiting for the context"
    LISTENING = "listening"
    #: the port can't be had; another try follows
    PORT_TAKEN = "port taken"
    DIALLING = "dialling"
    #: a peer is there, perhaps not yet logged in
    CONNECTED = "connected"
    #: another connection attempt follows
    RETRYING = "waiting for the next attempt"
    #: the attempts are used up (TEL-GAP-13)
    GAVE_UP = "gave up"


class Config:
    """
    The values of #TCPATRUNCFG by their names.
    """

    __slots__ = (
        "authMode",
        "connId",
        "instance",
        "retryCnt",
        "retryDelay",
        "tcpHost",
        "tcpHostPort",
        "tcpPort",
        "timeout",
        "urcmod",
    )

    def __init__(self, values: Sequence[Any]) -> None:
        (
            self.connId,
            self.instance,
            self.tcpPort,
            self.tcpHostPort,
            self.tcpHost,
            self.urcmod,
            self.timeout,
            self.authMode,
            self.retryCnt,
            self.retryDelay,
        ) = values


class TCPATRUNService:
    """
    The service of one module.

    Server mode: (off) enable -> no context | listening | port taken. (no context) context -> listening | port taken.
    (port taken) time -> listening. (listening) caller: session -> connected. (connected) session ends -> listening.
    Client mode: (off) enable -> no context | dialling. (no context) context -> dialling.
    (dialling) answer: session -> connected; failure -> retrying | gave up. (retrying) time -> dialling.
    (connected) session ends -> retrying. (gave up) context -> dialling.
    Both: (any) context lost -> no context. (any) disable -> off.

    @ivar mode: what it is enabled for, or C{None}.
    @ivar state: how far it is.
    """

    _log = Logger()

    __slots__ = ("_attempts", "_by", "_call", "_opening", "_reservation", "_session", "mode", "state", "surroundings")

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.mode: Mode | None = None
        self.state = State.OFF
        self._by = 1
        self._reservation = Reservation(SERVICE, surroundings)
        self._session: Session | None = None
        self._call: IDelayedCall | None = None
        self._attempts = 0
        self._opening: Deferred[Any] | None = None
        surroundings.watchContexts(self._contextChanged)

    # -- what it is told by commands

    @property
    def config(self) -> Config:
        """
        #TCPATRUNCFG as it stands.
        """
        return Config(self.surroundings.settings.get("#TCPATRUNCFG"))

    @property
    def delay(self) -> float:
        """
        Seconds before each command line.
        """
        return float(self.surroundings.settings.get("#ATRUNDELAY", 0)[0])

    @property
    def queues(self) -> bool:
        """
        Whether early lines are kept.
        """
        return bool(self.surroundings.settings.value("#TCPATCMDSEQ"))

    @property
    def status(self) -> int:
        """
        <stat> of #TCPATRUNL? (0, 1) and #TCPATRUND? (0 to 2) (TEL-EXT-05, TEL-EXT-06).
        """
        if self.state in (State.LISTENING, State.CONNECTED, State.DIALLING):
            return 1
        return 2 if self.state is State.RETRYING else 0

    def enable(self, mode: Mode, by: int) -> None:
        """
        Switch the service on.

        @param by: the instance that hears its notices.
        @raise CommandFailed: the other mode is on, or the instance or the socket are in use.
        """
        if self.mode is mode:
            if self.state is State.GAVE_UP:
                self._later(0, self._start)
            return
        config = self.config
        if self.mode is not None or not self._socket.isFree or (mode is Mode.CLIENT and not config.tcpHost):
            raise refuse()
        self._reservation.enable(config.instance, by, [mode.value, by])
        self.mode, self._by = mode, by
        self._later(0, self._start)

    def disable(self, mode: Mode) -> None:
        """
        Switch the service off; a connection ends when the answer to the command has left.
        """
        if self.mode is not mode:
            return
        self._reservation.disable()
        self.mode = None
        self.state = State.OFF
        self._cancel()
        self._abandonOpening()
        session, socket = self._session, self._socket
        if session is None:
            socket.close()
            self._reservation.release()
        else:
            socket.stopListening()
            self._later(0, self._end, session)

    def close(self) -> None:
        """
        #TCPATRUNCLOSE: end the connection; the service starts again by itself (TEL-ALR-11, TEL-CLI-06).
        """
        if self._session is not None:
            self._later(0, self._closeSession)

    def _closeSession(self) -> None:
        self._call = None
        if self._session is not None:
            self._session.transport.loseConnection()

    def _end(self, session: Session) -> None:
        """
        The service has been switched off during a session.
        """
        self._call = None
        session.transport.loseConnection()
        session.leave()
        self._reservation.release()

    @property
    def rules(self) -> list[Rule]:
        """
        The firewall (#TCPATRUNFRWL).
        """
        return [(address, mask) for address, mask in self.surroundings.memory.get("TCPATRUN firewall") or ()]

    @rules.setter
    def rules(self, rules: Sequence[Rule]) -> None:
        self.surroundings.memory.put("TCPATRUN firewall", [list(rule) for rule in rules])
        if self.mode is Mode.SERVER:
            self._socket.admit(self.rules)

    @property
    def pairs(self) -> list[Pair]:
        """
        The names and passwords (#TCPATRUNAUTH).
        """
        return [(user, password) for user, password in self.surroundings.memory.get("TCPATRUN logins") or ()]

    @pairs.setter
    def pairs(self, pairs: Sequence[Pair]) -> None:
        self.surroundings.memory.put("TCPATRUN logins", [list(pair) for pair in pairs])

    # -- life

    @property
    def _socket(self) -> ServiceSocket:
        return self.surroundings.serviceSocket(self.config.connId)

    def powerOn(self) -> None:
        """
        Start by itself if it was left enabled (TEL-SRV-08, TEL-CLI-04).
        """
        kept = self._reservation.kept
        if kept is None:
            return
        self.mode, self._by = Mode(kept[0]), int(kept[1])
        try:
            self._reservation.hold(self.config.instance)
        except CommandFailed:
            self._log.warn("TCPATRUN can't start: its AT instance is in use")
            self.mode = None
            return
        self._start()

    def powerOff(self) -> None:
        """
        End without a trace on the wire but the close.
        """
        self.mode = None
        self.state = State.OFF
        self._reservation.forget()
        self._cancel()
        self._abandonOpening()
        session, self._session = self._session, None
        if session is not None:
            session.leave()
            session.transport.dropConnection()

    def _later(self, seconds: float, act: Callable[..., None], *arguments: Any) -> None:
        self._cancel()
        self._call = self.surroundings.clock.callLater(seconds, act, *arguments)

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def _start(self) -> None:
        """
        Begin, or begin again, to be reachable.
        """
        self._call = None
        self._attempts = self.config.retryCnt
        if not self._reservation.number:
            try:
                self._reservation.hold(self.config.instance)
            except CommandFailed:
                self.state = State.OFF
                return
        self._resume()

    def _resume(self) -> None:
        self._call = None
        if self.mode is None or self._opening is not None or self._session is not None:
            return
        if self._socket.address is None:
            self.state = State.NO_CONTEXT
        elif self.mode is Mode.SERVER:
            self._open(self._listen())
        else:
            self.state = State.DIALLING
            self._open(self._dial())

    def _open(self, attempt: Any) -> None:
        opening = self._opening = Deferred.fromCoroutine(attempt)
        opening.addErrback(self._failed)
        opening.addBoth(self._opened, opening)

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self._log.failure("TCPATRUN failed to open its socket", failure)

    def _opened(self, result: object, opening: Deferred[Any]) -> None:
        if self._opening is opening:
            self._opening = None

    def _abandonOpening(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()

    async def _listen(self) -> None:
        try:
            await self._socket.listen(self.config.tcpPort, self.rules, self._accept, self._portLost)
        except CannotListenError as error:
            self._log.warn("TCPATRUN can't listen: {error}", error=error)
            self.state = State.PORT_TAKEN
            self._later(PORT_TAKEN_DELAY, self._resume)
        else:
            self.state = State.LISTENING

    async def _dial(self) -> None:
        config = self.config
        bearer = ServiceBearer(self, BearerKind.TCPATRUN_CLIENT)
        try:
            await self._socket.dial(config.tcpHost, config.tcpHostPort, Session(self, None), bearer)
        except (ConnectError, OSError) as error:
            self._log.info("TCPATRUN can't reach its host: {error}", error=error)
            self._retry()

    def _retry(self) -> None:
        if self.mode is None or self._socket.address is None:
            return
        if self._attempts > 0:
            self._attempts -= 1
            self.state = State.RETRYING
            self._later(self.config.retryDelay * 60, self._resume)
        else:
            self.state = State.GAVE_UP

    def _accept(self, peer: IAddress) -> IProtocol | None:
        if self._session is not None:
            return None
        bearer = ServiceBearer(self, BearerKind.TCPATRUN_SERVER)
        session = Session(self, LoginReader(self.pairs, self.config.authMode == 1))
        return self._socket.carry(session, bearer)

    @staticmethod
    def _portLost() -> None:
        """
        The context has ended with the port; L{_contextChanged} hears of it.
        """

    def _contextChanged(self, cid: int, address: str | None) -> None:
        if self.mode is None or cid != self._socket.cid:
            return
        self._cancel()
        if address is None:
            self._abandonOpening()
            self.state = State.NO_CONTEXT
        elif self._session is None:
            self._start()

    # -- sessions

    def sessionBegan(self, session: Session) -> None:
        """
        A peer is connected (TEL-EXT-07: announced with its address).
        """
        self._session = session
        self.state = State.CONNECTED
        self._attempts = self.config.retryCnt
        self._announce(session.peer)

    def attach(self, transport: Any) -> ATInstance:
        """
        Put the reserved instance on a session's connection.
        """
        instance = self._reservation.hold(self.config.instance)
        instance.detach()
        instance.makeConnection(transport)
        return instance

    def loginRefused(self, session: Session) -> None:
        """
        Name or password were wrong.
        """
        self._log.info("TCPATRUN refused a login from {peer}", peer=session.peer)

    def sessionEnded(self, session: Session) -> None:
        """
        The peer is gone; be reachable again.
        """
        if self._session is not session:
            return
        self._session = None
        self._announce("<DISCONNECT>")
        if self.mode is None or self._socket.address is None:
            return
        if self.mode is Mode.SERVER and self.state is State.CONNECTED:
            self.state = State.LISTENING
        elif self.mode is Mode.SERVER:
            # the context has come back before its old connection was gone
            self._start()
        else:
            self.state = State.RETRYING
            self._later(max(self.surroundings.duration("#TCPATRUND"), RECONNECT_DELAY), self._resume)

    def _announce(self, what: str) -> None:
        if self.config.urcmod:
            self.surroundings.tell(self._by, f"#TCPATRUN: {what}")

    def jam(self) -> None:
        """
        The exchange has been stopped for good: the connection stays, deaf and dumb.
        """
        if self._session is not None:
            self._session.jam()

    def commandTimedOut(self) -> None:
        """
        A command ran longer than it may: the module reboots (TEL-CFG-13).
        """
        self._log.warn("a command over TCPATRUN has no end; the module reboots")
        self.surroundings.reboot()
