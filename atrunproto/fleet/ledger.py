"""
The ledger: what has changed and is not on disk yet, committed in batches.

One transaction is under way at a time; whatever changes meanwhile goes with the next. So a lone command is stored at
once, and ten thousand answers share a few transactions, without a timer and without a size to tune.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from .executions import Execution
from .store import ModuleRecord, Store

#: rows in one transaction; it bounds the time for which the next claims wait (about 15 ms)
BATCH_ROWS = 1000
#: seconds until a transaction that failed is tried again (disk full, file locked by a shell)
RETRY_SECONDS = 1.0


class Ledger:
    """
    Brings executions and modules to the store.

    A store that fails holds up the work and loses none: nothing is sent before its claim is stored.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, store: Store) -> None:
        self._clock = clock
        self._store = store
        self._executions: dict[Execution, list[Deferred[None]]] = {}
        self._modules: dict[str, ModuleRecord] = {}
        self._busy = False
        self._idle: list[Deferred[None]] = []
        #: whether the last transaction failed
        self.failing = False

    def write(self, execution: Execution) -> Deferred[None]:
        """
        Have an execution stored as it stands at the time of the next commit.

        @return: fires when it is on disk.
        """
        written: Deferred[None] = Deferred()
        self._executions.setdefault(execution, []).append(written)
        self._wake()
        return written

    def writeModule(self, module: ModuleRecord) -> None:
        """
        Have a module stored with the next commit.
        """
        self._modules[module.imei] = module
        self._wake()

    def whenIdle(self) -> Deferred[None]:
        """
        Fire when everything written so far, and what follows from that, is on disk.
        """
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        self._wake()
        return idle

    def _wake(self) -> None:
        if not self._busy:
            self._busy = True
            self._clock.callLater(0, self._commit)

    def _commit(self) -> None:
        executions = list(islice(self._executions, BATCH_ROWS))
        modules = [self._modules[imei] for imei in islice(self._modules, BATCH_ROWS)]
        if not executions and not modules:
            self._busy = False
            idle, self._idle = self._idle, []
            for waiting in idle:
                waiting.callback(None)
            return
        written = [self._executions.pop(execution) for execution in executions]
        for module in modules:
            del self._modules[module.imei]
        self._store.save(executions, modules).addCallbacks(
            self._committed,
            self._failed,
            callbackArgs=(written,),
            errbackArgs=(dict(zip(executions, written, strict=True)), modules),
        )

    def _committed(self, _: None, written: Iterable[list[Deferred[None]]]) -> None:
        if self.failing:
            self.failing = False
            self._log.info("the store takes changes again")
        # What has come meanwhile goes to the store before the callbacks run: it writes while they send commands.
        ahead = bool(self._executions or self._modules)
        if ahead:
            self._commit()
        for waiting in written:
            for deferred in waiting:
                deferred.callback(None)
        if not ahead:
            self._commit()

    def _failed(
        self, failure: Failure, executions: dict[Execution, list[Deferred[None]]], modules: list[ModuleRecord]
    ) -> None:
        self.failing = True
        self._log.error(
            "the store failed, next try in {seconds} s: {error}", seconds=RETRY_SECONDS, error=failure.getErrorMessage()
        )
        for execution, waiting in executions.items():
            self._executions[execution] = waiting + self._executions.get(execution, [])
        for module in modules:
            self._modules.setdefault(module.imei, module)
        self._clock.callLater(RETRY_SECONDS, self._commit)
