"""
The cellular network that the modules of one process share: operators, cells, service, addresses, and short messages.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IReactorTime

from atrunproto.at.errors import Misuse
from atrunproto.at.results import Reason
from atrunproto.ipeasy.listening import Listener
from atrunproto.secret import Secret
from atrunproto.sms.centre import ServiceCentre, bare

from .names import Found, ask

#: ports kept silent at a time; beyond, a port off the air is simply closed
SILENT_PORTS = 1024

if TYPE_CHECKING:
    from .module import EmulatedModule


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A cell as #MONI and #SERVINFO show it; numbers in the units of those commands.
    """

    lac: int
    identity: int
    arfcn: int
    bsic: int = 75
    power: int = -72
    c1: int = 32
    c2: int = 32
    rac: int = 1


#: the cells of the printed example (Running AT Commands Remotely Rev. 3, 3.7.1), the serving one first
EXAMPLE_CELLS = (
    Cell(0x55FA, 0x1298, 983, 75, -72, 32, 32),
    Cell(0xD5BD, 0x5265, 59, 20, -70, 38, 0),
    Cell(0x55FA, 0x1D23, 736, 70, -83, 20, 20),
    Cell(0x55FA, 0x1299, 979, 72, -78, 27, 27),
    Cell(0x55FA, 0x129A, 990, 73, -81, 24, 24),
    Cell(0xD5BD, 0x5266, 61, 21, -85, 18, 18),
    Cell(0xD5BD, 0x5267, 66, 22, -88, 15, 15),
)


@dataclass(frozen=True, slots=True)
class Operator:
    """
    An operator with the cells that can be received.

    @ivar code: MCC and MNC.
    @ivar bands: the values of #BND under which it is found (2G products).
    """

    name: str
    code: str
    cells: Sequence[Cell] = EXAMPLE_CELLS
    forbidden: bool = False
    bands: Sequence[int] = (0, 1)


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """
    An access point of the packet service.

    @ivar user: who may use it; empty: everybody.
    @ivar password: the user's.
    @ivar seconds: how much longer than usual an activation takes.
    """

    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    seconds: float = 0.0

    def admits(self, user: str, password: str) -> bool:
        """
        Whether this login is good.
        """
        return not self.user or (self.user == user and self.password.matches(password))


class AddressPool:
    """
    Hands out the addresses of active contexts, lowest first; a single address is shared by all who ask.
    """

    def __init__(self, network: str = "127.0.0.1/8") -> None:
        """
        @param network: C{ADDRESS/BITS}: addresses from this one on, within its block; without bits, this one alone.
        @raise Misuse: it is no such thing, or not on loopback.
        """
        try:
            first = ipaddress.IPv4Interface(network)
        except ValueError:
            raise Misuse(f"{network!r} is not an IPv4 address or ADDRESS/BITS") from None
        if not first.ip.is_loopback:
            raise Misuse(f"{network} is not within 127.0.0.0/8")
        start = int(first.ip)
        last = int(first.network.broadcast_address)
        if start == int(first.network.network_address) and start != last:
            start += 1
        self._next = self._start = start
        self._last = last - 1 if last > start else last
        self._network = first.network
        self._taken: set[int] = set()

    def claim(self, wanted: str | None = None) -> str | None:
        """
        Take an address.

        @param wanted: a static one; it is granted if it lies in the pool and is free.
        @return: C{None}: there is none.
        """
        if self._start == self._last:
            only = str(ipaddress.IPv4Address(self._start))
            return only if wanted in (None, only) else None
        if wanted is not None:
            number = int(ipaddress.IPv4Address(wanted))
            if number in self._taken or ipaddress.IPv4Address(wanted) not in self._network:
                return None
        else:
            number = self._next
            while number in self._taken:
                number += 1
            if number > self._last:
                return None
            self._next = number + 1
        self._taken.add(number)
        return str(ipaddress.IPv4Address(number))

    def free(self, address: str) -> None:
        """
        Give an address back.
        """
        number = int(ipaddress.IPv4Address(address))
        self._taken.discard(number)
        if self._start <= number < self._next:
            self._next = number


@dataclass(eq=False)
class Network:
    """
    The world round the modules.

    @ivar reactor: where sockets are made.
    @ivar pool: the addresses of contexts.
    @ivar operators: the first one is the home operator.
    @ivar inService: whether there is any coverage.
    @ivar hosts: names that the network's name server knows, before others are asked.
    @ivar nameservers: the name servers that contexts get, the first one first; none: the system's resolver is asked.
    @ivar namePort: where all name servers are asked.
    @ivar assigned: addresses fixed for a context: (module, cid) to address.
    @ivar givesNameServers: whether contexts are given name servers at all; without them, a modem has its own or none.
    @ivar rejects: contexts are refused for these access point names.
    @ivar accessPoints: the access points by name; none: whatever name is asked for is one.
    @ivar refusal: why contexts that a connection of Multi-Tech's stack asks for are all refused; C{None}: they aren't.
    @ivar releaseFails: such connections end with an error of their own (49154).
    @ivar gateway: the other end of such a connection.
    @ivar echoes: addresses for which the network itself answers echo requests, to the numbers of those, from 1 on, that
        are lost; C{None}: all of them.
    @ivar clock: the time of the service centre, and of questions to name servers; C{None}: the reactor's.
    @ivar zone: of the time stamps of short messages.
    @ivar centre: where the modules' short messages go.
    """

    reactor: Any
    pool: AddressPool = field(default_factory=AddressPool)
    operators: list[Operator] = field(
        default_factory=lambda: [
            Operator("I WIND", "22288"),
            Operator("I TIM", "22201"),
            Operator("vodafone IT", "22210"),
        ]
    )
    inService: bool = True
    hosts: dict[str, str] = field(default_factory=dict)
    nameservers: list[str] = field(default_factory=list)
    namePort: int = 53
    assigned: dict[tuple[EmulatedModule, int], str] = field(default_factory=dict)
    givesNameServers: bool = True
    rejects: set[str] = field(default_factory=set)
    accessPoints: dict[str, AccessPoint] = field(default_factory=dict)
    refusal: Reason | None = None
    releaseFails: bool = False
    gateway: str = "127.0.0.1"
    echoes: dict[str, frozenset[int] | None] = field(default_factory=dict)
    clock: IReactorTime | None = None
    zone: tzinfo = UTC
    centre: ServiceCentre = field(init=False)
    _members: dict[EmulatedModule, None] = field(default_factory=dict)
    _silent: dict[tuple[str, int], Listener] = field(default_factory=dict)
    _leaving: dict[tuple[str, int], Deferred[None]] = field(default_factory=dict)
    #: made for the first message
    _numbers: dict[str, EmulatedModule] | None = None

    def __post_init__(self) -> None:
        self.centre = ServiceCentre(self.clock or self.reactor, self.subscriber, zone=self.zone)

    def join(self, module: EmulatedModule) -> None:
        """
        A module lives in this network.
        """
        self._members[module] = None
        self._numbers = None

    def leave(self, module: EmulatedModule) -> None:
        """
        A module is taken away.
        """
        self._members.pop(module, None)
        self._numbers = None

    def subscriber(self, number: str) -> EmulatedModule | None:
        """
        The module with this telephone number, with or without its plus sign; the first one if several have it.
        """
        if self._numbers is None:
            self._numbers = {}
            for module in self._members:
                self._numbers.setdefault(bare(module.number), module)
        return self._numbers.get(bare(number))

    @property
    def modules(self) -> Iterator[EmulatedModule]:
        """
        The modules of the network.
        """
        return iter(tuple(self._members))

    @property
    def home(self) -> Operator:
        """
        The operator of the modules' SIM cards.
        """
        return self.operators[0]

    def find(self, code: str) -> Operator | None:
        """
        The operator of this code or name that is on the air.
        """
        if not self.inService:
            return None
        for operator in self.operators:
            if code in (operator.code, operator.name):
                return operator
        return None

    def setService(self, inService: bool) -> None:
        """
        Take away, or give back, all coverage.
        """
        self.inService = inService
        for module in self.modules:
            module.radioChanged()

    def address(self, module: EmulatedModule, cid: int, static: str = "") -> str | None:
        """
        An address for a context that becomes active, or C{None} if there is none to be had.
        """
        granted = self.assigned.get((module, cid))
        if granted is None:
            granted = self.pool.claim(static if static not in ("", "0.0.0.0") else None)
        if granted is not None:
            for held, port in [place for place in self._silent if place[0] == granted]:
                self._end(held, port)
        return granted

    def accessPoint(self, apn: str) -> AccessPoint | None:
        """
        The access point of this name, or C{None} if there is none that may be used.
        """
        if apn in self.rejects:
            return None
        return self.accessPoints.get(apn) if self.accessPoints else AccessPoint()

    # -- ports that are off the air

    def abandon(self, listener: Listener, address: str, port: int) -> None:
        """
        Take over a listener whose address is off the air: callers get no answer until somebody has the address again.
        """
        listener.fallSilent()
        if not listener.isSilent or len(self._silent) >= SILENT_PORTS:
            self.releasePort(address, port, listener.stop())
        else:
            self._silent[address, port] = listener

    def _end(self, address: str, port: int) -> None:
        self.releasePort(address, port, self._silent.pop((address, port)).stop())

    def releasePort(self, address: str, port: int, stopped: Deferred[None]) -> None:
        """
        A port is being left; it is free when C{stopped} fires.
        """
        place = (address, port)

        def gone(result: object) -> None:
            if self._leaving.get(place) is stopped:
                del self._leaving[place]

        self._leaving[place] = stopped
        stopped.addBoth(gone)

    def claimPort(self, address: str, port: int) -> Deferred[None]:
        """
        Fires when nothing of an earlier time holds this port any more.
        """
        if (address, port) in self._silent:
            self._end(address, port)
        free: Deferred[None] = Deferred()
        leaving = self._leaving.get((address, port))
        if leaving is None:
            free.callback(None)
        else:
            leaving.addBoth(lambda result: free.callback(None))
        return free

    def close(self) -> Deferred[None]:
        """
        Take the network off the machine.

        @return: fires when all its ports are free.
        """
        self.centre.stop()
        for address, port in list(self._silent):
            self._end(address, port)
        return DeferredList([self.claimPort(*place) for place in list(self._leaving)]).addCallback(lambda result: None)

    def askServers(self, servers: Sequence[str], name: str) -> Deferred[Found]:
        """
        The address of a host, as these name servers tell it; fails with C{DNSLookupError}.
        """
        return ask(self.reactor, self.clock or self.reactor, servers, self.namePort, name)

    def lookUp(self, name: str) -> Deferred[Found]:
        """
        The address of a host: of those that the network knows, else by its name servers, else by the system's resolver.

        @param name: upper case or lower case make no difference.
        @return: fails with C{DNSLookupError}.
        """
        alike = (address for host, address in self.hosts.items() if host.lower() == name.lower())
        known = self.hosts.get(name) or next(alike, name)
        if isIPAddress(known):
            return succeed(Found(known))
        if self.nameservers:
            return self.askServers(self.nameservers, name)
        found: Deferred[str] = self.reactor.resolve(name)
        return found.addCallback(Found)
