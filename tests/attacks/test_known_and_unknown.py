"""On the wire, too, a number with an account and one without hear the same frames, of the same size (I8)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from medonline.services.desk.accounts import NewAccount
from tests.attacks.raw import NAMESPACE, Raw
from tests.e2e.server import Server
from tests.services.world import wrong
from tests.state.tab import LOGIN, RECOVERY, visitor_cookies
from tests.state.watching import code_to

# Differ in digits that a masked number hides.
KNOWN, UNKNOWN = "+79000004101", "+79000004201"
# What is another for every tab and every moment, of whatever number.
OF_THE_TAB = re.compile(r'"(client_token|session_id|sid|resend_key|resend_clock|expires_clock)":"[^"]*"')
SECONDS = re.compile(r'"resend_seconds":\d+')
NUMBER_OF_A_FAILURE = re.compile(r"поддержки: [0-9a-f]{6}")
EVENT = f"42{NAMESPACE},"


@dataclass(frozen=True)
class Frame:
    size: int  # in bytes
    text: str

    @classmethod
    def of(cls, heard: str) -> Frame:
        """The order of a delta's keys is that of a set, and says nothing."""
        text = SECONDS.sub('"resend_seconds":0', OF_THE_TAB.sub(r'"\1":""', heard))
        text = NUMBER_OF_A_FAILURE.sub("", text)
        if text.startswith(EVENT):
            text = EVENT + json.dumps(json.loads(text.removeprefix(EVENT)), sort_keys=True, ensure_ascii=False)
        return cls(len(heard.encode()), text)


def news(raw: Raw, *, until: str = "") -> list[Frame]:
    """What is heard until these words, and then until all that was sent before is handled; no pings."""
    already = len(raw.heard)
    while until and until not in raw.hear():
        pass
    assert raw.serves()
    return [Frame.of(heard) for heard in raw.heard[already:] if heard != "2"]


def visit(server: Server, phone: str) -> dict[str, list[Frame]]:
    """A browser that is new here: step 1 until the call has arrived, a wrong code, a failed sign-in."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor_cookies(server.url).items())
    with Raw(server, cookie=cookie) as raw:
        raw.join()
        heard = {"joining": [Frame.of(frame) for frame in raw.heard]}
        raw.call(f"{RECOVERY}.begin", {"form": {"phone": phone, "channel": "flash_call"}})
        heard["step 1"] = news(raw, until="Звонок дошёл")
        raw.call(f"{RECOVERY}.confirm_code", {"form": {"code": wrong(code_to(server, phone))}})
        heard["wrong code"] = news(raw, until="Код не подошёл")
        raw.call(f"{RECOVERY}.start_again")
        heard["another number"] = news(raw)
        raw.call(f"{LOGIN}.log_in", {"form": {"phone": phone, "password": "Nevernyy2026", "page": "p"}})
        heard["sign-in"] = news(raw, until="Телефон или пароль не подошли")
    return heard


@pytest.fixture(scope="module")
def visits(attacked: Server) -> list[dict[str, list[Frame]]]:
    attacked.add_account(NewAccount(KNOWN, "Zdorovie2026", "Жукова", "Жанна"))
    return [visit(attacked, phone) for phone in (KNOWN, UNKNOWN)]


@pytest.mark.parametrize("action", ["joining", "step 1", "wrong code", "another number", "sign-in"])
def test_a_known_number_hears_the_frames_of_an_unknown_one(visits: list[dict[str, list[Frame]]], action: str) -> None:
    known, unknown = (heard[action] for heard in visits)

    assert known
    assert [frame.text for frame in known] == [frame.text for frame in unknown]
    assert [frame.size for frame in known] == [frame.size for frame in unknown]


def test_frames_that_say_something_else_are_not_taken_for_the_same() -> None:
    said = EVENT + '["event",{"delta":{"a":{"attempts":"Осталось 2 попытки.","resend_seconds":60}}}]'

    assert Frame.of(said) == Frame.of(said.replace("60", "59"))
    assert Frame.of(said).text != Frame.of(said.replace("2", "1")).text
    assert Frame.of(said).size != Frame.of(said.replace("60", "9")).size
