"""
The commands of the sockets: their settings and their status, and the old settings that act on the same sockets.

Source: reference 6.1, 6.6 and 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.results import CME, refuse
from atrunproto.at.settings import Key, Stored, Values

from .module import SOCKETS, SocketTable

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("ipeasy")
#: the old interface, on the socket whose number is the AT instance
old = CommandTable("ipeasy old")

_CONN_ID = Int("connId", 1, SOCKETS)
#: factory binding of the sockets: 1 to 3 on context 1, 4 to 6 on context 2
_FACTORY: dict[int, Values] = {connId: (1 if connId <= 3 else 2, 300, 90, 600, 50) for connId in range(1, SOCKETS + 1)}


def _checkSocket(at: ATInstance, values: Values, key: Key) -> None:
    """
    A socket at work can't be changed (TEL-SCF-06), nor the tie to a context that comes back by itself (TEL-EXT-13).
    """
    assert key is not None
    sockets = at.part(SocketTable)
    if sockets.isConnected(key):
        raise refuse(CME[551])
    cid = at.module.settings.get("#SCFG", key)[0]
    if values[0] != cid and (not sockets.isFree(key) or (cid and at.module.settings.get("#SGACTCFG values", cid)[0])):
        raise refuse(CME[551])


commands.setting(
    "#SCFG",
    Int("cid", 0, 5, default=1, required=True),
    Int("pktSz", 0, 1500, default=300, required=True, unit="octets", absent=0),
    Int("maxTo", 0, 65535, default=90, required=True, unit="s"),
    Int("connTo", 10, 1200, default=600, required=True, unit="100 ms"),
    Int("txTo", 0, 255, default=50, required=True, unit="100 ms"),
    key=_CONN_ID,
    factories=_FACTORY,
    stored=Stored.NVM,
    shared=True,
    check=_checkSocket,
    about="The context, packet size and timeouts of a socket.",
    source="reference 6.1 (S IP Easy User Guide 3.2.1.2)",
)


@commands.action("#SS", Int("connId", 1, SOCKETS, default=None), source="reference 6.6 (S IP Easy User Guide 3.2.2.4)")
def socketStatus(at: ATInstance, connId: int | None) -> list[str]:
    """
    The status of one socket, or of all.
    """
    sockets = at.part(SocketTable)
    return [sockets.describe(number) for number in ([connId] if connId else range(1, SOCKETS + 1))]


_OWN = "the socket whose number is the AT instance; #SCFG sets it too."


def _oldSetting(name: str, position: int, parameter: Int, about: str) -> None:
    """
    An old command that sets one value of #SCFG for the socket of its instance (TEL-NOT-06), connected or not.
    """

    def assign(at: ATInstance, value: int | None) -> None:
        if value is None:
            return
        settings = at.module.settings
        values = list(settings.get("#SCFG", at.number))
        # a packet size of 0 is the default, as in #SCFG
        values[position] = value or (300 if position == 1 else 0)
        settings.set("#SCFG", tuple(values), at.number)
        at.part(SocketTable).reconfigured(at.number)

    old.action(name, parameter, about=about, source="reference 7", needsValue=True)(assign)
    old.read(name)(lambda at: f"{name}: {at.module.settings.get('#SCFG', at.number)[position]}")


_oldSetting("#PKTSZ", 1, Int("size", 0, 1500, default=None, unit="octets"), f"The packet size of {_OWN}")
_oldSetting("#SKTTO", 2, Int("tout", 0, 65535, default=None, unit="s"), f"The inactivity timeout of {_OWN}")
_oldSetting("#SKTCT", 3, Int("tout", 10, 1200, default=None, unit="100 ms"), f"The connection timeout of {_OWN}")
_oldSetting("#DSTO", 4, Int("tout", 0, 255, default=None, unit="100 ms"), f"The transmission timeout of {_OWN}")
