"""The adapter `oidc` against answers that a script chooses: malformed ones, hostile ones, odd ones."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import httpx
import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.oidc.client import ClaimNames, Oidc
from medonline.providers.gosuslugi.oidc.discovery import FRESH, KEYS_PAUSE, STALE, Discovery
from medonline.providers.http import JsonClient
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from tests.providers.gosuslugi.oidc_script import DISCOVERY, PROBLEM, SUBJECT, OidcScript, jwk
from tests.providers.gosuslugi.world import (
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    PERSONAL,
    Answer,
    as_json,
    b64,
    ec_key,
    journey,
    public_pem,
    rsa_key,
    scripted,
    times,
    token,
)


@pytest.fixture
async def script() -> AsyncIterator[OidcScript]:
    async with scripted() as server, scripted() as elsewhere:
        yield OidcScript(server, elsewhere)


def _claims(**changes: Any) -> Callable[[OidcScript], None]:
    return lambda script: script.claims.update(changes)


def _set(name: str, value: Any) -> Callable[[OidcScript], None]:
    return lambda script: setattr(script, name, value)


def _answering(path: str, answer: Answer) -> Callable[[OidcScript], None]:
    return lambda script: script.server.always(path, answer)


def _redirecting(path: str) -> Callable[[OidcScript], None]:
    return lambda script: script.server.always(path, Answer(status=302, location=f"{script.elsewhere.url}{path}"))


UNSURE, DOWN = PROBLEM.UNTRUSTWORTHY, PROBLEM.UNAVAILABLE
HOSTILE: dict[str, tuple[Callable[[OidcScript], None], IdentityProblem | None]] = {
    "bad signature": (_set("key", rsa_key("stranger")), UNSURE),
    "alg none": (_set("make", lambda claims: token(claims, None, "none", kid="k1")), UNSURE),
    "alg switched": (
        _set("make", lambda claims: token(claims, public_pem(rsa_key("oidc")), "HS256", kid="k1")),
        UNSURE,
    ),
    "alg switched to the client secret": (_set("make", lambda c: token(c, CLIENT_SECRET.encode(), "HS256")), UNSURE),
    "wrong audience": (_claims(aud="ANOTHER"), UNSURE),
    "several audiences": (_claims(aud=[CLIENT_ID, "ANOTHER"]), UNSURE),
    "several audiences, ours asked": (_claims(aud=["ANOTHER", CLIENT_ID], azp=CLIENT_ID), None),
    "asked for by another": (_claims(azp="ANOTHER"), UNSURE),
    "audience in a list": (_claims(aud=[CLIENT_ID]), None),
    "wrong issuer": (_claims(iss="https://esia.gosuslugi.ru"), UNSURE),
    "expired": (lambda script: script.claims.update(times(exp=times()["iat"] - 61)), UNSURE),
    "not yet valid": (lambda script: script.claims.update(times(nbf=times()["iat"] + 90)), UNSURE),
    "without iat": (_set("without", ("iat",)), UNSURE),
    "missing subject": (_set("without", ("sub",)), UNSURE),
    "long subject": (_claims(sub="s" * 256), UNSURE),
    "nonce mismatch": (_claims(nonce="another"), UNSURE),
    "nonce missing": (_set("without", ("nonce",)), UNSURE),
    "at_hash mismatch": (_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), UNSURE),
    "at_hash right": (_claims(at_hash=b64(hashlib.sha256(b"opaque").digest()[:16])), None),
    "unknown kid": (_set("kid", "k9"), UNSURE),
    "no kid": (_set("kid", None), None),
    "no id_token": (lambda script: script.answer.update(id_token=None), UNSURE),
    "another type of token": (lambda script: script.answer.update(token_type="mac"), UNSURE),
    "code replay": (_set("single_use", True), PROBLEM.CODE_USED),
    "html 500": (_answering("/token", Answer("<h1>Агриппина</h1>".encode(), 500, "text/html")), DOWN),
    "redirect elsewhere": (_redirecting("/token"), DOWN),
    "keys redirect elsewhere": (_redirecting("/keys"), DOWN),
    "userinfo redirects elsewhere": (_redirecting("/userinfo"), DOWN),
    "discovery redirects elsewhere": (_redirecting(DISCOVERY), DOWN),
    "oversized": (_answering("/token", as_json({"id_token": PERSONAL[2] * 7000})), DOWN),
    "slow": (_answering("/token", Answer(never=True)), DOWN),
    "client refused": (_answering("/token", as_json({"error": "invalid_client"}, 401)), PROBLEM.MISCONFIGURED),
    "unknown error": (_answering("/token", as_json({"error": "\ud800"}, 400)), PROBLEM.OTHER),
    "discovery of another issuer": (lambda script: script.metadata.update(issuer=script.server.url + "/"), UNSURE),
    "discovery without a token endpoint": (lambda script: script.metadata.update(token_endpoint=None), UNSURE),
    "keys that are no keys": (
        _set("published", [7, None, {"kty": "RSA"}, {"kty": "oct", "k": "AA", "kid": "k1"}]),
        UNSURE,
    ),
    "key for encryption": (_set("published", [jwk(rsa_key("oidc"), "k1", use="enc")]), UNSURE),
    "key for another algorithm": (_set("published", [jwk(rsa_key("oidc"), "k1", alg="PS256")]), UNSURE),
    "key set without keys": (_answering("/keys", as_json({})), DOWN),
    "userinfo of another person": (lambda script: script.userinfo.update(sub="another"), UNSURE),
    "userinfo of nobody": (lambda script: script.userinfo.update(sub=None), UNSURE),
    "userinfo forbidden": (_answering("/userinfo", as_json({"error": "invalid_token"}, 401)), PROBLEM.MISCONFIGURED),
    "no name": (lambda script: script.userinfo.update(family_name=" "), PROBLEM.INCOMPLETE),
    "no birth year": (lambda script: script.userinfo.update(birthdate="0000-05-09"), PROBLEM.INCOMPLETE),
    "a child": (lambda script: script.userinfo.update(birthdate=f"{datetime.now(UTC).year - 10}-01-01"), PROBLEM.CHILD),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_the_oidc_client_refuses_each_malformed_or_hostile_answer(
    case: str, script: OidcScript, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "medonline")
    change, problem = HOSTILE[case]
    change(script)
    if case == "code replay":
        assert await script.fetch()
    if problem is None:
        assert (await script.fetch()).subject == SUBJECT
        return

    with pytest.raises(IdentityRefused) as refused:
        await script.fetch(**({"timeout": 1.0} if case == "slow" else {}))

    assert refused.value.problem is problem
    printed = str(refused.value) + "".join(traceback.format_exception(refused.value)) + caplog.text
    for secret in (*PERSONAL, CODE, "eyJ", SUBJECT, CLIENT_SECRET):
        assert secret not in printed
    assert not script.elsewhere.seen, "the target of a redirect was contacted"
    if problem is UNSURE and not case.startswith("userinfo"):
        assert not script.server.count("/userinfo"), "data was read before the token was checked"


async def test_a_person_is_read_from_userinfo(script: OidcScript) -> None:
    person = await script.fetch()

    assert person == IdentityPerson(
        issuer=script.server.url,
        subject=SUBJECT,
        confirmed=True,
        last_name="Безымянная",
        first_name="Агриппина",
        birth_date=date(1971, 5, 9),
        snils="11223344595",
        phone="+79261234567",
        phone_verified=True,
        email="agrippina@mail.test",
        email_verified=True,
        id_token=person.id_token,
    )
    assert all("cookie" not in one.headers for one in script.server.seen)


async def test_a_token_that_says_everything_needs_no_userinfo(script: OidcScript) -> None:
    script.claims.update(script.person(), middle_name="", oms_policy="7707850314000117")

    person = await script.fetch()

    assert person.oms_policy == "7707850314000117"
    assert not script.server.count("/userinfo")


async def test_the_signed_token_counts_more_than_userinfo(script: OidcScript) -> None:
    script.claims["family_name"] = "Подписанная"

    assert (await script.fetch()).last_name == "Подписанная"


async def test_a_gateway_may_name_its_claims_otherwise(script: OidcScript) -> None:
    names = ClaimNames(family_name="lastName", birthdate="birthDate", trusted="confirmed", phone_number="", snils="")
    script.userinfo.update(lastName="Другая", birthDate="09.05.1971", confirmed="true", trusted=False)

    person = await script.fetch(claims=names)

    assert (person.last_name, person.birth_date, person.confirmed) == ("Другая", date(1971, 5, 9), True)
    assert (person.phone, person.phone_verified, person.snils) == ("", False, "")


@pytest.mark.parametrize(
    ("told", "confirmed"), [(True, True), ("true", True), (1, False), ("yes", False), (None, False)]
)
async def test_only_a_clear_word_makes_an_account_confirmed(told: object, confirmed: bool, script: OidcScript) -> None:
    script.userinfo["trusted"] = told

    assert (await script.fetch()).confirmed is confirmed


async def test_a_provider_without_userinfo_says_it_all_in_the_token(script: OidcScript) -> None:
    script.metadata["userinfo_endpoint"] = None
    script.claims.update(script.person())

    assert (await script.fetch()).phone == "+79261234567"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
async def test_each_allowed_algorithm_is_read(alg: str, script: OidcScript) -> None:
    script.alg, script.key = alg, ec_key("oidc") if alg == "ES256" else rsa_key("oidc")
    script.published = [jwk(rsa_key("other"), "k0"), jwk(script.key, "k1")]

    assert await script.fetch()


@pytest.mark.parametrize(
    ("supported", "where"), [(None, "basic"), (["client_secret_post"], "form"), (["private_key_jwt"], "")]
)
async def test_the_secret_travels_as_discovery_says(
    supported: list[str] | None, where: str, script: OidcScript
) -> None:
    script.metadata["token_endpoint_auth_methods_supported"] = supported
    if not where:
        with pytest.raises(IdentityRefused) as refused:
            await script.fetch()
        assert refused.value.problem is PROBLEM.MISCONFIGURED
        return

    await script.fetch()

    request = next(one for one in script.server.seen if one.path == "/token")
    if where == "form":
        assert (request.form["client_id"], request.form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        assert "authorization" not in request.headers
    else:
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert [unquote_plus(part) for part in pair.split(":")] == [CLIENT_ID, CLIENT_SECRET]
        assert "client_secret" not in request.form


async def test_a_public_client_has_no_secret_to_send(script: OidcScript) -> None:
    await script.fetch(secret="")

    request = next(one for one in script.server.seen if one.path == "/token")
    assert request.form["client_id"] == CLIENT_ID
    assert "authorization" not in request.headers


async def test_a_key_that_is_too_short_is_not_used(script: OidcScript) -> None:
    script.key = rsa_key("short", 1024)
    script.published = [jwk(script.key, "k1")]

    with pytest.raises(IdentityRefused) as refused:
        await script.fetch()

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


async def test_rotated_keys_are_accepted_after_a_refetch(script: OidcScript) -> None:
    adapter = script.adapter()
    assert await script.fetch(adapter)
    script.key, script.kid = rsa_key("rotated"), "k2"
    script.published = [jwk(rsa_key("rotated"), "k2")]

    assert await script.fetch(adapter)
    assert script.server.count("/keys") == 2
    await adapter.close()


async def test_unknown_keys_cost_one_refetch_a_minute_however_many_come(script: OidcScript) -> None:
    adapter = script.adapter()
    assert await script.fetch(adapter)
    script.kid = "k9"

    for _ in range(5):
        with pytest.raises(IdentityRefused):
            await script.fetch(adapter)

    assert script.server.count("/keys") == 2
    assert script.server.count(DISCOVERY) == 1
    await adapter.close()


class Shelf:
    """A provider's two documents behind a transport without a network, and a clock to move."""

    issuer = "https://id.test"

    def __init__(self, **metadata: Any) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/a",
            "token_endpoint": f"{self.issuer}/t",
            "jwks_uri": f"{self.issuer}/k",
        } | metadata
        self.keys = [jwk(rsa_key("oidc"), "k1")]
        self.now = 1000.0
        self.broken = False
        self.asked: list[str] = []
        transport = httpx.MockTransport(self._answer)
        self.discovery = Discovery(self.issuer, JsonClient("", name="oidc", transport=transport), lambda: self.now)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        await asyncio.sleep(0)
        if self.broken:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": self.keys} if request.url.path == "/k" else self.metadata)


async def test_many_at_once_share_one_request() -> None:
    shelf = Shelf()
    await asyncio.gather(*(shelf.discovery.keys_for({"alg": "RS256", "kid": "k1"}) for _ in range(20)))
    assert sorted(shelf.asked) == sorted(["/.well-known/openid-configuration", "/k"])
    shelf.keys = [jwk(rsa_key("rotated"), "k2")]

    found = await asyncio.gather(*(shelf.discovery.keys_for({"alg": "RS256", "kid": "k2"}) for _ in range(20)))

    assert all(len(keys) == 1 for keys in found)
    assert shelf.asked.count("/k") == 2


async def test_documents_are_renewed_by_and_by_and_an_old_one_serves_while_the_provider_is_down() -> None:
    shelf = Shelf()
    first = await shelf.discovery.metadata()
    shelf.metadata["token_endpoint"] = f"{shelf.issuer}/t2"
    shelf.now += FRESH - 1
    assert await shelf.discovery.metadata() == first
    shelf.now += 1
    second = await shelf.discovery.metadata()
    assert second.token_endpoint.endswith("/t2")

    shelf.broken = True
    shelf.now += FRESH
    for _ in range(3):
        assert await shelf.discovery.metadata() == second
    assert len(shelf.asked) == 3, "a provider that is down is not asked at every sign-in"
    shelf.now += STALE
    with pytest.raises(IdentityRefused) as refused:
        await shelf.discovery.metadata()
    assert refused.value.problem is PROBLEM.UNAVAILABLE


async def test_a_document_that_turns_bad_is_not_hidden_by_the_old_one() -> None:
    shelf = Shelf()
    await shelf.discovery.metadata()
    shelf.metadata["issuer"] = "https://evil.test"
    shelf.now += FRESH

    with pytest.raises(IdentityRefused) as refused:
        await shelf.discovery.metadata()

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


async def test_a_minute_later_an_unknown_key_is_looked_for_again() -> None:
    shelf = Shelf()
    header = {"alg": "RS256", "kid": "k2"}
    assert await shelf.discovery.keys_for(header) == []
    shelf.keys.append(jwk(rsa_key("rotated"), "k2"))
    shelf.now += KEYS_PAUSE - 1
    assert await shelf.discovery.keys_for(header) == []
    shelf.now += 1
    assert len(await shelf.discovery.keys_for(header)) == 1


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]
)
@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("https://other.test/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/x", True),
        ("http://localhost/x", True),
        ("http://id.test/x", False),
        ("http://127.0.0.1.evil.test/x", False),
        ("http://localhost.evil.test/x", False),
        ("ftp://id.test/x", False),
        ("javascript:alert(1)", False),
        ("/x", False),
        ("https://user@id.test/x", False),
        ("https://id.test/x#y", False),
        ("https://id.test:99999/x", False),
        ("https://id.test/x\r\nX: y", False),
        ("https:///x", False),
        (7, False),
    ],
)
async def test_a_secure_provider_cannot_send_the_portal_to_an_insecure_address(
    name: str, address: object, usable: bool
) -> None:
    shelf = Shelf(**{name: address})

    if usable:
        assert getattr(await shelf.discovery.metadata(), name) == address
    else:
        with pytest.raises(IdentityRefused) as refused:
            await shelf.discovery.metadata()
        assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


async def test_the_address_of_sign_in_binds_the_answer_to_this_browser(script: OidcScript) -> None:
    request: AuthorizationRequest = journey()
    adapter = script.adapter()

    address = await adapter.authorization_url(request)
    await adapter.close()

    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{script.server.url}/authorize?tenant=1&")
    assert asked == {
        "tenant": "1",
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": request.redirect_uri,
        "scope": "openid profile email phone",
        "state": request.state,
        "nonce": request.nonce,
        "code_challenge": b64(hashlib.sha256(request.code_verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "max_age": str(30 * 24 * 3600),  # makes the provider tell when it asked
    }
    assert request.code_verifier not in address


async def test_signing_out_at_the_provider(script: OidcScript) -> None:
    adapter = script.adapter()
    away = await adapter.sign_out("a.b.c", "https://portal.test/")
    without = await adapter.sign_out("", "https://portal.test/")
    await adapter.close()
    script.metadata["end_session_endpoint"] = None
    other = script.adapter()

    plain = {"client_id": CLIENT_ID, "post_logout_redirect_uri": "https://portal.test/"}
    assert away is not None
    assert without is not None
    assert (urlsplit(away.url).query, away.fields) == ("", {"id_token_hint": "a.b.c", **plain})
    assert "a.b.c" not in repr(away)  # nor in a log that prints it
    assert {name: values[0] for name, values in parse_qs(urlsplit(without.url).query).items()} == plain
    assert not without.fields
    assert await other.sign_out("a.b.c", "https://portal.test/") is None
    await other.close()


@pytest.mark.parametrize("code", ["", "c" * 4097])
async def test_a_code_that_no_provider_gives_out_is_not_sent(code: str, script: OidcScript) -> None:
    with pytest.raises(IdentityRefused) as refused:
        await script.fetch(code=code)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    assert not script.server.seen


async def test_check_says_what_works(script: OidcScript) -> None:
    adapter = script.adapter()
    assert await adapter.check() == f"oidc: {script.server.url} answers; 1 keys for signatures."
    await adapter.close()
    with pytest.raises(IdentityRefused):
        await script.adapter(issuer="http://127.0.0.1:1").check()


def test_one_cache_serves_one_event_loop_after_another() -> None:
    shelf = Shelf()

    async def ask() -> None:
        await asyncio.gather(*(shelf.discovery.metadata() for _ in range(5)))

    for _ in range(2):
        asyncio.run(ask())
        shelf.now += FRESH
    assert len(shelf.asked) == 2


@pytest.mark.parametrize("issuer", ["", "id.test", "ftp://id.test", "https://id.test/#x"])
def test_an_issuer_that_is_no_address_stops_the_start(issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        Oidc(issuer, CLIENT_ID, CLIENT_SECRET)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("access_denied", PROBLEM.DENIED),
        ("consent_required", PROBLEM.CONSENT_MISSING),
        ("login_required", PROBLEM.STALE),
        ("temporarily_unavailable", PROBLEM.UNAVAILABLE),
        ("server_error", PROBLEM.UNAVAILABLE),
        ("invalid_grant", PROBLEM.CODE_USED),
        ("invalid_scope", PROBLEM.MISCONFIGURED),
        ("unauthorized_client", PROBLEM.MISCONFIGURED),
        ("", PROBLEM.OTHER),
        ("ESIA-007004", PROBLEM.OTHER),
    ],
)
def test_each_standard_error_has_its_meaning(error: str, problem: IdentityProblem) -> None:
    assert Oidc("https://id.test", CLIENT_ID, CLIENT_SECRET).problem_of(error, "ESIA-007004") is problem


# --- when who is asking was proved ------------------------------------------------------------------------------


@pytest.mark.parametrize(("fresh", "asked"), [(False, {}), (True, {"prompt": ["login"]})])
async def test_the_provider_is_asked_to_tell_when_it_asked(
    script: OidcScript, fresh: bool, asked: dict[str, list[str]]
) -> None:
    adapter = script.adapter()
    query = parse_qs(urlsplit(await adapter.authorization_url(journey(fresh=fresh))).query)
    await adapter.close()

    assert {name: value for name, value in query.items() if name == "prompt"} == asked
    assert query["max_age"] == ["60" if fresh else str(30 * 24 * 3600)]


NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE, DAY = 60, 24 * 3600


@pytest.mark.parametrize(
    ("fresh", "told", "outcome"),
    [
        (False, -3 * 3600, "told"),
        (False, None, "not told"),
        (False, -30 * DAY - 2 * MINUTE, PROBLEM.NOT_ASKED),
        (False, 2 * MINUTE, PROBLEM.UNTRUSTWORTHY),
        (False, "yesterday", PROBLEM.UNTRUSTWORTHY),
        (False, True, PROBLEM.UNTRUSTWORTHY),
        (True, 0, "told"),
        (True, -5 * MINUTE, "told"),
        (True, -6 * MINUTE, "told"),
        (True, -6 * MINUTE - 1, PROBLEM.NOT_ASKED),
        (True, -3 * 3600, PROBLEM.NOT_ASKED),
        (True, None, PROBLEM.UNTRUSTWORTHY),
        (True, 2 * MINUTE, PROBLEM.UNTRUSTWORTHY),
    ],
)
async def test_when_the_provider_asked_is_read_to_the_letter(
    script: OidcScript, fresh: bool, told: object, outcome: object
) -> None:
    """The browser left five minutes ago; a minute is forgiven between two clocks."""
    second = int(NOW.timestamp())
    script.claims = {"iat": second, "nbf": second, "exp": second + MINUTE}
    script.claims["auth_time"] = second + told if type(told) is int else told
    script.without = ("auth_time",) if told is None else ()
    request = journey(NOW - timedelta(minutes=5), fresh=fresh)
    if isinstance(outcome, IdentityProblem):
        with pytest.raises(IdentityRefused) as refusal:
            await script.fetch(request=request, clock=lambda: NOW)
        assert refusal.value.problem is outcome
        return
    person = await script.fetch(request=request, clock=lambda: NOW)

    expected = NOW + timedelta(seconds=told) if isinstance(told, int) else None
    assert person.authenticated_at == expected


# --- from whom the browser comes back (RFC 9207) ---------------------------------------------------------------------


@pytest.mark.parametrize("promised", [True, False, None, "true"])
@pytest.mark.parametrize(
    ("issuer", "good"),
    [("own", True), ("own/", False), ("OWN", False), ("https://evil.example", False), ("", False), (None, None)],
)
async def test_a_return_is_of_this_issuer_or_refused(
    script: OidcScript, issuer: str | None, good: bool | None, promised: object
) -> None:
    script.metadata["authorization_response_iss_parameter_supported"] = promised
    own = script.server.url
    said = {"own": own, "own/": f"{own}/", "OWN": own.upper()}.get(issuer or "", issuer)
    adapter = script.adapter()
    try:
        # Without `iss` it depends on what discovery promises; a text is no promise.
        if good or (good is None and promised is not True):
            await adapter.check_return(said)
        else:
            with pytest.raises(IdentityRefused) as refusal:
                await adapter.check_return(said)
            assert refusal.value.problem is IdentityProblem.UNTRUSTWORTHY
            assert "evil" not in str(refusal.value)
    finally:
        await adapter.close()
