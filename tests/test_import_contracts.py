"""The import contracts work: each forbidden import, written into a copy of the code, makes `lint-imports` fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.production import SETTINGS

ROOT = Path(__file__).parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
# The module, the forbidden import in it, and the contract that refuses it.
FORBIDDEN = (
    ("services/clock.py", "from medonline.wording import errors", "The services know"),
    ("services/clock.py", "from medonline.config.settings import Config", "The services know"),
    ("services/clock.py", "import redis", "The services know"),
    ("domain/phone.py", "import structlog", "The domain is pure"),
    ("domain/phone.py", "from medonline.storage import engine", "The domain is pure"),
    ("web/cookies.py", "import requests", "The web side knows"),
    ("web/cookies.py", "from medonline.sandbox.people import PASSWORD", "Only the demo and the command line"),
    ("state/login.py", "from medonline.storage import patients", "The states ask the services"),
    ("sandbox/magic.py", "from medonline.domain.errors import MedonlineError", "The sandbox imports nothing"),
    ("providers/http.py", "from medonline.config.settings import Config", "The providers know"),
    ("storage/engine.py", "from medonline.services.clock import Clock", "Imports only go down"),
    ("components/icons.py", "from medonline.domain.phone import PhoneNumber", "Components know routes only"),
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that the contracts concern."""
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(ROOT / "medonline", folder / "medonline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> tuple[int, str]:
    # The copy comes first in Python's path. Otherwise the contracts would judge the installed code.
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run([LINT_IMPORTS], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_code_as_it_stands_breaks_no_contract(copy: Path) -> None:
    code, said = lint(copy)
    assert code == 0, said


@pytest.mark.parametrize(("module", "line", "contract"), FORBIDDEN, ids=lambda value: value)
def test_a_forbidden_import_is_red(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / "medonline" / module
    original = path.read_text(encoding="utf-8")
    path.write_text(f"{original}\n{line}\n", encoding="utf-8")
    try:
        code, said = lint(copy)
    finally:
        path.write_text(original, encoding="utf-8")
    assert code == 1, said
    broken = [row for row in said.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken), said


def test_production_loads_nothing_of_the_sandbox(tmp_path: Path) -> None:
    """Load the whole site and the command line's greeting in a separate process."""
    program = (
        "import sys\n"
        "from medonline import asgi\n"
        "from medonline.config.settings import load_config\n"
        "from medonline.cli.greeting import greet\n"
        "asgi.app()\n"
        "greet(load_config())\n"
        "print([name for name in sys.modules if name.startswith(('medonline.sandbox', 'medonline.demo.'))])\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDONLINE_")}
    environment |= {f"MEDONLINE_{name}": value for name, value in SETTINGS.items()}
    environment |= {"MEDONLINE_DATA_DIR": str(tmp_path), "REFLEX_ENV_MODE": "prod", "__REFLEX_SKIP_COMPILE": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
