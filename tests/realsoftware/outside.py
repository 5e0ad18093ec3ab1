"""Whoever exchanges short messages with a live module and has no module."""

from __future__ import annotations

import time
from collections.abc import Callable

from atrunproto.sms.fields import Address
from atrunproto.sms.outside import Outgoing
from atrunproto.sms.segments import split
from atrunproto.sms.tpdu import Deliver
from atrunproto.testing.emulated import LiveModule

FRIEND = "+41791112233"


def write(module: LiveModule, *contents: str | bytes, sender: str = FRIEND) -> int:
    """Send texts or octets to a module, a long text in parts; give how many messages are under way to it then."""

    def send() -> int:
        centre = module.network.centre
        for content in contents:
            for part in split(content):
                assert centre.send(sender, module.module.number, Deliver(Address.parse(sender), part, centre.stamp()))
        return centre.underWay[module.module.number]

    underWay: int = module.call(send)
    return underWay


def outside(module: LiveModule) -> list[Outgoing]:
    """What modules have sent to numbers outside, in its order."""
    outgoing: list[Outgoing] = module.call(module.network.centre.outside.after, 0)
    return outgoing


def textsOutside(module: LiveModule) -> list[str]:
    """The texts of those messages."""
    units = [message.unit for message in outside(module)]
    return [unit.userData.text() for unit in units if isinstance(unit, Deliver)]


def waitUntil(isSo: Callable[[], object], seconds: float) -> None:
    """Wait for something that must become true in that time."""
    end = time.monotonic() + seconds
    while not isSo():
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.1)
