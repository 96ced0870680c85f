"""What a stranger inside an account does to stay there, and what the owner's link or recovery leaves of it: each scenario runs
on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from sqlmodel import col, select, update

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    DisputeNotPossible,
    LastWayIn,
    NoSuchIdentity,
    NumberNotReachable,
    ProviderDown,
    ReauthenticationNeeded,
)
from medonline.domain.gosuslugi import LinkedHow
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.desk.accounts import NewAccount
from medonline.services.linked_identities import number_of
from medonline.services.login.password_login import OpenedSession
from medonline.services.notices.sender import RETRY_AFTER
from medonline.services.notices.texts import Text
from medonline.storage.tables.gosuslugi import LinkedIdentity
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from medonline.wording import notices as wording
from tests.services.notices.phone import token_in, told
from tests.services.outside import VERA, arrive, come_back, leave
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    TELEGRAM,
    UNKNOWN,
    MovableClock,
    last_code,
    patient_with,
    prove,
    sign_in,
    signed_in,
    told_of,
)

Scenario: TypeAlias = Callable[[Portal], Awaitable[None]]

PHONE = "+79000007001"
THIEF = Client(visitor_key="c" * 64)
NEW_PASSWORD = "KorablLipa47"
THIEFS = replace(VERA, phone="")  # the stranger's own account at Gosuslugi


def move(portal: Portal, **by: float) -> None:
    assert isinstance(portal.clock, MovableClock)
    portal.clock.move(**by)


async def the_link(portal: Portal, *failures: Exception) -> str:
    """The token in the one notice that waits."""
    ((_, text),) = await told(portal, *failures)
    return token_in(text)


async def recover(portal: Portal, visitor: Client, phone: str = KNOWN, password: str = NEW_PASSWORD) -> None:
    await prove(portal, visitor, phone)
    assert (await portal.recovery.set_password(visitor, password)).step is RecoveryStep.DONE


async def change_password(portal: Portal, key: str, password: str, phone: str = KNOWN) -> None:
    names = ("Иванова", "Мария")
    await portal.settings.save(signed_in(key), SettingsForm(phone, "", *names, password, password), CALL)


async def identities(portal: Portal) -> list[LinkedIdentity]:
    with portal.database.reading() as session:
        return list(session.exec(select(LinkedIdentity).order_by(col(LinkedIdentity.subject))).all())


async def unlinked_rows(portal: Portal) -> list[dict[str, str | int]]:
    rows = [row async for row in portal.journal_keeper.everything() if row["event"] == JournalEvent.IDENTITY_UNLINKED]
    return [{name: row["details"][name] for name in ("how", "why")} for row in rows]


async def stranger_links(portal: Portal, channel: ChannelName | None = None) -> None:
    """An account without a birth date, made at the desk, and a stranger of the owner's name inside it: by the password or, with
    a way, by a code."""
    await portal.accounts.add(NewAccount(PHONE, PASSWORD, VERA.last_name, VERA.first_name))
    await arrive(portal, THIEF, THIEFS)
    await portal.answers.have_account(THIEF)
    if channel is None:
        await portal.answers.prove_by_password(THIEF, PHONE, PASSWORD)
    else:
        await portal.answers.send_code(THIEF, PHONE, channel)
        await portal.answers.confirm_code(THIEF, await last_code(portal, PHONE))
    ((phone, text),) = await told(portal)
    assert (phone, text.startswith(wording.text(Text.IDENTITY_LINKED))) == (PHONE, True)
    assert (await patient_with(portal, PHONE)).birth_date == THIEFS.birth_date


async def nothing_is_left(portal: Portal) -> None:
    """The stranger's Gosuslugi opens nothing, and nothing that came with it is on record."""
    assert await identities(portal) == []
    patient = await patient_with(portal, PHONE)
    filled = (patient.birth_date, patient.snils_index, patient.snils_sealed, patient.oms_policy_sealed)
    assert (*filled, patient.patronymic) == (None, None, "", "", "")
    assert not isinstance(await arrive(portal, THIEF, THIEFS), OpenedSession)


async def a_notice_that_is_not_sent_ends_no_link(portal: Portal) -> None:
    await recover(portal, ANNA)
    owners = await the_link(portal)
    key = token_hash(await sign_in(portal, THIEF, password=NEW_PASSWORD))
    move(portal, minutes=1)
    await change_password(portal, key, "DrugoyParol58")

    assert await portal.dispute.raise_(owners)
    assert await portal.login.who(key) is None


async def a_refused_notice_ends_no_link(portal: Portal) -> None:
    await recover(portal, ANNA)
    owners = await the_link(portal)
    key = token_hash(await sign_in(portal, THIEF, password=NEW_PASSWORD))
    move(portal, minutes=1)
    await change_password(portal, key, "DrugoyParol58")
    refused = await the_link(portal, NumberNotReachable())
    move(portal, minutes=30)
    assert await told(portal) == []

    assert refused != owners
    assert await portal.dispute.raise_(owners)


async def a_notice_sent_at_the_second_try_ends_the_older_link_only_then(portal: Portal) -> None:
    await recover(portal, ANNA)
    older = await the_link(portal)
    move(portal, minutes=1)
    key = token_hash(await sign_in(portal, THIEF, password=NEW_PASSWORD))
    await change_password(portal, key, "DrugoyParol58")
    newer = await the_link(portal, ProviderDown())
    assert await links_alive(portal) == 2
    move(portal, seconds=RETRY_AFTER[0].total_seconds())
    assert await the_link(portal) == newer

    assert await links_alive(portal) == 1
    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(older)
    assert await portal.dispute.raise_(newer)


async def links_alive(portal: Portal) -> int:
    with portal.database.reading() as session:
        statement = select(Notice).where(col(Notice.dispute_hash).is_not(None), col(Notice.disputed_at).is_(None))
        return len(session.exec(statement).all())


async def the_strangers_own_dispute_does_not_end_the_link_to_the_phone_of_before(portal: Portal) -> None:
    patient = await patient_with(portal)
    key = token_hash(await sign_in(portal, THIEF))
    await portal.settings.save(signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))
    owners = await the_link(portal)
    move(portal, minutes=1)
    await change_password(portal, key, "DrugoyParol58", UNKNOWN)
    strangers = await the_link(portal)
    await portal.dispute.raise_(strangers)
    move(portal, minutes=1)
    assert await portal.dispute.raise_(owners)

    with portal.database.reading() as session:
        after = session.get(Patient, patient.id)
    assert after is not None
    assert (after.phone, after.password_hash) == (None, None)


async def a_phone_and_a_password_changed_at_once_are_both_undone_by_either_link(portal: Portal) -> None:
    patient = await patient_with(portal)
    key = token_hash(await sign_in(portal, THIEF))
    form = SettingsForm(UNKNOWN, "", "Иванова", "Мария", NEW_PASSWORD, NEW_PASSWORD)
    await portal.settings.save(signed_in(key), form, CALL)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))
    (password,) = [token_in(text) for phone, text in await told(portal) if "пароль" in text and phone == KNOWN]
    await portal.dispute.raise_(password)

    with portal.database.reading() as session:
        after = session.get(Patient, patient.id)
    assert after is not None
    assert (after.phone, after.password_hash) == (None, None)


async def a_dispute_takes_off_what_a_password_linked_long_before(portal: Portal) -> None:
    await stranger_links(portal)
    move(portal, days=8)
    key = token_hash(await sign_in(portal, THIEF, PHONE))
    form = SettingsForm(PHONE, "", VERA.last_name, VERA.first_name, NEW_PASSWORD, NEW_PASSWORD)
    await portal.settings.save(signed_in(key), form, CALL)
    await portal.dispute.raise_(await the_link(portal))

    assert await unlinked_rows(portal) == [{"how": "password", "why": "dispute"}]
    await nothing_is_left(portal)


async def a_recovery_takes_off_what_a_password_linked(portal: Portal) -> None:
    await stranger_links(portal)
    move(portal, days=8)
    await prove(portal, ANNA, PHONE)
    view = await portal.recovery.set_password(ANNA, NEW_PASSWORD)

    assert (view.step, view.identities_unlinked) == (RecoveryStep.DONE, 1)
    assert await portal.recovery.current(ANNA) == view
    ((phone, text),) = await told(portal)
    assert (phone, text.startswith(wording.text(Text.ACCESS_RECOVERED_UNLINKED))) == (PHONE, True)
    assert token_in(text)
    assert await unlinked_rows(portal) == [{"how": "password", "why": "recovery"}]
    await nothing_is_left(portal)


async def a_recovery_takes_off_what_a_code_linked(portal: Portal) -> None:
    await stranger_links(portal, TELEGRAM)
    move(portal, hours=1)
    await recover(portal, ANNA, PHONE)

    assert await unlinked_rows(portal) == [{"how": "code", "why": "recovery"}]
    await nothing_is_left(portal)


async def a_second_identity_recognised_by_what_the_first_brought_goes_too(portal: Portal) -> None:
    await stranger_links(portal)
    move(portal, minutes=1)
    second = replace(THIEFS, subject="1000000009")
    assert isinstance(await arrive(portal, BORIS, second), OpenedSession)
    assert [row.how for row in await identities(portal)] == ["password", "snils"]
    move(portal, days=8)
    await recover(portal, ANNA, PHONE)

    await nothing_is_left(portal)
    assert not isinstance(await arrive(portal, BORIS, second), OpenedSession)


async def what_gosuslugi_itself_vouches_for_stays(portal: Portal) -> None:
    """Recognised by the number, the names and the birth date that were on record before."""
    with portal.database.writing() as session:
        proved = update(Patient).where(col(Patient.phone) == KNOWN).values(phone_proved_at=portal.clock())
        session.exec(proved)
    maria = replace(
        VERA, subject="2", last_name="Иванова", first_name="Мария", birth_date=(await patient_with(portal)).birth_date,
        phone=KNOWN,
    )  # fmt: skip
    assert isinstance(await arrive(portal, BORIS, maria), OpenedSession)
    move(portal, minutes=1)
    await prove(portal, ANNA)
    view = await portal.recovery.set_password(ANNA, NEW_PASSWORD)
    ((_, text),) = await told(portal)
    await portal.dispute.raise_(token_in(text))

    assert view.identities_unlinked == 0
    assert text.startswith(f"{wording.text(Text.ACCESS_RECOVERED)} ")
    assert [row.how for row in await identities(portal)] == ["verified_phone"]
    assert (await patient_with(portal)).snils_index is not None
    assert isinstance(await arrive(portal, BORIS, maria), OpenedSession)


async def what_an_identity_brings_later_goes_with_it(portal: Portal) -> None:
    """Linked while the provider did not vouch for the person, confirmed there afterwards."""
    service = replace(portal, identity=replace(portal.identity, allow_unconfirmed=True))
    await service.accounts.add(NewAccount(PHONE, PASSWORD, VERA.last_name, VERA.first_name))
    await arrive(service, THIEF, replace(THIEFS, confirmed=False))
    await service.answers.have_account(THIEF)
    await service.answers.prove_by_password(THIEF, PHONE, PASSWORD)
    assert (await patient_with(portal, PHONE)).birth_date is None
    move(portal, minutes=1)
    assert isinstance(await arrive(service, THIEF, THIEFS), OpenedSession)
    assert (await patient_with(portal, PHONE)).birth_date == THIEFS.birth_date
    move(portal, hours=1)
    await recover(portal, ANNA, PHONE)

    await nothing_is_left(portal)


async def the_owner_takes_it_off_in_the_settings(portal: Portal) -> None:
    await stranger_links(portal)
    move(portal, minutes=1)
    strangers = await arrive(portal, THIEF, THIEFS)
    assert isinstance(strangers, OpenedSession)
    state = await leave(portal, BORIS)
    owners = token_hash(await sign_in(portal, ANNA, PHONE))
    ended = told_of(portal, "session")
    (one,) = await portal.identities.all(owners)
    assert (one.how, one.linked_at) == (LinkedHow.PASSWORD, portal.clock() - timedelta(minutes=1))
    assert await portal.identities.unlink(owners, one.number) == 1

    assert ended == [token_hash(strangers.token)]
    assert await portal.login.who(token_hash(strangers.token)) is None
    assert await portal.login.who(owners) is not None
    assert await portal.identities.all(owners) == ()
    assert await told(portal) != []
    assert await unlinked_rows(portal) == [{"how": "password", "why": "settings"}]
    assert not isinstance(await come_back(portal, BORIS, state, THIEFS), OpenedSession)
    with pytest.raises(NoSuchIdentity):
        await portal.identities.unlink(owners, one.number)
    await nothing_is_left(portal)


async def an_old_sign_in_takes_nothing_off(portal: Portal) -> None:
    await stranger_links(portal)
    key = token_hash(await sign_in(portal, ANNA, PHONE))
    (one,) = await portal.identities.all(key)
    move(portal, minutes=16)
    with pytest.raises(ReauthenticationNeeded):
        await portal.identities.unlink(key, one.number)
    assert len(await identities(portal)) == 1

    await portal.sessions.prove_again(signed_in(key), PASSWORD)
    await portal.identities.unlink(key, one.number)
    assert await identities(portal) == []


async def the_last_way_in_stays(portal: Portal) -> None:
    """Registered through Gosuslugi: no password, and so no other way in."""
    opened = await arrive(portal, BORIS, VERA, consent=VERSION)
    assert isinstance(opened, OpenedSession)
    key = token_hash(opened.token)
    (one,) = await portal.identities.all(key)
    with pytest.raises(LastWayIn):
        await portal.identities.unlink(key, one.number)
    assert len(await identities(portal)) == 1

    form = SettingsForm(VERA.phone, VERA.email, VERA.last_name, VERA.first_name, NEW_PASSWORD, NEW_PASSWORD)
    await portal.settings.save(signed_in(key), form, CALL)
    await portal.identities.unlink(key, one.number)
    assert await identities(portal) == []
    assert (await patient_with(portal, VERA.phone)).snils_index is not None  # what Gosuslugi vouched for stays


async def nobody_takes_off_what_is_anothers(portal: Portal) -> None:
    await stranger_links(portal)
    owners = token_hash(await sign_in(portal, ANNA, PHONE))
    (one,) = await portal.identities.all(owners)
    anothers = token_hash(await sign_in(portal, BORIS))
    assert await portal.identities.all(anothers) == ()
    for number in (one.number, "", "0" * 12):
        with pytest.raises(NoSuchIdentity):
            await portal.identities.unlink(anothers, number)

    assert len(await identities(portal)) == 1


async def a_sign_in_between_ticket_and_session_ends_with_its_identity(portal: Portal) -> None:
    await portal.accounts.add(NewAccount(PHONE, PASSWORD, VERA.last_name, VERA.first_name))
    await arrive(portal, THIEF, THIEFS)
    await portal.answers.have_account(THIEF)
    ticket = await portal.answers.prove_by_password(THIEF, PHONE, PASSWORD)
    owners = token_hash(await sign_in(portal, ANNA, PHONE))
    (one,) = await portal.identities.all(owners)
    await portal.identities.unlink(owners, one.number)

    assert await portal.login.open_session(THIEF, ticket) is None


async def the_desk_takes_it_off(portal: Portal) -> None:
    await stranger_links(portal)
    opened = await arrive(portal, THIEF, THIEFS)
    assert isinstance(opened, OpenedSession)
    (one,) = await portal.desk.personal_data.identities(PHONE)
    with pytest.raises(NoSuchIdentity):
        await portal.desk.personal_data.unlink(KNOWN, number_of(one))
    assert await portal.desk.personal_data.unlink(PHONE, number_of(one)) == 1

    assert await portal.login.who(token_hash(opened.token)) is None
    assert await unlinked_rows(portal) == [{"how": "password", "why": "desk"}]
    await nothing_is_left(portal)


LINKS: tuple[Scenario, ...] = (
    a_notice_that_is_not_sent_ends_no_link,
    a_refused_notice_ends_no_link,
    a_notice_sent_at_the_second_try_ends_the_older_link_only_then,
    the_strangers_own_dispute_does_not_end_the_link_to_the_phone_of_before,
    a_phone_and_a_password_changed_at_once_are_both_undone_by_either_link,
)
TAKEN_OFF: tuple[Scenario, ...] = (
    a_dispute_takes_off_what_a_password_linked_long_before,
    a_recovery_takes_off_what_a_password_linked,
    a_recovery_takes_off_what_a_code_linked,
    a_second_identity_recognised_by_what_the_first_brought_goes_too,
    what_gosuslugi_itself_vouches_for_stays,
    what_an_identity_brings_later_goes_with_it,
    the_desk_takes_it_off,
)
IN_THE_SETTINGS: tuple[Scenario, ...] = (
    the_owner_takes_it_off_in_the_settings,
    an_old_sign_in_takes_nothing_off,
    the_last_way_in_stays,
    nobody_takes_off_what_is_anothers,
    a_sign_in_between_ticket_and_session_ends_with_its_identity,
)
SCENARIOS = (*LINKS, *TAKEN_OFF, *IN_THE_SETTINGS)
