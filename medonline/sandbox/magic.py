"""Magic numbers: the last four digits of any Russian mobile number choose what goes wrong with it.

Suffix  Telegram Gateway              uCaller                     SMS.ru
0001    PHONE_NUMBER_NOT_FOUND        works                       works
0002    BALANCE_NOT_ENOUGH            error 1002                  error 201
0003    HTTP 500 with an html page    the same                    the same
0004    answers after 10 s            the same                    the same
0005    FLOOD_WAIT_60                 error 18                    error 230
0006    sent, never delivered         call_status 0               accepted, no call
0007    works                         picks another code          works
0008    works                         code is a number            code is a number below 1000
0009    PHONE_NUMBER_INVALID          error 3                     error 202
0010    PHONE_NUMBER_NOT_AVAILABLE    error 9                     error 207
0011    MESSAGE_ALREADY_SENT          error 19                    error 231
0012    works                         error 1001                  error 209
0013    works                         error 429                   error 220
0014    HTTP 302 to another page      the same                    the same
0015    200 KB of JSON                the same                    the same
0016    works                         error 6                     ERROR without a number
0017    works                         works                       201 in plain text
0018    works                         works                       SMS: no route, 150
0019    works                         works                       SMS: expires, 104
0020    PHONE_NUMBER_NOT_FOUND        error 9                     works
0021    works                         works                       SMS: stop list, 209

Every other suffix works everywhere; 1001-1099 will never become magic, they are for demo patients. uCaller's
own test numbers 79000000001 (success) and 79000000002 (an error) follow from the table.
"""

from __future__ import annotations

import asyncio

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from medonline.domain.phone import PhoneNumber

TELEGRAM_ERRORS = {
    "0001": "PHONE_NUMBER_NOT_FOUND",
    "0002": "BALANCE_NOT_ENOUGH",
    "0005": "FLOOD_WAIT_60",
    "0009": "PHONE_NUMBER_INVALID",
    "0010": "PHONE_NUMBER_NOT_AVAILABLE",
    "0011": "MESSAGE_ALREADY_SENT",
    "0020": "PHONE_NUMBER_NOT_FOUND",
}
UCALLER_ERRORS = {
    "0002": (1002, "Недостаточно средств на балансе"),
    "0005": (18, "Достигнут лимит звонков на один номер"),
    "0009": (3, "Неверный номер телефона"),
    "0010": (9, "Страна закрыта в настройках сервиса"),
    "0011": (19, "Подождите 15 секунд перед новым звонком на этот номер"),
    "0012": (1001, "Заблокировано"),
    "0013": (429, "Слишком много запросов"),
    "0016": (6, "Непредвиденная ошибка"),
    "0020": (9, "Страна закрыта в настройках сервиса"),
}
SMS_RU_ERRORS: dict[str, tuple[int | None, str]] = {
    "0002": (201, "Не хватает средств на лицевом счету"),
    "0005": (230, "Превышен лимит звонков на этот номер в день"),
    "0009": (202, "Неправильно указан номер телефона получателя"),
    "0010": (207, "На этот номер нельзя звонить"),
    "0011": (231, "Превышен лимит звонков на этот номер в минуту"),
    "0012": (209, "Номер добавлен в стоп-лист"),
    "0013": (220, "Сервис временно недоступен"),
    "0016": (None, "Неизвестная ошибка"),
}
# Answers by which SMS Aero refuses. All other magic numbers of SMS.ru work there.
SMS_AERO_ERRORS: dict[str, dict[str, object]] = {
    "0002": {"result": "no credits"},
    "0005": {"result": "reject", "reason": "limit of messages to this recipient"},
    "0009": {"success": False, "data": None, "message": "Validation error: number"},
    "0010": {"result": "reject", "reason": "number is not supported"},
    "0012": {"result": "reject", "reason": "recipient is in the blacklist"},
    "0016": {"success": False, "data": None, "message": "Unknown error"},
}
SMS_NO_ROUTE, SMS_EXPIRES, SMS_STOP_LIST = "0018", "0019", "0021"
_HTML_ERROR, _SLOW, _UNREACHABLE, _OTHER_CODE, _CODE_AS_NUMBER = "0003", "0004", "0006", "0007", "0008"
_REDIRECT, _OVERSIZED, _BARE_NUMBER = "0014", "0015", "0017"


def russian_mobile(text: str) -> str | None:
    """The E.164 form of eleven digits, with or without a plus; None unless it is a Russian mobile."""
    digits = text.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        return None
    phone = PhoneNumber.read(f"+{digits}")
    return phone.e164 if phone and phone.digits == digits else None


def broken_answer(e164: str) -> Response | None:
    """The answer of a provider in trouble, or None for a healthy number."""
    suffix = e164[-4:]
    if suffix == _HTML_ERROR:
        return HTMLResponse("<html><body><h1>500 Internal Server Error</h1></body></html>", status_code=500)
    if suffix == _REDIRECT:
        return RedirectResponse("/maintenance", status_code=302)
    if suffix == _OVERSIZED:
        return JSONResponse({"padding": "0" * 200_000})
    return None


async def slow_down(e164: str, seconds: float) -> None:
    """Keep a slow number waiting. The work is done before that, as when an answer is lost on the way."""
    if e164.endswith(_SLOW):
        await asyncio.sleep(seconds)


def forgets_json(e164: str) -> bool:
    """Whether SMS.ru answers with a bare number although the client asked for JSON."""
    return e164.endswith(_BARE_NUMBER)


def reachable(e164: str) -> bool:
    """Whether messages and calls to the number arrive."""
    return not e164.endswith(_UNREACHABLE)


def code_placed(e164: str, wanted: str) -> str:
    """The code that uCaller calls with: the requested one or another one."""
    return f"{(int(wanted) + 4321) % 10_000:04}" if e164.endswith(_OTHER_CODE) else wanted


def answered_code(e164: str, code: str) -> str | int:
    """The code in the form of the answer: a string, or a number that has lost its leading zeros."""
    return int(code) if e164.endswith(_CODE_AS_NUMBER) else code


def loses_zero(e164: str) -> bool:
    """Whether SMS.ru must choose a code with a leading zero."""
    return e164.endswith(_CODE_AS_NUMBER)
