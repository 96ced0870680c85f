"""The portal's scripts: the build joins exactly what is in `browser/`, and each module belongs to a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medonline.frontend import ROOT, SCRIPTS

BROWSER = ROOT / "browser"
IMPORTED = re.compile(r'^import .*?"(\.[^"]+)";$', re.MULTILINE)


def joined_into(script: Path) -> set[Path]:
    """A script and everything that it imports."""
    found: set[Path] = set()
    left = {script}
    while left:
        module = left.pop()
        found.add(module)
        imported = IMPORTED.findall(module.read_text(encoding="utf-8"))
        left |= {(module.parent / name).resolve() for name in imported} - found
    return found


def test_every_script_beside_the_folders_is_an_entry() -> None:
    assert sorted(path.name for path in BROWSER.glob("*.js")) == sorted(SCRIPTS)


def test_every_module_is_joined_into_a_script_of_a_page() -> None:
    modules = {
        path.resolve() for path in BROWSER.rglob("*.js") if "node_modules" not in path.relative_to(BROWSER).parts
    }

    assert modules == {module for script in SCRIPTS for module in joined_into((BROWSER / script).resolve())}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_module_is_one_concern(script: str) -> None:
    """Two scripts of a page share no module that keeps state: each script would have its own copy of it."""
    for module in joined_into((BROWSER / script).resolve()):
        if module.parent.name == "shared":
            assert not re.search(r"^(let|const \w+ = new) ", module.read_text(encoding="utf-8"), re.MULTILINE), module
