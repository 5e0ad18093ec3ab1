"""
Short messages over a modem, as a program sends and receives them.

Source: reference 12; 3GPP 27.005 3 and 4 (PDU mode), 23.040.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.errors import ATError, CommandFailed, LinkLost, Misuse, PeerViolation
from atrunproto.at.peer import ATClient
from atrunproto.at.peerlines import Response
from atrunproto.at.results import ErrorFamily

from .datacoding import DataCoding
from .errors import SMSError
from .fields import Address, Validity
from .pdumode import PDU
from .peerinbox import Inbox, Unit
from .segments import Reassembler, split, textOf
from .tpdu import Deliver, StatusReport, Submit

#: messages that wait to be sent
MAX_WAITING = 1000
#: seconds that a modem may take to hand over a message (reference 12)
SENDING = 60.0

_REFERENCE = re.compile(r"\+CMGS: ?(\d{1,3})(?!\d)", re.ASCII).match


class NotSent(CommandFailed):
    """
    A modem doesn't send a message; C{reason} has the +CMS ERROR.
    """


class CardProblem(NotSent):
    """
    The SIM card is missing, locked or out of order.
    """


class NoCentre(NotSent):
    """
    The modem doesn't know the number of its service centre.
    """


class NoNetwork(NotSent):
    """
    The modem isn't registered, or the network doesn't answer.
    """


class Rejected(NotSent):
    """
    The network or the service centre refuses the message (+CMS ERROR 1 to 255; 24.011, 23.040).
    """


#: by the number of a +CMS ERROR (reference 2.3)
_ERRORS: dict[int, type[NotSent]] = {
    **dict.fromkeys(range(1, 256), Rejected),
    **dict.fromkeys(range(310, 319), CardProblem),
    330: NoCentre,
    331: NoNetwork,
    332: NoNetwork,
}


def _asNotSent(error: CommandFailed) -> NotSent:
    isNumbered = error.reason.family is ErrorFamily.CMS
    kind = _ERRORS.get(error.reason.number, NotSent) if isNumbered else NotSent
    return kind(error.command, error.reason)


@dataclass(frozen=True, slots=True)
class Message:
    """
    A whole message that has come, in one part or several.

    @ivar parts: in their order.
    """

    parts: tuple[Deliver, ...]

    @property
    def origin(self) -> Address:
        """
        Who has sent it.
        """
        return self.parts[0].origin

    @property
    def coding(self) -> DataCoding:
        """
        The data coding of its first part.
        """
        return self.parts[0].userData.coding

    @property
    def text(self) -> str:
        """
        Its text; what is no character is a mark.
        """
        return textOf(part.userData for part in self.parts)

    @property
    def octets(self) -> bytes:
        """
        The octets of an 8-bit message.
        """
        return b"".join(part.userData.payload for part in self.parts)


@dataclass(slots=True, eq=False)
class _Outgoing:
    """
    A message that waits, or is being sent part by part.
    """

    pdus: deque[PDU]
    waiting: Deferred[tuple[int, ...]] | None = None
    references: list[int] = field(default_factory=list)

    def end(self, result: Any) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(result)


_Event = TypeVar("_Event")
_Listeners = list[Callable[[_Event], object]]


class SMSClient:
    """
    The short messages of a modem, over one AT client, which may be used for other commands between.

    (made) L{start}: the modem is prepared, its store emptied -> ready.
    (ready) a message goes, one part at a time; what comes is told.
    (being prepared) it fails: what waits fails with L{LinkLost} -> lost.
    (ready) the line is lost: what waits fails with L{LinkLost} -> lost; L{onLost} tells.
    (lost) L{resume} with another line to the modem: as L{start} -> ready.

    A modem that doesn't answer costs a L{CommandTimeout}, and in the end the line.
    Incomplete messages of several parts are kept in memory, and lost with the program.
    """

    _log = Logger()

    def __init__(
        self, client: ATClient, clock: IReactorTime, memory: str | None = None, interval: float | None = None
    ) -> None:
        """
        @param memory: where the modem is to store messages (C{"SM"}); C{None}: where it does.
        @param interval: seconds between two looks at its store, apart from those at what it tells; C{None}: 60, and 5
            with a modem that tells nothing (A).
        """
        self.clock = clock
        self._client = client
        self._inbox = Inbox(clock, self._arrived, memory, interval)
        self._joined: Reassembler[Deliver] = Reassembler()
        self._whenLost: Deferred[None] | None = None
        self._isStarted = False
        self._isReady = False
        self._isChoosing = False
        self._queue: deque[_Outgoing] = deque()
        self._sending: _Outgoing | None = None
        #: of long messages; their receivers may remember those of our last run
        self._reference = int(clock.seconds()) & 0xFF
        self._onMessage: _Listeners[Message] = []
        self._onPart: _Listeners[Deliver] = []
        self._onReport: _Listeners[StatusReport] = []
        self._onLost: _Listeners[BaseException] = []

    # -- life

    def start(self) -> Deferred[None]:
        """
        Prepare the modem, and take what lies in its store; subscribe before.

        @raise CommandFailed: (by the Deferred) the modem has no PDU mode, or not the memory that is wanted.
        @raise ATError: (by the Deferred) as L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line
            fails.
        """
        return self.resume(self._client)

    def resume(self, client: ATClient) -> Deferred[None]:
        """
        Go on over another line to the modem; otherwise as L{start}.
        """
        self._leave()
        self._client = client
        self._isStarted = True
        self._whenLost = client.whenLost().addCallback(self._lost)
        return Deferred.fromCoroutine(self._prepare(client))

    async def _prepare(self, client: ATClient) -> None:
        try:
            await self._inbox.attach(client)
        except BaseException:
            if client is self._client:
                self._leave()
            raise
        if client is self._client and self._isStarted:
            self._isReady = True
            self._next()

    def close(self) -> None:
        """
        Close the line in an orderly way; what waits fails with L{LinkLost}.
        """
        self._leave()
        self._client.close()

    def _leave(self) -> None:
        whenLost, self._whenLost = self._whenLost, None
        if whenLost is not None:
            whenLost.addErrback(lambda _: None)
            whenLost.cancel()
        self._isStarted = self._isReady = False
        self._inbox.detach()
        sending, self._sending = self._sending, None
        queue, self._queue = self._queue, deque()
        if sending is not None:
            sending.end(Failure(LinkLost("AT+CMGS", True)))
        for message in queue:
            message.end(Failure(LinkLost("AT+CMGS", False)))

    def _lost(self, reason: BaseException) -> None:
        self._whenLost = None
        self._leave()
        self._tell(self._onLost, reason)

    # -- sending

    def send(self, unit: Submit, centre: Address | None = None) -> Deferred[int]:
        """
        Send a message of one part.

        Cancelling the Deferred of a message that waits removes it; what is on its way is sent all the same.

        @param unit: the modem gives it its reference.
        @param centre: the service centre; C{None}: the one that the modem knows.
        @return: the reference, 0 to 255, which a status report repeats.
        @raise NotSent: (by the Deferred) the modem refuses it; its subclasses tell why.
        @raise LinkLost: (by the Deferred) the line is lost; C{sent} tells whether it may have gone.
        @raise CommandTimeout: (by the Deferred) the modem doesn't tell; it may have gone.
        @raise Misuse: (by the Deferred) too many wait.
        """
        return self._enter([unit], centre).addCallback(lambda references: references[0])

    def sendTo(
        self,
        number: str,
        content: str | bytes,
        wantsReport: bool = False,
        coding: DataCoding | None = None,
        validity: Validity | None = None,
        centre: Address | None = None,
    ) -> Deferred[tuple[int, ...]]:
        """
        Send a text, or octets, in as few parts as it takes; each waits for the one before.

        @param number: international, C{"+39..."}.
        @param coding: C{None}: the alphabet in which a text is shortest, and 8-bit for octets.
        @return: the reference of each part.
        @raise SMSError: (by the Deferred) it is too long, or the number is none.
        @see: L{send} for the other errors; parts before the one that failed have gone.
        """
        try:
            parts = split(content, coding, self._reference)
            units = [Submit(Address.parse(number), part, validity=validity, wantsReport=wantsReport) for part in parts]
        except SMSError as error:
            return fail(error)
        if len(units) > 1:
            self._reference = (self._reference + 1) & 0xFF
        return self._enter(units, centre)

    def _enter(self, units: Iterable[Submit], centre: Address | None) -> Deferred[tuple[int, ...]]:
        if not self._isStarted:
            return fail(LinkLost("AT+CMGS", False))
        if len(self._queue) >= MAX_WAITING:
            return fail(Misuse(f"{MAX_WAITING} messages wait already"))
        try:
            message = _Outgoing(deque(PDU(unit.encode(), centre) for unit in units))
        except SMSError as error:
            return fail(error)

        def cancelled(_: object) -> None:
            message.waiting = None
            if message in self._queue:
                self._queue.remove(message)
            message.pdus.clear()

        waiting = message.waiting = Deferred(cancelled)
        self._queue.append(message)
        self._next()
        return waiting

    def _next(self) -> None:
        if self._isChoosing:
            return
        # a part may fail at once; the next message then follows in this loop
        self._isChoosing = True
        try:
            while self._isReady and self._sending is None and self._queue:
                message = self._sending = self._queue.popleft()
                self._sendPart(message)
        finally:
            self._isChoosing = False

    def _sendPart(self, message: _Outgoing) -> None:
        pdu = message.pdus.popleft()
        digits = pdu.encode().encode("ascii")
        answer = self._client.execute(f"AT+CMGS={pdu.length}", SENDING, digits)
        answer.addCallback(_referenceOf)
        answer.addCallbacks(self._isSent, self._isNotSent, callbackArgs=(message,), errbackArgs=(message,))

    def _isSent(self, reference: int, message: _Outgoing) -> None:
        message.references.append(reference)
        if message is not self._sending:
            return
        if message.pdus:
            self._sendPart(message)
            return
        self._sending = None
        message.end(tuple(message.references))
        self._next()

    def _isNotSent(self, failure: Failure, message: _Outgoing) -> None:
        error = failure.value
        if isinstance(error, LinkLost):
            # the others are told when all know
            self._isReady = False
        elif not isinstance(error, ATError):
            self._log.failure("a message could not be sent", failure)
        if message is self._sending:
            self._sending = None
        message.end(Failure(_asNotSent(error)) if isinstance(error, CommandFailed) else failure)
        self._next()

    # -- what comes

    def onMessage(self, callback: Callable[[Message], object]) -> Callable[[], None]:
        """
        Hear of each whole message. The callback's failures are logged.

        @return: a function that ends the subscription.
        """
        return _subscribe(self._onMessage, callback)

    def onPart(self, callback: Callable[[Deliver], object]) -> Callable[[], None]:
        """
        Hear of each part as it comes, in any order and perhaps twice; otherwise as L{onMessage}.
        """
        return _subscribe(self._onPart, callback)

    def onReport(self, callback: Callable[[StatusReport], object]) -> Callable[[], None]:
        """
        Hear what has become of messages that want a report; otherwise as L{onMessage}.
        """
        return _subscribe(self._onReport, callback)

    def onLost(self, callback: Callable[[BaseException], object]) -> Callable[[], None]:
        """
        Hear that the line is lost, and why; otherwise as L{onMessage}.
        """
        return _subscribe(self._onLost, callback)

    def _arrived(self, unit: Unit) -> None:
        if isinstance(unit, StatusReport):
            self._tell(self._onReport, unit)
            return
        self._tell(self._onPart, unit)
        place = unit.userData.concatenation
        if place is None or place.total == 1:
            self._tell(self._onMessage, Message((unit,)))
            return
        # whether more messages wait is no part of the message
        part = replace(unit, isLast=True)
        whole = self._joined.add(unit.origin, place, part, self.clock.seconds())
        if whole is not None:
            self._tell(self._onMessage, Message(whole))

    def _tell(self, listeners: Sequence[Callable[[_Event], object]], event: _Event) -> None:
        for listener in tuple(listeners):
            with self._log.failuresHandled("a listener for short messages failed"):
                listener(event)


def _referenceOf(answer: Response) -> int:
    """
    @raise PeerViolation: the modem says none.
    """
    for line in answer.lines:
        found = _REFERENCE(line)
        if found is not None:
            return int(found.group(1)) & 0xFF
    raise PeerViolation("a message was sent without a reference")


def _subscribe(listeners: list[Callable[[_Event], object]], callback: Callable[[_Event], object]) -> Callable[[], None]:
    """
    Add a callback; give what takes it away again.
    """

    def listener(event: _Event) -> object:
        return callback(event)

    listeners.append(listener)

    def cancel() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return cancel
