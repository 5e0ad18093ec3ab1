"""
Dialogue files: recorded exchanges with an emulated module, read into steps.

What is read here is the whole format of C{tests/dialogues/README.md}, the extensions for Multi-Tech included; whether
a step can be replayed is not decided here. No Twisted, no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar

from atrunproto.testing.vocabulary import AT_PORTS, DIRECTIVES, FACTS, PORTS, Row

MAX_FILE: Final = 1 << 20
"""Octets; the longest dialogue has some 3,000. One file holds one exchange."""

GUARD = b"+++"
"""The escape sequence; a piece of its own, since silence goes before and after it."""

_ESCAPES: Final = {
    "<CR>": b"\r",
    "<LF>": b"\n",
    "<CTRL-Z>": b"\x1a",
    "<ESC>": b"\x1b",
    "<ETX>": b"\x03",
    "<DLE>": b"\x10",
}
_ESCAPE: Final = re.compile(r"(<CR>|<LF>|<CTRL-Z>|<ESC>|<ETX>|<DLE>|<\+\+\+>)")


def octetsOf(text: str) -> bytes:
    """The octets of a text in which control characters are written by their names."""
    return b"".join(_ESCAPES.get(part) or part.encode() for part in _ESCAPE.split(text))


class DialogueError(ValueError):
    """A dialogue file isn't what the format says."""

    def __init__(self, name: str, line: int, what: str) -> None:
        super().__init__(f"{name}:{line}: {what}")
        self.name = name
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class Send:
    """
    Octets for the module, or from a peer of it.

    @ivar pieces: what is sent, piece by piece; one marked C{True} is the escape sequence with silence around it.
    @ivar raw: it is sent exactly as written, without a CR behind it.
    """

    line: int
    port: str
    text: str
    pieces: tuple[tuple[bytes, bool], ...]
    raw: bool = False

    def __str__(self) -> str:
        return f">| {self.text}" if self.raw else f"> {self.text}"


@dataclass(frozen=True, slots=True)
class Expect:
    """
    A line that must arrive.

    @ivar pattern: matches the line in full; C{None} where the line is expected as C{text} literally.
    @ivar within: seconds, where the dialogue gives a limit.
    """

    line: int
    port: str
    text: str
    pattern: re.Pattern[str] | None = None
    within: float | None = None

    def __str__(self) -> str:
        return f"<? {self.text}" if self.pattern else f"< {self.text}"


@dataclass(frozen=True, slots=True)
class AnyLines:
    """Any number of lines may come before the next expected one on this port."""

    line: int
    port: str

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Event:
    """
    Something that happens beside the lines: a directive.

    @ivar port: the port of the lines around; empty before the first.
    @ivar word: which directive, such as C{connect} or C{network deactivate}.
    @ivar values: what it was given, by the names of L{atrunproto.testing.vocabulary.DIRECTIVES}.
    @ivar within: seconds, where the dialogue gives a limit.
    """

    line: int
    port: str
    word: str
    values: dict[str, str] = field(default_factory=dict)
    within: float | None = None

    def __str__(self) -> str:
        return " ".join(["@" + self.word, *self.values.values()])


Step: TypeAlias = Send | Expect | AnyLines | Event
_Limited = TypeVar("_Limited", Expect, Event)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is true of the surroundings: C{@world}."""

    line: int
    word: str
    values: dict[str, str]

    def __str__(self) -> str:
        return " ".join(["@world", self.word, *self.values.values()])


@dataclass(frozen=True, slots=True)
class Given:
    """A command for a port before the dialogue starts."""

    line: int
    port: str
    command: str

    def __str__(self) -> str:
        return f"@given {self.port} {self.command}"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One dialogue, header and body."""

    name: str
    title: str
    source: str
    kind: str
    product: str
    topic: str
    ports: tuple[str, ...]
    ledger: tuple[str, ...]
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    given: tuple[Given, ...]
    steps: tuple[Step, ...]


_LIMITED: Final = frozenset(
    {
        *("connect", "accept", "dropped", "closed", "refused", "reboot", "ppp open", "ppp close"),
        *("ftp has", "ftp used", "smtp has", "smtp used"),
    }
)
"""The directives to which a C{@within} in front applies; the others take no time or say themselves how much."""

_HEADINGS: Final = ("source", "kind", "product", "topic", "ports", "ledger", "note")
_REQUIRED: Final = ("product", "topic", "ports")
_KINDS: Final = ("transcript", "derived")


def _asWritten(line: str) -> str:
    return line


class _Reader:
    """Goes through the lines of one file."""

    def __init__(self, name: str, translate: Callable[[str], str]) -> None:
        self._name = name
        self._translate = translate
        self._number = 0
        self._port = ""
        self._within: tuple[int, float] | None = None
        self._title = ""
        self._headings: dict[str, list[str]] = {heading: [] for heading in _HEADINGS}
        self._facts: list[Fact] = []
        self._given: list[Given] = []
        self._steps: list[Step] = []

    def read(self, text: str) -> Dialogue:
        """Read the whole text."""
        lines = iter(enumerate(text.split("\n"), 1))
        self._readHeader(lines)
        for self._number, line in lines:
            if line:
                self._steps.extend(self._readBody(line))
        if self._within is not None:
            raise DialogueError(self._name, self._within[0], "@within with nothing behind it that it could limit")
        if not self._steps:
            raise self._error("the dialogue has no body")
        headings = self._headings
        return Dialogue(
            name=self._name,
            title=self._title,
            source=" ".join(headings["source"]),
            kind=" ".join(headings["kind"]),
            product=headings["product"][0],
            topic=headings["topic"][0],
            ports=_listed(headings["ports"]),
            ledger=_listed(headings["ledger"]),
            notes=tuple(headings["note"]),
            facts=tuple(self._facts),
            given=tuple(self._given),
            steps=tuple(self._steps),
        )

    def _error(self, what: str) -> DialogueError:
        return DialogueError(self._name, self._number, what)

    # the header

    def _readHeader(self, lines: Iterator[tuple[int, str]]) -> None:
        for self._number, line in lines:
            if not line:
                break
            if not line.startswith("#"):
                raise self._error("the header has comment lines only and ends with an empty line")
            text = line[1:].strip()
            if self._number == 1:
                self._title = text
            elif text.startswith("@"):
                self._readHeaderWord(self._translate(text))
            else:
                heading, colon, value = text.partition(":")
                if colon and heading in self._headings:
                    self._readHeading(heading, value.strip())
        if not self._title:
            raise DialogueError(self._name, 1, "the first line is the title: `# text`")
        for heading in _REQUIRED:
            if not self._headings[heading]:
                raise self._error(f"the header has no line `# {heading}:`")

    def _readHeading(self, heading: str, value: str) -> None:
        if not value and heading in _REQUIRED:
            raise self._error(f"`# {heading}:` is empty")
        if heading in ("kind", "product", "topic") and self._headings[heading]:
            raise self._error(f"a second line `# {heading}:`")
        if heading == "kind" and value not in _KINDS:
            raise self._error(f"the kind is {' or '.join(_KINDS)}, not {value!r}")
        self._headings[heading].append(value)

    def _readHeaderWord(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        if word == "@world":
            name, values = self._look(FACTS, rest, "fact")
            self._facts.append(Fact(self._number, name, values))
        elif word == "@given":
            port, _, command = rest.partition(" ")
            self._checkPort(port, AT_PORTS)
            if not command:
                raise self._error("@given: expected `@given PORT COMMAND`")
            self._given.append(Given(self._number, port, command))
        else:
            raise self._error(f"{word} stands in the header; only @world and @given may")

    # the body

    def _readBody(self, line: str) -> Iterator[Step]:
        if line.startswith("#"):
            text = line[1:].strip()
            if text.startswith("@"):
                yield from self._readDirective(self._translate(text[1:]))
            return
        if line.startswith("PORT "):
            self._port = line[5:].strip()
            self._checkPort(self._port, PORTS)
            return
        mark, text = self._split(line)
        if not self._port:
            raise self._error("no PORT line stands before this one")
        text = self._translate(text)
        if mark == "...":
            yield AnyLines(self._number, self._port)
        elif mark in (">", ">|"):
            yield self._readSend(mark, text)
        else:
            yield self._limited(self._readExpect(mark, text.rstrip()))

    def _split(self, line: str) -> tuple[str, str]:
        if line.rstrip() == "...":
            return "...", ""
        for mark in (">|", "<?", ">", "<"):
            if line == mark or line.startswith(mark + " "):
                return mark, line[len(mark) + 1 :]
        raise self._error(f"a line is PORT, >, >|, <, <?, ... or a comment; this one begins with {line[:12]!r}")

    def _readSend(self, mark: str, text: str) -> Send:
        if mark == ">|" and not text:
            raise self._error(">| without anything to send")
        shown, written = text, text + "<CR>" if mark == ">" else text
        pieces: list[tuple[bytes, bool]] = []
        octets = bytearray()
        for part in _ESCAPE.split(written):
            if part == "<+++>":
                pieces.append((bytes(octets), False))
                pieces.append((GUARD, True))
                octets.clear()
            else:
                octets += octetsOf(part)
        pieces.append((bytes(octets), False))
        return Send(self._number, self._port, shown, tuple(piece for piece in pieces if piece[0]), mark == ">|")

    def _readExpect(self, mark: str, text: str) -> Expect:
        if not text:
            raise self._error(f"{mark} without text: blank lines are ignored and can't be expected")
        if mark == "<":
            return Expect(self._number, self._port, text)
        try:
            return Expect(self._number, self._port, text, re.compile(text))
        except (re.error, RecursionError, OverflowError) as error:
            raise self._error(f"not a regular expression: {error}") from error

    def _readDirective(self, text: str) -> Iterator[Step]:
        word, values = self._look(DIRECTIVES, text, "directive")
        if word == "within":
            if self._within is not None:
                raise self._error("a second @within for the same line or event")
            self._within = self._number, float(values["seconds"])
            return
        event = Event(self._number, self._port, word, values)
        if word == "reboot" and values:
            event = replace(event, within=float(values["seconds"]))
        yield self._limited(event) if word in _LIMITED else event

    def _limited(self, step: _Limited) -> _Limited:
        if self._within is None:
            return step
        within, self._within = self._within, None
        return replace(step, within=within[1])

    # both

    def _look(self, rows: tuple[Row, ...], text: str, what: str) -> tuple[str, dict[str, str]]:
        for word, usage, pattern in rows:
            if text == word or text.startswith(word + " "):
                found = re.fullmatch(pattern, text[len(word) :].strip())
                if found is None:
                    raise self._error(f"@{word}: expected `{f'{word} {usage}'.strip()}`, got {text[:80]!r}")
                values = {name: value for name, value in found.groupdict().items() if value is not None}
                self._checkValues(values)
                return word, values
        raise self._error(f"unknown {what} {text[:80]!r}")

    def _checkValues(self, values: dict[str, str]) -> None:
        if "number" in values and not 1 <= int(values["number"]) <= 65535:
            raise self._error(f"{values['number']} is not a port number")
        if "address" in values and any(int(number) > 255 for number in re.findall(r"\d+", values["address"])):
            raise self._error(f"{values['address']} is not an address")

    def _checkPort(self, port: str, known: tuple[str, ...]) -> None:
        if port not in known:
            raise self._error(f"unknown port {port[:20]!r}; there are {', '.join(known)}")


def _listed(values: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def parse(data: bytes, name: str, translate: Callable[[str], str] = _asWritten) -> Dialogue:
    """
    Read a dialogue.

    @param data: what the file holds.
    @param name: what errors call the file.
    @param translate: what happens to each line of the exchange and each fact before it is read, such as
        L{atrunproto.testing.loopback.toLoopback}.
    @raise DialogueError: if it isn't a dialogue; it says where and why.
    """
    if len(data) > MAX_FILE:
        raise DialogueError(name, 1, f"longer than {MAX_FILE} octets")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise DialogueError(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8") from error
    if "\r" in text or "\0" in text:
        octet = "\r" if "\r" in text else "\0"
        where = text.count("\n", 0, text.index(octet)) + 1
        raise DialogueError(name, where, "lines end with LF alone" if octet == "\r" else "there is a NUL")
    return _Reader(name, translate).read(text)
