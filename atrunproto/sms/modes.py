"""
In which mode the commands of short messages are, and what follows from that for all of them.

Source: reference 12; 3GPP 27.005. An error is a +CMS ERROR, whatever +CMEE says (reference 2.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import CMS, refuse

from .composing import Style
from .errors import SMSError
from .fields import Address
from .module import ShortMessages

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

#: characters of a number or name, as digits of UCS2
LONGEST_ADDRESS = 100
#: seconds in which something is written to the card or the memory (reference 1.3)
WRITING = 5.0


def messagesOf(at: ATInstance) -> ShortMessages:
    """
    The short messages, where the card can be used.
    """
    messages = at.part(ShortMessages)
    messages.check()
    return messages


def isInText(at: ATInstance) -> bool:
    """
    Whether messages are text, and not PDUs (+CMGF).
    """
    return bool(at.value("+CMGF"))


def isImproved(at: ATInstance) -> bool:
    """
    Whether the commands are the improved ones (#SMSMODE).
    """
    return "#SMSMODE" in at.commands.rows and bool(at.value("#SMSMODE"))


def styleOf(at: ATInstance) -> Style:
    """
    How the texts of the terminal become user data.
    """
    return Style(at.value("+CSCS"), isImproved(at))


def invalid(at: ATInstance) -> CommandFailed:
    """
    The error for what the mode in force doesn't allow.
    """
    return refuse(CMS[305 if isInText(at) else 304])


def addressOf(at: ATInstance, typed: str, typeOfAddress: int | None) -> Address:
    """
    A number of the command line.

    @raise CommandFailed: it is none.
    """
    try:
        address = styleOf(at).address(typed, typeOfAddress)
    except SMSError:
        raise invalid(at) from None
    if not address.number:
        raise invalid(at)
    return address
