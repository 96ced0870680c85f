"""The e-mail address counts once a code that was sent there is entered; then its owner is told by mail, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from medonline.bootstrap import DEMO_ACCOUNTS, Portal
from medonline.domain.errors import (
    CodeExpired,
    CodeIncomplete,
    CodeMismatch,
    DisputeNotPossible,
    EmailCodesTooOften,
    InvalidEmail,
    MailboxUnknown,
    MedonlineError,
    NoChangeInProgress,
    NotSignedIn,
    ProviderDown,
    ProviderRefused,
    ReauthenticationNeeded,
    ToldTooOften,
)
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.email_proof import GUESSES, PER_ADDRESS
from medonline.services.crypto.tokens import token_hash
from medonline.services.notices.email_codes import CODE_LIFE
from medonline.services.notices.sender import RETRY_AFTER, MailState, NoticeService
from medonline.services.notices.texts import About
from medonline.storage.queries import account_settings
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from medonline.storage.tables.security_journal import JournalEntry
from tests.services.account_settings.saving import FORM, NEW_PASSWORD
from tests.services.notices.mailboxes import code_in, mailed, token_in
from tests.services.notices.phone import token_in as token_in_text
from tests.services.notices.phone import told
from tests.services.world import (
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    MovableClock,
    patient_with,
    sign_in,
    signed_in,
)

MARIA, OTHER = "maria@example.ru", "other@example.ru"


async def save_address(portal: Portal, key: str, address: str) -> None:
    await portal.settings.save(signed_in(key), replace(FORM, email=address), CALL)


async def ask(portal: Portal, key: str) -> str:
    """Ask for a code; the code that arrives."""
    await portal.email_proof.send(key)
    *_, (_, mail) = await mailed(portal)
    return code_in(mail)


async def prove(portal: Portal, key: str, address: str = MARIA) -> list[tuple[str, str]]:
    """What the phone is told of it."""
    await save_address(portal, key, address)
    await portal.email_proof.confirm(key, await ask(portal, key))
    return await told(portal)


async def patient(portal: Portal) -> Patient:
    found = await patient_with(portal, KNOWN)
    assert found is not None
    return found


async def test_an_address_is_proved_by_the_code_that_goes_there(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    assert (await portal.email_proof.view(key)).proved is False
    await portal.email_proof.send(key)
    ((address, mail),) = await mailed(portal)
    assert address == MARIA
    assert (await portal.email_proof.view(key)).waiting

    await portal.email_proof.confirm(key, f" {code_in(mail)[:3]} {code_in(mail)[3:]} ")

    view = await portal.email_proof.view(key)
    assert (view.proved, view.waiting, view.notices_to) == (True, False, "")
    with portal.database.reading() as session:
        events = [row.event for row in session.exec(select(JournalEntry)).all()]
    assert events[-1] == JournalEvent.EMAIL_PROVED


async def test_no_row_holds_the_code(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    with portal.database.reading() as session:
        (row,) = session.exec(select(Notice)).all()
        kept = row.model_dump_json()
    assert await mailed(portal)
    assert portal.email_proof.codes.of(row.id) not in kept


async def test_nothing_is_written_to_an_address_before_it_is_proved(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    await portal.settings.save(
        signed_in(key), replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
    )

    assert await mailed(portal) == []
    assert len(await told(portal)) == 1


async def test_a_change_is_told_to_the_phone_and_the_proved_address(portal: Portal, key: str) -> None:
    await prove(portal, key)
    await portal.settings.save(
        signed_in(key), replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
    )

    ((address, mail),) = await mailed(portal)
    ((phone, text),) = await told(portal)
    assert (address, phone) == (MARIA, KNOWN)
    assert mail.subject == "Медицина-онлайн: пароль личного кабинета изменён"
    assert "пароль личного кабинета изменён" in text
    await portal.dispute.raise_(token_in(mail))  # the thief of the phone has the other one
    assert (await patient(portal)).password_hash is None


async def test_a_text_to_the_phone_does_not_end_the_link_of_the_mail(
    portal: Portal, key: str, clock: MovableClock
) -> None:
    await prove(portal, key)
    change = replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(signed_in(key), change, CALL)
    ((_, mail),) = await mailed(portal)
    clock.move(minutes=1)
    await portal.settings.save(
        signed_in(key), replace(change, password=PASSWORD + "a", password_confirmation=PASSWORD + "a"), CALL
    )
    assert len(await told(portal)) == 2  # the phone is told; its own earlier link ends

    await portal.dispute.raise_(token_in(mail))


async def test_a_mail_ends_the_link_of_the_mail_before(portal: Portal, key: str, clock: MovableClock) -> None:
    await prove(portal, key)
    change = replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(signed_in(key), change, CALL)
    ((_, first),) = await mailed(portal)
    clock.move(minutes=1)
    await portal.settings.save(
        signed_in(key), replace(change, password=PASSWORD + "a", password_confirmation=PASSWORD + "a"), CALL
    )
    await mailed(portal)

    with pytest.raises(DisputeNotPossible):
        await portal.dispute.raise_(token_in(first))


async def test_wrong_codes_are_counted_and_end_it(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    right = await ask(portal, key)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for left in range(GUESSES - 1, -1, -1):
        with pytest.raises(CodeMismatch) as refused:
            await portal.email_proof.confirm(key, wrong)
        assert refused.value.attempts_left == left

    with pytest.raises(CodeExpired):
        await portal.email_proof.confirm(key, right)
    assert (await patient(portal)).proved_email == ""


async def test_an_incomplete_code_costs_no_guess(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    right = await ask(portal, key)
    for _ in range(GUESSES + 1):
        with pytest.raises(CodeIncomplete):
            await portal.email_proof.confirm(key, right[:5])
    await portal.email_proof.confirm(key, right)


async def test_a_code_lives_an_hour_and_ends_with_the_next(portal: Portal, key: str, clock: MovableClock) -> None:
    await save_address(portal, key, MARIA)
    first = await ask(portal, key)
    clock.move(seconds=10)
    second = await ask(portal, key)
    if first != second:
        with pytest.raises(CodeMismatch):
            await portal.email_proof.confirm(key, first)
    clock.move(seconds=CODE_LIFE.total_seconds())
    with pytest.raises((CodeExpired, NotSignedIn)):
        await portal.email_proof.confirm(key, second)


async def test_a_code_proves_only_the_address_it_went_to(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    code = await ask(portal, key)
    await save_address(portal, key, OTHER)

    with pytest.raises(CodeExpired):
        await portal.email_proof.confirm(key, code)


async def test_the_code_of_one_account_proves_nothing_for_another(portal: Portal, key: str) -> None:
    await save_address(portal, key, MARIA)
    code = await ask(portal, key)
    other = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, DEMO_ACCOUNTS[1].password))
    with pytest.raises(CodeExpired):
        await portal.email_proof.confirm(other, code)


async def test_nobody_asks_without_a_session_or_without_an_address(portal: Portal, key: str) -> None:
    with pytest.raises(NotSignedIn):
        await portal.email_proof.send("f" * 64)
    with pytest.raises(NoChangeInProgress):
        await portal.email_proof.send(key)
    await prove(portal, key)
    with pytest.raises(NoChangeInProgress):
        await portal.email_proof.send(key)


async def test_one_mailbox_is_not_filled_by_whoever_asks(portal: Portal, key: str, clock: MovableClock) -> None:
    """Also from several accounts, and in capital letters."""
    other = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, DEMO_ACCOUNTS[1].password))
    await save_address(portal, key, MARIA)
    named = await portal.settings.current(other)
    await portal.settings.save(
        signed_in(other),
        replace(
            FORM, phone=OTHER_KNOWN, email="Maria@Example.ru", last_name=named.last_name, first_name=named.first_name
        ),
        CALL,
    )
    for turn in range(PER_ADDRESS.count):
        clock.move(minutes=1)
        await portal.email_proof.send((keys := [key, other])[turn % 2])
    clock.move(minutes=1)
    for one in keys:
        with pytest.raises(EmailCodesTooOften):
            await portal.email_proof.send(one)


async def test_another_address_is_told_to_the_proved_one_and_replaces_it_only_when_proved(
    portal: Portal, key: str, clock: MovableClock
) -> None:
    await prove(portal, key)
    clock.move(minutes=1)
    await save_address(portal, key, OTHER)

    ((address, mail),) = await mailed(portal)
    assert address == MARIA
    assert "другой адрес" in mail.text
    view = await portal.email_proof.view(key)
    assert (view.address, view.proved, view.notices_to) == (OTHER, False, MARIA)

    clock.move(minutes=1)
    await portal.email_proof.confirm(key, await ask(portal, key))
    assert (await patient(portal)).proved_email == OTHER
    await portal.dispute.raise_(token_in(mail))  # it was not the owner
    assert ((await patient(portal)).proved_email, (await patient(portal)).email) == ("", "")


async def test_the_proved_address_changes_only_by_a_fresh_proof(portal: Portal, key: str, clock: MovableClock) -> None:
    await prove(portal, key)
    clock.move(seconds=portal.config.reauthentication_window.total_seconds() + 1)
    for address in (OTHER, ""):
        with pytest.raises(ReauthenticationNeeded):
            await save_address(portal, key, address)
    assert (await patient(portal)).email == MARIA


async def test_without_an_address_mail_stops_and_the_old_one_is_told(portal: Portal, key: str) -> None:
    await prove(portal, key)
    await save_address(portal, key, "")

    assert [address for address, _ in await mailed(portal)] == [MARIA]
    assert (await patient(portal)).proved_email == ""


async def test_a_double_press_sends_one_mail(portal: Portal, key: str, clock: MovableClock) -> None:
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    clock.move(milliseconds=900)
    await portal.email_proof.send(key)
    ((_, mail),) = await mailed(portal)

    await portal.email_proof.confirm(key, code_in(mail))


async def test_the_phone_and_the_address_before_are_told_that_another_is_proved(
    portal: Portal, key: str, clock: MovableClock
) -> None:
    ((phone, text),) = await prove(portal, key)
    assert phone == KNOWN
    assert text.startswith("Медицина-онлайн: подтверждён адрес электронной почты")
    clock.move(minutes=1)
    await save_address(portal, key, OTHER)
    code = await ask(portal, key)
    clock.move(minutes=1)
    await portal.email_proof.confirm(key, code)

    assert [address for address, _ in await mailed(portal)] == [MARIA]
    assert len(await told(portal)) == 1


async def test_the_owner_takes_off_an_address_that_a_stranger_proved(portal: Portal, key: str) -> None:
    ((_, text),) = await prove(portal, key, OTHER)
    await portal.dispute.raise_(text.rpartition("#")[2])

    assert ((await patient(portal)).proved_email, (await patient(portal)).email) == ("", "")


async def test_a_proof_that_cannot_be_told_waits_and_its_code_stays_good(
    portal: Portal, key: str, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save_address(portal, key, MARIA)
    code = await ask(portal, key)

    def refuse(*_: object) -> None:
        raise ToldTooOften(clock(), clock() + timedelta(hours=1))

    with monkeypatch.context() as changed:
        changed.setattr(NoticeService, "put", refuse)
        with pytest.raises(ToldTooOften):
            await portal.email_proof.confirm(key, code)
    assert (await patient(portal)).proved_email == ""
    await portal.email_proof.confirm(key, code)
    assert (await patient(portal)).proved_email == MARIA


async def test_a_code_is_asked_for_by_a_fresh_proof_of_who_is_asking(
    portal: Portal, key: str, clock: MovableClock
) -> None:
    await save_address(portal, key, MARIA)
    code = await ask(portal, key)
    clock.move(seconds=portal.config.reauthentication_window.total_seconds() + 1)
    with pytest.raises(ReauthenticationNeeded):
        await portal.email_proof.send(key)

    await portal.email_proof.confirm(key, code)  # mail is slow


async def test_a_code_that_proves_nothing_any_more_is_not_sent(portal: Portal, key: str, clock: MovableClock) -> None:
    """The server was down: meanwhile another code was asked for, another address saved, or the hour is over."""
    down = ProviderDown("down")
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    assert await mailed(portal, down) == []
    clock.move(seconds=RETRY_AFTER[0].total_seconds())
    await portal.email_proof.send(key)
    ((_, mail),) = await mailed(portal)
    await portal.email_proof.confirm(key, code_in(mail))

    await save_address(portal, key, OTHER)
    await mailed(portal)
    await portal.email_proof.send(key)
    assert await mailed(portal, down) == []
    await save_address(portal, key, MARIA)
    clock.move(seconds=RETRY_AFTER[0].total_seconds())
    assert OTHER not in [address for address, _ in await mailed(portal)]

    await save_address(portal, key, OTHER)
    await mailed(portal)
    await portal.email_proof.send(key)
    assert await mailed(portal, down) == []
    clock.move(seconds=CODE_LIFE.total_seconds())
    assert await mailed(portal) == []
    assert await portal.desk.unsent.resend_all() == 0
    codes = [row for row in await portal.desk.unsent.newest(10) if row.about == About.EMAIL_PROOF]
    assert [row.problem for row in codes] == ["ended"] * 3


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (None, MailState.SENT),
        (ProviderDown("down"), MailState.LATE),
        (ProviderRefused("spam", code="550"), MailState.LATE),
        (MailboxUnknown("no", code="550"), MailState.NO_MAILBOX),
    ],
)
async def test_the_settings_know_what_became_of_the_mail(
    portal: Portal, key: str, failure: Exception | None, state: MailState
) -> None:
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    assert (await portal.email_proof.view(key)).mail is MailState.ON_ITS_WAY
    await mailed(portal, *([failure] if failure else []))

    assert (await portal.email_proof.view(key)).mail is state


@pytest.mark.parametrize(
    "odd", ["a b", "a,b@c", "(maria@example.ru", "=?utf-8?q?a=0d=0aBcc:_x?=@b.ru", "maria@intranet"]
)
async def test_an_address_from_elsewhere_that_is_none_gets_no_mail(portal: Portal, key: str, odd: str) -> None:
    with portal.database.writing() as session:
        account_settings.set_columns(session, (await patient(portal)).id, {"email": odd})

    with pytest.raises(InvalidEmail):
        await portal.email_proof.send(key)
    assert await mailed(portal) == []


async def test_capital_letters_are_no_change_of_a_proved_address(portal: Portal, key: str) -> None:
    await prove(portal, key)
    await save_address(portal, key, "Maria@Example.ru")

    assert await mailed(portal) == []
    assert (await portal.email_proof.view(key)).proved


@pytest.mark.parametrize("failure", [ProviderDown("down"), ProviderDown("busy", code="451")])
async def test_a_server_that_is_down_is_asked_again(
    portal: Portal, key: str, clock: MovableClock, failure: MedonlineError
) -> None:
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    assert await mailed(portal, failure) == []
    clock.move(seconds=RETRY_AFTER[0].total_seconds())
    assert len(await mailed(portal)) == 1


async def test_an_unknown_mailbox_is_not_asked_again(portal: Portal, key: str, clock: MovableClock) -> None:
    await save_address(portal, key, MARIA)
    await portal.email_proof.send(key)
    assert await mailed(portal, MailboxUnknown("no", code="550")) == []
    clock.move(hours=1)
    assert await mailed(portal) == []


async def test_mail_costs_no_money_of_notices(portal: Portal, key: str) -> None:
    await prove(portal, key)
    await save_address(portal, key, OTHER)
    with portal.database.reading() as session:
        assert sum(row.kopecks for row in session.exec(select(Notice)).all()) == 0


async def test_export_and_erasure_know_the_proof(portal: Portal, key: str) -> None:
    await prove(portal, key)
    exported = await portal.desk.personal_data.export(KNOWN)
    assert exported["patient"]["proved_email"] == MARIA
    assert len(exported["email_proof"]) == 1

    await portal.desk.personal_data.erase(KNOWN)
    with portal.database.reading() as session:
        assert session.exec(select(Notice)).all() == []


def test_the_numbers_are_what_the_arithmetic_says() -> None:
    """SECURITY.md: three guesses of a million codes, five mails a day."""
    assert (GUESSES, PER_ADDRESS.count, PER_ADDRESS.per) == (3, 5, timedelta(days=1))


async def test_a_removed_address_is_told_that_it_was_removed(portal: Portal, key: str) -> None:
    await prove(portal, key)
    await save_address(portal, key, "")

    ((address, mail),) = await mailed(portal)
    assert address == MARIA
    assert "этот адрес убран из личного кабинета" in mail.text


async def test_a_link_of_a_mail_that_closes_the_account_is_told_to_the_phone(portal: Portal, key: str) -> None:
    await prove(portal, key)
    change = replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(signed_in(key), change, CALL)
    ((_, mail),) = await mailed(portal)
    await told(portal)
    await portal.dispute.raise_(token_in(mail))

    ((phone, text),), ((address, closed),) = await told(portal), await mailed(portal)
    assert (phone, address) == (KNOWN, MARIA)
    assert text == closed.text.partition("\n\n")[0]
    assert "личный кабинет закрыт по ссылке" in text
    assert "http" not in text


async def test_a_link_of_a_text_that_closes_the_account_is_told_by_mail_alone(portal: Portal, key: str) -> None:
    await prove(portal, key)
    long_ago: dict[str, object] = {"email_proved_at": portal.clock() - timedelta(days=8)}
    await portal.database.write(account_settings.set_columns, (await patient(portal)).id, long_ago)
    change = replace(FORM, email=MARIA, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(signed_in(key), change, CALL)
    ((_, text),) = await told(portal)
    await mailed(portal)
    await portal.dispute.raise_(token_in_text(text))

    assert await told(portal) == []
    ((address, closed),) = await mailed(portal)
    assert address == MARIA
    assert "личный кабинет закрыт по ссылке" in closed.text
