"""#FRWL: who may call listening sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from atrunproto.testing.emulated import LiveModule
from tests.ipeasy.lines import OWN, Lines, Port


def heard(lines: Lines, source: str) -> bool:
    """Whether a caller from there is announced."""
    wire = lines.emulated.call(OWN, source=source)
    rang = lines.heard() == b"\r\nSRING: 1\r\n"
    wire.close()
    return rang


def test_outgoing() -> None:
    """Without any rule a connection can be opened (TEL-IFW-01)."""
    assert not Lines().dial().isClosed


def test_policy() -> None:
    """Without a rule nobody is admitted, and nothing is answered (TEL-IFW-02)."""
    lines = Lines()
    assert lines.ask(f"AT#SL=1,1,{OWN}") == ["OK"]
    wire = lines.emulated.call(OWN)
    assert wire.say(b"hello?") == b""
    assert lines.heard() == b""
    assert lines.state() == 4


def test_block() -> None:
    """An address with a mask admits its block, and nobody else (TEL-IFW-03, TEL-IFW-04)."""
    lines = Lines()
    assert lines.ask('AT#FRWL=1,"197.158.1.1","255.255.0.0"') == ["OK"]
    lines.ask(f"AT#SL=1,1,{OWN}")
    assert heard(lines, "197.158.200.3")
    assert not heard(lines, "197.159.1.1")
    assert not heard(lines, "127.0.0.9")


def test_everybody() -> None:
    """A mask of 0.0.0.0 admits everybody (TEL-IFW-05)."""
    lines = Lines()
    lines.ask('AT#FRWL=1,"1.2.3.4","0.0.0.0"')
    lines.ask(f"AT#SL=1,1,{OWN}")
    assert heard(lines, "9.8.7.6")


def test_anyRule() -> None:
    """One rule that covers the caller is enough, whichever it is (TEL-IFW-03)."""
    lines = Lines()
    for number in range(1, 6):
        assert lines.ask(f'AT#FRWL=1,"10.0.{number}.0","255.255.255.0"') == ["OK"]
    assert lines.ask('AT#FRWL=1,"10.0.6.0","255.255.255.0"') == ["ERROR"]
    assert lines.ask("AT#FRWL?") == [*(f'#FRWL: "10.0.{number}.0","255.255.255.0"' for number in range(1, 6)), "OK"]
    lines.ask(f"AT#SL=1,1,{OWN}")
    assert [heard(lines, f"10.0.{number}.9") for number in range(1, 7)] == [True] * 5 + [False]


def test_changes() -> None:
    """Changes act on ports that listen already; connections that are up stay (TEL-IFW-02, TEL-IFW-04)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    lines.heard()
    assert lines.ask("AT#FRWL=2;#FRWL?") == ["OK"]
    assert not wire.isClosed
    wire.close()
    lines.heard()
    assert not heard(lines, "10.0.0.1")
    lines.ask('AT#FRWL=1,"10.0.0.1","255.255.255.255"')
    assert heard(lines, "10.0.0.1")
    lines.ask('AT#FRWL=0,"10.0.0.1","255.255.255.255"')
    assert not heard(lines, "10.0.0.1")


def test_notStored() -> None:
    """The rules go with the power (TEL-IFW-02)."""
    lines = Lines()
    lines.listen()
    lines.emulated.module.powerOff()
    lines.emulated.switchOn()
    assert lines.ask("AT#FRWL?") == ["OK"]


@pytest.mark.parametrize(
    "values", ["3", "1", '1,"1.2.3.4"', '1,"1.2.3","0.0.0.0"', '1,"1.2.3.4","256.0.0.0"', '0,"1.2.3.4","0.0.0.0"']
)
def test_wrong(values: str) -> None:
    """A rule that isn't one, and the removal of one that isn't there, are errors (TEL-IFW-04)."""
    assert Lines().ask(f"AT#FRWL={values}") == ["ERROR"]


def test_silent(liveModule: Callable[..., LiveModule]) -> None:
    """On real sockets a caller that isn't admitted gets no answer at all, not a refusal (TEL-IFW-02)."""
    port = Port(liveModule())
    port.ask('AT#FRWL=1,"127.0.0.77","255.255.255.255"')
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    port.ask(f"AT#SL=1,1,{own}")
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", own), 0.3, ("127.0.0.66", 0))
    with socket.create_connection(("127.0.0.1", own), 5, ("127.0.0.77", 0)):
        assert port.until(b"SRING: 1\r\n")
    port.close()
