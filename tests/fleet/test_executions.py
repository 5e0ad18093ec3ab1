"""The life of an execution."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from atrunproto.fleet.executions import TRANSITIONS, Event, Execution, IllegalTransition, Job, State

#: a row of the manual's table: state, event, next state
ROW = re.compile(r"\| `(\w+)` \| (\w+) \| `(\w+)` \|")
MANUAL = (Path(__file__).parents[2] / "docs" / "reference" / "host.md").read_text("utf-8")
LEGAL = {(State(state), Event(event)): State(to) for state, event, to in ROW.findall(MANUAL)}
PAIRS = list(itertools.product(State, Event))


def execution(state: State) -> Execution:
    return Execution(Job(("AT",), 0.0, 60.0, None, False, id=1), "356938035643809", state)


def test_tableIsTheOneOfTheManual() -> None:
    """An execution lives as the manual says."""
    assert TRANSITIONS == LEGAL


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{state}-{event}" for state, event in PAIRS])
def test_everyPair(state: State, event: Event) -> None:
    """Each event leads where the table says, and is refused without a change where the table is silent."""
    one = execution(state)
    if (state, event) in LEGAL:
        one.apply(event, 5.0)
        assert one.state is LEGAL[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"that is {state} cannot be {event}"):
            one.apply(event, 5.0)
        assert one.state is state


def test_timesAndAttempts() -> None:
    """An execution counts its attempts, and the time of one is that of the last."""
    one = execution(State.QUEUED)
    one.apply(Event.CLAIMED, 5.0)
    assert (one.attempts, one.startedAt, one.finishedAt) == (1, 5.0, None)
    one.apply(Event.LOST, 6.0, "gone")
    assert (one.startedAt, one.finishedAt, one.error) == (5.0, 6.0, "gone")
    one.apply(Event.REPEATED, 7.0)
    assert (one.attempts, one.startedAt, one.finishedAt) == (1, None, None)
    one.apply(Event.CLAIMED, 8.0)
    assert (one.attempts, one.startedAt) == (2, 8.0)


@pytest.mark.parametrize("state", [State.DONE, State.FAILED])
def test_endsAreFinal(state: State) -> None:
    """What is done or failed stays so."""
    assert not [pair for pair in TRANSITIONS if pair[0] is state]
