"""
The DLE/ETX coding of Multi-Tech modems beside one C{bytes.replace} of the same octets, in one process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from atrunproto.multitech.coding import DLE, Coded

from .turns import Figure, Scale, Turn, compare

#: octets at a time, as many as one read of a socket may give
BLOCK = 65536
#: blocks of each kind
BLOCKS = 16
MEGABYTE = 1e6
_LINE = b"The quick brown fox jumps over the lazy dog, again and again; nothing in it is special.\r\n"


def text(size: int) -> bytes:
    """
    So many octets in which there is nothing to code.
    """
    return (_LINE * (size // len(_LINE) + 1))[:size]


def dle(scale: Scale) -> Iterator[Figure]:
    """
    Encode and decode, both on random octets and on text.
    """
    source = random.Random(5)
    kinds = {"random octets": [source.randbytes(BLOCK) for _ in range(BLOCKS)], "text": [text(BLOCK)] * BLOCKS}
    coding = Coded()
    for kind, blocks in kinds.items():
        yield _speed(f"DLE/ETX, encode, {kind}", scale, blocks, coding.encode)
        yield _speed(f"DLE/ETX, decode, {kind}", scale, [coding.encode(block) for block in blocks], coding.feed)


def _speed(name: str, scale: Scale, blocks: list[bytes], subject: Callable[[bytes], object]) -> Figure:
    """
    MB for each second of CPU time.
    """
    one, other, ratio = compare(
        scale.turns,
        lambda: _turn(scale, blocks, subject),
        lambda: _turn(scale, blocks, lambda block: block.replace(DLE, DLE + DLE)),
    )
    return Figure(name, one.rate / MEGABYTE, "MB/s", other.rate / MEGABYTE, ratio.rate)


def _turn(scale: Scale, blocks: list[bytes], run: Callable[[bytes], object]) -> Turn:
    """
    Take the blocks again and again.
    """
    done, begun, used = 0, time.process_time(), 0.0
    while used < scale.seconds / 2:
        for block in blocks:
            run(block)
        done += sum(map(len, blocks))
        used = time.process_time() - begun
    return Turn(done / used, used / done)
