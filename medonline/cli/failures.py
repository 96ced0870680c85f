"""What a command prints when it fails: one English sentence, never a traceback. And its exit code."""

from __future__ import annotations

import logging

import click

from medonline.domain.errors import AccountNotFound, MedonlineError, NoSuchIdentity, NoSuchPasskey, PhoneTaken

REFUSED, CALLED_WRONGLY, INTERRUPTED = 1, 2, 130

log = logging.getLogger(__name__)


class Refused(Exception):
    """A command cannot do what it was asked; the text is the sentence for the operator."""


def tell(error: Exception) -> int:
    """Print on standard error what went wrong. Returns the exit code."""
    if isinstance(error, click.Abort):
        click.echo("Interrupted: what was not said to be done is not done.", err=True)
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    known = _known(error)
    if known is not None:
        click.echo(known, err=True)
        return REFUSED
    from medonline.logs.setup import set_up

    # The log names the error and the lines that raised it, but not the values in them.
    set_up("error")
    log.error("The command failed in a way it does not know", exc_info=error)
    click.echo(
        "This is a fault of the program. Run `medonline doctor`; if it finds nothing, report the line above with the "
        "command and the output of `medonline --version`.",
        err=True,
    )
    return REFUSED


def sentence_of(error: MedonlineError) -> str:
    """One of the portal's own refusals as a sentence for an operator."""
    match error:
        case PhoneTaken():
            return f"Another account signs in with {error}."
        case AccountNotFound():
            return "No account has this phone or id."
        case NoSuchIdentity():
            return "No account at Gosuslugi of this number opens it; `medonline accounts identities` lists them."
        case NoSuchPasskey():
            return "No passkey of this number opens it; `medonline accounts passkeys` lists them."
    from medonline.wording.errors import sentence

    return f"Refused ({type(error).__name__}). A patient reads: {sentence(error)}"


def _known(error: Exception) -> str | None:
    # Loaded only now: a command that does not fail like this does not wait for the import.
    from sqlalchemy.exc import SQLAlchemyError

    from medonline.config.settings import ConfigurationError
    from medonline.services.outages import JournalKeyUnknown
    from medonline.storage.backups import CannotCopy
    from medonline.storage.migrations import CannotMigrate

    match error:
        case ConfigurationError() | Refused() | CannotMigrate() | CannotCopy() | JournalKeyUnknown():
            return str(error)
        case MedonlineError():
            return sentence_of(error)
        case SQLAlchemyError():
            return f"The database refused ({type(error).__name__}). `medonline doctor` says more."
        case OSError():
            what = error.strerror or type(error).__name__
            return f"{error.filename}: {what}." if error.filename else f"The operating system refused: {what}."
    return None
