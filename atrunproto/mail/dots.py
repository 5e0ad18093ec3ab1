"""
A mail on the AT port of a Multi-Tech modem, as its host codes it: the dots that begin lines, and the end mark.

The modem passes both on as they are, between its port and the server. So the host doubles a dot that begins a line of
what it sends, and takes the double away from what it fetches.
Source: reference guide S000333C, chapter 3 and appendix B; MTS-SMTP-07, MTS-POP-06, MTS-GAP-53.
"""

from __future__ import annotations

import re

from .endmark import END, EndMark

_BARE_LF = re.compile(rb"(?<=[^\r])\n")


class Dots:
    """
    The coding of one mail.

    Lines end with CR LF. An LF alone is sent as CR LF, for servers refuse it, or take what is round it for something
    else. The line end in front of the end mark belongs to the mark, so a mail that is sent may have it or not, and one
    that is fetched doesn't.
    """

    __slots__ = ("_isBegun", "_isEnded", "_isShown", "_last", "_mark")

    def __init__(self) -> None:
        self._mark = EndMark()
        self._last = b"\n"
        self._isBegun = self._isShown = self._isEnded = False

    def encode(self, data: bytes) -> bytes:
        """
        Code more of a mail, wherever it was cut.
        """
        if not data:
            return b""
        lines = _BARE_LF.sub(b"\r\n", self._last + data).replace(b"\n.", b"\n..")
        self._last, self._isBegun = data[-1:], True
        return lines[1:]

    @property
    def end(self) -> bytes:
        """
        What ends the mail: all of the mark, or what is left of it where the last line has ended.
        """
        return END[2:] if self._isBegun and self._last == b"\n" else END

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Decode more of a mail, wherever it was cut.

        @return: as of L{Coding<atrunproto.multitech.coding.Coding>}.
        """
        if self._isEnded:
            return b"", data
        # no line is cut between its end and the dot behind it
        onward, rest = self._mark.take(data)
        self._isEnded = rest is not None
        lines = onward.replace(b"\r\n.", b"\r\n")
        if onward and not self._isShown:
            self._isShown = True
            lines = lines.removeprefix(b".")
        return lines, rest
