"""docs/attack_map.md is true: it lists every attack that must be tried, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRIED = [
    "forged `connect`",
    "foreign Origin",
    "missing Origin",
    "another Host",
    "a made-up request id",
    "what a collector of traces receives",
    "a collector that is gone",
    "unknown handlers and events",
    "malformed and oversized frames",
    "messages that are never finished, empty fragments, pings by the thousand, compression",
    "handshakes that are too long, or followed by frames before their answer",
    "frames of every kind, by the thousand",
    "sockets by the hundred, under made-up visitors",
    "two readings of one request",
    "requests that are never finished",
    "a page elsewhere that posts to the stand-ins",
    "a handler out of order",
    "a handler by no one",
    "a handler with wrong types",
    "a handler with 64 KB",
    "parallel guesses",
    "two guesses a code, code after code",
    "a reissued number",
    "a proof that outlives its number",
    "«это не я» switched off",
    "a stranger's Gosuslugi that outlives the dispute",
    "a thief of the phone, who alone is told of what the thief did",
    "an address of the thief's own in place of the owner's",
    "a stranger's mailbox filled, or proved by guessing",
    "an address of a stranger's that is proved unseen, for the links «это не я» in its notices",
    "headers, recipients or commands hidden in an address",
    "a stranger with the password, who only reads",
    "an operator who was talked into another number, or bribed",
    "«это не я» of a thief, or of a mistyped number's holder, against what the desk has put right",
    "notices of new devices used up, or sent by the dozen",
    "a stranger's words in the portal's own SMS, by the name of a browser",
    "a mail server that is not the one",
    "a passkey's answer that is forged, replayed, late, another browser's or another purpose's",
    "a passkey of a foreign site, of another account, or that nobody looked at",
    "a passkey asked for within a page of another site",
    "a malformed new key: other attestations, broken CBOR, a key that fits no signature, an algorithm that was not asked for",
    "control characters and halves of characters in a passkey's name, for an operator's terminal or the database",
    "a passkey whose counter goes back",
    "a removed passkey, or one of an erased account",
    "a stranger's passkey that outlives the password",
    "a code of flow A in flow B",
    "a code by SMS in another flow",
    "a swapped SIM",
    "messages pumped for their price",
    "a stop list or a missing route read as a sign of an account",
    "a code by SMS filled in elsewhere",
    "a chat that a stranger began, or a stranger's link sent to the victim",
    "a contact of another number, without hash, forged or forwarded",
    "an update of a chat that is replayed, or without the secret",
    "two flows of one phone in chats",
    "two numbers in one chat, a start or contact that comes again at another process",
    "a bot that was blocked, or cannot write",
    "messages to the bot that make MAX give the webhook up: long, deep, no JSON, in a group",
    "a name in a card that brings a number of its own, a folded line, two numbers",
    "strangers who ask for codes and type none, to push a way down or off",
    "the order of the ways read as a sign of an account",
    "a report of a call that is forged, or true and not the vendor's word",
    "a call's outcome asked for by another browser, twice or late",
    "the owner's call answers a stranger's wait",
    "a forged caller's number",
    "waits and wrong dates of a stranger against the owner",
    "a replayed ticket",
    "a replayed flow cookie",
    "a replayed OIDC code",
    "a return from another issuer",
    "two tabs",
    "a stale tab after logout",
    "an ended session",
    "a visitor cookie that somebody copied",
    "a made-up cookie of the low-vision version",
    "the next person at a shared computer",
    "double submits",
    "return path `//`",
    "return path `javascript:`",
    "return path with a backslash",
    "forged X-Forwarded-For",
    "an attacker among thousands behind one address",
    "strangers who lock everybody out of sign-in",
    "many networks of one IPv6 customer",
    "a proxy that no one counted",
    "another user of the machine",
    "a way without TLS",
    "a key that a hand made",
    "CR LF and ANSI in every logged value",
    "passwords of 4 kB, emoji, NFD, NUL",
    "phones of every spelling",
    "provider down",
    "provider slow",
    "provider lying",
    "provider answering html",
    "clock an hour ahead",
    "clock an hour back",
    "database locked",
    "database full",
    "database read-only",
    "database gone",
    "Redis gone",
    "Redis flushed",
    "kill -9 at every write",
    "SIGTERM in the middle of a handler or a send",
    "starts of sign-ins through Gosuslugi by the thousand",
    "junk that asks for a lock",
    "an old proof of Gosuslugi for a new password",
    "one person who answers in two browsers at once",
    "a journal filled with refused sign-ins",
    "a journal filled from inside an account",
    "notices by the hundred, or used up before an unseen change",
    "two passwords at one time",
    "the provider's token read from an address or a database",
    "somebody else's medical card",
    "policies tried to learn which exist",
    "policies tried one after another",
    "«Обновить» pressed again and again",
]
FACTS = [str(number) for number in range(1, 13)]
INVARIANTS = [f"I{number}" for number in range(1, 10)]
_LINE = re.compile(r"^\| (?P<what>[^|]+) \| (?P<holds>[^|]+) \| (?P<tests>`[^|]+`) \|$", re.M)
_TEST = re.compile(r"`([^`:]+)::(test_\w+)`")
TEXT = (ROOT / "docs/attack_map.md").read_text(encoding="utf-8")
ROWS = {match["what"]: match for match in _LINE.finditer(TEXT)}


@cache
def named_in(path: str) -> frozenset[str]:
    """The test functions of a module, including those in its classes."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_row_stands_once_and_in_order() -> None:
    assert [match["what"] for match in _LINE.finditer(TEXT)] == TRIED + FACTS + INVARIANTS
    assert len([line for line in TEXT.splitlines() if line.startswith("| ")]) == len(ROWS) + 3  # and three headings


@pytest.mark.parametrize("what", TRIED + FACTS + INVARIANTS)
def test_every_test_that_a_row_names_exists(what: str) -> None:
    row = ROWS[what]
    named = _TEST.findall(row["tests"])

    assert named
    assert len(named) == len(set(named))
    assert _TEST.sub("", row["tests"]).strip() == ""
    assert [f"{path}::{name}" for path, name in named if name not in named_in(path)] == []


def test_every_module_of_attacks_is_named() -> None:
    modules = {f"tests/attacks/{file.name}" for file in (ROOT / "tests/attacks").glob("test_*.py")}

    assert sorted(modules - {path for path, _ in _TEST.findall(TEXT)}) == []
