"""
The host: the parts of the fleet put together, as one service.
"""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .dispatcher import Dispatcher
from .ledger import Ledger
from .links import MAX_STRANGERS, Reception
from .roster import Roster
from .store import Store


class Host(Service):
    """
    Knows modules, takes connections from L{Reception.dialledIn} and L{Reception.dialledOut}, and runs jobs.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: Store, maxStrangers: int = MAX_STRANGERS) -> None:
        self.clock = clock
        self.store = store
        self.ledger = Ledger(clock, store)
        self.roster = Roster(clock, self.ledger, lambda module: self.dispatcher.next(module))
        self.dispatcher = Dispatcher(clock, store, self.ledger, self.roster)
        self.reception = Reception(clock, self.roster, maxStrangers)

    def startService(self) -> None:
        """
        Open the store and take up what the last run left.

        @raise StoreError: if the store cannot be used.
        """
        restored = self.store.open(self.clock.seconds())
        super().startService()
        self.roster.restore(restored.modules)
        self.dispatcher.resume(restored.executions)
        self._log.info("the store knows {count} modules", count=len(self.roster))

    def stopService(self) -> Deferred[None]:
        """
        Close the links, store what was in flight as unknown, and close the store.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self.dispatcher.stop()
        await self.reception.stop()
        await self.ledger.whenIdle()
        await self.store.close()
        self._log.info("the host has ended")
