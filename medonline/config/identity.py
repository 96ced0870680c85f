"""Settings of sign-in through Gosuslugi, of the registry of cards, of notices and regions: a part of `Config`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from medonline import routes
from medonline.config.demo_keys import demo_credential, demo_identity_keys
from medonline.config.outside_names import OutsideNames, read_outside_names
from medonline.config.regions import read_regions
from medonline.config.types import Duration, OptionalUrl, UrlAsWritten
from medonline.domain.region import Region
from medonline.services.notices.new_devices import NewDeviceNotices


class IdentityProviderName(StrEnum):
    """The provider through which patients sign in with their state identity."""

    NONE = "none"
    OIDC = "oidc"
    ESIA = "esia"


class EsiaSigner(StrEnum):
    """The program that signs requests to ESIA."""

    HTTP = "http"
    COMMAND = "command"
    RSA = "rsa"


class NoticeProvider(StrEnum):
    """The vendor that sends notices (no codes) to phones."""

    NONE = "none"
    SMS_RU = "sms_ru"
    SMS_AERO = "sms_aero"


def _split(separator: str | None) -> BeforeValidator:
    def split(text: object) -> object:
        return tuple(part.strip() for part in text.split(separator) if part.strip()) if isinstance(text, str) else text

    return BeforeValidator(split)


Words = Annotated[tuple[str, ...], NoDecode, _split(None)]
Files = Annotated[tuple[Path, ...], NoDecode, _split(",")]
Command = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda text: tuple(shlex.split(text)) if isinstance(text, str) else text),
]
# Keys and claims come from these addresses: whoever changes them on the way can pose as anybody.
PROVES_IDENTITY = frozenset({"MEDONLINE_OIDC_ISSUER", "MEDONLINE_ESIA_BASE_URL"})
DEMO_ISSUER = "http://esia.sandbox.example/"


class IdentityConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals."""

    identity_provider: IdentityProviderName = IdentityProviderName.NONE
    identity_allow_unconfirmed: bool = False
    oidc_issuer: UrlAsWritten = ""  # compared exactly, so a final slash is kept
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: Words = ("openid", "profile", "phone", "email", "snils", "oms")
    oidc_logout_by_post: bool = True
    esia_base_url: OptionalUrl = "https://esia.gosuslugi.ru"
    esia_client_id: str = ""
    esia_issuer: str = "http://esia.gosuslugi.ru/"
    esia_keys: Files = ()
    esia_signer: EsiaSigner = EsiaSigner.HTTP
    esia_signer_url: OptionalUrl = ""
    esia_signer_token: SecretStr = SecretStr("")
    esia_signer_command: Command = ()
    esia_signer_reversed: bool = False
    esia_certificate_hash: str = ""
    esia_client_key_file: Path | None = None
    esia_client_certificate_file: Path | None = None
    esia_scopes: Words = ("openid", "fullname", "birthdate", "gender", "snils", "mobile", "email", "medical_doc")

    card_registry_url: OptionalUrl = ""
    card_registry_token: SecretStr = SecretStr("")
    notice_provider: NoticeProvider = NoticeProvider.NONE
    new_device_notices: NewDeviceNotices = NewDeviceNotices.ALL
    breached_passwords_url: OptionalUrl = ""
    operator_name: str = ""
    regions_file: Path | None = None
    outside_names_file: Path | None = None
    reauthentication_window: Duration = timedelta(minutes=15)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions this installation serves, at least one."""
        return read_regions(self.regions_file)

    @cached_property
    def outside_names(self) -> OutsideNames:
        """The names that the registry and the gateway use, where they differ from the defaults."""
        return read_outside_names(self.outside_names_file)

    def region(self, code: str) -> Region | None:
        """The region with this code, or the only region if there is just one; otherwise None."""
        if len(self.regions) == 1:
            return self.regions[0]
        return next((region for region in self.regions if region.code == code), None)

    def identity_faults(self) -> list[str]:
        """Settings that are missing or cannot be used, in any mode: one English sentence each."""
        faults = [f"{name} is missing: sign-in through Gosuslugi is switched on." for name in self._missing()]
        for name, path in self._files().items():
            if path is not None and not path.is_file():
                faults.append(f"{name}: there is no file {path}.")
        for name in ("regions", "outside_names"):
            try:
                getattr(self, name)
            except ValueError as error:
                faults.append(str(error))
        return faults

    def outside_faults(
        self, plain_http_faults: Callable[[Mapping[str, str]], list[str]], *, real: bool = True
    ) -> list[str]:
        """Faults in production: stand-ins, demo values, plain http where personal data or secrets travel.

        `plain_http_faults`: judges addresses for which the operator may allow plain http. Addresses that prove an identity may never use
        it.
        """
        faults = []
        for name, value in self._addresses().items():
            if routes.SANDBOX in urlsplit(value).path:
                faults.append(f"{name} points at the sandbox: in production a real provider is needed.")
            elif name in PROVES_IDENTITY and not value.startswith("https://"):
                faults.append(f"{name} must be an https address in production.")
            elif name not in PROVES_IDENTITY:
                faults += plain_http_faults({name: value})
        on = self.identity_provider is not IdentityProviderName.NONE
        if on and not self.operator_name.strip():
            faults.append("MEDONLINE_OPERATOR_NAME is missing: the consent to data processing must name the operator.")
        return faults + (self._demo_values() if real else [])

    def _demo_values(self) -> list[str]:
        secrets = {
            "MEDONLINE_OIDC_CLIENT_SECRET": self.oidc_client_secret,
            "MEDONLINE_CARD_REGISTRY_TOKEN": self.card_registry_token,
        }
        faults = [
            f"{name} holds a demo value: put the provider's own there."
            for name, value in secrets.items()
            if value.get_secret_value().startswith("demo-")
        ]
        if self.identity_provider is IdentityProviderName.ESIA and self.esia_signer is EsiaSigner.RSA:
            faults.append("MEDONLINE_ESIA_SIGNER is rsa, which only the stand-in takes: use http or command.")
        if self.identity_provider is IdentityProviderName.ESIA and self.esia_issuer == DEMO_ISSUER:
            faults.append("MEDONLINE_ESIA_ISSUER holds a demo value: put ESIA's own there.")
        return faults

    def _missing(self) -> list[str]:
        wanted: dict[str, object] = {}
        if self.identity_provider is IdentityProviderName.OIDC:
            wanted = {"OIDC_ISSUER": self.oidc_issuer, "OIDC_CLIENT_ID": self.oidc_client_id}
            wanted["OIDC_CLIENT_SECRET"] = self.oidc_client_secret.get_secret_value()
        elif self.identity_provider is IdentityProviderName.ESIA:
            wanted = {
                "ESIA_BASE_URL": self.esia_base_url,
                "ESIA_CLIENT_ID": self.esia_client_id,
                "ESIA_ISSUER": self.esia_issuer,
                "ESIA_KEYS": self.esia_keys,
                **self._wanted_by_signer(),
            }
        if self.card_registry_url:
            wanted["CARD_REGISTRY_TOKEN"] = self.card_registry_token.get_secret_value()
        return [f"MEDONLINE_{name}" for name, value in wanted.items() if not value]

    def _wanted_by_signer(self) -> dict[str, object]:
        if self.esia_signer is EsiaSigner.RSA:
            return {
                "ESIA_CLIENT_KEY_FILE": self.esia_client_key_file,
                "ESIA_CLIENT_CERTIFICATE_FILE": self.esia_client_certificate_file,
            }
        hash_ = {"ESIA_CERTIFICATE_HASH": self.esia_certificate_hash}
        if self.esia_signer is EsiaSigner.COMMAND:
            return {"ESIA_SIGNER_COMMAND": self.esia_signer_command, **hash_}
        return {"ESIA_SIGNER_URL": self.esia_signer_url, **hash_}

    def _files(self) -> dict[str, Path | None]:
        if self.identity_provider is not IdentityProviderName.ESIA:
            return {}
        keys = {f"MEDONLINE_ESIA_KEYS ({number})": path for number, path in enumerate(self.esia_keys, 1)}
        if self.esia_signer is not EsiaSigner.RSA:
            return {**keys}
        return {
            **keys,
            "MEDONLINE_ESIA_CLIENT_KEY_FILE": self.esia_client_key_file,
            "MEDONLINE_ESIA_CLIENT_CERTIFICATE_FILE": self.esia_client_certificate_file,
        }

    def _addresses(self) -> dict[str, str]:
        addresses = {
            "MEDONLINE_CARD_REGISTRY_URL": self.card_registry_url,
            "MEDONLINE_BREACHED_PASSWORDS_URL": self.breached_passwords_url,
        }
        if self.identity_provider is IdentityProviderName.OIDC:
            addresses["MEDONLINE_OIDC_ISSUER"] = self.oidc_issuer
        if self.identity_provider is IdentityProviderName.ESIA:
            addresses["MEDONLINE_ESIA_BASE_URL"] = self.esia_base_url
            if self.esia_signer is EsiaSigner.HTTP:
                addresses["MEDONLINE_ESIA_SIGNER_URL"] = self.esia_signer_url
        return {name: value for name, value in addresses.items() if value}


def demo_identity(stand_in: str, data_dir: Path) -> dict[str, Any]:
    """The settings of the demo: everything points to the stand-ins under `stand_in`, with this installation's own keys."""
    keys = demo_identity_keys(data_dir)
    return {
        "identity_provider": "esia",
        "oidc_issuer": f"{stand_in}/gosuslugi/oidc",
        "oidc_client_id": "MEDONLINE",
        "oidc_client_secret": demo_credential(data_dir, "oidc"),
        "esia_base_url": f"{stand_in}/gosuslugi",
        "esia_client_id": "MEDONLINE",
        "esia_issuer": DEMO_ISSUER,
        "esia_keys": (keys.provider_certificate,),
        "esia_signer": "rsa",
        "esia_client_key_file": keys.client_key,
        "esia_client_certificate_file": keys.client_certificate,
        "card_registry_url": f"{stand_in}/fhir",
        "card_registry_token": demo_credential(data_dir, "card-registry"),
        "notice_provider": "sms_ru",
        "operator_name": "учебный стенд «Медицина-онлайн» (ненастоящий оператор)",
    }
