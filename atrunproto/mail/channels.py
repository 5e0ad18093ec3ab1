"""
The channels of an AT instance on which a part of a message is typed or shown.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import ChannelTransport

#: a L{Session<atrunproto.mail.session.Session>} or what is like it; its module may not be imported before it is needed
Session = Any


@implementer(IProtocol)
class Channel:
    """
    A channel beside a session with a mail server, which ends when that does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spell: ChannelTransport | None = None

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        Online mode begins.
        """
        self._session.over.addCallback(self._over)

    def _over(self, isWell: bool) -> bool:
        spell, self._spell = self._spell, None
        if spell is not None:
            self.ended(spell, isWell)
        return isWell

    def ended(self, spell: ChannelTransport, isWell: bool) -> None:
        """
        The session has ended first.
        """
        spell.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        raise NotImplementedError

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Online mode ends.
        """
        self._spell = None


class Outgoing(Channel):
    """
    Passes on what is typed; the server tells how much it takes.
    """

    def connectionMade(self) -> None:
        if self._session.connected:
            self._session.transport.registerProducer(self, True)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The typing ends.
        """
        super().connectionLost(reason)
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
