"""
What a transport under an AT instance knows beyond bytes.

A plain transport is an ordinary local port; the transport of a run-AT service also provides a L{Bearer}.
So command code never asks where it runs.
"""

from __future__ import annotations

from enum import Enum


class BearerKind(Enum):
    """
    How a command line came to the module.
    """

    LOCAL = "local"
    TCPATRUN_SERVER = "TCPATRUN server mode"
    TCPATRUN_CLIENT = "TCPATRUN client mode"
    SMS_SIMPLE = "SMSATRUN simple"
    SMS_DIGEST = "SMSATRUN digest"


class Jam(Enum):
    """
    How a command can stop the exchange of commands and answers over a run-AT service.
    """

    #: until somebody else puts an end to it (TEL-NOT-07, TEL-SMS-44)
    FOR_GOOD = "for good"
    #: until the command timeout reboots the module (TEL-SMS-43)
    UNTIL_TIMEOUT = "until the command timeout"


#: the two kinds of AT commands over SMS
OVER_SMS = frozenset([BearerKind.SMS_SIMPLE, BearerKind.SMS_DIGEST])
#: the two kinds of AT commands over TCP
OVER_TCP = frozenset([BearerKind.TCPATRUN_SERVER, BearerKind.TCPATRUN_CLIENT])


class Bearer:
    """
    The rules of the bearer, asked by the instance. These are the ones of a local port.
    """

    __slots__ = ()

    kind = BearerKind.LOCAL
    #: an escape sequence counts only when it comes in one chunk (TEL-TRN-04)
    escapeInOneChunk = False
    #: what comes is echoed, where E says so; an answer by SMS has no echo (reference 3.4)
    echoes = True
    #: prompts can be answered, channels talked to and notices heard; else a command that asks hangs until L{limit}, and
    #: a line that goes online has its final result when it comes back (reference 3.5; TEL-SMS-48, TEL-SMS-49)
    isInteractive = True

    def delay(self) -> float:
        """
        Seconds to wait before each command line (#ATRUNDELAY).
        """
        return 0.0

    def limit(self) -> float | None:
        """
        Seconds that one command line may run; C{None}: as long as it likes.
        """
        return None

    def expired(self) -> None:
        """
        A command line has run longer than L{limit}.
        """

    def queues(self) -> bool:
        """
        Whether lines that come while a command runs are kept (#TCPATCMDSEQ) and not lost.
        """
        return False

    def jammed(self, jam: Jam) -> None:
        """
        A command is about to stop the exchange of commands and answers.
        """

    def finished(self) -> None:
        """
        A command line has come to its final result, shown or not.
        """


#: the bearer of every serial port, pty and local TCP port
LOCAL = Bearer()
