"""What step 2 shows of a code: nothing that is not true of it, and what works now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.flow import CodeView
from medonline.state.codes.screen import CodeScreen, code_screen

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALL, TELEGRAM = ChannelName.FLASH_CALL, ChannelName.TELEGRAM
BOTH = (CALL, TELEGRAM)
VIEW = CodeView(
    phone="+7 900 ***-**-01",
    channel=CALL,
    issued_at=NOW - timedelta(seconds=30),
    expires_at=NOW + timedelta(minutes=4),
    resend_at=NOW + timedelta(seconds=30),
    attempts_left=3,
    code_alive=True,
    delivery=DeliveryState.DELIVERED,
    problem="",
    ready_channels=(),
    open_channels=BOTH,
    topic="codes to",
    chat_link="",
    call_number="",
    codes_at=None,
)


def shown(**changes: object) -> CodeScreen:
    return code_screen(replace(VIEW, **changes), NOW, ZoneInfo("Europe/Moscow"), BOTH)


def test_a_live_code_says_how_it_travels_and_nothing_of_an_end() -> None:
    screen = shown()

    assert screen.delivery == "Звонок дошёл. Посмотрите номер в пропущенных звонках."
    assert (screen.code_alive, screen.code_over) == (True, "")


@pytest.mark.parametrize("delivery", [state for state in DeliveryState if state is not DeliveryState.FAILED])
def test_of_a_code_that_is_over_it_is_not_said_that_it_has_arrived(delivery: DeliveryState) -> None:
    assert shown(code_alive=False, delivery=delivery).delivery == ""


def test_a_chat_that_is_open_already_is_not_asked_to_be_opened() -> None:
    awaited = shown(channel=ChannelName.MAX, delivery=DeliveryState.QUEUED, chat_link="https://max.ru/bot?start=token")
    begun = shown(channel=ChannelName.MAX, delivery=DeliveryState.QUEUED)

    assert awaited.where.startswith("Откройте чат в MAX, нажмите «Начать»")
    assert begun.where.startswith("Вернитесь в чат в MAX.")
    assert (begun.chat_link, begun.chat_qr) == ("", "")


def test_a_code_that_is_over_says_why() -> None:
    assert shown(code_alive=False, expires_at=NOW).code_over == "Время действия кода вышло. Получите новый код."
    for attempts_left in (0, 3):
        used_up = shown(code_alive=False, attempts_left=attempts_left)
        assert used_up.code_over == "Этот код больше не действует. Получите новый код."


def test_a_failed_delivery_is_the_only_reason_that_is_said() -> None:
    screen = shown(code_alive=False, delivery=DeliveryState.FAILED, problem="not_answered")

    assert (screen.delivery_failed, screen.code_over) == (True, "")
    assert screen.delivery == "Не дозвонились. Проверьте, что телефон включён и в сети."


@pytest.mark.parametrize(
    ("open_channels", "same", "other"),
    [(BOTH, True, TELEGRAM), ((CALL,), True, ""), ((TELEGRAM,), False, TELEGRAM), ((), False, "")],
)
def test_only_ways_that_are_open_today_are_offered(
    open_channels: tuple[ChannelName, ...], same: bool, other: str
) -> None:
    screen = shown(open_channels=open_channels)

    assert (screen.way_open, screen.other_channel) == (same, other)
