"""
What looks like the end of an online call, while it is checked: the module is asked by an escape sequence.

A module that is in command mode says next to nothing. One that is still online may send on, and all of that is data.
No Twisted and no clock: L{atrunproto.at.peeronline} measures the time.
"""

from __future__ import annotations

from .peerescape import ESCAPE

#: octets that may come behind the escape sequence until it is answered; more than that no module says in command mode
CHECK_HELD = 64 * 1024


class EndCheck:
    """
    An end that is doubted, and what has come behind it.
    """

    __slots__ = ("_behind", "_mark")

    def __init__(self, mark: bytes) -> None:
        """
        @param mark: what looks like the end.
        """
        self._mark = mark
        self._behind = b""

    def received(self, data: bytes, asked: bool) -> bool:
        """
        Take what comes behind it.

        @param asked: the escape sequence is sent, so that what comes may be a notice.
        @return: whether the end is proven to be data.
        """
        self._behind += data
        return not asked or len(self._behind) > CHECK_HELD

    @property
    def isBare(self) -> bool:
        """
        Whether nothing has come behind it but the echo of the escape sequence.
        """
        return self._behind in (b"", ESCAPE)

    @property
    def data(self) -> bytes:
        """
        All of it, if it is data.
        """
        return self._mark + self._behind
