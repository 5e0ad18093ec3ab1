"""Several connections at once through one AT port in command mode."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionDone

from atrunproto.at.peerlines import Response
from atrunproto.ipeasy.peercommand import LOOK, CommandClientEndpoint, CommandSockets
from atrunproto.ipeasy.peerreading import receive
from atrunproto.testing.contract import End, Pull
from tests.ipeasy.modems import FAR, PORT, Modem, factoryOf


def connected(count: int) -> tuple[Modem, list[End], list[End]]:
    """So many connections: the module, the near ends and the far ones."""
    modem = Modem()
    sockets = CommandSockets(modem.client)
    near, far = [End() for _ in range(count)], [End() for _ in range(count)]
    for number in range(count):
        modem.serve(far[number], port=PORT + number)
        endpoint = CommandClientEndpoint(sockets, number + 1, FAR, PORT + number)
        modem.result(endpoint.connect(factoryOf(near[number])))
    modem.clock.advance(1)
    return modem, near, far


def octets(seed: int, size: int = 100_000) -> bytes:
    """Octets of every kind, with what could be taken for something else in their midst."""
    word = b"\r\nNO CARRIER\r\nOK\r\n+++\r\nSRING: 1\r\n> "
    return Random(seed).randbytes(size // 2) + word + Random(seed + 100).randbytes(size // 2)


def test_six() -> None:
    """Six connections carry 100 kB each way at once through one port, every octet as it was sent (TEL-CMD-01)."""
    modem, near, far = connected(6)
    for number in range(6):
        near[number].write(octets(number))
        far[number].write(octets(number + 50))
    for _ in range(1000):
        modem.clock.advance(0.1)
    for number in range(6):
        assert sha256(far[number].received).digest() == sha256(octets(number)).digest()
        assert sha256(near[number].received).digest() == sha256(octets(number + 50)).digest()
    near[0].transport.loseConnection()
    far[1].transport.loseConnection()
    modem.clock.advance(5)
    assert [len(each.losses) for each in near] == [1, 1, 0, 0, 0, 0]
    assert [len(each.losses) for each in far] == [1, 1, 0, 0, 0, 0]
    assert modem.ask("AT#SS")[:2] == ("#SS: 1,0", "#SS: 2,0")


def test_fair() -> None:
    """A few octets of one connection don't wait for the end of many octets of another."""
    modem, near, far = connected(2)
    asked: list[str] = []
    take = modem.link.peer.write
    modem.link.peer.write = lambda data: (asked.append(data.decode("latin-1")), take(data))[1]  # type: ignore[method-assign, func-returns-value]
    near[0].write(octets(1, 60_000))
    near[1].write(b"short")
    modem.clock.advance(10)
    sends = [line for line in asked if line.startswith("AT#SSENDEXT")]
    assert far[1].received == b"short"
    assert "AT#SSENDEXT=2,5\r" in sends[:2]


def test_heldBack() -> None:
    """A connection that nobody reads holds its far end back at the module, and the others go on."""
    modem, near, far = connected(2)
    near[0].transport.pauseProducing()
    far[0].transport.registerProducer(Pull(far[0], octets(1), 1000), False)
    far[1].write(b"hello")
    modem.clock.advance(5)
    assert (near[0].received, near[1].received) == (b"", b"hello")
    waiting = int(modem.ask("AT#SI=1")[0].split(",")[3])
    assert 0 < waiting < 20_000
    near[0].transport.resumeProducing()
    modem.clock.advance(20)
    assert near[0].received == octets(1)


def test_lostNotice() -> None:
    """Data whose SRING was lost are found when another one comes, or after a while (TEL-CMD-07)."""
    modem, near, far = connected(2)
    modem.link.module.through = lambda data: data.replace(b"SRING: 1", b"")
    far[0].write(b"one")
    modem.clock.advance(5)
    assert near[0].received == b""
    far[1].write(b"two")
    modem.clock.advance(5)
    assert [each.received for each in near] == [b"one", b"two"]
    far[0].write(b"three")
    modem.clock.advance(LOOK)
    assert near[0].received == b"onethree"


def test_inUse() -> None:
    """A socket has one connection at a time; when it has ended there may be another."""
    modem, near, _ = connected(1)
    sockets = CommandSockets(modem.client)
    modem.serve(End(), port=PORT + 9)
    endpoint = CommandClientEndpoint(sockets, 1, FAR, PORT + 9)
    with pytest.raises(ConnectError):
        modem.result(endpoint.connect(factoryOf(End())))
    near[0].transport.loseConnection()
    modem.clock.advance(5)
    assert [each.type for each in near[0].losses] == [ConnectionDone]
    again = End()
    assert modem.result(endpoint.connect(factoryOf(again))) is again
    with pytest.raises(ConnectError):
        modem.result(endpoint.connect(factoryOf(End())))
    modem.link.breakOff()
    modem.clock.advance(1)
    assert len(again.losses) == 1
    with pytest.raises(ConnectError):
        modem.result(endpoint.connect(factoryOf(End())))


def test_emptyRead() -> None:
    """A module that shows a read of nothing, where others answer an error, isn't asked again and again."""

    class Empty:
        """Such a module."""

        def execute(self, line: str, **facts: Any) -> Deferred[Response]:
            """Answer."""
            return succeed(Response(("#SRECV: 1,0",), "OK"))

    client: Any = Empty()
    read: Any = Deferred.fromCoroutine(receive(client, 1))
    assert read.result is None
