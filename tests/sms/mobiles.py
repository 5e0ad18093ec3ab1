"""Two modules in one network, which write to each other."""

from __future__ import annotations

from datetime import UTC, datetime

from atrunproto.emulator.nvm import NVM
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address, TimeStamp
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import UserData
from atrunproto.testing.emulated import MemoryModule, Wire

OURS, THEIRS = "+393460000001", "+393460000002"
OUTSIDE = "+41791112233"
STAMP = TimeStamp.of(datetime(2026, 11, 21, 4, 30, tzinfo=UTC))
SHOWN = '"26/11/21,04:30:00+00"'


def module(product: str = "HE910-EUR", nvm: NVM | None = None, beside: MemoryModule | None = None) -> MemoryModule:
    """A module of our number, for which nothing takes time; beside another one, of their number."""
    if beside is None:
        return MemoryModule(product, nvm=nvm, number=OURS, timeScale=0.0)
    return MemoryModule(product, beside, nvm, imei="357000000000002", number=THEIRS, timeScale=0.0)


def inText(emulated: MemoryModule, *lines: str, port: int = 1) -> Wire:
    """A terminal in text mode, after some more settings."""
    at = emulated.port(port)
    for line in ("AT+CMGF=1", *lines):
        assert at.execute(line) == ["OK"], line
    return at


def deliver(text: str = "Hello", coding: int = 0, identifier: int = 0) -> Deliver:
    """A message from outside."""
    return Deliver(Address.parse(OUTSIDE), UserData.of(text, DataCoding(coding)), STAMP, identifier)


def bring(emulated: MemoryModule, *units: Deliver, to: str = OURS) -> None:
    """Let the service centre bring messages."""
    for unit in units:
        assert emulated.network.centre.send(str(unit.origin), to, unit)
    emulated.advance(1)


def said(at: Wire) -> list[str]:
    """The lines that have come unasked."""
    return at.after(0)


def typed(at: Wire, line: str, data: bytes) -> list[str]:
    """Give a command and its data; its answer."""
    shown = at.say(line.encode("latin-1") + b"\r")
    assert shown.endswith(b"\r\n> "), shown
    lines = at.say(data).decode("latin-1").split("\r\n")
    return [each for each in lines[1:] if each]


def sent(emulated: MemoryModule) -> list[UserData]:
    """What has been sent to numbers outside."""
    emulated.advance(1)
    units = [message.unit for message in emulated.network.centre.outside.after(0)]
    return [unit.userData for unit in units if isinstance(unit, Deliver)]
