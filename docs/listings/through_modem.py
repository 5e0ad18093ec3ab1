"""Send a line to a host, and print the line that it answers."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.task import react
from twisted.protocols.basic import LineOnlyReceiver


class Ask(LineOnlyReceiver):
    """Asks one question."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        """Ask."""
        self.sendLine(self.question.encode("utf-8"))

    def lineReceived(self, line: bytes) -> None:
        """Take the answer."""
        self.answer.callback(line)


async def main(reactor: Any, endpoint: str, question: str) -> None:
    """Connect to wherever the endpoint string leads."""
    ask = await connectProtocol(clientFromString(reactor, endpoint), Ask(question))
    print((await ask.answer).decode("utf-8"))


react(main, sys.argv[1:])
