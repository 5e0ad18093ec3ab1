"""
Packet-data contexts: which are active, with which address, and how they come back by themselves.

Source: reference 5; IP Easy User Guide 3.2.1.3; TEL-ACT, TEL-CTX, TEL-CFG-03 to -05, TEL-EXT-13, TEL-EXT-14.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater

from atrunproto.at.module import ATInstance
from atrunproto.at.results import CME, PLAIN_ERROR, Reason, refuse

from .network import AccessPoint
from .radio import Radio

if TYPE_CHECKING:
    from .module import EmulatedModule

#: contexts active at a time (TEL-CTX-03)
ACTIVE_AT_ONCE = 2
#: the circuit-switched context, where a product has it
GSM_CONTEXT = 0

#: called with the cid and the address that it has now; C{None}: it is no longer active
Watcher = Callable[[int, str | None], None]


class Contexts:
    """
    The contexts of one module.

    @ivar active: cid to address of those that IP Easy may use.
    @ivar external: cids activated by +CGACT; IP Easy can't use them (TEL-ACT-06).
    """

    __slots__ = ("_attached", "_attempts", "_calls", "_module", "_pending", "_watchers", "active", "external")

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        self._watchers: list[Watcher] = []
        self.active: dict[int, str] = {}
        self.external: tuple[int, ...] = ()
        self._pending: tuple[int, ...] = ()
        self._attempts: dict[int, int] = {}
        self._calls: dict[int, IDelayedCall] = {}
        self._attached = False
        module.part(Radio).watch(self._radioChanged)

    def watch(self, watcher: Watcher) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """
        self._watchers.append(watcher)

    def address(self, cid: int) -> str | None:
        """
        The address of a context that IP Easy may use, or C{None}.
        """
        return self.active.get(cid)

    def powerOff(self) -> None:
        """
        Everything ends; nothing comes back before the next power-on.
        """
        self._forget()
        self._attached = False
        for cid in list(self.active):
            self._end(cid)
        self.external = ()

    def _forget(self) -> None:
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()
        self._attempts.clear()
        self._pending = ()

    def isDefined(self, cid: int) -> bool:
        """
        Whether +CGDCONT, or for the GSM context #GSMCONT, has defined it.
        """
        if cid == GSM_CONTEXT:
            rows = self._module.commands.rows
            return "#GSMCONT" in rows and bool(self._module.settings.value("#GSMCONT definition"))
        return self._module.settings.defined("+CGDCONT", cid)

    @property
    def defined(self) -> list[int]:
        """
        The defined contexts.
        """
        return [cid for cid in range(1, 6) if self.isDefined(cid)]

    def problem(self, cid: int) -> Reason | None:
        """
        Why a context can't be activated now, or C{None}.
        """
        module = self._module
        if cid in self.active:
            return CME[553]
        if cid in self._pending:
            return CME[551]
        if not self.isDefined(cid) or not module.isTied(cid):
            return PLAIN_ERROR
        reason = module.sim.problem()
        if reason is not None:
            return reason
        radio = module.part(Radio)
        if cid == GSM_CONTEXT:
            return PLAIN_ERROR if self.active or not radio.isRegistered else None
        if GSM_CONTEXT in self.active or len({*self.active, *self.external, *self._pending} - {cid}) >= ACTIVE_AT_ONCE:
            return CME[555]
        return None if radio.isAttached else CME[30]

    async def activate(self, at: ATInstance, cid: int, user: str = "", password: str = "") -> str:
        """
        Activate a context and give its address.

        @param user: for the access point, where it asks for one.
        @raise CommandFailed: it can't be, or the network refuses.
        """
        reason = self.problem(cid)
        if reason is not None:
            raise refuse(reason)
        self._pending += (cid,)
        try:
            await at.takes("#SGACT")
            address = self._grant(cid, user, password)
        finally:
            self._pending = _without(self._pending, cid)
        self._begin(cid, address)
        return address

    async def activateExternal(self, at: ATInstance, cids: Sequence[int]) -> None:
        """
        Activate contexts for other uses than IP Easy (+CGACT).

        @raise CommandFailed: one of them can't be.
        """
        new = [cid for cid in cids if cid not in self.active and cid not in self.external]
        if not self._module.radio.isAttached:
            raise refuse(CME[30])
        if len(self.active) + len(self.external) + len(new) > ACTIVE_AT_ONCE:
            raise refuse(CME[555])
        await at.takes("+CGACT")
        if not self._module.radio.isAttached:
            raise refuse(CME[30])
        self.external += tuple(cid for cid in dict.fromkeys(new) if cid not in self.external)

    def _grant(self, cid: int, user: str = "", password: str = "") -> str:
        module = self._module
        if cid == GSM_CONTEXT:
            if not module.part(Radio).isRegistered:
                raise refuse(CME[30])
            address = module.network.address(module, cid)
        else:
            _, apn, static, *_ = module.settings.get("+CGDCONT", cid)
            static = ".".join(str(int(part)) for part in static.split(".") if part)
            self._admit(module.network.accessPoint(apn), user, password)
            address = module.network.address(module, cid, static)
        if address is None:
            raise refuse(CME[555])
        return address

    def _admit(self, point: AccessPoint | None, user: str, password: str) -> None:
        """
        See whether the network takes a context.

        @raise CommandFailed: there is no network (30), or it doesn't take the access point with this login (567).
        """
        if not self._module.part(Radio).isAttached:
            raise refuse(CME[30])
        if point is None or not point.admits(user, password):
            raise refuse(CME[567])

    async def open(self, cid: int, apn: str, user: str, password: str) -> str:
        """
        Activate a context with an access point of its own, which +CGDCONT has no part in, and give its address.

        @raise CommandFailed: the network refuses.
        """
        module, network = self._module, self._module.network
        point = network.accessPoint(apn)
        seconds = module.duration("#CONNECTIONSTART") + (point.seconds if point is not None else 0.0)
        if seconds > 0:
            await deferLater(module.clock, seconds)
        if network.refusal is not None:
            raise refuse(network.refusal)
        self._admit(point, user, password)
        address = network.address(module, cid)
        if address is None:
            raise refuse(CME[555])
        self._begin(cid, address)
        return address

    def _begin(self, cid: int, address: str) -> None:
        self.active[cid] = address
        self.external = _without(self.external, cid)
        self._stopAttempts(cid)
        for watcher in tuple(self._watchers):
            watcher(cid, address)

    def _end(self, cid: int) -> None:
        address = self.active.pop(cid, None)
        if address is None:
            return
        if self._module.network.assigned.get((self._module, cid)) != address:
            self._module.network.pool.free(address)
        for watcher in tuple(self._watchers):
            watcher(cid, None)

    def deactivate(self, cid: int) -> None:
        """
        End a context at the user's wish: it does not come back by itself.
        """
        self._stopAttempts(cid)
        self.external = _without(self.external, cid)
        self._end(cid)

    def lose(self, cid: int) -> None:
        """
        The network ends a context; automatic activation brings it back (TEL-CFG-05).
        """
        if cid in self.active or cid in self.external:
            self.external = _without(self.external, cid)
            self._end(cid)
            self._attempt(cid)

    def _radioChanged(self) -> None:
        radio = self._module.part(Radio)
        if not radio.isRegistered:
            self._end(GSM_CONTEXT)
        attached = radio.isAttached
        if attached == self._attached:
            return
        self._attached = attached
        if attached:
            for cid in self.defined:
                if cid not in self.active:
                    self._attempt(cid)
        else:
            self._forget()
            self.external = ()
            for cid in [cid for cid in self.active if cid != GSM_CONTEXT]:
                self._end(cid)

    # -- automatic activation

    def _attempt(self, cid: int) -> None:
        """
        Begin the attempts of #SGACTCFG: the first at once, the others at its pace (the first one: assumed).
        """
        settings = self._module.settings
        retries = settings.get("#SGACTCFG values", cid)[0] if settings.has("#SGACTCFG values") else 0
        if retries and self._module.part(Radio).isAttached and cid not in self._calls:
            self._attempts[cid] = retries
            self._calls[cid] = self._module.clock.callLater(self._module.duration("#SGACT"), self._try, cid)

    def _try(self, cid: int) -> None:
        del self._calls[cid]
        self._attempts[cid] -= 1
        reason = self.problem(cid)
        if reason is None:
            try:
                address = self._grant(cid)
            except Exception as error:
                reason = getattr(error, "reason", PLAIN_ERROR)
            else:
                self._begin(cid, address)
                self._announce(cid, address)
                return
        if self._attempts.get(cid):
            delay = self._module.settings.get("#SGACTCFG values", cid)[1]
            self._calls[cid] = self._module.clock.callLater(delay, self._try, cid)
        else:
            self._attempts.pop(cid, None)

    def _announce(self, cid: int, address: str) -> None:
        def tell(at: ATInstance) -> None:
            if at.settings.value("#SGACTCFG urcmode", cid):
                at.notify(f"#SGACT: {address}")

        self._module.switchboard.forEach(tell)

    def _stopAttempts(self, cid: int) -> None:
        self._attempts.pop(cid, None)
        call = self._calls.pop(cid, None)
        if call is not None:
            call.cancel()


def _without(cids: tuple[int, ...], cid: int) -> tuple[int, ...]:
    """
    All of these but one.
    """
    return tuple(each for each in cids if each != cid)
