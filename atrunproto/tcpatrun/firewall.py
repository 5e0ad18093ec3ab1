"""
The list of rules of the service's firewall, as its command changes it.

What a rule admits is decided where the port is; this is the list alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atrunproto.at.results import refuse

Rule = tuple[str, str]

#: rules at most (TEL-EXT-08)
RULES = 5

REMOVE, ADD, REMOVE_ALL = 0, 1, 2

_NUMBER = re.compile(r"\d{1,3}")


def normal(address: str | None) -> str:
    """
    A dotted address without leading zeros (C{"000.000.000.000"} is accepted).

    @raise CommandFailed: it isn't one.
    """
    parts = (address or "").split(".")
    if len(parts) != 4 or not all(_NUMBER.fullmatch(part) and int(part) < 256 for part in parts):
        raise refuse()
    return ".".join(str(int(part)) for part in parts)


class Rules:
    """
    A list of rules.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = list(rules)

    def changed(self, action: int, address: str | None, mask: str | None) -> list[Rule]:
        """
        The list after an action of #TCPATRUNFRWL.

        @raise CommandFailed: no such rule, one too many, or no address.
        """
        if action == REMOVE_ALL:
            return []
        rule = (normal(address), normal(mask))
        if action == REMOVE and rule in self._rules:
            return [kept for kept in self._rules if kept != rule]
        if action == ADD and rule in self._rules:
            return self._rules
        if action == ADD and len(self._rules) < RULES:
            return [*self._rules, rule]
        raise refuse()
