"""
What short messages need of the module round them, as an interface: whoever embeds them provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime

from atrunproto.at.results import Reason
from atrunproto.at.settings import Memory, Settings

from .fields import Address
from .tpdu import Submit

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance


class Surroundings(Protocol):
    """
    What short messages need of the module round them.
    """

    @property
    def clock(self) -> IReactorTime:
        """
        Where time comes from; its seconds count from the beginning of 1970 where time stamps are to be right.
        """

    @property
    def settings(self) -> Settings:
        """
        The settings that all instances share.
        """

    @property
    def memory(self) -> Memory:
        """
        The non-volatile memory, in which that of the SIM card is too.
        """

    @property
    def centreNumber(self) -> str:
        """
        The number of the service centre that the SIM card knows.
        """

    @property
    def carriesMessages(self) -> bool:
        """
        Whether messages can come and go: registered, and +CGSMS and +CGCLASS leave a way for them.
        """

    def simProblem(self) -> Reason | None:
        """
        Why the SIM card can't be used, a reason of +CMS ERROR, or C{None}.
        """

    def mayReach(self, number: str) -> bool:
        """
        Whether the SIM card lets messages to a number leave.
        """

    def duration(self, name: str) -> float:
        """
        Seconds that a command typically takes.
        """

    def limit(self, name: str) -> int:
        """
        A limit of the product: C{"messages SM"} and C{"messages ME"} are the places of the memories.
        """

    def forEach(self, tell: Callable[[ATInstance], None]) -> None:
        """
        Tell something to each instance that somebody is attached to.
        """

    def handOver(self, centre: Address, unit: Submit) -> None:
        """
        Give a message to the network.
        """

    def hasRoom(self) -> None:
        """
        A message that could not be taken may be brought again.
        """
