"""What an operator does to an account is told to its owner, and «это не я» answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.errors import NoSuchIdentity, NoSuchPasskey, PhoneTaken, ProviderDown, ToldTooOften
from medonline.domain.password_recovery import RecoveryStep
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.linked_identities import number_of
from medonline.services.notices.dispute_links import LINK_LIFE
from medonline.services.notices.sender import RETRY_AFTER
from medonline.services.notices.texts import AT_DESK, About, Text, Told
from medonline.storage.queries import account_settings
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from medonline.wording import notices as wording
from tests.services.account_limits import notices_of, spent_on_notices
from tests.services.account_settings.saving import FORM
from tests.services.desk.registering import register
from tests.services.notices.mailboxes import code_in, mailed, proves
from tests.services.notices.mailboxes import token_in as token_in_mail
from tests.services.notices.phone import token_in, told
from tests.services.outside import VERA, ScriptedIdentity, with_provider
from tests.services.passkeys import device as passkeys
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    prove,
    sign_in,
    signed_in,
)

ADDRESS = "anna@example.ru"
THIEFS, MISTYPED, OTHER_OF_THIEF = "+79000008801", "+79000008802", "+79000008803"
THIEFS_ADDRESS = "thief@example.ru"
CHANGED, SET = wording.text(Text.DESK_PHONE_CHANGED), wording.text(Text.DESK_PHONE_SET)
HERE = wording.text(Text.DESK_NUMBER)


@pytest.fixture
async def portal(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock) as portal:
        yield with_provider(portal, ScriptedIdentity())


async def links(portal: Portal) -> dict[str, tuple[str, bool]]:
    """What each phone has been told since the last look, and whether with a link."""
    return {number: (text.partition(" Это не вы? ")[0], "#" in text) for number, text in await told(portal)}


async def by_id(portal: Portal, patient_id: str) -> Patient:
    with portal.database.reading() as session:
        return session.exec(select(Patient).where(Patient.id == patient_id)).one()


async def of_number(portal: Portal, phone: str) -> RecoveryStep:
    """Where a recovery by this number stands once its code was typed."""
    await prove(portal, BORIS, phone)
    view = await portal.recovery.current(BORIS)
    assert view is not None
    return view.step


async def test_the_number_before_the_new_one_and_the_mailbox_are_told_each_with_a_link(portal: Portal) -> None:
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    texts, ((address, mail),) = dict(await told(portal)), await mailed(portal)

    assert {number: text.partition(" Это не вы? ")[0] for number, text in texts.items()} == {
        KNOWN: CHANGED,
        UNKNOWN: HERE,
    }
    assert (address, mail.text.partition("\n")[0]) == (ADDRESS, CHANGED)
    assert mail.subject == "Медицина-онлайн: номер для входа указал сотрудник регистратуры"
    assert len({token_in(texts[KNOWN]), token_in(texts[UNKNOWN]), token_in_mail(mail)}) == 3


@pytest.mark.parametrize("by", ["number before", "mail", "number that was put on record"])
async def test_each_link_takes_the_new_number_off_again(portal: Portal, clock: MovableClock, by: str) -> None:
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    patient = await patient_with(portal)
    await portal.desk.personal_data.set_phone(KNOWN, THIEFS)
    texts, ((_, mail),) = dict(await told(portal)), await mailed(portal)
    tokens = {"number before": token_in(texts[KNOWN]), "mail": token_in_mail(mail)}
    clock.move(minutes=5)
    await prove(portal, BORIS, THIEFS)
    await portal.recovery.set_password(BORIS, "KorablLipa47")
    thief = token_hash(await sign_in(portal, BORIS, THIEFS, "KorablLipa47"))
    await portal.dispute.raise_(tokens.get(by) or token_in(texts[THIEFS]))

    assert await portal.login.who(thief) is None
    after = await by_id(portal, patient.id)
    assert (after.phone, after.password_hash, after.proved_email) == (None, None, ADDRESS)
    clock.move(days=2)
    assert await of_number(portal, THIEFS) is RecoveryStep.NO_ACCOUNT
    rows = [row async for row in portal.journal_keeper.everything() if row["event"] == JournalEvent.DISPUTED]
    assert [row["details"]["number"] for row in rows] == ["off"]


async def test_a_second_act_does_not_silence_whoever_the_first_one_told(portal: Portal, clock: MovableClock) -> None:
    """An operator who was bribed puts one number after the other on record, or one that was disputed once more."""
    patient = await patient_with(portal)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    await told(portal)
    clock.move(minutes=1)
    await portal.desk.personal_data.set_phone(UNKNOWN, THIEFS)
    texts = dict(await told(portal))

    assert texts[KNOWN].startswith(CHANGED)
    await portal.dispute.raise_(token_in(texts[KNOWN]))
    assert (await by_id(portal, patient.id)).phone is None
    await told(portal)
    clock.move(minutes=1)
    await portal.desk.personal_data.set_phone(patient.id, THIEFS)
    assert await links(portal) == {KNOWN: (CHANGED, False), THIEFS: (HERE, True)}


async def test_a_mistyped_number_gets_no_link_against_the_right_one(portal: Portal, clock: MovableClock) -> None:
    await portal.desk.personal_data.set_phone(KNOWN, MISTYPED)
    texts = dict(await told(portal))
    clock.move(minutes=2)
    await portal.desk.personal_data.set_phone(MISTYPED, UNKNOWN)

    # The one at once, the other when its holder has the new one.
    assert [await is_good(portal, token_in(texts[number])) for number in (MISTYPED, KNOWN)] == [False, True]
    assert await links(portal) == {KNOWN: (CHANGED, True), MISTYPED: (CHANGED, False), UNKNOWN: (HERE, True)}
    assert not await is_good(portal, token_in(texts[KNOWN]))


async def test_nor_does_it_where_there_was_no_number_before(portal: Portal, clock: MovableClock) -> None:
    patient = await patient_with(portal)
    await portal.database.write(account_settings.set_columns, patient.id, {"phone": None})
    await portal.desk.personal_data.set_phone(patient.id, MISTYPED)
    await told(portal)
    clock.move(minutes=2)
    await portal.desk.personal_data.set_phone(MISTYPED, UNKNOWN)

    assert await links(portal) == {MISTYPED: (CHANGED, False), UNKNOWN: (HERE, True)}


async def is_good(portal: Portal, token: str) -> bool:
    """Whether a link still closes the account, without closing it."""
    with portal.database.reading() as session:
        rows = session.exec(select(Notice).where(Notice.dispute_hash == token_hash(token))).all()
    return any(row.disputed_at is None for row in rows)


async def test_a_thief_from_whom_the_desk_takes_the_account_back_gets_no_link(
    portal: Portal, clock: MovableClock
) -> None:
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(thief), SettingsForm(THIEFS, "", "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(thief, await last_code(portal, THIEFS))
    await told(portal)
    clock.move(hours=3)
    await portal.desk.personal_data.set_phone(THIEFS, KNOWN)

    assert await links(portal) == {THIEFS: (CHANGED, False), KNOWN: (HERE, True)}
    clock.move(minutes=1)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)  # KNOWN was the account's before all that
    assert (await links(portal))[KNOWN] == (CHANGED, True)


async def test_a_place_of_less_than_a_week_gets_no_link(portal: Portal, clock: MovableClock) -> None:
    await proves(portal, ADDRESS, clock())
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    await mailed(portal)
    await told(portal)
    clock.move(seconds=LINK_LIFE.total_seconds() - 1)
    await portal.desk.personal_data.set_phone(UNKNOWN, THIEFS)
    ((_, mail),) = await mailed(portal)

    assert (await links(portal))[UNKNOWN] == (CHANGED, False)
    assert "#" not in mail.text
    clock.move(seconds=LINK_LIFE.total_seconds() + 1)
    await portal.desk.personal_data.set_phone(THIEFS, MISTYPED)
    ((_, mail),) = await mailed(portal)
    assert await links(portal) == {THIEFS: (CHANGED, True), MISTYPED: (HERE, True)}
    assert "#" in mail.text


async def test_who_closed_the_account_reads_that_the_desk_opens_it_and_cannot_close_it_again(portal: Portal) -> None:
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    await portal.desk.personal_data.set_phone(KNOWN, KNOWN)
    ((number, text),), ((_, mail),) = await told(portal), await mailed(portal)
    assert (number, text.partition(" Это не вы? ")[0], mail.text.partition("\n")[0]) == (KNOWN, SET, SET)
    await portal.dispute.raise_(token_in_mail(mail))
    assert (await patient_with(portal)).phone == KNOWN
    await told(portal)
    await mailed(portal)
    await portal.desk.personal_data.set_phone(KNOWN, KNOWN)

    assert await links(portal) == {KNOWN: (SET, False)}
    ((_, mail),) = await mailed(portal)
    assert (mail.text.partition("\n")[0], "#" in mail.text) == (SET, False)


async def test_an_account_without_a_number_is_told_by_mail_and_on_the_new_one(portal: Portal) -> None:
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    patient = await patient_with(portal)
    await portal.database.write(account_settings.set_columns, patient.id, {"phone": None})
    await portal.desk.personal_data.set_phone(patient.id, UNKNOWN)
    ((_, mail),) = await mailed(portal)

    assert await links(portal) == {UNKNOWN: (HERE, True)}
    assert mail.text.startswith(SET)
    await portal.dispute.raise_(token_in_mail(mail))
    assert (await by_id(portal, patient.id)).phone is None


async def test_gosuslugi_and_a_passkey_taken_off_are_told_with_a_link(portal: Portal) -> None:
    await register(portal)
    (identity,) = await portal.desk.personal_data.identities(VERA.phone)
    await portal.desk.personal_data.unlink(VERA.phone, number_of(identity))
    assert await links(portal) == {VERA.phone: (wording.text(Text.DESK_IDENTITY_UNLINKED), True)}

    owner = replace(ANNA, session_key=token_hash(await sign_in(portal, ANNA)))
    await passkeys.add(portal, owner, passkeys.Device())
    await told(portal)
    (key,) = await portal.desk.personal_data.passkeys(KNOWN)
    await portal.desk.personal_data.remove_passkey(KNOWN, key.id)
    ((number, text),) = await told(portal)
    assert (number, text.partition(" Это не вы? ")[0]) == (KNOWN, wording.text(Text.DESK_PASSKEY_REMOVED))
    await portal.dispute.raise_(token_in(text))
    assert (await patient_with(portal)).password_hash is None


async def test_ended_sessions_are_told_without_a_link_and_none_are_not_told(portal: Portal) -> None:
    await portal.desk.personal_data.end_sessions(KNOWN)
    assert await links(portal) == {}
    await sign_in(portal, ANNA)
    await told(portal)
    await portal.desk.personal_data.end_sessions(KNOWN)

    assert await links(portal) == {KNOWN: (wording.text(Text.DESK_SESSIONS_ENDED), False)}


async def test_what_was_not_done_is_not_told(portal: Portal) -> None:
    with pytest.raises(PhoneTaken):
        await portal.desk.personal_data.set_phone(KNOWN, OTHER_KNOWN)
    with pytest.raises(NoSuchIdentity):
        await portal.desk.personal_data.unlink(KNOWN, "0" * 12)
    with pytest.raises(NoSuchPasskey):
        await portal.desk.personal_data.remove_passkey(KNOWN, "no such key")

    assert await notices_of(portal) == []


async def test_notices_that_were_used_up_neither_hide_an_act_of_the_desk_nor_hinder_it(portal: Portal) -> None:
    patient = await patient_with(portal)

    def change() -> None:
        with portal.database.writing() as session:
            portal.notices.put(session, patient.id, Told(KNOWN, About.PASSWORD, Text.ACCESS_CHANGED))

    for _ in range(6):
        change()
    with pytest.raises(ToldTooOften):
        change()
    await told(portal)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)

    assert {*await links(portal)} == {KNOWN, UNKNOWN}


async def test_acts_of_the_desk_take_no_room_from_the_owners_changes(portal: Portal) -> None:
    for _ in range(7):
        await portal.desk.personal_data.set_phone(KNOWN, KNOWN)
    patient = await patient_with(portal)

    with portal.database.reading() as session:
        portal.notices.admit(session, patient.id, About.PASSWORD)


async def test_without_money_the_act_is_made_the_mail_goes_and_the_text_follows(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, price_notice="10", daily_cap_notice="10") as portal:
        await proves(portal, ADDRESS)
        await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)

        assert (await patient_with(portal, UNKNOWN)).phone == UNKNOWN
        assert (len(await told(portal)), len(await mailed(portal))) == (1, 1)
        assert await spent_on_notices(portal, clock()) == 1000  # kopecks: all of the day's
        clock.move(hours=12)
        assert len(await told(portal)) == 1
    assert {row.about for row in await notices_of(portal)} <= AT_DESK


async def test_an_account_that_is_erased_afterwards_leaves_no_notice(portal: Portal) -> None:
    await sign_in(portal, ANNA)
    await portal.desk.personal_data.end_sessions(KNOWN)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    gone = await portal.desk.personal_data.erase(UNKNOWN)

    assert gone["notice"] >= 3
    assert await notices_of(portal) == []
    assert await told(portal) == []


async def changes_number(portal: Portal, thief: str, number: str, email: str = "") -> None:
    """Whoever is signed in puts their own number on record in the settings. `email`: the one that stays there."""
    await portal.settings.save(signed_in(thief), SettingsForm(number, email, "Иванова", "Мария", "", ""), CALL)
    await portal.settings.confirm_phone(thief, await last_code(portal, number))
    await told(portal)


async def takes_mailbox(portal: Portal, clock: MovableClock, address: str) -> None:
    """A stranger who is signed in proves an address of their own."""
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(thief), replace(FORM, email=address), CALL)
    clock.move(seconds=20)
    await portal.email_proof.send(thief)
    ((_, mail),) = [one for one in await mailed(portal) if one[0] == address]
    await portal.email_proof.confirm(thief, code_in(mail))
    await told(portal)


async def test_a_thief_who_changes_the_number_twice_gets_no_link_either(portal: Portal, clock: MovableClock) -> None:
    """Told of the second change, the thief's first number was the one before it, and no older for that."""
    thief = token_hash(await sign_in(portal, BORIS))
    await changes_number(portal, thief, THIEFS)
    clock.move(minutes=5)
    await changes_number(portal, thief, OTHER_OF_THIEF)
    clock.move(hours=3)
    await portal.desk.personal_data.set_phone(OTHER_OF_THIEF, KNOWN)
    assert await links(portal) == {OTHER_OF_THIEF: (CHANGED, False), KNOWN: (HERE, True)}

    clock.move(minutes=5)
    await changes_number(portal, token_hash(await sign_in(portal, BORIS)), THIEFS)
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(THIEFS, UNKNOWN)
    assert await links(portal) == {KNOWN: (CHANGED, True), THIEFS: (CHANGED, False), UNKNOWN: (HERE, True)}


async def test_a_link_in_the_owners_mail_makes_no_number_older(portal: Portal, clock: MovableClock) -> None:
    """The mail that tells of an act has a link, and names the number before: a mistyped one, perhaps."""
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    await portal.desk.personal_data.set_phone(KNOWN, MISTYPED)
    clock.move(minutes=2)
    await portal.desk.personal_data.set_phone(MISTYPED, MISTYPED)
    await told(portal)
    clock.move(minutes=2)
    await portal.desk.personal_data.set_phone(MISTYPED, UNKNOWN)
    assert await links(portal) == {KNOWN: (CHANGED, True), MISTYPED: (CHANGED, False), UNKNOWN: (HERE, True)}
    clock.move(minutes=2)
    await portal.desk.personal_data.set_phone(UNKNOWN, KNOWN)
    assert await links(portal) == {UNKNOWN: (CHANGED, False), KNOWN: (HERE, True)}


async def test_the_mailbox_before_is_told_once_more(portal: Portal, clock: MovableClock) -> None:
    """Whoever took phone and account proves a mailbox of their own, and then talks the desk into another number: the act ends the
    link that the owner's mailbox has."""
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    patient = await patient_with(portal)
    await takes_mailbox(portal, clock, THIEFS_ADDRESS)
    await mailed(portal)
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(KNOWN, THIEFS)
    mails = dict(await mailed(portal))

    assert {address: ("#" in mail.text) for address, mail in mails.items()} == {ADDRESS: True, THIEFS_ADDRESS: False}
    await portal.dispute.raise_(token_in_mail(mails[ADDRESS]))
    after = await by_id(portal, patient.id)
    assert (after.phone, after.proved_email) == (None, "")


async def test_a_mailbox_that_was_removed_is_told_once_more(portal: Portal, clock: MovableClock) -> None:
    await proves(portal, "анна@почта.рф", portal.clock() - LINK_LIFE)
    patient = await patient_with(portal)
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(thief), replace(FORM, email=""), CALL)
    await mailed(portal)
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(KNOWN, THIEFS)
    ((address, mail),) = await mailed(portal)

    assert address == "анна@почта.рф"
    await portal.dispute.raise_(token_in_mail(mail))
    assert (await by_id(portal, patient.id)).phone is None


async def test_a_mailbox_of_the_thiefs_is_none_of_before(portal: Portal, clock: MovableClock) -> None:
    await takes_mailbox(portal, clock, THIEFS_ADDRESS)
    clock.move(minutes=5)
    await takes_mailbox(portal, clock, "other@example.ru")
    await mailed(portal)
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(KNOWN, KNOWN)

    assert [(address, "#" in mail.text) for address, mail in await mailed(portal)] == [("other@example.ru", False)]


async def test_a_new_place_gets_no_link_against_what_the_desk_takes_off(portal: Portal, clock: MovableClock) -> None:
    """The number is the owner's again, the mailbox still the thief's."""
    owner = replace(ANNA, session_key=token_hash(await sign_in(portal, ANNA)))
    for _ in range(2):
        await passkeys.add(portal, owner, passkeys.Device())
    first, second = await portal.desk.personal_data.passkeys(KNOWN)
    await takes_mailbox(portal, clock, THIEFS_ADDRESS)
    await told(portal)
    await mailed(portal)
    await portal.desk.personal_data.remove_passkey(KNOWN, first.id)
    ((_, mail),) = await mailed(portal)
    assert await links(portal) == {KNOWN: (wording.text(Text.DESK_PASSKEY_REMOVED), True)}
    assert "#" not in mail.text

    await changes_number(portal, token_hash(await sign_in(portal, BORIS)), THIEFS)
    await told(portal)
    clock.move(minutes=5)
    await portal.desk.personal_data.remove_passkey(THIEFS, second.id)
    assert await links(portal) == {THIEFS: (wording.text(Text.DESK_PASSKEY_REMOVED), False)}


async def password_is_told(portal: Portal, patient: Patient) -> tuple[str, str]:
    """The tokens that the phone and the mailbox get with a change of the password."""
    with portal.database.writing() as session:
        portal.notices.put(session, patient.id, Told(patient.phone or "", About.PASSWORD, Text.ACCESS_CHANGED))
    ((_, text),), ((_, mail),) = await told(portal), await mailed(portal)
    return token_in(text), token_in_mail(mail)


async def test_an_older_link_ends_when_the_gateway_has_taken_the_new_one(portal: Portal, clock: MovableClock) -> None:
    """An act of the desk while the gateway is down does not take from the owner what they can answer with."""
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    older = await password_is_told(portal, await patient_with(portal))
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(KNOWN, UNKNOWN)
    assert [await is_good(portal, token) for token in older] == [True, True]
    down = ProviderDown("no answer", may_have_gone_out=False)
    assert {number for number, _ in await told(portal, down, down)} == {KNOWN, UNKNOWN}
    assert len(await mailed(portal)) == 1
    assert [await is_good(portal, token) for token in older] == [True, False]

    clock.move(seconds=RETRY_AFTER[0].total_seconds())
    assert (await links(portal))[KNOWN] == (CHANGED, True)
    assert [await is_good(portal, token) for token in older] == [False, False]


async def test_an_older_link_is_good_as_long_as_there_is_no_money_for_the_new_one(
    folder: Path, clock: MovableClock
) -> None:
    async with opened(folder, clock, price_notice="10", daily_cap_notice="10") as portal:
        patient = await patient_with(portal)
        with portal.database.writing() as session:
            portal.notices.put(session, patient.id, Told(KNOWN, About.RECOVERED, Text.ACCESS_RECOVERED))
        ((_, text),) = await told(portal)
        clock.move(minutes=5)
        await portal.desk.personal_data.set_phone(KNOWN, THIEFS)
        waiting = [row for row in await notices_of(portal) if row.sent_at is None]
        assert [(row.phone, row.paid_at) for row in waiting] == [(KNOWN, None), (THIEFS, None)]

        await portal.dispute.raise_(token_in(text))
        assert (await by_id(portal, patient.id)).phone is None


async def test_a_closed_accounts_mailbox_loses_its_links_at_once(portal: Portal, clock: MovableClock) -> None:
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    await changes_number(portal, token_hash(await sign_in(portal, BORIS)), THIEFS, ADDRESS)
    ((_, mail),) = await mailed(portal)
    clock.move(minutes=5)
    _, by_mail = await password_is_told(portal, await patient_with(portal, THIEFS))
    await portal.dispute.raise_(by_mail)
    assert await is_good(portal, token_in_mail(mail))
    await portal.desk.personal_data.set_phone(THIEFS, UNKNOWN)

    assert not await is_good(portal, token_in_mail(mail))


async def test_a_mail_that_names_the_number_before_still_takes_the_thiefs_off(
    portal: Portal, clock: MovableClock
) -> None:
    """An operator who was talked into it confirms the thief's number. The mail about that names this number, and leaves it."""
    await proves(portal, ADDRESS, portal.clock() - LINK_LIFE)
    patient = await patient_with(portal)
    await changes_number(portal, token_hash(await sign_in(portal, BORIS)), THIEFS, ADDRESS)
    ((_, mail),) = await mailed(portal)
    clock.move(minutes=5)
    await portal.desk.personal_data.set_phone(THIEFS, THIEFS)
    assert ["#" in new.text for _, new in await mailed(portal)] == [True]

    await portal.dispute.raise_(token_in_mail(mail))
    assert (await by_id(portal, patient.id)).phone is None


async def test_who_held_the_account_for_long_is_told_before_the_money_ends(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, price_notice="10", daily_cap_notice="30") as portal:
        await changes_number(portal, token_hash(await sign_in(portal, BORIS)), THIEFS)
        with portal.database.writing() as session:
            portal.notices.put(
                session, (await patient_with(portal, THIEFS)).id, Told(THIEFS, About.RECOVERED, Text.ACCESS_RECOVERED)
            )
        await told(portal)
        clock.move(minutes=5)
        await portal.desk.personal_data.set_phone(THIEFS, UNKNOWN)

        rows = [row for row in await notices_of(portal) if row.about in AT_DESK]
        assert {row.phone: row.paid_at is not None for row in rows} == {KNOWN: True, THIEFS: False, UNKNOWN: False}


@pytest.mark.parametrize("then", [[], [OTHER_OF_THIEF]], ids=["once", "twice"])
async def test_a_first_number_of_the_thiefs_gets_no_link_either(
    portal: Portal, clock: MovableClock, then: list[str]
) -> None:
    """The account had no number and no mailbox, so nobody was told when it got one."""
    patient = await patient_with(portal)
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.database.write(account_settings.set_columns, patient.id, {"phone": None})
    for number in (THIEFS, *then):
        await changes_number(portal, thief, number)
        clock.move(minutes=5)
    last = [THIEFS, *then][-1]
    await portal.desk.personal_data.set_phone(last, UNKNOWN)

    assert await links(portal) == {last: (CHANGED, False), UNKNOWN: (HERE, True)}


async def test_a_first_number_of_more_than_a_week_does(portal: Portal, clock: MovableClock) -> None:
    patient = await patient_with(portal)
    thief = token_hash(await sign_in(portal, BORIS))
    await portal.database.write(account_settings.set_columns, patient.id, {"phone": None})
    await changes_number(portal, thief, THIEFS)
    clock.move(seconds=LINK_LIFE.total_seconds() + 1)
    await portal.desk.personal_data.set_phone(THIEFS, UNKNOWN)

    assert await links(portal) == {THIEFS: (CHANGED, True), UNKNOWN: (HERE, True)}
