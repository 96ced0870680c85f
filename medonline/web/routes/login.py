"""Routes that set and delete the session cookie, and that tell how long a session lives."""

from __future__ import annotations

from math import ceil

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.login import Landing, LoginMethod
from medonline.domain.security_journal import JournalEvent
from medonline.services.login.account_sessions import TimeLeft
from medonline.services.login.password_login import OpenedSession
from medonline.web.clients import client_of
from medonline.web.cookies import (
    LEFT,
    LEFT_MAX_AGE_S,
    REGION,
    REGION_MAX_AGE_S,
    SESSION,
    browser_cookie,
    cookie_value,
    marks_in,
    session_key_in,
    set_cookie,
)
from medonline.web.routes.leaving_page import leaving_page, origin_of
from medonline.web.routes.visitors import SIGNED_OUT, left_by, of_another

MAX_TICKET = 64
MAX_FORM_BYTES = 1024
AGAIN = f"{routes.HOME}?login=again"
_LANDINGS = {
    Landing.CARDS: routes.CARDS,
    Landing.SETTINGS: routes.SETTINGS,
    Landing.NEW_PASSWORD: f"{routes.SETTINGS}?focus=password",
}


async def small_form(request: Request) -> dict[str, str]:
    """The text fields of a form of at most 1 KB. Empty for a longer form."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MAX_FORM_BYTES:
        return {}
    form = await request.form(max_files=0, max_fields=8)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def open_session(request: Request) -> Response:
    """Trade the one-time ticket of a sign-in for the session cookie, and redirect to where the sign-in was going."""
    ticket = (await small_form(request)).get("ticket", "")[:MAX_TICKET]
    client = client_of(request)
    opened = await portal().login.open_session(client, ticket) if client.visitor_key else None
    if opened is None:
        return RedirectResponse(AGAIN, 303)
    return await landed(request, opened)


async def landed(request: Request, opened: OpenedSession) -> Response:
    """The redirect into the account with the cookie of a new session. The browser's earlier session ends."""
    previous = session_key_in(cookie_value(request.scope))
    if previous:
        await portal().login.close_session(previous, JournalEvent.SESSION_REPLACED)
    response = RedirectResponse(_LANDINGS[opened.landing], 303)
    response.headers.append("Set-Cookie", set_cookie(SESSION, opened.token, https=portal().config.https))
    if opened.marks:
        response.headers.append("Set-Cookie", browser_cookie(opened.marks))
    return of_another(request, response)


async def close_session(request: Request) -> Response:
    """Sign out: end the session on the server, delete the cookie, and lead on to Gosuslugi's own sign-out where one is due."""
    session_key = session_key_in(cookie_value(request.scope))
    ended = await portal().login.close_session(session_key) if session_key else None
    onward = None
    if ended is not None and ended.row.method == LoginMethod.GOSUSLUGI:
        back = f"{origin_of(request)}{routes.HOME}"
        onward = await portal().identity.sign_out(ended.provider_token_sealed, back)
    response = (
        leaving_page(onward, "Выходим из Госуслуг")
        if onward
        else RedirectResponse(routes.HOME if ended is None else SIGNED_OUT, 303)
    )
    response.headers.append("Set-Cookie", set_cookie(SESSION, "", https=portal().config.https, max_age=0))
    if onward:  # Gosuslugi knows the return address letter for letter, so that address cannot say more than «/»
        response.headers.append(
            "Set-Cookie", set_cookie(LEFT, "1", https=portal().config.https, max_age=LEFT_MAX_AGE_S)
        )
    if ended is not None:
        marks = await portal().login.marks_after(ended, marks_in(cookie_value(request.scope)))
        response.headers.append("Set-Cookie", browser_cookie(marks))
    # This deletes what pages keep in the browser (the last typed phone, a draft). «storage» does not include cookies.
    response.headers["Clear-Site-Data"] = '"storage"'
    return await left_by(request, response)


async def session_left(request: Request) -> Response:
    """How many seconds the session has left. Asking does not prolong it."""
    session_key = session_key_in(cookie_value(request.scope))
    return _as_json(await portal().sessions.time_left(session_key) if session_key else None)


async def extend_session(request: Request) -> Response:
    """«Остаться»: the session counts as used now."""
    session_key = session_key_in(cookie_value(request.scope))
    return _as_json(await portal().sessions.extend(session_key) if session_key else None)


def _as_json(left: TimeLeft | None) -> Response:
    if left is None:
        return JSONResponse({"idle": 0, "absolute": 0})
    # Rounded up: 0 means that the session is over. The page leaves at 0, so it must not see 0 while the session lives.
    return JSONResponse({"idle": ceil(left.idle.total_seconds()), "absolute": ceil(left.absolute.total_seconds())})


async def choose_region(request: Request) -> Response:
    """Remember the chosen region, unless it is unknown."""
    code = (await small_form(request)).get("region", "")
    region = portal().config.region(code)
    if region is None:
        return RedirectResponse(routes.REGION, 303)
    response = RedirectResponse(routes.HOME, 303)
    cookie = set_cookie(REGION, region.code, https=portal().config.https, max_age=REGION_MAX_AGE_S)
    response.headers.append("Set-Cookie", cookie)
    return response
