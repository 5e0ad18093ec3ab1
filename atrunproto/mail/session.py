"""
One message handed to a server by SMTP, as far as all modules do it alike.

Importing this module installs Twisted's default reactor, since C{twisted.mail.smtp} does; it is imported when the first
message is sent. Timeouts run on the module's clock all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.mail import smtp
from twisted.python.failure import Failure

#: seconds that a server has for each answer, where a module says nothing else (A)
TIMEOUT = 60.0
#: lines that a server may say in one session
LINES = 200


class Session(smtp.ESMTPClient):
    """
    Sends one message, with a login where there is a user, then takes leave.

    @ivar over: fires when the connection has ended: whether the server has taken the message.
    @ivar ready: fires when what the user types may begin, or when it is clear that it never may; whether it may.
    """

    # the session would be kept, with the password in it, and shown by errors
    debug = False
    timeout: Any = TIMEOUT
    transport: Any
    _expected: Any
    _failresponse: Any

    def __init__(
        self,
        clock: IReactorTime,
        identity: bytes,
        user: str,
        password: str,
        methods: Sequence[Callable[[bytes], Any]],
        heard: Callable[[str], None],
    ) -> None:
        """
        @param identity: how the module calls itself.
        @param user: empty: no login.
        @param methods: Twisted's kinds of login, the one that is tried first first.
        @param heard: called with each answer of the server.
        """
        super().__init__(password.encode("latin-1"), None, identity)
        self.requireAuthentication = bool(user)
        for kind in methods if user else ():
            self.registerAuthenticator(kind(user.encode("latin-1")))
        self.over: Deferred[bool] = Deferred(lambda _: self.abort())
        self.ready: Deferred[bool] = Deferred(lambda _: self.abort())
        self._clock = clock
        self._heard = heard
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

    def smtpState_helo(self, code: int, resp: bytes) -> None:
        """
        The server knows no EHLO; one that doesn't know HELO either, which Twisted's client would repeat, is none.
        """
        super().smtpState_helo(code, resp)
        self._failresponse = self.smtpConnectionFailed

    def smtpState_data(self, code: int, resp: bytes) -> None:
        """
        The server waits for the message.
        """
        self._expected = smtp.SUCCESS
        self._okresponse = self.smtpState_msgSent
        self.compose()

    def smtpState_msgSent(self, code: int, resp: bytes) -> None:
        """
        The server has taken the message or refused it: take leave, without the RSET of Twisted's.
        """
        if self.ready.called and not self._isComplete:
            # in the midst of a message, where a command would be taken for data
            self.abort()
            return
        self._isTaken = self._isComplete and code in smtp.SUCCESS
        self.setTimeout(self.timeout)
        self._disconnectFromServer()

    # -- the message

    def compose(self) -> None:
        """
        Send the message by L{complete}, or as much of it as there is already, and then L{expectTyping}.
        """
        raise NotImplementedError

    def expectTyping(self) -> None:
        """
        Let the user type the rest, who takes as long as it takes.
        """
        self.setTimeout(None)
        self.ready.callback(True)

    def write(self, data: bytes) -> None:
        """
        Send a part of the message, as it is.
        """
        if self.connected:
            self.transport.write(data)

    def setStalled(self, isStalled: bool) -> None:
        """
        The server takes no more of the message for now, which it may do as long as it may be silent.
        """
        self.setTimeout(self.timeout if isStalled else None)

    def complete(self, data: bytes) -> None:
        """
        Send the last part of the message.
        """
        if self.connected:
            self._isComplete = True
            self.setTimeout(self.timeout)
            self.transport.write(data)
