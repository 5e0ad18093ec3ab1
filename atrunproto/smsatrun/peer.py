"""
AT commands by short message, as the mobile's side gives them.

Source: Running AT Commands Remotely Rev. 9, 2 (S). TEL-SMS, TEL-DIG.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.advice import Caution, Effect, cautions, delay
from atrunproto.at.bearer import BearerKind
from atrunproto.at.commands import Command
from atrunproto.at.errors import ATError, CommandFailed, CommandTimeout, LinkLost, Misuse, PeerViolation
from atrunproto.at.peerlines import Response, SentLine, bookOf
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address, TimeStamp
from atrunproto.sms.peer import Message, SMSClient
from atrunproto.sms.tpdu import Deliver, Submit
from atrunproto.sms.userdata import UserData

from .digest import MOST_PARTS, Password
from .peeranswer import Assembly, digest, envelopeOf, fits, read, simple

#: seconds for an answer once the request is sent (A): the module's five minutes and some for each way
TIMEOUT = 420.0
#: requests that wait or are under way
MAX_REQUESTS = 1000
#: seconds between a simple answer and the next simple request to its module: the time stamps of two answers, which
#: have whole seconds, then differ, and an answer that a service centre brings twice is known (A)
PAUSE = 1.0
#: modules whose last simple answer is remembered, or that it was given up
MAX_REMEMBERED = 1000

#: of digest requests to one number
_SESSIONS = 256
#: what takes the module off before it can answer; its silence is no failure (TEL-SMS-41, TEL-SMS-42)
_SILENT = Response((), "")


class Why(Enum):
    """
    Why an answer was discarded.
    """

    LATE = "nobody waits for it"
    FORGED = "its digest isn't the password's"


@dataclass(frozen=True, slots=True)
class Discarded:
    """
    An answer, or a part of one, that wasn't used.

    @ivar session: of a digest answer; C{None}: it is a simple one.
    @ivar text: what it says, in Latin-1. Late digest answers are not checked.
    """

    number: str
    session: int | None
    why: Why
    text: bytes = field(repr=False)


@dataclass(slots=True, eq=False)
class _Request:
    """
    A command line for a module.

    @ivar session: of a digest request that is under way.
    @ivar waiting: C{None} when its user has given up.
    @ivar isSent: it was given to the gateway.
    @ivar isOver: its end is known.
    @ivar sending: what the gateway tells, until it has.
    """

    number: str
    line: SentLine
    hat: bool
    password: Password | None
    seconds: float
    isSilent: bool
    waiting: Deferred[Response] | None = None
    session: int | None = None
    alphabet: Alphabet = Alphabet.OCTETS
    isSent: bool = False
    isOver: bool = False
    sending: Deferred[int] | None = None
    timer: IDelayedCall | None = None
    assembly: Assembly = field(default_factory=Assembly)

    def userData(self, session: int = 0) -> UserData:
        if self.password is None:
            return simple(self.line, self.hat)
        return digest(self.line, self.hat, session, self.password)

    def end(self, result: Any) -> None:
        timer, self.timer = self.timer, None
        if timer is not None and timer.active():
            timer.cancel()
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(result)


class _Module:
    """
    What is under way to one number.
    """

    __slots__ = ("isChoosing", "pause", "sessions", "simple", "waiting")

    def __init__(self) -> None:
        self.simple: _Request | None = None
        self.sessions: dict[int, _Request] = {}
        self.waiting: deque[_Request] = deque()
        self.isChoosing = False
        self.pause: IDelayedCall | None = None

    def stop(self) -> None:
        """
        Wait for no pause any more.
        """
        pause, self.pause = self.pause, None
        if pause is not None:
            pause.cancel()

    @property
    def isIdle(self) -> bool:
        return self.simple is None and not self.sessions and not self.waiting


class SMSRunner:
    """
    Runs command lines on modules by short message, through a gateway that others may use as well.

    (waiting) sent as soon as the number has room: one simple request at a time, 256 digest requests -> under way.
    (under way) the answer, the timeout, or the loss of the gateway -> over.

    A simple answer is known by its sender alone: one that comes late is taken for the next request's, unless its lines
    name another command.
    Digest answers are told apart by their session, and each part is checked before it is believed (TEL-DIG-14).
    """

    _log = Logger()

    def __init__(self, gateway: SMSClient, clock: IReactorTime, rows: Mapping[str, Command] | None = None) -> None:
        """
        @param rows: the commands that are known, as of L{ATClient<atrunproto.at.peer.ATClient>}.
        """
        self._gateway = gateway
        self._clock = clock
        self._book = bookOf(rows)
        self._modules: dict[str, _Module] = {}
        self._count = 0
        #: the session of the next digest request, to whomever; it doesn't begin with that of our last run
        self._session = int(clock.seconds()) % _SESSIONS
        self._givenUp: OrderedDict[str, SentLine] = OrderedDict()
        #: the last simple answer of each module, which a service centre may bring twice
        self._last: OrderedDict[str, tuple[TimeStamp, bytes, float]] = OrderedDict()
        self._listeners: list[Callable[[Discarded], object]] = []
        self._isClosed = False
        self._cancels = [
            gateway.onPart(self._partCame),
            gateway.onMessage(self._messageCame),
            gateway.onLost(lambda _: self._lost()),
        ]

    # -- what to know beforehand

    def cautions(self, line: str, password: Password | None = None) -> list[Caution]:
        """
        What is to be feared of a command line (TEL-SMS-41 to TEL-SMS-49).
        """
        return cautions(line, BearerKind.SMS_SIMPLE if password is None else BearerKind.SMS_DIGEST)

    def delay(self, *lines: str) -> int:
        """
        The seconds that #ATRUNDELAY of the module should have before these lines; it is for the user to set it.
        """
        return delay(lines, BearerKind.SMS_SIMPLE)

    # -- requests

    def run(
        self,
        number: str,
        line: str,
        password: Password | None = None,
        hat: bool = False,
        timeout: float = TIMEOUT,
        force: bool = False,
    ) -> Deferred[Response]:
        """
        Run a command line on a module.

        Cancelling the Deferred of a request that waits removes it; one under way keeps its place until it is answered
        or its time is over. The result of the response is empty where there is no answer: with C{hat}, and when a
        command that takes the module off isn't answered in time; also where the answer was cut off at 15 parts.

        @param number: the module's, international, C{"+39..."}; its answer must come from there.
        @param line: with or without C{AT}.
        @param password: sends a digest request; C{None}: a simple one.
        @param hat: no answer is wanted; the Deferred fires when the request is sent.
        @param timeout: seconds for the answer once the request is sent.
        @param force: send it though it asks for data at a prompt, which no short message can give (TEL-SMS-49).
        @raise CommandFailed: (by the Deferred) the module answers an error.
        @raise NotSent: (by the Deferred) the gateway doesn't send it; see
            L{SMSClient.send<atrunproto.sms.peer.SMSClient.send>}.
        @raise CommandTimeout: (by the Deferred) there is no answer in time; whether it has run is unknown.
        @raise LinkLost: (by the Deferred) the gateway is lost, or this is closed; C{sent} tells whether it may run.
        @raise Misuse: (by the Deferred) it can't be sent, it doesn't fit in one message, or too many wait.
        """
        feared = self.cautions(line, password)
        try:
            sent = self._book.line(line)
            number = str(Address.parse(number))
            for caution in feared:
                if caution.effect is Effect.NO_PROMPT and not force:
                    raise Misuse(str(caution))
            silent = any(caution.effect is Effect.NO_ANSWER for caution in feared)
            request = _Request(number, sent, hat, password, timeout, silent)
            request.alphabet = request.userData().coding.alphabet
            if self._count >= MAX_REQUESTS:
                raise Misuse(f"{MAX_REQUESTS} requests wait already, or are under way")
        except (Misuse, SMSError) as error:
            return fail(error)
        if self._isClosed:
            return fail(LinkLost(sent.shown, False))
        for caution in feared:
            self._log.warn("by SMS to {number}: {effect}", number=number, effect=caution.effect.value)
        waiting = request.waiting = Deferred(lambda _: self._cancelled(request))
        self._count += 1
        module = self._modules.setdefault(number, _Module())
        module.waiting.append(request)
        self._next(number, module)
        return waiting

    def _cancelled(self, request: _Request) -> None:
        request.waiting = None
        module = self._modules.get(request.number)
        if module is not None and request in module.waiting:
            module.waiting.remove(request)
            self._count -= 1
            self._tidy(request.number, module)

    def _next(self, number: str, module: _Module) -> None:
        """
        Send what has room; what has none lets others pass that have.
        """
        if module.isChoosing:
            return
        # a request may fail at once; the next one then follows in this loop
        module.isChoosing = True
        try:
            while True:
                request = next((each for each in module.waiting if self._enter(module, each)), None)
                if request is None:
                    break
                module.waiting.remove(request)
                self._send(request)
        finally:
            module.isChoosing = False
        self._tidy(number, module)

    def _enter(self, module: _Module, request: _Request) -> bool:
        """
        Give a request its place among those under way, if there is one.
        """
        if request.password is None:
            if request.hat:
                return True
            if module.simple is not None or self._pauses(request.number, module):
                return False
            module.simple = request
            return True
        if len(module.sessions) >= _SESSIONS:
            return False
        while self._session in module.sessions:
            self._session = (self._session + 1) % _SESSIONS
        request.session = self._session
        module.sessions[self._session] = request
        self._session = (self._session + 1) % _SESSIONS
        return True

    def _pauses(self, number: str, module: _Module) -> bool:
        """
        Whether it is too early for a simple request; it goes when it isn't.
        """
        last = self._last.get(number)
        left = PAUSE - (self._clock.seconds() - last[2]) if last is not None else 0.0
        if left <= 0:
            return False
        if module.pause is None:
            module.pause = self._clock.callLater(left, self._paused, number, module)
        return True

    def _paused(self, number: str, module: _Module) -> None:
        module.pause = None
        self._next(number, module)

    def _send(self, request: _Request) -> None:
        unit = Submit(Address.parse(request.number), request.userData(request.session or 0))
        request.isSent = True
        sending = request.sending = self._gateway.send(unit)
        sending.addCallbacks(self._isSent, self._isNotSent, callbackArgs=(request,), errbackArgs=(request,))

    def _isSent(self, reference: int, request: _Request) -> None:
        request.sending = None
        if request.isOver:
            return
        if request.hat:
            self._over(request, _SILENT)
        else:
            request.timer = self._clock.callLater(request.seconds, self._expired, request)

    def _isNotSent(self, failure: Failure, request: _Request) -> None:
        request.sending = None
        if request.isOver:
            return
        error = failure.value
        if isinstance(error, LinkLost):
            failure = Failure(LinkLost(request.line.shown, error.sent))
        elif isinstance(error, CommandTimeout):
            # it may have gone
            self._giveUp(request)
        elif not isinstance(error, ATError):
            self._log.failure("a request could not be sent", failure)
        self._over(request, failure)

    def _expired(self, request: _Request) -> None:
        request.timer = None
        self._giveUp(request)
        if request.isSilent:
            self._over(request, _SILENT)
        else:
            self._over(request, Failure(CommandTimeout(request.line.shown, request.seconds)))

    def _giveUp(self, request: _Request) -> None:
        """
        A simple answer may come late; that of a digest request is known by its form.
        """
        if request.password is None and not request.hat:
            _remember(self._givenUp, request.number, request.line)

    def _over(self, request: _Request, result: Any) -> None:
        """
        A request is over: its place goes to the next one.
        """
        request.isOver = True
        self._count -= 1
        module = self._modules.get(request.number)
        if module is not None:
            if module.simple is request:
                module.simple = None
            if request.session is not None and module.sessions.get(request.session) is request:
                del module.sessions[request.session]
        request.end(result)
        if module is not None and self._modules.get(request.number) is module:
            self._next(request.number, module)

    def _tidy(self, number: str, module: _Module) -> None:
        if module.isIdle:
            module.stop()
            self._modules.pop(number, None)

    # -- life

    def _lost(self) -> None:
        """
        The gateway is lost: everything fails, each with an error that tells whether it was sent.
        """
        modules, self._modules = self._modules, {}
        for module in modules.values():
            module.stop()
            underWay = [*module.sessions.values(), *([module.simple] if module.simple is not None else [])]
            for request in underWay:
                self._giveUp(request)
                self._over(request, Failure(LinkLost(request.line.shown, request.isSent)))
                if request.sending is not None:
                    request.sending.cancel()
            for request in module.waiting:
                self._over(request, Failure(LinkLost(request.line.shown, False)))

    def close(self) -> None:
        """
        Leave the gateway, which goes on; what waits or is under way fails with L{LinkLost}.
        """
        self._isClosed = True
        for cancel in self._cancels:
            cancel()
        self._lost()

    # -- answers

    def onDiscarded(self, callback: Callable[[Discarded], object]) -> Callable[[], None]:
        """
        Hear of answers that are late or forged. The callback's failures are logged.

        @return: a function that ends the subscription.
        """

        def listener(event: Discarded) -> object:
            return callback(event)

        self._listeners.append(listener)

        def cancel() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return cancel

    def _partCame(self, unit: Deliver) -> None:
        """
        A part of a digest answer, perhaps.
        """
        envelope = envelopeOf(unit)
        if envelope is None:
            return
        number = str(unit.origin)
        module = self._modules.get(number)
        request = module.sessions.get(envelope.session) if module is not None else None
        if request is None:
            self._discard(number, envelope.session, Why.LATE, envelope.text)
            return
        if request.password is None or envelope.signer([request.password]) is None:
            self._discard(number, envelope.session, Why.FORGED, envelope.text)
            return
        text = request.assembly.add(unit, envelope)
        if text is not None:
            self._answered(request, text)

    def _messageCame(self, message: Message) -> None:
        """
        A simple answer, perhaps; else it is an ordinary message (TEL-SMS-23).
        """
        if message.coding.alphabet not in (Alphabet.GSM, Alphabet.OCTETS) or envelopeOf(message.parts[0]) is not None:
            return
        if not message.origin.isNumber:
            return
        isText = message.coding.alphabet is Alphabet.GSM
        text = message.text.encode("latin-1", "replace") if isText else message.octets
        number = str(message.origin)
        isCutOff = len(message.parts) >= MOST_PARTS
        module = self._modules.get(number)
        request = module.simple if module is not None else None
        time = message.parts[0].time
        last = self._last.get(number)
        if last is not None and last[:2] == (time, text):
            # the service centre brings it once more
            return
        given = self._givenUp.get(number)
        late = None if given is None else read(given, text, isCutOff)
        if request is not None and request.alphabet is message.coding.alphabet:
            answer = read(request.line, text, isCutOff)
            if answer is None:
                return
            isLate = late is not None and given is not None and fits(given, late) and not fits(request.line, answer)
            if not isLate:
                _remember(self._last, number, (time, text, self._clock.seconds()))
                self._over(request, Failure(answer) if isinstance(answer, CommandFailed) else answer)
                return
        if late is not None:
            del self._givenUp[number]
            self._discard(number, None, Why.LATE, text)

    def _answered(self, request: _Request, text: bytes) -> None:
        answer: Response | ATError | None = read(request.line, text, request.assembly.isCutOff)
        if answer is None:
            answer = PeerViolation(f"the answer to {request.line.shown} has no result", text)
        self._over(request, Failure(answer) if isinstance(answer, ATError) else answer)

    def _discard(self, number: str, session: int | None, why: Why, text: bytes) -> None:
        of = "a simple answer" if session is None else f"a part of the answer to session {session}"
        self._log.warn("{of} from {number} is discarded: {why}", of=of, number=number, why=why.value)
        event = Discarded(number, session, why, text)
        for listener in tuple(self._listeners):
            with self._log.failuresHandled("a listener for discarded answers failed"):
                listener(event)


_Value = TypeVar("_Value")


def _remember(values: OrderedDict[str, _Value], number: str, value: _Value) -> None:
    """
    Keep a value of a module; the oldest one makes room.
    """
    values.pop(number, None)
    values[number] = value
    if len(values) > MAX_REMEMBERED:
        values.popitem(last=False)
