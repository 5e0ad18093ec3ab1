"""
The host: the parts of the fleet put together, as one service.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .dispatcher import Dispatcher
from .gateway import Gateway
from .ledger import Ledger
from .links import MAX_STRANGERS, Reception
from .mobile import Mobile
from .numbers import Numbers, NumbersFull
from .roster import Roster
from .store import Store


class Host(Service):
    """
    Knows modules, takes connections from L{Reception.dialledIn} and L{Reception.dialledOut}, and runs jobs.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: Store,
        maxStrangers: int = MAX_STRANGERS,
        gateway: str = "",
        mobiles: Sequence[Mobile] = (),
    ) -> None:
        """
        @param gateway: where the modem for short messages is; empty: there is none.
        @param mobiles: numbers that are added to those in the store.
        """
        self.clock = clock
        self.store = store
        self.ledger = Ledger(clock, store)
        self.roster = Roster(clock, self.ledger, lambda module: self.dispatcher.next(module))
        self.gateway = Gateway(clock, gateway)
        self.dispatcher = Dispatcher(clock, store, self.ledger, self.roster, self.gateway)
        self.numbers = Numbers(clock, store, self.roster, self.gateway, self.dispatcher.next)
        self._mobiles = mobiles
        self.reception = Reception(clock, self.roster, maxStrangers)

    def startService(self) -> None:
        """
        Open the store and take up what the last run left.

        @raise StoreError: if the store cannot be used.
        """
        restored = self.store.open(self.clock.seconds())
        super().startService()
        self.roster.restore(restored.modules)
        self.numbers.restore(restored.numbers)
        Deferred.fromCoroutine(self._addMobiles()).addErrback(
            lambda failure: self._log.failure("adding the numbers of the configuration", failure)
        )
        self.dispatcher.resume(restored.executions)
        self._log.info("the store knows {count} modules", count=len(self.roster))

    async def _addMobiles(self) -> None:
        for mobile in self._mobiles:
            known = self.numbers.get(mobile.number)
            if known is not None and not mobile.imei and known.password == mobile.password:
                # Also one that did not tell its IMEI: it is not asked, and paid for, at every start.
                continue
            try:
                await self.numbers.add(mobile.number, mobile.imei, mobile.password)
            except NumbersFull as full:
                self._log.warn("{number} is not added: {full}", number=mobile.number, full=str(full))

    def stopService(self) -> Deferred[None]:
        """
        Close the links, store what was in flight as unknown, and close the store.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.dispatcher.stop()
        self.gateway.stop()
        await self.reception.stop()
        await self.ledger.whenIdle()
        await self.store.close()
        self._log.info("the host has ended")
