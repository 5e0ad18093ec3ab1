"""
Commands of the SIM card.

Source: reference 11; 10.2 for the identities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.bearer import Jam
from atrunproto.at.commands import CommandTable, jamsOver
from atrunproto.at.parameters import Choice, Int, Text
from atrunproto.at.results import CME, PLAIN_ERROR, refuse
from atrunproto.at.settings import Stored

from ..fixed import FixedNumbers
from ..sim import Sim
from .general import moduleOf

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("sim")


def needSim(at: ATInstance) -> Sim:
    """
    The card, if it is there and unlocked.

    @raise CommandFailed: it isn't.
    """
    card = at.part(Sim)
    reason = card.problem()
    if reason is not None:
        raise refuse(reason)
    return card


@commands.action(
    "+CPIN", Text("pin", 8, secret=True), Text("newpin", 8, default=None, secret=True), source="reference 11"
)
def enterPin(at: ATInstance, pin: str, newPin: str | None) -> None:
    """
    Give the PIN, or PUK and new PIN.
    """
    reason = at.part(Sim).enter(pin, newPin)
    if reason is not None:
        raise refuse(reason)


@commands.read("+CPIN")
def readPin(at: ATInstance) -> str:
    """
    What the card waits for.
    """
    card = at.part(Sim)
    if not card.isPresent or not card.inserted:
        raise refuse(CME[10])
    return f"+CPIN: {card.state}"


commands.replace(commands.rows["+CPIN"], test=lambda at: None)


@commands.action("+CIMI", source="reference 10.2")
def imsi(at: ATInstance) -> str:
    """
    The subscriber's number, bare.
    """
    return needSim(at).imsi


@commands.action("#CIMI", source="reference 10.2")
def prefixedImsi(at: ATInstance) -> str:
    """
    The subscriber's number behind its name.
    """
    return f"#CIMI: {needSim(at).imsi}"


@commands.action("#CCID", source="reference 10.2")
def iccid(at: ATInstance) -> str:
    """
    The number of the card.
    """
    card = at.part(Sim)
    if not card.isPresent or not card.inserted:
        raise refuse(CME[10])
    return f"#CCID: {card.iccid}"


@commands.action("+CCID", source="reference 10.2 (P, trace of a GE865)")
def noIccid(at: ATInstance) -> None:
    """
    Answer that it is not supported.
    """
    raise refuse(CME[4])


@commands.action("+CNUM", source="3GPP TS 27.007 7.1")
def ownNumber(at: ATInstance) -> str:
    """
    The telephone number of the card.
    """
    needSim(at)
    number = moduleOf(at).number
    return f'+CNUM: "","{number}",{145 if number.startswith("+") else 129}'


commands.setting(
    "#QSS",
    Int("mode", 0, 2, default=0),
    stored=Stored.EXTENDED,
    tellsStatus=True,
    about="Tell when the card comes and goes (1), and also how far it is (2).",
    source="reference 11",
)


@commands.read("#QSS")
def readQuerySimStatus(at: ATInstance) -> str:
    """
    The mode and the state of the card.
    """
    mode, qss = at.value("#QSS"), at.part(Sim).qss
    return f"#QSS: {mode},{qss if mode == 2 else min(qss, 1)}"


# without the card no message with the answer can leave
@commands.action(
    "#SIMDET", Int("mode", 0, 2), jams=jamsOver(0, sms=Jam.UNTIL_TIMEOUT), source="reference 11; TEL-SMS-43"
)
def detectSim(at: ATInstance, mode: int) -> None:
    """
    Take the card for missing (0), for inserted (1), or look at the pin of the holder (2).
    """
    card = at.part(Sim)
    if card.detect != mode:
        card.detect = mode
        card.changed()


@commands.read("#SIMDET")
def readDetectSim(at: ATInstance) -> str:
    """
    The mode and the pin of the holder.
    """
    card = at.part(Sim)
    return f"#SIMDET: {card.detect},{int(card.inserted)}"


_FACILITIES = ("SC", "FD", "PS", "PF", "AO", "OI", "OX", "AI", "IR", "AB", "AG", "AC", "PN", "PU", "PP", "PC")


@commands.action(
    "+CLCK",
    Choice("fac", _FACILITIES),
    Int("mode", 0, 2),
    Text("passwd", 8, default=None, secret=True),
    Int("class", 1, 255, default=7),
    source="reference 11; only SC, the PIN request, and FD, fixed dialling by PIN2, can be changed here; TEL-SMS-47",
)
def lock(at: ATInstance, facility: str, mode: int, password: str | None, serviceClass: int) -> str | None:
    """
    Lock, unlock or ask for a facility.
    """
    card = needSim(at)
    fixed = at.part(FixedNumbers)
    if mode == 2:
        locked = {"SC": card.pin is not None, "FD": fixed.isOn}.get(facility, False)
        return f"+CLCK: {int(locked)}"
    if facility not in ("SC", "FD"):
        raise refuse(CME[3])
    wanted = card.pin if facility == "SC" else card.pin2
    if password is None or (wanted is not None and password != wanted):
        raise refuse(CME[16] if password is not None else PLAIN_ERROR)
    if facility == "FD":
        fixed.isOn = mode == 1
        return None
    card.unlocked = True
    card.pin = password if mode == 1 else None
    return None
