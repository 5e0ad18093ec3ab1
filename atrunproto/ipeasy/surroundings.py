"""
What sockets need of the module round them, as an interface: whoever embeds them provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from atrunproto.at.module import ATInstance, Notice
from atrunproto.at.online import Online
from atrunproto.at.settings import Settings

from .listening import Listener


class Surroundings(Protocol):
    """
    What sockets need of the module round them.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from.
        """

    @property
    def reactor(self) -> Any:
        """
        Where real sockets are made: an IReactorTCP.
        """

    @property
    def settings(self) -> Settings:
        """
        The settings of the module.
        """

    def address(self, cid: int) -> str | None:
        """
        The address of an active context, or C{None}.
        """

    async def activateContext(self, at: ATInstance, cid: int) -> str:
        """
        Activate a context for a command of this instance, and give its address.
        """

    def deactivateContext(self, cid: int) -> None:
        """
        End a context, if it is active.
        """

    def watchContexts(self, watcher: Callable[[int, str | None], None]) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """

    def resolve(self, name: str, cid: int) -> Deferred[str]:
        """
        The address of a host as it is seen through a context, in dotted form.
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
        A limit of the product: C{viewed} and C{sent} octets, connections C{online} at once, and C{answering}, whether
        a socket may answer its caller by itself (TEL-CON-49, TEL-CON-52, TEL-CON-54, TEL-CON-47).
        """
