"""The test of a module is in the same folder of the tests, under the module's name after `test_`.

Tests that do not fit into one file continue in files beside it whose names begin the same. The rule does not apply to an adapter of
`providers`: its port's contract tests it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MIRRORED = ("domain", "services")
# Modules without a rule that a test could break. Each entry says what the module holds and where tests use it.
WITHOUT_RULES = {
    "domain/client.py": "a value, whose parts tests of services name; tests/services/test_signatures.py keeps them together",
    "domain/device.py": "a value of two texts, which web/devices.py and services/limits/networks.py make",
    "domain/login.py": "names only",
    "services/limits/places.py": "a protocol; tests/providers/limits/test_places.py keeps its adapters to it",
    "services/notices/ways.py": "how a channel is called; notices/test_sender.py and account_settings/test_email_proof.py use both",
    "services/ports.py": "protocols and values; tests/providers/ keeps each adapter to them",
}
# Test files that cover no single module. Each entry says what they cover.
OF_SEVERAL_MODULES = {
    "services/account_settings/test_statements.py": "what the flow asks of the database",
    "services/codes/test_next_vendor.py": "codes of two vendors, from the flow to the wire and back",
    "services/codes/test_parallel_guesses.py": "the judging of codes under a crowd, from the flow down to one UPDATE",
    "services/gosuslugi/test_attacks.py": "takeovers through sign-in, questions and links together",
    "services/gosuslugi/test_fresh_proofs.py": "what a proof by Gosuslugi opens in sign-in, session and settings",
    "services/gosuslugi/test_statements.py": "what the flow asks of the database",
    "services/login/test_provider_tokens.py": "every end of a session, in sign-in, settings, recovery and at the desk",
    "services/login/test_sessions_model.py": "random walks over recoveries, sign-ins and sessions",
    "services/password_recovery/test_model.py": "random walks over the whole recovery",
    "services/password_recovery/test_patient_calls.py": "calls of patients, from the limits to the birth date",
    "services/password_recovery/test_statements.py": "what the flow asks of the database",
    "services/patient_cards/test_statements.py": "what the flow asks of the database",
    "services/test_known_and_unknown.py": "every action of every service that sees a number",
    "services/test_signatures.py": "what the functions of all services take",
}


def faults_of(modules: set[str], tests: set[str], without_rules: set[str], of_several: set[str]) -> list[str]:
    """The files that are out of place. Paths are relative to medonline/ and to tests/."""
    stems = {module: f"{parent}/test_{name}" for module in modules for parent, _, name in [module[:-3].rpartition("/")]}
    untested = {module for module, stem in stems.items() if f"{stem}.py" not in tests}
    owned = tuple(sign for stem in stems.values() for sign in (f"{stem}.py", f"{stem}_"))
    unowned = {test for test in tests if not test.startswith(owned)}
    return [
        *(f"{module}: no test file of its name" for module in sorted(untested - without_rules)),
        *(f"{test}: of which module?" for test in sorted(unowned - of_several)),
        *(f"{module}: has a test file of its name, or is gone" for module in sorted(without_rules - untested)),
        *(f"{test}: is a module's, or is gone" for test in sorted(of_several - unowned)),
    ]


def files_in(top: str, pattern: str) -> set[str]:
    base = ROOT / top
    return {path.relative_to(base).as_posix() for part in MIRRORED for path in (base / part).rglob(pattern)}


def test_every_module_has_a_test_file_of_its_name_and_every_test_file_a_module() -> None:
    modules = {name for name in files_in("medonline", "*.py") if not name.endswith("__init__.py")}

    assert len(modules) > 60
    assert faults_of(modules, files_in("tests", "test_*.py"), set(WITHOUT_RULES), set(OF_SEVERAL_MODULES)) == []


MODULE, TEST = "services/flow/reader.py", "services/flow/test_reader.py"


@pytest.mark.parametrize(
    ("modules", "tests", "without_rules", "of_several", "fault"),
    [
        ({MODULE}, {TEST}, set(), set(), ""),
        ({MODULE}, {TEST, "services/flow/test_reader_limits.py"}, set(), set(), ""),
        ({MODULE}, set(), {MODULE}, set(), ""),
        ({MODULE}, {TEST, "services/flow/test_story.py"}, set(), {"services/flow/test_story.py"}, ""),
        ({MODULE}, set(), set(), set(), f"{MODULE}: no test file of its name"),
        ({MODULE}, {"services/test_reader.py"}, {MODULE}, set(), "services/test_reader.py: of which module?"),
        (
            {MODULE},
            {TEST, "services/flow/test_readers.py"},
            set(),
            set(),
            "services/flow/test_readers.py: of which module?",
        ),
        ({MODULE}, {TEST}, {MODULE}, set(), f"{MODULE}: has a test file of its name, or is gone"),
        (set(), set(), {MODULE}, set(), f"{MODULE}: has a test file of its name, or is gone"),
        ({MODULE}, {TEST}, set(), {TEST}, f"{TEST}: is a module's, or is gone"),
        ({MODULE}, {TEST}, set(), {"services/test_gone.py"}, "services/test_gone.py: is a module's, or is gone"),
    ],
)
def test_what_is_out_of_place_is_named(
    modules: set[str], tests: set[str], without_rules: set[str], of_several: set[str], fault: str
) -> None:
    assert faults_of(modules, tests, without_rules, of_several) == ([fault] if fault else [])
