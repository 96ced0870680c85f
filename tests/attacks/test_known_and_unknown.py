"""On the wire, too, a number with an account and one without hear the same frames, of the same size (I8).

Every registered way is walked, and a browser that named either number asks for a passkey. Of mailboxes: one that another account has
proved, and one that none has.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from medonline import routes
from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from medonline.domain.passkeys import PasskeyPurpose
from medonline.services.codes.delivery import DeliveryState
from medonline.services.desk.accounts import NewAccount
from medonline.storage.queries import patients
from medonline.storage.tables.passkeys import Passkey
from medonline.wording.channels import WORDS
from tests.attacks.raw import NAMESPACE, Raw
from tests.attacks.signed_in import sign_in
from tests.e2e.server import Server
from tests.patience import PATIENCE
from tests.services.passkeys.device import Device
from tests.services.world import wrong
from tests.state.account_handlers import EMAIL, SETTINGS
from tests.state.tab import LOGIN, RECOVERY, visitor_cookies
from tests.state.watching import code_to

PASSWORD = "Zdorovie2026"
# What is another for every tab, every moment and every owner, of whatever number.
OF_THE_TAB = re.compile(
    r'"(client_token|session_id|sid|resend_key|resend_clock|other_clock|expires_clock|call_key|chat_link|owner_mark_rx_state_)"'
    r':"[^"]*"'
)
SECONDS = re.compile(r'"(resend|call)_seconds":\d+')
# The picture of a link that is another for each code is larger or smaller, too.
PICTURE = re.compile(r'"chat_qr":"[^"]+"')
NUMBER_OF_A_FAILURE = re.compile(r"поддержки: [0-9a-f]{6}")
CHALLENGE = re.compile(r'"challenge":"[\w-]+"')
EVENT = f"42{NAMESPACE},"


@dataclass(frozen=True)
class Frame:
    size: int  # in bytes
    text: str

    @classmethod
    def of(cls, heard: str, *own: str) -> Frame:
        """The order of a delta's keys is that of a set, and says nothing. `own`: what was typed, and may be shown to who typed it."""
        heard = PICTURE.sub('"chat_qr":"…"', heard)
        text = SECONDS.sub(r'"\1_seconds":0', OF_THE_TAB.sub(r'"\1":""', heard))
        text = NUMBER_OF_A_FAILURE.sub("", text)
        for typed in own:
            text = text.replace(typed, "")
        if text.startswith(EVENT):
            text = EVENT + json.dumps(json.loads(text.removeprefix(EVENT)), sort_keys=True, ensure_ascii=False)
        return cls(len(heard.encode()), text)


@dataclass
class Browser:
    """New here. `heard`: what each of its actions was answered with; `own`: what it typed, of one length for both."""

    server: Server
    cookies: dict[str, str]
    raw: Raw
    own: tuple[str, ...] = ()
    heard: dict[str, list[Frame]] = field(default_factory=dict)

    def join(self) -> None:
        self.raw.join()
        self.heard["joining"] = [Frame.of(frame) for frame in self.raw.heard]

    def does(self, action: str, handler: str, payload: dict[str, Any] | None = None, *, until: str = "") -> None:
        """Call a handler, and hear what comes of it."""
        self.raw.call(handler, payload)
        self.hears(action, until=until)

    def hears(self, action: str, *, until: str = "") -> None:
        """What is heard until these words, and then until all that was sent before is handled; no pings."""
        already = len(self.raw.heard)
        while until and until not in self.raw.hear():
            pass
        assert self.raw.serves()
        self.heard[action] = [Frame.of(heard, *self.own) for heard in self.raw.heard[already:] if heard != "2"]

    def posts(self, action: str, path: str, **sent: Any) -> httpx.Response:
        """Over HTTP, from the portal's own page."""
        with httpx.Client(base_url=self.server.url, trust_env=False, timeout=PATIENCE, cookies=self.cookies) as http:
            answer = http.post(path, headers={"Origin": self.server.url}, **sent)
        shown = f"{answer.status_code} {CHALLENGE.sub('', answer.text)} {[*answer.headers]}"
        self.heard[action] = [Frame(len(answer.content), shown)]
        return answer


def browser_of(server: Server, cookies: dict[str, str], *own: str) -> Browser:
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return Browser(server, cookies, Raw(server, cookie=cookie), own)


def expect_the_same(known: dict[str, list[Frame]], unknown: dict[str, list[Frame]]) -> None:
    assert known.keys() == unknown.keys()
    for action, frames in known.items():
        assert frames, action
        assert [frame.text for frame in frames] == [frame.text for frame in unknown[action]], action
        assert [frame.size for frame in frames] == [frame.size for frame in unknown[action]], action


# --- a number, by each way -------------------------------------------------------------------------------------------


def numbers(way: ChannelName) -> tuple[str, str]:
    """With an account and without one. They differ in digits that a masked number hides."""
    place = [*ChannelName].index(way)
    return f"+7900000410{place}", f"+7900000420{place}"


def arrived(way: ChannelName) -> str:
    """The last words of step 2 where nothing is done meanwhile."""
    facts = way.facts
    if facts.in_chat:
        return WORDS[way].delivery[DeliveryState.QUEUED]
    if facts.patient_calls:
        return WORDS[way].delivery[DeliveryState.SENT]
    return WORDS[way].delivery[DeliveryState.READ if facts.tells_reading else DeliveryState.DELIVERED]


def visit(server: Server, way: ChannelName, phone: str) -> dict[str, list[Frame]]:
    """Step 1 until the code has arrived, what the way asks for, a wrong code, passkeys, a failed sign-in."""
    browser = browser_of(server, visitor_cookies(server.url))
    with browser.raw:
        browser.join()
        form = {"phone": phone, "channel": way}
        browser.does("step 1", f"{RECOVERY}.begin", {"form": form}, until=arrived(way))
        if way.facts.in_chat:
            act_in_chat(browser, way, phone)
        if way.facts.patient_calls:
            call(browser, phone)
        else:
            typed = {"code": wrong(code_to(server, phone))}
            browser.does("wrong code", f"{RECOVERY}.confirm_code", {"form": typed}, until="Код не подошёл")
        ask_for_passkeys(browser)
        browser.does("another number", f"{RECOVERY}.start_again")
        typed = {"phone": phone, "password": "Nevernyy2026", "page": "p"}
        browser.does("sign-in", f"{LOGIN}.log_in", {"form": typed}, until="Телефон или пароль не подошли")
    return browser.heard


def act_in_chat(browser: Browser, way: ChannelName, phone: str) -> None:
    """What the bot writes is compared, too."""
    chat = f"{routes.SANDBOX}/max/chat"
    token = re.findall(r'"chat_link":"[^"]*start=([^"]+)"', "".join(browser.raw.heard))[-1]
    for act, words in (("begin", WORDS[way].where_begun), ("share", WORDS[way].delivery[DeliveryState.DELIVERED])):
        browser.posts(f"chat: {act}", chat, data={"number": phone, "act": act, "payload": token})
        browser.hears(f"after chat: {act}", until=words)
    with httpx.Client(base_url=browser.server.url, trust_env=False, timeout=PATIENCE) as http:
        said = re.findall(r'(?s)<span class="text">(.*?)</span>', http.get(chat, params={"number": phone}).text)
    assert len(said) == 2
    browser.heard["the bot"] = [Frame(len(one), re.sub(r"\d{6}", "", one)) for one in said]


def call(browser: Browser, phone: str) -> None:
    number = re.findall(r'"call_number":"([^"]+)"', "".join(browser.raw.heard))[-1]
    sent = {"number": phone, "to": number, "from": "own"}
    with httpx.Client(base_url=browser.server.url, trust_env=False, timeout=PATIENCE) as http:
        http.post(f"{routes.SANDBOX}/dialler", data=sent, headers={"Origin": browser.server.url}).raise_for_status()
    browser.hears("call", until="Шаг 2 из 3: дата рождения")
    typed = {"birth_date": "02.03.1971"}
    browser.does("wrong date", f"{RECOVERY}.confirm_birth_date", {"form": typed}, until="Дата рождения не подошла")


def ask_for_passkeys(browser: Browser) -> None:
    """In the dialog of the sign-in, and as the third way of «Не помню пароль»; answered with a key that no account has."""
    for purpose in (PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY):
        asked = browser.posts(f"passkey to {purpose}", routes.PASSKEY_LOGIN_BEGIN, json={"purpose": purpose})
        device = Device(origin=browser.server.url, credential_id=bytes(32), handle="AAAA")
        answer = {"purpose": purpose, "answer": device.sign(asked.json())}
        refused = browser.posts(f"nobody's key to {purpose}", routes.PASSKEY_LOGIN, json=answer)
        assert "unknown" in refused.json()


async def add_passkey(portal: Portal, phone: str) -> None:
    with portal.database.writing() as session:
        patient = patients.by_phone(session, phone)
        assert patient is not None
        facts = {"patient_id": patient.id, "handle": patient.id, "credential_id": patient.id, "public_key": ""}
        session.add(Passkey(**facts, sign_count=0, name="Телефон", created_at=datetime.now(UTC)))


@pytest.mark.parametrize("way", ChannelName)
def test_a_known_number_hears_the_frames_of_an_unknown_one(attacked: Server, way: ChannelName) -> None:
    known, unknown = numbers(way)
    attacked.add_account(NewAccount(known, PASSWORD, "Жукова", "Жанна"))
    attacked.operate(lambda portal: add_passkey(portal, known))
    with ThreadPoolExecutor(2) as both:
        expect_the_same(*both.map(lambda phone: visit(attacked, way, phone), (known, unknown)))


# --- a mailbox -------------------------------------------------------------------------------------------------------


def save_mailbox(server: Server, phone: str, mailbox: str) -> dict[str, list[Frame]]:
    """A patient who is signed in saves the address, asks for the code, and types a wrong one."""
    server.add_account(NewAccount(phone, PASSWORD, "Жукова", "Жанна"))
    typed = (mailbox, phone, f"+7 {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}")
    browser = browser_of(server, sign_in(server, phone, PASSWORD), *typed)
    with browser.raw:
        browser.join()
        names = {"last_name": "Жукова", "first_name": "Жанна", "password": "", "password_confirmation": ""}
        form = {"phone": phone, "email": mailbox, **names}
        browser.does("saved", f"{SETTINGS}.save", {"form": form}, until="Сохранено")
        browser.does("code", f"{EMAIL}.send", until='"mail_rx_state_":"sent"')
        browser.does("wrong code", f"{EMAIL}.confirm", {"form": {"code": "000000"}}, until="Код не подошёл")
    return browser.heard


async def prove_mailbox(portal: Portal, phone: str, mailbox: str) -> None:
    with portal.database.writing() as session:
        patient = patients.by_phone(session, phone)
        assert patient is not None
        patient.email = patient.proved_email = mailbox
        patient.email_proved_at = datetime.now(UTC)
        session.add(patient)


def test_a_mailbox_of_another_account_hears_the_frames_of_one_that_none_has(attacked: Server) -> None:
    owner, known, unknown = "+79000004301", "zhanna1@example.ru", "zhanna2@example.ru"
    attacked.add_account(NewAccount(owner, PASSWORD, "Жукова", "Жанна"))
    attacked.operate(lambda portal: prove_mailbox(portal, owner, known))
    with ThreadPoolExecutor(2) as both:
        visits = (("+79000004302", known), ("+79000004402", unknown))
        expect_the_same(*both.map(lambda one: save_mailbox(attacked, *one), visits))


# --- the comparison itself -------------------------------------------------------------------------------------------


def test_frames_that_say_something_else_are_not_taken_for_the_same() -> None:
    said = EVENT + '["event",{"delta":{"a":{"attempts":"Осталось 2 попытки.","resend_seconds":60,"chat_qr":"ab"}}}]'

    assert Frame.of(said) == Frame.of(said.replace("60", "59"))
    assert Frame.of(said) == Frame.of(said.replace("ab", "abc"))
    assert Frame.of(said).text != Frame.of(said.replace('"ab"', '""')).text
    assert Frame.of(said).text != Frame.of(said.replace("2", "1")).text
    assert Frame.of(said).size != Frame.of(said.replace("60", "9")).size
