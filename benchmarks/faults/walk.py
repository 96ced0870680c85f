"""A patient who does not give up: presses again after a refusal, reloads after a lost connection, and remembers what the portal said."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.load.patient import Patient, code_of
from benchmarks.load.wire import FAILURE, RECOVERY, Failed, Refused, Shown

# A step takes at most this long, including a lock of ten seconds. Then the patient reloads the page.
STEP_WITHIN_S = 40.0
AGAIN_AFTER_S = 1.0
# If no code comes within this time, the patient looks at the screen, and uses another way if it is offered.
CODE_WITHIN_S = 3.0
LOOKS = 3
# When the portal reports trouble of its own, the sentence has a number that is also in its log.
SUPPORT = " Номер для поддержки"
CONNECTION_LOST = "connection lost"
SLOW = "no answer"
_PLACES = {"phone": 0, "code": 1, "new_password": 2, "done": 3}
_FIRST_STEPS = ("request", "code", "set_password", "login")
_PRESSED_AGAIN = ("request", "set_password", "login")
_LOST = (OSError, EOFError, httpx.HTTPError, Failed)


@dataclass
class Told:
    """What the portal told a patient. It must be true from then on. `place`: the furthest step that the wizard showed."""

    phone: str
    place: int = 0
    password: str = ""
    sessions: list[str] = field(default_factory=list)  # SHA-256 of the cookies
    signed_in: bool = False


@dataclass
class Walk:
    """One journey through whatever breaks.

    saw: each sentence, status or silence that came instead of the next step, and how often.
    lost: what the portal had said and then forgot.
    done_at: `time.monotonic()` at the end of the journey; None before.
    steps: how many steps were done.
    """

    patient: Patient
    told: Told
    may_expire: bool = False
    saw: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    done_at: float | None = None
    steps: int = 0
    _events: int = 0

    @classmethod
    def of(cls, patient: Patient, *, may_expire: bool = False) -> Walk:
        """may_expire: the clock moves, so codes, recoveries and sessions may expire early."""
        return cls(patient, Told(patient.phone), may_expire)

    async def go(self, dawdles: Callable[[], float] = lambda: 0.0) -> None:
        """Walk until the cards are shown. `dawdles`: seconds before each step.

        Raises:
            asyncio.CancelledError: the walk was given up.
        """
        step = "page"
        try:
            while step:
                await asyncio.sleep(dawdles())
                step = await self._do(step)
        finally:
            await self.patient.close()
        self.done_at = time.monotonic()

    async def _do(self, step: str) -> str:
        """Do one step. Returns the next step, or the one that the portal's record shows."""
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                following: str = await getattr(self, f"_{step}")()
                self.steps += step != "find"
                return following
        except Refused as refusal:
            self._note(str(refusal))
            await asyncio.sleep(AGAIN_AFTER_S)
            # The typed text is still there, so the patient presses the button again.
            return step if step in _PRESSED_AGAIN else await self._find_place()
        except TimeoutError:
            self._note(SLOW)
        except _LOST as lost:
            self._note(_words_of(lost))
            await asyncio.sleep(AGAIN_AFTER_S / 2)
        return await self._find_place()

    def _note(self, what: str) -> None:
        self.saw[what.partition(SUPPORT)[0]] += 1

    async def _page(self) -> str:
        await self.patient.page()
        return "request"

    async def _request(self) -> str:
        await self.patient.request()
        self._tell(1)
        return "code"

    async def _code(self) -> str:
        """The newest code on the phone. If none comes, note what the screen says and request another code."""
        came = await self._newest_code()
        if not came:
            screen = await self._screen()
            if screen is None or screen["step"] != "code":
                return await self._find_place()
            if screen["delivery_failed"] or not screen["code_alive"]:
                self._note(str(screen["delivery"]))
                await self._ask_again(screen)
            return "code"
        try:
            await self.patient.verify()
        except Refused as refusal:
            self._note(str(refusal))
            await asyncio.sleep(AGAIN_AFTER_S)
            if is_trouble(str(refusal)):
                return "code"
            screen = await self._screen()
            if screen is None or screen["step"] != "code":
                return await self._find_place()
            if not screen["code_alive"]:  # the code that arrived has expired
                self._events = len(await self._events_of_phone())
                await self._ask_again(screen)
            return "code"
        self._tell(2)
        return "set_password"

    async def _ask_again(self, screen: dict[str, Any]) -> None:
        channel = screen["other_channel"] if screen["other_ready"] and screen["other_channel"] else ""
        if not channel and screen["resend_ready"]:
            channel = screen["channel"]
        if not channel:
            return
        self.patient.open_tab.call(f"{RECOVERY}.resend", arguments={"channel": channel})
        await self.patient.open_tab.until(Shown(RECOVERY, "screen", lambda now: now["code_alive"]))

    async def _set_password(self) -> str:
        await self.patient.set_password()
        self._tell(3)
        self.told.password = self.patient.password
        return "login"

    async def _login(self) -> str:
        await self.patient.login()
        token = self.patient.http.cookies.get("medonline_session") or ""
        self.told.sessions.append(hashlib.sha256(token.encode()).hexdigest())
        self.told.signed_in = True
        return "profile"

    async def _profile(self) -> str:
        await self.patient.profile()
        return ""

    def _tell(self, place: int) -> None:
        self.told.place = max(self.told.place, place)

    async def _find_place(self) -> str:
        """Reload the page until it answers. It must show the step that the patient was told, or a later one (I6)."""
        if self.told.signed_in:
            return await self._still_signed_in()
        place = -1
        for _ in range(LOOKS):
            screen = await self._screen()
            if screen is None:
                return "find"
            place = max(place, _PLACES.get(screen["step"], -1))
            if place >= self.told.place:
                break
            await asyncio.sleep(AGAIN_AFTER_S)
        if place < self.told.place and self.told.password:
            # An unreported sign-in ends the recovery's page. The new password must open the account all the same (I1).
            return "login_page"
        if place < self.told.place:
            if not self.may_expire:
                self.lost.append(f"I6: shown step {place} after step {self.told.place} was told")
            self.told.place = max(place, 0)
        return _FIRST_STEPS[max(place, 0)]

    async def _find(self) -> str:
        return await self._find_place()

    async def _login_page(self) -> str:
        """The session has expired by the clock: sign in again with the new password."""
        await self.patient.open("/")
        return await self._login()

    async def _still_signed_in(self) -> str:
        """A session that was opened must still exist (I1)."""
        try:
            left = (await self.patient.session_left())["idle"]
        except (*_LOST, ValueError, KeyError) as lost:
            self._note(_words_of(lost))
            await asyncio.sleep(AGAIN_AFTER_S)
            return "profile"
        if left:
            return "profile"
        if not self.may_expire:
            self.lost.append("I1: a session that was opened is over")
        self.told.signed_in, self.told.sessions = False, []
        return "login_page"

    async def _screen(self) -> dict[str, Any] | None:
        """What the recovery's page shows after a reload. If it shows nothing, note that, pause and return None."""
        seen: list[dict[str, Any]] = []

        def keep(screen: dict[str, Any]) -> bool:
            seen.append(screen)
            return True

        if self.patient.tab is not None:
            self.patient.tab.drop()
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                await self.patient.document("/recovery")
                await self.patient.connect("/recovery", Shown(RECOVERY, "screen", keep))
        except Refused as refusal:
            self._note(str(refusal))
            self._close_bar()
        except TimeoutError:
            self._note(SLOW)
        except _LOST as lost:
            self._note(_words_of(lost))
        else:
            return seen[-1]
        await asyncio.sleep(AGAIN_AFTER_S)
        return None

    def _close_bar(self) -> None:
        """Close the bar with «×»: the sentence belongs to the tab and would appear after each reload until it is closed."""
        if self.patient.tab is not None:
            self.patient.tab.call(f"{FAILURE}.dismiss")

    async def _newest_code(self) -> bool:
        deadline = time.monotonic() + CODE_WITHIN_S
        while time.monotonic() < deadline:
            events = await self._events_of_phone()
            if len(events) > self._events:
                self.patient.code = code_of(events[-1])
                return True
            await asyncio.sleep(0.1)
        return False

    async def _events_of_phone(self) -> list[dict[str, Any]]:
        """The calls and the messages that carry codes. An SMS is a notice."""
        events = await self.patient.events()
        return [event for event in events if event["kind"] != "sms"]


def is_trouble(sentence: str) -> bool:
    """Whether the sentence reports trouble of the portal itself."""
    return SUPPORT in sentence


def _words_of(error: Exception) -> str:
    if isinstance(error, Failed):
        return str(error)
    return CONNECTION_LOST


def pauses(dice: random.Random, most: float) -> Callable[[], float]:
    """The seconds that a patient pauses before a step, from 0 to `most`."""
    return lambda: dice.uniform(0, most)
