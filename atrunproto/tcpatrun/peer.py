"""
The host's side of TCPATRUN: a client for modules in server mode, and a listener for modules in client mode.

Each hands a ready L{ATClient} to its user.
Source: Running AT Commands Remotely Rev. 9, 3.2 and 3.3 (S); TEL-AUT-12, TEL-CLI-02, TEL-CLI-07, TEL-SRV-04.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from atrunproto.at import basic
from atrunproto.at.commands import Command
from atrunproto.at.errors import ATError, CommandFailed
from atrunproto.at.peer import ATClient
from atrunproto.at.peerkeeping import LineKeeper

from . import commands as tcpatrun
from .peerlogin import PROMPT_WAIT, Login, LoginWriter
from .provisioning import Provisioning

#: seconds that a login may take, the module's own pauses included; modules give up after about 60 (TEL-GAP-04)
LOGIN_WAIT = 45.0

OnClient = Callable[[ATClient, IAddress], object]

#: the commands that a client knows unless it is told others
ROWS: Mapping[str, Command] = {**basic.commands.rows, **tcpatrun.commands.rows}


class LoginFailed(ATError):
    """
    A module closed the connection at the login, or never finished it.
    """


class _LoginProtocol(Protocol):
    """
    Logs in, then hands the connection to a client.
    """

    def __init__(self, clock: IReactorTime, login: Login | None, client: ATClient) -> None:
        self.client = client
        self.ready: Deferred[ATClient] = Deferred(lambda _: self._fail("the login was given up"))
        self._clock = clock
        self._writer = LoginWriter(login) if login is not None else None
        self._calls: list[IDelayedCall] = []

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        if self._writer is None:
            self._hand(b"")
            return
        self._calls = [
            self._clock.callLater(LOGIN_WAIT, self._fail, "the login did not end in time"),
            self._clock.callLater(PROMPT_WAIT, self._waited),
        ]
        self._say(self._writer.begin())

    def _waited(self) -> None:
        assert self._writer is not None
        self._say(self._writer.waited())

    def _say(self, data: bytes) -> None:
        assert self._writer is not None
        if data:
            self.transport.write(data)  # type: ignore[union-attr]
        if self._writer.isDone:
            self._hand(self._writer.rest)

    def dataReceived(self, data: bytes) -> None:
        assert self._writer is not None
        try:
            answer = self._writer.feed(data)
        except ValueError as error:
            self._fail(str(error))
            return
        self._say(answer)

    def _hand(self, rest: bytes) -> None:
        """
        Give the connection to the client; an empty command proves that the module listens.
        """
        client = self.client
        self._writer = None
        if len(self._calls) == 2 and self._calls[1].active():
            self._calls[1].cancel()
        self.dataReceived = client.dataReceived  # type: ignore[method-assign]
        client.makeConnection(self.transport)
        if rest:
            client.dataReceived(rest)
        client.execute("AT", timeout=LOGIN_WAIT).addCallbacks(self._proven, self._unproven)

    def _proven(self, response: object) -> None:
        self._cancel()
        if not self.ready.called:
            self.ready.callback(self.client)

    def _unproven(self, failure: Failure) -> None:
        self._fail(f"the module does not take commands: {failure.value}")

    def _fail(self, why: str) -> None:
        self._cancel()
        if not self.ready.called:
            self.ready.errback(LoginFailed(why))
        self.transport.abortConnection()  # type: ignore[union-attr]

    def _cancel(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            if call.active():
                call.cancel()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._cancel()
        if not self.ready.called:
            self.ready.errback(LoginFailed("the module closed the connection at the login"))
        if self._writer is None:
            self.client.connectionLost(reason)


class _LoginFactory(Factory):
    """
    Makes a login for each connection.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, login: Login | None, rows: Mapping[str, Command]) -> None:
        self._clock = clock
        self._login = login
        self._rows = rows

    def buildProtocol(self, addr: IAddress | None) -> _LoginProtocol:
        return _LoginProtocol(self._clock, self._login, ATClient(self._clock, self._rows))


def logIn(
    clock: IReactorTime,
    endpoint: IStreamClientEndpoint,
    login: Login | None,
    rows: Mapping[str, Command] = ROWS,
) -> Deferred[ATClient]:
    """
    Connect once to a module in server mode.

    @param login: C{None}: the connection needs none.
    @return: fires with a client when the module takes commands; fails with L{LoginFailed} or the endpoint's error.
    """

    async def connect() -> ATClient:
        protocol: Any = await endpoint.connect(_LoginFactory(clock, login, rows))
        client: ATClient = await protocol.ready
        return client

    return Deferred.fromCoroutine(connect())


async def provision(client: ATClient, provisioning: Provisioning) -> None:
    """
    Make a module reachable, through a client on any of its ports.

    @raise CommandFailed: the module refuses a line; where it is known what may be the matter, that is added as a note.
    """
    for line in provisioning.lines():
        try:
            await client.execute(line)
        except CommandFailed as error:
            hint = provisioning.hint(line)
            if hint:
                error.add_note(hint)
            raise


class TCPATRUNDialler(LineKeeper):
    """
    Keeps a connection to a module in server mode, and tells of each that is ready.

    The connection is made again when it is lost, after a pause that grows while the module can't be reached or refuses
    the login.
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        login: Login | None,
        onClient: OnClient,
        rows: Mapping[str, Command] = ROWS,
        retryPolicy: Callable[[int], float] | None = None,
        name: str = "a module",
    ) -> None:
        """
        @param onClient: called with the client and the module's address.
        @param retryPolicy: seconds to wait by the number of failures in a row; a growing pause by default.
        @param name: what the log calls the module.
        """
        super().__init__(
            clock,
            lambda: logIn(clock, endpoint, login, rows),
            lambda client: onClient(client, client.transport.getPeer()),
            retryPolicy=retryPolicy,
            name=name,
        )


class _CallingModule(ATClient):
    """
    The client of a module that has called in; it takes commands straight away (TEL-CLI-03).
    """

    __slots__ = ("_onClient",)

    def __init__(self, clock: IReactorTime, rows: Mapping[str, Command], onClient: OnClient) -> None:
        super().__init__(clock, rows)
        self._onClient = onClient

    def connectionMade(self) -> None:
        super().connectionMade()
        transport = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        self._onClient(self, transport.getPeer())


class TCPATRUNListener(Factory):
    """
    Takes the calls of modules in client mode; listen with it on any endpoint.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, onClient: OnClient, rows: Mapping[str, Command] = ROWS) -> None:
        """
        @param onClient: called with a ready client and the caller's address, for each call.
        """
        self._clock = clock
        self._onClient = onClient
        self._rows = rows

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        @return: the client itself is the protocol.
        """
        return _CallingModule(self._clock, self._rows, self._onClient)
