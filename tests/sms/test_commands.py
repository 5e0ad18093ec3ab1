"""The ordinary life of short messages at a terminal, as drivers of modems lead it."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.at.results import CME, refuse
from atrunproto.emulator.nvm import NVM
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address, RelativeValidity
from atrunproto.sms.module import ShortMessages
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.tpdu import Submit
from atrunproto.sms.userdata import Concatenation, Element, UserData
from atrunproto.testing.emulated import MemoryModule, Wire

from .mobiles import OURS, OUTSIDE, SHOWN, THEIRS, bring, deliver, inText, module, said, sent, typed

CENTRE = "+393492000200"


def pair(product: str = "HE910-EUR") -> tuple[MemoryModule, Wire, Wire]:
    """A module and two terminals in text mode, one on it and one on a module that it writes to."""
    ours = module(product)
    theirs = module(beside=ours)
    return ours, inText(ours), inText(theirs, "AT+CNMI=2,1,0,0,0")


def asPDU(text: str = "Hello", to: str = THEIRS, centre: Address | None = None, **facts: object) -> PDU:
    """A message to be sent."""
    unit = Submit(Address.parse(to), UserData.of(text), **facts)  # type: ignore[arg-type]
    return PDU(unit.encode(), centre)


# -- settings


def test_service() -> None:
    """A driver is told that messages come, go and are stored."""
    at = module().port()
    assert at.execute("AT+CSMS=?;+CSMS?;+CSMS=0") == ["+CSMS: (0)", "+CSMS: 0,1,1,1", "+CSMS: 1,1,1", "OK"]
    assert at.execute("AT+CMGF=?;+CMGF?") == ["+CMGF: (0,1)", "+CMGF: 0", "OK"]
    assert at.execute("AT+CNMI=?;+CNMI?") == ["+CNMI: (0-3),(0-3),(0,2),(0-2),(0,1)", "+CNMI: 0,0,0,0,0", "OK"]
    assert at.execute("AT+CSCS=?;+CSCS?") == ['+CSCS: ("GSM","IRA","8859-1","PCCP437","UCS2")', '+CSCS: "IRA"', "OK"]
    assert at.execute("AT+CSDH=?;+CSDH?") == ["+CSDH: (0,1)", "+CSDH: 0", "OK"]
    assert at.execute("AT+CSCA=?;+CSMP=?;+CSCA?;+CSMP?") == [f'+CSCA: "{CENTRE}",145', "+CSMP: 17,167,0,0", "OK"]


def test_testForms() -> None:
    """The test form of a command that works on one message says that there is the command, no more (27.005)."""
    at = module().port()
    for name in ("+CMGS", "+CMGW", "+CMSS", "+CMGR", "#CMGS", "#CMGW"):
        assert at.execute(f"AT{name}=?") == ["OK"]


@pytest.mark.parametrize(
    ("product", "mode"), [("GE865-QUAD", 1), ("GE864-DUAL V2", 1), ("GE864-QUAD", 0), ("HE910", 0)]
)
def test_improvedMode(product: str, mode: int) -> None:
    """Two products have the improved commands from the factory on."""
    at = module(product).port()
    assert at.execute("AT#SMSMODE?;#SMSMODE=?") == [f"#SMSMODE: {mode}", "#SMSMODE: (0,1)", "OK"]
    assert at.execute(f"AT#SMSMODE={1 - mode};#SMSMODE?") == [f"#SMSMODE: {1 - mode}", "OK"]


def test_levelOfTheImprovedMode() -> None:
    """The level of the command interface can be set and read, and only be read while #SMSMODE is 1."""
    at = module("GE865-QUAD").port()
    assert at.execute("AT#SELINT=1") == ["ERROR"]
    assert at.execute("AT#SELINT=?;#SELINT?") == ["#SELINT: (0-2)", "#SELINT: 2", "OK"]
    assert at.execute("AT#SMSMODE=0;#SELINT=1;#SELINT?;#SMSMODE=1") == ["#SELINT: 1", "OK"]
    assert at.execute("AT#SELINT=2") == ["ERROR"]


@pytest.mark.parametrize("form", ['"SM"', '"SM","SM"', '"SM","SM","SM"'])
def test_memories(form: str) -> None:
    """The memories are named by one, two or three arguments, and counted."""
    at = module().port()
    assert at.execute("AT+CPMS=?") == ['+CPMS: ("SM","ME"),("SM"),("SM")', "OK"]
    assert at.execute(f"AT+CPMS={form}") == ["+CPMS: 0,30,0,30,0,30", "OK"]
    assert at.execute("AT+CPMS?") == ['+CPMS: "SM",0,30,"SM",0,30,"SM",0,30', "OK"]


def test_ownMemory() -> None:
    """The module's own memory can be read from, where there is nothing; nothing can be written to it."""
    emulated = module()
    bring(emulated, deliver())
    at = emulated.port()
    assert at.execute('AT+CPMS="ME"') == ["+CPMS: 0,0,1,30,1,30", "OK"]
    assert at.execute("AT+CMGL=4") == ["OK"]
    assert at.execute("AT+CMGR=1") == ["+CMS ERROR: 321"]
    for form in ('"SM","ME"', '"SM","SM","ME"', '"MT"'):
        assert at.execute(f"AT+CPMS={form}") == ["+CMS ERROR: 302"]
    improved = module("GE865-QUAD").port()
    assert improved.execute("AT+CPMS=?") == ['+CPMS: ("SM"),("SM"),("SM")', "OK"]
    assert improved.execute('AT+CPMS="ME"') == ["+CMS ERROR: 302"]


def test_profiles() -> None:
    """Centre and parameters are as before after a restart, unless +CSAS has stored them; +CRES takes them back."""
    emulated = module()
    at = emulated.port()
    assert at.execute('AT+CSCA="+391",145;+CSMP=49,255,0,4') == ["OK"]
    assert at.execute("AT+CSAS") == ["OK"]
    assert at.execute('AT+CSCA="391";+CSMP=17,,,0') == ["OK"]
    assert at.execute("AT+CSAS=1") == ["OK"]
    assert at.execute("AT+CSCA?;+CSMP?") == ['+CSCA: "391",129', "+CSMP: 17,255,0,0", "OK"]
    emulated.module.reboot()
    emulated.advance(1)
    assert at.execute("AT+CSCA?;+CSMP?") == ['+CSCA: "+391",145', "+CSMP: 49,255,0,4", "OK"]
    assert at.execute("AT+CRES=1;+CSCA?;+CSMP?") == ['+CSCA: "391",129', "+CSMP: 17,255,0,0", "OK"]
    assert at.execute("AT+CRES=2;+CSCA?;+CSMP?") == [f'+CSCA: "{CENTRE}",145', "+CSMP: 17,167,0,0", "OK"]


@pytest.mark.parametrize("line", ["+CSMP=16", "+CSMP=25", '+CSMP=17,"26/11/21,10:00:00+04"', '+CSMP=25,"26/13/41,1"'])
def test_wrongParameters(line: str) -> None:
    """Parameters that no message to be sent can have are refused, and the old ones stay."""
    at = module().port()
    assert at.execute(f"AT{line}") == ["+CMS ERROR: 305"]
    assert at.execute("AT+CSMP?") == ["+CSMP: 17,167,0,0", "OK"]


# -- sending


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\r", b"\x1a\r\n"])
def test_textSent(end: bytes) -> None:
    """A text that is typed and ended by Ctrl-Z arrives at the other module, its sender's number with it."""
    ours, at, other = pair()
    assert typed(at, f'AT+CMGS="{THEIRS}"', b"Hello" + end) == ["+CMGS: 0", "OK"]
    assert at.execute("AT") == ["OK"]
    ours.advance(1)
    assert said(other) == ['+CMTI: "SM",1']
    head, text, final = other.execute("AT+CMGR=1")
    assert head.startswith(f'+CMGR: "REC UNREAD","{OURS}","",')
    assert (text, final) == ("Hello", "OK")


def test_givenUp() -> None:
    """ESC gives a message up; nothing is sent, and the answer is OK."""
    ours, at, _ = pair()
    assert typed(at, f'AT+CMGS="{THEIRS}"', b"Hello\x1b") == ["OK"]
    assert typed(at, "AT+CMGW", b"Hello\x1b") == ["OK"]
    assert at.execute("AT+CMGF=0") == ["OK"]
    assert typed(at, "AT+CMGS=20", b"00\x1b") == ["OK"]
    assert typed(at, "AT+CMGW=20", b"00\x1b") == ["OK"]
    assert not ours.network.centre.underWay


@pytest.mark.parametrize("centre", [None, Address.parse(CENTRE)])
def test_unitSent(centre: Address | None) -> None:
    """A message in PDU mode goes with or without the service centre's number in front of it."""
    ours, at, other = pair()
    assert at.execute("AT+CMGF=0") == ["OK"]
    pdu = asPDU(centre=centre)
    assert typed(at, f"AT+CMGS={pdu.length}", pdu.encode().encode() + b"\x1a") == ["+CMGS: 0", "OK"]
    assert at.execute(f"AT#CMGS={pdu.length},{pdu.encode()}") == ["#CMGS: 1", "OK"]
    ours.advance(1)
    assert other.execute('AT+CMGL="ALL"')[1::2] == ["Hello", "Hello"]


def test_onTheLine() -> None:
    """#CMGS and #CMGW take the text from their line, without a prompt."""
    ours, at, other = pair()
    assert at.execute(f'AT#CMGS="{THEIRS}","Hello"') == ["#CMGS: 0", "OK"]
    assert at.execute(f'AT#CMGW="{THEIRS}","again"') == ["#CMGW: 1", "OK"]
    assert at.execute("AT+CMSS=1") == ["+CMSS: 1", "OK"]
    ours.advance(1)
    assert other.execute('AT+CMGL="ALL"')[1::2] == ["Hello", "again"]


def test_references() -> None:
    """Messages are counted from 0 to 255."""
    ours, at, _ = pair()
    for number in (*range(256), 0):
        assert at.execute(f'AT#CMGS="{OUTSIDE}","x"') == [f"#CMGS: {number}", "OK"]
        ours.advance(1)


@pytest.mark.parametrize(
    ("product", "dcs", "unit", "most", "wide"),
    [
        ("HE910-EUR", 0, b"a", 1530, False),
        ("GE865-QUAD", 0, b"a", 1520, True),
        ("HE910-EUR", 4, b"41", 1340, False),
        ("GE865-QUAD", 4, b"41", 1330, True),
        ("HE910-EUR", 8, b"0041", 670, False),
        ("GE865-QUAD", 8, b"0041", 660, True),
    ],
)
def test_longest(product: str, dcs: int, unit: bytes, most: int, wide: bool) -> None:
    """A text is split into up to ten messages; a longer one is cut, or with #SMSMODE=1 an error."""
    ours = module(product)
    at = inText(ours, f"AT+CSMP=17,167,0,{dcs}")
    line = f'AT+CMGS="{OUTSIDE}"'
    assert typed(at, line, unit * most + b"\x1a") == ["+CMGS: 9", "OK"]
    ours.advance(1)
    if wide:
        assert typed(at, line, unit * (most + 1) + b"\x1a") == ["+CMS ERROR: 305"]
    else:
        assert typed(at, line, unit * (most + 1) + b"\x1a") == ["+CMGS: 19", "OK"]
    ours.advance(1)
    octets = most * (2 if dcs == 8 else 1)
    parts = sent(ours)
    assert sum(len(each.payload) for each in parts[:10]) == octets
    assert [each.concatenation for each in parts[:10]] == [Concatenation(0, 10, n, wide) for n in range(1, 11)]
    assert sum(len(each.payload) for each in parts[10:]) == (0 if wide else octets)


def test_promptAgain() -> None:
    """With #SMSMODE=1 each CR in a text shows the prompt again, and is part of the text."""
    ours = module("GE865-QUAD")
    at = inText(ours)
    at.say(f'AT+CMGS="{OUTSIDE}"\r'.encode())
    assert at.say(b"one\rtwo") == b"one\r\r\n> two"
    assert b"+CMGS: 0\r\n" in at.say(b"\x1a")
    assert [each.text() for each in sent(ours)] == ["one\rtwo"]


def test_binaryWithHeader() -> None:
    """With the bit of a header in +CSMP, the typed octets begin with it."""
    ours = module()
    at = inText(ours, "AT+CSMP=81,167,0,4")
    assert typed(at, f'AT+CMGS="{OUTSIDE}"', b"0605040B8423F041\x1a") == ["+CMGS: 0", "OK"]
    assert typed(at, f'AT+CMGS="{OUTSIDE}"', b"09\x1a") == ["+CMS ERROR: 305"]
    (data,) = sent(ours)
    assert data == UserData(DataCoding(4), b"A", (Element(5, bytes.fromhex("0B8423F0")),))


def hexed(text: str) -> str:
    """A text as +CSCS="UCS2" has it."""
    return text.encode("utf-16-be").hex().upper()


def test_hexadecimalStrings() -> None:
    """Under +CSCS="UCS2" numbers and texts are hexadecimal digits, on the way in and on the way out."""
    ours, at, other = pair()
    for each in (at, other):
        assert each.execute('AT+CSCS="UCS2"') == ["OK"]
    assert at.execute("AT+CSCA?") == [f'+CSCA: "{hexed(CENTRE)}",145', "OK"]
    assert typed(at, f'AT+CMGS="{hexed(THEIRS)}"', hexed("Grüße").encode() + b"\x1a") == ["+CMGS: 0", "OK"]
    assert at.execute("AT+CSMP=17,167,0,8") == ["OK"]
    assert typed(at, f'AT+CMGS="{hexed(THEIRS)}"', hexed("Ж").encode() + b"\x1a") == ["+CMGS: 1", "OK"]
    ours.advance(1)
    answer = other.execute('AT+CMGL="ALL"')
    assert answer[0].startswith(f'+CMGL: 1,"REC UNREAD","{hexed(OURS)}","",')
    assert answer[1::2] == [hexed("Grüße"), hexed("Ж")]
    for number in (THEIRS, "0", "zz"):
        assert at.execute(f'AT+CMGS="{number}"') == ["+CMS ERROR: 305"]


def test_report() -> None:
    """A status report that was asked for is shown, or stored and told, as +CNMI says."""
    _, at, _ = pair()
    assert at.execute("AT+CSMP=49") == ["OK"]

    def reported(ds: int) -> list[str]:
        assert at.execute(f"AT+CNMI=2,1,0,{ds},0;+CMGF=1") == ["OK"]
        return typed(at, f'AT+CMGS="{THEIRS}"', b"Hello\x1a")[2:]

    (report,) = reported(1)
    assert report.startswith(f'+CDS: 6,0,"{THEIRS}",145,"')
    assert report.endswith('",0')
    assert reported(2) == ['+CDSI: "SM",1']
    assert at.execute("AT+CMGR=1")[0].startswith(f'+CMGR: "REC UNREAD",6,1,"{THEIRS}",145,"')
    assert at.execute('AT+CMGL="ALL"')[0].startswith(f'+CMGL: 1,"REC READ",6,1,"{THEIRS}",145,"')
    assert reported(0) == []
    assert len(at.execute('AT+CMGL="ALL"')) == 2


def test_reportAsPDU() -> None:
    """In PDU mode a status report is shown as digits."""
    _, at, _ = pair()
    pdu = asPDU(wantsReport=True)
    assert at.execute("AT+CMGF=0;+CNMI=2,1,0,1,0") == ["OK"]
    _, _, head, digits = typed(at, f"AT+CMGS={pdu.length}", pdu.encode().encode() + b"\x1a")
    assert head == f"+CDS: {PDU.decode(digits).length}"


# -- reading, writing, deleting


def test_listed() -> None:
    """+CMGL shows the messages of a status in both modes, and what it has shown is read."""
    emulated = module()
    bring(emulated, deliver("one"), deliver("two"))
    at = inText(emulated)
    assert at.execute("AT+CMGR=1") == [f'+CMGR: "REC UNREAD","{OUTSIDE}","",{SHOWN}', "one", "OK"]
    assert at.execute("AT+CMGR=1") == [f'+CMGR: "REC READ","{OUTSIDE}","",{SHOWN}', "one", "OK"]
    typed(at, f'AT+CMGW="{THEIRS}"', b"three\x1a")
    assert typed(at, f'AT+CMGW="{THEIRS}",145,"STO SENT"', b"four\x1a") == ["+CMGW: 4", "OK"]
    assert at.execute("AT+CMGL") == [f'+CMGL: 2,"REC UNREAD","{OUTSIDE}","",{SHOWN}', "two", "OK"]
    assert at.execute("AT+CMGL") == ["OK"]
    heads = {
        1: f'+CMGL: 1,"REC READ","{OUTSIDE}","",{SHOWN}',
        2: f'+CMGL: 2,"REC READ","{OUTSIDE}","",{SHOWN}',
        3: f'+CMGL: 3,"STO UNSENT","{THEIRS}","",',
        4: f'+CMGL: 4,"STO SENT","{THEIRS}","",',
    }
    for status, places in (("REC UNREAD", ()), ("REC READ", (1, 2)), ("STO UNSENT", (3,)), ("ALL", (1, 2, 3, 4))):
        assert at.execute(f'AT+CMGL="{status}"')[:-1:2] == [heads[place] for place in places]
    assert at.execute("AT+CMGL=?") == [
        '+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")',
        "OK",
    ]
    assert at.execute("AT+CMGL=4") == ["+CMS ERROR: 305"]
    assert at.execute("AT+CMGF=0;+CMGL=?") == ["+CMGL: (0-4)", "OK"]
    for status, places in (("0", ()), ("1", (1, 2)), ("2", (3,)), ("3", (4,)), ("4", (1, 2, 3, 4))):
        answer = at.execute(f"AT+CMGL={status}")
        assert [int(line.split(": ")[1].split(",")[0]) for line in answer[:-1:2]] == list(places)
        for head, digits in zip(answer[:-1:2], answer[1:-1:2], strict=True):
            assert head.endswith(f',"",{PDU.decode(digits).length}')
    assert at.execute('AT+CMGL="ALL"') == ["+CMS ERROR: 304"]


def test_inDetail() -> None:
    """+CSDH=1 adds the values of the header."""
    emulated = module()
    bring(emulated, deliver("one"))
    at = inText(emulated, "AT+CSDH=1")
    typed(at, f'AT+CMGW="{THEIRS}"', b"four\x1a")
    assert at.execute("AT+CMGR=1")[0] == f'+CMGR: "REC UNREAD","{OUTSIDE}","",{SHOWN},145,4,0,0,"{CENTRE}",145,3'
    assert at.execute("AT+CMGR=2")[0] == f'+CMGR: "STO UNSENT","{THEIRS}","",145,17,0,0,167,"{CENTRE}",145,4'
    assert at.execute('AT+CMGL="REC READ"')[0] == f'+CMGL: 1,"REC READ","{OUTSIDE}","",{SHOWN},145,3'


def test_severalLines() -> None:
    """A text of several lines is shown as it is, the OK of the command behind it (TEL-SMS-37)."""
    emulated = module()
    bring(emulated, deliver('\r\n+COPS: 0,0,"vodafone IT"\r\n\r\nOK\r\n'))
    at = inText(emulated, "ATE0")
    assert (
        at.say(b"AT+CMGR=1\r")
        == (
            f'\r\n+CMGR: "REC UNREAD","{OUTSIDE}","",{SHOWN}\r\n'
            '\r\n+COPS: 0,0,"vodafone IT"\r\n\r\nOK\r\n'
            "\r\n\r\nOK\r\n"
        ).encode()
    )


def test_unitRead() -> None:
    """PDU mode gives a stored message back as it came, with its service centre."""
    emulated = module()
    bring(emulated, deliver("one"))
    at = emulated.port()
    pdu = PDU(deliver("one").encode(), Address.parse(CENTRE))
    assert at.execute("AT+CMGR=1") == [f'+CMGR: 0,"",{pdu.length}', pdu.encode(), "OK"]


@pytest.mark.parametrize(
    ("flag", "left"), [(None, [2, 3, 4]), (0, [2, 3, 4]), (1, [2, 3, 4]), (2, [2, 3]), (3, [2]), (4, [])]
)
def test_deleted(flag: int | None, left: list[int]) -> None:
    """+CMGD deletes one message, or those of the statuses that its flag says."""
    emulated = module()
    bring(emulated, deliver("one"), deliver("two"))
    at = inText(emulated)
    at.execute("AT+CMGR=1")
    typed(at, f'AT+CMGW="{THEIRS}"', b"three\x1a")
    typed(at, f'AT+CMGW="{THEIRS}",145,"STO SENT"', b"four\x1a")
    assert at.execute("AT+CMGD=?") == ["+CMGD: (1,2,3,4),(0-4)", "OK"]
    assert at.execute("AT+CMGD=1" + ("" if flag is None else f",{flag}")) == ["OK"]
    assert at.execute("AT+CMGD=?") == [f"+CMGD: ({','.join(map(str, left))}),(0-4)", "OK"]


def test_emptyPlace() -> None:
    """A place without a message is an error, except with #SMSMODE=1; a place that isn't there always is."""
    for product, answer in (("HE910-EUR", "+CMS ERROR: 321"), ("GE865-QUAD", "OK")):
        at = module(product).port()
        assert at.execute("AT+CMGR=1") == at.execute("AT+CMGD=1") == [answer]
        for index in (0, 31, 9999):
            assert at.execute(f"AT+CMGR={index}") == at.execute(f"AT+CMGD={index}") == ["+CMS ERROR: 321"]
        assert at.execute("AT+CMSS=1") == ["+CMS ERROR: 321"]
        assert at.execute("AT+CMGD=1,4") == ["OK"]


def test_writtenThenSent() -> None:
    """A message that was written is sent by +CMSS, to its own number or to another, and counts as sent."""
    ours, at, other = pair()
    assert typed(at, f'AT+CMGW="{OUTSIDE}"', b"Hello\x1a") == ["+CMGW: 1", "OK"]
    assert typed(at, "AT+CMGW", b"again\x1a") == ["+CMGW: 2", "OK"]
    assert at.execute("AT+CMSS=2") == ["+CMS ERROR: 305"]
    assert at.execute(f'AT+CMSS=1,"{THEIRS}"') == ["+CMSS: 0", "OK"]
    assert at.execute(f'AT+CMSS=2,"{THEIRS}",145') == ["+CMSS: 1", "OK"]
    assert at.execute("AT+CMSS=1") == ["+CMSS: 2", "OK"]
    ours.advance(1)
    assert other.execute('AT+CMGL="ALL"')[1::2] == ["Hello", "again"]
    assert [each.destination for each in ours.network.centre.outside.after(0)] == [OUTSIDE]
    assert [line.split(",")[1] for line in at.execute('AT+CMGL="ALL"')[:-1:2]] == ['"STO SENT"', '"STO SENT"']


def test_receivedWritten() -> None:
    """A received message can be written too, as programs do that copy a telephone's messages; it isn't sent."""
    emulated = module()
    at = emulated.port()
    pdu = PDU(deliver("copy").encode(), Address.parse(CENTRE))
    assert typed(at, f"AT+CMGW={pdu.length},1", pdu.encode().encode() + b"\x1a") == ["+CMGW: 1", "OK"]
    assert at.execute("AT+CMGR=1") == [f'+CMGR: 1,"",{pdu.length}', pdu.encode(), "OK"]
    assert at.execute(f'AT+CMSS=1,"{THEIRS}"') == ["+CMS ERROR: 302"]
    assert typed(at, f"AT+CMGW={pdu.length},2", pdu.encode().encode() + b"\x1a") == ["+CMS ERROR: 304"]
    assert at.execute("AT+CMGF=1") == ["OK"]
    assert typed(at, f'AT+CMGW="{OUTSIDE}",145,"REC UNREAD"', b"copy\x1a") == ["+CMGW: 2", "OK"]
    assert at.execute("AT+CMGR=2")[0].startswith(f'+CMGR: "REC UNREAD","{OUTSIDE}","","70/01/01,00:00:')


def test_full() -> None:
    """With all places taken writing is an error, and what comes waits until a message is deleted."""
    emulated = module()
    bring(emulated, *(deliver(f"text {number}") for number in range(31)))
    at = inText(emulated, "AT+CNMI=2,1")
    assert at.execute('AT+CPMS="SM"') == ["+CPMS: 30,30,30,30,30,30", "OK"]
    assert typed(at, f'AT+CMGW="{THEIRS}"', b"x\x1a") == ["+CMS ERROR: 322"]
    assert at.execute("AT+CMGD=7") == ["OK"]
    emulated.advance(1)
    assert said(at) == ['+CMTI: "SM",7']
    assert at.execute("AT+CMGR=7")[1] == "text 30"
    bring(emulated, deliver("shown"))
    assert said(at) == []
    assert at.execute("AT+CNMI=2,2") == ["OK"]
    emulated.advance(1)
    assert said(at)[1:] == ["shown"]


def test_kept() -> None:
    """Messages are still there after a restart, since the SIM card holds them; the chosen memory is not."""
    nvm = NVM()
    emulated = module(nvm=nvm)
    bring(emulated, deliver("one"))
    at = inText(emulated)
    at.execute("AT+CMGL")
    at.execute('AT+CPMS="ME"')
    emulated.module.reboot()
    emulated.advance(1)
    assert at.execute("AT+CMGF=1;+CMGR=1")[1:] == ["one", "OK"]
    again = inText(module(nvm=nvm))
    assert again.execute("AT+CMGR=1")[:2] == [f'+CMGR: "REC READ","{OUTSIDE}","",{SHOWN}', "one"]


# -- errors


def test_noCard() -> None:
    """Without a usable card every command of messages says why (+CMS ERROR 310, 311, 316)."""
    emulated = module()
    at = inText(emulated)
    lines = ("+CMGS=1", "+CMGW", "+CMSS=1", "+CMGR=1", "+CMGL", "+CMGD=1", "+CPMS?", "+CSCA?", "+CSMP?", "+CSAS")
    emulated.module.sim.remove()
    assert {tuple(at.execute(f"AT{line}")) for line in lines} == {("+CMS ERROR: 310",)}
    emulated.module.sim.pin = "1234"
    emulated.module.sim.insert()
    assert {tuple(at.execute(f"AT{line}")) for line in lines} == {("+CMS ERROR: 311",)}
    for _ in range(3):
        at.execute('AT+CPIN="0000"')
    assert {tuple(at.execute(f"AT{line}")) for line in lines} == {("+CMS ERROR: 316",)}


class Broken(NVM):
    """A memory that can be written to no more."""

    isBroken = False

    def put(self, name: str, value: Any) -> None:
        if self.isBroken:
            raise refuse(CME[23])
        super().put(name, value)


def test_brokenMemory() -> None:
    """A memory that fails is told by its number; what is stored stays as it was, and what comes waits."""
    nvm = Broken()
    emulated = module(nvm=nvm)
    bring(emulated, deliver("one"))
    at = inText(emulated)
    nvm.isBroken = True
    assert typed(at, f'AT+CMGW="{THEIRS}"', b"x\x1a") == ["+CMS ERROR: 320"]
    for line in ("+CMGD=1", "+CSAS", "+CMGR=1"):
        assert at.execute(f"AT{line}") == ["+CMS ERROR: 320"]
    bring(emulated, deliver("two"))
    nvm.isBroken = False
    assert at.execute("AT+CMGD=1") == ["OK"]
    emulated.advance(1)
    assert at.execute("AT+CMGL")[1:] == ["two", "OK"]


def test_notCarried() -> None:
    """Without network, or with the packet service alone, nothing goes, and what comes waits."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,1")
    for off, on in (
        ("+COPS=2", "+COPS=0"),
        ("+CFUN=4", "+CFUN=1"),
        ("+CGSMS=0", "+CGSMS=1"),
        ('+CGCLASS="CG"', '+CGCLASS="B"'),
    ):
        assert at.execute(f"AT{off}") == ["OK"]
        assert at.execute(f'AT#CMGS="{THEIRS}","x"') == ["+CMS ERROR: 331"]
        bring(emulated, deliver(off))
        assert said(at) == []
        assert at.execute(f"AT{on}") == ["OK"]
        emulated.advance(5)
        assert said(at) == ['+CMTI: "SM",1']
        assert at.execute("AT+CMGR=1")[1] == off
        assert at.execute("AT+CMGD=1") == ["OK"]


def test_noCentre() -> None:
    """Without the number of a service centre nothing is sent, unless the message itself has one."""
    _, at, _ = pair()
    assert at.execute('AT+CSCA=""') == ["OK"]
    assert at.execute("AT+CSCA?") == ['+CSCA: "",129', "OK"]
    assert typed(at, f'AT+CMGS="{THEIRS}"', b"Hello\x1a") == ["+CMS ERROR: 330"]
    pdu = asPDU(centre=Address.parse(CENTRE))
    assert at.execute(f"AT+CMGF=0;#CMGS={pdu.length},{pdu.encode()}") == ["#CMGS: 0", "OK"]


@pytest.mark.parametrize("length", ["", "6", "165", "99999", '"x"', "-1"])
def test_wrongLength(length: str) -> None:
    """A message that can't be so long is refused before it is typed."""
    at = module().port()
    assert at.execute(f"AT+CMGS={length}")[0] in {"ERROR", "+CMS ERROR: 304"}
    assert at.execute(f"AT+CMGW={length}")[0] in {"ERROR", "+CMS ERROR: 304"}


@pytest.mark.parametrize("digits", [b"", b"zz", b"00", b"0001", b"0011000B91", deliver().encode().hex().encode()])
def test_wrongUnit(digits: bytes) -> None:
    """What is typed in PDU mode and is no message to be sent is refused."""
    at = module().port()
    assert typed(at, "AT+CMGS=20", digits + b"\x1a") == ["+CMS ERROR: 304"]
    pdu = asPDU()
    assert typed(at, f"AT+CMGS={pdu.length + 1}", pdu.encode().encode() + b"\x1a") == ["+CMS ERROR: 304"]


@pytest.mark.parametrize(
    ("dcs", "data"), [(0, b"`"), (0, b"\xff"), (4, b"4"), (4, b"xy"), (8, b"00"), (8, b"D800"), (4, b"AT+COPS?")]
)
def test_wrongText(dcs: int, data: bytes) -> None:
    """A text that its alphabet doesn't have, or that isn't in hexadecimal digits where it should be, is refused."""
    at = inText(module(), f"AT+CSMP=17,167,0,{dcs}")
    assert typed(at, f'AT+CMGS="{THEIRS}"', data + b"\x1a") == ["+CMS ERROR: 305"]


@pytest.mark.parametrize("number", ["", "+", "x", "+39 346", "123456789012345678901"])
def test_wrongNumber(number: str) -> None:
    """What is no telephone number is refused before the text is typed."""
    at = inText(module())
    assert at.execute(f'AT+CMGS="{number}"') == ["+CMS ERROR: 305"]


def test_validity() -> None:
    """A message is given up when its validity period is over, and its sender is told so."""
    ours, at, _ = pair()
    ours.network.subscriber(THEIRS).powerOff()  # type: ignore[union-attr]
    assert at.execute("AT+CSMP=49,0;+CNMI=2,1,0,1,0") == ["OK"]
    typed(at, f'AT+CMGS="{THEIRS}"', b"Hello\x1a")
    ours.advance(RelativeValidity(0).seconds + 1)
    (report,) = said(at)
    assert report.startswith(f'+CDS: 6,0,"{THEIRS}"')
    assert report.endswith(",70")


def test_atRest() -> None:
    """A module that has nothing to do with messages holds nothing for them."""
    emulated = module()
    emulated.port().execute("AT+CSQ")
    assert ShortMessages not in emulated.module._parts


def test_coding() -> None:
    """The coding of the examples means what the documents say: 4 and 245 are octets."""
    ours = module("GE865-QUAD")
    for dcs in (4, 245):
        at = inText(ours, f"AT+CSMP=17,167,0,{dcs}")
        assert typed(at, f'AT+CMGS="{OUTSIDE}"', b"41545C5130\x1a")[-1] == "OK"
    assert sent(ours) == [UserData(DataCoding(dcs), b"AT\\Q0") for dcs in (4, 245)]
