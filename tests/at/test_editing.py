"""The line editor and the readers of data prompts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.editing import REPEAT, TOO_LONG, LineEditor, RawPrompt, TextPrompt
from atrunproto.at.errors import Abandoned
from tests.at.fakes import pieces


def edit(editor: LineEditor, *chunks: bytes) -> tuple[bytes, list[bytes]]:
    """What is echoed to these chunks, and the lines that they make."""
    echo, lines = b"", []
    for chunk in chunks:
        rest = chunk
        while rest:
            echoed, line, rest = editor.take(rest)
            echo += echoed
            if line is not None:
                lines.append(line)
    return echo, lines


@pytest.mark.parametrize(
    ("typed", "echo", "line"),
    [
        (b"AT+CSQ\r", b"AT+CSQ\r", b"AT+CSQ"),
        (b"AT+CSW\bQ\r", b"AT+CSW\b \bQ\r", b"AT+CSQ"),
        (b"\b\bAT\r", b"AT\r", b"AT"),
        (b"ATX\b\b\b\bAT\r", b"ATX\b \b\b \b\b \bAT\r", b"AT"),
        (b"junk\x1bAT\r", b"junkAT\r", b"AT"),
        (b"\nAT\x00\n\r", b"AT\r", b"AT"),
        (b"\x1aAT\x1a\r", b"AT\r", b"AT"),
        (b"AT\xe4\r", b"AT\xe4\r", b"AT\xe4"),
        (b"\r", b"\r", b""),
        (b"xA/\r", b"xA/\r", b"xA/"),
        (b"AT/\r", b"AT/\r", b"AT/"),
    ],
)
def test_line(typed: bytes, echo: bytes, line: bytes) -> None:
    """BS rubs out, ESC starts afresh, LF, NUL and ^Z are as if they weren't there; the rest is echoed as it came."""
    assert edit(LineEditor(80), typed) == (echo, [line])
    assert edit(LineEditor(80), *(typed[at : at + 1] for at in range(len(typed)))) == (echo, [line])


def test_otherCharacters() -> None:
    """S3 ends the line and S5 rubs out, whatever they are; CR is then ignored like LF."""
    editor = LineEditor(80)
    editor.s3, editor.s5 = ord("!"), 127
    assert edit(editor, b"\rAT+CSW\x7fQ\r\n!AT!") == (b"AT+CSW\b \bQ!AT!", [b"AT+CSQ", b"AT"])
    editor.s3 = 10
    assert edit(editor, b"AT\r\n") == (b"AT\n", [b"AT"])


@pytest.mark.parametrize("typed", [b"A/", b"a/", b"\nA/", b"AX\x7f/", b"junk\x1bA/", b"x\x7fA/"])
def test_repeat(typed: bytes) -> None:
    """C{A/} repeats as soon as its slash comes, in one chunk or octet by octet, also after what was rubbed out."""
    for chunks in ([typed + b"AT\r"], [bytes([octet]) for octet in typed + b"AT\r"]):
        editor = LineEditor(80)
        editor.s5 = 127
        assert edit(editor, *chunks)[1] == [REPEAT, b"AT"]


def test_noRepeatInsideALine() -> None:
    """C{A/} counts at the beginning of a line only, and not in the midst of one that is too long."""
    assert edit(LineEditor(80), b"AT", b"A/", b"\r")[1] == [b"ATA/"]
    assert edit(LineEditor(4), b"AT+CSQ", b"A/", b"\r")[1] == [TOO_LONG]


@pytest.mark.parametrize("typed", [b"\x03", b"AT+CS\x03", b"x" * 99 + b"\x03", b"\n\x03"])
def test_claimed(typed: bytes) -> None:
    """A claimed octet is a line by itself, and what was typed before it is dropped; it is echoed as any other."""
    for chunks in ([typed + b"AT\r"], [bytes([octet]) for octet in typed + b"AT\r"]):
        editor = LineEditor(80)
        editor.claim(3, b"#STOP")
        assert edit(editor, *chunks) == (typed.replace(b"\n", b"") + b"AT\r", [b"AT#STOP", b"AT"])


def test_claims() -> None:
    """An octet stands for the lines of all who claim it, each octet for its own, and for itself when none does."""
    editor = LineEditor(80)
    for octet, body in ((3, b"#ONE"), (26, b"#END"), (3, b"#TWO")):
        editor.claim(octet, body)
    assert edit(editor, b"\x03\x1a")[1] == [b"AT#ONE;#TWO", b"AT#END"]
    editor.unclaim(3, b"#ONE")
    editor.unclaim(3, b"#ONE")
    assert edit(editor, b"\x03\x1a")[1] == [b"AT#TWO", b"AT#END"]
    editor.unclaim(3, b"#TWO")
    editor.unclaim(26, b"#END")
    assert edit(editor, b"A\x03T\x1a\r") == (b"A\x03T\r", [b"A\x03T"])


@pytest.mark.parametrize("longest", [80, 400])
def test_longest(longest: int) -> None:
    """A line may be as long as the product says, its terminator not counted; one octet more is too long."""
    line = b"AT" + b"x" * (longest - 2)
    assert edit(LineEditor(longest), line + b"\r")[1] == [line]
    assert edit(LineEditor(longest), line + b"x\rAT\r")[1] == [TOO_LONG, b"AT"]
    assert edit(LineEditor(longest), *(bytes([octet]) for octet in line + b"x\rAT\r"))[1] == [TOO_LONG, b"AT"]


def test_rubOutBeforeTheLimit() -> None:
    """What is rubbed out doesn't count; once too long, a line stays so until it ends or is given up by ESC."""
    assert edit(LineEditor(4), b"ATxx\b\b12\r")[1] == [b"AT12"]
    assert edit(LineEditor(4), b"ATxxx\b\b\b\r")[1] == [TOO_LONG]
    assert edit(LineEditor(4), b"ATxxx\x1bAT\r")[1] == [b"AT"]


def test_unendingLine() -> None:
    """A line that never ends costs no more memory than the longest that is legal."""
    editor = LineEditor(400)
    for _ in range(1000):
        editor.take(b"A" * 1000)
        editor.take(b"\x01" * 1000)
        assert len(editor._held) <= 400
    assert edit(editor, b"\rAT\r")[1] == [TOO_LONG, b"AT"]


_TYPED = st.lists(
    st.sampled_from(
        [b"A", b"/", b"AT", b"a/", b"\b", b"\x1b", b"\r", b"\n", b"\0", b"\x03", b"\x1a", b"\xff", b"x" * 9]
    )
)


@given(_TYPED.map(b"".join), st.lists(st.integers(0, 60)), st.booleans())
def test_anySplit(typed: bytes, cuts: list[int], isClaimed: bool) -> None:
    """However a stream is cut into chunks, echo and lines are the same."""
    cut, whole = LineEditor(12), LineEditor(12)
    if isClaimed:
        cut.claim(3, b"#STOP")
        whole.claim(3, b"#STOP")
    assert edit(cut, *pieces(typed, cuts)) == edit(whole, typed)


def test_textPrompt() -> None:
    """At the text prompt ^Z ends the data, BS deletes, and everything is echoed as it came."""
    prompt = TextPrompt(100)
    assert prompt.take(b"hel") == (b"hel", None, b"")
    assert prompt.take(b"\blo\r\nyou\x1aAT\r") == (b"\blo\r\nyou", b"helo\r\nyou", b"AT\r")


def test_textPromptWithNothingToDelete() -> None:
    """BS before the first octet deletes nothing."""
    assert TextPrompt(100).take(b"\b\ba\x1a") == (b"\b\ba", b"a", b"")


@pytest.mark.parametrize("ending", [b"\r", b"\n"])
def test_lineEndBehindText(ending: bytes) -> None:
    """A client that sends ^Z as a line of its own doesn't begin a command line by its end."""
    assert TextPrompt(100).take(b"a\x1a" + ending + b"AT\r") == (b"a", b"a", b"AT\r")


def test_textGivenUp() -> None:
    """ESC gives the data up, in the midst of a chunk too; what follows is a new line."""
    prompt = TextPrompt(100)
    prompt.take(b"he")
    with pytest.raises(Abandoned) as caught:
        prompt.take(b"llo\x1bAT\r")
    assert (caught.value.echo, caught.value.rest) == (b"llo", b"AT\r")


def test_textBeyondTheLimit() -> None:
    """Of 1030 octets typed 1020 arrive, the surplus is dropped."""
    text = bytes(range(97, 107)) * 103
    assert TextPrompt(1020).take(text + b"\x1a") == (text, text[:1020], b"")


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(
    ("echoes", "shown"), [(True, b"one\r\r\n> \r\r\n> t\bwo"), (False, b"\r\n> \r\n> ")], ids=["echo", "quiet"]
)
def test_textOfSeveralLines(size: int, echoes: bool, shown: bytes) -> None:
    """Each CR of a text shows the prompt again, echoed or not, and belongs to the text."""
    typed, prompt = b"one\r\rt\bwo\x1a", TextPrompt(100, again=True)
    prompt.begin(b"\r\n> ", echoes)
    came, text = b"", None
    for at in range(0, len(typed), size):
        show, text, _ = prompt.take(typed[at : at + size])
        came += show
    assert (came, text) == (shown, b"one\r\rwo")


def test_linesGivenUp() -> None:
    """What was shown for the lines in front of an ESC is told with it."""
    prompt = TextPrompt(100, again=True)
    prompt.begin(b"\r\n> ", True)
    with pytest.raises(Abandoned) as caught:
        prompt.take(b"one\rtwo\x1bAT\r")
    assert (caught.value.echo, caught.value.rest) == (b"one\r\r\n> two", b"AT\r")


def test_surplus() -> None:
    """Whoever must refuse too long a text can tell that it was; what is rubbed out in time isn't too long."""
    prompt = TextPrompt(3)
    assert prompt.take(b"abcdef\b\x1a")[1] == b"abc"
    assert prompt.surplus == 2
    prompt = TextPrompt(3)
    assert prompt.take(b"abcd\b\bx\x1a")[1] == b"abx"
    assert prompt.surplus == 0


@pytest.mark.parametrize("size", [1, 3, 10])
def test_rawPrompt(size: int) -> None:
    """An upload with a byte count takes exactly that many, control characters and all."""
    data, prompt = b"\x1b\x1a\b\r\n\0\xff+AT\r", RawPrompt(9, ">>>")
    echo = b""
    for at in range(0, len(data), size):
        echoed, content, rest = prompt.take(data[at : at + size])
        echo += echoed
        if content is not None:
            break
    assert content == echo == data[:9]
    assert (rest + data[at + size :]) == data[9:]
