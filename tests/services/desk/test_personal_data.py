"""What is kept: sealed again under a new key, deleted when its time is past, given out and erased at demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import AccountNotFound, InvalidPhone
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.storage.queries import personal_data
from tests.services.desk.registering import register
from tests.services.outside import SNILS, VERA, ScriptedIdentity, changed_tables, dump, with_provider
from tests.services.world import ANNA, BORIS, KNOWN, OTHER_KNOWN, MovableClock, browser, opened, sign_in


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


# --- given out and erased ---------------------------------------------------------------------------------------


async def test_everything_kept_of_a_patient_is_given_out_without_keys_to_the_account(portal: Portal) -> None:
    session = await register(portal)
    told = await portal.desk.personal_data.export(f"8 ({VERA.phone[2:5]}) {VERA.phone[5:]}")

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
    await portal.recovery.begin(Client(visitor_key="c" * 64), VERA.phone, next(iter(portal.config.code_channels)))
    gone = await portal.desk.personal_data.erase(VERA.phone)

    assert gone["patient"] == 1
    assert gone["one_time_code"] == 1
    after = dump(folder)
    assert changed_tables(before, after) <= {"identity_journey", "security_journal"}
    assert set(before["security_journal"]) < set(after["security_journal"])
    assert await sign_in(portal, ANNA, KNOWN)
    with pytest.raises(AccountNotFound):
        await portal.desk.personal_data.erase(VERA.phone)


@pytest.mark.parametrize("account", ["+79005550000", "no-such-id", ""])
async def test_an_unknown_account_is_said_to_be_unknown(portal: Portal, account: str) -> None:
    with pytest.raises(AccountNotFound):
        await portal.desk.personal_data.export(account)


async def test_half_a_phone_is_no_account(portal: Portal) -> None:
    with pytest.raises(InvalidPhone):
        await portal.desk.personal_data.export("8 900")


def test_every_table_about_a_patient_is_given_out_and_erased() -> None:
    about = {name for name, table in SQLModel.metadata.tables.items() if "patient_id" in table.columns}

    # The journal is given out, and outlives the patient: docs/decisions/0012.
    assert {table.__tablename__ for table in personal_data.OF_PATIENT} == about - {"security_journal"}


async def test_an_operator_signs_a_patient_out_everywhere(portal: Portal) -> None:
    mine = [token_hash(await sign_in(portal, visitor)) for visitor in (ANNA, BORIS)]
    theirs = token_hash(await sign_in(portal, browser(3), OTHER_KNOWN, "Poliklinika7"))
    assert await portal.desk.personal_data.end_sessions(KNOWN) == 2

    assert [await portal.login.who(key) for key in mine] == [None, None]
    assert await portal.login.who(theirs) is not None
    told = await portal.desk.personal_data.export(KNOWN)
    (row,) = [row for row in told["security_journal"] if row["event"] == JournalEvent.SESSIONS_ENDED_AT_DESK]
    assert row["details"] == '{"sessions": 2}'
