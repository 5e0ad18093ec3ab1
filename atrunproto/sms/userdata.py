"""
The user data of a message unit, with their header.

Source: 3GPP 23.040 9.2.3.16, 9.2.3.24.
"""

from __future__ import annotations

from dataclasses import dataclass

from .alphabet import Alphabet, pack, unpack
from .datacoding import DataCoding
from .errors import SMSError, requireRange
from .fields import Reader

#: octets of user data with their header, and septets without one (23.040 9.2.3.24.1)
MOST_OCTETS = 140
MOST_SEPTETS = 160

_CONCATENATED, _CONCATENATED_WIDE = 0x00, 0x08
_LENGTH, _HEADER, _DATA = "TP-UDL", "TP-UDHL", "TP-UD"


@dataclass(frozen=True, slots=True)
class Element:
    """
    An information element that nothing more is known of here.
    """

    identifier: int
    data: bytes = b""

    def __post_init__(self) -> None:
        requireRange("information element", self.identifier, 0xFF)
        requireRange("length of an information element", len(self.data), 0xFF)

    def encode(self) -> bytes:
        """
        Identifier, length and data.
        """
        return bytes([self.identifier, len(self.data)]) + self.data


@dataclass(frozen=True, slots=True)
class Concatenation:
    """
    Which part of a longer message this is (23.040 9.2.3.24.1 and 9.2.3.24.8).

    @ivar reference: the same in all parts; 0 to 255, or to 65535 if C{isWide}.
    @ivar total: parts, 1 to 255.
    @ivar number: of this part, from 1.
    """

    reference: int
    total: int
    number: int
    isWide: bool = False

    def __post_init__(self) -> None:
        requireRange("reference", self.reference, 0xFFFF if self.isWide else 0xFF)
        requireRange("parts", self.total, 255, first=1)
        requireRange("part", self.number, self.total, first=1)

    def encode(self) -> bytes:
        """
        As an information element.
        """
        identifier, width = (_CONCATENATED_WIDE, 2) if self.isWide else (_CONCATENATED, 1)
        data = self.reference.to_bytes(width, "big") + bytes([self.total, self.number])
        return Element(identifier, data).encode()


def _typed(element: Element) -> Element | Concatenation:
    """
    What the element says; one that makes no sense stays as it is, and means nothing (23.040 9.2.3.24.1).
    """
    if (element.identifier, len(element.data)) not in {(_CONCATENATED, 3), (_CONCATENATED_WIDE, 4)}:
        return element
    *reference, total, number = element.data
    if not 1 <= number <= total:
        return element
    return Concatenation(int.from_bytes(reference, "big"), total, number, element.identifier == _CONCATENATED_WIDE)


def _elements(header: bytes) -> tuple[Element | Concatenation, ...]:
    """
    The elements of a header; one whose elements don't fill it exactly is ignored as a whole (23.040 9.2.3.24).
    """
    reader, found = Reader(header), []
    try:
        while reader.left:
            identifier = reader.octet(_HEADER)
            found.append(_typed(Element(identifier, reader.take(reader.octet(_HEADER), _HEADER))))
    except SMSError:
        return ()
    return tuple(found)


def _header(elements: tuple[Element | Concatenation, ...]) -> bytes:
    header = b"".join(element.encode() for element in elements)
    if len(header) >= MOST_OCTETS:
        raise SMSError("the header is too long", _HEADER)
    return bytes([len(header)]) + header if header else b""


def _fillBits(headerLength: int) -> int:
    """
    Bits between a header and the first septet.
    """
    return -8 * headerLength % 7


def capacity(coding: DataCoding, elements: tuple[Element | Concatenation, ...] = ()) -> int:
    """
    How many septets, or octets, have room behind a header of these elements.

    @raise SMSError: not even the header has.
    """
    octets = MOST_OCTETS - len(_header(elements))
    return octets * 8 // 7 if coding.alphabet is Alphabet.GSM else octets


@dataclass(frozen=True, slots=True)
class UserData:
    """
    What a message carries.

    @ivar coding: what C{payload} is made of.
    @ivar payload: without the header: octets, or for the default alphabet septets, one an octet.
    @ivar elements: the header's information elements in their order; none, and there is no header.
    """

    coding: DataCoding
    payload: bytes
    elements: tuple[Element | Concatenation, ...] = ()

    def __post_init__(self) -> None:
        room = capacity(self.coding, self.elements)
        if len(self.payload) > room:
            raise SMSError(f"{len(self.payload)} don't fit where {room} do", _DATA)
        if self._inSeptets and not self.payload.isascii():
            raise SMSError("a septet has eight bits", _DATA)

    @classmethod
    def of(
        cls,
        text: str,
        coding: DataCoding = DataCoding(),  # noqa: B008
        elements: tuple[Element | Concatenation, ...] = (),
    ) -> UserData:
        """
        User data that are one text.

        @raise SMSError: it is too long, or not in the alphabet.
        """
        return cls(coding, coding.alphabet.coding.encode(text), elements)

    @property
    def _inSeptets(self) -> bool:
        return self.coding.alphabet is Alphabet.GSM

    @property
    def concatenation(self) -> Concatenation | None:
        """
        Which part this is; of several such elements the last one counts (23.040 9.2.3.24).
        """
        found = [element for element in self.elements if isinstance(element, Concatenation)]
        return found[-1] if found else None

    def text(self, strict: bool = False) -> str:
        """
        The payload as text.

        @param strict: what is no character is an error, not a mark in its place.
        @raise SMSError: strict, and something is no character.
        """
        return self.coding.alphabet.coding.decode(self.payload, strict)

    def encode(self) -> bytes:
        """
        TP-UDL, the header and the payload.
        """
        header = _header(self.elements)
        if not self._inSeptets:
            return bytes([len(header) + len(self.payload)]) + header + self.payload
        fill = _fillBits(len(header))
        length = (8 * len(header) + fill) // 7 + len(self.payload)
        return bytes([length]) + header + pack(self.payload, fill)

    @classmethod
    def take(cls, reader: Reader, coding: DataCoding, hasHeader: bool) -> UserData:
        """
        Read TP-UDL and TP-UD.

        @param hasHeader: TP-UDHI.
        @raise SMSError: they are none.
        """
        inSeptets = coding.alphabet is Alphabet.GSM
        length = reader.octet(_LENGTH)
        if length > (MOST_SEPTETS if inSeptets else MOST_OCTETS):
            raise reader.error(f"user data of {length}", _LENGTH)
        octets = reader.take((7 * length + 7) // 8 if inSeptets else length, _DATA)
        headerLength = 0
        if hasHeader:
            headerLength = 1 + Reader(octets).octet(_HEADER)
            if headerLength > len(octets):
                raise reader.error("the header is longer than the data", _HEADER)
        elements, body = _elements(octets[1:headerLength]), octets[headerLength:]
        if inSeptets:
            fill = _fillBits(headerLength)
            count = length - (8 * headerLength + fill) // 7
            if count < 0:
                raise reader.error("the header is longer than the data", _HEADER)
            body = unpack(body, count, fill)
        return cls(coding, body, elements)
