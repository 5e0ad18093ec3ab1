"""Tests of L{tools.requirements}."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import requirements

LEDGER = """\
| Number | Requirement |
|---|---|
| TEL-AAA-01 | First. |
| TEL-AAA-02 | Second; see MTS-BBB-09. |
| TEL-AAA-03 | Third. |
| MTS-BBB-01 | Fourth. |
"""

STATUS = """\
[deferred]
"TEL-AAA-*" = "later"
"TEL-AAA-03" = "much later"
"MTS-*" = "other modems"
"""

TESTS = '''\
class TheModule:
    """A helper that names TEL-AAA-03, but is no test."""

class AnswerTests(TestCase):
    """TEL-AAA-01: a class of tests counts as a whole."""

    def test_answer(self):
        """The module answers (TEL-AAA-01..02)."""

async def test_plain():
    """One more test of TEL-AAA-02."""
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one ledger, no tests, and a reason for every row."""
    for folder in ("docs/requirements", "tests/dialogues/telit"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/requirements/some-requirements.md").write_text(LEDGER)
    (tmp_path / "docs/requirements/status.toml").write_text(STATUS)
    return tmp_path


def addTests(checkout: Path) -> None:
    """Add the test module to a checkout."""
    (checkout / "tests/test_some.py").write_text(TESTS)


def addDialogue(checkout: Path, ledger: str = "TEL-AAA-03", due: str = "telit/greeting") -> None:
    """Add one dialogue, and the list of the topics that must pass."""
    text = f"# A greeting\n# topic: greeting\n# ledger: {ledger}\n\nPORT at1\n> AT\n"
    (checkout / "tests/dialogues/telit/greeting-01.txt").write_text(text)
    (checkout / "tests/dialogues/must-pass.txt").write_text(f"# topics\n{due}\n")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("see TEL-AUT-05.", ["TEL-AUT-05"]),
        ("TEL-AUT-05, MTS-RES-01", ["TEL-AUT-05", "MTS-RES-01"]),
        ("(TEL-QOS-09..11)", ["TEL-QOS-09", "TEL-QOS-10", "TEL-QOS-11"]),
        ("XTEL-QOS-01, TEL-QOS-1, TEL-QOS-012", []),
    ],
)
def test_references(text: str, numbers: list[str]) -> None:
    """A text names requirements by number or by range, and nothing else is taken for one."""
    assert list(requirements.references(text)) == numbers


def test_everythingHasAReason(checkout: Path) -> None:
    """Rows without tests pass with a reason, and the more exact reason is the one printed."""
    coverage = requirements.check(checkout)
    assert coverage.errors == []
    assert coverage.tests == {}
    assert coverage.reasons == {
        "TEL-AAA-01": "deferred: later",
        "TEL-AAA-02": "deferred: later",
        "TEL-AAA-03": "deferred: much later",
        "MTS-BBB-01": "deferred: other modems",
    }


def test_docstringsOfTestsCount(checkout: Path) -> None:
    """A row is covered by the tests and classes of tests whose docstrings name it, not by other docstrings."""
    addTests(checkout)
    coverage = requirements.check(checkout)
    assert coverage.errors == []
    assert coverage.tests == {
        "TEL-AAA-01": ["tests/test_some.py::AnswerTests", "tests/test_some.py::AnswerTests::test_answer"],
        "TEL-AAA-02": ["tests/test_some.py::AnswerTests::test_answer", "tests/test_some.py::test_plain"],
    }
    assert coverage.idle == []


def test_dialoguesThatMustPassCount(checkout: Path) -> None:
    """A dialogue covers the rows of its ledger line, and their reasons are told to be no longer needed."""
    addDialogue(checkout)
    coverage = requirements.check(checkout)
    assert coverage.errors == []
    assert coverage.tests == {"TEL-AAA-03": ["tests/dialogues/telit/greeting-01.txt"]}
    assert coverage.idle == ["TEL-AAA-03"]


@pytest.mark.parametrize(("due", "counts"), [("telit/greeting-01", True), ("telit/greet", False), ("greeting", False)])
def test_dialogueListedByItsName(checkout: Path, due: str, counts: bool) -> None:
    """A single dialogue is listed by the beginning of its file's name, up to a hyphen."""
    addDialogue(checkout, due=due)
    coverage = requirements.check(checkout)
    assert ("TEL-AAA-03" in coverage.tests) is counts
    assert (coverage.errors == []) is counts


def test_dialoguesThatNeedNotPassDoNotCount(checkout: Path) -> None:
    """A dialogue whose topic isn't in the list covers nothing."""
    addDialogue(checkout, due="")
    assert requirements.check(checkout).tests == {}


def test_topicWithoutDialogue(checkout: Path) -> None:
    """A topic in the list that no dialogue has is an error."""
    addDialogue(checkout, due="telit/farewell")
    assert requirements.check(checkout).errors == ["must-pass.txt lists telit/farewell, which no dialogue has"]


def test_unknownNumber(checkout: Path) -> None:
    """A test or dialogue that names a number of no ledger is an error."""
    addDialogue(checkout, ledger="TEL-AAA-04")
    expected = ["tests/dialogues/telit/greeting-01.txt names TEL-AAA-04, which no ledger has"]
    assert requirements.check(checkout).errors == expected


def test_rowWithoutTestAndReason(checkout: Path) -> None:
    """A row that has neither a test nor a reason is an error."""
    (checkout / "docs/requirements/status.toml").write_text('[deferred]\n"TEL-*" = "later"\n')
    assert requirements.check(checkout).errors == ["MTS-BBB-01 has neither a test nor a reason in status.toml"]


def test_reasonWithoutRow(checkout: Path) -> None:
    """A reason that matches no row at all is an error."""
    (checkout / "docs/requirements/status.toml").write_text(STATUS + '"TEL-CCC-*" = "later"\n')
    assert requirements.check(checkout).errors == ["status.toml: TEL-CCC-* matches no row"]


def test_rowTwice(checkout: Path) -> None:
    """A number that stands twice in the ledgers is an error."""
    (checkout / "docs/requirements/more-requirements.md").write_text("| MTS-BBB-01 | Again. |\n")
    assert requirements.check(checkout).errors == ["MTS-BBB-01 stands twice in the ledgers"]


def test_lostTest(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that was recorded as covered and has lost its test fails the check, even when it has a reason."""
    addTests(checkout)
    assert requirements.main(["--summary", "--update"], checkout) == 0
    assert (checkout / "docs/requirements/covered.txt").read_text() == "TEL-AAA-01\nTEL-AAA-02\n"
    (checkout / "tests/test_some.py").unlink()
    assert requirements.main(["--summary"], checkout) == 1
    assert "TEL-AAA-02 is recorded in covered.txt, but no test names it any more" in capsys.readouterr().err


def test_recordOnlyGrows(checkout: Path) -> None:
    """Recording keeps the rows that are in the record already, tested or not."""
    (checkout / "docs/requirements/covered.txt").write_text("MTS-BBB-01\n")
    addTests(checkout)
    assert requirements.main(["--update"], checkout) == 1
    assert (checkout / "docs/requirements/covered.txt").read_text() == "TEL-AAA-01\nTEL-AAA-02\nMTS-BBB-01\n"


def test_report(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report prints each row with its test or its reason, then the count."""
    addDialogue(checkout, ledger="TEL-AAA-01")
    assert requirements.main([], checkout) == 0
    assert capsys.readouterr().out.splitlines() == [
        "TEL-AAA-01  tests/dialogues/telit/greeting-01.txt",
        "TEL-AAA-02  -- deferred: later",
        "TEL-AAA-03  -- deferred: much later",
        "MTS-BBB-01  -- deferred: other modems",
        "",
        "1 of 4 rows are covered",
        "    1 deferred: later",
        "    1 deferred: much later",
        "    1 deferred: other modems",
    ]
