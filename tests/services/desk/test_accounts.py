"""Accounts as an operator makes and lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from medonline.bootstrap import Portal, build_portal, running
from medonline.config.settings import load_config
from medonline.domain.errors import InvalidPassword, InvalidPhone, PhoneTaken
from medonline.services.desk.accounts import NewAccount
from tests.services.world import ANNA, MovableClock, patient_with, sign_in

NEW = NewAccount("8 900 000-20-01", "Zima2026", " Орлова ", "Анна", "")


async def test_a_made_account_signs_in(portal: Portal, clock: MovableClock) -> None:
    patient = await portal.accounts.add(NEW)

    assert (patient.phone, patient.last_name, patient.created_at) == ("+79000002001", "Орлова", clock.now)
    assert await sign_in(portal, ANNA, "+79000002001", "Zima2026")


async def test_a_phone_has_one_account(portal: Portal) -> None:
    await portal.accounts.add(NEW)
    before = (await patient_with(portal, "+79000002001")).password_hash

    with pytest.raises(PhoneTaken, match=r"^\+7 900 \*\*\*-\*\*-01$"):
        await portal.accounts.add(NEW)
    assert (await patient_with(portal, "+79000002001")).password_hash == before


@pytest.mark.parametrize(
    ("account", "error"),
    [
        (NewAccount("8 495 123-45-67", "Zima2026", "О", "А"), InvalidPhone),
        (NewAccount("89000002001", "Zima2", "О", "А"), InvalidPassword),
        (NewAccount("89000002001", "зима2026", "О", "А"), InvalidPassword),
    ],
)
async def test_a_refused_account_is_not_made(portal: Portal, account: NewAccount, error: type[Exception]) -> None:
    before = await portal.accounts.everyone()
    with pytest.raises(error):
        await portal.accounts.add(account)

    assert await portal.accounts.everyone() == before


async def test_who_has_no_given_name_in_the_passport_has_an_account(portal: Portal) -> None:
    made = await portal.accounts.add(NewAccount("89000002001", "Zima2026", "Сукарно", "-", "\u2014"))

    assert (made.last_name, made.first_name, made.patronymic) == ("Сукарно", "-", "\u2014")


async def test_accounts_are_listed_by_name(portal: Portal) -> None:
    await portal.accounts.add(NEW)

    names = [patient.last_name for patient in await portal.accounts.everyone()]
    assert names == ["Иванова", "Кузнецова", "Орлова", "Смирнов"]


async def test_the_password_is_kept_only_as_a_hash(portal: Portal) -> None:
    await portal.accounts.add(NEW)

    stored = (await patient_with(portal, "+79000002001")).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$")


async def test_a_portal_that_is_no_demo_starts_without_any_account(folder: Path, clock: MovableClock) -> None:
    nowhere = "http://127.0.0.1:9"
    settings = {"public_url": "https://portal.example.ru", "telegram_base_url": nowhere, "telegram_token": "t"}
    config = load_config(
        mode="production",
        data_dir=folder / "new",
        secret_key="2b7e151628aed2a6abf7158809cf4f3c",
        code_channels="telegram",
        trusted_proxy_hops=1,
        **settings,
    )
    async with running(build_portal(config, clock)) as served:
        assert await served.accounts.everyone() == []
