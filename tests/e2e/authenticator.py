"""Chromium's virtual authenticator: a device that verifies its holder or does not, and answers at once."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


class Authenticator:
    """An authenticator in a page. `looks`: it checks a fingerprint, a face or the PIN."""

    def __init__(self, page: Page, *, looks: bool = True) -> None:
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": looks,
            "automaticPresenceSimulation": True,
        }
        self._id = self._tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    @property
    def keys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._tools.send("WebAuthn.getCredentials", self._me)["credentials"]
        return found

    def take(self, key: dict[str, Any], **changed: Any) -> None:
        """Copy the key of another authenticator into this one, so that it acts as the same device in another tab."""
        self._tools.send("WebAuthn.addCredential", {**self._me, "credential": {**key, **changed}})

    def look(self, looks: bool) -> None:
        self._tools.send("WebAuthn.setUserVerified", {**self._me, "isUserVerified": looks})

    @property
    def _me(self) -> dict[str, str]:
        return {"authenticatorId": self._id}
