"""A Multi-Tech modem that is alive and connected, and somebody at its port."""

from __future__ import annotations

from atrunproto.testing.emulated import LiveModule
from tests.ftp.live import Port

WAITING = "Ok_Info_WaitingForData"


class LiveModem(Port):
    """A port of a modem that has a connection."""

    def __init__(self, module: LiveModule, *lines: str) -> None:
        """
        @param lines: commands that are run first, without their AT.
        """
        super().__init__(module)
        for line in ("+WOPEN=1", '#APNSERV="internet"', *lines):
            assert self.command(f"AT{line}") == "OK", line
        self.socket.sendall(b"AT#CONNECTIONSTART\r")
        self.answer(lambda heard: heard.endswith(b"Ok_Info_GprsActivation\r\n"))
