"""What the wizard shows about a recovery: its step, and the sent code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from medonline.domain.codes.channels import ChannelName
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.password_recovery.reader import RecoveryView
from medonline.state.codes.screen import CodeScreen, code_screen
from medonline.wording.errors import attempts_left
from medonline.wording.limits import clock_time

PHONE = "phone"
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
_CALLS = "Шаг 2 из 3: звонок с телефона — Восстановление пароля"
_FIELDS = {
    PHONE: "phone",
    RecoveryStep.CODE: "code",
    RecoveryStep.BIRTH_DATE: "birth_date",
    RecoveryStep.NEW_PASSWORD: "new_password",
}


@dataclass(frozen=True)
class RecoveryScreen(CodeScreen):
    """The screen, ready for display: the step with its field and title, and the texts of the sent code."""

    step: str = PHONE
    field: str = "phone"
    title: str = _TITLES[PHONE]
    min_length: int = 8
    signs_allowed: bool = False
    stopped_clock: str = ""
    password_clock: str = ""
    unlinked: bool = False
    passkeys_off: bool = False


PHONE_STEP = RecoveryScreen()


def screen_of(view: RecoveryView, now: datetime, zone: ZoneInfo, channels: tuple[ChannelName, ...]) -> RecoveryScreen:
    """The screen of a recovery at `now` (UTC). Clock times are in `zone`."""
    code = code_screen(view, now, zone, _that_help(view, channels))
    screen = RecoveryScreen(
        **vars(code),
        step=view.step,
        field=_FIELDS.get(view.step, ""),
        title=_CALLS if view.channel.facts.patient_calls and view.step is RecoveryStep.CODE else _TITLES[view.step],
        unlinked=view.identities_unlinked > 0,
        passkeys_off=view.passkeys_removed > 0,
    )
    if view.step is RecoveryStep.BIRTH_DATE:
        screen = replace(screen, attempts=attempts_left(view.birth_date_tries_left))
    if view.stopped_until is not None:
        screen = replace(screen, stopped_clock=clock_time(view.stopped_until, now, zone))
    if view.password_until is not None:
        screen = replace(screen, password_clock=f"{view.password_until.astimezone(zone):%H:%M}")
    return screen


def _that_help(view: RecoveryView, channels: tuple[ChannelName, ...]) -> tuple[ChannelName, ...]:
    """The channels that help at this step. At the birth date only a longer code can replace the date, and only after a short code."""
    if view.step is not RecoveryStep.BIRTH_DATE:
        return channels
    return tuple(channel for channel in channels if view.channel.facts.weak and not channel.facts.weak)
