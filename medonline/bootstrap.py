"""Builds each service once; the only module that names a provider class."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from medonline.config import Config, FlashCallProvider, load_config
from medonline.domain.one_time_code import ChannelName
from medonline.domain.password import PasswordPolicy
from medonline.providers.sms_ru import SmsRu
from medonline.providers.telegram_gateway import TelegramGateway
from medonline.providers.ucaller import UCaller
from medonline.services.accounts import AccountService, NewAccount, PhoneTaken
from medonline.services.clock import Clock, utc_now
from medonline.services.code_dispatcher import CodeDispatcher
from medonline.services.code_issue import CodeIssuer
from medonline.services.login import LoginService
from medonline.services.password_hashing import PasswordHasher
from medonline.services.password_recovery import PasswordRecoveryService
from medonline.services.ports import CodeChannel
from medonline.services.recovery_reading import RecoveryReader
from medonline.storage import migrations
from medonline.storage.engine import Database

log = logging.getLogger(__name__)

# Made up; +7 900 000-10-xx is kept free by the sandbox's magic numbers.
DEMO_ACCOUNTS = (
    NewAccount("+79000001001", "Zdorovie2026", "Иванова", "Мария", "Петровна"),
    NewAccount("+79000001002", "Poliklinika7", "Смирнов", "Алексей", "Игоревич"),
    NewAccount("+79000001003", "Vrach12345", "Кузнецова", "Ольга", "Сергеевна"),
)


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything a handler or a route may ask for."""

    config: Config
    clock: Clock
    database: Database
    accounts: AccountService
    recovery: PasswordRecoveryService
    login: LoginService
    dispatcher: CodeDispatcher
    channels: dict[ChannelName, CodeChannel]
    hasher: PasswordHasher
    sessions_ended: list[Callable[[list[str]], None]] = field(default_factory=list)
    at_close: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def close(self) -> None:
        """Release connections and threads."""
        for release in self.at_close:
            await release()
        for channel in self.channels.values():
            await channel.close()
        self.hasher.close()
        await self.database.close()


def build_channels(config: Config) -> dict[ChannelName, CodeChannel]:
    """The adapters that the settings choose."""
    makers: dict[ChannelName, Callable[[Config], CodeChannel]] = {
        ChannelName.FLASH_CALL: _flash_call,
        ChannelName.TELEGRAM: _telegram,
    }
    return {name: makers[name](config) for name in config.code_channels}


def _flash_call(config: Config) -> CodeChannel:
    if config.flash_call_provider is FlashCallProvider.SMS_RU:
        return SmsRu(config.sms_ru_base_url, config.sms_ru_api_id.get_secret_value())
    return UCaller(config.ucaller_base_url, config.ucaller_key.get_secret_value(), config.ucaller_service_id)


def _telegram(config: Config) -> CodeChannel:
    return TelegramGateway(
        config.telegram_base_url,
        config.telegram_token.get_secret_value(),
        callback_url=config.telegram_report_url,
        proxy=config.telegram_proxy or None,
    )


def build_portal(config: Config, clock: Clock = utc_now) -> Portal:
    """Wire the services; opens nothing yet."""
    listeners: list[Callable[[list[str]], None]] = []

    def sessions_ended(keys: list[str]) -> None:
        for listener in listeners:
            listener(keys)

    database = Database(config.database)
    channels = build_channels(config)
    issuer = CodeIssuer(config.key, config.code_policy, config.code_channels)
    hasher = PasswordHasher()
    dispatcher = CodeDispatcher(database, clock, issuer, channels)
    recovery = PasswordRecoveryService(
        database=database,
        clock=clock,
        issuer=issuer,
        reader=RecoveryReader(issuer, config.new_password_window),
        passwords=config.recovery_password_policy,
        hasher=hasher,
        wake_dispatcher=dispatcher.wake,
        sessions_ended=sessions_ended,
    )
    login = LoginService(database, clock, hasher, config.session_idle, config.session_absolute, sessions_ended)
    accounts = AccountService(database, clock, hasher, PasswordPolicy(config.password_min_length_settings))
    return Portal(config, clock, database, accounts, recovery, login, dispatcher, channels, hasher, listeners)


_portal: Portal | None = None


def portal() -> Portal:
    """This process's portal, built on first use from the environment."""
    global _portal
    if _portal is None:
        _portal = build_portal(load_config())
    return _portal


@asynccontextmanager
async def running(of: Portal) -> AsyncIterator[Portal]:
    """Migrated, seeded in demo mode, with the dispatcher turning; everything is released at the end."""
    await migrations.upgrade(of.config.database)
    if of.config.demo:
        await seed_demo(of)
    turning = asyncio.create_task(of.dispatcher.run(), name="code dispatcher")
    try:
        yield of
    finally:
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning
        await of.close()


async def seed_demo(of: Portal) -> None:
    """Make the demo patients that are not there yet; a password changed in the demo stays changed."""
    for account in DEMO_ACCOUNTS:
        with suppress(PhoneTaken):
            await of.accounts.add(account)
