"""What a host knows of commands that disturb a run-AT service."""

from __future__ import annotations

import pytest

from atrunproto.at.advice import Effect, cautions, delay
from atrunproto.at.bearer import BearerKind

TCP = BearerKind.TCPATRUN_SERVER
SMS = BearerKind.SMS_SIMPLE


@pytest.mark.parametrize(
    "command",
    [
        "AT+CGATT=0",
        "AT+CGACT=0",
        "AT+CGACT=0,1",
        'AT+CGCLASS="CC"',
        "AT#SHDN",
        "AT#BND=2",
        "AT#BND=3",
        "ATQ1",
        "ATQ2",
        "AT#SIMDET=0",
        "AT+CFUN=2",
        "AT+CFUN=4",
        "at+cfun=4",
        "AT+CSQ;+CGATT=0",
    ],
)
@pytest.mark.parametrize("bearer", [TCP, BearerKind.TCPATRUN_CLIENT])
def test_blocksTCP(command: str, bearer: BearerKind) -> None:
    """The host knows each command that ends TCPATRUN for good (TEL-NOT-07, TEL-NOT-11)."""
    (caution,) = cautions(command, bearer)
    assert caution.effect is Effect.BLOCKS


@pytest.mark.parametrize(
    "command",
    [
        "AT+CGATT=1",
        "AT+CGATT?",
        "AT#SHDN=?",
        'AT+CGCLASS="B"',
        "AT#BND=0",
        "ATQ0",
        "AT+CSQ",
        "ATE1V1",
        "AT+CFUN=1",
        "hello",
    ],
)
def test_harmless(command: str) -> None:
    """A command that only looks like a dangerous one is let through (TEL-NOT-11)."""
    assert cautions(command, TCP) == []


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("AT+CFUN=4", Effect.BLOCKS),
        ("ATQ1", Effect.JAMS),
        ("AT+CGSMS=0", Effect.JAMS_UNTIL_UNDONE),
        ("AT#REBOOT", Effect.NO_ANSWER),
        ("AT+CFUN=4", Effect.NO_ANSWER),
        ('AT+CGCLASS="CG"', Effect.NO_ANSWER),
        ("AT+COPS=2", Effect.NO_ANSWER),
        ("AT+CMGS=20", Effect.NO_PROMPT),
    ],
)
def test_SMS(command: str, effect: Effect) -> None:
    """The host has a list of its own for commands by SMS (TEL-NOT-11)."""
    assert effect in [caution.effect for caution in cautions(command, SMS)]


def test_local() -> None:
    """On a local port nothing that ends a service is to be feared (TEL-NOT-11)."""
    assert cautions("AT#SHDN", BearerKind.LOCAL) == []


@pytest.mark.parametrize(
    "command", ["AT#OTCP=1", "AT#LTCPSTART=2", "AT#OUDP", "AT#LUDPSTART", "AT#PUTMAIL", "at#ftpput"]
)
def test_dataMode(command: str) -> None:
    """The host knows what leads a Multi-Tech modem into data mode, where no command is heard (MTS-SER-13)."""
    (caution,) = cautions(command, BearerKind.LOCAL)
    assert caution.effect is Effect.DATA_MODE
    assert cautions(command.partition("=")[0] + "?", BearerKind.LOCAL) == []


def test_malformedTail() -> None:
    """The commands in front of a malformed one run, so they are warned of."""
    assert cautions("AT#SHDN;+", TCP) != []


def test_words() -> None:
    """A caution tells a person what will happen."""
    assert str(cautions("AT#SHDN", TCP)[0]) == "#SHDN ends the exchange of commands for good"


@pytest.mark.parametrize(
    ("lines", "bearer", "gsm", "seconds"),
    [
        (["AT+COPS=?"], TCP, True, 10),
        (["AT+COPS=?"], TCP, False, 0),
        (["AT+COPS?"], TCP, True, 0),
        (["AT#CSURV"], TCP, True, 0),
        (["AT#SGACT=1,1"], TCP, True, 0),
        (["AT+COPS=?"], SMS, True, 10),
        (["AT+CFUN=1", "AT+CSQ"], SMS, True, 10),
        (["AT#SGACT=1,1"], SMS, True, 5),
        (["AT+CGACT=1,1;+CGATT=1"], SMS, True, 5),
        (["AT+CSQ"], SMS, True, 0),
        (["AT+COPS=?"], BearerKind.LOCAL, True, 0),
    ],
)
def test_delays(lines: list[str], bearer: BearerKind, gsm: bool, seconds: int) -> None:
    """The host knows the pauses that the guide suggests (TEL-DLY-05, TEL-DLY-06, TEL-DLY-07)."""
    assert delay(lines, bearer, gsm) == seconds


def test_olderDelays() -> None:
    """By the edition of 2010 a survey over TCP wants a pause too (TEL-DLY-08)."""
    assert delay(["AT#CSURV"], TCP, edition2010=True) == 10
