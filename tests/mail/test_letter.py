"""What an e-mail message looks like on the wire."""

from __future__ import annotations

from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from atrunproto.mail.letter import Base64, Lines

CHUNKS = st.lists(st.text(alphabet="ab.\r\n").map(str.encode), max_size=20)


def received(data: bytes) -> bytes:
    """What a server makes of the data phase: lines up to the lone dot, doubled dots made single."""
    lines = data.split(b"\r\n")
    end = lines.index(b".")
    assert lines[end + 1 :] == [b""]
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    return b"".join(line.removeprefix(b".") + b"\n" for line in lines[:end])


@given(CHUNKS)
def test_lines(chunks: list[bytes]) -> None:
    """A text reaches the server as it is, in chunks of any size: no line of it ends the message too early."""
    lines = Lines()
    text = b"".join(chunks).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    sent = b"".join(lines.take(chunk) for chunk in chunks) + lines.end()
    assert received(sent) == (text if text.endswith(b"\n") or not text else text + b"\n")


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_base64(chunks: list[bytes]) -> None:
    """Data in chunks of any size decode to what they were, in lines of no more than 76 characters."""
    encoder = Base64()
    encoded = b"".join(encoder.take(chunk) for chunk in chunks) + encoder.end()
    assert b64decode(encoded) == b"".join(chunks)
    assert all(len(line) <= 76 for line in encoded.split(b"\n"))
