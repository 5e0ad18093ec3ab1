"""
Online mode of an AT client: one online spell as the transport of its user's protocol.

A module says that the other side has ended the call by C{NO CARRIER} in the midst of the data. It counts only with its
framing, at the very end of what has come, and followed by L{SILENCE}; where the port has modem lines, a fall of DCD
ends the spell as well. Under ATV0 the code is a bare digit, so there only the modem lines tell.
How data and the escape sequence are sent is told in L{atrunproto.at.peersending}.
The mirror image is L{atrunproto.at.online}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
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
from .peercheck import EndCheck
from .peerescape import ESCAPE
from .peerproducing import OnlineProducer
from .peersending import ESCAPE_GUARD, OnlineSender
from .peertail import TailWatch, codeMarks
from .results import NO_CARRIER, OK

if TYPE_CHECKING:
    from .peer import ATClient

#: seconds of silence that prove a result code in the midst of data (A)
SILENCE = 0.3
#: seconds that a module may take for its answer to the escape sequence, the guard time not counted (A)
ESCAPE_ANSWER = 10.0
#: seconds that it may take where the end of a call is checked, or the sequence comes back: the silence, and the way
CHECK_ANSWER = 3.0
#: times that it is sent: a module that was slow to take the data in front of it has heard no silence (A)
ESCAPE_TRIES = 2

#: the escape sequence as errors show it
_SHOWN = ESCAPE.decode("ascii")


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
    (leaving) the escape sequence comes back and no answer follows: C{connectionLost} -> dead.
    (online, closing, leaving) NO CARRIER, DCD off, the link lost: C{connectionLost} -> dead.
    (online) NO CARRIER, if it is to be checked and there are no modem lines -> doubting: the producer is paused.
    (doubting) data before the escape sequence is sent: it was data -> online.
    (doubting) the guard time, the escape sequence, OK: it was data, C{connectionLost} with L{FalseAlarm} -> dead.
    (doubting) no answer: C{connectionLost} -> dead.
    (doubting) more behind the escape sequence than a command line says: it was data -> returning.
    (returning) OK: C{connectionLost} with L{FalseAlarm} -> dead.
    (returning) no answer: C{connectionLost} with L{CommandTimeout} -> dead.
    (dead) everything: nothing.

    What had come already when the protocol paused its transport is held for it, and while nothing is read no silence
    has a meaning. While doubting the transport is read all the same, up to the bound of an L{EndCheck}. While leaving,
    data still go to the protocol, even if it has paused them: the answer comes behind them.
    """

    _log = Logger()

    __slots__ = (
        "_answer",
        "_asked",
        "_behind",
        "_check",
        "_checked",
        "_client",
        "_done",
        "_forgetLines",
        "_held",
        "_host",
        "_leaving",
        "_numeric",
        "_patience",
        "_paused",
        "_peer",
        "_producing",
        "_protocol",
        "_reason",
        "_sender",
        "_silence",
        "_skipLF",
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
        self._check: EndCheck | None = None
        #: the escape sequence of the check is sent
        self._asked = False
        #: notices that came with the code
        self._behind = b""
        self._sender = OnlineSender(client.clock, transport)
        self._silence: IDelayedCall | None = None
        self._answer: IDelayedCall | None = None
        self._producing = OnlineProducer(transport, self._tell)
        #: seconds for the answer, once the escape sequence has come back
        self._patience = ESCAPE_GUARD + CHECK_ANSWER
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
        Take what came from the module. When the spell is over is told by L{ATClient.onlineEnded}.
        """
        if self._skipLF and data:
            self._skipLF = False
            data = data.removeprefix(b"\n")
        onward = self._watch.received(data)
        if self._watch.holds:
            self._awaitSilence()
        elif self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if onward:
            self._deliver(onward)
        if self._leaving and self._answer is not None and data.endswith(ESCAPE):
            self._echoed()

    def _echoed(self) -> None:
        """
        The escape sequence has come back: from a module in command mode, which gives no answer, or from the other side.
        """
        self._stopAnswer()
        self._answer = self._clock.callLater(self._patience, self._given, self._patience)

    def _awaitSilence(self) -> None:
        if self._silence is None:
            self._silence = self._clock.callLater(SILENCE, self._silent)
        else:
            self._silence.reset(SILENCE)

    def _deliver(self, data: bytes) -> None:
        if self._check is not None:
            if not self._check.received(data, self._asked):
                return
            data = self._trust(self._check)
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
            self._producing.stop()
            self._resume()
            if not self._asked:
                if self._check is not None:
                    self._deliver(b"")
                self._sender.escapeAfter(guard, partial(self._escaped, guard, 1))
        return self._done

    # -- whether it has ended

    def _doubt(self, mark: bytes) -> None:
        """
        What looks like the end may be data.
        """
        self._check = EndCheck(mark)
        self._sender.escapeAfter(ESCAPE_GUARD, self._ask)
        self._producing.hold()

    def _ask(self) -> None:
        self._asked = True
        self._watch.watch(codeMarks([OK], self._numeric))
        self._answer = self._clock.callLater(CHECK_ANSWER, self._believed)

    def _believed(self) -> None:
        """
        No answer: the module is in command mode, and has the sequence in its command line.
        """
        self._answer = None
        check, self._check = self._check, None
        assert check is not None
        if not check.isBare:
            self._deliver(check.data)
        self._end(Failure(ConnectionDone()), CommandTimeout(_SHOWN, CHECK_ANSWER))

    def _trust(self, check: EndCheck) -> bytes:
        """
        It was data: go on, or wait for the answer that must come; and give them.
        """
        self._check = None
        self._behind = b""
        if self._asked:
            if not self._leaving:
                self._reason = Failure(FalseAlarm())
            self._stopAnswer()
            self._awaitReturn()
        else:
            self._sender.stayOnline()
            self._producing.release()
        if self._paused:
            self._readNoMore()
        return check.data

    def _awaitReturn(self) -> None:
        seconds = ESCAPE_GUARD + ESCAPE_ANSWER
        self._answer = self._clock.callLater(seconds, self._given, seconds)

    def _stopAnswer(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.cancel()

    def linkLost(self, reason: Failure) -> None:
        """
        The transport below is gone, and has stopped the producer.
        """
        self._producing.forget()
        self._end(reason, LinkLost(_SHOWN, True))

    # -- how it ends

    @property
    def _clock(self) -> Any:
        assert self._client is not None
        return self._client.clock

    def _escaped(self, guard: float, tries: int) -> None:
        """
        The escape sequence is sent.
        """
        self._patience = guard + CHECK_ANSWER
        self._watch.watch(codeMarks([OK, NO_CARRIER], self._numeric))
        self._answer = self._clock.callLater(guard + ESCAPE_ANSWER, self._unanswered, guard, tries)

    def _unanswered(self, guard: float, tries: int) -> None:
        if tries < ESCAPE_TRIES:
            self._sender.escape()
            self._escaped(guard, tries + 1)
        else:
            self._given(tries * (guard + ESCAPE_ANSWER))

    def _given(self, seconds: float) -> None:
        """
        The module has been given all the time that it may take.
        """
        self._answer = None
        error = CommandTimeout(_SHOWN, seconds)
        self._end(Failure(error), error)

    def _silent(self) -> None:
        self._silence = None
        held = self._watch.held
        code, onward = self._watch.expire()
        if code is None:
            self._deliver(onward)
            return
        self._behind = onward
        if code is OK:
            check, self._check = self._check, None
            if check is not None:
                self._deliver(check.data)
                if not self._leaving:
                    self._reason = Failure(FalseAlarm())
            self._end(self._reason, None, "" if self._reason.check(Escaped) else self.hangUp)
        elif self._checked and not self._leaving and self._forgetLines is None:
            self._doubt(held)
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
        self._check = None
        self._sender.stop()
        for call in (self._silence, self._answer):
            if call is not None and call.active():
                call.cancel()
        if self._forgetLines is not None:
            self._forgetLines()
        client.onlineEnded(error is None, hangUp)
        self._producing.stop()
        self._resume()
        self._deliverHeld()
        if self._behind:
            # before anybody who hears of the end has a command under way, which they might be taken to answer
            client.dataReceived(self._behind)
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
        self._sender.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """
        Leave online mode and hang up, once a pull producer has finished.
        """
        self.disconnecting = True
        if not self._producing.pulls:
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
        if self._client is None or self._leaving:
            producer.stopProducing()
        else:
            self._producing.register(producer, streaming)

    def unregisterProducer(self) -> None:
        if self._producing.unregister() and self.disconnecting:
            self.abortConnection()

    def pauseProducing(self) -> None:
        """
        Stop reading from the module.
        """
        if self._client is not None and not self._leaving:
            self._paused = True
            if self._check is None:
                self._readNoMore()

    def _readNoMore(self) -> None:
        """
        Pause the transport, and with it whatever waits for something to come, or for nothing to come.
        """
        self._transport.pauseProducing()
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self._stopAnswer()

    def resumeProducing(self) -> None:
        """
        Read on.
        """
        if self._client is not None:
            self._resume()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._client is not None:
                if self._held:
                    self._clock.callLater(0, self._deliverHeld)
                if self._watch.holds:
                    self._awaitSilence()
                if self._asked and self._check is None:
                    self._stopAnswer()
                    self._awaitReturn()
            self._transport.resumeProducing()

    def stopProducing(self) -> None:
        self.loseConnection()
