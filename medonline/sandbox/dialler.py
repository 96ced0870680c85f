"""The dialler of the demo phone: it calls from the phone's number, from another number, or with a hidden number."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from medonline.domain.phone import PhoneNumber
from medonline.sandbox.demo_phone import spaced
from medonline.sandbox.pages import DIALLER, HEADERS
from medonline.sandbox.patient_calls import PatientCalls

_LONGEST_BODY = 2_000
_OTHER = "+79000001098"
_CALLED = "Звонок на {} сброшен: так и должно быть."
_HIDDEN = "Звонок на {} со скрытым номером сброшен."
_NOBODY = "По номеру {} никто не отвечает: проверьте его."
_NO_PHONE = "Введите номер российского мобильного телефона, с которого звоните, например +7 900 000-10-01."


class Dialler:
    """One page. A call ends at once."""

    def __init__(self, calls: PatientCalls) -> None:
        self._calls = calls

    def routes(self) -> list[Route]:
        """Routes relative to the sandbox."""
        return [Route("/dialler", self._show, methods=["GET"]), Route("/dialler", self._dial, methods=["POST"])]

    async def _show(self, request: Request) -> Response:
        return _page(request.query_params.get("number", ""), request.query_params.get("to", ""))

    async def _dial(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body())[:_LONGEST_BODY].decode(errors="replace")))
        own, dialled, how = PhoneNumber.read(form.get("number", "")), form.get("to", ""), form.get("from", "own")
        if own is None:
            return _page(form.get("number", ""), dialled, _NO_PHONE, 400)
        caller = {"own": own.e164, "other": _OTHER}.get(how)
        number = "".join(sign for sign in dialled if sign.isdigit())
        number = f"7{number[1:]}" if len(number) == 11 and number.startswith("8") else number
        known = await self._calls.dial(caller, number)
        said = _NOBODY if not known else _CALLED if caller else _HIDDEN
        return _page(own.e164, dialled, said.format(dialled[:32]))


def _page(number: str, dialled: str, said: str = "", status: int = 200) -> Response:
    own = PhoneNumber.read(number)
    shown = spaced(own.e164) if own else number
    page = DIALLER.substitute(number=escape(shown[:64]), to=escape(dialled[:32]), said=escape(said))
    return HTMLResponse(page, status, headers=HEADERS)
