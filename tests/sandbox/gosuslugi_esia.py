"""What tests of ESIA's face share: a fresh code, its tokens, the person API, and the breaches both endpoints refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jws import JWSRegistry

from medonline.sandbox.people import DemoPerson
from tests.sandbox.gosuslugi import AC, NEW, TE, Person, ac, sign, te, timestamp, verifying_key

ANY_HEADER = JWSRegistry(strict_check_header=False)


AGO = timestamp(datetime.now(UTC) - timedelta(minutes=16))
AHEAD = timestamp(datetime.now(UTC) + timedelta(minutes=30))
BREACHES = [
    ({"scope": ""}, "007013"),
    ({"scope": "openid everything"}, "007006"),
    ({"state": ""}, "007014"),
    ({"state": "12345"}, "007003"),
    ({"timestamp": ""}, "007014"),
    ({"timestamp": AGO}, "007015"),
    ({"timestamp": AHEAD}, "007015"),
    ({"timestamp": datetime.now(UTC).isoformat()}, "007015"),
    ({"timestamp": "2026.13.41 10:00:00 +0300"}, "007015"),
    ({"client_certificate_hash": ""}, "007014"),
    ({"client_certificate_hash": "0" * 64}, "007053"),
    ({"client_secret": ""}, "007014"),
    ({"client_secret": sign("something else")}, "007053"),
    ({"client_secret": "not base64!"}, "007053"),
    ({"client_secret": "абв"}, "007053"),
]


async def signed_in(url: str, person: DemoPerson = NEW, **asked: str) -> str:
    """A fresh code."""
    async with Person(url) as browser:
        assert await browser.open(AC, **ac(**asked)) is None
        return (await browser.sign_in(person)).code


async def tokens(http: httpx.AsyncClient, code: str, **changes: str) -> dict[str, Any]:
    answer = await http.post(TE, data=te(code, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


def claims(token: str, key: str = "signing") -> dict[str, Any]:
    return jwt.decode(token, verifying_key(key), algorithms=["RS256"], registry=ANY_HEADER).claims


def get(http: httpx.AsyncClient, path: str, token: str) -> Any:
    return http.get(f"/gosuslugi/rs/prns/{path}", headers={"Authorization": f"Bearer {token}"})
