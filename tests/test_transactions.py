"""A transaction is a plain function that waits for nothing but the database (docs/decisions/0018-transactions-are-plain-functions.md).

A function that takes a session is no coroutine function, so Python itself refuses an `await` in it. These tests check the rest: no code of
the product opens a transaction in its own thread, and no transaction starts something that only the event loop could finish.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import Result
from sqlmodel import Session

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ROOT / "medonline"
ENGINE = PRODUCT / "storage" / "engine.py"
SANDBOX = PRODUCT / "sandbox"
# These open a transaction in the caller's thread, which may be that of the event loop.
BLOCKING = frozenset({"reading", "writing"})
# These belong to the event loop: its locks do not lock threads, and its futures must not be set from one.
OF_THE_LOOP = frozenset({"asyncio", "anyio"})
DECORATORS = frozenset({"reads", "writes"})
# Plain methods of the objects in a transaction. Names alone cannot distinguish them from a coroutine function with the same name. But mypy
# knows the types and refuses a coroutine that nothing awaits.
PLAIN = frozenset(name for kind in (Session, Result, dict, list, set, str) for name in dir(kind)) | {"set"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_in(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def takes_a_session(function: Function | ast.Lambda) -> bool:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return any(one.annotation is not None and names_a_session(one.annotation) for one in every)


def names_a_session(annotation: ast.expr) -> bool:
    """Whether an annotation is `Session`, `sqlmodel.Session` or `Session | None`, also as text. `Callable[[Session], None]` does not
    count."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return names_a_session(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.BinOp):
        return names_a_session(annotation.left) or names_a_session(annotation.right)
    return name_of(annotation) in {"Session", "AsyncSession"}


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_of(node: ast.expr) -> str:
    """The first part of a dotted name."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def awaitable_names(trees: list[ast.AST]) -> frozenset[str]:
    """Names of functions whose call makes a coroutine, without names that plain functions also have."""
    made: set[str] = set()
    plain: set[str] = set()
    for function in (function for tree in trees for function in functions_in(tree)):
        decorated = any(name_of(decorator) in DECORATORS for decorator in function.decorator_list)
        (made if decorated or isinstance(function, ast.AsyncFunctionDef) else plain).add(function.name)
    return frozenset(made - plain - PLAIN)


def faults_of(where: str, tree: ast.AST, awaitables: frozenset[str], *, engine: bool = False) -> list[str]:
    """The faults in one module, with their lines. `engine`: this is the module that opens transactions."""
    faults = []
    for node in ast.walk(tree):
        opens = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BLOCKING
        if opens and not engine:
            faults.append(f"{where}:{node.lineno}: opens a transaction in its own thread")  # type: ignore[attr-defined]
    for function in filter(takes_a_session, functions_in(tree)):
        if isinstance(function, ast.AsyncFunctionDef):
            faults.append(f"{where}:{function.lineno}: {function.name} takes a session and is no plain function")
        faults += [
            f"{where}:{call.lineno}: {function.name} takes a session and calls {ast.unparse(call.func)}"
            for part in function.body
            for call in ast.walk(part)
            if isinstance(call, ast.Call) and (root_of(call.func) in OF_THE_LOOP or name_of(call.func) in awaitables)
        ]
    return faults


def product() -> dict[Path, ast.AST]:
    """Every module that may use the database. The sandbox's stand-ins do not: their sessions are those of browsers."""
    paths = sorted(path for path in PRODUCT.rglob("*.py") if SANDBOX not in path.parents)
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def faults_in(source: str) -> list[str]:
    tree = ast.parse(source)
    return faults_of("made_up", tree, awaitable_names([tree]))


def test_no_transaction_of_the_product_is_on_the_event_loop_or_waits_for_it() -> None:
    trees = product()
    awaitables = awaitable_names([*trees.values()])
    # The engine calls its arguments under names of its own.
    faults = faults_of("engine", trees.pop(ENGINE), frozenset(), engine=True)
    for path, tree in trees.items():
        faults += faults_of(path.relative_to(ROOT).as_posix(), tree, awaitables)

    assert faults == []


def test_the_check_sees_the_transactions_of_the_product() -> None:
    trees = product().values()
    functions = [function for tree in trees for function in functions_in(tree)]
    units = [one for one in functions if any(name_of(decorator) in DECORATORS for decorator in one.decorator_list)]

    assert len(list(filter(takes_a_session, functions))) > 150
    assert len(units) > 40
    assert [unit.name for unit in units if not takes_a_session(unit)] == []
    assert awaitable_names([*trees]) >= {"send_code", "hash", "write", "keys_in_use"}


CLEAN = """
class Desk:
    @writes
    def erase(self, session: Session, account: str) -> int:
        self.journal.note(session, account)
        return forget(session, account)

    async def run(self) -> None:
        await self.erase("1")
        await self.database.write(forget, "1")
        await asyncio.sleep(1)

def forget(session: Session, account: str) -> int:
    return session.exec(delete(account))

async def wait(act: Callable[[Session], None]) -> None:
    await database.read(act)
"""


def test_a_clean_source_has_no_fault() -> None:
    assert faults_in(CLEAN) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("def ask():\n    with database.reading() as session: ...", "2: opens a transaction in its own thread"),
        (
            "async def act(self):\n    with self.database.writing() as s: ...",
            "2: opens a transaction in its own thread",
        ),
        ("async def ask(session: Session): ...", "1: ask takes a session and is no plain function"),
        ("async def ask(*, session: sqlmodel.Session): ...", "1: ask takes a session and is no plain function"),
        ("async def ask(session: 'Session'): ...", "1: ask takes a session and is no plain function"),
        ("async def ask(session: Session | None): ...", "1: ask takes a session and is no plain function"),
        ("async def ask(session: AsyncSession, /): ...", "1: ask takes a session and is no plain function"),
        (
            "class A:\n    def act(self, session: Session):\n        asyncio.create_task(1)",
            "3: act takes a session and calls asyncio.create_task",
        ),
        (
            "def act(session: Session):\n    later = lambda: asyncio.run(1)",
            "2: act takes a session and calls asyncio.run",
        ),
        (
            "async def send(): ...\ndef act(session: Session):\n    self.ways.send(session)",
            "3: act takes a session and calls self.ways.send",
        ),
        (
            "class A:\n    @reads\n    def ask(self, session: Session): ...\n    @writes\n"
            "    def act(self, session: Session):\n        return self.ask()",
            "6: act takes a session and calls self.ask",
        ),
    ],
)
def test_the_check_bites(source: str, fault: str) -> None:
    assert faults_in(source) == [f"made_up:{fault}"]
