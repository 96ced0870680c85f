"""Bad days of each way: what went wrong is said in words, and the next way is one tap away, with the phone kept.

A number's ending chooses what goes wrong with it (`medonline/sandbox/magic.py`), a switch what goes wrong with the whole vendor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from medonline.domain.codes.channels import ChannelName
from medonline.sandbox.code_faults import Fault, Vendor, faults_of
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState
from medonline.wording.channels import WORDS
from tests.e2e.conftest import SHORT_PAUSES, StartServer
from tests.e2e.patients import fresh_phone, spelled
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server
from tests.e2e.ways_in_browser import CALL, MAX, SMS, TELEGRAM, begin_by, open_chat, switch

DOWN, REFUSED, NOT_REACHABLE, NOT_ANSWERED = (
    DeliveryProblem.CHANNEL_DOWN,
    DeliveryProblem.NUMBER_REFUSED,
    DeliveryProblem.NUMBER_NOT_REACHABLE,
    DeliveryProblem.NOT_ANSWERED,
)
NUMBERS = [
    (CALL, "0009", NOT_REACHABLE),
    (CALL, "0012", REFUSED),
    (CALL, "0006", NOT_ANSWERED),
    (TELEGRAM, "0010", NOT_REACHABLE),
    (TELEGRAM, "0005", REFUSED),
    (SMS, "0018", NOT_REACHABLE),  # the operator has no route: the subscriber wanted no such messages
    (SMS, "0021", REFUSED),  # the stop list
    (SMS, "0019", NOT_ANSWERED),
]
VENDORS = {CALL: Vendor.UCALLER, TELEGRAM: Vendor.TELEGRAM, SMS: Vendor.SMS_RU, MAX: Vendor.MAX}
# With which no code goes out; the others are of reports, or of what is left of the money. A bot that hangs takes a quarter of a
# minute here: tests/services/codes/test_chats.py.
STOPS_CODES = (Fault.DOWN, Fault.SLOW, Fault.MISSING, Fault.KEY, Fault.MONEY, Fault.BUSY)
FAULTS = [
    (CALL, Fault.MONEY),
    (TELEGRAM, Fault.MONEY),
    *((SMS, fault) for fault in faults_of(Vendor.SMS_RU) if fault in STOPS_CODES),
    *((MAX, fault) for fault in faults_of(Vendor.MAX) if fault in STOPS_CODES and fault is not Fault.SLOW),
]


@pytest.fixture(scope="module")
def common(start_server: StartServer) -> Server:
    return start_server("bad-days", **SHORT_PAUSES)


@pytest.fixture
def server(common: Server) -> Iterator[Server]:
    common.assert_alive()
    yield common
    switch(common, **dict.fromkeys(Vendor, Fault.NONE))


def expect_another_way(portal: Portal, way: ChannelName, problem: DeliveryProblem, phone: str) -> None:
    """The page shows the sentence, and another way is one tap away."""
    expect(portal.main.get_by_role("status").filter(has_text=WORDS[way].problems[problem])).to_be_visible()
    expect(portal.field("Проверочный код")).to_have_count(0)
    turn_to(portal, TELEGRAM if way is CALL else CALL, phone)


def turn_to(portal: Portal, way: ChannelName, phone: str) -> None:
    portal.button(WORDS[way].get).click()
    # The other way may have its own bad day with this number.
    said = [WORDS[way].where, *WORDS[way].problems.values()]
    expect(portal.main).to_contain_text(re.compile("|".join(map(re.escape, said))))
    expect(portal.main).to_contain_text(spelled(phone))


@pytest.mark.parametrize(("way", "ending", "problem"), NUMBERS)
def test_a_number_that_a_way_does_not_reach(
    portal: Portal, way: ChannelName, ending: str, problem: DeliveryProblem
) -> None:
    phone = fresh_phone(ending)
    begin_by(portal, way, phone)
    expect_another_way(portal, way, problem, phone)


@pytest.mark.parametrize(("way", "fault"), FAULTS)
def test_a_vendor_that_sends_nothing(portal: Portal, server: Server, way: ChannelName, fault: Fault) -> None:
    switch(server, **{VENDORS[way]: fault})
    phone = fresh_phone()
    begin_by(portal, way, phone)
    expect_another_way(portal, way, DOWN, phone)


def test_a_bot_that_was_blocked(portal: Portal) -> None:
    phone = fresh_phone()
    begin_by(portal, MAX, phone)
    chat = open_chat(portal, phone)
    chat.get_by_role("button", name="Остановить бота").click()
    expect(portal.main.get_by_role("status").filter(has_text=WORDS[MAX].problems[REFUSED])).to_be_visible()
    portal.look("max blocked")
    expect_another_way(portal, MAX, REFUSED, phone)


def test_who_does_not_come_back_from_the_chat_is_offered_another_way(portal: Portal) -> None:
    """The patient may not even have the app."""
    phone = fresh_phone()
    begin_by(portal, MAX, phone)
    expect(portal.main).to_contain_text(WORDS[MAX].delivery[DeliveryState.QUEUED])
    expect(portal.main).to_contain_text("Если чат не открывается, установите MAX или выберите другой способ.")
    turn_to(portal, CALL, phone)
