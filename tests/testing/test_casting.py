"""Each dialogue gets a product of the family that its header names."""

from __future__ import annotations

import pytest

from atrunproto.testing.replaying.casting import productFor


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("all run-AT products", "GE865-QUAD"),
        ("HE863 family", "HE863-EUR"),
        ("864/865 families", "GE865-QUAD"),
        ("864/865 families (service allowed on instance 1)", "GE865-QUAD"),
        ("HE910 family", "HE910-EUR"),
        ("xE910 family", "HE910-EUR"),
        ("GSM products", "GE865-QUAD"),
        ("GE865-QUAD", "GE865-QUAD"),
        ("products with Python", "GE865-QUAD"),
        ("products that allow both on two ports", "GE865-QUAD"),
        ("UE910 family", "UE910-EUR"),
        ("he910-nag", "HE910-NAG"),
        ("Multi-Tech GPRS (MTCBA-G, MTMMC-G, MTSMC-G), Wavecom IP stack 3.02", "MTCBA-G"),
        ("MTMMC-G", "MTMMC-G"),
    ],
)
def test_productOfTheHeader(header: str, name: str) -> None:
    """A family, a product or a property in the header finds a product that has it."""
    product = productFor(header)
    assert product is not None
    assert product.name == name


@pytest.mark.parametrize(("stack", "software"), [("3.02", "651"), ("2.10", "641c"), ("2.00", "640b")])
def test_earlierStacks(stack: str, software: str) -> None:
    """MTS-OPEN-06: the generation of a Multi-Tech modem's stack in the header finds a modem that has it."""
    product = productFor(f"Multi-Tech GPRS (MTCBA-G, MTMMC-G, MTSMC-G), Wavecom IP stack {stack}")
    assert product is not None
    assert (product.name, product.software) == ("MTCBA-G", software)


@pytest.mark.parametrize("header", ["XY1 family", ""])
def test_noSuchProduct(header: str) -> None:
    """What isn't emulated plays nothing."""
    assert productFor(header) is None
