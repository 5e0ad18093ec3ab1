"""
The alphabets of short messages, the packing of septets, and the character sets of a terminal.

Both kinds are a L{Coding}. Which alphabet a message has, says its data coding scheme: L{atrunproto.sms.datacoding}.
Sources: 3GPP 23.038 6.1.2 (packing), 6.2.1 (tables); 27.007 5.5 and 27.005 3.1 (+CSCS).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from .errors import SMSError

_ESCAPE = b"\x1b"
#: 128 characters in the order of their codes; the escape to the extension table stands at its place
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: code behind the escape to character
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_TEXTS = {bytes([code]): char for code, char in enumerate(_DEFAULT) if char != "\x1b"} | {
    _ESCAPE + bytes([code]): char for code, char in _EXTENSION.items()
}
_SEPTETS = {char: unit for unit, char in _TEXTS.items()}
_UNIT = re.compile(rb"\x1b?.", re.DOTALL)
_HEX = re.compile(r"[0-9A-Fa-f]*")


class Coding(Protocol):
    """
    A way to write text as octets.

    A strict one refuses what has no place in it; otherwise a mark stands in its place.
    """

    def encode(self, text: str, strict: bool = True) -> bytes:
        """
        Text to octets.

        @raise SMSError: strict, and a character isn't in the set.
        """

    def decode(self, octets: bytes, strict: bool = True) -> str:
        """
        Octets to text.

        @raise SMSError: strict, and octets stand for no character.
        """


class _DefaultAlphabet:
    """
    The GSM 7 bit default alphabet with its extension table, a septet an octet (23.038 6.2.1).
    """

    def encode(self, text: str, strict: bool = True) -> bytes:
        try:
            return b"".join([_SEPTETS[char] for char in text])
        except KeyError as error:
            if strict:
                raise SMSError(f"{error.args[0]!r} isn't in the GSM alphabet") from None
        return b"".join([_SEPTETS.get(char, b"?") for char in text])

    def decode(self, octets: bytes, strict: bool = True) -> str:
        """
        Not strict, an extension that isn't known is its character of the default table, and an escape to nothing or to
        another table a space, as 23.038 6.2.1 and 6.2.1.1 tell receivers.
        """
        units = _UNIT.findall(octets)
        try:
            return "".join([_TEXTS[unit] for unit in units])
        except KeyError as error:
            if strict:
                raise SMSError("no character of the GSM alphabet", data=error.args[0]) from None
        return "".join([_TEXTS.get(unit) or _TEXTS.get(unit[1:], " ") for unit in units])


class _Codec:
    """
    A codec of Python's.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def encode(self, text: str, strict: bool = True) -> bytes:
        try:
            return text.encode(self._name, "strict" if strict else "replace")
        except UnicodeEncodeError as error:
            raise SMSError(f"{text[error.start]!r} isn't in {self._name}") from None

    def decode(self, octets: bytes, strict: bool = True) -> str:
        try:
            return octets.decode(self._name, "strict" if strict else "replace")
        except UnicodeDecodeError as error:
            raise SMSError(f"no character of {self._name}", data=octets[error.start : error.end]) from None


class _InHex:
    """
    Another coding, each octet as two hexadecimal digits.
    """

    def __init__(self, inner: Coding) -> None:
        self._inner = inner

    def encode(self, text: str, strict: bool = True) -> bytes:
        return self._inner.encode(text, strict).hex().upper().encode("ascii")

    def decode(self, octets: bytes, strict: bool = True) -> str:
        return self._inner.decode(fromHex(octets.decode("latin-1")), strict)


_GSM = _DefaultAlphabet()
_UCS2 = _Codec("utf-16-be")


class Alphabet(Enum):
    """
    What the user data of a message are made of (23.038 4 to 6).
    """

    #: 7 bits a character, or 14; encoded as unpacked septets
    GSM = "GSM"
    #: octets without an alphabet; as text they are Latin-1 (A)
    OCTETS = "8-bit"
    #: 16 bits a character; pairs of surrogates pass, as they do in all newer telephones
    UCS2 = "UCS2"

    @property
    def coding(self) -> Coding:
        """
        How text is written in it.
        """
        return _ALPHABETS[self]


_ALPHABETS: Mapping[Alphabet, Coding] = {
    Alphabet.GSM: _GSM,
    Alphabet.OCTETS: _Codec("latin-1"),
    Alphabet.UCS2: _UCS2,
}

#: the values of +CSCS, and how a terminal's octets are text under each
CHARACTER_SETS: Mapping[str, Coding] = MappingProxyType(
    {
        "GSM": _GSM,
        "IRA": _Codec("ascii"),
        "8859-1": _Codec("latin-1"),
        "PCCP437": _Codec("cp437"),
        "UCS2": _InHex(_UCS2),
    }
)


def alphabetFor(text: str) -> Alphabet:
    """
    The alphabet in which a text is shortest: the default one if it has all characters, otherwise UCS2.
    """
    return Alphabet.GSM if _SEPTETS.keys() >= set(text) else Alphabet.UCS2


def septetCount(text: str) -> int:
    """
    The septets of a text; characters of the extension table take two (23.038 6.2.1.1).

    @raise SMSError: a character isn't in the alphabet.
    """
    return len(_GSM.encode(text))


def pack(septets: bytes, fill: int = 0) -> bytes:
    """
    Pack septets into octets, the first in the lowest bits (23.038 6.1.2.1).

    @param fill: bits left 0 in front of the first, behind a user data header (23.040 9.2.3.24).
    @raise SMSError: a septet has eight bits.
    """
    number = 0
    for septet in reversed(septets):
        if septet > 0x7F:
            raise SMSError("a septet has eight bits", data=bytes([septet]))
        number = number << 7 | septet
    return (number << fill).to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """
    The septets in packed octets, each as an octet.

    @param fill: bits in front of the first that aren't looked at.
    @raise SMSError: there are fewer than C{count}.
    """
    if fill + 7 * count > 8 * len(octets):
        raise SMSError(f"{count} septets aren't in {len(octets)} octets")
    number = int.from_bytes(octets, "little") >> fill
    return bytes(number >> 7 * at & 0x7F for at in range(count))


def fromHex(digits: str) -> bytes:
    """
    The octets that are written as pairs of hexadecimal digits, without blanks.

    @raise SMSError: it isn't written so.
    """
    if len(digits) % 2 or not _HEX.fullmatch(digits):
        raise SMSError("no pairs of hexadecimal digits")
    return bytes.fromhex(digits)
