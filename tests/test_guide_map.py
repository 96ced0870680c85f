"""docs/guide_map.md is true: its files exist, and every row of the guide has tests named after it on both devices."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = [f"G{number:02}" for number in range(1, 20)] + ["E"]
_LINE = re.compile(r"^\| (?P<row>G\d\d|E) \| [^|]+ \| (?P<code>[^|]+) \| (?P<tests>[^|]+) \|$", re.M)
_PATH = re.compile(r"`([^`]+)`")
TABLE = {match["row"]: match for match in _LINE.finditer((ROOT / "docs/guide_map.md").read_text(encoding="utf-8"))}


def named_after(row: str) -> dict[str, set[Path]]:
    """Each test function with the modules that have it."""
    found: dict[str, set[Path]] = {}
    for path in (ROOT / "tests/e2e").glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith(f"test_{row.lower()}_"):
                found.setdefault(node.name, set()).add(path)
    return found


def test_every_row_of_the_guide_is_in_the_table_once() -> None:
    rows = [match["row"] for match in _LINE.finditer((ROOT / "docs/guide_map.md").read_text(encoding="utf-8"))]

    assert rows == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_what_the_table_names_exists(row: str) -> None:
    paths = _PATH.findall(TABLE[row]["code"]) + _PATH.findall(TABLE[row]["tests"])

    assert len(paths) >= 2
    assert [path for path in paths if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_tests_named_after_it_where_the_table_says(row: str) -> None:
    named = named_after(row)
    said = {ROOT / path for path in _PATH.findall(TABLE[row]["tests"])}

    assert named
    assert all(modules <= said for modules in named.values())


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_walked_on_a_desktop_and_a_phone(row: str) -> None:
    modules = {path for modules in named_after(row).values() for path in modules}

    for path in modules:
        assert 'pytestmark = pytest.mark.parametrize("profile", GUIDE_PROFILES)' in path.read_text(encoding="utf-8")
