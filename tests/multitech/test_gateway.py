"""A Multi-Tech modem as the gateway by which a program sends and receives short messages."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from atrunproto.multitech.peer import MultitechClient
from atrunproto.multitech.stack import State
from tests.sms.gateways import Gateway
from tests.sms.mobiles import OURS, THEIRS, bring, deliver, module, sent

LONG = "A text that is longer than one message may be. " * 8
MODEMS = ("MTCBA-G", "MTMMC-G", "MTSMC-G")


@pytest.mark.parametrize("product", MODEMS)
@pytest.mark.parametrize("form", ["ATE1V1", "ATE0V1", "ATE1V0", "ATE0V0"])
def test_messages(product: str, form: str) -> None:
    """Texts of any length go both ways, with their reports, whatever form the modem's answers have (MTS-OPEN-09)."""
    ours = module(product)
    gateway, theirs = Gateway(ours, isStarted=False), Gateway(module(beside=ours))
    gateway.result(gateway.client.execute(form))
    gateway.result(gateway.sms.start())
    references = gateway.result(gateway.sms.sendTo(THEIRS, LONG, wantsReport=True))
    assert len(references) == 3
    assert theirs.texts(10) == [LONG]
    assert [report.reference for report in gateway.reports] == list(references)
    theirs.result(theirs.sms.sendTo(OURS, LONG))
    assert gateway.texts(10) == [LONG]
    assert str(gateway.messages[0].origin) == THEIRS
    assert gateway.stored() == 0


def test_besideConnection() -> None:
    """Short messages come and go by the port that also starts and ends the connection (MTS-CALL-15)."""
    ours = module("MTCBA-G")
    gateway = Gateway(ours)
    modem = MultitechClient(gateway.client, pause=0)
    gateway.result(Deferred.fromCoroutine(modem.open()))
    gateway.result(Deferred.fromCoroutine(modem.write("APNSERV", "internet")))
    starting = Deferred.fromCoroutine(modem.connect())
    bring(ours, deliver("while it starts"))
    gateway.result(starting)
    assert gateway.texts(5) == ["while it starts"]
    gateway.result(gateway.sms.sendTo(THEIRS, "while it lasts"))
    assert [each.text() for each in sent(ours)] == ["while it lasts"]
    assert gateway.result(Deferred.fromCoroutine(modem.state())) is State.CONNECTED
    gateway.result(Deferred.fromCoroutine(modem.disconnect()))
    bring(ours, deliver("behind it"))
    assert gateway.texts(5) == ["while it starts", "behind it"]
