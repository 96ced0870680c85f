"""«Войти другим способом»: a QR code confirmed on the demo phone, or a test certificate."""

from __future__ import annotations

import asyncio
import io

import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi.journeys import Journey
from medonline.sandbox.gosuslugi.logins import ACCOUNTS, account_of_phone
from medonline.sandbox.gosuslugi.other_pages import (
    CERTIFICATES,
    approve_page,
    approved_page,
    certificate_page,
    qr_gone_page,
    qr_page,
)
from medonline.sandbox.gosuslugi.sign_in import SignIn
from medonline.sandbox.gosuslugi.stand import Stand, form

_NOT_YET = "Вход ещё не подтверждён на телефоне."
_NO_STORE = {"Cache-Control": "no-store"}


class OtherWays:
    """Sign-in by QR code or certificate. Both end in `SignIn.admit`."""

    def __init__(self, stand: Stand, sign_in: SignIn) -> None:
        self._stand = stand
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        mine = self._sign_in.of_browser
        return [
            Route("/journey/{id}/qr", mine(self._show_qr), methods=["GET"]),
            Route("/journey/{id}/qr", mine(self._check_qr), methods=["POST"]),
            Route("/journey/{id}/qr/state", mine(self._qr_state)),
            Route("/journey/{id}/certificate", mine(self._certificates), methods=["GET"]),
            Route("/journey/{id}/certificate", mine(self._certificate), methods=["POST"]),
            Route("/qr.json", self._pending),
            Route("/qr/{qr}.svg", self._image),
            Route("/qr/{qr}", self._approving, methods=["GET"]),
            Route("/qr/{qr}", self._approve, methods=["POST"]),
        ]

    async def _show_qr(self, request: Request, journey: Journey) -> Response:
        return qr_page(self._stand, journey, await asyncio.to_thread(self._stand.sessions.offer_qr, journey.id))

    async def _check_qr(self, request: Request, journey: Journey) -> Response:
        oid = await asyncio.to_thread(self._stand.sessions.approved_qr, journey.id)
        if oid:
            return await self._sign_in.admit(journey, oid, "PWD")
        qr = await asyncio.to_thread(self._stand.sessions.offer_qr, journey.id)
        return qr_page(self._stand, journey, qr, _NOT_YET)

    async def _qr_state(self, request: Request, journey: Journey) -> Response:
        sessions = self._stand.sessions
        approved = await asyncio.to_thread(sessions.approved_qr, journey.id)
        alive = await asyncio.to_thread(sessions.qr, request.query_params.get("qr", ""))
        return JSONResponse({"approved": bool(approved), "alive": alive is not None}, headers=_NO_STORE)

    async def _pending(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._stand.sessions.pending_qr), headers=_NO_STORE)

    async def _image(self, request: Request) -> Response:
        qr = await asyncio.to_thread(self._stand.sessions.qr, request.path_params["qr"])
        if qr is None:
            return qr_gone_page(self._stand)
        drawn = io.BytesIO()
        address = f"{self._stand.settings.base_url}/qr/{qr.id}"
        segno.make_qr(address, error="m").save(drawn, kind="svg", scale=6, light="#fff")
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers=_NO_STORE)

    async def _approving(self, request: Request) -> Response:
        qr = await asyncio.to_thread(self._stand.sessions.qr, request.path_params["qr"])
        if qr is None:
            return qr_gone_page(self._stand)
        return approve_page(self._stand, qr, account_of_phone(request.query_params.get("number", "")))

    async def _approve(self, request: Request) -> Response:
        chosen = (await form(request)).get("oid", "")
        person = next((person for person in ACCOUNTS if str(person.oid) == chosen), None)
        qr = await asyncio.to_thread(self._stand.sessions.qr, request.path_params["qr"])
        if qr is not None and person is None:
            return approve_page(self._stand, qr, None, "Выберите, кто входит.")
        if qr is None or person is None:
            return qr_gone_page(self._stand)
        if not await asyncio.to_thread(self._stand.sessions.approve_qr, qr.id, person.oid):
            return qr_gone_page(self._stand)
        return approved_page(self._stand, person)

    async def _certificates(self, request: Request, journey: Journey) -> Response:
        return certificate_page(self._stand, journey)

    async def _certificate(self, request: Request, journey: Journey) -> Response:
        chosen = (await form(request)).get("oid", "")
        person = next((person for person in CERTIFICATES if str(person.oid) == chosen), None)
        if person is None:
            return certificate_page(self._stand, journey, "Выберите сертификат.")
        return await self._sign_in.admit(journey, person.oid, "DS")
