"""What password managers ask of the portal by themselves."""

from __future__ import annotations

import pytest

from medonline.domain.passwords import PasswordPolicy
from tests.web.conftest import Browser


async def test_change_password_leads_to_the_settings(open_browser: Browser) -> None:
    answer = await open_browser().get("/.well-known/change-password")

    assert (answer.status_code, answer.headers["location"]) == (303, "/settings?focus=password")


@pytest.mark.parametrize(
    "name", ["resource-that-should-not-exist-whose-status-code-should-not-be-200", "", "assetlinks.json", "a/b"]
)
async def test_what_is_not_well_known_is_a_true_404(open_browser: Browser, name: str) -> None:
    answer = await open_browser().get(f"/.well-known/{name}")

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


async def test_a_suggested_password_fits_is_new_each_time_and_is_stored_nowhere(open_browser: Browser) -> None:
    answers = [await open_browser().get("/passwords/suggestion") for _ in range(3)]
    passwords = {answer.json()["password"] for answer in answers}

    assert len(passwords) == 3
    assert all(PasswordPolicy(8).check(password) == password for password in passwords)
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
