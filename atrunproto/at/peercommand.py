"""
One command line on its way, as the peer keeps it: what is still to come as echo, what has come as answer, who waits.

And the search for the beginning of an answer after one has gone astray. No Twisted and no clock here; see
L{atrunproto.at.peer}.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from .errors import ATError, Misuse, PeerViolation
from .peerlines import FILE_PROMPT, LINE_COST, MAX_ANSWER, MAX_LINE, SentLine, isFinal, noticeName, textOf
from .peerphase import DataPhase
from .results import NO_CARRIER

#: times that C{AT} is sent to find the beginning of an answer again
RESYNC_TRIES = 5
#: seconds that each of them may take (A)
RESYNC_WAIT = 2.0
#: seconds of silence that prove that an C{OK} was the last one under way (A)
RESYNC_QUIET = 0.2

_ETX, _ESC, _CTRL_Z = b"\x03", b"\x1b", b"\x1a"
_PROMPT = b"> "
_PROBE = b"AT"
_NO_CARRIER = NO_CARRIER.text.encode("ascii")


class PeerCommand:
    """
    A command line that waits for the wire or is on it.

    @ivar line: what is sent.
    @ivar seconds: how long the answer may take.
    @ivar waiting: the Deferred of who is told; C{None} when he has cancelled, or has been told.
    @ivar lines: the information that has come.
    @ivar error: fails the command whatever its result.
    @ivar protocol: what goes online with it.
    @ivar hangUp: the command line that ends the call.
    @ivar checked: the end of the call is checked before it is believed.
    @ivar block: tells how many octets follow an information line as they are.
    @ivar missing: such octets that are still to come.
    @ivar octets: those that have come.
    @ivar phase: its data, until they have been announced.
    @ivar isPrompted: the module asks for what is to be sent to it; else that follows the line at once.
    """

    __slots__ = (
        "_counted",
        "_data",
        "_echo",
        "_echoed",
        "_prompted",
        "_size",
        "block",
        "checked",
        "error",
        "hangUp",
        "isPrompted",
        "line",
        "lines",
        "missing",
        "octets",
        "phase",
        "protocol",
        "seconds",
        "waiting",
    )

    def __init__(
        self, line: SentLine, timeout: float | None = None, data: bytes | None = None, counted: bool | None = None
    ) -> None:
        """
        @param timeout: seconds for the answer; C{None}: as the line says.
        @param data: what to send at the prompt.
        @param counted: the prompt takes octets by number; C{None}: as the line says.
        """
        self.line = line
        self.seconds = line.seconds if timeout is None else timeout
        self.waiting: Any = None
        self.lines: list[str] = []
        self.error: ATError | None = None
        self.protocol: Any = None
        self.hangUp = ""
        self.checked = False
        self.block: Callable[[str], int] | None = None
        self.missing = 0
        self.octets = b""
        self.phase: DataPhase | None = None
        self.isPrompted = True
        self._data = data
        self._counted = line.counted if counted is None else counted
        self._prompted = False
        #: what is still to come as echo, in lines: of the command, then of the data
        self._echo = [line.echo]
        self._echoed = False
        self._size = 0

    def succeed(self, answer: Any) -> None:
        """
        Tell what the command has come to, if somebody still waits.
        """
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(answer)

    def fail(self, error: ATError) -> None:
        """
        Tell why the command has failed, if somebody still waits.
        """
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.errback(error)

    def besides(self, line: SentLine) -> None:
        """
        Another line was sent while this one runs; if this one was echoed, so will that be.
        """
        if self._echoed:
            self._echo = [*self._echo, line.echo]

    # -- what comes

    @property
    def echo(self) -> bytes:
        """
        What is expected as echo next.
        """
        return self._echo[0] if self._echo else b""

    @property
    def longest(self) -> int:
        """
        Octets that a line may have: an echo may be as long as what was sent.
        """
        return MAX_LINE + len(self.echo)

    def withoutEcho(self, line: bytes) -> bytes | None:
        """
        What a line says beside the echo of what was sent; C{None}: it is echo alone.

        An echo may be cut in two by a notice, stand behind a prompt, and, of data, in front of an answer (ATV0).
        A text of several lines may have been asked for again at each of them.
        """
        left = self._withoutEcho(line)
        if left is None or not self._prompted or self.lines:
            return left
        while left.startswith(_PROMPT):
            left = left.removeprefix(_PROMPT)
        return textOf(left) or None

    def _withoutEcho(self, line: bytes) -> bytes | None:
        echo = self._echo
        if not echo:
            return line
        bare = line.removeprefix(_PROMPT)
        if self._echoed:
            # the echo of data: each of their lines, perhaps behind a prompt of its own
            for shown in (line, bare):
                if shown.startswith(echo[0]):
                    left = shown[len(echo[0]) :].removeprefix(_CTRL_Z)
                    del echo[0]
                    return left or None
            return line
        if bare == echo[0]:
            del echo[0]
            self._echoed = True
            return None
        if bare and echo[0].startswith(bare):
            echo[0] = echo[0][len(bare) :]
            return None
        return line

    def endedBy(self, line: bytes) -> bool:
        """
        Whether a line is the final result.
        """
        if self.line.endings and line.decode("latin-1").lower() in self.line.endings:
            return True
        return isFinal(line) and (line != _NO_CARRIER or self.line.noCarrier or self.protocol is not None)

    def announcedBy(self, line: bytes) -> bool:
        """
        Whether a line says that its data follow.
        """
        return self.phase is not None and self.phase.isAnnouncedBy(line.decode("latin-1"))

    def add(self, text: str) -> None:
        """
        Take a line of information.

        @raise PeerViolation: there is no end of them.
        """
        self._size += len(text) + LINE_COST
        if self._size > MAX_ANSWER:
            raise PeerViolation("an answer has no end", text.encode("latin-1"))
        self.lines.append(text)
        if self.block is not None:
            self.missing = self.block(text)

    # -- prompts

    @property
    def mayPrompt(self) -> bool:
        """
        Whether what looks like a prompt is one.

        Behind information it may be the beginning of a line, unless data are waiting to be asked for.
        """
        return not self.lines or (self._data is not None and not self._prompted)

    def reply(self, prompt: bytes) -> bytes:
        """
        What to send at a prompt, or in place of waiting for one: the data, or ESC where there are none to send.
        """
        if self._prompted:
            # some modules ask again at each line of the data
            return b""
        self._prompted = True
        data = self._data
        raw = self._counted or prompt == FILE_PROMPT
        if data is None or self.waiting is None:
            self.error = Misuse(f"{self.line.shown} asks for data, and there are none")
            return _ESC
        if not raw and (_CTRL_Z in data or _ESC in data):
            self.error = Misuse(f"the data for {self.line.shown} hold ^Z or ESC, which end or give up a text")
            return _ESC
        if self._echoed or not self.isPrompted:
            self._echo = [*self._echo, *filter(None, data.replace(b"\n", b"\r").split(b"\r"))]
        return data if raw else data + _CTRL_Z


class Resync:
    """
    The search for the beginning of an answer: C{AT} is sent until a lone OK answers, with silence behind it.

    A try goes like this: L{begin}, wait L{RESYNC_WAIT}, but L{RESYNC_QUIET} from the first L{result} on; then L{found}
    tells.
    """

    __slots__ = ("_clean", "_settling", "_tries")

    def __init__(self) -> None:
        self._tries = 0
        self._clean = self._settling = False

    def begin(self) -> bytes:
        """
        Begin a try; give what to send. ESC in front ends a prompt, or a line that was begun.

        Where the try before had no result at all, ETX ends the data that a Multi-Tech modem may carry (MTS-TCP-17).
        """
        isMute = self._tries > 0 and not self._settling
        self._tries += 1
        self._clean, self._settling = True, False
        return (_ETX if isMute else b"") + _ESC + _PROBE + b"\r"

    def spoil(self) -> None:
        """
        Something came that a lone OK doesn't come with.
        """
        self._clean = False

    def result(self, line: bytes) -> bool:
        """
        A final result has come; tell whether it was the first one, so that from now on silence decides.
        """
        first = not self._settling
        if not first or line != b"OK":
            self._clean = False
        self._settling = True
        return first

    def isNotice(self, line: bytes, subscribed: Collection[str]) -> bool:
        """
        Whether a line that is no result is a notice that somebody wants; else it is an echo, or spoils the try.
        """
        if noticeName(line.decode("latin-1")) in subscribed:
            return True
        if line.removeprefix(_PROMPT).lstrip(_ETX + _ESC) != _PROBE:
            self._clean = False
        return False

    @property
    def found(self) -> bool:
        """
        Whether a lone OK has come.
        """
        return self._settling and self._clean

    @property
    def hopeless(self) -> bool:
        """
        Whether it was tried often enough.
        """
        return self._tries >= RESYNC_TRIES
