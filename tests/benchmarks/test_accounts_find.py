"""The benchmark of `accounts find` finds who is there, and says so when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import accounts_find
from benchmarks.accounts_find import SMALLEST, measured


def test_searches_find_the_one_account(tmp_path: Path) -> None:
    found = measured(tmp_path, SMALLEST, rounds=1)

    assert found["wrong"] == []
    assert set(found["searches"]) == {"phone", "id", "name", "nobody"}


def test_a_search_that_finds_another_number_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = {"searches": {}, "over_idle_mb": 0.0, "command_s": 0.0, "wrong": ["phone"]}
    monkeypatch.setattr(accounts_find, "measured", lambda *_: found)
    monkeypatch.setattr("sys.argv", ["accounts_find", "--json", str(tmp_path / "found.json")])

    assert accounts_find.main() == 1
