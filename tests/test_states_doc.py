"""docs/states.md is true: every refusal and title of the product is there, in the product's own words, with a next action."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from medonline import routes
from medonline.domain import errors
from medonline.services.codes.delivery import DeliveryProblem
from medonline.wording import errors as wording
from medonline.wording.channels import WORDS
from tests.wording.refusals import OPERATORS_ONLY, examples, leaves

ROOT = Path(__file__).resolve().parent.parent
DOC = (ROOT / "docs/states.md").read_text(encoding="utf-8")
PROBLEMS: tuple[type[StrEnum], ...] = (
    errors.PhoneProblem,
    errors.PasswordProblem,
    errors.NameProblem,
    errors.EmailProblem,
    errors.BirthDateProblem,
    errors.IdentityProblem,
    DeliveryProblem,
)
SAYING: tuple[Callable[..., str], ...] = (
    wording.sentence,
    wording.sign_in_sentence,
    wording.linking_sentence,
    wording.proof_sentence,
    wording.card_sentence,
)
_NAME = re.compile(r"`(\w+(?:\.\w+)?)`")
_QUOTED = re.compile(r"«([^«»…]+)»")


class Row(NamedTuple):
    """A line of a table. « · » separates texts, and «…» stands for the part that varies."""

    state: str
    reads: str
    then: str

    @property
    def texts(self) -> list[str]:
        """The texts of the cell. Empty if the cell, in brackets, only refers to another row."""
        return [] if self.reads.startswith("(") else self.reads.split(" · ")


def rows() -> list[Row]:
    lines = [line for line in DOC.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(*three) for three in cells if three[0] != "state"]


def constants(path: Path) -> Iterator[str]:
    """Every text of a module, including docstrings, or the whole of a script."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        yield source
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def product() -> str:
    """All texts of the product, one per line."""
    paths = [*sorted((ROOT / "medonline").rglob("*.py")), *sorted((ROOT / "browser/portal").glob("*.js"))]
    paths += sorted((ROOT / "browser/account").glob("*.js"))
    return "\n".join(text for path in paths for text in constants(path))


@cache
def said() -> dict[str, list[str]]:
    """The name of a refusal or a reason -> the sentences about it that a patient may read."""
    found: dict[str, list[str]] = defaultdict(list)
    for error in examples():
        texts = [say(error) for say in SAYING]
        found[type(error).__name__] += texts
        reasons = [getattr(error, "problem", None), *getattr(error, "problems", ())]
        for reason in reasons:
            if isinstance(reason, StrEnum):
                found[f"{type(reason).__name__}.{reason.name}"] += texts
    for words in WORDS.values():
        for problem, text in words.problems.items():
            found[f"DeliveryProblem.{problem.name}"].append(text)
    return found


def is_pattern_of(text: str, sentence: str) -> bool:
    return re.fullmatch(".+?".join(map(re.escape, text.split("…"))), sentence) is not None


def missing_pieces(text: str) -> list[str]:
    """The pieces of a text, without the parts that vary, that occur nowhere in the product."""
    pieces = (piece.strip(" .,:") for piece in text.split("…"))
    return [piece for piece in pieces if piece and piece not in product()]


def titles() -> set[str]:
    """The headings of pages, dialogs and steps, and the titles of documents."""
    found = set()
    for folder in ("pages", "dialogs", "state", "web"):
        for path in sorted((ROOT / "medonline" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found |= _heading(node)
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_TITLES":
                    found |= {text for text in _texts(node.value) if text[:1].isupper()}
    table = ast.parse((ROOT / "medonline/medonline.py").read_text(encoding="utf-8"))
    return found | {text for text in _texts(table) if "— Медицина-онлайн" in text or "личный кабинет пациента" in text}


def _heading(call: ast.Call) -> set[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = {"h1": 0, "h2": 0, "title": 0, "_part": 0, "dialog": 1, "_advice_dialog": 1, "error_page": None}.get(name)
    return set(_texts(call.args[place])) if place is not None and len(call.args) > place else set()


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search("[А-Яа-я]", node.value):
            yield node.value


NAMED = set(_NAME.findall(DOC))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.state[:60])
def test_a_row_says_what_the_product_says_and_what_next(row: Row) -> None:
    sentences = [text for name in _NAME.findall(row.state) for text in said().get(name, [])]
    unknown = {
        text: missing
        for text in row.texts
        if not any(is_pattern_of(text, sentence) for sentence in sentences) and (missing := missing_pieces(text))
    }

    assert unknown == {}
    assert len(row.then) > 3
    assert [label for label in _QUOTED.findall(row.then) if label not in product()] == []


@pytest.mark.parametrize("row", [row for row in rows() if _NAME.search(row.state)], ids=lambda row: row.state[:60])
def test_a_row_of_a_refusal_has_its_sentence(row: Row) -> None:
    for name in _NAME.findall(row.state):
        assert name in said() or name == "InvalidFields"
        found = [text for text in row.texts for sentence in said()[name] if is_pattern_of(text, sentence)]
        assert found or name == "InvalidFields", said()[name]


def test_every_refusal_is_there() -> None:
    ours = {leaf.__name__ for leaf in leaves() if leaf.__module__.startswith("medonline.")}

    assert {*ours, *OPERATORS_ONLY} - NAMED == set()
    assert len(ours) > 60


def test_every_reason_has_a_row_of_its_own() -> None:
    reasons = {f"{kind.__name__}.{member.name}" for kind in PROBLEMS for member in kind}
    with_row = {name for row in rows() for name in _NAME.findall(row.state)}

    assert reasons - with_row == set()


def test_every_title_is_there() -> None:
    shown = [text for row in rows() for text in row.texts]

    assert {title for title in titles() if title.strip(" :") not in "\n".join(shown)} == set()
    assert len(titles()) > 50


def test_every_page_is_there() -> None:
    assert {path for path in routes.PAGES if f"`{path}`" not in DOC} == set()


def test_a_text_that_the_product_does_not_say_is_noticed() -> None:
    assert missing_pieces("Новый код можно запросить в …") == []
    assert missing_pieces("Новый код придёт сам в …") == ["Новый код придёт сам в"]
    assert not is_pattern_of("Код не подошёл. Осталось 3 попытки.", "Код не подошёл. Осталось 2 попытки.")
