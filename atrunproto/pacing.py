"""
How the octets of a socket are grouped into packets.

Octets gather until a packet is full; a shorter rest leaves when the transmission timeout has passed since its first
octet, or since its last one, or as soon as the forward character is in it.
Source: reference 6.1 (#SCFG pktSz and txTo, #SCFGEXT2 bufferStart, #PADFWD); TEL-SCF-11, TEL-ALR-03.
"""

from __future__ import annotations

from collections.abc import Iterator


class Packets:
    """
    Gathers octets; the time is an argument. It never holds as much as a whole packet.

    @ivar forward: the octet that completes a packet, itself included; C{None}: there is none.
    @ivar restarts: the timeout of a short rest begins anew with whatever comes.
    """

    __slots__ = ("_held", "_since", "forward", "restarts", "size", "timeout")

    def __init__(self, size: int, timeout: float) -> None:
        """
        @param size: octets of a full packet (pktSz).
        @param timeout: seconds (txTo); 0: a short rest waits for more without end.
        """
        self.size = size
        self.timeout = timeout
        self.forward: int | None = None
        self.restarts = False
        self._held = b""
        self._since = 0.0

    def fill(self, data: bytes, now: float) -> bytes:
        """
        Take octets; give those of the packets that are full, in one piece, as a stream has them.
        """
        if self.restarts or not self._held:
            self._since = now
        held = self._held + data
        start = 0 if self.forward is None else held.rfind(self.forward) + 1
        full = len(held) - (len(held) - start) % self.size
        if full:
            self._since = now
        self._held = held[full:]
        return held[:full]

    def cut(self, full: bytes) -> Iterator[bytes]:
        """
        The packets in what L{fill} has given.
        """
        start = 0
        while start < len(full):
            forward = 0 if self.forward is None else full.find(self.forward, start) + 1
            end = forward or len(full)
            for at in range(start, end, self.size):
                yield full[at : min(at + self.size, end)]
            start = end

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
