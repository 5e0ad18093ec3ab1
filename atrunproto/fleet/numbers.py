"""
The telephone numbers of modules: which there are, and whose. A module whose IMEI nobody knows is asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from atrunproto.at.errors import ATError, LinkLost
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import TIMEOUT

from .gateway import Gateway, SMSLink
from .links import Identity, Reached, identify
from .mobile import Mobile
from .roster import MAX_MODULES, Module, Roster
from .store import NumberRecord, Store

#: what is stored before a module is asked, so that a host that dies meanwhile does not ask, and pay, again
ASKED = "it was asked, and has not answered"


class NumbersFull(Exception):
    """
    There is no room for another number, or for its module.
    """


class Numbers:
    """
    Mobiles by their number.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: Store,
        roster: Roster,
        gateway: Gateway,
        onReachable: Callable[[Module], None],
    ) -> None:
        """
        @param onReachable: called with each module that has got a number.
        """
        self._clock = clock
        self._store = store
        self._roster = roster
        self._gateway = gateway
        self._onReachable = onReachable
        self._mobiles: dict[str, Mobile] = {}

    def restore(self, records: list[NumberRecord]) -> None:
        """
        Take over the numbers that the store knows, and ask those that were never asked.
        """
        for record in records:
            self._enter(Mobile.restored(record))

    def __len__(self) -> int:
        return len(self._mobiles)

    def __iter__(self) -> Iterator[Mobile]:
        return iter(self._mobiles.values())

    def get(self, number: str) -> Mobile | None:
        """
        Find what is known of a number.
        """
        return self._mobiles.get(number)

    async def add(self, number: str, imei: str = "", password: Password | None = None) -> Mobile:
        """
        Make a number known, or change what is known of it; a module has one number, and keeps the latest.

        @param imei: empty: what is known already, or else the module is asked for it.
        @param password: of digest messages; C{None}: simple ones.
        @raise NumbersFull: there is no room.
        """
        known = self._mobiles.get(number)
        if known is not None:
            imei = imei or known.imei
            if imei and (known.imei, known.password) == (imei, password):
                return known
        if (known is None and len(self._mobiles) >= MAX_MODULES) or (imei and not self._roster.hasRoomFor(imei)):
            raise NumbersFull(f"{MAX_MODULES} modules are known, there is no room for more")
        mobile = Mobile(number, imei, password)
        await self._store.saveNumber(mobile.record())
        self._enter(mobile)
        return mobile

    async def remove(self, mobile: Mobile) -> None:
        """
        Forget a number. Its module stays known.
        """
        await self._store.removeNumber(mobile.number)
        self._forget(mobile)

    def _enter(self, mobile: Mobile) -> None:
        older = self._mobiles.get(mobile.number)
        if older is not None:
            self._forget(older)
        self._mobiles[mobile.number] = mobile
        if not mobile.imei:
            self._ask(mobile)
            return
        if self._roster.get(mobile.imei) is None:
            self._roster.note(Identity(mobile.imei, "", ""), "", "")
        self._bind(mobile)

    def _forget(self, mobile: Mobile) -> None:
        if self._mobiles.get(mobile.number) is mobile:
            del self._mobiles[mobile.number]
        module = self._roster.get(mobile.imei)
        if module is not None and module.mobile is mobile:
            module.mobile = None
        self._gateway.forget(mobile, "its number was changed or removed")

    def _bind(self, mobile: Mobile) -> None:
        """
        Give a module its number.
        """
        module = self._roster.expect(mobile.imei)
        older = module.mobile
        if older is not None and older is not mobile:
            self._forget(older)
        module.mobile = mobile
        self._onReachable(module)

    # Asking

    def _ask(self, mobile: Mobile) -> None:
        if mobile.imei or mobile.error:
            return
        link = self._gateway.linkTo(mobile, partial(self._ask, mobile))
        if link is None:
            return
        link.running = Deferred.fromCoroutine(self._introduce(mobile, link))
        link.running.addErrback(
            lambda failure: self._log.failure("asking the module at {number}", failure, number=mobile.number)
        )

    async def _introduce(self, mobile: Mobile, link: SMSLink) -> None:
        mobile.error = ASKED
        try:
            await self._store.saveNumber(mobile.record())
            if link.closing:
                raise LinkLost("AT+CGSN", False)
            self._identified(mobile, await identify(link.client, self._clock, TIMEOUT))
        except LinkLost as lost:
            mobile.error = str(lost) if lost.sent else ""
        except CancelledError:
            mobile.error = link.closing
        except ATError as error:
            mobile.error = str(error)
        finally:
            link.running = None
            link.release()
        if self._mobiles.get(mobile.number) is not mobile:
            return
        await self._store.saveNumber(mobile.record())
        if mobile.imei:
            self._bind(mobile)
        elif mobile.error:
            self._log.warn("the module at {number} is not known: {error}", number=mobile.number, error=mobile.error)
        else:
            self._ask(mobile)

    def _identified(self, mobile: Mobile, identity: Identity) -> None:
        isNew = self._roster.get(identity.imei) is None
        if isNew and self._roster.note(identity, mobile.number, Reached.SMS) is None:
            mobile.error = "the roster is full"
            return
        mobile.imei, mobile.error = identity.imei, ""
        self._log.info(
            "module {imei} ({model}) at {number}", imei=identity.imei, model=identity.model, number=mobile.number
        )
