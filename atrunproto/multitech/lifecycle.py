"""
The life of the connection by GPRS: its states, and what each input makes of them.

Everything about the states is in this table; each pair of a state and an input is in it.
Source: reference guide S000333C, chapter 2 and appendix B; MTS-CALL-08 to MTS-CALL-15, MTS-ERR-06 to MTS-ERR-12,
MTS-GAP-49, MTS-GAP-58, MTS-GAP-68.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from atrunproto.at.results import Reason, refuse

from .errors import ALREADY_CONNECTED, NO_LINK
from .stack import State

#: the states that it has; the others of AT#VSTATE belong to data calls, or to the network
STATES = (State.IDLE, State.CHECKING, State.CONNECTED, State.DISCONNECTING)


class Input(Enum):
    """
    What happens to the connection.
    """

    #: AT#CONNECTIONSTART
    START = "start"
    #: the network has given an address
    UP = "up"
    #: the network has refused
    FAILED = "failed"
    #: AT#CONNECTIONSTOP
    STOP = "stop"
    #: the network has ended the context, or is gone
    LOST = "lost"
    #: nothing went over it for AT#PHYTIMEOUT minutes
    INACTIVE = "inactive"
    #: the line is released
    RELEASED = "released"
    #: the stack was closed, or the power goes
    CUT = "cut"


_S, _I = State, Input

#: (state, input) to the state that follows, or to the reason why the command is refused
TRANSITIONS: Mapping[tuple[State, Input], State | Reason] = {
    (_S.IDLE, _I.START): _S.CHECKING,
    (_S.IDLE, _I.UP): _S.IDLE,
    (_S.IDLE, _I.FAILED): _S.IDLE,
    (_S.IDLE, _I.STOP): NO_LINK,
    (_S.IDLE, _I.LOST): _S.IDLE,
    (_S.IDLE, _I.INACTIVE): _S.IDLE,
    (_S.IDLE, _I.RELEASED): _S.IDLE,
    (_S.IDLE, _I.CUT): _S.IDLE,
    (_S.CHECKING, _I.START): ALREADY_CONNECTED,
    (_S.CHECKING, _I.UP): _S.CONNECTED,
    (_S.CHECKING, _I.FAILED): _S.IDLE,
    (_S.CHECKING, _I.STOP): _S.IDLE,
    # a loss of before: the network answers the attempt itself
    (_S.CHECKING, _I.LOST): _S.CHECKING,
    (_S.CHECKING, _I.INACTIVE): _S.CHECKING,
    (_S.CHECKING, _I.RELEASED): _S.CHECKING,
    (_S.CHECKING, _I.CUT): _S.IDLE,
    (_S.CONNECTED, _I.START): ALREADY_CONNECTED,
    (_S.CONNECTED, _I.UP): _S.CONNECTED,
    (_S.CONNECTED, _I.FAILED): _S.CONNECTED,
    (_S.CONNECTED, _I.STOP): _S.DISCONNECTING,
    (_S.CONNECTED, _I.LOST): _S.IDLE,
    # it is told when it is over
    (_S.CONNECTED, _I.INACTIVE): _S.IDLE,
    (_S.CONNECTED, _I.RELEASED): _S.CONNECTED,
    (_S.CONNECTED, _I.CUT): _S.IDLE,
    # it isn't over yet
    (_S.DISCONNECTING, _I.START): ALREADY_CONNECTED,
    (_S.DISCONNECTING, _I.UP): _S.DISCONNECTING,
    (_S.DISCONNECTING, _I.FAILED): _S.DISCONNECTING,
    (_S.DISCONNECTING, _I.STOP): NO_LINK,
    (_S.DISCONNECTING, _I.LOST): _S.IDLE,
    (_S.DISCONNECTING, _I.INACTIVE): _S.DISCONNECTING,
    (_S.DISCONNECTING, _I.RELEASED): _S.IDLE,
    (_S.DISCONNECTING, _I.CUT): _S.IDLE,
}


def follow(state: State, happened: Input) -> State:
    """
    The next state.

    @raise CommandFailed: the command is refused in this state.
    """
    following = TRANSITIONS[state, happened]
    if isinstance(following, Reason):
        raise refuse(following)
    return following
