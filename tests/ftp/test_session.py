"""The rules of a session, and what the module makes of servers that misbehave, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol

from atrunproto.at.calling import One
from atrunproto.at.results import CME
from atrunproto.ftp.control import REPLY_LINES
from atrunproto.ftp.transfer import WINDOW
from atrunproto.testing.emulated import MemoryModule, Wire
from atrunproto.testing.link import HIGH_WATER, MAX_UNDER_WAY
from tests.ftp.scripted import Server

OPEN = 'AT#FTPOPEN="127.0.0.5","user","pw"'


class Stage:
    """A module with an active context, a server, and a port that shows errors by number."""

    def __init__(self, product: str = "HE910-EUR") -> None:
        self.emulated = MemoryModule(product)
        self.server = Server()
        self.emulated.clock.listenTCP(21, self.server, interface="127.0.0.5")
        self.data = self.emulated.host(20, "127.0.0.5")
        self.at = self.port(1)
        assert self.at.execute('AT+CGDCONT=1,"IP","x"') == ["OK"]
        assert self.at.execute("AT#SGACT=1,1")[-1] == "OK"

    def port(self, number: int) -> Wire:
        at = self.emulated.port(number)
        assert at.execute("ATE0+CMEE=1") == ["OK"]
        return at

    def open(self, isPassive: bool = True) -> Wire:
        assert self.at.execute(f"{OPEN},{int(isPassive)}") == ["OK"]
        return self.at


def error(number: int) -> list[str]:
    assert number in CME
    return [f"+CME ERROR: {number}"]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_timeout(stage: Stage) -> None:
    """#FTPTO is 10 s, is read by its bare name too, and isn't kept over power-off (TEL-FTP-01, TEL-FTP-02)."""
    assert stage.at.execute("AT#FTPTO?;#FTPTO=1000;#FTPTO;#FTPTO=?") == [
        "#FTPTO: 100",
        "#FTPTO: 1000",
        "#FTPTO: (100-5000)",
        "OK",
    ]
    assert stage.at.execute("AT#FTPTO=99") == ["ERROR"]
    stage.emulated.module.powerOff()
    stage.emulated.switchOn()
    assert stage.emulated.port(2).execute("AT#FTPTO")[-2:] == ["#FTPTO: 100", "OK"]


def test_login(stage: Stage) -> None:
    """The module logs in with the given name and chooses binary; the password is no part of any answer."""
    assert stage.open().execute("AT#FTPTYPE?") == ["#FTPTYPE: 0", "OK"]
    assert stage.server.orders == ["USER user", "PASS pw", "TYPE I"]


def test_noPassword(stage: Stage) -> None:
    """A server that lets the user in without a password isn't told it."""
    stage.server.answers["USER"] = [b"230 come in"]
    stage.open()
    assert stage.server.orders == ["USER user", "TYPE I"]


@pytest.mark.parametrize(
    "command",
    [
        *("CLOSE", "TYPE=1", "TYPE", "TYPE?", 'PUT="a"', 'APP="a"', 'GET="a"', "LIST", 'CWD="a"', "PWD", 'DELE="a"'),
        *("REST=1", 'FSIZE="a"', 'GETPKT="a"', "RECV=1", "GETPKT?", "RECV?", "REST?", "APPEXT=1"),
    ],
)
def test_notConnected(stage: Stage, command: str) -> None:
    """Without a session each command is an error (TEL-FTP-06, TEL-FTP-10, TEL-FTP-12)."""
    assert stage.at.execute(f"AT#FTP{command}") == error(607)
    assert stage.at.execute(f"AT+CMEE=0;#FTP{command}") == ["ERROR"]


def test_needsContext(stage: Stage) -> None:
    """A session needs an active context, and ends with it (TEL-FTP-14)."""
    stage.open()
    assert stage.at.execute("AT#SGACT=1,0") == ["OK"]
    assert stage.at.execute("AT#FTPPWD") == error(607)
    assert stage.at.execute(OPEN) == error(609)


def test_oneSession(stage: Stage) -> None:
    """There is one session, and it is of the port that opened it until it closes it (TEL-FTP-16, TEL-MUX-04)."""
    other = stage.port(2)
    stage.open()
    assert stage.at.execute(OPEN) == error(608)
    for command in (OPEN, "AT#FTPCLOSE", "AT#FTPPWD", 'AT#FTPGET="a"', "AT#FTPTYPE?"):
        assert other.execute(command) == error(612)
    assert stage.at.execute("AT#FTPCLOSE") == ["OK"]
    assert other.execute(OPEN) == ["OK"]
    assert stage.at.execute("AT#FTPPWD") == error(612)


@pytest.mark.parametrize(
    ("server", "number"), [("nobody.example", 603), ("127.0.0.6", 605), ("127.0.0.5:22", 605), ("127.0.0.5:21", 606)]
)
def test_cannotOpen(stage: Stage, server: str, number: int) -> None:
    """The error tells whether the name, the connection or the login was the matter; then another try can be made."""
    stage.server.answers["PASS"] = [b"530 no"]
    assert stage.at.execute(f'AT#FTPOPEN="{server}","user","pw"') == error(number)
    assert stage.at.execute("AT#FTPPWD") == error(607)
    stage.server.answers["PASS"] = [b"230 come in"]
    stage.open()


@pytest.mark.parametrize("server", ["", ":21", "h:0", "h:65536", "h:x", "h:21:21"])
def test_noServer(stage: Stage, server: str) -> None:
    """What is no server is a plain error."""
    assert stage.at.execute(f'AT#FTPOPEN="{server}","user","pw"') == ["ERROR"]


def test_silentServer(stage: Stage) -> None:
    """A reply is waited for as long as #FTPTO says; what comes later is no other command's, and #FTPMSG shows it."""
    stage.open().execute("AT#FTPTO=200")
    stage.server.answers["DELE"] = []
    began = stage.emulated.clock.seconds()
    assert stage.at.execute('AT#FTPDELE="a"') == error(606)
    assert stage.emulated.clock.seconds() - began == pytest.approx(20, abs=0.1)
    stage.server.say(b"250 gone")
    stage.emulated.advance(1)
    assert stage.at.execute("AT#FTPMSG") == ["#FTPMSG: 250 gone", "OK"]
    stage.server.answers["PWD"] = [b'257 "/"']
    assert stage.at.execute("AT#FTPPWD") == ['#FTPPWD: 257 "/"', "OK"]


def test_serverGone(stage: Stage) -> None:
    """When the server hangs up, the session is over."""
    stage.open()
    stage.server.control.transport.loseConnection()
    stage.emulated.advance(1)
    assert stage.at.execute("AT#FTPPWD") == error(607)
    stage.open()


def test_endlessReply(stage: Stage) -> None:
    """A server that never comes to the end of a reply is cut off."""
    stage.open()
    stage.server.answers["PWD"] = [b"257-more"] * (REPLY_LINES + 1)
    assert stage.at.execute("AT#FTPPWD") == error(606)
    assert stage.at.execute("AT#FTPPWD") == error(607)


def test_replyIsNoResult(stage: Stage) -> None:
    """No reply of a server can look like a result code on the port."""
    stage.open()
    stage.server.answers["PWD"] = [b"257 a\rOK\rb\nNO CARRIER\n\x07c"]
    assert stage.at.execute("AT#FTPPWD") == ["#FTPPWD: 257 aOKbNO CARRIERc", "OK"]


def test_waitsForMark(stage: Stage) -> None:
    """An upload goes online when the server has begun, not when it has connected; else the file could be lost."""
    stage.open(isPassive=False)
    stage.server.answers["STOR"] = []
    stage.at.say(b'AT#FTPPUT="a"\r')
    stage.emulated.advance(1)
    assert stage.server.orders[-2:] == ["PORT 127,0,0,1,0,0", "STOR a"]
    wire = stage.emulated.call(0, source="127.0.0.5")
    assert not wire.isClosed
    assert stage.at.after(1) == []
    stage.server.say(b"150 go on")
    assert stage.at.after(0) == ["CONNECT"]
    stage.at.say(b"data")
    stage.at.after(2)
    stage.at.say(b"+++")
    assert stage.at.after(2) == ["NO CARRIER"]
    assert wire.heard() == b"data"
    assert wire.isClosed


def test_markFirst(stage: Stage) -> None:
    """A server may begin before its connection is there."""
    stage.open(isPassive=False)
    stage.at.say(b'AT#FTPGET="a"\r')
    assert stage.at.after(1) == []
    wire = stage.emulated.call(0, source="127.0.0.5")
    assert stage.at.after(0) == ["CONNECT"]
    wire.say(b"content")
    wire.close()
    assert stage.at.after(1) == ["content"]
    stage.server.say(b"226 done")
    assert stage.at.after(0.1) == ["NO CARRIER"]


def test_stranger() -> None:
    """Nobody but the server can take the data connection of an active transfer."""
    made = Protocol()
    factory = One(made, "192.0.2.1")
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.2", 20)) is None
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 20)) is made
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 20)) is None


def test_foreignAddress(stage: Stage) -> None:
    """A server can't send the module to another host; a private address may be passed over by #FTPCFG."""
    stage.open()
    stage.server.answers["PASV"] = [b"227 Passive (10,0,0,1,0,20)"]
    assert stage.at.execute('AT#FTPGET="a"') == ["NO CARRIER"]
    assert stage.at.execute("AT#FTPCFG=300,1;#FTPCFG?;#FTPTO?") == ["#FTPCFG: 300,1,0", "#FTPTO: 300", "OK"]
    stage.server.answers["PASV"] = [b"227 Passive (192,0,2,1,0,20)"]
    assert stage.at.execute('AT#FTPGET="a"') == ["NO CARRIER"]
    stage.server.answers["PASV"] = [b"227 Passive (10,0,0,1,0,20)"]
    assert stage.at.execute('AT#FTPGET="a"') == ["CONNECT"]


@pytest.mark.parametrize("reply", [b"500 no", b"227 nothing", b"227 (1,2,3,4,5,999)", b"227 (127,0,0,5,0,99)"])
def test_noDataConnection(stage: Stage, reply: bytes) -> None:
    """A data connection that can't be had is NO CARRIER, and the session goes on (TEL-FTP-07, TEL-FTP-11)."""
    stage.open()
    stage.server.answers["PASV"] = [reply]
    for command in ('AT#FTPGET="a"', 'AT#FTPPUT="a"', "AT#FTPLIST"):
        assert stage.at.execute(command) == ["NO CARRIER"]
    assert stage.at.execute("AT#FTPTYPE=1") == ["OK"]


def test_leaveDownload(stage: Stage) -> None:
    """The escape sequence ends a download too."""
    at = stage.open()
    assert at.execute('AT#FTPGET="a"') == ["CONNECT"]
    stage.data.callers[-1].say(b"some")
    at.after(2)
    at.say(b"+++")
    assert at.after(2) == ["NO CARRIER"]
    assert stage.data.callers[-1].isClosed
    stage.server.say(b"426 broken")
    assert at.execute("AT#FTPTYPE=0") == ["OK"]


def test_bounded(stage: Stage) -> None:
    """What nobody reads with #FTPRECV stays with the server; nothing of it is lost (reference 8)."""
    at = stage.open()
    assert at.execute('AT#FTPGETPKT="a"') == ["OK"]
    assert at.execute("AT#FTPGETPKT?;#FTPRECV?;#FTPRECV=10") == [
        "#FTPGETPKT: a,0,0",
        "#FTPRECV: 0",
        "#FTPRECV: 0",
        "OK",
    ]
    wire = stage.data.callers[-1]
    for _ in range(40):
        wire.say(b"x" * 1000)
    waiting = int(at.execute("AT#FTPRECV?")[0].split(": ")[1])
    assert WINDOW <= waiting < WINDOW + 1000
    assert at.execute("AT#FTPLIST") == error(601)
    heard = 0
    while heard < 40_000:
        heard += int(at.execute("AT#FTPRECV=3000")[0].split(": ")[1])
    wire.close()
    stage.server.say(b"226 done")
    assert at.after(1) == []
    assert at.execute("AT#FTPGETPKT?") == ["#FTPGETPKT: a,0,1", "OK"]
    assert at.execute("AT#FTPRECV=1") == error(601)


def test_unplugged(stage: Stage) -> None:
    """A file whose DTE goes ends there; the session lives on."""
    at = stage.open()
    assert at.execute('AT#FTPPUT="a"') == ["CONNECT"]
    at.say(b"half")
    at.close()
    stage.emulated.advance(1)
    assert stage.data.callers[-1].heard() == b"half"
    assert stage.data.callers[-1].isClosed
    stage.server.say(b"226 done")
    assert stage.port(1).execute("AT#FTPTYPE?") == ["#FTPTYPE: 0", "OK"]


def test_partsWithoutUpload(stage: Stage) -> None:
    """#FTPAPPEXT needs an upload in command mode."""
    assert stage.open().execute("AT#FTPAPPEXT=4") == error(601)


def test_besideSockets(stage: Stage) -> None:
    """FTP goes on beside a suspended socket, which can be resumed (TEL-FTP-15)."""
    stage.emulated.host(80, "127.0.0.7")
    at = stage.at
    assert at.execute('AT#SD=3,0,80,"127.0.0.7"') == ["CONNECT"]
    at.after(2)
    at.say(b"+++")
    assert at.after(2) == ["OK"]
    stage.open()
    assert at.execute("AT#SS=3")[0].startswith("#SS: 3,2")
    assert at.execute("AT#FTPCLOSE") == ["OK"]
    assert at.execute("AT#SO=3") == ["CONNECT"]


def test_families() -> None:
    """HE863 has no uploads by parts; #FTPCFG is of xE910-3G."""
    assert Stage("HE863-EUR").open().execute('AT#FTPPUT="a",1') == ["ERROR"]
    assert Stage("GE865-QUAD").at.execute("AT#FTPCFG?") == ["ERROR"]


def test_nameIsData(stage: Stage) -> None:
    """The name of a file is passed on as it is, extension and blanks included (TEL-FTP-08)."""
    at = stage.open()
    stage.server.answers["SIZE"] = [b"213 42"]
    assert at.execute('AT#FTPFSIZE="my file.TXT"') == ["#FTPFSIZE: 42", "OK"]
    assert stage.server.orders[-1] == "SIZE my file.TXT"


@pytest.mark.parametrize("inCommandMode", [False, True])
def test_slowServer(stage: Stage, inCommandMode: bool) -> None:
    """A server that doesn't read holds the DTE back; when it reads, all of the file comes."""
    at = stage.open()
    assert at.execute(f'AT#FTPPUT="a",{int(inCommandMode)}') == ["OK" if inCommandMode else "CONNECT"]
    wire = stage.data.callers[-1]
    transport: Any = wire.transport
    transport.pauseProducing()
    if inCommandMode:
        parts = 0
        while parts < 1000 and at.say(b"AT#FTPAPPEXT=1500\r").endswith(b"> "):
            parts += at.say(b"x" * 1500).endswith(b"OK\r\n")
        assert parts * 1500 < HIGH_WATER
        transport.resumeProducing()
        assert at.after(1)[-1] == "OK"
        assert wire.heard() == b"x" * 1500 * (parts + 1)
        return
    # so much that one queue alone can't hold it
    for _ in range(MAX_UNDER_WAY // HIGH_WATER):
        at.say(b"x" * HIGH_WATER)
    at.say(b"x" * (HIGH_WATER // 2))
    transport.resumeProducing()
    stage.emulated.advance(1)
    assert len(wire.heard()) == MAX_UNDER_WAY + HIGH_WATER // 2
