"""Both adapters against the stand-in of Gosuslugi over a socket: the whole way of a browser and of the portal."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.esia.client import Esia
from medonline.providers.gosuslugi.esia.signing import RsaSigner
from medonline.providers.gosuslugi.oidc.client import Oidc
from medonline.sandbox.people import PEOPLE, DemoPerson
from medonline.services.ports import AuthorizationRequest, IdentityPerson, IdentityProvider
from tests.patience import PATIENCE
from tests.providers.gosuslugi.world import journey
from tests.sandbox.gosuslugi import (
    CLIENT_ID,
    CLIENT_SECRET,
    DELETED,
    DENIES,
    ISSUER,
    LOGOUT,
    NEW,
    NO_PHONE,
    RETURN,
    SCOPES,
    UNCONFIRMED,
    UNVERIFIED,
    Person,
    Returned,
    certificate,
    pem,
    private_key,
    running_gosuslugi,
    switch,
)

PROBLEM = IdentityProblem
ADAPTERS = ("esia", "oidc")
CHILD = next(person for person in PEOPLE if person.oid == 1000700007)
ADMITTED = [person for person in PEOPLE if person.oid and not person.denies and person not in (DELETED, CHILD)]


@pytest.fixture(scope="module")
def stand_url() -> Iterator[str]:
    with running_gosuslugi() as url:
        yield url


@pytest.fixture(params=ADAPTERS)
async def provider(request: pytest.FixtureRequest, stand_url: str) -> AsyncIterator[IdentityProvider]:
    adapter = build(request.param, stand_url)
    yield adapter
    await adapter.close()


def build(name: str, stand_url: str, *, timeout: float = PATIENCE) -> IdentityProvider:
    if name == "oidc":
        scopes = ("openid", "profile", "phone", "email", "snils", "oms")
        return Oidc(f"{stand_url}/gosuslugi/oidc", CLIENT_ID, CLIENT_SECRET, scopes=scopes, timeout=timeout)
    key = private_key("signing").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Esia(
        f"{stand_url}/gosuslugi",
        CLIENT_ID,
        RsaSigner(pem("client"), certificate().public_bytes(Encoding.PEM)),
        issuer=ISSUER,
        keys=(key,),
        scopes=tuple(SCOPES.split()),
        timeout=timeout,
    )


@pytest.fixture
async def control(stand_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Switches faults, and none is left on."""
    async with httpx.AsyncClient(base_url=stand_url, trust_env=False, timeout=PATIENCE) as client:
        yield client
        await switch(client, "none")


def asked() -> AuthorizationRequest:
    return replace(journey(), redirect_uri=RETURN)


async def came_back(
    provider: IdentityProvider, request: AuthorizationRequest, stand_url: str, person: DemoPerson
) -> Returned:
    """The browser's part: from the portal's button back to the portal."""
    async with Person(stand_url) as browser:
        back = await browser.open(await provider.authorization_url(request)) or await browser.sign_in(person)
    assert back.address.startswith(RETURN)
    assert back.query["state"] == request.state
    return back


async def signed_in(provider: IdentityProvider, stand_url: str, person: DemoPerson) -> IdentityPerson:
    request = asked()
    back = await came_back(provider, request, stand_url, person)
    return await provider.fetch_person(back.code, request)


@pytest.mark.parametrize("person", ADMITTED, ids=lambda person: str(person.oid))
async def test_the_person_who_signed_in_is_the_person_the_portal_gets(
    provider: IdentityProvider, person: DemoPerson, stand_url: str
) -> None:
    found = await signed_in(provider, stand_url, person)

    assert found == IdentityPerson(
        issuer=ISSUER if provider.name == "esia" else f"{stand_url}/gosuslugi/oidc",
        subject=str(person.oid),
        confirmed=person.trusted,
        last_name=person.last_name,
        first_name=person.first_name,
        patronymic=person.patronymic,
        birth_date=person.birth_date,
        snils=person.snils,
        phone=person.phone,
        phone_verified=bool(person.phone) and person.phone_verified,
        email=person.email,
        email_verified=bool(person.email),
        oms_policy=person.policy,
        id_token=found.id_token,
        authenticated_at=found.authenticated_at,
    )
    assert found.authenticated_at is not None
    assert person.last_name not in repr(found.id_token)


def test_the_people_cover_what_the_portal_tells_apart() -> None:
    assert NEW.oid == 1000700001
    assert UNCONFIRMED in ADMITTED
    assert NO_PHONE in ADMITTED
    assert UNVERIFIED in ADMITTED


async def test_a_child_is_told_apart(provider: IdentityProvider, stand_url: str) -> None:
    with pytest.raises(IdentityRefused) as refused:
        await signed_in(provider, stand_url, CHILD)

    assert refused.value.problem is PROBLEM.CHILD
    _assert_silent(refused.value, CHILD)


async def test_a_deleted_account_is_told_apart(stand_url: str) -> None:
    """By ESIA only: standard OpenID has no word for it."""
    esia = build("esia", stand_url)

    with pytest.raises(IdentityRefused) as refused:
        await signed_in(esia, stand_url, DELETED)
    await esia.close()

    assert refused.value.problem is PROBLEM.DELETED
    _assert_silent(refused.value, DELETED)


async def test_a_person_who_refuses_comes_back_with_a_reason(provider: IdentityProvider, stand_url: str) -> None:
    back = await came_back(provider, asked(), stand_url, DENIES)

    assert "code" not in back.query
    assert provider.problem_of(back.query["error"], back.query["error_description"]) is PROBLEM.DENIED


async def test_a_code_is_good_once(provider: IdentityProvider, stand_url: str) -> None:
    request = asked()
    back = await came_back(provider, request, stand_url, NEW)
    assert await provider.fetch_person(back.code, request)

    with pytest.raises(IdentityRefused) as refused:
        await provider.fetch_person(back.code, request)

    assert refused.value.problem is PROBLEM.CODE_USED
    assert back.code not in str(refused.value)


async def test_a_stolen_code_is_worthless_without_the_verifier(provider: IdentityProvider, stand_url: str) -> None:
    request = asked()
    back = await came_back(provider, request, stand_url, NEW)

    with pytest.raises(IdentityRefused) as refused:
        await provider.fetch_person(back.code, replace(request, code_verifier=asked().code_verifier))

    assert refused.value.problem is PROBLEM.CODE_USED


async def test_a_code_of_another_sign_in_is_refused_by_its_nonce(stand_url: str) -> None:
    oidc = build("oidc", stand_url)
    request = asked()
    back = await came_back(oidc, request, stand_url, NEW)

    with pytest.raises(IdentityRefused) as refused:
        await oidc.fetch_person(back.code, replace(request, nonce="another"))
    await oidc.close()

    assert refused.value.problem is PROBLEM.UNTRUSTWORTHY


FAULTS = {
    "html_500": PROBLEM.UNAVAILABLE,
    "slow": PROBLEM.UNAVAILABLE,
    "rotated_key": PROBLEM.UNTRUSTWORTHY,
    "wrong_issuer": PROBLEM.UNTRUSTWORTHY,
    "wrong_audience": PROBLEM.UNTRUSTWORTHY,
    "expired_token": PROBLEM.UNTRUSTWORTHY,
    "code_used": PROBLEM.CODE_USED,
    "oversized": PROBLEM.UNAVAILABLE,
    "unsigned": PROBLEM.UNTRUSTWORTHY,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ADAPTERS)
async def test_each_fault_of_the_token_endpoint_has_its_name(
    name: str, fault: str, stand_url: str, control: httpx.AsyncClient
) -> None:
    provider = build(name, stand_url)
    request = asked()
    back = await came_back(provider, request, stand_url, NEW)
    if fault == "slow":
        await provider.close()
        provider = build(name, stand_url, timeout=0.2)
    await switch(control, fault)

    if (name, fault) == ("oidc", "rotated_key"):  # its new key is published
        assert (await provider.fetch_person(back.code, request)).subject == str(NEW.oid)
    else:
        with pytest.raises(IdentityRefused) as refused:
            await provider.fetch_person(back.code, request)
        assert refused.value.problem is FAULTS[fault]
        _assert_silent(refused.value, NEW)
    await provider.close()


@pytest.mark.parametrize(
    ("fault", "with_details"),
    [
        ("nulls", True),
        ("inner_host", True),
        ("details_signed", True),
        ("details_down", False),
        ("details_encrypted", False),
    ],
)
async def test_an_oddity_of_the_provider_stops_no_sign_in(
    provider: IdentityProvider, stand_url: str, control: httpx.AsyncClient, fault: str, *, with_details: bool
) -> None:
    whole = await signed_in(provider, stand_url, NEW)
    await switch(control, fault)

    odd = await signed_in(provider, stand_url, NEW)

    assert (odd.subject, odd.last_name, odd.birth_date) == (whole.subject, whole.last_name, whole.birth_date)
    assert odd.confirmed is whole.confirmed
    if with_details or (provider.name == "esia" and fault == "details_encrypted"):
        assert (odd.phone, odd.oms_policy, odd.snils) == (whole.phone, whole.oms_policy, whole.snils)
    else:
        assert (odd.phone, odd.oms_policy) == ("", "")


async def test_a_provider_that_is_out_of_service_says_so_to_the_browser(
    provider: IdentityProvider, stand_url: str, control: httpx.AsyncClient
) -> None:
    await switch(control, "unavailable")

    back = await came_back(provider, asked(), stand_url, NEW)

    problem = provider.problem_of(back.query["error"], back.query["error_description"])
    assert problem is PROBLEM.UNAVAILABLE


async def test_signing_out_leads_back_to_the_portal(provider: IdentityProvider, stand_url: str) -> None:
    found = await signed_in(provider, stand_url, NEW)

    async with Person(stand_url) as browser:
        away = await provider.sign_out(found.id_token, LOGOUT)
        assert away is not None
        assert found.id_token not in away.url
        back = await browser.leave(away)

    assert back is not None
    assert back.address.partition("?")[0] == LOGOUT


async def test_a_wrong_secret_is_the_operators_problem(stand_url: str) -> None:
    oidc = Oidc(f"{stand_url}/gosuslugi/oidc", CLIENT_ID, "wrong")
    request = asked()
    back = await came_back(oidc, request, stand_url, NEW)

    with pytest.raises(IdentityRefused) as refused:
        await oidc.fetch_person(back.code, request)
    await oidc.close()

    assert refused.value.problem is PROBLEM.MISCONFIGURED


async def test_check_finds_the_stand_in_well(provider: IdentityProvider) -> None:
    assert provider.name in await provider.check()


def _assert_silent(error: IdentityRefused, person: DemoPerson) -> None:
    printed = str(error) + "".join(traceback.format_exception(error))
    for secret in (person.last_name, person.first_name, person.phone[2:], person.snils, person.policy, "eyJ"):
        assert secret not in printed
