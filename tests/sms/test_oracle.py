"""
Another codec, C{gsmmodem.pdu}, reads what ours writes and writes what ours reads.

What it can't do is left out: it knows the general groups of data codings alone, has a grave accent where the section
sign belongs, no characters beyond 16 bits and no years from 2069 on, and loses a last septet of 0 (an at sign) as well
as the first one behind a header that needs no fill bits, as one with a wide reference is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from gsmmodem.pdu import Concatenation as TheirConcatenation
from gsmmodem.pdu import decodeSmsPdu, encodeSmsSubmitPdu
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address, RelativeValidity, TimeStamp
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.segments import split, textOf
from atrunproto.sms.tpdu import Deliver, StatusReport, Submit, decode
from atrunproto.sms.userdata import Concatenation, UserData
from tests.sms.strategies import BASIC, EXTENDED, phoneNumbers
from tests.sms.strategies import moments as allMoments
from tests.sms.vectors import CENTRE, DELIVERED, SUBMITTED

gsmTexts = st.text(st.sampled_from((BASIC + EXTENDED).replace("§", "").replace("\f", "")))
#: without what it takes for a grave accent, an escape or a form feed of the default alphabet
narrowTexts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="`\x1bÿ"))
international = phoneNumbers.map(Address)
moments = allMoments.filter(lambda moment: moment.year < 2069)
octet = st.integers(0, 255)


@st.composite
def userDatas(draw: st.DrawFn) -> UserData:
    """A part of a message that the other codec reads."""
    alphabet = draw(st.sampled_from(Alphabet))
    texts = {
        Alphabet.GSM: gsmTexts,
        Alphabet.UCS2: narrowTexts,
        Alphabet.OCTETS: st.text(st.characters(max_codepoint=255)),
    }
    content = draw(texts[alphabet]) * draw(st.integers(1, 50))
    coding = DataCoding.of(alphabet, draw(st.none() | st.integers(0, 3)))
    isWide = draw(st.booleans()) and alphabet is not Alphabet.GSM
    parts = split(content, coding, draw(octet), isWide, cutOff=True)
    return draw(st.sampled_from(parts))


def theirs(unit: Submit | Deliver | StatusReport) -> dict[str, Any]:
    """What the other codec reads in a message of ours."""
    pdu = PDU(unit.encode(), CENTRE)
    read: dict[str, Any] = decodeSmsPdu(pdu.encode())
    assert read.pop("smsc") == str(CENTRE)
    assert read.pop("tpdu_length") == pdu.length
    return read


def requireSame(read: dict[str, Any], userData: UserData) -> None:
    """The other codec has read the same text, and the same place in a longer one."""
    lost = "@" if userData.coding.alphabet is Alphabet.GSM else ""
    assert read["text"].rstrip(lost) == userData.text().rstrip(lost)
    place = userData.concatenation
    if place is None:
        assert "udh" not in read
    else:
        (element,) = read["udh"]
        assert isinstance(element, TheirConcatenation)
        assert Concatenation(element.reference, element.parts, element.number, place.isWide) == place


@given(international, userDatas(), octet, st.none() | st.builds(RelativeValidity, octet) | moments)
def test_submits(
    destination: Address, userData: UserData, reference: int, validity: RelativeValidity | datetime | None
) -> None:
    """A message that we send is read as it was meant."""
    ours = TimeStamp.of(validity) if isinstance(validity, datetime) else validity
    read = theirs(Submit(destination, userData, reference, ours))
    assert (read["type"], read["reference"], read["number"]) == ("SMS-SUBMIT", reference, str(destination))
    if isinstance(validity, RelativeValidity):
        assert read["validity"] == timedelta(seconds=validity.seconds)
    else:
        assert read.get("validity") == validity
    requireSame(read, userData)


@given(international, userDatas(), moments)
def test_delivers(origin: Address, userData: UserData, moment: datetime) -> None:
    """A message that the emulated service centre delivers is read as it was meant."""
    read = theirs(Deliver(origin, userData, TimeStamp.of(moment)))
    assert (read["type"], read["number"], read["time"]) == ("SMS-DELIVER", str(origin), moment)
    assert read["time"].utcoffset() == moment.utcoffset()
    requireSame(read, userData)


@given(octet, international, moments, moments, octet)
def test_reports(reference: int, recipient: Address, sent: datetime, discharged: datetime, status: int) -> None:
    """A status report of the emulated service centre is read as it was meant."""
    read = theirs(StatusReport(reference, recipient, TimeStamp.of(sent), TimeStamp.of(discharged), status))
    assert read == {
        "type": "SMS-STATUS-REPORT",
        "reference": reference,
        "number": str(recipient),
        "time": sent,
        "discharge": discharged,
        "status": status,
    }


@given(
    phoneNumbers,
    (gsmTexts | narrowTexts).filter(bool),
    st.integers(1, 100),
    octet,
    st.none() | moments | octet.map(lambda value: timedelta(seconds=RelativeValidity(value).seconds)),
    st.booleans(),
    st.booleans(),
)
def test_submitsOfOthers(
    number: str,
    text: str,
    times: int,
    reference: int,
    validity: datetime | timedelta | None,
    wantsReport: bool,
    rejectDuplicates: bool,
) -> None:
    """A message, long or short, that another program sends is read as it was meant."""
    content = (text * times)[:2000]
    pdus = encodeSmsSubmitPdu(
        "+" + number,
        content,
        reference=reference,
        validity=validity,
        smsc=str(CENTRE),
        requestStatusReport=wantsReport,
        rejectDuplicates=rejectDuplicates,
    )
    parts = []
    for each in pdus:
        submit = decode(PDU.decode(str(each)).unit)
        assert isinstance(submit, Submit)
        assert submit.destination == Address(number)
        assert (submit.reference, submit.wantsReport, submit.rejectDuplicates) == (
            reference,
            wantsReport,
            rejectDuplicates,
        )
        if isinstance(validity, timedelta):
            assert isinstance(submit.validity, RelativeValidity)
            assert submit.validity.seconds == validity.total_seconds()
        elif validity is not None:
            assert isinstance(submit.validity, TimeStamp)
            assert submit.validity.moment() == validity
        assert PDU(submit.encode(), CENTRE).encode() == str(each)
        parts.append(submit.userData)
    assert textOf(parts) == content
    if len(parts) > 1:
        assert [part.concatenation for part in parts] == [
            Concatenation(reference, len(parts), n) for n in range(1, len(parts) + 1)
        ]


@pytest.mark.parametrize("digits", [SUBMITTED, DELIVERED])
def test_printed(digits: str) -> None:
    """Both codecs read the same in the printed messages."""
    ours = decode(PDU.decode(digits).unit)
    assert ours.userData is not None
    read = decodeSmsPdu(digits)
    assert read["text"] == ours.userData.text()
    assert read["number"] == "+393468686711"
