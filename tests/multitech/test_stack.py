"""The stack of a Multi-Tech modem: opened and closed, its version and state, its memory, and who uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atrunproto.at.errors import CommandFailed
from atrunproto.emulator.nvm import NVM
from atrunproto.multitech.errors import ANOTHER_RUNS, NO_LINK
from atrunproto.multitech.stack import Stack, State
from tests.multitech.modems import OK, Modem, failed

ERROR = b"\r\nERROR\r\n"


class FakeLink:
    """A connection that is as far as a test says."""

    def __init__(self, state: State, address: str | None = None) -> None:
        self.state = state
        self.address = address
        self.drops = 0

    async def resolve(self, name: str) -> str:
        """Know no host."""
        raise NotImplementedError

    def watch(self, lost: object) -> Callable[[], None]:
        """Tell nobody."""
        return lambda: None

    def touch(self) -> None:
        """Never become idle."""

    def drop(self) -> None:
        """Note that it was ended."""
        self.drops += 1


@pytest.mark.parametrize("product", ["MTCBA-G", "MTMMC-G", "MTSMC-G"])
def test_open(product: str) -> None:
    """MTS-OPEN-01, MTS-OPEN-03: a modem comes with its stack closed, and AT+WOPEN=1 opens it."""
    modem = Modem(isOpen=False, product=product)
    assert modem.say("AT+WOPEN?") == b"\r\n+WOPEN: 0\r\n" + OK
    assert modem.say("AT#PPPMODE?") == ERROR
    assert modem.say("AT+WOPEN=1") == OK
    assert modem.say("AT#PPPMODE?") == b"#PPPMODE: 1\r\n" + OK


@pytest.mark.parametrize(
    "line", ["AT#PPPMODE?", "AT#PPPMODE=2", "AT#VALL", "AT#VTCP", "AT#PINGNUM=0", "AT#NOSUCHNAME=1", "AT#DLEMODE=1"]
)
def test_closed(line: str) -> None:
    """MTS-OPEN-02, MTS-GAP-01: on a closed stack each AT# command is refused, known or not, right or wrong."""
    modem = Modem()
    assert modem.say("AT+WOPEN=0") == OK
    assert modem.say(line) == ERROR
    assert modem.say("AT+CSQ").endswith(OK)
    modem.say("AT+WOPEN=1")
    assert modem.read("PPPMODE") == "1"


def test_malformed() -> None:
    """AT+WOPEN takes 0 and 1; it fails as the commands that all modems have do."""
    modem = Modem()
    for line in ("AT+WOPEN", "AT+WOPEN=", "AT+WOPEN=2", "AT+WOPEN=1,1"):
        assert modem.say(line) == ERROR


@pytest.mark.parametrize("isOpen", [True, False])
def test_staysOverARestart(isOpen: bool) -> None:
    """MTS-GAP-01: the stack is after a restart what it was before."""
    modem = Modem(f"AT+WOPEN={int(isOpen)}")
    modem.restart()
    assert modem.say("AT#PPPMODE?") == (b"#PPPMODE: 1\r\n" + OK if isOpen else ERROR)


def test_deliveredOpen() -> None:
    """MTS-OPEN-03: a modem can also be had with its stack open from the start."""
    assert Modem(isOpen=False, startup=["AT+WOPEN=1"]).say("AT#PPPMODE?") == b"#PPPMODE: 1\r\n" + OK


def test_closingEndsAll() -> None:
    """MTS-GAP-01: closing the stack ends the services first, then the connection."""
    modem = Modem()
    stack = modem.module.part(Stack)
    link = stack.link = FakeLink(State.CONNECTED, "10.0.0.1")
    seen: list[int] = []
    stack.whenClosed(lambda: seen.append(link.drops))
    modem.say("AT+WOPEN=1")
    assert (seen, link.drops) == ([], 0)
    assert modem.say("AT+WOPEN=0") == OK
    assert (seen, link.drops) == ([0], 1)


def test_version() -> None:
    """MTS-MISC-01, MTS-OPEN-06: AT#VVERSION tells file, size and time of the build of the stack 3.02."""
    answer = Modem().say("AT#VVERSION").decode()
    text = r'#VERSION: "eDsoft-W302_V03\.00 \d+ [A-Z][a-z]{2} \d{1,2} \d{4} \d\d:\d\d:\d\d"\r\n\r\nOK\r\n'
    assert re.fullmatch(text, answer)


@pytest.mark.parametrize("state", [each for each in State if each is not State.NO_SERVICE])
def test_state(state: State) -> None:
    """MTS-MISC-02, MTS-GAP-18: AT#VSTATE tells how far the connection is, and OK after it."""
    modem = Modem()
    modem.module.part(Stack).link = FakeLink(state)
    assert modem.say("AT#VSTATE") == f'#STATE: "{state.value}"\r\n'.encode() + OK


def test_noService() -> None:
    """MTS-MISC-03, MTS-MISC-07: a modem with nothing in progress is idle, and without a network it says so."""
    modem = Modem()
    assert modem.say("AT#VSTATE") == b'#STATE: "IDLE"\r\n' + OK
    modem.memory.network.inService = False
    modem.module.radioChanged()
    assert modem.say("AT#VSTATE") == b'#STATE: "NO SERVICE"\r\n' + OK


def test_erase() -> None:
    """MTS-MISC-12, MTS-MISC-13, MTS-GAP-59: erased values stay until the restart, and what is written until then."""
    modem = Modem('AT#APNSERV="apn.com"', "AT#TCPPORT=2,7")
    assert modem.say("AT#DELFLASH") == OK
    assert modem.read("APNSERV") == '"apn.com"'
    assert modem.say("AT#PINGNUM=9") == OK
    assert modem.read("PINGNUM") == "9"
    modem.restart()
    assert [modem.read(name) for name in ("APNSERV", "PINGNUM")] == ['""', "4"]
    assert modem.say("AT#TCPPORT=2") == b"#TCPPORT: 2,0\r\n" + OK
    modem.say("AT#PINGNUM=8")
    modem.restart()
    assert modem.read("PINGNUM") == "8"


@pytest.mark.parametrize("reset", ["AT+CFUN=1", "AT+CFUN=1,1"])
def test_eraseByReset(reset: str) -> None:
    """MTS-MISC-13, MTS-GAP-59: AT+CFUN=1 is a hard reset too; another level of functionality isn't."""
    modem = Modem('AT#APNSERV="apn.com"', "AT#DELFLASH")
    modem.say("AT+CFUN=4")
    modem.memory.advance(10)
    assert modem.port.heard() == OK
    assert modem.read("APNSERV") == '"apn.com"'
    assert modem.port.say(f"{reset}\r".encode()) == OK
    modem.memory.advance(60)
    modem.port.heard()
    assert modem.say("AT#APNSERV?").endswith(b'#APNSERV: ""\r\n' + OK)


def test_eraseWithoutMemory(tmp_path: Path) -> None:
    """A modem whose memory can't be written any more starts all the same, and erases when it can."""
    folder = tmp_path / "memory"
    folder.mkdir()
    modem = Modem("AT#PINGNUM=9", "AT#DELFLASH", nvm=NVM(folder / "modem.nvm"))
    folder.rename(tmp_path / "away")
    modem.restart()
    assert modem.read("PINGNUM") == "9"
    (tmp_path / "away").rename(folder)
    modem.restart()
    assert modem.read("PINGNUM") == "4"


@pytest.mark.parametrize("name", ["VVERSION", "VSTATE", "DELFLASH", "VALL", "VPHY"])
def test_withoutParameters(name: str) -> None:
    """MTS-MISC-10, MTS-PAR-19: a command without a parameter takes none, and has no other form."""
    modem = Modem()
    for form in ("=", "=1", "?", "=?"):
        assert modem.say(f"AT#{name}{form}") == failed(34819), form


def serviceOf(stack: Stack) -> str | None:
    """The service that runs now."""
    return stack.service


def test_oneService() -> None:
    """MTS-GAP-58: while a service runs no other begins; when it is over, the next one may."""
    stack = Modem().module.part(Stack)
    claim = stack.claim("FTP")
    assert serviceOf(stack) == "FTP"
    with pytest.raises(CommandFailed) as raised:
        stack.claim("ping")
    assert raised.value.reason == ANOTHER_RUNS
    claim.release()
    assert serviceOf(stack) is None
    other = stack.claim("ping")
    claim.release()
    assert serviceOf(stack) == "ping"
    other.release()
    assert serviceOf(stack) is None


def test_powerEndsServices() -> None:
    """After a power cut no service of the time before blocks the next one."""
    modem = Modem()
    modem.module.part(Stack).claim("FTP")
    modem.restart()
    assert modem.say("AT#PINGNUM=2") == OK


def test_noLink() -> None:
    """What needs a connection is refused without one, and hears the address with one."""
    stack: Any = Modem().module.part(Stack)
    for link in (None, FakeLink(State.CHECKING)):
        stack.link = link
        with pytest.raises(CommandFailed) as raised:
            stack.needLink()
        assert raised.value.reason == NO_LINK
    stack.link = FakeLink(State.CONNECTED, "10.0.0.1")
    assert stack.needLink().address == "10.0.0.1"
