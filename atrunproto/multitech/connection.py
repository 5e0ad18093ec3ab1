"""
The connection to the Internet of a Multi-Tech modem, by GPRS: how it is started, kept, and ended.

AT#CONNECTIONSTART leaves its port in command mode, so that AT#CONNECTIONSTOP and AT#VSTATE can be sent meanwhile; what
comes of it is told when it is known (A).
Source: reference guide S000333C, chapter 2 and appendix B; MTS-CALL, MTS-DIAL-10, MTS-DNS, MTS-ERR-06 to MTS-ERR-12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import CME, ErrorFamily, Reason, refuse

from .errors import (
    ACTIVATION_ABORTED,
    ACTIVATION_FAILED,
    FLOW_CLOSING_FAILED,
    GPRS_LOST,
    INACTIVE,
    NO_LINK,
    NO_RESOURCE,
    NOT_REGISTERED,
    Message,
    message,
)
from .lifecycle import Input, follow
from .names import resolve
from .parameters import Parameters
from .stack import Stack, State

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    from .surroundings import MultitechSurroundings

#: #GPRSMODE
GSM, GPRS = 0, 1

#: what the network answers, to what the modem makes of it; everything else is L{ACTIVATION_FAILED} (MTS-GAP-68)
_REFUSALS = {CME[567]: ACTIVATION_ABORTED}

Lost = Callable[[Reason | None], None]


class Connection:
    """
    The connection of one module; it is the L{Link<atrunproto.multitech.stack.Link>} of its stack.

    @ivar state: how far it is, one of L{STATES<atrunproto.multitech.lifecycle.STATES>}.
    @ivar cid: the context that it uses, or used last.
    """

    _log = Logger()

    __slots__ = (
        "_attempt",
        "_host",
        "_idleCall",
        "_module",
        "_release",
        "_stopped",
        "_touched",
        "_watchers",
        "cid",
        "parameters",
        "state",
    )

    def __init__(self, module: MultitechSurroundings) -> None:
        self._module = module
        self.parameters = Parameters(module.settings)
        self.state = State.IDLE
        self.cid = 1
        self._host: ATInstance | None = None
        self._attempt: Deferred[None] | None = None
        self._release: IDelayedCall | None = None
        self._idleCall: IDelayedCall | None = None
        self._stopped: list[Deferred[None]] = []
        self._watchers: list[Lost] = []
        self._touched = 0.0
        module.watchContexts(self._contextChanged)
        module.part(Stack).link = self

    # -- what services ask for

    @property
    def address(self) -> str | None:
        """
        The address of the modem while it is connected, in dotted form.
        """
        return self._module.address(self.cid) if self.state is State.CONNECTED else None

    async def resolve(self, name: str) -> str:
        """
        The address of a host, in dotted form.

        @raise CommandFailed: no server answers, or it doesn't know the name (38027); there is no connection any more
            (35867).
        """
        found = await resolve(self._module, self.parameters, self.cid, name)
        if self.address is None:
            raise refuse(NO_LINK)
        self.touch()
        return found

    def watch(self, lost: Lost) -> Callable[[], None]:
        """
        Hear once of the end of this connection; see L{Link<atrunproto.multitech.stack.Link>}.
        """
        self._watchers.append(lost)

        def forget() -> None:
            if lost in self._watchers:
                self._watchers.remove(lost)

        return forget

    def touch(self) -> None:
        """
        Octets went in either direction.
        """
        self._touched = self._module.clock.seconds()

    def drop(self) -> None:
        """
        End the connection at once, with nothing to tell: the stack was closed, or the power goes.
        """
        self._end(Input.CUT, None)

    # -- commands

    @property
    def addresses(self) -> list[str]:
        """
        The lines of AT#DISPLAYIP.

        @raise CommandFailed: there is no connection (35867).
        """
        address = self._module.part(Stack).needLink().address
        return [f"MY IP: {address}", f"Gateway IP: {self._module.gateway}"]

    def start(self, at: ATInstance) -> None:
        """
        Begin; what comes of it is told to the instance: the address and the message of success, or an error.

        @raise CommandFailed: there is a connection (35840), no network (35865), no access point or telephone number is
            set (36929), or the connection is to be a data call, which isn't emulated (36872).
        """
        following = follow(self.state, Input.START)
        module, parameters = self._module, self.parameters
        if not module.isRegistered:
            raise refuse(NOT_REGISTERED)
        if parameters["GPRSMODE"] == GSM:
            parameters.needed(f"DIALN{parameters['DIALSELECT']}")
            raise refuse(NO_RESOURCE)
        if not module.isAttached:
            raise refuse(NOT_REGISTERED)
        apn = parameters.needed("APNSERV")
        self.state, self.cid, self._host = following, parameters["GPRSCID"], at
        attempt = self._attempt = Deferred.fromCoroutine(
            module.openContext(self.cid, apn, parameters["APNUN"], parameters["APNPW"])
        ).addCallbacks(self._up, self._failed)
        attempt.addErrback(lambda failure: self._log.failure("the connection could not be started", failure))

    def stop(self, at: ATInstance) -> Deferred[None]:
        """
        End it, or the attempt to start it.

        @return: fires when the line is released.
        @raise CommandFailed: there is none (35867); (by the Deferred) something fails inside (49154).
        """
        over: Deferred[None] = Deferred()
        host, isStarting = self._host, self.state is State.CHECKING
        follow(self.state, Input.STOP)
        self._stopped.append(over)
        self._end(Input.STOP, None)
        if isStarting and host is not None and host is not at:
            # who waits for the start at another port shall wait no longer (A)
            host.notify(ACTIVATION_FAILED)
        return over

    # -- what comes of an attempt

    def _up(self, address: str) -> None:
        self._attempt = None
        self.state = follow(self.state, Input.UP)
        self.awaitTraffic()
        if self._host is not None:
            self._host.notify(address)
            self._host.notify(message(self._module, Message.GPRS_ACTIVATION))

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) or self.state is not State.CHECKING:
            return
        self._attempt = None
        self.state = follow(self.state, Input.FAILED)
        reason = ACTIVATION_FAILED
        if isinstance(failure.value, CommandFailed):
            given = failure.value.reason
            reason = given if given.family is ErrorFamily.MULTITECH else _REFUSALS.get(given, ACTIVATION_FAILED)
        else:
            self._log.failure("the connection could not be started", failure)
        if self._host is not None:
            self._host.notify(reason)

    # -- the end

    def _contextChanged(self, cid: int, address: str | None) -> None:
        if cid == self.cid and address is None:
            self._end(Input.LOST, self._module.generation.told(GPRS_LOST))

    def awaitTraffic(self) -> None:
        """
        The time of inactivity begins anew, where there is a connection; a new #PHYTIMEOUT is in force from now on (A).
        """
        if self.state is State.CONNECTED:
            self.touch()
            if self._idleCall is not None:
                self._idleCall.cancel()
            self._idle()

    def _idle(self) -> None:
        self._idleCall = None
        left = self._touched + 60.0 * self.parameters["PHYTIMEOUT"] - self._module.clock.seconds()
        if left > 0:
            self._idleCall = self._module.clock.callLater(left, self._idle)
        else:
            self._end(Input.INACTIVE, INACTIVE)

    def _end(self, happened: Input, reason: Reason | None) -> None:
        """
        Let go of what the state of before had, tell who watches, and release the line.

        @param reason: what is told; C{None}: nothing.
        """
        before, self.state = self.state, follow(self.state, happened)
        if self.state is before:
            return
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        if self._idleCall is not None:
            self._idleCall.cancel()
            self._idleCall = None
        if before is State.CONNECTED:
            self._tell(reason)
        if self.state is State.DISCONNECTING:
            seconds = self._module.duration("#CONNECTIONSTOP")
            self._release = self._module.clock.callLater(seconds, self._end, Input.RELEASED, None)
            return
        if self._release is not None and self._release.active():
            self._release.cancel()
        self._release = None
        self._module.deactivateContext(self.cid)
        stopped, self._stopped = self._stopped, []
        for over in stopped:
            if over.called:
                continue
            if self._module.releaseFails:
                # the line is released all the same (A)
                over.errback(refuse(FLOW_CLOSING_FAILED))
            else:
                over.callback(None)

    def _tell(self, reason: Reason | None) -> None:
        """
        Tell the end of the connection to whoever watches it, or else to the host that has started it.
        """
        watchers, self._watchers = self._watchers, []
        for lost in watchers:
            lost(reason)
        if not watchers and reason is not None and self._host is not None:
            self._host.notify(reason)
