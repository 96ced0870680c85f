"""The start of a chat with a bot: a token in the link on the screen, which leads the chat to the code that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from medonline.domain.codes.code_token import code_of_token, code_token

# Limits the use of a link that falls into other hands: it opens one chat, and only for this long after the code was asked for.
START_WITHIN = timedelta(minutes=5)
_USE = "chat-start"


def start_token(key: bytes, code_id: str) -> str:
    """A token of 97 characters, made by `code_token`."""
    return code_token(key, _USE, code_id)


def code_of_start(keys: Sequence[bytes], token: str) -> str | None:
    """The id of the code whose token was made with one of `keys`. None for any other text."""
    return code_of_token(keys, _USE, token)
