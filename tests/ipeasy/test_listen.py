"""#SL and #SA: listening for callers, and taking or refusing them."""

from __future__ import annotations

import pytest

from tests.ipeasy.lines import OWN, Lines


def test_ring() -> None:
    """A caller raises SRING and waits, whatever it says already (TEL-LIS-02, TEL-LIS-05, TEL-SS-07, TEL-SS-08)."""
    lines = Lines()
    lines.listen()
    assert lines.ask("AT#SS=1;#SL?") == ["#SS: 1,4,127.0.0.1,2000", "#SL: 1,2000,0", "OK"]
    wire = lines.emulated.call(OWN)
    wire.say(b"hello?")
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SS=1") == ["#SS: 1,5,127.0.0.1,2000", "OK"]
    assert not wire.isClosed


@pytest.mark.parametrize("command", ["#SA=1", "#SA=1,0"])
def test_accept(command: str) -> None:
    """#SA takes the caller: CONNECT, then data, what it has said before first (TEL-LIS-06)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    wire.say(b"hello?")
    lines.heard()
    assert lines.ask(f"AT{command}") == ["CONNECT"]
    assert lines.heard() == b"hello?"
    lines.say(b"here")
    assert wire.heard() == b"here"


def test_acceptInCommandMode() -> None:
    """#SA=...,1 answers OK; what the caller has said is announced (TEL-LIS-11, TEL-CMD-04, TEL-CMD-25)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    wire.say(b"hello?")
    lines.heard()
    assert lines.ask("AT#SA=1,1") == ["OK"]
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SS=1;#SRECV=1,10")[1:] == ["#SRECV: 1,6", "hello?", "OK"]
    assert lines.state() == 2


def test_nobodyToAccept() -> None:
    """Before any request #SA is an error, and after the caller has gone again (TEL-EXT-19)."""
    lines = Lines()
    lines.ask("AT+CMEE=1")
    assert lines.ask("AT#SA=1") == ["+CME ERROR: 551"]
    lines.listen()
    assert lines.ask("AT#SA=1") == ["+CME ERROR: 551"]
    lines.emulated.call(OWN).close()
    lines.heard()
    assert lines.ask("AT#SA=1") == ["+CME ERROR: 551"]
    assert lines.state() == 4


def test_nextCaller() -> None:
    """A caller that goes before it is taken leaves nothing behind for the next one (TEL-LIS-05)."""
    lines = Lines()
    lines.listen()
    first = lines.emulated.call(OWN)
    first.say(b"from the first")
    first.close()
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    second = lines.emulated.call(OWN)
    second.say(b"from the second")
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SA=1") == ["CONNECT"]
    assert lines.heard() == b"from the second"


def test_refuse() -> None:
    """#SH refuses, and closes the listening socket too until #SL is given again (TEL-LIS-07)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    assert lines.ask("AT#SH=1")[-1] == "OK"
    assert wire.isClosed
    assert lines.state() == 0
    assert lines.emulated.call(OWN).isClosed
    assert lines.ask(f"AT#SL=1,1,{OWN}") == ["OK"]
    assert not lines.emulated.call(OWN).isClosed


@pytest.mark.parametrize("isTaken", [False, True])
def test_secondCaller(isTaken: bool) -> None:
    """A second caller is refused while the first waits, and while it is served (TEL-LIS-05)."""
    lines = Lines()
    lines.listen()
    first = lines.emulated.call(OWN)
    if isTaken:
        lines.ask("AT#SA=1,1")
    assert lines.emulated.call(OWN).isClosed
    assert not first.isClosed


def test_suspendAndResume() -> None:
    """A taken caller is suspended and resumed like any other connection (TEL-LIS-08)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    lines.ask("AT#SA=1")
    assert lines.escape() == b"\r\nOK\r\n"
    wire.say(b"more")
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.ask("AT#SO=1") == ["CONNECT"]
    assert lines.heard() == b"more"


@pytest.mark.parametrize("who", ["caller", "module"])
def test_ended(who: str) -> None:
    """After a taken connection has ended the socket is closed, not listening again (TEL-LIS-07)."""
    lines = Lines()
    lines.listen()
    wire = lines.emulated.call(OWN)
    lines.heard()
    lines.ask("AT#SA=1,1")
    if who == "caller":
        wire.close()
        assert lines.heard() == b"\r\nNO CARRIER\r\n"
    else:
        assert lines.ask("AT#SH=1") == ["OK"]
        assert wire.isClosed
    assert lines.ask("AT#SS=1;#SL?") == ["#SS: 1,0", "OK"]
    assert lines.emulated.call(OWN).isClosed


def test_keptOnline() -> None:
    """With closure type 255 the port stays online after the caller has gone, but listens no more (TEL-EXT-17)."""
    lines = Lines()
    lines.listen(closureType=255)
    assert lines.ask("AT#SL?") == ["#SL: 1,2000,255", "OK"]
    wire = lines.emulated.call(OWN)
    lines.heard()
    assert lines.ask("AT#SA=1") == ["CONNECT"]
    wire.close()
    assert lines.after(10) == b""
    assert lines.emulated.call(OWN).isClosed
    assert lines.escape() == b"\r\nNO CARRIER\r\n"


@pytest.mark.parametrize("hasCaller", [False, True])
def test_stop(hasCaller: bool) -> None:
    """#SL=...,0 ends it, whatever port it names, and a caller that waits is sent away (TEL-LIS-02, TEL-EXT-18)."""
    lines = Lines()
    lines.listen()
    wires = [lines.emulated.call(OWN)] if hasCaller else []
    assert lines.ask("AT#SL=1,0,0")[-1] == "OK"
    assert [wire.isClosed for wire in wires] == [True] * len(wires)
    assert lines.state() == 0
    assert lines.emulated.call(OWN).isClosed
    assert lines.ask("AT#SL=1,0,1;#SL=5,0,1") == ["OK"]


def test_stopLeavesConnections() -> None:
    """#SL=...,0 leaves a connection alone that has been opened."""
    lines = Lines()
    wire = lines.dial()
    assert lines.ask("AT#SL=1,0,1") == ["OK"]
    assert not wire.isClosed
    assert lines.state() == 2


def test_six() -> None:
    """Six sockets listen at once, on ports of their own (TEL-LIS-03, TEL-LIM-03)."""
    lines = Lines()
    for connId in range(1, 7):
        lines.listen(connId, OWN + connId)
    expected = [f"#SS: {connId},4,127.0.0.1,{OWN + connId}" for connId in range(1, 7)]
    assert lines.ask("AT#SS") == [*expected, "OK"]
    lines.emulated.call(OWN + 4)
    assert lines.heard() == b"\r\nSRING: 4\r\n"


def test_whyNot() -> None:
    """The same port twice, no context, a busy socket, a port that is taken (TEL-LIS-04, TEL-LIM-03)."""
    lines = Lines()
    lines.ask("AT+CMEE=1;#SCFG=5,2,300,0,600,1")
    lines.listen()
    assert lines.ask(f"AT#SL=2,1,{OWN}") == ["+CME ERROR: 564"]
    assert lines.ask(f"AT#SL=1,1,{OWN}") == ["+CME ERROR: 564"]
    assert lines.ask(f"AT#SL=1,1,{OWN + 1}") == ["+CME ERROR: 551"]
    assert lines.ask(f"AT#SL=5,1,{OWN + 1}") == ["+CME ERROR: 556"]
    lines.emulated.host(OWN + 2)
    assert lines.ask(f"AT#SL=2,1,{OWN + 2}") == ["+CME ERROR: 557"]
    assert lines.ask("AT#SS=2") == ["#SS: 2,0", "OK"]
    assert lines.ask(f"AT#SL=2,1,{OWN + 3}") == ["OK"]


@pytest.mark.parametrize("hasCaller", [False, True])
def test_aborted(hasCaller: bool) -> None:
    """The network takes the context: #SL: ABORTED, and the socket is closed (TEL-EXT-18)."""
    lines = Lines()
    lines.listen()
    wires = [lines.emulated.call(OWN)] if hasCaller else []
    lines.heard()
    lines.emulated.module.contexts.deactivate(1)
    assert lines.after(0) == b"\r\n#SL: ABORTED\r\n"
    assert [wire.isClosed for wire in wires] == [True] * len(wires)
    assert lines.state() == 0


def test_endsInOrder() -> None:
    """When a context ends its sockets tell it in the order of their numbers, however old they are (TEL-ACT-05)."""
    lines = Lines()
    lines.dial(3)
    lines.listen(2)
    lines.dial(1)
    lines.emulated.module.contexts.deactivate(1)
    assert lines.after(0) == b"\r\nNO CARRIER\r\n\r\n#SL: ABORTED\r\n\r\nNO CARRIER\r\n"


def test_automatic() -> None:
    """With the fifth parameter of #SCFGEXT it answers by itself: CONNECT, no SRING (TEL-LIS-09, TEL-EXT-16)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT=1,0,0,0,1")
    lines.listen(port=2)
    wire = lines.emulated.call(OWN)
    wire.say(b"hello")
    assert lines.heard(2) == b"\r\nCONNECT\r\nhello"
    lines.say(b"here", 2)
    assert wire.heard() == b"here"
    assert lines.escape(2) == b"\r\nOK\r\n"
    assert lines.ask("AT#SH=1", 2) == ["OK"]


def test_automaticWithoutEffect() -> None:
    """On HE863 the fifth parameter is stored without effect (TEL-CMD-14, TEL-LIS-09)."""
    lines = Lines("HE863-EUR")
    assert lines.ask("AT#SCFGEXT=1,0,0,0,1") == ["OK"]
    lines.listen()
    lines.emulated.call(OWN)
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.state() == 5


@pytest.mark.parametrize("at", ["online", "busy", "unplugged"])
def test_notInCommandMode(at: str) -> None:
    """Where the instance can't go online unasked, the caller is announced and waits like any other (TEL-LIS-05)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT=1,0,0,0,1")
    lines.listen()
    told = b"\r\nSRING: 1\r\n"
    if at == "online":
        lines.dial(2, 0)
        lines.emulated.call(OWN)
        assert lines.escape() == b"\r\nOK\r\n" + told
    elif at == "busy":
        lines.dial(2)
        lines.at[0].say(b"AT#SSEND=2\r")
        lines.emulated.call(OWN)
        assert lines.at[0].say(b"\x1b") == b"\r\nOK\r\n" + told
    else:
        lines.at[0].close()
        lines.emulated.call(OWN)
    assert lines.state() == 5


def test_halfALine() -> None:
    """What was typed of a line when the port answers by itself is forgotten (TEL-LIS-09)."""
    lines = Lines()
    lines.ask("ATE0#SCFGEXT=1,0,0,0,1")
    lines.listen()
    lines.at[0].say(b"AT+CS")
    lines.emulated.call(OWN).close()
    assert lines.heard() == b"\r\nCONNECT\r\n\r\nNO CARRIER\r\n"
    assert lines.at[0].say(b"AT\r") == b"\r\nOK\r\n"


@pytest.mark.parametrize(
    "command", ["#SL=0,1,1", "#SL=7,1,1", "#SL=1,2,1", "#SL=1,1,65536", "#SL=1,1,0", "#SL=1,1,1,2", "#SA=7", "#SA=1,2"]
)
def test_wrongParameters(command: str) -> None:
    """Wrong parameters are errors (TEL-MSK-03)."""
    lines = Lines()
    assert lines.ask(f"AT{command}") == ["ERROR"]
