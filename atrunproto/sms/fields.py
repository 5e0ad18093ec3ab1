"""
Fields that several message units have: addresses, time stamps and validity periods, and the reader that takes them.

Source: 3GPP 23.040 9.1.2 and 9.2.3.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import ClassVar, Self

from .alphabet import Alphabet, pack, unpack
from .errors import SMSError, requireRange

#: digits of an address in the order of their semi-octets, of which the last fills up an octet (23.040 9.1.2.3)
_DIGITS = "0123456789*#abc"
_FILL = "f"
_TO_HEX = str.maketrans(_DIGITS, "0123456789abcde")
_FROM_HEX = str.maketrans("0123456789abcde", _DIGITS)
#: octets of the digits of an address, and of a service centre's (23.040 9.1.2.5; 24.011 8.2.5.1)
LONGEST_ADDRESS = 10
#: octets of a time
_TIME_LENGTH = 7
#: quarters of an hour in a zone: two digits, of which the first has a bit less for the sign
_MOST_QUARTERS = 79

#: types of number
INTERNATIONAL = 1
ALPHANUMERIC = 5
#: the numbering plan of telephones (E.164), and none
TELEPHONE = 1
NO_PLAN = 0


class Reader:
    """
    Takes one field after another from octets.
    """

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        """
        How many octets are left.
        """
        return len(self._octets) - self._at

    def take(self, count: int, where: str) -> bytes:
        """
        The next octets.

        @param where: the field that they are.
        @raise SMSError: there are fewer.
        """
        if count > self.left:
            raise self.error("the octets end too soon", where)
        self._at += count
        return self._octets[self._at - count : self._at]

    def octet(self, where: str) -> int:
        """
        The next octet.

        @raise SMSError: there is none.
        """
        return self.take(1, where)[0]

    def error(self, what: str, where: str) -> SMSError:
        """
        What is wrong in front of the next octet, for the caller to raise; it doesn't show what the message says.
        """
        return SMSError(what, f"{where}, before octet {self._at}")


def _swapped(hexDigits: str) -> str:
    """
    Semi-octets change places: a digit that comes first stands in the lower half of an octet.
    """
    return "".join(second + first for first, second in zip(hexDigits[::2], hexDigits[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Address:
    """
    Who sends or receives (23.040 9.1.2.5).

    @ivar number: at most 20 digits, C{*#abc} among them; or text of at most 11 septets if the type is L{ALPHANUMERIC}.
    @ivar kind: type of number, 0 to 7.
    @ivar plan: numbering plan, 0 to 15.
    """

    number: str
    kind: int = INTERNATIONAL
    plan: int = TELEPHONE

    def __post_init__(self) -> None:
        requireRange("type of number", self.kind, 7)
        requireRange("numbering plan", self.plan, 15)
        if self.kind != ALPHANUMERIC and not set(self.number) <= set(_DIGITS):
            raise SMSError(f"{self.number!r} has what is no digit", "address")
        if len(self.digits) > LONGEST_ADDRESS:
            raise SMSError(f"{self.number!r} is too long", "address")

    @classmethod
    def parse(cls, text: str, typeOfAddress: int | None = None) -> Address:
        """
        An address as AT commands have it, C{"+39..."} with or without its type.

        @param typeOfAddress: C{None} stands for 145 with a plus sign and for 129 without (27.005 3.1, <toda>).
        @raise SMSError: it isn't one.
        """
        number = text.removeprefix("+")
        if typeOfAddress is None:
            typeOfAddress = 129 if number == text else 145
        requireRange("type of address", typeOfAddress, 0xFF)
        return cls(number, *_kindAndPlan(typeOfAddress))

    def __str__(self) -> str:
        return ("+" if self.kind == INTERNATIONAL else "") + self.number

    @property
    def isNumber(self) -> bool:
        """
        Whether it is a number that can be called; a name may look like one, and anybody can choose it.
        """
        return self.kind != ALPHANUMERIC and self.number != ""

    @property
    def typeOfAddress(self) -> int:
        """
        Type and plan in one octet, as <toda> and <tooa> show them.
        """
        return 0x80 | self.kind << 4 | self.plan

    @property
    def digits(self) -> bytes:
        """
        The number as semi-octets, the last filled up, or its packed septets.
        """
        if self.kind == ALPHANUMERIC:
            return pack(Alphabet.GSM.coding.encode(self.number))
        digits = self.number.translate(_TO_HEX)
        return bytes.fromhex(_swapped(digits + _FILL * (len(digits) % 2)))

    def encode(self) -> bytes:
        """
        The address of a message unit; its length counts semi-octets in use.
        """
        if self.kind == ALPHANUMERIC:
            length = (7 * len(Alphabet.GSM.coding.encode(self.number)) + 3) // 4
        else:
            length = len(self.number)
        return bytes([length, self.typeOfAddress]) + self.digits

    @classmethod
    def take(cls, reader: Reader, where: str) -> Address:
        """
        Read the address of a message unit.

        @raise SMSError: it isn't one.
        """
        length = reader.octet(where)
        if length > 2 * LONGEST_ADDRESS:
            raise reader.error("the address is too long", where)
        kind, plan = _kindAndPlan(reader.octet(where))
        octets = reader.take((length + 1) // 2, where)
        if kind == ALPHANUMERIC:
            return cls(Alphabet.GSM.coding.decode(unpack(octets, 4 * length // 7), strict=False), kind, plan)
        return cls(_number(_swapped(octets.hex())[:length], reader, where), kind, plan)


def _kindAndPlan(typeOfAddress: int) -> tuple[int, int]:
    return typeOfAddress >> 4 & 7, typeOfAddress & 15


def _number(hexDigits: str, reader: Reader, where: str) -> str:
    if _FILL in hexDigits:
        raise reader.error("the number has a gap", where)
    return hexDigits.translate(_FROM_HEX)


def encodeCentre(centre: Address | None) -> bytes:
    """
    A service centre's address in PDU mode; its length counts octets (27.005 3.1, <pdu>; 24.011 8.2.5).

    @param centre: C{None} for the one that +CSCA names.
    """
    if centre is None:
        return b"\0"
    return bytes([1 + len(centre.digits), centre.typeOfAddress]) + centre.digits


def takeCentre(reader: Reader) -> Address | None:
    """
    Read a service centre's address.

    @raise SMSError: it isn't one.
    """
    where = "service centre"
    length = reader.octet(where)
    if length == 0:
        return None
    kind, plan = _kindAndPlan(reader.octet(where))
    octets = reader.take(length - 1, where)
    if kind == ALPHANUMERIC or len(octets) > LONGEST_ADDRESS:
        raise reader.error("no number of a service centre", where)
    return Address(_number(_swapped(octets.hex()).removesuffix(_FILL), reader, where), kind, plan)


@dataclass(frozen=True, slots=True)
class _SevenOctets:
    """
    A field that is kept as its octets.
    """

    octets: bytes

    def __post_init__(self) -> None:
        if len(self.octets) != _TIME_LENGTH:
            raise SMSError(f"a time has {_TIME_LENGTH} octets", "time", self.octets)

    @classmethod
    def take(cls, reader: Reader, where: str) -> Self:
        """
        Read the field.

        @raise SMSError: the octets end too soon.
        """
        return cls(reader.take(_TIME_LENGTH, where))


def _decimal(octet: int) -> int:
    """
    Two semi-octets, the first in the lower half, as a number; what isn't a digit counts as 0.
    """
    ones, tens = octet >> 4, octet & 15
    return (tens if tens < 10 else 0) * 10 + (ones if ones < 10 else 0)


class TimeStamp(_SevenOctets):
    """
    A local time with its zone, in seven octets (23.040 9.2.3.11).

    The octets are kept as they came, digits or not, as the standard tells receivers.
    """

    __slots__ = ()

    #: see L{VALIDITY_FORMATS}
    FORMAT: ClassVar[int] = 0x18

    @classmethod
    def of(cls, moment: datetime) -> TimeStamp:
        """
        The stamp of a moment; its zone is rounded down to quarters of an hour, its year loses the century.

        @raise SMSError: the moment has no zone, or one that two digits can't hold.
        """
        offset = moment.utcoffset()
        if offset is None:
            raise SMSError("a moment without a zone", "time")
        quarters = offset // timedelta(minutes=15)
        requireRange("quarters of the zone", abs(quarters), _MOST_QUARTERS)
        octets = bytearray.fromhex(_swapped(f"{moment:%y%m%d%H%M%S}{abs(quarters):02}"))
        if quarters < 0:
            octets[-1] |= 0x08
        return cls(bytes(octets))

    @property
    def _fields(self) -> Iterator[int]:
        """
        Year to second and the quarters without their sign.
        """
        *date, zone = self.octets
        return map(_decimal, (*date, zone & 0xF7))

    @property
    def _sign(self) -> int:
        return -1 if self.octets[-1] & 0x08 else 1

    def moment(self) -> datetime | None:
        """
        The moment, in this century (A); C{None} if the calendar doesn't have it.
        """
        year, month, day, hour, minute, second, quarters = self._fields
        try:
            zone = timezone(self._sign * timedelta(minutes=15 * quarters))
            return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            return None

    def __str__(self) -> str:
        """
        As text mode shows it (27.005 3.1, <scts>): C{yy/MM/dd,hh:mm:ss+zz}.
        """
        *date, quarters = self._fields
        sign = "-" if self._sign < 0 else "+"
        return "{:02}/{:02}/{:02},{:02}:{:02}:{:02}".format(*date) + f"{sign}{quarters:02}"


_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86400, 604800
#: seconds of each relative validity period: values from and to, what they build on, in which steps (23.040 9.2.3.12.1)
_RELATIVE = tuple(
    base + step * (value - first + 1)
    for first, last, base, step in (
        (0, 143, 0, 5 * _MINUTE),
        (144, 167, 12 * _HOUR, 30 * _MINUTE),
        (168, 196, _DAY, _DAY),
        (197, 255, 4 * _WEEK, _WEEK),
    )
    for value in range(first, last + 1)
)


#: the indicator of an enhanced validity period goes on in the next octet
_EXTENDED = 0x80


@dataclass(frozen=True, slots=True)
class RelativeValidity:
    """
    How long a service centre keeps trying, counted from when it gets the message (23.040 9.2.3.12.1).

    @ivar value: 0 to 255, as +CSMP has it.
    """

    #: see L{VALIDITY_FORMATS}
    FORMAT: ClassVar[int] = 0x10

    value: int

    def __post_init__(self) -> None:
        requireRange("TP-VP", self.value, 255)

    @classmethod
    def atLeast(cls, seconds: float) -> RelativeValidity:
        """
        The shortest one that is no shorter; beyond the longest, 63 weeks, that one.
        """
        return cls(min(bisect_left(_RELATIVE, seconds), 255))

    @property
    def seconds(self) -> int:
        """
        The time.
        """
        return _RELATIVE[self.value]

    @property
    def octets(self) -> bytes:
        """
        The field.
        """
        return bytes([self.value])

    @classmethod
    def take(cls, reader: Reader, where: str) -> RelativeValidity:
        """
        Read the field.

        @raise SMSError: the octets end too soon.
        """
        return cls(reader.octet(where))


class EnhancedValidity(_SevenOctets):
    """
    A validity period in the enhanced format, kept as its seven octets (23.040 9.2.3.12.3).
    """

    __slots__ = ()

    #: see L{VALIDITY_FORMATS}
    FORMAT: ClassVar[int] = 0x08

    @property
    def seconds(self) -> int | None:
        """
        The time; C{None} if none is given, or in a way that the standard reserves.
        """
        kind, first, *more = self.octets
        if kind & _EXTENDED:
            return None
        match kind & 7:
            case 1:
                return _RELATIVE[first]
            case 2:
                return first
            case 3:
                hours, minutes, seconds = map(_decimal, (first, *more[:2]))
                return hours * _HOUR + minutes * _MINUTE + seconds
        return None


#: a relative one, or until when
Validity = RelativeValidity | EnhancedValidity | TimeStamp

#: the kind of validity period that the bits of a submit's first octet announce; 0 is none (23.040 9.2.3.3)
VALIDITY_FORMATS: Mapping[int, type[RelativeValidity] | type[EnhancedValidity] | type[TimeStamp]] = MappingProxyType(
    {kind.FORMAT: kind for kind in (EnhancedValidity, RelativeValidity, TimeStamp)}
)
