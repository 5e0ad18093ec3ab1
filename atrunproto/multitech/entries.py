"""
Values that a host enters by lines behind a command: the bodies of mails, and several recipients of one.

No prompt asks for the lines, and ^Z ends them.
Source: reference guide S000333C, chapter 3; MTS-MAIL-05 to MTS-MAIL-10, MTS-GAP-40.
"""

from __future__ import annotations

import re

from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.at.results import MULTITECH

from .parameters import BY_NAME, RECIPIENTS, SEPARATOR, Kind, Row

_END = re.compile(r"\r\n?|\n")
_UNTYPABLE = re.compile(r"[^\t -~\x80-\xff]").search


def entryOf(row: Row, value: str) -> tuple[str, bytes] | None:
    """
    The command that takes a value by lines, and the lines; C{None}: the value is written in a command line.

    @raise CommandFailed: it is too long, or there are too many of them; the modem isn't asked.
    @raise Misuse: it holds what would edit the lines or end them.
    """
    several = BY_NAME.get(f"{row.name}ADD")
    if row.kind is Kind.MULTILINE:
        entry, lines = row, _END.split(value)
        isTooLong = _isTooLong(row, "\r\n".join(lines))
    elif several is not None and SEPARATOR in value:
        entry, lines = several, [each.strip() for each in value.split(SEPARATOR)]
        isTooLong = len(lines) > RECIPIENTS or any(_isTooLong(entry, line) for line in lines)
    else:
        return None
    if isTooLong:
        raise CommandFailed(f"AT{entry.command}", MULTITECH.badValue)
    if any(map(_UNTYPABLE, lines)):
        raise Misuse(f"{row.name} holds a control character")
    return f"AT{entry.command}", "\r\n".join(lines).encode("latin-1")


def _isTooLong(row: Row, text: str) -> bool:
    return row.longest is not None and len(text) > row.longest
