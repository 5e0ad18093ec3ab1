"""Messages that want to be commands and aren't, floods, and whatever happens while a command by SMS runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import capturedLogs

from atrunproto.sms.centre import MOST_EACH
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.errors import SMSError
from atrunproto.sms.fields import Address
from atrunproto.sms.segments import textOf
from atrunproto.sms.tpdu import Deliver, decode
from atrunproto.sms.userdata import UserData
from atrunproto.smsatrun.digest import Direction, Envelope, Password
from atrunproto.smsatrun.module import QUEUED, SMSATRUNService
from atrunproto.smsatrun.request import LONGEST_ANSWER, Request, Signature
from atrunproto.smsatrun.whitelist import NUMBER, PASSWORD, WhiteList
from atrunproto.testing.emulated import MemoryModule
from tests.sms.mobiles import STAMP
from tests.smsatrun.service import CLASS_1, FIRST, MOBILE, MODULE, OCTETS, SECOND, STRANGER, Service, digest, joined

#: what these messages want to do, and how it is seen whether they have
MARK, CLEAR, LOOK = b"AT#GPIO=2,1,1", "AT#GPIO=2,0,1", "AT#GPIO=2,2"
OK = "\r\nOK\r\n"

#: places in a digest request
TRANSACTION, SEGMENT, SESSION, DIGEST = 3, 4, 5, 6


def isMarked(service: Service) -> bool:
    """Whether the command of these tests has run."""
    return "1" in service.at.execute(LOOK)[0].partition(",")[2]


def listed() -> WhiteList:
    """A white list with the mobile and a password."""
    entries = WhiteList()
    entries.add(1, NUMBER, MOBILE)
    entries.add(2, PASSWORD, FIRST)
    return entries


def taken(octets: bytes, sender: str = STRANGER) -> Request | None:
    """What a message of octets is taken for."""
    data = UserData(DataCoding(CLASS_1), octets)
    return Request.recognise(Deliver(Address.parse(sender), data, STAMP), listed())


def partOf(service: Service) -> SMSATRUNService:
    """The service itself."""
    return service.emulated.module.part(SMSATRUNService)


# -- forgeries


@given(st.data(), st.sampled_from([MARK, b"HAT", b"AT+COPS?" * 13]))
def test_anyOctetWrong(data: st.DataObject, text: bytes) -> None:
    """A signed request of which any octet was changed is none; the session alone isn't signed (TEL-DIG-13)."""
    octets = bytearray(digest(text))
    assert taken(bytes(octets)) is not None
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    assert (taken(bytes(octets)) is not None) is (place == SESSION)


@pytest.mark.parametrize("length", range(len(digest(MARK))))
def test_truncated(length: int) -> None:
    """A signed request that lacks its end, of whatever length, is an ordinary message (TEL-DIG-13)."""
    service = Service()
    service.send(digest(MARK)[:length], coding=CLASS_1, sender=STRANGER)
    assert service.arrived() == []
    assert not isMarked(service)
    assert len(service.stored()) == 1


def test_everySegment() -> None:
    """A signed request that says to be anything else than the only segment is none (TEL-SMS-14)."""
    octets = bytearray(digest(MARK))
    found = []
    for place in range(256):
        octets[SEGMENT] = place
        found += [place] if taken(bytes(octets)) is not None else []
    assert found == [0x11]


def test_everyTransaction() -> None:
    """A signed request with another transaction than 0 is none (TEL-DIG-07)."""
    octets = bytearray(digest(MARK))
    found = []
    for transaction in range(256):
        octets[TRANSACTION] = transaction
        found += [transaction] if taken(bytes(octets)) is not None else []
    assert found == [0]


@pytest.mark.parametrize("password", [SECOND[:-1] + "x", SECOND.upper(), FIRST[::-1], "\x00" * 16, " " * 16])
def test_otherPassword(password: str) -> None:
    """Nobody without the password is obeyed (TEL-SMS-06)."""
    service = Service()
    service.sign(MARK, password, sender=STRANGER)
    assert service.arrived() == []
    assert not isMarked(service)


def test_deletedPassword() -> None:
    """A password that was taken from the white list opens nothing any more (TEL-SMS-33)."""
    service = Service()
    assert service.runSigned(b"AT", sender=STRANGER) == OK.encode()
    service.do("AT#SMSATWL=1,2")
    service.sign(MARK, sender=STRANGER)
    assert service.arrived() == []
    assert not isMarked(service)


def test_answerSentBack() -> None:
    """An answer that somebody sends back to the module is no request, though it is signed (TEL-DIG-02)."""
    answer = Envelope.seal(Direction.RESPONSE, 1, MARK, Password(FIRST)).encode()
    assert taken(answer) is None
    mixed = Direction.REQUEST.value[:2] + answer[2:]
    assert taken(mixed) is None


def test_replayed() -> None:
    """A request that somebody has recorded runs again, from any sender: nothing in the format prevents it."""
    service = Service()
    recorded = digest(MARK)
    for _ in range(2):
        service.do(CLEAR, "AT#GPIO=2,0,1")
        service.send(recorded, coding=CLASS_1, sender=STRANGER)
        assert joined(service.arrived(to=STRANGER)) == OK.encode()
        assert isMarked(service)


def isAllowed(coding: int) -> bool:
    """Whether a data coding is the default alphabet or octets, neither compressed (23.038 4)."""
    group = coding >> 4
    if group < 0x8:
        return not coding & 0x20 and coding & 0x0C != 0x08
    return group != 0xE


def test_everyCoding() -> None:
    """Of all data codings those in the default alphabet and in octets alone are run (TEL-SMS-05)."""
    found = []
    for octet in range(256):
        coding = DataCoding(octet)
        text = "AT".encode("utf-16-be") if not isAllowed(octet) else b"AT"
        unit = Deliver(Address.parse(MOBILE), UserData(coding, text), STAMP)
        found += [octet] if Request.recognise(unit, listed()) is not None else []
    assert found == [octet for octet in range(256) if isAllowed(octet)]


def test_everyCodingOfDigests() -> None:
    """A signed request counts in octets alone (TEL-SMS-08)."""
    for octet in range(256):
        coding = DataCoding(octet)
        payload = digest(MARK)
        if coding.alphabet.name == "GSM":
            payload = bytes(each & 0x7F for each in payload)
        unit = Deliver(Address.parse(STRANGER), UserData(coding, payload), STAMP)
        isOctets = octet & 0xEC == 0x04 or octet & 0xAC == 0x04 or octet & 0xF4 == 0xF4
        assert (Request.recognise(unit, listed()) is not None) is isOctets, hex(octet)


HEADERS = [
    "050003070101",
    "050003070201",
    "050003000000",
    "050003070203",
    "06080400070302",
    "0605040B8423F0",
    "04040203F0",
    "020000",
    "03240101",
    "0A050003070201050003070202",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("signed", [False, True])
def test_headers(header: str, signed: bool) -> None:
    """A message with a header is no request: it is a part, says nonsense, or is for some port (TEL-SMS-14)."""
    service = Service()
    unit = withHeader(bytes.fromhex(header), digest(MARK) if signed else MARK)
    assert service.network.centre.send(MOBILE, MODULE, unit)
    assert service.arrived() == []
    assert not isMarked(service)
    assert len(service.stored()) == 1


def withHeader(header: bytes, text: bytes) -> Deliver:
    """A message as the network brings it, read from its octets."""
    octets = bytearray(Deliver(Address.parse(MOBILE), UserData(DataCoding(OCTETS), b""), STAMP).encode())
    octets[0] |= 0x40
    octets[-1] = len(header) + len(text)
    unit = decode(bytes(octets) + header + text)
    assert isinstance(unit, Deliver)
    return unit


@given(st.binary(max_size=10), st.booleans())
def test_anyHeader(header: bytes, signed: bool) -> None:
    """Whatever header a message has, it is no request unless the header means nothing as a whole (TEL-SMS-14)."""
    text = digest(MARK) if signed else MARK
    try:
        unit = withHeader(header, text)
    except SMSError:
        return
    request = Request.recognise(unit, listed())
    assert request is None or (unit.userData.elements == () and request.line == MARK)


@given(st.binary(max_size=140), st.sampled_from([MOBILE, STRANGER]))
def test_anyOctets(octets: bytes, sender: str) -> None:
    """Of all messages in octets those of a listed sender that begin with AT or HAT alone are run (TEL-SMS-04)."""
    request = taken(octets, sender)
    assert (request is not None) is (sender == MOBILE and octets.startswith((b"AT", b"HAT")))


@given(st.text("+*0123456789", max_size=8), st.text("0123456789", min_size=1, max_size=8))
def test_anyEntry(entry: str, number: str) -> None:
    """An entry of the white list lets its own number in, or those that begin like it, and no other (TEL-SMS-32)."""
    service, sender = MemoryModule("GE865-QUAD").port(), f"+{number}"
    result = service.execute(f'AT#SMSATWL=0,1,0,"{entry}"')[-1]
    digits = entry.removeprefix("+").removesuffix("*")
    assert (result == "OK") is (digits.isdigit() and len(entry) - len(digits) == (entry[0] == "+") + (entry[-1] == "*"))
    if result == "OK":
        whiteList = WhiteList()
        whiteList.add(1, NUMBER, entry)
        isIn = sender.startswith(entry[:-1]) if entry.endswith("*") else sender == entry
        assert whiteList.admits(sender) is isIn


# -- floods


def test_strangersFlood() -> None:
    """Thousands of messages from a stranger fill the store and no more; once there is room, requests are served."""
    service = Service()
    centre = service.network.centre
    unit = Deliver(Address.parse(STRANGER), UserData.of(MARK.decode()), STAMP)
    for _ in range(3000):
        centre.send(STRANGER, MODULE, unit)
        service.emulated.advance(0.01)
    assert centre.underWay == {MODULE: MOST_EACH}
    assert not partOf(service)._waiting
    assert not isMarked(service)
    while service.stored():
        service.do("AT+CMGD=1,4")
        service.emulated.advance(1)
    assert service.isServing()


def test_strangersAreShown() -> None:
    """Where messages are shown and not stored, a flood of a stranger holds nothing up."""
    service = Service()
    service.do("AT+CNMI=2,2,0,0,0")
    for number in range(1000):
        service.send(MARK.decode(), sender=STRANGER)
        if number % 100 == 0:
            assert service.isServing()
    assert not isMarked(service)


@pytest.mark.parametrize("signed", [False, True])
def test_listedFlood(signed: bool) -> None:
    """Thousands of requests at once: some wait, the others are dropped, and afterwards requests are served again."""
    service = Service(timeScale=0.0)
    part, centre = partOf(service), service.network.centre
    service.do("AT#ATRUNDELAY=1,1")
    data = UserData(DataCoding(CLASS_1), digest(b"AT")) if signed else UserData.of("AT")
    unit = Deliver(Address.parse(MOBILE), data, STAMP)
    for _ in range(2000):
        centre.send(MOBILE, MODULE, unit)
        service.emulated.advance(0.01)
        assert len(part._waiting) <= QUEUED
    answers = service.arrived(60)
    assert 20 <= len(answers) <= 20 + QUEUED + 1
    assert service.stored() == []
    assert service.isServing()


def test_endlessOutput() -> None:
    """Whatever a command says, no more of it is kept than can be answered (TEL-SMS-16)."""
    service = Service()
    for _ in range(30):
        service.send("x" * 150, sender=STRANGER)
    assert service.run("AT+CMGF=1") == OK
    service.send('AT+CMGL="ALL";+CMGL="ALL";+CMGL="ALL"')
    parts = service.arrived(120)
    assert len(textOf(parts)) == LONGEST_ANSWER
    assert service.isServing()


# -- nobody takes the answer


def test_mobileOff() -> None:
    """Answers for a mobile that is off wait in the centre, a bounded number of them; the module goes on."""
    service = Service(timeScale=0.0)
    mobile = MemoryModule("GE865-QUAD", service.emulated, imei="357000000000009", number=MOBILE, timeScale=0.0)
    mobile.module.powerOff()
    for _ in range(MOST_EACH + 20):
        service.send("AT+CSQ")
    assert service.network.centre.underWay == {MOBILE: MOST_EACH}
    assert service.network.centre.refused == 20
    mobile.switchOn()
    at = mobile.port()
    mobile.advance(5)
    count = 0
    while found := int(at.execute("AT+CPMS?")[0].split(",")[1]):
        count += found
        assert at.execute("AT+CMGD=1,4") == ["OK"]
        mobile.advance(1)
    assert count == MOST_EACH
    service.send("AT")
    assert at.execute("AT+CPMS?")[0].startswith('+CPMS: "SM",1,')


# -- while a command runs


def cutPower(service: Service) -> None:
    """Take the power away and give it back."""
    service.emulated.module.powerOff()
    service.emulated.advance(1)
    service.emulated.switchOn()


def withoutCard(service: Service) -> None:
    """Take the card out for a while."""
    service.emulated.module.sim.remove()
    service.emulated.advance(5)
    service.emulated.module.sim.insert()
    service.emulated.advance(30)


def withoutNetwork(service: Service) -> None:
    """Let the network be gone for a while."""
    service.network.setService(False)
    service.emulated.advance(5)
    service.network.setService(True)
    service.emulated.advance(30)


def withoutPort(service: Service) -> None:
    """Unplug the terminal that hears the notices."""
    service.at.close()
    service.at = service.emulated.port()


DISTURBANCES: list[tuple[Callable[[Service], object], bool]] = [
    (cutPower, False),
    (lambda service: service.emulated.module.reboot(), False),
    (withoutCard, True),
    (withoutNetwork, True),
    (withoutPort, True),
    (lambda service: service.emulated.module.contexts.lose(1), True),
    (lambda service: service.do("AT#SMSATWL=1,1", "AT#SMSATWL=1,2", "AT#SMSATWL=1,3"), True),
]


@pytest.mark.parametrize(("disturb", "isAnswered"), DISTURBANCES)
@pytest.mark.parametrize("signed", [False, True])
def test_disturbed(disturb: Callable[[Service], object], isAnswered: bool, signed: bool) -> None:
    """Whatever happens while a request waits for its turn, it is answered or forgotten, and the service goes on."""
    service = Service()
    service.do('AT+CGDCONT=1,"IP","internet"', "AT#SGACT=1,1", "AT#ATRUNDELAY=1,30")
    if signed:
        service.sign(b"AT+CSQ")
    else:
        service.send("AT+CSQ")
    service.emulated.advance(5)
    disturb(service)
    service.emulated.advance(60)
    answers = service.arrived()
    assert len(answers) == isAnswered
    if signed and answers:
        assert joined(answers) == b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
    service.at = service.emulated.port()
    service.do("AT#ATRUNDELAY=1,0", 'AT#SMSATWL=0,1,0,"+39*"', "AT+CMGD=1,4")
    assert service.isServing()


@pytest.mark.parametrize("line", ["AT+COPS=?", "AT+CMGW=20"])
def test_disabledAndEnabledAgain(line: str) -> None:
    """A service that is switched off and on while a command runs answers the next request, and that one alone."""
    service = Service(timeScale=1.0)
    service.send(line)
    service.emulated.advance(1)
    service.do("AT#SMSATRUN=0", "AT#SMSATRUN=1")
    service.send("AT+CGSN")
    answers = [part.text() for part in service.arrived(300)]
    assert answers == ["\r\n357000000000001\r\n\r\nOK\r\n"]


def test_waitingRequestsOfADisabledService() -> None:
    """What waits when the service is switched off isn't run when it is on again."""
    service = Service()
    service.do("AT#ATRUNDELAY=1,10")
    service.send("AT")
    service.send(MARK.decode())
    service.do("AT#SMSATRUN=0", "AT#SMSATRUN=1")
    assert service.arrived(120) == []
    assert not isMarked(service)


def test_sessionReused() -> None:
    """Requests with the same session, one after the other or at once, are each run and answered (TEL-DIG-07)."""
    service = Service()
    for text in (b"AT+CSQ", b"AT+CGSN", b"AT+CSQ"):
        service.sign(text, session=7)
    envelopes = [Envelope.decode(part.payload) for part in service.arrived()]
    assert [each.session for each in envelopes] == [7, 7, 7]
    assert [each.text.split(b"\r\n")[1] for each in envelopes] == [b"+CSQ: 20,0", b"357000000000001", b"+CSQ: 20,0"]


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=100)
def test_anyLine(line: bytes) -> None:
    """Whatever stands behind AT in a request, the module lives, and its terminal is answered."""
    service = Service()
    service.send(b"AT" + line, coding=OCTETS)
    service.arrived(150)
    assert service.emulated.module.isRunning or b"SHDN" in line.upper()
    service.emulated.switchOn()
    assert service.emulated.port().execute("AT")[-1] == "OK"


# -- secrets


def test_noSecrets() -> None:
    """Neither a password nor what is signed with it is in a log, whatever becomes of a request."""
    secret, signed = "Sesame-9876543!!", digest(b"AT+CSQ", "Sesame-9876543!!")
    with capturedLogs() as logged:
        service = Service()
        service.do(f'AT#SMSATWL=0,2,1,"{secret}"')
        request = taken(digest(MARK))
        assert request is not None
        entries = WhiteList()
        entries.add(1, PASSWORD, secret)
        envelope = Envelope.decode(signed)
        signature = Signature(entries.passwords[0], 1)
        shown = [repr(each) for each in (request, entries, entries.passwords, envelope, signature, partOf(service))]
        for octets in (signed, signed[:-1], signed[:7], b"\xd0\xd0\xd0" + signed[3:] + b"x"):
            service.send(octets, coding=CLASS_1, sender=STRANGER)
            service.emulated.advance(60)
        service.send(f'AT#SMSATWL=0,2,1,"{secret}";+CMGW=9')
        service.send(f'AT#SMSATWL=0,2,1,"{secret}x"')
        service.do("AT#ATRUNDELAY=1,30")
        for _ in range(QUEUED + 3):
            service.send(signed, coding=CLASS_1)
        service.emulated.advance(120)
        service.network.setService(False)
        service.emulated.advance(300)
    shown += [f"{event} {event.get('log_format')}" for event in logged]
    assert len(logged) > QUEUED / 4
    for each in (secret, signed[DIGEST : DIGEST + 24].decode()):
        assert not [text for text in shown if each in text]
