"""
What a host must know of commands that it runs for others: what stops the exchange, and what wants a pause before it.

Source: Running AT Commands Remotely Rev. 9, 2.5 and 3.8 (S); Rev. 3 for delays that were dropped later (TEL-DLY-08).
TEL-NOT-07, TEL-NOT-11, TEL-DLY-05 to TEL-DLY-08, TEL-SMS-41 to TEL-SMS-49; contradictions as resolved in TEL-CON-25.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from .bearer import OVER_SMS, OVER_TCP, BearerKind
from .errors import PeerViolation
from .grammar import Form, ParsedCommand, bodyOf, commandsIn


class Effect(Enum):
    """
    What a command does to the service or the port that it comes through.
    """

    BLOCKS = "ends the exchange of commands for good"
    JAMS = "jams the exchange until the command timeout reboots the module"
    JAMS_UNTIL_UNDONE = "jams the exchange until it is undone through TCPATRUN"
    NO_ANSWER = "takes the module off before it can answer"
    NO_PROMPT = "asks for data at a prompt, which this service does not carry"
    DATA_MODE = "leads into data mode, out of which no job comes back"


@dataclass(frozen=True, slots=True)
class Caution:
    """
    A command of a line and what it does to where it came through.
    """

    command: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.command} {self.effect.value}"


#: a command with its first arguments; no arguments: whatever they are
_Pattern = tuple[str, tuple[str, ...]]


def _patterns(text: str) -> Sequence[_Pattern]:
    patterns = []
    for word in text.split():
        name, _, values = word.partition("=")
        patterns.append((name, tuple(values.split(",")) if values else ()))
    return patterns


#: over which bearers, what, and by which commands; in the order of the documents' notes
EFFECTS: Sequence[tuple[frozenset[BearerKind], Effect, Sequence[_Pattern]]] = (
    (
        OVER_TCP,
        Effect.BLOCKS,
        _patterns("+CGATT=0 +CGACT=0 +CGCLASS=CC #SHDN #BND=2 #BND=3 Q=1 Q=2 #SIMDET=0 +CFUN=2 +CFUN=4"),
    ),
    (OVER_SMS, Effect.BLOCKS, _patterns("+CMUX=0 #BND=3 +CFUN=2 +CFUN=4")),
    (OVER_SMS, Effect.JAMS, _patterns("#SIMDET=0 +CGDATA=PPP,1 #FTPPUT $GPSNMUN=3 Q=1 Q=2")),
    (OVER_SMS, Effect.JAMS_UNTIL_UNDONE, _patterns("+CGCLASS=CG +CGSMS=0 +COPS=2")),
    (OVER_SMS, Effect.NO_ANSWER, _patterns("#REBOOT #SHDN +CFUN=4 +CGCLASS=CG +COPS=2")),
    (OVER_SMS, Effect.NO_PROMPT, _patterns("+CMGS +CMGW #SEMAIL #EMAILD #SSEND #SSENDEXT #WSCRIPT #M2MWRITE")),
    # the data modes of Multi-Tech modems in which the host is to send; there is no escape sequence (MTS-SER-13)
    (
        frozenset([BearerKind.LOCAL]),
        Effect.DATA_MODE,
        _patterns("#OTCP #LTCPSTART #OUDP #LUDPSTART #PUTMAIL #FTPPUT"),
    ),
)

_SURVEY = ("#CSURV", "#CSURVC", "#CSURVU", "#CSURVUC", "#CSURVB", "#CSURVBC", "#CSURVP", "#CSURVPC")
#: seconds to wait before a command that comes by SMS
_SMS_DELAYS = dict.fromkeys(("+COPS=?", "+CGCLASS", "+CFUN", "#GPRS", "#SIMDET", *_SURVEY), 10) | dict.fromkeys(
    ("#SGACT", "+CGACT", "+CGATT"), 5
)
#: seconds to wait before a command that comes by TCP, on GSM only
_TCP_DELAYS = {"+COPS=?": 10}
#: what the 2010 edition lists besides
_TCP_DELAYS_2010 = _TCP_DELAYS | dict.fromkeys(_SURVEY, 10)
#: all of them together
SUGGESTED_DELAYS = {
    "SMS": _SMS_DELAYS,
    "TCP, on GSM": _TCP_DELAYS,
    "TCP, on GSM, in the edition of 2010": _TCP_DELAYS_2010,
}


def _commands(line: str) -> Iterator[ParsedCommand]:
    """
    The commands of a line, up to where it is malformed: the module runs these too.
    """
    body = bodyOf(line.encode("latin-1", "replace"))
    if body is not None:
        with suppress(PeerViolation):
            yield from commandsIn(body)


def _matches(command: ParsedCommand, pattern: _Pattern) -> bool:
    name, values = pattern
    if command.name != name or command.form in (Form.READ, Form.TEST):
        return False
    given = [argument.text if argument is not None else "" for argument in command.arguments]
    return tuple(given[: len(values)]) == values


def cautions(line: str, bearer: BearerKind) -> list[Caution]:
    """
    What is to be feared of a command line on this bearer.
    """
    return [
        Caution(str(command), effect)
        for command in _commands(line)
        for bearers, effect, patterns in EFFECTS
        if bearer in bearers and any(_matches(command, pattern) for pattern in patterns)
    ]


def delay(lines: Iterable[str], bearer: BearerKind, gsm: bool = True, edition2010: bool = False) -> int:
    """
    The seconds of #ATRUNDELAY that the documents suggest before these lines.

    @param gsm: the module is on GSM; on UMTS nothing is suggested for TCP (TEL-DLY-07).
    @param edition2010: go by the older table, which also names the surveys over TCP.
    """
    if bearer in OVER_SMS:
        table = _SMS_DELAYS
    elif bearer in OVER_TCP and gsm:
        table = _TCP_DELAYS_2010 if edition2010 else _TCP_DELAYS
    else:
        return 0
    wanted = 0
    for line in lines:
        for command in _commands(line):
            asTyped = command.name + "=?" if command.form is Form.TEST else command.name
            wanted = max(wanted, table.get(asTyped, 0))
    return wanted
