"""Settings: factory values, what overrides them, where it is kept, and what of it survives."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.errors import CommandFailed
from atrunproto.at.parameters import Int, Text
from atrunproto.at.settings import Settings, Stored
from tests.at.fakes import FakeMemory

table = CommandTable("settings")
table.setting("#A", Int("a", 0, 9, default=1), Int("b", 0, 9, default=2), stored=Stored.NVM, shared=True)
table.setting("#K", Int("v", 0, 9, default=3), key=Int("id", 1, 3), factories={2: (5,)}, stored=Stored.NVM, shared=True)
table.setting("#D", Text("apn", 10, default=""), key=Int("cid", 1, 5), definable=True, stored=Stored.NVM, shared=True)
table.setting("#B", Int("v", 0, 9, default=4), stored=Stored.BASE)
table.setting("#E", Text("v", 5, default="x"), stored=Stored.EXTENDED)
table.setting("#O", Int("v", 0, 9, default=6), stored=Stored.DEMAND, shared=True)
table.setting("#N", Int("v", 0, 9, default=7))


def make(memory: FakeMemory | None = None) -> tuple[Settings, FakeMemory]:
    """Settings at power-on over a memory."""
    memory = memory or FakeMemory()
    settings = Settings(table.rows, memory)
    settings.load()
    return settings, memory


def test_factoryValues() -> None:
    """What nobody has set has its factory value, by key where they differ."""
    settings, _ = make()
    assert settings.get("#A") == (1, 2)
    assert settings.value("#B") == 4
    assert [settings.get("#K", key) for key in settings.keys("#K")] == [(3,), (5,), (3,)]


def test_definable() -> None:
    """A setting that comes into being by being set exists where it was set, and nowhere else."""
    settings, _ = make()
    assert settings.keys("#D") == []
    assert not settings.defined("#D", 2)
    with pytest.raises(KeyError):
        settings.get("#D", 2)
    settings.set("#D", ("b",), 2)
    settings.set("#D", ("",), 1)
    assert settings.keys("#D") == [1, 2]
    settings.remove("#D", 2)
    assert settings.keys("#D") == [1]


def test_storedAtOnce() -> None:
    """A setting of the NVM survives power-off without being asked to; the others don't."""
    settings, memory = make()
    for name, values, key in (("#A", (8, 9), None), ("#K", (9,), 1), ("#D", ("net",), 4)):
        settings.set(name, values, key)
    for name in ("#B", "#O", "#N"):
        settings.set(name, (0,))
    again, _ = make(memory)
    assert (again.get("#A"), again.get("#K", 1), again.get("#K", 2), again.get("#D", 4)) == (
        (8, 9),
        (9,),
        (5,),
        ("net",),
    )
    assert [again.value(name) for name in ("#B", "#O", "#N")] == [4, 6, 7]


def test_storedOnDemand() -> None:
    """A setting that is stored by a command of its own survives once that command has run."""
    settings, memory = make()
    settings.set("#O", (1,))
    settings.save("#O")
    assert make(memory)[0].value("#O") == 1


def test_backToFactory() -> None:
    """A setting that has its factory value again takes no place in the memory."""
    settings, memory = make()
    settings.set("#A", (8, 9))
    settings.set("#A", (1, 2))
    settings.set("#D", ("",), 1)
    settings.remove("#D", 1)
    assert memory.kept == {}


@pytest.mark.parametrize("before", [None, (4, 4)])
def test_memoryThatFails(before: tuple[int, int] | None) -> None:
    """What could not be kept is not in force either: the command fails and the old values stay."""
    settings, memory = make()
    if before is not None:
        settings.set("#A", before)
    memory.broken = True
    with pytest.raises(CommandFailed):
        settings.set("#A", (5, 5))
    assert settings.get("#A") == (before or (1, 2))


def test_memoryThatFailsToForget() -> None:
    """A definition that could not be removed from the memory is still there."""
    settings, memory = make()
    settings.set("#D", ("net",), 1)
    memory.broken = True
    with pytest.raises(CommandFailed):
        settings.remove("#D", 1)
    assert settings.get("#D", 1) == ("net",)


def test_profile() -> None:
    """A profile section holds what differs from the factory; loading it returns the rest of the section to that."""
    settings, _ = make()
    settings.set("#B", (9,))
    settings.set("#E", ("y",))
    base, extended = settings.snapshot(Stored.BASE), settings.snapshot(Stored.EXTENDED)
    settings.restore(Stored.BASE, {})
    assert (settings.value("#B"), settings.value("#E")) == (4, "y")
    settings.set("#E", ("z",))
    settings.restore(Stored.BASE, base)
    settings.restore(Stored.EXTENDED, extended)
    assert (settings.value("#B"), settings.value("#E")) == (9, "y")


@pytest.mark.parametrize(
    "kept",
    [
        {"": [1]},
        {"": [1, 2, 3]},
        {"": [1, 77]},
        {"": [1, "2"]},
        {"": [1, None]},
        {"": [1, 1.5]},
        {"": [1, [2]]},
        {"": "12"},
        {"5": [3, 4]},
        {"x": [3, 4, 5]},
        {},
        [],
        "text",
        7,
    ],
)
def test_foreignValues(kept: Any) -> None:
    """What another product, or a hand, has written into the memory and this product can't hold is left out."""
    memory = FakeMemory()
    memory.kept["setting #A"] = kept
    assert make(memory)[0].get("#A") == (1, 2)


def test_foreignKeys() -> None:
    """A key that this product doesn't have is left out; what stands beside it is taken."""
    memory = FakeMemory()
    memory.kept["setting #K"] = {"1": [8], "9": [8], "": [8], "-1": [8]}
    settings, _ = make(memory)
    assert [settings.get("#K", key) for key in settings.keys("#K")] == [(8,), (5,), (3,)]


def test_foreignProfile() -> None:
    """A profile with settings that this product lacks, or has elsewhere, is taken as far as it goes."""
    settings, _ = make()
    settings.restore(Stored.BASE, {"#GONE": {"": [1]}, "#E": {"": ["y"]}, "#B": {"": [8]}})
    assert (settings.value("#B"), settings.value("#E")) == (8, "x")
    settings.restore(Stored.BASE, {"#B": {"": [10]}})
    assert settings.value("#B") == 4


def test_holds() -> None:
    """A row knows which values and keys it can have."""
    row: Command = table.rows["#K"]
    assert row.holds([3], 1)
    assert not row.holds([3], None)
    assert not row.holds([3], 4)
    assert not row.holds([10], 1)
    assert not table.rows["#A"].holds([1, 2], 1)
