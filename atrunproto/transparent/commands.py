"""
Multi-Tech's commands of the TCP sockets and of UDP.

Source: Multi-Tech guide, ch. 5 and 6; MTS-TCP-06 to MTS-TCP-12, MTS-TCP-22, MTS-UDP-05 to MTS-UDP-10, MTS-GAP-25, -46.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.multitech.commands import SOCKET_ID, STRICT

from .datagrams import UDPSocket
from .sockets import TCPSockets

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance
    from atrunproto.at.online import Online

commands = CommandTable("multitech sockets")


@commands.action("#OTCP", SOCKET_ID, source="MTS-TCP-12, MTS-TCP-22, MTS-GAP-46", **STRICT)
async def connect(at: ATInstance, socket: int) -> Online:
    """
    Connect a TCP socket to its peer, and go online with it.
    """
    return await at.part(TCPSockets).open(socket)


@commands.action("#LTCPSTART", SOCKET_ID, source="MTS-TCP-06, MTS-TCP-07, MTS-GAP-25", **STRICT)
def listen(at: ATInstance, socket: int) -> None:
    """
    Wait for the peer of a TCP socket; the port goes online with it when it calls.
    """
    at.part(TCPSockets).listen(at, socket)


@commands.action("#LTCPSTOP", SOCKET_ID, source="MTS-TCP-09", **STRICT)
async def stop(at: ATInstance, socket: int) -> None:
    """
    Wait no longer for the peer of a TCP socket.
    """
    await at.part(TCPSockets).stop(socket)


udp = CommandTable("multitech UDP")


@udp.action("#OUDP", source="MTS-UDP-10", **STRICT)
async def connectUDP(at: ATInstance) -> Online:
    """
    Speak with one peer by UDP, and go online with it.
    """
    return await at.part(UDPSocket).open()


@udp.action("#LUDPSTART", source="MTS-UDP-05 to MTS-UDP-08, MTS-GAP-25", **STRICT)
async def listenUDP(at: ATInstance) -> None:
    """
    Wait for the first datagram; the port goes online with its sender.
    """
    await at.part(UDPSocket).listen(at)


@udp.action("#LUDPSTOP", source="MTS-UDP-09, MTS-GAP-32", **STRICT)
async def stopUDP(at: ATInstance) -> None:
    """
    Wait no longer for a datagram.
    """
    await at.part(UDPSocket).stop()
