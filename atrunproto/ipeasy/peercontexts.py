"""
The packet-data contexts of a module, as its peer uses them.

Source: reference 5; IP Easy User Guide 3.2.1.1 and 3.2.1.3 (S); TEL-ACT, TEL-CON-08.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atrunproto.at.errors import Misuse, PeerViolation
from atrunproto.at.peercalls import fieldsOf
from atrunproto.secret import Secret

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: seconds that an activation may take (reference 5)
ACTIVATION_WAIT = 150.0


@dataclass(frozen=True, slots=True)
class Context:
    """
    A context: its number, its access point, and the login of the network where it wants one.
    """

    apn: str
    cid: int = 1
    user: str = ""
    password: Secret | None = None


def _quoted(text: str) -> str:
    if '"' in text:
        raise Misuse("a text of a command line can't hold a quote")
    return f'"{text}"'


async def define(client: ATClient, context: Context) -> None:
    """
    Tell the module of a context (C{+CGDCONT}).

    @raise CommandFailed: the module refuses, as while the context is active.
    """
    await client.execute(f'AT+CGDCONT={context.cid},"IP",{_quoted(context.apn)}')


async def isActive(client: ATClient, cid: int) -> bool:
    """
    Whether a context is active (C{#SGACT?}).
    """
    answer = await client.execute("AT#SGACT?")
    states = [fieldsOf(line.partition(":")[2]) for line in answer.lines]
    return [str(cid), "1"] in states


async def activate(client: ATClient, context: Context) -> str:
    """
    Activate a context that is defined, and give its address.

    @raise CommandFailed: the module or the network refuses.
    """
    line = f"AT#SGACT={context.cid},1"
    if context.user or context.password:
        password = context.password.reveal() if context.password is not None else ""
        line += f",{_quoted(context.user)},{_quoted(password)}"
    answer = await client.execute(line, timeout=ACTIVATION_WAIT)
    return addressIn(answer.lines, 0)


async def address(client: ATClient, cid: int) -> str:
    """
    The address of an active context (C{#CGPADDR}).
    """
    answer = await client.execute(f"AT#CGPADDR={cid}")
    return addressIn(answer.lines, 1)


def addressIn(lines: tuple[str, ...], place: int) -> str:
    """
    An address, in quotes or bare (TEL-CON-08).
    """
    for line in lines:
        fields = fieldsOf(line.partition(":")[2])
        if line.startswith("#") and len(fields) > place and fields[place]:
            return str(fields[place])
    raise PeerViolation("the module shows no address of its context")


async def deactivate(client: ATClient, cid: int) -> None:
    """
    Deactivate a context; every socket on it closes.
    """
    await client.execute(f"AT#SGACT={cid},0", timeout=ACTIVATION_WAIT)


async def bringUp(client: ATClient, context: Context) -> None:
    """
    Have a context active: it is defined and activated, unless it is active already.
    """
    if not await isActive(client, context.cid):
        await define(client, context)
        await activate(client, context)
