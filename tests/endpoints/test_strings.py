"""The endpoint strings themselves: what they may say, and what is said when they are wrong."""

from __future__ import annotations

import re

import pytest
from twisted.internet.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser
from twisted.internet.testing import MemoryReactorClock
from zope.interface.verify import verifyObject

from atrunproto.endpoints import PtyParser, SerialClientEndpoint, SerialParser, SerialSettings


@pytest.mark.parametrize("parser", [PtyParser(), SerialParser()])
def test_interfaces(parser: PtyParser | SerialParser) -> None:
    """The parsers are what Twisted looks for, for servers and for clients."""
    verifyObject(IStreamServerEndpointStringParser, parser)
    verifyObject(IStreamClientEndpointStringParserWithReactor, parser)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, SerialSettings("/dev/ttyS0", baudrate=115200)),
        (
            {"baudrate": "9600", "bytesize": "7", "parity": "e", "stopbits": "1.5", "rtscts": "1", "xonxoff": "0"},
            SerialSettings("/dev/ttyS0", 9600, 7, "E", 1.5, True, False),
        ),
    ],
)
def test_settings(options: dict[str, str], settings: SerialSettings) -> None:
    """A serial device is opened as its string says, else at 115200, eight bits, no parity, 1 stop bit (MTS-SER-06)."""
    endpoint = SerialParser().parseStreamClient(MemoryReactorClock(), "/dev/ttyS0", **options)
    assert isinstance(endpoint, SerialClientEndpoint)
    assert endpoint._settings == settings


@pytest.mark.parametrize(
    ("parser", "args", "options", "message"),
    [
        (PtyParser(), (), {}, "pty: wants one path"),
        (PtyParser(), ("",), {}, "pty: wants one path"),
        (PtyParser(), ("a", "b"), {}, "pty: wants one path"),
        (PtyParser(), ("a",), {"baudrate": "9600"}, "pty: has no option baudrate; it has none"),
        (SerialParser(), (), {}, "serial: wants one device"),
        (SerialParser(), ("a",), {"speed": "1"}, "serial: has no option speed; it has baudrate, bytesize"),
        (SerialParser(), ("a",), {"baudrate": "fast"}, "serial: baudrate is a number such as 115200, not fast"),
        (SerialParser(), ("a",), {"baudrate": "0"}, "serial: baudrate is a number such as 115200, not 0"),
        (SerialParser(), ("a",), {"bytesize": "9"}, "serial: bytesize is 5, 6, 7 or 8, not 9"),
        (SerialParser(), ("a",), {"parity": "X"}, "serial: parity is N, E, O, M or S, not X"),
        (SerialParser(), ("a",), {"stopbits": "3"}, "serial: stopbits is 1, 1.5 or 2, not 3"),
        (SerialParser(), ("a",), {"rtscts": "yes"}, "serial: rtscts is 0 or 1, not yes"),
        (SerialParser(), ("a",), {"xonxoff": ""}, "serial: xonxoff is 0 or 1, not "),
    ],
)
def test_wrong(parser: PtyParser | SerialParser, args: tuple[str, ...], options: dict[str, str], message: str) -> None:
    """A wrong string is refused with the name of the option and what it may be."""
    for parse in (parser.parseStreamServer, parser.parseStreamClient):
        with pytest.raises(ValueError, match=re.escape(message)):
            parse(MemoryReactorClock(), *args, **options)
