"""Codes in a chat: only the one who opened it from the link, and whose own number the code is for, gets the code there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.chat_start import START_WITHIN
from medonline.domain.errors import CodeMismatch, DeliveryFailed, ProviderDown
from medonline.domain.phone import PhoneNumber
from medonline.services.codes.chats import AGAIN_AFTER, GIVEN_UP_AFTER, POLL_EVERY, SUBSCRIBE_EVERY, CodeChats
from medonline.services.codes.delivery import DeliveryState
from medonline.services.ports import ChatStarted, ChatStopped, ChatUpdate, ContactShared
from medonline.storage.queries import channel_switches, codes_in_chats
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

    provider: str = "scripted"
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
    contact = ContactShared("contact", OWNER, CHAT_OF_OWNER, PhoneNumber(KNOWN))
    world.bot.fails = 1
    with pytest.raises(DeliveryFailed):
        await world.chats.take(contact)
    await world.chats.take(contact)

    assert world.bot.said == [(CHAT_OF_OWNER, world.chats.words.not_it, False)]


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


async def test_a_webhook_is_asked_for_each_hour_and_after_a_minute_when_it_fails(
    world: World, clock: MovableClock
) -> None:
    world.bot.fails = 1
    for _ in range(2 + SUBSCRIBE_EVERY // AGAIN_AFTER):
        assert await world.chats.turn() == AGAIN_AFTER
        clock.move(seconds=AGAIN_AFTER.total_seconds())
    assert world.bot.subscribed == 2

    clock.move(seconds=SUBSCRIBE_EVERY.total_seconds())
    world.bot.fails = 1
    for _ in range(2):
        await world.chats.turn()
    assert world.bot.subscribed == 3


async def test_a_webhook_is_asked_for_each_minute_while_a_code_waits_for_a_chat(
    world: World, clock: MovableClock
) -> None:
    """Nothing else would say before the hour is over that MAX does not answer any more."""
    pause = await world.chats.turn()
    await world.ask(ANNA, KNOWN)
    world.bot.fails = 2
    for _ in range(2):
        clock.move(seconds=pause.total_seconds())
        pause = await world.chats.turn()

    assert (await current_of(world.portal, ANNA)).delivery is DeliveryState.FAILED


async def test_without_a_webhook_updates_are_asked_for(world: World) -> None:
    world.bot.by_webhook = False
    token = await world.ask(ANNA, KNOWN)
    world.bot.waiting = [ChatStarted("start", OWNER, CHAT_OF_OWNER, token)]

    assert await world.chats.turn() == POLL_EVERY
    assert world.bot.said[0][2]


async def test_of_two_numbers_of_one_user_each_gets_its_code(world: World, clock: MovableClock) -> None:
    """A family asks for two codes on one device, and opens the older link last."""
    mine = await world.ask(ANNA, KNOWN)
    clock.move(minutes=1)
    await world.start(await world.ask(BORIS, OTHER_KNOWN))
    await world.start(mine)
    await world.share(KNOWN)

    assert await world.sent() == [(CHAT_OF_OWNER, KNOWN)]


async def test_what_comes_again_at_another_process_after_the_code_was_typed_says_nothing(world: World) -> None:
    token = await world.ask(ANNA, KNOWN)
    start = ChatStarted("start", OWNER, CHAT_OF_OWNER, token)
    contact = ContactShared("contact", OWNER, CHAT_OF_OWNER, PhoneNumber(KNOWN))
    await world.chats.take(start)
    await world.chats.take(contact)
    await world.sent()
    another_process = replace(world.chats, _taken=type(world.chats._taken)())
    await another_process.take(start)
    await world.portal.recovery.confirm_code(ANNA, await last_code(world.portal))
    for update in (start, contact):
        await replace(world.chats, _taken=type(world.chats._taken)()).take(update)

    assert len(world.bot.said) == 1
    assert len(await world.sent()) == 1


async def test_a_bot_that_cannot_ask_says_so_on_the_screen_and_another_way_is_free(world: World) -> None:
    token = await world.ask(ANNA, KNOWN)
    world.bot.fails = 1
    with pytest.raises(DeliveryFailed):
        await world.start(token)

    view = await current_of(world.portal, ANNA)
    assert (view.delivery, view.problem) == (DeliveryState.FAILED, "channel_down")
    assert CALL in view.ready_channels
    await world.start(token)
    assert world.last_words == world.chats.words.no_link
    await world.share(KNOWN)
    assert world.last_words == world.chats.words.not_it


async def test_a_bot_that_is_blocked_before_the_contact_says_so_on_the_screen(world: World) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    await world.chats.take(ChatStopped("stop", OWNER))

    view = await current_of(world.portal, ANNA)
    assert (view.delivery, view.problem) == (DeliveryState.FAILED, "number_refused")
    assert CALL in view.ready_channels


async def test_a_bot_that_is_blocked_after_the_code_came_leaves_the_code(world: World) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    await world.share(KNOWN)
    await world.sent()
    await world.chats.take(ChatStopped("stop", OWNER))

    await world.portal.recovery.confirm_code(ANNA, await last_code(world.portal))
    assert (await current_of(world.portal, ANNA)).step == "new_password"


async def test_a_code_that_was_not_sent_into_the_chat_is_named_as_such_there(world: World) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    world.channel.answers.append(ProviderDown("down"))
    await world.share(KNOWN)
    await world.sent()
    await world.share(KNOWN)

    assert world.last_words == world.chats.words.not_it


async def test_a_chat_that_no_one_opened_in_time_ends_the_code(world: World, clock: MovableClock) -> None:
    await world.ask(ANNA, KNOWN)
    view = await current_of(world.portal, ANNA)
    assert (view.code_alive, view.expires_at) == (True, clock() + START_WITHIN)
    await world.start(await world.token_of(ANNA))
    assert (await current_of(world.portal, ANNA)).expires_at == clock() + timedelta(minutes=10)

    clock.move(minutes=2)
    await world.ask(BORIS, OTHER_KNOWN)
    clock.move(minutes=5)
    assert [(await current_of(world.portal, who)).code_alive for who in (ANNA, BORIS)] == [True, False]


async def test_a_database_in_trouble_does_not_end_the_turns_of_a_webhook(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("locked", None, Exception())

    monkeypatch.setattr(codes_in_chats, "awaited", gone)

    assert [await world.chats.turn(), await world.chats.turn()] == [AGAIN_AFTER] * 2
    assert "is not known" in caplog.text


async def test_a_bot_without_webhook_sounds_an_alarm(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.bot.fails = 3
    for _ in range(3):
        await world.chats.turn()

    assert "provider-down" in caplog.text


async def test_a_messenger_that_does_not_answer_is_said_to_who_waits_for_it(world: World, clock: MovableClock) -> None:
    world.bot.by_webhook = False
    await world.ask(BORIS, OTHER_KNOWN)
    await world.start(await world.ask(ANNA, KNOWN))
    world.bot.fails = 2
    await world.chats.turn()
    assert [(await current_of(world.portal, who)).delivery for who in (ANNA, BORIS)] == [DeliveryState.QUEUED] * 2
    clock.move(seconds=GIVEN_UP_AFTER.total_seconds())
    await world.chats.turn()

    for who in (ANNA, BORIS):
        view = await current_of(world.portal, who)
        assert (view.delivery, view.problem) == (DeliveryState.FAILED, "channel_down")
        assert CALL in view.ready_channels
    await world.share(KNOWN)
    assert world.last_words == world.chats.words.not_it
    assert await world.sent() == []


async def test_a_messenger_that_is_waited_for_in_vain_is_given_up_at_once(world: World, clock: MovableClock) -> None:
    async def hang() -> list[ChatUpdate]:
        clock.move(seconds=15)
        raise ProviderDown("no answer in time")

    world.bot.by_webhook, world.bot.updates = False, hang  # type: ignore[method-assign]
    await world.ask(ANNA, KNOWN)
    await world.chats.turn()

    assert (await current_of(world.portal, ANNA)).problem == "channel_down"


async def test_a_messenger_that_answers_in_between_is_not_given_up(world: World, clock: MovableClock) -> None:
    world.bot.by_webhook = False
    await world.ask(ANNA, KNOWN)
    for fails in (1, 0, 1):
        world.bot.fails = fails
        await world.chats.turn()
        clock.move(seconds=GIVEN_UP_AFTER.total_seconds())

    assert (await current_of(world.portal, ANNA)).delivery is DeliveryState.QUEUED


async def test_what_it_posts_says_that_it_is_there(world: World, clock: MovableClock) -> None:
    token = await world.ask(ANNA, KNOWN)
    world.bot.fails = 1
    assert await world.chats.turn() == AGAIN_AFTER
    await world.start(token)
    clock.move(seconds=AGAIN_AFTER.total_seconds())
    world.bot.fails = 1
    await world.chats.turn()

    assert (await current_of(world.portal, ANNA)).delivery is DeliveryState.QUEUED
    clock.move(seconds=AGAIN_AFTER.total_seconds())
    world.bot.fails = 1
    await world.chats.turn()
    assert (await current_of(world.portal, ANNA)).delivery is DeliveryState.FAILED


async def test_what_it_posts_to_another_process_says_so_too(world: World, clock: MovableClock) -> None:
    """Each process asks for the webhook itself: refused for asking too often, one of them must not end what the others hear."""
    other = replace(world.chats, _away_since=None, _taken=OrderedDict())
    world.bot.fails = 1
    assert await other.turn() == AGAIN_AFTER
    clock.move(seconds=1)
    await world.start(await world.ask(ANNA, KNOWN))
    clock.move(seconds=AGAIN_AFTER.total_seconds())
    world.bot.fails = 1
    await other.turn()

    assert (await current_of(world.portal, ANNA)).delivery is DeliveryState.QUEUED


async def test_a_contact_that_was_shared_before_is_no_longer_waited_for(world: World, clock: MovableClock) -> None:
    await world.start(await world.ask(ANNA, KNOWN))
    await world.share(KNOWN)
    for _ in range(2):
        world.bot.fails = 1
        await world.chats.turn()
        clock.move(seconds=AGAIN_AFTER.total_seconds())

    assert len(await world.sent()) == 1


async def test_a_database_in_trouble_does_not_end_the_bot(
    world: World, monkeypatch: pytest.MonkeyPatch, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("locked", None, Exception())

    monkeypatch.setattr(codes_in_chats, "awaited", gone)
    for _ in range(2):
        world.bot.fails = 1
        assert await world.chats.turn() == AGAIN_AFTER
        clock.move(seconds=AGAIN_AFTER.total_seconds())

    assert "is not known" in caplog.text


async def test_a_database_in_trouble_loses_no_other_update(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.bot.by_webhook = False
    token = await world.ask(ANNA, KNOWN)
    world.bot.waiting = [ChatStopped("stop", THIEF), ChatStarted("start", OWNER, CHAT_OF_OWNER, token)]

    def gone(*_: object) -> None:
        raise OperationalError("locked", None, Exception())

    monkeypatch.setattr(codes_in_chats, "forget_user", gone)
    await world.chats.turn()

    assert len(world.bot.said) == 1
