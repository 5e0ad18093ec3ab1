"""
What the service needs of the module round it, as an interface: whoever embeds it provides it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from atrunproto.at.surroundings import ServiceSurroundings
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver, Submit

from .activation import Activation


class Surroundings(ServiceSurroundings, Protocol):
    """
    What the service needs of the module round it.
    """

    @property
    def activation(self) -> Activation | None:
        """
        The special message that enables the service, where there is one.
        """

    @property
    def isGoingDown(self) -> bool:
        """
        Whether the module is about to restart or to switch off.
        """

    def watchMessages(self, take: Callable[[Address, Deliver], bool]) -> None:
        """
        Look at each incoming message first; what is taken is neither stored nor shown (TEL-SMS-22).
        """

    async def sendMessage(self, unit: Submit) -> int:
        """
        Send a message; C{CommandFailed} if that can't be.
        """

    def newReference(self) -> int:
        """
        A reference for the parts of one long message.
        """
