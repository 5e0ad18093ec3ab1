"""
The parsers of the endpoint strings C{pty:...} and C{serial:...}.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import (
    IReactorCore,
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

from atrunproto.endpoints._pty import PtyServerEndpoint
from atrunproto.endpoints._serial import SerialClientEndpoint, SerialServerEndpoint, SerialSettings
from atrunproto.endpoints._tty import ITTYReactor


def _onlyArgument(prefix: str, meaning: str, args: tuple[object, ...]) -> str:
    """
    The one argument of an endpoint string.

    @raise ValueError: there is none, an empty one, or more.
    """
    if len(args) != 1 or not args[0]:
        raise ValueError(f"{prefix}: wants one {meaning}, as {prefix}:{meaning.upper()} (a colon in it is written \\:)")
    return str(args[0])


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


_SWITCH: dict[str, object] = {"0": False, "1": True}

_OPTIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "baudrate": ("a number such as 115200", _positive),
    "bytesize": ("5, 6, 7 or 8", {"5": 5, "6": 6, "7": 7, "8": 8}.__getitem__),
    "parity": ("N, E, O, M or S", {letter: letter for letter in "NEOMS"}.__getitem__),
    "stopbits": ("1, 1.5 or 2", {"1": 1, "1.5": 1.5, "2": 2}.__getitem__),
    "rtscts": ("0 or 1", _SWITCH.__getitem__),
    "xonxoff": ("0 or 1", _SWITCH.__getitem__),
}
"""What each option of C{serial:} may be, in words, and its reader."""


def _settings(args: tuple[object, ...], options: dict[str, object]) -> SerialSettings:
    """
    The settings that a C{serial:} string asks for.

    @raise ValueError: with the option's name and its legal values.
    """
    device = _onlyArgument("serial", "device", args)
    values: dict[str, Any] = {}
    for name, text in options.items():
        if name not in _OPTIONS:
            raise ValueError(f"serial: has no option {name}; it has {', '.join(_OPTIONS)}")
        legal, read = _OPTIONS[name]
        try:
            values[name] = read(str(text).upper())
        except (ValueError, KeyError):
            raise ValueError(f"serial: {name} is {legal}, not {text}") from None
    return SerialSettings(device, **values)


@implementer(IPlugin, IStreamServerEndpointStringParser, IStreamClientEndpointStringParserWithReactor)
class PtyParser:
    """
    C{pty:PATH}: a server makes the terminal, a client opens it.
    """

    prefix = "pty"

    def _path(self, args: tuple[object, ...], options: dict[str, object]) -> str:
        if options:
            raise ValueError(f"pty: has no option {next(iter(options))}; it has none")
        return os.path.abspath(_onlyArgument("pty", "path", args))

    def parseStreamServer(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamServerEndpoint:
        """
        An endpoint that makes a terminal with a link to it.
        """
        return PtyServerEndpoint(cast(ITTYReactor, reactor), self._path(args, kwargs))

    def parseStreamClient(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        An endpoint that opens a terminal; its speed means nothing.
        """
        return SerialClientEndpoint(cast(ITTYReactor, reactor), SerialSettings(self._path(args, kwargs)))


@implementer(IPlugin, IStreamServerEndpointStringParser, IStreamClientEndpointStringParserWithReactor)
class SerialParser:
    """
    C{serial:DEVICE[:baudrate=115200][:bytesize=8][:parity=N][:stopbits=1][:rtscts=0][:xonxoff=0]}.
    """

    prefix = "serial"

    def parseStreamServer(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamServerEndpoint:
        """
        An endpoint that puts a protocol on the device each time that it is there.
        """
        return SerialServerEndpoint(cast(ITTYReactor, reactor), _settings(args, kwargs))

    def parseStreamClient(self, reactor: IReactorCore, *args: object, **kwargs: object) -> IStreamClientEndpoint:
        """
        An endpoint that opens the device.
        """
        return SerialClientEndpoint(cast(ITTYReactor, reactor), _settings(args, kwargs))
