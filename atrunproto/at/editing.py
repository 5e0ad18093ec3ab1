"""
What the AT instance does with single octets: the line editor of the command line and the readers of data prompts.

One table says what the control characters mean in each place:

    =========  ==================================  ===========================  ============
    octet      command line                        text prompt (C{> })          raw upload
    =========  ==================================  ===========================  ============
    S3 (CR)    ends the line                       data                         data
    LF         ignored (CR LF is CR)               data                         data
    NUL        ignored (CR NUL is CR, Telnet)      data                         data
    S5 (BS)    deletes the octet before it         deletes the octet before it  data
    ESC        drops what was typed so far         gives up                     data
    ^Z         ignored                             ends the data                data
    =========  ==================================  ===========================  ============

A CR or LF right behind the end of a text prompt belongs to it (clients send C{^Z CR}).
Sources: reference 1.1 (P), TEL-EXT-21.
The rows for LF, NUL, ESC and ^Z on the command line are what clients expect (A).
"""

from __future__ import annotations

from .errors import Abandoned

CR, LF, NUL, BS, ESC, CTRL_Z = 13, 10, 0, 8, 27, 26

#: what the command line ignores or acts on, beside S3 and S5
_IGNORED = bytes([LF, NUL, CTRL_Z])
_SPECIAL = frozenset([LF, NUL, CTRL_Z, ESC])
#: how the deletion of an octet is echoed (V.250 6.2.3)
_RUB_OUT = b"\b \b"


#: in place of a line: it was longer than the product takes (no line holds a NUL)
TOO_LONG = b"\0too long"
#: in place of a line: repeat the last one at once
REPEAT = b"A/"


class LineEditor:
    """
    Collects a command line out of chunks of any size.
    """

    __slots__ = ("_held", "_overrun", "longest", "s3", "s5")

    def __init__(self, longest: int) -> None:
        """
        @param longest: octets of a line, prefix included, terminator not.
        """
        self.longest = longest
        self.s3 = CR
        self.s5 = BS
        self._held = b""
        self._overrun = False

    def clear(self) -> None:
        """
        Forget an unfinished line.
        """
        self._held = b""
        self._overrun = False

    def take(self, data: bytes) -> tuple[bytes, bytes | None, bytes]:
        """
        Take octets up to the end of a line.

        @return: what to echo, the line without its terminator (C{None}: not yet complete), and what follows it.
            In place of a line stand L{REPEAT} (C{A/} needs no terminator) and L{TOO_LONG}.
        """
        end = data.find(self.s3)
        if end < 0:
            chunk, rest = data, b""
        else:
            chunk, rest = data[:end], data[end + 1 :]
        slash = self._repeats(chunk)
        if slash:
            self.clear()
            return chunk[:slash], REPEAT, data[slash:]
        echo = chunk
        if self._isPlain(chunk):
            if not self._overrun:
                self._held = self._held + chunk if self._held else chunk
        else:
            echo = self._edit(chunk)
        if len(self._held) > self.longest:
            self._held, self._overrun = b"", True
        if end < 0:
            return echo, None, rest
        echo += bytes([self.s3])
        line = TOO_LONG if self._overrun else self._held
        self.clear()
        return echo, line, rest

    def _isPlain(self, chunk: bytes) -> bool:
        # one pass in C for the usual line: isprintable() is false for each control character
        return chunk.isascii() and chunk.decode("ascii").isprintable() and self.s5 not in chunk

    def _repeats(self, chunk: bytes) -> int:
        """
        The length of C{A/} at the start of a line, with what precedes it in the chunk; 0 if it isn't there.
        """
        held = self._held
        if held:
            return 1 if held in (b"A", b"a") and chunk[:1] == b"/" else 0
        start = 0
        while start < len(chunk) and chunk[start] in _IGNORED:
            start += 1
        return start + 2 if chunk[start : start + 2] in (b"A/", b"a/") else 0

    def _edit(self, chunk: bytes) -> bytes:
        """
        Take octets one by one, and give their echo.
        """
        held, echo = bytearray(self._held), bytearray()
        for octet in chunk:
            if octet == self.s5:
                if held:
                    del held[-1]
                    echo += _RUB_OUT
            elif octet == ESC:
                held.clear()
                self._overrun = False
            elif octet not in _SPECIAL:
                echo.append(octet)
                if not self._overrun:
                    held.append(octet)
                    if len(held) > self.longest:
                        held.clear()
                        self._overrun = True
        self._held = bytes(held)
        return bytes(echo)


class TextPrompt:
    """
    Reads the data of a C{> } prompt: ^Z ends them, ESC gives up, BS deletes.

    What exceeds the limit is dropped, as the modules do (TEL-CMD-17).
    """

    text = "> "
    #: seconds without an octet after which the command fails; C{None}: it waits
    idle: float | None = None

    def __init__(self, limit: int) -> None:
        """
        @param limit: octets that are kept.
        """
        self.limit = limit
        self._data = bytearray()

    def take(self, data: bytes) -> tuple[bytes, bytes | None, bytes]:
        """
        @return: what to echo, the complete data (C{None}: not yet), and what follows them.
        @raise Abandoned: ESC came.
        """
        for position, octet in enumerate(data):
            if octet == CTRL_Z:
                rest = data[position + 1 :]
                return data[:position], bytes(self._data), rest[1:] if rest[:1] in (b"\r", b"\n") else rest
            if octet == ESC:
                raise Abandoned(data[position + 1 :])
            if octet == BS:
                del self._data[-1:]
            elif len(self._data) < self.limit:
                self._data.append(octet)
        return data, None, b""


class RawPrompt:
    """
    Reads exactly so many octets, whatever they are.
    """

    def __init__(self, count: int, text: str = "> ", idle: float | None = None) -> None:
        """
        @param count: octets to come.
        @param text: the prompt: C{"> "} or C{">>>"}.
        @param idle: seconds without an octet after which the command fails.
        """
        self.text = text
        self.idle = idle
        self._missing = count
        self._chunks: list[bytes] = []

    def take(self, data: bytes) -> tuple[bytes, bytes | None, bytes]:
        """
        @return: what to echo, the complete data (C{None}: not yet), and what follows them.
        """
        taken = data[: self._missing]
        self._chunks.append(taken)
        self._missing -= len(taken)
        if self._missing:
            return taken, None, b""
        return taken, b"".join(self._chunks), data[len(taken) :]


Prompt = TextPrompt | RawPrompt
