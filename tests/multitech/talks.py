"""A call of a driver of Multi-Tech modems: on a modem whose every word a test decides, and on one that is connected."""

from __future__ import annotations

from collections.abc import Coroutine
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.multitech.parameters import ROWS
from atrunproto.multitech.stack import State
from tests.multitech.hosts import Host, Scripted

FORMS = ["ATE1V1", "ATE0V1", "ATE1V0", "ATE0V0"]
"""How echo and results may stand."""
SERVER = "127.0.0.5"
"""Where the servers of a connected modem are."""

OK = "\r\nOK\r\n"
WAITING = "\r\nOk_Info_WaitingForData\r\n"
TOLD = {f"AT#{row.name}?": f'#{row.name}: "{row.default}"\r\n{OK}' for row in ROWS}
"""What a modem with its factory values answers to reads."""
STEPS = 100
"""Turns in which a call must come to its command."""


def failed(number: int) -> str:
    """An error of Multi-Tech's own."""
    return f"\r#CME ERROR: {number}\r\n"


class Calls:
    """One call at a time, and what it comes to."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def start(self, call: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """Call."""
        self.found = []
        waiting = Deferred.fromCoroutine(call)
        waiting.addBoth(self.found.append)
        return waiting

    def outcome(self) -> Any:
        """What the call has come to; an error is raised."""
        (found,) = self.found
        if isinstance(found, Failure):
            found.raiseException()
        return found


class Talk(Calls):
    """A driver, and what the modem says to it; a second passes with each thing that it says."""

    def __init__(self, **answers: str) -> None:
        """
        @param answers: what is said to commands, by their names without C{#}, in place of OK.
        """
        super().__init__()
        self.scripted = Scripted({**TOLD, **{f"AT#{name}": answer for name, answer in answers.items()}})
        self.modem = self.scripted.modem

    def begin(self, call: Coroutine[Any, Any, Any], line: str) -> Deferred[Any]:
        """Call, up to a command line and its answer."""
        self.scripted.asked.clear()
        waiting = self.start(call)
        for _ in range(STEPS):
            if line in self.scripted.lines:
                return waiting
            self.scripted.run()
            self.scripted.clock.advance(0)
        raise AssertionError(f"{line} isn't given, but {self.scripted.lines}")

    def comes(self, *pieces: str) -> None:
        """The modem says something."""
        for piece in pieces:
            self.scripted.comes(piece)
            self.scripted.clock.advance(1)

    def said(self) -> bytes:
        """What the driver has said since the last look."""
        said: bytes = self.scripted.transport.value()
        self.scripted.transport.clear()
        return said


class Connected(Calls):
    """A driver on an emulated modem that is connected to the network."""

    def __init__(self, *lines: str, **facts: Any) -> None:
        """
        @param lines: commands that are run before it is connected.
        """
        super().__init__()
        self.host = Host("AT+WOPEN=1", 'AT#APNSERV="internet"', *lines, "AT#CONNECTIONSTART", **facts)
        self.clock = self.host.clock

    def wait(self, seconds: float = 3) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def state(self) -> list[State]:
        """What a command gives that is asked now, once it is answered."""
        found = list[State]()
        Deferred.fromCoroutine(self.host.modem.state()).addCallback(found.append)
        self.wait(1)
        return found


# -- what files come from, and go to


class Unfinished:
    """A source that says something, and never comes to its end."""

    def __init__(self) -> None:
        self.consumer: Any = None
        self._isSaid = False

    def __call__(self, consumer: Any) -> Deferred[None]:
        """Produce."""
        self.consumer = consumer
        consumer.registerProducer(self, False)
        return Deferred()

    def resumeProducing(self) -> None:
        """Produce once."""
        if not self._isSaid:
            self._isSaid = True
            self.consumer.write(b"text")

    def stopProducing(self) -> None:
        """Produce no more."""


async def _broken(consumer: Any) -> None:
    consumer.write(b"text")
    raise OSError("unreadable")


def broken(consumer: Any) -> Deferred[None]:
    """A source that says something, and then can't be read on."""
    return Deferred.fromCoroutine(_broken(consumer))


@implementer(IConsumer)
class Slow:
    """A consumer that holds its producer back with each piece."""

    def __init__(self) -> None:
        self.octets = 0
        self.producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Take a producer."""
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        """The file is complete."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Take octets."""
        self.octets += len(data)
        self.producer.pauseProducing()

    def takeAll(self, whole: int, wait: Any) -> int:
        """Take so many octets, some at a time; tell how often it was asked for more."""
        turns = 0
        while self.octets < whole:
            self.producer.resumeProducing()
            wait(1)
            turns += 1
        self.producer.resumeProducing()
        return turns


class Sated(Slow):
    """A consumer that has enough at once."""

    def write(self, data: bytes) -> None:
        """Want no more."""
        self.producer.stopProducing()


class Full(BytesIO):
    """A file on a disk that is full."""

    def write(self, data: Any, /) -> int:
        raise OSError("full")
