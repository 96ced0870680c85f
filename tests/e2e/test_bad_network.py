"""Recovery over networks that lose, delay and cut: it completes, loses nothing that was typed, and does nothing twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import SHORT_PAUSES, NewPortal, StartServer
from tests.e2e.network import Network
from tests.e2e.patients import DemoPhone, Patient
from tests.e2e.portal_in_browser import DONE, NEW_PASSWORD, STEP_2, STEP_3, Portal
from tests.e2e.server import Server, free_port
from tests.e2e.watching import Watch

SLOW = "Портал пока не отвечает"


@pytest.fixture(scope="module")
def far_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def far_server(start_server: StartServer, far_port: int) -> Server:
    """A server whose pages come through the bad network."""
    return start_server("far", PUBLIC_URL=f"http://127.0.0.1:{far_port}", **SHORT_PAUSES)


@pytest.fixture
def server(far_server: Server, watch: Watch) -> Server:
    watch.allow_lost_connection()
    return far_server


@pytest.fixture
def network(server: Server, far_port: int) -> Iterator[Network]:
    with Network(server.port, port=far_port) as network:
        yield network


@pytest.fixture
def far_portal(new_portal: NewPortal, network: Network) -> Portal:
    """The portal behind a network that a test makes bad."""
    portal = new_portal()
    portal.url = network.url
    return portal


def test_a_form_lost_on_its_way_is_sent_again_over_the_next_connection(
    far_portal: Portal, patient: Patient, demo_phone: DemoPhone, network: Network
) -> None:
    portal = far_portal
    portal.open_recovery().begin(patient.phone)
    code = demo_phone.code(patient.phone)
    network.silent = True
    portal.submit_code(code)
    expect(portal.page.get_by_text(SLOW)).to_be_visible()
    network.silent = False
    network.cut()
    portal.expect_step(STEP_3)
    expect(portal.page.locator("[aria-busy]")).to_have_count(0)

    # The answer gets lost. The portal does nothing twice, and the page shows the result.
    portal.submit_password("korotko")
    portal.expect_error("символ")
    network.silent = True
    portal.submit_password(NEW_PASSWORD)
    expect(portal.page.get_by_text(SLOW)).to_be_visible()
    network.silent = False
    network.cut()
    portal.expect_step(DONE)


def test_recovery_over_a_slow_lossy_network_that_breaks_every_five_seconds(
    far_portal: Portal, patient: Patient, demo_phone: DemoPhone, network: Network
) -> None:
    portal = far_portal
    portal.open_recovery().fill_phone(patient.phone)
    portal.expect_connected()  # a page without its scripts has no connection that a test of forms could cut
    network.delay, network.loss = 0.2, 0.02  # 400 ms for a round trip
    network.cut_every(5)
    network.cut()  # again at each step
    portal.button("ДАЛЕЕ").click()
    portal.expect_step(STEP_2)
    code = demo_phone.code(patient.phone)
    network.cut()
    portal.confirm(code)
    network.cut()
    portal.set_password()
    network.cut()
    # The sign-in loads another page. If that one is cut off, the browser shows an error page, and no script of the portal can help.
    network.stop_cutting()
    portal.submit_login(patient.phone, NEW_PASSWORD)
    portal.expect_cards()

    assert len(demo_phone.codes(patient.phone)) == 1
    assert network.cuts > 0


@pytest.mark.parametrize(
    "script", ["/assets/manifest-", "/assets/_recovery_", "/assets/root-", "/assets/entry.client-", "/portal.js"]
)
def test_a_script_whose_download_breaks_off_is_asked_for_again(portal: Portal, patient: Patient, script: str) -> None:
    cut: list[str] = []

    def carry(route: Route) -> None:
        if script in route.request.url and len(cut) < 2:
            cut.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    portal.page.route("**/*.js", carry)
    portal.open_recovery().begin(patient.phone)  # what was typed and pressed meanwhile is not lost

    assert cut
    portal.page.wait_for_function(
        "() => sessionStorage.getItem('medonline.step') === 'code'"
    )  # by the page's own script


def test_a_page_that_gets_no_websocket_or_no_scripts_says_what_to_do(new_portal: NewPortal) -> None:
    """Some clinics' proxies let pages through and nothing else."""
    portal = new_portal()
    portal.page.route_web_socket("**/_event/**", lambda socket: socket.close())
    portal.page.clock.install()
    portal.open()
    alert = portal.page.get_by_role("alert").filter(has_text="Откройте портал в другой сети")
    expect(portal.header.get_by_role("button", name="Войти", exact=True)).to_be_visible()
    expect(alert).to_have_count(0)
    portal.page.clock.fast_forward(20_000)
    expect(alert).to_contain_text("Обратитесь в регистратуру своей поликлиники с паспортом")
    expect(alert).to_contain_text("Вход через Госуслуги в этой сети не поможет")
    portal.look("no websocket")

    # A browser whose scripts are switched off by a debugger does not draw this element: the document is read instead.
    document = portal.page.request.get(f"{portal.url}/recovery").text()
    assert re.search("<noscript><p[^>]*>В этом браузере выключены скрипты", document)
