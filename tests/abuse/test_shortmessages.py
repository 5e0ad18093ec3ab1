"""Broken, cut and endless short messages at every entrance: AT port, service centre, control interface and gateway."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import capturedLogs

from atrunproto.at.errors import CommandFailed, LinkLost
from atrunproto.at.peerlines import MAX_ANSWER, MAX_LINE, Response
from atrunproto.emulator.configuration import EmulatorConfig, ModuleConfig
from atrunproto.sms.centre import Receipt
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address
from atrunproto.sms.module import ShortMessages
from atrunproto.sms.pdumode import PDU
from atrunproto.sms.peerinbox import INTERVAL, MAX_MEMORIES, MAX_TOLD, MAX_UNDELETED
from atrunproto.sms.segments import MOST_KEPT
from atrunproto.sms.tpdu import Deliver, StatusReport, Submit, decode
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.digest import Password
from atrunproto.smsatrun.peer import MAX_REMEMBERED
from tests.emulator.controlling import ControlTestCase
from tests.sms.gateways import Gateway, Scripted
from tests.sms.mobiles import OURS, OUTSIDE, STAMP, THEIRS, bring, deliver, inText, module
from tests.smsatrun.test_peer import MODULE, Far, sessionOf

CENTRE = Address.parse("+393492000200")
SUBMIT = PDU(Submit(Address.parse(THEIRS), UserData.of("Hello", elements=(Concatenation(7, 2, 1),))).encode(), CENTRE)
DELIVER = PDU(deliver("Hello").encode(), CENTRE)
REPORT = PDU(StatusReport(7, Address.parse(THEIRS), STAMP, STAMP).encode(), CENTRE)

#: the octets behind the first one and the reference of a submit whose text begins with a header
HEADED = Submit(Address.parse(THEIRS), UserData.of("")).encode()[2:-1]


def lying(header: bytes, length: int, octets: bytes) -> bytes:
    """A submit whose user data say that they have a header and so many octets."""
    return b"\x41\x00" + HEADED + bytes([length]) + header + octets


# -- at an AT port


@pytest.mark.parametrize("command", ["+CMGS", "+CMGW", "#CMGS", "#CMGW"])
def test_cutUnits(command: str) -> None:
    """A message in PDU mode that lacks its end, of whatever length, is refused, and nothing is sent or stored."""
    emulated = module("HE910-EUR")
    at = emulated.port()
    digits = SUBMIT.encode()
    for size in range(len(digits)):
        for length in {SUBMIT.length, max(7, size // 2 - 8)}:
            if command.startswith("#"):
                assert at.execute(f'AT{command}={length},"{digits[:size]}"')[-1] != "OK"
            else:
                at.say(f"AT{command}={length}\r".encode())
                assert at.say(digits[:size].encode() + b"\x1a").endswith(b"\r\n+CMS ERROR: 304\r\n")
    assert not emulated.network.centre.underWay
    assert at.execute("AT+CPMS?")[0].startswith('+CPMS: "SM",0,')


@given(
    st.binary(max_size=12),
    st.integers(0, 255),
    st.binary(max_size=140) | st.just(bytes(range(140))),
    st.sampled_from(["+CMGS", "+CMGW"]),
)
@settings(deadline=None, max_examples=150)
def test_lyingHeaders(header: bytes, length: int, octets: bytes, command: str) -> None:
    """A message whose header or length isn't true is refused, or is shown and read like every other one."""
    ours = module()
    theirs = inText(module(beside=ours), "AT+CSDH=1", "AT+CNMI=2,1,0,0,0")
    at, unit = ours.port(), lying(header, length, octets)
    if not 7 <= len(unit) <= 164:
        return
    at.say(f"AT{command}={len(unit)}\r".encode())
    answer = at.say(b"00" + unit.hex().encode() + b"\x1a")
    assert answer.endswith((b"\r\nOK\r\n", b"\r\n+CMS ERROR: 304\r\n"))
    ours.advance(1)
    for line in ('AT+CMGF=1;+CMGL="ALL"', "AT+CMGF=0;+CMGL=4"):
        assert at.execute(line)[-1] == theirs.execute(line)[-1] == "OK"


def test_endlessText() -> None:
    """A prompt that is fed megabytes keeps what a message can have, and answers in the end."""
    emulated = module("GE865-QUAD")
    at = inText(emulated)
    at.say(f'AT+CMGS="{OUTSIDE}"\r'.encode())
    for _ in range(20):
        at.say(b"x" * 65536)
    assert at.say(b"\x1a").endswith(b"\r\n+CMS ERROR: 305\r\n")
    assert at.execute("AT+CMGF=0") == ["OK"]
    at.say(b"AT+CMGS=20\r")
    for _ in range(20):
        at.say(b"0" * 65536)
    assert at.say(b"\x1a").endswith(b"\r\n+CMS ERROR: 304\r\n")
    assert at.execute("AT") == ["OK"]


# -- from the service centre


@given(st.sampled_from([DELIVER.unit, REPORT.unit]), st.data())
@settings(deadline=None, max_examples=200)
def test_damagedOnTheWay(octets: bytes, data: st.DataObject) -> None:
    """A message that was cut or changed on its way is no message, or is taken and can be read like every other one."""
    damaged = bytearray(octets[: data.draw(st.integers(1, len(octets)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        unit = decode(bytes(damaged))
    except SMSError:
        return
    if isinstance(unit, Submit):
        return
    emulated = module()
    at = inText(emulated, "AT+CSDH=1", "AT+CNMI=2,2,0,2,0")
    assert emulated.module.part(ShortMessages).receiveMessage(CENTRE, unit) is Receipt.TAKEN
    assert at.execute('AT+CMGL="ALL"')[-1] == "OK"
    assert at.execute("AT+CMGF=0;+CMGL=4")[-1] == "OK"


class ControlTests(ControlTestCase):
    """What comes in by the control interface."""

    def setUp(self) -> None:
        self.startRack(EmulatorConfig(timeScale=0.0, module=[ModuleConfig()]))

    def test_cutUnits(self) -> None:
        """A message that lacks its end, of whatever length, is refused, and so is one that nobody delivers."""
        digits = DELIVER.encode()
        for size in range(len(digits)):
            body = {"to": "+390000000001", "pdu": digits[:size]}
            self.assertEqual(self.refused("POST", "/network/messages", body)[0], 400)
        for pdu in (SUBMIT, REPORT):
            body = {"to": "+390000000001", "pdu": pdu.encode()}
            self.assertEqual(self.refused("POST", "/network/messages", body)[0], 400)
        self.assertEqual(self.rack.network.centre.underWay, {})


# -- from the modem of a gateway


@pytest.mark.parametrize("pdu", [DELIVER, REPORT])
def test_cutAtTheGateway(pdu: PDU) -> None:
    """A message that a modem shows or lists without its end, of whatever length, is dropped; the next one is had."""
    modem = Scripted()
    reports: list[StatusReport] = []
    modem.sms.onReport(reports.append)
    assert modem.start() == [None]
    digits, whole = pdu.encode(), DELIVER.encode()
    name = "+CMT: ," if pdu is DELIVER else "+CDS: "
    for size in range(len(digits)):
        cut = digits[:size]
        modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 1,1,,{pdu.length}\r\n{cut}\r\n\r\nOK\r\n"
        modem.answers["AT+CMGR=2"] = f"\r\n+CMGR: 1,,{pdu.length}\r\n{cut}\r\n\r\nOK\r\n"
        modem.comes(f"\r\n{name}{pdu.length}\r\n{cut}\r\n")
        modem.comes('\r\n+CMTI: "SM",2\r\n')
        modem.clock.advance(INTERVAL)
        modem.run()
    assert (modem.messages, reports) == ([], [])
    modem.comes(f"\r\n+CMT: ,{DELIVER.length}\r\n{whole}\r\n")
    assert [message.text for message in modem.messages] == ["Hello"]


@given(
    st.lists(
        st.binary(max_size=200)
        | st.sampled_from(
            [b"\r\n+CMT: ,24\r\n", b"\r\n+CMTI: ", b'"SM",3\r\n', b"\r\n+CMGL: 1,1,,24\r\n", b"\r\nOK\r\n"]
        )
        | st.just(DELIVER.encode().encode() + b"\r\n"),
        max_size=20,
    )
)
@settings(deadline=None)
def test_anyGarbage(pieces: list[bytes]) -> None:
    """Whatever a modem says, its messages are had again as soon as it speaks properly, or the line is lost."""
    modem = Scripted()
    assert modem.start() == [None]
    for piece in pieces:
        modem.client.dataReceived(piece)
        modem.transport.clear()
    for _ in range(4):
        modem.clock.advance(INTERVAL)
        modem.run()
    if modem.transport.disconnecting or modem.transport.disconnected:
        return
    count = len(modem.messages)
    modem.answers["AT+CMGL=4"] = f"\r\n+CMGL: 3,0,,{DELIVER.length}\r\n{DELIVER.encode()}\r\n\r\nOK\r\n"
    for _ in range(4):
        modem.clock.advance(INTERVAL)
        modem.run()
    assert len(modem.messages) > count


@pytest.mark.parametrize("noise", [b"x" * 65536, b"\r\n" * 32768, b"\r\n+CMTI: \r\n" * 5958, bytes(range(256)) * 256])
def test_megabytes(noise: bytes) -> None:
    """Megabytes of garbage from a modem take no memory, and cost the line at most."""
    modem = Scripted()
    assert modem.start() == [None]
    for _ in range(48):
        modem.client.dataReceived(noise)
        modem.transport.clear()
    inbox = modem.sms._inbox
    assert len(modem.client._reader._held) <= MAX_LINE
    assert len(inbox._told) <= MAX_TOLD
    assert len(inbox._memories) <= MAX_MEMORIES


def test_endlessList() -> None:
    """A modem whose list has no end loses its line, and what waits is told so."""
    modem = Scripted()
    found: list[Any] = []
    modem.sms.start().addErrback(found.append)
    while b"CMGL" not in modem.transport.value():
        line = modem.transport.value().decode().rstrip("\r")
        modem.transport.clear()
        modem.client.dataReceived(modem.answer(line).encode())
    entry = f"+CMGL: 1,1,,{DELIVER.length}\r\n{DELIVER.encode()}\r\n".encode()
    failures: list[Any] = []
    modem.sms.sendTo(OUTSIDE, "Hello").addErrback(failures.append)
    for _ in range(4 * MAX_ANSWER // len(entry)):
        modem.client.dataReceived(entry)
        if modem.transport.disconnecting:
            break
    modem.clock.advance(120)
    assert modem.messages == []
    assert found or failures


def test_toldTooOften() -> None:
    """However often a modem tells of messages, and of how many memories, a bounded number of places is remembered."""
    modem = Scripted()
    assert modem.start() == [None]
    for number in range(5000):
        modem.client.dataReceived(f'\r\n+CMTI: "M{number % 500}",{number % 999}\r\n'.encode())
    inbox = modem.sms._inbox
    assert len(inbox._told) <= MAX_TOLD
    assert len(inbox._memories) <= MAX_MEMORIES
    modem.run()
    assert len(inbox._told) == 0


def test_undeletables() -> None:
    """A modem that deletes nothing and always has others is remembered with a bounded number of messages."""
    modem = Scripted()
    modem.answers["AT+CMGD"] = "\r\n+CMS ERROR: 500\r\n"
    assert modem.start() == [None]
    for start in range(0, 3 * MAX_UNDELETED, 300):
        texts = [PDU(deliver(f"{number}").encode(), CENTRE) for number in range(start, start + 300)]
        listed = "".join(f"+CMGL: {n},1,,{pdu.length}\r\n{pdu.encode()}\r\n" for n, pdu in enumerate(texts))
        modem.answers["AT+CMGL=4"] = f"\r\n{listed}\r\nOK\r\n"
        modem.clock.advance(INTERVAL)
        modem.run()
        assert len(modem.sms._inbox._undeleted) <= MAX_UNDELETED
    assert len(modem.messages) == 3 * MAX_UNDELETED


def test_incomplete() -> None:
    """Thousands of parts whose other parts never come take a bounded place, and whole messages are had all the same."""
    gateway = Gateway()
    for number in range(2000):
        sender = Address.parse(f"+4179{number % 7:07}")
        part = UserData.of("x", elements=(Concatenation(number % 256, 3, 1 + number % 3),))
        bring(gateway.emulated, Deliver(sender, part, STAMP))
    assert len(gateway.sms._joined) <= MOST_KEPT
    before = len(gateway.messages)
    bring(gateway.emulated, deliver("Hello"))
    assert len(gateway.messages) == before + 1


# -- answers that nobody asked for


def test_answersOfStrangers() -> None:
    """Answers from thousands of numbers that were never asked leave nothing behind, and none is taken for one's own."""
    far = Far()
    found = far.run("AT+CSQ", timeout=10000.0)
    signed = far.run("AT+CGSN", password=Password("1234567890123456"), timeout=10000.0)
    requests = far.asked()
    session = next(sessionOf(each) for each in requests if each.coding.octet == 0x15)
    with capturedLogs() as logged:
        for number in range(1100):
            far.says("\r\n+CSQ: 31,0\r\n\r\nOK\r\n", number=f"+4179{number:07}")
            far.comes(*far.seals(session, b"\r\nOK\r\n"), number=f"+4179{number:07}")
    assert (found, signed) == ([], [])
    assert list(far.runner._modules) == [MODULE]
    assert len(far.runner._last) <= MAX_REMEMBERED
    assert len(far.runner._givenUp) <= MAX_REMEMBERED
    assert "1234567890123456" not in str(logged)
    far.says("\r\n+CSQ: 9,0\r\n\r\nOK\r\n")
    far.comes(*far.seals(session, b"\r\n357000000000001\r\n\r\nOK\r\n"))
    assert (found, signed) == ([Response(("+CSQ: 9,0",), "OK")], [Response(("357000000000001",), "OK")])


def test_answerReplayed() -> None:
    """A signed answer that was recorded is believed once more when its session is in use again: nothing prevents it."""
    far = Far()
    password = Password("1234567890123456")
    first = far.run("AT+CSQ", password=password)
    session = sessionOf(far.asked()[0])
    recorded = far.seals(session, b"\r\n+CSQ: 9,0\r\n\r\nOK\r\n")
    far.comes(*recorded)
    far.comes(*recorded)
    assert first == [Response(("+CSQ: 9,0",), "OK")]
    assert len(far.discarded) == 1
    for _ in range(255):
        found = far.run("AT+CSQ", password=password)
        far.comes(*far.seals(sessionOf(far.asked()[0]), b"\r\n+CSQ: 8,0\r\n\r\nOK\r\n"))
        assert found == [Response(("+CSQ: 8,0",), "OK")]
    again = far.run("AT+CSQ", password=password)
    assert sessionOf(far.asked()[0]) == session
    far.comes(*recorded)
    assert again == first


def test_fullAtTheGateway() -> None:
    """An answer that finds the gateway's store full is had when there is room."""
    far = Far()
    found = far.run("AT+CSQ")
    far.asked()
    far.link.breakOff()
    for number in range(30):
        bring(far.emulated, deliver(f"{number}"), to=OURS)
    far.says("\r\n+CSQ: 9,0\r\n\r\nOK\r\n")
    assert far.centre.underWay == {OURS: 1}
    assert isinstance(found[0], LinkLost)
    far.client, far.link = far.plug()
    far.result(far.sms.resume(far.client))
    far.clock.advance(600)
    assert len(far.messages) == 31


def test_refusedByTheGateway() -> None:
    """A gateway that can send nothing fails each request, and keeps none."""
    far = Far()
    assert far.emulated.port(2).execute("AT+COPS=2") == ["OK"]
    for number in range(50):
        found = far.run("AT+CSQ", number=f"+4179{number:07}")
        far.clock.advance(1)
        assert isinstance(found[0], CommandFailed)
    assert not far.runner._modules
