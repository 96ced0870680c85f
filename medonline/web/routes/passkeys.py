"""The routes for the page's passkey script, with JSON both ways. The boundary checks the Origin of each change. A challenge belongs to
one browser and one purpose. The portal trusts nothing in an answer but what the device signed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from medonline.bootstrap import portal
from medonline.domain.errors import (
    MedonlineError,
    NotSignedIn,
    PasskeyAlreadyAdded,
    PasskeyUnknown,
    ReauthenticationNeeded,
)
from medonline.domain.passkeys import PasskeyPurpose
from medonline.web.clients import client_of
from medonline.web.cookies import cookie_value, region_code_in
from medonline.wording.errors import sentence
from medonline.wording.regions import ONLY_REGION, Help

# Adding is left out, because it has routes of its own: one answer must not serve both a sign-in and adding.
_TO_SIGN_IN = {purpose.value: purpose for purpose in PasskeyPurpose if purpose is not PasskeyPurpose.ADD}
MAX_NAME = 200

Asked = dict[str, Any]


async def host(_request: Request) -> Response:
    """The host that passkeys are made for; empty where there are none. Under another name of the portal a page shows no passkeys."""
    return JSONResponse({"host": portal().config.passkey_host})


async def begin_login(request: Request) -> Response:
    """The options of a sign-in, which the browser gives to its devices."""

    async def act(asked: Asked) -> Asked:
        return await portal().passkeys.login.begin(client_of(request), _purpose(asked))

    return await _answered(request, act)


async def log_in(request: Request) -> Response:
    """Check the device's answer. Returns a ticket, which the page posts to the route that sets the cookie."""

    async def act(asked: Asked) -> Asked:
        client, answer = client_of(request), _object(asked, "answer")
        return {"ticket": await portal().passkeys.login.log_in(client, _purpose(asked), answer)}

    return await _answered(request, act)


async def begin_adding(request: Request) -> Response:
    """The options of a new key, which the browser gives to its devices."""

    async def act(_asked: Asked) -> Asked:
        return await portal().passkeys.own.begin(client_of(request))

    return await _answered(request, act)


async def add(request: Request) -> Response:
    """Keep the key that the device made. Returns its name."""

    async def act(asked: Asked) -> Asked:
        name = asked.get("name")
        typed = name[:MAX_NAME] if isinstance(name, str) else ""
        return {"name": await portal().passkeys.own.add(client_of(request), _object(asked, "answer"), typed)}

    return await _answered(request, act)


async def offer(request: Request) -> Response:
    """Whether to offer a passkey to this session. With `answered` the patient has answered, and the offer is not made again."""

    async def act(asked: Asked) -> Asked:
        own, key = portal().passkeys.own, client_of(request).session_key
        if asked.get("answered") is True:
            await own.answer_offer(key)
            return {"offer": False}
        return {"offer": await own.is_offered(key)}

    return await _answered(request, act)


async def _answered(request: Request, act: Callable[[Asked], Awaitable[Asked]]) -> Response:
    try:
        return JSONResponse(await act(await _asked(request)))
    except MedonlineError as error:
        # A refusal has status 200, because browsers report each 4xx in the console as an error of the page.
        return JSONResponse(_refused(request, error))


async def _asked(request: Request) -> Asked:
    """The JSON object in the body; empty for anything else."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _object(asked: Asked, name: str) -> Asked:
    value = asked.get(name)
    return value if isinstance(value, dict) else {}


def _purpose(asked: Asked) -> PasskeyPurpose:
    return _TO_SIGN_IN.get(str(asked.get("purpose")), PasskeyPurpose.SIGN_IN)


def _refused(request: Request, error: MedonlineError) -> Asked:
    config = portal().config
    region = config.region(region_code_in(cookie_value(request.scope))) or ONLY_REGION
    said = sentence(error, config.zone, Help(region.desk, portal().outside.identity is not None))
    refused: Asked = {"refused": said, "why": "refused"}
    if isinstance(error, NotSignedIn):
        refused["why"] = "signed_out"
    elif isinstance(error, ReauthenticationNeeded):
        refused["why"] = "prove"
    elif isinstance(error, PasskeyAlreadyAdded):
        refused["why"] = "added"
    elif isinstance(error, PasskeyUnknown):
        # The script tells the device to forget the key, so that it is not offered again (level 3, 5.1.10).
        refused["unknown"] = {"rpId": config.passkey_host, "credentialId": error.credential_id}
    return refused
