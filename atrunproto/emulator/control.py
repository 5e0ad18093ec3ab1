"""
The emulator's HTTP/JSON interface: what becomes of modules and of the network round them, from outside.

The manual is C{docs/reference/module.md}.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from atrunproto import __version__
from atrunproto.at.results import multitechReason
from atrunproto.http import Call, Refusal, Route, Routes
from atrunproto.ipeasy.module import SOCKETS, SocketTable
from atrunproto.ipeasy.sockets import Socket
from atrunproto.secret import Secret
from atrunproto.tcpatrun.module import SERVICE, TCPATRUNService
from atrunproto.toml import ConfigError

from .configuration import ACCESS_POINT_NAME, OPERATOR_CODE, UnderWay, checkHosts
from .gpio import Hardware
from .messaging import MessageControl
from .module import EmulatedModule, Power
from .network import AccessPoint, Operator
from .rack import Rack

#: bytes of a request's body
MAX_BODY = 64 * 1024
#: operators, names of hosts, and refused access point names of a network
MAX_ENTRIES = 256

_PIN = msgspec.Meta(pattern="^[0-9]{4,8}$")


class PowerRequest(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{POST /modules/IMEI/power}.
    """

    do: Literal["on", "off", "reboot", "shutdown", "cut"]


class SimRequest(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{POST /modules/IMEI/sim}.

    @ivar pin: what a card that is put in asks for; C{None}: nothing.
    """

    do: Literal["insert", "remove"]
    pin: Annotated[str, _PIN] | None = None


class RadioChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /modules/IMEI/radio}, in the units of +CSQ.
    """

    rssi: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    ber: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None


class PinChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /modules/IMEI/gpio/N}.
    """

    level: Literal[0, 1]


class ConverterChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /modules/IMEI/adc/N}.
    """

    millivolts: Annotated[int, msgspec.Meta(ge=0, le=2000)]


class TemperatureChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /modules/IMEI/temperature}.
    """

    celsius: Annotated[int, msgspec.Meta(ge=-100, le=200)]


class OperatorView(msgspec.Struct, forbid_unknown_fields=True):
    """
    An operator, as the interface takes and shows it.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    code: Annotated[str, OPERATOR_CODE]
    forbidden: bool = False


class AccessPointView(msgspec.Struct, forbid_unknown_fields=True):
    """
    An access point, as the interface takes it; its password is never shown.
    """

    name: Annotated[str, ACCESS_POINT_NAME]
    user: str = ""
    password: Secret = msgspec.field(default_factory=lambda: Secret(""))
    seconds: UnderWay = 0.0


class NetworkChange(msgspec.Struct, forbid_unknown_fields=True):
    """
    The body of C{PATCH /network}; what isn't there stays, lists replace the present ones.
    """

    inService: bool | None = None
    operators: Annotated[list[OperatorView], msgspec.Meta(min_length=1, max_length=MAX_ENTRIES)] | None = None
    hosts: Annotated[dict[str, str], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    rejects: Annotated[list[str], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    givesNameservers: bool | None = None
    accessPoints: Annotated[list[AccessPointView], msgspec.Meta(max_length=MAX_ENTRIES)] | None = None
    #: the number of the error by which connections of Multi-Tech's stack fail; 0: they don't
    refusal: Literal[0, 35866, 35868, 36872, 49153, 49155, 49156, 49157, 49158] | None = None
    releaseFails: bool | None = None


class Control:
    """
    The routes of an emulator.
    """

    def __init__(self, rack: Rack, token: Secret | None) -> None:
        """
        @param token: what callers must bring; C{None}: nothing.
        """
        self._rack = rack
        module = "/modules/([0-9]{15})"
        self.resource = Routes(
            [
                Route("GET", "/health", self.health, free=True),
                Route("GET", "/modules", self.modules),
                Route("GET", module, self.module),
                Route("POST", f"{module}/power", self.power),
                Route("POST", f"{module}/sim", self.sim),
                Route("PATCH", f"{module}/radio", self.radio),
                Route("POST", f"{module}/contexts/([0-5])/lose", self.loseContext),
                Route("PATCH", f"{module}/gpio/([0-9]{{1,2}})", self.pin),
                Route("PATCH", f"{module}/adc/([0-9])", self.converter),
                Route("PATCH", f"{module}/temperature", self.temperature),
                Route("GET", "/network", self.network),
                Route("PATCH", "/network", self.changeNetwork),
                *MessageControl(rack.network.centre, rack.network.clock or rack.network.reactor).routes,
            ],
            token,
        )

    def health(self, call: Call) -> object:
        """
        Tell that the emulator is there.
        """
        call.query()
        return {"status": "ok", "version": __version__}

    def modules(self, call: Call) -> object:
        """
        List the modules.
        """
        call.query()
        return {"modules": [_summary(module) for module in self._rack.modules.values()]}

    def module(self, call: Call) -> object:
        """
        Show one module.
        """
        call.query()
        return _view(self._known(call))

    def power(self, call: Call) -> object:
        """
        Press the button, or take the supply away.
        """
        module, what = self._known(call), call.body(PowerRequest).do
        if what in ("reboot", "shutdown") and not module.isRunning:
            raise Refusal(409, f"the module is {module.power.value}, so it can't do a {what}")
        {
            "on": module.powerOn,
            "off": module.powerOff,
            "cut": module.powerOff,
            "reboot": module.restartSoon,
            "shutdown": module.shutDownSoon,
        }[what]()
        return _view(module)

    def sim(self, call: Call) -> object:
        """
        Take the card out, or put one in.
        """
        module, body = self._known(call), call.body(SimRequest)
        if module.sim.inserted is (body.do == "insert"):
            raise Refusal(409, "a card is in the holder" if module.sim.inserted else "no card is in the holder")
        if body.do == "insert":
            module.sim.pin = body.pin
            module.sim.insert()
        elif body.pin is not None:
            raise Refusal(400, "a card that is removed gets no PIN")
        else:
            module.sim.remove()
        return _view(module)

    def radio(self, call: Call) -> object:
        """
        Change the signal; 99 is none.
        """
        module, body = self._known(call), call.body(RadioChange)
        rssi = module.radio.rssi if body.rssi is None else body.rssi
        ber = module.radio.ber if body.ber is None else body.ber
        if not (rssi <= 31 or rssi == 99) or not (ber <= 7 or ber == 99):
            raise Refusal(400, "rssi is 0 to 31 or 99, ber is 0 to 7 or 99")
        module.radio.rssi, module.radio.ber = rssi, ber
        module.radioChanged()
        return _view(module)

    def loseContext(self, call: Call) -> object:
        """
        Let the network end a context.
        """
        module, cid = self._known(call), int(call.path[1])
        if cid not in module.contexts.active and cid not in module.contexts.external:
            raise Refusal(409, f"context {cid} is not active")
        module.contexts.lose(cid)
        return _view(module)

    def pin(self, call: Call) -> object:
        """
        Set the level that is on a pin.
        """
        module, number = self._known(call), int(call.path[1])
        pins = module.product.family.pins
        if not 1 <= number <= pins:
            raise Refusal(404, f"the module has pins 1 to {pins}")
        module.part(Hardware).pin(number).level = call.body(PinChange).level
        return _view(module)

    def converter(self, call: Call) -> object:
        """
        Set the voltage at a converter.
        """
        module, number = self._known(call), int(call.path[1])
        measured = module.part(Hardware).millivolts
        if number not in measured:
            raise Refusal(404, f"the module has converters {', '.join(map(str, measured))}")
        measured[number] = call.body(ConverterChange).millivolts
        return _view(module)

    def temperature(self, call: Call) -> object:
        """
        Heat or cool a module.
        """
        module = self._known(call)
        module.part(Hardware).temperature = call.body(TemperatureChange).celsius
        return _view(module)

    def network(self, call: Call) -> object:
        """
        Show the network.
        """
        call.query()
        network = self._rack.network
        return {
            "inService": network.inService,
            "operators": [OperatorView(each.name, each.code, each.forbidden) for each in network.operators],
            "hosts": network.hosts,
            "rejects": sorted(network.rejects),
            "givesNameservers": network.givesNameServers,
            "accessPoints": [
                {"name": name, "user": point.user, "seconds": point.seconds}
                for name, point in network.accessPoints.items()
            ],
            "refusal": 0 if network.refusal is None else network.refusal.number,
            "releaseFails": network.releaseFails,
        }

    def changeNetwork(self, call: Call) -> object:
        """
        Change the network; the modules notice at once.
        """
        network, body = self._rack.network, call.body(NetworkChange)
        if body.hosts is not None:
            try:
                checkHosts(body.hosts)
            except ConfigError as error:
                raise Refusal(400, str(error)) from None
            network.hosts = body.hosts
        if body.rejects is not None:
            network.rejects = set(body.rejects)
        if body.givesNameservers is not None:
            network.givesNameServers = body.givesNameservers
        if body.accessPoints is not None:
            network.accessPoints = {
                each.name: AccessPoint(each.user, each.password, each.seconds) for each in body.accessPoints
            }
        if body.refusal is not None:
            network.refusal = multitechReason(body.refusal) if body.refusal else None
        if body.releaseFails is not None:
            network.releaseFails = body.releaseFails
        if body.operators is not None:
            network.operators = [_operator(each, network.operators) for each in body.operators]
        network.setService(network.inService if body.inService is None else body.inService)
        return self.network(call)

    def _known(self, call: Call) -> EmulatedModule:
        module = self._rack.modules.get(call.path[0])
        if module is None:
            raise Refusal(404, f"there is no module with IMEI {call.path[0]}")
        return module


def _operator(wanted: OperatorView, present: list[Operator]) -> Operator:
    """
    An operator as wanted: the present one if nothing of it changes, so that modules stay with it.
    """
    for each in present:
        if (each.name, each.code, each.forbidden) == (wanted.name, wanted.code, wanted.forbidden):
            return each
    return Operator(wanted.name, wanted.code, forbidden=wanted.forbidden)


def _summary(module: EmulatedModule) -> dict[str, Any]:
    return {
        "imei": module.imei,
        "product": module.product.name,
        "software": module.product.software,
        "number": module.number,
        "power": module.power.value,
    }


def _socket(socket: Socket) -> dict[str, Any]:
    return {
        "connId": socket.connId,
        "state": socket.status.name.lower(),
        "sent": socket.sent,
        "received": socket.received,
    }


def _view(module: EmulatedModule) -> dict[str, Any]:
    radio, sim, hardware = module.radio, module.sim, module.part(Hardware)
    table, service = module.part(SocketTable), module.part(TCPATRUNService)
    return {
        **_summary(module),
        "sim": {"inserted": sim.inserted, "state": sim.state if sim.isPresent else "absent"},
        "radio": {
            "stat": radio.stat if module.power is Power.ON else 0,
            "operator": radio.operator.name if radio.operator is not None else None,
            "attached": radio.isAttached,
            "rssi": radio.rssi,
            "ber": radio.ber,
        },
        "contexts": [{"cid": cid, "address": address} for cid, address in sorted(module.contexts.active.items())],
        "sockets": [_socket(table.socket(connId)) for connId in range(1, SOCKETS + 1) if not table.isFree(connId)],
        "services": [
            {
                "name": SERVICE,
                "mode": None if service.mode is None else service.mode.value,
                "state": service.state.value,
            }
        ],
        "reserved": {
            str(number): owner for number in (1, 2, 3) if (owner := module.switchboard.reservedBy(number)) is not None
        },
        "millivolts": {str(number): value for number, value in hardware.millivolts.items()},
        "temperature": hardware.temperature,
    }
