"""The `medonline` command. Exit code 0: done; 1: refused, with a sentence; 2: called wrongly; 130: interrupted."""

from __future__ import annotations

import os

import click

from medonline.cli import failures
from medonline.cli.accounts import accounts
from medonline.cli.backup import backup, restore
from medonline.cli.channels import channels
from medonline.cli.copying import copy_database
from medonline.cli.desk import breaker, limits, notices
from medonline.cli.doctor import doctor
from medonline.cli.importing import import_accounts
from medonline.cli.keys import keys, retention
from medonline.cli.migrating import migrate
from medonline.cli.private_files import UMASK
from medonline.cli.security_journal import journal
from medonline.cli.serving import build, sandbox, serve

HELP_WIDTH = 80  # columns of the narrowest terminal


@click.group(context_settings={"max_content_width": HELP_WIDTH, "help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medonline", message="medonline %(version)s")
@click.pass_context
def medonline(context: click.Context) -> None:
    """Медицина-онлайн: access to the patient's account."""
    if (
        context.invoked_subcommand != build.name
    ):  # pages are no secret, and another user may build them than serves them
        os.umask(UMASK)


for _command in (
    serve,
    sandbox,
    build,
    migrate,
    backup,
    restore,
    copy_database,
    doctor,
    accounts,
    channels,
    keys,
    retention,
    journal,
    breaker,
    limits,
    notices,
):
    medonline.add_command(_command)
accounts.add_command(import_accounts)


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    try:
        answer = medonline.main(args=argv, prog_name="medonline", standalone_mode=False)
    except Exception as error:  # each error has its sentence; a traceback helps no operator
        return failures.tell(error)
    return answer if isinstance(answer, int) else 0
