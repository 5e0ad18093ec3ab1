"""
What comes between the announcement of a command and its result, where a command carries data over the line.

A vendor's own coding tells where the data end, so there is no escape sequence and no guess; the mirror image of online
mode stays L{atrunproto.at.peeronline}. No Twisted and no clock here.
"""

from __future__ import annotations

from typing import Any, Protocol


class DataPhase(Protocol):
    """
    The data of one command: given to L{ATClient.transfer<atrunproto.at.peer.ATClient.transfer>}.
    """

    def isAnnouncedBy(self, line: str) -> bool:
        """
        Whether a line of the module says that the data follow.
        """

    def announced(self, transport: Any, skipLF: bool) -> None:
        """
        The data follow. From now on the command has all the time that it wants, until the client is told otherwise by
        C{resultWithin}.

        @param transport: the way to the module.
        @param skipLF: the LF behind the announcement is still to come; the first octet, if it is one, is no data.
        """

    def received(self, data: bytes) -> bytes | None:
        """
        Take octets of the module, perhaps none.

        @return: what stands behind the data, the result of the command among it; C{None}: they haven't ended yet.
        """
