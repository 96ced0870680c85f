"""How a notice travels: as a text to the phone, or as a mail to the address that its owner has proved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from medonline.domain.email_address import EmailAddress
from medonline.domain.phone import PhoneNumber
from medonline.services.notices.email_codes import EmailCodes
from medonline.services.notices.texts import About
from medonline.services.ports import Mail, MailChannel, NoticeChannel
from medonline.storage.tables.notices import Notice


class MailWords(Protocol):
    """What the owner of a mailbox reads beyond the sentence."""

    def subject(self, of: About) -> str:
        """The subject of a mail."""

    def with_code(self, text: str, code: str) -> str:
        """The sentence and the code that proves the address."""

    def letter(self, text: str) -> str:
        """The whole text of a mail."""


@dataclass(frozen=True, slots=True)
class MailWay:
    """Everything that mail needs."""

    channel: MailChannel
    words: MailWords
    codes: EmailCodes


@dataclass(frozen=True, slots=True)
class Way:
    """How some notices travel.

    provider: the adapter's name for operators.
    send: brings a notice in these words; the provider's reference. Raises `DeliveryFailed`.
    paid: whether each costs the day's money.
    """

    provider: str
    send: Callable[[Notice, str], Awaitable[str]]
    paid: bool


def to_phone(channel: NoticeChannel) -> Way:
    """Texts to phones."""

    async def send(row: Notice, words: str) -> str:
        return await channel.send_notice(PhoneNumber(row.phone), words)

    return Way(channel.provider, send, paid=True)


def by_mail(mail: MailWay) -> Way:
    """Mails."""

    async def send(row: Notice, words: str) -> str:
        text = mail.words.with_code(words, mail.codes.of(row.id)) if row.about == About.EMAIL_PROOF else words
        letter = Mail(row.id, mail.words.subject(About(row.about)), mail.words.letter(text))
        return await mail.channel.send_mail(EmailAddress(row.email), letter)

    return Way(mail.channel.provider, send, paid=False)
