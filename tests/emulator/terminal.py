"""Somebody who sits at an AT port."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tests.programs import PATIENCE


class Terminal(Protocol):
    """Somebody at an AT port."""

    transport: ITCPTransport

    def __init__(self) -> None:
        self.heard = b""
        self.lost: Deferred[None] = Deferred()
        self._wanted: list[tuple[bytes, Deferred[str]]] = []

    def ask(self, line: str, until: str = "\r\nOK\r\n") -> Deferred[str]:
        """Send a line; fires with all that came since when this text has come."""
        self.heard = b""
        answered: Deferred[str] = Deferred()
        answered.addTimeout(PATIENCE, reactor)
        self._wanted.append((until.encode(), answered))
        self.transport.write(line.encode() + b"\r")
        return answered

    def dataReceived(self, data: bytes) -> None:
        """Collect."""
        self.heard += data
        for wanted, answered in [pair for pair in self._wanted if pair[0] in self.heard]:
            self._wanted.remove((wanted, answered))
            answered.callback(self.heard.decode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell that the connection is gone."""
        self.lost.callback(None)
