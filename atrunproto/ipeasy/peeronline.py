"""
A connection through a module on an AT port of its own: online mode, with spells in command mode between.

Source: IP Easy User Guide 3.2.1.4 to 3.2.1.6 (S); reference 6.3 and 6.7; TEL-SD, TEL-SO, TEL-SH.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.errors import CommandTimeout
from atrunproto.at.online import Escaped
from atrunproto.at.peer import ATClient
from atrunproto.at.peeronline import FalseAlarm

from .peertransport import SocketTransport

#: octets handed to the AT line at once
PIECE = 16 * 1024


@implementer(IPushProducer)
class _Flow:
    """
    Hears from an online spell how much the module takes; its end is not the connection's.
    """

    def __init__(self, socket: OnlineSocket) -> None:
        self._socket = socket

    def pauseProducing(self) -> None:
        self._socket.setBlocked(True)

    def resumeProducing(self) -> None:
        self._socket.setBlocked(False)

    def stopProducing(self) -> None:
        """
        The spell is at its end, and tells so itself.
        """


@implementer(IProtocol)
class OnlineSocket(SocketTransport):
    """
    One connection: a protocol towards the client's online spells, a transport towards its user's protocol.

    @ivar protocol: the user's protocol, once it has its transport.
    """

    def __init__(
        self, client: ATClient, connId: int, factory: IProtocolFactory, host: IAddress, peer: IAddress
    ) -> None:
        super().__init__(client.clock, host, peer)
        self._client = client
        self._connId = connId
        self._factory = factory
        self._spell: Any = None
        self._blocked = False
        self._begun = False
        self.protocol: IProtocol | None = None

    @property
    def hangUp(self) -> str:
        """
        The command line that closes it.
        """
        return f"AT#SH={self._connId}"

    # -- a spell

    def makeConnection(self, transport: Any) -> None:
        self._spell = transport
        self._blocked = False
        self.connectionMade()

    def connectionMade(self) -> None:
        """
        Online, for the first time or again.
        """
        spell = self._spell
        spell.registerProducer(_Flow(self), True)
        if self._paused:
            spell.pauseProducing()
        if not self._begun:
            self._begun = True
            self.protocol = self._factory.buildProtocol(self._peer)
            if self.protocol is None:
                spell.loseConnection()
            else:
                self.begin(self.protocol, self._factory.doStop)
        elif self._aborted:
            spell.abortConnection()
        elif self._closing:
            spell.loseConnection()
        self.sendMore()

    def dataReceived(self, data: bytes) -> None:
        self.deliver(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The spell is over; the connection may live on.
        """
        self._spell = None
        if reason.check(FalseAlarm):
            resumed = self._client.connect(f"AT#SO={self._connId}", self, hangUp=self.hangUp, checked=True)
            resumed.addErrback(self._notResumed)
            return
        if reason.check(Escaped, CommandTimeout):
            # left by somebody else, or in an unknown state: the socket may be open still
            self._shut()
        self.lost(Failure(ConnectionAborted()) if self._aborted else reason)

    def _notResumed(self, failure: Failure) -> None:
        self._shut()
        self.lost(Failure(ConnectionDone()))

    def _shut(self) -> None:
        """
        Close the socket from command mode.
        """
        shut: Deferred[Any] = self._client.execute(self.hangUp)
        shut.addErrback(lambda _: None)

    # -- what the transport asks for

    def setBlocked(self, isBlocked: bool) -> None:
        """
        The module takes no more for now, or takes it again.
        """
        self._blocked = isBlocked
        self.sendMore()

    def sendMore(self) -> None:
        while self.waiting and self._spell is not None and not self._blocked:
            self._spell.write(self.take(PIECE))

    def setReading(self, isReading: bool) -> None:
        if self._spell is not None:
            if isReading:
                self._spell.resumeProducing()
            else:
                self._spell.pauseProducing()

    def closeSocket(self) -> None:
        if self._spell is not None:
            self._spell.loseConnection()

    def abortSocket(self) -> None:
        if self._spell is not None:
            self._spell.abortConnection()
