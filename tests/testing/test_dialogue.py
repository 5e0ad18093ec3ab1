"""Dialogue files are read as their format says, and refused with the place and the reason where they aren't."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.testing.dialogue import (
    AnyLines,
    Dialogue,
    DialogueError,
    Event,
    Expect,
    Send,
    parse,
)
from atrunproto.testing.loopback import toLoopback

DIALOGUES = Path(__file__).resolve().parent.parent / "dialogues"

HEADER = """# A title
# source: 003 §1
# kind: transcript
# product: HE863 family
# topic: sample
# ports: at1, tcp
# ledger: TEL-AUT-05, TEL-AUT-06
# note: one
# note: two
"""


def read(body: str, header: str = HEADER) -> Dialogue:
    """The dialogue of a header and a body."""
    return parse(f"{header}\n{body}".encode(), "sample.txt")


@pytest.mark.parametrize("path", sorted(DIALOGUES.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_everyDialogueIsRead(path: Path) -> None:
    """Each dialogue of the collection is read, and its file is named after its topic where files are numbered."""
    dialogue = parse(path.read_bytes(), path.name, toLoopback)
    assert dialogue.steps
    if path.parent.name == "telit":
        assert path.stem.startswith(dialogue.topic + "-")


def test_header() -> None:
    """The header tells what the dialogue is about, what is true round the module and what is typed before."""
    dialogue = read(
        "PORT at1\n> AT\n",
        HEADER
        + "# @world operator I WIND\n# @world address tcp 212.1.2.3:12345\n# @world no firewall rules\n"
        + '# @given at1 AT+CGDCONT=1,"IP","a b"\n# @given b.at1 AT\n# just a remark\n',
    )
    assert (dialogue.title, dialogue.source, dialogue.kind) == ("A title", "003 §1", "transcript")
    assert (dialogue.product, dialogue.topic, dialogue.ports) == ("HE863 family", "sample", ("at1", "tcp"))
    assert (dialogue.ledger, dialogue.notes) == (("TEL-AUT-05", "TEL-AUT-06"), ("one", "two"))
    assert [(fact.word, fact.values) for fact in dialogue.facts] == [
        ("operator", {"name": "I WIND"}),
        ("address tcp", {"address": "212.1.2.3", "number": "12345"}),
        ("no firewall rules", {}),
    ]
    assert [(given.port, given.command) for given in dialogue.given] == [
        ("at1", 'AT+CGDCONT=1,"IP","a b"'),
        ("b.at1", "AT"),
    ]


def test_body() -> None:
    """Lines belong to the port named last; directives stand between them."""
    dialogue = read("# @listen tcp\nPORT at1\n> AT\n...\n< OK  \n\n# a remark\n<? a\\d+\nPORT tcp\n< >\n")
    listen, send, lines, literal, pattern, prompt = dialogue.steps
    assert listen == Event(11, "", "listen", {"target": "tcp"})
    assert send == Send(13, "at1", "AT", ((b"AT\r", False),))
    assert lines == AnyLines(14, "at1")
    assert literal == Expect(15, "at1", "OK")
    assert isinstance(pattern, Expect)
    assert pattern.pattern is not None
    assert pattern.pattern.fullmatch("a12")
    assert prompt == Expect(20, "tcp", ">")


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("> AT", [(b"AT\r", False)]),
        (">", [(b"\r", False)]),
        (">  AT ", [(b" AT \r", False)]),
        (">| AT", [(b"AT", False)]),
        (">| a<CR>b<LF>", [(b"a\rb\n", False)]),
        (">| <CTRL-Z><ESC><ETX><DLE>", [(b"\x1a\x1b\x03\x10", False)]),
        (">| <+++>", [(b"+++", True)]),
        (">| one+++two", [(b"one+++two", False)]),
        (">| a<+++>b", [(b"a", False), (b"+++", True), (b"b", False)]),
        (">| <HTML></HTML>", [(b"<HTML></HTML>", False)]),
        (">| café", [("café".encode(), False)]),
    ],
)
def test_escapes(line: str, pieces: list[tuple[bytes, bool]]) -> None:
    """Escapes stand for octets, the escape sequence is a piece of its own, and any other < is an ordinary character."""
    (send,) = read(f"PORT at1\n{line}\n").steps
    assert isinstance(send, Send)
    assert list(send.pieces) == pieces


def test_escapesOnlyWhereSent() -> None:
    """What looks like an escape in an expected line is text."""
    (expect,) = read("PORT at1\n< <CR><HTML>\n").steps
    assert expect == Expect(12, "at1", "<CR><HTML>")


@pytest.mark.parametrize(
    ("line", "word", "values"),
    [
        (
            "# @connect sock2 from 1.2.3.4 port 99 udp",
            "connect",
            {"target": "sock2", "address": "1.2.3.4", "number": "99", "udp": "udp"},
        ),
        ("# @connect tcp", "connect", {"target": "tcp"}),
        ("# @dropped tcp", "dropped", {"target": "tcp"}),
        ("# @unlisten tcp", "unlisten", {"target": "tcp"}),
        ("# @accept tcp", "accept", {"target": "tcp"}),
        ("# @close sock", "close", {"target": "sock"}),
        ("# @close smtp", "close", {"target": "smtp"}),
        ("# @closed sock", "closed", {"target": "sock"}),
        ("# @vanish tcp", "vanish", {"target": "tcp"}),
        ("# @reset sock", "reset", {"target": "sock"}),
        (
            "# @refused sock2 from 1.2.3.4 port 9",
            "refused",
            {"target": "sock2", "address": "1.2.3.4", "number": "9"},
        ),
        ("# @silent sock 0.4", "silent", {"target": "sock", "seconds": "0.4"}),
        ("# @wait 120", "wait", {"seconds": "120"}),
        ("# @reboot", "reboot", {}),
        ("# @power cycle", "power cycle", {}),
        ("# @network deactivate 1", "network deactivate", {"cid": "1"}),
        ("# @ppp open", "ppp open", {}),
        ("# @ppp close", "ppp close", {}),
        ("# @ftp has a.txt one<CR><LF>", "ftp has", {"path": "a.txt", "content": "one<CR><LF>"}),
        ("# @ftp used TYPE A", "ftp used", {"what": "TYPE A"}),
        ("# @ftp unused PASV", "ftp unused", {"what": "PASV"}),
        ("# @smtp has rcpt=a@b", "smtp has", {"text": "rcpt=a@b"}),
        ("# @smtp used AUTH", "smtp used", {"what": "AUTH"}),
        ("# @smtp unused", "smtp unused", {"what": ""}),
    ],
)
def test_directives(line: str, word: str, values: dict[str, str]) -> None:
    """Each directive of the format is read with what it is given."""
    assert read(f"PORT at1\n{line}\n").steps == (Event(12, "at1", word, values),)


@pytest.mark.parametrize(
    "line", ["< OK", "<? OK", "# @accept tcp", "# @closed tcp", "# @reboot", '# @smtp has body "x"']
)
def test_within(line: str) -> None:
    """A time limit belongs to the next expectation or event, whatever is sent or waited for in between."""
    last = read(f"PORT at1\n# @within 180\n> AT\n# @wait 2\n# @silent at1 3\n{line}\n< again\n").steps[3:]
    assert [getattr(step, "within", None) for step in last] == [180.0, None]


def test_rebootLimit() -> None:
    """A restart may say how long it may take."""
    (reboot,) = read("# @reboot within 90\n").steps
    assert isinstance(reboot, Event)
    assert reboot.within == 90.0


@pytest.mark.parametrize(
    ("body", "line", "what"),
    [
        ("> AT\n", 11, "no PORT line"),
        ("PORT at9\n", 11, "unknown port 'at9'"),
        ("PORT at1\nAT\n", 12, "begins with 'AT'"),
        ("PORT at1\n>AT\n", 12, "begins with '>AT'"),
        ("PORT at1\n>|\n", 12, "without anything to send"),
        ("PORT at1\n<\n", 12, "blank lines are ignored"),
        ("PORT at1\n<?  \n", 12, "blank lines are ignored"),
        ("PORT at1\n<? a(b\n", 12, "not a regular expression"),
        ("PORT at1\n# @frob tcp\n", 12, "unknown directive 'frob tcp'"),
        ("PORT at1\n# @wait long\n", 12, "expected `wait SECONDS`"),
        ("PORT at1\n# @connect at1 to 1.2.3.4\n", 12, "expected `connect PORT"),
        ("PORT at1\n# @connect tcp from 1.2.3.400\n", 12, "1.2.3.400 is not an address"),
        ("PORT at1\n# @connect tcp port 70000\n", 12, "70000 is not a port number"),
        ("PORT at1\n# @world factory state\n", 12, "unknown directive 'world factory state'"),
        ("PORT at1\n> AT\n# @within 5\n", 13, "nothing behind it that it could limit"),
        ("PORT at1\n# @within 5\n# @within 6\n< OK\n", 13, "a second @within"),
        ("PORT at1\n> AT\r\n", 12, "LF alone"),
        ("", 11, "no body"),
    ],
)
def test_errorsInTheBody(body: str, line: int, what: str) -> None:
    """What isn't in the format is refused with file, line and reason."""
    with pytest.raises(DialogueError) as caught:
        read(body)
    assert str(caught.value).startswith(f"sample.txt:{line}: ")
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("header", "line", "what"),
    [
        (HEADER.replace("# topic: sample\n", ""), 9, "no line `# topic:`"),
        (HEADER.replace("# A title", "#"), 1, "the first line is the title"),
        (HEADER.replace("transcript", "rumour"), 3, "the kind is transcript or derived, not 'rumour'"),
        (HEADER.replace("sample", ""), 5, "`# topic:` is empty"),
        (HEADER + "# topic: other\n", 10, "a second line `# topic:`"),
        (HEADER + "PORT at1\n", 10, "the header has comment lines only"),
        (HEADER + "# @connect tcp\n", 10, "@connect stands in the header"),
        (HEADER + "# @world sunny\n", 10, "unknown fact 'sunny'"),
        (HEADER + "# @world cells many\n", 10, "expected `cells N`"),
        (HEADER + "# @given tcp AT\n", 10, "unknown port 'tcp'"),
        (HEADER + "# @given at1\n", 10, "expected `@given PORT COMMAND`"),
    ],
)
def test_errorsInTheHeader(header: str, line: int, what: str) -> None:
    """What a header lacks, or says twice or wrongly, is told with its line."""
    with pytest.raises(DialogueError) as caught:
        read("PORT at1\n> AT\n", header)
    assert str(caught.value).startswith(f"sample.txt:{line}: ")
    assert what in str(caught.value)


def test_notText() -> None:
    """Octets that aren't UTF-8, and files beyond any exchange, are refused."""
    with pytest.raises(DialogueError, match=r"x:2: not UTF-8"):
        parse(b"# title\n\xff", "x")
    with pytest.raises(DialogueError, match="longer than"):
        parse(b"#" * (1 << 21), "x")


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_hostileFile(data: bytes) -> None:
    """Whatever a file holds, it is read or refused with the one error."""
    with contextlib.suppress(DialogueError):
        assert parse(data, "hostile").steps


_TOKENS = [
    "PORT at1",
    "> AT",
    ">| <+++>",
    "<? (",
    "<? [a-",
    "< OK",
    "...",
    "# @",
    "# @wait 1",
    "# @connect",
    "",
    "# @within 1",
]


@given(st.lists(st.sampled_from(_TOKENS) | st.text(max_size=12), max_size=12))
def test_hostileBody(lines: list[str]) -> None:
    """A sound header with anything behind it is read or refused with the one error."""
    with contextlib.suppress(DialogueError):
        assert read("\n".join(lines)).steps


@pytest.mark.parametrize(
    ("line", "mapped"),
    [
        (
            'AT#TCPATRUNFRWL=1,"212.141.112.216","255.255.255.255"',
            'AT#TCPATRUNFRWL=1,"127.141.112.216","255.255.255.255"',
        ),
        ("0.0.0.0", "0.0.0.0"),
        ("@world address tcp 212.141.125.127:12345", "@world address tcp 127.141.125.127:12345"),
        (r'"?217\.0\.0\.0"?,"?255\.0\.0\.0"?', r'"?127\.0\.0\.0"?,"?255\.0\.0\.0"?'),
        (r"\b217[.]1[.]2[.]3\b", r"\b127[.]1[.]2[.]3\b"),
        ("http://88.37.127.146/", "http://127.37.127.146/"),
        ("at 10.0.0.1, then 10.0.0.2.", "at 127.0.0.1, then 127.0.0.2."),
        (r"\d{1,3}(\.\d{1,3}){3}", r"\d{1,3}(\.\d{1,3}){3}"),
        ("1.2.3", "1.2.3"),
        ("1.2.3.4.5", "1.2.3.4.5"),
        (r"1\.2\.3\.4\.5", r"1\.2\.3\.4\.5"),
        ("300.1.2.3", "300.1.2.3"),
        ("12.00.004.1", "12.00.004.1"),
        ("v1.2.3.4", "v1.2.3.4"),
        ("1.2.3.4b", "1.2.3.4b"),
        ("07919333851805320011", "07919333851805320011"),
    ],
)
def test_addressesOnOneMachine(line: str, mapped: str) -> None:
    """Complete addresses move to the loopback net, also inside an expression; masks, versions and digits stay."""
    assert toLoopback(line) == mapped
