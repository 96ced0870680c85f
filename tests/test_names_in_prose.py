"""What documents, docstrings and comments refer to exists: modules, files, names in backticks, decisions, sections of documents.

The test fails when a move forgets one of them.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import subprocess
import tokenize
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ROOT / "medonline"
# The first part of a dotted name in the product: the packages and modules directly in medonline/.
ROOMS = "|".join(sorted(path.stem for path in PRODUCT.iterdir() if path.stem.isidentifier() and path.stem[0] != "_"))
FOLDERS = f"{ROOMS}|medonline|tests|tools|docs|assets|browser|alembic|benchmarks"
DOTTED = re.compile(rf"(?<![\w./«-])(?:medonline\.)?(?:{ROOMS})(?:\.[A-Za-z_]\w*)+(?![\w/])")
IN_A_FOLDER = re.compile(rf"(?<![\w./:-])(?:{FOLDERS})/[\w./-]*\w(?![\w*{{…])")
SCRIPT = re.compile(r"(?<![\w./*-])[a-z]\w*\.py(?!\w)")
DOCUMENT = re.compile(r"(?<![\w./*-])(?:[A-Za-z]\w*\.md|[a-z]\w*\.js)(?!\w)")
IN_BACKTICKS = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*)(?:\(\))?`")
DECISION = re.compile(r"\b[Dd]ecisions? (\d+)(?:(?: and |, |-)(\d+))*")
LINKED_DECISION = re.compile(r"\[[Dd]ecision (\d+)\]\(([^)]+)\)")
SECTION = re.compile(r"\b([\w/]+\.md)(?:, section |#)([\w-]+)")
# Names in backticks that do not belong to the project: from other packages, from systems that run it, from a value's shape.
OF_OTHERS = {
    "wsproto",
    "httptools",
    "TimeoutStopSec",
    "LimitNOFILE",
    "terminationGracePeriodSeconds",
    "ddmmyyyy",
    "PID",
    "Class",
}
GONE = "_".join(("what", "is", "not", "there"))  # written in one piece it would be a word of the code
# `config.toml` is a file, not a name in a module.
FILE_ENDINGS = ("py", "md", "toml", "log", "js", "css", "json", "sh", "txt", "key", "env", "dump", "example")


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control, or about to be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(path for path in (ROOT / name for name in names) if path.is_file())


@cache
def scripts() -> frozenset[str]:
    """The names of all files, without their folders."""
    return frozenset(path.name for path in tracked())


@cache
def prose_of(path: Path) -> tuple[str, ...]:
    """The whole text of a document, or the docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return (text,)
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, documented))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    docstrings = [ast.get_docstring(node) or "" for node in nodes]
    return (*docstrings, *(token.string for token in tokens if token.type == tokenize.COMMENT))


def defined(body: Sequence[ast.stmt]) -> dict[str, ast.stmt]:
    """The names that statements define or import, each with its statement."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {part.id: node for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return found


@cache
def defined_in(module: Path) -> dict[str, ast.stmt]:
    """The names that a module defines or imports. Empty if the module does not exist."""
    return defined(ast.parse(module.read_text(encoding="utf-8")).body) if module.is_file() else {}


def leads_somewhere(dotted: str) -> bool:
    """Whether a dotted name is a module of the product, a name in one, or a name in a class there."""
    at, parts = PRODUCT, dotted.removeprefix("medonline.").split(".")
    while parts and (at / parts[0]).is_dir():
        at /= parts.pop(0)
    is_module = bool(parts) and (at / f"{parts[0]}.py").is_file()
    known = defined_in(at / (f"{parts.pop(0)}.py" if is_module else "__init__.py"))
    while parts:
        node = known.get(parts.pop(0))
        if node is None:
            return False
        known = defined(node.body) if isinstance(node, ast.ClassDef) else {}
    return True


def is_there(name: str) -> bool:
    """Whether a file or folder exists. `docs/decisions/0012` means the decision with that number."""
    return any((at / name).exists() or any(at.glob(f"{name}-*.md")) for at in (ROOT, PRODUCT))


@cache
def words_of_the_code() -> frozenset[str]:
    """Every word of the code and of its texts, but none of its prose: a name in backticks may mean any of these."""
    words = set(dir(builtins)) | OF_OTHERS
    for path in tracked():
        if path.suffix == ".py":
            words |= words_of(path.read_text(encoding="utf-8")) | set(path.relative_to(ROOT).with_suffix("").parts)
        elif path.suffix in (".js", ".css", ".toml", ".mjs", ".html") or path.name == "Makefile":
            words |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        words |= set(path.name.split("."))
    return frozenset(words | {f"{prefix}{word.upper()}" for word in words for prefix in ("", "MEDONLINE_")})


def words_of(code: str) -> set[str]:
    """Names in a module and words of its texts, without docstrings and comments."""
    tree = ast.parse(code)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose)
    words = {word for node in texts if isinstance(node.value, str) for word in re.findall(r"\w+", node.value)}
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return words | {token.string for token in tokens if token.type == tokenize.NAME}


@cache
def headings_of(name: str) -> frozenset[str]:
    """The sections of a document, in the form of links to them. Empty if the document does not exist."""
    lines = [line for path in tracked() if path.name == Path(name).name for line in path.read_text().splitlines()]
    titles = [line.lstrip("# ").lower() for line in lines if line.startswith("#")]
    return frozenset(re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles)


def lost_pointers_in(prose: str) -> list[str]:
    """Names in backticks, decisions and sections that do not exist."""
    names = [name for name in IN_BACKTICKS.findall(prose) if not set(name.split(".")) <= words_of_the_code()]
    numbers = [number for found in DECISION.finditer(prose) for number in re.findall(r"\d+", found[0])]
    lost = [f"decision {number}" for number in numbers if not is_there(f"docs/decisions/{int(number):04}")]
    wrong = [
        f"decision {number} is not {to}"
        for number, to in LINKED_DECISION.findall(prose)
        if f"{int(number):04}-" not in to
    ]
    sections = [f"{name}#{section}" for name, section in SECTION.findall(prose) if section not in headings_of(name)]
    return names + lost + wrong + sections


def lost_in(prose: str) -> list[str]:
    """The names in a text that lead nowhere."""
    dotted = (name for name in DOTTED.findall(prose) if name.rsplit(".", 1)[1] not in FILE_ENDINGS)
    lost = [name for name in dotted if not leads_somewhere(name)]
    lost += [name for name in IN_A_FOLDER.findall(prose) if not is_there(name)]
    return lost + [name for name in SCRIPT.findall(prose) + DOCUMENT.findall(prose) if name not in scripts()]


def test_names_in_prose_lead_somewhere() -> None:
    texts = [path for path in tracked() if path.suffix in (".md", ".py")]
    found = {
        str(path.relative_to(ROOT)): [name for prose in prose_of(path) for name in lost_in(prose)] for path in texts
    }

    assert {path: names for path, names in found.items() if names} == {}


def test_pointers_in_prose_lead_somewhere() -> None:
    texts = [path for path in tracked() if path.suffix in (".md", ".py")]
    found = {
        str(path.relative_to(ROOT)): [name for prose in prose_of(path) for name in lost_pointers_in(prose)]
        for path in texts
    }

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("prose", "lost"),
    [
        (f"As `{GONE}()` says.", [GONE]),
        (f"`GuardedServer.{GONE}` does.", [f"GuardedServer.{GONE}"]),
        ("Why: decision 998.", ["decision 998"]),
        ("Decisions 1 and 999.", ["decision 999"]),
        (
            "[decision 1](0002-codes-are-derived-not-stored.md)",
            ["decision 1 is not 0002-codes-are-derived-not-stored.md"],
        ),
        ("docs/operations.md, section 77", ["docs/operations.md#77"]),
        ("[here](operations.md#gone)", ["operations.md#gone"]),
        ("`GuardedServer.take_event` of `MEDONLINE_MODE`, decision 10, docs/operations.md#several-processes", []),
    ],
)
def test_a_pointer_that_leads_nowhere_is_found(prose: str, lost: list[str]) -> None:
    assert lost_pointers_in(prose) == lost


@pytest.mark.parametrize(
    "name",
    [
        "services.gone",
        "medonline.services.gone.Thing",
        "domain.errors.Gone",
        "domain.security_journal.JournalLine.gone",
        "medonline/gone.py",
        "medonline/services/gone/",
        "providers/gosuslugi/gone.py",
        "docs/decisions/9999",
        "gone_with_the_move.py",
        "gone_with_the_move.md",
    ],
)
def test_a_name_that_leads_nowhere_is_found(name: str) -> None:
    for prose in (f"As `{name}` says.", f"# the same ({name}): no backticks", f"{name}"):
        assert lost_in(prose) == [name.rstrip("/")]


@pytest.mark.parametrize(
    "name",
    [
        "domain.errors",
        "medonline.domain.errors.MedonlineError",
        "domain.security_journal.JournalLine.text",
        "medonline/services/",
        "domain/errors.py",
        "docs/decisions/0012",
        "security_journal.py",
    ],
)
def test_a_name_that_leads_somewhere_is_left_alone(name: str) -> None:
    assert lost_in(f"As `{name}` says ({name}).") == []
