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
#: as they were while there was one TCP socket
earlier = CommandTable("multitech socket before 3.02")


async def connect(at: ATInstance, socket: int | None = None) -> Online:
    """
    Connect a TCP socket to its peer, and go online with it.
    """
    return await at.part(TCPSockets).open(socket)


def listen(at: ATInstance, socket: int | None = None) -> None:
    """
    Wait for the peer of a TCP socket; the port goes online with it when it calls.
    """
    at.part(TCPSockets).listen(at, socket)


async def stop(at: ATInstance, socket: int | None = None) -> None:
    """
    Wait no longer for the peer of a TCP socket.
    """
    await at.part(TCPSockets).stop(socket)


for _table, _parameters in ((commands, (SOCKET_ID,)), (earlier, ())):
    for _name, _handler, _source in (
        ("#OTCP", connect, "MTS-TCP-12, MTS-TCP-22, MTS-GAP-46"),
        ("#LTCPSTART", listen, "MTS-TCP-06, MTS-TCP-07, MTS-GAP-25, MTS-GAP-46"),
        ("#LTCPSTOP", stop, "MTS-TCP-09, MTS-GAP-46"),
    ):
        _table.action(_name, *_parameters, source=_source, **STRICT)(_handler)

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
