"""
Pytest fixtures that give emulated modules; pytest finds them by itself where atrunproto is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .emulated import LiveModule, MemoryModule


@pytest.fixture
def memoryModule() -> Callable[..., MemoryModule]:
    """
    Make emulated modules in memory: C{memoryModule("GE865-QUAD").port().execute("AT+CSQ")}.
    """
    from .emulated import MemoryModule

    return MemoryModule


@pytest.fixture
def liveModule() -> Iterator[Callable[..., LiveModule]]:
    """
    Make emulated modules on real ports, closed when the test is over: C{liveModule("GE865-QUAD", {1: "pty:./at1"})}.
    """
    from .emulated import LiveModule

    made: list[LiveModule] = []

    def make(*arguments: Any, **facts: Any) -> LiveModule:
        made.append(LiveModule(*arguments, **facts))
        return made[-1]

    yield make
    for module in reversed(made):
        module.close()
