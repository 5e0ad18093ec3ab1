"""The displays of Multi-Tech's parameters: each line and its place."""

from __future__ import annotations

import pytest

from atrunproto.multitech.parameters import ROWS
from tests.multitech.modems import OK, Modem, failed

VPHY = """
#ANSWERMODE: 0
#CALLBACKTIMER: 2
#CALLSCREENNUM: "0"
#DIALN1: ""
#DIALN2: ""
#DIALSELECT: 1
#GPRSMODE: 1
#PHYTIMEOUT: 15
#REDIALCOUNT: 5
#REDIALDELAY: 5
#RINGCOUNT: 0
"""
VPPP = """
#ISPUN: "myispun"
#ISPPW: "myisppwd"
#PPPMODE: 1
#PPPMYIP: "0.0.0.0"
#PPPPEERIP: "0.0.0.0"
#PPPSERVUN: "myname"
#PPPSERVPW: "mypasswd"
"""
VGPRS = """
#GPRSCID: 1
#APNPW: "access"
#APNSERV: "a2myoperator.com"
#APNUN: "a2b"
"""
VDNS = """
#DNSSERV1: "0.0.0.0"
#DNSSERV2: "0.0.0.0"
"""
VFTP = """
#FTPGETFILENAME: ""
#FTPGETPATH: "."
#FTPMODE: 0
#FTPPORT: 21
#FTPPUTFILENAME: "Testseb3.txt"
#FTPPUTPATH: "."
#FTPPW: "mypass"
#FTPSERV: "mytestwebsite.com"
#FTPTYPE: I
#FTPUN: "myname"
"""
VPOP3 = """
#POP3HEADERMODE: 1
#POP3PORT: 110
#POP3PW: "mypop3passwd"
#POP3SERV: "pop3server"
#POP3UN: "mypop3un"
"""
VSMTP = """
#DOMAIN: "a2myoper.com"
#SENDERADDR: "toto@myoper.com"
#SENDERNAME: "toto"
#SMTPPORT: 25
#SMTPPW: "mysmtppw"
#SMTPSERV: "smtp.a2myoper.com"
#SMTPUN: "mysmtpun"
"""
VUDP = """
#UDPSERV: ""
#UDPPORT: 0
#UDPTXDELAY: 100
"""
VPING = """
#PINGDELAY: 1
#PINGNUM: 4
#PINGREMOTE: ""
"""
SAMPLES = [("VPHY", VPHY), ("VPPP", VPPP), ("VGPRS", VGPRS), ("VDNS", VDNS), ("VFTP", VFTP), ("VPOP3", VPOP3)]
SAMPLES += [("VSMTP", VSMTP), ("VUDP", VUDP), ("VPING", VPING)]

#: the mnemonics of AT#VALL, block by block, as the requirements list them
BLOCKS = """
ANSWERMODE CALLBACKTIMER CALLSCREENNUM DIALN1 DIALN2 DIALSELECT GPRSMODE PHYTIMEOUT REDIALCOUNT REDIALDELAY RINGCOUNT
ISPUN ISPPW PPPMODE PPPMYIP PPPPEERIP PPPSERVUN PPPSERVPW
GPRSCID APNPW APNSERV APNUN
DNSSERV1 DNSSERV2
FTPSERV FTPPORT FTPMODE FTPUN FTPPW FTPTYPE FTPGETFILENAME FTPGETPATH FTPPUTFILENAME FTPPUTPATH
POP3HEADERMODE POP3PORT POP3PW POP3SERV POP3UN
DOMAIN SENDERADDR SENDERNAME SMTPPORT SMTPPW SMTPSERV SMTPUN
BODY1 CCREC1 REC1 SUBJ1
BODY2 CCREC2 REC2 SUBJ2
BODY3 CCREC3 REC3 SUBJ3
DLEMODE TCPSERV TCPPORT TCPTXDELAY
DLEMODE TCPSERV TCPPORT TCPTXDELAY
UDPPORT UDPSERV UDPTXDELAY
PINGDELAY PINGNUM PINGREMOTE
"""


def asSent(sample: str) -> bytes:
    """The octets of a display, with its OK."""
    return sample.strip().replace("\n", "\r\n").encode() + b"\r\n" + OK


@pytest.mark.parametrize("mode", ["ATV1", "ATV0"])
@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_group(name: str, sample: str, mode: str) -> None:
    """
    A display of one group is what the guide prints, octet by octet, once the values are those of the guide.

    MTS-DISP-01..04, MTS-DISP-06..09, MTS-DISP-11, MTS-DISP-12, MTS-RES-06, MTS-GAP-33.
    """
    modem = Modem()
    for line in sample.strip().split("\n"):
        mnemonic, value = line.split(": ")
        assert mnemonic == "#UDPPORT" or modem.say(f"AT{mnemonic}={value}") == OK
    if mode == "ATV0":
        modem.say(mode)
    assert modem.say(f"AT#{name}") == asSent(sample)


@pytest.mark.parametrize("i", [1, 2, 3])
def test_mail(i: int) -> None:
    """MTS-DISP-05, MTS-GAP-34: the display of a mail has its recipients, copy and subject, and not its body."""
    modem = Modem(f'AT#BODY{i}="body"', f'AT#SUBJ{i}="Test"', f'AT#REC{i}="a@b.c"')
    assert modem.say(f"AT#VMAIL{i}") == asSent(f'#REC{i}: "a@b.c"\n#CCREC{i}: ""\n#SUBJ{i}: "Test"')
    assert modem.say("AT#VMAIL4") == failed(34817)


@pytest.mark.parametrize("i", [1, 2])
def test_socket(i: int) -> None:
    """MTS-DISP-10, MTS-GAP-02: the display of a socket has its number in front of each value."""
    sample = f'#DLEMODE: {i},1\n#TCPSERV: {i},""\n#TCPPORT: {i},0\n#TCPTXDELAY: {i},100'
    assert Modem().say(f"AT#VTCP={i}") == asSent(sample)


def test_all() -> None:
    """
    AT#VALL has a banner, then all parameters in the blocks and the order of the guide, an empty line between blocks.

    MTS-DISP-13..17, MTS-MISC-11, MTS-PAR-14, MTS-GAP-19, MTS-GAP-73.
    """
    answer = Modem().say("AT#VALL").decode()
    assert answer.endswith("\r\n\r\nOK\r\n")
    banner, _, rest = answer.removesuffix("\r\n\r\nOK\r\n").partition("\r\n")
    assert banner == "eDsoft-W302-V03.00"
    blocks = [block.split("\r\n") for block in rest.split("\r\n\r\n")]
    shown = [" ".join(line[1:].partition(":")[0] for line in block) for block in blocks]
    assert shown == BLOCKS.strip().split("\n")
    assert [line.partition(": ")[2][:2] for line in blocks[10]] == ["1,"] * 4
    assert [line.partition(": ")[2][:2] for line in blocks[11]] == ["2,"] * 4


def test_allIsAll() -> None:
    """MTS-MISC-11: no parameter is missing in AT#VALL; the lists of recipients show in their parameter."""
    answer = Modem().say("AT#VALL").decode()
    for row in ROWS:
        assert answer.count(f"#{row.name.removesuffix('ADD')}: ") == (2 if row.perSocket else 1)


def test_passwordsInClear() -> None:
    """MTS-DISP-03: a password is shown as it was written."""
    modem = Modem('AT#ISPPW="secret"')
    assert b'#ISPPW: "secret"\r\n' in modem.say("AT#VPPP")
    assert b'#ISPPW: "secret"\r\n' in modem.say("AT#VALL")
    assert modem.read("ISPPW") == '"secret"'
