"""What ESIA's error codes mean (its «Методические рекомендации», list of errors ESIA-007xxx)."""

from __future__ import annotations

import re

from medonline.domain.errors import IdentityProblem
from medonline.providers.gosuslugi.errors import OAUTH_PROBLEMS

ESIA_PROBLEMS: dict[str, IdentityProblem] = {
    "007003": IdentityProblem.MISCONFIGURED,  # a parameter is missing or wrong
    "007014": IdentityProblem.MISCONFIGURED,  # a parameter is missing
    "007004": IdentityProblem.DENIED,  # the person refused
    "007005": IdentityProblem.MISCONFIGURED,  # the client may not do this
    "007006": IdentityProblem.MISCONFIGURED,  # the scope is not open to the client
    "007013": IdentityProblem.MISCONFIGURED,  # the scope is wrong
    "007008": IdentityProblem.UNAVAILABLE,  # temporarily unavailable
    "007011": IdentityProblem.CODE_USED,  # the code or refresh token is wrong, expired or used
    "007015": IdentityProblem.MISCONFIGURED,  # the timestamp: this server's clock is wrong
    "007019": IdentityProblem.CONSENT_MISSING,  # no consent of the person
    "007023": IdentityProblem.MISCONFIGURED,  # redirect_uri is not on ESIA's list
    "007053": IdentityProblem.MISCONFIGURED,  # client_secret: the signature or the certificate is wrong
    "007055": IdentityProblem.NOT_CONFIRMED,  # the account is not confirmed
}
_CODE = re.compile(r"ESIA-(\d{6})\b", re.ASCII)


def esia_code(error: object, description: object) -> str:
    """The six digits of ESIA's error code, from the description or from the error itself; empty when neither has a code."""
    for text in (description, error):
        if isinstance(text, str) and (found := _CODE.search(text)):
            return found[1]
    return ""


def esia_problem(error: object, description: object) -> IdentityProblem:
    """The problem by ESIA's error code; without a known code, by the OAuth error; else OTHER."""
    code = esia_code(error, description)
    standard = OAUTH_PROBLEMS.get(error, IdentityProblem.OTHER) if isinstance(error, str) else IdentityProblem.OTHER
    return ESIA_PROBLEMS.get(code, standard)
