"""The made-up patients of the demo. The sandbox's magic numbers leave +7 900 000-10-xx free for them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from medonline.domain.errors import PhoneTaken
from medonline.services.desk.accounts import AccountService, NewAccount

DEMO_ACCOUNTS = (
    NewAccount("+79000001001", "Zdorovie2026", "Иванова", "Мария", "Петровна", date(1958, 5, 21)),
    NewAccount("+79000001002", "Poliklinika7", "Смирнов", "Алексей", "Игоревич", date(1979, 11, 2), phone_proved=True),
    NewAccount("+79000001003", "Vrach12345", "Кузнецова", "Ольга", "Сергеевна", date(1969, 8, 3)),
)


async def seed_demo(accounts: AccountService) -> None:
    """Create the missing demo patients. Existing ones keep their changes."""
    for account in DEMO_ACCOUNTS:
        with suppress(PhoneTaken):
            await accounts.add(account)
