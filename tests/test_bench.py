"""
The benches run, with tiny numbers, and give the figures that they promise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.measures import BENCHES
from bench.turns import Scale

TINY = Scale(seconds=0.02, turns=1, many=2, fleets=(3,))


@pytest.fixture(autouse=True)
def _cpus() -> Iterator[None]:
    """A bench pins the process that runs it; the other tests keep all CPUs."""
    cpus = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, cpus)


@pytest.mark.parametrize("name", sorted(BENCHES))
def testEachBenchGivesItsFigures(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each bench measures its subject beside a bare program, prints a table and writes the same as JSON."""
    path = tmp_path / "results.json"
    main(["--only", name, "--json", str(path)], TINY)
    table = capsys.readouterr().out
    figures = json.loads(path.read_text())["figures"]
    assert figures
    for figure in figures:
        assert figure["bench"] == name
        assert figure["name"] in table
        # three modules more may fit into the memory that a process has already
        assert figure["unit"] == "B" or (figure["value"] > 0 and figure["ratio"] > 0)


def testTooManyModulesForThisMachineAreSkipped() -> None:
    """A fleet that needs more open files than the process may have is told as skipped, with the reason."""
    [figure] = BENCHES["fleet"](Scale(turns=1, fleets=(10**9,)))
    assert "skipped" in figure.name
    assert "open files" in figure.name
