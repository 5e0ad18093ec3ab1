"""The end of a mail on the AT port of a Multi-Tech modem, and what is shown of a mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.mail.endmark import END, HEADER, EndMark, HeaderTooLong, Shown
from tests.at.fakes import pieces

#: body, as it is given on; what follows the end
MAILS = [
    (b"one line", b""),
    (b"one\r\n..two\r\n.three", b"AT\r"),
    (b"a\r\n\r\n.\r.\r\n.\r", b"x"),
    (b"", b""),
    (b"\r\n", b"\r\n.\r\n"),
]


def taken(reader: EndMark | Shown, chunks: list[bytes]) -> tuple[bytes, bytes | None]:
    """What a reader gives for chunks; all that follows the end."""
    out, rest = b"", None
    for chunk in chunks:
        if rest is not None:
            rest += chunk
            continue
        onward, rest = reader.take(chunk)
        out += onward
    return out, rest


@pytest.mark.parametrize(("body", "rest"), MAILS)
@given(places=st.lists(st.integers(0, 40)))
def test_end(body: bytes, rest: bytes, places: list[int]) -> None:
    """The end of a body is found wherever its octets are cut, and no octet of the body changes (MTS-SMTP-07)."""
    assert taken(EndMark(), pieces(body + END + rest, places)) == (body, rest)


def test_endAtOnce() -> None:
    """A lone dot as the very first line is the end, since a server behind the header takes it for that."""
    for places in ([], [1], [2], [1, 2]):
        assert taken(EndMark(), pieces(b".\r\nAT", places)) == (b"", b"AT")


def test_noEnd() -> None:
    """What may be the begin of the end is all that is kept back, however long the body is."""
    mark = EndMark()
    assert mark.take(b"x" * 100_000 + b"\r\n.") == (b"x" * 100_000, None)
    assert mark.take(b"y") == (b"\r\n.y", None)


HEAD = (
    b"Received: from a\r\n\tby b\r\nFROM: a@b.com\r\nTo: c@d\r\nSubject: one\r\n two\r\nX-Long: "
    + b"z" * 3000
    + b"\r\ncc: e@f\r\nSubjects: no\r\n"
)
SHOWN = b"FROM: a@b.com\r\nSubject: one\r\n two\r\ncc: e@f\r\n"


@given(places=st.lists(st.integers(0, 3300)))
def test_header(places: list[int]) -> None:
    """Sender, copies and subject are shown in the order of the server, with their further lines (MTS-GAP-71)."""
    mail = HEAD + b"\r\nData\r\n..\r\nFrom: x" + END + b"+OK"
    assert taken(Shown(True), pieces(mail, places)) == (SHOWN + b"\r\nData\r\n..\r\nFrom: x", b"+OK")
    assert taken(Shown(False), pieces(mail, places)) == (b"Data\r\n..\r\nFrom: x", b"+OK")


def test_noBody() -> None:
    """A mail that is a header alone ends with it."""
    assert taken(Shown(True), [HEAD + b".\r\n+OK"]) == (SHOWN, b"+OK")
    assert taken(Shown(True), [HEAD + b"\r\n.\r\n+OK"]) == (SHOWN + b"\r\n", b"+OK")


def test_endless() -> None:
    """A header without an end is given up at a bound."""
    shown = Shown(True)
    for _ in range(HEADER // 1000):
        assert shown.take(b"From: " + b"x" * 992 + b"\r\n")[1] is None
    with pytest.raises(HeaderTooLong):
        shown.take(b"X: " + b"x" * 2000)
