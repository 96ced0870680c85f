"""Commands about the keys that encrypt personal data at rest, and about how long rows are kept."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import click

from medonline.cli import options
from medonline.cli.at_desk import with_desk
from medonline.cli.options import as_json, mode
from medonline.services.crypto.field_encryption import key_id

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.services.crypto.key_rotation import Resealed


@click.group()
def keys() -> None:
    """Keys of personal data at rest."""


@keys.command("new", short_help="Print a new key and what to do with it.")
@mode
def new_key() -> None:
    """Print a new key and what to do with it. Changes nothing."""
    key = secrets.token_hex(32)
    click.echo(
        f"""MEDONLINE_NEXT_SECRET_KEY={key}

Its id is {key_id(key.encode())}. To change keys while the portal serves, one process after the other:
  1. add the line above to the settings of every process, and restart each: it knows the key, and does not use it yet;
  2. when all of them know it: in each, MEDONLINE_SECRET_KEY is this key, the key of before goes into
     MEDONLINE_OLD_SECRET_KEYS, MEDONLINE_NEXT_SECRET_KEY goes; restart each. No one is signed out, no code is lost;
  3. run `medonline keys reseal`, then `medonline keys list`: only {key_id(key.encode())} may have sealed texts there;
  4. take the old key out of MEDONLINE_OLD_SECRET_KEYS and restart, once the journal has no rows of it any more
     (`medonline keys list`): `medonline journal verify` needs it as long as it has.
With one process step 1 may be left out. A process that missed step 1 refuses whatever the journal must hold as soon as
another one is at step 2 (alarm journal-key-unknown)."""
    )


@keys.command("list", short_help="Which keys hold how many texts.")
@as_json
@mode
def list_keys(as_json: bool) -> int:
    """List how many texts each key has sealed. Exit code 1 when one of these keys is not configured."""

    async def read(desk: Desk) -> tuple[dict[str, int], dict[str, int], list[str], str]:
        configured = [key_id(key) for key in (desk.config.key, *desk.config.older_keys)]
        coming = key_id(desk.config.next_key) if desk.config.next_key else ""
        return await desk.keys.keys_in_use(), await desk.journal_keeper.rows_by_key(), configured, coming

    found, chained, configured, coming = asyncio.run(with_desk(read))
    kinds = {coming: "next"} | dict.fromkeys(configured, "older") | {configured[0]: "current"}
    configured += [coming] if coming else []
    unknown = sorted({*found, *chained} - {*configured, ""})
    if as_json:
        every = [*configured, *([""] if found.get("") else []), *unknown]
        options.lines(
            {
                "key": one,
                "sealed_texts": found.get(one, 0),
                "journal_rows": chained.get(one, 0),
                "which": kinds[one] if one in configured else "not configured" if one else "sealed before keys had ids",
            }
            for one in every
        )
        return 1 if unknown else 0
    for one in configured:
        click.echo(f"{one}  {found.get(one, 0)} sealed texts  {chained.get(one, 0)} rows of the journal  {kinds[one]}")
    if found.get(""):
        click.echo(f"(no id)   {found['']} sealed texts  sealed before keys had ids: run `medonline keys reseal`")
    for one in unknown:
        counts = f"{found.get(one, 0)} sealed texts  {chained.get(one, 0)} rows of the journal"
        click.echo(f"{one}  {counts}  NOT CONFIGURED: they cannot be opened or verified")
    return 1 if unknown else 0


@keys.command(short_help="Seal everything with the current key.")
@mode
def reseal() -> int:
    """Seal everything with the current key, so that the older keys can be dropped."""

    async def do(desk: Desk) -> Resealed:
        return await desk.keys.reseal()

    result = asyncio.run(with_desk(do))
    for name in sorted({*result.done, *result.broken}):
        click.echo(
            f"{name}: {result.done[name]} sealed with the current key, {result.broken[name]} that no configured key opens"
        )
    click.echo("Everything is sealed with the current key." if not result.broken else "Some texts cannot be opened.")
    return 1 if result.broken else 0


@click.command()
@mode
def retention() -> None:
    """Delete rows that are past their time. The portal also does this by itself once an hour."""

    async def do(desk: Desk) -> dict[str, int]:
        return await desk.retention.forget()

    gone = asyncio.run(with_desk(do))
    deleted = "\n".join(f"{table}: {count} deleted" for table, count in sorted(gone.items()))
    click.echo(deleted or "Nothing is past its time.")
