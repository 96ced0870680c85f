"""What the stand-ins accept as credentials, where they keep what happened, and how fast time goes there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SandboxSettings:
    """Settings of one sandbox.

    Attributes:
        telegram_token: the access token the Telegram Gateway stand-in accepts.
        ucaller_key: the secret key the uCaller stand-in accepts.
        ucaller_service_id: the service that key belongs to.
        sms_ru_api_id: the `api_id` the SMS.ru stand-in accepts.
        store: an SQLite file, shared by all processes that name it; None keeps everything in memory.
        delivery_pace: seconds between two delivery states, and the unit of the pauses between callback
            retries.
        demo_numbers: E.164 numbers offered on the demo phone's page.
        slow_answer: seconds a slow magic number is kept waiting.
    """

    telegram_token: str
    ucaller_key: str
    ucaller_service_id: str
    sms_ru_api_id: str
    store: Path | None = None
    delivery_pace: float = 1.0
    demo_numbers: tuple[str, ...] = ()
    slow_answer: float = 10.0
