"""Signing in at the stand-in with a certificate, or with a QR code confirmed on a phone."""

from __future__ import annotations

import base64
import json
import re

import pytest
import segno

from tests.sandbox.gosuslugi import IVANOVA, NEW, SMIRNOV, UNCONFIRMED, Person, at_sign_in, te


async def test_a_certificate_signs_in_without_a_password(visitor: Person) -> None:
    await at_sign_in(visitor)
    await visitor.open(re.search(r'href="([^"]+/certificate)"', visitor.page.text)[1])
    assert "Соколов Дмитрий Андреевич" in visitor.page.text
    assert "Новикова" not in visitor.page.text
    back = await visitor.press("/certificate", oid=str(SMIRNOV.oid)) or await visitor.consent()
    answer = await visitor.http.post("/gosuslugi/aas/oauth2/v3/te", data=te(back.code))

    assert _amr(answer.json()["id_token"]) == "DS"


def _amr(token: str) -> str:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["amr"]


@pytest.mark.parametrize("oid", ["", "0", str(UNCONFIRMED.oid)])
async def test_only_an_offered_certificate_signs_in(visitor: Person, oid: str) -> None:
    await at_sign_in(visitor)
    await visitor.open(re.search(r'href="([^"]+/certificate)"', visitor.page.text)[1])
    await visitor.press("/certificate", oid=oid)

    assert "Выберите сертификат" in visitor.page.text


async def qr_shown(visitor: Person) -> str:
    await at_sign_in(visitor)
    await visitor.open(re.search(r'href="([^"]+/qr)"', visitor.page.text)[1])
    return re.search(r'src="[^"]+/qr/([^"]+)\.svg"', visitor.page.text)[1]


async def test_a_phone_lets_a_browser_in_by_qr(visitor: Person, gosuslugi_url: str) -> None:
    qr = await qr_shown(visitor)
    state = re.search(r'data-qr-state="([^"]+)"', visitor.page.text)[1]
    image = await visitor.http.get(f"/gosuslugi/qr/{qr}.svg")
    assert image.headers["Content-Type"] == "image/svg+xml"
    assert (await visitor.http.get(state)).json() == {"approved": False, "alive": True}
    await visitor.press("/qr")
    assert "Вход ещё не подтверждён на телефоне" in visitor.page.text

    async with Person(gosuslugi_url) as phone:
        await phone.open("/phone", number=SMIRNOV.phone)
        link = re.search(rf'href="(gosuslugi/qr/{qr}[^"]+)">Подтвердить вход по QR-коду', phone.page.text)[1]
        await phone.open(f"/{link}")
        assert re.search(rf'value="{SMIRNOV.oid}" checked', phone.page.text)
        await phone.press(qr, oid=str(SMIRNOV.oid))
        assert "Вход подтверждён" in phone.page.text
        await phone.open("/phone", number=SMIRNOV.phone)
        assert qr not in phone.page.text

    assert (await visitor.http.get(state)).json() == {"approved": True, "alive": True}
    back = await visitor.press("/qr") or await visitor.consent()
    answer = await visitor.http.post("/gosuslugi/aas/oauth2/v3/te", data=te(back.code))
    assert _amr(answer.json()["id_token"]) == "PWD"


async def test_a_qr_code_is_approved_by_one_person_only(visitor: Person) -> None:
    qr = await qr_shown(visitor)
    await visitor.open(f"/gosuslugi/qr/{qr}")
    page = visitor.page
    await visitor.press(qr, oid="12")
    assert "Выберите, кто входит" in visitor.page.text
    await visitor.press(qr, oid=str(NEW.oid))
    visitor.page = page
    await visitor.press(qr, oid=str(IVANOVA.oid))

    assert visitor.page.status_code == 410


async def test_the_picture_says_where_to_approve(visitor: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    make = segno.make_qr
    monkeypatch.setattr("segno.make_qr", lambda text, **how: drawn.append(text) or make(text, **how))
    qr = await qr_shown(visitor)
    await visitor.http.get(f"/gosuslugi/qr/{qr}.svg")

    assert drawn == [f"{visitor.url}/gosuslugi/qr/{qr}"]
