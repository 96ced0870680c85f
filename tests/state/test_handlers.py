"""Handlers called by anyone, in any order, with anything: no effect without the step, and no values in the log."""

from __future__ import annotations

from typing import Any

import pytest

from medonline.services.desk.accounts import NewAccount
from tests.e2e.server import Server
from tests.in_clear import holds_code
from tests.state.steps import begin, has_shown, wait_for_step
from tests.state.tab import ACCOUNT, LOGIN, RECOVERY, Closed, Tab
from tests.state.watching import SITTING, VISITOR, code_to, fresh_phone, log_of, new_tab, record, step_of

CANARY = "canary-9f3a"
NESTED: dict[str, Any] = {"form": {"phone": {"x": CANARY}, "channel": ["flash_call"], "code": {}, "new_password": []}}
# Wherever a handler expects a form or a text.
NO_TEXT = [None, 0, 1.5, True, [], ["flash_call"], {}, {"phone": CANARY}, CANARY, "\x00", [[[]]]]
VALUES = [None, 7, True, [CANARY], {"text": CANARY}, f"{CANARY}\x00", CANARY * 500]
HANDLERS = {
    f"{RECOVERY}.begin": "form",
    f"{RECOVERY}.resend": "channel",
    f"{RECOVERY}.confirm_code": "form",
    f"{RECOVERY}.confirm_birth_date": "form",
    f"{RECOVERY}.change_password": "form",
    f"{LOGIN}.log_in": "form",
}
FIELDS = {
    f"{RECOVERY}.begin": ("phone", "channel"),
    f"{RECOVERY}.confirm_code": ("code",),
    f"{RECOVERY}.confirm_birth_date": ("birth_date",),
    f"{RECOVERY}.change_password": ("new_password",),
    f"{LOGIN}.log_in": ("phone", "password", "page"),
}


def test_the_whole_recovery_and_the_sign_in_go_over_the_wire(server: Server) -> None:
    with new_tab(server) as tab:
        begin(tab, "+79000001003")
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code_to(server, "+79000001003")})
        wait_for_step(tab, "new_password")
        tab.call(f"{RECOVERY}.change_password", form={"new_password": "NewVrach12345"})
        wait_for_step(tab, "done")
        tab.call(f"{LOGIN}.log_in", form={"phone": "+79000001003", "password": "NewVrach12345", "page": "p"})
        assert len(tab.wait_for(LOGIN, "ticket")) == 43


@pytest.mark.parametrize("handler", [name for name in HANDLERS if RECOVERY in name and not name.endswith(".begin")])
def test_a_handler_without_its_step_has_no_effect(server: Server, handler: str) -> None:
    payloads = {
        f"{RECOVERY}.resend": {"channel": "flash_call"},
        f"{RECOVERY}.confirm_code": {"form": {"code": "0427"}},
        f"{RECOVERY}.confirm_birth_date": {"form": {"birth_date": "21.05.1958"}},
        f"{RECOVERY}.change_password": {"form": {"new_password": "NewPassword1"}},
    }
    before = record(server)
    with new_tab(server) as tab:
        tab.call(handler, **payloads[handler])
        tab.settle()

        assert record(server) == before
        assert step_of(server, tab) is None


def test_a_password_before_the_code_has_no_effect(server: Server) -> None:
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        before = record(server)
        tab.call(f"{RECOVERY}.change_password", form={"new_password": "NewPassword1"})
        tab.settle()

        assert record(server) == before
        assert step_of(server, tab) == "code"


@pytest.mark.parametrize("handler", HANDLERS)
def test_what_is_no_form_has_no_effect_and_is_not_logged(server: Server, handler: str) -> None:
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        before, logged = record(server), len(log_of(server))
        for value in NO_TEXT:
            tab.call(handler, **{HANDLERS[handler]: value})
        tab.call(handler)
        tab.call(handler, **NESTED)
        tab.call(handler, unexpected=CANARY)
        tab.settle()

        assert record(server) == before
        assert step_of(server, tab) == "code"
        assert CANARY not in log_of(server)[logged:]


@pytest.mark.parametrize(("handler", "name"), [(handler, name) for handler, names in FIELDS.items() for name in names])
def test_a_value_that_is_no_text_where_a_text_belongs_has_no_effect(server: Server, handler: str, name: str) -> None:
    good = {
        "phone": "+79000001001",
        "channel": "flash_call",
        "code": "",
        "birth_date": "",
        "new_password": "",
        "password": "",
        "page": "",
    }
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        before, logged = record(server), len(log_of(server))
        for value in VALUES:
            tab.call(handler, form=good | {name: value})
        tab.settle()

        after = record(server)
        assert {**after, "tickets": 0} == {**before, "tickets": 0}
        assert after["tickets"] == before["tickets"]
        assert CANARY not in log_of(server)[logged:]


@pytest.mark.parametrize("size", [64 * 1024, 4 * 1024 * 1024])
def test_a_frame_over_the_limit_closes_the_socket_and_has_no_effect(server: Server, size: int) -> None:
    before, logged = record(server), len(log_of(server))
    with new_tab(server) as tab:
        try:
            tab.call(f"{RECOVERY}.begin", form={"phone": CANARY.ljust(size, "9"), "channel": "flash_call"})
            tab.wait_until_closed()
        except Closed:
            pass  # before the whole frame was written

        assert record(server) == before
        assert CANARY not in log_of(server)[logged:]
    with new_tab(server) as tab:
        tab.settle()  # others are served


def test_a_value_just_under_the_limit_is_refused_as_a_value(server: Server) -> None:
    before = record(server)
    with new_tab(server) as tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": "9" * 60_000, "channel": "flash_call"})
        assert tab.wait_for(RECOVERY, "error").startswith("Введите номер сотового телефона")

        assert record(server) == before


@pytest.mark.parametrize("handler", HANDLERS)
def test_without_the_visitor_cookie_nothing_has_an_effect(server: Server, handler: str) -> None:
    form = {"phone": "+79000001001", "password": "Zdorovie2026", "code": "0427", "new_password": "NewPassword1"}
    form["birth_date"] = "21.05.1958"
    payload = (
        {"channel": "flash_call"} if HANDLERS[handler] == "channel" else {"form": form | {"channel": "flash_call"}}
    )
    before = record(server)
    with Tab(server.url) as tab:
        tab.call(handler, **payload)
        tab.call(f"{RECOVERY}.start_again")
        tab.settle()

        assert record(server) == before


@pytest.mark.parametrize(
    "name",
    [f"{RECOVERY}.{CANARY}", CANARY, f"{RECOVERY}._show", f"{RECOVERY}.__init__", "", "reflex.os.system"],
)
def test_a_handler_that_does_not_exist_closes_the_socket_and_is_logged_without_its_name(
    server: Server, name: str
) -> None:
    before, logged = record(server), len(log_of(server))
    with new_tab(server) as tab:
        tab.call(name, form={"phone": CANARY})
        tab.wait_until_closed()

        assert record(server) == before
        assert CANARY not in log_of(server)[logged:]


@pytest.mark.parametrize(
    ("state", "variable", "value"),
    [
        (RECOVERY, "screen", {"step": "done"}),
        (RECOVERY, "error", CANARY),
        (LOGIN, "ticket", CANARY),
        (ACCOUNT, "signed_in", True),
    ],
)
def test_a_client_cannot_set_a_variable(server: Server, state: str, variable: str, value: object) -> None:
    for handler, payload in (
        ("setvar", {"var_name": variable, "value": value}),
        (f"set_{variable}", {"value": value}),
    ):
        with new_tab(server) as tab:
            tab.call(f"{state}.{handler}", **payload)
            tab.wait_until_closed()

            assert step_of(server, tab) is None
            assert all(CANARY not in frame for frame in tab.said)


def test_loading_the_page_again_and_again_sends_nothing(server: Server) -> None:
    with new_tab(server) as tab:
        begin(tab, fresh_phone())
        before = record(server)
        for _ in range(5):
            tab.call(f"{RECOVERY}.load")
            tab.call(f"{ACCOUNT}.load_home")
        tab.settle()

        assert record(server) == before


def test_a_second_tab_and_a_reload_stand_at_the_same_step(server: Server) -> None:
    with new_tab(server) as first:
        begin(first, fresh_phone())
        with Tab(server.url, first.cookies) as second:
            second.call(f"{RECOVERY}.load")
            assert second.wait_for(RECOVERY, "screen")["step"] == "code"
    with Tab(server.url, first.cookies, first.token) as reloaded:
        reloaded.call(f"{RECOVERY}.load")
        assert reloaded.wait_for(RECOVERY, "screen")["step"] == "code"


def test_passwords_and_codes_are_never_in_what_the_server_sends_or_logs(server: Server) -> None:
    password, code = "Canary2026Canary", "987654"
    with new_tab(server) as tab:
        begin(tab, fresh_phone(), "telegram")
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code})
        tab.call(f"{RECOVERY}.change_password", form={"new_password": password})
        tab.call(f"{LOGIN}.log_in", form={"phone": "+79000001001", "password": password, "page": ""})
        tab.settle()

        said = "".join(tab.said) + log_of(server)
        assert password not in said
        assert not holds_code(said, code)


def test_an_answer_to_a_form_that_overtook_the_pages_load_stays_and_goes_with_the_next_visit(server: Server) -> None:
    tab = new_tab(server)
    with tab:
        tab.call(f"{RECOVERY}.begin", form={"phone": "8 495 123 45 67", "channel": "flash_call"})
        assert "городской" in tab.wait_for(RECOVERY, "error")
        said = len(tab.said)
        tab.call(f"{RECOVERY}.load")
        tab.settle()
        assert '"error_rx_state_":""' not in "".join(tab.said[said:]).replace(" ", "")
    with tab:
        tab.call(f"{RECOVERY}.load")
        assert tab.wait_for(RECOVERY, "error") == ""


def test_without_a_sitting_the_code_is_not_judged(server: Server) -> None:
    """A page from before there were sittings: it says what to do, and costs no attempt."""
    phone = fresh_phone()
    with new_tab(server) as tab:
        begin(tab, phone)
        without = Tab(server.url, {VISITOR: tab.cookies[VISITOR]})
    with without:
        without.call(f"{RECOVERY}.confirm_code", form={"code": code_to(server, phone)})
        assert "куки" in without.wait_for(RECOVERY, "error")
    assert step_of(server, without) == "code"


def test_what_was_proved_is_shown_in_its_sitting_alone(server: Server) -> None:
    phone = fresh_phone()
    server.add_account(NewAccount(phone, "Prezhniy2026", "Заболотная", "Евлампия", phone_proved=True))
    with new_tab(server) as tab:
        begin(tab, phone, "telegram")
        tab.call(f"{RECOVERY}.confirm_code", form={"code": code_to(server, phone)})
        wait_for_step(tab, "new_password")
    for sitting in ({}, {SITTING: "n" * 43}):
        with Tab(server.url, {VISITOR: tab.cookies[VISITOR], **sitting}, tab.token) as other:
            other.call(f"{RECOVERY}.load")
            other.settle()
            other.call(f"{RECOVERY}.change_password", form={"new_password": "StrangersPassword1"})
            other.settle()
            assert not has_shown(other, "new_password")
        assert step_of(server, tab) == "new_password"
    with Tab(server.url, tab.cookies) as again:  # another tab of the same sitting
        again.call(f"{RECOVERY}.load")
        wait_for_step(again, "new_password")
