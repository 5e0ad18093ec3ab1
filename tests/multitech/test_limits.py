"""What can be chosen of a Multi-Tech modem where its guide contradicts itself or leaves something open."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol

from atrunproto.at.errors import CommandTimeout
from atrunproto.multitech.peerparameters import PAUSE
from atrunproto.testing.link import MemoryLink
from tests.multitech.hosts import Host
from tests.multitech.modems import OK, Modem, failed
from tests.multitech.services import END, ETX, HOME, Served

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK
#: has the first socket admit any caller
BOTH = ('AT#TCPSERV=1,"255.255.255.255"', "AT#TCPPORT=1,2023")


@pytest.mark.parametrize(
    ("value", "spelled", "activated"), [(0, b"Ok_Info_", b"GprsActivation"), (1, b"OK_Info_", b"GPRSActivation")]
)
def test_spelling(value: int, spelled: bytes, activated: bytes) -> None:
    """
    All information messages are spelled as host programs expect them, or as the chapters of the guide print them.

    MTS-RES-02, MTS-GAP-07, MTS-GAP-08.
    """

    def message(name: bytes) -> bytes:
        return b"\r\n" + spelled + name + b"\r\n"

    modem = Served(limits={"messages as in the chapters": value})
    assert modem.connection.endswith(message(activated))
    assert modem.do("AT#GETMAIL") == message(b"Mail") + b"From: a@b.c\r\nSubject: Hi\r\n\r\nThe letter" + END + OK
    assert modem.do("AT#GETMAIL") == message(b"NoMail")
    assert modem.do("AT#PUTMAIL") == message(b"WaitingForData")
    assert modem.type(b"text" + END) == END + OK
    begun, file = modem.move("AT#FTPGET")
    assert begun + modem.moved(file) == message(b"DataBegin") + ETX + OK
    assert modem.do("AT#OTCP=1") == message(b"WaitingForData")
    assert modem.type(ETX) == ETX + message(b"SocketClosed") + OK
    assert modem.do("AT#OUDP") == message(b"WaitingForData")
    assert modem.type(ETX) == ETX + message(b"SocketClosed") + OK


@pytest.mark.parametrize(("value", "lead"), [(0, b"\r"), (1, b"\r\n")])
def test_errors(value: int, lead: bytes) -> None:
    """
    Errors have a lone CR in front, or CR LF as all else has: those of commands, of sessions, and of the connection.

    MTS-RES-05, MTS-GAP-10.
    """

    def error(number: int) -> bytes:
        return lead + b"#CME ERROR: %d\r\n" % number

    modem = Served(limits={"line feed before errors": value})
    assert modem.say("AT#FOO") == error(34817)
    assert modem.say("AT+FOO") == b"\r\nERROR\r\n"
    assert modem.do("AT#OTCP=1") == WAITING
    modem.tcp.callers[-1].link.breakOff()
    assert modem.wait() == ETX + error(38017)
    modem.module.contexts.lose(1)
    assert modem.wait() == error(35841)
    modem.say("ATV0")
    assert modem.say("AT#DISPLAYIP") == error(35867)
    modem.say("ATQ1")
    assert modem.say("AT#DISPLAYIP") == b""


@pytest.mark.parametrize(("value", "mark"), [(0, b""), (1, ETX)])
def test_uploads(value: int, mark: bytes) -> None:
    """
    An upload that breaks off ends with the error alone, or with an ETX first; the one that the host has sent is enough.

    MTS-FTP-17, MTS-GAP-27.
    """
    modem = Served(limits={"mark before upload errors": value})
    _, file = modem.move("AT#FTPPUT")
    assert modem.moved(file, b"426 stopped") == mark + failed(38017)
    _, file = modem.move("AT#FTPPUT")
    assert modem.type(b"half") == b""
    modem.module.contexts.lose(1)
    assert modem.wait() == mark + failed(35841)
    assert modem.do("AT#CONNECTIONSTART") == modem.connection
    _, file = modem.move("AT#FTPPUT")
    assert modem.type(b"whole" + ETX) + modem.moved(file, b"552 full") == ETX + failed(38017)


@pytest.mark.parametrize("dleMode", [0, 1])
@pytest.mark.parametrize(("value", "result"), [(0, CLOSED), (1, failed(37966))])
def test_closeOfAPeer(value: int, result: bytes, dleMode: int) -> None:
    """
    That the peer has closed a socket is told as an end, or as an error; that the host has, always as an end.

    MTS-TCP-18, MTS-ERR-23, MTS-GAP-29, MTS-GAP-30.
    """
    modem = Served(f"AT#DLEMODE=1,{dleMode}", limits={"close of a peer is an error": value})
    mark = ETX if dleMode else b""
    assert modem.do("AT#OTCP=1") == WAITING
    modem.tcp.callers[-1].say(b"bye")
    modem.tcp.callers[-1].close()
    assert modem.wait() == b"bye" + mark + result
    assert modem.do("AT#LTCPSTART=2") == OK
    wire = modem.call()
    assert modem.wait() == WAITING
    wire.close()
    assert modem.wait() == ETX + result
    for command in ("AT#OTCP=1", "AT#OUDP") if dleMode else ("AT#OUDP",):
        assert modem.do(command) == WAITING
        assert modem.type(ETX) == ETX + CLOSED
    assert modem.say("AT") == OK


def both() -> Served:
    """A modem whose sockets can both listen."""
    return Served(*BOTH, limits={"both sockets listen": 1})


def test_oneListens() -> None:
    """As a rule one socket alone may listen (MTS-TCP-24, MTS-GAP-31)."""
    modem = Served(*BOTH)
    modem.listen("AT#LTCPSTART=1")
    assert modem.say("AT#LTCPSTART=2") == failed(37122)


@pytest.mark.parametrize(("first", "port"), [(1, 2023), (2, 2024)])
def test_bothListen(first: int, port: int) -> None:
    """The first socket that is called takes the port, and nothing listens any more (MTS-TCP-11, MTS-GAP-31)."""
    modem = both()
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTART=2")
    assert modem.say(f"AT#LTCPSTART={first}") == failed(37122)
    assert modem.say("AT#OTCP=1") == modem.say("AT#LUDPSTART") == failed(37122)
    wire = modem.call(port)
    assert modem.wait() == WAITING
    assert modem.call(2023).isClosed
    assert modem.call(2024).isClosed
    wire.say(b"hello")
    assert modem.type(b"you\x03") == b"hello" + ETX + CLOSED
    assert wire.heard() == b"you"
    assert modem.say("AT#PINGNUM=4") == OK
    modem.listen("AT#LTCPSTART=2", "AT#LTCPSTART=1")


def test_stopOneOfBoth() -> None:
    """Each listener is stopped by itself, and only then may parameters be written (MTS-TCP-09, MTS-GAP-31)."""
    modem = both()
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTART=2", "AT#LTCPSTOP=1")
    assert modem.call(2023).isClosed
    assert modem.say("AT#PINGNUM=4") == failed(37123)
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTOP=2")
    assert modem.call(2024).isClosed
    assert not modem.call(2023).isClosed
    assert modem.wait() == WAITING


def test_lateCaller() -> None:
    """A peer that has called just as its listener was stopped isn't served by the other one (MTS-GAP-31)."""
    modem = both()
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTART=2")
    stopped = modem.memory.clock.listening[HOME, 2023].factory
    modem.listen("AT#LTCPSTOP=1")
    MemoryLink(modem.memory.clock, stopped.buildProtocol(IPv4Address("TCP", "127.0.2.77", 40000)), Protocol())
    assert modem.wait() == b""
    assert not modem.call(2024).isClosed
    assert modem.wait() == WAITING


def test_secondFails() -> None:
    """A second listener that can't be had leaves the first as it is (MTS-GAP-31)."""
    modem = both()
    modem.memory.clock.listenTCP(2024, modem.tcp, interface=HOME)
    modem.listen("AT#LTCPSTART=1")
    assert modem.say("AT#LTCPSTART=2") == failed(38016)
    assert modem.say("AT#PINGNUM=4") == failed(37123)
    assert not modem.call(2023).isClosed


def test_abortBoth() -> None:
    """An ETX ends all that waits at its instance, and nothing else (MTS-TCP-10, MTS-GAP-26, MTS-GAP-31)."""
    modem = both()
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTART=2")
    assert modem.type(ETX) == OK
    assert modem.call(2023).isClosed
    assert modem.call(2024).isClosed
    modem.listen("AT#LTCPSTART=1")
    other = modem.memory.port(2)
    assert other.execute("AT#LTCPSTART=2") == ["OK"]
    assert modem.type(ETX) == OK
    assert modem.call(2023).isClosed
    assert not modem.call(2024).isClosed
    assert other.heard() == WAITING


def test_bothLost() -> None:
    """Each host that waits hears once of the loss of the connection (MTS-TCP-26, MTS-GAP-31)."""
    modem = both()
    modem.listen("AT#LTCPSTART=1", "AT#LTCPSTART=2")
    modem.module.contexts.lose(1)
    assert modem.wait() == failed(35841)
    assert modem.call(2023).isClosed
    assert modem.call(2024).isClosed
    assert modem.do("AT#CONNECTIONSTART") == modem.connection
    modem.listen("AT#LTCPSTART=1")


def strict(*lines: str) -> Modem:
    """A modem that needs a second of rest before each write, without echo and with its stack open."""
    modem = Modem(limits={"seconds before a write": 1})
    modem.memory.advance(1)
    for line in lines:
        assert modem.say(line).endswith(OK)
    return modem


def test_rest() -> None:
    """A write that comes less than a second after an answer is lost, and nothing answers it (MTS-GAP-60)."""
    modem = strict("AT#PINGNUM=5")
    assert modem.say("AT#PINGNUM=6") == b""
    modem.memory.advance(0.99)
    assert modem.say("AT#PINGNUM=7") == b""
    modem.memory.advance(0.01)
    assert modem.say("AT#PINGNUM=8;#PINGDELAY=3") == OK
    assert [modem.read(name) for name in ("PINGNUM", "PINGDELAY")] == ["8", "3"]


@pytest.mark.parametrize("line", ["AT#TCPPORT=1,23", 'AT#SUBJ1="x"', "AT#FTPTYPE=A", "AT#BODY1", "AT#REC1ADD"])
def test_whatIsLost(line: str) -> None:
    """Each write needs its rest after whatever was answered: a read, an error, another command (MTS-GAP-60)."""
    modem = strict()
    for before in ("AT#VDNS", "AT#FOO", "AT+CSQ"):
        modem.memory.advance(5)
        modem.say(before)
        assert modem.say(line) == b""
        assert modem.say("AT") == OK
    modem.memory.advance(1)
    assert modem.say(line) == (b"" if line in ("AT#BODY1", "AT#REC1ADD") else OK)
    if line in ("AT#BODY1", "AT#REC1ADD"):
        assert modem.say("x", "\x1a") == OK


def test_whatIsNotLost() -> None:
    """What writes no parameter may come at any time, and by default a write may too (MTS-GAP-60)."""
    modem = strict()
    for line in ("AT#PINGNUM?", "AT#TCPPORT=1", "AT#VALL", "AT#DELFLASH", "AT+WOPEN=1", "AT+CMEE=1"):
        assert modem.say(line).endswith(OK)
    other = Modem()
    assert other.say("AT#PINGNUM=6") == other.say("AT#PINGNUM=7") == OK


@pytest.mark.parametrize(("pause", "isKept"), [(PAUSE, True), (0.0, False)])
def test_hostThatRests(pause: float, isKept: bool) -> None:
    """A host that rests before it writes gets on with such a modem, and one that doesn't won't (MTS-PAR-13)."""
    host = Host("AT+WOPEN=1", limits={"seconds before a write": 1}, pause=pause)
    writes = host.modem.configure({"PINGNUM": 3, ("TCPPORT", 1): 23})
    if isKept:
        host.do(writes)
    else:
        with pytest.raises(CommandTimeout):
            host.do(writes)
    assert host.do(host.modem.read("PINGNUM")) == (3 if isKept else 4)
