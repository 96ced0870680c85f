"""Commands about ways of getting a code: show how well they work, and switch them off and on while the portal runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from medonline.cli import options
from medonline.cli.at_desk import with_desk
from medonline.cli.failures import Refused
from medonline.cli.options import acting, as_json, mode
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CallsAloneLeft, LastChannel
from medonline.domain.security_journal import Operator

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.services.codes.channel_figures import ChannelFigure
    from medonline.services.codes.channel_switches import SwitchedOff

_CHANNEL = click.argument("channel", type=click.Choice([channel.value for channel in ChannelName]))
_CALLS_ALONE = (
    "Patients could only call then, and a call proves a number weakly: the birth date is always asked after it. "
    "Who has none on record could not recover a password by phone, and would have {instead}. {nobody}."
)
_WITH_GOSUSLUGI = _CALLS_ALONE.format(
    instead="Gosuslugi or the desk",
    nobody="Nobody could put another phone on record, or prove an account by a code after a sign-in through Gosuslugi",
)
_WITHOUT_GOSUSLUGI = _CALLS_ALONE.format(
    instead="the desk alone, for there is no sign-in through Gosuslugi",
    nobody="Nobody could put another phone on record",
)


@click.group()
def channels() -> None:
    """Ways of getting a code."""


@channels.command("list", short_help="How well each way works, and whether it is on.")
@click.option("--hours", type=click.IntRange(1, 24 * 30), default=1, show_default=True, help="How far to look back.")
@as_json
@mode
def list_channels(hours: int, as_json: bool) -> None:
    """List the sent, delivered and entered codes of each way, the median time until a code is entered, and the day's cost."""

    async def read(desk: Desk) -> tuple[list[ChannelFigure], Mapping[ChannelName, SwitchedOff]]:
        return await desk.channel_figures.over(timedelta(hours=hours)), await desk.switches.all_of_record()

    figures, off = asyncio.run(with_desk(read))
    if as_json:
        options.lines(_facts(one, off.get(one.channel)) for one in figures)
        return
    for one in figures:
        click.echo(f"{one.channel}: {_state(off.get(one.channel))}")
        took = "" if one.seconds is None else f", median {one.seconds:.0f} s"
        click.echo(f"  asked {one.asked} → sent {one.sent} → delivered {one.delivered} → entered {one.entered}{took}")
        if one.sent_by:
            click.echo(f"  sent by {', '.join(f'{vendor} {count}' for vendor, count in one.sent_by.items())}")
        cap = f" of {one.cap / 100:.2f} roubles" if one.cap else " roubles, without a cap"
        click.echo(f"  spent today {one.spent / 100:.2f}{cap}")


@channels.command("off", short_help="Offer a way no longer, in every process.")
@_CHANNEL
@click.option(
    "--force", is_flag=True, help="Also where only calls of patients are left, which are not enough by themselves."
)
@acting
@mode
def switch_off(channel: str, force: bool, operator: Operator) -> None:
    """Switch a way off, at once and in every process. Patients read the reason: write it in Russian, as the end of «… временно отключён:
    …»."""

    async def do(desk: Desk) -> None:
        _require_set_up(desk, channel)
        await desk.switches.switch_off(ChannelName(channel), operator.reason, calls_alone=force)

    try:
        asyncio.run(with_desk(do, operator=operator))
    except LastChannel:
        msg = (
            "It is the last way that is on, and there is no sign-in through Gosuslugi: patients would have no way back."
        )
        raise Refused(msg) from None
    except CallsAloneLeft as left:
        consequence = _WITH_GOSUSLUGI if left.another_road else _WITHOUT_GOSUSLUGI
        otherwise = f"or add --force, if {channel} must be off all the same"
        raise Refused(f"{consequence} Switch another way on first (`medonline channels on`); {otherwise}.") from None
    click.echo(f"{channel} is off. Codes that are on their way can still be entered.")


@channels.command("on", short_help="Offer a way again.")
@_CHANNEL
@acting
@mode
def switch_on(channel: str, operator: Operator) -> None:
    """Switch a way on again, at once and in every process. The rule that switches off looks only at codes from now on."""

    async def do(desk: Desk) -> None:
        _require_set_up(desk, channel)
        await desk.switches.switch_on(ChannelName(channel))

    asyncio.run(with_desk(do, operator=operator))
    click.echo(f"{channel} is on.")


def _require_set_up(desk: Desk, channel: str) -> None:
    if channel not in desk.config.code_channels:
        msg = f"{channel} is not set up here: MEDONLINE_CODE_CHANNELS does not name it."
        raise Refused(msg)


def _state(off: SwitchedOff | None) -> str:
    if off is None:
        return "on"
    why = "its codes are not entered; one a minute goes out on trial" if off.by_rule else off.reason
    return f"OFF since {off.since:%Y-%m-%d %H:%M} UTC: {why}"


def _facts(one: ChannelFigure, off: SwitchedOff | None) -> dict[str, object]:
    return {
        "channel": one.channel.value,
        "on": off is None,
        "off_since": None if off is None else off.since,
        "by_rule": off is not None and off.by_rule,
        "reason": "" if off is None else off.reason,
        "asked": one.asked,
        "sent": one.sent,
        "sent_by": dict(one.sent_by),
        "delivered": one.delivered,
        "entered": one.entered,
        "median_seconds": one.seconds,
        "spent_kopecks": one.spent,
        "cap_kopecks": one.cap,
    }
