"""
The e-mail of a module: one message at a time, on context 1, handed to the server of #ESMTP.

Source: reference 9; TEL-SCF-08, TEL-EXA-03, TEL-EXA-04.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from atrunproto.at.calling import call
from atrunproto.at.online import Escaped, Online
from atrunproto.at.results import CME, NO_CARRIER, refuse

from .channels import Outgoing
from .letter import Attachment, Letter, isAddress
from .surroundings import CONNECTING, Surroundings

if TYPE_CHECKING:
    from .sender import Sender

#: the context of e-mail (TEL-SCF-08)
CONTEXT = 1
#: where a server listens, unless #ESMTP says host:port (A)
PORT = 25
#: characters of an address and of a subject; more are cut
SHORT = 100
#: characters of an answer that #EMAILMSG shows (A)
REPLY = 200


class Enclosing(Outgoing):
    """
    The channel on which an attachment is typed; the escape sequence completes the message.
    """

    def dataReceived(self, data: bytes) -> None:
        self._session.attach(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The attachment ends: complete by the escape sequence, in any other case given up.
        """
        super().connectionLost(reason)
        if reason.check(Escaped):
            self._session.finish()
        else:
            self._session.abort()


class Mail:
    """
    What a module does for e-mail.

    @ivar lastReply: what the server said last.
    @ivar hasOpened: whether #EMAILACT has opened the context that is active.
    """

    __slots__ = ("_sender", "hasOpened", "lastReply", "surroundings")

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._sender: Sender | None = None
        self.lastReply = ""
        self.hasOpened = False
        surroundings.watchContexts(self._contextChanged)

    @property
    def isOpen(self) -> bool:
        """
        Whether the context is active.
        """
        return self.surroundings.address(CONTEXT) is not None

    def letter(self, recipient: str, subject: str, body: bytes, attachment: Attachment | None = None) -> Letter:
        """
        A message from the address of #EADDR.
        """
        sender = self.surroundings.settings.value("#EADDR")
        return Letter(sender, recipient, subject, body, attachment, token_hex(16))

    def check(self, recipient: str) -> None:
        """
        See whether a message can be sent now.

        @raise CommandFailed: one is on its way, server or addresses are missing, or no server could take them.
        """
        if self._sender is not None:
            raise refuse(CME[551])
        settings = self.surroundings.settings
        if not settings.value("#ESMTP") or not all(map(isAddress, (settings.value("#EADDR"), recipient))):
            raise refuse(CME[550])

    async def send(self, letter: Letter) -> None:
        """
        Send a message without an attachment.

        @raise CommandFailed: the server has not taken it.
        """
        sender = self._start(letter)
        if not await sender.over:
            raise refuse(CME[550])

    async def begin(self, letter: Letter) -> Online:
        """
        Send a message up to its attachment, which is typed online.

        @raise CommandFailed: the server won't take it.
        """
        sender = self._start(letter)
        if not await sender.ready:
            raise refuse(CME[550])
        return Online(Enclosing(sender), escaped=NO_CARRIER, lost=NO_CARRIER, transmitEscape=False)

    def settled(self) -> Deferred[None]:
        """
        Fires when no message is on its way any more.
        """
        done: Deferred[None] = Deferred()
        if self._sender is None:
            done.callback(None)
        else:
            self._sender.over.addBoth(self._settle, done)
        return done

    @staticmethod
    def _settle(result: Any, done: Deferred[None]) -> Any:
        if not done.called:
            done.callback(None)
        return result

    def _start(self, letter: Letter) -> Sender:
        """
        Call the server.
        """
        from .sender import Sender

        surroundings = self.surroundings
        address = surroundings.address(CONTEXT)
        if address is None:
            raise refuse(CME[556])
        self.check(letter.recipient)
        settings = surroundings.settings
        sender = Sender(surroundings.clock, letter, settings.value("#EUSER"), settings.value("#EPASSW"), self._heard)
        host, port = _server(settings.value("#ESMTP"))

        async def reach() -> None:
            await call(surroundings, await surroundings.resolve(host), port, address, sender, CONNECTING)

        def over(result: Any) -> Any:
            self._sender = None
            attempt.cancel()
            return result

        self._sender = sender
        attempt = Deferred.fromCoroutine(reach())
        attempt.addErrback(lambda reason: sender.end())
        sender.over.addBoth(over)
        return sender

    def _heard(self, line: str) -> None:
        self.lastReply = "".join(char if char.isprintable() else " " for char in line[:REPLY])

    def _contextChanged(self, cid: int, address: str | None) -> None:
        if cid == CONTEXT and address is None:
            self.hasOpened = False
            if self._sender is not None:
                self._sender.abort()

    def powerOff(self) -> None:
        """
        What the server said is forgotten; the context has ended before.
        """
        self.lastReply = ""


def _server(text: str) -> tuple[str, int]:
    """
    Host and port out of #ESMTP; what is no port is the usual one.
    """
    host, _, port = text.partition(":")
    isPort = port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536
    return host, int(port) if isPort else PORT
