"""
C{python -m atrunproto.testing.replay [--select TOPIC] [--junit FILE] PATH...}: dialogues against the emulated module.

One line for each file; below it the first difference in its context. The exit status is 0 only if all passed: what
isn't supported yet, or can't be shown on this machine, hasn't passed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from atrunproto.testing.replaying.namespace import claimRights
from atrunproto.testing.replaying.report import Result, Status, asJUnit, asText, summary
from atrunproto.testing.replaying.run import MakeStage, find, replay


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m atrunproto.testing.replay",
        description="Replay dialogues against the emulated module, over real sockets and ptys and in module time.",
        epilog="Exit status: 0 if all passed, 1 if not, 2 if nothing was replayed or reported.",
    )
    made.add_argument("paths", nargs="+", metavar="PATH", help="a dialogue, or a folder with dialogues below it")
    made.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="TOPIC",
        help="only those of this topic, or whose name begins with it; repeatable",
    )
    made.add_argument("--junit", metavar="FILE", help="write the results to a JUnit file, too")
    made.add_argument("--echo", action="store_true", help="leave the module's echo on, and remove it before comparing")
    return made


async def run(reactor: Any, arguments: Sequence[str], makeStage: MakeStage | None = None) -> int:
    """
    Do what the command line says.

    @param makeStage: what to replay against; C{None}: the emulated module.
    @return: the exit status.
    """
    options = parser().parse_args(arguments)
    if makeStage is None:
        from atrunproto.testing.replaying.surroundings import EmulatedSurroundings

        makeStage = EmulatedSurroundings
    try:
        paths = [str(path) for path in find(options.paths, options.select)]
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    results: list[Result] = []
    for path in paths:
        results.append(await replay(reactor, path, makeStage, options.echo))
        print("\n".join(asText(results[-1])), flush=True)
    print(summary(results))
    if options.junit:
        try:
            Path(options.junit).write_bytes(asJUnit(results))
        except OSError as error:
            print(f"--junit: {error}", file=sys.stderr)
            return 2
    if not results:
        return 2
    return 0 if all(result.status is Status.PASS for result in results) else 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Replay, and exit with the status."""
    given = sys.argv[1:] if arguments is None else arguments
    claimRights()

    # Failures that the module logs stand in the report, with the dialogue in which they happened.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)

    def begin(reactor: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(run(reactor, given)).addCallback(sys.exit)

    react(begin)


if __name__ == "__main__":
    main()
