"""One patient in one browser, step by step: recover by code, set a password, sign in, look at «Мои карты»."""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.load.accounts import OLD_PASSWORD, last_name_of, phone_of
from benchmarks.load.wire import (
    ACCOUNT,
    CARDS,
    LOADED,
    LOGIN,
    PAGE_LOAD,
    RECOVERY,
    Failed,
    Refused,
    Shown,
    Tab,
    anything,
    need,
)

STEPS = ("page", "request", "outbox", "verify", "set_password", "login", "profile")
# The steps that make the portal hash a password.
HASHING = ("set_password", "login")
_LOOKS_FOR_A_CODE, _LOOKS_EVERY_S = 1500, 0.02

# Not used, because the portal speaks plain HTTP here. But httpx needs one, and making one takes longer than a step of the journey.
TLS = ssl.create_default_context()

Timer = Callable[[str, float], None]


class Patient:
    """The account of one number, in a browser without cookies and with its own connections."""

    def __init__(self, portal: str, stand_ins: str, number: int, channel: str = "flash_call", phone: str = "") -> None:
        self.number, self.channel = number, channel
        self.phone = phone or phone_of(number)
        self.password = f"Korabl{number}{secrets.token_hex(4)}"
        self.code = ""
        self._portal, self._stand_ins, self._token = portal, stand_ins, str(uuid4())
        self.http = httpx.AsyncClient(
            base_url=portal,
            timeout=60,
            trust_env=False,
            verify=TLS,
            headers={"Origin": portal, "Accept-Language": "ru", "Accept-Encoding": "br, gzip"},
        )
        self.tab: Tab | None = None

    @property
    def open_tab(self) -> Tab:
        """The tab of the open page.

        Raises:
            Failed: no page is open.
        """
        if self.tab is None:
            raise Failed("no page is open")
        return self.tab

    async def document(self, path: str) -> None:
        """Fetch a page as a browser does, including cookies."""
        page = await self.http.get(path)
        need(page.status_code == 200 and "<html" in page.text, f"GET {path}: {page.status_code}")

    async def open(self, path: str, *shown: Shown) -> None:
        """Fetch a page and connect its tab. Wait until it is loaded and shows what it must."""
        await self.document(path)
        await self.connect(path, *shown)

    async def connect(self, path: str, *shown: Shown) -> None:
        """Connect the tab of a page that the browser has already fetched."""
        self.tab = self.new_tab(path, self._token)
        await self.tab.open()
        await self.tab.until(LOADED, *shown)

    async def reconnect(self, shown: Shown) -> bool:
        """Connect the tab that lost its socket. Returns whether the page, once loaded, shows this."""
        self.tab = self.new_tab(self.open_tab.path, self._token)
        await self.tab.open()
        return await self.tab.shows_when_loaded(shown)

    def new_tab(self, path: str, token: str = "") -> Tab:
        """A tab of this browser that is not open yet. It gets a new token unless one is given."""
        return Tab(httpx.URL(self._portal).port or 80, dict(self.http.cookies), path, token or str(uuid4()))

    async def page(self) -> None:
        """Open the start page and go to the recovery as the app does, without a new document."""
        account = Shown(ACCOUNT, "desk", anything)
        await self.open("/", account)
        self.open_tab.path = "/recovery"
        self.open_tab.call(PAGE_LOAD)
        await self.open_tab.until(LOADED, account)

    async def request(self) -> None:
        """Submit phone and channel. The wizard is at the code then."""
        form = {"phone": self.phone, "channel": self.channel}
        self.open_tab.call(
            f"{RECOVERY}.begin", form | {"channel_flash_call": "flash_call", "channel_telegram": "telegram"}
        )
        await self.open_tab.until(AT_CODE)

    async def outbox(self) -> None:
        """Wait for the call at the stand-ins and read the code. Only the portal's dispatcher works for this step."""
        async with self._phone() as http:
            for _ in range(_LOOKS_FOR_A_CODE):
                if events := await self._events(http):
                    self.code = code_of(events[-1])
                    return
                await asyncio.sleep(_LOOKS_EVERY_S)
        raise Failed("no code came")

    async def events(self) -> list[dict[str, Any]]:
        """The events on the patient's phone at the stand-ins, oldest first."""
        async with self._phone() as http:
            return await self._events(http)

    def _phone(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._stand_ins, trust_env=False, timeout=60, verify=TLS)

    async def _events(self, http: httpx.AsyncClient) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = (await http.get(f"/phone/{self.phone.removeprefix('+')}/events")).json()
        return events

    async def verify(self) -> None:
        """Submit the code. The wizard is at the new password then."""
        self.open_tab.call(f"{RECOVERY}.confirm_code", {"code": self.code})
        await self.open_tab.until(_wizard_at("new_password"))

    async def set_password(self) -> None:
        """Set the new password."""
        self.open_tab.call(f"{RECOVERY}.change_password", {"username": self.phone, "new_password": self.password})
        await self.open_tab.until(_wizard_at("done"))

    async def login(self) -> None:
        """Sign in on the same page, exchange the ticket for the session's cookie, and leave the page."""
        names = {"phone": self.phone, "password": self.password, "page": "abc"}
        ticket = Shown(LOGIN, "ticket", bool)
        self.open_tab.call(f"{LOGIN}.log_in", names | {"login_phone": self.phone, "login_password": self.password})
        found = await self.open_tab.until(ticket)
        self.open_tab.close()
        opened = await self.http.post("/session/open", data={"ticket": found[ticket]})
        need(
            opened.status_code == 303 and opened.headers["location"] == "/cards",
            f"POST /session/open: {opened.status_code}",
        )

    async def profile(self) -> None:
        """Open «Мои карты» of this patient. The session must be alive."""
        name = last_name_of(self.number)
        await self.open(
            "/cards",
            Shown(ACCOUNT, "full_name", lambda text: name in text),
            Shown(CARDS, "ready", lambda ready: ready is True),
        )
        need((await self.session_left())["idle"] > 0, "the session is over")

    async def session_left(self) -> dict[str, int]:
        """The seconds for which the session still lives: until it idles out, and at most. Zeros without a session."""
        left: dict[str, int] = (await self.http.get("/session/left")).json()
        return left

    async def close(self) -> None:
        """Close the page and the connections."""
        if self.tab is not None:
            self.tab.close()
        await self.http.aclose()


async def journey(patient: Patient, timed: Timer | None = None) -> None:
    """Do all steps in order. `timed` gets the name and the milliseconds of each.

    Raises:
        Failed: a step was not done.
    """
    try:
        for name in STEPS:
            began = time.perf_counter()
            await getattr(patient, name)()
            if timed is not None:
                timed(name, (time.perf_counter() - began) * 1e3)
    finally:
        await patient.close()


async def check(patient: Patient, stranger: Patient) -> None:
    """Check that the portal refuses what it must refuse, and that the journey still ends well.

    Raises:
        Failed: a wrong code, a spent code, the old password or a page without a session was accepted.
    """
    try:
        need(await patient.session_left() == {"idle": 0, "absolute": 0}, "a session without signing in")
        await _refuse_cards_without_session(stranger)
        await patient.page()
        await patient.request()
        await patient.outbox()
        right = patient.code
        patient.code = f"{(int(right) + 1) % 10 ** len(right):0{len(right)}d}"
        await _must_fail(patient.verify, "a wrong code was taken")
        patient.code = right
        await patient.verify()
        await patient.set_password()
        right, by_spent_code = patient.password, f"{patient.password}2"
        await _spend_again(patient, by_spent_code)
        for patient.password, fault in (
            (OLD_PASSWORD, "the old password was taken"),
            (by_spent_code, "a spent code set another password"),
        ):
            await _must_fail(patient.login, fault)
        patient.password = right
        await patient.login()
        await patient.profile()
    finally:
        await patient.close()
        await stranger.close()


async def _refuse_cards_without_session(stranger: Patient) -> None:
    """The portal must lead a person who is not signed in away from «Мои карты»."""
    await stranger.document("/cards")
    tab = await stranger.new_tab("/cards").open()
    try:
        led_to = await tab.led_to()
    finally:
        tab.close()
    need(not led_to.startswith("/cards"), "cards are shown without a session")


async def _spend_again(patient: Patient, password: str) -> None:
    """Use the code once more, with a password, from another tab of the same browser."""
    tab = await patient.new_tab("/recovery").open()
    try:
        await tab.until(LOADED)
        tab.call(f"{RECOVERY}.confirm_code", {"code": patient.code})
        tab.call(f"{RECOVERY}.change_password", {"username": patient.phone, "new_password": password})
        await tab.settle()
    finally:
        tab.close()


async def _must_fail(step: Callable[[], Awaitable[None]], otherwise: str) -> None:
    try:
        await step()
    except Refused:
        return
    raise Failed(otherwise)


def _wizard_at(step: str) -> Shown:
    return Shown(RECOVERY, "screen", lambda screen: screen["step"] == step)


AT_CODE = _wizard_at("code")


def code_of(event: dict[str, Any]) -> str:
    """The last four digits of the calling number, or the digits in a message."""
    if event["kind"] == "call":
        return str(event["from"])[-4:]
    found = re.search(r"\d{4,8}", event["text"])
    if found is None:
        raise Failed("a message without a code")
    return found[0]
