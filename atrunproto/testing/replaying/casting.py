"""
Which product plays a dialogue: its header names a family, a network takes one module of it.
"""

from __future__ import annotations

import re
from typing import Final

from atrunproto.emulator.products import PRODUCTS, Product, product

_ROWS: Final[tuple[tuple[str, str], ...]] = (
    (r"all run-AT products", "GE865-QUAD"),
    (r"HE863 family", "HE863-EUR"),
    (r"864/865 families?( \(.*\))?", "GE865-QUAD"),
    (r"HE910 family", "HE910-EUR"),
    (r"xE910 family", "HE910-EUR"),
    (r"(GSM|2G) products", "GE865-QUAD"),
    (r"(3G|UMTS) products", "HE910-EUR"),
    (r"products with Python", "GE865-QUAD"),
    (r"products (that|with) .*", "GE865-QUAD"),
)
"""The names of families in the header, and the product that stands for each."""


def productFor(family: str) -> Product | None:
    """The product for the header's family, or for the product that it names itself; C{None} where there is none."""
    name = next((name for pattern, name in _ROWS if re.fullmatch(pattern, family, re.IGNORECASE)), family)
    known = {each.lower(): each for each in PRODUCTS}.get(name.lower())
    found = product(known) if known is not None else None
    return found if found is not None and found.isEmulated else None
