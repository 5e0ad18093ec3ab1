"""
Surveys of the cells that can be received, which only GSM products have here.

What is found comes all at once when the survey has ended (TEL-NOT-08).
Source: reference 11 (P AT Commands Reference Guide Rev. 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Int
from atrunproto.at.results import refuse

from ..network import Cell, Operator
from .general import moduleOf

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("survey")

#: channels of GSM and DCS (45.005 2)
_CHANNEL = Int("start", 0, 1023, default=None), Int("end", 0, 1023, default=None)

_STARTED, _ENDED = "Network survey started...", "Network survey ended"
#: what stands behind each carrier: three line ends with the one of its line
_GAP = "\r\n\r\n"


async def _survey(at: ATInstance, start: int | None, end: int | None) -> Sequence[tuple[Cell, Operator]]:
    """
    The cells within a range of channels, in their order; there is no survey during a data call.
    """
    if at.module.dataCall(apartFrom=at.number):
        raise refuse()
    if (start is None) is not (end is None) or (start is not None and end is not None and start > end):
        raise refuse()
    await at.takes("#CSURV")
    network = moduleOf(at).network
    found: dict[int, tuple[Cell, Operator]] = {}
    for operator in network.operators if network.inService else ():
        for cell in operator.cells:
            if start is None or end is None or start <= cell.arfcn <= end:
                # of two on one channel only the first is received
                found.setdefault(cell.arfcn, (cell, operator))
    return [found[channel] for channel in sorted(found)]


def _status(operator: Operator) -> str:
    return "CELL_FORBIDDEN" if operator.forbidden else "CELL_SUITABLE"


@commands.action("#CSURV", *_CHANNEL, longest=180.0, source="reference 11; TEL-SMS-50")
async def survey(at: ATInstance, start: int | None, end: int | None) -> list[str]:
    """
    Survey the channels, all or a range of them, and describe each carrier; its lists have its own channel alone (A).
    """
    lines = []
    for cell, operator in await _survey(at, start, end):
        code = f"mcc: {operator.code[:3]} mnc: {int(operator.code[3:])}"
        place = f"lac: {cell.lac} cellId: {cell.identity} cellStatus: {_status(operator)}"
        lists = f"numArfcn: 1 arfcn: {cell.arfcn} numChannels: 1 array: {cell.arfcn}"
        head = f"arfcn: {cell.arfcn} bsic: {cell.bsic} rxLev: {cell.power} ber: 0.00"
        lines.append(f"{head} {code} {place} {lists}{_GAP}")
    return [_STARTED, *lines, _ENDED]


@commands.action("#CSURVC", *_CHANNEL, longest=180.0, source="reference 11; TEL-SMS-50")
async def surveyComputer(at: ATInstance, start: int | None, end: int | None) -> list[str]:
    """
    The same in numbers alone, for programs; a suitable cell has status 0, a forbidden one 2 (A).
    """
    lines = []
    for cell, operator in await _survey(at, start, end):
        place = f"{operator.code[:3]},{int(operator.code[3:])},{cell.lac},{cell.identity},{2 * operator.forbidden}"
        lines.append(f"{cell.arfcn},{cell.bsic},{cell.power},0.00,{place},1,{cell.arfcn},1,{cell.arfcn}{_GAP}")
    return [_STARTED, *lines, _ENDED]
