"""Codes that are awaited in a chat with a bot: who opened it, and whether the code may go there.

The link on the screen leads the chat to a code that waits; it opens one chat. The bot says what the code is for, and asks for the
contact. The code goes into the chat only after the messenger has vouched that the number of the code is the sender's own. It is typed in
the browser that asked for it: so whoever is lured to another's link gives nothing away but by telling the code.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from medonline.domain.codes.chat_start import START_WITHIN, code_of_start
from medonline.domain.errors import DeliveryFailed
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.issuing import CodeIssuer, topic_of
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.ports import ChatBot, ChatStarted, ChatStopped, ChatUpdate, ContactShared
from medonline.storage.engine import Database, after_commit, announce, writes
from medonline.storage.queries import codes_in_chats

log = logging.getLogger(__name__)

SUBSCRIBE_EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
POLL_EVERY = timedelta(seconds=1)
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class ChatWords:
    """What the bot says. `ask` by the purpose of a code; `no_link`: who came without a link that works; `not_it`: to any contact that
    does not lead to a code, whatever is wrong with it."""

    ask: Mapping[str, str]
    button: str
    no_link: str
    not_it: str


@dataclass(slots=True)
class CodeChats:
    """Takes up what happens in the chats of one bot. `wake`: a code is due."""

    database: Database
    clock: Clock
    issuer: CodeIssuer
    bot: ChatBot
    users: Sealer
    words: ChatWords
    wake: Callable[[], None]
    _taken: OrderedDict[str, None] = field(default_factory=OrderedDict)

    async def take(self, update: ChatUpdate) -> None:
        """Take up one update; one that was taken before does nothing.

        Raises:
            DeliveryFailed: the bot could not answer; the same update may come again.
        """
        if update.update_id in self._taken:
            return
        if isinstance(update, ChatStopped):
            await self._forget(update)
        elif isinstance(update, ChatStarted):
            await self._start(update)
        elif isinstance(update, ContactShared):
            await self._share(update)
        self._taken[update.update_id] = None
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)

    async def _start(self, update: ChatStarted) -> None:
        purpose = await self._claim(update)
        if purpose is None:
            await self.bot.say(update.chat_id, self.words.no_link)
        else:
            await self.bot.say(update.chat_id, self.words.ask[purpose], contact_button=self.words.button)

    async def _share(self, update: ContactShared) -> None:
        if not await self._open(update):
            await self.bot.say(update.chat_id, self.words.not_it)

    @writes
    def _claim(self, session: Session, update: ChatStarted) -> str | None:
        """The purpose of the code that the link is of, and that is this user's from now on."""
        now, code_id = self.clock(), code_of_start(self.issuer.keys, update.token)
        if code_id is None:
            return None
        user, since = self.users.index(str(update.user_id)), now - START_WITHIN
        row = codes_in_chats.take_start(session, code_id, user, DeliveryState.QUEUED, now, since)
        if row is not None:
            announce(session, topic_of(row.phone))
            return row.purpose
        # The same person again: the answer was lost on its way, or the link was tapped twice.
        last = codes_in_chats.newest_of_user(session, self._hashes(update))
        return last.purpose if last is not None and last.id == code_id and last.expires_at > now else None

    @writes
    def _open(self, session: Session, update: ContactShared) -> bool:
        """Whether the contact leads to a code: one that is on its way from now on, or was already."""
        row = codes_in_chats.newest_of_user(session, self._hashes(update))
        if row is None or update.phone is None or update.phone.e164 != row.phone or row.expires_at <= self.clock():
            return False
        if row.replaced_at is not None or row.confirmed_at is not None:
            return False
        if codes_in_chats.set_chat(session, row.id, update.chat_id, DeliveryState.QUEUED, self.clock()):
            announce(session, topic_of(row.phone))
            after_commit(session, self.wake)
        return True

    @writes
    def _forget(self, session: Session, update: ChatStopped) -> None:
        codes_in_chats.forget_user(session, self._hashes(update))

    def _hashes(self, update: ChatUpdate) -> list[str]:
        return self.users.indexes(str(update.user_id))

    async def run(self) -> None:
        """Keep updates coming, until cancelled."""
        while True:
            pause = await self.turn()
            await asyncio.sleep(pause.total_seconds())

    async def turn(self) -> timedelta:
        """Subscribe, or ask for updates and take them; how long to wait for the next turn."""
        try:
            if self.bot.by_webhook:
                await self.bot.subscribe()
                return SUBSCRIBE_EVERY
            for update in await self.bot.updates():
                await self._take_quietly(update)
        except (DeliveryFailed, SQLAlchemyError) as error:
            log.warning("No updates of chats: %s (%s)", type(error).__name__, getattr(error, "code", "") or "-")
            return AGAIN_AFTER if self.bot.by_webhook else POLL_EVERY
        return POLL_EVERY

    async def _take_quietly(self, update: ChatUpdate) -> None:
        try:
            await self.take(update)
        except DeliveryFailed as error:
            log.warning("The bot could not answer: %s (%s)", type(error).__name__, error.code or "-")
