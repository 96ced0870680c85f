"""The stand-ins speak the vendors' protocols: credentials, parameters, magic numbers, idempotency."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from medonline.sandbox import magic
from tests.patience import PATIENCE
from tests.sandbox.server import API_ID, KEY, PACE, SERVICE_ID, TOKEN

UCALLER = {"Authorization": f"Bearer {KEY}.{SERVICE_ID}"}
GOOD = {"phone_number": "+79261234501", "code": "1234", "ttl": 60}


async def telegram(http: httpx.AsyncClient, method: str, token: str = TOKEN, **given: Any) -> dict[str, Any]:
    answer = await http.post(f"/telegram/{method}", json=given, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return answer.json()


async def delivery_of(http: httpx.AsyncClient, request_id: str) -> str:
    answer = await telegram(http, "checkVerificationStatus", request_id=request_id)
    return str(answer["result"]["delivery_status"]["status"])


async def call(http: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    return (await http.post("/ucaller/v1.0/initCall", json=given, headers=UCALLER)).json()


async def events(http: httpx.AsyncClient, phone: str) -> list[dict[str, str]]:
    return (await http.get(f"/phone/{phone}/events")).json()


@pytest.mark.parametrize("token", ["x", "wrong", TOKEN + "x", "токен".encode().decode("latin-1")])
async def test_telegram_wants_its_token(http: httpx.AsyncClient, token: str) -> None:
    headers = [(b"Authorization", b"Bearer " + token.encode("latin-1"))]
    answer = await http.post("/telegram/sendVerificationMessage", json=GOOD, headers=headers)

    assert answer.json() == {"ok": False, "error": "ACCESS_TOKEN_INVALID"}


@pytest.mark.parametrize("credentials", [f"{KEY}.1", f"wrong.{SERVICE_ID}", KEY, "."])
async def test_ucaller_wants_its_key_and_service(http: httpx.AsyncClient, credentials: str) -> None:
    headers = {"Authorization": f"Bearer {credentials}"}
    for method in ("initCall", "getInfo"):
        answer = (await http.post(f"/ucaller/v1.0/{method}", json={"phone": 79261234501}, headers=headers)).json()
        assert (answer["status"], answer["code"]) == (False, 401)


async def test_sms_ru_answers_a_stranger_with_a_bare_number(http: httpx.AsyncClient) -> None:
    answer = await http.post("/sms_ru/code/call", data={"api_id": "wrong", "phone": "79261234501"})

    assert (answer.headers["Content-Type"].split(";")[0], answer.text) == ("text/plain", "301")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone_number": "79261234501"}, "PHONE_NUMBER_INVALID"),
        ({"phone_number": "+7926"}, "PHONE_NUMBER_INVALID"),
        ({"phone_number": 79261234501}, "PHONE_NUMBER_INVALID"),
        ({"code": "123"}, "CODE_INVALID"),
        ({"code": "123456789"}, "CODE_INVALID"),
        ({"code": "12a4"}, "CODE_INVALID"),
        ({"ttl": 29}, "TTL_INVALID"),
        ({"ttl": 3601}, "TTL_INVALID"),
        ({"ttl": "soon"}, "TTL_INVALID"),
        ({"payload": "ы" * 65}, "PAYLOAD_INVALID"),
        ({"callback_url": "https://p.test/" + "x" * 250}, "CALLBACK_URL_INVALID"),
        ({"callback_url": "ftp://p.test/"}, "CALLBACK_URL_INVALID"),
        ({"request_id": "1"}, "REQUEST_ID_INVALID"),
    ],
)
async def test_telegram_refuses_a_bad_parameter(http: httpx.AsyncClient, changes: dict[str, Any], error: str) -> None:
    answer = await telegram(http, "sendVerificationMessage", **(GOOD | changes))

    assert answer == {"ok": False, "error": error}


async def test_telegram_takes_values_at_its_bounds(http: httpx.AsyncClient) -> None:
    for changes in ({"ttl": 30}, {"ttl": 3600, "code": "12345678"}, {"payload": "x" * 128}):
        assert (await telegram(http, "sendVerificationMessage", **(GOOD | changes)))["ok"] is True


async def test_an_unreadable_body_is_a_vendor_error(http: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = await http.post("/telegram/sendVerificationMessage", content=b"{", headers=headers)

    assert answer.json() == {"ok": False, "error": "PHONE_NUMBER_INVALID"}


async def test_checking_ability_is_charged_and_makes_the_message_free(http: httpx.AsyncClient) -> None:
    ability = (await telegram(http, "checkSendAbility", phone_number=GOOD["phone_number"]))["result"]
    sent = (await telegram(http, "sendVerificationMessage", **GOOD, request_id=ability["request_id"]))["result"]
    again = await telegram(http, "sendVerificationMessage", **GOOD, request_id=ability["request_id"])

    assert (ability["request_cost"], sent["request_cost"]) == (0.01, 0.0)
    assert sent["request_id"] == ability["request_id"]
    assert sent["remaining_balance"] == ability["remaining_balance"]
    assert again["error"] == "REQUEST_ID_INVALID"


async def test_telegram_judges_the_code_that_was_typed(http: httpx.AsyncClient) -> None:
    request_id = (await telegram(http, "sendVerificationMessage", **GOOD))["result"]["request_id"]

    verdicts = []
    for code in ("9999", "1234", "1", "2", "3", "1234"):
        answer = await telegram(http, "checkVerificationStatus", request_id=request_id, code=code)
        verdicts.append(answer["result"]["verification_status"]["status"])

    assert verdicts == ["code_invalid", "code_valid", *["code_invalid"] * 3, "code_max_attempts_exceeded"]


async def test_a_message_is_revoked_only_before_it_is_delivered(http: httpx.AsyncClient) -> None:
    unreachable = GOOD | {"phone_number": "+79260000006"}
    early = (await telegram(http, "sendVerificationMessage", **unreachable))["result"]["request_id"]
    late = (await telegram(http, "sendVerificationMessage", **GOOD))["result"]["request_id"]
    async with asyncio.timeout(PATIENCE):
        while await delivery_of(http, late) == "sent":
            await asyncio.sleep(PACE / 10)

    for request_id, status in ((early, "revoked"), (late, "delivered")):
        assert (await telegram(http, "revokeVerificationMessage", request_id=request_id))["result"] is True
        assert await delivery_of(http, request_id) in (status, "read")
    assert (await telegram(http, "revokeVerificationMessage", request_id="0"))["error"] == "REQUEST_ID_INVALID"


async def test_the_same_unique_key_makes_one_call(http: httpx.AsyncClient) -> None:
    given = {"phone": 79261234502, "code": "1234", "unique": "once"}
    answers = await asyncio.gather(*(call(http, **given) for _ in range(8)))

    assert len({answer["ucaller_id"] for answer in answers}) == 1
    assert sum("exists" in answer for answer in answers) == 7
    assert len(await events(http, "+79261234502")) == 1


async def test_calls_without_a_key_are_calls_of_their_own(http: httpx.AsyncClient) -> None:
    for _ in range(2):
        await call(http, phone=79261234503, code="1234")

    assert len(await events(http, "+79261234503")) == 2


async def test_ucaller_chooses_a_code_when_none_is_given(http: httpx.AsyncClient) -> None:
    answer = await call(http, phone="79261234504")

    assert re.fullmatch("[0-9]{4}", answer["code"])
    assert (await events(http, "+79261234504"))[0]["from"].endswith(answer["code"])


async def test_ucaller_takes_its_parameters_from_a_query(http: httpx.AsyncClient) -> None:
    query = {"key": KEY, "service_id": SERVICE_ID, "phone": "79261234505", "code": "0042"}
    placed = (await http.get("/ucaller/v1.0/initCall", params=query)).json()
    info = (await http.get("/ucaller/v1.0/getInfo", params=query | {"uid": placed["ucaller_id"]})).json()

    assert placed["code"] == "0042"
    assert info["call_status"] in (-1, 1)


@pytest.mark.parametrize("changes", [{"phone": 7926}, {"phone": None}, {"code": "12"}, {"unique": "x" * 65}])
async def test_ucaller_refuses_a_bad_parameter(http: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    assert (await call(http, **({"phone": 79261234506, "code": "1234"} | changes)))["status"] is False


@pytest.mark.parametrize("uid", ["", "x", 10**18, -1, None])
async def test_an_unknown_call_has_no_info(http: httpx.AsyncClient, uid: object) -> None:
    answer = await http.post("/ucaller/v1.0/getInfo", json={"uid": uid}, headers=UCALLER)

    assert answer.json()["status"] is False


async def test_ucallers_own_test_numbers_do_as_it_says(http: httpx.AsyncClient) -> None:
    assert (await call(http, phone=79000000001, code="1234"))["status"] is True
    assert (await call(http, phone=79000000002, code="1234"))["status"] is False


async def test_a_call_that_does_not_get_through_leaves_no_trace(http: httpx.AsyncClient) -> None:
    uid = (await call(http, phone=79260000006, code="1234"))["ucaller_id"]

    async def status() -> int:
        info = await http.post("/ucaller/v1.0/getInfo", json={"uid": uid}, headers=UCALLER)
        return int(info.json()["call_status"])

    async with asyncio.timeout(PATIENCE):
        while await status() == -1:  # it rings
            await asyncio.sleep(PACE / 10)

    assert await status() == 0
    assert await events(http, "+79260000006") == []


async def test_another_code_rings_on_the_phone_than_was_asked_for(http: httpx.AsyncClient) -> None:
    answer = await call(http, phone=79260000007, code="1234")

    assert answer["code"] == "5555"
    assert (await events(http, "+79260000007"))[-1]["from"] == "+74951205555"


async def test_sms_ru_loses_the_leading_zero_of_a_number(http: httpx.AsyncClient) -> None:
    given = {"api_id": API_ID, "phone": "79260000008", "ip": "127.0.0.1"}
    answer = (await http.get("/sms_ru/code/call", params=given)).json()

    assert 100 <= answer["code"] <= 999
    assert (await events(http, "+79260000008"))[-1]["from"] == f"+74951200{answer['code']}"


@pytest.mark.parametrize("changes", [{"phone": "7926"}, {"phone": "74951234567"}, {"ip": "nowhere"}])
async def test_sms_ru_refuses_a_bad_parameter(http: httpx.AsyncClient, changes: dict[str, str]) -> None:
    given = {"api_id": API_ID, "phone": "79261234507", "ip": "-1"} | changes

    assert (await http.post("/sms_ru/code/call", data=given)).json()["status"] == "ERROR"


def test_demo_numbers_are_never_magic() -> None:
    reserved = {str(suffix) for suffix in range(1001, 1100)}
    behaviours = (magic.TELEGRAM_ERRORS, magic.UCALLER_ERRORS, magic.SMS_RU_ERRORS)

    assert not reserved & {suffix for errors in behaviours for suffix in errors}
    for suffix in reserved:
        phone = f"+7900000{suffix}"
        assert magic.broken_answer(phone) is None
        assert magic.reachable(phone)
        assert magic.code_placed(phone, "1234") == magic.answered_code(phone, "1234") == "1234"


def test_the_magic_numbers_of_the_page_are_those_of_the_code() -> None:
    documented = set(re.findall(r"^(\d{4}) ", magic.__doc__, re.MULTILINE))

    assert documented == {f"{number:04}" for number in range(1, 22)}
    for errors in (magic.TELEGRAM_ERRORS, magic.UCALLER_ERRORS, magic.SMS_RU_ERRORS):
        assert set(errors) <= documented
