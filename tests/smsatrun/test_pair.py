"""A program that runs command lines on an emulated module by short message, both sides ours."""

from __future__ import annotations

from typing import Any

import pytest

from atrunproto.at.errors import CommandFailed, CommandTimeout
from atrunproto.at.peerlines import Response
from atrunproto.sms.centre import Faults
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import Discarded, SMSRunner, Why
from atrunproto.testing.emulated import MemoryModule
from tests.sms.gateways import Gateway
from tests.sms.mobiles import OURS, THEIRS, module

FIRST, SECOND = "1234567890123456", "abcdefghijklmnop"


class Pair(Gateway):
    """A runner on a gateway, and a module that takes its commands."""

    def __init__(self, *setup: str) -> None:
        super().__init__()
        self.runner = SMSRunner(self.sms, self.clock)
        self.discarded: list[Discarded] = []
        self.runner.onDiscarded(self.discarded.append)
        self.far: MemoryModule = module(beside=self.emulated)
        self.port = self.far.port()
        rules = (f'AT#SMSATWL=0,1,0,"{OURS}"', f'AT#SMSATWL=0,2,1,"{FIRST}"', f'AT#SMSATWL=0,3,1,"{SECOND}"')
        for line in (*rules, "AT#SMSATRUNCFG=3,1,2", "AT#SMSATRUN=1", *setup):
            assert self.port.execute(line)[-1] == "OK", line

    def run(self, line: str, **options: Any) -> Any:
        """What a line comes to."""
        return self.result(self.runner.run(THEIRS, line, **options), within=1000.0)


KINDS = pytest.mark.parametrize("password", [None, Password(FIRST), Password(SECOND)], ids=["simple", "one", "other"])


@KINDS
def test_run(password: Password | None) -> None:
    """A command by short message gives what the module's own port gives, (TEL-SMS-01, TEL-DIG-12)."""
    pair = Pair()
    line = "AT+CGMR;+CGSN;+COPS?"
    *lines, result = pair.port.execute(line)
    assert pair.run(line, password=password) == Response(tuple(lines), result)
    assert pair.discarded == []


@KINDS
def test_failure(password: Password | None) -> None:
    """A command that the module refuses is refused by short message too."""
    with pytest.raises(CommandFailed):
        Pair().run("AT+CFUN=99", password=password)


@KINDS
def test_hat(password: Password | None) -> None:
    """A command that wants no answer runs, and none comes (TEL-SMS-10)."""
    pair = Pair("AT#GPIO=2,0,1")
    assert pair.run("AT#GPIO=2,1,1", password=password, hat=True) == Response((), "")
    pair.clock.advance(60)
    assert pair.port.execute("AT#GPIO=2,2")[-1] == "OK"
    assert pair.messages == []


@KINDS
def test_longAnswer(password: Password | None) -> None:
    """An answer of several messages comes whole, though the network turns them round (TEL-SMS-15, TEL-DIG-08)."""
    pair = Pair()
    line = "AT" + ";".join(["+CGSN", "+COPS?", "+CNMI=?", "+CGMR"] * 4)
    *lines, result = pair.port.execute(line)
    pair.emulated.network.centre.faults = Faults(delay=1.0, jitter=20.0, reorder=True, duplicate=0.5)
    assert pair.run(line, password=password) == Response(tuple(lines), result)


def test_backslash() -> None:
    """A command with a backslash runs, and its answer is had (TEL-SMS-40)."""
    pair = Pair()
    assert pair.run("AT\\Q0") == Response((), "OK")


def test_manyAtOnce() -> None:
    """Many commands under way to one module each get their own answer (TEL-DIG-07)."""
    pair = Pair()
    found: list[Any] = []
    for number in range(5):
        pair.runner.run(THEIRS, f"ATS0={number};S0?", Password(FIRST)).addBoth(found.append)
    for number in range(5):
        pair.runner.run(THEIRS, f"ATS0={number};S0?").addBoth(found.append)
    pair.clock.advance(600)
    assert sorted(each.lines for each in found) == sorted([(f"{number:03}",) for number in range(5)] * 2)


def test_wrongPassword() -> None:
    """A request under a password that the module doesn't have is an ordinary message to it (TEL-DIG-13)."""
    pair = Pair()
    with pytest.raises(CommandTimeout):
        pair.run("AT+CGMR", password=Password("x" * 16))
    assert pair.discarded == []


def test_reboot() -> None:
    """A module that is rebooted is silent, and then takes commands again (TEL-SMS-41, TEL-SMS-20)."""
    pair = Pair()
    assert pair.run("AT#REBOOT", timeout=120.0) == Response((), "")
    assert pair.run("AT+CGMM").result == "OK"


def test_late() -> None:
    """An answer that the network holds up is told when it comes."""
    pair = Pair()
    pair.emulated.network.centre.faults = Faults(delay=100.0)
    with pytest.raises(CommandTimeout):
        pair.run("AT+CGMM", password=Password(FIRST), timeout=50.0)
    pair.clock.advance(200)
    assert [(each.number, each.why) for each in pair.discarded] == [(THEIRS, Why.LATE)]
