"""Kind 8: passwords as browsers and keyboards make, keep and type them. What a browser does on the page is in `tests/e2e/`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials, InvalidFields, InvalidPassword, PasswordProblem
from medonline.services.crypto.tokens import token_hash
from medonline.wording.errors import sentence
from tests.services.account_settings.saving import FORM
from tests.services.world import ANNA, CALL, KNOWN, PASSWORD, UNKNOWN, MovableClock, opened, prove, sign_in, signed_in

SAFARI = "rokvu5-Hyzcan-ruqsyd"
# Who made it, the password, and what is named where only letters and digits are allowed; empty: it is taken.
MADE = [
    ("Safari", SAFARI, "«-»"),
    ("Safari, following passwordrules", "cuvpyRnidbo5hefkaz", ""),
    ("Chrome", "dR7h_uQ2x!WmZ9p", "«_» и «!»"),
    ("Chrome without signs", "dR7huQ2xWmZ9pLk", ""),
    ("Firefox", "Tq4vZJ8mXc2RbNe", ""),
    ("Bitwarden, words", "Kettle7-Orbit-Plaid", "«-»"),
    ("KeePass", 'x}T4"q~G8#vL', '«}», «"» и «~»'),
    ("1Password, words with spaces", "kettle orbit Plaid 7", "пробел"),
    ("a keyboard with a space behind", "KorablLipa47 ", ""),
    ("a keyboard with a space before", " KorablLipa47", ""),
    ("a messenger", "\u202aKorablLipa47\u202c", ""),
    ("a note with a new line", "KorablLipa47\n", ""),
    ("a note with a space inside", "Korabl Lipa 47", "пробел"),
    ("a joiner inside", "Korabl\u200bLipa47", "невидимый знак"),
]
TAKEN = [(source, password) for source, password, named in MADE if not named]


@pytest.fixture
async def signs_allowed(folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    async with opened(folder, clock, password_characters="ascii") as portal:
        yield portal


async def set_in_settings(portal: Portal, password: str) -> tuple[str, ...]:
    key = token_hash(await sign_in(portal, ANNA))
    form = replace(FORM, password=password, password_confirmation=password)
    return (await portal.settings.save(signed_in(key), form, CALL)).changed


@pytest.mark.parametrize(("source", "password", "named"), [one for one in MADE if one[2]], ids=ascii)
async def test_a_refusal_names_the_sign_that_is_in_the_way(
    portal: Portal, source: str, password: str, named: str
) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await set_in_settings(portal, password)
    error = refusal.value.by_field["password"]

    assert isinstance(error, InvalidPassword)
    assert sentence(error).startswith(f"Вы ввели {named}. ")


@pytest.mark.parametrize(("source", "password"), TAKEN, ids=ascii)
async def test_what_fits_is_taken_and_signs_in_as_it_was_copied_and_as_it_looks(
    portal: Portal, source: str, password: str
) -> None:
    assert await set_in_settings(portal, password) == ("password_hash",)

    assert await portal.login.log_in(ANNA, KNOWN, password)
    assert await portal.login.log_in(ANNA, KNOWN, password.strip(" \n\u202a\u202c"))
    assert await portal.login.log_in(ANNA, KNOWN, f"{password.strip()}\u00a0 ")


@pytest.mark.parametrize(("source", "password"), TAKEN, ids=ascii)
async def test_a_recovery_takes_the_same(portal: Portal, source: str, password: str) -> None:
    await prove(portal, ANNA)
    await portal.recovery.set_password(ANNA, password)

    assert await portal.login.log_in(ANNA, KNOWN, f" {password}")


@pytest.mark.parametrize("password", [one for _, one, _ in MADE if "\u200b" not in one], ids=ascii)
async def test_with_all_of_ascii_every_one_of_them_is_taken(signs_allowed: Portal, password: str) -> None:
    assert await set_in_settings(signs_allowed, password) == ("password_hash",)
    assert await signs_allowed.login.log_in(ANNA, KNOWN, f"{password}\n")


@pytest.mark.parametrize("password", ["ключ-Rokvu5", "café-Rokvu5", "Rokvu5😀hyz", "Korabl\u200bLipa47"], ids=ascii)
async def test_all_of_ascii_is_no_more_than_that(signs_allowed: Portal, password: str) -> None:
    with pytest.raises(InvalidFields):
        await set_in_settings(signs_allowed, password)


# At sign-in.

IMPOSSIBLE = [
    ("kept by Safari although it was refused", SAFARI, PasswordProblem.FORBIDDEN_CHARACTERS),
    ("Russian layout", "Яврожму2026", PasswordProblem.CYRILLIC_LAYOUT),
    ("a Cyrillic letter in a Latin word", "Zdоrovie2026", PasswordProblem.CYRILLIC_LAYOUT),
    ("a space inside", "Zdorovie 2026", PasswordProblem.FORBIDDEN_CHARACTERS),
    ("full width", "Ｚｄｏｒｏｖｉｅ２０２６", PasswordProblem.FORBIDDEN_CHARACTERS),
    ("a mark inside", "Zdorovie\u200b2026", PasswordProblem.FORBIDDEN_CHARACTERS),
    ("spaces only", " \u00a0", PasswordProblem.EMPTY),
]


@pytest.mark.parametrize("phone", [KNOWN, UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize(("source", "typed", "problem"), IMPOSSIBLE, ids=ascii)
async def test_a_spelling_that_no_password_has_costs_none_of_five_tries(
    portal: Portal, phone: str, source: str, typed: str, problem: PasswordProblem
) -> None:
    for _ in range(6):
        with pytest.raises(InvalidPassword) as refusal:
            await portal.login.log_in(ANNA, phone, typed)
        assert refusal.value.problems == (problem,)

    assert await portal.login.log_in(ANNA, KNOWN, PASSWORD)


async def test_a_sign_that_a_password_may_have_is_compared_and_counted(signs_allowed: Portal) -> None:
    with pytest.raises(InvalidCredentials):
        await signs_allowed.login.log_in(ANNA, KNOWN, SAFARI)


async def test_typed_again_inside_the_account_it_is_read_alike(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    clock.move(minutes=20)
    for _ in range(6):
        with pytest.raises(InvalidPassword):
            await portal.sessions.prove_again(signed_in(key), SAFARI)
    await portal.sessions.prove_again(signed_in(key), f"{PASSWORD} ")
