"""Known and unknown numbers cannot be told apart before the proof: same texts, same writes (I8). Times: see benchmarks/."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medonline.domain.errors import CodeMismatch, InvalidCredentials
from medonline.services.account_settings.email_proof import EmailProofService
from medonline.services.account_settings.service import AccountSettingsService
from medonline.services.codes.chats import CodeChats
from medonline.services.gosuslugi.login import IdentityService
from medonline.services.gosuslugi.pending_person import IdentityAnswers
from medonline.services.login.password_login import LoginService
from medonline.services.passkeys.login import PasskeyLogin
from medonline.services.password_recovery.service import PasswordRecoveryService
from medonline.storage.queries import patients
from tests.services.known_and_unknown import (
    SCENARIOS,
    Kind,
    Scenario,
    Stage,
    Visit,
    begin,
    by_table,
    make_accounts,
    phone_of,
    play,
    staged,
)

SERVICES: dict[str, type[Any]] = {
    "login": LoginService,
    "recovery": PasswordRecoveryService,
    "settings": AccountSettingsService,
    "identity": IdentityService,
    "answers": IdentityAnswers,
    "passkey_login": PasskeyLogin,
    "email_proof": EmailProofService,
    "chats": CodeChats,
}
NO_NUMBER = {
    "login.verified": "inside log_in",
    "login.note_refusal": "inside log_in",
    "login.closed": "of the network alone: it takes no number",
    "login.open_session": "a ticket is the proof",
    "login.who": "a session is the proof",
    "login.who_and": "the same, and what a page reads with it",
    "login.close_session": "a session is the proof",
    "login.marks_after": "of a session that was ended",
    "recovery.open_channels": "the same for every number",
    "recovery.opened": "`open_channels` and `current` together",
    "recovery.leave_proved": "names no number",
    "identity.start": "before anybody is named",
    "identity.refused": "names no number",
    "identity.onward": "names no number",
    "identity.sign_out": "after the session",
    "passkey_login.log_in": "the device names its account, and proves it; a key that no account has is no number's",
    "chats.run": "`turn`, again and again",
    "chats.turn": "`take`, where there is no webhook",
    "answers.refuse": "names no number",
    "answers.not_mine": "names no number",
    "answers.have_account": "names no number",
}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
async def test_known_and_unknown_numbers_get_the_same_answer_for_the_same_writes(
    folder: Path, scenario: Scenario
) -> None:
    async with staged(folder) as stage:
        await make_accounts(stage, scenario)
        *others, unknown = [await play(stage, scenario, kind) for kind in scenario.kinds]

    assert others
    assert scenario.kinds[-1] is Kind.UNKNOWN
    for other in others:
        assert other.shown == unknown.shown
        assert other.writes == unknown.writes
        assert other.commits == unknown.commits


def test_every_action_of_the_services_is_compared_or_has_a_reason_not_to_be() -> None:
    actions = {
        f"{name}.{method}"
        for name, service in SERVICES.items()
        for method, function in inspect.getmembers(service, inspect.iscoroutinefunction)
        if not method.startswith("_")
    }
    compared = {scenario.action for scenario in SCENARIOS}

    assert compared | set(NO_NUMBER) == actions, "does it see a number? add it to SCENARIOS, or say here why not"
    assert not compared & set(NO_NUMBER)


# --- the comparison itself -------------------------------------------------------------------------------------------


@pytest.fixture
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with staged(folder) as stage:
        for scenario in SCENARIOS:
            await make_accounts(stage, scenario)
        yield stage


def scenario_of(title: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.title == title)


async def test_a_write_for_known_numbers_only_would_be_seen(stage: Stage) -> None:
    async def note(stage: Stage, visit: Visit) -> None:
        with stage.portal.database.writing() as session:
            patient = patients.by_phone(session, visit.phone)
            if patient is not None:
                patients.record_phone_proof(session, patient.id, stage.clock())
        raise InvalidCredentials

    leaky = replace(scenario_of("sign-in, wrong password"), act=note)
    known, unknown = [await play(stage, leaky, kind) for kind in (Kind.KNOWN, Kind.UNKNOWN)]

    assert known.shown == unknown.shown
    assert (by_table(known.writes), by_table(unknown.writes)) == ("1 UPDATE patient", "none")
    assert known.told != unknown.told


async def test_a_commit_of_nothing_for_known_numbers_only_would_be_seen(stage: Stage) -> None:
    async def commit(stage: Stage, visit: Visit) -> None:
        with stage.portal.database.reading() as session:
            known = patients.by_phone(session, visit.phone) is not None
        if known:
            with stage.portal.database.writing():
                pass
        raise InvalidCredentials

    leaky = replace(scenario_of("sign-in, wrong password"), act=commit)
    known, unknown = [await play(stage, leaky, kind) for kind in (Kind.KNOWN, Kind.UNKNOWN)]

    assert (known.shown, known.writes) == (unknown.shown, unknown.writes)
    assert known.commits == unknown.commits + 1


async def test_other_words_for_known_numbers_would_be_seen(stage: Stage) -> None:
    async def tell(_stage: Stage, visit: Visit) -> None:
        known = visit.phone == phone_of(scenario_of("wrong code"), Kind.KNOWN, 0)
        raise CodeMismatch(1 if known else 2)

    leaky = replace(scenario_of("wrong code"), before=(), act=tell)
    known, unknown = [await play(stage, leaky, kind) for kind in (Kind.KNOWN, Kind.UNKNOWN)]

    assert known.shown != unknown.shown
    assert known.writes == unknown.writes == ()


async def test_every_write_of_an_action_is_counted(stage: Stage) -> None:
    begun = await play(stage, scenario_of("begin, by flash_call"), Kind.UNKNOWN)
    seen = by_table(begun.writes)

    assert "1 INSERT password_recovery" in seen
    assert "1 INSERT one_time_code" in seen
    assert begun.commits == 1
    assert "phone = +7 900 ***-**-00" in begun.shown


async def test_a_scenario_that_ends_otherwise_than_meant_is_no_comparison(stage: Stage) -> None:
    with pytest.raises(AssertionError, match="RateLimited"):
        await play(stage, replace(scenario_of("resend"), before=(begin,)), Kind.UNKNOWN)
