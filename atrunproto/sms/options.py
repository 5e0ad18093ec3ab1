"""
The commands that say how short messages are shown, told of and sent, and where they are kept.

Source: reference 12; 3GPP 27.005 where that is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Choice, Int, Numbers, Text
from atrunproto.at.results import CMS, refuse
from atrunproto.at.settings import Key, Stored, Values

from .alphabet import CHARACTER_SETS
from .composing import isSubmit, validityOf
from .errors import SMSError
from .indications import terminalOf
from .modes import LONGEST_ADDRESS, WRITING, isImproved, messagesOf, styleOf
from .module import ON_CARD, OWN, Profile, ShortMessages
from .store import MessageStore

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("sms options")

_SOURCE = "reference 12 (P R10)"
#: the numbers of +CSAS and +CRES: 0 is in the NVM, the others on the SIM card
_PROFILES = (0, 3)


commands.setting(
    "+CMGF",
    Int("mode", 0, 1, default=0),
    stored=Stored.EXTENDED,
    about="Messages as PDU (0) or as text (1).",
    source=_SOURCE,
)
commands.setting(
    "+CSDH",
    Int("show", 0, 1, default=0),
    stored=Stored.EXTENDED,
    about="Text mode shows the values of the header too.",
    source=_SOURCE,
)
commands.setting(
    "+CSCS",
    Choice("chset", tuple(CHARACTER_SETS), default="IRA"),
    stored=Stored.EXTENDED,
    about="The character set of texts, numbers and names of short messages.",
    source=_SOURCE,
)


def _indicationsChanged(at: ATInstance, values: Values, key: Key) -> None:
    at.part(ShortMessages).modeChanged(at)


commands.setting(
    "+CNMI",
    Int("mode", 0, 3, default=0),
    Int("mt", 0, 3, default=0),
    Numbers("bm", (0, 2), default=0),
    Int("ds", 0, 2, default=0),
    Int("bfr", 0, 1, default=0),
    stored=Stored.EXTENDED,
    changed=_indicationsChanged,
    about="What is told of incoming messages, and when.",
    source=_SOURCE,
)
commands.setting(
    "#SMSMODE",
    Int("mode", 0, 1, default=0),
    stored=Stored.NVM,
    shared=True,
    about="Improved short message commands: other limits, and empty places are no error.",
    source="reference 3.1 (P R10); TEL-SMS-40",
)


def _servicesChanged(at: ATInstance, values: Values, key: Key) -> None:
    at.part(ShortMessages).surroundings.hasRoom()


commands.setting(
    "+CGSMS",
    Int("service", 0, 3, default=1),
    stored=Stored.NVM,
    shared=True,
    changed=_servicesChanged,
    about="Which service carries messages; with 0, packet service alone, none come or go (A).",
    source="reference 12 (P R10); TEL-SMS-45",
)


@commands.action("+CSMS", Int("service", 0, 0), source=_SOURCE)
def selectService(at: ATInstance, service: int) -> str:
    """
    Select the message service; there is one, and messages come, go and are stored.
    """
    return "+CSMS: 1,1,1"


@commands.read("+CSMS")
def readService(at: ATInstance) -> str:
    """
    The message service.
    """
    return "+CSMS: 0,1,1,1"


@commands.action(
    "+CPMS",
    Text("memr", 2, default=None),
    Text("memw", 2, default=None),
    Text("mems", 2, default=None),
    needsValue=True,
    source=_SOURCE,
)
def selectMemories(at: ATInstance, reading: str | None, writing: str | None, storing: str | None) -> str:
    """
    Choose the memory that is read from; written to and received into is the SIM card's. For all instances (A).
    """
    messages = messagesOf(at)
    if writing not in (None, ON_CARD) or storing not in (None, ON_CARD) or reading not in (None, *_readable(at)):
        raise refuse(CMS[302])
    if reading is not None:
        messages.readsFrom = reading
    return "+CPMS: " + ",".join(f"{len(store)},{store.capacity}" for store in _memories(messages))


def _readable(at: ATInstance) -> Sequence[str]:
    return (ON_CARD,) if isImproved(at) else (ON_CARD, OWN)


def _memories(messages: ShortMessages) -> Sequence[MessageStore]:
    return [messages.store(messages.readsFrom), messages.store(), messages.store()]


@commands.read("+CPMS")
def readMemories(at: ATInstance) -> str:
    """
    The memories, how many messages each has, and how many places.
    """
    shown = [f'"{store.name}",{len(store)},{store.capacity}' for store in _memories(messagesOf(at))]
    return f"+CPMS: {','.join(shown)}"


@commands.test("+CPMS")
def testMemories(at: ATInstance) -> str:
    """
    The memories there are.
    """
    readable = ",".join(f'"{name}"' for name in _readable(at))
    return f'+CPMS: ({readable}),("{ON_CARD}"),("{ON_CARD}")'


@commands.action(
    "+CSCA",
    Text("number", LONGEST_ADDRESS, default=None),
    Int("type", 0, 255, default=None),
    needsValue=True,
    test=lambda at: None,
    source=_SOURCE,
)
def setCentre(at: ATInstance, number: str | None, kind: int | None) -> None:
    """
    The number of the service centre; an empty one means none. +CSAS stores it, before that it is the SIM card's (A).
    """
    messages = messagesOf(at)
    if number is None:
        return
    try:
        centre = styleOf(at).address(number, kind)
    except SMSError:
        raise refuse(CMS[305]) from None
    messages.profile = replace(messages.profile, centre=centre)


@commands.read("+CSCA")
def readCentre(at: ATInstance) -> str:
    """
    The number of the service centre and its type.
    """
    centre = messagesOf(at).centre
    return f"+CSCA: {terminalOf(at).quoted(centre)},{129 if centre is None else centre.typeOfAddress}"


@commands.action(
    "+CSMP",
    Int("fo", 0, 255, default=None),
    Text("vp", 20, default=None),
    Int("pid", 0, 255, default=None),
    Int("dcs", 0, 255, default=None),
    needsValue=True,
    test=lambda at: None,
    source=_SOURCE,
)
def setParameters(at: ATInstance, first: int | None, validity: str | None, pid: int | None, dcs: int | None) -> None:
    """
    First octet, validity period, protocol identifier and data coding of messages written as text; +CSAS stores them.
    """
    messages = messagesOf(at)
    old = messages.profile
    isNumber = validity is not None and validity.isdecimal() and len(validity) <= 3
    profile = Profile(
        old.centre,
        old.first if first is None else first,
        old.validity if validity is None else int(validity) if isNumber else validity,
        old.protocolIdentifier if pid is None else pid,
        old.coding if dcs is None else dcs,
    )
    try:
        validityOf(profile.first, profile.validity)
    except SMSError:
        raise refuse(CMS[305]) from None
    if not isSubmit(profile.first):
        raise refuse(CMS[305])
    messages.profile = profile


@commands.read("+CSMP")
def readParameters(at: ATInstance) -> str:
    """
    The values of messages written as text.
    """
    profile = messagesOf(at).profile
    validity = profile.validity if isinstance(profile.validity, int) else f'"{profile.validity}"'
    return f"+CSMP: {profile.first},{validity},{profile.protocolIdentifier},{profile.coding}"


@commands.action("+CSAS", Int("profile", *_PROFILES, default=0), longest=WRITING, source=_SOURCE)
def saveProfile(at: ATInstance, number: int) -> None:
    """
    Store the values of +CSCA and +CSMP in the NVM (0), or in a profile of the SIM card (how many: assumed).
    """
    messagesOf(at).keep(number)


@commands.action("+CRES", Int("profile", *_PROFILES, default=0), longest=WRITING, source=_SOURCE)
def restoreProfile(at: ATInstance, number: int) -> None:
    """
    Take the values of +CSCA and +CSMP back that +CSAS has stored, else the factory's.
    """
    messages = messagesOf(at)
    messages.profile = messages.kept(number)
