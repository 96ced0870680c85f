"""What MAX posts: taken under its secret alone, as often as it comes; asked for again where the bot could not answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from starlette.applications import Starlette

from medonline import bootstrap
from medonline.bootstrap import build_portal
from medonline.domain.errors import ProviderDown
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.ports import ChatUpdate
from medonline.storage import migrations
from medonline.web.edge.body import MAX_CHAT_BODY
from medonline.web.edge.boundary import Boundary
from medonline.web.routes.table import with_routes
from tests.services.world import SECRET_KEY, MovableClock, config_in

PATH = "/callbacks/max"
SECRET = Sealer(SECRET_KEY.encode(), "max webhook").index("secret")
START = json.dumps({"update_type": "bot_started", "timestamp": 1, "chat_id": 9, "user": {"user_id": 5}})


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    portal = build_portal(config_in(tmp_path, code_channels="flash_call,max"), MovableClock())
    await migrations.upgrade(portal.config.database)
    monkeypatch.setattr(bootstrap, "_portal", portal)
    transport = httpx.ASGITransport(Boundary(with_routes(Starlette())))
    async with httpx.AsyncClient(transport=transport, base_url=portal.config.origin) as client:
        yield client
    await portal.close()


async def post(site: httpx.AsyncClient, body: str | bytes = START, secret: str = SECRET) -> int:
    return (await site.post(PATH, content=body, headers={"X-Max-Bot-Api-Secret": secret})).status_code


async def test_an_update_is_taken_under_the_secret_alone(site: httpx.AsyncClient) -> None:
    taken: list[ChatUpdate] = []
    chats = bootstrap.portal().chats
    assert chats is not None

    async def take(_: object, update: ChatUpdate) -> None:
        taken.append(update)

    with patch.object(type(chats), "take", take):
        for secret in ("", "another", SECRET[:-1]):
            assert await post(site, secret=secret) == 403
        assert (await site.post(PATH, content=START)).status_code == 403
        assert taken == []
        assert await post(site) == 200
        assert await post(site) == 200

    assert [one.user_id for one in taken] == [5, 5]


async def test_what_the_bot_could_not_answer_is_asked_for_again(site: httpx.AsyncClient) -> None:
    chats = bootstrap.portal().chats
    assert chats is not None

    async def fail(_: object, update: ChatUpdate) -> None:
        raise ProviderDown("down")

    with patch.object(type(chats), "take", fail):
        assert await post(site) == 503


LONG = {"update_type": "message_created", "timestamp": 1, "message": {"body": {"text": "я" * 4000}}}


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "null",
        "7",
        "[]",
        json.dumps(LONG),
        json.dumps(LONG | {"message": {"link": {"message": LONG["message"]}, "body": {"text": "я" * 4000}}}),
        "{",
        "",
        "[" * 10_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        b"\xff\xfe\x00",
        b'{"update_type": "\xd0"}',
        '{"timestamp": 1e999, "user": NaN}',
        '{"timestamp": ' + "9" * 5000 + "}",
        '{"update_type": "\\ud800"}',
    ],
    ids=range(15),
)
async def test_what_is_of_no_use_is_taken_so_that_it_is_not_posted_for_hours(
    site: httpx.AsyncClient, body: str | bytes
) -> None:
    assert await post(site, body) == 200


async def test_what_is_too_large_for_an_update_is_refused(site: httpx.AsyncClient) -> None:
    assert await post(site, "x" * (MAX_CHAT_BODY + 1)) == 413


@pytest.mark.parametrize("wrong", ["", "no"])
async def test_a_secret_that_comes_after_a_wrong_one_is_refused(site: httpx.AsyncClient, wrong: str) -> None:
    twice = [("x-max-bot-api-secret", wrong), ("x-max-bot-api-secret", SECRET)]

    assert (await site.post(PATH, content="{}", headers=twice)).status_code == 403


async def test_without_the_way_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = build_portal(config_in(tmp_path), MovableClock())
    monkeypatch.setattr(bootstrap, "_portal", portal)
    transport = httpx.ASGITransport(Boundary(with_routes(Starlette())))
    async with httpx.AsyncClient(transport=transport, base_url=portal.config.origin) as client:
        assert await post(client) == 404
    await portal.close()
