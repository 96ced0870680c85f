"""The `medonline` command. Exit code 0: done; 1: refused, with a sentence; 2: called wrongly."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy.exc import SQLAlchemyError

from medonline import frontend
from medonline.bootstrap import Portal, portal
from medonline.cli import records, security_journal
from medonline.cli.doctor import examine
from medonline.cli.greeting import greet
from medonline.cli.passwords import read_password
from medonline.cli.portal import warn_of_open_files, with_portal
from medonline.cli.private_files import UMASK
from medonline.cli.server import bind, run_server
from medonline.cli.workers import Workers, require_shared
from medonline.config.settings import ConfigurationError, load_config
from medonline.domain.birth_date import parse_birth_date
from medonline.domain.errors import InvalidBirthDate, MedonlineError, PhoneTaken
from medonline.domain.phone import PhoneNumber
from medonline.framework.serving import PREBUILT
from medonline.logs.setup import set_up
from medonline.services.desk.accounts import NewAccount
from medonline.storage import migrations
from medonline.wording.errors import sentence

MOST_WORKERS = 64


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    arguments = _parser().parse_args(argv)
    if arguments.run is not build:  # pages are no secret, and may be built by another user than the one who serves them
        os.umask(UMASK)
    for name in ("mode", "port", "host"):
        if getattr(arguments, name, None) is not None:
            os.environ[f"MEDONLINE_{name.upper()}"] = str(getattr(arguments, name))
    try:
        return int(arguments.run(arguments))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    except PhoneTaken as error:
        print(f"Another account signs in with {error}.", file=sys.stderr)
        return 1
    except MedonlineError as error:
        print(sentence(error), file=sys.stderr)
        return 1
    except SQLAlchemyError as error:
        print(f"The database refused ({type(error).__name__}). `medonline doctor` says more.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="medonline", description="Медицина-онлайн: access to the patient's account")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        made.add_argument("--mode", choices=("demo", "production"), help="overrides MEDONLINE_MODE")
        return made

    serve_command = command("serve", serve, "serve the portal (builds the pages first when they changed)")
    sandbox_command = command(
        "sandbox", sandbox, "serve the stand-ins alone: Telegram Gateway, uCaller, SMS.ru, a phone"
    )
    for made in (serve_command, sandbox_command):
        made.add_argument("--port", type=int, help="overrides MEDONLINE_PORT")
        made.add_argument("--host", help="overrides MEDONLINE_HOST")
    serve_command.add_argument(
        "--workers", type=_count, default=1, help="how many processes serve; more than 1 need PostgreSQL and Redis"
    )
    command("build", build, "build the pages")
    command("migrate", migrate, "bring the database to this version")
    command("doctor", doctor, "check settings, database, migrations, keys and each provider; exit code 1 if one fails")
    accounts = _add_accounts(commands)
    records.add_commands(accounts, commands)
    security_journal.add_commands(commands)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_WORKERS}")
    return int(text)


def _birth_date(text: str) -> date:
    try:
        return parse_birth_date(text, datetime.now(UTC).date())
    except InvalidBirthDate:
        msg = f"no birth date of a living person: {text!r}; write YYYY-MM-DD or DD.MM.YYYY"
        raise argparse.ArgumentTypeError(msg) from None


def _add_accounts(commands: records.Subparsers) -> records.Subparsers:
    accounts = commands.add_parser("accounts", help="patients' accounts").add_subparsers(
        required=True, metavar="action"
    )
    add = accounts.add_parser("add", help="make an account")
    for name in ("--phone", "--last-name", "--first-name"):
        add.add_argument(name, required=True)
    add.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, not from a prompt"
    )
    # Taken only to be refused with a sentence: argparse would repeat what it does not know.
    add.add_argument("--password", help=argparse.SUPPRESS)
    add.add_argument("--patronymic", default="")
    add.add_argument(
        "--birth-date",
        type=_birth_date,
        help="YYYY-MM-DD or DD.MM.YYYY; without it a call is all that proves the owner",
    )
    add.set_defaults(run=add_account)
    listing = accounts.add_parser("list", help="list accounts, phones masked")
    listing.set_defaults(run=list_accounts)
    for made in (add, listing):
        made.add_argument("--mode", choices=("demo", "production"), help="overrides MEDONLINE_MODE")
    return accounts


def serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped."""
    config = load_config()
    if arguments.workers > 1:
        require_shared(config)
    listening = bind(config)
    warn_of_open_files(config)
    if not frontend.is_fresh():
        print("Building the pages (about 20 s, only when they changed) …", flush=True)
        frontend.build()
    asyncio.run(migrations.upgrade(config.database))
    os.environ.update(PREBUILT)
    os.chdir(frontend.ROOT)
    greet(config)

    def serve_here() -> int:
        return run_server("medonline.asgi:app", config, listening, lambda: portal().stopping.set())

    if arguments.workers == 1:
        return serve_here()
    set_up(config.log_level, config.log_format)
    return Workers(arguments.workers, serve_here, listening, "medonline.asgi").run()


def sandbox(_arguments: argparse.Namespace) -> int:
    """Serve the stand-ins alone."""
    os.environ.setdefault("MEDONLINE_MODE", "demo")
    config = load_config()
    if not config.demo:
        msg = "The sandbox runs in demo mode only: set MEDONLINE_MODE=demo."
        raise ConfigurationError(msg)
    listening = bind(config)
    warn_of_open_files(config)
    print(
        f"Stand-ins: http://{config.host}:{config.port}/  phone: http://{config.host}:{config.port}/phone", flush=True
    )
    return run_server("medonline.demo.stand_ins_alone:app", config, listening)


def build(_arguments: argparse.Namespace) -> int:
    """Build the pages unless they are fresh."""
    if not frontend.is_fresh():
        frontend.build()
    print("The pages are built.")
    return 0


def migrate(_arguments: argparse.Namespace) -> int:
    """Bring the database to this version."""
    config = load_config()
    warn_of_open_files(config)
    asyncio.run(migrations.upgrade(config.database))
    print("The database is up to date.")
    return 0


def doctor(_arguments: argparse.Namespace) -> int:
    """One line per check."""
    config = load_config()
    set_up("error")
    findings = asyncio.run(examine(config))
    for finding in findings:
        print(f"{'ok  ' if finding.good else 'FAIL'}  {finding.subject}: {finding.text}")
    return 0 if all(finding.good for finding in findings) else 1


def add_account(arguments: argparse.Namespace) -> int:
    """Make an account."""
    if arguments.password is not None:
        print(
            "A password does not belong into the command: every user of this machine and the shell's history can read it. "
            "Leave --password out to be asked for one, or pipe it in with --password-stdin. Do not use this one any more.",
            file=sys.stderr,
        )
        return 2
    password = read_password(from_stdin=arguments.password_stdin)
    names = (arguments.last_name, arguments.first_name, arguments.patronymic)
    account = NewAccount(arguments.phone, password, *names, birth_date=arguments.birth_date)

    async def add(portal: Portal) -> str:
        return (await portal.accounts.add(account)).phone or ""

    print(f"The account is made; it signs in with {PhoneNumber(asyncio.run(with_portal(add))).masked}.")
    return 0


def list_accounts(_arguments: argparse.Namespace) -> int:
    """List accounts, phones masked."""

    async def read(portal: Portal) -> list[str]:
        lines = []
        for patient in await portal.accounts.everyone():
            phone = PhoneNumber(patient.phone).masked if patient.phone else f"no phone, id {patient.id}"
            lines.append(f"{phone}  {patient.last_name} {patient.first_name} {patient.patronymic}".rstrip())
        return lines

    print("\n".join(asyncio.run(with_portal(read))) or "No accounts.")
    return 0
