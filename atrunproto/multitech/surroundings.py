"""
What Multi-Tech's commands and services need of the module round them.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from atrunproto.at.surroundings import Stack, Surroundings

from .generations import Generation


class MultitechSurroundings(Surroundings, Stack, Protocol):
    """
    A module with a network.
    """

    @property
    def generation(self) -> Generation:
        """
        The generation of the module's IP stack.
        """

    @property
    def isRegistered(self) -> bool:
        """
        Whether a network serves the module.
        """

    @property
    def isAttached(self) -> bool:
        """
        Whether the module is attached to the packet service.
        """

    @property
    def gateway(self) -> str:
        """
        The address of the other end of a connection.
        """

    @property
    def givesNameServers(self) -> bool:
        """
        Whether the operator gives name servers to contexts.
        """

    @property
    def releaseFails(self) -> bool:
        """
        Whether something inside the modem fails when a connection is released.
        """

    async def openContext(self, cid: int, apn: str, user: str, password: str) -> str:
        """
        Have the network activate a context, which may take a while, and give its address.

        @raise CommandFailed: it refuses; C{CME[567]} is for the access point, its user and password, errors of
            Multi-Tech's own are passed on.
        """

    def deactivateContext(self, cid: int) -> None:
        """
        End a context, if it is active.
        """

    def askServer(self, server: str, name: str) -> Deferred[str]:
        """
        Ask one name server for the address of a host; fails with C{DNSLookupError}.
        """

    def echo(self, source: str, address: str, number: int, seconds: float) -> Deferred[float | None]:
        """
        Send an echo request.

        @param source: the address of the module.
        @param number: of the request, from 1 on.
        @param seconds: how long to wait for the reply.
        @return: the seconds that it took, or C{None} where none came. It may be cancelled.
        """
