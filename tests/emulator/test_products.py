"""The products: names, versions, and what sets the families apart."""

from __future__ import annotations

import re

import pytest

from atrunproto.at.errors import Misuse
from atrunproto.emulator.limits import LIMITS
from atrunproto.emulator.module import EmulatedModule
from atrunproto.emulator.network import Network
from atrunproto.emulator.products import FAMILIES, PRODUCTS, Family, product, versionReaches
from atrunproto.testing.emulated import MemoryModule, MemoryReactor


@pytest.mark.parametrize(
    ("version", "minimum", "reaches"),
    [
        ("10.00.007", "10.00.xx7", True),
        ("10.00.147", "10.00.xx7", True),
        ("10.00.146", "10.00.xx7", False),
        ("10.01.003", "10.00.xx7", True),
        ("16.00.002", "16.00.xx2", True),
        ("7.03.02", "10.00.xx2", False),
        ("12.00.4", "12.00.xx4", False),
        ("", "12.00.xx4", False),
    ],
)
def test_versions(version: str, minimum: str, reaches: bool) -> None:
    """Letters of a printed version take no part in the comparison (TEL-APP-07, TEL-APP-01)."""
    assert versionReaches(version, minimum) is reaches


def test_olderSoftware() -> None:
    """A product with software below the listed version lacks the run-AT services (TEL-APP-01)."""
    clock = MemoryReactor()
    old = product("GE865-QUAD").withSoftware("10.00.004")
    module = EmulatedModule(old, Network(clock), clock, timeScale=0.0)
    module.powerOn()
    assert not old.hasRunAT
    assert "#TCPATRUNL" not in module.commands.rows
    assert "#SGACT" in module.commands.rows


def test_aliases() -> None:
    """HE910-G and HE910-DG are sold under the name HE910, in any case (TEL-APP-02)."""
    assert product("HE910-G") is product("he910-dg") is PRODUCTS["HE910"]


def test_removedProduct() -> None:
    """HE910-GA was removed from the list; asking for it names similar ones (TEL-APP-03)."""
    with pytest.raises(Misuse, match=r"no product 'HE910-GA'; did you mean .*HE910"):
        product("HE910-GA")


@pytest.mark.parametrize("name", ["GM862-QUAD", "GE863-GPS", "GC864-PY", "GE864-PY"])
def test_productsOf2010(name: str) -> None:
    """The products that only the edition of 2010 lists are known too (TEL-APP-04)."""
    assert product(name).hasRunAT


@pytest.mark.parametrize("variant", ["EUD", "EUG", "EUR", "NAD", "NAG", "NAR", "AUD", "AUG", "AUR"])
def test_HE863(variant: str) -> None:
    """The nine HE863 have IP Easy and 3G quality of service, and no run-AT services (TEL-APP-05)."""
    found = product(f"HE863-{variant}")
    assert found.software.startswith("11.00.")
    assert {"#SGACT", "#SCFG", "+CGEQMIN"} <= found.commands.rows.keys()
    assert not found.hasRunAT


def test_differences() -> None:
    """What the editions say of the families holds: no #SKTOP on HE910, 3G commands on 3G products only (TEL-APP-06)."""
    gsm, umts = product("GE865-QUAD").commands.rows, product("HE910-EUR").commands.rows
    assert "#SKTOP" not in umts
    assert {"+CGEQMIN", "+CGEQREQ", "#PDPAUTH"} <= umts.keys() - gsm.keys()
    assert "#GSMCONT" in gsm.keys() - umts.keys()


@pytest.mark.parametrize(("name", "longest"), [("GE865-QUAD", 80), ("HE910-EUR", 400)])
def test_lineLength(name: str, longest: int) -> None:
    """A line of the longest length is run, one octet more is an error."""
    at = MemoryModule(name).port()
    chain = "AT+CSQ" + ";+CSQ" * 20
    fits = chain[: longest // 5 * 5].rstrip(";+CSQ")[:longest]
    line = (fits + ";+CSQ").ljust(longest)
    assert len(line) == longest
    assert at.execute(line)[-1] == "OK"
    assert at.execute(line + " ") == ["ERROR"]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_limitsOfFamilies(family: Family) -> None:
    """What a family limits is explained, and may be as it is there."""
    for name, value in family.limits.items():
        assert LIMITS[name].low <= value <= LIMITS[name].high


def test_limitsAreUsed() -> None:
    """There is no limit that no family has."""
    assert set(LIMITS) == {name for family in FAMILIES.values() for name in family.limits}


def test_otherLimits() -> None:
    """A module may have a limit that differs from its product's, and keeps it with other software; others stay."""
    one = product("GE865-QUAD").withLimits({"messages SM": 2}).withLimits({"sent": 10}).withSoftware("10.00.148")
    assert (one.limit("messages SM"), one.limit("sent"), one.limit("viewed")) == (2, 10, 64)
    assert product("GE865-QUAD").limit("sent") == 1500
    assert MemoryModule("GE865-QUAD", limits={"messages SM": 2}).port().execute("AT+CPMS?") == [
        '+CPMS: "SM",0,2,"SM",0,2,"SM",0,2',
        "OK",
    ]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"sends": 1}, "GE865-QUAD has no limit 'sends'; did you mean sent"),
        ({"messages as in the chapters": 1}, "GE865-QUAD has no limit 'messages as in the chapters'"),
        ({"sent": 1501}, "'sent' is from 1 to 1500, not 1501"),
        ({"answering": 2}, "'answering' is from 0 to 1, not 2"),
    ],
)
def test_wrongLimits(limits: dict[str, int], message: str) -> None:
    """A limit that a product doesn't have, or can't have so, is refused."""
    with pytest.raises(Misuse, match=re.escape(message)):
        product("GE865-QUAD").withLimits(limits)
