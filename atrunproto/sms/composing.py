"""
From what is typed at a terminal to message units, in text mode and in PDU mode.

Source: 3GPP 27.005 3.1 (<data>, <fo>, <vp>), 3.5; reference 12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .alphabet import CHARACTER_SETS, Alphabet, fromHex
from .datacoding import DataCoding
from .errors import SMSError
from .fields import Address, EnhancedValidity, Reader, RelativeValidity, TimeStamp, Validity
from .segments import split
from .tpdu import Submit
from .userdata import Concatenation, UserData, capacity

#: parts of the longest text (reference 12)
MOST_PARTS = 10

#: bits of <fo>: the message type, the format of <vp>, and that the data begin with a header
_TYPE, _VALIDITY, _HEADER = 0x03, 0x18, 0x40
_TIME = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-])(\d\d)")


@dataclass(frozen=True, slots=True)
class Style:
    """
    How the texts of a terminal become user data.

    @ivar characters: +CSCS.
    @ivar improved: #SMSMODE=1: references of 16 bits, and a text that is too long is an error; else it is cut.
    """

    characters: str
    improved: bool

    def text(self, octets: str) -> str:
        """
        A string of the command line as text.

        @raise SMSError: it isn't in the character set.
        """
        return CHARACTER_SETS[self.characters].decode(octets.encode("latin-1", "replace"))

    def address(self, typed: str, typeOfAddress: int | None) -> Address:
        """
        A number of the command line.

        @raise SMSError: it is none.
        """
        return Address.parse(self.text(typed), typeOfAddress)

    def longest(self, coding: DataCoding) -> int:
        """
        How many octets of the longest text are typed.
        """
        room = capacity(coding, (Concatenation(0, 1, 1, self.improved),))
        if coding.alphabet is not Alphabet.GSM:
            return 2 * room * MOST_PARTS
        return room * MOST_PARTS * (4 if self.characters == "UCS2" else 1)

    def parts(self, typed: bytes, first: int, coding: DataCoding, reference: int) -> tuple[UserData, ...]:
        """
        What is typed, as one message or several.

        In the default alphabet it is text; of any other, or with a header, hexadecimal digits.

        @param first: <fo>; with the bit of a header, the text begins with it.
        @param reference: for several parts.
        @raise SMSError: it is too long, or isn't written so.
        """
        isText = coding.alphabet is Alphabet.GSM
        if first & _HEADER:
            octets = fromHex(digitsOf(typed))
            if isText or len(octets) > 0xFF:
                raise SMSError("a header is in octets")
            reader = Reader(bytes([len(octets)]) + octets)
            return (UserData.take(reader, coding, hasHeader=True),)
        content: str | bytes
        if isText:
            content = CHARACTER_SETS[self.characters].decode(typed)
        else:
            content = fromHex(digitsOf(typed))
            if coding.alphabet is Alphabet.UCS2:
                content = coding.alphabet.coding.decode(content)
        if not self.improved:
            reference &= 0xFF
        return split(content, coding, reference, self.improved, MOST_PARTS, cutOff=not self.improved)


def digitsOf(typed: bytes) -> str:
    """
    Hexadecimal digits as they are typed: line ends between them don't count (A).
    """
    return "".join(typed.decode("latin-1").split())


def isSubmit(first: int) -> bool:
    """
    Whether <fo> is that of a message to be sent.
    """
    return first & _TYPE == Submit.TYPE


def flagsOf(first: int) -> dict[str, bool]:
    """
    What <fo> says of a message to be sent, as the arguments of L{Submit}.
    """
    return {name: bool(first & bit) for bit, name in Submit.FLAGS}


def validityOf(first: int, value: int | str) -> Validity | None:
    """
    The validity period that <fo> and <vp> say.

    @raise SMSError: <vp> isn't what <fo> announces.
    """
    kind = first & _VALIDITY
    if kind == 0:
        return None
    if kind == RelativeValidity.FORMAT and isinstance(value, int):
        return RelativeValidity(value)
    if kind == TimeStamp.FORMAT and isinstance(value, str):
        return _stamp(value)
    if kind == EnhancedValidity.FORMAT and isinstance(value, str):
        return EnhancedValidity(fromHex(value))
    raise SMSError(f"{value!r} is of another format", "TP-VP")


def _stamp(text: str) -> TimeStamp:
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise SMSError("no time", "TP-VP")
    *date, sign, quarters = matched.groups()
    year, month, day, hour, minute, second = map(int, date)
    offset = timedelta(minutes=15 * int(sign + quarters))
    try:
        zone = timezone(offset)
        return TimeStamp.of(datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError:
        raise SMSError("no time", "TP-VP") from None
