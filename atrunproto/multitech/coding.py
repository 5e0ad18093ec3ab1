"""
The coding of what passes through the AT port of a Multi-Tech modem: a bare ETX ends it.

It is the same in both directions and on both sides, for TCP with DLEMODE 1, for UDP and for the files of FTP: an ETX of
the data goes as DLE ETX, a DLE as DLE DLE. With DLEMODE 0 nothing is coded, and no octet ends anything.
Source: Multi-Tech guide, ch. 5 (#DLEMODE), ch. 6, ch. 4 (#FTPGET, #FTPPUT), App. B; MTS-TCP-14 to 16, MTS-UDP-12,
MTS-FTP-10 and 15.
"""

from __future__ import annotations

import re
from typing import Protocol

DLE, ETX = b"\x10", b"\x03"
_QUOTED = re.compile(DLE + b"(.)", re.DOTALL)


class Coding(Protocol):
    """
    How one connection is coded.
    """

    @property
    def end(self) -> bytes:
        """
        What tells its end, behind what was coded so far; nothing, if that can't be told.
        """

    def encode(self, data: bytes) -> bytes:
        """
        Code what is sent, wherever it was cut.
        """

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Decode more of what comes, wherever it was cut.

        @return: the data, and C{None}; or, once the end has been told, the last of the data and what stands behind the
            end. From then on all that comes is handed back so.
        """


class Coded:
    """
    DLE and ETX have their meaning: DLEMODE 1, UDP and FTP.

    Nothing is held but a DLE whose octet is still to come. One before an octet other than DLE and ETX is left out (A).
    """

    __slots__ = ("_ended", "_held")

    end = ETX

    def __init__(self) -> None:
        # a DLE whose octet is still to come, or nothing
        self._held = b""
        self._ended = False

    def encode(self, data: bytes) -> bytes:
        return data.replace(DLE, DLE + DLE).replace(ETX, DLE + ETX)

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        if self._ended:
            return b"", data
        data, self._held = self._held + data, b""
        if DLE not in data and ETX not in data:
            return data, None
        # by turns what stands for itself and what a DLE has before it
        pieces = _QUOTED.split(data)
        if ETX in b"".join(pieces[::2]):
            self._ended = True
            # without the quoted ones, and as long
            end = _QUOTED.sub(DLE + DLE, data).find(ETX)
            return b"".join(_QUOTED.split(data[:end])), data[end + 1 :]
        if pieces[-1].endswith(DLE):
            pieces[-1], self._held = pieces[-1][:-1], DLE
        return b"".join(pieces), None


class Uncoded:
    """
    Octets pass as they are: DLEMODE 0.
    """

    __slots__ = ()

    end = b""

    def encode(self, data: bytes) -> bytes:
        return data

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        return data, None


def codingOf(dleMode: int) -> Coding:
    """
    The coding of a new connection.

    @param dleMode: 0 or 1 (#DLEMODE).
    """
    return Coded() if dleMode else Uncoded()
