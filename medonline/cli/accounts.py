"""Commands about patients' accounts. A command finds an account by its phone or its id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from medonline.cli import options
from medonline.cli.at_desk import with_desk
from medonline.cli.failures import CALLED_WRONGLY
from medonline.cli.importing import import_accounts
from medonline.cli.options import BirthDate, account, acting, as_json, mode
from medonline.cli.passwords import read_password
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import Operator

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.storage.tables.gosuslugi import LinkedIdentity
    from medonline.storage.tables.passkeys import Passkey
    from medonline.storage.tables.patients import Patient


@click.group()
def accounts() -> None:
    """Patients' accounts."""


accounts.add_command(import_accounts)


@accounts.command("add", short_help="Make an account.")
@click.option("--phone", required=True, help="The number that signs in.")
@click.option("--last-name", required=True)
@click.option("--first-name", required=True)
@click.option("--patronymic", default="")
@click.option(
    "--birth-date", type=BirthDate(), help="YYYY-MM-DD or DD.MM.YYYY; without it a call is all that proves the owner."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not from a prompt.")
# Accepted only so that the refusal does not repeat it.
@click.option("--password", hidden=True)
@acting
@mode
def add_account(
    phone: str,
    last_name: str,
    first_name: str,
    patronymic: str,
    birth_date: date | None,
    password_stdin: bool,
    password: str | None,
    operator: Operator,
) -> int:
    """Create an account. The password is asked for twice, or read from standard input."""
    if password is not None:
        click.echo(
            "A password does not belong into the command: every user of this machine and the shell's history can read it. "
            "Leave --password out to be asked for one, or pipe it in with --password-stdin. Do not use this one any more.",
            err=True,
        )
        return CALLED_WRONGLY
    typed = read_password(from_stdin=password_stdin)
    from medonline.services.desk.accounts import NewAccount

    wanted = NewAccount(phone, typed, last_name, first_name, patronymic, birth_date=birth_date)

    async def add(desk: Desk) -> str:
        return (await desk.accounts.add(wanted)).phone or ""

    click.echo(
        f"The account is made; it signs in with {PhoneNumber(asyncio.run(with_desk(add, operator=operator, may_migrate=True))).masked}."
    )
    return 0


@accounts.command("list", short_help="List accounts, phones masked.")
@click.option("--limit", type=click.IntRange(min=1), metavar="COUNT", help="The first ones only.")
@as_json
@mode
def list_accounts(limit: int | None, as_json: bool) -> None:
    """List accounts by name, with masked phones. Each one is printed as soon as it is read."""

    async def read(desk: Desk) -> int:
        count = 0
        async for page in desk.accounts.pages(limit):
            _tell(page, as_json)
            count += len(page)
        return count

    if not asyncio.run(with_desk(read)) and not as_json:
        click.echo("No accounts.")


@accounts.command(short_help="Find accounts by phone, name, СНИЛС or id.")
@click.argument("wanted", nargs=-1, required=True)
@as_json
@mode
def find(wanted: tuple[str, ...], as_json: bool) -> int:
    """Find accounts by phone, СНИЛС, id, or last name and first name. Phones are masked. Exit code 1 when there is none."""

    async def read(desk: Desk) -> list[Patient]:
        return await desk.accounts.find(" ".join(wanted))

    found = asyncio.run(with_desk(read))
    _tell(found, as_json)
    from medonline.services.desk.accounts import MOST_FOUND

    if len(found) == MOST_FOUND:
        click.echo(f"Only the first {MOST_FOUND} are shown: add the first name.", err=True)
    if not found:
        click.echo("No account has this phone, СНИЛС, id or name.", err=True)
    return 0 if found else 1


@accounts.command(short_help="Show what the desk needs of one account.")
@account
@acting
@mode
def show(account: str, operator: Operator) -> None:
    """Show as JSON what the desk needs to know about one account. Phone and СНИЛС are masked; there is no password; what belongs to the
    account is only counted."""

    async def do(desk: Desk) -> dict[str, Any]:
        return await desk.personal_data.show(account)

    click.echo(json.dumps(asyncio.run(with_desk(do, operator=operator)), ensure_ascii=False, indent=2))


def _tell(page: Sequence[Patient], as_json: bool) -> None:
    if as_json:
        options.lines(map(_facts, page))
        return
    if page:
        click.echo("\n".join(map(_line, page)))


def _line(patient: Patient) -> str:
    phone = PhoneNumber(patient.phone).masked if patient.phone else f"no phone, id {patient.id}"
    return f"{phone}  {patient.last_name} {patient.first_name} {patient.patronymic}".rstrip()


def _facts(patient: Patient) -> dict[str, Any]:
    """The facts about a patient in a listing: no whole phone and no document."""
    return {
        "id": patient.id,
        "phone": PhoneNumber(patient.phone).masked if patient.phone else None,
        "last_name": patient.last_name,
        "first_name": patient.first_name,
        "patronymic": patient.patronymic,
        "created_at": patient.created_at,
    }


@accounts.command(short_help="Print everything kept of a patient as JSON.")
@account
@acting
@mode
def export(account: str, operator: Operator) -> None:
    """Print everything that is kept about a patient as JSON."""

    async def do(desk: Desk) -> dict[str, Any]:
        return await desk.personal_data.export(account)

    click.echo(json.dumps(asyncio.run(with_desk(do, operator=operator)), ensure_ascii=False, indent=2))


@accounts.command("identities", short_help="List what opens an account at Gosuslugi.")
@account
@as_json
@mode
def list_identities(account: str, as_json: bool) -> None:
    """List the accounts at Gosuslugi that open an account."""
    from medonline.services.linked_identities import number_of

    async def read(desk: Desk) -> list[LinkedIdentity]:
        return await desk.personal_data.identities(account)

    found = asyncio.run(with_desk(read))
    if as_json:
        options.lines(
            {
                "number": number_of(row),
                "linked_at": row.linked_at,
                "how": row.how,
                "last_used_at": row.last_used_at,
                "issuer": row.issuer,
            }
            for row in found
        )
        return
    lines = [
        f"{number_of(row)}  linked {row.linked_at:%Y-%m-%d %H:%M} UTC by {row.how}  "
        f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC  {row.issuer}"
        for row in found
    ]
    click.echo("\n".join(lines) or "No account at Gosuslugi opens it.")


@accounts.command(short_help="Take an account at Gosuslugi off.")
@account
@click.argument("number")
@acting
@mode
def unlink(account: str, number: str, operator: Operator) -> None:
    """Unlink an account at Gosuslugi from an account, and tell the patient. NUMBER says which one, as `accounts identities` lists it."""

    async def do(desk: Desk) -> int:
        return await desk.personal_data.unlink(account, number)

    ended = asyncio.run(with_desk(do, operator=operator))
    click.echo(f"It opens the account no more. Sessions through Gosuslugi ended: {ended}")


@accounts.command("passkeys", short_help="List the passkeys that open an account.")
@account
@as_json
@mode
def list_passkeys(account: str, as_json: bool) -> None:
    """List the passkeys of an account: the devices that sign in by fingerprint, face or PIN."""

    async def read(desk: Desk) -> list[Passkey]:
        return await desk.personal_data.passkeys(account)

    found = asyncio.run(with_desk(read))
    if as_json:
        options.lines(
            {
                "number": row.id,
                "name": row.name,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
                "backed_up": row.backed_up,
            }
            for row in found
        )
        return
    lines = [
        f"{row.id}  added {row.created_at:%Y-%m-%d %H:%M} UTC  "
        + (f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC" if row.last_used_at else "never used")
        + f"  {row.name}"
        for row in found
    ]
    click.echo("\n".join(lines) or "No passkey opens it.")


@accounts.command("remove-passkey", short_help="Take a passkey off.")
@account
@click.argument("number")
@acting
@mode
def remove_passkey(account: str, number: str, operator: Operator) -> None:
    """Remove a passkey from an account, and tell the patient. NUMBER says which one, as `accounts passkeys` lists it."""

    async def do(desk: Desk) -> int:
        return await desk.personal_data.remove_passkey(account, number)

    ended = asyncio.run(with_desk(do, operator=operator))
    click.echo(f"It opens the account no more. Sessions by passkey ended: {ended}")


@accounts.command(short_help="Put a number on record that the desk checked.")
@account
@click.argument("phone")
@acting
@mode
def set_phone(account: str, phone: str, operator: Operator) -> None:
    """Change an account's phone to PHONE, after the desk has checked the patient's documents. PHONE, the previous phone and the proved
    e-mail address each get a notice with a link that undoes the change."""

    async def do(desk: Desk) -> str:
        return await desk.personal_data.set_phone(account, phone)

    masked = asyncio.run(with_desk(do, operator=operator))
    click.echo(f"The account signs in with {masked}. Passwords are set by recovery, or in the settings.")


@accounts.command(short_help="Sign a patient out everywhere.")
@account
@acting
@mode
def end_sessions(account: str, operator: Operator) -> None:
    """Sign a patient out everywhere, and tell them."""

    async def do(desk: Desk) -> int:
        return await desk.personal_data.end_sessions(account)

    click.echo(f"Sessions ended: {asyncio.run(with_desk(do, operator=operator))}")


@accounts.command(short_help="Delete everything kept of a patient, for good.")
@account
@click.option("--yes", is_flag=True, help="Really.")
@acting
@mode
def erase(account: str, yes: bool, operator: Operator) -> int:
    """Delete everything that is kept about a patient. This cannot be undone."""
    if not yes:
        click.echo("This cannot be undone. Run it again with --yes.", err=True)
        return CALLED_WRONGLY

    async def do(desk: Desk) -> dict[str, int]:
        return await desk.personal_data.erase(account)

    gone = asyncio.run(with_desk(do, operator=operator))
    click.echo("\n".join(f"{table}: {count} deleted" for table, count in sorted(gone.items()) if count))
    return 0
