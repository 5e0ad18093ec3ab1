"""
What FTP needs of the module round it, as an interface: whoever embeds it provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from atrunproto.at.settings import Settings


class Surroundings(Protocol):
    """
    What FTP needs of the module round it.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from.
        """

    @property
    def reactor(self) -> Any:
        """
        Where real connections are made: an IReactorTCP.
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

    def resolve(self, name: str) -> Deferred[str]:
        """
        The address of a host, in dotted form.
        """
