"""
The limits of products: numbers that the code asks for by name, so that products differ in data alone.

A family has those that its commands ask for. One module may have others: that is how a program tries itself against
what the documents leave open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Limit(NamedTuple):
    """
    What a limit may be.

    @ivar about: what it counts; of one that is 0 or 1, what holds with 1.
    @ivar low: the least value.
    @ivar high: the greatest value.
    """

    about: str
    low: int
    high: int


def _switch(about: str) -> Limit:
    return Limit(about, 0, 1)


#: every limit, by its name
LIMITS: Mapping[str, Limit] = {
    "viewed": Limit("octets that one SRING shows in data view (reference 6.4)", 1, 1500),
    "sent": Limit("octets that `#SSEND` takes at once (reference 6.5)", 1, 1500),
    "online": Limit("sockets that are online at once (reference 6.1)", 1, 6),
    "answering": _switch("a listening socket can answer by itself (reference 6.6)"),
    "attempts": _switch("`#SS` shows a socket that is dialled (reference 6.7)"),
    "callers": _switch("a socket that waits for datagrams hears several callers (reference 15)"),
    "messages SM": Limit("places for short messages on the SIM card", 0, 255),
    "messages ME": Limit("places for short messages in the module itself", 0, 255),
    "messages as in the chapters": _switch(
        "information messages are spelled `OK_Info_...`, as in chapters 2 to 9 of the guide, and not `Ok_Info_...` "
        "(MTS-GAP-07, MTS-GAP-08)"
    ),
    "seconds before a write": Limit(
        "seconds of rest after an answer that a parameter needs before it is written; a write that comes sooner is "
        "lost, and nothing answers it (MTS-GAP-60)",
        0,
        60,
    ),
    "line feed before errors": _switch("`#CME ERROR` has CR LF in front, and not CR alone (MTS-GAP-10)"),
    "close of a peer is an error": _switch(
        "error 37966 tells that the peer has closed a TCP socket, and not `Ok_Info_SocketClosed` and `OK` (MTS-GAP-30)"
    ),
    "both sockets listen": _switch(
        "both TCP sockets may listen at once, and the first to be called takes the port; the other one then listens no "
        "more (MTS-GAP-31)"
    ),
    "mark before upload errors": _switch("an ETX is in front of an error that ends `AT#FTPPUT` midway (MTS-GAP-27)"),
}
