"""The grammar of a command line, without any command that knows what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.errors import SAMPLE_LENGTH, PeerViolation
from atrunproto.at.grammar import Argument, Form, ParsedCommand, bodyOf, commandsIn, parse


def one(body: bytes) -> ParsedCommand:
    """The only command of a body."""
    (command,) = parse(body)
    return command


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b"AT", b""),
        (b"AT+CSQ", b"+CSQ"),
        (b"at+csq", b"+csq"),
        (b"At+csq", b"+csq"),
        (b"\x7fxxAT+CSQ", b"+CSQ"),
        (b"+CSQ", None),
        (b"", None),
        (b"A", None),
    ],
)
def test_prefix(line: bytes, body: bytes | None) -> None:
    """A line counts from its C{AT} or C{at} on; noise in front is skipped, and without the prefix it is none."""
    assert bodyOf(line) == body


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (b"+CSQ", ParsedCommand("+CSQ")),
        (b"+CSQ?", ParsedCommand("+CSQ", Form.READ)),
        (b"+CSQ=?", ParsedCommand("+CSQ", Form.TEST)),
        (b"+CMEE=", ParsedCommand("+CMEE", Form.SET, (None,))),
        (b"+CMEE=2", ParsedCommand("+CMEE", Form.SET, (Argument("2"),))),
        (b"#sgact=1,1", ParsedCommand("#SGACT", Form.SET, (Argument("1"), Argument("1")))),
        (b"E0", ParsedCommand("E", Form.SET, (Argument("0"),))),
        (b"e", ParsedCommand("E")),
        (b"&F1", ParsedCommand("&F", Form.SET, (Argument("1"),))),
        (b"\\Q3", ParsedCommand("\\Q", Form.SET, (Argument("3"),))),
        (b"$GPSP=1", ParsedCommand("$GPSP", Form.SET, (Argument("1"),))),
        (b"*x", ParsedCommand("*X")),
        (b"S3?", ParsedCommand("S3", Form.READ)),
        (b"s03=13", ParsedCommand("S3", Form.SET, (Argument("13"),))),
        (b"S3=", ParsedCommand("S3", Form.SET, (None,))),
        (b"S3=?", ParsedCommand("S3", Form.TEST)),
        (b"S3", ParsedCommand("S3")),
        (b"?", ParsedCommand("S", Form.READ)),
        (b"=7", ParsedCommand("S", Form.SET, (Argument("7"),))),
        (b"D*99***1#", ParsedCommand("D", Form.SET, (Argument("*99***1#"),))),
    ],
)
def test_forms(body: bytes, command: ParsedCommand) -> None:
    """TEL-GEN-04: each form of a command is told apart, its name read in either case."""
    assert one(body) == command


def test_registerWithManyZeros() -> None:
    """However many zeros stand in front, the number of an S register counts whole."""
    assert one(b"S0000003?").name == "S3"
    assert one(b"S00000?").name == "S0"
    assert one(b"S12345678?").name == "S12345678"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"+CGMR;+CGSN;+GSN", ["+CGMR", "+CGSN", "+GSN"]),
        (b"E0V1Q0", ["E", "V", "Q"]),
        (b"E0+CSQ;V1", ["E", "+CSQ", "V"]),
        (b"Z&F+CSQ", ["Z", "&F", "+CSQ"]),
        (b"S3?S4?", ["S3", "S4"]),
        (b"S3=13S4=10", ["S3", "S4"]),
        (b"I?", ["I", "S"]),
        (b";+CSQ;;E;", ["+CSQ", "E"]),
        (b"E0DT 12,3;", ["E", "D"]),
        (b'#A="x;y";#B', ["#A", "#B"]),
        (b"", []),
        (b"   ", []),
    ],
)
def test_concatenation(body: bytes, names: list[str]) -> None:
    """TEL-GEN-02: basic commands follow each other directly, the others are separated by semicolons."""
    assert [command.name for command in parse(body)] == names


def test_dialStringTakesTheRest() -> None:
    """A dial string goes to the end of the line, its semicolon included, which asks for a voice call."""
    assert one(b"D0123 45;").arguments == (Argument("012345;"),)


@pytest.mark.parametrize(
    ("spaced", "tight"),
    [
        (b"# SGACT=1,1", b"#SGACT=1,1"),
        (b'#SD = 3 , 0 , 80 , "host"', b'#SD=3,0,80,"host"'),
        (b"#TCPATRUNL =1", b"#TCPATRUNL=1"),
        (b"+CGQMIN= 1,2,0,0,5,4", b"+CGQMIN=1,2,0,0,5,4"),
        (b"#SCFG = 2, 3, 512 ", b"#SCFG=2,3,512"),
        (b" E 0 ; + CSQ ? ", b"E0;+CSQ?"),
    ],
)
def test_blanks(spaced: bytes, tight: bytes) -> None:
    """TEL-GEN-03: blanks outside quotes carry no meaning."""
    assert parse(spaced) == parse(tight)


def test_blanksInQuotes() -> None:
    """TEL-GEN-03: blanks, commas, semicolons and signs inside quotes belong to the string."""
    assert one(b'#X=" a, b;=? ", 1').arguments == (Argument(" a, b;=? ", quoted=True), Argument("1"))


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        (b"#X=1,,3", (Argument("1"), None, Argument("3"))),
        (b"#X=,2", (None, Argument("2"))),
        (b"#X=1,", (Argument("1"), None)),
        (b"#X=", (None,)),
        (b'#X="",b', (Argument("", quoted=True), Argument("b"))),
        (b'#X="1"', (Argument("1", quoted=True),)),
        (b'#X=,"a",', (None, Argument("a", quoted=True), None)),
        (b"#X=aBc,D", (Argument("aBc"), Argument("D"))),
        (b'#X="a=b"', (Argument("a=b", quoted=True),)),
    ],
)
def test_arguments(body: bytes, arguments: tuple[Argument | None, ...]) -> None:
    """Arguments may be quoted, bare or omitted; an empty string is not an omitted one; their case is kept."""
    assert one(body).arguments == arguments


@pytest.mark.parametrize(
    "body",
    [b"#", b"+", b"+;E", b'#X="a', b'#X=a"b"', b'#X="a"b', b"#X!", b"#X?1", b"1", b"&", b"/", b"\xff", b"(", b'"E0"'],
)
def test_malformed(body: bytes) -> None:
    """A malformed line is told with the octets that are wrong."""
    with pytest.raises(PeerViolation):
        parse(body)


def test_commandsBeforeAMalformedOne() -> None:
    """TEL-GEN-02: a line is read from left to right, so that what stands in front of a mistake is given."""
    commands = commandsIn(b"+CSQ;E1;#X=a\x22b\x22;+CGMR")
    assert [next(commands).name, next(commands).name] == ["+CSQ", "E"]
    with pytest.raises(PeerViolation):
        next(commands)


def test_sampleIsShort() -> None:
    """However long a malformed line is, its error carries only as much as a log can bear."""
    with pytest.raises(PeerViolation) as caught:
        parse(b"(" * 100_000)
    assert len(caught.value.data) == SAMPLE_LENGTH


@given(st.binary(max_size=80) | st.text(alphabet='ATSDE+#&;=?," 019ab', max_size=80).map(str.encode))
def test_hostileBytes(body: bytes) -> None:
    """Whatever stands in a line, reading it gives commands or says what is wrong with it."""
    try:
        commands = parse(body)
    except PeerViolation:
        return
    assert all(command.name == command.name.upper() for command in commands)


_BARE = st.text(st.characters(codec="latin-1", exclude_characters='" ,;', exclude_categories=["Cc"]), min_size=1)
_QUOTED = st.text(st.characters(codec="latin-1", exclude_characters='"'))
_ARGUMENT = st.none() | _BARE.map(Argument) | _QUOTED.map(lambda text: Argument(text, quoted=True))
_COMMAND = st.builds(
    ParsedCommand,
    st.from_regex(r"[+#$@*!^][A-Z0-9_]{1,12}", fullmatch=True),
    st.just(Form.SET),
    st.lists(_ARGUMENT, min_size=1, max_size=6).map(tuple),
) | st.builds(
    ParsedCommand,
    st.from_regex(r"[+#$@*!^][A-Z0-9_]{1,12}", fullmatch=True),
    st.sampled_from([Form.EXECUTE, Form.READ, Form.TEST]),
)


@given(st.lists(_COMMAND.filter(lambda command: command.arguments != (Argument("?"),)), max_size=5))
def test_roundTrip(commands: list[ParsedCommand]) -> None:
    """What a command prints reads back as the same command, alone and among others."""
    body = ";".join(map(str, commands)).encode("latin-1")
    assert parse(body) == commands


@pytest.mark.parametrize("body", ["E0", "&F1", "S3=13", "S12?", "?", "=7", "S", "+CMEE=2", "D123;", "+X=?"])
def test_printed(body: str) -> None:
    """A command prints as it is typed, without the C{=} where a basic command has none."""
    assert str(one(body.encode())) == body
