"""The commands of V.250 and the profiles, which every product has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrunproto.at.basic import commands as basic
from atrunproto.at.basic import loadStartProfile
from atrunproto.at.commands import Command
from atrunproto.at.parameters import Int
from tests.at.fakes import Bench, quiet

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"

SETTINGS = [row for row in basic.rows.values() if row.isSetting]
#: those whose change would make the test itself misunderstand the answers
READABLE = [row for row in SETTINGS if row.read is not None and row.name not in ("S3", "S4", "S5")]


def lines(text: str) -> bytes:
    """A block of information as it is framed."""
    return b"\r\n" + text.replace("\n", "\r\n").encode() + b"\r\n"


def powerCycle(bench: Bench, number: int = 1) -> Bench:
    """A module that starts with the memory of this one."""
    again = Bench(memory=bench.module.memory, number=number)
    loadStartProfile(again.at)
    return again


class TestToggles:
    """The basic commands with one number."""

    @pytest.mark.parametrize(
        ("name", "high", "default"),
        [
            ("E", 1, 1),
            ("V", 1, 1),
            ("Q", 2, 0),
            ("X", 4, 1),
            ("&K", 6, 3),
            ("&D", 5, 0),
            ("&C", 2, 1),
            ("&S", 3, 3),
            ("\\R", 2, 1),
            ("\\Q", 3, 3),
        ],
    )
    def test_range(self, name: str, high: int, default: int) -> None:
        """Each takes its numbers, means 0 when it stands bare, refuses the next number, and has its default."""
        bench = Bench()
        assert bench.at.value(name) == default
        for number in range(high + 1):
            bench.say(f"AT{name}{number}\r".encode())
            assert bench.at.value(name) == number
        bench.say(f"AT{name}\r".encode())
        assert bench.at.value(name) == 0
        bench.say(f"AT{name}{high + 1}\r".encode())
        assert bench.at.value(name) == 0

    def test_chain(self) -> None:
        """Basic commands follow each other without a separator."""
        bench = quiet()
        assert bench.say(b"ATX4&K0&D2\\Q3E0V1\r") == OK
        assert [bench.at.value(name) for name in ("X", "&K", "&D")] == [4, 0, 2]


class TestRegisters:
    """S registers."""

    @pytest.mark.parametrize(
        ("number", "low", "high", "default"),
        [
            (0, 0, 255, 0),
            (2, 0, 255, 43),
            (3, 0, 127, 13),
            (4, 0, 127, 10),
            (5, 0, 127, 8),
            (7, 1, 255, 60),
            (12, 20, 255, 50),
            (25, 0, 255, 5),
            (30, 0, 127, 0),
            (38, 0, 255, 20),
        ],
    )
    def test_range(self, number: int, low: int, high: int, default: int) -> None:
        """TEL-EXT-22: each register has its range and its default, and reads as three digits without a prefix."""
        bench = quiet()
        assert bench.say(b"ATS%d?\r" % number) == lines(f"{default:03d}") + OK
        for value in (high + 1, low - 1):
            if value >= 0:
                assert bench.say(b"ATS%d=%d\r" % (number, value)) == ERROR
        for value in (low, high):
            bench = quiet()
            bench.say(b"ATS%d=%d\r" % (number, value))
            assert bench.at.value(f"S{number}") == value

    def test_unknown(self) -> None:
        """A register that doesn't exist is an error, however many digits it has."""
        assert quiet().say(b"ATS1000?\rATS99=1\rATS123456789012?\r") == ERROR * 3

    def test_ringCount(self) -> None:
        """S1 counts rings and can only be read."""
        assert quiet().say(b"ATS1?\rATS1=1\r") == lines("000") + OK + ERROR

    def test_selected(self) -> None:
        """A register that was selected or read is meant by C{AT?} and C{AT=}."""
        bench = quiet()
        assert bench.say(b"ATS7\rAT?\r") == OK + lines("060") + OK
        assert bench.say(b"AT=90\rATS7?\r") == OK + lines("090") + OK
        assert bench.say(b"ATS12?\rAT?\rAT=10\r") == (lines("050") + OK) * 2 + ERROR
        assert bench.say(b"ATS1\rAT=5\r") == OK + ERROR
        assert bench.say(b"AT=256\r") == ERROR

    def test_severalOnALine(self) -> None:
        """Several registers are read in one line, each as a block of its own."""
        assert quiet().say(b"ATS2?S12?\r") == lines("043") + lines("050") + OK


class TestExtended:
    """The settings with a plus or a number sign."""

    @pytest.mark.parametrize(
        ("name", "read", "test"),
        [
            ("+CMEE", "0", "(0-2)"),
            ("+IPR", "0", "(0,1200,2400,4800,9600,19200,38400,57600,115200),(300)"),
            ("+IFC", "2,2", "(0-3),(0-2)"),
            ("+ICF", "0,0", "(0,1,2,3,5),(0,1)"),
            ("+FCLASS", "0", "(0,1,8)"),
            ("#CMEEMODE", "0", "(0,1)"),
            ("#SKIPESC", "0", "(0,1)"),
            ("#E2ESC", "0", "(0-10)"),
            ("#SELINT", "2", "(0-2)"),
        ],
    )
    def test_forms(self, name: str, read: str, test: str) -> None:
        """Each setting reads its default and tests as its ranges."""
        bench = quiet()
        assert bench.say(f"AT{name}?\r".encode()) == lines(f"{name}: {read}") + OK
        assert bench.say(f"AT{name}=?\r".encode()) == lines(f"{name}: {test}") + OK

    def test_errorsPerInstance(self) -> None:
        """+CMEE is a setting of the instance, in force from the next command of the same line on."""
        assert quiet().say(b"AT+CMEE=2;#DENY=10\r") == lines("+CME ERROR: SIM not inserted")
        assert quiet().say(b"AT#DENY=10\r") == ERROR


@pytest.mark.parametrize("row", READABLE, ids=lambda row: row.name)
def test_rangesReadBack(row: Command) -> None:
    """What the test form prints of a setting are the numbers that it takes."""
    bench = quiet()
    shown = bench.say(f"AT{row.name}=?\r".encode()).removesuffix(OK).decode().strip()
    assert shown.startswith(f"{row.name}: (")
    groups = shown.removeprefix(f"{row.name}: ").strip("()").split("),(")
    for parameter, group in zip(row.parameters, groups, strict=False):
        assert isinstance(parameter, Int)
        for low, high in (part.split("-") if "-" in part else (part, part) for part in group.split(",")):
            assert parameter.holds(int(low))
            assert parameter.holds(int(high))
        if row.name != "+IPR":
            assert parameter.range() == f"({group})"


def _legal(row: Command) -> st.SearchStrategy[tuple[int, ...]]:
    """Legal values for all parameters of a row of numbers."""
    return st.tuples(
        *(
            st.one_of([st.integers(low, high) for low, high, *_ in parameter.ranges])
            for parameter in row.parameters
            if isinstance(parameter, Int)
        )
    )


@settings(max_examples=200)
@given(st.data())
def test_roundTrip(data: Any) -> None:
    """A legal value of each setting survives write and read, and with &W and &P a power cycle."""
    row = data.draw(st.sampled_from(READABLE))
    values = data.draw(_legal(row))
    written = ",".join(map(str, values))
    bench = quiet()
    assert bench.say(f"AT{row.name}={written}\r".encode()) == OK
    shown = f"{values[0]:03d}" if row.name.startswith("S") else f"{row.name}: {written}"
    assert bench.say(f"AT{row.name}?\r".encode()) == lines(shown) + OK
    assert bench.say(b"AT&W&P\r") == OK
    assert powerCycle(bench).say(f"AT{row.name}?\r".encode()) == lines(shown) + OK


class TestProfiles:
    """Storing and loading."""

    def change(self, bench: Bench) -> None:
        """Change a setting of each section."""
        assert bench.say(b"ATS7=77;+CMEE=2;#SELINT=1\r") == OK

    def values(self, bench: Bench) -> tuple[int, int, int]:
        """Those settings: base section, extended section, NVM."""
        return bench.at.value("S7"), bench.at.value("+CMEE"), bench.at.value("#SELINT")

    def test_notStored(self) -> None:
        """Without &W nothing but the NVM survives power-off."""
        bench = quiet()
        self.change(bench)
        assert self.values(powerCycle(bench)) == (60, 0, 1)

    @pytest.mark.parametrize(("start", "values"), [(b"", (77, 0, 1)), (b"&Y0", (77, 0, 1)), (b"&P0", (77, 2, 1))])
    def test_start(self, start: bytes, values: tuple[int, int, int]) -> None:
        """&Y lets the base section of a profile start, &P the whole; a fresh module starts the base of profile 0."""
        bench = quiet()
        self.change(bench)
        bench.say(b"AT&W0" + start + b"\r")
        assert self.values(powerCycle(bench)) == values

    def test_twoProfiles(self) -> None:
        """Two profiles are kept apart; bare means 0."""
        bench = quiet()
        bench.say(b"ATS7=70&W\rATS7=71&W1\rAT&Y1\r")
        assert powerCycle(bench).at.value("S7") == 71
        bench.say(b"AT&Y\r")
        assert powerCycle(bench).at.value("S7") == 70

    def test_perInstance(self) -> None:
        """Each instance has its own profiles."""
        bench = quiet()
        self.change(bench)
        bench.say(b"AT&W&P\r")
        assert self.values(powerCycle(bench, number=2)) == (60, 0, 1)

    @pytest.mark.parametrize(
        ("line", "values"),
        [
            (b"&F", (60, 2, 1)),
            (b"&F0", (60, 2, 1)),
            (b"&F1", (60, 0, 1)),
            (b"Z", (70, 0, 1)),
            (b"Z1", (71, 0, 1)),
            (b"#Z=0", (70, 1, 1)),
            (b"#Z=1", (71, 0, 1)),
        ],
    )
    def test_load(self, line: bytes, values: tuple[int, int, int]) -> None:
        """&F and &F1 load the factory's sections, Z the base of a profile and the rest of the factory, #Z both."""
        bench = quiet()
        bench.say(b"ATS7=70;+CMEE=1;&W\rATS7=71;+CMEE=0;&W1\r")
        self.change(bench)
        assert bench.say(b"AT" + line + b"\r").endswith(OK)
        assert self.values(bench) == values

    @pytest.mark.parametrize("line", [b"&F2", b"&W2", b"Z2", b"#Z", b"#Z=2", b"&Y2", b"&P2"])
    def test_refused(self, line: bytes) -> None:
        """There are two profiles, and #Z wants to be told which."""
        assert quiet().say(b"AT" + line + b"\r") == ERROR

    def test_inForceAtOnce(self) -> None:
        """What a profile says of echo and verbosity rules the answer of the very line that loads it."""
        bench = Bench()
        bench.say(b"ATE0V0&W\rATE1V1\r")
        assert bench.say(b"ATZ\r") == b"ATZ\r0\r"
        assert bench.say(b"AT&F\r") == OK
        assert bench.say(b"AT\r") == b"AT\r" + OK

    def test_dataCallElsewhere(self) -> None:
        """TEL-NOT-09: ATZ is refused while a data call is up on another instance, and only then."""
        bench = quiet()
        bench.module.calling = 2
        assert bench.say(b"ATZ\r") == ERROR
        bench.module.calling = 1
        assert bench.say(b"ATE0Z\r").endswith(OK)

    @pytest.mark.parametrize(
        "kept", [None, 7, [], {}, {"base": 7}, {"base": {"S7": 5}, "extended": []}, {"base": {"S3": {"": [999]}}}]
    )
    def test_damagedProfile(self, kept: Any) -> None:
        """A profile that can't be understood counts as the factory's as far as it is damaged."""
        bench = quiet()
        bench.module.memory.kept["profile 1 0"] = kept
        assert bench.say(b"AT#Z=0\r").endswith(OK)
        assert self.values(bench) == (60, 0, 2)
        assert bench.at.value("S3") == 13

    @pytest.mark.parametrize("kept", [7, [], "x", [5], [1, 2, 3], {"a": 1}, [None, True]])
    def test_damagedStart(self, kept: Any) -> None:
        """A start profile that can't be understood is profile 0."""
        bench = quiet()
        bench.say(b"ATS7=70&W\r")
        bench.module.memory.kept["start 1"] = kept
        assert powerCycle(bench).at.value("S7") == 70
        assert b"&Y0=user profile 1" in bench.say(b"AT&V\r")


class TestView:
    """&V."""

    def test_factory(self) -> None:
        """The listing of a factory-fresh module is the one of a real one, line for line."""
        expected = """
DTE SPEED                      : AUTO
DTE FORMAT                     : AUTO
GSM DATA MODE                  : Not Transparent
AUTOBAUD                       : +IPR0=YES
COMMAND ECHO                   : E1=YES
RESULT MESSAGES                : Q0=YES
VERBOSE MESSAGES               : V1=YES
EXTENDED MESSAGES              : X1=YES
LINE SPEED                     : F0=autodetect
CONSTANT DTE SPEED             : YES
FLOW CONTROL OPTIONS           : &K3=HW bidirect.
ERROR CORRECTION MODE          : RLP
CTS (C106) OPTIONS             : &B2=OFF while disc.
DSR (C107) OPTIONS             : &S3=PHONE ready->ON
DTR (C108) OPTIONS             : &D0=ignored
DCD (C109) OPTIONS             : &C1=follows carrier
RI (C125) OPTIONS              : \\R1=OFF dur. off-hk
C108/1 OPERATION               : &D4=NO
POWER SAVING ON DTR            : +CFUN:1=NO
DEFAULT PROFILE                : &Y0=user profile 1""".lstrip("\n")
        assert Bench().say(b"AT&V\r") == b"AT&V\r" + lines(expected) + OK

    def test_changed(self) -> None:
        """The listing shows what is in force."""
        bench = quiet()
        listing = bench.say(b"AT+IPR=9600;+ICF=2;Q0X0&K0&D2&P1&V\r").decode()
        for text in (
            "SPEED                      : 9600",
            "+IPR0=NO",
            "FORMAT                     : 2",
            "E0=NO",
            "X0=NO",
        ):
            assert text in listing
        for text in ("&K0=none", "&D2=acts", "&P1=user profile 2"):
            assert text in listing

    @pytest.mark.parametrize("view", [b"&V1", b"&V3"])
    def test_registers(self, view: bytes) -> None:
        """&V1 lists the registers in decimal and hexadecimal, &V3 the inactivity timer too."""
        listing = quiet().say(b"AT" + view + b"\r").decode().split("\r\n")
        assert listing[1] == "REG     DEC     HEX"
        assert "012     050     032" in listing
        assert ("030     000     000" in listing) == (view == b"&V3")
        assert [line[:3] for line in listing[2:8]] == ["000", "001", "002", "003", "004", "005"]
