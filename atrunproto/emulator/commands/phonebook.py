"""
Commands of the one phonebook that there is, that of fixed dialling.

Source: 3GPP TS 27.007 8.11, 8.12 and 8.14.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Choice, Int, Text
from atrunproto.at.results import CME, refuse
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address

from ..fixed import PLACES, Entry, FixedNumbers
from .sim import needSim

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("phonebook")

#: characters of a number and of a name (A)
_DIGITS, _LETTERS = 21, 16


@commands.action("+CPBS", Choice("storage", ("FD",)), source="3GPP TS 27.007 8.11")
def selectPhonebook(at: ATInstance, storage: str) -> None:
    """
    Choose the phonebook; there is that of fixed dialling alone.
    """
    needSim(at)


@commands.read("+CPBS")
def readPhonebook(at: ATInstance) -> str:
    """
    The phonebook, its entries and its places.
    """
    needSim(at)
    return f'+CPBS: "FD",{len(at.part(FixedNumbers).entries)},{PLACES}'


@commands.test("+CPBS")
def testPhonebook(at: ATInstance) -> str:
    """
    The phonebooks that there are.
    """
    return '+CPBS: ("FD")'


@commands.action(
    "+CPBW",
    Int("index", 1, PLACES, default=None),
    Text("number", _DIGITS, default=None),
    Int("type", 0, 255, default=None),
    Text("text", _LETTERS, default=""),
    needsValue=True,
    source="3GPP TS 27.007 8.14",
)
def writeEntry(at: ATInstance, index: int | None, number: str | None, kind: int | None, text: str) -> None:
    """
    Write an entry, at the first free place if none is named; without a number, delete it.

    A card asks for PIN2 first; here it can be done while fixed dialling is off (A).
    """
    needSim(at)
    book = at.part(FixedNumbers)
    if book.isOn:
        raise refuse(CME[17])
    entries = book.entries
    if number is None:
        if index is None:
            raise refuse(CME[21])
        entries.pop(index, None)
    else:
        place = index or next((free for free in range(1, PLACES + 1) if free not in entries), None)
        if place is None:
            raise refuse(CME[20])
        entries[place] = _entry(number, kind, text)
    book.entries = entries


def _entry(number: str, kind: int | None, text: str) -> Entry:
    try:
        address = Address.parse(number, kind)
    except SMSError:
        raise refuse(CME[27]) from None
    if not address.isNumber:
        # an empty one would let all numbers be reached
        raise refuse(CME[27])
    return str(address), address.typeOfAddress, text


@commands.test("+CPBW")
def testEntry(at: ATInstance) -> str:
    """
    The places, and the longest number and name.
    """
    return f"+CPBW: (1-{PLACES}),{_DIGITS},(129,145),{_LETTERS}"


@commands.action(
    "+CPBR", Int("index1", 1, PLACES), Int("index2", 1, PLACES, default=None), source="3GPP TS 27.007 8.12"
)
def readEntries(at: ATInstance, first: int, last: int | None) -> list[str]:
    """
    The entries at one place, or from one to another.
    """
    needSim(at)
    return [
        f'+CPBR: {place},"{number}",{kind},"{text}"'
        for place, (number, kind, text) in at.part(FixedNumbers).entries.items()
        if first <= place <= (last or first)
    ]


@commands.test("+CPBR")
def testEntries(at: ATInstance) -> str:
    """
    The places, and the longest number and name.
    """
    return f"+CPBR: (1-{PLACES}),{_DIGITS},{_LETTERS}"
