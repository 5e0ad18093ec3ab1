"""The recorded dialogues against the emulated module: those that must pass do, and none passes with a line changed."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from atrunproto.testing.dialogue import AnyLines, Dialogue, Expect, Send, parse
from atrunproto.testing.matching import accepts
from atrunproto.testing.replaying.report import Result, Status, asText
from atrunproto.testing.replaying.run import LIST, find, replay
from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

DIALOGUES = Path(__file__).resolve().parent.parent / "dialogues"

OWN = "own/"
"""
Where the entries begin that are ours: constructed from the requirements, to hold the module and not the player.

They are replayed once each; what a player must do with echo and with changed lines is proven by the others.
"""

Mutation = tuple[str, int, list[str]]
"""What was done, in which line, and the lines of the file afterwards."""


def entries() -> list[str]:
    """The entries of the list of what must pass."""
    lines = (DIALOGUES / LIST).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def filesOf(entry: str) -> list[Path]:
    """The dialogues of an entry."""
    folder, _, topic = entry.partition("/")
    return list(find([str(DIALOGUES / folder)], [topic]))


async def replayed(path: Path, *, echo: bool = False) -> Result:
    """The result of a file."""
    return await replay(reactor, str(path), EmulatedSurroundings, echo)


def skipIfUnseen(results: Iterable[Result]) -> None:
    """Skip the test, at its end, where this machine couldn't show what a dialogue wants to see."""
    for result in results:
        if result.status is Status.SKIP:
            raise unittest.SkipTest(result.what)


def mutations(text: str) -> Iterator[Mutation]:
    """
    Changed copies of a dialogue that the module can't satisfy, one of each kind that fits.

    A line is altered, one is put in, one is taken out, and two are swapped. A line is only taken out, or swapped, where
    the next one wouldn't accept it.
    """
    dialogue = parse(text.encode(), "original")
    lines = text.split("\n")
    expected = [step for step in dialogue.steps if isinstance(step, Expect)]
    if expected:
        at = expected[len(expected) // 2].line - 1
        marked = lines[at] if lines[at].startswith("< ") else f"<? (?:{lines[at][3:]})"
        yield "altered", at + 1, [*lines[:at], marked + "!", *lines[at + 1 :]]
        yield "put in", at + 1, [*lines[:at], "< never sent", *lines[at:]]
    for step, after in pairs(dialogue, apart=True):
        # with its time limit, if it has one of its own
        first = step.line - 2 if lines[step.line - 2].startswith("# @within") else step.line - 1
        yield "taken out", after.line - (step.line - first), [*lines[:first], *lines[step.line :]]
        break
    for step, after in pairs(dialogue, apart=False):
        one, two = step.line - 1, after.line - 1
        yield "swapped", step.line, [*lines[:one], lines[two], *lines[one + 1 : two], lines[one], *lines[two + 1 :]]
        break


def pairs(dialogue: Dialogue, *, apart: bool) -> Iterator[tuple[Expect, Expect]]:
    """
    Expected lines that follow each other on a port and aren't alike.

    @param apart: something may be sent between them, and nothing unexpected may come before the first.
    """
    before: Expect | None = None
    loose: set[str] = set()
    for step in dialogue.steps:
        if isinstance(step, AnyLines):
            loose.add(step.port)
        if isinstance(step, Expect):
            if before is not None and before.port == step.port and not alike(before, step):
                yield before, step
            before = None if apart and step.port in loose else step
            loose.discard(step.port)
        elif not (apart and isinstance(step, Send)):
            before = None


def alike(one: Expect, other: Expect) -> bool:
    """Whether what one expects could be what the other expects."""
    if one.pattern is not None and other.pattern is not None:
        return one.text[:8] == other.text[:8]
    return accepts(other, one.text) or accepts(one, other.text)


class DialogueTests(TestCase):
    """A test for each entry of the list, made below."""


def mustPass(entry: str) -> Callable[[DialogueTests], Coroutine[Any, Any, None]]:
    """The test that the dialogues of an entry pass, with echo and without."""

    async def test(self: DialogueTests) -> None:
        """The dialogues of a topic pass, with the echo off and on."""
        files = filesOf(entry)
        assert files, f"nothing is called {entry}"
        echoes = (True,) if entry.startswith(OWN) else (False, True)
        results = [await replayed(path, echo=echo) for path in files for echo in echoes]
        for result in results:
            assert result.status in (Status.PASS, Status.SKIP), "\n".join(asText(result))
        skipIfUnseen(results)

    return test


def mustFail(entry: str) -> Callable[[DialogueTests], Coroutine[Any, Any, None]]:
    """The test that the dialogues of an entry don't pass any more when a line is changed."""

    async def test(self: DialogueTests) -> None:
        """A dialogue with an expected line altered, put in, taken out or swapped fails there."""
        results = []
        for path in filesOf(entry):
            for kind, line, lines in mutations(path.read_text()):
                changed = Path(f"{path.stem}-{kind.replace(' ', '-')}.txt")
                changed.write_text("\n".join(lines))
                result = await replayed(changed)
                results.append(result)
                assert result.status is not Status.PASS, f"{changed} passes, though line {line} is {kind}"
                if result.status is Status.FAIL:
                    assert result.line >= line, f"{changed} fails before line {line}: {result}"
        skipIfUnseen(results)

    return test


for _entry in entries():
    _name = _entry.replace("/", "_").replace("-", "_")
    setattr(DialogueTests, f"test_{_name}_passes", mustPass(_entry))
    if not _entry.startswith(OWN):
        setattr(DialogueTests, f"test_{_name}_changed", mustFail(_entry))


def test_allOfOurs() -> None:
    """No dialogue of our own is left out of the list."""
    listed = {path for entry in entries() if entry.startswith(OWN) for path in filesOf(entry)}
    assert listed == set((DIALOGUES / OWN).glob("*.txt"))


@pytest.mark.parametrize("kind", ["altered", "put in", "taken out", "swapped"])
def test_mutationsOfEachKind(kind: str) -> None:
    """Each kind of change is made to a good part of the dialogues that must pass."""
    files = [path for entry in entries() for path in filesOf(entry)]
    made = [path for path in files if any(each[0] == kind for each in mutations(path.read_text()))]
    assert len(made) >= len(files) // 4
