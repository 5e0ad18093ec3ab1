"""
The emulated module of a dialogue, in a network of its own, with real ports and the peers round it.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import Factory

from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import AddressPool, Cell
from atrunproto.emulator.products import PRODUCTS
from atrunproto.endpoints import PtyServerEndpoint, SerialClientEndpoint, SerialSettings
from atrunproto.ipeasy.listening import NOBODY, attachFilter
from atrunproto.ipeasy.module import SOCKETS, SocketTable
from atrunproto.ipeasy.sockets import Status
from atrunproto.multitech.connection import Connection
from atrunproto.testing.dialogue import Dialogue, Event, Fact
from atrunproto.testing.quietclock import QuietClock
from atrunproto.testing.replaying import support
from atrunproto.testing.replaying.casting import productFor
from atrunproto.testing.replaying.ftpscript import Script
from atrunproto.testing.replaying.internet import ClosedNetwork, Internet
from atrunproto.testing.replaying.mailservers import MailServers
from atrunproto.testing.replaying.peers import Peers
from atrunproto.testing.replaying.player import NotSupported
from atrunproto.testing.replaying.ports import Port, Wire, closed, counted
from atrunproto.transparent.datagrams import UDPSocket
from atrunproto.transparent.sockets import TCPSockets

READY_LIMIT: Final = 60.0
"""Seconds of module time that a module may take from power-on until it is registered."""

STARTING: Final = 10.0
"""Seconds of module time that a module which is registered again may take for what starts by itself."""

ECHO_LIMIT: Final = 5.0
"""Seconds of module time for the answer to the command that sets the echo."""

_POOL: Final = "127.99.0.1/24"
"""The addresses of contexts: on loopback, where nothing else is likely to listen."""

_MOBILE: Final = "mobile"
"""The module that is a remote mobile."""

_AT_PORTS: Final = {"at1": ("", 1), "at2": ("", 2), "at3": ("", 3), "b.at1": ("b", 1), "sms": (_MOBILE, 1)}
"""Which module and which instance an AT port is."""

_MOBILE_PRODUCT: Final = "GE865-QUAD"
"""What the mobile is that a dialogue calls C{sms}: its messages lie on the SIM, as the dialogues show them."""

_APN: Final = "internet"
"""The access point of a connection that is there before a dialogue begins."""

_IMEI: Final = ("356938035643809", "490154203237518", "351234567890124")


_WITHOUT_NETWORK: Final = ("not registered", "sim pin")
"""Facts under which no module registers before something is done about it."""

_LISTENING: Final = str(int(Status.LISTENING))
"""How #SS shows a socket that listens."""

_SERVICE_PORT: Final = 2
_HOST_PORT: Final = 3
"""Parameters of #TCPATRUNCFG: where the service listens, and where the host of client mode does."""


class _Module(EmulatedModule):
    """
    An emulated module that counts how often it went down.
    """

    downs = 0

    def powerOff(self) -> None:
        """Go down."""
        self.downs += self.isRunning
        super().powerOff()


class EmulatedSurroundings:
    """
    A module, if need be up to three, with their network, ports and peers, for one dialogue.
    """

    def __init__(self, reactor: Any, dialogue: Dialogue, echo: bool) -> None:
        """
        @param echo: leave the echo of the AT ports on.
        @raise NotSupported: there is no product that the dialogue would be for.
        """
        product = productFor(dialogue.product)
        if product is None:
            raise NotSupported(f"no product is emulated for {dialogue.product!r}")
        self.quiet = QuietClock(reactor)
        self._reactor = reactor
        self._echo = echo
        self._names = list(dict.fromkeys(_atPorts(dialogue)))
        self._ports: dict[str, Port] = {}
        self._listening: list[IListeningPort] = []
        self._folder = tempfile.TemporaryDirectory(prefix="atrunproto-")
        self._peers = Peers(reactor, self.quiet, dialogue, Path(self._folder.name, "ftp"))
        self._network = ClosedNetwork(reactor, AddressPool(_POOL), hosts=self._peers.hosts, clock=self.quiet.clock)
        self._internet = Internet(reactor, self._network)
        self.mail = MailServers(reactor, self._peers.address)
        self._modules = {
            name: _Module(
                PRODUCTS[_MOBILE_PRODUCT] if name == _MOBILE else product,
                self._network,
                self.quiet.clock,
                imei=_IMEI[index],
                number=f"+39000000000{index}",
            )
            for index, name in enumerate(dict.fromkeys(_AT_PORTS[port][0] for port in self._names))
        }
        self._module = self._modules[""]
        self._downs = 0
        self._target = ""
        self._detached = False
        self._linked = False
        self._doing = ""
        self._registers = not any(fact.word in _WITHOUT_NETWORK for fact in dialogue.facts)
        if self._module.settings.has("+WOPEN"):
            self._module.settings.set("+WOPEN", (1,))
        for fact in dialogue.facts:
            self._make(fact)

    def _make(self, fact: Fact) -> None:
        """Make a fact true, unless the peers do."""
        values, operators = fact.values, self._network.operators
        if fact.word == "operator":
            operators[0] = replace(operators[0], name=values["name"])
        elif fact.word == "cells":
            operators[0] = replace(operators[0], cells=_cells(operators[0].cells, int(values["count"])))
        elif fact.word == "number module":
            self._module.number = values["msisdn"]
        elif fact.word == "number mobile" and _MOBILE in self._modules:
            self._modules[_MOBILE].number = values["msisdn"]
        elif fact.word == "smsc":
            self._network.centre.number = values["msisdn"]
        elif fact.word == "ip":
            self._network.assigned[self._module, int(values["cid"])] = values["address"]
        elif fact.word == "stack closed":
            self._module.settings.set("+WOPEN", (0,))
        elif fact.word == "not registered":
            self._network.inService = False
        elif fact.word == "sim pin":
            self._module.sim.pin = values["pin"]
        elif fact.word == "packet service detached":
            self._detached = True
        elif fact.word == "link gprs":
            self._linked = True
        elif fact.word == "now:":
            self._doing = support.doing(values["text"])
        else:
            self._internet.take(fact)
            self.mail.take(fact)

    async def start(self) -> None:
        """Let the peers listen, switch on, attach the ports, and set the echo."""
        self._peers.start()
        self._internet.start()
        self.mail.start()
        for module in self._modules.values():
            module.powerOn()
        await self.quiet.advance(READY_LIMIT, lambda: all(map(self._isUp, self._modules.values())))
        if self._detached:
            self._module.radio.attachWanted = False
            self._module.radio.changed()
        if self._linked or self._doing == support.ENDING:
            await self._connect()
        for name in self._names:
            await self._attach(name)
        for port in self._ports.values():
            port.send(b"ATE1\r" if self._echo else b"ATE0\r")
            await self.quiet.advance(ECHO_LIMIT, partial(_hasOK, port))
            await self.quiet.settle()
            port.stream.clear()
        if self._doing == support.ENDING:
            self._module.part(Connection).stop(self._module.instance(1))
        elif self._doing == support.STARTING:
            with self._internet.open():
                self._startConnection()

    def _startConnection(self) -> Connection:
        """Begin a connection to the Internet, by an access point that nobody has told the modem."""
        settings, connection = self._module.settings, self._module.part(Connection)
        settings.set("#APNSERV", (_APN,))
        connection.start(self._module.instance(1))
        settings.remove("#APNSERV", None)
        return connection

    async def _connect(self) -> None:
        """Have a modem connected to the Internet, as somebody did before the dialogue begins."""
        with self._internet.open():
            connection = self._startConnection()
            await self.quiet.advance(READY_LIMIT, lambda: connection.address is not None)

    async def _attach(self, name: str) -> None:
        which, number = _AT_PORTS[name]
        port = self._ports[name] = Port(name, self.quiet)
        port.stream.isEchoing = self._echo
        factory = counted(self._modules[which].portFactory(number), port, self.quiet)
        end: IStreamClientEndpoint
        if number == 1:
            path = os.path.join(self._folder.name, name)
            self._listening.append(await PtyServerEndpoint(self._reactor, path).listen(factory))
            end = SerialClientEndpoint(self._reactor, SerialSettings(path))
        else:
            listening = await TCP4ServerEndpoint(self._reactor, 0, interface="127.0.0.1").listen(factory)
            self._listening.append(listening)
            end = TCP4ClientEndpoint(self._reactor, "127.0.0.1", listening.getHost().port)
        await end.connect(Factory.forProtocol(lambda: Wire(port)))

    async def stop(self) -> None:
        """Take the power and everything else away."""
        for module in self._modules.values():
            module.powerOff()
        for port in self._ports.values():
            port.stop()
        ends = [
            self._network.close(),
            *self._internet.stop(),
            *self.mail.stop(),
            *self._peers.stop(),
            *map(closed, self._listening),
        ]
        await gatherResults(ends)
        await self.quiet.settle()
        self._folder.cleanup()

    def port(self, name: str) -> Port:
        """An end of the dialogue."""
        return self._ports[name] if name in _AT_PORTS else self._peers.port(name)

    def connect(self, peer: Port, event: Event) -> None:
        """
        Let a peer connect: to the port number that the dialogue names, the run-AT service, or what else listens; with
        UDP also to where the module speaks from.
        """
        rows = list(self._sockets())
        number = int(event.values.get("number", 0)) or (self._service(_SERVICE_PORT) if peer.name == "tcp" else 0)
        number = number or next((int(row[3]) for row in rows if row[1] == _LISTENING), 0)
        number = number or self._listener("udp" in event.values)
        speaker = self._peers.speaker if "udp" in event.values and not number else None
        if not number and speaker is None:
            raise NotSupported(f"no socket listens to which {peer.name} could connect")
        self._target = next((row[2] for row in rows if row[3:4] == [str(number)]), self._target)
        host = self._target or next(filter(None, map(self._module.address, range(6))), "127.0.0.1")
        self._peers.connect(peer, event, *(speaker or (host, number)))

    def _listener(self, isUDP: bool) -> int:
        """The port number at which a Multi-Tech modem waits for a peer; 0 where it doesn't."""
        settings, name = self._module.settings, "#UDPPORT" if isUDP else "#TCPPORT"
        listeners = self._module.part(UDPSocket if isUDP else TCPSockets).listeners if settings.has(name) else ()
        return int(settings.value(name, listeners[0].socket)) if listeners else 0

    def _sockets(self) -> Iterator[list[str]]:
        """The rows of the sockets, as #SS shows them."""
        sockets = self._module.part(SocketTable)
        return (sockets.describe(connId).split(",") for connId in range(1, SOCKETS + 1))

    def _service(self, which: int) -> int:
        """A parameter of the run-AT service; 0 where the product has none."""
        if not self._module.product.hasRunAT:
            return 0
        return int(self._module.settings.get("#TCPATRUNCFG")[which])

    def listen(self, peer: Port) -> None:
        """Let a peer wait for the module; the host of client mode where its parameters say, unless the header does."""
        self._peers.listen(peer, self._service(_HOST_PORT))

    def unlisten(self, peer: Port) -> None:
        """Let a peer wait no more."""
        self._peers.unlisten(peer)

    def takesStrangers(self) -> str:
        """Why a stranger's attempt is answered here."""
        with socket.socket() as probe:
            able = attachFilter(probe, NOBODY)
        return "" if able else "the system doesn't let this process drop callers silently"

    async def reboot(self, limit: float) -> bool:
        """Wait until the module went down and came up again; the last time counts."""
        begun = await self.quiet.advance(limit, lambda: self._module.downs > self._downs)
        self._downs = self._module.downs
        return begun and await self._ready(limit)

    def _isUp(self, module: EmulatedModule) -> bool:
        """Whether a module is on, and registered where it can be."""
        return module.isRunning and (module.radio.isAttached or not self._registers)

    async def _ready(self, limit: float) -> bool:
        """Wait for the registration; what starts by itself has some time more to do so, but needn't."""
        ready = await self.quiet.advance(limit, lambda: self._isUp(self._module))
        await self.quiet.advance(STARTING, self._hasStarted)
        return ready

    def _hasStarted(self) -> bool:
        """Whether the contexts that come back by themselves have done so."""
        contexts, settings = self._module.contexts, self._module.settings
        return all(cid in contexts.active for cid in contexts.defined if settings.get("#SGACTCFG values", cid)[0])

    async def powerCycle(self) -> None:
        """Cut the power, give it back, and wait until the module is registered."""
        self._module.powerOff()
        self._downs = self._module.downs
        self._module.powerOn()
        await self._ready(READY_LIMIT)

    def deactivate(self, cid: int) -> None:
        """The network deactivates a context."""
        self._module.contexts.lose(cid)

    @property
    def ftp(self) -> Script:
        """What happens with the FTP server."""
        return self._peers.ftp

    def stored(self, path: str) -> bytes | None:
        """A file on the FTP server, if it is there."""
        return self._peers.stored(path)


def _hasOK(port: Port) -> bool:
    return "OK" in port.stream.pending()


def _atPorts(dialogue: Dialogue) -> Iterator[str]:
    """The AT ports of a dialogue; the first one of the first module always."""
    yield "at1"
    for step in [*dialogue.given, *dialogue.steps]:
        names = [step.port, *([step.values.get("target", "")] if isinstance(step, Event) else [])]
        yield from (name for name in names if name in _AT_PORTS)


def _cells(cells: Any, count: int) -> tuple[Cell, ...]:
    """So many cells, the serving one first; further ones on channels of their own."""
    more = (replace(cells[-1], identity=0x7000 + index, arfcn=500 + index) for index in range(count))
    return (*cells, *more)[:count]
