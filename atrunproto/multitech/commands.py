"""
Multi-Tech's commands of the stack itself, of its parameters, and of their displays.

The commands of the parameters follow from L{ROWS}. While the stack is closed none of these is known but AT+WOPEN.
Source: reference guide S000333C; MTS-OPEN, MTS-PAR, MTS-DISP, MTS-MAIL, MTS-MISC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.editing import TextPrompt
from atrunproto.at.errors import Abandoned, CommandFailed
from atrunproto.at.parameters import Int
from atrunproto.at.results import CME, CONNECTION_MESSAGES, Later, refuse
from atrunproto.at.settings import Key, Stored, Values

from .connection import Connection
from .displays import DISPLAYS, SOCKET, lines, shown, whole
from .errors import BAD_VALUE, MEMORY_FAILURE, SYNTAX_ERROR
from .generations import Generation
from .parameters import BY_NAME, RECIPIENTS, ROWS, SEPARATOR, SOCKETS, Kind, Number, Row
from .ping import Pings
from .stack import Stack

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("multitech")
parameters = CommandTable("multitech parameters")
#: those that had another form before 3.02, as they were
earlier = CommandTable("multitech before 3.02")
displays = CommandTable("multitech displays")
connection = CommandTable("multitech connection")

#: the number of a socket, as the first argument of its commands
SOCKET_ID = Number("id", [(SOCKETS[0], SOCKETS[-1])], None)


def malformed(*_: object) -> None:
    """
    Answer a form that a command doesn't have.
    """
    raise refuse(SYNTAX_ERROR)


#: facts of a row that has but the forms that it declares: each other one is a syntax error (MTS-PAR-19)
STRICT: Any = {"noRead": SYNTAX_ERROR, "test": malformed}
#: facts of a row that shows something under other names than its own
SHOWS: Any = {"shows": True, "answersAs": "#", **STRICT}


# -- the stack


def _opened(at: ATInstance, values: Values, key: Key) -> None:
    if not values[0]:
        at.part(Stack).closed()


commands.setting(
    "+WOPEN",
    Int("mode", 0, 1, default=0, required=True),
    stored=Stored.NVM,
    shared=True,
    changed=_opened,
    about="Open (1) or close (0) the IP stack; while it is closed, no command that begins with `#` is known.",
    source="MTS-OPEN-01 to MTS-OPEN-03, MTS-GAP-01",
)


@commands.action("#VVERSION", source="MTS-MISC-01, MTS-GAP-17", **SHOWS)
def version(at: ATInstance) -> str:
    """
    The version of the IP stack.
    """
    return f'#VERSION: "{at.part(Stack).generation.version}"'


@commands.action("#VSTATE", source="MTS-MISC-02 to MTS-MISC-09, MTS-GAP-18", **SHOWS)
def state(at: ATInstance) -> str:
    """
    How far the connection is.
    """
    return f'#STATE: "{at.part(Stack).state.value}"'


@commands.action("#DELFLASH", source="MTS-MISC-12 to MTS-MISC-14, MTS-GAP-59", **STRICT)
def erase(at: ATInstance) -> None:
    """
    Erase the parameters; their values stay until the next start of the module.
    """
    _kept(at.part(Stack).erase)


# -- parameters


def _kept(write: Callable[..., Any], *arguments: Any) -> None:
    """
    Write to the memory, which may fail by a number of its own (MTS-ERR-03).
    """
    try:
        write(*arguments)
    except CommandFailed as error:
        if error.reason is not CME[23]:
            raise
        raise refuse(MEMORY_FAILURE) from error


def _isLost(at: ATInstance) -> bool:
    """
    Whether a write is lost, since it comes too soon after the previous answer (MTS-GAP-60). Nothing answers it (A).
    """
    rest = at.module.limit("seconds before a write")
    return rest > 0 and at.module.clock.seconds() < at.answered + rest


def _check(at: ATInstance, values: Values | None, key: Key) -> None:
    at.part(Stack).needIdle()


def _timeoutChanged(at: ATInstance, values: Values, key: Key) -> None:
    at.part(Connection).awaitTraffic()


#: what else happens when a parameter has a new value
_CHANGED = {"PHYTIMEOUT": _timeoutChanged}


_SOURCES = {
    "physical": "MTS-DIAL",
    "ppp": "MTS-DIAL",
    "gprs": "MTS-DIAL",
    "dns": "MTS-DNS",
    "ftp": "MTS-FTP",
    "pop3": "MTS-POP",
    "smtp": "MTS-SMTP",
    "tcp": "MTS-TCP",
    "udp": "MTS-UDP",
    "ping": "MTS-PING",
}


def _declare(table: CommandTable, row: Row) -> None:
    """
    The command of a parameter that has a value.
    """
    facts: Any = {"read": None} if row.perSocket else {}
    declared = table.setting(
        row.command,
        row.parameter(),
        key=SOCKET_ID if row.perSocket else None,
        stored=Stored.NVM,
        shared=True,
        check=_check,
        changed=_CHANGED.get(row.name),
        about=row.about,
        source=f"{_SOURCES.get(row.group, 'MTS-MAIL')}, MTS-PAR",
        **facts,
    )
    assign = declared.run
    assert assign is not None

    def write(at: ATInstance, *values: Any) -> Later | None:
        if _isLost(at):
            return Later()
        _kept(assign, at, *values)
        return None

    def look(at: ATInstance, socket: int) -> str:
        return lines(at.commands.rows, at.module.settings, (row.name,), socket)[0]

    table.replace(declared, run=write, look=look if row.perSocket else None, **STRICT)


class Lines(TextPrompt):
    """
    What is typed behind a command of several lines: no prompt asks for it, ^Z ends it (MTS-GAP-40).
    """

    text = ""


def _entry(row: Row, target: Row, limit: int, valueOf: Callable[[str, bool], str]) -> Callable[[ATInstance], Any]:
    """
    The bare form of a command that takes lines. ESC gives up and leaves the old value, answered by C{OK} (A).

    @param target: the parameter that is written.
    @param limit: octets that are looked at.
    @param valueOf: makes the value of the text and of whether there was more of it; C{CommandFailed} refuses it.
    """

    async def enter(at: ATInstance) -> Later | None:
        if _isLost(at):
            return Later()
        at.part(Stack).needIdle()
        reader = Lines(limit)
        try:
            typed = await at.prompt(reader)
        except Abandoned:
            return None
        value = valueOf(typed.decode("latin-1"), reader.surplus > 0)
        at.part(Stack).needIdle()
        _kept(at.module.settings.set, target.command, (value,))
        return None

    enter.__doc__ = row.about
    return enter


def _declareBody(row: Row) -> None:
    """
    A body: written like any text, or entered in lines; the end of the last one is none of it (MTS-GAP-40).
    """
    longest = row.longest or 0

    def body(typed: str, isCut: bool) -> str:
        whole = typed.removesuffix("\n").removesuffix("\r")
        if isCut or len(whole) > longest:
            raise refuse(BAD_VALUE)
        return whole

    _declare(parameters, row)
    parameters.replace(parameters.rows[row.command], execute=_entry(row, row, longest + len("\r\n"), body))


#: octets of recipients that are looked at; the ten that count fit in, with blank lines between them
_ENTRY = 2048


def _declareRecipients(row: Row) -> None:
    """
    The entry of several recipients, which replaces all that there were (MTS-MAIL-07, MTS-MAIL-08).
    """

    def recipients(typed: str, isCut: bool) -> str:
        each = [line.strip() for line in typed.replace("\n", "\r").split("\r")]
        first = [line for line in each if line][:RECIPIENTS]
        if any(len(line) > (row.longest or 0) for line in first):
            raise refuse(BAD_VALUE)
        return SEPARATOR.join(first)

    enter = _entry(row, BY_NAME[row.name.removesuffix("ADD")], _ENTRY, recipients)
    parameters.add(
        Command(row.command, execute=enter, about=row.about, source="MTS-MAIL-07, MTS-MAIL-08, MTS-GAP-40", **STRICT)
    )


for _row in ROWS:
    if _row.kind is not Kind.MULTILINE:
        _declare(parameters, _row)
    elif _row.name.endswith("ADD"):
        _declareRecipients(_row)
    else:
        _declareBody(_row)
    if _row.since < Generation.V3_02 and _row.of(Generation.V2_10) != _row:
        _declare(earlier, _row.of(Generation.V2_10))


# -- displays


def _show(at: ATInstance, names: Sequence[str], socket: int | None = None) -> list[str]:
    return lines(at.commands.rows, at.module.settings, shown(names, at.part(Stack).generation), socket)


def _declareDisplay(name: str, names: Sequence[str]) -> None:
    which = f"{', '.join(names[:-1])} and {names[-1]}"

    @displays.action(name, about=f"Show {which}.", source="MTS-DISP", **SHOWS)
    def show(at: ATInstance) -> list[str]:
        return _show(at, names)


for _name, _names in DISPLAYS.items():
    _declareDisplay(_name, _names)


def _showSocket(at: ATInstance, socket: int | None = None) -> list[str]:
    return _show(at, SOCKET, socket)


displays.add(
    Command(
        "#VTCP",
        (SOCKET_ID,),
        look=_showSocket,
        answersAs="#",
        about="Show the parameters of one TCP socket.",
        source="MTS-DISP-10, MTS-GAP-02",
        **STRICT,
    )
)


earlier.add(
    Command(
        "#VTCP",
        execute=_showSocket,
        about="Show the parameters of the TCP socket.",
        source="MTS-DISP-10, MTS-GAP-46",
        **SHOWS,
    )
)


@displays.action("#VALL", source="MTS-DISP-13 to MTS-DISP-17, MTS-GAP-19, MTS-GAP-73", **SHOWS)
def showAll(at: ATInstance) -> list[str]:
    """
    Show the version and all parameters, in blocks.
    """
    return whole(at.part(Stack).generation, lambda names, socket: _show(at, names, socket))


# -- the connection


@connection.action(
    "#CONNECTIONSTART",
    endings=CONNECTION_MESSAGES,
    source="MTS-CALL-01, MTS-CALL-08 to MTS-CALL-12, MTS-GAP-37, MTS-GAP-58, MTS-GAP-68",
    **STRICT,
)
def start(at: ATInstance) -> Later:
    """
    Connect to the Internet.
    """
    at.part(Connection).start(at)
    return Later()


@connection.action("#CONNECTIONSTOP", source="MTS-CALL-13, MTS-CALL-14, MTS-GAP-49", **STRICT)
async def stop(at: ATInstance) -> None:
    """
    End the connection, or the attempt to make it.
    """
    await at.part(Connection).stop(at)


@connection.action("#DISPLAYIP", source="MTS-DISP-18, MTS-DISP-19, MTS-GAP-48", shows=True, **STRICT)
def addresses(at: ATInstance) -> list[str]:
    """
    Show the address of the modem, and that of the other end.
    """
    return at.part(Connection).addresses


@connection.action("#PING", source="MTS-PING-04 to MTS-PING-09", **STRICT)
async def ping(at: ATInstance) -> None:
    """
    Send echo requests to a host, and show what comes back.
    """
    await at.part(Pings).run(at)
