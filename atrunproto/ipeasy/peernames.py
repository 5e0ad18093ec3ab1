"""
Names of hosts, as a module finds them for its peer.

Source: reference 6.2; TEL-NOT-02, TEL-NOT-03.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atrunproto.at.errors import CommandFailed, Misuse, PeerViolation
from atrunproto.at.peercalls import fieldsOf

if TYPE_CHECKING:
    from atrunproto.at.peer import ATClient

#: seconds that a module may take to find a name, its context activated for that (reference 1.3)
FINDING = 180.0
#: a server that isn't set: those of the network are asked
UNSET = "0.0.0.0"

_CANNOT_RESOLVE = 558
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}").fullmatch
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}").fullmatch


class NameUnknown(CommandFailed):
    """
    The module finds no address of a host.
    """


async def resolve(client: ATClient, host: str) -> str:
    """
    The address of a host (C{#QDNS}). The module activates context 1 for this if it isn't, and drops it again.

    @raise NameUnknown: there is none, if the module tells so (C{AT+CMEE=1}).
    @raise CommandFailed: the module refuses, or can't.
    @raise Misuse: that is no name of a host.
    """
    if not _NAME(host):
        raise Misuse("a name of a host has letters, digits, dots and hyphens, up to 100")
    try:
        answer = await client.execute(f'AT#QDNS="{host}"', timeout=FINDING)
    except CommandFailed as error:
        if error.reason.number == _CANNOT_RESOLVE:
            raise NameUnknown(error.command, error.reason) from error
        raise
    found = _values(answer.lines, 2)
    if len(found) != 1 or not _ADDRESS(found[0][1]):
        raise PeerViolation("the module shows no address of a host")
    return found[0][1]


async def serversOf(client: ATClient, cid: int) -> tuple[str, str]:
    """
    The name servers of a context, the primary first (C{#DNS?}); L{UNSET}: those of the network.

    @raise Misuse: the context isn't defined.
    """
    answer = await client.execute("AT#DNS?")
    for number, primary, secondary in _values(answer.lines, 3):
        if number == str(cid):
            return primary, secondary
    raise Misuse(f"context {cid} isn't defined")


async def setServers(client: ATClient, cid: int, primary: str, secondary: str = UNSET) -> None:
    """
    Set the name servers of a context, which must be defined and not active (C{#DNS}).

    @raise CommandFailed: the module refuses.
    @raise Misuse: that is no address.
    """
    for each in (primary, secondary):
        if not _ADDRESS(each):
            raise Misuse("a name server is given by its address")
    await client.execute(f'AT#DNS={cid},"{primary}","{secondary}"')


async def setCache(client: ATClient, isOn: bool) -> None:
    """
    Let the module remember the addresses of hosts, or forget them (C{#CACHEDNS}).
    """
    await client.execute(f"AT#CACHEDNS={int(isOn)}")


async def remembers(client: ATClient) -> bool:
    """
    Whether the module remembers the addresses of hosts (C{#CACHEDNS?}).
    """
    return _values((await client.execute("AT#CACHEDNS?")).lines, 1) == [["1"]]


async def remembered(client: ATClient) -> dict[str, str]:
    """
    The hosts that the module remembers, with their addresses (C{#CACHEDNS=?}).
    """
    answer = await client.execute("AT#CACHEDNS=?")
    text = ",".join(line.partition(":")[2].strip() for line in answer.lines)
    # brackets stand round all of them, or round nothing; the range follows
    fields = [each for each in text.replace("[", "").replace("]", "").rpartition("(")[0].split(",") if each]
    return dict(zip(fields[::2], fields[1::2], strict=False))


def _values(lines: tuple[str, ...], count: int) -> list[list[str]]:
    """
    The values of each line of an answer.

    @raise PeerViolation: a line has too few of them.
    """
    found = [[field or "" for field in fieldsOf(line.partition(":")[2])] for line in lines]
    for fields in found:
        if len(fields) < count:
            raise PeerViolation("the module's answer has too few values")
    return [fields[:count] for fields in found]
