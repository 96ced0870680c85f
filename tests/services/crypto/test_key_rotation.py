"""A new key: what the old one sealed opens still, and is sealed with the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.field_encryption import key_id
from medonline.services.login.password_login import OpenedSession
from medonline.services.outages import JournalKeyUnknown
from tests.services.desk.registering import register
from tests.services.outside import POLICY, SNILS, VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import BORIS, SECRET_KEY, MovableClock, browser, opened, sign_in


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


NEW_KEY = "n" * 40


async def test_with_a_new_key_everything_opens_still_and_is_sealed_anew(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)
    old, new = key_id(SECRET_KEY.encode()), key_id(NEW_KEY.encode())
    assert set(await portal.desk.keys.keys_in_use()) == {old}

    async with opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as rotated:
        rotated = with_provider(rotated, ScriptedIdentity())
        assert isinstance(await arrive(rotated, BORIS), OpenedSession)  # found by what the old key indexed
        assert set(await rotated.desk.keys.keys_in_use()) == {old, new}
        first = await rotated.desk.keys.reseal()
        assert set(await rotated.desk.keys.keys_in_use()) == {new}
        assert sum(first.done.values()) >= 2  # the policy was sealed again by the sign-in
        assert sum(first.broken.values()) == 0
        assert sum((await rotated.desk.keys.reseal()).done.values()) == 0

    async with opened(folder, clock, secret_key=NEW_KEY) as without_the_old:
        without_the_old = with_provider(without_the_old, ScriptedIdentity())
        about = (await without_the_old.desk.personal_data.export(VERA.phone))["patient"]
        assert (about["snils"], about["oms_policy"]) == (SNILS, POLICY)
        assert isinstance(await arrive(without_the_old, browser(3)), OpenedSession)


async def test_a_lost_key_loses_what_it_sealed_and_the_journal_takes_no_row_of_another(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await register(portal)

    async with opened(folder, clock, secret_key=NEW_KEY) as other:
        result = await other.desk.keys.reseal()
        assert sum(result.done.values()) == 0
        assert sum(result.broken.values()) >= 3
        with pytest.raises(JournalKeyUnknown):
            await sign_in(other, BORIS)
        with pytest.raises(JournalKeyUnknown):
            await other.desk.personal_data.export(VERA.phone)
