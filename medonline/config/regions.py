"""The regions of an installation, read from a TOML file: one `[[region]]` table each.

[[region]]
code = "tula"
name = "Тульская область"
title = "Медицина-онлайн: Тульская область"
support_phone = "8 (800) 000-00-01"
desk = "регистратуру своей поликлиники"
booking_url = "https://zapis.example.ru/"
accessibility_email = "dostupnost@example.ru"
data_policy = "https://example.ru/politika"
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import InvalidEmail
from medonline.domain.region import Region
from medonline.wording.regions import DESK, ONLY_REGION

_CODE = re.compile(r"[a-z][a-z0-9_]{0,30}")
_FIELDS = frozenset(Region.__slots__)
# Addresses that patients are sent to, with an example of each.
_ADDRESSES = {"booking_url": "https://zapis.example.ru/", "data_policy": "https://example.ru/politika"}


def read_regions(path: Path | None) -> tuple[Region, ...]:
    """The regions in the order of the file. Without a file there is one region without a name.

    Raises:
        ValueError: an English sentence that says what to correct.
    """
    if path is None:
        return (ONLY_REGION,)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("region", [])
    except OSError as error:
        msg = f"MEDONLINE_REGIONS_FILE: cannot read {path}: {error.strerror}."
        raise ValueError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"MEDONLINE_REGIONS_FILE: {path} is not TOML: {error}."
        raise ValueError(msg) from None
    if not isinstance(tables, list) or not tables:
        msg = f"MEDONLINE_REGIONS_FILE: {path} names no region: write at least one [[region]] table."
        raise ValueError(msg)
    regions = tuple(_region(table, number) for number, table in enumerate(tables, 1))
    if len({region.code for region in regions}) < len(regions):
        msg = f"MEDONLINE_REGIONS_FILE: two regions in {path} have the same code."
        raise ValueError(msg)
    return regions


def _region(table: object, number: int) -> Region:
    where = f"MEDONLINE_REGIONS_FILE: region {number}"
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        msg = f"{where} must be a table of texts."
        raise ValueError(msg)
    if unknown := sorted(set(table) - _FIELDS):
        msg = f"{where} has an unknown field {unknown[0]!r}; known are {', '.join(sorted(_FIELDS))}."
        raise ValueError(msg)
    if missing := sorted({"code", "name", "title"} - {name for name, value in table.items() if value.strip()}):
        msg = f"{where} lacks {missing[0]!r}."
        raise ValueError(msg)
    if not _CODE.fullmatch(table["code"]):
        msg = f"{where}: the code must be small Latin letters, digits and underscores, as 'tula'."
        raise ValueError(msg)
    for field, example in _ADDRESSES.items():
        if not _is_whole_https(table.get(field, "")):
            msg = f"{where}: {field} must be a whole https:// address, as {example!r}."
            raise ValueError(msg)
    if not _is_address(table.get("accessibility_email", "")):
        msg = f"{where}: accessibility_email must be a bare e-mail address, as 'dostupnost@example.ru'."
        raise ValueError(msg)
    return Region(**({"desk": DESK} | table))


def _is_whole_https(text: str) -> bool:
    """Whether patients can be sent to this address. An empty text is fine too."""
    if not text:
        return True
    try:
        address = urlsplit(text)
        usable = address.scheme == "https" and bool(address.hostname) and address.username is None
    except ValueError:  # unmatched brackets
        return False
    return usable and text.isprintable() and " " not in text


def _is_address(email: str) -> bool:
    """Whether mail can be sent to this address. An empty text is fine too."""
    try:
        return not email or EmailAddress.parse(email).text == email
    except InvalidEmail:
        return False
