"""What of a dialogue's facts can be made true."""

from __future__ import annotations

import pytest

from atrunproto.testing.dialogue import parse
from atrunproto.testing.replaying.support import ENDING, STARTING, doing, missing


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("the communication is being ended", ENDING),
        ("disconnecting from the network", ENDING),
        ("the link is being released slowly", ENDING),
        ("gprs context being activated", STARTING),
        ("an outgoing session is being set up", STARTING),
        ("incoming call being answered automatically", ""),
        ("a call-back is dialling the isp", ""),
        ("the ppp negotiation of a call is being started", ""),
        ("something else", ""),
    ],
)
def test_doing(text: str, what: str) -> None:
    """A modem may make or end its connection when a dialogue begins; what is about calls can't be had yet."""
    assert doing(text) == what
    header = f"# A state\n# product: MTCBA-G\n# topic: vstate\n# ports: at1\n# @world now: {text}\n\nPORT at1\n> AT\n"
    assert missing(parse(header.encode(), "state.txt")) == ("" if what else "@world now: needs telephone calls")
