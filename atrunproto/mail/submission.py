"""
One message of a Multi-Tech modem, handed to a server by SMTP.

As to importing this module, see L{atrunproto.mail.session}.
Source: reference guide S000333C, 3 and appendix B; MTS-SMTP, MTS-MAIL, MTS-ERR-22 to MTS-ERR-38, MTS-GAP-52.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.python.failure import Failure

from atrunproto.at.results import Reason
from atrunproto.multitech.errors import (
    BODY_REJECTED,
    CLOSED_BY_PEER,
    COPY_REJECTED,
    NO_RESPONSE,
    OPEN_FAILED,
    PASSWORD_REJECTED,
    RECIPIENT_REJECTED,
    SEND_FAILED,
    SENDER_REJECTED,
    USER_REJECTED,
)

from .endmark import END
from .envelope import Envelope
from .letter import Lines
from .session import Session

#: seconds that a server may be silent (MTS-SMTP-13)
TIMEOUT = 180.0
#: seconds for the answer to the leave-taking, when the message is delivered or refused already (A)
LEAVING = 10.0

_METHODS = (smtp.LOGINAuthenticator, smtp.PLAINAuthenticator)


class Submission(Session):
    """
    Sends one mail to all its recipients or to none; the body is a stored one, or is typed.

    @ivar reason: why the server has not taken it, when that is clear.
    """

    timeout: Any = TIMEOUT

    def __init__(
        self, clock: IReactorTime, envelope: Envelope, user: str, password: str, touch: Callable[[], None]
    ) -> None:
        """
        @param user: for the login; there is none where it or the password is empty (MTS-SMTP-03).
        @param touch: called whenever octets come or go.
        """
        user = user if password else ""
        super().__init__(clock, envelope.domain.encode("latin-1"), user, password, _METHODS, lambda _: touch())
        self.reason: Reason | None = None
        #: the whole body, where it isn't typed
        self.body: str | None = None
        self._envelope = envelope
        self._touch = touch
        # what it means when the server refuses the next step
        self._refusal = OPEN_FAILED
        self._answers = 0
        self._asked = 0

    def fail(self, reason: Reason) -> None:
        """
        End it at once; the mail is not delivered, unless it is complete.
        """
        self._failed(reason)
        self.abort()

    def _failed(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason

    # -- what Twisted's client calls

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._isTaken:
            self._failed(CLOSED_BY_PEER if reason.check(ConnectionDone) else SEND_FAILED)
        super().connectionLost(reason)

    def timeoutConnection(self) -> None:
        self.fail(NO_RESPONSE)

    def sendError(self, exc: Exception) -> None:
        self._failed(self._refusal)
        super().sendError(exc)

    def _disconnectFromServer(self) -> None:
        super()._disconnectFromServer()
        self.setTimeout(LEAVING)

    def esmtpEHLORequired(self, code: int = -1, resp: bytes | None = None) -> None:
        self._refusal = USER_REJECTED
        super().esmtpEHLORequired(code, resp)

    def authenticate(self, code: int, resp: bytes, items: Any) -> None:
        """
        Log in where that is wanted; a server that offers no way to do so knows no user (A).
        """
        self._refusal = USER_REJECTED
        super().authenticate(code, resp, items)

    def _esmtpState_plainAuth(self, code: int, resp: bytes) -> None:
        self._refusal = PASSWORD_REJECTED
        super()._esmtpState_plainAuth(code, resp)

    def _authResponse(self, auth: Any, challenge: bytes) -> None:
        # the user name comes first, the password second
        self._answers += 1
        if self._answers > 1:
            self._refusal = PASSWORD_REJECTED
        super()._authResponse(auth, challenge)

    def getMailFrom(self) -> bytes:
        self._refusal = SENDER_REJECTED
        return self._envelope.sender.encode("ascii")

    def getMailTo(self) -> list[bytes]:
        return [each.encode("ascii") for each in (*self._envelope.recipients, *self._envelope.copies)]

    def smtpState_toOrData(self, code: int, resp: bytes) -> None:
        """
        Name the next recipient, or ask to send the mail; one that is refused ends it all.
        """
        if self._asked and code not in smtp.SUCCESS:
            self.smtpTransferFailed(code, resp)
            return
        direct, copies = len(self._envelope.recipients), len(self._envelope.copies)
        if self._asked < direct:
            self._refusal = RECIPIENT_REJECTED
        else:
            self._refusal = COPY_REJECTED if self._asked < direct + copies else BODY_REJECTED
        self._asked += 1
        super().smtpState_toOrData(code, resp)

    def smtpState_msgSent(self, code: int, resp: bytes) -> None:
        if not self._isComplete or code not in smtp.SUCCESS:
            self._failed(self._refusal)
        super().smtpState_msgSent(code, resp)

    # -- the mail

    def compose(self) -> None:
        self.write(self._envelope.head())
        if self.body is None:
            self.expectTyping()
        else:
            # a stored body has nobody who would double its dots
            lines = Lines()
            self.complete(lines.take(self.body.encode("latin-1")) + lines.end())

    def write(self, data: bytes) -> None:
        self._touch()
        super().write(data)

    def finish(self) -> None:
        """
        The body that is typed is complete.
        """
        self.complete(END)
