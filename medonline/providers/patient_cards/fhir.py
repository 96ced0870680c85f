"""The registry of medical cards over HL7 FHIR R4 (https://hl7.org/fhir/R4/). docs/cards.md has the mapping.

A card is a Patient resource of one clinic, so a person has as many cards as clinics. Searches are sent as `POST …/_search`, because a
СНИЛС or a policy in the address of a GET would get into the log of every server on the way. The portal compares the found records with
the requested number, because a lenient server ignores unknown parameters and answers with everybody.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from medonline.domain.errors import DeliveryFailed, RegistryUnavailable
from medonline.providers.http import JsonClient
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.patient_cards.fhir_bundle import Bases, Found
from medonline.providers.patient_cards.fhir_mapping import (
    Systems,
    Unusable,
    card_of,
    check_usable,
    is_card,
    is_id,
    numbers,
    outcome,
    policy_number,
    snils_of,
    systems_of,
)
from medonline.providers.patient_cards.fhir_values import Resource, Today
from medonline.providers.values import MOSCOW
from medonline.services.clock import Clock, utc_now
from medonline.services.ports import FoundCards, RegistryCard

__all__ = ["FhirCards", "Systems", "TestPerson"]

log = logging.getLogger(__name__)

MAX_PAGES = 5
CLINIC_LIFE = 600.0  # seconds for which a clinic's name and address are remembered
_MAX_CLINICS = 1_000
_MAX_ANSWER_BYTES = 2 * 1024 * 1024
_MAX_BRACKETS = 100_000
_NOBODY = "00000000000"


@dataclass(frozen=True, slots=True)
class TestPerson:
    """The numbers of a person whom the registry knows, for `check`. Digits only. An empty number is not checked."""

    snils: str = ""
    policy: str = ""

    __test__ = False  # pytest must not collect this class


class FhirCards:
    """Searches and reads cards in the registry.

    Args:
        timeout: seconds for each request. A whole question takes at most twice as long.
        systems: the identifier systems of each number.
        page_size: records per page of a search.
        test_person: the person whom `check` looks for.
        zone: the time zone of the registry's dates, for a registry that writes dates as moments.
        clock: gives the day on which a name, an address or a phone must be in use.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        outgoing: Outgoing = DIRECT,
        timeout: float = 4.0,
        systems: Systems | None = None,
        test_person: TestPerson | None = None,
        page_size: int = 50,
        zone: ZoneInfo = MOSCOW,
        clock: Clock = utc_now,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._bases = Bases(self._base_url)
        self._systems = systems or Systems()
        self._test_person = test_person or TestPerson()
        self._page_size = page_size
        self._zone = zone
        self._clock = clock
        self._patience = 2 * timeout
        self._clinics: dict[str, tuple[float, Resource]] = {}
        self._client = JsonClient(
            self._base_url,
            name="fhir",
            headers={"Accept": "application/fhir+json", "Authorization": f"Bearer {token}"},
            timeout=timeout,
            outgoing=outgoing,
            max_answer_bytes=_MAX_ANSWER_BYTES,
            max_brackets=_MAX_BRACKETS,
            compressed=True,
            transport=transport,
        )

    async def cards_by_snils(self, snils: str) -> FoundCards:
        """The cards of the person with this СНИЛС (11 digits).

        Raises:
            RegistryUnavailable: no good answer.
        """
        async with self._bounded():
            found = await self._search(
                "Patient",
                identifier=_token(self._systems.snils, snils),
                _include="Patient:organization",
                _revinclude="Coverage:beneficiary",
            )
            theirs = []
            for patient in _of_kind(found, "Patient"):
                told = snils_of(patient, self._systems)
                if snils in told:
                    theirs.append(patient)
                elif not told:
                    found.leave_out("a Patient", "identifier: no readable number of the person")
            return await self._cards(theirs, found)

    async def cards_by_policy(self, oms_policy: str) -> FoundCards:
        """The cards that this ОМС policy (16 digits) covers.

        Raises:
            RegistryUnavailable: no good answer.
        """
        async with self._bounded():
            found = await self._search(
                "Coverage",
                **{
                    "identifier": _token(self._systems.policy, oms_policy),
                    "_include": "Coverage:beneficiary",
                    "_include:iterate": "Patient:organization",
                },
            )
            covering = []
            for coverage in found.coverages:
                told = policy_number(coverage, self._systems)
                if told == oms_policy:
                    covering.append(coverage)
                elif not told and coverage in found.matches:
                    found.leave_out("a Coverage", "identifier: no readable number of a policy")
            holders = await asyncio.gather(*(self._holder(coverage, found) for coverage in covering))
            theirs = {str(patient.get("id")): patient for patient in holders if patient is not None}
            return await self._cards(theirs.values(), found)

    async def card(self, ref: str) -> FoundCards:
        """One card as it is now. Nothing if the registry answers 404 or 410 in FHIR's format, or if the record is no card any more.

        Raises:
            RegistryUnavailable: there is no usable answer. A 404 without an OperationOutcome means a wrong base URL.
        """
        async with self._bounded():
            found = Found(self._bases)
            patient = await self._patient(ref, found)
            return await self._cards([patient] if patient is not None else [], found)

    async def check(self) -> str:
        """Check that the registry speaks FHIR R4 and accepts the token. It searches for a СНИЛС that nobody has, and for the test person if
        one is set.

        Raises:
            RegistryUnavailable: there is no usable answer, or the registry knows the test person by another identifier system or not at
                all.
        """
        async with self._bounded():
            status, answer = await self._client.get("/metadata", params={"_summary": "true"})
            capabilities = _good(status, answer)
            version = str(capabilities.get("fhirVersion"))[:16]
            if capabilities.get("resourceType") != "CapabilityStatement" or not version.startswith(("4.0", "4.3")):
                raise RegistryUnavailable("fhir: the server does not say that it speaks FHIR R4")
            await self._search("Patient", identifier=_token(self._systems.snils, _NOBODY))
            known = [
                await self._probe("Patient", "snils", self._systems.snils, self._test_person.snils),
                await self._probe("Coverage", "policy", self._systems.policy, self._test_person.policy),
            ]
            return " ".join(
                [f"The registry of cards at {self._base_url} speaks FHIR R4 and takes the token.", *filter(None, known)]
            )

    async def _probe(self, kind: str, number: str, systems: tuple[str, ...], value: str) -> str:
        """Whether the registry finds a number of the test person by the configured systems. No text holds the number."""
        if not value:
            return ""
        found = await self._search(kind, identifier=_token(systems, value))
        known = _of_kind(found, kind)
        # An insurer may give the policy only as its subscriber id.
        if any(value in (*numbers(one, systems), policy_number(one, self._systems)) for one in known):
            return f"It knows the test {number}."
        bare = await self._search(kind, identifier=value)
        others = {system for one in _of_kind(bare, kind) for system in systems_of(one, value)} - {*systems}
        if others:
            raise RegistryUnavailable(
                f"fhir: the registry answers nothing for the test {number} under {', '.join(systems)}, and knows it under "
                f"{', '.join(sorted(others))}: name that in [identifiers] of MEDONLINE_OUTSIDE_NAMES_FILE"
            )
        raise RegistryUnavailable(f"fhir: the registry answers nothing for the test {number}, under no system at all")

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    async def _search(self, kind: str, **parameters: str) -> Found:
        found = Found(self._bases)
        form = {**parameters, "_count": str(self._page_size)}
        status, answer = await self._client.post_form(f"/{kind}/_search", form, idempotent=True)
        link = found.take_bundle(_good(status, answer), kind)
        for _ in range(MAX_PAGES - 1):
            if not link:
                return found
            path = self._bases.path_of(link, kind)
            if path is None:
                found.leave_out("a next page", "an address that is not below the registry's own")
                return found
            try:
                status, answer = await self._client.get(path)
                link = found.take_bundle(_good(status, answer), kind)
            except (DeliveryFailed, RegistryUnavailable) as error:
                found.leave_out("a next page", error.detail)
                return found
        if link:
            found.left_out += 1
            log.warning("The registry of cards has over %d pages for one person; the rest is left out", MAX_PAGES)
        return found

    async def _cards(self, patients: Iterable[Resource], found: Found) -> FoundCards:
        records = [patient for patient in patients if is_card(patient, self._systems)]
        cards = await asyncio.gather(*(self._card(patient, found) for patient in records))
        return FoundCards(tuple(card for card in cards if card is not None), found.left_out)

    async def _card(self, patient: Resource, found: Found) -> RegistryCard | None:
        today = Today(self._clock().astimezone(self._zone).date(), self._zone)
        try:
            check_usable(patient, today)
        except Unusable as error:
            found.leave_out("a Patient", str(error))
            return None
        clinic = await self._clinic(patient, found)
        # If the answer has no policy, the server may not support `_revinclude`. So this asks again with a plain search.
        policies = found
        if not found.coverages:
            policies = await self._search("Coverage", beneficiary=f"Patient/{patient['id']}")
        return card_of(patient, clinic, policies.policies_of(patient), self._systems, today)

    async def _holder(self, coverage: Resource, found: Found) -> Resource | None:
        holder = found.resolved(coverage.get("beneficiary"), "Patient", coverage)
        if holder is not None:
            return holder
        patient_id = found.local_id(coverage.get("beneficiary"), "Patient")
        if not patient_id:
            found.leave_out("a Coverage", "beneficiary: no patient of this registry")
            return None
        return await self._patient(patient_id, found)

    async def _patient(self, ref: str, found: Found) -> Resource | None:
        if not is_id(ref):
            return None
        read = await self._read("Patient", ref)
        if read is None:
            return None
        if not _of_kind(read, "Patient"):
            raise RegistryUnavailable("fhir: a read of a Patient answered with something else")
        if ref not in read.patients:
            found.leave_out("a Patient", "id: another than was asked for")
        return read.patients.get(ref)

    async def _clinic(self, patient: Resource, found: Found) -> Resource | None:
        """The clinic from the answer, from the cache, or read from the registry. None if the registry has no usable clinic."""
        referred = patient.get("managingOrganization")
        clinic = found.resolved(referred, "Organization", patient)
        clinic_id = found.local_id(referred, "Organization")
        if clinic is not None or not clinic_id:
            return clinic
        known = self._clinics.get(clinic_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        read = await self._read("Organization", clinic_id)
        clinic = read.organizations.get(clinic_id) if read is not None else None
        if clinic is not None:
            if len(self._clinics) >= _MAX_CLINICS:
                self._clinics.clear()
            self._clinics[clinic_id] = (time.monotonic() + CLINIC_LIFE, clinic)
        return clinic

    async def _read(self, kind: str, resource_id: str) -> Found | None:
        status, answer = await self._client.get(f"/{kind}/{resource_id}")
        if status in (404, 410) and outcome(answer) != "no OperationOutcome":
            return None
        found = Found(self._bases)
        found.take(_good(status, answer))
        return found

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise RegistryUnavailable(f"fhir: no answer within {self._patience:g} s") from None
        except DeliveryFailed as error:
            raise RegistryUnavailable(error.detail) from None


def _token(systems: Iterable[str], value: str) -> str:
    """A search by an identifier of any of these systems. In FHIR a comma means «or»."""
    return ",".join(f"{system}|{value}" for system in systems)


def _of_kind(found: Found, kind: str) -> list[Resource]:
    return [resource for resource in found.matches if resource["resourceType"] == kind]


def _good(status: int, answer: Any) -> dict[str, Any]:
    if status != 200 or not isinstance(answer, dict) or answer.get("resourceType") == "OperationOutcome":
        raise RegistryUnavailable(f"fhir: HTTP {status}, {outcome(answer)}")
    return answer
