"""
Messages that a module keeps, in numbered places.

Source: 3GPP 27.005 3.1 (<mem1>, <index>, <stat>); how many places there are is the product's (reference 12).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from atrunproto.at.settings import Memory

from .errors import SMSError
from .pdumode import PDU
from .tpdu import Deliver, StatusReport, Submit, decode


class Status(IntEnum):
    """
    What became of a stored message, as PDU mode numbers it.
    """

    REC_UNREAD = 0
    REC_READ = 1
    STO_UNSENT = 2
    STO_SENT = 3

    @property
    def text(self) -> str:
        """
        As text mode names it.
        """
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A stored message.

    @ivar pdu: one that L{decode} reads.
    """

    status: Status
    pdu: PDU

    @property
    def unit(self) -> Submit | Deliver | StatusReport:
        """
        The message itself.
        """
        return decode(self.pdu.unit)


class MemoryFull(Exception):
    """
    There is no free place.
    """


class MessageStore:
    """
    The places of one memory, 1 to its capacity; a message gets the lowest free one.

    Each change is in the non-volatile memory before the call returns.

    @ivar name: as +CPMS has it, C{"SM"} or C{"ME"}.
    """

    __slots__ = ("_entries", "_memory", "capacity", "name")

    def __init__(self, name: str, capacity: int, memory: Memory) -> None:
        """
        @param memory: where the messages are kept over power-off; what it has is there at once.
        """
        self.name = name
        self.capacity = capacity
        self._memory = memory
        self._entries: dict[int, Entry] = {}
        kept = memory.get(self._key)
        for index, written in kept.items() if isinstance(kept, dict) else ():
            entry = _read(written)
            if entry is not None and index.isdecimal() and 1 <= int(index) <= capacity:
                self._entries[int(index)] = entry

    @property
    def _key(self) -> str:
        return f"messages {self.name}"

    def __len__(self) -> int:
        """
        How many places are taken.
        """
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        """
        The places that are taken, in their order, with what is there.
        """
        return iter(sorted(self._entries.items()))

    @property
    def free(self) -> int:
        """
        How many places are free.
        """
        return self.capacity - len(self._entries)

    def get(self, index: int) -> Entry | None:
        """
        The message at this place, or C{None}.
        """
        return self._entries.get(index)

    def add(self, status: Status, *pdus: PDU) -> int:
        """
        Put messages into free places, all or none of them.

        @return: the place of the first.
        @raise MemoryFull: there aren't enough.
        """
        free = [index for index in range(1, self.capacity + 1) if index not in self._entries][: len(pdus)]
        if len(free) < len(pdus):
            raise MemoryFull
        self._change({index: Entry(status, pdu) for index, pdu in zip(free, pdus, strict=True)})
        return free[0]

    def mark(self, status: Status, *indexes: int) -> None:
        """
        Change the status of messages that are there.
        """
        self._change({index: replace(self._entries[index], status=status) for index in indexes})

    def remove(self, *indexes: int) -> None:
        """
        Free places that are taken.
        """
        self._change(dict.fromkeys(indexes))

    def _change(self, changes: dict[int, Entry | None]) -> None:
        if not changes:
            return
        entries = {index: entry for index, entry in (self._entries | changes).items() if entry is not None}
        # what can't be kept isn't in force either
        self._memory.put(self._key, {str(index): _written(entry) for index, entry in entries.items()} or None)
        self._entries = entries


def _written(entry: Entry) -> list[Any]:
    return [int(entry.status), entry.pdu.encode()]


def _read(written: Any) -> Entry | None:
    """
    An entry as it was kept; C{None}: it is damaged.
    """
    try:
        status, digits = written
        entry = Entry(Status(status), PDU.decode(digits))
        entry.unit  # noqa: B018
    except (SMSError, TypeError, ValueError, AttributeError):
        return None
    return entry
