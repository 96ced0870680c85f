"""The sign-in pages of the stand-in: login, SMS code, consent, other ways, help, and what browsers are told."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
import segno
from starlette.applications import Starlette
from starlette.routing import Mount

from medonline.sandbox.gosuslugi.stand_in import GosuslugiStandIn
from medonline.sandbox.people import PASSWORD, DemoPerson
from medonline.sandbox.store import Store
from tests.sandbox.gosuslugi import (
    BY_NAME,
    NEW,
    NO_PHONE,
    UNCONFIRMED,
    Person,
    ac,
    running_gosuslugi,
    settings_at,
    te,
    timestamp,
)

AC = "/gosuslugi/aas/oauth2/v2/ac"
SMIRNOV, IVANOVA, VOLKOV = BY_NAME["Смирнов"], BY_NAME["Иванова"], BY_NAME["Волков"]
CHILD = BY_NAME["Лебедев"]


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def browser(gosuslugi_url: str) -> AsyncIterator[Person]:
    async with Person(gosuslugi_url) as person:
        yield person


async def at_sign_in(browser: Person, **asked: str) -> dict[str, str]:
    request = ac(**asked)
    assert await browser.open(AC, **request) is None
    return request


async def password(browser: Person, person: DemoPerson, login: str = "", typed: str = PASSWORD) -> object:
    return await browser.press("/password", login=login or person.phone or person.email, password=typed)


async def sms_count(browser: Person, phone: str) -> int:
    events = (await browser.http.get(f"/phone/{phone}/events")).json()
    return sum(event["kind"] == "sms" for event in events)


async def test_the_sign_in_page_has_its_labels(browser: Person) -> None:
    await at_sign_in(browser)
    page = browser.page.text

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
async def test_a_login_may_be_a_phone_an_email_or_a_snils(browser: Person, login: str) -> None:
    await at_sign_in(browser)
    await password(browser, NEW, login)

    assert ">Подтвердите вход</h1>" in browser.page.text


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
async def test_a_wrong_pair_is_refused_and_the_login_kept(browser: Person, login: str, typed: str) -> None:
    await at_sign_in(browser)
    await browser.press("/password", login=login, password=typed)

    assert browser.page.status_code == 400
    assert 'role="alert"' in browser.page.text
    assert "<title>Ошибка: " in browser.page.text
    assert f'value="{login}"' in browser.page.text
    assert PASSWORD not in browser.page.text


async def test_what_was_typed_is_escaped(browser: Person) -> None:
    await at_sign_in(browser)
    await browser.press("/password", login='"><script>alert(1)</script>', password="x")

    assert "<script>alert" not in browser.page.text
    assert "&lt;script&gt;alert(1)" in browser.page.text


async def test_the_code_page_hides_the_number(browser: Person) -> None:
    await at_sign_in(browser)
    await password(browser, SMIRNOV)

    assert "Код подтверждения отправлен на номер +7 ***_***_**_**" in browser.page.text
    assert ">Код подтверждения</label>" in browser.page.text
    assert ">Не приходит смс</a>" in browser.page.text
    assert "1002" not in browser.page.text


async def test_the_code_arrives_on_the_demo_phone(browser: Person) -> None:
    await at_sign_in(browser)
    await password(browser, IVANOVA)
    event = (await browser.http.get(f"/phone/{IVANOVA.phone}/events")).json()[-1]
    page = (await browser.http.get("/phone", params={"number": IVANOVA.phone})).text

    assert (event["kind"], event["from"]) == ("sms", "gosuslugi")
    code = re.search(r"\d{6}", event["text"])[0]
    assert f"<strong>{code}</strong>" in page.partition(">SMS</h3>")[2]


async def test_a_code_may_be_typed_with_spaces_and_dashes(browser: Person) -> None:
    await at_sign_in(browser)
    await password(browser, CHILD)
    code = await browser.sms_code(CHILD.phone)
    back = await browser.press("/code", code=f" {code[:3]}-{code[3:]} ") or await browser.consent()

    assert back.code


async def test_neither_a_reload_nor_a_second_click_sends_a_second_sms(browser: Person) -> None:
    await at_sign_in(browser)
    first_page = browser.page
    await password(browser, SMIRNOV)
    sent = await sms_count(browser, SMIRNOV.phone)
    await browser.open(browser.page.url.path)
    browser.page = first_page
    await password(browser, SMIRNOV)

    assert await sms_count(browser, SMIRNOV.phone) == sent
    assert ">Подтвердите вход</h1>" in browser.page.text


async def test_three_wrong_codes_lead_back_to_the_password(browser: Person) -> None:
    await at_sign_in(browser)
    await password(browser, SMIRNOV)
    right = await browser.sms_code(SMIRNOV.phone)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    code_page = browser.page
    for _ in range(2):
        await browser.press("/code", code=wrong)
        assert "Неверный код" in browser.page.text
    await browser.press("/code", code=wrong)
    assert ">ГОСУСЛУГИ</h1>" in browser.page.text
    assert "Код введён неверно 3 раза" in browser.page.text

    browser.page = code_page
    assert await browser.press("/code", code=right) is None
    assert ">ГОСУСЛУГИ</h1>" in browser.page.text


async def test_an_empty_code_costs_no_try(browser: Person) -> None:
    await at_sign_in(browser)
    await password(browser, SMIRNOV)
    for _ in range(4):
        await browser.press("/code", code="нет цифр")

    assert "Введите код из сообщения" in browser.page.text


async def test_who_has_no_mobile_needs_no_code(browser: Person) -> None:
    await at_sign_in(browser)
    back = await password(browser, NO_PHONE) or await browser.consent()

    assert back.code


async def test_a_second_journey_goes_through_at_once(browser: Person) -> None:
    await at_sign_in(browser)
    await browser.sign_in(NEW)
    back = await browser.open(AC, **ac())

    assert back.code


async def test_the_consent_lists_what_is_asked_and_is_asked_once() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            await at_sign_in(browser, scope="openid fullname snils")
            await password(browser, NO_PHONE)
            page = browser.page.text
            assert ">Предоставить</button>" in page
            assert ">Отказаться</button>" in page
            assert re.findall("<li>(.+)</li>", page) == ["Фамилия, имя, отчество", "СНИЛС"]
            assert "Фёдоров Пётр Ильич" in page
            await browser.consent()

            assert (await browser.open(AC, **ac(scope="openid fullname"))).code
            assert await browser.open(AC, **ac(scope="openid fullname birthdate")) is None
            assert ">Предоставить</button>" in browser.page.text


async def test_a_refusal_goes_back_as_such() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            asked = await at_sign_in(browser)
            await password(browser, NO_PHONE)
            consent = browser.page
            back = await browser.consent("refuse")
            assert back.query["error"] == "access_denied"
            assert back.query["error_description"].startswith("ESIA-007004: ")
            assert back.query["state"] == asked["state"]

            browser.page = consent
            assert (await browser.consent("grant")).address == back.address


async def test_the_last_button_pressed_twice_ends_where_it_did() -> None:
    with running_gosuslugi() as url:
        async with Person(url) as browser:
            await at_sign_in(browser)
            await password(browser, NO_PHONE)
            path, consent = browser.page.url.path, browser.page
            back = await browser.consent()
            browser.page = consent
            assert (await browser.consent()).address == back.address

            assert await browser.open(path) is None
            assert browser.page.status_code == 410


async def test_a_journey_belongs_to_its_browser(browser: Person, gosuslugi_url: str) -> None:
    await at_sign_in(browser)
    async with Person(gosuslugi_url) as stranger:
        stranger.page = browser.page
        assert await password(stranger, NO_PHONE) is None
        assert stranger.page.status_code == 410

        await at_sign_in(stranger)
        stranger.page = browser.page
        assert await password(stranger, NO_PHONE) is None
        assert stranger.page.status_code == 410


async def test_two_tabs_walk_side_by_side(browser: Person) -> None:
    first = await at_sign_in(browser)
    first_page = browser.page
    second = await at_sign_in(browser)
    back = await browser.sign_in(VOLKOV)
    browser.page = first_page
    other = await browser.sign_in(VOLKOV)

    assert (back.query["state"], other.query["state"]) == (second["state"], first["state"])


async def test_cookies_stay_within_the_stand_in(browser: Person) -> None:
    answer = await browser.http.get(AC, params=ac())

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/gosuslugi" in cookie
    assert "SameSite=lax" in cookie


async def test_a_certificate_signs_in_without_a_password(browser: Person) -> None:
    await at_sign_in(browser)
    await browser.open(re.search(r'href="([^"]+/certificate)"', browser.page.text)[1])
    assert "Соколов Дмитрий Андреевич" in browser.page.text
    assert "Новикова" not in browser.page.text
    back = await browser.press("/certificate", oid=str(SMIRNOV.oid)) or await browser.consent()
    answer = await browser.http.post("/gosuslugi/aas/oauth2/v3/te", data=te(back.code))

    assert _amr(answer.json()["id_token"]) == "DS"


def _amr(token: str) -> str:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["amr"]


@pytest.mark.parametrize("oid", ["", "0", str(UNCONFIRMED.oid)])
async def test_only_an_offered_certificate_signs_in(browser: Person, oid: str) -> None:
    await at_sign_in(browser)
    await browser.open(re.search(r'href="([^"]+/certificate)"', browser.page.text)[1])
    await browser.press("/certificate", oid=oid)

    assert "Выберите сертификат" in browser.page.text


async def qr_shown(browser: Person) -> str:
    await at_sign_in(browser)
    await browser.open(re.search(r'href="([^"]+/qr)"', browser.page.text)[1])
    return re.search(r'src="[^"]+/qr/([^"]+)\.svg"', browser.page.text)[1]


async def test_a_phone_lets_a_browser_in_by_qr(browser: Person, gosuslugi_url: str) -> None:
    qr = await qr_shown(browser)
    state = re.search(r'data-qr-state="([^"]+)"', browser.page.text)[1]
    image = await browser.http.get(f"/gosuslugi/qr/{qr}.svg")
    assert image.headers["Content-Type"] == "image/svg+xml"
    assert (await browser.http.get(state)).json() == {"approved": False, "alive": True}
    await browser.press("/qr")
    assert "Вход ещё не подтверждён на телефоне" in browser.page.text

    async with Person(gosuslugi_url) as phone:
        await phone.open("/phone", number=SMIRNOV.phone)
        link = re.search(rf'href="(gosuslugi/qr/{qr}[^"]+)">Подтвердить вход по QR-коду', phone.page.text)[1]
        await phone.open(f"/{link}")
        assert re.search(rf'value="{SMIRNOV.oid}" checked', phone.page.text)
        await phone.press(qr, oid=str(SMIRNOV.oid))
        assert "Вход подтверждён" in phone.page.text
        await phone.open("/phone", number=SMIRNOV.phone)
        assert qr not in phone.page.text

    assert (await browser.http.get(state)).json() == {"approved": True, "alive": True}
    back = await browser.press("/qr") or await browser.consent()
    answer = await browser.http.post("/gosuslugi/aas/oauth2/v3/te", data=te(back.code))
    assert _amr(answer.json()["id_token"]) == "PWD"


async def test_a_qr_code_is_approved_by_one_person_only(browser: Person) -> None:
    qr = await qr_shown(browser)
    await browser.open(f"/gosuslugi/qr/{qr}")
    page = browser.page
    await browser.press(qr, oid="12")
    assert "Выберите, кто входит" in browser.page.text
    await browser.press(qr, oid=str(NEW.oid))
    browser.page = page
    await browser.press(qr, oid=str(IVANOVA.oid))

    assert browser.page.status_code == 410


async def test_the_picture_says_where_to_approve(browser: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    make = segno.make_qr
    monkeypatch.setattr("segno.make_qr", lambda text, **how: drawn.append(text) or make(text, **how))
    qr = await qr_shown(browser)
    await browser.http.get(f"/gosuslugi/qr/{qr}.svg")

    assert drawn == [f"{browser.url}/gosuslugi/qr/{qr}"]


HELP = {
    "/gosuslugi/help/sign-in": [
        "без дефисов и пробелов",
        "Caps Lock",
        "язык",
        "восстановлением пароля",
        "в службу поддержки",
        "центр обслуживания",
        "СНИЛС",
        "личность",
    ],
    "/gosuslugi/help/sms": [
        "через банк",
        "Обновите страницу",
        "Настройки связи",
        "24 часа",
        "режим полёта",
        "баланс",
        "не блокирует ли он",
        "в службу поддержки",
    ],
}


@pytest.mark.parametrize("path", HELP)
async def test_help_is_a_page_too_and_knows_the_way_back(browser: Person, path: str) -> None:
    await at_sign_in(browser)
    journey = browser.page.url.path
    await browser.open(path, journey=journey.rpartition("/")[2])

    assert all(fact in browser.page.text for fact in HELP[path])
    assert f'href="{journey}">Вернуться ко входу' in browser.page.text


async def test_help_stands_in_dialogs_of_the_pages(browser: Person) -> None:
    await at_sign_in(browser)
    assert all(fact in browser.page.text for fact in HELP["/gosuslugi/help/sign-in"])
    assert 'data-dialog="help-sign-in"' in browser.page.text
    assert '<dialog id="help-sign-in"' in browser.page.text
    await password(browser, SMIRNOV)

    assert all(fact in browser.page.text for fact in HELP["/gosuslugi/help/sms"])
    assert '<dialog id="help-sms"' in browser.page.text


PAGES = ["", "/people", "/restore", "/help/sign-in", "/help/sms", "/support", "/service-centres", "/faults", "/qr/none"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_holds_under_a_strict_policy(gosuslugi: httpx.AsyncClient, path: str) -> None:
    answer = await gosuslugi.get(f"/gosuslugi{path or '/'}")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action" not in policy
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<style|\s(style|on\w+)=", answer.text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", answer.text))
    assert "Учебный стенд, не вводите настоящий пароль" in answer.text


async def test_links_of_all_pages_lead_somewhere(browser: Person) -> None:
    await at_sign_in(browser)
    journey = browser.page.url.path
    found: set[str] = set()
    for path in (
        journey,
        f"{journey}/qr",
        f"{journey}/certificate",
        *(f"/gosuslugi{page}/" for page in ("", "/people")),
    ):
        await browser.open(path.rstrip("/") or "/", journey=journey.rpartition("/")[2])
        found |= set(re.findall(r'(?:href|src)="([^"]+)"', browser.page.text))
    answers = {link: (await browser.http.get(link, follow_redirects=True)).status_code for link in found}

    assert len(answers) > 10
    assert set(answers.values()) == {200}, answers


async def test_the_people_page_shows_logins_password_and_stories(gosuslugi: httpx.AsyncClient) -> None:
    page = (await gosuslugi.get("/gosuslugi/people")).text

    assert PASSWORD in page
    for person in BY_NAME.values():
        assert person.story in page
        assert (person.phone or person.email) in page
    assert "Кузнецова" not in page


async def test_the_index_names_gosuslugi(gosuslugi: httpx.AsyncClient) -> None:
    assert 'href="gosuslugi/people"' in (await gosuslugi.get("/")).text


async def test_without_settings_there_is_no_gosuslugi(http: httpx.AsyncClient) -> None:
    assert (await http.get("/gosuslugi/people")).status_code == 404
    assert "gosuslugi/people" not in (await http.get("/")).text
    assert "QR-коду" not in (await http.get("/phone", params={"number": NEW.phone})).text


class Stand:
    """The stand-in with a clock of its own, without a socket: time is what these tests are about."""

    def __init__(self) -> None:
        self.clock = Clock()
        chosen = settings_at("http://stand.test")
        self.store = Store(None)
        self.routes = GosuslugiStandIn(chosen, self.store, self.clock)
        self.app = Starlette(routes=[Mount("/gosuslugi", routes=self.routes.routes())])

    def browser(self) -> Person:
        person = Person("http://stand.test")
        person.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=person.url)
        return person

    def request(self) -> dict[str, str]:
        return ac(timestamp=timestamp(datetime.fromtimestamp(self.clock.now, UTC)))

    def code_of(self, phone: str) -> str:
        return re.search(r"\d{6}", self.store.events(phone)[-1].text)[0]


async def test_a_code_dies_after_five_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NEW)
        stand.clock.now += 300
        await browser.press("/code", code=stand.code_of(NEW.phone))

        assert "Код устарел" in browser.page.text
        await password(browser, NEW)
        assert len(stand.store.events(NEW.phone)) == 2


async def test_a_session_dies_after_thirty_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NO_PHONE)
        await browser.consent()
        stand.clock.now += 1799
        assert (await browser.open(AC, **stand.request())).code
        stand.clock.now += 1

        assert await browser.open(AC, **stand.request()) is None


async def test_an_authorisation_code_dies_after_240_seconds() -> None:
    stand = Stand()
    codes = stand.routes.stand.codes
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await password(browser, NO_PHONE)
        code_id = stand.routes.stand.signer.read((await browser.consent()).code)["jti"]
    stand.clock.now += 239
    assert codes.look(code_id, "esia") is not None
    assert codes.look(code_id, "oidc") is None
    stand.clock.now += 1

    assert codes.look(code_id, "esia") is None
    assert codes.use(code_id, "esia") is False


async def test_a_qr_code_dies_after_two_minutes_and_a_new_one_comes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        await browser.open(re.search(r'href="([^"]+/qr)"', browser.page.text)[1])
        old = re.search(r"/qr/([^.\"]+)\.svg", browser.page.text)[1]
        state = re.search(r'data-qr-state="([^"]+)"', browser.page.text)[1]
        page = browser.page
        stand.clock.now += 120
        assert (await browser.http.get(state)).json() == {"approved": False, "alive": False}
        assert stand.routes.pending_qr() == []
        await browser.open(f"/gosuslugi/qr/{old}")
        assert browser.page.status_code == 410
        browser.page = page
        await browser.press("/qr")

        assert re.search(r"/qr/([^.\"]+)\.svg", browser.page.text)[1] != old


async def test_a_journey_dies_after_thirty_minutes() -> None:
    stand = Stand()
    async with stand.browser() as browser:
        await browser.open(AC, **stand.request())
        stand.clock.now += 1800
        await password(browser, NO_PHONE)

        assert browser.page.status_code == 410


async def test_signed_times_may_differ_by_five_minutes() -> None:
    stand = Stand()
    request = stand.request()
    async with stand.browser() as browser:
        stand.clock.now += 300
        assert await browser.open(AC, **request) is None
        stand.clock.now -= 600
        assert await browser.open(AC, **request) is None
        stand.clock.now -= 1

        assert (await browser.open(AC, **request)).query["error_description"].startswith("ESIA-007015")
