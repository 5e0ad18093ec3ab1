"""
The values of settings: what a module, or one AT instance of it, has been told and where that is kept.

Only what differs from the factory value is held, so that an idle module costs next to nothing.
Source: reference 1.4 (P, AT Commands Reference Guide Rev. 10, 3.3).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .commands import Command

Values = tuple[Any, ...]
#: the index of a setting that exists several times (a connId, a cid); C{None} where there is one
Key = int | None


class Stored(Enum):
    """
    Where a setting lives beyond the moment.
    """

    #: base section of the profile: written by &W, loaded by Z, &F, &Y
    BASE = "profile, base section"
    #: extended section of the profile: written by &W, loaded by &P, #Z, &F1
    EXTENDED = "profile, extended section"
    #: non-volatile memory, written at once
    NVM = "NVM at once"
    #: non-volatile memory, written by a command of its own
    DEMAND = "NVM on demand"
    #: lost at power-off
    NEVER = "not stored"


class Memory(Protocol):
    """
    Non-volatile memory, as much of it as its users need: small named values of JSON's types.
    """

    def get(self, name: str) -> Any:
        """
        The value kept under this name, or C{None}.
        """

    def put(self, name: str, value: Any) -> None:
        """
        Keep a value; C{None} removes it. The value is safe when this returns.
        """


class Settings:
    """
    The values of one owner over the factory values of the command rows.
    """

    __slots__ = ("_memory", "_rows", "_values")

    def __init__(self, rows: Mapping[str, Command], memory: Memory) -> None:
        """
        @param rows: the command rows of the product, by name.
        @param memory: where rows of L{Stored.NVM} are written through to.
        """
        self._rows = rows
        self._memory = memory
        self._values: dict[tuple[str, Key], Values] = {}

    def has(self, name: str) -> bool:
        """
        Whether the product has this setting.
        """
        return name in self._rows

    def get(self, name: str, key: Key = None) -> Values:
        """
        The values of a setting.

        @raise KeyError: the product has no such setting, or nothing is defined under this key.
        """
        held = self._values.get((name, key))
        return self._rows[name].factory(key) if held is None else held

    def value(self, name: str, key: Key = None) -> Any:
        """
        The first value of a setting.
        """
        return self.get(name, key)[0]

    def defined(self, name: str, key: Key) -> bool:
        """
        Whether a setting that comes into being by being set exists under this key.
        """
        return (name, key) in self._values

    def keys(self, name: str) -> list[Key]:
        """
        The keys under which a setting exists, in their order.
        """
        row = self._rows[name]
        return sorted(self._held(name)) if row.definable else list(row.keys())  # type: ignore[type-var]

    def set(self, name: str, values: Values, key: Key = None) -> None:
        """
        Give a setting its values; the memory holds them before this returns, if the row is kept there.
        """
        before = self._values.get((name, key))
        if before == values:
            return
        row = self._rows[name]
        if row.definable or values != row.factory(key):
            self._values[name, key] = values
        else:
            self._values.pop((name, key), None)
        self._keep(row, key, before)

    def remove(self, name: str, key: Key) -> None:
        """
        Undefine a setting, or return it to its factory values.
        """
        before = self._values.pop((name, key), None)
        if before is not None:
            self._keep(self._rows[name], key, before)

    def _keep(self, row: Command, key: Key, before: Values | None) -> None:
        """
        Write a change through to the memory, if the row is kept there; what can't be kept is not in force either.
        """
        if row.stored is not Stored.NVM:
            return
        try:
            self.save(row.name)
        except BaseException:
            if before is None:
                self._values.pop((row.name, key), None)
            else:
                self._values[row.name, key] = before
            raise

    def _held(self, name: str) -> dict[Key, Values]:
        """
        What differs of one setting, by key.
        """
        return {key: values for (held, key), values in self._values.items() if held == name}

    def save(self, name: str) -> None:
        """
        Write one setting to the memory.
        """
        held = {_written(key): values for key, values in self._held(name).items()}
        # one string for all modules
        self._memory.put(sys.intern(f"setting {name}"), held or None)

    def load(self, classes: Collection[Stored] = (Stored.NVM, Stored.DEMAND)) -> None:
        """
        Forget everything but what the memory holds: the state after power-on.

        A value that the rows of this product can't hold (another product wrote it) is left out.
        """
        self._values.clear()
        for name, row in self._rows.items():
            if row.stored in classes and row.isSetting:
                self._take(row, self._memory.get(f"setting {name}"))

    def _take(self, row: Command, kept: Any) -> None:
        """
        Take what was kept of one setting, as far as the row can hold it.
        """
        for written, values in kept.items() if isinstance(kept, dict) else ():
            key = int(written) if written.isdecimal() else None
            if isinstance(values, list | tuple) and row.holds(values, key):
                self._values[row.name, key] = tuple(values)

    def snapshot(self, stored: Stored) -> dict[str, Any]:
        """
        The settings of one profile section that differ from the factory values, in JSON's types.
        """
        profile: dict[str, Any] = {}
        for (name, key), values in self._values.items():
            if self._rows[name].stored is stored:
                profile.setdefault(name, {})[_written(key)] = values
        return profile

    def restore(self, stored: Stored, profile: Mapping[str, Any]) -> None:
        """
        Replace one profile section by a snapshot; what it lacks, or this product can't hold, gets its factory value.
        """
        for place in [place for place in self._values if self._rows[place[0]].stored is stored]:
            del self._values[place]
        for name, kept in profile.items():
            row = self._rows.get(name)
            if row is not None and row.stored is stored:
                self._take(row, kept)


def _written(key: Key) -> str:
    """
    A key as it is kept; JSON has no others.
    """
    return "" if key is None else str(key)
