"""
The pins and sensors of a module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import EmulatedModule


@dataclass(slots=True)
class Pin:
    """
    One pin: C{direction} 0 in, 1 out, 2 alternate, 3 tristate with pull-down.
    """

    direction: int = 0
    level: int = 0


class Hardware:
    """
    Pins, converters and the thermometer.

    What the world outside does to them is set from Python or through the control endpoint.

    @ivar millivolts: what each converter measures, by number.
    @ivar temperature: degrees Celsius.
    """

    __slots__ = ("_pins", "millivolts", "temperature")

    def __init__(self, module: EmulatedModule) -> None:
        self._pins: dict[int, Pin] = {}
        self.millivolts = {1: 0}
        self.temperature = 25

    def pin(self, number: int) -> Pin:
        """
        A pin, from 1.
        """
        return self._pins.setdefault(number, Pin())

    @property
    def temperatureLevel(self) -> int:
        """
        -2 to 2, 0 being the operating range (the limits of the levels: assumed).
        """
        for level, limit in ((-2, -30), (-1, -10), (0, 55), (1, 80)):
            if self.temperature < limit:
                return level
        return 2

    def powerOff(self) -> None:
        """
        The pins fall back to inputs.
        """
        self._pins.clear()
