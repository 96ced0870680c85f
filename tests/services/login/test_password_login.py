"""Sign-in: one answer for every failure, tickets good once in one browser, sessions that end."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl import pwhash
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials, InvalidPassword, InvalidPhone
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.services.passwords import hashing
from medonline.storage.queries import patients
from medonline.storage.tables.login import AccountSession, LoginTicket
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    PASSWORD,
    UNKNOWN,
    MovableClock,
    patient_with,
    sign_in,
    statements,
    told_of,
    writes_in,
)


async def test_phone_and_password_open_a_session(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, ANNA, "8 (900) 000-10-01"))

    who = await portal.login.who(key)
    assert who is not None
    assert (who.session_key, who.full_name, who.first_name) == (key, "Иванова Мария Петровна", "Мария")
    assert (who.patronymic, who.authenticated_at) == ("Петровна", clock.now)


@pytest.mark.parametrize(
    ("phone", "password"),
    [(KNOWN, "Zdorovie2027"), (KNOWN, "zdorovie2026"), (KNOWN, f"{PASSWORD}x"), (UNKNOWN, PASSWORD)],
)
async def test_wrong_passwords_and_unknown_phones_get_the_same_answer(
    portal: Portal, phone: str, password: str
) -> None:
    with pytest.raises(InvalidCredentials) as refusal:
        await portal.login.log_in(ANNA, phone, password)

    assert str(refusal.value) == ""


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD}\u00a0\n", f"\u200b{PASSWORD}\u202c"])
async def test_what_is_at_the_ends_of_a_copied_password_is_no_part_of_it(portal: Portal, password: str) -> None:
    assert await portal.login.log_in(ANNA, KNOWN, password)


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize("password", ["Здоровье2026", "rokvu5-Hyzcan-ruqsyd", "Zdorovie 2026", "Zdorovie2026\u200b!"])
async def test_a_password_that_no_account_can_have_is_named_for_any_number_and_costs_no_try(
    portal: Portal, phone: str, password: str
) -> None:
    for _ in range(7):
        with pytest.raises(InvalidPassword) as refusal:
            await portal.login.log_in(ANNA, phone, password)
        assert refusal.value.problems

    assert await portal.login.log_in(ANNA, KNOWN, PASSWORD)


async def test_an_unknown_phone_costs_the_same_work(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cost(phone: str, password: str) -> tuple[list[str], list[bytes]]:
        verified: list[bytes] = []
        real = pwhash.verify

        def verify(encoded: bytes, typed: bytes) -> bool:
            verified.append(encoded.rsplit(b"$", 2)[0])
            return real(encoded, typed)

        monkeypatch.setattr(hashing.pwhash, "verify", verify)
        with statements(portal) as seen, pytest.raises(InvalidCredentials):
            await portal.login.log_in(ANNA, phone, password)
        monkeypatch.setattr(hashing.pwhash, "verify", real)
        return seen, verified

    await sign_in(portal, BORIS)  # the journal's next row follows one that this process wrote
    known, unknown = await cost(KNOWN, "wrong"), await cost(UNKNOWN, "wrong")
    assert known == unknown
    assert len(known[1]) == 1
    # From the second refusal on the journal counts instead of writing a row: for every number alike.
    again = await cost(KNOWN, "wrong")
    assert await cost(UNKNOWN, "wrong") == again
    assert again[1] == known[1]
    assert await cost(KNOWN, "x" * 4096) == again
    assert await cost(UNKNOWN, "x" * 4096) == again


async def test_a_phone_that_is_none_is_refused_before_any_work(portal: Portal) -> None:
    with statements(portal) as seen, pytest.raises(InvalidPhone):
        await portal.login.log_in(ANNA, "8 495 123-45-67", PASSWORD)

    assert seen == []


async def test_an_empty_password_is_named(portal: Portal) -> None:
    with pytest.raises(InvalidPassword):
        await portal.login.log_in(ANNA, KNOWN, "")


async def test_a_longer_password_with_the_right_beginning_is_refused(portal: Portal) -> None:
    long = "a" * 256
    with portal.database.writing() as session:
        patient = patients.by_phone(session, KNOWN)
        assert patient is not None
        patients.set_password(session, patient.id, await portal.hasher.hash(long), portal.clock())

    assert await portal.login.log_in(ANNA, KNOWN, long)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(ANNA, KNOWN, f"{long}a")


async def test_no_token_and_no_ticket_is_kept_in_clear(portal: Portal, folder: Path) -> None:
    ticket = await portal.login.log_in(ANNA, KNOWN, PASSWORD)
    opened = await portal.login.open_session(ANNA, ticket)
    assert opened is not None
    token = opened.token
    with portal.database.reading() as session:
        kept = str(session.exec(select(LoginTicket)).all()) + str(session.exec(select(AccountSession)).all())

    assert token_hash(ticket) in kept
    assert token_hash(token) in kept
    for secret in (ticket, token):
        assert all(secret.encode() not in file.read_bytes() for file in folder.iterdir() if file.is_file())


# --- sessions ---------------------------------------------------------------------------------------------------


async def test_a_session_idles_out_after_half_an_hour(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    clock.move(minutes=29, seconds=59)
    assert await portal.login.who(key) is not None
    clock.move(minutes=29, seconds=59)
    assert await portal.login.who(key) is not None  # the last look was use
    clock.move(minutes=30)

    assert await portal.login.who(key) is None


async def test_a_session_in_use_ends_after_twelve_hours(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    for _ in range(47):
        clock.move(minutes=15)
        assert await portal.login.who(key) is not None
    clock.move(minutes=15)

    assert await portal.login.who(key) is None


async def test_use_is_noted_at_most_twice_a_minute(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    with statements(portal) as seen:
        for _ in range(60):
            clock.move(seconds=1)
            await portal.login.who(key)

    assert len(writes_in(seen)) == 1


async def test_an_unknown_key_is_nobody(portal: Portal) -> None:
    assert await portal.login.who(token_hash(new_token())) is None
    assert await portal.login.who("") is None


async def test_the_token_itself_is_no_key(portal: Portal) -> None:
    assert await portal.login.who(await sign_in(portal, ANNA)) is None


async def test_closing_ends_this_session_only_and_tells_its_sockets(portal: Portal) -> None:
    told = told_of(portal, "session")
    annas, boris = token_hash(await sign_in(portal, ANNA)), token_hash(await sign_in(portal, BORIS))
    await portal.login.close_session(annas)
    await portal.login.close_session(annas)

    assert await portal.login.who(annas) is None
    assert await portal.login.who(boris) is not None
    assert told == [annas, annas]


async def test_a_hash_with_old_parameters_is_made_anew_at_sign_in(portal: Portal) -> None:
    weak = pwhash.argon2id.str(PASSWORD.encode(), opslimit=1, memlimit=8192 * 1024).decode()
    with portal.database.writing() as session:
        patient = patients.by_phone(session, KNOWN)
        assert patient is not None
        patients.replace_hash(session, patient.id, patient.password_hash or "", weak)
    await sign_in(portal, ANNA)

    fresh = (await patient_with(portal)).password_hash
    assert fresh is not None
    assert fresh != weak
    assert not portal.hasher.is_outdated(fresh)
    assert await sign_in(portal, ANNA)
