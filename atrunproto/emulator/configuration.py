"""
The emulator's configuration: its fields and defaults, what they may say, and the modules that follow from it.

Read once, in the daemon's layer; nothing below it knows that there is such a thing.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta, timezone
from pathlib import Path
from random import Random
from typing import Annotated

import msgspec

from atrunproto.at.errors import Misuse
from atrunproto.secret import Secret
from atrunproto.sms.centre import DEFAULT_NUMBER, Faults, ServiceCentre
from atrunproto.smsatrun.activation import Activation
from atrunproto.smsatrun.digest import Password
from atrunproto.toml import ConfigError, Table

from .network import EXAMPLE_CELLS, AccessPoint, AddressPool, Cell, Operator
from .products import PRODUCTS, Product, product

#: modules of one process
MAX_MODULES = 65_536
#: the identity of the first module if none is given; those of the others are counted up
FIRST_IMEI = "357000000000001"
FIRST_NUMBER = "+390000000001"
#: the pool of contexts' addresses: of one module, and of several
ONE_MODULE, SEVERAL_MODULES = "127.0.0.1/8", "127.64.0.0/16"
#: typical durations can be stretched to so many times
MAX_TIME_SCALE = 1000.0
#: AT instances of a module, and its serial ports
INSTANCES = ("1", "2", "3")
SERIAL_PORTS = ("0", "1")

#: country and network, five or six digits
OPERATOR_CODE = msgspec.Meta(pattern=r"^[0-9]{5,6}$")

#: as long as #APNSERV may be
ACCESS_POINT_NAME = msgspec.Meta(min_length=1, max_length=120)

#: seconds that a short message can be under way, and the share of messages that something happens to
UnderWay = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

_CENTRE_NUMBER = msgspec.Meta(pattern=r"^\+?[0-9]{3,20}$")
_NUMBERED = re.compile(r"\{n(?:\+(\d{1,5}))?\}")
_INTERFACE = re.compile(r"(?<!\\):interface=((?:\\.|[^:\\])*)")


class CellConfig(Table, kw_only=True):
    """
    A cell that can be received, in the units of #MONI and #SERVINFO.
    """

    lac: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    identity: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFF)]
    arfcn: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    bsic: Annotated[int, msgspec.Meta(ge=0, le=0o77)] = 0o75
    #: of the signal, in dBm
    power: Annotated[int, msgspec.Meta(ge=-120, le=-20)] = -72
    c1: int = 32
    c2: int = 32
    rac: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1


class OperatorConfig(Table, kw_only=True):
    """
    An operator; the first one is that of the SIM cards.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    code: Annotated[str, OPERATOR_CODE]
    forbidden: bool = False
    #: empty: those of the printed examples
    cell: list[CellConfig] = msgspec.field(default_factory=list)


class MessagesConfig(Table, kw_only=True):
    """
    The service centre of short messages, and what becomes of messages on their way.
    """

    #: of the service centre
    number: Annotated[str, _CENTRE_NUMBER] = DEFAULT_NUMBER
    #: multiplied by the time scale, as the jitter is
    delay: UnderWay = 1.0
    jitter: UnderWay = 0.0
    loss: Share = 0.0
    duplicate: Share = 0.0
    reorder: bool = False
    #: of the generator that decides; none: it decides differently each time
    seed: int | None = None

    def setUp(self, centre: ServiceCentre, timeScale: float) -> None:
        """
        Make a service centre what is said here.
        """
        centre.number = self.number
        centre.faults = Faults(self.delay * timeScale, self.jitter * timeScale, self.loss, self.duplicate, self.reorder)
        centre.random = Random(self.seed)


class AccessPointConfig(Table, kw_only=True):
    """
    An access point of the packet service.
    """

    name: Annotated[str, ACCESS_POINT_NAME]
    #: empty: everybody may use it
    user: str = ""
    password: Secret = msgspec.field(default_factory=lambda: Secret(""))
    #: how much longer than usual an activation takes; multiplied by the time scale
    seconds: UnderWay = 0.0

    def accessPoint(self, timeScale: float) -> AccessPoint:
        """
        What it is to the network.
        """
        return AccessPoint(self.user, self.password, self.seconds * timeScale)


class NetworkConfig(Table, kw_only=True):
    """
    The world round the modules.
    """

    #: whether there is coverage at the start
    inService: bool = True
    #: names that the network's name server knows, before others are asked
    hosts: dict[str, str] = msgspec.field(default_factory=dict)
    #: addresses of the name servers that contexts get; empty: the system's resolver is asked
    nameservers: Annotated[list[str], msgspec.Meta(max_length=2)] = msgspec.field(default_factory=list)
    #: whether contexts are given name servers at all
    givesNameservers: bool = True
    #: access point names whose contexts are refused
    rejects: list[str] = msgspec.field(default_factory=list)
    #: empty: whatever name is asked for is one
    accessPoint: list[AccessPointConfig] = msgspec.field(default_factory=list)
    #: the time zone, in quarters of an hour east of Greenwich, as +CCLK shows it
    zone: Annotated[int, msgspec.Meta(ge=-48, le=56)] = 0
    messages: MessagesConfig = msgspec.field(default_factory=MessagesConfig)
    #: empty: three operators of the printed examples
    operator: list[OperatorConfig] = msgspec.field(default_factory=list)


class ActivationConfig(Table, kw_only=True):
    """
    The special message that enables SMSATRUN.
    """

    #: who may send it, as in the white list
    sender: str
    #: what it says, with places for C{{password}} and C{{number}}
    text: str
    #: the one that a message without its own brings
    password: str = ""

    def activation(self) -> Activation:
        """
        What it is to the module.

        @raise ConfigError: it can't be used.
        """
        try:
            return Activation(self.sender, self.text, Password(self.password) if self.password else None)
        except Misuse as error:
            raise ConfigError(f"activation: {error}") from None


class ModuleConfig(Table, kw_only=True):
    """
    One module, or several that are alike.
    """

    product: str = "HE910-EUR"
    #: empty: the product's
    software: str = ""
    #: of the first one; empty: counted on from the module before
    imei: str = ""
    number: str = ""
    #: a file, or with several modules a folder; empty: nothing is kept
    nvm: str = ""
    startup: list[str] = msgspec.field(default_factory=list)
    #: none: no message enables SMSATRUN
    activation: ActivationConfig | None = None
    #: those that differ from the product's, by name
    limit: dict[str, int] = msgspec.field(default_factory=dict)
    #: AT instance to endpoint string
    at: dict[str, str] = msgspec.field(default_factory=dict)
    #: serial port to endpoint string
    serial: dict[str, str] = msgspec.field(default_factory=dict)
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_MODULES)] = 1


class EmulatorConfig(Table, kw_only=True):
    """
    All settings of C{atrun-module}.
    """

    #: of packet-data contexts; empty: depends on the number of modules
    address: str = ""
    #: an endpoint string; empty: none
    control: str = ""
    #: where the token of the control interface is kept; empty: there is none
    controlTokenFile: str = ""
    timeScale: float = 1.0
    network: NetworkConfig = msgspec.field(default_factory=NetworkConfig)
    module: list[ModuleConfig] = msgspec.field(default_factory=list)

    def overlay(self, given: Mapping[str, str]) -> None:
        """
        Set what options say, by the keys of the file.

        @raise msgspec.ValidationError: if one cannot be used.
        """
        values = msgspec.convert(given, EmulatorConfig, strict=False)
        for field in msgspec.structs.fields(EmulatorConfig):
            if field.encode_name in given:
                setattr(self, field.name, getattr(values, field.name))


class ModulePlan(msgspec.Struct, frozen=True):
    """
    One module to be made.

    @ivar ports: what each is called in messages, AT instance (C{None}: a serial port without one), endpoint string.
    """

    product: Product
    imei: str
    number: str
    nvm: Path | None
    startup: tuple[str, ...]
    ports: tuple[tuple[str, int | None, str], ...]
    activation: Activation | None = None


def planModules(modules: list[ModuleConfig], checkEndpoint: Callable[[str], object]) -> list[ModulePlan]:
    """
    Count out the modules, and check what is said of them.

    @param checkEndpoint: raises whatever it likes if it can't read an endpoint string.
    @raise ConfigError: beginning with the option's name.
    """
    plans: list[ModulePlan] = []
    imei, number = FIRST_IMEI, FIRST_NUMBER
    for position, config in enumerate(modules, 1):
        imei, number = config.imei or imei, config.number or number
        try:
            for plan in _planAlike(config, imei, number, checkEndpoint):
                plans.append(plan)
                imei, number = _next(plan.imei), _next(plan.number)
        except ConfigError as error:
            raise ConfigError(f"{error} (module {position})" if len(modules) > 1 else str(error)) from None
    if len(plans) > MAX_MODULES:
        raise ConfigError(f"count: there are {len(plans)} modules in all, at most {MAX_MODULES} are possible")
    _refuseTwice("imei", [plan.imei for plan in plans])
    _refuseTwice("number", [plan.number for plan in plans])
    _refuseTwice("nvm", [str(plan.nvm) for plan in plans if plan.nvm is not None])
    # a TCP port that is taken is noticed when it is opened; a terminal would just be taken away
    _refuseTwice("at", [place for plan in plans for _, _, place in plan.ports if not place.startswith("tcp")])
    return plans


def _refuseTwice(option: str, values: list[str]) -> None:
    twice = next((value for value, times in Counter(values).items() if times > 1), None)
    if twice is not None:
        raise ConfigError(f"{option}: {twice} is given twice")


def _planAlike(
    config: ModuleConfig, imei: str, number: str, checkEndpoint: Callable[[str], object]
) -> Iterator[ModulePlan]:
    kind = chosenProduct(config.product, config.software, config.limit)
    if re.fullmatch("[0-9]{15}", imei) is None:
        raise ConfigError(f"imei: {imei!r} is not 15 digits")
    if int(imei) + config.count > 10**15:
        raise ConfigError(f"imei: {imei} cannot be counted up for {config.count} modules")
    if re.fullmatch(r"\+?[0-9]{3,15}", number) is None:
        raise ConfigError(f"number: {number!r} is not a telephone number of 3 to 15 digits, with or without +")
    if len(_next(number, config.count).removeprefix("+")) > 15:
        raise ConfigError(f"number: {number} cannot be counted up for {config.count} modules")
    for line in config.startup:
        if line[:2].upper() != "AT" or not (line.isascii() and line.isprintable()):
            raise ConfigError(f"startup: {line!r} is not a command line: it begins with AT and is printable ASCII")
    activation = None if config.activation is None else config.activation.activation()
    folder = Path(config.nvm).absolute() if config.nvm else None
    if folder is not None and config.count > 1 and not folder.is_dir():
        raise ConfigError(f"nvm: with count {config.count} it is a folder, and there is no folder {folder}")
    _checkPorts("at", config.at, INSTANCES)
    _checkPorts("serial", config.serial, SERIAL_PORTS)
    if "1" in config.at and "0" in config.serial:
        raise ConfigError("serial: port 0 carries AT instance 1, which --at gives to another place")
    for offset in range(config.count):
        ports = [
            (f"{option} {name}={endpoint}", instance, endpoint)
            for option, places in (("at", config.at), ("serial", config.serial))
            for name, text in places.items()
            for instance, endpoint in [(int(name) if option == "at" else None, numbered(option, text, config, offset))]
        ]
        if not offset:
            for option, _, endpoint in ports:
                try:
                    checkEndpoint(endpoint)
                except Exception as error:
                    # An endpoint parser may raise anything.
                    raise ConfigError(f"{option.split()[0]}: {endpoint!r} cannot be used: {error}") from None
        ours = _next(imei, offset)
        yield ModulePlan(
            kind,
            ours,
            _next(number, offset),
            folder if folder is None or config.count == 1 else folder / f"{ours}.nvm",
            tuple(config.startup),
            tuple(ports),
            activation,
        )


def _next(number: str, by: int = 1) -> str:
    """
    Count a number up, keeping its plus sign and its leading zeros.
    """
    digits = number.removeprefix("+")
    return number[: len(number) - len(digits)] + str(int(digits) + by).zfill(len(digits))


def _checkPorts(option: str, places: Mapping[str, str], legal: tuple[str, ...]) -> None:
    for name in places:
        if name not in legal:
            raise ConfigError(f"{option}: {name!r} is not one of {', '.join(legal)}")


def numbered(option: str, endpoint: str, config: ModuleConfig, offset: int) -> str:
    """
    Put the number of a module, counted from 1, into an endpoint string: for C{{n}}, and with a sum for C{{n+5000}}.

    @raise ConfigError: if there are several modules and the string doesn't differ, or it has other braces.
    """
    text, count = _NUMBERED.subn(lambda match: str(offset + 1 + int(match[1] or 0)), endpoint)
    if "{" in text:
        raise ConfigError(f"{option}: {endpoint!r} has braces other than {{n}} and {{n+5000}}")
    if config.count > 1 and not count:
        raise ConfigError(
            f"{option}: with count {config.count} the endpoint {endpoint!r} carries {{n}} or {{n+5000}}, "
            "which stands for the number of the module"
        )
    return text


def chosenProduct(name: str, software: str, limits: Mapping[str, int]) -> Product:
    """
    The product of this name and software version, with these limits in place of its own.

    @raise ConfigError: there is none.
    """
    try:
        found = product(name)
    except Misuse as error:
        raise ConfigError(f"product: {error}; --list-products prints all") from None
    try:
        found = found.withSoftware(software) if software else found
    except Misuse as error:
        raise ConfigError(f"software: {error}") from None
    try:
        return found.withLimits(limits)
    except Misuse as error:
        raise ConfigError(f"limit: {error}") from None


def addressPool(address: str, count: int) -> AddressPool:
    """
    The addresses of the contexts of so many modules.

    @raise ConfigError: they can't come from there.
    """
    try:
        return AddressPool(address or (ONE_MODULE if count == 1 else SEVERAL_MODULES))
    except Misuse as error:
        raise ConfigError(f"address: {error}") from None


def operators(configs: list[OperatorConfig]) -> list[Operator]:
    """
    Make operators.
    """
    return [
        Operator(each.name, each.code, _cells(each.cell) if each.cell else EXAMPLE_CELLS, each.forbidden)
        for each in configs
    ]


def timeZone(quarters: int) -> timezone:
    """
    A time zone so many quarters of an hour east of Greenwich.
    """
    return timezone(timedelta(minutes=15 * quarters))


def _cells(configs: list[CellConfig]) -> tuple[Cell, ...]:
    return tuple(Cell(**msgspec.structs.asdict(cell)) for cell in configs)


def checkTimeScale(scale: float) -> None:
    """
    @raise ConfigError: durations can't be multiplied by that.
    """
    if not (math.isfinite(scale) and 0 <= scale <= MAX_TIME_SCALE):
        raise ConfigError(f"time-scale: {scale:g} is not within 0 and {MAX_TIME_SCALE:g}")


def checkHosts(hosts: Mapping[str, str]) -> None:
    """
    @raise ConfigError: one of the addresses is none.
    """
    for name, address in hosts.items():
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise ConfigError(f"hosts: {name} has {address!r}, which is not an IPv4 address") from None


def checkNameservers(addresses: Iterable[str]) -> None:
    """
    @raise ConfigError: one of the addresses is none.
    """
    for address in addresses:
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise ConfigError(f"nameservers: {address!r} is not an IPv4 address") from None


def isPrivate(endpoint: str) -> bool:
    """
    Whether a server endpoint string is reached from this machine only, as far as can be said.
    """
    kind = endpoint.partition(":")[0]
    if kind == "unix":
        return True
    interfaces = _INTERFACE.findall(endpoint)
    if kind not in ("tcp", "tcp4", "tcp6", "ssl", "tls") or not interfaces:
        return False
    interface = re.sub(r"\\(.)", r"\1", interfaces[-1])
    try:
        return interface == "localhost" or ipaddress.ip_address(interface).is_loopback
    except ValueError:
        return False


def listProducts() -> str:
    """
    A table of the products.
    """
    rows = [(each.name, each.family.name, each.software) for each in PRODUCTS.values()]
    return "\n".join(f"{name:<26}{family:<12}{software}" for name, family, software in [_HEAD, *rows])


_HEAD = ("PRODUCT", "FAMILY", "SOFTWARE")
