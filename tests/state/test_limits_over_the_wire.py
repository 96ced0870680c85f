"""What a tab is told when a limit is reached, and how the birth date screen is walked over the wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from medonline.state.waits import WaitsState
from tests.e2e.server import Server
from tests.state.steps import begin, wait_for_step
from tests.state.tab import LOGIN, RECOVERY, Tab
from tests.state.watching import code_to, fresh_phone, log_of, new_tab, record, step_of

WAITS = WaitsState.get_full_name()
KNOWN, BORN = "+79000001001", "21.05.1958"
STRICT = {
    "STEP_UP": "always",
    "CODES_PER_PHONE": "1 per 1 h",
    "RAISED_NETWORKS": "",
    "UNCONFIRMED_CODES_PER_NETWORK": "100 per 1 h",
    "WRONG_PASSWORDS_PER_ACCOUNT": "2 per 1 h",
    "PRICE_TELEGRAM": "1.00",
    "DAILY_CAP_TELEGRAM": "1.50",
}


@pytest.fixture(scope="module")
def strict(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose limits are soon reached (`server` has built the pages)."""
    folder = tmp_path_factory.mktemp("strict")
    strict = Server(folder / "var", folder / "server.log", STRICT)
    strict.start()
    yield strict
    strict.stop()


def at_birth_date(server: Server, tab: Tab, phone: str) -> None:
    begin(tab, phone)
    tab.call(f"{RECOVERY}.confirm_code", form={"code": code_to(server, phone)})
    wait_for_step(tab, "birth_date")


def next_error(tab: Tab, state: str = RECOVERY) -> str:
    """The next sentence; an error that is taken back in between is none."""
    while not (text := tab.wait_for(state, "error")):
        pass
    return str(text)


def answer(tab: Tab, typed: str) -> str:
    tab.call(f"{RECOVERY}.confirm_birth_date", form={"birth_date": typed})
    return next_error(tab)


def test_the_birth_date_stands_between_the_code_and_the_password(strict: Server) -> None:
    with new_tab(strict) as tab:
        logged = len(log_of(strict))  # the demo's greeting names the patients with their birth dates
        at_birth_date(strict, tab, KNOWN)
        before = record(strict)["patients"]
        tab.call(f"{RECOVERY}.change_password", form={"new_password": "NewPassword1"})
        tab.settle()
        assert record(strict)["patients"] == before
        assert answer(tab, "01.01.1990") == "Дата рождения не подошла. Осталось 2 попытки."
        assert answer(tab, "вчера").startswith("Введите дату рождения")
        with Tab(strict.url, tab.cookies) as reloaded:
            reloaded.call(f"{RECOVERY}.load")
            screen = reloaded.wait_for(RECOVERY, "screen")
            assert (screen["step"], screen["attempts"]) == ("birth_date", "Осталось 2 попытки.")
        tab.call(f"{RECOVERY}.confirm_birth_date", form={"birth_date": BORN})
        wait_for_step(tab, "new_password")
    assert BORN not in log_of(strict)[logged:]


def test_an_unknown_phone_is_answered_with_the_same_words_until_the_recovery_is_dead(strict: Server) -> None:
    with new_tab(strict) as tab:
        at_birth_date(strict, tab, fresh_phone())
        said = [answer(tab, f"0{day}.01.1990") for day in (1, 2)]
        tab.call(f"{RECOVERY}.confirm_birth_date", form={"birth_date": "03.01.1990"})
        wait_for_step(tab, "refused")

        assert said == [f"Дата рождения не подошла. {left}" for left in ("Осталось 2 попытки.", "Осталась 1 попытка.")]
        assert step_of(strict, tab) == "refused"


def test_a_second_code_to_a_phone_is_refused_with_the_time(strict: Server) -> None:
    phone = fresh_phone()
    with new_tab(strict) as first:
        begin(first, phone)
    with new_tab(strict) as tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": phone, "channel": "flash_call"})
        error = next_error(tab)

        assert error.startswith("На этот номер уже отправлено много кодов. Следующий можно запросить после ")
        assert "Госуслуги" in error
        assert step_of(strict, tab) is None


def ways_in(shown: list[dict[str, object]]) -> list[object]:
    return [way["value"] for way in shown]


def test_a_way_without_money_is_taken_off_the_screen(strict: Server) -> None:
    with new_tab(strict) as first:
        begin(first, fresh_phone(), "telegram")
    with new_tab(strict) as tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": fresh_phone(), "channel": "telegram"})
        delta = tab.next_delta()[RECOVERY]

        assert delta["error_rx_state_"].startswith("Код в Telegram снова можно будет получить после 00:00")
        assert delta["error_field_rx_state_"] == "channel"
        assert ways_in(delta["ways_rx_state_"]) == ["flash_call"]
        assert delta["must_wait_rx_state_"] is True  # the page offers Gosuslugi
        begin(tab, fresh_phone(), "flash_call")
        tab.call(f"{RECOVERY}.start_again")
        tab.call(f"{RECOVERY}.load")
    with new_tab(strict) as tab:
        tab.call(f"{RECOVERY}.load")
        assert ways_in(tab.wait_for(RECOVERY, "ways")) == ["flash_call"]


def test_passwords_tried_too_often_are_refused_with_the_time(strict: Server) -> None:
    with new_tab(strict) as tab:
        said = []
        for number in range(3):
            tab.call(f"{LOGIN}.log_in", form={"phone": "+79000001002", "password": f"Nevernyy{number}", "page": "p"})
            said.append(next_error(tab, LOGIN))

        assert said[0] == said[1]
        assert said[0].startswith("Телефон или пароль не подошли.")
        assert said[2].startswith("Слишком много раз ввели неверный пароль. Следующая попытка возможна после ")


def test_a_closed_entrance_tells_this_browsers_waits_and_no_others(strict: Server) -> None:
    phone = fresh_phone()
    with new_tab(strict) as tab:
        tab.call(f"{WAITS}.load")
        tab.wait_for(WAITS, "asked", value=True)
        assert not tab.shown(WAITS, "sign_in")
        assert not tab.shown(WAITS, "code")

        begin(tab, phone)
        for number in range(3):
            tab.call(f"{LOGIN}.log_in", form={"phone": phone, "password": f"Nevernyy{number}", "page": "p"})
        while not (refused := next_error(tab, LOGIN)).startswith("Слишком много раз"):
            pass
        tab.call(f"{LOGIN}.forget")  # as another load of the page does
        tab.call(f"{WAITS}.load")

        # The same wait, without the ways that the picker itself shows.
        waits = str(tab.wait_for(WAITS, "sign_in"))
        assert waits.startswith("Слишком много раз")
        assert refused.startswith(waits)
        assert str(tab.shown(WAITS, "code")).startswith(
            f"Новый код на номер +7 900 ***-**-{phone[-2:]} можно запросить в "
        )
        assert phone not in "".join(tab.said)
