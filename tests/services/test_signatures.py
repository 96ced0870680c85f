"""What a function of the services takes of a client and of a change: values with names, nothing loose (docs/decisions/0026).

Read from the source: a decorated method and a helper are signatures, too. What a parameter holds is known by its type and its
name; a session key and a visitor key are both texts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parents[2] / "medonline" / "services"
# The parts of a client, each under the names that a parameter with it has.
PARTS = {
    "session key": frozenset({"session_key", "session_hash", "token_hash"}),
    "visitor key": frozenset({"visitor_key", "visitor"}),
    "sitting key": frozenset({"sitting_key", "sitting"}),
    "address": frozenset({"client_ip", "address", "ip"}),
    "device": frozenset({"device", "user_agent"}),
}
_PART_OF = {name: part for part, names in PARTS.items() for name in names}
# Under any name.
_TYPES = {"Device": "device"}


def parts_in(parameter: ast.arg) -> set[str]:
    """The parts of a client that a parameter holds."""
    named = {_PART_OF[parameter.arg]} if parameter.arg in _PART_OF else set()
    words = {node.id for node in ast.walk(parameter.annotation or ast.Pass()) if isinstance(node, ast.Name)}
    return named | {part for name, part in _TYPES.items() if name in words}


def faults_in(source: str) -> Iterator[str]:
    """What the functions of a module take loose."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        given = function.args
        name = "a lambda" if isinstance(function, ast.Lambda) else function.name
        optional = [one for one in (given.vararg, given.kwarg) if one is not None]
        parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs, *optional]
        parts = sorted({part for parameter in parameters for part in parts_in(parameter)})
        if len(parts) > 1:
            yield f"{name}: takes {' and '.join(parts)} loose; take a Client"
        for parameter in parameters:
            if "dict[str, Any]" in ast.unparse(parameter.annotation or ast.Constant(None)):
                yield f"{name}: takes dict[str, Any]; name what is in it"


def test_no_function_of_the_services_takes_a_client_in_parts_or_a_dictionary_of_anything() -> None:
    modules = sorted(SERVICES.rglob("*.py"))
    functions = [
        node for path in modules for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.arg)
    ]

    assert len(functions) > 1000
    assert [f"{path.name}: {fault}" for path in modules for fault in faults_in(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("async def begin(self, client: Client, phone: str) -> None: ...", ""),
        ("def end(self, session: Session, session_key: str) -> None: ...", ""),
        ("def settle(self, facts: dict[str, str]) -> dict[str, Any]: ...", ""),
        ("def send(visitor_key: str, *, client_ip: str = '') -> None: ...", "send: takes address and visitor key loose"),
        ("class Login:\n async def who(self, session_key: str, by: Device) -> None: ...", "who: takes device and session key"),
        ("def one(visitor_key: str, now: float, sitting_key: str) -> None: ...", "one: takes sitting key and visitor key"),
        ("def two(session_key: str, before: Device | None = None) -> None: ...", "two: takes device and session key"),
        ("act = lambda visitor_key, device: None", "a lambda: takes device and visitor key loose"),
        ("def put(self, wanted: dict[str, Any]) -> None: ...", "put: takes dict[str, Any]"),
        ("def put(self, wanted: dict[str, Any] | None = None) -> None: ...", "put: takes dict[str, Any]"),
        ("def outer() -> None:\n def inner(**wanted: list[dict[str, Any]]) -> None: ...", "inner: takes dict[str, Any]"),
    ],
)  # fmt: skip
def test_what_counts_as_loose(source: str, fault: str) -> None:
    found = list(faults_in(source))

    assert (found == []) == (fault == "")
    assert "".join(found).startswith(fault)
