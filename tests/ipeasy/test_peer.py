"""Connections through a module as Twisted endpoints, with an emulated module on the other end."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionDone, DNSLookupError, NoProtocol

from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.ipeasy import peercontexts
from atrunproto.ipeasy.peer import IPEasyClientEndpoint, IPEasyServerEndpoint
from atrunproto.ipeasy.peercontexts import Context
from atrunproto.secret import Secret
from atrunproto.testing.contract import End
from tests.ipeasy.modems import FAR, PORT, Modem, factoryOf

CONTEXT = Context("internet", 1, "user", Secret("hidden"))


def online() -> tuple[Modem, End, End]:
    """A connection: the module, the near end and the far one."""
    modem, near, far = Modem(), End(), End()
    modem.serve(far)
    modem.result(IPEasyClientEndpoint(modem.client, 1, FAR, PORT).connect(factoryOf(near)))
    modem.clock.advance(1)
    return modem, near, far


@pytest.mark.parametrize("pieces", [[b"+++"], [b"+", b"+", b"+"], [b"++", b"+"], [b"+++", b"+++"], [b"x", b"+++"]])
def test_sequenceInData(pieces: list[bytes]) -> None:
    """Data that are the escape sequence, in whatever pieces, arrive like others, and nothing escapes (TEL-SH-04)."""
    modem, near, far = online()
    for piece in pieces:
        near.write(piece)
        modem.clock.advance(0.3)
    modem.clock.advance(10)
    assert (far.received, near.losses) == (b"".join(pieces), [])
    near.transport.loseConnection()
    modem.clock.advance(10)
    assert [each.type for each in near.losses] == [ConnectionDone]
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


def test_closeBehindTheSequence() -> None:
    """A connection that is closed right behind such data still delivers all of them (TEL-SH-04)."""
    modem, near, far = online()
    near.write(b"+++")
    near.transport.loseConnection()
    modem.clock.advance(10)
    assert (far.received, len(far.losses), len(near.losses)) == (b"+++", 1, 1)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


@pytest.mark.parametrize("wait", [0.5, 10.0])
def test_noCarrierInData(wait: float) -> None:
    """Data that look like the end of the connection don't end it, whether more follow soon or not."""
    modem, near, far = online()
    word = b"\r\nNO CARRIER\r\n"
    far.write(word)
    modem.clock.advance(wait)
    far.write(b"more")
    near.write(b"here")
    modem.clock.advance(20)
    assert (near.received, far.received, near.losses) == (word + b"more", b"here", [])


def test_noCarrier() -> None:
    """A connection that the far end closes is lost, and the module is at once there for commands."""
    modem, near, far = online()
    far.write(b"bye")
    far.transport.loseConnection()
    modem.clock.advance(20)
    assert (near.received, [each.type for each in near.losses]) == (b"bye", [ConnectionDone])
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


@pytest.mark.parametrize("mode", [1, 2])
def test_noCarrierOfASocket(mode: int) -> None:
    """A module that tells whose connection has ended (#SCFGEXT2) ends online mode like others."""
    modem, near, far = online()
    modem.result(near.transport.suspend())
    modem.ask(f"AT#SCFGEXT2=1,0,0,0,0,{mode}")
    modem.result(near.transport.resume())
    far.write(b"bye")
    modem.clock.advance(1)
    far.transport.loseConnection()
    modem.clock.advance(20)
    assert (near.received, [each.type for each in near.losses]) == (b"bye", [ConnectionDone])


def test_noAnswerToDialling() -> None:
    """A module that answers a dial too late isn't left with an open connection that nobody has."""
    modem, far = Modem(), End()
    modem.serve(far)
    endpoint = IPEasyClientEndpoint(modem.client, 1, FAR, PORT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atrunproto.ipeasy.peer.DIAL_WAIT", 0.0)
        with pytest.raises(ConnectError):
            modem.result(endpoint.connect(factoryOf(End())))
    modem.clock.advance(60)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


def test_cannotConnect() -> None:
    """What a module can't do fails as with every endpoint of Twisted."""
    modem = Modem()
    endpoint = IPEasyClientEndpoint(modem.client, 1, FAR, PORT)
    with pytest.raises(ConnectError):
        modem.result(endpoint.connect(factoryOf(End())))
    modem.ask("AT+CMEE=1")
    with pytest.raises(DNSLookupError):
        modem.result(IPEasyClientEndpoint(modem.client, 1, "no.where", PORT).connect(factoryOf(End())))
    modem.serve(End())
    refusing = factoryOf()
    refusing.buildProtocol = lambda _: None  # type: ignore[method-assign, assignment]
    with pytest.raises(NoProtocol):
        modem.result(endpoint.connect(refusing))
    with pytest.raises(Misuse):
        IPEasyClientEndpoint(modem.client, 1, 'a"b', PORT)


def test_cancelled() -> None:
    """A connection attempt that is given up leaves no socket behind."""
    modem = Modem()
    modem.emulated.clock.unreachable.add(FAR)
    attempt = IPEasyClientEndpoint(modem.client, 1, FAR, PORT).connect(factoryOf(End()))
    modem.clock.advance(1)
    attempt.cancel()
    with pytest.raises(CancelledError):
        modem.result(attempt)
    modem.clock.advance(300)
    assert modem.ask("AT#SS=1") == ("#SS: 1,0",)


def test_contexts() -> None:
    """A context is defined, activated, shown and deactivated by typed calls (TEL-CON-08)."""
    modem = Modem(isActive=False)

    def run(call: Any) -> Any:
        return modem.result(Deferred.fromCoroutine(call))

    assert not run(peercontexts.isActive(modem.client, 1))
    run(peercontexts.define(modem.client, CONTEXT))
    address = run(peercontexts.activate(modem.client, CONTEXT))
    assert run(peercontexts.isActive(modem.client, 1))
    assert run(peercontexts.address(modem.client, 1)) == address
    run(peercontexts.bringUp(modem.client, CONTEXT))
    with pytest.raises(CommandFailed) as refused:
        run(peercontexts.activate(modem.client, CONTEXT))
    assert "hidden" not in str(refused.value)
    run(peercontexts.deactivate(modem.client, 1))
    assert not run(peercontexts.isActive(modem.client, 1))


@pytest.mark.parametrize("shown", ['#SGACT: "10.1.2.3"', "#SGACT: 10.1.2.3"])
def test_addressInQuotes(shown: str) -> None:
    """The address of a context may stand in quotes or bare (TEL-CON-08)."""
    assert peercontexts.addressIn((shown,), 0) == "10.1.2.3"


def test_twoModules() -> None:
    """Two modules talk to each other: one listens and accepts, one dials (TEL-TWO-01, TEL-TWO-02, TEL-TWO-03, -04)."""
    a = Modem(isActive=False)
    b = Modem(beside=a, isActive=False, imei="357000000000002", number="+393460000002")
    one, two = End(), End()
    admitted = [("127.0.0.0", "255.0.0.0")]
    server = IPEasyServerEndpoint(a.client, 1, 1024, CONTEXT, admitted)
    listening = a.result(server.listen(factoryOf(one, End())))
    host = listening.getHost()
    assert a.ask("AT#SS=1") == (f"#SS: 1,4,{host.host},1024",)
    b.result(IPEasyClientEndpoint(b.client, 2, host.host, host.port, CONTEXT).connect(factoryOf(two)))
    a.clock.advance(5)
    one.write(b"from A")
    two.write(b"from B")
    a.clock.advance(5)
    assert (one.received, two.received) == (b"from B", b"from A")
    two.transport.loseConnection()
    a.clock.advance(20)
    assert len(one.losses) == len(two.losses) == 1
    assert a.ask("AT#SS=1") == (f"#SS: 1,4,{host.host},1024",)
    a.result(listening.stopListening())
    assert a.ask("AT#SS=1") == ("#SS: 1,0",)
