"""
Online mode of an AT client: one online spell as the transport of its user's protocol.

A module says that the other side has ended the call by C{NO CARRIER} in the midst of the data. It counts only with its
framing, at the very end of what has come, and followed by L{SILENCE}; where the port has modem lines, a fall of DCD
ends the spell as well. Under ATV0 the code is a bare digit, so there only the modem lines tell.
The mirror image is L{atrunproto.at.online}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IConsumer, IDelayedCall, IProtocol, IPushProducer, ITransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .errors import CommandTimeout, LinkLost
from .lines import IPeerLines
from .online import Escaped
from .peerescape import EscapeGuard
from .peertail import TailWatch, codeMarks
from .results import NO_CARRIER, OK

if TYPE_CHECKING:
    from .peer import ATClient

#: seconds of silence that prove a result code in the midst of data (A)
SILENCE = 0.3
#: seconds of silence round the escape sequence: S12 is 1 s, and the network may squeeze a pause (A)
ESCAPE_GUARD = 1.2
#: seconds that a module may take for its answer to the escape sequence, the guard time not counted (A)
ESCAPE_ANSWER = 10.0
#: seconds that it may take where the end of a call is checked: the silence behind it, and the way
CHECK_ANSWER = 3.0
#: times that it is sent: a module that was slow to take the data in front of it has heard no silence (A)
ESCAPE_TRIES = 2

_ESCAPE = b"+++"


class FalseAlarm(Escaped):
    """
    What looked like the end of the call was data, as an escape sequence has shown; the call lives on, to be resumed.
    """


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class OnlineAddress:
    """
    One end of an online spell: what was dialled, and the way to the module.
    """

    #: the command line that led online; empty for our own end
    line: str
    via: Any = None


@implementer(ITransport, IConsumer, IPushProducer)
class PeerTransport:
    """
    One online spell of an AT client, as the transport of a protocol; dead afterwards.

    (online) write: to the module.
    (online) loseConnection: wait for a pull producer -> closing. abortConnection: -> leaving, then the hang-up line.
    (closing) the producer is gone: -> leaving, then the hang-up line.
    (online, closing) escape: -> leaving.
    (leaving) write: dropped; the guard time, the escape sequence, OK or NO CARRIER: C{connectionLost} -> dead.
    (online, closing, leaving) NO CARRIER, DCD off, the link lost: C{connectionLost} -> dead.
    (online) NO CARRIER, if it is to be checked and there are no modem lines -> doubting: the producer is paused.
    (doubting) data before the escape sequence is sent: it was data -> online.
    (doubting) the guard time, the escape sequence, OK: it was data, C{connectionLost} with L{FalseAlarm} -> dead.
    (doubting) no answer: C{connectionLost} -> dead.
    (dead) everything: nothing.

    What had come already when the protocol paused its transport is held for it. While leaving, data still go to the
    protocol, even if it has paused them: the answer comes behind them.
    """

    _log = Logger()

    __slots__ = (
        "_answer",
        "_asked",
        "_checked",
        "_client",
        "_done",
        "_doubt",
        "_flush",
        "_forgetLines",
        "_guard",
        "_held",
        "_host",
        "_leaving",
        "_numeric",
        "_paused",
        "_peer",
        "_producer",
        "_protocol",
        "_reason",
        "_silence",
        "_skipLF",
        "_streaming",
        "_transport",
        "_watch",
        "disconnecting",
        "hangUp",
    )

    def __init__(
        self, client: ATClient, transport: Any, protocol: IProtocol, line: str, hangUp: str, checked: bool = False
    ) -> None:
        """
        @param line: what led online, for the address.
        @param hangUp: the command line that ends the call when the protocol has closed its transport.
        @param checked: NO CARRIER is checked before it is believed.
        """
        self._client: ATClient | None = client
        self._transport = transport
        self._protocol = protocol
        self._host = OnlineAddress("", transport.getHost())
        self._peer = OnlineAddress(line, transport.getPeer())
        self._numeric = client.numeric
        self._watch = TailWatch({} if self._numeric else codeMarks([NO_CARRIER], False))
        self._skipLF = False
        self._checked = checked
        #: the end that is checked, and what has come behind it
        self._doubt: bytes | None = None
        self._asked = False
        self._guard = EscapeGuard()
        self._flush: IDelayedCall | None = None
        self._silence: IDelayedCall | None = None
        self._answer: IDelayedCall | None = None
        self._producer: Any = None
        self._streaming = False
        self._paused = False
        self._held = b""
        self._leaving = False
        self._reason = Failure(ConnectionDone())
        self._done: Deferred[None] | None = None
        self._forgetLines: Callable[[], None] | None = None
        self.disconnecting = False
        self.hangUp = hangUp

    # -- what the client calls

    def start(self, skipLF: bool) -> None:
        """
        Give the protocol its transport.

        @param skipLF: the LF behind C{CONNECT} is still to come.
        """
        self._skipLF = skipLF
        if isinstance(self._transport, IPeerLines):
            self._forgetLines = self._transport.onLineChange(self._lineChanged)
        self._tell(self._protocol.makeConnection, self)

    def received(self, data: bytes) -> None:
        """
        Take what came from the module.
        """
        if self._skipLF and data:
            self._skipLF = False
            data = data.removeprefix(b"\n")
        onward = self._watch.received(data)
        if self._watch.holds:
            if self._silence is None:
                self._silence = self._clock.callLater(SILENCE, self._silent)
            else:
                self._silence.reset(SILENCE)
        elif self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if onward:
            self._deliver(onward)

    def _deliver(self, data: bytes) -> None:
        if self._doubt is not None:
            self._doubt += data
            if self._asked:
                return
            data = self._trust()
        if self._paused or self._held:
            self._held += data
        else:
            self._tell(self._protocol.dataReceived, data)

    def _deliverHeld(self) -> None:
        held = self._held
        if held and not self._paused:
            self._held = b""
            self._tell(self._protocol.dataReceived, held)

    def escape(self, guard: float, reason: BaseException | None = None) -> Deferred[None]:
        """
        Leave online mode by the escape sequence.

        @param guard: seconds of silence before and after it.
        @param reason: what the protocol is told; L{Escaped} if nothing is given.
        """
        if self._done is None:
            self._done = Deferred()
        if not self._leaving:
            self._leaving = self.disconnecting = True
            self._reason = Failure(reason or Escaped())
            self._stopProducer()
            self._resume()
            if self._doubt is not None and not self._asked:
                self._deliver(b"")
            if self._doubt is None:
                self._answer = self._clock.callLater(guard + self._untilFlushed, self._sendEscape, guard, 1)
        return self._done

    @property
    def _untilFlushed(self) -> float:
        """
        Seconds until the last of what was written is sent.
        """
        return max(0.0, self._flush.getTime() - self._clock.seconds()) if self._flush is not None else 0.0

    def _flushed(self) -> None:
        self._flush = None
        self._transport.write(self._guard.silent())
        if self._guard.held:
            self._flush = self._clock.callLater(ESCAPE_GUARD, self._flushed)

    # -- whether it has ended

    def _check(self, mark: bytes) -> None:
        """
        What looks like the end may be data.
        """
        self._doubt, self._asked = mark, False
        if self._producer is not None:
            self._transport.unregisterProducer()
            self._tell(self._producer.pauseProducing)
        self._answer = self._clock.callLater(ESCAPE_GUARD + self._untilFlushed, self._ask, mark)

    def _ask(self, mark: bytes) -> None:
        if self._flush is not None:
            self._answer = self._clock.callLater(ESCAPE_GUARD + self._untilFlushed, self._ask, mark)
            return
        self._asked = True
        self._transport.write(_ESCAPE)
        self._watch.watch(codeMarks([OK], self._numeric))
        self._answer = self._clock.callLater(CHECK_ANSWER, self._believed, mark)

    def _believed(self, mark: bytes) -> None:
        """
        No answer: the module is in command mode, and has the sequence in its command line.
        """
        doubt, self._doubt = self._doubt, None
        assert doubt is not None
        if doubt[len(mark) :] not in (b"", _ESCAPE):
            self._deliver(doubt)
        self._end(Failure(ConnectionDone()), CommandTimeout(_ESCAPE.decode("ascii"), CHECK_ANSWER))

    def _trust(self) -> bytes:
        """
        It was data: go on, and give it.
        """
        doubt, self._doubt = self._doubt, None
        assert doubt is not None
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
        if self._producer is not None:
            self._transport.registerProducer(self._producer, self._streaming)
            self._tell(self._producer.resumeProducing)
        return doubt

    def linkLost(self, reason: Failure) -> None:
        """
        The transport below is gone, and has stopped the producer.
        """
        self._producer = None
        self._end(reason, LinkLost(_ESCAPE.decode("ascii"), True))

    # -- how it ends

    @property
    def _clock(self) -> Any:
        assert self._client is not None
        return self._client.clock

    def _sendEscape(self, guard: float, tries: int) -> None:
        if self._flush is not None:
            self._answer = self._clock.callLater(guard + self._untilFlushed, self._sendEscape, guard, tries)
            return
        self._transport.write(_ESCAPE)
        self._watch.watch(codeMarks([OK, NO_CARRIER], self._numeric))
        self._answer = self._clock.callLater(guard + ESCAPE_ANSWER, self._unanswered, guard, tries)

    def _unanswered(self, guard: float, tries: int) -> None:
        if tries < ESCAPE_TRIES:
            self._sendEscape(guard, tries + 1)
            return
        self._answer = None
        error = CommandTimeout(_ESCAPE.decode("ascii"), tries * (guard + ESCAPE_ANSWER))
        self._end(Failure(error), error)

    def _silent(self) -> None:
        self._silence = None
        held = self._watch.held
        code, onward = self._watch.expire()
        if code is None:
            self._deliver(onward)
        elif code is OK:
            doubt, self._doubt = self._doubt, None
            if doubt is not None:
                self._deliver(doubt)
            if doubt is not None and not self._leaving:
                self._end(Failure(FalseAlarm()), None)
            else:
                self._end(self._reason, None, "" if self._reason.check(Escaped) else self.hangUp)
        elif self._checked and not self._leaving and self._forgetLines is None:
            self._check(held)
        else:
            self._end(Failure(ConnectionDone()), None)

    def _lineChanged(self, line: str, on: bool) -> None:
        if line == "DCD" and not on:
            self._end(Failure(ConnectionDone()), None)

    def _end(self, reason: Failure, error: Exception | None, hangUp: str = "") -> None:
        """
        The spell is over.

        @param error: why the line isn't known to be in command mode.
        @param hangUp: the command line that ends the call, which lives on.
        """
        client, self._client = self._client, None
        assert client is not None
        for call in (self._silence, self._answer, self._flush):
            if call is not None and call.active():
                call.cancel()
        if self._forgetLines is not None:
            self._forgetLines()
        client.onlineEnded(error is None, hangUp)
        self._stopProducer()
        self._resume()
        self._deliverHeld()
        self._tell(self._protocol.connectionLost, reason)
        if self._done is not None:
            if error is None:
                self._done.callback(None)
            else:
                self._done.errback(error)
        client.resume()

    def _tell(self, what: Callable[..., Any], *arguments: Any) -> None:
        """
        Call the user's code; its failure is logged and ends the spell.
        """
        with self._log.failuresHandled("the protocol on {line} failed", line=self._peer.line) as operation:
            what(*arguments)
        if operation.failed:
            self.abortConnection()

    # -- the transport of the protocol

    def write(self, data: bytes) -> None:
        if self._client is None or self._leaving or not data:
            return
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        data = self._guard.write(data)
        if self._guard.held:
            self._flush = self._clock.callLater(ESCAPE_GUARD, self._flushed)
        if data:
            self._transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        Leave online mode and hang up, once a pull producer has finished.
        """
        self.disconnecting = True
        if self._producer is None or self._streaming:
            self.abortConnection()

    def abortConnection(self) -> None:
        """
        Leave online mode and hang up; no producer is waited for.
        """
        self.disconnecting = True
        if self._client is None:
            return
        if self._leaving:
            self._reason = Failure(ConnectionDone())
        else:
            self.escape(ESCAPE_GUARD, ConnectionDone()).addErrback(lambda _: None)

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return self._host

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer hear how much the module takes; it is stopped when nothing more can be written.

        @raise RuntimeError: there is one already.
        """
        if self._producer is not None:
            raise RuntimeError("a producer is registered already")
        if self._client is None or self._leaving:
            producer.stopProducing()
            return
        # a pull producer may be asked, and end, inside the call
        self._producer, self._streaming = producer, streaming
        self._transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        if self._producer is None:
            return
        self._producer = None
        if self._client is not None and not self._leaving:
            self._transport.unregisterProducer()
            if self.disconnecting:
                self.abortConnection()

    def _stopProducer(self) -> None:
        """
        Nothing more can be written.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            self._transport.unregisterProducer()
            self._tell(producer.stopProducing)

    def pauseProducing(self) -> None:
        """
        Stop reading from the module.
        """
        if self._client is not None and not self._leaving:
            self._paused = True
            self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read on.
        """
        if self._client is not None:
            self._resume()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._held and self._client is not None:
                self._clock.callLater(0, self._deliverHeld)
            self._transport.resumeProducing()

    def stopProducing(self) -> None:
        self.loseConnection()
