"""
A session of a Multi-Tech modem, by TCP or UDP: the bridge between the AT port of the module and the peer.

Source: Multi-Tech guide, ch. 5 and 6, App. A (act as a TCP client, server), App. B (opening a TCP socket, ETX is a
character); MTS-TCP-05, MTS-TCP-13 to MTS-TCP-20, MTS-TCP-26, MTS-UDP-03, MTS-UDP-11 to MTS-UDP-13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IProtocol, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.online import ChannelTransport
from atrunproto.at.results import OK, Reason, ResultCode
from atrunproto.multitech.coding import Coding
from atrunproto.multitech.errors import CLOSE_FAILED, SEND_FAILED
from atrunproto.pacing import Packets

#: octets of a full frame (MTS-GAP-70)
FRAME = 1460
#: seconds that a peer has to take the rest when the DTE closes (A)
CLOSING = 10.0


@implementer(IPushProducer)
class Session(Protocol):
    """
    The connection to the peer; its L{channel} is the AT port's side.

    (connected) the spell begins -> up.
    (up) data of the DTE: decoded, by frames to the peer.
    (up) data of the peer: coded, to the DTE.
    (up) the end from the DTE: it is echoed, the rest goes to the peer, the connection is closed -> closing.
    (up) the DTE goes: the rest goes to the peer, the connection is closed -> closing.
    (up, closing) the connection is gone: its end and the results are told -> dead.
    (closing) L{CLOSING} seconds: abort.
    (up, connected) L{end}: abort; the end and the reason are told -> dead.

    What the DTE says between its end and the final result is lost, as while any command runs. What it was told is bound
    by the producers of both sides: each is paused while the other takes no more.

    @ivar channel: for the AT instance that goes online.
    """

    def __init__(
        self,
        clock: IReactorTime,
        coding: Coding,
        delay: float,
        closed: ResultCode,
        closedByPeer: Sequence[ResultCode | Reason],
        over: Callable[[], None] = lambda: None,
        passed: Callable[[], None] = lambda: None,
    ) -> None:
        """
        @param delay: seconds that a frame waits which isn't full (TCPTXDELAY, UDPTXDELAY).
        @param closed: what tells, before OK, that the socket is closed.
        @param closedByPeer: what tells that the peer has closed it, the last being final.
        @param over: called once, when the connection is gone and before that is told.
        @param passed: called whenever octets have passed.
        """
        self.channel: IProtocol = _Channel(self)
        self._clock = clock
        self._coding = coding
        self._delay = delay
        self._frames = Packets(FRAME, delay)
        self._closed = (closed, OK)
        self._closedByPeer = closedByPeer
        self._over = over
        self._passed = passed
        self._spell: ChannelTransport | None = None
        self._sendCall: IDelayedCall | None = None
        self._closeCall: IDelayedCall | None = None
        self._isClosing = False
        self._isOver = False
        # why it has ended before the DTE could be told
        self._results: tuple[ResultCode | Reason, ...] = ()

    # -- the peer's side

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if hasattr(transport, "setTcpNoDelay"):
            # frames leave when they are due
            transport.setTcpNoDelay(True)
        # nobody takes anything before the spell begins
        transport.pauseProducing()
        transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        if self._spell is not None and not self._isClosing:
            self._passed()
            self._spell.write(self._coding.encode(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(ConnectionDone) is not None:
            self._finish(*(self._closed if self._isClosing else self._closedByPeer))
        else:
            self._finish(CLOSE_FAILED if self._isClosing else SEND_FAILED)

    def end(self, reason: Reason | None) -> None:
        """
        End it at once.

        @param reason: what the DTE is told; C{None}: that the socket is closed.
        """
        self._finish(*(self._closed if reason is None else (reason,)))
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]

    def _finish(self, *results: ResultCode | Reason) -> None:
        if self._isOver:
            return
        self._isOver = True
        for call in (self._sendCall, self._closeCall):
            if call is not None:
                call.cancel()
        self._sendCall = self._closeCall = None
        self._results = results
        self._over()
        if self._spell is not None:
            self._tell(self._spell)

    def _tell(self, spell: ChannelTransport) -> None:
        """
        Tell the DTE that it is over. The end that it has sent itself was echoed.
        """
        if not self._isClosing:
            spell.write(self._coding.end)
        spell.endWith(*self._results)

    # -- how much the peer takes

    def pauseProducing(self) -> None:
        if self._spell is not None:
            self._spell.pauseProducing()

    def resumeProducing(self) -> None:
        if self._spell is not None:
            self._spell.resumeProducing()

    def stopProducing(self) -> None:
        """
        The connection is at its end, and tells so itself.
        """

    # -- the AT port's side

    def begin(self, spell: ChannelTransport) -> None:
        """
        The AT port is online.
        """
        self._spell = spell
        if self._isOver:
            self._tell(spell)
            return
        transport: Any = self.transport
        spell.registerProducer(_FromPeer(transport), True)
        transport.resumeProducing()

    def typed(self, data: bytes) -> None:
        """
        The DTE says something.
        """
        if self._isClosing or self._isOver:
            return
        self._passed()
        payload, behind = self._coding.feed(data)
        self._send(payload)
        if behind is not None:
            assert self._spell is not None
            self._spell.write(self._coding.end)
            self._close()

    def left(self) -> None:
        """
        The AT port is no longer online.
        """
        self._spell = None
        if not self._isOver and not self._isClosing:
            self._close()

    def _send(self, data: bytes) -> None:
        frames, now = self._frames, self._clock.seconds()
        self._write(frames.fill(data, now))
        if not self._delay:
            self._write(frames.flush())
        elif self._sendCall is None and (deadline := frames.deadline()) is not None:
            self._sendCall = self._clock.callLater(max(0.0, deadline - now), self._sendRest)

    def _sendRest(self) -> None:
        self._sendCall = None
        deadline, now = self._frames.deadline(), self._clock.seconds()
        if deadline is None:
            return
        if deadline > now:
            # the frame that it was set for was filled
            self._sendCall = self._clock.callLater(deadline - now, self._sendRest)
        else:
            self._write(self._frames.flush())

    def _write(self, data: bytes) -> None:
        if data:
            assert self.transport is not None
            self.transport.write(data)

    def _close(self) -> None:
        """
        Close when the peer has taken the rest; it is no longer told what the peer says.
        """
        self._isClosing = True
        self._write(self._frames.flush())
        self._closeCall = self._clock.callLater(CLOSING, self._giveUp)
        transport: Any = self.transport
        # it would wait for a producer that is paused; and nothing is seen of the peer's end while it is paused itself
        transport.unregisterProducer()
        transport.resumeProducing()
        transport.loseConnection()

    def _giveUp(self) -> None:
        self._closeCall = None
        transport: Any = self.transport
        transport.abortConnection()


class _Channel(Protocol):
    """
    What the AT instance is online with.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def connectionMade(self) -> None:
        spell: Any = self.transport
        self._session.begin(spell)

    def dataReceived(self, data: bytes) -> None:
        self._session.typed(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._session.left()


@implementer(IPushProducer)
class _FromPeer:
    """
    Hears how much the DTE takes; that it has gone is told by the channel.
    """

    def __init__(self, transport: Any) -> None:
        self.pauseProducing = transport.pauseProducing
        self.resumeProducing = transport.resumeProducing

    def stopProducing(self) -> None:
        """
        What the DTE has sent last still goes to the peer.
        """
