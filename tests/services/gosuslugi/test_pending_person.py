"""A person who is not known waits, answers, and proves an old account by its password or a code."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import (
    AccountOfAnother,
    CodeExpired,
    CodeMismatch,
    CodeUsedUp,
    IdentityProblem,
    IdentityRefused,
    InvalidCredentials,
    InvalidPhone,
    NoPendingIdentity,
    RateLimited,
)
from medonline.domain.login import Landing
from medonline.domain.personal_data_consent import VERSION
from medonline.services.gosuslugi.login import Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.storage.tables.gosuslugi import LinkedIdentity, PendingIdentity, PersonalDataConsent
from medonline.storage.tables.login import AccountSession
from tests.services.gosuslugi.journeys import MARIA, all_of, patient_of, session_of, set_facts
from tests.services.outside import (
    MOBILE,
    OTHER_SNILS,
    POLICY,
    SNILS,
    VERA,
    arrive,
    changed_tables,
    come_back,
    dump,
    is_at_rest,
    leave,
)
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    last_code,
    opened,
    patient_with,
    wrong,
)


async def test_a_stranger_waits_for_consent_sealed(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    assert await arrive(portal, ANNA) is Waiting.CONSENT

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert (view.waits_for, view.full_name, view.birth_date) == (
        Waiting.CONSENT,
        "Воробьёва Вера Львовна",
        "29.02.1984",
    )
    assert view.phone.endswith("01")
    assert MOBILE not in view.phone
    assert changed_tables(before, dump(folder)) == {"identity_journey", "pending_identity"}
    for secret in (
        "Воробьёва",
        "Вера",
        "Львовна",
        SNILS,
        "112-233-445 95",
        MOBILE,
        MOBILE[2:],
        "vera@",
        POLICY,
        "1984-02",  # the year alone may be in any key written in hex
        "02.1984",
    ):
        assert not is_at_rest(folder, secret)


async def test_whoever_waits_waits_through_a_restart(portal: Portal, folder: Path, clock: MovableClock) -> None:
    await arrive(portal, ANNA)
    async with opened(folder, clock) as restarted:
        ticket = await restarted.answers.consent(ANNA)

    assert await session_of(portal, ANNA, ticket)


async def test_after_a_change_of_the_key_nobody_waits_any_more(
    portal: Portal, folder: Path, clock: MovableClock
) -> None:
    await arrive(portal, ANNA)
    async with opened(folder, clock, secret_key="another key of more than thirty-two characters") as restarted:
        assert await restarted.answers.current(ANNA) is None
        with pytest.raises(NoPendingIdentity):
            await restarted.answers.consent(ANNA)


@pytest.mark.parametrize(("seconds", "good"), [(899, True), (900, False)])
async def test_whoever_waits_waits_a_quarter_of_an_hour(
    portal: Portal, clock: MovableClock, seconds: int, good: bool
) -> None:
    await arrive(portal, ANNA)
    clock.move(seconds=seconds)

    assert (await portal.answers.current(ANNA) is not None) is good
    if good:
        assert await portal.answers.consent(ANNA)
    else:
        with pytest.raises(NoPendingIdentity):
            await portal.answers.consent(ANNA)


async def test_without_anybody_waiting_no_answer_is_taken(portal: Portal, folder: Path) -> None:
    before = dump(folder)
    answers = portal.answers
    for visitor in (ANNA, Client()):
        for answer in (
            answers.consent(visitor),
            answers.not_mine(visitor),
            answers.have_account(visitor),
            answers.prove_by_password(visitor, KNOWN, PASSWORD),
            answers.send_code(visitor, KNOWN, CALL),
            answers.confirm_code(visitor, "0000"),
        ):
            with pytest.raises(NoPendingIdentity):
                await answer

    assert dump(folder) == before


async def test_the_password_of_the_old_account_links_it(portal: Portal) -> None:
    assert await arrive(portal, ANNA, MARIA, Purpose.SETTINGS) is Waiting.PROOF
    ticket = await portal.answers.prove_by_password(ANNA, "8 (900) 000-10-01", PASSWORD)
    session = await session_of(portal, ANNA, ticket)

    assert session.landing is Landing.SETTINGS
    assert (await patient_of(portal, session.token)).phone == KNOWN
    assert [link.how for link in await all_of(portal, LinkedIdentity)] == ["password"]
    assert await portal.answers.current(ANNA) is None
    assert isinstance(await arrive(portal, BORIS, MARIA), OpenedSession)


@pytest.mark.parametrize(("phone", "password"), [(KNOWN, "wrong"), (UNKNOWN, PASSWORD)])
async def test_a_wrong_password_links_nothing_and_may_be_tried_again(portal: Portal, phone: str, password: str) -> None:
    await arrive(portal, ANNA, MARIA)
    with pytest.raises(InvalidCredentials):
        await portal.answers.prove_by_password(ANNA, phone, password)

    assert await all_of(portal, LinkedIdentity) == []
    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_code_to_the_old_accounts_phone_links_it(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    session = await session_of(portal, ANNA, await portal.answers.confirm_code(ANNA, await last_code(portal)))

    patient = await patient_of(portal, session.token)
    assert (patient.phone, patient.phone_proved_at) == (KNOWN, clock.now)
    assert [link.how for link in await all_of(portal, LinkedIdentity)] == ["code"]


async def test_a_screen_that_follows_the_code_is_told_that_the_person_is_in(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    waiting = await portal.answers.current(ANNA)
    assert waiting is not None
    assert waiting.code is not None
    with closing(portal.database.changes.listen(waiting.code.topic)) as ear:
        assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)

        assert ear.has_heard
    assert await portal.answers.current(ANNA) is None


async def test_three_misses_end_the_code_and_the_right_one_comes_too_late(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    code = await last_code(portal)
    left = []
    for by in (1, 2, 3):
        with pytest.raises(CodeMismatch) as miss:
            await portal.answers.confirm_code(ANNA, wrong(code, by))
        left.append(miss.value.attempts_left)

    assert left == [2, 1, 0]
    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(ANNA, code)
    assert await all_of(portal, LinkedIdentity) == []
    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)  # the other proof is still open


async def test_a_late_code_links_nothing(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    clock.move(minutes=5)

    with pytest.raises(CodeExpired):
        await portal.answers.confirm_code(ANNA, await last_code(portal))


async def test_a_code_before_any_was_sent_is_refused(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)

    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(ANNA, "0000")
    with pytest.raises(InvalidPhone):
        await portal.answers.send_code(ANNA, "", CALL)


async def test_a_code_of_a_recovery_proves_nothing_here_nor_the_other_way_round(
    portal: Portal, clock: MovableClock
) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.recovery.begin(ANNA, KNOWN, CALL)
    of_recovery = await last_code(portal)
    clock.move(seconds=60)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    of_proof = await last_code(portal)
    if of_recovery != of_proof:
        with pytest.raises(CodeMismatch):
            await portal.answers.confirm_code(ANNA, of_recovery)

    with pytest.raises(CodeUsedUp):
        await portal.recovery.confirm_code(ANNA, of_proof)


async def test_the_code_of_one_browser_proves_nothing_in_another(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, BORIS, replace(MARIA, subject="9"))
    await portal.answers.send_code(ANNA, KNOWN, CALL)

    with pytest.raises(CodeUsedUp):
        await portal.answers.confirm_code(BORIS, await last_code(portal))


async def test_a_code_to_ones_own_phone_does_not_prove_another(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, UNKNOWN, CALL)
    own = await last_code(portal)
    clock.move(seconds=1)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    if own != await last_code(portal):
        with pytest.raises(CodeMismatch):
            await portal.answers.confirm_code(ANNA, own)

    assert await all_of(portal, LinkedIdentity) == []


async def test_a_number_that_has_to_wait_leaves_the_proof_on_the_number_before(
    portal: Portal, clock: MovableClock
) -> None:
    await portal.recovery.begin(BORIS, OTHER_KNOWN, CALL)
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    code = await last_code(portal, KNOWN)
    with pytest.raises(RateLimited):
        await portal.answers.send_code(ANNA, OTHER_KNOWN, CALL)

    session = await session_of(portal, ANNA, await portal.answers.confirm_code(ANNA, code))
    assert (await patient_of(portal, session.token)).phone == KNOWN


async def test_the_code_is_sent_again_to_the_same_number(portal: Portal, clock: MovableClock) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    clock.move(seconds=30)
    with pytest.raises(RateLimited):
        await portal.answers.send_code(ANNA, "", CALL)
    clock.move(seconds=30)
    await portal.answers.send_code(ANNA, "", CALL)

    assert await portal.answers.confirm_code(ANNA, await last_code(portal, KNOWN))


async def test_a_number_without_an_account_leads_to_consent(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.send_code(ANNA, UNKNOWN, CALL)

    assert await portal.answers.confirm_code(ANNA, await last_code(portal)) == ""
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.CONSENT
    session = await session_of(portal, ANNA, await portal.answers.consent(ANNA))
    assert (await patient_of(portal, session.token)).phone is None  # KNOWN stays with its account


async def test_known_and_unknown_numbers_cannot_be_told_apart_before_the_code(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, BORIS, MARIA)
    await portal.answers.send_code(ANNA, OTHER_KNOWN, CALL)
    await portal.answers.send_code(BORIS, UNKNOWN, CALL)
    views = [await portal.answers.current(visitor) for visitor in (ANNA, BORIS)]

    shown = [replace(view.code, phone="", topic="") for view in views if view is not None and view.code is not None]
    assert len(shown) == 2
    assert shown[0] == shown[1]


async def test_another_persons_account_is_refused_whatever_proves_it(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, birth_date=date(1990, 1, 1)))
    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await portal.answers.send_code(ANNA, KNOWN, CALL)
    with pytest.raises(AccountOfAnother):
        await portal.answers.confirm_code(ANNA, await last_code(portal))

    assert await all_of(portal, LinkedIdentity) == []
    assert await all_of(portal, AccountSession) == []
    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.PROOF


async def test_without_birth_dates_another_first_name_is_another_person(portal: Portal) -> None:
    await set_facts(portal, birth_date=None)
    await arrive(portal, ANNA, replace(MARIA, first_name="Олег"))

    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_changed_last_name_does_not_keep_the_old_account_away(portal: Portal) -> None:
    await arrive(portal, ANNA, replace(MARIA, last_name="Сидорова"))

    assert await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)


async def test_a_second_identity_of_the_same_issuer_is_refused_even_with_the_password(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    await portal.answers.prove_by_password(ANNA, KNOWN, PASSWORD)
    await arrive(portal, BORIS, replace(MARIA, subject="9", snils=OTHER_SNILS))

    with pytest.raises(AccountOfAnother):
        await portal.answers.prove_by_password(BORIS, KNOWN, PASSWORD)
    assert len(await all_of(portal, LinkedIdentity)) == 1


async def test_not_mine_without_consent_asks_for_it_next(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    assert await portal.answers.not_mine(ANNA) == ""

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert view.waits_for is Waiting.CONSENT
    assert await all_of(portal, PersonalDataConsent) == []


async def test_not_mine_with_consent_makes_a_new_account_and_leaves_the_old_one_alone(portal: Portal) -> None:
    old = await patient_with(portal)
    await arrive(portal, ANNA, MARIA, consent=VERSION)
    session = await session_of(portal, ANNA, await portal.answers.not_mine(ANNA))

    new = await patient_of(portal, session.token)
    assert new.id != old.id
    assert new.phone is None
    assert await patient_with(portal) == old
    assert len(await all_of(portal, PersonalDataConsent)) == 1


async def test_an_answer_to_the_other_question_is_refused(portal: Portal) -> None:
    await arrive(portal, ANNA, MARIA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.consent(ANNA)
    await arrive(portal, ANNA, VERA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.not_mine(ANNA)

    await portal.answers.have_account(ANNA)
    with pytest.raises(NoPendingIdentity):
        await portal.answers.consent(ANNA)


async def test_two_windows_that_come_back_unknown_leave_one_person_waiting(portal: Portal) -> None:
    states = [await leave(portal, ANNA) for _ in range(2)]
    earlier, later = await asyncio.gather(
        *(come_back(portal, ANNA, state, VERA) for state in states), return_exceptions=True
    )

    assert isinstance(earlier, IdentityRefused)
    assert earlier.problem is IdentityProblem.STALE
    assert later is Waiting.CONSENT
    assert len(await all_of(portal, PendingIdentity)) == 1


async def test_the_person_who_came_back_last_is_the_one_who_waits(portal: Portal) -> None:
    await arrive(portal, ANNA, VERA)
    await arrive(portal, ANNA, replace(VERA, subject="8", first_name="Нина", snils="", phone=""))

    view = await portal.answers.current(ANNA)
    assert view is not None
    assert "Нина" in view.full_name


async def test_a_waiting_person_is_forgotten_when_somebody_known_signs_in(portal: Portal) -> None:
    await arrive(portal, BORIS, consent=VERSION)
    await arrive(portal, ANNA, MARIA)
    await arrive(portal, ANNA, VERA)

    assert await portal.answers.current(ANNA) is None
