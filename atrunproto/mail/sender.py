"""
One message handed to a server by SMTP.

Importing this module installs Twisted's default reactor, since C{twisted.mail.smtp} does; it is imported when the first
message is sent. Timeouts run on the module's clock all the same. Twisted's own sender of data doubles no dot that comes
first in a chunk, so L{atrunproto.mail.letter.Lines} does that here.

Source: reference 9; TEL-EXA-03.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.python.failure import Failure

from .letter import Base64, Letter, Lines

#: seconds that a server has for each answer (A)
TIMEOUT = 60.0
#: lines that a server may say in one session
LINES = 200
#: how the module calls itself (A)
_IDENTITY = "module"


class Sender(smtp.ESMTPClient):
    """
    Sends one message, with a login where there is a user, then takes leave.

    @ivar over: fires when the connection has ended: whether the server has taken the message.
    @ivar ready: fires when the attachment may begin, or when it is clear that it never may; whether it may.
    """

    # the session would be kept, with the password in it, and shown by errors
    debug = False
    timeout: Any = TIMEOUT
    transport: Any
    _expected: Any

    def __init__(
        self, clock: IReactorTime, letter: Letter, user: str, password: str, heard: Callable[[str], None]
    ) -> None:
        """
        @param heard: called with each answer of the server.
        """
        super().__init__(password.encode("latin-1"), None, _IDENTITY)
        self.requireAuthentication = bool(user)
        if user:
            name = user.encode("latin-1")
            for kind in (smtp.CramMD5ClientAuthenticator, smtp.LOGINAuthenticator, smtp.PLAINAuthenticator):
                self.registerAuthenticator(kind(name))
        self.over: Deferred[bool] = Deferred(lambda _: self.abort())
        self.ready: Deferred[bool] = Deferred(lambda _: self.abort())
        self._clock = clock
        self._letter = letter
        self._heard = heard
        self._lines = Lines()
        self._base64 = Base64()
        self._said = 0
        self._isComplete = False
        self._isTaken = False

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:
        """
        Timeouts of Twisted's, on the module's clock.
        """
        return self._clock.callLater(period, func)

    def abort(self) -> None:
        """
        End it at once; a message that isn't complete is not delivered.
        """
        if self.connected:
            self.transport.abortConnection()
        else:
            self.end()

    def end(self) -> None:
        """
        Tell how it went, once.
        """
        for deferred, result in ((self.ready, False), (self.over, self._isTaken)):
            if not deferred.called:
                deferred.callback(result)

    # -- what Twisted's client calls

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.connected = 0
        super().connectionLost(reason)
        self.end()

    def timeoutConnection(self) -> None:
        self.abort()

    def lineReceived(self, line: bytes) -> None:
        self._said += 1
        if self._said > LINES:
            self.abort()
            return
        self._heard(line.decode("latin-1"))
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.abort()

    def getMailFrom(self) -> bytes:
        return self._letter.sender.encode("ascii")

    def getMailTo(self) -> list[bytes]:
        return [self._letter.recipient.encode("ascii")]

    def smtpState_data(self, code: int, resp: bytes) -> None:
        """
        The server waits for the message.
        """
        self._expected = smtp.SUCCESS
        self._okresponse = self.smtpState_msgSent
        self.transport.write(self._lines.take(self._letter.head()))
        if self._letter.attachment is None:
            self._isComplete = True
            self.transport.write(self._lines.end())
        else:
            # the user takes as long as it takes
            self.setTimeout(None)
            self.ready.callback(True)

    def smtpState_msgSent(self, code: int, resp: bytes) -> None:
        """
        The server has taken the message or refused it: take leave, without the RSET of Twisted's.
        """
        if self.ready.called and not self._isComplete:
            # in the midst of an attachment, where a command would be taken for data
            self.abort()
            return
        self._isTaken = self._isComplete and code in smtp.SUCCESS
        self.setTimeout(TIMEOUT)
        self._disconnectFromServer()

    # -- the attachment

    def attach(self, data: bytes) -> None:
        """
        Send more of the attachment.
        """
        assert self._letter.attachment is not None
        if self.connected:
            part = data if self._letter.attachment.isText else self._base64.take(data)
            self.transport.write(self._lines.take(part))

    def setStalled(self, isStalled: bool) -> None:
        """
        The server takes no more of the attachment for now, which it may do as long as it may be silent.
        """
        self.setTimeout(TIMEOUT if isStalled else None)

    def finish(self) -> None:
        """
        The attachment is complete.
        """
        if self.connected:
            rest = self._base64.end() + self._letter.tail()
            self._isComplete = True
            self.setTimeout(TIMEOUT)
            self.transport.write(self._lines.take(rest) + self._lines.end())
