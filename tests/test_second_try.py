"""How a test that may try twice is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

_CONFTEST = """
import pytest

pytest_plugins = ["tests.second_try"]

def pytest_configure(config):
    config.addinivalue_line("markers", "e2e: of a browser")

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.e2e)
"""
_TESTS = """
import time

tries = []

def test_steady():
    pass

def test_unsteady():
    tries.append(1)
    assert len(tries) == 2, "not yet"

def test_broken():
    assert not "at all"

def test_hangs():
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _with_the_plugin(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest(_CONFTEST)


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.RunResult:
    pytester.makepyfile(_TESTS)
    return pytester.runpytest_subprocess("--timeout", "1", "-p", "no:cacheprovider")


def test_a_fault_stays_a_failure_and_a_hang_ends_each_time(run: pytest.RunResult) -> None:
    run.assert_outcomes(passed=2, failed=2)
    assert run.ret == pytest.ExitCode.TESTS_FAILED


def test_what_failed_once_is_told_whole(run: pytest.RunResult) -> None:
    run.stdout.fnmatch_lines(["*FAILED ONCE, to be looked into*", "*::test_unsteady*", "*AssertionError: not yet"])
    told = run.stdout.str().split("FAILED ONCE")[1]
    assert "::test_unsteady" in told
    assert "at all" not in told.split("short test summary")[0]


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_broken():\n    assert False\n")
    pytester.runpytest_subprocess("-p", "no:rerunfailures").assert_outcomes(failed=1)
