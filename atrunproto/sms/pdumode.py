"""
A message unit as PDU mode has it: behind the service centre's address, in hexadecimal digits.

Source: 3GPP 27.005 3.1 (<pdu>, <length>), 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from .alphabet import fromHex
from .errors import SMSError
from .fields import ALPHANUMERIC, Address, Reader, encodeCentre, takeCentre

#: octets of the longest message unit, a submit with all its fields at their longest (23.040 9.2.2.2)
LONGEST_UNIT = 164


@dataclass(frozen=True, slots=True)
class PDU:
    """
    What +CMGS takes and +CMGR shows.

    @ivar unit: the octets of the message unit, for L{atrunproto.sms.tpdu.decode}.
    @ivar centre: the service centre, or C{None} for the one that +CSCA names.
    """

    unit: bytes
    centre: Address | None = None

    def __post_init__(self) -> None:
        if self.centre is not None and self.centre.kind == ALPHANUMERIC:
            raise SMSError("it needs a number", "service centre")
        if len(self.unit) > LONGEST_UNIT:
            raise SMSError("the message is too long", "TPDU", self.unit)

    @property
    def length(self) -> int:
        """
        The octets that +CMGS and +CMGR count: those of the service centre aren't among them.
        """
        return len(self.unit)

    def encode(self) -> str:
        """
        Hexadecimal digits, in upper case.
        """
        return (encodeCentre(self.centre) + self.unit).hex().upper()

    @classmethod
    def decode(cls, digits: str, length: int | None = None) -> PDU:
        """
        Read hexadecimal digits.

        @param length: what the command line says of the unit, or C{None} if nothing does.
        @raise SMSError: the digits are none, the service centre's address is malformed, or the length isn't right.
        """
        reader = Reader(fromHex(digits))
        centre = takeCentre(reader)
        if length not in (None, reader.left):
            raise reader.error(f"{reader.left} octets, not {length}", "TPDU")
        return cls(reader.take(reader.left, "TPDU"), centre)
