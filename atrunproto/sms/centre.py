"""
An emulated service centre: takes short messages from mobiles and from outside, and delivers them when it can.

What it is made of is known to all: units of L{atrunproto.sms.tpdu}, a clock, and something that finds mobiles by
their number. It can be used alone, with subscribers of one's own.

Messages for one number are delivered in the order in which they came, one after the other, unless reordering is among
the faults. The first one that isn't taken holds up those behind it, until L{ServiceCentre.reachable} says that it is
worth another try; nothing is tried in vain meanwhile. What waits longer than its validity period is given up.
It takes no notice of TP-RD: a submit that repeats an earlier one is a message of its own (A).
Source: 3GPP 23.040 3.2 and 9.2; where that leaves it open, the rules are assumed (A).
"""

from __future__ import annotations

import math
import re
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from enum import Enum
from random import Random
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from atrunproto.at.errors import Misuse

from .fields import INTERNATIONAL, Address, EnhancedValidity, RelativeValidity, TimeStamp, Validity
from .outside import Outside
from .tpdu import Deliver, StatusReport, Submit

#: messages that are under way to one number, and in all; beyond, the newest is refused (A)
MOST_EACH = 100
MOST_IN_ALL = 20_000
#: seconds that a message is kept whose sender gives no validity period, and status reports (A)
DEFAULT_VALIDITY = 24 * 3600.0
#: the number of a service centre unless another is given
DEFAULT_NUMBER = "+393492000200"

#: the code of a country, in front of a number (E.164)
_COUNTRY = re.compile(r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}").match

#: values of TP-ST: what became of a message (23.040 9.2.3.15)
DELIVERED = 0x00
EXPIRED = 0x46
CONGESTED = 0x60
BROKEN = 0x65


class Receipt(Enum):
    """
    What a mobile makes of a message.
    """

    TAKEN = "taken"
    #: no room: TP-FCS D3, memory capacity exceeded
    FULL = "full"
    #: off, without network, or without a card
    ABSENT = "absent"


class Subscriber(Protocol):
    """
    A mobile, as the centre sees it.
    """

    @property
    def number(self) -> str:
        """
        Its telephone number, C{"+39..."}.
        """

    def receiveMessage(self, centre: Address, unit: Deliver | StatusReport) -> Receipt:
        """
        Take a message.
        """


@dataclass(frozen=True, slots=True)
class Faults:
    """
    What a network does to messages; each message for a mobile meets them once, status reports too.

    @ivar delay: seconds that a message is under way at least.
    @ivar jitter: seconds that it may take longer, by chance.
    @ivar loss: the share of messages that vanish without a trace, 0 to 1.
    @ivar duplicate: the share that comes twice, 0 to 1.
    @ivar reorder: a message may overtake an earlier one that has the longer delay.
    """

    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: bool = False

    def __post_init__(self) -> None:
        for name, highest in (("delay", math.inf), ("jitter", math.inf), ("loss", 1), ("duplicate", 1)):
            value = getattr(self, name)
            if not (0 <= value <= highest and math.isfinite(value)):
                raise Misuse(f"{name}: {value} is not within 0 and {highest}")


@dataclass(frozen=True, slots=True)
class _Message:
    """
    A message under way.

    @ivar expires: when it is given up, by the clock.
    @ivar report: what its sender wants to be told in the end, but for the outcome; C{None}: nothing.
    """

    sender: str
    destination: str
    unit: Deliver | StatusReport
    expires: float
    report: StatusReport | None = None


@dataclass(eq=False, slots=True)
class _Queue:
    """
    The messages under way to one number.

    @ivar messages: when each is due, a number that keeps order among those due at once, and the message.
    @ivar isHeld: the first one was not taken.
    """

    messages: list[tuple[float, int, _Message]] = field(default_factory=list)
    isHeld: bool = False
    call: IDelayedCall | None = None

    def nextTurn(self) -> float:
        """
        When something is to be delivered or given up.
        """
        first = math.inf if self.isHeld else self.messages[0][0]
        return min(first, *(message.expires for _, _, message in self.messages))


def bare(number: str) -> str:
    """
    The digits by which a number is found: with and without its plus sign it is the same (A).
    """
    return number.removeprefix("+")


class ServiceCentre:
    """
    The centre of a network.

    (nothing under way) a message is taken: due after its delay -> under way.
    (under way) due, and the mobile takes it: a report, if wanted -> nothing under way.
    (under way) due, and the mobile is absent or full -> held.
    (held) reachable: due at once -> under way.
    (under way, held) the validity period is over: a report, if wanted -> nothing under way.

    A mobile is called in a turn of the clock's own, never from within C{submit}, C{send} or C{reachable}.

    @ivar number: its own.
    @ivar faults: for messages that it takes from now on.
    @ivar random: decides on jitter, loss and duplicates.
    @ivar outside: what was delivered to numbers that nobody has; for its sender that is delivered.
    @ivar lost: messages that C{faults} have let vanish.
    @ivar refused: messages for which there was no room.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        find: Callable[[str], Subscriber | None],
        number: str = DEFAULT_NUMBER,
        faults: Faults = Faults(),
        random: Random | None = None,
        zone: tzinfo = UTC,
        mostEach: int = MOST_EACH,
        mostInAll: int = MOST_IN_ALL,
    ) -> None:
        """
        @param clock: its seconds count from the beginning of 1970 where time stamps are to be right.
        @param find: the mobile of this number; asked at each delivery.
        @param zone: of the time stamps.
        @param mostEach: messages under way to one number.
        @param mostInAll: messages under way.
        """
        self.number = number
        self.faults = faults
        self.outside = Outside()
        self.lost = 0
        self.refused = 0
        self.zone = zone
        self._clock = clock
        self._find = find
        self.random = random or Random()
        self._mostEach = mostEach
        self._mostInAll = mostInAll
        self._queues: dict[str, _Queue] = {}
        self._underWay = 0
        self._sequence = 0

    # -- messages come in

    def submit(self, sender: str, unit: Submit) -> None:
        """
        A mobile hands over a message.

        @param sender: its number.
        """
        deliver = Deliver(
            Address.parse(sender),
            unit.userData,
            self.stamp(),
            unit.protocolIdentifier,
            wantsReport=unit.wantsReport,
            hasReplyPath=unit.hasReplyPath,
        )
        self._accept(sender, self._international(sender, unit.destination), deliver, unit.reference, unit.validity)

    def send(
        self,
        originator: str,
        destination: str,
        unit: Deliver,
        reference: int = 0,
        validity: Validity | None = None,
    ) -> bool:
        """
        Somebody outside sends a message.

        @param originator: a number or a name, for the status report if C{unit} wants one.
        @param destination: a number.
        @param unit: what the mobile is to get, origin and time included; see L{stamp}.
        @param reference: for the status report, 0 to 255.
        @return: whether there was room.
        @raise SMSError: the destination isn't a number.
        """
        return self._accept(originator, Address.parse(destination), unit, reference, validity)

    def stamp(self) -> TimeStamp:
        """
        The time now, in the network's zone.
        """
        return TimeStamp.of(datetime.fromtimestamp(self._clock.seconds(), self.zone))

    def reachable(self, number: str) -> None:
        """
        A mobile can be reached again, or has room again: what waits for it is delivered, in order.
        """
        key = bare(number)
        queue = self._queues.get(key)
        if queue is not None and queue.isHeld:
            queue.isHeld = False
            self._plan(key, queue)

    @property
    def underWay(self) -> Mapping[str, int]:
        """
        How many messages are under way to each number that has some.
        """
        return {queue.messages[0][2].destination: len(queue.messages) for queue in self._queues.values()}

    def stop(self) -> None:
        """
        Forget all that is under way.
        """
        queues, self._queues, self._underWay = self._queues, {}, 0
        for queue in queues.values():
            self._cancel(queue)
            queue.messages.clear()

    # -- on their way

    def _international(self, sender: str, destination: Address) -> Address:
        """
        Find who is meant by a number without its country: a mobile of the sender's, if there is one (A).
        """
        if destination.kind != INTERNATIONAL and self._find(str(destination)) is None:
            country = _COUNTRY(bare(sender))
            number = f"+{country[0]}{destination.number}" if country is not None else ""
            if number and self._find(number) is not None:
                return Address.parse(number)
        return destination

    def _accept(
        self, sender: str, recipient: Address, unit: Deliver, reference: int, validity: Validity | None
    ) -> bool:
        report = StatusReport(reference, recipient, unit.time, unit.time) if unit.wantsReport else None
        expires = self._clock.seconds() + self._secondsOf(validity)
        return self._take(_Message(sender, str(recipient), unit, expires, report))

    def _secondsOf(self, validity: Validity | None) -> float:
        """
        The length of a validity period; one that means nothing is the default.
        """
        if isinstance(validity, RelativeValidity | EnhancedValidity):
            seconds: float | None = validity.seconds
        else:
            until = None if validity is None else validity.moment()
            seconds = None if until is None else until.timestamp() - self._clock.seconds()
        return DEFAULT_VALIDITY if seconds is None else seconds

    def _take(self, message: _Message) -> bool:
        """
        Let a message meet the faults.

        @return: whether there was room.
        """
        faults = self.faults
        if self.random.random() < faults.loss:
            self.lost += 1
            self._log.debug("a message for {number} is lost", number=message.destination)
            return True
        if not self._put(message):
            self.refused += 1
            self._log.warn("no room for a message for {number}", number=message.destination)
            self._report(message, CONGESTED)
            return False
        if self.random.random() < faults.duplicate:
            self._put(replace(message, report=None))
        return True

    def _put(self, message: _Message) -> bool:
        key = bare(message.destination)
        queue = self._queues.get(key)
        if self._underWay >= self._mostInAll or (queue is not None and len(queue.messages) >= self._mostEach):
            return False
        if queue is None:
            queue = self._queues[key] = _Queue()
        due = self._clock.seconds() + self.faults.delay + self.faults.jitter * self.random.random()
        if queue.messages and not self.faults.reorder:
            due = max(due, queue.messages[-1][0])
        self._sequence += 1
        self._underWay += 1
        insort(queue.messages, (due, self._sequence, message))
        self._plan(key, queue)
        return True

    def _plan(self, key: str, queue: _Queue) -> None:
        """
        Let the next turn come when it is due.
        """
        self._cancel(queue)
        if self._queues.get(key) is not queue:
            return
        if not queue.messages:
            del self._queues[key]
            return
        wait = max(0.0, queue.nextTurn() - self._clock.seconds())
        queue.call = self._clock.callLater(wait, self._turn, key, queue)

    def _cancel(self, queue: _Queue) -> None:
        call, queue.call = queue.call, None
        if call is not None:
            call.cancel()

    def _turn(self, key: str, queue: _Queue) -> None:
        """
        Deliver what is due, and give up what is too old; everything due is tried once.
        """
        queue.call = None
        # what comes meanwhile has a turn of its own
        now, last = self._clock.seconds(), self._sequence
        try:
            while queue.messages and queue.messages[0][:2] <= (now, last) and not queue.isHeld:
                self._deliver(queue, now)
            for entry in [entry for entry in queue.messages if entry[2].expires <= now]:
                self._remove(queue, entry)
                self._report(entry[2], EXPIRED)
        finally:
            self._plan(key, queue)

    def _deliver(self, queue: _Queue, now: float) -> None:
        """
        Try the first message; until it is taken it keeps its place.
        """
        entry = queue.messages[0]
        message = entry[2]
        isLast = not any(due <= now for due, _, _ in queue.messages[1:2])
        outcome = self._hand(message, replace(message.unit, isLast=isLast))
        if outcome is None:
            queue.isHeld = True
        elif entry in queue.messages:
            self._remove(queue, entry)
            self._report(message, outcome)

    def _hand(self, message: _Message, unit: Deliver | StatusReport) -> int | None:
        """
        Give a message to whom it is for.

        @return: what became of it, or C{None} for nothing yet.
        """
        try:
            subscriber = self._find(message.destination)
            if subscriber is None:
                self.outside.add(message.sender, message.destination, unit)
                return DELIVERED
            receipt = subscriber.receiveMessage(Address.parse(self.number), unit)
        except Exception:
            # what breaks a mobile isn't tried again
            self._log.failure("delivering a message to {number}", number=message.destination)
            return BROKEN
        return DELIVERED if receipt is Receipt.TAKEN else None

    def _remove(self, queue: _Queue, entry: tuple[float, int, _Message]) -> None:
        queue.messages.remove(entry)
        self._underWay -= 1

    def _report(self, message: _Message, status: int) -> None:
        """
        Tell the sender what became of a message, if that is wanted.
        """
        if message.report is not None:
            report = replace(message.report, discharge=self.stamp(), status=status)
            expires = self._clock.seconds() + DEFAULT_VALIDITY
            self._take(_Message(message.destination, message.sender, report, expires))
