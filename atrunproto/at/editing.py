"""
What the AT instance does with single octets: the line editor of the command line and the readers of data prompts.

One table says what the control characters mean in each place::

    =========  ==================================  ===========================  ============
    octet      command line                        text prompt (C{> })          raw upload
    =========  ==================================  ===========================  ============
    S3 (CR)    ends the line                       data                         data
    CR         ignored where S3 is another         data                         data
    LF         ignored (CR LF is CR)               data                         data
    NUL        ignored (CR NUL is CR, Telnet)      data                         data
    S5 (BS)    deletes the octet before it         deletes the octet before it  data
    ESC        drops what was typed so far         gives up                     data
    ^Z         ignored                             ends the data                data
    claimed    is the whole line it stands for     data                         data
    =========  ==================================  ===========================  ============

A part of the module that waits for something may claim an octet: on the command line of its instance that octet then
stands for a line, which is run at once; what was typed before it is dropped (A).
A CR or LF that comes in one chunk with the end of a text prompt belongs to it (clients send C{^Z CR}).
A text of several lines may show its prompt once more at each CR, behind the echo of that (A); the CR is data even so.
Sources: reference 1.1 (P), TEL-EXT-21.
The rows for CR, LF, NUL, ESC and ^Z on the command line are what clients expect (A).
"""

from __future__ import annotations

from .errors import Abandoned

CR, LF, NUL, BS, ESC, CTRL_Z = 13, 10, 0, 8, 27, 26

#: what the command line ignores
_IGNORED = frozenset([CR, LF, NUL, CTRL_Z])
#: how the deletion of an octet is echoed (V.250 6.2.3)
_RUB_OUT = b"\b \b"
#: how a line begins that repeats the last one, without a terminator
_REPEATS = (b"A/", b"a/")

#: in place of a line: it was longer than the product takes (no line holds a NUL)
TOO_LONG = b"\0too long"
#: in place of a line: repeat the last one at once
REPEAT = b"A/"


class LineEditor:
    """
    Collects a command line out of chunks of any size.
    """

    __slots__ = ("_claims", "_held", "_overrun", "longest", "s3", "s5")

    def __init__(self, longest: int) -> None:
        """
        @param longest: octets of a line, prefix included, terminator not.
        """
        self.longest = longest
        self.s3 = CR
        self.s5 = BS
        self._held = b""
        self._overrun = False
        self._claims: tuple[tuple[int, bytes], ...] = ()

    def claim(self, octet: int, body: bytes) -> None:
        """
        Have a control character stand for a line.

        @param body: the line behind its C{AT}; where several claim the octet it stands for all of theirs.
        """
        self._claims += ((octet, body),)

    def unclaim(self, octet: int, body: bytes) -> None:
        """
        End a claim; where there is none, nothing happens.
        """
        self._claims = tuple(claim for claim in self._claims if claim != (octet, body))

    def _claimed(self, octet: int) -> bytes:
        """
        The line that an octet stands for; empty: none.
        """
        bodies = [body for claimed, body in self._claims if claimed == octet]
        return b"AT" + b";".join(bodies) if bodies else b""

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
            In place of a line stand L{REPEAT} (C{A/} needs no terminator) and L{TOO_LONG}; a claimed octet gives its
            own line, and needs none either.
        """
        end = data.find(self.s3)
        if end < 0:
            chunk, rest = data, b""
        else:
            chunk, rest = data[:end], data[end + 1 :]
        if self._isPlain(chunk):
            echo, done = chunk, self._slash(chunk)
            if not self._overrun:
                self._held = self._held + chunk if self._held else chunk
        else:
            echo, done = self._edit(chunk)
        if done:
            self.clear()
            return echo[:done] if echo is chunk else echo, self._claimed(chunk[done - 1]) or REPEAT, data[done:]
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

    def _slash(self, chunk: bytes) -> int:
        """
        Where C{A/} ends in a chunk without control characters that completes it, else 0.
        """
        held = self._held
        if len(held) > 1 or self._overrun or (held + chunk[:2])[:2] not in _REPEATS:
            return 0
        return 2 - len(held)

    def _edit(self, chunk: bytes) -> tuple[bytes, int]:
        """
        Take octets one by one.

        @return: their echo, and where in the chunk C{A/} is complete or a claimed octet ends, else 0.
        """
        held, echo = bytearray(self._held), bytearray()
        claimed = [octet for octet, _ in self._claims]
        for position, octet in enumerate(chunk, 1):
            if octet == self.s5:
                if held:
                    del held[-1]
                    echo += _RUB_OUT
            elif octet == ESC:
                held.clear()
                self._overrun = False
            elif octet in claimed:
                echo.append(octet)
                return bytes(echo), position
            elif octet not in _IGNORED:
                echo.append(octet)
                if not self._overrun:
                    held.append(octet)
                    if held in _REPEATS:
                        return bytes(echo), position
                    if len(held) > self.longest:
                        held.clear()
                        self._overrun = True
        self._held = bytes(held)
        return bytes(echo), 0


class TextPrompt:
    """
    Reads the data of a C{> } prompt: ^Z ends them, ESC gives up, BS deletes.

    What exceeds the limit is dropped, as the modules do (TEL-CMD-17); where that is an error, L{surplus} tells.

    @ivar surplus: octets that were typed beyond the limit, and not deleted again.
    """

    text = "> "
    #: seconds without an octet after which the command fails; C{None}: it waits
    idle: float | None = None

    def __init__(self, limit: int, again: bool = False) -> None:
        """
        @param limit: octets that are kept.
        @param again: each CR, which stays in the data, shows the prompt once more (#SMSMODE=1: reference 12).
        """
        self.limit = limit
        self.surplus = 0
        self._again = again
        self._prompt = b""
        self._echoes = True
        self._data = bytearray()

    def begin(self, prompt: bytes, echoes: bool) -> None:
        """
        Hear what the prompt looks like, and whether what is typed is echoed.
        """
        self._prompt = prompt if self._again else b""
        self._echoes = echoes

    def take(self, data: bytes) -> tuple[bytes, bytes | None, bytes]:
        """
        Take octets up to the end of the data.

        @return: what to show, the complete data (C{None}: not yet), and what follows them.
        @raise Abandoned: ESC came.
        """
        for position, octet in enumerate(data):
            if octet == CTRL_Z:
                rest = data[position + 1 :]
                rest = rest[1:] if rest[:1] in (b"\r", b"\n") else rest
                return self._shown(data[:position]), bytes(self._data), rest
            if octet == ESC:
                raise Abandoned(self._shown(data[:position]), data[position + 1 :])
            if octet == BS:
                if self.surplus:
                    self.surplus -= 1
                else:
                    del self._data[-1:]
            elif len(self._data) < self.limit:
                self._data.append(octet)
            else:
                self.surplus += 1
        return self._shown(data), None, b""

    def _shown(self, typed: bytes) -> bytes:
        if not self._prompt:
            return typed if self._echoes else b""
        return typed.replace(b"\r", b"\r" + self._prompt) if self._echoes else self._prompt * typed.count(CR)


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
        self._echoes = True
        self._missing = count
        self._chunks: list[bytes] = []

    def begin(self, prompt: bytes, echoes: bool) -> None:
        """
        Hear whether what comes is echoed.
        """
        self._echoes = echoes

    def take(self, data: bytes) -> tuple[bytes, bytes | None, bytes]:
        """
        Take octets up to the end of the data.

        @return: what to show, the complete data (C{None}: not yet), and what follows them.
        """
        taken = data[: self._missing]
        self._chunks.append(taken)
        self._missing -= len(taken)
        show = taken if self._echoes else b""
        if self._missing:
            return show, None, b""
        return show, b"".join(self._chunks), data[len(taken) :]


Prompt = TextPrompt | RawPrompt
