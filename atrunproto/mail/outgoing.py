"""
The channel of an AT instance on which a part of a message is typed.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import ChannelTransport

#: a L{Session<atrunproto.mail.session.Session>}, whose module may not be imported before it is needed
Session = Any


@implementer(IProtocol)
class Outgoing:
    """
    Passes on what is typed; the server tells how much it takes.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spell: ChannelTransport | None = None

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The typing begins.
        """
        if self._session.connected:
            self._session.transport.registerProducer(self, True)
        self._session.over.addCallback(self._over)

    def _over(self, isTaken: bool) -> bool:
        spell, self._spell = self._spell, None
        if spell is not None:
            self.ended(spell, isTaken)
        return isTaken

    def ended(self, spell: ChannelTransport, isTaken: bool) -> None:
        """
        The server has ended the connection first.
        """
        spell.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        raise NotImplementedError

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The typing ends.
        """
        self._spell = None
        if self._session.connected:
            self._session.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """
        The server takes no more for now.
        """
        if self._spell is not None:
            self._spell.pauseProducing()
            self._session.setStalled(True)

    def resumeProducing(self) -> None:
        """
        The server takes more.
        """
        if self._spell is not None:
            self._spell.resumeProducing()
            self._session.setStalled(False)

    def stopProducing(self) -> None:
        """
        The connection is at its end, and tells so itself.
        """
