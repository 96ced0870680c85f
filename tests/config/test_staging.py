"""Staging: as production, with stand-ins on another host; the two take nothing of each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medonline.config.demo_keys import demo_credential, demo_identity_keys
from medonline.config.settings import Config, ConfigurationError, load_config
from tests.web.production import SETTINGS

KEY = "staging-8f2c4e6a1b3d5f7092847566aabbccdd"
SANDBOX = "https://sandbox.example.ru"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the stand-ins."""
    folder = tmp_path_factory.mktemp("sandbox")
    demo_identity_keys(folder)
    demo_credential(folder, "telegram")
    return folder


def staging(keys: Path, **changes: str) -> Config:
    settings = {
        "mode": "staging",
        "public_url": "https://staging.example.ru",
        "trusted_proxy_hops": "1",
        "secret_key": KEY,
        "sandbox_url": SANDBOX,
        "sandbox_keys": str(keys),
    }
    return load_config(**(settings | changes))


def production(**changes: str) -> Config:
    return load_config(**({name.lower(): value for name, value in SETTINGS.items()} | changes))


def test_every_vendor_is_a_stand_in_and_everything_else_as_in_production(keys: Path) -> None:
    config = staging(keys)

    addresses = (config.telegram_base_url, config.ucaller_base_url, config.sms_ru_base_url, config.esia_base_url)
    assert all(address.startswith(f"{SANDBOX}/") for address in (*addresses, config.card_registry_url))
    assert config.oidc_issuer == f"{SANDBOX}/gosuslugi/oidc"
    assert config.telegram_token.get_secret_value() == demo_credential(keys, "telegram")
    assert (config.demo, config.https) == (False, True)
    assert config.allowed_origins == ("https://staging.example.ru",)
    assert config.codes_per_block == production().codes_per_block
    assert staging(keys, identity_provider="oidc").identity_provider == "oidc"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sandbox_url": ""}, "MEDONLINE_SANDBOX_URL must be the https address of the stand-ins"),
        (
            {"sandbox_url": "http://sandbox.example.ru"},
            "MEDONLINE_SANDBOX_URL must be the https address of the stand-ins",
        ),
        ({"sandbox_keys": "/nowhere"}, "MEDONLINE_SANDBOX_KEYS must be a folder with demo.key and demo-keys"),
        ({"secret_key": SETTINGS["SECRET_KEY"]}, "MEDONLINE_SECRET_KEY must begin with 'staging-'"),
        ({"old_secret_keys": SETTINGS["SECRET_KEY"]}, "MEDONLINE_SECRET_KEY must begin with 'staging-'"),
        ({"next_secret_key": SETTINGS["SECRET_KEY"]}, "MEDONLINE_SECRET_KEY must begin with 'staging-'"),
        ({"public_url": "http://staging.example.ru"}, "MEDONLINE_PUBLIC_URL must be the portal's https address"),
    ],
    ids=str,
)
def test_staging_says_what_is_missing(keys: Path, changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        staging(keys, **changes)


def test_a_folder_without_keys_stays_empty(keys: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        staging(keys, sandbox_keys=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_keys_is_none(keys: Path, tmp_path: Path) -> None:
    shutil.copyfile(keys / "demo.key", tmp_path / "demo.key")
    with pytest.raises(ConfigurationError, match="MEDONLINE_SANDBOX_KEYS"):
        staging(keys, sandbox_keys=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["demo.key"]


def test_production_takes_nothing_of_a_staging(keys: Path) -> None:
    for changes, sentence in [
        ({"sandbox_url": SANDBOX}, "MEDONLINE_SANDBOX_URL and MEDONLINE_SANDBOX_KEYS belong to staging"),
        ({"sandbox_keys": str(keys)}, "MEDONLINE_SANDBOX_URL and MEDONLINE_SANDBOX_KEYS belong to staging"),
        ({"secret_key": KEY}, "is of a staging"),
        ({"old_secret_keys": KEY}, "is of a staging"),
        ({"telegram_token": demo_credential(keys, "telegram")}, "MEDONLINE_TELEGRAM_TOKEN holds a demo value"),
    ]:
        with pytest.raises(ConfigurationError, match=sentence):
            production(**changes)
