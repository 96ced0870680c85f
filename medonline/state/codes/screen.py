"""What a screen shows about a sent code in any flow. It holds words and clock times instead of facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TypeVar
from zoneinfo import ZoneInfo

from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.codes.patient_call import spaced
from medonline.domain.errors import CallOver, CodeExpired, CodeRefused, CodeUsedUp
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.flow import CodeView
from medonline.state.codes.qr import qr_of
from medonline.wording.channels import WORDS
from medonline.wording.errors import attempts_left, delivery_failed, sentence
from medonline.wording.limits import clock_time

# For a longer wait the clock time says more than a countdown.
FAR = timedelta(hours=1)
# Calls to numbers with this prefix are free from anywhere in Russia.
FREE = "+7800"


@dataclass(frozen=True)
class CodeScreen:
    """The texts of a sent code, ready for display. Nothing here is secret: the phone is masked.

    `resend_seconds`: seconds until the pause ends, by the server's clock. `resend_ready`: whether the pause is over.
    `way_open`: whether another code can still come by the same way today.
    `other_channel`: the best other way; the fields with similar names are its texts.
    `chat_link` opens the chat in which the patient gets the code, `chat_qr` is the same link for another device. Both may be empty.
    `call_number`: the number that the patient calls. `call_link` and `call_qr` are the same for a phone and for its camera.
    `call_free`: whether the call is free. `call_seconds`: seconds until the portal stops waiting for the call.
    `code_over`: why the code cannot be typed any more; empty when `delivery` says it.
    """

    phone: str = ""
    channel: str = ""
    where: str = ""
    where_note: str = ""
    drawing: str = ""
    not_coming: str = ""
    again: str = ""
    fills_itself_in: bool = False
    chat_link: str = ""
    chat_qr: str = ""
    step_2: str = WORDS[GUIDE_CHANNELS[0]].step
    trouble: str = ""
    fits: str = ""
    patient_calls: bool = False
    call_number: str = ""
    call_link: str = ""
    call_qr: str = ""
    call_free: bool = False
    call_seconds: int = 0
    call_key: str = ""
    other_channel: str = ""
    other_label: str = ""
    other_get: str = ""
    other_icon: str = ""
    other_ready: bool = False
    other_clock: str = ""
    way_open: bool = False
    delivery: str = ""
    delivery_failed: bool = False
    attempts: str = ""
    code_alive: bool = False
    code_over: str = ""
    expires_clock: str = ""
    resend_ready: bool = False
    resend_at: str = ""
    resend_clock: str = ""
    resend_seconds: int = 0
    resend_far: bool = False
    resend_key: str = ""


NO_CODE = CodeScreen()
Screen = TypeVar("Screen", bound=CodeScreen)


def code_screen(view: CodeView, now: datetime, zone: ZoneInfo, channels: tuple[ChannelName, ...]) -> CodeScreen:
    """The screen of a sent code at `now` (UTC). Clock times are in `zone`. `channels`: the ways that may be offered instead."""
    failed = view.delivery is DeliveryState.FAILED
    ready = now >= view.resend_at
    words = WORDS[view.channel]
    others = [one for one in view.open_channels if one in channels and one is not view.channel]
    other = next((one for one in others if one in view.ready_channels), next(iter(others), None))
    link = f"tel:{view.call_number}" if view.call_number else ""
    return CodeScreen(
        phone=view.phone,
        channel=view.channel,
        where=words.where if view.chat_link else words.where_begun or words.where,
        where_note=words.where_note,
        drawing=words.drawing,
        not_coming=words.not_coming,
        again=words.again,
        fills_itself_in=view.channel.facts.fills_itself_in,
        chat_link=view.chat_link,
        chat_qr=qr_of(view.chat_link),
        step_2=words.step,
        trouble=words.trouble,
        fits=words.fits,
        patient_calls=view.channel.facts.patient_calls,
        call_number=spaced(view.call_number) if link else "",
        call_link=link,
        call_qr=qr_of(link),
        call_free=view.call_number.startswith(FREE),
        # Set once per number, like the other countdown.
        call_seconds=max(ceil((view.expires_at - now).total_seconds()), 0) if link else 0,
        call_key=f"{view.expires_at.timestamp():.0f}" if link else "",
        other_channel=other or "",
        other_label=WORDS[other].label if other else "",
        other_get=WORDS[other].get if other else "",
        other_icon=WORDS[other].icon if other else "",
        other_ready=other in view.ready_channels,
        other_clock=_clock(view.codes_at or view.resend_at, now, zone),
        way_open=view.channel in view.open_channels,
        delivery=_delivery(view),
        delivery_failed=failed,
        attempts=_attempts(view),
        code_alive=view.code_alive,
        code_over="" if view.code_alive or failed else sentence(_over(view, now)),
        expires_clock=f"{view.expires_at.astimezone(zone):%H:%M}",
        resend_ready=ready,
        resend_at=words.again_at,
        resend_clock=_clock(view.resend_at, now, zone),
        # Set once per code, so that the countdown on the screen runs by itself between two readings of the database.
        resend_seconds=0 if ready else ceil((view.resend_at - now).total_seconds()),
        resend_far=view.resend_at - now > FAR,
        resend_key=f"{view.resend_at.timestamp():.0f}",
    )


def steady(screen: Screen, shown: Screen) -> Screen:
    """The new screen with the countdown of the shown one. The browser counts down by itself. Without this, every tick would be a message
    to it."""
    if screen.resend_key == shown.resend_key and not screen.resend_ready:
        screen = replace(screen, resend_seconds=shown.resend_seconds)
    return replace(screen, call_seconds=shown.call_seconds) if screen.call_key == shown.call_key else screen


def _clock(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The clock time, to the minute. If it is on another day, it has the date."""
    return f"{at.astimezone(zone):%H:%M}" if at - now < FAR else clock_time(at, now, zone)


def _over(view: CodeView, now: datetime) -> CodeRefused:
    if view.channel.facts.patient_calls:
        return CallOver()
    return CodeExpired() if view.expires_at <= now else CodeUsedUp()


def _delivery(view: CodeView) -> str:
    if view.delivery is DeliveryState.FAILED:
        return delivery_failed(view.problem, view.channel)
    # Once a code is over, it does not matter whether it has arrived.
    return WORDS[view.channel].delivery[view.delivery] if view.code_alive else ""


def _attempts(view: CodeView) -> str:
    return attempts_left(view.attempts_left) if view.attempts_left and not view.channel.facts.patient_calls else ""
