"""
What passes between a host and a Multi-Tech modem while a service has the port, as the transport of a protocol.

A service begins with a message, its end is told by the coding, and the result of its command follows. So there is no
escape sequence, and no command while it lasts.
Source: reference guide S000333C, appendix B (command mode, data mode); MTS-SER-07 to -13, MTS-RES-11, MTS-RES-12,
MTS-GAP-27, -28, -54.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, NoProtocol
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.at.errors import CommandFailed
from atrunproto.at.peerlines import Response
from atrunproto.at.peeronline import SILENCE, OnlineAddress
from atrunproto.at.peertransport import SocketTransport

from .answers import messageOf
from .coding import Coding
from .errors import Message

if TYPE_CHECKING:
    from .peer import MultitechClient

#: seconds that a modem may take for the result when a service is at its end (A)
RESULT_WAIT = 60.0
#: octets handed to the line at once
PIECE = 16 * 1024

#: a result at the end of what has come, where the end that was sent isn't echoed
_RESULT = re.compile(rb"\r\n?(?:OK|#CME ERROR ?: ?\d{1,5} ?)\r\n\Z|\r0\r\Z").search
#: octets that such a result may have
_LONGEST = 32

#: where nobody is to be told of an address
NOWHERE = OnlineAddress("")


class Way(Enum):
    """
    Which way the data of a service go.
    """

    BOTH = "both ways"
    #: the modem says nothing but its result
    OUT = "to the modem"
    #: the host can't end it, and nothing that it says is heard (MTS-POP-10, MTS-FTP-11)
    IN = "from the modem"


@implementer(IPushProducer)
class _Flow:
    """
    Hears how much the line to the modem takes.
    """

    def __init__(self, session: DataSession) -> None:
        self._session = session

    def pauseProducing(self) -> None:
        self._session.setBlocked(True)

    def resumeProducing(self) -> None:
        self._session.setBlocked(False)

    def stopProducing(self) -> None:
        """
        The line is lost, which the command is told.
        """


class DataSession(SocketTransport):
    """
    The data of one command: a L{DataPhase<atrunproto.at.peerphase.DataPhase>} towards the client.

    (new) C{open} or C{expect}: -> asked.
    (asked) the message that announces the data: the protocol gets its transport -> up.
    (asked) a result, or cancelled: there never was a session -> over; if the data come all the same they are ended.
    (up) loseConnection: what waits is sent, then the end -> ending. abortConnection: the protocol is told, and what
    waits is dropped; the end is sent -> ending.
    (up, ending) the end from the modem, then the result: the protocol is told -> over.
    (ending) a result without an end, and silence, where data go both ways: the protocol is told -> over.
    (asked, up, ending) the line fails: the protocol is told -> over.

    What comes while it is ending is dropped; a modem that can't be told to end has its patience anew with each piece.

    @ivar protocol: the user's protocol, once it has its transport.
    """

    def __init__(
        self,
        modem: MultitechClient,
        coding: Coding,
        message: Message,
        build: Callable[[], IProtocol | None],
        way: Way = Way.BOTH,
        host: IAddress = NOWHERE,
        peer: IAddress = NOWHERE,
        patience: float = RESULT_WAIT,
    ) -> None:
        """
        @param coding: of the data.
        @param message: what announces them.
        @param build: makes the protocol; C{None}: nobody wants the data.
        @param patience: seconds for the result when the end was told.
        """
        super().__init__(modem.client.clock, host, peer)
        self._modem = modem
        self._client = modem.client
        self._coding = coding
        self._message = message
        self._build = build
        self._way = way
        self._patience = patience
        self.protocol: IProtocol | None = None
        self._opened: Deferred[Response | None] = Deferred(self._unwanted)
        self._expected: Deferred[Response] | None = None
        self._wire: Any = None
        self._skipLF = False
        self._isBlocked = False
        self._isEnding = False
        self._hasSent = False
        self._tail = b""
        self._silence: IDelayedCall | None = None

    # -- how it begins

    async def open(self, line: str, patience: float) -> Response | None:
        """
        Give the command line that leads to the data, and wait until the protocol has its transport.

        @param patience: seconds that it may take.
        @return: the answer, where it is one without data.
        @raise CommandFailed: the modem can't; other errors are those of
            L{ATClient.transfer<atrunproto.at.peer.ATClient.transfer>}.
        @raise NoProtocol: nobody wants the data.
        """
        self._client.transfer(line, self, patience).addBoth(self._answered)
        return await self._opened

    def expect(self, line: str) -> Deferred[Response | None]:
        """
        Wait until the data begin by themselves, as a command line has let the modem do it.

        @return: fires as of L{open}; cancelling it waits no longer.
        """
        expected = self._expected = self._client.expect(line, self)
        expected.addBoth(self._answered)
        return self._opened

    def _unwanted(self, _: Deferred[Response | None]) -> None:
        # otherwise the modem can't be stopped on its way to the data
        if self._expected is not None:
            self._expected.cancel()

    # -- as the data of its command

    def isAnnouncedBy(self, line: str) -> bool:
        return messageOf(line) is self._message

    def announced(self, transport: Any, skipLF: bool) -> None:
        self._wire, self._skipLF = transport, skipLF
        transport.registerProducer(_Flow(self), True)
        # who gave up before has no use for it
        self.protocol = None if self._opened.called else self._build()
        if self.protocol is None:
            self._leave(self.giveUp)
            self._settle(Failure(NoProtocol()))
        else:
            self.begin(self.protocol, lambda: None)
            self._settle(None)

    def received(self, data: bytes) -> bytes | None:
        if self._skipLF and data:
            self._skipLF = False
            data = data.removeprefix(b"\n")
        if self._way is Way.OUT:
            return data
        payload, behind = self._coding.feed(data)
        if not self._isEnding:
            self.deliver(payload)
        if behind is not None:
            self._unplug()
            self._client.resultWithin(self._patience)
        elif self._isEnding and self._way is Way.BOTH:
            self._look(data)
        elif self._isEnding:
            self._client.resultWithin(self._patience)
        return behind

    def _look(self, data: bytes) -> None:
        """
        See whether the result has come without the end in front of it.
        """
        self._tail = (self._tail + data)[-_LONGEST:]
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if _RESULT(self._tail) is not None:
            self._silence = self._clock.callLater(SILENCE, self._unechoed)

    def _unechoed(self) -> None:
        self._silence = None
        found = _RESULT(self._tail)
        assert found is not None
        self._unplug()
        self._client.dataEnded(found.group())

    def _answered(self, answer: Response | Failure) -> None:
        """
        The command is over.
        """
        self._unplug()
        if self._hasSent and not (self._isEnding and isinstance(answer, Response)):
            # what was under way may have met a modem that takes it for commands
            self._client.doubt()
        if isinstance(answer, Failure) and isinstance(answer.value, CommandFailed):
            answer = Failure(self._modem.judged(answer.value))
        self._settle(answer)
        self.lost(self.reasonOf(answer) if isinstance(answer, Failure) else Failure(ConnectionDone()))

    def reasonOf(self, failure: Failure) -> Failure:
        """
        What the protocol is told of an error.
        """
        return failure

    def _settle(self, outcome: Response | Failure | None) -> None:
        """
        Tell who waits for the begin.
        """
        if self._opened.called:
            return
        if isinstance(outcome, Failure):
            self._opened.errback(outcome)
        else:
            self._opened.callback(outcome)

    def _unplug(self) -> None:
        """
        The line is for commands again.
        """
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.unregisterProducer()
            if self._paused:
                wire.resumeProducing()

    # -- what the transport asks for

    def setBlocked(self, isBlocked: bool) -> None:
        """
        The line takes no more for now, or takes it again.
        """
        self._isBlocked = isBlocked
        self.sendMore()

    @property
    def maySend(self) -> bool:
        """
        Whether the line takes data.
        """
        return self._wire is not None and not self._isBlocked and not self._isEnding

    def send(self, size: int) -> None:
        """
        Send so many octets of those that wait.
        """
        self._hasSent = True
        self._wire.write(self._coding.encode(self.take(size)))

    def sendMore(self) -> None:
        while self.waiting and self.maySend:
            self.send(PIECE)

    def setReading(self, isReading: bool) -> None:
        if self._wire is None or self._isEnding:
            return
        if isReading:
            self._wire.resumeProducing()
        else:
            self._wire.pauseProducing()

    def closeSocket(self) -> None:
        self._leave(self.sendEnd)

    def abortSocket(self) -> None:
        self._leave(self.giveUp)
        self.lost(Failure(ConnectionAborted()))

    def _leave(self, end: Callable[[], None]) -> None:
        """
        Hear no more of the data, and end them, unless the modem has told so itself, or can't be told.
        """
        if self._isEnding or self._wire is None:
            return
        self._isEnding = True
        if self._paused:
            self._wire.resumeProducing()
        if self._way is Way.IN:
            self._client.resultWithin(self._patience)
        else:
            end()

    def sendEnd(self) -> None:
        """
        Send the end; the result follows.
        """
        self._wire.write(self._coding.end)
        self._client.resultWithin(self._patience)

    def giveUp(self) -> None:
        """
        Leave data that aren't whole.
        """
        self.sendEnd()
