"""
The first mail of a mailbox, fetched by POP3 and then deleted.

Twisted's own client of POP3 takes the doubled dots out and gives lines; here octets go through as they come, and as
fast as the AT port takes them.
Source: reference guide S000333C, 3 and appendix B; MTS-POP, MTS-ERR-26 to MTS-ERR-38, MTS-GAP-44; RFC 1939.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from atrunproto.at.results import Reason
from atrunproto.multitech.errors import (
    CLOSE_FAILED,
    CLOSED_BY_PEER,
    DELETION_FAILED,
    HEADER_FAILED,
    MAIL_FAILED,
    NO_RESPONSE,
    OPEN_FAILED,
    PASSWORD_REJECTED,
    SEND_FAILED,
    USER_REJECTED,
)

from .endmark import HeaderTooLong, Shown

#: seconds that a server may be silent (A; as with SMTP)
TIMEOUT = 180.0
#: seconds for the answer to the leave-taking after something went wrong (A)
LEAVING = 10.0
#: octets of a server's answer
LINE = 1000


class Retrieval(LineReceiver, TimeoutMixin):
    """
    Fetches one mail, and deletes it.

    (answers) accepted: the next order -> answers, or the mail.
    (answers) refused: QUIT -> leaving.
    (the mail) begun: it waits until L{show} is called.
    (the mail) its end: DELE -> answers.
    (leaving) any answer: the connection is closed.

    @ivar over: fires when the connection has ended: whether all went well.
    @ivar ready: fires when a mail begins, or when it is clear that none does; whether one does.
    @ivar reason: why it has not gone well, when that is clear.
    """

    transport: Any
    MAX_LENGTH = LINE
    delimiter = b"\r\n"

    def __init__(
        self, clock: IReactorTime, user: str, password: str, withHeader: bool, touch: Callable[[], None]
    ) -> None:
        """
        @param withHeader: show some of the header.
        @param touch: called whenever octets come or go.
        """
        self.over: Deferred[bool] = Deferred(lambda _: self.abort())
        self.ready: Deferred[bool] = Deferred(lambda _: self.abort())
        self.reason: Reason | None = None
        self._clock = clock
        self._user = user.encode("latin-1")
        self._password = password.encode("latin-1")
        self._shown = Shown(withHeader)
        self._touch = touch
        self._sink: Callable[[bytes], None] = lambda data: None
        self._accepted: Callable[[bytes], None] = self._greeted
        self._refusal = OPEN_FAILED
        self._isDone = False

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """
        Timeouts of Twisted's, on the module's clock.
        """
        return self._clock.callLater(period, func)

    # -- the end

    def fail(self, reason: Reason) -> None:
        """
        End it at once.
        """
        self._failed(reason)
        self.abort()

    def abort(self) -> None:
        """
        End it at once; a mail that was not fetched whole stays on the server.
        """
        if self.connected:
            self.transport.abortConnection()
        else:
            self._end()

    def _failed(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason

    def _end(self) -> None:
        result = self._isDone and self.reason is None
        for deferred, value in ((self.ready, False), (self.over, result)):
            if not deferred.called:
                deferred.callback(value)

    # -- the connection

    def connectionMade(self) -> None:
        self.setTimeout(TIMEOUT)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.connected = 0
        self.setTimeout(None)
        if not self._isDone:
            self._failed(CLOSED_BY_PEER if reason.check(ConnectionDone) else SEND_FAILED)
        self._end()

    def timeoutConnection(self) -> None:
        self.fail(NO_RESPONSE)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.fail(self._refusal)

    def pauseProducing(self) -> None:
        """
        The AT port takes no more for now; the server may wait as long as it does.
        """
        super().pauseProducing()
        self.setTimeout(None)

    def resumeProducing(self) -> None:
        if self.connected:
            self.setTimeout(TIMEOUT)
            super().resumeProducing()

    # -- answers

    def _ask(self, order: bytes, accepted: Callable[[bytes], None], refusal: Reason) -> None:
        """
        @param refusal: what it means when the server refuses.
        """
        self._accepted, self._refusal = accepted, refusal
        self.sendLine(order)

    def lineReceived(self, line: bytes) -> None:
        self.resetTimeout()
        self._touch()
        if line.startswith(b"+OK") or self._accepted == self._left:
            if not line.startswith(b"+OK"):
                self._failed(self._refusal)
            self._accepted(line)
        else:
            self._leave(self._refusal)

    def _leave(self, reason: Reason) -> None:
        self._failed(reason)
        self._ask(b"QUIT", self._left, reason)
        self.setTimeout(LEAVING)

    def _greeted(self, line: bytes) -> None:
        self._ask(b"USER " + self._user, self._known, USER_REJECTED)

    def _known(self, line: bytes) -> None:
        self._ask(b"PASS " + self._password, self._loggedIn, PASSWORD_REJECTED)

    def _loggedIn(self, line: bytes) -> None:
        self._ask(b"STAT", self._counted, MAIL_FAILED)

    def _counted(self, line: bytes) -> None:
        words = line.split()
        if len(words) < 2 or not words[1].isdigit():
            self._leave(MAIL_FAILED)
        elif words[1].strip(b"0"):
            self._ask(b"RETR 1", self._begun, MAIL_FAILED)
        else:
            self._ask(b"QUIT", self._left, CLOSE_FAILED)

    def _begun(self, line: bytes) -> None:
        self.setRawMode()
        self.pauseProducing()
        self.ready.callback(True)

    def _deleted(self, line: bytes) -> None:
        self._ask(b"QUIT", self._left, CLOSE_FAILED)

    def _left(self, line: bytes) -> None:
        self._isDone = True
        self.transport.loseConnection()

    # -- the mail

    def show(self, sink: Callable[[bytes], None]) -> None:
        """
        Let the mail come.

        @param sink: gets what is shown, without the end mark.
        """
        self._sink = sink
        if self.connected:
            self.resumeProducing()

    def rawDataReceived(self, data: bytes) -> None:
        self.resetTimeout()
        self._touch()
        try:
            shown, rest = self._shown.take(data)
        except HeaderTooLong:
            self.fail(HEADER_FAILED)
            return
        if shown:
            self._sink(shown)
        if rest is not None:
            self._ask(b"DELE 1", self._deleted, DELETION_FAILED)
            self.setLineMode(rest)
