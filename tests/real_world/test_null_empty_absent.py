"""Null, empty and absent are three things: where nothing hangs on a member all of them say nothing, and none stops a patient.

What proves who somebody is stays needed: there an empty value is refused like a wrong one.
"""

from __future__ import annotations

from typing import Any

import pytest

from medonline.domain.errors import IdentityProblem, IdentityRefused, RegistryUnavailable
from medonline.services.ports import FoundCards
from tests.providers.gosuslugi import esia_script
from tests.providers.gosuslugi.esia_script import EsiaScript
from tests.providers.gosuslugi.oidc_script import SUBJECT, OidcScript, jwk
from tests.providers.gosuslugi.world import OID, as_json, rsa_key, token
from tests.providers.patient_cards.written import CLINIC, COVER, PATIENT, POLICY, SNILS, Written, bundle, changed

ABSENT = object()
NOTHING: list[Any] = [None, "", " ", ABSENT]
NAMES = ["null", "empty", "blank", "absent"]


def put(members: dict[str, Any], name: str, value: Any) -> None:
    if value is ABSENT:
        members.pop(name, None)
    else:
        members[name] = value


# --- the answer with the tokens ---------------------------------------------------------------------------------

TOKEN_MEMBERS = ["error", "error_description", "error_uri", "refresh_token", "scope", "expires_in"]


@pytest.mark.parametrize("value", [*NOTHING, False, 0, [], {}], ids=[*NAMES, "false", "0", "list", "object"])
@pytest.mark.parametrize("member", TOKEN_MEMBERS)
async def test_a_member_that_says_nothing_stops_no_sign_in(
    gateway: OidcScript, esia: EsiaScript, member: str, value: Any
) -> None:
    put(gateway.answer, member, value)
    put(esia.answer, member, value)

    assert (await gateway.fetch()).subject == SUBJECT
    assert (await esia_script.fetch(esia)).subject == str(OID)


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
async def test_a_type_of_token_that_is_not_told_is_bearer(gateway: OidcScript, value: Any) -> None:
    put(gateway.answer, "token_type", value)

    assert (await gateway.fetch()).subject == SUBJECT


@pytest.mark.parametrize("value", NOTHING[:3], ids=NAMES[:3])
@pytest.mark.parametrize("member", ["id_token", "access_token"])
async def test_a_token_that_is_needed_is_not_replaced_by_nothing(
    gateway: OidcScript, esia: EsiaScript, member: str, value: Any
) -> None:
    gateway.answer[member], esia.answer[member] = value, value
    for fetched in (gateway.fetch() if member == "id_token" else None, esia_script.fetch(esia)):
        if fetched is not None:
            with pytest.raises(IdentityRefused) as refused:
                await fetched
            assert refused.value.problem is IdentityProblem.UNTRUSTWORTHY


@pytest.mark.parametrize("error", ["invalid_grant", 7, True, {"code": "x"}, ["x"]], ids=str)
async def test_an_error_that_says_something_is_one(gateway: OidcScript, error: object) -> None:
    gateway.answer["error"] = error

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.problem is (IdentityProblem.CODE_USED if error == "invalid_grant" else IdentityProblem.OTHER)


# --- claims and headers of the tokens ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
@pytest.mark.parametrize("claim", ["azp", "at_hash", "auth_time", "nbf", "acr", "amr", "middle_name", "phone_number"])
async def test_a_claim_that_says_nothing_is_not_told(gateway: OidcScript, claim: str, value: Any) -> None:
    put(gateway.claims, claim, value)
    if value is ABSENT:
        gateway.without = (claim,)

    person = await gateway.fetch()

    assert (person.subject, person.last_name, person.phone) == (SUBJECT, "Безымянная", "+79261234567")


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "iat", "nonce"])
async def test_a_claim_that_proves_something_is_needed(gateway: OidcScript, claim: str, value: Any) -> None:
    put(gateway.claims, claim, value)
    if value is ABSENT:
        gateway.without = (claim,)

    with pytest.raises(IdentityRefused) as refused:
        await gateway.fetch()

    assert refused.value.problem is IdentityProblem.UNTRUSTWORTHY


@pytest.mark.parametrize("header", [{"kid": None}, {"kid": ""}, {"crit": None}, {"typ": None}], ids=str)
async def test_a_member_of_a_header_that_says_nothing_is_not_told(gateway: OidcScript, header: dict[str, Any]) -> None:
    gateway.make = lambda claims: token(claims, gateway.key, **({"kid": "k1"} | header))

    assert (await gateway.fetch()).subject == SUBJECT


# --- keys, discovery, userinfo ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NOTHING[:3], ids=NAMES[:3])
@pytest.mark.parametrize("member", ["use", "alg", "kid", "x5c", "key_ops", "x5t"])
async def test_a_key_with_a_member_that_says_nothing_is_used(gateway: OidcScript, member: str, value: Any) -> None:
    gateway.published = [None, {}, "", jwk(rsa_key("oidc"), "k1") | {member: value}]

    assert (await gateway.fetch()).subject == SUBJECT


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
@pytest.mark.parametrize(
    "member",
    ["end_session_endpoint", "scopes_supported", "token_endpoint_auth_methods_supported", "service_documentation"],
)
async def test_discovery_may_leave_out_what_is_optional(gateway: OidcScript, member: str, value: Any) -> None:
    document = gateway.document()
    put(document, member, value)
    gateway.server.always("/.well-known/openid-configuration", as_json(document))
    adapter = gateway.adapter()
    try:
        assert (await gateway.fetch(adapter)).subject == SUBJECT
        if member == "end_session_endpoint":
            assert await adapter.sign_out("a-token", "https://portal.test/") is None
    finally:
        await adapter.close()


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
async def test_without_userinfo_the_token_has_to_say_it_all(gateway: OidcScript, value: Any) -> None:
    document = gateway.document()
    put(document, "userinfo_endpoint", value)
    gateway.server.always("/.well-known/openid-configuration", as_json(document))
    gateway.claims.update(gateway.person())

    assert (await gateway.fetch()).phone == "+79261234567"
    assert not gateway.server.count("/userinfo")


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
@pytest.mark.parametrize("claim", ["phone_number", "email", "snils", "middle_name", "oms_policy", "email_verified"])
async def test_what_userinfo_does_not_tell_is_empty(gateway: OidcScript, claim: str, value: Any) -> None:
    person = gateway.person()
    put(person, claim, value)
    gateway.server.always("/userinfo", as_json(person))

    found = await gateway.fetch()

    told = {"phone_number": found.phone, "email": found.email, "snils": found.snils, "middle_name": found.patronymic}
    told |= {"oms_policy": found.oms_policy, "email_verified": found.email_verified}
    assert not told[claim]
    assert (found.last_name, found.confirmed) == ("Безымянная", True)


@pytest.mark.parametrize("value", [None, ""], ids=NAMES[:2])
async def test_nothing_in_the_token_does_not_hide_what_userinfo_tells(gateway: OidcScript, value: Any) -> None:
    gateway.claims.update(dict.fromkeys(("phone_number", "snils", "trusted"), value))

    person = await gateway.fetch()

    assert (person.phone, person.snils, person.confirmed) == ("+79261234567", "11223344595", True)


# --- ESIA's data service ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NOTHING, ids=NAMES)
@pytest.mark.parametrize("member", ["trusted", "middleName", "snils", "status", "gender", "rIdDoc"])
async def test_a_field_of_a_record_that_says_nothing_is_not_told(esia: EsiaScript, member: str, value: Any) -> None:
    record = esia.record()
    put(record, member, value)
    esia.server.always(f"/rs/prns/{OID}", as_json(record))

    person = await esia_script.fetch(esia)

    assert (person.last_name, person.confirmed) == ("Безымянная", True)


@pytest.mark.parametrize(
    "elements",
    [None, "", [], [None, "", {}, {"type": None, "value": None}], ABSENT],
    ids=["null", "empty", "none", "of nothing", "absent"],
)
async def test_contacts_may_be_none(esia: EsiaScript, elements: Any) -> None:
    answer: dict[str, Any] = {"size": 0}
    put(answer, "elements", elements)
    esia.server.always(f"/rs/prns/{OID}/ctts", as_json(answer))

    assert (await esia_script.fetch(esia)).phone == ""


# --- the registry -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [*NOTHING, [], {}], ids=[*NAMES, "list", "object"])
@pytest.mark.parametrize("member", ["entry", "link", "total", "meta", "id", "type"])
async def test_a_bundle_that_says_nothing_somewhere_is_an_answer(member: str, value: Any) -> None:
    answer = bundle(PATIENT, CLINIC, COVER)
    put(answer, member, value)

    found = await Written(Patient___search=answer).registry().cards_by_snils(SNILS)

    assert (len(found.cards), found.left_out) == (0 if member == "entry" else 1, 0)


@pytest.mark.parametrize("value", ["нет", 7, True, {"resource": {}}], ids=str)
async def test_a_bundle_whose_entries_are_none_is_no_answer(value: Any) -> None:
    with pytest.raises(RegistryUnavailable):
        await Written(Patient___search=bundle() | {"entry": value}).registry().cards_by_snils(SNILS)


@pytest.mark.parametrize("value", [*NOTHING, [], {}, [None], [{}]], ids=[*NAMES, "list", "object", "[null]", "[{}]"])
@pytest.mark.parametrize(
    "member", ["meta", "name", "birthDate", "telecom", "address", "link", "contained", "text", "photo"]
)
async def test_a_card_shows_what_is_told(member: str, value: Any) -> None:
    record = changed(PATIENT)
    put(record, member, value)

    found = await Written(Patient___search=bundle(record, CLINIC, COVER)).registry().cards_by_snils(SNILS)

    (card,) = found.cards
    assert (card.number, card.snils, card.oms_policy, found.left_out) == ("А-17", SNILS, POLICY, 0)
    assert card.last_name == ("" if member == "name" else "Соколов")


@pytest.mark.parametrize("entry", [None, {}, {"resource": None}, {"resource": {}}, {"fullUrl": "urn:uuid:1"}], ids=str)
async def test_an_entry_without_a_record_leaves_nothing_out(entry: Any) -> None:
    answer = bundle(PATIENT, CLINIC, COVER)
    answer["entry"].append(entry)

    found = await Written(Patient___search=answer).registry().cards_by_snils(SNILS)

    assert (len(found.cards), found.left_out) == (1, 0)


@pytest.mark.parametrize(
    "link", [None, {}, {"relation": "next"}, {"relation": "next", "url": None}, {"relation": "next", "url": ""}]
)
async def test_a_next_link_that_leads_nowhere_is_the_last_page(link: Any) -> None:
    answer = bundle(PATIENT, CLINIC, COVER)
    answer["link"].append(link)

    found = await Written(Patient___search=answer).registry().cards_by_snils(SNILS)

    assert (len(found.cards), found.left_out) == (1, 0)


async def test_no_cards_is_no_failure() -> None:
    assert await Written(Patient___search=bundle()).registry().cards_by_snils(SNILS) == FoundCards()
