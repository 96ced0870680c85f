"""A mail server that does what a test says, and what it has taken."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from medonline.bootstrap import Portal
from medonline.domain.email_address import EmailAddress
from medonline.services.notices.sender import NoticeService
from medonline.services.notices.ways import MailWay
from medonline.services.ports import Mail
from medonline.storage.queries import account_settings
from medonline.wording import notices as wording
from tests.services.notices.phone import sends_all
from tests.services.world import START, patient_with


@dataclass
class Mailboxes:
    """Fails as told, in turn, and then takes everything."""

    provider = "scripted mail"
    failures: list[Exception] = field(default_factory=list)
    taken: list[tuple[str, Mail]] = field(default_factory=list)

    async def send_mail(self, address: EmailAddress, mail: Mail) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((address.text, mail))
        return mail.id

    async def close(self) -> None:
        pass


async def proves(portal: Portal, address: str, at: datetime = START) -> None:
    """The account has this proved address."""
    facts: dict[str, object] = {"email": address, "proved_email": address, "email_proved_at": at}
    await portal.database.write(account_settings.set_columns, (await patient_with(portal)).id, facts)


async def mailed(portal: Portal, *failures: Exception) -> list[tuple[str, Mail]]:
    """What mailboxes have got since the last look: address and mail."""
    boxes = Mailboxes(failures=list(failures))
    mail = MailWay(boxes, wording, portal.email_proof.codes)
    service = NoticeService(portal.database, portal.clock, None, wording, portal.notices._links, mail=mail)
    await sends_all(service)
    return boxes.taken


def code_in(mail: Mail) -> str:
    """The code of a mail that proves an address."""
    found = re.search(r"Код: (\d{6})", mail.text)
    assert found is not None, mail.text
    return found[1]


def token_in(mail: Mail) -> str:
    """The token of the link «это не я»."""
    found = re.search(r"Это не вы\? \S+#([0-9a-f]{64})", mail.text)
    assert found is not None, mail.text
    return found[1]
