"""The DLE/ETX coding of Multi-Tech modems."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.multitech.coding import Coded, codingOf

#: octets among which there are many special ones, in runs
octets = st.lists(st.sampled_from([b"\x10", b"\x10", b"\x03", b"a", b"\x00\xff"]), max_size=40).map(b"".join)
streams = st.one_of(octets, st.binary(max_size=200))
cuts = st.lists(st.integers(0, 250), max_size=8)


def encodedByOctets(data: bytes) -> bytes:
    """The coding as the guide puts it, octet by octet."""
    return b"".join(bytes([0x10, octet]) if octet in (0x10, 0x03) else bytes([octet]) for octet in data)


def decodedByOctets(stream: bytes) -> tuple[bytes, bytes | None]:
    """And back."""
    data, quoted = bytearray(), False
    for at, octet in enumerate(stream):
        if quoted:
            data.append(octet)
            quoted = False
        elif octet == 0x10:
            quoted = True
        elif octet == 0x03:
            return bytes(data), stream[at + 1 :]
        else:
            data.append(octet)
    return bytes(data), None


def split(stream: bytes, at: list[int]) -> list[bytes]:
    """A stream, cut."""
    bounds = [0, *sorted(min(cut, len(stream)) for cut in at), len(stream)]
    return [stream[start:end] for start, end in pairwise(bounds)]


def decode(chunks: list[bytes], dleMode: int = 1) -> tuple[bytes, bytes | None]:
    """Feed all of them; give the data, and what stood behind the end."""
    coding = codingOf(dleMode)
    data, behind = b"", None
    for chunk in chunks:
        more, rest = coding.feed(chunk)
        data += more
        if rest is not None:
            behind = (behind or b"") + rest
    return data, behind


CASES = [
    (b"", b""),
    (b"abc", b"abc"),
    (b"\x03", b"\x10\x03"),
    (b"\x10", b"\x10\x10"),
    (b"\x10\x03", b"\x10\x10\x10\x03"),
    (b"\x03\x10", b"\x10\x03\x10\x10"),
    (b"a\x10\x10\x03\x03b", b"a\x10\x10\x10\x10\x10\x03\x10\x03b"),
]


@pytest.mark.parametrize(("data", "coded"), CASES)
def test_coded(data: bytes, coded: bytes) -> None:
    """
    A DLE goes as DLE DLE and an ETX as DLE ETX, in either direction (MTS-TCP-14, MTS-TCP-15).
    """
    assert codingOf(1).encode(data) == coded
    for cut in range(len(coded) + 1):
        assert decode([coded[:cut], coded[cut:]]) == (data, None)
        assert decode([coded[:cut], coded[cut:] + b"\x03" + coded]) == (data, coded)


@pytest.mark.parametrize(
    ("stream", "data", "behind"),
    [
        (b"\x03", b"", b""),
        (b"a\x03AT\r", b"a", b"AT\r"),
        (b"\x10\x10\x03", b"\x10", b""),
        (b"\x10\x10\x10\x03", b"\x10\x03", None),
        (b"\x10\x10\x10\x10\x03\x10", b"\x10\x10", b"\x10"),
        (b"\x10\x03\x03\x10\x10", b"\x03", b"\x10\x10"),
        (b"\x10a\x10\x00\x10\x10a", b"a\x00\x10a", None),
        (b"a\x10", b"a", None),
    ],
)
def test_end(stream: bytes, data: bytes, behind: bytes | None) -> None:
    """Only an ETX behind an even run of DLEs, or none, is the end; what follows is handed back (MTS-TCP-14)."""
    for cut in range(len(stream) + 1):
        assert decode([stream[:cut], stream[cut:]]) == (data, behind)


@given(streams, cuts, streams)
def test_roundTrip(data: bytes, at: list[int], behind: bytes) -> None:
    """However data are cut, before they are coded and on their way, they arrive as they were (MTS-TCP-14)."""
    coding = codingOf(1)
    coded = b"".join(map(coding.encode, split(data, at)))
    assert coded == encodedByOctets(data)
    assert decode(split(coded + coding.end + behind, at)) == (data, behind)


@given(streams, cuts)
def test_anything(stream: bytes, at: list[int]) -> None:
    """Whatever is sent, and however it is cut, it means the same as read octet by octet (MTS-TCP-14)."""
    assert decode(split(stream, at)) == decodedByOctets(stream)


@given(streams, cuts)
def test_uncoded(stream: bytes, at: list[int]) -> None:
    """With DLEMODE 0 all octets pass unchanged, and none is an end (MTS-TCP-16)."""
    coding = codingOf(0)
    assert decode(split(stream, at), 0) == (stream, None)
    assert (coding.encode(stream), coding.end) == (stream, b"")


@pytest.mark.parametrize("dleMode", [0, 1])
def test_noCopy(dleMode: int) -> None:
    """What has nothing special in it is passed on as it came, without a copy."""
    coding, data = codingOf(dleMode), bytes(range(32, 127)) * 1000
    assert coding.encode(data) is data
    assert coding.feed(data)[0] is data


def test_hostileRun() -> None:
    """An endless run of DLEs is passed on as it comes: no more than one is held."""
    coding, came = Coded(), 0
    for size in range(1, 200):
        came += len(coding.feed(b"\x10" * size)[0])
        assert came == size * (size + 1) // 2 // 2
    assert coding.feed(b"\x03") == (b"", b"")
