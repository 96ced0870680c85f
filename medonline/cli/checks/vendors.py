"""The checks of `medonline doctor` for outside services: each vendor, its key and its money."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from medonline.bootstrap.adapters import (
    build_breached_passwords,
    build_identity,
    build_mail,
    build_notices,
    build_registry,
)
from medonline.bootstrap.traces import trouble_with_traces
from medonline.cli.checks.finding import Finding
from medonline.config.connections import is_this_machine
from medonline.config.settings import Config, ConfigurationError
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import DeliveryFailed, IdentityRefused, ProviderDown, ProviderRefused, RegistryUnavailable
from medonline.services.ports import CodeChannel, NoticeChannel, TellsBalance

_MONEY = "Top the account up at the vendor; an automatic payment there ends this for good."
# The settings that hold a vendor's key, by the vendor's name.
_KEYS = {
    "ucaller": ("UCALLER_KEY", "UCALLER_SERVICE_ID"),
    "sms_ru": ("SMS_RU_API_ID",),
    "sms_aero": ("SMS_AERO_EMAIL", "SMS_AERO_API_KEY"),
    "telegram_gateway": ("TELEGRAM_TOKEN",),
    "max_bot": ("MAX_TOKEN",),
}


async def code_channel(config: Config, name: ChannelName, vendors: Sequence[CodeChannel]) -> list[Finding]:
    """Check each vendor of one way of getting a code."""
    if not vendors:
        return [Finding(name, True, "switched off (MEDONLINE_CODE_CHANNELS)")]
    findings = [await _vendor(config, name, vendor) for vendor in vendors]
    for vendor in vendors:
        await vendor.close()
    return findings


async def identity(config: Config) -> Finding:
    """Whether sign-in through Gosuslugi can begin."""
    try:
        provider = build_identity(config)
    except ConfigurationError as error:
        return Finding("identity", False, str(error))
    if provider is None:
        return Finding("identity", True, "sign-in through Gosuslugi is switched off (MEDONLINE_IDENTITY_PROVIDER)")
    try:
        return Finding("identity", True, f"provider {provider.name}: {await provider.check()}")
    except IdentityRefused as error:
        return Finding("identity", False, f"provider {provider.name}: {error.problem}: {error.detail}")
    finally:
        await provider.close()


async def cards(config: Config) -> Finding:
    """Whether the registry of cards answers."""
    registry = build_registry(config)
    if registry is None:
        return Finding("cards", True, "no registry of cards (MEDONLINE_CARD_REGISTRY_URL)")
    try:
        return Finding("cards", True, await registry.check())
    except RegistryUnavailable as error:
        return Finding("cards", False, error.detail)
    finally:
        await registry.close()


async def notices(config: Config) -> Finding:
    """Check the vendor that sends notices to phones."""
    channel = build_notices(config)
    if channel is None:
        text = "switched off (MEDONLINE_NOTICE_PROVIDER): no one is told of a changed phone or password"
        return Finding("notices", True, text)
    try:
        return await _vendor(config, "notices", channel)
    finally:
        await channel.close()


async def mail_server(config: Config) -> Finding:
    """Whether the mail server greets the portal and accepts TLS and the sign-in."""
    mail = build_mail(config)
    if mail is None:
        return Finding("mail", True, "switched off (MEDONLINE_MAIL_PROVIDER): notices go to phones alone")
    where = config.smtp_socket or f"{config.smtp_host}:{config.smtp_port}"
    try:
        await mail.check()
        return Finding("mail", True, f"provider {mail.provider} at {where}")
    except DeliveryFailed as error:
        return Finding("mail", False, f"provider {mail.provider} at {where}: {error.detail}")


async def breached_passwords(config: Config) -> Finding:
    """Whether the list of leaked passwords answers."""
    breached = build_breached_passwords(config)
    if breached is None:
        return Finding("breached passwords", True, "not asked (MEDONLINE_BREACHED_PASSWORDS_URL)")
    try:
        return Finding("breached passwords", True, await breached.check())
    except DeliveryFailed as error:
        text = f"the list at {config.breached_passwords_url} {_trouble('', error)}"
        return Finding("breached passwords", False, text)
    finally:
        await breached.close()


async def traces(config: Config) -> Finding:
    """Whether the collector accepts traces."""
    if not config.traces_url:
        return Finding("traces", True, "none are made (MEDONLINE_TRACES_URL)")
    trouble = await asyncio.to_thread(trouble_with_traces, config)
    told = f"the collector at {config.traces_url}"
    return Finding("traces", not trouble, f"{told}: {trouble}" if trouble else f"{told} takes them")


async def _vendor(config: Config, name: str, channel: CodeChannel | NoticeChannel) -> Finding:
    settings = channel.provider.removesuffix("_gateway").removesuffix("_bot")
    base_url, proxy = getattr(config, f"{settings}_base_url"), config.proxy_for(settings)
    proxied = proxy and not is_this_machine(urlsplit(base_url).hostname or "")
    through = f" through the proxy {urlsplit(proxy).hostname}" if proxied else ""
    in_force = f"provider {channel.provider} at {urlsplit(base_url).geturl()}{through}"
    try:
        said = await channel.check()
        balance = await channel.balance() if isinstance(channel, TellsBalance) else None
    except DeliveryFailed as error:
        return Finding(name, False, f"{in_force} {_trouble(channel.provider, error)}")
    if balance is not None and balance <= 0:
        return Finding(name, False, f"{in_force} has no money left: the balance is {balance:.2f} roubles", _MONEY)
    if balance is not None and balance < config.low_balance:
        text = f"{in_force}: {said} The balance is low: {balance:.2f} roubles (MEDONLINE_LOW_BALANCE)."
        return Finding(name, True, text, _MONEY, doubtful=True)
    told = "" if balance is None else f" The balance is {balance:.2f} roubles."
    return Finding(name, True, f"{in_force}: {said}{told}")


def _trouble(provider: str, error: DeliveryFailed) -> str:
    """What is wrong with a vendor, and whether its address, our key or the vendor itself causes it."""
    if isinstance(error, ProviderRefused) and error.of_key:
        keys = " and ".join(f"MEDONLINE_{name}" for name in _KEYS.get(provider, ()))
        how = f"answers, and does not take {keys or 'the key'}"
    else:
        how = "does not answer" if isinstance(error, ProviderDown) else "answers, and cannot be used"
    return f"{how}: {type(error).__name__}: {error.detail}"
