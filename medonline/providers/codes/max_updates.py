"""Updates of a MAX bot, as the messenger posts or lists them (https://dev.max.ru/docs-api).

Three implementations agree on the hash of a contact: the hex HMAC-SHA256 of `vcf_info` as parsed from JSON, keyed with the bot's token.
The manual does not name the key (?). A contact that a person picks by hand, their own or somebody else's, has no hash.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any

from medonline.domain.phone import PhoneNumber
from medonline.services.ports import ChatStarted, ChatStopped, ChatUpdate, ContactShared

KINDS = ("bot_started", "message_created", "bot_stopped")
_LONGEST_TOKEN = 128
_DIALOG = "dialog"
_LARGEST_ID = 2**63 - 1  # of a database column
_TEL = re.compile(r"^(?:[\w-]+\.)?TEL(?:;[^:]*)?:(?P<number>.*)$", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"\+?7\d{10}", re.ASCII)


def update_of(sent: Any, token: str) -> ChatUpdate | None:
    """One update; None for a kind that the portal does not use and for anything that is no update."""
    if not isinstance(sent, dict):
        return None
    kind, at = sent.get("update_type"), _number(sent.get("timestamp"))
    if kind == "message_created":
        return _contact(sent.get("message"), at, token)
    chat, user = _number(sent.get("chat_id")), _user(sent.get("user"))
    if user is None or kind not in KINDS:
        return None
    update_id = _update_id(kind, at, user, chat)
    if kind == "bot_stopped":
        return ChatStopped(update_id, user)
    payload = sent.get("payload")
    begun_with = payload if isinstance(payload, str) and len(payload) <= _LONGEST_TOKEN else ""
    return None if chat is None else ChatStarted(update_id, user, chat, begun_with)


def _contact(message: Any, at: int | None, token: str) -> ContactShared | None:
    parts = _dict(message)
    body, recipient, sender = _dict(parts.get("body")), _dict(parts.get("recipient")), _user(parts.get("sender"))
    chat, attachments = _number(recipient.get("chat_id")), body.get("attachments")
    contacts = [
        _dict(one.get("payload"))
        for one in (attachments if isinstance(attachments, list) else ())
        if isinstance(one, dict) and one.get("type") == "contact"
    ]
    # The bot answers nobody in a group.
    if sender is None or chat is None or not contacts or recipient.get("chat_type", _DIALOG) != _DIALOG:
        return None
    # A forwarded contact comes from somebody who shared it elsewhere.
    own = len(contacts) == 1 and recipient.get("chat_type") == _DIALOG and parts.get("link") is None
    phone = _own_phone(contacts[0], sender, token) if own else None
    return ContactShared(_update_id("message_created", at, sender, str(body.get("mid"))[:128]), sender, chat, phone)


def _update_id(kind: str, at: int | None, *parts: object) -> str:
    """An id by which a repeated update is recognised. An update without a time gets an id that never repeats."""
    return "|".join(map(str, (kind, secrets.token_hex(8) if at is None else at, *parts)))


def _own_phone(card: dict[str, Any], sender: int, token: str) -> PhoneNumber | None:
    text, given = card.get("vcf_info"), card.get("hash")
    if not isinstance(text, str) or not isinstance(given, str) or _user(card.get("max_info")) != sender:
        return None
    made = hmac.new(token.encode(), text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
    # As bytes, because compare_digest refuses text outside ASCII.
    if not hmac.compare_digest(made.encode(), given.lower().encode(errors="surrogatepass")):
        return None
    numbers = [found["number"].strip() for found in _TEL.finditer(text)]
    if len(numbers) != 1 or not _NUMBER.fullmatch(numbers[0]):
        return None
    return PhoneNumber.read(f"+{numbers[0].removeprefix('+')}")


def _user(sent: Any) -> int | None:
    return _number(_dict(sent).get("user_id"))


def _number(sent: Any) -> int | None:
    fits = isinstance(sent, int) and not isinstance(sent, bool) and abs(sent) <= _LARGEST_ID
    return sent if fits else None


def _dict(sent: Any) -> dict[str, Any]:
    return sent if isinstance(sent, dict) else {}
