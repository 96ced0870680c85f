"""Faults that hold for everyone from the moment they are switched on until they are switched off."""

from __future__ import annotations

from enum import StrEnum

from medonline.sandbox.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS gosuslugi_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


class Fault(StrEnum):
    """What goes wrong."""

    NONE = "none"
    HTML_500 = "html_500"
    SLOW = "slow"
    ROTATED_KEY = "rotated_key"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 (a name, no secret)
    UNAVAILABLE = "unavailable"
    CODE_USED = "code_used"
    OVERSIZED = "oversized"
    UNSIGNED = "unsigned"
    NULLS = "nulls"
    DETAILS_DOWN = "details_down"
    DETAILS_SIGNED = "details_signed"
    DETAILS_ENCRYPTED = "details_encrypted"
    INNER_HOST = "inner_host"


LABELS = {
    Fault.NONE: "Всё работает",
    Fault.HTML_500: "Вместо токена приходит ошибка 500 в виде HTML",
    Fault.SLOW: "Токен приходит с большой задержкой",
    Fault.ROTATED_KEY: "Токены подписаны другим ключом",
    Fault.WRONG_ISSUER: "В токенах чужой издатель",
    Fault.WRONG_AUDIENCE: "Токен выдан другому получателю",
    Fault.EXPIRED_TOKEN: "Срок токенов уже вышел",
    Fault.UNAVAILABLE: "Вход временно недоступен (ESIA-007008)",
    Fault.CODE_USED: "Код авторизации уже использован (ESIA-007011)",
    Fault.OVERSIZED: "Вместо токена приходят 2 МБ данных",
    Fault.UNSIGNED: "Токены без подписи",
    Fault.NULLS: "Рядом с токенами «error»: null, пустые необязательные поля",
    Fault.DETAILS_DOWN: "Контакты, документы и userinfo не отвечают; имя и дата рождения есть в токене",
    Fault.DETAILS_SIGNED: "OIDC: ответ userinfo подписан",
    Fault.DETAILS_ENCRYPTED: "OIDC: ответ userinfo зашифрован; имя и дата рождения есть в токене",
    Fault.INNER_HOST: "ESIA: контакты и документы названы адресами внутреннего сервера",
}


class Faults:
    """The current fault, in the sandbox's database. It survives a restart. Methods block briefly."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.add_tables(_SCHEMA)

    def current(self) -> Fault:
        """The fault that is switched on."""
        with self._store.transaction() as sql:
            row = sql.execute("SELECT value FROM gosuslugi_setting WHERE name = 'fault'").fetchone()
        return Fault(row["value"]) if row is not None else Fault.NONE

    def switch(self, fault: Fault) -> None:
        """Switch to another fault."""
        with self._store.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO gosuslugi_setting VALUES ('fault', ?)", (fault.value,))
