"""Short messages as a program sends and receives them, over an emulated modem and over octets written by hand."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from atrunproto.at.errors import CommandFailed, CommandTimeout, LinkLost, Misuse
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import Address
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.peer import MAX_WAITING, CardProblem, Message, NoCentre, NoNetwork, NotSent, Rejected
from atrunproto.sms.peerinbox import INTERVAL, POLL
from atrunproto.sms.segments import split
from atrunproto.sms.tpdu import Deliver, Submit, decode
from atrunproto.sms.userdata import UserData

from .gateways import Gateway, Scripted
from .mobiles import OURS, OUTSIDE, STAMP, THEIRS, bring, deliver, module, sent

LONG = "A message that doesn't fit in one. " * 10


# -- with an emulated modem


def test_receive() -> None:
    """A program hears of a message the moment it comes, and the store stays empty."""
    gateway = Gateway()
    bring(gateway.emulated, deliver("one"), deliver("two"))
    assert gateway.texts() == ["one", "two"]
    assert gateway.messages[0].origin == Address.parse(OUTSIDE)
    assert gateway.stored() == 0


def test_receiveWhatWasThere() -> None:
    """What came while no program was there is read and deleted at the start."""
    emulated = module()
    bring(emulated, deliver("one"), deliver("two"))
    gateway = Gateway(emulated)
    assert gateway.texts(0) == ["one", "two"]
    assert gateway.stored() == 0


def test_fullStore() -> None:
    """A gateway whose store was full at the start gets what waited at the service centre, too."""
    emulated = module()
    bring(emulated, *(deliver(f"message {number}") for number in range(40)))
    gateway = Gateway(emulated)
    assert gateway.texts(3600) == [f"message {number}" for number in range(40)]
    assert gateway.stored() == 0


def test_receiveLong() -> None:
    """The parts of a long message come as one, in whatever order they come (TEL-SMS-15)."""
    gateway = Gateway()
    parts = [Deliver(Address.parse(OUTSIDE), part, STAMP) for part in split(LONG, reference=7)]
    bring(gateway.emulated, parts[2], parts[0], parts[0], parts[1])
    assert gateway.texts() == [LONG]


def test_drafts() -> None:
    """What the modem's owner has written and not sent stays where it is."""
    gateway = Gateway(isStarted=False)
    draft = PDU(Submit(Address.parse(OUTSIDE), UserData.of("draft")).encode())
    gateway.result(gateway.client.execute(f"AT+CMGW={draft.length}", data=draft.encode().encode()))
    gateway.result(gateway.sms.start())
    assert gateway.texts(2 * INTERVAL) == []
    assert gateway.stored() == 1


@pytest.mark.parametrize(
    ("content", "parts"), [("Hello", 1), ("\u20ac \u4f60\u597d", 1), (b"\x00\xff\x1a", 1), (LONG, 3)]
)
def test_send(content: str | bytes, parts: int) -> None:
    """A text in any alphabet, octets, and a message of several parts arrive as they were given."""
    gateway = Gateway()
    references = gateway.result(gateway.sms.sendTo(OUTSIDE, content))
    assert references == tuple(range(parts))
    data = sent(gateway.emulated)
    if isinstance(content, str):
        assert Message(tuple(Deliver(Address(""), each, STAMP) for each in data)).text == content
    else:
        assert [each.payload for each in data] == [content]


def test_sendInOrder() -> None:
    """Messages go in the order in which they were given, though each is one command of its own."""
    gateway = Gateway()
    waiting = [gateway.sms.sendTo(OUTSIDE, f"message {number}") for number in range(5)]
    assert [gateway.result(each) for each in waiting] == [(number,) for number in range(5)]
    assert [each.text() for each in sent(gateway.emulated)] == [f"message {number}" for number in range(5)]


def test_report() -> None:
    """A program that wants to know hears what has become of its message."""
    ours = module()
    theirs = Gateway(module(beside=ours))
    gateway = Gateway(ours)
    (reference,) = gateway.result(gateway.sms.sendTo(THEIRS, "Hello", wantsReport=True))
    assert theirs.texts() == ["Hello"]
    gateway.clock.advance(5)
    (report,) = gateway.reports
    assert (report.reference, str(report.recipient), report.status) == (reference, THEIRS, 0)
    assert gateway.stored() == 0
    assert str(theirs.messages[0].origin) == OURS


def test_reconnect() -> None:
    """A line that breaks between reading and deleting costs no message, and none comes twice."""
    gateway = Gateway(interval=1000.0)
    bring(gateway.emulated, deliver("before"))

    def breakAtDeletion(data: bytes) -> bytes:
        if b"+CMGD" in data:
            gateway.clock.callLater(0, gateway.link.breakOff)
            return b""
        return data

    gateway.link.peer.through = breakAtDeletion
    bring(gateway.emulated, deliver("one"))
    assert gateway.texts() == ["before", "one"]
    assert len(gateway.lost) == 1
    bring(gateway.emulated, deliver("two"))
    gateway.client, gateway.link = gateway.plug()
    gateway.result(gateway.sms.resume(gateway.client))
    assert gateway.texts() == ["before", "one", "two"]
    assert gateway.stored() == 0


def test_missedNotice() -> None:
    """A message whose notice was lost on the line is found a while later."""
    gateway = Gateway()
    gateway.link.module.through = lambda data: data.replace(b"+CMTI", b"+C")
    bring(gateway.emulated, deliver("one"))
    assert gateway.texts() == []
    assert gateway.texts(INTERVAL) == ["one"]


def test_deafModem() -> None:
    """A modem that says nothing ends the waiting by a timeout, and costs the line in the end."""
    gateway = Gateway()
    gateway.link.module.silent = True
    with pytest.raises(CommandTimeout):
        gateway.result(gateway.sms.sendTo(OUTSIDE, "Hello"))
    with pytest.raises(LinkLost) as lost:
        gateway.result(gateway.sms.sendTo(OUTSIDE, "Hello"))
    assert not lost.value.sent
    assert gateway.lost


# -- with a modem written by hand


def shown(text: str) -> tuple[int, str]:
    """Length and digits of a message in PDU mode."""
    pdu = PDU(deliver(text).encode(), Address.parse("+393492000200"))
    return pdu.length, pdu.encode()


ERROR = "\r\n+CMS ERROR: 303\r\n"


def test_modemThatShows() -> None:
    """A modem that only shows messages is taken as well, also while a command runs."""
    modem = Scripted()
    modem.answers |= {f"AT+CNMI={mode},1": ERROR for mode in (1, 2)}
    assert modem.start() == [None]
    length, digits = shown("Hello")
    modem.comes(f"\r\n+CMT: ,{length}\r\n{digits}\r\n")
    answer: list[Any] = []
    modem.client.execute("AT+CSQ").addCallback(answer.append)
    modem.transport.clear()
    modem.comes(f"\r\n+CMT: ,{length}\r\n{digits}\r\n\r\n+CSQ: 9,0\r\n\r\nOK\r\n")
    assert [message.text for message in modem.messages] == ["Hello", "Hello"]
    assert answer[0].lines == ("+CSQ: 9,0",)


def test_modemThatTellsNothing() -> None:
    """A modem that takes no +CNMI at all is asked every few seconds."""
    modem = Scripted()
    modem.answers["AT+CNMI"] = ERROR
    assert modem.start() == [None]
    length, digits = shown("Hello")
    modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 3,0,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    modem.clock.advance(POLL)
    modem.run()
    assert [message.text for message in modem.messages] == ["Hello"]
    assert modem.asked[-1] == "AT+CMGD=3"


def test_otherMemory() -> None:
    """A message is read from the memory that the modem names, whatever it is set to."""
    modem = Scripted()
    modem.start()
    length, digits = shown("Hello")
    modem.answers["AT+CMGR=7"] = f"\r\n+CMGR: 0,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    modem.comes('\r\n+CMTI: "ME",7\r\n')
    assert modem.asked[-3:] == ['AT+CPMS="ME"', "AT+CMGR=7", "AT+CMGD=7"]
    assert [message.text for message in modem.messages] == ["Hello"]


def test_undeletable() -> None:
    """A message that can't be deleted comes once, though it is found again and again."""
    modem = Scripted()
    length, digits = shown("Hello")
    modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 3,1,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    modem.answers["AT+CMGD"] = "\r\n+CMS ERROR: 500\r\n"
    modem.start()
    for _ in range(3):
        modem.clock.advance(INTERVAL)
        modem.run()
    assert [message.text for message in modem.messages] == ["Hello"]
    assert modem.asked.count("AT+CMGD=3") == 4


def test_garbage() -> None:
    """What is no message doesn't fill the store, and keeps nothing else from coming."""
    modem = Scripted()
    length, digits = shown("Hello")
    modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 1,1,,9\r\nFFFF\r\n+CMGL: 2,1,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    assert modem.start() == [None]
    assert [message.text for message in modem.messages] == ["Hello"]
    assert modem.asked[-2:] == ["AT+CMGD=1", "AT+CMGD=2"]


def test_noPDUMode() -> None:
    """A modem without PDU mode is refused at the start."""
    modem = Scripted()
    modem.answers["AT+CMGF=0"] = "\r\nERROR\r\n"
    failures: list[Any] = []
    modem.sms.sendTo(OUTSIDE, "before").addErrback(failures.append)
    (failure,) = modem.start()
    assert failure.check(CommandFailed)
    modem.sms.sendTo(OUTSIDE, "after").addErrback(failures.append)
    assert [(each.type, each.value.sent) for each in failures] == [(LinkLost, False)] * 2
    assert modem.clock.getDelayedCalls() == []
    del modem.answers["AT+CMGF=0"]
    assert modem.start() == [None]


def test_lostAtTheStart() -> None:
    """A line that breaks while the modem is prepared fails the start, and can be replaced."""
    gateway = Gateway(isStarted=False)
    starting = gateway.sms.start()
    gateway.link.breakOff()
    with pytest.raises(LinkLost):
        gateway.result(starting)
    gateway.client, gateway.link = gateway.plug()
    gateway.result(gateway.sms.resume(gateway.client))
    gateway.result(gateway.sms.sendTo(OUTSIDE, "Hello"))
    assert [data.text() for data in sent(gateway.emulated)] == ["Hello"]


def test_oneMemory() -> None:
    """A modem that can't choose between memories is read all the same, and each message comes once."""
    modem = Scripted()
    modem.answers["AT+CPMS"] = ERROR
    modem.start()
    length, digits = shown("Hello")
    modem.answers["AT+CMGR=7"] = f"\r\n+CMGR: 0,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    modem.answers["AT+CMGD"] = ERROR
    modem.comes('\r\n+CMTI: "SM",7\r\n')
    modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 7,1,,{length}\r\n{digits}\r\n\r\nOK\r\n"
    modem.clock.advance(INTERVAL)
    modem.run()
    assert [message.text for message in modem.messages] == ["Hello"]
    assert modem.asked.count("AT+CMGD=7") == 2


@pytest.mark.parametrize(
    ("number", "error"),
    [(38, Rejected), (310, CardProblem), (330, NoCentre), (331, NoNetwork), (332, NoNetwork), (500, NotSent)],
)
def test_errors(number: int, error: type[NotSent]) -> None:
    """A program is told why its message wasn't sent, and the next one goes."""
    modem = Scripted()
    modem.start()
    modem.answers["AT+CMGS"] = f"\r\n+CMS ERROR: {number}\r\n"
    failures: list[Failure] = []
    modem.sms.sendTo(OUTSIDE, LONG).addErrback(failures.append)
    modem.run()
    assert type(failures[0].value) is error
    assert failures[0].value.reason.number == number
    assert len([line for line in modem.asked if line.startswith("AT+CMGS")]) == 1
    modem.answers["AT+CMGS"] = "\r\n> "
    modem.answers["00"] = "\r\n+CMGS: 12\r\n\r\nOK\r\n"
    got: list[Any] = []
    modem.sms.send(Submit(Address.parse(OUTSIDE), UserData.of("Hello"))).addCallback(got.append)
    modem.run()
    assert got == [12]
    pdu = PDU.decode(modem.asked[-1])
    unit = decode(pdu.unit)
    assert isinstance(unit, Submit)
    assert unit.userData.text() == "Hello"
    assert modem.asked[-2] == f"AT+CMGS={pdu.length}"


def test_lineLost() -> None:
    """When the line breaks, a program knows which message may have gone and which surely hasn't."""
    modem = Scripted()
    modem.start()
    failures: list[Any] = []
    for text in ("one", "two"):
        modem.sms.sendTo(OUTSIDE, text).addErrback(failures.append)
    modem.client.connectionLost(Failure(ConnectionDone()))
    modem.sms.sendTo(OUTSIDE, "three").addErrback(failures.append)
    assert [failure.value.sent for failure in failures] == [True, False, False]
    assert modem.clock.getDelayedCalls() == []


def test_cancel() -> None:
    """A message that is taken back while it waits is never sent."""
    modem = Scripted()
    modem.start()
    modem.answers["AT+CMGS"] = "\r\n> "
    modem.answers["00"] = "\r\n+CMGS: 12\r\n\r\nOK\r\n"
    failures: list[Any] = []
    modem.sms.sendTo(OUTSIDE, "one")
    waiting = modem.sms.sendTo(OUTSIDE, "two").addErrback(failures.append)
    waiting.cancel()
    modem.run()
    assert failures[0].check(CancelledError)
    assert len([line for line in modem.asked if line.startswith("AT+CMGS")]) == 1


def test_tooMany() -> None:
    """A program that sends faster than the modem is told when too many wait."""
    modem = Scripted()
    failures: list[Any] = []
    modem.sms.start()
    for _ in range(MAX_WAITING + 1):
        modem.sms.sendTo(OUTSIDE, "one").addErrback(failures.append)
    assert [failure.type for failure in failures] == [Misuse]
    modem.sms.close()
    assert [failure.type for failure in failures[1:]] == [LinkLost] * MAX_WAITING


def test_coding() -> None:
    """A program may choose the data coding, for octets that are shown at once for example."""
    gateway = Gateway()
    gateway.result(gateway.sms.sendTo(OUTSIDE, b"AT", coding=DataCoding(0x15)))
    (data,) = sent(gateway.emulated)
    assert (data.coding.octet, data.payload) == (0x15, b"AT")
