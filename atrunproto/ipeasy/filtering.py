"""
The classic BPF program that drops, silently, whom no rule of a firewall admits.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from atrunproto.admission import Rule, numbers

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
    pairs = numbers(rules)
    for position, (address, mask) in enumerate(pairs):
        # to the accepting end, over the rest of the rules and the dropping return
        accept = 3 * (len(pairs) - position - 1) + 1
        code += [
            (_LOAD, 0, 0, _SOURCE_ADDRESS),
            (_AND, 0, 0, mask),
            (_JUMP_IF_EQUAL, accept, 0, address & mask),
        ]
    code += [(_RETURN, 0, 0, 0), (_RETURN, 0, 0, _WHOLE)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
