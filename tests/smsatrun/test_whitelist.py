"""The white list, and the other settings of the service."""

from __future__ import annotations

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.smsatrun.whitelist import NUMBER, PASSWORD, PLACES, WhiteList, admits
from atrunproto.testing.emulated import MemoryModule

from .service import FIRST, SECOND, STRANGER, Service


def filled() -> list[str]:
    """The list of L{Service} as it is read."""
    return ['#SMSATWL: 0,"+39*"', f'#SMSATWL: 1,"{FIRST}"', f'#SMSATWL: 1,"{SECOND}"', *["#SMSATWL: "] * 5, "OK"]


def test_prefix() -> None:
    """A number with a star admits all that begin so, and no other (TEL-SMS-32)."""
    service = Service()
    assert service.run("AT", sender="+393401112233") != ""
    assert service.run("AT", sender="+393479998877") != ""
    assert service.run("AT", sender="+41393401112") == ""


@pytest.mark.parametrize(
    ("entry", "number", "admitted"),
    [
        ("+393401112233", "+393401112233", True),
        ("+393401112233", "+3934011122334", False),
        ("+393401112233", "393401112233", False),
        ("393401112233", "393401112233", True),
        ("+39*", "+39", True),
        ("+39*", "+38", False),
        ("3*", "39", True),
        ("3*", "+39", False),
    ],
)
def test_admits(entry: str, number: str, admitted: bool) -> None:
    """An entry covers the number that it is, or all that begin like it (TEL-SMS-03, TEL-SMS-32)."""
    assert admits(entry, number) is admitted


def test_commands() -> None:
    """Entries are added, printed, deleted and listed by their places (TEL-SMS-31, TEL-SMS-33, TEL-EXT-03)."""
    service = Service()
    assert service.at.execute("AT#SMSATWL?") == filled()
    assert service.at.execute("AT#SMSATWL=2,1") == ['#SMSATWL: 0,"+39*"', "OK"]
    assert service.at.execute("AT#SMSATWL=2,8") == ["#SMSATWL: ", "OK"]
    assert service.at.execute("AT#SMSATWL=1,1") == ["OK"]
    assert service.at.execute("AT#SMSATWL=2,1") == ["#SMSATWL: ", "OK"]
    assert service.run("AT") == ""
    assert service.runSigned(b"AT") != b""
    assert service.at.execute("AT#SMSATWL=?") == ["#SMSATWL: (0-2),(1-8),(0,1)", "OK"]


@pytest.mark.parametrize(
    "arguments",
    [
        '0,0,0,"+39*"',
        '0,9,0,"+39*"',
        '3,1,0,"+39*"',
        '0,1,2,"+39*"',
        "0,1",
        "0,1,0",
        '0,1,0,""',
        '0,1,0,"*"',
        '0,1,0,"+"',
        '0,1,0,"+3*9"',
        '0,1,0,"39+"',
        '0,1,0,"anna"',
        '0,1,0,"+123456789012345678901"',
        '0,1,1,"123456789012345"',
        '0,1,1,"12345678901234567"',
    ],
)
def test_wrongEntries(arguments: str) -> None:
    """What is neither a number nor a password of 16 characters is refused (TEL-SMS-34, TEL-EXT-03)."""
    at = MemoryModule().port()
    assert at.execute(f"AT#SMSATWL={arguments}") == ["ERROR"]
    assert at.execute("AT#SMSATWL?") == ["#SMSATWL: "] * 8 + ["OK"]


def test_twoPasswords() -> None:
    """There are two passwords at most; one can be replaced at its place (TEL-SMS-35)."""
    service = Service()
    assert service.at.execute('AT#SMSATWL=0,4,1,"ABCDEFGHIJKLMNOP"') == ["ERROR"]
    assert service.at.execute('AT#SMSATWL=0,2,1,"ABCDEFGHIJKLMNOP"') == ["OK"]
    assert service.runSigned(b"AT") == b""
    assert service.runSigned(b"AT", "ABCDEFGHIJKLMNOP") != b""


def test_notFromAfar() -> None:
    """Who comes by digest, or by TCPATRUN as a server, can't change the white list (TEL-FWR-05, TEL-FWR-06)."""
    service = Service()
    wire = service.overTCP()
    change = f'AT#SMSATWL=0,4,0,"{STRANGER}"'
    assert service.runSigned(change.encode()) == b"\r\nERROR\r\n"
    assert service.runSigned(b"AT#TCPATRUNFRWL=2") == b"\r\nERROR\r\n"
    assert wire.execute(change) == ["ERROR"]
    assert service.at.execute("AT#SMSATWL?") == filled()
    assert service.run(change) == "\r\nOK\r\n"
    assert service.run("AT", sender=STRANGER) == "\r\nOK\r\n"


def test_config() -> None:
    """The configuration has its ranges and defaults, and can be changed while the service is off (TEL-EXT-01)."""
    at = MemoryModule().port()
    assert at.execute("AT#SMSATRUNCFG?;#SMSATRUNCFG=?") == [
        "#SMSATRUNCFG: 3,1,5",
        "#SMSATRUNCFG: (1-3),(0,1),(1-60)",
        "OK",
    ]
    for values in ("0,1,5", "4,1,5", "3,2,5", "3,1,0", "3,1,61", "", "3,1,5,1"):
        assert at.execute(f"AT#SMSATRUNCFG={values}") == ["ERROR"]
    assert at.execute("AT#SMSATRUNCFG=2;#SMSATRUNCFG?") == ["#SMSATRUNCFG: 2,1,5", "OK"]
    assert at.execute("AT#SMSATRUN=1;#SMSATRUNCFG=3") == ["ERROR"]
    assert at.execute("AT#SMSATRUN=0;#SMSATRUNCFG=3,0,60;#SMSATRUNCFG?") == ["#SMSATRUNCFG: 3,0,60", "OK"]


def test_eventMonitor() -> None:
    """While the event monitor is on, the instance that it shares can't be changed (TEL-EXT-01)."""
    at = MemoryModule().port()
    assert at.execute("AT#ENAEVMONI=1;#ENAEVMONI?;#ENAEVMONI=?") == ["#ENAEVMONI: 1,0", "#ENAEVMONI: (0,1)", "OK"]
    assert at.execute("AT#SMSATRUNCFG=2,1,5") == ["ERROR"]
    assert at.execute("AT#ENAEVMONI=0;#SMSATRUNCFG=2,1,5") == ["OK"]


def test_switch() -> None:
    """The switch is read with what becomes of it, and set twice it is what it was (TEL-SMS-30, TEL-EXT-02)."""
    service = Service()
    assert service.at.execute("AT#SMSATRUN=?") == ["#SMSATRUN: (0,1)", "OK"]
    assert service.at.execute("AT#SMSATRUN=1;#SMSATRUN?") == ["#SMSATRUN: 1,1", "OK"]
    assert service.at.execute("AT#SMSATRUN=0;#SMSATRUN=0;#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]
    assert service.at.execute("AT#SMSATRUN=2") == ["ERROR"]
    assert service.at.execute("AT#SMSATRUN") == ["ERROR"]


def test_factory() -> None:
    """From the factory the service is off, with an empty white list (TEL-SMS-52)."""
    at = MemoryModule().port()
    assert at.execute("AT#SMSATRUN?;#SMSATWL?") == ["#SMSATRUN: 0,0", *["#SMSATWL: "] * PLACES, "OK"]


def test_olderSoftware() -> None:
    """Software without the run-AT services doesn't know the commands."""
    at = MemoryModule("HE863-EUR").port()
    for command in ("#SMSATRUN?", "#SMSATRUNCFG?", "#SMSATWL?", "#ENAEVMONI?"):
        assert at.execute(f"AT{command}") == ["ERROR"]


@pytest.mark.parametrize("kept", ["x", [None] * 7, [[0, "+39*"], *[None] * 6], 5])
def test_foreignMemory(kept: object) -> None:
    """A memory that holds no white list is an empty one."""
    assert list(WhiteList(kept)) == [None] * PLACES


@pytest.mark.parametrize("entry", [3, "ab", [0, "x"], [0, 3], [1, "short"], [1, 16], [1, "\u0394" * 16], [2, "+39*"]])
def test_damagedMemory(entry: object) -> None:
    """An entry of the memory that makes no sense is left out, and the others are in force."""
    kept = [entry, *[[PASSWORD, FIRST]] * 3, [NUMBER, "+39*"], *[None] * 3]
    expected = [None, (PASSWORD, FIRST), (PASSWORD, FIRST), None, (NUMBER, "+39*"), None, None, None]
    assert list(WhiteList(kept)) == expected


def test_include() -> None:
    """An entry finds the first free place, once."""
    entries = WhiteList()
    entries.add(1, PASSWORD, FIRST)
    entries.include(NUMBER, "+39*")
    entries.include(NUMBER, "+39*")
    assert list(entries)[:3] == [(PASSWORD, FIRST), (NUMBER, "+39*"), None]
    for index in range(3, PLACES + 1):
        entries.add(index, NUMBER, str(index))
    with pytest.raises(Misuse):
        entries.include(NUMBER, "+41*")
