"""What several test modules share."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from atrunproto.testing.emulated import MemoryReactor


def requireProgram(name: str) -> pytest.MarkDecorator:
    """
    Skip a test or a test case, with a reason, where an external program isn't installed.

    The continuous check installs all of them and lets nothing be skipped, see C{.ci/run}.
    """
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def ownBlock() -> str:
    """The first three numbers of 256 loopback addresses that no other process of the tests has."""
    number = os.getpid()
    return f"127.{100 + number // 256 % 100}.{number % 256}"


def resultOf(waiting: Deferred[Any], clock: MemoryReactor, within: float = 300.0) -> Any:
    """What a Deferred comes to, while time passes; an error is raised."""
    found: list[Any] = []
    waiting.addBoth(found.append)
    end = clock.seconds() + within
    while not found and clock.step(end):
        pass
    assert found, "it doesn't happen"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0]
