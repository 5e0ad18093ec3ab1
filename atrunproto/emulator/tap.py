"""
C{twistd atrun-module}: its options, and the services that they make.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import msgspec
from twisted.application.service import MultiService
from twisted.application.strports import service as listeningService
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.python import usage

from atrunproto import __version__
from atrunproto.collecting import collectSeldom
from atrunproto.descriptions import readServer
from atrunproto.files import openMany
from atrunproto.http import JSONSite
from atrunproto.secret import readSecret
from atrunproto.starting import CannotStart
from atrunproto.token import TokenError, makeToken
from atrunproto.toml import ConfigError, notText, readFile

from .configuration import (
    EmulatorConfig,
    ModuleConfig,
    addressPool,
    checkHosts,
    checkNameservers,
    checkTimeScale,
    isPrivate,
    listProducts,
    operators,
    planModules,
    timeZone,
)
from .control import MAX_BODY, Control
from .network import Network
from .rack import Rack, StartError

EXAMPLES = """
Examples:

  A module on a pseudo terminal (try: picocom ./at1) and on a TCP port (try: telnet localhost 5002):

    twistd -n atrun-module --product HE910-EUR --at 1=pty:./at1 \\
        --at 2=tcp:5002:interface=127.0.0.1 --nvm module.nvm

  Fifty modules at the ports from 5001, each with the run-AT service at port 12345 of an address of its own:

    twistd -n atrun-module --count 50 --at '1=tcp:{n+5000}:interface=127.0.0.1' \\
        --startup 'AT+CGDCONT=1,"IP","internet";#SGACT=1,1' \\
        --startup 'AT#TCPATRUNCFG=1,2,12345,1024,""' \\
        --startup 'AT#TCPATRUNFRWL=1,"127.0.0.1","255.0.0.0"' \\
        --startup 'AT#TCPATRUNAUTH=1,"me","secret";#TCPATRUNL=1'
"""


class Options(usage.Options):
    """
    The command line of C{atrun-module}.
    """

    synopsis = "[options]"
    longdesc = (
        "Emulated GSM modules that answer AT commands, on the ports given by --at and over TCPATRUN. Options about a "
        "module describe one, or with --count several that are alike, beside those of the configuration file."
    )

    optParameters = [  # noqa: RUF012
        ["product", None, None, "Which product it is; see --list-products. [default: HE910-EUR]"],
        ["software", None, None, "Its software version, such as 12.00.004. [default: the product's]"],
        ["imei", None, None, "Its IMEI, 15 digits, counted up with --count. [default: 357000000000001]"],
        ["number", None, None, "Its telephone number, counted up with --count. [default: +390000000001]"],
        ["nvm", None, None, "The file that is its non-volatile memory; with --count a folder. [default: none]"],
        ["count", None, None, "That many modules. [default: 1]"],
        ["address", None, None, "The address, or pool ADDRESS/BITS, of packet-data contexts. [default: 127.0.0.1 and "
         "on; with several modules 127.64.0.0/16]"],
        ["time-scale", None, None, "What typical durations are multiplied by; 0: everything at once. [default: 1]"],
        ["control", None, None, "Where the HTTP/JSON interface for faults and power is. [default: none]"],
        ["control-token-file", None, None, "Its token, made at the first start; without it the interface is on "
         "loopback or a unix socket only, and asks for none."],
        ["config", None, None, "A TOML file with these settings, [[module]] tables and [network]."],
    ]  # fmt: skip

    def __init__(self) -> None:
        usage.Options.__init__(self)
        self._module: dict[str, Any] = {"at": {}, "serial": {}, "startup": [], "limit": {}}
        #: file and options together, checked
        self.config = EmulatorConfig()

    def getUsage(self, width: int | None = None) -> str:
        """
        Give the help text; the examples follow it, since Twisted would wrap them.
        """
        return super().getUsage(width) + EXAMPLES

    def opt_at(self, place: str) -> None:
        """
        Put AT instance N, 1 to 3, on an endpoint: N=ENDPOINT; with --count it has {n} or {n+5000} in it. Repeatable.
        """
        self._attach("at", place)

    def opt_serial(self, place: str) -> None:
        """
        Put serial port N, 0 or 1, on an endpoint without an AT instance: N=ENDPOINT. Repeatable.
        """
        self._attach("serial", place)

    def _attach(self, option: str, place: str) -> None:
        name, equals, endpoint = place.partition("=")
        if not equals:
            raise usage.UsageError(f"--{option}: {place!r} is not N=ENDPOINT")
        if name in self._module[option]:
            raise usage.UsageError(f"--{option}: {name} is given twice")
        self._module[option][name] = endpoint

    def opt_limit(self, limit: str) -> None:
        """
        Have another limit than the product, as the manual lists them: NAME=N. Repeatable.
        """
        name, _, value = limit.partition("=")
        if not value.isdecimal():
            raise usage.UsageError(f"--limit: {limit!r} is not NAME=N")
        self._module["limit"][name] = int(value)

    def opt_startup(self, line: str) -> None:
        """
        A command line that each module runs at power-on before its ports are heard. Repeatable.
        """
        self._module["startup"].append(line)

    def opt_list_products(self) -> None:
        """
        Print the products with family and software version, and end.
        """
        print(listProducts())  # noqa: T201
        raise SystemExit(0)

    def opt_version(self) -> None:
        """
        Print the version and end.
        """
        print(f"atrun-module {__version__}")  # noqa: T201
        raise SystemExit(0)

    def postOptions(self) -> None:
        """
        Put file and options together and check everything that can be checked before the start.
        """
        from twisted.internet import reactor

        try:
            self.config = config = self._merged()
            checkTimeScale(config.timeScale)
            checkHosts(config.network.hosts)
            checkNameservers(config.network.nameservers)
            plans = planModules(config.module, lambda endpoint: readServer(reactor, endpoint))
            addressPool(config.address, len(plans))
        except ConfigError as error:
            raise usage.UsageError(f"--{error}") from None
        for module in config.module:
            if not (module.at or module.startup or module.nvm):
                raise usage.UsageError("a module could not be reached: give --at, --startup or --nvm")
        if config.control:
            try:
                readServer(reactor, config.control)
            except Exception as error:
                # An endpoint parser may raise anything.
                raise usage.UsageError(f"--control: {config.control!r} cannot be used: {error}") from None
            if not config.controlTokenFile and not isPrivate(config.control):
                raise usage.UsageError(
                    f"--control: {config.control!r} may be reached from other machines: add :interface=127.0.0.1, use "
                    "unix:PATH, or give --control-token-file"
                )

    def _merged(self) -> EmulatorConfig:
        try:
            config = EmulatorConfig()
            if self["config"] is not None:
                config = readFile(self["config"], EmulatorConfig, readSecret)
        except ConfigError as error:
            raise ConfigError(f"config: {error}") from None
        names = ("address", "time-scale", "control", "control-token-file")
        module = {**self._module, **self._given("product", "software", "imei", "number", "nvm", "count")}
        try:
            config.overlay(self._given(*names))
            if any(module.values()) or not config.module:
                config.module.append(msgspec.convert(module, ModuleConfig, strict=False))
        except msgspec.ValidationError as error:
            what, _, option = str(error).rpartition(" - at `$.")
            raise ConfigError(f"{option.rstrip('`')}: {what}") from None
        except UnicodeEncodeError as error:
            raise ConfigError(notText(error, {**module, **self._given(*names)})) from None
        return config

    def _given(self, *names: str) -> dict[str, str]:
        return {name: self[name] for name in names if self[name] is not None}


class Daemon(MultiService):
    """
    The services of the emulator as a program: what prevents its start is one line on the terminal.
    """

    def privilegedStartService(self) -> None:
        """
        Open the control port.

        @raise CannotStart: if it is taken.
        """
        with self._endingClearly():
            super().privilegedStartService()

    def startService(self) -> None:
        """
        Set up the modules.

        @raise CannotStart: if a memory or a port can't be had.
        """
        with self._endingClearly():
            super().startService()

    @contextmanager
    def _endingClearly(self) -> Iterator[None]:
        try:
            yield
        except (CannotListenError, OSError, StartError) as error:
            from twisted.internet import reactor

            reason = str(error) if isinstance(error, StartError) else f"--control: {error}"
            for service in self:
                if service.running:
                    service.stopService()
            # the reactor isn't to run any more: this is its one turn to remove links and sockets from the file system
            cast(Any, reactor).iterate()
            raise CannotStart(f"atrun-module: {reason}") from None


def makeService(options: Options) -> MultiService:
    """
    Make the services of the emulator; nothing is opened before they start.
    """
    from twisted.internet import reactor

    collectSeldom()
    try:
        return addServices(Daemon(), options.config, reactor)
    except TokenError as error:
        raise CannotStart(f"atrun-module: --control-token-file: {error}") from None


def addServices(services: MultiService, config: EmulatorConfig, reactor: Any) -> MultiService:
    """
    Add the services of the emulator to a parent; the one named C{rack} is the L{Rack} itself.

    @raise ConfigError: something in it cannot be used.
    @raise TokenError: if there is no token to be had.
    """
    openMany()
    plans = planModules(config.module, lambda endpoint: readServer(reactor, endpoint))
    network = Network(
        reactor,
        addressPool(config.address, len(plans)),
        inService=config.network.inService,
        hosts=dict(config.network.hosts),
        nameservers=list(config.network.nameservers),
        givesNameServers=config.network.givesNameservers,
        rejects=set(config.network.rejects),
        accessPoints={each.name: each.accessPoint(config.timeScale) for each in config.network.accessPoint},
        zone=timeZone(config.network.zone),
    )
    config.network.messages.setUp(network.centre, config.timeScale)
    if config.network.operator:
        network.operators = operators(config.network.operator)
    rack = Rack(reactor, network, plans, config.timeScale)
    if config.control:
        token = makeToken(config.controlTokenFile) if config.controlTokenFile else None
        site = JSONSite(Control(rack, token).resource, cast(IReactorTime, reactor), MAX_BODY)
        listening = listeningService(config.control, site, reactor)
        listening.setName("control")
        listening.setServiceParent(services)
    rack.setName("rack")
    rack.setServiceParent(services)
    return services
