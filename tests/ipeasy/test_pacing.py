"""When what the DTE says leaves for the peer: full packets, timeouts, the forward character."""

from __future__ import annotations

import pytest

from atrunproto.pacing import Packets
from tests.ipeasy.lines import Lines


def test_packets() -> None:
    """Full packets leave at once, and the rest when its timeout is over (TEL-SCF-11)."""
    packets = Packets(4, 2.0)
    full = packets.fill(b"abcdefghij", 10.0)
    assert full == b"abcdefgh"
    assert list(packets.cut(full)) == [b"abcd", b"efgh"]
    assert packets.deadline() == 12.0
    assert packets.fill(b"k", 11.0) == b""
    assert packets.deadline() == 12.0
    assert packets.flush() == b"ijk"
    assert packets.deadline() is None


@pytest.mark.parametrize(
    ("held", "data", "left", "rest"),
    [
        (b"", b"ab;c", [b"ab;"], b"c"),
        (b"ab", b";", [b"ab;"], b""),
        (b"ab", b"cdef;gh;ijkl", [b"abcd", b"ef;", b"gh;", b"ijkl"], b""),
        (b"abc", b";d", [b"abc;"], b"d"),
        (b"", b";;", [b";", b";"], b""),
        (b"a", b"b", [], b"ab"),
    ],
)
def test_forward(held: bytes, data: bytes, left: list[bytes], rest: bytes) -> None:
    """The forward character completes a packet, which is never longer than the packet size (reference 6.1)."""
    packets = Packets(4, 2.0)
    packets.forward = ord(";")
    assert packets.fill(held, 0.0) == b""
    full = packets.fill(data, 1.0)
    assert full == b"".join(left)
    assert list(packets.cut(full)) == left
    assert packets.flush() == rest


def test_forwardOnline() -> None:
    """With #PADCMD the character of #PADFWD sends what was gathered, itself included, without it it doesn't."""
    lines = Lines(txTo=0)
    lines.ask("AT#PADFWD=59")
    wire = lines.dial(1, 0)
    lines.say(b"abc;d")
    assert wire.heard() == b""
    lines.escape()
    lines.ask("AT#PADCMD=1;#SKIPESC=1")
    lines.ask("AT#SO=1")
    lines.say(b"ef;g")
    assert wire.heard().endswith(b"ef;")
    lines.after(600)
    assert wire.heard() == b""


def test_timeoutRestarts() -> None:
    """With bufferStart the transmission timeout runs from the last octet, without it from the first (reference 6.1)."""
    for restarts, expected in ((0, [b"", b"abc", b""]), (1, [b"", b"", b"abc"])):
        lines = Lines(txTo=30)
        lines.ask(f"AT#SCFGEXT2=1,{restarts}")
        wire = lines.dial(1, 0)
        heard = []
        for data in (b"a", b"bc", b""):
            lines.at[0].say(data)
            lines.after(2.0)
            heard.append(wire.heard())
        assert heard == expected
