"""Base64 on the way of a socket: #BASE64."""

from __future__ import annotations

from base64 import b64decode, b64encode, encodebytes
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.ipeasy.coding import LINES, PLAIN, UNBROKEN, Coding
from tests.ipeasy.lines import HOST, OWN, Lines
from tests.ipeasy.test_udp import dial, peer

MODES = [LINES, UNBROKEN]


@given(st.binary(max_size=400), st.lists(st.integers(0, 600), max_size=8), st.sampled_from(MODES), st.booleans())
def test_split(data: bytes, cuts: list[int], mode: int, inLines: bool) -> None:
    """However a stream is cut on its way, it decodes to what was encoded (reference 6.1)."""
    sent = encodebytes(data).replace(b"\n", b"\r\n") if inLines else b64encode(data)
    coding = Coding(PLAIN, mode)
    bounds = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    assert b"".join(coding.decode(sent[start:end]) for start, end in pairwise(bounds)) == data


@given(st.lists(st.binary(max_size=200), max_size=6), st.sampled_from(MODES))
def test_packets(packets: list[bytes], mode: int) -> None:
    """Packets that follow each other, padded or not, are one stream for who decodes it (reference 6.1)."""
    coding = Coding(mode, mode)
    encoded = [coding.encode(packet) for packet in packets]
    assert b"".join(map(coding.decode, encoded)) == b"".join(packets)
    assert [coding.decodeDatagram(packet) for packet in encoded] == packets
    for packet in encoded:
        assert max(map(len, packet.split(b"\r\n"))) <= 76 or mode == UNBROKEN
        assert mode == LINES or b"\r\n" not in packet


@given(st.lists(st.binary(max_size=100), max_size=20), st.sampled_from(MODES))
def test_anything(chunks: list[bytes], mode: int) -> None:
    """Whatever a peer sends, nothing fails, and no more comes of it than base64 can hold (reference 6.1)."""
    coding = Coding(PLAIN, mode)
    came = sent = 0
    for chunk in chunks:
        sent += len(chunk)
        came += len(coding.decode(chunk))
        assert came <= sent * 3 // 4
    # what was held is at most a group that isn't complete
    assert len(coding.decode(b"A=")) <= 3


def base64(connId: int = 1, enc: int = 2, dec: int = 2) -> Lines:
    """A module whose socket speaks base64."""
    lines = Lines()
    assert lines.ask(f"AT#BASE64={connId},{enc},{dec}") == ["OK"]
    return lines


def test_online() -> None:
    """Online what is typed leaves encoded, a full packet without padding, and what comes is shown decoded (6.1)."""
    lines = base64()
    wire = lines.dial(mode=0)
    lines.at[0].say(bytes(301))
    assert wire.heard() == b64encode(bytes(300))
    lines.after(0.2)
    assert wire.heard() == b64encode(bytes(1))
    wire.say(b64encode(b"hello")[:3])
    wire.say(b64encode(b"hello")[3:])
    assert lines.heard() == b"hello"


def test_oddPackets() -> None:
    """A packet size that groups of three don't fill is made smaller, so that a long text has no padding inside."""
    lines = base64()
    lines.ask("AT#SCFG=1,1,100,0,600,1")
    wire = lines.dial(mode=0)
    lines.at[0].say(bytes(range(200)))
    lines.after(0.2)
    heard = wire.heard()
    assert b"=" not in heard[:-2]
    assert b64decode(heard, validate=True) == bytes(range(200))


def test_inLines() -> None:
    """With 1 what is encoded has lines of 76 characters (A)."""
    lines = base64(enc=1)
    wire = lines.dial(mode=0)
    lines.say(bytes(300))
    assert wire.heard() == encodebytes(bytes(300)).replace(b"\n", b"\r\n")


def test_commandMode() -> None:
    """#SSEND and #SSENDEXT encode what they send, SRING and #SRECV count and show what is decoded (reference 6.1)."""
    lines = base64()
    lines.ask("AT#SCFGEXT=1,1,0,0")
    wire = lines.dial()
    lines.at[0].say(b"AT#SSENDEXT=1,5\r")
    assert lines.say(b"hello").endswith(b"OK\r\n")
    lines.at[0].say(b"AT#SSEND=1\r")
    assert lines.say(b"you\x1a").endswith(b"OK\r\n")
    assert wire.heard() == b64encode(b"hello") + b64encode(b"you")
    wire.say(b64encode(b"hello"))
    assert lines.heard() == b"\r\nSRING: 1,5\r\n"
    assert lines.ask("AT#SRECV=1,100") == ["#SRECV: 1,5", "hello", "OK"]


def test_rest() -> None:
    """What has gathered leaves encoded when the connection is closed."""
    lines = base64()
    lines.ask("AT&D2#SCFG=1,1,300,0,600,0")
    wire = lines.dial(mode=0)
    lines.say(b"bye")
    assert wire.heard() == b""
    lines.emulated.module.instance(1).lineDropped()
    lines.after(0)
    assert wire.heard() == b64encode(b"bye")


def test_datagrams() -> None:
    """Each datagram is complete base64 in itself, whatever the one before lacked (reference 6.1)."""
    lines = base64()
    wire = peer(lines)
    dial(lines, mode=0)
    lines.say(bytes(301))
    assert [data for data, _ in wire.heard] == [b64encode(bytes(300)), b64encode(bytes(1))]
    wire.say(b"aGVsb", HOST, OWN)
    wire.say(b64encode(b"hello"), HOST, OWN)
    assert lines.heard() == b"hel" + b"hello"


def test_oneWay() -> None:
    """Each direction is chosen by itself, for connections to come, and kept over the power (A)."""
    lines = Lines()
    wire = lines.dial(mode=0, port=2)
    assert lines.ask("AT#BASE64=1,0,2") == ["OK"]
    wire.say(b"aGVsbG8=")
    assert lines.heard(2) == b"aGVsbG8="
    wire.close()
    lines.after(0, 2)
    wire = lines.dial(mode=0, port=2)
    lines.say(b"plain", 2)
    assert wire.heard() == b"plain"
    wire.say(b"aGVsbG8=")
    assert lines.heard(2) == b"hello"
    lines.emulated.module.powerOff()
    lines.emulated.switchOn()
    assert lines.ask("AT#BASE64?")[:2] == ["#BASE64: 1,0,2", "#BASE64: 2,0,0"]


@pytest.mark.parametrize("product", ["HE863-EUD", "HE910-EUR"])
def test_others(product: str) -> None:
    """#BASE64 is of 2G alone (reference 6.1)."""
    assert Lines(product).ask("AT#BASE64=1,1,1") == ["ERROR"]
