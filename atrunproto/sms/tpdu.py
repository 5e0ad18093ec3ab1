"""
The message units between a mobile and its service centre: submit, deliver and status report.

Their fields are named after what they mean; the abbreviations of the standard stand in the errors.
Source: 3GPP 23.040 9.2.2 and 9.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .datacoding import DataCoding
from .errors import SMSError, requireRange
from .fields import VALIDITY_FORMATS, Address, Reader, TimeStamp, Validity
from .userdata import UserData

#: bits of the first octet: the message type, the format of the validity period, and that there is a header
_TYPE, _VALIDITY, _HEADER = 0x03, 0x18, 0x40
#: what a status report's parameter indicator says there is, and that there is another one (23.040 9.2.3.27)
_IDENTIFIER, _CODING, _USER_DATA, _MORE = 0x01, 0x02, 0x04, 0x80

#: octets of a status report's user data, which leave room for its second time (23.040 9.2.2.3)
MOST_REPORTED = 131


@dataclass(frozen=True, slots=True)
class _Unit:
    """
    What all message units have: their type and some flags in the first octet.
    """

    #: the message type indicator (23.040 9.2.3.1)
    TYPE: ClassVar[int]
    #: bit of the first octet to attribute
    FLAGS: ClassVar[tuple[tuple[int, str], ...]]

    def _first(self, userData: UserData | None) -> int:
        """
        The first octet.
        """
        first = self.TYPE | sum(bit for bit, name in self.FLAGS if getattr(self, name))
        return first | _HEADER if userData is not None and userData.elements else first

    @classmethod
    def _flags(cls, first: int) -> dict[str, bool]:
        """
        The attributes that the first octet holds.
        """
        return {name: bool(first & bit) for bit, name in cls.FLAGS}


@dataclass(frozen=True, slots=True)
class Submit(_Unit):
    """
    From a mobile to the service centre (23.040 9.2.2.2).

    @ivar reference: TP-MR, 0 to 255.
    @ivar protocolIdentifier: TP-PID, 0 to 255.
    """

    TYPE = 1
    FLAGS = ((0x04, "rejectDuplicates"), (0x20, "wantsReport"), (0x80, "hasReplyPath"))

    destination: Address
    userData: UserData
    reference: int = 0
    validity: Validity | None = None
    protocolIdentifier: int = 0
    rejectDuplicates: bool = False
    wantsReport: bool = False
    hasReplyPath: bool = False

    def __post_init__(self) -> None:
        requireRange("TP-MR", self.reference, 0xFF)
        requireRange("TP-PID", self.protocolIdentifier, 0xFF)

    def encode(self) -> bytes:
        """
        The octets.
        """
        announced, validity = (self.validity.FORMAT, self.validity.octets) if self.validity else (0, b"")
        return (
            bytes([self._first(self.userData) | announced, self.reference])
            + self.destination.encode()
            + bytes([self.protocolIdentifier, self.userData.coding.octet])
            + validity
            + self.userData.encode()
        )

    @classmethod
    def take(cls, reader: Reader, first: int) -> Submit:
        """
        Read what follows the first octet.
        """
        reference = reader.octet("TP-MR")
        destination = Address.take(reader, "TP-DA")
        identifier = reader.octet("TP-PID")
        coding = DataCoding(reader.octet("TP-DCS"))
        kind = VALIDITY_FORMATS.get(first & _VALIDITY)
        validity = kind.take(reader, "TP-VP") if kind else None
        userData = UserData.take(reader, coding, bool(first & _HEADER))
        return cls(destination, userData, reference, validity, identifier, **cls._flags(first))


@dataclass(frozen=True, slots=True)
class Deliver(_Unit):
    """
    From the service centre to a mobile (23.040 9.2.2.1).

    @ivar time: when the service centre got it.
    @ivar protocolIdentifier: TP-PID, 0 to 255.
    @ivar isLast: no more messages wait for the mobile (TP-MMS).
    @ivar isForwarded: it was forwarded, or made in answer to a message (TP-LP).
    @ivar wantsReport: its sender gets a status report.
    """

    TYPE = 0
    FLAGS = ((0x04, "isLast"), (0x08, "isForwarded"), (0x20, "wantsReport"), (0x80, "hasReplyPath"))

    origin: Address
    userData: UserData
    time: TimeStamp
    protocolIdentifier: int = 0
    isLast: bool = True
    isForwarded: bool = False
    wantsReport: bool = False
    hasReplyPath: bool = False

    def __post_init__(self) -> None:
        requireRange("TP-PID", self.protocolIdentifier, 0xFF)

    def encode(self) -> bytes:
        """
        The octets.
        """
        return (
            bytes([self._first(self.userData)])
            + self.origin.encode()
            + bytes([self.protocolIdentifier, self.userData.coding.octet])
            + self.time.octets
            + self.userData.encode()
        )

    @classmethod
    def take(cls, reader: Reader, first: int) -> Deliver:
        """
        Read what follows the first octet.
        """
        origin = Address.take(reader, "TP-OA")
        identifier = reader.octet("TP-PID")
        coding = DataCoding(reader.octet("TP-DCS"))
        time = TimeStamp.take(reader, "TP-SCTS")
        userData = UserData.take(reader, coding, bool(first & _HEADER))
        return cls(origin, userData, time, identifier, **cls._flags(first))


@dataclass(frozen=True, slots=True)
class StatusReport(_Unit):
    """
    From the service centre to a mobile: what became of a submit (23.040 9.2.2.3).

    @ivar reference: TP-MR of the submit.
    @ivar recipient: who it was for.
    @ivar time: when the service centre got the submit.
    @ivar discharge: when what C{status} says happened.
    @ivar status: TP-ST, 0 to 255; 0 is delivered (23.040 9.2.3.15).
    @ivar isLast: no more messages wait for the mobile (TP-MMS).
    @ivar isForwarded: see L{Deliver}.
    @ivar isOfCommand: it answers a command, not a submit.
    """

    TYPE = 2
    FLAGS = ((0x04, "isLast"), (0x08, "isForwarded"), (0x20, "isOfCommand"))

    reference: int
    recipient: Address
    time: TimeStamp
    discharge: TimeStamp
    status: int = 0
    protocolIdentifier: int | None = None
    userData: UserData | None = None
    isLast: bool = True
    isForwarded: bool = False
    isOfCommand: bool = False

    def __post_init__(self) -> None:
        requireRange("TP-MR", self.reference, 0xFF)
        requireRange("TP-ST", self.status, 0xFF)
        requireRange("TP-PID", self.protocolIdentifier or 0, 0xFF)
        if self.userData is not None:
            requireRange("octets of TP-UD", len(self.userData.encode()) - 1, MOST_REPORTED)

    def encode(self) -> bytes:
        """
        The octets.
        """
        indicator, optional = 0, b""
        if self.protocolIdentifier is not None:
            indicator |= _IDENTIFIER
            optional += bytes([self.protocolIdentifier])
        if self.userData is not None:
            indicator |= _CODING | _USER_DATA
            optional += bytes([self.userData.coding.octet]) + self.userData.encode()
        return (
            bytes([self._first(self.userData), self.reference])
            + self.recipient.encode()
            + self.time.octets
            + self.discharge.octets
            + bytes([self.status])
            + (bytes([indicator]) + optional if indicator else b"")
        )

    @classmethod
    def take(cls, reader: Reader, first: int) -> StatusReport:
        """
        Read what follows the first octet; parameters that the standard reserves are skipped.
        """
        reference = reader.octet("TP-MR")
        recipient = Address.take(reader, "TP-RA")
        time = TimeStamp.take(reader, "TP-SCTS")
        discharge = TimeStamp.take(reader, "TP-DT")
        status = reader.octet("TP-ST")
        indicator = extension = reader.octet("TP-PI") if reader.left else 0
        while extension & _MORE:
            extension = reader.octet("TP-PI")
        identifier = reader.octet("TP-PID") if indicator & _IDENTIFIER else None
        coding = DataCoding(reader.octet("TP-DCS") if indicator & _CODING else 0)
        userData = UserData.take(reader, coding, bool(first & _HEADER)) if indicator & _USER_DATA else None
        reader.take(reader.left, "reserved parameters")
        return cls(reference, recipient, time, discharge, status, identifier, userData, **cls._flags(first))


_TYPES = {unit.TYPE: unit for unit in (Submit, Deliver, StatusReport)}


def decode(octets: bytes) -> Submit | Deliver | StatusReport:
    """
    Read a message unit, as a mobile stores it.

    @raise SMSError: it is none, or something follows it. Nothing else is raised, whatever the octets are.
    """
    reader = Reader(octets)
    first = reader.octet("TP-MTI")
    kind = _TYPES.get(first & _TYPE)
    if kind is None:
        raise SMSError("the message type is reserved", "TP-MTI", octets)
    unit = kind.take(reader, first)
    if reader.left:
        raise reader.error("something follows the message", "TP-UD")
    return unit
