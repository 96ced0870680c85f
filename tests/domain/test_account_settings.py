"""A change of the settings: what is in it, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime

from medonline.domain.account_settings import NO_CHANGE, SettingsChange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_what_stays_as_it_is_is_not_in_a_change() -> None:
    assert SettingsChange(email="anna@example.ru").values() == {"email": "anna@example.ru"}
    assert NO_CHANGE.values() == {}


def test_an_emptied_field_is_a_change() -> None:
    assert SettingsChange(email="").changed == ("email",)


def test_a_change_is_told_in_the_order_of_the_form_and_without_the_proof_of_its_phone() -> None:
    change = SettingsChange(phone="+79000001002", phone_proved_at=NOW, password_hash="x", last_name="Ли", email="")

    assert change.changed == ("email", "last_name", "password_hash", "phone")
    assert list(change.values()) == [*change.changed, "phone_proved_at"]
