"""Tests of what an installation brings: data files, daemons, endpoint strings and the version."""

from __future__ import annotations

from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from twisted.application.service import IServiceMaker
from twisted.internet.interfaces import IStreamClientEndpointStringParserWithReactor, IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

ROOT = Path(__file__).resolve().parent.parent


def test_dataFilesAreInstalled() -> None:
    """An installed package has every file that the checkout has beside its modules."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["*"].split()
    files = [path for path in (ROOT / "atrunproto").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    data = [path for path in files if path.suffix != ".py"]
    assert [path.name for path in data if not any(fnmatchcase(path.name, each) for each in patterns)] == []


@pytest.mark.parametrize("name", ["atrun-module", "atrun-host"])
def test_daemons(name: str) -> None:
    """twistd knows both daemons, with options and a service each."""
    (maker,) = [each for each in getPlugins(IServiceMaker) if each.tapname == name]
    assert maker.options().getSynopsis()
    assert callable(maker.makeService)


@pytest.mark.parametrize("prefix", ["pty", "serial"])
def test_endpointStrings(prefix: str) -> None:
    """Every Twisted program knows our endpoint strings, for listening and for connecting."""
    for interface in (IStreamServerEndpointStringParser, IStreamClientEndpointStringParserWithReactor):
        parsers: list[Any] = list(getPlugins(interface))
        assert [each.prefix for each in parsers].count(prefix) == 1


def test_modemString() -> None:
    """Every Twisted program can connect through a modem."""
    parsers: list[Any] = list(getPlugins(IStreamClientEndpointStringParserWithReactor))
    assert [each.prefix for each in parsers].count("modem") == 1
