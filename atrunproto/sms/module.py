"""
The short messages of a module: those that it keeps, those that come and those that it sends.

Source: reference 12; 3GPP 27.005 and 23.040.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

from atrunproto.at.errors import CommandFailed
from atrunproto.at.results import CMS, refuse
from atrunproto.at.settings import Memory

from .centre import Receipt
from .errors import SMSError
from .fields import Address
from .indications import Indications
from .pdumode import PDU
from .store import MemoryFull, MessageStore, Status
from .surroundings import Surroundings
from .tpdu import Deliver, StatusReport, Submit

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

#: a service's look at an incoming message; C{True}: it has taken it
Filter = Callable[[Address, Deliver], bool]

#: the memory of the SIM card, in which incoming messages are stored
ON_CARD = "SM"
#: the module's own memory; messages are only read from there (reference 12)
OWN = "ME"

#: TP-PID of a message that is acknowledged and nothing else (23.040 9.2.3.9)
_TYPE_ZERO = 0x40


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What +CSAS keeps: the service centre of +CSCA, and the values of +CSMP.

    @ivar centre: C{None}: the one that the SIM card knows; without a number: none at all.
    @ivar first: <fo>.
    @ivar validity: <vp>, a number of 0 to 255 or a time as C{"yy/MM/dd,hh:mm:ss+zz"}.
    """

    centre: Address | None = None
    first: int = 17
    validity: int | str = 167
    protocolIdentifier: int = 0
    coding: int = 0


class _Memory:
    """
    The non-volatile memory, whose failure is one of messages.
    """

    __slots__ = ("_memory",)

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def get(self, name: str) -> Any:
        """
        The value kept under this name, or C{None}.
        """
        return self._memory.get(name)

    def put(self, name: str, value: Any) -> None:
        """
        Keep a value.

        @raise CommandFailed: it can't be written (+CMS ERROR 320).
        """
        try:
            self._memory.put(name, value)
        except CommandFailed as error:
            raise refuse(CMS[320]) from error


class ShortMessages:
    """
    What a module does with short messages; to the service centre it is the subscriber.

    @ivar profile: the values in force.
    @ivar readsFrom: the memory that +CPMS names first.
    """

    __slots__ = (
        "_concatenation",
        "_filters",
        "_indications",
        "_isFull",
        "_memory",
        "_reference",
        "_stores",
        "profile",
        "readsFrom",
        "surroundings",
    )

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        self._filters: list[Filter] = []
        self._indications = Indications(surroundings)
        self._memory = _Memory(surroundings.memory)
        self._stores: dict[str, MessageStore] = {}
        self._reference = -1
        self._concatenation = -1
        self._isFull = False
        self.readsFrom = ON_CARD
        self.profile = self.kept(0)

    def powerOff(self) -> None:
        """
        What isn't kept is forgotten.
        """
        self._indications.clear()
        self._stores.clear()
        self._isFull = False
        self.readsFrom = ON_CARD
        self.profile = self.kept(0)

    # -- what is kept

    def store(self, name: str = ON_CARD) -> MessageStore:
        """
        One of the memories.
        """
        found = self._stores.get(name)
        if found is None:
            capacity = self.surroundings.limit(f"messages {name}")
            found = self._stores[name] = MessageStore(name, capacity, self._memory)
        return found

    def remove(self, store: MessageStore, *indexes: int) -> None:
        """
        Free places; a message that found no room may come again.
        """
        store.remove(*indexes)
        if store.free:
            self._mayTakeMore()

    def _mayTakeMore(self) -> None:
        if self._isFull:
            self._isFull = False
            self.surroundings.hasRoom()

    def kept(self, number: int) -> Profile:
        """
        The profile that was kept under this number, else the factory values.
        """
        values = self._memory.get(_profileKey(number))
        try:
            digits, kind, *rest = values
            return Profile(None if digits is None else Address.parse(digits, kind), *rest)
        except (SMSError, TypeError, ValueError):
            return Profile()

    def keep(self, number: int) -> None:
        """
        Keep the values in force.
        """
        profile = self.profile
        centre: list[Any] = [None, None]
        if profile.centre is not None:
            centre = [str(profile.centre), profile.centre.typeOfAddress]
        values = [*centre, profile.first, profile.validity, profile.protocolIdentifier, profile.coding]
        self._memory.put(_profileKey(number), values)

    @property
    def centre(self) -> Address | None:
        """
        The service centre of +CSCA, or C{None}.
        """
        if self.profile.centre is not None:
            return self.profile.centre if self.profile.centre.number else None
        return Address.parse(self.surroundings.centreNumber)

    # -- messages that come

    def watch(self, take: Filter) -> None:
        """
        Let a service look at each incoming message first; what it takes is neither stored nor shown (TEL-SMS-22).

        @param take: called with the service centre and the message; tells whether it has taken it.
        """
        self._filters.append(take)

    def receiveMessage(self, centre: Address, unit: Deliver | StatusReport) -> Receipt:
        """
        Take a message from the service centre.
        """
        if self.surroundings.simProblem() is not None or not self.surroundings.carriesMessages:
            return Receipt.ABSENT
        if isinstance(unit, Deliver) and (
            any(take(centre, unit) for take in self._filters) or unit.protocolIdentifier == _TYPE_ZERO
        ):
            return Receipt.TAKEN
        pdu = PDU(unit.encode(), centre)
        indications = self._indications
        if indications.show(pdu, unit) or not indications.isStored(unit):
            return Receipt.TAKEN
        store = self.store()
        try:
            index = store.add(Status.REC_UNREAD, pdu)
        except (MemoryFull, CommandFailed):
            # no place, or the memory can't be written
            self._isFull = True
            return Receipt.FULL
        indications.stored(f'"{store.name}",{index}', unit)
        return Receipt.TAKEN

    def modeChanged(self, at: ATInstance) -> None:
        """
        An instance has set its +CNMI; a message that found no room may be shown now.
        """
        self._indications.modeChanged(at)
        self._mayTakeMore()

    # -- messages that go

    def newReference(self) -> int:
        """
        A reference for the parts of one long message, 0 to 65535; one of eight bits has the lower ones.
        """
        self._concatenation = (self._concatenation + 1) & 0xFFFF
        return self._concatenation

    def check(self) -> None:
        """
        See whether the SIM card can be used.

        @raise CommandFailed: it can't.
        """
        problem = self.surroundings.simProblem()
        if problem is not None:
            raise refuse(problem)

    async def submit(self, unit: Submit, centre: Address | None = None) -> int:
        """
        Send a message.

        @param unit: its reference is replaced by the next one of the module.
        @param centre: the service centre; C{None}: that of +CSCA.
        @return: the reference, 0 to 255.
        @raise CommandFailed: by +CMS ERROR: the card, no service centre, no network, a number that isn't reached.
        """
        self.check()
        if not self.surroundings.mayReach(str(unit.destination)):
            raise refuse(CMS[302])
        centre = centre or self.centre
        if centre is None:
            raise refuse(CMS[330])
        seconds = self.surroundings.duration("+CMGS")
        if seconds > 0:
            await deferLater(self.surroundings.clock, seconds)
            self.check()
        if not self.surroundings.carriesMessages:
            raise refuse(CMS[331])
        self._reference = (self._reference + 1) & 0xFF
        self.surroundings.handOver(centre, replace(unit, reference=self._reference))
        return self._reference


def _profileKey(number: int) -> str:
    return f"messages profile {number}"
