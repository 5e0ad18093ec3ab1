"""Requests and answers of SMSATRUN on the mobile's side, whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.errors import CommandFailed
from atrunproto.at.peerlines import BASIC, Response
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.digest import Direction, Envelope, Password
from atrunproto.smsatrun.peeranswer import Assembly, envelopeOf, read, simple
from tests.sms.mobiles import STAMP

LINE = BASIC.line("AT+CSQ")
PASSWORD = Password("1234567890123456")
IN_8_BITS = DataCoding.of(Alphabet.OCTETS)


def unitOf(octets: bytes, place: Concatenation | None = None) -> Deliver:
    """A message of the module."""
    return Deliver(Address("39346"), UserData(IN_8_BITS, octets, (place,) if place else ()), STAMP)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"OK", b"0", b"+CME ERROR: ", b"+CSQ: 1", b"\xff"])), st.booleans())
def test_anything(pieces: list[bytes], isCutOff: bool) -> None:
    """Whatever a message says, it is an answer, an error or none, and never breaks the program (TEL-SMS-23)."""
    found = read(LINE, b"".join(pieces), isCutOff)
    assert found is None or isinstance(found, Response | CommandFailed)
    assert not isCutOff or found is not None


@given(st.binary(max_size=140))
def test_anyOctets(octets: bytes) -> None:
    """Octets that are no digest answer are none, whatever they are (TEL-DIG-13)."""
    envelope = envelopeOf(unitOf(octets))
    assert envelope is None or envelope.encode()[:6] == octets[:6]


@given(st.permutations([(total, number) for total in (2, 3) for number in range(1, total + 1)]), st.booleans())
def test_mixedTotals(places: list[tuple[int, int]], inMessage: bool) -> None:
    """Parts that speak of different answers aren't mixed up."""
    assembly, found = Assembly(), []
    for total, number in places:
        segment, segments = (1, 1) if inMessage else (number, total)
        text = b"%d/%d " % (number, total)
        envelope = Envelope.seal(Direction.RESPONSE, 7, text, PASSWORD, segment, segments)
        place = Concatenation(1, total, number) if inMessage else None
        whole = assembly.add(unitOf(envelope.encode(), place), envelope)
        if whole is not None:
            found.append(whole)
    assert sorted(found) == [b"1/2 2/2 ", b"1/3 2/3 3/3 "]


def test_call() -> None:
    """A data call by short message is answered by how it has ended."""
    line = BASIC.line("ATD123")
    assert read(line, b"\r\nCONNECT 9600\r\n") == Response((), "CONNECT 9600")
    assert isinstance(read(line, b"\r\nNO CARRIER\r\n"), CommandFailed)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_alphabet(text: str) -> None:
    """A request says what was given, in the alphabet that has all of it (TEL-SMS-40)."""
    data = simple(BASIC.line(f"AT#X={text}"), False)
    if data.coding.alphabet is Alphabet.GSM:
        assert data.text() == f"AT#X={text}"
        assert len(data.payload) == len(text) + 5
    else:
        assert data.payload == f"AT#X={text}".encode()
        assert set(text) & set("\\^[]{}~|`")
