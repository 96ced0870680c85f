"""docs/architecture.md is true: its pictures are the real imports, its table matches `git ls-files`, its walks exist."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TypeAlias

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ROOT / "medonline"
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.M)[1:]}
NOUNS = [
    *("password_recovery", "login", "account_sessions", "gosuslugi", "account_settings", "patient_cards"),
    *("security_journal", "notices", "account_dispute", "codes", "limits", "passwords"),
    "low_vision",
    "passkeys",
]
WALKS = tuple(title for title in SECTIONS if title.startswith("One ") and title != "One noun per flow")
MOST_STOPS = 12

Arrows: TypeAlias = set[tuple[str, str]]

_BOX = re.compile(r'(?P<id>\w+)(?:\["(?P<label>[^"]+)"\])?')
_FRAME = re.compile(r"subgraph (?P<id>\w+)\[")
_STOP = re.compile(r"^\d+\. `(?P<path>[^`]+)` `(?P<name>[^`]+)`: (?P<text>.+)$", re.M)
_CODE = re.compile(r"`([^`]+)`")


@dataclass
class Drawn:
    """What mermaid draws: boxes with their packages, frames with their boxes, arrows between boxes."""

    boxes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    frames: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arrows: Arrows = field(default_factory=set)

    def read(self, picture: str) -> None:
        """Add one picture. An arrow from a frame starts at each box in it."""
        frame = ""
        for line in map(str.strip, picture.splitlines()[1:]):
            if found := _FRAME.match(line):
                frame = found["id"]
                self.frames[frame] = ()
            elif line == "end":
                frame = ""
            elif "-->" in line:
                origins, _, targets = line.partition(" --> ")
                for origin in origins.split(" & "):
                    for box in self.frames.get(origin, (origin,)):
                        self.arrows |= {(box, target) for target in targets.split(" & ")}
            elif "~~~" not in line and line:
                self._add_box(line, frame)
        for box in {name for arrow in self.arrows for name in arrow}:
            self.boxes.setdefault(box, (box,))

    def _add_box(self, line: str, frame: str) -> None:
        box = _BOX.fullmatch(line)
        assert box, f"not understood: {line}"
        self.boxes[box["id"]] = tuple((box["label"] or box["id"]).partition("<br/>")[0].split(" · "))
        if frame:
            self.frames[frame] += (box["id"],)


def drawn_in(section: str) -> Drawn:
    """All pictures of a section as one."""
    drawn = Drawn()
    for picture in re.findall(r"```mermaid\n(.*?)```", SECTIONS[section], re.S):
        drawn.read(picture)
    return drawn


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("medonline", cache_dir=None)


def children_of(package: str) -> set[str]:
    """The names of the modules and packages directly in a package."""
    return {child.rpartition(".")[2] for child in graph().find_children(package)}


def imports_between(package: str, boxes: Mapping[str, tuple[str, ...]]) -> Arrows:
    """The arrows that correspond to the real imports between the boxes."""
    box_of = {f"{package}.{name}": box for box, names in boxes.items() for name in names}

    def owner(module: str) -> str:
        below = module.removeprefix(f"{package}.").partition(".")[0]
        return box_of.get(f"{package}.{below}", "") if module.startswith(f"{package}.") else ""

    return {
        (owner(importer), owner(imported))
        for importer in graph().modules
        for imported in graph().find_modules_directly_imported_by(importer)
        if owner(importer) and owner(imported) and owner(importer) != owner(imported)
    }


def as_drawn(arrows: Arrows, drawn: Drawn) -> Arrows:
    """The arrows without those to boxes that have none in the picture: the page says that they are left out."""
    with_arrows = {name for arrow in drawn.arrows for name in arrow}
    return {(importer, imported) for importer, imported in arrows if imported in with_arrows}


PICTURES = pytest.mark.parametrize(
    ("section", "package"), [("The layers", "medonline"), ("Inside `services/`", "medonline.services")]
)


@PICTURES
def test_no_package_is_missing_and_none_is_drawn_twice(section: str, package: str) -> None:
    names = [name for names in drawn_in(section).boxes.values() for name in names]

    assert sorted(names) == sorted(children_of(package))


@PICTURES
def test_the_arrows_are_the_imports(section: str, package: str) -> None:
    drawn = drawn_in(section)
    real = as_drawn(imports_between(package, drawn.boxes), drawn)

    assert drawn.arrows - real == set(), "arrows without an import"
    assert real - drawn.arrows == set(), "imports without an arrow"


@PICTURES
def test_a_box_without_arrows_imports_no_other_box(section: str, package: str) -> None:
    drawn = drawn_in(section)
    alone = drawn.boxes.keys() - {name for arrow in drawn.arrows for name in arrow}

    assert len(alone) == 1
    assert {arrow for arrow in imports_between(package, drawn.boxes) if arrow[0] in alone} == set()


def rows() -> dict[str, dict[str, str]]:
    """The table as noun -> column heading -> cell."""
    lines = [line for line in SECTIONS["One noun per flow"].splitlines() if line.startswith("|")]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {cells[0].strip("`"): dict(zip(head[1:], cells[1:], strict=True)) for cells in body}


def patterns_of(noun: str) -> list[str]:
    """The paths that the table names for a slice, from the root. Folders end with a slash, and stars are wildcards."""
    found = []
    for head, cell in rows()[noun].items():
        folder = head.strip("`") if head.startswith("`") else ""
        base = folder if folder == "tests/" else f"medonline/{folder}"
        found += [base + path.replace("…", noun) for path in _CODE.findall(cell)]
    return found


@cache
def tracked() -> tuple[str, ...]:
    """The output of `git ls-files medonline tests`, and files that are about to be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "medonline", "tests"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return tuple(name for name in names if (ROOT / name).is_file())


def is_of(name: str, pattern: str) -> bool:
    return name.startswith(pattern) if pattern.endswith("/") else fnmatchcase(name, pattern)


def bears(name: str, noun: str) -> bool:
    """Whether the name of a file, or of a folder above it, is the noun, or begins with the noun and another word."""
    parts = [*name.split("/")[:-1], Path(name).stem.removeprefix("test_")]
    return any(part == noun or part.startswith(f"{noun}_") for part in parts)


def test_the_table_has_a_row_for_each_noun() -> None:
    assert list(rows()) == NOUNS


@pytest.mark.parametrize("noun", NOUNS)
def test_what_the_table_names_exists_and_grep_lists_it(noun: str) -> None:
    grepped = [name for name in tracked() if noun in name]
    named = {pattern: [name for name in tracked() if is_of(name, pattern)] for pattern in patterns_of(noun)}

    assert [pattern for pattern, files in named.items() if not files] == []
    assert [name for files in named.values() for name in files if name not in grepped] == []


@pytest.mark.parametrize("noun", NOUNS)
def test_no_file_that_bears_a_noun_is_missing_in_the_table(noun: str) -> None:
    everything = [pattern for row in NOUNS for pattern in patterns_of(row)]
    missing = [
        name for name in tracked() if bears(name, noun) and not any(is_of(name, pattern) for pattern in everything)
    ]

    assert missing == []


def functions_of(path: Path) -> dict[str, ast.AST]:
    """The functions of a module, and the methods of its classes as `Class.method`."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found: dict[str, ast.AST] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, kinds):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}": part for part in node.body if isinstance(part, kinds)}
    return found


def names_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every variable and attribute that the functions use."""
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                yield part.attr
            elif isinstance(part, ast.Name):
                yield part.id


def test_there_are_two_walks() -> None:
    assert len(WALKS) == 2


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_has_few_stops_and_each_exists(walk: str) -> None:
    stops = list(_STOP.finditer(SECTIONS[walk]))
    numbered = re.findall(r"^\d+\. ", SECTIONS[walk], re.M)

    assert 2 <= len(stops) == len(numbered) <= MOST_STOPS
    for stop in stops:
        assert stop["name"] in functions_of(PRODUCT / stop["path"]), stop[0]


@pytest.mark.parametrize("walk", WALKS)
def test_each_stop_is_called_by_one_above_it_or_says_that_it_is_not(walk: str) -> None:
    passed: list[ast.AST] = []
    for stop in _STOP.finditer(SECTIONS[walk]):
        called = stop["name"].rpartition(".")[2] in set(names_in(passed))
        assert not passed or called != stop["text"].startswith("↪"), stop[0]
        passed.append(functions_of(PRODUCT / stop["path"])[stop["name"]])


def test_where_to_change_something_exists() -> None:
    table = [line.strip("|").split("|") for line in SECTIONS["Where do I change …?"].splitlines() if line[:1] == "|"]
    named = [(what, _CODE.findall(first), _CODE.findall(then)) for what, first, then in table[2:]]

    assert len(named) == 9
    for what, first, then in named:
        assert len(first) == 1, what
        assert (PRODUCT / first[0]).is_file(), first
        paths = [path for path in then if "/" in path or path.endswith(".py")]
        assert [path for path in paths if not any((at / path).exists() for at in (PRODUCT, ROOT))] == []
