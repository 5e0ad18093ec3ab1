"""The firewall of the service: its list, and whom it lets in."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.admission import admits, quad
from atrunproto.ipeasy.filtering import program
from atrunproto.ipeasy.listening import UNANSWERED, UNANSWERED_AT_ONCE
from tests.tcpatrun.service import PORT, Service, isOpen

HOST = '1,"127.0.0.9","255.255.255.255"'


def guarded(*rules: str) -> Service:
    """A service in listen with these rules in its firewall."""
    service = Service()
    service.do("AT#TCPATRUNFRWL=2", *(f"AT#TCPATRUNFRWL={rule}" for rule in rules))
    return service.serve()


@pytest.mark.parametrize(
    ("rule", "admitted", "others"),
    [
        ('1,"127.1.2.3","255.255.255.255"', ["127.1.2.3"], ["127.1.2.4", "127.1.2.2"]),
        ('1,"127.9.0.0","255.255.0.0"', ["127.9.0.1", "127.9.255.255"], ["127.8.255.255", "127.10.0.0"]),
        ('1,"127.9.9.9","255.255.0.0"', ["127.9.0.1"], ["127.8.0.1"]),
        ('1,"127.0.0.0","255.0.0.0"', ["127.255.255.254"], []),
        ('1,"0.0.0.0","0.0.0.0"', ["127.3.3.3"], []),
        ('1,"000.000.000.000","000.000.000.000"', ["127.3.3.3"], []),
        ('1,"217.0.0.0","255.0.0.0"', [], ["127.0.0.9"]),
    ],
)
def test_whoIsAdmitted(rule: str, admitted: list[str], others: list[str]) -> None:
    """A caller passes whose masked address is that of a rule; others get no answer (TEL-FWR-01, TEL-FWR-03)."""
    service = guarded(rule)
    for source in others:
        wire = service.call(source)
        assert wire.say(b"user\rsecret\rAT\r") == b""
        service.emulated.advance(1)
        assert wire.heard() == b""
        assert service.heard() == []
    for source in admitted:
        wire = service.call(source)
        wire.say(b"user\rsecret\r")
        assert wire.execute("AT") == ["OK"]
        wire.close()


def test_emptyList() -> None:
    """With an empty list nobody is admitted (TEL-FWR-01)."""
    service = guarded()
    wire = service.call()
    wire.say(b"user\rsecret\rAT\r")
    service.emulated.advance(1)
    assert wire.heard() == b""
    assert service.heard() == []


def test_severalRules() -> None:
    """Any rule of the list admits (TEL-FWR-01)."""
    service = guarded(HOST, '1,"127.5.0.0","255.255.0.0"')
    service.call("127.5.6.7").close()
    service.call("127.0.0.9").close()
    assert len(service.heard()) == 4
    service.call("127.6.0.1").close()
    assert service.heard() == []


def test_strangersAreNotServed() -> None:
    """A stranger holds no place: the admitted caller is served, and the stranger's connection ends in time."""
    service = guarded(HOST)
    stranger = service.call("127.0.0.66")
    assert isOpen(stranger)
    assert service.login().execute("AT") == ["OK"]
    service.emulated.advance(UNANSWERED)
    assert stranger.isClosed


def test_manyStrangers() -> None:
    """Where connections must be taken to stay unanswered only a few are kept, the rest is closed at once."""
    service = guarded(HOST)
    wires = [service.call("127.0.0.66") for _ in range(UNANSWERED_AT_ONCE + 5)]
    assert [isOpen(wire) for wire in wires].count(True) == UNANSWERED_AT_ONCE
    assert service.login().execute("AT") == ["OK"]
    service.do("AT#TCPATRUNL=0")
    assert [isOpen(wire) for wire in wires].count(True) == 0


def test_changedWhileListening() -> None:
    """A change holds for the next caller; who is connected stays (TEL-FWR-02)."""
    service = guarded(HOST)
    wire = service.login()
    service.do("AT#TCPATRUNFRWL=2", 'AT#TCPATRUNFRWL=1,"127.0.0.10","255.255.255.255"')
    assert wire.execute("AT") == ["OK"]
    wire.close()
    service.heard()
    service.call("127.0.0.9").close()
    assert service.heard() == []
    service.call("127.0.0.10").close()
    assert len(service.heard()) == 2


def test_keptOverRestart() -> None:
    """The list is in force again after a restart (TEL-FWR-02)."""
    service = guarded(HOST)
    service.restart()
    service.after(20)
    service.call("127.0.0.66").close()
    assert service.heard() == []
    assert service.login().execute("AT") == ["OK"]


def test_clearAndAdd() -> None:
    """Removing all and adding one go on one line, with one result (TEL-FWR-04)."""
    service = Service()
    line = 'AT#TCPATRUNFRWL=2;#TCPATRUNFRWL=1,"217.0.0.0","255.0.0.0"'
    assert service.ask(line) == ["OK"]
    assert service.ask("AT#TCPATRUNFRWL?") == ['#TCPATRUNFRWL: "217.0.0.0","255.0.0.0"', "OK"]


def test_editRules() -> None:
    """Rules are removed one by one; at most five; what isn't there can't be removed (TEL-EXT-08)."""
    service = Service()
    service.do("AT#TCPATRUNFRWL=2")
    for number in range(1, 6):
        service.do(f'AT#TCPATRUNFRWL=1,"10.0.0.{number}","255.255.255.255"')
    assert service.ask('AT#TCPATRUNFRWL=1,"10.0.0.6","255.255.255.255"') == ["ERROR"]
    service.do('AT#TCPATRUNFRWL=1,"10.0.0.5","255.255.255.255"')
    assert service.ask('AT#TCPATRUNFRWL=0,"10.0.0.6","255.255.255.255"') == ["ERROR"]
    service.do('AT#TCPATRUNFRWL=0,"10.0.0.3","255.255.255.255"')
    assert [line.split('"')[1] for line in service.ask("AT#TCPATRUNFRWL?")[:-1]] == [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.4",
        "10.0.0.5",
    ]


@pytest.mark.parametrize(
    "values",
    ["1", "0", '1,"1.2.3.4"', '1,"1.2.3","255.0.0.0"', '1,"1.2.3.256","255.0.0.0"', '1,"a.b.c.d","255.0.0.0"', "3", ""],
)
def test_badRules(values: str) -> None:
    """What isn't an address is an error, and the list stays."""
    service = Service()
    before = service.ask("AT#TCPATRUNFRWL?")
    assert service.ask(f"AT#TCPATRUNFRWL={values}") == ["ERROR"]
    assert service.ask("AT#TCPATRUNFRWL?") == before


def run(code: bytes, source: int) -> bool:
    """What a classic BPF program decides on a packet from this address: an interpreter of what is used here."""
    instructions = list(struct.iter_unpack("=HBBI", code))
    accumulator = at = 0
    while True:
        operation, onTrue, onFalse, constant = instructions[at]
        at += 1
        if operation == 0x20:
            assert constant == 0xFFF0000C
            accumulator = source
        elif operation == 0x54:
            accumulator &= constant
        elif operation == 0x15:
            at += onTrue if accumulator == constant else onFalse
        else:
            assert operation == 0x06
            return bool(constant)


ADDRESS = st.integers(0, 0xFFFFFFFF).map(lambda number: socket.inet_ntoa(struct.pack("!I", number)))
MASK = st.integers(0, 32).map(
    lambda bits: socket.inet_ntoa(struct.pack("!I", (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF))
)


@given(st.lists(st.tuples(ADDRESS, MASK), max_size=5), ADDRESS, st.integers(0, 4), st.integers(0, 255))
def test_programAgrees(rules: list[tuple[str, str]], peer: str, chosen: int, last: int) -> None:
    """What the kernel is told to drop is what the rules don't admit, for any rules and callers."""
    if chosen < len(rules):
        # callers at random are hardly ever near a rule
        peer = rules[chosen][0].rpartition(".")[0] + f".{last}"
    number = quad(peer)
    assert number is not None
    assert run(program(rules), number) == admits(rules, peer)


def test_portOffTheAir() -> None:
    """A listening port whose context has ended answers nobody."""
    service = guarded(HOST)
    service.emulated.network.setService(False)
    wire = service.call()
    wire.say(b"user\rsecret\rAT\r")
    service.emulated.advance(1)
    assert wire.heard() == b""
    assert (("127.0.0.1", PORT) in service.emulated.clock.listening) is False
