"""
Declarative command tables.

A command is declared once; from its row come parsing, range check, the C{=?} and C{?} forms, defaults, storage class,
errors, the manual's table and the peer's typed call.
Rows are frozen values. Tables are built at import and merged by a product into one L{CommandSet}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .bearer import OVER_SMS, OVER_TCP, BearerKind, Jam
from .errors import CommandFailed, Misuse, PeerViolation
from .grammar import Form, ParsedCommand, breaksWord, commandsIn
from .parameters import BadForm, BadValue, Parameter, parseArguments
from .results import CME, PLAIN_ERROR, Dialect, ErrorFamily, Reason, refuse
from .settings import Key, Stored, Values

if TYPE_CHECKING:
    from .module import ATInstance

#: a handler gets the instance and the converted arguments; what it may return is told in L{atrunproto.at.module}
Handler = Callable[..., Any]
Decorated = TypeVar("Decorated", bound=Handler)
#: decides by bearer, instance and module whether a command is refused now; C{None} lets it run
Limit = Callable[["ATInstance"], Reason | None]
#: tells by bearer and arguments what a command does to the exchange of commands and answers
Jams = Callable[[BearerKind, Values], Jam | None]


@dataclass(frozen=True, slots=True)
class Command:
    """
    One row: one AT command with everything that is known of it.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    run: Handler | None = None
    execute: Handler | None = None
    read: Handler | None = None
    test: Handler | None = None
    #: the set form with its first argument alone, which reads what is set under it (MTS-PAR-07)
    look: Handler | None = None
    #: its bare form shows values, and is answered like a read
    shows: bool = False
    isSetting: bool = False
    #: the parameter that tells which of several equal settings is meant
    key: Parameter | None = None
    #: a setting that exists only where it has been set
    definable: bool = False
    #: factory values by key, where they differ
    factories: Mapping[int, Values] | None = None
    stored: Stored = Stored.NEVER
    #: one value for the whole module; else each instance has its own
    shared: bool = False
    #: where the command is refused; called in turn, the first reason wins
    limits: tuple[Limit, ...] = ()
    #: whether, with these values on this bearer, the command stops the exchange of commands and answers
    jams: Jams | None = None
    #: seconds that the command may take at most; what the peer waits for
    longest: float = 5.0
    #: the reason for a read form that the command doesn't have
    noRead: Reason = CME[4]
    #: the reason for a bare name that the command doesn't have, where it isn't that of a syntax error
    noValue: Reason | None = None
    #: C{NO CARRIER} answers it; in the midst of other commands that is a notice
    noCarrier: bool = False
    #: its prompt C{> } takes as many octets as its arguments tell, without ^Z
    counted: bool = False
    #: the name in front of its answer, where that isn't its own; C{"#"}: every name that begins with that
    answersAs: str | None = None
    #: what ends it instead of C{OK}: information messages, in small letters, and their numbers
    endings: frozenset[str] = frozenset()
    #: its read form shows C{mode,status[,"text"...]}; a notice of its name is C{status[,"text"...]}
    tellsStatus: bool = False
    #: what it is for, in a sentence for the manual; an action's is the first line of its handler's docstring
    about: str = ""
    #: where the facts come from
    source: str = ""
    #: the default of each parameter
    defaults: Values = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # settings are asked for far more often than rows are made
        object.__setattr__(self, "defaults", tuple(parameter.default for parameter in self.parameters))

    @property
    def isInternal(self) -> bool:
        """
        Whether this is a place where other commands keep values: no command line can say a name with a blank.
        """
        return " " in self.name

    @property
    def width(self) -> int:
        """
        How many values a setting has, its key not counted.
        """
        return len(self.parameters)

    def keys(self) -> Sequence[Key]:
        """
        All keys that this setting can have.
        """
        if self.key is None:
            return (None,)
        return [number for low, high in self.key.ranges for number in range(low, high + 1)]  # type: ignore[attr-defined]

    def factory(self, key: Key) -> Values:
        """
        The factory values under this key.
        """
        if self.definable:
            raise KeyError(key)
        if self.factories is not None and key is not None and key in self.factories:
            return self.factories[key]
        return self.defaults

    def holds(self, values: Sequence[Any], key: Key) -> bool:
        """
        Whether a setting can have these values under this key.
        """
        if (self.key is None) != (key is None) or len(values) != self.width:
            return False
        if self.key is not None and not self.key.holds(key):
            return False
        return all(parameter.holds(value) for parameter, value in zip(self.parameters, values, strict=True))

    @property
    def allParameters(self) -> tuple[Parameter, ...]:
        """
        The parameters of the set form, the key first.
        """
        return self.parameters if self.key is None else (self.key, *self.parameters)

    @property
    def secret(self) -> bool:
        """
        Whether an argument may be a password.
        """
        return any(parameter.secret for parameter in self.parameters)

    def testLine(self) -> str | None:
        """
        The answer to the test form: name and ranges, or nothing where no parameter has one to show.
        """
        ranges = [parameter.range() for parameter in self.allParameters]
        return f"{self.name}: {','.join(ranges)}" if any(ranges) else None

    def show(self, values: Values, key: Key = None) -> str:
        """
        A line of the read form.
        """
        shown = [parameter.show(value) for parameter, value in zip(self.parameters, values, strict=True)]
        if self.key is not None:
            shown.insert(0, str(key))
        return f"{self.name}: {','.join(shown)}"


def refusedOver(*kinds: BearerKind) -> Limit:
    """
    A limit: the command answers C{ERROR} when it comes over one of these bearers.
    """
    refused = frozenset(kinds)

    def limit(at: ATInstance) -> Reason | None:
        return at.dialect.syntaxError if at.bearer.kind in refused else None

    limit.__doc__ = "refused over " + ", ".join(kind.value for kind in kinds)
    return limit


def jamsOver(*first: int, tcp: Jam | None = None, sms: Jam | None = None) -> Jams:
    """
    What a command does to a run-AT service if its first argument is one of these.
    """

    def jams(kind: BearerKind, values: Values) -> Jam | None:
        if not values or values[0] not in first:
            return None
        return tcp if kind in OVER_TCP else sms if kind in OVER_SMS else None

    return jams


#: who may come in can't be changed by who has come in (TEL-FWR-05, TEL-FWR-06; TEL-CON-04 for the login)
ADMISSION = (refusedOver(BearerKind.SMS_DIGEST, BearerKind.TCPATRUN_SERVER),)


class CommandTable:
    """
    The rows of one protocol package or of one part of the emulator.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[str, Command] = {}

    def add(self, row: Command) -> Command:
        """
        Take up a row.
        """
        if row.name in self.rows:
            raise Misuse(f"{row.name} is declared twice in table {self.name}")
        if row.isSetting and row.stored in (Stored.NVM, Stored.DEMAND) and not row.shared:
            raise Misuse(f"{row.name} is kept in the NVM, where no instance has a place of its own")
        self.rows[row.name] = row
        return row

    def action(self, name: str, *parameters: Parameter, **facts: Any) -> Callable[[Decorated], Decorated]:
        """
        Decorate the handler of a command that does something.

        It is called with the instance and one value a parameter; omitted arguments have their default.
        """

        def decorate(handler: Decorated) -> Decorated:
            bare = facts.pop("needsValue", False) or any(parameter.required for parameter in parameters)
            self.add(
                Command(
                    name,
                    parameters,
                    run=handler if parameters else None,
                    execute=None if bare else handler,
                    **facts,
                )
            )
            return handler

        return decorate

    def setting(self, name: str, *parameters: Parameter, **facts: Any) -> Command:
        """
        Declare a setting.

        Facts beside those of L{Command}: C{check(at, values, key)} raises to refuse a value, C{changed(at, values,
        key)} is called once a new value is in force, C{bare} is the values that a lone name sets (basic commands).
        """
        check, changed = facts.pop("check", None), facts.pop("changed", None)
        bare: Values | None = facts.pop("bare", None)
        undefine: bool = facts.get("definable", False)

        def assign(at: ATInstance, *given: Any) -> None:
            key, values = (given[0], given[1:]) if row.key is not None else (None, given)
            settings = at.settingsOf(row)
            if undefine and all(value is None for value in values):
                if check is not None:
                    check(at, None, key)
                settings.remove(name, key)
                return
            known = not undefine or settings.defined(name, key)
            old = settings.get(name, key) if known else row.defaults
            new = tuple(o if n is None else n for n, o in zip(values, old, strict=True))
            if check is not None:
                check(at, new, key)
            settings.set(name, new, key)
            if changed is not None:
                changed(at, new, key)

        def show(at: ATInstance) -> list[str]:
            settings = at.settingsOf(row)
            return [row.show(settings.get(name, key), key) for key in settings.keys(name)]

        def setBare(at: ATInstance) -> None:
            assign(at, *(bare or ()))

        facts.setdefault("read", show)
        if facts["read"] is None:
            facts["noRead"] = PLAIN_ERROR
        row = self.add(
            Command(
                name,
                parameters,
                run=assign,
                execute=setBare if bare is not None else None,
                isSetting=True,
                **facts,
            )
        )
        return row

    def replace(self, row: Command, **facts: Any) -> Command:
        """
        Complete a row that stands already.
        """
        self.rows[row.name] = replaced = replace(self.rows[row.name], **facts)
        return replaced

    def read(self, name: str) -> Callable[[Decorated], Decorated]:
        """
        Decorate the handler of the read form of a row that stands already.
        """

        def decorate(handler: Decorated) -> Decorated:
            self.replace(self.rows[name], read=handler)
            return handler

        return decorate

    def test(self, name: str) -> Callable[[Decorated], Decorated]:
        """
        Decorate the handler of the test form, where its text is not the list of ranges.
        """

        def decorate(handler: Decorated) -> Decorated:
            self.replace(self.rows[name], test=handler)
            return handler

        return decorate


class Invocation(NamedTuple):
    """
    A command ready to run: its row, the handler of the form, and the converted arguments.
    """

    row: Command
    handler: Handler
    arguments: Values
    form: Form
    #: where it is refused; called in turn, the first reason wins
    limits: tuple[Limit, ...] = ()

    @property
    def isRead(self) -> bool:
        """
        Whether the answer is framed as the answer to a read; a vendor's way to do so is for its own commands.
        """
        return self.form is Form.READ and self.row.name.startswith("#")


class Broken(NamedTuple):
    """
    A command that fails before it runs.
    """

    reason: Reason
    #: where another reason goes before this one
    limits: tuple[Limit, ...] = ()


def _answerTest(row: Command) -> Handler:
    line = row.testLine()
    return lambda at: line


def _nothing(at: ATInstance) -> None:
    """
    Answer C{OK} alone, and change nothing.
    """


#: prepared lines kept by a command set; enough for what a fleet's hosts repeat, small beside one connection's buffers
CACHED_LINES = 1024
#: octets of a line worth keeping
CACHED_LENGTH = 96


class CommandSet:
    """
    All commands of a product, and the way from a line to what is to be run.
    """

    def __init__(
        self,
        dialect: Dialect,
        tables: Iterable[CommandTable],
        without: Iterable[str] = (),
        factory: Mapping[str, Values] | None = None,
        plainTests: Iterable[str] = (),
        gates: Iterable[Limit] = (),
        instead: Iterable[CommandTable] = (),
    ) -> None:
        """
        @param without: names of rows that this product lacks.
        @param factory: the factory values of settings that differ from the row's.
        @param plainTests: names of rows whose test form answers C{OK} alone.
        @param gates: limits on all commands of the dialect's own, be they known or not, ahead of those of their rows.
        @param instead: tables whose rows take the place of those of the same name.
        @raise Misuse: two tables declare one command.
        """
        self.dialect = dialect
        self._gates = tuple(gates)
        self.rows: dict[str, Command] = {}
        lacking = frozenset(without)
        for table in tables:
            for name, row in table.rows.items():
                if name in self.rows:
                    raise Misuse(f"{name} is declared in two tables of one product")
                if name not in lacking:
                    self.rows[name] = row
        for table in instead:
            self.rows.update(table.rows)
        for name, values in (factory or {}).items():
            row = self.rows[name]
            parameters = [parameter.withDefault(value) for parameter, value in zip(row.parameters, values, strict=True)]
            self.rows[name] = replace(row, parameters=tuple(parameters))
        for name in plainTests:
            self.rows[name] = replace(self.rows[name], test=_nothing)
        self._cache: dict[bytes, Sequence[Invocation | Broken]] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self.rows.values())

    def prepare(self, body: bytes) -> Sequence[Invocation | Broken]:
        """
        What a command line asks for, in its order; it ends with the first command that can't be run.

        @param body: the line between C{AT} and the terminator.
        """
        prepared = self._cache.get(body)
        if prepared is None:
            prepared, keep = self._prepare(body)
            if keep and len(body) <= CACHED_LENGTH:
                if len(self._cache) >= CACHED_LINES:
                    self._cache.clear()
                self._cache[body] = prepared
        return prepared

    def _prepare(self, body: bytes) -> tuple[Sequence[Invocation | Broken], bool]:
        """
        Prepare a line; tell also whether it is worth keeping: well-formed, and no password in it.
        """
        prepared: list[Invocation | Broken] = []
        keep = True
        # what a malformed line is about shows in how it begins
        name = body[:1].decode("latin-1")
        try:
            for command in commandsIn(body):
                name = command.name
                row = self.rows.get(name)
                if row is None:
                    isKnown = self.dialect.keepsBlanks and self._beginsKnown(name, body)
                    raise refuse(self.dialect.syntaxError if isKnown else self.dialect.unknownCommand)
                if self.dialect.keepsBlanks and self.dialect.isOwn(name) and breaksWord(body):
                    raise refuse(self.dialect.syntaxError)
                keep = keep and not row.secret
                prepared.append(self._invocation(row, command)._replace(limits=self._limits(name, row.limits)))
        except (PeerViolation, BadForm):
            reason = self.dialect.syntaxError
        except BadValue:
            reason = self.dialect.badValue
        except CommandFailed as error:
            reason = error.reason
        else:
            return tuple(prepared), keep
        if not self.dialect.isOwn(name) and reason.family is ErrorFamily.MULTITECH:
            reason = PLAIN_ERROR
        return (*prepared, Broken(reason, self._limits(name, ()))), False

    def _beginsKnown(self, name: str, body: bytes) -> bool:
        """
        Whether an unknown name is a known one with a blank behind it, and something where a C{=} should be.
        """
        words = [word.rpartition(";")[2] for word in body.decode("latin-1").upper().split()]
        return any(word in self.rows and name.startswith(word) for word in words)

    def _limits(self, name: str, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        return (*self._gates, *limits) if self._gates and self.dialect.isOwn(name) else limits

    def _invocation(self, row: Command, command: ParsedCommand) -> Invocation:
        form = command.form
        if form is Form.READ:
            if row.read is None:
                raise refuse(row.noRead)
            return Invocation(row, row.read, (), form)
        if form is Form.TEST:
            return Invocation(row, row.test or _answerTest(row), (), form)
        if form is Form.EXECUTE:
            if row.execute is None:
                raise refuse(row.noValue or self.dialect.syntaxError)
            return Invocation(row, row.execute, self._defaults(row), Form.READ if row.shows else form)
        if row.look is not None and len(command.arguments) == 1:
            return Invocation(row, row.look, parseArguments((row.allParameters[0],), command.arguments), Form.READ)
        if row.run is None:
            raise refuse(self.dialect.syntaxError)
        parameters = row.allParameters
        # the key of what may be undefined is optional like the rest
        needed = row.parameters if row.definable else parameters
        if command.arguments == (None,) and not any(parameter.required for parameter in needed) and row.isSetting:
            return Invocation(row, _nothing, (), form)
        values = parseArguments(parameters, command.arguments)
        if not row.isSetting:
            values = tuple(
                parameter.default if value is None else value
                for parameter, value in zip(parameters, values, strict=True)
            )
        return Invocation(row, row.run, values, form)

    @staticmethod
    def _defaults(row: Command) -> Values:
        return () if row.isSetting else tuple(parameter.default for parameter in row.parameters)
