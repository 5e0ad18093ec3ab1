"""Addresses, times and validity periods."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import (
    ALPHANUMERIC,
    INTERNATIONAL,
    NO_PLAN,
    TELEPHONE,
    Address,
    EnhancedValidity,
    Reader,
    RelativeValidity,
    TimeStamp,
    encodeCentre,
    takeCentre,
)
from tests.sms.strategies import addresses, moments, numbers, timeStamps

NAME = {"kind": ALPHANUMERIC, "plan": NO_PLAN}
DAY = 86400


@given(addresses)
def test_addressRoundTrip(address: Address) -> None:
    """Whoever sent a message is shown as its sender."""
    reader = Reader(address.encode())
    assert Address.take(reader, "TP-OA") == address
    assert reader.left == 0


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (Address("393468686711"), "0C91934386867611"),
        (Address("12345", 0), "05812143F5"),
        (Address("*#abc1", 0), "0681BADC1E"),
        (Address("", 0), "0081"),
        # 7 characters are 49 bits, which 13 semi-octets hold
        (Address("VODAFON", **NAME), "0DD0D62731687C3A01"),
        (Address("Design@Home", **NAME), "14D0C4F23C7D760390EF7619"),
    ],
)
def test_addresses(address: Address, octets: str) -> None:
    """Length, type and digits of addresses (23.040 9.1.2.5)."""
    assert address.encode().hex().upper() == octets


@pytest.mark.parametrize(
    ("text", "typeOfAddress", "address"),
    [
        ("+39346", None, Address("39346", INTERNATIONAL, TELEPHONE)),
        ("39346", None, Address("39346", 0, TELEPHONE)),
        ("39346", 145, Address("39346", INTERNATIONAL, TELEPHONE)),
        ("39346", 161, Address("39346", 2, TELEPHONE)),
        ("+39346", 129, Address("39346", 0, TELEPHONE)),
        ("Telit", 208, Address("Telit", ALPHANUMERIC, NO_PLAN)),
    ],
)
def test_typed(text: str, typeOfAddress: int | None, address: Address) -> None:
    """A number with a plus sign is international unless its type is given too (27.005 3.1)."""
    assert Address.parse(text, typeOfAddress) == address
    assert address.typeOfAddress == (typeOfAddress or (145 if text[0] == "+" else 129))
    assert str(address) == ("+" if address.kind == INTERNATIONAL else "") + text.lstrip("+")


@pytest.mark.parametrize("text", ["12345678901234567890x", "x", "1" * 21, "++1", "1 2", "\u0661"])
def test_noNumber(text: str) -> None:
    """What can't be dialled isn't taken for a number."""
    with pytest.raises(SMSError):
        Address.parse(text)


@pytest.mark.parametrize("typeOfAddress", [-1, 256])
def test_noType(typeOfAddress: int) -> None:
    """A type of address is one octet."""
    with pytest.raises(SMSError):
        Address.parse("1", typeOfAddress)


def test_longNames() -> None:
    """A sender's name has eleven characters at most, fewer if some are of the extension table."""
    assert len(Address("elevenchars", **NAME).digits) == 10
    for name in ("twelve chars", "[[[[[[", "§²"):
        with pytest.raises(SMSError):
            Address(name, **NAME)


@pytest.mark.parametrize(
    "octets", ["", "04", "0491", "049121", "16910000000000000000000000", "0491F121", "08D0", "0391211F"]
)
def test_malformedAddress(octets: str) -> None:
    """An address that ends too soon, is too long, or has a gap is refused; the error says which field it is."""
    with pytest.raises(SMSError, match=r"^TP-OA, before octet \d+: "):
        Address.take(Reader(bytes.fromhex(octets)), "TP-OA")


@given(st.none() | numbers.filter(lambda number: number.number))
@example(Address("393492000200"))
def test_centreRoundTrip(centre: Address | None) -> None:
    """A service centre's number comes back as it was."""
    reader = Reader(encodeCentre(centre))
    assert takeCentre(reader) == centre
    assert reader.left == 0


@given(moments)
def test_momentRoundTrip(moment: datetime) -> None:
    """A time is read with the zone in which it was written."""
    stamp = TimeStamp.of(moment)
    assert stamp.moment() == moment
    assert stamp.moment().utcoffset() == moment.utcoffset()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("80509221028180", "08/05/29,12:20:18+08"),
        ("80509221028188", "08/05/29,12:20:18-08"),
        ("80509221028179", "08/05/29,12:20:18-17"),
        ("FFA5FFFFFFFFFF", "00/50/00,00:00:00-70"),
    ],
)
def test_timeStamps(octets: str, text: str) -> None:
    """A time is shown with its zone in quarters of an hour; what is no digit is shown as 0 (23.040 9.2.3.11)."""
    assert str(TimeStamp(bytes.fromhex(octets))) == text


@given(timeStamps)
def test_anyTime(stamp: TimeStamp) -> None:
    """Whatever a service centre calls a time can be shown, and is kept as it came."""
    assert len(str(stamp)) == len("yy/MM/dd,hh:mm:ss+zz")
    moment = stamp.moment()
    assert moment is None or f"{moment:%y/%m/%d,%H:%M:%S}" == str(stamp)[:-3]


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=20)), timezone(timedelta(hours=-20))])
def test_noTime(zone: timezone | None) -> None:
    """A moment needs a zone, and one that two digits can hold."""
    with pytest.raises(SMSError):
        TimeStamp.of(datetime(2008, 5, 29, tzinfo=zone))
    with pytest.raises(SMSError):
        TimeStamp(b"\0" * 6)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 300),
        (143, 12 * 3600),
        (144, 12 * 3600 + 1800),
        (167, DAY),
        (168, 2 * DAY),
        (173, 7 * DAY),
        (196, 30 * DAY),
        (197, 35 * DAY),
        (255, 63 * 7 * DAY),
    ],
)
def test_relativeValidity(value: int, seconds: int) -> None:
    """The steps in which a message stays valid grow from five minutes to a week (23.040 9.2.3.12.1)."""
    assert RelativeValidity(value).seconds == seconds
    assert RelativeValidity.atLeast(seconds) == RelativeValidity(value)
    assert RelativeValidity.atLeast(seconds - 1) == RelativeValidity(value)


@given(st.floats(0, 1e9))
def test_atLeast(seconds: float) -> None:
    """A message is valid as long as was asked for, and no longer than need be."""
    validity = RelativeValidity.atLeast(seconds)
    assert validity.seconds >= seconds or validity.value == 255
    assert validity.value == 0 or RelativeValidity(validity.value - 1).seconds < seconds


@pytest.mark.parametrize(
    ("octets", "seconds"),
    [
        ("01000000000000", 300),
        ("021E0000000000", 30),
        ("03325495000000", 23 * 3600 + 45 * 60 + 59),
        ("03A35400000000", 30 * 3600 + 45 * 60),
        ("00000000000000", None),
        ("04FF0000000000", None),
        ("8102AA00000000", None),
    ],
)
def test_enhancedValidity(octets: str, seconds: int | None) -> None:
    """A validity period in the enhanced format is read in each of its ways; what is reserved means nothing."""
    assert EnhancedValidity(bytes.fromhex(octets)).seconds == seconds
