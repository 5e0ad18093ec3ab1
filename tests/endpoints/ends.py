"""The two ends of a terminal: a protocol that notes all it meets, and a user who has the terminal open."""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.fdesc import readFromFD, writeToFD
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from atrunproto.at.lines import ILineChanges
from atrunproto.endpoints._pty import PtyTransport


class Notes:
    """Something that can be waited for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def when(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fires as soon as C{condition} holds after something was noted."""
        met: Deferred[None] = Deferred()
        self._waiting.append((condition, met))
        self.noted()
        return met

    def noted(self) -> None:
        """Look who has waited for this."""
        met = [pair for pair in self._waiting if pair[0]()]
        self._waiting = [pair for pair in self._waiting if pair not in met]
        for _, deferred in met:
            deferred.callback(None)


class Line(Protocol):
    """A protocol that notes what happens to it, and answers each chunk if it has an answer."""

    transport: PtyTransport

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.notes = Notes()
        self.answer = answer
        self.received = b""
        self.events: list[tuple[str, bool]] = []
        self.all: list[tuple[str, bool] | bytes] = []
        self.losses: list[Failure] = []

    def connectionMade(self) -> None:
        """Listen to the lines, if there are any."""
        if isinstance(self.transport, ILineChanges):
            self.transport.onLineChange(self.lineChanged)

    def lineChanged(self, name: str, on: bool) -> None:
        """Note a line."""
        self.events.append((name, on))
        self.all.append((name, on))
        self.notes.noted()

    def dataReceived(self, data: bytes) -> None:
        """Note data."""
        self.received += data
        self.all.append(data)
        if self.answer is not None:
            self.transport.write(self.answer(data))
        self.notes.noted()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Note the end."""
        assert reason is not None
        self.losses.append(reason)
        self.notes.noted()

    def whenReceived(self, data: bytes) -> Deferred[None]:
        """Fires when that, and nothing else, has come so far."""
        return self.notes.when(lambda: self.received == data)

    def whenEvents(self, *events: tuple[str, bool]) -> Deferred[None]:
        """Fires when the lines have changed so."""
        return self.notes.when(lambda: self.events == list(events))

    def whenLost(self) -> Deferred[None]:
        """Fires when the connection is lost."""
        return self.notes.when(lambda: bool(self.losses))


class User(FileDescriptor):
    """A user of a terminal, by plain system calls; he reads when he is told to."""

    def __init__(self, path: str) -> None:
        from twisted.internet import reactor

        super().__init__(reactor)
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.connected = 1
        self.notes = Notes()
        self.received = bytearray()

    def fileno(self) -> int:
        """The terminal."""
        return self._fd

    def type(self, data: bytes) -> int:
        """Give the terminal what it takes at once."""
        return os.write(self._fd, data)

    def typeUntilFull(self, data: bytes) -> int:
        """Type C{data} again and again until the kernel takes no more; the number of bytes."""
        total = 0
        while True:
            try:
                total += os.write(self._fd, data)
            except BlockingIOError:
                return total

    def writeSomeData(self, data: bytes) -> int | BaseException:
        """Send without waiting."""
        written: int | BaseException = writeToFD(self._fd, data)
        return written

    def doRead(self) -> object:
        """Note what comes."""
        return readFromFD(self._fd, self._took)

    def _took(self, data: bytes) -> None:
        self.received += data
        self.notes.noted()

    def whenReceived(self, data: bytes) -> Deferred[None]:
        """Read; fires when that, and nothing else, has come so far."""
        self.reactor.addReader(self)
        return self.notes.when(lambda: self.received == data)

    def whenCount(self, count: int) -> Deferred[None]:
        """Read; fires when so many bytes have come."""
        self.reactor.addReader(self)
        return self.notes.when(lambda: len(self.received) >= count)

    def close(self) -> None:
        """Go away."""
        if self._fd >= 0:
            self.reactor.removeReader(self)
            self.reactor.removeWriter(self)
            os.close(self._fd)
            self._fd = -1

    def connectionLost(self, reason: Failure) -> None:
        """The other side has gone."""
        self.close()
