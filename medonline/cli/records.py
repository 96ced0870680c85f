"""Commands about what is kept: keys, the time rows are kept for, one patient's data given out or erased."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from typing import Any

from medonline.bootstrap import Portal
from medonline.cli.portal import with_portal
from medonline.domain.errors import NoSuchIdentity
from medonline.services.crypto.field_encryption import key_id
from medonline.services.crypto.key_rotation import Resealed
from medonline.services.linked_identities import number_of
from medonline.storage.tables.gosuslugi import LinkedIdentity

Subparsers = Any  # argparse keeps the type of what `add_subparsers` gives to itself


def add_commands(accounts: Subparsers, commands: Subparsers) -> None:
    """`keys new|list|reseal`, `retention`, `accounts export|identities|unlink|set-phone|end-sessions|erase`."""
    keys = commands.add_parser("keys", help="keys of personal data at rest").add_subparsers(
        required=True, metavar="action"
    )
    _add(keys, "new", new_key, "print a new key and what to do with it")
    _add(keys, "list", list_keys, "which keys hold how many texts; exit code 1 when one of them is not configured")
    _add(keys, "reseal", reseal, "seal everything with the current key, so that the older ones can be forgotten")
    _add(commands, "retention", forget, "delete what is past its time (the portal does it once an hour by itself)")
    _add(accounts, "export", export, "print everything kept of a patient as JSON").add_argument(
        "account", help="phone or id"
    )
    _add(accounts, "end-sessions", end_sessions, "sign a patient out everywhere").add_argument(
        "account", help="phone or id"
    )
    _add(accounts, "identities", list_identities, "list the accounts at Gosuslugi that open an account").add_argument(
        "account", help="phone or id"
    )
    unlinking = _add(accounts, "unlink", unlink, "let an account at Gosuslugi open an account no more")
    unlinking.add_argument("account", help="phone or id")
    unlinking.add_argument("number", help="which one, as `accounts identities` lists it")
    setting = _add(accounts, "set-phone", set_phone, "put a number on record that the desk has checked with documents")
    setting.add_argument("account", help="phone or id")
    setting.add_argument("phone", help="the number from now on")
    erasing = _add(accounts, "erase", erase, "delete everything kept of a patient, for good")
    erasing.add_argument("account", help="phone or id")
    erasing.add_argument("--yes", action="store_true", help="really")


def _add(commands: Subparsers, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    made.set_defaults(run=run)
    made.add_argument("--mode", choices=("demo", "production"), help="overrides MEDONLINE_MODE")
    return made


def new_key(_arguments: argparse.Namespace) -> int:
    """Print a new key; nothing is changed."""
    key = secrets.token_hex(32)
    print(
        f"""MEDONLINE_SECRET_KEY={key}

Its id is {key_id(key.encode())}. To change keys without losing what is sealed:
  1. put the key of now into MEDONLINE_OLD_SECRET_KEYS, this one into MEDONLINE_SECRET_KEY, and restart the portal;
  2. run `medonline keys reseal`, then `medonline keys list`: only {key_id(key.encode())} may be left there;
  3. take the old key out of MEDONLINE_OLD_SECRET_KEYS and restart, once the journal has no rows of it any more
     (`medonline keys list`): `medonline journal verify` needs it as long as it has.
Codes on their way at step 1 (ten minutes at most) stop working: patients ask for new ones."""
    )
    return 0


def list_keys(_arguments: argparse.Namespace) -> int:
    """Which keys hold how many texts."""

    async def read(portal: Portal) -> tuple[dict[str, int], dict[str, int], list[str]]:
        configured = [key_id(key) for key in (portal.config.key, *portal.config.older_keys)]
        return await portal.keys.keys_in_use(), await portal.journal_keeper.rows_by_key(), configured

    found, chained, configured = asyncio.run(with_portal(read))
    unknown = sorted({*found, *chained} - {*configured, ""})
    for number, one in enumerate(configured):
        which = "current" if number == 0 else "older"
        print(f"{one}  {found.get(one, 0)} sealed texts  {chained.get(one, 0)} rows of the journal  {which}")
    if found.get(""):
        print(f"(no id)   {found['']} sealed texts  sealed before keys had ids: run `medonline keys reseal`")
    for one in unknown:
        counts = f"{found.get(one, 0)} sealed texts  {chained.get(one, 0)} rows of the journal"
        print(f"{one}  {counts}  NOT CONFIGURED: they cannot be opened or verified")
    return 1 if unknown else 0


def reseal(_arguments: argparse.Namespace) -> int:
    """Seal everything with the current key."""

    async def do(portal: Portal) -> Resealed:
        return await portal.keys.reseal()

    result = asyncio.run(with_portal(do))
    for name in sorted({*result.done, *result.broken}):
        print(
            f"{name}: {result.done[name]} sealed with the current key, {result.broken[name]} that no configured key opens"
        )
    print("Everything is sealed with the current key." if not result.broken else "Some texts cannot be opened.")
    return 1 if result.broken else 0


def forget(_arguments: argparse.Namespace) -> int:
    """Delete what is past its time."""

    async def do(portal: Portal) -> dict[str, int]:
        return await portal.retention.forget()

    gone = asyncio.run(with_portal(do))
    print(
        "\n".join(f"{table}: {count} deleted" for table, count in sorted(gone.items())) or "Nothing is past its time."
    )
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Print everything kept of a patient."""

    async def do(portal: Portal) -> dict[str, Any]:
        return await portal.personal_data.export(arguments.account)

    print(json.dumps(asyncio.run(with_portal(do)), ensure_ascii=False, indent=2))
    return 0


def list_identities(arguments: argparse.Namespace) -> int:
    """The accounts at Gosuslugi that open an account."""

    async def read(portal: Portal) -> list[LinkedIdentity]:
        return await portal.personal_data.identities(arguments.account)

    lines = [
        f"{number_of(row)}  linked {row.linked_at:%Y-%m-%d %H:%M} UTC by {row.how}  "
        f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC  {row.issuer}"
        for row in asyncio.run(with_portal(read))
    ]
    print("\n".join(lines) or "No account at Gosuslugi opens it.")
    return 0


def unlink(arguments: argparse.Namespace) -> int:
    """Let an account at Gosuslugi open an account no more."""

    async def do(portal: Portal) -> int:
        return await portal.personal_data.unlink(arguments.account, arguments.number)

    try:
        ended = asyncio.run(with_portal(do))
    except NoSuchIdentity:
        print(
            "No account at Gosuslugi of this number opens it; `medonline accounts identities` lists them.",
            file=sys.stderr,
        )
        return 1
    print(f"It opens the account no more. Sessions through Gosuslugi ended: {ended}")
    return 0


def set_phone(arguments: argparse.Namespace) -> int:
    """Put a number on record."""

    async def do(portal: Portal) -> str:
        return await portal.personal_data.set_phone(arguments.account, arguments.phone)

    print(
        f"The account signs in with {asyncio.run(with_portal(do))}. Passwords are set by recovery, or in the settings."
    )
    return 0


def end_sessions(arguments: argparse.Namespace) -> int:
    """Sign a patient out everywhere."""

    async def do(portal: Portal) -> int:
        return await portal.personal_data.end_sessions(arguments.account)

    print(f"Sessions ended: {asyncio.run(with_portal(do))}")
    return 0


def erase(arguments: argparse.Namespace) -> int:
    """Delete everything kept of a patient."""
    if not arguments.yes:
        print("This cannot be undone. Run it again with --yes.", file=sys.stderr)
        return 2

    async def do(portal: Portal) -> dict[str, int]:
        return await portal.personal_data.erase(arguments.account)

    gone = asyncio.run(with_portal(do))
    print("\n".join(f"{table}: {count} deleted" for table, count in sorted(gone.items()) if count))
    return 0
