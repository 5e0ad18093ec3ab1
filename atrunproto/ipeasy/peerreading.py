"""
What a module has received for a socket, read in command mode.

Source: reference 6.5; TEL-CMD.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrunproto.at.errors import CommandFailed

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: octets of one #SRECV (reference 6.5)
READ_SIZE = 1500

_RECEIVED = re.compile(r"#SRECV:.*,\s*(\d{1,4})\s*$").match


def _octets(line: str) -> int:
    """
    How many octets follow a line of #SRECV.
    """
    found = _RECEIVED(line)
    return int(found.group(1)) if found else 0


async def receive(client: ATClient, connId: int) -> bytes | None:
    """
    Read some of what has come (C{#SRECV}); C{None}: there is nothing.
    """
    try:
        answer = await client.execute(f"AT#SRECV={connId},{READ_SIZE}", block=_octets)
    except CommandFailed:
        return None
    return answer.data or None
