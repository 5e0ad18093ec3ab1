"""
C{python -m bench [--only NAME ...] [--quick] [--json FILE]}.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from .children import CLIENT_CPU, ROOT
from .measures import BENCHES
from .turns import QUICK, Figure, Scale

#: where the figures go unless told
RESULTS = ROOT / "bench" / "results.json"


def row(figure: Figure) -> str:
    """
    A line of the table.
    """
    baseline = "" if figure.baseline is None else _number(figure.baseline)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    verdict = "" if figure.met is None else "met" if figure.met else "MISSED"
    return (
        f"{figure.name:58} {_number(figure.value):>9} {figure.unit:6} {baseline:>9} {ratio:>6}  {figure.aim} {verdict}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(arguments: Sequence[str], scale: Scale | None = None) -> None:
    """
    Run the benches, and show and write what they give.

    @param scale: how much is done, whatever the arguments say.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure atrunproto beside bare Twisted.")
    parser.add_argument("--only", action="append", choices=sorted(BENCHES), help="run this one; repeatable")
    parser.add_argument("--quick", action="store_true", help="shorter, with fewer modules")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where the figures go [%(default)s]")
    options = parser.parse_args(arguments)
    if scale is None:
        scale = QUICK if options.quick else Scale()
    os.sched_setaffinity(0, {CLIENT_CPU})
    print(f"{'':58} {'atrunproto':>16} {'bare':>9} {'ratio':>6}  aim")
    results = []
    for name in options.only or BENCHES:
        for figure in BENCHES[name](scale):
            print(row(figure), flush=True)
            results.append({"bench": name, **figure._asdict()})
    machine = {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()}
    options.json.write_text(json.dumps({"machine": machine, "figures": results}, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
