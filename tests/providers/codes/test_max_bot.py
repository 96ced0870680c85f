"""The bot in MAX: its API against the stand-in over a socket, its updates against the vendor's own forms."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import httpx
import pytest

from medonline.domain.errors import DeliveryFailed, NumberNotReachable, NumberRefused, ProviderDown, ProviderRefused
from medonline.domain.phone import PhoneNumber
from medonline.providers.codes.max_bot import MaxBot
from medonline.providers.codes.max_updates import update_of
from medonline.services.ports import ChatStarted, ChatStopped, ContactShared, DeliveryReport, ForgedUpdate
from tests.providers.conftest import message
from tests.sandbox.server import MAX_TOKEN, receiving, running_sandbox, settings

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:79001234567\r\nFN:Анна\r\nEND:VCARD\r\n"
HASH = "7cefcdd8c4d0f431268d300b37bae2710145709f218327be71fafaff39506a78"  # of the card under «test-token»
USER, CHAT = 17, 99
SHARED: dict[str, Any] = {
    "update_type": "message_created",
    "timestamp": 1_700_000_000_000,
    "message": {
        "sender": {"user_id": USER},
        "recipient": {"chat_id": CHAT, "chat_type": "dialog"},
        "body": {
            "mid": "mid.1",
            "text": None,
            "attachments": [
                {"type": "contact", "payload": {"vcf_info": CARD, "max_info": {"user_id": USER}, "hash": HASH}}
            ],
        },
    },
}
PHONE = "+79123450101"
GROUP = {"chat_id": CHAT, "chat_type": "chat"}  # a bot that is added to a group answers no one there
CHAT_OF_PHONE = 5_000_000_000_000 + 79123450101


def build(url: str, token: str = MAX_TOKEN, webhook: str | None = None, **options: Any) -> MaxBot:
    return MaxBot(
        url,
        token,
        lambda code: f"Код {code}.",
        name="clinic_bot",
        link_url="https://max.ru",
        webhook_url=webhook,
        webhook_secret="a-webhook-secret",
        **options,
    )


def answering(status: int, body: Any) -> MaxBot:
    return build("http://vendor.test", transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body)))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_sandbox(settings()) as address:
        yield address


@pytest.fixture
async def bot(url: str) -> AsyncIterator[MaxBot]:
    made = build(f"{url}/max/api")
    yield made
    await made.close()


async def act(url: str, what: str, number: str = PHONE, payload: str = "") -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        form = {"number": number, "act": what, "payload": payload}
        assert (await http.post(f"{url}/max/chat", data=form)).status_code == 303


async def texts(url: str, phone: str = PHONE) -> list[str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        return [
            event["text"] for event in (await http.get(f"{url}/phone/{phone}/events")).json() if event["kind"] == "max"
        ]


# --- updates ----------------------------------------------------------------------------------------------------


def contact(change: Callable[[dict[str, Any]], object] = lambda _: None, token: str = MAX_TOKEN) -> ContactShared:
    sent = deepcopy(SHARED)
    change(sent["message"])
    read = update_of(sent, token)
    assert isinstance(read, ContactShared)
    return read


def card_of(message: dict[str, Any]) -> dict[str, Any]:
    payload: dict[str, Any] = message["body"]["attachments"][0]["payload"]
    return payload


def test_a_contact_that_the_messenger_vouches_for_is_the_senders_number() -> None:
    read = contact()

    assert (read.user_id, read.chat_id, read.phone) == (USER, CHAT, PhoneNumber("+79001234567"))


@pytest.mark.parametrize(
    "change",
    [
        lambda message: card_of(message).pop("hash"),
        lambda message: card_of(message).update(hash="0" * 64),
        lambda message: card_of(message).update(hash="я"),
        lambda message: card_of(message).update(hash="\ud800"),
        lambda message: card_of(message).update(vcf_info=CARD.replace("4567", "4568")),
        lambda message: card_of(message).update(vcf_info=CARD.replace("\r\n", "\n")),
        lambda message: card_of(message).update(max_info={"user_id": USER + 1}),
        lambda message: card_of(message).pop("max_info"),
        lambda message: message.update(link={"type": "forward"}),
        lambda message: message["recipient"].pop("chat_type"),
        lambda message: message["body"]["attachments"].append(deepcopy(message["body"]["attachments"][0])),
    ],
    ids=[
        "no hash",
        "another hash",
        "a hash outside ASCII",
        "a hash of half a character",
        "another card",
        "other ends of lines",
        "of another user",
        "of nobody",
        "forwarded",
        "nobody knows where",
        "two contacts",
    ],
)
def test_any_other_contact_proves_nothing(change: Callable[[dict[str, Any]], object]) -> None:
    assert contact(change).phone is None


def test_a_contact_signed_with_another_token_proves_nothing() -> None:
    assert contact(token="another-token").phone is None


@pytest.mark.parametrize(
    ("lines", "phone"),
    [
        ("TEL:+79001234567", "+79001234567"),
        ("item1.TEL;TYPE=cell:79001234567", "+79001234567"),
        ("TEL:79001234567\r\nTEL:79001234568", None),
        ("TEL:79001234567\r\ntel:79001234567", None),
        ("TEL:12025550123", None),
        ("TEL:+77011234567", None),  # Kazakhstan
        ("TEL:9001234567", None),
        ("FN:79001234567", None),
        ("TEL:89001234567", None),
        ("TEL;TYPE=cell;VALUE=uri:tel:+79001234567", None),
        ('TEL;TYPE="a:b":79001234567', None),
        ("TEL;TYPE=cell:790012\r\n 34567", None),  # folded
        ("FN:Анна\r\nTEL:79001234568\r\nTEL:79001234567", None),  # a name that brings a number of its own
        ("FN:Анна\r\n TEL:79001234567", None),
        ("TEL:79001234567\nFN:Анна", "+79001234567"),
        ("TEL:79001234567x", None),
        ("TEL:", None),
        ("", None),
        ("TEL:٧٩٠٠١٢٣٤٥٦٧", None),
    ],
)
def test_of_a_card_one_russian_mobile_number_counts(lines: str, phone: str | None) -> None:
    card = f"BEGIN:VCARD\r\n{lines}\r\nEND:VCARD\r\n"
    signed = hmac.new(MAX_TOKEN.encode(), card.encode(), hashlib.sha256).hexdigest()
    read = contact(lambda message: card_of(message).update(vcf_info=card, hash=signed))

    assert read.phone == (None if phone is None else PhoneNumber(phone))


def test_a_start_with_and_without_a_token_and_an_end() -> None:
    start = {
        "update_type": "bot_started",
        "timestamp": 1,
        "chat_id": CHAT,
        "user": {"user_id": USER},
        "payload": "a-token",
    }

    read = update_of(start, MAX_TOKEN)
    assert isinstance(read, ChatStarted)
    assert (read.user_id, read.chat_id, read.token) == (USER, CHAT, "a-token")
    assert update_of(start | {"payload": None}, MAX_TOKEN) == replace(read, token="")
    assert update_of(start | {"payload": "x" * 129}, MAX_TOKEN) == replace(read, token="")
    assert isinstance(update_of(start | {"update_type": "bot_stopped"}, MAX_TOKEN), ChatStopped)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"update_type": "bot_started", "chat_id": CHAT},
        {"update_type": "bot_started", "user": {"user_id": USER}},
        {"update_type": "bot_started", "chat_id": CHAT, "user": {"user_id": True}},
        {"update_type": "bot_started", "chat_id": CHAT, "user": {"user_id": 2**63}},
        {"update_type": "bot_started", "chat_id": CHAT, "user": [USER]},
        {"update_type": "message_callback", "chat_id": CHAT, "user": {"user_id": USER}},
        {"update_type": "message_created", "message": {"sender": {"user_id": USER}, "body": {"text": "привет"}}},
        {"update_type": "message_created", "message": "x"},
        {"update_type": "message_created", "message": SHARED["message"] | {"recipient": GROUP}},
        {"update_type": "message_created", "message": SHARED["message"] | {"sender": None}},
        {"update_type": "bot_started", "chat_id": str(CHAT), "user": {"user_id": USER}},
        {"update_type": "bot_started", "chat_id": CHAT, "user": {"user_id": str(USER)}},
        {"update_type": ["bot_started"], "chat_id": CHAT, "user": {"user_id": USER}},
        {"update_type": "bot_added", "chat_id": CHAT, "user": {"user_id": USER}},
        "bot_started",
        7,
    ],
)
def test_what_is_of_no_use_is_no_update(sent: Any) -> None:
    assert update_of(sent, MAX_TOKEN) is None


def test_updates_without_a_time_are_no_repetitions_of_each_other() -> None:
    start = {"update_type": "bot_started", "timestamp": "1", "chat_id": CHAT, "user": {"user_id": USER}}
    first, second = (update_of(start | {"payload": token}, MAX_TOKEN) for token in ("one", "two"))
    nameless = SHARED | {"timestamp": None}
    nameless["message"] = SHARED["message"] | {"body": SHARED["message"]["body"] | {"mid": None}}

    assert first is not None
    assert second is not None
    assert first.update_id != second.update_id
    assert update_of(nameless, MAX_TOKEN) != update_of(nameless, MAX_TOKEN)


def test_a_repetition_in_other_bytes_is_the_same_update() -> None:
    again = deepcopy(SHARED)
    again["message"]["sender"]["last_activity_time"] = 1_700_000_000_999

    assert update_of(again, MAX_TOKEN) == contact()


async def test_a_posted_update_is_read_under_the_secret_alone(bot: MaxBot) -> None:
    body = json.dumps(SHARED).encode()

    assert isinstance(bot.read("a-webhook-secret", body), ContactShared)
    for secret, sent in (("", body), ("another", body), ("я", body), ("another", b"{")):
        with pytest.raises(ForgedUpdate):
            bot.read(secret, sent)
    assert bot.read("a-webhook-secret", b"{") is None


# --- the API ----------------------------------------------------------------------------------------------------


async def test_a_code_goes_into_its_chat_and_leaves_it_once_it_was_typed(bot: MaxBot, url: str) -> None:
    phone = "+79123450102"
    code = replace(message(phone=phone, code="042719"), chat_id=5_000_000_000_000 + 79123450102)
    sent = await bot.send_code(code)

    assert (await texts(url, phone), sent.code) == (["Код 042719."], "042719")
    assert await bot.delivery_report(sent.provider_ref) is DeliveryReport.DELIVERED
    await bot.report_entered(sent.provider_ref, "042719")
    assert await texts(url, phone) == []
    await bot.report_entered(sent.provider_ref, "042719")  # gone already: silent


async def test_a_code_without_a_chat_goes_nowhere(bot: MaxBot) -> None:
    with pytest.raises(NumberRefused):
        await bot.send_code(message(phone=PHONE, code="042719"))


async def test_what_is_done_in_a_chat_is_asked_for_once(bot: MaxBot, url: str) -> None:
    await act(url, "begin", payload="a-token")
    await act(url, "share")
    await act(url, "foreign")
    await act(url, "by_hand")
    await act(url, "forward")
    await act(url, "stop")

    started, shared, foreign, by_hand, forwarded, stopped = await bot.updates()
    assert isinstance(started, ChatStarted)
    assert (started.token, started.chat_id) == ("a-token", CHAT_OF_PHONE)
    assert isinstance(shared, ContactShared)
    assert shared.phone == PhoneNumber(PHONE)
    assert [one.phone for one in (foreign, by_hand, forwarded) if isinstance(one, ContactShared)] == [None] * 3
    assert isinstance(stopped, ChatStopped)
    assert await bot.updates() == []


async def test_the_button_asks_for_the_contact(bot: MaxBot, url: str) -> None:
    await bot.say(CHAT_OF_PHONE, "Нажмите кнопку", contact_button="Поделиться контактом")

    assert (await texts(url))[-1] == "Нажмите кнопку"


async def test_updates_are_posted_with_the_secret_until_they_are_taken(url: str) -> None:
    with running_sandbox(settings()) as own:
        async with receiving(503, 200) as receiver:
            bot = build(f"{own}/max/api", webhook=receiver.url)
            with pytest.raises(ProviderRefused):
                await bot.check()
            await bot.subscribe()
            await bot.subscribe()
            assert "posted to" in await bot.check()
            await act(own, "begin", payload="a-token")
            await receiver.wait_for(2)

            assert len({body for _, body in receiver.reports}) == 1
            headers, body = receiver.reports[-1]
            assert isinstance(bot.read(headers["x-max-bot-api-secret"], body), ChatStarted)
            await bot.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [("down", ProviderDown), ("busy", ProviderDown), ("key", ProviderRefused), ("missing", ProviderRefused)],
)
async def test_trouble_of_the_vendor_is_told_by_its_kind(fault: str, error: type[DeliveryFailed]) -> None:
    with running_sandbox(settings()) as own:
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.put(f"{own}/code-faults.json", json={"max": fault})).status_code == 200
        bot = build(f"{own}/max/api")
        for ask in (bot.check, bot.updates, lambda: bot.say(CHAT_OF_PHONE, "x")):
            with pytest.raises(error):
                await ask()
        await bot.close()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"code": "verify.token", "message": "x"}, ProviderRefused),
        (403, {"code": "chat.denied", "message": "x"}, NumberRefused),
        (404, {"code": "chat.not.found", "message": "x"}, NumberNotReachable),
        (404, {"code": "dialog.not.found", "message": "x"}, NumberNotReachable),
        (429, {"code": "too.many.requests", "message": "x"}, ProviderDown),
        (400, {"code": "proto.payload", "message": "+79001234567"}, ProviderRefused),
        (400, {"code": "+79001234567"}, ProviderRefused),
        (400, {"code": 7}, ProviderRefused),
        (200, [], ProviderRefused),
        (200, {}, ProviderRefused),
        (200, {"message": "x"}, ProviderRefused),
        (200, {"message": {"body": []}}, ProviderRefused),
        (503, {"code": "x"}, ProviderDown),
    ],
)
async def test_each_error_means_something(status: int, body: Any, error: type[DeliveryFailed]) -> None:
    bot = answering(status, body)
    with pytest.raises(error) as refused:
        await bot.say(CHAT, "x")

    assert "79001234567" not in f"{refused.value} {refused.value.code}"
    await bot.close()


async def test_the_token_is_no_bearer_and_in_no_address() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"message": {"body": {"mid": "mid.1"}}})

    bot = build("http://vendor.test", transport=httpx.MockTransport(answer))
    await bot.say(CHAT, "x")

    assert asked[0].headers["Authorization"] == MAX_TOKEN
    assert MAX_TOKEN not in str(asked[0].url)
    assert bot.link("t") == "https://max.ru/clinic_bot?start=t"
    await bot.close()
