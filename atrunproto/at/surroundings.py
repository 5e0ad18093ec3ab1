"""
What an AT instance, and protocols beside it, need of the module round them, as interfaces: whoever embeds them
provides these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from .settings import Memory, Settings

if TYPE_CHECKING:
    from .module import ATInstance

Part = TypeVar("Part")


class Surroundings(Protocol):
    """
    What an AT instance needs of the module round it.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from.
        """

    @property
    def settings(self) -> Settings:
        """
        The settings that all instances share.
        """

    @property
    def memory(self) -> Memory:
        """
        The non-volatile memory.
        """

    def part(self, kind: type[Part]) -> Part:
        """
        The module's one object of this class: its radio, its contexts, its sockets.
        """

    def duration(self, name: str) -> float:
        """
        Seconds that a command typically takes.
        """

    def dataCall(self, apartFrom: int) -> bool:
        """
        Whether a data call is up on another instance than this one.
        """

    def isTied(self, cid: int) -> bool:
        """
        Whether a socket is tied to this context.
        """

    def limit(self, name: str) -> int:
        """
        A limit of the product, by a name that the commands of a package give it.
        """

    def identify(self, what: str) -> str:
        """
        An identity answer of the product: C{"manufacturer"}, C{"model"}, C{"revision"}, C{"I0"} to C{"I5"}, ...
        """


class ServiceSurroundings(Protocol):
    """
    What a run-AT service needs of the module round it, whatever its bearer is.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from.
        """

    @property
    def memory(self) -> Memory:
        """
        The non-volatile memory.
        """

    @property
    def settings(self) -> Settings:
        """
        The settings of the module.
        """

    def reservedBy(self, number: int) -> str | None:
        """
        The service that has an AT instance, or C{None}.
        """

    def reserve(self, number: int, service: str) -> ATInstance:
        """
        Take an AT instance; C{CommandFailed} if another service has it.
        """

    def release(self, number: int) -> None:
        """
        Give it back.
        """

    def tell(self, number: int, text: str) -> object:
        """
        Tell a notice on an instance.
        """

    def reboot(self) -> None:
        """
        Restart the module.
        """


class Stack(Protocol):
    """
    What protocols that open connections of their own need of the module: the little of a TCP/IP stack.
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

    def resolve(self, name: str, cid: int = 1) -> Deferred[str]:
        """
        The address of a host as it is seen through a context, in dotted form.
        """


class ContextUser(Stack, Protocol):
    """
    A stack whose contexts a command may activate and end by itself.
    """

    async def activateContext(self, at: ATInstance, cid: int) -> str:
        """
        Activate a context for a command of this instance, and give its address.

        @raise CommandFailed: it can't be.
        """

    def deactivateContext(self, cid: int) -> None:
        """
        End a context, if it is active.
        """
