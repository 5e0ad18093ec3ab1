"""Much data through a live module: how it is read, and how much it is."""

from __future__ import annotations

import socket
import threading

from atrunproto.testing.emulated import PATIENCE

#: octets each way
MUCH = 64 << 20


class Reader(threading.Thread):
    """Reads a socket to its end, or up to so many octets, in a thread of its own."""

    def __init__(self, sock: socket.socket, most: int = 0) -> None:
        super().__init__(daemon=True)
        self.got = bytearray()
        self._most = most
        self._sock = sock
        self._more = threading.Condition()
        self._seen = 0
        self.start()

    def run(self) -> None:
        """Read."""
        while not self._most or len(self.got) < self._most:
            data = self._sock.recv(1 << 18)
            with self._more:
                self.got += data
                self._more.notify_all()
            if not data:
                return

    def reach(self, count: int) -> None:
        """Wait until so many octets have come."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.got) >= count, PATIENCE), len(self.got)

    def until(self, told: bytes) -> None:
        """Wait until the module has told this since the last time."""

        def found() -> bool:
            at = self.got.find(told, self._seen)
            self._seen = at + len(told) if at >= 0 else max(self._seen, len(self.got) - len(told))
            return at >= 0

        with self._more:
            assert self._more.wait_for(found, PATIENCE), self.got[-100:]
