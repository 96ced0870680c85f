"""Codes in the messenger MAX, sent by the operator's own bot (https://dev.max.ru/docs-api).

A bot may not write first. The link on the screen opens the chat. MAX reports what happens there as updates (`max_updates.py`): it posts
them to the portal, or the portal fetches them where there is no webhook. `services/codes/chats.py` decides when a code may go into the
chat. The certificate of the API comes from the Russian state's root. Only this client trusts that root (`MEDONLINE_MAX_CA_FILE`).
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused, ProviderDown, ProviderRefused
from medonline.providers.codes.max_updates import KINDS, update_of
from medonline.providers.http import JsonClient, parse_json, persistently
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.values import reference_of
from medonline.services.ports import ChatUpdate, CodeMessage, DeliveryReport, ForgedUpdate, SentCode

log = logging.getLogger(__name__)

_ME, _MESSAGES, _SUBSCRIPTIONS, _UPDATES = "/me", "/messages", "/subscriptions", "/updates"


class MaxBot:
    """Sends a code into the chat that waits for it. `text` makes the message of a code. `name`: the bot's name as in its link.

    webhook_url: where MAX posts updates, with `webhook_secret` in a header. None: the portal fetches them.
    """

    provider = "max_bot"
    # The API has no idempotency key: a repeated request sends a second message.
    idempotent = False

    def __init__(
        self,
        base_url: str,
        token: str,
        text: Callable[[str], str],
        *,
        name: str,
        link_url: str,
        webhook_url: str | None,
        webhook_secret: str,
        outgoing: Outgoing = DIRECT,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._token, self._text = token, text
        self._chat = f"{link_url}/{name}?start="
        self._webhook_url, self._webhook_secret = webhook_url, webhook_secret
        self._marker: int | None = None
        self._client = JsonClient(
            base_url,
            name=self.provider,
            headers={"Authorization": token},
            timeout=timeout,
            outgoing=outgoing,
            transport=transport,
        )

    @property
    def by_webhook(self) -> bool:
        """Whether MAX posts updates to the portal."""
        return self._webhook_url is not None

    def link(self, token: str) -> str:
        """The deep link. On a phone it opens the app in the chat with the bot."""
        return self._chat + token

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Write the code into the chat, once.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        if message.chat_id is None:
            raise NumberRefused("max_bot: the chat was ended")
        return SentCode(await self._write(message.chat_id, self._text(message.code)), message.code)

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Always DELIVERED: an accepted message is in the chat, which the patient has open."""
        return DeliveryReport.DELIVERED

    async def report_entered(self, provider_ref: str, code: str) -> None:
        """Delete the used code from the chat. It fails silently."""
        with suppress(DeliveryFailed):
            await self._client.delete(_MESSAGES, params={"message_id": provider_ref})

    async def say(self, chat_id: int, text: str, *, contact_button: str = "") -> None:
        """Write into a chat. It may write twice rather than not at all.

        Raises:
            DeliveryFailed: one of its subclasses.
        """
        await persistently(partial(self._write, chat_id, text, contact_button))

    async def _write(self, chat_id: int, text: str, contact_button: str = "") -> str:
        buttons = [[{"type": "request_contact", "text": contact_button}]]
        keyboard = [{"type": "inline_keyboard", "payload": {"buttons": buttons}}] if contact_button else []
        answer = await self._client.post(f"{_MESSAGES}?chat_id={chat_id}", json={"text": text, "attachments": keyboard})
        _refuse(answer)
        body = answer.get("message", {}).get("body", {}) if isinstance(answer.get("message"), dict) else {}
        return reference_of(body.get("mid") if isinstance(body, dict) else None, self.provider)

    def read(self, secret: str, body: bytes) -> ChatUpdate | None:
        """Read one posted update. `secret`: the value of the header `X-Max-Bot-Api-Secret`.

        Raises:
            ForgedUpdate: the secret is wrong.
        """
        if not hmac.compare_digest(secret.encode(errors="replace"), self._webhook_secret.encode()):
            raise ForgedUpdate("wrong secret")
        try:
            return update_of(parse_json(body), self._token)
        except ValueError as error:
            log.warning("An update of a chat could not be read: %s", type(error).__name__)
            return None

    async def subscribe(self) -> None:
        """Have updates posted to `webhook_url`. MAX ends a subscription after eight hours without an answer, so the portal renews it
        regularly.

        Raises:
            DeliveryFailed: MAX did not accept the subscription.
        """
        asked = {"url": self._webhook_url, "update_types": list(KINDS), "secret": self._webhook_secret}
        answer = await self._client.post(_SUBSCRIPTIONS, json=asked, idempotent=True)
        _refuse(answer)
        if answer.get("success") is not True:
            raise ProviderRefused("max_bot: the subscription was not taken")

    async def updates(self) -> list[ChatUpdate]:
        """The updates since the last call. MAX keeps them for a day.

        Raises:
            DeliveryFailed: MAX gave no usable answer.
        """
        asked = {"limit": "100", "timeout": "0", "types": ",".join(KINDS)}
        if self._marker is not None:
            asked["marker"] = str(self._marker)
        _, answer = await self._client.get(_UPDATES, params=asked)
        _refuse(answer)
        marker, sent = answer.get("marker"), answer.get("updates")
        if isinstance(marker, int):
            self._marker = marker
        read = [update_of(one, self._token) for one in (sent if isinstance(sent, list) else ())]
        return [one for one in read if one is not None]

    async def check(self) -> str:
        """Check that MAX answers, accepts the token, and posts updates to the portal.

        Raises:
            DeliveryFailed: one of these fails.
        """
        reached = await self._client.reach(_ME)
        _, me = await self._client.get(_ME)
        _refuse(me)
        if me.get("is_bot") is not True:
            raise ProviderRefused("max_bot: the token is no bot's", of_key=True)
        if self._webhook_url is None:
            return f"{reached} The token is accepted. Updates are asked for: there is no webhook."
        _, answer = await self._client.get(_SUBSCRIPTIONS)
        _refuse(answer)
        found = answer.get("subscriptions")
        urls = [one.get("url") for one in (found if isinstance(found, list) else ()) if isinstance(one, dict)]
        if self._webhook_url not in urls:
            what = "max_bot: updates are not posted to the portal; a running one asks for them each hour"
            raise ProviderRefused(what, code="subscription")
        return f"{reached} The token is accepted. Updates are posted to {self._webhook_url}."

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _refuse(answer: Any) -> None:
    """Raise the error that an answer of the API means. It repeats nothing of the answer's text."""
    if not isinstance(answer, dict):
        raise ProviderRefused("max_bot: an answer that is no object", may_have_gone_out=True)
    code = answer.get("code")
    if code is None:
        return
    name = code if isinstance(code, str) and code.isascii() and code.replace(".", "").isalpha() else "unknown"
    if name.startswith("verify.token"):
        raise ProviderRefused("max_bot: the token is not accepted", code=name, of_key=True)
    if name.startswith("too.many"):
        raise ProviderDown("max_bot: asked too often", code=name, may_have_gone_out=False)
    if name.startswith("chat.denied"):
        raise NumberRefused("max_bot: the bot may not write there", code=name)
    if name.startswith(("chat", "dialog", "not.found")):
        raise NumberNotReachable("max_bot: there is no such chat", code=name)
    raise ProviderRefused(f"max_bot: refused ({name})", code=name)
