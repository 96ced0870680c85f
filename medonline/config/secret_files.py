"""Secrets in files: `MEDONLINE_…_FILE` names the file that holds the value of `MEDONLINE_…`.

Every process of the same user can read an environment, and crash reports and `docker inspect` copy it. A file that the service manager
mounts is safe from that (systemd `LoadCredential=`, secrets of containers).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SECRETS = (
    "secret_key",
    "old_secret_keys",
    "next_secret_key",
    "database_url",
    "limits_storage",
    "telegram_token",
    "ucaller_key",
    "sms_ru_api_id",
    "sms_aero_api_key",
    "max_token",
    "oidc_client_secret",
    "esia_signer_token",
    "card_registry_token",
    "metrics_token",
    "outgoing_proxy",
    "telegram_proxy",
    "ucaller_proxy",
    "sms_ru_proxy",
    "sms_aero_proxy",
    "max_proxy",
    "oidc_proxy",
    "esia_proxy",
    "esia_signer_proxy",
    "card_registry_proxy",
    "breached_passwords_proxy",
    "smtp_password",
)
LARGEST = 16 * 1024
_PREFIX, _SUFFIX = "MEDONLINE_", "_FILE"


def setting_of(name: str) -> str | None:
    """The name of the secret whose file this environment variable names. None for any other variable."""
    setting = name.removeprefix(_PREFIX).removesuffix(_SUFFIX).lower()
    return setting if name == f"{_PREFIX}{setting.upper()}{_SUFFIX}" and setting in SECRETS else None


def read_secrets(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The secrets in the files, by setting and without surrounding white space; and one English sentence for each fault. No sentence
    repeats what a file holds."""
    found: dict[str, str] = {}
    faults = []
    for name, file in environment.items():
        setting = setting_of(name)
        if setting is None or not file:
            continue
        if environment.get(f"{_PREFIX}{setting.upper()}"):
            faults.append(f"{name} and {_PREFIX}{setting.upper()} are both there: take one out.")
            continue
        try:
            found[setting] = _content(Path(file))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            faults.append(f"{name} names {file}, which cannot be read: {why}.")
    return found, faults


def _content(file: Path) -> str:
    """Raises: OSError, ValueError."""
    with file.open("rb") as opened:
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        msg = f"it is over {LARGEST // 1024} KB, and no secret is so long"
        raise ValueError(msg)
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        msg = "it is no text"
        raise ValueError(msg) from None
    if not text:
        msg = "it is empty"
        raise ValueError(msg)
    return text
