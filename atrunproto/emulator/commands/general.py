"""
General commands: identity, clock, power.

Source: reference 10.1, 10.2 and 11.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

from atrunproto.at.bearer import Jam
from atrunproto.at.commands import CommandTable, jamsOver
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, refuse

from ..clock import ModuleClock

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

    from ..module import EmulatedModule

commands = CommandTable("general")


def moduleOf(at: ATInstance) -> EmulatedModule:
    """
    The emulated module round an instance.
    """
    return cast("EmulatedModule", at.module)


# -- identity


def _identity(what: str, about: str, *names: str, prefixed: str = "") -> None:
    """
    Commands that print an identity answer, bare or behind their name; the read form does not exist.
    """
    for name in names:
        commands.action(name, about=about, source="reference 10.2")(lambda at: at.module.identify(what))
    if prefixed:
        tell = commands.action(prefixed, about=about, source="reference 10.2")
        tell(lambda at: f"{prefixed}: {at.module.identify(what)}")


_identity("manufacturer", "The manufacturer.", "+GMI", "+CGMI", prefixed="#CGMI")
_identity("model", "The model.", "+GMM", "+CGMM", prefixed="#CGMM")
_identity("revision", "The software version.", "+GMR", "+CGMR", prefixed="#CGMR")
_identity("serial", "The serial number of the board.", "+GSN")
_identity("imei", "The IMEI.", "+CGSN", prefixed="#CGSN")


@commands.action("+GCAP", source="reference 10.2")
def capabilities(at: ATInstance) -> str:
    """
    The capabilities of the product.
    """
    return f"+GCAP: {at.module.identify('capabilities')}"


@commands.action("I", Int("value", 0, 5, default=0), source="reference 10.2")
def information(at: ATInstance, value: int) -> str | None:
    """
    Identify the product in several ways.
    """
    return at.module.identify(f"I{value}") or None


# -- multiplexer, as far as clients ask for it


@commands.action(
    "+CMUX",
    Int("mode", 0, 0),
    Int("subset", 0, 0, default=0),
    jams=jamsOver(0, sms=Jam.FOR_GOOD),
    source="reference 10.1; TEL-SMS-44",
)
def multiplexer(at: ATInstance, mode: int, subset: int) -> None:
    """
    The multiplexer is not emulated yet, so it can't be entered.
    """
    raise refuse(CME[4])


@commands.read("+CMUX")
def readMultiplexer(at: ATInstance) -> str:
    """
    The only mode there is.
    """
    return "+CMUX: 0,0"


@commands.test("+CMUX")
def testMultiplexer(at: ATInstance) -> str:
    """
    The ranges of mode and subset.
    """
    return "+CMUX: (0),(0)"


# -- clock

_CLOCK = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)(?:([+-])(\d\d))?")
#: quarters of an hour that a time zone may lie from UTC
_WEST, _EAST = -47, 48


@commands.action("+CCLK", Text("time", 24), source="reference 10.1")
def setClock(at: ATInstance, time: str) -> None:
    """
    Set the clock: C{"yy/MM/dd,hh:mm:ss±zz"}, local time.
    """
    matched = _CLOCK.fullmatch(time)
    if matched is None:
        raise refuse()
    year, month, day, hour, minute, second = (int(part) for part in matched.groups()[:6])
    quarters = int(matched[7] + matched[8]) if matched[7] else 0
    if not _WEST <= quarters <= _EAST:
        raise refuse()
    try:
        zone = timezone(timedelta(minutes=15 * quarters))
        at.part(ModuleClock).set(datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError:
        raise refuse() from None


@commands.read("+CCLK")
def readClock(at: ATInstance) -> str:
    """
    The time with its zone.
    """
    return f'+CCLK: "{at.part(ModuleClock).show()}"'


@commands.action("#CCLK", source="reference 10.1: adds the hours of daylight saving")
def daylightClock(at: ATInstance) -> None:
    """
    Set by the network only.
    """
    raise refuse(CME[4])


@commands.read("#CCLK")
def readDaylightClock(at: ATInstance) -> str:
    """
    The time with its zone and the hours of daylight saving, which this network doesn't tell.
    """
    return f"#CCLK: {at.part(ModuleClock).show()},0"


# -- power


@commands.action("#REBOOT", source="reference 11")
def reboot(at: ATInstance) -> None:
    """
    Answer, then restart.
    """
    moduleOf(at).restartSoon()


@commands.action("#SHDN", source="reference 11")
def shutDown(at: ATInstance) -> None:
    """
    Answer, then switch off; only the power key brings the module back.
    """
    moduleOf(at).shutDownSoon()


@commands.action(
    "#ENHRST", Int("mod", 0, 2), Int("delay", 0, 10080, default=0, unit="min"), source="reference 11 (delay: assumed)"
)
def scheduledReset(at: ATInstance, mod: int, delay: int) -> None:
    """
    Restart once (1) or at each interval (2), from now on in so many minutes; 0 ends it.
    """
    if mod == 2 and not delay:
        # a module that restarts without a pause is of no use (A)
        raise refuse()
    at.part(ModuleClock).scheduleReset(mod, delay)


@commands.read("#ENHRST")
def readScheduledReset(at: ATInstance) -> str:
    """
    Mode, delay and the minutes that remain.
    """
    mod, delay, remain = at.part(ModuleClock).scheduledReset
    return f"#ENHRST: {mod}" + (f",{delay},{remain}" if mod else "")


@commands.action("+CPAS", source="3GPP TS 27.007 8.1")
def activity(at: ATInstance) -> str:
    """
    Ready: there are no calls yet.
    """
    return "+CPAS: 0"
