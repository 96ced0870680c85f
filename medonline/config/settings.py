"""Settings, read once from `MEDONLINE_*` environment variables. A useless value is refused with a sentence that says what to do.

Durations are written as `5 min`, `60 s`, `12 h`, `30 days`; lists are separated by commas. Nothing here is read again later.
"""

from __future__ import annotations

import os
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from medonline import routes
from medonline.config.boundary import BoundaryConfig
from medonline.config.codes import CodesConfig, SmsProvider
from medonline.config.connections import ConnectionsConfig
from medonline.config.demo_keys import demo_key, has_demo_keys
from medonline.config.identity import IdentityConfig, IdentityProviderName, NoticeProvider
from medonline.config.keys import MIN_KEY_BYTES, has_low_variety
from medonline.config.limits import GONE, LimitsConfig, demo_limits
from medonline.config.mail import MailConfig, demo_mail
from medonline.config.outgoing import OutgoingConfig
from medonline.config.records import RecordsConfig
from medonline.config.secret_files import read_secrets, setting_of
from medonline.config.staging import StagingConfig, stand_ins
from medonline.config.types import OptionalUrl, TimeZone, has_possible_port, is_database
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.one_time_code import CodePolicy
from medonline.domain.passwords import PasswordCharacters, PasswordPolicy
from medonline.services.codes.channel_switches import SwitchPolicy

_MAKING_A_KEY = "`python -c 'import secrets; print(secrets.token_hex(32))'`"


class ConfigurationError(Exception):
    """The settings cannot be used. The text is one English sentence per fault, and each sentence names its variable."""


class Mode(StrEnum):
    """Demo: SQLite, stand-ins, demo patients. Production: none of these. Staging: as production, with stand-ins on another host."""

    DEMO = "demo"
    STAGING = "staging"
    PRODUCTION = "production"


class Config(
    BoundaryConfig,
    CodesConfig,
    ConnectionsConfig,
    IdentityConfig,
    LimitsConfig,
    MailConfig,
    OutgoingConfig,
    RecordsConfig,
    StagingConfig,
):
    """All settings of the portal; each field is `MEDONLINE_` plus its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MEDONLINE_", frozen=True, extra="ignore")

    mode: Mode = Mode.PRODUCTION
    data_dir: Path = Path("var")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_url: OptionalUrl = ""
    secret_key: SecretStr = SecretStr("")
    time_zone: TimeZone = "Europe/Moscow"
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    password_min_length_recovery: int = Field(8, ge=6, le=64)
    password_min_length_settings: int = Field(6, ge=6, le=64)
    password_characters: PasswordCharacters = PasswordCharacters.GUIDE
    passkeys: bool = True

    @property
    def demo(self) -> bool:
        """Whether this is the demo, with stand-ins and demo patients."""
        return self.mode is Mode.DEMO

    @property
    def origin(self) -> str:
        """Scheme, host and port by which browsers reach the portal."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def host_name(self) -> str:
        """Only the host, without scheme and port."""
        return urlsplit(self.origin).hostname or ""

    @property
    def https(self) -> bool:
        """Whether browsers reach the portal over TLS."""
        return self.origin.startswith("https://")

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The values that an Origin header may have. In demo mode the loopback names are equivalent."""
        loopback = (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}")
        return tuple(dict.fromkeys((self.origin, *loopback))) if self.demo else (self.origin,)

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """The names that a Host header may have, without ports. In demo mode they include those of the loopback."""
        named = {urlsplit(origin).hostname or "" for origin in self.allowed_origins}
        return frozenset({*named, *self.allowed_hosts, *(("::1",) if self.demo else ())} - {""})

    @property
    def host_is_an_address(self) -> bool:
        """Whether browsers reach the portal by a bare IP address. No device makes a passkey for one."""
        try:
            ip_address(urlsplit(self.origin).hostname or "")
        except ValueError:
            return False
        return True

    @property
    def passkey_host(self) -> str:
        """The host that passkeys are made for (the RP ID). Empty if they are off. Danger: if it changes, every passkey is lost."""
        on = self.passkeys and not self.host_is_an_address
        return urlsplit(self.origin).hostname or "" if on else ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which patients read the clock."""
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> str:
        """SQLAlchemy address with an async driver."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'medonline.sqlite3'}"

    @property
    def key(self) -> bytes:
        """The key for codes and lookups."""
        return self.secret_key.get_secret_value().encode()

    @property
    def other_keys(self) -> tuple[bytes, ...]:
        """Keys besides the current one that open, find and verify: the next one, if there is one, and the earlier ones."""
        return tuple(filter(None, (self.next_key, *self.older_keys)))

    @property
    def telegram_report_url(self) -> str | None:
        """Where the gateway reports delivery. The gateway requires https; the stand-in accepts http too."""
        if not self.telegram_reports or not (self.https or self.demo):
            return None
        return f"{self.inner_url if self.demo else self.origin}{routes.TELEGRAM_REPORT}"

    @property
    def ucaller_call_url(self) -> str:
        """Where uCaller reports a call. A token for each call is appended."""
        return f"{self.inner_url if self.demo else self.origin}{routes.UCALLER_CALL}"

    @property
    def max_webhook_url(self) -> str | None:
        """Where MAX posts the events of chats. It requires https on port 443. None: the portal asks MAX once a second."""
        return f"{self.origin}{routes.MAX_UPDATES}" if self.max_webhook and self.https and not self.demo else None

    @property
    def inner_url(self) -> str:
        """The portal's own address on this machine, by which the stand-ins are reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def code_policy(self) -> CodePolicy:
        """Lifetime, guesses and pauses of one-time codes."""
        life = {name: getattr(self, f"code_life_{name}") for name in ChannelName}
        return CodePolicy(life, self.code_guesses, self.resend_pauses, self.codes_per_phone)

    @property
    def doubts(self) -> list[str]:
        """Settings that are allowed but nearly always wrong: one English sentence each, for a warning at the start and for `doctor`."""
        doubts = []
        if self.passkeys and self.host_is_an_address:
            doubts.append(
                "MEDONLINE_PUBLIC_URL has an IP address for a host, and no device makes passkeys for one: sign-in by fingerprint, "
                "face or PIN is off. Use a name (`localhost` for a trial), or write MEDONLINE_PASSKEYS=false."
            )
        if not self.https or self.trusted_proxy_hops:
            return doubts
        return [
            *doubts,
            "MEDONLINE_TRUSTED_PROXY_HOPS is 0, and MEDONLINE_PUBLIC_URL is https, which only a proxy in front of the portal can "
            "speak: all patients then share the limits of the proxy's address. Write how many "
            "proxies of your own there are, as 1.",
        ]

    @property
    def switch_policy(self) -> SwitchPolicy:
        """When a way of getting a code is switched off automatically."""
        return SwitchPolicy(self.channel_off_below_percent, self.identity_provider is not IdentityProviderName.NONE)

    @property
    def longest_password_minimum(self) -> int:
        """A password of this length satisfies every minimum."""
        return max(self.password_min_length_recovery, self.password_min_length_settings)

    @property
    def recovery_password_policy(self) -> PasswordPolicy:
        """The rules of step 3 (guide G18)."""
        return PasswordPolicy(self.password_min_length_recovery, self.password_characters)

    @property
    def settings_password_policy(self) -> PasswordPolicy:
        """The rules of the settings (guide G12), and of accounts that an operator makes."""
        return PasswordPolicy(self.password_min_length_settings, self.password_characters)

    @model_validator(mode="before")
    @classmethod
    def _demo_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("mode") not in (Mode.DEMO, Mode.STAGING):
            return values
        if values["mode"] == Mode.STAGING:
            return _with_stand_ins(values)
        stand_in = f"http://127.0.0.1:{values.get('port', 8000)}{routes.SANDBOX}"
        if not has_possible_port(urlsplit(stand_in)):
            return values  # refused under its own name; errors that only follow from it are not reported
        data_dir = Path(values.get("data_dir", "var"))
        demo = {**stand_ins(stand_in, data_dir), "drain": "0 s", **demo_limits(), **demo_mail(data_dir)}
        demo["code_channels"] = tuple(ChannelName)  # somebody who tries the demo finds every way that exists
        if not values.get("secret_key"):
            values["secret_key"] = demo_key(data_dir)
        return {**demo, **{name: value for name, value in values.items() if value != ""}}

    @model_validator(mode="after")
    def _refuse_nonsense(self) -> Config:
        faults = [*self._general_faults(), *self.identity_faults(), *self.limits_faults(), *self.mail_faults()]
        if self.mode is Mode.STAGING:
            faults += self.staging_faults(self._keys)
        faults += [] if self.demo else self._production_faults()
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _general_faults(self) -> list[str]:
        faults = self.records_faults(self.origin) + self.key_faults(self.key) + self.codes_faults() + self.ca_faults()
        faults += self.sms_faults(self.host_name) + self.database_faults()
        address = urlsplit(self.public_url)
        if address.path or address.query or address.fragment or "@" in address.netloc:
            faults.append(
                "MEDONLINE_PUBLIC_URL is scheme and host alone, as 'https://portal.example.ru': the portal is served at the root of "
                "its host, and no browser names a path where it says where it comes from."
            )
        if not self.public_url.isascii():
            written = _as_browsers_write_it(address.hostname or "")
            faults.append(
                f"MEDONLINE_PUBLIC_URL has a host that browsers write otherwise: put '{address.scheme}://{written}' there."
            )
        if ChannelName.MAX in self.code_channels and self.max_webhook_url and address.port not in (None, 443):
            faults.append(
                "MEDONLINE_MAX_WEBHOOK: MAX posts to port 443 alone, and MEDONLINE_PUBLIC_URL has another. For a trial with one process "
                "write MEDONLINE_MAX_WEBHOOK=false, and the portal asks."
            )
        if not is_database(self.database):
            # The value is not repeated, because it contains a password.
            faults.append(
                "MEDONLINE_DATABASE_URL is not a database the portal works with: write it as "
                "'sqlite:////var/lib/medonline/medonline.sqlite3' or 'postgresql+psycopg://user:password@host/database'."
            )
        if len(self.key) < MIN_KEY_BYTES:
            faults.append(
                f"MEDONLINE_SECRET_KEY is missing or shorter than {MIN_KEY_BYTES} characters: make one with {_MAKING_A_KEY}."
            )
        return faults

    @property
    def _keys(self) -> tuple[bytes, ...]:
        return self.key, self.next_key, *self.older_keys

    def _production_faults(self) -> list[str]:
        """Faults in production. They apply to staging too, except for the stand-ins."""
        real = self.mode is Mode.PRODUCTION
        faults = self.boundary_faults() + (self.faults_of_staging_elsewhere(self._keys) if real else [])
        if len(self.key) >= MIN_KEY_BYTES and has_low_variety(self.key):
            faults.append(
                f"MEDONLINE_SECRET_KEY repeats itself, so it can be guessed: make a random one with {_MAKING_A_KEY}."
            )
        if len(self.next_key) >= MIN_KEY_BYTES and has_low_variety(self.next_key):
            faults.append(
                "MEDONLINE_NEXT_SECRET_KEY repeats itself, so it can be guessed: `medonline keys new` makes a random one."
            )
        if not self.https:
            faults.append("MEDONLINE_PUBLIC_URL must be the portal's https address, as 'https://portal.example.ru'.")
        notices = {NoticeProvider.SMS_RU: SmsProvider.SMS_RU, NoticeProvider.SMS_AERO: SmsProvider.SMS_AERO}
        notices_by = notices.get(self.notice_provider)
        faults += self.delivery_faults(notices_by=notices_by, real=real)
        faults += self.plain_http_faults(self.delivery_addresses(notices_by=notices_by))
        faults += self.plain_http_faults({"MEDONLINE_TRACES_URL": self.traces_url} if self.traces_url else {})
        faults += self.store_faults(self.limits_storage.get_secret_value(), self.database, self.proxies)
        faults += self.mail_boundary_faults(self.is_plain_allowed)
        return faults + self.outside_faults(self.plain_http_faults, real=real)


def _as_browsers_write_it(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return "xn--…"


def _with_stand_ins(values: dict[str, Any]) -> dict[str, Any]:
    """Staging's settings. If their address is not set, the stand-ins are left out, and another check reports that."""
    url, folder = str(values.get("sandbox_url", "")).rstrip("/"), Path(values.get("sandbox_keys") or "")
    if not url or not has_demo_keys(folder):
        return values
    return {**stand_ins(url, folder), **{name: value for name, value in values.items() if value != ""}}


def load_config(**overrides: Any) -> Config:
    """Read the environment.

    Raises:
        ConfigurationError: one sentence per fault. No sentence repeats a secret value.
    """
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith("MEDONLINE_")
        and name.removeprefix("MEDONLINE_").lower() not in Config.model_fields
        and setting_of(name) is None
    )
    secrets, faults = read_secrets(os.environ)
    faults += [_not_a_setting(name) for name in unknown]
    if faults:
        raise ConfigurationError("\n".join(faults))
    try:
        return Config(**(secrets | overrides))
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentences(error))) from None


def _not_a_setting(name: str) -> str:
    instead = GONE.get(name.removeprefix("MEDONLINE_").lower())
    if instead is None:
        return f"{name} is not a setting: check its spelling."
    return (
        f"{name} is not a setting any more: what is suspicious is counted now. "
        f"Take it out, or set MEDONLINE_{instead.upper()}, which counts something else (docs/operations.md)."
    )


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for fault in error.errors(include_input=False, include_url=False):
        text = fault["msg"].removeprefix("Value error, ")
        name = "_".join(str(part) for part in fault["loc"][:1]).upper()
        sentences.append(f"MEDONLINE_{name}: {text}." if name else text)
    return sentences
