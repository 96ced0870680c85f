"""A provider that lies, stammers, floods or hangs: no code counts that was not sent, and the other way is there at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import ChannelName
from medonline.domain.errors import CodeMismatch
from medonline.domain.password_recovery import RecoveryStep
from medonline.providers.codes.sms_ru import SmsRu
from medonline.providers.codes.telegram_gateway import TelegramGateway
from medonline.providers.codes.ucaller import UCaller
from medonline.services.codes.delivery import DeliveryState
from medonline.services.ports import CodeChannel
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    OTHER_KNOWN,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    browser,
    dispatch,
    dispatcher_of,
    last_code,
    last_row,
    other_way,
    patient_with,
    settled,
    wrong,
)

CANARY = "canary-93ab"
PROVIDERS = ("ucaller", "sms_ru", "telegram_gateway")
URL = "http://vendor.test"


def answering(answer: Any) -> httpx.MockTransport:
    if isinstance(answer, Exception):

        def fail(_request: httpx.Request) -> httpx.Response:
            raise answer

        return httpx.MockTransport(fail)
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return httpx.MockTransport(lambda _request: httpx.Response(200, content=body))


def channel_of(provider: str, answer: Any) -> CodeChannel:
    transport = answering(answer)
    if provider == "ucaller":
        return UCaller(URL, "key", "1", transport=transport)
    if provider == "sms_ru":
        return SmsRu(URL, "id", transport=transport)
    return TelegramGateway(URL, "token", transport=transport)


def good(provider: str, **changes: Any) -> dict[str, Any]:
    """What the vendor answers when all is well, with one thing changed."""
    if provider == "ucaller":
        return {"status": True, "ucaller_id": 5, "phone": int(KNOWN[1:]), "code": "0427"} | changes
    if provider == "sms_ru":
        return {"status": "OK", "code": 427, "call_id": "9", "cost": 0.4} | changes
    return {"ok": True, "result": {"request_id": "7", "phone_number": KNOWN} | changes}


REFERENCE = {"ucaller": "ucaller_id", "sms_ru": "call_id", "telegram_gateway": "request_id"}
ODD = [
    None,
    True,
    False,
    1.5,
    [],
    [CANARY],
    {},
    {"x": CANARY},
    "",
    " ",
    "\x00",
    "\ud800",
    f"\r\n{CANARY}",
    "я",
    "9" * 60_000,
]
LIES: list[Any] = [
    b"",
    b"null",
    b"0",
    b"NaN",
    b'"' + CANARY.encode() + b'"',
    f"<!doctype html><title>{CANARY}</title>".encode(),
    b"\xff\xfe\x00",
    b"[" * 50_000,
    b'{"status": true, "ok": true',
    b'{"a": ' + b"1" * 70_000 + b"}",
    b'{"status": true, "ucaller_id": ' + b"1" * 5000 + b', "code": "0427"}',
    {"ok": False, "status": False, "error": CANARY, "code": CANARY},
    {"ok": "true", "status": "true", "result": {"request_id": "7"}},
    {"ok": 1, "status": 1, "result": {"request_id": "7"}},
    {"ok": True, "status": [True], "result": [CANARY]},
    {"error": f"{CANARY}\r\nFORGED\x1b[31m", "status_code": {"x": CANARY}, "status_text": [CANARY]},
    httpx.ReadTimeout(CANARY),
    httpx.RemoteProtocolError(CANARY),
]


async def told_of(
    portal: Portal, provider: str, answer: Any, visitor: Client = ANNA, phone: str = KNOWN
) -> tuple[DeliveryState, ChannelName]:
    """Begin by the provider's way, let it answer so; what became of the delivery."""
    way = TELEGRAM if provider == "telegram_gateway" else CALL
    await portal.recovery.begin(visitor, phone, way)
    channel = channel_of(provider, answer)
    await dispatch(dispatcher_of(portal, **{way.value: channel}))
    await channel.close()
    return DeliveryState((await last_row(portal, phone)).delivery), way


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("answer", LIES, ids=lambda answer: repr(answer)[:40])
async def test_an_answer_that_is_none_counts_as_not_sent_and_the_other_way_is_open_at_once(
    portal: Portal, caplog: pytest.LogCaptureFixture, provider: str, answer: Any
) -> None:
    delivery, way = await told_of(portal, provider, answer)
    view = await portal.recovery.current(ANNA)

    assert delivery is DeliveryState.FAILED
    assert view is not None
    assert (view.step, view.fallback_now, view.code_alive) == (RecoveryStep.CODE, True, False)
    other = other_way(way)
    assert (await portal.recovery.resend(ANNA, other)).channel is other
    assert CANARY not in caplog.text
    assert "Work on a code failed" not in caplog.text


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_reference_that_is_none_counts_as_not_sent(
    portal: Portal, caplog: pytest.LogCaptureFixture, provider: str
) -> None:
    for number, odd in enumerate(ODD):
        phone = f"+790000022{number:02d}"
        answer = good(provider, **{REFERENCE[provider]: odd})
        delivery, _ = await told_of(portal, provider, answer, browser(number), phone)

        assert delivery is DeliveryState.FAILED, odd
        assert (await last_row(portal, phone)).provider_ref == ""
    assert "Work on a code failed" not in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("provider", ["ucaller", "sms_ru"])
async def test_a_code_of_another_length_or_kind_is_no_code(
    portal: Portal, caplog: pytest.LogCaptureFixture, provider: str
) -> None:
    for number, code in enumerate([*ODD, "12345", "042", 12345, -1, "04 27", "٠٤٢٧", 0.427, 1e3]):
        answer = good(provider, code=code)
        delivery, _ = await told_of(portal, provider, answer, browser(number), f"+790000022{number:02d}")

        # «042» may have been a number that lost its zero: the code that counts then is «0042».
        assert delivery is (DeliveryState.SENT if code == "042" else DeliveryState.FAILED), code
    assert "Work on a code failed" not in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("provider", ["ucaller", "sms_ru"])
async def test_the_code_a_provider_states_proves_the_phone_that_was_asked_for_whatever_number_it_speaks_of(
    portal: Portal, provider: str
) -> None:
    delivery, _ = await told_of(portal, provider, good(provider, phone=int(OTHER_KNOWN[1:]), code="9081"))
    assert delivery is DeliveryState.SENT
    if (ours := await last_code(portal)) != "9081":
        with pytest.raises(CodeMismatch):
            await portal.recovery.confirm_code(ANNA, ours)
    await portal.recovery.confirm_code(ANNA, "9081")
    other = (await patient_with(portal, OTHER_KNOWN)).password_hash
    await portal.recovery.set_password(ANNA, "KorablLipa47")

    assert await portal.login.log_in(ANNA, KNOWN, "KorablLipa47")
    assert (await patient_with(portal, OTHER_KNOWN)).password_hash == other


async def test_a_message_says_what_was_sent_by_the_portal_and_no_answer_changes_it(portal: Portal) -> None:
    delivery, _ = await told_of(portal, "telegram_gateway", good("telegram_gateway", code="999999"))
    assert delivery is DeliveryState.SENT
    code = await last_code(portal)

    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(ANNA, wrong(code))
    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        {"ok": True, "result": {"delivery_status": CANARY}},
        {"ok": True, "result": {"delivery_status": {"status": [CANARY]}}},
        {"status": True, "call_status": "1"},
        {"status": True, "call_status": 10**30},
        {"ok": False, "status": False, "error": CANARY},
        httpx.ReadTimeout(CANARY),
    ],
    ids=lambda answer: repr(answer)[:40],
)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_report_that_is_none_changes_nothing(
    portal: Portal, clock: MovableClock, caplog: pytest.LogCaptureFixture, provider: str, answer: Any
) -> None:
    _, way = await told_of(portal, provider, good(provider))
    code = "0427" if way is CALL else await last_code(portal)
    clock.move(seconds=30)
    channel = channel_of(provider, answer)
    await dispatch(dispatcher_of(portal, **{way.value: channel}))
    await channel.close()

    assert (await last_row(portal)).delivery == DeliveryState.SENT
    assert (await portal.recovery.confirm_code(ANNA, code)).step is RecoveryStep.NEW_PASSWORD
    assert CANARY not in caplog.text


async def test_a_way_that_hangs_holds_up_neither_the_other_way_nor_the_screens(portal: Portal) -> None:
    hung = ScriptedChannel(hold=asyncio.Event())
    works = ScriptedChannel()
    dispatcher = dispatcher_of(portal, flash_call=hung, telegram=works)
    for number in range(20):
        await portal.recovery.begin(browser(number), f"+790000021{number:02d}", CALL)
    await dispatcher.outbox.turn()
    await hung.arrived.wait()
    await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    await dispatcher.outbox.turn()
    async with asyncio.timeout(120):
        await works.arrived.wait()
    while (await last_row(portal, KNOWN)).delivery != DeliveryState.SENT:
        await asyncio.sleep(0)
    view = await portal.recovery.current(Client(visitor_key=f"{int(hung.asked[0].phone.e164[-2:]):064d}"))

    assert view is not None
    assert view.delivery is DeliveryState.SENDING
    assert (await portal.recovery.confirm_code(ANNA, works.asked[0].code)).step is RecoveryStep.NEW_PASSWORD
    assert hung.hold is not None
    hung.hold.set()
    await settled(dispatcher.outbox)
