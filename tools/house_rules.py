"""House rules that no linter knows: registry hosts, docstrings, Russian, private names, imports between tests, sizes of packages and of the
bootstrap's functions.

A broken rule makes the exit code 1. The size of a module is only a warning: it is printed, and the exit code stays 0. A module is one
thought, and a hard limit would shape files to fit the limit.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORTH_A_LOOK = 250  # lines of a product module
LONGEST_PART = 40  # lines of a function in the bootstrap, which reads like a table of contents
# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = re.compile("|".join(("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org", "debian" + r"\.org")))

# Code that two test files share belongs in a module beside them, because a test file may be split, moved or deselected.
FROM_A_TEST_FILE = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+.*$", re.MULTILINE)

# Russian that patients read belongs in wording/ and on the screens. These layers hold none, except tables of words and letters for
# comparison. Each such table is listed by name.
WITHOUT_RUSSIAN = ("services", "providers", "storage", "domain")
CYRILLIC = re.compile("[А-Яа-яЁё]")
WORD_TABLES = {
    "medonline/services/passwords/common_words.py": {"_LATIN", "_LAYOUT", "_RUSSIAN", "spellings"},
    "medonline/providers/sms_ru.py": {"_WORDING"},
    "medonline/providers/patient_cards/fhir_values.py": {"_PATRONYMIC"},
    "medonline/domain/person_name.py": {"_LOOKALIKES", "name_key"},
    "medonline/domain/birth_date.py": {"_BEHIND", "_ORDINAL", "_MONTHS", "_CYRILLIC_ROMAN"},
}
# Names that these libraries do not promise are used only in medonline/framework/, where a test checks each of them.
FRAMEWORKS = frozenset({"reflex", "reflex_base", "socketio", "engineio", "starlette"})

# Ways of getting a code are data. Only a way's own parts name it: its registration, words, settings, adapters, stand-ins, and the address
# to which a vendor reports. All other code loops over the registered ways.
REGISTRATION = "medonline/domain/codes/channels.py"
NAME_A_WAY = (
    REGISTRATION, "medonline/wording/channels.py", "medonline/config/", "medonline/bootstrap/adapters.py", "medonline/providers/",
    "medonline/sandbox/", "medonline/demo/stand_ins.py", "medonline/routes.py", "medonline/web/routes/table.py",
    "medonline/web/edge/boundary.py",
)  # fmt: skip
SHORT_NAME = 3  # a name this short is part of other words, so only whole texts are compared with it


def tracked() -> list[Path]:
    """Files under version control, or about to be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def faults_of(path: Path) -> list[str]:
    """The faults of one file."""
    name = path.relative_to(ROOT)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    faults = [f"{name}: names a package registry"] if REGISTRIES.search(text) else []
    if path.suffix == ".py":
        faults += [f"{name}: «{found.strip()}» imports from a test file" for found in FROM_A_TEST_FILE.findall(text)]
    if path.suffix == ".py" and name.parts[0] == "medonline":
        faults += module_faults(str(name), text)
    return faults


def module_faults(name: str, text: str) -> list[str]:
    """Faults in the docstrings of a product module."""
    tree = ast.parse(text)
    faults = []
    if text.strip() and not ast.get_docstring(tree):
        faults.append(f"{name}: no docstring")
    for node in tree.body:
        documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        if isinstance(node, documented) and not node.name.startswith("_") and not ast.get_docstring(node):
            faults.append(f"{name}:{node.lineno}: {node.name} has no docstring")
    if name.startswith(tuple(f"medonline/{layer}/" for layer in WITHOUT_RUSSIAN)):
        faults += [
            f"{name}:{line}: Russian belongs to wording/: {text!r}"
            for line, text in russian_in(tree, WORD_TABLES.get(name, set()))
        ]
    if name.startswith("medonline/bootstrap/"):
        faults += [f"{name}:{line}: {called} has over {LONGEST_PART} lines" for line, called in long_functions(tree)]
    if not name.startswith(NAME_A_WAY):
        faults += [
            f"{name}:{line}: a way of getting a code is data, and named here: {text}" for line, text in ways_in(tree)
        ]
    if not name.startswith("medonline/framework/"):
        faults += [
            f"{name}:{line}: {private} is private to its library: framework/" for line, private in private_imports(tree)
        ]
    return faults


def russian_in(tree: ast.Module, tables: set[str]) -> list[tuple[int, str]]:
    """Lines with Cyrillic texts, without docstrings and without the named tables and functions."""
    meant = [node for node in tree.body if not _named(node) & tables]
    prose = {id(node.value) for top in meant for node in ast.walk(top) if isinstance(node, ast.Expr)}
    texts = [
        node for top in meant for node in ast.walk(top) if isinstance(node, ast.Constant) and id(node) not in prose
    ]
    return [(node.lineno, node.value) for node in texts if isinstance(node.value, str) and CYRILLIC.search(node.value)]


def _named(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


@cache
def registered_ways() -> frozenset[str]:
    """The values of `ChannelName`, read from its module."""
    tree = ast.parse((ROOT / REGISTRATION).read_text(encoding="utf-8"))
    enum = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "ChannelName")
    values = (node.value for node in enum.body if isinstance(node, ast.Assign))
    return frozenset(
        value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
    )


def ways_in(tree: ast.Module) -> list[tuple[int, str]]:
    """Lines that name a way of getting a code: as a text, as a member of `ChannelName`, or as part of a name."""
    ways, found = registered_ways(), []
    parts = re.compile("|".join(sorted(way for way in ways if len(way) > SHORT_NAME)), re.IGNORECASE)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ways:
            found.append((node.lineno, repr(node.value)))
        elif isinstance(node, ast.Attribute) and (
            parts.search(node.attr)
            or (isinstance(node.value, ast.Name) and node.value.id == "ChannelName" and node.attr.lower() in ways)
        ):
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.Name | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = node.id if isinstance(node, ast.Name) else node.name
            found += [(node.lineno, name)] if parts.search(name) else []
        elif isinstance(node, ast.arg | ast.keyword) and parts.search(node.arg or ""):
            found.append((node.lineno, node.arg or ""))
    return found


def long_functions(tree: ast.Module) -> list[tuple[int, str]]:
    """Functions that are too long for a table of contents, with their first lines. Decorators do not count."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [(one.lineno, one.name) for one in functions if (one.end_lineno or 0) - one.lineno + 1 > LONGEST_PART]


def private_imports(tree: ast.Module) -> list[tuple[int, str]]:
    """Lines that import a name with an underscore from a framework."""
    return [
        (node.lineno, f"{node.module}.{alias.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FRAMEWORKS
        for alias in node.names
        if alias.name.startswith("_")
    ]


def warnings_of(path: Path) -> list[str]:
    """Warnings about a product module that are no faults: its size."""
    name = path.relative_to(ROOT)
    if path.suffix != ".py" or name.parts[0] != "medonline":
        return []
    lines = path.read_text(encoding="utf-8").count("\n")
    return [f"warning: {name}: {lines} lines; is it one thought?"] if lines > WORTH_A_LOOK else []


def main() -> int:
    """Exit code: 0 when no rule is broken."""
    paths = tracked()
    faults = [fault for path in paths for fault in faults_of(path)]
    for warning in [warning for path in paths for warning in warnings_of(path)]:
        print(warning)
    print("\n".join(faults) if faults else "House rules: in order.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
