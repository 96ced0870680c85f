"""The settings: everything typed is saved or nothing; a new phone waits for its code; old sessions and the old phone are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import (
    ChannelUnavailable,
    CodeMismatch,
    CodeRefused,
    CodeUsedUp,
    NoChangeInProgress,
    NoRecoveryInProgress,
    NotSignedIn,
    PhoneTaken,
    RateLimited,
    ReauthenticationNeeded,
)
from medonline.services.account_settings.form import Saved, SettingsForm
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.login.password_login import SignedIn
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.texts import Text, Told
from medonline.storage.tables.account_settings import AccountChange
from medonline.storage.tables.notices import Notice
from medonline.storage.tables.patients import Patient
from medonline.wording import notices as wording
from tests.services.account_settings.saving import FORM, NEW_PASSWORD
from tests.services.outside import changed_tables, dump, is_at_rest
from tests.services.overtaking import overtaken
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    TELEGRAM,
    MovableClock,
    code_in,
    last_code,
    opened,
    patient_with,
    prove,
    rows_of,
    sign_in,
    signed_in,
    statements,
    told_of,
    wrong,
)

NEW_PHONE = "+79000006001"


async def ask_for_phone(portal: Portal, key: str, phone: str = NEW_PHONE, **more: str) -> str:
    """Save with a new phone; the code to it."""
    saved = await portal.settings.save(signed_in(key), replace(FORM, phone=phone, **more), CALL)
    assert saved == Saved(code_needed=True)
    return await last_code(portal, phone)


async def notices_of(portal: Portal) -> list[tuple[str, str]]:
    with portal.database.reading() as session:
        rows = session.exec(select(Notice).order_by(col(Notice.phone), col(Notice.text))).all()
    return [(row.phone, row.text) for row in rows]


async def changes_of(portal: Portal) -> list[AccountChange]:
    with portal.database.reading() as session:
        return list(session.exec(select(AccountChange).order_by(col(AccountChange.created_at))).all())


# --- names, mail, password --------------------------------------------------------------------------------------


async def test_names_and_mail_are_saved_at_once(portal: Portal, key: str) -> None:
    typed = replace(FORM, email=" Maria@Example.RU ", last_name="Иванова-Петрова", first_name="Марья")
    saved = await portal.settings.save(signed_in(key), typed, CALL)

    patient = await patient_with(portal)
    assert set(saved.changed) == {"email", "last_name", "first_name"}
    assert (patient.email, patient.last_name, patient.first_name) == ("Maria@example.ru", "Иванова-Петрова", "Марья")
    assert await notices_of(portal) == []
    assert await rows_of(portal) == []


async def test_what_is_on_record_is_shown_to_its_owner(portal: Portal, key: str) -> None:
    view = await portal.settings.current(key)

    assert (view.phone, view.email, view.last_name, view.first_name) == (KNOWN, "", "Иванова", "Мария")
    assert (view.has_password, view.code) == (True, None)


async def test_saving_what_is_there_changes_nothing(portal: Portal, key: str, folder: Path) -> None:
    before = dump(folder)
    for phone in (KNOWN, "8 (900) 000-10-01"):
        assert await portal.settings.save(signed_in(key), replace(FORM, phone=phone), CALL) == Saved()

    assert dump(folder) == before


async def test_an_email_can_be_taken_away(portal: Portal, key: str) -> None:
    await portal.settings.save(signed_in(key), replace(FORM, email="maria@example.ru"), CALL)
    await portal.settings.save(signed_in(key), FORM, CALL)

    assert (await patient_with(portal)).email == ""


async def test_a_new_password_ends_the_other_sessions_and_keeps_ones_own(portal: Portal, key: str) -> None:
    told = told_of(portal, "session")
    other = token_hash(await sign_in(portal, BORIS))
    strangers = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    form = replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    saved = await portal.settings.save(signed_in(key), form, CALL)

    assert saved == Saved(changed=("password_hash",), sessions_ended=1)
    assert told == [other]
    assert await portal.login.who(other) is None
    assert await portal.login.who(key) is not None
    assert await portal.login.who(strangers) is not None
    assert await notices_of(portal) == [(KNOWN, wording.text(Text.ACCESS_CHANGED))]
    assert await sign_in(portal, BORIS, KNOWN, NEW_PASSWORD)


async def test_a_ticket_from_before_a_new_password_opens_nothing(portal: Portal, key: str) -> None:
    ticket = await portal.login.log_in(BORIS, KNOWN, PASSWORD)
    form = replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    await portal.settings.save(signed_in(key), form, CALL)

    assert await portal.login.open_session(BORIS, ticket) is None


async def test_names_alone_end_no_session_and_tell_no_phone(portal: Portal, key: str) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    await portal.settings.save(signed_in(key), replace(FORM, first_name="Марья"), CALL)

    assert await portal.login.who(other) is not None
    assert await notices_of(portal) == []


# --- whose session it is ----------------------------------------------------------------------------------------


async def test_without_a_session_nothing_is_shown_or_saved(portal: Portal, key: str, folder: Path) -> None:
    await portal.login.close_session(key)
    before = dump(folder)
    for nobody in (key, "", new_token()):
        for attempt in (
            portal.settings.current(nobody),
            portal.settings.save(signed_in(nobody), replace(FORM, first_name="Марья"), CALL),
            portal.settings.resend(signed_in(nobody), CALL),
            portal.settings.confirm_phone(nobody, "0000"),
            portal.settings.cancel(nobody),
        ):
            with pytest.raises(NotSignedIn):
                await attempt

    assert dump(folder) == before


@pytest.mark.parametrize(("seconds", "asked_again"), [(15 * 60, False), (15 * 60 + 1, True)])
@pytest.mark.parametrize(
    "changes", [{"phone": NEW_PHONE}, {"password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD}], ids=["phone", "password"]
)  # fmt: skip
async def test_phone_and_password_need_a_proof_of_the_last_quarter_of_an_hour(
    portal: Portal,
    clock: MovableClock,
    key: str,
    folder: Path,
    changes: dict[str, str],
    seconds: int,
    asked_again: bool,
) -> None:
    clock.move(seconds=seconds)
    await portal.sessions.required(key)
    before = dump(folder)
    form = replace(FORM, first_name="Марья", **changes)
    if not asked_again:
        assert await portal.settings.save(signed_in(key), form, CALL)
        return
    with pytest.raises(ReauthenticationNeeded):
        await portal.settings.save(signed_in(key), form, CALL)

    assert dump(folder) == before
    await portal.sessions.prove_again(signed_in(key), PASSWORD)
    assert await portal.settings.save(signed_in(key), form, CALL)


@pytest.mark.parametrize("name", ["last_name", "first_name"])
async def test_a_name_is_changed_by_a_fresh_proof_only_for_gosuslugi_is_recognised_by_it(
    portal: Portal, folder: Path, clock: MovableClock, key: str, name: str
) -> None:
    for _ in range(4):
        clock.move(minutes=20)
        await portal.sessions.required(key)
    before = dump(folder)
    form = replace(FORM, **{name: "Марья"})
    with pytest.raises(ReauthenticationNeeded):
        await portal.settings.save(signed_in(key), form, CALL)

    assert dump(folder) == before
    await portal.sessions.prove_again(signed_in(key), PASSWORD)
    assert (await portal.settings.save(signed_in(key), form, CALL)).changed == (name,)


async def test_an_email_needs_no_proof(portal: Portal, clock: MovableClock, key: str) -> None:
    for _ in range(4):
        clock.move(minutes=20)
        await portal.sessions.required(key)

    assert (await portal.settings.save(signed_in(key), replace(FORM, email="m@example.ru"), CALL)).changed == ("email",)


async def test_the_proof_of_another_session_does_not_count(portal: Portal, clock: MovableClock, key: str) -> None:
    clock.move(minutes=16)
    await sign_in(portal, BORIS)

    with pytest.raises(ReauthenticationNeeded):
        await portal.settings.save(signed_in(key), replace(FORM, phone=NEW_PHONE), CALL)


# --- a new phone ------------------------------------------------------------------------------------------------


async def test_a_new_phone_waits_for_its_code_and_everything_with_it(portal: Portal, key: str) -> None:
    before = await patient_with(portal)
    await ask_for_phone(portal, key, first_name="Марья", password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)

    view = await portal.settings.current(key)
    assert view.code is not None
    assert (view.phone, view.first_name, view.code.phone) == (NEW_PHONE, "Марья", "+7 900 ***-**-01")
    assert await patient_with(portal) == before
    assert await notices_of(portal) == []
    assert [row.phone for row in await rows_of(portal)] == [NEW_PHONE]


async def test_what_waits_is_sealed_and_holds_the_password_only_as_its_hash(
    portal: Portal, key: str, folder: Path
) -> None:
    await ask_for_phone(
        portal, key, email="canary@example.ru", password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD
    )
    (change,) = await changes_of(portal)
    waiting = json.loads(portal.settings.changes.open(change.sealed))

    assert set(waiting) == {"email", "password_hash"}
    assert waiting["password_hash"].startswith("$argon2id$")
    assert not is_at_rest(folder, "canary@example.ru")
    assert not is_at_rest(folder, NEW_PASSWORD)


async def test_the_code_saves_everything_that_waited(portal: Portal, clock: MovableClock, key: str) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    code = await ask_for_phone(
        portal, key, first_name="Марья", password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD
    )
    clock.move(minutes=1)
    saved = await portal.settings.confirm_phone(key, code)

    patient = await patient_with(portal, NEW_PHONE)
    assert set(saved.changed) == {"first_name", "password_hash", "phone"}
    assert (patient.first_name, patient.phone_proved_at, patient.password_changed_at) == ("Марья", clock.now, clock.now)
    assert await portal.login.who(other) is None
    assert await portal.login.who(key) is not None
    assert await notices_of(portal) == sorted(
        [(KNOWN, wording.text(Text.PHONE_CHANGED)), (KNOWN, wording.text(Text.ACCESS_CHANGED))]
    )
    assert [(change.sealed, change.finished_at) for change in await changes_of(portal)] == [("", clock.now)]
    assert (await portal.settings.current(key)).code is None
    assert await sign_in(portal, BORIS, NEW_PHONE, NEW_PASSWORD)


async def test_everything_that_waited_is_saved_in_one_transaction(portal: Portal, key: str) -> None:
    code = await ask_for_phone(
        portal, key, first_name="Марья", password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD
    )
    with statements(portal) as seen:
        await portal.settings.confirm_phone(key, code)

    blocks = " ".join(seen).split("BEGIN IMMEDIATE")
    saving = [block for block in blocks if "UPDATE patient" in block]
    assert len(saving) == 1
    for table in ("UPDATE account_change", "INSERT INTO notice", "UPDATE account_session"):
        assert table in saving[0]


async def test_an_error_half_way_saves_nothing(portal: Portal, key: str, folder: Path) -> None:
    class Broken(NoticeService):
        def put(self, session: Session, patient_id: str, told: Told) -> None:
            super().put(session, patient_id, told)
            session.flush()
            raise KeyError("half way")

    broken = Broken(portal.database, portal.clock, portal.outside.notices, wording)
    before = dump(folder)
    form = replace(FORM, first_name="Марья", password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD)
    with pytest.raises(KeyError):
        await replace(portal.settings, notices=broken).save(signed_in(key), form, CALL)

    assert dump(folder) == before


async def test_only_a_new_phone_ends_no_session(portal: Portal, key: str) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    await portal.settings.confirm_phone(key, await ask_for_phone(portal, key))

    assert await portal.login.who(other) is not None
    assert await notices_of(portal) == [(KNOWN, wording.text(Text.PHONE_CHANGED))]


async def test_an_account_without_a_phone_gets_one_and_nobody_is_told(portal: Portal, key: str) -> None:
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == KNOWN)).one()
        patient.phone = None
        session.add(patient)
    assert await portal.settings.save(signed_in(key), replace(FORM, phone=" "), CALL) == Saved()
    await portal.settings.confirm_phone(key, await ask_for_phone(portal, key))

    assert (await patient_with(portal, NEW_PHONE)).first_name == "Мария"
    assert await notices_of(portal) == []


async def test_that_a_phone_is_taken_is_told_only_to_whoever_holds_it(portal: Portal, key: str, folder: Path) -> None:
    code = await ask_for_phone(portal, key, OTHER_KNOWN, first_name="Марья")
    before = dump(folder)
    with pytest.raises(PhoneTaken):
        await portal.settings.confirm_phone(key, code)

    assert changed_tables(before, dump(folder)) == {"one_time_code", "security_journal"}
    assert (await patient_with(portal)).first_name == "Мария"
    assert (await patient_with(portal, OTHER_KNOWN)).first_name == "Алексей"


async def test_taken_and_free_phones_cost_the_same_before_the_proof(portal: Portal, key: str) -> None:
    async def cost(phone: str) -> list[str]:
        with statements(portal) as seen:
            await portal.settings.save(signed_in(key), replace(FORM, phone=phone), CALL)
            await portal.settings.current(key)
        await portal.settings.cancel(key)
        return seen

    await cost("+79000006009")  # so that both of the others find the same record
    assert await cost(OTHER_KNOWN) == await cost(NEW_PHONE)


async def test_two_accounts_that_want_the_same_phone_do_not_both_get_it(portal: Portal, clock: MovableClock) -> None:
    annas = token_hash(await sign_in(portal, ANNA))
    boris = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    await portal.settings.confirm_phone(annas, await ask_for_phone(portal, annas))
    clock.move(seconds=60)
    form = SettingsForm(NEW_PHONE, "", "Смирнов", "Алексей", "", "")
    await portal.settings.save(signed_in(boris), form, CALL)

    with pytest.raises(PhoneTaken):
        await portal.settings.confirm_phone(boris, await last_code(portal, NEW_PHONE))


async def test_the_code_counts_in_the_session_that_asked_only(portal: Portal, key: str) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    strangers = token_hash(await sign_in(portal, BORIS, OTHER_KNOWN, "Poliklinika7"))
    code = await ask_for_phone(portal, key)
    for session_key in (other, strangers):
        with pytest.raises(NoChangeInProgress):
            await portal.settings.confirm_phone(session_key, code)
        assert await portal.settings.code_of(session_key) is None

    assert await portal.settings.confirm_phone(key, code)


async def test_a_code_of_another_flow_changes_nothing(portal: Portal, clock: MovableClock, key: str) -> None:
    await portal.recovery.begin(ANNA, NEW_PHONE, CALL)
    of_recovery = await last_code(portal)
    clock.move(seconds=60)
    code = await ask_for_phone(portal, key)
    if of_recovery != code:
        with pytest.raises(CodeMismatch):
            await portal.settings.confirm_phone(key, of_recovery)

    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, code)


async def test_three_misses_end_the_code_and_the_change_waits_for_another(
    portal: Portal, clock: MovableClock, key: str
) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")
    left = []
    for by in (1, 2, 3):
        with pytest.raises(CodeMismatch) as miss:
            await portal.settings.confirm_phone(key, wrong(code, by))
        left.append(miss.value.attempts_left)
    with pytest.raises(CodeUsedUp):
        await portal.settings.confirm_phone(key, code)
    assert left == [2, 1, 0]

    clock.move(seconds=60)
    await portal.settings.resend(signed_in(key), TELEGRAM)
    saved = await portal.settings.confirm_phone(key, code_in(portal, (await rows_of(portal))[-1]))
    assert set(saved.changed) == {"first_name", "phone"}


async def test_of_twenty_guesses_at_the_same_moment_three_are_judged(portal: Portal, key: str) -> None:
    code = await ask_for_phone(portal, key)
    guesses = await asyncio.gather(
        *(portal.settings.confirm_phone(key, wrong(code, by)) for by in range(1, 21)), return_exceptions=True
    )

    assert sum(isinstance(guess, CodeMismatch) for guess in guesses) == 3
    assert sum(isinstance(guess, CodeUsedUp) for guess in guesses) == 17


async def test_the_right_code_at_the_same_moment_is_accepted_once(portal: Portal, key: str) -> None:
    code = await ask_for_phone(portal, key)
    outcomes = await asyncio.gather(
        *(portal.settings.confirm_phone(key, code) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Saved) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Saved | CodeRefused | NoChangeInProgress) for outcome in outcomes)
    assert await notices_of(portal) == [(KNOWN, wording.text(Text.PHONE_CHANGED))]


async def test_another_code_too_soon_is_refused(portal: Portal, clock: MovableClock, key: str) -> None:
    await ask_for_phone(portal, key)
    clock.move(seconds=30)

    with pytest.raises(RateLimited):
        await portal.settings.resend(signed_in(key), CALL)


async def test_without_a_change_there_is_nothing_to_confirm_or_resend(portal: Portal, key: str) -> None:
    for attempt in (portal.settings.confirm_phone(key, "0000"), portal.settings.resend(signed_in(key), CALL)):
        with pytest.raises(NoChangeInProgress):
            await attempt
    await portal.settings.cancel(key)


async def test_another_code_is_refused_when_another_tab_asks_for_another_phone_meanwhile(
    portal: Portal, key: str
) -> None:
    await ask_for_phone(portal, key)
    with pytest.raises(NoChangeInProgress):
        async with overtaken(portal.settings.resend(signed_in(key), TELEGRAM)):
            await ask_for_phone(portal, key, OTHER_KNOWN)

    assert [row.phone for row in await rows_of(portal)] == [NEW_PHONE, OTHER_KNOWN]


async def test_a_phone_given_up_cannot_be_confirmed_any_more(portal: Portal, key: str) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")
    await portal.settings.cancel(key)

    with pytest.raises(NoChangeInProgress):
        await portal.settings.confirm_phone(key, code)
    assert [change.sealed for change in await changes_of(portal)] == [""]
    assert (await patient_with(portal)).first_name == "Мария"


async def test_a_second_wish_replaces_the_first(portal: Portal, key: str) -> None:
    first = await ask_for_phone(portal, key, "+79000006002", first_name="Марья")
    second = await ask_for_phone(portal, key)
    if first != second:
        with pytest.raises(CodeMismatch):
            await portal.settings.confirm_phone(key, first)
    saved = await portal.settings.confirm_phone(key, second)

    assert saved.changed == ("phone",)


async def test_a_wish_that_has_to_wait_leaves_the_first_one_in_force(portal: Portal, key: str) -> None:
    await portal.recovery.begin(BORIS, "+79000006002", CALL)
    code = await ask_for_phone(portal, key)
    with pytest.raises(RateLimited):
        await portal.settings.save(signed_in(key), replace(FORM, phone="+79000006002"), CALL)

    assert "phone" in (await portal.settings.confirm_phone(key, code)).changed


async def test_a_change_waits_an_hour(portal: Portal, clock: MovableClock, key: str) -> None:
    await ask_for_phone(portal, key)
    for _ in range(3):
        clock.move(minutes=20)
        await portal.sessions.required(key)

    assert (await portal.settings.current(key)).code is None
    with pytest.raises(NoChangeInProgress):
        await portal.settings.resend(signed_in(key), CALL)


async def test_a_change_of_an_ended_session_is_not_made(portal: Portal, key: str) -> None:
    code = await ask_for_phone(portal, key)
    await portal.login.close_session(key)

    with pytest.raises(NotSignedIn):
        await portal.settings.confirm_phone(key, code)
    assert (await patient_with(portal)).phone == KNOWN


class EndedMeanwhile:
    """The session is open when it is asked for, and is ended elsewhere before anything is saved."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def required(self, session_key: str) -> SignedIn:
        me = await self._portal.sessions.required(session_key)
        await self._portal.login.close_session(session_key)
        return me


@pytest.mark.parametrize(
    "changes",
    [{"first_name": "Марья"}, {"password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD}, {}],
    ids=["name", "password", "nothing"],
)
async def test_a_session_that_ends_while_its_settings_are_being_saved_saves_nothing(
    portal: Portal, key: str, folder: Path, changes: dict[str, str]
) -> None:
    other = token_hash(await sign_in(portal, BORIS))
    before, was = dump(folder), await patient_with(portal)
    with pytest.raises(NoChangeInProgress):
        await replace(portal.settings, sessions=EndedMeanwhile(portal)).save(
            signed_in(key), replace(FORM, **changes), CALL
        )

    assert changed_tables(before, dump(folder)) == {"account_session", "security_journal"}
    assert await patient_with(portal) == was
    assert await portal.login.who(key) is None
    assert await portal.login.who(other) is not None


async def test_a_session_that_ends_while_its_new_phone_is_being_saved_saves_nothing(
    portal: Portal, key: str, folder: Path
) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")
    before, was = dump(folder), await patient_with(portal)
    with pytest.raises(NoChangeInProgress):
        await replace(portal.settings, sessions=EndedMeanwhile(portal)).confirm_phone(key, code)

    assert changed_tables(before, dump(folder)) == {"account_session", "one_time_code", "security_journal"}
    assert await patient_with(portal) == was
    assert await notices_of(portal) == []


async def test_a_change_waits_through_a_kill_between_its_steps(
    portal: Portal, folder: Path, clock: MovableClock, key: str
) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")
    async with opened(folder, clock) as restarted:
        assert (await restarted.settings.current(key)).code is not None
        with pytest.raises(CodeMismatch):
            await restarted.settings.confirm_phone(key, wrong(code))
    async with opened(folder, clock) as again:
        saved = await again.settings.confirm_phone(key, code)

    assert set(saved.changed) == {"first_name", "phone"}


async def test_a_kill_before_the_commit_leaves_the_change_waiting(
    portal: Portal, folder: Path, clock: MovableClock, key: str
) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")

    class Killed:
        """Dies where the change is about to be committed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(portal.database, name)

        async def write(self, act: Callable[[Session], object]) -> object:
            def killed(session: Session) -> object:
                act(session)
                session.flush()
                raise asyncio.CancelledError

            return await portal.database.write(killed)

    with pytest.raises(asyncio.CancelledError):
        await replace(portal.settings, database=Killed()).confirm_phone(key, code)

    async with opened(folder, clock) as restarted:
        assert "phone" in (await restarted.settings.confirm_phone(key, code)).changed


async def test_a_kill_between_the_code_and_the_change_leaves_the_change_waiting_for_another_code(
    portal: Portal, folder: Path, clock: MovableClock, key: str
) -> None:
    code = await ask_for_phone(portal, key, first_name="Марья")

    async def killed(*_: object) -> Saved:
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(portal.settings), "_save", killed)
        with pytest.raises(asyncio.CancelledError):
            await portal.settings.confirm_phone(key, code)

    async with opened(folder, clock) as restarted:
        assert (await patient_with(restarted)).first_name == "Мария"
        assert (await restarted.settings.current(key)).first_name == "Марья"  # waits still
        clock.move(seconds=60)
        await restarted.settings.resend(signed_in(key), CALL)
        saved = await restarted.settings.confirm_phone(key, await last_code(restarted, NEW_PHONE))
    assert set(saved.changed) == {"first_name", "phone"}


async def test_a_way_that_is_switched_off_is_refused_and_nothing_waits(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, code_channels=(ChannelName.TELEGRAM,)) as portal:
        key = token_hash(await sign_in(portal, ANNA))
        with pytest.raises(ChannelUnavailable):
            await portal.settings.save(signed_in(key), replace(FORM, phone=NEW_PHONE), CALL)

        assert await changes_of(portal) == []


# --- e-mail -----------------------------------------------------------------------------------------------------


async def test_saving_once_more_what_waits_changes_nothing_and_asks_for_no_code(portal: Portal, key: str) -> None:
    await ask_for_phone(portal, key, first_name="Марья")
    before = await changes_of(portal)
    view = await portal.settings.current(key)
    form = SettingsForm(view.phone, view.email, view.last_name, view.first_name, "", "")

    assert await portal.settings.save(signed_in(key), form, CALL) == Saved(code_needed=True)
    assert await changes_of(portal) == before


async def test_a_recovery_whose_phone_was_proved_before_sets_no_password_after_one_was_changed_here(
    portal: Portal, key: str
) -> None:
    await prove(portal, BORIS)
    await portal.settings.save(
        signed_in(key), replace(FORM, password=NEW_PASSWORD, password_confirmation=NEW_PASSWORD), CALL
    )
    with pytest.raises(NoRecoveryInProgress):
        await portal.recovery.set_password(BORIS, "DrugoyParol58")

    assert await sign_in(portal, ANNA, KNOWN, NEW_PASSWORD)
