"""The desk for one command, beside the portal that serves. It is closed at the end. Only commands that create accounts also migrate.

Settings, storage and services are loaded here, when a command runs: its help and a wrong call need none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from medonline.cli.loading import uncollected
from medonline.domain.security_journal import Operator

if TYPE_CHECKING:
    from medonline.bootstrap.desk import Desk

T = TypeVar("T")


async def with_desk(
    act: Callable[[Desk], Awaitable[T]], *, operator: Operator | None = None, may_migrate: bool = False
) -> T:
    """Run `act` with a desk and return its result.

    operator: named in the journal rows that `act` writes.
    may_migrate: create a missing database and bring it to this version. Otherwise the database stays as it is.

    Raises:
        Refused: the database does not exist, or is not at this version.
        ConfigurationError, MedonlineError, SQLAlchemyError: as they come.
    """
    with uncollected():
        from medonline.cli.portal import opened
    async with opened(operator, may_migrate=may_migrate) as desk:
        return await act(desk)
