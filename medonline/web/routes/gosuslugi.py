"""The way to Gosuslugi and back (guide G03, G09): where a journey starts, and where it returns."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from medonline import routes
from medonline.bootstrap import portal
from medonline.domain.errors import IdentityRefused, TooManyJourneys
from medonline.domain.login import LoginMethod
from medonline.metrics import names as metrics
from medonline.services.gosuslugi.login import JourneyReturn, Purpose, Waiting
from medonline.services.login.password_login import OpenedSession
from medonline.services.ports import Departure
from medonline.web.clients import client_of
from medonline.web.cookies import new_visitor
from medonline.web.routes.leaving_page import leaving_page, origin_of
from medonline.web.routes.login import landed, small_form
from medonline.web.routes.visitors import left_by, renamed

log = logging.getLogger(__name__)

MAX_CODE = 4096  # characters; ESIA's code is a token of 1-1.4 kB
_WAITING = {Waiting.CONSENT: routes.REGISTER, Waiting.PROOF: routes.LINK_ACCOUNT}


async def start(request: Request) -> Response:
    """POST: leave for Gosuslugi. The form names the purpose. The server keeps where the journey ends. The browser gets a new visitor
    cookie."""
    form = await small_form(request)
    client = client_of(request)
    purpose = form.get("purpose", "")
    if not client.visitor_key:
        return _failed("cookies")
    if purpose not in tuple(Purpose):
        purpose = Purpose.LOGIN
    redirect_uri = f"{origin_of(request)}{routes.GOSUSLUGI_RETURN}"
    name = new_visitor()
    try:
        url = await portal().identity.start(
            client,
            Purpose(purpose),
            redirect_uri,
            consent_version=form.get("consent", "")[:20],
            signed_in=await portal().sessions.time_left(client.session_key) is not None,
            onward_uri=f"{origin_of(request)}{routes.GOSUSLUGI_ONWARD}",
            next_key=name.key,
        )
    except TooManyJourneys:
        return _failed("too_often")  # the page itself finds out until when
    except IdentityRefused as error:
        return _refused(error)
    return renamed(request, leaving_page(Departure(url), "Переходим на Госуслуги"), name)


async def onward(request: Request) -> Response:
    """GET: come back from the sign-out at Gosuslugi and go there again to sign in. Only for a browser on such a journey."""
    try:
        url = await portal().identity.onward(client_of(request))
    except IdentityRefused as error:
        return _refused(error)
    return leaving_page(Departure(url), "Переходим на Госуслуги")


async def finish(request: Request) -> Response:
    """GET: come back from Gosuslugi. The answer redirects at once, so that a reload repeats nothing."""
    query, client = request.query_params, client_of(request)
    code = query.get("code", "")
    back = JourneyReturn(
        state=query.get("state", "")[:64],
        code=code if len(code) <= MAX_CODE else "",
        error=query.get("error", ""),
        error_description=query.get("error_description", ""),
        issuer=query.get("iss"),
    )
    try:
        outcome = await portal().identity.finish(client, back)
    except IdentityRefused as error:
        return _refused(error)
    if isinstance(outcome, OpenedSession):
        await portal().visitors.leave(client.visitor_key)
        return await landed(request, outcome)
    return RedirectResponse(_WAITING[outcome], 303)


async def leave(request: Request) -> Response:
    """POST: end the provider's own session in this browser, so that another person can sign in there."""
    away = await portal().identity.sign_out("", f"{origin_of(request)}{routes.HOME}")
    response = leaving_page(away, "Выходим из Госуслуг") if away else RedirectResponse(routes.HOME, 303)
    return await left_by(request, response)


def _refused(error: IdentityRefused) -> Response:
    metrics.SIGN_INS.add(LoginMethod.GOSUSLUGI, error.problem)
    log.warning("Sign-in through Gosuslugi was refused: %s", error)
    return _failed(error.problem)


def _failed(reason: str) -> Response:
    return RedirectResponse(f"{routes.LOGIN_FAILED}?reason={reason}", 303)
