"""
Commands of registration, signal, operators, cells and bands.

Source: reference 5 and 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Choice, Int, Numbers, Text
from atrunproto.at.results import CME, PLAIN_ERROR, refuse
from atrunproto.at.settings import Key, Stored, Values

from ..network import Cell
from ..radio import SEARCHING, Radio
from .general import moduleOf

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("radio")
#: what only GSM products have, or have in this form
gsm = CommandTable("radio GSM")
#: what only UMTS products have, or have in this form
umts = CommandTable("radio UMTS")


# -- registration


def _status(name: str, about: str) -> None:
    """
    +CREG and +CGREG: the notice wanted, and where the module is.
    """

    def changed(at: ATInstance, values: Values, key: Key) -> None:
        radio = at.part(Radio)
        if values[0] and moduleOf(at).product.family.reportsAtOnce and radio.statOf(name) != SEARCHING:
            # a state that is known is told at once (MTS-REG-03, MTS-GAP-45)
            at.notify(f"{name}: {radio.location(name, values[0])}")

    commands.setting(
        name,
        Int("mode", 0, 2, default=0),
        stored=Stored.EXTENDED,
        tellsStatus=True,
        changed=changed,
        about=about,
        source="reference 5; MTS-REG-02, MTS-REG-03",
    )

    def read(at: ATInstance) -> str:
        mode = at.settings.value(name)
        return f"{name}: {mode},{at.part(Radio).location(name, mode)}"

    commands.read(name)(read)


_status("+CREG", "Tell changes of the registration (1), and also the place (2).")
_status("+CGREG", "Tell changes of the packet registration (1), and also the place (2).")


@commands.action("+CGATT", Int("state", 0, 1), source="reference 5")
async def attach(at: ATInstance, state: int) -> None:
    """
    Attach to the packet service, or leave it; leaving ends TCPATRUN for good (TEL-NOT-07).
    """
    radio = at.part(Radio)
    if state and not radio.isRegistered:
        raise refuse(CME[30])
    if radio.attachWanted != bool(state):
        if state and moduleOf(at).product.family.reportsAtOnce:
            radio.isAttaching = True
            radio.changed()
        try:
            await at.takes("+CGATT")
            radio.attachWanted = bool(state)
        finally:
            radio.isAttaching = False
            radio.changed()


@commands.read("+CGATT")
def readAttach(at: ATInstance) -> str:
    """
    Whether the packet service is there.
    """
    return f"+CGATT: {int(at.part(Radio).isAttached)}"


def _classChanged(at: ATInstance, values: Values, key: Key) -> None:
    at.part(Radio).changed()
    # short messages that the packet service alone would not bring
    moduleOf(at).hasRoom()


commands.setting(
    "+CGCLASS",
    Choice("class", ("B", "CG", "CC"), default="B"),
    stored=Stored.NVM,
    shared=True,
    changed=_classChanged,
    about="The class of the mobile; with CC there is no packet service.",
    source="reference 5",
)

#: what +COPS keeps: mode and, for the manual modes, the operator
commands.setting(
    "+COPS selection", Int("mode", 0, 4, default=0), Text("oper", 32, default=""), stored=Stored.NVM, shared=True
)
commands.setting("+COPS format", Int("format", 0, 2, default=0))


@commands.action(
    "+COPS",
    Int("mode", 0, 4, default=0),
    Numbers("format", (0, 2), default=None),
    Text("oper", 32, default=None),
    longest=180.0,
    needsValue=True,
    source="reference 11",
)
async def selectOperator(at: ATInstance, mode: int, form: int | None, oper: str | None) -> None:
    """
    Choose an operator: 0 automatic, 1 manual, 2 deregister, 3 format only, 4 manual, else automatic.
    """
    if form is not None:
        at.settings.set("+COPS format", (form,))
    if mode == 3:
        return
    module, radio = moduleOf(at), at.part(Radio)
    chosen = ""
    if mode in (1, 4):
        found = module.network.find(oper or "")
        if found is None and mode == 1:
            raise refuse(CME[30] if oper else PLAIN_ERROR)
        chosen = found.code if found is not None else ""
    await at.takes("+COPS")
    module.settings.set("+COPS selection", (mode, chosen))
    radio.update()
    if mode == 1 and radio.wanted() is None:
        raise refuse(CME[32])


@commands.read("+COPS")
def readOperator(at: ATInstance) -> str:
    """
    Mode, format and the operator registered with; UMTS products add the technology.
    """
    module, operator = moduleOf(at), at.part(Radio).operator
    mode = module.settings.get("+COPS selection")[0]
    if operator is None:
        return f"+COPS: {mode}"
    form = at.settings.value("+COPS format")
    technology = f",{module.product.technology}" if module.product.threeG else ""
    return f'+COPS: {mode},{form},"{operator.code if form == 2 else operator.name}"{technology}'


@commands.test("+COPS")
async def testOperators(at: ATInstance) -> str:
    """
    Survey the operators; it takes a while.
    """
    await at.takes("+COPS=?")
    module = moduleOf(at)
    current = at.part(Radio).operator
    shown = []
    for operator in module.network.operators if module.network.inService else ():
        stat = 2 if operator is current else 3 if operator.forbidden else 1
        shown.append(f'({stat},"{operator.name}",,"{operator.code}")')
    return f"+COPS: {','.join([*shown, ''])},(0-4),(0,2)"


@commands.action(
    "+CFUN", Numbers("fun", (0, 1, 2, 4, 5, 7, 9), default=1), Int("rst", 0, 1, default=0), source="reference 11"
)
async def functionality(at: ATInstance, fun: int, reset: int) -> None:
    """
    Set the level of functionality; without transmitter (0, 2, 4) the module is off the network.
    """
    module = moduleOf(at)
    if reset or (fun == 1 and module.product.family.restartsByFun):
        if fun != 1:
            raise refuse()
        module.restartSoon()
        return
    await at.takes("+CFUN")
    at.part(Radio).fun = fun
    at.part(Radio).update()


@commands.read("+CFUN")
def readFunctionality(at: ATInstance) -> str:
    """
    The level in force.
    """
    return f"+CFUN: {at.part(Radio).fun}"


# -- signal and cells


@commands.action("+CSQ", source="reference 11")
def signalQuality(at: ATInstance) -> str:
    """
    Signal strength and bit error rate; 99 without a network.
    """
    radio = at.part(Radio)
    return f"+CSQ: {radio.rssi},{radio.ber}" if radio.isRegistered else "+CSQ: 99,99"


@commands.test("+CSQ")
def testSignalQuality(at: ATInstance) -> str:
    """
    The ranges of both values.
    """
    return "+CSQ: (0-31,99),(0-7,99)"


#: the cell that #MONI reports: 0 the serving one, 1 to 6 a neighbour, 7 all
commands.setting("#MONI selection", Int("number", 0, 7, default=0))


@commands.action("#MONI", Int("number", 0, 7, default=None), source="reference 11 (S Rev. 3, 3.7.1)")
def monitor(at: ATInstance, number: int | None) -> list[str] | None:
    """
    Choose a cell to monitor, or report the chosen one.
    """
    if number is not None:
        at.settings.set("#MONI selection", (number,))
        return None
    module, radio = moduleOf(at), at.part(Radio)
    cells, chosen = radio.cells, at.settings.value("#MONI selection")
    if not cells or radio.operator is None:
        return [f"#MONI: Cc:{module.network.home.code[:3]} Nc:{module.network.home.code[3:]} PWR:-110dbm"]
    name = radio.operator.name
    if chosen == 7:
        return [_HEADING, _serving(cells[0], name), *(_neighbour(n, cell) for n, cell in enumerate(cells[1:7], 1))]
    if chosen == 0:
        return [_servingUMTS(cells[0], name) if module.product.threeG else _servingGSM(cells[0], name)]
    if chosen >= len(cells):
        return [f"#MONI: Adj Cell{chosen} NO DATA"]
    cell = cells[chosen]
    where = f"[LAC:{cell.lac:04X} Id:{cell.identity:04X}] ARFCN:{cell.arfcn}"
    return [f"#MONI: Adj Cell{chosen} {where} PWR:{cell.power}dbm"]


@commands.test("#MONI")
def testMonitor(at: ATInstance) -> str:
    """
    The neighbours that can be chosen, and the choice.
    """
    return f"#MONI: (6,{at.settings.value('#MONI selection')})"


_HEADING = "#MONI: Cell  BSIC  LAC  CellId  ARFCN    Power  C1  C2  TA  RxQual  PLMN"


def _place(cell: Cell) -> str:
    return f"{cell.bsic:02d} {cell.lac:04X} {cell.identity:04X} {cell.arfcn} {cell.power}dbm {cell.c1} {cell.c2}"


def _serving(cell: Cell, name: str) -> str:
    return f"#MONI: S {_place(cell)} 1 0 {name}"


def _neighbour(number: int, cell: Cell) -> str:
    return f"#MONI: N{number} {_place(cell)}"


def _servingGSM(cell: Cell, name: str) -> str:
    where = f"LAC:{cell.lac:04X} Id:{cell.identity:04X} ARFCN:{cell.arfcn} PWR:{cell.power}dbm TA:1"
    return f"#MONI: {name} BSIC:{cell.bsic:02d} RxQual:0 {where}"


def _servingUMTS(cell: Cell, name: str) -> str:
    where = f"LAC:{cell.lac:04X} Id:{cell.identity:04X} EcIo:-4.0 UARFCN:{cell.arfcn} PWR:{cell.power}dbm"
    return f"#MONI: {name} PSC:{cell.bsic} RSCP:{cell.power - 4} {where} DRX:64 SCR:{cell.bsic}"


@commands.action("#SERVINFO", source="reference 11")
def servingInformation(at: ATInstance) -> str:
    """
    The serving cell in one line.
    """
    module, radio = moduleOf(at), at.part(Radio)
    operator = radio.operator
    if operator is None or not radio.cells:
        raise refuse(CME[30])
    cell = radio.cells[0]
    head = f'#SERVINFO: {cell.arfcn},{cell.power},"{operator.name}","{operator.code}",{cell.bsic},{cell.lac:04X}'
    if module.product.threeG:
        return f'{head},64,3,{cell.power - 4},"II",{cell.rac:02X}'
    return f'{head},00,1,,"II",{cell.rac:02X},6'


# -- bands and modes


_BAND = "The bands that are used; an operator on others is not found."


def _bandChanged(at: ATInstance, values: Values, key: Key) -> None:
    at.part(Radio).update()


gsm.setting(
    "#BND",
    Int("band", 0, 3, default=0),
    stored=Stored.NVM,
    shared=True,
    changed=_bandChanged,
    about=_BAND,
    source="reference 11",
)
umts.setting(
    "#BND",
    Int("band", 0, 3, default=0),
    Numbers("UMTS_band", (0, 2, 5, 6), default=0),
    stored=Stored.NVM,
    shared=True,
    changed=_bandChanged,
    about=_BAND,
    source="reference 11",
)


def _kept(name: str, parameter: Int, about: str) -> None:
    """
    A setting that is remembered and read back, and rules nothing that is emulated.
    """
    commands.setting(
        name,
        parameter,
        stored=Stored.NVM,
        shared=True,
        about=f"{about}; kept, without effect here.",
        source="reference 11",
    )


_kept("#AUTOBND", Int("value", 0, 2, default=2), "Choose the band automatically")
_kept("#ENS", Int("mod", 0, 1, default=0), "Follow the enhanced network selection")
_kept("#PLMNMODE", Int("mode", 0, 1, default=0), "Take names of operators from the network")
_kept("#REGMODE", Int("mode", 0, 1, default=1), "Tell changes of the registration in the enhanced way")
