"""Passwords of 4 kB, emoji, decomposed letters, NUL: compared whole or refused by name, in sign-in, recovery and settings."""

from __future__ import annotations

import json
import unicodedata

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials, InvalidFields, InvalidPassword, PasswordProblem
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.account_settings.form import SettingsForm
from medonline.services.crypto.tokens import token_hash
from medonline.wording.errors import SOMETHING_WRONG
from tests.e2e.server import Server
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    PASSWORD,
    MovableClock,
    patient_with,
    prove,
    sign_in,
    signed_in,
)
from tests.state.tab import FAILURE, LOGIN, NAMESPACE, Tab
from tests.state.watching import log_of, new_tab, record

NFD = unicodedata.normalize("NFD", "ЁжикЙод2026")
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
# What is typed, and what is wrong with it as a new password.
ODD = {
    "4 kB": ("aB3" * 1365 + "z", PasswordProblem.TOO_LONG),
    "64 kB": ("aB3" * 21_845, PasswordProblem.TOO_LONG),
    "emoji": (FAMILY * 8, PasswordProblem.FORBIDDEN_CHARACTERS),
    "letters and emoji": (f"KorablLipa47{FAMILY}", PasswordProblem.FORBIDDEN_CHARACTERS),
    "NFD": (NFD, PasswordProblem.CYRILLIC_LAYOUT),
    "NFD of Latin": ("Cafe\u0301KorablLipa", PasswordProblem.FORBIDDEN_CHARACTERS),
    "NUL": ("Korabl\x00Lipa47", PasswordProblem.FORBIDDEN_CHARACTERS),
    "NUL at the end": ("KorablLipa47\x00", PasswordProblem.FORBIDDEN_CHARACTERS),
    "line feed": ("Korabl\r\nLipa47", PasswordProblem.FORBIDDEN_CHARACTERS),
    "escape": ("\x1b[31mKorablLipa47", PasswordProblem.FORBIDDEN_CHARACTERS),
    "right to left": ("Korabl\u202eLipa47", PasswordProblem.FORBIDDEN_CHARACTERS),
    "full width": ("ＫｏｒａｂｌＬｉｐａ４７", PasswordProblem.FORBIDDEN_CHARACTERS),
    "spaces": ("Korabl Lipa 47", PasswordProblem.FORBIDDEN_CHARACTERS),
}
odd = pytest.mark.parametrize(("typed", "problem"), ODD.values(), ids=ODD)
# Around the right password: each must be compared whole, no byte of it may end the comparison.
AROUND = ["{}\x00", "{}\x00anything", "\x00{}", "{} a", "a {}", "{}\na", "{}" + FAMILY, "{}\u0301", "{}" + "a" * 4096]
# What a copied password brings along at its ends, which are trimmed.
AT_ENDS = ["{} ", " {}", "{}\r\n", "\u202e{}", "\u2066{}\u2069", "\ufeff{}\u00a0"]


@odd
async def test_a_recovery_refuses_it_by_name_and_stays_at_its_step(
    portal: Portal, typed: str, problem: PasswordProblem
) -> None:
    await prove(portal, ANNA)
    before = (await patient_with(portal)).password_hash
    with pytest.raises(InvalidPassword) as refusal:
        await portal.recovery.set_password(ANNA, typed)
    view = await portal.recovery.current(ANNA)

    assert problem in refusal.value.problems
    assert typed not in str(refusal.value)
    assert view is not None
    assert view.step is RecoveryStep.NEW_PASSWORD
    assert (await patient_with(portal)).password_hash == before


@odd
async def test_the_settings_refuse_it_by_name_and_save_nothing(
    portal: Portal, typed: str, problem: PasswordProblem
) -> None:
    key = token_hash(await sign_in(portal, ANNA))
    before = await patient_with(portal)
    with pytest.raises(InvalidFields) as refusal:
        await portal.settings.save(signed_in(key), SettingsForm(KNOWN, "", "Иванова", "Марья", typed, typed), CALL)
    error = refusal.value.by_field["password"]

    assert isinstance(error, InvalidPassword)
    assert problem in error.problems
    assert await patient_with(portal) == before


async def test_none_signs_in_or_proves_who_one_is(portal: Portal, clock: MovableClock) -> None:
    key = token_hash(await sign_in(portal, BORIS))
    for typed in [typed for typed, _ in ODD.values()] + [around.format(PASSWORD) for around in AROUND]:
        for attempt in (portal.login.log_in(ANNA, KNOWN, typed), portal.sessions.prove_again(signed_in(key), typed)):
            with pytest.raises((InvalidCredentials, InvalidPassword)):
                await attempt
        clock.move(minutes=4)  # within the limits of sign-in
        assert await portal.login.who(key) is not None

    assert await portal.login.log_in(ANNA, KNOWN, PASSWORD)


@pytest.mark.parametrize("around", AT_ENDS)
async def test_what_is_around_a_copied_password_is_no_part_of_it(portal: Portal, around: str) -> None:
    key = token_hash(await sign_in(portal, BORIS, KNOWN, around.format(PASSWORD)))

    await portal.sessions.prove_again(signed_in(key), around.format(PASSWORD))


async def test_letters_typed_composed_or_decomposed_are_refused_alike_and_cost_no_attempt(portal: Portal) -> None:
    """Two keyboards write it in two ways."""
    composed = unicodedata.normalize("NFC", NFD)
    assert composed != NFD
    for typed in (composed, NFD, composed.casefold()) * 5:
        with pytest.raises(InvalidPassword) as refusal:
            await portal.login.log_in(ANNA, KNOWN, typed)
        assert refusal.value.problems == (PasswordProblem.CYRILLIC_LAYOUT,)

    assert await portal.login.log_in(ANNA, KNOWN, PASSWORD)


def test_over_the_wire_each_is_answered_with_a_sentence_and_stays_out_of_the_log(server: Server) -> None:
    before, logged = record(server), len(log_of(server))
    # A frame takes 64 KB; half a character reaches the server as JSON writes it.
    values = [typed for name, (typed, _) in ODD.items() if name != "64 kB"] + ["\ud800", "KorablLipa47\ud83d"]
    sentences = set()
    with new_tab(server) as tab:
        for typed in values:
            payload = {"form": {"phone": KNOWN, "password": typed, "page": "p"}}
            event = {"name": f"{LOGIN}.log_in", "payload": payload, "router_data": {"pathname": "/"}}
            tab.send_raw(f"42{NAMESPACE},{json.dumps(['event', event])}")
            sentences.add(answer_to(tab))
        said = "".join(tab.said)

    assert record(server) == before
    assert len(sentences) > 1
    assert all(sentence.strip() for sentence in sentences)
    assert SOMETHING_WRONG not in said
    news = log_of(server)[logged:]
    assert "A handler failed" not in news
    assert "Korabl" not in news + said


def answer_to(tab: Tab) -> str:
    """The sentence of the sign-in form."""
    while True:
        sent = tab.next_delta()
        assert "text_rx_state_" not in sent.get(FAILURE, {}) or not sent[FAILURE]["text_rx_state_"]
        text = sent.get(LOGIN, {}).get("error_rx_state_", "")
        if text:
            return str(text)
