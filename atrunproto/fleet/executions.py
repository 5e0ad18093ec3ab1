"""
Jobs and executions: the values, and the life of an execution as one table.

An execution is one job on one module. Its life is C{queued -> running -> done | failed | unknown} and survives a crash:
it is stored as running I{before} the first byte leaves, so that whatever was in flight when something died is found
again, and is called C{unknown}: nobody can say whether the module ran it. It runs again only if its job says that this
is harmless.

No I/O stands here. Who stores it is L{atrunproto.fleet.ledger}, who runs it L{atrunproto.fleet.dispatcher}.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from atrunproto.at.errors import Misuse


class State(StrEnum):
    """
    Where an execution stands.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """
    What may happen to an execution.
    """

    #: a link to the module is free and takes it
    CLAIMED = "claimed"
    #: its deadline passed before a link took it
    EXPIRED = "expired"
    #: the link went before a byte was sent
    WITHDRAWN = "withdrawn"
    #: the module answered every command with OK
    SUCCEEDED = "succeeded"
    #: the module answered a command with an error, or the command cannot be run like this
    REFUSED = "refused"
    #: the link or the host died, or no answer came in time
    LOST = "lost"
    #: its job is safe to repeat, so it is tried again
    REPEATED = "repeated"


#: the life of an execution; a pair that is not here cannot happen
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.CLAIMED): State.RUNNING,
    (State.QUEUED, Event.EXPIRED): State.FAILED,
    (State.RUNNING, Event.WITHDRAWN): State.QUEUED,
    (State.RUNNING, Event.SUCCEEDED): State.DONE,
    (State.RUNNING, Event.REFUSED): State.FAILED,
    (State.RUNNING, Event.LOST): State.UNKNOWN,
    (State.UNKNOWN, Event.REPEATED): State.QUEUED,
}


class IllegalTransition(Misuse):
    """
    An event came to an execution in a state that does not know it.
    """


class Answer(msgspec.Struct, frozen=True):
    """
    What a module answered to one command line.
    """

    command: str
    #: the information lines, without framing
    lines: tuple[str, ...]
    #: the final result: C{OK}, or the error as the module gave it
    result: str
    #: from the command handed to the link to its final result
    seconds: float


class Via(StrEnum):
    """
    Which way a job may take to its modules. Messages cost money, so they are only used where the job says so.
    """

    #: a connection
    TCP = "tcp"
    #: short messages, also to a module that is connected
    SMS = "sms"
    #: a connection, or short messages to a module that has none when its turn comes
    ANY = "any"


class Order(msgspec.Struct, frozen=True):
    """
    What somebody wants run: a job that has no number yet.
    """

    commands: tuple[str, ...]
    createdAt: float
    #: what is still queued at this time fails
    deadlineAt: float
    #: seconds that one command may take; C{None}: what its command row says, or what is usual for short messages
    timeout: float | None
    #: whether a command may be run again when nobody knows if it ran
    safeToRepeat: bool
    via: Via = Via.TCP


class Job(Order, frozen=True, kw_only=True):
    """
    Command lines for a set of modules.
    """

    id: int


class Execution:
    """
    One job on one module.
    """

    __slots__ = ("answers", "attempts", "error", "finishedAt", "imei", "job", "startedAt", "state")

    def __init__(self, job: Job, imei: str, state: State = State.QUEUED, attempts: int = 0) -> None:
        self.job = job
        self.imei = imei
        self.state = state
        #: how often it was claimed
        self.attempts = attempts
        self.startedAt: float | None = None
        self.finishedAt: float | None = None
        self.error = ""
        self.answers: tuple[Answer, ...] = ()

    def apply(self, event: Event, now: float, error: str = "", answers: tuple[Answer, ...] = ()) -> None:
        """
        Let something happen to it.

        @param now: seconds since the epoch.
        @param error: why, in one line, if it did not go well.
        @param answers: what the module answered so far.
        @raise IllegalTransition: if L{TRANSITIONS} does not have the pair.
        """
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalTransition(f"an execution that is {self.state} cannot be {event}")
        self.state = state
        self.error = error
        self.answers = answers
        if state is State.RUNNING:
            self.attempts += 1
            self.startedAt, self.finishedAt = now, None
        elif state is State.QUEUED:
            self.startedAt = self.finishedAt = None
        else:
            self.finishedAt = now
