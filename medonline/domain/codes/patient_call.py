"""A call that the patient makes: the number to dial, and the token of the address to which a vendor reports the call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from medonline.domain.codes.code_token import code_of_token, code_token

_USE = "patient-call"
_RUSSIAN = re.compile(r"[78](\d{10})", re.ASCII)
_BETWEEN = re.compile(r"[\s()+-]")


def number_to_dial(told: object) -> str | None:
    """A Russian number that a vendor wrote, in E.164: `78005008275`, also with 8, a plus or separators. None for anything else, because
    patients must not be sent to another country or to a short number."""
    text = _BETWEEN.sub("", str(told)) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    found = _RUSSIAN.fullmatch(text)
    return f"+7{found[1]}" if found else None


def spaced(e164: str) -> str:
    """A Russian number as people write it: `+7 800 500-82-75`."""
    return f"{e164[:2]} {e164[2:5]} {e164[5:8]}-{e164[8:10]}-{e164[10:]}"


def call_token(key: bytes, code_id: str) -> str:
    """A token of 97 characters, made by `code_token`."""
    return code_token(key, _USE, code_id)


def code_of_call(keys: Sequence[bytes], token: str) -> str | None:
    """The id of the code whose token was made with one of `keys`. None for any other text."""
    return code_of_token(keys, _USE, token)
