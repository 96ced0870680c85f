"""Passwords known to have leaked, by Have I Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords).

The service never learns the password. The portal asks for all hashes that begin with the same five hex digits, about two thousand of
them, and compares the rest here. Padding hides the number of hashes from a listener.
"""

from __future__ import annotations

import hashlib
import logging
import re

import httpx

from medonline.domain.errors import DeliveryFailed
from medonline.providers.http import JsonClient
from medonline.providers.outgoing import DIRECT, Outgoing

log = logging.getLogger(__name__)

_PREFIX_DIGITS = 5
_LINE = re.compile(r"([0-9A-F]{35}):([0-9]{1,12})", re.ASCII)
# A padded answer has about 80 KB and grows with the list.
_MAX_ANSWER_BYTES = 512 * 1024


class PwnedPasswords:
    """Asks for a range of SHA-1 hashes. `timeout` is in seconds. The patient waits meanwhile, so keep it short."""

    def __init__(
        self,
        base_url: str = "https://api.pwnedpasswords.com",
        *,
        timeout: float = 1.0,
        outgoing: Outgoing = DIRECT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = JsonClient(
            base_url,
            name="pwned_passwords",
            headers={"Accept": "text/plain", "Add-Padding": "true"},
            timeout=timeout,
            max_answer_bytes=_MAX_ANSWER_BYTES,
            outgoing=outgoing,
            transport=transport,
        )

    async def contains(self, password: str) -> bool:
        """Whether the password is on the list. False when the service gives no usable answer."""
        # SHA-1 is only the key of the list. It protects nothing here.
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        prefix, suffix = digest[:_PREFIX_DIGITS], digest[_PREFIX_DIGITS:]
        # Fails open: a list that is down must not keep patients from setting a password.
        try:
            status, text = await self._client.get_text(f"/range/{prefix}")
        except DeliveryFailed as error:
            log.warning("The list of leaked passwords was not asked: %s", error.detail)
            return False
        lines = [_LINE.fullmatch(line.strip().upper()) for line in text.splitlines()]
        if status != 200 or not lines or None in lines:
            log.warning("The list of leaked passwords answered HTTP %d with something else than a list", status)
            return False
        # A count of 0 is padding.
        return any(line is not None and line[1] == suffix and int(line[2]) > 0 for line in lines)

    async def check(self) -> str:
        """Check that the service answers.

        Raises:
            DeliveryFailed: it does not answer.
        """
        return await self._client.reach("/range/00000")

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
