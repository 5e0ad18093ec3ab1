"""
One attempt of a socket to connect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import protocol
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure

from .link import Link


class Attempt:
    """
    An attempt, from the resolving of the host's name until the connection is there or it has failed.

    @ivar isUDP: whether datagrams are to be sent.
    """

    __slots__ = ("_connector", "_done", "isUDP")

    def __init__(self, isUDP: bool) -> None:
        self.isUDP = isUDP
        self._connector: Any = None
        self._done: Deferred[Link] = Deferred(lambda _: self.giveUp(CancelledError()))

    async def run(self, resolved: Deferred[str], connect: Callable[[str], Any]) -> Link:
        """
        Connect to the host that is being resolved.

        @param connect: begins to connect to an address; gives the connector, if there is one.
        """

        def begin(found: str) -> None:
            if self._done.called:
                return
            connector = connect(found)
            if not self._done.called:
                self._connector = connector

        resolved.addCallback(begin).addErrback(self.fail)
        return await self._done

    def succeed(self, link: Link) -> None:
        """
        The connection is there.
        """
        if not self._done.called:
            self._done.callback(link)

    def fail(self, reason: Failure) -> None:
        """
        It can't be had.
        """
        if not self._done.called:
            self._done.errback(reason)

    def giveUp(self, reason: Exception) -> None:
        """
        End it, unless it is over.
        """
        if self._done.called:
            return
        # the reason first, for a connector that is stopped tells one of its own
        self.fail(Failure(reason))
        connector, self._connector = self._connector, None
        if connector is not None:
            connector.disconnect()


class Dialled(protocol.ClientFactory):
    """
    The other end of one connection attempt.
    """

    noisy = False

    def __init__(self, link: Link, failed: Callable[[Failure], None]) -> None:
        self._link = link
        self._failed: Callable[[Failure], None] | None = failed

    def buildProtocol(self, addr: IAddress | None) -> Any:
        # the factory lives as long as the connection; what the attempt has left would be kept with it
        self._failed = None
        return self._link

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        if self._failed is not None:
            self._failed(reason)
