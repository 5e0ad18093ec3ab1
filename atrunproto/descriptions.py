"""
Endpoint strings in options: read as Twisted does, and with ports that exist.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

#: the highest port of TCP
LAST_PORT = 65_535


def readServer(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    Read a server endpoint string.

    @raise ValueError: it cannot be used; endpoint parsers raise other things as well.
    """
    endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    _checkPort(endpoint)
    return endpoint


def readClient(reactor: Any, description: str) -> IStreamClientEndpoint:
    """
    Read a client endpoint string.

    @raise ValueError: it cannot be used; endpoint parsers raise other things as well.
    """
    endpoint: IStreamClientEndpoint = clientFromString(reactor, description)
    _checkPort(endpoint)
    return endpoint


def _checkPort(endpoint: Any) -> None:
    """
    Refuse what Twisted would only find out when it listens or connects.
    """
    port = getattr(endpoint, "_port", 0)
    if isinstance(port, int) and not 0 <= port <= LAST_PORT:
        raise ValueError(f"there is no port {port}, they end with {LAST_PORT}")
