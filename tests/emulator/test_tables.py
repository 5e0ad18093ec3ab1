"""What holds for every command table of every product: settings survive, test forms tell the truth."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest

from atrunproto.at.commands import Command
from atrunproto.at.parameters import Choice, Int, Parameter, Text
from atrunproto.at.settings import Stored
from atrunproto.emulator.products import FAMILIES, PRODUCTS, Product
from atrunproto.testing.emulated import MemoryModule, Wire

#: one product with each set of tables
PRODUCTS_BY_TABLE = ("GE865-QUAD", "HE863-EUR", "HE910-EUR")
#: settings that change how the answers look, that end the radio, or that another setting forbids to change at will
LOUD = {"E", "V", "Q", "S3", "S4", "S5", "#BND", "#DNS", "+CGCLASS", "+COPS selection"}
SETTINGS = [
    pytest.param(product, row, id=f"{product} {row.name}")
    for product in PRODUCTS_BY_TABLE
    for row in PRODUCTS[product].commands
    if row.isSetting and " " not in row.name and row.name not in LOUD
]


def legal(parameter: Parameter, chance: random.Random) -> tuple[str, Any]:
    """A legal value of a parameter, as it is typed and as it is."""
    if isinstance(parameter, Choice):
        text = chance.choice(parameter.values)
        return f'"{text}"', text
    if isinstance(parameter, Text):
        # an address where one is wanted, which any other text field takes as well
        text = f"127.0.0.{chance.randint(1, 254)}"[: parameter.longest]
        return f'"{text}"', text
    assert isinstance(parameter, Int)
    low, high, *step = chance.choice(parameter.ranges)
    value = chance.randrange(low, high + 1, step[0] if step else 1)
    return str(value), parameter.default if value == parameter.absent else value


def write(at: Wire, row: Command, values: Sequence[str], key: int | None) -> None:
    """Give a setting its values."""
    given = ",".join([*([] if key is None else [str(key)]), *values])
    basic = row.name[0] not in "+#"
    line = f"AT{row.name}{'' if basic and row.name[0] != 'S' else '='}{given}"
    answer = at.execute(line)
    assert answer == ["OK"], (line, answer)


def held(emulated: MemoryModule, row: Command, key: int | None) -> tuple[Any, ...]:
    """The values that a setting has."""
    at = emulated.module.instance(1)
    return at.settingsOf(row).get(row.name, key)


@pytest.mark.parametrize(("product", "row"), SETTINGS)
def test_everySettingSurvives(product: str, row: Command) -> None:
    """
    Any legal values are taken, read back, and kept over power-off as their row says.

    TEL-SCF-10, TEL-EXT-04, TEL-EXT-15.
    """
    chance = random.Random(f"{product} {row.name}")
    emulated = MemoryModule(product)
    at = emulated.port()
    at.execute("AT&K0")
    # with 1, #SELINT can't be set
    at.execute("AT#SMSMODE=0")
    for key in chance.sample(list(row.keys()), min(2, len(row.keys()))):
        typed, values = zip(*(legal(parameter, chance) for parameter in row.parameters), strict=True)
        write(at, row, typed, key)
        assert held(emulated, row, key) == values
        if row.read is not None and row.name != "#PDPAUTH":
            shown = [parameter.show(value) for parameter, value in zip(row.parameters, values, strict=True)]
            answer = at.execute(f"AT{row.name}?")
            assert any(all(value in line for value in shown) for line in answer[:-1]), (shown, answer)
        at.execute("AT&W")
        at.execute("AT&P0")
        emulated.module.powerOff()
        emulated.switchOn()
        if row.stored in (Stored.NVM, Stored.BASE, Stored.EXTENDED):
            assert held(emulated, row, key) == values
        elif not row.definable:
            assert held(emulated, row, key) == row.factory(key)


@pytest.mark.parametrize("product", PRODUCTS_BY_TABLE)
def test_storageIsPossible(product: str) -> None:
    """A setting in a profile is an instance's own, one in the common memory is the module's."""
    for row in PRODUCTS[product].commands:
        if row.isSetting and row.stored in (Stored.BASE, Stored.EXTENDED):
            assert not row.shared, row.name
        if row.isSetting and row.stored in (Stored.NVM, Stored.DEMAND):
            assert row.shared, row.name


def rangesOf(text: str) -> list[list[str]]:
    """The parameters of a test answer, each with what is in its brackets."""
    return [inner.split(",") for inner in re.findall(r"\(([^()]*)\)", text)]


@pytest.mark.parametrize("product", PRODUCTS_BY_TABLE)
def test_testFormsParseBack(product: str) -> None:
    """Every range that a test form of a command prints is one that its parameters take at both ends (TEL-GEN-06)."""
    emulated = MemoryModule(product)
    at = emulated.port()
    seen = 0
    for row in PRODUCTS[product].commands:
        if row.test is not None or row.testLine() is None or row.name[0] not in "+#":
            continue
        if " " in row.name:
            continue
        (answer, final) = at.execute(f"AT{row.name}=?")
        assert final == "OK"
        name, _, rest = answer.partition(": ")
        assert name == row.name
        numbers = [parameter for parameter in row.allParameters if parameter.range().startswith("(")]
        assert len(rangesOf(rest)) == len(numbers), answer
        for parameter, parts in zip(numbers, rangesOf(rest), strict=True):
            for part in parts:
                for end in part.strip('"').split("-") if isinstance(parameter, Int) else [part.strip('"')]:
                    value = int(end) if isinstance(parameter, Int) else end
                    assert parameter.holds(value) or value == getattr(parameter, "absent", None), (answer, end)
                    seen += 1
    assert seen > 150


@pytest.mark.parametrize("product", PRODUCTS_BY_TABLE)
def test_everyFormIsAnswered(product: str) -> None:
    """Every command in every form ends with a result, and none of them brings the module down (TEL-GEN-06)."""
    emulated = MemoryModule(product, timeScale=0.0)
    # instance 2 is the service's, once it is enabled
    at = emulated.port(3)
    at.execute("ATE0")
    known = PRODUCTS[product].commands
    skipped = {"#REBOOT", "#SHDN", "#ENHRST", "Q", "V", "S3", "S4", "S5", "E"}
    for row in known:
        if row.name in skipped or " " in row.name or row.name[0] not in "+#&\\DHIOSXZ":
            continue
        for form in ("", "?", "=?", "=", "=0", "=1", "=1,1", '="a"', '=1,"a","b"', "=1,1,1,1,1,1,1,1,1,1,1,1,1,1"):
            # ESC answers the prompt of a message
            end = "\r\x1b" if row.name in ("+CMGS", "+CMGW") else ""
            answer = at.execute(f"AT{row.name}{form}{end}")
            assert re.fullmatch(r"OK|ERROR|NO CARRIER|\+CM[ES] ERROR: .+", answer[-1]), (row.name + form, answer)
        if row.name in ("+CFUN", "+COPS"):
            at.execute("AT+CFUN=1")
            at.execute("AT+COPS=0")
    assert at.execute("AT") == ["OK"]


def test_noCommandInTwoTables() -> None:
    """No two tables of a family declare the same command; a mistake would show when a product is made."""
    for family in FAMILIES.values():
        for one, other in combinations(family.tables, 2):
            assert not one.rows.keys() & other.rows.keys(), (one.name, other.name)


@pytest.mark.parametrize("product", list(PRODUCTS.values()), ids=lambda each: each.name)
def test_everyProductAnswers(product: Product) -> None:
    """Every product of the applicability tables starts, and tells its model and software (TEL-APP-01, TEL-APP-05)."""
    at = MemoryModule(product.name, timeScale=0.0).port()
    assert at.execute("AT+CGMM") == [product.model, "OK"]
    assert at.execute("AT+CGMR") == [product.software, "OK"]
    assert at.execute("AT+CGSN") == ["357000000000001", "OK"]
    assert at.execute("AT#TCPATRUNL?")[-1] == ("OK" if product.hasRunAT else "ERROR")
