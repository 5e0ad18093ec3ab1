"""The receive buffer of a socket: octets, and the datagrams among them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atrunproto.ipeasy.buffer import DATAGRAMS, WINDOW, Place, Portion, ReceiveBuffer

A, B = ("10.0.0.1", 1), ("10.0.0.2", 2)


def filled(*datagrams: tuple[bytes, Place]) -> ReceiveBuffer:
    """A buffer in which these wait."""
    buffer = ReceiveBuffer()
    for data, origin in datagrams:
        buffer.put(data, origin)
    return buffer


def test_datagramByDatagram() -> None:
    """A datagram is read to its end, in pieces if need be, and each piece tells whose it is and what is left."""
    buffer = filled((b"hello", A), (b"world!", B))
    assert buffer.takeDatagram(3) == Portion(b"hel", A, 2)
    assert buffer.takeDatagram(1500) == Portion(b"lo", A, 0)
    assert buffer.takeDatagram(6) == Portion(b"world!", B, 0)
    assert buffer.takeDatagram(1) is None
    assert len(buffer) == 0


def test_acrossDatagrams() -> None:
    """What is read without regard to datagrams leaves the rest of the last one under its origin (TEL-CMD-21)."""
    buffer = filled((b"one", A), (b"two", B), (b"three", A))
    assert buffer.take(7) == b"onetwot"
    assert buffer.takeDatagram(100) == Portion(b"hree", A, 0)
    buffer.put(b"x", B)
    assert (buffer.take(1), buffer.takeDatagram(1)) == (b"x", None)


def test_stream() -> None:
    """A stream has no datagrams."""
    buffer = ReceiveBuffer()
    buffer.put(b"hello")
    assert buffer.takeDatagram(5) is None
    assert buffer.take(5) == b"hello"


def test_full() -> None:
    """It is full with so many octets, and with so many datagrams, however short (TEL-CMD-12)."""
    octets, datagrams = ReceiveBuffer(), ReceiveBuffer()
    states = []
    for count in (WINDOW - 1, 1):
        octets.put(bytes(count))
        states.append(octets.isFull)
    octets.clear()
    assert [*states, octets.isFull] == [False, True, False]
    assert octets.take(1) == b""
    states = []
    for _ in range(DATAGRAMS):
        datagrams.put(b"x", A)
        states.append(datagrams.isFull)
    datagrams.takeDatagram(1)
    assert [*states, datagrams.isFull] == [*[False] * (DATAGRAMS - 1), True, False]


@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.sampled_from((A, B))), max_size=20),
    st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=60),
)
def test_nothingLost(datagrams: list[tuple[bytes, Place]], reads: list[tuple[bool, int]]) -> None:
    """However reads of both kinds follow each other, every octet comes once, in order, under its own origin."""
    buffer = filled(*datagrams)
    octets = b"".join(data for data, _ in datagrams)
    origins = [origin for data, origin in datagrams for _ in data]
    ends = [sum(len(data) for data, _ in datagrams[: count + 1]) for count in range(len(datagrams))]
    at = 0
    for whole, count in reads:
        if whole:
            data = buffer.take(count)
            assert len(data) == min(count, len(octets) - at)
        else:
            portion = buffer.takeDatagram(count)
            if portion is None:
                assert at == len(octets)
                continue
            data = portion.data
            assert portion.origin == origins[at]
            assert at + len(data) + portion.left == next(end for end in ends if end > at)
        assert data == octets[at : at + len(data)]
        at += len(data)
        assert len(buffer) == len(octets) - at
