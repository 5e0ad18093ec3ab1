"""The numbered places of a memory."""

from __future__ import annotations

import pytest

from atrunproto.emulator.nvm import NVM
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.store import MemoryFull, MessageStore, Status

from .mobiles import deliver

FIRST, SECOND, THIRD = (PDU(deliver(text).encode()) for text in ("one", "two", "three"))


def test_lowestPlaceFirst() -> None:
    """A message gets the lowest free place, and one that is deleted makes room for the next."""
    store = MessageStore("SM", 3, NVM())
    assert [store.add(Status.REC_UNREAD, each) for each in (FIRST, SECOND, THIRD)] == [1, 2, 3]
    store.remove(2)
    assert store.add(Status.STO_SENT, FIRST) == 2
    assert [(index, entry.pdu) for index, entry in store] == [(1, FIRST), (2, FIRST), (3, THIRD)]


def test_full() -> None:
    """Messages that belong together are stored all or not at all, where there is room for some of them only."""
    store = MessageStore("SM", 2, NVM())
    store.add(Status.REC_UNREAD, FIRST)
    with pytest.raises(MemoryFull):
        store.add(Status.REC_UNREAD, SECOND, THIRD)
    assert len(store) == 1
    assert store.free == 1


def test_kept() -> None:
    """Messages and their statuses outlive the power."""
    nvm = NVM()
    store = MessageStore("SM", 2, nvm)
    store.add(Status.REC_UNREAD, FIRST, SECOND)
    store.mark(Status.REC_READ, 2)
    assert list(MessageStore("SM", 2, nvm)) == list(store)
    store.remove(1, 2)
    assert list(MessageStore("SM", 2, nvm)) == []


@pytest.mark.parametrize(
    "kept",
    [
        "x",
        [1],
        {"1": None},
        {"1": [9, FIRST.encode()]},
        {"1": [0, "00"]},
        {"1": [0, "zz"]},
        {"1": [0, 5]},
        {"3": [0, FIRST.encode()]},
        {"x": [0, FIRST.encode()]},
        {"1": [0, FIRST.encode(), 1]},
    ],
)
def test_damaged(kept: object) -> None:
    """What can't be read of a kept memory is left out, and the rest is there."""
    nvm = NVM()
    nvm.put("messages SM", {**kept, "2": [1, SECOND.encode()]} if isinstance(kept, dict) else kept)
    assert [index for index, _ in MessageStore("SM", 2, nvm)] == ([2] if isinstance(kept, dict) else [])
