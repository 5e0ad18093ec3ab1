"""Data that hold the escape sequence leave a peer so that no module takes them for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.escape import EscapeDetector
from atrunproto.at.peerescape import EscapeGuard

PIECES = st.lists(st.tuples(st.sampled_from([b"+", b"++", b"+++", b"++++", b"a", b"a+", b"+a"]), st.booleans()))


@given(PIECES)
def test_neverEscapes(pieces: list[tuple[bytes, bool]]) -> None:
    """However it is written, and wherever the way makes a silence, a module sees no escape sequence (TEL-SH-04)."""
    for silences in (False, True):
        guard, now = EscapeGuard(), 0.0
        detector = EscapeDetector(now)
        arrived = b""

        def send(data: bytes, after: float, detector: EscapeDetector = detector) -> bytes:
            nonlocal now
            now += after
            escaped, onward = detector.expire(now)
            assert not escaped
            return onward + (detector.received(data, now) if data else b"")

        arrived += send(b"", 2.0)
        for data, isSlow in pieces:
            arrived += send(guard.write(data), 0.0)
            if guard.held and isSlow:
                arrived += send(guard.silent(), 1.2)
            arrived += send(b"", 0.9 if not silences or guard.held else 1.1)
        while guard.held:
            arrived += send(guard.silent(), 1.2)
        arrived += send(b"", 2.0)
        assert arrived == b"".join(data for data, _ in pieces)


def test_loneSequence() -> None:
    """The sequence alone is sent in two parts, the second one after a silence or with what follows."""
    guard = EscapeGuard()
    assert (guard.write(b"+++"), guard.held) == (b"++", b"+")
    assert guard.silent() == b"+"
    assert guard.write(b"++") == b"+"
    assert guard.write(b"x") == b"+x"
    assert guard.write(b"+++x+++") == b"+++x+++"
