"""
The life of a socket that AT commands open: its states, and what each input makes of them.

Everything about the states is in this table. A pair that is not in it can't happen, or is refused before it gets here.
Source: IP Easy User Guide 3.2 (S); reference 6.6 and 6.7; TEL-SS, TEL-SD, TEL-SO, TEL-SH, TEL-LIS, TEL-CMD.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """
    Where a socket stands.
    """

    CLOSED = "closed"
    #: dialled; the host's name is being resolved
    RESOLVING = "resolving"
    CONNECTING = "connecting"
    ONLINE = "online"
    #: suspended, or opened in command mode; nothing waits to be read
    SUSPENDED = "suspended"
    #: the same with data that wait to be read
    PENDING = "pending"
    LISTENING = "listening"
    #: a caller waits for #SA or #SH
    INCOMING = "incoming"
    #: the peer has closed, and what it sent before still waits to be read
    DRAINING = "draining"


class Input(Enum):
    """
    What happens to a socket.
    """

    #: #SD, #SKTD, #SKTOP
    DIAL = "dial"
    #: the host's address is known
    RESOLVED = "resolved"
    #: the connection is there; the command goes online with it
    CONNECTED_ONLINE = "connected online"
    #: the connection is there; the port stays in command mode
    CONNECTED_COMMAND = "connected in command mode"
    FAILED = "failed"
    #: #SL=1, #SLUDP=1
    LISTEN = "listen"
    #: #SL=0, #SLUDP=0
    STOP = "stop listening"
    CALL = "call"
    #: #SA
    ACCEPT_ONLINE = "accepted online"
    #: #SA=...,1
    ACCEPT_COMMAND = "accepted in command mode"
    #: the escape sequence, or DTR under &D1
    SUSPEND = "suspend"
    #: #SO
    RESUME = "resume"
    DATA = "data"
    #: the last waiting octet has been read
    DRAINED = "drained"
    #: #SH
    SHUT = "shut"
    #: the peer, the inactivity timeout or an error has ended the connection
    CLOSED = "closed by the peer"
    #: the context is gone
    LOST = "context lost"


#: what #SS shows (TEL-SS-03 to TEL-SS-08); 6 and 7 on xE910-3G alone, elsewhere one that is dialled counts as closed
SHOWN: Mapping[State, int] = {
    State.CLOSED: 0,
    State.RESOLVING: 6,
    State.CONNECTING: 7,
    State.ONLINE: 1,
    State.SUSPENDED: 2,
    State.PENDING: 3,
    State.LISTENING: 4,
    State.INCOMING: 5,
    State.DRAINING: 0,
}

_S, _I = State, Input

#: (state, input) to the state that follows
TRANSITIONS: Mapping[tuple[State, Input], State] = {
    (_S.CLOSED, _I.DIAL): _S.RESOLVING,
    (_S.CLOSED, _I.LISTEN): _S.LISTENING,
    (_S.CLOSED, _I.SHUT): _S.CLOSED,
    (_S.CLOSED, _I.STOP): _S.CLOSED,
    (_S.CLOSED, _I.LOST): _S.CLOSED,
    (_S.RESOLVING, _I.RESOLVED): _S.CONNECTING,
    (_S.RESOLVING, _I.FAILED): _S.CLOSED,
    (_S.RESOLVING, _I.SHUT): _S.CLOSED,
    (_S.RESOLVING, _I.LOST): _S.CLOSED,
    (_S.CONNECTING, _I.CONNECTED_ONLINE): _S.ONLINE,
    (_S.CONNECTING, _I.CONNECTED_COMMAND): _S.SUSPENDED,
    (_S.CONNECTING, _I.FAILED): _S.CLOSED,
    (_S.CONNECTING, _I.SHUT): _S.CLOSED,
    (_S.CONNECTING, _I.LOST): _S.CLOSED,
    (_S.ONLINE, _I.SUSPEND): _S.SUSPENDED,
    (_S.ONLINE, _I.DATA): _S.ONLINE,
    (_S.ONLINE, _I.DRAINED): _S.ONLINE,
    (_S.ONLINE, _I.SHUT): _S.CLOSED,
    (_S.ONLINE, _I.CLOSED): _S.CLOSED,
    (_S.ONLINE, _I.LOST): _S.CLOSED,
    (_S.SUSPENDED, _I.DATA): _S.PENDING,
    (_S.SUSPENDED, _I.RESUME): _S.ONLINE,
    (_S.SUSPENDED, _I.SHUT): _S.CLOSED,
    (_S.SUSPENDED, _I.CLOSED): _S.CLOSED,
    (_S.SUSPENDED, _I.LOST): _S.CLOSED,
    (_S.PENDING, _I.DATA): _S.PENDING,
    (_S.PENDING, _I.DRAINED): _S.SUSPENDED,
    (_S.PENDING, _I.RESUME): _S.ONLINE,
    (_S.PENDING, _I.SHUT): _S.CLOSED,
    (_S.PENDING, _I.CLOSED): _S.DRAINING,
    (_S.PENDING, _I.LOST): _S.CLOSED,
    (_S.LISTENING, _I.CALL): _S.INCOMING,
    (_S.LISTENING, _I.ACCEPT_ONLINE): _S.ONLINE,
    (_S.LISTENING, _I.STOP): _S.CLOSED,
    (_S.LISTENING, _I.SHUT): _S.CLOSED,
    (_S.LISTENING, _I.LOST): _S.CLOSED,
    (_S.INCOMING, _I.DATA): _S.INCOMING,
    (_S.INCOMING, _I.ACCEPT_ONLINE): _S.ONLINE,
    (_S.INCOMING, _I.ACCEPT_COMMAND): _S.SUSPENDED,
    (_S.INCOMING, _I.STOP): _S.CLOSED,
    (_S.INCOMING, _I.SHUT): _S.CLOSED,
    (_S.INCOMING, _I.CLOSED): _S.LISTENING,
    (_S.INCOMING, _I.LOST): _S.CLOSED,
    (_S.DRAINING, _I.DIAL): _S.RESOLVING,
    (_S.DRAINING, _I.LISTEN): _S.LISTENING,
    (_S.DRAINING, _I.DRAINED): _S.CLOSED,
    (_S.DRAINING, _I.SHUT): _S.CLOSED,
    (_S.DRAINING, _I.STOP): _S.CLOSED,
    (_S.DRAINING, _I.LOST): _S.CLOSED,
}


def follow(state: State, happened: Input) -> State:
    """
    The next state.

    @raise KeyError: this can't happen in this state.
    """
    return TRANSITIONS[state, happened]
