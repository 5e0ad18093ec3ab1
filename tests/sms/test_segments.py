"""Messages that are longer than one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.errors import SMSError
from atrunproto.sms.segments import LONGEST_WAIT, MOST_KEPT, Reassembler, split, textOf
from atrunproto.sms.userdata import Concatenation, UserData, capacity
from tests.sms.strategies import gsmTexts, ucs2Texts


@given(
    (gsmTexts | ucs2Texts).flatmap(lambda text: st.integers(1, 200).map(lambda times: (text * times)[:5000])),
    st.booleans(),
)
def test_textRoundTrip(text: str, isWide: bool) -> None:
    """A text of any length arrives whole, and each of its parts can be read by itself."""
    parts = split(text, reference=200, isWide=isWide)
    assert textOf(parts) == text
    assert "".join(part.text(strict=True) for part in parts) == text
    places = [part.concatenation for part in parts]
    if len(parts) == 1:
        assert places == [None]
    else:
        assert places == [Concatenation(200, len(parts), n, isWide) for n in range(1, len(parts) + 1)]


@given(
    st.sampled_from(Alphabet),
    st.booleans(),
    st.lists(st.booleans(), max_size=500),
)
def test_fewest(alphabet: Alphabet, isWide: bool, wide: list[bool]) -> None:
    """No two neighbours could be one, whatever their characters take: there are as few parts as can be."""
    broad = {Alphabet.GSM: "€", Alphabet.OCTETS: "b", Alphabet.UCS2: "😀"}[alphabet]
    text = "".join(broad if each else "a" for each in wide)
    parts = split(text, DataCoding.of(alphabet), isWide=isWide)
    for part, following in pairwise(parts):
        first = alphabet.coding.encode(following.text()[0])
        assert len(part.payload) + len(first) > capacity(part.coding, part.elements)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 152 + "€" * 5, [152, 10]),
        ("a" * 151 + "€" * 5, [153, 8]),
        ("☺" * 70, [140]),
        ("☺" * 71, [134, 8]),
        ("☺" * 66 + "😀" * 3, [132, 12]),
        ("", [0]),
    ],
)
def test_cuts(text: str, lengths: list[int]) -> None:
    """Parts are filled, but a character of two septets or two halves is never cut in two."""
    assert [len(part.payload) for part in split(text)] == lengths


def test_alphabetChosen() -> None:
    """The shorter alphabet is chosen if none is asked for; octets are octets."""
    assert [split(each)[0].coding.octet for each in ("è€", "ê", b"\0")] == [0, 8, 4]
    assert split("a", DataCoding(0x15))[0] == UserData(DataCoding(0x15), b"a")
    with pytest.raises(SMSError):
        split("ê", DataCoding(0))


def test_tooMany() -> None:
    """What needs more parts than allowed is refused, or cut off and numbered as what is left."""
    octets = bytes(range(256)) * 10
    with pytest.raises(SMSError):
        split(octets, most=15)
    parts = split(octets, most=15, cutOff=True)
    assert [part.concatenation for part in parts] == [Concatenation(0, 15, n) for n in range(1, 16)]
    assert b"".join(part.payload for part in parts) == octets[: 15 * 134]
    assert len(split(b"x" * 255 * 134)) == 255
    for most in (256, 1):
        with pytest.raises(SMSError):
            split(octets, most=most)
    with pytest.raises(SMSError):
        split(b"x" * (255 * 134 + 1))


def test_cutByOthers() -> None:
    """A character that another sender has cut in two is whole again."""
    halves = [UserData(DataCoding(8), octets) for octets in ("😀".encode("utf-16-be")[:2], b"\xde\x00\0a")]
    assert textOf(halves) == "😀a"
    assert textOf([UserData(DataCoding(0), b"a\x1b"), UserData(DataCoding(0), b"e")]) == "a€"
    assert textOf([UserData(DataCoding(8), b"\0a\0"), UserData(DataCoding(0), b"b")]) == "a\ufffdb"


@given(st.data(), st.integers(1, 9))
def test_joined(data: st.DataObject, total: int) -> None:
    """Parts that come in any order and more than once make the whole once."""
    arrivals = data.draw(st.permutations([*range(1, total + 1)] * 2))
    reassembler = Reassembler[str]()
    wholes = [reassembler.add("+39", Concatenation(1, total, number), f"part {number}", 0.0) for number in arrivals]
    assert [whole for whole in wholes if whole is not None] == [tuple(f"part {n}" for n in range(1, total + 1))]
    assert len(reassembler) == 1


def test_notMixed() -> None:
    """Parts of different senders, references, totals and kinds of reference are kept apart."""
    reassembler = Reassembler[str]()
    for sender, place in [
        ("+39", Concatenation(1, 2, 1)),
        ("+41", Concatenation(1, 2, 2)),
        ("+39", Concatenation(2, 2, 2)),
        ("+39", Concatenation(1, 3, 2)),
        ("+39", Concatenation(1, 2, 2, isWide=True)),
    ]:
        assert reassembler.add(sender, place, "part", 0.0) is None
    assert reassembler.add("+39", Concatenation(1, 2, 2), "part", 0.0) == ("part", "part")


def test_referenceUsedAgain() -> None:
    """A sender whose references begin again begins a new message, though an old one never became whole."""
    reassembler = Reassembler[str]()
    first, second = Concatenation(1, 2, 1), Concatenation(1, 2, 2)
    assert reassembler.add("+39", first, "old 1", 0.0) is None
    assert reassembler.add("+39", first, "new 1", 1.0) is None
    assert reassembler.add("+39", second, "new 2", 2.0) == ("new 1", "new 2")
    assert reassembler.add("+39", second, "newest 2", 3.0) is None
    assert reassembler.add("+39", first, "newest 1", 4.0) == ("newest 1", "newest 2")


def test_tooOld() -> None:
    """A message that isn't whole after a day is given up."""
    reassembler = Reassembler[str]()
    first, second = Concatenation(1, 2, 1), Concatenation(1, 2, 2)
    reassembler.add("+39", first, "1", 0.0)
    reassembler.add("+41", first, "1", 1.0)
    assert reassembler.add("+39", second, "2", LONGEST_WAIT) is None
    assert len(reassembler) == 2
    assert reassembler.add("+41", second, "2", LONGEST_WAIT) == ("1", "2")


def test_tooManyBegun() -> None:
    """Whoever begins messages without end fills no memory; the oldest makes room."""
    reassembler = Reassembler[int]()
    for reference in range(MOST_KEPT + 1):
        reassembler.add("+39", Concatenation(reference, 2, 1), 1, 0.0)
        assert len(reassembler) <= MOST_KEPT
    assert reassembler.add("+39", Concatenation(1, 2, 2), 2, 0.0) == (1, 2)
    assert reassembler.add("+39", Concatenation(0, 2, 2), 2, 0.0) is None
