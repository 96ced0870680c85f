"""Patients with passkeys, and what the record has of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlmodel import col, select

from medonline.bootstrap import DEMO_ACCOUNTS, Portal
from medonline.domain.client import Client
from medonline.domain.security_journal import JournalEvent
from medonline.services.crypto.tokens import token_hash
from medonline.storage.tables.login import LoginTicket
from medonline.storage.tables.passkeys import Passkey
from tests.services.world import (
    ANNA,
    KNOWN,
    sign_in,
)


async def signed_in(portal: Portal, browser: Client = ANNA, phone: str = KNOWN, password: str = "") -> Client:
    """The browser, in a session that has just begun."""
    password = password or next(one.password for one in DEMO_ACCOUNTS if one.phone == phone)
    return replace(browser, session_key=token_hash(await sign_in(portal, browser, phone, password)))


async def events(portal: Portal, *wanted: JournalEvent) -> list[dict[str, Any]]:
    return [row async for row in portal.journal_keeper.everything() if row["event"] in wanted]


async def rows(portal: Portal) -> list[Passkey]:
    with portal.database.reading() as session:
        return list(session.exec(select(Passkey).order_by(col(Passkey.created_at))).all())


async def nobody_is_on_the_way(portal: Portal) -> None:
    with portal.database.reading() as session:
        assert session.exec(select(LoginTicket).where(col(LoginTicket.used_at).is_(None))).all() == []
    assert (await portal.journal_keeper.examine()).fault == ""
