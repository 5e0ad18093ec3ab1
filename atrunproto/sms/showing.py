"""
How messages are shown to a terminal: in PDU mode and in text mode, under its character set.

Source: 3GPP 27.005 3.1, 3.4, 4; reference 12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .alphabet import CHARACTER_SETS, Alphabet
from .fields import Address, RelativeValidity, TimeStamp
from .pdumode import PDU
from .store import Entry
from .tpdu import Deliver, StatusReport, Submit, decode
from .userdata import Concatenation, UserData


@dataclass(frozen=True, slots=True)
class Terminal:
    """
    What a terminal wants to see.

    @ivar inText: +CMGF: text mode.
    @ivar inDetail: +CSDH: the values of the message's header too.
    @ivar characters: +CSCS.
    """

    inText: bool
    inDetail: bool
    characters: str

    # -- what is read from the store

    def readOut(self, entry: Entry) -> str:
        """
        The answer of +CMGR.
        """

        def heads(unit: Deliver | Submit) -> list[str]:
            times = [f'"{unit.time}"'] if isinstance(unit, Deliver) else []
            return [*times, *self._details(unit, entry.pdu)] if self.inDetail else times

        return self._stored("+CMGR: ", entry, heads)

    def listed(self, index: int, entry: Entry) -> str:
        """
        What +CMGL answers of one message.
        """

        def heads(unit: Deliver | Submit) -> list[str]:
            time = f'"{unit.time}"' if isinstance(unit, Deliver) else ""
            return [time, str(_other(unit).typeOfAddress), str(len(unit.userData.payload))] if self.inDetail else [time]

        return self._stored(f"+CMGL: {index},", entry, heads)

    def _stored(self, start: str, entry: Entry, heads: Callable[[Deliver | Submit], list[str]]) -> str:
        if not self.inText:
            return f'{start}{entry.status:d},"",{_unit(entry.pdu)}'
        unit, status = entry.unit, entry.status.text
        if isinstance(unit, StatusReport):
            return f'{start}"{status}",{self._report(unit)}'
        shown = [f'{start}"{status}"', self.quoted(_other(unit)), '""', *heads(unit)]
        return f"{','.join(shown)}\r\n{self.data(unit.userData)}"

    # -- what comes unasked

    def delivered(self, pdu: PDU) -> str:
        """
        A message that isn't stored: C{+CMT}.
        """
        if not self.inText:
            return f'+CMT: "",{_unit(pdu)}'
        unit = decode(pdu.unit)
        assert isinstance(unit, Deliver)
        heads = [f"+CMT: {self.quoted(unit.origin)}", '""', f'"{unit.time}"']
        if self.inDetail:
            heads += self._details(unit, pdu)
        return f"{','.join(heads)}\r\n{self.data(unit.userData)}"

    def reported(self, pdu: PDU) -> str:
        """
        A status report that isn't stored: C{+CDS}.
        """
        if not self.inText:
            return f"+CDS: {_unit(pdu)}"
        unit = decode(pdu.unit)
        assert isinstance(unit, StatusReport)
        return f"+CDS: {self._report(unit)}"

    # -- parts of that

    def quoted(self, address: Address | None) -> str:
        """
        A number or name in quotes; a name keeps to its line.
        """
        shown = "" if address is None else str(address)
        shown = "".join(char if char.isprintable() and char != '"' else "?" for char in shown)
        return f'"{self._written(shown)}"'

    def _written(self, text: str) -> str:
        return CHARACTER_SETS[self.characters].encode(text, strict=False).decode("latin-1")

    def data(self, userData: UserData) -> str:
        """
        The text; of another alphabet than the default one, or behind a header that isn't that of a part, hexadecimal
        digits (A: 27.005 would show parts of a longer text so too).
        """
        if any(not isinstance(element, Concatenation) for element in userData.elements):
            return userData.encode()[1:].hex().upper()
        if userData.coding.alphabet is Alphabet.GSM:
            return self._written(userData.text())
        return userData.payload.hex().upper()

    def _details(self, unit: Deliver | Submit, pdu: PDU) -> list[str]:
        """
        What +CSDH=1 adds.
        """
        heads = [str(_other(unit).typeOfAddress), str(pdu.unit[0]), str(unit.protocolIdentifier)]
        heads.append(str(unit.userData.coding.octet))
        if isinstance(unit, Submit):
            heads.append(validityShown(unit))
        kind = "" if pdu.centre is None else str(pdu.centre.typeOfAddress)
        return [*heads, self.quoted(pdu.centre), kind, str(len(unit.userData.payload))]

    def _report(self, unit: StatusReport) -> str:
        heads = [str(unit.encode()[0]), str(unit.reference), self.quoted(unit.recipient)]
        heads += [str(unit.recipient.typeOfAddress), f'"{unit.time}"', f'"{unit.discharge}"', str(unit.status)]
        return ",".join(heads)


def validityShown(unit: Submit) -> str:
    """
    <vp>: a number, a time in quotes, or nothing.
    """
    if isinstance(unit.validity, RelativeValidity):
        return str(unit.validity.value)
    return f'"{unit.validity}"' if isinstance(unit.validity, TimeStamp) else ""


def _other(unit: Deliver | Submit) -> Address:
    """
    Who is at the other end.
    """
    return unit.origin if isinstance(unit, Deliver) else unit.destination


def _unit(pdu: PDU) -> str:
    """
    Length and digits, as all of PDU mode has them.
    """
    return f"{pdu.length}\r\n{pdu.encode()}"
