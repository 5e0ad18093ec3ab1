"""
What the modem tells of calls that come in. Calls themselves aren't emulated yet, so nothing is told.

Source: 3GPP TS 27.007 6.11 and 7.6; MTS-GAP-41.
"""

from __future__ import annotations

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.settings import Stored

commands = CommandTable("calls")

commands.setting(
    "+CRC",
    Int("mode", 0, 1, default=0),
    stored=Stored.BASE,
    about="Tell the type of an incoming call (1); kept, since there are no calls yet.",
    source="3GPP TS 27.007 6.11; MTS-GAP-41",
)
commands.setting(
    "+CLIP",
    Int("n", 0, 1, default=0),
    stored=Stored.BASE,
    about="Tell the number of an incoming call (1); kept, since there are no calls yet.",
    source="3GPP TS 27.007 7.6; MTS-GAP-41",
)
