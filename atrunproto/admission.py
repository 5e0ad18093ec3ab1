"""
Rules that admit peers by their addresses: what the module's firewalls have in common.

Policy is to drop; a peer passes if for some rule C{peer & mask == address & mask}
(TEL-FWR-03, TEL-EXT-08, TEL-IFW-03, TEL-CON-42).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: address and mask, both dotted
Rule = tuple[str, str]

#: rules of one firewall at most (TEL-EXT-08; assumed for the one of sockets)
RULES = 5

REMOVE, ADD, REMOVE_ALL = 0, 1, 2

_QUAD = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})", re.ASCII)


def quad(text: str) -> int | None:
    """
    A dotted address as a number, leading zeros allowed; C{None} if it isn't one.
    """
    matched = _QUAD.fullmatch(text)
    if matched is None:
        return None
    value = 0
    for part in matched.groups():
        if int(part) > 255:
            return None
        value = value << 8 | int(part)
    return value


def dotted(number: int) -> str:
    """
    The usual form of an address.
    """
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def numbers(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """
    The rules as pairs of numbers.
    """
    pairs = [(quad(address), quad(mask)) for address, mask in rules]
    return [(address, mask) for address, mask in pairs if address is not None and mask is not None]


def admits(rules: Sequence[Rule], peer: str) -> bool:
    """
    Whether a rule covers this peer.
    """
    number = quad(peer)
    return number is not None and any(number & mask == address & mask for address, mask in numbers(rules))


def changed(rules: Sequence[Rule], action: int, address: str | None, mask: str | None) -> list[Rule]:
    """
    The rules after an action of #TCPATRUNFRWL or #FRWL.

    @param action: 0 remove, 1 add, 2 remove all.
    @raise ValueError: no such rule, one too many, or no address.
    """
    if action == REMOVE_ALL:
        return []
    pair = quad(address or ""), quad(mask or "")
    if pair[0] is None or pair[1] is None:
        raise ValueError(f"{address!r} with {mask!r} is no rule")
    rule = dotted(pair[0]), dotted(pair[1])
    if action == REMOVE and rule in rules:
        return [kept for kept in rules if kept != rule]
    if action == ADD and rule in rules:
        return list(rules)
    if action == ADD and len(rules) < RULES:
        return [*rules, rule]
    raise ValueError(f"{rule} can't be {'added' if action == ADD else 'removed'}")
