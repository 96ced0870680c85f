"""What patients read of ways of getting a code that are switched off."""

from __future__ import annotations

_NAMES = {"flash_call": "Проверочный звонок", "telegram": "Код в Telegram"}
BY_RULE = "коды этим способом сейчас часто не доходят"


def switched_off(channel: str, reason: str) -> str:
    """One sentence; `reason` is the operator's, empty where the rule switched it off."""
    return f"«{_NAMES[channel]}» временно отключён: {_as_reason(reason) or BY_RULE}."


def _as_reason(reason: str) -> str:
    """As the end of a sentence, whatever the operator ended it with."""
    text = reason.strip().rstrip(".!… ")
    first, rest = text[:1], text[1:]
    return first.lower() + rest if rest[:1].islower() else text
