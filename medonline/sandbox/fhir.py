"""Stand-in of the registry of medical cards: a read-only FHIR R4 server (https://hl7.org/fhir/R4/http.html).

Reads and searches Patient, Coverage and Organization, by GET or `POST …/_search`; knows `_include`, `_revinclude`,
`_count` and pages by `next` links. `metadata` is open, everything else requires the token.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox.fhir_faults import Fault, FhirFaults
from medonline.sandbox.fhir_oddities import odd_bundle, odd_resource
from medonline.sandbox.fhir_resources import (
    REFERENCES,
    RESOURCES,
    Resource,
    capabilities,
    has_identifier,
    included,
    refers_to,
    reverse_included,
)
from medonline.sandbox.requests import bearer, same
from medonline.sandbox.settings import SandboxSettings

MEDIA_TYPE = "application/fhir+json"
DEFAULT_COUNT, LARGEST_COUNT = 20, 100
_HEADERS = {"Cache-Control": "no-store"}
_PASSED_OVER = {"_format", "_summary", "_pretty"}
_RESULT = {"_count", "_offset", "_include", "_include:iterate", "_revinclude"}

Parameters = list[tuple[str, str]]


class FhirStandIn:
    """The operations metadata, read and search."""

    def __init__(self, settings: SandboxSettings, faults: FhirFaults) -> None:
        self._settings = settings
        self._faults = faults

    def routes(self) -> list[Route]:
        """Routes relative to the registry's base URL."""
        return [
            Route("/metadata", self._metadata, methods=["GET"]),
            Route("/{kind}/_search", self._search, methods=["POST"]),
            Route("/{kind}/{id}", self._read, methods=["GET"]),
            Route("/{kind}", self._search, methods=["GET"]),
        ]

    async def _metadata(self, request: Request) -> Response:
        return await self._broken() or _answer(capabilities())

    async def _read(self, request: Request) -> Response:
        refusal = await self._broken() or self._refusal(request)
        if refusal is not None:
            return refusal
        resource = RESOURCES[request.path_params["kind"]].get(request.path_params["id"])
        if resource is None:
            return _outcome(404, "not-found", "no such resource")
        fault = await asyncio.to_thread(self._faults.current)
        return _packed(fault, _answer(odd_resource(fault, resource)))

    async def _search(self, request: Request) -> Response:
        refusal = await self._broken() or self._refusal(request)
        if refusal is not None:
            return refusal
        given: Parameters = list(request.query_params.multi_items())
        if request.method == "POST":
            given += parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
        given = [(name, value) for name, value in given if name not in _PASSED_OVER]
        kind = request.path_params["kind"]
        problem = _problem(kind, given)
        if problem:
            return _outcome(400, "invalid", problem)
        path = request.url.path.removesuffix("/_search")
        address = f"{request.url.scheme}://{request.url.netloc}{path}"
        fault = await asyncio.to_thread(self._faults.current)
        if fault is Fault.INNER_HOST:
            given = [*((name, value) for name, value in given if name != "_count"), ("_count", "1")]
        bundle = odd_bundle(fault, _bundle(kind, given, address), address.removesuffix(f"/{kind}"))
        return _packed(fault, _answer(bundle))

    async def _broken(self) -> Response | None:
        fault = await asyncio.to_thread(self._faults.current)
        if fault is Fault.DOWN:
            return _outcome(503, "transient", "switched off at the stand")
        if fault is Fault.HTML:
            return HTMLResponse("<html><body><h1>Технические работы</h1></body></html>")
        if fault is Fault.GARBAGE:
            return _answer({"resourceType": "Bundle", "type": "searchset", "entry": "технические работы"})
        if fault is Fault.SLOW:
            await asyncio.sleep(self._settings.slow_answer)
        return None

    def _refusal(self, request: Request) -> Response | None:
        if not same(bearer(request), self._settings.fhir_token):
            refused = _outcome(401, "login", "an access token is needed")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        if request.path_params["kind"] not in RESOURCES:
            return _outcome(404, "not-supported", "no such kind of resource here")
        return None


def _problem(kind: str, given: Parameters) -> str:
    """What is wrong with a search. The text does not repeat the values."""
    known = {"_id", "identifier"} | {parameter for held_by, parameter in REFERENCES if held_by == kind} | _RESULT
    for name, value in given:
        if name not in known:
            return "a search parameter that is not supported"
        if name in ("_count", "_offset") and not (value.isascii() and value.isdigit() and len(value) < 6):
            return f"{name} is no number"
        if "include" in name and tuple(value.split(":")) not in REFERENCES:
            return f"{name} names no known reference"
    return ""


def _bundle(kind: str, given: Parameters, address: str) -> Resource:
    wanted = dict(given)
    count = min(int(wanted.get("_count", DEFAULT_COUNT)), LARGEST_COUNT)
    offset = int(wanted.get("_offset", 0))
    matches = [resource for resource in RESOURCES[kind].values() if _matches(resource, given)]
    page = matches[offset : offset + count]
    beside: list[Resource] = []
    for name, value in given:
        if name == "_revinclude":
            beside += reverse_included(page, value)
        elif name == "_include":
            beside += included(page, value)
    for name, value in given:
        if name == "_include:iterate":
            beside += included(page + beside, value)
    links = [{"relation": "self", "url": f"{address}?{urlencode(given)}"}]
    if count > 0 and offset + count < len(matches):
        onward = [(name, value) for name, value in given if name != "_offset"]
        links.append({"relation": "next", "url": f"{address}?{urlencode([*onward, ('_offset', offset + count)])}"})
    base = address.removesuffix(f"/{kind}")
    # A page contains a resource only once, even if several references lead to it.
    others = {(r["resourceType"], r["id"]): r for r in beside if r not in page}
    entries = [_entry(r, base, "match") for r in page] + [_entry(r, base, "include") for r in others.values()]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(matches), "link": links}
    # FHIR allows no empty lists.
    return bundle | ({"entry": entries} if entries else {})


def _entry(resource: Resource, base: str, mode: str) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _matches(resource: Resource, given: Parameters) -> bool:
    return all(
        resource["id"] == value
        if name == "_id"
        else has_identifier(resource, value)
        if name == "identifier"
        else refers_to(resource, name, value)
        for name, value in given
        if name not in _RESULT
    )


def _answer(resource: Resource, status: int = 200) -> Response:
    return JSONResponse(resource, status_code=status, headers=_HEADERS, media_type=MEDIA_TYPE)


def _packed(fault: Fault, answer: Response) -> Response:
    if fault is not Fault.GZIP:
        return answer
    headers = _HEADERS | {"Content-Encoding": "gzip"}
    return Response(gzip.compress(bytes(answer.body)), headers=headers, media_type=MEDIA_TYPE)


def _outcome(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return _answer({"resourceType": "OperationOutcome", "issue": [issue]}, status)
