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
    #: a prompt can be shown and answered; a command that asks at another bearer hangs until L{limit} (reference 3.5)
    prompts = True

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

    def jammed(self) -> None:
        """
        A command has stopped the exchange of commands and answers for good (TEL-NOT-07).
        """

    def finished(self) -> None:
        """
        A command line has come to its final result, shown or not.
        """


#: the bearer of every serial port, pty and local TCP port
LOCAL = Bearer()
