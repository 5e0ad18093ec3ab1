"""
One emulated module: AT instances, settings, memory and power, put together from parts.

A part is an object of which a module has one (its radio, its contexts, its sockets, a service); it is made when it is
first asked for. Parts of L{STARTED} follow the power.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from atrunproto.at.basic import loadStartProfile
from atrunproto.at.module import ATInstance
from atrunproto.at.notices import Notice
from atrunproto.at.online import Online
from atrunproto.at.results import CMS, Reason
from atrunproto.at.settings import Settings
from atrunproto.ipeasy.listening import Listener
from atrunproto.ipeasy.module import SocketTable
from atrunproto.multitech.generations import Generation
from atrunproto.sms.centre import Receipt
from atrunproto.sms.fields import Address
from atrunproto.sms.module import ShortMessages
from atrunproto.sms.tpdu import Deliver, StatusReport, Submit
from atrunproto.smsatrun.activation import Activation
from atrunproto.smsatrun.module import SERVICE as SMSATRUN
from atrunproto.smsatrun.module import SMSATRUNService
from atrunproto.tcpatrun.module import SERVICE as TCPATRUN
from atrunproto.tcpatrun.module import TCPATRUNService
from atrunproto.tcpatrun.surroundings import ServiceSocket

from .clock import ModuleClock
from .contexts import GSM_CONTEXT, Contexts
from .echoes import echo
from .fixed import FixedNumbers
from .names import Names
from .network import Network
from .nvm import NVM
from .products import DURATIONS, Product, versionReaches
from .radio import Radio
from .sim import Sim
from .startup import StartupScript
from .switchboard import PortFactory, Switchboard

Part = TypeVar("Part")

#: the parts that follow the power, in this order up and in the reverse order down
STARTED: Sequence[type[Any]] = (ModuleClock, Sim, Contexts, SocketTable, TCPATRUNService, SMSATRUNService, Radio)

#: the run-AT services, and by what names the memory knows those that are enabled
_RUN_AT: Mapping[type[Any], str] = {TCPATRUNService: TCPATRUN, SMSATRUNService: SMSATRUN}

#: number of +CME ERROR to that of +CMS ERROR
_SIM_PROBLEMS = {10: 310, 11: 311, 12: 316}


class Power(Enum):
    """
    Whether the module runs.
    """

    OFF = "off"
    BOOTING = "booting"
    ON = "on"


class EmulatedModule:
    """
    A module in a network.

    (off) powerOn: boots for a while -> booting.
    (booting) boot time over: start profiles, services, start-up lines -> on.
    (on) reboot: everything ends -> booting.
    (on, booting) powerOff: everything ends -> off.
    """

    _log = Logger()

    __slots__ = (
        "_bootCall",
        "_endCall",
        "_instances",
        "_parts",
        "_script",
        "_whenOn",
        "activation",
        "clock",
        "commands",
        "imei",
        "memory",
        "network",
        "number",
        "power",
        "product",
        "settings",
        "startup",
        "switchboard",
        "timeScale",
    )

    def __init__(
        self,
        product: Product,
        network: Network,
        clock: IReactorTime,
        imei: str = "357000000000000",
        number: str = "+390000000000",
        nvm: NVM | None = None,
        startup: Iterable[str] = (),
        timeScale: float = 1.0,
    ) -> None:
        """
        @param imei: 15 digits.
        @param number: the telephone number of the SIM card.
        @param startup: command lines run on instance 1 at each power-on, before any port is heard.
        @param timeScale: by which the typical durations are multiplied; 0: everything at once.
        """
        self.product = product
        self.network = network
        self.clock = clock
        self.imei = imei
        self.number = number
        self.memory = NVM() if nvm is None else nvm
        self.commands = product.commands
        self.settings = Settings(self.commands.rows, self.memory)
        self.startup = tuple(startup)
        self.timeScale = timeScale
        self.activation: Activation | None = None
        self.power = Power.OFF
        self.switchboard = Switchboard(self)
        self._instances: dict[int, ATInstance] = {}
        self._parts: dict[type[Any], Any] = {}
        self._bootCall: IDelayedCall | None = None
        self._endCall: IDelayedCall | None = None
        self._script: StartupScript | None = None
        self._whenOn: list[Deferred[None]] = []
        network.join(self)

    # -- what AT instances and parts ask for

    def part(self, kind: type[Part]) -> Part:
        """
        The module's one object of this class.
        """
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind(self)  # type: ignore[call-arg]
        return found

    @property
    def reactor(self) -> Any:
        """
        Where sockets are made.
        """
        return self.network.reactor

    @property
    def sim(self) -> Sim:
        """
        The SIM card.
        """
        return self.part(Sim)

    @property
    def radio(self) -> Radio:
        """
        Registration and signal.
        """
        return self.part(Radio)

    @property
    def contexts(self) -> Contexts:
        """
        The packet-data contexts.
        """
        return self.part(Contexts)

    def duration(self, name: str) -> float:
        """
        Seconds that a command or event typically takes.
        """
        return DURATIONS.get(name, 0.0) * self.timeScale

    def dataCall(self, apartFrom: int) -> bool:
        """
        Whether a data call is up on another instance; the GSM context is one (TEL-NOT-10).
        """
        return GSM_CONTEXT in self.contexts.active or any(
            instance.isOnline for number, instance in self._instances.items() if number != apartFrom
        )

    def identify(self, what: str) -> str:
        """
        An identity answer of the product.
        """
        family = self.product.family
        if what.startswith("I"):
            answer = family.information.get(int(what[1:]))
            return self.product.model if answer is None else answer
        answers: dict[str, str] = {
            "manufacturer": family.manufacturer,
            "model": self.product.model,
            "revision": self.product.software,
            "serial": "0000" + self.imei[-7:-1],
            "imei": self.imei,
            "capabilities": family.capabilities,
        }
        return answers[what]

    # what sockets and services ask for

    def address(self, cid: int) -> str | None:
        """
        The address of a context that sockets may use, or C{None}.
        """
        return self.contexts.address(cid)

    async def activateContext(self, at: ATInstance, cid: int) -> str:
        """
        Activate a context for a command of an instance, and give its address.
        """
        return await self.contexts.activate(at, cid)

    def deactivateContext(self, cid: int) -> None:
        """
        End a context.
        """
        self.contexts.deactivate(cid)

    def watchContexts(self, watcher: Callable[[int, str | None], None]) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """
        self.contexts.watch(watcher)

    def softwareReaches(self, minimum: str) -> bool:
        """
        Whether the module has this version of its software, or a newer one.
        """
        return versionReaches(self.product.software, minimum)

    def isTied(self, cid: int) -> bool:
        """
        Whether a socket is tied to this context (TEL-ACT-03).
        """
        if not self.settings.has("#SCFG"):
            # no sockets, so no context waits for one
            return True
        return any(self.settings.get("#SCFG", connId)[0] == cid for connId in range(1, 7))

    def serviceSocket(self, connId: int) -> ServiceSocket:
        """
        One of the six sockets, for a service to run on.
        """
        return self.part(SocketTable).socket(connId)

    def resolve(self, name: str, cid: int = 1) -> Deferred[str]:
        """
        The address of a host as it is seen through a context.
        """
        return self.part(Names).resolve(name, cid)

    def claimPort(self, address: str, port: int) -> Deferred[None]:
        """
        Fires when nothing of an earlier time holds this port any more.
        """
        return self.network.claimPort(address, port)

    def releasePort(self, address: str, port: int, stopped: Deferred[None]) -> None:
        """
        A port is being left.
        """
        self.network.releasePort(address, port, stopped)

    def abandon(self, listener: Listener, address: str, port: int) -> None:
        """
        A listening port whose address is off the air: nobody answers there any more.
        """
        self.network.abandon(listener, address, port)

    def reservedBy(self, number: int) -> str | None:
        """
        The service that has an AT instance, or C{None}.
        """
        return self.switchboard.reservedBy(number)

    def reserve(self, number: int, service: str) -> ATInstance:
        """
        Give an AT instance to a service; C{CommandFailed} if another one has it, unless it is for an
        L{update<atrunproto.emulator.switchboard.UPDATE>}.
        """
        return self.switchboard.reserve(number, service)

    def release(self, number: int) -> None:
        """
        Take an AT instance back from a service.
        """
        self.switchboard.release(number)

    def tell(self, number: int, notice: Notice) -> bool:
        """
        Tell a notice on one instance.

        @return: whether somebody is attached there.
        """
        return number in self._instances and self._instances[number].notify(notice)

    def answer(self, number: int, make: Callable[[ATInstance], Online]) -> bool:
        """
        Let an instance go online unasked.

        @return: whether it did.
        """
        return number in self._instances and self._instances[number].answer(make)

    def limit(self, name: str) -> int:
        """
        A limit of the product.
        """
        return self.product.limit(name)

    @property
    def isRegistered(self) -> bool:
        """
        Whether a network serves the module.
        """
        return self.radio.isRegistered

    # what Multi-Tech's stack asks for

    @property
    def generation(self) -> Generation:
        """
        The generation of its IP stack.
        """
        return self.product.family.generation

    @property
    def isAttached(self) -> bool:
        """
        Whether the module is attached to the packet service.
        """
        return self.radio.isAttached

    @property
    def gateway(self) -> str:
        """
        The address of the other end of a connection.
        """
        return self.network.gateway

    @property
    def givesNameServers(self) -> bool:
        """
        Whether the operator gives name servers to contexts.
        """
        return self.network.givesNameServers

    @property
    def releaseFails(self) -> bool:
        """
        Whether something inside the module fails when a connection is released.
        """
        return self.network.releaseFails

    async def openContext(self, cid: int, apn: str, user: str, password: str) -> str:
        """
        Have the network activate a context, and give its address.
        """
        return await self.contexts.open(cid, apn, user, password)

    def askServer(self, server: str, name: str) -> Deferred[str]:
        """
        Ask one name server for the address of a host.
        """
        return self.network.askServers([server], name).addCallback(lambda found: found.address)

    def echo(self, source: str, address: str, number: int, seconds: float) -> Deferred[float | None]:
        """
        Send an echo request: to the network where it answers for the address, else to the machine's own.
        """
        return echo(self, source, address, number, seconds)

    def radioChanged(self) -> None:
        """
        Something that decides on registration has changed.
        """
        if self.isRunning:
            self.radio.update()

    # -- what the service centre asks for

    def receiveMessage(self, centre: Address, unit: Deliver | StatusReport) -> Receipt:
        """
        Take a short message.
        """
        return self.part(ShortMessages).receiveMessage(centre, unit)

    # -- what SMSATRUN asks for

    @property
    def isGoingDown(self) -> bool:
        """
        Whether #REBOOT or #SHDN has been answered, and does its work soon.
        """
        return self._endCall is not None and self._endCall.active()

    def watchMessages(self, take: Callable[[Address, Deliver], bool]) -> None:
        """
        Look at each incoming short message first.
        """
        self.part(ShortMessages).watch(take)

    async def sendMessage(self, unit: Submit) -> int:
        """
        Send a short message.
        """
        return await self.part(ShortMessages).submit(unit)

    def newReference(self) -> int:
        """
        A reference for the parts of one long message.
        """
        return self.part(ShortMessages).newReference()

    # -- what short messages ask for

    @property
    def centreNumber(self) -> str:
        """
        The number of the network's service centre.
        """
        return self.network.centre.number

    @property
    def carriesMessages(self) -> bool:
        """
        Whether short messages come and go: registered, and not by the packet service alone (TEL-SMS-45).
        """
        byPackets = self.radio.gprsClass == "CG" or self.settings.value("+CGSMS") == 0
        return self.isRunning and self.radio.isRegistered and not byPackets

    def simProblem(self) -> Reason | None:
        """
        Why the SIM card can't be used, as a +CMS ERROR.
        """
        problem = self.sim.problem()
        return None if problem is None else CMS[_SIM_PROBLEMS[problem.number]]

    def forEach(self, tell: Callable[[ATInstance], None]) -> None:
        """
        Tell something to each instance that somebody is attached to.
        """
        self.switchboard.forEach(tell)

    def mayReach(self, number: str) -> bool:
        """
        Whether the card lets a number be reached: not all, while fixed dialling is on (TEL-SMS-47).
        """
        return self.part(FixedNumbers).admits(number)

    def handOver(self, centre: Address, unit: Submit) -> None:
        """
        Give a short message to the network, whatever number its service centre is said to have (A).
        """
        self.network.centre.submit(self.number, unit)

    def hasRoom(self) -> None:
        """
        Short messages that were refused may come again.
        """
        self.network.centre.reachable(self.number)

    # -- instances and ports

    def instance(self, number: int) -> ATInstance:
        """
        An AT instance, 1 to 3.
        """
        found = self._instances.get(number)
        if found is None:
            found = ATInstance(number, self.commands, self, self.product.family.lineLength)
            self._instances[number] = found
            loadStartProfile(found)
        return found

    def instances(self) -> list[ATInstance]:
        """
        The instances that have been used so far.
        """
        return list(self._instances.values())

    def portFactory(self, number: int) -> PortFactory:
        """
        The factory of ports that carry an AT instance, to be listened with on any endpoint.
        """
        return PortFactory(self.switchboard, number)

    # -- power

    @property
    def isRunning(self) -> bool:
        """
        Whether the module is on.
        """
        return self.power is Power.ON

    @property
    def isHeard(self) -> bool:
        """
        Whether the module is on, with its start-up lines behind it, so that its ports are heard.
        """
        return self.power is Power.ON and self._script is None

    def whenOn(self) -> Deferred[None]:
        """
        Fires when the module is on, its start-up lines have run and its ports are heard.
        """
        waiting: Deferred[None] = Deferred()
        if self.isHeard:
            waiting.callback(None)
        else:
            self._whenOn.append(waiting)
        return waiting

    def powerOn(self) -> None:
        """
        Switch on.
        """
        if self.power is Power.OFF:
            self._boot()

    def _boot(self) -> None:
        self.power = Power.BOOTING
        seconds = self.duration("boot")
        if seconds > 0:
            self._bootCall = self.clock.callLater(seconds, self._up)
        else:
            self._up()

    def _up(self) -> None:
        self._bootCall = None
        self.settings.load()
        for instance in self._instances.values():
            instance.settings.load(())
            loadStartProfile(instance)
        self.power = Power.ON
        script = self._script = StartupScript(self, self.startup) if self.startup else None
        for part in self._started():
            if hasattr(part, "powerOn"):
                part.powerOn()
        if script is not None:
            script.run().addBoth(self._ready)
        else:
            self._ready(None)

    def _started(self) -> list[Any]:
        """
        The parts that follow the power; a run-AT service is one as soon as it was used.
        """
        kinds = (*STARTED, *self.product.family.parts)
        return [self.part(kind) for kind in kinds if kind not in _RUN_AT or self._uses(kind)]

    def _uses(self, kind: type[Any]) -> bool:
        """
        Whether a run-AT service has been asked for, was left enabled, or waits for the message that enables it.
        """
        if kind in self._parts:
            return True
        isAwaited = kind is SMSATRUNService and self.activation is not None
        return self.product.hasRunAT and (isAwaited or self.memory.get(_RUN_AT[kind]) is not None)

    def _ready(self, result: object) -> None:
        self._script = None
        if not self.isRunning:
            return
        self.switchboard.powerChanged()
        waiting, self._whenOn = self._whenOn, []
        for deferred in waiting:
            deferred.callback(None)

    def powerOff(self) -> None:
        """
        Cut the power, or let it end after #SHDN.
        """
        if self._bootCall is not None:
            self._bootCall.cancel()
            self._bootCall = None
        if self._endCall is not None and self._endCall.active():
            self._endCall.cancel()
        if self.power is Power.ON:
            script, self._script = self._script, None
            if script is not None:
                script.stop()
            started = self._started()
            for part in reversed(started):
                if hasattr(part, "powerOff"):
                    part.powerOff()
            for part in self._parts.values():
                # those that somebody has asked for: pins, a firewall
                if part not in started and hasattr(part, "powerOff"):
                    part.powerOff()
            self.power = Power.OFF
            for instance in self._instances.values():
                instance.stop()
            self.switchboard.powerChanged()
        self.power = Power.OFF

    def reboot(self) -> None:
        """
        Restart: what isn't stored is lost, services start by themselves again.
        """
        if self.power is Power.ON:
            self._log.info("module {imei} restarts", imei=self.imei)
            self.powerOff()
            self._boot()

    def restartSoon(self) -> None:
        """
        Restart when the answer has left (#REBOOT).
        """
        self._later("#REBOOT", self.reboot)

    def shutDownSoon(self) -> None:
        """
        Switch off when the answer has left (#SHDN).
        """
        self._later("#SHDN", self.powerOff)

    def _later(self, name: str, act: Callable[[], None]) -> None:
        if self._endCall is None or not self._endCall.active():
            self._endCall = self.clock.callLater(self.duration(name), act)
