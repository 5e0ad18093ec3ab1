"""
Which requirement is proven by which test: C{python tools/requirements.py [--summary] [--update]}.

The rows of the ledgers in C{docs/requirements} are numbered (C{TEL-AUT-05}, C{MTS-RES-02}).
A row counts as covered when

  - the docstring of a test, or of a test class, under C{tests} names its number, alone or in a range
    (C{TEL-QOS-02..06}); or
  - the C{# ledger:} line of a dialogue names it, and C{tests/dialogues/must-pass.txt} lists its topic, or the beginning
    of its file's name.

Every other row needs a reason in C{docs/requirements/status.toml}.
C{docs/requirements/covered.txt} records what was covered once; it only grows (C{--update}), and a recorded row that has
lost its last test is an error.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeGuard

_ROW = re.compile(r"^\| *((?:TEL|MTS)-[A-Z]+-\d\d) *\|", re.MULTILINE)
_REFERENCE = re.compile(r"\b((?:TEL|MTS)-[A-Z]+-)(\d\d)(?:\.\.(\d\d))?(?!\w)")
_LEDGER = re.compile(r"^# ledger:(.*)$", re.MULTILINE)
_TOPIC = re.compile(r"^# topic: *(\S+)", re.MULTILINE)


@dataclass
class Coverage:
    """What the ledgers, the tests and the status file say together."""

    rows: list[str]
    """All numbers, in the order of the ledgers."""

    tests: dict[str, list[str]] = field(default_factory=dict)
    """Per covered number, the tests that name it."""

    reasons: dict[str, str] = field(default_factory=dict)
    """Per uncovered number that has one, why it isn't covered."""

    errors: list[str] = field(default_factory=list)
    """What makes the check fail."""

    idle: list[str] = field(default_factory=list)
    """Reasons whose rows are all covered by now, and which can go."""


def references(text: str) -> Iterator[str]:
    """The numbers that a text names, ranges written out."""
    for prefix, first, last in _REFERENCE.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{prefix}{number:02}"


def namedInTests(source: str, name: str) -> Iterator[tuple[str, str]]:
    """
    The pairs of a number and the test that names it, in one test module.

    @param source: the module's text.
    @param name: the module's name, as it shall be printed.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            members = [part for part in node.body if _isTest(part)]
            if members:
                yield from _namedBy(node, f"{name}::{node.name}")
            for part in members:
                yield from _namedBy(part, f"{name}::{node.name}::{part.name}")
        elif _isTest(node):
            yield from _namedBy(node, f"{name}::{node.name}")


def namedInDialogue(text: str) -> tuple[str, list[str]]:
    """The topic of a dialogue, and the numbers its header names."""
    header = text.split("\n\n", 1)[0]
    topic = _TOPIC.search(header)
    return topic[1] if topic else "", [number for line in _LEDGER.findall(header) for number in references(line)]


def check(root: Path) -> Coverage:
    """Compare ledgers, tests, dialogues, status and record of the checkout at C{root}."""
    requirements = root / "docs" / "requirements"
    ledgers = sorted(requirements.glob("*-requirements.md"))
    rows = [row for ledger in ledgers for row in _ROW.findall(ledger.read_text(encoding="utf-8"))]
    coverage = Coverage(rows)
    coverage.errors += [f"{row} stands twice in the ledgers" for row in sorted(set(rows)) if rows.count(row) > 1]

    _findTests(coverage, root)
    _findDialogues(coverage, root)

    with (requirements / "status.toml").open("rb") as file:
        status: dict[str, dict[str, str]] = tomllib.load(file)
    _findReasons(coverage, status)

    for row in rows:
        if row not in coverage.tests and row not in coverage.reasons:
            coverage.errors.append(f"{row} has neither a test nor a reason in status.toml")
    for row in _lines(requirements / "covered.txt"):
        if row not in coverage.tests:
            coverage.errors.append(f"{row} is recorded in covered.txt, but no test names it any more")
    return coverage


def record(root: Path, coverage: Coverage) -> int:
    """Add what is covered now to the record; give the number of rows that are new in it."""
    path = root / "docs" / "requirements" / "covered.txt"
    recorded = set(_lines(path))
    grown = recorded | coverage.tests.keys()
    ordered = [row for row in coverage.rows if row in grown] + sorted(grown - set(coverage.rows))
    path.write_text("".join(f"{row}\n" for row in ordered), encoding="utf-8")
    return len(grown - recorded)


def table(coverage: Coverage) -> Iterator[str]:
    """The lines of the report: every row with its tests, or with the reason why it has none."""
    for row in coverage.rows:
        if row in coverage.tests:
            first, *others = coverage.tests[row]
            yield f"{row}  {first}" + (f"  (+{len(others)})" if others else "")
        else:
            yield f"{row}  -- {coverage.reasons.get(row, 'no reason')}"


def summary(coverage: Coverage) -> Iterator[str]:
    """The lines of the count: how many rows are covered, and how many are not for each reason."""
    yield f"{len(coverage.tests)} of {len(coverage.rows)} rows are covered"
    counts: dict[str, int] = {}
    for reason in (coverage.reasons[row] for row in coverage.rows if row in coverage.reasons):
        counts[reason] = counts.get(reason, 0) + 1
    yield from (f"{count:5} {reason}" for reason, count in counts.items())
    yield from (f"no longer needed in status.toml: {pattern}" for pattern in coverage.idle)


def _isTest(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _namedBy(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Iterator[tuple[str, str]]:
    return ((number, name) for number in references(ast.get_docstring(node) or ""))


def _findTests(coverage: Coverage, root: Path) -> None:
    for path in sorted((root / "tests").rglob("test_*.py")):
        named = namedInTests(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix())
        for number, test in named:
            _add(coverage, number, test)


def _findDialogues(coverage: Coverage, root: Path) -> None:
    dialogues = root / "tests" / "dialogues"
    due = set(_lines(dialogues / "must-pass.txt"))
    seen = set()
    for path in sorted(dialogues.glob("*/*.txt")):
        topic, numbers = namedInDialogue(path.read_text(encoding="utf-8"))
        name = f"{path.parent.name}/{path.stem}-"
        listed = {entry for entry in due if entry == f"{path.parent.name}/{topic}" or name.startswith(f"{entry}-")}
        seen |= listed
        if listed:
            for number in numbers:
                _add(coverage, number, path.relative_to(root).as_posix())
    coverage.errors += [f"must-pass.txt lists {entry}, which no dialogue has" for entry in sorted(due - seen)]


def _add(coverage: Coverage, number: str, test: str) -> None:
    if number not in coverage.rows:
        coverage.errors.append(f"{test} names {number}, which no ledger has")
        return
    tests = coverage.tests.setdefault(number, [])
    if test not in tests:
        tests.append(test)


def _findReasons(coverage: Coverage, status: dict[str, dict[str, str]]) -> None:
    reasons = [(pattern, f"{kind}: {why}") for kind, group in status.items() for pattern, why in group.items()]
    # The longest pattern is tried last, so that it overrules the others.
    for pattern, reason in sorted(reasons, key=lambda each: len(each[0].rstrip("*"))):
        matched = set(_matching(pattern, coverage.rows))
        if not matched:
            coverage.errors.append(f"status.toml: {pattern} matches no row")
        elif matched <= coverage.tests.keys():
            coverage.idle.append(pattern)
        for row in matched - coverage.tests.keys():
            coverage.reasons[row] = reason


def _matching(pattern: str, rows: Iterable[str]) -> Iterator[str]:
    written = set(references(pattern))
    return (row for row in rows if row in written or fnmatchcase(row, pattern))


def _lines(path: Path) -> list[str]:
    """The lines of a list, without comments and blank lines; none if there is no such file."""
    if not path.exists():
        return []
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def main(arguments: list[str], root: Path) -> int:
    """Run the command line; give the exit status."""
    parser = argparse.ArgumentParser(description="Compare the requirement ledgers with the tests.")
    parser.add_argument("--summary", action="store_true", help="print the count only, not every row")
    parser.add_argument("--update", action="store_true", help="record newly covered rows in covered.txt")
    options = parser.parse_args(arguments)
    coverage = check(root)
    lines = [] if options.summary else [*table(coverage), ""]
    print("\n".join([*lines, *summary(coverage)]))
    if options.update:
        print(f"{record(root, coverage)} rows are new in covered.txt")
    for error in coverage.errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if coverage.errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent.parent))
