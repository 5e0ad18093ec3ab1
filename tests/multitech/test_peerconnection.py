"""The host's driver of Multi-Tech modems and the connection by GPRS, on an emulated modem."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from atrunproto.emulator.network import AccessPoint
from atrunproto.multitech.errors import GPRS_LOST, INACTIVE
from atrunproto.multitech.peererrors import (
    AccessRefused,
    AlreadyConnected,
    BadConfiguration,
    ConnectionEnded,
    ConnectionFailed,
    NameUnknown,
    NoConnection,
    NotRegistered,
)
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret

from .hosts import Host

STARTUP = ["AT+WOPEN=1", 'AT#APNSERV="internet"']


def online(form: str = "ATE0V1") -> tuple[Host, str]:
    """A host whose modem is connected, and its address."""
    host = Host(*STARTUP, form)
    return host, host.do(host.modem.connect())


@pytest.mark.parametrize("form", ["ATE1V1", "ATE0V1", "ATE1V0", "ATE0V0"])
def test_connect(form: str) -> None:
    """
    A program connects its modem, learns both addresses, and hangs up, whatever form the answers have.

    MTS-REG-05, MTS-CALL-10, MTS-CALL-13, MTS-CALL-15, MTS-DISP-18, MTS-DISP-20, MTS-RES-11, MTS-DIAL-22.
    """
    host, told = Host(*STARTUP, form), list[str]()
    host.do(host.modem.open())
    host.do(host.modem.register())
    own = host.do(host.modem.connect(told.append))
    assert told == [own]
    assert host.do(host.modem.state()) is State.CONNECTED
    addresses = host.do(host.modem.addresses())
    assert (addresses.own, addresses.peer) == (own, host.memory.network.gateway)
    host.do(host.modem.disconnect())
    assert host.do(host.modem.state()) is State.IDLE
    host.do(host.modem.disconnect())
    with pytest.raises(NoConnection):
        host.do(host.modem.addresses())


def test_twice() -> None:
    """A second connection beside the first is refused, and the first stays (MTS-CALL-09)."""
    host, own = online()
    with pytest.raises(AlreadyConnected):
        host.do(host.modem.connect())
    assert host.do(host.modem.addresses()).own == own


def test_failures() -> None:
    """Why no connection can be made is told by kind (MTS-CALL-08, MTS-CALL-12, MTS-GAP-37, MTS-GAP-68)."""
    host = Host("AT+WOPEN=1")
    network = host.memory.network

    def start() -> Any:
        return host.do(host.modem.connect())

    with pytest.raises(BadConfiguration):
        start()
    network.accessPoints["internet"] = AccessPoint(user="me", password=Secret("s3cret"))
    host.do(host.modem.configure({"APNSERV": "internet", "APNUN": "me", "APNPW": Secret("wrong")}))
    with pytest.raises(AccessRefused):
        start()
    host.do(host.modem.write("APNPW", Secret("s3cret")))
    start()
    host.do(host.modem.disconnect())
    network.setService(False)
    with pytest.raises(NotRegistered):
        start()


def test_stopped() -> None:
    """An attempt that takes long is ended from beside, and another one can follow (MTS-CALL-14, MTS-MISC-09)."""
    for cancels in (False, True):
        host = Host(*STARTUP)
        host.memory.network.accessPoints["internet"] = AccessPoint(seconds=30)
        found: list[Any] = []
        waiting = Deferred.fromCoroutine(host.modem.connect())
        waiting.addErrback(found.append)
        host.clock.advance(5)
        if cancels:
            waiting.cancel()
            host.clock.advance(1)
        else:
            host.do(host.modem.disconnect())
            assert found[0].check(ConnectionFailed)
        assert host.do(host.modem.state()) is State.IDLE
        host.do(host.modem.connect())
        assert host.do(host.modem.state()) is State.CONNECTED


@pytest.mark.parametrize("form", ["ATE0V1", "ATE1V0"])
def test_end(form: str) -> None:
    """A program hears that its connection was lost, or idle for too long (MTS-DIAL-10, MTS-CALL-28)."""
    host = Host(*STARTUP, "AT#PHYTIMEOUT=1", form)
    ended: list[ConnectionEnded] = []
    host.modem.onEnd(ended.append)
    host.do(host.modem.connect())
    host.clock.advance(70)
    assert [error.reason for error in ended] == [INACTIVE]
    host.do(host.modem.connect())
    host.memory.network.setService(False)
    host.clock.advance(30)
    assert [error.reason for error in ended] == [INACTIVE, GPRS_LOST]
    assert host.do(host.modem.state()) is State.NO_SERVICE


def test_ping() -> None:
    """Echo requests tell which of them were answered (MTS-PING-02..09)."""
    host, _ = online()
    network = host.memory.network
    network.echoes["127.0.2.80"] = frozenset({2})
    network.hosts["example.org"] = "127.0.2.80"
    echoes = host.do(host.modem.ping("example.org", 3))
    assert [(echo.remote, echo.milliseconds is None) for echo in echoes] == [
        ("example.org", False),
        ("example.org", True),
        ("example.org", False),
    ]
    assert host.do(host.modem.read("PINGNUM")) == 3
    host.do(host.modem.disconnect())
    with pytest.raises(NoConnection):
        host.do(host.modem.ping())


def test_unknownName() -> None:
    """A name that nobody knows is told as that (MTS-PING-09)."""
    host, _ = online()
    with pytest.raises(NameUnknown):
        host.do(host.modem.ping("nosuch.invalid", 1))
