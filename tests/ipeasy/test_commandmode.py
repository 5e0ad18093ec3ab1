"""Sending and receiving in command mode."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from atrunproto.ipeasy.buffer import WINDOW
from atrunproto.ipeasy.module import SocketTable
from atrunproto.testing.emulated import LiveModule
from tests.ipeasy.lines import Lines, Port


def send(lines: Lines, command: str, data: bytes) -> bytes:
    """Give a command that asks for data, and the data; return what came after the prompt."""
    lines.ask("ATE0")
    assert lines.at[0].say(f"AT{command}\r".encode()) == b"\r\n> "
    return lines.at[0].say(data)


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUR"])
def test_send(product: str) -> None:
    """#SSEND sends on ^Z, without it; on HE863 #SEND does the same (TEL-CMD-16, TEL-EXT-21)."""
    lines = Lines(product)
    wire = lines.dial()
    name = "#SEND" if product.startswith("HE863") else "#SSEND"
    assert send(lines, f"{name}=1", b"hello\x1a") == b"\r\nOK\r\n"
    assert wire.heard() == b"hello"


@pytest.mark.parametrize(("product", "limit"), [("HE863-EUR", 1020), ("GE865-QUAD", 1500), ("HE910-EUR", 1500)])
def test_limit(product: str, limit: int) -> None:
    """What is typed beyond the limit is dropped (TEL-CMD-17, TEL-EXT-21)."""
    lines = Lines(product)
    wire = lines.dial()
    data = (b"0123456789" * 160)[: limit + 10]
    assert send(lines, "#SSEND=1", data + b"\x1a") == b"\r\nOK\r\n"
    assert wire.heard() == data[:limit]


def test_reserved() -> None:
    """BS deletes, ESC gives up, and neither is sent (TEL-CMD-20, TEL-EXT-21)."""
    lines = Lines()
    wire = lines.dial()
    send(lines, "#SSEND=1", b"helpp\x08\x08lo\x1a")
    assert wire.heard() == b"hello"
    assert send(lines, "#SSEND=1", b"hello\x1b") == b"\r\nOK\r\n"
    assert wire.heard() == b""


def test_everyOctet() -> None:
    """#SSENDEXT takes exactly so many octets, whatever they are, and ends by itself (TEL-CMD-19)."""
    lines = Lines()
    wire = lines.dial()
    every = bytes(range(256)) * 5
    assert send(lines, f"#SSENDEXT=1,{len(every)}", every + b"AT\r") == b"\r\nOK\r\n\r\nOK\r\n"
    assert wire.heard() == every
    for bad in ("1,0", "1,1501", "1", "0,1"):
        assert lines.ask(f"AT#SSENDEXT={bad}") == ["ERROR"]


@pytest.mark.parametrize(("typed", "answer", "sent"), [("68656C6C6F", "OK", b"hello"), ("6", "ERROR", b"")])
def test_sendHex(typed: str, answer: str, sent: bytes) -> None:
    """In hexadecimal two characters make an octet, and a half one is an error (TEL-CMD-15, TEL-CMD-06)."""
    lines = Lines()
    assert lines.ask("AT#SCFGEXT=1,0,0,0,0,1") == ["OK"]
    wire = lines.dial()
    assert send(lines, "#SSEND=1", typed.encode() + b"\x1a") == f"\r\n{answer}\r\n".encode()
    assert wire.heard() == sent


@pytest.mark.parametrize("command", ["#SSEND=1", "#SSENDEXT=1,5"])
def test_notOpen(command: str) -> None:
    """Without a connection nothing can be sent, nor while a socket listens (TEL-CMD-18)."""
    lines = Lines()
    assert lines.ask(f"AT{command}") == ["ERROR"]
    lines.listen()
    assert lines.ask(f"AT{command}") == ["ERROR"]


def test_closedAtThePrompt() -> None:
    """A connection that ends while data are typed makes it an error; NO CARRIER follows (TEL-CMD-18)."""
    lines = Lines()
    wire = lines.dial()
    lines.ask("AT+CMEE=1")
    lines.at[0].say(b"AT#SSEND=1\r")
    wire.close()
    assert lines.at[0].say(b"x\x1a").endswith(b"\r\n+CME ERROR: 563\r\n\r\nNO CARRIER\r\n")


def test_receive() -> None:
    """#SRECV takes up to so many octets; when nothing waits it is an error (TEL-CMD-21, TEL-EXT-20)."""
    lines = Lines()
    wire = lines.dial()
    wire.say(b"stringa di test")
    lines.ask("ATE0+CMEE=1")
    lines.heard()
    assert lines.at[0].say(b"AT#SRECV=1,7\r") == b"\r\n#SRECV: 1,7\r\nstringa\r\n\r\nOK\r\n"
    assert lines.state() == 3
    assert lines.ask("AT#SRECV=1,1500") == ["#SRECV: 1,8", " di test", "OK"]
    assert lines.state() == 2
    assert lines.ask("AT#SRECV=1,1") == ["+CME ERROR: 555"]
    for bad in ("1,0", "1,1501", "1", "7,1"):
        assert lines.ask(f"AT#SRECV={bad}") == ["ERROR"]


def test_receiveHex() -> None:
    """In receive mode 1 it shows hexadecimal, the count is of octets (TEL-CMD-11, TEL-EXT-20)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT=1,0,1,0")
    lines.dial().say(b"hello")
    assert lines.ask("AT#SRECV=1,100")[-3:] == ["#SRECV: 1,5", "68656C6C6F", "OK"]


def test_draining() -> None:
    """What came before the peer closed can be read to its end; to #SS the socket is closed (TEL-SH-01, TEL-SS-03)."""
    lines = Lines()
    wire = lines.dial()
    wire.say(b"last words")
    wire.close()
    assert lines.heard() == b"\r\nSRING: 1\r\n\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SS=1;#SO=1") == ["#SS: 1,0", "NO CARRIER"]
    assert lines.ask("AT#SI=1") == ["#SI: 1,0,0,10,0", "OK"]
    assert lines.ask("AT#SRECV=1,4") == ["#SRECV: 1,4", "last", "OK"]
    assert lines.ask("AT#SI=1") == ["#SI: 1,0,4,6,0", "OK"]
    assert lines.ask("AT#SRECV=1,100") == ["#SRECV: 1,6", " words", "OK"]
    assert lines.ask("AT#SRECV=1,100") == ["ERROR"]
    assert lines.ask("AT#SI=1") == ["#SI: 1,0,0,0,0", "OK"]


@pytest.mark.parametrize("command", ["#SH=1", "#SL=1,0,1", '#SD=1,0,7000,"127.0.0.1",0,0,1', "#SL=1,1,2000"])
def test_drainingEnds(command: str) -> None:
    """Whatever is begun at a socket whose peer is gone forgets what still waited."""
    lines = Lines()
    wire = lines.dial()
    wire.say(b"last words")
    wire.close()
    lines.heard()
    assert lines.ask(f"AT{command}") == ["OK"]
    assert lines.ask("AT#SRECV=1,100") == ["ERROR"]


def test_counters() -> None:
    """#SI tells sent, read, waiting and unacknowledged octets, of all or one (TEL-CMD-22, TEL-CMD-23)."""
    lines = Lines()
    wire = lines.dial(2)
    send(lines, "#SSEND=2", b"0123456789\x1a")
    wire.say(b"0123456789")
    assert lines.ask("AT#SI=2")[-2:] == ["#SI: 2,10,0,10,0", "OK"]
    lines.ask("AT#SRECV=2,4")
    assert lines.ask("AT#SI")[1] == "#SI: 2,10,4,6,0"
    lines.ask("AT#SH=2")
    assert lines.ask("AT#SI") == [*(f"#SI: {connId},0,0,0,0" for connId in range(1, 7)), "OK"]
    lines.dial(2)
    assert lines.ask("AT#SI=2") == ["#SI: 2,0,0,0,0", "OK"]


def test_window() -> None:
    """The amount grows until the window is full; reading lets the rest come, and nothing is lost (TEL-CMD-12)."""
    lines = Lines()
    wire = lines.dial()
    sent = bytes(range(65, 91)) * 2000
    assert wire.transport is not None
    for start in range(0, len(sent), 1000):
        wire.transport.write(sent[start : start + 1000])
        lines.after(0)
    most = int(lines.ask("AT#SI=1")[-2].split(",")[3])
    assert WINDOW <= most < WINDOW + 1000
    read = ""
    while len(read) < len(sent):
        read += lines.ask("AT#SRECV=1,1500")[-2]
    assert read.encode() == sent


@pytest.mark.parametrize(("ending", "answer"), [("taken", b"\r\nOK\r\n"), ("closed", b"+CME ERROR: 563\r\n")])
def test_fullPeer(ending: str, answer: bytes) -> None:
    """Where the peer takes nothing, #SSENDEXT waits with its answer, till it does or is gone (TEL-CMD-19)."""
    lines = Lines()
    wire = lines.dial()
    lines.ask("AT+CMEE=1")
    wire.link.peer.silent = True
    sent = 0
    while send(lines, "#SSENDEXT=1,1500", b"x" * 1500):
        sent += 1500
        assert sent < 1_000_000
    if ending == "closed":
        wire.link.breakOff()
        assert answer in lines.heard()
        return
    wire.link.peer.silent = False
    wire.link.arm()
    assert lines.after(1) == answer
    assert len(wire.heard()) == sent + 1500


def test_fullPeerUnplugged() -> None:
    """A command that waits for its peer ends with its port, and the next one sends again (TEL-CMD-19)."""
    lines = Lines()
    wire = lines.dial()
    wire.link.peer.silent = True
    while send(lines, "#SSENDEXT=1,1500", b"x" * 1500):
        pass
    lines.at[0].close()
    lines.at[0] = lines.emulated.port(1)
    lines.ask("ATE0")
    assert send(lines, "#SSENDEXT=1,4", b"more") == b""
    wire.link.peer.silent = False
    wire.link.arm()
    assert lines.after(1) == b"\r\nOK\r\n"
    assert wire.heard().endswith(b"xxxmore")


@pytest.mark.parametrize("values", ["1,3,0,0", "1,0,2,0", "1,0,0,241", "1,0,0,0,2", "1,0,0,0,0,2", "0,0,0,0", "1,0"])
def test_wrongExtension(values: str) -> None:
    """Extended settings out of their ranges are refused (TEL-CMD-13, TEL-EXT-16)."""
    assert Lines().ask(f"AT#SCFGEXT={values}") == ["ERROR"]


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUR"])
def test_extensionKept(product: str) -> None:
    """Extended settings are stored, those without effect too (TEL-CMD-06, TEL-CMD-14, TEL-EXT-16)."""
    lines = Lines(product)
    assert lines.ask("AT#SCFGEXT=2,2,1,240,1,1") == ["OK"]
    lines.emulated.module.powerOff()
    lines.emulated.switchOn()
    assert lines.ask("AT#SCFGEXT?")[1] == "#SCFGEXT: 2,2,1,240,1,1"


@pytest.mark.parametrize("minutes", [0, 2, 240])
def test_keepalive(liveModule: Callable[..., LiveModule], minutes: int) -> None:
    """The minutes of the keepalive are set on the real connection; 0 is off (TEL-CMD-13)."""
    module = liveModule()
    port = Port(module)
    port.ask(f"AT#SCFGEXT=1,0,0,{minutes}")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port.ask(f'AT#SD=1,0,{server.getsockname()[1]},"127.0.0.1",0,0,1')
        link = module.module.part(SocketTable).socket(1).link
        assert link is not None
        assert link.transport is not None
        handle: socket.socket = link.transport.getHandle()
        assert bool(handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == (minutes > 0)
        if minutes:
            assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == minutes * 60
        port.close()
