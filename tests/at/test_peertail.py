"""Result codes in the midst of data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.peertail import TailWatch, codeMarks
from atrunproto.at.results import NO_CARRIER, OK
from tests.at.fakes import pieces

MARKS = codeMarks([NO_CARRIER, OK], numeric=False)
#: octets that are held back at most: a code and eight notices
LONGEST = 1024
CODE = b"\r\nNO CARRIER\r\n"


def test_cutEverywhere() -> None:
    """The end of a call is found however the transport cuts it, and no octet of data is lost or added."""
    stream = b"data\r\n" + CODE
    for cut in range(len(stream)):
        watch = TailWatch(MARKS)
        onward = b"".join(watch.received(piece) for piece in pieces(stream, [cut]))
        assert watch.holds
        code, rest = watch.expire()
        assert (code, rest) == (NO_CARRIER, b"")
        # a CR LF that came alone may have been passed on before the code was known for one
        assert onward in (b"data\r\n", b"data\r\n\r\n", b"data\r\n\r")


def test_atOnce() -> None:
    """A call that ends right behind CONNECT has no data, and its code needs no CR LF of its own in front."""
    for stream in (CODE, CODE[2:]):
        watch = TailWatch(MARKS)
        assert watch.received(stream) == b""
        assert watch.expire() == (NO_CARRIER, b"")


def test_whose() -> None:
    """A code may say whose end it is and why (#SCFGEXT2), however it is cut; with anything else it is data."""
    for code in (b"\r\nNO CARRIER:1\r\n", b"\r\nNO CARRIER:6,12\r\n"):
        stream = b"a" + code
        for cut in range(4, len(stream)):
            watch = TailWatch(MARKS)
            assert b"".join(watch.received(piece) for piece in pieces(stream, [cut])) == b"a"
            assert watch.expire() == (NO_CARRIER, b"")
    for line in (b"\r\nNO CARRIER:x\r\n", b"\r\nNO CARRIER:1,\r\n", b"\r\nOK:1\r\n"):
        watch = TailWatch(MARKS)
        assert watch.received(line) == line
        assert watch.expire() == (None, b"")


def test_inMidst() -> None:
    """A code that more data follow is data."""
    watch = TailWatch(MARKS)
    assert watch.received(b"a" + CODE) == b"a"
    assert watch.received(b"b") == CODE + b"b"
    assert not watch.holds
    assert watch.expire() == (None, b"")


def test_noticesBehind() -> None:
    """Notices that were held back may follow the code at once, however they are cut; other lines make it data."""
    notices = b"\r\nSRING: 1\r\n\r\nNO CARRIER\r\n\r\n#SL: ABORTED\r\n"
    stream = b"a" + CODE + notices
    for cut in range(1, len(stream)):
        watch = TailWatch(MARKS)
        onward = b"".join(watch.received(piece) for piece in pieces(stream, [cut]))
        assert onward == b"a" or stream[:cut] in (b"a\r", b"a\r\n")
        assert watch.expire() == (NO_CARRIER, notices)
    watch = TailWatch(MARKS)
    assert watch.received(b"a" + CODE + b"\r\nSRING: 1") == b"a"
    assert watch.received(b"x\r\ny") == CODE + b"\r\nSRING: 1x\r\ny"
    assert watch.received(CODE + b"\r\nsome line\r\n") == CODE + b"\r\nsome line\r\n"


def test_halfACode() -> None:
    """Half a code, with silence behind it, is data; so is a code that doesn't begin a line."""
    watch = TailWatch(MARKS)
    assert watch.received(b"a\r\nNO CAR") == b"a"
    assert watch.expire() == (None, b"\r\nNO CAR")
    assert watch.received(b"RIER\r\n") == b"RIER\r\n"
    assert watch.received(b"NO CARRIER \r\n") == b"NO CARRIER \r\n"


def test_linesAreNotHeld() -> None:
    """Data that end with a line end go on at once."""
    watch = TailWatch(MARKS)
    assert watch.received(b"a line\r\n") == b"a line\r\n"
    assert not watch.holds


def test_numeric() -> None:
    """Under ATV0 the answer to the escape sequence is a digit."""
    watch = TailWatch(codeMarks([OK, NO_CARRIER], numeric=True))
    assert watch.received(b"data0\r") == b"data"
    assert watch.expire() == (OK, b"")


@given(
    st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([CODE, b"\r", b"\n", b"\r\nOK", b"NO C"])), max_size=10)
)
def test_nothingIsLost(chunks: list[bytes]) -> None:
    """Whatever comes, it all goes on in its order unless a code is recognised, and at most a code is held back."""
    watch = TailWatch(MARKS)
    onward = b"".join(map(watch.received, chunks))
    assert b"".join(chunks).startswith(onward)
    assert len(b"".join(chunks)) - len(onward) <= LONGEST
    code, rest = watch.expire()
    if code is None:
        assert onward + rest == b"".join(chunks)
