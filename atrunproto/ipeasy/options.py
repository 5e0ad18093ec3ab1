"""
The commands for the options of sockets.

Source: reference 6.1 (P, AT Commands Reference Guide Rev. 10); IP Easy User Guide 3.2.1.7; TEL-OPT.
"""

from __future__ import annotations

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.settings import Stored

commands = CommandTable("ipeasy options")

_SOURCE = "reference 6.1"

commands.setting(
    "#TCPMAXDAT",
    Int("size", default=0, required=True, unit="octets", ranges=((0, 0), (496, 1420))),
    stored=Stored.NVM,
    shared=True,
    about="The largest TCP segment that peers of connections to come may send; 0 leaves it to the system.",
    source="reference 6.1 (S IP Easy User Guide 3.2.1.7); TEL-OPT-01 to TEL-OPT-03",
)
commands.setting(
    "#PADFWD",
    Int("char", 0, 255, default=0, required=True),
    Int("mode", 0, 0, default=0),
    stored=Stored.EXTENDED,
    about="The character that lets a packet leave, itself included, when #PADCMD allows it.",
    source=_SOURCE,
)
commands.setting(
    "#PADCMD",
    Int("mode", 0, 1, default=0, required=True),
    stored=Stored.EXTENDED,
    about="Whether the character of #PADFWD lets a packet leave, from the next time online on.",
    source=_SOURCE,
)
commands.setting(
    "#TCPREASS",
    Int("n", 0, 1, default=0),
    stored=Stored.NVM,
    shared=True,
    about="Kept only: the system below puts segments in order in any case.",
    source=_SOURCE,
)
commands.setting(
    "#ICMP",
    Int("mode", 0, 2, default=0),
    stored=Stored.NVM,
    shared=True,
    about="Kept only: the system below answers pings, or doesn't, by its own settings.",
    source=_SOURCE,
)
commands.setting(
    "#E2SLRI",
    Int("n", default=0, unit="ms", ranges=((0, 0), (50, 1150))),
    stored=Stored.EXTENDED,
    about="Kept only: the ring line isn't pulsed when somebody calls a listening socket.",
    source=_SOURCE,
)

#: what 2G has besides
gsm = CommandTable("ipeasy options 2G")

gsm.setting(
    "#BASE64",
    Int("enc", 0, 2, default=0, required=True),
    Int("dec", 0, 2, default=0, required=True),
    key=Int("connId", 1, 6),
    stored=Stored.NVM,
    shared=True,
    about="Whether connections to come send and receive base64: 0 no, 1 in lines, 2 without line breaks (A).",
    source=_SOURCE,
)
