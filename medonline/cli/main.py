"""The `medonline` command. Exit code 0: done; 1: refused, with a sentence; 2: called incorrectly; 130: interrupted.

The module of a command is loaded when the command is called: the help, the version and a wrong call need none of them.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from medonline.cli import failures
from medonline.cli.loading import uncollected

HELP_WIDTH = 80  # columns of the narrowest terminal
UMASK = 0o077
# In alphabetical order, as the help lists them: the command's module in this package, and its line in the help.
COMMANDS = {
    "accounts": ("accounts", "Patients' accounts."),
    "backup": ("backup", "Copy a SQLite database while it is in use."),
    "breaker": ("desk", "The circuit breaker of verification calls."),
    "build": ("serving", "Build the pages."),
    "channels": ("channels", "Ways of getting a code."),
    "copy-database": ("copying", "Copy a SQLite database into an empty PostgreSQL."),
    "doctor": ("doctor", "Check settings, database, keys and each provider."),
    "journal": ("security_journal", "The security journal."),
    "keys": ("keys", "Keys of personal data at rest."),
    "limits": ("desk", "Wrong passwords and codes that hold a patient back."),
    "migrate": ("migrating", "Bring the database to this version."),
    "notices": ("desk", "Notices that no phone has got."),
    "restore": ("backup", "Put a copy of a SQLite database in its place."),
    "retention": ("keys", "Delete what is past its time."),
    "sandbox": ("serving", "Serve the stand-ins alone."),
    "serve": ("serving", "Serve the portal."),
}
_MAKES_PAGES = "build"


class Commands(click.Group):
    """Loads a command when somebody calls it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands. It loads none of them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of a command. None when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        with uncollected():
            command: click.Command = getattr(import_module(f"medonline.cli.{module}"), cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands into the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"max_content_width": HELP_WIDTH, "help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medonline", message="medonline %(version)s")
@click.pass_context
def medonline(context: click.Context) -> None:
    """Медицина-онлайн: access to the patient's account."""
    if (
        context.invoked_subcommand != _MAKES_PAGES
    ):  # pages are no secret, and another user may build them than serves them
        os.umask(UMASK)


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    try:
        answer = medonline.main(args=argv, prog_name="medonline", standalone_mode=False)
    except Exception as error:  # each error has its sentence; a traceback helps no operator
        return failures.tell(error)
    return answer if isinstance(answer, int) else 0
