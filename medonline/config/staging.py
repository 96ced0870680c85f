"""Staging: a portal like production, but its vendors are stand-ins on another host. It never meets real patients.

Two things keep it apart from production. Production accepts no address and no credential of stand-ins. And every secret key of a staging
portal begins with `staging-`, which production refuses: the journal of a database names the key that it was written with, so neither one
starts with the other's database.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings

from medonline.config.demo_keys import demo_credential, has_demo_keys
from medonline.config.identity import demo_identity
from medonline.config.types import OptionalUrl

KEY_PREFIX = b"staging-"


class StagingConfig(BaseSettings):
    """Each field is `MEDONLINE_` plus its name in capitals.

    sandbox_url: the https address by which the portal and browsers reach the stand-ins.
    sandbox_keys: a folder with the secrets that the stand-ins and the portal share: a copy of the stand-ins' data folder.
    """

    sandbox_url: OptionalUrl = ""
    sandbox_keys: Path | None = None

    def staging_faults(self, keys: Iterable[bytes]) -> list[str]:
        """Settings that staging lacks: one English sentence each. `keys`: every secret key of the portal."""
        faults = []
        if urlsplit(self.sandbox_url).scheme != "https":
            faults.append("MEDONLINE_SANDBOX_URL must be the https address of the stand-ins (`medonline sandbox`).")
        if self.sandbox_keys is None or not has_demo_keys(self.sandbox_keys):
            faults.append(
                "MEDONLINE_SANDBOX_KEYS must be a folder with demo.key and demo-keys of the stand-ins: copy them from the data folder of "
                "`medonline sandbox`."
            )
        if any(key and not key.startswith(KEY_PREFIX) for key in keys):
            faults.append(
                f"MEDONLINE_SECRET_KEY must begin with '{KEY_PREFIX.decode()}' in staging, and so must every other key: so it opens no "
                "database of real patients."
            )
        return faults

    def faults_of_staging_elsewhere(self, keys: Iterable[bytes]) -> list[str]:
        """Staging values that production must not have."""
        faults = []
        if self.sandbox_url or self.sandbox_keys is not None:
            faults.append(
                "MEDONLINE_SANDBOX_URL and MEDONLINE_SANDBOX_KEYS belong to staging: production asks no stand-ins. Take them out, or set "
                "MEDONLINE_MODE=staging."
            )
        if any(key.startswith(KEY_PREFIX) for key in keys):
            faults.append("MEDONLINE_SECRET_KEY, or another key, is of a staging: production needs its own.")
        return faults


def stand_ins(url: str, folder: Path) -> dict[str, Any]:
    """The settings that lead to the stand-ins at an address, with the credentials from a folder."""
    return {
        "telegram_base_url": f"{url}/telegram",
        "telegram_token": demo_credential(folder, "telegram"),
        "ucaller_base_url": f"{url}/ucaller",
        "ucaller_key": demo_credential(folder, "ucaller"),
        "ucaller_service_id": "100001",
        "sms_ru_base_url": f"{url}/sms_ru",
        "sms_ru_api_id": demo_credential(folder, "sms-ru"),
        "sms_aero_base_url": f"{url}/sms_aero",
        "sms_aero_email": "demo@medonline.example",
        "sms_aero_api_key": demo_credential(folder, "sms-aero"),
        "sms_aero_sign": "medonline",
        "max_base_url": f"{url}/max/api",
        "max_token": demo_credential(folder, "max"),
        "max_bot": "medonline_bot",
        "max_link_url": f"{url}/max/open",
        **demo_identity(url, folder),
    }
