"""Pages around the sign-in, and what browsers are told about all of them."""

from __future__ import annotations

import re

import httpx
import pytest

from medonline.sandbox.people import PASSWORD
from tests.sandbox.gosuslugi import BY_NAME, NEW, SMIRNOV, Person, at_sign_in, password

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
async def test_help_is_a_page_too_and_knows_the_way_back(visitor: Person, path: str) -> None:
    await at_sign_in(visitor)
    journey = visitor.page.url.path
    await visitor.open(path, journey=journey.rpartition("/")[2])

    assert all(fact in visitor.page.text for fact in HELP[path])
    assert f'href="{journey}">Вернуться ко входу' in visitor.page.text


async def test_help_stands_in_dialogs_of_the_pages(visitor: Person) -> None:
    await at_sign_in(visitor)
    assert all(fact in visitor.page.text for fact in HELP["/gosuslugi/help/sign-in"])
    assert 'data-dialog="help-sign-in"' in visitor.page.text
    assert '<dialog id="help-sign-in"' in visitor.page.text
    await password(visitor, SMIRNOV)

    assert all(fact in visitor.page.text for fact in HELP["/gosuslugi/help/sms"])
    assert '<dialog id="help-sms"' in visitor.page.text


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


async def test_links_of_all_pages_lead_somewhere(visitor: Person) -> None:
    await at_sign_in(visitor)
    journey = visitor.page.url.path
    found: set[str] = set()
    for path in (
        journey,
        f"{journey}/qr",
        f"{journey}/certificate",
        *(f"/gosuslugi{page}/" for page in ("", "/people")),
    ):
        await visitor.open(path.rstrip("/") or "/", journey=journey.rpartition("/")[2])
        found |= set(re.findall(r'(?:href|src)="([^"]+)"', visitor.page.text))
    answers = {link: (await visitor.http.get(link, follow_redirects=True)).status_code for link in found}

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
