"""
The values of settings: what a module, or one AT instance of it, has been told and where that is kept.

Only what differs from the factory value is held, so that an idle module costs next to nothing.
Source: reference 1.4 (P, AT Commands Reference Guide Rev. 10, 3.3).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
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
        self._values: dict[str, dict[Key, Values]] = {}

    def get(self, name: str, key: Key = None) -> Values:
        """
        The values of a setting.

        @raise KeyError: the product has no such setting, or nothing is defined under this key.
        """
        held = self._values.get(name)
        if held is not None and key in held:
            return held[key]
        return self._rows[name].factory(key)

    def value(self, name: str, key: Key = None) -> Any:
        """
        The first value of a setting.
        """
        return self.get(name, key)[0]

    def defined(self, name: str, key: Key) -> bool:
        """
        Whether a setting that comes into being by being set exists under this key.
        """
        return key in self._values.get(name, ())

    def keys(self, name: str) -> list[Key]:
        """
        The keys under which a setting exists, in their order.
        """
        row = self._rows[name]
        return sorted(self._values.get(name, ())) if row.definable else list(row.keys())  # type: ignore[type-var]

    def set(self, name: str, values: Values, key: Key = None) -> None:
        """
        Give a setting its values; the memory holds them before this returns, if the row is kept there.
        """
        held = self._values.setdefault(name, {})
        if held.get(key) == values:
            return
        row = self._rows[name]
        before = held.get(key)
        held[key] = values
        if not row.definable and values == row.factory(key):
            del held[key]
        if row.stored is Stored.NVM:
            try:
                self.save(name)
            except BaseException:
                # what could not be kept is not in force either
                if before is None:
                    held.pop(key, None)
                else:
                    held[key] = before
                raise

    def remove(self, name: str, key: Key) -> None:
        """
        Undefine a setting, or return it to its factory values.
        """
        held = self._values.get(name, {})
        before = held.pop(key, None)
        if before is not None and self._rows[name].stored is Stored.NVM:
            try:
                self.save(name)
            except BaseException:
                held[key] = before
                raise

    def save(self, name: str) -> None:
        """
        Write one setting to the memory.
        """
        held = self._values.get(name)
        self._memory.put(f"setting {name}", _plain(held) if held else None)

    def load(self, classes: Collection[Stored] = (Stored.NVM, Stored.DEMAND)) -> None:
        """
        Forget everything but what the memory holds: the state after power-on.

        A value that the rows of this product can't hold (another product wrote it) is left out.
        """
        self._values.clear()
        for name, row in self._rows.items():
            if row.stored in classes and row.isSetting:
                kept = self._memory.get(f"setting {name}")
                if isinstance(kept, dict):
                    self._values[name] = dict(self._fitting(row, kept))

    @staticmethod
    def _fitting(row: Command, kept: Mapping[str, Any]) -> Iterator[tuple[Key, Values]]:
        for written, values in kept.items():
            key = int(written) if written.isdecimal() else None
            if isinstance(values, list) and row.holds(values, key):
                yield key, tuple(values)

    def snapshot(self, stored: Stored) -> dict[str, Any]:
        """
        The settings of one profile section that differ from the factory values, in JSON's types.
        """
        return {name: _plain(held) for name, held in self._values.items() if held and self._rows[name].stored is stored}

    def restore(self, stored: Stored, profile: Mapping[str, Any]) -> None:
        """
        Replace one profile section by a snapshot; what it lacks, or this product can't hold, gets its factory value.
        """
        for name in [name for name in self._values if self._rows[name].stored is stored]:
            del self._values[name]
        for name, kept in profile.items():
            row = self._rows.get(name)
            if row is not None and row.stored is stored and isinstance(kept, dict):
                self._values[name] = dict(self._fitting(row, kept))


def _plain(held: Mapping[Key, Values]) -> dict[str, list[Any]]:
    return {"" if key is None else str(key): list(values) for key, values in held.items()}
