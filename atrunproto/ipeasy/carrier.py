"""
Commands that share something with the run-AT service they come through, and are refused there.

Source: Running AT Commands Remotely Rev. 9, 3.8.2; TEL-NOT-01 to TEL-NOT-05.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from atrunproto.at.bearer import OVER_TCP
from atrunproto.at.commands import Limit
from atrunproto.at.results import Reason

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance


class Carrier(NamedTuple):
    """
    What TCPATRUN occupies.

    @ivar cid: the context of its socket.
    """

    instance: int
    connId: int
    cid: int


def refusedBy(where: str, clashes: Callable[[Carrier], bool]) -> Limit:
    """
    A limit: the command answers an error when it comes over TCPATRUN and clashes with the service.

    @param where: this in words, for the manual.
    """

    def limit(at: ATInstance) -> Reason | None:
        if at.bearer.kind not in OVER_TCP:
            return None
        settings = at.module.settings
        connId = settings.value("#TCPATRUNCFG")
        carrier = Carrier(at.number, connId, settings.get("#SCFG", connId)[0])
        return at.dialect.syntaxError if clashes(carrier) else None

    limit.__doc__ = f"over TCPATRUN {where}"
    return limit
