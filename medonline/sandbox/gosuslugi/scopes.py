"""The scopes of each face, and what each means for the person.

Both faces name the same data, so a consent given through one of them is valid for the other.
"""

from __future__ import annotations

DATA = {
    "fullname": "Фамилия, имя, отчество",
    "birthdate": "Дата рождения",
    "gender": "Пол",
    "snils": "СНИЛС",
    "mobile": "Номер мобильного телефона",
    "email": "Адрес электронной почты",
    "medical_doc": "Полис ОМС",
}
ESIA_SCOPES = frozenset({"openid", *DATA})
_OIDC_DATA = {
    "openid": (),
    "profile": ("fullname", "birthdate", "gender"),
    "phone": ("mobile",),
    "email": ("email",),
    "snils": ("snils",),
    "oms": ("medical_doc",),
}
OIDC_SCOPES = frozenset(_OIDC_DATA)


def esia_data(scope: str) -> frozenset[str]:
    """The personal data behind ESIA's scopes."""
    return frozenset(scope.split()) & frozenset(DATA)


def oidc_data(scope: str) -> frozenset[str]:
    """The personal data behind OIDC scopes, under ESIA's names."""
    return frozenset(name for asked in scope.split() for name in _OIDC_DATA.get(asked, ()))
