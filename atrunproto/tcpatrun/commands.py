"""
The commands of TCPATRUN.

Source: reference 4.1 (S Running AT Commands Remotely Rev. 9, 3.1 to 3.6; P AT Commands Reference Guide Rev. 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.admission import ADD, REMOVE, REMOVE_ALL, changed
from atrunproto.at.commands import ADMISSION, CommandTable
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import refuse
from atrunproto.at.settings import Key, Stored, Values

from .login import LONGEST_ITEM
from .module import Mode, TCPATRUNService

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("tcpatrun")

#: pairs of name and password at most (TEL-EXT-09)
PAIRS = 3


def _notWhileEnabled(at: ATInstance, values: Values, key: Key) -> None:
    if at.part(TCPATRUNService).mode is not None:
        raise refuse()


commands.setting(
    "#TCPATRUNCFG",
    Int("connId", 1, 6, default=1, required=True),
    Int("instance", 1, 3, default=2, required=True),
    Int("tcpPort", 1, 65535, default=1024, required=True),
    Int("tcpHostPort", 1, 65535, default=1024, required=True),
    Text("tcpHost", 100, default="", required=True),
    Int("urcmod", 0, 1, default=1),
    Int("timeout", 1, 5, default=5, unit="min"),
    Int("authMode", 0, 1, default=0),
    Int("retryCnt", 0, 5, default=0),
    Int("retryDelay", 1, 3600, default=2, unit="min"),
    stored=Stored.NVM,
    shared=True,
    check=_notWhileEnabled,
    about="Configure the service, while it is off.",
    source="reference 4.1; TEL-CFG-07 to TEL-CFG-17, TEL-EXT-04",
)


def _switch(name: str, mode: Mode, about: str) -> None:
    def switch(at: ATInstance, mod: int) -> None:
        service = at.part(TCPATRUNService)
        if mod:
            service.enable(mode, at.number)
        else:
            service.disable(mode)

    def read(at: ATInstance) -> str:
        service = at.part(TCPATRUNService)
        enabled = service.mode is mode
        return f"{name}: {int(enabled)},{service.status if enabled else 0}"

    commands.action(name, Int("mod", 0, 1), about=about, source="reference 4.1")(switch)
    commands.read(name)(read)


_switch("#TCPATRUNL", Mode.SERVER, "Switch server mode on or off: peers call the module.")
_switch("#TCPATRUND", Mode.CLIENT, "Switch client mode on or off: the module calls its host.")


@commands.action("#TCPATRUNCLOSE", source="reference 4.1 (S Running AT Commands Remotely Rev. 9, 3.6)")
def closeConnection(at: ATInstance) -> None:
    """
    Close the connection of the service; the service goes on.
    """
    at.part(TCPATRUNService).close()


@commands.action(
    "#TCPATRUNFRWL",
    Int("action", 0, 2),
    Text("ip_addr", 15, default=None),
    Text("net_mask", 15, default=None),
    limits=ADMISSION,
    source="reference 4.1; TEL-FWR-02 to TEL-FWR-05",
)
def changeFirewall(at: ATInstance, action: int, address: str | None, mask: str | None) -> None:
    """
    Add or remove a rule that admits peers.
    """
    service = at.part(TCPATRUNService)
    try:
        service.rules = changed(service.rules, action, address, mask)
    except ValueError:
        raise refuse() from None


@commands.read("#TCPATRUNFRWL")
def readFirewall(at: ATInstance) -> list[str]:
    """
    The rules, one a line.
    """
    return [f'#TCPATRUNFRWL: "{address}","{mask}"' for address, mask in at.part(TCPATRUNService).rules]


@commands.test("#TCPATRUNFRWL")
def testFirewall(at: ATInstance) -> str:
    """
    The range of the action.
    """
    return "#TCPATRUNFRWL: (0-2)"


@commands.action(
    "#TCPATRUNAUTH",
    Int("action", 0, 2),
    Text("userid", LONGEST_ITEM, default=None),
    Text("passw", LONGEST_ITEM, default=None, secret=True),
    limits=ADMISSION,
    source="reference 4.1; TEL-AUT-01",
)
def changeLogins(at: ATInstance, action: int, user: str | None, password: str | None) -> None:
    """
    Add or remove a pair of name and password.
    """
    service = at.part(TCPATRUNService)
    pairs = service.pairs
    if action == REMOVE_ALL:
        pairs = []
    elif not user or password is None:
        raise refuse()
    elif action == ADD and len(pairs) < PAIRS and (user, password) not in pairs:
        pairs.append((user, password))
    elif action == REMOVE and (user, password) in pairs:
        pairs.remove((user, password))
    else:
        raise refuse()
    service.pairs = pairs


@commands.read("#TCPATRUNAUTH")
def readLogins(at: ATInstance) -> list[str]:
    """
    The pairs, one a line; the modules show the passwords.
    """
    return [f'#TCPATRUNAUTH: "{user}","{password}"' for user, password in at.part(TCPATRUNService).pairs]


@commands.test("#TCPATRUNAUTH")
def testLogins(at: ATInstance) -> str:
    """
    The range of the action.
    """
    return "#TCPATRUNAUTH: (0-2)"


commands.setting(
    "#TCPATCMDSEQ",
    Int("mod", 0, 1, default=0, required=True),
    shared=True,
    about="Keep lines that come while a command runs (1), or lose them (0).",
    source="reference 4.1",
)
commands.setting(
    "#ATRUNDELAY",
    Int("delay", 0, 30, default=0, required=True, unit="s"),
    key=Int("srv", 0, 1),
    shared=True,
    about="Wait before each command line that comes by TCP (0) or by SMS (1).",
    source="reference 3.1; TEL-DLY-03, TEL-EXT-12",
)
