"""
The roster: every module that the host knows, by IMEI, and the link over which it can be reached just now.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .executions import Execution
from .ledger import Ledger
from .store import ModuleRecord

if TYPE_CHECKING:
    from .links import Identity, Link
    from .mobile import Mobile

#: modules that the roster holds; a new one beyond is sent away, so that invented IMEIs cannot fill the store
MAX_MODULES = 100_000


class Module:
    """
    One module, connected or not.
    """

    __slots__ = ("address", "firstSeen", "imei", "lastSeen", "link", "mobile", "model", "queue", "reached", "revision")

    def __init__(self, record: ModuleRecord) -> None:
        self.imei = record.imei
        # Thousands of modules share a few models.
        self.model = sys.intern(record.model)
        self.revision = sys.intern(record.revision)
        self.address = record.address
        self.reached = record.reached
        self.firstSeen = record.firstSeen
        self.lastSeen = record.lastSeen
        self.link: Link | None = None
        #: its telephone number, where it is known
        self.mobile: Mobile | None = None
        #: executions that wait for the module, oldest first; C{None} while there are none
        self.queue: deque[Execution] | None = None

    def record(self) -> ModuleRecord:
        """
        Give what the store keeps of it.
        """
        return ModuleRecord(
            self.imei, self.model, self.revision, self.address, self.reached, self.firstSeen, self.lastSeen
        )


class Roster:
    """
    Modules by IMEI.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, ledger: Ledger, onConnected: Callable[[Module], None]) -> None:
        """
        @param onConnected: called with each module that has got a link.
        """
        self._clock = clock
        self._ledger = ledger
        self._onConnected = onConnected
        self._modules: dict[str, Module] = {}
        #: modules that have a link
        self.connected = 0

    def restore(self, records: list[ModuleRecord]) -> None:
        """
        Take over the modules that the store knows.
        """
        for record in records:
            self._modules[record.imei] = Module(record)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def get(self, imei: str) -> Module | None:
        """
        Find a module.
        """
        return self._modules.get(imei)

    def expect(self, imei: str) -> Module:
        """
        Find a module that has a job; make it anew if the host died after the job was stored and before the module was.
        """
        module = self._modules.get(imei)
        if module is None:
            now = self._clock.seconds()
            module = self._modules[imei] = Module(ModuleRecord(imei, "", "", "", "", now, now))
        return module

    def note(self, identity: Identity, address: str, reached: str) -> Module | None:
        """
        Write down what a module has told of itself.

        @param address: where it is; empty, as C{reached}: it was never reached.
        @return: C{None} if the module is new and the roster full.
        """
        now = self._clock.seconds()
        module = self._modules.get(identity.imei)
        if module is None and not self.hasRoomFor(identity.imei):
            return None
        firstSeen = now if module is None else module.firstSeen
        record = ModuleRecord(identity.imei, identity.model, identity.revision, address, reached, firstSeen, now)
        if module is None:
            module = self._modules[identity.imei] = Module(record)
        else:
            module.model, module.revision = sys.intern(record.model), sys.intern(record.revision)
            module.address, module.reached, module.lastSeen = address, reached, now
        self._ledger.writeModule(record)
        return module

    def hasRoomFor(self, imei: str) -> bool:
        """
        Tell whether a module is known, or may be.
        """
        return imei in self._modules or len(self._modules) < MAX_MODULES

    def attach(self, link: Link, identity: Identity) -> bool:
        """
        Give a module its link. If it has one already, the newest wins and the older one is closed.

        @return: whether the module was taken.
        """
        module = self.note(identity, link.address, link.reached)
        if module is None:
            self._log.warn(
                "module {imei} from {address} sent away: the roster is full", imei=identity.imei, address=link
            )
            return False
        older = module.link
        link.module, module.link = module, link
        if older is None:
            self.connected += 1
        if older is not None:
            self._log.info(
                "module {imei} called again from {new}, its link from {old} is closed",
                imei=module.imei,
                new=link.address,
                old=older.address,
            )
            older.drop("replaced by a newer connection of the module")
        else:
            self._log.info("module {imei} ({model}) at {address}", imei=module.imei, model=module.model, address=link)
        self._onConnected(module)
        return True

    def detach(self, link: Link) -> None:
        """
        A link is gone.
        """
        module = link.module
        if module is None or module.link is not link:
            return
        module.link = None
        module.lastSeen = self._clock.seconds()
        self.connected -= 1
        self._ledger.writeModule(module.record())
        self._log.info("module {imei} at {address} is gone", imei=module.imei, address=link)
