"""How to build a statement once and reuse it with other values.

Building a statement and finding its compiled text costs as much as sending it. So statements that are sent often are constants with bound
parameters.

Danger: SQLAlchemy repeats an UPDATE or DELETE on the objects of the session, and there it takes a bound parameter for None, whatever value
was sent. So such a constant has the option `UNSYNCHRONISED`: objects that were read before stay as they were. If a caller reads them
afterwards, the constant also returns the whole row with `populate_existing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, bindparam

UNSYNCHRONISED: Mapping[str, Any] = {"synchronize_session": False}


def new_facts(names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    """A bound parameter for each of these columns, for `values()` of an UPDATE. SQLAlchemy does not allow it to have the column's name."""
    return {name: bindparam(f"new_{name}") for name in names}


def new_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The values for the parameters of `new_facts`."""
    return {f"new_{name}": value for name, value in facts.items()}
