"""UDP of a Multi-Tech modem, at its AT port and at its peers."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.protocol import DatagramProtocol

from atrunproto.at.results import Reason
from atrunproto.multitech.errors import GPRS_LOST, NO_LINK
from atrunproto.testing.emulated import DatagramWire
from tests.multitech.modems import OK, failed
from tests.transparent.links import ADDRESS, CLOSED, ENDS, ETX, LOSSES, SERVER, WAITING, LinkedModem

PORT = 5001
PEER, OTHER = "127.0.2.77", "127.0.2.99"
ANYBODY = "255.255.255.255"
#: octets of the longest datagram, which are fewer than wait in the modem, and how many of them are sent
LONGEST, SENT = 65507, 4


class Peer:
    """Somebody who speaks UDP with the modem."""

    def __init__(self, modem: Datagrams, host: str = SERVER, port: int = PORT) -> None:
        self._wire = DatagramWire(modem.memory.clock)
        modem.memory.clock.listenUDP(port, self._wire, host)
        self.modem = ADDRESS, PORT

    def say(self, data: bytes) -> None:
        """Send the modem a datagram: to where the last one came from, or to the port that it listens at."""
        self._wire.say(data, *self.modem)

    def heard(self) -> list[bytes]:
        """The datagrams that have come since the last time."""
        heard, self._wire.heard = self._wire.heard, []
        if heard:
            self.modem = heard[-1][1]
        return [data for data, _ in heard]


class Datagrams(LinkedModem):
    """A modem with a link that is set up for UDP."""

    def __init__(self, *lines: str, server: str = SERVER, port: int = PORT, delay: int = 0) -> None:
        super().__init__(f'AT#UDPSERV="{server}"', f"AT#UDPPORT={port}", f"AT#UDPTXDELAY={delay}", *lines)

    def open(self) -> Peer:
        """Begin a session with the server, which hears of it."""
        server = Peer(self)
        assert self.say("AT#OUDP") == WAITING
        self.type(b"hello")
        self.after(2)
        assert server.heard() == [b"hello"]
        return server

    def listen(self, server: str = ANYBODY) -> None:
        """Wait for a datagram."""
        assert self.say(f'AT#UDPSERV="{server}"') == OK
        assert self.say("AT#LUDPSTART") == OK

    @property
    def ports(self) -> list[int]:
        """The ports that the modem has open."""
        return [port for host, port in self.memory.clock.datagrams if host == ADDRESS]


def test_bothWays() -> None:
    """
    In data mode the modem passes datagrams on both ways, coded at its port alone, and echoes nothing
    (MTS-UDP-10, MTS-UDP-12, MTS-SER-07).
    """
    modem = Datagrams("ATE1")
    server = Peer(modem)
    assert modem.say("AT#OUDP").endswith(WAITING)
    assert modem.type(b"a\x10\x03b\x10") == b""
    assert modem.type(b"\x10c+++") == b""
    assert server.heard() == [b"a\x03b", b"\x10c+++"]
    server.say(b"x\x03y\x10z")
    assert modem.port.heard() == b"x\x10\x03y\x10\x10z"
    assert modem.after(5) == b""
    assert modem.link.touches == 3


@pytest.mark.parametrize(("host", "port"), [(SERVER, PORT + 1), (OTHER, PORT)])
def test_strangers(host: str, port: int) -> None:
    """A session hears its peer alone, from its own address and port (MTS-UDP-10)."""
    modem = Datagrams()
    server, stranger = modem.open(), Peer(modem, host, port)
    stranger.modem = server.modem
    stranger.say(b"other")
    server.say(b"mine")
    assert modem.port.heard() == b"mine"


def test_hostCloses() -> None:
    """An ETX of the host is echoed, what came before it still leaves, and then the socket is closed (MTS-UDP-11)."""
    modem = Datagrams(delay=1000)
    server = modem.open()
    assert modem.type(b"last\x03AT\r") == ETX + CLOSED
    assert server.heard() == [b"last"]
    assert modem.ports == []
    server.say(b"late")
    assert modem.port.heard() == b""
    assert modem.say("AT#OUDP") == WAITING


@pytest.mark.parametrize("delay", [0, 100, 1000])
def test_boundaries(delay: int) -> None:
    """
    What the host sends within UDPTXDELAY is one datagram; with 0 all goes at once, and 1460 octets never wait
    (MTS-UDP-03, MTS-UDP-14).
    """
    modem = Datagrams(delay=delay)
    server = modem.open()
    modem.type(b"A")
    modem.after(delay / 2000)
    modem.type(b"B")
    assert server.heard() == ([] if delay else [b"A", b"B"])
    modem.after(delay / 1000)
    assert server.heard() == ([b"AB"] if delay else [])
    modem.type(bytes(3000))
    assert [len(data) for data in server.heard()] == [1460, 1460] + ([] if delay else [80])
    modem.after(delay / 1000)
    assert server.heard() == ([bytes(80)] if delay else [])


@pytest.mark.parametrize(("reason", "number"), LOSSES)
def test_linkLost(reason: Reason, number: int) -> None:
    """An error in a session comes behind an ETX (MTS-UDP-13)."""
    modem = Datagrams()
    modem.open()
    modem.link.lose(reason)
    assert modem.port.heard() == ETX + failed(number)
    assert modem.ports == []
    assert modem.say("AT") == OK


@pytest.mark.parametrize(
    ("command", "server", "port", "number"),
    [
        ("OUDP", "nobody.domain.com", PORT, 38027),
        ("OUDP", "", PORT, 36929),
        ("OUDP", SERVER, None, 36929),
        ("OUDP", ANYBODY, PORT, 36929),
        ("LUDPSTART", "nobody.domain.com", PORT, 38027),
        ("LUDPSTART", "", PORT, 36929),
        ("LUDPSTART", SERVER, None, 36929),
    ],
)
def test_notOpened(command: str, server: str, port: int | None, number: int) -> None:
    """
    What keeps a session from being opened is told alone, an unset port or server among it, and another attempt may
    follow (MTS-UDP-01, MTS-UDP-02, MTS-UDP-13, MTS-UDP-14).
    """
    modem = LinkedModem(f'AT#UDPSERV="{server}"', *([] if port is None else [f"AT#UDPPORT={port}"]))
    for _ in range(2):
        assert modem.say(f"AT#{command}") == failed(number)
    assert modem.say("AT#UDPPORT=1") == OK


@pytest.mark.parametrize("command", ["OUDP", "LUDPSTART"])
def test_noLink(command: str) -> None:
    """Without a link no session begins (MTS-UDP-05)."""
    modem = Datagrams()
    modem.link.lose(NO_LINK)
    assert modem.say(f"AT#{command}") == failed(35867)


def test_byName() -> None:
    """The peer may be named (MTS-UDP-02, MTS-DNS-08)."""
    modem = Datagrams(server="server.domain.com")
    modem.open().say(b"welcome")
    assert modem.port.heard() == b"welcome"


@pytest.mark.parametrize("line", ["OUDP=1", "LUDPSTART=1", "LUDPSTOP=1", "OUDP?", "LUDPSTART=?"])
def test_noSocket(line: str) -> None:
    """UDP has no numbers of sockets (MTS-UDP-04)."""
    assert Datagrams().say(f"AT#{line}") == failed(34819)


def test_listener() -> None:
    """
    A listener answers OK; the first datagram, whoever sends it, brings the port online with its sender, and nobody
    else is heard from then on (MTS-UDP-05, MTS-UDP-06, MTS-UDP-08).
    """
    modem = Datagrams()
    modem.listen()
    peer, others = Peer(modem, PEER, 7000), [Peer(modem, PEER, 7001), Peer(modem, OTHER, 7000)]
    peer.say(b"first\x03")
    assert modem.port.heard() == WAITING + b"first\x10\x03"
    for other in others:
        other.say(b"other")
    peer.say(b"second")
    assert modem.port.heard() == b"second"
    modem.type(b"reply")
    assert peer.heard() == [b"reply"]
    assert [other.heard() for other in others] == [[], []]


@pytest.mark.parametrize("server", [SERVER, "server.domain.com"])
def test_filter(server: str) -> None:
    """Only the address in UDPSERV, by number or by name, begins a session; its port then counts too (MTS-UDP-07)."""
    modem = Datagrams()
    modem.listen(server)
    stranger, peer, again = Peer(modem, OTHER, 7000), Peer(modem, SERVER, 7000), Peer(modem, SERVER, 7001)
    stranger.say(b"stranger")
    assert modem.port.heard() == b""
    peer.say(b"first")
    assert modem.port.heard() == WAITING + b"first"
    again.say(b"again")
    stranger.say(b"stranger")
    assert modem.port.heard() == b""
    peer.say(b"second")
    assert modem.port.heard() == b"second"


def test_stop() -> None:
    """
    AT#LUDPSTOP leaves the port before a datagram has come; afterwards it is data, and only ETX ends the session
    (MTS-UDP-09).
    """
    modem = Datagrams()
    modem.listen()
    assert modem.say("AT#LUDPSTOP") == OK
    assert modem.ports == []
    peer = Peer(modem, PEER)
    peer.say(b"early")
    assert modem.port.heard() == b""
    modem.listen()
    peer.say(b"first")
    assert modem.port.heard() == WAITING + b"first"
    assert modem.say("AT#LUDPSTOP") == b""
    assert peer.heard() == [b"AT#LUDPSTOP\r"]
    assert modem.type(ETX) == ETX + CLOSED
    assert modem.ports == []


def test_abort() -> None:
    """An ETX of the host leaves the port before a datagram has come, as it does of TCP (MTS-GAP-26)."""
    modem = Datagrams()
    modem.listen()
    assert modem.type(ETX) == OK
    assert modem.ports == []
    assert modem.isIdle()
    modem.listen()
    Peer(modem, PEER).say(b"first")
    assert modem.type(ETX) == WAITING + b"first" + ETX + CLOSED
    assert modem.isIdle()


def test_oneAtATime() -> None:
    """While UDP waits nothing else is opened, and no parameter is written (MTS-UDP-05)."""
    modem = Datagrams('AT#TCPSERV=1,"127.0.2.23"', "AT#TCPPORT=1,23")
    modem.listen()
    for command in ("OUDP", "LUDPSTART", "OTCP=1", "LTCPSTART=1"):
        assert modem.say(f"AT#{command}") == failed(37122)
    assert modem.say("AT#UDPPORT=5") == failed(37123)


def test_portTaken() -> None:
    """A port that is taken can't be listened at (MTS-UDP-13)."""
    modem = Datagrams()
    modem.memory.clock.listenUDP(PORT, DatagramProtocol(), ADDRESS)
    assert modem.say("AT#LUDPSTART") == failed(38016)
    assert modem.say("AT#UDPPORT=5") == OK


@pytest.mark.parametrize("how", ENDS)
def test_listenerEnds(how: str) -> None:
    """A listener ends with the link, with the stack, and with the power (MTS-UDP-05)."""
    modem = Datagrams()
    modem.listen()
    ENDS[how](modem)
    assert modem.ports == []


def test_listenerLost() -> None:
    """A host that waits for a datagram hears of the loss of the link, without an ETX (MTS-UDP-13)."""
    modem = Datagrams()
    modem.listen()
    modem.link.lose(GPRS_LOST)
    assert modem.port.heard() == failed(35841)


def test_lostWhileBusy() -> None:
    """A host that runs a command while the first datagram comes and the link is lost hears of that (MTS-UDP-13)."""
    modem = Datagrams()
    modem.listen()
    assert modem.port.say(b"AT+CMGF=1\r") == OK
    modem.port.say(b'AT+CMGW="123"\r')
    Peer(modem, PEER).say(b"early")
    modem.link.lose(GPRS_LOST)
    told = modem.port.say(b"\x1b") + modem.after(0.2)
    assert failed(35841) in told
    assert WAITING not in told
    assert modem.ports == []


def test_busyPort() -> None:
    """
    A datagram that comes while a command runs is told of when that is done; as much as the longest datagram is kept
    until then, and no more (MTS-UDP-08).
    """
    modem = Datagrams()
    modem.listen()
    assert modem.port.say(b"AT+CMGF=1\r") == OK
    modem.port.say(b'AT+CMGW="123"\r')
    peer = Peer(modem, PEER)
    peer.say(b"early")
    for _ in range(SENT):
        peer.say(bytes(LONGEST))
    peer.say(b"later")
    assert WAITING not in modem.after(1.0)
    modem.port.say(b"\x1b")
    assert modem.after(0.2).endswith(WAITING + b"early" + bytes(LONGEST) + b"later")


def test_pressure() -> None:
    """Datagrams for a host that stops reading are dropped beyond a bound; those that come later pass (MTS-UDP-10)."""
    modem = Datagrams()
    server = modem.open()
    stuck: Any = modem.port.transport
    stuck.pauseProducing()
    for _ in range(100):
        server.say(bytes(LONGEST))
    stuck.resumeProducing()
    assert LONGEST <= len(modem.after(1)) < 10 * LONGEST
    server.say(b"again")
    assert modem.port.heard() == b"again"


def test_unplugged() -> None:
    """A host that unplugs ends the session, and its last octets still reach the peer (MTS-UDP-11)."""
    modem = Datagrams(delay=1000)
    server = modem.open()
    modem.type(b"last")
    modem.port.close()
    assert server.heard() == [b"last"]
    assert modem.ports == []
