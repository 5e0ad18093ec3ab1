"""
What an AT instance needs of the module round it, as an interface: whoever embeds an instance provides it.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime

from .settings import Memory, Settings

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
