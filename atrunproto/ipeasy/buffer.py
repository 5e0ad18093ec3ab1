"""
What a socket has received and nobody has read yet: octets in their order, and of datagrams where each ends.

Source: reference 6.4 (srMode 3) and 6.5 (#SRECV); TEL-CMD-12, TEL-CMD-21.
"""

from __future__ import annotations

from typing import NamedTuple

#: an address and a port
Place = tuple[str, int]

#: octets that wait to be read before the sender is held back (A); a module's receive window is of this order
WINDOW = 16384
#: datagrams that wait to be read before further ones are dropped, however short they are (A)
DATAGRAMS = 128


class Portion(NamedTuple):
    """
    What was read of one datagram.

    @ivar left: octets of it that still wait.
    """

    data: bytes
    origin: Place
    left: int


class ReceiveBuffer:
    """
    Octets that wait to be read, the oldest first.

    Of a datagram its origin is kept too, and how many of its octets still wait; a stream has nothing of the kind.
    Who fills it stops while it is full; what it then still gets is kept all the same.
    """

    __slots__ = ("_datagrams", "_octets")

    def __init__(self) -> None:
        self._octets = bytearray()
        # at most so many that to take the first out of the list costs nothing
        self._datagrams: list[tuple[Place, int]] = []

    def __len__(self) -> int:
        return len(self._octets)

    @property
    def isFull(self) -> bool:
        """
        Whether no more should come: L{WINDOW} octets wait, or L{DATAGRAMS} datagrams.
        """
        return len(self._octets) >= WINDOW or len(self._datagrams) >= DATAGRAMS

    def put(self, data: bytes, origin: Place | None = None) -> None:
        """
        Keep what has come.

        @param origin: who has sent it, where it is a datagram.
        """
        self._octets += data
        if origin is not None:
            self._datagrams.append((origin, len(data)))

    def take(self, count: int) -> bytes:
        """
        Read up to so many octets, regardless of where datagrams end.
        """
        data = bytes(self._octets[:count])
        del self._octets[:count]
        rest = len(data)
        while rest and self._datagrams:
            origin, waiting = self._datagrams[0]
            if waiting > rest:
                self._datagrams[0] = origin, waiting - rest
            else:
                del self._datagrams[0]
            rest -= min(rest, waiting)
        return data

    def takeDatagram(self, count: int) -> Portion | None:
        """
        Read up to so many octets of the oldest datagram; C{None}: there is none.
        """
        if not self._datagrams:
            return None
        origin, waiting = self._datagrams[0]
        data = self.take(min(count, waiting))
        return Portion(data, origin, waiting - len(data))

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._octets.clear()
        self._datagrams.clear()
