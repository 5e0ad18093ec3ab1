"""The data coding scheme, group by group."""

from __future__ import annotations

import pytest

from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding, Waiting
from atrunproto.sms.errors import SMSError

GSM, OCTETS, UCS2 = Alphabet


@pytest.mark.parametrize(
    ("octets", "alphabet", "messageClass"),
    [
        ([0x00, 0x0C, 0x40], GSM, None),
        ([0x04, 0x44], OCTETS, None),
        ([0x08, 0x48], UCS2, None),
        ([0x10, 0x50, 0xF0, 0xF8], GSM, 0),
        ([0x11, 0xF1], GSM, 1),
        ([0x15, 0x55, 0xF5, 0xFD], OCTETS, 1),
        ([0x16, 0xF6], OCTETS, 2),
        ([0x1B], UCS2, 3),
        ([0x20, 0x28, 0x64], OCTETS, None),
        ([0x31], OCTETS, 1),
        ([0x03, 0x80, 0x95, 0xA4, 0xBF], GSM, None),
        ([0xC8, 0xD1], GSM, None),
        ([0xE8], UCS2, None),
    ],
)
def test_groups(octets: list[int], alphabet: Alphabet, messageClass: int | None) -> None:
    """A message is read in the alphabet of its data coding scheme, and shown as its class says (23.038 4)."""
    for octet in octets:
        coding = DataCoding(octet)
        assert (coding.alphabet, coding.messageClass) == (alphabet, messageClass), hex(octet)


def test_compressed() -> None:
    """Compression is a mark of the general groups only."""
    assert [octet for octet in range(256) if DataCoding(octet).isCompressed] == [*range(0x20, 0x40), *range(0x60, 0x80)]


def test_waiting() -> None:
    """An indication says what waits, whether there is any, and whether its text is kept."""
    assert DataCoding(0xC8).waiting == (Waiting.VOICE_MAIL, True)
    assert DataCoding(0xD1).waiting == (Waiting.FAX, False)
    assert DataCoding(0xEA).waiting == (Waiting.E_MAIL, True)
    assert [octet for octet in range(256) if DataCoding(octet).waiting] == list(range(0xC0, 0xF0))
    assert [octet for octet in range(256) if not DataCoding(octet).isStored] == list(range(0xC0, 0xD0))


@pytest.mark.parametrize("alphabet", Alphabet)
@pytest.mark.parametrize("messageClass", [None, 0, 1, 2, 3])
def test_made(alphabet: Alphabet, messageClass: int | None) -> None:
    """What is asked for is what is made."""
    coding = DataCoding.of(alphabet, messageClass)
    assert (coding.alphabet, coding.messageClass) == (alphabet, messageClass)


def test_refused() -> None:
    """There is no fifth class, and no scheme of nine bits."""
    with pytest.raises(SMSError):
        DataCoding.of(GSM, 4)
    with pytest.raises(SMSError):
        DataCoding(256)
