"""The generations of the stack of Multi-Tech modems: what each has, and in which form."""

from __future__ import annotations

import re

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.emulator.nvm import NVM
from atrunproto.emulator.products import product
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.parameters import ROWS, SOCKETS, Parameters, Row
from tests.multitech.modems import OK, Modem, connected, failed
from tests.multitech.services import DATAGRAMS, ETX, NAME, Served

V2_00, V2_10, V3_02 = Generation
FIRMWARE = {V2_00: "640b", V2_10: "641c", V3_02: "651"}
EARLIER = [V2_00, V2_10]
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK
#: what has the one TCP socket find its server, and what has it admit any caller
SERVER, ANYBODY = (f'AT#TCPSERV="{NAME}"', "AT#TCPPORT=23"), ('AT#TCPSERV="255.255.255.255"', "AT#TCPPORT=2024")


def modemOf(generation: Generation, *lines: str) -> Modem:
    """A modem with this stack."""
    return Modem(*lines, software=FIRMWARE[generation])


def served(generation: Generation, *lines: str) -> Served:
    """A modem with an earlier stack, which is connected."""
    datagrams = DATAGRAMS if generation >= V2_10 else ()
    return Served(*lines, services=(*SERVER, *datagrams), software=FIRMWARE[generation])


def shown(answer: bytes) -> list[str]:
    """The names of the parameters that an answer shows, line by line."""
    return [line.partition(":")[0][1:] for line in answer.decode().split("\r\n") if line.startswith("#")]


# -- which there are


@pytest.mark.parametrize(("generation", "name"), [(V2_00, "W200"), (V2_10, "W210"), (V3_02, "W302")])
def test_identity(generation: Generation, name: str) -> None:
    """The firmware tells which stack there is, and the stack tells its version (MTS-OPEN-06, MTS-GAP-17)."""
    modem = modemOf(generation)
    assert modem.say("AT+CGMR") == f"\r\n{FIRMWARE[generation]}\r\n".encode() + OK
    text = rf'#VERSION: "eDsoft-{name}_V\d\d\.\d\d \d+ [A-Z][a-z]{{2}} \d{{1,2}} \d{{4}} \d\d:\d\d:\d\d"\r\n\r\nOK\r\n'
    assert re.fullmatch(text, modem.say("AT#VVERSION").decode())
    assert re.match(rf"eDsoft-{name}-V\d\d\.\d\d\r\n", modem.say("AT#VALL").decode())


def test_firmware() -> None:
    """The three modems have each firmware that the guide names, the newest by default (MTS-OPEN-06, MTS-OPEN-09)."""
    for name in ("MTCBA-G", "MTMMC-G", "MTSMC-G"):
        known = product(name)
        assert known.software == "651"
        for generation, software in FIRMWARE.items():
            assert known.withSoftware(software).family.generation is generation
            assert known.withSoftware("640b").withSoftware(software).family.generation is generation
        assert known.withSoftware("651a").family is known.family
        for software in ("642", "65", "10.00.147", ""):
            with pytest.raises(Misuse, match="is not a version such as 640b, 641c, 651"):
                known.withSoftware(software)


def test_limits() -> None:
    """What the guide leaves open can be chosen for an earlier stack too, but for what it doesn't have."""
    old = product("MTCBA-G").withSoftware("641c")
    assert old.withLimits({"close of a peer is an error": 1}).family.generation is V2_10
    with pytest.raises(Misuse, match="no limit 'both sockets listen'"):
        old.withLimits({"both sockets listen": 1})


# -- parameters


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_parameter(row: Row, generation: Generation) -> None:
    """
    A parameter is there from its generation on, with its number of the socket where there are several sockets.

    MTS-OPEN-07, MTS-OPEN-08, MTS-GAP-46.
    """
    modem = modemOf(generation)
    isThere = row.since <= generation
    name = f"AT#{row.name}"
    if row.name.endswith("ADD"):
        assert modem.say(name) == (b"" if isThere else failed(34817))
    elif not isThere:
        assert modem.say(f"{name}?") == modem.say(f"{name}=1,1") == modem.say(f"{name}=1") == failed(34817)
    elif row.perSocket and generation >= V3_02:
        assert modem.say(f"{name}?") == failed(34819)
        assert modem.say(f"{name}=1") == row_(row, "1,") + OK
    else:
        assert modem.say(f"{name}?") == row_(row) + OK
        assert not row.perSocket or modem.say(f"{name}=1,1") == failed(34819)


def row_(row: Row, socket: str = "") -> bytes:
    """What shows a parameter in the factory state."""
    value = row.default if isinstance(row.default, int) or row.name == "FTPTYPE" else f'"{row.default}"'
    return f"#{row.name}: {socket}{value}\r\n".encode()


@pytest.mark.parametrize("generation", EARLIER)
def test_oneSocket(generation: Generation) -> None:
    """Before 3.02 the parameters of the one TCP socket are written and read like others (MTS-OPEN-08, MTS-GAP-46)."""
    modem = modemOf(generation)
    for line in ('AT#TCPSERV="a.b"', "AT#TCPPORT=65535", "AT#DLEMODE=0"):
        assert modem.say(line) == OK
    modem.restart()
    assert modem.say("AT#VTCP") == b'#DLEMODE: 0\r\n#TCPSERV: "a.b"\r\n#TCPPORT: 65535\r\n' + OK
    assert [modem.read(name) for name in ("DLEMODE", "TCPSERV", "TCPPORT")] == ["0", '"a.b"', "65535"]
    for line in ("AT#TCPPORT=65536", "AT#DLEMODE=2", f'AT#TCPSERV="{"x" * 121}"'):
        assert modem.say(line) == failed(34882)
    for line in ("AT#VTCP=1", "AT#VTCP?", "AT#DLEMODE=1,1", "AT#TCPPORT", "AT#OTCP=1", "AT#LTCPSTOP=1"):
        assert modem.say(line) == failed(34819), line


@pytest.mark.parametrize(("generation", "answer"), [(V2_00, OK), (V2_10, OK), (V3_02, failed(34882))])
def test_modemWithoutPPP(generation: Generation, answer: bytes) -> None:
    """PPPMODE could be 0 before 3.02, and is kept so (MTS-DIAL-16, MTS-OPEN-08, MTS-GAP-21)."""
    modem = modemOf(generation)
    assert modem.say("AT#PPPMODE=0") == answer
    modem.restart()
    assert modem.read("PPPMODE") == ("0" if answer == OK else "1")
    for value in (1, 2, 3, 4, 9):
        assert modem.say(f"AT#PPPMODE={value}") == OK
    for value in (5, 8, 10):
        assert modem.say(f"AT#PPPMODE={value}") == failed(34882)


@pytest.mark.parametrize("generation", Generation)
def test_callers(generation: Generation) -> None:
    """
    Who may call is a number, nobody or everybody; 3.02 takes any text up to 64 characters.

    MTS-OPEN-08, MTS-GAP-67.
    """
    modem = modemOf(generation)
    assert modem.read("CALLSCREENNUM") == '"0"'
    for value in ("*", "0", "0123456789", "+33123456789", "1" * 21, ""):
        assert modem.say(f'AT#CALLSCREENNUM="{value}"') == OK
        assert modem.read("CALLSCREENNUM") == f'"{value}"'
    for value in ("private", "12 34", "1" * 22, "+", "**", "x" * 64):
        assert modem.say(f'AT#CALLSCREENNUM="{value}"') == (OK if generation is V3_02 else failed(34882)), value
    assert modem.say(f'AT#CALLSCREENNUM="{"x" * 65}"') == failed(34882)


@pytest.mark.parametrize(("before", "after"), [(V3_02, V2_10), (V2_10, V3_02), (V2_10, V2_00), (V2_00, V3_02)])
def test_otherFirmware(before: Generation, after: Generation) -> None:
    """A modem whose firmware is changed keeps what the new one can hold, and no more."""
    nvm = NVM()
    one = Modem('AT#FTPSERV="host"', software=FIRMWARE[before], nvm=nvm)
    one.say("AT#TCPPORT=1,7" if before is V3_02 else "AT#TCPPORT=7")
    one.say("AT#PPPMODE=0")
    one.say('AT#CALLSCREENNUM="anybody"')
    other = Modem(software=FIRMWARE[after], nvm=nvm)
    assert other.read("FTPSERV") == '"host"'
    port = other.say("AT#TCPPORT=1" if after is V3_02 else "AT#TCPPORT?")
    assert port.endswith((b"0\r\n" if V3_02 in (before, after) else b"7\r\n") + OK)
    assert other.read("PPPMODE") == ("1" if V3_02 in (before, after) else "0")
    assert other.read("CALLSCREENNUM") == '"0"'


def test_unknownParameters() -> None:
    """A service of an earlier stack sees what that doesn't have as a later one has it at first (MTS-OPEN-08)."""
    view = Parameters(modemOf(V2_00, "AT#TCPPORT=7").module.settings)
    assert (view["FTPMODE"], view["TCPTXDELAY", None], view["TCPPORT", None], view["UDPPORT"]) == (0, 100, 7, 0)


def test_erase() -> None:
    """The memory of the parameters is erased as with 3.02, whatever there is in it (MTS-MISC-12, MTS-OPEN-07)."""
    modem = modemOf(V2_10, "AT#TCPPORT=7", "AT#PINGNUM=9", "AT#DELFLASH")
    assert modem.read("TCPPORT") == "7"
    modem.restart()
    assert [modem.read(name) for name in ("TCPPORT", "PINGNUM")] == ["0", "4"]


# -- displays

VFTP = ["FTPGETFILENAME", "FTPGETPATH", "FTPPORT", "FTPPUTFILENAME", "FTPPUTPATH", "FTPPW", "FTPSERV", "FTPUN"]


@pytest.mark.parametrize("generation", EARLIER)
def test_displays(generation: Generation) -> None:
    """
    A display leaves out what the revision history of the guide adds to it for 3.02: FTPMODE and FTPTYPE of files,
    UDPSERV of UDP.

    MTS-OPEN-08.
    """
    modem = modemOf(generation)
    assert shown(modem.say("AT#VFTP")) == VFTP
    assert modem.say("AT#VTCP") == b'#DLEMODE: 1\r\n#TCPSERV: ""\r\n#TCPPORT: 0\r\n' + OK
    for name in ("VPHY", "VPPP", "VGPRS", "VPOP3", "VSMTP", "VDNS", "VMAIL1"):
        assert modem.say(f"AT#{name}") == modemOf(V3_02).say(f"AT#{name}")
    if generation is V2_10:
        assert modem.say("AT#VUDP") == b"#UDPPORT: 0\r\n#UDPTXDELAY: 100\r\n" + OK
        assert modem.say("AT#VPING") == modemOf(V3_02).say("AT#VPING")


@pytest.mark.parametrize(("generation", "blocks"), [(V2_00, 11), (V2_10, 13), (V3_02, 14)])
def test_all(generation: Generation, blocks: int) -> None:
    """AT#VALL shows all that a stack has and shows, in blocks, and no empty one (MTS-MISC-11, MTS-OPEN-08)."""
    answer = modemOf(generation).say("AT#VALL")
    assert answer.endswith(b"\r\n\r\nOK\r\n")
    assert len(answer.removesuffix(b"\r\n\r\nOK\r\n").split(b"\r\n\r\n")) == blocks
    expected = [
        row.name
        for row in ROWS
        if row.isShown(generation) and not row.name.endswith("ADD")
        for _ in (SOCKETS if row.perSocket and generation is V3_02 else (0,))
    ]
    assert sorted(shown(answer)) == sorted(expected)


# -- services


@pytest.mark.parametrize(
    "line", ["OUDP", "LUDPSTART", "LUDPSTOP", "VUDP", "PING", "VPING", "DELFLASH", "UDPPORT?", "PINGNUM?", "REC1ADD"]
)
def test_sinceSecondIssue(line: str) -> None:
    """UDP, echo requests, the entry of recipients and the erasure of the memory came with 2.10 (MTS-OPEN-07)."""
    assert modemOf(V2_00).say(f"AT#{line}") == failed(34817)
    assert modemOf(V2_10).say(f"AT#{line}") != failed(34817)


@pytest.mark.parametrize(
    ("generation", "lost", "runs"),
    [(V2_00, 35868, 37122), (V2_10, 35841, 37123), (V3_02, 35841, 37123)],
)
def test_numbers(generation: Generation, lost: int, runs: int) -> None:
    """2.00 has no number of its own for a lost connection, nor for a write while a service runs (MTS-OPEN-07)."""
    modem = connected(software=FIRMWARE[generation])
    socket = "" if generation < V3_02 else "1,"
    for line in (f'AT#TCPSERV={socket}"255.255.255.255"', f"AT#TCPPORT={socket}2024"):
        assert modem.say(line) == OK
    assert modem.say("AT#LTCPSTART" + ("=1" if socket else "")) == OK
    assert modem.say("AT#FTPPORT=22") == failed(runs)
    modem.module.contexts.lose(1)
    assert modem.port.heard() == failed(lost)
    assert modem.say("AT#FTPPORT=22") == OK


@pytest.mark.parametrize("generation", EARLIER)
def test_oldForms(generation: Generation) -> None:
    """Before 3.02 there is one TCP socket, which is opened and waits without a number (MTS-OPEN-08, MTS-GAP-46)."""
    modem = served(generation)
    assert modem.do("AT#OTCP") == WAITING
    modem.type(b"hello")
    assert modem.tcp.callers[-1].heard() == b"hello"
    assert modem.type(ETX) == ETX + CLOSED
    modem.listen(*ANYBODY, "AT#LTCPSTART")
    assert modem.say("AT#LTCPSTART") == modem.say("AT#OTCP") == failed(37122)
    modem.listen("AT#LTCPSTOP", "AT#LTCPSTART")
    assert modem.type(ETX) == OK
    assert modem.call().isClosed
    modem.listen("AT#LTCPSTART")
    wire = modem.call()
    assert modem.wait() == WAITING
    wire.close()
    assert modem.wait() == ETX + CLOSED


@pytest.mark.parametrize("generation", EARLIER)
def test_frames(generation: Generation) -> None:
    """Without TCPTXDELAY a frame that isn't full waits for a tenth of a second, as later by default (MTS-OPEN-08)."""
    modem = served(generation)
    modem.do("AT#OTCP")
    modem.port.say(b"hello")
    modem.memory.advance(0.09)
    assert modem.tcp.callers[-1].heard() == b""
    modem.memory.advance(0.02)
    assert modem.tcp.callers[-1].heard() == b"hello"


@pytest.mark.parametrize("generation", EARLIER)
def test_files(generation: Generation) -> None:
    """Without FTPMODE the server makes the data connection (MTS-OPEN-08)."""
    modem = served(generation)
    begun, file = modem.move("AT#FTPGET")
    assert begun == b"\r\nOk_Info_DataBegin\r\n"
    assert [order.partition(" ")[0] for order in modem.ftp.orders[-2:]] == ["PORT", "RETR"]
    assert modem.moved(file) == ETX + OK


@pytest.mark.parametrize("generation", EARLIER)
def test_closedStack(generation: Generation) -> None:
    """The stack is opened and closed as that of 3.02 is, and knows nothing while it is closed (MTS-OPEN-02)."""
    modem = modemOf(generation, "AT+WOPEN=0")
    for line in ("AT#VTCP", "AT#TCPPORT?", "AT#FTPMODE?", "AT#OTCP"):
        assert modem.say(line) == b"\r\nERROR\r\n"
    assert modem.say("AT+WOPEN=1") == OK
    assert modem.read("TCPPORT") == "0"
