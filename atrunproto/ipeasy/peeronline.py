"""
A connection through a module on an AT port of its own: online mode, with spells in command mode between.

Source: IP Easy User Guide 3.2.1.4 to 3.2.1.6 (S); reference 6.3 and 6.7; TEL-SD, TEL-SO, TEL-SH, TEL-MSK-06 to -08.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.errors import ATError, CommandFailed, CommandTimeout, LinkLost, Misuse
from atrunproto.at.online import Escaped
from atrunproto.at.peer import ATClient
from atrunproto.at.peeronline import FalseAlarm
from atrunproto.at.peersending import ESCAPE_GUARD
from atrunproto.at.peertransport import SocketTransport
from atrunproto.at.results import NO_CARRIER

from .peerreading import receive

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

    (online) C{suspend}: -> leaving; a producer of the user's is paused.
    (leaving) the spell is over: -> suspended, or dead where the connection has ended.
    (suspended) write: kept until C{resume}. loseConnection: closed from command mode, once nothing waits to be sent.
    (suspended) C{resume}: -> online. Where the connection has ended: what the module still has is read, -> dead.
    (suspended) the far end closes: suspended still, since there may be something to read; C{resume} finds out.

    @ivar isSuspended: whether the AT port is free for something else.
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
        self._leaving: Deferred[None] | None = None
        self._forgetNotices: list[Callable[[], None]] = []
        self._whenLost: Deferred[Any] | None = None
        self.isSuspended = False
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
        elif self._leaving is not None:
            self._leave()
            return
        self.sendMore()

    def dataReceived(self, data: bytes) -> None:
        self.deliver(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The spell is over; the connection may live on.
        """
        self._spell = None
        leaving, self._leaving = self._leaving, None
        if leaving is not None and reason.check(Escaped):
            self.isSuspended = True
            self._whenLost = self._client.whenLost().addCallbacks(self._linkLost, lambda _: None)
            # in a turn of its own: the client is in the midst of telling
            self._clock.callLater(0, leaving.callback, None)
            return
        if reason.check(FalseAlarm):
            self._goOn().addErrback(self._notResumed)
            return
        if reason.check(Escaped, CommandTimeout):
            # left by somebody else, or in an unknown state: the socket may be open still
            self._shut()
        self.lost(Failure(ConnectionAborted()) if self._aborted else reason)
        if leaving is not None:
            self._endSuspension()
            leaving.errback(reason)

    def _goOn(self) -> Deferred[Any]:
        """
        Go online again.
        """
        return self._client.connect(f"AT#SO={self._connId}", self, hangUp=self.hangUp, checked=True)

    def _notResumed(self, failure: Failure) -> None:
        self._shut()
        self._endSuspension()
        self.lost(failure if failure.check(LinkLost) else Failure(ConnectionDone()))
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.errback(Failure(ConnectionDone()))

    # -- spells in command mode

    def suspend(self, onPending: Callable[[], object] | None = None) -> Deferred[None]:
        """
        Leave the connection as it is and free the AT port for something else: another connection, FTP, commands.

        What the protocol writes is kept, and its push producer is paused, until L{resume}. What comes from the far end
        waits in the module, which holds it back when it has no more room.

        @param onPending: called when the module tells that something has come (SRING), or that the far end has closed
            (NO CARRIER); both are told in command mode alone. It may be called without a reason where the module
            doesn't tell whose end it is (#SCFGEXT2).
        @return: fires when the port is free.
        @raise Misuse: (by the Deferred) the connection isn't online.
        @raise ConnectionDone: (by the Deferred) the connection has ended meanwhile.
        @raise CommandTimeout: (by the Deferred) the module doesn't answer; the connection is closed.
        """
        isUp = self._begun and self._reason is None and not self.disconnecting
        if not isUp or self.isSuspended or self._leaving is not None:
            return fail(Misuse("the connection isn't online"))
        self.hold(True)
        leaving = self._leaving = Deferred()
        if onPending is not None:
            self._hear(onPending)
        if self._spell is not None and not self._blocked:
            self._leave()
        return leaving

    def _leave(self) -> None:
        """
        Leave online mode; how that ends is told by C{connectionLost}.
        """
        self._spell.escape(ESCAPE_GUARD).addErrback(lambda _: None)

    def _hear(self, onPending: Callable[[], object]) -> None:
        def rang(line: str) -> None:
            # an end may come without a number: then it may be ours
            if line.partition(":")[2].partition(",")[0].strip() in ("", str(self._connId)):
                onPending()

        self._forgetNotices = [self._client.onNotice(name, rang) for name in ("SRING", NO_CARRIER.text)]

    def resume(self) -> Deferred[None]:
        """
        Go online again; what has come meanwhile follows (C{#SO}).

        Where the far end has closed, the protocol gets what it had sent and hears of its end.

        @return: fires when the connection is online. Cancelling it closes the connection.
        @raise Misuse: (by the Deferred) it isn't suspended.
        @raise ConnectionDone: (by the Deferred) it has ended.
        """
        if not self.isSuspended:
            return fail(Misuse("the connection isn't suspended"))
        self._endSuspension()
        return Deferred.fromCoroutine(self._resume())

    async def _resume(self) -> None:
        try:
            try:
                await self._goOn()
            except CommandFailed as error:
                if error.reason.text != NO_CARRIER.text:
                    raise
                # the module may still have what came before the end
                while data := await receive(self._client, self._connId):
                    self.deliver(data)
                raise ConnectionDone() from error
        except (ATError, CancelledError, ConnectionDone):
            self._notResumed(Failure())
            raise
        self.hold(False)

    def _endSuspension(self) -> None:
        self.isSuspended = False
        forget, self._forgetNotices = self._forgetNotices, []
        for each in forget:
            each()
        whenLost, self._whenLost = self._whenLost, None
        if whenLost is not None:
            whenLost.cancel()

    def _linkLost(self, reason: BaseException) -> None:
        self._whenLost = None
        self._endSuspension()
        self.lost(Failure(reason))

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
        if self._leaving is not None and not isBlocked:
            # all is taken, so that the silence in front of the escape sequence is one
            self._leave()
        self.sendMore()

    def sendMore(self) -> None:
        while self.waiting and self._spell is not None and not self._blocked and self._leaving is None:
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
        elif self.isSuspended:
            self._closeSuspended(ConnectionDone())

    def abortSocket(self) -> None:
        if self._spell is not None:
            self._spell.abortConnection()
        elif self.isSuspended:
            self._closeSuspended(ConnectionAborted())

    def _closeSuspended(self, reason: Exception) -> None:
        self._endSuspension()
        self._shut()
        self.lost(Failure(reason))
