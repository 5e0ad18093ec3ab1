"""
What a dialogue wants of its FTP server, and what it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Host(Protocol):
    """One connection to the server."""

    def hangUp(self) -> bool:
        """Close it; tell whether it still was there."""


@dataclass
class Script:
    """
    What happens with the server in a dialogue.

    @ivar refused: orders that it refuses.
    @ivar cuts: by the path of a file, as much of it as is sent before the server hangs up.
    @ivar orders: those that were given, as they came.
    """

    refused: set[str] = field(default_factory=set)
    cuts: dict[str, bytes] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    _hosts: list[Host] = field(default_factory=list)

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
