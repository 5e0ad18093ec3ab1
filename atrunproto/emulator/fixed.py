"""
The fixed-dialling phonebook of the SIM card: while it is on, only its numbers can be reached.

Source: 3GPP TS 22.101 A.24, TS 27.007 7.4; Running AT Commands Remotely Rev. 9, 2.5.2 note 6 (S). TEL-SMS-47.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atrunproto.sms.centre import bare

if TYPE_CHECKING:
    from .module import EmulatedModule

#: places of the phonebook (A)
PLACES = 10

_ENTRIES, _SWITCH = "fixed numbers", "fixed dialling"

#: number, type of address, name
Entry = tuple[str, int, str]


class FixedNumbers:
    """
    The phonebook and its switch, which the card keeps.
    """

    __slots__ = ("_module",)

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module

    @property
    def isOn(self) -> bool:
        """
        Whether only the numbers of the phonebook can be reached.
        """
        return bool(self._module.memory.get(_SWITCH))

    @isOn.setter
    def isOn(self, isOn: bool) -> None:
        self._module.memory.put(_SWITCH, isOn or None)

    @property
    def entries(self) -> dict[int, Entry]:
        """
        The entries by their places, 1 to L{PLACES}.
        """
        kept: dict[str, Any] = self._module.memory.get(_ENTRIES) or {}
        return {int(place): (entry[0], entry[1], entry[2]) for place, entry in sorted(kept.items(), key=_place)}

    @entries.setter
    def entries(self, entries: dict[int, Entry]) -> None:
        self._module.memory.put(_ENTRIES, {str(place): list(entry) for place, entry in entries.items()} or None)

    def admits(self, number: str) -> bool:
        """
        Whether a number can be reached: it is one of the phonebook, perhaps with more digits behind.
        """
        return not self.isOn or any(bare(number).startswith(bare(entry[0])) for entry in self.entries.values())


def _place(item: tuple[str, Any]) -> int:
    return int(item[0])
