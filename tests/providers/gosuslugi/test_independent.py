"""The adapter `oidc` against OpenID providers that others wrote: over HTTP, with a browser without scripts.

`oidc_provider_mock` (Python) checks client, secret, nonce and code; it knows no PKCE. `oidc-provider` (Node) is certified by
the OpenID Foundation and checks everything; it comes by `npm ci` in tests/providers/oidc_provider.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.oidc.client import Oidc
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from tests.patience import PATIENCE
from tests.providers.gosuslugi.world import journey

PROBLEM = IdentityProblem
NODE_FOLDER = Path(__file__).parents[1] / "oidc_provider"
REDIRECT_URI, SIGNED_OUT = "https://portal.test/gosuslugi/return?from=oidc", "https://portal.test/"
SECRET = "s e+c/r:et, at least 32 characters long"
SUBJECT = "agrippina"
CLAIMS: dict[str, Any] = {
    "given_name": "Агриппина",
    "family_name": "Безымянная",
    "middle_name": "Ивановна",
    "birthdate": "1971-05-09",
    "phone_number": "+79261234567",
    "phone_number_verified": True,
    "email": "agrippina@mail.test",
    "email_verified": False,
    "trusted": True,
    "snils": "112-233-445 95",
}
MOCK = """
import json, os, sys, threading, warnings
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
from oidc_provider_mock import app, User
from werkzeug.serving import make_server
user = json.loads(sys.argv[1])
made = app(require_client_registration=True, require_nonce=True, user_claims=[User(sub=user["sub"], claims=user["claims"])])
server = make_server("127.0.0.1", 0, made, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Provider:
    """A running provider with one registered client."""

    kind: str
    issuer: str
    client_id: str
    secret: str

    def adapter(self, **changes: Any) -> Oidc:
        chosen = {"issuer": self.issuer, "client_id": self.client_id, "client_secret": self.secret, "timeout": PATIENCE}
        return Oidc(**chosen | changes)


@contextmanager
def running(*command: str) -> Iterator[str]:
    """A process that prints its address, and ends when its input does."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=NODE_FOLDER, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address, f"{Path(command[0]).name} did not start"
        yield address
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
        process.stdout.close()


@pytest.fixture(scope="module")
def mock() -> Iterator[Provider]:
    if importlib.util.find_spec("oidc_provider_mock") is None:
        pytest.skip("NOT TESTED against oidc_provider_mock: the package is not installed (pip install -e .[dev])")
    with running(sys.executable, "-W", "ignore", "-c", MOCK, json.dumps({"sub": SUBJECT, "claims": CLAIMS})) as issuer:
        registered = httpx.post(
            f"{issuer}/oauth2/clients", json={"redirect_uris": [REDIRECT_URI]}, trust_env=False, timeout=PATIENCE
        ).json()
        yield Provider("mock", issuer, registered["client_id"], registered["client_secret"])


ALGORITHMS = ("RS256", "PS256", "ES256")


@pytest.fixture(scope="module")
def node() -> Iterator[Provider]:
    program = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if program is None or not (NODE_FOLDER / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("NOT TESTED against the certified oidc-provider: run `npm ci` in tests/providers/oidc_provider")
    common = {
        "client_secret": SECRET,
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": [SIGNED_OUT],
    }
    clients = [{"client_id": alg, "id_token_signed_response_alg": alg, **common} for alg in (*ALGORITHMS, "HS256")]
    given = json.dumps({"clients": clients, "accounts": {SUBJECT: CLAIMS}})
    with running(program, "server.mjs", given) as issuer:
        yield Provider("node", issuer, "RS256", SECRET)


@pytest.fixture(params=["mock", "node"])
def provider(request: pytest.FixtureRequest) -> Provider:
    chosen: Provider = request.getfixturevalue(request.param)
    return chosen


async def came_back(address: str, *, refuses: bool = False) -> dict[str, str]:
    """What the browser brings back to the portal after all forms are filled in."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
        answer = await browser.get(address)
        for _ in range(20):
            if answer.is_redirect:
                target = str(answer.url.join(answer.headers["Location"]))
                if target.startswith(REDIRECT_URI):
                    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
                answer = await browser.get(target)
                continue
            assert answer.status_code == 200, answer.text
            leave = re.search(r'href="([^"]*/abort)"', answer.text)
            if refuses and leave:
                answer = await browser.get(str(answer.url.join(unescape(leave[1]))))
                continue
            form = re.search(r'<form[^>]*?(?:action="([^"]*)")?[^>]*>(.*?)</form>', answer.text, re.DOTALL)
            assert form, answer.text
            hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form[2]))
            filled = {"action": "deny"} if refuses else hidden | {"sub": SUBJECT, "login": SUBJECT, "password": "any"}
            answer = await browser.post(str(answer.url.join(unescape(form[1] or ""))), data=filled)
    raise AssertionError("the browser was sent around in circles")


def asked() -> AuthorizationRequest:
    return replace(journey(), redirect_uri=REDIRECT_URI)


async def code_for(adapter: Oidc, request: AuthorizationRequest) -> str:
    back = await came_back(await adapter.authorization_url(request))
    assert back["state"] == request.state
    return back["code"]


async def problem_with(adapter: Oidc, code: str, request: AuthorizationRequest) -> IdentityProblem:
    with pytest.raises(IdentityRefused) as refused:
        await adapter.fetch_person(code, request)
    await adapter.close()
    return refused.value.problem


async def test_a_person_signs_in_with_an_independent_provider(provider: Provider) -> None:
    adapter, request = provider.adapter(), asked()

    person = await adapter.fetch_person(await code_for(adapter, request), request)
    await adapter.close()

    assert person == IdentityPerson(
        issuer=provider.issuer,
        subject=SUBJECT,
        confirmed=True,
        last_name="Безымянная",
        first_name="Агриппина",
        patronymic="Ивановна",
        birth_date=date(1971, 5, 9),
        snils="11223344595",
        phone="+79261234567",
        phone_verified=True,
        email="agrippina@mail.test",
        id_token=person.id_token,
        authenticated_at=person.authenticated_at,
    )
    assert person.authenticated_at is not None


async def test_a_code_is_good_once(provider: Provider) -> None:
    adapter, request = provider.adapter(), asked()
    code = await code_for(adapter, request)
    await adapter.fetch_person(code, request)

    assert await problem_with(adapter, code, request) is PROBLEM.CODE_USED


async def test_a_wrong_secret_is_the_operators_problem(provider: Provider) -> None:
    adapter, request = provider.adapter(client_secret="wrong"), asked()

    assert await problem_with(adapter, await code_for(adapter, request), request) is PROBLEM.MISCONFIGURED


async def test_an_invented_code_is_refused(provider: Provider) -> None:
    assert await problem_with(provider.adapter(), "invented", asked()) is PROBLEM.CODE_USED


async def test_a_code_brought_into_another_sign_in_is_refused(provider: Provider) -> None:
    """An attacker's code in a victim's browser: the nonce differs, and where PKCE is known, the verifier too."""
    adapter, request = provider.adapter(), asked()
    code = await code_for(adapter, request)

    assert await problem_with(adapter, code, replace(request, nonce=asked().nonce)) is PROBLEM.UNTRUSTWORTHY


async def test_another_return_address_is_refused(provider: Provider) -> None:
    adapter, request = provider.adapter(), asked()
    code = await code_for(adapter, request)

    assert await problem_with(adapter, code, replace(request, redirect_uri=SIGNED_OUT)) is PROBLEM.CODE_USED


async def test_a_person_who_refuses_comes_back_with_a_reason(provider: Provider) -> None:
    adapter = provider.adapter()

    back = await came_back(await adapter.authorization_url(asked()), refuses=True)
    await adapter.close()

    assert "code" not in back
    assert adapter.problem_of(back["error"], back.get("error_description", "")) is PROBLEM.DENIED


async def test_another_spelling_of_the_issuer_is_not_the_issuer(provider: Provider) -> None:
    adapter = provider.adapter(issuer=provider.issuer + "/")
    with pytest.raises(IdentityRefused) as refused:
        await adapter.authorization_url(asked())
    await adapter.close()

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


async def test_check_finds_the_provider_well(provider: Provider) -> None:
    adapter = provider.adapter()
    assert provider.issuer in await adapter.check()
    await adapter.close()


async def test_a_wrong_verifier_is_refused(node: Provider) -> None:
    adapter, request = node.adapter(), asked()
    code = await code_for(adapter, request)

    wrong = replace(request, code_verifier=asked().code_verifier)
    assert await problem_with(adapter, code, wrong) is PROBLEM.CODE_USED


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_each_algorithm_is_read_as_the_provider_writes_it(alg: str, node: Provider) -> None:
    adapter, request = node.adapter(client_id=alg), asked()

    assert (await adapter.fetch_person(await code_for(adapter, request), request)).subject == SUBJECT
    await adapter.close()


async def test_a_token_signed_with_the_client_secret_is_refused(node: Provider) -> None:
    adapter, request = node.adapter(client_id="HS256"), asked()

    assert await problem_with(adapter, await code_for(adapter, request), request) is PROBLEM.UNTRUSTWORTHY


async def test_signing_out_is_understood(node: Provider) -> None:
    adapter, request = node.adapter(), asked()
    person = await adapter.fetch_person(await code_for(adapter, request), request)

    away = await adapter.sign_out(person.id_token, SIGNED_OUT)
    await adapter.close()
    assert away is not None
    assert person.id_token not in away.url

    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
        page = await browser.post(away.url, data=dict(away.fields))
    assert page.status_code == 200, page.text
    assert "<form" in page.text
