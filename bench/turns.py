"""
What a bench gives, and how its subject and a bare program run by turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from .children import Child
from .clients import Count


class Figure(NamedTuple):
    """
    One result.

    @ivar baseline: the same of the bare program; C{None}: there is none.
    @ivar ratio: to the baseline, the median of the ratios of each turn.
    @ivar aim: what it should be, in words; empty: nothing was agreed.
    @ivar met: whether it is.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Scale:
    """
    How much is done.

    @ivar seconds: of one turn.
    @ivar turns: the figures are their medians.
    @ivar many: clients at a time, where there are many.
    @ivar fleets: numbers of modules.
    """

    seconds: float = 2.0
    turns: int = 5
    many: int = 100
    fleets: tuple[int, ...] = (1_000, 10_000)


QUICK = Scale(0.5, 3, 100, (1_000,))


class Turn(NamedTuple):
    """
    One turn of a client against a server: how many a second, and the server's CPU time for each in microseconds.
    """

    rate: float
    cost: float


def measured(server: Child, run: Callable[[], Count]) -> Turn:
    """
    Run a client, and see what the server uses meanwhile.
    """
    before = server.cpu()
    count = run()
    return Turn(count.rate, (server.cpu() - before) / count.done * 1e6)


def compare(turns: int, subject: Callable[[], Turn], bare: Callable[[], Turn]) -> tuple[Turn, Turn, Turn]:
    """
    Run both by turns, the first pair unmeasured.

    @return: the medians of the subject, of the bare program, and of the ratios.
    """
    subject(), bare()
    pairs = [(subject(), bare()) for _ in range(turns)]
    ratios = [Turn(s.rate / b.rate, s.cost / b.cost) for s, b in pairs]
    return _median([s for s, _ in pairs]), _median([b for _, b in pairs]), _median(ratios)


def _median(turns: list[Turn]) -> Turn:
    return Turn(median(turn.rate for turn in turns), median(turn.cost for turn in turns))


def rates(
    name: str, turns: int, subject: Callable[[], Turn], bare: Callable[[], Turn], least: float | None = None
) -> Iterator[Figure]:
    """
    Compare how many a second both do, and the CPU time for each.

    @param least: what the ratio should be at least; C{None}: nothing was agreed.
    """
    one, other, ratio = compare(turns, subject, bare)
    yield atLeast(Figure(name, one.rate, "/s", other.rate, ratio.rate), least)
    yield Figure(name, one.cost, "us CPU", other.cost, ratio.cost)


def atLeast(figure: Figure, least: float | None) -> Figure:
    """
    A figure with what its ratio should be at least; C{None}: nothing was agreed.
    """
    if least is None or figure.ratio is None:
        return figure
    return figure._replace(aim=f"ratio >= {least}", met=figure.ratio >= least)


def beside(name: str, value: float, unit: str, bare: float, most: float | None = None) -> Figure:
    """
    A figure that was measured once, and its baseline.

    @param most: what it should be at most; C{None}: nothing was agreed.
    """
    ratio = value / bare if bare else None
    if most is None:
        return Figure(name, value, unit, bare, ratio)
    return Figure(name, value, unit, bare, ratio, f"<= {most:,} {unit}", value <= most)
