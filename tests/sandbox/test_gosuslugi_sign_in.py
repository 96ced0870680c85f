"""The sign-in pages of the stand-in: login and password, then the code from the SMS."""

from __future__ import annotations

import re

import pytest

from medonline.sandbox.people import PASSWORD
from tests.sandbox.gosuslugi import BY_NAME, IVANOVA, NEW, NO_PHONE, SMIRNOV, Person, at_sign_in, password

CHILD = BY_NAME["Лебедев"]


async def sms_count(visitor: Person, phone: str) -> int:
    events = (await visitor.http.get(f"/phone/{phone}/events")).json()
    return sum(event["kind"] == "sms" for event in events)


async def test_the_sign_in_page_has_its_labels(visitor: Person) -> None:
    await at_sign_in(visitor)
    page = visitor.page.text

    for label in (
        ">ГОСУСЛУГИ</h1>",
        ">Телефон / Email / СНИЛС</label>",
        ">Пароль</label>",
        ">Восстановить</a>",
        ">Войти</button>",
        ">Войти другим способом</h2>",
        ">QR-код</a>",
        ">Эл. подпись</a>",
        ">Не удаётся войти?</a>",
        "Учебный стенд, не вводите настоящий пароль",
    ):
        assert label in page


@pytest.mark.parametrize(
    "login",
    [
        "+79000001011",
        "8 (900) 000-10-11",
        "9000001011",
        "Sokolov@Example.com",
        "00000070101",
        "000-000-701 01",
        " 000 000 701 01 ",
    ],
)
async def test_a_login_may_be_a_phone_an_email_or_a_snils(visitor: Person, login: str) -> None:
    await at_sign_in(visitor)
    await password(visitor, NEW, login)

    assert ">Подтвердите вход</h1>" in visitor.page.text


@pytest.mark.parametrize(
    ("login", "typed"),
    [
        (NEW.phone, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("+79000001099", PASSWORD),
        ("", PASSWORD),
        (NEW.phone, ""),
        ("000-000-713 13", PASSWORD),
    ],
)
async def test_a_wrong_pair_is_refused_and_the_login_kept(visitor: Person, login: str, typed: str) -> None:
    await at_sign_in(visitor)
    await visitor.press("/password", login=login, password=typed)

    assert visitor.page.status_code == 400
    assert 'role="alert"' in visitor.page.text
    assert "<title>Ошибка: " in visitor.page.text
    assert f'value="{login}"' in visitor.page.text
    assert PASSWORD not in visitor.page.text


async def test_what_was_typed_is_escaped(visitor: Person) -> None:
    await at_sign_in(visitor)
    await visitor.press("/password", login='"><script>alert(1)</script>', password="x")

    assert "<script>alert" not in visitor.page.text
    assert "&lt;script&gt;alert(1)" in visitor.page.text


async def test_the_code_page_hides_the_number(visitor: Person) -> None:
    await at_sign_in(visitor)
    await password(visitor, SMIRNOV)

    assert "Код подтверждения отправлен на номер +7 ***_***_**_**" in visitor.page.text
    assert ">Код подтверждения</label>" in visitor.page.text
    assert ">Не приходит смс</a>" in visitor.page.text
    assert "1002" not in visitor.page.text


async def test_the_code_arrives_on_the_demo_phone(visitor: Person) -> None:
    await at_sign_in(visitor)
    await password(visitor, IVANOVA)
    event = (await visitor.http.get(f"/phone/{IVANOVA.phone}/events")).json()[-1]
    page = (await visitor.http.get("/phone", params={"number": IVANOVA.phone})).text

    assert (event["kind"], event["from"]) == ("sms", "gosuslugi")
    code = re.search(r"\d{6}", event["text"])[0]
    assert f"<strong>{code}</strong>" in page.partition(">SMS</h3>")[2]


async def test_a_code_may_be_typed_with_spaces_and_dashes(visitor: Person) -> None:
    await at_sign_in(visitor)
    await password(visitor, CHILD)
    code = await visitor.sms_code(CHILD.phone)
    back = await visitor.press("/code", code=f" {code[:3]}-{code[3:]} ") or await visitor.consent()

    assert back.code


async def test_neither_a_reload_nor_a_second_click_sends_a_second_sms(visitor: Person) -> None:
    await at_sign_in(visitor)
    first_page = visitor.page
    await password(visitor, SMIRNOV)
    sent = await sms_count(visitor, SMIRNOV.phone)
    await visitor.open(visitor.page.url.path)
    visitor.page = first_page
    await password(visitor, SMIRNOV)

    assert await sms_count(visitor, SMIRNOV.phone) == sent
    assert ">Подтвердите вход</h1>" in visitor.page.text


async def test_three_wrong_codes_lead_back_to_the_password(visitor: Person) -> None:
    await at_sign_in(visitor)
    await password(visitor, SMIRNOV)
    right = await visitor.sms_code(SMIRNOV.phone)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    code_page = visitor.page
    for _ in range(2):
        await visitor.press("/code", code=wrong)
        assert "Неверный код" in visitor.page.text
    await visitor.press("/code", code=wrong)
    assert ">ГОСУСЛУГИ</h1>" in visitor.page.text
    assert "Код введён неверно 3 раза" in visitor.page.text

    visitor.page = code_page
    assert await visitor.press("/code", code=right) is None
    assert ">ГОСУСЛУГИ</h1>" in visitor.page.text


async def test_an_empty_code_costs_no_try(visitor: Person) -> None:
    await at_sign_in(visitor)
    await password(visitor, SMIRNOV)
    for _ in range(4):
        await visitor.press("/code", code="нет цифр")

    assert "Введите код из сообщения" in visitor.page.text


async def test_who_has_no_mobile_needs_no_code(visitor: Person) -> None:
    await at_sign_in(visitor)
    back = await password(visitor, NO_PHONE) or await visitor.consent()

    assert back.code
