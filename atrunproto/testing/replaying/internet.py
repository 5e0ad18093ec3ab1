"""
The packet network of a dialogue: access points, name servers, and who answers echo requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol
from twisted.names import dns

from atrunproto.at.results import CME
from atrunproto.emulator.network import AccessPoint, Network
from atrunproto.secret import Secret
from atrunproto.testing.dialogue import Fact
from atrunproto.testing.replaying.ports import closed

_NAME_PORT: Final = 5300
"""Where all name servers are: below 1024 not every user may listen."""

_NOBODY: Final = "127.80.0.254"
"""A name server that isn't there."""


class Internet:
    """
    What a dialogue says of the packet network.
    """

    def __init__(self, reactor: Any, network: Network) -> None:
        self._reactor = reactor
        self._network = network
        self._servers: dict[str, NameServer] = {}
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
        Let the name servers listen.

        @raise CannotListenError: an address is in use.
        """
        for address, server in self._servers.items():
            self._listening.append(self._reactor.listenUDP(_NAME_PORT, server, interface=address))

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
        if kind == "apn":
            self._network.rejects.add(name)
        else:
            self._network.refusal = CME[555]

    def _name(self, values: dict[str, str]) -> None:
        self._network.hosts[values["name"]] = values["address"]

    def _silent(self, values: dict[str, str]) -> None:
        self._network.hosts = {}
        self._network.nameservers, self._network.namePort = [_NOBODY], _NAME_PORT

    def _server(self, values: dict[str, str]) -> None:
        self._network.namePort = _NAME_PORT
        text = values["text"] or ""
        if text != "silent":
            server = self._servers.setdefault(values["address"], NameServer())
            if text != "no-such-name":
                name, address = text.split()
                server.hosts[name.lower()] = address

    def _operator(self, values: dict[str, str]) -> None:
        address = values["address"]
        self._network.givesNameServers = address != "none"
        self._network.nameservers = [] if address == "none" else [address]
        self._network.namePort = _NAME_PORT

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
