"""The login of server mode, octet by octet, and those who try to break it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.tcpatrun.login import LOGIN_TIMEOUT, LONGEST_ITEM, LoginReader, Verdict
from tests.at.fakes import pieces
from tests.tcpatrun.service import HOST_PORT, PORT, Service, isOpen

STEP_BY_STEP = f'1,2,{PORT},{HOST_PORT},"127.0.0.1",1,5,1'
PAIRS = [("user", "secret"), ("other", "word"), ("user", "second")]


def test_automatic() -> None:
    """Name and password, each ended by CR, in silence; then AT answers (TEL-AUT-02, TEL-AUT-03, TEL-AUT-04)."""
    service = Service().serve()
    wire = service.call()
    assert wire.heard() == b""
    assert wire.say(b"user\r") == b""
    assert wire.say(b"secret\r") == b""
    service.emulated.advance(10)
    assert wire.heard() == b""
    assert wire.execute("AT") == ["OK"]


@pytest.mark.parametrize(
    "sent", [b"user\rwrong\r", b"nobody\rsecret\r", b"USER\rsecret\r", b"\r\r", b"user\r\r", b"AT\rAT\r"]
)
def test_automaticRefused(sent: bytes) -> None:
    """A pair that isn't in the list closes the connection at once, without a word (TEL-AUT-05)."""
    service = Service().serve()
    wire = service.call()
    assert wire.say(sent) == b""
    assert wire.isClosed
    assert service.heard() == ["#TCPATRUN: 127.0.0.9", "#TCPATRUN: <DISCONNECT>"]
    assert not service.call().isClosed


@pytest.mark.parametrize("config", ["", STEP_BY_STEP])
@pytest.mark.parametrize("sent", [b"", b"us", b"user\r", b"user\rsecr"])
def test_tooSlow(config: str, sent: bytes) -> None:
    """Whoever hasn't logged in when the waiting time is over is disconnected (TEL-AUT-06, TEL-AUT-09)."""
    service = Service(config=config).serve()
    wire = service.call()
    wire.say(sent)
    service.emulated.advance(LOGIN_TIMEOUT - 1)
    assert isOpen(wire)
    service.emulated.advance(1)
    assert wire.isClosed
    assert not service.call().isClosed


def test_dripping() -> None:
    """A login that drips in octet by octet has no more time than any other (TEL-AUT-06)."""
    service = Service().serve()
    wire = service.call()
    for _ in range(int(LOGIN_TIMEOUT / 2) + 1):
        wire.say(b"x")
        service.emulated.advance(2)
    assert wire.isClosed


def test_stepByStep() -> None:
    """Prompts on lines of their own, and no echo, lead through the login (TEL-AUT-07, TEL-CFG-14)."""
    service = Service(config=STEP_BY_STEP).serve()
    wire = service.call()
    assert wire.heard() == b"Username:\r\n"
    assert wire.say(b"user\r") == b"Password:\r\n"
    assert wire.say(b"secret\r") == b"Login successful.\r\n"
    assert wire.execute("AT") == ["OK"]


def test_stepByStepRefused() -> None:
    """A bad name closes the connection at once, a good one with a bad password after that (TEL-AUT-08)."""
    service = Service(config=STEP_BY_STEP).serve()
    wire = service.call()
    assert wire.say(b"nobody\r") == b"Username:\r\n"
    assert wire.isClosed
    wire = service.call()
    assert wire.say(b"user\r") == b"Username:\r\nPassword:\r\n"
    assert isOpen(wire)
    assert wire.say(b"wrong\r") == b""
    assert wire.isClosed


def test_lineFeedEndsNothing() -> None:
    """Only CR ends an item; LF within is part of it, LF or NUL behind CR is not (TEL-AUT-10)."""
    service = Service().serve()
    wire = service.call()
    wire.say(b"user\nsecret\n")
    service.emulated.advance(1)
    assert isOpen(wire)
    wire.say(b"\rsecret\r")
    assert wire.isClosed
    wire = service.call()
    wire.say(b"user\r\nsecret\r\n")
    assert wire.execute("AT") == ["OK"]
    wire.close()
    wire = service.call()
    wire.say(b"user\r\0")
    wire.say(b"secret\r")
    wire.say(b"\0")
    assert wire.execute("AT") == ["OK"]


def test_noCommandBeforeLogin() -> None:
    """What looks like a command is taken for a name as long as the login isn't complete (TEL-AUT-11)."""
    service = Service().serve()
    service.do('AT#TCPATRUNAUTH=1,"AT#GPIO=2,1,1","AT"')
    wire = service.call()
    assert wire.say(b"AT#GPIO=2,1,1\rAT\r") == b""
    assert wire.execute("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]


def test_gluedBehindLogin() -> None:
    """A command in the same chunk as the login is run like any other."""
    service = Service().serve()
    wire = service.call()
    wire.say(b"user\rsecret\r\nAT+CGMM\r")
    service.emulated.advance(1)
    assert wire.heard() == b"\r\nHE910\r\n\r\nOK\r\n"


def test_tooLong() -> None:
    """An item longer than a name can be is refused before its end, so that nothing piles up (TEL-EXT-09)."""
    service = Service().serve()
    wire = service.call()
    wire.say(b"x" * LONGEST_ITEM)
    assert isOpen(wire)
    wire.say(b"x")
    assert wire.isClosed
    name, password = "n" * LONGEST_ITEM, "p" * LONGEST_ITEM
    service.do(f'AT#TCPATRUNAUTH=1,"{name}","{password}"')
    wire = service.call()
    wire.say(f"{name}\r{password}\r".encode())
    assert wire.execute("AT") == ["OK"]


def test_flood() -> None:
    """A thousand callers, with wrong names or without a word, leave the service as it was."""
    service = Service().serve()
    for number in range(1000):
        wire = service.call()
        if number % 2:
            wire.say(b"x\rx\r" * 20)
            assert wire.isClosed
        else:
            wire.close()
    assert service.login().execute("AT") == ["OK"]
    assert len(service.emulated.clock.getDelayedCalls()) < 10


def test_silentCallerHoldsTheService() -> None:
    """One caller who says nothing keeps others out only until the waiting time is over."""
    service = Service().serve()
    service.call("127.0.0.66")
    assert service.call().isClosed
    service.emulated.advance(LOGIN_TIMEOUT)
    assert service.login().execute("AT") == ["OK"]


def test_sessionOutlivesLoginTimeout() -> None:
    """The waiting time is over with the login: a session goes on after it."""
    service = Service().serve()
    wire = service.login()
    service.emulated.advance(2 * LOGIN_TIMEOUT)
    assert wire.execute("AT") == ["OK"]


def test_editPairs() -> None:
    """Pairs are added, shown, removed one by one and all at once; at most three (TEL-AUT-01, TEL-EXT-09)."""
    service = Service()
    service.do('AT#TCPATRUNAUTH=1,"b","c"', 'AT#TCPATRUNAUTH=1,"d","e,f"')
    assert service.ask('AT#TCPATRUNAUTH=1,"g","h"') == ["ERROR"]
    assert service.ask("AT#TCPATRUNAUTH?") == [
        '#TCPATRUNAUTH: "user","secret"',
        '#TCPATRUNAUTH: "b","c"',
        '#TCPATRUNAUTH: "d","e,f"',
        "OK",
    ]
    assert service.ask('AT#TCPATRUNAUTH=0,"b","wrong"') == ["ERROR"]
    service.do('AT#TCPATRUNAUTH=0,"b","c"')
    assert len(service.ask("AT#TCPATRUNAUTH?")) == 3
    service.do("AT#TCPATRUNAUTH=2")
    assert service.ask("AT#TCPATRUNAUTH?") == ["OK"]
    long = "x" * (LONGEST_ITEM + 1)
    for bad in ('1,"a"', "1", "0", f'1,"{long}","b"', f'1,"b","{long}"', '3,"a","b"', '1,"","b"', "", '1,"a","b","c"'):
        assert service.ask(f"AT#TCPATRUNAUTH={bad}") == ["ERROR"], bad
    assert service.ask("AT#TCPATRUNAUTH?") == ["OK"]


@pytest.mark.parametrize("command", ["#TCPATRUNAUTH", "#TCPATRUNFRWL"])
def test_notThroughItself(command: str) -> None:
    """Login and firewall can't be changed over a server-mode session, but over a client-mode one (TEL-FWR-05)."""
    service = Service().serve()
    before = service.ask(f"AT{command}?")
    wire = service.login()
    assert wire.execute(f"AT{command}=2") == ["ERROR"]
    assert wire.execute(f'AT{command}=1,"1.2.3.4","5.6.7.8"') == ["ERROR"]
    assert service.ask(f"AT{command}?") == before
    service.do("AT#TCPATRUNL=0")
    host = service.emulated.host(HOST_PORT)
    service.dial()
    assert host.callers[0].execute(f"AT{command}=2") == ["OK"]


@given(
    st.sampled_from([*PAIRS, ("user", "word"), ("nobody", "secret"), ("", "")]),
    st.booleans(),
    st.sampled_from([b"\r", b"\r\n", b"\r\0"]),
    st.binary(max_size=10),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_anyChunks(pair: tuple[str, str], stepByStep: bool, end: bytes, rest: bytes, cuts: list[int]) -> None:
    """However the octets are cut into chunks, the verdict, the prompts and what is left over are the same."""
    stream = pair[0].encode() + end + pair[1].encode() + end + b"AT" + rest
    reader = LoginReader(PAIRS, stepByStep)
    said, left = reader.greeting(), b""
    for piece in pieces(stream, cuts):
        if reader.verdict is Verdict.WAITING:
            said += reader.feed(piece)
            left += reader.rest
        else:
            left += piece
    if pair in PAIRS:
        assert reader.verdict is Verdict.ACCEPTED
        assert left.lstrip(b"\n\0") == b"AT" + rest
        assert said == (b"Username:\r\nPassword:\r\nLogin successful.\r\n" if stepByStep else b"")
    else:
        assert reader.verdict is Verdict.REFUSED
        assert reader.rest == b""
        assert b"successful" not in said


@given(st.binary(max_size=300), st.booleans())
def test_garbage(data: bytes, stepByStep: bool) -> None:
    """No garbage logs in, and none is kept beyond one item."""
    reader = LoginReader(PAIRS, stepByStep)
    reader.feed(data)
    assert reader.verdict is not Verdict.ACCEPTED
    assert len(reader._held) <= LONGEST_ITEM
