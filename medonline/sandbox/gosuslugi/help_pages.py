"""Pages around the sign-in: help, the test people, and the switch of faults."""

from __future__ import annotations

import asyncio
import json
from html import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from medonline.sandbox.gosuslugi.faults import LABELS, Fault
from medonline.sandbox.gosuslugi.help_texts import SIGN_IN_TITLE, SMS_TITLE, sign_in_help, sms_help
from medonline.sandbox.gosuslugi.layout import heading, page, problem, way_back, with_journey
from medonline.sandbox.gosuslugi.logins import ACCOUNTS
from medonline.sandbox.gosuslugi.sign_in_pages import full_name
from medonline.sandbox.gosuslugi.stand import Stand, form
from medonline.sandbox.people import PASSWORD, DemoPerson

_SUPPORT = """<p>У учебного стенда нет службы поддержки: здесь она показана для полноты. Настоящая помогает восстановить
вход и отвечает на вопросы о сообщениях.</p>"""
_CENTRES = """<p>На учебном стенде центров обслуживания нет. В настоящем центре личность подтверждают по документу и
СНИЛС, там же меняют номер телефона и восстанавливают вход.</p>"""


class HelpPages:
    """Small pages that need no sign-in. A page that was opened from a sign-in knows the way back to it."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    def routes(self) -> list[Route]:
        """Routes relative to the stand-in."""
        return [
            Route("/", self._people),
            Route("/people", self._people),
            Route("/restore", self._restore),
            Route("/help/sign-in", self._sign_in_help),
            Route("/help/sms", self._sms_help),
            Route("/support", self._support),
            Route("/service-centres", self._centres),
            Route("/faults", self._show_faults, methods=["GET"]),
            Route("/faults", self._switch_fault, methods=["POST"]),
            Route("/faults.json", self._fault_json, methods=["GET"]),
            Route("/faults.json", self._switch_json, methods=["PUT", "POST"]),
        ]

    async def _people(self, request: Request) -> Response:
        rows = "\n".join(_row(person) for person in ACCOUNTS)
        return self._page(
            request,
            "Тестовые люди",
            f"""<p>Все они выдуманы. Пароль у всех один: <strong class="password">{PASSWORD}</strong></p>
<ul class="people">
{rows}
</ul>
<p class="alone"><a href="{self._stand.root}/faults">Сбои стенда</a></p>""",
        )

    async def _restore(self, request: Request) -> Response:
        people = with_journey(f"{self._stand.root}/people", request.query_params.get("journey", ""))
        return self._page(
            request,
            "Восстановление пароля",
            f"""<p>На учебном стенде пароль забыть нельзя: он один для всех тестовых людей и записан рядом с ними.</p>
<p class="alone"><a class="button" href="{people}">Тестовые люди и учебный пароль</a></p>""",
        )

    async def _sign_in_help(self, request: Request) -> Response:
        journey = request.query_params.get("journey", "")
        return self._page(request, SIGN_IN_TITLE, sign_in_help(self._stand, journey))

    async def _sms_help(self, request: Request) -> Response:
        return self._page(request, SMS_TITLE, sms_help(self._stand, request.query_params.get("journey", "")))

    async def _support(self, request: Request) -> Response:
        return self._page(request, "Служба поддержки", _SUPPORT)

    async def _centres(self, request: Request) -> Response:
        return self._page(request, "Центры обслуживания", _CENTRES)

    async def _show_faults(self, request: Request) -> Response:
        return self._faults_page(await self._stand.fault())

    async def _switch_fault(self, request: Request) -> Response:
        fault = _fault((await form(request)).get("fault"))
        if fault is None:
            return self._faults_page(await self._stand.fault(), "Выберите сбой из списка.")
        await asyncio.to_thread(self._stand.faults.switch, fault)
        return RedirectResponse(f"{self._stand.root}/faults", 303)

    async def _fault_json(self, request: Request) -> Response:
        return JSONResponse({"fault": await self._stand.fault()}, headers={"Cache-Control": "no-store"})

    async def _switch_json(self, request: Request) -> Response:
        try:
            sent = json.loads(await request.body())
        except (ValueError, RecursionError):
            sent = None
        fault = _fault(sent.get("fault") if isinstance(sent, dict) else None)
        if fault is None:
            return JSONResponse({"error": "fault must be one of: " + ", ".join(Fault)}, status_code=400)
        await asyncio.to_thread(self._stand.faults.switch, fault)
        return JSONResponse({"fault": fault})

    def _faults_page(self, current: Fault, wrong: str = "") -> Response:
        options = "\n".join(
            f'<label class="option"><input type="radio" name="fault" value="{fault}"'
            f"{' checked' if fault is current else ''}> {escape(label)}</label>"
            for fault, label in LABELS.items()
        )
        body = f"""{heading("Сбои стенда")}
<p>Сейчас: <strong>{escape(LABELS[current])}</strong>. Сбой действует для всех, пока его не выключат.</p>
{problem(wrong)}
<form method="post" action="{self._stand.root}/faults">
<fieldset>
<legend>Что должно сломаться</legend>
{options}
</fieldset>
<button type="submit">Сохранить</button>
</form>
<p class="alone"><a href="{self._stand.root}/people">Тестовые люди</a></p>"""
        return page(self._stand, "Сбои стенда", body, 400 if wrong else 200)

    def _page(self, request: Request, title: str, body: str) -> Response:
        back = way_back(self._stand, request.query_params.get("journey", ""))
        return page(self._stand, title, f"{heading(title)}\n{body}\n{back}")


def _fault(value: object) -> Fault | None:
    return Fault(value) if isinstance(value, str) and value in set(Fault) else None


def _row(person: DemoPerson) -> str:
    digits = person.snils
    snils = f"{digits[:3]}-{digits[3:6]}-{digits[6:9]} {digits[9:]}"
    logins = ", ".join(escape(login) for login in (person.phone, person.email, f"СНИЛС {snils}") if login)
    return f"<li><strong>{escape(full_name(person))}</strong><br>Логин: {logins}<br>{escape(person.story)}</li>"
