"""
The commands that tell how the sockets stand, and change nothing.

Source: reference 6.1 (#SLASTCLOSURE) and 6.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int

from .module import SOCKETS, SocketTable

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("ipeasy status")
#: what xE910-3G has besides
xE910 = CommandTable("ipeasy status xE910")

_WHICH = Int("connId", 1, SOCKETS, default=None)


def _chosen(connId: int | None) -> Sequence[int]:
    """
    The sockets that a query is about: this one, or all.
    """
    return [connId] if connId else range(1, SOCKETS + 1)


@commands.action("#SS", _WHICH, source="reference 6.6 (S IP Easy User Guide 3.2.2.4)")
def socketStatus(at: ATInstance, connId: int | None) -> list[str]:
    """
    The status of one socket, or of all.
    """
    sockets = at.part(SocketTable)
    return [sockets.describe(number) for number in _chosen(connId)]


@commands.action("#SI", _WHICH, source="reference 6.6; TEL-CMD-22, TEL-CMD-23")
def socketInformation(at: ATInstance, connId: int | None) -> list[str]:
    """
    Octets sent, read, waiting to be read, and not yet acknowledged by the peer.
    """
    sockets = at.part(SocketTable)
    return [sockets.information(number) for number in _chosen(connId)]


@xE910.action("#ST", _WHICH, source="reference 6.6 (the numbers: A)")
def socketType(at: ATInstance, connId: int | None) -> list[str]:
    """
    Type and direction of one socket, or of all: 0 none, 1 TCP, 2 UDP; 0 none, 1 dialled, 2 listening or called.
    """
    sockets = at.part(SocketTable)
    return ["#ST: {},{},{}".format(number, *sockets.kind(number)) for number in _chosen(connId)]


@commands.action("#SLASTCLOSURE", _WHICH, source="reference 6.1")
def lastClosure(at: ATInstance, connId: int | None) -> list[str]:
    """
    Why a socket was closed the last time: 0 by command, 1 by the peer, 2 aborted, 3 inactivity, 4 network (A).
    """
    sockets = at.part(SocketTable)
    return [f"#SLASTCLOSURE: {number},{sockets.socket(number).conversation.cause}" for number in _chosen(connId)]
