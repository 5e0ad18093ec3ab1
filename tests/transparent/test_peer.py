"""The sockets of a Multi-Tech modem as endpoints, on an emulated one and on what the guide prints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import (
    CannotListenError,
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    DNSLookupError,
    NoProtocol,
)
from twisted.internet.interfaces import IListeningPort
from zope.interface.verify import verifyObject

from atrunproto.at.errors import ATError, CommandTimeout, LinkLost, Misuse
from atrunproto.at.peeronline import SILENCE
from atrunproto.multitech.errors import GPRS_LOST
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.peererrors import ConnectionEnded
from atrunproto.multitech.peerparameters import PAUSE
from atrunproto.multitech.stack import State
from atrunproto.testing.contract import End
from atrunproto.testing.emulated import DatagramWire
from atrunproto.transparent.peer import (
    CONNECT_WAIT,
    DLEClientEndpoint,
    DLEServerEndpoint,
    UDPClientEndpoint,
    UDPServerEndpoint,
)
from tests.at.fakes import pieces
from tests.ipeasy.modems import FAR, PORT, Caller, factoryOf
from tests.multitech.hosts import Host, Scripted

OPEN = ("AT+WOPEN=1", 'AT#APNSERV="internet"', "AT#TCPTXDELAY=1,0", "AT#TCPTXDELAY=2,0")
START = "AT#CONNECTIONSTART"
WAITING = "\r\nOk_Info_WaitingForData\r\n"
CLOSED = "\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
STRANGER = "127.0.0.99"
FORMS = [(WAITING, CLOSED), (f"AT#OTCP=1\r{WAITING}", CLOSED), ("\r1028\r", "\r3074\r\r0\r")]
"""How a connection begins and ends: in words, behind an echo, in numbers."""


def connected(*lines: str, **facts: Any) -> Host:
    """A host whose modem is connected to the network."""
    return Host(*OPEN, *lines, START, **facts)


def joined(host: Host, socket: int = 1) -> tuple[End, End]:
    """A connection that the modem has opened: its near end and its far one."""
    near, far = End(), End()
    host.memory.clock.listenTCP(PORT, factoryOf(far), interface=FAR)
    host.do(result(DLEClientEndpoint(host.modem, socket, FAR, PORT).connect(factoryOf(near))))
    host.clock.advance(1)
    return near, far


async def result(waiting: Deferred[Any]) -> Any:
    """What a Deferred comes to."""
    return await waiting


def call(host: Host, address: str = FAR, port: int = PORT) -> End:
    """Somebody who calls the modem from an address."""
    caller = End()
    own = host.do(host.modem.addresses()).own
    host.clock.connectTCP(own, port, Caller(caller), bindAddress=(address, 0))
    host.clock.advance(1)
    return caller


def datagrams(host: Host, port: int) -> DatagramWire:
    """A UDP port of the far host."""
    wire = DatagramWire(host.clock)
    host.clock.listenUDP(port, wire, interface=FAR)
    return wire


class Pausing(End):
    """Wants to hear no more with each thing that it hears."""

    def dataReceived(self, data: bytes) -> None:
        """Take it, and pause."""
        super().dataReceived(data)
        self.transport.pauseProducing()


class Talk:
    """A connection of a modem that a test writes by hand."""

    def __init__(self, near: End | None = None) -> None:
        self.modem = Scripted({"AT#DLEMODE=1": "#DLEMODE: 1,1\r\n\r\nOK\r\n", "AT#OTCP=1": WAITING})
        self.modem.answers["AT#TCPSERV=1"] = f'#TCPSERV: 1,"{FAR}"\r\n\r\nOK\r\n'
        self.modem.answers["AT#TCPPORT=1"] = f"#TCPPORT: 1,{PORT}\r\n\r\nOK\r\n"
        self.near = near or End()

    def connect(self) -> Any:
        """Open it."""
        return self.modem.do(result(self.connecting()))

    def connecting(self) -> Deferred[Any]:
        """Begin to open it."""
        return DLEClientEndpoint(self.modem.modem, 1, FAR, PORT).connect(factoryOf(self.near))

    def said(self) -> bytes:
        """What the host has said over it."""
        said: bytes = self.modem.transport.value()
        self.modem.transport.clear()
        return said

    def comes(self, *pieces: str) -> None:
        """The modem says something, and time passes."""
        for piece in pieces:
            self.modem.comes(piece)
        self.modem.clock.advance(1)


# -- connecting


@pytest.mark.parametrize("socket", [1, 2])
def test_parameters(socket: int) -> None:
    """
    Each socket is set before it is used, each write after its pause, and what is set already isn't written.

    MTS-TCP-01, MTS-TCP-02, MTS-TCP-03, MTS-TCP-12, MTS-TCP-22, MTS-PAR-13, MTS-GAP-61.
    """
    host = connected(f"AT#DLEMODE={socket},0", pause=PAUSE)
    host.memory.clock.listenTCP(PORT, factoryOf(End(), End()), interface=FAR)
    endpoint = DLEClientEndpoint(host.modem, socket, FAR, PORT, delay=40)
    for writes in (4, 0):
        near, begun = End(), host.clock.seconds()
        host.do(result(endpoint.connect(factoryOf(near))))
        assert writes * PAUSE <= host.clock.seconds() - begun < writes * PAUSE + 1
        near.transport.loseConnection()
        host.clock.advance(5)
        assert host.do(host.modem.showSocket(socket)) == {
            ("DLEMODE", socket): 1,
            ("TCPSERV", socket): FAR,
            ("TCPPORT", socket): PORT,
            ("TCPTXDELAY", socket): 40,
        }


def test_addresses() -> None:
    """Who is connected is the host that was asked for."""
    near, _ = joined(connected())
    peer = near.transport.getPeer()
    assert (peer.hostname, peer.port) == (FAR.encode(), PORT)


@pytest.mark.parametrize(
    ("server", "port", "kind"),
    [
        ("nowhere.invalid", PORT, DNSLookupError),
        (FAR, PORT, ConnectError),
        (FAR, 0, ConnectError),
        (FAR, 65536, ConnectError),
        ("255.255.255.255", PORT, ConnectError),
        ('a"b', PORT, ConnectError),
    ],
)
def test_noConnection(server: str, port: int, kind: type[Exception]) -> None:
    """
    What can't be connected to is told in the terms of Twisted, and the port is free again.

    MTS-TCP-21, MTS-DNS-03, MTS-GAP-36, MTS-GAP-56.
    """
    host = connected()
    with pytest.raises(kind) as raised:
        host.do(result(DLEClientEndpoint(host.modem, 1, server, port).connect(factoryOf(End()))))
    assert isinstance(raised.value.__cause__, ATError)
    assert joined(host)[0].losses == []


def test_noNetwork() -> None:
    """A modem that isn't connected says so (MTS-ERR-11)."""
    host = Host(*OPEN)
    with pytest.raises(ConnectError, match="there is no connection"):
        host.do(result(DLEClientEndpoint(host.modem, 1, FAR, PORT).connect(factoryOf(End()))))


def test_unwanted() -> None:
    """A factory that wants no connection gets none, and the far end sees it closed."""
    host, far = connected(), End()
    host.memory.clock.listenTCP(PORT, factoryOf(far), interface=FAR)
    factory = factoryOf()
    factory.buildProtocol = lambda _: None  # type: ignore[method-assign, assignment]
    with pytest.raises(NoProtocol):
        host.do(result(DLEClientEndpoint(host.modem, 1, FAR, PORT).connect(factory)))
    host.clock.advance(5)
    assert len(far.losses) == 1
    assert factory.numPorts == 0
    host.execute("AT#VSTATE")


def test_cancelled() -> None:
    """An attempt that is given up is closed when the modem comes back with its connection."""
    talk = Talk()
    talk.modem.answers["AT#OTCP=1"] = ""
    connecting = talk.connecting()
    talk.modem.run()
    connecting.addErrback(lambda failure: failure.trap(CancelledError) and None)
    connecting.cancel()
    talk.comes(WAITING)
    assert talk.said() == b"\x03"
    talk.comes("\x03" + CLOSED)
    talk.modem.do(talk.modem.modem.execute("AT#VDNS"))
    assert talk.near.transport is None


def test_late() -> None:
    """A connection that comes after the time for it is over is closed, and the line serves again."""
    talk = Talk()
    talk.modem.answers["AT#OTCP=1"] = ""
    with pytest.raises(ConnectError) as raised:
        talk.modem.do(result(talk.connecting()), CONNECT_WAIT + 1)
    assert isinstance(raised.value.__cause__, CommandTimeout)
    later = talk.modem.client.execute("AT#VDNS")
    assert talk.said() == b"\x1bAT\r"
    talk.comes(WAITING)
    assert talk.said() == b"\x03"
    talk.modem.answers["\x1bAT"] = "\r\nOK\r\n"
    talk.comes("\x03" + CLOSED)
    talk.modem.do(result(later))


# -- the end


def test_close() -> None:
    """The host's end is told, and the modem's result awaited, before the next command goes (MTS-TCP-17)."""
    talk = Talk()
    talk.connect()
    talk.near.write(b"\x03\x10")
    talk.near.transport.loseConnection()
    talk.comes()
    assert talk.said() == b"\x10\x03\x10\x10\x03"
    talk.modem.client.execute("AT#VDNS")
    talk.comes("\x03" + CLOSED[:20])
    assert (talk.said(), talk.near.losses) == (b"", [])
    talk.comes(CLOSED[20:])
    assert [each.type for each in talk.near.losses] == [ConnectionDone]
    assert talk.said() == b"AT#VDNS\r"


@pytest.mark.parametrize("echo", ["", "\x03"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (CLOSED, ConnectionDone),
        ("\r\nOK\r\n", ConnectionDone),
        ("\r3074\r\r0\r", ConnectionDone),
        ("\r0\r", ConnectionDone),
        ("\r#CME ERROR: 38018\r\n", ConnectionLost),
        ("\r\n#CME ERROR : 38018\r\n", ConnectionLost),
    ],
)
def test_endUnechoed(echo: str, answer: str, kind: type[Exception]) -> None:
    """The end that the host sends is echoed or not, and followed by one message or two (MTS-GAP-28, MTS-GAP-54)."""
    talk = Talk()
    talk.connect()
    talk.near.transport.loseConnection()
    talk.comes()
    # it was on its way when the host closed, and ends as a result does
    talk.modem.comes("data\r\nOK\r\n")
    talk.modem.clock.advance(SILENCE / 2)
    talk.comes("more", echo + answer)
    talk.modem.clock.advance(SILENCE)
    assert [each.type for each in talk.near.losses] == [kind]
    assert talk.near.received == b""
    talk.said()
    talk.modem.client.execute("AT#VDNS")
    assert talk.said() == b"AT#VDNS\r"


@pytest.mark.parametrize("answer", [CLOSED, "\r\nOK_Info_SocketClosed\r\n\r\nOK\r\n", "\r3074\r\r0\r", "\r\nOK\r\n"])
def test_farCloses(answer: str) -> None:
    """The peer's end comes as ETX, and a message in any spelling (MTS-TCP-18, MTS-GAP-07, MTS-GAP-28)."""
    talk = Talk()
    talk.connect()
    talk.comes("bye\x10\x03\x10\x10\x03" + answer)
    assert talk.near.received == b"bye\x03\x10"
    assert [each.type for each in talk.near.losses] == [ConnectionDone]


def test_farClosesByError() -> None:
    """Where the modem reports the peer's close as an error, it is a close all the same (MTS-GAP-30)."""
    talk = Talk()
    talk.connect()
    talk.comes("\x03\r#CME ERROR: 37966\r\n")
    assert [each.type for each in talk.near.losses] == [ConnectionDone]


def test_error() -> None:
    """An error in a session is why the connection was lost (MTS-TCP-20)."""
    host = connected()
    near, far = joined(host)
    far.transport.abortConnection()
    host.clock.advance(1)
    (loss,) = near.losses
    assert loss.type is ConnectionLost
    assert "data could not be sent" in str(loss.value)


def test_networkLost() -> None:
    """The loss of the network ends the connection, and is told to who listens for it as well (MTS-TCP-26)."""
    host, ends = connected(), list[ConnectionEnded]()
    host.modem.onEnd(ends.append)
    near, _ = joined(host)
    host.memory.module.network.setService(False)
    host.clock.advance(5)
    (loss,) = near.losses
    assert loss.value is not None
    assert isinstance(loss.value.__cause__, ConnectionEnded)
    assert [each.reason for each in ends] == [GPRS_LOST]


def test_lineLost() -> None:
    """Where the line to the modem breaks, that is why."""
    host = connected()
    near, _ = joined(host)
    host.link.breakOff()
    host.clock.advance(1)
    assert [each.type for each in near.losses] == [LinkLost]


def test_silentModem() -> None:
    """A modem that gives no result after the end is given up, and looked for before the next command."""
    talk = Talk()
    talk.connect()
    talk.near.transport.loseConnection()
    talk.comes()
    talk.modem.clock.advance(60)
    talk.said()
    assert [each.type for each in talk.near.losses] == [CommandTimeout]
    talk.modem.client.execute("AT#VDNS")
    assert talk.said() == b"\x1bAT\r"


def test_abort() -> None:
    """An abort tells the protocol at once; what it had written is dropped, and the modem told the end."""
    talk = Talk()
    talk.connect()
    talk.near.transport.abortConnection()
    talk.comes()
    assert talk.said() == b"\x03"
    assert [each.type for each in talk.near.losses] == [ConnectionAborted]
    talk.comes("late", "\x03" + CLOSED)
    assert (talk.near.received, len(talk.near.losses)) == (b"", 1)


def test_commandsWait() -> None:
    """What is asked of the modem while a connection has its port is asked afterwards (MTS-SER-13)."""
    host = connected()
    near, far = joined(host)
    states: list[State] = []
    Deferred.fromCoroutine(host.modem.state()).addCallback(states.append)
    host.clock.advance(10)
    assert (states, far.received) == ([], b"")
    far.transport.loseConnection()
    host.clock.advance(10)
    assert (states, len(near.losses)) == ([State.CONNECTED], 1)


def test_endWhilePaused() -> None:
    """A protocol that has paused its transport at the end keeps the result from nobody, and gets what it was sent."""
    talk = Talk(Pausing())
    talk.connect()
    talk.comes("one", "two\x03")
    assert (talk.near.received, talk.modem.transport.producerState) == (b"one", "producing")
    talk.comes(CLOSED)
    assert (talk.near.received, len(talk.near.losses)) == (b"onetwo", 1)


# -- listening


def test_listen() -> None:
    """One caller after the other is served by one endpoint, each by a new listener (MTS-TCP-07, MTS-TCP-11)."""
    host, ends = connected(), [End(), End()]
    port = host.do(result(DLEServerEndpoint(host.modem, 1, PORT).listen(factoryOf(*ends))))
    assert verifyObject(IListeningPort, port)
    for near in ends:
        far = call(host)
        far.write(b"hello")
        near.write(b"welcome")
        host.clock.advance(1)
        assert (near.received, far.received) == (b"hello", b"welcome")
        far.transport.loseConnection()
        host.clock.advance(5)
        assert [each.type for each in near.losses] == [ConnectionDone]
    host.do(result(port.stopListening()))
    assert call(host).transport is None


def test_admitted() -> None:
    """Only the peer that is admitted gets a connection (MTS-TCP-04, MTS-TCP-08)."""
    host, near = connected(), End()
    host.do(result(DLEServerEndpoint(host.modem, 1, PORT, admitted=FAR).listen(factoryOf(near))))
    assert len(call(host, STRANGER).losses) == 1
    assert call(host).losses == []
    assert near.transport.getPeer().hostname == FAR.encode()


def test_stop() -> None:
    """A port that is stopped lets the modem wait no longer; a connection lives on (MTS-TCP-09)."""
    host, near = connected(), End()
    factory = factoryOf(near)
    port = host.do(result(DLEServerEndpoint(host.modem, 1, PORT).listen(factory)))
    far = call(host)
    for _ in range(2):
        host.do(result(port.stopListening()))
    far.write(b"still here")
    host.clock.advance(1)
    assert near.received == b"still here"
    far.transport.loseConnection()
    host.clock.advance(5)
    assert factory.numPorts == 0
    # nothing waits, so that another service may begin
    assert joined(host)[0].losses == []


@pytest.mark.parametrize(
    ("lines", "admitted"), [(("AT#LTCPSTART=2",), "255.255.255.255"), ((), "peer.example"), ((), "not an address")]
)
def test_cannotListen(lines: tuple[str, ...], admitted: str) -> None:
    """A modem that can't listen says why (MTS-TCP-04, MTS-ERR-19)."""
    host = connected("AT#TCPPORT=2,7001", 'AT#TCPSERV=2,"255.255.255.255"')
    for line in lines:
        host.execute(line)
    with pytest.raises(CannotListenError):
        host.do(result(DLEServerEndpoint(host.modem, 1, PORT, admitted).listen(factoryOf())))


def test_networkLostWhileListening() -> None:
    """A listener is over when the network is lost, and the endpoint can listen again after a new connection."""
    host = connected()
    factory = factoryOf(End())
    endpoint = DLEServerEndpoint(host.modem, 1, PORT)
    port = host.do(result(endpoint.listen(factory)))
    host.memory.module.network.setService(False)
    host.clock.advance(5)
    assert factory.numPorts == 0
    host.do(result(port.stopListening()))
    host.memory.module.network.setService(True)
    host.clock.advance(30)
    host.do(host.modem.connect())
    host.do(result(endpoint.listen(factory)))


def test_announcedAlone() -> None:
    """A modem whose only answer to the listen command is the peer's arrival is understood (MTS-GAP-25)."""
    modem = Scripted({"AT#LTCPSTART=1": "", "AT#DISPLAYIP": "\r\nMY IP: 10.0.0.7\r\n\r\nOK\r\n"})
    for line in ("AT#TCPSERV=1", "AT#TCPPORT=1", "AT#DLEMODE=1"):
        name, value = line[3:-2], {"AT#TCPPORT=1": str(PORT), "AT#DLEMODE=1": "1"}.get(line, '"255.255.255.255"')
        modem.answers[line] = f"#{name}: 1,{value}\r\n\r\nOK\r\n"
    near = End()
    listening = DLEServerEndpoint(modem.modem, 1, PORT).listen(factoryOf(near))
    modem.run()
    modem.comes(WAITING + "hello")
    modem.clock.advance(1)
    assert near.received == b"hello"
    port = modem.do(result(listening))
    modem.do(result(port.stopListening()))
    assert "AT#LTCPSTOP=1" not in modem.lines


def test_earlierStack() -> None:
    """The one TCP socket of an earlier stack is used without a number, and UDP as before (MTS-OPEN-08, MTS-GAP-46)."""
    host = Host(OPEN[0], OPEN[1], software="641c", generation=Generation.V2_10)
    host.do(host.modem.connect())
    near, far = joined(host)
    near.write(b"\x03")
    host.clock.advance(1)
    assert far.received == b"\x03"
    near.transport.loseConnection()
    host.clock.advance(5)
    for socket, delay in ((2, None), (1, 20)):
        with pytest.raises(Misuse):
            DLEClientEndpoint(host.modem, socket, FAR, PORT, delay)
    near, wire = End(), datagrams(host, PORT)
    host.do(result(UDPClientEndpoint(host.modem, FAR, PORT, delay=40).connect(factoryOf(near))))
    near.write(b"one")
    host.clock.advance(1)
    assert [data for data, _ in wire.heard] == [b"one"]
    near.transport.loseConnection()
    host.clock.advance(5)
    near = End()
    host.do(result(DLEServerEndpoint(host.modem, 1, PORT).listen(factoryOf(near))))
    call(host).write(b"hello")
    host.clock.advance(1)
    assert near.received == b"hello"


# -- UDP


def test_datagrams() -> None:
    """
    What is written at once is a datagram of its own, and only the peer is heard.

    MTS-UDP-03, MTS-UDP-10, MTS-UDP-12, MTS-UDP-14.
    """
    host, near = connected(), End()
    far = datagrams(host, PORT)
    host.do(result(UDPClientEndpoint(host.modem, FAR, PORT, delay=40).connect(factoryOf(near))))
    for word in (b"one", b"\x03\x10", b"three"):
        near.write(word)
    host.clock.advance(2)
    assert [data for data, _ in far.heard] == [b"one", b"\x03\x10", b"three"]
    _, (address, port) = far.heard[0]
    far.say(b"\x10answer\x03", address, port)
    host.clock.advance(1)
    assert near.received == b"\x10answer\x03"
    near.write(b"last")
    near.transport.loseConnection()
    host.clock.advance(5)
    assert far.heard[-1][0] == b"last"
    assert [each.type for each in near.losses] == [ConnectionDone]


def test_listenForDatagrams() -> None:
    """The first datagram begins a session with its sender, one session after the other (MTS-UDP-06 to MTS-UDP-09)."""
    host, ends = connected(), [End(), End()]
    port = host.do(result(UDPServerEndpoint(host.modem, PORT).listen(factoryOf(*ends))))
    own = host.do(host.modem.addresses()).own
    for near, number in zip(ends, (7001, 7002), strict=True):
        far = datagrams(host, number)
        far.say(b"hello", own, PORT)
        host.clock.advance(1)
        assert near.received == b"hello"
        near.write(b"welcome")
        host.clock.advance(1)
        assert [data for data, _ in far.heard] == [b"welcome"]
        near.transport.loseConnection()
        host.clock.advance(5)
        assert len(near.losses) == 1
    host.do(result(port.stopListening()))
    assert host.do(host.modem.execute("AT#VUDP")).lines[0] == '#UDPSERV: "255.255.255.255"'


def test_unknownPeer() -> None:
    """A name that nobody knows can't be spoken with (MTS-UDP-13)."""
    host = connected()
    with pytest.raises(DNSLookupError):
        host.do(result(UDPClientEndpoint(host.modem, "nowhere.invalid", PORT).connect(factoryOf(End()))))


# -- whatever the stream is cut into


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=6), st.sampled_from(FORMS))
def test_anySplit(data: bytes, cuts: list[int], form: tuple[str, str]) -> None:
    """All octets pass, those that look like results among them, wherever the stream is cut (MTS-TCP-15, MTS-RES-12)."""
    begin, end = form
    talk = Talk()
    talk.modem.answers["AT#OTCP=1"] = ""
    connecting = talk.connecting()
    talk.modem.run()
    coded = data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")
    for piece in pieces(begin.encode() + coded + b"\x03" + end.encode(), cuts):
        talk.modem.client.dataReceived(piece)
    talk.modem.clock.advance(1)
    assert talk.modem.do(result(connecting)) is talk.near
    assert (talk.near.received, [each.type for each in talk.near.losses]) == (data, [ConnectionDone])
