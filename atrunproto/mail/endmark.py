"""
How a mail ends on the AT port of a Multi-Tech modem, and what of a mail is shown there.

The end mark is the one of SMTP and POP3, and so are the dots: whoever is behind the port doubles a dot that begins a
line and takes the double away; the modem passes both on as they are.
Source: reference guide S000333C, 3 and appendix B; MTS-SMTP-07, MTS-POP-04 to MTS-POP-11, MTS-GAP-53, MTS-GAP-71.
"""

from __future__ import annotations

#: what ends a mail, in both directions
END = b"\r\n.\r\n"
#: the fields of a header that are shown
SHOWN = (b"from", b"cc", b"subject")
#: octets of a header at most (A)
HEADER = 65536
#: octets of a line of a header that are looked at as a whole; the rest of a longer one follows it
LINE = 1000

_LONGEST = max(map(len, SHOWN)) + 1


class HeaderTooLong(Exception):
    """
    A mail begins with more than can be a header.
    """


class EndMark:
    """
    Finds the end of a mail in chunks of any size.

    What may be the begin of the end is kept back until that is clear; it is lost where nothing follows.
    A line with a lone dot at the very begin is an end too, as it is one for a server.
    """

    __slots__ = ("_held", "_unseen")

    def __init__(self) -> None:
        # as if a line had ended before; that isn't to be given
        self._held = END[:2]
        self._unseen = 2

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take octets.

        @return: what goes on, without the end mark, and what follows that; C{None}: the end has not come yet.
        """
        whole = self._held + data
        end = whole.find(END)
        if end >= 0:
            return whole[self._unseen : end], whole[end + len(END) :]
        kept = next(count for count in range(len(END) - 1, -1, -1) if whole.endswith(END[:count]))
        going = len(whole) - kept
        onward = whole[self._unseen : going]
        self._held = whole[going:]
        self._unseen = max(0, self._unseen - going)
        return onward, None


class Shown:
    """
    What a modem shows of the mail that a POP3 server sends: some of the header, an empty line and the body, or the
    body alone.
    """

    __slots__ = ("_atStart", "_body", "_isShown", "_line", "_size", "_withHeader")

    def __init__(self, withHeader: bool) -> None:
        self._withHeader = withHeader
        self._body: EndMark | None = None
        self._line = b""
        self._size = 0
        self._atStart = True
        self._isShown = False

    def take(self, data: bytes) -> tuple[bytes, bytes | None]:
        """
        Take octets from the server.

        @return: what is shown, without the end mark, and what follows that; C{None}: the end has not come yet.
        @raise HeaderTooLong: it doesn't end within L{HEADER} octets.
        """
        if self._body is not None:
            return self._body.take(data)
        whole, begin = self._line + data, 0
        shown: list[bytes] = []
        while True:
            end = whole.find(b"\n", begin) + 1
            if not end:
                if len(whole) - begin <= LINE:
                    self._line = whole[begin:]
                    return b"".join(shown), None
                end = len(whole)
            line, begin = whole[begin:end], end
            self._size += len(line)
            if self._size > HEADER:
                raise HeaderTooLong
            if self._atStart and line == b".\r\n":
                return b"".join(shown), whole[end:]
            if self._atStart and not line.strip(b"\r\n"):
                self._body = EndMark()
                onward, rest = self._body.take(whole[end:])
                return b"".join([*shown, line if self._withHeader else b"", onward]), rest
            self._judge(line)
            if self._isShown:
                shown.append(line)

    def _judge(self, line: bytes) -> None:
        """
        See whether a line, or a part of one, is shown; what begins with a blank belongs to the line before it.
        """
        if self._atStart and line[:1] not in (b" ", b"\t"):
            name = line[: _LONGEST + 1].partition(b":")[0].strip().lower()
            self._isShown = self._withHeader and name in SHOWN
        self._atStart = line.endswith(b"\n")
