"""The exception tree as its docstring draws it is the tree that is there."""

from __future__ import annotations

import inspect
import re

from medonline.domain import errors
from medonline.domain.errors import MedonlineError

LINE = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?:\((?P<facts>[^)]*)\))?.*)?$")


def drawn() -> list[tuple[str, str | None, tuple[str, ...]]]:
    """(class, its parent, its facts) for each line of the drawing."""
    assert errors.__doc__
    path: list[str] = []
    found = []
    for line in errors.__doc__.splitlines()[2:]:
        match = LINE.match(line)
        assert match, line
        depth = len(match["indent"]) // 4
        path[depth:] = [match["name"]]
        facts = tuple(part.strip() for part in (match["facts"] or "").split(",") if part.strip())
        found.append((match["name"], path[depth - 1] if depth else None, facts))
    return found


def classes() -> dict[str, type[MedonlineError]]:
    return {
        name: member
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, MedonlineError)
    }


def test_every_class_is_drawn_once_under_its_parent() -> None:
    there = {(name, cls.__bases__[0].__name__) for name, cls in classes().items() if cls is not MedonlineError}

    assert sorted((name, parent) for name, parent, _ in drawn() if parent) == sorted(there)
    assert [name for name, parent, _ in drawn() if parent is None] == ["MedonlineError"]


def test_every_drawn_fact_is_an_argument_of_its_class() -> None:
    for name, _, facts in drawn():
        if facts:
            assert tuple(inspect.signature(classes()[name]).parameters) == facts, name


def test_every_class_says_what_it_means() -> None:
    assert all(inspect.getdoc(cls) != inspect.getdoc(cls.__base__) for cls in classes().values())
