"""
Modem lines: what a transport knows of DTR, DCD and the like, as interfaces that it provides when it has them.

A transport without lines (TCP, memory) provides none of these; C{isinstance(transport, IModemLines)} tells. The two
sides see the lines from opposite ends (V.24): the module drives DCD (109), RI (125) and DSR (107) and watches DTR (108)
and RTS (105), the peer the other way round. No reactor and no device is known here; transports that have lines are
those of C{atrunproto.endpoints}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

LineCallback = Callable[[str, bool], None]
"""Hears of a change: the line's name, one of C{DTR RTS DSR DCD RI CTS}, and whether it is on now."""


@runtime_checkable
class ILineChanges(Protocol):
    """
    A transport that tells when a line driven by the other end changes.
    """

    def onLineChange(self, callback: LineCallback) -> Callable[[], None]:
        """
        Call C{callback} at each change from now on.

        @return: a function that ends the subscription; it may be called twice.
        """


@runtime_checkable
class IModemLines(ILineChanges, Protocol):
    """
    The lines as the module sees them: it drives DCD, RI and DSR, and hears of C{DTR} and C{RTS}.

    A setter for which the transport has no wire does nothing.
    """

    def setCarrier(self, on: bool) -> None:
        """
        Drive DCD (AT&C decides when).
        """

    def setRing(self, on: bool) -> None:
        """
        Drive RI.
        """

    def setReady(self, on: bool) -> None:
        """
        Drive DSR (AT&S decides when).
        """


@runtime_checkable
class IPeerLines(ILineChanges, Protocol):
    """
    The lines as the peer sees them: it drives DTR and RTS, and hears of C{DSR}, C{DCD}, C{RI} and C{CTS}.
    """

    def setDTR(self, on: bool) -> None:
        """
        Drive DTR: a drop may end online mode (AT&D).
        """

    def setRTS(self, on: bool) -> None:
        """
        Drive RTS; with C{rtscts=1} the driver does so itself.
        """
