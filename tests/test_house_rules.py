"""The rules of `tools/house_rules.py` find the faults that they exist for, and their exceptions are needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from textwrap import indent

import pytest

from tools.house_rules import LONGEST_PART, NAME_A_WAY, ROOT, WORD_TABLES, module_faults, russian_in, ways_in

DOC = '"""A module."""\n'


def faults(name: str, code: str) -> list[str]:
    return module_faults(name, DOC + code)


@pytest.mark.parametrize("layer", ["services", "providers", "storage", "domain"])
@pytest.mark.parametrize(
    "code", ['TEXT = "Пароль изменён."', 'def _f() -> str:\n    return f"ещё {1}"', 'class _A:\n    text: str = "код"']
)
def test_russian_is_found_in_a_layer_that_speaks_to_nobody(layer: str, code: str) -> None:
    (fault,) = faults(f"medonline/{layer}/x.py", code)

    assert "Russian belongs to wording/" in fault


@pytest.mark.parametrize("layer", ["wording", "pages", "state", "config", "sandbox"])
def test_russian_is_welcome_elsewhere(layer: str) -> None:
    assert faults(f"medonline/{layer}/x.py", 'TEXT = "Пароль изменён."') == []


@pytest.mark.parametrize("code", ["# «это не я»", 'def _f() -> None:\n    """«Это не я»."""', 'TEXT = "plain"'])
def test_comments_and_docstrings_may_quote_russian(code: str) -> None:
    assert faults("medonline/services/x.py", code) == []


@pytest.mark.parametrize("path", WORD_TABLES)
def test_an_exception_names_what_is_there_and_holds_russian(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    excepted = WORD_TABLES[path]

    assert russian_in(tree, excepted) == []
    assert all(russian_in(tree, excepted - {one}) for one in excepted)


@pytest.mark.parametrize("line", ["from reflex.app import _sio_dumps", "from socketio.base_server import _x as y"])
def test_a_private_name_of_a_framework_is_imported_in_one_package_alone(line: str) -> None:
    (fault,) = faults("medonline/state/x.py", line)

    assert "private to its library" in fault
    assert faults("medonline/framework/x.py", line) == []
    assert faults("medonline/state/x.py", "from reflex.event import EventSpec") == []


@pytest.mark.parametrize(
    "line",
    [
        'WAY = "flash_call"',
        "telegram_on = True",
        "def _to_telegram() -> None:\n    pass",
        "WAY = ChannelName.TELEGRAM",
        "print(config.price_telegram)",
        "print(telegram=1)",
    ],
)
def test_a_way_of_getting_a_code_is_named_where_it_is_registered_alone(line: str) -> None:
    fault, *_ = faults("medonline/state/x.py", line)

    assert "a way of getting a code is data" in fault
    assert all(faults(f"{place}{'x.py' if place.endswith('/') else ''}", line) == [] for place in NAME_A_WAY)


@pytest.mark.parametrize("place", NAME_A_WAY)
def test_each_place_that_may_name_a_way_does(place: str) -> None:
    paths = [ROOT / place] if place.endswith(".py") else [*(ROOT / place).rglob("*.py")]

    assert any(ways_in(ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def test_a_function_of_the_bootstrap_is_no_longer_than_a_page_of_contents() -> None:
    fits = "def _f() -> None:\n" + "    pass\n" * (LONGEST_PART - 1)
    (fault,) = faults("medonline/bootstrap/x.py", f"{fits}    pass\n")

    assert fault == f"medonline/bootstrap/x.py:2: _f has over {LONGEST_PART} lines"
    assert faults("medonline/bootstrap/x.py", fits) == []
    assert faults("medonline/bootstrap/x.py", "class _A:\n" + indent(f"{fits}    pass\n", "    "))
    assert faults("medonline/services/x.py", f"{fits}    pass\n") == []


def test_the_house_is_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "tools/house_rules.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
