"""The exact texts of the reference: what the test and read forms of each family answer at the factory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from atrunproto.testing.emulated import MemoryModule

GSM, HE863, XE910 = "GE865-QUAD", "HE863-EUR", "HE910-EUR"
ALL = (GSM, HE863, XE910)
RUN = (GSM, XE910)

Row = tuple[Sequence[str], str, str, tuple[str, ...] | None]

#: who has it, name, answer to C{=?} ("": OK alone), answer to C{?} (C{None}: there is no read form)
REFERENCE: Sequence[Row] = (
    # 4
    (
        RUN,
        "#TCPATRUNCFG",
        "(1-6),(1-3),(1-65535),(1-65535),,(0,1),(1-5),(0,1),(0-5),(1-3600)",
        ('1,2,1024,1024,"",1,5,0,0,2',),
    ),
    (RUN, "#TCPATRUNL", "(0,1)", ("0,0",)),
    (RUN, "#TCPATRUND", "(0,1)", ("0,0",)),
    (RUN, "#TCPATRUNFRWL", "(0-2)", ()),
    (RUN, "#TCPATRUNAUTH", "(0-2)", ()),
    (RUN, "#TCPATRUNCLOSE", "", None),
    (RUN, "#TCPATCMDSEQ", "(0,1)", ("0",)),
    (RUN, "#ATRUNDELAY", "(0,1),(0-30)", ("0,0", "1,0")),
    # 5
    (ALL, "+CGDCONT", '(1-5),"IP",,,(0,1),(0,1)', ()),
    (ALL, "+CGQMIN", '"IP",(0-3),(0-4),(0-5),(0-9),(0-18,31)', ()),
    (ALL, "+CGQREQ", '"IP",(0-3),(0-4),(0-5),(0-9),(0-18,31)', ()),
    (ALL, "+CGATT", "(0,1)", ("1",)),
    (ALL, "+CGACT", "(0,1)", ()),
    (ALL, "+CGREG", "(0-2)", ("0,1",)),
    (ALL, "+CREG", "(0-2)", ("0,1",)),
    (ALL, "+CGCLASS", '("B","CG","CC")', ('"B"',)),
    (ALL, "#SGACT", "(0-5),(0,1)", ()),
    (ALL, "#SGACTCFG", "(1-5),(0-15),(180-3600),(0,1)", tuple(f"{cid},0,180,0" for cid in range(1, 6))),
    (ALL, "#SGACTAUTH", "(0-2)", ("1",)),
    (ALL, "#GPRS", "(0,1)", ("0",)),
    # 6
    (
        ALL,
        "#SCFG",
        "(1-6),(0-5),(0-1500),(0-65535),(10-1200),(0-255)",
        tuple(f"{number},{cid},300,90,600,50" for number, cid in enumerate((1, 1, 1, 2, 2, 2), 1)),
    ),
    (
        (GSM, HE863),
        "#SCFGEXT",
        "(1-6),(0-2),(0,1),(0-240),(0,1),(0,1)",
        tuple(f"{number},0,0,0,0,0" for number in range(1, 7)),
    ),
    (
        (XE910,),
        "#SCFGEXT",
        "(1-6),(0-3),(0,1),(0-240),(0,1),(0,1)",
        tuple(f"{number},0,0,0,0,0" for number in range(1, 7)),
    ),
    (ALL, "#FRWL", "(0-2)", ()),
    (ALL, "#TCPMAXDAT", "(0,496-1420)", ("0",)),
    (ALL, "#SO", "(1-6)", None),
    (ALL, "#SH", "(1-6)", None),
    (ALL, "#SL", "(1-6),(0,1),(1-65535),(0,255)", ()),
    (ALL, "#SA", "(1-6),(0,1)", None),
    (ALL, "#SSENDEXT", "(1-6),(1-1500)", None),
    ((GSM, HE863), "#SRECV", "(1-6),(1-1500)", None),
    ((XE910,), "#SRECV", "(1-6),(1-1500),(0,1)", None),
    ((XE910,), "#SSENDUDP", "(1-6),,(1-65535)", None),
    ((XE910,), "#SSENDUDPEXT", "(1-6),(1-1500),,(1-65535)", None),
    (ALL, "#SI", "(1-6)", None),
    (ALL, "#DNS", "(0-5),,", ()),
    # 7
    (ALL, "#PKTSZ", "(0-1500)", ("300",)),
    (ALL, "#DSTO", "(0-255)", ("50",)),
    (ALL, "#SKTTO", "(0-65535)", ("90",)),
    (ALL, "#SKTCT", "(10-1200)", ("600",)),
    (ALL, "#SKTSAV", "", None),
    (ALL, "#SKTRST", "", None),
    ((GSM, HE863), "#SKTOP", "", None),
    # 8
    (ALL, "#FTPTO", "(100-5000)", ("100",)),
    (ALL, "#FTPCLOSE", "", None),
    # 9
    (ALL, "#EMAILACT", "(0,1)", ("0",)),
    (ALL, "#ESMTP", "100", ('""',)),
    (ALL, "#ESAV", "", None),
    (ALL, "#ERST", "", None),
)


@pytest.mark.parametrize("product", ALL)
def test_testAndReadForms(product: str) -> None:
    """The test and read forms print what the reference prints, and a product without a command answers ERROR."""
    at = MemoryModule(product).port()
    at.execute("AT+CMEE=1")
    for having, name, ranges, held in REFERENCE:
        if product in having:
            assert at.execute(f"AT{name}=?") == ([f"{name}: {ranges}", "OK"] if ranges else ["OK"])
            read = ["+CME ERROR: 4"] if held is None else [*(f"{name}: {values}" for values in held), "OK"]
            assert at.execute(f"AT{name}?") == read
        elif not any(product in others and name == other for others, other, *_ in REFERENCE):
            assert at.execute(f"AT{name}=?") == at.execute(f"AT{name}?") == ["ERROR"]


@pytest.mark.parametrize("product", ALL)
@pytest.mark.parametrize("name", ["+CGACT", "#FRWL", "#FTPTO", "+CGREG", "#GPRS", "#SKTSET"])
def test_nothingGiven(product: str, name: str) -> None:
    """A command whose parameters may all be left out answers OK to an empty value and changes nothing (TEL-FTP-01)."""
    at = MemoryModule(product).port()
    assert at.execute('AT+CGDCONT=1,"IP","internet"') == ["OK"]
    before = at.execute(f"AT{name}?")
    assert at.execute(f"AT{name}=") == ["OK"]
    assert at.execute(f"AT{name}?") == before


@pytest.mark.parametrize("product", ALL)
@pytest.mark.parametrize(
    "line",
    [
        "#SCFG=7,1,300,90,600,50",
        "#SCFG=1,1,1501,90,600,50",
        "#SCFG=1,1",
        "#SCFGEXT=1,0,0,241",
        "#SCFGEXT=1,0",
        "#SD=0,0,80,1.2.3.4",
        "#SD=1,0,80",
        '#SD=1,0,80,"1.2.3.4",1',
        "#SO=7",
        "#SH=0",
        "#SL=1,1,0",
        "#SL=1,1,0,1024",
        "#SA=1,2",
        "#SRECV=1,1501",
        "#SGACT=1",
        "#SGACT=6,1",
        '#SGACT=1,1,"user"',
        "#TCPMAXDAT=495",
        '#FRWL=1,"1.2.3.4"',
        '#FRWL=,"1.2.3.4"',
        "#FTPTO=99",
        "#PKTSZ=1501",
        "#SKTCT=9",
        "+CGQMIN=1,4",
        '+CGDCONT=6,"IP"',
        "+CGATT=2",
        "#EMAILACT=2",
    ],
)
def test_badValues(product: str, line: str) -> None:
    """A value out of range, and one too few, is a plain ERROR whatever +CMEE says (TEL-GEN-06, TEL-SCF-05)."""
    at = MemoryModule(product).port()
    at.execute("AT+CMEE=2")
    assert at.execute(f"AT{line}") == ["ERROR"]


@pytest.mark.parametrize(("product", "answer"), [(GSM, ["ERROR"]), (HE863, ["ERROR"]), (XE910, ["OK"])])
def test_contextLogin(product: str, answer: list[str]) -> None:
    """The login of a context by #PDPAUTH is the xE910's alone (reference 5)."""
    assert MemoryModule(product).port().execute('AT#PDPAUTH=1,1,"user","password"') == answer
