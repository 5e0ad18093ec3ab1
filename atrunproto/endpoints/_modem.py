"""
The endpoint string C{modem:...}: a connection through the module on an AT port.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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

from atrunproto.at.peer import ATClient
from atrunproto.ipeasy.peer import IPEasyClientEndpoint
from atrunproto.ipeasy.peercontexts import Context, SocketSettings
from atrunproto.secret import Secret

#: seconds between a final result and the next command line, which modules want on a serial line (reference 1.3)
PAUSE = 0.02


@implementer(IStreamClientEndpoint)
class ModemClientEndpoint:
    """
    Opens an AT port, connects through the module on it, and closes the port when the connection is over.
    """

    def __init__(
        self,
        reactor: Any,
        port: IStreamClientEndpoint,
        connId: int,
        host: str,
        number: int,
        context: Context | None,
        settings: SocketSettings | None = None,
    ) -> None:
        """
        @param port: leads to the AT port.
        @param number: the TCP port of the host.
        @param context: the context to bring up first if it isn't active; C{None}: it is.
        @param settings: how the socket is to work; C{None}: as the module has it stored.
        """
        self._reactor = reactor
        self._port = port
        self._through: Callable[[ATClient], IPEasyClientEndpoint] = lambda client: IPEasyClientEndpoint(
            client, connId, host, number, context, settings=settings
        )

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
            # numbers tell why a connection can't be opened
            await client.execute("AT+CMEE=1")
            socket = await self._through(client).open(factory)
        except BaseException:
            client.close()
            raise
        socket.over.addCallback(lambda _: self._leave(client))
        assert socket.protocol is not None
        return socket.protocol

    @staticmethod
    def _leave(client: ATClient) -> None:
        """
        Close the port behind the command that closes the socket.
        """
        client.execute("AT").addBoth(lambda _: client.close())


#: how the socket is to work: options with the names of L{SocketSettings}, the least and the most each may be
_SETTINGS = (("packetSize", 0, 1500), ("idle", 0, 65535), ("connecting", 1.0, 120.0), ("sending", 0.0, 25.5))
_OPTIONS = ("host", "port", "connId", "apn", "cid", "user", "password", *(name for name, *_ in _SETTINGS))


def _settings(options: dict[str, str], cid: int) -> SocketSettings | None:
    """
    How the socket is to work, or C{None} where nothing is said of it.

    @raise ValueError: a value is wrong.
    """
    given = {name: _amount(name, options[name], *bounds) for name, *bounds in _SETTINGS if name in options}
    return SocketSettings(cid, **given) if given else None  # type: ignore[arg-type]


def _amount(name: str, text: str, least: float, most: float) -> float:
    if isinstance(least, int) and isinstance(most, int):
        return _number(name, text, least, most)
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not least <= amount <= most:
        raise ValueError(f"modem: {name} is seconds from {least:g} to {most:g}, not {text}")
    return amount


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise ValueError(f"modem: {name} is a number from {least} to {most}, not {text}")
    return int(text)


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class ModemParser:
    """
    C{modem:PORT:host=HOST:port=NUMBER[:connId=1][:apn=APN[:cid=1][:user=NAME:password=WORD]]}, and how the socket is
    to work, as L{SocketSettings} has it: C{[:packetSize=300][:idle=90][:connecting=60][:sending=5]}.

    PORT is the path of a serial device, or an endpoint string whose colons are written C{\\:}.
    Without an APN the context of the socket must be active.
    """

    prefix = "modem"

    def parseStreamClient(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        An endpoint that connects through a modem.

        @raise ValueError: the string is wrong.
        """
        if len(args) != 1 or not args[0]:
            raise ValueError("modem: wants one port, as modem:PORT:host=HOST:port=NUMBER (a colon in it: \\:)")
        options = {name: str(text) for name, text in kwargs.items()}
        for name in options:
            if name not in _OPTIONS:
                raise ValueError(f"modem: has no option {name}; it has {', '.join(_OPTIONS)}")
        for name in ("host", "port"):
            if not options.get(name):
                raise ValueError(f"modem: wants a {name}")
        for name in ("cid", "user", "password"):
            if name in options and "apn" not in options:
                raise ValueError(f"modem: {name} means nothing without apn")
        context = None
        if "apn" in options:
            password = Secret(options["password"]) if "password" in options else None
            cid = _number("cid", options.get("cid", "1"), 1, 5)
            context = Context(options["apn"], cid, options.get("user", ""), password)
        where = str(args[0])
        port = clientFromString(reactor, f"serial:{where}" if where.startswith("/") else where)
        connId = _number("connId", options.get("connId", "1"), 1, 6)
        number = _number("port", options["port"], 1, 65535)
        settings = _settings(options, context.cid if context is not None else 1)
        return ModemClientEndpoint(reactor, port, connId, options["host"], number, context, settings)
