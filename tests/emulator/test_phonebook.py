"""Fixed dialling: the phonebook of the card, its switch, and what it holds back."""

from __future__ import annotations

import pytest

from atrunproto.emulator.nvm import NVM
from atrunproto.testing.emulated import MemoryModule, Wire
from tests.sms.mobiles import OUTSIDE, module


def book(*entries: str, nvm: NVM | None = None) -> Wire:
    """A terminal of a module with these entries."""
    at = module(nvm=nvm).port()
    for entry in entries:
        assert at.execute(f"AT+CPBW=,{entry}") == ["OK"]
    return at


def test_entries() -> None:
    """Numbers are written at a place or the first free one, read in a range, and deleted."""
    at = book('"+41791112233",145,"anna"', '"112"')
    assert at.execute('AT+CPBS="FD";+CPBS?;+CPBS=?') == ['+CPBS: "FD",2,10', '+CPBS: ("FD")', "OK"]
    assert at.execute("AT+CPBR=1,10") == ['+CPBR: 1,"+41791112233",145,"anna"', '+CPBR: 2,"112",129,""', "OK"]
    assert at.execute('AT+CPBW=1;+CPBW=10,"113";+CPBR=1;+CPBR=10') == ['+CPBR: 10,"113",129,""', "OK"]
    assert at.execute("AT+CPBR=?;+CPBW=?") == ["+CPBR: (1-10),21,16", "+CPBW: (1-10),21,(129,145),16", "OK"]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("+CPBW=", "+CME ERROR: 21"),
        ('+CPBW=,"anna"', "+CME ERROR: 27"),
        ('+CPBW=,"anna",208', "+CME ERROR: 27"),
        ('+CPBW=,""', "+CME ERROR: 27"),
        ('+CPBW=,"+"', "+CME ERROR: 27"),
        ("+CPBW=11", "ERROR"),
        ("+CPBR=0", "ERROR"),
        ('+CPBS="SM"', "ERROR"),
    ],
)
def test_wrong(line: str, answer: str) -> None:
    """What makes no entry is refused."""
    at = module().port()
    at.execute("AT+CMEE=1")
    assert at.execute("AT" + line) == [answer]


def test_full() -> None:
    """An eleventh number has no place."""
    at = book(*(f'"{number}"' for number in range(100, 110)))
    assert at.execute('AT+CMEE=1;+CPBW=,"110"') == ["+CME ERROR: 20"]


def test_switch() -> None:
    """PIN2 switches fixed dialling; while it is on the phonebook stays as it is."""
    at = book()
    at.execute("AT+CMEE=1")
    assert at.execute('AT+CLCK="FD",1,"9999"') == ["+CME ERROR: 16"]
    assert at.execute('AT+CLCK="FD",1') == ["ERROR"]
    assert at.execute('AT+CLCK="FD",1,"1234";+CLCK="FD",2;+CLCK="SC",2') == ["+CLCK: 1", "+CLCK: 0", "OK"]
    assert at.execute('AT+CPBW=1,"112"') == ["+CME ERROR: 17"]
    assert at.execute('AT+CLCK="FD",0,"1234";+CLCK="FD",2') == ["+CLCK: 0", "OK"]


@pytest.mark.parametrize(("entry", "reached"), [(OUTSIDE, True), (OUTSIDE[:5], True), (OUTSIDE + "1", False)])
def test_messages(entry: str, reached: bool) -> None:
    """Messages go to numbers that begin with one of the phonebook, and to no other (TEL-SMS-47)."""
    at = book(f'"{entry}"')
    at.execute('AT+CLCK="FD",1,"1234"')
    answer = at.execute(f'AT+CMGF=1;#CMGS="{OUTSIDE}","Hello"')
    assert answer == (["#CMGS: 0", "OK"] if reached else ["+CMS ERROR: 302"])


def test_kept() -> None:
    """The card keeps phonebook and switch."""
    nvm = NVM()
    book('"112"', nvm=nvm).execute('AT+CLCK="FD",1,"1234"')
    assert book(nvm=nvm).execute('AT+CLCK="FD",2;+CPBR=1') == ["+CLCK: 1", '+CPBR: 1,"112",129,""', "OK"]


def test_noCard() -> None:
    """Without the card there is no phonebook."""
    emulated = MemoryModule()
    at = emulated.port()
    emulated.module.sim.remove()
    at.execute("AT+CMEE=1")
    for line in ("+CPBS?", "+CPBR=1", '+CPBW=1,"112"', '+CLCK="FD",2'):
        assert at.execute("AT" + line) == ["+CME ERROR: 10"]
