"""
The sockets of a module: six connections, and the firewall of those that listen.

Other protocol packages borrow a socket through L{SocketTable.socket}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atrunproto.admission import Rule

from .lifecycle import State
from .sockets import Socket, Status
from .surroundings import Surroundings

#: connections of a module (TEL-MSK-03)
SOCKETS = 6


class SocketTable:
    """
    The six sockets of a module.
    """

    __slots__ = ("_sockets", "surroundings")

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._sockets: dict[int, Socket] = {}
        surroundings.watchContexts(self._contextChanged)

    def socket(self, connId: int) -> Socket:
        """
        One of the six, 1 to 6.
        """
        found = self._sockets.get(connId)
        if found is None:
            found = self._sockets[connId] = Socket(self, connId)
        return found

    @property
    def segment(self) -> int:
        """
        The largest segment that peers may send (#TCPMAXDAT); 0: the system's own.
        """
        return int(self.surroundings.settings.value("#TCPMAXDAT"))

    def describe(self, connId: int) -> str:
        """
        A line of #SS.
        """
        found = self._sockets.get(connId)
        return f"#SS: {connId},0" if found is None else found.describe()

    def kind(self, connId: int) -> tuple[int, int]:
        """
        Type and direction of a socket, as in #ST.
        """
        found = self._sockets.get(connId)
        return (0, 0) if found is None else found.kind

    def isConnected(self, connId: int) -> bool:
        """
        Whether this socket has a connection, or tries to get one.
        """
        found = self._sockets.get(connId)
        return found is not None and found.isConnected

    def reconfigured(self, connId: int) -> None:
        """
        The settings of a socket have changed.
        """
        found = self._sockets.get(connId)
        if found is not None:
            found.reconfigure()

    def isFree(self, connId: int) -> bool:
        """
        Whether nothing goes on at this socket.
        """
        return connId not in self._sockets or self._sockets[connId].isFree

    def isListening(self, port: int, forDatagrams: bool = False) -> bool:
        """
        Whether a socket listens on this port (TEL-LIS-04).
        """
        return any(
            socket.listeningPort == port and socket.listensForDatagrams == forDatagrams
            for socket in self._sockets.values()
        )

    def datagramListeners(self) -> list[str]:
        """
        The lines of #SLUDP? (the form: assumed).
        """
        return [
            f"#SLUDP: {socket.connId},{socket.listeningPort}"
            for _, socket in sorted(self._sockets.items())
            if socket.listensForDatagrams
        ]

    @property
    def mayGoOnline(self) -> bool:
        """
        Whether the product can have one more socket online (TEL-LIM-04, TEL-CON-54).
        """
        online = sum(socket.shown == Status.ACTIVE for socket in self._sockets.values())
        return online < self.surroundings.limit("online")

    def listeners(self) -> list[str]:
        """
        The lines of #SL?.
        """
        return [
            f"#SL: {socket.connId},{socket.listeningPort},{socket.conversation.closureType}"
            for _, socket in sorted(self._sockets.items())
            if socket.listeningPort and not socket.listensForDatagrams and socket.conversation.isAtWork
        ]

    def information(self, connId: int) -> str:
        """
        A line of #SI; a closed socket has one too as long as octets wait to be read (A).
        """
        found = self._sockets.get(connId)
        if found is None or not (found.conversation.isConnected or found.conversation.state is State.DRAINING):
            return f"#SI: {connId},0,0,0,0"
        conversation = found.conversation
        return f"#SI: {connId},{found.sent},{conversation.extracted},{conversation.pending},{found.unacknowledged}"

    def admit(self, rules: Sequence[Rule]) -> None:
        """
        The firewall of listening sockets has changed.
        """
        for socket in self._sockets.values():
            if not socket.isLent:
                socket.admit(rules)

    def powerOff(self) -> None:
        """
        The contexts are about to end, and everything with them; there is nobody to tell.
        """
        for socket in self._sockets.values():
            socket.conversation.owner = 0

    def _contextChanged(self, cid: int, address: str | None) -> None:
        if address is None:
            # each tells its end: in the order of their numbers (A)
            for _, socket in sorted(self._sockets.items()):
                if socket.cid == cid and not socket.isFree:
                    socket.contextLost()


class Firewall:
    """
    The rules for callers of listening sockets; they are not stored (reference 6.1).

    @ivar rules: who is admitted; nobody while there is none (TEL-IFW-02).
    """

    def __init__(self, surroundings: Any) -> None:
        self._surroundings = surroundings
        self.rules: list[Rule] = []

    def change(self, rules: list[Rule]) -> None:
        """
        Put other rules in force, for ports that listen already too.
        """
        self.rules = rules
        self._surroundings.part(SocketTable).admit(rules)

    def powerOff(self) -> None:
        """
        They go with the power.
        """
        self.rules = []
