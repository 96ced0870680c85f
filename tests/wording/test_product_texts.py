"""Every sentence of the product, found in its sources: no Latin words but names, no words of machines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PRODUCT = Path(__file__).parents[2] / "medonline"
# Where patients are spoken to. What operators read is English, or is in cli/.
SPEAKING = ("components", "dialogs", "pages", "state", "web", "wording")
# Names and abbreviations that Russians write in Latin letters; «Your code is …» is what the message of Telegram reads.
NAMES = {"MAX", "Telegram", "Caps", "Lock", "PIN", "SMS", "Email", "QR", "Your", "code", "is", "JavaScript"}
NAMES |= {"Chrome", "Firefox", "Safari", "Edge", "Android", "Samsung"}  # in «Мои входы»
MACHINE = re.compile(
    r"токен|сесси|сервер|валидац|невалидн|некорректн|идентификатор|аутентификац|верификац|таймаут|тайм-аут|кэш|"
    r"бэкенд|параметр|исключение|база данных|запрос обраб|внутренняя ошибка|код ошибки|неизвестная ошибка|неверный формат|"
    r"обязательное поле|поле обязательно|эндпоинт|сокет|хэш|хеш|логин(?!/ПАРОЛЬ)|транзакц",
    re.IGNORECASE,
)
_CYRILLIC = re.compile(r"[А-Яа-яЁё]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_MARKUP = re.compile(r"<[^>]*>|\{\w+\}")


def docstrings(tree: ast.Module) -> set[ast.expr]:
    """They are for programmers."""
    bodies = [
        node.body
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Each piece of a text with Russian letters and its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = docstrings(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in hidden
            and _CYRILLIC.search(node.value)
        ):
            yield node.lineno, node.value


SOURCES = sorted(path for name in SPEAKING for path in (PRODUCT / name).rglob("*.py"))


def test_the_texts_are_found() -> None:
    found = [text for path in SOURCES for _, text in texts(path)]

    assert len(found) > 500
    assert "ВХОД В ЛИЧНЫЙ КАБИНЕТ" in found
    assert not any("The dialog behind" in text for text in found)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PRODUCT)))
def test_no_text_speaks_as_a_machine(path: Path) -> None:
    bad = {
        f"{line}: {text}": words
        for line, text in texts(path)
        if (words := (set(_LATIN.findall(_MARKUP.sub(" ", text))) - NAMES) | set(MACHINE.findall(text)))
    }

    assert bad == {}
