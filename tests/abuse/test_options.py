"""Malformed options and configuration files of both daemons: each is named, none gets further than the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.python.usage import Options, UsageError

from atrunproto.emulator.configuration import (
    CellConfig,
    EmulatorConfig,
    MessagesConfig,
    ModuleConfig,
    NetworkConfig,
    OperatorConfig,
)
from atrunproto.emulator.tap import Options as ModuleOptions
from atrunproto.fleet.config import DialConfig, HostConfig
from atrunproto.fleet.tap import Options as HostOptions

#: what makes each daemon's command line complete
ENOUGH = {ModuleOptions: ["--startup", "AT"], HostOptions: ["--dial", "tcp:127.0.0.1:1"]}
#: options that name a file which the daemon makes
MAKES = {"--nvm", "--token-file", "--control-token-file"}
#: options that end the program by themselves
INFORMATION = {"help", "version", "list-products"}

#: what people and scripts type by mistake
NONSENSE = [
    "", " ", "-1", "0", "1e999", "nan", "9" * 400, "9" * 20, "x" * 5000, "{", "{n", "{n+99999}", "%s", "=", "1=", "=1",
    "1=x", "1=tcp", "1=tcp:", "1=tcp:-1", "1=tcp:99999", "1=tcp:1:interface=", "1=pty:", "1=serial:", "tcp", "tcp:",
    "tcp:-1", "tcp:99999", "tcp:1:backlog=x", "tcp:1:a=b:c=d", "pty:", "unix:", "serial:", "ssl:1", "tls:1", ",", ",,",
    "tcp:127.0.0.1:1,", "tcp:127.0.0.1:1,=", "sqlite:", "sqlite://", "sqlite:///", "sqlite:////", "sqlite:///.",
    "postgresql://x", "/", ".", "..", "/dev/null", "/dev/null/x", "127.0.0.1/99", "127.0.0.1/-1", "::1", "256.0.0.1",
    "\0", "a\0b", "\n", "\r", "AT\0", "AT\r\n", "\u00e9", "\u0663", "\u2028", "\ud800", "\ufeff",
]  # fmt: skip


def names(kind: type[Options]) -> list[str]:
    """All options of a daemon that take a value."""
    return [name for name in map(str, kind().longOpt) if name.endswith("=") and name[:-1] not in INFORMATION]


def cases() -> Iterator[Any]:
    for kind in (ModuleOptions, HostOptions):
        for name in names(kind):
            yield pytest.param(kind, f"--{name[:-1]}", id=f"{kind.__module__.split('.')[1]}{name[:-1]}")


@pytest.mark.parametrize(("kind", "option"), list(cases()))
def test_option(kind: type[Options], option: str) -> None:
    """Whatever stands behind an option, it is taken, or refused by a message that names the option."""
    refused = []
    for value in NONSENSE:
        try:
            kind().parseOptions([*ENOUGH[kind], option, value])
        except UsageError as error:
            refused.append(str(error))
    assert [message for message in refused if not message.startswith(f"{option}: ")] == []
    # any name will do for a file that is yet to be made
    assert refused or option in MAKES


#: TOML values of every kind, most of them wrong wherever they stand
VALUES = ["0", "-1", "1e400", "nan", "''", "'x'", '"\\u0000"', "true", "[]", "[[]]", "[1]", "['x']", "{}", "{ x = 1 }",
          "[{}]", "1979-05-27", "99999999999999999999999"]  # fmt: skip


def keys(kind: type[msgspec.Struct]) -> list[str]:
    """The keys of a table in a file."""
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def places() -> Iterator[Any]:
    """Each key of each table of both files, behind what stands before it."""
    for options, before, kind in (
        (ModuleOptions, "", EmulatorConfig),
        (ModuleOptions, "[network]\n", NetworkConfig),
        (ModuleOptions, "[network.messages]\n", MessagesConfig),
        (ModuleOptions, "[[module]]\n", ModuleConfig),
        (ModuleOptions, "[[network.operator]]\n", OperatorConfig),
        (ModuleOptions, "[[network.operator]]\nname='a'\ncode='00101'\n[[network.operator.cell]]\n", CellConfig),
        (HostOptions, "", HostConfig),
        (HostOptions, "[[dial]]\n", DialConfig),
    ):
        for key in keys(kind):
            yield pytest.param(options, before, key, id=f"{kind.__name__}-{key}")


@pytest.mark.parametrize(("kind", "before", "key"), list(places()))
def test_file(kind: type[Options], before: str, key: str) -> None:
    """Whatever stands behind a key of a file, it is taken, or refused by a message that names the key or option."""
    refused = []
    for value in VALUES:
        Path("settings.toml").write_text(f"{before}{key} = {value}\n")
        try:
            kind().parseOptions([*ENOUGH[kind], "--config", "settings.toml"])
        except UsageError as error:
            refused.append(str(error))
    named = f"--{key}: ", "--dial: ", "--config: settings.toml: ", "a module could not be reached: give --at"
    assert [message for message in refused if not message.startswith(named)] == []
    assert refused


@pytest.mark.parametrize("kind", [ModuleOptions, HostOptions])
@pytest.mark.parametrize("content", [b"\0", b"\xff\xfe", b"[", b"a = ", b"= 1", b"a = 1\na = 2", b"[[[", b"[" * 5000])
def test_noTOML(kind: type[Options], content: bytes) -> None:
    """A file that isn't TOML is named, whatever it is."""
    Path("settings.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"^--config: settings\.toml: "):
        kind().parseOptions([*ENOUGH[kind], "--config", "settings.toml"])
