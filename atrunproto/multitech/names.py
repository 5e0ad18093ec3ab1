"""
How a Multi-Tech modem finds the address of a host: by the operator's name servers, or by #DNSSERV1 and #DNSSERV2.

Source: reference guide S000333C, chapter 3 and appendix B, Using the DNS Service; MTS-DNS-01 to MTS-DNS-09.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from atrunproto.at.results import refuse

from .errors import NAME_FAILED
from .parameters import Parameters

if TYPE_CHECKING:
    from .surroundings import MultitechSurroundings

#: what stands for a name server that isn't set
UNSET = "0.0.0.0"


async def resolve(module: MultitechSurroundings, parameters: Parameters, cid: int, name: str) -> str:
    """
    The address of a host, in dotted form.

    The secondary server is asked where the primary one can't be reached, and where it doesn't know the name
    (MTS-DNS-02); neither of them where the operator has given servers of its own (MTS-DNS-04).

    @param cid: the context of the connection.
    @param name: a name, or an address, which needs no server.
    @raise CommandFailed: nobody knows the address (38027).
    """
    if isIPAddress(name):
        return name
    for asked in _asked(module, parameters, cid, name):
        try:
            return await asked
        except DNSLookupError:
            continue
    raise refuse(NAME_FAILED)


def _asked(module: MultitechSurroundings, parameters: Parameters, cid: int, name: str) -> Iterator[Deferred[str]]:
    """
    The questions, one after the other.
    """
    if module.givesNameServers:
        yield module.resolve(name, cid)
        return
    for server in (parameters["DNSSERV1"], parameters["DNSSERV2"]):
        if server != UNSET:
            yield module.askServer(server, name)
