"""What goes wrong between the portal and an identity provider, as the portal's own errors. `oidc` and `esia` share this module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from medonline.domain.errors import DeliveryFailed, IdentityProblem, IdentityRefused, ProviderRefused

MAX_CODE = 4096

# RFC 6749 (4.1.2.1, 5.2), RFC 6750 (3.1), OpenID Connect Core (3.1.2.6).
OAUTH_PROBLEMS: dict[str, IdentityProblem] = {
    "access_denied": IdentityProblem.DENIED,
    "consent_required": IdentityProblem.CONSENT_MISSING,
    # Only a silent sign-in (prompt=none) gets these, and the portal never asks for one. Starting again helps.
    "login_required": IdentityProblem.STALE,
    "interaction_required": IdentityProblem.STALE,
    "account_selection_required": IdentityProblem.STALE,
    "invalid_grant": IdentityProblem.CODE_USED,
    "temporarily_unavailable": IdentityProblem.UNAVAILABLE,
    "server_error": IdentityProblem.UNAVAILABLE,
    "invalid_request": IdentityProblem.MISCONFIGURED,
    "invalid_client": IdentityProblem.MISCONFIGURED,
    "unauthorized_client": IdentityProblem.MISCONFIGURED,
    "invalid_scope": IdentityProblem.MISCONFIGURED,
    "insufficient_scope": IdentityProblem.MISCONFIGURED,
    "invalid_token": IdentityProblem.MISCONFIGURED,
    "unsupported_response_type": IdentityProblem.MISCONFIGURED,
    "unsupported_grant_type": IdentityProblem.MISCONFIGURED,
    "request_not_supported": IdentityProblem.MISCONFIGURED,
    "request_uri_not_supported": IdentityProblem.MISCONFIGURED,
    "registration_not_supported": IdentityProblem.MISCONFIGURED,
    "invalid_redirect_uri": IdentityProblem.MISCONFIGURED,
}


def untrustworthy(detail: str) -> IdentityRefused:
    """The refusal of an answer that must not be trusted."""
    return IdentityRefused(IdentityProblem.UNTRUSTWORTHY, detail)


@contextmanager
def transport_refusals() -> Iterator[None]:
    """Turn the errors of `JsonClient` into `IdentityRefused`. Their texts hold no personal data."""
    try:
        yield
    except ProviderRefused as error:
        raise IdentityRefused(IdentityProblem.MISCONFIGURED, error.detail) from None
    except DeliveryFailed as error:
        raise IdentityRefused(IdentityProblem.UNAVAILABLE, error.detail) from None


def check_code(code: str) -> None:
    """Refuse a code that no provider issues, before it is sent anywhere.

    Raises:
        IdentityRefused: UNTRUSTWORTHY. The code is empty or over 4096 characters (ESIA's codes are tokens of 1-1.4 kB).
    """
    if not code or len(code) > MAX_CODE:
        raise untrustworthy(f"a code of {len(code)} characters came back")


def status_problem(status: int) -> IdentityProblem:
    """The problem that a 4xx answer without a known error code means."""
    if status in (408, 425, 429):
        return IdentityProblem.UNAVAILABLE
    return IdentityProblem.MISCONFIGURED if status in (401, 403, 404, 405) else IdentityProblem.OTHER


def is_error(error: object) -> bool:
    """Whether the member `error` of an answer names an error: null, false, 0 and empty values do not."""
    return bool(error.strip() if isinstance(error, str) else error)


def json_object(name: str, status: int, answer: Any) -> dict[str, Any]:
    """The object of a 200 answer.

    Raises:
        IdentityRefused: the status is not 200 (`status_problem` gives the problem), or the JSON is no object (UNAVAILABLE).
    """
    if status != 200:
        raise IdentityRefused(status_problem(status), f"{name}: HTTP {status}")
    if not isinstance(answer, dict):
        raise IdentityRefused(IdentityProblem.UNAVAILABLE, f"{name}: an answer that is no object")
    return answer
