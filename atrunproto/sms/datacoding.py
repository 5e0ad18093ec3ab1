"""
The data coding scheme: one octet that says which alphabet a message has, and what becomes of it.

Source: 3GPP 23.038 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .alphabet import Alphabet
from .errors import requireRange

#: alphabets of the general groups, by bits 3 and 2; the reserved one is read as the default alphabet
_GENERAL = (Alphabet.GSM, Alphabet.OCTETS, Alphabet.UCS2, Alphabet.GSM)
#: groups by bits 7 to 4; what is below is general, and a reserved one is read as the default alphabet
_FIRST_RESERVED, _DISCARD, _STORE_UCS2, _CLASS = 0x8, 0xC, 0xE, 0xF

_COMPRESSED, _HAS_CLASS = 0x20, 0x10


class Waiting(Enum):
    """
    What waits for the subscriber, by bits 1 and 0 of the message waiting groups.
    """

    VOICE_MAIL = 0
    FAX = 1
    E_MAIL = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class DataCoding:
    """
    A data coding scheme; what it means is read from its octet.
    """

    octet: int = 0

    def __post_init__(self) -> None:
        requireRange("TP-DCS", self.octet, 0xFF)

    @classmethod
    def of(cls, alphabet: Alphabet, messageClass: int | None = None) -> DataCoding:
        """
        The scheme of the general group, as phones send it.

        @param messageClass: 0 (shown at once) to 3, or C{None}.
        @raise SMSError: there is no such class.
        """
        octet = _GENERAL.index(alphabet) << 2
        if messageClass is None:
            return cls(octet)
        requireRange("message class", messageClass, 3)
        return cls(octet | _HAS_CLASS | messageClass)

    @property
    def _group(self) -> int:
        return self.octet >> 4

    @property
    def _isGeneral(self) -> bool:
        return self._group < _FIRST_RESERVED

    @property
    def alphabet(self) -> Alphabet:
        """
        What the user data are made of; nothing is expanded, so compressed text is octets.
        """
        if self.isCompressed:
            return Alphabet.OCTETS
        if self._isGeneral:
            return _GENERAL[self.octet >> 2 & 3]
        if self._group == _CLASS:
            return _GENERAL[self.octet >> 2 & 1]
        return Alphabet.UCS2 if self._group == _STORE_UCS2 else Alphabet.GSM

    @property
    def messageClass(self) -> int | None:
        """
        0 to 3, or C{None} for a message without class.
        """
        hasClass = self._group == _CLASS or (self._isGeneral and self.octet & _HAS_CLASS)
        return self.octet & 3 if hasClass else None

    @property
    def isCompressed(self) -> bool:
        """
        The text is compressed (23.042).
        """
        return self._isGeneral and bool(self.octet & _COMPRESSED)

    @property
    def waiting(self) -> tuple[Waiting, bool] | None:
        """
        Of a message waiting indication: what waits, and whether there is any.
        """
        if not _DISCARD <= self._group <= _STORE_UCS2:
            return None
        return Waiting(self.octet & 3), bool(self.octet & 8)

    @property
    def isStored(self) -> bool:
        """
        False for an indication whose text may be discarded.
        """
        return self._group != _DISCARD
