"""Made-up patients, each with their own phone number, and the messages on their phones."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Literal

from tests.e2e.server import plain_http
from tests.patience import PATIENCE

Kind = Literal["call", "telegram", "sms", "max"]
_numbers = count(1)
NOTICE = "Медицина-онлайн:"  # each text about an account begins with this


def fresh_phone(ending: str = "") -> str:
    """A number that no other test uses, E.164. Endings below 2000 have a meaning in the sandbox, so a number has one only on request."""
    number = next(_numbers)
    return f"+7900{100 + number % 900}{ending or 2000 + number}"


def spelled(phone: str) -> str:
    """A number as people write it: +7 900 101-20-01."""
    return f"{phone[:2]} {phone[2:5]} {phone[5:8]}-{phone[8:10]}-{phone[10:]}"


@dataclass(frozen=True)
class Patient:
    phone: str
    password: str
    first_name: str
    patronymic: str
    last_name: str
    born: date = date(1951, 4, 9)

    @property
    def full_name(self) -> str:
        return f"{self.last_name} {self.first_name} {self.patronymic}"


def patient_with(phone: str) -> Patient:
    return Patient(phone, "Prezhniy2026", "Вера", "Ильинична", "Тестова")


class DemoPhone:
    """The stand-in of the patients' phones."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def events(self, phone: str) -> list[dict[str, str]]:
        answer = plain_http().get(f"{self._base_url}/sandbox/phone/{phone}/events")
        answer.raise_for_status()
        found: list[dict[str, str]] = answer.json()
        return found

    def codes(self, phone: str) -> list[dict[str, str]]:
        """Calls and messages with codes. SMS without a code are notices."""
        return [event for event in self.events(phone) if event["kind"] != "sms"]

    def with_codes(self, phone: str, kind: Kind) -> list[dict[str, str]]:
        """Calls or messages of this kind with a code, without SMS that are notices."""
        return [event for event in self.events(phone) if event["kind"] == kind and not event["text"].startswith(NOTICE)]

    def code(self, phone: str, kind: Kind = "call", *, number: int = 1) -> str:
        """The code of the `number`-th call or message, as soon as it has come."""
        deadline = time.monotonic() + PATIENCE
        while True:
            of_kind = self.with_codes(phone, kind)
            if len(of_kind) >= number:
                return _code_in(of_kind[number - 1])
            assert time.monotonic() < deadline, f"no {kind} number {number} came; there are {len(of_kind)}"
            time.sleep(0.05)

    def notices(self, phone: str) -> list[str]:
        """The texts of the SMS about the account."""
        return [event["text"] for event in self.events(phone) if event["text"].startswith(NOTICE)]

    def notice(self, phone: str, words: str = "", *, number: int = 1) -> str:
        """The `number`-th of these texts that contains these words, as soon as it has arrived."""
        deadline = time.monotonic() + PATIENCE
        while len(texts := [text for text in self.notices(phone) if words in text]) < number:
            assert time.monotonic() < deadline, f"no such SMS came; there are {self.notices(phone)}"
            time.sleep(0.05)
        return texts[number - 1]


def _code_in(event: dict[str, str]) -> str:
    if event["kind"] == "call":
        return event["from"][-4:]
    return re.search(r"\d{6}", event["text"])[0]
