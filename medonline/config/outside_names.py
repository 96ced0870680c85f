"""Names that the outside world has for things, which differ from region to region; read from a TOML file.

[identifiers]                                    # of the registry of cards (FHIR `identifier.system`), one or several
snils = "urn:oid:1.2.643.100.3"
policy = ["urn:oid:1.2.643.2.69.1.1.1.6.228", "urn:example:policy"]
card = "urn:medonline:card"

[claims]                                         # of a gateway (oidc); an empty one: it has no such claim
oms_policy = "urn:example:policy"

[test]                                           # a person of the registry that `medonline doctor` may ask for
snils = "112-233-445 95"
policy = "7707 8503 1400 0117"

What is not in the file keeps the name that the adapters have for it (docs/cards.md, docs/identity.md).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from medonline.domain.oms_policy import OmsPolicy
from medonline.domain.snils import Snils

Value = TypeVar("Value")

SETTING = "MEDONLINE_OUTSIDE_NAMES_FILE"
IDENTIFIERS = frozenset({"snils", "policy", "card"})
NEEDED_CLAIMS = frozenset({"given_name", "family_name", "birthdate"})
CLAIMS = NEEDED_CLAIMS | {
    "middle_name",
    "snils",
    "phone_number",
    "phone_number_verified",
    "email",
    "email_verified",
    "trusted",
    "oms_policy",
}
_LONGEST = 200
_OF_A_SEARCH = frozenset("|,\\$&")  # characters with a special meaning in a search by identifier


@dataclass(frozen=True, slots=True)
class OutsideNames:
    """The names in the file: systems of identifiers, names of claims, and the numbers of a test person (digits only)."""

    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    test: Mapping[str, str] = field(default_factory=dict)


def read_outside_names(path: Path | None) -> OutsideNames:
    """Read the names from the file. Without a file there are none.

    Raises:
        ValueError: an English sentence that says what to correct.
    """
    if path is None:
        return OutsideNames()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _fault(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _fault(f"{path} is not TOML: {error}") from None
    if unknown := sorted(found.keys() - {"identifiers", "claims", "test"}):
        raise _fault(f"there is no table {unknown[0]!r}; known are claims, identifiers, test")
    claims = _table(found, "claims", CLAIMS, _claim)
    names = [name for name in claims.values() if name]
    if len(set(names)) < len(names):
        raise _fault("claims: two of them have the same name")
    return OutsideNames(
        _table(found, "identifiers", IDENTIFIERS, _systems),
        claims,
        _table(found, "test", frozenset({"snils", "policy"}), _test_number),
    )


def _table(
    found: Mapping[str, object], name: str, known: frozenset[str], read: Callable[[str, object], Value]
) -> dict[str, Value]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise _fault(f"{name} must be a table, written as [{name}]")
    if unknown := sorted(table.keys() - known):
        raise _fault(f"{name} has an unknown name {unknown[0]!r}; known are {', '.join(sorted(known))}")
    return {key: read(key, value) for key, value in table.items()}


def _systems(key: str, value: object) -> tuple[str, ...]:
    systems = tuple(value) if isinstance(value, list) else (value,)
    for system in systems:
        if not _is_name(system) or _OF_A_SEARCH.intersection(str(system)):
            raise _fault(
                f"identifiers.{key} must be a system as the registry writes it, or a list of them: 'urn:oid:1.2.643.100.3'"
            )
    if not systems or len(set(systems)) < len(systems):
        raise _fault(f"identifiers.{key} is empty, or names a system twice")
    return systems


def _claim(key: str, value: object) -> str:
    if value == "" and key not in NEEDED_CLAIMS:
        return ""
    if not _is_name(value):
        raise _fault(
            f"claims.{key} must be the gateway's name of the claim" + ("" if key in NEEDED_CLAIMS else ", or empty")
        )
    return str(value)


def _test_number(key: str, value: object) -> str:
    number = Snils.read(value) if key == "snils" else OmsPolicy.read(value)
    if number is None:
        raise _fault(f"test.{key} is no such number: write it as a text")  # not repeated: it may be somebody's
    return number.digits


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable() and " " not in value


def _fault(text: str) -> ValueError:
    return ValueError(f"{SETTING}: {text}.")
