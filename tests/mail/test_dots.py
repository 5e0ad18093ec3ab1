"""The dots and the end of a mail, as a host of a Multi-Tech modem codes them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atrunproto.mail.dots import Dots
from atrunproto.mail.endmark import END, EndMark
from tests.at.fakes import pieces

TEXTS = st.text(st.sampled_from("\r\n.a"), max_size=30).map(str.encode)
PLACES = st.lists(st.integers(0, 40))


def encoded(chunks: list[bytes]) -> bytes:
    """A mail on its way to a modem."""
    coding = Dots()
    return b"".join([coding.encode(chunk) for chunk in chunks]) + coding.end


def decoded(chunks: list[bytes]) -> tuple[bytes, bytes]:
    """A mail that has come from a modem, and what stood behind it."""
    coding = Dots()
    mail, behind = b"", b""
    for chunk in chunks:
        part, rest = coding.feed(chunk)
        mail += part
        behind += rest or b""
    return mail, behind


def lined(text: bytes) -> bytes:
    """A text with proper ends of its lines, the last one left out."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", text).removesuffix(b"\r\n")


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b"", END),
        (b"one", b"one" + END),
        (b"one\r\n", b"one" + END),
        (b"one\r\n\r\n", b"one\r\n" + END),
        (b"one\ntwo\n", b"one\r\ntwo" + END),
        (b".", b".." + END),
        (b".\r\n.\r\n..\r\na.", b"..\r\n..\r\n...\r\na." + END),
        (b"a\n.\nb", b"a\r\n..\r\nb" + END),
        (b"\n", END),
        (b"a\r", b"a\r" + END),
    ],
)
def test_sent(body: bytes, sent: bytes) -> None:
    """Dots that begin lines are doubled, lines end with CR LF, and the end comes once (MTS-SMTP-07, MTS-GAP-53)."""
    assert encoded([body]) == sent


@given(TEXTS, PLACES)
@example(b"\r\n.\r\n", [1, 2, 3, 4])
def test_sentInPieces(body: bytes, places: list[int]) -> None:
    """Wherever a mail is cut, its end is the only one, and nothing of it is lost (MTS-SMTP-07, MTS-GAP-53)."""
    sent = encoded(pieces(body, places))
    assert sent == encoded([body])
    # as the modem sees it, and a server behind it
    onward, rest = EndMark().take(sent)
    assert rest == b""
    assert re.sub(rb"(^|\r\n)\.", rb"\1", onward) == lined(body)


@given(TEXTS, PLACES, st.binary(max_size=8))
def test_back(body: bytes, places: list[int], behind: bytes) -> None:
    """A mail comes back as it was sent, wherever it is cut (MTS-POP-06, MTS-GAP-53)."""
    assert decoded(pieces(encoded([body]) + behind, places)) == (lined(body), behind)


@pytest.mark.parametrize(
    ("shown", "mail"),
    [
        (b"..one\r\ntwo..\r\n..", b".one\r\ntwo..\r\n."),
        (b"\r\n..\r\n", b"\r\n.\r\n"),
        (b"a\r\nb", b"a\r\nb"),
        (b"a\n.b\r.c", b"a\n.b\r.c"),
        (b"", b""),
    ],
)
def test_fetched(shown: bytes, mail: bytes) -> None:
    """A dot is taken away where a line begins with two, and nowhere else (MTS-GAP-53)."""
    stream = shown + END + b"\r\nOK\r\n"
    for chunks in ([stream], pieces(stream, range(len(stream)))):
        assert decoded(chunks) == (mail, b"\r\nOK\r\n")
