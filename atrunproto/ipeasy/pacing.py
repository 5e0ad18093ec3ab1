"""
How the octets of a socket are grouped into packets.

Octets gather until a packet is full; a shorter rest leaves when the transmission timeout has passed since its first
octet.
Source: reference 6.1 (#SCFG pktSz and txTo); TEL-SCF-11, TEL-ALR-03.
"""

from __future__ import annotations


class Packets:
    """
    Gathers octets; the time is an argument. It never holds as much as a whole packet.
    """

    __slots__ = ("_held", "_since", "size", "timeout")

    def __init__(self, size: int, timeout: float) -> None:
        """
        @param size: octets of a full packet (pktSz).
        @param timeout: seconds (txTo); 0: a short rest waits for more without end.
        """
        self.size = size
        self.timeout = timeout
        self._held = b""
        self._since = 0.0

    def gather(self, data: bytes, now: float) -> list[bytes]:
        """
        Take octets; give the packets that are full.
        """
        if not self._held:
            self._since = now
        held = self._held + data
        size = self.size
        if len(held) < size:
            self._held = held
            return []
        full = len(held) - len(held) % size
        self._held = held[full:]
        self._since = now
        return [held[at : at + size] for at in range(0, full, size)]

    def deadline(self) -> float | None:
        """
        When the rest leaves, in seconds; C{None}: there is none, or it has no timeout.
        """
        return self._since + self.timeout if self._held and self.timeout else None

    def flush(self) -> bytes:
        """
        The rest, whenever it is due.
        """
        held, self._held = self._held, b""
        return held
