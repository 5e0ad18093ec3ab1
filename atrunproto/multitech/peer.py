"""
A Multi-Tech modem, as its host uses it: the stack, its parameters, the network, and the connection by GPRS.

Source: reference guide S000333C, chapters 1, 2, 7 and 8, appendices A and B; MTS-OPEN, MTS-PAR, MTS-REG, MTS-DISP,
MTS-PING.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from atrunproto.at.errors import CommandFailed, CommandTimeout, Misuse, PeerViolation
from atrunproto.at.peerlines import reasonOf
from atrunproto.secret import Secret

from . import errors
from .answers import (
    ERROR_WORDS,
    Addresses,
    Echo,
    Key,
    Value,
    errorOf,
    isAddress,
    messageOf,
    readAddresses,
    readEchoes,
    readState,
    readVersion,
)
from .generations import Generation
from .peererrors import ConnectionEnded, ConnectionFailed, NoConnection, NotRegistered, asMultitechError
from .peerparameters import PAUSE, ParameterClient
from .stack import State

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: seconds that a modem has to answer when it is greeted (A)
GREETING = 1.0
#: seconds that a restart takes (A)
RESTART = 10.0
#: seconds that a connection may take (A)
CONNECTION_WAIT = 150.0
#: seconds that a name may take to be resolved (A)
NAME_WAIT = 60.0
#: seconds between two looks whether the network has taken the modem (A)
REGISTRATION_POLL = 5.0
#: C{CALLSCREENNUM} that takes every caller, for subscriptions without caller identification (MTS-DIAL-07)
ANYBODY = "*"

_START, _STOP = "AT#CONNECTIONSTART", "AT#CONNECTIONSTOP"
#: a connection that was, in the words of an error
_ENDINGS = (errors.GPRS_LOST, errors.INACTIVE)
_HOME, _ROAMING = "1", "5"
_STAT = re.compile(r"\+CG?REG: ?[0-9], ?([0-9])", re.ASCII).match


class Registration(Enum):
    """
    What a modem is to be registered for (MTS-REG-05).
    """

    #: short messages and calls
    GSM = "+CREG"
    #: the packet service
    GPRS = "+CGREG"


class MultitechClient(ParameterClient):
    """
    A Multi-Tech modem with its IP stack, over one AT client, which may be used for other commands between the calls.

    Echo and the form of results (ATE, ATV) may be set as one likes; ATQ1 hides the answers, so it may not be.
    What is called while another call runs waits for it, but for L{disconnect}, which ends an attempt to connect.

    Every call may raise L{MultitechError<atrunproto.multitech.peererrors.MultitechError>}, whose subclasses tell why,
    and the errors of L{ATClient.execute<atrunproto.at.peer.ATClient.execute>} where the line to the modem fails.
    """

    _log = Logger()

    def __init__(self, client: ATClient, pause: float = PAUSE, generation: Generation = Generation.V3_02) -> None:
        super().__init__(client, pause, generation)
        self._isStarting = False
        self._onEnd: list[Callable[[ConnectionEnded], object]] = []
        for name in (errors.GPRS_LOST.family.value, *ERROR_WORDS):
            client.onNotice(name, self._told)

    # -- the stack

    async def open(self) -> str:
        """
        Open the stack if it is closed; before, no other command of its own is known (MTS-OPEN-03, MTS-OPEN-04).

        A modem that has just been switched on is waited for, and one that still has a connection of a program that has
        gone is made to close it.

        @return: the version of the stack.
        """
        async with self._lock:
            # if it doesn't hear yet, or carries the data of a program that has gone, the client sees to that
            with suppress(CommandTimeout):
                await self.client.execute("AT", GREETING)
            if not await self._isOpen():
                await self._execute("AT+WOPEN=1")
            return await self._version()

    async def close(self) -> None:
        """
        Close the stack, and with it the connection.
        """
        async with self._lock:
            await self._execute("AT+WOPEN=0")

    async def _isOpen(self) -> bool:
        try:
            answer = await self.client.execute("AT+WOPEN?")
        except CommandFailed:
            # it isn't told; opening twice does no harm
            return False
        return any(line.partition(":")[2].strip() == "1" for line in answer.lines)

    async def version(self) -> str:
        """
        The version of the stack, as the modem tells it.
        """
        async with self._lock:
            return await self._version()

    async def _version(self) -> str:
        return readVersion((await self._execute("AT#VVERSION")).lines)

    async def eraseParameters(self) -> None:
        """
        Give all parameters their factory values, which takes a restart of the modem (MTS-MISC-14).
        """
        async with self._lock:
            await self._execute("AT#DELFLASH")
            await self._execute("AT+CFUN=1,1")
            await deferLater(self.client.clock, RESTART)
        await self.open()

    # -- the network

    async def register(
        self,
        services: Sequence[Registration] = (Registration.GPRS,),
        pin: Secret | None = None,
        patience: float = 120.0,
    ) -> None:
        """
        Wait until the network has taken the modem, as a connection needs it (MTS-REG-05).

        @param services: all that is needed; for GPRS the modem is told to attach.
        @param pin: for a SIM card that wants one.
        @param patience: seconds that it may take.
        @raise NotRegistered: it took longer.
        @raise Misuse: the card wants a PIN, and none is given.
        """
        async with self._lock:
            await self._unlock(pin)
            end = self.client.clock.seconds() + patience
            for service in services:
                await self._execute(f"AT{service.value}=1")
                if service is Registration.GPRS:
                    await self._attach(end)
                await self._registered(service, end)

    async def _attach(self, end: float) -> None:
        """
        Have the modem attach, which it can't before it has found a network.
        """
        clock = self.client.clock
        while True:
            try:
                await self._execute("AT+CGATT=1", max(end - clock.seconds(), GREETING))
            except CommandFailed as error:
                left = end - clock.seconds()
                if left <= 0:
                    raise NotRegistered(error.command, errors.NOT_REGISTERED) from error
                await deferLater(clock, min(REGISTRATION_POLL, left))
            else:
                return

    async def _unlock(self, pin: Secret | None) -> None:
        answer = await self._execute("AT+CPIN?")
        if any("SIM PIN" in line for line in answer.lines):
            if pin is None:
                raise Misuse("the SIM card wants its PIN")
            await self._execute(f"AT+CPIN={pin.reveal()}")

    async def _registered(self, service: Registration, end: float) -> None:
        line = f"AT{service.value}?"
        changed: Deferred[None] = Deferred()

        def told(notice: str) -> None:
            if not changed.called:
                changed.callback(None)

        while True:
            changed = Deferred()
            forget = self.client.onNotice(service.value, told)
            try:
                answer = await self._execute(line)
                stats = [found.group(1) for each in answer.lines if (found := _STAT(each)) is not None]
                if stats and stats[-1] in (_HOME, _ROAMING):
                    return
                left = end - self.client.clock.seconds()
                if left <= 0:
                    raise NotRegistered(line, errors.NOT_REGISTERED)
                wake = self.client.clock.callLater(min(REGISTRATION_POLL, left), told, "")
                try:
                    await changed
                finally:
                    if wake.active():
                        wake.cancel()
            finally:
                forget()

    # -- the connection

    async def connect(self, progress: Callable[[str], object] | None = None, patience: float = CONNECTION_WAIT) -> str:
        """
        Connect by GPRS, with the access point of the parameters; C{GPRSMODE} must be 1, as it is at first.

        Cancelling it ends the attempt.

        @param progress: hears each line that the modem tells on the way, the address among them.
        @param patience: seconds that it may take.
        @return: the address that the modem has got, in dotted form.
        @raise ConnectionFailed: it can't be made, or was ended by L{disconnect}; other errors tell what is missing.
        """
        async with self._lock:
            return await self._start(progress, patience)

    async def _start(self, progress: Callable[[str], object] | None, patience: float) -> str:
        def told(line: str) -> int:
            if progress is not None:
                with self._log.failuresHandled("a listener for the progress of a connection failed"):
                    progress(line)
            return 0

        started = self.client.execute(_START, patience, block=told)
        self._isStarting = True
        try:
            answer = await started
        except CommandFailed as error:
            raise asMultitechError(error) from None
        except (CancelledError, CommandTimeout):
            # the modem must not go on trying behind our back
            if not self.client.interrupt(_START, _STOP):
                self.client.execute(_STOP).addErrback(lambda _: None)
            raise
        finally:
            self._isStarting = False
        addresses = [line for line in answer.lines if isAddress(line)]
        if messageOf(answer.result) is None:
            # it is the OK of what has stopped it
            raise ConnectionFailed(_START, errors.ACTIVATION_FAILED)
        if not addresses:
            raise PeerViolation("the modem has connected, and tells no address")
        return addresses[-1].strip()

    async def disconnect(self) -> None:
        """
        End the connection, or an attempt to make it; nothing happens if there is none.
        """
        if self._isStarting:
            self.client.interrupt(_START, _STOP)
        async with self._lock:
            if await self._state() in (State.IDLE, State.NO_SERVICE):
                return
            try:
                await self._execute(_STOP)
            except NoConnection:
                # it has ended meanwhile
                return

    async def state(self) -> State:
        """
        How far the connection is.
        """
        async with self._lock:
            return await self._state()

    async def _state(self) -> State:
        return readState((await self._execute("AT#VSTATE")).lines)

    async def addresses(self) -> Addresses:
        """
        The two ends of the connection (MTS-DISP-20).

        @raise NoConnection: there is none.
        """
        async with self._lock:
            return readAddresses((await self._execute("AT#DISPLAYIP")).lines)

    def onEnd(self, callback: Callable[[ConnectionEnded], object]) -> Callable[[], None]:
        """
        Hear that the connection has ended by itself, and why: lost, or idle for too long. Failures are logged.

        @return: a function that ends the subscription.
        """

        def listener(error: ConnectionEnded) -> None:
            callback(error)

        self._onEnd.append(listener)

        def cancel() -> None:
            if listener in self._onEnd:
                self._onEnd.remove(listener)

        return cancel

    def judged(self, failure: CommandFailed) -> CommandFailed:
        """
        An error of a command by its kind. Where it tells of the end of the connection, who wants to hear of that does.
        """
        error = super().judged(failure)
        if isinstance(error, ConnectionEnded):
            self._ended(error)
        return error

    def _told(self, notice: str) -> None:
        reason = errorOf(notice) or reasonOf(notice.encode("latin-1"))
        if reason in _ENDINGS:
            self._ended(ConnectionEnded("", reason))

    def _ended(self, error: ConnectionEnded) -> None:
        for listener in tuple(self._onEnd):
            with self._log.failuresHandled("a listener for the end of a connection failed"):
                listener(error)

    async def ping(self, remote: str | None = None, count: int | None = None, gap: int | None = None) -> list[Echo]:
        """
        Send echo requests over the connection, and wait for the replies.

        @param remote: a name or an address; C{None}: as C{PINGREMOTE} is. This and the others are kept by the modem.
        @param count: how many, 1 to 255 (C{PINGNUM}).
        @param gap: seconds between two, and for each reply (C{PINGDELAY}).
        @return: what became of each; a request without a reply is no error (MTS-PING-08).
        @raise NameUnknown: the name can't be resolved.
        """
        wanted: dict[Key, Value | None] = {"PINGREMOTE": remote, "PINGNUM": count, "PINGDELAY": gap}
        await self.configure({key: value for key, value in wanted.items() if value is not None})
        shown = await self.show("VPING")
        seconds = NAME_WAIT
        if isinstance(number := shown.get("PINGNUM"), int) and isinstance(delay := shown.get("PINGDELAY"), int):
            seconds += 2.0 * number * delay
        async with self._lock:
            return readEchoes((await self._execute("AT#PING", seconds)).lines)
