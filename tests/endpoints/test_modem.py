"""Programs of Twisted that reach the Internet through a modem, by an endpoint string."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import ConnectError, ConnectionRefusedError
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent
from twisted.web.iweb import IAgentEndpointFactory
from twisted.web.resource import Resource
from twisted.web.server import Site
from zope.interface import implementer

from atrunproto.endpoints import ModemClientEndpoint, ModemParser, MultitechParser
from atrunproto.testing.emulated import LiveModule
from tests.programs import PATIENCE, freePort
from tests.support import requireProgram

#: what is fetched: octets of every kind, the escape sequence and a result code among them
PAGE = bytes(range(256)) * 2000 + b"\r\n\r\nNO CARRIER\r\n+++" + b"x" * 1000


@implementer(IAgentEndpointFactory)
class ThroughModem:
    """Gives an Agent endpoints by their strings."""

    def __init__(self, port: tuple[str, int], product: str) -> None:
        self.port = port
        self.product = product

    def endpointForURI(self, uri: Any) -> Any:
        """The endpoint of a page."""
        return endpoint(self.port, uri.host.decode("ascii"), uri.port, self.product)


class Body(Protocol):
    """Gathers a body; Twisted's own way to do it wants a TCP transport."""

    def __init__(self, gathered: Deferred[bytes]) -> None:
        self._gathered = gathered
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self._data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is whole."""
        self._gathered.callback(self._data)


TELIT, MULTITECH = "HE910-EUR", "MTCBA-G"
STRINGS = {TELIT: ("modem", "sending=0.1"), MULTITECH: ("multitech", "delay=20")}
"""What a configuration says for a product: the kind of endpoint, and an option."""


def endpoint(port: tuple[str, int], host: str, number: int, product: str = TELIT) -> Any:
    """What a configuration says."""
    at, (kind, option) = f"tcp\\:{port[0]}\\:{port[1]}", STRINGS[product]
    return clientFromString(reactor, f"{kind}:{at}:host={host}:port={number}:apn=internet:{option}")


class PageTests:
    """A web client of Twisted, and a web server on the Internet."""

    timeout = 60
    product = TELIT
    addCleanup: Any
    mktemp: Any

    def setUp(self) -> None:
        """Start the server, and a module that is heard on TCP."""
        self.number = self.serve()
        self.module = LiveModule(self.product)
        self.addCleanup(self.module.close)

    def serve(self) -> int:
        """Have the page served, and give the port."""
        raise NotImplementedError

    def test_page(self) -> Any:
        """A page of half a megabyte comes through the modem as the server has it, twice (TEL-EXA-02, TEL-EXA-07)."""

        async def fetch() -> None:
            agent = Agent.usingEndpointFactory(reactor, ThroughModem(self.module.address(), self.product))
            for _ in range(2):
                response = await agent.request(b"GET", b"http://127.0.0.1:%d/page" % self.number)
                assert response.code == 200
                body: Deferred[bytes] = Deferred()
                response.deliverBody(Body(body))
                assert await body == PAGE
                await self.portIsClosed()

        return Deferred.fromCoroutine(fetch())

    async def portIsClosed(self) -> None:
        """Wait until the modem's port has been left."""
        at = self.module.module.switchboard
        while self.module.call(lambda: any(each.transport is not None for each in instancesOf(at))):
            await deferLater(reactor, 0.05)


class Page(Resource):
    """The page, whatever is asked for."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        """Give it."""
        return PAGE


class TwistedWebTest(PageTests, TestCase):
    """The server is Twisted's."""

    def serve(self) -> int:
        """Start a site in this process."""
        site: Any = Site(Page())
        port: Any = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port
        return number


@requireProgram("nginx")
class NginxTest(PageTests, TestCase):
    """The server is nginx."""

    def serve(self) -> int:
        """Start nginx."""
        folder = Path(self.mktemp())
        (folder / "logs").mkdir(parents=True)
        (folder / "page").write_bytes(PAGE)
        folder.chmod(0o755)
        number = freePort()
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder.resolve()}/pid; error_log stderr;\n"
            "events {}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{number}; root {folder.resolve()}; }} }}\n"
        )
        program = shutil.which("nginx")
        assert program is not None
        nginx = subprocess.Popen(
            [program, "-p", str(folder.resolve()), "-c", "nginx.conf", "-e", "stderr"], stderr=subprocess.DEVNULL
        )
        self.addCleanup(nginx.wait, PATIENCE)
        self.addCleanup(nginx.terminate)
        end = time.monotonic() + PATIENCE
        while not (folder / "pid").exists() and time.monotonic() < end:
            time.sleep(0.02)
        return number


class MultitechTwistedWebTest(TwistedWebTest):
    """The server is Twisted's, the modem Multi-Tech's."""

    product = MULTITECH


@requireProgram("nginx")
class MultitechNginxTest(NginxTest):
    """The server is nginx, the modem Multi-Tech's."""

    product = MULTITECH


def instancesOf(switchboard: Any) -> list[Any]:
    """The AT instances that are in use."""
    found: list[Any] = []
    switchboard.forEach(found.append)
    return found


class RefusalTest(TestCase):
    """A host that isn't there."""

    timeout = 60

    def refused(self, product: str, error: type[Exception]) -> Any:
        """Connect."""
        module = LiveModule(product)
        self.addCleanup(module.close)
        connected = connectProtocol(endpoint(module.address(), "127.0.0.1", freePort(), product), Protocol())
        return self.assertFailure(connected, error)

    def test_refused(self) -> Any:
        """A refused connection fails as it would without a modem."""
        return self.refused(TELIT, ConnectionRefusedError)

    def test_refusedByMultitech(self) -> Any:
        """A modem that doesn't tell why gives the general error."""
        return self.refused(MULTITECH, ConnectError)


def test_device() -> None:
    """The port may be the path of a serial device."""
    given = {"host": "example.org", "port": "80", "apn": "internet", "user": "me", "password": "x", "cid": "2"}
    assert isinstance(
        ModemParser().parseStreamClient(MemoryReactorClock(), "/dev/ttyUSB0", **given), ModemClientEndpoint
    )


@pytest.mark.parametrize(
    ("args", "options", "message"),
    [
        ((), {}, "modem: wants one port"),
        (("tcp:a:1", "b"), {}, "modem: wants one port"),
        (("tcp:a:1",), {"speed": "1"}, "modem: has no option speed; it has host, port"),
        (("tcp:a:1",), {"port": "1"}, "modem: wants a host"),
        (("tcp:a:1",), {"host": "a"}, "modem: wants a port"),
        (("tcp:a:1",), {"host": "a", "port": "http"}, "modem: port is a number from 1 to 65535, not http"),
        (("tcp:a:1",), {"host": "a", "port": "1", "connId": "7"}, "modem: connId is a number from 1 to 6, not 7"),
        (("tcp:a:1",), {"host": "a", "port": "1", "user": "me"}, "modem: user means nothing without apn"),
        (("tcp:a:1",), {"host": "a", "port": "1", "idle": "1.5"}, "modem: idle is a number from 0 to 65535, not 1.5"),
        (("tcp:a:1",), {"host": "a", "port": "1", "sending": "26"}, "modem: sending is seconds from 0 to 25.5, not 26"),
        (
            ("tcp:a:1",),
            {"host": "a", "port": "1", "sending": "nan"},
            "modem: sending is seconds from 0 to 25.5, not nan",
        ),
        (
            ("tcp:a:1",),
            {"host": "a", "port": "1", "connecting": "x"},
            "modem: connecting is seconds from 1 to 120, not x",
        ),
    ],
)
def test_wrong(args: tuple[str, ...], options: dict[str, str], message: str) -> None:
    """A wrong string is refused with the name of the option and what it may be."""
    with pytest.raises(ValueError, match=re.escape(message)):
        ModemParser().parseStreamClient(MemoryReactorClock(), *args, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connId": "1"}, "multitech: has no option connId; it has host, port, socket"),
        ({"socket": "3"}, "multitech: socket is a number from 1 to 2, not 3"),
        ({"stack": "4"}, "multitech: stack is 2.00, 2.10, 3.02, not 4"),
        ({"delay": "x"}, "multitech: delay is a number from 0 to 32760, not x"),
        ({"password": "x"}, "multitech: password means nothing without apn"),
    ],
)
def test_wrongOfMultitech(options: dict[str, str], message: str) -> None:
    """The options of the other make are checked as well."""
    with pytest.raises(ValueError, match=re.escape(message)):
        MultitechParser().parseStreamClient(MemoryReactorClock(), "tcp:a:1", host="a", port="1", **options)
