"""
Rules of a firewall that accepts by address, and the classic BPF program that drops the rest silently.

Policy is to drop; a peer passes if for some rule C{peer & mask == address & mask} (TEL-FWR-03, TEL-EXT-08, TEL-CON-42).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

Rule = tuple[str, str]

_QUAD = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


def quad(text: str) -> int | None:
    """
    A dotted address as a number, leading zeros allowed; C{None} if it isn't one.
    """
    matched = _QUAD.fullmatch(text)
    if matched is None or not text.isascii():
        return None
    value = 0
    for part in matched.groups():
        if int(part) > 255:
            return None
        value = value << 8 | int(part)
    return value


def admits(rules: Sequence[Rule], peer: str) -> bool:
    """
    Whether a rule covers this peer.
    """
    number = quad(peer)
    return number is not None and any(number & mask == address & mask for address, mask in _numbers(rules))


def _numbers(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    numbers = [(quad(address), quad(mask)) for address, mask in rules]
    return [(address, mask) for address, mask in numbers if address is not None and mask is not None]


#: classic BPF: load the word at a fixed place, and/compare with a constant, return
_LOAD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
#: the source address of the IP header, as socket filters address it (SKF_NET_OFF + 12)
_SOURCE_ADDRESS = 0xFFF00000 + 12
_WHOLE = 0xFFFFFFFF


def program(rules: Sequence[Rule]) -> bytes:
    """
    The BPF program, as an array of C{struct sock_filter}, that lets through what the rules admit.
    """
    code: list[tuple[int, int, int, int]] = []
    numbers = _numbers(rules)
    for position, (address, mask) in enumerate(numbers):
        # to the accepting end, over the rest of the rules and the dropping return
        accept = 3 * (len(numbers) - position - 1) + 1
        code += [
            (_LOAD, 0, 0, _SOURCE_ADDRESS),
            (_AND, 0, 0, mask),
            (_JUMP_IF_EQUAL, accept, 0, address & mask),
        ]
    code += [(_RETURN, 0, 0, 0), (_RETURN, 0, 0, _WHOLE)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
