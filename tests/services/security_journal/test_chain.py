"""Keys follow one another: a process whose key is not known to the newest row, or came before it, writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials
from medonline.services.crypto.field_encryption import key_id
from medonline.services.outages import JournalKeyUnknown
from tests.services.security_journal.rows import is_whole, rows
from tests.services.world import ANNA, BORIS, KNOWN, SECRET_KEY, MovableClock, browser, opened, sign_in

NEW_KEY = "another-key-for-tests-of-more-than-32-characters"
OLD, NEW = key_id(SECRET_KEY.encode()), key_id(NEW_KEY.encode())


async def keys_of_rows(portal: Portal) -> list[str]:
    """The keys of the rows in order, each once for rows that follow each other."""
    found: list[str] = []
    for row in await rows(portal):
        if found[-1:] != [row.key_id]:
            found.append(row.key_id)
    return found


async def test_a_process_left_on_the_old_key_writes_nothing_and_breaks_nothing(
    portal: Portal, folder: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    await sign_in(portal, ANNA)
    async with opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as rotated:
        await sign_in(rotated, BORIS)
        before = len(await rows(rotated))
        with pytest.raises(JournalKeyUnknown, match=f"is of key {NEW}, which is not configured"):
            await sign_in(portal, browser(3))
        with pytest.raises(InvalidCredentials):  # nothing was accepted: the refusal holds without its row
            await portal.login.log_in(browser(4), KNOWN, "NotMyPassword1")

        assert await portal.journal_keeper.chain.fault()
        assert len(await rows(rotated)) == before
        assert await is_whole(rotated)
        assert not await rotated.journal_keeper.chain.fault()
    assert sum("ALARM journal-key-unknown: " in record.getMessage() for record in caplog.records) == 1


async def test_the_next_key_is_used_as_soon_as_somebody_has_begun_with_it(folder: Path, clock: MovableClock) -> None:
    async with (
        opened(folder, clock, next_secret_key=NEW_KEY) as knows,
        opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as has_changed,
    ):
        await sign_in(knows, ANNA)
        assert (await keys_of_rows(knows))[-1] == OLD
        for who in (has_changed, knows, has_changed, knows):
            await sign_in(who, ANNA)

        assert (await keys_of_rows(knows))[-2:] == [OLD, NEW]
        assert await is_whole(knows)
        assert await is_whole(has_changed)


async def test_a_process_that_goes_back_to_an_older_key_writes_nothing(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await sign_in(portal, ANNA)
    async with opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as rotated:
        await sign_in(rotated, ANNA)
    async with opened(folder, clock, secret_key=SECRET_KEY, old_secret_keys=NEW_KEY) as back:
        with pytest.raises(JournalKeyUnknown, match=f"is of key {NEW}, which came after {OLD}"):
            await sign_in(back, ANNA)


async def test_nothing_is_forgotten_by_a_process_that_must_not_write(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await sign_in(portal, ANNA)
    clock.move(days=2000)
    async with opened(folder, clock, secret_key=NEW_KEY, old_secret_keys=SECRET_KEY) as rotated:
        await sign_in(rotated, ANNA)
        with pytest.raises(JournalKeyUnknown):
            await portal.journal_keeper.forget()
        assert await rotated.journal_keeper.forget()
        assert await is_whole(rotated)
