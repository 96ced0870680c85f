"""What all sign-ins by an OAuth code share: addresses with parameters, PKCE, a time limit, an answer with tokens.

`oidc` and `esia` use it. Rules: RFC 6749 (4.1, 5), RFC 7636.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.errors import check_code, is_error, json_object, transport_refusals, untrustworthy
from medonline.providers.gosuslugi.tokens import base64url
from medonline.providers.http import MAX_TIMEOUT, JsonClient
from medonline.providers.values import is_told

_JOURNEY = 3  # a whole fetch_person may take this many times as long as one request


@asynccontextmanager
async def journey(name: str, code: str, request_seconds: float) -> AsyncIterator[None]:
    """Limit the time from a code to a person. `request_seconds`: the timeout of one request; at most 5 seconds count.

    Raises:
        IdentityRefused: UNTRUSTWORTHY for a code that no provider issues, UNAVAILABLE if the whole takes too long.
    """
    check_code(code)
    try:
        async with asyncio.timeout(min(request_seconds, MAX_TIMEOUT) * _JOURNEY):
            yield
    except TimeoutError:
        raise IdentityRefused(IdentityProblem.UNAVAILABLE, f"{name}: the whole sign-in took too long") from None


def pkce_challenge(verifier: str) -> dict[str, str]:
    """The parameters of an authorization request that bind its code to the verifier (S256)."""
    challenge = base64url(hashlib.sha256(verifier.encode("ascii")).digest())
    return {"code_challenge": challenge, "code_challenge_method": "S256"}


def with_query(address: str, parameters: Mapping[str, str]) -> str:
    """The address with these parameters. A space becomes %20 and a plus %2B, because `+` means a space only in forms."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters, quote_via=quote, safe='')}"


async def traded_tokens(
    client: JsonClient,
    name: str,
    address: str,
    form: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    refusal: Callable[[int, dict[str, Any]], IdentityRefused],
) -> dict[str, Any]:
    """The answer of a token endpoint. `refusal` makes the error from an HTTP status and an object with `error`.

    Raises:
        IdentityRefused: there is no answer, the provider refuses, or the tokens are no bearer tokens.
    """
    with transport_refusals():
        status, answer = await client.post_form(address, form, headers=headers)
    # `"error": null` or an empty `error` beside the tokens means that there is no error.
    if isinstance(answer, dict) and is_error(answer.get("error")):
        raise refusal(status, answer)
    tokens = json_object(name, status, answer)
    kind = tokens.get("token_type")
    if is_told(kind) and str(kind).strip().lower() != "bearer":
        raise untrustworthy("the answer with the tokens has another type of token")
    return tokens
