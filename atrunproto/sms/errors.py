"""
The one error of short messages.
"""

from __future__ import annotations

from atrunproto.at.errors import PeerViolation


class SMSError(PeerViolation):
    """
    A message, or a part of it, that 3GPP 23.040 or 23.038 doesn't allow: read from octets, or about to be written.

    @ivar where: the field, by its name in the standard, with the octet if it was read; empty where that says nothing.
    """

    def __init__(self, what: str, where: str = "", data: bytes = b"") -> None:
        super().__init__(what, data)
        self.where = where

    def __str__(self) -> str:
        shown = super().__str__()
        return f"{self.where}: {shown}" if self.where else shown


def requireRange(where: str, value: int, last: int, first: int = 0) -> None:
    """
    Refuse a number that its field can't hold.

    @raise SMSError: C{value} isn't one of C{first} to C{last}.
    """
    if not first <= value <= last:
        raise SMSError(f"{value} is not one of {first} to {last}", where)
