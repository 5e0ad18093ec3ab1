"""
A transport of an AT instance with nobody at its other end.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address


class Unpeered:
    """
    What such a transport is beside its C{write}: nothing piles up there, and there is nobody to hold back.
    """

    __slots__ = ()

    def getPeer(self) -> IPv4Address:
        """
        The module itself.
        """
        return IPv4Address("TCP", "127.0.0.1", 0)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        What is written is taken at once.
        """

    def unregisterProducer(self) -> None:
        """
        What is written is taken at once.
        """

    def pauseProducing(self) -> None:
        """
        The next line waits for the answer anyway.
        """

    def resumeProducing(self) -> None:
        """
        The next line waits for the answer anyway.
        """
