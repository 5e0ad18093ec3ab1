"""
The white list: from which numbers, and with which passwords, messages are taken for commands.

Source: Running AT Commands Remotely Rev. 9, 2.3 (S); reference 3.1. TEL-SMS-31 to TEL-SMS-35, TEL-EXT-03.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from atrunproto.at.errors import Misuse

from .digest import Password

#: kinds of entries
NUMBER, PASSWORD = 0, 1
#: places, and passwords among them at most (TEL-EXT-03, TEL-SMS-35)
PLACES = 8
MOST_PASSWORDS = 2
#: characters of a number's digits with sign and star
LONGEST = 22

#: at most as many digits as an address has (23.040 9.1.2.3)
_NUMBER = re.compile(r"\+?[0-9]{1,20}\*?")

Entry = tuple[int, str]


def admits(entry: str, number: str) -> bool:
    """
    Whether an entry covers a number; one that ends in C{*} covers all that begin so (TEL-SMS-32).

    An entry with C{+} means an international number, one without means the digits as they are carried (A).
    """
    return number.startswith(entry[:-1]) if entry.endswith("*") else number == entry


class WhiteList:
    """
    Eight places, each empty or with a number or a password.

    >>> entries = WhiteList()
    >>> entries.add(1, NUMBER, "+39*")
    >>> entries.admits("+393401112233"), entries.admits("+41791112233")
    (True, False)
    """

    __slots__ = ("_places",)

    def __init__(self, kept: Any = None) -> None:
        """
        @param kept: what L{kept} has given; what makes no sense in it is left out.
        """
        self._places: list[Entry | None] = [None] * PLACES
        if isinstance(kept, Sequence) and len(kept) == PLACES:
            for index, entry in enumerate(kept, 1):
                with suppress(Misuse, TypeError, ValueError):
                    kind, text = entry
                    self.add(index, kind, text)

    @property
    def kept(self) -> list[list[Any] | None]:
        """
        The places in JSON's types.
        """
        return [None if entry is None else list(entry) for entry in self._places]

    def __iter__(self) -> Iterator[Entry | None]:
        """
        The places in their order.
        """
        return iter(self._places)

    def __getitem__(self, index: int) -> Entry | None:
        """
        What is at a place, 1 to 8.
        """
        return self._places[index - 1]

    def add(self, index: int, kind: int, text: str) -> None:
        """
        Put an entry at a place, 1 to 8, where it replaces what was there (A).

        @raise Misuse: it is neither a number nor a password, or the third password (A).
        """
        if kind == PASSWORD:
            Password(text)
            others = [entry for at, entry in enumerate(self._places, 1) if at != index]
            if sum(entry is not None and entry[0] == PASSWORD for entry in others) >= MOST_PASSWORDS:
                raise Misuse(f"there are {MOST_PASSWORDS} passwords already")
        elif kind != NUMBER or not _NUMBER.fullmatch(text):
            raise Misuse("a number has digits, perhaps with + in front and * behind")
        self._places[index - 1] = (kind, text)

    def remove(self, index: int) -> None:
        """
        Empty a place, 1 to 8.
        """
        self._places[index - 1] = None

    def include(self, kind: int, text: str) -> None:
        """
        Put an entry at the first free place, unless it is there already.

        @raise Misuse: there is no room for it.
        """
        if (kind, text) in self._places:
            return
        if None not in self._places:
            raise Misuse("all places are taken")
        self.add(self._places.index(None) + 1, kind, text)

    def admits(self, number: str) -> bool:
        """
        Whether a number is listed (TEL-SMS-03).
        """
        return any(entry is not None and entry[0] == NUMBER and admits(entry[1], number) for entry in self._places)

    @property
    def passwords(self) -> list[Password]:
        """
        The passwords.
        """
        return [Password(entry[1]) for entry in self._places if entry is not None and entry[0] == PASSWORD]
