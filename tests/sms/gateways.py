"""A program beside a modem, emulated or written by hand, which it sends and receives short messages with."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from atrunproto.at.peer import ATClient
from atrunproto.sms.peer import Message, SMSClient
from atrunproto.sms.tpdu import StatusReport
from atrunproto.testing.emulated import MemoryModule
from atrunproto.testing.link import MemoryLink
from tests.support import resultOf

from .mobiles import module


class Gateway:
    """A program beside a modem, and what it is told."""

    def __init__(self, emulated: MemoryModule | None = None, isStarted: bool = True, **options: Any) -> None:
        self.emulated = emulated or module()
        self.clock = self.emulated.clock
        self.client, self.link = self.plug()
        self.sms = SMSClient(self.client, self.clock, **options)
        self.messages: list[Message] = []
        self.reports: list[StatusReport] = []
        self.lost: list[BaseException] = []
        self.sms.onMessage(self.messages.append)
        self.sms.onReport(self.reports.append)
        self.sms.onLost(self.lost.append)
        if isStarted:
            self.result(self.sms.start())

    def plug(self) -> tuple[ATClient, MemoryLink]:
        """A line to the modem."""
        client = ATClient(self.clock)
        return client, MemoryLink(self.clock, self.emulated.module.portFactory(1).buildProtocol(None), client)

    def result(self, waiting: Deferred[Any], within: float = 300.0) -> Any:
        """What a Deferred comes to, while time passes."""
        return resultOf(waiting, self.clock, within)

    def texts(self, seconds: float = 1.0) -> list[str]:
        """The texts of what has come."""
        self.clock.advance(seconds)
        return [message.text for message in self.messages]

    def stored(self) -> int:
        """How many messages the modem keeps."""
        lines = self.result(self.client.execute("AT+CPMS?")).lines
        return int(lines[0].split(",")[1])


class Scripted:
    """A modem that answers what a test says, and otherwise OK."""

    def __init__(self, **answers: str) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.client = ATClient(self.clock)
        self.client.makeConnection(self.transport)
        self.sms = SMSClient(self.client, self.clock)
        self.answers: dict[str, str] = {"AT+CPMS?": '\r\n+CPMS: "SM",0,5,"SM",0,5,"SM",0,5\r\n\r\nOK\r\n'}
        self.asked: list[str] = []
        self.messages: list[Message] = []
        self.sms.onMessage(self.messages.append)

    def run(self) -> None:
        """Answer what is asked, until nothing is."""
        while asked := self.transport.value().decode("ascii"):
            self.transport.clear()
            line = asked.rstrip("\r\x1a")
            self.asked.append(line)
            self.client.dataReceived(self.answer(line).encode("ascii"))

    def answer(self, line: str) -> str:
        """The answer to a line."""
        given = [self.answers[key] for key in self.answers if line.startswith(key)]
        return given[0] if given else "\r\nOK\r\n"

    def start(self) -> list[Any]:
        """Prepare it."""
        found: list[Any] = []
        self.sms.start().addBoth(found.append)
        self.run()
        return found

    def comes(self, text: str) -> None:
        """What it says by itself."""
        self.client.dataReceived(text.encode("ascii"))
        self.run()
