"""
What a module tells of incoming messages without being asked, to each AT instance as its +CNMI says.

What happens to a message follows from <mt> and its class (reference 12, R10)::

    ====  ===========================  ============================  ==========================
    mt    class 2, or to be stored     class 3                       any other
    ====  ===========================  ============================  ==========================
    0     stored                       stored                        stored
    1     stored, +CMTI                stored, +CMTI                 stored, +CMTI
    2     stored, +CMTI                +CMT                          +CMT
    3     stored, +CMTI                +CMT                          stored, +CMTI
    ====  ===========================  ============================  ==========================

A status report is dropped with <ds> 0, shown by +CDS with 1, stored and told by +CDSI with 2.
One message is stored once, unless some instance takes it directly; then it is stored for none (A).

When it is told follows from <mode>::

    ====  ===========================================  =================================================
    mode  in command mode                              while the instance is online
    ====  ===========================================  =================================================
    0     kept until +CNMI sets another mode           likewise
    1     at once                                      dropped; what would be shown is stored instead (A)
    2, 3  at once                                      when it is back in command mode
    ====  ===========================================  =================================================

Source: 3GPP 27.005 3.4.1; reference 12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .pdumode import PDU
from .showing import Terminal
from .surroundings import Surroundings
from .tpdu import Deliver, StatusReport

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

#: notices that wait for each instance, by mode 0 or until it is in command mode (A); beyond, messages are stored and
#: nothing is told of them
KEPT = 32

#: what is told of a message, as the terminal wants to see it when it is told
Indication = Callable[[Terminal], str]

#: <ds>
_SHOWN, _STORED = 1, 2
#: message classes
_OF_CARD, _OF_TERMINAL = 2, 3


def terminalOf(at: ATInstance) -> Terminal:
    """
    What the terminal of an instance wants to see.
    """
    return Terminal(bool(at.value("+CMGF")), bool(at.value("+CSDH")), at.value("+CSCS"))


class Indications:
    """
    The notices of incoming messages.
    """

    __slots__ = ("_kept", "_surroundings", "_waiting")

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        #: by number of the instance
        self._kept: dict[int, list[Indication]] = {}
        #: by number of the instance: how many notices wait until it is back in command mode
        self._waiting: dict[int, int] = {}

    def show(self, pdu: PDU, unit: Deliver | StatusReport) -> bool:
        """
        Show a message to the instances that take it directly.

        @return: whether there is one.
        """
        takers: list[ATInstance] = []

        def ask(at: ATInstance) -> None:
            if _takes(at, unit) and self._reaches(at):
                takers.append(at)

        self._surroundings.forEach(ask)
        for at in takers:
            if isinstance(unit, Deliver):
                self._tell(at, lambda terminal: terminal.delivered(pdu))
            else:
                self._tell(at, lambda terminal: terminal.reported(pdu))
        return bool(takers)

    def isStored(self, unit: Deliver | StatusReport) -> bool:
        """
        Whether a message that nobody takes directly is stored; a report is where an instance wants that.
        """
        if isinstance(unit, Deliver):
            return True
        wanting: list[ATInstance] = []
        self._surroundings.forEach(lambda at: wanting.append(at) if _report(at) == _STORED else None)
        return bool(wanting)

    def stored(self, place: str, unit: Deliver | StatusReport) -> None:
        """
        Tell where a message is stored.

        @param place: memory and index: C{"SM",1}.
        """

        def tell(at: ATInstance) -> None:
            if isinstance(unit, Deliver):
                if at.settings.get("+CNMI")[1]:
                    self._tell(at, lambda terminal: f"+CMTI: {place}")
            elif _report(at) == _STORED:
                self._tell(at, lambda terminal: f"+CDSI: {place}")

        self._surroundings.forEach(tell)

    def modeChanged(self, at: ATInstance) -> None:
        """
        +CNMI has been set: what is kept is told, or dropped if <bfr> is 1.
        """
        mode, _, _, _, drops = at.settings.get("+CNMI")
        if mode == 0:
            return
        for indication in self._kept.pop(at.number, ()):
            if not drops:
                self._tell(at, indication)

    def clear(self) -> None:
        """
        Forget what is kept.
        """
        self._kept.clear()
        self._waiting.clear()

    def _reaches(self, at: ATInstance) -> bool:
        """
        Whether what is told to the instance now isn't lost.
        """
        mode = at.settings.get("+CNMI")[0]
        if mode == 0:
            return len(self._kept.get(at.number, ())) < KEPT
        if mode == 1 and at.isOnline:
            return False
        if not at.holdsNotices:
            # all were told, or lost with the terminal
            self._waiting.pop(at.number, None)
        return self._waiting.get(at.number, 0) < KEPT

    def _tell(self, at: ATInstance, indication: Indication) -> None:
        if not self._reaches(at):
            return
        if at.settings.get("+CNMI")[0] == 0:
            self._kept.setdefault(at.number, []).append(indication)
            return
        self._waiting[at.number] = self._waiting.get(at.number, 0) + 1

        def lines() -> list[str]:
            self._waiting.pop(at.number, None)
            return [indication(terminalOf(at))]

        at.notify(lines)


def _report(at: ATInstance) -> int:
    """
    <ds> of +CNMI.
    """
    return int(at.settings.get("+CNMI")[3])


def _takes(at: ATInstance, unit: Deliver | StatusReport) -> bool:
    """
    Whether an instance takes a message directly.
    """
    if isinstance(unit, StatusReport):
        return _report(at) == _SHOWN
    mt = at.settings.get("+CNMI")[1]
    coding = unit.userData.coding
    if coding.messageClass == _OF_CARD or (coding.waiting is not None and coding.isStored):
        return False
    return bool(mt == 2 or (mt == 3 and coding.messageClass == _OF_TERMINAL))
