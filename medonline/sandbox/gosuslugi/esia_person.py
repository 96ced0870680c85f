"""ESIA's person API (`/rs/prns/...`). It returns only the fields of the granted scopes."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi.faults import Fault
from medonline.sandbox.gosuslugi.stand import Stand
from medonline.sandbox.people import DemoPerson, person_by_oid
from medonline.sandbox.requests import bearer

_EMBED = "(elements)"
_INNER_BASE = "http://esia-7.inner.example:8080"
Item = dict[str, Any]


class EsiaPerson:
    """The person, contacts and documents. Lists are addresses, or whole elements with `?embed=(elements)`."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        return [
            Route("/rs/prns/{oid:int}", self._person),
            Route("/rs/prns/{oid:int}/{list}", self._list),
            Route("/rs/prns/{oid:int}/{list}/{id:int}", self._item),
        ]

    async def _person(self, request: Request) -> Response:
        found = await self._granted(request)
        return found if isinstance(found, Response) else _json(_person(*found))

    async def _list(self, request: Request) -> Response:
        found = await self._granted(request)
        if isinstance(found, Response):
            return found
        items = _items(request.path_params["list"], *found)
        if items is None:
            return _refused(404, "not_found")
        elements: list[Any] = items
        fault = await self._stand.fault()
        if fault is Fault.DETAILS_DOWN:
            return _refused(503, "server_error")
        if fault is Fault.NULLS:
            elements = [None, "", *({"stateFacts": None, "isMain": None} | item for item in items)]
        if request.query_params.get("embed") != _EMBED or fault is Fault.INNER_HOST:
            base = _INNER_BASE if fault is Fault.INNER_HOST else self._stand.settings.base_url
            address = f"{base}/rs/prns/{found[0].oid}/{request.path_params['list']}"
            elements = [f"{address}/{item['id']}" for item in items]
        return _json({"stateFacts": ["hasSize"], "elements": elements, "size": len(elements)})

    async def _item(self, request: Request) -> Response:
        found = await self._granted(request)
        if isinstance(found, Response):
            return found
        items = _items(request.path_params["list"], *found) or []
        item = next((item for item in items if item["id"] == request.path_params["id"]), None)
        return _json(item) if item is not None else _refused(404, "not_found")

    async def _granted(self, request: Request) -> tuple[DemoPerson, frozenset[str]] | Response:
        grant = await asyncio.to_thread(self._stand.codes.token, bearer(request), "access", "esia")
        if grant is None:
            return _refused(401, "invalid_token")
        if grant.oid != request.path_params["oid"]:
            return _refused(403, "insufficient_scope")
        person = person_by_oid(grant.oid)
        return (person, grant.asked.data) if person is not None else _refused(404, "not_found")


def _person(person: DemoPerson, data: frozenset[str]) -> Item:
    shown: Item = {
        "stateFacts": ["EntityRoot"],
        "status": person.status,
        "trusted": person.trusted,
        "verifying": False,
        "rIdDoc": person.oid * 10 + 9,
        "containsUpCfmCode": False,
    }
    if "fullname" in data:
        shown |= {"firstName": person.first_name, "lastName": person.last_name, "middleName": person.patronymic}
    if "birthdate" in data:
        shown["birthDate"] = person.birth_date.strftime("%d.%m.%Y")
    if "gender" in data:
        shown["gender"] = person.gender
    if "snils" in data and person.snils:
        digits = person.snils
        shown["snils"] = f"{digits[:3]}-{digits[3:6]}-{digits[6:9]} {digits[9:]}"
    return shown


def _items(name: str, person: DemoPerson, data: frozenset[str]) -> list[Item] | None:
    if name == "ctts":
        return list(_contacts(person, data))
    if name == "docs":
        return list(_documents(person, data))
    return None


def _contacts(person: DemoPerson, data: frozenset[str]) -> list[Item]:
    contacts = []
    if "mobile" in data and person.phone:
        value = f"+7({person.phone[2:5]}){person.phone[5:]}"
        contacts.append(_entry(person.oid * 10 + 1, "MBT", person.phone_verified) | {"value": value})
    if "email" in data and person.email:
        contacts.append(_entry(person.oid * 10 + 2, "EML", True) | {"value": person.email})
    return contacts


def _documents(person: DemoPerson, data: frozenset[str]) -> list[Item]:
    if "medical_doc" not in data or not person.policy:
        return []
    return [_entry(person.oid * 10 + 5, "MDCL_PLCY", person.trusted) | {"number": person.policy}]


def _entry(number: int, kind: str, verified: bool) -> Item:
    status = "VERIFIED" if verified else "NOT_VERIFIED"
    return {"stateFacts": ["Identifiable"], "id": number, "type": kind, "vrfStu": status}


def _json(body: Item) -> Response:
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _refused(status: int, error: str) -> Response:
    headers = {"WWW-Authenticate": f'Bearer error="{error}"'} if status in (401, 403) else None
    return JSONResponse({"error": error}, status_code=status, headers=headers)
