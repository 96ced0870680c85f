"""The ways of getting a code in the patient's words: the choice on step 1, the chat with the bot, a call to us, and failures."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from sqlmodel import col, update

from medonline.bootstrap import Portal as Services
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.sandbox.code_faults import Fault, Vendor
from medonline.services.codes.delivery import DeliveryState
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.wording.channels import WORDS
from tests.e2e.patients import DemoPhone, Kind
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server, plain_http

CALL, TELEGRAM, SMS, MAX = (
    ChannelName.FLASH_CALL,
    ChannelName.TELEGRAM,
    ChannelName.SMS,
    ChannelName.MAX,
)
CALL_TO_US = ChannelName.INBOUND_CALL
KINDS: dict[ChannelName, Kind] = {CALL: "call", TELEGRAM: "telegram", SMS: "sms", MAX: "max"}
_NUMBER = re.compile(r"^\+7 \d{3} \d{3}-\d\d-\d\d$")


def choose(portal: Portal, way: ChannelName) -> None:
    if way not in GUIDE_CHANNELS:
        portal.page.get_by_text("Другие способы").click()
    portal.page.get_by_role("radio", name=WORDS[way].label).check()


def begin_by(portal: Portal, way: ChannelName, phone: str) -> None:
    """Go through step 1, until step 2 of this way is shown."""
    portal.open_recovery().field("Номер сотового телефона").fill(phone)
    choose(portal, way)
    portal.button("ДАЛЕЕ").click()
    portal.expect_step(WORDS[way].step)


def open_chat(portal: Portal, phone: str) -> Page:
    """Open the link of the screen on the phone with this number."""
    link = portal.main.get_by_role("link", name="Открыть чат")
    # A phone cannot scan its own screen.
    picture = portal.main.get_by_role("img", name="QR-код со ссылкой на чат", include_hidden=True)
    expect(picture).to_be_visible(visible=not portal.page.evaluate("matchMedia('(hover: none)').matches"))
    chat = portal.page.context.new_page()
    chat.goto(str(link.get_attribute("href")))
    chat.get_by_label("Чей это телефон").fill(phone)
    chat.get_by_role("button", name="Начать").click()
    return chat


def fetch(portal: Portal, way: ChannelName, phone: str, demo_phone: DemoPhone, *, asked: int = 1) -> str:
    """The code, wherever it arrives. A chat gives it only after the contact. `asked`: how many codes the patient has requested by this
    way."""
    if not way.facts.in_chat:
        return demo_phone.code(phone, KINDS[way], number=asked)
    chat = open_chat(portal, phone)
    expect(chat.get_by_text("Здесь попросили код")).to_have_count(1)
    expect(portal.main.get_by_role("link", name="Открыть чат")).to_have_count(0)
    expect(portal.main).to_contain_text(WORDS[way].where_begun)
    portal.look(f"{way} begun")
    chat.get_by_role("button", name="Поделиться контактом").click()
    expect(portal.main).to_contain_text(WORDS[way].delivery[DeliveryState.DELIVERED])
    chat.close()
    return demo_phone.code(phone, KINDS[way], number=2)


def number_to_call(portal: Portal) -> str:
    """The number on the screen of step 2, as soon as the call is awaited."""
    expect(portal.main).to_contain_text(WORDS[CALL_TO_US].delivery[DeliveryState.SENT].rstrip("…"))
    link = portal.main.get_by_role("link", name=_NUMBER)
    number = link.inner_text()
    expect(link).to_have_attribute("href", f"tel:{re.sub('[ -]', '', number)}")
    return number


def dial(portal: Portal, phone: str, number: str, button: str = "Позвонить") -> None:
    """Call on the dialler of this phone."""
    dialler: Page = portal.page.context.new_page()
    dialler.goto(f"{portal.url}/sandbox/phone?number={phone.replace('+', '%2B')}")
    dialler.get_by_role("link", name="Позвонить на номер…").click()
    dialler.get_by_label("На какой номер").fill(number)
    dialler.get_by_role("button", name=button, exact=True).click()
    expect(dialler.get_by_role("status")).to_contain_text("сброшен")
    dialler.close()


def time_is_over(server: Server, phone: str) -> None:
    """End the waiting time of what this phone waits for, however long the test took to get there."""

    async def happened(services: Services) -> None:
        now = services.clock()
        with services.database.writing() as session:
            waits = col(OneTimeCodeRow.phone) == phone, col(OneTimeCodeRow.expires_at) > now
            ended = session.exec(update(OneTimeCodeRow).where(*waits).values(expires_at=now))
            assert ended.rowcount == 1, f"{ended.rowcount} codes to {phone} were awaited"

    server.operate(happened)


def switch(server: Server, **faults: str) -> None:
    """Switch these faults of the named vendors on."""
    asked = {Vendor(vendor): Fault(fault) for vendor, fault in faults.items()}
    address, origin = f"{server.url}/sandbox/code-faults.json", {"Origin": server.url}
    plain_http().put(address, json=asked, headers=origin).raise_for_status()
