"""
What carries the octets of a connection between its link and the AT instance that is online with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import ChannelTransport
from atrunproto.at.results import ResultCode

if TYPE_CHECKING:
    from .conversation import Conversation
    from .link import Link


@implementer(IProtocol)
class Bridge:
    """
    The channel of an AT instance that is online with a conversation; one for each spell.
    """

    def __init__(self, conversation: Conversation, over: Callable[[], None] | None = None) -> None:
        """
        @param over: called at its end.
        """
        self._conversation = conversation
        self._over = over
        self._spell: ChannelTransport | None = None

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        The spell has begun: what waited goes first (TEL-SO-02).
        """
        conversation, spell = self._conversation, self._spell
        assert spell is not None
        waiting = conversation.read(conversation.pending)
        if waiting:
            spell.write(waiting)
        link = conversation.link
        if link is None:
            spell.loseConnection()
            return
        spell.registerProducer(FromPeer(link), True)
        if conversation.isFull:
            spell.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        """
        What the DTE says goes to the peer.
        """
        link = self._conversation.link
        if link is not None:
            link.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The spell is over: by an escape, by the line, or by what happened to the connection.
        """
        self._conversation.unbridged(self, reason)
        if self._over is not None:
            self._over()

    @property
    def isUp(self) -> bool:
        """
        Whether the spell has begun.
        """
        return self._spell is not None

    def write(self, data: bytes) -> None:
        """
        What the peer says goes to the DTE.
        """
        assert self._spell is not None
        self._spell.write(data)

    def setFull(self, isFull: bool) -> None:
        """
        The peer takes no more data for now, or takes them again.
        """
        if self._spell is not None:
            self._spell.pauseProducing() if isFull else self._spell.resumeProducing()

    def end(self, lost: ResultCode) -> None:
        """
        End the spell.

        @param lost: what the DTE is told.
        """
        if self._spell is not None:
            self._spell.online = replace(self._spell.online, lost=lost)
            self._spell.loseConnection()

    def outlive(self, told: ResultCode) -> None:
        """
        Keep the DTE online though the connection is gone, until it escapes or drops DTR.

        @param told: what it is told then.
        """
        assert self._spell is not None
        # nothing is left that could live on when DTR drops under &D1
        self._spell.online = replace(self._spell.online, escaped=told, lost=told, survives=False)


class ToPeer:
    """
    Hears from the link how much the peer takes.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def pauseProducing(self) -> None:
        self._conversation.setFull(True)

    def resumeProducing(self) -> None:
        self._conversation.setFull(False)

    def stopProducing(self) -> None:
        """
        The link is at its end, and tells so itself.
        """


class FromPeer:
    """
    Hears from an online spell how much the DTE takes; its end is not the link's.
    """

    def __init__(self, link: Link) -> None:
        self.pauseProducing = link.pauseProducing
        self.resumeProducing = link.resumeProducing

    def stopProducing(self) -> None:
        """
        The link lives on.
        """
