"""A Multi-Tech modem in memory, with a connection to the Internet that a test ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from atrunproto.at.results import Reason, refuse
from atrunproto.multitech.errors import GPRS_LOST, INACTIVE, NAME_FAILED
from atrunproto.multitech.stack import Stack, State
from tests.multitech.modems import OK, Modem

ADDRESS = "127.0.0.5"
SERVER = "127.0.2.23"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK
ETX = b"\x03"
LOSSES = [(GPRS_LOST, 35841), (INACTIVE, 35862)]
"""Why the link is lost, and the number that tells it."""


class FakeLink:
    """A connection to the Internet that a test ends."""

    def __init__(self) -> None:
        self.state = State.CONNECTED
        self.address: str | None = ADDRESS
        self.touches = 0
        self.names = {SERVER: SERVER, "server.domain.com": SERVER}
        self._watchers: list[Callable[[Reason | None], None]] = []

    async def resolve(self, name: str) -> str:
        """Know one name."""
        if name not in self.names:
            raise refuse(NAME_FAILED)
        return self.names[name]

    def watch(self, lost: Callable[[Reason | None], None]) -> Callable[[], None]:
        """Remember who watches."""
        self._watchers.append(lost)
        return lambda: self._watchers.remove(lost) if lost in self._watchers else None

    def touch(self) -> None:
        """Count."""
        self.touches += 1

    def drop(self) -> None:
        """The host ends it."""
        self.lose(None)

    def lose(self, reason: Reason | None) -> None:
        """It is gone."""
        self.state, self.address = State.IDLE, None
        watchers, self._watchers = self._watchers, []
        for lost in watchers:
            lost(reason)


class LinkedModem(Modem):
    """A modem whose link is there at once."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.link = FakeLink()
        self.module.part(Stack).link = self.link

    def type(self, data: bytes) -> bytes:
        """Send octets, and give what comes back."""
        return self.port.say(data)

    def isIdle(self) -> bool:
        """Whether no service runs, and an ETX at the command line is nothing but a part of a line that isn't one."""
        return self.say("AT#PINGNUM=4") == OK and self.type(ETX + b"AT\r") == OK

    def after(self, seconds: float) -> bytes:
        """Let time pass."""
        self.memory.advance(seconds)
        return self.port.heard()


ENDS: dict[str, Callable[[LinkedModem], Any]] = {
    "link": lambda modem: modem.link.lose(None),
    "stack": lambda modem: modem.say("AT+WOPEN=0"),
    "power": lambda modem: modem.restart(),
}
"""What ends a listener without a word."""
