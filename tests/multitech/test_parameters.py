"""The commands of Multi-Tech's parameters: how values are written and read, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from atrunproto.at.errors import CommandFailed
from atrunproto.emulator.nvm import NVM
from atrunproto.multitech.errors import BAD_CONFIGURATION
from atrunproto.multitech.parameters import BY_NAME, ROWS, Kind, Parameters, Row
from atrunproto.multitech.stack import Stack
from tests.multitech.modems import OK, Modem, failed

NUMBERS = [row for row in ROWS if row.kind in (Kind.INT, Kind.ENUM) and row.low is not None]
TEXTS = [row for row in ROWS if row.kind is Kind.STRING]
PLAIN = [row for row in ROWS if not row.perSocket and not row.name.endswith("ADD")]
SOCKETS = [row for row in ROWS if row.perSocket]


def write(row: Row, value: object) -> str:
    """A line that gives a parameter a value, of the first socket where each has its own."""
    return f"AT#{row.name}={'1,' if row.perSocket else ''}{value}"


def look(modem: Modem, row: Row) -> str:
    """The value of a parameter, of the first socket where each has its own."""
    answer = modem.say(f"AT#{row.name}=1" if row.perSocket else f"AT#{row.name}?").decode()
    head = f"#{row.name}: {'1,' if row.perSocket else ''}"
    assert answer.startswith(head)
    assert answer.endswith("\r\n\r\nOK\r\n")
    return answer.removeprefix(head).removesuffix("\r\n\r\nOK\r\n")


def limits(row: Row) -> Iterator[tuple[int, bool]]:
    """Values at the ends of a range and just beside them, with whether each is allowed."""
    low, high, step = row.low or 0, row.high or 0, row.step or 1
    allowed = set(row.values) or {*range(low, high + 1, step)}
    allowed |= {0} if row.name == "REDIALDELAY" else set()
    for value in sorted({0, low - 1, low, low + 1, low + step, 5, 8, high - 1, high, high + 1, high + step}):
        if value >= 0:
            yield value, value in allowed


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
def test_range(row: Row) -> None:
    """
    A number is taken within its range and in its steps, and otherwise refused by 34882, the old one being kept.

    MTS-PAR-08, MTS-PAR-16, MTS-ERR-05, MTS-DIAL-01, MTS-DIAL-16, MTS-DIAL-21, MTS-GAP-20, MTS-GAP-21, MTS-GAP-36.
    """
    modem = Modem()
    assert look(modem, row) == str(row.default)
    for value, isAllowed in limits(row):
        before = look(modem, row)
        answer = modem.say(write(row, value))
        assert answer == (OK if isAllowed else failed(34882)), value
        assert look(modem, row) == (str(value) if isAllowed else before)


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
def test_noNumber(row: Row) -> None:
    """What is no number is refused where a number is wanted; quotes round one are let pass (MTS-PAR-05)."""
    modem = Modem()
    for value in ("x", "-1", "1.0", '"x"', '""', "123456789", "1x"):
        assert modem.say(write(row, value)) == failed(34882), value
    assert modem.say(write(row, f'"{row.high}"')) == OK
    assert look(modem, row) == str(row.high)


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row.name)
def test_text(row: Row) -> None:
    """
    A text is kept up to its length and shown in quotes; one that is longer is refused, the old one being kept.

    MTS-PAR-04, MTS-PAR-06, MTS-PAR-17, MTS-PAR-18, MTS-GAP-14, MTS-DIAL-12, MTS-DIAL-13, MTS-DIAL-20.
    """
    modem = Modem()
    assert look(modem, row) == f'"{row.default}"'
    longest = row.longest or 120
    text = "server.example " * 10
    assert modem.say(write(row, f'"{text[:longest]}"')) == OK
    assert look(modem, row) == f'"{text[:longest]}"'
    if row.longest is not None:
        assert modem.say(write(row, f'"{text[: longest + 1]}"')) == failed(34882)
        assert look(modem, row) == f'"{text[:longest]}"'
    assert modem.say(write(row, '""')) == OK
    assert look(modem, row) == '""'


@pytest.mark.parametrize("name", ["PPPMYIP", "PPPPEERIP", "DNSSERV1", "DNSSERV2"])
def test_address(name: str) -> None:
    """MTS-DIAL-17, MTS-DIAL-18, MTS-GAP-57: an address has four parts up to 255, and shows in quotes."""
    modem = Modem()
    assert modem.read(name) == '"0.0.0.0"'
    for bad in ("1.2.3", "1.2.3.4.5", "1.2.3.256", "a.b.c.d", "", "1.2.3.", "1.2.3.0004", "-1.2.3.4"):
        assert modem.say(f'AT#{name}="{bad}"') == failed(34882), bad
    assert modem.say(f'AT#{name}="192.168.255.1"') == OK
    assert modem.read(name) == '"192.168.255.1"'


def test_fileType() -> None:
    """MTS-GAP-16: the type of an FTP file is a letter in any case, with quotes or without, and shows bare."""
    modem = Modem()
    assert modem.read("FTPTYPE") == "I"
    for given, shown in (("A", "A"), ("i", "I"), ('"a"', "A"), ('"I"', "I")):
        assert modem.say(f"AT#FTPTYPE={given}") == OK
        assert modem.read("FTPTYPE") == shown
    for bad in ("E", "AI", "1", '""'):
        assert modem.say(f"AT#FTPTYPE={bad}") == failed(34882), bad


@pytest.mark.parametrize("prefix", ["AT", "at"])
@pytest.mark.parametrize("name", ["#PPPMODE", "#pppmode", "#pppMode"])
def test_anyCase(prefix: str, name: str) -> None:
    """MTS-PAR-01, MTS-PAR-02, MTS-PAR-03: prefix and mnemonic may be written in any case."""
    modem = Modem()
    assert modem.say(f"{prefix}{name}=2") == OK
    assert modem.say(f"{prefix}{name}?") == b"#PPPMODE: 2\r\n" + OK


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('AT#POP3PW = "pass word"', '"pass word"'),
        ('AT#POP3PW= "pass word"', '"pass word"'),
        ('AT #POP3PW ="pass word"', '"pass word"'),
        ("AT#POP3PW= a@b.c", '"a@b.c"'),
        ('AT#POP3PW="a,b;c=?"', '"a,b;c=?"'),
        ('AT#POP3PW=" "', '" "'),
        ("AT# POP3PW = abc ", '"abc"'),
    ],
)
def test_blanks(line: str, value: str) -> None:
    """MTS-PAR-21, MTS-GAP-12, MTS-GAP-13: blanks round the equals sign don't count, those within quotes do."""
    modem = Modem()
    assert modem.say(line) == OK
    assert modem.read("POP3PW") == value


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("AT#NOSUCHNAME=1", 34817),
        ("AT#TCPPOINT=1,23", 34817),
        ("AT#LTCPTXDELAY=1,20", 34817),
        ("AT#DELMODE=1,1", 34817),
        ("AT#POP3PPORT?", 34817),
        ("AT#SMTPPUN?", 34817),
        ("AT#IPSPW?", 34817),
        ("AT#UDPSTOP", 34817),
        ("AT#FOO 1", 34817),
        ("AT#FOO;#VTCP 1", 34817),
        ("AT#DIALSELECT", 34819),
        ("AT#DIALSELECT 1", 34819),
        ("AT#DIALSELECT=", 34819),
        ("AT#DIALSELECT=1,1", 34819),
        ("AT#DIALSELECT=?", 34819),
        ('AT#APNSERV="open', 34819),
        ('AT#APNSERV="a"b', 34819),
        ("AT#APNSERV=a,b", 34819),
        ("AT#APNSERV=a b", 34819),
        ("AT#APNSERV=", 34819),
        ("AT#APNSERV!", 34819),
        ("AT#TCPPORT", 34819),
        ("AT#TCPPORT?", 34819),
        ("AT#TCPPORT=1,2,3", 34819),
        ("AT#TCPPORT=1,", 34819),
        ("AT#TCPPORT=", 34819),
        ("AT#VTCP", 34819),
        ("AT#VTCP?", 34819),
        ("AT#VTCP=1,1", 34819),
        ("AT#REC1ADD?", 34819),
        ('AT#REC1ADD="a@b"', 34819),
        ("AT#TCPPORT=0", 34882),
        ("AT#TCPPORT=3,1", 34882),
        ("AT#VTCP=3", 34882),
        ("AT#VTCP=x", 34882),
        ("AT#SMTPPORT=65536", 34882),
        ("AT#SMTPPORT=000025", 34882),
        ('AT#SUBJ1="' + "x" * 520 + '"', 34881),
    ],
)
def test_wrongCommands(line: str, number: int) -> None:
    """
    What is wrong with a command shows in the number, and nothing is shown after it.

    MTS-PAR-19, MTS-ERR-01, MTS-ERR-02, MTS-ERR-04, MTS-ERR-47, MTS-OPEN-08, MTS-GAP-02, MTS-GAP-03, MTS-GAP-09,
    MTS-GAP-32, MTS-GAP-35, MTS-GAP-46.
    """
    assert Modem().say(line) == failed(number)


def test_blanksBetweenArguments() -> None:
    """MTS-GAP-12: blanks round a comma don't count, and commands of one line may stand apart."""
    modem = Modem()
    assert modem.say('AT#TCPPORT = 1 , 23 ; #TCPSERV= 1 , "a b"') == OK
    assert modem.say("AT#VTCP=1").startswith(b'#DLEMODE: 1,1\r\n#TCPSERV: 1,"a b"\r\n#TCPPORT: 1,23\r\n')


def test_longestLine() -> None:
    """MTS-GAP-14: a line of 512 characters is looked at, and one of 513 isn't."""
    modem = Modem()
    line = 'AT#SUBJ1="' + "x" * 501 + '"'
    assert len(line) == 512
    assert modem.say(line) == failed(34882)
    assert modem.say(line + " ") == failed(34881)
    assert modem.read("SUBJ1") == '""'


@pytest.mark.parametrize("row", SOCKETS, ids=lambda row: row.name)
def test_sockets(row: Row) -> None:
    """MTS-PAR-07, MTS-OPEN-08: each socket has its own value, which is read by its number alone."""
    modem = Modem()
    values = {1: "0", 2: "1"} if row.high == 1 else {1: "20", 2: "40"}
    quote = '"' if row.kind is Kind.STRING else ""
    for socket, value in values.items():
        assert modem.say(f'AT#{row.name}={socket},"{value}"') == OK
    for socket, value in values.items():
        shown = f"#{row.name}: {socket},{quote}{value}{quote}\r\n".encode()
        assert modem.say(f"AT#{row.name}={socket}") == shown + OK
        assert modem.say(f'AT#{row.name}="{socket}"') == shown + OK


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.name)
def test_survivesARestart(row: Row) -> None:
    """MTS-PAR-09, MTS-GAP-61: a value outlives a power cut without any further command."""
    modem = Modem()
    value = {"FTPTYPE": "A"}.get(row.name, '"1.2.3.4"' if row.kind is Kind.IP else '"text"')
    modem.say(f"AT#{row.name}={row.high if row.high else value}")
    written = modem.read(row.name)
    assert written.strip('"') != str(row.default) or row.high == row.default
    modem.restart()
    assert modem.read(row.name) == written


def test_restartOfAFile(tmp_path: Path) -> None:
    """MTS-PAR-09: values in a file outlive the process, those of both sockets and of ten recipients too."""
    modem = Modem("AT#TCPPORT=2,7", nvm=NVM(tmp_path / "modem.nvm"))
    modem.say("AT#REC1ADD")
    modem.say("\r\n".join(f"{'x' * 110}{i}@d.com" for i in range(10)), "\x1a")
    other = Modem(nvm=NVM(tmp_path / "modem.nvm"))
    assert other.say("AT#TCPPORT=2") == b"#TCPPORT: 2,7\r\n" + OK
    assert len(Parameters(other.module.settings).recipients(1)) == 10


def test_memoryFailure(tmp_path: Path) -> None:
    """MTS-ERR-03: a value that can't be written to the memory is refused by 34824, and isn't in force."""
    folder = tmp_path / "memory"
    folder.mkdir()
    modem = Modem("AT#PINGNUM=5", nvm=NVM(folder / "modem.nvm"))
    (folder / "modem.nvm").unlink()
    folder.rmdir()
    for line in ("AT#PINGNUM=9", "AT#DELFLASH", 'AT#SUBJ1="x"'):
        assert modem.say(line) == failed(34824)
    modem.say("AT#BODY1")
    assert modem.say("text", "\x1a") == b"" + failed(34824)
    assert [modem.read(name) for name in ("PINGNUM", "SUBJ1", "BODY1")] == ["5", '""', '""']


@pytest.mark.parametrize("line", ["AT#FTPPORT=2121", "AT#TCPPORT=1,5", "AT#BODY1", "AT#REC1ADD", 'AT#BODY1="x"'])
def test_whileAServiceRuns(line: str) -> None:
    """MTS-PAR-11, MTS-PAR-12, MTS-ERR-20, MTS-GAP-58: while a service runs nothing can be written, but all be read."""
    modem = Modem()
    claim = modem.module.part(Stack).claim("a listener")
    assert modem.say(line) == failed(37123)
    assert modem.read("FTPPORT") == "21"
    assert modem.say("AT#VTCP=1").endswith(OK)
    assert modem.say("AT#FTPPORT=65536") == failed(34882)
    claim.release()
    assert modem.say("AT#FTPPORT=2121") == OK


def test_body() -> None:
    """MTS-MAIL-10, MTS-GAP-40: a body is typed behind its command without a prompt, up to ^Z, and reads back."""
    modem = Modem()
    assert modem.say("AT#BODY1") == b""
    assert modem.say("Text ", "") == b""
    assert modem.say("string", "\x1a") == OK
    assert modem.read("BODY1") == '"Text string"'
    assert modem.say('AT#BODY2="another"') == OK
    assert modem.read("BODY2") == '"another"'
    modem.say("AT#BODY3")
    assert modem.say("two\r\nlines", "\x1a") == OK
    assert modem.read("BODY3") == '"two\r\nlines"'


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_endOfTheLastLine(end: str) -> None:
    """MTS-GAP-40: the end of the last line in front of ^Z is no part of a body, be it as long as it may be."""
    modem = Modem()
    for text in ("one\r\ntwo", "x" * 120, ""):
        modem.say("AT#BODY1")
        assert modem.say(text + end, "\x1a") == OK
        assert modem.read("BODY1") == f'"{text}"'
    modem.say("AT#BODY1")
    assert modem.say("one\r\n\r\n", "\x1a") == OK
    assert modem.read("BODY1") == '"one\r\n"'


def test_echoOfABody() -> None:
    """MTS-PAR-20, MTS-SER-03: what is typed is echoed as ATE says, in a body as on a command line."""
    modem = Modem("ATE1")
    assert modem.say("AT#BODY1") == b"AT#BODY1\r"
    assert modem.say("text", "\x1a") == b"text" + OK


def test_longBody() -> None:
    """MTS-GAP-40: a body of more than 120 characters is refused, and the old one stays."""
    modem = Modem('AT#BODY1="old"')
    modem.say("AT#BODY1")
    assert modem.say("x" * 121, "\x1a") == failed(34882)
    assert modem.read("BODY1") == '"old"'
    modem.say("AT#BODY1")
    assert modem.say("x" * 120, "\x1a") == OK
    assert modem.read("BODY1") == f'"{"x" * 120}"'


@pytest.mark.parametrize("command", ["BODY1", "REC1ADD"])
def test_givingUp(command: str) -> None:
    """ESC ends the entry of lines, and leaves what there was."""
    modem = Modem('AT#BODY1="old"', 'AT#REC1="old"')
    modem.say(f"AT#{command}")
    assert modem.say("new", "\x1b") == OK
    assert [modem.read(name) for name in ("BODY1", "REC1")] == ['"old"', '"old"']


def test_recipients() -> None:
    """MTS-MAIL-05, MTS-MAIL-06, MTS-MAIL-07: entered lines replace all recipients, and a single one does too."""
    modem = Modem('AT#REC2="old@d.com"')
    view = Parameters(modem.module.settings)
    assert view.recipients(1) == []
    assert view.recipients(2) == ["old@d.com"]
    assert modem.say("AT#REC2ADD") == b""
    assert modem.say("Email1@domain.fr\r\nEmail2@domain.com\r\n", "\x1a") == OK
    assert view.recipients(2) == ["Email1@domain.fr", "Email2@domain.com"]
    assert modem.read("REC2") == '"Email1@domain.fr,Email2@domain.com"'
    assert modem.say('AT#REC2="one@d.com"') == OK
    assert view.recipients(2) == ["one@d.com"]
    assert view.recipients(1) == []


def test_tenRecipients() -> None:
    """MTS-MAIL-08: the eleventh recipient and those behind it are ignored, however many there are."""
    modem = Modem()
    modem.say("AT#REC1ADD")
    assert modem.say("\r\n".join(f"a{i}@d.com" for i in range(1, 1000)), "\x1a") == OK
    assert Parameters(modem.module.settings).recipients(1) == [f"a{i}@d.com" for i in range(1, 11)]


def test_longRecipient() -> None:
    """MTS-MAIL-05: each recipient may have 120 characters; of one that has more, all are refused."""
    modem = Modem('AT#REC1="old"')
    for length, answer in ((121, failed(34882)), (120, OK)):
        modem.say("AT#REC1ADD")
        assert modem.say("a@b\r\n" + "x" * length, "\x1a") == answer
    assert Parameters(modem.module.settings).recipients(1) == ["a@b", "x" * 120]


def test_view() -> None:
    """A service reads a parameter by its name, of a socket with its number."""
    modem = Modem("AT#TCPPORT=2,7", 'AT#FTPSERV="host"')
    view = Parameters(modem.module.settings)
    assert (view["FTPSERV"], view["FTPPORT"], view["TCPPORT", 1], view["TCPPORT", 2]) == ("host", 21, 0, 7)
    assert (view.needed("FTPSERV"), view.needed(("TCPPORT", 2))) == ("host", 7)
    for name in ("FTPUN", ("TCPPORT", 1), ("TCPSERV", 2), "UDPPORT"):
        with pytest.raises(CommandFailed) as raised:
            view.needed(name)
        assert raised.value.reason == BAD_CONFIGURATION
    with pytest.raises(KeyError):
        view["NOSUCHNAME"]


def test_passwords() -> None:
    """What holds a password is marked as such, so that it gets into no log and no manual."""
    rows = Modem().module.commands.rows
    secret = {name for name in BY_NAME if rows[f"#{name}"].secret}
    assert secret == {"ISPPW", "PPPSERVPW", "APNPW", "FTPPW", "POP3PW", "SMTPPW"}
