"""The login of server mode from the host's side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.secret import Secret
from atrunproto.tcpatrun.login import LoginReader, Verdict
from atrunproto.tcpatrun.peerlogin import MAX_HELD, Login, LoginWriter

DIALOGUE = b"Username:\r\nPassword:\r\nLogin successful.\r\n"


def writer(stepByStep: bool | None) -> LoginWriter:
    return LoginWriter(Login("testuser", Secret("testpassw"), stepByStep))


def test_automatic() -> None:
    """In automatic mode name and password go out at once, each ended by CR (TEL-AUT-03, TEL-AUT-10)."""
    login = writer(stepByStep=False)
    assert login.begin() == b"testuser\rtestpassw\r"
    assert login.isDone


@pytest.mark.parametrize("stepByStep", [True, None])
def test_stepByStep(stepByStep: bool | None) -> None:
    """Each item is said when it is asked for, and the login ends with the module's word (TEL-AUT-07, TEL-AUT-12)."""
    login = writer(stepByStep)
    assert login.begin() == b""
    assert login.feed(b"Username:\r\n") == b"testuser\r"
    assert login.feed(b"Password:\r\n") == b"testpassw\r"
    assert [login.isDone, login.feed(b"Login successful.\r\n\r\nOK\r\n"), login.isDone] == [False, b"", True]
    assert login.rest == b"OK\r\n"


@pytest.mark.parametrize("words", [b"username: ", b"\r\nUSERNAME:", b"Welcome\r\nUsername:\r\n"])
def test_promptsByTheirWords(words: bytes) -> None:
    """A prompt is known by its word, whatever stands round it (TEL-AUT-07)."""
    assert writer(stepByStep=True).feed(words) == b"testuser\r"


@pytest.mark.parametrize("cut", range(1, len(DIALOGUE)))
def test_anySplit(cut: int) -> None:
    """However the module's words arrive, the same is answered."""
    login = writer(stepByStep=True)
    assert login.feed(DIALOGUE[:cut]) + login.feed(DIALOGUE[cut:]) == b"testuser\rtestpassw\r"
    assert login.isDone


def test_unknownMode() -> None:
    """A host that doesn't know the mode takes silence for automatic mode (TEL-AUT-12)."""
    login = writer(stepByStep=None)
    assert login.begin() == b""
    assert login.waited() == b"testuser\rtestpassw\r"
    assert login.isDone


def test_unknownModePrompted() -> None:
    """Once it has been asked for the name, a host says nothing unasked (TEL-AUT-12)."""
    login = writer(stepByStep=None)
    login.feed(b"Username:\r\n")
    assert login.waited() == b""


@given(st.binary(max_size=4 * MAX_HELD))
def test_hostileWords(data: bytes) -> None:
    """Noise in place of a login is either waited through or refused, and never piles up."""
    login = writer(stepByStep=True)
    for at in range(0, len(data), 100):
        try:
            login.feed(data[at : at + 100])
        except ValueError:
            break


@pytest.mark.parametrize("stepByStep", [True, False])
def test_bothEnds(stepByStep: bool) -> None:
    """What one end of the login says, the other understands (TEL-AUT-03, TEL-AUT-07)."""
    reader, login = LoginReader([("testuser", "testpassw")], stepByStep), writer(stepByStep)
    said = login.begin()
    answer = reader.greeting()
    for _ in range(4):
        answer += reader.feed(said)
        said, answer = login.feed(answer), b""
    assert reader.verdict is Verdict.ACCEPTED
    assert login.isDone


def test_noPasswordShown() -> None:
    """A login shows its password nowhere."""
    assert "testpassw" not in repr(Login("testuser", Secret("testpassw")))
