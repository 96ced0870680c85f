"""Secrets in files: read at the start, refused by name, never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from medonline.config.secret_files import LARGEST, SECRETS, setting_of
from medonline.config.settings import Config, ConfigurationError, load_config

KEY = "a-key-of-a-file-of-more-than-32-characters"


@pytest.fixture(autouse=True)
def _demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDONLINE_MODE", "demo")
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(tmp_path))


def test_a_secret_is_what_the_file_holds_without_the_space_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(f"  {KEY}\n\n")
    monkeypatch.setenv("MEDONLINE_SECRET_KEY_FILE", str(file))

    assert load_config().key == KEY.encode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b" \n", "it is empty"),
        (b"\xff\xfe canary", "it is no text"),
        (b"canary" * LARGEST, "it is over 16 KB, and no secret is so long"),
    ],
)
def test_a_file_that_holds_none_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, why: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("MEDONLINE_TELEGRAM_TOKEN_FILE", str(file))
    with pytest.raises(ConfigurationError) as refused:
        load_config()

    assert str(refused.value) == f"MEDONLINE_TELEGRAM_TOKEN_FILE names {file}, which cannot be read: {why}."
    assert "canary" not in str(refused.value)


def test_a_secret_in_both_places_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    monkeypatch.setenv("MEDONLINE_SECRET_KEY_FILE", str(file))
    monkeypatch.setenv("MEDONLINE_SECRET_KEY", KEY)
    with pytest.raises(ConfigurationError) as refused:
        load_config()

    assert str(refused.value) == "MEDONLINE_SECRET_KEY_FILE and MEDONLINE_SECRET_KEY are both there: take one out."


def test_what_is_no_secret_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_PORT_FILE", "/etc/port")
    with pytest.raises(ConfigurationError, match="MEDONLINE_PORT_FILE is not a setting"):
        load_config()


def test_every_secret_setting_may_be_in_a_file() -> None:
    secret = {name for name, field in Config.model_fields.items() if field.annotation is SecretStr}

    assert {*SECRETS} == secret | {"database_url"}
    assert {setting_of(f"MEDONLINE_{name.upper()}_FILE") for name in SECRETS} == {*SECRETS}
    assert not {f"{name}_file" for name in SECRETS} & set(Config.model_fields)
