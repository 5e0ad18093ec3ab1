"""
The commands of V.250 and the profile commands, which every product has.

Source: reference 10.1 and 10.3 (P, AT Commands Reference Guide Rev. 10), 1.4 for where each setting lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .bearer import Jam
from .commands import CommandTable, jamsOver
from .grammar import SELECTED_REGISTER, Argument
from .parameters import BadValue, Int, Numbers
from .results import NO_CARRIER, PLAIN_ERROR, Reason, ResultCode, refuse
from .settings import Stored, Values

if TYPE_CHECKING:
    from .module import ATInstance
    from .online import Online

commands = CommandTable("basic")


#: of a setting that is remembered and read back, and rules nothing that is emulated
_KEPT = "; kept, without effect here."


def _rule(at: ATInstance, values: Values, key: object) -> None:
    at.settingsChanged()


def _toggle(name: str, low: int, high: int, default: int, about: str, **facts: Any) -> None:
    """
    A basic command with one number; bare it means 0. There is no read form.
    """
    commands.setting(
        name,
        Int("value", low, high, default=default, required=True),
        bare=(0,),
        stored=Stored.BASE,
        read=None,
        about=about,
        source="reference 10.1",
        **facts,
    )


#: without result codes a run-AT service answers no more (TEL-NOT-07, TEL-SMS-43)
_JAMS = jamsOver(1, 2, tcp=Jam.FOR_GOOD, sms=Jam.UNTIL_TIMEOUT)

_toggle("E", 0, 1, 1, "Echo what is typed.", changed=_rule)
_toggle("V", 0, 1, 1, "Result codes as words (1) or numbers (0).", changed=_rule)
_toggle("Q", 0, 2, 0, "Be quiet: 1 and 2 hold back result codes and notices.", changed=_rule, jams=_JAMS)
_toggle("X", 0, 4, 1, f"Extended result codes of calls{_KEPT}")
_toggle("&K", 0, 6, 3, f"Flow control of the serial port{_KEPT}")
_toggle("&D", 0, 5, 0, "When DTR drops: 1 leaves online mode, 2 and 5 end the connection; the others ignore it.")
_toggle("&C", 0, 2, 1, "DCD: 0 always on, otherwise it follows online mode.")
_toggle("&S", 0, 3, 3, f"When DSR is on{_KEPT}")
_toggle("\\R", 0, 2, 1, f"When RI is on{_KEPT}")
_toggle("\\Q", 0, 3, 3, f"Flow control, as a part of &K{_KEPT}")


def _register(number: int, low: int, high: int, default: int, about: str, changed: Any = None) -> None:
    """
    An S register: read as three digits, on a line without a prefix.
    """
    name = f"S{number}"

    def read(at: ATInstance) -> str:
        at.selectedRegister = number
        return f"{at.settings.value(name):03d}"

    def select(at: ATInstance) -> None:
        at.selectedRegister = number

    row = commands.setting(
        name,
        Int("value", low, high, default=default, required=True),
        stored=Stored.BASE,
        read=read,
        changed=changed,
        about=about,
        source="reference 10.3",
    )
    commands.replace(row, execute=select)


_register(0, 0, 255, 0, f"Rings before a call is answered{_KEPT}")
_register(2, 0, 255, 43, "The character of the escape sequence.")
_register(3, 0, 127, 13, "The character that ends a command line.", _rule)
_register(4, 0, 127, 10, "The character that follows S3 in answers.", _rule)
_register(5, 0, 127, 8, "The character that deletes the one before it.", _rule)
_register(7, 1, 255, 60, f"Seconds that a call may take to connect{_KEPT}")
_register(12, 20, 255, 50, "The silence round the escape sequence, in units of 20 ms.")
_register(25, 0, 255, 5, f"The time for which a change of DTR is ignored{_KEPT}")
_register(30, 0, 127, 0, f"Minutes of inactivity after which a call ends{_KEPT}")
_register(38, 0, 255, 20, f"The pause before a call ends{_KEPT}")


@commands.action("S1", source="reference 10.3: the ring count, read only")
def selectRingCount(at: ATInstance) -> None:
    """
    Select the ring counter.
    """
    at.selectedRegister = 1


@commands.read("S1")
def readRingCount(at: ATInstance) -> str:
    """
    No call rings in this module yet, so none are counted.
    """
    return "000"


@commands.action(SELECTED_REGISTER, Int("value", 0, 255), source="reference 10.3")
def setSelected(at: ATInstance, value: int) -> None:
    """
    C{AT=n}: set the register selected last.
    """
    row = at.commands.rows[f"S{at.selectedRegister}"]
    if row.run is None:
        raise refuse()
    try:
        row.run(at, row.parameters[0].parse(Argument(str(value))))
    except BadValue:
        raise refuse() from None


@commands.read(SELECTED_REGISTER)
def readSelected(at: ATInstance) -> Any:
    """
    C{AT?}: show the register selected last.
    """
    read = at.commands.rows[f"S{at.selectedRegister}"].read
    assert read is not None
    return read(at)


commands.setting(
    "+CMEE",
    Int("n", 0, 2, default=0),
    stored=Stored.EXTENDED,
    changed=_rule,
    about="Errors as ERROR (0), as numbers (1) or as words (2).",
    source="reference 10.1",
)
commands.setting(
    "+IPR",
    Numbers("rate", (0, 300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200), default=0),
    stored=Stored.BASE,
    test=lambda at: "+IPR: (0,1200,2400,4800,9600,19200,38400,57600,115200),(300)",
    about=f"The speed of the serial port{_KEPT}",
    source="reference 10.1",
)
commands.setting(
    "+IFC",
    Int("by_te", 0, 3, default=2),
    Int("by_ta", 0, 2, default=2),
    stored=Stored.BASE,
    about=f"Flow control of the serial port in both directions{_KEPT}",
    source="reference 10.1",
)
commands.setting(
    "+ICF",
    Numbers("format", (0, 1, 2, 3, 5), default=0),
    Int("parity", 0, 1, default=0),
    stored=Stored.BASE,
    about=f"The format of characters on the serial port{_KEPT}",
    source="reference 10.1",
)
commands.setting(
    "+FCLASS",
    Numbers("n", (0, 1, 8), default=0),
    stored=Stored.EXTENDED,
    about=f"The kind of call: data, fax or voice{_KEPT}",
    source="reference 10.1",
)
commands.setting(
    "#CMEEMODE",
    Int("mode", 0, 1, default=0),
    stored=Stored.EXTENDED,
    about=f"Add the errors of packet data to those that +CMEE shows{_KEPT}",
    source="reference 10.1",
)
commands.setting(
    "#SKIPESC",
    Int("mode", 0, 1, default=0),
    stored=Stored.EXTENDED,
    about="Keep the escape sequence from the peer; for the online commands to come.",
    source="reference 6.1",
)
commands.setting(
    "#E2ESC",
    Int("gt", 0, 10, default=0),
    stored=Stored.EXTENDED,
    about="Seconds of silence round the escape sequence in place of S12; for the online commands to come.",
    source="reference 6.1",
)


def _checkLevel(at: ATInstance, values: Values, key: object) -> None:
    if "#SMSMODE" in at.commands.rows and at.value("#SMSMODE"):
        raise refuse()


commands.setting(
    "#SELINT",
    Int("level", 0, 2, default=2),
    stored=Stored.NVM,
    shared=True,
    check=_checkLevel,
    about="The level of the command interface; it can't be set while #SMSMODE is 1.",
    source="reference 3.1, 10.1; only the behaviour of level 2 is emulated",
)


# -- profiles


def _section(at: ATInstance, number: int, name: str) -> dict[str, Any]:
    """
    A section of a stored user profile; one that isn't there, or is damaged, is the factory's.
    """
    profile = at.module.memory.get(f"profile {at.number} {number}")
    section = profile.get(name) if isinstance(profile, dict) else None
    return section if isinstance(section, dict) else {}


def _start(at: ATInstance) -> tuple[int, bool]:
    """
    Which profile is loaded at power-on, and whether its extended section too; profile 0 where none was chosen.
    """
    match at.module.memory.get(f"start {at.number}"):
        case [int(number), bool(extended)]:
            return number, extended
    return 0, False


def loadProfile(at: ATInstance, number: int, extended: bool) -> None:
    """
    Take over a stored user profile: its base section, and its extended section or the factory's.
    """
    at.settings.restore(Stored.BASE, _section(at, number, "base"))
    at.settings.restore(Stored.EXTENDED, _section(at, number, "extended") if extended else {})
    at.settingsChanged()


def loadStartProfile(at: ATInstance) -> None:
    """
    Take over the profile that &Y or &P has chosen for power-on.
    """
    loadProfile(at, *_start(at))


@commands.action("&W", Int("profile", 0, 1, default=0), source="reference 10.1")
def storeProfile(at: ATInstance, profile: int) -> None:
    """
    Store both sections of the instance's profile.
    """
    sections = {"base": at.settings.snapshot(Stored.BASE), "extended": at.settings.snapshot(Stored.EXTENDED)}
    at.module.memory.put(f"profile {at.number} {profile}", sections)


@commands.action("&F", Int("value", 0, 1, default=0), source="reference 10.1")
def factoryProfile(at: ATInstance, value: int) -> None:
    """
    Return the base section, with 1 also the extended section, to the factory values.
    """
    at.settings.restore(Stored.BASE, {})
    if value == 1:
        at.settings.restore(Stored.EXTENDED, {})
    at.settingsChanged()


def _noDataCall(at: ATInstance) -> Reason | None:
    """
    Refused while a data call is up on another instance (TEL-NOT-09, TEL-NOT-10).
    """
    return PLAIN_ERROR if at.module.dataCall(apartFrom=at.number) else None


@commands.action("Z", Int("profile", 0, 1, default=0), limits=(_noDataCall,), source="reference 10.1, 4.4")
def reset(at: ATInstance, profile: int) -> None:
    """
    Load the base section of a user profile and the extended section of the factory; end a call.
    """
    _endCall(at)
    loadProfile(at, profile, extended=False)


@commands.action("#Z", Int("profile", 0, 1), source="reference 10.1")
def resetExtended(at: ATInstance, profile: int) -> None:
    """
    Load both sections of a user profile.
    """
    loadProfile(at, profile, extended=True)


@commands.action("&Y", Int("profile", 0, 1, default=0), source="reference 10.1")
def startBase(at: ATInstance, profile: int) -> None:
    """
    Choose the profile whose base section is loaded at power-on.
    """
    at.module.memory.put(f"start {at.number}", [profile, False])


@commands.action("&P", Int("profile", 0, 1, default=0), source="reference 10.1")
def startFull(at: ATInstance, profile: int) -> None:
    """
    Choose the profile that is loaded whole at power-on.
    """
    at.module.memory.put(f"start {at.number}", [profile, True])


_FLOW = {
    0: "&K0=none",
    1: "&K1=CTS only",
    2: "&K2=XON/XOFF mono.",
    3: "&K3=HW bidirect.",
    4: "&K4=XON/XOFF filt.",
    5: "&K5=XON/XOFF",
    6: "&K6=both",
}


@commands.action("&V", Numbers("value", (0, 1, 3), default=0), source="reference 10.3 (P, trace of a GE865)")
def viewProfile(at: ATInstance, value: int) -> list[str]:
    """
    List the active profile, or with 1 and 3 the S registers.
    """
    settings = at.settings
    if value:
        numbers = (0, 2, 3, 4, 5, 7, 12, 25, 38) if value == 1 else (0, 2, 3, 4, 5, 7, 12, 25, 30, 38)
        rows = [(number, settings.value(f"S{number}")) for number in numbers]
        rows.insert(1, (1, 0))
        return ["REG     DEC     HEX", *(f"{number:03d}     {held:03d}     {held:03X}" for number, held in rows)]

    def yes(name: str) -> str:
        return f"{name}{settings.value(name)}={'YES' if settings.value(name) else 'NO'}"

    rate = settings.value("+IPR")
    start, extended = _start(at)
    listing = (
        ("DTE SPEED", str(rate) if rate else "AUTO"),
        ("DTE FORMAT", "AUTO" if settings.value("+ICF") == 0 else str(settings.value("+ICF"))),
        ("GSM DATA MODE", "Not Transparent"),
        ("AUTOBAUD", f"+IPR0={'NO' if rate else 'YES'}"),
        ("COMMAND ECHO", yes("E")),
        ("RESULT MESSAGES", f"Q{settings.value('Q')}={'NO' if settings.value('Q') else 'YES'}"),
        ("VERBOSE MESSAGES", yes("V")),
        ("EXTENDED MESSAGES", yes("X")),
        ("LINE SPEED", "F0=autodetect"),
        ("CONSTANT DTE SPEED", "YES"),
        ("FLOW CONTROL OPTIONS", _FLOW[settings.value("&K")]),
        ("ERROR CORRECTION MODE", "RLP"),
        ("CTS (C106) OPTIONS", "&B2=OFF while disc."),
        ("DSR (C107) OPTIONS", f"&S{settings.value('&S')}=PHONE ready->ON"),
        ("DTR (C108) OPTIONS", f"&D{settings.value('&D')}={'ignored' if settings.value('&D') == 0 else 'acts'}"),
        ("DCD (C109) OPTIONS", f"&C{settings.value('&C')}=follows carrier"),
        ("RI (C125) OPTIONS", f"\\R{settings.value(chr(92) + 'R')}=OFF dur. off-hk"),
        ("C108/1 OPERATION", "&D4=NO"),
        ("POWER SAVING ON DTR", "+CFUN:1=NO"),
        ("DEFAULT PROFILE", f"&{'P' if extended else 'Y'}{start}=user profile {start + 1}"),
    )
    return [f"{label:<30} : {text}" for label, text in listing]


# -- calls


def _endCall(at: ATInstance) -> None:
    suspended = at.takeSuspended()
    if suspended is not None and suspended.hangUp is not None:
        suspended.hangUp()


@commands.action("H", Int("value", 0, 0, default=0), source="reference 10.1")
def hangUp(at: ATInstance, value: int) -> None:
    """
    End the call that the escape sequence has left; without one it is OK too.
    """
    _endCall(at)


@commands.action("O", Int("value", 0, 0, default=0), noCarrier=True, source="reference 10.1: without a call NO CARRIER")
def resume(at: ATInstance, value: int) -> Online | ResultCode:
    """
    Go online again on the call that the escape sequence has left.
    """
    suspended = at.takeSuspended()
    if suspended is None or suspended.resume is None:
        return NO_CARRIER
    return suspended.resume()
