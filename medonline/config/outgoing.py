"""Settings of the requests to vendors: a proxy, and trusted roots besides the public ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import AfterValidator, SecretStr
from pydantic_settings import BaseSettings

from medonline.config.types import has_possible_port

DIRECT = "direct"
_LARGEST = 1024 * 1024


def _proxy(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    parts = urlsplit(address)
    fits = parts.scheme in ("http", "https") and parts.hostname and not parts.path and has_possible_port(parts)
    if address not in ("", DIRECT) and not fits:
        msg = f"is no proxy; write it as 'http://proxy.internal:3128', or as '{DIRECT}' for none"  # it may hold a password
        raise ValueError(msg)
    return value


Proxy = Annotated[SecretStr, AfterValidator(_proxy)]
NO_PROXY = SecretStr("")


class OutgoingConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals. A vendor's own setting replaces the one for all vendors. The proxy `direct`
    means none."""

    outgoing_proxy: Proxy = NO_PROXY
    ca_file: Path | None = None
    telegram_proxy: Proxy = NO_PROXY
    telegram_ca_file: Path | None = None
    ucaller_proxy: Proxy = NO_PROXY
    ucaller_ca_file: Path | None = None
    sms_ru_proxy: Proxy = NO_PROXY
    sms_ru_ca_file: Path | None = None
    sms_aero_proxy: Proxy = NO_PROXY
    sms_aero_ca_file: Path | None = None
    max_proxy: Proxy = NO_PROXY
    max_ca_file: Path | None = None
    oidc_proxy: Proxy = NO_PROXY
    oidc_ca_file: Path | None = None
    esia_proxy: Proxy = NO_PROXY
    esia_ca_file: Path | None = None
    esia_signer_proxy: Proxy = NO_PROXY
    esia_signer_ca_file: Path | None = None
    card_registry_proxy: Proxy = NO_PROXY
    card_registry_ca_file: Path | None = None
    breached_passwords_proxy: Proxy = NO_PROXY
    breached_passwords_ca_file: Path | None = None
    smtp_ca_file: Path | None = None  # there is no proxy setting: HTTP proxies carry no mail
    traces_ca_file: Path | None = None

    def proxy_for(self, vendor: str) -> str:
        """The proxy for requests to a vendor (`vendor`: the prefix of its settings). Empty: no proxy."""
        own: SecretStr = getattr(self, f"{vendor}_proxy")
        proxy = own.get_secret_value() or self.outgoing_proxy.get_secret_value()
        return "" if proxy == DIRECT else proxy

    def ca_file_for(self, vendor: str) -> Path | None:
        """The file with the roots that are trusted for a vendor, besides the public ones."""
        own: Path | None = getattr(self, f"{vendor}_ca_file")
        return own or self.ca_file

    @property
    def proxies(self) -> dict[str, str]:
        """Every proxy address, by the name of its setting."""
        named = {name: value.get_secret_value() for name, value in self if name.endswith("_proxy")}
        return {f"MEDONLINE_{name.upper()}": value for name, value in named.items() if value not in ("", DIRECT)}

    @property
    def ca_files(self) -> dict[str, Path]:
        """Every file of roots, by the name of its setting."""
        named = {name: value for name, value in self if name == "ca_file" or name.endswith("_ca_file")}
        return {f"MEDONLINE_{name.upper()}": value for name, value in named.items() if value is not None}

    def ca_faults(self) -> list[str]:
        """Files of roots that cannot be used, in any mode: one English sentence each."""
        faults = []
        for name, path in self.ca_files.items():
            try:
                ca_ends(path)
            except OSError as error:
                faults.append(f"{name} names {path}, which cannot be read: {error.strerror}.")
            except ValueError:
                faults.append(f"{name} names {path}, which is no PEM file of certificates.")
        return faults


def ca_ends(path: Path) -> Mapping[str, datetime]:
    """When each certificate of a PEM file expires (UTC), by its subject.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file has no certificate, or something that is not one.
    """
    with path.open("rb") as opened:
        pem = opened.read(_LARGEST)
    return {one.subject.rfc4514_string(): one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem)}
