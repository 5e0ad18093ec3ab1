"""Online with a socket: suspending, resuming, and every way in which it ends."""

from __future__ import annotations

import pytest

from atrunproto.ipeasy.buffer import WINDOW
from atrunproto.ipeasy.module import SocketTable
from tests.ipeasy.lines import HOST, PORT, Lines


def test_escape() -> None:
    """+++ suspends: OK, the port is in command mode, the peer sees no close (TEL-SD-06, TEL-MSK-06, TEL-SS-05)."""
    lines = Lines()
    wire = lines.suspended()
    assert not wire.isClosed
    assert wire.heard() == b""
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,2,")


def test_noSilence() -> None:
    """Without silence before it, or after it, the sequence is data (TEL-SD-07, TEL-EXT-22)."""
    lines = Lines()
    wire = lines.dial(mode=0)
    lines.after(1.1)
    assert lines.say(b"x") + lines.say(b"+++") + lines.after(2) == b""
    assert lines.say(b"+++") + lines.say(b"x") + lines.after(2) == b""
    assert wire.heard() == b"x++++++x"
    assert lines.state() == 1


@pytest.mark.parametrize(("s12", "silence"), [(20, 0.4), (50, 1.0), (255, 5.1)])
def test_guardTime(s12: int, silence: float) -> None:
    """S12 is the silence in ticks of 20 ms (TEL-SH-05, TEL-EXT-22)."""
    lines = Lines()
    lines.ask(f"ATS12={s12}")
    lines.dial(mode=0)
    lines.after(silence - 0.1)
    lines.at[0].say(b"+++")
    assert lines.after(6) == b""
    lines.at[0].say(b"+++")
    assert lines.after(silence - 0.05) == b""
    assert lines.after(0.1) == b"\r\nOK\r\n"


@pytest.mark.parametrize(("skip", "seen"), [(0, b"+++"), (1, b"")])
def test_skipEscape(skip: int, seen: bytes) -> None:
    """#SKIPESC keeps the sequence from the peer (TEL-SH-06)."""
    lines = Lines()
    lines.ask(f"AT#SKIPESC={skip}")
    wire = lines.dial(mode=0)
    lines.escape()
    assert wire.heard() == seen


def test_alternate() -> None:
    """While one socket is suspended others are opened and resumed, each with its own data (TEL-MSK-08, TEL-SD-08)."""
    lines = Lines()
    wires = {connId: lines.suspended(connId) for connId in (3, 2)}
    for turn in range(3):
        for connId, wire in wires.items():
            assert lines.ask(f"AT#SO={connId}") == ["CONNECT"]
            lines.say(b"%d to %d" % (turn, connId))
            assert wire.heard() == b"%d to %d" % (turn, connId)
            assert lines.escape() == b"\r\nOK\r\n"


def test_pendingData() -> None:
    """What came meanwhile is kept, and follows CONNECT (TEL-MSK-07, TEL-SO-01, TEL-SO-02, TEL-SS-06, TEL-CMD-24)."""
    lines = Lines()
    wire = lines.suspended()
    wire.say(b"while ")
    wire.say(b"away")
    assert lines.heard() == b"\r\nSRING: 1\r\n"
    assert lines.state() == 3
    lines.at[0].say(b"ATE0\r")
    assert lines.say(b"AT#SO=1\r").endswith(b"\r\nCONNECT\r\nwhile away")
    assert lines.state() == 1


def test_resumeAnyTime() -> None:
    """A suspended connection is resumed without pending data, and one of command mode too (TEL-SO-03, TEL-SO-05)."""
    lines = Lines()
    lines.suspended(1)
    wire = lines.dial(2)
    for connId in (1, 2):
        assert lines.ask(f"AT#SO={connId}") == ["CONNECT"]
        lines.say(b"AT\r")
        lines.escape()
    assert wire.heard() == b"AT\r"


def test_resumeNothing() -> None:
    """Without a connection it answers NO CARRIER; a listening socket can't be resumed (TEL-SO-04)."""
    lines = Lines()
    assert lines.ask("AT#SO=1") == ["NO CARRIER"]
    lines.dial(1)
    lines.ask("AT#SH=1")
    assert lines.ask("AT#SO=1") == ["NO CARRIER"]
    lines.listen(2)
    assert lines.ask("AT+CMEE=1;#SO=2") == ["+CME ERROR: 566"]


def test_shut() -> None:
    """#SH closes a suspended connection; the context stays, an idle id is OK too (TEL-SH-01, TEL-SH-02, TEL-SH-03)."""
    lines = Lines()
    wire = lines.suspended()
    assert lines.ask("AT#SH=1") == ["OK"]
    assert wire.isClosed
    assert lines.ask("AT#SH=1;#SH=6") == ["OK"]
    assert lines.ask("AT#SS=1;#SGACT?")[:2] == ["#SS: 1,0", "#SGACT: 1,1"]
    assert lines.heard() == b""


def test_remoteClose() -> None:
    """The peer closes: NO CARRIER, command mode, state 0, and the id can be used again (TEL-SH-01)."""
    lines = Lines()
    wire = lines.dial(mode=0)
    wire.say(b"the last word")
    wire.close()
    assert lines.after(0) == b"the last word\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SS=1;#SLASTCLOSURE=1") == ["#SS: 1,0", "#SLASTCLOSURE: 1,1", "OK"]
    lines.dial()


def test_keepOnline() -> None:
    """With closure type 255 the port stays online until the escape sequence (TEL-EXT-17)."""
    lines = Lines()
    wire = lines.dial(mode=0, closureType=255)
    wire.say(b"bye")
    wire.close()
    assert lines.say(b"anybody there?") == b"bye"
    assert lines.after(100) == b""
    assert lines.escape() == b"\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SO=1") == ["NO CARRIER"]
    lines.dial()


def test_keptOnlineThenShut() -> None:
    """A port kept online without its peer leaves that when it is unplugged, and the socket is free."""
    lines = Lines()
    lines.dial(mode=0, closureType=255, port=2).close()
    lines.at[1].close()
    assert lines.ask("AT#SS=1") == ["#SS: 1,0", "OK"]
    lines.dial()


@pytest.mark.parametrize(("dtr", "form", "end"), [(1, 0, b""), (2, 0, b""), (1, 2, b":1,1"), (2, 2, b":1,1")])
def test_keptOnlineThenDropped(dtr: int, form: int, end: bytes) -> None:
    """Under &D1 and &D2 a port kept online without its peer tells the close when DTR goes off (TEL-EXT-17)."""
    lines = Lines()
    lines.ask(f"AT&D{dtr}#SCFGEXT2=1,0,0,0,0,{form}")
    lines.dial(mode=0, closureType=255).close()
    lines.emulated.module.instance(1).lineDropped()
    assert lines.after(0) == b"\r\nNO CARRIER%s\r\n" % end
    assert lines.state() == 0


def test_keptOnlineThenContextLost() -> None:
    """A port kept online without its peer keeps its socket from others, and leaves with the context (TEL-EXT-17)."""
    lines = Lines()
    lines.dial(mode=0, closureType=255).close()
    assert lines.ask("AT#SCFG=1,2,300,0,600,1", 2) == ["ERROR"]
    assert lines.ask("AT#SGACT=1,0", 2) == ["OK"]
    assert lines.heard() == b"\r\nNO CARRIER\r\n"
    assert lines.ask("AT#SS=1;#SCFG=1,2,300,0,600,1") == ["#SS: 1,0", "OK"]


@pytest.mark.parametrize("online", [True, False])
def test_inactivity(online: bool) -> None:
    """Without traffic for maxTo the connection is closed, and the DTE told (TEL-SCF-12, TEL-SH-01)."""
    lines = Lines(maxTo=30)
    lines.ask("AT#SCFGEXT2=1,0,0,0,0,2")
    wire = lines.dial(mode=0 if online else 1)
    lines.after(20)
    wire.say(b"x")
    told = lines.heard() + lines.after(29)
    assert lines.state() != 0
    told += lines.after(1.1)
    assert wire.isClosed
    assert told == (b"x" if online else b"\r\nSRING: 1\r\n") + b"\r\nNO CARRIER:1,3\r\n"
    assert lines.ask("AT#SLASTCLOSURE=1") == ["#SLASTCLOSURE: 1,3", "OK"]


@pytest.mark.parametrize("online", [True, False])
def test_contextLost(online: bool) -> None:
    """With the context everything on it ends (TEL-SH-01, TEL-ACT-05)."""
    lines = Lines()
    lines.ask("AT#SCFGEXT2=1,0,0,0,0,2")
    lines.listen(2, port=2)
    wire = lines.dial(1, 0 if online else 1)
    assert lines.ask("AT#SGACT=1,0", 3) == ["OK"]
    assert wire.isClosed
    assert lines.heard() == b"\r\nNO CARRIER:1,4\r\n"
    assert lines.heard(2) == b"\r\n#SL: ABORTED\r\n"
    assert lines.ask("AT#SS=1;#SS=2;#SLASTCLOSURE=1") == ["#SS: 1,0", "#SS: 2,0", "#SLASTCLOSURE: 1,4", "OK"]


@pytest.mark.parametrize(("mode", "text"), [(0, b"NO CARRIER"), (1, b"NO CARRIER:4"), (2, b"NO CARRIER:4,1")])
@pytest.mark.parametrize("online", [True, False])
def test_noCarrierMode(mode: int, text: bytes, online: bool) -> None:
    """#SCFGEXT2 gives NO CARRIER the number of the socket, and the cause."""
    lines = Lines()
    lines.ask(f"AT#SCFGEXT2=4,0,0,0,0,{mode}")
    lines.dial(4, 0 if online else 1).close()
    assert lines.after(0) == b"\r\n" + text + b"\r\n"


def test_causes() -> None:
    """#SLASTCLOSURE tells why each socket was closed the last time, whatever came before."""
    lines = Lines(maxTo=30)
    assert lines.ask("AT#SLASTCLOSURE") == [*(f"#SLASTCLOSURE: {connId},0" for connId in range(1, 7)), "OK"]
    lines.dial()
    lines.after(31)
    assert lines.ask("AT#SLASTCLOSURE=1")[-2:] == ["#SLASTCLOSURE: 1,3", "OK"]
    lines.dial().close()
    lines.after(0)
    assert lines.ask("AT#SLASTCLOSURE=1")[-2:] == ["#SLASTCLOSURE: 1,1", "OK"]
    lines.dial().link.breakOff()
    lines.after(0)
    assert lines.ask("AT#SLASTCLOSURE=1")[-2:] == ["#SLASTCLOSURE: 1,2", "OK"]
    lines.dial()
    assert lines.ask("AT#SH=1;#SH=1;#SLASTCLOSURE=1") == ["#SLASTCLOSURE: 1,0", "OK"]


def test_powerCut() -> None:
    """A power cut tells nobody, and after it everything is closed."""
    lines = Lines()
    wires = [lines.dial(1), lines.dial(2, 0, port=2)]
    lines.listen(3)
    lines.emulated.module.powerOff()
    assert lines.after(0) + lines.after(0, 2) == b""
    assert [wire.isClosed for wire in wires] == [True, True]
    lines.emulated.switchOn()
    assert lines.ask("AT#SS") == [*(f"#SS: {connId},0" for connId in range(1, 7)), "OK"]


@pytest.mark.parametrize(
    ("mode", "answer", "state"), [(0, b"", 1), (1, b"\r\nOK\r\n", 2), (2, b"\r\nNO CARRIER\r\n", 0)]
)
def test_dtr(mode: int, answer: bytes, state: int) -> None:
    """DTR goes off: ignored under &D0, suspended under &D1, closed under &D2 (TEL-SH-01)."""
    lines = Lines()
    lines.ask(f"AT&D{mode}")
    wire = lines.dial(mode=0)
    lines.emulated.module.instance(1).lineDropped()
    assert lines.after(0) == answer
    assert lines.state() == state
    assert wire.isClosed is (state == 0)


@pytest.mark.parametrize(("mode", "end"), [(1, b":1"), (2, b":1,0")])
def test_dtrInForm(mode: int, end: bytes) -> None:
    """DTR under &D2, and the escape from an old connection, answer in the form of #SCFGEXT2 (reference 6.1, 6.7)."""
    lines = Lines()
    lines.ask(f"AT&D2#SCFGEXT2=1,0,0,0,0,{mode}")
    lines.dial(mode=0)
    lines.emulated.module.instance(1).lineDropped()
    assert lines.after(0) == b"\r\nNO CARRIER%s\r\n" % end
    assert lines.ask(f'AT#SKTD=0,{PORT},"{HOST}"') == ["CONNECT"]
    assert lines.escape() == b"\r\nNO CARRIER%s\r\n" % end


def test_unplugged() -> None:
    """A port that is unplugged while online leaves its connection suspended, for it to be resumed (TEL-SO-03)."""
    lines = Lines()
    wire = lines.dial(mode=0)
    lines.at[0].close()
    wire.say(b"still there?")
    lines.at[0] = lines.emulated.port(1)
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,3,")
    assert lines.ask("AT#SO=1") == ["CONNECT"]
    assert lines.heard() == b"still there?"
    assert not wire.isClosed


def test_shutWhilePeerTakesNothing() -> None:
    """#SH frees the socket at once; what its old peer still says reaches nobody, not even the next connection."""
    lines = Lines()
    old = lines.suspended()
    old.link.peer.silent = True
    lines.ask("AT#SO=1")
    lines.say(b"x" * 1000)
    lines.escape()
    assert lines.ask("AT#SH=1;#SS=1;#SO=1") == ["#SS: 1,0", "NO CARRIER"]
    old.say(b"late")
    new = lines.dial()
    old.say(b"later")
    lines.after(20)
    assert old.isClosed
    assert lines.heard() == b""
    new.say(b"fresh")
    assert lines.ask("AT#SRECV=1,10")[-2:] == ["fresh", "OK"]


def test_order() -> None:
    """What was typed online and still gathers leaves before what is sent from command mode."""
    lines = Lines(txTo=0)
    wire = lines.suspended()
    lines.ask("AT#SO=1")
    lines.at[0].say(b"first ")
    lines.escape()
    lines.at[0].say(b"AT#SSENDEXT=1,6\r")
    lines.say(b"second")
    assert wire.heard() == b"first second"


def test_suspendedPeerHeldBack() -> None:
    """A suspended socket that nobody reads stops the sender; nothing is lost (TEL-CMD-12, TEL-MSK-07)."""
    lines = Lines()
    wire = lines.suspended()
    sent = bytes(range(256)) * 400
    for start in range(0, len(sent), 1024):
        assert wire.transport is not None
        wire.transport.write(sent[start : start + 1024])
        lines.after(0)
    pending = int(lines.ask("AT#SI=1")[-2].split(",")[3])
    assert WINDOW <= pending < WINDOW + 1024
    heard = lines.at[0].say(b"AT#SO=1\r") + lines.after(1)
    assert heard.endswith(b"CONNECT\r\n" + sent)


@pytest.mark.parametrize("isPeer", [False, True])
def test_deaf(isPeer: bool) -> None:
    """A DTE that doesn't read while online stops the peer, and a peer that doesn't stops the DTE; nothing is lost."""
    lines = Lines()
    wire, port = lines.dial(mode=0), lines.at[0]
    socket = lines.emulated.module.part(SocketTable).socket(1)
    source, sink = (port, wire) if isPeer else (wire, port)
    sent = bytes(range(256)) * 4096
    # the end of the connection that the module has
    held = wire.link.peer if isPeer else port.link.module
    held.silent = True
    for start in range(0, len(sent), 16384):
        assert source.transport is not None
        source.transport.write(sent[start : start + 16384])
        lines.emulated.advance(0.2)
    assert (socket.sent if isPeer else socket.received) < len(sent) // 4
    held.silent = False
    sink.link.arm()
    lines.emulated.advance(1)
    assert sink.heard() == sent
