"""
Datagrams through a UDP socket of a module in command mode, each with the place at its other end.

For xE910-3G. The socket is there already: by #SD with protocol 1, or by #SLUDP and #SA. Source: reference 6.5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation

from .buffer import Place
from .peerreading import READ_SIZE

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: octets of the longest datagram that a module sends from command mode (reference 6.5)
LONGEST = 1500

_ORIGIN = re.compile(r'#SRECV: *"?([\d.]{7,15})"?,(\d{1,5}),\d,(\d{1,4}),(\d{1,5})$', re.ASCII).match


def _octets(line: str) -> int:
    """
    How many octets follow a line of #SRECV that tells an origin.
    """
    found = _ORIGIN(line)
    return int(found.group(3)) if found else 0


async def sendDatagram(client: ATClient, connId: int, data: bytes, place: Place) -> None:
    """
    Send a datagram to any place (C{#SSENDUDPEXT}).

    @raise Misuse: it is empty, or longer than L{LONGEST}.
    @raise CommandFailed: the module refuses: it isn't a UDP socket, or this product can't.
    """
    if not 0 < len(data) <= LONGEST:
        raise Misuse(f"a module sends datagrams of 1 to {LONGEST} octets, not {len(data)}")
    host, port = place
    await client.execute(f'AT#SSENDUDPEXT={connId},{len(data)},"{host}",{port}', data=data)


async def receiveDatagram(client: ATClient, connId: int) -> tuple[bytes, Place] | None:
    """
    Take the oldest datagram that waits, and who has sent it (C{#SRECV} with UDPInfo); C{None}: none waits.

    @raise PeerViolation: the module tells no origin, for it is a TCP socket.
    """
    data, left = b"", 1
    while left:
        try:
            answer = await client.execute(f"AT#SRECV={connId},{READ_SIZE},1", block=_octets)
        except CommandFailed:
            if data:
                raise
            return None
        found = _ORIGIN(answer.lines[0]) if answer.lines else None
        if found is None:
            raise PeerViolation("the module tells no origin of a datagram")
        data += answer.data
        place, left = (found.group(1), int(found.group(2))), int(found.group(4))
    return data, place
