"""
How a module calls a mail server.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory

from atrunproto.at.surroundings import Stack

#: seconds that a server has to take the connection (A)
CONNECTING = 60.0


class _One(Factory):
    """
    Makes the one connection what it is to be.
    """

    noisy = False

    def __init__(self, made: Any) -> None:
        self._made = made

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return self._made


async def call(module: Stack, host: str, port: int, address: str, made: IProtocol) -> None:
    """
    Connect to a server; from the module's own address when the server is on loopback or that address isn't.

    @param host: the server, in dotted form.
    @param address: that of the module.
    @raise Exception: it can't be reached, by one of Twisted's errors of connecting; or not within L{CONNECTING}.
    """
    isNear = host.startswith("127.") or not address.startswith("127.")
    endpoint = TCP4ClientEndpoint(module.reactor, host, port, CONNECTING, (address, 0) if isNear else None)
    await endpoint.connect(_One(made)).addTimeout(CONNECTING, module.clock)
