"""
The packet network of a dialogue: access points, name servers, and who answers echo requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol
from twisted.names import dns

from atrunproto.at.results import CME
from atrunproto.emulator.names import Found
from atrunproto.emulator.network import AccessPoint, Network
from atrunproto.secret import Secret
from atrunproto.testing.dialogue import Fact
from atrunproto.testing.replaying.ports import closed

_NAME_PORT: Final = 5300
"""Where all name servers are: below 1024 not every user may listen."""

_LOGIN: Final = re.compile("apn|user|password|login|credentials|authentication", re.IGNORECASE)
"""What shows that a context is refused for the access point or the login."""

_NOBODY: Final = "127.80.0.254"
"""A name server that isn't there."""


class ClosedNetwork(Network):
    """
    A network in which there is what a dialogue says, and nothing of the world outside.
    """

    def lookUp(self, name: str) -> Deferred[Found]:
        """The address of a host; nobody outside is asked for it."""
        isKnown = bool(self.nameservers) or name.lower() in map(str.lower, self.hosts)
        return super().lookUp(name) if isKnown else fail(DNSLookupError(name))


class Internet:
    """
    What a dialogue says of the packet network.
    """

    def __init__(self, reactor: Any, network: Network) -> None:
        self._reactor = reactor
        self._network = network
        self._servers: dict[str, NameServer] = {}
        self._isOperatorTold = False
        self._listening: list[IListeningPort] = []
        self._facts: dict[str, Callable[[dict[str, str]], None]] = {
            "apn": self._accessPoint,
            "gprs rejects": self._rejects,
            "dns": self._name,
            "dns silent": self._silent,
            "dns-server": self._server,
            "operator-dns": self._operator,
            "ping": self._echoes,
        }

    def take(self, fact: Fact) -> None:
        """Make a fact true, if it is one about this."""
        made = self._facts.get(fact.word)
        if made is not None:
            made(dict(fact.values))

    def start(self) -> None:
        """
        Let the name servers listen. Where nothing is said of the operator's, those that are there are others' (A).

        @raise CannotListenError: an address is in use.
        """
        if self._servers and not self._isOperatorTold:
            self._network.givesNameServers = False
        for address, server in self._servers.items():
            self._listening.append(self._reactor.listenUDP(_NAME_PORT, server, interface=address))

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let contexts be activated by any access point meanwhile."""
        network = self._network
        points, rejects, refusal = network.accessPoints, network.rejects, network.refusal
        network.accessPoints, network.rejects, network.refusal = {}, set(), None
        try:
            yield
        finally:
            network.accessPoints, network.rejects, network.refusal = points, rejects, refusal

    def stop(self) -> list[Deferred[None]]:
        """End them; what is given fires when nobody listens any more."""
        return list(map(closed, self._listening))

    def _accessPoint(self, values: dict[str, str]) -> None:
        name, _, rest = values["text"].partition(" ")
        login = dict(re.findall(r"(user|password)=(\S+)", rest))
        late = re.search(r"activates after (\d+) s", rest)
        self._network.accessPoints[name] = AccessPoint(
            login.get("user", ""), Secret(login.get("password", "")), float(late[1]) if late else 0.0
        )

    def _rejects(self, values: dict[str, str]) -> None:
        kind, _, name = values["text"].partition(" ")
        if kind == "apn" and name:
            self._network.rejects.add(name)
        else:
            self._network.refusal = CME[567] if _LOGIN.search(values["text"]) else CME[555]

    def _name(self, values: dict[str, str]) -> None:
        self._isOperatorTold = True
        self._network.hosts[values["name"].lower()] = values["address"]

    def _silent(self, values: dict[str, str]) -> None:
        self._isOperatorTold = True
        self._network.hosts = {}
        self._network.nameservers, self._network.namePort = [_NOBODY], _NAME_PORT

    def _server(self, values: dict[str, str]) -> None:
        self._network.namePort = _NAME_PORT
        words = values.get("text", "").split()
        if words != ["silent"]:
            server = self._servers.setdefault(values["address"], NameServer())
            server.hosts.update(zip(map(str.lower, words[::2]), words[1::2], strict=False))

    def _operator(self, values: dict[str, str]) -> None:
        self._isOperatorTold = True
        given = [values[key] for key in ("address", "second") if key in values]
        self._network.givesNameServers = bool(given)
        self._network.nameservers, self._network.namePort = given, _NAME_PORT

    def _echoes(self, values: dict[str, str]) -> None:
        text = values.get("text") or ""
        lost = None if text == "silent" else frozenset(map(int, re.findall(r"\d+", text)))
        self._network.echoes[values["address"]] = lost


class NameServer(DatagramProtocol):
    """
    A name server that knows a few names, and of all others that there are none.

    @ivar hosts: names, in lower case, to addresses.
    """

    noisy = False

    def __init__(self) -> None:
        self.hosts: dict[str, str] = {}

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Answer a question."""
        message: Any = dns.Message()
        message.fromStr(datagram)
        message.answer = True
        for query in message.queries:
            address = self.hosts.get(str(query.name).lower())
            if address is None:
                message.rCode = dns.ENAME
            elif query.type == dns.A:
                record = dns.RRHeader(str(query.name), dns.A, dns.IN, 60, dns.Record_A(address, 60))
                message.answers.append(record)
        assert self.transport is not None
        self.transport.write(message.toStr(), addr)
