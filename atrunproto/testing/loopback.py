"""
The addresses of a dialogue on one machine: C{212.141.125.127} of the print becomes C{127.141.125.127}, on loopback.

No Twisted and no sockets here. Source: the dialogue format, Addresses.
"""

from __future__ import annotations

import re
from typing import Final

LOOPBACK: Final = "127"
"""The first number of every address that a machine has for itself."""

_MASKS: Final = ("255", "0")
"""An address that begins with one of these is a mask or the address that stands for all, and stays."""

_NUMBER = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_DOT = r"(?:\.|\\\.|\[\.\])"
_ADDRESS: Final = re.compile(
    # Not inside a word, a longer dotted number or a version; a class such as \b of a regular expression is no word.
    rf"(?:(?<![\w.])|(?<=\\[bsDSW]))({_NUMBER})((?:{_DOT}{_NUMBER}){{3}})(?!\w|{_DOT}\d)"
)


def toLoopback(line: str) -> str:
    r"""
    Give a line with the first number of each complete IPv4 address replaced by 127.

    An address inside a regular expression has its dots escaped (C{\.}) or in brackets, and is found as well.
    """
    return _ADDRESS.sub(lambda found: (found[1] if found[1] in _MASKS else LOOPBACK) + found[2], line)
