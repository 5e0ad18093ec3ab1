"""
How a module calls a server: from which of its addresses, and who may take the connection.

Source: design, rulings, Network.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory

from .surroundings import Stack


def sourceTowards(host: str, address: str) -> str:
    """
    The address that a socket of the module speaks from: its own when the host is on loopback or that address isn't;
    otherwise the system chooses, so that modules reach other machines.

    @param host: where it speaks to, in dotted form.
    @param address: the module's own, that of its context.
    @return: the empty string: the system's choice.
    """
    return address if _isLoopback(host) or not _isLoopback(address) else ""


def _isLoopback(host: str) -> bool:
    return host.startswith("127.")


class One(Factory):
    """
    Makes one connection what it is to be, if it comes from the right address.
    """

    noisy = False

    def __init__(self, made: IProtocol, source: str | None = None) -> None:
        """
        @param source: the address that it must come from; all of loopback is one machine's.
        """
        self._made: Any = made
        self._source = source

    def buildProtocol(self, addr: IAddress | None) -> Any:
        if self._source is not None and not _isSame(getattr(addr, "host", ""), self._source):
            return None
        made, self._made = self._made, None
        return made


def _isSame(host: str, other: str) -> bool:
    """
    Whether two addresses are one machine's.
    """
    return host == other or (_isLoopback(host) and _isLoopback(other))


async def call(stack: Stack, host: str, port: int, address: str, made: IProtocol, patience: float) -> None:
    """
    Connect to a server.

    @param host: the server, in dotted form.
    @param address: that of the module.
    @param patience: seconds that the server has to take the connection.
    @raise Exception: it can't be reached, by one of Twisted's errors of connecting; or not in time.
    """
    source = sourceTowards(host, address)
    endpoint = TCP4ClientEndpoint(stack.reactor, host, port, patience, (source, 0) if source else None)
    await endpoint.connect(One(made)).addTimeout(patience, stack.clock)
