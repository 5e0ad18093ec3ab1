"""
What Multi-Tech modems say, as their host reads it: values, displays, messages, in every spelling of the guide.

Source: reference guide S000333C, chapters 2 to 9 and its appendices, which differ; MTS-DISP, MTS-PING, MTS-MISC,
MTS-GAP-02, -05 to -08, -16 to -19, -22, -23, -34, -48.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from atrunproto.at.errors import PeerViolation
from atrunproto.at.results import Reason
from atrunproto.secret import Secret

from .errors import INACTIVE, PPP_CLIENT_FAILED, Message
from .parameters import BY_NAME, Kind, Row
from .stack import State

#: a number, a text, or a password
Value: TypeAlias = int | str | Secret
#: the name of a parameter, with the number of the socket where each has its own
Key: TypeAlias = str | tuple[str, int]

# -- values

_LINE = re.compile(r"\s*#?([A-Z][A-Z0-9]*)\s*[:=]\s*=?\s*(.*?)\s*", re.ASCII | re.DOTALL).fullmatch
_SOCKET = re.compile(r"([0-9]+)\s*,\s*(.*)", re.ASCII | re.DOTALL).fullmatch
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII).fullmatch
#: names that the guide prints in place of others (MTS-GAP-02)
_ALIASES = {"DELMODE": "DLEMODE"}


def _rowOf(line: str) -> tuple[Row, str] | None:
    """
    Of which parameter a line tells, and what.
    """
    found = _LINE(line)
    if found is None:
        return None
    name, text = found.groups()
    row = BY_NAME.get(_ALIASES.get(name, name))
    return None if row is None else (row, text)


def _unquoted(text: str) -> str:
    """
    A text without its quotes; a lone blank stands for nothing (MTS-GAP-19).
    """
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return "" if bare == " " else bare


def readLine(line: str) -> tuple[Key, Value] | None:
    """
    What a line tells of a parameter; C{None}: it tells of none.

    @raise PeerViolation: what stands there is no value of this parameter. It isn't shown, for it may be a password.
    """
    told = _rowOf(line)
    if told is None:
        return None
    row, text = told
    key: Key = row.name
    # a stack before 3.02 has one socket, without a number
    if row.perSocket and (parts := _SOCKET(text)) is not None:
        key, text = (row.name, int(parts.group(1))), parts.group(2)
    return key, _valueOf(row, _unquoted(text))


def _valueOf(row: Row, text: str) -> Value:
    if row.isSecret:
        return Secret(text)
    if row.values and isinstance(row.values[0], str):
        # the guide prints a 1 for an I (MTS-GAP-16)
        return text.upper().replace("1", "I")
    if row.kind in (Kind.INT, Kind.ENUM):
        if _NUMBER(text) is None:
            raise PeerViolation(f"{row.name} is no number")
        return int(text)
    return text


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """
    Lines of a display; a text in quotes that goes over several lines is one of them.
    """
    begun: list[str] = []
    for line in lines:
        if not begun:
            told = _rowOf(line)
            if told is None or not _isOpen(told[1]):
                yield line
                continue
        elif _rowOf(line) is not None:
            # that quote is never closed
            yield from begun
            begun = []
        begun.append(line)
        if len(begun) > 1 and line.rstrip().endswith('"'):
            yield "\r\n".join(begun)
            begun = []
    yield from begun


def _isOpen(text: str) -> bool:
    """
    Whether a text begins with a quote and doesn't end with one.
    """
    begin = text.find('"')
    return begin >= 0 and (begin == len(text) - 1 or not text.endswith('"'))


def readDisplay(lines: Iterable[str]) -> dict[Key, Value]:
    """
    The values of a display. Their order means nothing (MTS-GAP-73); lines that tell of no parameter are passed over.

    @raise PeerViolation: as L{readLine}.
    """
    told = (readLine(line) for line in _joined(lines))
    return dict(each for each in told if each is not None)


# -- what else is asked for

_VERSION = re.compile(r'#?VERSION\s*[:=]\s*"?(.*?)"?\s*', re.IGNORECASE).fullmatch
_STATE = re.compile(r'#?(?:STATE\s*[:=]\s*)?"?(.*?)"?\s*', re.IGNORECASE).fullmatch
_MINE = re.compile(r"MY IP\s*:\s*([0-9.]+)\s*", re.IGNORECASE).fullmatch
_PEER = re.compile(r"(?:PEER|GATEWAY) IP\s*:\s*([0-9.]+)\s*", re.IGNORECASE).fullmatch
_ALIVE = re.compile(r'"?(.*?)"?\s+is alive\s*:\s*time\s*=\s*([0-9]{1,9})\s*ms\s*', re.IGNORECASE).fullmatch
_SILENT = re.compile(r'NO answer from\s+"?(.*?)"?\s*', re.IGNORECASE).fullmatch
_ADDRESS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    The two ends of the connection, in dotted form.

    @ivar peer: the other end, or the gateway where it is GPRS; empty where the modem doesn't tell.
    """

    own: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Echo:
    """
    What became of one echo request.

    @ivar remote: who was asked, as it was written.
    @ivar milliseconds: how long the reply took; C{None}: there was none.
    """

    remote: str
    milliseconds: int | None


def readVersion(lines: Iterable[str]) -> str:
    """
    The version of the stack.

    @raise PeerViolation: none is told.
    """
    for line in lines:
        found = _VERSION(line)
        if found is not None:
            return found.group(1)
    raise PeerViolation("no version is told")


def readState(lines: Iterable[str]) -> State:
    """
    How far the connection is; also told as C{#NO SERVICE} (MTS-GAP-18).

    @raise PeerViolation: no state is told, or none that is known.
    """
    states = {state.value: state for state in State}
    for line in lines:
        found = _STATE(line)
        if found is not None and found.group(1).upper() in states:
            return states[found.group(1).upper()]
    raise PeerViolation("no state is told", "\n".join(lines).encode("latin-1", "replace"))


def readAddresses(lines: Iterable[str]) -> Addresses:
    """
    The addresses of a connection, by GSM or by GPRS (MTS-GAP-48).

    @raise PeerViolation: the modem's own isn't told.
    """
    shown = list(lines)
    own, peer = ([found.group(1) for line in shown if (found := shape(line))] for shape in (_MINE, _PEER))
    if not own:
        raise PeerViolation("no address is told", "\n".join(shown).encode("latin-1", "replace"))
    return Addresses(own[0], peer[0] if peer else "")


def readEchoes(lines: Iterable[str]) -> list[Echo]:
    """
    What became of the echo requests, in their order.
    """
    echoes = []
    for line in lines:
        alive, silent = _ALIVE(line), _SILENT(line)
        if alive is not None:
            echoes.append(Echo(alive.group(1), int(alive.group(2))))
        elif silent is not None:
            echoes.append(Echo(silent.group(1), None))
    return echoes


def isAddress(line: str) -> bool:
    """
    Whether a line is an address alone, as a connection that is made tells it.
    """
    return _ADDRESS(line.strip()) is not None


# -- messages

_NAMES = {each.name.replace("_", "").lower(): each for each in Message}
#: other words for them (MTS-GAP-05, MTS-GAP-06, MTS-GAP-23)
_WORDS = {
    "ok_info_waitingfordate": Message.WAITING_FOR_DATA,
    "ok_waitingfordata": Message.WAITING_FOR_DATA,
    "ppp ok": Message.PPP,
    **{f"ok_info_{name}": each for name, each in _NAMES.items()},
    **{str(each.value): each for each in Message},
}
#: words that the guide has for errors in some places (MTS-GAP-22, MTS-GAP-23)
ERROR_WORDS = {"TIMEOUT": INACTIVE, "PPP ERROR": PPP_CLIENT_FAILED}


def messageOf(text: str) -> Message | None:
    """
    Which information message a line is, in words or as a number; C{None}: it is none.
    """
    return _WORDS.get(text.strip().lower())


def errorOf(text: str) -> Reason | None:
    """
    Which error a line is that says it in words; C{None}: it is none.
    """
    return ERROR_WORDS.get(text.strip().upper())
