"""
The real-time clock of a module, and the restart that #ENHRST schedules by it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from .module import EmulatedModule

#: the time of the clock after power-on without a network that tells the time (A)
START = datetime(2000, 1, 1, tzinfo=UTC)


class ModuleClock:
    """
    The time of day as the module has it; it runs with the module's clock.
    """

    __slots__ = ("_call", "_module", "_offset", "_reset", "_zone")

    def __init__(self, module: EmulatedModule) -> None:
        self._module = module
        self._zone = UTC
        self._offset = -module.clock.seconds()
        self._call: IDelayedCall | None = None
        self._reset = (0, 0)

    def set(self, time: datetime) -> None:
        """
        Set date, time and zone.
        """
        self._zone = time.tzinfo  # type: ignore[assignment]
        self._offset = (time - START).total_seconds() - self._module.clock.seconds()

    def show(self) -> str:
        """
        C{yy/MM/dd,hh:mm:ss±zz}, the zone in quarters of an hour.
        """
        now = (START + timedelta(seconds=self._offset + self._module.clock.seconds())).astimezone(self._zone)
        quarters = round((now.utcoffset() or timedelta()).total_seconds() / 900)
        return f"{now:%y/%m/%d,%H:%M:%S}{quarters:+03d}"

    def scheduleReset(self, mod: int, minutes: int) -> None:
        """
        Restart after so many minutes: never (0), once (1), or again and again (2, kept over power-off).
        """
        self._cancel()
        self._module.memory.put("#ENHRST", [mod, minutes] if mod == 2 else None)
        self._begin(mod, minutes)

    def _begin(self, mod: int, minutes: int) -> None:
        self._reset = (mod, minutes)
        if mod:
            self._call = self._module.clock.callLater(minutes * 60, self._restart)

    @property
    def scheduledReset(self) -> tuple[int, int, int]:
        """
        Mode, minutes, and the minutes that remain.
        """
        remain = 0.0 if self._call is None else self._call.getTime() - self._module.clock.seconds()
        return (*self._reset, int(remain // 60))

    def powerOn(self) -> None:
        """
        Take up a restart that is scheduled again and again.
        """
        kept = self._module.memory.get("#ENHRST")
        if kept:
            self._begin(*kept)

    def powerOff(self) -> None:
        """
        Nothing restarts a module without power.
        """
        self._cancel()
        self._reset = (0, 0)

    def _restart(self) -> None:
        self._call = None
        self._module.reboot()

    def _cancel(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()
