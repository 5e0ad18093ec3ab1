"""
Commands of host names and name servers.

Source: reference 6.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.abstract import isIPAddress
from twisted.internet.error import DNSLookupError

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CME, refuse
from atrunproto.at.settings import Key, Stored, Values
from atrunproto.ipeasy.carrier import refusedBy
from atrunproto.ipeasy.old import PEER

from ..contexts import Contexts
from ..names import LONGEST, UNSET, Names

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("names")
#: what only UMTS products of the xE910 family have
xE910 = CommandTable("names xE910")

#: seconds that an activation may take (reference 1.3)
_ACTIVATION = 150.0


@commands.action(
    "#QDNS",
    Text("host", 100),
    longest=_ACTIVATION + LONGEST,
    limits=(
        refusedBy("unless that is on instance 1 (TEL-NOT-02, TEL-CON-32)", lambda carrier: carrier.instance != 1),
        refusedBy("on context 1 (TEL-NOT-03)", lambda carrier: carrier.cid == 1),
    ),
    source="reference 6.2; TEL-NOT-02, TEL-NOT-03",
)
async def query(at: ATInstance, host: str) -> str:
    """
    The address of a host, which becomes that of #SKTSET; context 1 is activated and dropped again if it isn't active.
    """
    contexts = at.part(Contexts)
    isOurs = contexts.address(1) is None
    if isOurs:
        await contexts.activate(at, 1)
    try:
        address = await at.part(Names).resolve(host, 1)
    except DNSLookupError as error:
        raise refuse(CME[558]) from error
    finally:
        if isOurs:
            contexts.deactivate(1)
    settings = at.module.settings
    kind, port, _, *rest = settings.get(PEER, at.number)
    settings.set(PEER, (kind, port, address, *rest), at.number)
    return f'#QDNS: "{host}","{address}"'


def _checkServers(at: ATInstance, values: Values, key: Key) -> None:
    """
    A secondary server needs a primary one; a context in use, or one that isn't defined, has its servers already.
    """
    contexts = at.part(Contexts)
    assert key is not None
    primary, secondary = values
    if key in contexts.active or not contexts.isDefined(key):
        raise refuse()
    if not (isIPAddress(primary) and isIPAddress(secondary)) or (primary == UNSET and secondary != UNSET):
        raise refuse()


commands.setting(
    "#DNS",
    Text("primary", 15, default=UNSET, required=True),
    Text("secondary", 15, default=UNSET, required=True),
    key=Int("cid", 0, 5),
    stored=Stored.NVM,
    shared=True,
    check=_checkServers,
    about="The name servers of a context; 0.0.0.0 stands for those of the network.",
    source="reference 6.2",
)


@commands.read("#DNS")
def readServers(at: ATInstance) -> list[str]:
    """
    The servers of each defined context.
    """
    contexts, row = at.part(Contexts), at.commands.rows["#DNS"]
    return [row.show(at.module.settings.get("#DNS", cid), cid) for cid in range(6) if contexts.isDefined(cid)]


commands.test("#DNS")(lambda at: "#DNS: (0-5),,")


def _cacheChanged(at: ATInstance, values: Values, key: Key) -> None:
    if not values[0]:
        at.part(Names).clear()


commands.setting(
    "#CACHEDNS",
    Int("mode", 0, 1, default=0),
    shared=True,
    changed=_cacheChanged,
    about="Remember the addresses of eight hosts, each as long as its name server says; 0 forgets them.",
    source="reference 6.2",
)


@commands.test("#CACHEDNS")
def testCache(at: ATInstance) -> str:
    """
    The hosts that are remembered, and the range.
    """
    return "#CACHEDNS: " + "".join(f"{host},{address}," for host, address in at.part(Names).cached) + "(0,1)"


@xE910.action("#NWDNS", *(Int(f"cid{number}", 1, 5, default=None) for number in range(1, 6)), source="reference 6.2")
def networkServers(at: ATInstance, *cids: int | None) -> list[str]:
    """
    The name servers that the network has given to each chosen context, or to all that are defined.
    """
    contexts = at.part(Contexts)
    chosen = [cid for cid in cids if cid is not None] or contexts.defined
    lines = []
    for cid in chosen:
        given = at.part(Names).given if cid in contexts.active else []
        primary, secondary = [*given, UNSET, UNSET][:2]
        if contexts.isDefined(cid):
            lines.append(f'#NWDNS: {cid},"{primary}","{secondary}"')
    return lines
