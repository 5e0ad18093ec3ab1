"""
A secret: text that no log, error or debugger shows by accident.
"""

from __future__ import annotations

import hmac


def readSecret(kind: type, value: object) -> object:
    """
    Make a secret of a text, where a configuration or a request is read; C{msgspec}'s C{dec_hook}.
    """
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"Expected `str`, got `{type(value).__name__}`")


class Secret:
    """
    A password or token, hidden in C{str()}, C{repr()} and every format.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """
        Give the text itself, for the one place that sends it or compares it.
        """
        return self._text

    def matches(self, offered: str) -> bool:
        """
        Compare with what somebody offers, in a time that does not depend on where they differ.
        """
        return hmac.compare_digest(self._text.encode("utf-8"), offered.encode("utf-8", "surrogateescape"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)
