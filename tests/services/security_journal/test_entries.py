"""What is written down of each event, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import BirthDateMismatch, CodeMismatch, InvalidCredentials
from medonline.domain.personal_data_consent import VERSION
from medonline.domain.security_journal import JournalEvent as Event
from medonline.domain.security_journal import details_of
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.services.login.password_login import OpenedSession
from tests.services.outside import VERA, arrive
from tests.services.security_journal.rows import NEW_PASSWORD, PHONE_OF_ANNA, is_whole, last, rows
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
    at,
    browser,
    last_code,
    opened,
    patient_with,
    prove,
    sign_in,
    signed_in,
    wrong,
)


async def news(portal: Portal, since: int) -> list[tuple[str, dict[str, str | int]]]:
    """What was written after a row."""
    return [(row.event, details_of(row.details)) for row in await rows(portal) if row.seq > since]


async def test_a_sign_in_and_its_end_are_written_down(portal: Portal) -> None:
    patient, before = await patient_with(portal), await last(portal)
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    assert await news(portal, before) == []  # not signed in yet: the ticket may never be traded
    session = await portal.login.open_session(replace(ANNA, device=PHONE_OF_ANNA), ticket)
    assert session is not None
    await portal.login.close_session(token_hash(session.token))
    await portal.login.close_session(token_hash(session.token))  # ends nothing

    assert await news(portal, before) == [
        (Event.SIGNED_IN, {"method": "password", "device": "Chrome, Android"}),
        (Event.SIGNED_OUT, {"device": "Chrome, Android"}),
    ]
    new = [row for row in await rows(portal) if row.seq > before]
    assert {(row.patient_id, row.network) for row in new} == {(patient.id, "203.0.113.x")}
    assert await is_whole(portal)


async def test_a_recovery_is_written_down_from_the_code_to_the_password(portal: Portal) -> None:
    patient, before = await patient_with(portal), await last(portal)
    await sign_in(portal, BORIS)
    await portal.recovery.begin(at(ANNA, "198.51.100.7"), KNOWN, CALL)
    code = await last_code(portal)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))
    await portal.recovery.confirm_code(ANNA, code)
    await portal.recovery.set_password(replace(ANNA, device=PHONE_OF_ANNA), NEW_PASSWORD)
    await portal.recovery.set_password(replace(ANNA, device=PHONE_OF_ANNA), NEW_PASSWORD)  # submitted twice

    code_facts = {"channel": "flash_call", "purpose": "password_recovery"}
    assert (await news(portal, before))[1:] == [
        (Event.CODE_ASKED, code_facts),
        (Event.CODE_REFUSED, code_facts),
        (Event.CODE_ACCEPTED, code_facts),
        (Event.PASSWORD_RECOVERED, {"channel": "flash_call", "sessions": 1, "device": "Chrome, Android"}),
    ]
    asked, refused, accepted, recovered = [row for row in await rows(portal) if row.seq > before][1:]
    assert (asked.patient_id, asked.network, asked.phone_tail) == ("", "198.51.100.x", "01")
    assert asked.phone_index == refused.phone_index == accepted.phone_index == recovered.phone_index
    assert recovered.patient_id == patient.id


async def test_settings_are_written_down_one_row_for_each_kind(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    other = token_hash(await sign_in(portal, BORIS))
    before = await last(portal)
    form = SettingsForm(KNOWN, "m@example.ru", "Иванова", "Марья", NEW_PASSWORD, NEW_PASSWORD)
    await portal.settings.save(signed_in(key), form, CALL)
    await portal.settings.save(
        signed_in(key), replace(form, password="", password_confirmation=""), CALL
    )  # nothing new
    assert await portal.login.who(other) is None

    assert sorted(await news(portal, before)) == [
        (Event.EMAIL_CHANGED, {}),
        (Event.NAME_CHANGED, {}),
        (Event.PASSWORD_CHANGED, {"sessions": 1}),
    ]


async def test_a_new_phone_is_written_down_when_it_is_proved_with_the_end_of_the_old_one(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    before = await last(portal)
    await portal.settings.save(signed_in(key), SettingsForm(UNKNOWN, "", "Иванова", "Мария", "", ""), TELEGRAM)
    await portal.settings.confirm_phone(key, await last_code(portal, UNKNOWN))

    assert await news(portal, before) == [
        (Event.CODE_ASKED, {"channel": "telegram", "purpose": "account_phone"}),
        (Event.CODE_ACCEPTED, {"channel": "telegram", "purpose": "account_phone"}),
        (Event.PHONE_CHANGED, {"old_tail": KNOWN[-2:]}),
    ]


async def test_a_registration_is_written_down_with_its_consent(portal: Portal) -> None:
    before = await last(portal)
    assert isinstance(await arrive(portal, ANNA, consent=VERSION), OpenedSession)
    assert isinstance(await arrive(portal, BORIS), OpenedSession)

    where = {"device": "Firefox, Linux"}
    assert await news(portal, before) == [
        (Event.CONSENT_GIVEN, {"version": VERSION, **where}),
        (Event.REGISTERED, where),
        (Event.SIGNED_IN, {"method": "gosuslugi", **where}),
        (Event.SIGNED_IN, {"method": "gosuslugi", **where}),
    ]


async def test_a_link_by_proof_is_written_down(portal: Portal) -> None:
    await arrive(
        portal, ANNA, replace(VERA, phone=KNOWN, birth_date=None, snils="", last_name="Иванова", first_name="Мария")
    )
    before = await last(portal)
    await portal.answers.prove_by_password(replace(ANNA, device=PHONE_OF_ANNA), KNOWN, PASSWORD)

    assert await news(portal, before) == [(Event.IDENTITY_LINKED, {"how": "password", "device": "Chrome, Android"})]


async def test_a_link_by_rule_is_written_down(portal: Portal) -> None:
    patient = await patient_with(portal, OTHER_KNOWN)
    same = replace(
        VERA,
        phone=OTHER_KNOWN,
        snils="",
        birth_date=patient.birth_date,
        last_name=patient.last_name,
        first_name=patient.first_name,
    )
    before = await last(portal)
    assert isinstance(await arrive(portal, ANNA, same), OpenedSession)

    events = [event for event, _ in await news(portal, before)]
    assert events == [Event.IDENTITY_LINKED, Event.SIGNED_IN]


async def test_ending_sessions_and_proving_again_are_written_down(portal: Portal) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    for visitor in (BORIS, browser(3)):
        await sign_in(portal, visitor)
    before = await last(portal)
    one = next(view for view in await portal.sessions.everywhere(key) if not view.mine)
    await portal.sessions.end(key, one.number)
    await portal.sessions.end(key, one.number)  # ended already
    await portal.sessions.end_others(key)
    await portal.sessions.end_others(key)  # no one left
    with pytest.raises(InvalidCredentials):
        await portal.sessions.prove_again(signed_in(key), "NotMyPassword1")
    await portal.sessions.prove_again(signed_in(key), PASSWORD)

    assert await news(portal, before) == [
        (Event.SESSION_ENDED, {}),
        (Event.OTHER_SESSIONS_ENDED, {"sessions": 1}),
        (Event.SIGN_IN_REFUSED, {}),
        (Event.REAUTHENTICATED, {}),
    ]


async def test_wrong_birth_dates_are_written_down(folder: Path, clock: MovableClock) -> None:
    async with opened(folder, clock, step_up="always") as portal:
        for visitor, phone in ((ANNA, KNOWN), (BORIS, UNKNOWN)):
            before = await last(portal)
            await prove(portal, visitor, phone)
            with pytest.raises(BirthDateMismatch):
                await portal.recovery.confirm_birth_date(visitor, "01.01.1990")
            events = [event for event, _ in await news(portal, before)]
            assert events == [Event.CODE_ASKED, Event.CODE_ACCEPTED, Event.BIRTH_DATE_REFUSED]


async def test_the_same_identity_proved_twice_is_one_link_and_one_row(portal: Portal) -> None:
    same = replace(VERA, phone=KNOWN, birth_date=None, snils="", last_name="Иванова", first_name="Мария")
    for visitor in (ANNA, BORIS):
        await arrive(portal, visitor, same)
    before = await last(portal)
    for visitor in (ANNA, BORIS):
        await portal.answers.prove_by_password(visitor, KNOWN, PASSWORD)

    assert [event for event, _ in await news(portal, before)] == [Event.IDENTITY_LINKED]
