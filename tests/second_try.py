"""A failed browser test runs once more, and its first failure is reported (docs/decisions/0042)."""

from __future__ import annotations

from typing import Any

import pytest

_TIME_LIMIT = pytest.StashKey[Any]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let browser tests try twice. `-p no:rerunfailures` switches this off."""
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> None:
    item.stash[_TIME_LIMIT] = settings


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without this, the time limit would cover only the first try and end with its failure. A hanging second try would hang for ever."""
    if getattr(item, "execution_count", 1) > 1 and _TIME_LIMIT in item.stash:
        item.config.hook.pytest_timeout_set_timer(item=item, settings=item.stash[_TIME_LIMIT])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in full what failed once and then passed. It is a fault of the test, or of the product on a busy machine."""
    stats = terminalreporter.stats
    failed = {report.nodeid for report in (*stats.get("failed", []), *stats.get("error", []))}
    once = [report for report in stats.get("rerun", []) if report.nodeid not in failed]
    if once:
        terminalreporter.section("FAILED ONCE, to be looked into", sep="=", red=True)
    for report in once:
        terminalreporter.section(report.nodeid, sep="_")
        terminalreporter.line(report.longreprtext)
