"""Options that several commands share: the mode, an account, the format of a listing."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import wraps
from ipaddress import ip_address
from typing import Any, TypeVar, cast

import click

from medonline.domain.birth_date import parse_birth_date
from medonline.domain.errors import InvalidBirthDate
from medonline.domain.folding import visible
from medonline.domain.security_journal import Operator

F = TypeVar("F", bound=Callable[..., Any])
LONGEST_REASON = 200


def _override(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Commands read their settings only from the environment, so an option that overrides a setting is written there first."""
    if value is not None and not context.resilient_parsing:
        os.environ[f"MEDONLINE_{str(parameter.name).upper()}"] = str(value)


def overriding(name: str, kind: Any, metavar: str | None = None) -> Callable[[F], F]:
    """An option that overrides the setting with its name."""
    setting = f"MEDONLINE_{name.upper()}"
    return click.option(
        f"--{name}",
        type=kind,
        metavar=metavar,
        expose_value=False,
        is_eager=True,
        callback=_override,
        help=f"Overrides {setting}.",
    )


mode = overriding("mode", click.Choice(("demo", "staging", "production")))
account = click.argument("account")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line, times in UTC.")


def acting(command: F) -> F:
    """For commands that act on a patient or use a patient's data: `operator` says who does it and why. Both are recorded in the journal."""

    @wraps(command)
    def with_operator(*args: Any, operator_name: str | None, reason: str, **kwargs: Any) -> Any:
        return command(*args, operator=Operator(_short(operator_name or _system_user()), _short(reason)), **kwargs)

    who = click.option("--as", "operator_name", metavar="NAME", help="Who acts; else the user of this system.")
    why = click.option("--reason", required=True, metavar="TEXT", help="Why; the security journal keeps it.")
    return cast("F", who(why(with_operator)))


def _system_user() -> str:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"user {os.getuid()}"
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {user}" if behind and behind != user else user


def _short(text: str) -> str:
    written = visible(text)
    if not written or len(written) > LONGEST_REASON:
        msg = f"--as and --reason have 1 to {LONGEST_REASON} characters."
        raise click.UsageError(msg)
    return written


class BirthDate(click.ParamType[date]):
    """A date as people write it."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date. Anything but the birth date of a living person is a usage error."""
        if isinstance(value, date):
            return value
        try:
            return parse_birth_date(value, datetime.now(UTC).date())
        except InvalidBirthDate:
            self.fail(f"no birth date of a living person: {value!r}; write YYYY-MM-DD or DD.MM.YYYY", param, ctx)


class Address(click.ParamType[str]):
    """An IP address."""

    name = "IP"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address. Anything else is a usage error."""
        try:
            return str(ip_address(value))
        except ValueError:
            self.fail(f"{value!r} is no IP address", param, ctx)


def lines(facts: Iterable[Mapping[str, Any]]) -> None:
    """Print each one as a line of JSON, as soon as it arrives."""
    for one in facts:
        click.echo(json.dumps(one, ensure_ascii=False, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
