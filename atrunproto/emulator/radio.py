"""
Registration and signal of one module.

Source: reference 5 (+CREG, +CGREG, +CGATT, +CGCLASS) and 11 (+COPS, +CSQ, +CFUN, #BND).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from atrunproto.at.module import ATInstance

from .network import Cell, Operator

if TYPE_CHECKING:
    from .module import EmulatedModule

#: <stat> of +CREG and +CGREG
IDLE, HOME, SEARCHING, DENIED, UNKNOWN, ROAMING = range(6)


class Radio:
    """
    What the module has of the network.

    @ivar rssi: 0 to 31, or 99 where unknown, as +CSQ prints it.
    @ivar ber: 0 to 7, or 99.
    @ivar fun: the level of +CFUN.
    @ivar attachWanted: whether the user wants the packet service (+CGATT).
    @ivar isAttaching: whether the packet service is being looked for, as far as +CGREG tells that (MTS-REG-04).
    @ivar operator: the one registered with, or C{None}.
    """

    __slots__ = (
        "_call",
        "_module",
        "_watchers",
        "attachWanted",
        "ber",
        "fun",
        "isAttaching",
        "operator",
        "rssi",
        "told",
    )

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        self._watchers: list[Callable[[], None]] = []
        self._call: IDelayedCall | None = None
        self.rssi = 20
        self.ber = 0
        self._reset()

    def _reset(self) -> None:
        self.fun = 1
        self.attachWanted = True
        self.isAttaching = False
        self.operator: Operator | None = None
        self.told = (IDLE, IDLE)

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """
        Call C{watcher} after each change of registration or packet service.

        @return: what ends that.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def powerOn(self) -> None:
        """
        Look for the network.
        """
        self._reset()
        self.update()

    def powerOff(self) -> None:
        """
        Be gone from the network.
        """
        self._cancel()
        self._reset()

    @property
    def isRegistered(self) -> bool:
        """
        Whether an operator serves the module.
        """
        return self.operator is not None

    @property
    def isAttached(self) -> bool:
        """
        Whether the packet service is there.
        """
        return self.isRegistered and self.attachWanted and self.gprsClass != "CC"

    @property
    def gprsClass(self) -> str:
        """
        The value of +CGCLASS.
        """
        return str(self._module.settings.value("+CGCLASS"))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """
        The cells received, the serving one first.
        """
        return tuple(self.operator.cells) if self.operator is not None else ()

    def wanted(self) -> Operator | None:
        """
        The operator that the module would register with now.
        """
        module = self._module
        mode, name = module.settings.get("+COPS selection")
        if self.fun not in (1, 5) or not module.sim.isReady or mode == 2 or self.rssi == 99:
            return None
        network = module.network
        if not network.inService:
            return None
        candidate = network.find(name) if mode in (1, 4) and name else None
        if candidate is None and mode != 1:
            candidate = network.home
        if candidate is None or candidate.forbidden:
            return None
        return candidate if module.product.bandServes(module.settings, candidate.bands) else None

    @property
    def stat(self) -> int:
        """
        <stat> of +CREG.
        """
        if self.operator is not None:
            return HOME if self.operator is self._module.network.home else ROAMING
        if self._module.settings.get("+COPS selection")[0] == 2 or self.fun not in (1, 5):
            return IDLE
        if self._call is not None:
            return SEARCHING
        if self._module.settings.get("+COPS selection")[0] == 1 and self._isForbidden():
            return DENIED
        return SEARCHING if self._module.sim.isReady else IDLE

    def _isForbidden(self) -> bool:
        chosen = self._module.network.find(self._module.settings.get("+COPS selection")[1])
        return chosen is not None and chosen.forbidden

    @property
    def packetStat(self) -> int:
        """
        <stat> of +CGREG.
        """
        if self.isAttaching:
            return SEARCHING
        return self.stat if self.isAttached or self.operator is None else IDLE

    def update(self) -> None:
        """
        Something that decides on registration has changed: leave at once, register after a while.
        """
        wanted = self.wanted()
        if wanted is self.operator:
            self._cancel()
        elif wanted is None:
            self._cancel()
            self.operator = None
        else:
            self.operator = None
            seconds = self._module.duration("registration")
            if seconds <= 0:
                self._cancel()
                self.operator = wanted
            elif self._call is None:
                self._call = self._module.clock.callLater(seconds, self._register)
        self.changed()

    def _register(self) -> None:
        self._call = None
        self.operator = self.wanted()
        self.changed()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def changed(self) -> None:
        """
        Tell +CREG and +CGREG where they are wanted, then the service centre, then whoever watches.
        """
        now = (self.stat, self.packetStat)
        circuit, packet = now[0] != self.told[0], now[1] != self.told[1]
        self.told = now

        def tell(at: ATInstance) -> None:
            for name, changed in (("+CREG", circuit), ("+CGREG", packet)):
                mode = at.settings.value(name)
                if changed and mode:
                    at.notify(f"{name}: {self.location(name, mode)}")

        if circuit or packet:
            self._module.switchboard.forEach(tell)
        if circuit and self.isRegistered:
            self._module.network.centre.reachable(self._module.number)
        for watcher in tuple(self._watchers):
            watcher()

    def statOf(self, name: str) -> int:
        """
        <stat> of +CREG or +CGREG.
        """
        return self.stat if name == "+CREG" else self.packetStat

    def location(self, name: str, mode: int) -> str:
        """
        The status, with mode 2 also where the module is: C{1,"55FA","1298"}.
        """
        stat = self.statOf(name)
        if mode != 2 or not self.cells:
            return str(stat)
        cell = self.cells[0]
        technology = f",{self._module.product.technology}" if self._module.product.threeG else ""
        return f'{stat},"{cell.lac:04X}","{cell.identity:04X}"{technology}'
