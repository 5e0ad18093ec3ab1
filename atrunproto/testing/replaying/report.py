"""
What became of each dialogue, for people and for machines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from xml.etree import ElementTree


class Status(Enum):
    """How a replay ended."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNSUPPORTED = "UNSUPPORTED"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True)
class Result:
    """
    The end of one replay.

    @ivar path: the file, as the user named it.
    @ivar line: the line of the first difference; 0 where there is none.
    @ivar what: the difference, what is missing, or the reason for skipping it.
    @ivar context: what was exchanged before, what was expected, what came.
    @ivar seconds: real time that it took.
    """

    path: str
    topic: str
    status: Status
    line: int = 0
    what: str = ""
    context: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{self.status.value} {where} {self.what}".rstrip()


def asText(result: Result) -> Iterator[str]:
    """One line for a dialogue, and the first difference in its context below it."""
    yield visible(str(result))
    yield from (visible(f"     {line}") for line in result.context)


def summary(results: Sequence[Result]) -> str:
    """How many ended how."""
    counts = [(sum(result.status is status for result in results), status) for status in Status]
    ended = ", ".join(f"{count} {status.value.lower()}" for count, status in counts if count)
    return f"{len(results)} dialogues: {ended or 'none'}"


def visible(text: str) -> str:
    """Text in which control characters, and octets that aren't text, are seen."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text)


def asJUnit(results: Sequence[Result]) -> bytes:
    """The results as a JUnit file, which continuous checks know how to show."""
    suite = ElementTree.Element(
        "testsuite",
        name="dialogues",
        tests=str(len(results)),
        failures=str(sum(result.status is Status.FAIL for result in results)),
        errors="0",
        skipped=str(sum(result.status in (Status.UNSUPPORTED, Status.SKIP) for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"dialogues.{result.topic or 'unknown'}",
            name=result.path,
            time=f"{result.seconds:.3f}",
        )
        if result.status is Status.FAIL:
            failure = ElementTree.SubElement(case, "failure", message=visible(str(result)))
            failure.text = "\n".join(visible(line) for line in result.context)
        elif result.status is not Status.PASS:
            reason = f"{result.status.value.lower()}: {visible(result.what)}"
            ElementTree.SubElement(case, "skipped", message=reason)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    written: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written
