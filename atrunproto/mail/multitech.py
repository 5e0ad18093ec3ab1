"""
The e-mail of a Multi-Tech modem: one is sent or fetched at a time, over the connection that is up.

Source: reference guide S000333C, 3 and appendix B; MTS-SMTP, MTS-POP, MTS-SER-07, MTS-SER-08, MTS-GAP-38, MTS-GAP-54.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from atrunproto.at.calling import call
from atrunproto.at.errors import CommandFailed
from atrunproto.at.online import ChannelTransport, Online
from atrunproto.at.results import OK, Reason, ResultCode, refuse
from atrunproto.multitech.errors import NO_LINK, NO_RESPONSE, OPEN_FAILED, SEND_FAILED, Message, message
from atrunproto.multitech.parameters import Parameters
from atrunproto.multitech.stack import Link, Stack
from atrunproto.multitech.surroundings import MultitechSurroundings

from .channels import Channel, Outgoing
from .endmark import END, EndMark
from .envelope import envelopeOf
from .surroundings import CONNECTING

#: seconds without an octet of the body after which sending is given up (MTS-SMTP-14)
SILENCE = 50.0


class Running(Protocol):
    """
    A mail that is sent or fetched: a L{Submission<atrunproto.mail.submission.Submission>} or a
    L{Retrieval<atrunproto.mail.retrieval.Retrieval>}.
    """

    over: Deferred[bool]
    ready: Deferred[bool]
    reason: Reason | None

    def fail(self, reason: Reason) -> None:
        """
        End it at once.
        """


def _whyNot(running: Running) -> Reason:
    return running.reason or SEND_FAILED


class Composing(Outgoing):
    """
    The channel on which a body is typed; its end mark is echoed, and nothing else.

    (typing) the end mark: the server is told -> waiting.
    (typing) L{SILENCE}: it is given up.
    (typing, waiting) the server has taken the mail or not, or was lost: OK or the error.
    (waiting) octets: they are lost.
    """

    def __init__(self, session: Any, clock: IReactorTime) -> None:
        super().__init__(session)
        self._clock = clock
        self._mark = EndMark()
        self._isWhole = False
        self._silence: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._wait(True)
        super().connectionMade()

    def _wait(self, isPatient: bool) -> None:
        """
        Begin to wait for the user, or wait no more.
        """
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._clock.callLater(SILENCE, self._silent) if isPatient else None

    def _silent(self) -> None:
        self._silence = None
        self._session.fail(SEND_FAILED)

    def dataReceived(self, data: bytes) -> None:
        if self._isWhole:
            return
        onward, rest = self._mark.take(data)
        self._isWhole = rest is not None
        # to write may pause this, which stops the waiting again
        self._wait(not self._isWhole)
        if onward:
            self._session.write(onward)
        if self._isWhole and self._spell is not None:
            self._spell.write(END)
            self._session.finish()

    def pauseProducing(self) -> None:
        if not self._isWhole:
            self._wait(False)
            super().pauseProducing()

    def resumeProducing(self) -> None:
        if not self._isWhole:
            self._wait(True)
            super().resumeProducing()

    def ended(self, spell: ChannelTransport, isWell: bool) -> None:
        spell.endWith(OK if isWell else _whyNot(self._session))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._wait(False)
        super().connectionLost(reason)
        self._session.abort()


class Reading(Channel):
    """
    The channel on which a mail is shown, with the end mark behind it, whole or not; what is typed meanwhile is lost.
    """

    def connectionMade(self) -> None:
        super().connectionMade()
        if self._spell is not None:
            self._spell.registerProducer(self._session, True)
            self._session.show(self._spell.write)

    def ended(self, spell: ChannelTransport, isWell: bool) -> None:
        spell.write(END)
        spell.endWith(OK if isWell else _whyNot(self._session))

    def dataReceived(self, data: bytes) -> None:
        """
        Nothing that is typed stops it (MTS-POP-10).
        """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Nobody reads any more.
        """
        super().connectionLost(reason)
        self._session.abort()


class MultitechMail:
    """
    What a modem does for e-mail.
    """

    __slots__ = ("_module",)

    def __init__(self, module: MultitechSurroundings) -> None:
        self._module = module

    async def put(self) -> Online:
        """
        Send mail 1, whose body is typed online.

        @raise CommandFailed: the server won't take it.
        """
        session = await self._run("SMTP", lambda link: self._submission(link, 1))
        if not await session.ready:
            raise refuse(_whyNot(session))
        return Online(
            Composing(session, self._module.clock),
            announcement=message(self._module, Message.WAITING_FOR_DATA),
            escapes=False,
        )

    async def send(self, mail: int) -> None:
        """
        Send a mail with its stored body.

        @param mail: 1 to 3.
        @raise CommandFailed: the server has not taken it.
        """

        def make(link: Link) -> Any:
            session, server, port = self._submission(link, mail)
            session.body = self._parameters[f"BODY{mail}"]
            return session, server, port

        session = await self._run("SMTP", make)
        if not await session.over:
            raise refuse(_whyNot(session))

    async def get(self) -> Online | ResultCode:
        """
        Fetch the first mail of the mailbox, and show it online.

        @raise CommandFailed: it can't be fetched.
        """
        session = await self._run("POP3", self._retrieval)
        if await session.ready:
            return Online(Reading(session), announcement=message(self._module, Message.MAIL), escapes=False)
        if not await session.over:
            raise refuse(_whyNot(session))
        return message(self._module, Message.NO_MAIL)

    @property
    def _parameters(self) -> Parameters:
        return Parameters(self._module.settings)

    def _submission(self, link: Link, mail: int) -> Any:
        from .submission import Submission

        parameters = self._parameters
        server, port = parameters.needed("SMTPSERV"), parameters.needed("SMTPPORT")
        envelope = envelopeOf(parameters, mail)
        user, password = parameters["SMTPUN"], parameters["SMTPPW"]
        return Submission(self._module.clock, envelope, user, password, link.touch), server, port

    def _retrieval(self, link: Link) -> Any:
        from .retrieval import Retrieval

        parameters = self._parameters
        server, port = parameters.needed("POP3SERV"), parameters.needed("POP3PORT")
        user, password = parameters["POP3UN"], parameters["POP3PW"]
        withHeader = bool(parameters["POP3HEADERMODE"])
        return Retrieval(self._module.clock, user, password, withHeader, link.touch), server, port

    async def _run(self, service: str, make: Callable[[Link], tuple[Any, str, int]]) -> Any:
        """
        Begin a service, and call its server.

        @param make: makes the session, and tells the name and the port of the server.
        @return: the session; it tells what became of it.
        @raise CommandFailed: it can't be begun.
        """
        stack = self._module.part(Stack)
        link = stack.needLink()
        claim = stack.claim(service)
        try:
            session, server, port = make(link)
        except CommandFailed:
            claim.release()
            raise
        attempt = Deferred.fromCoroutine(self._reach(link, server, port, session))
        forget = link.watch(lambda reason: session.fail(reason or NO_LINK))

        def over(result: Any) -> Any:
            forget()
            claim.release()
            attempt.cancel()
            return result

        session.over.addBoth(over)
        return session

    async def _reach(self, link: Link, server: str, port: int, session: Any) -> None:
        try:
            host = await link.resolve(server)
            await call(self._module, host, port, link.address or "", session, CONNECTING)
        except CommandFailed as error:
            session.fail(error.reason)
        except ConnectError:
            session.fail(OPEN_FAILED)
        except (TimeoutError, ConnectingCancelledError):
            session.fail(NO_RESPONSE)
        except CancelledError:
            session.fail(NO_LINK)
