"""«Это не я»: the link of a notice takes an account out of use, once, and gives nothing to anyone who holds it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.device import Device
from medonline.domain.errors import (
    DisputeNotPossible,
    InvalidCredentials,
    NoRecoveryInProgress,
    PhoneTaken,
    RecoveryStopped,
)
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.services.login.password_login import OpenedSession
from medonline.services.notices.dispute_links import LINK_LIFE
from medonline.services.notices.queue import MAX_TEXT
from medonline.services.notices.texts import Text
from medonline.wording import notices as wording
from tests.services import strangers
from tests.services.notices.phone import told
from tests.services.outside import VERA, ScriptedIdentity, arrive, dump, is_at_rest, with_provider
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    prove,
    sign_in,
    signed_in,
    told_of,
)

NEW_PASSWORD = "KorablLipa47"
THIEF = Client(visitor_key="c" * 64)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def token_of(portal: Portal) -> str:
    """The token of the one notice that waits."""
    ((_, text),) = await told(portal)
    link = re.search(r"Это не вы\? (\S+)#([0-9a-f]{64})$", text)
    assert link is not None
    assert link[1] == f"{portal.config.origin}/not-me"
    return link[2]


async def recover(portal: Portal, visitor: Client = THIEF) -> str:
    """Somebody sets a new password by a call; the token that the phone's owner is told."""
    await prove(portal, visitor)
    await portal.recovery.set_password(visitor, NEW_PASSWORD)
    return await token_of(portal)


async def test_a_recovered_password_is_told_with_a_link_that_stands_in_no_database(
    portal: Portal, folder: Path
) -> None:
    await prove(portal, THIEF)
    await portal.recovery.set_password(THIEF, NEW_PASSWORD)
    ((phone, text),) = await told(portal)

    assert phone == KNOWN
    assert text.startswith(wording.text(Text.ACCESS_RECOVERED))
    assert len(text) <= MAX_TEXT
    token = text.rpartition("#")[2]
    await portal.database.close()
    assert not is_at_rest(folder, token)
    assert is_at_rest(folder, token_hash(token))


async def test_every_session_ends_and_the_password_of_whoever_it_was_is_useless(portal: Portal) -> None:
    token = await recover(portal)
    sessions = [token_hash(await sign_in(portal, visitor, password=NEW_PASSWORD)) for visitor in (ANNA, BORIS)]
    ended = told_of(portal, "session")
    until = await portal.dispute.raise_(token, Device("Chrome, Android", "203.0.113.x"))

    assert until == portal.clock() + timedelta(hours=24)
    assert sorted(ended) == sorted(sessions)
    for key in sessions:
        assert await portal.login.who(key) is None
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(THIEF, KNOWN, NEW_PASSWORD)


async def test_a_sign_in_between_ticket_and_session_ends_too(portal: Portal) -> None:
    token = await recover(portal)
    ticket = await portal.login.log_in(THIEF, KNOWN, NEW_PASSWORD)
    await portal.dispute.raise_(token)

    assert await portal.login.open_session(THIEF, ticket) is None


async def test_recovery_by_phone_is_stopped_for_a_day_and_says_so_only_after_the_proof(
    portal: Portal, clock: MovableClock
) -> None:
    until = await portal.dispute.raise_(await recover(portal))
    clock.move(hours=2)
    view = await portal.recovery.begin(THIEF, KNOWN, TELEGRAM)
    assert (view.step, view.stopped_until) == (RecoveryStep.CODE, None)
    view = await portal.recovery.confirm_code(THIEF, await last_code(portal))
    assert (view.step, view.stopped_until) == (RecoveryStep.STOPPED, until)
    assert await portal.recovery.current(THIEF) == view
    assert (await portal.recovery.confirm_code(THIEF, "000000")).step is RecoveryStep.STOPPED  # submitted twice
    assert (await portal.recovery.set_password(THIEF, NEW_PASSWORD)).step is RecoveryStep.STOPPED
    assert (await patient_with(portal)).password_hash is None
    await portal.recovery.leave(THIEF)
    clock.move(hours=22, minutes=1)
    await prove(portal, ANNA, channel=TELEGRAM)
    view = await portal.recovery.set_password(ANNA, "DrugoyParol58")

    assert view.step is RecoveryStep.DONE
    assert await sign_in(portal, ANNA, password="DrugoyParol58")


async def test_a_recovery_that_waits_for_its_password_is_stopped_where_it_stands(
    portal: Portal, clock: MovableClock
) -> None:
    token = await recover(portal)
    clock.move(minutes=3)
    await prove(portal, ANNA)
    assert (await portal.recovery.current(ANNA)).step is RecoveryStep.NEW_PASSWORD  # type: ignore[union-attr]
    await portal.dispute.raise_(token)

    assert (await portal.recovery.set_password(ANNA, "DrugoyParol58")).step is RecoveryStep.STOPPED
    assert (await patient_with(portal)).password_hash is None


async def test_after_the_birth_date_the_stop_is_said_and_before_it_is_not(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, step_up="always") as portal:
        patient = await patient_with(portal)
        await prove(portal, THIEF)
        await portal.recovery.confirm_birth_date(THIEF, "21.05.1958")
        await portal.recovery.set_password(THIEF, NEW_PASSWORD)
        await portal.dispute.raise_(await token_of(portal))
        clock.move(minutes=3)
        await prove(portal, ANNA)
        assert (await portal.recovery.current(ANNA)).step is RecoveryStep.BIRTH_DATE  # type: ignore[union-attr]
        assert patient.birth_date is not None
        view = await portal.recovery.confirm_birth_date(ANNA, f"{patient.birth_date:%d.%m.%Y}")
        assert view.step is RecoveryStep.STOPPED


async def test_a_waiting_change_of_phone_and_a_link_by_code_are_stopped_too(
    portal: Portal, clock: MovableClock
) -> None:
    token = await recover(portal)
    key = token_hash(await sign_in(portal, THIEF, password=NEW_PASSWORD))
    await portal.settings.save(signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    await portal.dispute.raise_(token)
    clock.move(minutes=10)
    assert await portal.settings.code_of(key) is None
    await arrive(
        portal, THIEF, replace(VERA, phone=KNOWN, birth_date=None, snils="", last_name="Иванова", first_name="Мария")
    )
    await portal.answers.send_code(THIEF, KNOWN, TELEGRAM)
    with pytest.raises(RecoveryStopped):
        await portal.answers.confirm_code(THIEF, await last_code(portal, KNOWN))

    assert (await patient_with(portal)).phone == KNOWN


async def change_phone(portal: Portal, key: str, to: str = UNKNOWN) -> None:
    await portal.settings.save(signed_in(key), SettingsForm(to, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(key, await last_code(portal, to))


async def test_a_disputed_new_phone_opens_nothing_any_more_nor_the_old_one(portal: Portal, clock: MovableClock) -> None:
    patient = await patient_with(portal)
    key = token_hash(await sign_in(portal, THIEF))
    await change_phone(portal, key)
    await portal.dispute.raise_(await token_of(portal))
    assert await portal.login.who(key) is None
    clock.move(hours=25)
    for phone in (UNKNOWN, KNOWN):
        await prove(portal, BORIS, phone)
        view = await portal.recovery.current(BORIS)
        assert view is not None
        assert view.step is RecoveryStep.NO_ACCOUNT
        await portal.recovery.leave(BORIS)

    masked = await portal.desk.personal_data.set_phone(patient.id, "8 (900) 000-10-01")  # at the desk, with documents
    assert masked == "+7 900 ***-**-01"
    clock.move(minutes=10)
    await prove(portal, ANNA, channel=TELEGRAM)
    assert (await portal.recovery.set_password(ANNA, "DrugoyParol58")).step is RecoveryStep.DONE
    assert (await portal.journal_keeper.examine()).fault == ""


async def test_the_desk_gives_no_number_that_is_anothers(portal: Portal) -> None:
    patient = await patient_with(portal)
    with pytest.raises(PhoneTaken):
        await portal.desk.personal_data.set_phone(patient.id, OTHER_KNOWN)
    assert (await patient_with(portal)).id == patient.id


async def test_the_desk_ends_the_stop(portal: Portal, clock: MovableClock) -> None:
    await portal.dispute.raise_(await recover(portal))
    await portal.desk.personal_data.set_phone(KNOWN, KNOWN)
    clock.move(minutes=10)
    await prove(portal, ANNA, channel=TELEGRAM)

    assert (await portal.recovery.set_password(ANNA, "DrugoyParol58")).step is RecoveryStep.DONE


async def test_a_strangers_gosuslugi_is_taken_off_with_what_it_filled_in(portal: Portal, clock: MovableClock) -> None:
    """An account without a birth date: linking looks at the names, and they can be changed from inside."""
    await portal.accounts.add(NewAccount("+79000007001", PASSWORD, "Орлова", "Анна"))
    await prove(portal, THIEF, "+79000007001")
    await portal.recovery.set_password(THIEF, NEW_PASSWORD)
    await told(portal)
    key = token_hash(await sign_in(portal, THIEF, "+79000007001", NEW_PASSWORD))
    names = SettingsForm("+79000007001", "", VERA.last_name, VERA.first_name, "", "")
    await portal.settings.save(signed_in(key), names, CALL)
    thiefs = replace(VERA, phone="")
    await arrive(portal, THIEF, thiefs)
    await portal.answers.have_account(THIEF)
    clock.move(minutes=1)
    await portal.answers.prove_by_password(THIEF, "+79000007001", NEW_PASSWORD)
    assert (await patient_with(portal, "+79000007001")).birth_date == VERA.birth_date
    ((phone, text),) = await told(portal)
    assert (phone, text.startswith(wording.text(Text.IDENTITY_LINKED))) == ("+79000007001", True)
    await portal.dispute.raise_(text.rpartition("#")[2])

    after = await patient_with(portal, "+79000007001")
    assert (after.birth_date, after.snils_index, after.snils_sealed, after.oms_policy_sealed) == (None, None, "", "")
    outcome = await arrive(portal, THIEF, thiefs)
    assert not isinstance(outcome, OpenedSession)


async def test_the_links_of_before_end_with_each_newer_one_sent_to_the_same_phone(
    portal: Portal, clock: MovableClock
) -> None:
    first = await recover(portal)
    clock.move(minutes=3)
    second = await recover(portal, ANNA)
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(first)
    key = token_hash(await sign_in(portal, ANNA, password=NEW_PASSWORD))
    assert await portal.login.who(key) is not None
    clock.move(minutes=3)
    await change_phone(portal, key)
    await portal.settings.save(
        signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "DrugoyParol58", "DrugoyParol58"), CALL
    )
    links = {phone: text.rpartition("#")[2] for phone, text in await told(portal)}
    assert set(links) == {KNOWN, UNKNOWN}
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(second)
    await portal.dispute.raise_(links[UNKNOWN])
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(links[UNKNOWN])


@pytest.mark.parametrize("scenario", strangers.LINKS, ids=lambda one: one.__name__)
async def test_no_stranger_ends_the_link_of_the_owner(portal: Portal, scenario: strangers.Scenario) -> None:
    await scenario(portal)
    assert (await portal.journal_keeper.examine()).fault == ""


async def test_a_link_works_once_whoever_opens_it_at_the_same_moment(portal: Portal) -> None:
    token = await recover(portal)
    answers = await asyncio.gather(*(portal.dispute.raise_(token) for _ in range(10)), return_exceptions=True)

    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert sum(isinstance(answer, DisputeNotPossible) for answer in answers) == 9
    disputed = [row async for row in portal.journal_keeper.everything() if row["event"] == JournalEvent.DISPUTED]
    assert len(disputed) == 1
    assert disputed[0]["details"] == {"minutes": 1440, "about": "recovered"}
    assert (await portal.journal_keeper.examine()).fault == ""


@pytest.mark.parametrize("token", ["", "0" * 64, "0" * 63, "х" * 64, "0" * 4000, "\x00" * 64])
async def test_an_unknown_link_does_nothing(portal: Portal, folder: Path, token: str) -> None:
    await recover(portal)
    before = dump(folder)
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(token)

    assert dump(folder) == before


async def test_a_link_is_good_for_a_week(portal: Portal, clock: MovableClock) -> None:
    token = await recover(portal)
    clock.move(seconds=LINK_LIFE.total_seconds())
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(token)
    clock.move(seconds=-1)
    await portal.dispute.raise_(token)


async def test_a_new_key_between_the_change_and_its_notice_leaves_no_dead_link(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await prove(portal, THIEF)
    await portal.recovery.set_password(THIEF, NEW_PASSWORD)
    old_key = portal.config.secret_key.get_secret_value()
    async with opened(folder, clock, secret_key="n" * 40, old_secret_keys=old_key) as rotated:
        await rotated.dispute.raise_(await token_of(rotated))


async def test_a_key_that_is_gone_leaves_the_notice_without_a_link(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await prove(portal, THIEF)
    await portal.recovery.set_password(THIEF, NEW_PASSWORD)
    async with opened(folder, clock, secret_key="n" * 40) as other:
        assert await told(other) == [(KNOWN, wording.text(Text.ACCESS_RECOVERED))]


async def test_an_account_that_was_erased_meanwhile_is_nobodys(portal: Portal) -> None:
    token = await recover(portal)
    await portal.desk.personal_data.erase(KNOWN)
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(token)


async def test_another_browser_without_a_recovery_is_not_told_of_the_stop(portal: Portal) -> None:
    await portal.dispute.raise_(await recover(portal))
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, NEW_PASSWORD)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(BORIS, KNOWN, PASSWORD)
