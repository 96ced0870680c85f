"""Codes in a chat: only the one who opened it from the link, and whose own number the code is for, gets the code there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CodeMismatch, DeliveryFailed, ProviderDown
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.chats import AGAIN_AFTER, POLL_EVERY, SUBSCRIBE_EVERY, CodeChats
from medonline.services.codes.delivery import DeliveryState
from medonline.services.ports import ChatStarted, ChatStopped, ChatUpdate, ContactShared
from medonline.storage.queries import channel_switches
from medonline.storage.queries.codes_in_chats import FORGOTTEN
from tests.services.world import (
    ANNA,
    BORIS,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    UNKNOWN,
    MovableClock,
    ScriptedChannel,
    current_of,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    opened,
    rows_of,
)

IN_CHAT = ChannelName.MAX
OWNER, THIEF = 501, 666
CHAT_OF_OWNER, CHAT_OF_THIEF = 9501, 9666


@dataclass
class ScriptedBot:
    """Remembers what it said, and where; fails as told."""

    by_webhook: bool = True
    said: list[tuple[int, str, bool]] = field(default_factory=list)
    fails: int = 0
    waiting: list[ChatUpdate] = field(default_factory=list)
    subscribed: int = 0

    def link(self, token: str) -> str:
        return token

    def read(self, secret: str, body: bytes) -> ChatUpdate | None:
        raise NotImplementedError

    async def say(self, chat_id: int, text: str, *, contact_button: str = "") -> None:
        self._fail()
        self.said.append((chat_id, text, bool(contact_button)))

    async def subscribe(self) -> None:
        self._fail()
        self.subscribed += 1

    async def updates(self) -> list[ChatUpdate]:
        self._fail()
        found, self.waiting = self.waiting, []
        return found

    def _fail(self) -> None:
        if self.fails:
            self.fails -= 1
            raise ProviderDown("down")


@dataclass
class World:
    """A portal with the way switched on, its chats with a scripted bot, and what goes out by it."""

    portal: Portal
    bot: ScriptedBot
    chats: CodeChats
    channel: ScriptedChannel = field(default_factory=ScriptedChannel)
    updates: int = 0

    async def ask(self, visitor: Client, phone: str) -> str:
        """The token of the link that this browser shows."""
        await self.portal.recovery.begin(visitor, phone, IN_CHAT)
        return await self.token_of(visitor)

    async def token_of(self, visitor: Client) -> str:
        return (await current_of(self.portal, visitor)).chat_link.rpartition("=")[2]

    async def start(self, token: str, user: int = OWNER, chat: int = CHAT_OF_OWNER) -> None:
        self.updates += 1
        await self.chats.take(ChatStarted(f"start {self.updates}", user, chat, token))

    async def share(self, phone: str | None, user: int = OWNER, chat: int = CHAT_OF_OWNER) -> None:
        self.updates += 1
        number = None if phone is None else PhoneNumber(phone)
        await self.chats.take(ContactShared(f"contact {self.updates}", user, chat, number))

    async def sent(self) -> list[tuple[int | None, str]]:
        """Chats and numbers that codes went to by now."""
        await dispatch(dispatcher_of(self.portal, max=self.channel))
        return [(message.chat_id, message.phone.e164) for message in self.channel.asked]

    @property
    def last_words(self) -> str:
        return self.bot.said[-1][1]


@asynccontextmanager
async def world_in(folder: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with opened(folder, clock, code_channels=(CALL, IN_CHAT), codes_per_phone="9 per 1 h") as portal:
        assert portal.chats is not None
        bot = ScriptedBot()
        yield World(portal, bot, replace(portal.chats, bot=bot))


@pytest.fixture
async def world(folder: Path, clock: MovableClock) -> AsyncIterator[World]:
    async with world_in(folder, clock) as made:
        yield made


async def test_the_code_goes_into_the_chat_after_the_contact_and_is_typed_in_the_browser(world: World) -> None:
    token = await world.ask(ANNA, KNOWN)
    assert await world.sent() == []
    await world.start(token)
    assert world.bot.said == [(CHAT_OF_OWNER, world.chats.words.ask["password_recovery"], True)]
    assert await world.sent() == []
    await world.share(KNOWN)

    assert await world.sent() == [(CHAT_OF_OWNER, KNOWN)]
    assert len(world.bot.said) == 1
    row = await last_row(world.portal)
    assert (row.delivery, row.chat_id, row.confirmed_at) == (DeliveryState.SENT, None, None)
    await world.portal.recovery.confirm_code(ANNA, await last_code(world.portal))
    assert (await current_of(world.portal, ANNA)).step == "new_password"


async def test_a_chat_alone_confirms_nothing(world: World) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    await world.share(KNOWN)
    await world.sent()

    assert (await current_of(world.portal, ANNA)).step == "code"
    with pytest.raises(CodeMismatch):
        await world.portal.recovery.confirm_code(ANNA, "000000")


async def test_the_link_is_gone_once_it_was_opened_and_after_five_minutes(world: World, clock: MovableClock) -> None:
    token = await world.ask(ANNA, KNOWN)
    clock.move(minutes=5)
    assert await world.token_of(ANNA) == ""
    await world.start(token)
    assert world.last_words == world.chats.words.no_link

    fresh = await world.ask(BORIS, OTHER_KNOWN)
    await world.start(fresh)
    assert await world.token_of(BORIS) == ""


async def test_a_link_opens_one_chat(world: World) -> None:
    token = await world.ask(ANNA, KNOWN)
    await world.start(token, THIEF, CHAT_OF_THIEF)
    await world.start(token)

    assert [(chat, asks) for chat, _, asks in world.bot.said] == [(CHAT_OF_THIEF, True), (CHAT_OF_OWNER, False)]
    await world.share(KNOWN)
    assert await world.sent() == []


async def test_who_is_lured_to_a_strangers_link_gets_the_code_and_the_stranger_does_not(world: World) -> None:
    """The stranger asks for a code to the victim's number, and sends the link to the victim."""
    await world.start(await world.ask(BORIS, KNOWN))
    await world.share(KNOWN)

    assert await world.sent() == [(CHAT_OF_OWNER, KNOWN)]
    assert (await current_of(world.portal, BORIS)).step == "code"
    assert "другой" in world.chats.words.ask["password_recovery"]


@pytest.mark.parametrize("phone", [OTHER_KNOWN, UNKNOWN, None], ids=["of another account", "of no account", "no proof"])
async def test_a_contact_that_does_not_fit_gets_one_answer_whatever_is_wrong(world: World, phone: str | None) -> None:
    await world.start(await world.ask(ANNA, KNOWN), THIEF, CHAT_OF_THIEF)
    await world.share(phone, THIEF, CHAT_OF_THIEF)

    assert world.bot.said[-1] == (CHAT_OF_THIEF, world.chats.words.not_it, False)
    assert await world.sent() == []


async def test_a_known_and_an_unknown_number_are_told_the_same(world: World) -> None:
    said = []
    for visitor, phone, user in ((ANNA, KNOWN, 1), (BORIS, UNKNOWN, 2)):
        await world.start(await world.ask(visitor, phone), user, user)
        await world.share(OTHER_KNOWN, user, user)
        said.append([text for chat, text, _ in world.bot.said if chat == user])

    assert said[0] == said[1]


async def test_a_contact_without_a_link_leads_nowhere(world: World) -> None:
    await world.ask(ANNA, KNOWN)
    await world.share(KNOWN)

    assert world.last_words == world.chats.words.not_it
    assert await world.sent() == []


@pytest.mark.parametrize("token", ["", "x", "0" * 32 + "-" + "0" * 64])
async def test_a_start_without_a_link_that_works_is_told_what_to_do(world: World, token: str) -> None:
    await world.ask(ANNA, KNOWN)
    await world.start(token)

    assert world.bot.said == [(CHAT_OF_OWNER, world.chats.words.no_link, False)]


async def test_of_two_flows_of_one_phone_the_link_of_the_older_leads_nowhere(world: World, clock: MovableClock) -> None:
    older = await world.ask(ANNA, KNOWN)
    clock.move(minutes=2)
    newer = await world.ask(BORIS, KNOWN)
    await world.start(older)
    assert world.last_words == world.chats.words.no_link
    await world.share(KNOWN)
    assert await world.sent() == []
    await world.start(newer)
    await world.share(KNOWN)

    assert await world.sent() == [(CHAT_OF_OWNER, KNOWN)]


async def test_a_code_that_was_replaced_after_the_start_is_not_sent(world: World, clock: MovableClock) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    clock.move(minutes=2)
    await world.ask(BORIS, KNOWN)
    await world.share(KNOWN)

    assert world.last_words == world.chats.words.not_it
    assert await world.sent() == []


async def test_repeated_updates_send_one_code_and_say_nothing_twice(world: World) -> None:
    token = await world.ask(ANNA, KNOWN)
    updates = [
        ChatStarted("start", OWNER, CHAT_OF_OWNER, token),
        ContactShared("contact", OWNER, CHAT_OF_OWNER, PhoneNumber(KNOWN)),
    ]
    for update in (*updates, *updates):
        await world.chats.take(update)
    await world.sent()
    another_process = replace(world.chats, _taken=type(world.chats._taken)())
    await another_process.take(updates[1])

    assert len(await world.sent()) == 1
    assert len(world.bot.said) == 1


async def test_an_answer_that_failed_is_given_when_the_update_comes_again(world: World) -> None:
    start = ChatStarted("start", OWNER, CHAT_OF_OWNER, await world.ask(ANNA, KNOWN))
    world.bot.fails = 1
    with pytest.raises(DeliveryFailed):
        await world.chats.take(start)
    await world.chats.take(start)

    assert world.bot.said == [(CHAT_OF_OWNER, world.chats.words.ask["password_recovery"], True)]


async def test_of_a_user_a_keyed_hash_is_kept_until_the_bot_is_stopped(world: World) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    row = await last_row(world.portal)
    assert len(row.chat_user) == 64
    assert str(OWNER) not in repr(row.model_dump())
    await world.chats.take(ChatStopped("stop", OWNER))

    row = await last_row(world.portal)
    assert (row.chat_user, row.chat_id) == (FORGOTTEN, None)
    await world.share(KNOWN)
    assert await world.sent() == []


async def test_a_code_that_no_one_fetched_says_nothing_of_the_way(world: World, clock: MovableClock) -> None:
    await world.ask(ANNA, KNOWN)
    clock.move(hours=1)

    def known(channel: ChannelName) -> int:
        with world.portal.database.reading() as session:
            known_since = clock() - timedelta(hours=2)
            return len(channel_switches.outcomes(session, channel, known_since, clock(), DeliveryState.FAILED, 10))

    assert known(IN_CHAT) == 0
    assert len(await rows_of(world.portal)) == 1


async def test_a_webhook_is_asked_for_each_hour_and_after_a_minute_when_it_fails(world: World) -> None:
    world.bot.fails = 1

    assert [await world.chats.turn(), await world.chats.turn()] == [AGAIN_AFTER, SUBSCRIBE_EVERY]
    assert world.bot.subscribed == 1


async def test_without_a_webhook_updates_are_asked_for(world: World) -> None:
    world.bot.by_webhook = False
    token = await world.ask(ANNA, KNOWN)
    world.bot.waiting = [ChatStarted("start", OWNER, CHAT_OF_OWNER, token)]

    assert await world.chats.turn() == POLL_EVERY
    assert world.bot.said[0][2]
