"""A sign-in from the client's request to the return address. It is the same for both faces."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi.asked import Asked
from medonline.sandbox.gosuslugi.codes import CODE_LIVES
from medonline.sandbox.gosuslugi.journeys import TRIES, CodeVerdict, Journey, Step
from medonline.sandbox.gosuslugi.logins import signed_in
from medonline.sandbox.gosuslugi.message_pages import gone_page
from medonline.sandbox.gosuslugi.sessions import Session
from medonline.sandbox.gosuslugi.sign_in_pages import code_page, consent_page, sign_in_page
from medonline.sandbox.gosuslugi.stand import BROWSER, SESSION, Stand, form
from medonline.sandbox.people import person_by_oid

_WRONG_PAIR = "Неверный логин или пароль. Проверьте раскладку клавиатуры и Caps Lock и попробуйте ещё раз."
_BACK_TO_PASSWORD = {
    CodeVerdict.USED_UP: f"Код введён неверно {TRIES} раза. Введите логин и пароль, придёт новый код.",
    CodeVerdict.EXPIRED: "Код устарел. Введите логин и пароль, придёт новый код.",
    CodeVerdict.NOT_ASKED: "Введите логин и пароль ещё раз, придёт новый код.",
}
_NO_DIGIT = re.compile(r"\D")

Handler = Callable[[Request], Awaitable[Response]]


class SignIn:
    """The pages for login and password, SMS code and consent. Other ways of signing in end in `admit`."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        return [
            Route("/journey/{id}", self.of_browser(self._show)),
            Route("/journey/{id}/password", self.of_browser(self._password), methods=["POST"]),
            Route("/journey/{id}/code", self.of_browser(self._code), methods=["POST"]),
            Route("/journey/{id}/consent", self.of_browser(self._consent), methods=["POST"]),
        ]

    async def begin(self, request: Request, asked: Asked, *, password_again: bool = False) -> Response:
        """Start a journey. A person who is already signed in continues at once, unless the client wants the password again."""
        browser = request.cookies.get(BROWSER, "") or secrets.token_urlsafe(32)
        journey = await asyncio.to_thread(self._stand.journeys.begin, asked, browser)
        session = None if password_again else await self._stand.session(request)
        if session is not None:
            response = await self._prove(journey, session)
        else:
            response = self._to_page(journey)
        self._stand.keep(response, BROWSER, browser)
        return response

    async def admit(self, journey: Journey, oid: int, amr: str) -> Response:
        """The person has proved their identity: open a session and continue."""
        secret, session = await asyncio.to_thread(self._stand.sessions.open, oid, amr)
        response = await self._prove(journey, session)
        self._stand.keep(response, SESSION, secret)
        return response

    def of_browser(self, handle: Callable[[Request, Journey], Awaitable[Response]]) -> Handler:
        """Wraps a handler, so that it is called only for a living journey of this browser, and never after the journey's end."""

        async def handler(request: Request) -> Response:
            browser = request.cookies.get(BROWSER, "")
            journey = await asyncio.to_thread(self._stand.journeys.find, request.path_params["id"], browser)
            if journey is None:
                return gone_page(self._stand)
            if journey.step is Step.DONE:
                # A second click on the last button ends where the first one did. An old page does not.
                posted = request.method == "POST"
                return RedirectResponse(journey.outcome, 303) if posted else gone_page(self._stand, journey.asked)
            return await handle(request, journey)

        return handler

    async def _show(self, request: Request, journey: Journey) -> Response:
        person = person_by_oid(journey.oid)
        if journey.step is Step.CODE:
            return code_page(self._stand, journey)
        if journey.step is Step.CONSENT and person is not None:
            return consent_page(self._stand, journey, person)
        return sign_in_page(self._stand, journey)

    async def _password(self, request: Request, journey: Journey) -> Response:
        given = await form(request)
        login, password = given.get("login", "")[:100], given.get("password", "")
        if not login.strip() or not password:
            return sign_in_page(self._stand, journey, "Введите логин и пароль.", login)
        person = signed_in(login, password)
        if person is None:
            return sign_in_page(self._stand, journey, _WRONG_PAIR, login)
        if not person.phone:
            return await self.admit(journey, person.oid, "PWD")
        await asyncio.to_thread(self._stand.journeys.ask_code, journey.id, person.oid, person.phone)
        return self._to_page(journey)

    async def _code(self, request: Request, journey: Journey) -> Response:
        if journey.step is Step.CONSENT:
            return self._to_page(journey)
        typed = _NO_DIGIT.sub("", (await form(request)).get("code", ""))
        if journey.step is Step.CODE and not typed:
            return code_page(self._stand, journey, "Введите код из сообщения.")
        verdict = await asyncio.to_thread(self._stand.journeys.try_code, journey.id, typed)
        if verdict is CodeVerdict.RIGHT:
            return await self.admit(journey, journey.oid, "PWD")
        if verdict is CodeVerdict.WRONG:
            return code_page(self._stand, journey, "Неверный код. Проверьте сообщение и введите код ещё раз.")
        return sign_in_page(self._stand, journey, _BACK_TO_PASSWORD[verdict])

    async def _consent(self, request: Request, journey: Journey) -> Response:
        decision = (await form(request)).get("decision")
        if journey.step is not Step.CONSENT or decision not in ("grant", "refuse"):
            return self._to_page(journey)
        if decision == "refuse":
            return await self._finish(journey, journey.asked.denied())
        asked = journey.asked
        await asyncio.to_thread(self._stand.sessions.grant, asked.client_id, journey.oid, asked.data)
        return await self._finish(journey, await self._with_code(journey))

    async def _prove(self, journey: Journey, session: Session) -> Response:
        proved = await asyncio.to_thread(self._stand.journeys.prove, journey.id, session)
        return gone_page(self._stand) if proved is None else await self._go_on(proved)

    async def _go_on(self, journey: Journey) -> Response:
        if journey.step is Step.DONE:
            return RedirectResponse(journey.outcome, 303)
        person, asked = person_by_oid(journey.oid), journey.asked
        if person is None or person.denies:
            return await self._finish(journey, asked.denied())
        if await asyncio.to_thread(self._stand.sessions.has_granted, asked.client_id, journey.oid, asked.data):
            return await self._finish(journey, await self._with_code(journey))
        return self._to_page(journey)

    async def _with_code(self, journey: Journey) -> str:
        asked = journey.asked
        grant = await asyncio.to_thread(
            self._stand.codes.issue, asked, journey.oid, journey.amr, journey.sid, journey.signed_in_at
        )
        claims = {
            "iss": self._stand.settings.issuer,
            "client_id": asked.client_id,
            "scope": asked.scope,
            "redirect_uri": asked.redirect_uri,
            "urn:esia:sid": journey.sid,
            "urn:esia:sbj_id": journey.oid,
            "urn:esia:amd": journey.amr,
        }
        return asked.granted(self._stand.signer.code(grant.id, claims, CODE_LIVES))

    async def _finish(self, journey: Journey, address: str) -> Response:
        outcome = await asyncio.to_thread(self._stand.journeys.finish, journey.id, address)
        return RedirectResponse(outcome, 303)

    def _to_page(self, journey: Journey) -> Response:
        return RedirectResponse(self._stand.path_of(journey), 303)
