"""An FTP server in memory that replies as a test says."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver


class Script(LineReceiver):
    """A control connection that answers as it is told."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def connectionMade(self) -> None:
        self.server.control = self
        for line in self.server.greeting:
            self.sendLine(line)

    def lineReceived(self, line: bytes) -> None:
        self.server.orders.append(line.decode())
        for reply in self.server.answers.get(line.split(b" ")[0].decode(), [b"200 fine"]):
            self.sendLine(reply)


class Server(Factory):
    """A server in memory."""

    def __init__(self) -> None:
        self.greeting = [b"220 hello"]
        self.orders: list[str] = []
        self.answers: dict[str, list[bytes]] = {
            "USER": [b"331 password"],
            "PASS": [b"230 come in"],
            "PASV": [b"227 Entering Passive Mode (127,0,0,5,0,20)."],
            "STOR": [b"150 go on"],
            "RETR": [b"150 here it comes"],
            "QUIT": [b"221 bye"],
        }
        self.control: Any = None
        self.data: Any = None

    def buildProtocol(self, addr: object) -> Script:
        return Script(self)

    def say(self, line: bytes) -> None:
        """Reply."""
        self.control.sendLine(line)
