"""Typed calls: the rows of the command tables as the peer uses them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.at.grammar import parse
from atrunproto.at.parameters import Choice, Int, Numbers, Text, parseArguments
from atrunproto.at.peercalls import callText, content, fieldsOf, readValues
from atrunproto.at.results import MULTITECH, TELIT

table = CommandTable("calls")
PLAIN = table.add(Command("+CSQ", execute=lambda at: None))
TEXTS = table.add(Command("#SD", (Int("connId", 1, 6), Text("address"), Int("port", 0, 9, default=7)), run=print))
BASIC = table.setting("&K", Int("value", 0, 6, default=3), bare=(0,))
REGISTER = table.setting("S3", Int("value", 0, 127, default=13))
KEYED = table.setting("#SCFG", Int("size", 0, 1500, default=300), Text("x", default=""), key=Int("connId", 1, 6))
CHOICE = table.setting("+CSCS", Choice("chset", ["GSM", "UCS2"], default="GSM"), Numbers("n", [1, 4], default=1))
SECRET = table.setting("#AUTH", Text("password", 8, default="", secret=True))
MODE = table.setting("+CREG", Int("mode", 0, 2, default=0), tellsStatus=True)


@pytest.mark.parametrize(
    ("row", "values", "named", "text"),
    [
        (PLAIN, (), {}, "+CSQ"),
        (TEXTS, (1, "a,b"), {}, '#SD=1,"a,b"'),
        (TEXTS, (1,), {"port": 3, "address": ""}, '#SD=1,"",3'),
        (TEXTS, (1, "x", None), {}, '#SD=1,"x"'),
        (BASIC, (), {}, "&K"),
        (BASIC, (0,), {}, "&K0"),
        (REGISTER, (13,), {}, "S3=13"),
        (KEYED, (2, None, "x"), {}, '#SCFG=2,,"x"'),
        (KEYED, (), {"connId": 2, "size": 10}, "#SCFG=2,10"),
        (CHOICE, ("GSM",), {}, '+CSCS="GSM"'),
        (MODE, (True,), {}, "+CREG=1"),
    ],
)
def test_callText(row: Command, values: tuple[Any, ...], named: dict[str, Any], text: str) -> None:
    """A call is written as a command line that the module's own grammar and row understand."""
    assert callText(row, values, named, TELIT) == text
    (command,) = parse(text.encode())
    assert command.name == row.name
    if command.arguments:
        parseArguments(row.allParameters, command.arguments)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (TEXTS, (7, "x")),
        (TEXTS, (1,)),
        (TEXTS, (1, "x", 1, 1)),
        (CHOICE, ("UTF8",)),
        (CHOICE, ("GSM", 2)),
        (BASIC, (9,)),
    ],
)
def test_badValues(row: Command, values: tuple[Any, ...]) -> None:
    """A value that the module would refuse is refused with the error of its dialect."""
    for dialect in (TELIT, MULTITECH):
        with pytest.raises(CommandFailed) as raised:
            callText(row, values, {}, dialect)
        assert raised.value.reason is dialect.badValue


def test_badForms() -> None:
    """A command that needs values, or takes none, says so as the module would."""
    with pytest.raises(CommandFailed) as raised:
        callText(TEXTS, (), {}, MULTITECH)
    assert raised.value.reason is MULTITECH.syntaxError
    with pytest.raises(CommandFailed) as raised:
        callText(PLAIN, (1,), {}, MULTITECH)
    assert raised.value.reason is MULTITECH.syntaxError


@pytest.mark.parametrize(
    ("values", "named"), [((), {"nothing": 1}), ((1,), {"connId": 1}), ((1, 'say "x"'), {}), ((1, "a\rATD1"), {})]
)
def test_misuse(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """What can't be written as an argument never reaches the wire."""
    with pytest.raises(Misuse):
        callText(TEXTS, values, named, TELIT)


def test_secretsStayInside() -> None:
    """The error of a refused password doesn't show it."""
    with pytest.raises(CommandFailed) as raised:
        callText(SECRET, ("much too long",), {}, TELIT)
    assert "much" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("1,2", ["1", "2"]),
        ('"a,b", 2', ["a,b", "2"]),
        ("1,,3", ["1", None, "3"]),
        ("", [None]),
        ('1,""', ["1", ""]),
        ("1,", ["1", None]),
        ("a b", ["a b"]),
    ],
)
def test_fields(text: str, fields: list[str | None]) -> None:
    """Values come apart at commas outside quotes; blanks round them don't count."""
    assert fieldsOf(text) == fields


@pytest.mark.parametrize(
    ("row", "lines", "values"),
    [
        (REGISTER, ["013"], (13,)),
        (CHOICE, ['+CSCS: "UCS2",4'], ("UCS2", 4)),
        (KEYED, ['#SCFG: 1,300,"a"', "#SCFG: 2,0"], {1: (300, "a"), 2: (0, None)}),
        (KEYED, [], {}),
        (MODE, ['+CREG: 2,1,"00FF"'], (2, "1", "00FF")),
    ],
)
def test_readValues(row: Command, lines: list[str], values: object) -> None:
    """A read form comes back as the values of the row, by key where it has one."""
    assert readValues(row, lines) == values


@pytest.mark.parametrize(
    ("row", "lines"), [(MODE, ["+CREG: 9"]), (MODE, []), (MODE, ["+CREG: 1", "+CREG: 1"]), (MODE, ['+CREG: "a"b'])]
)
def test_unreadable(row: Command, lines: list[str]) -> None:
    """An answer that doesn't fit the row is the module's error."""
    with pytest.raises(PeerViolation):
        readValues(row, lines)


def test_content() -> None:
    """The name in front of an answer is no part of what it says."""
    assert content(MODE, "+CREG: (0-2)") == "(0-2)"


@given(
    st.integers(1, 6),
    st.integers(0, 1500),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"')),
)
def test_roundTrip(connId: int, size: int, text: str) -> None:
    """What a call sets, the read form gives back."""
    assert callText(KEYED, (connId, size, text), {}, TELIT).startswith(f"#SCFG={connId},{size},")
    assert readValues(KEYED, [KEYED.show((size, text), connId)]) == {connId: (size, text)}


@given(st.text(max_size=40))
def test_hostileLines(line: str) -> None:
    """Whatever a module answers to a read, it is values or its error."""
    for row in (KEYED, CHOICE, MODE):
        try:
            readValues(row, [f"{row.name}: {line}"])
        except PeerViolation:
            continue
