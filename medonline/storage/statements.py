"""How a statement is built once and used with other values each time.

To build a statement and to find its compiled text costs as much as to send it, so statements that are sent often are constants
with bound parameters.

Danger: SQLAlchemy repeats an UPDATE or DELETE on the objects of the session, and takes a bound parameter for None there,
whatever value was sent. So such a constant says `UNSYNCHRONISED`: objects read before stay as they were. Where a caller reads
them afterwards, the constant gives the whole row back with `populate_existing`, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, bindparam

UNSYNCHRONISED: Mapping[str, Any] = {"synchronize_session": False}


def new_facts(names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    """For `values()` of an UPDATE: a bound parameter for each of these columns. It may not be named as the column."""
    return {name: bindparam(f"new_{name}") for name in names}


def new_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of `new_facts`: values by column."""
    return {f"new_{name}": value for name, value in facts.items()}
