"""The consent to the processing of personal data (Федеральный закон от 27.07.2006 № 152-ФЗ, статья 9): its text, by version.

A change of the text is a change of `VERSION`: what a patient agreed to is kept as version, hash and time.
"""

from __future__ import annotations

import hashlib

VERSION = "2026-11"


def consent_text(operator: str) -> tuple[str, ...]:
    """The paragraphs a patient reads; `operator` is the organisation that runs the portal."""
    return (
        f"Я даю согласие на обработку моих персональных данных. Оператор: {operator}.",
        "Какие данные: фамилия, имя, отчество, дата рождения, пол, СНИЛС, номер полиса ОМС, номер телефона, адрес "
        "электронной почты и сведения о медицинских картах (поликлиника, номер карты, дата прикрепления).",
        "Для чего: чтобы открыть личный кабинет на портале, узнавать меня при входе, показывать мои медицинские карты "
        "и сообщать о входе и изменениях в кабинете.",
        "Что с данными делают: собирают, записывают, хранят, уточняют, используют и удаляют, в том числе с помощью "
        "компьютеров. Другим организациям данные не передают, кроме реестра медицинских карт и службы, которая "
        "отправляет проверочные коды.",
        "Сколько действует: до закрытия личного кабинета. Согласие можно отозвать в регистратуре поликлиники: кабинет "
        "закроют, а данные удалят, кроме тех, что обязан хранить закон.",
    )


def text_hash(paragraphs: tuple[str, ...]) -> str:
    """SHA-256 of the text that was shown, 64 hex characters."""
    return hashlib.sha256("\n".join(paragraphs).encode()).hexdigest()
