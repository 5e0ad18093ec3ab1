"""Tests of L{tools.manual}: the manual's tables say what the code declares, all of it and nothing else."""

from __future__ import annotations

import re

import pytest

from atrunproto.at.commands import Command, CommandTable
from atrunproto.at.parameters import Choice, Int, Text
from atrunproto.at.results import CME, CMS
from atrunproto.emulator.limits import LIMITS
from atrunproto.emulator.module import Power
from atrunproto.emulator.products import FAMILIES, PRODUCTS
from atrunproto.fleet.executions import State as ExecutionState
from atrunproto.tcpatrun.module import State as ServiceState
from tools import manual

LINE = """
    E V Q X I &K &D &C &S \\R \\Q &W &F Z #Z &Y &P &V H O +IPR +IFC +ICF +CMUX #SELINT +CMEE #CMEEMODE +FCLASS
    +CCLK #CCLK S0 S1 S2 S3 S4 S5 S7 S12 S25 S30 S38
"""
IDENTITY = """
    +GMI +CGMI #CGMI +GMM +CGMM #CGMM +GMR +CGMR #CGMR +GSN +CGSN #CGSN +CIMI #CIMI #CCID +CCID +GCAP
"""
CONTEXTS = """
    +CGDCONT +CGQMIN +CGQREQ +CGEQMIN +CGEQREQ +CGATT +CGACT +CGPADDR +CGREG +CREG +CGCLASS
    #SGACT #SGACTCFG #SGACTCFGEXT #SGACTAUTH #PDPAUTH #CGPADDR #GPRS #GAUTH #GSMCONT
"""
RADIO = """
    +CPIN +CSQ +COPS +CFUN #BND #AUTOBND #SIMDET #QSS #MONI #SERVINFO #GPIO #ADC #TEMPMON #QTEMP #SLED #SLEDSAV
    #REBOOT #ENHRST #SHDN +CLCK #ENS #PLMNMODE #REGMODE #CSURV #CSURVC
"""
SERVICE = """
    #TCPATRUNCFG #TCPATRUNL #TCPATRUND #TCPATRUNFRWL #TCPATRUNAUTH #TCPATRUNCLOSE #TCPATCMDSEQ #ATRUNDELAY
    #SCFG #SS #PKTSZ #SKTTO #SKTCT #DSTO
    #SMSATRUN #SMSATRUNCFG #SMSATWL #ENAEVMONI
"""
EXPECTED = set((LINE + IDENTITY + CONTEXTS + RADIO + SERVICE).split())
"""The commands that there must be."""

DEFERRED = {
    "A": "calls",
    "D": "calls and dial-up",
    "+CGDATA": "dial-up",
    "#CSURVU": "surveys of chosen channels",
    "$GPSNMUN": "positioning",
    "#TCPATCONSER": "transparent connections to a serial port",
}
"""The commands of the same chapters that come with later services."""

NAMES = {row.name for each in manual.tables().values() for row in manual.rowsOf(each)}


def markers() -> list[tuple[str, str]]:
    """What the pages of the manual name."""
    return [found for page in manual.pages() for found in manual.MARKER.findall(page.read_text(encoding="utf-8"))]


def test_wholeSet() -> None:
    """Every command that a driver of these modules expects is there."""
    assert not EXPECTED - NAMES


def test_deferred() -> None:
    """What belongs to later services isn't pretended to be there."""
    assert not NAMES & DEFERRED.keys()


def test_everyTableHasItsPlace() -> None:
    """The manual has each table of commands exactly once, so each command has one place."""
    assert sorted(argument for part, argument in markers() if part == "commands") == sorted(manual.tables())


def test_everyPartIsUsed() -> None:
    """What the manual can tell of the code, it tells."""
    assert {part for part, _ in markers()} == manual.PARTS.keys()
    assert {argument for part, argument in markers() if part == "life"} == manual.LIVES.keys()


@pytest.mark.parametrize("name", list(manual.tables()))
def test_everyCommandOfATable(name: str) -> None:
    """A table in the manual shows each of its commands, and no place where a command only keeps its values."""
    shown = re.findall(r"^### `(.*)`$", manual.commandsPart(name), re.MULTILINE)
    assert [each.replace("AT=", "S") for each in shown] == [row.name for row in manual.rowsOf(manual.tables()[name])]
    assert not any(" " in each for each in shown)


def test_everyCommandIsExplained() -> None:
    """For each command the manual says what it is for, in a sentence, and where the facts come from."""
    rows = [row for each in manual.tables().values() for row in manual.rowsOf(each)]
    assert [row.name for row in rows if not manual.about(row).endswith(".") or not row.source] == []


def test_alphabet() -> None:
    """The list of all commands leads to a place that exists, for each of them."""
    targets = re.findall(r"\]\(#(.*?)\)", manual.indexPart())
    text = "\n".join(manual.commandsPart(name) for name in manual.tables())
    assert sorted(targets) == sorted(re.findall(r"^\((.*)\)=$", text, re.MULTILINE))
    assert len(set(targets)) == len(targets)


def test_setting() -> None:
    """A setting is shown with its forms, ranges, factory values, and where it is kept."""
    shown = manual.commandsPart("ipeasy")
    assert "AT#SCFG=<connId>,<cid>,<pktSz>,<maxTo>,<connTo>,<txTo>\nAT#SCFG?\nAT#SCFG=?" in shown
    assert "| `cid` | 0-5 |  | 1 for connId 1, 2, 3; 2 for connId 4, 5, 6 | yes |" in shown
    assert "| `pktSz` | 0-1500; 0 stands for 300 | octets | 300 | yes |" in shown
    assert "- Stored: NVM at once; one for the module" in shown


def test_action() -> None:
    """An action is shown with what may be left out, how long it may take, and who has it."""
    shown = manual.commandsPart("context")
    assert "AT#SGACT=<cid>,<stat>[,<userId>[,<pwd>]]" in shown
    assert "| `pwd` | a string of up to 64 characters, a password |  |  |  |" in shown
    assert "Activate a context and print its address, or deactivate it." in shown
    assert "- Longest time: 150 s\n- Families: 2G, HE863, xE910-3G\n- Source: reference 5" in shown


def test_refused() -> None:
    """The manual tells where a command is refused, and which one ends the exchange of commands, and how."""
    assert "- Refused: over SMSATRUN digest, TCPATRUN server mode\n" in manual.commandsPart("tcpatrun")
    line = manual.commandsPart("basic")
    assert (
        "- Ends the exchange of commands for good: with 1, 2 over TCPATRUN server mode, TCPATRUN client mode\n" in line
    )
    assert (
        "- Ends the exchange of commands until the command timeout: with 1, 2 over SMSATRUN simple, SMSATRUN digest\n"
        in line
    )
    assert "- Refused: while a data call is up on another instance" in line


def test_basicForms() -> None:
    """Basic commands and registers are shown as they are typed, without an equals sign where there is none."""
    shown = manual.commandsPart("basic")
    assert "ATE\nATE<value>\nATE=?" in shown
    assert "ATS0\nATS0=<value>\nATS0?\nATS0=?" in shown
    assert "AT=<value>\nAT?\nAT=?" in shown


def test_values() -> None:
    """Steps, single values and lists of a parameter read as a person would write them."""
    assert manual.values(Int("rate", ranges=((0, 63), (64, 568, 8), (600, 600)))) == "0-63, 64-568 in steps of 8, 600"
    assert manual.values(Choice("class", ("B", "CG"))) == '`"B"`, `"CG"`'
    assert manual.values(Text("password", exactly=16, secret=True)) == "a string of 16 characters, a password"


def test_optionalArguments() -> None:
    """Arguments that may be left out stand in brackets, one within the other."""
    row = Command(
        "#X", (Int("a", 0, 1, default=0), Int("b", 0, 1), Int("c", 0, 1, default=0), Int("d", 0, 1, default=0))
    )
    table = CommandTable("x")
    table.action("#X", *row.parameters)(lambda at, *values: None)
    assert manual.forms(table.rows["#X"]) == ["AT#X=[<a>],<b>[,<c>[,<d>]]", "AT#X=?"]
    table.action("#Y", *row.parameters[2:])(lambda at, *values: None)
    assert manual.forms(table.rows["#Y"]) == ["AT#Y", "AT#Y=[<c>[,<d>]]", "AT#Y=?"]


def test_families() -> None:
    """A command of the run-AT services is shown for the families that can have them, and for no other."""
    assert manual.has(manual.tables()["tcpatrun"].rows["#TCPATRUNL"]) == (
        "2G with the run-AT services, xE910-3G with the run-AT services"
    )
    assert manual.has(manual.tables()["radio GSM"].rows["#BND"]) == "2G"
    assert manual.has(manual.tables()["basic"].rows["E"]) == "all"


def test_errors() -> None:
    """Each error of both kinds is listed with its number and its words."""
    for part, reasons in ((manual.cmePart(), CME), (manual.cmsPart(), CMS)):
        rows = re.findall(r"^\| (\d+) \| (.*) \|$", part, re.MULTILINE)
        assert rows == [(str(number), reason.text) for number, reason in reasons.items()]


def test_resultCodes() -> None:
    """A result code is shown octet by octet, in words and as a number, for both dialects."""
    assert (
        "| `OK` | 0 | yes | `<CR><LF>OK<CR><LF>` | `0<CR>` | `<CR><LF>OK<CR><LF>` | `<CR>0<CR>` |" in manual.codesPart()
    )


def test_products() -> None:
    """Each product is listed with its family, its software and since when it has the run-AT services."""
    shown = manual.productsPart()
    assert re.findall(r"^\| `(.*?)` \|", shown, re.MULTILINE) == list(PRODUCTS)
    assert "| `HE910-EUR` | xE910-3G | HE910 | 12.00.004 | 12.00.xx4 |" in shown
    assert all(f"| {name} |" in manual.familiesPart() for name in FAMILIES)


def test_limits() -> None:
    """Each limit is explained, with the value of each family that has it."""
    shown = manual.limitsPart()
    assert re.findall(r"^\| `(.*?)` \|", shown, re.MULTILINE) == list(LIMITS)
    assert re.search(r"^\| `sent` \| .* \| 1-1500 \| 1500 \| 1020 \| 1500 \|", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("life", "states"),
    [
        (["execution"], [state.value for state in ExecutionState]),
        (["power"], [state.value for state in Power]),
        (["tcpatrun server", "tcpatrun client"], [state.name.lower().replace("_", " ") for state in ServiceState]),
    ],
)
def test_lifeCycles(life: list[str], states: list[str]) -> None:
    """A life cycle that the manual draws knows each state that there is, and no other."""
    known: set[str] = set()
    entered: set[str] = set()
    for name in life:
        drawn = manual.LIVES[name]()
        known.update(drawn.states)
        entered.update(place for step in drawn.steps for place in (step.source, step.target) if place != manual.ANY)
    assert known == entered == set(states)


def test_stepsOfADocstring() -> None:
    """The arrows in a docstring become steps; what is no arrow is left alone."""
    doc = """
    A lamp.

    (off, dim) key: it warms up -> on | broken; fuse -> broken.
    Mode two: (on) key ->
      off. (on) talk: words.
    """
    assert list(manual.stepsOf(doc)) == [
        manual.Step("off", "key", "on"),
        manual.Step("off", "key", "broken"),
        manual.Step("dim", "key", "on"),
        manual.Step("dim", "key", "broken"),
        manual.Step("off", "fuse", "broken"),
        manual.Step("dim", "fuse", "broken"),
    ]
    assert list(manual.stepsOf(doc, ["Mode two"])) == [manual.Step("on", "key", "off")]


def test_drawing() -> None:
    """A drawing has a box for each state and an arrow for each way between two, with what leads there written at it."""
    life = manual.Life(["off", "on"], [manual.Step("off", "key", "on"), manual.Step("on", "a < b", "off")])
    drawn = manual.drawing(life, "lamp")
    assert drawn.count("<rect") == 2
    assert drawn.count("marker-end") == 2
    assert ">key</text>" in drawn
    assert ">a &lt; b</text>" in drawn


ASSUMING = '''
"""A module. What stands here is known. The colour is assumed."""

#: seconds that it glows (A)
GLOW = 2.5
#: seconds that it is dark
DARK = 1.0


class Lamp:
    """A lamp (its make: assumed)."""

    def off(self):
        # nobody says that it can be switched off (A)
        pass
'''


def test_assumptions() -> None:
    """Whatever is marked as assumed in the code is listed, with its value and its place; what is known isn't."""
    assert set(manual.assumptionsIn("lamps", ASSUMING)) == {
        manual.Assumption("lamps", "", "", "The colour is assumed."),
        manual.Assumption("lamps", "GLOW", "2.5", "seconds that it glows"),
        manual.Assumption("lamps", "Lamp", "", "A lamp (its make: assumed)."),
        manual.Assumption("lamps", "Lamp.off", "", "nobody says that it can be switched off"),
    }
    assert "| `60.0` | `atrunproto.tcpatrun.login:LOGIN_TIMEOUT` |" in manual.assumptionsPart()


def test_unknownPart() -> None:
    """A page that names what doesn't exist fails the build, and doesn't come out empty."""
    with pytest.raises(KeyError):
        manual.filled("<!-- manual: comands basic -->")
    with pytest.raises(KeyError):
        manual.filled("<!-- manual: commands basics -->")
