"""Optional means optional: what a sign-in can do without may be missing, broken or unreadable; it is logged, and the patient is in."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused
from tests.providers.gosuslugi import esia_script
from tests.providers.gosuslugi.esia_script import SCOPES, EsiaScript
from tests.providers.gosuslugi.oidc_script import SUBJECT, OidcScript
from tests.providers.gosuslugi.world import CLIENT_ID, OID, PERSONAL, Answer, as_json, ec_key, rsa_key, token

WHO = ("family_name", "given_name", "birthdate", "trusted")
JWE = b"eyJhbGciOiJSU0EtT0FFUCJ9.aaaa.bbbb.cccc.dddd"


def say_who(gateway: OidcScript) -> None:
    gateway.claims.update({name: gateway.person()[name] for name in WHO})


BROKEN: list[tuple[Answer, IdentityProblem]] = [
    (Answer(b"<html>", 500, "text/html"), IdentityProblem.UNAVAILABLE),
    (Answer(b"<html>", 200, "text/html"), IdentityProblem.UNAVAILABLE),
    (Answer(b"", 200), IdentityProblem.UNAVAILABLE),
    (Answer(b"null"), IdentityProblem.UNAVAILABLE),
    (Answer(b"[]"), IdentityProblem.UNAVAILABLE),
    (Answer(status=302, location="/elsewhere"), IdentityProblem.UNAVAILABLE),
    (as_json({"error": "insufficient_scope"}, 403), IdentityProblem.MISCONFIGURED),
    (as_json({}, 401), IdentityProblem.MISCONFIGURED),
    (Answer(b"", 404), IdentityProblem.MISCONFIGURED),
    (as_json({}, 429), IdentityProblem.UNAVAILABLE),
    (Answer(JWE, 200, "application/jwt"), IdentityProblem.MISCONFIGURED),
    (as_json({}), IdentityProblem.UNTRUSTWORTHY),
    (as_json({"sub": None, "phone_number": "+79261234567"}), IdentityProblem.UNTRUSTWORTHY),
]


@pytest.mark.parametrize(("answer", "problem"), BROKEN, ids=range(len(BROKEN)))
async def test_userinfo_may_fail_where_the_token_says_who_it_is(
    gateway: OidcScript, answer: Answer, problem: IdentityProblem, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.server.always("/userinfo", answer)
    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()
    assert refused.value.problem is problem

    say_who(gateway)
    person = await gateway.fetch()

    assert (person.last_name, person.confirmed, person.phone) == ("Безымянная", True, "")
    assert "The sign-in goes on with what the id_token says" in caplog.text
    assert not any(secret in caplog.text for secret in PERSONAL)


@pytest.mark.parametrize("missing", WHO)
async def test_it_may_not_where_the_token_does_not(gateway: OidcScript, missing: str) -> None:
    say_who(gateway)
    del gateway.claims[missing]
    gateway.server.always("/userinfo", Answer(b"<html>", 500, "text/html"))

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.problem is IdentityProblem.UNAVAILABLE


async def test_userinfo_of_another_person_ends_the_sign_in_all_the_same(gateway: OidcScript) -> None:
    say_who(gateway)
    gateway.userinfo["sub"] = "another"

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.problem is IdentityProblem.UNTRUSTWORTHY


def signed(gateway: OidcScript, key: Any = None, alg: str = "RS256", **claims: Any) -> Answer:
    body = token(gateway.person() | claims, key or gateway.key, alg, kid="k1")
    return Answer(body.encode(), 200, "application/jwt")


@pytest.mark.parametrize(
    "claims", [{}, {"iss": None}, {"aud": ""}, {"aud": CLIENT_ID}, {"aud": [CLIENT_ID]}, {"exp": 1}], ids=str
)
async def test_signed_userinfo_is_verified_and_read(gateway: OidcScript, claims: dict[str, Any]) -> None:
    gateway.server.answers["/userinfo"] = lambda _: signed(gateway, **claims)

    assert (await gateway.fetch()).phone == "+79261234567"


SIGNED_BADLY: dict[str, tuple[dict[str, Any], IdentityProblem]] = {
    "a stranger's key": ({"key": rsa_key("stranger")}, IdentityProblem.UNTRUSTWORTHY),
    "another issuer": ({"iss": "https://other.test"}, IdentityProblem.UNTRUSTWORTHY),
    "another client": ({"aud": "ANOTHER"}, IdentityProblem.UNTRUSTWORTHY),
    "another person": ({"sub": "another"}, IdentityProblem.UNTRUSTWORTHY),
    "not signed": ({"alg": "none"}, IdentityProblem.MISCONFIGURED),
    "by the secret": ({"alg": "HS256", "key": b"secret"}, IdentityProblem.MISCONFIGURED),
    "by a key that is not there": ({"alg": "ES256", "key": ec_key("ec")}, IdentityProblem.UNTRUSTWORTHY),
}


@pytest.mark.parametrize("case", SIGNED_BADLY)
async def test_signed_userinfo_that_cannot_be_verified_is_not_read(gateway: OidcScript, case: str) -> None:
    changes, problem = SIGNED_BADLY[case]
    gateway.server.answers["/userinfo"] = lambda _: signed(gateway, **changes)

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.problem is problem
    if problem is IdentityProblem.MISCONFIGURED:
        assert "userinfo_signed_response_alg" in refused.value.detail


async def test_encrypted_userinfo_is_named(gateway: OidcScript) -> None:
    gateway.server.always("/userinfo", Answer(JWE, 200, "application/jwt"))

    with pytest.raises(IdentityRefused, match=r"encrypted.*userinfo_encrypted_response_alg"):
        await gateway.fetch()


# Values that cannot be read, each with what the log says of it.
UNREADABLE: list[tuple[str, object, str]] = [
    ("phone_number", "+7 (701) 123-45-67", "phone_number cannot be read (no Russian mobile number: kazakhstan)"),
    ("phone_number", "8 800 000-00-00", "phone_number cannot be read (no Russian mobile number: toll_free)"),
    ("phone_number", ["+79261234567"], "phone_number cannot be read (no Russian mobile number: empty)"),
    ("snils", "112-233-445 96", "snils cannot be read (not eleven digits with the right control number)"),
    ("snils", {"value": "1"}, "snils cannot be read"),
    ("oms_policy", "АА 123456", "oms_policy cannot be read (not sixteen digits)"),
    ("email", "агриппина", "email cannot be read (no e-mail address)"),
    ("middle_name", "x" * 101, "middle_name cannot be read"),
    ("middle_name", 7, "middle_name cannot be read"),
]


@pytest.mark.parametrize(("claim", "value", "logged"), UNREADABLE, ids=str)
async def test_an_optional_value_that_cannot_be_read_is_logged_by_its_name(
    gateway: OidcScript, claim: str, value: object, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.userinfo[claim] = value

    person = await gateway.fetch()

    assert (person.last_name, person.confirmed) == ("Безымянная", True)
    assert f"oidc: {logged}" in caplog.text
    assert "123456" not in caplog.text
    assert "агриппина" not in caplog.text


NUMBERS: list[tuple[str, object, str]] = [
    ("phone_number", 79261234567, "+79261234567"),
    ("phone_number", "tel:+7-926-123-45-67", "+79261234567"),
    ("snils", 11223344595, "11223344595"),
    ("snils", 100190000, "00100190000"),
    ("oms_policy", 7707850314000117, "7707850314000117"),
    ("oms_policy", "№ 7707 8503 1400 0117", "7707850314000117"),
]


@pytest.mark.parametrize(("claim", "value", "read"), NUMBERS, ids=str)
async def test_a_number_in_another_spelling_is_read(gateway: OidcScript, claim: str, value: object, read: str) -> None:
    gateway.userinfo[claim] = value

    person = await gateway.fetch()

    assert {"phone_number": person.phone, "snils": person.snils, "oms_policy": person.oms_policy}[claim] == read


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("birthdate", "вчера"),
        ("birthdate", "1971-02-30"),
        ("birthdate", 19710509),
        ("birthdate", "1871-05-09"),
        ("family_name", "x" * 101),
        ("given_name", ["Агриппина"]),
    ],
)
async def test_a_needed_value_that_cannot_be_read_is_not_the_patients_fault(
    gateway: OidcScript, esia: EsiaScript, claim: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    gateway.userinfo[claim] = value
    field = {"birthdate": "birthDate", "family_name": "lastName", "given_name": "firstName"}[claim]
    esia.person[field] = value

    for fetched, name in ((gateway.fetch(), claim), (esia_script.fetch(esia), field)):
        with pytest.raises(IdentityRefused) as refused:
            await fetched
        assert refused.value.problem is IdentityProblem.UNREADABLE
        assert name in refused.value.detail
        assert f"{name} cannot be read" in caplog.text


@pytest.mark.parametrize(
    "written",
    [
        "1971-05-09",
        "09.05.1971",
        "1971-05-09T00:00:00+03:00",
        "1971-05-08T21:00:00Z",
        "9.5.1971",
        "1971\u201105\u201109",
    ],
)
async def test_a_birth_date_is_read_in_its_spellings(gateway: OidcScript, written: str) -> None:
    gateway.userinfo["birthdate"] = written

    assert str((await gateway.fetch()).birth_date) == "1971-05-09"


@pytest.mark.parametrize("collection", ["ctts", "docs"])
@pytest.mark.parametrize(
    "answer",
    [Answer(b"<html>", 500, "text/html"), as_json({"code": "ESIA-005011"}, 403), Answer(b"[]"), as_json({})],
    ids=range(4),
)
async def test_contacts_and_documents_of_esia_are_optional(esia: EsiaScript, collection: str, answer: Answer) -> None:
    esia.server.always(
        f"/rs/prns/{OID}/docs", as_json({"elements": [{"type": "MDCL_PLCY", "number": "7707850314000117"}]})
    )
    esia.server.always(f"/rs/prns/{OID}/{collection}", answer)

    person = await esia_script.fetch(esia, scopes=(*SCOPES, "medical_doc"))

    assert person.last_name == "Безымянная"
    assert (person.phone, person.oms_policy) == (
        ("", "7707850314000117") if collection == "ctts" else ("+79261234567", "")
    )


async def test_the_subject_stays_who_it_is(gateway: OidcScript) -> None:
    say_who(gateway)
    gateway.server.always("/userinfo", Answer(b"", 503))

    assert (await gateway.fetch()).subject == SUBJECT
