"""The host's driver for the files of Multi-Tech modems, on an emulated one and on what the guide prints."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from atrunproto.at.errors import LinkLost, PeerViolation
from atrunproto.at.peertransfer import TooLong, TransferBroken
from atrunproto.ftp.multitechpeer import MultitechFTPClient
from atrunproto.ftp.peer import FileType
from atrunproto.multitech import errors
from atrunproto.multitech.peererrors import (
    BadConfiguration,
    Busy,
    CannotConnect,
    ClosedByPeer,
    ConnectionEnded,
    LoginRefused,
    NameUnknown,
    NoConnection,
    NoResponse,
    Refused,
    TransferFailed,
)
from atrunproto.multitech.peerparameters import PAUSE
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret
from atrunproto.testing.link import HIGH_WATER
from tests.ftp.scripted import Server
from tests.multitech.talks import (
    FORMS,
    OK,
    SERVER,
    WAITING,
    Connected,
    Full,
    Sated,
    Slow,
    Talk,
    Unfinished,
    broken,
    failed,
)

EVERY = bytes(range(256)) * 3
#: octets of a file that is longer than all buffers on its way
LARGE = 2_000_000
BEGIN = "\r\nOk_Info_DataBegin\r\n"


def client(modem: Any, **options: Any) -> MultitechFTPClient:
    """A driver that knows the server."""
    return MultitechFTPClient(modem, SERVER, "user", Secret("s3cret"), **options)


class Chatter(Unfinished):
    """A source that says again and again what begins like a command."""

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock

    def resumeProducing(self) -> None:
        """Produce more."""
        self._clock.callLater(0.01, self.consumer.write, b"AT#VST")


class Stage(Connected):
    """A program, its modem that is connected, and an FTP server that a test plays."""

    def __init__(self, *lines: str, **facts: Any) -> None:
        super().__init__(*lines, **facts)
        self.server = Server()
        self.clock.listenTCP(21, self.server, interface=SERVER)
        self._data = self.host.memory.host(20, SERVER)
        self.ftp = client(self.host.modem)

    def begin(self, call: Any) -> Deferred[Any]:
        """Call, up to the file."""
        waiting = self.start(call)
        self.wait(5)
        return waiting

    @property
    def file(self) -> Any:
        """The server's end of the last data connection."""
        return self._data.callers[-1]

    def leave(self) -> None:
        """The server has sent, or got, all."""
        self.file.close()
        self.server.say(b"226 done")
        self.wait()

    def end(self) -> Any:
        """The same; what the call has come to."""
        self.leave()
        return self.outcome()


# -- files


@pytest.mark.parametrize("form", FORMS)
def test_put(form: str) -> None:
    """
    A file of all octets gets to the server, and counts when the modem has said OK, in words or numbers.

    MTS-FTP-13, MTS-FTP-14, MTS-FTP-15, MTS-FTP-21, MTS-SER-09, MTS-GAP-54.
    """
    stage, passed = Stage(form), list[int]()
    stage.begin(stage.ftp.put("out.bin", EVERY, progress=passed.append))
    assert (stage.file.heard(), stage.found) == (EVERY, [])
    assert stage.end() == len(EVERY) == passed[-1]
    assert stage.server.orders == ["USER user", "PASS s3cret", "TYPE I", "PASV", "STOR out.bin", "QUIT"]
    assert stage.state() == [State.CONNECTED]


@pytest.mark.parametrize("form", FORMS)
def test_get(form: str) -> None:
    """
    A file of all octets comes from the server, and counts when the modem has said OK, in words or numbers.

    MTS-FTP-08, MTS-FTP-09, MTS-FTP-10, MTS-FTP-21.
    """
    stage, passed = Stage(form), list[int]()
    stage.begin(stage.ftp.get("in.bin", progress=passed.append))
    stage.file.say(EVERY)
    stage.wait()
    assert (passed, stage.found) == ([len(EVERY)], [])
    assert stage.end() == EVERY
    assert stage.server.orders == ["USER user", "PASS s3cret", "TYPE I", "PASV", "RETR in.bin", "QUIT"]
    assert stage.state() == [State.CONNECTED]


def test_empty() -> None:
    """A file may be empty."""
    stage = Stage()
    stage.begin(stage.ftp.put("out.bin", b""))
    assert stage.end() == 0
    stage.begin(stage.ftp.get("in.bin"))
    assert stage.end() == b""


def test_sources() -> None:
    """A file comes out of an open file or from a producer, and goes to an open file, whatever it holds."""
    stage = Stage()
    stage.begin(stage.ftp.put("out.bin", BytesIO(EVERY)))
    assert stage.end() == len(EVERY)

    async def produce(consumer: Any) -> None:
        consumer.write(EVERY)

    stage.begin(stage.ftp.put("out.bin", lambda consumer: Deferred.fromCoroutine(produce(consumer))))
    assert stage.file.heard() == EVERY
    assert stage.end() == len(EVERY)
    file = BytesIO()
    stage.begin(stage.ftp.getTo("in.bin", file))
    stage.file.say(EVERY)
    assert stage.end() == len(EVERY)
    assert file.getvalue() == EVERY


def test_parameters() -> None:
    """
    Server, login, mode, type, directory and name are set before the command, each after its pause, and once.

    MTS-FTP-01, MTS-FTP-02, MTS-FTP-03, MTS-FTP-04, MTS-FTP-06, MTS-FTP-07, MTS-PAR-13.
    """
    stage = Stage(pause=PAUSE)
    stage.host.memory.network.hosts["files.example"] = SERVER
    stage.clock.listenTCP(2121, stage.server, interface=SERVER)
    ftp = MultitechFTPClient(
        stage.host.modem, "files.example", "me", Secret("mine"), 2121, passive=False, type=FileType.ASCII
    )
    stage.server.answers["RETR"] = [b"550 no"]
    for writes in (7, 0):
        begun = stage.clock.seconds()
        with pytest.raises(TransferFailed):
            stage.host.do(ftp.get("in.txt", "/list"))
        assert writes * PAUSE <= stage.clock.seconds() - begun < writes * PAUSE + 1
        orders, stage.server.orders = stage.server.orders, []
        assert orders[:4] == ["USER me", "PASS mine", "TYPE A", "CWD /list"]
        assert orders[4].startswith("PORT ")
        assert orders[5] == "RETR in.txt"
    assert stage.host.do(stage.host.modem.show("VFTP")) == {
        "FTPSERV": "files.example",
        "FTPPORT": 2121,
        "FTPMODE": 0,
        "FTPTYPE": "A",
        "FTPUN": "me",
        "FTPPW": Secret("mine"),
        "FTPGETFILENAME": "in.txt",
        "FTPGETPATH": "/list",
        "FTPPUTFILENAME": "",
        "FTPPUTPATH": "",
    }


def test_inTurn() -> None:
    """What is called meanwhile waits, and has its own parameters (MTS-FTP-20)."""
    stage, later = Stage(), list[Any]()
    stage.begin(stage.ftp.put("one.bin", b"1", "/one"))
    other = client(stage.host.modem, type=FileType.ASCII)
    Deferred.fromCoroutine(other.put("two.bin", b"2", "/two")).addBoth(later.append)
    stage.wait()
    assert (stage.file.heard(), stage.found, later) == (b"1", [], [])
    assert stage.end() == 1
    stage.wait()
    assert (stage.file.heard(), later) == (b"2", [])
    stage.end()
    assert later == [1]
    assert [order for order in stage.server.orders if order[:4] in ("TYPE", "CWD ", "STOR")] == [
        *("TYPE I", "CWD /one", "STOR one.bin"),
        *("TYPE A", "CWD /two", "STOR two.bin"),
    ]


# -- as fast as the other end


def test_slowSink() -> None:
    """A consumer that takes no more holds the modem back, and the modem the server (MTS-FTP-16)."""
    stage, sink = Stage(), Slow()
    piece = stage.host.link.module.limit = 16384
    stage.begin(stage.ftp.getTo("in.bin", sink))
    for _ in range(LARGE // 50_000):
        stage.file.say(bytes(50_000))
    stage.wait(60)
    way = stage.host.link.module
    assert 0 < sink.octets <= 2 * HIGH_WATER
    assert way._size <= 2 * HIGH_WATER
    assert stage.file.transport._size > LARGE / 2
    assert sink.takeAll(LARGE, stage.wait) >= LARGE // piece
    assert stage.end() == LARGE
    assert sink.producer is None


def test_slowServer() -> None:
    """A server that takes no more holds the modem back, and the modem the file (MTS-FTP-16)."""
    stage, file = Stage(), BytesIO(bytes(LARGE))
    stage.server.answers["STOR"] = []
    stage.begin(stage.ftp.put("out.bin", file))
    data = stage.file
    data.transport.pauseProducing()
    stage.server.say(b"150 go on")
    stage.wait(60)
    assert 0 < file.tell() < LARGE / 2
    data.transport.resumeProducing()
    stage.wait()
    assert len(data.heard()) == LARGE
    assert stage.end() == LARGE


# -- what the guide prints


@pytest.mark.parametrize(
    "announcement",
    [
        WAITING,
        "\r\nOK_Info_WaitingForData\r\n",
        "\r\nOK_WaitingForData\r\n",
        "\r1028\r",
        "AT#FTPPUT\r" + WAITING,
    ],
)
@pytest.mark.parametrize("end", ["\x03" + OK, OK, "\x03\r0\r", "\r0\r"])
def test_putSpelled(announcement: str, end: str) -> None:
    """
    A file is sent behind any spelling of the announcement, and its end may be echoed or not.

    MTS-FTP-14, MTS-FTP-21, MTS-RES-09, MTS-GAP-06, MTS-GAP-07, MTS-GAP-54.
    """
    talk = Talk(FTPPUT=announcement)
    talk.begin(client(talk.modem).put("out.bin", b"a\x03b\x10"), "AT#FTPPUT")
    talk.scripted.clock.advance(1)
    assert talk.said() == b"a\x10\x03b\x10\x10\x03"
    assert not talk.found
    talk.comes(end)
    assert talk.outcome() == 4


@pytest.mark.parametrize("announcement", [BEGIN, "\r\nOK_Info_DataBegin\r\n", "\r1025\r", "AT#FTPGET\r" + BEGIN])
@pytest.mark.parametrize("end", [OK, "\r0\r"])
def test_getSpelled(announcement: str, end: str) -> None:
    """
    A file is taken behind any spelling of the announcement, and counts when the result has followed its end.

    MTS-FTP-09, MTS-FTP-10, MTS-FTP-21, MTS-RES-09, MTS-GAP-07.
    """
    talk = Talk(FTPGET=announcement)
    talk.begin(client(talk.modem).get("in.bin"), "AT#FTPGET")
    talk.comes("\na\x10\x03\r\nOK\r\nb\x10", "\x10\x03")
    assert not talk.found
    talk.comes(end)
    assert talk.outcome() == b"\na\x03\r\nOK\r\nb\x10"


@pytest.mark.parametrize("end", [failed(37966), "\x03" + failed(37966), "\r\n#CME ERROR : 37966 \r\n"])
@pytest.mark.parametrize("isComplete", [False, True])
def test_putBroken(end: str, isComplete: bool) -> None:
    """
    A file that has not passed whole is an error, told behind an ETX or not, before the end of the file or behind it.

    MTS-FTP-17, MTS-FTP-21, MTS-GAP-27.
    """
    talk = Talk(FTPPUT=WAITING)
    source: Any = b"text" if isComplete else Unfinished()
    talk.begin(client(talk.modem).put("out.bin", source), "AT#FTPPUT")
    talk.scripted.clock.advance(1)
    assert talk.said() == b"text" + (b"\x03" if isComplete else b"")
    talk.comes(end)
    with pytest.raises(ClosedByPeer):
        talk.outcome()
    # what was sent may lie in the command line of the modem
    Deferred.fromCoroutine(talk.modem.state()).addErrback(lambda _: None)
    assert talk.said() == b"\x1bAT\r"


def test_getBroken() -> None:
    """A file whose rest is missing is an error, however much has come (MTS-FTP-12, MTS-FTP-21)."""
    talk = Talk(FTPGET=BEGIN)
    talk.begin(client(talk.modem).get("in.bin"), "AT#FTPGET")
    talk.comes("all of it\x03")
    assert not talk.found
    talk.comes(failed(38024))
    with pytest.raises(TransferFailed):
        talk.outcome()


def test_takenNoMore() -> None:
    """A modem that says OK before the file is at its end hasn't taken it (MTS-FTP-21)."""
    talk = Talk(FTPPUT=WAITING)
    talk.begin(client(talk.modem).put("out.bin", Unfinished()), "AT#FTPPUT")
    talk.comes(OK)
    with pytest.raises(TransferBroken, match="after 4 octets"):
        talk.outcome()


@pytest.mark.parametrize("line", ["FTPPUT", "FTPGET"])
def test_withoutFile(line: str) -> None:
    """A command that is answered by OK alone has moved nothing (MTS-FTP-21)."""
    talk = Talk()
    ftp = client(talk.modem)
    with pytest.raises(PeerViolation):
        talk.scripted.do(ftp.put("out.bin", b"x") if line == "FTPPUT" else ftp.get("in.bin"))


@pytest.mark.parametrize("line", ["FTPPUT", "FTPGET"])
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (35867, NoConnection),
        (36929, BadConfiguration),
        (37122, Busy),
        (37964, NoResponse),
        (37966, ClosedByPeer),
        (38016, CannotConnect),
        (38017, TransferFailed),
        (38022, Refused),
        (38024, TransferFailed),
        (38027, NameUnknown),
        (38080, LoginRefused),
        (38081, LoginRefused),
    ],
)
def test_refused(line: str, number: int, kind: type[Exception]) -> None:
    """What keeps a file from being moved is told by its kind (MTS-FTP-12, MTS-FTP-18, MTS-FTP-19, MTS-FTP-20)."""
    talk = Talk(**{line: failed(number)})
    ftp = client(talk.modem)
    with pytest.raises(kind):
        talk.scripted.do(ftp.put("out.bin", b"x") if line == "FTPPUT" else ftp.get("in.bin"))


def test_secret() -> None:
    """The password is in no error, and in no name of a command (MTS-FTP-06)."""
    talk = Talk(**{'FTPPW="s3cret"': failed(34824)})
    with pytest.raises(Exception, match="memory") as raised:
        talk.scripted.do(client(talk.modem).get("in.bin"))
    assert "s3cret" not in f"{raised.value} {raised.value!r}"


# -- giving up


def test_putCancelled() -> None:
    """A file that is given up ends where it is, and the port is free when the modem has said so (MTS-FTP-14)."""
    stage = Stage()
    waiting = stage.begin(stage.ftp.put("out.bin", Unfinished()))
    waiting.cancel()
    with pytest.raises(CancelledError):
        stage.outcome()
    stage.wait()
    assert stage.file.heard() == b"text"
    assert stage.file.isClosed
    stage.server.say(b"226 done")
    assert stage.state() == [State.CONNECTED]


def test_cancelledBefore() -> None:
    """A call that is given up before the file begins sends nothing of it, and takes nothing (MTS-FTP-15)."""
    stage = Stage()
    for call in (stage.ftp.put("out.bin", b"text"), stage.ftp.get("in.bin")):
        answers, stage.server.answers["PASV"] = stage.server.answers["PASV"], []
        stage.begin(call).cancel()
        with pytest.raises(CancelledError):
            stage.outcome()
        stage.server.answers["PASV"] = answers
        stage.server.say(answers[0])
        stage.wait()
        stage.file.say(b"text")
        stage.leave()
        assert stage.file.heard() == b""
        assert stage.state() == [State.CONNECTED]


def test_getCancelled() -> None:
    """A file that is given up is dropped to its end, and until then the port is busy (MTS-FTP-11)."""
    stage, file = Stage(), BytesIO()
    waiting = stage.begin(stage.ftp.getTo("in.bin", file))
    stage.file.say(b"some")
    stage.wait()
    waiting.cancel()
    with pytest.raises(CancelledError):
        stage.outcome()
    state = stage.state()
    stage.file.say(b"\r\nOK\r\n")
    stage.wait()
    assert state == []
    stage.leave()
    assert (state, file.getvalue()) == ([State.CONNECTED], b"some")


def test_tooLong() -> None:
    """A file that is longer than it may be is told at once, and one as long as that is taken (MTS-FTP-11)."""
    stage = Stage()
    for data, isTaken in ((b"12345", True), (b"123456", False)):
        stage.begin(stage.ftp.get("in.bin", limit=5))
        stage.file.say(data)
        stage.wait()
        if isTaken:
            assert stage.end() == data
            continue
        with pytest.raises(TooLong):
            stage.outcome()
        stage.leave()
        assert stage.state() == [State.CONNECTED]


def test_sinkFails() -> None:
    """What goes wrong in the program's own file or consumer is told at once (MTS-FTP-11)."""
    stage = Stage()

    for sink, kind in ((Full(), OSError), (Sated(), TransferBroken)):
        stage.begin(stage.ftp.getTo("in.bin", sink))
        stage.file.say(b"text")
        stage.wait()
        with pytest.raises(kind):
            stage.outcome()
        stage.leave()
        assert stage.state() == [State.CONNECTED]


def test_sourceFails() -> None:
    """A file that can't be read on leaves what was sent, and is told (MTS-FTP-14)."""
    stage = Stage()

    stage.begin(stage.ftp.put("out.bin", broken))
    with pytest.raises(OSError, match="unreadable"):
        stage.outcome()
    stage.leave()
    assert stage.state() == [State.CONNECTED]


@pytest.mark.parametrize("mark", [0, 1])
@pytest.mark.parametrize("form", FORMS)
def test_serverGoes(form: str, mark: int) -> None:
    """
    A server that goes is told, and the next command is answered, though part of the file still comes.

    MTS-FTP-17, MTS-FTP-21, MTS-GAP-27.
    """
    stage = Stage(form, limits={"mark before upload errors": mark})
    stage.host.link.peer.delay = 0.2
    stage.begin(stage.ftp.put("out.bin", Chatter(stage.clock)))
    stage.file.close()
    stage.server.control.transport.loseConnection()
    stage.wait()
    with pytest.raises(ClosedByPeer):
        stage.outcome()
    assert stage.state() == [State.CONNECTED]


@pytest.mark.parametrize("isGet", [False, True])
def test_linkLost(isGet: bool) -> None:
    """The end of the connection to the network is told as what it is, to whoever wants to hear of it too."""
    stage, ended = Stage(), list[Any]()
    stage.host.modem.onEnd(ended.append)
    stage.begin(stage.ftp.get("in.bin") if isGet else stage.ftp.put("out.bin", Unfinished()))
    stage.host.memory.module.contexts.lose(1)
    stage.wait()
    with pytest.raises(ConnectionEnded):
        stage.outcome()
    assert [error.reason for error in ended] == [errors.GPRS_LOST]


@pytest.mark.parametrize("isGet", [False, True])
def test_unplugged(isGet: bool) -> None:
    """The loss of the cable is told as that."""
    stage = Stage()
    stage.begin(stage.ftp.get("in.bin") if isGet else stage.ftp.put("out.bin", Unfinished()))
    stage.host.link.breakOff()
    stage.wait()
    with pytest.raises(LinkLost):
        stage.outcome()
