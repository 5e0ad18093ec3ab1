"""#SD: opening connections, and why they can't be opened."""

from __future__ import annotations

import pytest

from tests.ipeasy.lines import HOST, PORT, Lines


def test_online() -> None:
    """CONNECT, and data pass unchanged both ways (TEL-SD-01, TEL-SD-03, TEL-SD-05, TEL-MSK-01)."""
    lines = Lines()
    wire = lines.dial(mode=0)
    every = bytes(range(256))
    lines.say(every)
    assert wire.heard() == every
    wire.say(every)
    assert lines.heard() == every
    assert lines.state() == 1


def test_atTextIsData() -> None:
    """In data mode a command line goes to the peer and gets no answer (TEL-MSK-11)."""
    lines = Lines()
    wire = lines.dial(mode=0)
    assert lines.say(b"AT+CSQ\r") == b""
    assert wire.heard() == b"AT+CSQ\r"


def test_name() -> None:
    """A host's name is resolved first; quotes may be left out (TEL-SD-02)."""
    lines = Lines()
    lines.emulated.clock.names["host.example"] = HOST
    assert lines.ask(f'AT#SD=1,0,{PORT},"host.example",0,0,1') == ["OK"]
    assert lines.ask(f"AT#SD=2,0,{PORT},host.example,0,0,1") == ["OK"]
    assert len(lines.host.callers) == 2


def test_commandMode() -> None:
    """In command mode it answers OK and is shown suspended (TEL-CMD-01, TEL-CMD-03, TEL-CMD-05, TEL-SS-05)."""
    lines = Lines()
    lines.dial()
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,2,127.0.0.1,")
    assert lines.ask("AT+CSQ") == ["+CSQ: 20,0", "OK"]


@pytest.mark.parametrize("cmee", [0, 1, 2])
def test_whyNot(cmee: int) -> None:
    """Why it can't be opened is told as +CMEE asks for it; the socket is free again (TEL-SD-04, TEL-SCF-13)."""

    def error(number: int, text: str) -> list[str]:
        return [("ERROR", f"+CME ERROR: {number}", f"+CME ERROR: {text}")[cmee]]

    lines = Lines()
    lines.ask(f"AT+CMEE={cmee};#SCFG=5,2,300,90,600,50;#SCFG=2,1,300,90,300,1")
    assert lines.ask('AT#SD=1,0,80,"nowhere.example",0,0,1') == error(558, "can not resolve DN")
    assert lines.ask('AT#SD=1,0,9,"127.0.0.1",0,0,1') == error(560, "cannot open socket")
    assert lines.ask('AT#SD=5,0,80,"127.0.0.1",0,0,1') == error(556, "context not opened")
    lines.emulated.clock.unreachable.add("127.0.0.99")
    before = lines.emulated.clock.seconds()
    assert lines.ask('AT#SD=2,0,80,"127.0.0.99"') == error(559, "timeout in opening socket")
    assert lines.emulated.clock.seconds() - before == pytest.approx(30)
    assert lines.ask("AT#SS") == [*(f"#SS: {connId},0" for connId in range(1, 7)), "OK"]
    lines.dial(2)


def test_busy() -> None:
    """A connection that is suspended or online can't be opened again (TEL-SD-09)."""
    lines = Lines()
    lines.dial()
    assert lines.ask(f'AT+CMEE=1;#SD=1,0,{PORT},"{HOST}"') == ["+CME ERROR: 551"]
    lines.dial(2, 0, port=2)
    assert lines.ask(f'AT#SD=2,0,{PORT},"{HOST}"') == ["+CME ERROR: 551"]


@pytest.mark.parametrize("parameters", ["0", "7", "1,2", "1,0,0", "1,0,65536", '1,0,80,"h",1', '1,0,80,"h",0,0,2'])
def test_wrongParameters(parameters: str) -> None:
    """Ids outside 1 to 6 and other wrong parameters are refused (TEL-MSK-03)."""
    full = ["1", "0", str(PORT), f'"{HOST}"', "0", "0", "1"]
    given = parameters.split(",")
    assert Lines().ask(f"AT#SD={','.join(given + full[len(given) :])}") == ["ERROR"]


def test_addresses() -> None:
    """A connection has the address of the context that its id is tied to (TEL-MSK-02, TEL-MSK-04)."""
    lines = Lines()
    lines.ask('AT+CGDCONT=2,"IP","y";#SCFG=4,2,300,0,600,1')
    second = lines.ask("AT#SGACT=2,1")[0].removeprefix("#SGACT: ")
    assert second != "127.0.0.1"
    lines.dial(1)
    lines.dial(4)
    assert lines.ask("AT#SS=1")[0].startswith("#SS: 1,2,127.0.0.1,")
    assert lines.ask("AT#SS=4")[0].startswith(f"#SS: 4,2,{second},")
    lines.ask("AT#SGACT=2,0")
    assert lines.ask("AT#SS=4")[-2:] == ["#SS: 4,0", "OK"]
    assert lines.state(1) == 2


def test_six() -> None:
    """Six connections at once, opened and closed in any order; others go on (TEL-MSK-03, TEL-MSK-10, TEL-SD-08)."""
    lines = Lines()
    wires = [lines.dial(connId) for connId in range(1, 7)]
    assert [lines.state(connId) for connId in range(1, 7)] == [2] * 6
    assert lines.ask("AT#SH=3;#SH=1") == ["OK"]
    assert [wire.isClosed for wire in wires] == [True, False, True, False, False, False]
    wires[1].say(b"x")
    assert lines.ask("AT#SRECV=2,10")[-3:] == ["#SRECV: 2,1", "x", "OK"]
    lines.dial(3)
    assert lines.ask("AT#SS=3")[0].startswith("#SS: 3,2,127.0.0.1,")


def test_aborted() -> None:
    """A character aborts an attempt where #SCFGEXT2 allows it, elsewhere it is lost."""
    lines = Lines()
    lines.emulated.clock.unreachable.add("127.0.0.99")
    lines.ask("AT#SCFGEXT2=1,0,1")
    for connId, answer in ((1, b"\r\nERROR\r\n"), (2, b"")):
        lines.at[0].say(f'ATE0#SD={connId},0,80,"127.0.0.99"\r'.encode())
        lines.after(1)
        assert lines.say(b"x") == answer, connId
        assert lines.state(connId) == 0
    assert lines.after(60) == b"\r\nERROR\r\n"


def test_lineFeedAbortsNothing() -> None:
    """The LF of a line that ends with CR LF isn't a character that aborts its attempt."""
    lines = Lines()
    lines.ask("ATE0#SCFGEXT2=1,0,1")
    assert lines.at[0].say(f'AT#SD=1,0,{PORT},"{HOST}",0,0,1\r\n'.encode()) == b"\r\nOK\r\n"


def test_settingsAtWork() -> None:
    """While an attempt is under way, and while it is connected, a socket can't be set (TEL-SCF-06, TEL-CMD-02)."""
    lines = Lines()
    lines.emulated.clock.unreachable.add("127.0.0.99")
    lines.at[1].say(b'AT#SD=2,0,80,"127.0.0.99"\r')
    assert lines.ask("AT#SCFG=2,1,300,90,600,50") == ["ERROR"]
    assert lines.ask("AT#SH=2") == ["OK"]
    assert lines.after(0, 2).endswith(b"\r\nERROR\r\n")
    assert lines.ask("AT#SCFG=2,1,300,90,600,50") == ["OK"]
    lines.dial(2)
    assert lines.ask("AT#SCFG=2,1,300,90,600,50") == ["ERROR"]


def test_unpluggedDuringAttempt() -> None:
    """A port that is unplugged during an attempt takes the attempt with it."""
    lines = Lines()
    lines.emulated.clock.unreachable.add("127.0.0.99")
    lines.at[1].say(b'AT#SD=2,0,80,"127.0.0.99"\r')
    lines.at[1].close()
    lines.emulated.clock.unreachable.clear()
    assert lines.ask(f'AT#SD=2,0,{PORT},"{HOST}",0,0,1') == ["OK"]


def test_service() -> None:
    """A socket that a service has can't be touched by the commands of sockets (TEL-SD-09)."""
    lines = Lines("HE910-EUR")
    lines.ask('AT#TCPATRUNAUTH=1,"u","p"')
    lines.ask('AT#TCPATRUNFRWL=1,"0.0.0.0","0.0.0.0"')
    assert lines.ask('AT#TCPATRUNCFG=3,3,1024,12345,"127.0.0.1",0,5,0,5,2;#TCPATRUNL=1') == ["OK"]
    wire = lines.emulated.call(1024)
    assert not wire.isClosed
    lines.ask("AT+CMEE=1")
    for command in (f'#SD=3,0,{PORT},"{HOST}"', "#SH=3", "#SL=3,1,2000", "#SL=3,0,1", "#SA=3", "#SO=3", "#SRECV=3,1"):
        assert lines.ask(f"AT{command}") == ["+CME ERROR: 551"]
    assert not wire.isClosed
    assert lines.state(3) == 1


@pytest.mark.parametrize(("product", "most"), [("GE865-QUAD", 3), ("HE910-EUR", 3), ("HE863-EUR", 1)])
def test_onlineAtOnce(product: str, most: int) -> None:
    """One socket is online on each instance; on HE863 one at all, the others in command mode (TEL-LIM-04)."""
    lines = Lines(product)
    wires = [lines.dial(number, 0 if number <= most else 1, port=number) for number in (1, 2, 3)]
    for number in range(most + 1, 4):
        assert lines.ask(f'AT+CMEE=1;#SD=6,0,{PORT},"{HOST}"', number) == ["+CME ERROR: 551"]
        assert lines.ask(f"AT#SO={number}", number) == ["+CME ERROR: 551"]
    for number in range(1, most + 1):
        lines.say(b"x%d" % number, number)
        assert wires[number - 1].heard() == b"x%d" % number
    if most == 1:
        lines.escape()
        assert lines.ask("AT#SO=2", 2) == ["CONNECT"]


@pytest.mark.parametrize("command", ["#SD=2,0", "#SKTD=0"])
def test_onlineAtTheSameMoment(command: str) -> None:
    """On HE863 only one of two sockets that are dialled at the same moment goes online (TEL-LIM-04)."""
    lines = Lines("HE863-EUR")
    lines.ask("AT+CMEE=1", 2)
    for wire, line in ((lines.at[0], "#SD=1,0"), (lines.at[1], command)):
        assert wire.transport is not None
        wire.transport.write(f'AT{line},{PORT},"{HOST}"\r'.encode())
    answers = [lines.after(1, port) for port in (1, 2)]
    assert answers[0].endswith(b"CONNECT\r\n")
    assert answers[1].endswith(b"+CME ERROR: 551\r\n")
    assert [caller.isClosed for caller in lines.host.callers] == [False, True]
    assert lines.state(2) == 0


@pytest.mark.parametrize("command", ["#SO", "#SH"])
def test_otherInstance(command: str) -> None:
    """A connection is resumed and closed on the instance that opened it (TEL-EXT-17)."""
    lines = Lines()
    wire = lines.dial(port=2)
    expected = "+CME ERROR: 566" if command == "#SO" else "+CME ERROR: 551"
    assert lines.ask(f"AT+CMEE=1;{command}=1") == [expected]
    assert not wire.isClosed
    assert lines.ask(f"AT{command}=1", 2) == ["CONNECT" if command == "#SO" else "OK"]
