"""The escape sequence with its guard time, on a clock that is a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.escape import EscapeDetector


def feed(detector: EscapeDetector, *arrivals: tuple[float, bytes]) -> tuple[bytes, list[float]]:
    """
    Let octets arrive at their times, and the clock call as the detector wants it.

    Gives what went to the channel, and the times at which an escape was complete.
    """
    onward, escapes = b"", []

    def wake(until: float) -> None:
        nonlocal onward
        while (deadline := detector.deadline()) is not None and deadline <= until:
            complete, released = detector.expire(deadline)
            onward += released
            if complete:
                escapes.append(deadline)

    for now, data in arrivals:
        wake(now)
        onward += detector.received(data, now)
    wake(float("inf"))
    return onward, escapes


@pytest.mark.parametrize(
    "arrivals",
    [
        [(1.0, b"+++")],
        [(1.0, b"+"), (1.5, b"+"), (2.4, b"+")],
        [(1.0, b"++"), (1.9, b"+")],
        [(0.2, b"data"), (1.2, b"+++")],
        [(1.0, b"+"), (2.5, b"+++")],
    ],
)
def test_recognised(arrivals: list[tuple[float, bytes]]) -> None:
    """TEL-EXT-22: silence, three characters with no gap of the guard time, silence: that is the escape."""
    _, escapes = feed(EscapeDetector(0.0), *arrivals)
    assert escapes == [arrivals[-1][0] + 1.0]


@pytest.mark.parametrize(
    "arrivals",
    [
        [(0.5, b"+++")],
        [(1.0, b"data+++")],
        [(1.0, b"+++data")],
        [(1.0, b"++++")],
        [(1.0, b"++")],
        [(1.0, b"+"), (2.0, b"+"), (2.5, b"+")],
        [(1.0, b"+++"), (1.99, b"x")],
        [(1.0, b"data"), (1.9, b"+++")],
        [(1.0, b"+"), (1.2, b"x"), (1.4, b"++")],
        [(1.0, b"++"), (1.2, b"++")],
        [(1.0, b"***")],
    ],
)
@pytest.mark.parametrize("transmit", [True, False])
def test_notRecognised(arrivals: list[tuple[float, bytes]], transmit: bool) -> None:
    """TEL-EXT-22: without the silence before, between or behind, the characters are data and none is lost."""
    onward, escapes = feed(EscapeDetector(0.0, transmit=transmit), *arrivals)
    assert escapes == []
    assert onward == b"".join(data for _, data in arrivals)


@pytest.mark.parametrize(("transmit", "onward"), [(True, b"ab+++"), (False, b"ab")])
def test_transmitted(transmit: bool, onward: bytes) -> None:
    """TEL-EXT-23: the sequence itself goes on to the peer, unless #SKIPESC is 1."""
    detector = EscapeDetector(0.0, transmit=transmit)
    assert feed(detector, (0.1, b"ab"), (2.0, b"+"), (2.1, b"+"), (2.2, b"+")) == (onward, [3.2])


def test_heldBackOnlyAsLongAsNeeded() -> None:
    """TEL-EXT-23: what turns out not to be an escape goes on in its place, at once when data follow it."""
    detector = EscapeDetector(0.0, transmit=False)
    assert detector.received(b"+", 1.0) == b""
    assert detector.received(b"x", 1.1) == b"+x"
    assert detector.received(b"++", 3.0) == b""
    assert detector.deadline() == 4.0
    assert detector.expire(3.9) == (False, b"")
    assert detector.expire(4.0) == (False, b"++")
    assert detector.deadline() is None


def test_ownCharacterAndTime() -> None:
    """The character is the one of S2, the guard time the one that is asked for."""
    detector = EscapeDetector(0.0, escape=ord("#"), guard=0.4)
    assert feed(detector, (0.4, b"###")) == (b"###", [0.8])
    assert feed(EscapeDetector(0.0, escape=ord("#")), (1.0, b"+++")) == (b"+++", [])


def test_noEscapeAbove127() -> None:
    """An escape character above 127 switches the escape off (V.250 6.2.9)."""
    assert feed(EscapeDetector(0.0, escape=200), (1.0, b"\xc8\xc8\xc8")) == (b"\xc8\xc8\xc8", [])


def test_inOneChunk() -> None:
    """TEL-TRN-04: where the sequence must come in a single packet, three packets of one octet are data."""
    assert feed(EscapeDetector(0.0, inOneChunk=True), (1.0, b"+++")) == (b"+++", [2.0])
    apart = ((1.0, b"+"), (1.1, b"+"), (1.2, b"+"))
    assert feed(EscapeDetector(0.0, inOneChunk=True), *apart) == (b"+++", [])
    assert feed(EscapeDetector(0.0, inOneChunk=True), (1.0, b"++"), (1.1, b"+")) == (b"+++", [])


def test_gapWithoutAWake() -> None:
    """TEL-EXT-22: a gap of the guard time separates the characters, even if the timer comes late."""
    detector = EscapeDetector(0.0)
    for now, data in ((1.0, b"+"), (2.0, b"++")):
        detector.received(data, now)
    assert detector.expire(3.0) == (False, b"")


def test_secondEscape() -> None:
    """An escape that failed doesn't stand in the way of the next one."""
    detector = EscapeDetector(0.0)
    assert feed(detector, (1.0, b"+++x"), (2.0, b"++"), (3.0, b"+++")) == (b"+++x+++++", [4.0])


def test_nothingReceived() -> None:
    """An empty chunk is no event: it neither breaks the silence nor ends the sequence."""
    detector = EscapeDetector(0.0)
    assert feed(detector, (0.9, b""), (1.0, b"+++"), (1.5, b"")) == (b"+++", [2.0])


_ARRIVALS = st.lists(
    st.tuples(st.floats(0, 3, allow_nan=False), st.text("+++x", min_size=1, max_size=4).map(str.encode)), max_size=12
)


@given(_ARRIVALS, st.floats(0.4, 5.1), st.booleans(), st.booleans(), st.floats(0, 1e9))
def test_nothingLost(
    pauses: list[tuple[float, bytes]], guard: float, transmit: bool, inOneChunk: bool, begin: float
) -> None:
    """Whatever comes whenever, all of it reaches the channel in its order but the escapes that are withheld."""
    now, arrivals = begin, []
    for pause, data in pauses:
        now += pause
        arrivals.append((now, data))
    detector = EscapeDetector(begin, guard=guard, transmit=transmit, inOneChunk=inOneChunk)
    onward, escapes = feed(detector, *arrivals)
    sent = b"".join(data for _, data in arrivals)
    if transmit:
        assert onward == sent
    else:
        assert len(onward) == len(sent) - 3 * len(escapes)
        assert onward.replace(b"+", b"") == sent.replace(b"+", b"")
