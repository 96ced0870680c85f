"""Stand-in of the messenger MAX: the API of bots (https://dev.max.ru/docs-api), and the chat of each demo phone with the bot.

Every number has an account whose id is the number's digits. Events of a chat are posted to the webhook if one is subscribed, and repeated
up to ten times until they are accepted. Without a webhook they wait for `/updates`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox import magic
from medonline.sandbox.code_faults import CodeFaults, Fault, Vendor, refused_key
from medonline.sandbox.requests import parameters, same
from medonline.sandbox.settings import SandboxSettings
from medonline.sandbox.store import Store

log = logging.getLogger(__name__)

SENDER = "Медицина-онлайн"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS max_update (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS max_message (mid TEXT PRIMARY KEY, phone TEXT NOT NULL, text TEXT NOT NULL, button TEXT NOT NULL,
    event INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS max_subscription (url TEXT PRIMARY KEY, secret TEXT NOT NULL);
"""
_CHATS_FROM = 5_000_000_000_000
_LONGEST_TEXT, _LONGEST_BUTTON, _MOST_UPDATES = 4000, 128, 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}")
_ANSWER_WITHIN, _RETRIES, _LONGER = 5.0, 10, 2.5


class MaxStandIn:
    """The methods of the API, and the acts of people in their chats."""

    def __init__(self, settings: SandboxSettings, store: Store, faults: CodeFaults) -> None:
        self._token, self._pace = settings.max_token, settings.delivery_pace
        self._slow_answer, self._store, self._faults = settings.slow_answer, store, faults
        self._posting: set[asyncio.Task[None]] = set()
        store.add_tables(_SCHEMA)

    def routes(self) -> list[Route]:
        """The routes of the methods, relative to the API's base URL."""
        return [
            Route("/me", self._me, methods=["GET"]),
            Route("/messages", self._send, methods=["POST"]),
            Route("/messages", self._delete, methods=["DELETE"]),
            Route("/subscriptions", self._subscribed, methods=["GET"]),
            Route("/subscriptions", self._subscribe, methods=["POST"]),
            Route("/subscriptions", self._unsubscribe, methods=["DELETE"]),
            Route("/updates", self._updates, methods=["GET"]),
        ]

    async def close(self) -> None:
        """Cancel the pending posts."""
        tasks = [task for task in self._posting if task.get_loop() is asyncio.get_running_loop()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _me(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        return JSONResponse({"user_id": 1, "first_name": SENDER, "username": "medonline_bot", "is_bot": True})

    async def _send(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        phone = _phone_of(request.query_params.get("chat_id", ""), request.query_params.get("user_id", ""))
        if phone is None:
            return _refused(404, "chat.not.found")
        broken = magic.broken_answer(phone)
        if broken is not None:
            return broken
        if not magic.reachable(phone):
            return _refused(403, "chat.denied")
        given = await parameters(request)
        text, button = given.get("text"), _button(given.get("attachments"))
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_TEXT or button is None:
            return _refused(400, "proto.payload")
        mid = await asyncio.to_thread(self._keep, phone, text, button)
        await magic.slow_down(phone, self._slow_answer)
        body = {"mid": mid, "seq": int(time.time() * 1000), "text": text, "attachments": []}
        return JSONResponse({"message": {"timestamp": int(time.time() * 1000), "body": body}})

    def _keep(self, phone: str, text: str, button: str) -> str:
        mid = f"mid.{secrets.token_hex(16)}"
        with self._store.transaction() as sql:
            self._store.insert_event(sql, phone, "max", SENDER, text)
            event = sql.execute("SELECT max(id) FROM event").fetchone()[0]
            sql.execute("INSERT INTO max_message VALUES (?, ?, ?, ?, ?)", (mid, phone, text, button, event))
            self._store.keep_newest(sql, "max_message")
        return mid

    async def _delete(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        known = await asyncio.to_thread(self._drop, request.query_params.get("message_id", ""))
        return JSONResponse({"success": True}) if known else _refused(404, "not.found")

    def _drop(self, mid: str) -> bool:
        with self._store.transaction() as sql:
            row = sql.execute("DELETE FROM max_message WHERE mid = ? RETURNING event", (mid,)).fetchone()
            if row is not None:
                sql.execute("DELETE FROM event WHERE id = ?", (row["event"],))
        return row is not None

    async def _subscribed(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        hooks = await asyncio.to_thread(self._hooks)
        return JSONResponse({"subscriptions": [{"url": url} for url in hooks]})

    async def _subscribe(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        given = await parameters(request)
        url, secret = str(given.get("url", "")), str(given.get("secret", ""))
        if not url.startswith(("https://", "http://127.0.0.1")) or not _SECRET.fullmatch(secret):
            return JSONResponse({"success": False, "message": "url or secret"})
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO max_subscription VALUES (?, ?)", (url, secret))
        return JSONResponse({"success": True})

    async def _unsubscribe(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        with self._store.transaction() as sql:
            sql.execute("DELETE FROM max_subscription WHERE url = ?", (request.query_params.get("url", ""),))
        return JSONResponse({"success": True})

    async def _updates(self, request: Request) -> Response:
        if not self._knows(request):
            return refused_key(Vendor.MAX)
        marker = request.query_params.get("marker", "0")
        since = int(marker) if marker.isascii() and marker.isdigit() and len(marker) < 19 else 0
        rows = await asyncio.to_thread(self._waiting, since)
        last = rows[-1][0] if rows else since
        return JSONResponse({"updates": [json.loads(body) for _, body in rows], "marker": last})

    def _waiting(self, since: int) -> list[tuple[int, str]]:
        with self._store.transaction() as sql:
            found = sql.execute(
                "SELECT id, body FROM max_update WHERE id > ? ORDER BY id LIMIT ?", (since, _MOST_UPDATES)
            ).fetchall()
        return [(int(row["id"]), str(row["body"])) for row in found]

    def _hooks(self) -> dict[str, str]:
        with self._store.transaction() as sql:
            found = sql.execute("SELECT url, secret FROM max_subscription").fetchall()
        return {str(row["url"]): str(row["secret"]) for row in found}

    def _knows(self, request: Request) -> bool:
        return same(request.headers.get("Authorization", ""), self._token)

    def chat(self, phone: str) -> list[tuple[str, str]]:
        """The bot's messages to a phone, oldest first. Each is the text, and the label of a button that asks for the contact."""
        with self._store.transaction() as sql:
            found = sql.execute(
                "SELECT text, button FROM max_message WHERE phone = ? ORDER BY rowid", (phone,)
            ).fetchall()
        return [(str(row["text"]), str(row["button"])) for row in found]

    async def begin(self, phone: str, payload: str) -> None:
        """«Начать»."""
        update = self._of_chat("bot_started", phone) | ({"payload": payload} if payload else {})
        await self._tell(update)

    async def stop(self, phone: str) -> None:
        """The person stops the bot."""
        await self._tell(self._of_chat("bot_stopped", phone))

    async def share(self, phone: str, *, card_of: str = "", by_hand: bool = False, forwarded: bool = False) -> None:
        """Send a contact. By default it is the person's own, sent by the button. With `card_of` it is another number's, and with
        `by_hand` it is sent without the button: both have no hash. With `forwarded` it has the hash of its first sending."""
        owner = card_of or phone
        card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:{owner[1:]}\r\nFN:Анна\r\nEND:VCARD\r\n"
        payload: dict[str, Any] = {"vcf_info": card, "max_info": {"user_id": int(owner[1:])}}
        if not by_hand and not card_of:
            payload["hash"] = hmac.new(self._token.encode(), card.encode(), hashlib.sha256).hexdigest()
        now, user = int(time.time() * 1000), {"user_id": int(phone[1:]), "is_bot": False}
        message: dict[str, Any] = {
            "sender": user,
            "recipient": {"chat_id": _chat_of(phone), "chat_type": "dialog", "user_id": 1},
            "timestamp": now,
            "body": {
                "mid": f"mid.{secrets.token_hex(16)}",
                "seq": now,
                "text": None,
                "attachments": [{"type": "contact", "payload": payload}],
            },
        }
        if forwarded:
            message["link"] = {"type": "forward", "sender": user, "message": {"mid": f"mid.{secrets.token_hex(16)}"}}
        await self._tell({"update_type": "message_created", "timestamp": now, "message": message, "user_locale": "ru"})

    def _of_chat(self, kind: str, phone: str) -> dict[str, Any]:
        user = {"user_id": int(phone[1:]), "first_name": "Анна", "is_bot": False}
        now = int(time.time() * 1000)
        return {"update_type": kind, "timestamp": now, "chat_id": _chat_of(phone), "user": user, "user_locale": "ru"}

    async def _tell(self, update: dict[str, Any]) -> None:
        body, fault = json.dumps(update), await asyncio.to_thread(self._faults.current, Vendor.MAX)
        times = 2 if fault is Fault.TWICE else 1
        hooks = await asyncio.to_thread(self._hooks)
        for url, secret in hooks.items():
            for _ in range(times):
                task = asyncio.create_task(self._post(url, "wrong-secret" if fault is Fault.FORGED else secret, body))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)
        if not hooks:
            await asyncio.to_thread(self._queue, body, times)

    def _queue(self, body: str, times: int) -> None:
        with self._store.transaction() as sql:
            for _ in range(times):
                sql.execute("INSERT INTO max_update (body) VALUES (?)", (body,))
            self._store.keep_newest(sql, "max_update")

    async def _post(self, url: str, secret: str, body: str) -> None:
        headers = {"Content-Type": "application/json", "X-Max-Bot-Api-Secret": secret}
        async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_WITHIN) as client:
            for attempt in range(_RETRIES + 1):
                await asyncio.sleep(self._pace * _LONGER**attempt if attempt else 0)
                try:
                    answer = await client.post(url, content=body.encode(), headers=headers)
                except (httpx.HTTPError, httpx.InvalidURL, OSError):
                    continue
                if answer.status_code == 200:
                    return
        log.warning("an update was not taken after %d retries", _RETRIES)


def _chat_of(phone: str) -> int:
    return _CHATS_FROM + int(phone[1:])


def _phone_of(chat_id: str, user_id: str) -> str | None:
    if user_id:
        return magic.russian_mobile(user_id)
    number = int(chat_id) if chat_id.isascii() and chat_id.isdigit() and len(chat_id) < 19 else 0
    return magic.russian_mobile(str(number - _CHATS_FROM)) if number > _CHATS_FROM else None


def _button(attachments: Any) -> str | None:
    """The label of the button that asks for the contact. Empty without attachments, None for attachments that the API would refuse."""
    if not attachments:
        return ""
    try:
        keyboard = attachments[0]
        ((button,),) = keyboard["payload"]["buttons"]
        asks = len(attachments) == 1 and keyboard["type"] == "inline_keyboard" and button["type"] == "request_contact"
        text = str(button["text"])
    except (TypeError, ValueError, LookupError):
        return None
    return text if asks and 0 < len(text) <= _LONGEST_BUTTON else None


def _refused(status: int, code: str) -> Response:
    return JSONResponse({"code": code, "message": "refused"}, status)
