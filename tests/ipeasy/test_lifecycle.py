"""The life of a socket, as a table."""

from __future__ import annotations

from itertools import product

import pytest

from atrunproto.ipeasy.lifecycle import SHOWN, TRANSITIONS, Input, State, follow
from atrunproto.ipeasy.sockets import Status

S, IN = State, Input

#: what can't happen, since nothing in the code or the documents brings it about
IMPOSSIBLE = {
    # a socket at work can't be opened anew: #SD and #SL refuse it before (TEL-SD-09)
    *product(set(State) - {S.CLOSED, S.DRAINING}, (IN.DIAL, IN.LISTEN)),
    # only an attempt is connected, when it has its host's address, and only an attempt fails
    *product(set(State) - {S.RESOLVING}, (IN.RESOLVED,)),
    *product(set(State) - {S.CONNECTING}, (IN.CONNECTED_ONLINE, IN.CONNECTED_COMMAND)),
    *product(set(State) - {S.RESOLVING, S.CONNECTING}, (IN.FAILED,)),
    # only a listening socket is called; only a caller is accepted, or taken at once
    *product(set(State) - {S.LISTENING}, (IN.CALL,)),
    *product(set(State) - {S.LISTENING, S.INCOMING}, (IN.ACCEPT_ONLINE,)),
    *product(set(State) - {S.INCOMING}, (IN.ACCEPT_COMMAND,)),
    # #SL=...,0 leaves connections alone
    *product((S.RESOLVING, S.CONNECTING, S.ONLINE, S.SUSPENDED, S.PENDING), (IN.STOP,)),
    *product(set(State) - {S.ONLINE}, (IN.SUSPEND,)),
    # #SO refuses what is not suspended before (TEL-SO-04)
    *product(set(State) - {S.SUSPENDED, S.PENDING}, (IN.RESUME,)),
    # without a connection there are neither data nor its end
    *product((S.CLOSED, S.RESOLVING, S.CONNECTING, S.LISTENING, S.DRAINING), (IN.DATA, IN.CLOSED)),
    # nothing has waited
    *product((S.CLOSED, S.RESOLVING, S.CONNECTING, S.SUSPENDED, S.LISTENING, S.INCOMING), (IN.DRAINED,)),
}


def test_everyPairIsDecided() -> None:
    """Each pair of state and input either leads somewhere or is known not to happen."""
    assert set(TRANSITIONS) | IMPOSSIBLE == set(product(State, Input))
    assert not set(TRANSITIONS) & IMPOSSIBLE


@pytest.mark.parametrize("pair", sorted(IMPOSSIBLE, key=str))
def test_impossible(pair: tuple[State, Input]) -> None:
    """What can't happen is not followed silently."""
    with pytest.raises(KeyError):
        follow(*pair)


def test_everyEndIsClosed() -> None:
    """#SH and the end of the context close a socket in whatever state (TEL-SH-01, TEL-SH-03, TEL-ACT-05)."""
    for state in State:
        assert follow(state, IN.SHUT) is S.CLOSED
        assert follow(state, IN.LOST) is S.CLOSED


def test_shown() -> None:
    """
    #SS shows the six numbers of the guide, and two of xE910-3G (TEL-SS-03, TEL-SS-04, TEL-SS-05, TEL-SS-06, TEL-SS-07,
    TEL-SS-08, reference 6.6).
    """
    assert SHOWN[S.CLOSED] == 0
    assert SHOWN[S.ONLINE] == 1
    assert SHOWN[S.SUSPENDED] == 2
    assert SHOWN[S.PENDING] == 3
    assert SHOWN[S.LISTENING] == 4
    assert SHOWN[S.INCOMING] == 5
    assert SHOWN[S.RESOLVING] == 6
    assert SHOWN[S.CONNECTING] == 7
    assert set(SHOWN) == set(State)
    assert set(SHOWN.values()) == set(Status)
