"""The module's side of SMSATRUN: which messages are commands, how they run, and what comes back."""

from __future__ import annotations

import pytest

from atrunproto.emulator.nvm import NVM
from atrunproto.emulator.switchboard import UPDATE
from atrunproto.sms.alphabet import Alphabet
from atrunproto.sms.datacoding import DataCoding
from atrunproto.sms.fields import ALPHANUMERIC, NO_PLAN, Address
from atrunproto.sms.segments import textOf
from atrunproto.sms.tpdu import Deliver
from atrunproto.sms.userdata import Concatenation, UserData
from atrunproto.smsatrun.digest import Envelope
from atrunproto.smsatrun.module import QUEUED, SMSATRUNService
from atrunproto.testing.emulated import MemoryModule
from tests.sms.mobiles import STAMP
from tests.tcpatrun.service import PORT

from .service import (
    CLASS_0,
    CLASS_1,
    DEFAULT,
    FIRST,
    MOBILE,
    MODULE,
    OCTETS,
    SECOND,
    STRANGER,
    UCS2,
    Service,
    digest,
    joined,
)

OK = "\r\nOK\r\n"


# -- which messages are commands


def test_simple() -> None:
    """A listed mobile writes a command and gets its outcome as it was said (TEL-SMS-01, TEL-SMS-09, TEL-SMS-37)."""
    service = Service()
    assert service.run("AT+COPS?") == f'\r\n+COPS: 0,0,"{service.network.home.name}"\r\n\r\nOK\r\n'


def test_bothFormats() -> None:
    """A simple and a digest request each get an answer of their own kind (TEL-SMS-02, TEL-SMS-13, TEL-DIG-02)."""
    service = Service()
    assert service.run("AT") == OK
    service.sign(b"AT")
    (part,) = service.arrived()
    assert part.payload[:3] == b"\xd1\xd1\xd1"
    assert joined([part]) == OK.encode()


def test_sender() -> None:
    """Only a sender of the white list is obeyed; another's message is an ordinary one (TEL-SMS-03, TEL-SMS-23)."""
    service = Service()
    assert service.run("AT", sender=STRANGER) == ""
    assert [line.partition(":")[0] for line in service.heard()] == ["+CMTI"]
    assert service.run("AT") == OK


@pytest.mark.parametrize("text", ["HELLO", "A", "", "at", " AT", "HHAT", "hAT"])
def test_text(text: str) -> None:
    """A message of a listed sender that begins otherwise than a command is an ordinary one (TEL-SMS-04)."""
    service = Service()
    assert service.run(text) == ""
    assert len(service.stored()) == 1


@pytest.mark.parametrize("coding", [DEFAULT, OCTETS, CLASS_0, CLASS_1])
def test_alphabets(coding: int) -> None:
    """Default alphabet and octets are run, and the answer has the same coding (TEL-SMS-05, TEL-SMS-12)."""
    service = Service()
    service.send("AT", coding=coding)
    (part,) = service.arrived()
    assert (part.coding.octet, part.text()) == (coding, OK)


@pytest.mark.parametrize("coding", [UCS2, 0x20 | OCTETS])
def test_otherAlphabets(coding: int) -> None:
    """A command in UCS2, or compressed, is an ordinary message (TEL-SMS-05)."""
    service = Service()
    service.send("AT", coding=coding)
    assert service.arrived() == []
    assert len(service.stored()) == 1


def test_waitingIndication() -> None:
    """A command that came as an indication of voice mail isn't answered by one."""
    service = Service()
    service.send("AT", coding=0xD8)
    (part,) = service.arrived()
    assert part.coding == DataCoding.of(Alphabet.GSM)


def test_digest() -> None:
    """A digest over the text decides, not who has sent it (TEL-SMS-06, TEL-SMS-36, TEL-DIG-13)."""
    service = Service()
    assert service.runSigned(b"AT", sender=STRANGER) == OK.encode()
    wrong = bytearray(digest(b"AT"))
    wrong[10] ^= 1
    service.send(bytes(wrong), coding=CLASS_1)
    assert service.arrived() == []
    assert len(service.stored()) == 1


@pytest.mark.parametrize("bit", range(8))
def test_flippedText(bit: int) -> None:
    """One bit of the text that isn't as it was signed makes an ordinary message of it (TEL-DIG-13)."""
    service = Service()
    wrong = bytearray(digest(b"AT+CSQ"))
    wrong[-1] ^= 1 << bit
    service.send(bytes(wrong), coding=CLASS_1)
    assert service.arrived() == []
    assert len(service.stored()) == 1


def test_digestText() -> None:
    """What is signed must be a command too (TEL-SMS-07)."""
    service = Service()
    assert service.runSigned(b"HELLO") == b""
    assert len(service.stored()) == 1


def test_digestInSeptets() -> None:
    """A digest header in the default alphabet means nothing (TEL-SMS-08)."""
    service = Service()
    service.send(digest(b"AT").decode("latin-1").replace("\xd0", "P").encode("ascii"), coding=DEFAULT)
    assert service.arrived() == []
    assert len(service.stored()) == 1


@pytest.mark.parametrize("kind", [0, 3, 4, 5])
def test_digestForm(kind: int) -> None:
    """An answer, another transaction or a part of several is no request, however it is signed (TEL-SMS-14)."""
    octets = bytearray(digest(b"AT"))
    octets[kind] = {0: 0xD1, 3: 1, 4: 0x22, 5: 0x7F}[kind]
    if kind == 0:
        octets[:3] = b"\xd1\xd1\xd1"
    service = Service()
    service.send(bytes(octets), coding=CLASS_1)
    assert bool(service.arrived()) is (kind == 5)


@pytest.mark.parametrize("place", [Concatenation(7, 2, 1), Concatenation(7, 1, 1), Concatenation(300, 2, 1, True)])
def test_concatenated(place: Concatenation) -> None:
    """A part of a longer message is no request (TEL-SMS-14)."""
    service = Service()
    service.send("AT", place=place)
    service.send(digest(b"AT"), coding=CLASS_1, place=place)
    assert service.arrived() == []
    assert len(service.stored()) == 2


def test_discarded() -> None:
    """A request is neither stored nor shown; between ordinary messages it is found (TEL-SMS-21, TEL-SMS-22)."""
    service = Service()
    for text in ("Hello", "AT+CSQ", "World"):
        service.send(text)
    service.arrived()
    told = [line.partition(":")[0] for line in service.heard()]
    assert sorted(told) == ["#SMSATRUN", "+CMTI", "+CMTI"]
    assert len(service.stored()) == 2


def test_off() -> None:
    """While the service is off every message is an ordinary one (TEL-SMS-52)."""
    emulated = MemoryModule("GE865-QUAD", number=MODULE)
    at = emulated.port()
    assert at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]
    assert at.execute('AT#SMSATWL=0,1,0,"+39*"') == ["OK"]
    assert emulated.network.centre.send(MOBILE, MODULE, Deliver(Address.parse(MOBILE), UserData.of("AT"), STAMP))
    emulated.advance(60)
    assert at.execute("AT+CPMS?")[0].startswith('+CPMS: "SM",1')
    assert not emulated.network.centre.outside.after(0)


def test_alphanumericSender() -> None:
    """Somebody without a number runs what is signed, and gets no answer since there is nowhere to send it."""
    service = Service()
    name = Address("Telit", ALPHANUMERIC, NO_PLAN)
    data = UserData(DataCoding(CLASS_1), digest(b"AT#GPIO=2,1,1"))
    service.network.centre.send("Telit", MODULE, Deliver(name, data, STAMP))
    assert service.arrived() == []
    assert service.at.execute("AT#GPIO=2,2")[-2:] == ["#GPIO: 1,1", "OK"]


def test_nameLikeANumber() -> None:
    """A name that begins like a listed number is none: anybody can choose it, and commands nothing (TEL-SMS-03)."""
    service = Service()
    name = Address(MOBILE[:11], ALPHANUMERIC, NO_PLAN)
    service.network.centre.send("+1", MODULE, Deliver(name, UserData.of("AT#GPIO=2,1,1"), STAMP))
    assert service.arrived() == []
    assert service.at.execute("AT#GPIO=2,2")[-2:] == ["#GPIO: 0,0", "OK"]
    assert len(service.stored()) == 1


def test_noSender() -> None:
    """What is signed runs where no sender is given at all, and its answer goes nowhere."""
    service = Service()
    data = UserData(DataCoding(CLASS_1), digest(b"AT#GPIO=2,1,1"))
    service.network.centre.send("+1", MODULE, Deliver(Address("", 0), data, STAMP))
    assert service.arrived() == []
    assert service.at.execute("AT#GPIO=2,2")[-2:] == ["#GPIO: 1,1", "OK"]


# -- running them


@pytest.mark.parametrize("signed", [False, True])
def test_silent(signed: bool) -> None:
    """HAT runs the command and sends nothing; the notice tells of it as it was received (TEL-SMS-10, TEL-SMS-29)."""
    service = Service()
    if signed:
        service.sign(b"HAT#GPIO=2,1,1")
    else:
        service.send("HAT#GPIO=2,1,1")
    assert service.arrived() == []
    assert service.heard() == ["#SMSATRUN: HAT#GPIO=2,1,1"]
    assert service.at.execute("AT#GPIO=2,2") == ["#GPIO: 1,1", "OK"]


def test_severalCommands() -> None:
    """A line of several commands gives all their answers in one message (TEL-SMS-11)."""
    lines = Service().run("AT+CGMR;+CGSN").split("\r\n")
    assert [line for line in lines if line] == ["10.00.007", "357000000000001", "OK"]


def test_failing() -> None:
    """A command that fails is answered by its error, with a number where +CMEE says so."""
    service = Service()
    assert service.run("AT#NOTHERE") == "\r\nERROR\r\n"
    assert service.run('AT+CMEE=1;+CPIN="1234"') == "\r\n+CME ERROR: 3\r\n"


def test_effect() -> None:
    """A command that does something does it, and says so (TEL-SMS-38)."""
    service = Service()
    assert service.run("AT#GPIO=2,1,1") == OK
    assert service.at.execute("AT#GPIO=2,2") == ["#GPIO: 1,1", "OK"]
    assert service.run("AT#GPIO=2,2") == "\r\n#GPIO: 1,1\r\n\r\nOK\r\n"


def test_notice() -> None:
    """What is run is told on the instance that enabled the service, unless unwanted (TEL-SMS-29, TEL-EXT-02)."""
    service = Service(by=2)
    first = service.emulated.port(1)
    service.send("AT+CGMR;+CGSN;+GSN;+CCLK?")
    assert service.heard() == ["#SMSATRUN: AT+CGMR;+CGSN;+GSN;+CCLK?"]
    assert first.after(0) == []
    silent = Service(config="3,0,2")
    silent.send("AT")
    assert silent.heard() == []


def test_oneLine() -> None:
    """A request is one line: what follows its end is neither run nor shown as if the module said it."""
    service = Service()
    assert service.run("AT+CSQ\r\nAT#GPIO=2,1,1\r") == "\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
    assert service.heard() == ["#SMSATRUN: AT+CSQ"]
    assert service.at.execute("AT#GPIO=2,2") == ["#GPIO: 0,0", "OK"]


def test_noNoticesInTheAnswer() -> None:
    """What the module tells unasked while a command runs isn't part of its answer, and echo never is."""
    service = Service()
    assert service.run("AT+CREG=1;E1") == OK
    service.send("AT+COPS=0;+CREG?")
    service.network.setService(False)
    service.network.setService(True)
    assert textOf(service.arrived()) == "\r\n+CREG: 1,2\r\n\r\nOK\r\n"
    assert service.run("AT") == OK


def test_messagesMeanwhile() -> None:
    """A message that comes while a command runs is stored, though +CNMI of the service's instance would show it."""
    service = Service()
    assert service.run("AT+CNMI=2,2,0,0,0") == OK
    service.send("AT+COPS=?")
    service.send("HELLO", sender=STRANGER)
    assert textOf(service.arrived()).endswith(OK)
    assert len(service.stored()) == 1


def test_inTurn() -> None:
    """Requests that come together are served in their order, one at a time."""
    service = Service()
    for text in ("AT+COPS=0", "AT+CSQ", "AT+CGSN"):
        service.send(text)
    answers = [part.text() for part in service.arrived()]
    assert [text.split("\r\n")[1] for text in answers] == ["OK", "+CSQ: 20,0", "357000000000001"]


def test_tooMany() -> None:
    """More requests than can wait are dropped, and the service goes on."""
    service = Service(config="3,0,60")
    service.do("AT#ATRUNDELAY=1,30")
    for number in range(QUEUED + 5):
        service.send(f"AT+CSQ;S12={20 + number}")
    assert len(service.arrived(1000)) == QUEUED + 1
    assert service.stored() == []


def test_delay() -> None:
    """#ATRUNDELAY for SMS holds back each command, until the next setting (TEL-DLY-01, TEL-DLY-03, TEL-DLY-04)."""
    service = Service()
    service.do("AT#ATRUNDELAY=1,5")
    for _ in range(2):
        service.send("AT#GPIO=2,1,1")
        service.emulated.advance(3)
        assert service.at.execute("AT#GPIO=2,2")[-2] == "#GPIO: 0,0"
        service.emulated.advance(3)
        assert service.at.execute("AT#GPIO=2,2")[-2:] == ["#GPIO: 1,1", "OK"]
        service.do("AT#GPIO=2,0,1")
        service.do("AT#GPIO=2,0,0")
        service.arrived()
    service.do("AT#ATRUNDELAY=1,0")
    service.send("AT#GPIO=2,1,1")
    assert service.at.execute("AT#GPIO=2,2")[-2] == "#GPIO: 1,1"


# -- answers


def test_longAnswer() -> None:
    """A long answer comes in several parts that belong together (TEL-SMS-15)."""
    service = Service()
    service.send("AT+COPS?;+COPS?;+COPS?;+COPS?;+COPS?;+COPS?;+COPS?")
    parts = service.arrived()
    places = [part.concatenation for part in parts]
    assert [(place.number, place.total) for place in places if place is not None] == [(1, 2), (2, 2)]
    assert len({place.reference for place in places if place is not None}) == 1
    assert textOf(parts).count("+COPS:") == 7
    assert textOf(parts).endswith(OK)


LONG = "AT" + ";".join(["#MONI=7"] + ["#MONI"] * 9)
"""A command line with a very long answer."""


@pytest.mark.parametrize("coding", [DEFAULT, OCTETS])
def test_cutOff(coding: int) -> None:
    """What doesn't fit in fifteen parts is cut off, as that of a long survey is (TEL-SMS-16, TEL-SMS-50)."""
    service = Service()
    service.send(LONG, coding=coding)
    parts = service.arrived(120)
    assert len(parts) == 15
    whole = service.at.execute("AT#MONI=7;#MONI")
    assert textOf(parts).startswith("\r\n" + whole[0])
    assert not textOf(parts).endswith(OK)
    assert {len(part.payload) for part in parts} == ({153} if coding == DEFAULT else {134})


def test_digestParts() -> None:
    """A digest answer of several parts has a header and a signature in each (TEL-SMS-16, TEL-DIG-07, TEL-DIG-08)."""
    service = Service()
    service.sign(LONG.encode(), session=0x7F)
    parts = service.arrived(120)
    envelopes = [Envelope.decode(part.payload) for part in parts]
    assert [(each.segment, each.segments, each.session) for each in envelopes] == [
        (number, 15, 0x7F) for number in range(1, 16)
    ]
    assert {part.coding.octet for part in parts} == {CLASS_1}
    assert len(joined(parts)) == 15 * 104


def test_eitherPassword() -> None:
    """The answer is signed with the password of the request (TEL-DIG-12)."""
    service = Service()
    for password in (FIRST, SECOND):
        assert service.runSigned(b"AT", password) == OK.encode()


def test_backslash() -> None:
    """Commands with a backslash or ^ come in octets, and so do their answers (TEL-SMS-40)."""
    service = Service()
    assert service.run("AT\\Q0", coding=OCTETS) == OK
    assert service.run("AT\\Q0") == "\r\nERROR\r\n"
    service.send(bytes.fromhex("41545C5130"), coding=CLASS_1)
    (part,) = service.arrived()
    assert part.payload.hex().upper() == "0D0A4F4B0D0A"


# -- the instance and its life


def test_reserved() -> None:
    """The instance answers its port no more, and again once the service is off (TEL-SMS-17, TEL-SMS-18)."""
    service = Service()
    third = service.emulated.port(3)
    assert third.say(b"AT\r") == b""
    assert service.run("AT") == OK
    assert service.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 1,1", "OK"]
    service.do("AT#SMSATRUN=0")
    assert service.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]
    assert third.execute("AT") == ["OK"]
    assert service.run("AT") == ""


@pytest.mark.parametrize("by", [1, 2])
def test_refusedToOthers(by: int) -> None:
    """TCPATRUN can't have the instance of SMSATRUN, nor the other way round (TEL-SMS-24, TEL-EXT-05, TEL-EXT-06)."""
    service = Service(by=by)
    service.do('AT+CGDCONT=1,"IP","internet"', "AT#SGACT=1,1")
    service.do(f'AT#TCPATRUNCFG=1,3,{PORT},12345,"127.0.0.1",1,5,0,0,2')
    assert service.at.execute("AT#TCPATRUNL=1") == ["ERROR"]
    assert service.at.execute("AT#TCPATRUND=1") == ["ERROR"]
    assert service.run("AT#TCPATRUNL=1") == "\r\nERROR\r\n"
    service.do("AT#SMSATRUN=0", "AT#TCPATRUNL=1")
    assert service.at.execute("AT#SMSATRUN=1") == ["ERROR"]


def test_update() -> None:
    """An update over the air may take the instance from the service, and give it back (TEL-SMS-25)."""
    service = Service(config="3,1,1")
    module = service.emulated.module
    service.send("AT+CMGW=10")
    assert module.reserve(3, UPDATE) is module.instance(3)
    assert service.arrived(120) == []
    assert service.isOn()
    service.send("AT+CSQ")
    assert service.arrived() == []
    assert service.at.execute("AT#SMSATRUN?")[-2:] == ["#SMSATRUN: 1,0", "OK"]
    module.release(3)
    assert service.run("AT") == "\r\n+CSQ: 20,0\r\n\r\nOK\r\n" + OK
    assert service.at.execute("AT#SMSATRUN?")[-2:] == ["#SMSATRUN: 1,1", "OK"]


def test_besideTCPATRUN() -> None:
    """Both services run on instances of their own at the same time."""
    service = Service()
    wire = service.overTCP()
    assert wire.execute("AT+CSQ") == ["+CSQ: 20,0", "OK"]
    assert service.run("AT+CGSN").split("\r\n")[1] == "357000000000001"
    assert wire.execute("AT#SMSATRUN?") == ["#SMSATRUN: 1,1", "OK"]


def test_instanceOne() -> None:
    """On instance 1 the service silences the main port; another port can switch it off (TEL-SMS-26, TEL-SMS-27)."""
    service = Service("HE910-EUR", config="1,1,5", by=2)
    main = service.emulated.port(1)
    assert main.say(b"AT\r") == b""
    assert service.run("AT") == OK
    service.do("AT#SMSATRUN=0")
    assert main.execute("AT") == ["OK"]


def test_enabledFromItsOwnInstance() -> None:
    """The instance that enables the service on itself answers, and is the service's then."""
    service = Service(config="2,1,5", by=2)
    service.emulated.clock.settle()
    assert service.at.say(b"AT\r") == b""
    assert service.run("AT") == OK


@pytest.mark.parametrize("boots", [1, 2])
def test_kept(boots: int) -> None:
    """Flag, instance and white list survive power-off; the service is there at once (TEL-SMS-19, TEL-SMS-20)."""
    service = Service()
    for _ in range(boots):
        service.emulated.module.powerOff()
        service.emulated.switchOn()
    assert service.at.execute("AT#SMSATRUN?;#SMSATRUNCFG?") == ["#SMSATRUN: 1,1", "#SMSATRUNCFG: 3,1,2", "OK"]
    assert service.run("AT") == OK
    service.do("AT#SMSATRUN=0")
    service.emulated.module.powerOff()
    service.emulated.switchOn()
    assert service.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]


def test_keptInTheFile() -> None:
    """Another process with the same memory goes on with the service (TEL-SMS-19, TEL-EXT-02)."""
    nvm = NVM()
    first = Service(nvm=nvm)
    first.do("AT#SMSATRUNCFG=2,1,7", 'AT#SMSATWL=0,1,0,"+39*"', "AT#SMSATRUN=1")
    again = Service(nvm=nvm)
    assert again.at.execute("AT#SMSATRUN?;#SMSATRUNCFG?") == ["#SMSATRUN: 1,1", "#SMSATRUNCFG: 2,1,7", "OK"]
    assert again.run("AT") == OK


def test_disabledByItself() -> None:
    """A request that switches the service off is answered, and the last one (TEL-SMS-18)."""
    service = Service()
    third = service.emulated.port(3)
    assert service.run("AT#SMSATRUN=0") == OK
    assert third.execute("AT") == ["OK"]
    assert service.run("AT") == ""


def test_movedDuringARequest() -> None:
    """Switched off by a line that goes on, and on again elsewhere, the service leaves its former instance free."""
    service = Service(config="3,1,1")
    service.send("AT#SMSATRUN=0;+CMGW=10")
    service.do("AT#SMSATRUNCFG=2,1,1", "AT#SMSATRUN=1")
    assert service.emulated.port(3).execute("AT") == ["OK"]
    assert service.isServing()
    service.emulated.advance(120)
    assert service.isOn()


def test_disabledDuringARequest() -> None:
    """The service can be switched off while a request hangs."""
    service = Service()
    service.send('AT+CMGS="+393401112233"')
    service.do("AT#SMSATRUN=0")
    assert service.emulated.port(3).execute("AT") == ["OK"]
    assert service.arrived(3600) == []
    assert service.at.execute("AT#SMSATRUN?") == ["#SMSATRUN: 0,0", "OK"]


def test_unused() -> None:
    """A module that never uses the service has no part of it, before and after a restart."""
    module = MemoryModule().module
    module.reboot()
    assert SMSATRUNService not in module._parts
