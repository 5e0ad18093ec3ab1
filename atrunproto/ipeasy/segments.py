"""
The largest TCP segment that a module lets its peers send, told to them when a connection is opened.

Source: IP Easy User Guide 3.2.1.7 (S), reference 6.1 (#TCPMAXDAT); TEL-OPT.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.tcp import Client, Connector


def limitSegments(sock: socket.socket, size: int) -> None:
    """
    Declare a largest segment on a socket that isn't connected yet.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, size)


class _LimitedClient(Client):
    """
    A connection that declares a largest segment in its SYN.
    """

    def createInternetSocket(self) -> socket.socket:
        sock: socket.socket = super().createInternetSocket()  # type: ignore[no-untyped-call]
        limitSegments(sock, self.connector.segment)
        return sock


class _LimitedConnector(Connector):
    """
    Makes such connections; Twisted's own has no place for an option of the socket.
    """

    def __init__(self, segment: int, *facts: Any) -> None:
        self.segment = segment
        super().__init__(*facts)

    def _makeTransport(self) -> Client:
        return _LimitedClient(  # type: ignore[no-untyped-call]
            self.host, self.port, self.bindAddress, self, self.reactor
        )


def connectTCP(
    reactor: Any, host: str, port: int, factory: Any, bindAddress: tuple[str, int] | None, segment: int
) -> Any:
    """
    Connect as an IReactorTCP does, without a timeout.

    @param segment: octets of the largest segment; 0 leaves it to the system, as does a reactor without real sockets.
    """
    if not segment or not IReactorFDSet.providedBy(reactor):
        return reactor.connectTCP(host, port, factory, timeout=None, bindAddress=bindAddress)
    connector = _LimitedConnector(segment, host, port, factory, None, bindAddress, reactor)
    connector.connect()
    return connector
