"""Connections that are suspended and resumed by the program whose they are."""

from __future__ import annotations

import random
from typing import Any

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone

from atrunproto.at.errors import LinkLost, Misuse
from atrunproto.ipeasy.peer import IPEasyClientEndpoint, IPEasyServerEndpoint
from atrunproto.testing.contract import End
from tests.ipeasy.modems import FAR, PORT, Caller, Modem, factoryOf


def dialled(modem: Modem, connId: int) -> tuple[End, End]:
    """A connection: its near end and its far one."""
    near, far = End(), End()
    modem.serve(far, port=PORT + connId)
    modem.result(IPEasyClientEndpoint(modem.client, connId, FAR, PORT + connId).connect(factoryOf(near)))
    modem.clock.advance(1)
    return near, far


def test_otherUse() -> None:
    """While a connection is suspended its AT port serves commands; nothing is lost then (TEL-MSK-06, TEL-MSK-07)."""
    modem = Modem()
    near, far = dialled(modem, 1)
    rung: list[str] = []
    transport = near.transport
    near.write(b"before ")
    suspending = transport.suspend(lambda: rung.append("!"))
    near.write(b"at once ")
    modem.result(suspending)
    assert transport.isSuspended
    assert modem.ask("AT#SS=1")[0].startswith("#SS: 1,2,")
    near.write(b"kept")
    far.write(b"waiting")
    modem.clock.advance(10)
    assert (near.received, far.received, rung) == (b"", b"before ", ["!"])
    assert modem.ask("AT#SS=1")[0].startswith("#SS: 1,3,")
    modem.result(transport.resume())
    modem.clock.advance(2)
    assert (near.received, far.received) == (b"waiting", b"before at once kept")
    assert near.transport is transport
    assert near.losses == far.losses == []
    near.transport.loseConnection()
    modem.clock.advance(10)
    assert [each.type for each in near.losses] == [ConnectionDone]


def test_alternate() -> None:
    """Two connections take turns on one AT port (TEL-MSK-08)."""
    modem = Modem()
    ends = [dialled(modem, 1)]
    modem.result(ends[0][0].transport.suspend())
    ends.append(dialled(modem, 2))
    modem.result(ends[1][0].transport.suspend())
    for turn in range(4):
        near, far = ends[turn % 2]
        near.write(b"%d" % turn)
        far.write(b"%d" % turn)
        modem.result(near.transport.resume())
        modem.clock.advance(1)
        modem.result(near.transport.suspend())
    for number, (near, far) in enumerate(ends):
        assert near.received == far.received == b"%d%d" % (number, number + 2)
    for near, far in ends:
        near.transport.loseConnection()
        modem.clock.advance(1)
        assert (len(near.losses), len(far.losses)) == (1, 1)
    assert modem.ask("AT#SS")[:2] == ("#SS: 1,0", "#SS: 2,0")


@pytest.mark.parametrize("mode", [1, 2])
def test_whoseEnd(mode: int) -> None:
    """Where the module tells which connection has ended, its own end alone rings, and fails no command of another."""
    modem = Modem()
    for connId in 1, 2:
        modem.ask(f"AT#SCFGEXT2={connId},0,0,0,0,{mode}")
    rung: list[int] = []
    ends = [dialled(modem, 1)]
    modem.result(ends[0][0].transport.suspend(lambda: rung.append(1)))
    ends.append(dialled(modem, 2))
    modem.result(ends[1][0].transport.suspend(lambda: rung.append(2)))
    resuming = ends[1][0].transport.resume()
    ends[0][1].transport.loseConnection()
    modem.result(resuming)
    modem.result(ends[1][0].transport.suspend(lambda: rung.append(2)))
    modem.clock.advance(5)
    assert rung == [1]
    assert ends[1][0].losses == []


def test_resumeGivenUp() -> None:
    """A connection whose resumption is given up is closed, and the program is told."""
    modem = Modem()
    near, far = dialled(modem, 1)
    modem.result(near.transport.suspend())
    resuming = near.transport.resume()
    resuming.addErrback(lambda failure: failure.trap(CancelledError))
    resuming.cancel()
    modem.clock.advance(60)
    assert (len(near.losses), len(far.losses)) == (1, 1)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


def test_portLostWhileReading() -> None:
    """A port that is lost while the rest of a connection is read ends that too."""
    modem = Modem()
    near, far = dialled(modem, 1)
    modem.result(near.transport.suspend())
    far.write(b"last" * 1000)
    far.transport.loseConnection()
    modem.clock.advance(5)
    transport, heard = near.transport, near.dataReceived

    def dataReceived(data: bytes) -> None:
        heard(data)
        modem.link.breakOff()

    near.dataReceived = dataReceived  # type: ignore[method-assign]
    with pytest.raises((ConnectionDone, LinkLost)):
        modem.result(transport.resume())
    modem.clock.advance(5)
    assert len(near.losses) == 1


@pytest.mark.parametrize("seed", range(3))
def test_dice(seed: int) -> None:
    """Whenever a connection is suspended and resumed, no octet is lost, doubled or out of order."""
    dice = random.Random(seed)
    modem = Modem()
    near, far = dialled(modem, 1)
    up, down = b"", b""
    for _ in range(60):
        data = dice.randbytes(dice.choice([1, 500, 5000]))
        if dice.random() < 0.5:
            near.write(data)
            up += data
        else:
            far.write(data)
            down += data
        if dice.random() < 0.4:
            transport = near.transport
            modem.result(transport.resume() if transport.isSuspended else transport.suspend())
        modem.clock.advance(dice.choice([0, 0.1, 3]))
    if near.transport.isSuspended:
        modem.result(near.transport.resume())
    modem.clock.advance(60)
    assert near.received == down
    assert far.received == up


def test_accepted() -> None:
    """A connection that was accepted is suspended and resumed like one that was dialled."""
    modem, near, far = Modem(), End(), End()
    server = IPEasyServerEndpoint(modem.client, 1, PORT, admitted=[("127.0.0.0", "255.0.0.0")])
    address = modem.result(server.listen(factoryOf(near))).getHost()
    modem.clock.connectTCP(address.host, address.port, Caller(far))
    modem.clock.advance(2)
    modem.result(near.transport.suspend())
    far.write(b"waiting")
    assert modem.ask("AT+CGMI")
    modem.result(near.transport.resume())
    modem.clock.advance(1)
    assert near.received == b"waiting"


def test_farCloses() -> None:
    """What a far end has sent before it closes a suspended connection is still read (TEL-MSK-07)."""
    modem = Modem()
    near, far = dialled(modem, 1)
    rung: list[str] = []
    modem.result(near.transport.suspend(lambda: rung.append("!")))
    far.write(b"last" * 1000)
    far.transport.loseConnection()
    modem.clock.advance(5)
    assert len(rung) == 2
    assert near.losses == []
    with pytest.raises(ConnectionDone):
        modem.result(near.transport.resume())
    modem.clock.advance(5)
    assert near.received == b"last" * 1000
    assert [each.type for each in near.losses] == [ConnectionDone]
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_closedSuspended(how: str) -> None:
    """A suspended connection can be closed without going online again."""
    modem = Modem()
    near, far = dialled(modem, 1)
    modem.result(near.transport.suspend())
    getattr(near.transport, how)()
    modem.clock.advance(1)
    assert (len(near.losses), len(far.losses)) == (1, 1)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)
    with pytest.raises(Misuse):
        modem.result(near.transport.resume())


def test_closedWithData() -> None:
    """What was written to a suspended connection before it is closed is sent when it is resumed, then it closes."""
    modem = Modem()
    near, far = dialled(modem, 1)
    modem.result(near.transport.suspend())
    near.write(b"last words")
    near.transport.loseConnection()
    modem.clock.advance(10)
    assert near.losses == []
    modem.result(near.transport.resume())
    modem.clock.advance(10)
    assert (far.received, len(near.losses), len(far.losses)) == (b"last words", 1, 1)


def test_closedOnTheWay() -> None:
    """A connection that either side closes while it is being suspended is closed, and the program is told."""
    for close in (lambda near, far: near.transport.loseConnection(), lambda near, far: far.transport.loseConnection()):
        modem = Modem()
        near, far = dialled(modem, 1)
        suspending = near.transport.suspend()
        close(near, far)
        with pytest.raises(ConnectionDone):
            modem.result(suspending)
        modem.clock.advance(5)
        assert (len(near.losses), len(far.losses)) == (1, 1)
        assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


def test_portLost() -> None:
    """A suspended connection is lost with its AT port."""
    modem = Modem()
    near, _ = dialled(modem, 1)
    modem.result(near.transport.suspend())
    modem.link.breakOff()
    modem.clock.advance(1)
    assert len(near.losses) == 1


def test_misuse() -> None:
    """What isn't online can't be suspended, and what isn't suspended can't be resumed."""
    modem = Modem()
    near, _ = dialled(modem, 1)
    transport = near.transport
    with pytest.raises(Misuse):
        modem.result(transport.resume())
    suspending = transport.suspend()
    with pytest.raises(Misuse):
        modem.result(transport.suspend())
    modem.result(suspending)
    with pytest.raises(Misuse):
        modem.result(transport.suspend())


class Counting:
    """A push producer that knows whether it may produce."""

    def __init__(self) -> None:
        self.isPaused = False

    def pauseProducing(self) -> None:
        """Stop."""
        self.isPaused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self.isPaused = False

    def stopProducing(self) -> None:
        """End."""


def test_producer() -> None:
    """A push producer is paused as long as its connection is suspended, so that nothing piles up."""
    modem = Modem()
    near, _ = dialled(modem, 1)
    producer: Any = Counting()
    near.transport.registerProducer(producer, True)
    modem.result(near.transport.suspend())
    assert producer.isPaused
    near.write(b"x")
    modem.clock.advance(1)
    assert producer.isPaused
    modem.result(near.transport.resume())
    modem.clock.advance(1)
    assert not producer.isPaused
    near.transport.unregisterProducer()
    modem.result(near.transport.suspend())
    later: Any = Counting()
    near.transport.registerProducer(later, True)
    assert later.isPaused
