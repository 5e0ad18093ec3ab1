"""
What a dialogue wants of its FTP server, and what it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

_WORDS: Final[Mapping[str, str]] = {
    "user": "USER",
    "pass": "PASS",
    "login": "PASS",
    "pasv": "PASV",
    "passive": "PASV",
    "active": "PORT",
    "director": "CWD",
    "stor": "STOR",
    "writ": "STOR",
    "overwrit": "STOR",
    "upload": "STOR",
    "retr": "RETR",
    "read": "RETR",
    "download": "RETR",
}
"""How the words begin that stand for orders, in small letters; an order may be named as well."""

_PATH: Final = re.compile(r"[./]")
"""What shows that a word is a path."""


class Host(Protocol):
    """One connection to the server."""

    def hangUp(self) -> bool:
        """Close it; tell whether it still was there."""


@dataclass
class Script:
    """
    What happens with the server in a dialogue.

    @ivar refused: orders that it refuses; with a path behind it, only for that.
    @ivar keepsFiles: no file that is there may be written over.
    @ivar cuts: by the path of a file, as much of it as is sent before the server hangs up.
    @ivar orders: those that were given, as they came.
    """

    refused: set[str] = field(default_factory=set)
    keepsFiles: bool = False
    cuts: dict[str, bytes] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    _hosts: list[Host] = field(default_factory=list)

    def refuse(self, what: str) -> None:
        """
        Read what is refused: an order or a word for it, and the path, if it is for one only.
        """
        words = what.split()
        paths = [word.lstrip("/") for word in words if _PATH.search(word)]
        for word in words:
            begun = [order for begin, order in _WORDS.items() if word.lower().startswith(begin)]
            order = word if word.isupper() and word.isalpha() else "".join(begun[-1:])
            if word.lower().startswith("overwrit"):
                self.keepsFiles = True
            elif order:
                self.refused.update(f"{order} {path}" for path in paths) if paths else self.refused.add(order)

    def refuses(self, order: str, path: str) -> bool:
        """Whether this order is refused."""
        return order in self.refused or f"{order} {path.lstrip('/')}" in self.refused

    def used(self, what: str) -> bool:
        """Whether an order was given that begins with these words; with none: whether any was."""
        return any(f"{order} ".startswith(f"{what} ".lstrip()) for order in self.orders)

    def joined(self, host: Host) -> None:
        """Somebody has called."""
        self._hosts.append(host)

    def hangUp(self) -> bool:
        """Close all connections; tell whether there was one."""
        hosts, self._hosts = self._hosts, []
        return sum(host.hangUp() for host in hosts) > 0
