"""What is kept: sealed anew under a new key, deleted when its time is past, given out and erased at demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from medonline.bootstrap import Portal
from medonline.domain.errors import AccountNotFound, InvalidPhone
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.field_encryption import key_id
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.retention import CODES_NEEDED_FOR
from medonline.services.login.password_login import OpenedSession
from medonline.storage.queries import personal_data
from tests.services.outside import (
    OTHER_SNILS,
    POLICY,
    SNILS,
    VERA,
    ScriptedIdentity,
    arrive,
    changed_tables,
    dump,
    with_provider,
)
from tests.services.world import ANNA, BORIS, KNOWN, OTHER_KNOWN, SECRET_KEY, MovableClock, opened, prove, sign_in

NEW_KEY = "n" * 40


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def register(portal: Portal, visitor: str = ANNA) -> OpenedSession:
    """VERA's account, with СНИЛС and policy."""
    outcome = await arrive(portal, visitor, consent=VERSION)
    assert isinstance(outcome, OpenedSession)
    return outcome


# --- keys -------------------------------------------------------------------------------------------------------


async def test_with_a_new_key_everything_opens_still_and_is_sealed_anew(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)
    old, new = key_id(SECRET_KEY.encode()), key_id(NEW_KEY.encode())
    assert set(await portal.keys.keys_in_use()) == {old}

    async with opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as rotated:
        rotated = with_provider(rotated, ScriptedIdentity())
        assert isinstance(await arrive(rotated, BORIS), OpenedSession)  # found by what the old key indexed
        assert set(await rotated.keys.keys_in_use()) == {old, new}
        first = await rotated.keys.reseal()
        assert set(await rotated.keys.keys_in_use()) == {new}
        assert sum(first.done.values()) >= 2  # the policy was sealed anew by the sign-in
        assert sum(first.broken.values()) == 0
        assert sum((await rotated.keys.reseal()).done.values()) == 0

    async with opened(folder, clock, secret_key=NEW_KEY) as without_the_old:
        without_the_old = with_provider(without_the_old, ScriptedIdentity())
        about = (await without_the_old.personal_data.export(VERA.phone))["patient"]
        assert (about["snils"], about["oms_policy"]) == (SNILS, POLICY)
        assert isinstance(await arrive(without_the_old, "c" * 64), OpenedSession)


async def test_a_lost_key_breaks_nothing_but_what_it_sealed(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await register(portal)

    async with opened(folder, clock, secret_key=NEW_KEY) as other:
        result = await other.keys.reseal()
        assert sum(result.done.values()) == 0
        assert sum(result.broken.values()) >= 3
        about = (await other.personal_data.export(VERA.phone))["patient"]
        assert about["snils"] == "sealed with a key that is not configured"
        assert about["last_name"] == VERA.last_name
        assert await sign_in(other, BORIS)


# --- retention --------------------------------------------------------------------------------------------------


async def test_nothing_is_forgotten_before_its_time(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await register(portal)
    await prove(portal, BORIS)
    await sign_in(portal, BORIS)
    before = dump(folder)
    clock.move(hours=20)

    assert await portal.retention.forget() == {}
    assert dump(folder) == before


async def test_what_waits_for_minutes_is_gone_after_a_day_and_codes_after_a_month(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)
    await arrive(portal, BORIS, person=replace(VERA, subject="1", snils=OTHER_SNILS, phone=""))
    await prove(portal, BORIS)
    clock.move(days=1, minutes=30)
    assert set(await portal.retention.forget()) == {"identity_journey", "pending_identity"}
    clock.move(seconds=CODES_NEEDED_FOR.total_seconds())
    assert set(await portal.retention.forget()) == {"one_time_code", "password_recovery"}
    clock.move(days=90)

    assert set(await portal.retention.forget()) == {"account_session"}
    kept = dump(folder)
    assert kept["patient"]
    assert kept["personal_data_consent"]
    assert kept["linked_identity"]


async def test_codes_that_limits_look_back_at_are_kept_whatever_the_setting_says(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, retention_codes="1 s") as portal:
        await prove(portal, ANNA)
        clock.move(days=30)
        await portal.retention.forget()

        assert dump(folder)["one_time_code"]


# --- given out and erased ---------------------------------------------------------------------------------------


async def test_everything_kept_of_a_patient_is_given_out_without_keys_to_the_account(portal: Portal) -> None:
    session = await register(portal)
    told = await portal.personal_data.export(f"8 ({VERA.phone[2:5]}) {VERA.phone[5:]}")

    assert told["patient"]["last_name"] == VERA.last_name
    assert told["patient"]["snils"] == SNILS
    assert [row["subject"] for row in told["linked_identity"]] == [VERA.subject]
    assert told["personal_data_consent"][0]["version"] == VERSION
    assert len(told["account_session"]) == 1
    for secret in (session.token, token_hash(session.token), "argon2", "s2."):
        assert secret not in repr(told)


async def test_an_erased_patient_leaves_no_row_and_others_stay(portal: Portal, folder: Path) -> None:
    await sign_in(portal, BORIS)
    before = dump(folder)
    await register(portal)
    await portal.recovery.begin("c" * 64, VERA.phone, next(iter(portal.config.code_channels)))
    gone = await portal.personal_data.erase(VERA.phone)

    assert gone["patient"] == 1
    assert gone["one_time_code"] == 1
    after = dump(folder)
    assert changed_tables(before, after) <= {"identity_journey", "security_journal"}
    assert set(before["security_journal"]) < set(after["security_journal"])
    assert await sign_in(portal, ANNA, KNOWN)
    with pytest.raises(AccountNotFound):
        await portal.personal_data.erase(VERA.phone)


@pytest.mark.parametrize("account", ["+79005550000", "no-such-id", ""])
async def test_an_unknown_account_is_said_to_be_unknown(portal: Portal, account: str) -> None:
    with pytest.raises(AccountNotFound):
        await portal.personal_data.export(account)


async def test_half_a_phone_is_no_account(portal: Portal) -> None:
    with pytest.raises(InvalidPhone):
        await portal.personal_data.export("8 900")


def test_every_table_about_a_patient_is_given_out_and_erased() -> None:
    about = {name for name, table in SQLModel.metadata.tables.items() if "patient_id" in table.columns}

    # The journal is given out, and outlives the patient: docs/decisions/0012.
    assert {table.__tablename__ for table in personal_data.OF_PATIENT} == about - {"security_journal"}


async def test_an_operator_signs_a_patient_out_everywhere(portal: Portal) -> None:
    mine = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]
    theirs = token_hash(await sign_in(portal, "c" * 64, OTHER_KNOWN, "Poliklinika7"))
    assert await portal.personal_data.end_sessions(KNOWN) == 2

    assert [await portal.login.who(key) for key in mine] == [None, None]
    assert await portal.login.who(theirs) is not None
    told = await portal.personal_data.export(KNOWN)
    (row,) = [row for row in told["security_journal"] if row["event"] == JournalEvent.SESSIONS_ENDED_AT_DESK]
    assert row["details"] == '{"sessions": 2}'
