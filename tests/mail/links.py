"""A Multi-Tech modem in memory whose connection is up, and the server that it calls."""

from __future__ import annotations

from atrunproto.multitech.stack import Stack
from atrunproto.testing.emulated import Host
from tests.multitech.modems import Modem

SERVER = "127.0.0.5"


class Mailer(Modem):
    """A modem that is connected, and the server that it calls by its address or as mail.box."""

    def __init__(self, number: int, *lines: str) -> None:
        """
        @param number: the port of the server.
        @param lines: commands that are run first.
        """
        super().__init__(*lines, 'AT#APNSERV="internet"')
        self.stack = self.module.part(Stack)
        self.memory.network.hosts["mail.box"] = SERVER
        self.host: Host = self.memory.host(number, SERVER)
        self.say("AT#CONNECTIONSTART")
        assert self.after(10).endswith(b"\r\nOk_Info_GprsActivation\r\n")

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

    def lose(self) -> bytes:
        """Let the network end the connection; what has come at the port."""
        self.module.contexts.lose(1)
        return self.heard()

    def closed(self) -> bool:
        """Whether the modem has hung up the server, and no service runs any more."""
        return self.host.callers[-1].isClosed and self.stack.service is None
