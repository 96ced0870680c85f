"""Commands for an operator at night: they show what blocks patients and which notices did not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from medonline.cli import options
from medonline.cli.at_desk import with_desk
from medonline.cli.failures import Refused
from medonline.cli.options import Address, acting, as_json, mode
from medonline.domain.security_journal import Operator

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.services.desk.protections import BreakerNow
    from medonline.services.limits.sign_in_limits import Counted
    from medonline.storage.tables.notices import Notice

MOST_NOTICES = 100
_IN_MEMORY = (
    "Limits of networks are counted in the memory of the process that serves (MEDONLINE_LIMITS_STORAGE is memory), where no command "
    "reaches them. They end by themselves, and with a restart of the portal."
)
_OF_BROWSERS = (
    "Browsers are counted, too, by names that no command knows: each one's Gosuslugi journeys and passkey tries, and wrong passwords where "
    "the account signed in before. They end by themselves{and_restart}."
)
_PHONE = click.argument("phone")
_ADDRESS = click.option("--address", required=True, type=Address(), help="The address the patient comes from.")


@click.group()
def breaker() -> None:
    """The circuit breaker of verification calls."""


@breaker.command("show", short_help="Whether a call alone is enough now.")
@as_json
@mode
def show_breaker(as_json: bool) -> None:
    """Show whether a call alone is enough now, and how many wrong codes are counted."""

    async def read(desk: Desk) -> BreakerNow:
        return await desk.protections.breaker()

    found = asyncio.run(with_desk(read))
    minutes = int(found.within.total_seconds() // 60)
    if as_json:
        facts = {"open_until": found.open_until, "times": found.times, "misses": found.misses}
        options.lines([facts | {"most_misses": found.most, "within_minutes": minutes}])
        return
    if found.open_until is None:
        click.echo("Closed: a call alone is enough where nothing else speaks against it.")
    else:
        click.echo(
            f"Open until {found.open_until:%Y-%m-%d %H:%M} UTC, time {found.times} in a row: a call is not enough."
        )
    click.echo(f"Wrong codes within {minutes} min: {found.misses}; it opens beyond {found.most}.")


@breaker.command("close", short_help="Let a call alone be enough again.")
@acting
@mode
def close_breaker(operator: Operator) -> None:
    """Accept a call alone again, at once and in every process. If the guessing goes on, the breaker opens again."""

    async def do(desk: Desk) -> bool:
        return await desk.protections.close_breaker()

    closed = asyncio.run(with_desk(do, operator=operator))
    click.echo("It is closed." if closed else "It was closed already.")


@click.group()
def limits() -> None:
    """Wrong passwords and codes that block a patient."""


@limits.command("show", short_help="What is counted for a patient.")
@_PHONE
@_ADDRESS
@as_json
@mode
def show_limits(phone: str, address: str, as_json: bool) -> None:
    """Show the counts for PHONE, its account and the patient's network: wrong passwords, codes, wrong codes, journeys to Gosuslugi,
    passkey tries. The counts of networks are there only with Redis."""

    async def read(desk: Desk) -> list[Counted]:
        protections = desk.protections
        of_phone = [*await protections.codes_to_phone(phone), *await protections.pace_of(phone)]
        and_restart = ", and with a restart of the portal" if desk.config.limits_in_memory else ""
        click.echo(_OF_BROWSERS.format(and_restart=and_restart), err=True)
        if desk.config.limits_in_memory:
            click.echo(_IN_MEMORY, err=True)
            return of_phone
        return [
            *await protections.wrong_passwords(phone, address),
            *of_phone,
            *await protections.codes_from(phone, address),
            *await protections.ways_from(address),
        ]

    found = asyncio.run(with_desk(read))
    if as_json:
        options.lines(
            {"of": one.of, "network": one.network, "counted": one.count, "most": one.limit.count}
            | {"within_seconds": int(one.limit.per.total_seconds())}
            for one in found
        )
        return
    for one in found:
        full = "  FULL" if one.count >= one.limit.count else ""
        where = one.network or "everywhere"
        minutes = one.limit.per.total_seconds() / 60
        click.echo(f"{one.of}, {where}: {one.count} of {one.limit.count} within {minutes:g} min{full}")


@limits.command("reset", short_help="Forget one account's wrong passwords.")
@_PHONE
@_ADDRESS
@click.option("--codes", is_flag=True, help="Also codes that the network did not confirm or mistyped.")
@click.option("--ways", is_flag=True, help="Also the network's journeys to Gosuslugi and passkey tries.")
@click.option("--pace", is_flag=True, help="Only the account's sign-ins, proofs and saves.")
@acting
@mode
def reset_limits(phone: str, address: str, codes: bool, ways: bool, pace: bool, operator: Operator) -> None:
    """Forget the wrong passwords for the account of PHONE from the patient's network. The network's count for all accounts stays. The
    codes that went to PHONE stay too, because they cost money and disturb its owner. --pace resets only the limits on the account's own
    acts, in the database."""
    if pace and (codes or ways):
        msg = "--pace stands alone."
        raise Refused(msg)

    async def begin_again(desk: Desk) -> bool:
        return await desk.protections.begin_pace_again(phone)

    async def do(desk: Desk) -> None:
        _require_redis(desk)
        await desk.protections.forgive(phone, address, codes=codes, ways=ways)

    if pace:
        if not asyncio.run(with_desk(begin_again, operator=operator)):
            msg = "No account has this phone."
            raise Refused(msg)
        click.echo("The account's sign-ins, proofs and saves are counted anew.")
        return
    asyncio.run(with_desk(do, operator=operator))
    also = ", and its codes that were not confirmed or mistyped" if codes else ""
    also += ", and its journeys to Gosuslugi and passkey tries" if ways else ""
    click.echo(f"The wrong passwords for this account from this network are forgotten{also}.")


def _require_redis(desk: Desk) -> None:
    if desk.config.limits_in_memory:
        raise Refused(_IN_MEMORY)


@click.group("notices")
def notices() -> None:
    """Notices that have reached no phone."""


@notices.command("list", short_help="List what waits and what was given up.")
@as_json
@mode
def list_notices(as_json: bool) -> None:
    """List notices that wait to be sent and notices that were given up, newest first, without their texts."""

    async def read(desk: Desk) -> Sequence[Notice]:
        return await desk.unsent.newest(MOST_NOTICES)

    found = asyncio.run(with_desk(read))
    if as_json:
        options.lines(
            {
                "id": one.id,
                "patient_id": one.patient_id,
                "about": one.about,
                "created_at": one.created_at,
                "attempts": one.attempts,
                "problem": one.problem,
                "due_at": one.due_at,
            }
            for one in found
        )
        return
    for one in found:
        fate = f"due {one.due_at:%Y-%m-%d %H:%M} UTC" if one.due_at else "given up"
        click.echo(
            f"{one.id}  {one.created_at:%Y-%m-%d %H:%M} UTC  {one.about}  attempts {one.attempts}  {fate}  {one.problem}".rstrip()
        )
    if not found:
        click.echo("Every notice was sent.")


@notices.command(short_help="Send one that was given up once more.")
@click.argument("notice", required=False)
@click.option("--all", "every", is_flag=True, help="All of the last day, those that wait for a later try as well.")
@acting
@mode
def resend(notice: str | None, every: bool, operator: Operator) -> None:
    """Make the running portal send a given-up notice once more. NOTICE is its id, as `notices list` prints it. --all skips notices that
    may have arrived already (problem unknown) and those whose number cannot be reached."""
    if (notice is None) is not every:
        msg = "Name one notice by its id, or all of them by --all."
        raise Refused(msg)

    async def do_all(desk: Desk) -> int:
        return await desk.unsent.resend_all()

    async def do(desk: Desk) -> bool:
        return await desk.unsent.resend(notice or "")

    if every:
        count = asyncio.run(with_desk(do_all, operator=operator))
        click.echo(f"{count} are sent as soon as the portal that serves looks.")
        return
    if not asyncio.run(with_desk(do, operator=operator)):
        msg = "No notice of this id was given up within the last day; `medonline notices list` lists what waits."
        raise Refused(msg)
    click.echo("It is sent as soon as the portal that serves looks.")
