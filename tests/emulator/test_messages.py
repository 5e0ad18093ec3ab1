"""Short messages all the way: from an AT port through the network to another one, or out of it."""

from __future__ import annotations

from atrunproto.sms.centre import Faults
from atrunproto.sms.fields import Address
from atrunproto.sms.tpdu import Deliver, StatusReport
from atrunproto.sms.userdata import UserData
from atrunproto.testing.emulated import MemoryModule, Wire

ONE, TWO, OUTSIDE = "+393460000001", "+393460000002", "+41790000000"


def terminal(emulated: MemoryModule) -> Wire:
    """A terminal in text mode that is told of messages."""
    wire = emulated.port()
    for line in ("ATE0", "AT+CMGF=1", "AT+CNMI=2,1,0,1,0"):
        assert wire.execute(line)[-1] == "OK"
    return wire


def write(wire: Wire, number: str, text: str) -> None:
    """Send a message."""
    assert wire.say(f'AT+CMGS="{number}"\r'.encode()).endswith(b"> ")
    assert b"+CMGS: " in wire.say(text.encode() + b"\x1a")


def texts(wire: Wire) -> list[str]:
    """The texts of the messages in the store."""
    *lines, last = wire.execute('AT+CMGL="ALL"')
    assert last == "OK"
    return lines[1::2]


def test_betweenModules() -> None:
    """A message that one module sends is announced at the other one, and comes in the order of sending."""
    one = MemoryModule("GE865-QUAD", number=ONE, timeScale=0)
    two = MemoryModule("GE865-QUAD", beside=one, imei="357000000000002", number=TWO, timeScale=0)
    one.network.centre.faults = Faults(delay=3, jitter=5)
    here, there = terminal(one), terminal(two)
    write(here, TWO, "first")
    write(here, TWO, "second")
    assert there.after(2) == []
    assert there.after(10) == ['+CMTI: "SM",1', '+CMTI: "SM",2']
    assert texts(there) == ["first", "second"]
    header = there.execute("AT+CMGR=1")[0]
    assert header.startswith(f'+CMGR: "REC READ","{ONE}"')


def test_report() -> None:
    """A module that asks for a status report gets it when its message has left the network."""
    one = MemoryModule("GE865-QUAD", number=ONE, timeScale=0)
    one.network.centre.faults = Faults(delay=3)
    here = terminal(one)
    assert here.execute("AT+CSMP=49,167,0,0") == ["OK"]
    write(here, OUTSIDE, "hello")
    assert here.after(5) == []
    (sent,) = one.network.centre.outside.after(0)
    assert isinstance(sent.unit, Deliver)
    assert (sent.sender, sent.destination, sent.unit.userData.text()) == (ONE, OUTSIDE, "hello")
    (line,) = here.after(2)
    assert line.startswith(f'+CDS: 6,0,"{OUTSIDE}",145,')
    assert line.endswith(",0")


def test_noRoom() -> None:
    """Messages for which a module has no room come when it has some, in their order, and their reports then."""
    one = MemoryModule("GE865-QUAD", number=ONE, timeScale=0)
    here, centre = terminal(one), one.network.centre
    room = one.module.limit("messages SM")
    wanted = [f"{number}" for number in range(room + 3)]
    for text in wanted:
        unit = Deliver(Address.parse(OUTSIDE), UserData.of(text), centre.stamp(), wantsReport=True)
        assert centre.send(OUTSIDE, ONE, unit)
        one.advance(1)
    assert centre.underWay == {ONE: 3}
    got = texts(here)
    here.execute("AT+CMGD=1,4")
    one.advance(1)
    assert got + texts(here) == wanted
    reports = [message.unit for message in centre.outside.after(0)]
    assert [report.status for report in reports if isinstance(report, StatusReport)] == [0] * len(wanted)


def test_offForAWhile() -> None:
    """What is sent while a module is off lies in its store after it is on again."""
    one = MemoryModule("GE865-QUAD", number=ONE, timeScale=1)
    centre = one.network.centre
    one.module.powerOff()
    for text in ("first", "second"):
        centre.send("SHOP", ONE, Deliver(Address.parse(OUTSIDE), UserData.of(text), centre.stamp()))
    one.advance(60)
    one.switchOn()
    one.advance(1)
    assert texts(terminal(one)) == ["first", "second"]
