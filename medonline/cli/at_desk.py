"""The desk of one command, beside the portal that serves; closed at the end. Only what makes accounts also migrates.

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
    """What `act` gives.

    operator: who is named in the rows of the journal that `act` writes.
    may_migrate: make the database where there is none, and bring it to this version. Everything else leaves it as it is.

    Raises:
        Refused: the database is not there, or not at this version.
        ConfigurationError, MedonlineError, SQLAlchemyError: as they come.
    """
    with uncollected():
        from medonline.cli.portal import opened
    async with opened(operator, may_migrate=may_migrate) as desk:
        return await act(desk)
