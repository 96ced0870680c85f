"""A ticket becomes a session cookie once, in its own browser; signing out ends the session on the server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.services.crypto.tokens import new_token, token_hash
from medonline.web.cookies import BROWSER, SESSION
from tests.services.world import MovableClock, patient_with, told_of
from tests.web.conftest import Browser
from tests.web.tickets import ticket_of

AGAIN = "/?login=again"


async def test_a_ticket_becomes_a_session_and_lands_on_the_cards(portal: Portal, open_browser: Browser) -> None:
    anna = open_browser()
    answer = await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})

    assert (answer.status_code, answer.headers["location"]) == (303, "/cards")
    assert (
        answer.headers.get_list("set-cookie")[0] == f"{SESSION}={anna.cookies[SESSION]}; Path=/; HttpOnly; SameSite=Lax"
    )
    who = await portal.login.who(token_hash(anna.cookies[SESSION]))
    assert who is not None
    assert who.first_name == "Мария"


async def test_a_sign_in_marks_the_browser_for_its_account(
    portal: Portal, open_browser: Browser, clock: MovableClock
) -> None:
    """There is one after a sign-out, too: it counts wrong passwords, and signs no one in."""
    anna = open_browser()
    answer = await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    marks = anna.cookies[BROWSER]

    header = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(BROWSER))
    assert header == f"{BROWSER}={marks}; Path=/; HttpOnly; SameSite=Lax; Max-Age={180 * 86_400}"
    account, known = (await patient_with(portal)).id, portal.login.new_devices.known
    assert known.name_in(marks, account, 0, clock()) == marks.partition(".")[0]
    await anna.post("/session/close")
    marks = anna.cookies[BROWSER]  # renewed: the password in force may have been set in this session
    assert known.name_in(marks, account, 0, clock()) == marks.partition(".")[0]
    assert "~" not in marks
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna, 1)})
    assert anna.cookies[BROWSER].endswith(f"~{marks}")


async def test_a_used_ticket_opens_nothing(portal: Portal, open_browser: Browser) -> None:
    anna = open_browser()
    ticket = await ticket_of(portal, anna)
    await anna.post("/session/open", data={"ticket": ticket})
    again = await anna.post("/session/open", data={"ticket": ticket})

    assert (again.status_code, again.headers["location"]) == (303, AGAIN)
    assert "set-cookie" not in again.headers


async def test_another_browsers_ticket_opens_nothing(portal: Portal, open_browser: Browser) -> None:
    anna, boris = open_browser(), open_browser()
    ticket = await ticket_of(portal, anna)
    await boris.get("/")
    stolen = await boris.post("/session/open", data={"ticket": ticket})
    own = await anna.post("/session/open", data={"ticket": ticket})

    assert stolen.headers["location"] == AGAIN
    assert SESSION not in boris.cookies
    assert own.headers["location"] == "/cards"


async def test_a_late_ticket_opens_nothing(portal: Portal, open_browser: Browser, clock: MovableClock) -> None:
    anna = open_browser()
    ticket = await ticket_of(portal, anna)
    clock.move(seconds=30)

    assert (await anna.post("/session/open", data={"ticket": ticket})).headers["location"] == AGAIN


async def test_a_ticket_without_the_visitor_cookie_opens_nothing(portal: Portal, open_browser: Browser) -> None:
    ticket = await ticket_of(portal, open_browser())

    assert (await open_browser().post("/session/open", data={"ticket": ticket})).headers["location"] == AGAIN


@pytest.mark.parametrize(
    "body",
    [
        {"data": {}},
        {"data": {"ticket": ""}},
        {"data": {"ticket": "x" * 10_000}},
        {"data": {"ticket": "\x00; DROP TABLE patient"}},
        {"data": {"ticket": ["a", "b"]}},
        pytest.param({"data": {"ticket": new_token()}}, id="made up"),
        {"content": b"\xff\xfe\x00", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"json": {"ticket": "x"}},
    ],
    ids=lambda body: str(body)[:40],
)
async def test_any_other_body_opens_nothing(open_browser: Browser, body: dict[str, object]) -> None:
    anna = open_browser()
    await anna.get("/")
    answer = await anna.post("/session/open", **body)

    assert (answer.status_code, answer.headers["location"]) == (303, AGAIN)
    assert SESSION not in anna.cookies


async def test_signing_out_ends_the_session_on_the_server_and_takes_the_cookie(
    portal: Portal, open_browser: Browser
) -> None:
    ended = told_of(portal, "session")
    anna = open_browser()
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    key = token_hash(anna.cookies[SESSION])
    answer = await anna.post("/session/close")

    assert (answer.status_code, answer.headers["location"]) == (303, "/?login=left")
    assert answer.headers.get_list("set-cookie")[0] == f"{SESSION}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
    assert SESSION not in anna.cookies
    assert await portal.login.who(key) is None
    assert ended == [key]


async def test_signing_out_without_a_session_is_no_error(open_browser: Browser) -> None:
    assert (await open_browser().post("/session/close")).headers["location"] == "/"


@pytest.mark.parametrize("path", ["/session/open", "/session/close"])
async def test_a_link_neither_opens_nor_closes_a_session(portal: Portal, open_browser: Browser, path: str) -> None:
    anna = open_browser()
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})

    assert (await anna.get(path)).status_code == 404
    assert await portal.login.who(token_hash(anna.cookies[SESSION])) is not None


async def test_signing_out_empties_what_the_tab_kept_but_no_other_answer_does(
    portal: Portal, open_browser: Browser
) -> None:
    anna = open_browser()
    opened = await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})

    assert "clear-site-data" not in opened.headers
    assert (await anna.post("/session/close")).headers["clear-site-data"] == '"storage"'


@pytest.mark.parametrize("offset", [0, 0.001, 0.4, 0.999])
async def test_a_forgotten_tab_ends_with_the_session_that_the_server_ends(
    portal: Portal, open_browser: Browser, clock: MovableClock, offset: float
) -> None:
    """As `browser/account/session_end.js` asks: it is told of two minutes before the end, and leaves at 0. Asking is no activity,
    and when the page says that the session is over, it is."""
    anna = open_browser()
    await anna.post("/session/open", data={"ticket": await ticket_of(portal, anna)})
    key, begun = token_hash(anna.cookies[SESSION]), clock.now
    clock.move(seconds=offset)
    left = (await anna.get("/session/left")).json()["idle"]
    while left:
        clock.move(seconds=min(left, 10) if left <= 120 else min(left - 120, 600))
        left = (await anna.get("/session/left")).json()["idle"]

    assert portal.login.idle <= clock.now - begun < portal.login.idle + timedelta(seconds=1)
    assert await portal.login.who(key) is None
    await anna.get("/?login=over")
    clock.move(seconds=570)
    assert await portal.login.who(key) is None
