"""The server is killed (SIGKILL) between any two steps and started again: the patient goes on from that step."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from medonline.domain.codes.channels import ChannelName
from medonline.wording.channels import WORDS
from tests.e2e.conftest import SHORT_PAUSES, StartServer
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_1, STEP_2, STEP_3, TELEGRAM, Portal
from tests.e2e.server import Server
from tests.e2e.watching import Watch
from tests.e2e.ways_in_browser import SMS, choose

BANNER = "Связь прервалась"
ARRIVED = "Сообщение прочитано"
LEASE_MS = 60_000  # what was being sent at the moment of the kill is looked at again after 25 s
STEPS = [STEP_1, STEP_2, STEP_3, DONE]


@pytest.fixture(scope="module")
def mortal_server(start_server: StartServer) -> Server:
    return start_server("mortal", **SHORT_PAUSES)


@pytest.fixture
def server(mortal_server: Server, watch: Watch) -> Server:
    watch.allow_lost_connection()
    return mortal_server


def kill_and_start_again(portal: Portal, server: Server) -> None:
    """The page stays open. It says calmly that the connection is lost, and reconnects by itself."""
    banner = portal.page.get_by_role("status").filter(has_text=BANNER)
    portal.expect_connected()
    server.kill()
    expect(banner).to_be_visible()
    portal.look("connection lost")
    server.start()
    expect(banner).to_have_count(0)


@pytest.mark.parametrize("killed_at", STEPS, ids=["step 1", "step 2", "step 3", "done"])
def test_the_open_page_goes_on_from_the_step_at_which_the_server_was_killed(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server, killed_at: str
) -> None:
    def perhaps_kill(step: str) -> None:
        portal.expect_step(step)
        if step == killed_at:
            kill_and_start_again(portal, server)
            portal.expect_step(step)

    portal.open_recovery().fill_phone(patient.phone, TELEGRAM)
    perhaps_kill(STEP_1)
    expect(portal.field("Номер сотового телефона")).to_have_value(patient.phone)
    portal.button("ДАЛЕЕ").click()
    expect(portal.main).to_contain_text(ARRIVED)
    perhaps_kill(STEP_2)
    portal.confirm(demo_phone.code(patient.phone, "telegram"))
    perhaps_kill(STEP_3)
    portal.set_password()
    perhaps_kill(DONE)

    portal.submit_login(patient.phone, NEW_PASSWORD)
    portal.expect_cards()
    assert len(demo_phone.codes(patient.phone)) == 1


def test_a_code_cut_off_on_its_way_arrives_or_is_replaced(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    portal.open_recovery().begin(patient.phone, TELEGRAM)
    kill_and_start_again(portal, server)

    # A message is not sent twice: if no one knows whether it was sent, the other way is offered when the lease has run out.
    offered = portal.button("Получить код звонком").and_(portal.page.locator(".delivery button"))
    expect(portal.page.get_by_text(ARRIVED).or_(offered)).to_be_visible(timeout=LEASE_MS)
    if offered.is_visible():
        offered.click()
        portal.confirm(demo_phone.code(patient.phone, "call"))
    else:
        portal.confirm(demo_phone.code(patient.phone, "telegram"))


def test_a_reloaded_page_goes_on_after_a_kill_at_every_step(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    def reload_after_a_kill() -> None:
        server.kill()
        server.start()
        portal.page.reload()

    portal.open_recovery().begin(patient.phone)
    expect(portal.main).to_contain_text("Звонок дошёл")
    code = demo_phone.code(patient.phone)
    reload_after_a_kill()
    portal.expect_step(STEP_2)
    portal.confirm(code)
    reload_after_a_kill()
    portal.expect_step(STEP_3)
    portal.set_password()
    reload_after_a_kill()
    portal.expect_step(DONE)

    portal.log_in(patient.phone, NEW_PASSWORD)
    assert len(demo_phone.codes(patient.phone)) == 1


def test_a_sign_in_survives_a_kill(portal: Portal, patient: Patient, server: Server) -> None:
    portal.log_in(patient.phone, patient.password)
    kill_and_start_again(portal, server)

    portal.expect_cards()
    portal.page.reload()
    portal.expect_cards()


def test_what_was_typed_stays_while_the_connection_is_lost(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    portal.open_recovery().begin(patient.phone)
    portal.field("Проверочный код").fill(demo_phone.code(patient.phone))
    kill_and_start_again(portal, server)

    expect(portal.field("Проверочный код")).not_to_have_value("")
    portal.button("ОТПРАВИТЬ").click()
    portal.expect_step(STEP_3)
    portal.field("Новый пароль").fill(NEW_PASSWORD)
    kill_and_start_again(portal, server)

    expect(portal.field("Новый пароль")).to_have_value(NEW_PASSWORD)
    portal.button("СМЕНИТЬ ПАРОЛЬ").click()
    portal.expect_step(DONE)


@pytest.mark.parametrize("pressed", ["after", "meanwhile"])
def test_the_way_that_was_chosen_is_taken_however_the_connection_went(
    portal: Portal, patient: Patient, server: Server, pressed: str
) -> None:
    """The page knows the ways under «Другие способы» only from the server. Until the server has sent them again, the page has none of
    them."""
    portal.open_recovery().field("Номер сотового телефона").fill(patient.phone)
    choose(portal, SMS)
    portal.expect_connected()
    server.kill()
    expect(portal.page.get_by_role("status").filter(has_text=BANNER)).to_be_visible()
    if pressed == "meanwhile":
        portal.button("ДАЛЕЕ").click()
    server.start()
    if pressed == "after":
        expect(portal.page.get_by_role("status").filter(has_text=BANNER)).to_have_count(0)
        expect(portal.page.get_by_role("radio", name="Код в SMS")).to_be_checked()
        portal.button("ДАЛЕЕ").click()

    expect(portal.main).to_contain_text(WORDS[SMS].where)


def test_a_button_pressed_without_a_connection_is_pressed_when_the_step_is_drawn_again(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    portal.open_recovery().begin(patient.phone)
    demo_phone.code(patient.phone)
    another = portal.button(WORDS[ChannelName.TELEGRAM].get)
    expect(another).to_be_visible()
    portal.expect_connected()
    server.kill()
    expect(portal.page.get_by_role("status").filter(has_text=BANNER)).to_be_visible()
    another.click()
    expect(another).to_have_attribute("aria-busy", "true")
    server.start()

    expect(portal.main).to_contain_text(WORDS[ChannelName.TELEGRAM].where)
    demo_phone.code(patient.phone, "telegram")


HEAR_CLOSES = """
window.closedWith = [];
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("close", (event) => window.closedWith.push([event.code, event.reason]));
  }
};
"""


def test_a_step_sent_while_the_server_restarts_is_taken_afterwards(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    """A server that is told to end tells the pages to come back. A press in between waits for it."""
    portal.page.add_init_script(HEAR_CLOSES)
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)
    banner = portal.page.get_by_role("status").filter(has_text=BANNER)
    portal.expect_connected()
    process = server._process
    assert process is not None
    server.stop()
    assert process.returncode == 0
    expect(banner).to_be_visible()
    assert portal.page.evaluate("window.closedWith[0]") == [1012, "service restart"]

    portal.field("Проверочный код").fill(code)
    portal.button("ОТПРАВИТЬ").click()
    server.start()
    portal.expect_step(STEP_3)
    expect(banner).to_have_count(0)
    assert len(demo_phone.codes(patient.phone)) == 1


SLOW = "Портал пока не отвечает"


def test_a_form_sent_to_a_server_that_froze_says_so_and_is_answered_when_it_wakes(
    portal: Portal, patient: Patient, demo_phone: DemoPhone, server: Server
) -> None:
    """A half-open connection: the socket exists, but no one answers."""
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)
    server.freeze()
    try:
        portal.submit_code(code)
        button = portal.button("ОТПРАВИТЬ")
        expect(button).to_have_attribute("aria-busy", "true")
        expect(portal.page.get_by_role("status").filter(has_text=SLOW)).to_be_visible()
        portal.look("server frozen")
        button.click()  # pressed again, it is still one
        expect(portal.field("Проверочный код")).to_have_value(code)
    finally:
        server.thaw()
    portal.expect_step(STEP_3)
    expect(portal.page.get_by_text(SLOW)).to_have_count(0)
    expect(portal.page.locator("[aria-busy]")).to_have_count(0)
