"""What the wizard's screen shows of a recovery: words and clock times instead of facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from medonline import messages
from medonline.domain.one_time_code import ChannelName
from medonline.domain.password_recovery import RecoveryStep
from medonline.limit_messages import clock_time
from medonline.services.code_proof import CodeView
from medonline.services.delivery import DeliveryState
from medonline.services.recovery_reading import RecoveryView

PHONE = "phone"
# A countdown to something further off than this says less than the time on the clock.
FAR = timedelta(hours=1)
_TITLES = {
    PHONE: "Шаг 1 из 3: телефон — Восстановление пароля",
    RecoveryStep.CODE: "Шаг 2 из 3: проверочный код — Восстановление пароля",
    RecoveryStep.BIRTH_DATE: "Шаг 2 из 3: дата рождения — Восстановление пароля",
    RecoveryStep.NEW_PASSWORD: "Шаг 3 из 3: новый пароль — Восстановление пароля",
    RecoveryStep.DONE: "Новый пароль установлен",
    RecoveryStep.REFUSED: "Дата рождения не подошла — Восстановление пароля",
    RecoveryStep.STOPPED: "Восстановление по телефону остановлено — Восстановление пароля",
    RecoveryStep.NO_ACCOUNT: "Личный кабинет не найден — Восстановление пароля",
}
_FIELDS = {
    PHONE: "phone",
    RecoveryStep.CODE: "code",
    RecoveryStep.BIRTH_DATE: "birth_date",
    RecoveryStep.NEW_PASSWORD: "new_password",
}
_DELIVERY = {
    (ChannelName.FLASH_CALL, DeliveryState.QUEUED): "Звоним…",
    (ChannelName.FLASH_CALL, DeliveryState.SENDING): "Звоним…",
    (ChannelName.FLASH_CALL, DeliveryState.SENT): "Звоним…",
    (ChannelName.FLASH_CALL, DeliveryState.DELIVERED): "Звонок дошёл. Посмотрите номер в списке входящих.",
    (ChannelName.TELEGRAM, DeliveryState.QUEUED): "Отправляем…",
    (ChannelName.TELEGRAM, DeliveryState.SENDING): "Отправляем…",
    (ChannelName.TELEGRAM, DeliveryState.SENT): "Отправлено, ждём подтверждения от Telegram…",
    (ChannelName.TELEGRAM, DeliveryState.DELIVERED): "Сообщение доставлено.",
    (ChannelName.TELEGRAM, DeliveryState.READ): "Сообщение прочитано.",
}


@dataclass(frozen=True)
class RecoveryScreen:
    """Ready for display; nothing here is secret: the phone is masked.

    `resend_seconds` counts down from the server's clock; `resend_ready` says that the pause is over.
    """

    step: str = PHONE
    field: str = "phone"
    title: str = _TITLES[PHONE]
    phone: str = ""
    channel: str = ""
    other_channel: str = ""
    other_ready: bool = False
    delivery: str = ""
    delivery_failed: bool = False
    attempts: str = ""
    code_alive: bool = False
    expires_clock: str = ""
    resend_ready: bool = False
    resend_clock: str = ""
    resend_seconds: int = 0
    resend_far: bool = False
    resend_key: str = ""
    min_length: int = 8
    stopped_clock: str = ""


PHONE_STEP = RecoveryScreen()


def screen_of(view: RecoveryView, now: datetime, zone: ZoneInfo, channels: tuple[ChannelName, ...]) -> RecoveryScreen:
    """The screen for where a recovery stands at `now` (UTC); clock times are in `zone`."""
    screen = code_screen_of(view, now, zone, channels)
    if view.step is RecoveryStep.BIRTH_DATE:
        screen = replace(screen, attempts=messages.attempts_left(view.birth_date_tries_left))
    if view.stopped_until is not None:
        screen = replace(screen, stopped_clock=clock_time(view.stopped_until, now, zone))
    return replace(screen, step=view.step, field=_FIELDS.get(view.step, ""), title=_TITLES[view.step])


def code_screen_of(view: CodeView, now: datetime, zone: ZoneInfo, channels: tuple[ChannelName, ...]) -> RecoveryScreen:
    """The screen of a code on its way, whatever flow it belongs to."""
    failed = view.delivery is DeliveryState.FAILED
    ready = now >= view.resend_at
    return RecoveryScreen(
        step=RecoveryStep.CODE,
        field="code",
        phone=view.phone,
        channel=view.channel,
        other_channel=view.channel.other if view.channel.other in {*channels} & {*view.open_channels} else "",
        other_ready=view.fallback_now,
        delivery=_delivery(view),
        delivery_failed=failed,
        attempts=_attempts(view),
        code_alive=view.code_alive,
        expires_clock=f"{view.expires_at.astimezone(zone):%H:%M}",
        resend_ready=ready,
        resend_clock=_resend_clock(view, now, zone),
        # Set once per code, so that the countdown on the screen runs by itself between two looks at the record.
        resend_seconds=0 if ready else ceil((view.resend_at - now).total_seconds()),
        resend_far=view.resend_at - now > FAR,
        resend_key=f"{view.resend_at.timestamp():.0f}",
    )


def steady(screen: RecoveryScreen, shown: RecoveryScreen) -> RecoveryScreen:
    """The screen with the countdown of the one that is shown: the browser counts down by itself, and without this every
    tick would be a message to it."""
    if screen.resend_key == shown.resend_key and not screen.resend_ready:
        return replace(screen, resend_seconds=shown.resend_seconds)
    return screen


def _resend_clock(view: CodeView, now: datetime, zone: ZoneInfo) -> str:
    """To the minute for a pause; a limit that ends on another day has its date."""
    if view.resend_at - now < FAR:
        return f"{view.resend_at.astimezone(zone):%H:%M}"
    return clock_time(view.resend_at, now, zone)


def _delivery(view: CodeView) -> str:
    if view.delivery is DeliveryState.FAILED:
        return messages.delivery_failed(view.problem, view.channel)
    return _DELIVERY[(view.channel, view.delivery)]


def _attempts(view: CodeView) -> str:
    return messages.attempts_left(view.attempts_left) if view.attempts_left else ""
