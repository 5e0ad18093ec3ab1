"""
The module's side of SMSATRUN: AT commands that come by short messages, and are answered by some.

The AT instance is lent by the module, as long as the service is enabled.
Source: Running AT Commands Remotely Rev. 9, 2 (S); reference 3. TEL-SMS, TEL-DIG, TEL-EXT-01 to TEL-EXT-03.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.bearer import Bearer, Jam
from atrunproto.at.errors import CommandFailed, Misuse
from atrunproto.at.module import ATInstance
from atrunproto.at.reservation import Reservation
from atrunproto.at.unpeered import Unpeered
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver, Submit

from .request import LONGEST_ANSWER, Request
from .surroundings import Surroundings
from .whitelist import WhiteList

#: the name under which the service reserves its instance, and is remembered
SERVICE = "SMSATRUN"
#: requests that wait while one is served; more are dropped (A)
QUEUED = 8

_WHITE_LIST = "SMSATRUN white list"


class Exchange(Unpeered, Bearer):
    """
    One request while it is served: it is the transport of the instance and its bearer at the same time.

    What is written is collected, as much of it as can be answered.
    """

    __slots__ = ("_instance", "_limitCall", "_output", "_service", "answering", "bearer", "isJammed", "kind", "request")

    echoes = False
    isInteractive = False

    def __init__(self, service: SMSATRUNService, request: Request, limitCall: IDelayedCall) -> None:
        """
        @param limitCall: what happens when it takes too long.
        """
        self._service = service
        self._instance: ATInstance | None = None
        self._output = b""
        self.request = request
        self.kind = request.kind
        self._limitCall = limitCall
        self.isJammed = False
        self.answering: Deferred[Any] | None = None
        self.bearer = self

    def run(self, instance: ATInstance) -> None:
        """
        Run the command line.
        """
        self._instance = instance
        instance.detach()
        instance.makeConnection(self)
        instance.runLine(self.request.line)

    def write(self, data: bytes) -> None:
        """
        Something that the instance answers.
        """
        self._output += data[: LONGEST_ANSWER - len(self._output)]

    def leave(self) -> bytes:
        """
        Let go of the instance; what it has said.
        """
        self._endLimit()
        instance, self._instance = self._instance, None
        if instance is not None and instance.transport is self:
            instance.detach()
        return self._output

    def delay(self) -> float:
        """
        #ATRUNDELAY for SMS (TEL-DLY-03).
        """
        return self._service.delay

    def jammed(self, jam: Jam) -> None:
        """
        There won't be an answer, nor another request (TEL-SMS-43, TEL-SMS-44).
        """
        self.isJammed = True
        if jam is Jam.FOR_GOOD:
            self._endLimit()

    def _endLimit(self) -> None:
        if self._limitCall.active():
            self._limitCall.cancel()

    def finished(self) -> None:
        """
        The command line has come to its final result.
        """
        if not self.isJammed:
            self._service.ran(self)


class SMSATRUNService:
    """
    The service of one module.

    (off) enable, power-on, special message -> enabled.
    (enabled) request: its line is run, others wait meanwhile -> serving.
    (serving) answered: the next one, if any waits -> enabled.
    (serving) timeout: the module restarts -> enabled.
    (enabled, serving) disable: a line that says so by itself is answered first -> off.

    @ivar isEnabled: whether it is on.
    """

    _log = Logger()

    __slots__ = ("_by", "_call", "_exchange", "_reservation", "_waiting", "isEnabled", "surroundings")

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self.isEnabled = False
        self._by = 1
        self._reservation = Reservation(SERVICE, surroundings)
        self._exchange: Exchange | None = None
        self._waiting: deque[Request] = deque()
        self._call: IDelayedCall | None = None
        surroundings.watchMessages(self._take)

    # -- what it is told by commands

    @property
    def _config(self) -> tuple[int, int, int]:
        """
        #SMSATRUNCFG: instance, whether there are notices, and minutes that a command may take.
        """
        instance, notices, minutes = self.surroundings.settings.get("#SMSATRUNCFG")
        return instance, notices, minutes

    @property
    def delay(self) -> float:
        """
        Seconds before each command line.
        """
        return float(self.surroundings.settings.get("#ATRUNDELAY", 1)[0])

    @property
    def isActive(self) -> bool:
        """
        <stat> of #SMSATRUN?: whether requests are served.
        """
        return self._reservation.isHeld

    @property
    def whiteList(self) -> WhiteList:
        """
        The white list; a change is put back as a whole.
        """
        return WhiteList(self.surroundings.memory.get(_WHITE_LIST))

    @whiteList.setter
    def whiteList(self, whiteList: WhiteList) -> None:
        self.surroundings.memory.put(_WHITE_LIST, whiteList.kept)

    def enable(self, by: int) -> None:
        """
        Switch the service on.

        @param by: the instance that hears its notices.
        @raise CommandFailed: the instance is in use.
        """
        if self.isEnabled:
            return
        if self._reservation.number not in (0, self._config[0]):
            # a line that has switched the service off still runs on the instance of then
            self._abandon()
            self._reservation.release()
        self._reservation.enable(self._config[0], by, by)
        self.isEnabled, self._by = True, by
        self._later()

    def disable(self, by: int) -> None:
        """
        Switch the service off.

        @param by: the instance that says so; the service's own one is given back when it has answered.
        """
        if not self.isEnabled:
            return
        self._reservation.disable()
        self.isEnabled = False
        self._waiting.clear()
        if by != self._reservation.number:
            self._abandon()
            self._reservation.release()

    # -- life

    def powerOn(self) -> None:
        """
        Go on if it was left enabled (TEL-SMS-19, TEL-SMS-20).
        """
        kept = self._reservation.kept
        if kept is not None:
            self.isEnabled, self._by = True, int(kept)
            self._held()

    def powerOff(self) -> None:
        """
        Forget what was under way.
        """
        self.isEnabled = False
        self._waiting.clear()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
        self._abandon()
        self._reservation.forget()

    def _held(self) -> ATInstance | None:
        """
        The service's instance; C{None}, and requests wait for the next one, if it can't be had.
        """
        try:
            return self._reservation.hold(self._config[0])
        except CommandFailed:
            self._log.warn("SMSATRUN has to wait: its AT instance is in use")
            return None

    def _abandon(self) -> None:
        """
        End what is served, without an answer.
        """
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.leave()
            if exchange.answering is not None:
                exchange.answering.cancel()

    # -- messages

    def _take(self, centre: Address, unit: Deliver) -> bool:
        """
        Look at a message that has come; tell whether it is ours (TEL-SMS-21).
        """
        if self._isActivation(unit):
            return True
        request = Request.recognise(unit, self.whiteList) if self.isEnabled else None
        if request is None:
            return False
        if len(self._waiting) < QUEUED:
            self._waiting.append(request)
            self._later()
        else:
            self._log.warn("SMSATRUN drops a request, {count} are waiting", count=QUEUED)
        return True

    def _isActivation(self, unit: Deliver) -> bool:
        """
        See whether it is the special message, and do what it says (TEL-SMS-52).
        """
        activation = self.surroundings.activation
        entries = None if activation is None else activation.read(unit)
        if entries is None:
            return False
        whiteList = self.whiteList
        try:
            for kind, text in entries:
                whiteList.include(kind, text)
            self.whiteList = whiteList
            self.enable(1 if self._config[0] != 1 else 2)
        except (Misuse, CommandFailed):
            self._log.warn("the special message can't enable SMSATRUN: no room, or its AT instance is in use")
        return True

    def _later(self) -> None:
        if self._call is None:
            self._call = self.surroundings.clock.callLater(0, self._next)

    def _next(self) -> None:
        """
        Serve the next request, if none is under way.
        """
        self._call = None
        if not self.isEnabled or self._exchange is not None:
            return
        instance = self._held()
        if instance is None or not self._waiting:
            return
        request = self._waiting.popleft()
        _, notices, minutes = self._config
        if notices:
            self.surroundings.tell(self._by, f"#SMSATRUN: {request.text.decode('latin-1')}")
        limitCall = self.surroundings.clock.callLater(minutes * 60, self._tooLong)
        exchange = self._exchange = Exchange(self, request, limitCall)
        exchange.run(instance)

    def ran(self, exchange: Exchange) -> None:
        """
        A command line has come to its final result: answer it.
        """
        output = exchange.leave()
        if exchange is not self._exchange:
            return
        if exchange.request.wantsAnswer and not self.surroundings.isGoingDown:
            answering = exchange.answering = Deferred.fromCoroutine(self._answer(exchange.request, output))
            answering.addErrback(self._failed)
            answering.addBoth(self._served, exchange)
        else:
            self._served(None, exchange)

    async def _answer(self, request: Request, output: bytes) -> None:
        for part in request.answer(output, self.surroundings.newReference()):
            await self.surroundings.sendMessage(Submit(request.sender, part))

    def _failed(self, failure: Failure) -> None:
        """
        The answer can't be sent: off the network there is none (TEL-SMS-42).
        """
        if failure.check(CommandFailed):
            self._log.info("SMSATRUN can't answer: {reason}", reason=failure.value)
        elif not failure.check(CancelledError):
            self._log.failure("SMSATRUN failed to answer", failure)

    def _served(self, result: object, exchange: Exchange) -> None:
        if self._exchange is not exchange:
            return
        self._exchange = None
        if self.isEnabled:
            self._later()
        else:
            self._reservation.release()

    def _tooLong(self) -> None:
        """
        A command ran longer than it may: the module reboots (TEL-SMS-39), unless an update has ended it.
        """
        if not self.isActive:
            self._abandon()
            self._later()
            return
        self._log.warn("a command over SMSATRUN has no end; the module reboots")
        self.surroundings.reboot()
