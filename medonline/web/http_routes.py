"""HTTP routes beside the pages: session cookie, health, delivery reports, the sandbox in demo mode."""

from __future__ import annotations

import logging
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from medonline import routes
from medonline.bootstrap import DEMO_ACCOUNTS, portal
from medonline.config import Config
from medonline.domain.one_time_code import ChannelName
from medonline.providers.telegram_gateway import InvalidReport, read_report
from medonline.sandbox.app import close_sandbox, create_sandbox
from medonline.sandbox.settings import SandboxSettings
from medonline.web.cookies import SESSION, cookie_value, session_key_in, set_cookie, visitor_key_in

log = logging.getLogger(__name__)

MAX_REPORT_BYTES = 16 * 1024
MAX_TICKET = 64
MAX_FORM_BYTES = 1024


async def open_session(request: Request) -> Response:
    """Trade the one-time ticket of the sign-in form for the session cookie; lands on «Мои карты»."""
    if int(request.headers.get("content-length") or MAX_FORM_BYTES + 1) > MAX_FORM_BYTES:
        return RedirectResponse(f"{routes.HOME}?login=again", 303)
    form = await request.form(max_files=0, max_fields=4)
    ticket = str(form.get("ticket", ""))[:MAX_TICKET]
    visitor_key = visitor_key_in(cookie_value(request.scope))
    token = await portal().login.open_session(visitor_key, ticket) if visitor_key else None
    if token is None:
        return RedirectResponse(f"{routes.HOME}?login=again", 303)
    previous = session_key_in(cookie_value(request.scope))
    if previous:
        await portal().login.close_session(previous)
    response = RedirectResponse(routes.CARDS, 303)
    response.headers.append("Set-Cookie", set_cookie(SESSION, token, https=portal().config.https))
    return response


async def close_session(request: Request) -> Response:
    """Sign out: ends the session on the server and takes the cookie away."""
    session_key = session_key_in(cookie_value(request.scope))
    if session_key:
        await portal().login.close_session(session_key)
    response = RedirectResponse(routes.HOME, 303)
    response.headers.append("Set-Cookie", set_cookie(SESSION, "", https=portal().config.https, max_age=0))
    return response


async def form_without_scripts(request: Request) -> Response:
    """A form sent before the page's scripts arrived: nothing is taken from it, the same page comes again."""
    return RedirectResponse(request.url.path, 303)


async def live(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("live\n")


async def ready(_request: Request) -> Response:
    """The process can serve patients: the database answers and the dispatcher turns."""
    checks = {"database": "ok", "dispatcher": "ok"}
    try:
        await portal().database.is_alive()
    except Exception as error:
        log.warning("The database does not answer: %s", type(error).__name__)
        checks["database"] = "no answer"
    if not portal().dispatcher.is_running():
        checks["dispatcher"] = "not running"
    good = all(state == "ok" for state in checks.values())
    return JSONResponse(checks, 200 if good else 503)


async def telegram_report(request: Request) -> Response:
    """A signed delivery report of Telegram Gateway; answered with 200 even when repeated."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REPORT_BYTES:
            return PlainTextResponse("too large\n", 413)
    try:
        report = read_report(
            bytes(body),
            request.headers.get("x-request-timestamp", ""),
            request.headers.get("x-request-signature", ""),
            token=portal().config.telegram_token.get_secret_value(),
            now=portal().clock(),
        )
    except InvalidReport as error:
        log.warning("A delivery report was refused: %s", error)
        return PlainTextResponse("refused\n", 403)
    channel = portal().channels.get(ChannelName.TELEGRAM)
    if report.status is not None and channel is not None:
        await portal().dispatcher.take_report(channel.provider, report.provider_ref, report.status)
    return PlainTextResponse("ok\n")


def sandbox_settings(config: Config) -> SandboxSettings:
    """Stand-ins that accept exactly the credentials the portal uses in demo mode."""
    return SandboxSettings(
        telegram_token=config.telegram_token.get_secret_value(),
        ucaller_key=config.ucaller_key.get_secret_value(),
        ucaller_service_id=config.ucaller_service_id,
        sms_ru_api_id=config.sms_ru_api_id.get_secret_value(),
        store=config.data_dir / "sandbox.sqlite3",
        demo_numbers=tuple(account.phone for account in DEMO_ACCOUNTS),
    )


def with_routes(pages: ASGIApp) -> ASGIApp:
    """The whole site: these routes first, the Reflex pages for everything else."""
    config = portal().config
    table: list[Route | Mount] = [
        Route(routes.SESSION_OPEN, open_session, methods=["POST"]),
        Route(routes.SESSION_CLOSE, close_session, methods=["POST"]),
        Route(routes.HEALTH_LIVE, live),
        Route(routes.HEALTH_READY, ready),
        Route(routes.TELEGRAM_REPORT, telegram_report, methods=["POST"]),
        *(Route(page, form_without_scripts, methods=["POST"]) for page in routes.PAGES),
    ]
    if config.demo:
        sandbox = create_sandbox(sandbox_settings(config))
        portal().at_close.append(partial(close_sandbox, sandbox))
        table.append(Route(routes.SANDBOX, lambda _: RedirectResponse(f"{routes.SANDBOX}/", 307)))
        table.append(Mount(routes.SANDBOX, sandbox))
    return Starlette(routes=[*table, Mount("/", pages)])
