"""
Typed calls: from a command row and values to a command line, and from a read form back to values.

No Twisted here; the calls themselves are methods of L{ATClient<atrunproto.at.peer.ATClient>}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import CommandFailed, Misuse, PeerViolation
from .grammar import EXTENDED, Argument
from .parameters import BadValue, Parameter, Text, parseArguments
from .results import Dialect
from .settings import Key, Values

if TYPE_CHECKING:
    from .commands import Command

_CONTROL = re.compile(r"[\x00-\x1f\x7f\"]").search


def callText(row: Command, values: Sequence[Any], named: Mapping[str, Any], dialect: Dialect) -> str:
    """
    The command line, without C{AT}, that calls a row with these values; C{None} is an omitted argument.

    @raise CommandFailed: the module would refuse a value, so it isn't asked.
    @raise Misuse: the row has no such parameter, or the value can't be written in a command line.
    """
    given = _ordered(row, values, named)
    if not given:
        if row.execute is None and row.run is not None:
            raise CommandFailed(f"AT{row.name}", dialect.syntaxError)
        return row.name
    if row.run is None:
        raise CommandFailed(f"AT{row.name}=", dialect.syntaxError)
    parameters = row.allParameters
    shown = [_written(row, parameter, value) for parameter, value in zip(parameters, given, strict=False)]
    arguments = [
        None if text == "" else Argument(text.strip('"'), quoted=text[0] == '"')
        for text in [*shown, *map(str, given[len(parameters) :])]
    ]
    try:
        parseArguments(parameters, arguments)
    except BadValue:
        raise CommandFailed(f"AT{row.name}={'...' if row.secret else ','.join(shown)}", dialect.badValue) from None
    joiner = "=" if row.name[0] in EXTENDED or row.name[0] == "S" else ""
    return row.name + joiner + ",".join(shown)


def _ordered(row: Command, values: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """
    The values in the order of the parameters, those that were given by name included, omitted ones at the end cut off.
    """
    ordered = list(values)
    names = [parameter.name for parameter in row.allParameters]
    for name, value in named.items():
        if name not in names:
            raise Misuse(f"{row.name} has no parameter {name}")
        place = names.index(name)
        if place < len(values):
            raise Misuse(f"{name} of {row.name} is given twice")
        ordered.extend([None] * (place + 1 - len(ordered)))
        ordered[place] = value
    while ordered and ordered[-1] is None:
        ordered.pop()
    return ordered


def _written(row: Command, parameter: Parameter, value: Any) -> str:
    """
    An argument as it stands in a command line.
    """
    if value is None:
        return ""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if _CONTROL(text) is not None:
        raise Misuse(f"{parameter.name} of {row.name} holds a quote or a control character")
    return f'"{text}"' if isinstance(parameter, Text) else text


_FIELD = re.compile(r'\s*(?:"([^"]*)"|([^,]*?))\s*(?:,|$)')


def fieldsOf(text: str) -> list[str | None]:
    """
    The values of an information line, quotes removed; an empty one is C{None}.
    """
    fields: list[str | None] = []
    at = 0
    while at <= len(text):
        found = _FIELD.match(text, at)
        # whatever isn't a quoted value is a bare one
        assert found is not None
        quoted, bare = found.groups()
        fields.append(quoted if quoted is not None else bare or None)
        if not found.group().endswith(","):
            break
        at = found.end()
    return fields


def content(row: Command, line: str) -> str:
    """
    What an information line says behind the name of its command.
    """
    return line.removeprefix(f"{row.name}:").strip()


def readValues(row: Command, lines: Sequence[str]) -> Values | dict[Key, Values]:
    """
    The values that a read form shows: of a keyed setting by key, of another one alone.

    What a line shows beyond the parameters of the row (the status in C{+CREG: 0,1}) follows as text.

    @raise PeerViolation: the lines aren't values of this row.
    """
    shown = [_values(row, content(row, line)) for line in lines]
    if row.key is not None:
        return {values[0]: values[1:] for values in shown}
    if len(shown) != 1:
        raise PeerViolation(f"the read form of {row.name} gave {len(shown)} lines")
    return shown[0]


def _values(row: Command, text: str) -> Values:
    fields, parameters = fieldsOf(text), row.allParameters
    values: list[Any] = []
    for place in range(max(len(fields), len(parameters))):
        field = fields[place] if place < len(fields) else None
        if place >= len(parameters) or field is None:
            values.append(field)
            continue
        parameter = parameters[place]
        try:
            values.append(parameter.parse(Argument(field, quoted=isinstance(parameter, Text))))
        except BadValue:
            raise PeerViolation(
                f"{parameter.name} of {row.name} reads back as something else", field.encode("latin-1", "replace")
            ) from None
    return tuple(values)
