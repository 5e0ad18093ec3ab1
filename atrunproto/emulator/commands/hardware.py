"""
Commands of pins, converters, thermometer and LED.

Source: reference 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.results import CME, refuse
from atrunproto.at.settings import Stored

from ..gpio import Hardware
from .general import moduleOf

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("hardware")

#: pins of any product; a product may have fewer
PINS = 10


@commands.action("#GPIO", Int("pin", 1, PINS), Int("mode", 0, 2), Int("dir", 0, 3, default=None), source="reference 11")
def gpio(at: ATInstance, number: int, mode: int, direction: int | None) -> str | None:
    """
    Set a pin (0 low, 1 high) or read it (2); without a direction it keeps the one it has.
    """
    if number > moduleOf(at).product.family.pins:
        raise refuse()
    pin = at.part(Hardware).pin(number)
    if mode == 2:
        return f"#GPIO: {pin.direction},{pin.level}"
    if direction is not None:
        pin.direction = direction
    pin.level = mode
    return None


@commands.read("#GPIO")
def readGpio(at: ATInstance) -> list[str]:
    """
    Direction and level of each pin.
    """
    hardware = at.part(Hardware)
    pins = (hardware.pin(number) for number in range(1, moduleOf(at).product.family.pins + 1))
    return [f"#GPIO: {pin.direction},{pin.level}" for pin in pins]


@commands.action("#ADC", Int("adc", 1, 1), Int("mode", 2, 2), Int("dir", 0, 0, default=0), source="reference 11")
def converter(at: ATInstance, number: int, mode: int, direction: int) -> str:
    """
    Measure, in millivolts.
    """
    return f"#ADC: {at.part(Hardware).millivolts[number]}"


@commands.read("#ADC")
def readConverters(at: ATInstance) -> list[str]:
    """
    All converters, in millivolts.
    """
    return [f"#ADC: {value}" for _, value in sorted(at.part(Hardware).millivolts.items())]


@commands.action(
    "#TEMPMON",
    Int("mod", 0, 1),
    Int("urcmode", 0, 1, default=None),
    Int("action", 0, 7, default=0),
    Int("hyst_time", 0, 255, default=0, unit="s"),
    Int("gpio", 1, PINS, default=0),
    answersAs="#TEMPMEAS",
    source="reference 11; the actions are accepted and not carried out",
)
def temperature(at: ATInstance, mod: int, urcmode: int | None, action: int, hysteresis: int, gpio: int) -> str | None:
    """
    Measure the temperature (1), or set the notice of level changes (0).
    """
    hardware = at.part(Hardware)
    if mod == 1:
        return f"#TEMPMEAS: {hardware.temperatureLevel},{hardware.temperature}"
    if urcmode is not None:
        at.settings.set("#TEMPMON urcmode", (urcmode, action))
    return None


commands.setting(
    "#TEMPMON urcmode", Int("urcmode", 0, 1, default=0), Int("action", 0, 7, default=0), stored=Stored.EXTENDED
)


@commands.read("#TEMPMON")
def readTemperature(at: ATInstance) -> str:
    """
    Notice and action.
    """
    urcmode, action = at.settings.get("#TEMPMON urcmode")
    return f"#TEMPMON: {urcmode},{action}"


@commands.action("#QTEMP", Int("mode", 0, 1, default=0), source="reference 11 (P, trace of a GE865)")
def oldTemperature(at: ATInstance, mode: int) -> None:
    """
    The old thermometer can't be switched on.
    """
    if mode:
        raise refuse(CME[4])


@commands.read("#QTEMP")
def readOldTemperature(at: ATInstance) -> str:
    """
    Off.
    """
    return "#QTEMP: 0"


@commands.action(
    "#SLED",
    Int("mode", 0, 3),
    Int("on_duration", 1, 100, default=None, unit="100 ms"),
    Int("off_duration", 1, 100, default=None, unit="100 ms"),
    source="reference 11",
)
def statusLed(at: ATInstance, mode: int, on: int | None, off: int | None) -> None:
    """
    What the status LED shows.
    """
    settings = at.module.settings
    _, oldOn, oldOff = settings.get("#SLED values")
    settings.set("#SLED values", (mode, oldOn if on is None else on, oldOff if off is None else off))


commands.setting(
    "#SLED values",
    Int("mode", 0, 3, default=2),
    Int("on_duration", 1, 100, default=10),
    Int("off_duration", 1, 100, default=10),
    stored=Stored.DEMAND,
    shared=True,
)


@commands.read("#SLED")
def readStatusLed(at: ATInstance) -> str:
    """
    Mode and durations.
    """
    return "#SLED: " + ",".join(str(value) for value in at.module.settings.get("#SLED values"))


@commands.action("#SLEDSAV", source="reference 11")
def saveStatusLed(at: ATInstance) -> None:
    """
    Keep what #SLED has set over power-off.
    """
    at.module.settings.save("#SLED values")
