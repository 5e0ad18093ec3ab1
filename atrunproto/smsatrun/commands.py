"""
The commands of SMSATRUN; its pause before each command is C{#ATRUNDELAY}, which TCPATRUN has too.

Source: reference 3.1 (S Running AT Commands Remotely Rev. 9, 2.1 to 2.4; P AT Commands Reference Guide Rev. 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import ADMISSION, CommandTable
from atrunproto.at.errors import Misuse
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import refuse
from atrunproto.at.settings import Key, Stored, Values

from .module import SMSATRUNService
from .whitelist import LONGEST, NUMBER, PASSWORD, PLACES, Entry

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("smsatrun")

_ADD, _DELETE, _PRINT = 0, 1, 2


def _notWhileEnabled(at: ATInstance, values: Values, key: Key) -> None:
    if at.part(SMSATRUNService).isEnabled or at.value("#ENAEVMONI"):
        raise refuse()


commands.setting(
    "#SMSATRUNCFG",
    Int("instance", 1, 3, default=3, required=True),
    Int("urcmod", 0, 1, default=1),
    Int("timeout", 1, 60, default=5, unit="min"),
    stored=Stored.NVM,
    shared=True,
    check=_notWhileEnabled,
    about="Configure the service, while it and the event monitor are off.",
    source="reference 3.1; TEL-SMS-28, TEL-EXT-01",
)


@commands.action("#SMSATRUN", Int("mod", 0, 1), source="reference 3.1; TEL-SMS-17, TEL-SMS-18, TEL-EXT-02")
def switch(at: ATInstance, mod: int) -> None:
    """
    Switch AT commands over SMS on or off.
    """
    service = at.part(SMSATRUNService)
    if mod:
        service.enable(at.number)
    else:
        service.disable(at.number)


@commands.read("#SMSATRUN")
def readSwitch(at: ATInstance) -> str:
    """
    Whether it is on, and whether it is active.
    """
    service = at.part(SMSATRUNService)
    return f"#SMSATRUN: {int(service.isEnabled)},{int(service.isActive)}"


@commands.action(
    "#SMSATWL",
    Int("action", 0, 2),
    Int("index", 1, PLACES),
    Int("entryType", NUMBER, PASSWORD, default=None),
    Text("string", LONGEST, default=None, secret=True),
    limits=ADMISSION,
    source="reference 3.1; TEL-SMS-31 to TEL-SMS-35, TEL-EXT-03, TEL-FWR-06",
)
def changeWhiteList(at: ATInstance, action: int, index: int, kind: int | None, text: str | None) -> str | None:
    """
    Add, delete or print an entry of the white list: a number (0) or a password (1).
    """
    service = at.part(SMSATRUNService)
    whiteList = service.whiteList
    if action == _PRINT:
        return _line(whiteList[index])
    if action == _DELETE:
        whiteList.remove(index)
    elif kind is None or text is None:
        raise refuse()
    else:
        try:
            whiteList.add(index, kind, text)
        except Misuse:
            raise refuse() from None
    service.whiteList = whiteList
    return None


@commands.read("#SMSATWL")
def readWhiteList(at: ATInstance) -> list[str]:
    """
    The places in their order, an empty one as the name alone (A); the modules show the passwords.
    """
    return [_line(entry) for entry in at.part(SMSATRUNService).whiteList]


@commands.test("#SMSATWL")
def testWhiteList(at: ATInstance) -> str:
    """
    The ranges of action, index and type.
    """
    return f"#SMSATWL: (0-2),(1-{PLACES}),(0,1)"


def _line(entry: Entry | None) -> str:
    return "#SMSATWL: " if entry is None else f'#SMSATWL: {entry[0]},"{entry[1]}"'


commands.setting(
    "#ENAEVMONI",
    Int("mod", 0, 1, default=0, required=True),
    stored=Stored.NVM,
    shared=True,
    about="Switch the event monitor on or off: it monitors nothing here, and holds the configuration of SMSATRUN.",
    source="reference 3.1; TEL-EXT-01",
)


@commands.read("#ENAEVMONI")
def readEventMonitor(at: ATInstance) -> str:
    """
    The switch; the monitor is never active (A).
    """
    return f"#ENAEVMONI: {at.value('#ENAEVMONI')},0"
