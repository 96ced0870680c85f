"""Codes that wait for a chat with a bot: who opened the chat, and whether the code may go there.

The link on the screen leads the chat to a code that waits. It opens one chat. The bot says what the code is for and asks for the contact.
The code goes into the chat only after the messenger has vouched that the code's number is the sender's own. The code must be typed in the
browser that asked for it. So a person who is lured to somebody else's link gives nothing away, except by telling the code.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.chat_start import START_WITHIN, code_of_start
from medonline.domain.errors import DeliveryFailed
from medonline.services.clock import Clock
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState, problem_of
from medonline.services.codes.issuing import CodeIssuer, topic_of
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.limits.provider_alarms import ProviderAlarms
from medonline.services.ports import ChatBot, ChatStarted, ChatStopped, ChatUpdate, ContactShared
from medonline.storage.engine import Database, after_commit, announce, writes
from medonline.storage.queries import codes_in_chats
from medonline.storage.tables.codes import OneTimeCodeRow

log = logging.getLogger(__name__)

SUBSCRIBE_EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
POLL_EVERY = timedelta(seconds=1)
# A messenger that has not answered for this long delivers no code. The waiting patient is told so and can choose another way.
GIVEN_UP_AFTER = timedelta(seconds=5)
REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class ChatWords:
    """The texts of the bot. `ask`: by the purpose of a code. `no_link`: for somebody who came without a working link.

    `not_it`: the answer to any contact that does not lead to a code, whatever is wrong with it.
    """

    ask: Mapping[str, str]
    button: str
    no_link: str
    not_it: str


@dataclass(slots=True)
class CodeChats:
    """Handles what happens in the chats of one bot.

    `wake`: tells that a code is due. `unsent`: tells that a code will never be sent, and why.

    `alarms`: for this bot's troubles with its messenger, apart from those of sending codes.
    """

    database: Database
    clock: Clock
    issuer: CodeIssuer
    bot: ChatBot
    users: Sealer
    words: ChatWords
    wake: Callable[[], None]
    unsent: Callable[[OneTimeCodeRow, DeliveryProblem], Awaitable[None]]
    alarms: ProviderAlarms
    _away_since: datetime | None = None
    _subscribed_at: datetime | None = None
    _taken: OrderedDict[str, None] = field(default_factory=OrderedDict)

    async def take(self, update: ChatUpdate) -> None:
        """Handle one update. An update that this process has handled before does nothing. One that another process has handled sends no
        second code.

        Raises:
            DeliveryFailed: the bot could not answer. The same update may come again.
        """
        self._away_since = None
        if update.update_id in self._taken:
            return
        if isinstance(update, ChatStopped):
            await self._stop(update)
        elif isinstance(update, ChatStarted):
            await self._start(update)
        elif isinstance(update, ContactShared):
            await self._share(update)
        self._taken[update.update_id] = None
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)

    async def _start(self, update: ChatStarted) -> None:
        code_id = code_of_start(self.issuer.keys, update.token)
        row = None if code_id is None else await self._claim(update, code_id)
        if row is None:
            await self._say(update.chat_id, self.words.no_link)
        elif row.due_at is None and row.delivery == DeliveryState.QUEUED:
            await self._ask(update, row)

    async def _ask(self, update: ChatStarted, row: OneTimeCodeRow) -> None:
        """Ask for the contact. A bot that cannot ask gets no contact, so in that case the screen offers another way."""
        try:
            await self._say(update.chat_id, self.words.ask[row.purpose], contact_button=self.words.button)
        except DeliveryFailed as error:
            await self.unsent(row, problem_of(error))
            raise

    async def _share(self, update: ContactShared) -> None:
        if update.phone is None or not await self._open(update, update.phone.e164):
            await self._say(update.chat_id, self.words.not_it)

    async def _stop(self, update: ChatStopped) -> None:
        for row in await self._forget(update):
            await self.unsent(row, DeliveryProblem.NUMBER_REFUSED)

    async def _say(self, chat_id: int, text: str, *, contact_button: str = "") -> None:
        try:
            await self.bot.say(chat_id, text, contact_button=contact_button)
        except DeliveryFailed as error:
            self.alarms.failed(self.bot.provider, error)
            raise
        self.alarms.well(self.bot.provider)

    @writes
    def _claim(self, session: Session, update: ChatStarted, code_id: str) -> OneTimeCodeRow | None:
        """The code of the link, if it belongs to this user now or did before: a link may be tapped twice, and an answer may be lost."""
        now = self.clock()
        user, since = self.users.index(str(update.user_id)), now - START_WITHIN
        row = codes_in_chats.take_start(session, code_id, user, DeliveryState.QUEUED, now, since)
        if row is None:
            return codes_in_chats.begun(session, code_id, self._hashes(update), DeliveryState.FAILED, now)
        row.expires_at = self.issuer.policy.expires_at(ChannelName(row.channel), row.issued_at)
        session.add(row)
        session.flush()
        announce(session, topic_of(row.phone))
        return row

    @writes
    def _open(self, session: Session, update: ContactShared, phone: str) -> bool:
        """Whether the contact leads to a code that goes out now or went out before."""
        now = self.clock()
        row = codes_in_chats.newest_of_user(session, self._hashes(update), phone)
        if row is None or row.expires_at <= now or row.replaced_at is not None or row.delivery == DeliveryState.FAILED:
            return False
        if codes_in_chats.set_chat(session, row.id, update.chat_id, DeliveryState.QUEUED, now):
            announce(session, topic_of(row.phone))
            after_commit(session, self.wake)
        return True

    @writes
    def _forget(self, session: Session, update: ChatStopped) -> Sequence[OneTimeCodeRow]:
        """Forget the chat, and return the codes that still waited for it."""
        awaited = codes_in_chats.awaited_of_user(session, self._hashes(update), DeliveryState.QUEUED)
        codes_in_chats.forget_user(session, self._hashes(update))
        return awaited

    def _hashes(self, update: ChatUpdate) -> list[str]:
        return self.users.indexes(str(update.user_id))

    async def run(self) -> None:
        """Fetch and handle updates until cancelled."""
        while True:
            pause = await self.turn()
            await asyncio.sleep(pause.total_seconds())

    async def turn(self) -> timedelta:
        """Subscribe, or ask for updates and handle them. Returns how long to wait before the next turn."""
        try:
            await self._listen()
        except SQLAlchemyError as error:
            log.warning("Who waits for a code in a chat is not known: %s (%s)", type(error).__name__, error.code or "-")
        return AGAIN_AFTER if self.bot.by_webhook else POLL_EVERY

    async def _listen(self) -> None:
        begun = self.clock()
        # Only who waits for a chat wants word of a messenger that does not answer.
        if self.bot.by_webhook and self._is_subscribed(begun) and not await self._awaited(begun):
            return
        try:
            if self.bot.by_webhook:
                await self.bot.subscribe()
            updates = [] if self.bot.by_webhook else await self.bot.updates()
        except DeliveryFailed as error:
            log.warning("No updates of chats: %s (%s)", type(error).__name__, error.code or "-")
            self.alarms.failed(self.bot.provider, error)
            self._subscribed_at = None
            await self._away(since=begun)
            return
        self.alarms.well(self.bot.provider)
        self._away_since, self._subscribed_at = None, begun
        for update in updates:
            await self._take_quietly(update)

    def _is_subscribed(self, now: datetime) -> bool:
        return self._subscribed_at is not None and now - self._subscribed_at < SUBSCRIBE_EVERY

    async def _away(self, *, since: datetime) -> None:
        """Give up the waiting codes after the messenger has not answered for too long.

        Without an answer it delivers no events either, so no screen would ever say that the code failed.
        """
        now = self.clock()
        self._away_since = self._away_since or since
        if now - self._away_since < GIVEN_UP_AFTER:
            return
        # Another process may have heard from the messenger: what MAX posts comes to any process of the portal.
        if await self.database.read(codes_in_chats.is_heard_since, self._away_since):
            self._away_since = None
            return
        for row in await self._awaited(now):
            await self.unsent(row, DeliveryProblem.CHANNEL_DOWN)

    async def _awaited(self, now: datetime) -> Sequence[OneTimeCodeRow]:
        """The codes that somebody may still ask for in a chat."""
        longest = max(self.issuer.policy.life.values())
        return await self.database.read(codes_in_chats.awaited, DeliveryState.QUEUED, now, now - longest)

    async def _take_quietly(self, update: ChatUpdate) -> None:
        try:
            await self.take(update)
        except (DeliveryFailed, SQLAlchemyError) as error:
            log.warning("An update of a chat was lost: %s (%s)", type(error).__name__, error.code or "-")
