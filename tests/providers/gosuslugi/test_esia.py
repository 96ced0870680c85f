"""The adapter `esia` against answers that a script chooses: malformed ones, hostile ones, odd ones."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.services.ports import AuthorizationRequest, IdentityPerson
from tests.providers.gosuslugi.esia_script import ISSUER, PROBLEM, SCOPES, TOKEN_PATH, EsiaScript, esia, fetch
from tests.providers.gosuslugi.world import (
    CLIENT_ID,
    CODE,
    OID,
    PERSONAL,
    Answer,
    as_json,
    b64,
    certificate_pem,
    ec_key,
    journey,
    public_pem,
    rsa_key,
    scripted,
    times,
    token,
)


@pytest.fixture
async def script() -> AsyncIterator[EsiaScript]:
    async with scripted() as server, scripted() as elsewhere:
        yield EsiaScript(server, elsewhere)


def _by(name: str, **changes: Any) -> Callable[[EsiaScript], None]:
    return lambda script: getattr(script, name).update(changes)


def _signed(make: Callable[[dict[str, Any]], str]) -> Callable[[EsiaScript], None]:
    def change(script: EsiaScript) -> None:
        script.make_identity = make

    return change


def _answering(answer: Answer) -> Callable[[EsiaScript], None]:
    return lambda script: script.server.always(TOKEN_PATH, answer)


def _redirecting(script: EsiaScript) -> None:
    script.server.always(
        TOKEN_PATH, Answer(status=307, location=f"{script.elsewhere.url}/{PERSONAL[0].encode().hex()}")
    )


def _once(script: EsiaScript) -> None:
    script.single_use = True


def _nobody(script: EsiaScript) -> None:
    script.without = ("sub",)


HOSTILE: dict[str, tuple[Callable[[EsiaScript], None], IdentityProblem | None]] = {
    "bad signature": (_signed(lambda claims: token(claims, rsa_key("stranger"))), PROBLEM.UNTRUSTWORTHY),
    "alg none": (_signed(lambda claims: token(claims, None, "none")), PROBLEM.UNTRUSTWORTHY),
    "alg switched": (
        _signed(lambda claims: token(claims, public_pem(rsa_key("esia")), "HS256")),
        PROBLEM.UNTRUSTWORTHY,
    ),
    "wrong audience": (_by("identity", aud="ANOTHER"), PROBLEM.UNTRUSTWORTHY),
    "wrong issuer": (_by("identity", iss="http://esia.gosuslugi.ru"), PROBLEM.UNTRUSTWORTHY),
    "expired": (lambda script: script.identity.update(times(exp=times()["iat"] - 61)), PROBLEM.UNTRUSTWORTHY),
    "not yet valid": (lambda script: script.identity.update(times(nbf=times()["iat"] + 90)), PROBLEM.UNTRUSTWORTHY),
    "integer subject accepted": (_by("identity", sub=OID), None),
    "missing subject": (_nobody, PROBLEM.UNTRUSTWORTHY),
    "state mismatch": (_by("answer", state="11111111-1111-4111-8111-111111111111"), PROBLEM.UNTRUSTWORTHY),
    "code replay": (_once, PROBLEM.CODE_USED),
    "html 500": (_answering(Answer("<h1>Агриппина</h1>".encode(), 500, "text/html")), PROBLEM.UNAVAILABLE),
    "redirect elsewhere": (_redirecting, PROBLEM.UNAVAILABLE),
    "oversized": (_answering(as_json({"id_token": PERSONAL[2] * 7000})), PROBLEM.UNAVAILABLE),
    "slow": (_answering(Answer(never=True)), PROBLEM.UNAVAILABLE),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_the_esia_client_refuses_each_of_15_malformed_or_hostile_answers(
    case: str, script: EsiaScript, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "medonline")
    change, problem = HOSTILE[case]
    change(script)
    options = {"timeout": 1.0} if case == "slow" else {}
    if case == "code replay":
        assert (await fetch(script)).subject == str(OID)

    if problem is None:
        person = await fetch(script)
        assert person.subject == str(OID)
        assert isinstance(person.subject, str)
        return
    with pytest.raises(IdentityRefused) as refused:
        await fetch(script, **options)

    assert refused.value.problem is problem
    assert_silent(refused.value, caplog)
    assert not script.elsewhere.seen, "the target of a redirect was contacted"
    if case != "code replay":
        assert {one.path for one in script.server.seen} == {TOKEN_PATH}, "data was read before the tokens were checked"


def assert_silent(error: IdentityRefused, caplog: pytest.LogCaptureFixture) -> None:
    printed = str(error) + "".join(traceback.format_exception(error)) + caplog.text
    for secret in (*PERSONAL, CODE, "eyJ"):
        assert secret not in printed


async def test_a_person_is_read_with_contacts(script: EsiaScript) -> None:
    request = journey()

    person = await fetch(script, request)

    assert person.id_token.startswith("eyJ")
    assert person == IdentityPerson(
        issuer=ISSUER,
        subject=str(OID),
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
    form = script.server.seen[0].form
    assert form["code"] == CODE
    assert form["grant_type"] == "authorization_code"
    assert form["token_type"] == "Bearer"
    assert form["code_verifier"] == request.code_verifier
    assert form["state"] != request.state
    assert script.server.seen[1].headers["authorization"].startswith("Bearer eyJ")
    assert script.server.seen[2].target == f"/rs/prns/{OID}/ctts?embed=(elements)"
    assert all("cookie" not in one.headers for one in script.server.seen)


ACCESS: dict[str, Callable[[EsiaScript], None]] = {
    "another person's": _by("access", **{"urn:esia:sbj_id": OID + 1}),
    "nobody's": _by("access", **{"urn:esia:sbj_id": None}),
    "another issuer's": _by("access", iss="https://esia.gosuslugi.ru/"),
    "over": lambda script: script.access.update(times(exp=times()["iat"] - 61)),
    "without an end": _by("access", exp=None),
    "with an end that is no number": _by("access", exp=float("nan")),
    "another client's": _by("access", client_id="ANOTHER"),
    "badly signed": lambda script: setattr(script, "make_access", lambda claims: token(claims, rsa_key("stranger"))),
    "missing": _by("answer", access_token=None),
    "of another type": _by("answer", token_type="mac"),
    "half a surrogate": _by("answer", access_token="\ud800.\ud800.\ud800"),
}


@pytest.mark.parametrize("case", ACCESS)
async def test_an_access_token_is_checked_too(case: str, script: EsiaScript) -> None:
    ACCESS[case](script)

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    assert {one.path for one in script.server.seen} == {TOKEN_PATH}


ODD: dict[str, dict[str, Any]] = {
    "boolean subject": {"sub": True},
    "negative subject": {"sub": -5},
    "long subject": {"sub": "1" * 256},
    "subject of several lines": {"sub": "1\n2"},
    "another person inside": {"urn:esia:sbj": {"urn:esia:sbj:oid": OID + 1}},
    "several audiences": {"aud": [CLIENT_ID, "ANOTHER"]},
    "asked for by another": {"aud": [CLIENT_ID, "ANOTHER"], "azp": "ANOTHER"},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "no end": {"exp": None},
    "end as text": {"exp": "4102444800"},
    "end that is no number": {"exp": float("nan")},
    "endless": {"exp": float("inf")},
    "end past all calendars": {"exp": 10**400},
    "no start": {"iat": None},
    "issued in the future": {"iat": 4102444800},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "hash that is no text": {"at_hash": ["\ud800"]},
}


@pytest.mark.parametrize("case", ODD)
async def test_odd_claims_are_refused(case: str, script: EsiaScript) -> None:
    script.identity.update(ODD[case])

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


@pytest.mark.parametrize(
    "header",
    [{"crit": ["x"], "x": 1}, {"b64": False}, {"alg": "GOST3410_2012_256"}, {"alg": ["RS256"]}, {"alg": None}],
    ids=str,
)
async def test_odd_headers_are_refused(header: dict[str, Any], script: EsiaScript) -> None:
    def make(claims: dict[str, Any]) -> str:
        chosen = dict(header)
        return token(claims, rsa_key("esia"), chosen.pop("alg", "RS256"), **chosen)

    script.make_identity = make

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    if header.get("alg") == "GOST3410_2012_256":
        assert "MEDONLINE_IDENTITY_PROVIDER=oidc" in refused.value.detail


async def test_a_key_inside_the_token_is_not_used(script: EsiaScript) -> None:
    stranger = rsa_key("stranger")
    numbers = stranger.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    script.make_identity = lambda claims: token(claims, stranger, jwk=jwk, jku=f"{script.elsewhere.url}/keys")

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    assert not script.elsewhere.seen


@pytest.mark.parametrize(
    "text",
    ["", "a", "a.b", "a.b.c", "....", "e30.e30.e30", "eyJ" * 9000 + ".e30.", 5, None, {}, "é.é.é", "\ud800.a.b"],
    ids=lambda text: str(text)[:12].encode("ascii", "backslashreplace").decode(),
)
async def test_what_is_no_token_is_refused(text: object, script: EsiaScript) -> None:
    script.answer["id_token"] = text

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


@pytest.mark.parametrize(("late", "accepted"), [(59, True), (60, False)])
@pytest.mark.parametrize("edge", ["exp", "nbf", "iat"])
async def test_a_minute_between_the_clocks_is_forgiven(
    edge: str, late: int, accepted: bool, script: EsiaScript
) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    moment = int(now.timestamp())
    late = late if edge == "exp" else late + 1
    script.identity.update(iat=moment, nbf=moment, exp=moment + 600)
    script.identity[edge] = moment - late if edge == "exp" else moment + late
    script.access.update(iat=moment, nbf=moment, exp=moment + 600)

    if accepted:
        assert await fetch(script, clock=lambda: now)
    else:
        with pytest.raises(IdentityRefused):
            await fetch(script, clock=lambda: now)


async def test_several_keys_are_pinned_while_esia_changes_its_own(script: EsiaScript) -> None:
    both = (certificate_pem("old esia"), certificate_pem("esia"))

    assert await fetch(script, keys=both)
    script.key = rsa_key("old esia")
    assert await fetch(script, keys=both)
    with pytest.raises(IdentityRefused):
        await fetch(script, keys=both[1:])


@pytest.mark.parametrize(
    "pem",
    [b"", b"-----BEGIN CERTIFICATE-----", lambda: public_pem(ec_key("e")), lambda: public_pem(rsa_key("small", 1024))],
    ids=["empty", "broken", "elliptic", "short"],
)
def test_a_key_that_cannot_be_pinned_stops_the_start(pem: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        esia("http://127.0.0.1:1", keys=(pem() if callable(pem) else pem,))


def test_without_keys_or_openid_there_is_no_adapter() -> None:
    with pytest.raises(ValueError, match="pinned"):
        esia("http://127.0.0.1:1", keys=())
    with pytest.raises(ValueError, match="openid"):
        esia("http://127.0.0.1:1", scopes=("fullname",))


@pytest.mark.parametrize("code", ["", "c" * 4097])
async def test_a_code_that_no_provider_gives_out_is_not_sent(code: str, script: EsiaScript) -> None:
    with pytest.raises(IdentityRefused) as refused:
        await fetch(script, code=code)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    assert not script.server.seen


RECORDS: list[tuple[dict[str, Any], IdentityProblem]] = [
    ({"status": "DELETED", "lastName": None}, PROBLEM.DELETED),
    ({"lastName": ""}, PROBLEM.INCOMPLETE),
    ({"firstName": None}, PROBLEM.INCOMPLETE),
    ({"firstName": "x" * 101}, PROBLEM.UNREADABLE),
    ({"lastName": "\ud800"}, PROBLEM.UNREADABLE),
    ({"birthDate": "31.02.1990"}, PROBLEM.UNREADABLE),
    ({"birthDate": "01.01.1899"}, PROBLEM.UNREADABLE),
    ({"birthDate": 19900101}, PROBLEM.UNREADABLE),
    ({"birthDate": None, "trusted": False}, PROBLEM.NOT_CONFIRMED),
    ({"birthDate": "02.07.2012"}, PROBLEM.CHILD),
    ({"birthDate": "02.07.2012", "trusted": False}, PROBLEM.CHILD),
]


@pytest.mark.parametrize(
    ("record", "problem"), RECORDS, ids=lambda value: str(value).encode("ascii", "ignore").decode()
)
async def test_a_person_the_portal_cannot_admit(
    record: dict[str, Any], problem: IdentityProblem, script: EsiaScript
) -> None:
    script.person.update(record)
    moment = datetime(2026, 7, 1, 20, 59, tzinfo=UTC)  # 23:59 in Moscow
    now = int(moment.timestamp())
    script.identity.update(iat=now, nbf=now, exp=now + 60)
    script.access.update(iat=now, nbf=now, exp=now + 60)

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script, clock=lambda: moment)

    assert refused.value.problem is problem
    if problem is PROBLEM.CHILD:  # two minutes later it is the fourteenth birthday in Moscow
        assert await fetch(script, clock=lambda: moment + timedelta(minutes=1))


async def test_what_cannot_be_used_is_not_told(script: EsiaScript) -> None:
    script.person.update(trusted=False, snils="112-233-445 96", middleName=["x"])
    script.contacts = [
        {"type": "MBT", "value": "+7(701)1234567", "vrfStu": "VERIFIED"},
        {"type": "MBT", "value": "+7(926)1234567", "vrfStu": "NOT_VERIFIED"},
        {"type": "EML", "value": "a" * 250 + "@mail.test", "vrfStu": "VERIFIED"},
        {"type": "MBT"},
        7,
        None,
    ]

    person = await fetch(script)

    assert (person.confirmed, person.snils, person.patronymic) == (False, "", "")
    assert (person.phone, person.phone_verified) == ("+79261234567", False)
    assert (person.email, person.email_verified) == ("", False)


async def test_a_verified_number_goes_before_another(script: EsiaScript) -> None:
    script.contacts.insert(0, {"type": "MBT", "value": "+7(912)3456789", "vrfStu": "NOT_VERIFIED"})

    assert (await fetch(script)).phone == "+79261234567"


@pytest.mark.parametrize("told", [True, False])
async def test_without_a_word_in_the_record_the_token_says_whether_the_account_is_confirmed(
    told: bool, script: EsiaScript
) -> None:
    script.person["trusted"] = None
    if not told:
        script.identity["urn:esia:sbj"] = {"urn:esia:sbj:oid": OID}

    assert (await fetch(script)).confirmed is told


async def test_the_policy_is_read_when_its_scope_was_asked_for(script: EsiaScript) -> None:
    path = f"/rs/prns/{OID}/docs"
    addresses = [f"{script.server.url}{path}/{number}" for number in range(25)]
    script.server.always(path, as_json({"elements": addresses}))
    for number in range(25):
        document = {"type": "RF_PASSPORT", "number": "123456"}
        if number == 19:
            document = {"type": "MDCL_PLCY", "number": "7707 8503 1400 0117"}
        script.server.always(f"{path}/{number}", as_json(document))

    assert not (await fetch(script)).oms_policy
    assert script.server.count(path) == 0
    assert (await fetch(script, scopes=(*SCOPES, "medical_doc"))).oms_policy == "7707850314000117"
    assert script.server.count(f"{path}/19") == 1
    assert script.server.count(f"{path}/20") == 0


async def test_embedded_documents_are_read_as_well(script: EsiaScript) -> None:
    document = {"type": "MDCL_PLCY", "number": "7707850314000117"}
    script.server.always(f"/rs/prns/{OID}/docs", as_json({"elements": [document]}))

    assert (await fetch(script, scopes=(*SCOPES, "medical_doc"))).oms_policy == "7707850314000117"


@pytest.mark.parametrize(
    "leads", ["{elsewhere}/rs/prns/1/ctts/1", "{here}/rs/prns/{oid}/../1/ctts/1", "{here}@evil.test/"]
)
async def test_an_access_token_goes_nowhere_else(leads: str, script: EsiaScript) -> None:
    script.contacts = [leads.format(elsewhere=script.elsewhere.url, here=script.server.url, oid=OID)]

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY
    assert not script.elsewhere.seen


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(b"<html>", 500, "text/html"), PROBLEM.UNAVAILABLE),
        (Answer(b"<html>", 200, "text/html"), PROBLEM.UNAVAILABLE),
        (Answer(b"[]"), PROBLEM.UNAVAILABLE),
        (Answer(status=302, location="/elsewhere"), PROBLEM.UNAVAILABLE),
        (as_json({"code": "ESIA-005011"}, 403), PROBLEM.MISCONFIGURED),
        (as_json({}, 429), PROBLEM.UNAVAILABLE),
        (as_json({}, 418), PROBLEM.OTHER),
    ],
    ids=["html 500", "html 200", "list", "redirect", "forbidden", "too many", "teapot"],
)
async def test_a_broken_data_service_is_told(answer: Answer, problem: IdentityProblem, script: EsiaScript) -> None:
    script.server.always(f"/rs/prns/{OID}", answer)

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is problem

    script = EsiaScript(script.server, script.elsewhere)
    script.server.always(f"/rs/prns/{OID}/ctts", answer)
    person = await fetch(script)
    assert (person.last_name, person.phone, person.email) == ("Безымянная", "", "")


async def test_the_whole_sign_in_has_an_end_as_well(script: EsiaScript) -> None:
    """Each answer comes in time, but there are too many of them."""
    import asyncio

    adapter = esia(script.server.url, timeout=0.05)
    fetched: Callable[..., Any] = adapter._fetch

    async def dawdle(code: str, request: AuthorizationRequest) -> IdentityPerson:
        await asyncio.Event().wait()
        return await fetched(code, request)  # type: ignore[no-any-return]

    adapter._fetch = dawdle  # type: ignore[method-assign]
    with pytest.raises(IdentityRefused) as refused:
        await adapter.fetch_person(CODE, journey())

    assert refused.value.problem is PROBLEM.UNAVAILABLE


async def test_the_address_of_sign_in() -> None:
    moment = datetime(2026, 6, 30, 22, 5, 9, tzinfo=UTC)
    request = journey()

    address = await esia("https://esia.test/", clock=lambda: moment).authorization_url(request)

    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith("https://esia.test/aas/oauth2/v2/ac?")
    assert "+" not in address
    assert "timestamp=2026.07.01%2001%3A05%3A09%20%2B0300" in address
    assert asked | {"client_secret": ""} == {
        "client_id": CLIENT_ID,
        "client_secret": "",
        "client_certificate_hash": asked["client_certificate_hash"],
        "scope": "openid fullname birthdate snils mobile email",
        "timestamp": "2026.07.01 01:05:09 +0300",
        "state": request.state,
        "redirect_uri": request.redirect_uri,
        "response_type": "code",
        "access_type": "online",
        "code_challenge": b64(hashlib.sha256(request.code_verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    plain = await esia("https://esia.test", pkce=False).authorization_url(request)
    assert "code_challenge" not in plain


async def test_without_pkce_no_verifier_is_sent(script: EsiaScript) -> None:
    assert await fetch(script, pkce=False)
    assert "code_verifier" not in script.server.seen[0].form


async def test_the_address_of_sign_out() -> None:
    default = (await esia("https://esia.test").sign_out("a.b.c", "https://portal.test/?a=1&b=2")).url
    away = await esia("https://esia.test", logout_url="https://other.test/out").sign_out("", "https://portal.test/")
    other = away.url

    assert (
        default
        == "https://esia.test/idp/ext/Logout?client_id=MEDONLINE&redirect_url=https%3A%2F%2Fportal.test%2F%3Fa%3D1%26b%3D2"
    )
    assert other.startswith("https://other.test/out?client_id=")


CODES = {
    "007003": PROBLEM.MISCONFIGURED,
    "007014": PROBLEM.MISCONFIGURED,
    "007004": PROBLEM.DENIED,
    "007005": PROBLEM.MISCONFIGURED,
    "007006": PROBLEM.MISCONFIGURED,
    "007013": PROBLEM.MISCONFIGURED,
    "007008": PROBLEM.UNAVAILABLE,
    "007011": PROBLEM.CODE_USED,
    "007015": PROBLEM.MISCONFIGURED,
    "007019": PROBLEM.CONSENT_MISSING,
    "007023": PROBLEM.MISCONFIGURED,
    "007053": PROBLEM.MISCONFIGURED,
    "007055": PROBLEM.NOT_CONFIRMED,
}


@pytest.mark.parametrize("code", CODES)
async def test_each_error_of_esia_has_its_meaning(code: str, script: EsiaScript) -> None:
    error = {"error": "invalid_request", "error_description": f"ESIA-{code}: Агриппина Безымянная", "state": "s"}
    script.server.always(TOKEN_PATH, as_json(error, 400))

    with pytest.raises(IdentityRefused) as refused:
        await fetch(script)

    assert refused.value.problem is CODES[code]
    assert refused.value.detail == f"esia: HTTP 400, ESIA-{code}"
    assert esia("http://127.0.0.1:1").problem_of("invalid_request", f"ESIA-{code}: text") is CODES[code]


@pytest.mark.parametrize(
    ("error", "description", "problem"),
    [
        ("access_denied", "", PROBLEM.DENIED),
        ("access_denied", "ESIA-007999: new", PROBLEM.DENIED),
        ("temporarily_unavailable", "", PROBLEM.UNAVAILABLE),
        ("invalid_grant", "", PROBLEM.CODE_USED),
        ("ESIA-007004", "", PROBLEM.DENIED),
        ("nonsense", "ESIA-007999: new", PROBLEM.OTHER),
        ("", "", PROBLEM.OTHER),
        ("\ud800", "x" * 100_000, PROBLEM.OTHER),
    ],
)
def test_an_unknown_code_leaves_it_to_the_standard_error(
    error: str, description: str, problem: IdentityProblem
) -> None:
    assert esia("http://127.0.0.1:1").problem_of(error, description) is problem


async def test_check_says_what_works(script: EsiaScript) -> None:
    sentence = await esia(script.server.url).check()

    assert "can be signed" in sentence
    with pytest.raises(IdentityRefused):
        await esia("http://127.0.0.1:1").check()


@pytest.mark.parametrize(
    ("fresh", "told", "outcome"),
    [
        (False, -10_800, "told"),
        (False, None, "not told"),
        (False, 120, PROBLEM.UNTRUSTWORTHY),
        (True, 0, "told"),
        (True, -360, "told"),
        (True, -361, PROBLEM.NOT_ASKED),
        (True, None, PROBLEM.UNTRUSTWORTHY),
    ],
)
async def test_a_living_session_of_esia_is_no_fresh_proof(
    script: EsiaScript, fresh: bool, told: int | None, outcome: object
) -> None:
    """The browser left five minutes ago; a minute is forgiven between two clocks."""
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    second = int(now.timestamp())
    script.access = {"iat": second, "nbf": second, "exp": second + 60}
    script.identity = script.access | ({} if told is None else {"auth_time": second + told})
    request = journey(now - timedelta(minutes=5), fresh=fresh)
    if isinstance(outcome, IdentityProblem):
        with pytest.raises(IdentityRefused) as refusal:
            await fetch(script, request, clock=lambda: now)
        assert refusal.value.problem is outcome
        return
    person = await fetch(script, request, clock=lambda: now)

    assert person.authenticated_at == (None if told is None else now + timedelta(seconds=told))
