"""
What the service needs of the module round it, as interfaces: whoever embeds it provides them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.interfaces import IAddress, IProtocol

from atrunproto.admission import Rule
from atrunproto.at.bearer import Bearer
from atrunproto.at.surroundings import ServiceSurroundings


class ServiceSocket(Protocol):
    """
    What the service needs of the socket it runs on.
    """

    @property
    def isFree(self) -> bool:
        """
        Whether nothing goes on there.
        """

    @property
    def address(self) -> str | None:
        """
        The address of its context, or C{None}.
        """

    @property
    def cid(self) -> int:
        """
        The context it is tied to.
        """

    async def listen(
        self, port: int, rules: Sequence[Rule], accept: Callable[[IAddress], IProtocol | None], lost: Callable[[], None]
    ) -> None:
        """
        Listen; C{CannotListenError} if the port is taken.
        """

    def admit(self, rules: Sequence[Rule]) -> None:
        """
        Change the firewall.
        """

    async def dial(self, host: str, port: int, above: IProtocol, bearer: Bearer = ...) -> Any:
        """
        Connect; C{ConnectError} if that fails.
        """

    def carry(self, above: IProtocol, bearer: Bearer = ...) -> IProtocol:
        """
        The connection of an accepted caller.
        """

    def stopListening(self) -> None:
        """
        Leave the port; a connection that is up stays.
        """

    def close(self) -> None:
        """
        End everything on it.
        """


class Surroundings(ServiceSurroundings, Protocol):
    """
    What the service needs of the module round it.
    """

    def serviceSocket(self, connId: int) -> ServiceSocket:
        """
        One of the six sockets.
        """

    def watchContexts(self, watcher: Callable[[int, str | None], None]) -> None:
        """
        Hear of each context that becomes active or ceases to be.
        """

    def duration(self, name: str) -> float:
        """
        Seconds that something typically takes.
        """
