"""docs/asvs.md is true: every requirement of OWASP ASVS 5.0.0 has its row, and everything that a row names exists."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
# Section: how many requirements of level 1 and 2 it has, and which of them are of level 1 (OWASP ASVS 5.0.0, May 2025). In some sections,
# requirements of level 3 are between them. There the numbers of level 1 and 2 are listed.
REQUIREMENTS: dict[str, tuple[str, str]] = {
    "3.2": ("1 2", "1 2"),
    "3.3": ("1 2 3 4", "1"),
    "3.4": ("1 2 3 4 5 6", "1 2"),
    "3.5": ("1 2 3 4 5", "1 2 3"),
    "3.7": ("1 2", ""),
    "4.1": ("1 2 3", "1"),
    "4.2": ("1", ""),
    "4.3": ("1 2", ""),
    "4.4": ("1 2 3 4", "1"),
    "6.1": ("1 2 3", "1"),
    "6.2": ("1 2 3 4 5 6 7 8 9 10 11 12", "1 2 3 4 5 6 7 8"),
    "6.3": ("1 2 3 4", "1 2"),
    "6.4": ("1 2 3 4", "1 2"),
    "6.5": ("1 2 3 4 5", ""),
    "6.6": ("1 2 3", ""),
    "6.8": ("1 2 3 4", ""),
    "7.1": ("1 2 3", ""),
    "7.2": ("1 2 3 4", "1 2 3 4"),
    "7.3": ("1 2", ""),
    "7.4": ("1 2 3 4 5", "1 2"),
    "7.5": ("1 2", ""),
    "7.6": ("1 2", ""),
    "8.1": ("1 2", "1"),
    "8.2": ("1 2 3", "1 2"),
    "8.3": ("1", "1"),
    "8.4": ("1", ""),
    "10.1": ("1 2", ""),
    "10.2": ("1 2", ""),
    "10.3": ("1 2 3 4", ""),
    "10.4": ("1 2 3 4 5 6 7 8 9 10 11", "1 2 3 4 5"),
    "10.5": ("1 2 3 4 5", ""),
    "10.6": ("1 2", ""),
    "10.7": ("1 2 3", ""),
    "14.1": ("1 2", ""),
    "14.2": ("1 2 3 4", "1"),
    "14.3": ("1 2 3", "1"),
    "16.1": ("1", ""),
    "16.2": ("1 2 3 4 5", ""),
    "16.3": ("1 2 3 4", ""),
    "16.4": ("1 2 3", ""),
    "16.5": ("1 2 3", ""),
}
ROWS_OF_CHAPTER = {"3": 19, "4": 10, "6": 35, "7": 18, "8": 7, "10": 29, "14": 9, "16": 16}
_ROW = re.compile(
    r"^\| (?P<id>\d+\.\d+\.\d+) \| (?P<level>\d) \| (?P<what>[^|]+) \| (?P<verdict>[^|]+) \| (?P<why>[^|]+) \| (?P<refs>[^|]+) \|$",
    re.M,
)
_NAMED = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"`((?:tests|benchmarks|tools|docs|medonline)/[^`\s]+)`")
ROWS = list(_ROW.finditer(TEXT))
BY_ID = {row["id"]: row for row in ROWS}


@cache
def functions_of(path: Path) -> frozenset[str]:
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_there(named: str) -> bool:
    """Whether a test, module or document exists."""
    path, _, test = named.partition("::")
    file = ROOT / path
    return file.is_file() and (not test or (test.startswith("test_") and test in functions_of(file)))


def test_every_line_of_the_tables_is_a_row() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| id |")]

    assert len(lines) == len(ROWS)


def test_every_requirement_of_both_levels_has_one_row_in_its_order() -> None:
    asked = [f"{section}.{number}" for section, (numbers, _) in REQUIREMENTS.items() for number in numbers.split()]

    assert [row["id"] for row in ROWS] == asked


def test_each_chapter_has_as_many_rows_as_the_standard() -> None:
    assert Counter(row["id"].partition(".")[0] for row in ROWS) == ROWS_OF_CHAPTER
    assert sum(ROWS_OF_CHAPTER.values()) == 143


@pytest.mark.parametrize("section", REQUIREMENTS)
def test_levels_are_those_of_the_standard(section: str) -> None:
    numbers, first = REQUIREMENTS[section]
    of_level_1 = set(first.split())

    for number in numbers.split():
        assert BY_ID[f"{section}.{number}"]["level"] == ("1" if number in of_level_1 else "2")


@pytest.mark.parametrize("requirement", BY_ID)
def test_a_row_says_what_it_must_and_what_it_names_exists(requirement: str) -> None:
    row = BY_ID[requirement]
    named = _NAMED.findall(row["refs"])

    assert row["verdict"] in ("met", "not applicable", "deviation")
    assert named or row["verdict"] == "not applicable"
    assert [one for one in named if not is_there(one)] == []
    if row["verdict"] == "deviation":
        assert "Ends w" in row["why"]  # «when …» or «with …»: says what would end it


def test_the_numbers_at_the_top_are_those_of_the_table() -> None:
    found = Counter(row["verdict"] for row in ROWS)
    said = re.search(r"(\d+) rows, of which (\d+) are met, (\d+) do not apply and (\d+) are deviations", TEXT)

    assert said is not None
    numbers = [int(number) for number in said.groups()]
    assert numbers == [len(ROWS), found["met"], found["not applicable"], found["deviation"]]


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/security_rules.md", "docs/asvs.md"])
def test_what_the_documents_name_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)

    assert [one for one in _PATH.findall(text) if not (is_there(one) or (ROOT / one).is_dir())] == []
    assert [one for one in links if not ((ROOT / document).parent / one).exists()] == []
