"""
The grammar of an AT command line: from the bytes between prefix and terminator to commands with their arguments.

No I/O and no settings: what a line means does not depend on anything but the line.
Sources: ITU-T V.250 5.2 to 5.4; reference 1.1 (P). TEL-GEN-02, TEL-GEN-03, TEL-GEN-04, TEL-GEN-08.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .errors import PeerViolation


class Form(Enum):
    """
    What a command asks for.
    """

    EXECUTE = "execute"
    SET = "set"
    READ = "read"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Argument:
    """
    One argument as it was written.
    """

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """
    One command of a line.

    C{name} is in upper case and complete (C{+CSQ}, C{&F}, C{S3}); an omitted argument is C{None}.
    """

    name: str
    form: Form = Form.EXECUTE
    arguments: tuple[Argument | None, ...] = ()

    def __str__(self) -> str:
        # the register selected last is meant by no name at all
        name = self.name if self.name != SELECTED_REGISTER or self.form is Form.EXECUTE else ""
        if self.form is not Form.SET:
            return name + {Form.EXECUTE: "", Form.READ: "?", Form.TEST: "=?"}[self.form]
        shown = [("" if a is None else f'"{a.text}"' if a.quoted else a.text) for a in self.arguments]
        return name + ("=" if self.name[0] in EXTENDED + SELECTED_REGISTER else "") + ",".join(shown)


#: first characters of extended and proprietary command names
EXTENDED = "+#$@*!^"
#: the register that `AT?` and `AT=n` act on is the one selected last
SELECTED_REGISTER = "S"

_PREFIX = re.compile(rb"[Aa][Tt]")
#: a quoted string, or a run of anything else: blanks vanish outside quotes only
_TOKEN = re.compile(r'"[^"]*"|[^" ]+| +')
_QUOTED = re.compile(r'"[^"]*"')
_NAME = re.compile(r"[+#$@*!^][A-Z0-9_]+", re.IGNORECASE)
_BASIC = re.compile(r"(S)(\d+)|([&\\%]?[A-Z])", re.IGNORECASE)
_DIGITS = re.compile(r"\d*")


def bodyOf(line: bytes) -> bytes | None:
    """
    What follows the prefix C{AT} (or C{at}) in a line, or C{None} if there is no prefix.

    The prefix is hunted for, as V.250 5.2.1 wants it: noise in front of it is skipped.
    """
    found = _PREFIX.search(line)
    return None if found is None else line[found.end() :]


def parse(body: bytes) -> list[ParsedCommand]:
    """
    Split the body of a command line into its commands, in their order.

    @param body: what stands between C{AT} and the terminator.
    @raise PeerViolation: the line is not well-formed as a whole.
    """
    return list(commandsIn(body))


def commandsIn(body: bytes) -> Iterator[ParsedCommand]:
    """
    Give the commands of a line one by one: those in front of a malformed one are run (reference 1.1).

    @param body: what stands between C{AT} and the terminator.
    @raise PeerViolation: here the line stops being well-formed; for a quote that is not closed, at once.
    """
    text = _withoutBlanks(body.decode("latin-1"))
    at = 0
    while at < len(text):
        if text[at] == ";":
            at += 1
            continue
        command, at = _extended(text, at) if text[at] in EXTENDED else _basic(text, at)
        yield command


def breaksWord(body: bytes) -> bool:
    """
    Whether a blank stands within an argument that has no quotes, where V.250 would drop it.
    """
    commands = _QUOTED.sub("", body.decode("latin-1")).split(";")
    return any(" " in word.strip() for command in commands for word in command.partition("=")[2].split(","))


def _withoutBlanks(text: str) -> str:
    if '"' not in text:
        return text.replace(" ", "")
    tokens = _TOKEN.findall(text)
    if sum(map(len, tokens)) != len(text):
        raise PeerViolation("a quote is not closed", text.encode("latin-1"))
    return "".join(token for token in tokens if token[0] != " ")


def _extended(text: str, at: int) -> tuple[ParsedCommand, int]:
    """
    The extended command that begins here, and where it ends.
    """
    matched = _NAME.match(text, at)
    if matched is None:
        # "AT#/" is handled before the grammar; a lone prefix character is nothing
        raise PeerViolation("a command has no name", text[at:].encode("latin-1"))
    end = _endOfCommand(text, matched.end())
    name, rest = matched.group().upper(), text[matched.end() : end]
    if rest == "":
        return ParsedCommand(name), end
    if rest == "?":
        return ParsedCommand(name, Form.READ), end
    if rest == "=?":
        return ParsedCommand(name, Form.TEST), end
    if rest[0] == "=":
        return ParsedCommand(name, Form.SET, _arguments(rest[1:])), end
    raise PeerViolation("a command name is followed by something odd", text[at:].encode("latin-1"))


def _endOfCommand(text: str, at: int) -> int:
    """
    The position of the next semicolon outside quotes, or of the end.
    """
    quoted = False
    for position in range(at, len(text)):
        char = text[position]
        if char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            return position
    return len(text)


def _arguments(text: str) -> tuple[Argument | None, ...]:
    if '"' not in text:
        return tuple(Argument(part) if part else None for part in text.split(","))
    arguments: list[Argument | None] = []
    at = 0
    while True:
        if text[at : at + 1] == '"':
            close = text.index('"', at + 1)
            arguments.append(Argument(text[at + 1 : close], quoted=True))
            end = close + 1
            if end < len(text) and text[end] != ",":
                raise PeerViolation("something follows a closing quote", text.encode("latin-1"))
        else:
            comma = text.find(",", at)
            end = len(text) if comma < 0 else comma
            bare = text[at:end]
            if '"' in bare:
                raise PeerViolation("a quote stands inside a bare word", text.encode("latin-1"))
            arguments.append(Argument(bare) if bare else None)
        if end >= len(text):
            return tuple(arguments)
        at = end + 1


def _basic(text: str, at: int) -> tuple[ParsedCommand, int]:
    """
    The basic command that begins here, and where it ends.
    """
    if text[at] in "?=":
        return _register(text, at, SELECTED_REGISTER)
    matched = _BASIC.match(text, at)
    if matched is None:
        raise PeerViolation("no command begins like this", text[at:].encode("latin-1"))
    end = matched.end()
    if matched.group(1):
        return _register(text, end, "S" + (matched.group(2).lstrip("0") or "0"))
    name = matched.group(3).upper()
    if name == "D":
        # the dial string takes the rest of the line, its semicolon included (V.250 6.3.1)
        return ParsedCommand("D", Form.SET, (Argument(text[end:]),)), len(text)
    number, end = _number(text, end)
    return (ParsedCommand(name) if number is None else ParsedCommand(name, Form.SET, (number,))), end


def _register(text: str, at: int, name: str) -> tuple[ParsedCommand, int]:
    """
    What follows the name of an S register, and where it ends.
    """
    if text.startswith("=?", at):
        return ParsedCommand(name, Form.TEST), at + 2
    if text.startswith("?", at):
        return ParsedCommand(name, Form.READ), at + 1
    if text.startswith("=", at):
        number, end = _number(text, at + 1)
        return ParsedCommand(name, Form.SET, (number,)), end
    return ParsedCommand(name), at


def _number(text: str, at: int) -> tuple[Argument | None, int]:
    digits = _DIGITS.match(text, at)
    assert digits is not None
    return (Argument(digits.group()) if digits.group() else None), digits.end()
