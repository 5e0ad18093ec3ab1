"""
How the octets of a socket are grouped into packets.

Octets gather until a packet is full; a shorter rest leaves when the transmission timeout has passed since its first
octet, or since its last one, or as soon as the forward character is in it.
Source: reference 6.1 (#SCFG pktSz and txTo, #SCFGEXT2 bufferStart, #PADFWD); TEL-SCF-11, TEL-ALR-03.
"""

from __future__ import annotations


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

    def gather(self, data: bytes, now: float) -> list[bytes]:
        """
        Take octets; give the packets that are full.
        """
        if self.restarts or not self._held:
            self._since = now
        held = self._held + data
        size, start = self.size, 0
        packets: list[bytes] = []
        if self.forward is not None:
            while end := held.find(self.forward, start) + 1:
                packets += [held[at : min(at + size, end)] for at in range(start, end, size)]
                start = end
        full = len(held) - (len(held) - start) % size
        packets += [held[at : at + size] for at in range(start, full, size)]
        if packets:
            held = held[full:]
            self._since = now
        self._held = held
        return packets

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
