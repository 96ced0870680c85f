"""What ESIA's data service (`/rs/prns/{oid}`) says about a person."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi.errors import json_object, transport_refusals, untrustworthy
from medonline.providers.gosuslugi.esia.tokens import EsiaSubject
from medonline.providers.gosuslugi.person import Told
from medonline.providers.http import JsonClient
from medonline.providers.values import is_told
from medonline.services.ports import IdentityPerson

log = logging.getLogger(__name__)

MAX_ELEMENTS = 20  # at most so many are fetched one by one where ESIA lists addresses instead of elements
_CONTACT_SCOPES = frozenset({"mobile", "email", "contacts"})
_POLICY_SCOPE = "medical_doc"
_NEEDED = frozenset({"lastName", "firstName", "birthDate"})


class PersonReader:
    """Reads one person with the access token of that person's sign-in. It keeps nothing."""

    def __init__(self, client: JsonClient, base_url: str, access_token: str, oid: str) -> None:
        self._client = client
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._path = f"/rs/prns/{quote(oid, safe='')}"

    async def person(
        self, issuer: str, subject: EsiaSubject, scopes: Sequence[str], id_token: str
    ) -> tuple[IdentityPerson, frozenset[str]]:
        """The person, with contacts and policy if the scopes cover them, and the names of required fields that ESIA sent but the portal
        cannot read. Contacts and documents that ESIA does not give out are logged.

        Raises:
            IdentityRefused: the account is DELETED, or there is no usable answer.
        """
        found = await self._object(self._path)
        if str(found.get("status", "")).upper() == "DELETED":
            raise IdentityRefused(IdentityProblem.DELETED, "esia: the account is deleted")
        said = Told("esia", found)
        contacts = await self._elements("ctts") if _CONTACT_SCOPES.intersection(scopes) else []
        documents = await self._elements("docs") if _POLICY_SCOPE in scopes else []
        phone, phone_verified = _contact(contacts, "MBT", Told.phone)
        email, email_verified = _contact(contacts, "EML", Told.email)
        person = IdentityPerson(
            issuer=issuer,
            subject=subject.oid,
            # The record is newer than the token. If the record does not tell, the token counts.
            confirmed=said.yes("trusted") if said.value("trusted") is not None else subject.confirmed is True,
            last_name=said.name("lastName"),
            first_name=said.name("firstName"),
            patronymic=said.name("middleName"),
            birth_date=said.birth_date("birthDate"),
            snils=said.snils("snils"),
            phone=phone,
            phone_verified=phone_verified,
            email=email,
            email_verified=email_verified,
            oms_policy=_policy(documents),
            id_token=id_token,
        )
        return person, _NEEDED.intersection(said.unreadable)

    async def _elements(self, collection: str) -> list[dict[str, Any]]:
        """The contacts (`ctts`) or documents (`docs`) of the person. ESIA embeds them or lists their addresses.

        A failed request is logged and left out, because a sign-in needs neither a contact nor the insurance policy.

        Raises:
            IdentityRefused: an address leads outside this person's data. The access token is not sent there.
        """
        answer = await self._optional(f"{self._path}/{collection}?embed=(elements)", collection)
        listed = answer.get("elements") if answer is not None else None
        elements: list[dict[str, Any]] = []
        for element in (listed if isinstance(listed, list) else [])[:MAX_ELEMENTS]:
            if isinstance(element, str) and is_told(element):
                one = await self._optional(self._own_path(element), collection)
                elements += [one] if one is not None else []
            elif isinstance(element, dict):
                elements.append(element)
        return elements

    async def _optional(self, path: str, collection: str) -> dict[str, Any] | None:
        try:
            return await self._object(path)
        except IdentityRefused as refused:
            log.warning("esia: %s are not given out (%s); the sign-in goes on without", collection, refused)
            return None

    def _own_path(self, address: str) -> str:
        """The path and query of an element below the configured address, whatever host ESIA writes into its addresses.

        The request carries the person's access token, so it may go to ESIA's data about this person and nowhere else.
        """
        try:
            parts = urlsplit(address)
        except ValueError:
            raise untrustworthy("esia: an element's address cannot be read") from None
        path = parts.path.removeprefix(urlsplit(self._base_url).path)
        is_own = path.startswith(f"{self._path}/") and ".." not in unquote(path)
        if not is_own or parts.scheme not in ("", "http", "https") or not address.isprintable() or len(address) > 2048:
            raise untrustworthy("esia: an element's address leads elsewhere")
        return f"{path}?{parts.query}" if parts.query else path

    async def _object(self, path: str) -> dict[str, Any]:
        with transport_refusals():
            status, answer = await self._client.get(path, headers=self._headers, idempotent=False)
        return json_object("esia", status, answer)


def _contact(contacts: list[dict[str, Any]], kind: str, read: Callable[[Told, str], str]) -> tuple[str, bool]:
    """The first usable contact of a kind, and whether it is verified. Verified contacts come first."""
    of_kind = [one for one in contacts if one.get("type") == kind]
    chosen = [(read(Told(f"esia: a contact {kind}", one), "value"), one.get("vrfStu") == "VERIFIED") for one in of_kind]
    return next(iter(sorted((one for one in chosen if one[0]), key=lambda one: not one[1])), ("", False))


def _policy(documents: list[dict[str, Any]]) -> str:
    policies = (Told("esia: a document MDCL_PLCY", one) for one in documents if one.get("type") == "MDCL_PLCY")
    return next(filter(None, (policy.oms_policy("number") for policy in policies)), "")
