"""What `medonline doctor` checks: settings, regions, database, migrations, keys, each provider."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

import click

from medonline.bootstrap import build_channels
from medonline.bootstrap.adapters import (
    build_breached_passwords,
    build_identity,
    build_mail,
    build_notices,
    build_registry,
)
from medonline.bootstrap.limit_stores import build_limit_store
from medonline.bootstrap.traces import trouble_with_traces
from medonline.cli import options
from medonline.cli.known_key import fault_of_key
from medonline.cli.options import as_json, mode
from medonline.cli.portal import refuse_an_empty_demo
from medonline.cli.private_files import too_open
from medonline.cli.running import noted_in, settings_beside
from medonline.config.connections import is_this_machine
from medonline.config.keys import has_low_variety
from medonline.config.outgoing import ca_ends
from medonline.config.settings import Config, ConfigurationError
from medonline.config.types import without_passwords
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import DeliveryFailed, IdentityRefused, ProviderDown, ProviderRefused, RegistryUnavailable
from medonline.logs.setup import set_up
from medonline.services.clock import utc_now
from medonline.services.limits.alarms import Alarms
from medonline.services.limits.windows import LimitStoreDown
from medonline.services.ports import CodeChannel, NoticeChannel, TellsBalance
from medonline.storage.engine import Database, clock_ahead, patience
from medonline.storage.revisions import revisions, sqlite_file

_HINT = "docs/operations.md says what the setting means."
_VENDOR = (
    "DNS: look at the name in the address and at this machine's resolver. Refused, or no answer: the vendor's state, a firewall, "
    "an outgoing proxy. TLS: the machine's clock and certificates. 404: the address is another service's. Clock: NTP on this machine. "
    "A key that is not taken: compare it with the vendor's page of the account."
)
_MONEY = "Top the account up at the vendor; an automatic payment there ends this for good."
# What a vendor's key is made of, by the vendor's name.
_KEYS = {
    "ucaller": ("UCALLER_KEY", "UCALLER_SERVICE_ID"),
    "sms_ru": ("SMS_RU_API_ID",),
    "sms_aero": ("SMS_AERO_EMAIL", "SMS_AERO_API_KEY"),
    "telegram_gateway": ("TELEGRAM_TOKEN",),
    "max_bot": ("MAX_TOKEN",),
}
_HINTS = {
    "proxy": "docs/operations.md, TRUSTED_PROXY_HOPS: one for each proxy of your own that adds to X-Forwarded-For.",
    "demo": "Start it with `make run`, or work on production with its settings in the environment.",
    "key": "Make a key with `medonline keys new`, which also says how to change to it.",
    "key of the rows": "Compare with the place where the operator keeps the key; after a restored backup it is the key of that time.",
    "files": "Run the command that the line names, as the user who owns the file; or make the folder, and give it to that user.",
    "trusted roots": "Put the vendor's present root into the file, or take the setting out where its certificates are public ones.",
    "database": "Is the server up, and do host, port, user and password in MEDONLINE_DATABASE_URL fit? Try the same with psql.",
    "migrations": "Make a backup, then run what the line says.",
    "clock": "Switch time synchronisation (NTP) on, on both machines.",
    "limits": "Try the same address with redis-cli. While Redis does not answer, each process counts for itself.",
    **{channel.value: _VENDOR for channel in ChannelName},
    "notices": _VENDOR,
    "breached passwords": _VENDOR,
    "identity": _VENDOR,
    "cards": _VENDOR,
}


MOST_SKEW = timedelta(seconds=30)  # leases and limits of several processes are judged by both clocks


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    good: bool
    text: str
    hint: str = ""  # what to look at, where it is not good
    doubtful: bool = False  # it is good, and will not be for long

    @property
    def mark(self) -> str:
        """As the report begins the line."""
        if not self.good:
            return "FAIL"
        return "warn" if self.doubtful else "ok  "


@click.command()
@click.option("--fix-hints", is_flag=True, help="Say below each failure what to look at.")
@as_json
@mode
def doctor(fix_hints: bool, as_json: bool) -> int:
    """Check settings, database, migrations, keys and each provider; exit code 1 if one fails. Sends nothing."""
    config = settings_beside(refuse_an_empty_demo)
    set_up("error")
    findings = asyncio.run(examine(config))
    if as_json:
        options.lines(map(asdict, findings))
    else:
        for finding in findings:
            click.echo(f"{finding.mark}  {finding.subject}: {finding.text}")
            if fix_hints and finding.mark != "ok  ":
                click.echo(f"      hint: {finding.hint or _HINTS.get(finding.subject, _HINT)}")
    return 0 if all(finding.good for finding in findings) else 1


async def examine(config: Config) -> list[Finding]:
    """Every check, in the order of an operator's worries; sends nothing and costs nothing."""
    findings = [
        _settings(config),
        *(Finding("proxy", False, doubt) for doubt in config.doubts),
        *_demo(config),
        _regions(config),
        _key(config),
        _files(config),
        *_trust(config),
        *await _database(config),
        await _limits(config),
    ]
    channels = build_channels(config)
    for name in ChannelName:
        findings += await _channel(config, name, channels.get(name, ()))
    return [
        *findings,
        await _identity(config),
        await _registry(config),
        await _notices(config),
        await _mail(config),
        await _breached(config),
        await _traces(config),
    ]


def _settings(config: Config) -> Finding:
    return Finding("settings", True, f"mode {config.mode}, public address {config.origin}, data in {config.data_dir}")


def _demo(config: Config) -> list[Finding]:
    """Whether the stand-ins that the demo asks are there: they are part of the portal that runs."""
    noted = noted_in(config.data_dir) if config.demo else None
    if noted is None:
        return []
    if noted.lives:
        return [Finding("demo", True, f"process {noted.process} serves {noted.address}")]
    last = f"the one of {config.data_dir}, at {noted.address}, does not run any more"
    return [Finding("demo", False, f"{last}, and its stand-ins answer only while it does: start it with `make run`")]


def _regions(config: Config) -> Finding:
    source = str(config.regions_file) if config.regions_file else "no MEDONLINE_REGIONS_FILE: one region without a name"
    return Finding(
        "regions", True, f"{len(config.regions)} ({', '.join(one.code for one in config.regions)}), {source}"
    )


def _key(config: Config) -> Finding:
    kind = "the demo's own random key" if config.demo else "MEDONLINE_SECRET_KEY"
    if has_low_variety(config.key):  # production does not start with one
        return Finding(
            "key", False, f"{kind} repeats itself, so it can be guessed: `medonline keys new` makes a random one"
        )
    old = sum(map(has_low_variety, config.older_keys))
    of_before = f"; {old} of MEDONLINE_OLD_SECRET_KEYS can be guessed: run `medonline keys reseal`" if old else ""
    return Finding("key", True, f"{kind}, {len(config.key)} characters{of_before}")


def _files(config: Config) -> Finding:
    folder = config.data_dir.resolve()
    kept = "data_dir" in config.model_fields_set or sqlite_file(config.database) is not None
    if kept and (trouble := _trouble_with_folder(folder)):
        return Finding("files", False, f"{trouble}: name a folder of the portal's own user with MEDONLINE_DATA_DIR")
    found = too_open(config)
    if found:
        return Finding("files", False, "; ".join(map(str, found)))
    if not folder.exists():
        text = f"{folder} is not there yet, and can be made" if kept else "none: no folder is named, and none is needed"
        return Finding("files", True, text)
    return Finding("files", True, f"what is in {config.data_dir} can be read by its owner alone")


def _trouble_with_folder(folder: Path) -> str:
    """Why nothing can be kept in a folder, or empty. It is tried with a file that has no name; nothing is left behind."""
    try:
        nearest = next(one for one in (folder, *folder.parents) if os.path.exists(one))
        with TemporaryFile(dir=nearest):
            return ""
    except OSError as error:
        why = error.strerror or type(error).__name__
        return f"{folder} {'cannot be written to' if os.path.exists(folder) else 'is not there, and cannot be made'} ({why})"


def _trust(config: Config) -> list[Finding]:
    """The roots that are believed besides the public ones; a file that cannot be read is refused with the settings."""
    findings = []
    for name, path in config.ca_files.items():
        ends = ca_ends(path)
        over = [f"{whose} ended on {end:%Y-%m-%d}" for whose, end in ends.items() if end <= utc_now()]
        soonest = f"the first of {len(ends)} certificates in {path} ends on {min(ends.values()):%Y-%m-%d}"
        text = f"{name}: {'; '.join(over)}, in {path}" if over else f"{name}: {soonest}"
        findings.append(Finding("trusted roots", not over, text))
    return findings


async def _database(config: Config) -> list[Finding]:
    where = without_passwords(config.database)
    file = sqlite_file(config.database)
    if file is not None and not file.exists():
        return [
            Finding("database", True, f"{where} is not made yet"),
            Finding("migrations", False, "There are no tables yet: run `medonline migrate`."),
        ]
    cut = config.database_statement_timeout  # as for patients, so that what is told is what they get
    database = Database(config.database, lock_timeout=config.database_lock_timeout, statement_timeout=cut)
    try:
        await database.is_alive()
        limits = await database.read(patience)
        found = await revisions(database)
        key_fault = "" if found.fault else await fault_of_key(config, database)
        skew = await database.read(clock_ahead)
    except Exception as error:
        why = str(error).partition("\n")[0]
        return [Finding("database", False, f"{where} does not answer: {type(error).__name__}: {why}")]
    finally:
        await database.close()
    text = found.fault or f"at revision {found.has}"
    answers = f"{where} answers" + (f"; {limits}" if limits else "")
    findings = [Finding("database", True, answers), Finding("migrations", not found.fault, text)]
    if key_fault:
        findings.append(Finding("key of the rows", False, key_fault))
    if abs(skew) > MOST_SKEW:
        text = f"the clocks of {where} and of this machine differ by {abs(skew).total_seconds():.0f} s"
        findings.append(Finding("clock", False, text))
    return findings


async def _limits(config: Config) -> Finding:
    store = build_limit_store(config, Alarms(utc_now))
    try:
        return Finding("limits", True, await store.check())
    except LimitStoreDown as error:
        return Finding("limits", False, str(error))
    finally:
        await store.close()


async def _channel(config: Config, name: ChannelName, vendors: Sequence[CodeChannel]) -> list[Finding]:
    if not vendors:
        return [Finding(name, True, "switched off (MEDONLINE_CODE_CHANNELS)")]
    findings = [await _vendor(config, name, vendor) for vendor in vendors]
    for vendor in vendors:
        await vendor.close()
    return findings


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
    """What is wrong with a vendor, and whether that is its address, our key or itself."""
    if isinstance(error, ProviderRefused) and error.of_key:
        keys = " and ".join(f"MEDONLINE_{name}" for name in _KEYS.get(provider, ()))
        how = f"answers, and does not take {keys or 'the key'}"
    else:
        how = "does not answer" if isinstance(error, ProviderDown) else "answers, and cannot be used"
    return f"{how}: {type(error).__name__}: {error.detail}"


async def _identity(config: Config) -> Finding:
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


async def _registry(config: Config) -> Finding:
    registry = build_registry(config)
    if registry is None:
        return Finding("cards", True, "no registry of cards (MEDONLINE_CARD_REGISTRY_URL)")
    try:
        return Finding("cards", True, await registry.check())
    except RegistryUnavailable as error:
        return Finding("cards", False, error.detail)
    finally:
        await registry.close()


async def _notices(config: Config) -> Finding:
    channel = build_notices(config)
    if channel is None:
        text = "switched off (MEDONLINE_NOTICE_PROVIDER): no one is told of a changed phone or password"
        return Finding("notices", True, text)
    try:
        return await _vendor(config, "notices", channel)
    finally:
        await channel.close()


async def _mail(config: Config) -> Finding:
    mail = build_mail(config)
    if mail is None:
        return Finding("mail", True, "switched off (MEDONLINE_MAIL_PROVIDER): notices go to phones alone")
    where = config.smtp_socket or f"{config.smtp_host}:{config.smtp_port}"
    try:
        await mail.check()
        return Finding("mail", True, f"provider {mail.provider} at {where}")
    except DeliveryFailed as error:
        return Finding("mail", False, f"provider {mail.provider} at {where}: {error.detail}")


async def _traces(config: Config) -> Finding:
    if not config.traces_url:
        return Finding("traces", True, "none are made (MEDONLINE_TRACES_URL)")
    trouble = await asyncio.to_thread(trouble_with_traces, config)
    told = f"the collector at {config.traces_url}"
    return Finding("traces", not trouble, f"{told}: {trouble}" if trouble else f"{told} takes them")


async def _breached(config: Config) -> Finding:
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
