"""A Multi-Tech modem in memory whose connection is up, and the servers that it reaches."""

from __future__ import annotations

from collections.abc import Callable

from atrunproto.at.results import Reason, refuse
from atrunproto.multitech.errors import NAME_FAILED
from atrunproto.multitech.stack import Stack, State
from atrunproto.testing.emulated import Host
from tests.multitech.modems import Modem

SERVER = "127.0.0.5"


class FakeLink:
    """A connection that is up until a test ends it, and knows one name."""

    state = State.CONNECTED

    def __init__(self) -> None:
        self.address: str | None = "127.0.0.1"
        self.watchers: list[Callable[[Reason | None], None]] = []
        self.touched = 0

    async def resolve(self, name: str) -> str:
        """The address of the one server."""
        if name not in ("mail.box", SERVER):
            raise refuse(NAME_FAILED)
        return SERVER

    def watch(self, lost: Callable[[Reason | None], None]) -> Callable[[], None]:
        """Hear of its end."""
        self.watchers.append(lost)
        return lambda: self.watchers.remove(lost) if lost in self.watchers else None

    def touch(self) -> None:
        """Count the traffic."""
        self.touched += 1

    def drop(self) -> None:
        """End it."""
        self.lose(None)

    def lose(self, reason: Reason | None) -> None:
        """Let it end."""
        self.address = None
        for lost in tuple(self.watchers):
            lost(reason)


class Mailer(Modem):
    """A modem that is connected, and the server that it calls."""

    def __init__(self, number: int, *lines: str) -> None:
        """
        @param number: the port of the server.
        @param lines: commands that are run first.
        """
        super().__init__(*lines)
        self.link = FakeLink()
        self.stack = self.module.part(Stack)
        self.stack.link = self.link
        self.host: Host = self.memory.host(number, SERVER)

    def serve(self, *answers: bytes) -> bytes:
        """Let the server say its lines one after the other, each to what was said; what the modem has said to it."""
        server = self.host.callers[-1]
        return b"".join(server.say(answer + b"\r\n") for answer in answers)

    def heard(self) -> bytes:
        """What has come at the port."""
        return self.port.heard()

    def after(self, seconds: float) -> bytes:
        """What has come after a while."""
        self.memory.clock.advance(seconds)
        return self.heard()

    def closed(self) -> bool:
        """Whether the modem has hung up the server, and nothing runs any more."""
        return self.host.callers[-1].isClosed and self.stack.service is None and not self.link.watchers
