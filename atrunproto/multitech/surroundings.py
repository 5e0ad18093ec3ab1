"""
What Multi-Tech's commands and services need of the module round them.
"""

from __future__ import annotations

from typing import Protocol

from atrunproto.at.surroundings import Stack, Surroundings


class MultitechSurroundings(Surroundings, Stack, Protocol):
    """
    A module with a network.
    """

    @property
    def isRegistered(self) -> bool:
        """
        Whether a network serves the module.
        """
