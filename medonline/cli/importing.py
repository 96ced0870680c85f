"""`accounts import`: many accounts from a CSV file. After an interruption, run it again: it continues where it stopped."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medonline.cli.at_desk import with_desk
from medonline.cli.failures import REFUSED, Refused, sentence_of
from medonline.cli.options import acting, mode
from medonline.domain.birth_date import parse_birth_date
from medonline.domain.errors import InvalidBirthDate
from medonline.domain.security_journal import Operator

if TYPE_CHECKING:  # `with_desk` loads the storage and the settings: help needs neither
    from medonline.bootstrap.desk import Desk
    from medonline.services.desk.accounts import NewAccount

NEEDED = ("phone", "last_name", "first_name")
KNOWN = (*NEEDED, "patronymic", "birth_date")
BATCH = 200  # accounts in one transaction
TOLD_EVERY = 1000


@dataclass
class Count:
    """How far the file was read, and the results of its rows."""

    rows: int = 0
    made: int = 0
    there: int = 0
    bad: int = 0

    def __str__(self) -> str:
        return f"{self.rows} rows: {self.made} made, {self.there} there already, {self.bad} refused"


@dataclass(frozen=True)
class Row:
    """One line of the file, or the reason why it cannot be read."""

    line: int
    account: NewAccount | None
    fault: str = field(default="")


@click.command("import", short_help="Make accounts from a CSV file.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@acting
@mode
def import_accounts(file: Path, operator: Operator) -> int:
    """Create accounts from FILE: CSV in UTF-8, separated by commas or semicolons. It must have the columns phone, last_name and first_name,
    and may have patronymic and birth_date.

    The accounts get no password: patients set one by a recovery. A row whose account exists already is skipped, so after an interruption
    you can run the import again. A refused row is reported with its line number, and the import continues; then the exit code is 1.
    """
    count = Count()

    async def do(desk: Desk) -> None:
        rows = read_rows(file)
        while batch := list(islice(rows, BATCH)):
            await _take(desk, batch, count)
            if count.rows % TOLD_EVERY == 0:
                click.echo(f"{count} …", err=True)

    asyncio.run(with_desk(do, operator=operator, may_migrate=True))
    click.echo(f"{count}.")
    return REFUSED if count.bad else 0


async def _take(desk: Desk, batch: list[Row], count: Count) -> None:
    good = [(row.line, row.account) for row in batch if row.account is not None]
    bad = {row.line: row.fault for row in batch if row.account is None}
    fates = await desk.accounts.add_all([account for _, account in good])
    for (line, _), fate in zip(good, fates, strict=True):
        count.made += fate.made
        if fate.refused is not None:
            bad[line] = sentence_of(fate.refused)
    count.rows += len(batch)
    count.bad += len(bad)
    count.there = count.rows - count.made - count.bad
    for line, fault in sorted(bad.items()):
        click.echo(f"Line {line}: {fault}", err=True)


def read_rows(file: Path) -> Iterator[Row]:
    """The rows of the file, one by one.

    Raises:
        Refused: this is no CSV file in UTF-8 with the required columns.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            head = text.readline()
            text.seek(0)
            reader = csv.DictReader(text, delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
            _check(file, [name.strip() for name in reader.fieldnames or ()])
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            for row in reader:
                yield _row(reader.line_num, row)
    except UnicodeDecodeError:
        raise Refused(f"{file} is not in UTF-8: save it as «CSV UTF-8».") from None
    except csv.Error as error:
        raise Refused(f"{file} is no CSV file that can be read, at line {reader.line_num}: {error}.") from None


def _check(file: Path, columns: list[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if name not in KNOWN]
    if missing or unknown or len(columns) != len(set(columns)):
        found = ", ".join(columns) or "none"
        raise Refused(f"{file} has the columns {found}; wanted are {', '.join(NEEDED)}, and patronymic, birth_date.")


def _row(line: int, row: dict[str, str | None]) -> Row:
    if None in row or any(value is None for value in row.values()):
        return Row(line, None, "has more or fewer columns than the first line.")
    values = {name: (value or "").strip() for name, value in row.items()}
    born: date | None = None
    if written := values.get("birth_date"):
        try:
            born = parse_birth_date(written, datetime.now(UTC).date())
        except InvalidBirthDate:
            return Row(line, None, "birth_date is no birth date of a living person; write YYYY-MM-DD or DD.MM.YYYY.")
    names = (values["last_name"], values["first_name"], values.get("patronymic", ""))
    from medonline.services.desk.accounts import NewAccount

    return Row(line, NewAccount(values["phone"], None, *names, birth_date=born))
