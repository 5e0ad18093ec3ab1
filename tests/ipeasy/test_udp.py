"""Sockets that speak UDP: #SD with protocol 1, and #SLUDP."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from atrunproto.ipeasy.buffer import WINDOW
from atrunproto.testing.emulated import DatagramWire, LiveModule
from tests.ipeasy.lines import HOST, OWN, PORT, Lines
from tests.ipeasy.test_options import Host


def peer(lines: Lines, port: int = PORT) -> DatagramWire:
    """A UDP port of the host."""
    wire = DatagramWire(lines.emulated.clock)
    lines.emulated.clock.listenUDP(port, wire, HOST)
    return wire


def dial(lines: Lines, connId: int = 1, mode: int = 1, local: int = OWN) -> None:
    """Open a socket to the host's UDP port."""
    answer = lines.ask(f'AT#SD={connId},1,{PORT},"{HOST}",255,{local},{mode}')
    assert answer == ["OK" if mode else "CONNECT"]


def listen(lines: Lines, connId: int = 1, port: int = OWN) -> None:
    """Admit everybody and wait for datagrams."""
    assert lines.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"') == ["OK"]
    assert lines.ask(f"AT#SLUDP={connId},1,{port}") == ["OK"]


def test_online() -> None:
    """Online each packet is one datagram, and what the peer sends is written to the port (TEL-SD-01, TEL-SCF-11)."""
    lines = Lines()
    wire = peer(lines)
    dial(lines, mode=0)
    lines.say(bytes(700))
    assert [(len(data), origin) for data, origin in wire.heard] == [(size, (HOST, OWN)) for size in (300, 300, 100)]
    wire.say(b"hello", HOST, OWN)
    assert lines.heard() == b"hello"
    assert lines.escape() == b"\r\nOK\r\n"
    assert lines.state() == 2
    assert lines.ask("AT#SO=1") == ["CONNECT"]


def test_commandMode() -> None:
    """SRING, #SRECV, #SSENDEXT, #SS and #SI work as with TCP; nothing waits to be acknowledged (TEL-EXT-17)."""
    lines = Lines()
    wire = peer(lines)
    dial(lines)
    assert lines.ask("AT#SS=1") == [f"#SS: 1,2,127.0.0.1,{OWN},{HOST},{PORT}", "OK"]
    lines.at[0].say(b"AT#SSENDEXT=1,3\r")
    assert lines.say(b"abc").endswith(b"OK\r\n")
    assert wire.heard == [(b"abc", (HOST, OWN))]
    wire.say(b"hello", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SI=1") == ["#SI: 1,3,0,5,0", "OK"]
    assert lines.ask("AT#SRECV=1,100") == ["#SRECV: 1,5", "hello", "OK"]
    assert lines.ask("AT#SH=1") == ["OK"]
    lines.after(0)
    assert not lines.emulated.clock.datagrams.keys() - {(HOST, PORT)}


def test_otherPeers() -> None:
    """A datagram from anybody but the peer is dropped."""
    lines = Lines()
    stranger = peer(lines, PORT + 1)
    dial(lines)
    stranger.say(b"hello", HOST, OWN)
    assert lines.heard() == b""
    assert lines.state() == 2


def test_full() -> None:
    """Datagrams beyond the receive buffer are dropped; when it has been read new ones are taken again."""
    lines = Lines()
    wire = peer(lines)
    dial(lines)
    for _ in range(WINDOW // 1000 + 5):
        wire.say(bytes(1000), HOST, OWN)
    pending = (WINDOW // 1000 + 1) * 1000
    assert lines.ask("AT#SI=1") == [f"#SI: 1,0,0,{pending},0", "OK"]
    lines.ask("AT#SRECV=1,1500")
    wire.say(b"a", HOST, OWN)
    assert lines.ask("AT#SI=1") == [f"#SI: 1,0,1500,{pending - 1499},0", "OK"]


def test_localPort() -> None:
    """The own port is the one that was asked for; one that is taken can't be bound (TEL-EXT-17)."""
    lines = Lines()
    dial(lines)
    assert lines.ask(f'AT+CMEE=1;#SD=2,1,{PORT},"{HOST}",0,{OWN},1') == ["+CME ERROR: 557"]
    assert lines.state(2) == 0
    dial(lines, 2, local=0)
    assert lines.ask(f'AT#SD=3,1,{PORT},"nowhere.example",0,0,1') == ["+CME ERROR: 558"]


def test_inactivity() -> None:
    """Without traffic the socket closes after maxTo, and tells it."""
    lines = Lines(maxTo=30)
    dial(lines)
    assert lines.after(31) == b"\r\nNO CARRIER\r\n"
    assert lines.state() == 0
    dial(lines)


@pytest.mark.parametrize("mode", [0, 1])
def test_listen(mode: int) -> None:
    """The first datagram gives SRING; #SA takes the peer with what it has said (TEL-LIS-10)."""
    lines = Lines()
    wire = peer(lines)
    listen(lines)
    assert lines.ask("AT#SLUDP?") == [f"#SLUDP: 1,{OWN}", "OK"]
    assert lines.ask("AT#SL?") == ["OK"]
    assert lines.ask("AT#SS=1") == [f"#SS: 1,4,127.0.0.1,{OWN}", "OK"]
    wire.say(b"hello", HOST, OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.state() == 5
    if mode:
        assert lines.ask("AT#SA=1,1") == ["OK"]
        lines.after(0)
        assert lines.ask("AT#SRECV=1,10")[-3:] == ["#SRECV: 1,5", "hello", "OK"]
        return
    assert lines.ask("AT#SA=1") == ["CONNECT"]
    assert lines.heard() == b"hello"
    lines.say(b"world")
    assert wire.heard == [(b"world", (HOST, OWN))]


def test_refused() -> None:
    """#SH refuses the peer and ends the listening; the port can be had again at once (TEL-LIS-10)."""
    lines = Lines()
    wire = peer(lines)
    listen(lines)
    wire.say(b"hello", HOST, OWN)
    assert lines.ask("AT#SH=1") == ["OK"]
    assert lines.state() == 0
    listen(lines, 2)
    assert lines.ask("AT#SLUDP=2,0,0;#SLUDP=2,1,2001") == ["OK"]


def test_firewall() -> None:
    """A datagram that no rule admits is dropped (TEL-LIS-10)."""
    lines = Lines()
    wire = peer(lines)
    assert lines.ask(f"AT#SLUDP=1,1,{OWN}") == ["OK"]
    wire.say(b"hello", HOST, OWN)
    assert (lines.heard(), lines.state()) == (b"", 4)
    lines.ask(f'AT#FRWL=1,"{HOST}","255.255.255.255"')
    wire.say(b"hello", HOST, OWN)
    assert (lines.heard(), lines.state()) == (b"\r\nSRING: 1\r\n", 5)


def test_samePort() -> None:
    """Two sockets can't wait on one UDP port; TCP has ports of its own; to stop no port is needed (TEL-EXT-18)."""
    lines = Lines()
    listen(lines)
    assert lines.ask(f"AT+CMEE=1;#SLUDP=2,1,{OWN}") == ["+CME ERROR: 564"]
    assert lines.ask(f"AT#SLUDP=1,1,{OWN + 1}") == ["+CME ERROR: 551"]
    assert lines.ask(f"AT#SL=2,1,{OWN}") == ["OK"]
    assert lines.ask("AT#SLUDP=3,1,0") == ["ERROR"]
    assert lines.ask(f"AT#SLUDP=4,1,{OWN + 2};#SCFG=5,2,300,90,600,50;#SLUDP=5,1,9") == ["+CME ERROR: 556"]
    assert lines.ask("AT#SLUDP=1,0,0") == ["OK"]
    assert lines.state() == 0


def test_aborted() -> None:
    """When the context ends a waiting socket tells it (TEL-EXT-18)."""
    lines = Lines()
    listen(lines)
    assert "#SLUDP: ABORTED" in lines.ask("AT#SGACT=1,0") + lines.at[0].after(0)
    assert lines.state() == 0
    assert not lines.emulated.clock.datagrams


def test_realSockets() -> None:
    """The same over the system's own UDP, each way (TEL-SD-01)."""
    with (
        LiveModule("GE865-QUAD") as module,
        closing(Host(module)) as host,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        far.bind(("127.0.0.1", 0))
        far.settimeout(10)
        host.ask('AT+CGDCONT=1,"IP","x"')
        host.ask("AT#SGACT=1,1")
        assert "CONNECT" in host.ask(f'AT#SD=1,1,{far.getsockname()[1]},"127.0.0.1"')
        host.say(bytes(300))
        data, origin = far.recvfrom(1000)
        assert data == bytes(300)
        far.sendto(b"answer OK\r\n", origin)
        assert host.until(b"OK\r\n") == b"answer OK\r\n"


def test_oldInterface() -> None:
    """#SKTD speaks UDP too, from the own port that it is given (reference 7)."""
    lines = Lines()
    wire = peer(lines)
    assert lines.ask(f'AT#SKTD=1,{PORT},"{HOST}",0,{OWN}') == ["CONNECT"]
    lines.say(bytes(300))
    assert wire.heard == [(bytes(300), (HOST, OWN))]


def test_oldListening() -> None:
    """#SKTL waits for a datagram, takes its sender unasked, and ends with the escape (TEL-OLD-01, TEL-OLD-02)."""
    lines = Lines()
    wire = peer(lines)
    lines.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"')
    assert lines.ask(f"AT#SKTL=1,1,{OWN}") == ["OK"]
    assert lines.ask("AT#SKTL?") == [f"#SKTL: 1,1,{OWN},0", "OK"]
    assert lines.state() == 4
    wire.say(b"hello", HOST, OWN)
    assert lines.after(0) == b"\r\n+CONN FROM: 127.0.0.1\r\n\r\nCONNECT\r\nhello"
    lines.say(bytes(300))
    assert wire.heard == [(bytes(300), (HOST, OWN))]
    assert lines.escape() == b"\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SKTL?") == [f"#SKTL: 0,1,{OWN},0", "OK"]
    assert not lines.emulated.clock.datagrams.keys() - {(HOST, PORT)}


def test_oldCallerComesTooSoon() -> None:
    """A datagram that comes while a command runs is lost, and the next one is taken (reference 7)."""
    lines = Lines()
    wire = peer(lines)
    lines.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"')
    assert lines.ask(f"AT#SKTL=1,1,{OWN}") == ["OK"]
    lines.at[0].say(b"AT+COPS=?\r")
    wire.say(b"early", HOST, OWN)
    lines.after(20)
    wire.say(b"hello", HOST, OWN)
    assert lines.after(0).endswith(b"CONNECT\r\nhello")


def test_oldListeningEnds() -> None:
    """#SKTL=0 leaves the UDP port, the end of the context is told as with TCP (TEL-OLD-01, TEL-ACT-05)."""
    lines = Lines()
    lines.ask('AT#FRWL=1,"0.0.0.0","0.0.0.0"')
    assert lines.ask(f"AT#SKTL=1,1,{OWN};#SKTL=0,1,{OWN}") == ["OK"]
    assert not lines.emulated.clock.datagrams
    assert lines.ask(f"AT#SKTL=1,1,{OWN}") == ["OK"]
    assert lines.ask("AT#SGACT=1,0") + lines.at[0].after(0) == ["OK", "#SKTL: ABORTED"]
    assert not lines.emulated.clock.datagrams
