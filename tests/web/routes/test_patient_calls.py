"""What vendors post of calls that patients make: taken under a right hash or at a right address alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from medonline import bootstrap
from medonline.bootstrap import build_portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.patient_call import call_token
from medonline.services.codes.delivery import DeliveryState
from medonline.services.ports import SentCode
from medonline.storage import migrations
from medonline.web.edge.boundary import Boundary
from medonline.web.routes.table import MAX_REPORT_BYTES, with_routes
from tests.services.world import (
    ANNA,
    KNOWN,
    MovableClock,
    ScriptedChannel,
    config_in,
    dispatch,
    dispatcher_of,
    last_row,
)

API_ID = "an-api-id"
CALLS = ChannelName.INBOUND_CALL


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    ways = {"code_channels": "flash_call,inbound_call", "inbound_call_provider": "sms_ru, ucaller"}
    portal = build_portal(config_in(tmp_path, **ways, sms_ru_api_id=API_ID), MovableClock())
    await migrations.upgrade(portal.config.database)
    monkeypatch.setattr(bootstrap, "_portal", portal)
    transport = httpx.ASGITransport(Boundary(with_routes(Starlette())))
    async with httpx.AsyncClient(transport=transport, base_url=portal.config.origin) as client:
        yield client
    await portal.close()


def report(api_id: str = API_ID, data: str = "callcheck_status\n201737-542\n401\n1700000000") -> str:
    return urlencode({"data[0]": data, "hash": hashlib.sha256((api_id + data).encode()).hexdigest()})


async def post(site: httpx.AsyncClient, path: str, body: str) -> tuple[int, str]:
    answer = await site.post(path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    return answer.status_code, answer.text


async def test_sms_ru_is_answered_with_100_and_nothing_else(site: httpx.AsyncClient) -> None:
    assert await post(site, "/callbacks/sms-ru", report()) == (200, "100")
    assert await post(site, "/callbacks/sms-ru", report(data="sms_status\n1-1\n103\n1700000000")) == (200, "100")


@pytest.mark.parametrize("body", ["", "{}", report("another"), report().replace("542", "543"), "hash=0"])
async def test_without_the_right_hash_it_is_refused(site: httpx.AsyncClient, body: str) -> None:
    assert (await post(site, "/callbacks/sms-ru", body))[0] == 403


async def test_a_body_over_the_limit_is_not_read(site: httpx.AsyncClient) -> None:
    for path in ("/callbacks/sms-ru", "/callbacks/ucaller/token"):
        assert (await post(site, path, "x" * (MAX_REPORT_BYTES + 1)))[0] == 413


async def test_a_call_is_told_at_its_own_address_alone(site: httpx.AsyncClient) -> None:
    portal = bootstrap.portal()
    await portal.recovery.begin(ANNA, KNOWN, CALLS)
    row = await last_row(portal)

    class Vendor(ScriptedChannel):
        async def send_code(self, _: object) -> SentCode:
            return SentCode("waiting-7", "", call_number="+74951200199")

    vendor = Vendor(provider="ucaller")
    await dispatch(dispatcher_of(portal, inbound_call=vendor))
    body = json.dumps({"callId": "7", "clientNumber": KNOWN[1:]})
    for token in ("", "/secret", f"/{row.id}-{'0' * 64}", f"/{call_token(b'another', row.id)}"):
        assert (await post(site, f"/callbacks/ucaller{token}", body))[0] in (403, 404)
    assert (await last_row(portal)).delivery == DeliveryState.SENT
    right = f"/callbacks/ucaller/{call_token(portal.config.key, row.id)}"
    assert (await post(site, right, json.dumps({"callId": "7", "clientNumber": "79000009999"})))[0] == 200
    assert (await post(site, right, "{"))[0] == 403
    assert (await last_row(portal)).delivery == DeliveryState.SENT

    assert (await post(site, right, body))[0] == 200
    assert (await last_row(portal)).delivery == DeliveryState.DELIVERED
    assert (await post(site, right, body))[0] == 200  # twice


async def test_without_the_way_there_is_nothing_to_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = build_portal(config_in(tmp_path, sms_ru_api_id=API_ID), MovableClock())
    monkeypatch.setattr(bootstrap, "_portal", portal)
    transport = httpx.ASGITransport(Boundary(with_routes(Starlette())))
    async with httpx.AsyncClient(transport=transport, base_url=portal.config.origin) as client:
        assert (await post(client, "/callbacks/sms-ru", report()))[0] == 403
        assert (await post(client, "/callbacks/ucaller/token", "{}"))[0] == 403
    await portal.close()
