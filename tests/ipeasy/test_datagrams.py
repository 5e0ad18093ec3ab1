"""Datagrams of several places on one socket: origin and bounds of each (xE910-3G)."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from atrunproto.ipeasy.buffer import DATAGRAMS
from atrunproto.ipeasy.datagram import SPOKEN_TO
from atrunproto.ipeasy.module import SocketTable
from atrunproto.testing.emulated import DatagramWire, LiveModule
from tests.ipeasy.lines import HOST, OWN, PORT, Lines, Port
from tests.ipeasy.test_commandmode import send
from tests.ipeasy.test_udp import dial, listen, peer

XE910 = "HE910-EUR"
NEAR, FAR = PORT, PORT + 1


def dialled(extension: str = "") -> tuple[Lines, DatagramWire, DatagramWire]:
    """A UDP socket in command mode, its peer, and somebody else."""
    lines = Lines(XE910)
    if extension:
        assert lines.ask(f"AT#SCFGEXT=1,{extension},0") == ["OK"]
    wires = peer(lines, NEAR), peer(lines, FAR)
    dial(lines)
    return lines, *wires


def accepted(mode: int = 1, product: str = XE910) -> tuple[Lines, DatagramWire, DatagramWire]:
    """A UDP socket that its first caller has called, and somebody else."""
    lines = Lines(product)
    near, far = peer(lines, NEAR), peer(lines, FAR)
    listen(lines)
    near.say(b"call", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask(f"AT#SA=1,{mode}")[0] == ("OK" if mode else "CONNECT")
    lines.after(0)
    if mode:
        lines.ask("AT#SRECV=1,100")
    lines.heard()
    return lines, near, far


def test_origin() -> None:
    """With UDPInfo #SRECV reads one datagram and tells whose it is and how much of it is left (reference 6.5)."""
    lines, near, _ = dialled()
    near.say(b"hello", HOST, OWN)
    near.say(b"again", HOST, OWN)
    lines.ask("ATE0")
    lines.heard()
    origin = f"#SRECV: {HOST},{NEAR},1"
    assert lines.at[0].say(b"AT#SRECV=1,3,1\r") == f"\r\n{origin},3,2\r\nhel\r\n\r\nOK\r\n".encode()
    assert lines.ask("AT#SI=1") == ["#SI: 1,0,3,7,0", "OK"]
    assert lines.ask("AT#SRECV=1,1500,1") == [f"{origin},2,0", "lo", "OK"]
    assert lines.ask("AT#SRECV=1,1500,1") == [f"{origin},5,0", "again", "OK"]
    assert lines.state() == 2
    assert lines.ask("AT+CMEE=1;#SRECV=1,1500,1") == ["+CME ERROR: 555"]


def test_withoutOrigin() -> None:
    """Without UDPInfo it reads as many octets as it may, across datagrams; their origins stay right (TEL-CMD-21)."""
    lines, near, _ = dialled("0,1")
    near.say(b"hello", HOST, OWN)
    near.say(b"again", HOST, OWN)
    lines.heard()
    assert lines.ask("AT#SRECV=1,7") == ["#SRECV: 1,7", b"helloag".hex().upper(), "OK"]
    assert lines.ask("AT#SRECV=1,7,1") == [f"#SRECV: {HOST},{NEAR},1,3,0", b"ain".hex().upper(), "OK"]


@pytest.mark.parametrize("isHex", [False, True])
def test_view(isHex: bool) -> None:
    """SRING of srMode 3 shows each datagram with its origin, in pieces of 1500 octets (reference 6.4)."""
    lines, near, _ = dialled(f"3,{int(isHex)}")
    data = b"0123456789" * 200
    near.say(data, HOST, OWN)
    near.say(b"hello", HOST, OWN)
    expected = ""
    for piece, left in ((data[:1500], 500), (data[1500:], 0), (b"hello", 0)):
        shown = piece.hex().upper() if isHex else piece.decode()
        expected += f'\r\nSRING: "{HOST}",{NEAR},1,{len(piece)},{left},{shown}\r\n'
    assert lines.heard().decode() == expected
    assert lines.ask("AT#SI=1") == ["#SI: 1,0,2005,0,0", "OK"]


def test_viewAfterwards() -> None:
    """Datagrams that came while a command ran are told apart afterwards (TEL-SD-11)."""
    lines, near, _ = dialled("3,0")
    lines.at[0].say(b"AT#SSEND=1\r")
    near.say(b"one", HOST, OWN)
    near.say(b"two", HOST, OWN)
    told = b"".join(f'\r\nSRING: "{HOST}",{NEAR},1,3,0,{word}\r\n'.encode() for word in ("one", "two"))
    assert lines.at[0].say(b"x\x1a").endswith(b"\r\nOK\r\n" + told)


def test_connection() -> None:
    """A TCP connection has no datagrams: srMode 3 shows its data like 2, UDPInfo changes nothing."""
    lines = Lines(XE910)
    wire = lines.dial()
    wire.say(b"hello")
    lines.heard()
    assert lines.ask("AT#SRECV=1,9,1") == ["#SRECV: 1,5", "hello", "OK"]
    lines.ask("AT#SCFGEXT=1,3,0,0")
    wire.say(b"again")
    assert lines.heard() == b"\r\nSRING: 1,5,again\r\n"
    assert lines.ask(f'AT+CMEE=1;#SSENDUDP=1,"{HOST}",{NEAR}') == ["+CME ERROR: 551"]


@pytest.mark.parametrize("command", [f"#SSENDUDP=1,{HOST},{FAR}", f'#SSENDUDPEXT=1,4,"127.000.000.001",{FAR}'])
def test_sendTo(command: str) -> None:
    """A socket sends to anybody, is answered, and tells both peers apart; #SSEND goes to its own (reference 6.5)."""
    lines, near, far = dialled("3,0")
    far.say(b"too early", HOST, OWN)
    assert send(lines, command, b"ping" + (b"\x1a" if "EXT" not in command else b"")) == b"\r\nOK\r\n"
    lines.after(0)
    assert far.heard == [(b"ping", (HOST, OWN))]
    far.say(b"pong", HOST, OWN)
    near.say(b"hello", HOST, OWN)
    told = [(FAR, "pong"), (NEAR, "hello")]
    expected = "".join(f'\r\nSRING: "{HOST}",{port},1,{len(data)},0,{data}\r\n' for port, data in told)
    assert lines.heard().decode() == expected
    assert lines.ask("AT#SI=1") == ["#SI: 1,4,9,0,0", "OK"]
    assert send(lines, "#SSENDEXT=1,3", b"own") == b"\r\nOK\r\n"
    lines.after(0)
    assert near.heard == [(b"own", (HOST, OWN))]


def test_sendToHex() -> None:
    """In hexadecimal two characters make an octet; ESC sends nothing (TEL-CMD-15)."""
    lines, _, far = dialled()
    lines.ask("AT#SCFGEXT=1,0,0,0,0,1")
    command = f"#SSENDUDP=1,{HOST},{FAR}"
    assert send(lines, command, b"001AFF\x1a") == b"\r\nOK\r\n"
    assert send(lines, command, b"001AFF\x1b") == b"\r\nOK\r\n"
    assert send(lines, command, b"\x1a") == b"\r\nOK\r\n"
    assert send(lines, command, b"0x\x1a") == b"\r\nERROR\r\n"
    lines.after(0)
    assert far.heard == [(b"\x00\x1a\xff", (HOST, OWN))]


def test_afterTyped() -> None:
    """What was typed online leaves before a datagram to somebody else, to the peer (TEL-SCF-11)."""
    lines = Lines(XE910, txTo=0)
    near, far = peer(lines, NEAR), peer(lines, FAR)
    lines.ask("AT#SKIPESC=1")
    dial(lines, mode=0)
    lines.at[0].say(b"typed")
    assert lines.escape() == b"\r\nOK\r\n"
    assert send(lines, f"#SSENDUDPEXT=1,4,{HOST},{FAR}", b"ping") == b"\r\nOK\r\n"
    lines.after(0)
    assert [data for data, _ in near.heard] == [b"typed"]
    assert [data for data, _ in far.heard] == [b"ping"]


def test_badPlaces() -> None:
    """Where to send is an address and a port; names are not resolved (reference 6.5)."""
    lines, *_ = dialled()
    for bad in ("host.example,7", "300.0.0.1,7", f"{HOST},0", f"{HOST},65536", HOST):
        assert lines.ask(f"AT#SSENDUDP=1,{bad}") == ["ERROR"]
        assert lines.ask(f"AT#SSENDUDPEXT=1,5,{bad}") == ["ERROR"]
    for count in (0, 1501):
        assert lines.ask(f"AT#SSENDUDPEXT=1,{count},{HOST},7") == ["ERROR"]
    assert lines.ask(f"AT+CMEE=1;#SSENDUDP=2,{HOST},7") == ["+CME ERROR: 551"]


def test_otherConnection() -> None:
    """If another connection is on the socket when the data are there, nothing is sent on that (TEL-CMD-18)."""
    lines, *_ = dialled()
    lines.ask("AT+CMEE=1")
    lines.at[0].say(f"AT#SSENDUDP=1,{HOST},{FAR}\r".encode())
    lines.emulated.module.part(SocketTable).socket(1).conversation.shut()
    lines.after(0)
    answer = lines.ask(f'AT#SD=1,0,{PORT},"{HOST}",0,0,1', 2)
    assert answer == ["OK"]
    assert lines.at[0].say(b"lost\x1a").endswith(b"\r\n+CME ERROR: 563\r\n")
    assert lines.host.callers[-1].heard() == b""


@pytest.mark.parametrize("product", ["GE865-QUAD", "HE863-EUR"])
def test_otherFamilies(product: str) -> None:
    """2G and HE863 have none of this, and hear the first caller alone (reference 6.1, 6.5)."""
    lines, near, far = accepted(product=product)
    for command in ("#SRECV=1,5,1", "#SCFGEXT=1,3,0,0", f"#SSENDUDP=1,{HOST},{FAR}", f"#SSENDUDPEXT=1,4,{HOST},{FAR}"):
        assert lines.ask(f"AT{command}") == ["ERROR"]
    far.say(b"hello", HOST, OWN)
    assert lines.heard() == b""
    near.say(b"hello", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"


def test_callers() -> None:
    """A socket that was called hears everybody the firewall admits; #SS shows whom it heard last (TEL-LIS-10)."""
    lines, near, far = accepted()
    far.say(b"me too", HOST, OWN)
    near.say(b"more", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SRECV=1,100,1") == [f"#SRECV: {HOST},{FAR},1,6,0", "me too", "OK"]
    assert lines.ask("AT#SS=1") == [f"#SS: 1,3,127.0.0.1,{OWN},{HOST},{NEAR}", "OK"]
    far.say(b"me again", HOST, OWN)
    assert lines.ask("AT#SS=1") == [f"#SS: 1,3,127.0.0.1,{OWN},{HOST},{FAR}", "OK"]
    assert lines.ask("AT#SRECV=1,100,1") == [f"#SRECV: {HOST},{NEAR},1,4,0", "more", "OK"]
    assert send(lines, "#SSENDEXT=1,2", b"to") == b"\r\nOK\r\n"
    lines.after(0)
    assert near.heard == [(b"to", (HOST, OWN))]
    lines.ask("AT#FRWL=2")
    lines.ask("AT#SRECV=1,100")
    far.say(b"no more", HOST, OWN)
    assert lines.ask("AT#SI=1")[-2].split(",")[3] == "0"
    near.say(b"still here", HOST, OWN)
    assert lines.ask("AT#SRECV=1,100,1")[-2] == "still here"


def test_onlinePeerAlone() -> None:
    """Online the stream is the first caller's alone, and others are heard again afterwards (TEL-LIS-10)."""
    lines, near, far = accepted(mode=0)
    near.say(b"stream", HOST, OWN)
    far.say(b"noise", HOST, OWN)
    assert lines.heard() == b"stream"
    assert lines.escape() == b"\r\nOK\r\n"
    assert lines.ask("AT#SS=1") == [f"#SS: 1,2,127.0.0.1,{OWN},{HOST},{NEAR}", "OK"]
    far.say(b"hello", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SRECV=1,100,1") == [f"#SRECV: {HOST},{FAR},1,5,0", "hello", "OK"]


def test_inactivity() -> None:
    """Others don't keep a socket that is online without traffic of its own (TEL-SCF-12)."""
    lines = Lines(XE910, maxTo=30)
    near, far = peer(lines, NEAR), peer(lines, FAR)
    listen(lines)
    near.say(b"call", HOST, OWN)
    assert lines.ask("AT#SA=1")[-1] == "CONNECT"
    lines.after(20)
    far.say(b"noise", HOST, OWN)
    assert lines.after(11).endswith(b"\r\nNO CARRIER\r\n")


def test_forgotten() -> None:
    """Of the places that were spoken to only the last ones are still heard, so a socket remembers no more."""
    lines, _, far = dialled("1,0")
    assert send(lines, f"#SSENDUDPEXT=1,1,{HOST},{FAR}", b"x") == b"\r\nOK\r\n"
    for number in range(SPOKEN_TO - 1):
        send(lines, f"#SSENDUDPEXT=1,1,{HOST},{30000 + number}", b"x")
    far.say(b"heard", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1,5\r\n"
    send(lines, f"#SSENDUDPEXT=1,1,{HOST},40000", b"x")
    far.say(b"lost", HOST, OWN)
    assert lines.heard() == b""


def test_manyShort() -> None:
    """Short datagrams beyond the receive buffer are dropped too, and taken again when there is room (TEL-CMD-12)."""
    lines, near, _ = dialled()
    for _ in range(DATAGRAMS + 5):
        near.say(b"x", HOST, OWN)
    assert lines.ask("AT#SI=1")[-2] == f"#SI: 1,0,0,{DATAGRAMS},0"
    lines.ask("AT#SRECV=1,1,1")
    near.say(b"y", HOST, OWN)
    near.say(b"z", HOST, OWN)
    assert lines.ask("AT#SI=1")[-2] == f"#SI: 1,0,1,{DATAGRAMS},0"
    assert lines.ask("AT#SRECV=1,1500")[-2] == "x" * (DATAGRAMS - 1) + "y"


def test_realSockets() -> None:
    """Over the system's own UDP a module answers two hosts in turn, each under its own address (TEL-LIS-10)."""
    with (
        LiveModule(XE910) as module,
        closing(Port(module)) as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        for far, address in ((first, "127.0.0.1"), (second, "127.0.0.77")):
            far.bind((address, 0))
            far.settimeout(10)
        port.ask('AT#FRWL=1,"127.0.0.0","255.0.0.0"')
        port.ask("AT#SCFGEXT=1,3,0,0,0;#SLUDP=1,1,2000")
        own = f"{module.module.part(SocketTable).socket(1).address}"
        first.sendto(b"one", (own, 2000))
        port.until(b"SRING: 1\r\n")
        place = ",".join(map(str, first.getsockname())).replace("127.0.0.1", '"127.0.0.1"')
        port.ask("AT#SA=1,1", f"SRING: {place},1,3,0,one\r\n".encode())
        second.sendto(b"two", (own, 2000))
        number = second.getsockname()[1]
        port.until(f'SRING: "127.0.0.77",{number},1,3,0,two\r\n'.encode())
        port.ask(f"AT#SSENDUDPEXT=1,4,127.0.0.77,{number}", b"> ")
        port.wire.sendall(b"back")
        port.until(b"OK\r\n")
        assert second.recvfrom(100) == (b"back", (own, 2000))
