"""
The host's configuration: its fields and defaults, and how they are read from TOML and from C{--dial}.

Read once, in the daemon's layer; nothing below it knows that there is such a thing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from atrunproto.at.errors import Misuse
from atrunproto.secret import Secret, readSecret
from atrunproto.toml import ConfigError, Table, readFile, refuseUnknown

from .api import DEFAULT_DEADLINE, MAX_DEADLINE
from .links import MAX_STRANGERS, Network
from .mobile import Mobile, makeMobile

#: the two logins of server mode
Mode = Literal["automatic", "step"]


class _WithPassword(Table, kw_only=True):
    """
    A table with a password in it, or in a file.
    """

    #: either of the two
    password: Secret = Secret("")
    passwordFile: str = ""

    def readPassword(self) -> Secret:
        """
        Give the password, from wherever it stands.

        @raise ConfigError: if the file cannot be read.
        """
        if not self.passwordFile:
            return self.password
        try:
            return Secret(Path(self.passwordFile).read_text("utf-8").rstrip("\r\n"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"password-file: {error}") from None


class DialConfig(_WithPassword, kw_only=True):
    """
    A module in server mode, that the host calls.
    """

    #: where it listens, as a client endpoint string
    endpoint: str
    user: str = ""
    #: which login it is set to; C{None}: found out
    mode: Mode | None = None


class ModuleConfig(_WithPassword, kw_only=True):
    """
    A module that is known by its telephone number; with a password, by digest messages.
    """

    number: str
    #: empty: the module is asked for it
    imei: str = ""

    def mobile(self) -> Mobile:
        """
        Give what the host wants of it.

        @raise ConfigError: there is something that cannot be used.
        """
        try:
            return makeMobile(self.number, self.imei, self.readPassword())
        except Misuse as error:
            raise ConfigError(str(error)) from None


class HostConfig(Table, kw_only=True):
    """
    All settings of C{atrun-host}.
    """

    #: where modules in client mode call in, as server endpoint strings
    listen: list[str] = msgspec.field(default_factory=list)
    #: networks whose callers are taken; empty: all
    allow: list[str] = msgspec.field(default_factory=list)
    #: modules in server mode
    dial: list[DialConfig] = msgspec.field(default_factory=list)
    #: the AT ports of modules that are attached to this machine, as client endpoint strings
    local: list[str] = msgspec.field(default_factory=list)
    #: the AT port of the modem for short messages, as a client endpoint string; empty: there is none
    smsGateway: str = ""
    #: modules that are reached by it
    module: list[ModuleConfig] = msgspec.field(default_factory=list)
    #: where the HTTP/JSON interface is
    http: str = "tcp:8080:interface=127.0.0.1"
    store: str = "sqlite:///fleet.db"
    #: where the token of the interface is kept; empty: beside the store
    tokenFile: str = ""
    #: seconds that an execution waits for its module if the job does not say
    deadline: Annotated[float, msgspec.Meta(gt=0, le=MAX_DEADLINE)] = DEFAULT_DEADLINE
    #: callers that may be there without having told who they are
    maxStrangers: Annotated[int, msgspec.Meta(ge=1)] = MAX_STRANGERS

    def overlay(self, given: Mapping[str, str]) -> None:
        """
        Set what options say, by the keys of the file.

        @raise msgspec.ValidationError: if one cannot be used.
        """
        values = msgspec.convert(given, HostConfig, strict=False)
        for field in msgspec.structs.fields(HostConfig):
            if field.encode_name in given:
                setattr(self, field.name, getattr(values, field.name))


def readConfig(path: str) -> HostConfig:
    """
    Read a TOML file.

    @raise ConfigError: naming the file and what is wrong in it.
    """
    return readFile(path, HostConfig, readSecret)


def parseDial(text: str) -> DialConfig:
    """
    Read C{ENDPOINT,user=NAME,password-file=PATH,mode=automatic|step}.

    A password itself is not taken here, where C{ps} shows it.

    @raise ConfigError: if that is not what it is.
    """
    endpoint, *rest = text.split(",")
    table: dict[str, str] = {"endpoint": endpoint}
    for part in rest:
        key, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"{part!r} is not KEY=VALUE")
        table[key] = value
    if "password" in table:
        raise ConfigError("a password on the command line can be seen by others: use password-file=PATH")
    refuseUnknown(table, DialConfig)
    try:
        return msgspec.convert(table, DialConfig, dec_hook=readSecret)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from None


def parseNetwork(text: str) -> Network:
    """
    Read an address or a network, as in C{10.0.0.0/8}.

    @raise ConfigError: if it is neither.
    """
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is neither an address nor a network: {error}") from None
