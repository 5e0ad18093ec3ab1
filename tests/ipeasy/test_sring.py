"""SRING: the announcements of data that wait, in all their forms."""

from __future__ import annotations

import pytest

from tests.ipeasy.lines import Lines


def test_classic() -> None:
    """The classic form comes once for what waits, and again after it was read (TEL-SD-10, TEL-CMD-07, TEL-EXT-16)."""
    lines = Lines()
    wire = lines.dial()
    wire.say(b"hello")
    wire.say(b"again")
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    lines.ask("AT#SRECV=1,5")
    wire.say(b"more")
    assert lines.heard() == b""
    lines.ask("AT#SRECV=1,100")
    wire.say(b"new")
    assert lines.heard() == b"\r\nSRING: 1\r\n"


def test_amount() -> None:
    """With the amount it comes for every packet, and tells how much waits in all (TEL-CMD-09)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT=2,1,0,0")
    wire = lines.dial(2)
    wire.say(b"hello")
    wire.say(b"again")
    assert lines.heard() == b"\r\nSRING: 2,5\r\n\r\nSRING: 2,10\r\n"
    assert lines.ask("AT#SI=2") == ["#SI: 2,0,0,10,0", "OK"]


@pytest.mark.parametrize(("product", "pieces"), [("GE865-QUAD", (64, 4)), ("HE863-EUR", (68,)), ("HE910-EUR", (68,))])
@pytest.mark.parametrize("isHex", [False, True])
def test_view(product: str, pieces: tuple[int, ...], isHex: bool) -> None:
    """The data come with the announcement, on 2G at most 64 octets in one (TEL-CMD-10, TEL-CMD-11, TEL-EXT-16)."""
    lines = Lines(product)
    lines.ask(f"AT#SCFGEXT=1,2,{int(isHex)},0")
    wire = lines.dial()
    data = (b"0123456789" * 7)[:68]
    wire.say(data)
    expected, at = "", 0
    for size in pieces:
        piece = data[at : at + size]
        expected += f"\r\nSRING: 1,{size},{piece.hex().upper() if isHex else piece.decode()}\r\n"
        at += size
    assert lines.heard().decode() == expected
    assert lines.state() == 2
    assert lines.ask("AT+CMEE=1;#SRECV=1,1") == ["+CME ERROR: 555"]


@pytest.mark.parametrize(
    ("mode", "told"), [(0, b"\r\nSRING: 1\r\n"), (1, b"\r\nSRING: 1,6\r\n"), (2, b"\r\nSRING: 1,6,onetwo\r\n")]
)
def test_afterOnline(mode: int, told: bytes) -> None:
    """It is never put into a stream of data, but told once right after (TEL-SD-11)."""
    lines = Lines()
    lines.ask(f"AT#SCFGEXT=1,{mode},0,0")
    first, second = lines.dial(1), lines.dial(2, 0)
    first.say(b"one")
    second.say(b"stream")
    first.say(b"two")
    assert lines.heard() == b"stream"
    assert lines.escape() == b"\r\nOK\r\n" + told


def test_duringCommand() -> None:
    """While a command runs or asks for data it waits, too (TEL-SD-11)."""
    lines = Lines()
    first = lines.dial()
    lines.at[0].say(b"AT#SSEND=1\r")
    first.say(b"x")
    assert lines.heard() == b""
    assert lines.at[0].say(b"text\x1a").endswith(b"\r\nOK\r\n\r\nSRING: 1\r\n")


def test_rightInstance() -> None:
    """It comes on the instance that opened the socket, on no other (TEL-SD-10)."""
    lines = Lines()
    wires = [lines.dial(number, port=number) for number in (1, 2, 3)]
    wires[1].say(b"x")
    assert [lines.heard(number) for number in (1, 2, 3)] == [b"", b"\r\nSRING: 2\r\n", b""]


def test_nobodyThere() -> None:
    """Where nobody is attached it is dropped; #SS shows what waits, and new data ring again (TEL-SS-06, TEL-CMD-05)."""
    lines = Lines()
    wire = lines.dial(port=2)
    lines.at[1].close()
    wire.say(b"one")
    lines.at[1] = lines.emulated.port(2)
    assert lines.heard(2) == b""
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,3,")
    wire.say(b"two")
    assert lines.heard(2) == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SRECV=1,10", 2)[-2:] == ["onetwo", "OK"]


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_lostWithThePort(mode: int) -> None:
    """One that waited for the end of online mode goes with an unplugged port; the next data ring again."""
    lines = Lines()
    lines.ask(f"AT#SCFGEXT=1,{mode},0,0")
    wire = lines.dial(1)
    lines.dial(2, 0)
    wire.say(b"one")
    lines.at[0].close()
    lines.at[0] = lines.emulated.port(1)
    wire.say(b"two")
    assert lines.heard() == b"\r\nSRING: 1" + (b"", b",6", b",6,onetwo")[mode] + b"\r\n"


def test_serviceSessionEnded() -> None:
    """A session of a service opens a socket and ends: nobody is told, #SS shows what waits (TEL-SS-06)."""
    lines = Lines("HE910-EUR")
    lines.ask('AT#TCPATRUNAUTH=1,"u","p"')
    lines.ask('AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"')
    lines.ask('AT#TCPATRUNCFG=3,3,1024,12345,"127.0.0.1",0,5,0,5,2;#TCPATRUNL=1')
    session = lines.emulated.call(1024)
    session.say(b"u\r\n")
    lines.after(1)
    session.say(b"p\r\n")
    lines.after(1)
    session.heard()
    assert session.execute('AT#SD=1,0,7000,"127.0.0.1",0,0,1') == ["OK"]
    session.close()
    lines.after(5)
    lines.host.callers[-1].say(b"data")
    assert lines.heard() == b""
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,3,")


def test_caller() -> None:
    """A caller is announced in the classic form in every mode (TEL-CMD-08)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT=1,2,1,0")
    lines.listen()
    lines.emulated.call(2000)
    assert lines.heard() == b"\r\nSRING: 1\r\n"


def test_readBeforeTold() -> None:
    """What is taken by #SO before it could be announced isn't announced any more (TEL-SO-02)."""
    lines = Lines()
    lines.ask("AT#SKIPESC=1")
    first = lines.dial(1)
    lines.dial(2, 0)
    first.say(b"x")
    lines.after(1.1)
    lines.at[0].say(b"+++")
    assert lines.after(1.1) == b"\r\nOK\r\n\r\nSRING: 1\r\n"
    assert lines.ask("AT#SO=1") == ["CONNECT"]
    assert lines.heard() == b"x"
    assert lines.escape() == b"\r\nOK\r\n"


def test_closedBeforeTold() -> None:
    """Data whose connection has ended meanwhile are announced before its end, and can be read."""
    lines = Lines()
    wire = lines.dial(1)
    lines.dial(2, 0)
    wire.say(b"last words")
    wire.close()
    assert lines.escape() == b"\r\nOK\r\n\r\nSRING: 1\r\n\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SRECV=1,100") == ["#SRECV: 1,10", "last words", "OK"]
