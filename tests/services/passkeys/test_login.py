"""Sign-in by passkey: by the ticket of every sign-in, so often and no more."""

from __future__ import annotations

import pytest
from webauthn.helpers import bytes_to_base64url

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import (
    PasskeyUnknown,
    SignedInTooOften,
)
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.passkeys import PasskeyPurpose
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from tests.services.notices.phone import told
from tests.services.passkeys.device import Device, add, log_in
from tests.services.passkeys.owners import events, nobody_is_on_the_way, rows, signed_in
from tests.services.strangers import NEW_PASSWORD, change_password
from tests.services.world import (
    ANNA,
    BORIS,
    KNOWN,
    patient_with,
    sign_in,
)

SIGN_IN, RECOVERY = PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY


async def test_a_passkey_opens_its_account_by_the_ticket_of_every_sign_in(portal: Portal, owned: Device) -> None:
    opened = await portal.login.open_session(BORIS, await log_in(portal, BORIS, owned))

    assert opened is not None
    assert opened.landing is Landing.CARDS
    me = await portal.sessions.required(token_hash(opened.token))
    assert (me.patient_id, me.method) == ((await patient_with(portal)).id, LoginMethod.PASSKEY)
    assert me.authenticated_at == portal.clock()
    journal = await events(portal, JournalEvent.SIGNED_IN)
    assert [row["details"]["method"] for row in journal] == ["password", "passkey"]
    (row,) = await rows(portal)
    assert (row.last_used_at, row.sign_count) == (portal.clock(), 2)
    await nobody_is_on_the_way(portal)


async def test_after_a_forgotten_password_it_leads_to_the_new_one_which_may_be_set_at_once(
    portal: Portal, owned: Device
) -> None:
    await told(portal)
    opened = await portal.login.open_session(BORIS, await log_in(portal, BORIS, owned, RECOVERY))

    assert opened is not None
    assert opened.landing is Landing.NEW_PASSWORD
    await change_password(portal, token_hash(opened.token), NEW_PASSWORD, KNOWN)
    ((phone, text),) = await told(portal)
    assert phone == KNOWN
    assert text.startswith("Медицина-онлайн: после входа по отпечатку, лицу или PIN изменён пароль")
    assert await sign_in(portal, ANNA, KNOWN, NEW_PASSWORD)


async def test_a_counter_that_goes_back_is_written_down_and_locks_nobody_out(portal: Portal, owned: Device) -> None:
    owned.count = 10
    await log_in(portal, ANNA, owned)
    assert await events(portal, JournalEvent.PASSKEY_COUNTED_BACK) == []
    owned.count = 3

    opened = await portal.login.open_session(ANNA, await log_in(portal, ANNA, owned))

    assert opened is not None
    assert len(await events(portal, JournalEvent.PASSKEY_COUNTED_BACK)) == 1
    await log_in(portal, ANNA, owned)  # it counts on from there
    assert len(await events(portal, JournalEvent.PASSKEY_COUNTED_BACK)) == 1


async def test_a_device_that_does_not_count_is_no_news(portal: Portal) -> None:
    device = Device(count=None)
    await add(portal, await signed_in(portal), device)

    for _ in range(2):
        assert await log_in(portal, BORIS, device)
    assert await events(portal, JournalEvent.PASSKEY_COUNTED_BACK) == []
    assert [row.backed_up for row in await rows(portal)] == [True]


async def test_a_removed_passkey_is_unknown_and_so_is_one_that_never_was(portal: Portal, owned: Device) -> None:
    inside = await signed_in(portal)
    (view,) = await portal.passkeys.own.all(inside.session_key)
    ticket = await log_in(portal, BORIS, owned)
    await portal.passkeys.own.remove(inside.session_key, view.number)

    assert await portal.login.open_session(BORIS, ticket) is None
    stranger = Device(handle=owned.handle)
    for device in (owned, stranger):
        with pytest.raises(PasskeyUnknown) as refused:
            await log_in(portal, BORIS, device)
        assert refused.value.credential_id == bytes_to_base64url(device.credential_id)
    await nobody_is_on_the_way(portal)


async def test_an_erased_account_takes_its_passkeys_along(portal: Portal, owned: Device) -> None:
    gone = await portal.desk.personal_data.erase(KNOWN)

    assert gone["passkey"] == 1
    with pytest.raises(PasskeyUnknown):
        await log_in(portal, ANNA, owned)


async def test_an_account_is_opened_so_often_and_no_more(portal: Portal, owned: Device) -> None:
    limit = portal.config.sessions_per_account[0].count
    for number in range(limit - 1):  # its owner signed in once already
        browser = Client(visitor_key=f"{number:064x}")
        assert await portal.login.open_session(browser, await log_in(portal, browser, owned))

    with pytest.raises(SignedInTooOften):
        await log_in(portal, BORIS, owned)
