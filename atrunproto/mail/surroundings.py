"""
What e-mail needs of the module round it, as an interface: whoever embeds it provides it.
"""

from __future__ import annotations

from typing import Protocol

from atrunproto.at.surroundings import ContextUser

#: seconds that a server has to take the connection (A)
CONNECTING = 60.0


class Surroundings(ContextUser, Protocol):
    """
    What e-mail needs of the module round it.
    """

    def softwareReaches(self, minimum: str) -> bool:
        """
        Whether the module has this version of its software, or a newer one.
        """
