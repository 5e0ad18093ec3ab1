"""
Imports point one way: codec -> module and peer -> emulator and fleet -> daemons -> plugins.

Each module of the product is read, never imported, and each import in it is held against the layer of the module.
An import under C{TYPE_CHECKING} may name what stands higher in the same package, since it brings nothing along.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PROTOCOLS = {
    *("at", "tcpatrun", "smsatrun", "sms", "ipeasy", "multitech", "transparent", "ftp", "mail", "ppp", "cmux"),
}
"""The protocol packages; they may build on C{at}, and otherwise don't know each other."""

BUILDS_ON = {
    "smsatrun": {"sms"},
    "transparent": {"multitech"},
    "ftp": {"multitech"},
    "mail": {"multitech"},
}
"""
And what else a protocol package builds on: SMSATRUN is a use of short messages, and can't be had without them; the
services of Multi-Tech's stack share its parameters and its connection.
"""

SHELLS = {
    "at.calling",
    "at.module",
    "at.online",
    "at.peer",
    "at.peerkeeping",
    "at.peeronline",
    "at.peersending",
    "at.peertransfer",
    "at.peertransport",
    "at.peerwire",
    "at.port",
    "at.prompting",
    "at.running",
    "at.surroundings",
    "at.unpeered",
    "smsatrun.commands",
    "smsatrun.module",
    "smsatrun.peer",
    "smsatrun.surroundings",
    "tcpatrun.commands",
    "tcpatrun.module",
    "tcpatrun.peer",
    "tcpatrun.session",
    "tcpatrun.surroundings",
    "transparent.commands",
    "transparent.datagrams",
    "transparent.module",
    "transparent.peer",
    "transparent.peersockets",
    "transparent.service",
    "transparent.sockets",
    "ftp.commands",
    "ftp.control",
    "ftp.module",
    "ftp.peer",
    "ftp.multitech",
    "ftp.multitechpeer",
    "ftp.peererrors",
    "ftp.session",
    "ftp.transfer",
    "mail.channels",
    "mail.commands",
    "multitech.commands",
    "multitech.connection",
    "multitech.names",
    "multitech.ping",
    "multitech.peer",
    "multitech.peerdata",
    "multitech.peerfiles",
    "multitech.peerparameters",
    "multitech.surroundings",
    "mail.module",
    "mail.multitech",
    "mail.multitechcommands",
    "mail.multitechpeer",
    "mail.peer",
    "mail.retrieval",
    "mail.sender",
    "mail.session",
    "mail.submission",
    "mail.surroundings",
    "sms.centre",
    "sms.outside",
    "sms.commands",
    "sms.modes",
    "sms.options",
    "sms.indications",
    "sms.module",
    "sms.peer",
    "sms.peerinbox",
    "sms.surroundings",
    "ipeasy.bridge",
    "ipeasy.commands",
    "ipeasy.conversation",
    "ipeasy.dialling",
    "ipeasy.sockets",
    "ipeasy.status",
    "ipeasy.surroundings",
    "ipeasy.link",
    "ipeasy.listening",
    "ipeasy.module",
    "ipeasy.datagram",
    "ipeasy.segments",
    "ipeasy.old",
    "ipeasy.peer",
    "ipeasy.peercommand",
    "ipeasy.peerlistening",
    "ipeasy.peeronline",
}
"""The modules of protocol packages that may know Twisted; every other one is a codec."""

NOT_IN = {
    "endpoints": PROTOCOLS - {"at", "ipeasy", "multitech", "transparent"} | {"emulator", "fleet", "testing", "demo"},
    "emulator": {"fleet", "testing", "demo"},
    "fleet": {"emulator", "testing", "demo"},
    "testing": {"demo"},
}
"""What a package that is no protocol doesn't know."""

TOPS = {"demo", "testing"}
"""What may use the daemons."""

LEAVES = {"admission", "pacing", "secret"}
"""Plain values that build on nothing; anybody may use them."""

DAEMONS = {"tap", "cli"}
"""The modules that read command lines."""


def modulesUnder(root: Path) -> Iterator[str]:
    """The dotted names of all modules of the product."""
    for path in sorted([*(root / "atrunproto").rglob("*.py"), *(root / "twisted").rglob("*.py")]):
        yield ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def fileOf(root: Path, name: str) -> Path:
    """The file of a module."""
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@dataclass(frozen=True)
class Import:
    """One import of a module."""

    name: str
    """What is imported: C{from a import b} is C{a.b} where that is a module, and otherwise C{a}."""

    late: bool = False
    """It stands in a function, and isn't executed when the module is imported."""

    typesOnly: bool = False
    """It stands under C{TYPE_CHECKING}, and isn't executed at all."""


def importsOf(root: Path, name: str, source: str) -> Iterator[Import]:
    """All imports of a module, wherever they stand in it."""
    package = name if fileOf(root, name).name == "__init__.py" else name.rpartition(".")[0]

    def walk(node: ast.AST, where: Import) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (replace(where, name=alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                known = full == "twisted.internet.reactor" or fileOf(root, full).exists()
                yield replace(where, name=full if known else base)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            where = replace(where, late=True)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            where = replace(where, typesOnly=True)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, where)

    return walk(ast.parse(source), Import(""))


def faultsOf(name: str, imports: Iterable[Import]) -> list[str]:
    """What is wrong with the imports of a module."""
    return [f"{name} imports {each.name}: {fault}" for each in imports for fault in _faults(name.split("."), each)]


def _faults(parts: list[str], each: Import) -> Iterator[str]:
    package = parts[1] if len(parts) > 1 else ""
    target = each.name.split(".")
    to = target[1] if target[0] == "atrunproto" and len(target) > 1 else ""
    executed = not each.typesOnly
    if each.name == "twisted.internet.reactor" and executed and not each.late:
        yield "the reactor, when it is imported itself"
    if package in PROTOCOLS:
        if to and to not in {package, "at", *LEAVES, *BUILDS_ON.get(package, ())}:
            yield "a protocol package builds on at alone"
        if len(parts) > 2 and ".".join(parts[1:]) not in SHELLS and executed:
            if target[0] in {"twisted", "zope"}:
                yield "a codec doesn't know Twisted"
            if ".".join(target[1:]) in SHELLS:
                yield "a codec doesn't know what is built on it"
    elif to in NOT_IN.get(package, set()):
        yield "it stands higher, or beside"
    if package not in TOPS and parts[-1] not in DAEMONS:
        if to and target[-1] in DAEMONS:
            yield "only a daemon is above the daemons"
        if each.name in {"argparse", "twisted.python.usage"}:
            yield "only a daemon reads a command line"


@pytest.mark.parametrize("name", list(modulesUnder(ROOT)))
def test_importsPointOneWay(name: str) -> None:
    """Every part can be embedded without what is built on top of it."""
    source = fileOf(ROOT, name).read_text(encoding="utf-8")
    assert faultsOf(name, importsOf(ROOT, name, source)) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("atrunproto.at.grammar", "from twisted.internet import defer"),
        ("atrunproto.at.grammar", "import zope.interface"),
        ("atrunproto.at.grammar", "from atrunproto.at.module import ATInstance"),
        ("atrunproto.at.grammar", "from .module import ATInstance"),
        ("atrunproto.tcpatrun.login", "def f():\n    import twisted"),
        ("atrunproto.tcpatrun.module", "from atrunproto.ipeasy import table"),
        ("atrunproto.sms.peer", "from atrunproto.smsatrun import digest"),
        ("atrunproto.tcpatrun.module", "from atrunproto.emulator.module import Module"),
        ("atrunproto.at.peer", "from atrunproto import tcpatrun"),
        ("atrunproto.at.peer", "from .. import tcpatrun"),
        ("atrunproto.at.peer", "if TYPE_CHECKING:\n    from atrunproto.fleet.links import Link"),
        ("atrunproto.at.peer", "import atrunproto.fleet"),
        ("atrunproto.at.peer", "from twisted.internet import reactor"),
        ("atrunproto.emulator.module", "from atrunproto.fleet.store import Store"),
        ("atrunproto.emulator.module", "from atrunproto.emulator.tap import Options"),
        ("atrunproto.emulator.module", "import argparse"),
        ("atrunproto.fleet.links", "if True:\n    from twisted.internet import reactor"),
        ("atrunproto.fleet.links", "from atrunproto.emulator import products"),
    ],
)
def test_wrongWay(tmp_path: Path, name: str, source: str) -> None:
    """An import that goes the wrong way is found, wherever in the module it stands."""
    for package in ("tcpatrun", "emulator", "fleet", "ipeasy"):
        (tmp_path / "atrunproto" / package).mkdir(parents=True)
        (tmp_path / "atrunproto" / package / "__init__.py").touch()
    assert len(faultsOf(name, importsOf(tmp_path, name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("atrunproto.at.grammar", "import re"),
        ("atrunproto.at.grammar", "if TYPE_CHECKING:\n    from .module import ATInstance"),
        ("atrunproto.at.module", "from atrunproto.at.grammar import parse\nfrom twisted.internet import defer"),
        ("atrunproto.tcpatrun.peer", "from atrunproto.at.peer import ATClient"),
        ("atrunproto.smsatrun.peer", "from atrunproto.sms.peer import SMSClient"),
        ("atrunproto.emulator.tap", "def f():\n    from twisted.internet import reactor"),
        ("atrunproto.fleet.tap", "from atrunproto.fleet.links import Dialler\nfrom twisted.python import usage"),
    ],
)
def test_rightWay(name: str, source: str) -> None:
    """An import that goes the right way isn't complained of."""
    assert faultsOf(name, importsOf(ROOT, name, source)) == []
