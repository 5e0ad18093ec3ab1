"""
The e-mail of a module: one message at a time, on context 1, handed to the server of #ESMTP.

Source: reference 9; TEL-SCF-08, TEL-EXA-03, TEL-EXA-04.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import ClientFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import ChannelTransport, Escaped, Online
from atrunproto.at.results import CME, NO_CARRIER, refuse

from .letter import Attachment, Letter
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .sender import Sender

#: the context of e-mail (TEL-SCF-08)
CONTEXT = 1
#: where a server listens, unless #ESMTP says host:port (A)
PORT = 25
#: seconds that a server has to take the connection (A)
CONNECTING = 60.0
#: characters of an address and of a subject; more are cut
SHORT = 100
#: characters of an answer that #EMAILMSG shows (A)
REPLY = 200


class _Calling(ClientFactory):
    """
    The other end of one connection attempt.
    """

    noisy = False

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._sender

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        self._sender.end()


@implementer(IProtocol)
class Enclosing:
    """
    The channel of an AT instance that types an attachment; the escape sequence completes the message.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._spell: ChannelTransport | None = None

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The attachment begins; the server tells how much it takes.
        """
        if self._sender.connected:
            self._sender.transport.registerProducer(self, True)
        self._sender.over.addCallback(self._over)

    def _over(self, isTaken: bool) -> bool:
        spell, self._spell = self._spell, None
        if spell is not None:
            spell.loseConnection()
        return isTaken

    def dataReceived(self, data: bytes) -> None:
        self._sender.attach(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The attachment ends: complete by the escape sequence, in any other case given up.
        """
        self._spell = None
        if self._sender.connected:
            self._sender.transport.unregisterProducer()
        if reason.check(Escaped):
            self._sender.finish()
        else:
            self._sender.abort()

    def pauseProducing(self) -> None:
        """
        The server takes no more for now.
        """
        if self._spell is not None:
            self._spell.pauseProducing()
            self._sender.setStalled(True)

    def resumeProducing(self) -> None:
        """
        The server takes more.
        """
        if self._spell is not None:
            self._spell.resumeProducing()
            self._sender.setStalled(False)

    def stopProducing(self) -> None:
        """
        The connection is at its end, and tells so itself.
        """


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
        if not settings.value("#ESMTP") or not all(map(_isAddress, (settings.value("#EADDR"), recipient))):
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
        attempt: list[Any] = []

        def connect(found: str) -> None:
            if sender.over.called:
                return
            onLoopback = found.startswith("127.") or not address.startswith("127.")
            attempt.append(
                surroundings.reactor.connectTCP(
                    found,
                    port,
                    _Calling(sender),
                    timeout=None,
                    bindAddress=(address, 0) if onLoopback else None,
                )
            )

        def over(result: Any) -> Any:
            self._sender = None
            if timeout.active():
                timeout.cancel()
            for connector in attempt:
                if not sender.connected:
                    connector.disconnect()
            return result

        def late() -> None:
            if not sender.connected:
                sender.end()

        self._sender = sender
        timeout = surroundings.clock.callLater(CONNECTING, late)
        sender.over.addBoth(over)
        surroundings.resolve(host).addCallback(connect).addErrback(lambda reason: sender.end())
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


def _isAddress(text: str) -> bool:
    """
    Whether SMTP can say this address as it is.
    """
    return bool(text) and text.isascii() and text.isprintable() and not set(text) & set("<> ")
