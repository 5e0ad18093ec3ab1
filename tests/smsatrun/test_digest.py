"""The digest that makes a message a command, and the envelopes that carry it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address, TimeStamp
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.tpdu import Deliver, Submit, decode
from atrunproto.sms.userdata import Concatenation, UserData, capacity
from atrunproto.smsatrun.digest import (
    CONCATENATION_LENGTH,
    MOST_PARTS,
    Direction,
    Envelope,
    Password,
    digestOf,
    join,
    respond,
    room,
)
from tests.sms.vectors import DELIVERED, SUBMITTED

PASSWORD = Password("1234567890123456")
OTHER = Password("abcdefghijklmnop")
ANSWER = b'\r\n+COPS: 0,0,"vodafone IT"\r\n\r\nOK\r\n'
KNOWN = [(b"AT+COPS?", b"WijCp2qV3sNv+aru20ZUaw=="), (ANSWER, b"Junra7r0kIEcH9qV542n3Q==")]

passwords = st.text(st.characters(max_codepoint=0xFF), min_size=16, max_size=16).map(Password)
texts = st.binary(max_size=110)
sessions = st.integers(0, 255)


def userDataOf(digits: str) -> UserData:
    """What a printed message carries."""
    unit = decode(PDU.decode(digits).unit)
    assert unit.userData is not None
    return unit.userData


@pytest.mark.parametrize(("text", "digest"), KNOWN)
def test_knownAnswers(text: bytes, digest: bytes) -> None:
    """The printed texts have the printed digests (TEL-DIG-03, TEL-DIG-04, TEL-DIG-05)."""
    assert digestOf(PASSWORD, text) == digest


def test_textAsCarried() -> None:
    """An answer without its first or last line end has another digest (TEL-DIG-06)."""
    assert len({digestOf(PASSWORD, text) for text in (ANSWER, ANSWER[2:], ANSWER[:-2], ANSWER.strip())}) == 4


def test_printedRequest() -> None:
    """The printed request is read, its password found, and made again octet by octet (TEL-DIG-01, TEL-DIG-09)."""
    carried = userDataOf(SUBMITTED)
    request = Envelope.decode(carried.payload)
    assert request == Envelope.seal(Direction.REQUEST, 1, b"AT+COPS?", PASSWORD)
    assert request.isRequest
    assert request.signer([OTHER, PASSWORD]) is PASSWORD
    assert request.encode() == carried.payload
    assert len(carried.payload) == 6 + 24 + 8


def test_printedResponse() -> None:
    """The printed answer is read, its password found, and made again octet by octet (TEL-DIG-02, TEL-DIG-07)."""
    carried = userDataOf(DELIVERED)
    response = Envelope.decode(carried.payload)
    request = Envelope.decode(userDataOf(SUBMITTED).payload)
    assert (response,) == respond(request.session, ANSWER, PASSWORD)
    assert not response.isRequest
    assert response.signer([PASSWORD, OTHER]) is PASSWORD
    assert response.encode() == carried.payload
    assert response.text == ANSWER


@given(st.sampled_from(Direction), sessions, texts, passwords, st.integers(1, 15).flatmap(
    lambda total: st.tuples(st.integers(1, total), st.just(total))
))  # fmt: skip
def test_roundTrip(direction: Direction, session: int, text: bytes, password: Password, place: tuple[int, int]) -> None:
    """What one side seals, the other opens with the same password (TEL-DIG-01, TEL-DIG-02, TEL-DIG-03)."""
    sealed = Envelope.seal(direction, session, text, password, *place)
    opened = Envelope.decode(sealed.encode())
    assert opened == sealed
    assert opened.signer([password]) is password
    assert len(sealed.digest) == 24


@given(st.binary(max_size=140) | st.binary(max_size=30).map(lambda octets: b"\xd0\xd0\xd0\0\x11" + octets))
def test_anyOctets(octets: bytes) -> None:
    """A message that is no envelope is refused, and one that isn't signed has no signer."""
    try:
        envelope = Envelope.decode(octets)
    except PeerViolation:
        return
    assert envelope.encode() == octets
    assert envelope.signer([PASSWORD]) is None


@given(texts, st.data())
def test_oneBit(text: bytes, data: st.DataObject) -> None:
    """A message of which one bit of text or digest is another has no signer any more."""
    octets = bytearray(Envelope.seal(Direction.REQUEST, 1, text, PASSWORD).encode())
    octets[data.draw(st.integers(6, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert Envelope.decode(bytes(octets)).signer([PASSWORD, OTHER]) is None


@pytest.mark.parametrize("octets", [b"", b"\xd0\xd0\xd0\0\x11\x01" + b"x" * 23, b"\xd0\xd0\xd1\0\x11\x01" + b"x" * 24])
def test_noEnvelope(octets: bytes) -> None:
    """What is too short, or doesn't begin like a digest message, is none."""
    with pytest.raises(PeerViolation):
        Envelope.decode(octets)


@pytest.mark.parametrize(
    ("place", "isEnvelope"), [(0x11, True), (0x21, True), (0x12, False), (0x10, False), (0, False)]
)
def test_places(place: int, isEnvelope: bool) -> None:
    """Only one segment of as many or more is a place; only the sole one is a request's (TEL-DIG-01)."""
    octets = bytearray(Envelope.seal(Direction.REQUEST, 1, b"AT", PASSWORD).encode())
    octets[4] = place
    if isEnvelope:
        assert Envelope.decode(bytes(octets)).isRequest == (place == 0x11)
    else:
        with pytest.raises(PeerViolation):
            Envelope.decode(bytes(octets))


def test_whichPassword() -> None:
    """Either of two passwords may have been used, and it is known which."""
    for used in (PASSWORD, OTHER):
        assert Envelope.seal(Direction.REQUEST, 1, b"AT", used).signer([PASSWORD, OTHER]) is used
    assert Envelope.seal(Direction.REQUEST, 1, b"AT", OTHER).signer([PASSWORD]) is None
    assert Envelope.seal(Direction.REQUEST, 1, b"AT", OTHER).signer([]) is None


def test_longestText() -> None:
    """One message carries 110 octets of text and refuses 111 (TEL-DIG-11)."""
    sealed = Envelope.seal(Direction.REQUEST, 1, b"x" * 110, PASSWORD)
    submit = Submit(Address("39"), UserData(DataCoding(0x15), sealed.encode()))
    assert len(submit.userData.payload) == 140
    with pytest.raises(Misuse):
        Envelope.seal(Direction.REQUEST, 1, b"x" * 111, PASSWORD)


@pytest.mark.parametrize(("session", "place"), [(256, (1, 1)), (-1, (1, 1)), (1, (2, 1)), (1, (0, 1)), (1, (1, 16))])
def test_noPlace(session: int, place: tuple[int, int]) -> None:
    """A number that is larger than its place isn't sent."""
    with pytest.raises(Misuse):
        Envelope.seal(Direction.RESPONSE, session, b"", PASSWORD, *place)


@given(sessions, st.binary(max_size=1560), st.randoms())
def test_parts(session: int, text: bytes, random: Random) -> None:
    """
    A long answer goes out in parts that fit behind a concatenation header, each with the digest of its own piece, and
    is joined whatever order they come in (TEL-DIG-08).
    """
    parts = respond(session, text, PASSWORD)
    if len(parts) > 1:
        for number, part in enumerate(parts, 1):
            place = Concatenation(1, len(parts), number)
            carried = UserData(DataCoding(0x15), part.encode(), (place,))
            deliver = decode(Deliver(Address("39"), carried, TimeStamp(b"\0" * 7)).encode())
            assert deliver.userData == carried
            assert (part.segment, part.segments) == (number, len(parts))
    assert {part.session for part in parts} == {session}
    assert all(part.signer([PASSWORD]) for part in parts)
    assert all(part.digest == digestOf(PASSWORD, part.text) for part in parts)
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert join(shuffled) == text


@pytest.mark.parametrize(
    ("length", "lengths"),
    [
        (0, [0]),
        (110, [110]),
        (111, [104, 7]),
        (15 * 104, [104] * 15),
        (15 * 104 + 1, [104] * 15),
        (9999, [104] * 15),
    ],
)
def test_pieces(length: int, lengths: list[int]) -> None:
    """An answer has as few parts as can be, and never more than fifteen (TEL-DIG-08, TEL-DIG-11)."""
    assert [len(part.text) for part in respond(1, b"x" * length, PASSWORD)] == lengths
    assert len(lengths) <= MOST_PARTS


def test_room() -> None:
    """The room for text is what a message with a concatenation header leaves it."""
    header = (Concatenation(1, 2, 1),)
    assert room() == capacity(DataCoding(4)) - 30
    assert room(CONCATENATION_LENGTH) == capacity(DataCoding(4), header) - 30


def test_numberedByMessagesOnly() -> None:
    """An answer is read too if each part calls itself the only segment, as the printed layout has it."""
    pieces = (b"b", b"a", b"c")
    assert join([Envelope.seal(Direction.RESPONSE, 1, piece, PASSWORD) for piece in pieces]) == b"bac"


def test_notJoined() -> None:
    """What isn't the parts of one answer, each once, isn't read as one."""
    first, second, third = respond(1, b"x" * 250, PASSWORD)
    stranger = replace(second, session=2)
    request = replace(second, direction=Direction.REQUEST)
    for parts in ([], [first, third], [first, second, second], [first, stranger, third], [first, request, third]):
        with pytest.raises(PeerViolation):
            join(parts)
    with pytest.raises(PeerViolation):
        join([first, second, third, third])
    with pytest.raises(PeerViolation):
        join([*respond(1, b"x", PASSWORD), second, third])


@pytest.mark.parametrize("text", ["", "123456789012345", "12345678901234567", "123456789012345☺"])
def test_passwordLength(text: str) -> None:
    """A password of fifteen or seventeen characters is refused, and the error doesn't repeat it."""
    with pytest.raises(Misuse) as caught:
        Password(text)
    assert not text or text not in str(caught.value)


def test_passwordHidden() -> None:
    """Neither a password nor what is made with it shows in a log."""
    sealed = Envelope.seal(Direction.REQUEST, 1, b"AT", PASSWORD)
    shown = f"{PASSWORD} {PASSWORD!r} {[PASSWORD]} {sealed} {sealed!r}"
    assert PASSWORD.reveal() not in shown
    assert sealed.digest.decode() not in shown
