"""
Which product plays a dialogue: its header names a family, and one module of it plays.
"""

from __future__ import annotations

import re
from typing import Final

from atrunproto.emulator.products import PRODUCTS, Product

_ROWS: Final[tuple[tuple[str, str], ...]] = (
    (r"all run-AT products", "GE865-QUAD"),
    (r"HE910 family", "HE910-EUR"),
    (r"xE910 family", "HE910-EUR"),
    (r"HE863 family", "HE863-EUR"),
    (r"864/865 families", "GE865-QUAD"),
    (r"(GSM|2G) products", "GE865-QUAD"),
    (r"(UMTS|3G) products", "HE910-EUR"),
    (r"products (with|that) .+", "GE865-QUAD"),
    (r"Multi-Tech GPRS, Wavecom IP stack 3\.02", "MTCBA-G"),
)
"""The families that headers name, and the product that stands for each."""

_EARLIER: Final[tuple[tuple[str, str, str], ...]] = (
    (r"Multi-Tech GPRS, Wavecom IP stack 2\.10", "MTCBA-G", "641c"),
    (r"Multi-Tech GPRS, Wavecom IP stack 2\.00", "MTCBA-G", "640b"),
)
"""Likewise, where an earlier software of the product is meant."""


def productFor(header: str) -> Product | None:
    """
    The product for what the header says: a family of the table, a product, or the family of products of that name.

    What stands in brackets there is a remark.

    @return: C{None} where there is none.
    """
    family = re.sub(r"\s*\(.*\)", "", header).strip()
    for pattern, earlier, software in _EARLIER:
        if re.fullmatch(pattern, family, re.IGNORECASE):
            return PRODUCTS[earlier].withSoftware(software)
    name = next((name for pattern, name in _ROWS if re.fullmatch(pattern, family, re.IGNORECASE)), "")
    if not name:
        start = re.sub(r"\s+(family|products)$", "", family).lower()
        name = next((each for each in PRODUCTS if each.lower() == start), "")
        name = name or next((each for each in PRODUCTS if each.lower().startswith(f"{start}-")), "")
    return PRODUCTS.get(name)
