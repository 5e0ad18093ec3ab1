"""
The commands that send, write, read and delete short messages.

Source: reference 12; 3GPP 27.005 where that is silent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.editing import TextPrompt
from atrunproto.at.errors import Abandoned
from atrunproto.at.parameters import Int, Text
from atrunproto.at.results import CMS, refuse

from .composing import digitsOf, flagsOf, validityOf
from .datacoding import DataCoding
from .errors import SMSError
from .fields import TELEPHONE, Address, TimeStamp
from .indications import terminalOf
from .modes import LONGEST_ADDRESS, WRITING, addressOf, invalid, isImproved, isInText, messagesOf, styleOf
from .module import ShortMessages
from .pdumode import LONGEST_UNIT, PDU
from .store import Entry, MemoryFull, MessageStore, Status
from .tpdu import Deliver, Submit, decode

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("sms")

_SOURCE = "reference 12 (P R10)"
#: characters of a text or PDU on the command line: more than a line has
_LINE = 400
#: octets of the shortest message unit that is sent (reference 12)
_SHORTEST_UNIT = 7
#: octets typed for a PDU: the longest with its service centre, in hexadecimal digits, and line ends
_LONGEST_PDU = 2 * (12 + LONGEST_UNIT) + 16
#: seconds in which a message is sent (reference 1.3)
_SENDING = 60.0
#: <stat> for all messages
_ALL = 4

_STATUSES = {status.text: status for status in Status}


def _status(at: ATInstance, typed: str | None, default: Status) -> Status:
    """
    <stat>, as the mode in force writes it.
    """
    if typed is None:
        return default
    if isInText(at):
        found = _STATUSES.get(typed)
    else:
        found = Status(int(typed)) if typed in ("0", "1", "2", "3") else None
    if found is None:
        raise invalid(at)
    return found


# -- writing


async def _typed(at: ATInstance, given: str | None, limit: int, again: bool = False) -> bytes | None:
    """
    The data of a command: what its line gives, else what is typed; C{None}: the user gave up.
    """
    if given is not None:
        return given.encode("latin-1", "replace")
    try:
        return await at.prompt(TextPrompt(limit, again))
    except Abandoned:
        return None


def _length(at: ATInstance, typed: str) -> int:
    """
    <length> of PDU mode.
    """
    if not typed.isdecimal() or not typed.isascii() or not _SHORTEST_UNIT <= int(typed[:4]) <= LONGEST_UNIT:
        raise invalid(at)
    return int(typed[:4])


def _pdu(typed: bytes, length: int, kind: type[Submit] | type[Deliver]) -> PDU:
    """
    A typed PDU that holds such a unit.
    """
    try:
        pdu = PDU.decode(digitsOf(typed), length)
        unit = decode(pdu.unit)
    except SMSError:
        raise refuse(CMS[304]) from None
    if not isinstance(unit, kind):
        raise refuse(CMS[304])
    return pdu


async def _texts(at: ATInstance, given: str | None, destination: Address) -> list[Submit] | None:
    """
    What is typed in text mode, as messages with the values of +CSMP; C{None}: the user gave up.
    """
    messages, style = at.part(ShortMessages), styleOf(at)
    profile = messages.profile
    coding = DataCoding(profile.coding)
    # in the improved mode a text that is too long is seen by the octet that is too much
    limit = style.longest(coding) + int(style.improved)
    typed = await _typed(at, given, limit, again=style.improved)
    if typed is None:
        return None
    try:
        parts = style.parts(typed, profile.first, coding, messages.newReference())
        validity = validityOf(profile.first, profile.validity)
    except SMSError:
        raise refuse(CMS[305]) from None
    flags = flagsOf(profile.first)
    return [Submit(destination, part, 0, validity, profile.protocolIdentifier, **flags) for part in parts]


async def _send(at: ATInstance, name: str, da: str, toda: int | None, given: str | None = None) -> str | None:
    """
    Send what is typed in the mode in force.
    """
    messages = messagesOf(at)
    centre = None
    if isInText(at):
        units = await _texts(at, given, addressOf(at, da, toda))
    else:
        length = _length(at, da)
        typed = await _typed(at, given, _LONGEST_PDU)
        if typed is None:
            return None
        pdu = _pdu(typed, length, Submit)
        unit = decode(pdu.unit)
        assert isinstance(unit, Submit)
        units, centre = [unit], pdu.centre
    if units is None:
        return None
    for unit in units:
        reference = await messages.submit(unit, centre)
    return f"{name}: {reference}"


async def _write(
    at: ATInstance, name: str, da: str | None, toda: str | None, stat: str | None, given: str | None = None
) -> str | None:
    """
    Store what is typed in the mode in force.
    """
    messages = messagesOf(at)
    if isInText(at):
        status = _status(at, stat, Status.STO_UNSENT)
        if toda is not None and not (toda.isdecimal() and len(toda) <= 3):
            raise invalid(at)
        if da:
            destination = addressOf(at, da, None if toda is None else int(toda))
        else:
            destination = Address("", 0, TELEPHONE)
        units = await _texts(at, given, destination)
        if units is None:
            return None
        pdus = [PDU(_asStored(at, unit, status).encode(), messages.centre) for unit in units]
    else:
        if da is None or stat is not None:
            raise invalid(at)
        length = _length(at, da)
        status = _status(at, toda, Status.STO_UNSENT)
        typed = await _typed(at, given, _LONGEST_PDU)
        if typed is None:
            return None
        pdus = [_pdu(typed, length, Deliver if status in (Status.REC_UNREAD, Status.REC_READ) else Submit)]
    try:
        return f"{name}: {messages.store().add(status, *pdus)}"
    except MemoryFull:
        raise refuse(CMS[322]) from None


def _asStored(at: ATInstance, unit: Submit, status: Status) -> Submit | Deliver:
    """
    A message written as text; as a received one it has the time of now.
    """
    if status in (Status.STO_UNSENT, Status.STO_SENT):
        return unit
    time = TimeStamp.of(datetime.fromtimestamp(at.module.clock.seconds(), UTC))
    return Deliver(unit.destination, unit.userData, time, unit.protocolIdentifier)


_DA, _TODA = Text("da", LONGEST_ADDRESS), Int("toda", 0, 255, default=None)


@commands.action("+CMGS", _DA, _TODA, longest=_SENDING, test=lambda at: None, source=f"{_SOURCE}; TEL-SMS-40")
async def send(at: ATInstance, da: str, toda: int | None) -> str | None:
    """
    Send what is typed at the prompt: a text, or in PDU mode a message of as many octets as the first argument says.
    """
    return await _send(at, "+CMGS", da, toda)


@commands.action("#CMGS", _DA, Text("text", _LINE), longest=_SENDING, source=_SOURCE)
async def sendGiven(at: ATInstance, da: str, text: str) -> str | None:
    """
    Send a text, or in PDU mode a message, that stands on the command line.
    """
    return await _send(at, "#CMGS", da, None, text)


@commands.action(
    "+CMGW",
    Text("da", LONGEST_ADDRESS, default=None),
    Text("toda", 10, default=None),
    Text("stat", 10, default=None),
    longest=WRITING,
    source=_SOURCE,
)
async def write(at: ATInstance, da: str | None, toda: str | None, stat: str | None) -> str | None:
    """
    Store what is typed at the prompt; a long text takes several places, of which the first is told (A).
    """
    return await _write(at, "+CMGW", da, toda, stat)


@commands.action("#CMGW", _DA, Text("text", _LINE), longest=WRITING, source=_SOURCE)
async def writeGiven(at: ATInstance, da: str, text: str) -> str | None:
    """
    Store a text, or in PDU mode a message, that stands on the command line.
    """
    return await _write(at, "#CMGW", da, None, None, text)


_INDEX = Int("index", 0, 9999)


@commands.action(
    "+CMSS",
    _INDEX,
    Text("da", LONGEST_ADDRESS, default=None),
    _TODA,
    longest=_SENDING,
    test=lambda at: None,
    source=_SOURCE,
)
async def sendStored(at: ATInstance, index: int, da: str | None, toda: int | None) -> str:
    """
    Send a stored message, to another number if one is given; it counts as sent then.
    """
    messages = messagesOf(at)
    store = messages.store()
    entry = store.get(index)
    if entry is None:
        raise refuse(CMS[321])
    unit = entry.unit
    if not isinstance(unit, Submit):
        # only what was written to be sent (A)
        raise refuse(CMS[302])
    if da is not None:
        unit = replace(unit, destination=addressOf(at, da, toda))
    if not unit.destination.number:
        raise invalid(at)
    reference = await messages.submit(unit, entry.pdu.centre)
    if store.get(index) is entry:
        store.mark(Status.STO_SENT, index)
    return f"+CMSS: {reference}"


# -- reading


def _entry(at: ATInstance, store: MessageStore, index: int) -> Entry | None:
    """
    What is at a place; an empty one is an error, except in the improved mode (A).
    """
    entry = store.get(index)
    if not 1 <= index <= store.capacity or (entry is None and not isImproved(at)):
        raise refuse(CMS[321])
    return entry


@commands.action("+CMGR", _INDEX, longest=WRITING, test=lambda at: None, source=f"{_SOURCE}; TEL-SMS-37")
def read(at: ATInstance, index: int) -> str | None:
    """
    Read a message, which is no longer unread then.
    """
    messages = messagesOf(at)
    store = messages.store(messages.readsFrom)
    entry = _entry(at, store, index)
    if entry is None:
        return None
    if entry.status is Status.REC_UNREAD:
        store.mark(Status.REC_READ, index)
    return terminalOf(at).readOut(entry)


@commands.action("+CMGL", Text("stat", 10, default=None), longest=20.0, source=_SOURCE)
def listMessages(at: ATInstance, stat: str | None) -> list[str]:
    """
    Read all messages of a status, the unread ones if none is given; they are no longer unread then.
    """
    messages = messagesOf(at)
    store = messages.store(messages.readsFrom)
    isAll = stat == ("ALL" if isInText(at) else str(_ALL))
    wanted = None if isAll else _status(at, stat, Status.REC_UNREAD)
    found = [(index, entry) for index, entry in store if wanted in (None, entry.status)]
    terminal = terminalOf(at)
    store.mark(Status.REC_READ, *(index for index, entry in found if entry.status is Status.REC_UNREAD))
    return [terminal.listed(index, entry) for index, entry in found]


@commands.test("+CMGL")
def testList(at: ATInstance) -> str:
    """
    The statuses, as the mode in force writes them.
    """
    if not isInText(at):
        return f"+CMGL: (0-{_ALL})"
    shown = ",".join(f'"{text}"' for text in (*_STATUSES, "ALL"))
    return f"+CMGL: ({shown})"


#: what each <delflag> deletes
_DELETED = {
    1: (Status.REC_READ,),
    2: (Status.REC_READ, Status.STO_SENT),
    3: (Status.REC_READ, Status.STO_SENT, Status.STO_UNSENT),
    4: tuple(Status),
}


@commands.action("+CMGD", _INDEX, Int("delflag", 0, 4, default=0), longest=WRITING, source=_SOURCE)
def delete(at: ATInstance, index: int, flag: int) -> None:
    """
    Delete a message, or all of some statuses: 1 read, 2 sent too, 3 unsent too, 4 all there are.
    """
    messages = messagesOf(at)
    store = messages.store(messages.readsFrom)
    if flag:
        messages.remove(store, *(place for place, entry in store if entry.status in _DELETED[flag]))
    elif _entry(at, store, index) is not None:
        messages.remove(store, index)


@commands.test("+CMGD")
def testDelete(at: ATInstance) -> str:
    """
    The places that are taken, and the flags.
    """
    messages = messagesOf(at)
    taken = ",".join(str(index) for index, _ in messages.store(messages.readsFrom))
    return f"+CMGD: ({taken}),(0-4)"
