"""What short messages are made of, for hypothesis."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import (
    ALPHANUMERIC,
    NO_PLAN,
    Address,
    EnhancedValidity,
    RelativeValidity,
    TimeStamp,
    Validity,
)
from atrunproto.sms.tpdu import MOST_REPORTED, Deliver, StatusReport, Submit
from atrunproto.sms.userdata import Concatenation, Element, UserData, capacity

#: the default alphabet as its standard prints it, row by row, without the escape; and the extension table
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"

gsmTexts = st.text(st.sampled_from(BASIC + EXTENDED))
ucs2Texts = st.text(st.characters(exclude_categories=["Cs"]))

octet = st.integers(0, 255)
codings = st.builds(DataCoding, octet)
phoneNumbers = st.text("0123456789", min_size=1, max_size=20)
numbers = st.builds(
    Address,
    st.text("0123456789*#abc", max_size=20),
    st.integers(0, 7).filter(lambda kind: kind != ALPHANUMERIC),
    st.integers(0, 15),
)
names = st.builds(
    Address, st.text(st.sampled_from(BASIC), max_size=11), st.just(ALPHANUMERIC), st.sampled_from([NO_PLAN, 9])
)
addresses = numbers | names

zones = st.integers(-79, 79).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=zones).map(
    lambda moment: moment.replace(microsecond=0)
)
timeStamps = moments.map(TimeStamp.of) | st.binary(min_size=7, max_size=7).map(TimeStamp)
validities: st.SearchStrategy[Validity | None] = (
    st.none()
    | st.builds(RelativeValidity, octet)
    | st.binary(min_size=7, max_size=7).map(EnhancedValidity)
    | timeStamps
)


@st.composite
def concatenations(draw: st.DrawFn) -> Concatenation:
    """A place in a longer message."""
    isWide = draw(st.booleans())
    total = draw(st.integers(1, 255))
    return Concatenation(
        draw(st.integers(0, 0xFFFF if isWide else 0xFF)), total, draw(st.integers(1, total)), isWide=isWide
    )


elements = st.builds(Element, octet.filter(lambda identifier: identifier not in (0, 8)), st.binary(max_size=20))


@st.composite
def userDatas(draw: st.DrawFn, most: int = 160) -> UserData:
    """User data of any coding, with and without a header."""
    coding = draw(codings)
    header = tuple(draw(st.lists(elements | concatenations(), max_size=4)))
    payload = draw(st.binary(max_size=min(most, capacity(coding, header))))
    if coding.alphabet is Alphabet.GSM:
        payload = bytes(each & 0x7F for each in payload)
    return UserData(coding, payload, header)


submits = st.builds(
    Submit,
    addresses,
    userDatas(),
    octet,
    validities,
    octet,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
delivers = st.builds(
    Deliver,
    addresses,
    userDatas(),
    timeStamps,
    octet,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
reports = st.builds(
    StatusReport,
    octet,
    addresses,
    timeStamps,
    timeStamps,
    octet,
    st.none() | octet,
    st.none() | userDatas().filter(lambda userData: len(userData.encode()) <= MOST_REPORTED + 1),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
units: st.SearchStrategy[Submit | Deliver | StatusReport] = submits | delivers | reports
