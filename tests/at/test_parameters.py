"""Typed parameters: what they take, what they print, and that the one reads back as the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atrunproto.at.grammar import Argument
from atrunproto.at.parameters import BadValue, Choice, Int, Numbers, Parameter, Text, parseArguments


@pytest.mark.parametrize(
    ("parameter", "legal", "illegal"),
    [
        (Int("n", 0, 2), ["0", "1", "2", "02"], ["3", "-1", "", "1.0", "0x1", "1 ", "+1", "\xb2", "99999999999"]),
        (Int("n", 10, 1200), ["10", "1200"], ["9", "1201"]),
        (Int("n", ranges=[(0, 0), (496, 1420)]), ["0", "496", "1420"], ["1", "495", "1421"]),
        (Int("n", ranges=[(50, 150, 50)]), ["50", "100", "150"], ["51", "200", "0"]),
        (Numbers("n", (0, 1, 8)), ["0", "1", "8"], ["2", "7", "9"]),
        (Text("s", 3), ["", "a", "abc"], ["abcd"]),
        (Text("s", exactly=4), ["abcd"], ["abc", "abcde", ""]),
        (Choice("s", ["IP", "PPP"]), ["IP", "PPP"], ["ip", "", "IPV6"]),
    ],
)
def test_values(parameter: Parameter, legal: list[str], illegal: list[str]) -> None:
    """TEL-GEN-06: a parameter takes the values of its range and refuses all others."""
    for text in legal:
        parameter.parse(Argument(text))
    for text in illegal:
        with pytest.raises(BadValue):
            parameter.parse(Argument(text))


def test_numberInQuotes() -> None:
    """A number in quotes is a string, and refused."""
    with pytest.raises(BadValue):
        Int("n", 0, 9).parse(Argument("1", quoted=True))


def test_numberThatStandsForTheDefault() -> None:
    """A value that stands for the default reads back as the default: C{pktSz} 0 is 300."""
    assert Int("pktSz", 0, 1500, default=300, absent=0).parse(Argument("0")) == 300


def test_stringsQuotedAndBare() -> None:
    """TEL-GEN-08: a string may stand in straight quotes or bare, unless the command demands the quotes."""
    assert Text("s").parse(Argument("ab", quoted=True)) == Text("s").parse(Argument("ab")) == "ab"
    assert Text("s", mustQuote=True).parse(Argument("ab", quoted=True)) == "ab"
    with pytest.raises(BadValue):
        Text("s", mustQuote=True).parse(Argument("ab"))


@pytest.mark.parametrize("text", ["\x93internet\x94", "\xe2\x80\x9cinternet\xe2\x80\x9d", "\xabx\xbb"])
def test_typographicQuotes(text: str) -> None:
    """TEL-GEN-08: the curly quotes of a print, in either encoding, don't pass for quotes nor for a bare string."""
    with pytest.raises(BadValue):
        Text("s").parse(Argument(text))


def test_shown() -> None:
    """A read form prints a string in quotes, unless the row says otherwise, and pads numbers where they are padded."""
    assert Text("s").show("x") == '"x"'
    assert Text("s", shownQuoted=False).show("x") == "x"
    assert Int("n", 0, 99, digits=3).show(7) == "007"


@pytest.mark.parametrize(
    ("parameter", "shown"),
    [
        (Int("n", 0, 2), "(0-2)"),
        (Int("n", 0, 1), "(0,1)"),
        (Int("n", 2, 2), "(2)"),
        (Int("n", ranges=[(0, 0), (496, 1420)]), "(0,496-1420)"),
        (Int("n", ranges=[(0, 1), (5, 5)]), "(0-1,5)"),
        (Numbers("n", (0, 1, 2, 4, 5, 7, 9)), "(0,1,2,4,5,7,9)"),
        (Text("s"), ""),
        (Choice("s", ["IP"]), '"IP"'),
        (Choice("s", ["IP", "PPP"]), '("IP","PPP")'),
    ],
)
def test_ranges(parameter: Parameter, shown: str) -> None:
    """The test form prints the range of each parameter as the modules do."""
    assert parameter.range() == shown


ROW = (Int("a", 0, 9), Int("b", 0, 9, default=5), Text("c", default="x"))


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("1", (1, None, None)),
        ("1,2", (1, 2, None)),
        ("1,,y", (1, None, "y")),
        ("1,2,y", (1, 2, "y")),
    ],
)
def test_omitted(arguments: str, values: tuple[object, ...]) -> None:
    """An argument that is omitted, in the midst or at the end, is told apart from every value."""
    assert parseArguments(ROW, [Argument(text) if text else None for text in arguments.split(",")]) == values


@pytest.mark.parametrize("arguments", ["", ",2", "1,2,y,", "1,2,y,4", "1,z", "x"])
def test_refused(arguments: str) -> None:
    """TEL-GEN-06: a required argument that is missing, one too many, or one out of range fails the command."""
    with pytest.raises(BadValue):
        parseArguments(ROW, [Argument(text) if text else None for text in arguments.split(",")])


_RANGES = st.lists(
    st.tuples(st.integers(0, 70000), st.integers(0, 500)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1,
    max_size=4,
)


@given(_RANGES, st.integers(-5, 80000))
def test_rangeReadsBack(ranges: list[tuple[int, int]], value: int) -> None:
    """The ranges that are printed are those that are taken: a client that reads them can rely on them."""
    parameter = Int("n", ranges=ranges)
    shown = [part.split("-") for part in parameter.range().strip("()").split(",")]
    printed = any(int(part[0]) <= value <= int(part[-1]) for part in shown)
    try:
        assert parameter.parse(Argument(str(value))) == value
    except BadValue:
        assert not printed
    else:
        assert printed


@given(st.text(st.characters(codec="latin-1", exclude_characters='"'), max_size=10))
def test_textReadsBack(text: str) -> None:
    """A string that was taken is shown as it was written."""
    assert Text("s", 10).show(Text("s", 10).parse(Argument(text, quoted=True))) == f'"{text}"'


@given(st.text(), st.booleans())
def test_hostileArguments(text: str, quoted: bool) -> None:
    """Whatever stands in an argument, a parameter takes it or calls it a bad value."""
    for parameter in (Int("n", 0, 255), Numbers("n", (1, 5)), Text("s", 5, exactly=3), Choice("s", ["a"])):
        try:
            value = parameter.parse(Argument(text, quoted))
        except BadValue:
            continue
        assert parameter.parse(Argument(parameter.show(value).strip('"'), quoted)) == value
