"""
The SMS gateway as the fleet has it: links to modules that are known by their number, a few at a time.

A link lives for one execution: what is sent by short message has no connection that could be kept.
The modem behind it is L{atrunproto.fleet.modem}'s affair.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.errors import LinkLost, Misuse
from atrunproto.sms.peer import CardProblem, NoCentre, NoNetwork, NotSent
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import TIMEOUT, Discarded

from .links import Link, Reached
from .mobile import Mobile

#: executions under way at a time: a modem sends about fifteen messages a minute, and an answer takes half a minute (A).
#: What goes beyond stays queued, so that it is not lost with the gateway.
PLACES = 16
#: seconds for which nothing is sent when the modem has no network or no SIM
PAUSE_SECONDS = 60.0
#: late and forged answers that are remembered
MAX_DISCARDED = 100
#: characters of such an answer that are kept
MAX_TEXT = 200


class Runner(Protocol):
    """
    What the gateway needs of its modem; L{SMSRunner <atrunproto.smsatrun.peer.SMSRunner>} is one.
    """

    def run(
        self, number: str, line: str, password: Password | None = None, hat: bool = False, timeout: float = TIMEOUT
    ) -> Deferred[Any]: ...


class Stray(NamedTuple):
    """
    An answer that nobody waited for, or that is not its module's.
    """

    at: float
    number: str
    why: str
    text: str


class NotTaken(LinkLost):
    """
    The modem cannot send just now; nothing has left.
    """

    def __init__(self, command: str, why: str) -> None:
        super().__init__(command, False)
        self.why = why

    def __str__(self) -> str:
        return f"the SMS gateway cannot send: {self.why}"


class SMSLink(Link):
    """
    The link of an execution by short message.
    """

    __slots__ = ("_gateway", "mobile")

    def __init__(self, gateway: Gateway, mobile: Mobile) -> None:
        super().__init__(_ModuleBySMS(gateway, mobile), mobile.number, Reached.SMS)
        self._gateway = gateway
        self.mobile = mobile
        self.taken = True

    def release(self) -> None:
        """
        Give its place back.
        """
        super().release()
        self._gateway.released(self)


class _ModuleBySMS:
    """
    A module as a link's client: each command line is a message of its own.
    """

    transport: Any = None

    def __init__(self, gateway: Gateway, mobile: Mobile) -> None:
        self._gateway = gateway
        self._mobile = mobile

    def execute(self, line: str, timeout: float | None = None) -> Deferred[Any]:
        return self._gateway.run(self._mobile, line, timeout)

    def whenLost(self) -> Deferred[Any]:
        """
        There is no connection that could be lost.
        """
        return Deferred()

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Gateway:
    """
    Hands out links to modules by short message.

    (down) L{opened}: the modem is ready -> ready.
    (ready) L{closed}: what is under way fails, each as it was sent or not -> down.
    (ready) the modem has no network, or no SIM -> paused, for L{PAUSE_SECONDS}.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, name: str = "") -> None:
        """
        @param name: where the modem is, as an endpoint string; empty: there is none.
        """
        self._clock = clock
        self.name = name
        self._runner: Runner | None = None
        self._paused: IDelayedCall | None = None
        self._links: set[SMSLink] = set()
        self._waiting: dict[Mobile, Callable[[], object]] = {}
        #: the latest answers that were not used
        self.strays: deque[Stray] = deque(maxlen=MAX_DISCARDED)

    # Life

    @property
    def isReady(self) -> bool:
        """
        Whether messages can be sent.
        """
        return self._runner is not None and self._paused is None

    @property
    def underWay(self) -> int:
        """
        How many executions are.
        """
        return len(self._links)

    @property
    def waiting(self) -> int:
        """
        How many modules wait for a place.
        """
        return len(self._waiting)

    def opened(self, runner: Runner) -> None:
        """
        The modem can be used.
        """
        self._runner = runner
        self._offer()

    def closed(self, why: str) -> None:
        """
        The modem can't be used any more; its runner sees to what is under way.
        """
        self._runner = None
        for link in self._links:
            link.closing = link.closing or why

    def stop(self) -> None:
        """
        End everything.
        """
        self.closed("the host stopped")
        self._waiting.clear()
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
        for link in list(self._links):
            link.drop("the host stopped")

    def _pause(self, why: str) -> None:
        if self._paused is None:
            self._log.warn(
                "the SMS gateway cannot send, next try in {seconds:g} s: {why}", seconds=PAUSE_SECONDS, why=why
            )
            self._paused = self._clock.callLater(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        self._paused = None
        self._offer()

    # Links

    def linkTo(self, mobile: Mobile, whenFree: Callable[[], object]) -> SMSLink | None:
        """
        Give a link to a module, which its user releases; only one at a time to each.

        @param whenFree: called once when there is a place, if there is none now. If the module's link is in use, it is
            not called: whoever releases the link asks again.
        """
        if mobile.link is not None:
            return None
        if not self._hasPlace():
            self._waiting.setdefault(mobile, whenFree)
            return None
        self._waiting.pop(mobile, None)
        link = mobile.link = SMSLink(self, mobile)
        self._links.add(link)
        return link

    def released(self, link: SMSLink) -> None:
        """
        A place is free, and goes to who has waited longest.
        """
        self._links.discard(link)
        link.mobile.link = None
        self._offer()

    def forget(self, mobile: Mobile, why: str) -> None:
        """
        A number is not used any more; what runs there ends now.
        """
        self._waiting.pop(mobile, None)
        if mobile.link is not None:
            mobile.link.drop(why)

    def _hasPlace(self) -> bool:
        return self.isReady and len(self._links) < PLACES

    def _offer(self) -> None:
        while self._waiting and self._hasPlace():
            self._waiting.pop(next(iter(self._waiting)))()

    # Messages

    def run(self, mobile: Mobile, line: str, timeout: float | None) -> Deferred[Any]:
        """
        Send a command line.

        @param timeout: seconds for the answer once it is sent; C{None}: what is usual.
        @raise LinkLost: (by the Deferred) there is no modem, or it cannot send; the modem's errors besides.
        """
        if self._runner is None:
            return fail(LinkLost(line, False))
        seconds = TIMEOUT if timeout is None else timeout
        return self._runner.run(mobile.number, line, mobile.password, timeout=seconds).addErrback(self._failed, line)

    def _failed(self, failure: Failure, line: str) -> Any:
        """
        Tell errors of the modem from those of the module.
        """
        error = failure.value
        if isinstance(error, (NoNetwork, CardProblem, NoCentre)):
            self._pause(str(error.reason))
            raise NotTaken(line, str(error.reason))
        if isinstance(error, NotSent):
            raise Misuse(f"the SMS gateway did not send it: {error.reason}")
        return failure

    def discarded(self, answer: Discarded) -> None:
        """
        An answer came that cannot be used, which the log knows already. What it would have answered stays as it is.
        """
        text = answer.text[:MAX_TEXT].decode("latin-1")
        self.strays.append(Stray(self._clock.seconds(), answer.number, answer.why.name.lower(), text))
