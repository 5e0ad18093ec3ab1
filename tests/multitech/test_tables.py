"""The tables of Multi-Tech's stack hold what the tables of the requirements do, row by row."""

from __future__ import annotations

import pytest

from atrunproto.at.results import ERROR, NO_CARRIER, OK, RING, ErrorFamily, Reason
from atrunproto.emulator.products import PRODUCTS
from atrunproto.multitech import errors
from atrunproto.multitech.displays import BLOCKS, DISPLAYS, SOCKET
from atrunproto.multitech.errors import MEANINGS, Message, message
from atrunproto.multitech.parameters import BY_NAME, ROWS, Row
from tests.multitech.modems import Modem, rowsOf

PARAMETERS = {row["name"]: row for row in rowsOf("multitech-parameters.csv")}
CODES = rowsOf("multitech-result-codes.csv")


def displaysOf(row: Row) -> str:
    """The commands that show a parameter."""
    name = row.name.removesuffix("ADD")
    shown = [f"AT{command}" for command, names in DISPLAYS.items() if name in names]
    shown += ["AT#VTCP=<id>"] if name in SOCKET else []
    return " ".join(shown + (["AT#VALL"] if any(name in names for names, _ in BLOCKS) else []))


def asPrinted(row: Row) -> dict[str, str]:
    """A row as the table of the requirements has it, its notes left out."""
    bounds = {"min": row.low, "max": row.high, "step": row.step, "max_length": row.longest}
    return {
        "name": row.name,
        "group": row.group,
        "type": row.kind.value,
        **{column: "" if value is None else str(value) for column, value in bounds.items()},
        "default": str(row.default),
        "indexed_by_socket": "yes" if row.perSocket else "no",
        "display_commands": displaysOf(row),
    }


def test_everyParameter() -> None:
    """MTS-PAR-14, MTS-PAR-15: the modem has each parameter that the guide has, and no other."""
    assert [row.name for row in ROWS] == list(PARAMETERS)
    assert len(ROWS) == 71


@pytest.mark.parametrize("name", BY_NAME)
def test_parameter(name: str) -> None:
    """A parameter has the type, the range, the length, the default and the displays of the guide."""
    wanted = dict(PARAMETERS[name])
    del wanted["values_and_notes"]
    assert asPrinted(BY_NAME[name]) == wanted


def test_errors() -> None:
    """Each number of the guide has its name and its meaning here, and there is no other."""
    numbers = [int(row["numeric"]) for row in CODES if row["kind"] == "error"]
    assert [reason.number for reason in MEANINGS] == numbers
    assert all(reason.family is ErrorFamily.MULTITECH for reason in MEANINGS)
    named = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, Reason)}
    assert named == set(MEANINGS)
    assert len(set(MEANINGS.values())) == len(numbers)


def test_messages() -> None:
    """MTS-RES-02, MTS-GAP-07: each information message has the number of the guide, and one of its two spellings."""
    printed = {int(row["numeric"]): row["verbose"] for row in CODES if row["kind"] == "information"}
    assert {each.value for each in Message} == printed.keys()
    module = Modem().module
    for each in Message:
        code = message(module, each)
        assert code.number == each.value
        assert code.text.startswith("Ok_Info_")
        assert code.text.lower() == printed[each.value].lower()


def test_otherSpelling() -> None:
    """MTS-GAP-07, MTS-GAP-08: a product may spell the messages as the chapters of the guide do."""

    class Chapters:
        """A module whose product does so."""

        def limit(self, name: str) -> int:
            """The one limit that is asked for."""
            return {"messages as in the chapters": 1}[name]

    printed = {int(row["numeric"]): row["verbose"] for row in CODES if row["kind"] == "information"}
    assert {each.value: message(Chapters(), each).text for each in Message} == printed  # type: ignore[arg-type]


def test_standardCodes() -> None:
    """MTS-RES-01: the standard codes that are used have the numbers of the guide."""
    printed = {int(row["numeric"]): row["verbose"] for row in CODES if row["kind"] == "standard"}
    for code in (OK, RING, NO_CARRIER, ERROR):
        assert printed[code.number] == code.text


def test_products() -> None:
    """MTS-OPEN-09: the three modems are one in all they do."""
    modems = [PRODUCTS[name] for name in ("MTCBA-G", "MTMMC-G", "MTSMC-G")]
    assert len({product.family.name for product in modems}) == 1
    assert all(product.commands is modems[0].commands for product in modems)
