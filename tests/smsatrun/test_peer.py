"""Command lines by short message, through an emulated gateway, to a module played by the test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from atrunproto.at.advice import Effect
from atrunproto.at.errors import CommandFailed, CommandTimeout, LinkLost, Misuse, PeerViolation
from atrunproto.at.peerlines import Response
from atrunproto.at.results import CME
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.centre import Faults
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import ALPHANUMERIC, NO_PLAN, Address
from atrunproto.sms.outside import Outgoing
from atrunproto.sms.peer import SMSClient
from atrunproto.sms.segments import split
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.digest import Direction, Envelope, Password, respond
from atrunproto.smsatrun.peer import MAX_REQUESTS, TIMEOUT, Discarded, SMSRunner, Why
from tests.sms.gateways import Gateway
from tests.sms.mobiles import OURS, bring

MODULE, OTHER = "+393486867611", "+393486867622"
PASSWORD = Password("1234567890123456")
IN_8_BITS = DataCoding.of(Alphabet.OCTETS, 1)


class Far(Gateway):
    """A runner, and the module that it speaks to."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = SMSRunner(self.sms, self.clock)
        self.discarded: list[Discarded] = []
        self.runner.onDiscarded(self.discarded.append)
        self._seen = 0

    @property
    def centre(self) -> Any:
        """The service centre."""
        return self.emulated.network.centre

    def run(self, line: str, number: str = MODULE, **options: Any) -> list[Any]:
        """Run a line; what it comes to, once it has."""
        found: list[Any] = []
        self.runner.run(number, line, **options).addBoth(
            lambda result: found.append(result.value if isinstance(result, Failure) else result)
        )
        return found

    def asked(self) -> list[UserData]:
        """What has come to the module since the last look."""
        self.clock.advance(1)
        new: list[Outgoing] = self.centre.outside.after(self._seen)
        self._seen = self.centre.outside.last
        return [message.unit.userData for message in new if isinstance(message.unit, Deliver)]

    def comes(self, *parts: UserData, number: str = MODULE) -> None:
        """The module's messages."""
        units = [Deliver(Address.parse(number), part, self.centre.stamp()) for part in parts]
        bring(self.emulated, *units, to=OURS)

    def says(self, text: str, coding: DataCoding | None = None, number: str = MODULE) -> None:
        """A simple answer."""
        content = text.encode("latin-1") if coding is not None and coding.alphabet is Alphabet.OCTETS else text
        self.comes(*split(content, coding, reference=3), number=number)

    def seals(self, session: int, text: bytes, password: Password = PASSWORD) -> list[UserData]:
        """A digest answer."""
        sealed = respond(session, text, password)
        several = len(sealed) > 1
        return [
            UserData(IN_8_BITS, each.encode(), (Concatenation(9, len(sealed), number),) if several else ())
            for number, each in enumerate(sealed, 1)
        ]


def sessionOf(data: UserData) -> int:
    """The session of a digest request."""
    return Envelope.decode(data.payload).session


COPS = '\r\n+COPS: 0,0,"vodafone IT"\r\n\r\nOK\r\n'


# -- simple


def test_simple() -> None:
    """A command by short message gives what it gives on a line (TEL-SMS-09)."""
    far = Far()
    found = far.run("AT+COPS?")
    (request,) = far.asked()
    assert (request.text(), request.coding.octet, request.elements) == ("AT+COPS?", 0, ())
    far.says(COPS)
    assert found == [Response(('+COPS: 0,0,"vodafone IT"',), "OK")]


def test_several() -> None:
    """Several commands of one line give their lines in one answer (TEL-SMS-11)."""
    far = Far()
    found = far.run("+CGMR;+CGSN")
    assert [each.text() for each in far.asked()] == ["AT+CGMR;+CGSN"]
    far.says("\r\n10.00.003\r\n\r\n357000000000001\r\n\r\nOK\r\n")
    assert found == [Response(("10.00.003", "357000000000001"), "OK")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("\r\n+CME ERROR: 10\r\n", CME[10]),
        ("\r\n+CME ERROR: SIM not inserted\r\n", CME[10]),
        ("4\r", None),
        ("\r\nERROR\r\n", None),
    ],
)
def test_failure(answer: str, reason: object) -> None:
    """An error by short message is the error that it is on a line."""
    far = Far()
    found = far.run("AT+COPS?")
    far.asked()
    far.says(answer)
    assert isinstance(found[0], CommandFailed)
    assert found[0].command == "AT+COPS?"
    assert reason in (None, found[0].reason)


def test_hat() -> None:
    """A command that wants no answer is over when it is sent (TEL-SMS-10)."""
    far = Far()
    found = far.run("AT+COPS?", hat=True)
    assert [each.text() for each in far.asked()] == ["HAT+COPS?"]
    assert found == [Response((), "")]


@pytest.mark.parametrize("line", ["AT\\Q0", "AT^CURC", "AT[x", 'AT#X="\xff"'])
def test_alphabet(line: str) -> None:
    """A line with what the 7-bit alphabet lacks goes in 8 bits, and its answer is read so (TEL-SMS-40, TEL-SMS-12)."""
    far = Far()
    found = far.run(line)
    (request,) = far.asked()
    assert (request.coding.alphabet, request.payload) == (Alphabet.OCTETS, line.encode("latin-1"))
    far.says("\r\nOK\r\n")
    assert found == []
    far.says("\r\nOK\r\n", DataCoding.of(Alphabet.OCTETS))
    assert found == [Response((), "OK")]


@pytest.mark.parametrize(("character", "most"), [("x", 160), ("^", 140)])
def test_tooLong(character: str, most: int) -> None:
    """A line that doesn't fit in one message is refused, and nothing is sent (TEL-SMS-14)."""
    far = Far()
    fits = "AT#X" + character * (most - 4)
    assert isinstance(far.run(fits + character)[0], Misuse)
    assert far.asked() == []
    far.run(fits)
    (request,) = far.asked()
    assert len(request.payload) == most


def test_longAnswer() -> None:
    """An answer of several messages is joined (TEL-SMS-15)."""
    far = Far()
    lines = [f"+CPBR: {number}" for number in range(60)]
    found = far.run("AT+CPBR=1,60")
    far.asked()
    far.says("\r\n" + "\r\n".join(lines) + "\r\n\r\nOK\r\n")
    assert found == [Response(tuple(lines), "OK")]


def test_cutOff() -> None:
    """An answer that was cut off at 15 parts is given as far as it goes (TEL-SMS-16, TEL-SMS-50)."""
    far = Far()
    found = far.run("AT#CSURV")
    far.asked()
    far.comes(*split("\r\n" + "arfcn: 48\r\n" * 300, most=15, cutOff=True))
    (response,) = found
    assert response.result == ""
    assert response.lines[:200] == ("arfcn: 48",) * 200


def test_ordinaryMessage() -> None:
    """Messages of others, and those that are no answer, are left to whom they are for (TEL-SMS-23)."""
    far = Far()
    found = far.run("AT+COPS?")
    far.asked()
    far.says("Hello")
    far.says(COPS, number=OTHER)
    far.says(COPS, DataCoding.of(Alphabet.UCS2))
    assert found == []
    assert [message.text for message in far.messages] == ["Hello", COPS, COPS]
    far.says(COPS)
    assert len(found) == 1


def test_nameLikeANumber() -> None:
    """What comes from a name that reads like the module's number is no answer (TEL-SMS-23)."""
    far = Far()
    found = far.run("AT+COPS?", "+393486")
    unit = Deliver(Address("+393486", ALPHANUMERIC, NO_PLAN), split(COPS)[0], far.centre.stamp())
    bring(far.emulated, unit, to=OURS)
    assert [message.text for message in far.messages] == [COPS]
    assert found == []
    far.says(COPS, number="+393486")
    assert len(found) == 1


def test_oneAfterTheOther() -> None:
    """A module gets one simple command at a time, and its answers go to those who asked; another isn't kept waiting."""
    far = Far()
    found = [far.run("AT+CSQ"), far.run("AT+CREG?"), far.run("AT+CSQ", OTHER)]
    assert [each.text() for each in far.asked()] == ["AT+CSQ", "AT+CSQ"]
    far.says("\r\n+CSQ: 1,0\r\n\r\nOK\r\n")
    assert [each.text() for each in far.asked()] == ["AT+CREG?"]
    far.says("\r\n+CREG: 0,1\r\n\r\nOK\r\n")
    far.says("\r\n+CSQ: 2,0\r\n\r\nOK\r\n", number=OTHER)
    assert [each[0].lines for each in found] == [("+CSQ: 1,0",), ("+CREG: 0,1",), ("+CSQ: 2,0",)]


@pytest.mark.parametrize("delay", [0.0, 20.0])
def test_broughtTwice(delay: float) -> None:
    """An answer that the service centre brings twice isn't taken for that of the next command; an equal one is."""
    far = Far()
    found = [far.run("AT+CSQ"), far.run("AT+CREG?")]
    far.asked()
    answer = UserData.of("\r\nOK\r\n")
    unit = Deliver(Address.parse(MODULE), answer, far.centre.stamp())
    bring(far.emulated, unit)
    far.clock.advance(delay)
    bring(far.emulated, unit)
    assert [each.text() for each in far.asked()] == ["AT+CREG?"]
    assert [len(each) for each in found] == [1, 0]
    far.comes(answer)
    assert [len(each) for each in found] == [1, 1]


def test_duplicates() -> None:
    """Commands in a row get their own answers though each message comes twice."""
    far = Far()
    far.centre.faults = Faults(duplicate=1.0)
    found = [far.run(f"AT#X={number}") for number in range(5)]
    for number in range(5):
        assert {each.text() for each in far.asked()} == {f"AT#X={number}"}
        far.says(f"\r\n#X: {number}\r\n\r\nOK\r\n")
    assert [each[0].lines for each in found] == [(f"#X: {number}",) for number in range(5)]


# -- what never answers


@pytest.mark.parametrize("line", ["AT#REBOOT", "AT#SHDN", "AT+CFUN=4", 'AT+CGCLASS="CG"', "AT+COPS=2"])
def test_silence(line: str) -> None:
    """Silence after a command that takes the module off is no failure (TEL-SMS-41, TEL-SMS-42)."""
    far = Far()
    found = far.run(line)
    far.asked()
    far.clock.advance(TIMEOUT)
    assert found == [Response((), "")]


def test_silenceAndError() -> None:
    """Where such a command is refused, the error is told (TEL-SMS-41)."""
    far = Far()
    found = far.run("AT#REBOOT")
    far.asked()
    far.says("\r\nERROR\r\n")
    assert isinstance(found[0], CommandFailed)


def test_timeout() -> None:
    """A module that doesn't answer costs a timeout, the next command goes, and what comes late is told."""
    far = Far()
    found = [far.run("AT+CSQ", timeout=60.0), far.run("AT+CREG?", timeout=60.0)]
    far.asked()
    far.clock.advance(60)
    assert isinstance(found[0][0], CommandTimeout)
    assert [each.text() for each in far.asked()] == ["AT+CREG?"]
    far.clock.advance(61)
    assert isinstance(found[1][0], CommandTimeout)
    far.says(COPS)
    assert far.discarded == [Discarded(MODULE, None, Why.LATE, COPS.encode())]


def test_lateAnswerOfAnother() -> None:
    """An answer that comes late isn't taken for that of the next command, where it names its own."""
    far = Far()
    found = [far.run("AT+CSQ", timeout=60.0), far.run("AT+CREG?"), far.run("AT+CSQ")]
    far.asked()
    far.clock.advance(61)
    far.says("\r\n+CSQ: 1,0\r\n\r\nOK\r\n")
    assert [each.why for each in far.discarded] == [Why.LATE]
    assert (len(found[0]), found[1]) == (1, [])
    far.says("\r\n+CREG: 0,1\r\n\r\nOK\r\n")
    assert found[1] == [Response(("+CREG: 0,1",), "OK")]


@pytest.mark.parametrize("line", ['AT+CMGS="+391"', "AT+CMGW", "AT#SSEND=1", 'AT#WSCRIPT="a",5', "AT#SEMAIL=1"])
def test_prompts(line: str) -> None:
    """A command that asks for data is refused, unless the user insists (TEL-SMS-49)."""
    far = Far()
    (error,) = far.run(line)
    assert isinstance(error, Misuse)
    assert "prompt" in str(error)
    assert far.asked() == []
    far.run(line, force=True)
    assert len(far.asked()) == 1


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("AT#SIMDET=0", Effect.JAMS),
        ("ATQ1", Effect.JAMS),
        ("AT#FTPPUT", Effect.JAMS),
        ("AT+CMUX=0", Effect.BLOCKS),
        ("AT#BND=3", Effect.BLOCKS),
        ("AT+CGSMS=0", Effect.JAMS_UNTIL_UNDONE),
    ],
)
def test_cautions(line: str, effect: Effect) -> None:
    """A user can know beforehand which commands jam the exchange, and is warned (TEL-SMS-43, TEL-SMS-44)."""
    far = Far()
    assert [caution.effect for caution in far.runner.cautions(line)] == [effect]
    with capturedLogs() as events:
        far.run(line)
    assert effect.value in [event.get("effect") for event in events]
    assert len(far.asked()) == 1


def test_delay() -> None:
    """A user can know which pause the documents want before a command (TEL-DLY-05)."""
    assert Far().runner.delay("AT+CSQ", "AT+COPS=?") == 10


# -- digest


def test_digest() -> None:
    """A command with a password is the printed one, and so is its answer (TEL-DIG-01, TEL-DIG-02, TEL-DIG-09)."""
    far = Far()
    found = far.run("AT+COPS?", password=PASSWORD)
    (request,) = far.asked()
    assert request.coding.octet == 0x15
    assert request.payload[:5] == bytes.fromhex("D0D0D00011")
    assert request.payload[6:] == b"WijCp2qV3sNv+aru20ZUaw==AT+COPS?"
    session = sessionOf(request)
    answer = Envelope(Direction.RESPONSE, session, COPS.encode(), b"Junra7r0kIEcH9qV542n3Q==")
    far.comes(UserData(IN_8_BITS, answer.encode()))
    assert found == [Response(('+COPS: 0,0,"vodafone IT"',), "OK")]


def test_digestTooLong() -> None:
    """110 octets fit in a digest request, 111 don't (TEL-DIG-11, TEL-SMS-14)."""
    far = Far()
    assert isinstance(far.run("AT#X" + "x" * 107, password=PASSWORD)[0], Misuse)
    far.run("AT#X" + "x" * 106, password=PASSWORD)
    (request,) = far.asked()
    assert len(request.payload) == 140


def test_sessions() -> None:
    """Several commands are under way to one module at once, and each gets its own answer (TEL-DIG-07)."""
    far = Far()
    found = [far.run(f"AT#X={number}", password=PASSWORD) for number in range(3)]
    sessions = [sessionOf(each) for each in far.asked()]
    assert len(set(sessions)) == 3
    for number in (2, 0, 1):
        far.comes(*far.seals(sessions[number], b"\r\n#X: %d\r\n\r\nOK\r\n" % number))
    assert [each[0].lines for each in found] == [("#X: 0",), ("#X: 1",), ("#X: 2",)]


def test_allSessions() -> None:
    """When all 256 sessions of a module are taken, the next command waits for one."""
    far = Far()
    found = [far.run("AT", password=PASSWORD) for _ in range(257)]
    sessions = [sessionOf(each) for each in far.asked()]
    assert sorted(sessions) == list(range(256))
    far.comes(*far.seals(sessions[7], b"\r\nOK\r\n"))
    assert [sessionOf(each) for each in far.asked()] == [sessions[7]]
    far.comes(*far.seals(sessions[7], b"\r\nOK\r\n"))
    assert (len(found[7]), len(found[256]), len(found[8])) == (1, 1, 0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 1, 2, 0)])
@pytest.mark.parametrize("form", ["both", "segments", "messages"])
def test_parts(order: tuple[int, ...], form: str) -> None:
    """The parts of an answer come in any order, numbered in their headers, as messages, or both (TEL-DIG-08)."""
    far = Far()
    found = far.run("AT#X", password=PASSWORD)
    session = sessionOf(far.asked()[0])
    lines = [f"#X: {number}" for number in range(30)]
    parts = far.seals(session, ("\r\n" + "\r\n".join(lines) + "\r\n\r\nOK\r\n").encode())
    assert len(parts) == 3
    if form == "segments":
        parts = [replace(part, elements=()) for part in parts]
    elif form == "messages":
        envelopes = [replace(Envelope.decode(part.payload), segment=1, segments=1) for part in parts]
        parts = [replace(part, payload=each.encode()) for part, each in zip(parts, envelopes, strict=True)]
    for number in order:
        assert found == []
        far.comes(parts[number])
    assert found == [Response(tuple(lines), "OK")]
    assert far.discarded == []


def test_forged() -> None:
    """A forged part is discarded and told, wherever it stands, and the real answer is had all the same (TEL-DIG-14)."""
    far = Far()
    found = far.run("AT#X", password=PASSWORD)
    session = sessionOf(far.asked()[0])
    text = b"\r\n" + b"#X: 1234567\r\n" * 15 + b"\r\nOK\r\n"
    real = far.seals(session, text)
    forged = far.seals(session, text.replace(b"7", b"8"), Password("6543210987654321"))
    for one, other in zip(forged, real, strict=True):
        assert found == []
        far.comes(one)
        far.comes(other)
    assert found == [Response(("#X: 1234567",) * 15, "OK")]
    assert [(each.number, each.session, each.why) for each in far.discarded] == [(MODULE, session, Why.FORGED)] * 2


def test_flippedBit() -> None:
    """An answer whose text was changed on its way isn't believed, and no log shows it (TEL-DIG-14)."""
    far = Far()
    found = far.run("AT#X", password=PASSWORD)
    session = sessionOf(far.asked()[0])
    (part,) = far.seals(session, b"\r\nsecret\r\n\r\nOK\r\n")
    with capturedLogs() as events:
        far.comes(replace(part, payload=part.payload.replace(b"secret", b"secreu")))
    assert found == []
    shown = [event for event in events if "discarded" in event["log_format"]]
    assert len(shown) == 1
    assert "secre" not in str(shown)
    assert PASSWORD.reveal() not in str(events)


def test_otherSender() -> None:
    """An answer from another number than the module's is nobody's, though its session is right."""
    far = Far()
    found = far.run("AT#X", password=PASSWORD)
    session = sessionOf(far.asked()[0])
    far.comes(*far.seals(session, b"\r\nOK\r\n"), number=OTHER)
    assert found == []
    assert far.discarded == [Discarded(OTHER, session, Why.LATE, b"\r\nOK\r\n")]


def test_digestLate() -> None:
    """A digest answer that comes late is told, and isn't taken for that of a later command (TEL-DIG-07)."""
    far = Far()
    first = far.run("AT#X", password=PASSWORD, timeout=30.0)
    session = sessionOf(far.asked()[0])
    far.clock.advance(30)
    assert isinstance(first[0], CommandTimeout)
    second = far.run("AT#X", password=PASSWORD)
    far.asked()
    far.comes(*far.seals(session, b"\r\nOK\r\n"))
    assert second == []
    assert [each.why for each in far.discarded] == [Why.LATE]


def test_noResult() -> None:
    """An answer that is the module's and makes no sense fails the command that it answers."""
    far = Far()
    found = far.run("AT#X", password=PASSWORD)
    far.comes(*far.seals(sessionOf(far.asked()[0]), b"what?"))
    assert isinstance(found[0], PeerViolation)


# -- giving up


def test_cancel() -> None:
    """A command that waits is taken back; one under way keeps its place until its answer has come."""
    far = Far()
    first: Deferred[Response] = far.runner.run(MODULE, "AT+CSQ")
    second = far.runner.run(MODULE, "AT+CREG?")
    third = far.run("AT+CGMM")
    failures: list[Any] = []
    for each in (first, second):
        each.addErrback(failures.append)
        each.cancel()
    assert [failure.type for failure in failures] == [CancelledError] * 2
    assert [each.text() for each in far.asked()] == ["AT+CSQ"]
    far.says("\r\n+CSQ: 1,0\r\n\r\nOK\r\n")
    assert [each.text() for each in far.asked()] == ["AT+CGMM"]
    far.says("\r\nHE910\r\n\r\nOK\r\n")
    assert third == [Response(("HE910",), "OK")]


def test_gatewayLost() -> None:
    """When the gateway is lost, a user knows which commands may run and which surely don't; later ones go on."""
    far = Far()
    found = [far.run("AT+CSQ"), far.run("AT+CREG?"), far.run("AT", password=PASSWORD)]
    far.asked()
    far.link.breakOff()
    found.append(far.run("AT+CGMM"))
    assert [(type(each[0]), each[0].sent) for each in found] == [
        (LinkLost, True),
        (LinkLost, False),
        (LinkLost, True),
        (LinkLost, False),
    ]
    far.client, far.link = far.plug()
    far.result(far.sms.resume(far.client))
    again = far.run("AT+CSQ")
    far.asked()
    far.says(COPS)
    assert len(again) == 1


def test_notSent() -> None:
    """When the gateway has no network, a user is told, and as often as he asks."""
    far = Far()
    far.result(far.client.execute("AT+COPS=2"))
    found = [far.run("AT+CSQ") for _ in range(MAX_REQUESTS)]
    far.clock.advance(2000)
    assert {type(each[0]).__name__ for each in found} == {"NoNetwork"}


def test_close() -> None:
    """A runner that is closed leaves no timer and no subscription, and the gateway goes on."""
    far = Far()
    timers = len(far.clock.getDelayedCalls())
    found = [far.run("AT+CSQ"), far.run("AT+CREG?")]
    far.asked()
    far.runner.close()
    assert [each[0].sent for each in found] == [True, False]
    assert isinstance(far.run("AT")[0], LinkLost)
    assert len(far.clock.getDelayedCalls()) <= timers
    far.says("Hello")
    assert far.messages[-1].text == "Hello"


def test_tooMany() -> None:
    """A user who asks for more than can wait is told."""
    far = Far()
    found = [far.run("AT+CSQ") for _ in range(MAX_REQUESTS + 1)]
    assert [type(each[0]) for each in found if each] == [Misuse]
    far.runner.close()
    assert all(found)


def test_lineLostAtOnce() -> None:
    """Many commands that wait for a gateway that isn't there fail one after the other, and nothing else does."""
    emulated = Gateway(isStarted=False)
    runner = SMSRunner(SMSClient(emulated.client, emulated.clock), emulated.clock)
    failures: list[Any] = []
    for _ in range(MAX_REQUESTS):
        runner.run(MODULE, "AT").addErrback(failures.append)
    assert [failure.value.sent for failure in failures] == [False] * MAX_REQUESTS
