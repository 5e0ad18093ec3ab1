"""Names of hosts: who is asked, what is remembered, and what a command makes of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns
from twisted.names.error import DomainError
from twisted.names.server import DNSServerFactory

from atrunproto.emulator import names
from atrunproto.emulator.names import CACHED, UNTOLD, Found
from atrunproto.testing.emulated import LiveModule, MemoryModule, Wire
from tests.tcpatrun.service import Service

#: addresses on which name servers of these tests answer, or nobody does
DEAD, FIRST, SECOND = "127.0.0.61", "127.0.0.62", "127.0.0.63"


class Zone:
    """A name server that knows one host by two names.

    @ivar asked: the names asked for.
    """

    def __init__(self, address: str) -> None:
        self.asked: list[bytes] = []
        self._address = address

    def query(self, query: Any, timeout: object = None) -> Deferred[Any]:
        """Answer; an unknown host is none."""
        self.asked.append(query.name.name)
        host = dns.RRHeader(b"host.example", dns.A, dns.IN, 40, dns.Record_A(self._address, 40))
        if query.name.name == b"host.example":
            return succeed(([host], [], []))
        if query.name.name == b"www.example":
            alias = dns.RRHeader(b"www.example", dns.CNAME, dns.IN, 20, dns.Record_CNAME(b"host.example", 20))
            return succeed(([alias, host], [], []))
        if query.name.name == b"mail.example":
            return succeed(([], [], []))
        return fail(DomainError(query.name.name))


class NameServers:
    """Name servers that are put up on loopback, all on one port, for a live module to ask."""

    def __init__(self, module: LiveModule) -> None:
        self._module = module
        self._ports: list[Any] = []

    def serve(self, address: str, known: str) -> Zone:
        """Put up a name server."""
        zone = Zone(known)
        network = self._module.network
        reactor: Any = network.reactor
        protocol = dns.DNSDatagramProtocol(DNSServerFactory(clients=[zone]))
        port = self._ports[0].getHost().port if self._ports else 0
        self._ports.append(self._module.call(reactor.listenUDP, port, protocol, address))
        network.namePort = self._ports[0].getHost().port
        return zone

    def close(self) -> None:
        """Take all away."""
        for port in self._ports:
            self._module.call(port.stopListening)


class Place:
    """A live module, with name servers that are put up on loopback."""

    def __init__(self) -> None:
        self.module = LiveModule()
        self._servers = NameServers(self.module)
        self.serve = self._servers.serve
        self._line = socket.create_connection(self.module.address(), 20)

    def do(self, line: str) -> list[str]:
        """Run a command line; give its answer."""
        self._line.sendall(line.encode() + b"\r")
        heard = b""
        while not heard.rstrip().endswith((b"OK", b"ERROR", b"NO CARRIER")) and b"+CME" not in heard:
            heard += self._line.recv(1000)
        return [each for each in heard.decode().split("\r\n") if each and line not in each]

    def ask(self, *servers: str, name: str = "host.example") -> Found:
        """Ask name servers directly."""
        network = self.module.network
        found = self.module.call(network.askServers, servers, name)
        assert isinstance(found, Found)
        return found

    def close(self) -> None:
        """Take all away."""
        self._servers.close()
        self._line.close()
        self.module.close()


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A live module with a defined context; name servers get little time."""
    monkeypatch.setattr(names, "PATIENCE", (0.2, 0.4))
    made = Place()
    made.do('ATE0;+CMEE=1;+CGDCONT=1,"IP","x"')
    try:
        yield made
    finally:
        made.close()


def test_primary(place: Place) -> None:
    """While the primary name server answers, the secondary isn't asked."""
    place.serve(FIRST, "10.0.0.1")
    second = place.serve(SECOND, "10.0.0.2")
    assert place.do(f'AT#DNS=1,"{FIRST}","{SECOND}"') == ["OK"]
    assert place.do('AT#QDNS="host.example"') == ['#QDNS: "host.example","10.0.0.1"', "OK"]
    assert second.asked == []


def test_secondary(place: Place) -> None:
    """When the primary name server is dead, the secondary answers."""
    second = place.serve(SECOND, "10.0.0.2")
    place.do(f'AT#DNS=1,"{DEAD}","{SECOND}"')
    assert place.do('AT#QDNS="host.example"') == ['#QDNS: "host.example","10.0.0.2"', "OK"]
    assert second.asked == [b"host.example"]


def test_nobodyAnswers(place: Place) -> None:
    """When no name server answers, the host can't be resolved: error 558."""
    place.serve(FIRST, "10.0.0.1")
    place.do(f'AT#DNS=1,"{DEAD}","0.0.0.0"')
    assert place.do('AT#QDNS="host.example"') == ["+CME ERROR: 558"]


@pytest.mark.parametrize("name", ["nobody.example", "mail.example", "a..b", "x" * 64 + ".example"])
def test_noSuchHost(place: Place, name: str) -> None:
    """A host that doesn't exist, has no address, or can't be a host's name is error 558."""
    place.serve(FIRST, "10.0.0.1")
    place.do(f'AT#DNS=1,"{FIRST}","0.0.0.0"')
    assert place.do(f'AT#QDNS="{name}"') == ["+CME ERROR: 558"]


def test_timeToLive(place: Place) -> None:
    """An address is good for as long as the name server says, of an alias the shorter of both times."""
    place.serve(FIRST, "10.0.0.1")
    assert place.ask(FIRST) == Found("10.0.0.1", 40)
    assert place.ask(FIRST, name="www.example") == Found("10.0.0.1", 20)


def test_networkServers(place: Place) -> None:
    """Without #DNS the network's name servers are asked for what the network itself doesn't know."""
    zone = place.serve(FIRST, "10.0.0.1")
    place.module.network.nameservers = [FIRST]
    place.module.network.hosts["near.example"] = "10.0.0.9"
    assert place.do('AT#QDNS="near.example"')[0] == '#QDNS: "near.example","10.0.0.9"'
    assert place.do('AT#QDNS="host.example"')[0] == '#QDNS: "host.example","10.0.0.1"'
    assert zone.asked == [b"host.example"]
    place.do("AT#SGACT=1,1")
    assert place.do("AT#NWDNS=1") == [f'#NWDNS: 1,"{FIRST}","0.0.0.0"', "OK"]


def test_socketUsesServers(place: Place) -> None:
    """A socket finds its peer by the name servers of its context, and says 558 where they don't know it."""
    place.serve(FIRST, "127.0.0.1")
    place.do(f'AT#DNS=1,"{FIRST}","0.0.0.0";#SGACT=1,1')
    with socket.create_server(("127.0.0.1", 0)) as peer:
        port = peer.getsockname()[1]
        assert place.do(f'AT#SD=1,0,{port},"host.example",0,0,1') == ["OK"]
        assert place.do(f'AT#SD=2,0,{port},"nobody.example",0,0,1') == ["+CME ERROR: 558"]


# -- in memory


def ready() -> tuple[MemoryModule, Wire]:
    """A module with a defined context that isn't active, and its first port."""
    emulated = MemoryModule()
    at = emulated.port()
    at.execute('AT+CMEE=1;+CGDCONT=1,"IP","x"')
    emulated.network.hosts["host.example"] = "10.0.0.1"
    return emulated, at


def test_contextByItself() -> None:
    """#QDNS activates context 1 when it isn't active, and drops it again; one that is active stays."""
    emulated, at = ready()
    seen: list[str | None] = []
    emulated.module.watchContexts(lambda cid, address: seen.append(address))
    assert at.execute('AT#QDNS="host.example"') == ['#QDNS: "host.example","10.0.0.1"', "OK"]
    assert seen == ["127.0.0.1", None]
    assert at.execute('AT#QDNS="nobody.example"') == ["+CME ERROR: 558"]
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,0", "OK"]
    at.execute("AT#SGACT=1,1")
    at.execute('AT#QDNS="host.example"')
    assert at.execute("AT#SGACT?") == ["#SGACT: 1,1", "OK"]


def test_noContext() -> None:
    """Without a context there is no name service."""
    assert MemoryModule().port().execute('AT#QDNS="10.0.0.1"') == ["ERROR"]


def test_servers() -> None:
    """Name servers are set for a context that is defined and not active, and outlive the power."""
    emulated, at = ready()
    assert at.execute("AT#DNS?") == ['#DNS: 1,"0.0.0.0","0.0.0.0"', "OK"]
    assert at.execute('AT#DNS=1,"0.0.0.0","10.0.0.1"')[0].endswith("ERROR")
    assert at.execute('AT#DNS=1,"10.0.0.x","0.0.0.0"')[0].endswith("ERROR")
    assert at.execute('AT#DNS=2,"10.0.0.1","0.0.0.0"')[0].endswith("ERROR")
    assert at.execute('AT#DNS=1,"10.0.0.1","10.0.0.2"') == ["OK"]
    at.execute("AT#SGACT=1,1")
    assert at.execute('AT#DNS=1,"10.0.0.3","10.0.0.4"')[0].endswith("ERROR")
    emulated.module.powerOff()
    emulated.switchOn()
    assert at.execute("AT#DNS?") == ['#DNS: 1,"10.0.0.1","10.0.0.2"', "OK"]
    assert at.execute("AT#DNS=?") == ["#DNS: (0-5),,", "OK"]


def cached(at: Wire) -> list[str]:
    """The names in the cache."""
    return at.execute("AT#CACHEDNS=?")[0].removeprefix("#CACHEDNS: ").split(",")[:-2:2]


def test_cache() -> None:
    """While the cache is on, a name is asked for once in its time to live; 0 forgets it at once."""
    emulated, at = ready()

    def ask() -> str:
        return at.execute('AT#QDNS="Host.example"')[0].split(",")[1]

    assert at.execute("AT#CACHEDNS?;#CACHEDNS=1") == ["#CACHEDNS: 0", "OK"]
    emulated.network.hosts["Host.example"] = "10.0.0.1"
    assert ask() == '"10.0.0.1"'
    emulated.network.hosts["Host.example"] = "10.0.0.2"
    assert ask() == '"10.0.0.1"'
    assert at.execute("AT#CACHEDNS=?") == ["#CACHEDNS: host.example,10.0.0.1,(0,1)", "OK"]
    emulated.advance(UNTOLD)
    assert cached(at) == []
    assert ask() == '"10.0.0.2"'
    emulated.network.hosts["Host.example"] = "10.0.0.3"
    at.execute("AT#CACHEDNS=0")
    assert ask() == '"10.0.0.3"'
    assert cached(at) == []


def test_leastRecentlyUsed() -> None:
    """The cache keeps eight names; the one that was used least recently goes."""
    emulated, at = ready()
    at.execute("AT#CACHEDNS=1;#SGACT=1,1")
    hosts = [f"h{number}" for number in range(CACHED + 1)]
    emulated.network.hosts.update((host, "10.0.0.1") for host in hosts)
    for host in [*hosts[:CACHED], "h0", hosts[CACHED]]:
        at.execute(f'AT#QDNS="{host}"')
    assert cached(at) == [*hosts[2:CACHED], "h0", hosts[CACHED]]


def test_failureIsNotRemembered() -> None:
    """A host that couldn't be found is asked for again."""
    emulated, at = ready()
    at.execute("AT#CACHEDNS=1")
    assert at.execute('AT#QDNS="new.example"') == ["+CME ERROR: 558"]
    emulated.network.hosts["new.example"] = "10.0.0.7"
    assert at.execute('AT#QDNS="new.example"')[-1] == "OK"


@pytest.mark.parametrize(("instance", "cid", "answer"), [(1, 2, "OK"), (1, 1, "ERROR"), (2, 2, "ERROR")])
def test_overTheService(instance: int, cid: int, answer: str) -> None:
    """Over TCPATRUN it needs the service on instance 1, on another context than 1 (TEL-NOT-02, TEL-NOT-03)."""
    service = Service(comesBack=False)
    service.emulated.network.hosts["host.example"] = "10.0.0.1"
    if cid == 2:
        service.do('AT+CGDCONT=2,"IP","other"', "AT#SCFG=4,2,300,0,600,1", "AT#SGACT=1,0", "AT#SGACT=2,1")
    local = service.emulated.port(3)
    service.configure(f'{4 if cid == 2 else 1},{instance},1024,12345,"127.0.0.1",1,5,0,0,2')
    assert local.execute("AT#TCPATRUNL=1") == ["OK"]
    wire = service.login()
    assert wire.execute('AT#QDNS="host.example"')[-1] == answer


def test_upperAndLowerCase() -> None:
    """A host that the network knows is found in whatever letters its name is typed (TEL-SD-02)."""
    emulated = MemoryModule("HE910-EUR")
    emulated.module.network.hosts = {"Mail.Example": "127.0.0.9"}
    at = emulated.port()
    assert at.execute('AT+CGDCONT=1,"IP","internet"') == ["OK"]
    assert at.execute('AT#QDNS="mail.EXAMPLE"') == ['#QDNS: "mail.EXAMPLE","127.0.0.9"', "OK"]
