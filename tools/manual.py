"""
The tables of the manual, made from the declarations in the code: an extension of Sphinx.

A line C{<!-- manual: commands tcpatrun -->} of a page is replaced by what it names when the pages are built, so the
tables can't fall behind the code, and nobody has to remember to write them anew. What can be named stands in L{PARTS}.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from atrunproto.at import results
from atrunproto.at.advice import EFFECTS, SUGGESTED_DELAYS
from atrunproto.at.bearer import BearerKind, Jam
from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.grammar import EXTENDED, SELECTED_REGISTER
from atrunproto.at.parameters import Choice, Int, Parameter, Text
from atrunproto.at.results import CME, CMS, FINAL_CODES, MULTITECH, TELIT, ResultCode
from atrunproto.emulator.limits import LIMITS
from atrunproto.emulator.module import EmulatedModule, Power
from atrunproto.emulator.products import DURATIONS, FAMILIES, PRODUCTS, Product, editions
from atrunproto.fleet import executions
from atrunproto.ipeasy import lifecycle
from atrunproto.ipeasy.sockets import Status
from atrunproto.multitech import lifecycle as connection
from atrunproto.multitech.stack import State as ConnectionState
from atrunproto.smsatrun.module import SMSATRUNService
from atrunproto.tcpatrun.module import State, TCPATRUNService

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Text as it is typed."""
    return f"`{text}`"


def prose(text: str) -> str:
    """The first sentence of a docstring, its epytext as Markdown."""
    first = " ".join(text.strip().split("\n\n")[0].split())
    return re.sub(r"[CL]\{([^{}]*)\}", r"`\1`", first)


# -- commands


def tables() -> dict[str, CommandTable]:
    """The tables of all products, by name."""
    found: dict[str, CommandTable] = {}
    for product in editions():
        for each in product.tables:
            found[each.name] = each
    return found


def rowsOf(each: CommandTable) -> list[Command]:
    """The commands of a table; what only keeps values for others isn't one."""
    return [row for row in each.rows.values() if not row.isInternal]


_SIGNS = {"#": "hash-", "+": "plus-", "&": "amp-", "\\": "backslash-"}


def anchor(each: CommandTable, row: Command) -> str:
    """The name by which pages link to a command."""
    sign, rest = _SIGNS.get(row.name[0], ""), row.name.lstrip("".join(_SIGNS))
    return f"{each.name}-{sign}{rest}".replace(" ", "-").lower()


def about(row: Command) -> str:
    """What a command is for."""
    handler = row.run or row.execute or row.read
    return row.about or prose((handler and handler.__doc__) or "")


def forms(row: Command) -> list[str]:
    """The forms that a command has, as they are typed."""
    name = "" if row.name == SELECTED_REGISTER else row.name
    typed = []
    if row.execute is not None:
        typed.append(f"AT{row.name}")
    if row.run is not None:
        joiner = "=" if row.name[0] in EXTENDED + SELECTED_REGISTER else ""
        typed.append(f"AT{name}{joiner}{_arguments(row.allParameters)}")
    if row.look is not None:
        typed.append(f"AT{name}={_arguments(row.allParameters[:1])}")
    if row.read is not None:
        typed.append(f"AT{name}?")
    return [*typed, f"AT{name}=?"]


def _arguments(parameters: Sequence[Parameter]) -> str:
    """The arguments of the set form, what may be left out in brackets."""
    needed = max((place + 1 for place, each in enumerate(parameters) if each.required), default=0)
    text = ",".join(f"<{each.name}>" if each.required else f"[<{each.name}>]" for each in parameters[:needed])
    rest = parameters[needed:]
    for place, each in enumerate(rest):
        text += f"[{',' if needed or place else ''}<{each.name}>"
    return text + "]" * len(rest)


def values(parameter: Parameter) -> str:
    """What a parameter takes, in words."""
    if isinstance(parameter, Choice):
        return ", ".join(code(f'"{value}"') for value in parameter.values)
    if isinstance(parameter, Int):
        ranges = [f"{low}" if low == high else f"{low}-{high}" for low, high, *_ in parameter.ranges]
        steps = [f" in steps of {step[0]}" if step else "" for _, _, *step in parameter.ranges]
        text = ", ".join(range + step for range, step in zip(ranges, steps, strict=True))
        return text if parameter.absent is None else f"{text}; {parameter.absent} stands for {parameter.default}"
    assert isinstance(parameter, Text)
    exact = parameter.exactly is not None
    text = f"a string of {parameter.exactly if exact else f'up to {parameter.longest}'} characters"
    return text + (", a password" if parameter.secret else "")


def default(row: Command, parameter: Parameter) -> str:
    """The factory value of a setting, or what an action takes where the argument is left out."""
    if row.factories is not None and parameter is not row.key:
        place = row.parameters.index(parameter)
        keys: dict[object, list[str]] = {}
        for key in row.keys():  # noqa: SIM118 - of a row, not of a dictionary
            keys.setdefault(row.factory(key)[place], []).append(str(key))
        if len(keys) > 1:
            assert row.key is not None
            return "; ".join(f"{value} for {row.key.name} {', '.join(held)}" for value, held in keys.items())
    value = parameter.default
    if value is None:
        return ""
    return code(f'"{value}"') if isinstance(parameter, Text) else str(value)


def parametersOf(row: Command) -> str:
    """The parameters of a command, as a table."""
    rows = [
        (code(each.name), values(each), each.unit, default(row, each), "yes" if each.required else "")
        for each in row.allParameters
    ]
    return table(("parameter", "values", "unit", "default", "must be given"), rows) if rows else ""


def has(row: Command) -> str:
    """The families that have a command."""
    named = []
    for family in FAMILIES.values():
        products = [product for product in editions() if product.family is family]
        if not all(product.commands.rows.get(row.name) is row for product in products):
            continue
        always = all(replace(product, minimum=None).commands.rows.get(row.name) is row for product in products)
        named.append(family.name if always else f"{family.name} with the run-AT services")
    return "all" if len(named) == len(FAMILIES) else ", ".join(named)


def jamming(row: Command, jam: Jam) -> str:
    """With which values, over which bearers, a command ends the exchange of commands in this way."""
    if row.jams is None:
        return ""
    first = row.parameters[0]
    assert isinstance(first, Int)
    found = [
        (kind, value)
        for kind in BearerKind
        for low, high, *_ in first.ranges
        for value in range(low, high + 1)
        if row.jams(kind, (value,)) is jam
    ]
    if not found:
        return ""
    kinds = dict.fromkeys(kind.value for kind, _ in found)
    return f"with {', '.join(dict.fromkeys(str(value) for _, value in found))} over {', '.join(kinds)}"


def facts(row: Command) -> list[tuple[str, str]]:
    """What else is known of a command."""
    kept = ""
    if row.isSetting:
        owner = "one for the module" if row.shared else "each AT instance has its own"
        kept = f"{row.stored.value}; {owner}" + ("; exists only where it was set" if row.definable else "")
    refused = "; ".join(prose(limit.__doc__ or "").removesuffix(".") for limit in row.limits)
    return [
        (name, text)
        for name, text in (
            ("Stored", kept),
            ("Refused", re.sub(r"^[Rr]efused ", "", refused)),
            *((f"Ends the exchange of commands {jam.value}", jamming(row, jam)) for jam in Jam),
            ("Longest time", f"{row.longest:g} s"),
            ("Families", has(row)),
            ("Source", row.source),
        )
        if text
    ]


def commandsPart(name: str) -> str:
    """All commands of a table."""
    each = tables()[name]
    sections = []
    for row in rowsOf(each):
        title = "AT=" if row.name == SELECTED_REGISTER else row.name
        listed = "\n".join(f"- {name}: {text}" for name, text in facts(row))
        section = (
            f"({anchor(each, row)})=",
            f"### {code(title)}",
            about(row),
            "\n".join(["```text", *forms(row), "```"]),
            parametersOf(row),
            listed,
        )
        sections.append("\n\n".join(part for part in section if part))
    return "\n\n".join(sections)


def indexPart() -> str:
    """All commands in the order of the alphabet."""
    rows = [(row.name.lstrip("".join(_SIGNS)), each, row) for each in tables().values() for row in rowsOf(each)]
    rows.sort(key=lambda found: (found[0], found[2].name, found[1].name))
    return table(
        ("command", "what it is for", "families"),
        [(f"[{code(row.name)}](#{anchor(each, row)})", about(row), has(row)) for _, each, row in rows],
    )


# -- result codes


def codesPart() -> str:
    """The result codes of V.250, with their octets in both dialects."""
    codes = sorted((each for each in vars(results).values() if isinstance(each, ResultCode)), key=lambda c: c.number)
    framings = [dialect.framing(verbose=verbose) for dialect in (TELIT, MULTITECH) for verbose in (True, False)]
    return table(
        (
            "code",
            "number",
            "ends a command",
            *("Telit, ATV1", "Telit, ATV0", "Multi-Tech, ATV1", "Multi-Tech, ATV0"),
        ),
        [
            (
                code(each.text),
                each.number,
                "yes" if each in FINAL_CODES else "",
                *(octets(framing.result(each)) for framing in framings),
            )
            for each in codes
        ],
    )


def octets(data: bytes) -> str:
    """Octets as they are written in the manual."""
    return code(data.decode("latin-1").replace("\r", "<CR>").replace("\n", "<LF>"))


def failuresPart() -> str:
    """How an error looks in each mode."""
    framing = TELIT.framing()
    rows: list[Sequence[object]] = [
        (f"Telit, `+CMEE={cmee}`", *(octets(framing.failure(reason, cmee)) for reason in (CME[10], CMS[321])))
        for cmee in (0, 1, 2)
    ]
    return table(("mode", "no SIM, 10", "invalid memory index, 321"), rows)


def reasonsPart() -> str:
    """What each dialect answers to a line that it can't run."""
    framed = [(dialect, dialect.framing()) for dialect in (TELIT, MULTITECH)]
    rows = [
        (what, *(octets(framing.failure(getattr(dialect, attribute), 0)) for dialect, framing in framed))
        for what, attribute in (
            ("unknown command", "unknownCommand"),
            ("malformed line, or a wrong number of arguments", "syntaxError"),
            ("argument out of its range", "badValue"),
            ("line too long", "lineTooLong"),
        )
    ]
    return table(("cause", "Telit", "Multi-Tech"), rows)


def cmePart() -> str:
    """The numbers and texts of +CME ERROR."""
    return table(("number", "text"), [(reason.number, reason.text) for reason in CME.values()])


def cmsPart() -> str:
    """The numbers and meanings of +CMS ERROR."""
    return table(("number", "meaning"), [(reason.number, reason.text) for reason in CMS.values()])


# -- products


def productsPart() -> str:
    """The products."""
    return table(
        ("product", "family", "answers to `+CGMM`", "and to `+CGMR`", "run-AT services since"),
        [_product(each) for each in PRODUCTS.values()],
    )


def _product(each: Product) -> Sequence[object]:
    return code(each.name), each.family.name, each.model, each.software, each.minimum or "no version"


def familiesPart() -> str:
    """What the families differ in."""
    return table(
        ("family", "dialect", "octets of a command line", "3G", "pins", "tables"),
        [
            (
                family.name,
                family.dialect.name,
                family.lineLength,
                "yes" if family.threeG else "",
                family.pins,
                ", ".join(each.name for each in family.tables),
            )
            for family in FAMILIES.values()
        ],
    )


def limitsPart() -> str:
    """The limits, with the value of each family."""
    return table(
        ("limit", "what it is", "values", *FAMILIES),
        [
            (
                code(name),
                limit.about,
                f"{limit.low}-{limit.high}",
                *(family.limits.get(name, "") for family in FAMILIES.values()),
            )
            for name, limit in LIMITS.items()
        ],
    )


def durationsPart() -> str:
    """How long events and commands typically take."""
    return table(("what", "seconds"), [(code(name), f"{seconds:g}") for name, seconds in DURATIONS.items()])


# -- services


def effectsPart() -> str:
    """What commands do to the service that they come through."""
    return table(
        ("over", "effect", "commands"),
        [
            (
                " and ".join(kind.value for kind in BearerKind if kind in bearers),
                effect.value,
                ", ".join(_typed(name, given) for name, given in patterns),
            )
            for bearers, effect, patterns in EFFECTS
        ],
    )


def _typed(name: str, arguments: Sequence[str]) -> str:
    joiner = "=" if arguments and name[0] in EXTENDED else ""
    return code(f"AT{name}{joiner}{','.join(arguments)}")


def delaysPart() -> str:
    """The pauses that the documents suggest before commands."""
    return table(
        ("over", "seconds", "before"),
        [
            (over, seconds, ", ".join(code("AT" + name) for name, wanted in suggested.items() if wanted == seconds))
            for over, suggested in SUGGESTED_DELAYS.items()
            for seconds in sorted(set(suggested.values()))
        ],
    )


def statusPart() -> str:
    """The states of a socket."""
    return table(("`#SS`", "state"), [(status.value, status.name.lower()) for status in Status])


# -- life cycles


class Step(NamedTuple):
    """One arrow of a life cycle."""

    source: str
    event: str
    target: str
    when: str = ""


class Life(NamedTuple):
    """The states of something, and what leads from one to the other."""

    states: Sequence[str]
    steps: Sequence[Step]


#: as the source of a step: whatever the state is
ANY = "any"

_SENTENCE = re.compile(r"(?:([A-Z][a-z ]*): )?\(([a-z, ]+)\) ([^.]*->[^.]*)\.")


def stepsOf(doc: str, wanted: Iterable[str] = ("",)) -> Iterator[Step]:
    """
    The arrows in a docstring: C{(state, state) event: what happens -> state | state; event -> state.}

    @param wanted: the headings (C{Server mode:}) of those to take; the empty string is no heading.
    """
    heading = ""
    for begins, sources, clauses in _SENTENCE.findall(" ".join(doc.split())):
        heading = begins or heading
        if heading not in wanted:
            continue
        for clause in clauses.split(";"):
            event, targets = clause.split("->")
            for source in sources.split(","):
                for target in targets.split("|"):
                    yield Step(source.strip(), event.split(":")[0].strip(), target.strip())


def _executions() -> Life:
    when = dict(re.findall(r"#: (.*)\n +([A-Z]+) =", inspect.getsource(executions.Event)))
    meanings = {name: text for text, name in when.items()}
    steps = [
        Step(source.value, event.value, target.value, meanings[event.name])
        for (source, event), target in executions.TRANSITIONS.items()
    ]
    return Life([state.value for state in executions.State], steps)


def _service(mode: str, without: Iterable[State]) -> Life:
    states = [state.name.lower().replace("_", " ") for state in State if state not in without]
    return Life(states, list(stepsOf(TCPATRUNService.__doc__ or "", (f"{mode} mode", "Both"))))


def _socket() -> Life:
    steps = [
        Step(source.value, happened.value, target.value)
        for (source, happened), target in lifecycle.TRANSITIONS.items()
        if source is not target
    ]
    return Life([state.value for state in lifecycle.State], steps)


def _connection() -> Life:
    steps = [
        Step(source.value.lower(), happened.value, target.value.lower())
        for (source, happened), target in connection.TRANSITIONS.items()
        if isinstance(target, ConnectionState) and source is not target
    ]
    return Life([state.value.lower() for state in connection.STATES], steps)


#: the life cycles by name
LIVES: dict[str, Callable[[], Life]] = {
    "execution": _executions,
    "tcpatrun server": lambda: _service("Server", (State.DIALLING, State.RETRYING, State.GAVE_UP)),
    "tcpatrun client": lambda: _service("Client", (State.LISTENING, State.PORT_TAKEN)),
    "smsatrun": lambda: Life(["off", "enabled", "serving"], list(stepsOf(SMSATRUNService.__doc__ or ""))),
    "socket": _socket,
    "connection": _connection,
    "power": lambda: Life([state.value for state in Power], list(stepsOf(EmulatedModule.__doc__ or ""))),
}


def lifePart(name: str) -> str:
    """A life cycle, drawn and as a table."""
    life = LIVES[name]()
    explained = any(step.when for step in life.steps)
    rows = [(step.source, step.event, step.target, *([step.when] if explained else [])) for step in life.steps]
    heads = ("state", "event", "next state", *(["when"] if explained else []))
    return drawing(life, name) + "\n\n" + table(heads, rows)


#: sizes in the drawing, in pixels
_APART, _WIDE, _HIGH, _RISE, _MARGIN = 150, 104, 28, 34, 20


def drawing(life: Life, name: str) -> str:
    """The states in a row, arrows to later ones above it and to earlier ones below."""
    places = {state: _MARGIN + _WIDE / 2 + _APART * number for number, state in enumerate(life.states)}
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in life.steps:
        if step.source != ANY:
            arrows.setdefault((step.source, step.target), []).append(step.event)
    span = {pair: life.states.index(pair[1]) - life.states.index(pair[0]) for pair in arrows}
    above = _MARGIN + _RISE * max((wide for wide in span.values() if wide > 0), default=0)
    below = _MARGIN + _RISE * max((-wide for wide in span.values() if wide < 0), default=0)
    wide, high = int(_APART * (len(places) - 1) + _WIDE + 2 * _MARGIN), above + _HIGH + below
    mark = "arrow-" + name.replace(" ", "-")
    lines = [
        f'<svg viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(name)}" style="max-width: {wide}px"'
        ' font-family="sans-serif" font-size="12" fill="none" stroke="currentColor">',
        f'<defs><marker id="{mark}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="currentColor" stroke="none"/></marker></defs>',
    ]
    for (source, target), events in arrows.items():
        up = span[source, target] > 0
        edge, rise = (above, -_RISE) if up else (above + _HIGH, _RISE)
        side = 12 if up else -12
        start, end = places[source] + side, places[target] - side
        top = edge + rise * abs(span[source, target])
        lines += [
            f'<path d="M{start:g},{edge} C{start:g},{top} {end:g},{top} {end:g},{edge}" marker-end="url(#{mark})"/>',
            _text((start + end) / 2, edge + 0.75 * (top - edge) + (-4 if up else 13), ", ".join(events)),
        ]
    for state, place in places.items():
        lines += [
            f'<rect x="{place - _WIDE / 2:g}" y="{above}" width="{_WIDE}" height="{_HIGH}" rx="6"/>',
            _text(place, above + _HIGH / 2 + 4, state),
        ]
    return "\n".join(["```{raw} html", *lines, "</svg>", "```"])


def _text(x: float, y: float, text: str) -> str:
    words = escape(text)
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="currentColor" stroke="none">{words}</text>'


# -- assumptions

_ASSUMED = re.compile(r"\((?:A\b|[^()]*\bassumed\b)[^()]*\)|\bassumed\b")
_SHORT = re.compile(r" ?\(A\)")


class Assumption(NamedTuple):
    """Something that no document says."""

    module: str
    place: str
    """The name of what it stands at."""

    value: str
    """The number or text assumed, where it is a constant."""

    text: str


def assumptions() -> Iterator[Assumption]:
    """Every comment and docstring of the product that says "assumed", or "(A)" for short."""
    for path in sorted((ROOT / "atrunproto").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield from assumptionsIn(".".join(path.relative_to(ROOT).with_suffix("").parts), source)


def assumptionsIn(module: str, source: str) -> Iterator[Assumption]:
    """The assumptions of one module."""
    lines, tree = source.splitlines(), ast.parse(source)
    owners = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    constants = {node.lineno: node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)}

    def around(line: int) -> str:
        inner = [owner for owner in owners if owner.lineno <= line <= (owner.end_lineno or 0)]
        return ".".join(owner.name for owner in sorted(inner, key=lambda owner: owner.lineno))

    for number, line in enumerate(lines, 1):
        comment = line.strip()
        if not comment.startswith("#") or _ASSUMED.search(comment) is None:
            continue
        begin, end = number, number
        while lines[begin - 2].strip().startswith("#"):
            begin -= 1
        while lines[end].strip().startswith("#"):
            end += 1
        text = " ".join(each.strip().lstrip("#:").strip() for each in lines[begin - 1 : end])
        constant = constants.get(end + 1)
        if constant is None:
            yield Assumption(module, around(number), "", _plain(text))
            continue
        target = constant.targets[0] if isinstance(constant, ast.Assign) else constant.target
        value = ast.unparse(constant.value) if isinstance(constant.value, ast.Constant) else ""
        yield Assumption(module, ast.unparse(target), value, _plain(text))
    documented = [("", ast.get_docstring(tree)), *((around(node.lineno), ast.get_docstring(node)) for node in owners)]
    for place, doc in documented:
        for sentence in re.split(r"(?<=\.)\s+(?=[A-Z])|\n\n", doc or ""):
            if _ASSUMED.search(sentence) is not None:
                yield Assumption(module, place, "", _plain(sentence))


def _plain(text: str) -> str:
    return prose(_SHORT.sub("", " ".join(text.split())))


def assumptionsPart() -> str:
    """What is assumed, and where it can be changed."""
    rows = [
        (found.text, code(found.value) if found.value else "", code(f"{found.module}:{found.place}".rstrip(":")))
        for found in assumptions()
    ]
    for each in tables().values():
        rows += [
            (f"In the row of {code(row.name)}: {row.source}", "", f"[{code(row.name)}](#{anchor(each, row)})")
            for row in rowsOf(each)
            if _ASSUMED.search(row.source) is not None
        ]
    return table(("assumption", "value", "where"), rows)


# -- pages

#: what a page can name, and what is put in its place
PARTS: dict[str, Callable[..., str]] = {
    "commands": commandsPart,
    "index": indexPart,
    "codes": codesPart,
    "failures": failuresPart,
    "reasons": reasonsPart,
    "cme": cmePart,
    "cms": cmsPart,
    "products": productsPart,
    "families": familiesPart,
    "limits": limitsPart,
    "durations": durationsPart,
    "effects": effectsPart,
    "delays": delaysPart,
    "status": statusPart,
    "life": lifePart,
    "assumptions": assumptionsPart,
}

MARKER = re.compile(r"^<!-- manual: (\w+) ?(.*?) -->$", re.MULTILINE)


def filled(page: str) -> str:
    """A page with the tables that it names."""

    def part(matched: re.Match[str]) -> str:
        name, argument = matched.groups()
        return PARTS[name](argument) if argument else PARTS[name]()

    return MARKER.sub(part, page)


def pages() -> Iterator[Path]:
    """The pages of the manual."""
    return (page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts)


def _fill(app: Sphinx, docname: str, content: list[str]) -> None:
    if MARKER.search(content[0]) is not None:
        content[0] = filled(content[0])
        for source in [Path(__file__), *(ROOT / "atrunproto").rglob("*.py")]:
            app.env.note_dependency(str(source))


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _fill)
    return {"version": "1", "parallel_read_safe": True}
