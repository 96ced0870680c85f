"""The table of the HTTP routes that are not pages, and the handlers for health and delivery reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import DeliveryFailed
from medonline.providers.codes.telegram_gateway import InvalidReport, read_report
from medonline.services.outages import is_outage
from medonline.services.ports import ForgedReport, ForgedUpdate
from medonline.web.edge.error_pages import error_page, form_not_taken
from medonline.web.routes import gosuslugi, passkeys, passwords
from medonline.web.routes.connection_help import connection_help
from medonline.web.routes.login import choose_region, close_session, extend_session, open_session, session_left
from medonline.web.routes.low_vision import choose_low_vision
from medonline.web.routes.metrics import metrics
from medonline.web.routes.visitors import HomeEndsProofs

log = logging.getLogger(__name__)

# A balancer gives up after some seconds, and must get an answer before that: a frozen PostgreSQL may hold a query for minutes.
READY_WITHIN_S = 2.0
RETRY_AFTER_S = 60
MAX_REPORT_BYTES = 16 * 1024
SECURITY_TXT_LIFE = timedelta(days=180)  # RFC 9116, 2.5.5 recommends less than a year


async def form_without_scripts(request: Request) -> Response:
    """Answer a form that the browser posted without the page's scripts. The portal takes nothing from it, and the page says so."""
    return form_not_taken(request.url.path)


class NothingHere:
    """Stands in for the sandbox in production, which has none. It is an ASGI application, so that the route takes every method."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404."""
        await PlainTextResponse("not found\n", 404)(scope, receive, send)


async def live(_request: Request) -> Response:
    """Say that the process answers."""
    return PlainTextResponse("live\n")


async def ready(_request: Request) -> Response:
    """Whether the process can serve patients: the database answers and takes writes, the journal's key is known, the dispatcher runs,
    and the process was not told to stop."""
    checks = {"database": "ok", "dispatcher": "ok"}
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await portal().database.is_alive()
            if not await portal().database.takes_writes():
                checks["database"] = portal().database.write_fault
            if await portal().journal_keeper.chain.fault():
                checks["journal"] = "its newest row is of a key that this process does not have"
    except Exception as error:
        log.warning("The database does not answer: %s", type(error).__name__)
        checks["database"] = "no answer"
    if not portal().dispatcher.outbox.is_running():
        checks["dispatcher"] = "not running"
    if portal().stopping.is_set():
        checks["process"] = "stopping"
    good = all(state == "ok" for state in checks.values())
    return JSONResponse(checks, 200 if good else 503)


async def security_txt(_request: Request) -> Response:
    """Where to report a weakness (RFC 9116); 404 while the operator has not set a contact."""
    contact = portal().config.security_contact
    if not contact:
        return PlainTextResponse("not found\n", 404)
    expires = portal().clock() + SECURITY_TXT_LIFE
    return PlainTextResponse(
        f"Contact: {contact}\nExpires: {expires:%Y-%m-%dT00:00:00Z}\nPreferred-Languages: ru, en\n"
    )


async def telegram_report(request: Request) -> Response:
    """Take a signed delivery report of Telegram Gateway. A repeated report is answered with 200, too."""
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
    if report.status is not None:
        for vendor in portal().channels.get(ChannelName.TELEGRAM, ()):
            await portal().dispatcher.take_report(vendor.provider, report.provider_ref, report.status)
    return PlainTextResponse("ok\n")


async def max_updates(request: Request) -> Response:
    """Take an update of a chat in MAX, however often it comes. If the portal could not handle it, 503 makes MAX post it again. The portal
    also accepts useless updates, because MAX would repeat them again and again."""
    chats = portal().chats
    if chats is None:
        return PlainTextResponse("not found\n", 404)
    try:
        update = chats.bot.read(request.headers.get("x-max-bot-api-secret", ""), await request.body())
    except ForgedUpdate as error:
        log.warning("An update of a chat was refused: %s", error)
        return PlainTextResponse("refused\n", 403)
    try:
        if update is not None:
            await chats.take(update)
    except DeliveryFailed as error:
        log.warning("The bot could not answer: %s (%s)", type(error).__name__, error.code or "-")
        return PlainTextResponse("later\n", 503)
    return PlainTextResponse("ok\n")


async def sms_ru_report(request: Request) -> Response:
    """Take a signed report of SMS.ru. The body of the answer must be exactly `100`, else SMS.ru repeats the report for days."""
    return await _told_of_call(request, portal().calls.take_signed, "100")


async def ucaller_call(request: Request) -> Response:
    """Take uCaller's report of a call. Only uCaller knows this address."""
    token = request.path_params["token"]
    return await _told_of_call(request, lambda body: portal().calls.take_unsigned(token, body), "ok\n")


async def _told_of_call(request: Request, take: Callable[[bytes], Awaitable[None]], taken: str) -> Response:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REPORT_BYTES:
            return PlainTextResponse("too large\n", 413)
    try:
        await take(bytes(body))
    except ForgedReport as error:
        log.warning("A report of a call was refused: %s", error)
        return PlainTextResponse("refused\n", 403)
    return PlainTextResponse(taken)


def with_routes(pages: ASGIApp, stand_ins: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The whole site: these routes first, then the Reflex pages for everything else. Without `stand_ins` /sandbox answers 404."""
    table: list[BaseRoute] = [
        Route(routes.SESSION_OPEN, open_session, methods=["POST"]),
        Route(routes.SESSION_CLOSE, close_session, methods=["POST"]),
        Route(routes.SESSION_LEFT, session_left),
        Route(routes.SESSION_EXTEND, extend_session, methods=["POST"]),
        Route(routes.REGION_CHOOSE, choose_region, methods=["POST"]),
        Route(routes.LOW_VISION, choose_low_vision, methods=["POST"]),
        Route(routes.GOSUSLUGI_START, gosuslugi.start, methods=["POST"]),
        Route(routes.GOSUSLUGI_ONWARD, gosuslugi.onward),
        Route(routes.GOSUSLUGI_LEAVE, gosuslugi.leave, methods=["POST"]),
        Route(routes.GOSUSLUGI_RETURN, gosuslugi.finish),
        Route(routes.CONNECTION_HELP, connection_help),
        Route(routes.HEALTH_LIVE, live),
        Route(routes.HEALTH_READY, ready),
        Route(routes.METRICS, metrics),
        Route(routes.SECURITY_TXT, security_txt),
        Route(routes.CHANGE_PASSWORD, passwords.change_password),
        Route(f"{routes.WELL_KNOWN}/{{path:path}}", passwords.nothing_well_known),
        Route(routes.PASSKEY_HOST, passkeys.host),
        Route(routes.PASSKEY_LOGIN_BEGIN, passkeys.begin_login, methods=["POST"]),
        Route(routes.PASSKEY_LOGIN, passkeys.log_in, methods=["POST"]),
        Route(routes.PASSKEY_ADD_BEGIN, passkeys.begin_adding, methods=["POST"]),
        Route(routes.PASSKEY_ADD, passkeys.add, methods=["POST"]),
        Route(routes.PASSKEY_OFFER, passkeys.offer, methods=["POST"]),
        Route(routes.PASSWORD_SUGGESTION, passwords.suggestion),
        Route(routes.TELEGRAM_REPORT, telegram_report, methods=["POST"]),
        Route(routes.MAX_UPDATES, max_updates, methods=["POST"]),
        Route(routes.SMS_RU_REPORT, sms_ru_report, methods=["POST"]),
        Route(f"{routes.UCALLER_CALL}/{{token}}", ucaller_call, methods=["POST"]),
        *(Route(page, form_without_scripts, methods=["POST"]) for page in routes.PAGES),
    ]
    # Without stand-ins these paths answer 404, even if a page of the portal had such a path.
    nothing = [Route(path, NothingHere()) for path in (routes.SANDBOX, f"{routes.SANDBOX}/{{path:path}}")]
    table += stand_ins or nothing
    # An unexpected error gets a Russian page. Starlette then raises it again, and the log records it.
    return Starlette(routes=[*table, Mount("/", HomeEndsProofs(pages))], exception_handlers={Exception: failed})


async def failed(_request: Request, error: Exception) -> Response:
    """The answer to an unexpected error: 503 for a database in trouble, which will pass; 500 for anything else, which is a bug."""
    if is_outage(error):
        return error_page(503, {"Retry-After": str(RETRY_AFTER_S)})
    return error_page(500)
