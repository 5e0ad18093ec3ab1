"""Command tables: what one row gives rise to, and how tables become the commands of a product."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atrunproto.at.bearer import BearerKind
from atrunproto.at.commands import (
    CACHED_LENGTH,
    CACHED_LINES,
    Broken,
    CommandSet,
    CommandTable,
    Invocation,
    refusedOver,
)
from atrunproto.at.errors import Misuse
from atrunproto.at.module import ATInstance
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, PLAIN_ERROR, TELIT, refuse
from atrunproto.at.settings import Stored
from tests.at.fakes import Bench, quiet

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


def line(text: str) -> bytes:
    """A line of information as it is framed."""
    return b"\r\n" + text.encode() + b"\r\n"


def reads(bench: Bench, name: str) -> bytes:
    """What the read form of a setting says, without its framing."""
    return bench.say(b"AT" + name.encode() + b"?\r").removesuffix(OK).strip()


def test_actionForms() -> None:
    """An action without parameters runs bare, tests as OK, and has neither a read nor a set form."""
    bench = quiet()
    assert bench.say(b"AT+CSQ\r") == line("+CSQ: 20,0") + OK
    assert bench.say(b"AT+CSQ=?\r") == OK
    assert bench.say(b"AT+CSQ=1\r") == ERROR
    assert bench.say(b"AT+CSQ=\r") == ERROR


@pytest.mark.parametrize(
    ("cmee", "answer"),
    [(b"0", ERROR), (b"1", line("+CME ERROR: 4")), (b"2", line("+CME ERROR: operation not supported"))],
)
def test_readFormOfAnAction(cmee: bytes, answer: bytes) -> None:
    """The read form of a command that only acts is not supported, which +CMEE makes visible."""
    assert quiet().say(b"AT+CMEE=" + cmee + b";+CSQ?\r") == answer


@pytest.mark.parametrize("cmee", [b"0", b"1", b"2"])
@pytest.mark.parametrize(
    "command", [b"#GRPS?", b"+NOPE", b"#PAIR=9", b"#PAIR=1,2,3", b"#ARGS", b"#PAIR=x", b"#PAIR=(", b"#"]
)
def test_plainErrors(cmee: bytes, command: bytes) -> None:
    """TEL-GEN-06: an unknown command, a bad value and a syntax error are a plain ERROR whatever +CMEE is."""
    bench = quiet()
    bench.say(b"AT+CMEE=" + cmee + b"\r")
    assert bench.say(b"AT" + command + b"\r") == ERROR


def test_actionDefaults() -> None:
    """An argument that an action isn't given has its default, at the end and in the midst of the list."""
    bench = quiet()
    assert bench.say(b'AT#ARGS="a"\r') == line("#ARGS: a|7|none") + OK
    assert bench.say(b"AT#ARGS=a,,c\r") == line("#ARGS: a|7|c") + OK
    assert bench.say(b"AT#ARGS=a,3\r") == line("#ARGS: a|3|none") + OK
    assert bench.say(b"AT#ARGS=,3\r") == ERROR


def test_settingForms() -> None:
    """One row of a setting gives its set, read and test forms."""
    bench = quiet()
    assert bench.say(b"AT#PAIR?\r") == line("#PAIR: 1,10") + OK
    assert bench.say(b"AT#PAIR=?\r") == line("#PAIR: (0-5),(10-20)") + OK
    assert bench.say(b"AT#PAIR=3,15\r") == OK
    assert reads(bench, "#PAIR") == b"#PAIR: 3,15"
    assert bench.say(b"AT#PAIR\r") == ERROR


def test_omittedKeepsTheValue() -> None:
    """In a setting an omitted argument keeps its value; C{=} alone is OK and changes nothing."""
    bench = quiet()
    bench.say(b"AT#PAIR=3,15\r")
    assert bench.say(b"AT#PAIR=4\r") == OK
    assert reads(bench, "#PAIR") == b"#PAIR: 4,15"
    assert bench.say(b"AT#PAIR=,16\r") == OK
    assert reads(bench, "#PAIR") == b"#PAIR: 4,16"
    assert bench.say(b"AT#PAIR=\r") == OK
    assert reads(bench, "#PAIR") == b"#PAIR: 4,16"
    assert bench.say(b"AT+CMEE=\r") == OK


def test_refusedSettingChangesNothing() -> None:
    """TEL-GEN-06: where one of several values is out of range, none is taken over."""
    bench = quiet()
    assert bench.say(b"AT#PAIR=3,99\r") == ERROR
    assert reads(bench, "#PAIR") == b"#PAIR: 1,10"


def test_keyedSetting() -> None:
    """A setting that exists several times is read as one line each, its key first."""
    bench = quiet()
    assert bench.say(b"AT#CONN=1,512\r") == OK
    assert bench.say(b"AT#CONN?\r") == b"\r\n#CONN: 1,512\r\n#CONN: 2,200\r\n#CONN: 3,300\r\n" + OK
    assert bench.say(b"AT#CONN=?\r") == line("#CONN: (1-3),(0-1500)") + OK
    assert bench.say(b"AT#CONN=1,0\r") == OK
    assert reads(bench, "#CONN").startswith(b"#CONN: 1,300")
    assert bench.say(b"AT#CONN=4,300\r") == ERROR
    assert bench.say(b"AT#CONN=\r") == ERROR


def test_definableSetting() -> None:
    """A setting that comes into being by being set reads as OK alone before; given its key alone, it goes."""
    bench = quiet()
    assert bench.say(b"AT+DEF?\r") == OK
    assert bench.say(b'AT+DEF=2,"internet"\r') == OK
    assert bench.say(b"AT+DEF?\r") == line('+DEF: 2,"internet"') + OK
    assert bench.say(b"AT+DEF=2\r") == OK
    assert bench.say(b"AT+DEF?\r") == OK


def test_sharedSetting() -> None:
    """A setting of the module is the same from each instance; one of the instance isn't."""
    bench = quiet()
    other = ATInstance(2, bench.commands, bench.module)
    bench.say(b'AT#PAIR=3;#NAME="x"\r')
    assert other.value("#PAIR") == bench.at.value("#PAIR") == 3
    assert (bench.at.value("#NAME"), other.value("#NAME")) == ("x", "")


def test_checkAndChanged() -> None:
    """A setting may refuse a value that is in its range, and tells of a new one once it is in force."""
    table, told = CommandTable("t"), []

    def check(at: ATInstance, values: Any, key: Any) -> None:
        if values == (3,):
            raise refuse(CME[3])

    def changed(at: ATInstance, values: Any, key: Any) -> None:
        told.append((at.value("#T"), values, key))

    table.setting("#T", Int("n", 0, 9, default=1), check=check, changed=changed)
    bench = Bench(tables=[table])
    assert bench.say(b"AT#T=3\r").endswith(ERROR)
    assert bench.at.value("#T") == 1
    assert bench.say(b"AT#T=4\r").endswith(OK)
    assert told == [(4, (4,), None)]


def test_brokenMemory() -> None:
    """A setting that can't be kept answers with the memory's error, and keeps its old value."""
    bench = quiet()
    bench.module.memory.broken = True
    assert bench.say(b"AT+CMEE=1;#PAIR=3\r") == line("+CME ERROR: 23")
    assert reads(bench, "#PAIR") == b"#PAIR: 1,10"


def test_ownReadAndTest() -> None:
    """A row may have a read and a test form of its own, completed by decorators."""
    table = CommandTable("t")

    @table.action("#A")
    def act(at: ATInstance) -> None:
        """Do nothing."""

    @table.read("#A")
    def read(at: ATInstance) -> str:
        return "#A: read"

    @table.test("#A")
    def test(at: ATInstance) -> str:
        return "#A: test"

    bench = Bench(tables=[table])
    assert bench.say(b"AT#A?\r").endswith(line("#A: read") + OK)
    assert bench.say(b"AT#A=?\r").endswith(line("#A: test") + OK)


def test_needsValue() -> None:
    """An action that needs its value can't be run bare, though each parameter has a default."""
    table = CommandTable("t")

    @table.action("#A", Int("n", 0, 9, default=1), needsValue=True)
    def act(at: ATInstance, n: int) -> str:
        return f"#A: {n}"

    bench = Bench(tables=[table])
    assert bench.say(b"AT#A\r").endswith(ERROR)
    assert bench.say(b"AT#A=\r").endswith(line("#A: 1") + OK)


def test_declaredTwice() -> None:
    """Two rows of one name are a mistake that shows at once, in one table or in two of one product."""
    table, other = CommandTable("t"), CommandTable("u")
    table.setting("#A", Int("n", 0, 9, default=1))
    with pytest.raises(Misuse, match="#A is declared twice in table t"):
        table.setting("#A", Int("n", 0, 9, default=1))
    other.setting("#A", Int("n", 0, 9, default=1))
    with pytest.raises(Misuse, match="#A is declared in two tables"):
        CommandSet(TELIT, [table, other])


def test_keptByEachInstance() -> None:
    """A setting of the NVM is one for the whole module: instances would overwrite each other's there."""
    with pytest.raises(Misuse, match="#A is kept in the NVM"):
        CommandTable("t").setting("#A", Int("n", 0, 9, default=1), stored=Stored.NVM)


def test_productThatLacksACommand() -> None:
    """A command that a product lacks is unknown there, like any other unknown word."""
    bench = quiet(without=["+CSQ"])
    assert bench.say(b"AT+CSQ\r") == ERROR
    assert "+CSQ" not in {row.name for row in bench.commands}


def test_refusedOver() -> None:
    """A row tells, in words too, over which bearers its command is refused."""
    limit = refusedOver(BearerKind.SMS_DIGEST, BearerKind.TCPATRUN_SERVER)
    assert limit.__doc__ == "refused over SMSATRUN digest, TCPATRUN server mode"


def test_prepared() -> None:
    """A line is prepared as far as it can be run: commands in their order, the reason of a failure last."""
    commands = Bench().commands
    assert commands.prepare(b"+CSQ?;E1") == (Broken(CME[4]),)
    run, read, broken = commands.prepare(b"#PAIR=1,10;#PAIR?;#PAIR=99;+CSQ")
    assert isinstance(run, Invocation)
    assert (run.row.name, run.arguments, run.isRead) == ("#PAIR", (1, 10), False)
    assert isinstance(read, Invocation)
    assert read.isRead
    assert broken == Broken(PLAIN_ERROR)


def test_preparedLinesAreKept() -> None:
    """A line that is repeated is prepared once, unless it holds a password or is long; the store is bounded."""
    commands = Bench().commands
    assert commands.prepare(b"+CSQ") is commands.prepare(b"+CSQ")
    assert commands.prepare(b"#PASS=secret") is not commands.prepare(b"#PASS=secret")
    long = b"+CSQ;" * (CACHED_LENGTH // 5) + b"+CSQ"
    assert commands.prepare(long) is not commands.prepare(long)
    for number in range(3 * CACHED_LINES):
        commands.prepare(b"#NAME=%d" % number)
    assert len(commands._cache) <= CACHED_LINES


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(alphabet='ESPAIRCONDEF+#&;=?,"0129', max_size=60).map(str.encode))
def test_hostileLines(body: bytes) -> None:
    """Whatever a line holds, preparing it never fails, and only its last command can be a broken one."""
    prepared = _COMMANDS.prepare(body)
    assert all(isinstance(command, Invocation) for command in prepared[:-1])


_COMMANDS = Bench().commands


@given(
    st.integers(0, 5),
    st.integers(10, 20),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters='"'), max_size=8),
)
def test_settingsReadBack(a: int, b: int, name: str) -> None:
    """Legal values survive being written, read, and read out of the memory at the next power-on."""
    bench = quiet()
    assert bench.say(f'AT#PAIR={a},{b};#NAME="{name}"\r'.encode()) == OK
    assert bench.say(b"AT#PAIR?;#NAME?\r") == line(f"#PAIR: {a},{b}") + line(f'#NAME: "{name}"') + OK
    assert reads(Bench(memory=bench.module.memory), "#PAIR").endswith(f"#PAIR: {a},{b}".encode())


def test_definableChangesNothing() -> None:
    """An empty value leaves what may be undefined as it is, its key being optional like the rest (TEL-GEN-06)."""
    bench = quiet()
    assert bench.say(b'AT+DEF=2,"apn"\r') == OK
    assert bench.say(b"AT+DEF=\r") == OK
    assert bench.say(b"AT+DEF?\r") == line('+DEF: 2,"apn"') + OK


def test_testFormWithoutRanges() -> None:
    """A test form that has no range to show answers OK alone."""
    table = CommandTable("t")
    table.action("#ONE", Text("word"))(lambda at, word: None)
    table.action("#TWO", Text("word"), Int("n", 0, 1))(lambda at, word, n: None)
    commands = CommandSet(TELIT, [table], plainTests=["#TWO"])
    assert table.rows["#ONE"].testLine() is None
    assert table.rows["#TWO"].testLine() == "#TWO: ,(0,1)"
    (invocation,) = commands.prepare(b"#TWO=?")
    assert isinstance(invocation, Invocation)
    assert invocation.handler(None) is None


def test_rowFacts() -> None:
    """A row knows what the manual tells of it."""
    table = CommandTable("t")
    row = table.setting(
        "#A", Text("word", secret=True, default=""), stored=Stored.DEMAND, shared=True, source="somewhere", longest=9.0
    )
    assert (row.secret, row.stored, row.source, row.longest, row.isSetting) == (
        True,
        Stored.DEMAND,
        "somewhere",
        9.0,
        True,
    )
    assert row.testLine() is None
