"""A patient's own passkeys: added after a fresh proof and told of, listed, named, removed; offered once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.device import Device as Browser
from medonline.domain.errors import (
    NoSuchPasskey,
    NotSignedIn,
    PasskeyAlreadyAdded,
    PasskeyLate,
    PasskeyNotVerified,
    ReauthenticationNeeded,
    TooManyPasskeys,
)
from medonline.domain.passkeys import MOST_NAME, MOST_PASSKEYS
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from tests.services.notices.phone import told
from tests.services.passkeys.device import Device, add, log_in
from tests.services.passkeys.owners import events, rows, signed_in
from tests.services.strangers import NEW_PASSWORD, recover
from tests.services.world import ANNA, BORIS, KNOWN, OTHER_KNOWN, MovableClock


async def test_a_new_passkey_is_told_and_written_down(portal: Portal) -> None:
    inside = await signed_in(portal, replace(ANNA, device=Browser("Chrome, Android", "203.0.113.x")))
    view = await add(portal, inside, Device())

    assert (view.name, view.last_used_at) == ("Chrome, Android", None)
    ((phone, text),) = await told(portal)
    assert phone == KNOWN
    assert "добавлен вход в личный кабинет по отпечатку" in text
    assert "Это не вы?" in text
    (row,) = await events(portal, JournalEvent.PASSKEY_ADDED)
    assert row["details"] == {"device": "Chrome, Android", "name": "Chrome, Android"}


async def test_the_device_learns_no_number_and_the_handle_is_the_same_for_all_of_an_account(portal: Portal) -> None:
    inside = await signed_in(portal)
    options = await portal.passkeys.own.begin(inside)
    assert KNOWN[2:] not in str(options)
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    first, second = Device(), Device()
    await add(portal, inside, first)
    await add(portal, inside, second)

    assert first.handle == second.handle
    excluded = (await portal.passkeys.own.begin(inside))["excludeCredentials"]
    assert len(excluded) == 2
    other = Device()
    await add(portal, await signed_in(portal, BORIS, OTHER_KNOWN), other)
    assert other.handle != first.handle


async def test_a_proof_of_a_quarter_of_an_hour_ago_is_too_old_to_add_or_remove(
    portal: Portal, clock: MovableClock
) -> None:
    inside = await signed_in(portal)
    device = Device()
    view = await add(portal, inside, device)
    options = await portal.passkeys.own.begin(inside)
    clock.move(minutes=15, seconds=1)

    with pytest.raises(ReauthenticationNeeded):
        await portal.passkeys.own.begin(inside)
    with pytest.raises(ReauthenticationNeeded):
        await portal.passkeys.own.add(inside, Device().make(options), "")
    with pytest.raises(ReauthenticationNeeded):
        await portal.passkeys.own.remove(inside.session_key, view.number)
    opened = await portal.login.open_session(ANNA, await log_in(portal, ANNA, device))
    assert opened is not None  # a proof by passkey is one
    assert await portal.passkeys.own.remove(token_hash(opened.token), view.number) == 0


async def test_nobody_adds_names_or_removes_without_a_session(portal: Portal) -> None:
    view = await add(portal, await signed_in(portal), Device())
    nobody = Client(visitor_key=BORIS.visitor_key, session_key="0" * 64)
    own = portal.passkeys.own
    for act in (
        lambda: own.all(nobody.session_key),
        lambda: own.begin(nobody),
        lambda: own.add(nobody, {}, ""),
        lambda: own.rename(nobody.session_key, view.number, "Мой"),
        lambda: own.remove(nobody.session_key, view.number),
        lambda: own.answer_offer(nobody.session_key),
    ):
        with pytest.raises(NotSignedIn):
            await act()
    assert not await own.is_offered("")


async def test_another_account_names_and_removes_nothing(portal: Portal) -> None:
    view = await add(portal, await signed_in(portal), Device())
    other = await signed_in(portal, BORIS, OTHER_KNOWN)

    with pytest.raises(NoSuchPasskey):
        await portal.passkeys.own.rename(other.session_key, view.number, "Мой")
    with pytest.raises(NoSuchPasskey):
        await portal.passkeys.own.remove(other.session_key, view.number)
    assert len(await rows(portal)) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device: setattr(device, "looks", False),
        lambda device: setattr(device, "origin", "https://phishing.example"),
        lambda device: setattr(device, "host", "phishing.example"),
        lambda device: setattr(device, "framed", True),
    ],
    ids=["nobody looked", "foreign site", "foreign host", "in a foreign page"],
)
async def test_a_key_that_is_not_proved_is_not_kept(portal: Portal, spoil: Callable[[Device], None]) -> None:
    inside, device = await signed_in(portal), Device()
    spoil(device)

    with pytest.raises(PasskeyNotVerified):
        await add(portal, inside, device)
    assert await rows(portal) == []
    assert await told(portal) == []


async def test_an_answer_adds_one_key_in_its_own_session(portal: Portal) -> None:
    inside = await signed_in(portal)
    answer = Device().make(await portal.passkeys.own.begin(inside))
    other = await signed_in(portal, ANNA, OTHER_KNOWN)  # in the same browser
    with pytest.raises(PasskeyLate):
        await portal.passkeys.own.add(other, answer, "")
    done = await asyncio.gather(
        *(portal.passkeys.own.add(inside, answer, "") for _ in range(5)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["PasskeyLate"] * 4 + ["str"]
    assert len(await rows(portal)) == 1


async def test_a_key_that_another_account_has_is_refused(portal: Portal) -> None:
    device = Device()
    await add(portal, await signed_in(portal), device)

    with pytest.raises(PasskeyAlreadyAdded):
        await add(portal, await signed_in(portal, BORIS, OTHER_KNOWN), device)


async def test_an_account_has_so_many_and_no_more(portal: Portal, clock: MovableClock) -> None:
    for number in range(MOST_PASSKEYS):
        clock.move(days=2)
        await add(portal, await signed_in(portal), Device(), f"№ {number}")

    with pytest.raises(TooManyPasskeys):
        await portal.passkeys.own.begin(await signed_in(portal))


async def test_a_passkey_is_called_what_its_owner_types(portal: Portal) -> None:
    inside = await signed_in(portal)
    view = await add(portal, inside, Device(), "  Телефон\u200b\n мамы ")
    assert view.name == "Телефон мамы"
    own = portal.passkeys.own

    assert await own.rename(inside.session_key, view.number, "я" * 100) == "я" * MOST_NAME
    assert await own.rename(inside.session_key, view.number, " \u200b ") == "я" * MOST_NAME


async def test_removing_one_ends_the_sessions_that_passkeys_opened(portal: Portal) -> None:
    inside, device = await signed_in(portal), Device()
    view = await add(portal, inside, device)
    opened = await portal.login.open_session(BORIS, await log_in(portal, BORIS, device))
    await told(portal)
    assert opened is not None

    assert await portal.passkeys.own.remove(inside.session_key, view.number) == 1
    with pytest.raises(NotSignedIn):
        await portal.sessions.required(token_hash(opened.token))
    ((_, text),) = await told(portal)
    assert "убран" in text
    (row,) = await events(portal, JournalEvent.PASSKEY_REMOVED)
    assert row["details"]["why"] == "settings"


async def test_the_desk_lists_and_removes_without_a_word_of_the_key(portal: Portal) -> None:
    device = Device()
    view = await add(portal, await signed_in(portal), device)
    (exported,) = (await portal.desk.personal_data.export(KNOWN))["passkey"]
    assert exported["name"] == view.name
    assert not {"public_key", "credential_id", "handle"} & set(exported)
    (listed,) = await portal.desk.personal_data.passkeys(KNOWN)

    assert await portal.desk.personal_data.remove_passkey(KNOWN, listed.id) == 0
    with pytest.raises(NoSuchPasskey):
        await portal.desk.personal_data.remove_passkey(KNOWN, listed.id)
    (row,) = await events(portal, JournalEvent.PASSKEY_REMOVED)
    assert row["details"]["why"] == "desk"


async def test_it_is_offered_in_one_session_until_it_is_answered(portal: Portal, clock: MovableClock) -> None:
    own = portal.passkeys.own
    inside = await signed_in(portal)
    assert [await own.is_offered(inside.session_key) for _ in range(2)] == [True, True]
    await own.answer_offer(inside.session_key)
    assert not await own.is_offered(inside.session_key)
    clock.move(hours=1)
    assert not await own.is_offered((await signed_in(portal, BORIS)).session_key)


async def test_it_is_not_offered_again_in_a_later_session_but_after_a_recovery(
    portal: Portal, clock: MovableClock
) -> None:
    own = portal.passkeys.own
    assert await own.is_offered((await signed_in(portal)).session_key)
    clock.move(hours=1)
    assert not await own.is_offered((await signed_in(portal)).session_key)
    await recover(portal, BORIS)
    inside = await signed_in(portal, BORIS, KNOWN, NEW_PASSWORD)

    assert await own.is_offered(inside.session_key)
    await add(portal, inside, Device())
    assert not await own.is_offered(inside.session_key)
