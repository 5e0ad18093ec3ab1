"""The six sockets: their settings, their states, and what the settings do to a connection."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectError, TimeoutError
from twisted.internet.protocol import Protocol

from atrunproto.admission import quad
from atrunproto.ipeasy.link import CLOSING
from atrunproto.ipeasy.sockets import Socket
from atrunproto.pacing import Packets
from atrunproto.testing.emulated import MemoryModule, Wire

FACTORY = [f"#SCFG: {connId},{1 if connId <= 3 else 2},300,90,600,50" for connId in range(1, 7)]
EVERYBODY = [("0.0.0.0", "0.0.0.0")]


def ready() -> tuple[MemoryModule, Wire]:
    """A module with an active context, and its first port."""
    emulated = MemoryModule()
    at = emulated.port()
    at.execute('AT+CGDCONT=1,"IP","x"')
    assert at.execute("AT#SGACT=1,1") == ["#SGACT: 127.0.0.1", "OK"]
    return emulated, at


def socketOf(emulated: MemoryModule, connId: int) -> Socket:
    """One of the sockets."""
    found = emulated.module.serviceSocket(connId)
    assert isinstance(found, Socket)
    return found


def listening(emulated: MemoryModule, connId: int = 1, port: int = 2000) -> list[Protocol]:
    """Put a socket in listen; give the list of the protocols of its callers."""
    accepted: list[Protocol] = []
    socket = socketOf(emulated, connId)

    def accept(peer: Any) -> Any:
        accepted.append(Protocol())
        return socket.carry(accepted[-1])

    Deferred.fromCoroutine(socket.listen(port, EVERYBODY, accept, lambda: None))
    return accepted


def test_factory() -> None:
    """The factory values are those of the guide; sockets 4 to 6 are tied to context 2 (TEL-SCF-02)."""
    assert MemoryModule().port().execute("AT#SCFG?") == [*FACTORY, "OK"]


@pytest.mark.parametrize("values", ["2,3,512,30,300,100", "1,1,300,0,600,1", "6,0,1500,65535,1200,255", "1,5,1,0,10,0"])
def test_set(values: str) -> None:
    """One command sets a socket with all its values, which are read back (TEL-SCF-01, TEL-SCF-04, TEL-EXT-15)."""
    at = MemoryModule().port()
    assert at.execute(f"AT#SCFG={values}") == ["OK"]
    assert f"#SCFG: {values}" in at.execute("AT#SCFG?")
    assert len(set(at.execute("AT#SCFG?")) - set(FACTORY)) == 2


def test_defaultPacketSize() -> None:
    """A packet size of 0 is the default (TEL-EXT-15)."""
    at = MemoryModule().port()
    assert at.execute("AT#SCFG=1,1,0,30,300,100;#SCFG?")[0] == "#SCFG: 1,1,300,30,300,100"


@pytest.mark.parametrize(
    "values",
    [
        "7,1,300,90,600,50",
        "0,1,300,90,600,50",
        "1,6,300,90,600,50",
        "1,1,9999,90,600,50",
        "1,1,1501,90,600,50",
        "1,1,300,65536,600,50",
        "1,1,300,90,9,50",
        "1,1,300,90,1201,50",
        "1,1,300,90,600,256",
        "1,1,300,90,600",
        "1,1,300,90,600,50,1",
        "1",
        "",
    ],
)
def test_wrongValues(values: str) -> None:
    """A wrong parameter is an error, and nothing changes (TEL-SCF-05)."""
    at = MemoryModule().port()
    assert at.execute(f"AT#SCFG={values}") == ["ERROR"]
    assert at.execute("AT#SCFG?") == [*FACTORY, "OK"]


def test_oldCommands() -> None:
    """What the four old commands set, each for the socket of its instance, #SCFG sets at once (TEL-SCF-09)."""
    emulated = MemoryModule("GE865-QUAD")
    one, three = emulated.port(1), emulated.port(3)
    assert one.execute("AT#PKTSZ=512;#SKTTO=30;#SKTCT=300;#DSTO=100") == ["OK"]
    assert three.execute("AT#PKTSZ=0;#SKTTO=0;#DSTO=0") == ["OK"]
    assert one.execute("AT#SCFG?")[:3] == ["#SCFG: 1,1,512,30,300,100", FACTORY[1], "#SCFG: 3,1,300,0,600,0"]
    assert one.execute("AT#PKTSZ?;#SKTTO?;#SKTCT?;#DSTO?") == [
        "#PKTSZ: 512",
        "#SKTTO: 30",
        "#SKTCT: 300",
        "#DSTO: 100",
        "OK",
    ]
    for bad in ("#PKTSZ=1501", "#SKTTO=65536", "#SKTCT=9", "#DSTO=256"):
        assert one.execute(f"AT{bad}") == ["ERROR"]


def test_notWhileConnected() -> None:
    """A socket at work can't be changed, the others can (TEL-SCF-06)."""
    emulated, at = ready()
    listening(emulated)
    assert at.execute("AT#SCFG=1,2,300,90,600,50") == ["ERROR"]
    wire = emulated.call(2000)
    assert at.execute("AT#SCFG=1,1,500,90,600,50") == ["ERROR"]
    assert at.execute("AT#SCFG=2,1,500,90,600,50") == ["OK"]
    wire.close()
    assert at.execute("AT#SCFG=1,1,500,90,600,50") == ["OK"]


def test_kept() -> None:
    """The settings are kept over power-off (TEL-SCF-10)."""
    emulated = MemoryModule()
    at = emulated.port()
    at.execute("AT#SCFG=2,3,512,30,300,100")
    emulated.module.powerOff()
    emulated.switchOn()
    assert at.execute("AT#SCFG?")[1] == "#SCFG: 2,3,512,30,300,100"


def test_status() -> None:
    """#SS lists all six, or one; a closed socket is shown by its state alone (TEL-SS-01, TEL-SS-02, TEL-SS-03)."""
    emulated, at = ready()
    assert at.execute("AT#SS") == [*(f"#SS: {connId},0" for connId in range(1, 7)), "OK"]
    assert at.execute("AT#SS=5") == ["#SS: 5,0", "OK"]
    for bad in ("0", "7", "1,1"):
        assert at.execute(f"AT#SS={bad}") == ["ERROR"]
    listening(emulated, 3)
    assert at.execute("AT#SS")[2:4] == ["#SS: 3,4,127.0.0.1,2000", "#SS: 4,0"]


def test_listeningAndActive() -> None:
    """A listening socket shows its own end, a connected one both, and it listens again after (TEL-SS-02, TEL-SS-07)."""
    emulated, at = ready()
    listening(emulated, 2)
    assert at.execute("AT#SS=2") == ["#SS: 2,4,127.0.0.1,2000", "OK"]
    wire = emulated.call(2000, source="127.0.0.50")
    assert at.execute("AT#SS=2") == ["#SS: 2,1,127.0.0.1,2000,127.0.0.50,40001", "OK"]
    wire.close()
    assert at.execute("AT#SS=2") == ["#SS: 2,4,127.0.0.1,2000", "OK"]


def test_idle() -> None:
    """maxTo is in seconds: a socket without traffic is closed after it, 0 means never (TEL-SCF-03, TEL-SCF-12)."""
    emulated, at = ready()
    at.execute("AT#SCFG=1,1,300,30,300,100")
    at.execute("AT#SCFG=2,1,300,0,300,100")
    listening(emulated, 1, 2000)
    listening(emulated, 2, 2001)
    first, second = emulated.call(2000), emulated.call(2001)
    emulated.advance(20)
    first.say(b"x")
    emulated.advance(29.9)
    assert at.execute("AT#SS=1")[0].startswith("#SS: 1,1,")
    emulated.advance(0.1)
    assert first.isClosed
    emulated.advance(1_000_000)
    assert second.say(b"x") == b""
    assert at.execute("AT#SS=2")[0].startswith("#SS: 2,1,")


def test_connectionTimeout() -> None:
    """connTo is in tenths of a second: an attempt without an answer fails after it (TEL-SCF-03, TEL-SCF-13)."""
    emulated, at = ready()
    at.execute("AT#SCFG=1,1,300,30,300,100")
    emulated.clock.unreachable.add("127.0.0.99")
    attempt = Deferred.fromCoroutine(socketOf(emulated, 1).dial("127.0.0.99", 80, Protocol()))
    failures: list[Any] = []
    attempt.addErrback(failures.append)
    emulated.advance(29.9)
    assert failures == []
    assert at.execute("AT#SCFG=1,1,300,30,400,100") == ["ERROR"]
    emulated.advance(0.1)
    assert failures[0].check(TimeoutError)
    assert socketOf(emulated, 1).isFree


def test_transmissionTimeout() -> None:
    """txTo is in tenths of a second: a short packet leaves after it, a full one at once (TEL-SCF-03, TEL-SCF-11)."""
    emulated, at = ready()
    at.execute("AT#SCFG=1,1,10,0,300,100")
    accepted = listening(emulated)
    wire = emulated.call(2000)
    (above,) = accepted
    assert above.transport is not None
    above.transport.write(b"1234567")
    emulated.advance(9.9)
    assert wire.heard() == b""
    emulated.advance(0.1)
    assert wire.heard() == b"1234567"
    above.transport.write(b"abcdefg")
    emulated.advance(5)
    above.transport.write(b"hij+kl")
    assert wire.heard() == b"abcdefghij"
    emulated.advance(9.9)
    assert wire.heard() == b""
    emulated.advance(0.2)
    assert wire.heard() == b"+kl"
    above.transport.write(b"last")
    above.transport.loseConnection()
    emulated.advance(0)
    assert wire.heard() == b"last"
    assert wire.isClosed


def test_failedAttempts() -> None:
    """A refused attempt, one without a context, and one that is given up leave the socket free."""
    emulated, at = ready()
    failures: list[Any] = []
    socket = socketOf(emulated, 1)
    Deferred.fromCoroutine(socket.dial("127.0.0.5", 80, Protocol())).addErrback(failures.append)
    emulated.advance(0)
    Deferred.fromCoroutine(socketOf(emulated, 4).dial("127.0.0.5", 80, Protocol())).addErrback(failures.append)
    emulated.clock.unreachable.add("127.0.0.5")
    Deferred.fromCoroutine(socket.dial("127.0.0.5", 80, Protocol())).addErrback(failures.append)
    at.execute("AT#SGACT=1,0")
    assert [failure.check(ConnectError) is not None for failure in failures] == [True, True, True]
    assert socket.isFree
    emulated.advance(1000)
    assert at.execute("AT#SS=1") == ["#SS: 1,0", "OK"]


def test_listenWithoutContext() -> None:
    """A socket whose context isn't active can't listen."""
    emulated = MemoryModule()
    failures: list[Any] = []
    coroutine = socketOf(emulated, 1).listen(2000, EVERYBODY, lambda peer: None, lambda: None)
    Deferred.fromCoroutine(coroutine).addErrback(failures.append)
    assert failures[0].check(CannotListenError)


def test_peerThatTakesNothing() -> None:
    """A connection whose peer takes nothing any more is gone some seconds after its close at the latest."""
    emulated, _ = ready()
    accepted = listening(emulated)
    wire = emulated.call(2000)
    wire.link.module.silent = True
    (above,) = accepted
    assert above.transport is not None
    above.transport.write(b"x" * 1000)
    above.transport.loseConnection()
    emulated.advance(CLOSING - 1)
    assert emulated.call(2000).isClosed
    emulated.advance(1)
    wires = [emulated.call(2000)]
    assert [each.isClosed for each in wires] == [False]


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 40))
def test_packetsLoseNothing(pieces: list[bytes], size: int) -> None:
    """Whatever is gathered, packets are full, in order, and with the rest all of it (TEL-SCF-11)."""
    packets = Packets(size, 1.0)
    out: list[bytes] = []
    for piece in pieces:
        out += packets.cut(packets.fill(piece, 0.0))
    assert all(len(packet) == size for packet in out)
    rest = packets.flush()
    assert len(rest) < size
    assert b"".join(out) + rest == b"".join(pieces)
    assert packets.deadline() is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.2.3.4", 0x01020304), ("001.002.003.004", 0x01020304), ("255.255.255.255", 0xFFFFFFFF)],
)
def test_quads(text: str, value: int) -> None:
    """Dotted addresses are read with or without leading zeros."""
    assert quad(text) == value


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.x", "1.2.3.-4", "1.2.3.٤", " 1.2.3.4", "1.2.3.4\n"]
)
def test_noQuads(text: str) -> None:
    """What isn't a dotted address isn't taken for one."""
    assert quad(text) is None
