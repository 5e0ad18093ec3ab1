"""
Endpoint strings of connections through the module on an AT port: C{modem:...}, and C{multitech:...} for its dialect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorCore,
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

from atrunproto.at.errors import ATError
from atrunproto.at.peer import ATClient
from atrunproto.ipeasy.peer import IPEasyClientEndpoint
from atrunproto.ipeasy.peercontexts import Context, SocketSettings
from atrunproto.multitech.answers import Key, Value
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.peer import MultitechClient
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret
from atrunproto.transparent.peer import DLEClientEndpoint
from atrunproto.transparent.peersockets import connectError

#: seconds between a final result and the next command line, which modules want on a serial line (reference 1.3)
PAUSE = 0.02


class Connection(Protocol):
    """
    What an endpoint of a module gives.

    @ivar protocol: the user's protocol, which has its transport.
    @ivar over: fires when everybody has heard of its end.
    """

    protocol: IProtocol | None
    over: Deferred[None]


Chosen = TypeVar("Chosen")

#: connects through the module on an AT port
Through = Callable[[ATClient, IProtocolFactory], Awaitable[Connection]]


@implementer(IStreamClientEndpoint)
class ModemClientEndpoint:
    """
    Opens an AT port, connects through the module on it, and closes the port when the connection is over.
    """

    def __init__(self, reactor: Any, port: IStreamClientEndpoint, through: Through) -> None:
        """
        @param port: leads to the AT port.
        """
        self._reactor = reactor
        self._port = port
        self._through = through

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect.

        @raise ConnectError: (by the Deferred) the module can't.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        client = ATClient(self._reactor, pause=PAUSE)
        await connectProtocol(self._port, client)
        try:
            connection = await self._through(client, factory)
        except BaseException:
            client.close()
            raise
        connection.over.addCallback(lambda _: self._leave(client))
        assert connection.protocol is not None
        return connection.protocol

    @staticmethod
    def _leave(client: ATClient) -> None:
        """
        Close the port behind the command that closes the socket.
        """
        client.execute("AT").addBoth(lambda _: client.close())


class _Options:
    """
    The options of one string, checked as they are read.
    """

    def __init__(self, prefix: str, known: tuple[str, ...], args: tuple[object, ...], given: dict[str, object]) -> None:
        """
        @raise ValueError: there is no port, a host or port of it is missing, or an option isn't known.
        """
        self._prefix = prefix
        if len(args) != 1 or not args[0]:
            raise ValueError(f"{prefix}: wants one port, as {prefix}:PORT:host=HOST:port=NUMBER (a colon in it: \\:)")
        self._where = str(args[0])
        self._given = {name: str(text) for name, text in given.items()}
        for name in self._given:
            if name not in known:
                raise ValueError(f"{prefix}: has no option {name}; it has {', '.join(known)}")
        for name in ("host", "port"):
            if not self._given.get(name):
                raise ValueError(f"{prefix}: wants a {name}")

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def port(self, reactor: IReactorCore) -> IStreamClientEndpoint:
        """
        What leads to the AT port.
        """
        where = self._where
        endpoint: IStreamClientEndpoint = clientFromString(
            reactor, f"serial:{where}" if where.startswith("/") else where
        )
        return endpoint

    def text(self, name: str, default: str = "") -> str:
        """
        A text.
        """
        return self._given.get(name, default)

    def secret(self, name: str) -> Secret | None:
        """
        A password.
        """
        return Secret(self._given[name]) if name in self._given else None

    def need(self, name: str, *others: str) -> None:
        """
        Have options together with another one alone.
        """
        for other in others:
            if other in self._given and name not in self._given:
                raise ValueError(f"{self._prefix}: {other} means nothing without {name}")

    def number(self, name: str, least: int, most: int, default: int = 0) -> int:
        """
        A number.
        """
        text = self._given.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ValueError(f"{self._prefix}: {name} is a number from {least} to {most}, not {text}")
        return int(text)

    def oneOf(self, name: str, known: Mapping[str, Chosen], default: str) -> Chosen:
        """
        One of several.
        """
        text = self._given.get(name, default)
        if text not in known:
            raise ValueError(f"{self._prefix}: {name} is {', '.join(known)}, not {text}")
        return known[text]

    def seconds(self, name: str, least: float, most: float) -> float:
        """
        An amount of time.
        """
        text = self._given[name]
        try:
            amount = float(text)
        except ValueError:
            amount = -1.0
        if not least <= amount <= most:
            raise ValueError(f"{self._prefix}: {name} is seconds from {least:g} to {most:g}, not {text}")
        return amount


#: how the socket is to work: options with the names of L{SocketSettings}, the least and the most each may be
_NUMBERS = (("packetSize", 0, 1500), ("idle", 0, 65535))
_SECONDS = (("connecting", 1.0, 120.0), ("sending", 0.0, 25.5))


def _settings(options: _Options, cid: int) -> SocketSettings | None:
    """
    How the socket is to work, or C{None} where nothing is said of it.

    @raise ValueError: a value is wrong.
    """
    given: dict[str, Any] = {name: options.number(name, *bounds) for name, *bounds in _NUMBERS if name in options}
    given |= {name: options.seconds(name, *bounds) for name, *bounds in _SECONDS if name in options}
    return SocketSettings(cid, **given) if given else None


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class ModemParser:
    """
    C{modem:PORT:host=HOST:port=NUMBER[:connId=1][:apn=APN[:cid=1][:user=NAME:password=WORD]]}, and how the socket is
    to work, as L{SocketSettings} has it: C{[:packetSize=300][:idle=90][:connecting=60][:sending=5]}.

    PORT is the path of a serial device, or an endpoint string whose colons are written C{\\:}.
    Without an APN the context of the socket must be active.
    """

    prefix = "modem"
    _known = (
        "host",
        "port",
        "connId",
        "apn",
        "cid",
        "user",
        "password",
        *(name for name, *_ in (*_NUMBERS, *_SECONDS)),
    )

    def parseStreamClient(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        An endpoint that connects through a modem.

        @raise ValueError: the string is wrong.
        """
        options = _Options(self.prefix, self._known, args, kwargs)
        options.need("apn", "cid", "user", "password")
        context = None
        if "apn" in options:
            cid = options.number("cid", 1, 5, 1)
            context = Context(options.text("apn"), cid, options.text("user"), options.secret("password"))
        port, connId = options.port(reactor), options.number("connId", 1, 6, 1)
        host, number = options.text("host"), options.number("port", 1, 65535)
        settings = _settings(options, context.cid if context is not None else 1)

        async def through(client: ATClient, factory: IProtocolFactory) -> Connection:
            # numbers tell why a connection can't be opened
            await client.execute("AT+CMEE=1")
            return await IPEasyClientEndpoint(client, connId, host, number, context, settings).open(factory)

        return ModemClientEndpoint(reactor, port, through)


_STACKS = {f"{each / 100:.2f}": each for each in Generation}


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class MultitechParser:
    """
    C{multitech:PORT:host=HOST:port=NUMBER[:socket=1][:delay=100][:pin=PIN][:stack=3.02][:apn=APN[:user=NAME:
    password=WORD]]}.

    PORT is as of L{ModemParser}. A modem that isn't connected to the network is registered and connected first, to the
    APN that is given or to the one that it has.
    """

    prefix = "multitech"
    _known = ("host", "port", "socket", "delay", "pin", "stack", "apn", "user", "password")

    def parseStreamClient(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        An endpoint that connects through a Multi-Tech modem.

        @raise ValueError: the string is wrong.
        """
        options = _Options(self.prefix, self._known, args, kwargs)
        options.need("apn", "user", "password")
        access: dict[Key, Value] = {}
        if "apn" in options:
            password = options.secret("password") or Secret("")
            access = {"APNSERV": options.text("apn"), "APNUN": options.text("user"), "APNPW": password}
        port, pin = options.port(reactor), options.secret("pin")
        host, number, socket = options.text("host"), options.number("port", 1, 65535), options.number("socket", 1, 2, 1)
        delay = options.number("delay", 0, 32760) if "delay" in options else None
        generation = options.oneOf("stack", _STACKS, "3.02")

        async def through(client: ATClient, factory: IProtocolFactory) -> Connection:
            modem = MultitechClient(client, generation=generation)
            try:
                await modem.open()
                if await modem.state() is not State.CONNECTED:
                    await modem.ensure(access)
                    await modem.register(pin=pin)
                    await modem.connect()
            except ATError as error:
                raise connectError(error) from error
            return await DLEClientEndpoint(modem, socket, host, number, delay).open(factory)

        return ModemClientEndpoint(reactor, port, through)
