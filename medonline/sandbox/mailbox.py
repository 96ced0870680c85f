"""Stand-in of a mail server (SMTP, by aiosmtpd) and of its mailboxes. Every address has a mailbox, except those whose local part asks
for a refusal: `nobody`, `disabled`, `full`, `spam`, `busy`."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import socket
from contextlib import suppress
from email.message import EmailMessage
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox.demo_phone import HEADERS, marked_time
from medonline.sandbox.pages import INBOX
from medonline.sandbox.store import Event, Store

REFUSALS = {
    "nobody": "550 5.1.1 No such user here",
    "disabled": "550 5.2.1 Mailbox disabled",
    "full": "552 5.2.2 Mailbox full",
    "spam": "550 5.7.1 Message refused",
    "busy": "451 4.3.0 Try again later",
}
_LONGEST = 200


class Mailboxes:
    """The server and its pages. `socket` is the file on which it listens."""

    def __init__(self, store: Store, socket: Path | None) -> None:
        self._store = store
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._file = 0  # the inode of the file on which this server listens

    def routes(self) -> list[Route]:
        """Routes relative to the sandbox."""
        return [Route("/inbox", self._page), Route("/inbox/{address}/events", self._events)]

    async def open(self) -> None:
        """Listen, and replace a server that was killed or that shares the folder.

        The file gets its name only once it listens. So if several servers open at once, the last one has the name and none fails.
        """
        if self._socket is None:
            return
        listening = socket.socket(socket.AF_UNIX)
        unnamed = self._socket.with_name(f"{os.getpid()}.s")  # not longer: a socket's path must be short
        try:
            unnamed.unlink(missing_ok=True)
            listening.bind(str(unnamed))
            unnamed.chmod(0o600)
            listening.listen()
            self._file = unnamed.stat().st_ino
            unnamed.replace(self._socket)
        except OSError:
            listening.close()
            unnamed.unlink(missing_ok=True)
            raise
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: SMTP(self, hostname="mail.sandbox.example", enable_SMTPUTF8=True, loop=loop), sock=listening
        )

    async def close(self) -> None:
        """Stop listening. The file of a server that opened later stays."""
        if self._server is not None and self._socket is not None:
            # While this server listens, no other file can have the same inode.
            with suppress(FileNotFoundError):
                if self._socket.stat().st_ino == self._file:
                    self._socket.unlink()
            self._server.close()
            await self._server.wait_closed()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802 - the library's name
        """Whether there is such a mailbox."""
        refusal = REFUSALS.get(address.partition("@")[0].lower())
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Put the mail into each mailbox."""
        message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        if not isinstance(message, EmailMessage):
            return "554 5.6.0 No message"
        body = message.get_body(("plain",))
        text = body.get_content().strip() if body is not None else ""
        for address in envelope.rcpt_tos:
            await asyncio.to_thread(self._store.add_event, address.lower(), "mail", str(message["Subject"]), text)
        return "250 2.0.0 Taken"

    async def _events(self, request: Request) -> Response:
        mails = await self._mails(request.path_params["address"])
        shown = [{"at": mail.at, "subject": mail.sender, "text": mail.text} for mail in mails]
        return JSONResponse(shown, headers=HEADERS)

    async def _page(self, request: Request) -> Response:
        address = request.query_params.get("address", "").strip()[:_LONGEST]
        mails = await self._mails(address) if address else []
        items = "".join(map(_item, reversed(mails)))
        page = INBOX.substitute(address=escape(address), mails=items, empty="" if items or not address else _EMPTY)
        return HTMLResponse(page, headers=HEADERS)

    async def _mails(self, address: str) -> list[Event]:
        events = await asyncio.to_thread(self._store.events, address.strip().lower())
        return [event for event in events if event.kind == "mail"]


_EMPTY = '<p class="empty">Писем пока нет</p>'
_ITEM = Template('<li><strong>$subject</strong><p class="text">$text</p>$time</li>')


def _item(mail: Event) -> str:
    text = escape(mail.text).replace("\n", "<br>")
    return _ITEM.substitute(subject=escape(mail.sender), text=text, time=marked_time(mail))
