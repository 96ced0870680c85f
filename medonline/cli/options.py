"""What several commands take: the mode, an account, the form of a listing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import click

from medonline.domain.birth_date import parse_birth_date
from medonline.domain.errors import InvalidBirthDate

F = TypeVar("F", bound=Callable[..., Any])


def _override(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Commands read their settings from the environment alone: an option that overrides one goes there first."""
    if value is not None and not context.resilient_parsing:
        os.environ[f"MEDONLINE_{str(parameter.name).upper()}"] = str(value)


def overriding(name: str, kind: Any, metavar: str | None = None) -> Callable[[F], F]:
    """An option in place of the setting of its name."""
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


mode = overriding("mode", click.Choice(("demo", "production")))
account = click.argument("account")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object per line, times in UTC.")


class BirthDate(click.ParamType[date]):
    """A date as people write it."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date; a call that names no birth date of a living person is a wrong one."""
        if isinstance(value, date):
            return value
        try:
            return parse_birth_date(value, datetime.now(UTC).date())
        except InvalidBirthDate:
            self.fail(f"no birth date of a living person: {value!r}; write YYYY-MM-DD or DD.MM.YYYY", param, ctx)


def lines(facts: Iterable[Mapping[str, Any]]) -> None:
    """Print each as one line of JSON, as soon as it comes."""
    for one in facts:
        click.echo(json.dumps(one, ensure_ascii=False, default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
