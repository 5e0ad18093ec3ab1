"""
The errors of atrunproto, all of one family.

Attributes hold the data; C{str()} is one line that a person at a terminal understands.
The numbers and texts of result codes stand in L{atrunproto.at.results}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import Reason

#: bytes of an offending input that an error carries; enough to recognise it, too few to fill a log
SAMPLE_LENGTH = 64


class ATError(Exception):
    """
    Everything that atrunproto raises on purpose.
    """


class CommandFailed(ATError):
    """
    A module answers a command with an error: raised by its handler, received by the peer.
    """

    def __init__(self, command: str, reason: Reason) -> None:
        """
        @param command: the command line, or the empty string where the instance fills it in.
        @param reason: the error, from L{atrunproto.at.results}.
        """
        super().__init__(command, reason)
        self.command = command
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.command or 'the command'} was answered by {self.reason}"


class CommandTimeout(ATError):
    """
    A command got no final result in the time it may take.
    """

    def __init__(self, command: str, seconds: float) -> None:
        super().__init__(command, seconds)
        self.command = command
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.command} got no final result within {self.seconds:g} s"


class LineSwallowed(ATError):
    """
    A command was sent at the moment when the module took what comes for data.

    It wasn't run, and its octets may have gone to the other end of a connection.
    """

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"{self.command} met a module that had begun to take data"


class LinkLost(ATError):
    """
    The connection ended before a command was answered.
    """

    def __init__(self, command: str, sent: bool) -> None:
        """
        @param sent: whether any byte of the command had left. It decides between "was never run" and "unknown".
        """
        super().__init__(command, sent)
        self.command = command
        self.sent = sent

    def __str__(self) -> str:
        return f"the link was lost {'while' if self.sent else 'before'} {self.command} ran"


class PeerViolation(ATError):
    """
    The other side broke the protocol.
    """

    def __init__(self, what: str, data: bytes = b"") -> None:
        """
        @param data: the offending bytes; only the first L{SAMPLE_LENGTH} are kept.
        """
        super().__init__(what, data[:SAMPLE_LENGTH])
        self.what = what
        self.data = data[:SAMPLE_LENGTH]

    def __str__(self) -> str:
        return f"{self.what}: {self.data!r}" if self.data else self.what


class Misuse(ATError):
    """
    Our own side, or its user, broke a rule.
    """


class Abandoned(ATError):
    """
    The user gave up at a data prompt (ESC).
    """

    def __init__(self, echo: bytes = b"", rest: bytes = b"") -> None:
        """
        @param echo: what is to be shown for what came in front of the ESC in the same chunk.
        @param rest: what came behind the ESC.
        """
        super().__init__("the data were given up")
        self.echo = echo
        self.rest = rest
