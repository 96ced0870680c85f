"""What ESIA's data service (`/rs/prns/{oid}`) says of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.providers.gosuslugi import person as read
from medonline.providers.gosuslugi.errors import json_object, transport_refusals, untrustworthy
from medonline.providers.gosuslugi.esia.tokens import EsiaSubject
from medonline.providers.http import JsonClient
from medonline.services.ports import IdentityPerson

MAX_ELEMENTS = 20  # followed one by one where ESIA lists addresses instead of the elements themselves
_CONTACT_SCOPES = frozenset({"mobile", "email", "contacts"})
_POLICY_SCOPE = "medical_doc"


class PersonReader:
    """Reads one person with the access token that the person's sign-in gave; nothing is kept."""

    def __init__(self, client: JsonClient, base_url: str, access_token: str, oid: str) -> None:
        self._client = client
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._path = f"/rs/prns/{quote(oid, safe='')}"

    async def person(self, issuer: str, subject: EsiaSubject, scopes: Sequence[str], id_token: str) -> IdentityPerson:
        """The person, with contacts and the policy as far as the scopes cover them.

        Raises:
            IdentityRefused: DELETED, or no good answer.
        """
        found = await self._object(self._path)
        if str(found.get("status", "")).upper() == "DELETED":
            raise IdentityRefused(IdentityProblem.DELETED, "esia: the account is deleted")
        trusted = found.get("trusted")
        contacts = await self._elements("ctts") if _CONTACT_SCOPES.intersection(scopes) else []
        documents = await self._elements("docs") if _POLICY_SCOPE in scopes else []
        phone, phone_verified = _contact(contacts, "MBT", read.phone)
        email, email_verified = _contact(contacts, "EML", read.email)
        return IdentityPerson(
            issuer=issuer,
            subject=subject.oid,
            # The record is younger than the token; without a word in it, the token's counts.
            confirmed=read.yes(trusted) if trusted is not None else subject.confirmed is True,
            last_name=read.name(found.get("lastName")),
            first_name=read.name(found.get("firstName")),
            patronymic=read.name(found.get("middleName")),
            birth_date=read.calendar_date(found.get("birthDate")),
            snils=read.snils(found.get("snils")),
            phone=phone,
            phone_verified=phone_verified,
            email=email,
            email_verified=email_verified,
            oms_policy=_policy(documents),
            id_token=id_token,
        )

    async def _elements(self, collection: str) -> list[dict[str, Any]]:
        """The elements of a collection, whether ESIA embeds them or lists their addresses."""
        answer = await self._object(f"{self._path}/{collection}?embed=(elements)")
        listed = answer.get("elements")
        elements: list[dict[str, Any]] = []
        for element in (listed if isinstance(listed, list) else [])[:MAX_ELEMENTS]:
            if isinstance(element, str):
                elements.append(await self._object(self._own_path(element)))
            elif isinstance(element, dict):
                elements.append(element)
        return elements

    def _own_path(self, address: str) -> str:
        # The person's access token travels along: it goes to ESIA's own data of this person and nowhere else.
        own = f"{self._base_url}{self._path}/"
        path = address.removeprefix(self._base_url)
        if not address.startswith(own) or not address.isprintable() or "/.." in path or len(address) > 2048:
            raise untrustworthy("esia: an element's address leads elsewhere")
        return path

    async def _object(self, path: str) -> dict[str, Any]:
        with transport_refusals():
            status, answer = await self._client.get(path, headers=self._headers, idempotent=False)
        return json_object("esia", status, answer)


def _contact(contacts: list[dict[str, Any]], kind: str, readable: Any) -> tuple[str, bool]:
    """The first usable contact of a kind, verified ones first, and whether it is verified."""
    chosen = [
        (readable(one.get("value")), one.get("vrfStu") == "VERIFIED") for one in contacts if one.get("type") == kind
    ]
    return next(iter(sorted((one for one in chosen if one[0]), key=lambda one: not one[1])), ("", False))


def _policy(documents: list[dict[str, Any]]) -> str:
    numbers = (read.oms_policy(one.get("number")) for one in documents if one.get("type") == "MDCL_PLCY")
    return next(filter(None, numbers), "")
