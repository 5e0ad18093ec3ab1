"""#FTPGET and #FTPPUT of Multi-Tech modems, in memory: what is told to the server, and what to the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from atrunproto.at.results import Reason, refuse
from atrunproto.ftp.multitech import PATIENCE
from atrunproto.multitech import errors
from atrunproto.multitech.stack import Stack, State
from atrunproto.testing.link import HIGH_WATER, MAX_UNDER_WAY
from tests.ftp.scripted import Server
from tests.multitech.modems import OK, Modem, failed

DLE, ETX = b"\x10", b"\x03"
BEGIN, WAITING = b"\r\nOk_Info_DataBegin\r\n", b"\r\nOk_Info_WaitingForData\r\n"
SERVER = "127.0.0.5"
SETTINGS = {"FTPSERV": SERVER, "FTPUN": "user", "FTPPW": "pw", "FTPGETFILENAME": "in.txt", "FTPPUTFILENAME": "out.txt"}


class Link:
    """A connection that is there."""

    state = State.CONNECTED

    def __init__(self) -> None:
        self.address: str | None = "127.0.0.77"
        self.names = {"files.example": SERVER}
        self.touched = 0
        self.watchers: list[Callable[[Reason | None], None]] = []

    async def resolve(self, name: str) -> str:
        """A name that is known, or an address."""
        if name not in self.names and name[-1].isalpha():
            raise refuse(errors.NAME_FAILED)
        return self.names.get(name, name)

    def watch(self, lost: Callable[[Reason | None], None]) -> Callable[[], None]:
        """Somebody wants to hear of the end."""
        self.watchers.append(lost)
        return lambda: self.watchers.remove(lost) if lost in self.watchers else None

    def touch(self) -> None:
        """Octets went."""
        self.touched += 1

    def lose(self, why: Reason | None) -> None:
        """The connection ends."""
        self.address = None
        for watcher in self.watchers[:]:
            watcher(why)

    def drop(self) -> None:
        """The stack is closed."""
        self.lose(None)


class Stage(Modem):
    """A modem that is connected, with its parameters set, and a server; passive, so that the server is called."""

    def __init__(self) -> None:
        super().__init__(*(f'AT#{name}="{value}"' for name, value in SETTINGS.items()), "AT#FTPMODE=1")
        self.stack = self.module.part(Stack)
        self.link = self.stack.link = Link()
        self.server = Server()
        self.memory.clock.listenTCP(21, self.server, interface=SERVER)
        self.data = self.memory.host(20, SERVER)

    def wait(self, seconds: float = 1.0) -> bytes:
        """What comes in this time."""
        self.memory.clock.advance(seconds)
        return self.port.heard()

    def do(self, line: str) -> bytes:
        """What comes for a line, with some time to it."""
        return self.say(line) + self.wait()

    @property
    def file(self) -> Any:
        """The server's end of the last data connection."""
        return self.data.callers[-1]

    def end(self, reply: bytes = b"226 done") -> bytes:
        """The server has sent, or got, all."""
        self.file.close()
        self.server.say(reply)
        return self.wait()


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_get(stage: Stage) -> None:
    """#FTPGET logs in, shows the file, ends it with ETX, and takes leave of the server (MTS-FTP-08, MTS-FTP-09)."""
    assert stage.do("AT#FTPGET") == BEGIN
    stage.file.say(b"one\r\ntwo\r\n")
    assert stage.wait() == b"one\r\ntwo\r\n"
    assert stage.end() == ETX + OK
    assert stage.server.orders == ["USER user", "PASS pw", "TYPE I", "PASV", "RETR in.txt", "QUIT"]
    assert stage.do("AT") == OK


def test_getCoded(stage: Stage) -> None:
    """ETX and DLE of a file come behind a DLE, so that the ETX at its end is the only bare one (MTS-FTP-10)."""
    stage.do("AT#FTPGET")
    stage.file.say(b"A" + ETX + b"B" + DLE + DLE)
    assert stage.wait() == b"A" + DLE + ETX + b"B" + DLE + DLE + DLE + DLE
    stage.file.say(ETX)
    assert stage.wait() == DLE + ETX
    assert stage.end() == ETX + OK


def test_getHeedsNothing(stage: Stage) -> None:
    """What the host sends during a download is neither echoed nor heeded, nor does it stop it (MTS-FTP-11)."""
    stage.say("ATE1")
    stage.do("AT#FTPGET")
    stage.port.say(b"x" + ETX + b"AT\r")
    stage.wait(2)
    stage.port.say(b"+++")
    assert stage.wait(3) == b""
    stage.file.say(b"still")
    assert stage.wait() == b"still"
    assert stage.end() == ETX + OK


def test_put(stage: Stage) -> None:
    """#FTPPUT stores what is typed as it comes, and echoes its ETX alone (MTS-FTP-13, MTS-FTP-14, MTS-FTP-16)."""
    stage.say("ATE1")
    assert stage.do("AT#FTPPUT").endswith(WAITING)
    stage.port.say(b"one\r\n")
    assert stage.wait() == b""
    assert stage.file.heard() == b"one\r\n"
    stage.port.say(b"+++")
    assert stage.wait(3) == b""
    assert stage.port.say(b"AT\r" + ETX) + stage.wait() == ETX
    assert stage.file.heard() == b"+++AT\r"
    assert stage.file.isClosed
    stage.server.say(b"226 done")
    assert stage.wait() == OK
    assert stage.server.orders == ["USER user", "PASS pw", "TYPE I", "PASV", "STOR out.txt", "QUIT"]


def test_echoOfTheEnd(stage: Stage) -> None:
    """Nothing of a file is echoed, its ETX is, even after ATE0 (MTS-SER-07, MTS-SER-09)."""
    stage.do("AT#FTPPUT")
    assert stage.port.say(b"text" + ETX) == ETX


@pytest.mark.parametrize("cut", range(1, 8))
def test_putCoded(stage: Stage, cut: int) -> None:
    """DLE ETX and DLE DLE are an ETX and a DLE of the file, wherever the host pauses (MTS-FTP-15)."""
    stage.do("AT#FTPPUT")
    typed = b"A" + DLE + ETX + DLE + DLE + b"B" + ETX
    stage.port.say(typed[:cut])
    stage.wait()
    stage.port.say(typed[cut:])
    stage.wait()
    assert stage.file.heard() == b"A" + ETX + DLE + b"B"
    stage.server.say(b"226 done")
    assert stage.wait().endswith(OK)


def test_text(stage: Stage) -> None:
    """With #FTPTYPE=A the server gets 7 bits of each octet; it is told so (MTS-FTP-04, MTS-FTP-05)."""
    assert stage.say("AT#FTPTYPE=A") == OK
    stage.do("AT#FTPPUT")
    stage.port.say(b"\xc1\r\n\xff\n" + ETX)
    stage.wait()
    assert stage.file.heard() == b"A\r\n\x7f\n"
    stage.server.say(b"226 done")
    stage.wait()
    assert stage.do("AT#FTPGET") == BEGIN
    stage.file.say(b"\xc1\n")
    assert stage.wait() == b"\xc1\n"
    assert stage.server.orders.count("TYPE A") == 2
    assert "TYPE I" not in stage.server.orders


def test_path(stage: Stage) -> None:
    """The directory is changed for a path, not for an empty one or the dot (MTS-FTP-07)."""
    stage.say('AT#FTPGETPATH="/list"')
    stage.say('AT#FTPPUTPATH="."')
    stage.do("AT#FTPGET")
    assert stage.server.orders[-3:] == ["CWD /list", "PASV", "RETR in.txt"]
    stage.end()
    stage.do("AT#FTPPUT")
    assert stage.server.orders[-3:] == ["TYPE I", "PASV", "STOR out.txt"]


def test_active(stage: Stage) -> None:
    """The server makes the data connection unless #FTPMODE says otherwise (MTS-FTP-03)."""
    stage.say("AT#FTPMODE=0")
    assert stage.do("AT#FTPGET") == b""
    assert stage.server.orders[-2:] == ["PORT 127,0,0,77,0,0", "RETR in.txt"]
    wire = stage.memory.call(0, "127.0.0.77", source=SERVER)
    assert stage.wait() == BEGIN
    wire.say(b"text")
    wire.close()
    stage.server.say(b"226 done")
    assert stage.wait() == b"text" + ETX + OK


def test_byName(stage: Stage) -> None:
    """The server may be given by name, and be on another port (MTS-FTP-01, MTS-FTP-02)."""
    stage.say('AT#FTPSERV="files.example"')
    stage.say("AT#FTPPORT=2121")
    assert stage.do("AT#FTPGET") == failed(38016)
    stage.memory.clock.listenTCP(2121, stage.server, interface=SERVER)
    assert stage.do("AT#FTPGET") == BEGIN


def test_noName(stage: Stage) -> None:
    """A name without an address is an error of its own for both (MTS-FTP-19, MTS-ERR-32)."""
    stage.say('AT#FTPSERV="nowhere.example"')
    assert stage.do("AT#FTPGET") == stage.do("AT#FTPPUT") == failed(38027)


@pytest.mark.parametrize("command", ["AT#FTPGET", "AT#FTPPUT"])
def test_noLink(stage: Stage, command: str) -> None:
    """Without a connection there is nothing to do (MTS-FTP-20, MTS-ERR-11)."""
    stage.link.address = None
    assert stage.do(command) == failed(35867)


@pytest.mark.parametrize("command", ["AT#FTPGET", "AT#FTPPUT"])
def test_oneService(stage: Stage, command: str) -> None:
    """No file is moved while another service runs, and no parameter is changed meanwhile (MTS-FTP-20, MTS-ERR-19)."""
    claim = stage.stack.claim("TCP")
    assert stage.do(command) == failed(37122)
    claim.release()
    stage.do(command)
    assert stage.stack.service == "FTP"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        *(('AT#FTPSERV=""', "AT#FTPGET"), ("AT#FTPPORT=0", "AT#FTPPUT")),
        *(('AT#FTPGETFILENAME=""', "AT#FTPGET"), ('AT#FTPPUTFILENAME=""', "AT#FTPPUT")),
    ],
)
def test_notSet(stage: Stage, line: str, command: str) -> None:
    """What can't be left out is missed, and nobody is called (MTS-ERR-16)."""
    assert stage.say(line) == OK
    assert stage.do(command) == failed(36929)
    assert stage.server.orders == []
    assert stage.stack.service is None


@pytest.mark.parametrize("form", ["=1", "?", "=?", "="])
def test_forms(stage: Stage, form: str) -> None:
    """Both have their bare form alone (MTS-PAR-19)."""
    assert stage.do(f"AT#FTPGET{form}") == stage.do(f"AT#FTPPUT{form}") == failed(34819)


@pytest.mark.parametrize(
    ("order", "command", "number"),
    [
        ("USER", "AT#FTPGET", 38080),
        ("PASS", "AT#FTPGET", 38081),
        ("TYPE", "AT#FTPGET", 38016),
        ("CWD", "AT#FTPGET", 38022),
        ("PASV", "AT#FTPGET", 38016),
        ("RETR", "AT#FTPGET", 38024),
        ("STOR", "AT#FTPPUT", 38017),
        ("PASS", "AT#FTPPUT", 38081),
    ],
)
def test_refused(stage: Stage, order: str, command: str, number: int) -> None:
    """What the server refuses shows in the error, which is the whole answer; the next try may do (MTS-FTP-06,
    MTS-FTP-12, MTS-FTP-18, MTS-ERR-27, MTS-ERR-29, MTS-ERR-37, MTS-ERR-38, MTS-ERR-47)."""
    stage.say('AT#FTPGETPATH="/list"')
    usual = stage.server.answers.get(order, [b"200 fine"])
    stage.server.answers[order] = [b"550 no"]
    assert stage.do(command) + stage.wait(60) == failed(number)
    assert stage.stack.service is None
    stage.server.answers[order] = usual
    assert stage.do(command) in (BEGIN, WAITING)


@pytest.mark.parametrize("order", ["USER", "PASS", "TYPE", "PASV", "RETR"])
def test_silent(stage: Stage, order: str) -> None:
    """A server that says nothing is given up (MTS-ERR-22)."""
    stage.server.answers[order] = []
    assert stage.say("AT#FTPGET") + stage.wait(PATIENCE - 1) == b""
    assert stage.wait(2) == failed(37964)
    assert stage.stack.service is None


def test_hangsUp(stage: Stage) -> None:
    """A server that closes the connection before the file is told of by the error alone (MTS-ERR-23)."""
    stage.server.answers["TYPE"] = []
    stage.do("AT#FTPGET")
    stage.server.control.transport.loseConnection()
    assert stage.wait() == failed(37966)


def _hangUp(stage: Stage) -> None:
    stage.server.control.transport.loseConnection()
    stage.file.close()


def _breakOff(stage: Stage) -> None:
    stage.file.link.breakOff()
    stage.server.say(b"226 done")


def _stop(stage: Stage) -> None:
    stage.file.close()
    stage.server.say(b"426 stopped")


BREAKS = [(_hangUp, 37966, 37966), (_breakOff, 37966, 37966), (_stop, 38024, 38017)]


@pytest.mark.parametrize(("happens", "number"), [(happens, number) for happens, number, _ in BREAKS])
def test_getBreaksOff(stage: Stage, happens: Callable[[Stage], None], number: int) -> None:
    """A download that breaks off ends with ETX, and then the error (MTS-FTP-12, MTS-ERR-23, MTS-ERR-49)."""
    stage.do("AT#FTPGET")
    stage.file.say(b"half")
    assert stage.wait() == b"half"
    happens(stage)
    assert stage.wait() == ETX + failed(number)
    assert stage.stack.service is None
    assert stage.do("AT") == OK


@pytest.mark.parametrize(("happens", "number"), [(happens, number) for happens, _, number in BREAKS])
def test_putBreaksOff(stage: Stage, happens: Callable[[Stage], None], number: int) -> None:
    """An upload that breaks off ends with the error alone (MTS-FTP-17, MTS-ERR-25)."""
    stage.do("AT#FTPPUT")
    stage.port.say(b"half")
    happens(stage)
    assert stage.wait() == failed(number)
    assert stage.stack.service is None


def test_lastWords(stage: Stage) -> None:
    """What a server sends of a file after it has closed its control connection is shown all the same (MTS-FTP-12)."""
    stage.do("AT#FTPGET")
    stage.server.control.transport.loseConnection()
    assert stage.wait() == b""
    stage.file.say(b"last")
    stage.file.close()
    assert stage.wait() == b"last" + ETX + failed(37966)


def test_putEndedByServer(stage: Stage) -> None:
    """A server can't end an upload: before its ETX it isn't whole, even if the server is content (MTS-FTP-17)."""
    stage.do("AT#FTPPUT")
    stage.port.say(b"half")
    assert stage.end() == failed(37966)


def test_putNotKept(stage: Stage) -> None:
    """The result behind the ETX tells that the server couldn't keep the file (MTS-FTP-14, MTS-FTP-17)."""
    stage.do("AT#FTPPUT")
    assert stage.port.say(b"all" + ETX) == ETX
    stage.server.say(b"552 full")
    assert stage.wait() == failed(38017)


def test_leave(stage: Stage) -> None:
    """A server that refuses to end the session is an error; one that just hangs up isn't (MTS-ERR-26)."""
    stage.server.answers["QUIT"] = [b"500 stay"]
    stage.do("AT#FTPGET")
    assert stage.end() == ETX + failed(38018)
    stage.server.answers["QUIT"] = []
    stage.do("AT#FTPGET")
    assert stage.end() == ETX
    stage.server.control.transport.loseConnection()
    assert stage.wait() == OK


@pytest.mark.parametrize(
    ("why", "number"), [(errors.GPRS_LOST, 35841), (errors.INACTIVE, 35862), (None, 37952)], ids=str
)
def test_linkLost(stage: Stage, why: Reason | None, number: int) -> None:
    """When the connection below goes, the file ends with what became of it (MTS-ERR-07, MTS-ERR-08, MTS-ERR-21)."""
    stage.do("AT#FTPGET")
    stage.link.lose(why)
    assert stage.wait() == ETX + failed(number)
    stage.link.address = "127.0.0.77"
    stage.do("AT#FTPPUT")
    stage.link.lose(why)
    assert stage.wait() == failed(number)
    stage.link.address = "127.0.0.77"
    stage.server.answers["RETR"] = []
    stage.do("AT#FTPGET")
    stage.link.lose(why)
    assert stage.wait() == failed(number)
    assert stage.link.watchers == []
    assert stage.stack.service is None


def test_unreachable(stage: Stage) -> None:
    """A server that never answers a call is given up (MTS-ERR-24); losing the connection meanwhile is told at once."""
    stage.memory.clock.unreachable.add(SERVER)
    assert stage.say("AT#FTPGET") + stage.wait(PATIENCE + 1) == failed(38016)
    stage.say("AT#FTPGET")
    stage.link.lose(errors.GPRS_LOST)
    assert stage.wait() == failed(35841)


def test_unplugged(stage: Stage) -> None:
    """A host that goes leaves no half file behind as if it were whole, and the modem is free (MTS-FTP-15)."""
    stage.do("AT#FTPPUT")
    stage.port.say(b"half")
    stage.port.close()
    stage.memory.clock.advance(1)
    assert stage.file.isClosed
    assert "QUIT" not in stage.server.orders
    assert stage.stack.service is None
    assert stage.link.watchers == []


def test_powerOff(stage: Stage) -> None:
    """A modem that is switched off in the middle of a file can move files when it is on again."""
    stage.do("AT#FTPGET")
    stage.restart()
    stage.stack.link = stage.link = Link()
    assert stage.do("AT#FTPGET") == BEGIN


def test_stackClosed(stage: Stage) -> None:
    """Closing the stack from another port ends the file (MTS-OPEN-02)."""
    other = stage.memory.port(2)
    stage.do("AT#FTPGET")
    assert other.execute("AT+WOPEN=0")[-1] == "OK"
    assert stage.wait() == ETX + failed(37952)


def test_touches(stage: Stage) -> None:
    """Each part of a file counts as activity on the connection (MTS-ERR-08)."""
    stage.do("AT#FTPGET")
    before = stage.link.touched
    stage.file.say(b"part")
    stage.wait()
    assert stage.link.touched > before


def test_numbers(stage: Stage) -> None:
    """Under ATV0 the messages are numbers, and the coding is the same (MTS-RES-09)."""
    stage.say("ATV0")
    assert stage.do("AT#FTPGET") == b"\r1025\r"
    assert stage.end() == ETX + b"\r0\r"
    assert stage.do("AT#FTPPUT") == b"\r1028\r"


def test_slowServer(stage: Stage) -> None:
    """A server that doesn't read holds the host back; when it reads, all of the file comes (MTS-FTP-16)."""
    stage.do("AT#FTPPUT")
    transport: Any = stage.file.transport
    transport.pauseProducing()
    part = b"x" * HIGH_WATER
    for _ in range(MAX_UNDER_WAY // HIGH_WATER):
        stage.port.say(part)
    stage.port.say(part[: HIGH_WATER // 2] + ETX)
    transport.resumeProducing()
    stage.wait()
    assert len(stage.file.heard()) == MAX_UNDER_WAY + HIGH_WATER // 2
    stage.server.say(b"226 done")
    assert stage.wait().endswith(OK)


def test_slowHost(stage: Stage) -> None:
    """A host that doesn't read holds the server back; when it reads, all of the file comes (MTS-FTP-09, MTS-FTP-10)."""
    stage.do("AT#FTPGET")
    transport: Any = stage.port.transport
    transport.pauseProducing()
    stage.file.transport.limit = HIGH_WATER
    # coded it is twice as long, more than the port could hold
    blocks = MAX_UNDER_WAY // HIGH_WATER // 2 + 1
    for _ in range(blocks):
        stage.file.say(DLE * HIGH_WATER)
    stage.file.close()
    stage.server.say(b"226 done")
    assert stage.wait() == b""
    transport.resumeProducing()
    assert stage.wait() == DLE * (2 * blocks * HIGH_WATER) + ETX + OK
