"""What several test modules share."""

from __future__ import annotations

import shutil

import pytest


def requireProgram(name: str) -> pytest.MarkDecorator:
    """
    Skip a test or a test case, with a reason, where an external program isn't installed.

    The continuous check installs all of them and lets nothing be skipped, see C{.ci/run}.
    """
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
