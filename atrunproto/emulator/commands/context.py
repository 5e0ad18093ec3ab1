"""
Commands of the packet-data contexts and their quality of service.

Source: reference 5; IP Easy User Guide for HE863, 2.1 and 3.2.1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atrunproto.at.commands import CommandTable
from atrunproto.at.parameters import Choice, Int, Parameter, Text
from atrunproto.at.results import CME, NO_CARRIER, PLAIN_ERROR, ResultCode, refuse
from atrunproto.at.settings import Key, Stored, Values
from atrunproto.ipeasy.carrier import refusedBy
from atrunproto.mail.module import Mail

from ..contexts import Contexts
from .sim import needSim

if TYPE_CHECKING:
    from atrunproto.at.module import ATInstance

commands = CommandTable("context")
#: what only GSM products have
gsm = CommandTable("context GSM")
#: what only UMTS products have
umts = CommandTable("context UMTS")
#: what only UMTS products of the xE910 family have
xE910 = CommandTable("context xE910")

_CID = Int("cid", 1, 5)
#: seconds that an activation may take (reference 1.3)
_ACTIVATION = 150.0


# -- definition


def _checkDefinition(at: ATInstance, values: Values | None, key: Key) -> None:
    """
    A pending PIN, and a context in use, forbid a change.
    """
    needSim(at)
    if key in at.part(Contexts).active:
        raise refuse(CME[3])
    if values is not None and values[2] not in ("", "0.0.0.0") and not _isAddress(values[2]):
        raise refuse()


def _isAddress(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdecimal() and len(part) <= 3 and int(part) < 256 for part in parts)


_LONGEST_APN = 100

commands.setting(
    "+CGDCONT",
    Choice("PDP_type", ("IP",), default="IP"),
    Text("APN", _LONGEST_APN, default=""),
    Text("PDP_addr", 15, default=""),
    Int("d_comp", 0, 1, default=0),
    Int("h_comp", 0, 1, default=0),
    key=_CID,
    definable=True,
    stored=Stored.NVM,
    shared=True,
    check=_checkDefinition,
    about="Define a packet-data context; the cid alone undefines it.",
    source="reference 5; TEL-CTX-01, TEL-CTX-02",
)


# -- quality of service


def _quality(table: CommandTable, name: str, parameters: tuple[Parameter, ...], about: str, source: str) -> None:
    table.setting(
        name,
        *parameters,
        key=_CID,
        definable=True,
        stored=Stored.NVM,
        shared=True,
        about=f"{about}; the cid alone undefines it.",
        source=f"reference 5; {source}",
    )


#: TEL-QOS-02 to TEL-QOS-06
_CLASSIC = (
    Int("precedence", 0, 3, default=0),
    Int("delay", 0, 4, default=0),
    Int("reliability", 0, 5, default=0),
    Int("peak", 0, 9, default=0),
    Int("mean", default=0, ranges=((0, 18), (31, 31))),
)
_UPLINK = ((0, 63), (64, 568, 8), (576, 8640, 64))
_DOWNLINK = (*_UPLINK, (8700, 16000, 100))
#: TEL-QOS-12 to TEL-QOS-21
_THREE_G = (
    Int("traffic class", 0, 4, default=4),
    Int("maximum bitrate UL", default=0, ranges=_UPLINK, unit="kbit/s"),
    Int("maximum bitrate DL", default=0, ranges=_DOWNLINK, unit="kbit/s"),
    Int("guaranteed bitrate UL", default=0, ranges=_UPLINK, unit="kbit/s"),
    Int("guaranteed bitrate DL", default=0, ranges=_DOWNLINK, unit="kbit/s"),
    Int("delivery order", 0, 2, default=2),
    Int("maximum SDU size", default=0, ranges=((0, 0), (10, 1500), (1502, 1502), (1510, 1510), (1520, 1520))),
    Choice("SDU error ratio", ("0E0", "1E1", "1E2", "7E3", "1E3", "1E4", "1E5", "1E6"), default="0E0"),
    Choice(
        "residual bit error ratio",
        ("0E0", "5E2", "1E2", "5E3", "4E3", "1E3", "1E4", "1E5", "1E6", "6E8"),
        default="0E0",
    ),
    Int("delivery of erroneous SDUs", 0, 3, default=3),
    Int("transfer delay", default=0, ranges=((0, 0), (10, 150, 10), (200, 950, 50), (1000, 4000, 50)), unit="ms"),
    Int("traffic handling priority", 0, 3, default=0),
)

_quality(commands, "+CGQMIN", _CLASSIC, "The quality of service that is accepted at least", "TEL-QOS-01")
_quality(commands, "+CGQREQ", _CLASSIC, "The quality of service that is asked for", "TEL-QOS-10")
_quality(umts, "+CGEQMIN", _THREE_G, "The 3G quality of service that is accepted at least", "TEL-QOS-11")
_quality(umts, "+CGEQREQ", _THREE_G, "The 3G quality of service that is asked for", "TEL-QOS-23, TEL-GAP-01")


def _testPerType(table: CommandTable, name: str) -> None:
    """
    The test form of these names the type of context in place of the cid.
    """
    parameters = table.rows[name].parameters
    line = f'{name}: "IP",{",".join(parameter.range() for parameter in parameters)}'
    table.test(name)(lambda at: line)


_testPerType(commands, "+CGQMIN")
_testPerType(commands, "+CGQREQ")
_testPerType(umts, "+CGEQMIN")
_testPerType(umts, "+CGEQREQ")
commands.test("+CGDCONT")(lambda at: '+CGDCONT: (1-5),"IP",,,(0,1),(0,1)')


# -- activation


@commands.action(
    "#SGACT",
    Int("cid", 0, 5),
    Int("stat", 0, 1),
    Text("userId", 64, default=None),
    Text("pwd", 64, default=None, secret=True),
    noCarrier=True,
    longest=_ACTIVATION,
    source="reference 5; TEL-ACT-01 to TEL-ACT-07, TEL-CFG-04",
)
async def activate(
    at: ATInstance, cid: int, stat: int, user: str | None, password: str | None
) -> str | ResultCode | None:
    """
    Activate a context and print its address, or deactivate it.
    """
    contexts = at.part(Contexts)
    if (user is None) != (password is None):
        raise refuse()
    if stat:
        address = await at.abortable(contexts.activate(at, cid, user or "", password or ""), _isAbortable(at, cid))
        return NO_CARRIER if address is None else f"#SGACT: {address}"
    if not at.module.isTied(cid):
        raise refuse()
    contexts.deactivate(cid)
    return None


def _isAbortable(at: ATInstance, cid: int) -> bool:
    return cid > 0 and bool(at.module.settings.get("#SGACTCFGEXT", cid)[0])


commands.test("#SGACT")(lambda at: "#SGACT: (0-5),(0,1)")


@commands.read("#SGACT")
def readActivation(at: ATInstance) -> list[str]:
    """
    The state of each defined context.
    """
    contexts = at.part(Contexts)
    return [f"#SGACT: {cid},{int(cid in contexts.active)}" for cid in contexts.defined]


@commands.action(
    "#SGACTCFG",
    Int("cid", 1, 5),
    Int("retry", 0, 15),
    Int("delay", 180, 3600, default=None, unit="s"),
    Int("urcmode", 0, 1, default=None),
    source="reference 5; TEL-CFG-05, TEL-EXT-13",
)
def configureActivation(at: ATInstance, cid: int, retry: int, delay: int | None, urcmode: int | None) -> None:
    """
    Let a context come back by itself: attempts (0: none), seconds between them, and a notice on this instance.
    """
    settings = at.module.settings
    settings.set("#SGACTCFG values", (retry, settings.get("#SGACTCFG values", cid)[1] if delay is None else delay), cid)
    if urcmode is not None:
        at.settings.set("#SGACTCFG urcmode", (urcmode,), cid)


#: kept at once; the notice is the instance's own and goes with its profile
commands.setting(
    "#SGACTCFG values",
    Int("retry", 0, 15, default=0),
    Int("delay", 180, 3600, default=180),
    key=_CID,
    stored=Stored.NVM,
    shared=True,
)
commands.setting("#SGACTCFG urcmode", Int("urcmode", 0, 1, default=0), key=_CID, stored=Stored.EXTENDED)


@commands.read("#SGACTCFG")
def readConfigureActivation(at: ATInstance) -> list[str]:
    """
    The five contexts.
    """
    settings, own = at.module.settings, at.settings
    lines = []
    for cid in range(1, 6):
        retry, delay = settings.get("#SGACTCFG values", cid)
        lines.append(f"#SGACTCFG: {cid},{retry},{delay},{own.value('#SGACTCFG urcmode', cid)}")
    return lines


commands.setting(
    "#SGACTCFGEXT",
    Int("abort", 0, 1, default=0, required=True),
    Int("unused_A", 0, 0, default=0),
    Int("unused_B", 0, 0, default=0),
    Int("unused_C", 0, 0, default=0),
    key=_CID,
    stored=Stored.NVM,
    shared=True,
    about="Let any character abort an activation by #SGACT.",
    source="reference 5",
)
commands.setting(
    "#SGACTAUTH",
    Int("type", 0, 2, default=1, required=True),
    shared=True,
    about="The login of #SGACT: none, PAP or CHAP; kept, without effect here.",
    source="reference 5",
)
commands.setting(
    "#GAUTH",
    Int("type", 0, 3, default=1),
    stored=Stored.EXTENDED,
    about="The login of dial-up: none, PAP, CHAP or both; kept, without effect before there is dial-up.",
    source="reference 5",
)
xE910.setting(
    "#PDPAUTH",
    Int("type", 0, 2, default=0, required=True),
    Text("user", 64, default=""),
    Text("pwd", 64, default="", secret=True),
    key=_CID,
    stored=Stored.NVM,
    shared=True,
    about="The login of a context: none, PAP or CHAP, with name and password; kept, without effect here.",
    source="reference 5",
)


@xE910.read("#PDPAUTH")
def readAuthentication(at: ATInstance) -> list[str]:
    """
    The type for each context; name and password are not shown.
    """
    return [f"#PDPAUTH: {cid},{at.module.settings.get('#PDPAUTH', cid)[0]}" for cid in range(1, 6)]


@commands.action(
    "+CGACT",
    Int("state", 0, 1, default=None),
    *(Int(f"cid{number}", 1, 5, default=None) for number in range(1, 6)),
    needsValue=True,
    longest=_ACTIVATION,
    source="reference 5; TEL-ACT-06",
)
async def changeContexts(at: ATInstance, state: int | None, *cids: int | None) -> None:
    """
    Activate or deactivate contexts for other uses than IP Easy; without a cid, all that are defined.
    """
    if state is None:
        return
    contexts = at.part(Contexts)
    chosen = [cid for cid in cids if cid is not None] or contexts.defined
    if any(not contexts.isDefined(cid) for cid in chosen):
        raise refuse()
    if state:
        await contexts.activateExternal(at, chosen)
    else:
        await at.takes("+CGACT")
        for cid in chosen:
            contexts.deactivate(cid)


commands.test("+CGACT")(lambda at: "+CGACT: (0,1)")


@commands.read("+CGACT")
def readContexts(at: ATInstance) -> list[str]:
    """
    The state of each defined context.
    """
    contexts = at.part(Contexts)
    return [f"+CGACT: {cid},{int(cid in contexts.active or cid in contexts.external)}" for cid in contexts.defined]


def _addresses(at: ATInstance, name: str, cids: tuple[int | None, ...]) -> list[str]:
    """
    The address of each chosen or defined context; undefined ones give no line.
    """
    contexts = at.part(Contexts)
    chosen = [cid for cid in cids if cid is not None] or contexts.defined
    return [f'{name}: {cid},"{contexts.address(cid) or ""}"' for cid in chosen if contexts.isDefined(cid)]


def _showAddress(name: str, low: int, problem: object, bare: object) -> None:
    def show(at: ATInstance, *cids: int | None) -> list[str]:
        """
        The address of each chosen context, or of all that are defined.
        """
        return _addresses(at, name, cids)

    def test(at: ATInstance) -> str:
        return f"{name}: ({','.join(str(cid) for cid in at.part(Contexts).defined)})"

    parameters = [Int(f"cid{number}", low, 5, default=None) for number in range(1, 7)]
    commands.action(name, *parameters, needsValue=True, noRead=problem, noValue=bare, source="reference 5")(show)
    commands.test(name)(test)


_showAddress("+CGPADDR", 1, PLAIN_ERROR, PLAIN_ERROR)
_showAddress("#CGPADDR", 0, CME[4], CME[3])


@commands.action(
    "#GPRS",
    Int("mode", 0, 1, default=None),
    answersAs="+IP",
    longest=_ACTIVATION,
    needsValue=True,
    limits=(refusedBy("on context 1 (TEL-NOT-04)", lambda carrier: carrier.cid == 1),),
    source="reference 5; TEL-NOT-04",
)
async def openFirstContext(at: ATInstance, mode: int | None) -> str | None:
    """
    Activate context 1 for IP Easy and print its address, or deactivate it.
    """
    contexts = at.part(Contexts)
    if mode is None:
        return None
    if mode:
        return f"+IP: {await contexts.activate(at, 1)}"
    if not at.part(Mail).hasOpened:
        # what #EMAILACT has opened stays (reference 9)
        contexts.deactivate(1)
    return None


@commands.read("#GPRS")
def readFirstContext(at: ATInstance) -> str:
    """
    0 off, 1 on.
    """
    return f"#GPRS: {int(1 in at.part(Contexts).active)}"


gsm.setting(
    "#GSMCONT definition",
    Text("type", 2, default=""),
    Text("number", 20, default=""),
    stored=Stored.NVM,
    shared=True,
)


@gsm.action(
    "#GSMCONT",
    Int("cid", 0, 0),
    Choice("type", ("IP",), default=""),
    Text("number", 20, default=""),
    source="reference 5",
)
def defineGSMContext(at: ATInstance, cid: int, kind: str, number: str) -> None:
    """
    Define the circuit-switched context, or with the cid alone undefine it.
    """
    if bool(kind) != bool(number):
        raise refuse()
    at.module.settings.set("#GSMCONT definition", (kind, number))


@gsm.read("#GSMCONT")
def readGSMContext(at: ATInstance) -> list[str]:
    """
    The definition, if there is one.
    """
    kind, number = at.module.settings.get("#GSMCONT definition")
    return [f'+GSMCONT: 0,"{kind}",{number}'] if kind else []
