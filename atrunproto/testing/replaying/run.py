"""
Replays files: which ones, each in surroundings of its own, and what became of it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from atrunproto.testing.dialogue import Dialogue, DialogueError, parse
from atrunproto.testing.loopback import toLoopback
from atrunproto.testing.replaying import support
from atrunproto.testing.replaying.namespace import ownNetwork
from atrunproto.testing.replaying.player import Difference, NotSupported, Player, Skipped, Surroundings
from atrunproto.testing.replaying.report import Result, Status

REAL_LIMIT: Final = 300.0
"""Seconds of real time for a dialogue; an hour of module time with something due each second takes some twenty."""

_TURN: Final = 0.02
"""Seconds of real time between two looks whether another replay on this machine has ended."""


LIST: Final = "must-pass.txt"
"""The name of the list of what has to pass, in the folder of the dialogues; itself no dialogue."""


class Stage(Surroundings, Protocol):
    """Surroundings that can be set up and taken down."""

    async def start(self) -> None:
        """Set everything up; the module is on and ready when it ends."""

    async def stop(self) -> None:
        """Take everything down."""


MakeStage = Callable[[Any, Dialogue, bool], Stage]
"""From reactor, dialogue, and whether the echo shall be on."""


def find(paths: Iterable[str], topics: Sequence[str]) -> Iterator[Path]:
    """
    The dialogue files among the paths, folders gone through in order.

    @param topics: those wanted, by their topic or by the beginning of their name; none: all.
    @raise FileNotFoundError: if a path is neither a file nor a folder.
    """
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise FileNotFoundError(f"{name}: no such file or folder")
        files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        yield from (each for each in files if each.name != LIST and _isWanted(each, topics))


def _isWanted(path: Path, topics: Sequence[str]) -> bool:
    if not topics:
        return True
    head = path.read_bytes().split(b"\n\n", 1)[0].decode("utf-8", "replace")
    found = [line[len("# topic:") :].strip() for line in head.split("\n") if line.startswith("# topic:")]
    return any(topic in found or path.stem == topic or path.stem.startswith(topic + "-") for topic in topics)


async def replay(reactor: Any, path: str, makeStage: MakeStage, echo: bool = False) -> Result:
    """
    Replay one file.

    @param echo: leave the echo of the AT ports on, and remove it.
    """
    began = reactor.seconds()
    topic = what = ""
    status, line = Status.PASS, 0
    context: tuple[str, ...] = ()
    try:
        dialogue = parse(Path(path).read_bytes(), path, toLoopback)
        topic = dialogue.topic
        await _play(reactor, dialogue, makeStage, echo)
    except DialogueError as error:
        status, line, what = Status.FAIL, error.line, error.what
    except Difference as difference:
        status, line, what, context = Status.FAIL, difference.line, difference.what, difference.context
    except NotSupported as error:
        status, what = Status.UNSUPPORTED, str(error)
    except Skipped as error:
        status, what = Status.SKIP, str(error)
    except TimeoutError:
        status, what = Status.FAIL, f"no end after {REAL_LIMIT:g} s of real time"
    except (OSError, CannotListenError) as error:
        status, what = Status.FAIL, f"this machine refuses: {error}"
    except Exception:
        status, what, context = Status.FAIL, "the module raised an exception", _traceback(Failure())
    return Result(path, topic, status, line, what, context, reactor.seconds() - began)


async def _play(reactor: Any, dialogue: Dialogue, makeStage: MakeStage, echo: bool) -> None:
    lacking = support.missing(dialogue)
    if lacking:
        raise NotSupported(lacking)
    async with _turn(reactor):
        with _failures() as failures:
            try:
                await _perform(reactor, makeStage(reactor, dialogue, echo), dialogue)
            except Difference as difference:
                raise Difference(difference.line, difference.what, (*difference.context, *failures)) from None
        if failures:
            raise Difference(0, "the module logged a failure", tuple(failures))


async def _perform(reactor: Any, stage: Stage, dialogue: Dialogue) -> None:
    try:
        await stage.start()
        await Deferred.fromCoroutine(Player(stage).play(dialogue)).addTimeout(REAL_LIMIT, reactor)
    finally:
        await stage.stop()


@asynccontextmanager
async def _turn(reactor: Any) -> AsyncIterator[None]:
    """Be where no other replay on this machine uses the addresses of the dialogues, or wait until none does."""
    with ownNetwork() as isOwn:
        if isOwn:
            yield
            return
    name = os.path.join(tempfile.gettempdir(), f"atrunproto-replay-{os.getuid()}.lock")
    with open(name, "a", encoding="ascii") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await deferLater(reactor, _TURN)
        yield


@contextmanager
def _failures() -> Iterator[list[str]]:
    """Collect the failures that are logged meanwhile, as lines of text."""
    found: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            found.extend(_traceback(event["log_failure"]))

    globalLogPublisher.addObserver(observe)
    try:
        yield found
    finally:
        globalLogPublisher.removeObserver(observe)


def _traceback(failure: Failure) -> tuple[str, ...]:
    return tuple(failure.getTraceback().splitlines())
