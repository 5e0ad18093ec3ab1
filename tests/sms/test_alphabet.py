"""The alphabets of short messages, septets, and what a terminal types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.sms.alphabet import (
    CHARACTER_SETS,
    Alphabet,
    alphabetFor,
    fromHex,
    pack,
    septetCount,
    unpack,
)
from atrunproto.sms.errors import SMSError
from tests.sms.strategies import BASIC, EXTENDED, gsmTexts, ucs2Texts

GSM = Alphabet.GSM.coding
UCS2 = Alphabet.UCS2.coding


def test_defaultAlphabet() -> None:
    """Each of the 127 characters has its code, and the ten others the escape in front of theirs (23.038 6.2.1)."""
    assert GSM.encode(BASIC) == bytes(code for code in range(128) if code != 0x1B)
    assert GSM.encode(EXTENDED).hex(" ", 2) == "1b0a 1b14 1b28 1b29 1b2f 1b3c 1b3d 1b3e 1b40 1b65"


@given(gsmTexts)
def test_gsmRoundTrip(text: str) -> None:
    """A text of the default alphabet comes back as it was."""
    septets = GSM.encode(text)
    assert GSM.decode(septets) == text
    assert unpack(pack(septets), len(septets)) == septets
    assert alphabetFor(text) is Alphabet.GSM
    assert septetCount(text) == len(septets) == len(text) + sum(text.count(each) for each in EXTENDED)


@given(ucs2Texts)
def test_ucs2RoundTrip(text: str) -> None:
    """A text of any characters comes back from UCS2 as it was, those beyond 16 bits included."""
    assert UCS2.decode(UCS2.encode(text)) == text


@pytest.mark.parametrize(
    ("alphabet", "text", "marked"),
    [
        (Alphabet.GSM, "a`b", b"a?b"),
        (Alphabet.GSM, "\x1b", b"?"),
        (Alphabet.OCTETS, "5 €", b"5 ?"),
        (Alphabet.UCS2, "\ud800", b"\0?"),
    ],
)
def test_noSuchCharacter(alphabet: Alphabet, text: str, marked: bytes) -> None:
    """A character that an alphabet lacks is refused, or a question mark if it needn't be exact."""
    with pytest.raises(SMSError):
        alphabet.coding.encode(text)
    assert alphabet.coding.encode(text, strict=False) == marked


@pytest.mark.parametrize(
    ("alphabet", "octets", "marked"),
    [
        (Alphabet.GSM, b"a\x1bb", "ab"),
        (Alphabet.GSM, b"a\x1b\x1bb", "a b"),
        (Alphabet.GSM, b"a\x1b", "a "),
        (Alphabet.GSM, b"a\x1b\r", "a\r"),
        (Alphabet.UCS2, b"\0a\0", "a\ufffd"),
        (Alphabet.UCS2, b"\xd8\0\0a", "\ufffda"),
    ],
)
def test_noSuchCode(alphabet: Alphabet, octets: bytes, marked: str) -> None:
    """Octets that are no character are refused, or read as the standard wants it of receivers (23.038 6.2.1.1)."""
    with pytest.raises(SMSError):
        alphabet.coding.decode(octets)
    assert alphabet.coding.decode(octets, strict=False) == marked


@given(st.sampled_from(Alphabet), st.binary())
def test_anyOctets(alphabet: Alphabet, octets: bytes) -> None:
    """Whatever the octets are, they can be shown."""
    alphabet.coding.decode(octets, strict=False)


@pytest.mark.parametrize(
    ("text", "packed"),
    [("hellohello", "E8329BFD4697D9EC37"), ("", ""), ("1234567", "31D98C56B3DD00"), ("12345678", "31D98C56B3DD70")],
)
def test_packed(text: str, packed: str) -> None:
    """Eight septets share seven octets, the first in the lowest bits (23.038 6.1.2.1)."""
    assert pack(GSM.encode(text)).hex().upper() == packed
    assert GSM.decode(unpack(bytes.fromhex(packed), len(text))) == text


@given(st.binary(max_size=160).map(lambda octets: bytes(each & 0x7F for each in octets)), st.integers(0, 6))
def test_fillBits(septets: bytes, fill: int) -> None:
    """Septets behind a header begin at a multiple of seven bits."""
    packed = pack(septets, fill)
    assert len(packed) == -(-(fill + 7 * len(septets)) // 8)
    assert unpack(packed, len(septets), fill) == septets
    assert packed[:1] == b"" or packed[0] & (1 << fill) - 1 == 0


def test_notPacked() -> None:
    """What has eight bits is no septet, and more septets than octets hold aren't read."""
    with pytest.raises(SMSError):
        pack(b"\x80")
    with pytest.raises(SMSError):
        unpack(b"\0", 2)


@pytest.mark.parametrize(
    ("name", "typed", "text"),
    [
        ("GSM", b"\x00\x11\x1b\x65", "@_€"),
        ("IRA", b"@_", "@_"),
        ("8859-1", b"\xe9\xa7", "é§"),
        ("PCCP437", b"\x82\xe2", "éΓ"),
        ("UCS2", b"00410042263A", "AB☺"),
    ],
)
def test_characterSets(name: str, typed: bytes, text: str) -> None:
    """Under each value of +CSCS the same text is typed and shown in its own way (27.005 3.1)."""
    assert CHARACTER_SETS[name].decode(typed) == text
    assert CHARACTER_SETS[name].encode(text) == typed


@pytest.mark.parametrize(("name", "typed"), [("UCS2", b"0041004"), ("UCS2", b"00zz"), ("UCS2", b"0"), ("IRA", b"\xe9")])
def test_notInCharacterSet(name: str, typed: bytes) -> None:
    """What a terminal can't have meant under its character set is refused."""
    with pytest.raises(SMSError):
        CHARACTER_SETS[name].decode(typed)


@pytest.mark.parametrize("name", sorted(CHARACTER_SETS))
def test_shownInAnyCharacterSet(name: str) -> None:
    """A text that a character set lacks is shown with marks."""
    assert CHARACTER_SETS[name].decode(CHARACTER_SETS[name].encode("a☺", strict=False)) == (
        "a☺" if name == "UCS2" else "a?"
    )


@pytest.mark.parametrize("digits", ["0", "0 0 ", "0g", "\uff10\uff10", "+1"])
def test_notHex(digits: str) -> None:
    """Only pairs of hexadecimal digits are octets."""
    with pytest.raises(SMSError):
        fromHex(digits)
