"""
A connection by a socket of a Multi-Tech modem, as its host has it, and the words for the socket.

Source: reference guide S000333C, chapters 5 and 6, appendix B; MTS-TCP, MTS-UDP, MTS-GAP-30, MTS-GAP-61, MTS-GAP-70.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, DNSLookupError
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocol
from twisted.python.failure import Failure

from atrunproto.at.errors import ATError, CommandFailed, Misuse
from atrunproto.multitech.answers import Key, Value
from atrunproto.multitech.coding import Coded
from atrunproto.multitech.errors import CLOSED_BY_PEER, Message
from atrunproto.multitech.peerdata import DataSession
from atrunproto.multitech.peererrors import NameUnknown

if TYPE_CHECKING:
    from atrunproto.multitech.peer import MultitechClient

#: seconds of silence that part two datagrams, beside the time that the modem gathers octets for one (A)
APART = 0.1


def connectError(error: ATError) -> Exception:
    """
    Why there is no connection, in the terms of Twisted.
    """
    return DNSLookupError(str(error)) if isinstance(error, NameUnknown) else ConnectError(None, str(error))


class SocketSession(DataSession):
    """
    A connection. Where the modem tells an error, the protocol hears of a C{ConnectionLost} with its text.
    """

    def reasonOf(self, failure: Failure) -> Failure:
        """
        An error that says that the peer has closed is none (MTS-GAP-30).
        """
        error = failure.value
        if not isinstance(error, CommandFailed):
            return failure
        if error.reason == CLOSED_BY_PEER:
            return Failure(ConnectionDone())
        lost = ConnectionLost(str(error))
        lost.__cause__ = error
        return Failure(lost)


class DatagramSession(SocketSession):
    """
    A connection by UDP: what is written by one call is a datagram of its own, sent when the one before has left.

    The modem parts one of more than 1460 octets (MTS-GAP-70), and puts those that come together as it likes.
    """

    def __init__(self, *values: Any, apart: float, **named: Any) -> None:
        """
        @param apart: seconds between two datagrams.
        """
        super().__init__(*values, **named)
        self._apart = apart
        self._sizes: deque[int] = deque()
        self._gap: IDelayedCall | None = None

    def write(self, data: bytes) -> None:
        if data:
            self._sizes.append(len(data))
        super().write(data)

    def sendMore(self) -> None:
        if self.waiting and self._gap is None and self.maySend:
            self.send(self._sizes.popleft())
            self._gap = self._clock.callLater(self._apart, self._next)

    def _next(self) -> None:
        self._gap = None
        self.sendMore()


@dataclass(frozen=True, slots=True)
class Socket:
    """
    Which socket of the modem, in the words of its commands.

    @ivar kind: C{TCP} or C{UDP}.
    @ivar delay: milliseconds that the modem gathers octets; C{None}: as it is set.
    @ivar number: 1 or 2, where there are several.
    """

    kind: Literal["TCP", "UDP"]
    delay: int | None
    number: int | None = None

    @classmethod
    def tcp(cls, modem: MultitechClient, number: int, delay: int | None) -> Socket:
        """
        A TCP socket of a modem.

        @raise Misuse: it has no such one, or can't be told how long to gather octets, as before 3.02.
        """
        if modem.generation.numbersSockets:
            return cls("TCP", delay, number)
        if number != 1 or delay is not None:
            raise Misuse("a stack before 3.02 has one TCP socket, and no delay for it")
        return cls("TCP", None)

    def key(self, name: str) -> Key:
        """
        One of its parameters.
        """
        full = f"{self.kind}{name}"
        return full if self.number is None else (full, self.number)

    def line(self, before: str, behind: str = "") -> str:
        """
        One of its command lines.
        """
        return f"AT#{before}{self.kind}{behind}" + ("" if self.number is None else f"={self.number}")

    def parameters(self, server: str, port: int) -> dict[Key, Value]:
        """
        What is set before it is used. DLEMODE is never relied on (MTS-GAP-61).
        """
        values: dict[Key, Value] = {self.key("SERV"): server, self.key("PORT"): port}
        if self.delay is not None:
            values[self.key("TXDELAY")] = self.delay
        if self.kind == "TCP":
            values["DLEMODE" if self.number is None else ("DLEMODE", self.number)] = 1
        return values

    def session(
        self, modem: MultitechClient, build: Callable[[], IProtocol | None], host: IAddress, peer: IAddress
    ) -> DataSession:
        """
        A connection by it.
        """
        if self.kind == "TCP":
            return SocketSession(modem, Coded(), Message.WAITING_FOR_DATA, build, host=host, peer=peer)
        assert self.delay is not None
        return DatagramSession(
            modem, Coded(), Message.WAITING_FOR_DATA, build, host=host, peer=peer, apart=self.delay / 1000 + APART
        )
