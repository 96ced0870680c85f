"""A stranger inside the account may have added a passkey: what the owner does to get it back takes all off."""

from __future__ import annotations

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import (
    NotSignedIn,
    PasskeyUnknown,
)
from medonline.domain.passkeys import PasskeyPurpose
from medonline.domain.security_journal import JournalEvent
from tests.services.notices.phone import told
from tests.services.passkeys.device import Device, add, log_in
from tests.services.passkeys.owners import events, signed_in
from tests.services.strangers import the_link
from tests.services.world import (
    ANNA,
    BORIS,
    prove,
)

SIGN_IN, RECOVERY = PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY


async def test_the_owners_link_takes_every_passkey_off(portal: Portal) -> None:
    thief = Device()
    await add(portal, await signed_in(portal, BORIS), thief)
    link = await the_link(portal)
    ticket = await log_in(portal, BORIS, thief)
    await portal.dispute.raise_(link)

    assert await portal.login.open_session(BORIS, ticket) is None
    with pytest.raises(PasskeyUnknown):
        await log_in(portal, BORIS, thief)
    (row,) = await events(portal, JournalEvent.PASSKEY_REMOVED)
    assert row["details"]["why"] == "dispute"


async def test_a_recovery_by_phone_takes_every_passkey_off_and_says_so(portal: Portal) -> None:
    thief = Device()
    inside = await signed_in(portal, BORIS)
    await add(portal, inside, thief)
    await told(portal)
    await prove(portal, ANNA)
    view = await portal.recovery.set_password(ANNA, "KorablLipa47")

    assert view.passkeys_removed == 1
    ((_, text),) = await told(portal)
    assert "Вход по отпечатку, лицу или PIN на устройствах отключён." in text
    with pytest.raises(PasskeyUnknown):
        await log_in(portal, BORIS, thief)
    with pytest.raises(NotSignedIn):
        await portal.sessions.required(inside.session_key)
