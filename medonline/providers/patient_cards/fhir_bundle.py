"""The resources of one or several answers of a registry, and the targets of their references.

A server behind a proxy writes addresses with its own name for itself. Its `self` link shows that name (without a `self` link, `fullUrl`
does). Addresses that begin with that name are requested below the configured base URL. No request goes anywhere else, so the token
does not either.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

from medonline.domain.errors import RegistryUnavailable
from medonline.providers.patient_cards.fhir_mapping import is_id
from medonline.providers.patient_cards.fhir_values import Resource, objects, text
from medonline.providers.values import is_told

log = logging.getLogger(__name__)

_MAX_BASES = 8
_PORTS = {"http": 80, "https": 443}


class Bases:
    """The base URL of a registry, and the names that its answers use for it."""

    def __init__(self, base_url: str) -> None:
        self._base = httpx.URL(base_url)
        self._root = base_url.rstrip("/")
        self._names: list[str] = []

    def learn(self, address: object, kind: str, *, resource_id: str = "") -> bool:
        """Learn a name of this registry: the part before `/kind/id`, or before `/kind` in the link of a search. Returns whether there is
        such a part."""
        path = text(address).partition("?")[0].partition("#")[0].rstrip("/").removesuffix("/_search")
        name = path.removesuffix(f"/{kind}/{resource_id}" if resource_id else f"/{kind}")
        if name == path or not name.startswith(("http://", "https://")):
            return False
        if name not in (self._root, *self._names) and len(self._names) < _MAX_BASES:
            self._names.append(name)
        return True

    def local_id(self, target: str, kind: str) -> str:
        """The id of a resource of this kind in this registry; empty for any other reference."""
        for name in (*self._names, self._root, *self._of_another_scheme()):
            if target.startswith(f"{name}/"):
                target = target.removeprefix(f"{name}/")
                break
        parts = target.split("/")
        is_ours = parts[0] == kind and (len(parts) == 2 or (len(parts) == 4 and parts[2] == "_history"))
        return parts[1] if is_ours and is_id(parts[1]) else ""

    def path_of(self, link: str, kind: str) -> str | None:
        """The path and query of a link, for a request below the base URL; None if they cannot be determined.

        A link with another host or scheme belongs to this registry, too, because the registry sent it.
        """
        try:
            target = httpx.URL(f"{self._root}/{kind}").join(link)
        except (httpx.InvalidURL, ValueError, TypeError):
            return None
        if target.scheme not in ("http", "https"):
            return None
        whole = target.raw_path.decode("ascii", "replace")
        for root in (*map(httpx.URL, self._names), self._base):
            if _origin(root) == _origin(target) and (rest := _below(root, whole)) is not None:
                return rest
        if (rest := _below(self._base, whole)) is not None:
            return rest
        path, mark, query = whole.partition("?")
        return f"/{kind}{mark}{query}" if path.rsplit("/", 1)[-1] == kind else None

    def _of_another_scheme(self) -> tuple[str, ...]:
        scheme, _, rest = self._root.partition("://")
        return (f"{'http' if scheme == 'https' else 'https'}://{rest}",) if self._base.port is None else ()


def _origin(url: httpx.URL) -> tuple[str, int | None]:
    return url.host, url.port or _PORTS.get(url.scheme)


def _below(root: httpx.URL, whole: str) -> str | None:
    path = root.raw_path.decode("ascii", "replace").rstrip("/")
    rest = whole.removeprefix(path)
    # A proxy may resolve dots to another path, in whatever encoding they come.
    is_below = whole.startswith(path) and rest[:1] in ("/", "?") and ".." not in unquote(rest.partition("?")[0])
    return rest if is_below else None


@dataclass
class Found:
    """The resources of one or several answers.

    Attributes:
        matches: patients and coverages that the search itself found, without the resources that were only included.
        left_out: the number of unusable records and unread pages.
    """

    bases: Bases
    patients: dict[str, Resource] = field(default_factory=dict)
    coverages: list[Resource] = field(default_factory=list)
    organizations: dict[str, Resource] = field(default_factory=dict)
    matches: list[Resource] = field(default_factory=list)
    by_address: dict[str, Resource] = field(default_factory=dict)
    left_out: int = 0

    def take(self, raw: object, full_url: object = None, mode: object = None, *, learn: bool = False) -> None:
        """Keep one resource. It ignores None and any kind but the three. It counts what is no resource."""
        if not is_told(raw):
            return
        if not isinstance(raw, dict) or not isinstance(raw.get("resourceType"), str):
            self.leave_out("an entry", "no resource")
            return
        resource, kind = raw, raw["resourceType"]
        if kind not in ("Patient", "Coverage", "Organization"):
            return
        address = text(full_url)
        if address:
            resource = _with_id(resource, address)
            self.by_address[address] = resource
        resource_id = resource.get("id")
        if learn and isinstance(resource_id, str) and is_id(resource_id):
            self.bases.learn(address, kind, resource_id=resource_id)
        if text(mode) not in ("include", "outcome") and resource not in self.matches:
            self.matches.append(resource)
        if kind == "Coverage":
            self.coverages += [] if resource in self.coverages else [resource]
        elif isinstance(resource_id, str) and is_id(resource_id):
            (self.patients if kind == "Patient" else self.organizations)[resource_id] = resource

    def take_bundle(self, bundle: dict[str, Any], kind: str) -> str:
        """Keep the resources of one page of a search for `kind`. Returns the address of the next page; empty on the last page.

        Raises:
            RegistryUnavailable: the bundle is no search result.
        """
        entries, links = (
            [] if member in (None, {}) or (isinstance(member, str) and not member.strip()) else member
            for member in (bundle.get("entry"), bundle.get("link"))
        )
        if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list) or not isinstance(links, list):
            raise RegistryUnavailable("fhir: a search answered with no Bundle")
        # An entry of another server has a `fullUrl` with another name.
        own = [link.get("url") for link in objects(links) if link.get("relation") == "self"]
        is_named = any(self.bases.learn(address, kind) for address in own)
        for entry in entries:
            if isinstance(entry, dict):
                search = entry.get("search")
                mode = search.get("mode") if isinstance(search, dict) else None
                self.take(entry.get("resource"), entry.get("fullUrl"), mode, learn=not is_named)
            else:
                self.take(entry)
        following = [text(link.get("url")) for link in objects(links) if link.get("relation") == "next"]
        return next(filter(None, following), "")

    def leave_out(self, what: str, reason: str) -> None:
        """Count and log one unusable record, without any of its values."""
        self.left_out += 1
        log.warning("The registry of cards sent %s that cannot be used (%s); it is passed over", what, reason)

    def policies_of(self, patient: Resource) -> list[Resource]:
        """The coverages of one patient, active ones first."""
        theirs = [
            coverage
            for coverage in self.coverages
            if coverage.get("status") != "entered-in-error" and self.is_of(coverage, patient)
        ]
        return sorted(theirs, key=lambda coverage: coverage.get("status") != "active")

    def is_of(self, coverage: Resource, patient: Resource) -> bool:
        """Whether the policy belongs to this patient."""
        reference = self.reference(coverage.get("beneficiary"))
        return self.by_address.get(reference) is patient or (
            bool(reference) and self.bases.local_id(reference, "Patient") == patient.get("id")
        )

    def resolved(self, referred: object, kind: str, holder: Resource) -> Resource | None:
        """The target of a reference, if it is in the answers: as a contained resource, by its `fullUrl`, or by its id."""
        reference = self.reference(referred)
        if reference.startswith("#"):
            contained = objects(holder.get("contained"))
            return next((one for one in contained if one.get("id") in (reference, reference[1:])), None)
        if reference in self.by_address:
            return self.by_address[reference]
        known = self.patients if kind == "Patient" else self.organizations
        return known.get(self.bases.local_id(reference, kind))

    def local_id(self, referred: object, kind: str) -> str:
        """The id by which the registry can be asked for the target of a reference; empty if there is none."""
        return self.bases.local_id(self.reference(referred), kind)

    @staticmethod
    def reference(referred: object) -> str:
        """The text of a Reference."""
        return text(next(iter(objects(referred)), {}).get("reference"))


def _with_id(resource: Resource, address: str) -> Resource:
    """The resource, with the id from its address if it has no id itself."""
    told = address.rstrip("/").rsplit("/", 2)
    if is_told(resource.get("id")) or len(told) < 3 or told[1] != resource["resourceType"] or not is_id(told[2]):
        return resource
    return resource | {"id": told[2]}
