"""
The generations of the IP stack: what each says of itself, and the numbers that it doesn't have.

Which parameters a generation has, and in which form, stands in L{ROWS<atrunproto.multitech.parameters.ROWS>}.
Source: reference guide S000333C, revision history and chapter 8; MTS-OPEN-06 to MTS-OPEN-08, MTS-GAP-17.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from .errors import ACTIVATION_ABORTED, ANOTHER_RUNS, GPRS_LOST, SERVICE_RUNS

if TYPE_CHECKING:
    from atrunproto.at.results import Reason


class Generation(IntEnum):
    """
    The stack by its version, in the order of time.
    """

    V2_00 = 200
    V2_10 = 210
    V3_02 = 302

    @property
    def numbersSockets(self) -> bool:
        """
        Whether there are several TCP sockets, so that each is called by its number.
        """
        return self >= Generation.V3_02

    @property
    def version(self) -> str:
        """
        What AT#VVERSION prints: name, size, and when it was built.
        """
        return _TEXTS[self].version

    @property
    def banner(self) -> str:
        """
        The first line of AT#VALL.
        """
        return _TEXTS[self].banner

    def told(self, reason: Reason) -> Reason:
        """
        How an error is told: by its own number, or by the nearest one that this stack has.
        """
        return _NEAREST.get(self, {}).get(reason, reason)


class _Texts(NamedTuple):
    version: str
    banner: str


#: in the form of the guide's sample, which is of another build (A; MTS-GAP-17)
_TEXTS: Mapping[Generation, _Texts] = {
    Generation.V2_00: _Texts("eDsoft-W200_V02.00 58416 Mar 11 2004 14:20:37", "eDsoft-W200-V02.00"),
    Generation.V2_10: _Texts("eDsoft-W210_V02.10 64208 May 12 2005 09:51:08", "eDsoft-W210-V02.10"),
    Generation.V3_02: _Texts("eDsoft-W302_V03.00 72344 Jan 20 2006 10:15:42", "eDsoft-W302-V03.00"),
}

#: 35841 and 37123 came with 2.10 (MTS-OPEN-07); what tells of it before isn't said (A)
_NEAREST: Mapping[Generation, Mapping[Reason, Reason]] = {
    Generation.V2_00: {GPRS_LOST: ACTIVATION_ABORTED, SERVICE_RUNS: ANOTHER_RUNS},
}
