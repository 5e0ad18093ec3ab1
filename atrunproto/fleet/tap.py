"""
C{twistd atrun-host}: its options, and the services that they make.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
from twisted.application.service import MultiService
from twisted.application.strports import service as listeningService
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IProtocolFactory, IReactorCore, IReactorFromThreads, IReactorTime
from twisted.python import usage

from atrunproto import __version__
from atrunproto.collecting import collectSeldom
from atrunproto.descriptions import readClient, readServer
from atrunproto.endpoints import SerialClientEndpoint
from atrunproto.files import openMany
from atrunproto.http import JSONSite
from atrunproto.starting import CannotStart
from atrunproto.token import TOKEN_SUFFIX, TokenError, makeToken
from atrunproto.toml import ConfigError, notText

from .api import API
from .config import HostConfig, parseDial, parseNetwork, readConfig
from .host import Host
from .links import dialler, listener
from .modem import Modem
from .ports import LocalModule
from .store import SQLiteStore, StoreError, WorkerThread, storePath

#: connections that wait in the kernel; a whole fleet may call at once, and Twisted's default is 50
BACKLOG = 4096

#: files that callers may have for a moment: Twisted takes a hundred and more at once, before the oldest are sent away
BURST = 128

#: endpoint strings that know C{backlog=}
_WITH_BACKLOG = ("tcp:", "tcp4:", "tcp6:", "ssl:", "unix:")


EXAMPLES = """
Examples:

  Modules call in at port 12345:

    twistd -n atrun-host --listen tcp:12345

  Modules are also reached by short message, over a modem on a serial port:

    twistd -n atrun-host --listen tcp:12345 --sms-gateway serial:/dev/ttyUSB0:baudrate=115200

  One module is called, and only modules of the operator's network may call in:

    twistd -n atrun-host --dial tcp:127.0.0.1:12346,user=me,password-file=me.password \\
        --listen tcp:12345 --allow 10.0.0.0/8

  Modules are attached to this machine:

    twistd -n atrun-host --local serial:/dev/ttyUSB0:baudrate=115200 --local serial:/dev/ttyS0:baudrate=9600
"""


class Options(usage.Options):
    """
    The command line of C{atrun-host}.
    """

    synopsis = "[options]"
    longdesc = (
        "A host that knows GSM modules by their IMEI and runs AT commands on them. Over TCPATRUN, modules in client "
        "mode call in at --listen, and modules in server mode are called by --dial; --local names the ports of modules "
        "attached to this machine; modules with a known telephone number are reached by short message over "
        "--sms-gateway. What to run comes from the command atrun or the HTTP/JSON interface."
    )

    optParameters = [  # noqa: RUF012
        ["http", None, None, "Where the HTTP/JSON interface is. [default: tcp:8080:interface=127.0.0.1]"],
        ["store", None, None, "Where modules and jobs are kept. [default: sqlite:///fleet.db]"],
        [
            "token-file",
            None,
            None,
            "The interface's token, made at the first start. [default: STORE's path and .token]",
        ],
        ["deadline", None, None, "Seconds that a command waits for its module if the job does not say. [default: 60]"],
        [
            "sms-gateway",
            None,
            None,
            "The AT port of the modem for short messages: an endpoint string such as serial:/dev/ttyUSB0.",
        ],
        ["max-strangers", None, None, "Callers that may be there without having told their IMEI. [default: 8192]"],
        [
            "config",
            None,
            None,
            "A TOML file with these settings, [[dial]] and [[module]] tables; options come on top of it.",
        ],
    ]

    def __init__(self) -> None:
        usage.Options.__init__(self)
        self._listen: list[str] = []
        self._allow: list[str] = []
        self._dial: list[str] = []
        self._local: list[str] = []
        #: file and options together, checked
        self.config = HostConfig()

    def getUsage(self, width: int | None = None) -> str:
        """
        Give the help text; the examples follow it, since Twisted would wrap them.
        """
        return super().getUsage(width) + EXAMPLES

    def opt_listen(self, endpoint: str) -> None:
        """
        Where modules in client mode call in: an endpoint string such as tcp:12345 or tls:12345:certKey=... Repeatable.
        """
        self._listen.append(endpoint)

    def opt_allow(self, network: str) -> None:
        """
        Take callers at --listen from this address or network only, as in 10.0.0.0/8. Repeatable.
        """
        self._allow.append(network)

    def opt_dial(self, module: str) -> None:
        """
        Call a module in server mode: ENDPOINT[,user=NAME][,password-file=PATH][,mode=automatic|step]. Repeatable.
        """
        self._dial.append(module)

    def opt_local(self, endpoint: str) -> None:
        """
        The AT port of a module attached to this machine: an endpoint string such as serial:/dev/ttyUSB0. Repeatable.
        """
        self._local.append(endpoint)

    def opt_version(self) -> None:
        """
        Print the version and end.
        """
        print(f"atrun-host {__version__}")  # noqa: T201
        raise SystemExit(0)

    def postOptions(self) -> None:
        """
        Put file and options together and check everything that can be checked before the start.
        """
        from twisted.internet import reactor

        self.config = config = self._merged()
        for endpoint in config.listen:
            _checked("listen", endpoint, lambda text: readServer(reactor, text))
        for network in config.allow:
            _checked("allow", network, parseNetwork)
        for dial in config.dial:
            _checked("dial", dial.endpoint, lambda text: readClient(reactor, text))
            try:
                dial.readPassword()
            except ConfigError as error:
                raise usage.UsageError(f"--dial: {error}") from None
        _checkPorts(config, reactor)
        for module in config.module:
            try:
                module.mobile()
            except ConfigError as error:
                raise usage.UsageError(f"--config: [[module]] {module.number}: {error}") from None
        _checked("http", config.http, lambda text: readServer(reactor, text))
        path = Path(_checked("store", config.store, storePath)).absolute()
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise usage.UsageError(f"--store: {path.parent} is no folder that can be written to")
        if not (config.listen or config.dial or config.local or config.smsGateway):
            raise usage.UsageError("no module could be reached: give --listen or --dial, --local or --sms-gateway")

    def _merged(self) -> HostConfig:
        try:
            config = readConfig(self["config"]) if self["config"] is not None else HostConfig()
        except ConfigError as error:
            raise usage.UsageError(f"--config: {error}") from None
        names = ("http", "store", "token-file", "deadline", "sms-gateway", "max-strangers")
        given = {name: self[name] for name in names if self[name] is not None}
        try:
            config.overlay(given)
        except msgspec.ValidationError as error:
            raise usage.UsageError(f"--{_optionOf(str(error))}: {error}") from None
        except UnicodeEncodeError as error:
            raise usage.UsageError(f"--{notText(error, given)}") from None
        config.listen += self._listen
        config.allow += self._allow
        config.local += self._local
        config.dial += [_checked("dial", text, parseDial) for text in self._dial]
        return config


def _optionOf(message: str) -> str:
    """
    Find the option in an error of the form C{... at `$.deadline`}.
    """
    return message.rpartition("$.")[2].rstrip("`").partition("[")[0]


def _checked(option: str, value: str, check: Callable[[str], Any]) -> Any:
    """
    Have a value checked.

    @raise usage.UsageError: with the option's name.
    """
    try:
        return check(value)
    except ConfigError as error:
        raise usage.UsageError(f"--{option}: {error}") from None
    except Exception as error:
        # An endpoint parser may raise anything.
        raise usage.UsageError(f"--{option}: {value!r} cannot be used: {error}") from None


def _checkPorts(config: HostConfig, reactor: IReactorCore) -> None:
    """
    Check the AT ports, each of which takes one user.

    @raise usage.UsageError: one cannot be used, or has two users.
    """
    users: dict[str, str] = {}
    ports = [("local", text) for text in config.local]
    if config.smsGateway:
        ports.append(("sms-gateway", config.smsGateway))
    for option, text in ports:
        endpoint = _checked(option, text, lambda text: readClient(reactor, text))
        place = os.path.realpath(endpoint.device) if isinstance(endpoint, SerialClientEndpoint) else text
        if place in users:
            raise usage.UsageError(f"--{option}: {text!r} is the port of --{users[place]} already")
        users[place] = option


def withBacklog(endpoint: str) -> str:
    """
    Give a listening endpoint string a backlog for a fleet, unless it has one.
    """
    if endpoint.startswith(_WITH_BACKLOG) and ":backlog=" not in endpoint:
        return f"{endpoint}:backlog={BACKLOG}"
    return endpoint


class Daemon(MultiService):
    """
    The services of a host as a program: what prevents its start is one line on the terminal.
    """

    def privilegedStartService(self) -> None:
        """
        Open the ports.

        @raise CannotStart: if one is taken.
        """
        with _endingClearly():
            super().privilegedStartService()

    def startService(self) -> None:
        """
        Open the store and begin.

        @raise CannotStart: if the store cannot be used.
        """
        with _endingClearly():
            super().startService()


@contextmanager
def _endingClearly() -> Iterator[None]:
    try:
        yield
    except (CannotListenError, OSError, StoreError, TokenError) as error:
        raise CannotStart(f"atrun-host: {error}") from None


def makeService(options: Options) -> MultiService:
    """
    Make the services of a host; no port is opened before they start.
    """
    from twisted.internet import reactor

    collectSeldom()
    with _endingClearly():
        return addServices(Daemon(), options.config, reactor)


def addServices(services: MultiService, config: HostConfig, reactor: Any) -> MultiService:
    """
    Add the services of a host to a parent; the one named C{host} is the L{Host} itself.

    @raise TokenError: if there is no token to be had.
    """
    clock = cast(IReactorTime, reactor)
    path = os.path.abspath(storePath(config.store))
    token = makeToken(config.tokenFile or path + TOKEN_SUFFIX)
    # half of the files are kept for modules and the host's own work, whoever calls
    strangers = min(config.maxStrangers, max(1, (openMany() - BURST) // 2))
    store = SQLiteStore(path, WorkerThread(cast(IReactorFromThreads, reactor)))
    host = Host(clock, store, strangers, config.smsGateway, [module.mobile() for module in config.module])
    host.setName("host")
    host.setServiceParent(services)

    site = JSONSite(API(host, token, config.deadline).resource, clock)
    _listen(services, "http", config.http, site, reactor)

    networks = [parseNetwork(network) for network in config.allow]
    for number, endpoint in enumerate(config.listen, 1):
        factory = listener(clock, host.reception, networks)
        _listen(services, f"listen-{number}", withBacklog(endpoint), factory, reactor)
    for number, dial in enumerate(config.dial, 1):
        dialling = dialler(
            clock,
            host.reception,
            readClient(reactor, dial.endpoint),
            dial.user,
            dial.readPassword(),
            None if dial.mode is None else dial.mode == "step",
            dial.endpoint,
        )
        dialling.setName(f"dial-{number}")
        dialling.setServiceParent(services)
    for number, text in enumerate(config.local, 1):
        local = LocalModule(clock, readClient(reactor, text), host.reception, name=text)
        local.setName(f"local-{number}")
        local.setServiceParent(services)
    if config.smsGateway:
        modem = Modem(clock, readClient(reactor, config.smsGateway), host.gateway)
        modem.setName("sms-gateway")
        modem.setServiceParent(services)
    return services


def _listen(services: MultiService, name: str, endpoint: str, factory: IProtocolFactory, reactor: IReactorCore) -> None:
    """
    Add a port, that ends the start of the daemon if it is taken.
    """
    listening = listeningService(endpoint, factory, reactor)
    listening.setName(name)
    listening.setServiceParent(services)
