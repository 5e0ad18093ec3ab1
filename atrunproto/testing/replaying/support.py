"""
What can be replayed today.

Everything that the format knows and the emulated module doesn't do yet stands here with the service that it waits for.
Who builds a service takes its rows out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from atrunproto.testing.dialogue import Dialogue, Event, Send

_DATA: Final = "data calls and PPP"
_CALLS: Final = "telephone calls"

TOPICS: Final[Mapping[str, str]] = {
    "dialup": _DATA,
    "ppp": _DATA,
    "transparent": "the transparent connection",
}
"""Topics of services that don't exist yet."""

UPLOADS: Final[Mapping[str, str]] = {"appzone": "AppZone", "python": "Python scripts"}
"""Topics of services that answer already where nothing is uploaded; sent without a line end is an upload there."""

PORTS: Final[Mapping[str, str]] = {"phone": _CALLS}
"""Ports that nobody answers yet."""

FACTS: Final[Mapping[str, str]] = {
    "link gsm": _DATA,
    "isp": _CALLS,
    "caller": _CALLS,
}
"""Facts that can't be made true yet."""

STARTING, ENDING = "starting", "ending"
"""What a module may be doing when a dialogue begins: it makes its connection to the Internet, or ends it."""

_DOING: Final = (
    (re.compile(r"\b(ring|dial|call|answer|ppp|authenticat)", re.IGNORECASE), ""),
    (re.compile(r"\b(end|releas|disconnect|clos|stop)", re.IGNORECASE), ENDING),
    (re.compile(r"\b(activat|start|set up|setting up|establish|connect)", re.IGNORECASE), STARTING),
)
"""Words of C{now:}, and what they tell; what is about calls can't be had yet."""


def doing(text: str) -> str:
    """What a module is doing that is described so; empty where it can't do that yet."""
    return next((what for pattern, what in _DOING if pattern.search(text)), "")


DIRECTIVES: Final[Mapping[str, str]] = {
    "ppp open": _DATA,
    "ppp close": _DATA,
}
"""Directives that can't be obeyed yet."""


def missing(dialogue: Dialogue) -> str:
    """What a dialogue needs and doesn't exist yet, in words; empty where all is there."""
    services: dict[str, str] = {}
    for what, service in _needs(dialogue):
        services.setdefault(service, what)
    return "; ".join(f"{what} needs {service}" for service, what in services.items())


def _needs(dialogue: Dialogue) -> Iterator[tuple[str, str]]:
    if dialogue.topic in TOPICS:
        yield f"topic {dialogue.topic}", TOPICS[dialogue.topic]
    if dialogue.topic in UPLOADS and any(isinstance(step, Send) and step.raw for step in dialogue.steps):
        yield "the upload", UPLOADS[dialogue.topic]
    for port in [*(given.port for given in dialogue.given), *(step.port for step in dialogue.steps)]:
        if port in PORTS:
            yield f"port {port}", PORTS[port]
    for fact in dialogue.facts:
        if fact.word in FACTS:
            yield f"@world {fact.word}", FACTS[fact.word]
        if fact.word == "now:" and not doing(fact.values["text"]):
            yield f"@world {fact.word}", _CALLS
    for step in dialogue.steps:
        if isinstance(step, Event):
            target = step.values.get("target", "")
            service = DIRECTIVES.get(step.word) or PORTS.get(target)
            if service:
                yield f"@{step.word} {target}".strip(), service
