"""
What sockets need of the module round them, as an interface: whoever embeds them provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from atrunproto.at.module import ATInstance
from atrunproto.at.notices import Notice
from atrunproto.at.online import Online
from atrunproto.at.surroundings import ContextUser

from .listening import Listener


class Surroundings(ContextUser, Protocol):
    """
    What sockets need of the module round them.
    """

    def claimPort(self, address: str, port: int) -> Deferred[None]:
        """
        Fires when nothing of an earlier time holds this port any more.
        """

    def releasePort(self, address: str, port: int, stopped: Deferred[None]) -> None:
        """
        A port is being left; it is free when C{stopped} fires.
        """

    def abandon(self, listener: Listener, address: str, port: int) -> None:
        """
        Take over a listener whose address is off the air.
        """

    def tell(self, number: int, notice: Notice) -> bool:
        """
        Tell a notice on an AT instance, and whether somebody is attached there.
        """

    def answer(self, number: int, make: Callable[[ATInstance], Online]) -> bool:
        """
        Let an AT instance go online unasked if it is in command mode, and whether it did.
        """

    def limit(self, name: str) -> int:
        """
        A limit of the product: C{viewed} and C{sent} octets, connections C{online} at once; C{answering}, whether a
        socket may answer its caller by itself, C{attempts}, whether #SS shows that one is dialled, and C{callers},
        whether one that waits for datagrams hears others beside its first caller (TEL-CON-49, TEL-CON-52, TEL-CON-54,
        TEL-CON-47; reference 6.5, 6.6).
        """
