"""What Multi-Tech modems say, in every spelling that the guide has."""

from __future__ import annotations

import pytest

from atrunproto.at.errors import PeerViolation
from atrunproto.multitech.answers import (
    Addresses,
    Echo,
    Key,
    Value,
    errorOf,
    messageOf,
    readAddresses,
    readDisplay,
    readEchoes,
    readLine,
    readState,
    readVersion,
)
from atrunproto.multitech.errors import INACTIVE, PPP_CLIENT_FAILED, Message
from atrunproto.multitech.stack import State
from atrunproto.secret import Secret

VALUES: list[tuple[str, Key, Value]] = [
    ('#APNSERV: "internet"', "APNSERV", "internet"),
    ("#PPPMODE: 1", "PPPMODE", 1),
    ('#PINGNUM: "4"', "PINGNUM", 4),
    ('#REC1= "me@example.org"', "REC1", "me@example.org"),
    ('#REC1="me@example.org,you@example.org"', "REC1", "me@example.org,you@example.org"),
    ("#POP3SERV = mail.example.org", "POP3SERV", "mail.example.org"),
    ('#SUBJ1: "a = b: c"', "SUBJ1", "a = b: c"),
    ('#DIALN1: " "', "DIALN1", ""),
    ('#DIALN1: ""', "DIALN1", ""),
    ("#DIALN1:", "DIALN1", ""),
    ('#SENDERNAME: " me "', "SENDERNAME", " me "),
    ("#FTPTYPE: = 1", "FTPTYPE", "I"),
    ("#FTPTYPE: I", "FTPTYPE", "I"),
    ('#FTPTYPE: "a"', "FTPTYPE", "A"),
    ("#DELMODE: 1,1", ("DLEMODE", 1), 1),
    ("#DLEMODE: 2,0", ("DLEMODE", 2), 0),
    ("TCPTXDELAY: 2,100", ("TCPTXDELAY", 2), 100),
    # of a stack with one socket
    ("#TCPPORT: 23", "TCPPORT", 23),
    ('#TCPSERV: ""', "TCPSERV", ""),
    ('#TCPSERV: 2,""', ("TCPSERV", 2), ""),
    ('#TCPSERV: 1 , "10.0.0.1"', ("TCPSERV", 1), "10.0.0.1"),
    ('#ISPPW: "s3cret"', "ISPPW", Secret("s3cret")),
]


@pytest.mark.parametrize(("line", "key", "value"), VALUES)
def test_value(line: str, key: Key, value: Value) -> None:
    """
    A value is the same in each of the guide's spellings.

    MTS-PAR-06, MTS-PAR-07, MTS-DISP-05, MTS-DISP-09, MTS-DISP-10, MTS-GAP-02, MTS-GAP-16, MTS-GAP-19, MTS-GAP-34.
    """
    assert readLine(line) == (key, value)


@pytest.mark.parametrize("line", ["eDsoft-W302-V03.00", "", "OK", "#NOSUCH: 1", "MY IP: 10.0.0.1", '"x" is alive'])
def test_noValue(line: str) -> None:
    """What tells of no parameter is passed over, as the banner of all values is (MTS-DISP-13)."""
    assert readLine(line) is None


@pytest.mark.parametrize("line", ["#PINGNUM: many", "#PINGNUM: ", "#TCPPORT: 1,", "#TCPPORT: 1,x"])
def test_badValue(line: str) -> None:
    """What can't be a value is an error of the modem."""
    with pytest.raises(PeerViolation):
        readLine(line)


def test_secret() -> None:
    """A password that is displayed in clear is kept from logs (MTS-DISP-03)."""
    shown = readDisplay(['#FTPPW: "s3cret"', '#FTPUN: "me"'])
    assert "s3cret" not in repr(shown)
    assert shown["FTPPW"] == Secret("s3cret")


def test_display() -> None:
    """A display is read in any order, and a body of several lines is one value (MTS-DISP-16, MTS-GAP-73)."""
    lines = [
        "eDsoft",
        "#UDPPORT: 7",
        '#BODY1: "one',
        "two",
        'three"',
        '#UDPSERV: ""',
        '#BODY2: "never closed',
        "#PINGNUM: 4",
    ]
    assert readDisplay(lines) == {
        "UDPPORT": 7,
        "BODY1": "one\r\ntwo\r\nthree",
        "UDPSERV": "",
        "BODY2": '"never closed',
        "PINGNUM": 4,
    }


@pytest.mark.parametrize(
    "line",
    [
        '#VERSION: "eDsoft-W302_V01.00 67826 Mar 18 2003 18:42:19"',
        "#VERSION: eDsoft-W302_V01.00 67826 Mar 18 2003 18:42:19",
    ],
)
def test_version(line: str) -> None:
    """The version is told with quotes or without (MTS-MISC-01, MTS-GAP-17)."""
    assert readVersion([line]) == "eDsoft-W302_V01.00 67826 Mar 18 2003 18:42:19"
    with pytest.raises(PeerViolation):
        readVersion([])


@pytest.mark.parametrize("state", State)
def test_state(state: State) -> None:
    """Each state is understood, NO SERVICE in its short form too (MTS-MISC-07, MTS-GAP-18)."""
    for line in (f'#STATE: "{state.value}"', f"#STATE: {state.value}", f"#{state.value}"):
        assert readState([line]) is state
    with pytest.raises(PeerViolation):
        readState(['#STATE: "ASLEEP"'])


@pytest.mark.parametrize("name", ["Gateway IP", "PEER IP", "PEER  IP", "GATEWAY IP "])
def test_addresses(name: str) -> None:
    """The two addresses are read by GSM and by GPRS (MTS-DISP-18, MTS-DISP-20, MTS-GAP-48)."""
    peer = "" if "  " in name else "10.0.0.1"
    assert readAddresses(["MY IP: 10.0.0.7", f"{name}: 10.0.0.1"]) == Addresses("10.0.0.7", peer)
    with pytest.raises(PeerViolation):
        readAddresses([f"{name}: 10.0.0.1"])


def test_echoes() -> None:
    """Replies and their times are told apart from requests without one (MTS-PING-05, MTS-PING-06, MTS-PING-07)."""
    lines = ['"wavecom.com" is alive : time = 900 ms', 'NO answer from "wavecom.com"', '"10.0.0.1" is alive: time=5 ms']
    assert readEchoes(lines) == [Echo("wavecom.com", 900), Echo("wavecom.com", None), Echo("10.0.0.1", 5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((f"{ok}_Info_{each.name.title().replace('_', '')}", each) for ok in ("OK", "Ok") for each in Message),
        *((str(each.value), each) for each in Message),
        ("OK_Info_WaitingForDate", Message.WAITING_FOR_DATA),
        ("OK_WaitingForData", Message.WAITING_FOR_DATA),
        ("PPP OK", Message.PPP),
        ("Ok_Info_Ppp", Message.PPP),
        ("OK_Info_GPRSActivation", Message.GPRS_ACTIVATION),
    ],
)
def test_message(text: str, message: Message) -> None:
    """
    An information message is understood in words of any spelling, and as a number.

    MTS-RES-02, MTS-RES-09, MTS-GAP-05, MTS-GAP-06, MTS-GAP-07, MTS-GAP-08, MTS-GAP-23.
    """
    assert messageOf(text) is message


def test_errorWords() -> None:
    """An error in words is the same as its number (MTS-GAP-22, MTS-GAP-23)."""
    assert (errorOf("TIMEOUT"), errorOf("PPP ERROR"), errorOf("OK")) == (INACTIVE, PPP_CLIENT_FAILED, None)
    assert messageOf("OK") is None
