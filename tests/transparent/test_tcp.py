"""The TCP sockets of a Multi-Tech modem, at its AT port and at their peers."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost

from atrunproto.at.results import Reason
from atrunproto.multitech.errors import GPRS_LOST, NO_LINK
from atrunproto.testing.emulated import Wire
from atrunproto.testing.link import HIGH_WATER
from tests.multitech.modems import OK, failed
from tests.transparent.links import ADDRESS, CLOSED, ENDS, ETX, LOSSES, SERVER, WAITING, LinkedModem

#: octets at a time, and how many times, where somebody doesn't read
CHUNK, SENT = 65536, 12


class Sockets(LinkedModem):
    """A modem with a link, and a server that its sockets call."""

    def __init__(self, *lines: str, dleMode: int = 1, delay: int = 0) -> None:
        super().__init__(
            f'AT#TCPSERV=1,"{SERVER}"', "AT#TCPPORT=1,23", f"AT#DLEMODE=1,{dleMode}", f"AT#TCPTXDELAY=1,{delay}", *lines
        )
        self.server = self.memory.host(23, SERVER)

    def open(self) -> Wire:
        """Connect, and give the server's end."""
        assert self.say("AT#OTCP=1") == WAITING
        return self.server.callers[-1]

    def listen(self, peer: str = "255.255.255.255") -> None:
        """Wait for a peer on socket 2."""
        for line in (f'AT#TCPSERV=2,"{peer}"', "AT#TCPPORT=2,2024", "AT#TCPTXDELAY=2,0", "AT#LTCPSTART=2"):
            assert self.say(line) == OK

    def call(self, source: str = "127.0.2.77") -> Wire:
        """Call the listener."""
        return self.memory.call(2024, ADDRESS, source)


def test_bothWays() -> None:
    """
    In data mode the modem passes everything on at once, both ways, coded at its port alone, and echoes nothing
    (MTS-TCP-12, MTS-TCP-13, MTS-TCP-14, MTS-TCP-15, MTS-TCP-23).
    """
    modem = Sockets("ATE1")
    modem.port.say(b"AT#OTCP=1\r")
    wire = modem.server.callers[-1]
    assert modem.type(b"a\x10\x03b\x10") == b""
    assert wire.heard() == b"a\x03b"
    assert modem.type(b"\x10c+++") == b""
    assert wire.heard() == b"\x10c+++"
    wire.say(b"x\x03y\x10z")
    assert modem.port.heard() == b"x\x10\x03y\x10\x10z"
    assert modem.after(5) == b""
    assert modem.link.touches == 3


def test_uncoded() -> None:
    """
    With DLEMODE 0 octets pass unchanged, ETX included, and the end of the connection is told without an ETX
    (MTS-TCP-01, MTS-TCP-16, MTS-TCP-19).
    """
    modem = Sockets(dleMode=0)
    wire = modem.open()
    assert modem.type(b"a\x03b\x10c") == b""
    assert wire.heard() == b"a\x03b\x10c"
    wire.say(b"x\x03y\x10z")
    assert modem.port.heard() == b"x\x03y\x10z"
    wire.close()
    assert modem.port.heard() == CLOSED
    assert modem.say("AT") == OK


def test_hostCloses() -> None:
    """An ETX of the host is echoed, what came before it still arrives, and then the socket is closed (MTS-TCP-17)."""
    modem = Sockets(delay=1000)
    wire = modem.open()
    assert modem.type(b"last\x03AT\r") == ETX + CLOSED
    assert wire.heard() == b"last"
    assert wire.isClosed
    assert modem.say("AT") == OK
    assert not modem.open().isClosed


def test_stuckPeer() -> None:
    """A peer that takes nothing any more doesn't keep a modem that has been told to close (MTS-TCP-17)."""
    modem = Sockets()
    wire = modem.open()
    assert wire.transport is not None
    wire.transport.pauseProducing()  # type: ignore[attr-defined]
    assert modem.type(b"last\x03") == ETX
    assert modem.after(9.0) == b""
    assert modem.after(2.0) == failed(38018)
    assert modem.say("AT") == OK


def test_peerCloses() -> None:
    """When the peer closes, ETX tells it, behind the last data (MTS-TCP-18)."""
    modem = Sockets()
    wire = modem.open()
    wire.say(b"bye")
    wire.close()
    assert modem.port.heard() == b"bye" + ETX + CLOSED


def test_reset() -> None:
    """An error of the connection is told behind an ETX (MTS-TCP-20)."""
    modem = Sockets()
    modem.open().link.breakOff(ConnectionLost())
    assert modem.port.heard() == ETX + failed(38017)
    assert modem.say("AT") == OK


@pytest.mark.parametrize(("reason", "number"), LOSSES)
def test_linkLost(reason: Reason, number: int) -> None:
    """The loss of the link ends the session, towards the peer too (MTS-TCP-26)."""
    modem = Sockets()
    wire = modem.open()
    modem.link.lose(reason)
    assert modem.port.heard() == ETX + failed(number)
    assert wire.isClosed


def test_delay() -> None:
    """A frame that isn't full leaves when TCPTXDELAY is over, a full one at once (MTS-TCP-05)."""
    modem = Sockets(delay=1000)
    wire = modem.open()
    modem.type(b"A")
    modem.after(0.6)
    modem.type(b"B")
    assert wire.heard() == b""
    modem.after(0.5)
    assert wire.heard() == b"AB"
    modem.type(bytes(2000))
    assert wire.heard() == bytes(1460)
    modem.after(1.0)
    assert wire.heard() == bytes(540)


def test_pressure() -> None:
    """Neither a peer nor a host that stops reading has the modem gather what the other one sends (MTS-TCP-13)."""
    modem = Sockets()
    wire = modem.open()
    for reader, writer in ((wire, modem.port), (modem.port, wire)):
        stuck: Any = reader.transport
        stuck.pauseProducing()
        for _ in range(SENT):
            writer.say(bytes(CHUNK))
        assert stuck.other._size <= HIGH_WATER + CHUNK
        stuck.resumeProducing()
        assert len(reader.heard()) == SENT * CHUNK


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (('AT#TCPSERV=1,"nobody.domain.com"',), 38027),
        (('AT#TCPSERV=1,""',), 36929),
        (('AT#TCPSERV=1,"255.255.255.255"',), 36929),
        (("AT#TCPPORT=1,0",), 36929),
        (("AT#TCPPORT=1,24",), 38016),
    ],
)
def test_notOpened(lines: tuple[str, ...], number: int) -> None:
    """What keeps a connection from being opened is told alone, and another attempt may follow (MTS-TCP-21)."""
    modem = Sockets(*lines)
    for _ in range(2):
        assert modem.say("AT#OTCP=1") == failed(number)
    assert modem.say("AT#TCPPORT=1,23") == OK


@pytest.mark.parametrize("command", ["OTCP", "LTCPSTART"])
def test_noLink(command: str) -> None:
    """Without a link no session begins (MTS-TCP-06)."""
    modem = Sockets()
    modem.link.lose(NO_LINK)
    assert modem.say(f"AT#{command}=1") == failed(35867)


def test_byName() -> None:
    """A server may be named, and each socket has a server of its own (MTS-TCP-03, MTS-TCP-22)."""
    modem = Sockets('AT#TCPSERV=2,"server.domain.com"', "AT#TCPPORT=2,26")
    other = modem.memory.host(26, SERVER)
    assert modem.say("AT#OTCP=2") == WAITING
    assert len(other.callers) == 1
    assert not modem.server.callers


@pytest.mark.parametrize("line", ["AT#OTCP", "AT#OTCP?", "AT#OTCP=?", "AT#LTCPSTART", "AT#LTCPSTOP"])
def test_noSocket(line: str) -> None:
    """The number of the socket can't be left out."""
    assert Sockets().say(line) == failed(34819)


def test_listener() -> None:
    """
    A listener answers OK and goes online when the peer calls; once that has closed, the port listens no more
    (MTS-TCP-07, MTS-TCP-11).
    """
    modem = Sockets()
    modem.listen()
    wire = modem.call()
    assert modem.port.heard() == WAITING
    assert modem.call().isClosed
    wire.say(b"hello")
    assert modem.port.heard() == b"hello"
    modem.type(b"you")
    assert wire.heard() == b"you"
    wire.close()
    assert modem.port.heard() == ETX + CLOSED
    assert modem.call().isClosed


def test_filter() -> None:
    """Only the peer in TCPSERV gets through to a listener; the host hears of no other (MTS-TCP-03, MTS-TCP-08)."""
    modem = Sockets()
    modem.listen("127.0.2.77")
    assert modem.call("127.0.2.99").isClosed
    assert modem.port.heard() == b""
    assert not modem.call().isClosed
    assert modem.port.heard() == WAITING


def test_filterByName() -> None:
    """A name can't be the filter of a listener (MTS-TCP-04)."""
    modem = Sockets('AT#TCPSERV=1,"server.domain.com"')
    assert modem.say("AT#LTCPSTART=1") == failed(36929)


def test_stop() -> None:
    """AT#LTCPSTOP leaves the port before a peer has called (MTS-TCP-09)."""
    modem = Sockets()
    modem.listen()
    assert modem.say("AT#LTCPSTOP=2") == OK
    assert modem.call().isClosed
    assert modem.port.heard() == b""
    modem.open()


@pytest.mark.parametrize("dleMode", [0, 1])
def test_abort(dleMode: int) -> None:
    """
    An ETX of the host leaves the port before a peer has called, whatever DLEMODE is, and OK answers it; a line that
    was begun is dropped (MTS-TCP-10, MTS-GAP-26).
    """
    modem = Sockets(f"AT#DLEMODE=2,{dleMode}")
    for typed in (ETX, b"AT#VST" + ETX):
        modem.listen()
        assert modem.type(typed) == OK
        assert modem.call().isClosed
        assert modem.isIdle()
    modem.open()


def test_abortAtOnce() -> None:
    """An ETX right behind the command ends the listener too, and what follows it is run (MTS-TCP-10)."""
    modem = Sockets('AT#TCPSERV=2,"255.255.255.255"', "AT#TCPPORT=2,2024")
    modem.say("ATV0")
    assert modem.type(b"AT#LTCPSTART=2\r\x03AT\r") == b"\r0\r" * 3
    assert modem.call().isClosed


def test_abortElsewhere() -> None:
    """Only who listens may end it by an ETX; at another port that is an octet like any other (MTS-TCP-10)."""
    modem = Sockets()
    modem.listen()
    other = modem.memory.port(2)
    assert other.say(b"ATE0\r\x03AT\r") == b"ATE0\r" + OK + OK
    assert not modem.call().isClosed
    assert modem.port.heard() == WAITING


@pytest.mark.parametrize("how", ["stop", "peer", *ENDS])
def test_notToAbort(how: str) -> None:
    """Once nothing waits any more, an ETX at the command line means nothing (MTS-GAP-26)."""
    modem = Sockets()
    modem.listen()
    if how == "peer":
        modem.call().close()
    elif how == "stop":
        modem.say("AT#LTCPSTOP=2")
    else:
        ENDS[how](modem)
    modem.say("AT+WOPEN=1")
    assert modem.isIdle()


def test_oneAtATime() -> None:
    """While a socket waits no other one is opened, and no parameter is written (MTS-TCP-24)."""
    modem = Sockets()
    modem.listen()
    assert modem.say("AT#OTCP=1") == failed(37122)
    assert modem.say("AT#LTCPSTART=1") == failed(37122)
    assert modem.say("AT#TCPPORT=1,5") == failed(37123)


@pytest.mark.parametrize("how", ENDS)
def test_listenerEnds(how: str) -> None:
    """A listener ends with the link, with the stack, and with the power (MTS-TCP-06)."""
    modem = Sockets()
    modem.listen()
    ENDS[how](modem)
    assert modem.call().isClosed


def test_listenerLost() -> None:
    """A host that waits for a peer hears of the loss of the link, without an ETX (MTS-TCP-26)."""
    modem = Sockets()
    modem.listen()
    modem.link.lose(GPRS_LOST)
    assert modem.port.heard() == failed(35841)


def test_busyPort() -> None:
    """A peer that calls while a command runs is told of when that is done, and what it says is kept (MTS-TCP-07)."""
    modem = Sockets()
    modem.listen()
    assert modem.port.say(b"AT+CMGF=1\r") == OK
    modem.port.say(b'AT+CMGW="123"\r')
    wire = modem.call()
    wire.say(b"early")
    assert WAITING not in modem.after(1.0)
    modem.port.say(b"\x1b")
    assert modem.after(0.2).endswith(WAITING + b"early")


def test_unplugged() -> None:
    """A host that unplugs ends the session, and its last octets still reach the peer (MTS-TCP-13)."""
    modem = Sockets(delay=1000)
    wire = modem.open()
    modem.type(b"last")
    modem.port.close()
    assert wire.heard() == b"last"
    assert wire.isClosed
