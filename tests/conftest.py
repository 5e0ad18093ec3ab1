"""What holds for every test: no failure unseen in the log, a folder of its own, and nothing skipped where CI=true."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from unittest import TestCase

import pytest
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

_IN_CI = os.environ.get("CI") == "true"


def _failInsteadOfSkip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that tells the reason."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nnothing may be skipped here, since CI=true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On the continuous check, a test that is skipped has failed."""
    report = yield
    if _IN_CI:
        _failInsteadOfSkip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """On the continuous check, a test module that is skipped as a whole has failed."""
    report = yield
    if _IN_CI:
        _failInsteadOfSkip(report)
    return report


@pytest.fixture(autouse=True)
def ownFolder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in a folder of its own, for trial's C{mktemp} makes its files in the current one."""
    monkeypatch.chdir(tmp_path)


@implementer(ILogObserver)
class _Failures:
    """The failures that were logged, as text."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        """Keep the event if it tells of a failure."""
        if "log_failure" in event:
            self.texts.append(f"{formatEvent(event)}\n{event['log_failure'].getTraceback()}")


@pytest.fixture(autouse=True)
def noFailureLogged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a plain test during which a failure was logged; trial's own test cases look after themselves."""
    if request.cls is not None and issubclass(request.cls, TestCase):
        yield
        return
    failures = _Failures()
    globalLogPublisher.addObserver(failures)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(failures)
    if failures.texts:
        pytest.fail("a failure was logged:\n" + "\n".join(failures.texts), pytrace=False)
