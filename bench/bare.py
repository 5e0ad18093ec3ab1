"""
The bare Twisted programs: each does the input and output of what is measured beside it, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Factory
from twisted.internet.task import deferLater
from twisted.protocols.basic import LineReceiver

from atrunproto.fleet.tap import BACKLOG

reactor: Any = _reactor

#: seconds between two looks at how many are there
LOOK = 0.005


async def whenTrue(condition: Callable[[], bool]) -> None:
    """
    Wait until a condition holds.
    """
    while not condition():
        await deferLater(reactor, LOOK)


class Line(LineReceiver):
    """
    A bare line, as Twisted has it.
    """

    delimiter = b"\r"

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)  # type: ignore[union-attr]


class Bare:
    """
    A server that sends each line back: what the AT ports are measured against.

    @ivar facts: what the parent is told when this is ready.
    """

    def __init__(self, delay: float = 0.0) -> None:
        """
        @param delay: seconds before a line is sent back.
        """

        class Echo(Line):
            def lineReceived(self, line: bytes) -> None:
                self.sendLine(line)  # type: ignore[no-untyped-call]

        class LateEcho(Line):
            def lineReceived(self, line: bytes) -> None:
                reactor.callLater(delay, self.sendLine, line)

        factory = Factory.forProtocol(LateEcho if delay else Echo)
        port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface="127.0.0.1")
        self.facts = {"addresses": [["127.0.0.1", port.getHost().port]]}


class BareHost:
    """
    A server that sends a line to all who have connected and counts the answers: what the host is measured against.
    """

    def __init__(self) -> None:
        self._all: list[Any] = []
        self._left = 0
        self._done: Deferred[None] = Deferred()
        host = self

        class Counted(Line):
            def connectionMade(self) -> None:
                super().connectionMade()
                host._all.append(self)

            def lineReceived(self, line: bytes) -> None:
                host._left -= 1
                if not host._left:
                    host._done.callback(None)

        port = reactor.listenTCP(0, Factory.forProtocol(Counted), backlog=BACKLOG, interface="127.0.0.1")
        self.facts = {"port": port.getHost().port}

    async def connected(self, count: int) -> None:
        """
        Wait for so many.
        """
        await whenTrue(lambda: len(self._all) >= count)

    async def fanOut(self) -> dict[str, float]:
        """
        Ask all.
        """
        begun = time.perf_counter()
        self._left, self._done = len(self._all), Deferred()
        for each in self._all:
            each.sendLine(b"AT+CSQ")
        await self._done
        return {"seconds": time.perf_counter() - begun, "answers": len(self._all)}


class LateAnswer(Line):
    """
    Answers when 0.1 s have passed, as a module does whose txTo is 1.
    """

    def lineReceived(self, line: bytes) -> None:
        reactor.callLater(0.1, self.sendLine, b"+CSQ: 20,0")


class BareCallers:
    """
    Clients that answer each line: what modules in client mode are measured against.
    """

    facts: dict[str, Any] = {}  # noqa: RUF012

    def dial(self, count: int, port: int) -> None:
        """
        Call the host.
        """
        factory = ClientFactory.forProtocol(LateAnswer)
        factory.noisy = False
        for _ in range(count):
            reactor.connectTCP("127.0.0.1", port, factory)
