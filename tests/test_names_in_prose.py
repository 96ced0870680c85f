"""Names of modules and files in documents, docstrings and comments lead somewhere: a move that forgets one is red."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ROOT / "medonline"
# What a dotted name of the product begins with: the packages and modules directly in medonline/.
ROOMS = "|".join(sorted(path.stem for path in PRODUCT.iterdir() if path.stem.isidentifier() and path.stem[0] != "_"))
FOLDERS = f"{ROOMS}|medonline|tests|tools|docs|assets|browser|alembic|benchmarks"
DOTTED = re.compile(rf"(?<![\w./«-])(?:medonline\.)?(?:{ROOMS})(?:\.[A-Za-z_]\w*)+(?![\w/])")
IN_A_FOLDER = re.compile(rf"(?<![\w./:-])(?:{FOLDERS})/[\w./-]*\w(?![\w*{{…])")
SCRIPT = re.compile(r"(?<![\w./*-])[a-z]\w*\.py(?!\w)")
# `config.toml` is no name in a module.
FILE_ENDINGS = ("py", "md", "toml", "log", "js", "css", "json", "sh", "txt", "key")


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control, or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(path for path in (ROOT / name for name in names) if path.is_file())


def prose_of(path: Path) -> Iterator[str]:
    """A document whole; of a module its docstrings and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield text
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def defined(body: Sequence[ast.stmt]) -> dict[str, ast.stmt]:
    """What statements define or import: each name with its statement."""
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
    """What a module defines or imports; nothing for one that does not exist."""
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
    """Whether a file or folder exists; `docs/decisions/0012` means the decision of that number."""
    return any((at / name).exists() or any(at.glob(f"{name}-*.md")) for at in (ROOT, PRODUCT))


def lost_in(prose: str) -> list[str]:
    """The names in a text that lead nowhere."""
    scripts = {known.name for known in tracked()}
    dotted = (name for name in DOTTED.findall(prose) if name.rsplit(".", 1)[1] not in FILE_ENDINGS)
    lost = [name for name in dotted if not leads_somewhere(name)]
    lost += [name for name in IN_A_FOLDER.findall(prose) if not is_there(name)]
    return lost + [name for name in SCRIPT.findall(prose) if name not in scripts]


def test_names_in_prose_lead_somewhere() -> None:
    texts = [path for path in tracked() if path.suffix in (".md", ".py")]
    found = {
        str(path.relative_to(ROOT)): [name for prose in prose_of(path) for name in lost_in(prose)] for path in texts
    }

    assert {path: names for path, names in found.items() if names} == {}


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
