"""
The products that the emulator knows, as data: families with their limits, and each product's name and software.

Sources: applicability tables of Running AT Commands Remotely Rev. 9 and Rev. 3 and of the IP Easy User Guide for HE863;
reference 0.3 for what the families have. TEL-APP-01 to TEL-APP-07.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from atrunproto.at import basic
from atrunproto.at.commands import CommandSet, CommandTable, Limit
from atrunproto.at.errors import Misuse
from atrunproto.at.results import MULTITECH, MULTITECH_LINES, TELIT, Dialect
from atrunproto.at.settings import Settings, Values
from atrunproto.ftp import commands as ftp
from atrunproto.ftp import multitech as ftpMultitech
from atrunproto.ipeasy import commands as ipeasy
from atrunproto.ipeasy import old, options, status
from atrunproto.mail import commands as mail
from atrunproto.mail import multitechcommands as multitechMail
from atrunproto.multitech import commands as multitech
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.parameters import LINE, ROWS
from atrunproto.multitech.stack import Stack, closed
from atrunproto.sms import commands as sms
from atrunproto.sms import options as smsOptions
from atrunproto.smsatrun import commands as smsatrun
from atrunproto.tcpatrun import commands as tcpatrun
from atrunproto.transparent import commands as transparent

from .commands import calls, context, general, hardware, names, phonebook, radio, sim, survey
from .limits import LIMITS

#: seconds that a command or an event typically takes (A, within the limits of reference 1.3); scaled by the module
DURATIONS: Mapping[str, float] = {
    "boot": 3.0,
    "registration": 2.0,
    "#SGACT": 1.5,
    "#REBOOT": 1.0,
    "#SHDN": 1.0,
    "+CGATT": 1.0,
    "+CGACT": 1.5,
    "+CFUN": 0.5,
    "+COPS": 2.0,
    "+COPS=?": 8.0,
    "#CSURV": 20.0,
    "+CMGS": 2.0,
    "#TCPATRUND": 2.0,
    "#CONNECTIONSTART": 2.0,
    "#CONNECTIONSTOP": 0.5,
    "#PING": 0.5,
}

_COMMON = (
    basic.commands,
    general.commands,
    sim.commands,
    phonebook.commands,
    radio.commands,
    context.commands,
    names.commands,
    options.commands,
    status.commands,
    hardware.commands,
    mail.commands,
    smsOptions.commands,
    sms.commands,
)


#: places for short messages: as many as a SIM card may have (A), and none of the module's own (A)
_MESSAGES = {"messages SM": 30, "messages ME": 0}


def _isTelits(name: str) -> bool:
    """
    Whether a general command is Telit's own; settings that other commands keep their values in aren't.
    """
    return (name.startswith("#") and " " not in name) or name in ("+CMUX", "+CCID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    What the products of a family have in common.
    """

    name: str
    tables: Sequence[CommandTable]
    dialect: Dialect = TELIT
    #: octets of a command line (reference 1.1)
    lineLength: int = 80
    threeG: bool = False
    manufacturer: str = "Telit"
    #: answers to ATI0 to ATI5; C{None}: the model
    information: Mapping[int, str | None] = field(
        default_factory=lambda: {0: "332", 1: "0", 2: "", 3: "Telit", 4: None, 5: "DOB v.2.0"}
    )
    #: capabilities as +GCAP prints them
    capabilities: str = "+CGSM,+DS,+FCLASS,+MS"
    pins: int = 10
    #: factory values that differ from those of the command rows
    factory: Mapping[str, Values] = field(default_factory=dict)
    #: commands whose test form answers OK alone
    plainTests: Sequence[str] = ()
    #: commands that stand in the tables and that it lacks
    without: frozenset[str] = frozenset()
    #: tables of those that it has in another form than the tables say
    instead: Sequence[CommandTable] = ()
    #: limits on all commands of the vendor's own
    gates: Sequence[Limit] = ()
    #: whether +CREG and +CGREG tell the state as soon as they are switched on, and that the module is attaching
    reportsAtOnce: bool = False
    #: whether +CFUN=1 restarts the module (MTS-GAP-59)
    restartsByFun: bool = False
    #: further parts of a module that follow its power
    parts: Sequence[type[Any]] = ()
    #: the generation of Multi-Tech's IP stack, where it is one of theirs
    generation: Generation = Generation.V3_02
    #: what L{LIMITS} names, as far as its commands ask for it
    limits: Mapping[str, int] = field(
        default_factory=lambda: {
            "viewed": 1500,
            "sent": 1500,
            "online": 3,
            "answering": 1,
            "attempts": 1,
            "callers": 1,
            **_MESSAGES,
        }
    )


GSM_FAMILY = Family(
    name="2G",
    tables=(
        *_COMMON,
        radio.gsm,
        survey.commands,
        context.gsm,
        ipeasy.commands,
        ipeasy.classic,
        options.gsm,
        old.commands,
        old.whole,
        ftp.commands,
        ftp.parts,
    ),
    limits={"viewed": 64, "sent": 1500, "online": 3, "answering": 1, "attempts": 0, "callers": 0, **_MESSAGES},
)
UMTS_TABLES = (*_COMMON, radio.umts, context.umts, ipeasy.commands, old.commands, ftp.commands)
HE863_FAMILY = Family(
    name="HE863",
    tables=(*UMTS_TABLES, ipeasy.classic, old.whole, ipeasy.synonyms, ftp.whole),
    lineLength=400,
    threeG=True,
    limits={"viewed": 1500, "sent": 1020, "online": 1, "answering": 0, "attempts": 0, "callers": 0, **_MESSAGES},
    # in the transcripts of its guide the peer never sees the escape sequence (A)
    factory={"#SKIPESC": (1,)},
    plainTests=("#SS",),
)
XE910_3G = Family(
    name="xE910-3G",
    tables=(*UMTS_TABLES, context.xE910, names.xE910, ipeasy.xE910, status.xE910, ftp.parts, ftp.umts),
    lineLength=400,
    threeG=True,
)
#: what a Multi-Tech modem has of the general commands: as much as a Wavecom modem would (A)
_WAVECOM = (
    basic.commands,
    general.commands,
    sim.commands,
    phonebook.commands,
    radio.commands,
    radio.gsm,
    context.commands,
    context.gsm,
    smsOptions.commands,
    sms.commands,
    calls.commands,
)
#: of several readings of Multi-Tech's guide, the one that host programs expect
_READINGS = {
    "messages as in the chapters": 0,
    "line feed before errors": 0,
    "close of a peer is an error": 0,
    "mark before upload errors": 0,
    "seconds before a write": 0,
    **_MESSAGES,
}
MULTITECH_FAMILY = Family(
    name="Multi-Tech",
    tables=(
        *_WAVECOM,
        multitech.commands,
        multitech.parameters,
        multitech.displays,
        ftpMultitech.commands,
        transparent.commands,
        transparent.udp,
        multitech.connection,
        multitechMail.commands,
    ),
    dialect=MULTITECH,
    lineLength=LINE,
    manufacturer="MultiTech",
    information={0: None},
    # what begins with # is another vendor's here; +CMUX and +CCID only say that they are missing
    without=frozenset(name for table in _WAVECOM for name in table.rows if _isTelits(name)),
    gates=(closed,),
    reportsAtOnce=True,
    restartsByFun=True,
    parts=(Stack,),
    limits={**_READINGS, "both sockets listen": 0},
)


def _without(family: Family, generation: Generation, *commands: str) -> frozenset[str]:
    """
    What a family lacks, and what an earlier stack lacks besides.

    @param commands: those that are no parameters.
    """
    lacking = [row.command for row in ROWS if row.since > generation]
    return family.without.union(lacking, commands)


#: what 3.02 has in addition, or in another form, is what its guide adds to the one of 2.10 (MTS-OPEN-08)
MULTITECH_2_10 = replace(
    MULTITECH_FAMILY,
    name="Multi-Tech 2.10",
    without=_without(MULTITECH_FAMILY, Generation.V2_10),
    instead=(multitech.earlier, transparent.earlier),
    generation=Generation.V2_10,
    limits=_READINGS,
)
#: and what 2.10 has in addition, what its guide adds to the one of 2.00 (MTS-OPEN-07)
MULTITECH_2_00 = replace(
    MULTITECH_2_10,
    name="Multi-Tech 2.00",
    without=_without(MULTITECH_2_10, Generation.V2_00, *transparent.udp.rows, "#VUDP", "#PING", "#VPING", "#DELFLASH"),
    generation=Generation.V2_00,
)
#: the families of Multi-Tech's firmware, by how that begins (MTS-OPEN-06)
_FIRMWARE: Mapping[str, Family] = {"640b": MULTITECH_2_00, "641c": MULTITECH_2_10, "651": MULTITECH_FAMILY}


@dataclass(frozen=True, slots=True)
class Product:
    """
    One product: a name of the applicability tables with its software.

    @ivar software: the version that +CGMR prints.
    @ivar minimum: the least version that has the run-AT services, as printed; C{None}: no version has.
    @ivar limits: those that differ from the family's.
    @ivar firmware: the families of its software versions by how those begin, where there are several.
    """

    name: str
    family: Family
    software: str
    minimum: str | None
    limits: Mapping[str, int] = field(default_factory=dict)
    firmware: Mapping[str, Family] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """
        What +CGMM prints: the name without its variant (A).
        """
        return self.name.split("-")[0].split(" ")[0]

    @property
    def threeG(self) -> bool:
        """
        Whether it speaks UMTS.
        """
        return self.family.threeG

    @property
    def technology(self) -> int:
        """
        <AcT> of +COPS and +CREG: 0 GSM, 2 UTRAN.
        """
        return 2 if self.threeG else 0

    @property
    def hasRunAT(self) -> bool:
        """
        Whether this software has SMSATRUN and TCPATRUN (TEL-APP-01).
        """
        return self.minimum is not None and versionReaches(self.software, self.minimum)

    @property
    def dialect(self) -> Dialect:
        """
        How it frames its answers.
        """
        dialect = self.family.dialect
        return MULTITECH_LINES if dialect is MULTITECH and self.limit("line feed before errors") else dialect

    @property
    def commands(self) -> CommandSet:
        """
        All commands of the product.
        """
        return _commands(self.family.name, self.dialect, self.hasRunAT, self.name in _IMPROVED)

    @property
    def tables(self) -> Sequence[CommandTable]:
        """
        The tables that its commands stand in.
        """
        return (*_tables(self.family, self.hasRunAT), *self.family.instead)

    def bandServes(self, settings: Settings, bands: Sequence[int]) -> bool:
        """
        Whether the band chosen by #BND, where it can be chosen, is one of these.
        """
        return not settings.has("#BND") or settings.value("#BND") in bands

    def withSoftware(self, software: str) -> Product:
        """
        The same product with another software version, which may be of another family.

        @raise Misuse: it doesn't look like a version of this product.
        """
        known = f"(?:{'|'.join(self.firmware)})[a-z]?" if self.firmware else r"[0-9]+(?:\.[0-9]+){1,3}"
        if re.fullmatch(known, software) is None:
            raise Misuse(f"{software!r} is not a version such as {', '.join(self.firmware) or self.software}")
        families = [family for begin, family in self.firmware.items() if software.startswith(begin)]
        return replace(self, software=software, family=families[0] if families else self.family)

    def limit(self, name: str) -> int:
        """
        One of its limits.

        @raise KeyError: its family has no such limit.
        """
        return self.limits[name] if name in self.limits else self.family.limits[name]

    def withLimits(self, limits: Mapping[str, int]) -> Product:
        """
        The same product with other limits.

        @raise Misuse: it has no such limit, or that can't have this value.
        """
        for name, value in limits.items():
            if name not in self.family.limits:
                raise Misuse(f"{self.name} has no limit {name!r}{_similar(name, self.family.limits)}")
            known = LIMITS[name]
            if not known.low <= value <= known.high:
                raise Misuse(f"{name!r} is from {known.low} to {known.high}, not {value}")
        return replace(self, limits={**self.limits, **limits})


@lru_cache(maxsize=64)
def _commands(family: str, dialect: Dialect, hasRunAT: bool, isImproved: bool) -> CommandSet:
    found = FAMILIES[family]
    factory = {**found.factory, "#SMSMODE": (1,)} if isImproved else found.factory
    return CommandSet(
        dialect,
        _tables(found, hasRunAT),
        without=found.without,
        factory=factory,
        plainTests=found.plainTests,
        gates=found.gates,
        instead=found.instead,
    )


def _tables(family: Family, hasRunAT: bool) -> Sequence[CommandTable]:
    return (*family.tables, tcpatrun.commands, smsatrun.commands) if hasRunAT else family.tables


FAMILIES = {
    family.name: family
    for family in (GSM_FAMILY, HE863_FAMILY, XE910_3G, MULTITECH_FAMILY, MULTITECH_2_10, MULTITECH_2_00)
}


@lru_cache(maxsize=256)
def versionReaches(version: str, minimum: str) -> bool:
    """
    Compare software versions; letters of the printed minimum stand for digits that take no part (TEL-APP-07).

    >>> versionReaches("10.00.147", "10.00.xx7"), versionReaches("10.00.146", "10.00.xx7")
    (True, False)
    """
    digits = [(ours, theirs) for ours, theirs in zip(version, minimum, strict=False) if not theirs.isalpha()]
    return len(version) >= len(minimum) and [pair[0] for pair in digits] >= [pair[1] for pair in digits]


def _released(minimum: str) -> str:
    """
    A version that a unit with this minimum prints: placeholders are 0.
    """
    return "".join("0" if char.isalpha() else char for char in minimum)


_APPLICABILITY: Sequence[tuple[Family, str, Sequence[str]]] = (
    # Rev. 9 (2015)
    (
        GSM_FAMILY,
        "10.00.xx7",
        (
            "GC864-QUAD",
            "GC864-QUAD V2",
            "GC864-DUAL V2",
            "GE864-QUAD",
            "GE864-QUAD V2",
            "GE864-QUAD Automotive V2",
            "GE864-QUAD ATEX",
            "GE864-DUAL V2",
            "GE864-GPS",
            "GE865-QUAD",
            "GL865-DUAL",
            "GL865-QUAD",
            "GL868-DUAL",
            "GT863-PY",
            "GT864-QUAD",
            "GT864-PY",
        ),
    ),
    (GSM_FAMILY, "13.00.xx3", ("GE910-QUAD",)),
    (GSM_FAMILY, "13.00.xx5", ("GE910-QUAD AUTO", "GE910-GNSS")),
    (GSM_FAMILY, "16.00.xx2", ("GL865-DUAL V3", "GL865-QUAD V3", "GL868-DUAL V3")),
    (GSM_FAMILY, "16.00.xx3", ("GE910-QUAD V3", "GE866-QUAD")),
    (
        XE910_3G,
        "12.00.xx4",
        (
            "HE910",
            "HE910-D",
            "HE910-EUR",
            "HE910-EUD",
            "HE910-EUG",
            "HE910-NAG",
            "HE910-NAR",
            "HE910-NAD",
            "UE910-EUR",
            "UE910-EUD",
            "UE910-NAR",
            "UE910-NAD",
            "UL865-EUR",
            "UL865-EUD",
            "UL865-NAR",
            "UL865-NAD",
            "UL865-N3G",
        ),
    ),
    (XE910_3G, "12.00.xx6", ("HE910-GL", "UE910-N3G", "UE866-N3G")),
    # Rev. 3 (2010), not listed any more in 2015; which of its two versions each has is not said (A: the newer)
    (
        GSM_FAMILY,
        "10.00.xx2",
        (
            "GM862-QUAD-PY",
            "GM862-QUAD",
            "GM862-GPS",
            "GC864-PY",
            "GC864-PY with SIM holder",
            "GC864-DUAL",
            "GE863-PY",
            "GE863-QUAD",
            "GE863-GPS",
            "GE863-SIM",
            "GE863-PRO3",
            "GE864-PY",
            "GE864-QUAD AUTOMOTIVE",
        ),
    ),
)

#: those whose short message commands are the improved ones from the factory on (reference 3.1, #SMSMODE)
_IMPROVED = {"GE865-QUAD", "GE864-DUAL V2"}

#: sold under names of their own (TEL-APP-02)
ALIASES = {"HE910-G": "HE910", "HE910-DG": "HE910"}

PRODUCTS: dict[str, Product] = {
    name: Product(name, family, _released(minimum), minimum)
    for family, minimum, names in _APPLICABILITY
    for name in names
}
PRODUCTS.update(
    (name, Product(name, HE863_FAMILY, "11.00.002", None))
    for name in (f"HE863-{variant}" for variant in ("EUD", "EUG", "EUR", "NAD", "NAG", "NAR", "AUD", "AUG", "AUR"))
)
PRODUCTS.update(
    (name, Product(name, MULTITECH_FAMILY, "651", None, firmware=_FIRMWARE))
    for name in ("MTCBA-G", "MTMMC-G", "MTSMC-G")
)


def editions() -> Iterator[Product]:
    """
    The products, each with a software version of each family that it may be of.
    """
    for product in PRODUCTS.values():
        yield product
        for begin, family in product.firmware.items():
            if family is not product.family:
                yield product.withSoftware(begin)


def product(name: str) -> Product:
    """
    The product of this name, in any case.

    @raise Misuse: there is none; the message names similar ones.
    """
    wanted = ALIASES.get(name.upper(), name).lower()
    for known, found in PRODUCTS.items():
        if known.lower() == wanted:
            return found
    raise Misuse(f"there is no product {name!r}{_similar(name.upper(), [*PRODUCTS, *ALIASES])}")


def _similar(name: str, known: Iterable[str]) -> str:
    """
    What a message about an unknown name ends with: those that are like it.
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""
