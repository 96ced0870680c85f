"""What a screen says about a password's strength."""

from __future__ import annotations

from medonline.domain.errors import PasswordProblem
from medonline.services.passwords.strength import Strength

_WORDS = ("очень слабый", "слабый", "средний", "хороший", "надёжный")
_ADVICE = (
    "Такой пароль подбирают сразу: составьте другой из нескольких слов, не связанных между собой.",
    "Добавьте ещё одно-два слова, не связанных между собой.",
    "Добавьте ещё одно слово или несколько букв и цифр.",
    "Этот пароль подобрать трудно, а с ещё одним словом будет ещё труднее.",
    "Запомните этот пароль и не используйте его на других сайтах.",
)
_ADVICE_ON = {
    PasswordProblem.COMMON: "Этот пароль есть в списках самых частых: придумайте такой, который не придёт в голову другим.",
    PasswordProblem.PERSONAL: "Не берите в пароль своё имя, телефон и дату рождения: их пробуют первыми.",
}


def strength_sentence(strength: Strength) -> str:
    """The word for the score, and one sentence of advice."""
    advice = _ADVICE_ON[strength.problem] if strength.problem is not None else _ADVICE[strength.score]
    return f"Пароль {_WORDS[strength.score]}. {advice}"
