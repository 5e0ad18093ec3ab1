"""What a terminal is told of incoming messages."""

from __future__ import annotations

import pytest

from atrunproto.sms.fields import ALPHANUMERIC, NO_PLAN, Address
from atrunproto.sms.indications import KEPT
from atrunproto.sms.module import ShortMessages
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.tpdu import Deliver
from atrunproto.testing.emulated import MemoryModule, Wire

from .mobiles import OURS, OUTSIDE, SHOWN, bring, deliver, inText, module, said

STORED, TOLD, SHOW = "stored", "stored and told", "shown"
NO_CLASS, CLASS_0, CLASS_1, CLASS_2, CLASS_3 = 0x00, 0x10, 0x11, 0x12, 0x13
DISCARD, STORE = 0xC8, 0xD8


@pytest.mark.parametrize(
    ("mt", "results"),
    [
        (0, [STORED, STORED, STORED, STORED, STORED, STORED, STORED]),
        (1, [TOLD, TOLD, TOLD, TOLD, TOLD, TOLD, TOLD]),
        (2, [SHOW, SHOW, SHOW, TOLD, SHOW, SHOW, TOLD]),
        (3, [TOLD, TOLD, TOLD, TOLD, SHOW, TOLD, TOLD]),
    ],
)
def test_routes(mt: int, results: list[str]) -> None:
    """+CNMI and the class of a message decide whether it is stored, told or shown."""
    emulated = module()
    at = inText(emulated, f"AT+CNMI=2,{mt},0,0,0")
    for octet, result in zip((NO_CLASS, CLASS_0, CLASS_1, CLASS_2, CLASS_3, DISCARD, STORE), results, strict=True):
        bring(emulated, deliver("Hi", octet))
        shown = [f'+CMT: "{OUTSIDE}","",{SHOWN}', "Hi"]
        assert said(at) == {STORED: [], TOLD: ['+CMTI: "SM",1'], SHOW: shown}[result], (mt, octet)
        assert at.execute("AT+CPMS?")[0].startswith(f'+CPMS: "SM",{int(result != SHOW)},'), (mt, octet)
        assert at.execute("AT+CMGD=1,4") == ["OK"]


def test_shownAsPDU() -> None:
    """In PDU mode a message that is shown comes with its service centre, and the length without it."""
    emulated = module()
    at = emulated.port()
    assert at.execute("AT+CNMI=2,2") == ["OK"]
    bring(emulated, deliver())
    head, digits = said(at)
    pdu = PDU.decode(digits)
    assert head == f'+CMT: "",{pdu.length}'
    assert str(pdu.centre) == emulated.network.centre.number
    assert pdu.unit == deliver().encode()


def test_inDetail() -> None:
    """With +CSDH=1 a shown message tells its whole header."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,2", "AT+CSDH=1")
    bring(emulated, deliver())
    centre = emulated.network.centre.number
    assert said(at) == [f'+CMT: "{OUTSIDE}","",{SHOWN},145,4,0,0,"{centre}",145,5', "Hello"]


def test_severalInstances() -> None:
    """A message that one instance takes directly is stored for none; else it is told to all that want it."""
    emulated = module()
    one, two = inText(emulated, "AT+CNMI=2,1"), inText(emulated, "AT+CNMI=2,2", port=2)
    bring(emulated, deliver("Hi", NO_CLASS))
    assert said(one) == []
    assert said(two)[1:] == ["Hi"]
    bring(emulated, deliver("Hi", CLASS_2))
    assert said(one) == said(two) == ['+CMTI: "SM",1']


def test_nobodyThere() -> None:
    """A message is stored where the terminal that would be shown it has gone."""
    emulated = module()
    inText(emulated, "AT+CNMI=2,2").close()
    bring(emulated, deliver())
    assert emulated.port().execute("AT+CPMS?")[0].startswith('+CPMS: "SM",1,')


def online(emulated: MemoryModule, mode: int, mt: int) -> Wire:
    """A terminal that is online through a socket."""
    host = emulated.host(10510)
    at = inText(emulated, 'AT+CGDCONT=1,"IP","x"', f"AT+CNMI={mode},{mt}")
    assert at.execute("AT#SGACT=1,1")[-1] == "OK"
    assert at.execute('AT#SD=1,0,10510,"127.0.0.1",255') == ["CONNECT"]
    assert host.callers
    return at


def back(emulated: MemoryModule, at: Wire) -> list[str]:
    """Leave online mode; the lines that come."""
    emulated.advance(2)
    at.say(b"+++")
    lines = at.after(2)
    assert "OK" in lines
    return [line for line in lines if line != "OK"]


@pytest.mark.parametrize(("mode", "told"), [(1, []), (2, ['+CMTI: "SM",1']), (3, ['+CMTI: "SM",1'])])
def test_online(mode: int, told: list[str]) -> None:
    """While the terminal is online nothing disturbs its data; afterwards it is told, except in mode 1."""
    emulated = module()
    at = online(emulated, mode, 1)
    bring(emulated, deliver())
    assert at.heard() == b""
    assert back(emulated, at) == told
    assert at.execute("AT+CMGR=1")[1:] == ["Hello", "OK"]


@pytest.mark.parametrize(("mode", "isStored"), [(1, True), (2, False), (3, False)])
def test_shownOnline(mode: int, isStored: bool) -> None:
    """A message that would be shown isn't lost while the terminal is online: it is shown later, or stored."""
    emulated = module()
    at = online(emulated, mode, 2)
    bring(emulated, deliver())
    assert at.heard() == b""
    assert back(emulated, at) == ([] if isStored else [f'+CMT: "{OUTSIDE}","",{SHOWN}', "Hello"])
    assert at.execute("AT+CPMS?")[0].startswith(f'+CPMS: "SM",{int(isStored)},')


def test_onlineIsBounded() -> None:
    """Messages that wait for the end of online mode are stored from a number on, so that none is lost."""
    emulated = module()
    at = online(emulated, 2, 2)
    for _ in range(2):
        bring(emulated, *(deliver(f"text {number}") for number in range(KEPT + 2)))
        assert back(emulated, at)[1::2] == [f"text {number}" for number in range(KEPT)]
        assert at.execute('AT+CMGL="ALL"')[1::2] == [f"text {KEPT}", f"text {KEPT + 1}"]
        assert at.execute("AT+CMGD=1,4;#SO=1") == ["CONNECT"]


def test_promptIsBounded() -> None:
    """Messages that come while a prompt waits are shown behind it, and from a number on stored: none is lost."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,2")
    assert at.say(b"AT+CMGW\r").endswith(b"\r\n> ")
    bring(emulated, *(deliver(f"text {number}") for number in range(80)))
    shown = at.say(b"\x1b").decode("ascii").split("\r\n")
    assert [line for line in shown if line.startswith("text")] == [f"text {number}" for number in range(KEPT)]
    stored = at.execute('AT+CMGL="ALL"')[1::2]
    assert stored == [f"text {number}" for number in range(KEPT, KEPT + 30)]
    assert at.execute("AT+CMGD=1,4") == ["OK"]
    emulated.advance(1)
    assert said(at)[1::2] == [f"text {number}" for number in range(KEPT + 30, 80)]


@pytest.mark.parametrize("bfr", [0, 1])
def test_modeZero(bfr: int) -> None:
    """In mode 0 notices are kept; the next mode tells them, or with <bfr> 1 drops them."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=0,1")
    bring(emulated, deliver("one"), deliver("two"))
    assert said(at) == []
    answer = at.execute(f"AT+CNMI=2,1,0,0,{bfr}") + said(at)
    assert answer == (["OK"] if bfr else ["OK", '+CMTI: "SM",1', '+CMTI: "SM",2'])
    bring(emulated, deliver("three"))
    assert said(at) == ['+CMTI: "SM",3']


def test_modeZeroIsBounded() -> None:
    """Messages kept for a terminal in mode 0 are stored from a number on, so that none is lost."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=0,2")
    bring(emulated, *(deliver(f"text {number}") for number in range(KEPT + 2)))
    assert at.execute('AT+CMGL="ALL"')[1::2] == [f"text {KEPT}", f"text {KEPT + 1}"]
    assert at.execute("AT+CNMI=1") == ["OK"]
    assert said(at)[1::2] == [f"text {number}" for number in range(KEPT)]


def test_typeZero() -> None:
    """A message of type 0, by which a network looks for a mobile, leaves no trace."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,1")
    bring(emulated, deliver(identifier=0x40))
    assert said(at) == []
    assert at.execute('AT+CMGL="ALL"') == ["OK"]


def test_alphabets() -> None:
    """Text of the default alphabet is shown as text, any other as hexadecimal digits."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,2", 'AT+CSCS="8859-1"')
    for text, octet, shown in (("Grüße", 0x00, "Grüße"), ("Grüße", 0x08, "0047007200FC00DF0065"), ("\\", 0x04, "5C")):
        bring(emulated, deliver(text, octet))
        assert said(at)[1:] == [shown]


def test_hostileName() -> None:
    """A sender's name can't pretend to be an answer of the module."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,2")
    unit = deliver()
    name = Address('"\r\nOK\r\n', ALPHANUMERIC, NO_PLAN)
    bring(emulated, Deliver(name, unit.userData, unit.time))
    assert said(at)[0] == f'+CMT: "???OK??","",{SHOWN}'


def test_aServiceFirst() -> None:
    """A message that a service takes is neither stored nor told."""
    emulated = module()
    at = inText(emulated, "AT+CNMI=2,1")
    seen = []

    def take(centre: Address, unit: Deliver) -> bool:
        seen.append(unit.userData.text())
        return seen[-1].startswith("AT")

    emulated.module.part(ShortMessages).watch(take)
    bring(emulated, deliver("AT+COPS?"))
    assert said(at) == []
    assert seen == ["AT+COPS?"]
    assert at.execute('AT+CMGL="ALL"') == ["OK"]
    assert emulated.network.centre.underWay.get(OURS) is None
    bring(emulated, deliver("Hello"))
    assert said(at) == ['+CMTI: "SM",1']
