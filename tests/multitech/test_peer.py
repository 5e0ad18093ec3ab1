"""The host's driver of Multi-Tech modems, on an emulated one, and on what the guide prints."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from atrunproto.at.errors import CommandFailed, CommandTimeout, Misuse, PeerViolation
from atrunproto.multitech.answers import Addresses, Echo
from atrunproto.multitech.errors import GPRS_LOST, INACTIVE, MEANINGS
from atrunproto.multitech.generations import Generation
from atrunproto.multitech.parameters import ROWS, Kind, Row
from atrunproto.multitech.peer import ANYBODY, Registration
from atrunproto.multitech.peererrors import (
    AccessRefused,
    AlreadyConnected,
    BadCommand,
    BadConfiguration,
    Busy,
    CannotConnect,
    ClosedByPeer,
    ConnectionEnded,
    ConnectionFailed,
    LoginRefused,
    MultitechError,
    NameUnknown,
    NoConnection,
    NoResponse,
    NotRegistered,
    Refused,
    TransferFailed,
)
from atrunproto.multitech.peerparameters import PAUSE
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret

from .hosts import Host, Scripted

OPEN = "AT+WOPEN=1"
VERSION = Generation.V3_02.version
#: how a host may have set echo and results
FORMS = [["ATE1V1"], ["ATE0V1"], ["ATE1V0"], ["ATE0V0"]]
SINGLE = [row for row in ROWS if row.kind is not Kind.MULTILINE]
VALUES: dict[Kind, Any] = {Kind.IP: "10.1.2.3", Kind.STRING: "some. text=a:b,c"}


def valueFor(row: Row) -> Any:
    """A value that a parameter may have and hasn't got."""
    if row.kind in VALUES:
        return Secret("s3cret") if row.isSecret else VALUES[row.kind]
    if row.values:
        return next(value for value in row.values if value != row.default)
    return row.high if row.default != row.high else row.low


def failed(number: int) -> str:
    """An error of Multi-Tech's own."""
    return f"\r#CME ERROR: {number}\r\n"


# -- the stack


@pytest.mark.parametrize("startup", [[], [OPEN]])
def test_open(startup: list[str]) -> None:
    """A modem is ready whether its stack was open or closed when the program came (MTS-OPEN-03, MTS-OPEN-04)."""
    host = Host(*startup)
    assert host.do(host.modem.open()) == VERSION
    assert host.do(host.modem.version()) == VERSION
    host.do(host.modem.close())
    with pytest.raises(CommandFailed):
        host.do(host.modem.version())


def test_openFirst() -> None:
    """A program opens the stack before any other command of its own, and an open one isn't opened again."""
    for answer, sent in (("0", ["AT", "AT+WOPEN?", OPEN, "AT#VVERSION"]), ("1", ["AT", "AT+WOPEN?", "AT#VVERSION"])):
        modem = Scripted(
            {"AT+WOPEN?": f"\r\n+WOPEN: {answer}\r\n\r\nOK\r\n", "AT#VVERSION": '#VERSION: "x"\r\n\r\nOK\r\n'}
        )
        assert modem.do(modem.modem.open()) == "x"
        assert modem.lines == sent


def test_openUntold() -> None:
    """A modem that doesn't tell whether its stack is open is told to open it (MTS-OPEN-04)."""
    modem = Scripted({"AT+WOPEN?": "\r\nERROR\r\n", "AT#VVERSION": '#VERSION: "x"\r\n\r\nOK\r\n'})
    assert modem.do(modem.modem.open()) == "x"
    assert modem.lines == ["AT", "AT+WOPEN?", OPEN, "AT#VVERSION"]


def test_openEarly() -> None:
    """A modem that is still starting when the program comes is waited for (MTS-OPEN-04)."""
    host = Host()
    host.memory.module.powerOff()
    host.memory.module.powerOn()
    assert host.do(host.modem.open(), within=20) == VERSION


class Carrying(Scripted):
    """A modem that takes all for data up to an ETX."""

    def run(self) -> None:
        """Answer nothing before."""
        data, end, rest = self.transport.value().partition(b"\x03")
        if not self.asked and not end:
            return
        self.transport.clear()
        if end:
            assert data == b"AT\r\x1bAT\r"
            self.comes("\x03\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n")
        self.transport.write(rest if end else data)
        super().run()


def test_openInTheMidstOfData() -> None:
    """A modem that a program has left with an open connection closes it and serves the next program (MTS-SER-13)."""
    modem = Carrying({"AT#VVERSION": '#VERSION: "x"\r\n\r\nOK\r\n'})
    assert modem.do(modem.modem.open()) == "x"


# -- parameters


@pytest.mark.parametrize("form", FORMS)
def test_parameters(form: list[str]) -> None:
    """
    Each parameter is written and read back by its kind, with echo or without, in words and in numbers.

    MTS-PAR-01, MTS-PAR-04, MTS-PAR-06, MTS-PAR-07, MTS-PAR-08, MTS-PAR-10, MTS-SER-03, MTS-SER-05, MTS-RES-03..07,
    MTS-DIAL-01, MTS-DIAL-16, MTS-DIAL-20.
    """
    host = Host(OPEN)
    host.execute(form[0])
    for row in SINGLE:
        socket, value = 2 if row.perSocket else None, valueFor(row)
        host.do(host.modem.write(row.name.lower(), value, socket))
        assert host.do(host.modem.read(row.name, socket)) == value, row.name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mail", [1, 2, 3])
def test_entries(form: list[str], mail: int) -> None:
    """
    Several recipients and the lines of a body are entered, and told again, whatever form the answers have.

    MTS-MAIL-05, MTS-MAIL-06, MTS-MAIL-07, MTS-MAIL-10, MTS-MAIL-11, MTS-GAP-40.
    """
    host = Host(OPEN, *form)
    recipients = ",".join(f"recipient{number}@example.org" for number in range(10))
    values: dict[Any, Any] = {f"REC{mail}": recipients, f"BODY{mail}": "one\r\n.\r\nthree \xfc"}
    host.do(host.modem.configure(values))
    for name, value in values.items():
        assert host.do(host.modem.read(name)) == value
    assert {name: host.do(host.modem.showAll())[name] for name in values} == values
    others = [host.do(host.modem.read(f"REC{other}")) for other in (1, 2, 3) if other != mail]
    assert others == ["", ""]
    host.do(host.modem.configure({f"REC{mail}": "one@example.org", f"BODY{mail}": ""}))
    assert host.do(host.modem.read(f"REC{mail}")) == "one@example.org"
    assert host.do(host.modem.read(f"BODY{mail}")) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("REC1", "one@x, two@x", b"AT#REC1ADD\rone@x\r\ntwo@x\x1a"),
        ("REC2", "one@x", b'AT#REC2="one@x"\r'),
        ("BODY3", "one\ntwo\rthree\r\n", b"AT#BODY3\rone\r\ntwo\r\nthree\r\n\x1a"),
        ("BODY1", "", b"AT#BODY1\r\x1a"),
        ("SUBJ1", "one, two", b'AT#SUBJ1="one, two"\r'),
    ],
)
def test_entered(name: str, value: str, said: bytes) -> None:
    """What takes lines gets them ended by CR LF, and by ^Z at last (MTS-MAIL-07, MTS-MAIL-10)."""
    modem = Scripted()
    Deferred.fromCoroutine(modem.modem.write(name, value))
    modem.clock.advance(0)
    assert modem.transport.value() == said


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("REC1", ",".join(["one@x"] * 11), BadCommand),
        ("REC1", "one@x," + "y" * 121, BadCommand),
        ("BODY1", "x" * 121, BadCommand),
        ("BODY1", "x" * 118 + "\n\n", BadCommand),
        ("REC1", "one@x,two@x\x1a", Misuse),
        ("REC1", "one@x,two@x\nthree@x", Misuse),
        ("BODY1", "one\x1atwo", Misuse),
        ("BODY1", "one\x08two", Misuse),
        ("BODY1", "\u20ac", Misuse),
    ],
)
def test_badEntry(name: str, value: str, kind: type[Exception]) -> None:
    """What a modem would drop, refuse, or take for the end isn't sent (MTS-MAIL-08, MTS-MAIL-10)."""
    modem = Scripted()
    with pytest.raises(kind):
        modem.do(modem.modem.write(name, value))
    assert modem.lines == []


def test_empty() -> None:
    """A text is emptied by an empty one (MTS-PAR-18)."""
    host = Host(OPEN)
    host.do(host.modem.write("PINGREMOTE", "10.0.0.1"))
    host.do(host.modem.write("PINGREMOTE", ""))
    assert host.do(host.modem.read("PINGREMOTE")) == ""


def test_erase() -> None:
    """A program gets the factory values back, for which the modem restarts (MTS-MISC-14)."""
    host = Host(OPEN)
    host.do(host.modem.configure({"PINGNUM": 9, "APNSERV": "internet"}))
    host.do(host.modem.eraseParameters())
    assert (host.do(host.modem.read("PINGNUM")), host.do(host.modem.read("APNSERV"))) == (4, "")


@pytest.mark.parametrize("pause", [PAUSE, 0.25])
def test_pause(pause: float) -> None:
    """A parameter is written after a second of silence, or as long as the program wants (MTS-PAR-13, MTS-GAP-60)."""
    modem = Scripted(pause=pause)
    modem.do(modem.modem.configure({"PINGNUM": 3, ("TCPPORT", 1): 23, "APNSERV": "internet"}))
    assert modem.lines == ["AT#PINGNUM=3", "AT#TCPPORT=1,23", 'AT#APNSERV="internet"']
    times = [0.0, *(at for at, _ in modem.asked)]
    assert all(pause - 0.001 <= later - earlier <= pause + 0.1 for earlier, later in pairwise(times))


def test_noPauseToRead() -> None:
    """What is read isn't waited for."""
    modem = Scripted({"AT#PINGNUM?": "#PINGNUM: 4\r\n\r\nOK\r\n"}, pause=PAUSE)
    assert (modem.do(modem.modem.read("PINGNUM")), modem.asked) == (4, [(0.0, "AT#PINGNUM?")])


@pytest.mark.parametrize(
    ("name", "value"), [("PINGNUM", 256), ("PINGNUM", "x"), ("APNSERV", "x" * 121), ("DNSSERV1", "1.2.3")]
)
def test_badValue(name: str, value: Any) -> None:
    """A value that no modem takes isn't sent (MTS-DIAL-20, MTS-PAR-16)."""
    modem = Scripted()
    with pytest.raises(BadCommand, match="not allowed"):
        modem.do(modem.modem.write(name, value))
    assert modem.lines == []


@pytest.mark.parametrize(("name", "socket"), [("NOSUCH", None), ("TCPPORT", None), ("PINGNUM", 1), ("REC1ADD", None)])
def test_misuse(name: str, socket: int | None) -> None:
    """A parameter that doesn't exist, or a socket that is missing or too much, is said at once."""
    modem = Scripted()
    for call in (modem.modem.read(name, socket), modem.modem.write(name, 1, socket)):
        with pytest.raises(Misuse):
            modem.do(call)
    with pytest.raises(Misuse):
        modem.do(modem.modem.show("VNOSUCH"))
    assert modem.lines == []


def test_secrets() -> None:
    """No password is in an error (MTS-DISP-03)."""
    modem = Scripted({'AT#APNPW="s3cret"': failed(34824)})
    with pytest.raises(MultitechError) as raised:
        modem.do(modem.modem.write("APNPW", Secret("s3cret")))
    assert "s3cret" not in f"{raised.value} {raised.value!r}"
    assert "memory" in str(raised.value)


def test_notTold() -> None:
    """A read that tells of another parameter, or not of which socket, is an error of the modem."""
    modem = Scripted({"AT#PINGNUM?": "#PINGDELAY: 4\r\n\r\nOK\r\n", "AT#TCPPORT=1": "#TCPPORT: 23\r\n\r\nOK\r\n"})
    for name, socket in (("PINGNUM", None), ("TCPPORT", 1)):
        with pytest.raises(PeerViolation):
            modem.do(modem.modem.read(name, socket))


def test_answerMode() -> None:
    """Modes that answer calls don't compete with S0 (MTS-DIAL-03), and every caller can be taken (MTS-DIAL-07)."""
    modem = Scripted()
    modem.do(modem.modem.configure({"CALLSCREENNUM": ANYBODY, "ANSWERMODE": 0}))
    modem.do(modem.modem.write("ANSWERMODE", 1))
    assert modem.lines == ['AT#CALLSCREENNUM="*"', "AT#ANSWERMODE=0", "ATS0=0", "AT#ANSWERMODE=1"]


@pytest.mark.parametrize("form", FORMS)
def test_displays(form: list[str]) -> None:
    """
    Groups of parameters and all of them are read at once.

    MTS-PAR-14, MTS-PAR-15, MTS-DISP-01..17, MTS-GAP-02, MTS-GAP-19, MTS-GAP-73.
    """
    host = Host(OPEN)
    host.execute(form[0])
    host.do(host.modem.write("TCPPORT", 23, 2))
    shown = host.do(host.modem.showAll())
    assert shown.keys() == {key for row in SINGLE for key in _keys(row)} | {"BODY1", "BODY2", "BODY3"}
    assert (shown["FTPTYPE"], shown["DLEMODE", 1], shown["TCPPORT", 2]) == ("I", 1, 23)
    for display, names in (("VDNS", {"DNSSERV1", "DNSSERV2"}), ("VPING", {"PINGDELAY", "PINGNUM", "PINGREMOTE"})):
        assert host.do(host.modem.show(display)) == {name: shown[name] for name in names}
    assert host.do(host.modem.show("VPHY")) == {row.name: shown[row.name] for row in ROWS if row.group == "physical"}
    assert host.do(host.modem.showSocket(2))["TCPPORT", 2] == 23


def _keys(row: Row) -> list[Any]:
    return [(row.name, 1), (row.name, 2)] if row.perSocket else [row.name]


def test_serial() -> None:
    """The rate and both kinds of flow control are taken (MTS-SER-01, MTS-SER-02)."""
    host = Host(OPEN)
    for line in ("AT+IPR=9600", "AT+IFC=2,2", "AT+IFC=0,0"):
        host.execute(line)
    assert host.do(host.modem.version()) == VERSION


# -- errors


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (34817, BadCommand),
        (34882, BadCommand),
        (35840, AlreadyConnected),
        (35865, NotRegistered),
        (35866, ConnectionFailed),
        (35867, NoConnection),
        (35868, AccessRefused),
        (36929, BadConfiguration),
        (37122, Busy),
        (37123, Busy),
        (38027, NameUnknown),
        (36872, MultitechError),
        (37964, NoResponse),
        (37966, ClosedByPeer),
        (38016, CannotConnect),
        (38017, TransferFailed),
        (38022, Refused),
        (38023, Refused),
        (38024, TransferFailed),
        (38025, TransferFailed),
        (38026, TransferFailed),
        (38028, Refused),
        (38029, Refused),
        (38030, Refused),
        (38031, Refused),
        (38080, LoginRefused),
        (38081, LoginRefused),
    ],
)
@pytest.mark.parametrize("shown", ["\r#CME ERROR: {}\r\n", "\r\n#CME ERROR : {} \r\n"])
def test_errors(number: int, kind: type[MultitechError], shown: str) -> None:
    """An error is told by its kind and in words (MTS-RES-05, MTS-GAP-09, MTS-GAP-10)."""
    modem = Scripted({"AT#DISPLAYIP": shown.format(number)})
    with pytest.raises(kind) as raised:
        modem.do(modem.modem.addresses())
    assert type(raised.value) is kind
    assert raised.value.reason.number == number
    assert str(raised.value).endswith(MEANINGS[raised.value.reason])


EARLIER = [("640b", Generation.V2_00), ("641c", Generation.V2_10)]


@pytest.mark.parametrize(("software", "generation"), EARLIER)
def test_earlierStack(software: str, generation: Generation) -> None:
    """
    A program that is told the generation of the stack knows its parameters, and that its socket has no number.

    MTS-OPEN-06, MTS-OPEN-07, MTS-OPEN-08, MTS-GAP-21, MTS-GAP-46.
    """
    host = Host(OPEN, software=software, generation=generation)
    assert host.do(host.modem.open()) == generation.version
    host.do(host.modem.configure({"TCPPORT": 7000, "DLEMODE": 0, "PPPMODE": 0}))
    assert host.do(host.modem.showSocket()) == {"DLEMODE": 0, "TCPSERV": "", "TCPPORT": 7000}
    assert host.do(host.modem.read("PPPMODE")) == 0
    assert host.modem.has("UDPPORT") is (generation is Generation.V2_10)
    for wrong in (host.modem.read("TCPPORT", 1), host.modem.read("FTPMODE"), host.modem.write("TCPTXDELAY", 20)):
        with pytest.raises(Misuse):
            host.do(wrong)
    shown = host.do(host.modem.showAll())
    assert all(isinstance(key, str) for key in shown)
    assert "FTPMODE" not in shown


# -- the network


def test_register() -> None:
    """A program waits until the network has taken the modem, for calls and for packets (MTS-REG-01..05)."""
    host = Host(OPEN)
    host.memory.module.sim.pin = "1234"
    host.memory.module.sim.unlocked = False
    with pytest.raises(Misuse, match="PIN"):
        host.do(host.modem.register())
    host.memory.network.setService(False)
    found: list[Any] = []
    services = (Registration.GSM, Registration.GPRS)
    Deferred.fromCoroutine(host.modem.register(services, Secret("1234"), 60)).addBoth(found.append)
    host.clock.advance(20)
    assert found == []
    host.memory.network.setService(True)
    host.clock.advance(20)
    assert found == [None]
    assert host.do(host.modem.state()) is State.IDLE


def test_registerEarly() -> None:
    """A modem that has not found its network yet can't attach, and is asked again until it can (MTS-REG-05)."""
    host = Host(OPEN)
    host.memory.network.setService(False)
    found: list[Any] = []
    Deferred.fromCoroutine(host.modem.register()).addBoth(found.append)
    host.clock.advance(20)
    assert found == []
    host.memory.network.setService(True)
    host.clock.advance(20)
    assert found == [None]
    host.memory.network.setService(False)
    with pytest.raises(NotRegistered):
        host.do(host.modem.register(patience=30), within=31)


def test_registerInTime() -> None:
    """A network that doesn't take the modem ends the wait, and so does no wait follow another (MTS-REG-05)."""
    host = Host(OPEN)
    host.memory.network.setService(False)
    with pytest.raises(NotRegistered):
        host.do(host.modem.register((Registration.GSM,), patience=30), within=31)
    assert host.do(host.modem.state()) is State.NO_SERVICE


@pytest.mark.parametrize("answers", ["\r\n+CGREG: 2\r\n\r\nOK\r\n\r\n+CGREG: 1\r\n", "\r\n+CGREG: 1\r\n\r\nOK\r\n"])
def test_attach(answers: str) -> None:
    """The reports of an attachment may come before its OK or behind it (MTS-REG-04, MTS-GAP-45)."""
    modem = Scripted(
        {
            "AT+CPIN?": "\r\n+CPIN: READY\r\n\r\nOK\r\n",
            "AT+CGATT=1": answers,
            "AT+CGREG?": [
                "\r\n+CGREG: 1,2\r\n\r\nOK\r\n\r\n+CGREG: 1\r\n",
                '\r\n+CGREG: 1,5,"0001","0002"\r\n\r\nOK\r\n',
            ],
        }
    )
    modem.do(modem.modem.register(), within=0.2)
    assert modem.lines[:4] == ["AT+CPIN?", "AT+CGREG=1", "AT+CGATT=1", "AT+CGREG?"]


# -- the connection, as the guide prints it

STARTED = "\r\n10.0.0.7\r\n\r\n{}\r\n"


@pytest.mark.parametrize(
    "message",
    [
        "OK_Info_GPRSActivation",
        "Ok_Info_GprsActivation",
        "ok_info_gprsactivation",
        "OK_Info_PPP",
        "Ok_Info_Ppp",
        "3086",
    ],
)
def test_connectSpelled(message: str) -> None:
    """A connection is there whatever the spelling of its message (MTS-RES-02, MTS-RES-09, MTS-GAP-07, MTS-GAP-08)."""
    modem, told = Scripted({"AT#CONNECTIONSTART": STARTED.format(message)}), list[str]()
    assert modem.do(modem.modem.connect(told.append)) == "10.0.0.7"
    assert told == ["10.0.0.7"]


def test_disconnectWhileConnecting() -> None:
    """An attempt to connect is given up when the program wants that, and the modem is asked whether it is over."""
    modem = Scripted(
        {
            "AT#CONNECTIONSTART": "AT#CONNECTIONSTART\r",
            "AT#CONNECTIONSTOP": "AT#CONNECTIONSTOP\r\r\nOK\r\n",
            "AT#VSTATE": '#STATE: "IDLE"\r\n\r\nOK\r\n',
        }
    )
    found: list[Any] = []
    Deferred.fromCoroutine(modem.modem.connect()).addErrback(found.append)
    modem.run()
    modem.do(modem.modem.disconnect())
    assert modem.lines == ["AT#CONNECTIONSTART", "AT#CONNECTIONSTOP", "AT#VSTATE"]
    assert found[0].check(ConnectionFailed)


def test_cancel() -> None:
    """A program that cancels leaves no modem that goes on trying (MTS-CALL-14)."""
    modem = Scripted({"AT#CONNECTIONSTART": "", "AT#VVERSION": '#VERSION: "x"\r\n\r\nOK\r\n'})
    found: list[Any] = []
    waiting = Deferred.fromCoroutine(modem.modem.connect())
    waiting.addErrback(found.append)
    modem.run()
    waiting.cancel()
    assert found[0].check(CancelledError)
    modem.run()
    assert modem.do(modem.modem.version()) == "x"
    assert modem.lines == ["AT#CONNECTIONSTART", "AT#CONNECTIONSTOP", "AT#VVERSION"]


def test_noAnswer() -> None:
    """A modem that never tells what becomes of an attempt is told to stop it."""
    modem = Scripted({"AT#CONNECTIONSTART": "", "\x1bAT": "\r\nOK\r\n"})
    with pytest.raises(CommandTimeout):
        modem.do(modem.modem.connect(patience=20))
    modem.do(modem.modem.close())
    assert modem.lines == ["AT#CONNECTIONSTART", "\x1bAT", "AT#CONNECTIONSTOP", "AT+WOPEN=0"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [(failed(35862), INACTIVE), ("\r\nTIMEOUT\r\n", INACTIVE), ("\r\n#CME ERROR : 35841\r\n", GPRS_LOST)],
)
@pytest.mark.parametrize("running", [False, True])
def test_end(said: str, reason: Any, running: bool) -> None:
    """A program hears why its connection has ended, and goes on with its commands (MTS-DIAL-10, MTS-GAP-22)."""
    modem, ended = Scripted({"AT#VSTATE": '#STATE: "IDLE"\r\n\r\nOK\r\n'}), list[ConnectionEnded]()
    forget = modem.modem.onEnd(ended.append)
    if running:
        modem.answers["AT#VVERSION"] = said + '#VERSION: "x"\r\n\r\nOK\r\n'
        modem.answers["\x1bAT"] = "\r\nOK\r\n"
        Deferred.fromCoroutine(modem.modem.version()).addErrback(lambda _: None)
        modem.run()
    else:
        modem.comes(said)
    assert [error.reason for error in ended] == [reason]
    assert modem.do(modem.modem.state()) is State.IDLE
    forget()
    modem.comes(said)
    assert len(ended) == 1


def test_otherErrorAside() -> None:
    """An error that tells nothing of the connection is no end of it."""
    modem, ended = Scripted(), list[ConnectionEnded]()
    modem.modem.onEnd(ended.append)
    modem.comes(failed(35870))
    assert ended == []


def test_ping() -> None:
    """What became of each echo request is told, a missing reply included (MTS-PING-02, MTS-PING-05..08)."""
    modem = Scripted(
        {
            "AT#VPING": '#PINGDELAY: 1\r\n#PINGNUM: 2\r\n#PINGREMOTE: "x.org"\r\n\r\nOK\r\n',
            "AT#PING": '\r\n"x.org" is alive : time = 900 ms\r\n\r\nNO answer from "x.org"\r\n\r\nOK\r\n',
        }
    )
    assert modem.do(modem.modem.ping("x.org", 2)) == [Echo("x.org", 900), Echo("x.org", None)]
    assert modem.lines == ['AT#PINGREMOTE="x.org"', "AT#PINGNUM=2", "AT#VPING", "AT#PING"]


def test_addresses() -> None:
    """Both addresses of a connection are told, by GPRS and by GSM (MTS-DISP-18..20, MTS-GAP-48)."""
    for name in ("Gateway", "PEER"):
        modem = Scripted({"AT#DISPLAYIP": f"\r\nMY IP: 10.0.0.7\r\n\r\n{name} IP: 10.0.0.1\r\n\r\nOK\r\n"})
        assert modem.do(modem.modem.addresses()) == Addresses("10.0.0.7", "10.0.0.1")
