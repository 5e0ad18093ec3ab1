"""
Emulated modules for the tests of programs that talk to modules.

L{MemoryModule} lives in memory: no socket is opened, and time stands still unless the test lets it pass. It suits tests
of Twisted code, and of whatever only wants to see lines::

    port = MemoryModule("GE865-QUAD").port()
    assert port.execute("AT+CSQ") == ["+CSQ: 20,0", "OK"]

L{LiveModule} is heard on real ptys and TCP ports while the test does something else; it suits every program that opens
a device or a socket by itself::

    with LiveModule("GE865-QUAD", {1: "pty:./at1"}):
        line = serial.Serial("./at1", timeout=5)

Both have the C{module} itself and its C{network}, where faults are made: C{module.sim.remove()},
C{network.setService(False)}, C{module.powerOff()}.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, TypeVar

from twisted.internet import defer
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError, ConnectionRefusedError, DNSLookupError, UserError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.threads import blockingCallFromThread
from twisted.python.failure import Failure

from atrunproto.at.errors import Misuse
from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import AddressPool, Network
from atrunproto.emulator.nvm import NVM
from atrunproto.emulator.products import Product
from atrunproto.emulator.products import product as productOf

from .link import MemoryLink

Result = TypeVar("Result")

#: seconds of module time that a command may take in memory, longer than any does
LONGEST = 300.0
#: seconds of real time in which a live module must start, stop, and do what it is asked
PATIENCE = 30.0

_FINAL = re.compile(
    rb"^(?:OK|ERROR|\+CM[ES] ERROR: [^\r]*|NO CARRIER|CONNECT[^\r]*|BUSY|NO ANSWER|NO DIALTONE)\r\n", re.MULTILINE
)


class Wire(Protocol):
    """
    The test's end of a connection in memory.

    @ivar isClosed: whether the module has closed it.
    @ivar link: the connection, which can be made worse.
    """

    link: MemoryLink

    def __init__(self, clock: MemoryReactor) -> None:
        self.isClosed = False
        self._clock = clock
        self._heard = b""

    def dataReceived(self, data: bytes) -> None:
        self._heard += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isClosed = True

    def heard(self) -> bytes:
        """
        What has come since the last look; no time passes.
        """
        self._clock.settle()
        heard, self._heard = self._heard, b""
        return heard

    def say(self, data: bytes) -> bytes:
        """
        Send octets, and give what comes back at once.
        """
        if self.transport is not None:
            self.transport.write(data)
        return self.heard()

    def execute(self, line: str, within: float = LONGEST) -> list[str]:
        """
        Send a command line, let time pass until its final result, and give its lines without the echo.

        Notices that come while the command runs are among them; others wait for the next look.

        @raise Misuse: there is no final result in that time.
        """
        earlier = self.heard()
        answer = self.say(line.encode("latin-1") + b"\r")
        end = self._clock.seconds() + within
        while not (complete := self._complete(answer)) and not self.isClosed:
            if not self._clock.step(end):
                raise Misuse(f"{line} got no final result within {within:g} s, only {answer!r}")
            answer += self.heard()
        complete = complete or len(answer)
        self._heard = earlier + answer[complete:]
        return self._lines(answer[:complete], line)

    def after(self, seconds: float) -> list[str]:
        """
        Let time pass, and give the lines that have come by then.
        """
        self._clock.advance(seconds)
        return self._lines(self.heard(), "")

    def close(self) -> None:
        """
        Close the connection from this end.
        """
        if self.transport is not None:
            self.transport.loseConnection()
        self._clock.settle()

    @staticmethod
    def _lines(heard: bytes, line: str) -> list[str]:
        lines = [each.strip("\r") for each in heard.decode("latin-1").split("\n")]
        return [each for each in lines if each and each != line]

    @staticmethod
    def _complete(answer: bytes) -> int:
        """
        Where the final result of an answer ends; 0: it hasn't come.
        """
        final = _FINAL.search(answer)
        return final.end() if final else 0


class Host(Factory):
    """
    A host in memory that modules call.

    @ivar callers: the connections that have come, the newest last.
    """

    def __init__(self, clock: MemoryReactor, stays: bool) -> None:
        self.callers: list[Wire] = []
        self._clock = clock
        self._stays = stays

    def buildProtocol(self, addr: Any) -> Wire | None:
        """
        Take a call; a host that doesn't stay closes it at once.
        """
        wire = Wire(self._clock)
        self.callers.append(wire)
        return wire if self._stays else None


class _Listening:
    """
    A listening port in memory.
    """

    def __init__(self, reactor: MemoryReactor, place: tuple[str, int], factory: Any) -> None:
        self.factory = factory
        self._reactor = reactor
        self._place = place

    def stopListening(self) -> Deferred[None]:
        """
        Leave the port.
        """
        self._reactor.listening.pop(self._place, None)
        return succeed(None)

    def getHost(self) -> IPv4Address:
        """
        Where it listens.
        """
        return IPv4Address("TCP", *self._place)


class _Connecting:
    """
    A connection attempt in memory.
    """

    def __init__(self, reactor: MemoryReactor, place: tuple[str, int], factory: Any, source: str) -> None:
        self._reactor = reactor
        self._place = place
        self._factory = factory
        self._source = source
        self._isOver = False
        factory.doStart()
        factory.startedConnecting(self)
        if place[0] not in reactor.unreachable:
            reactor.callLater(0, self._arrive)

    def _arrive(self) -> None:
        if self._isOver:
            return
        port = self._reactor.listening.get(self._place)
        if port is None:
            self._fail(ConnectionRefusedError())
            return
        self._isOver = True
        here = IPv4Address("TCP", self._source, next(self._reactor.ports))
        there = IPv4Address("TCP", *self._place)
        accepted: Any = port.factory.buildProtocol(here)
        connecting: Any = self._factory.buildProtocol(there)
        link = MemoryLink(self._reactor, accepted or _Closing(), connecting, addresses=(there, here))
        for end in (accepted, connecting):
            if isinstance(end, Wire):
                end.link = link

    def getDestination(self) -> IPv4Address:
        """
        Who is called.
        """
        return IPv4Address("TCP", *self._place)

    def _fail(self, reason: Exception) -> None:
        if not self._isOver:
            self._isOver = True
            self._factory.clientConnectionFailed(self, Failure(reason))

    def disconnect(self) -> None:
        """
        Give the attempt up.
        """
        self._fail(UserError())

    stopConnecting = disconnect


class DatagramWire(DatagramProtocol):
    """
    The test's UDP port in memory.

    @ivar heard: each datagram that has come, with the address and port that it came from.
    """

    def __init__(self, clock: MemoryReactor) -> None:
        self.heard: list[tuple[bytes, tuple[str, int]]] = []
        self._clock = clock

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((datagram, addr))

    def say(self, data: bytes, host: str, port: int) -> None:
        """
        Send a datagram, and let it arrive.
        """
        self.transport.write(data, (host, port))  # type: ignore[union-attr]
        self._clock.settle()


class _Datagrams:
    """
    A UDP port in memory: what is sent to nobody is lost.
    """

    def __init__(self, reactor: MemoryReactor, place: tuple[str, int], protocol: DatagramProtocol) -> None:
        self.protocol = protocol
        self._reactor = reactor
        self._place = place

    def write(self, data: bytes, addr: tuple[str, int]) -> None:
        """
        Send a datagram.
        """
        self._reactor.callLater(0, self._arrive, bytes(data), addr)

    def _arrive(self, data: bytes, addr: tuple[str, int]) -> None:
        port = self._reactor.datagrams.get(addr)
        if port is not None:
            port.protocol.datagramReceived(data, self._place)

    def getHost(self) -> IPv4Address:
        """
        Where it is.
        """
        return IPv4Address("UDP", *self._place)

    def stopListening(self) -> Deferred[None]:
        """
        Leave the port.
        """
        self._reactor.datagrams.pop(self._place, None)
        return succeed(None)


class _Closing(Protocol):
    """
    The far end of a connection that is closed at once.
    """

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class MemoryReactor(Clock):
    """
    Time that a test lets pass, and TCP and UDP in memory: what listens here is reached from here, nothing else is.

    @ivar names: the addresses of hosts.
    @ivar unreachable: addresses from which no answer ever comes, not even a refusal.
    """

    def __init__(self) -> None:
        super().__init__()
        self.listening: dict[tuple[str, int], _Listening] = {}
        self.datagrams: dict[tuple[str, int], _Datagrams] = {}
        self.names: dict[str, str] = {}
        self.unreachable: set[str] = set()
        self.ports = count(40001)

    def step(self, end: float) -> bool:
        """
        Let time pass until the next thing happens, or until C{end}; tell whether something was due by then.
        """
        due = min((call.getTime() for call in self.getDelayedCalls() if call.getTime() <= end), default=None)
        super().advance(max(0.0, (end if due is None else due) - self.seconds()))
        return due is not None

    def advance(self, amount: float) -> None:
        """
        Let time pass, and each thing happen at its own time.
        """
        end = self.seconds() + amount
        while self.step(end):
            pass

    def settle(self) -> None:
        """
        Let everything happen that is due now.
        """
        super().advance(0)

    def resolve(self, name: str, timeout: object = ()) -> Deferred[str]:
        """
        The address of a host.
        """
        if name in self.names:
            return succeed(self.names[name])
        return defer.fail(DNSLookupError(name))

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> _Listening:
        """
        Listen in memory.

        @raise CannotListenError: something listens there already.
        """
        place = (interface, port)
        if place in self.listening:
            raise CannotListenError(interface, port, OSError("the address is in use"))
        self.listening[place] = _Listening(self, place, factory)
        return self.listening[place]

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float | None = 30, bindAddress: tuple[str, int] | None = None
    ) -> _Connecting:
        """
        Connect in memory.
        """
        return _Connecting(self, (host, port), factory, "127.0.0.1" if bindAddress is None else bindAddress[0])

    def listenUDP(
        self, port: int, protocol: DatagramProtocol, interface: str = "", maxPacketSize: int = 8192
    ) -> _Datagrams:
        """
        Put up a UDP port in memory.

        @raise CannotListenError: it is taken.
        """
        place = (interface or "127.0.0.1", port or next(self.ports))
        if place in self.datagrams:
            raise CannotListenError(interface, port, OSError("the address is in use"))
        opened = self.datagrams[place] = _Datagrams(self, place, protocol)
        protocol.makeConnection(opened)  # type: ignore[arg-type]
        return opened


def _chosen(name: str, software: str, limits: Mapping[str, int] | None) -> Product:
    """
    The product that a module is.
    """
    product = productOf(name)
    return (product.withSoftware(software) if software else product).withLimits(limits or {})


class MemoryModule:
    """
    An emulated module in memory, switched on and started up.

    @ivar module: the module itself.
    @ivar network: the network it lives in.
    @ivar clock: its time, and the TCP in memory that it reaches.
    """

    def __init__(
        self,
        product: str = "HE910-EUR",
        beside: MemoryModule | None = None,
        nvm: NVM | None = None,
        startup: Iterable[str] = (),
        imei: str = "357000000000001",
        number: str = "+393460000001",
        timeScale: float = 1.0,
        isOn: bool = True,
        software: str = "",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """
        @param product: one of L{atrunproto.emulator.products.PRODUCTS}.
        @param beside: another module, whose network and time this one shares.
        @param nvm: the non-volatile memory of an earlier module, to go on with it.
        @param startup: command lines run at each power-on.
        @param timeScale: by which the typical durations of commands are multiplied; 0: no waiting.
        @param isOn: whether to switch it on and wait until it has started.
        @param software: its version; empty: the product's.
        @param limits: those of L{atrunproto.emulator.limits.LIMITS} that differ from the product's.
        @raise Misuse: the product isn't known, or can't have such a version or limit.
        """
        self.clock: MemoryReactor = MemoryReactor() if beside is None else beside.clock
        self.network: Network = Network(self.clock) if beside is None else beside.network
        self.module = EmulatedModule(
            _chosen(product, software, limits), self.network, self.clock, imei, number, nvm, startup, timeScale
        )
        if isOn:
            self.switchOn()

    def switchOn(self) -> None:
        """
        Switch the module on, and let time pass until it has started and found its network.
        """
        self.module.powerOn()
        end = self.clock.seconds() + LONGEST
        started: list[None] = []
        self.module.whenOn().addCallback(started.append)
        while not (started and self.module.radio.isAttached) and self.clock.step(end):
            pass

    def advance(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self.clock.advance(seconds)

    def port(self, number: int = 1) -> Wire:
        """
        Plug into the port of an AT instance.
        """
        wire = Wire(self.clock)
        wire.link = MemoryLink(self.clock, self.module.portFactory(number).buildProtocol(None), wire)
        self.clock.settle()
        return wire

    def call(self, port: int, address: str = "127.0.0.1", source: str = "127.0.0.9") -> Wire:
        """
        Connect to a TCP port of the module; where nothing listens the connection is closed already.

        @param address: that of the module's context.
        @param source: the caller's own.
        """
        wire = Wire(self.clock)
        self.clock.connectTCP(address, port, _Caller(wire), bindAddress=(source, 0))
        self.clock.settle()
        return wire

    def host(self, port: int, address: str = "127.0.0.1", stays: bool = True) -> Host:
        """
        Put up a host that the module can call.

        @param stays: whether it keeps the connections; else it closes each at once.
        """
        host = Host(self.clock, stays)
        self.clock.listenTCP(port, host, interface=address)
        return host


class _Caller:
    """
    The other end of a test's connection attempt.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def doStart(self) -> None:
        """
        Nothing to prepare.
        """

    def startedConnecting(self, connector: object) -> None:
        """
        The attempt is under way.
        """

    def buildProtocol(self, addr: object) -> Wire:
        """
        The test's end of the connection.
        """
        return self._wire

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        """
        Nothing listens there.
        """
        self._wire.isClosed = True


class _Background:
    """
    The reactor on which live modules run, in a thread that lasts as long as the process.
    """

    def __init__(self) -> None:
        self._reactor: Any = None
        self._lock = threading.Lock()

    def get(self) -> Any:
        """
        The reactor, running.
        """
        from twisted.internet.selectreactor import SelectReactor

        with self._lock:
            if self._reactor is None:
                self._reactor = SelectReactor()
                running = threading.Event()
                self._reactor.callWhenRunning(running.set)
                run = threading.Thread(target=self._reactor.run, args=(False,), name="emulated modules", daemon=True)
                run.start()
                if not running.wait(PATIENCE):
                    raise Misuse("the thread for emulated modules has not started")
            return self._reactor


_background = _Background()


class LiveModule:
    """
    An emulated module on real ports, for programs that know nothing of Twisted; it runs in a thread of its own.

    Whatever else is asked of C{module} or C{network} goes through L{call}.

    @ivar module: the module itself.
    @ivar network: the network it lives in.
    """

    def __init__(
        self,
        product: str = "HE910-EUR",
        ports: Mapping[int, str] | None = None,
        beside: LiveModule | None = None,
        addresses: str = "127.0.0.1/8",
        nvm: NVM | None = None,
        startup: Iterable[str] = (),
        imei: str = "357000000000001",
        number: str = "+393460000001",
        timeScale: float = 0.0,
        software: str = "",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        """
        Switch the module on; it has started and is heard when this returns.

        @param ports: the endpoint string on which each AT instance is heard: C{{1: "pty:./at1"}}, or
            C{{1: "tcp:0:interface=127.0.0.1"}}, the default.
        @param beside: another module, whose network this one shares.
        @param addresses: the pool of the addresses that contexts get, within 127.0.0.0/8.
        @param timeScale: by which the typical durations of commands are multiplied; 0: no waiting.
        @param software: its version; empty: the product's.
        @param limits: those of L{atrunproto.emulator.limits.LIMITS} that differ from the product's.
        @raise Misuse: the product isn't known, or can't have such a version or limit.
        """
        self._reactor = _background.get()
        self._listening: dict[int, IListeningPort] = {}
        self.network: Network = Network(self._reactor, AddressPool(addresses)) if beside is None else beside.network
        described = {1: "tcp:0:interface=127.0.0.1"} if ports is None else ports
        known = _chosen(product, software, limits)

        async def start() -> EmulatedModule:
            module = EmulatedModule(known, self.network, self._reactor, imei, number, nvm, startup, timeScale)
            try:
                for instance, description in described.items():
                    endpoint = serverFromString(self._reactor, description)
                    self._listening[instance] = await endpoint.listen(module.portFactory(instance))
            except BaseException:
                await self._stopListening()
                raise
            module.powerOn()
            await module.whenOn()
            return module

        self.module: EmulatedModule = self.call(lambda: Deferred.fromCoroutine(start()))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """
        Call a function in the module's thread, and give its result; if that is a Deferred, wait for it.
        """
        return blockingCallFromThread(self._reactor, function, *arguments)

    def address(self, instance: int = 1) -> tuple[str, int]:
        """
        Host and port where an AT instance is heard, if that is a TCP port.
        """
        host = self._listening[instance].getHost()
        if not isinstance(host, IPv4Address):
            raise Misuse(f"AT instance {instance} is not on a TCP port")
        return host.host, host.port

    async def _stopListening(self) -> None:
        listening, self._listening = self._listening, {}
        for port in listening.values():
            await defer.maybeDeferred(port.stopListening)

    def close(self) -> None:
        """
        Cut the power and leave the ports.
        """

        async def stop() -> None:
            self.module.powerOff()
            self.module.switchboard.hangUp()
            await self._stopListening()
            self.network.leave(self.module)
            if not any(self.network.modules):
                await self.network.close()

        self.call(lambda: Deferred.fromCoroutine(stop()))

    def __enter__(self) -> LiveModule:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
