"""Message units: the printed ones, all others, and octets that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address, EnhancedValidity, RelativeValidity, TimeStamp, Validity
from atrunproto.sms.pdumode import LONGEST_UNIT, PDU
from atrunproto.sms.tpdu import MOST_REPORTED, Deliver, StatusReport, Submit, decode
from atrunproto.sms.userdata import Concatenation, Element, UserData, capacity
from tests.sms.strategies import units, userDatas
from tests.sms.vectors import CENTRE, DELIVERED, MOBILE, SUBMITTED

STAMP = TimeStamp.of(datetime(2008, 5, 29, 12, 20, 18, tzinfo=timezone(timedelta(hours=2))))
GSM, OCTETS, UCS2 = DataCoding(0), DataCoding(4), DataCoding(8)


def test_printedSubmit() -> None:
    """The printed request is read as what it is, and written octet by octet (TEL-DIG-09, TEL-DIG-10)."""
    pdu = PDU.decode(SUBMITTED, 52)
    assert pdu.centre == CENTRE
    submit = decode(pdu.unit)
    assert submit == Submit(MOBILE, submit.userData, validity=RelativeValidity(0xAD))  # type: ignore[arg-type]
    assert submit.userData is not None
    assert submit.userData.coding == DataCoding(0x15)
    assert len(submit.userData.payload) == 38
    assert PDU(submit.encode(), CENTRE).encode() == SUBMITTED


def test_printedDeliver() -> None:
    """The printed answer is read as what it is, and written octet by octet (TEL-DIG-09, TEL-DIG-10)."""
    pdu = PDU.decode(DELIVERED, 83)
    assert (pdu.centre, pdu.length) == (CENTRE, 83)
    deliver = decode(pdu.unit)
    assert deliver == Deliver(MOBILE, deliver.userData, STAMP)  # type: ignore[arg-type]
    assert deliver.userData is not None
    assert deliver.userData.coding == DataCoding(0x15)
    assert len(deliver.userData.payload) == 64
    assert PDU(deliver.encode(), CENTRE).encode() == DELIVERED


@pytest.mark.parametrize("length", [51, 53, 60])
def test_length(length: int) -> None:
    """A length that counts the service centre, or is wrong like the printed one, isn't taken (TEL-DIG-10)."""
    with pytest.raises(SMSError):
        PDU.decode(SUBMITTED, length)


@given(units)
def test_roundTrip(unit: Submit | Deliver | StatusReport) -> None:
    """Every message comes back as it was, and none is longer than a command line takes."""
    octets = unit.encode()
    assert decode(octets) == unit
    assert PDU.decode(PDU(octets).encode(), len(octets)).unit == octets
    assert len(octets) <= LONGEST_UNIT


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of which some octets are others, or missing."""
    octets, other = draw(units).encode(), draw(st.binary(max_size=3))
    at = draw(st.integers(0, len(octets)))
    return octets[:at] + other + octets[at + draw(st.integers(0, 3)) :]


@given(st.binary(max_size=200) | damaged())
def test_anyOctets(octets: bytes) -> None:
    """Octets that are no message are refused; what is one is shown, and written as it was understood."""
    try:
        unit = decode(octets)
    except SMSError:
        return
    if unit.userData is not None:
        unit.userData.text()
    assert decode(unit.encode()) == unit


@given(st.text("0123456789abcdefABCDEF", max_size=400) | st.text())
def test_anyDigits(digits: str) -> None:
    """What was typed for a message is one, or refused."""
    try:
        pdu = PDU.decode(digits)
    except SMSError:
        return
    assert PDU.decode(pdu.encode()) == pdu


@pytest.mark.parametrize(
    ("octets", "where"),
    [
        ("", "TP-MTI"),
        ("03", "TP-MTI"),
        ("01", "TP-MR"),
        ("0100", "TP-DA"),
        ("0100009100", "TP-DCS"),
        ("110000910004", "TP-VP"),
        ("0100009100040201", "TP-UD"),
        ("01000091000402010203", "TP-UD"),
        ("0100009100008D", "TP-UD"),
        ("01000091000080A1", "TP-UD"),
        ("010000910004FF", "TP-UDL"),
        ("410000910004020300", "TP-UDHL"),
        ("41000091000000", "TP-UDHL"),
        ("4100009100000100", "TP-UDHL"),
        ("0000910004", "TP-SCTS"),
    ],
)
def test_whatAndWhere(octets: str, where: str) -> None:
    """A refused message's error names the field."""
    with pytest.raises(SMSError, match=f"^{where}\\b"):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("validity", "octets"),
    [
        (None, "0100009100040161"),
        (RelativeValidity(1), "110000910004010161"),
        (EnhancedValidity(b"\1\2\0\0\0\0\0"), "090000910004010200000000000161"),
        (STAMP, "190000910004805092210281800161"),
    ],
)
def test_validities(validity: Validity | None, octets: str) -> None:
    """Each kind of validity period is announced in the first octet (23.040 9.2.3.3)."""
    assert Submit(Address(""), UserData(OCTETS, b"a"), validity=validity).encode().hex() == octets


@pytest.mark.parametrize(
    ("unit", "first"),
    [
        (Submit(MOBILE, UserData(GSM, b""), rejectDuplicates=True), 0x05),
        (Submit(MOBILE, UserData(GSM, b""), wantsReport=True), 0x21),
        (Submit(MOBILE, UserData(GSM, b""), hasReplyPath=True), 0x81),
        (Submit(MOBILE, UserData(GSM, b"", (Element(1),))), 0x41),
        (Deliver(MOBILE, UserData(GSM, b""), STAMP), 0x04),
        (Deliver(MOBILE, UserData(GSM, b""), STAMP, isLast=False), 0x00),
        (Deliver(MOBILE, UserData(GSM, b""), STAMP, isForwarded=True), 0x0C),
        (Deliver(MOBILE, UserData(GSM, b""), STAMP, wantsReport=True), 0x24),
        (Deliver(MOBILE, UserData(GSM, b""), STAMP, hasReplyPath=True), 0x84),
        (StatusReport(1, MOBILE, STAMP, STAMP, isLast=False), 0x02),
        (StatusReport(1, MOBILE, STAMP, STAMP, isForwarded=True), 0x0E),
        (StatusReport(1, MOBILE, STAMP, STAMP, isOfCommand=True), 0x26),
    ],
)
def test_flags(unit: Submit | Deliver | StatusReport, first: int) -> None:
    """Kind and wishes of a message are bits of its first octet (23.040 9.2.2)."""
    assert unit.encode()[0] == first


def test_statusReport() -> None:
    """What a status report has beyond its status is announced, and what is reserved is skipped (23.040 9.2.3.27)."""
    plain = StatusReport(7, MOBILE, STAMP, STAMP, status=0)
    octets = plain.encode()
    assert octets.hex().upper() == "0607" + "0C91934386867611" + "80509221028180" * 2 + "00"
    assert decode(octets + b"\0") == plain
    assert decode(octets + b"\xfb\x80\x00\x11\x04\xff\xff") == replace(plain, protocolIdentifier=0x11)
    full = replace(plain, protocolIdentifier=0, userData=UserData(OCTETS, b"x" * MOST_REPORTED))
    assert len(full.encode()) == LONGEST_UNIT - 12 + len(MOBILE.encode())
    with pytest.raises(SMSError):
        replace(plain, userData=UserData(OCTETS, b"x" * (MOST_REPORTED + 1)))


@pytest.mark.parametrize(
    ("coding", "elements", "room"),
    [
        (GSM, (), 160),
        (OCTETS, (), 140),
        (UCS2, (), 140),
        (GSM, (Concatenation(1, 2, 1),), 153),
        (OCTETS, (Concatenation(1, 2, 1),), 134),
        (GSM, (Concatenation(1, 2, 1, isWide=True),), 152),
        (UCS2, (Concatenation(1, 2, 1, isWide=True),), 133),
        (GSM, (Element(0x70, b"x" * 137),), 0),
        (OCTETS, (Element(0x70, b"x" * 136),), 1),
    ],
)
def test_limits(coding: DataCoding, elements: tuple[Element, ...], room: int) -> None:
    """As much as fits behind its header is carried, and no more (23.040 9.2.3.16, 9.2.3.24)."""
    assert capacity(coding, elements) == room
    full = Submit(MOBILE, UserData(coding, b"x" * room, elements))
    assert len(full.userData.encode()) <= 141
    assert decode(full.encode()) == full
    with pytest.raises(SMSError):
        UserData(coding, b"x" * (room + 1), elements)


@pytest.mark.parametrize(
    "make",
    [
        lambda: UserData(GSM, b"\x80"),
        lambda: UserData(OCTETS, b"", (Element(0x70, b"x" * 138),)),
        lambda: Element(256),
        lambda: Element(1, b"x" * 256),
        lambda: Concatenation(256, 2, 1),
        lambda: Concatenation(65536, 2, 1, isWide=True),
        lambda: Concatenation(1, 0, 0),
        lambda: Concatenation(1, 256, 1),
        lambda: Concatenation(1, 2, 3),
        lambda: Submit(MOBILE, UserData(GSM, b""), reference=256),
        lambda: Submit(MOBILE, UserData(GSM, b""), protocolIdentifier=-1),
        lambda: RelativeValidity(256),
        lambda: PDU(b"", Address("x", 5)),
        lambda: PDU(b"x" * (LONGEST_UNIT + 1)),
    ],
)
def test_impossible(make: Callable[[], object]) -> None:
    """What no octets could say can't be made."""
    with pytest.raises(SMSError):
        make()


@pytest.mark.parametrize(
    ("header", "elements"),
    [
        ("0003010201", (Concatenation(1, 2, 1),)),
        ("080401020201", (Concatenation(0x102, 2, 1, isWide=True),)),
        ("0504000100020003070201", (Element(5, b"\0\1\0\2"), Concatenation(7, 2, 1))),
        ("0003010200", (Element(0, b"\1\2\0"),)),
        ("0003010203", (Element(0, b"\1\2\3"),)),
        ("0003010001", (Element(0, b"\1\0\1"),)),
        ("0002010201", ()),
        ("00030102", ()),
        ("00", ()),
        ("", ()),
    ],
)
def test_headers(header: str, elements: tuple[Element | Concatenation, ...]) -> None:
    """A part that can't be stays unknown, and a malformed header is ignored, not the text (23.040 9.2.3.24)."""
    length = len(header) // 2
    octets = bytes.fromhex(f"410000910004{length + 3:02x}{length:02x}{header}6869")
    unit = decode(octets)
    assert unit.userData == UserData(OCTETS, b"hi", elements)


def test_lastPlaceCounts() -> None:
    """Of two elements that say which part it is, the last one counts (23.040 9.2.3.24)."""
    places = (Concatenation(1, 2, 1), Element(0x70), Concatenation(1, 3, 2, isWide=True), Element(0x71))
    assert UserData(GSM, b"", places).concatenation == places[2]
    assert UserData(GSM, b"", places[1:2]).concatenation is None


@given(userDatas())
def test_anyUserData(userData: UserData) -> None:
    """A message shows as text whatever it carries."""
    userData.text()


def test_tooLongText() -> None:
    """A text of 160 characters is one message, and of 161 is none; nor is one that its alphabet lacks."""
    assert UserData.of("x" * 160).text() == "x" * 160
    for text in ("x" * 161, "[" * 81, "☺"):
        with pytest.raises(SMSError):
            UserData.of(text)
