"""
What e-mail needs of the module round it, as an interface: whoever embeds it provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from atrunproto.at.module import ATInstance
from atrunproto.at.settings import Settings


class Surroundings(Protocol):
    """
    What e-mail needs of the module round it.
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

    def watchContexts(self, watcher: Callable[[int, str | None], None]) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """

    async def activateContext(self, at: ATInstance, cid: int) -> str:
        """
        Activate a context and give its address.

        @raise CommandFailed: it can't be.
        """

    def deactivateContext(self, cid: int) -> None:
        """
        End a context.
        """

    def resolve(self, name: str) -> Deferred[str]:
        """
        The address of a host, in dotted form.
        """

    def softwareReaches(self, minimum: str) -> bool:
        """
        Whether the module has this version of its software, or a newer one.
        """
